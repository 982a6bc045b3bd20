//! Runs the engine: read, apply, commit, effects, timers. The only thing doors know.
//!
//! A record changes in one place, [`Spooler::change`]: rows are read with their versions, the engine's
//! `apply` says what follows, one commit saves it, and on a conflict all of it is done again. Effects are
//! rows of the same commit; [`workers`] claim them with a lease and a [`Perform`] carries them out, its
//! outcome coming back as the next event. A job that waits is a row: no task, no thread.

pub mod accept;
pub mod access;
pub mod change;
pub mod clock;
pub mod condition;
pub mod crash;
mod nudge;
pub mod pin;
pub mod printers;
mod recover;
pub mod registrations;
mod rush;
pub mod schedule;
pub mod tell;
pub mod views;
pub mod workers;

pub use accept::{Accepted, Submission, Submitted, Target};
pub use access::SignIn;
pub use change::SpoolerError;
pub use clock::{Clock, Randomness};
pub use crash::CrashPoint;
pub use pin::PinError;
pub use printers::NewPrinter;
pub use registrations::Registered;
pub use views::{JobView, PrinterView};
pub use workers::{Perform, Performed};

use nudge::Nudge;
use rush::Rush;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;
use tympan_engine::{JobUuid, Millis, OwnerId, PrinterUuid};
use tympan_store::{Documents, Records};

/// Settings of the spooler.
#[derive(Clone, Debug)]
pub struct SpoolerOptions {
    /// How long an assigned attempt may take before it is handed over, in milliseconds. Default 10 min.
    pub lease_ms: Millis,
    /// How long senders wait for the first word about an outage, in milliseconds, so that a printer that
    /// only wakes up makes no mail. Default 5 s.
    pub notice_after_ms: Millis,
    /// How long a job waits for its next document, in milliseconds ("multiple-operation-time-out"). Default 4 min.
    pub documents_time_out_ms: Millis,
    /// How long history is kept, in milliseconds. Default 90 days.
    pub history_ms: Millis,
    /// How long a mail is remembered to recognise its repetition, in milliseconds. Default 5 days.
    pub received_ms: Millis,
    /// How many documents are inspected or prepared at once. Default 2.
    pub inspect_workers: usize,
    /// How many printers are served at once; each has one attempt at most, which may stand for a day. Default 100,000.
    pub deliver_workers: usize,
    /// How many notices are sent at once. Default 4.
    pub notify_workers: usize,
    /// First span before a failed effect is tried again, in milliseconds; doubles up to a minute, for mails up
    /// to an hour. Default 5 s.
    pub effect_retry_ms: Millis,
    /// Most jobs of one sender that have not ended; 0: no limit. Default 500.
    pub jobs_per_sender_max: u64,
}

impl Default for SpoolerOptions {
    fn default() -> Self {
        use tympan_engine::time::{DAY, MINUTE, SECOND};
        Self {
            lease_ms: 10 * MINUTE,
            notice_after_ms: 5 * SECOND,
            documents_time_out_ms: 4 * MINUTE,
            history_ms: tympan_engine::retain::HISTORY_MS,
            received_ms: 5 * DAY,
            inspect_workers: 2,
            deliver_workers: 100_000,
            notify_workers: 4,
            effect_retry_ms: 5 * SECOND,
            jobs_per_sender_max: tympan_engine::admit::JOBS_PER_SENDER_MAX,
        }
    }
}

/// How often a full disk is looked at again.
const FULL_PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// Something changed; for pages that show it live. A hint: the rows are the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Whose it is.
    pub owner: OwnerId,
    /// The printer concerned.
    pub printer: Option<PrinterUuid>,
    /// The job concerned.
    pub job: Option<JobUuid>,
}

/// The running queue. Cheap to clone.
#[derive(Clone)]
pub struct Spooler {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) records: Arc<dyn Records>,
    pub(crate) documents: Documents,
    pub(crate) clock: Clock,
    pub(crate) random: Randomness,
    pub(crate) options: SpoolerOptions,
    pub(crate) crash: CrashPoint,
    pub(crate) nudge: Nudge,
    pub(crate) rush: Rush,
    pub(crate) changed: broadcast::Sender<Changed>,
    pub(crate) job_ids: Mutex<std::collections::HashMap<PrinterUuid, std::ops::Range<u32>>>,
    pub(crate) next_due: AtomicU64,
    /// When the last registration was made, in milliseconds since 1970.
    pub(crate) registered_at: AtomicU64,
    /// The outage of each printer for which waiting jobs were stored in another form.
    pub(crate) stored: Mutex<std::collections::HashMap<PrinterUuid, tympan_engine::OutageId>>,
    /// When each printer had last been asked when its waiting senders were told.
    pub(crate) told: Mutex<std::collections::HashMap<PrinterUuid, Option<tympan_engine::Timestamp>>>,
    /// When the senders behind a job that stands still in its printer were last looked through.
    pub(crate) told_behind: Mutex<std::collections::HashMap<PrinterUuid, tympan_engine::Timestamp>>,
}

impl Spooler {
    /// Makes a spooler over a store. Nothing runs until [`Spooler::run`].
    pub fn new(
        records: Arc<dyn Records>,
        documents: Documents,
        clock: Clock,
        random: Randomness,
        options: SpoolerOptions,
        crash: CrashPoint,
    ) -> Self {
        let (changed, _) = broadcast::channel(1024);
        Self {
            inner: Arc::new(Inner {
                records,
                documents,
                clock,
                random,
                options,
                crash,
                nudge: Nudge::default(),
                rush: Rush::default(),
                changed,
                job_ids: Mutex::default(),
                next_due: AtomicU64::new(0),
                registered_at: AtomicU64::new(0),
                stored: Mutex::default(),
                told: Mutex::default(),
                told_behind: Mutex::default(),
            }),
        }
    }

    /// Recovers, then schedules and performs effects until the returned future is dropped. A full disk is
    /// waited for.
    ///
    /// # Errors
    /// When the store fails for good; the process has to restart then.
    pub async fn run(&self, perform: Arc<dyn Perform>) -> Result<(), SpoolerError> {
        while let Err(error) = self.recover().await {
            self.wait_for_room(error).await?;
        }
        tokio::select! {
            biased;
            result = self.keep_scheduling() => result,
            result = self.work(perform) => result,
            error = self.inner.documents.poisoned() => Err(error.into()),
        }
    }

    async fn keep_scheduling(&self) -> Result<(), SpoolerError> {
        loop {
            match self.schedule().await {
                Ok(()) => return Ok(()),
                Err(error) => self.wait_for_room(error).await?,
            }
        }
    }

    /// Waits a little while the disk is full; any other failure is handed on.
    pub(crate) async fn wait_for_room(&self, error: SpoolerError) -> Result<(), SpoolerError> {
        if !error.is_full() {
            return Err(error);
        }
        tracing::warn!("The disk is full; the queue goes on when there is room");
        tokio::time::sleep(FULL_PAUSE).await;
        Ok(())
    }

    /// The rows.
    pub fn records(&self) -> &dyn Records {
        &*self.inner.records
    }

    /// The documents.
    pub fn documents(&self) -> &Documents {
        &self.inner.documents
    }

    /// The clock everything here goes by.
    pub fn now(&self) -> tympan_engine::Timestamp {
        self.inner.clock.now()
    }

    /// Random octets from the source everything here uses.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        self.inner.random.octets()
    }

    /// The settings.
    pub fn options(&self) -> &SpoolerOptions {
        &self.inner.options
    }

    /// Says what changes from now on.
    pub fn watch(&self) -> broadcast::Receiver<Changed> {
        self.inner.changed.subscribe()
    }

    /// Passes a named crash point; only tests do more than go on.
    pub async fn crash_point(&self, name: &'static str) {
        self.inner.crash.pass(name).await;
    }
}
