//! How a virtual printer is made.

use std::net::SocketAddr;
use std::path::PathBuf;

use tympan_raster::sheet_back::SheetBack;
use tympan_render::Renderer;

use crate::model::{Marker, MarkerColor, Media, Tray};

/// What a virtual printer is and where it listens.
#[derive(Debug, Clone)]
pub struct DeviceOptions {
    /// "printer-name" and "printer-info". Default `Tympan virtual printer`.
    pub name: String,
    /// "printer-location". Default empty.
    pub location: String,
    /// "printer-uuid", `urn:uuid:..`. Default: a new one at each start.
    pub uuid: Option<String>,
    /// Where it speaks IPP. Default 127.0.0.1, any free port.
    pub ipp_addr: SocketAddr,
    /// Where it takes raw documents (9100). Default 127.0.0.1, any free port; `None`: nowhere.
    pub raw_addr: Option<SocketAddr>,
    /// Where its page and its buttons are. Default 127.0.0.1, any free port.
    pub page_addr: SocketAddr,
    /// Where pages are written; made if it is not there.
    pub folder: PathBuf,
    /// Its trays; the first one holds the default paper. Default: 250 sheets A4, 100 sheets A5.
    pub trays: Vec<Tray>,
    /// Its cartridges: four, or black only. Default: four full ones.
    pub markers: Vec<Marker>,
    /// Pages a minute; 0 prints at once. Default 0.
    pub pages_per_minute: u32,
    /// Whether it prints on both sides. Default true.
    pub duplex: bool,
    /// "pwg-raster-document-sheet-back". Default normal.
    pub sheet_back: SheetBack,
    /// "printer-resolution-supported" in dots per inch, the default first. Default 300, 600.
    pub resolutions: Vec<u32>,
    /// Reads PDF, JPEG, PNG and text. Without it the printer takes PWG Raster and Apple Raster only.
    pub renderer: Option<Renderer>,
    /// Whether each job is also written as one PDF. Default true.
    pub job_pdf: bool,
    /// Octets of one document, after decompression. Default 512 MiB.
    pub document_octets_max: u64,
    /// "multiple-operation-time-out" in seconds. Default 120 (RFC 8011 section 5.4.31: 60 to 240).
    pub multiple_operation_time_out_secs: u32,
    /// A server to report the state to.
    pub report: Option<ReportOptions>,
}

/// Where and as whom the printer reports its state (PWG 5100.18 section 5.10).
#[derive(Clone)]
pub struct ReportOptions {
    /// The printer's URI at the server, `ipp://server:631/ipp/print/office`.
    pub printer_uri: String,
    /// "output-device-uuid", `urn:uuid:..`.
    pub output_device_uuid: String,
    /// The bearer token.
    pub token: String,
}

impl std::fmt::Debug for ReportOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReportOptions")
            .field("printer_uri", &self.printer_uri)
            .field("output_device_uuid", &self.output_device_uuid)
            .finish_non_exhaustive()
    }
}

impl DeviceOptions {
    /// A colour printer on loopback that writes its pages into `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            name: "Tympan virtual printer".to_owned(),
            location: String::new(),
            uuid: None,
            ipp_addr: any_port,
            raw_addr: Some(any_port),
            page_addr: any_port,
            folder: folder.into(),
            trays: vec![Tray::full("tray-1", Media::a4(), 250), Tray::full("tray-2", Media::a5(), 100)],
            markers: MarkerColor::CMYK.map(|color| Marker::full(color, false)).to_vec(),
            pages_per_minute: 0,
            duplex: true,
            sheet_back: SheetBack::Normal,
            resolutions: vec![300, 600],
            renderer: None,
            job_pdf: true,
            document_octets_max: 512 << 20,
            multiple_operation_time_out_secs: 120,
            report: None,
        }
    }

    /// With a renderer for PDF, JPEG, PNG and text.
    #[must_use]
    pub fn with_renderer(mut self, renderer: Renderer) -> Self {
        self.renderer = Some(renderer);
        self
    }

    /// With a black cartridge only.
    #[must_use]
    pub fn monochrome(mut self) -> Self {
        self.markers = vec![Marker::full(MarkerColor::Black, true)];
        self
    }

    /// Whether it has colours.
    pub(crate) fn is_color(&self) -> bool {
        self.markers.iter().any(|m| m.color != MarkerColor::Black)
    }

    /// "document-format-supported", the default first.
    pub(crate) fn formats(&self) -> Vec<&'static str> {
        let mut formats = vec!["application/octet-stream", "image/pwg-raster", "image/urf"];
        if self.renderer.is_some() {
            formats.extend(["application/pdf", "image/jpeg", "image/png", "text/plain"]);
        }
        formats
    }
}
