//! The harness keeps its promises: else a test could pass because nothing happened.

mod documents;
mod process;
mod proof;
mod sink;
mod zone;
