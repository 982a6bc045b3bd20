//! Reads one sealed document file, checking every frame.

use super::file_error;
use super::format::{FRAME, HEADER, SEAL, Seal, header_is_good, open_frame};
use crate::StoreError;
use bytes::Bytes;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use tympan_engine::DocumentId;

#[derive(Debug)]
pub(crate) struct FileReader {
    id: DocumentId,
    file: File,
    octets: u64,
    places: Vec<u64>,
    frame: Vec<u8>,
}

impl FileReader {
    /// Opens a file and checks that it is the document that its row tells of.
    pub(super) fn open(path: &Path, id: DocumentId, octets: u64, sha256: &[u8; 32]) -> Result<Self, StoreError> {
        let damaged = |offset| StoreError::Damaged { id, offset };
        let failed = |cause| file_error("read a document", cause);
        let file = match File::open(path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Err(damaged(0)),
            Err(cause) => return Err(failed(cause)),
        };
        let size = file.metadata().map_err(failed)?.len();
        let mut header = [0; HEADER];
        let mut seal = [0; SEAL];
        if size < (HEADER + SEAL) as u64 {
            return Err(damaged(0));
        }
        file.read_exact_at(&mut header, 0).map_err(failed)?;
        file.read_exact_at(&mut seal, size - SEAL as u64).map_err(failed)?;
        let seal = Seal::parse(&seal).filter(|_| header_is_good(&header, id)).ok_or_else(|| damaged(0))?;
        if seal.octets != octets || seal.sha256 != *sha256 {
            return Err(damaged(0));
        }
        let index_octets = u64::from(seal.frames) * 4;
        let index_at = size.checked_sub(SEAL as u64 + index_octets).ok_or_else(|| damaged(0))?;
        let mut index = vec![0; index_octets as usize];
        file.read_exact_at(&mut index, index_at).map_err(failed)?;
        let places = seal.places(&index).filter(|places| places.last() == Some(&index_at)).ok_or_else(|| damaged(0))?;
        Ok(Self { id, file, octets, places, frame: Vec::new() })
    }

    /// The plaintext of a frame; empty after the last.
    pub(crate) fn frame(&mut self, number: u64) -> Result<Bytes, StoreError> {
        let damaged = || StoreError::Damaged { id: self.id, offset: number * FRAME as u64 };
        let at = usize::try_from(number).ok().and_then(|n| Some((*self.places.get(n)?, *self.places.get(n + 1)?)));
        let Some((from, to)) = at else {
            return Ok(Bytes::new());
        };
        self.frame.resize((to - from) as usize, 0);
        match self.file.read_exact_at(&mut self.frame, from) {
            Ok(()) => {}
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => return Err(damaged()),
            Err(cause) => return Err(file_error("read a document", cause)),
        }
        let expected = (self.octets - number * FRAME as u64).min(FRAME as u64);
        match open_frame(number, &self.frame) {
            Some(plain) if plain.len() as u64 == expected => Ok(plain.into()),
            _ => Err(damaged()),
        }
    }
}
