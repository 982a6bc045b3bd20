//! What an output device can do.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What the device can do, as it said when it was added or asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceProfile {
    /// Grows each time the profile changes; renditions are keyed by it.
    pub version: u32,
    /// "printer-make-and-model".
    pub make_and_model: String,
    /// "printer-uuid" of the device.
    pub device_uuid: String,
    /// "document-format-supported".
    pub formats: Vec<String>,
    /// "media-supported".
    pub media: Vec<String>,
    /// "media-default".
    pub media_default: Option<String>,
    /// "pwg-raster-document-resolution-supported", dots per inch, ascending.
    pub resolutions: Vec<u32>,
    /// "pwg-raster-document-type-supported".
    pub raster_types: Vec<String>,
    /// "pwg-raster-document-sheet-back".
    pub sheet_back: String,
    /// Unprintable margins in 1/100 mm: left, right, top, bottom.
    pub margins: [u32; 4],
    /// "color-supported".
    pub color: bool,
    /// "sides-supported" has a two-sided value.
    pub duplex: bool,
    /// Upper bound of "copies-supported".
    pub copies_max: u16,
    /// "media-source-supported".
    pub media_sources: Vec<String>,
    /// "media-type-supported".
    pub media_types: Vec<String>,
    /// "media-*-margin-supported" has a 0 on each edge.
    pub borderless: bool,
    /// "print-quality-supported".
    pub qualities: Vec<i32>,
    /// "output-bin-supported".
    pub output_bins: Vec<String>,
    /// "pages-per-minute"; 0: unknown.
    pub pages_per_minute: u32,
    /// "multiple-document-handling-supported".
    pub handlings: Vec<String>,
    /// "identify-actions-supported".
    pub identify_actions: Vec<String>,
    /// "multiple-document-jobs-supported".
    pub multiple_documents: bool,
    /// "page-ranges-supported".
    pub page_ranges: bool,
    /// "job-creation-attributes-supported": what may be sent with a job.
    pub job_attributes: Vec<String>,
    /// "operations-supported".
    pub operations: Vec<u16>,
}

impl DeviceProfile {
    /// Whether a format is taken as it is.
    pub fn takes(&self, format: &str) -> bool {
        self.formats.iter().any(|taken| taken.eq_ignore_ascii_case(format))
    }

    /// What a raw port or a folder is taken to be, for want of an answer.
    pub fn assumed(formats: &[&str]) -> Self {
        Self {
            version: 1,
            formats: formats.iter().map(ToString::to_string).collect(),
            media: vec!["iso_a4_210x297mm".into()],
            media_default: Some("iso_a4_210x297mm".into()),
            resolutions: vec![300],
            raster_types: vec!["sgray_8".into(), "srgb_8".into()],
            sheet_back: "normal".into(),
            margins: [423; 4],
            color: true,
            duplex: false,
            copies_max: 1,
            ..Self::default()
        }
    }
}
