//! The render worker alone, for this crate's tests.

fn main() -> std::process::ExitCode {
    tympan_render::worker::run_worker()
}
