//! One commit: all of it or nothing.

use crate::{Key, Record, Version};
use bytes::Bytes;
use tympan_engine::{DocumentId, Effect, History, Timestamp};

/// The number of a stored effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EffectId(pub u64);

/// An effect to be stored with a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEffect {
    /// What is to be done.
    pub effect: Effect,
    /// Not before then.
    pub due_at: Timestamp,
}

/// An effect that somebody claimed with a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedEffect {
    /// Its number.
    pub id: EffectId,
    /// What is to be done.
    pub effect: Effect,
    /// How often it was claimed before.
    pub tries: u32,
}

/// A document whose bytes are safe already (a sealed file) or come with this commit (inline).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDocument {
    /// Its id.
    pub id: DocumentId,
    /// Size of the plaintext in octets.
    pub octets: u64,
    /// SHA-256 of the plaintext.
    pub sha256: [u8; 32],
    /// The bytes, up to 64 KiB; `None`: they are in a sealed file.
    pub inline: Option<Bytes>,
    /// How many jobs point to it.
    pub refs: u32,
}

/// One commit.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Rows that must still have the version they were read at, without being written.
    pub expect: Vec<(Key, Version)>,
    /// Rows to write, each with the version it was read at (0: it must not exist).
    pub put: Vec<(Record, Version)>,
    /// Rows to delete; no error if they do not exist.
    pub delete: Vec<Key>,
    /// History to append.
    pub history: Vec<History>,
    /// Effects to store ([`Effect::Wake`] is a hint and never stored).
    pub effects: Vec<NewEffect>,
    /// Effects that were performed.
    pub done: Vec<EffectId>,
    /// Effects to be tried again, and when.
    pub again: Vec<(EffectId, Timestamp)>,
    /// New documents.
    pub documents: Vec<NewDocument>,
    /// Documents that one more (+1) or one less (-1) job points to. At zero the writer marks the document as
    /// deleting and removes its bytes after the commit; this repeats after a crash.
    pub refs: Vec<(DocumentId, i32)>,
}

impl Change {
    /// Whether nothing would be written.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty()
            && self.delete.is_empty()
            && self.history.is_empty()
            && self.effects.is_empty()
            && self.done.is_empty()
            && self.again.is_empty()
            && self.documents.is_empty()
            && self.refs.is_empty()
    }
}

/// What came of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Grows with every commit; what was read at a smaller number may be old.
    pub sequence: u64,
}
