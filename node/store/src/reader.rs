//! Reads one document, from any offset.

use crate::StoreError;
use crate::files::format::FRAME;
use crate::files::{FileReader, Folder};
use bytes::Bytes;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::task::JoinHandle;
use tympan_engine::DocumentId;

/// A document that is being read. At most one frame of it (64 KiB) is in memory, except where it is small.
#[derive(Debug)]
pub struct DocumentReader {
    id: DocumentId,
    octets: u64,
    position: u64,
    /// A piece of the document, and where it begins.
    piece: (u64, Bytes),
    source: Source,
}

type Frame = Result<Bytes, StoreError>;

#[derive(Debug)]
enum Source {
    Bytes(Bytes),
    Frames(Arc<Vec<Bytes>>),
    File(Arc<Folder>, Box<FileReader>),
    /// A frame is being read; the number is the frame's.
    Reading(u64, JoinHandle<(Arc<Folder>, Box<FileReader>, Frame)>),
    /// A read was given up by a runtime that shut down, or panicked.
    Lost,
}

impl DocumentReader {
    pub(crate) fn of_bytes(id: DocumentId, bytes: Bytes) -> Self {
        Self::new(id, bytes.len() as u64, Source::Bytes(bytes))
    }

    pub(crate) fn of_frames(id: DocumentId, octets: u64, frames: Arc<Vec<Bytes>>) -> Self {
        Self::new(id, octets, Source::Frames(frames))
    }

    pub(crate) fn of_file(id: DocumentId, octets: u64, folder: Arc<Folder>, file: FileReader) -> Self {
        Self::new(id, octets, Source::File(folder, Box::new(file)))
    }

    const fn new(id: DocumentId, octets: u64, source: Source) -> Self {
        Self { id, octets, position: 0, piece: (0, Bytes::new()), source }
    }

    /// Its id.
    pub const fn id(&self) -> DocumentId {
        self.id
    }

    /// Its size in octets.
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Where the next read begins.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Reads on from this offset; beyond the end there is nothing.
    pub const fn seek(&mut self, offset: u64) {
        self.position = offset;
    }

    /// The next piece, as large as it can be had at once; `None` at the end.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the bytes are not what was written, or what the disk says.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`Self::next`], for those who write streams and bodies.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, StoreError>> {
        if let Err(error) = ready!(self.poll_piece(cx)) {
            return Poll::Ready(Err(error));
        }
        let rest = self.rest();
        self.position += rest.len() as u64;
        Poll::Ready(Ok((!rest.is_empty()).then_some(rest)))
    }

    /// Reads at an offset; fewer octets than asked for only at the end.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<usize, StoreError> {
        self.seek(offset);
        let mut filled = 0;
        while filled < out.len() {
            poll_fn(|cx| self.poll_piece(cx)).await?;
            let rest = self.rest();
            if rest.is_empty() {
                break;
            }
            let n = rest.len().min(out.len() - filled);
            out[filled..filled + n].copy_from_slice(&rest[..n]);
            filled += n;
            self.position += n as u64;
        }
        Ok(filled)
    }

    /// Reads the rest, if it is no more than `octets_max`.
    ///
    /// # Errors
    /// As [`Self::next`]; [`StoreError::File`] if it is more.
    pub async fn read_all(&mut self, octets_max: u64) -> Result<Vec<u8>, StoreError> {
        let left = self.octets.saturating_sub(self.position);
        if left > octets_max {
            let cause = io::Error::new(io::ErrorKind::FileTooLarge, format!("it has {left} octets"));
            return Err(StoreError::File { doing: "read a document into memory", cause });
        }
        let mut all = Vec::with_capacity(usize::try_from(left).unwrap_or_default());
        while let Some(bytes) = self.next().await? {
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    /// What is left of the piece at the position.
    fn rest(&self) -> Bytes {
        let (from, piece) = &self.piece;
        match self.position.checked_sub(*from).map(usize::try_from) {
            Some(Ok(skip)) if skip < piece.len() => piece.slice(skip..),
            _ => Bytes::new(),
        }
    }

    /// Says that the document is damaged, and puts it aside.
    pub(crate) fn damaged<T>(&self, offset: u64) -> Result<T, StoreError> {
        let damaged = Err(StoreError::Damaged { id: self.id, offset });
        match &self.source {
            Source::File(folder, _) => folder.judged(self.id, damaged),
            _ => damaged,
        }
    }

    /// Fetches the piece at the position, unless it is here already or there is none.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StoreError>> {
        loop {
            if self.position >= self.octets || !self.rest().is_empty() {
                return Poll::Ready(Ok(()));
            }
            let wanted = self.position / FRAME as u64;
            match std::mem::replace(&mut self.source, Source::Lost) {
                Source::Bytes(bytes) => {
                    self.piece = (0, bytes.clone());
                    self.source = Source::Bytes(bytes);
                }
                Source::Frames(frames) => {
                    let frame = usize::try_from(wanted).ok().and_then(|n| frames.get(n)).cloned();
                    self.source = Source::Frames(frames);
                    match frame {
                        Some(frame) => self.piece = (wanted * FRAME as u64, frame),
                        None => return Poll::Ready(self.damaged(self.position)),
                    }
                }
                Source::File(folder, mut file) => match tokio::runtime::Handle::try_current() {
                    Ok(runtime) => {
                        let task = runtime.spawn_blocking(move || {
                            let frame = file.frame(wanted);
                            (folder, file, frame)
                        });
                        self.source = Source::Reading(wanted, task);
                    }
                    Err(_) => {
                        let frame = file.frame(wanted);
                        self.source = Source::File(folder, file);
                        self.take(wanted, frame)?;
                    }
                },
                Source::Reading(number, mut task) => match Pin::new(&mut task).poll(cx) {
                    Poll::Pending => {
                        self.source = Source::Reading(number, task);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok((folder, file, frame))) => {
                        self.source = Source::File(folder, file);
                        self.take(number, frame)?;
                    }
                    Poll::Ready(Err(error)) => {
                        let cause = io::Error::other(error);
                        return Poll::Ready(Err(StoreError::File { doing: "read a document", cause }));
                    }
                },
                Source::Lost => {
                    let cause = io::Error::other("an earlier read failed");
                    return Poll::Ready(Err(StoreError::File { doing: "read a document", cause }));
                }
            }
        }
    }

    fn take(&mut self, number: u64, frame: Frame) -> Result<(), StoreError> {
        let frame = match (frame, &self.source) {
            (Err(error), Source::File(folder, _)) => return folder.judged(self.id, Err(error)),
            (frame, _) => frame?,
        };
        self.piece = (number * FRAME as u64, frame);
        Ok(())
    }
}

impl AsyncRead for DocumentReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Err(error) = ready!(this.poll_piece(cx)) {
            return Poll::Ready(Err(io::Error::other(error)));
        }
        let mut rest = this.rest();
        let n = rest.len().min(out.remaining());
        out.put_slice(&rest.split_to(n));
        this.position += n as u64;
        Poll::Ready(Ok(()))
    }
}
