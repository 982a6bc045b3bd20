//! PWG Raster, MIME type `image/pwg-raster` (PWG 5102.4-2012 section 4).
//!
//! Four octets `RaS2`, then for each page a header of 1796 octets and the compressed lines. All
//! numbers are big-endian, pixels of one bit begin at the highest bit. There is no page trailer and
//! no length: only decoding finds the next page. The relatives of CUPS (`RaSt`, `RaS3`, and all
//! little-endian forms) are refused.

mod encoder;
mod header;

pub use crate::color::{ColorSpace, PixelType};
pub use encoder::Encoder;
pub(crate) use encoder::check_rows;
pub use header::{HEADER_OCTETS, PageHeader, When};

use crate::error::RasterError;
use crate::line::Code80;
use crate::page::{Geometry, PageFormat, sealed::Sealed};

/// The four octets a file begins with.
pub const SYNC_WORD: [u8; 4] = *b"RaS2";

/// PWG Raster, for [`Reader`].
#[derive(Debug, Clone, Copy)]
pub struct Pwg;

/// Reads PWG Raster that is pushed in pieces.
pub type Reader = crate::page::Reader<Pwg>;
/// What a [`Reader`] found.
pub type Event<'a> = crate::page::Event<'a, PageHeader>;

impl Sealed for Pwg {}

impl PageFormat for Pwg {
    type Header = PageHeader;
    const FILE_HEADER_OCTETS: usize = 4;
    const PAGE_HEADER_OCTETS: usize = HEADER_OCTETS;
    const CODE_80: Code80 = Code80::Undefined;

    fn file_header(octets: &[u8]) -> Result<Option<u32>, RasterError> {
        if octets == SYNC_WORD { Ok(None) } else { Err(RasterError::WrongMagic { format: "PWG Raster" }) }
    }

    fn page_header(octets: &[u8], page: u32) -> Result<PageHeader, RasterError> {
        PageHeader::decode(octets, page)
    }

    fn geometry(header: &PageHeader) -> Geometry {
        Geometry {
            width: header.width,
            height: header.height,
            bytes_per_line: header.pixel_type.bytes_per_line(header.width),
            unit: header.pixel_type.unit(),
            white: header.pixel_type.color_space.white_octet(),
        }
    }
}

#[cfg(test)]
mod tests;
