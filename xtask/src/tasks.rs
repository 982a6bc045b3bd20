//! The tasks: what each is called, what it is for, and the steps it takes.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::packages::{self, Peers};
use crate::steps::{Steps, answers, cargo, succeeds};
use crate::watch;

pub(crate) struct Task {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static str,
    pub(crate) help: &'static str,
    pub(crate) run: fn(&[String]) -> Result<ExitCode, String>,
}

pub(crate) const TASKS: &[Task] = &[
    Task {
        name: "check",
        arguments: "",
        help: "formatting, clippy, floors, tests of the pure crates: about a minute, before every commit",
        run: check,
    },
    Task {
        name: "test",
        arguments: "[--all] [--install]",
        help: "everything CI runs; --install brings the peers first (root, Debian), --all adds the long tests",
        run: test,
    },
    Task {
        name: "watch",
        arguments: "PACKAGE",
        help: "runs a package's tests again whenever one of its files changes: `watch engine`",
        run: watch_package,
    },
    Task {
        name: "peers",
        arguments: "[--install]",
        help: "the tests with real peers only: Postfix, swaks, smtplib, ippeveprinter, ipptool",
        run: peers,
    },
    Task {
        name: "sim",
        arguments: "[SEED] [--steps N]",
        help: "simulated worlds; with a seed, that one, with its trace",
        run: sim,
    },
    Task {
        name: "kill",
        arguments: "[--times N]",
        help: "kills the real server at random moments (60 times) and counts what became of the jobs",
        run: kill,
    },
    Task { name: "bench", arguments: "[NAME]", help: "side by side with the peers, in one run", run: bench },
    Task {
        name: "docs",
        arguments: "[--open]",
        help: "the API's pages, and the tables in docs/ that tests write",
        run: docs,
    },
];

/// Crates that need no runtime: their tests take seconds.
const PURE: [&str; 4] = ["tympan-ipp", "tympan-smtp", "tympan-raster", "tympan-engine"];

/// One build for all tests and the programs they start: every step after it selects from the same workspace, because
/// selecting single packages would choose other features and build the dependencies a second time.
const BUILD: [&str; 4] = ["build", "--workspace", "--bins", "--tests"];

fn check(arguments: &[String]) -> Result<ExitCode, String> {
    Options::parse(arguments, &[], &[], 0)?;
    let mut steps = Steps::new();
    formatting(&mut steps);
    clippy(&mut steps);
    steps.tests("floors and tree", &mut cargo(&["test", "--package", "xtask", "--no-fail-fast"]));
    let mut pure = cargo(&["test", "--no-fail-fast"]);
    for package in PURE {
        pure.args(["--package", package]);
    }
    steps.tests("pure crates", &mut pure);
    Ok(steps.finish())
}

fn test(arguments: &[String]) -> Result<ExitCode, String> {
    let options = Options::parse(arguments, &["--all", "--install"], &[], 0)?;
    let mut steps = Steps::new();
    provide_peers(options.has("--install"))?;
    formatting(&mut steps);
    if steps.run("build", &mut cargo(&BUILD)) {
        let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
        if options.has("--all") {
            tests.args(["--", "--include-ignored"]);
        }
        steps.tests("tests", &mut tests);
    }
    Ok(steps.finish())
}

fn watch_package(arguments: &[String]) -> Result<ExitCode, String> {
    let options = Options::parse(arguments, &[], &[], 1)?;
    let package = options.words.first().ok_or("which package? `cargo xtask watch engine`")?;
    watch::watch(package)
}

fn peers(arguments: &[String]) -> Result<ExitCode, String> {
    let options = Options::parse(arguments, &["--install"], &[], 0)?;
    provide_peers(options.has("--install"))?;
    run_of_all("tests with peers", "peers::", &[])
}

fn sim(arguments: &[String]) -> Result<ExitCode, String> {
    let options = Options::parse(arguments, &[], &["--steps"], 1)?;
    let mut settings = Vec::new();
    if let Some(seed) = options.words.first() {
        settings.push(("TYMPAN_SIM_SEED", number("the seed", seed)?));
    }
    if let Some(steps) = options.value("--steps") {
        settings.push(("TYMPAN_SIM_STEPS", number("--steps", steps)?));
    }
    run_of_all("simulated worlds", "sim::", &settings)
}

fn kill(arguments: &[String]) -> Result<ExitCode, String> {
    let options = Options::parse(arguments, &[], &["--times"], 0)?;
    let mut settings = Vec::new();
    if let Some(times) = options.value("--times") {
        settings.push(("TYMPAN_KILLS", number("--times", times)?));
    }
    run_of_all("kill loop", "kill::", &settings)
}

fn bench(arguments: &[String]) -> Result<ExitCode, String> {
    provide_peers(false)?;
    // Both in one build: the server that is measured is the release one.
    let build = ["build", "--release", "--package", "tympan", "--package", "tympan-bench"];
    if !succeeds(&mut cargo(&build)) {
        return Ok(ExitCode::FAILURE);
    }
    // Not `cargo run`: it would select one package, and build the dependencies again with that one's features.
    let mut run = Command::new(target_folder()?.join("release/tympan-bench"));
    run.args(arguments);
    Ok(code(succeeds(&mut run)))
}

fn docs(arguments: &[String]) -> Result<ExitCode, String> {
    let options = Options::parse(arguments, &["--open"], &[], 0)?;
    let mut steps = Steps::new();
    let mut tables = cargo(&["test", "--workspace", "--no-fail-fast", "in_the_docs"]);
    tables.env("TYMPAN_BLESS", "1");
    steps.tests("tables in docs/", &mut tables);
    let mut pages = cargo(&["doc", "--workspace", "--no-deps"]);
    if options.has("--open") {
        pages.arg("--open");
    }
    steps.run("API pages", pages.env("RUSTDOCFLAGS", "-D warnings"));
    Ok(steps.finish())
}

/// Builds what tests start, then runs the tests of `tests/` whose names begin with `module`.
fn run_of_all(what: &str, module: &str, settings: &[(&str, String)]) -> Result<ExitCode, String> {
    let mut steps = Steps::new();
    if steps.run("build", &mut cargo(&BUILD)) {
        let mut tests = cargo(&["test", "--workspace", "--test", "all", "--", module, "--nocapture"]);
        tests.envs(settings.iter().map(|(name, value)| (name, value)));
        steps.tests(what, &mut tests);
        steps.expect_some(what);
    }
    Ok(steps.finish())
}

fn formatting(steps: &mut Steps) {
    if answers("cargo", &["fmt", "--version"]) {
        // The files' names only: what is wrong with them nobody mends by hand.
        let mut check = cargo(&["fmt", "--all", "--check", "--", "-l"]);
        if !steps.run("formatting", &mut check) {
            println!("not formatted: the files above; `cargo fmt --all` mends it");
        }
    } else {
        steps.skip("formatting", "rustfmt is not installed: rustup component add rustfmt");
    }
}

fn clippy(steps: &mut Steps) {
    if answers("cargo", &["clippy", "--version"]) {
        let mut clippy = cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
        steps.run("clippy", &mut clippy);
    } else {
        steps.skip("clippy", "clippy is not installed: rustup component add clippy");
    }
}

fn provide_peers(install: bool) -> Result<(), String> {
    println!("\n== peers");
    match packages::provide(install || is_ci())? {
        Peers::AllThere => Ok(()),
        Peers::Missing(names) if is_ci() => {
            Err(format!("CI=true, and peers are missing ({}): nothing may be skipped there", names.join(", ")))
        }
        Peers::Missing(_) => Ok(()),
    }
}

/// Whether this is a run that must not skip anything.
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Where cargo builds: this program lies in `<target>/<profile>/`.
fn target_folder() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|cause| format!("where am I? {cause}"))?;
    program.ancestors().nth(2).map(PathBuf::from).ok_or_else(|| "this program lies in no target folder".to_owned())
}

fn number(what: &str, text: &str) -> Result<String, String> {
    text.parse::<u64>().map(|number| number.to_string()).map_err(|_| format!("{what} must be a number, not `{text}`"))
}

fn code(ok: bool) -> ExitCode {
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Arguments of a task; an unknown one is an error.
struct Options {
    flags: Vec<String>,
    values: Vec<(String, String)>,
    words: Vec<String>,
}

impl Options {
    fn parse(arguments: &[String], flags: &[&str], values: &[&str], words_max: usize) -> Result<Self, String> {
        let mut found = Self { flags: Vec::new(), values: Vec::new(), words: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            if flags.contains(&argument.as_str()) {
                found.flags.push(argument.clone());
            } else if values.contains(&argument.as_str()) {
                let value = arguments.next().ok_or_else(|| format!("{argument} needs a value"))?;
                found.values.push((argument.clone(), value.clone()));
            } else if !argument.starts_with('-') && found.words.len() < words_max {
                found.words.push(argument.clone());
            } else {
                return Err(format!("`{argument}` is not understood here; `cargo xtask` lists the tasks"));
            }
        }
        Ok(found)
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|found| found == flag)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// Runs a package's tests once; used by `watch`.
pub(crate) fn test_package(package: &str) -> bool {
    let mut command: Command = cargo(&["test", "--quiet", "--package", package]);
    succeeds(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn understands_the_arguments_of_a_task() {
        let options = Options::parse(&words("8172 --steps 100"), &[], &["--steps"], 1).unwrap();
        assert_eq!(options.words, ["8172"]);
        assert_eq!(options.value("--steps"), Some("100"));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for line in ["--stepz 3", "1 2", "--steps"] {
            assert!(Options::parse(&words(line), &[], &["--steps"], 1).is_err(), "{line}");
        }
        assert!(number("--times", "many").is_err());
    }

    #[test]
    fn every_task_has_a_line_of_help() {
        for task in TASKS {
            assert!(!task.help.is_empty() && !task.help.contains('\n'), "{}", task.name);
        }
    }
}
