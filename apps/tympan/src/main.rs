//! Tympan: internet printing that anyone can run.
//!
//! Which doors and outputs are open is decided here; what they do is in the crates below.

mod announce;
mod ask;
mod cli;
mod config;
mod demo;
mod hands;
mod node;
mod print;
mod printer;
mod remote;
mod report;
mod serve;
mod values;

use clap::Parser;
use cli::{Cli, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Command::Worker) {
        return tympan_render::worker::run_worker();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: could not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => demo::run(args).await,
            Command::Serve(args) => serve::run(args).await,
            Command::Printer(args) => printer::run(args).await,
            Command::Print(args) => print::run(args).await,
            Command::Jobs(args) => ask::jobs(args).await,
            Command::Printers(args) => ask::printers(args).await,
            Command::Why(args) => ask::why(args).await,
            Command::Job(args) => ask::job(args).await,
            Command::Registrations(args) => ask::registrations(args).await,
            Command::Admin(args) => ask::admin(args).await,
            Command::Report(args) => report::run(args).await,
            Command::Worker => unreachable!("handled before"),
        }
    });
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // What happened, then what caused it; a hint stands at the end of the first.
            let text = error.to_string();
            let (what, hint) = text.split_once("\n\nhint: ").map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
            eprintln!("error: {what}");
            for cause in error.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            if let Some(hint) = hint {
                eprintln!("\nhint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}
