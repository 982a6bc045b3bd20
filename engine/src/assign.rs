//! Which job a printer gets next, and when to look again.
//!
//! Order: priority, then acceptance. At most one attempt has the device. A device's fault stops all its
//! jobs; a job's own reason lets later jobs pass and it keeps its place. A printer known to be in trouble
//! is asked again for a job that came after it was last asked, and when a retry interval has passed (A11);
//! one failed question stands for all jobs that waited then, so ten thousand of them cost one.

use crate::{Job, Millis, Printer, Timestamp};

/// What a printer should do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Give it this job, by its place in the list that was passed in.
    Job(usize),
    /// Nothing before this instant.
    Later(Timestamp),
    /// Nothing until something changes.
    Nothing,
}

/// The shortest span between two questions to a printer in trouble, in milliseconds.
pub const ASK_AGAIN_MIN: Millis = 1_000;

/// When a waiting job is due at a printer.
pub fn due_at(printer: &Printer, job: &Job) -> Timestamp {
    let ready_at = job.ready_at.unwrap_or(job.created_at);
    let condition = &printer.condition;
    if printer.trouble_for(&job.options).is_none() {
        return job.put_back_until(condition.reported_at).map_or(ready_at, |until| ready_at.max(until));
    }
    match condition.asked_at {
        None => ready_at,
        Some(asked_at) if ready_at > asked_at => {
            // A report may already say what is wrong; a new job asks all the same, but not in a storm.
            ready_at.max(asked_at + ASK_AGAIN_MIN)
        }
        Some(asked_at) => {
            let told_at = condition.reported_at.map_or(asked_at, |reported_at| reported_at.max(asked_at));
            told_at + job.retry_interval_ms
        }
    }
}

/// When a printer that stops all its jobs is asked again, whatever job is first: `ready_at_max` and
/// `retry_interval_min` are over all jobs that wait. `None`: it is in no such trouble, or nothing waits.
pub fn ask_again_at(
    printer: &Printer,
    ready_at_max: Option<Timestamp>,
    retry_interval_min: Option<Millis>,
) -> Option<Timestamp> {
    printer.condition.trouble_for_all()?;
    let asked_at = printer.condition.asked_at?;
    let told_at = printer.condition.reported_at.map_or(asked_at, |reported_at| reported_at.max(asked_at));
    match ready_at_max {
        Some(ready_at) if ready_at > asked_at => Some(ready_at.max(asked_at + ASK_AGAIN_MIN)),
        _ => Some(told_at + retry_interval_min?),
    }
}

/// Picks among waiting jobs, given in order of priority and acceptance.
pub fn pick<'a>(printer: &Printer, jobs: impl IntoIterator<Item = &'a Job>, now: Timestamp) -> Pick {
    if printer.removed || printer.paused || printer.current.is_some() {
        return Pick::Nothing;
    }
    let mut next = None::<Timestamp>;
    for (place, job) in jobs.into_iter().enumerate() {
        if !job.is_waiting() {
            continue;
        }
        let due = due_at(printer, job);
        if due <= now {
            return Pick::Job(place);
        }
        next = Some(next.map_or(due, |next| next.min(due)));
    }
    next.map_or(Pick::Nothing, Pick::Later)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::tests::job;
    use crate::{AttemptNumber, HoldReason, JobEvent, JobUuid, PrinterEvent, PrinterUuid};

    fn printer() -> Printer {
        Printer::new(crate::OwnerId::FIRST, PrinterUuid([2; 16]), "office", "ipp://x/", Timestamp(0))
    }

    #[test]
    fn a15_a_job_with_a_reason_of_its_own_lets_later_jobs_pass() {
        let mut held = job();
        held.apply(JobEvent::Hold(HoldReason::Operator), crate::job::tests::with(), Timestamp(1)).unwrap();
        let mut preparing = job();
        preparing.ready = false;
        assert_eq!(pick(&printer(), [&held, &preparing, &job()], Timestamp(5_000)), Pick::Job(2));
    }

    #[test]
    fn a11_a_printer_that_is_off_is_asked_again_after_the_retry_interval() {
        let mut printer = printer();
        let mut waiting = job();
        waiting.retry_interval_ms = 300_000;
        waiting.ready_at = Some(Timestamp(1_000));
        assert_eq!(pick(&printer, [&waiting], Timestamp(1_000)), Pick::Job(0));
        printer.apply(PrinterEvent::Silent, Timestamp(6_000)).unwrap();
        assert_eq!(pick(&printer, [&waiting], Timestamp(6_001)), Pick::Later(Timestamp(306_000)));
        assert_eq!(pick(&printer, [&waiting], Timestamp(306_000)), Pick::Job(0));
        let mut newer = waiting.clone();
        newer.ready_at = Some(Timestamp(6_500));
        assert_eq!(pick(&printer, [&waiting, &newer], Timestamp(7_000)), Pick::Job(1), "a new job asks once more");
    }

    #[test]
    fn a_printer_that_has_a_job_or_is_paused_gets_none() {
        let mut printer = printer();
        printer.apply(PrinterEvent::Assigned(JobUuid([9; 16]), AttemptNumber(1)), Timestamp(1)).unwrap();
        assert_eq!(pick(&printer, [&job()], Timestamp(5_000)), Pick::Nothing);
        printer.apply(PrinterEvent::Freed(JobUuid([9; 16]), AttemptNumber(1)), Timestamp(1)).unwrap();
        printer.apply(PrinterEvent::Pause, Timestamp(1)).unwrap();
        assert_eq!(pick(&printer, [&job()], Timestamp(5_000)), Pick::Nothing);
    }
}
