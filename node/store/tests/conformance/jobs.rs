//! Jobs: what waits, in which order, and what falls due.

use crate::*;

pub(crate) async fn waiting_jobs_come_by_priority_and_acceptance(store: Store) {
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
    write(&store, put(Job { state: tympan_ipp::JobState::Processing, ..Job { priority: 80, ..ready_job(3) } }, 1))
        .await;
    assert_eq!(ids(done(store.waiting_jobs(ALL, OFFICE, None, 1)).await), [5]);
}

pub(crate) async fn what_waits_is_counted(store: Store) {
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

pub(crate) async fn senders_of_waiting_jobs_are_listed_once(store: Store) {
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
    for (sender, most, count) in [("Bert@example.org", 9, 2), ("bert@example.org", 1, 1), ("nobody@example.org", 9, 0)]
    {
        assert_eq!(done(store.open_jobs_of(ALL, sender, most)).await, count, "{sender}");
    }
}

pub(crate) async fn jobs_are_listed_newest_first(store: Store) {
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
    let list =
        async |filter: JobFilter| done(store.jobs(FIRST, &filter)).await.iter().map(|job| job.id.0).collect::<Vec<_>>();
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

pub(crate) async fn jobs_fall_due(store: Store) {
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

pub(crate) async fn attempts_and_history_are_found(store: Store) {
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
