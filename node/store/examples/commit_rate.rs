//! Measures durable commits: how many per second, and how long each takes.
//!
//! `cargo run -p tympan-store --example commit_rate [FOLDER]`; the folder decides the disk. Three parts: rows
//! of 300 octets; mails as they come in (job-id, look-ups, job, history, effect, 10 KiB of bytes); queries over
//! 100,000 waiting jobs.

#[path = "../tests/fixtures/mod.rs"]
mod fixtures;

use fixtures::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tympan_engine::{Effect, Job, OwnerId};
use tympan_store::{Change, Documents, NewEffect, Record, Records, SqliteOptions, SqliteStore, Whose};

const SPAN: Duration = Duration::from_secs(2);

type Work = Arc<dyn Fn(u64) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

async fn measure(what: &str, writers: usize, work: Work) {
    let stop = Arc::new(AtomicBool::new(false));
    let numbers = Arc::new(AtomicU64::new(1));
    let begin = Instant::now();
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let (stop, numbers, work) = (stop.clone(), numbers.clone(), work.clone());
            tokio::spawn(async move {
                let mut took = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let begin = Instant::now();
                    work(numbers.fetch_add(1, Ordering::Relaxed)).await;
                    took.push(begin.elapsed());
                }
                took
            })
        })
        .collect();
    tokio::time::sleep(SPAN).await;
    stop.store(true, Ordering::Relaxed);
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.unwrap_or_default());
    }
    let rate = took.len() as f64 / begin.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |part: usize| took.get(took.len() * part / 100).map_or(0, |took| took.as_micros());
    println!("{what:28} {writers:3} writers {rate:9.0}/s   p50 {:6} us   p99 {:6} us", at(50), at(99));
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base = std::env::args().nth(1).map_or_else(std::env::temp_dir, Into::into);
    for writers in [1, 16, 64] {
        let dir = tempfile::tempdir_in(&base)?;
        let store = Arc::new(SqliteStore::open(dir.path(), SqliteOptions::default())?);
        let work: Work = Arc::new(move |n| {
            let store = store.clone();
            Box::pin(async move {
                let value = serde_json::Value::String("x".repeat(290));
                let record = Record::Setting { owner: OwnerId::FIRST, name: format!("{n}"), value };
                store.commit(put(record, 0)).await.expect("commits");
            })
        });
        measure("rows of 300 octets", writers, work).await;
    }
    for writers in [1, 10, 64] {
        let dir = tempfile::tempdir_in(&base)?;
        let store = Arc::new(SqliteStore::open(dir.path(), SqliteOptions::default())?);
        let documents = Documents::open(dir.path(), store.clone())?;
        store.commit(put(printer(OFFICE, "office"), 0)).await?;
        store.commit(put(registration(1, OFFICE, "anna@example.org"), 0)).await?;
        let bytes: Arc<[u8]> = (0..10_240u32).map(|n| ((n * 7919) >> 3) as u8).collect();
        let work: Work = Arc::new(move |n| {
            let (store, documents, bytes) = (store.clone(), documents.clone(), bytes.clone());
            Box::pin(async move {
                let everyones = Whose::Everyones;
                store.printer_by_name(everyones, "office").await.expect("reads").expect("is there");
                store.registration(everyones, OFFICE, "anna@example.org").await.expect("reads").expect("is there");
                let document = documents.store(document(n), &bytes).await.expect("stores");
                let id = store.allocate_job_ids(OwnerId::FIRST, OFFICE, 1).await.expect("counts");
                let job = Job { id, ..job(n) };
                let change = Change {
                    history: vec![history(&job, n)],
                    effects: vec![NewEffect { effect: Effect::Inspect { job: job.uuid }, due_at: t(0) }],
                    documents: vec![document],
                    ..put(job, 0)
                };
                store.commit(change).await.expect("commits");
            })
        });
        measure("mails of 10 KiB", writers, work).await;
    }
    let dir = tempfile::tempdir_in(&base)?;
    let store = SqliteStore::open(dir.path(), SqliteOptions::default())?;
    let begin = Instant::now();
    for block in 0..1000u64 {
        let jobs = (1..=100).map(|n| (ready_job(block * 100 + n).into(), 0));
        store.commit(Change { put: jobs.collect(), ..Change::default() }).await?;
    }
    println!("100,000 waiting jobs written in {} ms", begin.elapsed().as_millis());
    let everyones = Whose::Everyones;
    macro_rules! time {
        ($($query:expr),* $(,)?) => {$(
            let _ = $query.await?;
            let begin = Instant::now();
            let _ = $query.await?;
            println!("{:9.3} ms  {}", begin.elapsed().as_secs_f64() * 1000.0, stringify!($query));
        )*};
    }
    time!(
        store.waiting_jobs(everyones, OFFICE, None, 1),
        store.waiting_jobs(everyones, OFFICE, Some((50, tympan_engine::JobId(90_000))), 10),
        store.waiting(everyones, OFFICE),
        store.waiting_senders(everyones, OFFICE),
        store.next_job_due(everyones),
        store.jobs_due(everyones, t(5), 10),
        store.jobs_due(everyones, t(1_000_010), 10),
        store.jobs(everyones, &tympan_store::JobFilter { limit: 50, ..Default::default() }),
    );
    Ok(())
}
