//! What the virtual printer is: paper, toner, power, faults and the jobs it knows. No I/O, no clock.
//!
//! Whoever holds the model passes `now` (milliseconds since some start) and does what the answers
//! say: it waits as long as [`Gate::Print`] asks, writes the page, and tells [`Model::page_printed`].
//! Nothing here is honest by duty: [`Faults`] say where the printer lies.

mod fault;
mod job;
mod marker;
mod media;
mod tray;

pub use fault::{AnswerFault, AnswerKind, Change, ChangeError, DropLine, Faults, Lie, MarkerChange, TrayChange};
pub use job::{Document, Job, JobReason, Ticket};
pub use marker::{Coverage, Marker, MarkerColor};
pub use media::{Media, MediaSize};
pub use tray::Tray;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tympan_ipp::{JobState, PrinterState};

/// Whether the printer is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// Listens and prints.
    On,
    /// Refuses connections and has forgotten its jobs.
    Off,
}

/// What a page needs before it can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageNeed {
    /// The paper.
    pub size: MediaSize,
    /// Which side of its sheet the page is: a back side takes no new sheet.
    pub is_back: bool,
    /// What it puts down of each colour.
    pub coverage: Coverage,
}

/// Whether a page may be printed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Print it from this tray; it takes so long.
    Print {
        /// Index into [`Model::trays`].
        tray: usize,
        /// Milliseconds that the page takes.
        millis: u64,
    },
    /// Not now: ask again when the model has changed.
    Stopped,
    /// The job was canceled.
    Canceled,
    /// The printer was switched off: the job is forgotten.
    Gone,
}

/// How a job ended, as its driver saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All its pages came out.
    Printed,
    /// A document could not be read.
    DocumentFormatError,
    /// A document ended too early: its line was cut.
    Interrupted,
    /// Something failed in the printer.
    Failed,
}

/// Why a job is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobFault {
    /// No such job, or it was forgotten.
    NotFound,
    /// Its state does not allow it.
    NotPossible,
    /// It has its document already.
    SingleDocument,
    /// Too many jobs wait.
    TooManyJobs,
}

/// Jobs that wait or print at the same time, at most.
pub const OPEN_JOBS_MAX: usize = 1_000;

/// How long a message of Identify-Printer is shown.
const IDENTIFY_MILLIS: u64 = 15_000;

/// The printer.
#[derive(Debug, Clone)]
pub struct Model {
    /// Whether it is on.
    pub power: Power,
    /// Its trays; the first one holds the default paper.
    pub trays: Vec<Tray>,
    /// Its toner.
    pub markers: Vec<Marker>,
    /// Pages a minute; 0 prints at once.
    pub pages_per_minute: u32,
    /// What it does wrong.
    pub faults: Faults,
    /// The jobs it knows, by job-id.
    pub jobs: BTreeMap<i32, Job>,
    /// The job whose pages come out now.
    pub printing: Option<i32>,
    /// Page sides printed since the printer was made.
    pub impressions: u64,
    /// Sheets used since the printer was made.
    pub sheets: u64,
    /// When it was switched on.
    pub powered_on_at: u64,
    /// When state or reasons last changed.
    pub state_changed_at: u64,
    /// When trays or media were last changed by a person.
    pub config_changed_at: u64,
    /// How often it was switched on; jobs of an earlier time are forgotten.
    pub power_cycle: u64,
    /// What the panel shows so that somebody finds this printer, and until when.
    pub identify: Option<(String, u64)>,
    /// Paper that the printing job waits for.
    media_needed: Option<MediaSize>,
    marker_needed: Option<MarkerColor>,
    next_job_id: i32,
    finished_kept: usize,
}

impl Model {
    /// A printer that is on, with these trays and markers.
    pub fn new(trays: Vec<Tray>, markers: Vec<Marker>, pages_per_minute: u32, first_job_id: i32) -> Self {
        Self {
            power: Power::On,
            trays,
            markers,
            pages_per_minute,
            faults: Faults::default(),
            jobs: BTreeMap::new(),
            printing: None,
            impressions: 0,
            sheets: 0,
            powered_on_at: 0,
            state_changed_at: 0,
            config_changed_at: 0,
            power_cycle: 1,
            identify: None,
            media_needed: None,
            marker_needed: None,
            next_job_id: first_job_id.max(1),
            finished_kept: 500,
        }
    }

    /// "printer-state-reasons": registered keywords with their suffix, worst first; `none` alone.
    pub fn reasons(&self) -> Vec<String> {
        let mut errors: Vec<&str> = Vec::new();
        let mut warnings: Vec<&str> = Vec::new();
        if self.faults.cover_open {
            errors.push("cover-open-error");
        }
        if self.faults.jammed {
            errors.push("media-jam-error");
        }
        if let Some(size) = self.media_needed {
            errors.push("media-needed-error");
            if self.trays.iter().any(|t| t.is_empty() && t.media.size.fits(size)) {
                errors.push("media-empty-error");
            }
        }
        if !self.trays.is_empty() && self.trays.iter().all(Tray::is_empty) {
            errors.push("media-empty-error");
        } else if self.trays.iter().any(Tray::is_empty) && !errors.contains(&"media-empty-error") {
            warnings.push("media-empty-warning");
        }
        if self.trays.iter().any(Tray::is_low) {
            warnings.push("media-low-warning");
        }
        // A page in black needs no cyan, so an empty colour stops only what is to have it.
        if self.markers.iter().any(|m| m.is_empty() && (m.is_always_needed() || self.marker_needed == Some(m.color))) {
            errors.push("marker-supply-empty-error");
        } else if self.markers.iter().any(Marker::is_empty) {
            warnings.push("marker-supply-empty-warning");
        }
        if self.markers.iter().any(Marker::is_low) {
            warnings.push("marker-supply-low-warning");
        }
        errors.append(&mut warnings);
        let mut reasons: Vec<String> = Vec::new();
        for reason in errors {
            if !reasons.iter().any(|r| r == reason) {
                reasons.push(reason.to_owned());
            }
        }
        if reasons.is_empty() {
            reasons.push("none".to_owned());
        }
        reasons
    }

    /// Whether an error keeps it from printing.
    pub fn is_stopped(&self) -> bool {
        self.reasons().iter().any(|r| r.ends_with("-error"))
    }

    /// "printer-state".
    pub fn state(&self) -> PrinterState {
        if self.is_stopped() {
            PrinterState::Stopped
        } else if self.printing.is_some() {
            PrinterState::Processing
        } else {
            PrinterState::Idle
        }
    }

    /// One English sentence about the state: "printer-state-message".
    pub fn message(&self) -> String {
        if let Some((message, _)) = &self.identify {
            return message.clone();
        }
        let mut parts = Vec::new();
        if self.faults.cover_open {
            parts.push("The cover is open.".to_owned());
        }
        if self.faults.jammed {
            parts.push("Paper is jammed.".to_owned());
        }
        if let Some(size) = self.media_needed {
            parts.push(format!("Load {}.", size.label()));
        }
        for tray in self.trays.iter().filter(|t| t.is_empty()) {
            parts.push(format!("{} has no {}.", tray.label(), tray.media.size.label()));
        }
        for marker in self.markers.iter().filter(|m| m.is_empty()) {
            parts.push(format!("{} is empty.", marker.label()));
        }
        if parts.is_empty() {
            return match self.printing {
                Some(id) => format!("Printing job {id}."),
                None => "Ready.".to_owned(),
            };
        }
        parts.join(" ")
    }

    /// "queued-job-count": jobs that wait or print.
    pub fn open_jobs(&self) -> usize {
        self.jobs.values().filter(|j| !j.state.is_terminal()).count()
    }

    // ------------------------------------------------------------------ jobs coming in

    /// A new job, open for its document.
    pub fn create_job(&mut self, ticket: Ticket, now: u64) -> Result<i32, JobFault> {
        if self.open_jobs() >= OPEN_JOBS_MAX {
            return Err(JobFault::TooManyJobs);
        }
        let id = self.next_job_id;
        self.next_job_id = id.checked_add(1).unwrap_or(1);
        self.jobs.insert(id, Job::new(id, ticket, now));
        Ok(id)
    }

    /// A document begins to arrive for a job.
    pub fn begin_document(&mut self, id: i32) -> Result<(), JobFault> {
        let job = self.jobs.get_mut(&id).ok_or(JobFault::NotFound)?;
        if job.closed || job.state.is_terminal() {
            return Err(JobFault::NotPossible);
        }
        if job.document.is_some() || job.receiving {
            return Err(JobFault::SingleDocument);
        }
        job.receiving = true;
        Ok(())
    }

    /// The document of a job is here, whole or cut.
    pub fn end_document(&mut self, id: i32, document: Document) -> Result<(), JobFault> {
        let job = self.jobs.get_mut(&id).ok_or(JobFault::NotFound)?;
        job.receiving = false;
        if job.state.is_terminal() {
            return Err(JobFault::NotPossible);
        }
        job.document = Some(document);
        Ok(())
    }

    /// No document came of what was begun.
    pub fn forget_document(&mut self, id: i32) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.receiving = false;
        }
    }

    /// No more documents follow: the job may print. A job without a document completes at once.
    pub fn close_job(&mut self, id: i32, now: u64) -> Result<(), JobFault> {
        let job = self.jobs.get_mut(&id).ok_or(JobFault::NotFound)?;
        if job.state.is_terminal() {
            return Err(JobFault::NotPossible);
        }
        job.closed = true;
        if job.document.is_none() && !job.receiving {
            job.end(JobState::Completed, JobReason::CompletedSuccessfully, now);
            self.forget_old_jobs();
        }
        Ok(())
    }

    /// Cancels a job. One that prints stops at its next page.
    pub fn cancel_job(&mut self, id: i32, now: u64) -> Result<(), JobFault> {
        let printing = self.printing == Some(id);
        let job = self.jobs.get_mut(&id).ok_or(JobFault::NotFound)?;
        if job.state.is_terminal() || job.cancel_requested {
            return Err(JobFault::NotPossible);
        }
        if printing {
            job.cancel_requested = true;
        } else {
            job.end(JobState::Canceled, JobReason::CanceledByUser, now);
        }
        Ok(())
    }

    /// Gives up a job whose document could not be taken.
    pub fn abort_job(&mut self, id: i32, now: u64) -> Result<(), JobFault> {
        let job = self.jobs.get_mut(&id).ok_or(JobFault::NotFound)?;
        if job.state.is_terminal() {
            return Err(JobFault::NotPossible);
        }
        job.end(JobState::Aborted, JobReason::AbortedBySystem, now);
        Ok(())
    }

    /// Shows a message on the panel for a while (Identify-Printer).
    pub fn show(&mut self, message: String, now: u64) {
        self.identify = Some((message, now + IDENTIFY_MILLIS));
    }

    /// Takes away what has been shown long enough.
    pub fn expire_message(&mut self, now: u64) {
        if self.identify.as_ref().is_some_and(|(_, until)| now >= *until) {
            self.identify = None;
        }
    }

    /// Ends jobs that waited for their document longer than `millis_max`.
    pub fn expire_open_jobs(&mut self, millis_max: u64, now: u64) {
        for job in self.jobs.values_mut() {
            let waits = !job.state.is_terminal() && !job.closed && !job.receiving && job.document.is_none();
            if waits && now.saturating_sub(job.created_at) >= millis_max {
                job.end(JobState::Aborted, JobReason::AbortedBySystem, now);
            }
        }
    }

    // ------------------------------------------------------------------ jobs coming out

    /// Begins the next job that has its document, if the printer can print.
    pub fn start_next_job(&mut self, now: u64) -> Option<i32> {
        if self.power == Power::Off || self.printing.is_some() || self.is_stopped() {
            return None;
        }
        let job = self.jobs.values_mut().find(|j| j.state == JobState::Pending && j.closed && j.document.is_some())?;
        job.state = JobState::Processing;
        job.processing_at = Some(now);
        self.printing = Some(job.id);
        Some(job.id)
    }

    /// Whether the next page of the printing job may come out, and if not, stops the job.
    ///
    /// `impression` counts the sides of this job from 1, copies included.
    pub fn begin_page(&mut self, id: i32, impression: u32, need: PageNeed) -> Gate {
        if self.power == Power::Off || self.printing != Some(id) || !self.jobs.contains_key(&id) {
            return Gate::Gone;
        }
        (self.media_needed, self.marker_needed) = (None, None);
        if self.jobs.get(&id).is_some_and(|j| j.cancel_requested) {
            return Gate::Canceled;
        }
        if self.faults.jam_at_page == Some(impression) && !self.is_stopped() {
            self.faults.jam_at_page = None;
            self.faults.jammed = true;
            if let (false, Some(tray)) = (need.is_back, self.tray_for(id, need.size)) {
                // The jammed sheet is lost.
                self.trays[tray].take_sheet();
            }
        }
        let dry = self.markers.iter().find(|marker| marker.is_empty() && marker.covers(&need.coverage) > 0);
        self.marker_needed = dry.map(|marker| marker.color);
        let tray = self.tray_for(id, need.size);
        if tray.is_none() && !need.is_back {
            self.media_needed = Some(need.size);
        }
        let gate = match tray {
            _ if self.is_stopped() => Gate::Stopped,
            Some(tray) => Gate::Print { tray, millis: self.page_millis() },
            // A back side is printed on the sheet that is already in the machine.
            None => Gate::Print { tray: 0, millis: self.page_millis() },
        };
        if let Some(job) = self.jobs.get_mut(&id) {
            job.state = if gate == Gate::Stopped { JobState::ProcessingStopped } else { JobState::Processing };
        }
        gate
    }

    /// A side of paper came out.
    pub fn page_printed(&mut self, id: i32, tray: usize, need: PageNeed) {
        if !need.is_back {
            if let Some(tray) = self.trays.get_mut(tray) {
                tray.take_sheet();
            }
            self.sheets += 1;
        }
        self.impressions += 1;
        for marker in &mut self.markers {
            marker.consume(&need.coverage);
        }
        if let Some(job) = self.jobs.get_mut(&id) {
            job.impressions_completed += 1;
            job.sheets_completed += u32::from(!need.is_back);
        }
    }

    /// The printing job ends as its driver says, or as the printer lies.
    pub fn finish_job(&mut self, id: i32, outcome: Outcome, now: u64) {
        if self.printing == Some(id) {
            self.printing = None;
            (self.media_needed, self.marker_needed) = (None, None);
        }
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        if job.cancel_requested {
            job.end(JobState::Canceled, JobReason::CanceledByUser, now);
        } else {
            match outcome {
                Outcome::Printed if self.faults.lie == Some(Lie::NeverCompleted) => {
                    job.state = JobState::Processing;
                    job.never_completes = true;
                }
                Outcome::Printed => job.end(JobState::Completed, JobReason::CompletedSuccessfully, now),
                Outcome::DocumentFormatError => job.end(JobState::Aborted, JobReason::DocumentFormatError, now),
                Outcome::Interrupted => job.end(JobState::Aborted, JobReason::SubmissionInterrupted, now),
                Outcome::Failed => job.end(JobState::Aborted, JobReason::AbortedBySystem, now),
            }
        }
        if self.faults.forget_after_print {
            self.jobs.remove(&id);
        }
        self.forget_old_jobs();
    }

    /// Whether the printer says it is done without printing, for a job that begins now.
    pub fn pretends_to_print(&self) -> bool {
        self.faults.lie == Some(Lie::CompletedUnprinted)
    }

    // ------------------------------------------------------------------ people and power

    /// Does what somebody did to the printer.
    pub fn apply(&mut self, change: &Change, now: u64) -> Result<(), ChangeError> {
        let mut next = self.clone();
        fault::apply(&mut next, change, now)?;
        *self = next;
        Ok(())
    }

    /// Switches it on or off. Off forgets all jobs, as most printers do.
    pub(crate) fn set_power(&mut self, power: Power, now: u64) {
        if self.power == power {
            return;
        }
        self.power = power;
        self.state_changed_at = now;
        match power {
            Power::Off => {
                self.jobs.clear();
                self.printing = None;
                (self.media_needed, self.marker_needed) = (None, None);
                self.identify = None;
            }
            Power::On => {
                self.powered_on_at = now;
                self.config_changed_at = now;
                self.power_cycle += 1;
            }
        }
    }

    /// Ends the jobs that were kept at "processing" only by a lie.
    pub(crate) fn end_never_completing_jobs(&mut self, now: u64) {
        for job in self.jobs.values_mut().filter(|j| j.never_completes && !j.state.is_terminal()) {
            job.never_completes = false;
            job.end(JobState::Completed, JobReason::CompletedSuccessfully, now);
        }
    }

    // ------------------------------------------------------------------ inside

    fn page_millis(&self) -> u64 {
        match (self.faults.slow_page_millis, self.pages_per_minute) {
            (Some(millis), _) => u64::from(millis),
            (None, 0) => 0,
            (None, per_minute) => 60_000 / u64::from(per_minute),
        }
    }

    /// The tray that the job's page is taken from; none when nothing fitting is loaded.
    fn tray_for(&self, id: i32, size: MediaSize) -> Option<usize> {
        let source = self.jobs.get(&id).and_then(|j| j.ticket.media_source.as_deref());
        self.trays.iter().position(|tray| {
            !tray.is_empty() && tray.media.size.fits(size) && source.is_none_or(|s| s == "auto" || s == tray.name)
        })
    }

    fn forget_old_jobs(&mut self) {
        let finished: Vec<i32> = self.jobs.values().filter(|j| j.state.is_terminal()).map(|j| j.id).collect();
        let over = finished.len().saturating_sub(self.finished_kept);
        for id in finished.into_iter().take(over) {
            self.jobs.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests;
