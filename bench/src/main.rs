//! Side by side with the peers, in one run: `cargo xtask bench [mail|memory|ipp] [--mails N] [--rounds N]`.

mod ipp;
mod load;
mod mail;
mod memory;
mod office;

use std::process::ExitCode;

/// How much is measured.
struct Size {
    /// Mails of one round.
    mails: u32,
    /// Rounds with each server; the median counts.
    rounds: usize,
    /// Jobs that wait while the memory is read.
    waiting: u32,
    /// The one part of `ipp` that is wanted; all of it without.
    only: Option<String>,
}

fn main() -> ExitCode {
    let mut size = Size { mails: 3000, rounds: 5, waiting: 10_000, only: None };
    let mut names = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse::<u32>().ok());
        let known = match argument.as_str() {
            "mail" | "memory" | "ipp" => {
                names.push(argument.clone());
                true
            }
            "--only" => {
                size.only = arguments.next();
                size.only.is_some()
            }
            "--mails" => number().map(|count| size.mails = count.max(10)).is_some(),
            "--rounds" => number().map(|count| size.rounds = count.max(1) as usize).is_some(),
            "--waiting" => number().map(|count| size.waiting = count.max(10)).is_some(),
            _ => false,
        };
        if !known {
            eprintln!(
                "`{argument}` is not understood: cargo xtask bench [mail] [memory] [ipp] [--mails N] [--rounds N] [--waiting N] [--only PART]"
            );
            return ExitCode::FAILURE;
        }
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|found| found == name);
    println!("program: {}", office::program().display());
    let mut goals = Vec::new();
    if wanted("mail") {
        goals.extend(mail::run(&size));
    }
    if wanted("memory") {
        goals.extend(memory::run(&size));
    }
    if wanted("ipp") {
        goals.extend(ipp::run(&size));
    }
    println!("\nGoals:");
    for (goal, reached) in &goals {
        println!("  {} {goal}", if *reached { "reached" } else { "MISSED " });
    }
    if goals.iter().all(|(_, reached)| *reached) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
