//! The tables, and how an older data folder is brought up to date.
//!
//! One table a kind: names and what queries look for are columns, the record itself is JSON in `body`.
//! A format is never changed once it was released; a new one is a new step in [`STEPS`].

use crate::StoreError;
use rusqlite::Connection;

/// What this version writes: the number of [`STEPS`].
pub(super) const FORMAT: i64 = STEPS.len() as i64;

/// "Tymp", so that a foreign database is not taken for ours (`PRAGMA application_id`).
const APPLICATION: i64 = 0x5479_6d70;

const STEPS: [&str; 1] = [FIRST];

const FIRST: &str = "
CREATE TABLE jobs (
    uuid BLOB NOT NULL PRIMARY KEY,
    owner INTEGER NOT NULL,
    version INTEGER NOT NULL,
    printer BLOB NOT NULL,
    id INTEGER NOT NULL,
    short TEXT NOT NULL,
    originator TEXT NOT NULL,
    may_be_mailed INTEGER NOT NULL,
    language TEXT NOT NULL,
    over INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    in_doubt INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    ready_at INTEGER,
    retry_interval_ms INTEGER NOT NULL,
    due_at INTEGER,
    ended_at INTEGER,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX jobs_id ON jobs (printer, id);
CREATE INDEX jobs_short ON jobs (short);
CREATE INDEX jobs_owner ON jobs (owner, uuid);
CREATE INDEX jobs_printer ON jobs (printer, uuid);
CREATE INDEX jobs_originator ON jobs (originator, uuid);
CREATE INDEX jobs_open ON jobs (printer, uuid) WHERE over = 0;
CREATE INDEX jobs_open_sender ON jobs (originator) WHERE over = 0;
CREATE INDEX jobs_doubt ON jobs (uuid) WHERE in_doubt = 1;
CREATE INDEX jobs_waiting ON jobs (printer, priority DESC, id) WHERE waiting = 1;
CREATE INDEX jobs_waiting_sender ON jobs (printer, originator, may_be_mailed, uuid, language, owner)
    WHERE waiting = 1;
CREATE INDEX jobs_waiting_retry ON jobs (printer, retry_interval_ms) WHERE waiting = 1;
CREATE INDEX jobs_waiting_ready ON jobs (printer, ready_at) WHERE waiting = 1;
CREATE INDEX jobs_due ON jobs (due_at, uuid) WHERE due_at IS NOT NULL;
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE job_counts (
    printer BLOB NOT NULL,
    owner INTEGER NOT NULL,
    queued INTEGER NOT NULL,
    ready INTEGER NOT NULL,
    PRIMARY KEY (printer, owner)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER jobs_counted AFTER INSERT ON jobs WHEN NEW.over = 0 BEGIN
    INSERT INTO job_counts (printer, owner, queued, ready) VALUES (NEW.printer, NEW.owner, 1, NEW.waiting)
        ON CONFLICT DO UPDATE SET queued = queued + 1, ready = ready + NEW.waiting;
END;
CREATE TRIGGER jobs_recounted AFTER UPDATE OF over, waiting, printer ON jobs
WHEN OLD.over <> NEW.over OR OLD.waiting <> NEW.waiting OR OLD.printer <> NEW.printer BEGIN
    UPDATE job_counts SET queued = queued - (1 - OLD.over), ready = ready - OLD.waiting
        WHERE printer = OLD.printer AND owner = OLD.owner;
    INSERT INTO job_counts (printer, owner, queued, ready) VALUES (NEW.printer, NEW.owner, 1 - NEW.over, NEW.waiting)
        ON CONFLICT DO UPDATE SET queued = queued + (1 - NEW.over), ready = ready + NEW.waiting;
END;
CREATE TRIGGER jobs_uncounted AFTER DELETE ON jobs WHEN OLD.over = 0 BEGIN
    UPDATE job_counts SET queued = queued - 1, ready = ready - OLD.waiting
        WHERE printer = OLD.printer AND owner = OLD.owner;
END;

CREATE TABLE job_counters (
    owner INTEGER NOT NULL,
    printer BLOB NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (owner, printer)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    job BLOB NOT NULL,
    number INTEGER NOT NULL,
    owner INTEGER NOT NULL,
    version INTEGER NOT NULL,
    open INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (job, number)
) STRICT;
CREATE INDEX attempts_open ON attempts (job, number) WHERE open = 1;

CREATE TABLE printers (
    uuid BLOB NOT NULL PRIMARY KEY,
    owner INTEGER NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    removed INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX printers_name ON printers (name) WHERE removed = 0;

CREATE TABLE registrations (
    id BLOB NOT NULL PRIMARY KEY,
    owner INTEGER NOT NULL,
    version INTEGER NOT NULL,
    printer BLOB NOT NULL,
    sender TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX registrations_pair ON registrations (printer, sender);
CREATE INDEX registrations_sender ON registrations (sender);

CREATE TABLE accounts (
    id BLOB NOT NULL PRIMARY KEY,
    owner INTEGER NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX accounts_name ON accounts (name);

CREATE TABLE sessions (
    token_hash BLOB NOT NULL PRIMARY KEY,
    owner INTEGER NOT NULL,
    version INTEGER NOT NULL,
    expires_at INTEGER,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE tokens (
    token_hash BLOB NOT NULL PRIMARY KEY,
    owner INTEGER NOT NULL,
    version INTEGER NOT NULL,
    expires_at INTEGER,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX tokens_expiry ON tokens (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE notices (
    key TEXT NOT NULL PRIMARY KEY,
    owner INTEGER NOT NULL,
    version INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX notices_recipient ON notices (recipient, created_at, key);
CREATE INDEX notices_created ON notices (created_at, key);

CREATE TABLE received (
    key BLOB NOT NULL PRIMARY KEY,
    owner INTEGER NOT NULL,
    version INTEGER NOT NULL,
    expires_at INTEGER,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX received_expiry ON received (expires_at);

CREATE TABLE settings (
    owner INTEGER NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (owner, name)
) STRICT;

CREATE TABLE history (
    number INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    printer BLOB,
    job BLOB,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX history_printer ON history (printer, number) WHERE printer IS NOT NULL;
CREATE INDEX history_job ON history (job, number) WHERE job IS NOT NULL;
CREATE INDEX history_at ON history (at);

CREATE TABLE effects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX effects_run ON effects (kind, run_at, id);

CREATE TABLE documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    octets INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    inline INTEGER NOT NULL,
    refs INTEGER NOT NULL,
    deleting INTEGER NOT NULL
) STRICT;
CREATE INDEX documents_deleting ON documents (id) WHERE deleting = 1;

CREATE TABLE contents (
    number INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;
";

/// Creates the tables, or brings older ones up to date; refuses what a newer version wrote.
pub(super) fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    let failed = |cause: rusqlite::Error| super::database("read the format of the data folder", cause);
    let found: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    let application: i64 = conn.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    let foreign = application != APPLICATION && (application != 0 || found != 0);
    if foreign || !(0..=FORMAT).contains(&found) {
        return Err(StoreError::Format { found, known: FORMAT });
    }
    for (step, sql) in STEPS.iter().enumerate().skip(found as usize) {
        let failed = |cause| super::database("bring the data folder up to date", cause);
        let transaction = conn.transaction().map_err(failed)?;
        transaction.execute_batch(sql).map_err(failed)?;
        transaction.pragma_update(None, "user_version", step as i64 + 1).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(())
}
