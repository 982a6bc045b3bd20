//! Doors: how jobs come in.
//!
//! [`SmtpDoor`] takes mail: each of its listeners drives SMTP sessions over sockets, finds out who sent a mail, and
//! says 250 only when its jobs are safe on disk. Both doors know the spooler and nothing behind it; neither renders,
//! delivers or waits for a printer.

mod accounts;
mod mail;
mod network;
mod proof;
mod rates;
mod smtp;

pub use network::{Network, NetworkError};
pub use proof::Dns;
pub use smtp::{DoorError, Listen, Role, SmtpDoor, SmtpOptions};
