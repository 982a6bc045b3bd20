//! The seam to the rows, answered by SQL.

use super::put::at;
use super::select::{body, by_key, many, one, versioned, whose};
use super::writer::{Reply, Request};
use super::{SqliteStore, contents};
use crate::index::{EFFECT_KINDS, bounded, fold};
use crate::query::Later;
use crate::{
    Change, ClaimedEffect, Committed, JobFilter, JobStates, Key, NewDocument, Record, Records, StoreError, Versioned,
    Waiting, WaitingSender, Whose,
};
use bytes::Bytes;
use rusqlite::{Connection, ToSql, params};
use std::future::ready;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;
use tympan_engine::{
    Account, Attempt, DocumentId, History, Job, JobId, JobUuid, Language, Millis, Notice, OwnerId, Printer,
    PrinterUuid, Registration, ShortId, Timestamp, Token,
};

pub(super) const JOBS_DUE: &str = "SELECT version, body FROM jobs
    WHERE due_at <= ?2 AND (?1 IS NULL OR owner = ?1) ORDER BY due_at, uuid LIMIT ?3";
pub(super) const NEXT_JOB_DUE: &str = "SELECT due_at FROM jobs
    WHERE due_at IS NOT NULL AND (?1 IS NULL OR owner = ?1) ORDER BY due_at LIMIT 1";
pub(super) const WAITING_JOBS: &str = "SELECT version, body FROM jobs
    WHERE waiting = 1 AND printer = ?2 AND (?1 IS NULL OR owner = ?1) ORDER BY priority DESC, id LIMIT ?3";
/// The rest of the same priority, then the lower ones: two searches, as SQLite has no search by a pair of
/// which one half descends.
pub(super) const WAITING_JOBS_SAME: &str = "SELECT version, body FROM jobs
    WHERE waiting = 1 AND printer = ?2 AND (?1 IS NULL OR owner = ?1) AND priority = ?4 AND id > ?5
    ORDER BY id LIMIT ?3";
pub(super) const WAITING_JOBS_LOWER: &str = "SELECT version, body FROM jobs
    WHERE waiting = 1 AND printer = ?2 AND (?1 IS NULL OR owner = ?1) AND priority < ?4
    ORDER BY priority DESC, id LIMIT ?3";
pub(super) const WAITING_COUNTS: &str = "SELECT coalesce(sum(queued), 0), coalesce(sum(ready), 0) FROM job_counts
    WHERE printer = ?2 AND (?1 IS NULL OR owner = ?1)";
pub(super) const WAITING_RETRY: &str = "SELECT retry_interval_ms FROM jobs
    WHERE waiting = 1 AND printer = ?2 AND (?1 IS NULL OR owner = ?1) ORDER BY retry_interval_ms LIMIT 1";
pub(super) const WAITING_READY: &str = "SELECT ready_at FROM jobs
    WHERE waiting = 1 AND printer = ?2 AND ready_at IS NOT NULL AND (?1 IS NULL OR owner = ?1)
    ORDER BY ready_at DESC LIMIT 1";
pub(super) const OPEN_JOBS_OF: &str =
    "SELECT 1 FROM jobs WHERE originator = ?2 AND over = 0 AND (?1 IS NULL OR owner = ?1) LIMIT ?3";
const WAITING_SENDERS: &str = "SELECT originator, may_be_mailed, count(*), max(uuid), language FROM jobs
    WHERE waiting = 1 AND printer = ?2 AND (?1 IS NULL OR owner = ?1)
    GROUP BY originator, may_be_mailed ORDER BY originator, may_be_mailed";
pub(super) const OPEN_ATTEMPTS: &str = "SELECT version, body FROM attempts
    WHERE open = 1 AND (?1 IS NULL OR owner = ?1) ORDER BY job, number";
pub(super) const NEXT_EFFECT: &str = "SELECT run_at FROM effects WHERE kind = ?1 ORDER BY run_at LIMIT 1";
pub(super) const DOCUMENTS_DELETING: &str = "SELECT id FROM documents WHERE deleting = 1 ORDER BY id LIMIT 10000";

/// The search for a filter, and whether it asks for an owner, a printer, an originator, a job before.
pub(super) fn jobs_sql(theirs: Whose, filter: &JobFilter) -> String {
    let mut sql = String::from("SELECT body FROM jobs WHERE ?1 IS ?1");
    // Where a printer or an originator narrows it down, the owner is only checked: `+` keeps its index out.
    let narrowed = filter.printer.is_some() || filter.originator.is_some();
    if matches!(theirs, Whose::Owner(_)) {
        sql += if narrowed || filter.states == JobStates::InDoubt { " AND +owner = ?1" } else { " AND owner = ?1" };
    }
    if filter.originator.is_some() {
        sql += " AND originator = ?3";
    }
    if filter.printer.is_some() {
        sql += if filter.originator.is_some() { " AND +printer = ?2" } else { " AND printer = ?2" };
    }
    sql += match filter.states {
        JobStates::All => "",
        JobStates::NotCompleted => " AND over = 0",
        JobStates::Completed => " AND over = 1",
        JobStates::InDoubt => " AND in_doubt = 1",
    };
    if filter.before.is_some() {
        sql += " AND uuid < ?4";
    }
    sql + " AND ?2 IS ?2 AND ?3 IS ?3 AND ?4 IS ?4 ORDER BY uuid DESC LIMIT ?5"
}

impl SqliteStore {
    fn read_with<'a, T: Send + 'a>(
        &self,
        doing: &'static str,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Later<'a, T> {
        Box::pin(ready(self.readers.with(doing, read)))
    }

    fn ask<'a, T: Send + 'a>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Later<'a, T> {
        if self.poisoned.load(Ordering::Acquire) {
            return Box::pin(ready(Err(StoreError::Poisoned)));
        }
        let (reply, answer) = oneshot::channel();
        self.send(request(reply));
        // Without an answer the writer has died: as after a failed sync, nobody knows what is on disk.
        Box::pin(async move { answer.await.unwrap_or(Err(StoreError::Poisoned)) })
    }

    /// What SQLite would do for a query, for tests: whether it searches an index or reads whole tables.
    ///
    /// # Errors
    /// If it is no query.
    pub fn explain(&self, sql: &str) -> Result<Vec<String>, StoreError> {
        self.readers.with("explain a query", |conn| {
            let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let unbound = vec![None::<i64>; statement.parameter_count()];
            let rows = statement.query_map(rusqlite::params_from_iter(unbound), |row| row.get(3))?;
            rows.collect()
        })
    }

    /// How the database writes, as it says itself: names and values of its settings.
    ///
    /// # Errors
    /// What the database says.
    pub fn settings(&self) -> Later<'_, Vec<(&'static str, String)>> {
        self.ask(Request::Settings)
    }

    /// The queries that must stay quick however many jobs there are, for tests.
    pub fn hot_queries() -> Vec<(&'static str, String)> {
        let printer = JobFilter { printer: Some(PrinterUuid([0; 16])), ..JobFilter::default() };
        let one = Whose::Owner(OwnerId::FIRST);
        let open = JobStates::NotCompleted;
        let before = Some(JobUuid([0; 16]));
        let mut queries: Vec<_> = [
            ("jobs_due", JOBS_DUE),
            ("next_job_due", NEXT_JOB_DUE),
            ("waiting_jobs", WAITING_JOBS),
            ("waiting_jobs", WAITING_JOBS_SAME),
            ("waiting_jobs", WAITING_JOBS_LOWER),
            ("waiting", WAITING_COUNTS),
            ("waiting", WAITING_RETRY),
            ("waiting", WAITING_READY),
            ("waiting_senders", WAITING_SENDERS),
            ("open_jobs_of", OPEN_JOBS_OF),
            ("open_attempts", OPEN_ATTEMPTS),
            ("next_effect_due", NEXT_EFFECT),
            ("documents_deleting", DOCUMENTS_DELETING),
        ]
        .map(|(name, sql)| (name, sql.to_string()))
        .into();
        for (theirs, filter) in [
            (Whose::Everyones, JobFilter::default()),
            (one, JobFilter::default()),
            (one, JobFilter { before, ..JobFilter::default() }),
            (one, JobFilter { states: open, ..printer.clone() }),
            (one, JobFilter { before, ..printer.clone() }),
            (one, JobFilter { originator: Some(String::new()), ..printer }),
            (Whose::Everyones, JobFilter { states: JobStates::InDoubt, ..JobFilter::default() }),
            (one, JobFilter { states: JobStates::InDoubt, ..JobFilter::default() }),
        ] {
            queries.push(("jobs", jobs_sql(theirs, &filter)));
        }
        queries
    }
}

fn language(tag: &str) -> Language {
    Language::choose(tag)
}

fn id(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<DocumentId> {
    row.get(column).map(DocumentId)
}

impl Records for SqliteStore {
    fn commit(&self, change: Change) -> Later<'_, Committed> {
        self.ask(|reply| Request::Commit(Box::new(change), reply))
    }

    fn read(&self, theirs: Whose, keys: &[Key]) -> Later<'_, Vec<Option<Versioned<Record>>>> {
        self.read_with("read rows", |conn| {
            if let [key] = keys {
                return Ok(vec![by_key(conn, theirs, key)?]);
            }
            // One transaction, so that the rows belong together.
            conn.prepare_cached("BEGIN")?.execute([])?;
            let rows = keys.iter().map(|key| by_key(conn, theirs, key)).collect();
            conn.prepare_cached("COMMIT")?.execute([])?;
            rows
        })
    }

    fn allocate_job_ids(&self, owner: OwnerId, printer: PrinterUuid, count: u32) -> Later<'_, JobId> {
        let counter = (owner, printer);
        let count = count.clamp(1, 1_000_000);
        match self.job_ids.take(counter, count) {
            Some(first) => Box::pin(ready(Ok(first))),
            None => self.ask(|reply| Request::JobIds { counter, count, reply }),
        }
    }

    fn printers(&self, theirs: Whose) -> Later<'_, Vec<Versioned<Printer>>> {
        let sql = "SELECT version, body FROM printers
            WHERE removed = 0 AND (?1 IS NULL OR owner = ?1) ORDER BY name";
        self.read_with("list printers", |conn| many(conn, sql, params![whose(theirs)], versioned))
    }

    fn printer_by_name(&self, theirs: Whose, name: &str) -> Later<'_, Option<Versioned<Printer>>> {
        let sql = "SELECT version, body FROM printers
            WHERE removed = 0 AND name = ?2 AND (?1 IS NULL OR owner = ?1)";
        self.read_with("find a printer", |conn| one(conn, sql, params![whose(theirs), fold(name)], versioned))
    }

    fn registration(
        &self,
        theirs: Whose,
        printer: PrinterUuid,
        sender: &str,
    ) -> Later<'_, Option<Versioned<Registration>>> {
        let sql = "SELECT version, body FROM registrations
            WHERE printer = ?2 AND sender = ?3 AND (?1 IS NULL OR owner = ?1)";
        self.read_with("find a registration", |conn| {
            one(conn, sql, params![whose(theirs), printer.0, fold(sender)], versioned)
        })
    }

    fn registrations_of(&self, theirs: Whose, sender: &str) -> Later<'_, Vec<Versioned<Registration>>> {
        let sql = "SELECT version, body FROM registrations
            WHERE sender = ?2 AND (?1 IS NULL OR owner = ?1) ORDER BY id";
        self.read_with("list registrations", |conn| many(conn, sql, params![whose(theirs), fold(sender)], versioned))
    }

    fn registrations_at(&self, theirs: Whose, printer: PrinterUuid) -> Later<'_, Vec<Versioned<Registration>>> {
        let sql = "SELECT version, body FROM registrations
            WHERE printer = ?2 AND (?1 IS NULL OR owner = ?1) ORDER BY sender";
        self.read_with("list registrations", |conn| many(conn, sql, params![whose(theirs), printer.0], versioned))
    }

    fn jobs(&self, theirs: Whose, filter: &JobFilter) -> Later<'_, Vec<Job>> {
        let sql = jobs_sql(theirs, filter);
        let owner = whose(theirs);
        let printer = filter.printer.map(|printer| printer.0);
        let originator = filter.originator.as_deref().map(fold);
        let before = filter.before.map(|job| job.0);
        let limit = bounded(filter.limit) as i64;
        let values: [&dyn ToSql; 5] = [&owner, &printer, &originator, &before, &limit];
        self.read_with("list jobs", |conn| many(conn, &sql, &values[..], |row| body(row, 0)))
    }

    fn jobs_by_short_id(&self, theirs: Whose, short: ShortId) -> Later<'_, Vec<Versioned<Job>>> {
        let sql = "SELECT version, body FROM jobs
            WHERE short = ?2 AND (?1 IS NULL OR owner = ?1) ORDER BY uuid DESC LIMIT 100";
        self.read_with("find a job", |conn| many(conn, sql, params![whose(theirs), short.to_string()], versioned))
    }

    fn job_by_id(&self, theirs: Whose, printer: PrinterUuid, id: JobId) -> Later<'_, Option<Versioned<Job>>> {
        let sql = "SELECT version, body FROM jobs WHERE printer = ?2 AND id = ?3 AND (?1 IS NULL OR owner = ?1)";
        self.read_with("find a job", |conn| one(conn, sql, params![whose(theirs), printer.0, id.0], versioned))
    }

    fn waiting_jobs(
        &self,
        theirs: Whose,
        printer: PrinterUuid,
        after: Option<(u8, JobId)>,
        limit: usize,
    ) -> Later<'_, Vec<Versioned<Job>>> {
        let (owner, limit) = (whose(theirs), bounded(limit));
        self.read_with("list waiting jobs", |conn| {
            let Some((priority, id)) = after else {
                return many(conn, WAITING_JOBS, params![owner, printer.0, limit as i64], versioned);
            };
            let values = params![owner, printer.0, limit as i64, priority, id.0];
            let mut jobs = many(conn, WAITING_JOBS_SAME, values, versioned)?;
            if jobs.len() < limit {
                let values = params![owner, printer.0, (limit - jobs.len()) as i64, priority];
                jobs.extend(many(conn, WAITING_JOBS_LOWER, values, versioned)?);
            }
            Ok(jobs)
        })
    }

    fn waiting(&self, theirs: Whose, printer: PrinterUuid) -> Later<'_, Waiting> {
        self.read_with("count waiting jobs", |conn| {
            let values = || (whose(theirs), printer.0);
            let counts = one(conn, WAITING_COUNTS, values(), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
            let (queued, ready) = counts.unwrap_or_default();
            let mut waiting =
                Waiting { queued: queued.cast_unsigned(), ready: ready.cast_unsigned(), ..Waiting::default() };
            if ready > 0 {
                let number = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0).map(i64::cast_unsigned);
                waiting.retry_interval_min = one(conn, WAITING_RETRY, values(), number)?;
                waiting.ready_at_max = one(conn, WAITING_READY, values(), number)?.map(Timestamp);
            }
            Ok(waiting)
        })
    }

    fn open_jobs_of(&self, theirs: Whose, sender: &str, most: u64) -> Later<'_, u64> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.read_with("count a sender's jobs", |conn| {
            let mut statement = conn.prepare_cached(OPEN_JOBS_OF)?;
            let mut rows = statement.query(params![whose(theirs), fold(sender), most])?;
            let mut count = 0;
            while rows.next()?.is_some() {
                count += 1;
            }
            Ok(count)
        })
    }

    fn waiting_senders(&self, theirs: Whose, printer: PrinterUuid) -> Later<'_, Vec<WaitingSender>> {
        self.read_with("list waiting senders", |conn| {
            let rows = many(conn, WAITING_SENDERS, params![whose(theirs), printer.0], |row| {
                Ok(WaitingSender {
                    address: row.get(0)?,
                    may_be_mailed: row.get(1)?,
                    jobs: row.get::<_, i64>(2)?.cast_unsigned(),
                    example: JobUuid(row.get(3)?),
                    language: language(row.get_ref(4)?.as_str()?),
                })
            })?;
            // A sender may have jobs that may be answered and others (automatic mails): those that may be come last.
            let mut senders: Vec<WaitingSender> = Vec::with_capacity(rows.len());
            for row in rows {
                match senders.last_mut() {
                    Some(last) if last.address == row.address => {
                        *last = WaitingSender { jobs: last.jobs + row.jobs, ..row };
                    }
                    _ => senders.push(row),
                }
            }
            Ok(senders)
        })
    }

    fn jobs_due(&self, theirs: Whose, now: Timestamp, limit: usize) -> Later<'_, Vec<Versioned<Job>>> {
        let values = (whose(theirs), at(now), bounded(limit) as i64);
        self.read_with("list jobs that are due", |conn| many(conn, JOBS_DUE, values, versioned))
    }

    fn next_job_due(&self, theirs: Whose) -> Later<'_, Option<Timestamp>> {
        self.read_with("find the next job that falls due", |conn| {
            one(conn, NEXT_JOB_DUE, params![whose(theirs)], |row| Ok(Timestamp(row.get::<_, i64>(0)?.cast_unsigned())))
        })
    }

    fn open_attempts(&self, theirs: Whose) -> Later<'_, Vec<Versioned<Attempt>>> {
        self.read_with("list open attempts", |conn| many(conn, OPEN_ATTEMPTS, params![whose(theirs)], versioned))
    }

    fn attempts_of(&self, theirs: Whose, job: JobUuid) -> Later<'_, Vec<Attempt>> {
        let sql = "SELECT body FROM attempts WHERE job = ?2 AND (?1 IS NULL OR owner = ?1) ORDER BY number";
        self.read_with("list attempts", |conn| many(conn, sql, params![whose(theirs), job.0], |row| body(row, 0)))
    }

    fn history_of_job(&self, theirs: Whose, job: JobUuid) -> Later<'_, Vec<History>> {
        let sql = "SELECT body FROM history
            WHERE job = ?2 AND (?1 IS NULL OR owner = ?1) ORDER BY number LIMIT 10000";
        self.read_with("read history", |conn| many(conn, sql, params![whose(theirs), job.0], |row| body(row, 0)))
    }

    fn history_of_printer(&self, theirs: Whose, printer: PrinterUuid, limit: usize) -> Later<'_, Vec<History>> {
        let sql = "SELECT body FROM history
            WHERE printer = ?2 AND (?1 IS NULL OR owner = ?1) ORDER BY number DESC LIMIT ?3";
        let values = (whose(theirs), printer.0, bounded(limit) as i64);
        self.read_with("read history", |conn| many(conn, sql, values, |row| body(row, 0)))
    }

    fn forget(&self, now: Timestamp, history_ms: Millis) -> Later<'_, u64> {
        Box::pin(async move {
            let mut gone = 0;
            loop {
                match self.ask(|reply| Request::Forget { now, history_ms, reply }).await? {
                    0 => return Ok(gone),
                    more => gone += more,
                }
            }
        })
    }

    fn claim_effects(
        &self,
        kinds: &[&str],
        now: Timestamp,
        lease_ms: Millis,
        limit: usize,
    ) -> Later<'_, Vec<ClaimedEffect>> {
        // Most questions find nothing; those need no writer.
        match self.readers.with("find due effects", |conn| next_effect(conn, kinds)) {
            Ok(Some(next)) if next <= now && limit > 0 => {}
            Ok(_) => return Box::pin(ready(Ok(Vec::new()))),
            Err(error) => return Box::pin(ready(Err(error))),
        }
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        self.ask(|reply| Request::Claim { kinds, now, lease_ms, limit, reply })
    }

    fn next_effect_due(&self, kinds: &[&str]) -> Later<'_, Option<Timestamp>> {
        self.read_with("find the next effect that falls due", |conn| next_effect(conn, kinds))
    }

    fn release_leases(&self) -> Later<'_, u64> {
        self.ask(Request::ReleaseLeases)
    }

    fn notices(&self, theirs: Whose, recipient: Option<&str>, limit: usize) -> Later<'_, Vec<Notice>> {
        let limit = bounded(limit) as i64;
        let owner = whose(theirs);
        self.read_with("list notices", |conn| match recipient {
            Some(recipient) => {
                let sql = "SELECT body FROM notices WHERE recipient = ?3 AND (?1 IS NULL OR owner = ?1)
                    ORDER BY created_at DESC, key DESC LIMIT ?2";
                many(conn, sql, params![owner, limit, fold(recipient)], |row| body(row, 0))
            }
            None => {
                let sql = "SELECT body FROM notices WHERE (?1 IS NULL OR owner = ?1)
                    ORDER BY created_at DESC, key DESC LIMIT ?2";
                many(conn, sql, params![owner, limit], |row| body(row, 0))
            }
        })
    }

    fn account_by_name(&self, theirs: Whose, name: &str) -> Later<'_, Option<Versioned<Account>>> {
        let sql = "SELECT version, body FROM accounts WHERE name = ?2 AND (?1 IS NULL OR owner = ?1)";
        self.read_with("find an account", |conn| one(conn, sql, params![whose(theirs), fold(name)], versioned))
    }

    fn accounts(&self, theirs: Whose) -> Later<'_, Vec<Versioned<Account>>> {
        let sql = "SELECT version, body FROM accounts WHERE (?1 IS NULL OR owner = ?1) ORDER BY name";
        self.read_with("list accounts", |conn| many(conn, sql, params![whose(theirs)], versioned))
    }

    fn tokens(&self, theirs: Whose) -> Later<'_, Vec<Token>> {
        let sql = "SELECT body FROM tokens WHERE (?1 IS NULL OR owner = ?1) ORDER BY token_hash";
        self.read_with("list tokens", |conn| many(conn, sql, params![whose(theirs)], |row| body(row, 0)))
    }

    fn document(&self, document: DocumentId) -> Later<'_, Option<NewDocument>> {
        let sql = "SELECT octets, sha256, inline, refs, bytes FROM documents LEFT JOIN contents USING (number)
            WHERE id = ?1 AND deleting = 0";
        let found = self.readers.with("read a document", |conn| {
            one(conn, sql, params![document.0], |row| {
                let octets = row.get::<_, i64>(0)?.cast_unsigned();
                let inline = match row.get::<_, bool>(2)? {
                    false => Some(None),
                    true => {
                        let blob = row.get_ref(4)?.as_blob_or_null()?.unwrap_or_default();
                        let bytes = usize::try_from(octets).ok().and_then(|octets| contents::take_out(blob, octets));
                        bytes.map(|bytes| Some(Bytes::copy_from_slice(bytes)))
                    }
                };
                let (sha256, refs) = (row.get(1)?, row.get(3)?);
                Ok(inline.map(|inline| NewDocument { id: document, octets, sha256, inline, refs }))
            })
        });
        Box::pin(ready(match found {
            Ok(None) => Ok(None),
            Ok(Some(Some(document))) => Ok(Some(document)),
            Ok(Some(None)) => Err(StoreError::Damaged { id: document, offset: 0 }),
            Err(error) => Err(error),
        }))
    }

    fn documents_deleting(&self) -> Later<'_, Vec<DocumentId>> {
        self.read_with("list documents to delete", |conn| many(conn, DOCUMENTS_DELETING, [], |row| id(row, 0)))
    }

    fn documents_known(&self, ids: &[DocumentId]) -> Later<'_, Vec<DocumentId>> {
        let sql = "SELECT id FROM documents WHERE id = ?1";
        self.read_with("find documents", |conn| {
            let found = ids.iter().map(|document| one(conn, sql, params![document.0], |row| id(row, 0)));
            found.filter_map(Result::transpose).collect()
        })
    }

    fn documents_removed(&self, ids: &[DocumentId]) -> Later<'_, ()> {
        let ids = ids.to_vec();
        self.ask(|reply| Request::DocumentsRemoved(ids, reply))
    }

    fn flush_deletions(&self) -> Later<'_, ()> {
        self.ask(Request::Purge)
    }
}

fn next_effect(conn: &Connection, kinds: &[&str]) -> rusqlite::Result<Option<Timestamp>> {
    let kinds = if kinds.is_empty() { &EFFECT_KINDS[..] } else { kinds };
    let mut next: Option<i64> = None;
    for kind in kinds {
        let due = one(conn, NEXT_EFFECT, params![kind], |row| row.get::<_, i64>(0))?;
        next = next.into_iter().chain(due).min();
    }
    Ok(next.map(|due| Timestamp(due.cast_unsigned())))
}
