//! Paper: self-describing names (PWG 5101.1) and sizes.

use serde::{Deserialize, Serialize};

/// Width and length in hundredths of a millimetre, as in "media-size".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MediaSize {
    /// "x-dimension"
    pub x: u32,
    /// "y-dimension"
    pub y: u32,
}

/// Sizes this near to each other are the same paper: 5 points.
const TOLERANCE: u32 = 176;

/// Names of people for sizes of standards.
const LABELS: &[(&str, &str)] = &[
    ("iso_a3_297x420mm", "A3"),
    ("iso_a4_210x297mm", "A4"),
    ("iso_a5_148x210mm", "A5"),
    ("iso_a6_105x148mm", "A6"),
    ("iso_b5_176x250mm", "ISO B5"),
    ("jis_b4_257x364mm", "JIS B4"),
    ("jis_b5_182x257mm", "JIS B5"),
    ("jpn_hagaki_100x148mm", "Hagaki"),
    ("iso_dl_110x220mm", "DL envelope"),
    ("na_letter_8.5x11in", "Letter"),
    ("na_legal_8.5x14in", "Legal"),
    ("na_ledger_11x17in", "Tabloid"),
    ("na_executive_7.25x10.5in", "Executive"),
    ("na_index-4x6_4x6in", "4x6"),
    ("na_5x7_5x7in", "5x7"),
];

impl MediaSize {
    /// The size that a name of PWG 5101.1 tells by itself: `iso_a4_210x297mm`.
    pub fn from_name(name: &str) -> Option<Self> {
        let (_, dimensions) = name.rsplit_once('_')?;
        let (numbers, per_unit) = match (dimensions.strip_suffix("mm"), dimensions.strip_suffix("in")) {
            (Some(numbers), _) => (numbers, 100.0),
            (_, Some(numbers)) => (numbers, 2540.0),
            _ => return None,
        };
        let (x, y) = numbers.split_once('x')?;
        let dimension = |text: &str| {
            let number: f64 = text.parse().ok()?;
            // A little is added so that a number like 8.5 * 2540 is not cut below itself.
            (number.is_finite() && number > 0.0 && number < 10_000.0).then_some((number * per_unit + 0.001) as u32)
        };
        Some(Self { x: dimension(x)?, y: dimension(y)? })
    }

    /// Whether both are the same paper, either way round.
    pub fn fits(self, other: Self) -> bool {
        let near = |a: u32, b: u32| a.abs_diff(b) <= TOLERANCE;
        (near(self.x, other.x) && near(self.y, other.y)) || (near(self.x, other.y) && near(self.y, other.x))
    }

    /// The size of so many dots at a resolution.
    pub fn of_dots(width: u32, height: u32, dpi: (u32, u32)) -> Self {
        let side = |dots: u32, dpi: u32| {
            let dpi = u64::from(dpi.max(1));
            ((u64::from(dots) * 2540 + dpi / 2) / dpi).min(u64::from(u32::MAX)) as u32
        };
        Self { x: side(width, dpi.0), y: side(height, dpi.1) }
    }

    /// The standard name of this size, if it has one here.
    pub fn standard_name(self) -> Option<&'static str> {
        LABELS.iter().map(|(name, _)| *name).find(|name| Self::from_name(name).is_some_and(|s| s.fits(self)))
    }

    /// What people call it: `A4`, or its measures.
    pub fn label(self) -> String {
        match LABELS.iter().find(|(name, _)| Self::from_name(name).is_some_and(|s| s.fits(self))) {
            Some((_, label)) => (*label).to_owned(),
            None => format!("paper of {} x {} mm", (self.x + 50) / 100, (self.y + 50) / 100),
        }
    }
}

/// Paper by its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Media {
    /// PWG 5101.1: `iso_a4_210x297mm`.
    pub name: String,
    /// What the name says.
    pub size: MediaSize,
}

impl Media {
    /// Paper by a self-describing name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(Self { name: name.to_owned(), size: MediaSize::from_name(name)? })
    }

    /// ISO A4.
    pub fn a4() -> Self {
        Self { name: "iso_a4_210x297mm".to_owned(), size: MediaSize { x: 21_000, y: 29_700 } }
    }

    /// ISO A5.
    pub fn a5() -> Self {
        Self { name: "iso_a5_148x210mm".to_owned(), size: MediaSize { x: 14_800, y: 21_000 } }
    }

    /// All names that the printer can be loaded with.
    pub fn all_names() -> impl Iterator<Item = &'static str> {
        LABELS.iter().map(|(name, _)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_size() {
        assert_eq!(MediaSize::from_name("iso_a4_210x297mm"), Some(MediaSize { x: 21_000, y: 29_700 }));
        assert_eq!(MediaSize::from_name("na_letter_8.5x11in"), Some(MediaSize { x: 21_590, y: 27_940 }));
        assert_eq!(MediaSize::from_name("na_executive_7.25x10.5in"), Some(MediaSize { x: 18_415, y: 26_670 }));
        for bad in ["", "a4", "iso_a4_210mm", "iso_a4_-1x2mm", "iso_a4_1e9x2mm", "x_nanxinfmm"] {
            assert_eq!(MediaSize::from_name(bad), None, "{bad}");
        }
        assert!(Media::all_names().all(|n| MediaSize::from_name(n).is_some()));
    }

    #[test]
    fn a_raster_of_a4_is_a4() {
        let size = MediaSize::of_dots(2480, 3508, (300, 300));
        assert!(size.fits(Media::a4().size));
        assert!(!size.fits(MediaSize::from_name("na_letter_8.5x11in").unwrap()));
        assert_eq!((size.label(), size.standard_name()), ("A4".into(), Some("iso_a4_210x297mm")));
        assert_eq!(MediaSize { x: 12_345, y: 20_000 }.label(), "paper of 123 x 200 mm");
    }
}
