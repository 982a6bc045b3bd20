//! A spooler with a delivery and a virtual printer, on loopback and in memory.
#![allow(dead_code, reason = "each test program uses a part")]

pub(crate) mod samples;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinHandle;
use tympan_deliver::{Delivery, DeliveryOptions, OutputTimes, Outputs, ReportOptions, Timings};
use tympan_device::model::Change;
use tympan_device::{DeviceOptions, VirtualPrinter};
use tympan_engine::{Attempt, DocumentId, Job, JobOptions, JobSource, JobUuid, Language, Originator, OwnerId, Printer};
use tympan_ipp::JobState;
use tympan_render::Renderer;
use tympan_spooler::{
    Clock, CrashPoint, NewPrinter, Perform, Randomness, Spooler, SpoolerOptions, Submission, Submitted, Target,
};
use tympan_store::{Documents, MemoryStore, Records, Whose};

/// How long a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The whole line but its doors.
pub(crate) struct World {
    pub(crate) spooler: Spooler,
    pub(crate) delivery: Delivery,
    pub(crate) printer: Printer,
    pub(crate) folder: TempDir,
    pub(crate) language: Language,
    records: Arc<dyn Records>,
    documents: Documents,
    options: DeliveryOptions,
    run: JoinHandle<()>,
}

pub(crate) fn renderer() -> Renderer {
    Renderer::new(env!("CARGO_BIN_EXE_tympan-deliver-worker"), [""; 0])
}

/// Times of a test: as short as loopback allows.
pub(crate) fn timings() -> Timings {
    let millis = Duration::from_millis;
    Timings {
        poll_first: millis(5),
        poll_max: millis(50),
        sent_every: millis(50),
        answer_good_for: millis(5_000),
        busy_first: millis(10),
        busy_max: millis(50),
        pause: millis(10),
        silence_max: millis(3_000),
        stuck_max: millis(60_000),
        linger_max: millis(500),
    }
}

/// A virtual printer on a temporary folder.
pub(crate) async fn device(change: impl FnOnce(&mut DeviceOptions)) -> (VirtualPrinter, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = DeviceOptions::new(folder.path()).with_renderer(renderer());
    options.job_pdf = false;
    change(&mut options);
    (VirtualPrinter::start(options).await.unwrap(), folder)
}

/// Changes a printer as `POST /faults` does.
pub(crate) async fn set(device: &VirtualPrinter, json: &str) {
    device.apply(serde_json::from_str::<Change>(json).unwrap()).await.unwrap();
}

impl World {
    pub(crate) async fn new(device: &str) -> Self {
        Self::with(device, |_| {}, CrashPoint::none()).await
    }

    pub(crate) async fn with(device: &str, change: impl FnOnce(&mut DeliveryOptions), crash: CrashPoint) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let records: Arc<dyn Records> = Arc::new(MemoryStore::new());
        let documents = Documents::in_memory(Arc::clone(&records));
        let mut report = ReportOptions::new("print.example", folder.path().join("notices"));
        report.base_url = Some("https://print.example".into());
        report.time_zone = jiff::tz::TimeZone::UTC;
        let mut options = DeliveryOptions::new(renderer(), report);
        options.timings = timings();
        options.temp_folder = folder.path().to_owned();
        options.outputs = Outputs::real(OutputTimes {
            answer: Duration::from_secs(2),
            stall: Duration::from_secs(5),
            close: Duration::from_secs(5),
        });
        change(&mut options);
        let delivery = Delivery::new(options.clone()).unwrap();
        let spooler = spooler(&records, &documents, crash);
        let new =
            NewPrinter { name: "office".into(), info: "Office".into(), device: device.into(), ..NewPrinter::default() };
        let printer = spooler.add_printer(OwnerId::FIRST, new).await.unwrap();
        let world = Self {
            run: run(&spooler, delivery.clone()),
            spooler,
            delivery,
            printer,
            folder,
            language: Language::En,
            records,
            documents,
            options,
        };
        world
            .policy(|policy| {
                policy.time_out_ms = 1_000;
                policy.retry_interval_ms = 300;
            })
            .await;
        world
    }

    /// Dies here and starts again on what is stored.
    pub(crate) async fn restart(&mut self) {
        self.run.abort();
        let _ = (&mut self.run).await;
        self.delivery = Delivery::new(self.options.clone()).unwrap();
        self.spooler = spooler(&self.records, &self.documents, CrashPoint::none());
        self.run = run(&self.spooler, self.delivery.clone());
    }

    pub(crate) async fn policy(&self, change: impl FnOnce(&mut tympan_engine::PrinterPolicy)) {
        let mut policy = self.printer().await.policy;
        change(&mut policy);
        let event = tympan_engine::PrinterEvent::Policy(policy);
        self.spooler.printer_event(Whose::Everyones, self.printer.uuid, event, None).await.unwrap();
    }

    pub(crate) async fn printer(&self) -> Printer {
        self.spooler.printer(Whose::Everyones, self.printer.uuid).await.unwrap()
    }

    pub(crate) async fn submit(&self, name: &str, format: &str, octets: &[u8]) -> JobUuid {
        self.submit_with(name, format, octets, JobOptions::default()).await
    }

    pub(crate) async fn submit_with(&self, name: &str, format: &str, octets: &[u8], options: JobOptions) -> JobUuid {
        let id = DocumentId::from_parts(self.spooler.now(), self.spooler.random());
        let document = self.spooler.documents().store(id, octets).await.unwrap();
        let source = match format {
            "message/rfc822" => JobSource::Mail {
                message_id: Some("<mail@example.org>".into()),
                recipient: "office@print.example".into(),
            },
            _ => JobSource::Upload,
        };
        let submission = Submission {
            targets: vec![Target { printer: self.printer().await, registration: None, source, duplicate_key: None }],
            name: name.into(),
            originator: Originator {
                address: "anna@example.org".into(),
                registration: None,
                language: self.language,
                may_be_mailed: true,
            },
            options,
            priority: 50,
            document: Some(Submitted { document, format: format.into(), name: name.into() }),
            remarks: Vec::new(),
            holds: BTreeSet::new(),
            release_at: None,
            pin: None,
        };
        self.spooler.accept(submission).await.unwrap()[0].job
    }

    pub(crate) async fn job(&self, job: JobUuid) -> Job {
        self.spooler.job(Whose::Everyones, job).await.unwrap()
    }

    pub(crate) async fn attempts(&self, job: JobUuid) -> Vec<Attempt> {
        self.spooler.records().attempts_of(Whose::Everyones, job).await.unwrap()
    }

    /// Waits until the job is as wanted.
    pub(crate) async fn wait(&self, job: JobUuid, wanted: impl Fn(&Job) -> bool) -> Job {
        let mut changes = self.spooler.watch();
        let waiting = async {
            loop {
                let now = self.job(job).await;
                if wanted(&now) {
                    return now;
                }
                let _ = tokio::time::timeout(Duration::from_millis(200), changes.recv()).await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(job) => job,
            Err(_) => {
                let history = self.spooler.records().history_of_job(Whose::Everyones, job).await.unwrap();
                panic!("the job does not get there: {:#?}\n{history:#?}", self.job(job).await)
            }
        }
    }

    pub(crate) async fn completed(&self, job: JobUuid) -> Job {
        let job = self.wait(job, Job::is_over).await;
        assert_eq!(job.state, JobState::Completed, "{job:#?}");
        job
    }

    pub(crate) async fn wait_printer(&self, wanted: impl Fn(&Printer) -> bool) -> Printer {
        let mut changes = self.spooler.watch();
        let waiting = async {
            loop {
                let now = self.printer().await;
                if wanted(&now) {
                    return now;
                }
                let _ = tokio::time::timeout(Duration::from_millis(200), changes.recv()).await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(printer) => printer,
            Err(_) => panic!("the printer does not get there: {:#?}", self.printer().await),
        }
    }

    /// Waits until so many notices are in the folder; gives their texts, oldest name first.
    pub(crate) async fn notices(&self, count: usize) -> Vec<String> {
        let folder = self.folder.path().join("notices");
        let mut changes = self.spooler.watch();
        let waiting = async {
            loop {
                let mut found = Vec::new();
                for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                    if entry.path().extension().is_some_and(|ending| ending == "eml") {
                        found.push(std::fs::read_to_string(entry.path()).unwrap());
                    }
                }
                if found.len() >= count {
                    return found;
                }
                let _ = tokio::time::timeout(Duration::from_millis(200), changes.recv()).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the notices come")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.run.abort();
    }
}

fn spooler(records: &Arc<dyn Records>, documents: &Documents, crash: CrashPoint) -> Spooler {
    let options = SpoolerOptions { notice_after_ms: 50, effect_retry_ms: 50, ..SpoolerOptions::default() };
    Spooler::new(Arc::clone(records), documents.clone(), Clock::System, Randomness::System, options, crash)
}

fn run(spooler: &Spooler, delivery: Delivery) -> JoinHandle<()> {
    let spooler = spooler.clone();
    let perform: Arc<dyn Perform> = Arc::new(delivery);
    tokio::spawn(async move { spooler.run(perform).await.unwrap() })
}

/// Ends the world when a crash point is passed; `hit` tells that it was.
pub(crate) fn crash_at(point: &'static str) -> (CrashPoint, Arc<AtomicBool>) {
    let hit = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&hit);
    let crash = CrashPoint::when(move |name| name == point && !flag.swap(true, Ordering::SeqCst));
    (crash, hit)
}

pub(crate) async fn wait_for(flag: &AtomicBool) {
    let waiting = async {
        while !flag.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the crash point is passed");
}
