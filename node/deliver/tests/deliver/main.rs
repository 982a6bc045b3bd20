//! One program for all tests of this crate over its interface: linked once.

mod common;
mod ipp;
mod mails;
mod outputs;
mod smtp_out;
