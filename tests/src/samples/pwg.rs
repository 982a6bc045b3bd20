//! PWG Raster files (PWG 5102.4).

use super::picture::scale;
use super::segments;

/// The pixels of a raster page: keywords of "pwg-raster-document-type-supported" (PWG 5102.4 section 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PwgType {
    /// `black_1`: one bit, 1 is ink.
    Black1,
    /// `sgray_8`: 0 is black.
    Sgray8,
    /// `srgb_8`.
    Srgb8,
    /// `srgb_16`.
    Srgb16,
    /// `cmyk_8`: 0 is no ink.
    Cmyk8,
}

impl PwgType {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Black1, Self::Sgray8, Self::Srgb8, Self::Srgb16, Self::Cmyk8];

    /// The keyword, `"srgb_8"`.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Black1 => "black_1",
            Self::Sgray8 => "sgray_8",
            Self::Srgb8 => "srgb_8",
            Self::Srgb16 => "srgb_16",
            Self::Cmyk8 => "cmyk_8",
        }
    }

    /// BitsPerColor, ColorSpace, NumColors (PWG 5102.4 table 12).
    fn header(self) -> (u32, u32, u32) {
        match self {
            Self::Black1 => (1, 3, 1),
            Self::Sgray8 => (8, 18, 1),
            Self::Srgb8 => (8, 19, 3),
            Self::Srgb16 => (16, 19, 3),
            Self::Cmyk8 => (8, 6, 4),
        }
    }

    fn white(self) -> &'static [u8] {
        match self {
            Self::Black1 => &[0],
            Self::Sgray8 => &[255],
            Self::Srgb8 => &[255; 3],
            Self::Srgb16 => &[255; 6],
            Self::Cmyk8 => &[0; 4],
        }
    }

    fn ink(self) -> &'static [u8] {
        match self {
            Self::Black1 => &[255],
            Self::Sgray8 => &[0],
            Self::Srgb8 => &[200, 0, 0],
            Self::Srgb16 => &[200, 0, 0, 0, 0, 0],
            Self::Cmyk8 => &[255, 255, 0, 0],
        }
    }
}

/// A raster document under construction.
#[derive(Clone, Debug)]
pub struct PwgSample {
    /// How many pages; each shows its number.
    pub pages: u32,
    /// The pixels.
    pub pwg_type: PwgType,
    /// Dots per inch, both ways.
    pub resolution_dpi: u32,
    /// The media's name (PWG 5101.1).
    pub media: &'static str,
    /// Its width and height in 1/100 mm.
    pub size_hmm: (u32, u32),
}

impl PwgSample {
    /// One A4 page.
    #[must_use]
    pub fn a4(pwg_type: PwgType, resolution_dpi: u32) -> Self {
        Self { pages: 1, pwg_type, resolution_dpi, media: "iso_a4_210x297mm", size_hmm: (21_000, 29_700) }
    }

    /// One page of North American letter.
    #[must_use]
    pub fn letter(pwg_type: PwgType, resolution_dpi: u32) -> Self {
        Self { media: "na_letter_8.5x11in", size_hmm: (21_590, 27_940), ..Self::a4(pwg_type, resolution_dpi) }
    }

    /// One page of 4 by 6 inches.
    #[must_use]
    pub fn photo(pwg_type: PwgType, resolution_dpi: u32) -> Self {
        Self { media: "na_index-4x6_4x6in", size_hmm: (10_160, 15_240), ..Self::a4(pwg_type, resolution_dpi) }
    }

    /// So many pages.
    #[must_use]
    pub fn pages(mut self, pages: u32) -> Self {
        self.pages = pages;
        self
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size_px(&self) -> (u32, u32) {
        let px = |hmm: u32| (hmm * self.resolution_dpi + 1270) / 2540;
        (px(self.size_hmm.0), px(self.size_hmm.1))
    }

    /// The octets of the file.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let mut file = b"RaS2".to_vec();
        for page in 1..=self.pages {
            self.header(&mut file);
            self.bitmap(page, &mut file);
        }
        file
    }

    fn header(&self, file: &mut Vec<u8>) {
        let mut header = [0; 1796];
        let (width, height) = self.size_px();
        let (bits, space, colours) = self.pwg_type.header();
        let points = |hmm: u32| (hmm * 72 + 1270) / 2540;
        let mut integer = |at: usize, value: u32| header[at..at + 4].copy_from_slice(&value.to_be_bytes());
        integer(276, self.resolution_dpi);
        integer(280, self.resolution_dpi);
        integer(340, 1);
        integer(352, points(self.size_hmm.0));
        integer(356, points(self.size_hmm.1));
        integer(372, width);
        integer(376, height);
        integer(384, bits);
        integer(388, bits * colours);
        integer(392, (bits * colours * width).div_ceil(8));
        integer(400, space);
        integer(420, colours);
        integer(452, self.pages);
        integer(456, 1);
        integer(460, 1);
        let mut text = |at: usize, value: &str| header[at..at + value.len()].copy_from_slice(value.as_bytes());
        text(0, "PwgRaster");
        text(192, "auto");
        text(1668, "auto");
        text(1732, self.media);
        file.extend_from_slice(&header);
    }

    fn bitmap(&self, number: u32, file: &mut Vec<u8>) {
        let (width, height) = self.size_px();
        // A "colour value" of one-bit pixels is eight of them: the figures' edges then lie on whole octets.
        let values = if self.pwg_type == PwgType::Black1 { width.div_ceil(8) } else { width };
        let bars: Vec<[u32; 4]> = segments::number(number)
            .iter()
            .map(|bar| {
                [
                    scale(bar.x, values),
                    scale(bar.x + bar.width, values),
                    scale(bar.y, height),
                    scale(bar.y + bar.height, height),
                ]
            })
            .collect();
        // Between two edges all lines are the same.
        let mut edges: Vec<u32> = bars.iter().flat_map(|bar| [bar[2], bar[3]]).chain([0, height]).collect();
        edges.sort_unstable();
        edges.dedup();
        for pair in edges.windows(2) {
            let inked: Vec<bool> = (0..values)
                .map(|x| bars.iter().any(|bar| (bar[0]..bar[1]).contains(&x) && (bar[2]..bar[3]).contains(&pair[0])))
                .collect();
            let mut line = Vec::new();
            for same in inked.chunk_by(|one, next| one == next) {
                let colour = if same[0] { self.pwg_type.ink() } else { self.pwg_type.white() };
                for run in same.chunks(128) {
                    line.push(run.len() as u8 - 1);
                    line.extend_from_slice(colour);
                }
            }
            let mut lines = pair[1] - pair[0];
            while lines > 0 {
                let repeat = lines.min(256);
                file.push((repeat - 1) as u8);
                file.extend_from_slice(&line);
                lines -= repeat;
            }
        }
    }
}
