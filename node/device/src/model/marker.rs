//! Toner: how much is left and what a page takes.

use serde::{Deserialize, Serialize};

/// A colour of toner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkerColor {
    /// Cyan.
    Cyan,
    /// Magenta.
    Magenta,
    /// Yellow.
    Yellow,
    /// Black.
    Black,
}

impl MarkerColor {
    /// The four of a colour printer.
    pub const CMYK: [Self; 4] = [Self::Cyan, Self::Magenta, Self::Yellow, Self::Black];

    /// `cyan`, `magenta`, `yellow`, `black`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cyan => "cyan",
            Self::Magenta => "magenta",
            Self::Yellow => "yellow",
            Self::Black => "black",
        }
    }

    /// "marker-colors": sRGB as `#RRGGBB`.
    pub fn rgb(self) -> &'static str {
        match self {
            Self::Cyan => "#00FFFF",
            Self::Magenta => "#FF00FF",
            Self::Yellow => "#FFFF00",
            Self::Black => "#000000",
        }
    }
}

/// How much of a page each colour covers, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Coverage {
    /// Cyan.
    pub cyan: u32,
    /// Magenta.
    pub magenta: u32,
    /// Yellow.
    pub yellow: u32,
    /// Black.
    pub black: u32,
}

impl Coverage {
    /// The part of one colour.
    pub fn of(&self, color: MarkerColor) -> u32 {
        match color {
            MarkerColor::Cyan => self.cyan,
            MarkerColor::Magenta => self.magenta,
            MarkerColor::Yellow => self.yellow,
            MarkerColor::Black => self.black,
        }
    }

    /// What a printer with black only puts down for it.
    pub fn in_black(&self) -> u32 {
        // As bright as the colours are: weights of ITU-R BT.601.
        let colors = u64::from(self.cyan) * 299 + u64::from(self.magenta) * 587 + u64::from(self.yellow) * 114;
        (colors / 1000 + u64::from(self.black)).min(1_000_000) as u32
    }
}

/// A cartridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// Its colour.
    pub color: MarkerColor,
    /// What is left, in millionths of a full cartridge.
    pub level_ppm: u32,
    /// Pages of 5 % coverage that a full cartridge prints.
    pub yield_pages: u32,
    /// Percent at which it is low.
    pub low_percent: u32,
    /// Whether the printer has no other colour, so that this one prints them all.
    pub only: bool,
}

const FULL: u32 = 1_000_000;

impl Marker {
    /// A full cartridge for 2,000 pages, low at 10 %.
    pub fn full(color: MarkerColor, only: bool) -> Self {
        Self { color, level_ppm: FULL, yield_pages: 2_000, low_percent: 10, only }
    }

    /// "marker-levels": 0 to 100; 0 only when it is empty.
    pub fn percent(&self) -> u32 {
        self.level_ppm.div_ceil(FULL / 100)
    }

    /// Sets what is left.
    pub fn set_percent(&mut self, percent: u32) {
        self.level_ppm = percent.min(100) * (FULL / 100);
    }

    /// Nothing is left.
    pub fn is_empty(&self) -> bool {
        self.level_ppm == 0
    }

    /// Little is left, but something.
    pub fn is_low(&self) -> bool {
        !self.is_empty() && self.percent() <= self.low_percent
    }

    /// "Cyan toner".
    pub fn label(&self) -> String {
        let name = self.color.name();
        format!("{}{} toner", name[..1].to_uppercase(), &name[1..])
    }

    /// Whether nothing can be printed without it: black, and what there is instead of it.
    pub fn is_always_needed(&self) -> bool {
        self.only || self.color == MarkerColor::Black
    }

    /// What it puts down for such a page, in millionths of the page.
    pub(super) fn covers(&self, coverage: &Coverage) -> u32 {
        if self.only { coverage.in_black() } else { coverage.of(self.color) }
    }

    pub(super) fn consume(&mut self, coverage: &Coverage) {
        let covered = self.covers(coverage);
        // 5 % is 50,000 millionths.
        let used = u64::from(covered) * u64::from(FULL) / 50_000 / u64::from(self.yield_pages.max(1));
        self.level_ppm = self.level_ppm.saturating_sub(used.min(u64::from(FULL)) as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cartridge_lasts_its_yield_at_five_percent() {
        let mut marker = Marker::full(MarkerColor::Cyan, false);
        let page = Coverage { cyan: 50_000, ..Coverage::default() };
        for _ in 0..1_999 {
            marker.consume(&page);
        }
        assert_eq!((marker.percent(), marker.is_low(), marker.is_empty()), (1, true, false));
        marker.consume(&page);
        assert!(marker.is_empty() && !marker.is_low());
        marker.consume(&Coverage { magenta: 1_000_000, ..Coverage::default() });
        assert_eq!(marker.percent(), 0);
    }

    #[test]
    fn a_black_printer_pays_for_colours_in_black() {
        let mut black = Marker::full(MarkerColor::Black, true);
        black.consume(&Coverage { cyan: 1_000_000, magenta: 1_000_000, yellow: 1_000_000, black: 0 });
        assert_eq!(black.level_ppm, 990_000);
    }
}
