//! What every store does, and that the stores do it alike.

mod fixtures;

use fixtures::*;
use std::future::Future;
use std::sync::Arc;
use tympan_engine::{
    AttemptNumber, AttemptState, Doubt, Effect, Job, JobId, JobUuid, Language, NoticeKind, OwnerId, Printer, PrinterUuid,
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

async fn every_kind_of_row_is_read_as_it_was_written(store: Store) {
    let job = ready_job(1);
    let records: Vec<Record> = vec![
        attempt(&job, 1).into(),
        job.into(),
        printer(OFFICE, "office").into(),
        registration(1, OFFICE, "anna@example.org").into(),
        account(1, "anna").into(),
        session(1, 5).into(),
        token(1, Some(7)).into(),
        notice(1, "anna@example.org").into(),
        Received { owner: OwnerId::FIRST, key: [9; 32], job: JobUuid(uuid(1)), expires_at: t(9) }.into(),
        Record::Setting { owner: OwnerId::FIRST, name: "house".into(), value: serde_json::json!({"name": "Müller"}) },
    ];
    let change = Change { put: records.iter().map(|record| (record.clone(), 0)).collect(), ..Change::default() };
    assert!(!change.is_empty());
    write(&store, change).await;
    let keys: Vec<Key> = records.iter().map(Record::key).collect();
    let rows = done(store.read(FIRST, &keys)).await;
    for (row, record) in rows.iter().zip(&records) {
        assert_eq!(row.as_ref().unwrap(), &Versioned { version: 1, record: record.clone() });
    }
    for record in &records {
        write(&store, put(record.clone(), 1)).await;
        assert_eq!(get(&store, record.key()).await.unwrap().version, 2);
    }
    assert_eq!(done(store.read(ALL, &[Key::Job(JobUuid([9; 16])), keys[0].clone()])).await[0], None);
    assert!(done(store.read(ALL, &[])).await.is_empty());
    assert_eq!(done(store.tokens(ALL)).await, [token(1, Some(7))]);
    assert_eq!(done(store.accounts(ALL)).await[0].record, account(1, "anna"));
    assert_eq!(done(store.account_by_name(ALL, "Anna")).await.unwrap().record, account(1, "anna"));
    assert_eq!(done(store.notices(ALL, Some("Anna@Example.org"), 0)).await, [notice(1, "anna@example.org")]);
    assert!(done(store.notices(ALL, Some("bert@example.org"), 0)).await.is_empty());
}

async fn a_change_at_an_old_version_conflicts(store: Store) {
    write(&store, put(job(1), 0)).await;
    let again = store.commit(put(job(1), 0)).await.unwrap_err();
    assert!(matches!(&again, StoreError::Conflict(Key::Job(uuid)) if *uuid == job(1).uuid), "{again:?}");
    assert!(again.is_conflict());
    write(&store, put(Job { priority: 60, ..job(1) }, 1)).await;
    let old = store.commit(put(Job { priority: 70, ..job(1) }, 1)).await.unwrap_err();
    assert!(old.is_conflict());
    assert!(store.commit(put(job(2), 1)).await.unwrap_err().is_conflict());
    let Record::Job(stored) = get(&store, Key::Job(job(1).uuid)).await.unwrap().record else { unreachable!() };
    assert_eq!(stored.priority, 60);
    let first = done(store.commit(put(job(3), 0))).await.sequence;
    assert!(done(store.commit(put(job(4), 0))).await.sequence > first);
}

async fn a_change_is_all_or_nothing(store: Store) {
    write(&store, put(job(1), 0)).await;
    write(&store, put(registration(1, OFFICE, "anna@example.org"), 0)).await;
    let bad = Change {
        put: vec![
            (job(2).into(), 0),
            (Job { priority: 1, ..job(1) }.into(), 1),
            (registration(2, OFFICE, "anna@example.org").into(), 0),
        ],
        delete: vec![Key::Registration(registration(9, OFFICE, "x").id)],
        history: vec![history(&job(1), 1)],
        effects: vec![NewEffect { effect: Effect::Inspect { job: job(1).uuid }, due_at: t(0) }],
        documents: vec![inline(5, b"text", 1)],
        ..Change::default()
    };
    assert!(matches!(store.commit(bad.clone()).await, Err(StoreError::Exists(_))));
    assert_eq!(get(&store, Key::Job(job(2).uuid)).await, None);
    assert_eq!(get(&store, Key::Job(job(1).uuid)).await.unwrap(), Versioned { version: 1, record: job(1).into() });
    assert!(done(store.history_of_job(ALL, job(1).uuid)).await.is_empty());
    assert_eq!(done(store.next_effect_due(&[])).await, None);
    assert_eq!(done(store.document(document(5))).await, None);
    let missing = Change {
        put: bad.put[..2].to_vec(),
        delete: vec![Key::Registration(registration(1, OFFICE, "x").id)],
        refs: vec![(document(404), 1)],
        ..bad.clone()
    };
    assert!(matches!(store.commit(missing).await, Err(StoreError::NoDocument(id)) if id == document(404)));
    assert_eq!(get(&store, Key::Job(job(2).uuid)).await, None);
    assert!(done(store.registration(ALL, OFFICE, "anna@example.org")).await.is_some());
    assert_eq!(done(store.document(document(5))).await, None);
    // The same without what was wrong with it.
    write(&store, Change { put: bad.put[..2].to_vec(), ..bad }).await;
    assert!(done(store.document(document(5))).await.is_some());
}

async fn rows_that_must_not_have_changed_are_checked(store: Store) {
    write(&store, put(printer(OFFICE, "office"), 0)).await;
    let expecting = |version| Change { expect: vec![(Key::Printer(OFFICE), version)], ..put(job(1), 0) };
    assert!(matches!(store.commit(expecting(0)).await, Err(StoreError::Conflict(Key::Printer(_)))));
    assert!(matches!(store.commit(expecting(2)).await, Err(StoreError::Conflict(Key::Printer(_)))));
    assert_eq!(get(&store, Key::Job(job(1).uuid)).await, None);
    write(&store, expecting(1)).await;
    let absent = Change { expect: vec![(Key::Printer(LOBBY), 0)], ..put(job(2), 0) };
    write(&store, absent).await;
    assert_eq!(get(&store, Key::Printer(OFFICE)).await.unwrap().version, 1);
}

async fn nobody_sees_or_changes_another_owners_rows(store: Store) {
    let job = ready_job(1);
    let change = Change {
        put: vec![
            (attempt(&job, 1).into(), 0),
            (printer(OFFICE, "office").into(), 0),
            (registration(1, OFFICE, "anna@example.org").into(), 0),
            (account(1, "anna").into(), 0),
            (token(1, None).into(), 0),
            (notice(1, "anna@example.org").into(), 0),
            (Record::Setting { owner: OwnerId::FIRST, name: "n".into(), value: 1.into() }, 0),
            (job.clone().into(), 0),
        ],
        history: vec![history(&job, 1)],
        ..Change::default()
    };
    let keys: Vec<Key> = change.put.iter().map(|(record, _)| record.key()).collect();
    write(&store, change).await;
    assert!(done(store.read(FIRST, &keys)).await.iter().all(Option::is_some));
    assert!(done(store.read(THEIRS, &keys)).await.iter().all(Option::is_none));
    for (whose, rows) in [(ALL, 1), (FIRST, 1), (THEIRS, 0)] {
        let filter = JobFilter::default();
        assert_eq!(done(store.printers(whose)).await.len(), rows);
        assert_eq!(done(store.printer_by_name(whose, "office")).await.iter().len(), rows);
        assert_eq!(done(store.registration(whose, OFFICE, "anna@example.org")).await.iter().len(), rows);
        assert_eq!(done(store.registrations_of(whose, "anna@example.org")).await.len(), rows);
        assert_eq!(done(store.registrations_at(whose, OFFICE)).await.len(), rows);
        assert_eq!(done(store.jobs(whose, &filter)).await.len(), rows);
        assert_eq!(done(store.jobs(whose, &JobFilter { printer: Some(OFFICE), ..filter })).await.len(), rows);
        assert_eq!(done(store.jobs_by_short_id(whose, job.short())).await.len(), rows);
        assert_eq!(done(store.job_by_id(whose, OFFICE, job.id)).await.iter().len(), rows);
        assert_eq!(done(store.waiting_jobs(whose, OFFICE, None, 9)).await.len(), rows);
        assert_eq!(done(store.waiting_jobs(whose, OFFICE, Some((51, JobId(0))), 9)).await.len(), rows);
        assert_eq!(done(store.waiting(whose, OFFICE)).await.queued as usize, rows);
        assert_eq!(done(store.waiting_senders(whose, OFFICE)).await.len(), rows);
        assert_eq!(done(store.jobs_due(whose, t(9_000_000), 9)).await.len(), rows);
        assert_eq!(done(store.next_job_due(whose)).await.iter().len(), rows);
        assert_eq!(done(store.open_attempts(whose)).await.len(), rows);
        assert_eq!(done(store.attempts_of(whose, job.uuid)).await.len(), rows);
        assert_eq!(done(store.history_of_job(whose, job.uuid)).await.len(), rows);
        assert_eq!(done(store.history_of_printer(whose, OFFICE, 9)).await.len(), rows);
        assert_eq!(done(store.notices(whose, None, 9)).await.len(), rows);
        assert_eq!(done(store.notices(whose, Some("anna@example.org"), 9)).await.len(), rows);
        assert_eq!(done(store.account_by_name(whose, "anna")).await.iter().len(), rows);
        assert_eq!(done(store.accounts(whose)).await.len(), rows);
        assert_eq!(done(store.tokens(whose)).await.len(), rows);
    }
    assert!(store.commit(put(Job { owner: OTHER, ..job.clone() }, 1)).await.unwrap_err().is_conflict());
    assert!(store.commit(put(Printer { owner: OTHER, ..printer(OFFICE, "x") }, 1)).await.unwrap_err().is_conflict());
}

async fn one_bad_change_of_many_fails_alone(store: Store) {
    write(&store, put(registration(200, OFFICE, "anna@example.org"), 0)).await;
    let mut commits = Vec::new();
    for n in 0..64u64 {
        let change = match n {
            17 => put(registration(201, OFFICE, "ANNA@example.org"), 0),
            40 => put(job(1), 7),
            _ => Change { history: vec![history(&job(n), n)], ..put(job(n), 0) },
        };
        let store = store.clone();
        commits.push(tokio::spawn(async move { store.commit(change).await }));
    }
    for (n, commit) in commits.into_iter().enumerate() {
        let result = commit.await.unwrap();
        match n {
            17 => assert!(matches!(result, Err(StoreError::Exists(_))), "{result:?}"),
            40 => assert!(matches!(result, Err(StoreError::Conflict(_))), "{result:?}"),
            _ => assert!(result.is_ok(), "{n}: {result:?}"),
        }
    }
    assert_eq!(done(store.jobs(ALL, &JobFilter { limit: 1000, ..JobFilter::default() })).await.len(), 62);
    assert_eq!(done(store.history_of_printer(ALL, OFFICE, 1000)).await.len(), 62);
}

async fn a_sender_is_registered_once_at_a_printer(store: Store) {
    write(&store, put(registration(1, OFFICE, "anna@example.org"), 0)).await;
    write(&store, put(registration(2, LOBBY, "anna@example.org"), 0)).await;
    write(&store, put(registration(3, OFFICE, "bert@example.org"), 0)).await;
    for sender in ["anna@example.org", "Anna@Example.ORG"] {
        let result = store.commit(put(registration(4, OFFICE, sender), 0)).await;
        assert!(matches!(result, Err(StoreError::Exists(_))), "{result:?}");
        let moved = store.commit(put(registration(3, OFFICE, sender), 1)).await;
        assert!(matches!(moved, Err(StoreError::Exists(_))), "{moved:?}");
        assert_eq!(done(store.registration(ALL, OFFICE, sender)).await.unwrap().record.id.0, [1; 16]);
        assert_eq!(done(store.registrations_of(ALL, sender)).await.len(), 2);
    }
    let at = done(store.registrations_at(ALL, OFFICE)).await;
    let senders: Vec<&str> = at.iter().map(|row| row.record.sender.as_str()).collect();
    assert_eq!(senders, ["anna@example.org", "bert@example.org"]);
    // One leaves and another takes the pair, in one change.
    let change = Change {
        delete: vec![Key::Registration(registration(1, OFFICE, "").id)],
        ..put(registration(5, OFFICE, "anna@example.org"), 0)
    };
    write(&store, change).await;
}

async fn a_printers_name_is_unique_until_it_is_removed(store: Store) {
    write(&store, put(printer(OFFICE, "office"), 0)).await;
    let taken = store.commit(put(printer(LOBBY, "Office"), 0)).await.unwrap_err();
    assert_eq!(taken.to_string(), "a printer named office exists already");
    write(&store, put(printer(LOBBY, "lobby"), 0)).await;
    let names = |rows: Vec<Versioned<Printer>>| rows.into_iter().map(|row| row.record.name).collect::<Vec<_>>();
    assert_eq!(names(done(store.printers(ALL)).await), ["lobby", "office"]);
    write(&store, put(Printer { removed: true, ..printer(OFFICE, "office") }, 1)).await;
    assert_eq!(done(store.printer_by_name(ALL, "office")).await, None);
    assert_eq!(names(done(store.printers(ALL)).await), ["lobby"]);
    write(&store, put(printer(PrinterUuid([4; 16]), "office"), 0)).await;
    let back = store.commit(put(printer(OFFICE, "office"), 2)).await;
    assert!(matches!(back, Err(StoreError::Exists(_))), "{back:?}");
    assert_eq!(done(store.printer_by_name(ALL, "OFFICE")).await.unwrap().record.uuid.0, [4; 16]);
}

async fn an_account_name_is_unique(store: Store) {
    write(&store, put(account(1, "anna"), 0)).await;
    assert!(matches!(store.commit(put(account(2, "ANNA"), 0)).await, Err(StoreError::Exists(_))));
    write(&store, put(account(2, "aaron"), 0)).await;
    let names: Vec<String> = done(store.accounts(ALL)).await.into_iter().map(|row| row.record.name).collect();
    assert_eq!(names, ["aaron", "anna"]);
}

async fn job_ids_count_up_per_printer(store: Store) {
    let mut next = 1;
    for count in [1, 1, 5, 1, 70, 2, 1] {
        assert_eq!(done(store.allocate_job_ids(OwnerId::FIRST, OFFICE, count)).await, JobId(next));
        next += count;
    }
    assert_eq!(done(store.allocate_job_ids(OwnerId::FIRST, LOBBY, 1)).await, JobId(1));
    write(&store, put(job(1), 0)).await;
    let same = Job { id: JobId(1), ..job(2) };
    assert!(matches!(store.commit(put(same.clone(), 0)).await, Err(StoreError::Exists(_))));
    write(&store, put(Job { printer: LOBBY, ..same }, 0)).await;
}

async fn job_ids_are_given_once(store: Store) {
    let asks: Vec<_> = (0..16u32)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut given = Vec::new();
                for n in task..task + 100 {
                    let first = done(store.allocate_job_ids(OwnerId::FIRST, OFFICE, n % 3 + 1)).await;
                    given.extend(first.0..first.0 + n % 3 + 1);
                }
                given
            })
        })
        .collect();
    let mut given = Vec::new();
    for ask in asks {
        given.extend(ask.await.unwrap());
    }
    given.sort_unstable();
    let all: Vec<u32> = (1..=given.len() as u32).collect();
    assert_eq!(given, all);
}

async fn waiting_jobs_come_by_priority_and_acceptance(store: Store) {
    for (n, priority) in [(1, 50), (2, 50), (3, 80), (4, 50), (5, 80), (6, 1)] {
        write(&store, put(Job { priority, ..ready_job(n) }, 0)).await;
    }
    write(&store, put(job(7), 0)).await;
    write(&store, put(ended_job(8, 8), 0)).await;
    write(&store, put(Job { printer: LOBBY, ..ready_job(9) }, 0)).await;
    let ids = |rows: Vec<Versioned<Job>>| rows.into_iter().map(|row| row.record.id.0).collect::<Vec<_>>();
    assert_eq!(ids(done(store.waiting_jobs(ALL, OFFICE, None, 100)).await), [3, 5, 1, 2, 4, 6]);
    assert_eq!(ids(done(store.waiting_jobs(ALL, OFFICE, None, 2)).await), [3, 5]);
    assert_eq!(ids(done(store.waiting_jobs(ALL, OFFICE, Some((80, JobId(3))), 3)).await), [5, 1, 2]);
    assert_eq!(ids(done(store.waiting_jobs(ALL, OFFICE, Some((50, JobId(2))), 100)).await), [4, 6]);
    assert_eq!(ids(done(store.waiting_jobs(ALL, OFFICE, Some((1, JobId(6))), 100)).await), [0; 0]);
    // What begins to print waits no more.
    write(&store, put(Job { state: tympan_ipp::JobState::Processing, ..Job { priority: 80, ..ready_job(3) } }, 1)).await;
    assert_eq!(ids(done(store.waiting_jobs(ALL, OFFICE, None, 1)).await), [5]);
}

async fn what_waits_is_counted(store: Store) {
    assert_eq!(done(store.waiting(ALL, OFFICE)).await, tympan_store::Waiting::default());
    write(&store, put(Job { retry_interval_ms: 7, ..ready_job(1) }, 0)).await;
    write(&store, put(Job { retry_interval_ms: 9, ..ready_job(2) }, 0)).await;
    write(&store, put(Job { retry_interval_ms: 1, ..job(3) }, 0)).await;
    let waiting = done(store.waiting(ALL, OFFICE)).await;
    assert_eq!((waiting.queued, waiting.ready), (3, 2));
    assert_eq!((waiting.retry_interval_min, waiting.ready_at_max), (Some(7), Some(t(2))));
    write(&store, put(Job { printer: LOBBY, ..ready_job(1) }, 1)).await;
    write(&store, put(Job { id: JobId(33), ..ended_job(2, 5) }, 1)).await;
    let waiting = done(store.waiting(ALL, OFFICE)).await;
    assert_eq!((waiting.queued, waiting.ready, waiting.retry_interval_min), (1, 0, None));
    assert_eq!(done(store.waiting(ALL, LOBBY)).await.ready, 1);
    write(&store, Change { delete: vec![Key::Job(job(1).uuid), Key::Job(job(2).uuid)], ..Change::default() }).await;
    assert_eq!(done(store.waiting(ALL, LOBBY)).await.queued, 0);
}

async fn senders_of_waiting_jobs_are_listed_once(store: Store) {
    let from = |n: u64, address: &str, may_be_mailed: bool, language: Language| {
        let mut job = ready_job(n);
        job.originator.address = address.into();
        job.originator.may_be_mailed = may_be_mailed;
        job.originator.language = language;
        job
    };
    write(&store, put(from(1, "bert@example.org", true, Language::En), 0)).await;
    write(&store, put(from(2, "anna@example.org", true, Language::Ja), 0)).await;
    write(&store, put(from(3, "anna@example.org", false, Language::En), 0)).await;
    write(&store, put(from(4, "robot@example.org", false, Language::En), 0)).await;
    write(&store, put(from(5, "bert@example.org", true, Language::Ja), 0)).await;
    let senders = done(store.waiting_senders(ALL, OFFICE)).await;
    let seen: Vec<_> = senders
        .iter()
        .map(|s| (s.address.as_str(), s.jobs, s.may_be_mailed, s.language, s.example == JobUuid(uuid(s.jobs))))
        .collect();
    assert_eq!(
        seen,
        [
            ("anna@example.org", 2, true, Language::Ja, true),
            ("bert@example.org", 2, true, Language::Ja, false),
            ("robot@example.org", 1, false, Language::En, false),
        ]
    );
    assert_eq!(senders[1].example, JobUuid(uuid(5)));
}

async fn jobs_are_listed_newest_first(store: Store) {
    for n in 1..=12 {
        let mut job = if n % 3 == 0 { ended_job(n, n) } else { job(n) };
        if n % 2 == 0 {
            job.printer = LOBBY;
        }
        if n > 6 {
            job.originator.address = "bert@example.org".into();
        }
        if n == 5 {
            let (attempt, why) = (AttemptNumber(1), String::new());
            job.doubt = Some(Doubt { attempt, certain: 0, possible: 1, why, since: t(1) });
        }
        write(&store, put(job, 0)).await;
    }
    let list = async |filter: JobFilter| {
        done(store.jobs(FIRST, &filter)).await.iter().map(|job| job.id.0).collect::<Vec<_>>()
    };
    let all = JobFilter::default();
    assert_eq!(list(all.clone()).await, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(list(JobFilter { limit: 2, before: Some(JobUuid(uuid(10))), ..all.clone() }).await, [9, 8]);
    assert_eq!(list(JobFilter { printer: Some(LOBBY), limit: 3, ..all.clone() }).await, [12, 10, 8]);
    let bert = JobFilter { originator: Some("BERT@example.org".into()), ..all.clone() };
    assert_eq!(list(JobFilter { printer: Some(OFFICE), ..bert.clone() }).await, [11, 9, 7]);
    assert_eq!(list(JobFilter { states: JobStates::Completed, ..bert }).await, [12, 9]);
    assert_eq!(list(JobFilter { states: JobStates::NotCompleted, limit: 3, ..all.clone() }).await, [11, 10, 8]);
    let open = JobFilter { states: JobStates::NotCompleted, printer: Some(OFFICE), ..all.clone() };
    assert_eq!(list(JobFilter { before: Some(JobUuid(uuid(7))), ..open }).await, [5, 1]);
    assert_eq!(list(JobFilter { states: JobStates::InDoubt, ..all }).await, [5]);
    assert_eq!(done(store.jobs_by_short_id(ALL, job(7).short())).await[0].record.id, JobId(7));
    assert_eq!(done(store.job_by_id(ALL, LOBBY, JobId(4))).await.unwrap().record.uuid, JobUuid(uuid(4)));
    assert_eq!(done(store.job_by_id(ALL, OFFICE, JobId(4))).await, None);
}

async fn jobs_fall_due(store: Store) {
    assert_eq!(done(store.next_job_due(ALL)).await, None);
    write(&store, put(Job { keep_until: t(300), ..ready_job(1) }, 0)).await;
    write(&store, put(Job { keep_until: t(200), ..ready_job(2) }, 0)).await;
    // Its attempt decides: it is past its time but is being printed.
    write(&store, put(Job { keep_until: t(10), expired: true, ..ready_job(3) }, 0)).await;
    // Its data is gone.
    write(&store, put(Job { keep_until: t(20), ..ended_job(4, 1) }, 0)).await;
    // It printed after its time, and its data is kept for a while longer.
    write(&store, put(Job { keep_until: t(250), expired: true, content_deleted: false, ..ended_job(5, 1) }, 0)).await;
    assert_eq!(done(store.next_job_due(ALL)).await, Some(t(200)));
    let due = async |now: u64, limit| {
        let rows = done(store.jobs_due(ALL, t(now), limit)).await;
        rows.iter().map(|row| row.record.id.0).collect::<Vec<_>>()
    };
    assert_eq!(due(199, 9).await, [0; 0]);
    assert_eq!(due(200, 9).await, [2]);
    assert_eq!(due(300, 9).await, [2, 5, 1]);
    assert_eq!(due(300, 1).await, [2]);
    write(&store, put(Job { keep_until: t(900), ..ready_job(2) }, 1)).await;
    assert_eq!(done(store.next_job_due(ALL)).await, Some(t(250)));
}

async fn attempts_and_history_are_found(store: Store) {
    let job = ready_job(1);
    let over = tympan_engine::Attempt { state: AttemptState::FailedClean, ..attempt(&job, 1) };
    let change = Change {
        put: vec![(over.clone().into(), 0), (attempt(&job, 2).into(), 0), (attempt(&ready_job(2), 1).into(), 0)],
        history: vec![history(&job, 5), history(&ready_job(2), 6), history(&job, 7)],
        ..Change::default()
    };
    write(&store, change).await;
    assert_eq!(done(store.attempts_of(ALL, job.uuid)).await, [over, attempt(&job, 2)]);
    let open = done(store.open_attempts(ALL)).await;
    assert_eq!(open.iter().map(|row| &row.record).collect::<Vec<_>>(), [&attempt(&job, 2), &attempt(&ready_job(2), 1)]);
    assert_eq!(done(store.history_of_job(ALL, job.uuid)).await, [history(&job, 5), history(&job, 7)]);
    let printer = done(store.history_of_printer(ALL, OFFICE, 2)).await;
    assert_eq!(printer, [history(&job, 7), history(&ready_job(2), 6)]);
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
                    change.put.push((registration(n as u8, [OFFICE, LOBBY][self.roll(2) as usize], sender).into(), version));
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
                1 => (
                    format!("{:?}", sqlite.forget(t(now), 30).await),
                    format!("{:?}", memory.forget(t(now), 30).await),
                ),
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
