//! Tables made from the IANA registry "Internet Printing Protocol (IPP) Registrations".
//!
//! Everything beside this file is written by `examples/generate_registry.rs`; do not edit it by hand.

mod operations;
mod status_codes;
