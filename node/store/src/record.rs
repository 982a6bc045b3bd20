//! The rows: which kinds there are, and what names them.

use serde::{Deserialize, Serialize};
use tympan_engine::{
    Account, AccountId, Attempt, AttemptNumber, Job, JobUuid, Notice, OwnerId, Printer, PrinterUuid, Registration,
    RegistrationId, Session, Timestamp, Token,
};

/// How often a row was written; 0 stands for "there is none".
pub type Version = u64;

/// A row with the version it was read at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The version.
    pub version: Version,
    /// The row.
    pub record: T,
}

/// A mail that was accepted, remembered so that it is not printed twice when its sender repeats it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Whose printer it went to.
    pub owner: OwnerId,
    /// SHA-256 over recipient, Message-ID and body.
    pub key: [u8; 32],
    /// The job it became.
    pub job: JobUuid,
    /// Forgotten then.
    pub expires_at: Timestamp,
}

/// What names a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A job.
    Job(JobUuid),
    /// An attempt of a job.
    Attempt(JobUuid, AttemptNumber),
    /// A printer.
    Printer(PrinterUuid),
    /// A registration.
    Registration(RegistrationId),
    /// An account.
    Account(AccountId),
    /// A session, by the hash of its token.
    Session([u8; 32]),
    /// A bearer token, by its hash.
    Token([u8; 32]),
    /// A notice, by its key.
    Notice(String),
    /// A mail that was accepted.
    Received([u8; 32]),
    /// A setting of an owner (set-up code, language, house name), a JSON value.
    Setting(OwnerId, String),
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "rows are moved one by one; a box for each printer would gain nothing")]
pub enum Record {
    /// A job.
    Job(Job),
    /// An attempt.
    Attempt(Attempt),
    /// A printer.
    Printer(Printer),
    /// A registration.
    Registration(Registration),
    /// An account.
    Account(Account),
    /// A session.
    Session(Session),
    /// A token.
    Token(Token),
    /// A notice.
    Notice(Notice),
    /// A mail that was accepted.
    Received(Received),
    /// A setting.
    Setting {
        /// Whose.
        owner: OwnerId,
        /// Its name.
        name: String,
        /// Its value.
        value: serde_json::Value,
    },
}

impl Record {
    /// What names it.
    pub fn key(&self) -> Key {
        match self {
            Self::Job(job) => Key::Job(job.uuid),
            Self::Attempt(attempt) => Key::Attempt(attempt.job, attempt.number),
            Self::Printer(printer) => Key::Printer(printer.uuid),
            Self::Registration(registration) => Key::Registration(registration.id),
            Self::Account(account) => Key::Account(account.id),
            Self::Session(session) => Key::Session(session.token_hash),
            Self::Token(token) => Key::Token(token.token_hash),
            Self::Notice(notice) => Key::Notice(notice.key.clone()),
            Self::Received(received) => Key::Received(received.key),
            Self::Setting { owner, name, .. } => Key::Setting(*owner, name.clone()),
        }
    }

    /// Whose it is.
    pub fn owner(&self) -> OwnerId {
        match self {
            Self::Job(job) => job.owner,
            Self::Attempt(attempt) => attempt.owner,
            Self::Printer(printer) => printer.owner,
            Self::Registration(registration) => registration.owner,
            Self::Account(account) => account.owner,
            Self::Session(session) => session.owner,
            Self::Token(token) => token.owner,
            Self::Notice(notice) => notice.owner,
            Self::Received(received) => received.owner,
            Self::Setting { owner, .. } => *owner,
        }
    }
}

macro_rules! from {
    ($($kind:ident)*) => {$(
        impl From<$kind> for Record {
            fn from(record: $kind) -> Self {
                Self::$kind(record)
            }
        }

        impl TryFrom<Record> for $kind {
            type Error = Record;
            fn try_from(record: Record) -> Result<Self, Record> {
                match record {
                    Record::$kind(record) => Ok(record),
                    other => Err(other),
                }
            }
        }
    )*};
}

from!(Job Attempt Printer Registration Account Session Token Notice Received);
