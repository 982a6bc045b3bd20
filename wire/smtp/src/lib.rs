//! SMTP sessions, server and client, as pure state machines (RFC 5321, 1870, 2034, 2920, 3030,
//! 3207, 4954, 6152, 6531).
//!
//! A session is *driven*: the caller owns the socket, the clock and the threads, hands in octets and
//! the time since some fixed start, and carries out what the session asks for. Nothing here opens,
//! reads or waits for anything. What a command line means is read by the library `smtp-proto`;
//! where a line, a body or a chunk ends is decided here, because that is where mail is smuggled.
//!
//! - [`server::Session`]: a peer speaks to us. It asks (may this sender, this recipient, this body
//!   come in?) and the caller answers with a [`Reply`].
//! - [`client::Session`]: we speak to a server and learn the fate of each recipient.

mod address;
pub mod client;
mod reply;
pub mod server;

pub use address::{Address, AddressError, Envelope, Recipient, ReversePath};
pub use reply::{Enhanced, Reply};
