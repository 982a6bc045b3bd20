//! kill -9 at any moment: nothing acknowledged is lost, and nothing prints twice silently.
//!
//! The server dies again and again while mails come in and pages come out. What was acknowledged is in the ledger of
//! the [`senders`], what came out in the ledger of the [`paper`]; the server is asked only about what neither explains.
//! `cargo xtask kill --times N` kills more often; `TYMPAN_KILL_SEED` repeats the moments of a run, as far as processes
//! can be made to repeat themselves.

mod http;
mod paper;
mod senders;
mod server;

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tympan_tests::{Scratch, settings, wait_for};

use paper::Paper;
use senders::Senders;
use server::Server;

/// Mails that may be sent in each life of the server: its printer is busy all the time, and catches up at the end.
const MAILS_A_LIFE: u32 = 4;

/// The earliest and latest moment of a life at which it ends, in milliseconds after it was ready.
const MOMENTS: std::ops::Range<u64> = 50..800;

/// The same for those that are killed while they start, after their start.
const EARLY_MOMENTS: std::ops::Range<u64> = 0..150;

/// One life of so many ends while it starts.
const EARLY_ONE_OF: u64 = 8;

/// Steele, Lea, Flood: SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, range: std::ops::Range<u64>) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        range.start + (z ^ (z >> 31)) % (range.end - range.start)
    }
}

fn seed() -> u64 {
    match std::env::var("TYMPAN_KILL_SEED") {
        Ok(text) => text.parse().expect("TYMPAN_KILL_SEED must be a number"),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_micros() as u64 % 1_000_000),
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_prints_twice_silently() {
    let (kills, seed) = (settings::kills(), seed());
    println!("kill loop: {kills} kills, seed {seed}");
    let started = Instant::now();
    let mut dice = Dice(seed);
    let scratch = Scratch::new("kill");
    let paper = Paper::start(&scratch);
    let mut server = Server::new(&scratch, &paper.ipp);
    let senders = Senders::start(server.smtp);
    for _ in 0..kills {
        senders.allow(MAILS_A_LIFE);
        let alone = dice.below(0..2) == 0;
        if dice.below(0..EARLY_ONE_OF) == 0 {
            server.begin();
            pause(dice.below(EARLY_MOMENTS));
        } else {
            server.start();
            pause(dice.below(MOMENTS));
        }
        server.kill(alone);
    }
    server.start();
    let mails = senders.finish();
    let jobs = settle(&server);
    let printed = paper.finish();
    let account = Account::of(&server, &mails, &jobs, &printed);
    println!("kill loop: {kills} kills in {:.0} s, seed {seed}: {account}", started.elapsed().as_secs_f32());
    assert!(
        account.wrong.is_empty(),
        "seed {seed}, {account}:\n{}\n-- the last server said:\n{}",
        account.wrong.join("\n"),
        server.log()
    );
    assert!(account.acknowledged > 0 && account.printed > 0, "nothing was tried: {account}");
}

/// Not for an event: a random moment is what this test is about.
fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// Waits until every job has ended or needs a person, as long as one after the other does.
fn settle(server: &Server) -> BTreeMap<String, Value> {
    let is_open = |job: &Value| {
        let ended = matches!(job["state"].as_str(), Some("completed" | "canceled" | "aborted"));
        !ended && job["doubt"].is_null()
    };
    let mut left = usize::MAX;
    loop {
        let jobs = wait_for(&format!("another job to end; {left} are open"), || {
            let jobs = server.jobs();
            let open = jobs.values().filter(|job| is_open(job)).count();
            (open == 0 || open < left).then_some(jobs)
        });
        left = jobs.values().filter(|job| is_open(job)).count();
        if left == 0 {
            return jobs;
        }
    }
}

/// What became of everything.
#[derive(Default)]
struct Account {
    sent: usize,
    acknowledged: usize,
    repeated: u32,
    refused: u32,
    printed: usize,
    in_doubt: usize,
    waiting: usize,
    unacknowledged_printed: usize,
    lost: usize,
    doubles: usize,
    /// A line for each mail of which one cannot say that all is well.
    wrong: Vec<String>,
}

impl Account {
    fn of(
        server: &Server,
        mails: &senders::Ledger,
        jobs: &BTreeMap<String, Value>,
        printed: &BTreeMap<String, Vec<String>>,
    ) -> Self {
        let mut account = Self {
            sent: mails.sent.len(),
            repeated: mails.repeated,
            refused: mails.refused.len() as u32,
            ..Self::default()
        };
        account.wrong.extend(mails.refused.iter().map(|reply| format!("refused: {reply}")));
        for (subject, acknowledged) in &mails.sent {
            let pages: &[String] = printed.get(subject).map_or(&[], Vec::as_slice);
            let here: Vec<&Value> = jobs.values().filter(|job| job["name"].as_str() == Some(subject)).collect();
            let doubted = || here.iter().any(|job| server.was_in_doubt(job["id"].as_str().unwrap_or_default()));
            if pages.len() > 1 && !doubted() {
                account.doubles += 1;
                account
                    .wrong
                    .push(format!("{subject}: printed {} times {pages:?}; the server says {here:?}", pages.len()));
            }
            if here.len() > 1 {
                account.wrong.push(format!("{subject}: {} jobs of one mail: {here:?}", here.len()));
            }
            let Some(short) = acknowledged else {
                account.unacknowledged_printed += usize::from(!pages.is_empty());
                continue;
            };
            account.acknowledged += 1;
            let job = jobs.get(short);
            if !pages.is_empty() {
                account.printed += 1;
            } else if job.is_some_and(|job| !job["doubt"].is_null()) {
                account.in_doubt += 1;
            } else if job
                .is_some_and(|job| matches!(job["state"].as_str(), Some("pending" | "pending-held" | "processing")))
            {
                account.waiting += 1;
            } else {
                account.lost += 1;
                account.wrong.push(format!("{subject}: acknowledged as {short}, no page; the server says {job:?}"));
            }
        }
        for subject in printed.keys().filter(|subject| !mails.sent.contains_key(*subject)) {
            account.wrong.push(format!("{subject}: printed, but nobody sent it"));
        }
        account
    }
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} mails ({} repeated after a lost reply, {} refused), {} acknowledged = {} printed + {} in doubt + {} waiting + {} lost; \
             {} printed unacknowledged, {} silent doubles",
            self.sent,
            self.repeated,
            self.refused,
            self.acknowledged,
            self.printed,
            self.in_doubt,
            self.waiting,
            self.lost,
            self.unacknowledged_printed,
            self.doubles
        )
    }
}
