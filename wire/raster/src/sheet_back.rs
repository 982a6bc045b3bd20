//! How the back of a sheet is turned before it is sent (PWG 5102.4 tables 9 and 10).
//!
//! The sender delivers the bitmap already turned; the header only records it.

/// "pwg-raster-document-sheet-back".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SheetBack {
    /// `normal`
    Normal,
    /// `flipped`
    Flipped,
    /// `manual-tumble`
    ManualTumble,
    /// `rotated`
    Rotated,
}

impl SheetBack {
    /// Reads the keyword.
    pub fn from_keyword(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "normal" => Self::Normal,
            "flipped" => Self::Flipped,
            "manual-tumble" => Self::ManualTumble,
            "rotated" => Self::Rotated,
            _ => return None,
        })
    }

    /// The keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Flipped => "flipped",
            Self::ManualTumble => "manual-tumble",
            Self::Rotated => "rotated",
        }
    }
}

/// "sides".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Sides {
    /// `one-sided`
    #[default]
    OneSided,
    /// `two-sided-long-edge`
    TwoSidedLongEdge,
    /// `two-sided-short-edge`
    TwoSidedShortEdge,
}

impl Sides {
    /// Reads the keyword.
    pub fn from_keyword(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "one-sided" => Self::OneSided,
            "two-sided-long-edge" => Self::TwoSidedLongEdge,
            "two-sided-short-edge" => Self::TwoSidedShortEdge,
            _ => return None,
        })
    }

    /// The keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::OneSided => "one-sided",
            Self::TwoSidedLongEdge => "two-sided-long-edge",
            Self::TwoSidedShortEdge => "two-sided-short-edge",
        }
    }

    /// `(Duplex, Tumble)` of the page header.
    pub fn duplex_tumble(self) -> (bool, bool) {
        match self {
            Self::OneSided => (false, false),
            Self::TwoSidedLongEdge => (true, false),
            Self::TwoSidedShortEdge => (true, true),
        }
    }
}

/// `(CrossFeedTransform, FeedTransform)`: 1 as seen, -1 mirrored along that direction. Both -1 is a
/// half turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Transform {
    /// Along a line: -1 means each line runs from right to left.
    pub cross_feed: i32,
    /// From line to line: -1 means the last line comes first.
    pub feed: i32,
}

impl Transform {
    /// As seen; every front side.
    pub const NONE: Self = Self { cross_feed: 1, feed: 1 };

    /// The transform of a back side.
    pub fn of_back(sheet_back: SheetBack, sides: Sides) -> Self {
        let (cross_feed, feed) = match (sides, sheet_back) {
            (Sides::OneSided, _) | (_, SheetBack::Normal) => (1, 1),
            (Sides::TwoSidedLongEdge, SheetBack::Flipped) => (1, -1),
            (Sides::TwoSidedLongEdge, SheetBack::ManualTumble) => (1, 1),
            (Sides::TwoSidedLongEdge, SheetBack::Rotated) => (-1, -1),
            (Sides::TwoSidedShortEdge, SheetBack::Flipped) => (-1, 1),
            (Sides::TwoSidedShortEdge, SheetBack::ManualTumble) => (-1, -1),
            (Sides::TwoSidedShortEdge, SheetBack::Rotated) => (1, 1),
        };
        Self { cross_feed, feed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_sides_are_turned_as_table_10_says() {
        use SheetBack::{Flipped, ManualTumble, Normal, Rotated};
        let table = [
            (Normal, (1, 1), (1, 1)),
            (Flipped, (1, -1), (-1, 1)),
            (ManualTumble, (1, 1), (-1, -1)),
            (Rotated, (-1, -1), (1, 1)),
        ];
        for (back, long, short) in table {
            assert_eq!(SheetBack::from_keyword(back.keyword()), Some(back));
            for (sides, want) in
                [(Sides::TwoSidedLongEdge, long), (Sides::TwoSidedShortEdge, short), (Sides::OneSided, (1, 1))]
            {
                let t = Transform::of_back(back, sides);
                assert_eq!((t.cross_feed, t.feed), want, "{back:?} {sides:?}");
                assert_eq!(Sides::from_keyword(sides.keyword()), Some(sides));
            }
        }
    }
}
