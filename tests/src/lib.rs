//! The harness: what tests and benches need around the program under test.
//!
//! Everything here is synchronous and owns its threads and processes: dropping a value ends them. No test sleeps: it
//! waits for an event, at most [`CEILING`]. Peers that we did not write are optional on a developer's machine and
//! required in CI: see [`peers::need`].

pub mod domain;
pub mod mail;
pub mod peers;
pub mod ports;
pub mod process;
pub mod program;
pub mod samples;
pub mod scratch;
pub mod settings;
pub mod sink;
pub mod wait;
pub mod zone;

pub use domain::MailDomain;
pub use mail::TestMail;
pub use ports::free_port;
pub use process::Process;
pub use program::tympan;
pub use scratch::Scratch;
pub use sink::MailSink;
pub use wait::{CEILING, wait_for, wait_until};
pub use zone::ZoneServer;
