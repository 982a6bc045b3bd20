//! What the store in memory holds, and how a change is applied to it: all or nothing.

use crate::index::{EFFECT_KINDS, JobPlace, effect_kind, exists, fold};
use crate::{
    Change, ClaimedEffect, Committed, EffectId, Key, NewDocument, Record, StoreError, Version, Versioned, Whose,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use tympan_engine::{
    Account, AccountId, Attempt, AttemptNumber, DocumentId, Effect, History, Job, JobId, JobUuid, Millis, Notice,
    OwnerId, Printer, PrinterUuid, Registration, RegistrationId, Timestamp, Token,
};

/// A name that only one row may have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Unique {
    Printer(String),
    Account(String),
    Registration(PrinterUuid, String),
    JobId(PrinterUuid, JobId),
}

#[derive(Clone, Debug)]
pub(super) struct StoredEffect {
    effect: Effect,
    kind: &'static str,
    due_at: Timestamp,
    run_at: Timestamp,
    tries: u32,
}

#[derive(Clone, Debug)]
pub(super) struct StoredDocument {
    pub(super) document: NewDocument,
    pub(super) deleting: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) rows: BTreeMap<Key, Versioned<Record>>,
    unique: BTreeMap<Unique, Key>,
    waiting: BTreeSet<(PrinterUuid, Reverse<u8>, JobId, JobUuid)>,
    open: BTreeSet<(PrinterUuid, JobUuid)>,
    due: BTreeSet<(Timestamp, JobUuid)>,
    open_attempts: BTreeSet<(JobUuid, AttemptNumber)>,
    pub(super) job_counters: BTreeMap<(OwnerId, PrinterUuid), u32>,
    pub(super) history: BTreeMap<u64, History>,
    history_next: u64,
    effects: BTreeMap<u64, StoredEffect>,
    effects_next: u64,
    pub(super) documents: BTreeMap<DocumentId, StoredDocument>,
    sequence: u64,
    pub(super) poisoned: bool,
    pub(super) full: bool,
}

/// How to undo what a change did.
#[derive(Default)]
struct Undo {
    rows: Vec<(Key, Option<Versioned<Record>>)>,
    documents: Vec<(DocumentId, Option<StoredDocument>)>,
}

macro_rules! of_kind {
    ($($name:ident $kind:ident $first:expr, $last:expr;)*) => {$(
        /// Rows of this kind by key, with their versions.
        pub(super) fn $name(&self, whose: Whose) -> impl DoubleEndedIterator<Item = (Version, &$kind)> {
            self.rows.range($first..=$last).filter_map(move |(_, row)| match &row.record {
                Record::$kind(record) if whose.includes(record.owner) => Some((row.version, record)),
                _ => None,
            })
        }
    )*};
}

impl State {
    of_kind! {
        jobs Job Key::Job(JobUuid([0; 16])), Key::Job(JobUuid([255; 16]));
        printers Printer Key::Printer(PrinterUuid([0; 16])), Key::Printer(PrinterUuid([255; 16]));
        registrations Registration
            Key::Registration(RegistrationId([0; 16])), Key::Registration(RegistrationId([255; 16]));
        accounts Account Key::Account(AccountId([0; 16])), Key::Account(AccountId([255; 16]));
        tokens Token Key::Token([0; 32]), Key::Token([255; 32]);
        notices Notice Key::Notice(String::new()), Key::Received([0; 32]);
    }

    fn job(&self, uuid: JobUuid, whose: Whose) -> Option<(Version, &Job)> {
        match self.rows.get(&Key::Job(uuid)) {
            Some(Versioned { version, record: Record::Job(job) }) if whose.includes(job.owner) => Some((*version, job)),
            _ => None,
        }
    }

    fn attempt(&self, job: JobUuid, number: AttemptNumber, whose: Whose) -> Option<(Version, &Attempt)> {
        match self.rows.get(&Key::Attempt(job, number)) {
            Some(Versioned { version, record: Record::Attempt(attempt) }) if whose.includes(attempt.owner) => {
                Some((*version, attempt))
            }
            _ => None,
        }
    }

    pub(super) fn attempts_of(&self, whose: Whose, job: JobUuid) -> impl Iterator<Item = (Version, &Attempt)> {
        let all = Key::Attempt(job, AttemptNumber(0))..=Key::Attempt(job, AttemptNumber(u32::MAX));
        self.rows.range(all).filter_map(move |(_, row)| match &row.record {
            Record::Attempt(attempt) if whose.includes(attempt.owner) => Some((row.version, attempt)),
            _ => None,
        })
    }

    pub(super) fn open_attempts(&self, whose: Whose) -> impl Iterator<Item = (Version, &Attempt)> {
        self.open_attempts.iter().filter_map(move |(job, number)| self.attempt(*job, *number, whose))
    }

    pub(super) fn waiting(&self, whose: Whose, printer: PrinterUuid) -> impl Iterator<Item = (Version, &Job)> {
        let first = (printer, Reverse(u8::MAX), JobId(0), JobUuid([0; 16]));
        let last = (printer, Reverse(0), JobId(u32::MAX), JobUuid([255; 16]));
        self.waiting.range(first..=last).filter_map(move |place| self.job(place.3, whose))
    }

    pub(super) fn open_jobs(&self, whose: Whose, printer: PrinterUuid) -> u64 {
        let all = (printer, JobUuid([0; 16]))..=(printer, JobUuid([255; 16]));
        self.open.range(all).filter(|(_, job)| self.job(*job, whose).is_some()).count() as u64
    }

    pub(super) fn open_jobs_of(&self, whose: Whose, sender: &str) -> impl Iterator<Item = &Job> {
        let open = self.open.iter().filter_map(move |(_, job)| Some(self.job(*job, whose)?.1));
        open.filter(move |job| fold(&job.originator.address) == sender)
    }

    pub(super) fn due(&self, whose: Whose) -> impl Iterator<Item = (Timestamp, (Version, &Job))> {
        self.due.iter().filter_map(move |(at, job)| Some((*at, self.job(*job, whose)?)))
    }

    /// Applies a change, or leaves everything as it was.
    pub(super) fn commit(&mut self, change: Change) -> Result<Committed, StoreError> {
        for (key, version) in &change.expect {
            if self.version(key) != *version {
                return Err(StoreError::Conflict(key.clone()));
            }
        }
        let mut undo = Undo::default();
        if let Err(error) = self.apply_rows(&change, &mut undo) {
            for (key, before) in undo.rows.into_iter().rev() {
                self.set(key, before);
            }
            for (id, before) in undo.documents.into_iter().rev() {
                match before {
                    Some(before) => self.documents.insert(id, before),
                    None => self.documents.remove(&id),
                };
            }
            return Err(error);
        }
        for line in change.history {
            self.history_next += 1;
            self.history.insert(self.history_next, line);
        }
        for new in change.effects {
            let Some(kind) = effect_kind(&new.effect) else {
                continue;
            };
            self.effects_next += 1;
            let stored = StoredEffect { effect: new.effect, kind, due_at: new.due_at, run_at: new.due_at, tries: 0 };
            self.effects.insert(self.effects_next, stored);
        }
        for id in change.done {
            self.effects.remove(&id.0);
        }
        for (id, due) in change.again {
            if let Some(effect) = self.effects.get_mut(&id.0) {
                effect.due_at = due;
                effect.run_at = due;
            }
        }
        self.sequence += 1;
        Ok(Committed { sequence: self.sequence })
    }

    fn apply_rows(&mut self, change: &Change, undo: &mut Undo) -> Result<(), StoreError> {
        for key in &change.delete {
            let before = self.set(key.clone(), None);
            undo.rows.push((key.clone(), before));
        }
        for (record, version) in &change.put {
            let key = record.key();
            let owner = self.rows.get(&key).map(|row| row.record.owner());
            if self.version(&key) != *version || owner.is_some_and(|owner| owner != record.owner()) {
                return Err(StoreError::Conflict(key));
            }
            if unique(record).is_some_and(|name| self.unique.get(&name).is_some_and(|has| *has != key)) {
                return Err(exists(record));
            }
            let row = Versioned { version: version + 1, record: record.clone() };
            let before = self.set(key.clone(), Some(row));
            undo.rows.push((key, before));
        }
        let mut unused = Vec::new();
        for document in &change.documents {
            if self.documents.contains_key(&document.id) {
                return Err(StoreError::Exists(format!("document {}", document.id)));
            }
            undo.documents.push((document.id, None));
            self.documents.insert(document.id, StoredDocument { document: document.clone(), deleting: false });
            if document.refs == 0 {
                unused.push(document.id);
            }
        }
        for (id, by) in &change.refs {
            match self.documents.get_mut(id).filter(|stored| !stored.deleting) {
                // It is gone already: giving it back again changes nothing.
                None if *by <= 0 => {}
                None => return Err(StoreError::NoDocument(*id)),
                Some(stored) => {
                    undo.documents.push((*id, Some(stored.clone())));
                    stored.document.refs = stored.document.refs.saturating_add_signed(*by);
                    match stored.document.refs {
                        0 => unused.push(*id),
                        _ => unused.retain(|unused| unused != id),
                    }
                }
            }
        }
        for id in unused {
            match self.documents.get_mut(&id) {
                Some(stored) if stored.document.inline.is_none() => stored.deleting = true,
                _ => drop(self.documents.remove(&id)),
            }
        }
        Ok(())
    }

    fn version(&self, key: &Key) -> Version {
        self.rows.get(key).map_or(0, |row| row.version)
    }

    /// Sets or deletes a row and what it is found by; gives what was there.
    fn set(&mut self, key: Key, row: Option<Versioned<Record>>) -> Option<Versioned<Record>> {
        let before = match &row {
            Some(row) => self.rows.insert(key.clone(), row.clone()),
            None => self.rows.remove(&key),
        };
        if let Some(before) = &before {
            if let Some(name) = unique(&before.record) {
                self.unique.remove(&name);
            }
            self.unplace(&before.record);
        }
        if let Some(row) = row {
            if let Some(name) = unique(&row.record) {
                self.unique.insert(name, key);
            }
            self.place(&row.record);
        }
        before
    }

    fn place(&mut self, record: &Record) {
        match record {
            Record::Job(job) => {
                let place = JobPlace::of(job);
                if place.waiting {
                    self.waiting.insert((job.printer, Reverse(job.priority), job.id, job.uuid));
                }
                if !place.over {
                    self.open.insert((job.printer, job.uuid));
                }
                if let Some(at) = place.due_at {
                    self.due.insert((at, job.uuid));
                }
            }
            Record::Attempt(attempt) if !attempt.state.is_over() => {
                self.open_attempts.insert((attempt.job, attempt.number));
            }
            _ => {}
        }
    }

    fn unplace(&mut self, record: &Record) {
        match record {
            Record::Job(job) => {
                self.waiting.remove(&(job.printer, Reverse(job.priority), job.id, job.uuid));
                self.open.remove(&(job.printer, job.uuid));
                if let Some(at) = JobPlace::of(job).due_at {
                    self.due.remove(&(at, job.uuid));
                }
            }
            Record::Attempt(attempt) => {
                self.open_attempts.remove(&(attempt.job, attempt.number));
            }
            _ => {}
        }
    }

    pub(super) fn forget(&mut self, now: Timestamp, history_ms: Millis) -> u64 {
        let past = |at: Timestamp| now.0.checked_sub(history_ms).is_some_and(|before| at.0 <= before);
        let mut gone = Vec::new();
        for (key, row) in &self.rows {
            let forgotten = match &row.record {
                Record::Job(job) => JobPlace::of(job).ended_at.is_some_and(past),
                Record::Notice(notice) => past(notice.created_at),
                Record::Session(session) => session.expires_at <= now,
                Record::Token(token) => token.expires_at.is_some_and(|at| at <= now),
                Record::Received(received) => received.expires_at <= now,
                _ => false,
            };
            if forgotten {
                gone.push(key.clone());
                if let Key::Job(job) = key {
                    gone.extend(self.attempts_of(Whose::Everyones, *job).map(|(_, a)| Key::Attempt(a.job, a.number)));
                }
            }
        }
        let mut count = gone.len() as u64;
        for key in gone {
            self.set(key, None);
        }
        let lines = self.history.len();
        self.history.retain(|_, line| !past(line.at));
        count += (lines - self.history.len()) as u64;
        count
    }

    fn effects_of(&self, kinds: &[&str]) -> impl Iterator<Item = (u64, &StoredEffect)> {
        let wanted = move |kind: &str| {
            if kinds.is_empty() { EFFECT_KINDS.contains(&kind) } else { kinds.contains(&kind) }
        };
        self.effects.iter().filter(move |(_, effect)| wanted(effect.kind)).map(|(id, effect)| (*id, effect))
    }

    pub(super) fn next_effect(&self, kinds: &[&str]) -> Option<Timestamp> {
        self.effects_of(kinds).map(|(_, effect)| effect.run_at).min()
    }

    pub(super) fn has_due_effect(&self, kinds: &[&str], now: Timestamp) -> bool {
        self.next_effect(kinds).is_some_and(|at| at <= now)
    }

    pub(super) fn claim(
        &mut self,
        kinds: &[&str],
        now: Timestamp,
        lease_ms: Millis,
        limit: usize,
    ) -> Vec<ClaimedEffect> {
        let due = self.effects_of(kinds).filter(|(_, effect)| effect.run_at <= now);
        let mut due: Vec<(Timestamp, u64)> = due.map(|(id, effect)| (effect.run_at, id)).collect();
        due.sort_unstable();
        due.truncate(limit);
        let mut claimed = Vec::with_capacity(due.len());
        for (_, id) in due {
            if let Some(stored) = self.effects.get_mut(&id) {
                claimed.push(ClaimedEffect { id: EffectId(id), effect: stored.effect.clone(), tries: stored.tries });
                stored.tries += 1;
                stored.run_at = now + lease_ms;
            }
        }
        claimed
    }

    pub(super) fn release_leases(&mut self) -> u64 {
        let mut released = 0;
        for effect in self.effects.values_mut().filter(|effect| effect.run_at != effect.due_at) {
            effect.run_at = effect.due_at;
            released += 1;
        }
        released
    }
}

fn unique(record: &Record) -> Option<Unique> {
    match record {
        Record::Printer(printer) if !printer.removed => Some(Unique::Printer(fold(&printer.name))),
        Record::Account(account) => Some(Unique::Account(fold(&account.name))),
        Record::Registration(registration) => {
            Some(Unique::Registration(registration.printer, fold(&registration.sender)))
        }
        Record::Job(job) => Some(Unique::JobId(job.printer, job.id)),
        _ => None,
    }
}
