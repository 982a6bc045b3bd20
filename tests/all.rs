//! Behaviour over real sockets. One binary; a module for each kind of test.

mod harness;
#[cfg(feature = "kill")]
mod kill;
mod peers;
mod rows;
#[cfg(feature = "sim")]
mod sim;
