//! One program for all tests of this crate over its interface: linked once.

#[path = "../common/mod.rs"]
mod common;
mod smtp_auth;
mod smtp_commands;
mod smtp_connections;
mod smtp_jobs;
mod smtp_proof;
mod smtp_refusals;
mod upload;
#[path = "../common/zone.rs"]
mod zone;
