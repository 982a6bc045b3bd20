//! What a reader of other people's rasters takes at most.

/// Bounds of a reader. The defaults allow a 44-inch banner at 1200 dpi.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Widest line, in pixels. Default 65,536.
    pub width_max: u32,
    /// Longest page, in lines. Default 262,144.
    pub height_max: u32,
    /// Longest line, in octets; the reader holds one. Default 1 MiB.
    pub bytes_per_line_max: u32,
    /// All pages together, in octets after decoding. Default 256 GiB.
    pub octets_max: u64,
    /// Pages in one file. Default 20,000.
    pub pages_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            width_max: 65_536,
            height_max: 262_144,
            bytes_per_line_max: 1 << 20,
            octets_max: 256 << 30,
            pages_max: 20_000,
        }
    }
}
