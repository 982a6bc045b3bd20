//! Records and documents on disk.
//!
//! [`Records`] is the seam: SQLite ([`sqlite`]) and memory ([`memory`]) stand behind it, and one conformance
//! suite (`tests/conformance.rs`) holds for both. A [`Change`] is all or nothing: rows with the versions that
//! were read, history, effects and documents in one commit. Documents of more than 64 KiB are files
//! ([`files`]); smaller ones live in a row of the job's own commit.
//!
//! *Invariant:* bytes before row, row before acknowledgement; row before bytes when deleting.
//! *Invariant:* after a failed sync nothing is acknowledged: every later commit fails with
//! [`StoreError::Poisoned`] and the process restarts.

pub mod change;
pub mod documents;
pub mod error;
pub mod fault;
pub mod files;
mod index;
pub mod memory;
pub mod query;
mod reader;
pub mod record;
pub mod sqlite;
mod writer;

pub use change::{Change, ClaimedEffect, Committed, EffectId, NewDocument, NewEffect};
pub use documents::{DocumentOptions, Documents, Swept};
pub use error::StoreError;
pub use fault::SyncFault;
pub use memory::{MemorySnapshot, MemoryStore};
pub use query::{JobFilter, JobStates, Records, Waiting, WaitingSender, Whose};
pub use reader::DocumentReader;
pub use record::{Key, Received, Record, Version, Versioned};
pub use sqlite::{SqliteOptions, SqliteStore};
pub use writer::DocumentWriter;
