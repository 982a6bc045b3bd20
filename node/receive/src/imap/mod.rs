//! The mailbox door: mails that a provider keeps are taken over IMAP (RFC 9051), for those who cannot receive mail.
//!
//! A mail is judged as at the mail door, by the same code; what a dialogue would have answered is written down in the
//! log and, to a sender who is proven, in a letter. Then the mail goes to a folder.
//!
//! *Invariant:* each mail is taken once: it is written down before it is moved ([`seen`]), and what a crash left
//! between taking and writing down is known again by its Message-ID, else by its number.

mod addressees;
mod late;
mod mailbox;
mod names;
mod options;
mod seen;
mod take;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use tracing::{debug, info, warn};
use tympan_spooler::SpoolerError;

pub use options::{ImapOptions, ImapTls};

use crate::smtp::SmtpDoor;
use crate::smtp::door::Shared;
use late::Late;
use mailbox::Mailbox;
use seen::{Fate, Seen};
use take::Taken;

/// How long a server that tells of new mails is believed to have told of all.
const IDLE_MOST: Duration = Duration::from_secs(9 * 60);

/// Why a mailbox is not read at present.
#[derive(Debug, thiserror::Error)]
enum ImapError {
    #[error("could not connect")]
    Connect(#[source] std::io::Error),
    #[error("could not speak TLS")]
    Tls(#[source] std::io::Error),
    #[error("the server did not take user and password: {0}")]
    SignIn(async_imap::error::Error),
    #[error("could not open the folder {0}: {1}")]
    Folder(String, async_imap::error::Error),
    #[error("could not make the folder {0}; name folders that are there with `done-folder` and `refused-folder`: {1}")]
    NewFolder(String, async_imap::error::Error),
    #[error("{0}")]
    Protocol(#[from] async_imap::error::Error),
    #[error("the server refused: {0}")]
    Refused(String),
    #[error("the server sent no {0}")]
    Lacks(&'static str),
    #[error("the server did not answer in time")]
    TimeOut,
    #[error("the connection was lost")]
    Lost,
    #[error("could not keep what was taken")]
    Store(#[from] SpoolerError),
}

/// Reads a mailbox and takes what is to be printed.
pub struct ImapDoor {
    shared: Arc<Shared>,
    options: ImapOptions,
}

impl std::fmt::Debug for ImapDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImapDoor").field("host", &self.options.host).finish_non_exhaustive()
    }
}

impl ImapDoor {
    /// A door that judges mails as `door` does.
    pub fn new(door: &SmtpDoor, options: ImapOptions) -> Self {
        Self { shared: door.shared(), options }
    }

    /// Reads the mailbox until `shutdown` is ready. A server that is away is tried again, at growing spans.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send) {
        tokio::select! {
            () = self.read_on() => {}
            () = shutdown => {}
        }
    }

    async fn read_on(&self) {
        let host = &self.options.host;
        let mut wait = self.options.retry_first;
        let mut told = None;
        let mut late = Late::new(self.options.retry_first, self.options.late_retry_max);
        loop {
            let mut worked = false;
            let mut present = None;
            let Err(error) = self.session(&mut late, &mut worked, &mut present).await;
            if worked {
                wait = self.options.retry_first;
                told = None;
            }
            if let Some(uid) = present {
                // Perhaps it is this mail that breaks the line: others go first.
                late.note(uid, Instant::now());
            }
            let words = crate::smtp::Chain(&error).to_string();
            // Once for each cause: a provider may be away for a day.
            if told.as_ref() == Some(&words) {
                debug!(%host, error = %words, "Still does not read the mailbox");
            } else {
                warn!(%host, error = %words, "Does not read the mailbox at present, will try again");
                told = Some(words);
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(self.options.retry_max);
        }
    }

    /// One connection, until it breaks. `worked`: it went once through the folder; `present`: the mail it was at.
    async fn session(
        &self,
        late: &mut Late,
        worked: &mut bool,
        present: &mut Option<u32>,
    ) -> Result<std::convert::Infallible, ImapError> {
        let options = &self.options;
        let mut mailbox = Mailbox::open(options).await?;
        let mut seen = self.seen(&mailbox).await?;
        info!(host = %options.host, folder = %options.folder, "Reads a mailbox");
        loop {
            let uids = mailbox.uids_from(seen.from).await?;
            if seen.forget_others(&uids) {
                self.keep(&seen).await?;
            }
            late.forget_others(&uids);
            for uid in uids {
                if late.is_due(uid, Instant::now()) {
                    *present = Some(uid);
                    self.deal_with(&mut mailbox, &mut seen, late, uid).await?;
                    *present = None;
                }
            }
            *worked = true;
            let most = if mailbox.tells() { IDLE_MOST } else { options.poll };
            let most = late.next_in(Instant::now()).map_or(most, |due| due.min(most));
            mailbox.wait(most.max(options.retry_first.min(options.poll))).await?;
        }
    }

    /// Takes a mail if it is new, and moves it. What goes wrong with this mail alone makes it late.
    async fn deal_with(
        &self,
        mailbox: &mut Mailbox,
        seen: &mut Seen,
        late: &mut Late,
        uid: u32,
    ) -> Result<(), ImapError> {
        let options = &self.options;
        let fate = match seen.fate(uid) {
            Some(fate) => fate,
            None => {
                let fate = match take::take(&self.shared, options, mailbox, uid).await {
                    Ok(Taken::Over(fate)) => fate,
                    // Nobody waits for ever for a name server that is gone.
                    Ok(Taken::Later) if late.since(uid, Instant::now()) >= options.late_max => {
                        warn!(door = "imap", uid, "Gave a mail up: it could not be taken for too long");
                        Fate::Refused
                    }
                    Ok(Taken::Later) => {
                        late.note(uid, Instant::now());
                        return Ok(());
                    }
                    Err(ImapError::Refused(why)) => {
                        warn!(door = "imap", uid, %why, "The server did not give a mail, will try again");
                        late.note(uid, Instant::now());
                        return Ok(());
                    }
                    Err(error) => return Err(error),
                };
                self.shared.spooler.crash_point("C17").await;
                seen.note(uid, fate);
                self.keep(seen).await?;
                self.shared.spooler.crash_point("C18").await;
                fate
            }
        };
        let folder = match fate {
            Fate::Taken => &options.done_folder,
            Fate::Refused => &options.refused_folder,
        };
        match mailbox.move_to(uid, folder).await {
            Ok(()) => late.forget(uid),
            Err(ImapError::Refused(why)) => {
                warn!(door = "imap", uid, folder, %why, "Could not move a mail, will try again; it is not taken twice");
                late.note(uid, Instant::now());
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// What is known of the mailbox's mails.
    async fn seen(&self, mailbox: &Mailbox) -> Result<Seen, ImapError> {
        let stored = self.shared.spooler.setting(self.options.owner, &self.options.setting()).await?;
        let stored: Option<Seen> = stored.and_then(|value| serde_json::from_value(value).ok());
        let first = stored.is_none();
        if let Some(seen) = stored.filter(|seen| seen.validity == mailbox.validity) {
            return Ok(seen);
        }
        let from = if self.options.take_older { 1 } else { mailbox.next };
        if first && mailbox.exists > 0 && !self.options.take_older {
            info!(mails = mailbox.exists, "Leaves the mails that were in the mailbox before; `take-older` prints them");
        } else if !first {
            warn!("The mailbox was renumbered; mails that came in the meantime stay where they are");
        }
        let seen = Seen::new(mailbox.validity, from);
        self.keep(&seen).await?;
        Ok(seen)
    }

    async fn keep(&self, seen: &Seen) -> Result<(), ImapError> {
        let value = serde_json::to_value(seen).unwrap_or_default();
        self.shared.spooler.set_setting(self.options.owner, &self.options.setting(), Some(value)).await?;
        Ok(())
    }
}
