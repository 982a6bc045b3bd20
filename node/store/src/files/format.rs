//! The format of a document file: header, frames, index, seal. All numbers are little-endian.
//!
//! | part | octets |
//! |---|---|
//! | header | magic `TYMPDOC\0` 8, format 2 (= 1), codec 1 (0 stored, 1 deflate where it helps), 0 1, octets of a frame 4, key id 8 (0 = not encrypted), document id 16, 0 4, CRC-32 of the above 4 |
//! | frame, each of 64 KiB plaintext, the last shorter | plaintext octets 4, stored octets 4 (fewer: raw deflate, RFC 1951), CRC-32 of the frame's number 8, both lengths and the stored octets 4, stored octets |
//! | index | stored octets of each frame, 4 each |
//! | seal | SHA-256 of the plaintext 32, plaintext octets 8, number of frames 4, CRC-32 of the index 4, 0 4, CRC-32 of the above 4, magic `TYMPSEAL` 8 |
//!
//! Frames stand one after the other from the header on, so a file can be read while it grows; the index gives
//! their places once it is sealed, so it can be read from any offset.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use tympan_engine::DocumentId;

/// Plaintext octets of a frame.
pub(crate) const FRAME: usize = 64 * 1024;
pub(super) const HEADER: usize = 48;
pub(super) const FRAME_HEADER: usize = 12;
pub(super) const SEAL: usize = 64;

const MAGIC: &[u8; 8] = b"TYMPDOC\0";
const SEAL_MAGIC: &[u8; 8] = b"TYMPSEAL";
const VERSION: u16 = 1;

/// How many frames are stored as they are after one that deflate did not make smaller.
const DISHEARTENED: u32 = 15;

pub(super) fn header(id: DocumentId, codec: u8) -> [u8; HEADER] {
    let mut out = [0; HEADER];
    out[..8].copy_from_slice(MAGIC);
    out[8..10].copy_from_slice(&VERSION.to_le_bytes());
    out[10] = codec;
    out[12..16].copy_from_slice(&(FRAME as u32).to_le_bytes());
    out[24..40].copy_from_slice(&id.0);
    let crc = crc32fast::hash(&out[..44]);
    out[44..].copy_from_slice(&crc.to_le_bytes());
    out
}

/// Whether this is the header of that document, in a format we can read.
pub(super) fn header_is_good(header: &[u8; HEADER], id: DocumentId) -> bool {
    header[..8] == MAGIC[..]
        && u16::from_le_bytes([header[8], header[9]]) == VERSION
        && header[10] <= 1
        && number(header, 12) as usize == FRAME
        && header[16..24] == [0; 8]
        && header[24..40] == id.0
        && number(header, 44) == crc32fast::hash(&header[..44])
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn frame_crc(index: u64, lengths: &[u8], stored: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&index.to_le_bytes());
    crc.update(lengths);
    crc.update(stored);
    crc.finalize()
}

/// Makes frames.
pub(super) struct Encoder {
    deflate: Option<Compress>,
    skip: u32,
}

impl Encoder {
    pub(super) fn new(compress: bool) -> Self {
        Self { deflate: compress.then(|| Compress::new(Compression::fast(), false)), skip: 0 }
    }

    /// Writes a frame to `out`; returns its stored octets.
    pub(super) fn frame(&mut self, index: u64, plain: &[u8], out: &mut Vec<u8>) -> u32 {
        out.clear();
        out.reserve(FRAME_HEADER + plain.len());
        out.resize(FRAME_HEADER, 0);
        if !self.deflated(plain, out) {
            out.truncate(FRAME_HEADER);
            out.extend_from_slice(plain);
        }
        let stored = (out.len() - FRAME_HEADER) as u32;
        out[..4].copy_from_slice(&(plain.len() as u32).to_le_bytes());
        out[4..8].copy_from_slice(&stored.to_le_bytes());
        let crc = frame_crc(index, &out[..8], &out[FRAME_HEADER..]);
        out[8..12].copy_from_slice(&crc.to_le_bytes());
        stored
    }

    fn deflated(&mut self, plain: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(deflate) = &mut self.deflate else {
            return false;
        };
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        deflate.reset();
        let end = deflate.compress_vec(plain, out, FlushCompress::Finish);
        let smaller = out.len() - FRAME_HEADER < plain.len();
        if matches!(end, Ok(Status::StreamEnd)) && smaller {
            return true;
        }
        self.skip = DISHEARTENED;
        false
    }
}

/// What a frame's own header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameHeader {
    pub(super) plain: usize,
    pub(super) stored: usize,
}

/// Opens a frame that is in memory as a whole; `None` if it is not what was written.
pub(super) fn open_frame(index: u64, frame: &[u8]) -> Option<Vec<u8>> {
    let (header, stored) = frame.split_at_checked(FRAME_HEADER)?;
    let lengths = FrameHeader { plain: number(header, 0) as usize, stored: number(header, 4) as usize };
    let whole = lengths.stored == stored.len() && lengths.plain <= FRAME && lengths.stored <= lengths.plain;
    if !whole || number(header, 8) != frame_crc(index, &header[..8], stored) {
        return None;
    }
    if lengths.stored == lengths.plain {
        return Some(stored.to_vec());
    }
    let mut plain = Vec::with_capacity(lengths.plain);
    let end = Decompress::new(false).decompress_vec(stored, &mut plain, FlushDecompress::Finish);
    (matches!(end, Ok(Status::StreamEnd)) && plain.len() == lengths.plain).then_some(plain)
}

/// Index and seal, as they end a file.
pub(super) fn tail(sizes: &[u32], octets: u64, sha256: &[u8; 32]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(sizes.len() * 4 + SEAL);
    sizes.iter().for_each(|size| out.extend_from_slice(&size.to_le_bytes()));
    let index_crc = crc32fast::hash(&out);
    let seal = out.len();
    out.extend_from_slice(sha256);
    out.extend_from_slice(&octets.to_le_bytes());
    out.extend_from_slice(&(sizes.len() as u32).to_le_bytes());
    out.extend_from_slice(&index_crc.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    let crc = crc32fast::hash(&out[seal..]);
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(SEAL_MAGIC);
    out
}

/// What the end of a sealed file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) sha256: [u8; 32],
    pub(super) octets: u64,
    pub(super) frames: u32,
    index_crc: u32,
}

impl Seal {
    pub(super) fn parse(seal: &[u8; SEAL]) -> Option<Self> {
        let good = seal[56..] == SEAL_MAGIC[..] && number(seal, 52) == crc32fast::hash(&seal[..52]);
        let seal = Self {
            sha256: seal[..32].try_into().ok()?,
            octets: u64::from_le_bytes(seal[32..40].try_into().ok()?),
            frames: number(seal, 40),
            index_crc: number(seal, 44),
        };
        (good && seal.octets.div_ceil(FRAME as u64) == u64::from(seal.frames)).then_some(seal)
    }

    /// The place of each frame in the file, and of the end of the last.
    pub(super) fn places(&self, index: &[u8]) -> Option<Vec<u64>> {
        if crc32fast::hash(index) != self.index_crc || index.len() != self.frames as usize * 4 {
            return None;
        }
        let mut at = HEADER as u64;
        let mut places = Vec::with_capacity(self.frames as usize + 1);
        places.push(at);
        for size in index.chunks_exact(4) {
            at += FRAME_HEADER as u64 + u64::from(number(size, 0));
            places.push(at);
        }
        Some(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_frame_comes_back_as_it_was(plain in proptest::collection::vec(any::<u8>(), 0..5000), compress: bool, same: bool) {
            let plain = if same { vec![7; plain.len()] } else { plain };
            let mut out = Vec::new();
            let stored = Encoder::new(compress).frame(3, &plain, &mut out);
            prop_assert_eq!(stored as usize, out.len() - FRAME_HEADER);
            prop_assert!(stored as usize <= plain.len());
            prop_assert_eq!(open_frame(3, &out), Some(plain));
            prop_assert_eq!(open_frame(4, &out), None);
        }

        #[test]
        fn a_damaged_frame_is_refused(at in 0usize..1000, bit in 0u8..8, compress: bool) {
            let plain: Vec<u8> = (0..900u32).map(|n| (n / 7) as u8).collect();
            let mut out = Vec::new();
            Encoder::new(compress).frame(0, &plain, &mut out);
            let at = at % out.len();
            out[at] ^= 1 << bit;
            prop_assert_eq!(open_frame(0, &out), None);
        }
    }
}
