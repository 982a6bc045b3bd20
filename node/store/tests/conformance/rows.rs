//! Rows: versions, all or nothing, whose they are, uniqueness, numbers.

use crate::*;

pub(crate) async fn every_kind_of_row_is_read_as_it_was_written(store: Store) {
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

pub(crate) async fn a_change_at_an_old_version_conflicts(store: Store) {
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

pub(crate) async fn a_change_is_all_or_nothing(store: Store) {
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

pub(crate) async fn rows_that_must_not_have_changed_are_checked(store: Store) {
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

pub(crate) async fn nobody_sees_or_changes_another_owners_rows(store: Store) {
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

pub(crate) async fn one_bad_change_of_many_fails_alone(store: Store) {
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

pub(crate) async fn a_sender_is_registered_once_at_a_printer(store: Store) {
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

pub(crate) async fn a_printers_name_is_unique_until_it_is_removed(store: Store) {
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

pub(crate) async fn an_account_name_is_unique(store: Store) {
    write(&store, put(account(1, "anna"), 0)).await;
    assert!(matches!(store.commit(put(account(2, "ANNA"), 0)).await, Err(StoreError::Exists(_))));
    write(&store, put(account(2, "aaron"), 0)).await;
    let names: Vec<String> = done(store.accounts(ALL)).await.into_iter().map(|row| row.record.name).collect();
    assert_eq!(names, ["aaron", "anna"]);
}

pub(crate) async fn job_ids_count_up_per_printer(store: Store) {
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

pub(crate) async fn job_ids_are_given_once(store: Store) {
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
