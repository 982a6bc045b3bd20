//! Apple Raster, MIME type `image/urf`. No public specification exists; this is what libcups reads
//! and writes.
//!
//! Twelve octets (`UNIRAST`, a zero, the number of pages or 0), then for each page a header of 32
//! octets and lines coded as in PWG Raster, where 0x80 empties the rest of a line. There is no form
//! with one bit a pixel.

use alloc::vec::Vec;

use crate::color::{ColorSpace, PixelType};
use crate::error::RasterError;
use crate::line::{Code80, RowsEncoder};
use crate::page::{Geometry, PageFormat, sealed::Sealed};
use crate::sheet_back::Sides;

const MAGIC: &[u8; 8] = b"UNIRAST\0";
const PAGE_HEADER_OCTETS: usize = 32;

/// What a page says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageHeader {
    /// Colour space and depth, 8 or 16 bits a component.
    pub pixel_type: PixelType,
    /// Octet 2.
    pub sides: Sides,
    /// Octet 3: 0 default, 3 draft, 4 normal, 5 high.
    pub print_quality: u8,
    /// Octet 4, an index of media types: 0 automatic, 1 stationery, 2 transparency, 3 envelope, ..
    pub media_type: u8,
    /// Octet 5: see [`media_position`](crate::media_position).
    pub media_position: u8,
    /// Pixels in a line.
    pub width: u32,
    /// Lines.
    pub height: u32,
    /// Dots per inch, the same in both directions.
    pub resolution: u32,
}

impl PageHeader {
    /// A one-sided page with everything else at the device's default.
    pub fn new(pixel_type: PixelType, width: u32, height: u32, dpi: u32) -> Self {
        Self {
            pixel_type,
            sides: Sides::OneSided,
            print_quality: 0,
            media_type: 0,
            media_position: 0,
            width,
            height,
            resolution: dpi,
        }
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), RasterError> {
        let pixel = self.pixel_type;
        let color_space = match (pixel.color_space, pixel.bits_per_color) {
            (ColorSpace::Sgray, 8 | 16) => 0,
            (ColorSpace::Srgb, 8 | 16) => 1,
            (ColorSpace::AdobeRgb, 8 | 16) => 3,
            (ColorSpace::Black, 8 | 16) => 4,
            (ColorSpace::Rgb, 8 | 16) => 5,
            (ColorSpace::Cmyk, 8 | 16) => 6,
            (space, bits_per_color) => {
                return Err(RasterError::PixelType {
                    page: 0,
                    color_space: space.number(),
                    bits_per_color,
                    num_colors: space.num_colors(),
                });
            }
        };
        for (field, value) in [("width", self.width), ("height", self.height), ("resolution", self.resolution)] {
            if value == 0 {
                return Err(RasterError::Field { page: 0, field, value: 0 });
            }
        }
        let duplex = match self.sides {
            Sides::OneSided => 1,
            Sides::TwoSidedShortEdge => 2,
            Sides::TwoSidedLongEdge => 3,
        };
        out.extend_from_slice(&[
            pixel.bits_per_pixel() as u8,
            color_space,
            duplex,
            self.print_quality,
            self.media_type,
            self.media_position,
        ]);
        out.extend_from_slice(&[0; 6]);
        for value in [self.width, self.height, self.resolution] {
            out.extend_from_slice(&value.to_be_bytes());
        }
        out.extend_from_slice(&[0; 8]);
        Ok(())
    }

    fn decode(h: &[u8], page: u32) -> Result<Self, RasterError> {
        let number = |offset: usize| {
            let mut octets = [0; 4];
            octets.copy_from_slice(&h[offset..offset + 4]);
            u32::from_be_bytes(octets)
        };
        let field = |field, value: u8| RasterError::Field { page, field, value: value.into() };
        let color_space = match h[1] {
            0 => ColorSpace::Sgray,
            1 => ColorSpace::Srgb,
            3 => ColorSpace::AdobeRgb,
            // Device grey counts ink here, as in libcups.
            4 => ColorSpace::Black,
            5 => ColorSpace::Rgb,
            6 => ColorSpace::Cmyk,
            other => return Err(field("colour space", other)),
        };
        let bits_per_color = u32::from(h[0]) / color_space.num_colors();
        let pixel_type = match bits_per_color {
            8 | 16 if u32::from(h[0]) == bits_per_color * color_space.num_colors() => {
                PixelType { color_space, bits_per_color }
            }
            _ => return Err(field("bits per pixel", h[0])),
        };
        let sides = match h[2] {
            0 | 1 => Sides::OneSided,
            2 => Sides::TwoSidedShortEdge,
            3 => Sides::TwoSidedLongEdge,
            other => return Err(field("duplex", other)),
        };
        if number(20) == 0 {
            return Err(field("resolution", 0));
        }
        Ok(Self {
            pixel_type,
            sides,
            print_quality: h[3],
            media_type: h[4],
            media_position: h[5],
            width: number(12),
            height: number(16),
            resolution: number(20),
        })
    }
}

/// Apple Raster, for [`Reader`].
#[derive(Debug, Clone, Copy)]
pub struct Urf;

/// Reads Apple Raster that is pushed in pieces.
pub type Reader = crate::page::Reader<Urf>;
/// What a [`Reader`] found.
pub type Event<'a> = crate::page::Event<'a, PageHeader>;

impl Sealed for Urf {}

impl PageFormat for Urf {
    type Header = PageHeader;
    const FILE_HEADER_OCTETS: usize = 12;
    const PAGE_HEADER_OCTETS: usize = PAGE_HEADER_OCTETS;
    const CODE_80: Code80 = Code80::FillWhite;

    fn file_header(octets: &[u8]) -> Result<Option<u32>, RasterError> {
        match octets.split_first_chunk::<8>() {
            Some((magic, pages)) if magic == MAGIC => {
                let pages = pages.first_chunk::<4>().map_or(0, |p| u32::from_be_bytes(*p));
                Ok((pages > 0).then_some(pages))
            }
            _ => Err(RasterError::WrongMagic { format: "Apple Raster" }),
        }
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

/// Writes Apple Raster to the end of a buffer that the caller empties when it likes. Holds one row.
#[derive(Debug, Clone, Default)]
pub struct Encoder {
    rows: RowsEncoder,
}

impl Encoder {
    /// An encoder before its first page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes what a file begins with; 0 pages means that their number is not known yet.
    pub fn start(&mut self, pages: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&pages.to_be_bytes());
    }

    /// Begins a page.
    pub fn page(&mut self, header: &PageHeader, out: &mut Vec<u8>) -> Result<(), RasterError> {
        if self.rows.rows_left() > 0 {
            return Err(RasterError::RowsMissing { missing: self.rows.rows_left() });
        }
        header.encode(out)?;
        let bytes_per_line = header.pixel_type.bytes_per_line(header.width);
        self.rows.begin_page(bytes_per_line as usize, header.pixel_type.unit(), header.height);
        Ok(())
    }

    /// Takes the next whole rows of the page.
    pub fn lines(&mut self, rows: &[u8], out: &mut Vec<u8>) -> Result<(), RasterError> {
        crate::pwg::check_rows(&self.rows, rows)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use alloc::vec;
    use proptest::prelude::*;

    fn read(octets: &[u8], piece: usize) -> Result<Vec<(PageHeader, Vec<u8>)>, RasterError> {
        let mut reader = Reader::new(Limits::default());
        let mut pages: Vec<(PageHeader, Vec<u8>)> = Vec::new();
        for part in octets.chunks(piece) {
            reader.push(part);
            while let Some(event) = reader.next()? {
                match event {
                    Event::Page(header) => pages.push((header, Vec::new())),
                    Event::Lines { count, row, .. } => {
                        for _ in 0..count {
                            pages.last_mut().unwrap().1.extend_from_slice(row);
                        }
                    }
                    Event::EndPage => {}
                }
            }
        }
        reader.finish().map(|()| pages)
    }

    fn encode(pages: u32, header: &PageHeader, rows: &[u8]) -> Vec<u8> {
        let (mut encoder, mut out) = (Encoder::new(), Vec::new());
        encoder.start(pages, &mut out);
        encoder.page(header, &mut out).unwrap();
        encoder.lines(rows, &mut out).unwrap();
        encoder.end_page(&mut out).unwrap();
        out
    }

    #[test]
    fn code_0x80_empties_the_rest_of_a_line() {
        for (pixel_type, black, white) in
            [(PixelType::SGRAY_8, 0x00u8, 0xFFu8), (PixelType::SRGB_8, 0x00, 0xFF), (PixelType::CMYK_8, 0xFF, 0x00)]
        {
            let header = PageHeader::new(pixel_type, 3, 2, 600);
            let mut out = Vec::new();
            Encoder::new().start(1, &mut out);
            header.encode(&mut out).unwrap();
            let unit = pixel_type.unit();
            out.extend([0, 0].iter().chain(&vec![black; unit]).chain(&[0x80, 0, 0x80]));
            let rows = &read(&out, 3).unwrap()[0].1;
            assert_eq!(rows[..unit], vec![black; unit]);
            assert_eq!(rows[unit..], vec![white; unit * 5]);
        }
    }

    #[test]
    fn the_header_has_the_octets_of_libcups() {
        let mut header = PageHeader::new(PixelType::SRGB_8, 0x09B0, 0x0DB4, 300);
        header.sides = Sides::TwoSidedLongEdge;
        header.print_quality = 4;
        let mut out = Vec::new();
        header.encode(&mut out).unwrap();
        let want = [24, 1, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0xB0, 0, 0, 0x0D, 0xB4, 0, 0, 1, 0x2C];
        assert_eq!((&out[..24], out.len()), (&want[..], 32));
    }

    #[test]
    fn fewer_pages_than_announced_are_an_early_end() {
        let header = PageHeader::new(PixelType::SGRAY_8, 3, 1, 600);
        assert!(read(&encode(1, &header, &[1, 2, 3]), 64).is_ok());
        let octets = encode(2, &header, &[1, 2, 3]);
        assert_eq!(read(&octets, 64), Err(RasterError::Truncated { page: 2, line: 0 }));
    }

    proptest! {
        #[test]
        fn any_page_reads_back(
            pixel_type in prop::sample::select(vec![
                PixelType::SGRAY_8, PixelType::SRGB_8, PixelType::RGB_8, PixelType::CMYK_8, PixelType::BLACK_8,
                PixelType { color_space: ColorSpace::AdobeRgb, bits_per_color: 16 },
            ]),
            width in 1u32..50,
            height in 1u32..20,
            seed in prop::collection::vec(any::<u8>(), 1..100),
            piece in 1usize..200,
        ) {
            let header = PageHeader::new(pixel_type, width, height, 600);
            let size = pixel_type.bytes_per_line(width) as usize * height as usize;
            let rows: Vec<u8> = seed.iter().copied().cycle().take(size).collect();
            prop_assert_eq!(read(&encode(1, &header, &rows), piece).unwrap(), vec![(header, rows)]);
        }

        #[test]
        fn any_octets_end_without_a_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut file = MAGIC.to_vec();
            file.extend_from_slice(&octets);
            let _ = read(&file, 7);
            let _ = read(&octets, 7);
        }
    }
}
