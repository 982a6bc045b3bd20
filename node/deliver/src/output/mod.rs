//! Outputs: how a job gets to a device. Several real implementations, one delivery flow over all.
//!
//! An output is low level on purpose: it asks, makes a job, sends octets and says what it heard. What an
//! answer means for the attempt is decided in one place, [`crate::deliver`] and [`crate::follow`].

pub mod folder;
pub mod ipp;
pub mod socket;

use crate::prepare::Extras;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncRead;
use tympan_engine::{ColorMode, Condition, DeviceProfile, DeviceRef, PageRange, Printer, ShortId, Sides};
use tympan_ipp::JobState;

/// A future that may be sent to another thread.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a device said when it was asked for its state.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It answered.
    Answered(Box<Answered>),
    /// Nothing came in time: it counts as switched off (A07).
    Silent,
    /// What it answered is no answer; a sentence that says why.
    Faulty(String),
}

/// A device's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// Its state.
    pub condition: Condition,
    /// What it can do, where it says so.
    pub profile: Option<DeviceProfile>,
    /// "printer-up-time", in seconds.
    pub up_time_secs: Option<i32>,
    /// SHA-256 of its certificate, if TLS was used.
    pub fingerprint: Option<[u8; 32]>,
}

/// What a device must be told to print one rendition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Begins "job-name", so that the job is found again when the reply with its job-id was lost.
    pub short: ShortId,
    /// The rest of "job-name".
    pub name: String,
    /// "document-format".
    pub format: String,
    /// Size of the document.
    pub octets: u64,
    /// "copies", where the device makes them.
    pub copies: Option<u16>,
    /// "sides".
    pub sides: Option<Sides>,
    /// "print-color-mode".
    pub color: Option<ColorMode>,
    /// "media".
    pub media: Option<String>,
    /// What it is told beyond that.
    pub extras: Extras,
    /// "page-ranges", where the device picks pages.
    pub page_ranges: Vec<PageRange>,
    /// The device's "printer-up-time" when it was asked, in seconds.
    pub up_time_secs: Option<i32>,
}

impl Ticket {
    /// "job-name".
    pub fn job_name(&self) -> String {
        format!("{} {}", self.short, self.name)
    }
}

/// What came of asking a device to make a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// It made one.
    Job(DeviceRef),
    /// This device makes none before the document comes.
    NotNeeded,
    /// It refused.
    Refused {
        /// Whether another try may help.
        for_now: bool,
        /// What it said.
        why: String,
    },
    /// No answer came: it may have made one.
    Unclear(String),
}

/// The document on its way to a device. What is read from it may have been sent.
pub struct Document {
    /// Its size.
    pub octets: u64,
    /// Its octets.
    pub reader: Box<dyn AsyncRead + Send + Unpin>,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("octets", &self.octets).finish_non_exhaustive()
    }
}

/// What came of sending a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The device took all of it and will say what becomes of it; its job, if it was not known before.
    Accepted(Option<DeviceRef>),
    /// The device took all of it and closed properly; it cannot say more (evidence E1).
    Taken,
    /// It lies where it was to go (evidence E2).
    Finished,
    /// The line broke after so many octets of the document. 0 proves that none arrived.
    Broken {
        /// Octets given to the network.
        octets: u64,
        /// What happened.
        why: String,
    },
    /// The device said no.
    Refused {
        /// Whether another try may help.
        for_now: bool,
        /// What it said.
        why: String,
        /// Octets given to the network before.
        octets: u64,
    },
}

/// What a device says of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobStatus {
    /// "job-state".
    pub state: JobState,
    /// "job-state-reasons" without "none".
    pub reasons: Vec<String>,
    /// "job-impressions-completed", where it counts.
    pub impressions: Option<u32>,
    /// "job-media-sheets-completed", where it counts.
    pub sheets: Option<u32>,
}

impl JobStatus {
    /// Whether the device still waits for the document or for more of it.
    pub fn is_incoming(&self) -> bool {
        self.reasons.iter().any(|reason| {
            matches!(reason.as_str(), "job-incoming" | "job-data-insufficient" | "submission-interrupted")
        })
    }
}

/// What came of asking after a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It knows the job.
    Job(JobStatus),
    /// It knows no such job.
    Unknown,
    /// It did not answer, or not with an answer.
    Silent(String),
}

/// What came of looking for a job by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// There it is.
    Job(DeviceRef),
    /// It never came: what a folder holds is all that ever came.
    NeverArrived,
    /// It is not there, and may have been: printers forget (ADR 5), raw ports know nothing.
    CannotTell,
    /// It did not answer.
    Silent(String),
}

/// What came of a cancel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canceling {
    /// It is cancelled, or will be.
    Accepted,
    /// It had ended before, or is not known, or this device cannot do it.
    NotPossible(String),
    /// It did not answer.
    Silent(String),
}

/// A way to a device.
pub trait Output: Send + Sync + 'static {
    /// Asks the device for its state and abilities, within the printer's time-out.
    fn ask<'a>(&'a self, printer: &'a Printer) -> Later<'a, Answer>;

    /// Asks it to make a job. No octet of a document is sent.
    fn create_job<'a>(&'a self, printer: &'a Printer, ticket: &'a Ticket) -> Later<'a, Created>;

    /// Sends the document; `device` is what [`Output::create_job`] gave.
    fn send_document<'a>(
        &'a self,
        printer: &'a Printer,
        device: Option<&'a DeviceRef>,
        ticket: &'a Ticket,
        document: Document,
    ) -> Later<'a, Sent>;

    /// Asks what became of a job. `short` guards against a job of somebody else under a number used again.
    fn status<'a>(&'a self, printer: &'a Printer, device: &'a DeviceRef, short: ShortId) -> Later<'a, Status>;

    /// Looks for a job by its name.
    fn find<'a>(&'a self, printer: &'a Printer, short: ShortId) -> Later<'a, Found>;

    /// Cancels a job.
    fn cancel<'a>(&'a self, printer: &'a Printer, device: &'a DeviceRef) -> Later<'a, Canceling>;

    /// Asks the device to make itself known; one that cannot is left alone.
    ///
    /// A sentence says why it could not be asked.
    fn identify<'a>(
        &'a self,
        printer: &'a Printer,
        actions: &'a [String],
        message: &'a str,
    ) -> Later<'a, Result<(), String>> {
        let _ = (printer, actions, message);
        Box::pin(async { Ok(()) })
    }

    /// Whether the device can say what became of a job.
    fn can_confirm(&self) -> bool;
}

/// How long outputs wait for devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputTimes {
    /// For the answer to a request other than "what is your state". Default 30 s.
    pub answer: Duration,
    /// How long a device may take no octet of a document; printers stop reading while they print. Default 300 s.
    pub stall: Duration,
    /// How long a raw device may take to close after the last octet. Default 300 s.
    pub close: Duration,
}

impl Default for OutputTimes {
    fn default() -> Self {
        Self { answer: Duration::from_secs(30), stall: Duration::from_secs(300), close: Duration::from_secs(300) }
    }
}

/// The output of a printer, or a sentence about why there is none.
type Choose = dyn Fn(&Printer) -> Result<Arc<dyn Output>, String> + Send + Sync;

/// Chooses the output for a device URI.
#[derive(Clone)]
pub struct Outputs(Arc<Choose>);

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outputs")
    }
}

impl Outputs {
    /// The real ones: `ipp:`, `ipps:`, `socket:`, `folder:`.
    pub fn real(times: OutputTimes) -> Self {
        let ipp: Arc<dyn Output> = Arc::new(ipp::IppOutput::new(times.clone()));
        let socket: Arc<dyn Output> = Arc::new(socket::SocketOutput::new(times));
        let folder: Arc<dyn Output> = Arc::new(folder::FolderOutput);
        Self::choose(move |printer| match printer.device.split(':').next() {
            Some("ipp" | "ipps") => Ok(Arc::clone(&ipp)),
            Some("socket") => Ok(Arc::clone(&socket)),
            Some("folder") => Ok(Arc::clone(&folder)),
            _ => Err(format!("`{}` is no device that can be printed on", printer.device)),
        })
    }

    /// Others, such as those that a simulation scripts.
    pub fn choose(choose: impl Fn(&Printer) -> Result<Arc<dyn Output>, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(choose))
    }

    /// The output for a printer.
    ///
    /// # Errors
    /// A sentence, when the device URI is of no known kind.
    pub fn of(&self, printer: &Printer) -> Result<Arc<dyn Output>, String> {
        (self.0)(printer)
    }
}

/// The formats named by `?format=` in a device URI; a raw port and a folder cannot be asked.
pub(crate) fn formats_of(device: &str) -> Vec<&str> {
    let query = device.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|pair| pair.strip_prefix("format=")).filter(|format| !format.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_cannot_be_asked_says_its_formats_in_its_uri() {
        assert_eq!(formats_of("socket://h:9100?format=application/pdf&format=image/pwg-raster").len(), 2);
        assert_eq!(formats_of("socket://h:9100"), Vec::<&str>::new());
        assert_eq!(formats_of("folder:/out?format="), Vec::<&str>::new());
    }
}
