//! A job as this printer knows it (RFC 8011 section 5.3).

use std::fs::File;
use std::sync::Arc;

use tympan_ipp::{Attribute, JobState};
use tympan_raster::sheet_back::Sides;

use super::Media;

/// What a client asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// "job-name"
    pub job_name: String,
    /// "job-originating-user-name"
    pub user: String,
    /// "copies", 1 to 999.
    pub copies: u32,
    /// "media" or "media-col"
    pub media: Option<Media>,
    /// "media-source" of "media-col"
    pub media_source: Option<String>,
    /// "sides"
    pub sides: Sides,
    /// "page-ranges", ascending, both ends included; empty is all.
    pub page_ranges: Vec<(u32, u32)>,
    /// "orientation-requested", the enum of IPP.
    pub orientation: Option<i32>,
    /// "print-color-mode" asks for no colour.
    pub monochrome: bool,
    /// "print-quality", the enum of IPP.
    pub quality: Option<i32>,
    /// "printer-resolution" in dots per inch.
    pub resolution: Option<u32>,
    /// "print-scaling"
    pub scaling: Option<String>,
    /// The Job Template attributes as they came, for Get-Job-Attributes.
    pub template: Vec<Attribute>,
    /// Printer URI that the client used, without the job's number.
    pub printer_uri: String,
}

impl Default for Ticket {
    fn default() -> Self {
        Self {
            job_name: "untitled".to_owned(),
            user: "anonymous".to_owned(),
            copies: 1,
            media: None,
            media_source: None,
            sides: Sides::OneSided,
            page_ranges: Vec::new(),
            orientation: None,
            monochrome: false,
            quality: None,
            resolution: None,
            scaling: None,
            template: Vec::new(),
            printer_uri: String::new(),
        }
    }
}

impl Ticket {
    /// Whether a page of the document is wanted.
    pub fn wants_page(&self, page: u32) -> bool {
        self.page_ranges.is_empty() || self.page_ranges.iter().any(|(first, last)| (*first..=*last).contains(&page))
    }
}

/// What was sent.
#[derive(Debug, Clone)]
pub struct Document {
    /// The octets, in an unlinked file.
    pub file: Arc<File>,
    /// How many.
    pub octets: u64,
    /// "document-format" as declared, if it was.
    pub format: Option<String>,
    /// "document-name"
    pub name: Option<String>,
    /// Whether the line was cut before the end.
    pub cut: bool,
}

/// "job-state-reasons" that a job ends or waits with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobReason {
    /// `job-completed-successfully`
    CompletedSuccessfully,
    /// `job-canceled-by-user`
    CanceledByUser,
    /// `aborted-by-system`
    AbortedBySystem,
    /// `document-format-error`
    DocumentFormatError,
    /// `submission-interrupted`
    SubmissionInterrupted,
}

impl JobReason {
    /// The registered keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::CompletedSuccessfully => "job-completed-successfully",
            Self::CanceledByUser => "job-canceled-by-user",
            Self::AbortedBySystem => "aborted-by-system",
            Self::DocumentFormatError => "document-format-error",
            Self::SubmissionInterrupted => "submission-interrupted",
        }
    }
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// "job-id"
    pub id: i32,
    /// What was asked for.
    pub ticket: Ticket,
    /// "job-state"
    pub state: JobState,
    /// Why it ended.
    pub ended: Option<JobReason>,
    /// Its document, once it is here.
    pub document: Option<Document>,
    /// A document is on its way.
    pub receiving: bool,
    /// No more documents follow.
    pub closed: bool,
    /// It is to stop at its next page.
    pub cancel_requested: bool,
    /// All pages are out, but the printer does not say so.
    pub never_completes: bool,
    /// "job-impressions", when known.
    pub impressions: Option<u32>,
    /// "job-impressions-completed"
    pub impressions_completed: u32,
    /// "job-media-sheets-completed"
    pub sheets_completed: u32,
    /// Octets of its document, kept after the document is gone.
    pub octets: u64,
    /// When it came, in milliseconds.
    pub created_at: u64,
    /// When its first page was begun.
    pub processing_at: Option<u64>,
    /// When it ended.
    pub completed_at: Option<u64>,
}

impl Job {
    pub(super) fn new(id: i32, ticket: Ticket, now: u64) -> Self {
        Self {
            id,
            ticket,
            state: JobState::Pending,
            ended: None,
            document: None,
            receiving: false,
            closed: false,
            cancel_requested: false,
            never_completes: false,
            impressions: None,
            impressions_completed: 0,
            sheets_completed: 0,
            octets: 0,
            created_at: now,
            processing_at: None,
            completed_at: None,
        }
    }

    pub(super) fn end(&mut self, state: JobState, reason: JobReason, now: u64) {
        self.octets = self.document.take().map_or(self.octets, |d| d.octets);
        self.state = state;
        self.ended = Some(reason);
        self.completed_at = Some(now);
    }

    /// "job-state-reasons"; `printer_stopped` tells whether the printer stands still.
    pub fn reasons(&self, printer_stopped: bool) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        match self.state {
            JobState::Canceled | JobState::Aborted | JobState::Completed => {
                reasons.extend(self.ended.map(JobReason::keyword));
                if self.ended == Some(JobReason::SubmissionInterrupted)
                    || self.ended == Some(JobReason::DocumentFormatError)
                {
                    reasons.push("aborted-by-system");
                }
            }
            JobState::Processing => reasons.push("job-printing"),
            JobState::ProcessingStopped => reasons.push("printer-stopped"),
            JobState::Pending | JobState::PendingHeld => {
                if self.receiving || !self.closed {
                    reasons.push("job-incoming");
                } else if printer_stopped {
                    reasons.push("printer-stopped");
                }
                if self.document.is_none() && !self.receiving {
                    reasons.push("job-data-insufficient");
                }
            }
        }
        if self.cancel_requested && !self.state.is_terminal() {
            reasons.push("processing-to-stop-point");
        }
        if reasons.is_empty() {
            reasons.push("none");
        }
        reasons
    }

    /// Octets of its document.
    pub fn document_octets(&self) -> u64 {
        self.document.as_ref().map_or(self.octets, |d| d.octets)
    }
}
