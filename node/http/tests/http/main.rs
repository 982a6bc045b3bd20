//! One program for all tests of this crate over its interface: linked once.

#[path = "../common/mod.rs"]
mod common;
mod corpus;
mod listener;
mod printers;
mod routes;
mod tls;
