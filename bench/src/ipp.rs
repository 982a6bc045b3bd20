//! The IPP door against cupsd and ippeveprinter: questions, documents, idle connections, a large document.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tympan_ipp::{Attribute, GroupTag, Limits, Message, Operation, PrinterState, StatusCode, Value, decode};
use tympan_tests::peers::{self, Cups, IppEvePrinter};
use tympan_tests::process::raise_file_limit;
use tympan_tests::{Process, Scratch, free_port};

use crate::Size;
use crate::load::{anonymous_memory, wait_until_quiet};
use crate::office::program;

/// Questions a second, as many times those of cupsd.
const ASK_GOAL: f64 = 2.0;
/// Print-Job of 10 KB, as many times those of cupsd.
const PRINT_GOAL: f64 = 1.0;
/// Print-Job of 1 MB, as a part of what the disk does with fdatasync.
const DISK_GOAL: f64 = 0.7;
/// What an idle connection may cost, in octets, and how many are opened.
const IDLE_GOAL: u64 = 16 << 10;
const IDLE: u32 = 5_000;
/// By how much a document of a gigabyte may make the server grow, in octets.
const LARGE_GOAL: u64 = 16 << 20;
const LARGE: u64 = 1 << 30;
/// How often the printer's state changes while it is asked for.
const CHANGES: Duration = Duration::from_millis(10);
/// How long one round takes.
const ROUND_SECS: u32 = 5;
const TOKEN: &str = "a-token-of-the-bench";

/// Our server with one printer that is off and reports its state.
struct Door {
    http: SocketAddr,
    process: Process,
    scratch: Scratch,
}

impl Door {
    fn open() -> Self {
        Self::traced(None)
    }

    fn traced(trace: Option<&Path>) -> Self {
        let scratch = Scratch::new("bench");
        let [smtp, http, off] = [(); 3].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let config = scratch.write(
            "tympan.toml",
            format!(
                "data = \"data\"\n[smtp]\nlisten = [\"{smtp}\"]\n[http]\nlisten = [\"{http}\"]\nupload-max = 4294967296\n\
                 [trust]\nnetworks = [\"127.0.0.0/8\"]\n[dns]\nenabled = false\n[queue]\nreserve = 0\njobs-per-sender = 0\n\
                 [[printer]]\nname = \"office\"\ndevice = \"ipp://{off}/ipp/print\"\nreport-token = \"{TOKEN}\"\n"
            ),
        );
        let mut command = match trace {
            None => Command::new(program()),
            Some(file) => {
                let mut strace = Command::new("strace");
                strace.args(["-f", "-yy", "-s", "64", "-e", "trace=fsync,fdatasync,sendto,write,writev,sendmsg", "-o"]);
                strace.arg(file).arg(program());
                strace
            }
        };
        command.args(["serve", "--config"]).arg(config).env("TYMPAN_LOG", "warn");
        let process = Process::start("tympan serve", &mut command);
        process.wait_for_line("the server is ready", |line| (line == "ready").then_some(()));
        Self { http, process, scratch }
    }

    /// Ends the server; its data stay until the folder is dropped.
    fn stop(self) -> Scratch {
        drop(self.process);
        self.scratch
    }

    fn uri(&self) -> String {
        format!("ipp://{}/ipp/print/office", self.http)
    }

    fn pid(&self) -> u32 {
        self.process.id()
    }
}

/// Posts a request over a connection that is kept, and reads the answer's body.
fn post(stream: &mut TcpStream, path: &str, token: Option<&str>, body: &[u8]) -> Vec<u8> {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/ipp\r\n{authorization}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).expect("the door reads");
    read_answer(stream)
}

fn read_answer(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        let end = read.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.and_then(|length| length.trim().parse().ok()).expect("a length");
            if read.len() >= end + length {
                return read.split_off(end);
            }
        }
        let octets = stream.read(&mut piece).expect("an answer");
        assert!(octets > 0, "the door closed: {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&piece[..octets]);
    }
}

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).expect("the door");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
    stream.set_nodelay(true).expect("a socket option");
    stream
}

fn answer(octets: &[u8]) -> Message {
    decode(octets, &Limits::RESPONSE).expect("an IPP answer").message
}

fn report(uri: &str, state: PrinterState, reason: &str) -> Vec<u8> {
    Message::request(Operation::UpdateOutputDeviceAttributes, 1, uri)
        .operation("output-device-uuid", Value::uri("urn:uuid:00000000-0000-0000-0000-000000000000"))
        .printer("printer-state", state)
        .printer("printer-state-reasons", Value::keywords([reason]))
        .printer("printer-is-accepting-jobs", true)
        .encode()
}

/// One run of wrk with a canned body; requests a second.
struct Wrk {
    scratch: Scratch,
}

impl Wrk {
    /// A server of ours answers every request.
    fn run_ours(&self, url: &str, connections: u32, body: &[u8]) -> f64 {
        let (rate, errors) = self.run_counted(url, connections, body).expect("wrk runs");
        assert_eq!(errors, 0, "{url}");
        rate
    }

    /// What others fail to answer is not held against them, nor for them; `None` if they are gone.
    fn run(&self, url: &str, connections: u32, body: &[u8]) -> Option<f64> {
        self.run_counted(url, connections, body).map(|(rate, _)| rate)
    }

    fn run_counted(&self, url: &str, connections: u32, body: &[u8]) -> Option<(f64, u64)> {
        let canned = self.scratch.write("body", body);
        let script = self.scratch.write(
            "post.lua",
            format!(
                "local f = io.open(\"{}\", \"rb\")\nwrk.method = \"POST\"\nwrk.body = f:read(\"*a\")\nf:close()\n\
                 wrk.headers[\"Content-Type\"] = \"application/ipp\"\n\
                 function done(summary, latency, requests)\n  io.write(string.format(\"rate %.2f errors %d\\n\", \
                 summary.requests / (summary.duration / 1e6), summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout))\nend\n",
                canned.display()
            ),
        );
        let mut wrk = peers::command("wrk");
        wrk.args(["--threads", "2", "--connections", &connections.to_string()])
            .args(["--duration", &format!("{ROUND_SECS}s"), "--script"])
            .arg(script)
            .arg(url);
        let said = Process::run("wrk", &mut wrk).output;
        let line = said.lines().find_map(|line| line.strip_prefix("rate "))?;
        let (rate, errors) = line.split_once(" errors ").expect("our own line");
        Some((rate.parse().ok()?, errors.trim().parse().ok()?))
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    if all.is_empty() {
        return f64::NAN;
    }
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Measures; each goal as a sentence and whether it was reached.
pub(crate) fn run(size: &Size) -> Vec<(String, bool)> {
    if !peers::need("wrk") || !Cups::need() || !IppEvePrinter::need() {
        return Vec::new();
    }
    raise_file_limit();
    let wanted = |part: &str| size.only.as_deref().is_none_or(|only| only == part);
    let mut goals = Vec::new();
    if wanted("ask") || wanted("print") {
        goals.extend(beside_cups(size, &wanted));
    }
    if wanted("disk") {
        goals.push(disk(size));
    }
    if wanted("idle") {
        goals.push(idle());
    }
    if wanted("large") {
        goals.push(large());
    }
    if wanted("sync") {
        goals.extend(synced());
    }
    if wanted("instructions") {
        instructions();
    }
    goals
}

fn beside_cups(size: &Size, wanted: &impl Fn(&str) -> bool) -> Vec<(String, bool)> {
    let wrk = Wrk { scratch: Scratch::new("wrk") };
    let cups = Cups::start_with(
        "LogLevel none\nMaxJobs 0\nMaxClients 1000\nMaxClientsPerHost 1000\nPreserveJobFiles No\nPreserveJobHistory No\n",
    );
    cups.add_raw("bench");
    let mut goals = Vec::new();
    if wanted("ask") {
        goals.push(ask(size, &wrk, &cups));
    }
    if wanted("print") {
        goals.extend(print(size, &wrk, &cups));
    }
    goals
}

fn question(uri: &str) -> Vec<u8> {
    Message::request(Operation::GetPrinterAttributes, 1, uri)
        .operation("requesting-user-name", Value::name("bench"))
        .operation("requested-attributes", Value::keywords(["all", "media-col-database"]))
        .encode()
}

/// Get-Printer-Attributes over 32 connections, while the printer's state changes.
fn ask(size: &Size, wrk: &Wrk, cups: &Cups) -> (String, bool) {
    let door = Door::open();
    let (changes, stale, looked) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let (mut ours, mut theirs, mut eves) = (Vec::new(), Vec::new(), Vec::new());
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ended = AtEnd(&ended);
        scope.spawn(|| change_and_look(&door, &ended, &changes, &stale, &looked));
        for _ in 0..size.rounds {
            ours.push(wrk.run_ours(&format!("http://{}/ipp/print/office", door.http), 32, &question(&door.uri())));
            let uri = format!("ipp://{}/printers/bench", cups.address());
            theirs.extend(wrk.run(&format!("http://{}/printers/bench", cups.address()), 32, &question(&uri)));
            // A new one each time: some end under the load.
            let eve = IppEvePrinter::start();
            let http = eve.uri().replacen("ipp://", "http://", 1);
            eves.extend(wrk.run(&http, 32, &question(&eve.uri())));
        }
    });
    let octets = |addr: SocketAddr, path: &str, uri: &str| post(&mut connect(addr), path, None, &question(uri)).len();
    let (ours, theirs, eves) = (median(ours), median(theirs), median(eves));
    println!(
        "\nipp: Get-Printer-Attributes, all, 32 connections, {} rounds of {ROUND_SECS} s, alternating; answers a second\n\
         tympan {ours:.0} ({} octets an answer), cupsd {theirs:.0} ({} octets), ippeveprinter {eves:.0}\n\
         meanwhile {} changes of our printer's state were acknowledged; {} of {} answers right after one were older than it",
        size.rounds,
        octets(door.http, "/ipp/print/office", &door.uri()),
        octets(cups.address(), "/printers/bench", &format!("ipp://{}/printers/bench", cups.address())),
        changes.load(Ordering::Relaxed),
        stale.load(Ordering::Relaxed),
        looked.load(Ordering::Relaxed),
    );
    let ratio = ours / theirs;
    let fresh = stale.load(Ordering::Relaxed) == 0 && looked.load(Ordering::Relaxed) > 0;
    (format!("{ASK_GOAL} times the answers of cupsd, none old: {ratio:.2}"), ratio >= ASK_GOAL && fresh)
}

/// Says that it is over, also where something went wrong.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Reports a new state every 10 ms, and asks at once whether it shows.
fn change_and_look(door: &Door, ended: &AtomicBool, changes: &AtomicU64, stale: &AtomicU64, looked: &AtomicU64) {
    let (mut reporter, mut asker) = (connect(door.http), connect(door.http));
    let question = Message::request(Operation::GetPrinterAttributes, 1, door.uri())
        .operation("requested-attributes", Value::keywords(["printer-state-reasons"]))
        .encode();
    let mut next = Instant::now();
    for number in 0_u64.. {
        if ended.load(Ordering::Acquire) {
            return;
        }
        let reason = if number % 2 == 0 { "media-needed" } else { "toner-low" };
        let state = if number % 2 == 0 { PrinterState::Stopped } else { PrinterState::Idle };
        let said = post(&mut reporter, "/ipp/print/office", Some(TOKEN), &report(&door.uri(), state, reason));
        assert!(answer(&said).status_code().is_successful(), "{}", answer(&said));
        changes.fetch_add(1, Ordering::Relaxed);
        let shown = answer(&post(&mut asker, "/ipp/print/office", None, &question));
        let reasons =
            shown.get(GroupTag::Printer, "printer-state-reasons").map(ToString::to_string).unwrap_or_default();
        looked.fetch_add(1, Ordering::Relaxed);
        if !reasons.contains(reason) {
            stale.fetch_add(1, Ordering::Relaxed);
        }
        next += CHANGES;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

fn job(uri: &str, octets: usize) -> Vec<u8> {
    let mut body = Message::request(Operation::PrintJob, 1, uri)
        .operation("requesting-user-name", Value::name("bench"))
        .operation("job-name", Value::name("bench"))
        .operation("document-format", Value::mime_media_type("text/plain"))
        .encode();
    body.extend("The quick brown fox jumps over the lazy dog, and then once more.\n".bytes().cycle().take(octets));
    body
}

/// Print-Job of 10 KB over 16 connections; neither prints it.
fn print(size: &Size, wrk: &Wrk, cups: &Cups) -> Vec<(String, bool)> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        let door = Door::open();
        let cups_uri = format!("ipp://{}/printers/bench", cups.address());
        ours.push(wrk.run_ours(&format!("http://{}/ipp/print/office", door.http), 16, &job(&door.uri(), 10 * 1024)));
        let url = format!("http://{}/printers/bench", cups.address());
        theirs.extend(wrk.run(&url, 16, &job(&cups_uri, 10 * 1024)));
        cups.forget_jobs("bench");
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!(
        "\nipp: Print-Job of 10 KB, 16 connections, {} rounds, alternating; jobs a second\n\
         tympan {ours:.0}, on disk before the answer; cupsd {theirs:.0}, in the page cache",
        size.rounds
    );
    let ratio = ours / theirs;
    vec![(format!("{PRINT_GOAL} times the jobs of cupsd: {ratio:.2}"), ratio >= PRINT_GOAL)]
}

/// Print-Job of 1 MB over 4 connections, against files of 1 MB written and synced by as many threads.
fn disk(size: &Size) -> (String, bool) {
    const MEGABYTE: usize = 1 << 20;
    const THREADS: usize = 4;
    let (mut ours, mut disk) = (Vec::new(), Vec::new());
    // A file system is slow to make files for seconds after thousands were removed: nothing is before the end.
    let mut kept = Vec::new();
    for _ in 0..size.rounds {
        let door = Door::open();
        let body = job(&door.uri(), MEGABYTE);
        ours.push(for_a_while(THREADS, |_| {
            let mut stream = connect(door.http);
            let body = &body;
            move |_| {
                let said = answer(&post(&mut stream, "/ipp/print/office", None, body));
                assert_eq!(said.status_code(), StatusCode::SuccessfulOk, "{said}");
            }
        }));
        kept.push(door.stop());
        let scratch = Scratch::new("disk");
        let octets = &body[..];
        disk.push(for_a_while(THREADS, |thread| {
            let scratch = &scratch;
            move |number| {
                let path = scratch.join(format!("{thread}-{number}"));
                let mut file = std::fs::File::create(&path).expect("a file");
                file.write_all(octets).and_then(|()| file.sync_data()).expect("the disk takes it");
            }
        }));
        kept.push(scratch);
    }
    let (ours, disk) = (median(ours), median(disk));
    let part = ours / disk;
    println!(
        "\nipp: Print-Job of 1 MB, {THREADS} connections, {} rounds; MB a second: tympan {ours:.0}, files with fdatasync {disk:.0}",
        size.rounds
    );
    (format!("{:.0} % of what the disk does: {:.0} %", DISK_GOAL * 100.0, part * 100.0), part >= DISK_GOAL)
}

/// Does something again and again on some threads; times a second.
fn for_a_while<W: FnMut(u64) + Send>(threads: usize, make: impl Fn(usize) -> W + Sync) -> f64 {
    let time = Duration::from_secs(u64::from(ROUND_SECS));
    let done = AtomicU64::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (make, done) = (&make, &done);
            scope.spawn(move || {
                let mut work = make(thread);
                for number in 0.. {
                    if started.elapsed() >= time {
                        return;
                    }
                    work(number);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

/// Connections on which a question was answered and nothing more is said.
fn idle() -> (String, bool) {
    let door = Door::open();
    wait_until_quiet(door.pid());
    let before = anonymous_memory(door.pid());
    let question = Message::request(Operation::GetPrinterAttributes, 1, door.uri())
        .operation("requested-attributes", Value::keywords(["printer-state"]))
        .encode();
    let held: Vec<TcpStream> = (0..IDLE)
        .map(|number| {
            // All of 127.0.0.0/8 is this machine: each source has its own share of 50.
            let mut stream = connect_from(Ipv4Addr::from(0x7f00_0100 + number / 50), door.http);
            post(&mut stream, "/ipp/print/office", None, &question);
            stream
        })
        .collect();
    wait_until_quiet(door.pid());
    let each = anonymous_memory(door.pid()).saturating_sub(before) / u64::from(IDLE);
    let started = Instant::now();
    post(&mut connect(door.http), "/ipp/print/office", None, &question);
    let answered = started.elapsed();
    drop(held);
    println!(
        "\nipp: {each} octets for each of {IDLE} idle connections; a new one is answered in {answered:?} meanwhile"
    );
    let good = each < IDLE_GOAL && answered < Duration::from_millis(100);
    (format!("an idle connection below 16 KiB, a new one answered at once: {:.1} KiB", each as f64 / 1024.0), good)
}

fn connect_from(source: Ipv4Addr, to: SocketAddr) -> TcpStream {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((source, 0)).into()).expect("an address of this machine");
    socket.connect(&to.into()).expect("the door");
    let stream: TcpStream = socket.into();
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
    stream
}

/// A document of a gigabyte.
fn large() -> (String, bool) {
    let door = Door::open();
    wait_until_quiet(door.pid());
    let before = anonymous_memory(door.pid());
    let (ended, started) = (AtomicBool::new(false), Instant::now());
    let most = std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut most = before;
            while !ended.load(Ordering::Acquire) {
                most = most.max(anonymous_memory(door.pid()));
                std::thread::sleep(Duration::from_millis(2));
            }
            most
        });
        let mut stream = connect(door.http);
        let start = job(&door.uri(), 0);
        let length = start.len() as u64 + LARGE;
        let head = format!(
            "POST /ipp/print/office HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/ipp\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), &start].concat()).expect("the door reads");
        let piece = [b"x".repeat(79), vec![b'\n']].concat().repeat((1 << 20) / 80 + 1);
        let mut left = LARGE;
        while left > 0 {
            let octets = usize::try_from(left).map_or(1 << 20, |left| left.min(1 << 20));
            stream.write_all(&piece[..octets]).expect("the door reads");
            left -= octets as u64;
        }
        let said = answer(&read_answer(&mut stream));
        assert!(said.status_code().is_successful(), "{said}");
        ended.store(true, Ordering::Release);
        watching.join().expect("the watch ends")
    });
    let grown = most.saturating_sub(before);
    println!(
        "\nipp: a Print-Job of 1 GiB makes the server grow by {:.1} MiB; accepted after {:.1} s",
        grown as f64 / f64::from(1 << 20),
        started.elapsed().as_secs_f64()
    );
    (format!("a document of 1 GiB below 16 MiB: {:.1} MiB", grown as f64 / f64::from(1 << 20)), grown < LARGE_GOAL)
}

/// Shows by strace that a sync comes before each answer.
fn synced() -> Option<(String, bool)> {
    if !peers::need("strace") {
        return None;
    }
    const JOBS: usize = 20;
    let scratch = Scratch::new("trace");
    let trace: PathBuf = scratch.join("trace");
    let door = Door::traced(Some(&trace));
    let mut stream = connect(door.http);
    let body = job(&door.uri(), 10 * 1024);
    for _ in 0..JOBS {
        assert!(answer(&post(&mut stream, "/ipp/print/office", None, &body)).status_code().is_successful());
    }
    let port = format!(":{}->", door.http.port());
    let text = std::fs::read_to_string(&trace).unwrap_or_default();
    let (mut synced, mut answers, mut bare) = (false, 0, 0);
    for line in text.lines() {
        if (line.contains("sync(") || line.contains("sync resumed")) && line.contains("= 0") {
            synced = true;
        } else if line.contains(&port) && line.contains("HTTP/1.1 200") {
            answers += 1;
            bare += usize::from(!std::mem::take(&mut synced));
        }
    }
    println!(
        "\nipp: {answers} Print-Jobs one after the other under strace: {bare} answered without a sync since the answer before"
    );
    Some((format!("a sync before each of {JOBS} answers: {bare} without"), bare == 0 && answers == JOBS))
}

/// Instructions of one question, by callgrind, as a difference of two runs.
fn instructions() {
    if !peers::need("valgrind") {
        return;
    }
    let mut counts = Vec::new();
    for questions in [200_u32, 1200] {
        let scratch = Scratch::new("callgrind");
        let [smtp, http, off] = [(); 3].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let config = scratch.write(
            "tympan.toml",
            format!(
                "data = \"data\"\n[smtp]\nlisten = [\"{smtp}\"]\n[http]\nlisten = [\"{http}\"]\n[trust]\nnetworks = [\"127.0.0.0/8\"]\n\
                 [dns]\nenabled = false\n[[printer]]\nname = \"office\"\ndevice = \"ipp://{off}/ipp/print\"\n"
            ),
        );
        let mut valgrind = peers::command("valgrind");
        valgrind
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program())
            .args(["serve", "--config"])
            .arg(config);
        let process = Process::start("valgrind", &mut valgrind);
        process.wait_for_line("the server is ready", |line| (line == "ready").then_some(()));
        let mut stream = connect(http);
        let uri = format!("ipp://{http}/ipp/print/office");
        for _ in 0..questions {
            let said = answer(&post(&mut stream, "/ipp/print/office", None, &question(&uri)));
            assert!(said.get(GroupTag::Printer, "printer-name").is_some_and(|name: &Attribute| name.text().is_some()));
        }
        drop(stream);
        process.signal(rustix::process::Signal::INT);
        let said = process.finish(Duration::from_secs(60)).output;
        let collected = said.lines().find_map(|line| line.split_once("Collected : "));
        counts.push(collected.and_then(|(_, count)| count.trim().parse::<f64>().ok()).unwrap_or(f64::NAN));
    }
    println!(
        "\nipp: {:.0} instructions for a Get-Printer-Attributes of everything (callgrind)",
        (counts[1] - counts[0]) / 1000.0
    );
}
