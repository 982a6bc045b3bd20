//! The client's side of SMTP: we speak to a server.
//!
//! The caller drives a [`Session`] in a loop:
//!
//! 1. write everything [`Session::poll_output`] returns;
//! 2. act on [`Session::poll_event`] until it is `None`: do the TLS handshake, give the next mail with
//!    [`Session::send`] or say [`Session::quit`], hand over the message with [`Session::write_body`] and
//!    [`Session::finish_body`];
//! 3. hand received octets to [`Session::handle_input`], or call [`Session::handle_end`] or
//!    [`Session::handle_timeout`].

mod config;
mod outcome;
mod reply_reader;
mod server_info;
mod session;
mod stuff;
mod transaction;

pub use config::{Config, Credentials, TimeOuts, TlsPolicy};
pub use outcome::{Cause, CloseReason, Event, Failure, Fate, Outcome, RecipientOutcome, Stage};
pub use server_info::ServerInfo;
pub use session::{NotReady, Outgoing, Progress, Session};
