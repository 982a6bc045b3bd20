//! Records in memory, with the semantics of the real store: for simulation and tests.
//!
//! Every future is complete when it is returned, no runtime is needed, and all orders are those of keys:
//! the same calls give the same answers.

mod state;

use crate::index::{bounded, fold};
use crate::query::Later;
use crate::{
    Change, ClaimedEffect, Committed, JobFilter, JobStates, Key, NewDocument, Record, Records, StoreError, Versioned,
    Waiting, WaitingSender, Whose,
};
use state::State;
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tympan_engine::{
    Account, Attempt, DocumentId, History, Job, JobId, JobUuid, Millis, Notice, OwnerId, Printer, PrinterUuid,
    Registration, ShortId, Timestamp, Token,
};

/// Records in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

/// Everything a [`MemoryStore`] held at one moment: what is on disk when the power fails then.
#[derive(Clone, Debug)]
pub struct MemorySnapshot(State);

impl MemoryStore {
    /// A store without any row.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything that is committed now.
    pub fn snapshot(&self) -> MemorySnapshot {
        MemorySnapshot(self.state().clone())
    }

    /// Goes back to what was committed then.
    pub fn restore(&self, snapshot: &MemorySnapshot) {
        *self.state() = snapshot.0.clone();
    }

    /// From now on nothing is acknowledged, as after a failed sync; `false` ends it, as a restart does.
    pub fn poison(&self, poisoned: bool) {
        self.state().poisoned = poisoned;
    }

    /// From now on the disk is full, until `false`.
    pub fn fill(&self, full: bool) {
        self.state().full = full;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, unless it is not to be changed.
    fn write<'a, T: Send + 'a>(&self, write: impl FnOnce(&mut State) -> Result<T, StoreError>) -> Later<'a, T> {
        let mut state = self.state();
        let result = match (state.poisoned, state.full) {
            (true, _) => Err(StoreError::Poisoned),
            (false, true) => Err(StoreError::Full),
            (false, false) => write(&mut state),
        };
        Box::pin(ready(result))
    }

    fn ask<'a, T: Send + 'a>(&self, read: impl FnOnce(&State) -> T) -> Later<'a, T> {
        Box::pin(ready(Ok(read(&self.state()))))
    }
}

fn versioned<T: Clone>((version, record): (u64, &T)) -> Versioned<T> {
    Versioned { version, record: record.clone() }
}

impl Records for MemoryStore {
    fn commit(&self, change: Change) -> Later<'_, Committed> {
        self.write(|state| state.commit(change))
    }

    fn read(&self, whose: Whose, keys: &[Key]) -> Later<'_, Vec<Option<Versioned<Record>>>> {
        self.ask(|state| {
            let row = |key| state.rows.get(key).filter(|row| whose.includes(row.record.owner())).cloned();
            keys.iter().map(row).collect()
        })
    }

    fn allocate_job_ids(&self, owner: OwnerId, printer: PrinterUuid, count: u32) -> Later<'_, JobId> {
        self.write(|state| {
            let next = state.job_counters.entry((owner, printer)).or_insert(1);
            let first = JobId(*next);
            *next += count.clamp(1, 1_000_000);
            Ok(first)
        })
    }

    fn printers(&self, whose: Whose) -> Later<'_, Vec<Versioned<Printer>>> {
        self.ask(|state| {
            let mut printers: Vec<_> = state.printers(whose).filter(|(_, p)| !p.removed).map(versioned).collect();
            printers.sort_by_key(|row| fold(&row.record.name));
            printers
        })
    }

    fn printer_by_name(&self, whose: Whose, name: &str) -> Later<'_, Option<Versioned<Printer>>> {
        let name = fold(name);
        self.ask(|state| state.printers(whose).find(|(_, p)| !p.removed && fold(&p.name) == name).map(versioned))
    }

    fn registration(
        &self,
        whose: Whose,
        printer: PrinterUuid,
        sender: &str,
    ) -> Later<'_, Option<Versioned<Registration>>> {
        let sender = fold(sender);
        self.ask(|state| {
            state.registrations(whose).find(|(_, r)| r.printer == printer && fold(&r.sender) == sender).map(versioned)
        })
    }

    fn registrations_of(&self, whose: Whose, sender: &str) -> Later<'_, Vec<Versioned<Registration>>> {
        let sender = fold(sender);
        self.ask(|state| state.registrations(whose).filter(|(_, r)| fold(&r.sender) == sender).map(versioned).collect())
    }

    fn registrations_at(&self, whose: Whose, printer: PrinterUuid) -> Later<'_, Vec<Versioned<Registration>>> {
        self.ask(|state| {
            let at: Vec<_> = state.registrations(whose).filter(|(_, r)| r.printer == printer).map(versioned).collect();
            let mut at = at;
            at.sort_by_key(|row| fold(&row.record.sender));
            at
        })
    }

    fn jobs(&self, whose: Whose, filter: &JobFilter) -> Later<'_, Vec<Job>> {
        let originator = filter.originator.as_deref().map(fold);
        self.ask(|state| {
            let wanted = |job: &Job| {
                filter.printer.is_none_or(|printer| job.printer == printer)
                    && originator.as_ref().is_none_or(|address| fold(&job.originator.address) == *address)
                    && filter.before.is_none_or(|before| job.uuid < before)
                    && match filter.states {
                        JobStates::All => true,
                        JobStates::NotCompleted => !job.is_over(),
                        JobStates::Completed => job.is_over(),
                        JobStates::InDoubt => job.doubt.is_some() && !job.is_over(),
                    }
            };
            let jobs = state.jobs(whose).rev().map(|(_, job)| job).filter(|job| wanted(job));
            jobs.take(bounded(filter.limit)).cloned().collect()
        })
    }

    fn jobs_by_short_id(&self, whose: Whose, short: ShortId) -> Later<'_, Vec<Versioned<Job>>> {
        self.ask(|state| {
            let found = state.jobs(whose).rev().filter(|(_, job)| job.short() == short);
            found.take(100).map(versioned).collect()
        })
    }

    fn job_by_id(&self, whose: Whose, printer: PrinterUuid, id: JobId) -> Later<'_, Option<Versioned<Job>>> {
        self.ask(|state| state.jobs(whose).find(|(_, job)| job.printer == printer && job.id == id).map(versioned))
    }

    fn waiting_jobs(
        &self,
        whose: Whose,
        printer: PrinterUuid,
        after: Option<(u8, JobId)>,
        limit: usize,
    ) -> Later<'_, Vec<Versioned<Job>>> {
        self.ask(|state| {
            let later = |job: &Job| {
                after.is_none_or(|(priority, id)| job.priority < priority || (job.priority == priority && job.id > id))
            };
            let waiting = state.waiting(whose, printer).filter(|(_, job)| later(job));
            waiting.take(bounded(limit)).map(versioned).collect()
        })
    }

    fn waiting(&self, whose: Whose, printer: PrinterUuid) -> Later<'_, Waiting> {
        self.ask(|state| {
            let mut waiting = Waiting { queued: state.open_jobs(whose, printer), ..Waiting::default() };
            for (_, job) in state.waiting(whose, printer) {
                waiting.ready += 1;
                let retry = waiting.retry_interval_min.map_or(job.retry_interval_ms, |m| m.min(job.retry_interval_ms));
                waiting.retry_interval_min = Some(retry);
                waiting.ready_at_max = waiting.ready_at_max.max(job.ready_at);
            }
            waiting
        })
    }

    fn open_jobs_of(&self, whose: Whose, sender: &str, most: u64) -> Later<'_, u64> {
        let sender = fold(sender);
        self.ask(|state| {
            state.open_jobs_of(whose, &sender).take(usize::try_from(most).unwrap_or(usize::MAX)).count() as u64
        })
    }

    fn waiting_senders(&self, whose: Whose, printer: PrinterUuid) -> Later<'_, Vec<WaitingSender>> {
        self.ask(|state| {
            let mut jobs: Vec<&Job> = state.waiting(whose, printer).map(|(_, job)| job).collect();
            jobs.sort_by_key(|job| (fold(&job.originator.address), job.originator.may_be_mailed, job.uuid));
            let mut senders: Vec<WaitingSender> = Vec::new();
            for job in jobs {
                let address = fold(&job.originator.address);
                let before = senders.pop_if(|last| last.address == address).map_or(0, |last| last.jobs);
                senders.push(WaitingSender {
                    address,
                    language: job.originator.language,
                    may_be_mailed: job.originator.may_be_mailed,
                    jobs: before + 1,
                    example: job.uuid,
                });
            }
            senders
        })
    }

    fn jobs_due(&self, whose: Whose, now: Timestamp, limit: usize) -> Later<'_, Vec<Versioned<Job>>> {
        self.ask(|state| {
            let due = state.due(whose).take_while(|(at, _)| *at <= now);
            due.take(bounded(limit)).map(|(_, row)| versioned(row)).collect()
        })
    }

    fn next_job_due(&self, whose: Whose) -> Later<'_, Option<Timestamp>> {
        self.ask(|state| state.due(whose).next().map(|(at, _)| at))
    }

    fn open_attempts(&self, whose: Whose) -> Later<'_, Vec<Versioned<Attempt>>> {
        self.ask(|state| state.open_attempts(whose).map(versioned).collect())
    }

    fn attempts_of(&self, whose: Whose, job: JobUuid) -> Later<'_, Vec<Attempt>> {
        self.ask(|state| state.attempts_of(whose, job).map(|(_, attempt)| attempt.clone()).collect())
    }

    fn history_of_job(&self, whose: Whose, job: JobUuid) -> Later<'_, Vec<History>> {
        self.ask(|state| {
            let lines = state.history.values().filter(|line| line.job == Some(job) && whose.includes(line.owner));
            lines.take(10_000).cloned().collect()
        })
    }

    fn history_of_printer(&self, whose: Whose, printer: PrinterUuid, limit: usize) -> Later<'_, Vec<History>> {
        self.ask(|state| {
            let lines = state.history.values().rev();
            let lines = lines.filter(|line| line.printer == Some(printer) && whose.includes(line.owner));
            lines.take(bounded(limit)).cloned().collect()
        })
    }

    fn forget(&self, now: Timestamp, history_ms: Millis) -> Later<'_, u64> {
        self.write(|state| Ok(state.forget(now, history_ms)))
    }

    fn claim_effects(
        &self,
        kinds: &[&str],
        now: Timestamp,
        lease_ms: Millis,
        limit: usize,
    ) -> Later<'_, Vec<ClaimedEffect>> {
        if !self.state().has_due_effect(kinds, now) {
            return Box::pin(ready(Ok(Vec::new())));
        }
        self.write(|state| Ok(state.claim(kinds, now, lease_ms, limit)))
    }

    fn next_effect_due(&self, kinds: &[&str]) -> Later<'_, Option<Timestamp>> {
        self.ask(|state| state.next_effect(kinds))
    }

    fn release_leases(&self) -> Later<'_, u64> {
        self.write(|state| Ok(state.release_leases()))
    }

    fn notices(&self, whose: Whose, recipient: Option<&str>, limit: usize) -> Later<'_, Vec<Notice>> {
        let recipient = recipient.map(fold);
        self.ask(|state| {
            let theirs = |notice: &&Notice| recipient.as_ref().is_none_or(|to| fold(&notice.recipient) == *to);
            let mut notices: Vec<&Notice> = state.notices(whose).map(|(_, notice)| notice).filter(theirs).collect();
            notices.sort_by(|a, b| (b.created_at, &b.key).cmp(&(a.created_at, &a.key)));
            notices.into_iter().take(bounded(limit)).cloned().collect()
        })
    }

    fn account_by_name(&self, whose: Whose, name: &str) -> Later<'_, Option<Versioned<Account>>> {
        let name = fold(name);
        self.ask(|state| state.accounts(whose).find(|(_, account)| fold(&account.name) == name).map(versioned))
    }

    fn accounts(&self, whose: Whose) -> Later<'_, Vec<Versioned<Account>>> {
        self.ask(|state| {
            let mut accounts: Vec<_> = state.accounts(whose).map(versioned).collect();
            accounts.sort_by_key(|row| fold(&row.record.name));
            accounts
        })
    }

    fn tokens(&self, whose: Whose) -> Later<'_, Vec<Token>> {
        self.ask(|state| state.tokens(whose).map(|(_, token)| token.clone()).collect())
    }

    fn document(&self, id: DocumentId) -> Later<'_, Option<NewDocument>> {
        self.ask(|state| {
            state.documents.get(&id).filter(|stored| !stored.deleting).map(|stored| stored.document.clone())
        })
    }

    fn documents_deleting(&self) -> Later<'_, Vec<DocumentId>> {
        self.ask(|state| {
            let deleting = state.documents.iter().filter(|(_, stored)| stored.deleting);
            deleting.map(|(id, _)| *id).take(10_000).collect()
        })
    }

    fn documents_known(&self, ids: &[DocumentId]) -> Later<'_, Vec<DocumentId>> {
        self.ask(|state| ids.iter().copied().filter(|id| state.documents.contains_key(id)).collect())
    }

    fn documents_removed(&self, ids: &[DocumentId]) -> Later<'_, ()> {
        self.write(|state| {
            for id in ids {
                if state.documents.get(id).is_some_and(|stored| stored.deleting) {
                    state.documents.remove(id);
                }
            }
            Ok(())
        })
    }
}
