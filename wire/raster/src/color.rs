//! What a pixel is made of: colour space, bits, number of colours (PWG 5102.4 tables 12 and 13).

/// Colour space of a page; the numbers are those of PWG Raster's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColorSpace {
    /// Red, green, blue of the device; 0 is dark. Number 1.
    Rgb,
    /// Black ink; 0 is no ink. Number 3.
    Black,
    /// Cyan, magenta, yellow, black ink; 0 is no ink. Number 6.
    Cmyk,
    /// Grey with sRGB's curve; 0 is black. Number 18.
    Sgray,
    /// sRGB; 0 is dark. Number 19.
    Srgb,
    /// Adobe RGB (1998); 0 is dark. Number 20.
    AdobeRgb,
    /// 1 to 15 inks of the device. Numbers 48 to 62.
    Device(u8),
}

impl ColorSpace {
    /// Reads the number of the header.
    pub fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Rgb,
            3 => Self::Black,
            6 => Self::Cmyk,
            18 => Self::Sgray,
            19 => Self::Srgb,
            20 => Self::AdobeRgb,
            48..=62 => Self::Device((number - 47) as u8),
            _ => return None,
        })
    }

    /// The number of the header.
    pub fn number(self) -> u32 {
        match self {
            Self::Rgb => 1,
            Self::Black => 3,
            Self::Cmyk => 6,
            Self::Sgray => 18,
            Self::Srgb => 19,
            Self::AdobeRgb => 20,
            Self::Device(inks) => 47 + u32::from(inks),
        }
    }

    /// How many colour components a pixel has.
    pub fn num_colors(self) -> u32 {
        match self {
            Self::Black | Self::Sgray => 1,
            Self::Rgb | Self::Srgb | Self::AdobeRgb => 3,
            Self::Cmyk => 4,
            Self::Device(inks) => u32::from(inks),
        }
    }

    /// Whether a value counts ink (0 is paper) and not light (the highest value is paper).
    pub fn counts_ink(self) -> bool {
        match self {
            Self::Black | Self::Cmyk | Self::Device(_) => true,
            Self::Rgb | Self::Sgray | Self::Srgb | Self::AdobeRgb => false,
        }
    }

    /// The octet of an empty pixel, for every component and depth.
    pub fn white_octet(self) -> u8 {
        if self.counts_ink() { 0x00 } else { 0xFF }
    }
}

/// A kind of pixel, as named by "pwg-raster-document-type-supported".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelType {
    /// Colour space, which fixes the number of colours.
    pub color_space: ColorSpace,
    /// Bits of one component: 1, 8 or 16 (big-endian).
    pub bits_per_color: u32,
}

impl PixelType {
    /// One bit a pixel, 1 is ink.
    pub const BLACK_1: Self = Self::of(ColorSpace::Black, 1);
    /// Eight bits a pixel, 255 is full ink.
    pub const BLACK_8: Self = Self::of(ColorSpace::Black, 8);
    /// Eight bits a pixel, 255 is white.
    pub const SGRAY_8: Self = Self::of(ColorSpace::Sgray, 8);
    /// sRGB, eight bits a component.
    pub const SRGB_8: Self = Self::of(ColorSpace::Srgb, 8);
    /// RGB of the device, eight bits a component.
    pub const RGB_8: Self = Self::of(ColorSpace::Rgb, 8);
    /// Four inks, eight bits each.
    pub const CMYK_8: Self = Self::of(ColorSpace::Cmyk, 8);

    const fn of(color_space: ColorSpace, bits_per_color: u32) -> Self {
        Self { color_space, bits_per_color }
    }

    /// The pixel type of three header fields, if they go together.
    pub fn from_fields(color_space: u32, bits_per_color: u32, num_colors: u32) -> Option<Self> {
        let color_space = ColorSpace::from_number(color_space)?;
        let bits_fit = match bits_per_color {
            1 => matches!(color_space, ColorSpace::Black | ColorSpace::Sgray),
            8 | 16 => true,
            _ => false,
        };
        (bits_fit && num_colors == color_space.num_colors()).then_some(Self { color_space, bits_per_color })
    }

    /// Bits of one pixel, 1 to 240.
    pub fn bits_per_pixel(self) -> u32 {
        self.bits_per_color * self.color_space.num_colors()
    }

    /// Octets that the line coding treats as one value: a pixel, or eight pixels of one bit.
    pub fn unit(self) -> usize {
        (self.bits_per_pixel() as usize / 8).max(1)
    }

    /// Octets of a line of `width` pixels.
    pub fn bytes_per_line(self, width: u32) -> u64 {
        (u64::from(self.bits_per_pixel()) * u64::from(width)).div_ceil(8)
    }

    /// The keyword of "pwg-raster-document-type-supported"; None for device colours.
    pub fn keyword(self) -> Option<&'static str> {
        Some(match (self.color_space, self.bits_per_color) {
            (ColorSpace::Black, 1) => "black_1",
            (ColorSpace::Black, 8) => "black_8",
            (ColorSpace::Black, 16) => "black_16",
            (ColorSpace::Sgray, 1) => "sgray_1",
            (ColorSpace::Sgray, 8) => "sgray_8",
            (ColorSpace::Sgray, 16) => "sgray_16",
            (ColorSpace::Srgb, 8) => "srgb_8",
            (ColorSpace::Srgb, 16) => "srgb_16",
            (ColorSpace::AdobeRgb, 8) => "adobe-rgb_8",
            (ColorSpace::AdobeRgb, 16) => "adobe-rgb_16",
            (ColorSpace::Rgb, 8) => "rgb_8",
            (ColorSpace::Rgb, 16) => "rgb_16",
            (ColorSpace::Cmyk, 8) => "cmyk_8",
            (ColorSpace::Cmyk, 16) => "cmyk_16",
            _ => return None,
        })
    }

    /// Reads a keyword of "pwg-raster-document-type-supported"; device colours are not read.
    pub fn from_keyword(keyword: &str) -> Option<Self> {
        use ColorSpace::{AdobeRgb, Black, Cmyk, Rgb, Sgray, Srgb};
        let (space, bits) = keyword.rsplit_once('_')?;
        let color_space = match space {
            "black" => Black,
            "sgray" => Sgray,
            "srgb" => Srgb,
            "adobe-rgb" => AdobeRgb,
            "rgb" => Rgb,
            "cmyk" => Cmyk,
            _ => return None,
        };
        let bits = bits.parse().ok()?;
        Self::from_fields(color_space.number(), bits, color_space.num_colors())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_read_back() {
        for number in 0..64 {
            for bits in [1, 8, 16] {
                let Some(space) = ColorSpace::from_number(number) else {
                    continue;
                };
                assert_eq!(space.number(), number);
                let Some(pixel) = PixelType::from_fields(number, bits, space.num_colors()) else {
                    continue;
                };
                if let Some(keyword) = pixel.keyword() {
                    assert_eq!(PixelType::from_keyword(keyword), Some(pixel));
                }
            }
        }
    }

    #[test]
    fn line_lengths_are_those_of_table_12() {
        assert_eq!(PixelType::BLACK_1.bytes_per_line(23), 3);
        assert_eq!(PixelType::SRGB_8.bytes_per_line(4), 12);
        assert_eq!(PixelType::from_fields(62, 16, 15).unwrap().bytes_per_line(2), 60);
        assert_eq!(PixelType::from_fields(19, 1, 3), None, "srgb has no 1-bit form");
        assert_eq!(PixelType::from_fields(19, 8, 4), None, "srgb has three colours");
    }
}
