//! A server and a virtual printer as real processes, and the people around them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tympan_tests::{Process, Scratch, free_port, program, wait_for, wait_until};

/// The printer's owner and everybody's favourite sender.
pub(crate) const ANNA: &str = "anna@sender.example";
/// The printer.
pub(crate) const OFFICE: &str = "office@print.example";

/// A virtual printer that runs.
pub(crate) struct Printer {
    pub(crate) ipp: String,
    pub(crate) raw: SocketAddr,
    pub(crate) page: String,
    pub(crate) folder: PathBuf,
    _process: Process,
}

impl Printer {
    /// Starts one; it reports to `report` (printer URI and token) if there is one.
    pub(crate) fn start(scratch: &Scratch, name: &str, report: Option<(&str, &str)>) -> Self {
        let (ipp, raw, page) = (local(), local(), local());
        let folder = scratch.join(format!("pages-{name}"));
        let mut command = Command::new(program::tympan());
        command
            .args(["printer", "--ipp", &ipp.to_string(), "--raw", &raw.to_string(), "--page", &page.to_string()])
            .arg("--folder")
            .arg(&folder);
        if let Some((uri, token)) = report {
            command.args(["--report", uri, "--report-token", token]);
        }
        let process = Process::start("tympan printer", &mut command);
        process.wait_for_line("the printer is on", |line| line.starts_with("Ctrl-C").then_some(()));
        Self { ipp: format!("ipp://{ipp}/ipp/print"), raw, page: format!("http://{page}"), folder, _process: process }
    }

    /// Switches a fault on, or all off with `clear`.
    pub(crate) fn fault(&self, words: &str) {
        let mut command = Command::new(program::tympan());
        command.args(["printer", "fault"]).args(words.split(' ')).args(["--at", &self.page]);
        Process::run("tympan printer fault", &mut command).expect_success();
    }

    /// The pages that came out, in order.
    pub(crate) fn pages(&self) -> Vec<PathBuf> {
        let mut pages: Vec<PathBuf> = std::fs::read_dir(&self.folder)
            .map(|found| found.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        pages.retain(|path| path.extension().is_some_and(|extension| extension == "png"));
        pages.sort();
        pages
    }

    /// The big number on each page that came out.
    pub(crate) fn numbers(&self) -> Vec<Option<u32>> {
        self.pages()
            .iter()
            .map(|page| tympan_tests::samples::number_on(&image::open(page).expect("a page's picture")))
            .collect()
    }

    /// Waits for so many pages.
    pub(crate) fn wait_for_pages(&self, count: usize) -> Vec<PathBuf> {
        wait_until(&format!("{count} pages"), || self.pages().len() >= count);
        self.pages()
    }
}

/// An address on a free port.
pub(crate) fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port()))
}

/// A server that runs.
pub(crate) struct Office {
    pub(crate) scratch: Scratch,
    pub(crate) smtp: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) printer: Printer,
    config: PathBuf,
    process: Option<Process>,
}

/// What a test wants different.
#[derive(Default)]
pub(crate) struct Wishes<'a> {
    /// More lines for the one printer's entry.
    pub(crate) printer: &'a str,
    /// Whole more sections.
    pub(crate) more: &'a str,
    /// `[dns] servers`; without it nothing is looked up and 127.0.0.0/8 is trusted.
    pub(crate) dns: Option<SocketAddr>,
    /// The printer does not report by itself.
    pub(crate) silent: bool,
    /// Anna is not registered.
    pub(crate) nobody: bool,
    /// Lines before the first section.
    pub(crate) top: &'a str,
    /// More lines for `[smtp]`.
    pub(crate) smtp: &'a str,
    /// More lines for `[queue]`.
    pub(crate) queue: &'a str,
}

impl Office {
    /// Starts both with defaults.
    pub(crate) fn open() -> Self {
        Self::open_with(&Wishes::default())
    }

    /// Starts both as a test wishes.
    pub(crate) fn open_with(wishes: &Wishes<'_>) -> Self {
        let scratch = Scratch::new("office");
        let (smtp, http) = (local(), local());
        let uri = format!("ipp://{http}/ipp/print/office");
        let token = "a-token-of-the-test";
        let printer = Printer::start(&scratch, "office", (!wishes.silent).then_some((uri.as_str(), token)));
        let (trust, dns) = match wishes.dns {
            None => ("networks = [\"127.0.0.0/8\"]".to_owned(), "enabled = false".to_owned()),
            Some(zone) => (String::new(), format!("servers = [\"{zone}\"]\ntime-out = \"3 s\"")),
        };
        let registration = if wishes.nobody {
            String::new()
        } else {
            format!("[[registration]]\nprinter = \"office\"\nsender = \"{ANNA}\"\n")
        };
        let text = format!(
            "data = \"data\"\ndomain = \"print.example\"\n{}\n[smtp]\nlisten = [\"{smtp}\"]\n{}\n[http]\nlisten = [\"{http}\"]\n\
             [trust]\n{trust}\n[dns]\n{dns}\n[queue]\nnotice-after = \"1 ms\"\neffect-retry = \"50 ms\"\nfollow-every = \"20 ms\"\nreserve = 0\n{}\n\
             [[printer]]\nname = \"office\"\ninfo = \"Office\"\ndevice = \"{}\"\ntime-out = \"2 s\"\nreport-token = \"{token}\"\n{}\n\
             {registration}\n{}\n",
            wishes.top, wishes.smtp, wishes.queue, printer.ipp, wishes.printer, wishes.more
        );
        let config = scratch.write("tympan.toml", text);
        let mut office = Self { scratch, smtp, http, printer, config, process: None };
        office.start();
        office
    }

    /// Starts the server.
    pub(crate) fn start(&mut self) {
        let mut command = Command::new(program::tympan());
        command.args(["serve", "--config"]).arg(&self.config).env("TYMPAN_LOG", "info");
        let process = Process::start("tympan serve", &mut command);
        process.wait_for_line("the server is ready", |line| (line == "ready").then_some(()));
        self.process = Some(process);
    }

    /// Starts the server, which dies at a crash point.
    pub(crate) fn start_dying_at(&mut self, point: &str) {
        let mut command = Command::new(program::tympan());
        command.args(["serve", "--config"]).arg(&self.config).env("TYMPAN_LOG", "info");
        let process = Process::start("tympan serve", command.env("TYMPAN_CRASH_AT", point));
        process.wait_for_line("the server is ready", |line| (line == "ready").then_some(()));
        self.process = Some(process);
    }

    /// Waits until the server has died.
    pub(crate) fn wait_for_death(&mut self) {
        let mut process = self.process.take().expect("it was started");
        wait_until("the server's death", || !process.is_running());
    }

    /// What the server said in this life.
    pub(crate) fn log(&self) -> String {
        self.process.as_ref().map(Process::output).unwrap_or_default()
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, Process::id)
    }

    /// Anonymous memory of its process, in octets.
    pub(crate) fn memory(&self) -> u64 {
        tympan_tests::process::anonymous_memory(self.pid())
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.scratch.join("data")
    }

    /// The command line, on this server.
    pub(crate) fn tympan(&self, words: &[&str]) -> String {
        let mut command = Command::new(program::tympan());
        command.args(words).arg("--data").arg(self.data());
        Process::run("tympan", &mut command).expect_success()
    }

    /// Its answer as JSON.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let mut all = words.to_vec();
        all.push("--json");
        serde_json::from_str(&self.tympan(&all)).expect("JSON")
    }

    /// All jobs, newest first.
    pub(crate) fn jobs(&self) -> Vec<Value> {
        self.json(&["jobs", "--all"]).as_array().cloned().unwrap_or_default()
    }

    /// Waits for a job whose state is so.
    pub(crate) fn wait_for_job(&self, state: &str) -> Value {
        wait_for(&format!("a job that is {state}; there are {:?}", self.jobs()), || {
            self.jobs().into_iter().find(|job| job["state"] == state)
        })
    }

    /// Waits until `tympan why` of the newest job says so.
    pub(crate) fn wait_for_why(&self, words: &str) -> String {
        let mut last = String::new();
        wait_for(&format!("`{words}` in `tympan why`"), || {
            let id = self.jobs().first()?["id"].as_str()?.to_owned();
            last = self.tympan(&["why", &id]);
            last.contains(words).then(|| last.clone())
        })
    }

    /// Sends a mail as it stands; the last reply.
    pub(crate) fn send(&self, from: &str, to: &[&str], mail: &[u8]) -> String {
        send(self.smtp, from, to, mail)
    }

    /// The texts of all notices that were written so far.
    pub(crate) fn notices(&self) -> Vec<String> {
        let folder = self.data().join("notices");
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
            .map(|found| found.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        paths.sort();
        paths.iter().filter_map(|path| read_mail(path)).collect()
    }

    /// Waits for a notice with these words.
    pub(crate) fn wait_for_notice(&self, words: &str) -> String {
        wait_for(&format!("a notice with `{words}`; there are {:?}", self.notices()), || {
            self.notices().into_iter().find(|notice| notice.contains(words))
        })
    }
}

/// A notice's headers and decoded text.
fn read_mail(path: &Path) -> Option<String> {
    let octets = std::fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&octets).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let lower = head.to_ascii_lowercase();
    let body = if lower.contains("content-transfer-encoding: base64") {
        use base64::Engine as _;
        let packed: String = body.chars().filter(|c| !c.is_whitespace()).collect();
        String::from_utf8(base64::engine::general_purpose::STANDARD.decode(packed).ok()?).ok()?
    } else if lower.contains("quoted-printable") {
        quoted_printable(body)
    } else {
        body.to_owned()
    };
    Some(format!("{head}\n\n{body}"))
}

fn quoted_printable(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut octets = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'=').then(|| after.get(..2)).flatten();
        match code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()) {
            Some(octet) => {
                octets.push(octet);
                rest = &after[2..];
            }
            None => {
                octets.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// A plain conversation: the reply to the first refused command, else to the final dot.
pub(crate) fn send(server: SocketAddr, from: &str, to: &[&str], mail: &[u8]) -> String {
    use std::io::{BufRead, BufReader, Write};
    let stream = std::net::TcpStream::connect(server).expect("the mail door");
    stream.set_read_timeout(Some(std::time::Duration::from_secs(60))).expect("a time-out");
    let mut writer = stream.try_clone().expect("a second handle");
    let mut reader = BufReader::new(stream);
    let mut reply = move || {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).expect("a reply") == 0 {
                return all;
            }
            let more = line.as_bytes().get(3) == Some(&b'-');
            all += &line;
            if !more {
                return all;
            }
        }
    };
    let mut say = |text: &str| writer.write_all(format!("{text}\r\n").as_bytes()).expect("the door listens");
    reply();
    say("EHLO client.example");
    reply();
    say(&format!("MAIL FROM:<{from}>"));
    let said = reply();
    if !said.starts_with('2') {
        return said;
    }
    let mut refused = String::new();
    let mut accepted = 0;
    for address in to {
        say(&format!("RCPT TO:<{address}>"));
        let said = reply();
        if said.starts_with('2') {
            accepted += 1;
        } else {
            refused = said;
        }
    }
    if accepted == 0 {
        return refused;
    }
    say("DATA");
    let said = reply();
    if !said.starts_with('3') {
        return said;
    }
    let mut stuffed = Vec::with_capacity(mail.len() + 16);
    for line in mail.split_inclusive(|octet| *octet == b'\n') {
        if line.first() == Some(&b'.') {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line);
    }
    if !stuffed.ends_with(b"\r\n") {
        stuffed.extend_from_slice(b"\r\n");
    }
    writer.write_all(&stuffed).expect("the door takes the body");
    writer.write_all(b".\r\n").expect("the door takes the end");
    reply()
}
