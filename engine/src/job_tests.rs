use super::*;
use alloc::collections::BTreeSet;

pub(crate) fn with() -> Surroundings {
    Surroundings { doubt: DoubtPolicy::Ask, doubt_ms: 1_000, reprint_window_ms: 0, outage_ended_at: None }
}

pub(crate) fn job() -> Job {
    Job {
        owner: OwnerId::FIRST,
        uuid: JobUuid([1; 16]),
        id: JobId(1),
        printer: PrinterUuid([2; 16]),
        name: "invoice.pdf".into(),
        originator: Originator {
            address: "anna@example.org".into(),
            registration: None,
            language: crate::Language::En,
            may_be_mailed: true,
        },
        source: JobSource::Upload,
        priority: 50,
        options: JobOptions::default(),
        state: JobState::Pending,
        holds: BTreeSet::new(),
        ready: true,
        received: Vec::new(),
        incoming: None,
        release_at: None,
        pin: None,
        documents: vec![JobDocument {
            id: DocumentId([5; 16]),
            name: "invoice.pdf".into(),
            format: "application/pdf".into(),
            octets: 1_000,
            pages: 12,
        }],
        rendition: None,
        remarks: Vec::new(),
        first_page: 1,
        mark: None,
        fence: Fence(0),
        attempts: 0,
        attempt: None,
        handed: false,
        impressions_completed: 0,
        failures: 0,
        put_back: None,
        doubt: None,
        canceling: None,
        expired: false,
        outcome: None,
        created_at: Timestamp(0),
        ready_at: Some(Timestamp(0)),
        processing_at: None,
        completed_at: None,
        keep_until: Timestamp(100_000),
        retry_interval_ms: 1_000,
        content_deleted: false,
    }
}

const ONE: AttemptNumber = AttemptNumber(1);

fn handed() -> Job {
    let mut job = job();
    job.apply(JobEvent::Assigned(ONE, Fence(1)), with(), Timestamp(1)).unwrap();
    job.apply(JobEvent::Handed(ONE), with(), Timestamp(2)).unwrap();
    job
}

fn doubted() -> Job {
    let mut job = handed();
    let end = AttemptEnd::InDoubt { certain: 7, possible: 12, why: "x".into() };
    job.apply(JobEvent::Ended(ONE, end), with(), Timestamp(3)).unwrap();
    job
}

fn events() -> Vec<JobEvent> {
    use JobEvent as E;
    let rendition = Rendition {
        id: DocumentId([6; 16]),
        format: "image/pwg-raster".into(),
        octets: 9,
        pages: 12,
        profile: 1,
        first_page: 1,
    };
    vec![
        E::Expecting,
        E::Received(job().documents.remove(0)),
        E::Closed,
        E::Inspected { documents: job().documents, remarks: Vec::new(), review: false },
        E::Unprintable { remarks: vec!["nothing".into()] },
        E::Stored { rendition, drop_source: false },
        E::Hold(HoldReason::Operator),
        E::Unhold(HoldReason::Operator),
        E::HoldUntil(Timestamp(9)),
        E::WrongPin,
        E::Changed { options: JobOptions::default(), name: "x".into(), priority: 9 },
        E::DocumentCanceled(0),
        E::Assigned(ONE, Fence(9)),
        E::Handed(ONE),
        E::Progress(ONE, 3),
        E::Stopped(ONE),
        E::Resumed(ONE),
        E::Ended(ONE, AttemptEnd::Printed(Evidence::E3)),
        E::Cancel("anna".into()),
        E::Expire,
        E::Decide(DoubtDecision::PrintAll),
        E::KeepUntil(Timestamp(9)),
        E::RetryEvery(9),
        E::TryNow,
        E::DropContent,
    ]
}

fn incoming() -> Job {
    Job {
        state: JobState::PendingHeld,
        holds: BTreeSet::from([HoldReason::DocumentIncoming]),
        incoming: Some(Incoming { until: Timestamp(60), time_out_ms: 60 }),
        ready: false,
        documents: Vec::new(),
        ..job()
    }
}

fn states() -> [(&'static str, Job); 10] {
    let mut held = job();
    held.apply(JobEvent::Hold(HoldReason::Operator), with(), Timestamp(1)).unwrap();
    let mut assigned = job();
    assigned.apply(JobEvent::Assigned(ONE, Fence(1)), with(), Timestamp(1)).unwrap();
    let mut stopped = handed();
    stopped.apply(JobEvent::Stopped(ONE), with(), Timestamp(3)).unwrap();
    let over = |state| Job { state, completed_at: Some(Timestamp(3)), ..job() };
    [
        ("pending-held (incoming)", incoming()),
        ("pending", job()),
        ("pending-held", held),
        ("processing (assigned)", assigned),
        ("processing (handed)", handed()),
        ("processing-stopped", stopped),
        ("processing-stopped (in doubt)", doubted()),
        ("canceled", over(JobState::Canceled)),
        ("aborted", over(JobState::Aborted)),
        ("completed", over(JobState::Completed)),
    ]
}

/// The table of every state and event; `docs/states.md` holds it, and a test compares them.
pub(crate) fn table() -> String {
    let mut out = "| event | ".to_string();
    for (name, _) in states() {
        out += name;
        out += " | ";
    }
    out += "\n|---|";
    out += &"---|".repeat(states().len());
    for event in events() {
        out += "\n| ";
        out += event.name();
        out += " | ";
        for (_, before) in states() {
            let mut job = before.clone();
            out += &match job.apply(event.clone(), with(), Timestamp(5)) {
                Ok(_) if job.state == before.state => "stays".to_string(),
                Ok(_) => job.state.as_str().to_string(),
                Err(_) => {
                    assert_eq!(job, before, "a refused event changed the job");
                    "-".to_string()
                }
            };
            out += " | ";
        }
    }
    out + "\n"
}

#[test]
fn a12_a_doubt_about_a_job_whose_time_had_passed_is_closed_in_time() {
    let mut job = job();
    job.keep_until = Timestamp(10);
    job.apply(JobEvent::Assigned(ONE, Fence(1)), with(), Timestamp(1)).unwrap();
    job.apply(JobEvent::Handed(ONE), with(), Timestamp(2)).unwrap();
    job.apply(JobEvent::Expire, with(), Timestamp(10)).unwrap();
    let end = AttemptEnd::InDoubt { certain: 0, possible: 1, why: "x".into() };
    job.apply(JobEvent::Ended(ONE, end), with(), Timestamp(20)).unwrap();
    assert_eq!(crate::retain::due(&job, Timestamp(1_019)), None);
    let due = crate::retain::due(&job, Timestamp(1_020));
    job.apply(due.unwrap(), with(), Timestamp(1_020)).unwrap();
    assert_eq!(job.outcome, Some(Outcome::DoubtClosed));
}

#[test]
fn every_state_and_event_is_in_the_table() {
    let table = table();
    assert_eq!(table.lines().count(), 2 + events().len());
}

#[test]
fn the_tables_in_the_docs_are_those_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/states.md");
    extern crate std;
    let job = table();
    let attempt = crate::attempt::tests::table();
    let wanted = alloc::format!(
        "# States and events\n\nMade by the engine's tests from the code; `cargo xtask docs` renews it. A dash: refused, nothing changes.\n\n## Job\n\n{job}\n## Attempt\n\n{attempt}"
    );
    if std::env::var_os("TYMPAN_BLESS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == wanted, "docs/states.md is out of date: run `cargo xtask docs`");
}

#[test]
fn a_cancel_before_hand_over_always_wins() {
    let mut job = job();
    job.apply(JobEvent::Assigned(ONE, Fence(1)), with(), Timestamp(1)).unwrap();
    job.apply(JobEvent::Cancel("anna".into()), with(), Timestamp(2)).unwrap();
    assert_eq!(job.state, JobState::Canceled);
    assert_eq!(job.fence, Fence(2), "the attempt is stale");
    assert!(job.apply(JobEvent::Handed(ONE), with(), Timestamp(3)).is_err());
}

#[test]
fn a_cancel_after_hand_over_asks_the_device() {
    let mut job = handed();
    let effects = job.apply(JobEvent::Cancel("anna".into()), with(), Timestamp(3)).unwrap();
    assert_eq!(effects, [Effect::CancelAtDevice { job: job.uuid, attempt: ONE }]);
    assert_eq!(job.state, JobState::Processing);
    assert!(job.reasons().contains(&"processing-to-stop-point"));
    let again = job.apply(JobEvent::Cancel("anna".into()), with(), Timestamp(3));
    assert_eq!(again, Err(Refusal::AlreadyCanceling));
    job.apply(JobEvent::Ended(ONE, AttemptEnd::Canceled(3)), with(), Timestamp(4)).unwrap();
    assert_eq!(job.state, JobState::Canceled);
}

#[test]
fn retention_never_ends_an_attempt_that_was_handed_over() {
    let mut job = handed();
    job.apply(JobEvent::Expire, with(), Timestamp(9)).unwrap();
    assert_eq!(job.state, JobState::Processing);
    job.apply(JobEvent::Ended(ONE, AttemptEnd::Printed(Evidence::E3)), with(), Timestamp(9)).unwrap();
    assert_eq!(job.state, JobState::Completed);

    let mut job = handed();
    job.apply(JobEvent::Expire, with(), Timestamp(9)).unwrap();
    job.apply(JobEvent::Ended(ONE, AttemptEnd::NeverStarted), with(), Timestamp(9)).unwrap();
    assert_eq!((job.state, job.outcome.clone()), (JobState::Aborted, Some(Outcome::Expired)));
}

#[test]
fn doubt_is_asked_reprinted_with_a_mark_or_dropped() {
    let asked = doubted();
    assert_eq!(asked.state, JobState::ProcessingStopped);
    assert_eq!(asked.doubt.as_ref().map(|doubt| (doubt.certain, doubt.possible)), Some((7, 12)));

    let end = || AttemptEnd::InDoubt { certain: 7, possible: 12, why: "x".into() };
    let mut reprinted = handed();
    let reprint = Surroundings { doubt: DoubtPolicy::Reprint, ..with() };
    reprinted.apply(JobEvent::Ended(ONE, end()), reprint, Timestamp(3)).unwrap();
    assert_eq!((reprinted.state, reprinted.first_page), (JobState::Pending, 7), "one sheet of overlap");
    assert!(reprinted.mark.unwrap().contains("pages 1-12 may exist already"));

    let mut dropped = handed();
    let drop = Surroundings { doubt: DoubtPolicy::Drop, ..with() };
    dropped.apply(JobEvent::Ended(ONE, end()), drop, Timestamp(3)).unwrap();
    assert_eq!(dropped.outcome, Some(Outcome::DoubtClosed));
}

#[test]
fn a_person_decides_a_doubt() {
    let decide = |decision| {
        let mut job = doubted();
        let result = job.apply(JobEvent::Decide(decision), with(), Timestamp(4));
        (result.is_ok(), job)
    };
    let (ok, job) = decide(DoubtDecision::PrintFrom(8));
    assert!(ok && job.state == JobState::Pending && job.first_page == 8 && job.mark.is_some());
    let (ok, job) = decide(DoubtDecision::ItIsFine);
    assert!(ok && job.outcome == Some(Outcome::Printed { evidence: Evidence::E5 }));
    let (ok, job) = decide(DoubtDecision::ThrowAway);
    assert!(ok && job.state == JobState::Canceled && job.content_deleted);
    assert!(!decide(DoubtDecision::PrintFrom(13)).0);
    assert!(!decide(DoubtDecision::PrintFrom(0)).0);
}

#[test]
fn a10_a_printed_job_gives_its_data_back_at_once_and_says_so_if_it_had_waited() {
    let mut job = handed();
    let waited = Surroundings { outage_ended_at: Some(Timestamp(2)), ..with() };
    let effects = job.apply(JobEvent::Ended(ONE, AttemptEnd::Printed(Evidence::E3)), waited, Timestamp(3)).unwrap();
    assert!(effects.contains(&Effect::Release { documents: vec![DocumentId([5; 16])] }));
    assert!(effects.contains(&Effect::Notify { job: job.uuid, kind: NoticeKind::Printed }));

    let mut quick = handed();
    let effects = quick.apply(JobEvent::Ended(ONE, AttemptEnd::Printed(Evidence::E3)), with(), Timestamp(3)).unwrap();
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Notify { .. })), "success is not mailed");
}

#[test]
fn a_clean_failure_is_tried_again_but_not_for_ever() {
    let mut job = job();
    for n in 1..=FAILURES_MAX {
        let attempt = AttemptNumber(n);
        job.apply(JobEvent::Assigned(attempt, Fence(u64::from(n))), with(), Timestamp(1)).unwrap();
        job.apply(JobEvent::Ended(attempt, AttemptEnd::AbortedClean), with(), Timestamp(2)).unwrap();
    }
    assert_eq!(job.state, JobState::Aborted);
}

#[test]
fn a_late_attempt_is_refused() {
    let mut job = job();
    job.apply(JobEvent::Assigned(ONE, Fence(1)), with(), Timestamp(1)).unwrap();
    job.apply(JobEvent::Ended(ONE, AttemptEnd::NeverStarted), with(), Timestamp(2)).unwrap();
    assert_eq!(job.apply(JobEvent::Assigned(AttemptNumber(2), Fence(1)), with(), Timestamp(3)), Err(Refusal::Stale));
    job.apply(JobEvent::Assigned(AttemptNumber(2), Fence(2)), with(), Timestamp(3)).unwrap();
    let late = job.apply(JobEvent::Ended(ONE, AttemptEnd::Printed(Evidence::E3)), with(), Timestamp(4));
    assert_eq!(late, Err(Refusal::Stale));
}

#[test]
fn a_job_that_its_printer_will_not_take_is_tried_less_and_less_often() {
    let mut job = job();
    job.retry_interval_ms = 60_000;
    let mut pauses = Vec::new();
    for times in 1..=8 {
        let (attempt, now) = (AttemptNumber(times), Timestamp(1_000));
        job.apply(JobEvent::Assigned(attempt, Fence(u64::from(times))), with(), now).unwrap();
        job.apply(JobEvent::Handed(attempt), with(), now).unwrap();
        let end = AttemptEnd::RefusedForNow("it is busy".into());
        job.apply(JobEvent::Ended(attempt, end), with(), now).unwrap();
        pauses.push(job.put_back_until(None).map_or(0, |until| until.0 - 1_000));
    }
    assert_eq!(pauses, [0, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    assert_eq!(job.put_back_until(Some(Timestamp(1_001))), None, "its own report ends the pause");
    job.apply(JobEvent::TryNow, with(), Timestamp(2_000)).unwrap();
    assert_eq!(job.put_back_until(None), None, "and so does a person");
}

#[test]
fn a_reprint_by_policy_that_is_in_doubt_again_waits_for_a_person() {
    let reprint = Surroundings { doubt: DoubtPolicy::Reprint, ..with() };
    let mut job = job();
    for times in 1..=2 {
        let attempt = AttemptNumber(times);
        job.apply(JobEvent::Assigned(attempt, Fence(u64::from(times))), reprint, Timestamp(1)).unwrap();
        job.apply(JobEvent::Handed(attempt), reprint, Timestamp(1)).unwrap();
        let end = AttemptEnd::InDoubt { certain: 0, possible: 12, why: "the printer no longer knows the job".into() };
        job.apply(JobEvent::Ended(attempt, end), reprint, Timestamp(1)).unwrap();
        assert_eq!(job.state == JobState::Pending, times == 1, "{times}");
    }
    assert_eq!(job.state, JobState::ProcessingStopped);
    assert!(job.doubt.is_some() && job.mark.is_some());
}

/// A job whose time is over while the printer has it.
fn handed_and_expired(stands_still: bool) -> Job {
    let mut job = job();
    job.apply(JobEvent::Assigned(ONE, Fence(1)), with(), Timestamp(1)).unwrap();
    job.apply(JobEvent::Handed(ONE), with(), Timestamp(2)).unwrap();
    if stands_still {
        job.apply(JobEvent::Stopped(ONE), with(), Timestamp(3)).unwrap();
    }
    job
}

#[test]
fn a12_what_stands_still_at_the_printer_is_taken_back_when_its_time_is_over() {
    let cancel = |job: &Job| Effect::CancelAtDevice { job: job.uuid, attempt: ONE };
    let mut job = handed_and_expired(true);
    assert_eq!(job.apply(JobEvent::Expire, with(), Timestamp(9)).unwrap(), [cancel(&job)]);
    assert_eq!(job.apply(JobEvent::Stopped(ONE), with(), Timestamp(10)).unwrap().len(), 1, "asked once");
    assert_eq!(job.apply(JobEvent::KeepUntil(Timestamp(99)), with(), Timestamp(11)), Err(Refusal::AlreadyCanceling));
    for (end, outcome, sides) in [
        (AttemptEnd::Canceled(0), Outcome::Expired, 0),
        (AttemptEnd::Canceled(3), Outcome::Expired, 3),
        (AttemptEnd::NeverStarted, Outcome::Expired, 0),
        (AttemptEnd::Printed(Evidence::E3), Outcome::Printed { evidence: Evidence::E3 }, 0),
    ] {
        let mut job = job.clone();
        job.apply(JobEvent::Ended(ONE, end), with(), Timestamp(12)).unwrap();
        assert_eq!((job.outcome.clone(), job.impressions_completed), (Some(outcome), sides));
    }
    let mut lost = job.clone();
    let end = AttemptEnd::InDoubt { certain: 0, possible: 2, why: String::new() };
    lost.apply(JobEvent::Ended(ONE, end), with(), Timestamp(12)).unwrap();
    assert!(lost.doubt.is_some() && !lost.is_over(), "whether it came out is asked");
    // What prints may finish; only when it stops after that it is taken back.
    let mut job = handed_and_expired(false);
    assert_eq!(job.apply(JobEvent::Expire, with(), Timestamp(9)).unwrap(), []);
    assert!(job.apply(JobEvent::Stopped(ONE), with(), Timestamp(10)).unwrap().contains(&cancel(&job)));
}

#[test]
fn a12_whoever_keeps_a_job_longer_while_it_prints_undoes_the_end_of_its_time() {
    let mut job = handed_and_expired(false);
    job.apply(JobEvent::Expire, with(), Timestamp(9)).unwrap();
    job.apply(JobEvent::KeepUntil(Timestamp(99)), with(), Timestamp(10)).unwrap();
    job.apply(JobEvent::Ended(ONE, AttemptEnd::AbortedClean), with(), Timestamp(11)).unwrap();
    assert_eq!(job.state, JobState::Pending);
}

#[test]
fn documents_come_one_by_one_and_are_looked_at_when_all_have_come() {
    let mut job = incoming();
    let document = |n| JobDocument { id: DocumentId([n; 16]), ..self::job().documents.remove(0) };
    job.apply(JobEvent::Received(document(1)), with(), Timestamp(50)).unwrap();
    assert_eq!(crate::retain::due(&job, Timestamp(109)), None, "each document starts the time anew");
    assert_eq!(crate::retain::due(&job, Timestamp(110)), Some(JobEvent::Closed));
    job.apply(JobEvent::Received(document(2)), with(), Timestamp(109)).unwrap();
    let inspected = JobEvent::Inspected { documents: vec![document(1)], remarks: Vec::new(), review: false };
    assert_eq!(job.apply(inspected, with(), Timestamp(110)), Err(Refusal::NotReady));
    let effects = job.apply(JobEvent::Closed, with(), Timestamp(110)).unwrap();
    assert_eq!(effects, [Effect::Inspect { job: job.uuid }]);
    assert_eq!((job.state, job.received.len()), (JobState::Pending, 2));
    assert_eq!(job.apply(JobEvent::Received(document(3)), with(), Timestamp(111)), Err(Refusal::NotPossible));
}

#[test]
fn a_job_without_a_document_is_aborted_and_its_sender_told() {
    let mut job = incoming();
    let due = crate::retain::due(&job, Timestamp(60)).unwrap();
    let effects = job.apply(due, with(), Timestamp(60)).unwrap();
    assert_eq!(job.state, JobState::Aborted);
    assert!(effects.contains(&Effect::Notify { job: job.uuid, kind: NoticeKind::Aborted }));
}

#[test]
fn no_more_documents_are_taken_than_a_job_may_have() {
    let mut job = incoming();
    let document = self::job().documents.remove(0);
    for _ in 0..DOCUMENTS_MAX {
        job.apply(JobEvent::Received(document.clone()), with(), Timestamp(1)).unwrap();
    }
    let more = job.apply(JobEvent::Received(document), with(), Timestamp(1));
    assert_eq!(more, Err(Refusal::TooManyDocuments));
}

#[test]
fn a_job_that_waits_for_its_hour_is_let_go_then() {
    let mut job = job();
    job.apply(JobEvent::HoldUntil(Timestamp(500)), with(), Timestamp(1)).unwrap();
    assert_eq!((job.state, job.due_at()), (JobState::PendingHeld, Timestamp(500)));
    assert_eq!(crate::retain::due(&job, Timestamp(499)), None);
    let due = crate::retain::due(&job, Timestamp(500)).unwrap();
    job.apply(due, with(), Timestamp(500)).unwrap();
    assert_eq!((job.state, job.release_at), (JobState::Pending, None));
}

#[test]
fn t9_a_pin_dies_after_ten_wrong_tries() {
    let mut job = job();
    assert_eq!(job.apply(JobEvent::WrongPin, with(), Timestamp(1)), Err(Refusal::NotPossible));
    job.pin = Some(Pin { hash: "x".into(), encryption: "none".into(), wrong: 0 });
    job.apply(JobEvent::Hold(HoldReason::PinRelease), with(), Timestamp(1)).unwrap();
    for _ in 0..9 {
        job.apply(JobEvent::WrongPin, with(), Timestamp(1)).unwrap();
    }
    assert!(!job.pin.as_ref().unwrap().is_dead());
    job.apply(JobEvent::WrongPin, with(), Timestamp(1)).unwrap();
    assert!(job.pin.as_ref().unwrap().is_dead());
    job.apply(JobEvent::Unhold(HoldReason::PinRelease), with(), Timestamp(1)).unwrap();
    assert_eq!((job.state, job.pin), (JobState::Pending, None));
}

#[test]
fn a_cancelled_document_gives_its_octets_back_and_the_last_one_ends_the_job() {
    let mut job = job();
    let mut second = job.documents[0].clone();
    second.id = DocumentId([6; 16]);
    job.documents.push(second);
    assert_eq!(job.apply(JobEvent::DocumentCanceled(2), with(), Timestamp(1)), Err(Refusal::NoSuchDocument));
    let effects = job.apply(JobEvent::DocumentCanceled(0), with(), Timestamp(1)).unwrap();
    assert_eq!(effects, [Effect::Release { documents: vec![DocumentId([5; 16])] }]);
    let effects = job.apply(JobEvent::DocumentCanceled(0), with(), Timestamp(1)).unwrap();
    assert_eq!(effects, [Effect::Release { documents: vec![DocumentId([6; 16])] }]);
    assert_eq!(job.state, JobState::Canceled);
}

#[test]
fn a_changed_job_gives_back_what_was_drawn_for_the_old_way() {
    let mut job = job();
    job.rendition = Some(Rendition {
        id: DocumentId([7; 16]),
        format: "image/pwg-raster".into(),
        octets: 1,
        pages: 12,
        profile: 1,
        first_page: 1,
    });
    let options = JobOptions { copies: Some(2), ..JobOptions::default() };
    let changed = JobEvent::Changed { options, name: "y".into(), priority: 90 };
    let effects = job.apply(changed, with(), Timestamp(1)).unwrap();
    assert!(effects.contains(&Effect::Release { documents: vec![DocumentId([7; 16])] }));
    assert_eq!((job.copies(), job.priority, job.rendition), (2, 90, None));
}

#[test]
fn a_stored_row_of_an_earlier_version_is_read() {
    extern crate std;
    let mut row = serde_json::to_value(job()).unwrap();
    for (received, count) in [
        (serde_json::Value::Null, 0),
        (serde_json::to_value(&job().documents[0]).unwrap(), 1),
        (serde_json::to_value(job().documents).unwrap(), 1),
    ] {
        row["received"] = received;
        let read: Job = serde_json::from_value(row.clone()).unwrap();
        assert_eq!(read.received.len(), count);
    }
}
