//! Documents of more than 64 KiB: files in the data folder, or in memory for simulation.
//!
//! `tmp/<id>` is open, `documents/<last two digits>/<id>` is sealed, `quarantine/<id>` was found damaged.
//! What is damaged is put aside, never deleted, until its job gives it back: then its time is over as any
//! other's is.

mod folder;
pub(crate) mod format;
mod read;
mod write;

pub(crate) use folder::{Folder, read_only};
pub(crate) use read::FileReader;
pub(crate) use write::{FileWriter, Making};

use crate::StoreError;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tympan_engine::DocumentId;

/// Where documents are kept that are no rows.
#[derive(Debug)]
pub struct FileStore {
    pub(crate) place: Place,
}

#[derive(Debug)]
pub(crate) enum Place {
    Folder(Arc<Folder>),
    Memory(Mutex<BTreeMap<DocumentId, Arc<Vec<Bytes>>>>),
}

pub(crate) type Kept<'a> = MutexGuard<'a, BTreeMap<DocumentId, Arc<Vec<Bytes>>>>;

pub(crate) fn kept(memory: &Mutex<BTreeMap<DocumentId, Arc<Vec<Bytes>>>>) -> Kept<'_> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FileStore {
    /// A file without a name, for plaintext that another process is to read.
    pub(crate) fn nameless(&self) -> Result<File, StoreError> {
        match &self.place {
            Place::Folder(folder) => folder.nameless(),
            Place::Memory(_) => rustix::fs::memfd_create("document", rustix::fs::MemfdFlags::CLOEXEC)
                .map(File::from)
                .map_err(|cause| file_error("make a temporary file", cause.into())),
        }
    }
}

/// A full disk is a full disk, whatever was being done.
pub(crate) fn file_error(doing: &'static str, cause: io::Error) -> StoreError {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::File { doing, cause },
    }
}
