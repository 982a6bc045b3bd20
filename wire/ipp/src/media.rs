//! Media sizes and their self-describing names (PWG 5101.1): `iso_a4_210x297mm` is a class, a name and a size.
//!
//! Lengths are in 1/100 mm as in "media-size". Names in inches are converted by 2,540 and cut off.

mod known;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::attribute::{Attribute, Collection};
use crate::registry::media_sizes::MEDIA_SIZES;

/// How far a size may be off and still be the same, in 1/100 mm: 5 points, as CUPS has it.
pub const TOLERANCE: i32 = 176;

/// The longest length that a name can say, in 1/100 mm: 10 km.
const LENGTH_MAX: u64 = 1_000_000_000;

/// Width and height as the medium is fed in portrait, in 1/100 mm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    /// "x-dimension"
    pub x: i32,
    /// "y-dimension"; 0 on a roll
    pub y: i32,
}

impl Size {
    /// iso_a4_210x297mm
    pub const A4: Self = Self::new(21_000, 29_700);
    /// na_letter_8.5x11in
    pub const LETTER: Self = Self::new(21_590, 27_940);

    /// A size in 1/100 mm.
    #[must_use]
    pub const fn new(x: i32, y: i32) -> Self {
        Self { x, y }
    }

    /// Whether both lengths differ by at most `tolerance`.
    #[must_use]
    pub const fn is_near(self, other: Self, tolerance: i32) -> bool {
        self.x.abs_diff(other.x) <= tolerance as u32 && self.y.abs_diff(other.y) <= tolerance as u32
    }

    /// The size turned by a quarter.
    #[must_use]
    pub const fn turned(self) -> Self {
        Self { x: self.y, y: self.x }
    }

    /// Width and height in points of 1/72 inch.
    #[must_use]
    pub fn points(self) -> (f32, f32) {
        let points = |length: i32| length as f32 * 72.0 / 2_540.0;
        (points(self.x), points(self.y))
    }

    /// Width and height in dots at a resolution, rounded.
    #[must_use]
    pub fn dots(self, cross_feed_dpi: u32, feed_dpi: u32) -> (u32, u32) {
        let dots = |length: i32, dpi: u32| {
            let rounded = (u64::try_from(length).unwrap_or(0) * u64::from(dpi) + 1_270) / 2_540;
            u32::try_from(rounded).unwrap_or(u32::MAX)
        };
        (dots(self.x, cross_feed_dpi), dots(self.y, feed_dpi))
    }

    /// The collection "media-size".
    #[must_use]
    pub fn to_media_size(self) -> Collection {
        Collection::new().with("x-dimension", self.x).with("y-dimension", self.y)
    }

    /// Reads "media-size"; `None` if a dimension is missing or a range.
    #[must_use]
    pub fn from_media_size(media_size: &Collection) -> Option<Self> {
        let dimension = |name| media_size.get(name).and_then(Attribute::integer).filter(|length| *length >= 0);
        Some(Self { x: dimension("x-dimension")?, y: dimension("y-dimension")? })
    }

    /// The size of "media-col", from its "media-size" or else its "media-size-name".
    #[must_use]
    pub fn from_media_col(media_col: &Collection) -> Option<Self> {
        let size = media_col.get("media-size").and_then(Attribute::collection);
        size.and_then(Self::from_media_size).or_else(|| size_of(media_col.get("media-size-name")?.string()?))
    }

    /// The name of this size: the registered one within [`TOLERANCE`], else `custom_…`.
    #[must_use]
    pub fn name(self) -> String {
        find(self).map_or_else(|| self.custom_name(), ToOwned::to_owned)
    }

    /// A name of class custom, in millimetres: `custom_99.5x200mm_99.5x200mm`.
    #[must_use]
    pub fn custom_name(self) -> String {
        format!("custom_{self}_{self}")
    }
}

/// `210x297mm`
impl fmt::Display for Size {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |out: &mut fmt::Formatter<'_>, length: i32| {
            let (sign, length) = (if length < 0 { "-" } else { "" }, length.unsigned_abs());
            write!(out, "{sign}{}", length / 100)?;
            match length % 100 {
                0 => Ok(()),
                tenths if tenths % 10 == 0 => write!(out, ".{}", tenths / 10),
                hundredths => write!(out, ".{hundredths:02}"),
            }
        };
        length(out, self.x)?;
        out.write_str("x")?;
        length(out, self.y)?;
        out.write_str("mm")
    }
}

/// A self-describing name taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaName<'a> {
    /// "iso", "na", "jis", "jpn", "prc", "roc", "oe", "om", "asme", "disc" or "custom".
    pub class: &'a str,
    /// What stands between class and dimensions; "min" and "max" of class custom bound other custom sizes.
    pub label: &'a str,
    /// The dimensions.
    pub size: Size,
}

impl<'a> MediaName<'a> {
    /// Takes a name apart; `None` if it does not describe itself.
    #[must_use]
    pub fn parse(name: &'a str) -> Option<Self> {
        let (front, dimensions) = name.rsplit_once('_')?;
        let (class, label) = front.split_once('_').unwrap_or((front, ""));
        let is_plain = |part: &str| part.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(&octet));
        if class.is_empty() || !is_plain(class) || !is_plain(label) {
            return None;
        }
        Some(Self { class, label, size: dimensions_of(dimensions)? })
    }

    /// Whether the size is none of the registered ones.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.class == "custom"
    }
}

/// Reads "210x297mm" or "8.5x11in".
fn dimensions_of(dimensions: &str) -> Option<Size> {
    let (lengths, per_unit) = match dimensions.strip_suffix("mm") {
        Some(lengths) => (lengths, 100),
        None => (dimensions.strip_suffix("in")?, 2_540),
    };
    let (x, y) = lengths.split_once('x')?;
    let size = Size { x: length_of(x, per_unit)?, y: length_of(y, per_unit)? };
    (size.x > 0).then_some(size)
}

fn length_of(decimal: &str, per_unit: u64) -> Option<i32> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, "0"));
    let digits = |part: &str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|octet| octet.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let scale = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
    let number = whole.parse::<u64>().ok()? * scale + fraction.parse::<u64>().ok()?;
    // at most 18 digits times 2,540 may exceed 64 bits
    let length = u64::try_from(u128::from(number) * u128::from(per_unit) / u128::from(scale)).ok()?;
    (length <= LENGTH_MAX).then_some(length as i32)
}

/// The size of a medium by its self-describing name, its legacy name (`iso-a4`) or what people call it (`A4`).
#[must_use]
pub fn size_of(name: &str) -> Option<Size> {
    if let Some(parsed) = MediaName::parse(name) {
        return Some(parsed.size);
    }
    MediaName::parse(canonical(name)?).map(|parsed| parsed.size)
}

/// The registered self-describing name for a registered, legacy or people's name; people's in any case.
#[must_use]
pub fn canonical(name: &str) -> Option<&'static str> {
    if let Ok(at) = MEDIA_SIZES.binary_search_by(|row| row.0.cmp(name)) {
        return Some(MEDIA_SIZES[at].0);
    }
    let legacy = known::LEGACY.iter().find(|row| row.0 == name).map(|row| row.1);
    legacy.or_else(|| known::CALLED.iter().find(|row| row.1.eq_ignore_ascii_case(name)).map(|row| row.0))
}

/// The registered name whose size is nearest, within [`TOLERANCE`] on both sides.
#[must_use]
pub fn find(size: Size) -> Option<&'static str> {
    find_within(size, TOLERANCE)
}

/// The registered name whose size is nearest, within a tolerance in 1/100 mm on both sides.
///
/// Of names for the same size, the one that people know comes first: A4 before an envelope.
#[must_use]
pub fn find_within(size: Size, tolerance: i32) -> Option<&'static str> {
    let off = |row: &(&str, i32, i32)| u64::from(size.x.abs_diff(row.1)) + u64::from(size.y.abs_diff(row.2));
    let near = MEDIA_SIZES.iter().filter(|row| size.is_near(Size::new(row.1, row.2), tolerance));
    near.min_by_key(|row| (off(row), known::rank(row.0))).map(|row| row.0)
}

/// The nearest of some names, such as "media-supported", within [`TOLERANCE`]; names without a size are passed over.
pub fn find_among<'a>(size: Size, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let off = |other: Size| u64::from(size.x.abs_diff(other.x)) + u64::from(size.y.abs_diff(other.y));
    let sized = names.into_iter().filter_map(|name| size_of(name).map(|size| (name, size)));
    let near = sized.filter(|(_, other)| size.is_near(*other, TOLERANCE));
    near.min_by_key(|(_, other)| off(*other)).map(|(name, _)| name)
}

/// Every registered name with its size, sorted by name.
pub fn registered() -> impl Iterator<Item = (&'static str, Size)> {
    MEDIA_SIZES.iter().map(|row| (row.0, Size::new(row.1, row.2)))
}

/// What people call a medium: "A4", "Letter", "Envelope DL", or its size; a name without a size stays as it is.
#[must_use]
pub fn called(name: &str) -> String {
    let name = canonical(name).unwrap_or(name);
    if let Some(row) = known::CALLED.iter().find(|row| row.0 == name) {
        return row.1.to_owned();
    }
    let Some(parsed) = MediaName::parse(name) else {
        return name.to_owned();
    };
    if let Some(row) = find(parsed.size).and_then(|near| known::CALLED.iter().find(|row| row.0 == near))
        && parsed.is_custom()
    {
        return row.1.to_owned();
    }
    let dimensions = name.rsplit('_').next().unwrap_or(name);
    if dimensions.ends_with("in") {
        let lengths = dimensions.trim_end_matches("in");
        return lengths.replacen('x', " x ", 1) + " in";
    }
    format!("{}", parsed.size).trim_end_matches("mm").replacen('x', " x ", 1) + " mm"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;
    use std::string::ToString;

    #[test]
    fn every_registered_name_describes_its_size() {
        for (name, size) in registered() {
            let parsed = MediaName::parse(name).unwrap();
            assert_eq!(parsed.size, size, "{name}");
            assert_eq!(canonical(name), Some(name));
            let found = find_within(size, 0).unwrap();
            assert_eq!(size_of(found), Some(size), "{name} {found}");
        }
        assert!(MEDIA_SIZES.is_sorted());
    }

    #[test]
    fn every_name_in_our_tables_is_registered() {
        for (_, name) in known::LEGACY {
            assert!(MediaName::parse(canonical(name).unwrap()).is_some(), "{name}");
        }
        for (nth, (name, called)) in known::CALLED.iter().enumerate() {
            assert_eq!(canonical(called), Some(*name), "{called}");
            assert!(known::CALLED[..nth].iter().all(|row| row.0 != *name), "{name} twice");
        }
    }

    #[test]
    fn takes_a_name_apart() {
        let parsed = MediaName::parse("na_number-10_4.125x9.5in").unwrap();
        assert_eq!((parsed.class, parsed.label, parsed.size), ("na", "number-10", Size::new(10_477, 24_130)));
        let custom = MediaName::parse("custom_my_label_99.99x1000mm").unwrap();
        assert!(custom.is_custom());
        assert_eq!((custom.label, custom.size), ("my_label", Size::new(9_999, 100_000)));
        let roll = MediaName::parse("custom_roll_62x0mm").unwrap();
        assert_eq!(roll.size, Size::new(6_200, 0));
        assert_eq!(MediaName::parse("custom_90x100mm").unwrap().label, "");
        assert_eq!(size_of("custom_max_13x47.24in"), Some(Size::new(33_020, 119_989)));
    }

    #[test]
    fn a_name_that_does_not_describe_itself_has_no_size() {
        for name in [
            "",
            "_",
            "a4",
            "iso_a4",
            "iso_a4_210x297",
            "iso_a4_210mm",
            "iso_a4_x297mm",
            "iso_a4_210x297cm",
            "iso_a4_-210x297mm",
            "iso_a4_2.1.0x297mm",
            "iso_a4_.5x1mm",
            "iso_a4_1.x1mm",
            "iso_a4_0x297mm",
            "_a4_210x297mm",
            "iso_a 4_210x297mm",
            "iso_a4_9999999999x1mm",
            "iso_a4_999999999x1in",
            "iso_a4_1x1.0000000000mm",
            "mm",
            "in",
            "x",
            "_xmm",
            "é_1x1mm",
        ] {
            assert_eq!(MediaName::parse(name), None, "{name}");
        }
        // the largest number of digits does not overflow
        assert_eq!(MediaName::parse("custom_a_999999999.999999999x999999999.999999999in"), None);
        assert_eq!(size_of("custom_a_10000000x1mm"), Some(Size::new(1_000_000_000, 100)));
        assert_eq!(size_of("custom_a_10000000.01x1mm"), None);
    }

    #[test]
    fn finds_a_size_that_is_nearly_right() {
        assert_eq!(find(Size::A4), Some("iso_a4_210x297mm"));
        assert_eq!(find(Size::new(21_000 + 176, 29_700 - 176)), Some("iso_a4_210x297mm"));
        assert_eq!(find(Size::new(21_000 + 177, 29_700)), None);
        assert_eq!(find(Size::new(i32::MIN, i32::MAX)), None);
        assert_eq!(find(Size::LETTER), Some("na_letter_8.5x11in"));
        assert_eq!(Size::new(12_345, 6_789).name(), "custom_123.45x67.89mm_123.45x67.89mm");
        assert_eq!(size_of(&Size::new(12_345, 6_780).name()), Some(Size::new(12_345, 6_780)));
        let supported = ["na_letter_8.5x11in", "custom_min_50x50mm", "custom_a4_209.9x297mm", "stationery"];
        assert_eq!(find_among(Size::A4, supported), Some("custom_a4_209.9x297mm"));
    }

    #[test]
    fn people_and_old_printers_have_names_of_their_own() {
        assert_eq!(canonical("iso-a4"), Some("iso_a4_210x297mm"));
        assert_eq!(canonical("a4"), Some("iso_a4_210x297mm"));
        assert_eq!(canonical("LETTER"), Some("na_letter_8.5x11in"));
        assert_eq!(size_of("na-legal"), Some(Size::new(21_590, 35_560)));
        assert_eq!(called("iso_a4_210x297mm"), "A4");
        assert_eq!(called("na_letter_8.5x11in"), "Letter");
        assert_eq!(called("na-letter"), "Letter");
        assert_eq!(called("oe_13x22_13x22in"), "13 x 22 in");
        assert_eq!(called("custom_x_99.5x200mm"), "99.5 x 200 mm");
        assert_eq!(called("custom_a4_210x297mm"), "A4");
        assert_eq!(called("Letterhead"), "Letterhead");
    }

    #[test]
    fn a_size_travels_as_a_collection() {
        let media_col = Collection::new().with("media-size", Size::A4.to_media_size());
        assert_eq!(Size::from_media_col(&media_col), Some(Size::A4));
        let by_name = Collection::new().with("media-size-name", Value::keyword("iso_a4_210x297mm"));
        assert_eq!(Size::from_media_col(&by_name), Some(Size::A4));
        let ranges = Collection::new().with("x-dimension", Value::range(1, 2)).with("y-dimension", 1);
        assert_eq!(Size::from_media_size(&ranges), None);
        assert_eq!(Size::A4.dots(600, 600), (4961, 7016));
        assert_eq!(Size::LETTER.dots(300, 600), (2550, 6600));
        assert_eq!(Size::A4.turned().to_string(), "297x210mm");
    }
}
