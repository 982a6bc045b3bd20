//! Writes one document file: in `tmp` while it is open, under its name once it is sealed.

use super::format::{Encoder, header, tail};
use super::{Folder, file_error};
use crate::StoreError;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use tympan_engine::DocumentId;

/// An open file; removed when it is dropped before it was sealed.
pub(crate) struct FileWriter {
    folder: Arc<Folder>,
    id: DocumentId,
    file: File,
    path: PathBuf,
    making: Making,
    encoder: Encoder,
    sizes: Vec<u32>,
    out: Vec<u8>,
    sealed: bool,
}

/// How a document is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Making {
    /// Whether it is compressed where that makes it smaller.
    pub(crate) compress: bool,
    /// Whether it spares what the set limit keeps free: it comes in, and may be refused.
    pub(crate) spares: bool,
}

impl FileWriter {
    pub(super) fn create(folder: Arc<Folder>, id: DocumentId, making: Making) -> Result<Self, StoreError> {
        let path = folder.open_path(id);
        folder.writing(id, true);
        let failed = |cause| file_error("make a document", cause);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = made.inspect_err(|_| folder.writing(id, false)).map_err(failed)?;
        let encoder = Encoder::new(making.compress);
        let mut writer =
            Self { folder, id, file, path, making, encoder, sizes: Vec::new(), out: Vec::new(), sealed: false };
        writer.file.write_all(&header(id, u8::from(making.compress))).map_err(failed)?;
        Ok(writer)
    }

    /// Appends a frame; every one but the last is full.
    pub(crate) fn frame(&mut self, plain: &[u8]) -> Result<(), StoreError> {
        if self.making.spares && self.sizes.len().is_multiple_of(16) {
            self.folder.room_for(0)?;
        }
        let stored = self.encoder.frame(self.sizes.len() as u64, plain, &mut self.out);
        self.file.write_all(&self.out).map_err(|cause| file_error("write a document", cause))?;
        self.sizes.push(stored);
        Ok(())
    }

    /// Makes it durable, bytes first, then the name.
    pub(crate) fn seal(mut self, octets: u64, sha256: &[u8; 32]) -> Result<(), StoreError> {
        self.folder.check()?;
        let failed = |cause| file_error("write a document", cause);
        self.file.write_all(&tail(&self.sizes, octets, sha256)).map_err(failed)?;
        self.folder.synced(self.file.sync_data())?;
        let path = self.folder.sealed_path(self.id);
        let shard = path.parent().map_or_else(PathBuf::new, PathBuf::from);
        self.folder.make_shard(&shard)?;
        std::fs::rename(&self.path, &path).map_err(|cause| file_error("name a document", cause))?;
        self.sealed = true;
        self.path = path;
        self.folder.synced(File::open(&shard).and_then(|shard| shard.sync_all()))
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        self.folder.writing(self.id, false);
        if !self.sealed {
            match std::fs::remove_file(&self.path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(%error, document = %self.id, "Could not remove an unfinished document")
                }
            }
        }
    }
}
