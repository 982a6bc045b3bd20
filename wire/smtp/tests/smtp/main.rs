//! One program for all tests of this crate over its interface: linked once.

#[macro_use]
mod common;

mod back_to_back;
mod client_conversation;
mod relay_forms;
mod server_conversation;
mod server_limits;
mod server_pieces;
mod server_smuggling;
