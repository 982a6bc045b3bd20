//! Doors: how jobs come in.
//!
//! [`SmtpDoor`] takes mail: each of its listeners drives SMTP sessions over sockets, finds out who sent a mail, and
//! says 250 only when its jobs are safe on disk. [`ImapDoor`] takes what a provider's mailbox received. [`UploadDoor`] takes documents by HTTP, and says 201 as late; [`IppDoor`]
//! takes them from print dialogues, and reports of printers. The doors
//! know the spooler and nothing behind it; none renders, delivers or waits for a printer.

mod accounts;
mod imap;
mod ipp;
mod mail;
mod network;
mod proof;
mod rates;
mod report;
mod smtp;
mod web;

pub use imap::{ImapDoor, ImapOptions, ImapTls};
pub use ipp::{Identify, IppDoor, IppOptions, NoIdentify};
pub use network::{Network, NetworkError};
pub use proof::Dns;
pub use report::PATH as IPP_PATH;

/// Where the IPP System service stands (PWG 5100.22).
pub const IPP_SYSTEM_PATH: &str = ipp::SYSTEM_PATH;
pub use smtp::{DoorError, Listen, Role, SmtpDoor, SmtpOptions};
pub use web::{Identities, UPLOAD_PATH, UploadDoor, UploadOptions, Uploader};
