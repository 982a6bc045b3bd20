//! What one worker may use.

use serde::{Deserialize, Serialize};

/// Bounds of one request; a document that needs more is refused with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space of the worker, in octets. Default 1 GiB.
    pub memory_octets: u64,
    /// CPU time for the document, in seconds, to which [`Limits::cpu_secs_per_page`] is added for each page. Default 60.
    pub cpu_secs: u64,
    /// CPU time for each page, in seconds. Default 2.
    pub cpu_secs_per_page: u64,
    /// How long the worker may keep its reader waiting in all, in seconds, to which
    /// [`Limits::wall_secs_per_page`] is added for each page. Time in which nobody reads does not count. Default 120.
    pub wall_secs: u64,
    /// As [`Limits::wall_secs`], for each page. Default 2.
    pub wall_secs_per_page: u64,
    /// The most that both time limits may grow to, in seconds. Default 600.
    pub secs_max: u64,
    /// Pages of one document. Default 500.
    pub pages: u32,
    /// Shortest side of a page, in hundredths of a millimetre. Default 50 (0.5 mm).
    pub page_side_min: u32,
    /// Longest side of a page, in hundredths of a millimetre. Default 150,000 (1.5 m).
    pub page_side_max: u32,
    /// Pixels of one rasterised page. Default 140 million (A3 at 600 dpi has 70).
    pub raster_pixels: u64,
    /// Pixels of one picture, as its header declares them. Default 100 million.
    pub image_pixels: u64,
    /// Longest side of a picture, in pixels. Default 30,000.
    pub image_side: u32,
    /// Octets of the input. Default 256 MiB.
    pub input_octets: u64,
    /// Octets that come out of one request apart from raster bands. Default 512 MiB.
    pub output_octets: u64,
    /// How deep a mail may be nested. Default 20.
    pub mail_depth: u32,
    /// How many parts a mail may have. Default 200.
    pub mail_parts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_octets: 1 << 30,
            cpu_secs: 60,
            cpu_secs_per_page: 2,
            wall_secs: 120,
            wall_secs_per_page: 2,
            secs_max: 600,
            pages: 500,
            page_side_min: 50,
            page_side_max: 150_000,
            raster_pixels: 140_000_000,
            image_pixels: 100_000_000,
            image_side: 30_000,
            input_octets: 256 << 20,
            output_octets: 512 << 20,
            mail_depth: 20,
            mail_parts: 200,
        }
    }
}

impl Limits {
    /// CPU seconds for a document of so many pages.
    pub fn cpu_secs_for(&self, pages: u64) -> u64 {
        self.cpu_secs.saturating_add(self.cpu_secs_per_page.saturating_mul(pages)).min(self.secs_max.max(self.cpu_secs))
    }

    /// Wall seconds for a document of so many pages.
    pub fn wall_secs_for(&self, pages: u64) -> u64 {
        self.wall_secs
            .saturating_add(self.wall_secs_per_page.saturating_mul(pages))
            .min(self.secs_max.max(self.wall_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_grows_with_pages_up_to_the_most() {
        let limits = Limits::default();
        assert_eq!(limits.cpu_secs_for(0), 60);
        assert_eq!(limits.cpu_secs_for(10), 80);
        assert_eq!(limits.cpu_secs_for(u64::MAX), 600);
        assert_eq!(limits.wall_secs_for(240), 600);
    }
}
