//! The render worker as a program of its own; see [`tympan_render::worker`].

use std::process::ExitCode;

fn main() -> ExitCode {
    tympan_render::worker::run_worker()
}
