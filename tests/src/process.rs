//! Child processes that end with the test, whatever becomes of it, and whose words are there when it fails.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::wait::{CEILING, wait_until};

/// How long a process has to end by itself once it was asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// A running program in a process group of its own. Dropping it kills the group.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    said: Arc<Said>,
    readers: Vec<std::thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Said {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    all: Vec<String>,
    streams_open: usize,
}

impl Said {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Process {
    /// Starts a program; its two outputs are read into one list of lines.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn start(name: &str, command: &mut Command) -> Self {
        Self::start_with_input(name, command, None)
    }

    #[track_caller]
    fn start_with_input(name: &str, command: &mut Command, input: Option<Vec<u8>>) -> Self {
        let mut child = command
            .process_group(0)
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|cause| panic!("{name} did not start ({:?}): {cause}", command.get_program()));
        let said = Arc::new(Said::default());
        let mut readers = Vec::new();
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            // A program that ends before it read everything is told by its exit code, not here.
            readers.push(std::thread::spawn(move || drop(stdin.write_all(&input))));
        }
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        for stream in streams.into_iter().flatten() {
            said.lock().streams_open += 1;
            let said = Arc::clone(&said);
            readers.push(std::thread::spawn(move || read_lines(stream, &said)));
        }
        Self { name: name.to_owned(), child, said, readers }
    }

    /// Runs a program to its end, at most [`CEILING`], and returns what it said.
    ///
    /// # Panics
    /// When it cannot be started or does not end.
    #[track_caller]
    pub fn run(name: &str, command: &mut Command) -> Finished {
        Self::start(name, command).finish(CEILING)
    }

    /// As [`Process::run`], with octets for the program to read.
    ///
    /// # Panics
    /// When it cannot be started or does not end.
    #[track_caller]
    pub fn run_with_input(name: &str, command: &mut Command, input: impl Into<Vec<u8>>) -> Finished {
        Self::start_with_input(name, command, Some(input.into())).finish(CEILING)
    }

    /// Its process id, which is also the id of its group.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far, both outputs in the order in which they were read.
    #[must_use]
    pub fn output(&self) -> String {
        self.said.lock().all.join("\n")
    }

    /// Waits for a line of its output that `find` makes something of, from the first line on.
    ///
    /// # Panics
    /// When it ends or [`CEILING`] passes before it says so; the message holds all it said.
    #[track_caller]
    pub fn wait_for_line<T>(&self, what: &str, mut find: impl FnMut(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + CEILING;
        let mut lines = self.said.lock();
        let mut seen = 0;
        loop {
            while let Some(line) = lines.all.get(seen) {
                if let Some(found) = find(line) {
                    return found;
                }
                seen += 1;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(lines.streams_open > 0, "{} ended without {what}. It said:\n{}", self.name, lines.all.join("\n"));
            assert!(!left.is_zero(), "{} never said {what}, but:\n{}", self.name, lines.all.join("\n"));
            lines = self.said.changed.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until a file or socket stands at its place, or the process ended.
    ///
    /// # Panics
    /// When it ends or [`CEILING`] passes before `ready` holds.
    #[track_caller]
    pub fn wait_until_ready(&mut self, what: &str, mut ready: impl FnMut() -> bool) {
        wait_until(&format!("{} ({what})", self.name), || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("{} ended ({status}) before {what}. It said:\n{}", self.name, self.output());
            }
            ready()
        });
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends its group a signal. A group that is gone already is no error.
    pub fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, signal);
        }
    }

    /// Kills it at once, as a power cut would, and waits until it is gone.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }

    /// Asks it to end (SIGTERM) and returns its exit status; kills it if it does not within ten seconds.
    pub fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + GRACE;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return status,
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                _ => {
                    self.signal(Signal::KILL);
                    return self.child.wait().expect("a killed child ends");
                }
            }
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it did not end within `limit`; it is killed then.
    #[track_caller]
    pub fn finish(mut self, limit: Duration) -> Finished {
        let deadline = Instant::now() + limit;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                other => {
                    let said = self.output();
                    panic!("{} did not end within {} s ({other:?}). It said:\n{said}", self.name, limit.as_secs());
                }
            }
        };
        // What it left behind may hold its outputs open.
        self.signal(Signal::KILL);
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        Finished { status, output: self.output() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("-- {} said:\n{}\n--", self.name, self.output());
        }
    }
}

/// A program that ran to its end.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it said, both outputs.
    pub output: String,
}

impl Finished {
    /// Returns what it said.
    ///
    /// # Panics
    /// When it did not exit with 0; the message holds what it said.
    #[track_caller]
    pub fn expect_success(self) -> String {
        assert!(self.status.success(), "it ended with {}:\n{}", self.status, self.output);
        self.output
    }

    /// What it said; it has to have failed.
    ///
    /// # Panics
    /// When it succeeded.
    #[must_use]
    #[track_caller]
    pub fn expect_failure(self) -> String {
        assert!(!self.status.success(), "it succeeded:\n{}", self.output);
        self.output
    }
}

/// Anonymous memory of one process, its children apart, in octets.
#[must_use]
pub fn anonymous_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse().ok());
    kibibytes.map_or(0, |kibibytes: u64| kibibytes * 1024)
}

/// Lets this process have as many open files as it may.
pub fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

fn read_lines(stream: impl Read, said: &Said) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    while stream.read_until(b'\n', &mut line).is_ok_and(|octets| octets > 0) {
        let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
        line.clear();
        said.lock().all.push(text);
        said.changed.notify_all();
    }
    said.lock().streams_open -= 1;
    said.changed.notify_all();
}
