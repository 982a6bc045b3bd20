//! A document on its way into the store: its compression is undone on the way, within limits.

use std::io::{self, Write};

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use tympan_http::{BodyReader, Bytes};
use tympan_ipp::StatusCode;
use tympan_store::{DocumentWriter, NewDocument, StoreError};

use super::refused::Refused;
use crate::web::{START_OCTETS, sniff};

/// So many octets are undone at once: whatever they become is in memory.
const PIECE: usize = 1024;
/// After so many octets that came out, so many times as many as went in are too many (`reliability.md` section 6).
const RATIO_FROM: u64 = 10 << 20;
const RATIO_MAX: u64 = 200;

/// "compression" (RFC 8011 section 5.4.32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Deflate,
}

impl Compression {
    /// The keywords.
    pub(super) const KEYWORDS: [&'static str; 3] = ["none", "gzip", "deflate"];

    /// Reads a keyword.
    pub(super) fn from_keyword(keyword: &str) -> Option<Self> {
        match keyword {
            "none" => Some(Self::None),
            "gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            _ => None,
        }
    }
}

enum Decoder {
    Plain,
    Gzip(MultiGzDecoder<Vec<u8>>),
    /// RFC 8011 means the bare form of RFC 1951; some senders wrap it, so the first octet decides.
    DeflateUnknown,
    Deflate(DeflateDecoder<Vec<u8>>),
    Zlib(ZlibDecoder<Vec<u8>>),
}

impl Decoder {
    fn new(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::Plain,
            Compression::Gzip => Self::Gzip(MultiGzDecoder::new(Vec::new())),
            Compression::Deflate => Self::DeflateUnknown,
        }
    }

    /// Undoes the compression of a piece.
    fn undo(&mut self, piece: &[u8]) -> io::Result<Vec<u8>> {
        if let (Self::DeflateUnknown, Some(first)) = (&*self, piece.first()) {
            // A zlib header names method 8 in its low bits and a window of at most 32 KiB in its high ones.
            *self = if first & 0x0f == 8 && first >> 4 <= 7 {
                Self::Zlib(ZlibDecoder::new(Vec::new()))
            } else {
                Self::Deflate(DeflateDecoder::new(Vec::new()))
            };
        }
        match self {
            Self::Plain | Self::DeflateUnknown => Ok(piece.to_vec()),
            Self::Gzip(decoder) => decoder.write_all(piece).map(|()| std::mem::take(decoder.get_mut())),
            Self::Deflate(decoder) => decoder.write_all(piece).map(|()| std::mem::take(decoder.get_mut())),
            Self::Zlib(decoder) => decoder.write_all(piece).map(|()| std::mem::take(decoder.get_mut())),
        }
    }

    /// What is left at the end.
    fn rest(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain | Self::DeflateUnknown => Ok(Vec::new()),
            Self::Gzip(decoder) => decoder.finish(),
            Self::Deflate(decoder) => decoder.finish(),
            Self::Zlib(decoder) => decoder.finish(),
        }
    }
}

/// Counts a document in and out.
struct Counted {
    came: u64,
    out: u64,
    out_max: u64,
}

impl Counted {
    fn check(&self) -> Result<(), Refused> {
        if self.out > self.out_max {
            let text = format!("The document is larger than {} MiB.", self.out_max >> 20);
            return Err(Refused::new(StatusCode::ClientErrorRequestEntityTooLarge, text));
        }
        if self.out > RATIO_FROM && self.out / RATIO_MAX > self.came {
            return Err(compression("The compressed document grows beyond measure."));
        }
        Ok(())
    }
}

fn compression(text: &str) -> Refused {
    Refused::new(StatusCode::ClientErrorCompressionError, text)
}

/// Streams a document into the store; gives its format as its octets show it, and the document.
///
/// `first` is what came of it together with the attributes.
pub(super) async fn store(
    mut writer: DocumentWriter,
    first: Bytes,
    body: &mut BodyReader,
    how: Compression,
    declared: Option<&str>,
    octets_max: u64,
) -> Result<(&'static str, NewDocument), Refused> {
    let mut decoder = Decoder::new(how);
    let mut counted = Counted { came: 0, out: 0, out_max: octets_max };
    let mut start: Vec<u8> = Vec::new();
    let mut format = None;
    let mut next = (!first.is_empty()).then_some(first);
    let mut ended = false;
    while !ended {
        let chunk = match next.take() {
            Some(chunk) => chunk,
            None => match body.chunk().await? {
                Some(chunk) => chunk,
                None => {
                    ended = true;
                    Bytes::new()
                }
            },
        };
        let mut pieces = chunk.chunks(PIECE);
        loop {
            let plain = match pieces.next() {
                Some(piece) => {
                    counted.came += piece.len() as u64;
                    decoder.undo(piece)
                }
                None if ended => std::mem::replace(&mut decoder, Decoder::Plain).rest(),
                None => break,
            };
            let plain = plain.map_err(|_| compression("The compressed document is damaged."))?;
            counted.out += plain.len() as u64;
            counted.check()?;
            if format.is_none() {
                start.extend_from_slice(&plain);
                if start.len() >= START_OCTETS || ended {
                    format = Some(known(&start, declared)?);
                    writer.write(&start).await.map_err(failed)?;
                    start = Vec::new();
                }
            } else {
                writer.write(&plain).await.map_err(failed)?;
            }
            if ended {
                break;
            }
        }
    }
    let format = match format {
        Some(format) => format,
        None => known(&start, declared)?,
    };
    Ok((format, writer.finish().await.map_err(failed)?))
}

fn known(start: &[u8], declared: Option<&str>) -> Result<&'static str, Refused> {
    if start.is_empty() {
        return Err(Refused::new(StatusCode::ClientErrorBadRequest, "There is no document; nothing was printed."));
    }
    sniff(start, declared).map_err(|what| {
        let text = format!("This is {what}. PDF, JPEG, PNG and plain text are printed here.");
        Refused::new(StatusCode::ClientErrorDocumentFormatNotSupported, text)
    })
}

fn failed(error: StoreError) -> Refused {
    Refused::store(&error.into(), "store a document")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression as Level;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    fn undone(how: Compression, octets: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let mut decoder = Decoder::new(how);
        let mut all = Vec::new();
        for piece in octets.chunks(piece) {
            all.extend(decoder.undo(piece)?);
        }
        all.extend(decoder.rest()?);
        Ok(all)
    }

    #[test]
    fn compression_is_undone_in_whatever_pieces_it_comes() {
        let plain = b"to be printed ".repeat(100);
        let mut gzip = GzEncoder::new(Vec::new(), Level::fast());
        gzip.write_all(&plain).unwrap();
        let mut deflate = DeflateEncoder::new(Vec::new(), Level::fast());
        deflate.write_all(&plain).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Level::fast());
        zlib.write_all(&plain).unwrap();
        for (how, octets) in [
            (Compression::None, plain.clone()),
            (Compression::Gzip, gzip.finish().unwrap()),
            (Compression::Deflate, deflate.finish().unwrap()),
            (Compression::Deflate, zlib.finish().unwrap()),
        ] {
            for piece in [1, 7, 4096] {
                assert_eq!(undone(how, &octets, piece).unwrap(), plain);
            }
        }
        assert!(undone(Compression::Gzip, b"no gzip at all", 4).is_err());
    }

    #[test]
    fn a_bomb_and_a_giant_are_refused() {
        let counted = |came, out| Counted { came, out, out_max: 100 << 20 }.check().map_err(|refused| refused.status);
        assert_eq!(counted(1 << 20, 9 << 20), Ok(()));
        assert_eq!(counted(10, RATIO_FROM), Ok(()));
        assert_eq!(counted(1000, RATIO_FROM + 1), Err(StatusCode::ClientErrorCompressionError));
        assert_eq!(counted(1 << 20, 101 << 20), Err(StatusCode::ClientErrorRequestEntityTooLarge));
    }
}
