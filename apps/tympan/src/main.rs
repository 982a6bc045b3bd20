//! Tympan.
fn main() {}
