//! The switch with which an owner turns the service off and on, and what becomes of new jobs meanwhile (E02, E06-E08).

use crate::{Millis, Timestamp};
use serde::{Deserialize, Serialize};

/// How long new jobs are taken while the service is off, unless the owner says otherwise, in milliseconds (E08).
pub const KEEP_FOR: Millis = crate::time::HOUR;
/// The longest such span, in milliseconds.
pub const KEEP_FOR_MAX: Millis = 30 * crate::time::DAY;

/// What becomes of new jobs while the service is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhileOff {
    /// They are taken, and printed when it is on again (E07).
    #[default]
    Keep,
    /// They are refused at once (E06).
    Refuse,
    /// They are taken as long as it has not been off for so many milliseconds, and refused then (E08).
    KeepFor(Millis),
}

/// The service is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Off {
    /// Since when.
    pub since: Timestamp,
    /// What becomes of new jobs.
    pub jobs: WhileOff,
}

impl Off {
    /// From when on new jobs are refused; `None`: never.
    pub fn refuses_from(&self) -> Option<Timestamp> {
        match self.jobs {
            WhileOff::Keep => None,
            WhileOff::Refuse => Some(self.since),
            WhileOff::KeepFor(span) => Some(self.since + span),
        }
    }

    /// Whether new jobs are taken.
    pub fn accepts(&self, now: Timestamp) -> bool {
        self.refuses_from().is_none_or(|from| now < from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e06_e07_e08_new_jobs_are_refused_kept_or_kept_for_a_while() {
        let off = |jobs| Off { since: Timestamp(1_000), jobs };
        for (jobs, at, accepts) in [
            (WhileOff::Refuse, 1_000, false),
            (WhileOff::Keep, u64::MAX, true),
            (WhileOff::KeepFor(500), 1_499, true),
            (WhileOff::KeepFor(500), 1_500, false),
        ] {
            assert_eq!(off(jobs).accepts(Timestamp(at)), accepts, "{jobs:?} at {at}");
        }
    }
}
