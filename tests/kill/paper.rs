//! The virtual printer, and the ledger of the pages that came out of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde_json::Value;
use tympan_tests::{Process, Scratch, free_port, program, wait_until};

use super::http;

/// Pages a minute: slow enough that many a kill finds a page half printed.
const SPEED: &str = "900";

/// Its tray is filled when fewer sheets than this are left.
const SHEETS_MIN: u64 = 100;

/// Job-id and number of the side within the job: its job-name.
type Pages = BTreeMap<(i64, u64), String>;

pub(super) struct Paper {
    pub(super) ipp: String,
    page: SocketAddr,
    folder: PathBuf,
    stop: Arc<AtomicBool>,
    follower: JoinHandle<Pages>,
    _process: Process,
}

impl Paper {
    pub(super) fn start(scratch: &Scratch) -> Self {
        let [ipp, raw, page] = [(); 3].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let folder = scratch.join("pages");
        let mut command = Command::new(program::tympan());
        command.args(["printer", "--speed", SPEED, "--mono", "--folder"]).arg(&folder);
        for (option, address) in [("--ipp", ipp), ("--raw", raw), ("--page", page)] {
            command.args([option, &address.to_string()]);
        }
        let process = Process::start("tympan printer", &mut command);
        process.wait_for_line("the printer is on", |line| line.starts_with("Ctrl-C").then_some(()));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let follower = std::thread::spawn(move || follow(page, &stopped));
        Self { ipp: format!("ipp://{ipp}/ipp/print"), page, folder, stop, follower, _process: process }
    }

    /// For each name that a job was given: the short ids before it, one for each page that came out.
    pub(super) fn finish(self) -> BTreeMap<String, Vec<String>> {
        let mut last = Value::Null;
        wait_until("the printer's rest", || {
            last = http::call(self.page, "GET", "/state", None, "").unwrap_or_default();
            last["state"] == "idle" && last["queued_jobs"] == 0
        });
        self.stop.store(true, Ordering::Relaxed);
        let pages = self.follower.join().expect("the ledger of the pages");
        // The printer shows its latest pages only: what it counts and the files it wrote tell whether one was missed.
        assert_eq!(last["impressions"], pages.len(), "pages that the ledger missed");
        let files = std::fs::read_dir(&self.folder).expect("the folder of pages").flatten();
        let files = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "png")).count();
        assert_eq!(files, pages.len(), "files of pages");
        let mut printed: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in pages.into_values() {
            let (short, name) = name.split_once(' ').unwrap_or((&name, ""));
            printed.entry(name.to_owned()).or_default().push(short.to_owned());
        }
        printed
    }
}

fn follow(page: SocketAddr, stop: &AtomicBool) -> Pages {
    let mut pages = Pages::new();
    let mut revision = 0;
    loop {
        // Looked at before the printer is asked: the last answer holds everything that came out before the stop.
        let last = stop.load(Ordering::Relaxed);
        let path = if last || revision == 0 { "/state".to_owned() } else { format!("/state?after={revision}&wait=1") };
        let state = http::call(page, "GET", &path, None, "").expect("the state of the virtual printer");
        revision = state["revision"].as_u64().expect("a revision");
        for page in state["pages"].as_array().into_iter().flatten() {
            let key = (page["job_id"].as_i64().expect("a job-id"), page["impression"].as_u64().expect("a number"));
            pages.insert(key, page["job_name"].as_str().expect("a name").to_owned());
        }
        if last {
            return pages;
        }
        if state["trays"][0]["sheets"].as_u64().is_some_and(|left| left < SHEETS_MIN) {
            http::call(page, "POST", "/faults", None, "{\"mend\":true}").expect("the paper is filled up");
        }
    }
}
