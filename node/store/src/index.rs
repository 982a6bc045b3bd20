//! What both stores find rows by, derived from the records in one place, so that they cannot differ.

use crate::{Record, StoreError};
use tympan_engine::{Effect, Job, Timestamp};

/// What a job is found by, beside its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JobPlace {
    /// It has ended.
    pub(crate) over: bool,
    /// It is pending and ready.
    pub(crate) waiting: bool,
    /// It is in doubt.
    pub(crate) in_doubt: bool,
    /// When something is due for it: see `tympan_engine::retain::due`.
    pub(crate) due_at: Option<Timestamp>,
    /// Since when it has been history only: ended, and holding on to no document.
    pub(crate) ended_at: Option<Timestamp>,
}

impl JobPlace {
    pub(crate) fn of(job: &Job) -> Self {
        let over = job.is_over();
        // Marked as expired while it was handed over: its attempt decides, no timer does.
        let due = !job.content_deleted && (over || !job.expired);
        let history = over && (job.content_deleted || job.stored().is_empty());
        Self {
            over,
            waiting: job.is_waiting(),
            in_doubt: job.doubt.is_some() && !over,
            due_at: due.then_some(job.due_at()),
            ended_at: job.completed_at.filter(|_| history),
        }
    }
}

/// Names are compared without regard to case.
pub(crate) fn fold(name: &str) -> String {
    name.to_lowercase()
}

/// The effects that are stored, by the name in their serialised `effect` tag.
pub(crate) const EFFECT_KINDS: [&str; 8] =
    ["inspect", "store", "deliver", "follow", "cancel-at-device", "notify", "mail", "release"];

/// The name of an effect's kind; `None` for hints, which are not stored.
pub(crate) const fn effect_kind(effect: &Effect) -> Option<&'static str> {
    match effect {
        Effect::Inspect { .. } => Some("inspect"),
        Effect::Store { .. } => Some("store"),
        Effect::Deliver { .. } => Some("deliver"),
        Effect::Follow { .. } => Some("follow"),
        Effect::CancelAtDevice { .. } => Some("cancel-at-device"),
        Effect::Notify { .. } => Some("notify"),
        Effect::Mail { .. } => Some("mail"),
        Effect::Release { .. } => Some("release"),
        Effect::Wake { .. } => None,
    }
}

/// What is said when a record would break a rule of uniqueness.
pub(crate) fn exists(record: &Record) -> StoreError {
    StoreError::Exists(match record {
        Record::Registration(_) => "a registration of this sender at this printer".into(),
        Record::Printer(printer) => format!("a printer named {}", printer.name),
        Record::Account(_) => "an account with this name".into(),
        Record::Job(job) => format!("job {} at this printer", job.id.0),
        _ => "this row".into(),
    })
}

/// How many rows a query gives: what was asked for, within bounds.
pub(crate) fn bounded(limit: usize) -> usize {
    match limit {
        0 => 100,
        more => more.min(10_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tympan_engine::{AttemptNumber, JobUuid, NoticeKind, PrinterUuid};

    #[test]
    fn the_kind_of_an_effect_is_its_serialised_tag() {
        let job = JobUuid([1; 16]);
        let attempt = AttemptNumber(1);
        let effects = [
            Effect::Inspect { job },
            Effect::Store { job },
            Effect::Deliver { job, attempt },
            Effect::Follow { job, attempt },
            Effect::CancelAtDevice { job, attempt },
            Effect::Notify { job, kind: NoticeKind::Printed },
            Effect::Mail { to: String::new(), subject: String::new(), text: String::new(), in_reply_to: None },
            Effect::Release { documents: Vec::new() },
        ];
        for (effect, kind) in effects.iter().zip(EFFECT_KINDS) {
            assert_eq!(effect_kind(effect), Some(kind));
            assert_eq!(serde_json::to_value(effect).unwrap()["effect"], kind);
        }
        assert_eq!(effect_kind(&Effect::Wake { printer: PrinterUuid([1; 16]) }), None);
    }
}
