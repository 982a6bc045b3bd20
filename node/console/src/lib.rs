//! Pages for people and the JSON API: set-up, printers, jobs, registrations.
//!
//! Server-rendered, no build step; two languages out of one table ([`texts`]). What the console may not know
//! itself (how a device is asked, how a test page is made) it asks of [`Hands`], which the program gives it.
//!
//! *Invariant:* no route without a [`Policy`]; the policy finds the record that the path names, under the owner of
//! the credential, before any handler runs.
//! *Invariant:* a handler that changes something gets its form only after the form's token was checked.
//! *Invariant:* GET changes nothing: mail scanners follow links.

mod account;
mod act;
mod api;
mod ask;
mod clock;
mod failure;
mod hands;
mod limiter;
mod options;
mod pages;
mod pairings;
mod password;
mod policy;
mod qr;
mod routes;
mod set_up;
mod show;
mod texts;
mod words;

pub use account::{new_account, reset_password, signed_in};
pub use hands::{Found, Hands, Later};
pub use options::{ConsoleError, ConsoleOptions};
pub use password::{PASSWORD_CHARS_MIN, Passwords};
pub use policy::{Identity, LinkKind, Place, Policy, SESSION_COOKIE};
pub use routes::Console;
