//! The part of the data folder that holds documents.

use super::{FileReader, FileWriter, Making, file_error};
use crate::fault::SyncFault;
use crate::{NewDocument, StoreError};
use rustix::fs::{Mode, OFlags};
use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tympan_engine::{DocumentId, Millis, Timestamp};

/// Least room that is left free by default: one GiB.
const RESERVE_MIN: u64 = 1 << 30;

#[derive(Debug)]
pub(crate) struct Folder {
    dir: PathBuf,
    reserve: Option<u64>,
    poisoned: AtomicBool,
    struck: tokio::sync::Notify,
    fault: Option<SyncFault>,
    /// Documents that are being written: not to be swept.
    writing: Mutex<BTreeSet<DocumentId>>,
}

impl Folder {
    pub(crate) fn open(dir: &Path, reserve: Option<u64>, fault: Option<SyncFault>) -> Result<Self, StoreError> {
        for name in ["documents", "tmp", "quarantine"] {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir.join(name))
                .map_err(|cause| file_error("make the data folder", cause))?;
        }
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(|cause| file_error("sync the data folder", cause))?;
        let (dir, poisoned) = (dir.to_path_buf(), AtomicBool::new(false));
        Ok(Self { dir, reserve, poisoned, struck: tokio::sync::Notify::new(), fault, writing: Mutex::default() })
    }

    pub(crate) fn create(self: Arc<Self>, id: DocumentId, making: Making) -> Result<FileWriter, StoreError> {
        FileWriter::create(self, id, making)
    }

    /// Notes that a document is being written, or is not any more.
    pub(crate) fn writing(&self, id: DocumentId, writing: bool) {
        let mut open = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if writing {
            open.insert(id)
        } else {
            open.remove(&id)
        };
    }

    pub(super) fn open_path(&self, id: DocumentId) -> PathBuf {
        self.dir.join("tmp").join(id.to_string())
    }

    pub(super) fn sealed_path(&self, id: DocumentId) -> PathBuf {
        self.dir.join("documents").join(format!("{:02x}", id.0[15])).join(id.to_string())
    }

    fn quarantine_path(&self, id: DocumentId) -> PathBuf {
        self.dir.join("quarantine").join(id.to_string())
    }

    pub(super) fn make_shard(&self, shard: &Path) -> Result<(), StoreError> {
        match DirBuilder::new().mode(0o700).create(shard) {
            Ok(()) => self.synced(File::open(self.dir.join("documents")).and_then(|dir| dir.sync_all())),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(cause) => Err(file_error("make a folder for documents", cause)),
        }
    }

    /// Judges a sync: after one that failed, nothing here is acknowledged any more.
    pub(super) fn synced(&self, result: io::Result<()>) -> Result<(), StoreError> {
        let struck = self.fault.as_ref().is_some_and(SyncFault::strikes);
        let result = if struck { Err(io::Error::other("a test broke this sync")) } else { result };
        result.map_err(|error| {
            tracing::error!(%error, "Could not sync the data folder; the server has to restart");
            self.poisoned.store(true, Ordering::Release);
            self.struck.notify_waiters();
            StoreError::Poisoned
        })
    }

    /// Waits for a failed sync.
    pub(crate) async fn poisoned(&self) -> StoreError {
        loop {
            let struck = self.struck.notified();
            if let Err(error) = self.check() {
                return error;
            }
            struck.await;
        }
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.poisoned.load(Ordering::Acquire) { Err(StoreError::Poisoned) } else { Ok(()) }
    }

    /// Octets that are free, and octets that are to stay free.
    pub(crate) fn space(&self) -> Result<(u64, u64), StoreError> {
        let disk = rustix::fs::statvfs(&self.dir).map_err(|cause| file_error("ask for free space", cause.into()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let twentieth = disk.f_blocks.saturating_mul(disk.f_frsize) / 20;
        Ok((free, self.reserve.unwrap_or(twentieth.max(RESERVE_MIN))))
    }

    pub(crate) fn room_for(&self, octets: u64) -> Result<(), StoreError> {
        if self.reserve == Some(0) && octets == 0 {
            return Ok(());
        }
        let (free, reserve) = self.space()?;
        if free < octets.saturating_add(reserve) { Err(StoreError::Full) } else { Ok(()) }
    }

    /// Opens a sealed document; puts it aside if it is damaged.
    pub(crate) fn read(&self, document: &NewDocument) -> Result<FileReader, StoreError> {
        let opened = FileReader::open(&self.sealed_path(document.id), document.id, document.octets, &document.sha256);
        self.judged(document.id, opened)
    }

    /// Puts a document aside if reading it found it damaged.
    pub(crate) fn judged<T>(&self, id: DocumentId, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Damaged { offset, .. }) = &result {
            let moved = std::fs::rename(self.sealed_path(id), self.quarantine_path(id));
            match moved {
                Ok(()) => tracing::error!(document = %id, offset, "Put a damaged document aside"),
                Err(error) => {
                    tracing::error!(%error, document = %id, offset, "A document is damaged or missing")
                }
            }
        }
        result
    }

    pub(super) fn nameless(&self) -> Result<File, StoreError> {
        let failed = |cause| file_error("make a temporary file", cause);
        let tmp = self.dir.join("tmp");
        let mode = Mode::RUSR | Mode::WUSR;
        match rustix::fs::open(&tmp, OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, mode) {
            Ok(file) => Ok(file.into()),
            // Not every file system can; a name that lives for a moment does it too.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR | rustix::io::Errno::INVAL) => {
                let mut random = [0; 16];
                getrandom::fill(&mut random).map_err(|_| failed(io::Error::other("no random bytes")))?;
                let path = tmp.join(DocumentId(random).to_string());
                let mut options = OpenOptions::new();
                let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
                std::fs::remove_file(&path).map_err(failed)?;
                Ok(file)
            }
            Err(cause) => Err(failed(cause.into())),
        }
    }

    /// Removes the bytes of documents, wherever they are, durably.
    pub(crate) fn remove(&self, ids: &[DocumentId]) -> Result<(), StoreError> {
        let mut touched = BTreeSet::new();
        for id in ids {
            for path in [self.sealed_path(*id), self.quarantine_path(*id)] {
                match std::fs::remove_file(&path) {
                    Ok(()) => {
                        touched.extend(path.parent().map(PathBuf::from));
                    }
                    Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                    Err(cause) => return Err(file_error("remove a document", cause)),
                }
            }
        }
        touched.iter().try_for_each(|dir| self.synced(File::open(dir).and_then(|dir| dir.sync_all())))
    }

    /// Removes what was open when the process died.
    pub(crate) fn sweep_open(&self) -> Result<u64, StoreError> {
        let failed = |cause| file_error("sweep temporary files", cause);
        let mut swept = 0;
        for entry in std::fs::read_dir(self.dir.join("tmp")).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let id = entry.file_name().to_str().and_then(DocumentId::parse);
            let open = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            if id.is_some_and(|id| open.contains(&id)) {
                continue;
            }
            match std::fs::remove_file(entry.path()) {
                Ok(()) => swept += 1,
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                Err(cause) => return Err(failed(cause)),
            }
        }
        Ok(swept)
    }

    /// Sealed documents that have been there for so long.
    pub(crate) fn older_than(&self, now: Timestamp, age_ms: Millis) -> Result<Vec<DocumentId>, StoreError> {
        let failed = |cause| file_error("sweep documents", cause);
        let before = SystemTime::UNIX_EPOCH + Duration::from_millis((now - age_ms).0);
        let mut old = Vec::new();
        for shard in std::fs::read_dir(self.dir.join("documents")).map_err(failed)? {
            for entry in std::fs::read_dir(shard.map_err(failed)?.path()).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let Some(id) = entry.file_name().to_str().and_then(DocumentId::parse) else {
                    continue;
                };
                let written = match entry.metadata().and_then(|data| data.modified()) {
                    Ok(written) => written,
                    Err(cause) if cause.kind() == io::ErrorKind::NotFound => continue,
                    Err(cause) => return Err(failed(cause)),
                };
                if written <= before {
                    old.push(id);
                }
            }
        }
        old.sort_unstable();
        Ok(old)
    }
}

/// The same file, opened so that it can only be read.
pub(crate) fn read_only(file: File) -> File {
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap_or(file)
}
