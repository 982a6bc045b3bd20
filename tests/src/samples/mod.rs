//! Documents made when they are needed: each page shows its number, large enough to be read on a thumbnail.
//!
//! They are written here by hand and not by the libraries that the product uses, so that both sides of a test do not
//! share a mistake. No font is needed: the figures are made of seven bars.

pub mod look;
pub mod pdf;
pub mod picture;
pub mod postscript;
pub mod pwg;
pub mod segments;

pub use look::number_on;
pub use pdf::PdfSample;
pub use pwg::PwgSample;

/// A PDF of A4 pages that show 1, 2, 3 and so on.
#[must_use]
pub fn pdf(pages: u32) -> Vec<u8> {
    PdfSample::pages(pages).build()
}

/// A JPEG in colour that shows a number.
#[must_use]
pub fn jpeg(number: u32, width_px: u32, height_px: u32) -> Vec<u8> {
    picture::jpeg(number, width_px, height_px)
}

/// A PNG in colour that shows a number.
#[must_use]
pub fn png(number: u32, width_px: u32, height_px: u32) -> Vec<u8> {
    picture::png(number, width_px, height_px)
}

/// Paper sizes in points, 1/72 inch: width, height.
pub mod size_pt {
    /// ISO A4.
    pub const A4: (f32, f32) = (595.276, 841.89);
    /// ISO A5.
    pub const A5: (f32, f32) = (419.528, 595.276);
    /// North American letter.
    pub const LETTER: (f32, f32) = (612.0, 792.0);
}
