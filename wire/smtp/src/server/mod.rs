//! The server's side of SMTP: a peer speaks, we answer.
//!
//! The caller drives a [`Session`] in a loop:
//!
//! 1. write everything [`Session::poll_output`] returns to the peer;
//! 2. act on [`Session::poll_event`] until it is `None`; a question is answered with the `answer_…`
//!    call named at the event, at once or later;
//! 3. hand received octets to [`Session::handle_input`], drop those it consumed, store the body
//!    octets it returns;
//! 4. when it consumes nothing more, wait for the socket or for [`Session::poll_timeout`], whichever
//!    comes first, and call [`Session::handle_timeout`] in the latter case.
//!
//! Back pressure is simply not calling `handle_input` (see [`Session::pause`]).

mod auth;
mod body;
mod clock;
mod command;
mod commands;
mod config;
mod data;
mod event;
mod session;
mod texts;

pub use clock::TimeoutReason;
pub use config::{Config, Limits, Peer, TimeOuts};
pub use event::{
    BodyEnd, BodyFault, BodyKind, BodyStart, CloseReason, Credentials, Event, Greeting, MailFrom, Mechanism, RcptTo,
};
pub use session::{Handled, NotAsked, Session};
