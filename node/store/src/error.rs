//! What may go wrong with the store.

use crate::Key;
use std::io;
use std::path::PathBuf;
use tympan_engine::DocumentId;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else changed a row since it was read; read again and apply again.
    #[error("{0:?} was changed by somebody else")]
    Conflict(Key),
    /// A rule of uniqueness would be broken (a registration's pair, a printer's or an account's name).
    #[error("{0} exists already")]
    Exists(String),
    /// The disk is full, or fuller than the set limit.
    #[error("the disk is full")]
    Full,
    /// A sync failed before; nothing is acknowledged until the process has restarted.
    #[error("the disk failed a sync; the server has to restart")]
    Poisoned,
    /// The bytes of a document are not what was written.
    #[error("document {id} is damaged at octet {offset}")]
    Damaged {
        /// The document.
        id: DocumentId,
        /// Where.
        offset: u64,
    },
    /// No such document.
    #[error("document {0} does not exist")]
    NoDocument(DocumentId),
    /// The data folder was written by a newer version, or is no data folder.
    #[error("the data folder has format {found}; this version knows up to {known}")]
    Format {
        /// What stands there.
        found: i64,
        /// What this version knows.
        known: i64,
    },
    /// Another server works in the data folder.
    #[error("the data folder {} is used by another server; stop it first", dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// The database said no.
    #[error("the database failed to {doing}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file said no.
    #[error("could not {doing}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl StoreError {
    /// Whether reading and applying again may help at once.
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}
