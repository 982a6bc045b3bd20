//! What every store does, and that the stores do it alike.

mod fixtures;
#[path = "conformance/jobs.rs"]
mod jobs;
#[path = "conformance/rows.rs"]
mod rows;

use fixtures::*;
use jobs::*;
use rows::*;
use std::future::Future;
use std::sync::Arc;
use tympan_engine::{
    AttemptNumber, AttemptState, Doubt, Effect, Job, JobId, JobUuid, Language, NoticeKind, OwnerId, Printer,
    PrinterUuid,
};
use tympan_store::{
    Change, EffectId, JobFilter, JobStates, Key, MemoryStore, NewDocument, NewEffect, Received, Record, Records,
    SqliteOptions, SqliteStore, StoreError, Versioned, Whose,
};

const ALL: Whose = Whose::Everyones;
const FIRST: Whose = Whose::Owner(OwnerId::FIRST);
const THEIRS: Whose = Whose::Owner(OTHER);

type Store = Arc<dyn Records>;

macro_rules! every_store {
    ($($name:ident)*) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let dir = tempfile::tempdir().unwrap();
                let store = Arc::new(SqliteStore::open(dir.path(), SqliteOptions::default()).unwrap());
                super::$name(store).await;
            })*
        }
        mod memory {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                super::$name(Arc::new(MemoryStore::new())).await;
            })*
        }
    };
}

every_store! {
    every_kind_of_row_is_read_as_it_was_written
    a_change_at_an_old_version_conflicts
    a_change_is_all_or_nothing
    rows_that_must_not_have_changed_are_checked
    nobody_sees_or_changes_another_owners_rows
    one_bad_change_of_many_fails_alone
    a_sender_is_registered_once_at_a_printer
    a_printers_name_is_unique_until_it_is_removed
    an_account_name_is_unique
    job_ids_count_up_per_printer
    job_ids_are_given_once
    waiting_jobs_come_by_priority_and_acceptance
    what_waits_is_counted
    senders_of_waiting_jobs_are_listed_once
    jobs_are_listed_newest_first
    jobs_fall_due
    attempts_and_history_are_found
    an_effect_is_leased_repeated_and_done
    effects_are_claimed_by_kind_oldest_first
    a_small_document_goes_with_its_last_use
    a_large_document_is_marked_until_its_file_is_gone
    what_is_past_is_forgotten
    rows_are_deleted
}

async fn done<T>(later: impl Future<Output = Result<T, StoreError>>) -> T {
    later.await.unwrap()
}

async fn write(store: &Store, change: Change) {
    done(store.commit(change)).await;
}

async fn get(store: &Store, key: Key) -> Option<Versioned<Record>> {
    done(store.read(ALL, &[key])).await.pop().unwrap()
}

fn effects(effects: impl IntoIterator<Item = (Effect, u64)>) -> Change {
    let effects = effects.into_iter().map(|(effect, due)| NewEffect { effect, due_at: t(due) });
    Change { effects: effects.collect(), ..Change::default() }
}

async fn an_effect_is_leased_repeated_and_done(store: Store) {
    let inspect = Effect::Inspect { job: JobUuid([1; 16]) };
    write(&store, effects([(inspect.clone(), 100), (Effect::Wake { printer: OFFICE }, 0)])).await;
    assert_eq!(done(store.next_effect_due(&[])).await, Some(t(100)));
    assert!(done(store.claim_effects(&[], t(99), 10, 9)).await.is_empty());
    let claimed = done(store.claim_effects(&[], t(100), 10, 9)).await;
    assert_eq!((claimed.len(), claimed[0].tries, &claimed[0].effect), (1, 0, &inspect));
    assert!(done(store.claim_effects(&[], t(109), 10, 9)).await.is_empty());
    assert_eq!(done(store.next_effect_due(&["inspect"])).await, Some(t(110)));
    let again = done(store.claim_effects(&["inspect"], t(110), 10, 9)).await;
    assert_eq!((again[0].id, again[0].tries), (claimed[0].id, 1));
    assert_eq!(done(store.release_leases()).await, 1);
    assert_eq!(done(store.release_leases()).await, 0);
    assert_eq!(done(store.claim_effects(&[], t(110), 10, 9)).await[0].tries, 2);
    write(&store, Change { again: vec![(claimed[0].id, t(500))], ..Change::default() }).await;
    assert_eq!(done(store.next_effect_due(&[])).await, Some(t(500)));
    assert_eq!(done(store.release_leases()).await, 0);
    write(&store, Change { done: vec![claimed[0].id, EffectId(999)], ..Change::default() }).await;
    assert_eq!(done(store.next_effect_due(&[])).await, None);
}

async fn effects_are_claimed_by_kind_oldest_first(store: Store) {
    let job = JobUuid([1; 16]);
    let notify = Effect::Notify { job, kind: NoticeKind::Printed };
    let deliver = |n| Effect::Deliver { job, attempt: AttemptNumber(n) };
    write(&store, effects([(notify.clone(), 5), (deliver(1), 7), (deliver(2), 6), (deliver(3), 7)])).await;
    assert_eq!(done(store.next_effect_due(&["inspect"])).await, None);
    assert_eq!(done(store.next_effect_due(&["deliver", "inspect"])).await, Some(t(6)));
    let claimed = done(store.claim_effects(&["deliver", "inspect"], t(9), 10, 2)).await;
    assert_eq!(claimed.iter().map(|c| c.effect.clone()).collect::<Vec<_>>(), [deliver(2), deliver(1)]);
    assert_eq!(done(store.next_effect_due(&["deliver"])).await, Some(t(7)));
    let rest = done(store.claim_effects(&[], t(9), 10, 9)).await;
    assert_eq!(rest.iter().map(|c| c.effect.clone()).collect::<Vec<_>>(), [notify, deliver(3)]);
}

fn inline(n: u64, bytes: &'static [u8], refs: u32) -> NewDocument {
    let (octets, sha256) = (bytes.len() as u64, [n as u8; 32]);
    NewDocument { id: document(n), octets, sha256, inline: Some(bytes.into()), refs }
}

fn refs(refs: impl IntoIterator<Item = (u64, i32)>) -> Change {
    Change { refs: refs.into_iter().map(|(n, by)| (document(n), by)).collect(), ..Change::default() }
}

async fn a_small_document_goes_with_its_last_use(store: Store) {
    let (two, empty) = (inline(1, b"two jobs", 2), inline(2, b"", 1));
    write(&store, Change { documents: vec![two.clone(), empty.clone()], ..Change::default() }).await;
    assert_eq!(done(store.document(document(1))).await.unwrap(), two);
    assert_eq!(done(store.document(document(2))).await.unwrap(), empty);
    let twice = store.commit(Change { documents: vec![two], ..Change::default() }).await;
    assert!(matches!(twice, Err(StoreError::Exists(_))), "{twice:?}");
    write(&store, refs([(1, -1)])).await;
    assert_eq!(done(store.document(document(1))).await.unwrap().refs, 1);
    write(&store, refs([(1, -1), (1, 1)])).await;
    assert_eq!(done(store.document(document(1))).await.unwrap().refs, 1);
    write(&store, refs([(1, -1)])).await;
    assert_eq!(done(store.document(document(1))).await, None);
    assert_eq!(done(store.documents_known(&[document(2), document(1)])).await, [document(2)]);
    assert!(done(store.documents_deleting()).await.is_empty());
    // Giving it back twice changes nothing; wanting it again is too late.
    write(&store, refs([(1, -1)])).await;
    assert!(matches!(store.commit(refs([(1, 1)])).await, Err(StoreError::NoDocument(_))));
    done(store.flush_deletions()).await;
}

async fn a_large_document_is_marked_until_its_file_is_gone(store: Store) {
    let file = |n, refs| NewDocument { inline: None, ..inline(n, b"0123456789", refs) };
    write(&store, Change { documents: vec![file(1, 1), file(2, 1), file(3, 0)], ..Change::default() }).await;
    assert_eq!(done(store.document(document(1))).await.unwrap(), file(1, 1));
    assert_eq!(done(store.documents_deleting()).await, [document(3)]);
    write(&store, refs([(1, -1)])).await;
    assert_eq!(done(store.document(document(1))).await, None);
    assert_eq!(done(store.documents_deleting()).await, [document(1), document(3)]);
    assert_eq!(done(store.documents_known(&[document(1)])).await, [document(1)]);
    assert!(matches!(store.commit(refs([(1, 1)])).await, Err(StoreError::NoDocument(_))));
    done(store.documents_removed(&[document(1), document(2), document(3)])).await;
    assert!(done(store.documents_deleting()).await.is_empty());
    // One that is still in use is not dropped, whatever was said to be removed.
    assert_eq!(done(store.documents_known(&[document(1), document(2), document(3)])).await, [document(2)]);
}

async fn what_is_past_is_forgotten(store: Store) {
    let change = Change {
        put: vec![
            (ended_job(1, 100).into(), 0),
            (attempt(&job(1), 1).into(), 0),
            (ended_job(2, 101).into(), 0),
            (Job { content_deleted: false, ..ended_job(3, 50) }.into(), 0),
            (ready_job(4).into(), 0),
            (session(1, 1100).into(), 0),
            (session(2, 1101).into(), 0),
            (token(1, Some(1100)).into(), 0),
            (token(2, None).into(), 0),
            (notice(100, "a").into(), 0),
            (notice(101, "a").into(), 0),
            (Received { owner: OwnerId::FIRST, key: [1; 32], job: JobUuid(uuid(1)), expires_at: t(1100) }.into(), 0),
            (Received { owner: OwnerId::FIRST, key: [2; 32], job: JobUuid(uuid(1)), expires_at: t(1101) }.into(), 0),
        ],
        history: vec![history(&job(1), 100), history(&job(1), 101)],
        ..Change::default()
    };
    let keys: Vec<Key> = change.put.iter().map(|(record, _)| record.key()).collect();
    write(&store, change).await;
    assert_eq!(done(store.forget(t(900), 1000)).await, 0);
    assert_eq!(done(store.forget(t(1100), 1000)).await, 7);
    let left: Vec<bool> = done(store.read(ALL, &keys)).await.iter().map(Option::is_some).collect();
    let kept = [false, false, true, true, true, false, true, false, true, false, true, false, true];
    assert_eq!(left, kept);
    assert_eq!(done(store.history_of_printer(ALL, OFFICE, 9)).await, [history(&job(1), 101)]);
    assert_eq!(done(store.forget(t(1100), 1000)).await, 0);
}

async fn rows_are_deleted(store: Store) {
    write(&store, put(session(1, 5), 0)).await;
    let gone = Change { delete: vec![Key::Session([1; 32]), Key::Session([2; 32])], ..Change::default() };
    write(&store, gone).await;
    assert_eq!(get(&store, Key::Session([1; 32])).await, None);
    write(&store, put(session(1, 5), 0)).await;
}

/// A hand-made generator, so that a failing run can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn change(&mut self) -> Change {
        let mut change = Change::default();
        for _ in 0..=self.roll(3) {
            let n = 1 + self.roll(12);
            let version = self.roll(4);
            let owner = if n == 12 { OTHER } else { OwnerId::FIRST };
            match self.roll(10) {
                0..=3 => {
                    let mut job = match self.roll(3) {
                        0 => job(n),
                        1 => ready_job(n),
                        _ => ended_job(n, self.roll(50)),
                    };
                    job.owner = owner;
                    job.priority = 50 + self.roll(2) as u8;
                    job.keep_until = t(self.roll(50));
                    job.expired = self.roll(4) == 0;
                    if self.roll(3) == 0 {
                        job.printer = LOBBY;
                    }
                    if self.roll(3) == 0 {
                        job.originator.may_be_mailed = false;
                    }
                    if self.roll(5) == 0 {
                        job.id = JobId(1 + self.roll(12) as u32);
                    }
                    change.history.push(history(&job, self.roll(50)));
                    change.put.push((job.into(), version));
                }
                4 => {
                    let mut attempt = attempt(&job(n), 1 + self.roll(2) as u32);
                    if self.roll(2) == 0 {
                        attempt.state = AttemptState::Printed;
                    }
                    change.put.push((attempt.into(), version));
                }
                5 => {
                    let sender = ["anna@example.org", "Anna@example.org", "b@x"][self.roll(3) as usize];
                    change
                        .put
                        .push((registration(n as u8, [OFFICE, LOBBY][self.roll(2) as usize], sender).into(), version));
                }
                6 => change.delete.push(match self.roll(3) {
                    0 => Key::Job(job(n).uuid),
                    1 => Key::Registration(registration(n as u8, OFFICE, "").id),
                    _ => Key::Attempt(job(n).uuid, AttemptNumber(1)),
                }),
                7 => {
                    let document = inline(n, b"bytes", self.roll(3) as u32);
                    let file = self.roll(2) == 0;
                    change.documents.push(if file { NewDocument { inline: None, ..document } } else { document });
                }
                8 => change.refs.push((document(n), [1, -1][self.roll(2) as usize])),
                _ => {
                    let effect = match self.roll(2) {
                        0 => Effect::Inspect { job: job(n).uuid },
                        _ => Effect::Notify { job: job(n).uuid, kind: NoticeKind::Printed },
                    };
                    change.effects.push(NewEffect { effect, due_at: t(self.roll(50)) });
                    change.expect.push((Key::Job(job(n).uuid), version));
                }
            }
        }
        change
    }
}

/// Everything a store says of itself, as text.
async fn everything(store: &dyn Records, now: u64) -> String {
    let mut out = String::new();
    for whose in [ALL, THEIRS] {
        let filters = [
            JobFilter::default(),
            JobFilter { printer: Some(OFFICE), states: JobStates::NotCompleted, limit: 3, ..JobFilter::default() },
            JobFilter { before: Some(JobUuid(uuid(6))), states: JobStates::Completed, ..JobFilter::default() },
        ];
        for filter in filters {
            out += &format!("{:?}\n", store.jobs(whose, &filter).await);
        }
        for printer in [OFFICE, LOBBY] {
            out += &format!("{:?}\n", store.waiting(whose, printer).await);
            out += &format!("{:?}\n", store.waiting_senders(whose, printer).await);
            out += &format!("{:?}\n", store.waiting_jobs(whose, printer, None, 5).await);
            out += &format!("{:?}\n", store.waiting_jobs(whose, printer, Some((50, JobId(4))), 5).await);
            out += &format!("{:?}\n", store.registrations_at(whose, printer).await);
            out += &format!("{:?}\n", store.history_of_printer(whose, printer, 7).await);
        }
        out += &format!("{:?}\n", store.jobs_due(whose, t(now), 5).await);
        out += &format!("{:?}\n", store.next_job_due(whose).await);
        out += &format!("{:?}\n", store.open_attempts(whose).await);
    }
    out += &format!("{:?}\n", store.next_effect_due(&["inspect"]).await);
    out += &format!("{:?}\n", store.documents_deleting().await);
    for n in 1..=12 {
        out += &format!("{:?}\n", store.document(document(n)).await);
    }
    out
}

#[tokio::test]
async fn the_stores_agree_whatever_happens() {
    for seed in 1..=6 {
        let dir = tempfile::tempdir().unwrap();
        let sqlite = SqliteStore::open(dir.path(), SqliteOptions::default()).unwrap();
        let memory = MemoryStore::new();
        let mut dice = Dice(seed);
        let mut accepted = 0;
        for step in 0..250u64 {
            let now = step / 5;
            let (a, b) = match dice.roll(12) {
                0 => (
                    format!("{:?}", sqlite.claim_effects(&[], t(now), 5, 2).await),
                    format!("{:?}", memory.claim_effects(&[], t(now), 5, 2).await),
                ),
                1 => {
                    (format!("{:?}", sqlite.forget(t(now), 30).await), format!("{:?}", memory.forget(t(now), 30).await))
                }
                2 => {
                    let ids = done(memory.documents_deleting()).await;
                    (
                        format!("{:?}", sqlite.documents_removed(&ids).await),
                        format!("{:?}", memory.documents_removed(&ids).await),
                    )
                }
                _ => {
                    let change = dice.change();
                    let a = sqlite.commit(change.clone()).await.map(drop);
                    let b = memory.commit(change).await.map(drop);
                    accepted += u32::from(a.is_ok());
                    (format!("{a:?}"), format!("{b:?}"))
                }
            };
            assert_eq!(a, b, "seed {seed}, step {step}");
            if step % 10 == 0 {
                let (a, b) = (everything(&sqlite, now).await, everything(&memory, now).await);
                for (a, b) in a.lines().zip(b.lines()) {
                    assert_eq!(a, b, "seed {seed}, step {step}");
                }
            }
        }
        assert!(accepted > 30, "only {accepted} changes were accepted");
    }
}

#[tokio::test]
async fn a_snapshot_in_memory_brings_back_what_was() {
    let store = MemoryStore::new();
    done(store.commit(put(job(1), 0))).await;
    let then = store.snapshot();
    done(store.commit(put(job(2), 0))).await;
    store.poison(true);
    assert!(matches!(store.commit(put(job(3), 0)).await, Err(StoreError::Poisoned)));
    store.restore(&then);
    assert_eq!(done(store.jobs(ALL, &JobFilter::default())).await.len(), 1);
    store.fill(true);
    assert!(matches!(store.commit(put(job(3), 0)).await, Err(StoreError::Full)));
    store.fill(false);
    done(store.commit(put(job(3), 0))).await;
}
