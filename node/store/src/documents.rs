//! Documents: written as they arrive, sealed, read from any offset, deleted.
//!
//! A document is named by its id, never by its content. Up to 64 KiB it is a row, written in the commit of its
//! job; more is a file. A [`DocumentWriter`] does not know which it will be until it ends.
//!
//! *Invariant:* what [`DocumentWriter::finish`] returned is on disk, or is in the value that it returned.

use crate::fault::SyncFault;
use crate::files::{FileStore, Folder, Making, Place, kept};
use crate::reader::DocumentReader;
use crate::writer::DocumentWriter;
use crate::{NewDocument, Records, StoreError};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tympan_engine::{DocumentId, Millis, Timestamp};

/// How documents are kept.
#[derive(Clone, Debug)]
pub struct DocumentOptions {
    /// Octets of the disk that intake leaves free; `None`, the default, is the larger of 5 % and 1 GiB.
    pub reserve_octets: Option<u64>,
    /// Documents up to this size become rows, at most 65536. Default 65536.
    pub inline_max: usize,
    /// Whether files are compressed where that makes them smaller. Default yes.
    pub compress: bool,
    /// Files that no row points to are removed when they are so old, in milliseconds. Default 24 hours.
    pub orphan_ms: Millis,
    /// Lets tests break a sync.
    pub sync_fault: Option<SyncFault>,
}

impl Default for DocumentOptions {
    fn default() -> Self {
        Self {
            reserve_octets: None,
            inline_max: crate::files::format::FRAME,
            compress: true,
            orphan_ms: tympan_engine::time::DAY,
            sync_fault: None,
        }
    }
}

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files that were still being written when the process died.
    pub open: u64,
    /// Sealed files that no row points to.
    pub orphans: u64,
    /// Documents that no job pointed to any more.
    pub deleted: u64,
}

/// The documents. Cheap to clone.
#[derive(Clone)]
pub struct Documents {
    records: Arc<dyn Records>,
    files: Arc<FileStore>,
    options: DocumentOptions,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("files", &self.files).field("options", &self.options).finish_non_exhaustive()
    }
}

impl Documents {
    /// Opens the documents in a data folder.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn open(dir: &Path, records: Arc<dyn Records>) -> Result<Self, StoreError> {
        Self::open_with(dir, records, DocumentOptions::default())
    }

    /// Opens the documents in a data folder.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn open_with(dir: &Path, records: Arc<dyn Records>, options: DocumentOptions) -> Result<Self, StoreError> {
        let folder = Folder::open(dir, options.reserve_octets, options.sync_fault.clone())?;
        Ok(Self { records, files: Arc::new(FileStore { place: Place::Folder(Arc::new(folder)) }), options })
    }

    /// Documents in memory: for simulation and tests. No runtime is needed.
    pub fn in_memory(records: Arc<dyn Records>) -> Self {
        let files = Arc::new(FileStore { place: Place::Memory(Mutex::default()) });
        Self { records, files, options: DocumentOptions::default() }
    }

    /// Begins a document that comes in.
    ///
    /// # Errors
    /// [`StoreError::Full`] if the disk is fuller than the set limit, [`StoreError::Poisoned`] after a failed
    /// sync.
    pub fn create_incoming(&self, id: DocumentId) -> Result<DocumentWriter, StoreError> {
        self.room_for(0)?;
        self.make(id, Making { compress: self.options.compress, spares: true })
    }

    /// Begins a document of the server's own making. What was taken is printed from what the set limit keeps free.
    ///
    /// # Errors
    /// [`StoreError::Poisoned`] after a failed sync.
    pub fn create(&self, id: DocumentId) -> Result<DocumentWriter, StoreError> {
        self.create_with(id, self.options.compress)
    }

    /// Begins a document and says whether it is compressed, should it become a file.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn create_with(&self, id: DocumentId, compress: bool) -> Result<DocumentWriter, StoreError> {
        self.make(id, Making { compress, spares: false })
    }

    fn make(&self, id: DocumentId, making: Making) -> Result<DocumentWriter, StoreError> {
        if let Place::Folder(folder) = &self.files.place {
            folder.check()?;
        }
        Ok(DocumentWriter::new(self.files.clone(), id, self.options.inline_max, making))
    }

    /// Stores a document that is in memory as a whole.
    ///
    /// # Errors
    /// As [`Self::create`] and [`DocumentWriter::finish`].
    pub async fn store(&self, id: DocumentId, bytes: &[u8]) -> Result<NewDocument, StoreError> {
        let mut writer = self.create(id)?;
        writer.write(bytes).await?;
        writer.finish().await
    }

    /// Octets that are free on the disk.
    ///
    /// # Errors
    /// If the disk does not say.
    pub fn free_octets(&self) -> Result<u64, StoreError> {
        match &self.files.place {
            Place::Folder(folder) => folder.space().map(|(free, _)| free),
            Place::Memory(_) => Ok(u64::MAX),
        }
    }

    /// Returns after a sync has failed: from then on nothing is acknowledged, and the process has to start again.
    pub async fn poisoned(&self) -> StoreError {
        match &self.files.place {
            Place::Folder(folder) => folder.poisoned().await,
            Place::Memory(_) => std::future::pending().await,
        }
    }

    /// Whether so many octets more may come in; 0 asks whether the disk is fuller than the set limit already.
    ///
    /// # Errors
    /// [`StoreError::Full`] if they may not.
    pub fn room_for(&self, octets: u64) -> Result<(), StoreError> {
        match &self.files.place {
            Place::Folder(folder) => folder.check().and_then(|()| folder.room_for(octets)),
            Place::Memory(_) => Ok(()),
        }
    }

    /// Opens a document to read it.
    ///
    /// # Errors
    /// [`StoreError::NoDocument`] if it does not exist or is being deleted, [`StoreError::Damaged`] if it is not
    /// what was written.
    pub async fn open_document(&self, id: DocumentId) -> Result<DocumentReader, StoreError> {
        let row = self.records.document(id).await?.ok_or(StoreError::NoDocument(id))?;
        self.open_new(&row).await
    }

    /// Opens a document that is sealed, but perhaps not committed yet.
    ///
    /// # Errors
    /// As [`Self::open_document`].
    pub async fn open_new(&self, document: &NewDocument) -> Result<DocumentReader, StoreError> {
        let id = document.id;
        if let Some(bytes) = &document.inline {
            let whole = bytes.len() as u64 == document.octets && digest(bytes) == document.sha256;
            return if whole {
                Ok(DocumentReader::of_bytes(id, bytes.clone()))
            } else {
                tracing::error!(document = %id, "A document is damaged");
                Err(StoreError::Damaged { id, offset: 0 })
            };
        }
        match &self.files.place {
            Place::Memory(memory) => {
                let frames = kept(memory).get(&id).cloned().ok_or(StoreError::Damaged { id, offset: 0 })?;
                Ok(DocumentReader::of_frames(id, document.octets, frames))
            }
            Place::Folder(folder) => {
                let (folder, document) = (folder.clone(), document.clone());
                let octets = document.octets;
                let opening = folder.clone();
                let file = blocking(move || opening.read(&document)).await?;
                Ok(DocumentReader::of_file(id, octets, folder, file))
            }
        }
    }

    /// Reads a whole document of at most `octets_max`.
    ///
    /// # Errors
    /// As [`Self::open_document`]; [`StoreError::File`] if it is larger.
    pub async fn read_all(&self, id: DocumentId, octets_max: u64) -> Result<Vec<u8>, StoreError> {
        self.open_document(id).await?.read_all(octets_max).await
    }

    /// A file without a name that holds the plaintext of a document, open for reading at its start: for another
    /// process. It is gone when it is closed.
    ///
    /// # Errors
    /// As [`Self::open_document`]; the whole document was checked when this returns.
    pub async fn plaintext_file(&self, id: DocumentId) -> Result<File, StoreError> {
        let row = self.records.document(id).await?.ok_or(StoreError::NoDocument(id))?;
        let mut reader = self.open_new(&row).await?;
        let files = self.files.clone();
        let failed = |cause| crate::files::file_error("write a temporary file", cause);
        let mut file = blocking(move || files.nameless()).await?;
        let mut digest = Sha256::new();
        while let Some(bytes) = reader.next().await? {
            digest.update(&bytes);
            file = blocking(move || file.write_all(&bytes).map(|()| file)).await.map_err(failed)?;
        }
        let sum: [u8; 32] = digest.finalize().into();
        if sum != row.sha256 {
            return reader.damaged(0);
        }
        let mut file = crate::files::read_only(file);
        file.rewind().map_err(failed)?;
        Ok(file)
    }

    /// Removes a document that was sealed and will not be committed. Without it, that happens after a day.
    ///
    /// # Errors
    /// If its file cannot be removed.
    pub async fn discard(&self, document: &NewDocument) -> Result<(), StoreError> {
        if document.inline.is_some() || !self.records.documents_known(&[document.id]).await?.is_empty() {
            return Ok(());
        }
        self.remove(vec![document.id]).await
    }

    /// Removes the bytes of documents that no job points to any more, then their rows; returns how many.
    /// To be called after commits that gave documents back.
    ///
    /// # Errors
    /// If bytes cannot be removed; it is tried again by the next call.
    pub async fn collect(&self) -> Result<u64, StoreError> {
        let mut collected = 0;
        loop {
            let ids = self.records.documents_deleting().await?;
            if ids.is_empty() {
                return Ok(collected);
            }
            self.remove(ids.clone()).await?;
            self.records.documents_removed(&ids).await?;
            collected += ids.len() as u64;
        }
    }

    async fn remove(&self, ids: Vec<DocumentId>) -> Result<(), StoreError> {
        match &self.files.place {
            Place::Memory(memory) => {
                let mut kept = kept(memory);
                ids.iter().for_each(|id| drop(kept.remove(id)));
                Ok(())
            }
            Place::Folder(folder) => {
                let folder = folder.clone();
                blocking(move || folder.remove(&ids)).await
            }
        }
    }

    /// At start: removes what was being written when the process died, files that no row points to and that are
    /// older than a day, and documents that were being deleted.
    ///
    /// # Errors
    /// If the data folder cannot be read or written.
    pub async fn sweep(&self, now: Timestamp) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        if let Place::Folder(folder) = &self.files.place {
            let (sweeping, orphan_ms) = (folder.clone(), self.options.orphan_ms);
            let (open, old) =
                blocking(move || Ok::<_, StoreError>((sweeping.sweep_open()?, sweeping.older_than(now, orphan_ms)?)))
                    .await?;
            swept.open = open;
            for ids in old.chunks(256) {
                let known = self.records.documents_known(ids).await?;
                let orphans: Vec<_> = ids.iter().copied().filter(|id| !known.contains(id)).collect();
                swept.orphans += orphans.len() as u64;
                self.remove(orphans).await?;
            }
        }
        swept.deleted = self.collect().await?;
        if swept != Swept::default() {
            tracing::info!(open = swept.open, orphans = swept.orphans, deleted = swept.deleted, "Swept documents");
        }
        Ok(swept)
    }
}

pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Runs what waits for the disk where it may wait; without a runtime, here.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::runtime::Handle::try_current() {
        Err(_) => work(),
        Ok(runtime) => match runtime.spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is shutting down: nobody will poll this again.
            Err(_) => std::future::pending().await,
        },
    }
}
