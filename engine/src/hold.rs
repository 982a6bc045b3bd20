//! Why a job is not printing yet: its own reasons, then its printer's.

use crate::{HoldReason, Job, Printer, Trouble};
use tympan_ipp::JobState;

/// Why a job is not printing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// Its documents are being found and counted.
    Preparing,
    /// It is held.
    Held(HoldReason),
    /// Nobody knows whether it printed.
    InDoubt,
    /// Its printer cannot print it now.
    Trouble(Trouble),
    /// Its printer would not take it, and it is tried again a little later.
    PutBack,
    /// Another job has the printer.
    Behind,
    /// Nothing: it is next.
    Next,
    /// It is being brought to the printer, or printed.
    Printing,
    /// It has ended.
    Over,
}

/// Says what hinders a job: the first of its own reasons, then the printer's.
pub fn hindrance(job: &Job, printer: &Printer) -> Hindrance {
    match job.state {
        JobState::Canceled | JobState::Aborted | JobState::Completed => Hindrance::Over,
        JobState::ProcessingStopped if job.doubt.is_some() => Hindrance::InDoubt,
        JobState::Processing | JobState::ProcessingStopped => match printer.trouble_for(&job.options) {
            Some(trouble) if job.handed && !printer.paused => Hindrance::Trouble(trouble),
            _ => Hindrance::Printing,
        },
        JobState::Pending | JobState::PendingHeld => {
            if let Some(hold) = job.holds.first() {
                Hindrance::Held(*hold)
            } else if !job.ready {
                Hindrance::Preparing
            } else if let Some(trouble) = printer.trouble_for(&job.options) {
                Hindrance::Trouble(trouble)
            } else if job.put_back_until(printer.condition.reported_at).is_some() {
                Hindrance::PutBack
            } else if printer.current.is_some() {
                Hindrance::Behind
            } else {
                Hindrance::Next
            }
        }
    }
}
