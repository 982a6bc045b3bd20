//! Connections for reading, as many as threads read at the same time.

use super::{SqliteOptions, attach, database};
use crate::StoreError;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

pub(super) struct Readers {
    path: PathBuf,
    cache_kib: u32,
    idle_max: usize,
    idle: Mutex<Vec<Connection>>,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Readers {
    pub(super) fn new(path: PathBuf, options: &SqliteOptions) -> Self {
        Self { path, cache_kib: options.reader_cache_kib, idle_max: options.idle_readers, idle: Mutex::default() }
    }

    /// Reads with a connection that nobody else uses meanwhile.
    pub(super) fn with<T>(
        &self,
        doing: &'static str,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let failed = |cause| database(doing, cause);
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match idle {
            Some(conn) => conn,
            None => attach::reader(&self.path, self.cache_kib).map_err(failed)?,
        };
        let result = read(&conn).map_err(failed);
        if result.is_ok() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < self.idle_max {
                idle.push(conn);
            }
        }
        result
    }

    pub(super) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
