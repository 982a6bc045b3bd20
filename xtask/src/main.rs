//! The developer's commands: `cargo xtask` lists them.
//!
//! What guards this project runs from here and nowhere else: `.ci/run` calls `cargo xtask test` and adds nothing.
//! Written with the standard library alone, so that it is built in seconds and depends on no crate of the workspace:
//! it must still run when they do not build.

mod packages;
mod steps;
mod tally;
mod tasks;
mod watch;

use std::process::ExitCode;

use tasks::TASKS;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = if arguments.is_empty() { None } else { Some(arguments.remove(0)) };
    if let Err(cause) = std::env::set_current_dir(workspace()) {
        eprintln!("error: cannot enter the project's folder {}: {cause}", workspace());
        return ExitCode::FAILURE;
    }
    match name.as_deref() {
        None | Some("help" | "-h" | "--help") => {
            print_tasks();
            ExitCode::SUCCESS
        }
        Some(name) => match TASKS.iter().find(|task| task.name == name) {
            Some(task) => match (task.run)(&arguments) {
                Ok(code) => code,
                Err(message) => {
                    eprintln!("error: {message}");
                    ExitCode::FAILURE
                }
            },
            None => {
                eprintln!("error: there is no task `{name}`\n");
                print_tasks();
                ExitCode::FAILURE
            }
        },
    }
}

/// The folder of the workspace, whichever folder the command was called from.
fn workspace() -> &'static str {
    // The manifest of this package lies one folder below it.
    env!("CARGO_MANIFEST_DIR").strip_suffix("/xtask").unwrap_or(".")
}

fn print_tasks() {
    println!("cargo xtask <task>\n");
    for task in TASKS {
        println!("  {:<34} {}", format!("{} {}", task.name, task.arguments), task.help);
    }
    println!("\n  `cargo run --release -- demo` shows the program at work.");
}
