//! A load of mails, and what it costs: time, processor time of a server's processes, memory.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use tympan_tests::peers::SmtpSource;
pub(crate) use tympan_tests::process::anonymous_memory;

use crate::office::{OCTETS, RECIPIENT, SENDER};

/// `USER_HZ`: in what /proc counts processor time, 100 a second on every machine that Linux runs on today.
const TICKS: f64 = 100.0;

/// A round that takes longer is no measurement.
const ROUND_MAX: Duration = Duration::from_secs(600);

/// What one round cost.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) mails_a_second: f64,
    /// Processor milliseconds of the server for each mail, until the last mail was acknowledged.
    pub(crate) server_ms: f64,
    /// The same until the server was quiet again.
    pub(crate) server_quiet_ms: f64,
    /// Processor milliseconds of smtp-source for each mail.
    pub(crate) source_ms: f64,
}

/// Sends so many mails over so many sessions.
pub(crate) fn send(server: SocketAddr, mails: u32, sessions: u32, signed: Option<&Path>) {
    let mut source = SmtpSource::new(server, SENDER, RECIPIENT);
    (source.mails, source.sessions, source.octets) = (mails, sessions, OCTETS);
    // A stranger is greeted after a pause, which early talkers do not wait for: over one connection it counts once.
    (source.file, source.keeps) = (signed.map(Path::to_owned), signed.is_some());
    source.run(ROUND_MAX).expect_success();
}

/// Sends so many mails over so many sessions; waits until the server is quiet again.
pub(crate) fn round(server: SocketAddr, pid: u32, mails: u32, sessions: u32, signed: Option<&Path>) -> Cost {
    let (server_before, source_before) = (ticks_of_tree(pid), ticks_of_ended_children());
    let started = Instant::now();
    send(server, mails, sessions, signed);
    let time = started.elapsed().as_secs_f64();
    let (server_after, source_after) = (ticks_of_tree(pid), ticks_of_ended_children());
    let server_quiet = wait_until_quiet(pid);
    let each = |ticks: u64| ticks as f64 / TICKS * 1000.0 / f64::from(mails);
    Cost {
        mails_a_second: f64::from(mails) / time,
        server_ms: each(server_after.saturating_sub(server_before)),
        server_quiet_ms: each(server_quiet.saturating_sub(server_before)),
        source_ms: each(source_after.saturating_sub(source_before)),
    }
}

/// The processor time of a server once it has used next to none for a second.
pub(crate) fn wait_until_quiet(pid: u32) -> u64 {
    let started = Instant::now();
    let mut before = ticks_of_tree(pid);
    while started.elapsed() < ROUND_MAX {
        std::thread::sleep(Duration::from_secs(1));
        let now = ticks_of_tree(pid);
        if now.saturating_sub(before) <= 2 {
            return now;
        }
        before = now;
    }
    before
}

/// Fields of /proc/PID/stat after the name, from `state` on, which is field 3 of proc(5).
fn stat(pid: &str) -> Option<Vec<u64>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect())
}

const PARENT: usize = 4 - 3;
const OWN: [usize; 2] = [14 - 3, 15 - 3];
const OF_ENDED_CHILDREN: [usize; 2] = [16 - 3, 17 - 3];

fn sum(stat: &[u64], fields: [usize; 2]) -> u64 {
    fields.iter().filter_map(|field| stat.get(*field)).sum()
}

/// Processor time of a process, of all below it, and of those of them that have ended.
fn ticks_of_tree(root: u32) -> u64 {
    let mut processes = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if let (Ok(pid), Some(stat)) = (name.parse::<u64>(), stat(&name)) {
            processes.insert(pid, stat);
        }
    }
    let mut tree = HashSet::from([u64::from(root)]);
    loop {
        let below = |(_, stat): &(&u64, &Vec<u64>)| stat.get(PARENT).is_some_and(|parent| tree.contains(parent));
        let found: Vec<u64> = processes.iter().filter(below).map(|(pid, _)| *pid).collect();
        let before = tree.len();
        tree.extend(found);
        if tree.len() == before {
            break;
        }
    }
    let of_one = |pid: &u64| processes.get(pid).map_or(0, |stat| sum(stat, OWN) + sum(stat, OF_ENDED_CHILDREN));
    tree.iter().map(of_one).sum()
}

/// Processor time of our own children that have ended: smtp-source, as the servers go on.
fn ticks_of_ended_children() -> u64 {
    stat("self").map_or(0, |stat| sum(&stat, OF_ENDED_CHILDREN))
}
