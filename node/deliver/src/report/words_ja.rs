//! Letters in Japanese.

use jiff::tz::TimeZone;
use tympan_engine::words;
use tympan_engine::{Evidence, Job, Language, NoticeKind, Outcome, Timestamp, Trouble};

use super::{Facts, Letter};
use crate::remark::in_language;

const LANGUAGE: Language = Language::Ja;
const WEEKDAYS: [&str; 7] = ["月", "火", "水", "木", "金", "土", "日"];

/// `2026年11月20日（金）18:00`.
pub(super) fn time(at: Timestamp, zone: &TimeZone) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map_or_else(
        |_| String::new(),
        |at| {
            let at = at.to_zoned(zone.clone());
            let weekday = WEEKDAYS[usize::from(at.weekday().to_monday_zero_offset().unsigned_abs()) % 7];
            format!("{}年{}月{}日（{weekday}）{}", at.year(), at.month(), at.day(), at.strftime("%H:%M"))
        },
    )
}

fn which(job: &Job) -> String {
    match job.pages() {
        0 => format!("「{}」（{}）", *job.name, job.short()),
        n => format!("「{}」（{}、{n}ページ）", *job.name, job.short()),
    }
}

fn remarks(job: &Job) -> String {
    job.remarks.iter().map(|remark| format!("  - {}\n", in_language(remark, LANGUAGE))).collect()
}

fn recovers(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::NoPaper { .. } => "用紙が補給されると",
        Trouble::NoInk { .. } => "インク・トナーが交換されると",
        Trouble::Off => "プリンターの電源が入ると",
        Trouble::Paused => "再開されると",
        _ => "プリンターが使えるようになると",
    }
}

pub(super) fn letter(kind: &NoticeKind, facts: &Facts<'_>) -> Letter {
    let (printer, job) = (facts.printer, facts.job);
    let info = &printer.info;
    let link = |what: &str| facts.link.as_ref().map_or(String::new(), |link| format!("\n{what}\n{link}\n"));
    let settings = || {
        let line = "保存期限と再試行の間隔の変更:";
        facts.settings.as_ref().map_or(String::new(), |link| format!("\n{line}\n{link}\n"))
    };
    let command = |command: &str| format!("{}+{command}@{}", printer.name, facts.domain);
    match kind {
        NoticeKind::Waiting { .. } => {
            let trouble = facts.trouble().unwrap_or(Trouble::Off);
            let what = words::trouble(&trouble, LANGUAGE);
            let list: String = facts
                .waiting
                .iter()
                .map(|job| format!("  - {}  保存期限: {}\n", which(job), time(job.keep_until, facts.zone)))
                .collect();
            let every = facts.waiting.iter().map(|job| job.retry_interval_ms).min().unwrap_or(0);
            let every = words::span(every, LANGUAGE);
            Letter {
                subject: format!("{info}: 今は印刷できません（{what}）"),
                text: format!(
                    "{info} は今、印刷できません。{what}。\n{}\n\n待っているジョブ:\n{list}\n{}、上の順に自動で印刷します。\
                     また、{every}ごとにプリンターの状態を確認します。保存期限までに印刷できなかったものは削除し、お知らせします。\n\n\
                     保存期限を変えるには、件名に「3日」などと書いて {} にメールを送ってください。取り消すには、件名に番号（{}）を\
                     書いて {} にメールを送ってください。\n{}{}",
                    words::remedy(&trouble, LANGUAGE),
                    recovers(&trouble),
                    command("keep"),
                    facts.waiting.first().unwrap_or(job).short(),
                    command("cancel"),
                    link("状態の確認、別のプリンターでの印刷:"),
                    settings(),
                ),
            }
        }
        NoticeKind::Printed => {
            let unsure = match &job.outcome {
                Some(Outcome::Printed { evidence: Evidence::E0 | Evidence::E1 }) => {
                    "\nこのプリンターは、紙が出たことを確認できません。\n"
                }
                _ => "",
            };
            Letter {
                subject: format!("印刷しました: {}", *job.name),
                text: format!("{} を {info} で印刷しました。\n{unsure}", which(job)),
            }
        }
        NoticeKind::Aborted => {
            let why = match &job.outcome {
                Some(Outcome::DoubtClosed) => {
                    "どこまで印刷されたか分からないまま終了しました。もう一度印刷されることはなく、データは削除されました。"
                        .to_owned()
                }
                _ if !job.remarks.is_empty() => format!("理由:\n{}", remarks(job).trim_end()),
                Some(Outcome::Unprintable { why }) => format!("理由: {}", in_language(why, LANGUAGE)),
                _ => String::new(),
            };
            Letter {
                subject: format!("印刷できませんでした: {}", *job.name),
                text: format!("{} は {info} で印刷できませんでした。再試行はしません。\n\n{why}\n", which(job)),
            }
        }
        NoticeKind::Expired => {
            let trouble = printer.outage.as_ref().map(|outage| words::trouble(&outage.trouble, LANGUAGE));
            let why = trouble.map_or(String::new(), |trouble| format!("理由: {trouble}。\n"));
            if job.is_partly_printed() {
                return Letter {
                    subject: format!("途中まで印刷し、残りを削除しました: {}", *job.name),
                    text: format!(
                        "{} は {info} で{}面まで印刷して止まりました。保存期限（{}）が過ぎたため、残りは削除しました。\n{why}\n\
                         印刷するには、もう一度送ってください。\n{}",
                        which(job),
                        job.impressions_completed,
                        time(job.keep_until.min(facts.now), facts.zone),
                        settings(),
                    ),
                };
            }
            Letter {
                subject: format!("印刷されずに削除されました: {}", *job.name),
                text: format!(
                    "{} は {} まで {info} を待ちましたが、印刷できなかったため、データを含めて削除しました。\n{why}\n\
                     印刷するには、もう一度送ってください。\n{}",
                    which(job),
                    time(job.keep_until.min(facts.now), facts.zone),
                    settings(),
                ),
            }
        }
        NoticeKind::InDoubt => {
            let which_pages = job.doubt.as_ref().map_or(String::new(), |doubt| {
                let why = in_language(&doubt.why, LANGUAGE);
                match (doubt.certain, doubt.possible) {
                    (certain, possible) if certain >= possible => {
                        format!("{why}。その時点で{certain}ページまで印刷されました")
                    }
                    (0, possible) => {
                        format!("{why}。1ページから{possible}ページまでは、印刷されたかどうか分かりません")
                    }
                    (certain, possible) => format!(
                        "{why}。{certain}ページまでは印刷され、{}ページから{possible}ページまでは分かりません",
                        certain + 1
                    ),
                }
            });
            Letter {
                subject: format!("印刷できましたか？ {}", *job.name),
                text: format!(
                    "{} が {info} でどこまで印刷されたか、確かではありません。{which_pages}。\n\n\
                     プリンターを確認して、途中のページから印刷・すべて印刷し直す・すべて印刷できた・破棄、のどれかを選んでください。\
                     自動では印刷し直しません。{} までに回答がなければ、終了してデータを削除します。\n{}",
                    which(job),
                    time(job.keep_until, facts.zone),
                    link("回答はこちら:"),
                ),
            }
        }
        NoticeKind::Review => Letter {
            subject: format!("{}ページあります。印刷しますか？ {}", job.pages(), *job.name),
            text: format!(
                "{} はページ数が多いため、{info} で印刷する前に、{} まで確認をお待ちします。不要な場合は何もしなくても削除されます。\n{}",
                which(job),
                time(job.keep_until, facts.zone),
                link("このページを開いて「印刷を許可」を押してください:"),
            ),
        },
        NoticeKind::Remarks => Letter {
            subject: format!("印刷についてのお知らせ: {}", *job.name),
            text: format!("{} を {info} に送ります。次の点にご注意ください。\n{}", which(job), remarks(job)),
        },
    }
}
