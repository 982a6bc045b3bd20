//! Runs one command after another, says what each is for and how long it took, and closes with one line of counts.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::tally::{self, Tally};

/// The file, named to the tests by this variable, into which a test that skips itself writes one line.
const SKIPS: &str = "TYMPAN_SKIPS";

/// How many test binaries the closing table names, slowest first.
const SLOWEST_SHOWN: usize = 8;

/// A run of several steps: one that fails does not stop the next, it fails the run.
pub(crate) struct Steps {
    started: Instant,
    done: Vec<(String, Duration, bool)>,
    binaries: Vec<(String, f32)>,
    failures: Vec<String>,
    skips: Vec<String>,
    tally: Tally,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            done: Vec::new(),
            binaries: Vec::new(),
            failures: Vec::new(),
            skips: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Runs a command that is right when it exits with 0. Returns whether it was.
    pub(crate) fn run(&mut self, what: &str, command: &mut Command) -> bool {
        self.step(what, |steps| {
            let ok = succeeds(command);
            if !ok {
                steps.fail(what);
            }
            ok
        })
    }

    /// Counts a step that could not be tried, and says why.
    pub(crate) fn skip(&mut self, what: &str, why: &str) {
        println!("SKIPPED {what}: {why}");
        self.skips.push(format!("{what}: {why}"));
        self.tally.skipped += 1;
    }

    /// Runs `cargo test ..`, passing its output on, and counts the tests of all binaries. Returns whether none failed.
    pub(crate) fn tests(&mut self, what: &str, command: &mut Command) -> bool {
        self.step(what, |steps| {
            let skips = skips_file();
            command.env(SKIPS, &skips);
            let result = steps.count(what, command);
            let lines = std::fs::read_to_string(&skips).unwrap_or_default();
            let _ = std::fs::remove_file(&skips);
            steps.tally.skip(u32::try_from(lines.lines().count()).unwrap_or(u32::MAX));
            steps.skips.extend(lines.lines().map(str::to_owned));
            result
        })
    }

    /// Fails the run when no test ran at all: a name that matches nothing must not look green.
    pub(crate) fn expect_some(&mut self, what: &str) {
        if self.tally == Tally::default() {
            self.fail(&format!("{what}: there is no such test"));
        }
    }

    /// Prints the times, what was skipped and failed, and the closing line of counts.
    pub(crate) fn finish(self) -> ExitCode {
        if !self.binaries.is_empty() {
            println!("\nSlowest test binaries:");
            let mut binaries = self.binaries;
            binaries.sort_by(|a, b| b.1.total_cmp(&a.1));
            for (name, seconds) in binaries.iter().take(SLOWEST_SHOWN) {
                println!("  {seconds:>7.1} s  {name}");
            }
        }
        println!("\nSteps:");
        for (what, time, ok) in &self.done {
            println!("  {:>7.1} s  {} {what}", time.as_secs_f32(), if *ok { "ok    " } else { "FAILED" });
        }
        println!("  {:>7.1} s  in all", self.started.elapsed().as_secs_f32());
        for skip in &self.skips {
            println!("skipped: {skip}");
        }
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        println!("{}", self.tally);
        if self.tally.failed == 0 && self.done.iter().all(|(_, _, ok)| *ok) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn step(&mut self, what: &str, run: impl FnOnce(&mut Self) -> bool) -> bool {
        println!("\n== {what}");
        let started = Instant::now();
        let ok = run(self);
        self.done.push((what.to_owned(), started.elapsed(), ok));
        ok
    }

    fn fail(&mut self, what: &str) {
        self.failures.push(what.to_owned());
        self.tally.failed += 1;
    }

    fn count(&mut self, what: &str, command: &mut Command) -> bool {
        show(command);
        let mut child = match command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(cause) => {
                println!("could not start it: {cause}");
                self.fail(what);
                return false;
            }
        };
        // cargo names each test binary on stderr before that binary writes to stdout.
        let binary = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().map(|stream| {
            let binary = Arc::clone(&binary);
            std::thread::spawn(move || {
                each_line(stream, |line| {
                    if let Some(name) = binary_of_line(line) {
                        *binary.lock().unwrap_or_else(PoisonError::into_inner) = name;
                    }
                    eprintln!("{line}");
                });
            })
        });
        let failed_before = self.tally.failed;
        if let Some(stream) = child.stdout.take() {
            each_line(stream, |line| {
                println!("{line}");
                let name = || binary.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(tally) = Tally::from_result_line(line) {
                    self.tally += tally;
                    self.binaries.push((name(), tally::seconds_of_result_line(line).unwrap_or(0.0)));
                } else if let Some(test) = tally::failed_test(line) {
                    self.failures.push(format!("{test} ({})", name()));
                }
            });
        }
        if let Some(stderr) = stderr {
            let _ = stderr.join();
        }
        let ok = child.wait().is_ok_and(|status| status.success());
        // Not compiled, or killed before its closing line: no test says so, and it must not look green.
        if !ok && self.tally.failed == failed_before {
            self.fail(what);
        }
        ok
    }
}

/// Runs a command with its output on ours and says whether it exited with 0.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    show(command);
    match command.status() {
        Ok(status) => status.success(),
        Err(cause) => {
            println!("could not start it: {cause}");
            false
        }
    }
}

/// Whether a command can be run at all; its output is thrown away.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The cargo that runs us, with these arguments.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    // Set by the cargo that built this program; left in place they make the inner cargo build everything anew.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

fn show(command: &Command) {
    let program = PathBuf::from(command.get_program());
    let mut line = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    println!("$ {line}");
}

fn each_line(stream: impl Read, mut seen: impl FnMut(&str)) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    while stream.read_until(b'\n', &mut line).is_ok_and(|octets| octets > 0) {
        seen(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
        line.clear();
    }
}

/// `Running unittests src/lib.rs (target/debug/deps/tympan_ipp-0123)` and `Doc-tests tympan_ipp` name what runs next.
fn binary_of_line(line: &str) -> Option<String> {
    // Colours, when cargo was told to always use them: ESC [ .. m.
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default();
    let plain: String =
        std::iter::once(first).chain(parts.map(|part| part.split_once('m').map_or(part, |(_, rest)| rest))).collect();
    let plain = plain.trim();
    if let Some(name) = plain.strip_prefix("Doc-tests ") {
        return Some(format!("{} (doc tests)", name.trim()));
    }
    let path = plain.strip_prefix("Running ")?.rsplit_once('(')?.1.strip_suffix(')')?;
    let file = path.rsplit(['/', '\\']).next()?;
    Some(file.rsplit_once('-').map_or(file, |(name, _)| name).to_owned())
}

fn skips_file() -> PathBuf {
    let file = std::env::temp_dir().join(format!("tympan-skips-{}", std::process::id()));
    let _ = std::fs::remove_file(&file);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_binary_from_cargos_line() {
        let line = "     Running unittests src/lib.rs (target/debug/deps/tympan_ipp-0a1b)";
        assert_eq!(binary_of_line(line).as_deref(), Some("tympan_ipp"));
        let line = "\u{1b}[1m\u{1b}[92m     Running\u{1b}[0m all.rs (target/debug/deps/all-0a1b)";
        assert_eq!(binary_of_line(line).as_deref(), Some("all"));
        assert_eq!(binary_of_line("   Doc-tests tympan_ipp").as_deref(), Some("tympan_ipp (doc tests)"));
        assert_eq!(binary_of_line("   Compiling tympan_ipp"), None);
    }

    #[test]
    fn a_step_that_fails_fails_the_run() {
        let mut steps = Steps::new();
        assert!(!steps.run("false", &mut Command::new("false")));
        assert!(steps.run("true", &mut Command::new("true")));
        assert_eq!(steps.tally, Tally { passed: 0, failed: 1, skipped: 0 });
    }

    #[test]
    fn counts_tests_skips_and_crashes() {
        let mut steps = Steps::new();
        let script = "echo 'test a ... ok'; echo 'a: x is not installed' >> $TYMPAN_SKIPS; \
                      echo 'test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.5s'";
        assert!(steps.tests("good", Command::new("sh").args(["-c", script])));
        assert_eq!(steps.tally, Tally { passed: 1, failed: 0, skipped: 2 });
        assert!(!steps.tests("crashed", Command::new("sh").args(["-c", "kill -9 $$"])));
        assert_eq!(steps.tally, Tally { passed: 1, failed: 1, skipped: 2 });
    }
}
