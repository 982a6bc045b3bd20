//! Job-ids: a durable counter per printer, taken from it in blocks so that most cost no commit.
//!
//! What is skipped after a crash is at most one block; after a clean end nothing is.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tympan_engine::{JobId, OwnerId, PrinterUuid};

/// Most ids taken ahead.
const AHEAD_MAX: u32 = 64;

pub(super) type Counter = (OwnerId, PrinterUuid);

#[derive(Clone, Copy, Debug, Default)]
struct Block {
    next: u32,
    end: u32,
    ahead: u32,
}

#[derive(Debug, Default)]
pub(super) struct JobIds {
    blocks: Mutex<HashMap<Counter, Block>>,
}

impl JobIds {
    fn blocks(&self) -> std::sync::MutexGuard<'_, HashMap<Counter, Block>> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes ids that are durably ours already.
    pub(super) fn take(&self, counter: Counter, count: u32) -> Option<JobId> {
        let mut blocks = self.blocks();
        let block = blocks.get_mut(&counter)?;
        if block.end - block.next < count {
            return None;
        }
        let first = block.next;
        block.next += count;
        Some(JobId(first))
    }

    /// How many to take ahead of what is asked for now; more each time.
    pub(super) fn ahead(&self, counter: Counter) -> u32 {
        let mut blocks = self.blocks();
        let block = blocks.entry(counter).or_default();
        let ahead = block.ahead;
        block.ahead = (ahead * 2).clamp(1, AHEAD_MAX);
        ahead
    }

    /// The counter durably stands at `end` now, having grown by `grown`; takes `count` ids, no more than that,
    /// and returns the first.
    pub(super) fn extend(&self, counter: Counter, end: u32, grown: u32, count: u32) -> u32 {
        let mut blocks = self.blocks();
        let block = blocks.entry(counter).or_default();
        if block.end + grown != end {
            block.next = end - grown;
        }
        block.end = end;
        let first = block.next;
        block.next += count;
        first
    }

    /// What was taken and not given out: counter, next, end.
    pub(super) fn unused(&self) -> Vec<(Counter, u32, u32)> {
        let blocks = self.blocks();
        let unused = blocks.iter().filter(|(_, block)| block.next < block.end);
        unused.map(|(counter, block)| (*counter, block.next, block.end)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_in_order_across_blocks() {
        let ids = JobIds::default();
        let counter = (OwnerId::FIRST, PrinterUuid([1; 16]));
        assert_eq!(ids.take(counter, 1), None);
        assert_eq!(ids.ahead(counter), 0);
        assert_eq!(ids.extend(counter, 11, 4, 1), 7);
        assert_eq!(ids.take(counter, 2), Some(JobId(8)));
        assert_eq!(ids.take(counter, 2), None);
        assert_eq!(ids.ahead(counter), 1);
        assert_eq!(ids.extend(counter, 14, 3, 2), 10);
        assert_eq!(ids.take(counter, 3), None);
        assert_eq!(ids.take(counter, 2), Some(JobId(12)));
        assert!(ids.unused().is_empty());
    }
}
