//! Mails that could not be dealt with, and when each is tried again: less and less often, and others go first.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// Mails that are late, by number.
#[derive(Debug)]
pub(super) struct Late {
    first: Duration,
    most: Duration,
    mails: BTreeMap<u32, One>,
}

#[derive(Clone, Copy, Debug)]
struct One {
    since: Instant,
    due: Instant,
    wait: Duration,
}

impl Late {
    /// The first and the longest span between two tries.
    pub(super) const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, mails: BTreeMap::new() }
    }

    /// A mail was tried in vain.
    pub(super) fn note(&mut self, uid: u32, now: Instant) {
        let before = self.mails.get(&uid).copied();
        let wait = before.map_or(self.first, |one| (one.wait * 2).min(self.most));
        self.mails.insert(uid, One { since: before.map_or(now, |one| one.since), due: now + wait, wait });
    }

    /// A mail is dealt with.
    pub(super) fn forget(&mut self, uid: u32) {
        self.mails.remove(&uid);
    }

    /// Forgets mails that are no longer in the folder.
    pub(super) fn forget_others(&mut self, uids: &[u32]) {
        self.mails.retain(|uid, _| uids.contains(uid));
    }

    /// Whether it is time for a mail.
    pub(super) fn is_due(&self, uid: u32, now: Instant) -> bool {
        self.mails.get(&uid).is_none_or(|one| one.due <= now)
    }

    /// For how long a mail has been late.
    pub(super) fn since(&self, uid: u32, now: Instant) -> Duration {
        self.mails.get(&uid).map_or(Duration::ZERO, |one| now - one.since)
    }

    /// When the next of them is due.
    pub(super) fn next_in(&self, now: Instant) -> Option<Duration> {
        self.mails.values().map(|one| one.due.saturating_duration_since(now)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_mail_is_tried_less_and_less_often_and_others_at_once() {
        let second = Duration::from_secs(1);
        let mut late = Late::new(second, 5 * second);
        let start = Instant::now();
        assert!(late.is_due(7, start) && late.next_in(start).is_none());
        let mut now = start;
        for wait in [1, 2, 4, 5, 5] {
            late.note(7, now);
            assert_eq!(late.next_in(now), Some(wait * second));
            assert!(!late.is_due(7, now) && late.is_due(8, now) && late.is_due(7, now + wait * second));
            now += wait * second;
        }
        assert_eq!(late.since(7, now), now - start);
        late.forget_others(&[8]);
        assert!(late.is_due(7, now) && late.since(7, now).is_zero());
    }
}
