//! The store as the server sees it: slow at times, dead with the server, and watched by the model.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tympan_engine::{
    Account, Attempt, DocumentId, History, Job, JobId, JobUuid, Millis, Notice, Outcome, OwnerId, Printer, PrinterUuid,
    Registration, ShortId, Timestamp, Token,
};
use tympan_store::query::Later;
use tympan_store::{
    Change, ClaimedEffect, Committed, JobFilter, Key, MemorySnapshot, MemoryStore, NewDocument, Record, Records,
    Versioned, Waiting, WaitingSender, Whose,
};

use super::dice::Dice;
use super::life::Life;
use super::model::Model;
use super::mutants::Mutant;

pub(super) struct Guard {
    store: MemoryStore,
    life: Arc<Life>,
    model: Arc<Mutex<Model>>,
    dice: Mutex<Dice>,
    /// Commits take their time.
    slow: bool,
    mutant: Option<Mutant>,
    /// What a disk without sync would still have.
    older: Mutex<Vec<MemorySnapshot>>,
}

impl Guard {
    pub(super) fn new(life: Arc<Life>, model: Arc<Mutex<Model>>, mut dice: Dice, mutant: Option<Mutant>) -> Arc<Self> {
        let slow = dice.percent(50);
        let dice = Mutex::new(dice);
        Arc::new(Self { store: MemoryStore::new(), life, model, dice, slow, mutant, older: Mutex::default() })
    }

    /// The rows, for the model: they are read without the server.
    pub(super) fn store(&self) -> &MemoryStore {
        &self.store
    }

    /// The power failed: what is on disk is what was committed, and that is all that is here.
    pub(super) fn crash(&self) {
        if let Some(older) = self.older().first().filter(|_| self.mutant == Some(Mutant::LosesCommits)) {
            self.store.restore(older);
        }
    }

    fn older(&self) -> std::sync::MutexGuard<'_, Vec<MemorySnapshot>> {
        self.older.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn model<T>(&self, look: impl FnOnce(&mut Model) -> T) -> T {
        look(&mut self.model.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn pause_ms(&self) -> Option<u64> {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        (self.slow && dice.percent(30)).then(|| dice.range(0, 3))
    }

    async fn pause(&self) {
        match self.pause_ms() {
            None => {}
            Some(0) => tokio::task::yield_now().await,
            Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        }
    }

    fn with_mistakes(&self, mut change: Change) -> Change {
        match self.mutant {
            Some(Mutant::PrintsWithoutMark) => {
                for (record, _) in &mut change.put {
                    if let Record::Job(job) = record {
                        job.mark = None;
                    }
                }
            }
            Some(Mutant::KeepsDocuments) => change.refs.retain(|(_, by)| *by > 0),
            Some(Mutant::ForgetsWhomItTold) => {
                change.put.retain(|(record, _)| !matches!(record, Record::Notice(_)));
            }
            Some(Mutant::IgnoresCancels) => {
                let cancels = |record: &Record| {
                    matches!(record, Record::Job(Job { outcome: Some(Outcome::Canceled { .. }), .. }))
                };
                if change.put.iter().any(|(record, _)| cancels(record)) {
                    return Change::default();
                }
            }
            Some(Mutant::LosesCommits) => {
                let mut older = self.older();
                older.push(self.store.snapshot());
                if older.len() > 4 {
                    older.remove(0);
                }
            }
            _ => {}
        }
        change
    }
}

impl Records for Guard {
    fn commit(&self, change: Change) -> Later<'_, Committed> {
        Box::pin(async move {
            self.life.still_alive().await;
            self.pause().await;
            self.life.still_alive().await;
            let change = self.with_mistakes(change);
            self.model(|model| {
                model.wall = self.life.clock().now();
                model.commits(&change, self.life.now_ms());
            });
            let committed = self.store.commit(change.clone()).await;
            if committed.is_ok() {
                self.model(|model| model.committed(&change, self.life.now_ms()));
            }
            self.pause().await;
            self.life.still_alive().await;
            committed
        })
    }

    fn read(&self, whose: Whose, keys: &[Key]) -> Later<'_, Vec<Option<Versioned<Record>>>> {
        let keys = keys.to_vec();
        Box::pin(async move {
            self.life.still_alive().await;
            if self.pause_ms().is_some() {
                tokio::task::yield_now().await;
            }
            self.store.read(whose, &keys).await
        })
    }

    fn allocate_job_ids(&self, owner: OwnerId, printer: PrinterUuid, count: u32) -> Later<'_, JobId> {
        self.store.allocate_job_ids(owner, printer, count)
    }

    fn printers(&self, whose: Whose) -> Later<'_, Vec<Versioned<Printer>>> {
        self.store.printers(whose)
    }

    fn printer_by_name(&self, whose: Whose, name: &str) -> Later<'_, Option<Versioned<Printer>>> {
        self.store.printer_by_name(whose, name)
    }

    fn registration(&self, whose: Whose, at: PrinterUuid, sender: &str) -> Later<'_, Option<Versioned<Registration>>> {
        self.store.registration(whose, at, sender)
    }

    fn registrations_of(&self, whose: Whose, sender: &str) -> Later<'_, Vec<Versioned<Registration>>> {
        self.store.registrations_of(whose, sender)
    }

    fn registrations_at(&self, whose: Whose, at: PrinterUuid) -> Later<'_, Vec<Versioned<Registration>>> {
        self.store.registrations_at(whose, at)
    }

    fn jobs(&self, whose: Whose, filter: &JobFilter) -> Later<'_, Vec<Job>> {
        self.store.jobs(whose, filter)
    }

    fn jobs_by_short_id(&self, whose: Whose, short: ShortId) -> Later<'_, Vec<Versioned<Job>>> {
        self.store.jobs_by_short_id(whose, short)
    }

    fn job_by_id(&self, whose: Whose, printer: PrinterUuid, id: JobId) -> Later<'_, Option<Versioned<Job>>> {
        self.store.job_by_id(whose, printer, id)
    }

    fn waiting_jobs(
        &self,
        whose: Whose,
        printer: PrinterUuid,
        after: Option<(u8, JobId)>,
        limit: usize,
    ) -> Later<'_, Vec<Versioned<Job>>> {
        let jobs = self.store.waiting_jobs(whose, printer, after, limit);
        Box::pin(async move {
            self.life.still_alive().await;
            let mut jobs = jobs.await?;
            if self.mutant == Some(Mutant::TurnsTheLineAround) && jobs.len() < limit {
                jobs.reverse();
            }
            Ok(jobs)
        })
    }

    fn waiting(&self, whose: Whose, printer: PrinterUuid) -> Later<'_, Waiting> {
        self.store.waiting(whose, printer)
    }

    fn open_jobs_of(&self, whose: Whose, sender: &str, most: u64) -> Later<'_, u64> {
        self.store.open_jobs_of(whose, sender, most)
    }

    fn waiting_senders(&self, whose: Whose, printer: PrinterUuid) -> Later<'_, Vec<WaitingSender>> {
        self.store.waiting_senders(whose, printer)
    }

    fn jobs_due(&self, whose: Whose, now: Timestamp, limit: usize) -> Later<'_, Vec<Versioned<Job>>> {
        self.store.jobs_due(whose, now, limit)
    }

    fn next_job_due(&self, whose: Whose) -> Later<'_, Option<Timestamp>> {
        self.store.next_job_due(whose)
    }

    fn open_attempts(&self, whose: Whose) -> Later<'_, Vec<Versioned<Attempt>>> {
        self.store.open_attempts(whose)
    }

    fn attempts_of(&self, whose: Whose, job: JobUuid) -> Later<'_, Vec<Attempt>> {
        self.store.attempts_of(whose, job)
    }

    fn history_of_job(&self, whose: Whose, job: JobUuid) -> Later<'_, Vec<History>> {
        self.store.history_of_job(whose, job)
    }

    fn history_of_printer(&self, whose: Whose, printer: PrinterUuid, limit: usize) -> Later<'_, Vec<History>> {
        self.store.history_of_printer(whose, printer, limit)
    }

    fn forget(&self, now: Timestamp, history_ms: Millis) -> Later<'_, u64> {
        self.store.forget(now, history_ms)
    }

    fn claim_effects(
        &self,
        kinds: &[&str],
        now: Timestamp,
        lease: Millis,
        limit: usize,
    ) -> Later<'_, Vec<ClaimedEffect>> {
        if self.life.is_dead() {
            return Box::pin(std::future::pending());
        }
        self.store.claim_effects(kinds, now, lease, limit)
    }

    fn next_effect_due(&self, kinds: &[&str]) -> Later<'_, Option<Timestamp>> {
        self.store.next_effect_due(kinds)
    }

    fn release_leases(&self) -> Later<'_, u64> {
        self.store.release_leases()
    }

    fn notices(&self, whose: Whose, recipient: Option<&str>, limit: usize) -> Later<'_, Vec<Notice>> {
        self.store.notices(whose, recipient, limit)
    }

    fn account_by_name(&self, whose: Whose, name: &str) -> Later<'_, Option<Versioned<Account>>> {
        self.store.account_by_name(whose, name)
    }

    fn accounts(&self, whose: Whose) -> Later<'_, Vec<Versioned<Account>>> {
        self.store.accounts(whose)
    }

    fn tokens(&self, whose: Whose) -> Later<'_, Vec<Token>> {
        self.store.tokens(whose)
    }

    fn document(&self, id: DocumentId) -> Later<'_, Option<NewDocument>> {
        self.store.document(id)
    }

    fn documents_deleting(&self) -> Later<'_, Vec<DocumentId>> {
        self.store.documents_deleting()
    }

    fn documents_known(&self, ids: &[DocumentId]) -> Later<'_, Vec<DocumentId>> {
        self.store.documents_known(ids)
    }

    fn documents_removed(&self, ids: &[DocumentId]) -> Later<'_, ()> {
        self.store.documents_removed(ids)
    }
}
