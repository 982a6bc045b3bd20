//! Letters in English.

use jiff::tz::TimeZone;
use tympan_engine::words;
use tympan_engine::{Evidence, Job, Language, NoticeKind, Outcome, Timestamp, Trouble};

use super::{Facts, Letter};
use crate::remark::in_language;

const LANGUAGE: Language = Language::En;

/// `Fri 20 Nov 2026, 18:00`.
pub(super) fn time(at: Timestamp, zone: &TimeZone) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis)
        .map_or_else(|_| String::new(), |at| at.to_zoned(zone.clone()).strftime("%a %-d %b %Y, %H:%M").to_string())
}

fn pages(job: &Job) -> String {
    match job.pages() {
        0 => String::new(),
        1 => ", 1 page".into(),
        n => format!(", {n} pages"),
    }
}

fn which(job: &Job) -> String {
    format!("{} ({}{})", *job.name, job.short(), pages(job))
}

fn remarks(job: &Job) -> String {
    job.remarks.iter().map(|remark| format!("  - {}\n", in_language(remark, LANGUAGE))).collect()
}

fn recovers(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::NoPaper { .. } => "as soon as there is paper",
        Trouble::NoInk { .. } => "as soon as there is ink or toner",
        Trouble::Off => "as soon as it is switched on",
        Trouble::Paused => "as soon as its operator lets it go on",
        _ => "as soon as it is ready again",
    }
}

pub(super) fn letter(kind: &NoticeKind, facts: &Facts<'_>) -> Letter {
    let (printer, job) = (facts.printer, facts.job);
    let info = &printer.info;
    let link = |what: &str| facts.link.as_ref().map_or(String::new(), |link| format!("\n{what}\n{link}\n"));
    let settings = || {
        let line = "How long your jobs wait, and how often they are tried, is yours to set:";
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
                .map(|job| format!("  - {}, kept until {}\n", which(job), time(job.keep_until, facts.zone)))
                .collect();
            let every = facts.waiting.iter().map(|job| job.retry_interval_ms).min().unwrap_or(0);
            let every = words::span(every, LANGUAGE);
            Letter {
                subject: format!("{info} cannot print now: {what}"),
                text: format!(
                    "{info} cannot print now: {what}.\n{}\n\nThese wait:\n{list}\n\
                     They print by themselves, in this order, {}; the printer is also asked every {every}. What has \
                     not printed by the time it is kept until is deleted, and you are told.\n\n\
                     To keep them longer or shorter, send a mail to {} with for example \"3 days\" in its subject. To \
                     cancel one, send a mail to {} with its number ({}) in its subject.\n{}{}",
                    words::remedy(&trouble, LANGUAGE),
                    recovers(&trouble),
                    command("keep"),
                    command("cancel"),
                    facts.waiting.first().unwrap_or(job).short(),
                    link("See it, or print it elsewhere:"),
                    settings(),
                ),
            }
        }
        NoticeKind::Printed => {
            let unsure = match &job.outcome {
                Some(Outcome::Printed { evidence: Evidence::E0 | Evidence::E1 }) => {
                    "\nThis printer takes documents but cannot confirm that paper came out.\n"
                }
                _ => "",
            };
            Letter {
                subject: format!("Printed: {}", *job.name),
                text: format!("{} has printed at {info}.\n{unsure}", which(job)),
            }
        }
        NoticeKind::Aborted => {
            let why = match &job.outcome {
                Some(Outcome::DoubtClosed) => {
                    "Nobody knows whether, or how far, it printed. It was closed, is not printed again, and its data is \
                     deleted."
                        .to_owned()
                }
                _ if !job.remarks.is_empty() => format!("Why:\n{}", remarks(job).trim_end()),
                Some(Outcome::Unprintable { why }) => format!("Why: {}", in_language(why, LANGUAGE)),
                _ => String::new(),
            };
            Letter {
                subject: format!("Not printed: {}", *job.name),
                text: format!("{} was not printed at {info}, and it will not be tried again.\n\n{why}\n", which(job)),
            }
        }
        NoticeKind::Expired => {
            let trouble = printer.outage.as_ref().map(|outage| words::trouble(&outage.trouble, LANGUAGE));
            let why = trouble.map_or(String::new(), |trouble| format!(" {info} could not print: {trouble}."));
            if job.is_partly_printed() {
                return Letter {
                    subject: format!("Printed in part, then deleted: {}", *job.name),
                    text: format!(
                        "{} stopped at {info} after {} sides. It was kept until {}; the rest was deleted.{why}\n\n\
                         To print it, send it again.\n{}",
                        which(job),
                        job.impressions_completed,
                        time(job.keep_until.min(facts.now), facts.zone),
                        settings(),
                    ),
                };
            }
            Letter {
                subject: format!("Deleted without printing: {}", *job.name),
                text: format!(
                    "{} waited for {info} until {} and was deleted, data and all.{why}\n\nTo print it, send it again.\n{}",
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
                    (certain, possible) if certain >= possible => format!("{why}; {certain} pages came out by then"),
                    (0, 1) => format!("{why}; page 1 may have come out"),
                    (0, possible) => format!("{why}; pages 1 to {possible} may have come out"),
                    (certain, possible) => {
                        format!("{why}; pages up to {certain} came out, pages {} to {possible} may have", certain + 1)
                    }
                }
            });
            Letter {
                subject: format!("Did it print? {}", *job.name),
                text: format!(
                    "It is not certain what of {} came out at {info}: {which_pages}.\n\nPlease look at the printer and say \
                     what is to be done: print from a page on, print all again, it all came out, or throw it away. \
                     Nothing is printed again by itself. Without a word from you it is closed and deleted on {}.\n{}",
                    which(job),
                    time(job.keep_until, facts.zone),
                    link("Decide here:"),
                ),
            }
        }
        NoticeKind::Review => Letter {
            subject: format!("{} pages: print them? {}", job.pages(), *job.name),
            text: format!(
                "{} has more pages than {info} prints without a question, so it waits for your word until {}. If it is \
                 not wanted, nothing needs to be done: it is deleted then.\n{}",
                which(job),
                time(job.keep_until, facts.zone),
                link("Open this page and press \"Let it print\":"),
            ),
        },
        NoticeKind::Remarks => Letter {
            subject: format!("About your print: {}", *job.name),
            text: format!("{} goes to {info}. Please note:\n{}", which(job), remarks(job)),
        },
    }
}
