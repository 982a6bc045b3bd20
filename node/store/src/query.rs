//! The seam to the rows.

use crate::{Change, ClaimedEffect, Committed, Key, Record, StoreError, Versioned};
use std::future::Future;
use std::pin::Pin;
use tympan_engine::{
    Account, Attempt, DocumentId, History, Job, JobId, JobUuid, Language, Millis, Notice, OwnerId, Printer,
    PrinterUuid, Registration, ShortId, Timestamp, Token,
};

/// A future that may be sent to another thread.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Whose rows are asked for. Comes from the credential, never from the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// One owner's.
    Owner(OwnerId),
    /// Every owner's: for the machinery (timers, recovery, doors that look up an address).
    Everyones,
}

impl Whose {
    /// Whether a row of this owner is among them.
    pub fn includes(self, owner: OwnerId) -> bool {
        match self {
            Self::Owner(wanted) => wanted == owner,
            Self::Everyones => true,
        }
    }
}

/// Which jobs are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobStates {
    /// All.
    #[default]
    All,
    /// Those that have not ended.
    NotCompleted,
    /// Those that have ended.
    Completed,
    /// Those in doubt.
    InDoubt,
}

/// Which jobs are asked for.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// At one printer.
    pub printer: Option<PrinterUuid>,
    /// From one sender (canonical address).
    pub originator: Option<String>,
    /// In these states.
    pub states: JobStates,
    /// Only jobs made before this one (for the next page), newest first.
    pub before: Option<JobUuid>,
    /// At most so many; 0 means 100.
    pub limit: usize,
}

/// What waits at a printer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Jobs that have not ended.
    pub queued: u64,
    /// Jobs that are pending and ready.
    pub ready: u64,
    /// The shortest retry interval among the ready ones, in milliseconds.
    pub retry_interval_min: Option<Millis>,
    /// The newest "ready at" among the ready ones.
    pub ready_at_max: Option<Timestamp>,
}

/// A sender with jobs waiting at a printer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingSender {
    /// The canonical address.
    pub address: String,
    /// The language of notices.
    pub language: Language,
    /// Whether the address may be mailed.
    pub may_be_mailed: bool,
    /// How many jobs.
    pub jobs: u64,
    /// One of them.
    pub example: JobUuid,
}

/// The rows.
///
/// Reads see every commit that was acknowledged before they began. Every method that people's requests can
/// reach takes [`Whose`].
pub trait Records: Send + Sync + 'static {
    /// Commits a change, durably: when this returns `Ok`, it is on disk.
    fn commit(&self, change: Change) -> Later<'_, Committed>;

    /// Reads rows by key, in the order asked.
    fn read(&self, whose: Whose, keys: &[Key]) -> Later<'_, Vec<Option<Versioned<Record>>>>;

    /// Takes the next `count` job-ids of a printer from its durable counter and returns the first. Ids that
    /// are not used are skipped, never reused.
    fn allocate_job_ids(&self, owner: OwnerId, printer: PrinterUuid, count: u32) -> Later<'_, JobId>;

    /// All printers that were not removed, by name.
    fn printers(&self, whose: Whose) -> Later<'_, Vec<Versioned<Printer>>>;

    /// The printer with this name (canonical), if it was not removed.
    fn printer_by_name(&self, whose: Whose, name: &str) -> Later<'_, Option<Versioned<Printer>>>;

    /// The registration of a sender (canonical address) at a printer.
    fn registration(
        &self,
        whose: Whose,
        printer: PrinterUuid,
        sender: &str,
    ) -> Later<'_, Option<Versioned<Registration>>>;

    /// All registrations of a sender.
    fn registrations_of(&self, whose: Whose, sender: &str) -> Later<'_, Vec<Versioned<Registration>>>;

    /// All registrations at a printer, by sender.
    fn registrations_at(&self, whose: Whose, printer: PrinterUuid) -> Later<'_, Vec<Versioned<Registration>>>;

    /// Jobs, newest first.
    fn jobs(&self, whose: Whose, filter: &JobFilter) -> Later<'_, Vec<Job>>;

    /// The jobs with this short id (more than one only by accident).
    fn jobs_by_short_id(&self, whose: Whose, short: ShortId) -> Later<'_, Vec<Versioned<Job>>>;

    /// The job with this "job-id" at a printer.
    fn job_by_id(&self, whose: Whose, printer: PrinterUuid, id: JobId) -> Later<'_, Option<Versioned<Job>>>;

    /// Jobs that are pending and ready at a printer, by priority (highest first) and job-id, after the given
    /// place.
    fn waiting_jobs(
        &self,
        whose: Whose,
        printer: PrinterUuid,
        after: Option<(u8, JobId)>,
        limit: usize,
    ) -> Later<'_, Vec<Versioned<Job>>>;

    /// What waits at a printer.
    fn waiting(&self, whose: Whose, printer: PrinterUuid) -> Later<'_, Waiting>;

    /// How many jobs of a sender have not ended, counted up to `most`.
    fn open_jobs_of(&self, whose: Whose, sender: &str, most: u64) -> Later<'_, u64>;

    /// The senders with ready jobs waiting at a printer.
    fn waiting_senders(&self, whose: Whose, printer: PrinterUuid) -> Later<'_, Vec<WaitingSender>>;

    /// Jobs whose data is to go or whose retention has passed, the longest overdue first: `due_at <= now`,
    /// content not deleted, and ended or not marked as expired (what `tympan_engine::retain::due` says).
    fn jobs_due(&self, whose: Whose, now: Timestamp, limit: usize) -> Later<'_, Vec<Versioned<Job>>>;

    /// The earliest `due_at` among the jobs that [`Self::jobs_due`] will give some day.
    fn next_job_due(&self, whose: Whose) -> Later<'_, Option<Timestamp>>;

    /// Attempts that are not over, of all jobs: for recovery.
    fn open_attempts(&self, whose: Whose) -> Later<'_, Vec<Versioned<Attempt>>>;

    /// All attempts of a job, oldest first.
    fn attempts_of(&self, whose: Whose, job: JobUuid) -> Later<'_, Vec<Attempt>>;

    /// History of a job, oldest first.
    fn history_of_job(&self, whose: Whose, job: JobUuid) -> Later<'_, Vec<History>>;

    /// History of a printer, newest first.
    fn history_of_printer(&self, whose: Whose, printer: PrinterUuid, limit: usize) -> Later<'_, Vec<History>>;

    /// Deletes history, ended jobs with their attempts, notices, sessions, tokens and received keys that are
    /// past their time; returns how many rows went.
    fn forget(&self, now: Timestamp, history_ms: Millis) -> Later<'_, u64>;

    /// Claims up to `limit` effects that are due and not leased, oldest first; `kinds` are names as in
    /// [`crate::change::NewEffect`]'s serialised `effect` tag (`inspect`, `deliver`, …), empty: all.
    fn claim_effects(
        &self,
        kinds: &[&str],
        now: Timestamp,
        lease_ms: Millis,
        limit: usize,
    ) -> Later<'_, Vec<ClaimedEffect>>;

    /// When the next effect of these kinds falls due or a lease on one ends.
    fn next_effect_due(&self, kinds: &[&str]) -> Later<'_, Option<Timestamp>>;

    /// Ends all leases: at start, before anybody works.
    fn release_leases(&self) -> Later<'_, u64>;

    /// Notices, newest first.
    fn notices(&self, whose: Whose, recipient: Option<&str>, limit: usize) -> Later<'_, Vec<Notice>>;

    /// The account with this name (canonical).
    fn account_by_name(&self, whose: Whose, name: &str) -> Later<'_, Option<Versioned<Account>>>;

    /// All accounts, by name.
    fn accounts(&self, whose: Whose) -> Later<'_, Vec<Versioned<Account>>>;

    /// All tokens.
    fn tokens(&self, whose: Whose) -> Later<'_, Vec<Token>>;

    /// A document's row: size, digest, and the bytes where they are inline.
    fn document(&self, id: DocumentId) -> Later<'_, Option<crate::NewDocument>>;

    /// Documents whose bytes are still to be removed (after a crash).
    fn documents_deleting(&self) -> Later<'_, Vec<DocumentId>>;

    /// Which of these documents have a row: to sweep files that no row points to.
    fn documents_known(&self, ids: &[DocumentId]) -> Later<'_, Vec<DocumentId>>;

    /// The bytes of these documents are gone: their rows go too. The database is cleaned of what was deleted
    /// (WAL truncated, so that nothing of an inline document is left in the data folder) soon after; see
    /// [`Self::flush_deletions`].
    fn documents_removed(&self, ids: &[DocumentId]) -> Later<'_, ()>;

    /// Returns when nothing of what was deleted before stands in the data folder any more. Without it, that is
    /// so within a second or so of rest.
    fn flush_deletions(&self) -> Later<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}
