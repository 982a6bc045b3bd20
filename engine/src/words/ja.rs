//! Japanese.

use super::{Action, Facts, Why, actions, rounded};
use crate::hold::Hindrance;
use crate::job::{HoldReason, Outcome};
use crate::options::media_label;
use crate::{Evidence, Millis, Reachability, Trouble};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(super) fn span(span: Millis) -> String {
    let (value, unit) = rounded(span);
    format!("{value}{}", ["秒", "分", "時間", "日"][unit])
}

fn color_word(color: &str) -> &str {
    match color {
        "cyan" => "シアン",
        "magenta" => "マゼンタ",
        "yellow" => "イエロー",
        "black" => "ブラック",
        other => other,
    }
}

pub(super) fn trouble(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Off => "電源が切れているか、つながりません".into(),
        Trouble::Faulty { what } => format!("プリンターの応答が正しくありません（{what}）"),
        Trouble::NoPaper { tray, media } => {
            let media = media.as_deref().map_or(String::new(), |media| format!("{}の", media_label(media)));
            match tray {
                Some(tray) => format!("{tray} に{media}用紙がありません"),
                None => format!("{media}用紙がありません"),
            }
        }
        Trouble::NoInk { color: Some(color) } => {
            format!("インク・トナー（{}）がありません", color_word(color))
        }
        Trouble::NoInk { color: None } => "インク・トナーがありません".into(),
        Trouble::Jam => "紙が詰まっています".into(),
        Trouble::CoverOpen => "カバーが開いています".into(),
        Trouble::MemoryFull => "プリンターのメモリがいっぱいです".into(),
        Trouble::NotAccepting => "今は印刷を受け付けていません".into(),
        Trouble::Stopped { reason } if reason.is_empty() => "停止しています".into(),
        Trouble::Stopped { reason } => format!("停止しています（{reason}）"),
        Trouble::Paused => "一時停止中です".into(),
    }
}

pub(super) fn remedy(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Off => "プリンターの電源を入れるか、ネットワークを確認してください。".into(),
        Trouble::Faulty { .. } => {
            "プリンターの電源を入れ直してください。直らない場合は管理者に連絡してください。".into()
        }
        Trouble::NoPaper { tray, media } => {
            let media = media.as_deref().map_or("用紙", media_label);
            match tray {
                Some(tray) => format!("{tray} に {media} を補給してください。"),
                None => format!("{media} を補給してください。"),
            }
        }
        Trouble::NoInk { color: Some(color) } => {
            format!("{}を交換するか、白黒で印刷してください。", color_word(color))
        }
        Trouble::NoInk { color: None } => "インク・トナーを交換してください。".into(),
        Trouble::Jam => "詰まった紙を取り除いてください。".into(),
        Trouble::CoverOpen => "カバーを閉めてください。".into(),
        Trouble::MemoryFull => "しばらく待つか、プリンターの電源を入れ直してください。".into(),
        Trouble::NotAccepting | Trouble::Stopped { .. } => "プリンターの操作パネルを確認してください。".into(),
        Trouble::Paused => "管理画面で再開できます。".into(),
    }
}

fn recovers(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::NoPaper { .. } => "用紙が補給されると自動で印刷します",
        Trouble::NoInk { .. } => "インク・トナーが交換されると自動で印刷します",
        Trouble::Paused => "再開されると印刷します",
        Trouble::Off => "プリンターの電源が入ると自動で印刷します",
        Trouble::Faulty { .. }
        | Trouble::Jam
        | Trouble::CoverOpen
        | Trouble::MemoryFull
        | Trouble::NotAccepting
        | Trouble::Stopped { .. } => "プリンターが使えるようになると自動で印刷します",
    }
}

pub(super) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Printed { evidence: Evidence::E5 } => "印刷しました（人が確認しました）。".into(),
        Outcome::Printed { evidence: Evidence::E3 | Evidence::E4 } => {
            "印刷しました（プリンターが全ページを数えました）。".into()
        }
        Outcome::Printed { evidence: Evidence::E2 } => "印刷しました（プリンターの報告による）。".into(),
        Outcome::Printed { evidence: Evidence::E0 | Evidence::E1 } => {
            "プリンターに送りました。このプリンターは印刷の完了を確認できません。".into()
        }
        Outcome::Canceled { .. } => "取り消されました。".into(),
        Outcome::CanceledAtDevice => "プリンターで取り消されました。".into(),
        Outcome::Unprintable { why } => format!("印刷できませんでした：{why}"),
        Outcome::Expired => "保存期限が過ぎたため、印刷されずに削除されました。".into(),
        Outcome::DoubtClosed => "印刷されたかどうか確認できないまま終了し、データは削除されました。".into(),
    }
}

fn held(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::DocumentIncoming => "保留中：文書を受信しています。",
        HoldReason::Review => "保留中：ページ数が多いため、確認を待っています。",
        HoldReason::Operator => "プリンターの管理者が保留しています。",
        HoldReason::OnCreate => "保留中：プリンターの管理者が新しい印刷をすべて保留しています。",
        HoldReason::Sender => "送信者が保留しています。",
        HoldReason::PinRelease => "保留中：暗証番号の入力を待っています。",
        HoldReason::Payment => "保留中：お支払いを待っています。",
        HoldReason::Time => "保留中：指定の時刻を待っています。",
        HoldReason::ResourcesNotReady => "保留中：必要なものがまだそろっていません。",
    }
}

fn asked(facts: &Facts<'_>, trouble_words: &str) -> String {
    let condition = &facts.printer.condition;
    let name = &facts.printer.info;
    let ago =
        |at: Option<crate::Timestamp>| at.map_or(String::new(), |at| format!("（{}前）", span(facts.now.since(at))));
    match &condition.reachability {
        Reachability::Silent | Reachability::Faulty { .. } => {
            format!("待機中：{name} — {trouble_words}{}。", ago(condition.asked_at))
        }
        Reachability::Unasked | Reachability::Answering | Reachability::Reachable => {
            if condition.reported_at > condition.answered_at {
                format!("待機中：{name} からの通知{} — {trouble_words}。", ago(condition.reported_at))
            } else {
                format!("待機中：{name} の応答{} — {trouble_words}。", ago(condition.answered_at))
            }
        }
    }
}

pub(super) fn why(facts: &Facts<'_>) -> Why {
    let Facts { job, printer, hindrance, next_try_at, time, .. } = facts;
    let pages = match job.pages() {
        0 => String::new(),
        n => format!("、{n}ページ"),
    };
    let which = format!("ジョブ {}「{}」{pages}、プリンター：{}。", job.short(), *job.name, printer.info);
    let mut next = String::new();
    let now = match hindrance {
        Hindrance::Over if job.is_partly_printed() => {
            format!("{}面まで印刷しました。保存期限が過ぎたため、残りは削除されました。", job.impressions_completed)
        }
        Hindrance::Over => job.outcome.as_ref().map_or_else(String::new, outcome),
        Hindrance::Preparing => "準備中です。".into(),
        Hindrance::Held(reason) => held(*reason).to_string(),
        Hindrance::PutBack => {
            next = next_try_at.map_or_else(String::new, |at| format!("このあと：{} に再試行します。", time(at)));
            match job.put_back.as_ref().map_or("", |put_back| put_back.why.as_str()) {
                "" => format!("待機中：{} が受け取りませんでした。", printer.info),
                why => format!("待機中：{} が受け取りませんでした（{}）。", printer.info, why.trim_end_matches('.')),
            }
        }
        Hindrance::Behind => "待機中：ほかのジョブを印刷しています。".into(),
        Hindrance::Next => "待機中：次に印刷します。".into(),
        Hindrance::Printing | Hindrance::Trouble(_) if job.is_withdrawn() => {
            "保存期限が過ぎ、プリンターで止まっているため、取り消しています。".into()
        }
        Hindrance::Printing | Hindrance::Trouble(_) if job.canceling.is_some() => {
            "プリンターで取り消しています。".into()
        }
        Hindrance::Printing => match job.impressions_completed {
            0 => "プリンターに送っています。".into(),
            n => format!("印刷中：{n}面まで印刷しました。"),
        },
        Hindrance::Trouble(Trouble::Paused) => {
            format!("待機中：{} は一時停止中です。", printer.info)
        }
        Hindrance::Trouble(case) if job.handed => {
            next = "解消されると自動で再開します。".into();
            format!("印刷が止まっています：{}。", trouble(case))
        }
        Hindrance::Trouble(case) => {
            next = match next_try_at {
                Some(at) => format!("このあと：{}。または {} に再試行します。", recovers(case), time(*at)),
                None => format!("このあと：{}。", recovers(case)),
            };
            asked(facts, &trouble(case))
        }
        Hindrance::InDoubt => match &job.doubt {
            Some(doubt) if doubt.certain == doubt.possible => {
                format!("印刷できましたか？ {}ページまで印刷され、残りは印刷されていません。", doubt.certain)
            }
            Some(doubt) => format!(
                "印刷できましたか？ {}ページから{}ページは印刷されたかどうか分かりません。",
                doubt.certain + 1,
                doubt.possible
            ),
            None => String::new(),
        },
    };
    let ends = match hindrance {
        Hindrance::Over => String::new(),
        _ if job.canceling.is_some() => String::new(),
        _ if job.expired => "保存期限が過ぎました。印刷中の分は最後まで印刷し、残りは削除します。".into(),
        Hindrance::InDoubt => format!("期限：{}に終了し、データを削除します。", time(job.keep_until)),
        _ => format!("期限：{}まで保存し、過ぎると削除してお知らせします。", time(job.keep_until)),
    };
    let can: Vec<&str> = actions(job, hindrance)
        .into_iter()
        .map(|action| match action {
            Action::PrintElsewhere => "別のプリンターで印刷",
            Action::Cancel => "取り消し",
            Action::Hold => "保留",
            Action::Release => "印刷を許可",
            Action::PrintNow => "今すぐ印刷",
            Action::Decide => "印刷できたかどうかの回答、または再印刷",
            Action::Reprint => "もう一度印刷",
        })
        .collect();
    let can = if can.is_empty() { String::new() } else { format!("できること：{}。", can.join("、")) };
    Why { job: which, now, next, ends, can }
}
