//! What must be done after a change was saved. An effect is a row in the same commit; a worker claims
//! it with a lease, and its outcome comes back as the next event.

use crate::{AttemptNumber, DocumentId, JobUuid, NoticeKind, PrinterUuid};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Something the world must be asked to do. Each is idempotent: it may be performed again after a crash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "kebab-case")]
pub enum Effect {
    /// Find the documents in what was received, and count their pages.
    Inspect {
        /// The job.
        job: JobUuid,
    },
    /// Make print data while the printer is away, where the printer's stored form asks for it (A09).
    Store {
        /// The job.
        job: JobUuid,
    },
    /// Bring an assigned attempt to the printer.
    Deliver {
        /// The job.
        job: JobUuid,
        /// The attempt.
        attempt: AttemptNumber,
    },
    /// Ask the printer what became of an attempt that was handed over.
    Follow {
        /// The job.
        job: JobUuid,
        /// The attempt.
        attempt: AttemptNumber,
    },
    /// Cancel the attempt at the printer.
    CancelAtDevice {
        /// The job.
        job: JobUuid,
        /// The attempt.
        attempt: AttemptNumber,
    },
    /// Something about this printer changed: look whether it has work. Not stored; a hint.
    Wake {
        /// The printer.
        printer: PrinterUuid,
    },
    /// Tell the sender.
    Notify {
        /// The job it is about.
        job: JobUuid,
        /// What happened.
        kind: NoticeKind,
    },
    /// Send one mail that is already written (replies to commands and registrations).
    Mail {
        /// The recipient's address.
        to: String,
        /// The subject.
        subject: String,
        /// The text, lines separated by LF.
        text: String,
        /// "In-Reply-To", if it answers a mail.
        in_reply_to: Option<String>,
    },
    /// Give back documents the job no longer needs.
    Release {
        /// The documents, each released once.
        documents: Vec<DocumentId>,
    },
}
