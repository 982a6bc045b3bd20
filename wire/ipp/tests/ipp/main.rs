//! One program for all tests of this crate over its interface: linked once.

mod corpus;
mod refuse;
mod round_trip;
mod support;
mod wire;
