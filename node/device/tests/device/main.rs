//! One program for all tests of this crate over its interface: linked once.

mod common;
mod faults;
mod ipptool;
mod page;
mod print;
mod report;
