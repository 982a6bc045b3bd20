//! Copies the write-ahead log into the database while the writer goes on, so that the writer itself has only
//! the rest to copy when it starts the log again.

use super::attach;
use super::select::one;
use crate::StoreError;
use rusqlite::{Connection, ffi};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;

const IDLE: u8 = 0;
const COPYING: u8 = 1;
const COPIED: u8 = 2;

#[derive(Debug)]
pub(super) struct Copier {
    wanted: Option<mpsc::Sender<()>>,
    state: Arc<AtomicU8>,
    thread: Option<JoinHandle<()>>,
}

impl Copier {
    pub(super) fn start(path: &Path, poisoned: Arc<AtomicBool>) -> Result<Self, StoreError> {
        let conn = attach::copier(path)?;
        let (wanted, asked) = mpsc::channel();
        let state = Arc::new(AtomicU8::new(IDLE));
        let done = state.clone();
        let thread = std::thread::Builder::new()
            .name("store-copier".into())
            .spawn(move || {
                for () in asked {
                    copy(&conn, "PRAGMA wal_checkpoint(PASSIVE)", &poisoned);
                    done.store(COPIED, Ordering::Release);
                }
            })
            .map_err(|cause| StoreError::File { doing: "start the copier of the log", cause })?;
        Ok(Self { wanted: Some(wanted), state, thread: Some(thread) })
    }

    /// Begins to copy, unless it is at it.
    pub(super) fn begin(&self) {
        let started = self.state.compare_exchange(IDLE, COPYING, Ordering::AcqRel, Ordering::Acquire);
        if let (Ok(_), Some(wanted)) = (started, &self.wanted) {
            let _ = wanted.send(());
        }
    }

    /// Whether it has copied since this was last asked.
    pub(super) fn has_copied(&self) -> bool {
        self.state.compare_exchange(COPIED, IDLE, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Drop for Copier {
    fn drop(&mut self) {
        self.wanted = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Runs a checkpoint; whether the whole log was copied. What fails to be written poisons the store.
pub(super) fn copy(conn: &Connection, sql: &str, poisoned: &AtomicBool) -> bool {
    if poisoned.load(Ordering::Acquire) {
        return false;
    }
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
    match one(conn, sql, [], read) {
        Ok(Some((busy, in_log, copied))) => busy == 0 && in_log == copied,
        Ok(None) => false,
        Err(cause) => {
            match cause.sqlite_error().map(|error| error.extended_code & 0xff) {
                Some(ffi::SQLITE_BUSY) => {}
                Some(ffi::SQLITE_FULL) => tracing::warn!("The disk of the data folder is full"),
                _ => {
                    tracing::error!(error = %cause, "Could not write to the data folder; the server has to restart");
                    poisoned.store(true, Ordering::Release);
                }
            }
            false
        }
    }
}
