//! The mail door: SMTP over sockets, streamed into the documents, 250 only when a job is safe on disk.
//!
//! A connection drives a [`tympan_smtp::server::Session`]; what the session asks is decided here. RCPT refuses only
//! unknown addresses; who sent it and who may print is decided at the final dot, inside the dialogue, so that a
//! forged sender never gets a mail from us.
//!
//! *Invariant:* there is no path on which a mail is passed on to another server.
//! *Invariant:* nothing is mailed to an address that is not proven to be the sender's.

mod commands;
mod connection;
pub(crate) mod door;
pub(crate) mod final_dot;
pub(crate) mod judge;
pub(crate) mod letters;
mod options;
mod places;
pub(crate) mod recipient;
mod stream;
pub(crate) mod texts;

pub use door::{DoorError, SmtpDoor};
pub use options::{Listen, Role, SmtpOptions};

use tokio::time::Instant;
use tracing::{debug, error, warn};
use tympan_engine::{OwnerId, Refusal};
use tympan_smtp::Reply;
use tympan_spooler::SpoolerError;
use tympan_store::StoreError;

use crate::proof::Candidate;
use door::Shared;
use letters::Letter;

/// The reply when the store did not do what it was asked, and a line in the log.
pub(crate) fn failed(error: &SpoolerError, doing: &'static str) -> Reply {
    match error {
        SpoolerError::Full | SpoolerError::Store(StoreError::Full) => {
            warn!(doing, "The disk is full");
            texts::disk_full()
        }
        SpoolerError::Refused(Refusal::QueueFull) => texts::queue_full(),
        error => {
            error!(error = %Chain(error), doing, "The store failed");
            texts::trouble()
        }
    }
}

/// An error with its causes.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Answers a proven sender by mail, within bounds. What is not sent is no harm: the dialogue said it as well.
pub(crate) async fn answer(
    shared: &Shared,
    owner: OwnerId,
    to: &Candidate,
    letter: &Letter,
    in_reply_to: Option<&str>,
) {
    let now = Instant::now();
    if !final_dot::may_be_mailed(&to.address) {
        return;
    }
    if !(shared.answers_to.take(to.address.clone(), now) && shared.answers.take((), now)) {
        debug!("Wrote no answer: too many in this hour");
        return;
    }
    let sent = shared.spooler.send_mail(owner, &to.address, &letter.subject, &letter.text, in_reply_to).await;
    if let Err(error) = sent {
        warn!(error = %Chain(&error), "Could not write an answer");
    }
}
