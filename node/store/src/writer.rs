//! Writes one document as it arrives.

use crate::documents::blocking;
use crate::files::format::FRAME;
use crate::files::{FileStore, FileWriter, Making, Place, kept};
use crate::{NewDocument, StoreError};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tympan_engine::DocumentId;

/// Octets that are gathered before a thread is asked to write them: four frames, each call of a thread has its price.
const GATHER: usize = 4 * FRAME;

/// A document that is being written. At most 256 KiB of it are in memory. Dropped before it is finished, it
/// leaves nothing behind.
pub struct DocumentWriter {
    files: Arc<FileStore>,
    id: DocumentId,
    inline_max: usize,
    making: Making,
    octets: u64,
    digest: Sha256,
    buffer: Vec<u8>,
    spilled: Spilled,
}

/// What was written beyond the buffer.
enum Spilled {
    Nothing,
    Memory(Vec<Bytes>),
    File(Box<FileWriter>),
    /// A write failed, or was given up in the middle.
    Lost,
}

impl std::fmt::Debug for DocumentWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DocumentWriter").field("id", &self.id).field("octets", &self.octets).finish_non_exhaustive()
    }
}

impl DocumentWriter {
    pub(crate) fn new(files: Arc<FileStore>, id: DocumentId, inline_max: usize, making: Making) -> Self {
        let inline_max = inline_max.min(FRAME);
        let (digest, buffer) = (Sha256::new(), Vec::new());
        Self { files, id, inline_max, making, octets: 0, digest, buffer, spilled: Spilled::Nothing }
    }

    /// Its id.
    pub const fn id(&self) -> DocumentId {
        self.id
    }

    /// Octets written so far.
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Appends to the document.
    ///
    /// # Errors
    /// [`StoreError::Full`], or what the disk says; the document is lost then.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        self.digest.update(bytes);
        self.octets += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.buffer.len() == GATHER {
                self.spill().await?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(GATHER - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Writes the buffer as frames, the last of which may be short only at the end of the document.
    async fn spill(&mut self) -> Result<(), StoreError> {
        let gathered = std::mem::take(&mut self.buffer);
        let before = std::mem::replace(&mut self.spilled, Spilled::Lost);
        if let Place::Memory(_) = &self.files.place {
            let mut frames = match before {
                Spilled::Memory(frames) => frames,
                Spilled::Nothing => Vec::new(),
                Spilled::Lost | Spilled::File(_) => return Err(lost()),
            };
            frames.extend(gathered.chunks(FRAME).map(Bytes::copy_from_slice));
            self.spilled = Spilled::Memory(frames);
            return Ok(());
        }
        let (files, id, making) = (self.files.clone(), self.id, self.making);
        let (file, mut gathered) = blocking(move || {
            let mut file = match before {
                Spilled::File(file) => file,
                Spilled::Nothing => create(&files, id, making)?,
                Spilled::Lost | Spilled::Memory(_) => return Err(lost()),
            };
            for frame in gathered.chunks(FRAME) {
                file.frame(frame)?;
            }
            Ok((file, gathered))
        })
        .await?;
        gathered.clear();
        self.buffer = gathered;
        self.spilled = Spilled::File(file);
        Ok(())
    }

    /// Ends the document: small ones come back as a whole, to be written in the commit of their job; of the
    /// others every byte is on disk. One job points to it; who has more sets [`NewDocument::refs`].
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Poisoned`] if a sync failed, or what the disk says.
    pub async fn finish(mut self) -> Result<NewDocument, StoreError> {
        let (id, octets) = (self.id, self.octets);
        let sha256: [u8; 32] = std::mem::take(&mut self.digest).finalize().into();
        let mut document = NewDocument { id, octets, sha256, inline: None, refs: 1 };
        if matches!(self.spilled, Spilled::Nothing) && self.buffer.len() <= self.inline_max {
            if let Place::Folder(folder) = &self.files.place {
                folder.check()?;
            }
            document.inline = Some(std::mem::take(&mut self.buffer).into());
            return Ok(document);
        }
        if !self.buffer.is_empty() || matches!(self.spilled, Spilled::Nothing) {
            self.spill().await?;
        }
        match std::mem::replace(&mut self.spilled, Spilled::Lost) {
            Spilled::Memory(frames) => {
                if let Place::Memory(memory) = &self.files.place {
                    kept(memory).insert(id, Arc::new(frames));
                }
            }
            Spilled::File(file) => blocking(move || file.seal(octets, &sha256)).await?,
            Spilled::Nothing | Spilled::Lost => return Err(lost()),
        }
        Ok(document)
    }
}

fn create(files: &FileStore, id: DocumentId, making: Making) -> Result<Box<FileWriter>, StoreError> {
    match &files.place {
        Place::Folder(folder) => folder.clone().create(id, making).map(Box::new),
        Place::Memory(_) => Err(lost()),
    }
}

fn lost() -> StoreError {
    StoreError::File { doing: "write a document", cause: std::io::Error::other("an earlier write failed") }
}
