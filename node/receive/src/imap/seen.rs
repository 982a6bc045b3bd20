//! Which mails of a mailbox were taken: input and state in, state out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What became of a mail that is still to be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fate {
    /// Its jobs are in the queue, or its command was carried out.
    Taken,
    /// It was refused.
    Refused,
}

/// What is known of a folder. Numbers (UIDs) grow, and mean the same mail as long as the validity is the same
/// (RFC 9051 section 2.3.1.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Seen {
    /// UIDVALIDITY of the folder.
    pub(super) validity: u32,
    /// Mails with smaller numbers are none of ours.
    pub(super) from: u32,
    /// Mails that were taken and are not known to be moved.
    fates: BTreeMap<u32, Fate>,
}

impl Seen {
    pub(super) fn new(validity: u32, from: u32) -> Self {
        Self { validity, from, fates: BTreeMap::new() }
    }

    /// What became of a mail; `None`: it is new.
    pub(super) fn fate(&self, uid: u32) -> Option<Fate> {
        self.fates.get(&uid).copied()
    }

    /// Writes down what became of a mail.
    pub(super) fn note(&mut self, uid: u32, fate: Fate) {
        self.fates.insert(uid, fate);
    }

    /// Forgets mails that are no longer in the folder; whether there were any. No number is given twice.
    pub(super) fn forget_others(&mut self, uids: &[u32]) -> bool {
        let before = self.fates.len();
        self.fates.retain(|uid, _| uids.contains(uid));
        before != self.fates.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_that_was_taken_is_known_until_it_is_moved() {
        let mut seen = Seen::new(7, 3);
        seen.note(4, Fate::Taken);
        seen.note(9, Fate::Refused);
        let stored = serde_json::to_value(&seen).unwrap();
        let mut seen: Seen = serde_json::from_value(stored).unwrap();
        assert_eq!((seen.fate(3), seen.fate(4), seen.fate(9)), (None, Some(Fate::Taken), Some(Fate::Refused)));
        assert!(!seen.forget_others(&[4, 9, 11]));
        assert!(seen.forget_others(&[9]));
        assert_eq!((seen.fate(4), seen.fate(9)), (None, Some(Fate::Refused)));
    }
}
