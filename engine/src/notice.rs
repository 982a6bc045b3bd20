//! What people are told, and how often: once per sender and outage, not once per job.

use crate::{JobUuid, Language, OutageId, OwnerId, PrinterUuid, Private, Timestamp};
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "kebab-case")]
pub enum NoticeKind {
    /// The printer cannot print now; lists the sender's waiting jobs.
    Waiting {
        /// The outage.
        outage: OutageId,
    },
    /// It is printed (told if it had waited, or if it was asked for).
    Printed,
    /// It was not printed and never will be.
    Aborted,
    /// Retention ended; it was deleted.
    Expired,
    /// It is not known whether it printed.
    InDoubt,
    /// It has many pages and waits for a click.
    Review,
    /// Something about its parts: unknown words, unprintable attachments, missing characters.
    Remarks,
}

impl NoticeKind {
    /// A word for keys and logs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Printed => "printed",
            Self::Aborted => "aborted",
            Self::Expired => "expired",
            Self::InDoubt => "in-doubt",
            Self::Review => "review",
            Self::Remarks => "remarks",
        }
    }
}

/// A notice that was or will be told; the row keeps it from being told twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Whose place this is.
    pub owner: OwnerId,
    /// What makes it unique: `waiting:<outage>:<sender>` or `<kind>:<job>:<n>`.
    pub key: String,
    /// Whom to tell.
    pub recipient: Private<String>,
    /// In which language.
    pub language: Language,
    /// The printer.
    pub printer: PrinterUuid,
    /// The job, where it is about one.
    pub job: Option<JobUuid>,
    /// About what.
    pub kind: NoticeKind,
    /// When it came up.
    pub created_at: Timestamp,
    /// When it was told (handed to the mail server, written to the folder).
    pub told_at: Option<Timestamp>,
    /// The subject as it was told, for the console.
    pub subject: String,
    /// The text as it was told, for the console.
    pub text: String,
}
