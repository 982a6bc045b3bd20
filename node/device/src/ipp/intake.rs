//! A document on its way into a file, within its limits, until the line is cut.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::model::Document;
use crate::shared::Shared;

/// "compression" of document data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Deflate,
}

/// How far a document has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IntakeEnd {
    /// More may follow.
    More,
    /// All is here.
    Whole,
    /// The line was cut, by the sender or by us.
    Cut,
}

/// Why a document is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IntakeError {
    #[error("the document is larger than {octets_max} octets")]
    TooLarge { octets_max: u64 },
    #[error("the compressed data is damaged")]
    Compression,
    #[error("the disk does not take the document")]
    Disk(#[source] io::Error),
}

/// A document that is being received.
pub(crate) struct Intake {
    decoder: Decoder,
    file: Arc<File>,
    /// Octets as they came over the line.
    received: u64,
}

enum Decoder {
    Plain(Bounded),
    Gzip(MultiGzDecoder<Bounded>),
    /// RFC 8011 means the bare form of RFC 1951; some senders wrap it, so the first octets decide.
    DeflateUnknown(Bounded),
    Deflate(DeflateDecoder<Bounded>),
    Zlib(ZlibDecoder<Bounded>),
    /// In the middle of changing, or failed.
    Nothing,
}

/// The file with its limit, so that a small compressed document cannot fill the disk.
struct Bounded {
    file: Arc<File>,
    octets: u64,
    octets_max: u64,
}

impl Write for Bounded {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.octets + octets.len() as u64 > self.octets_max {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "document limit"));
        }
        (&*self.file).write_all(octets)?;
        self.octets += octets.len() as u64;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Intake {
    /// Makes the file, which has no name and goes with the last who holds it.
    pub(crate) fn begin(shared: &Shared, compression: Option<Compression>) -> Result<Self, IntakeError> {
        let file = Arc::new(tempfile::tempfile_in(&shared.options.folder).map_err(IntakeError::Disk)?);
        let bounded = Bounded { file: Arc::clone(&file), octets: 0, octets_max: shared.options.document_octets_max };
        let decoder = match compression {
            None => Decoder::Plain(bounded),
            Some(Compression::Gzip) => Decoder::Gzip(MultiGzDecoder::new(bounded)),
            Some(Compression::Deflate) => Decoder::DeflateUnknown(bounded),
        };
        Ok(Self { decoder, file, received: 0 })
    }

    /// Octets that came so far.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Takes octets, up to where the printer is told to cut the line.
    pub(crate) fn write(&mut self, shared: &Shared, octets: &[u8]) -> Result<IntakeEnd, IntakeError> {
        let cut_at = shared.read(|model| model.faults.drop_line.map(|drop| drop.at_octet));
        let room = cut_at.map_or(u64::MAX, |at| at.saturating_sub(self.received));
        let taken = &octets[..octets.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        self.received += taken.len() as u64;
        self.decode(taken)?;
        if cut_at.is_some_and(|at| self.received >= at) {
            shared.change(|model, _| model.faults.line_dropped());
            return Ok(IntakeEnd::Cut);
        }
        Ok(IntakeEnd::More)
    }

    fn decode(&mut self, octets: &[u8]) -> Result<(), IntakeError> {
        if let (Decoder::DeflateUnknown(_), Some(&first)) = (&self.decoder, octets.first()) {
            let Decoder::DeflateUnknown(bounded) = std::mem::replace(&mut self.decoder, Decoder::Nothing) else {
                return Err(IntakeError::Compression);
            };
            // A zlib header names method 8 in its low bits; no block of RFC 1951 that a compressor
            // writes begins so: it would be a stored block with padding that is not zero.
            self.decoder = if first & 0x0F == 8 && first >> 4 <= 7 {
                Decoder::Zlib(ZlibDecoder::new(bounded))
            } else {
                Decoder::Deflate(DeflateDecoder::new(bounded))
            };
        }
        let written = match &mut self.decoder {
            Decoder::Plain(out) => out.write_all(octets),
            Decoder::Gzip(out) => out.write_all(octets),
            Decoder::Deflate(out) => out.write_all(octets),
            Decoder::Zlib(out) => out.write_all(octets),
            Decoder::DeflateUnknown(_) | Decoder::Nothing => Ok(()),
        };
        let octets_max = self.octets_max();
        written.map_err(|error| Self::fault(error, octets_max))
    }

    /// The received document. One that was cut may end in the middle of its compression.
    pub(crate) fn into_document(
        self,
        format: Option<String>,
        name: Option<String>,
        cut: bool,
    ) -> Result<Document, IntakeError> {
        let octets_max = self.octets_max();
        let ended = match self.decoder {
            Decoder::Plain(out) | Decoder::DeflateUnknown(out) => Ok(out.octets),
            Decoder::Gzip(mut out) => out.try_finish().map(|()| out.get_ref().octets),
            Decoder::Deflate(mut out) => out.try_finish().map(|()| out.get_ref().octets),
            Decoder::Zlib(mut out) => out.try_finish().map(|()| out.get_ref().octets),
            Decoder::Nothing => Ok(0),
        };
        let octets = match ended {
            Ok(octets) => octets,
            Err(_) if cut => self.file.metadata().map_err(IntakeError::Disk)?.len(),
            Err(error) => return Err(Self::fault(error, octets_max)),
        };
        Ok(Document { file: self.file, octets, format, name, cut })
    }

    fn octets_max(&self) -> u64 {
        match &self.decoder {
            Decoder::Plain(out) | Decoder::DeflateUnknown(out) => out.octets_max,
            Decoder::Gzip(out) => out.get_ref().octets_max,
            Decoder::Deflate(out) => out.get_ref().octets_max,
            Decoder::Zlib(out) => out.get_ref().octets_max,
            Decoder::Nothing => 0,
        }
    }

    fn fault(error: io::Error, octets_max: u64) -> IntakeError {
        match error.kind() {
            io::ErrorKind::FileTooLarge => IntakeError::TooLarge { octets_max },
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                IntakeError::Compression
            }
            _ => IntakeError::Disk(error),
        }
    }
}
