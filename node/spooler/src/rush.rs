//! While many jobs come in at once, taking them goes before looking at them.
//!
//! A sender waits for the answer, and each document that is looked at costs a process of its own: several times
//! what it costs to take a job. So in a rush one document is looked at at a time, with pauses between. It never
//! comes to a standstill: a rush may last for hours.

use std::sync::{Mutex, PoisonError};
use tympan_engine::{Millis, Timestamp};

/// For so long arrivals are counted together, in milliseconds.
const SPAN_MS: Millis = 250;
/// With more jobs than this in a span it is a rush: about as many as two processors could look at meanwhile.
const JOBS_IN_SPAN: u32 = 25;
/// In a rush, a pause is so many times as long as the work before it, and never longer than a span.
const PAUSE_FACTOR: u64 = 4;

/// Counts what comes in.
#[derive(Debug, Default)]
pub(crate) struct Rush {
    counted: Mutex<Counted>,
}

/// Arrivals of the span that began at `since`, and of the one before it.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    since: Timestamp,
    before: u32,
    now: u32,
}

impl Counted {
    /// As it is at a later time. A clock that was set back begins anew.
    fn at(self, now: Timestamp) -> Self {
        let passed = now.0.checked_sub(self.since.0).map_or(u64::MAX, |ms| ms / SPAN_MS);
        let before = match passed {
            0 => return self,
            1 => self.now,
            _ => 0,
        };
        Self { since: Timestamp(now.0 - now.0 % SPAN_MS), before, now: 0 }
    }
}

impl Rush {
    /// So many jobs came in.
    pub(crate) fn came(&self, jobs: u32, now: Timestamp) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        *counted = counted.at(now);
        counted.now = counted.now.saturating_add(jobs);
    }

    /// Whether jobs come in faster than they can be looked at.
    pub(crate) fn is_on(&self, now: Timestamp) -> bool {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner).at(now);
        counted.before.max(counted.now) > JOBS_IN_SPAN
    }
}

/// How long to pause in a rush after work of so many milliseconds.
pub(crate) fn pause_ms(worked: Millis) -> Millis {
    worked.saturating_mul(PAUSE_FACTOR).min(SPAN_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rush_is_more_than_can_be_looked_at_and_ends_by_itself() {
        let rush = Rush::default();
        let at = |ms| Timestamp(1_000_000 + ms);
        assert!(!rush.is_on(at(0)));
        rush.came(JOBS_IN_SPAN, at(10));
        assert!(!rush.is_on(at(10)));
        rush.came(1, at(20));
        assert!(rush.is_on(at(20)));
        assert!(rush.is_on(at(20 + SPAN_MS)), "the span before counts too");
        assert!(!rush.is_on(at(20 + 2 * SPAN_MS)));
    }

    #[test]
    fn a_steady_stream_that_can_be_looked_at_is_no_rush() {
        let rush = Rush::default();
        for n in 0..100 {
            rush.came(1, Timestamp(n * SPAN_MS / u64::from(JOBS_IN_SPAN)));
            assert!(!rush.is_on(Timestamp(n * SPAN_MS / u64::from(JOBS_IN_SPAN))));
        }
    }

    #[test]
    fn a_clock_that_was_set_back_ends_a_rush() {
        let rush = Rush::default();
        rush.came(1000, Timestamp(1_000_000));
        assert!(!rush.is_on(Timestamp(10)));
    }

    #[test]
    fn a_pause_grows_with_the_work_and_has_an_end() {
        assert_eq!(pause_ms(0), 0);
        assert_eq!(pause_ms(10), 40);
        assert_eq!(pause_ms(60_000), SPAN_MS);
    }
}
