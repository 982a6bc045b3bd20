//! Applies one change within the transaction of its group.

use super::contents;
use super::put::{at, delete, json, put, run};
use super::{database, select};
use crate::index::effect_kind;
use crate::{Change, NewDocument, StoreError};
use rusqlite::{Connection, OptionalExtension, ffi, params};
use tympan_engine::DocumentId;

/// Why a change was not applied.
#[derive(Debug)]
pub(super) enum Fail {
    /// The change is bad; the others of its group are not concerned.
    This(StoreError),
    /// The database is in trouble; the whole group fails.
    Group(rusqlite::Error),
}

impl Fail {
    pub(super) fn of(doing: &'static str, cause: rusqlite::Error) -> Self {
        let code = cause.sqlite_error().map(|error| error.extended_code & 0xff);
        match code {
            Some(ffi::SQLITE_FULL | ffi::SQLITE_IOERR | ffi::SQLITE_NOMEM | ffi::SQLITE_CORRUPT | ffi::SQLITE_BUSY) => {
                Self::Group(cause)
            }
            _ => Self::This(database(doing, cause)),
        }
    }
}

/// Buffers that are used again.
#[derive(Default)]
pub(super) struct Scratch {
    json: Vec<u8>,
    blob: Vec<u8>,
}

/// What the change did that the writer has to know.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Applied {
    /// Bytes of a document were deleted.
    pub(super) purge: bool,
}

pub(super) fn apply(conn: &Connection, change: &Change, scratch: &mut Scratch) -> Result<Applied, Fail> {
    for (key, version) in &change.expect {
        let found = select::version(conn, key).map_err(|cause| Fail::of("read a version", cause))?;
        if found != *version {
            return Err(Fail::This(StoreError::Conflict(key.clone())));
        }
    }
    for key in &change.delete {
        delete(conn, key)?;
    }
    for (record, version) in &change.put {
        put(conn, record, *version, &mut scratch.json)?;
    }
    for line in &change.history {
        let values = params![
            super::put::owner(line.owner),
            line.printer.map(|printer| printer.0),
            line.job.map(|job| job.0),
            at(line.at),
            json(line, &mut scratch.json)?
        ];
        run(conn, "INSERT INTO history (owner, printer, job, at, body) VALUES (?1, ?2, ?3, ?4, ?5)", values)
            .map_err(|cause| Fail::of("write history", cause))?;
    }
    for new in &change.effects {
        let Some(kind) = effect_kind(&new.effect) else {
            continue;
        };
        let values = params![kind, at(new.due_at), json(&new.effect, &mut scratch.json)?];
        run(conn, "INSERT INTO effects (kind, due_at, run_at, tries, body) VALUES (?1, ?2, ?2, 0, ?3)", values)
            .map_err(|cause| Fail::of("write an effect", cause))?;
    }
    for id in &change.done {
        run(conn, "DELETE FROM effects WHERE id = ?1", params![id.0.cast_signed()])
            .map_err(|cause| Fail::of("delete an effect", cause))?;
    }
    for (id, due) in &change.again {
        let values = params![id.0.cast_signed(), at(*due)];
        run(conn, "UPDATE effects SET due_at = ?2, run_at = ?2 WHERE id = ?1", values)
            .map_err(|cause| Fail::of("put off an effect", cause))?;
    }
    apply_documents(conn, change, scratch)
}

fn apply_documents(conn: &Connection, change: &Change, scratch: &mut Scratch) -> Result<Applied, Fail> {
    let mut applied = Applied::default();
    if change.documents.is_empty() && change.refs.is_empty() {
        return Ok(applied);
    }
    let mut unused: Vec<DocumentId> = Vec::new();
    for document in &change.documents {
        insert_document(conn, document, scratch)?;
        if document.refs == 0 {
            unused.push(document.id);
        }
    }
    for (id, by) in &change.refs {
        let mut statement = conn
            .prepare_cached(
                "UPDATE documents SET refs = max(0, refs + ?2) WHERE id = ?1 AND deleting = 0 RETURNING refs",
            )
            .map_err(|cause| Fail::of("count the uses of a document", cause))?;
        let refs: Option<i64> = statement
            .query_row(params![id.0, by], |row| row.get(0))
            .optional()
            .map_err(|cause| Fail::of("count the uses of a document", cause))?;
        match refs {
            // It is gone already: giving it back again changes nothing.
            None if *by <= 0 => {}
            None => return Err(Fail::This(StoreError::NoDocument(*id))),
            Some(0) => unused.push(*id),
            Some(_) => unused.retain(|unused| unused != id),
        }
    }
    for id in unused {
        applied.purge |= retire(conn, id)?;
    }
    Ok(applied)
}

fn insert_document(conn: &Connection, document: &NewDocument, scratch: &mut Scratch) -> Result<(), Fail> {
    let values = params![
        document.id.0,
        document.octets.cast_signed(),
        document.sha256,
        document.inline.is_some(),
        document.refs
    ];
    let sql = "INSERT INTO documents (id, octets, sha256, inline, refs, deleting) VALUES (?1, ?2, ?3, ?4, ?5, 0)";
    run(conn, sql, values).map_err(|cause| match cause.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE) => Fail::This(StoreError::Exists(format!("document {}", document.id))),
        _ => Fail::of("write a document", cause),
    })?;
    if let Some(bytes) = &document.inline {
        let number = conn.last_insert_rowid();
        contents::lay_out(bytes, &mut scratch.blob);
        run(conn, "INSERT INTO contents (number, bytes) VALUES (?1, ?2)", params![number, scratch.blob])
            .map_err(|cause| Fail::of("write the bytes of a document", cause))?;
    }
    Ok(())
}

/// No job points to it any more: small ones go at once, files are marked.
fn retire(conn: &Connection, id: DocumentId) -> Result<bool, Fail> {
    let failed = |cause| Fail::of("delete a document", cause);
    let small =
        run(conn, "DELETE FROM contents WHERE number = (SELECT number FROM documents WHERE id = ?1)", params![id.0])
            .map_err(failed)?;
    if small > 0 {
        run(conn, "DELETE FROM documents WHERE id = ?1", params![id.0]).map_err(failed)?;
        return Ok(true);
    }
    run(conn, "UPDATE documents SET deleting = 1 WHERE id = ?1", params![id.0]).map_err(failed)?;
    Ok(false)
}
