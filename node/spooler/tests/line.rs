//! The line over the memory store, with a printer that a test scripts.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use tympan_engine::{
    AttemptEvent, Condition, DocumentId, Effect, JobDocument, JobEvent, JobOptions, JobSource, JobUuid, Language,
    Marker, NoticeKind, Originator, Outcome, OwnerId, Printer, PrinterEvent, Reachability, RegistrationEvent,
    Timestamp, Trouble,
};
use tympan_ipp::JobState;
use tympan_spooler::{
    Clock, CrashPoint, NewPrinter, Perform, Performed, Randomness, Spooler, SpoolerOptions, Submission, Submitted,
    Target,
};
use tympan_store::{Documents, MemoryStore, NewDocument, Records, Whose};

/// A device that prints, or is in a trouble.
#[derive(Default)]
struct Device {
    trouble: Mutex<Option<Trouble>>,
    printed: Mutex<Vec<JobUuid>>,
    notices: Mutex<Vec<(JobUuid, NoticeKind)>>,
    asked: Mutex<u32>,
}

impl Device {
    fn condition(&self) -> Result<Condition, ()> {
        match &*self.trouble.lock().unwrap() {
            Some(Trouble::Off) => Err(()),
            Some(Trouble::NoInk { .. }) => Ok(Condition {
                reachability: Reachability::Answering,
                markers: vec![Marker {
                    name: "cyan".into(),
                    color: "cyan".into(),
                    kind: "ink".into(),
                    level: Some(0),
                    low: None,
                }],
                ..Condition::default()
            }),
            _ => Ok(Condition { reachability: Reachability::Answering, ..Condition::default() }),
        }
    }
}

struct Hands(Arc<Device>);

impl Perform for Hands {
    fn perform<'a>(&'a self, spooler: &'a Spooler, effect: &'a Effect, _tries: u32) -> BoxFuture<'a, Performed> {
        async move {
            match effect {
                Effect::Inspect { job } => {
                    let received = spooler.job(Whose::Everyones, *job).await.unwrap().received.remove(0);
                    let documents = vec![JobDocument { pages: 1, ..received }];
                    let event = JobEvent::Inspected { documents, remarks: Vec::new(), review: false };
                    let _ = spooler.job_event(Whose::Everyones, *job, event, None).await;
                }
                Effect::Deliver { job, attempt } => {
                    let row = spooler.job(Whose::Everyones, *job).await.unwrap();
                    *self.0.asked.lock().unwrap() += 1;
                    let event = match self.0.condition() {
                        Ok(condition) => PrinterEvent::Answered(condition),
                        Err(()) => PrinterEvent::Silent,
                    };
                    let printer = spooler.printer_event(Whose::Everyones, row.printer, event, None).await.unwrap();
                    if let Some(trouble) = printer.trouble_for(&row.options) {
                        let _ = spooler.attempt_event(*job, *attempt, AttemptEvent::Blocked(trouble)).await;
                        return Performed::Done;
                    }
                    for event in [AttemptEvent::HandOver, AttemptEvent::SentAll] {
                        spooler.attempt_event(*job, *attempt, event).await.unwrap();
                    }
                    self.0.printed.lock().unwrap().push(*job);
                    spooler.attempt_event(*job, *attempt, AttemptEvent::Completed(Some(1))).await.unwrap();
                }
                Effect::Notify { job, kind } => self.0.notices.lock().unwrap().push((*job, kind.clone())),
                _ => {}
            }
            Performed::Done
        }
        .boxed()
    }
}

struct World {
    spooler: Spooler,
    device: Arc<Device>,
    printer: Printer,
    run: tokio::task::JoinHandle<()>,
}

async fn world() -> World {
    let records: Arc<dyn Records> = Arc::new(MemoryStore::new());
    let documents = Documents::in_memory(Arc::clone(&records));
    let clock = Clock::Runtime { start: Timestamp(1_000_000), at: Instant::now() };
    let spooler =
        Spooler::new(records, documents, clock, Randomness::seeded(7), SpoolerOptions::default(), CrashPoint::none());
    let device = Arc::new(Device::default());
    let new = NewPrinter { name: "office".into(), device: "ipp://192.0.2.1/".into(), ..NewPrinter::default() };
    let printer = spooler.add_printer(OwnerId::FIRST, new).await.unwrap();
    let hands = Arc::new(Hands(Arc::clone(&device)));
    let runner = spooler.clone();
    let run = tokio::spawn(async move { runner.run(hands).await.unwrap() });
    World { spooler, device, printer, run }
}

impl World {
    async fn submit(&self, name: &str, options: JobOptions) -> JobUuid {
        self.submit_keyed(name, options, None).await.0
    }

    async fn submit_keyed(&self, name: &str, options: JobOptions, key: Option<[u8; 32]>) -> (JobUuid, bool) {
        let octets = name.as_bytes().to_vec();
        let registration = self
            .spooler
            .register(&self.printer, "anna@example.org", Language::En, JobOptions::default())
            .await
            .unwrap();
        let submission = Submission {
            targets: vec![Target {
                printer: self.spooler.printer(Whose::Everyones, self.printer.uuid).await.unwrap(),
                registration: Some(registration),
                source: JobSource::Upload,
                duplicate_key: key,
            }],
            name: name.into(),
            originator: Originator {
                address: "anna@example.org".into(),
                registration: None,
                language: Language::En,
                may_be_mailed: true,
            },
            options,
            priority: 50,
            document: Some(Submitted {
                document: NewDocument {
                    id: DocumentId::from_parts(self.spooler.now(), self.spooler.random()),
                    octets: octets.len() as u64,
                    sha256: Sha256::digest(&octets).into(),
                    inline: Some(octets.into()),
                    refs: 0,
                },
                format: "text/plain".into(),
                name: name.into(),
            }),
            remarks: Vec::new(),
            holds: BTreeSet::new(),
            release_at: None,
            pin: None,
        };
        let accepted = self.spooler.accept(submission).await.unwrap();
        (accepted[0].job, accepted[0].duplicate)
    }

    async fn state(&self, job: JobUuid) -> JobState {
        self.spooler.job(Whose::Everyones, job).await.unwrap().state
    }

    async fn wait_for(&self, job: JobUuid, wanted: JobState) {
        let mut changes = self.spooler.watch();
        let found = tokio::time::timeout(Duration::from_secs(60 * 60 * 24 * 40), async {
            while self.state(job).await != wanted {
                let _ = changes.recv().await;
            }
        });
        assert!(found.await.is_ok(), "{job} is {:?}, not {wanted:?}", self.state(job).await);
    }

    async fn wait_until(&self, what: impl Fn(&Device) -> bool) {
        while !what(&self.device) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.run.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a08_a_job_for_a_printer_that_is_well_prints_at_once() {
    let world = world().await;
    let job = world.submit("one", JobOptions::default()).await;
    world.wait_for(job, JobState::Completed).await;
    let row = world.spooler.job(Whose::Everyones, job).await.unwrap();
    assert!(matches!(row.outcome, Some(Outcome::Printed { .. })));
    assert!(row.content_deleted);
    assert_eq!(world.device.notices.lock().unwrap().len(), 0, "success is not mailed");
}

#[tokio::test(start_paused = true)]
async fn a10_a_printer_that_reports_recovery_prints_all_that_waits_in_order() {
    let world = world().await;
    *world.device.trouble.lock().unwrap() = Some(Trouble::Off);
    let mut jobs = Vec::new();
    for n in 0..20 {
        jobs.push(world.submit(&format!("job {n}"), JobOptions::default()).await);
    }
    world.wait_until(|device| !device.notices.lock().unwrap().is_empty()).await;
    assert!(world.device.printed.lock().unwrap().is_empty());
    *world.device.trouble.lock().unwrap() = None;
    let report = Condition { reachability: Reachability::Answering, ..Condition::default() };
    world
        .spooler
        .printer_event(Whose::Everyones, world.printer.uuid, PrinterEvent::Reported(report), None)
        .await
        .unwrap();
    world.wait_for(jobs[19], JobState::Completed).await;
    assert_eq!(*world.device.printed.lock().unwrap(), jobs);
    let notices = world.device.notices.lock().unwrap().clone();
    let waiting = notices.iter().filter(|(_, kind)| matches!(kind, NoticeKind::Waiting { .. })).count();
    assert_eq!(waiting, 1, "once per sender and outage");
    assert!(*world.device.asked.lock().unwrap() < 20 + 20 + 3, "one failed question stands for all");
}

#[tokio::test(start_paused = true)]
async fn a11_a_stored_job_is_tried_again_when_its_interval_has_passed() {
    let world = world().await;
    *world.device.trouble.lock().unwrap() = Some(Trouble::Off);
    let job = world.submit("one", JobOptions::default()).await;
    world.wait_until(|device| *device.asked.lock().unwrap() == 1).await;
    *world.device.trouble.lock().unwrap() = None;
    let before = world.spooler.now();
    world.wait_for(job, JobState::Completed).await;
    let waited = world.spooler.now().since(before);
    assert!((299_000..=301_000).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn a12_a_stored_job_is_deleted_when_its_retention_has_passed_and_its_sender_told() {
    let world = world().await;
    *world.device.trouble.lock().unwrap() = Some(Trouble::Off);
    let job = world.submit("one", JobOptions::default()).await;
    world.wait_until(|device| *device.asked.lock().unwrap() == 1).await;
    let registration = world.spooler.registration_at(world.printer.uuid, "anna@example.org").await.unwrap().unwrap();
    let shorter = RegistrationEvent::Keep(Some(90_000));
    world.spooler.registration_event(Whose::Everyones, registration.id, shorter).await.unwrap();
    world.wait_for(job, JobState::Aborted).await;
    let row = world.spooler.job(Whose::Everyones, job).await.unwrap();
    assert_eq!(row.outcome, Some(Outcome::Expired));
    assert!(row.content_deleted);
    let took = row.completed_at.unwrap().since(row.created_at);
    assert!((90_000..=91_000).contains(&took), "{took}");
    world
        .wait_until(|device| device.notices.lock().unwrap().iter().any(|(_, kind)| *kind == NoticeKind::Expired))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a07_an_empty_colour_lets_black_jobs_pass() {
    let world = world().await;
    *world.device.trouble.lock().unwrap() = Some(Trouble::NoInk { color: None });
    let color = world.submit("color", JobOptions::default()).await;
    let mono = JobOptions { color: Some(tympan_engine::ColorMode::Monochrome), ..JobOptions::default() };
    let mono = world.submit("mono", mono).await;
    world.wait_for(mono, JobState::Completed).await;
    assert_eq!(world.state(color).await, JobState::Pending);
}

#[tokio::test(start_paused = true)]
async fn the_same_mail_again_is_the_same_job() {
    let world = world().await;
    let (first, _) = world.submit_keyed("one", JobOptions::default(), Some([3; 32])).await;
    let (second, duplicate) = world.submit_keyed("one", JobOptions::default(), Some([3; 32])).await;
    assert!(duplicate);
    assert_eq!(first, second);
    world.wait_for(first, JobState::Completed).await;
    assert_eq!(world.device.printed.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_job_can_be_held_cancelled_and_found() {
    let world = world().await;
    *world.device.trouble.lock().unwrap() = Some(Trouble::Off);
    let job = world.submit("one", JobOptions::default()).await;
    world.wait_until(|device| *device.asked.lock().unwrap() == 1).await;
    let short = world.spooler.job(Whose::Everyones, job).await.unwrap().short().to_string();
    assert_eq!(world.spooler.find_job(Whose::Everyones, &short).await.unwrap().uuid, job);
    assert_eq!(world.spooler.find_job(Whose::Everyones, "office/1").await.unwrap().uuid, job);
    assert!(world.spooler.find_job(Whose::Owner(OwnerId(9)), &short).await.is_err(), "somebody else's");
    world.spooler.job_event(Whose::Everyones, job, JobEvent::Cancel("anna".into()), Some("anna")).await.unwrap();
    assert_eq!(world.state(job).await, JobState::Canceled);
}
