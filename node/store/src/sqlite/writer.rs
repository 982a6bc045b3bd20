//! The writer thread: group commit, and copying the write-ahead log into the database.

use super::apply::{Applied, Fail, Scratch, apply};
use super::copier::{Copier, copy};
use super::job_ids::{Counter, JobIds};
use super::put::{at, millis, owner, run};
use super::{SqliteOptions, database};
use crate::index::EFFECT_KINDS;
use crate::{Change, ClaimedEffect, Committed, EffectId, StoreError};
use rusqlite::{Connection, ffi, params};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tympan_engine::{DocumentId, JobId, Millis, Timestamp};

/// Most requests in one transaction.
const GROUP_MAX: usize = 1024;
/// Rows that are forgotten at once, per kind; more come in the next transaction.
const FORGET_MAX: i64 = 2000;
/// Without requests for so long, the log is copied into the database.
const REST: Duration = Duration::from_millis(250);

pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked to do.
#[derive(Debug)]
pub(super) enum Request {
    Commit(Box<Change>, Reply<Committed>),
    JobIds { counter: Counter, count: u32, reply: Reply<JobId> },
    Claim { kinds: Vec<String>, now: Timestamp, lease_ms: Millis, limit: usize, reply: Reply<Vec<ClaimedEffect>> },
    ReleaseLeases(Reply<u64>),
    Forget { now: Timestamp, history_ms: Millis, reply: Reply<u64> },
    DocumentsRemoved(Vec<DocumentId>, Reply<()>),
    Purge(Reply<()>),
    Settings(Reply<Vec<(&'static str, String)>>),
}

/// A request that was carried out and waits for the commit of its group.
enum Done {
    Commit(Reply<Committed>, Result<(), StoreError>),
    JobIds { counter: Counter, count: u32, reply: Reply<JobId> },
    Claim(Reply<Vec<ClaimedEffect>>, Result<Vec<ClaimedEffect>, StoreError>),
    Count(Reply<u64>, Result<u64, StoreError>),
    Nothing(Reply<()>, Result<(), StoreError>),
    Purge(Reply<()>),
}

/// Why a whole group failed.
#[derive(Clone)]
enum Broken {
    Full,
    Poisoned,
    Other(Arc<rusqlite::Error>),
}

impl Broken {
    fn error(&self) -> StoreError {
        match self {
            Self::Full => StoreError::Full,
            Self::Poisoned => StoreError::Poisoned,
            Self::Other(cause) => StoreError::Database { doing: "commit", cause: Box::new(cause.clone()) },
        }
    }
}

pub(super) struct Writer {
    conn: Connection,
    copier: Option<Copier>,
    queue: Receiver<Request>,
    job_ids: Arc<JobIds>,
    poisoned: Arc<AtomicBool>,
    options: SqliteOptions,
    scratch: Scratch,
    sequence: u64,
    /// Pages in the write-ahead log that are not all in the database.
    wal_pages: Arc<AtomicI64>,
    /// Since when deleted bytes may stand in the log.
    purge_since: Option<Instant>,
    /// Those who wait for a purge.
    purge_replies: Vec<Reply<()>>,
}

impl Writer {
    pub(super) fn new(
        mut conn: Connection,
        copier: Copier,
        queue: Receiver<Request>,
        job_ids: Arc<JobIds>,
        poisoned: Arc<AtomicBool>,
        options: SqliteOptions,
    ) -> Result<Self, StoreError> {
        let wal_pages = Arc::new(AtomicI64::new(0));
        let pages = wal_pages.clone();
        conn.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, in_log: std::ffi::c_int| {
            pages.store(i64::from(in_log), Ordering::Relaxed);
            Ok(())
        }))
        .map_err(|cause| database("watch the write-ahead log", cause))?;
        let mut writer = Self {
            conn,
            copier: Some(copier),
            queue,
            job_ids,
            poisoned,
            options,
            scratch: Scratch::default(),
            sequence: 0,
            wal_pages,
            purge_since: Some(Instant::now()),
            purge_replies: Vec::new(),
        };
        // What a crash left in the log may hold documents that were deleted.
        writer.purge();
        Ok(writer)
    }

    pub(super) fn run(mut self) {
        let mut group = Vec::new();
        loop {
            match self.queue.recv_timeout(self.patience()) {
                Ok(request) => group.push(request),
                Err(RecvTimeoutError::Timeout) => {
                    self.rest();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            while group.len() < GROUP_MAX {
                match self.queue.try_recv() {
                    Ok(request) => group.push(request),
                    Err(_) => break,
                }
            }
            self.write(&mut group);
            let overdue = self.purge_since.is_some_and(|since| since.elapsed() >= self.options.purge_after);
            if overdue || !self.purge_replies.is_empty() {
                self.purge();
            } else if self.wal_pages.load(Ordering::Relaxed) > i64::from(self.options.wal_pages_max) {
                self.shorten();
            }
        }
        self.close();
    }

    /// How long to wait for a request before there is something else to do.
    fn patience(&self) -> Duration {
        let Some(since) = self.purge_since else {
            return if self.wal_pages.load(Ordering::Relaxed) > 0 { REST } else { Duration::from_secs(3600) };
        };
        if !self.purge_replies.is_empty() {
            return Duration::from_millis(5);
        }
        let left = self.options.purge_after.saturating_sub(since.elapsed());
        left.min(self.options.purge_after / 4).max(Duration::from_millis(5))
    }

    fn rest(&mut self) {
        if self.purge_since.is_some() {
            self.purge();
        } else {
            self.checkpoint();
        }
    }

    fn write(&mut self, group: &mut Vec<Request>) {
        if self.poisoned.load(Ordering::Acquire) {
            for request in group.drain(..) {
                refuse(request, &Broken::Poisoned);
            }
            return;
        }
        let mut done = Vec::with_capacity(group.len());
        let mut wanted: HashMap<Counter, u32> = HashMap::new();
        let mut applied = Applied::default();
        let mut broken = run(&self.conn, "BEGIN IMMEDIATE", params![]).err().map(|cause| self.broken(cause));
        for request in group.drain(..) {
            if let Some(broken) = &broken {
                refuse(request, broken);
                continue;
            }
            if let Err(cause) = self.perform(request, &mut done, &mut wanted, &mut applied) {
                broken = Some(self.broken(cause));
            }
        }
        let mut counters = Vec::with_capacity(wanted.len());
        if broken.is_none() {
            match self.count_up(&wanted) {
                Ok(counted) => counters = counted,
                Err(cause) => broken = Some(self.broken(cause)),
            }
        }
        if broken.is_none() {
            broken = self.commit().err();
        }
        if let Some(broken) = broken {
            if !self.conn.is_autocommit()
                && let Err(cause) = run(&self.conn, "ROLLBACK", params![])
            {
                tracing::error!(error = %cause, "Could not roll back");
                self.poisoned.store(true, Ordering::Release);
            }
            done.into_iter().for_each(|done| fail(done, &broken));
            return;
        }
        if applied.purge {
            self.purge_since.get_or_insert_with(Instant::now);
        }
        // What these requests get is set aside at once: others take ids meanwhile, without a request.
        let mut given: HashMap<Counter, u32> = counters
            .into_iter()
            .map(|(counter, end, grown)| (counter, self.job_ids.extend(counter, end, grown, wanted[&counter])))
            .collect();
        for done in done {
            self.acknowledge(done, &mut given);
        }
    }

    /// Carries one request out within the group's transaction; an error is the group's.
    fn perform(
        &mut self,
        request: Request,
        done: &mut Vec<Done>,
        wanted: &mut HashMap<Counter, u32>,
        applied: &mut Applied,
    ) -> rusqlite::Result<()> {
        match request {
            Request::Commit(change, reply) => match self.change(&change) {
                Ok(this) => {
                    applied.purge |= this.purge;
                    done.push(Done::Commit(reply, Ok(())));
                }
                Err(Fail::This(error)) => done.push(Done::Commit(reply, Err(error))),
                Err(Fail::Group(cause)) => {
                    done.push(Done::Commit(reply, Ok(())));
                    return Err(cause);
                }
            },
            Request::JobIds { counter, count, reply } => {
                *wanted.entry(counter).or_default() += count;
                done.push(Done::JobIds { counter, count, reply });
            }
            Request::Claim { kinds, now, lease_ms, limit, reply } => {
                let claimed = claim(&self.conn, &kinds, now, lease_ms, limit);
                done.push(Done::Claim(reply, split(claimed, "claim effects")?));
            }
            Request::ReleaseLeases(reply) => {
                let sql = "UPDATE effects SET run_at = due_at WHERE run_at <> due_at";
                let released = run(&self.conn, sql, params![]).map(|n| n as u64);
                done.push(Done::Count(reply, split(released, "end the leases of effects")?));
            }
            Request::Forget { now, history_ms, reply } => {
                let forgotten = forget(&self.conn, now, history_ms);
                done.push(Done::Count(reply, split(forgotten, "forget what is past")?));
            }
            Request::DocumentsRemoved(ids, reply) => {
                let removed = ids.iter().try_for_each(|id| {
                    run(&self.conn, "DELETE FROM documents WHERE id = ?1 AND deleting = 1", params![id.0]).map(drop)
                });
                done.push(Done::Nothing(reply, split(removed, "delete the rows of documents")?));
            }
            Request::Purge(reply) => done.push(Done::Purge(reply)),
            Request::Settings(reply) => {
                let names = ["journal_mode", "synchronous", "secure_delete", "foreign_keys", "wal_autocheckpoint"];
                let value =
                    |name| self.conn.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
                let settings =
                    names.into_iter().map(|name| Ok((name, value(name)?))).collect::<rusqlite::Result<Vec<_>>>();
                let text = |value| match value {
                    rusqlite::types::Value::Integer(n) => n.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    other => format!("{other:?}"),
                };
                let settings = settings.map(|all| all.into_iter().map(|(name, v)| (name, text(v))).collect());
                drop(reply.send(settings.map_err(|cause| database("read its settings", cause))));
            }
        }
        Ok(())
    }

    fn change(&mut self, change: &Change) -> Result<Applied, Fail> {
        let group = |cause| Fail::Group(cause);
        run(&self.conn, "SAVEPOINT change", params![]).map_err(group)?;
        let result = apply(&self.conn, change, &mut self.scratch);
        if let Err(Fail::Group(_)) = result {
            return result;
        }
        if self.conn.is_autocommit() {
            // SQLite gave the whole transaction up.
            return Err(Fail::Group(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT), None)));
        }
        if result.is_err() {
            run(&self.conn, "ROLLBACK TO change", params![]).map_err(group)?;
        }
        run(&self.conn, "RELEASE change", params![]).map_err(group)?;
        result
    }

    /// Moves the durable counters of job-ids; gives counter, new end, growth.
    fn count_up(&self, wanted: &HashMap<Counter, u32>) -> rusqlite::Result<Vec<(Counter, u32, u32)>> {
        let mut counted = Vec::with_capacity(wanted.len());
        for (counter, count) in wanted {
            let grown = count.saturating_add(self.job_ids.ahead(*counter));
            let end: u32 = self
                .conn
                .prepare_cached(
                    "INSERT INTO job_counters (owner, printer, next) VALUES (?1, ?2, 1 + ?3)
                     ON CONFLICT DO UPDATE SET next = next + ?3 RETURNING next",
                )?
                .query_row(params![owner(counter.0), counter.1.0, grown], |row| row.get(0))?;
            counted.push((*counter, end, grown));
        }
        Ok(counted)
    }

    fn commit(&self) -> Result<(), Broken> {
        if self.options.sync_fault.as_ref().is_some_and(crate::SyncFault::strikes) {
            return Err(self.broken(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR_FSYNC), None)));
        }
        run(&self.conn, "COMMIT", params![]).map(drop).map_err(|cause| self.broken(cause))
    }

    /// Judges an error of the whole group: what leaves open what is on disk poisons the store.
    fn broken(&self, cause: rusqlite::Error) -> Broken {
        let code = cause.sqlite_error().map(|error| error.extended_code & 0xff);
        match code {
            Some(ffi::SQLITE_FULL) => {
                tracing::warn!("The disk of the data folder is full");
                Broken::Full
            }
            Some(ffi::SQLITE_BUSY | ffi::SQLITE_NOMEM | ffi::SQLITE_ABORT) => Broken::Other(Arc::new(cause)),
            _ => {
                tracing::error!(error = %cause, "Could not write to the data folder; the server has to restart");
                self.poisoned.store(true, Ordering::Release);
                Broken::Poisoned
            }
        }
    }

    fn acknowledge(&mut self, done: Done, given: &mut HashMap<Counter, u32>) {
        // Whoever asked may have gone; the commit stands.
        match done {
            Done::Commit(reply, result) => {
                self.sequence += u64::from(result.is_ok());
                let _ = reply.send(result.map(|()| Committed { sequence: self.sequence }));
            }
            Done::JobIds { counter, count, reply } => {
                let next = given.entry(counter).or_default();
                let _ = reply.send(Ok(JobId(*next)));
                *next += count;
            }
            Done::Claim(reply, result) => drop(reply.send(result)),
            Done::Count(reply, result) => drop(reply.send(result)),
            Done::Nothing(reply, result) => drop(reply.send(result)),
            Done::Purge(reply) => {
                self.purge_since.get_or_insert_with(Instant::now);
                self.purge_replies.push(reply);
            }
        }
    }

    /// The log is long: lets the copier copy it, then copies the rest and starts it again.
    fn shorten(&mut self) {
        let Some(copier) = &self.copier else { return };
        if copier.has_copied() {
            self.checkpoint();
        } else {
            copier.begin();
        }
    }

    /// Copies the log into the database, so that the log can be written from its start again.
    fn checkpoint(&mut self) {
        if self.log_copied("PRAGMA wal_checkpoint(PASSIVE)") {
            self.wal_pages.store(0, Ordering::Relaxed);
        } else if self.wal_pages.load(Ordering::Relaxed) > 4 * i64::from(self.options.wal_pages_max) {
            // Readers held it up each time: wait for them.
            self.purge();
        }
    }

    /// Copies the log into the database and empties it, so that nothing that was deleted stands in it.
    fn purge(&mut self) {
        if self.log_copied("PRAGMA wal_checkpoint(TRUNCATE)") {
            self.wal_pages.store(0, Ordering::Relaxed);
            self.purge_since = None;
            for reply in self.purge_replies.drain(..) {
                let _ = reply.send(Ok(()));
            }
        } else if self.poisoned.load(Ordering::Acquire) {
            self.purge_since = None;
            for reply in self.purge_replies.drain(..) {
                let _ = reply.send(Err(StoreError::Poisoned));
            }
        }
        // Else somebody reads or copies the log just now: those who wait do so until the next try.
    }

    fn log_copied(&self, sql: &str) -> bool {
        copy(&self.conn, sql, &self.poisoned)
    }

    /// Gives back the job-ids that were taken ahead, and leaves one file.
    fn close(&mut self) {
        self.copier = None;
        if self.poisoned.load(Ordering::Acquire) {
            return;
        }
        for (counter, next, end) in self.job_ids.unused() {
            let sql = "UPDATE job_counters SET next = ?3 WHERE owner = ?1 AND printer = ?2 AND next = ?4";
            if let Err(cause) = run(&self.conn, sql, params![owner(counter.0), counter.1.0, next, end]) {
                tracing::warn!(error = %cause, "Could not give back job-ids");
            }
        }
        self.purge();
    }
}

/// Tells a bad request from a bad database.
fn split<T>(result: rusqlite::Result<T>, doing: &'static str) -> rusqlite::Result<Result<T, StoreError>> {
    match result.map_err(|cause| Fail::of(doing, cause)) {
        Ok(value) => Ok(Ok(value)),
        Err(Fail::This(error)) => Ok(Err(error)),
        Err(Fail::Group(cause)) => Err(cause),
    }
}

fn refuse(request: Request, broken: &Broken) {
    match request {
        Request::Commit(_, reply) => drop(reply.send(Err(broken.error()))),
        Request::JobIds { reply, .. } => drop(reply.send(Err(broken.error()))),
        Request::Claim { reply, .. } => drop(reply.send(Err(broken.error()))),
        Request::ReleaseLeases(reply) | Request::Forget { reply, .. } => drop(reply.send(Err(broken.error()))),
        Request::DocumentsRemoved(_, reply) | Request::Purge(reply) => drop(reply.send(Err(broken.error()))),
        Request::Settings(reply) => drop(reply.send(Err(broken.error()))),
    }
}

fn fail(done: Done, broken: &Broken) {
    match done {
        Done::Commit(reply, result) => drop(reply.send(Err(result.err().unwrap_or_else(|| broken.error())))),
        Done::JobIds { reply, .. } => drop(reply.send(Err(broken.error()))),
        Done::Claim(reply, _) => drop(reply.send(Err(broken.error()))),
        Done::Count(reply, _) => drop(reply.send(Err(broken.error()))),
        Done::Nothing(reply, _) | Done::Purge(reply) => drop(reply.send(Err(broken.error()))),
    }
}

fn claim(
    conn: &Connection,
    kinds: &[String],
    now: Timestamp,
    lease_ms: Millis,
    limit: usize,
) -> rusqlite::Result<Vec<ClaimedEffect>> {
    let all = EFFECT_KINDS.map(str::to_owned);
    let kinds = if kinds.is_empty() { &all[..] } else { kinds };
    let mut due: Vec<(i64, i64)> = Vec::new();
    for kind in kinds {
        let sql = "SELECT run_at, id FROM effects WHERE kind = ?1 AND run_at <= ?2 ORDER BY run_at, id LIMIT ?3";
        let mut statement = conn.prepare_cached(sql)?;
        let rows = statement
            .query_map(params![kind, at(now), limit.min(10_000) as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for row in rows {
            due.push(row?);
        }
    }
    due.sort_unstable();
    due.truncate(limit);
    let mut claimed = Vec::with_capacity(due.len());
    for (_, id) in due {
        let sql = "UPDATE effects SET run_at = ?2, tries = tries + 1 WHERE id = ?1 RETURNING tries - 1, body";
        let effect = conn.prepare_cached(sql)?.query_row(params![id, at(now + lease_ms)], |row| {
            Ok(ClaimedEffect {
                id: EffectId(id.cast_unsigned()),
                tries: row.get(0)?,
                effect: super::select::body(row, 1)?,
            })
        })?;
        claimed.push(effect);
    }
    Ok(claimed)
}

fn forget(conn: &Connection, now: Timestamp, history_ms: Millis) -> rusqlite::Result<u64> {
    let before = now.0.checked_sub(history_ms).map_or(-1, millis);
    let mut gone = 0;
    gone += run(
        conn,
        "DELETE FROM attempts WHERE job IN
             (SELECT uuid FROM jobs WHERE ended_at <= ?1 ORDER BY ended_at LIMIT ?2)",
        params![before, FORGET_MAX],
    )?;
    for sql in [
        "DELETE FROM jobs WHERE uuid IN (SELECT uuid FROM jobs WHERE ended_at <= ?1 ORDER BY ended_at LIMIT ?2)",
        "DELETE FROM history WHERE number IN (SELECT number FROM history WHERE at <= ?1 ORDER BY at LIMIT ?2)",
        "DELETE FROM notices WHERE key IN (SELECT key FROM notices WHERE created_at <= ?1 ORDER BY created_at LIMIT ?2)",
    ] {
        gone += run(conn, sql, params![before, FORGET_MAX])?;
    }
    for sql in [
        "DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions WHERE expires_at <= ?1 LIMIT ?2)",
        "DELETE FROM tokens WHERE rowid IN (SELECT rowid FROM tokens WHERE expires_at <= ?1 LIMIT ?2)",
        "DELETE FROM received WHERE rowid IN (SELECT rowid FROM received WHERE expires_at <= ?1 LIMIT ?2)",
    ] {
        gone += run(conn, sql, params![at(now), FORGET_MAX])?;
    }
    Ok(gone as u64)
}
