//! Reads rows by key, and turns rows into records.

use super::put::owner;
use crate::{Key, Record, Version, Versioned, Whose};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde::de::DeserializeOwned;

/// `NULL` for everyone's, to be compared as `(?1 IS NULL OR owner = ?1)`.
pub(super) fn whose(whose: Whose) -> Option<i64> {
    match whose {
        Whose::Owner(id) => Some(owner(id)),
        Whose::Everyones => None,
    }
}

/// A record from its JSON.
pub(super) fn body<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text)
        .map_err(|cause| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(cause)))
}

/// A record with its version; the columns are `version, body`.
pub(super) fn versioned<T: DeserializeOwned>(row: &Row<'_>) -> rusqlite::Result<Versioned<T>> {
    Ok(Versioned { version: row.get::<_, i64>(0)?.cast_unsigned(), record: body(row, 1)? })
}

pub(super) fn one<T>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
    of: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    conn.prepare_cached(sql)?.query_row(values, of).optional()
}

pub(super) fn many<T>(
    conn: &Connection,
    sql: &str,
    values: impl Params,
    of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    conn.prepare_cached(sql)?.query_map(values, of)?.collect()
}

/// The version a row has; 0 if there is none.
pub(super) fn version(conn: &Connection, key: &Key) -> rusqlite::Result<Version> {
    let of = |row: &Row<'_>| row.get::<_, i64>(0);
    let found = match key {
        Key::Job(uuid) => one(conn, "SELECT version FROM jobs WHERE uuid = ?1", params![uuid.0], of),
        Key::Attempt(job, number) => {
            one(conn, "SELECT version FROM attempts WHERE job = ?1 AND number = ?2", params![job.0, number.0], of)
        }
        Key::Printer(uuid) => one(conn, "SELECT version FROM printers WHERE uuid = ?1", params![uuid.0], of),
        Key::Registration(id) => one(conn, "SELECT version FROM registrations WHERE id = ?1", params![id.0], of),
        Key::Account(id) => one(conn, "SELECT version FROM accounts WHERE id = ?1", params![id.0], of),
        Key::Session(hash) => one(conn, "SELECT version FROM sessions WHERE token_hash = ?1", params![hash], of),
        Key::Token(hash) => one(conn, "SELECT version FROM tokens WHERE token_hash = ?1", params![hash], of),
        Key::Notice(key) => one(conn, "SELECT version FROM notices WHERE key = ?1", params![key], of),
        Key::Received(key) => one(conn, "SELECT version FROM received WHERE key = ?1", params![key], of),
        Key::Setting(whose, name) => {
            let sql = "SELECT version FROM settings WHERE owner = ?1 AND name = ?2";
            one(conn, sql, params![owner(*whose), name], of)
        }
    };
    Ok(found?.unwrap_or(0).cast_unsigned())
}

/// A row by its key, if it is theirs.
pub(super) fn by_key(conn: &Connection, theirs: Whose, key: &Key) -> rusqlite::Result<Option<Versioned<Record>>> {
    fn get<T: DeserializeOwned + Into<Record>>(
        conn: &Connection,
        theirs: Whose,
        sql: &str,
        key: impl Params,
    ) -> rusqlite::Result<Option<Versioned<Record>>> {
        let found = one(conn, sql, key, versioned::<T>)?;
        let found = found.map(|row| Versioned { version: row.version, record: row.record.into() });
        Ok(found.filter(|row| theirs.includes(row.record.owner())))
    }
    use tympan_engine as e;
    match key {
        Key::Job(uuid) => {
            get::<e::Job>(conn, theirs, "SELECT version, body FROM jobs WHERE uuid = ?1", params![uuid.0])
        }
        Key::Attempt(job, number) => {
            let sql = "SELECT version, body FROM attempts WHERE job = ?1 AND number = ?2";
            get::<e::Attempt>(conn, theirs, sql, params![job.0, number.0])
        }
        Key::Printer(uuid) => {
            get::<e::Printer>(conn, theirs, "SELECT version, body FROM printers WHERE uuid = ?1", params![uuid.0])
        }
        Key::Registration(id) => {
            let sql = "SELECT version, body FROM registrations WHERE id = ?1";
            get::<e::Registration>(conn, theirs, sql, params![id.0])
        }
        Key::Account(id) => {
            get::<e::Account>(conn, theirs, "SELECT version, body FROM accounts WHERE id = ?1", params![id.0])
        }
        Key::Session(hash) => {
            get::<e::Session>(conn, theirs, "SELECT version, body FROM sessions WHERE token_hash = ?1", params![hash])
        }
        Key::Token(hash) => {
            get::<e::Token>(conn, theirs, "SELECT version, body FROM tokens WHERE token_hash = ?1", params![hash])
        }
        Key::Notice(key) => {
            get::<e::Notice>(conn, theirs, "SELECT version, body FROM notices WHERE key = ?1", params![key])
        }
        Key::Received(key) => {
            get::<crate::Received>(conn, theirs, "SELECT version, body FROM received WHERE key = ?1", params![key])
        }
        Key::Setting(whose, name) => {
            if !theirs.includes(*whose) {
                return Ok(None);
            }
            let sql = "SELECT version, body FROM settings WHERE owner = ?1 AND name = ?2";
            let found = one(conn, sql, params![owner(*whose), name], versioned::<serde_json::Value>)?;
            Ok(found.map(|row| Versioned {
                version: row.version,
                record: Record::Setting { owner: *whose, name: name.clone(), value: row.record },
            }))
        }
    }
}
