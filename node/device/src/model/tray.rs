//! A tray and its sheets.

use serde::{Deserialize, Serialize};

use super::Media;

/// A tray.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tray {
    /// Keyword of "media-source": `tray-1`, `by-pass-tray`.
    pub name: String,
    /// The paper in it, or that it had last.
    pub media: Media,
    /// Keyword of "media-type".
    pub media_type: String,
    /// Sheets it holds when full.
    pub capacity: u32,
    /// Sheets in it now, at most `capacity`.
    pub sheets: u32,
}

impl Tray {
    /// A full tray of plain paper.
    pub fn full(name: &str, media: Media, capacity: u32) -> Self {
        Self { name: name.to_owned(), media, media_type: "stationery".to_owned(), capacity, sheets: capacity }
    }

    /// No sheet is left.
    pub fn is_empty(&self) -> bool {
        self.sheets == 0
    }

    /// A tenth or less is left, but something.
    pub fn is_low(&self) -> bool {
        self.sheets > 0 && self.sheets <= self.capacity / 10
    }

    /// "Tray 1" for `tray-1`.
    pub fn label(&self) -> String {
        let words = self.name.replace('-', " ");
        let mut letters = words.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    pub(super) fn take_sheet(&mut self) {
        self.sheets = self.sheets.saturating_sub(1);
    }
}
