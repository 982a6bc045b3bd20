//! What only a store on a disk can get wrong: crashes, full disks, failed syncs, foreign folders, slow queries.

mod fixtures;

use fixtures::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tympan_engine::{Effect, Job, JobId, JobUuid, OwnerId};
use tympan_store::{
    Change, Key, NewDocument, NewEffect, Record, Records, SqliteOptions, SqliteStore, StoreError, SyncFault, Whose,
};

const ALL: Whose = Whose::Everyones;
const CHILD: &str = "TYMPAN_STORE_CHILD";

fn open(dir: &Path) -> SqliteStore {
    SqliteStore::open(dir, SqliteOptions::default()).unwrap()
}

fn bytes_of(n: u64) -> Vec<u8> {
    (0..3000 + n % 9000).map(|at| (at ^ n) as u8).collect()
}

/// A mail as it comes in: job, bytes, history, what is to be done.
fn mail(job: Job, n: u64) -> Change {
    let bytes = bytes_of(n);
    let effect = Effect::Inspect { job: job.uuid };
    let sha256 = [n as u8; 32];
    Change {
        history: vec![history(&job, n)],
        effects: vec![NewEffect { effect, due_at: t(0) }],
        documents: vec![NewDocument {
            id: document(n),
            octets: bytes.len() as u64,
            sha256,
            inline: Some(bytes.into()),
            refs: 1,
        }],
        ..put(job, 0)
    }
}

/// Run by the test below, in a process of its own, until it is killed.
#[test]
fn child_commits_until_it_is_killed() {
    let Ok(dir) = std::env::var(CHILD) else {
        return;
    };
    let (dir, base) = dir.split_once('@').unwrap();
    let base: u64 = base.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let store = Arc::new(open(Path::new(dir)));
    let writers: Vec<_> = (0..8u64)
        .map(|writer| {
            let store = store.clone();
            runtime.spawn(async move {
                for round in 0.. {
                    let n = base + round * 8 + writer;
                    let id = store.allocate_job_ids(OwnerId::FIRST, OFFICE, 1).await.unwrap();
                    store.commit(mail(Job { id, ..ready_job(n) }, n)).await.unwrap();
                    println!("acknowledged {n} {}", id.0);
                    if round % 3 == 2 {
                        let gone = Change { refs: vec![(document(n), -1)], ..Change::default() };
                        store.commit(gone).await.unwrap();
                        println!("released {n} 0");
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        runtime.block_on(writer).unwrap();
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged: BTreeMap<u64, u32> = BTreeMap::new();
    let mut released = BTreeSet::new();
    for kill in 0..6u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_commits_until_it_is_killed", "--nocapture"])
            .env(CHILD, format!("{}@{}", dir.path().display(), (kill + 1) * 1_000_000))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // What was in the pipe when it died was acknowledged as well.
        let mut left = 60 + kill * 37;
        while let Some(Ok(line)) = lines.next() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["acknowledged", n, id] => {
                    acknowledged.insert(n.parse().unwrap(), id.parse().unwrap());
                }
                ["released", n, _] => {
                    released.insert(n.parse::<u64>().unwrap());
                }
                _ => continue,
            }
            left = left.saturating_sub(1);
            if left == 0 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
    }
    assert!(acknowledged.len() > 600, "{}", acknowledged.len());
    let ids: BTreeSet<u32> = acknowledged.values().copied().collect();
    assert_eq!(ids.len(), acknowledged.len(), "a job-id was given twice");
    let store = open(dir.path());
    for (n, id) in &acknowledged {
        let row = store.read(ALL, &[Key::Job(JobUuid(uuid(*n)))]).await.unwrap().pop().unwrap();
        let Some(Record::Job(job)) = row.map(|row| row.record) else { panic!("job {n} was acknowledged and is lost") };
        assert_eq!(job.id, JobId(*id));
        assert_eq!(store.history_of_job(ALL, job.uuid).await.unwrap().len(), 1);
        match store.document(document(*n)).await.unwrap() {
            Some(document) => assert_eq!(document.inline.unwrap(), bytes_of(*n)),
            // A release that was not acknowledged may have been carried out.
            None => assert!((n % 1_000_000 / 8) % 3 == 2, "document {n} is lost"),
        }
    }
    for n in released {
        assert_eq!(store.document(document(n)).await.unwrap(), None, "document {n} came back");
    }
    let next = store.allocate_job_ids(OwnerId::FIRST, OFFICE, 1).await.unwrap();
    assert!(next.0 > *ids.last().unwrap());
}

/// The folder as a power cut leaves it: what was written so far, without any farewell.
fn crash_image(dir: &Path) -> tempfile::TempDir {
    let image = tempfile::tempdir().unwrap();
    for name in ["records.sqlite3", "records.sqlite3-wal"] {
        fs::copy(dir.join(name), image.path().join(name)).unwrap();
    }
    image
}

#[tokio::test]
async fn what_was_acknowledged_survives_without_a_farewell() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 1..=20 {
        store.commit(mail(job(n), n)).await.unwrap();
    }
    let image = crash_image(dir.path());
    let after = open(image.path());
    for n in 1..=20 {
        assert_eq!(after.document(document(n)).await.unwrap().unwrap().inline.unwrap(), bytes_of(n));
    }
    assert_eq!(after.claim_effects(&[], t(1), 1, 100).await.unwrap().len(), 20);
}

#[tokio::test]
async fn job_ids_are_never_given_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    let mut next = async |store: &SqliteStore| {
        let id = store.allocate_job_ids(OwnerId::FIRST, OFFICE, 1).await.unwrap().0;
        let before = std::mem::replace(&mut last, id);
        (before, id)
    };
    {
        let store = open(dir.path());
        for _ in 0..10 {
            let (before, id) = next(&store).await;
            assert_eq!(id, before + 1);
        }
    }
    // A clean end leaves no gap.
    let store = open(dir.path());
    for _ in 0..10 {
        let (before, id) = next(&store).await;
        assert_eq!(id, before + 1);
    }
    // A crash may leave one, of a block.
    let image = crash_image(dir.path());
    let (before, id) = next(&open(image.path())).await;
    assert!(id > before && id <= before + 65, "{before}, {id}");
}

#[tokio::test]
async fn two_servers_do_not_share_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let second = SqliteStore::open(dir.path(), SqliteOptions::default());
    assert!(matches!(&second, Err(StoreError::InUse { dir: found }) if found == dir.path()), "{second:?}");
    drop(store);
    open(dir.path());
}

#[test]
fn a_newer_or_foreign_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let conn = rusqlite::Connection::open(dir.path().join("records.sqlite3")).unwrap();
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    conn.pragma_update(None, "user_version", version + 1).unwrap();
    drop(conn);
    let newer = SqliteStore::open(dir.path(), SqliteOptions::default());
    assert!(
        matches!(newer, Err(StoreError::Format { found, known }) if (found, known) == (version + 1, version)),
        "{newer:?}"
    );
    let dir = tempfile::tempdir().unwrap();
    let conn = rusqlite::Connection::open(dir.path().join("records.sqlite3")).unwrap();
    conn.execute_batch("PRAGMA application_id = 7; CREATE TABLE theirs (x)").unwrap();
    drop(conn);
    let foreign = SqliteStore::open(dir.path(), SqliteOptions::default());
    assert!(matches!(foreign, Err(StoreError::Format { .. })), "{foreign:?}");
}

#[tokio::test]
async fn the_disk_is_used_as_durably_as_promised() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit(put(job(1), 0)).await.unwrap();
    let settings = store.settings().await.unwrap();
    let expected = [("journal_mode", "wal"), ("synchronous", "2"), ("secure_delete", "1"), ("foreign_keys", "1")];
    for (name, value) in expected {
        assert_eq!(settings.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str()), Some(value), "{settings:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failed_sync_nothing_is_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let fault = SyncFault::default();
    let options = SqliteOptions { sync_fault: Some(fault.clone()), ..SqliteOptions::default() };
    let store = Arc::new(SqliteStore::open(dir.path(), options).unwrap());
    store.commit(put(job(1), 0)).await.unwrap();
    fault.arm(1);
    let commits: Vec<_> = (2..40).map(|n| store.commit(put(job(n), 0))).collect();
    for commit in commits {
        assert!(matches!(commit.await, Err(StoreError::Poisoned)));
    }
    assert!(matches!(store.commit(put(job(50), 0)).await, Err(StoreError::Poisoned)));
    assert!(matches!(store.release_leases().await, Err(StoreError::Poisoned)));
    assert!(store.flush_deletions().await.is_err());
    drop(store);
    let store = open(dir.path());
    assert!(store.read(ALL, &[Key::Job(job(1).uuid)]).await.unwrap()[0].is_some());
    assert!(store.read(ALL, &[Key::Job(job(2).uuid)]).await.unwrap()[0].is_none());
    store.commit(put(job(2), 0)).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_and_works_again_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions { pages_max: Some(300), ..SqliteOptions::default() };
    let store = SqliteStore::open(dir.path(), options).unwrap();
    let mut n = 0;
    let error = loop {
        n += 1;
        match store.commit(mail(job(n), n)).await {
            Ok(_) => assert!(n < 1000),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full), "{error:?}");
    assert!(store.read(ALL, &[Key::Job(job(n).uuid)]).await.unwrap()[0].is_none());
    assert!(store.document(document(1)).await.unwrap().is_some());
    // What is small still goes, and room comes back when something is given back.
    store.commit(put(session(1, 5), 0)).await.unwrap();
    let given: Vec<_> = (1..10).map(|n| (document(n), -1)).collect();
    store.commit(Change { refs: given, ..Change::default() }).await.unwrap();
    store.commit(mail(job(n), n)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_short_while_many_write_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions { wal_pages_max: 50, ..SqliteOptions::default() };
    let store = Arc::new(SqliteStore::open(dir.path(), options).unwrap());
    let writers: Vec<_> = (0..8u64)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in (1..100).map(|round| round * 8 + writer) {
                    store.commit(mail(job(n), n)).await.unwrap();
                    assert_eq!(store.document(document(n)).await.unwrap().unwrap().inline.unwrap(), bytes_of(n));
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    // 792 mails of about 7.5 KB passed through it.
    let log = fs::metadata(dir.path().join("records.sqlite3-wal")).unwrap().len();
    assert!(log < 3_000_000, "{log}");
    drop(store);
    let store = open(dir.path());
    for n in 8..800 {
        assert!(store.document(document(n)).await.unwrap().is_some(), "{n}");
    }
}

#[test]
fn hot_queries_search_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let expected: BTreeMap<&str, &[&str]> = [
        ("jobs_due", &["jobs_due"][..]),
        ("next_job_due", &["jobs_due"]),
        ("waiting_jobs", &["jobs_waiting"]),
        ("waiting", &["PRIMARY KEY", "jobs_waiting_retry", "jobs_waiting_ready"]),
        ("waiting_senders", &["jobs_waiting_sender"]),
        ("open_jobs_of", &["jobs_open_sender"]),
        ("open_attempts", &["attempts_open"]),
        ("next_effect_due", &["effects_run"]),
        ("documents_deleting", &["documents_deleting"]),
        (
            "jobs",
            &["sqlite_autoindex_jobs_1", "jobs_owner", "jobs_open", "jobs_printer", "jobs_originator", "jobs_doubt"],
        ),
    ]
    .into();
    for (name, sql) in SqliteStore::hot_queries() {
        let plan = store.explain(&sql).unwrap();
        let words = plan.join("; ");
        assert_eq!(plan.len(), 1, "{name}: {words}");
        assert!(!words.contains("TEMP B-TREE"), "{name}: {words}");
        let index = words.split("INDEX ").nth(1).or(words.split("USING ").nth(1)).unwrap_or_default();
        let good = expected[name]
            .iter()
            .any(|good| index.strip_prefix(good).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')));
        assert!(good, "{name}: {words}\n{sql}");
        let narrowed = words.starts_with("SEARCH") || words.ends_with("jobs_due") || words.ends_with("jobs_doubt");
        let walked = ["attempts_open", "documents_deleting", "sqlite_autoindex_jobs_1"];
        assert!(narrowed || walked.iter().any(|index| words.ends_with(index)), "{name}: {words}\n{sql}");
    }
}
