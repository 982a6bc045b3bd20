//! What the printer shows of itself: JSON of `GET /state`, and events.

use serde::{Deserialize, Serialize};

use crate::model::{Coverage, Faults, Power};

/// The printer at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceState {
    /// Grows with each change; `GET /state?after=n` waits for a later one.
    pub revision: u64,
    /// "printer-name"
    pub name: String,
    /// Its IPP URI.
    pub ipp_uri: String,
    /// Address of the raw socket.
    pub raw_address: Option<String>,
    /// Whether it is switched on.
    pub power: Power,
    /// Whether its sockets are open, which follows `power` in a moment.
    pub listening: bool,
    /// "printer-state": `idle`, `processing` or `stopped`.
    pub state: String,
    /// "printer-state-reasons"
    pub reasons: Vec<String>,
    /// "printer-state-message"
    pub message: String,
    /// What the panel shows because somebody looks for this printer.
    pub identify: Option<String>,
    /// "printer-is-accepting-jobs"
    pub accepting_jobs: bool,
    /// How often it was switched on, from 1.
    pub power_cycle: u64,
    /// Its trays.
    pub trays: Vec<TrayInfo>,
    /// Its cartridges.
    pub markers: Vec<MarkerInfo>,
    /// Pages a minute; 0: at once.
    pub pages_per_minute: u32,
    /// Faults that are on.
    pub faults: Faults,
    /// The job whose pages come out.
    pub printing: Option<i32>,
    /// "queued-job-count"
    pub queued_jobs: usize,
    /// The latest jobs, at most 50, newest first.
    pub jobs: Vec<JobInfo>,
    /// The latest page sides, at most 50, newest first.
    pub pages: Vec<PrintedPage>,
    /// Sides printed since the start.
    pub impressions: u64,
    /// Sheets used since the start.
    pub sheets: u64,
    /// Reports of its state that a server has taken.
    pub reports_sent: u64,
    /// Why the last report was not taken, if it was not.
    pub report_error: Option<String>,
}

impl DeviceState {
    /// A job by its job-id, among the latest.
    pub fn job(&self, id: i32) -> Option<&JobInfo> {
        self.jobs.iter().find(|j| j.id == id)
    }

    /// Whether a reason is there, with whatever suffix.
    pub fn has_reason(&self, keyword: &str) -> bool {
        self.reasons
            .iter()
            .any(|r| r.strip_prefix(keyword).is_some_and(|rest| matches!(rest, "" | "-error" | "-warning" | "-report")))
    }
}

/// A tray.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrayInfo {
    /// `tray-1`
    pub name: String,
    /// `Tray 1`
    pub label: String,
    /// Name of its paper.
    pub media: String,
    /// `A4`
    pub media_label: String,
    /// Sheets in it.
    pub sheets: u32,
    /// Sheets when full.
    pub capacity: u32,
}

/// A cartridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkerInfo {
    /// `cyan`
    pub color: String,
    /// `#00FFFF`
    pub rgb: String,
    /// What is left.
    pub percent: u32,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobInfo {
    /// "job-id"
    pub id: i32,
    /// "job-name"
    pub name: String,
    /// "job-originating-user-name"
    pub user: String,
    /// "job-state": `pending`, `processing` ..
    pub state: String,
    /// "job-state-reasons"
    pub reasons: Vec<String>,
    /// "job-impressions", when known.
    pub impressions: Option<u32>,
    /// "job-impressions-completed"
    pub impressions_completed: u32,
    /// "job-media-sheets-completed"
    pub sheets_completed: u32,
    /// Octets of its document.
    pub octets: u64,
}

/// Which side of its sheet a page is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The front, or the only one.
    Front,
    /// The back.
    Back,
}

/// A side of paper that came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedPage {
    /// Its file in the folder: `job-0007-p002.png`.
    pub file: String,
    /// "job-id"
    pub job_id: i32,
    /// "job-name"
    pub job_name: String,
    /// Its number among the sides of the job, from 1, copies included.
    pub impression: u32,
    /// The copy, from 1.
    pub copy: u32,
    /// The page of the document, from 1.
    pub document_page: u32,
    /// The sheet of the job, from 1.
    pub sheet: u32,
    /// Which side of it.
    pub side: Side,
    /// The tray it came from.
    pub tray: String,
    /// `A4`
    pub media_label: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Dots per inch.
    pub resolution: u32,
    /// What was put on it.
    pub coverage: Coverage,
    /// Seconds since 1970.
    pub printed_at_unix_secs: u64,
}

/// What happened, for who follows it live. A slow follower loses the oldest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceEvent {
    /// A side of paper came out; its file is there.
    Page(Box<PrintedPage>),
    /// A job ended, or the printer forgot it.
    JobEnded {
        /// "job-id"
        job_id: i32,
        /// "job-state", if the job is still known.
        state: Option<String>,
    },
    /// Somebody wants to see which printer this is.
    Identify {
        /// What to show.
        message: Option<String>,
    },
}
