//! English.

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
    let unit = ["second", "minute", "hour", "day"][unit];
    format!("{value} {unit}{}", if value == 1 { "" } else { "s" })
}

pub(super) fn trouble(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Off => "it is switched off or cannot be reached".into(),
        Trouble::Faulty { what } => format!("its answer makes no sense ({what})"),
        Trouble::NoPaper { tray, media } => {
            let media = media.as_deref().map_or("paper", media_label);
            match tray {
                Some(tray) => format!("{tray} has no {media}"),
                None => format!("there is no {media} in it"),
            }
        }
        Trouble::NoInk { color: Some(color) } => format!("it has no {color} ink or toner"),
        Trouble::NoInk { color: None } => "it has no ink or toner".into(),
        Trouble::Jam => "paper is jammed".into(),
        Trouble::CoverOpen => "its cover is open".into(),
        Trouble::MemoryFull => "its memory is full".into(),
        Trouble::NotAccepting => "it takes no jobs now".into(),
        Trouble::Stopped { reason } if reason.is_empty() => "it has stopped".into(),
        Trouble::Stopped { reason } => format!("it has stopped ({reason})"),
        Trouble::Paused => "it is paused".into(),
    }
}

pub(super) fn remedy(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Off => "Switch the printer on, or check its network.".into(),
        Trouble::Faulty { .. } => "Switch the printer off and on; if it stays, its owner has to look.".into(),
        Trouble::NoPaper { tray, media } => {
            let media = media.as_deref().map_or("paper", media_label);
            match tray {
                Some(tray) => format!("Put {media} into {tray}."),
                None => format!("Load {media}."),
            }
        }
        Trouble::NoInk { color: Some(color) } => {
            format!("Replace {color}, or print in black only.")
        }
        Trouble::NoInk { color: None } => "Replace the ink or toner.".into(),
        Trouble::Jam => "Remove the jammed paper.".into(),
        Trouble::CoverOpen => "Close the cover.".into(),
        Trouble::MemoryFull => "Wait, or switch the printer off and on.".into(),
        Trouble::NotAccepting | Trouble::Stopped { .. } => "Look at the printer's panel.".into(),
        Trouble::Paused => "Its operator lets it go on in the console.".into(),
    }
}

fn recovers(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::NoPaper { .. } => "prints when the printer reports paper",
        Trouble::NoInk { .. } => "prints when the printer reports ink or toner",
        Trouble::Paused => "prints when its operator lets it go on",
        Trouble::Off => "prints when the printer is switched on",
        Trouble::Faulty { .. }
        | Trouble::Jam
        | Trouble::CoverOpen
        | Trouble::MemoryFull
        | Trouble::NotAccepting
        | Trouble::Stopped { .. } => "prints when the printer reports that it is ready",
    }
}

pub(super) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Printed { evidence: Evidence::E5 } => "Printed: a person confirmed it.".into(),
        Outcome::Printed { evidence: Evidence::E3 | Evidence::E4 } => "Printed: the printer counted every page.".into(),
        Outcome::Printed { evidence: Evidence::E2 } => "Printed: the printer says so.".into(),
        Outcome::Printed { evidence: Evidence::E0 | Evidence::E1 } => {
            "Sent: the printer took all of it; this printer cannot confirm paper.".into()
        }
        Outcome::Canceled { .. } => "Cancelled.".into(),
        Outcome::CanceledAtDevice => "Cancelled at the printer.".into(),
        Outcome::Unprintable { why } => format!("Not printed: {why}"),
        Outcome::Expired => "Not printed: it waited as long as it was to be kept, and was deleted.".into(),
        Outcome::DoubtClosed => "Nobody knows whether it printed; it was closed and its data deleted.".into(),
    }
}

fn held(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::DocumentIncoming => "Held: its document is still coming in.",
        HoldReason::Review => "Held: it has many pages and waits for a click that lets it through.",
        HoldReason::Operator => "Held by an operator of the printer.",
        HoldReason::OnCreate => "Held: an operator of the printer holds each new job.",
        HoldReason::Sender => "Held by its sender.",
        HoldReason::PinRelease => "Held until it is released with its PIN.",
        HoldReason::Payment => "Held until it is paid for.",
        HoldReason::Time => "Held until its time has come.",
        HoldReason::ResourcesNotReady => "Held until what it needs is there.",
    }
}

fn asked(facts: &Facts<'_>, trouble_words: &str) -> String {
    let condition = &facts.printer.condition;
    let name = &facts.printer.info;
    let ago =
        |at: Option<crate::Timestamp>| at.map_or(String::new(), |at| format!(" {} ago", span(facts.now.since(at))));
    match &condition.reachability {
        Reachability::Silent => format!("Waiting: {name} did not answer{}; {trouble_words}.", ago(condition.asked_at)),
        Reachability::Faulty { .. } => {
            format!("Waiting: {name} was asked{}; {trouble_words}.", ago(condition.asked_at))
        }
        Reachability::Unasked | Reachability::Answering | Reachability::Reachable => {
            if condition.reported_at > condition.answered_at {
                format!("Waiting: {name} reported{} that {trouble_words}.", ago(condition.reported_at))
            } else {
                format!("Waiting: {name} answered{} that {trouble_words}.", ago(condition.answered_at))
            }
        }
    }
}

pub(super) fn why(facts: &Facts<'_>) -> Why {
    let Facts { job, printer, hindrance, next_try_at, time, .. } = facts;
    let pages = match job.pages() {
        0 => String::new(),
        1 => ", 1 page".into(),
        n => format!(", {n} pages"),
    };
    let which = format!("Job {}, {}{pages}, for {}.", job.short(), *job.name, printer.info);
    let mut next = String::new();
    let now = match hindrance {
        Hindrance::Over if job.is_partly_printed() => {
            format!("Stopped after {} sides: its time was over, and the rest was deleted.", job.impressions_completed)
        }
        Hindrance::Over => job.outcome.as_ref().map_or_else(String::new, outcome),
        Hindrance::Preparing => "Being prepared: its pages are counted.".into(),
        Hindrance::Held(reason) => held(*reason).to_string(),
        Hindrance::PutBack => {
            next = next_try_at.map_or_else(String::new, |at| format!("Next: tried again at {}.", time(at)));
            match job.put_back.as_ref().map_or("", |put_back| put_back.why.as_str()) {
                "" => format!("Waiting: {} did not take it.", printer.info),
                why => format!("Waiting: {} did not take it ({}).", printer.info, why.trim_end_matches('.')),
            }
        }
        Hindrance::Behind => "Waiting: the printer is busy with another job.".into(),
        Hindrance::Next => "Waiting: it is next.".into(),
        Hindrance::Printing | Hindrance::Trouble(_) if job.is_withdrawn() => {
            "Its time is over, and it stands still at the printer: it is being taken back.".into()
        }
        Hindrance::Printing | Hindrance::Trouble(_) if job.canceling.is_some() => {
            "Being cancelled at the printer.".into()
        }
        Hindrance::Printing => match job.impressions_completed {
            0 => "On its way to the printer.".into(),
            n => format!("Printing: {n} sides are out."),
        },
        Hindrance::Trouble(Trouble::Paused) => {
            format!("Waiting: {} is paused by its operator.", printer.info)
        }
        Hindrance::Trouble(case) if job.handed => {
            next = "Next: goes on by itself when that is mended.".into();
            format!("Printing has stopped: {}.", trouble(case))
        }
        Hindrance::Trouble(case) => {
            next = match next_try_at {
                Some(at) => format!("Next: {}; else tried at {}.", recovers(case), time(*at)),
                None => format!("Next: {}.", recovers(case)),
            };
            asked(facts, &trouble(case))
        }
        Hindrance::InDoubt => match &job.doubt {
            Some(doubt) => {
                let pages = match (doubt.certain, doubt.possible) {
                    (certain, possible) if certain == possible => {
                        format!("pages up to {certain} came out, the rest did not")
                    }
                    (0, possible) => format!("pages 1 to {possible} may have come out"),
                    (certain, possible) if certain + 1 == possible => {
                        format!("pages up to {certain} came out, page {possible} may have")
                    }
                    (certain, possible) => {
                        format!("pages up to {certain} came out, pages {} to {possible} may have", certain + 1)
                    }
                };
                format!("Did it print? {}: {pages}.", capital(&doubt.why))
            }
            None => String::new(),
        },
    };
    let ends = match hindrance {
        Hindrance::Over => String::new(),
        _ if job.canceling.is_some() => String::new(),
        _ if job.expired => "Its time is over: what is printing may finish, the rest is deleted.".into(),
        Hindrance::InDoubt => format!("Ends: {}, then closed and deleted.", time(job.keep_until)),
        _ => format!("Ends: {}, then deleted and you are told.", time(job.keep_until)),
    };
    let can: Vec<&str> = actions(job, hindrance)
        .into_iter()
        .map(|action| match action {
            Action::PrintElsewhere => "print elsewhere",
            Action::Cancel => "cancel",
            Action::Hold => "hold",
            Action::Release => "let it print",
            Action::PrintNow => "print now",
            Action::Decide => "say whether it came out, or print again",
            Action::Reprint => "print it again",
        })
        .collect();
    let can = if can.is_empty() { String::new() } else { format!("You can: {}.", can.join(", ")) };
    Why { job: which, now, next, ends, can }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
