//! Records in one SQLite file: WAL, `synchronous=FULL`, one writer thread with group commit, readers inline.
//!
//! Every write goes to the writer thread through a queue; it puts all that has queued up into one
//! transaction, a savepoint each, commits once and then acknowledges each. Reads run on the caller's thread
//! with a connection of their own: each is a short look-up in an index.
//!
//! *Invariant:* nothing is acknowledged before its commit was synced.
//! *Invariant:* an error while writing that leaves it open what is on disk poisons the store: nothing is
//! acknowledged any more until the folder is opened anew.

mod apply;
mod attach;
mod contents;
mod copier;
mod job_ids;
mod put;
mod queries;
mod readers;
mod schema;
mod select;
mod writer;

use crate::{StoreError, SyncFault};
use job_ids::JobIds;
use readers::Readers;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use writer::Request;

/// The file of the records in the data folder.
pub const FILE: &str = "records.sqlite3";

/// How the store uses memory and disk.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// Page cache of the writer, in KiB. Default 8192.
    pub writer_cache_kib: u32,
    /// Page cache of each reader, in KiB. Default 1024.
    pub reader_cache_kib: u32,
    /// Readers that are kept open while nobody reads. Default 4.
    pub idle_readers: usize,
    /// The write-ahead log is copied into the database when it has so many pages of 4 KiB. Default 4096.
    pub wal_pages_max: u32,
    /// How long after a deletion its bytes may stand in the write-ahead log at most, while others write.
    /// Default one second; at rest it is a quarter of it.
    pub purge_after: Duration,
    /// The database takes no more pages of 4 KiB than this; beyond, commits fail with [`StoreError::Full`].
    /// Default none.
    pub pages_max: Option<u32>,
    /// Lets tests break a sync.
    pub sync_fault: Option<SyncFault>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            writer_cache_kib: 8192,
            reader_cache_kib: 1024,
            idle_readers: 4,
            wal_pages_max: 4096,
            purge_after: Duration::from_secs(1),
            pages_max: None,
            sync_fault: None,
        }
    }
}

/// Records in a folder.
///
/// Dropping it writes everything into one file and lets the folder go. A commit that was called is carried
/// out even if its future is dropped.
#[derive(Debug)]
pub struct SqliteStore {
    requests: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
    readers: Readers,
    job_ids: Arc<JobIds>,
    poisoned: Arc<AtomicBool>,
    _lock: File,
}

impl SqliteStore {
    /// Opens the records in a folder, which is made if it does not exist.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another server has it open, [`StoreError::Format`] if a newer version wrote
    /// it or it is not ours.
    pub fn open(dir: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        let lock = attach::claim(dir)?;
        let path = dir.join(FILE);
        let conn = attach::writer(&path, &options)?;
        attach::sync_folder(dir)?;
        let poisoned = Arc::new(AtomicBool::new(false));
        let copier = copier::Copier::start(&path, poisoned.clone())?;
        let readers = Readers::new(path, &options);
        let job_ids = Arc::new(JobIds::default());
        let (requests, queue) = mpsc::channel();
        let writer = writer::Writer::new(conn, copier, queue, job_ids.clone(), poisoned.clone(), options)?;
        let writer = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer.run())
            .map_err(|cause| StoreError::File { doing: "start the writer of the records", cause })?;
        Ok(Self { requests: Some(requests), writer: Some(writer), readers, job_ids, poisoned, _lock: lock })
    }

    fn send(&self, request: Request) {
        // The writer ends only when this sender is dropped; if it died, the reply's sender died with it.
        if let Some(requests) = &self.requests {
            let _ = requests.send(request);
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.readers.close();
        self.requests = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn database(doing: &'static str, cause: rusqlite::Error) -> StoreError {
    StoreError::Database { doing, cause: Box::new(cause) }
}
