//! Rows in, PWG Raster out.

use alloc::vec::Vec;

use super::{PageHeader, SYNC_WORD};
use crate::error::RasterError;
use crate::line::RowsEncoder;

/// Writes PWG Raster to the end of a buffer that the caller empties when it likes.
///
/// Rows come in bands of any number of whole rows; equal rows are joined also across bands. Holds
/// one row.
#[derive(Debug, Clone, Default)]
pub struct Encoder {
    rows: RowsEncoder,
}

impl Encoder {
    /// An encoder before its first page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes what a file begins with. A file of no pages is legal.
    pub fn start(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&SYNC_WORD);
    }

    /// Begins a page.
    pub fn page(&mut self, header: &PageHeader, out: &mut Vec<u8>) -> Result<(), RasterError> {
        if self.rows.rows_left() > 0 {
            return Err(RasterError::RowsMissing { missing: self.rows.rows_left() });
        }
        header.encode(out)?;
        self.rows.begin_page(header.bytes_per_line() as usize, header.pixel_type.unit(), header.height);
        Ok(())
    }

    /// Takes the next rows of the page.
    pub fn lines(&mut self, rows: &[u8], out: &mut Vec<u8>) -> Result<(), RasterError> {
        check_rows(&self.rows, rows)?;
        self.rows.rows(rows, out);
        Ok(())
    }

    /// Ends the page, which must have all its rows.
    pub fn end_page(&mut self, out: &mut Vec<u8>) -> Result<(), RasterError> {
        if self.rows.rows_left() > 0 {
            return Err(RasterError::RowsMissing { missing: self.rows.rows_left() });
        }
        self.rows.flush(out);
        Ok(())
    }
}

pub(crate) fn check_rows(encoder: &RowsEncoder, rows: &[u8]) -> Result<(), RasterError> {
    let bytes_per_line = encoder.bytes_per_line();
    let left = bytes_per_line as u64 * u64::from(encoder.rows_left());
    if rows.len() as u64 > left {
        return Err(RasterError::Rows { given: rows.len(), expected: left });
    }
    if bytes_per_line > 0 && !rows.len().is_multiple_of(bytes_per_line) {
        return Err(RasterError::Rows { given: rows.len(), expected: bytes_per_line as u64 });
    }
    Ok(())
}
