//! The words of the page, in English and Japanese.

use tympan_http::{HeaderMap, header};

/// One language.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) lang: &'static str,
    pub(super) other_lang: &'static str,
    pub(super) other_lang_name: &'static str,
    pub(super) title: &'static str,
    pub(super) ready: &'static str,
    pub(super) printing: &'static str,
    pub(super) stopped: &'static str,
    pub(super) off: &'static str,
    pub(super) switch_on: &'static str,
    pub(super) switch_off: &'static str,
    pub(super) mend: &'static str,
    pub(super) paper: &'static str,
    pub(super) toner: &'static str,
    pub(super) take_paper: &'static str,
    pub(super) load_paper: &'static str,
    pub(super) empty_toner: &'static str,
    pub(super) new_toner: &'static str,
    pub(super) cover: &'static str,
    pub(super) open_cover: &'static str,
    pub(super) close_cover: &'static str,
    pub(super) jam: &'static str,
    pub(super) jam_now: &'static str,
    pub(super) clear_jam: &'static str,
    pub(super) jam_at_page: &'static str,
    pub(super) slow: &'static str,
    pub(super) slow_on: &'static str,
    pub(super) slow_off: &'static str,
    pub(super) busy: &'static str,
    pub(super) busy_on: &'static str,
    pub(super) busy_off: &'static str,
    pub(super) accepting: &'static str,
    pub(super) accepting_off: &'static str,
    pub(super) accepting_on: &'static str,
    pub(super) drop_line: &'static str,
    pub(super) at_octet: &'static str,
    pub(super) set: &'static str,
    pub(super) faults: &'static str,
    pub(super) lies: &'static str,
    pub(super) forget: &'static str,
    pub(super) completed_unprinted: &'static str,
    pub(super) never_completed: &'static str,
    pub(super) half: &'static str,
    pub(super) endless: &'static str,
    pub(super) nonsense: &'static str,
    pub(super) never: &'static str,
    pub(super) pages: &'static str,
    pub(super) no_pages: &'static str,
    pub(super) jobs: &'static str,
    pub(super) no_jobs: &'static str,
    pub(super) front: &'static str,
    pub(super) back: &'static str,
    pub(super) cover_is_open: &'static str,
    pub(super) is_jammed: &'static str,
    pub(super) is_empty: &'static str,
    pub(super) has_no: &'static str,
    pub(super) sheets: &'static str,
    pub(super) states: [(&'static str, &'static str); 7],
    pub(super) colors: [(&'static str, &'static str); 4],
    pub(super) tray: &'static str,
}

const ENGLISH: Words = Words {
    lang: "en",
    other_lang: "ja",
    other_lang_name: "日本語",
    title: "Virtual printer",
    ready: "Ready",
    printing: "Printing",
    stopped: "Stopped",
    off: "Off",
    switch_on: "Switch on",
    switch_off: "Switch off",
    mend: "Mend everything",
    paper: "Paper",
    toner: "Toner",
    take_paper: "Take paper out",
    load_paper: "Load paper",
    empty_toner: "Empty",
    new_toner: "Replace",
    cover: "Cover",
    open_cover: "Open cover",
    close_cover: "Close cover",
    jam: "Paper jam",
    jam_now: "Jam now",
    clear_jam: "Clear jam",
    jam_at_page: "Jam at page",
    slow: "Speed",
    slow_on: "5 s a page",
    slow_off: "Full speed",
    busy: "Busy",
    busy_on: "Refuse jobs as busy",
    busy_off: "Be free again",
    accepting: "New jobs",
    accepting_off: "Accept none",
    accepting_on: "Accept again",
    drop_line: "Cut the line once",
    at_octet: "at octet",
    set: "Set",
    faults: "Faults",
    lies: "Lies and bad answers",
    forget: "Print, then forget the job",
    completed_unprinted: "Say completed, print nothing",
    never_completed: "Print, never say completed",
    half: "Answer by halves",
    endless: "Answer without end",
    nonsense: "Answer nonsense",
    never: "Never answer",
    pages: "Pages",
    no_pages: "Nothing was printed yet.",
    jobs: "Jobs",
    no_jobs: "No jobs.",
    front: "front",
    back: "back",
    cover_is_open: "The cover is open.",
    is_jammed: "Paper is jammed.",
    is_empty: "{} toner is empty.",
    has_no: "{} has no {}.",
    sheets: "sheets",
    states: [
        ("pending", "waiting"),
        ("pending-held", "held"),
        ("processing", "printing"),
        ("processing-stopped", "stopped"),
        ("canceled", "canceled"),
        ("aborted", "given up"),
        ("completed", "printed"),
    ],
    colors: [("cyan", "Cyan"), ("magenta", "Magenta"), ("yellow", "Yellow"), ("black", "Black")],
    tray: "Tray",
};

const JAPANESE: Words = Words {
    lang: "ja",
    other_lang: "en",
    other_lang_name: "English",
    title: "仮想プリンター",
    ready: "待機中",
    printing: "印刷中",
    stopped: "停止",
    off: "電源オフ",
    switch_on: "電源を入れる",
    switch_off: "電源を切る",
    mend: "すべて直す",
    paper: "用紙",
    toner: "トナー",
    take_paper: "用紙を抜く",
    load_paper: "用紙を補給",
    empty_toner: "空にする",
    new_toner: "交換",
    cover: "カバー",
    open_cover: "カバーを開ける",
    close_cover: "カバーを閉める",
    jam: "紙詰まり",
    jam_now: "今すぐ詰まらせる",
    clear_jam: "紙を取り除く",
    jam_at_page: "このページで詰まる",
    slow: "速度",
    slow_on: "1ページ5秒",
    slow_off: "通常の速度",
    busy: "ビジー",
    busy_on: "ビジーとして断る",
    busy_off: "ビジーを解除",
    accepting: "新しいジョブ",
    accepting_off: "受け付けない",
    accepting_on: "受け付けを再開",
    drop_line: "回線を1回切る",
    at_octet: "オクテット目",
    set: "設定",
    faults: "故障",
    lies: "うその応答・異常な応答",
    forget: "印刷後にジョブを忘れる",
    completed_unprinted: "印刷せずに完了と答える",
    never_completed: "印刷しても完了と答えない",
    half: "応答を途中で切る",
    endless: "終わらない応答",
    nonsense: "意味のない応答",
    never: "応答しない",
    pages: "ページ",
    no_pages: "まだ何も印刷していません。",
    jobs: "ジョブ",
    no_jobs: "ジョブはありません。",
    front: "表",
    back: "裏",
    cover_is_open: "カバーが開いています。",
    is_jammed: "紙が詰まっています。",
    is_empty: "{}のトナーがありません。",
    has_no: "{}に{}がありません。",
    sheets: "枚",
    states: [
        ("pending", "待機"),
        ("pending-held", "保留"),
        ("processing", "印刷中"),
        ("processing-stopped", "停止中"),
        ("canceled", "取り消し"),
        ("aborted", "中止"),
        ("completed", "印刷済み"),
    ],
    colors: [("cyan", "シアン"), ("magenta", "マゼンタ"), ("yellow", "イエロー"), ("black", "ブラック")],
    tray: "トレイ",
};

impl Words {
    /// By what was asked for, else by what the browser prefers, else English.
    pub(super) fn choose(asked: Option<&str>, headers: &HeaderMap) -> &'static Self {
        match asked {
            Some("ja") => return &JAPANESE,
            Some("en") => return &ENGLISH,
            _ => {}
        }
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let quality = |lang: &str| {
            accepted
                .split(',')
                .filter_map(|range| {
                    let mut parts = range.split(';');
                    let name = parts.next()?.trim().to_ascii_lowercase();
                    let matches = name == lang || name.strip_prefix(lang).is_some_and(|rest| rest.starts_with('-'));
                    let q = parts.find_map(|p| p.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
                    matches.then_some(q)
                })
                .fold(0.0, f32::max)
        };
        if quality("ja") > quality("en") { &JAPANESE } else { &ENGLISH }
    }

    pub(super) fn state(&self, name: &str) -> &'static str {
        self.states.iter().find(|(key, _)| *key == name).map_or("?", |(_, word)| word)
    }

    pub(super) fn color(&self, name: &str) -> &'static str {
        self.colors.iter().find(|(key, _)| *key == name).map_or("?", |(_, word)| word)
    }

    /// "Tray 1" for `tray-1`.
    pub(super) fn tray_label(&self, name: &str, label: &str) -> String {
        match name.strip_prefix("tray-") {
            Some(number) => format!("{} {number}", self.tray),
            None => label.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_s_preference_decides_unless_asked() {
        let lang = |asked, accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, accept.parse().unwrap());
            Words::choose(asked, &headers).lang
        };
        assert_eq!(lang(None, "ja-JP,ja;q=0.9,en;q=0.8"), "ja");
        assert_eq!(lang(None, "en-GB,ja;q=0.9"), "en");
        assert_eq!(lang(None, "de"), "en");
        assert_eq!(lang(None, "de,en;q=0.1,ja;q=0.2"), "ja");
        assert_eq!(lang(Some("ja"), "en"), "ja");
        assert_eq!(lang(Some("en"), "ja"), "en");
    }
}
