//! What the printer can do: told in its attributes, and held against what jobs ask for.

use tympan_ipp::Operation;

/// The margins on all four sides, in hundredths of a millimetre: 1/6 inch.
pub(crate) const MARGIN: i32 = 423;

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::PrintJob,
    Operation::ValidateJob,
    Operation::CreateJob,
    Operation::SendDocument,
    Operation::CancelJob,
    Operation::GetJobAttributes,
    Operation::GetJobs,
    Operation::GetPrinterAttributes,
    Operation::CancelMyJobs,
    Operation::CloseJob,
    Operation::IdentifyPrinter,
];

pub(crate) const COPIES_MAX: i32 = 999;
pub(crate) const ORIENTATIONS: &[i32] = &[3, 4, 5, 6, 7];
pub(crate) const QUALITIES: &[i32] = &[3, 4, 5];
pub(crate) const SCALINGS: &[&str] = &["auto", "auto-fit", "fill", "fit", "none"];
pub(crate) const CONTENT_OPTIMIZES: &[&str] = &["auto", "graphic", "photo", "text", "text-and-graphic"];
pub(crate) const RENDERING_INTENTS: &[&str] = &["auto", "perceptual", "relative"];
pub(crate) const MEDIA_TYPES: &[&str] = &["stationery", "auto"];
pub(crate) const OUTPUT_BIN: &str = "face-down";
pub(crate) const IDENTIFY_ACTIONS: &[&str] = &["display", "sound"];
pub(crate) const WHICH_JOBS: &[&str] = &["completed", "not-completed", "all"];
pub(crate) const COMPRESSIONS: &[&str] = &["none", "gzip", "deflate"];
pub(crate) const DOCUMENT_HANDLING: &[&str] = &["separate-documents-collated-copies"];

pub(crate) const MEDIA_COL_MEMBERS: &[&str] = &[
    "media-bottom-margin",
    "media-left-margin",
    "media-right-margin",
    "media-size",
    "media-size-name",
    "media-source",
    "media-top-margin",
    "media-type",
];

pub(crate) const JOB_CREATION_ATTRIBUTES: &[&str] = &[
    "copies",
    "finishings",
    "ipp-attribute-fidelity",
    "job-name",
    "media",
    "media-col",
    "multiple-document-handling",
    "orientation-requested",
    "output-bin",
    "page-ranges",
    "print-color-mode",
    "print-content-optimize",
    "print-quality",
    "print-rendering-intent",
    "print-scaling",
    "printer-resolution",
    "sides",
];

/// "print-color-mode-supported", the default first.
pub(crate) fn color_modes(color: bool) -> &'static [&'static str] {
    if color { &["auto", "color", "monochrome"] } else { &["auto", "monochrome"] }
}

/// "sides-supported", the default first.
pub(crate) fn sides(duplex: bool) -> &'static [&'static str] {
    if duplex { &["one-sided", "two-sided-long-edge", "two-sided-short-edge"] } else { &["one-sided"] }
}

/// "pwg-raster-document-type-supported".
pub(crate) fn raster_types(color: bool) -> &'static [&'static str] {
    if color {
        &["black_1", "sgray_8", "srgb_8", "black_8", "cmyk_8", "rgb_8"]
    } else {
        &["black_1", "sgray_8", "black_8"]
    }
}
