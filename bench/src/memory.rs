//! What the server holds in memory: RssAnon of its own process, its workers apart.

use std::io::Read;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tympan_tests::peers;

use crate::Size;
use crate::load::{self, anonymous_memory};
use crate::office::{OCTETS, Office, Proof};

/// What waiting jobs of 10 KB may cost in all, in octets.
const WAITING_GOAL: u64 = 100 << 20;
/// What one idle connection may cost, in octets.
const IDLE_GOAL: u64 = 64 << 10;
/// How many of them are opened.
const IDLE: u64 = 1_000;
/// By how much a large mail may make the server grow, in octets.
const LARGE_GOAL: u64 = 8 << 20;
/// Its size, in octets.
const LARGE: u32 = 50_000_000;

/// Measures; each goal as a sentence and whether it was reached.
pub(crate) fn run(size: &Size) -> Vec<(String, bool)> {
    if !peers::need("smtp-source") {
        return Vec::new();
    }
    println!();
    let mut goals = vec![waiting(size), idle()];
    if peers::need("openssl") {
        goals.push(large());
    }
    goals
}

fn mebibytes(octets: u64) -> f64 {
    octets as f64 / f64::from(1 << 20)
}

fn waiting(size: &Size) -> (String, bool) {
    let office = Office::open(Proof::Network, OCTETS);
    load::wait_until_quiet(office.pid());
    let before = anonymous_memory(office.pid());
    load::round(office.smtp, office.pid(), size.waiting, 10, None);
    let after = anonymous_memory(office.pid());
    let jobs = office.waiting();
    println!(
        "memory: RssAnon {:.1} MiB at start, {:.1} MiB with {jobs} jobs of 10 KB waiting",
        mebibytes(before),
        mebibytes(after)
    );
    (format!("{jobs} waiting jobs below 100 MiB: {:.1} MiB", mebibytes(after)), after < WAITING_GOAL)
}

fn idle() -> (String, bool) {
    // A trusted source may have as many connections as the server takes.
    let office = Office::open(Proof::Network, OCTETS);
    load::wait_until_quiet(office.pid());
    let before = anonymous_memory(office.pid());
    let lines: Vec<TcpStream> = (0..IDLE)
        .map(|_| {
            let mut line = TcpStream::connect(office.smtp).expect("the mail door");
            line.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
            assert!(line.read(&mut [0; 512]).is_ok_and(|octets| octets > 0), "a greeting");
            line
        })
        .collect();
    let each = anonymous_memory(office.pid()).saturating_sub(before) / IDLE;
    drop(lines);
    println!("memory: {each} octets for each of {IDLE} idle connections");
    (format!("an idle connection below 64 KiB: {:.1} KiB", each as f64 / 1024.0), each < IDLE_GOAL)
}

fn large() -> (String, bool) {
    let office = Office::open(Proof::Signature, LARGE);
    load::wait_until_quiet(office.pid());
    let before = anonymous_memory(office.pid());
    let ended = AtomicBool::new(false);
    let most = std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut most = before;
            while !ended.load(Ordering::Acquire) {
                most = most.max(anonymous_memory(office.pid()));
                std::thread::sleep(Duration::from_millis(2));
            }
            most
        });
        load::send(office.smtp, 1, 1, office.signed.as_deref());
        ended.store(true, Ordering::Release);
        watching.join().expect("the watch ends")
    });
    let grown = most.saturating_sub(before);
    println!("memory: a signed mail of 50 MB makes the server grow by {:.1} MiB while it comes in", mebibytes(grown));
    (format!("a signed mail of 50 MB below 8 MiB: {:.1} MiB", mebibytes(grown)), grown < LARGE_GOAL)
}
