//! How long a job and its data are kept (A12).

use crate::{HoldReason, Job, JobEvent, Millis, Printer, Registration, Timestamp};

/// How long history is kept: ninety days, in milliseconds.
pub const HISTORY_MS: Millis = 90 * crate::time::DAY;

/// What is due for a job at `now`, if anything.
pub fn due(job: &Job, now: Timestamp) -> Option<JobEvent> {
    if job.content_deleted || now < job.due_at() {
        return None;
    }
    if now < job.keep_until {
        // What came is printed, although its sender did not say that it was all.
        let late = job.incoming.is_some_and(|incoming| incoming.until <= now);
        return Some(if late { JobEvent::Closed } else { JobEvent::Unhold(HoldReason::Time) });
    }
    if job.is_over() {
        return Some(JobEvent::DropContent);
    }
    (!job.expired).then_some(JobEvent::Expire)
}

/// How long a waiting job of this registration is kept, in milliseconds.
pub fn retention(printer: &Printer, registration: Option<&Registration>) -> Millis {
    registration.and_then(|registration| registration.retention_ms).unwrap_or(printer.policy.retention_ms)
}

/// How often a waiting job of this registration is tried again, in milliseconds.
pub fn retry_interval(printer: &Printer, registration: Option<&Registration>) -> Millis {
    registration.and_then(|registration| registration.retry_interval_ms).unwrap_or(printer.policy.retry_interval_ms)
}

/// What a changed retention does to a job that waits already: `None` where the printer's policy leaves
/// such jobs alone, or the job has ended.
pub fn follow(job: &Job, printer: &Printer, retention: Millis) -> Option<JobEvent> {
    (printer.policy.retention_follows && !job.is_over()).then(|| JobEvent::KeepUntil(job.created_at + retention))
}

/// Whether a job has ended so long ago that its row goes too.
pub fn is_history(job: &Job, now: Timestamp) -> bool {
    job.completed_at.is_some_and(|at| now.since(at) >= HISTORY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::tests::{job, with};
    use crate::{Effect, NoticeKind};

    #[test]
    fn a12_a_stored_job_is_deleted_when_its_time_has_passed() {
        let mut job = job();
        job.keep_until = Timestamp(5_000);
        assert_eq!(due(&job, Timestamp(4_999)), None);
        let event = due(&job, Timestamp(5_000)).unwrap();
        let effects = job.apply(event, with(), Timestamp(5_000)).unwrap();
        assert!(effects.contains(&Effect::Notify { job: job.uuid, kind: NoticeKind::Expired }));
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Release { documents } if documents.len() == 1)));
        assert!(job.content_deleted);
        assert_eq!(due(&job, Timestamp(9_000)), None);
    }

    #[test]
    fn a12_whether_waiting_jobs_follow_a_changed_limit_is_a_setting() {
        let mut printer = Printer::new(crate::OwnerId::FIRST, crate::PrinterUuid([2; 16]), "office", "x", Timestamp(0));
        let job = job();
        assert_eq!(follow(&job, &printer, 77), Some(JobEvent::KeepUntil(job.created_at + 77)));
        printer.policy.retention_follows = false;
        assert_eq!(follow(&job, &printer, 77), None);
    }
}
