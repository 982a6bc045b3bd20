//! Writes and deletes rows, each only at the version it was read at.

use super::apply::Fail;
use crate::index::{JobPlace, exists, fold};
use crate::{Key, Record, StoreError, Version};
use rusqlite::{Connection, ToSql, ffi, params};
use serde::Serialize;
use tympan_engine::{Job, OwnerId, Timestamp};

pub(super) fn at(time: Timestamp) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

pub(super) fn millis(span: u64) -> i64 {
    i64::try_from(span).unwrap_or(i64::MAX)
}

pub(super) const fn owner(owner: OwnerId) -> i64 {
    owner.0.cast_signed()
}

/// JSON of a record, in a buffer that is used again.
pub(super) fn json<'a, T: Serialize>(record: &T, scratch: &'a mut Vec<u8>) -> Result<&'a str, Fail> {
    scratch.clear();
    let failed = |cause: Box<dyn std::error::Error + Send + Sync>| {
        Fail::This(StoreError::Database { doing: "write a record as JSON", cause })
    };
    serde_json::to_writer(&mut *scratch, record).map_err(|cause| failed(cause.into()))?;
    std::str::from_utf8(scratch).map_err(|cause| failed(cause.into()))
}

/// Writes one row.
pub(super) fn put(conn: &Connection, record: &Record, version: Version, scratch: &mut Vec<u8>) -> Result<(), Fail> {
    let v = version.cast_signed();
    let whose = owner(record.owner());
    let new = version == 0;
    let written = match record {
        Record::Job(job) => put_job(conn, job, version, scratch),
        Record::Attempt(attempt) => {
            let sql = if new {
                "INSERT INTO attempts (job, number, owner, version, open, body) VALUES (?1, ?2, ?3, ?4 + 1, ?5, ?6)"
            } else {
                "UPDATE attempts SET version = version + 1, open = ?5, body = ?6
                 WHERE job = ?1 AND number = ?2 AND owner = ?3 AND version = ?4"
            };
            let open = !attempt.state.is_over();
            let body = json(attempt, scratch)?;
            run(conn, sql, params![attempt.job.0, attempt.number.0, whose, v, open, body])
        }
        Record::Printer(printer) => {
            let sql = if new {
                "INSERT INTO printers (uuid, owner, version, name, removed, body) VALUES (?1, ?2, ?3 + 1, ?4, ?5, ?6)"
            } else {
                "UPDATE printers SET version = version + 1, name = ?4, removed = ?5, body = ?6
                 WHERE uuid = ?1 AND owner = ?2 AND version = ?3"
            };
            let body = json(printer, scratch)?;
            run(conn, sql, params![printer.uuid.0, whose, v, fold(&printer.name), printer.removed, body])
        }
        Record::Registration(registration) => {
            let sql = if new {
                "INSERT INTO registrations (id, owner, version, printer, sender, body)
                 VALUES (?1, ?2, ?3 + 1, ?4, ?5, ?6)"
            } else {
                "UPDATE registrations SET version = version + 1, printer = ?4, sender = ?5, body = ?6
                 WHERE id = ?1 AND owner = ?2 AND version = ?3"
            };
            let body = json(registration, scratch)?;
            let sender = fold(&registration.sender);
            run(conn, sql, params![registration.id.0, whose, v, registration.printer.0, sender, body])
        }
        Record::Account(account) => {
            let sql = if new {
                "INSERT INTO accounts (id, owner, version, name, body) VALUES (?1, ?2, ?3 + 1, ?4, ?5)"
            } else {
                "UPDATE accounts SET version = version + 1, name = ?4, body = ?5
                 WHERE id = ?1 AND owner = ?2 AND version = ?3"
            };
            let body = json(account, scratch)?;
            run(conn, sql, params![account.id.0, whose, v, fold(&account.name), body])
        }
        Record::Session(session) => {
            let sql = if new {
                "INSERT INTO sessions (token_hash, owner, version, expires_at, body) VALUES (?1, ?2, ?3 + 1, ?4, ?5)"
            } else {
                "UPDATE sessions SET version = version + 1, expires_at = ?4, body = ?5
                 WHERE token_hash = ?1 AND owner = ?2 AND version = ?3"
            };
            let body = json(session, scratch)?;
            run(conn, sql, params![session.token_hash, whose, v, at(session.expires_at), body])
        }
        Record::Token(token) => {
            let sql = if new {
                "INSERT INTO tokens (token_hash, owner, version, expires_at, body) VALUES (?1, ?2, ?3 + 1, ?4, ?5)"
            } else {
                "UPDATE tokens SET version = version + 1, expires_at = ?4, body = ?5
                 WHERE token_hash = ?1 AND owner = ?2 AND version = ?3"
            };
            let body = json(token, scratch)?;
            run(conn, sql, params![token.token_hash, whose, v, token.expires_at.map(at), body])
        }
        Record::Notice(notice) => {
            let sql = if new {
                "INSERT INTO notices (key, owner, version, recipient, created_at, body)
                 VALUES (?1, ?2, ?3 + 1, ?4, ?5, ?6)"
            } else {
                "UPDATE notices SET version = version + 1, recipient = ?4, created_at = ?5, body = ?6
                 WHERE key = ?1 AND owner = ?2 AND version = ?3"
            };
            let body = json(notice, scratch)?;
            run(conn, sql, params![notice.key, whose, v, fold(&notice.recipient), at(notice.created_at), body])
        }
        Record::Received(received) => {
            let sql = if new {
                "INSERT INTO received (key, owner, version, expires_at, body) VALUES (?1, ?2, ?3 + 1, ?4, ?5)"
            } else {
                "UPDATE received SET version = version + 1, expires_at = ?4, body = ?5
                 WHERE key = ?1 AND owner = ?2 AND version = ?3"
            };
            let body = json(received, scratch)?;
            run(conn, sql, params![received.key, whose, v, at(received.expires_at), body])
        }
        Record::Setting { name, value, .. } => {
            let sql = if new {
                "INSERT INTO settings (owner, name, version, body) VALUES (?1, ?2, ?3 + 1, ?4)"
            } else {
                "UPDATE settings SET version = version + 1, body = ?4 WHERE owner = ?1 AND name = ?2 AND version = ?3"
            };
            let body = json(value, scratch)?;
            run(conn, sql, params![whose, name, v, body])
        }
    };
    match written {
        Ok(0) => Err(Fail::This(StoreError::Conflict(record.key()))),
        Ok(_) => Ok(()),
        Err(cause) => Err(match broken_rule(&cause) {
            Some(Rule::Key) => Fail::This(StoreError::Conflict(record.key())),
            // An insert may break both rules; then the row's own key is what matters.
            Some(Rule::Unique) => match super::select::version(conn, &record.key()) {
                Ok(found) if found == version => Fail::This(exists(record)),
                Ok(_) => Fail::This(StoreError::Conflict(record.key())),
                Err(cause) => Fail::of("read a version", cause),
            },
            None => Fail::of("write a row", cause),
        }),
    }
}

fn put_job(conn: &Connection, job: &Job, version: Version, scratch: &mut Vec<u8>) -> rusqlite::Result<usize> {
    let place = JobPlace::of(job);
    let body = json(job, scratch).map_err(|_| rusqlite::Error::InvalidQuery)?;
    let short = job.short();
    let short = std::str::from_utf8(&short.0).unwrap_or_default();
    let originator = fold(&job.originator.address);
    let values = params![
        job.uuid.0,
        owner(job.owner),
        version.cast_signed(),
        job.printer.0,
        job.id.0,
        originator,
        job.originator.may_be_mailed,
        job.originator.language.tag(),
        place.over,
        place.waiting,
        place.in_doubt,
        job.priority,
        job.ready_at.map(at),
        millis(job.retry_interval_ms),
        place.due_at.map(at),
        place.ended_at.map(at),
        body,
        short,
    ];
    if version == 0 {
        return run(
            conn,
            "INSERT INTO jobs (uuid, owner, version, printer, id, originator, may_be_mailed, language, over, waiting,
                 in_doubt, priority, ready_at, retry_interval_ms, due_at, ended_at, body, short)
             VALUES (?1, ?2, ?3 + 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
            values,
        );
    }
    // What seldom changes stays out of the statement: SQLite rewrites every index that is named in it.
    let updated = run(
        conn,
        "UPDATE jobs SET version = version + 1, over = ?9, waiting = ?10, in_doubt = ?11, priority = ?12,
             ready_at = ?13, retry_interval_ms = ?14, due_at = ?15, ended_at = ?16, body = ?17, short = ?18
         WHERE uuid = ?1 AND owner = ?2 AND version = ?3 AND printer = ?4 AND id = ?5 AND originator = ?6
             AND may_be_mailed = ?7 AND language = ?8",
        values,
    )?;
    if updated > 0 {
        return Ok(updated);
    }
    run(
        conn,
        "UPDATE jobs SET version = version + 1, printer = ?4, id = ?5, originator = ?6, may_be_mailed = ?7,
             language = ?8, over = ?9, waiting = ?10, in_doubt = ?11, priority = ?12, ready_at = ?13,
             retry_interval_ms = ?14, due_at = ?15, ended_at = ?16, body = ?17, short = ?18
         WHERE uuid = ?1 AND owner = ?2 AND version = ?3",
        values,
    )
}

/// Deletes one row, if it exists.
pub(super) fn delete(conn: &Connection, key: &Key) -> Result<(), Fail> {
    let deleted = match key {
        Key::Job(job) => run(conn, "DELETE FROM jobs WHERE uuid = ?1", params![job.0]),
        Key::Attempt(job, number) => {
            run(conn, "DELETE FROM attempts WHERE job = ?1 AND number = ?2", params![job.0, number.0])
        }
        Key::Printer(printer) => run(conn, "DELETE FROM printers WHERE uuid = ?1", params![printer.0]),
        Key::Registration(id) => run(conn, "DELETE FROM registrations WHERE id = ?1", params![id.0]),
        Key::Account(id) => run(conn, "DELETE FROM accounts WHERE id = ?1", params![id.0]),
        Key::Session(hash) => run(conn, "DELETE FROM sessions WHERE token_hash = ?1", params![hash]),
        Key::Token(hash) => run(conn, "DELETE FROM tokens WHERE token_hash = ?1", params![hash]),
        Key::Notice(key) => run(conn, "DELETE FROM notices WHERE key = ?1", params![key]),
        Key::Received(key) => run(conn, "DELETE FROM received WHERE key = ?1", params![key]),
        Key::Setting(whose, name) => {
            run(conn, "DELETE FROM settings WHERE owner = ?1 AND name = ?2", params![owner(*whose), name])
        }
    };
    deleted.map(drop).map_err(|cause| Fail::of("delete a row", cause))
}

pub(super) fn run(conn: &Connection, sql: &str, values: &[&dyn ToSql]) -> rusqlite::Result<usize> {
    conn.prepare_cached(sql)?.execute(values)
}

enum Rule {
    Key,
    Unique,
}

fn broken_rule(error: &rusqlite::Error) -> Option<Rule> {
    match error.sqlite_error()?.extended_code {
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => Some(Rule::Key),
        ffi::SQLITE_CONSTRAINT_UNIQUE => Some(Rule::Unique),
        _ => None,
    }
}
