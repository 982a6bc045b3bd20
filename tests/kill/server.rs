//! The server that is killed, always on the same ports and the same data.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tympan_tests::{Process, Scratch, free_port, program, wait_until};

use super::{http, senders};

/// Most jobs in one answer.
const JOBS_AT_ONCE: usize = 1000;

pub(super) struct Server {
    pub(super) smtp: SocketAddr,
    http: SocketAddr,
    config: PathBuf,
    data: PathBuf,
    process: Option<Process>,
}

impl Server {
    /// Writes its configuration, with one printer.
    pub(super) fn new(scratch: &Scratch, device: &str) -> Self {
        let [smtp, http] = [(); 2].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let registrations =
            senders::ADDRESSES.map(|sender| format!("[[registration]]\nprinter = \"office\"\nsender = \"{sender}\"\n"));
        let text = format!(
            "data = \"data\"\ndomain = \"print.example\"\n[smtp]\nlisten = [\"{smtp}\"]\n[http]\nlisten = [\"{http}\"]\n\
             [trust]\nnetworks = [\"127.0.0.0/8\"]\n[dns]\nenabled = false\n[queue]\nfollow-every = \"20 ms\"\nreserve = 0\njobs-per-sender = 0\n\
             [[printer]]\nname = \"office\"\ninfo = \"Office\"\ndevice = \"{device}\"\n{}",
            registrations.concat()
        );
        Self { smtp, http, config: scratch.write("tympan.toml", text), data: scratch.join("data"), process: None }
    }

    /// Starts it, ready or not.
    pub(super) fn begin(&mut self) {
        let mut command = Command::new(program::tympan());
        command.args(["serve", "--config"]).arg(&self.config).env("TYMPAN_LOG", "info");
        self.process = Some(Process::start("tympan serve", &mut command));
    }

    /// Starts it and waits until it is ready.
    pub(super) fn start(&mut self) {
        self.begin();
        let process = self.process.as_ref().expect("it was started");
        process.wait_for_line("the server is ready", |line| (line == "ready").then_some(()));
    }

    /// kill -9, of its process alone or with its workers.
    pub(super) fn kill(&mut self, alone: bool) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        if alone && let Some(pid) = i32::try_from(process.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
            wait_until("the server's end", || !process.is_running());
        } else {
            process.kill();
        }
        let said = process.output();
        assert!(!said.contains("panicked"), "it panicked before it was killed:\n{said}");
    }

    /// What it said in this life.
    pub(super) fn log(&self) -> String {
        self.process.as_ref().map(Process::output).unwrap_or_default()
    }

    /// Every job by its short id.
    pub(super) fn jobs(&self) -> BTreeMap<String, Value> {
        let mut jobs = BTreeMap::new();
        let mut before = String::new();
        loop {
            let page = self.ask(&format!("/jobs?all=1&limit={JOBS_AT_ONCE}&before={before}"));
            let page = page.as_array().expect("a list of jobs");
            let id = |job: &Value| job["id"].as_str().expect("a short id").to_owned();
            jobs.extend(page.iter().map(|job| (id(job), job.clone())));
            match page.last() {
                Some(last) if page.len() == JOBS_AT_ONCE => before = last["uuid"].as_str().expect("a uuid").to_owned(),
                _ => return jobs,
            }
        }
    }

    /// Whether an attempt of this job ended in doubt.
    pub(super) fn was_in_doubt(&self, short: &str) -> bool {
        let job = self.ask(&format!("/jobs/{short}"));
        job["attempts"].as_array().into_iter().flatten().any(|attempt| attempt["state"] == "in-doubt")
    }

    fn ask(&self, path: &str) -> Value {
        let token = std::fs::read_to_string(self.data.join("admin-token")).expect("the token of the data folder");
        http::call(self.http, "GET", &format!("/api/v1{path}"), Some(token.trim()), "")
            .unwrap_or_else(|| panic!("no answer to {path}; the server said:\n{}", self.log()))
    }
}
