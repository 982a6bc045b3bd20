//! Words of the console for what the engine says in keywords.

use crate::clock::Clock;
use crate::policy::texts;
use tympan_engine::{Condition, History, HistoryKind, Language, Millis, Reachability, Refusal, words};

/// Why the engine said no.
pub(crate) fn refusal(refusal: Refusal, language: Language) -> &'static str {
    let t = texts(language);
    match refusal {
        Refusal::JobEnded => t.r_job_ended,
        Refusal::Printing => t.r_printing,
        Refusal::Stale => t.r_stale,
        Refusal::NoDoubt => t.r_no_doubt,
        Refusal::InDoubt => t.r_in_doubt,
        Refusal::NoSuchPage => t.r_no_page,
        Refusal::ContentDeleted => t.r_deleted,
        Refusal::MadeForAnother => t.r_made_for_another,
        Refusal::NoSuchDocument => t.r_no_document,
        Refusal::TooManyDocuments => t.r_too_many_documents,
        Refusal::NotReady => t.r_not_ready,
        Refusal::AlreadyCanceling => t.r_canceling,
        Refusal::QueueFull => t.r_queue_full,
        Refusal::NotPossible => t.r_not_possible,
    }
}

/// How long to wait, never said shorter than it is.
pub(crate) fn wait(span: Millis, language: Language) -> String {
    words::span(span.div_ceil(1_000) * 1_000, language)
}

/// A span as it is typed: `3 days`, and exactly that span when it is read again.
pub(crate) fn typed_span(span: Millis, language: Language) -> String {
    use tympan_engine::time::{DAY, HOUR, MINUTE, SECOND};
    let units = [(DAY, "day", "日"), (HOUR, "hour", "時間"), (MINUTE, "minute", "分"), (SECOND, "second", "秒")];
    let (value, en, ja) = units
        .into_iter()
        .find(|(unit, ..)| span >= *unit && span.is_multiple_of(*unit))
        .map_or((span.div_ceil(SECOND), "second", "秒"), |(unit, en, ja)| (span / unit, en, ja));
    match language {
        Language::En => format!("{value} {en}{}", if value == 1 { "" } else { "s" }),
        Language::Ja => format!("{value}{ja}"),
    }
}

/// One line of a time line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: String,
    pub(crate) exact: String,
    pub(crate) text: String,
    /// A class of the style sheet: `good`, `bad`, `ask` or nothing.
    pub(crate) tone: &'static str,
}

/// What happened, in words; `None` for what only repeats what another line says.
pub(crate) fn line(history: &History, clock: &Clock) -> Option<Line> {
    let (text, tone) = event(history, clock.language)?;
    Some(Line { at: clock.at(history.at), exact: clock.exact(history.at), text, tone })
}

fn event(history: &History, language: Language) -> Option<(String, &'static str)> {
    let t = texts(language);
    let plain = |text: &str| Some((text.to_owned(), ""));
    match &history.kind {
        HistoryKind::Received { door } => plain(match door.as_str() {
            "smtp" => t.h_received_mail,
            "web" => t.h_received_web,
            "ipp" => t.h_received_ipp,
            "test-page" => t.h_received_test,
            "reprint" => t.h_received_reprint,
            _ => t.h_received_other,
        }),
        HistoryKind::JobState { state, why } => match (state.as_str(), why.as_str()) {
            ("pending-held", "inspected") => plain(t.h_held_review),
            ("pending-held", _) => plain(t.h_held),
            ("pending", "decide") => plain(t.h_ready),
            ("pending", "unhold" | "job-hold-until-specified" | "job-password-wait") => plain(t.h_ready),
            ("canceled", _) => plain(t.h_canceled),
            ("aborted", "retention has passed") => Some((t.h_expired.into(), "bad")),
            ("aborted", _) => Some((t.h_aborted.into(), "bad")),
            ("completed", _) => Some((t.h_completed.into(), "good")),
            // Attempts say it in more detail.
            _ => None,
        },
        HistoryKind::AttemptState { state, why } => match state.as_str() {
            "assigned" => {
                let number = history.attempt.map_or(1, |number| number.0);
                (number > 1).then(|| (t.fill(t.h_try, &[&number.to_string()]), ""))
            }
            "handed" => plain(t.h_handed),
            "printing" => plain(t.h_printing),
            "stopped" => Some((t.h_stopped.into(), "bad")),
            "printed" => Some((t.h_printed.into(), "good")),
            "in-doubt" => Some((t.h_in_doubt.into(), "ask")),
            "canceled" => plain(t.h_canceled_at_device),
            "failed-clean" => Some(match trouble_word(why, language) {
                Some(words) => (t.fill(t.h_blocked, &[&words]), "bad"),
                None => (t.fill(t.h_clean, &[why]), "bad"),
            }),
            _ => plain(t.h_unknown),
        },
        HistoryKind::Progress { impressions } => plain(&t.fill(t.h_progress, &[&impressions.to_string()])),
        HistoryKind::Condition { state, reasons, reported } => {
            let state = match state.as_str() {
                "idle" => t.h_idle,
                "processing" => t.h_processing,
                "stopped" => t.h_state_stopped,
                other => other,
            };
            let what = match reasons.as_str() {
                "" | "none" => state.to_owned(),
                reasons => format!("{state} ({})", reasons_words(reasons, language)),
            };
            let text = if *reported { t.h_condition_reported } else { t.h_condition_answered };
            Some((t.fill(text, &[&what]), if state == t.h_state_stopped { "bad" } else { "" }))
        }
        HistoryKind::Changed { what, by } => plain(&t.fill(t.h_changed, &[&changed(what, language), by])),
        HistoryKind::Told { how, .. } => {
            let how = if how == "mail" { t.h_told_mail } else { t.h_told_here };
            plain(&t.fill(t.h_told, &[how]))
        }
        HistoryKind::Duplicate => plain(t.h_duplicate),
        HistoryKind::Unknown => plain(t.h_unknown),
    }
}

/// "printer-state-reasons" in words; where there are none, as they are.
fn reasons_words(reasons: &str, language: Language) -> String {
    let condition = Condition {
        reachability: Reachability::Answering,
        reasons: reasons.split(',').map(str::to_owned).collect(),
        ..Condition::default()
    };
    let troubles = condition.troubles();
    if troubles.is_empty() {
        return reasons.replace(',', ", ");
    }
    let join = if language == Language::En { ", " } else { "、" };
    let words: Vec<String> = troubles.iter().map(|trouble| words::trouble(trouble, language)).collect();
    words.join(join)
}

/// The words of a trouble of which only the keyword was kept.
fn trouble_word(word: &str, language: Language) -> Option<String> {
    use tympan_engine::Trouble;
    let trouble = match word {
        "off" => Trouble::Off,
        "faulty" => return Some(texts(language).state_trouble.into()),
        "no-paper" => Trouble::NoPaper { tray: None, media: None },
        "no-ink" => Trouble::NoInk { color: None },
        "jam" => Trouble::Jam,
        "cover-open" => Trouble::CoverOpen,
        "memory-full" => Trouble::MemoryFull,
        "not-accepting" => Trouble::NotAccepting,
        "stopped" => Trouble::Stopped { reason: String::new() },
        "paused" => Trouble::Paused,
        _ => return None,
    };
    Some(words::trouble(&trouble, language))
}

fn changed(what: &str, language: Language) -> String {
    let t = texts(language);
    let text = match what {
        "cancel" => t.c_cancel,
        "hold" => t.c_hold,
        "unhold" => t.c_unhold,
        "decide" => t.c_decide,
        "keep-until" => t.c_keep,
        "retry-every" => t.c_retry,
        "hold-until" => t.c_hold_until,
        "changed" => t.c_changed,
        "document-canceled" => t.c_document,
        "wrong-pin" => t.c_wrong_pin,
        "closed" => t.c_closed,
        "hold-new" => t.c_hold_new,
        "identify" => t.c_identify,
        "try-now" => t.c_try,
        "pause" => t.c_pause,
        "resume" => t.c_resume,
        "policy" => t.c_policy,
        "describe" => t.c_describe,
        "device" => t.c_device,
        "remove" => t.c_remove,
        "accept" => t.c_accept,
        other => match other.strip_prefix("reprint as ") {
            Some(job) => return t.fill(t.c_reprint, &[job]),
            None => other,
        },
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tympan_engine::registration::parse_span;

    #[test]
    fn a_span_is_read_as_it_was_shown() {
        for span in [1_000, 90_000, 300_000, 3_600_000, 86_400_000, 259_200_000, 93_784_000] {
            for language in [Language::En, Language::Ja] {
                let typed = typed_span(span, language);
                assert_eq!(parse_span(&typed), Some(span), "{typed}");
            }
        }
    }
}
