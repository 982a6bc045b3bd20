//! Carries out the spooler's effects: the one place where they meet outputs, renderers and the mail.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::{error, warn};
use tympan_engine::{AttemptNumber, Condition, Effect, JobUuid, Printer, PrinterEvent, Refusal, Trouble};
use tympan_render::Renderer;
use tympan_spooler::{Perform, Performed, Spooler, SpoolerError};
use tympan_store::Whose;

use crate::output::{Answer, Later, Output, OutputTimes, Outputs};
use crate::report::{ReportOptions, Reporter};
use crate::workshop::Workshop;

/// How long things are waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timings {
    /// First span between two questions after a job; grows while nothing changes. Default 50 ms.
    pub poll_first: Duration,
    /// Longest span between two questions after a job. Default 5 s.
    pub poll_max: Duration,
    /// How often the octets sent are written down. Default 1 s.
    pub sent_every: Duration,
    /// How long an answer about the printer's state holds while its data is prepared. Default 5 s.
    pub answer_good_for: Duration,
    /// First span before a busy printer is asked again for a job; doubles up to `busy_max`. Default 1 s.
    pub busy_first: Duration,
    /// Longest such span. Default 30 s.
    pub busy_max: Duration,
    /// Pause before an attempt that failed clean at the device is given back. Default 2 s.
    pub pause: Duration,
    /// How long a printer that has a job may say nothing before the job counts as lost. Default 10 min.
    pub silence_max: Duration,
    /// How long a job may stand still at the printer before a person is asked. Default 24 h.
    pub stuck_max: Duration,
    /// How long a printer may take to say "completed" after its last side. Default 10 min.
    pub linger_max: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            poll_first: Duration::from_millis(50),
            poll_max: Duration::from_secs(5),
            sent_every: Duration::from_secs(1),
            answer_good_for: Duration::from_secs(5),
            busy_first: Duration::from_secs(1),
            busy_max: Duration::from_secs(30),
            pause: Duration::from_secs(2),
            silence_max: Duration::from_secs(600),
            stuck_max: Duration::from_secs(24 * 3600),
            linger_max: Duration::from_secs(600),
        }
    }
}

/// Settings of the delivery.
#[derive(Clone, Debug)]
pub struct DeliveryOptions {
    /// Runs render workers.
    pub renderer: Renderer,
    /// What stands in for render workers. Default: nothing, they run.
    pub workshop: Option<Arc<dyn Workshop>>,
    /// Ways to devices. Default: [`Outputs::real`].
    pub outputs: Outputs,
    /// How long things are waited for.
    pub timings: Timings,
    /// Where plaintext copies for render workers lie, without a name, while a worker reads them.
    pub temp_folder: PathBuf,
    /// How people are told.
    pub report: ReportOptions,
}

impl DeliveryOptions {
    /// Real outputs, default timings, the system's folder for temporary files.
    pub fn new(renderer: Renderer, report: ReportOptions) -> Self {
        Self {
            renderer,
            workshop: None,
            outputs: Outputs::real(OutputTimes::default()),
            timings: Timings::default(),
            temp_folder: std::env::temp_dir(),
            report,
        }
    }
}

/// Performs effects. Cheap to clone.
#[derive(Clone)]
pub struct Delivery {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) options: DeliveryOptions,
    pub(crate) reporter: Reporter,
    /// Attempts that somebody here is busy with: an effect may be claimed twice after a restart.
    busy: Mutex<HashSet<(JobUuid, AttemptNumber)>>,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

/// Why a piece of work ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It is not needed any more.
    Stale,
    /// Another try may help.
    Again(String),
    /// The store failed.
    Store(SpoolerError),
}

impl From<SpoolerError> for Stop {
    fn from(error: SpoolerError) -> Self {
        match error {
            SpoolerError::Refused(Refusal::Stale | Refusal::JobEnded | Refusal::NotPossible)
            | SpoolerError::NotFound(_) => Self::Stale,
            other => Self::Store(other),
        }
    }
}

/// What came of asking a printer, written down already.
pub(crate) struct Asked {
    pub(crate) printer: Printer,
    pub(crate) up_time_secs: Option<i32>,
    /// It did not answer, or not with an answer.
    pub(crate) unreachable: Option<Trouble>,
}

/// Takes an attempt for one piece of work.
pub(crate) struct Busy<'a> {
    inner: &'a Inner,
    key: (JobUuid, AttemptNumber),
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.inner.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Delivery {
    /// Makes it.
    ///
    /// # Errors
    /// When the settings for mail cannot be used.
    pub fn new(options: DeliveryOptions) -> Result<Self, crate::report::ReportError> {
        let reporter = Reporter::new(options.report.clone())?;
        Ok(Self { inner: Arc::new(Inner { options, reporter, busy: Mutex::default() }) })
    }

    /// The settings.
    pub fn options(&self) -> &DeliveryOptions {
        &self.inner.options
    }

    /// Asks a printer how it is and what it can do, without writing it down.
    pub async fn ask(&self, printer: &Printer) -> Answer {
        match self.inner.options.outputs.of(printer) {
            Ok(output) => output.ask(printer).await,
            Err(why) => Answer::Faulty(why),
        }
    }

    /// Asks a printer to make itself known.
    ///
    /// # Errors
    /// A sentence that says why it could not be asked.
    pub async fn identify(&self, printer: &Printer, actions: &[String], message: &str) -> Result<(), String> {
        self.inner.options.outputs.of(printer)?.identify(printer, actions, message).await
    }

    /// Asks a printer and writes down what came of it: for "Ask it now" and "Add a printer" on the console.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn ask_and_note(&self, spooler: &Spooler, printer: &Printer) -> Result<Printer, SpoolerError> {
        let answer = self.ask(printer).await;
        Ok(note(spooler, printer, answer).await?.printer)
    }

    pub(crate) fn timings(&self) -> &Timings {
        &self.inner.options.timings
    }

    pub(crate) fn busy_with(&self, job: JobUuid, attempt: AttemptNumber) -> Option<Busy<'_>> {
        let key = (job, attempt);
        let new = self.inner.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        new.then_some(Busy { inner: &self.inner, key })
    }

    pub(crate) async fn ask_output(
        &self,
        spooler: &Spooler,
        output: &dyn Output,
        printer: &Printer,
    ) -> Result<Asked, SpoolerError> {
        let answer = output.ask(printer).await;
        note(spooler, printer, answer).await
    }

    async fn work(&self, spooler: &Spooler, effect: &Effect, tries: u32) -> Result<(), Stop> {
        match effect {
            Effect::Inspect { job } => self.inspect(spooler, *job).await,
            Effect::Store { job } => self.store(spooler, *job).await,
            Effect::Deliver { job, attempt } => self.deliver(spooler, *job, *attempt).await,
            Effect::Follow { job, attempt } => self.follow_up(spooler, *job, *attempt).await,
            Effect::CancelAtDevice { job, attempt } => self.cancel_at_device(spooler, *job, *attempt).await,
            Effect::Notify { job, kind } => self.inner.reporter.notify(spooler, *job, kind, tries).await,
            Effect::Mail { to, subject, text, in_reply_to } => {
                self.inner.reporter.mail(spooler, to, subject, text, in_reply_to.as_deref(), tries).await
            }
            // Hints and releases are the spooler's own.
            Effect::Wake { .. } | Effect::Release { .. } => Ok(()),
        }
    }
}

/// Writes an answer down.
pub(crate) async fn note(spooler: &Spooler, printer: &Printer, answer: Answer) -> Result<Asked, SpoolerError> {
    let event = |event| spooler.printer_event(Whose::Everyones, printer.uuid, event, None);
    match answer {
        Answer::Answered(answered) => {
            if let Some(mut profile) = answered.profile {
                profile.version = printer.profile.as_ref().map_or(0, |known| known.version);
                if printer.profile.as_ref() != Some(&profile) {
                    event(PrinterEvent::Learned(profile.into())).await?;
                }
            }
            let printer = event(PrinterEvent::Answered(answered.condition)).await?;
            Ok(Asked { printer, up_time_secs: answered.up_time_secs, unreachable: None })
        }
        Answer::Silent => {
            let printer = event(PrinterEvent::Silent).await?;
            Ok(Asked { printer, up_time_secs: None, unreachable: Some(Trouble::Off) })
        }
        Answer::Faulty(what) => {
            let printer = event(PrinterEvent::Faulty(what.clone())).await?;
            Ok(Asked { printer, up_time_secs: None, unreachable: Some(Trouble::Faulty { what }) })
        }
    }
}

/// Whether two conditions differ in anything but when they were heard.
pub(crate) fn differs(one: &Condition, other: &Condition) -> bool {
    one.reachability != other.reachability
        || one.state != other.state
        || one.reasons != other.reasons
        || one.accepting != other.accepting
        || one.trays != other.trays
        || one.markers != other.markers
        || one.message != other.message
}

impl Perform for Delivery {
    fn perform<'a>(&'a self, spooler: &'a Spooler, effect: &'a Effect, tries: u32) -> Later<'a, Performed> {
        Box::pin(async move {
            match self.work(spooler, effect, tries).await {
                Ok(()) | Err(Stop::Stale) => Performed::Done,
                Err(Stop::Again(why)) => {
                    warn!(tries, why, "Could not perform an effect, will try again");
                    Performed::Again
                }
                Err(Stop::Store(failure)) => {
                    error!(error = &failure as &dyn std::error::Error, "Could not write down what happened");
                    Performed::Again
                }
            }
        })
    }
}
