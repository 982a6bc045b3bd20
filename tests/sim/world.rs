//! A world from one seed: the real queue and delivery on a paused clock, scripted printers and people around them.

#[path = "faults.rs"]
mod faults;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;
use tympan_deliver::output::{Output, Outputs};
use tympan_deliver::report::{Hand, Mail, SendError};
use tympan_deliver::{Delivery, DeliveryOptions, MailOut, ReportOptions, Timings};
use tympan_engine::{
    ColorMode, DocumentId, DoubtDecision, DoubtPolicy, HoldReason, Job, JobEvent, JobOptions, JobSource, JobUuid,
    Language, Originator, OwnerId, PageRange, PrinterEvent, PrinterPolicy, PrinterUuid, RegistrationEvent, Right,
    Sides, StoredForm,
};
use tympan_render::Renderer;
use tympan_spooler::{NewPrinter, Randomness, Spooler, SpoolerError, SpoolerOptions, Submission, Submitted, Target};
use tympan_store::{Documents, Records, Whose};

use super::device::{Device, TRAYS, Traits};
use super::dice::Dice;
use super::guard::Guard;
use super::life::Life;
use super::model::{Content, Model};
use super::mutants::Mutant;
use super::output::Line;
use super::paper;
use super::step::Step;
use super::workshop::Hands;

const EVERYONES: Whose = Whose::Everyones;
const SENDERS: [&str; 4] = ["anna@example.org", "bob@example.org", "carla@example.net", "robot@example.org"];
const MINUTE_MS: u64 = 60_000;
/// Every job must have ended so long after the faults stopped, in milliseconds.
const REST_MS: u64 = 36 * 60 * MINUTE_MS;

/// How a world is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) seed: u64,
    pub(super) steps: u64,
    pub(super) mutant: Option<Mutant>,
    pub(super) traced: bool,
}

/// What came of a world.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) steps: u64,
    pub(super) jobs: u64,
    pub(super) sides: u64,
    pub(super) deaths: BTreeMap<&'static str, u64>,
    pub(super) happened: BTreeMap<String, u64>,
    /// Milliseconds of the world's time.
    pub(super) lasted_ms: u64,
    /// The first promise that was broken.
    pub(super) broken: Option<String>,
    pub(super) trace: Vec<String>,
}

/// Runs a world from its beginning to its rest.
pub(super) fn run(run: Run) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let mut world = World::new(run).await;
        world.live(run.steps).await;
        world.outcome()
    })
}

/// A mail on its way.
#[derive(Clone)]
struct Letter {
    number: u64,
    sender: usize,
    to: Vec<usize>,
    octets: Vec<u8>,
    content: Arc<Vec<Content>>,
    options: JobOptions,
    is_mail: bool,
    sent_ms: u64,
}

struct Server {
    spooler: Spooler,
    run: JoinHandle<Result<(), SpoolerError>>,
}

struct World {
    dice: Dice,
    life: Arc<Life>,
    model: Arc<Mutex<Model>>,
    guard: Arc<Guard>,
    documents: Documents,
    devices: Vec<Arc<Mutex<Device>>>,
    printers: Vec<PrinterUuid>,
    outputs: Outputs,
    server: Option<Server>,
    up_again_ms: u64,
    mails_fail: Arc<Mutex<u32>>,
    disk_full: bool,
    /// Mails that were not acknowledged: their senders try again.
    outbox: Vec<Letter>,
    sent: Vec<Letter>,
    /// Which job a mail became at a printer.
    became: BTreeMap<(u64, usize), JobUuid>,
    letters: u64,
    steps: u64,
    happened: BTreeMap<String, u64>,
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn traits(dice: &mut Dice) -> Traits {
    Traits {
        counts: dice.percent(75),
        remembers: dice.percent(60),
        makes_do: dice.percent(50),
        calls_it_done: dice.percent(30),
        reports: dice.percent(60),
        creates: dice.percent(80),
        takes_pdf: dice.percent(60),
        able: dice.percent(60),
        side_ms: dice.range(200, 3_000),
        nonvolatile: dice.percent(20),
    }
}

fn policy(dice: &mut Dice) -> PrinterPolicy {
    PrinterPolicy {
        doubt: *dice
            .pick(&[DoubtPolicy::Ask, DoubtPolicy::Ask, DoubtPolicy::Reprint, DoubtPolicy::Drop])
            .unwrap_or(&DoubtPolicy::Ask),
        stored_form: *dice
            .pick(&[StoredForm::Mail, StoredForm::PrintData, StoredForm::Smallest])
            .unwrap_or(&StoredForm::Mail),
        retention_ms: dice.range(20, 2_000) * MINUTE_MS,
        retry_interval_ms: dice.range(10, 900) * 1_000,
        retention_follows: dice.percent(70),
        review_pages: 12,
        reprint_window_ms: if dice.percent(50) { 0 } else { dice.range(1, 20) * MINUTE_MS },
        doubt_ms: dice.range(10, 300) * MINUTE_MS,
        ..PrinterPolicy::default()
    }
}

fn timings() -> Timings {
    Timings { stuck_max: Duration::from_secs(7_200), ..Timings::default() }
}

impl World {
    async fn new(run: Run) -> Self {
        let mut dice = Dice::new(run.seed);
        let count = dice.range(2, 3) as usize;
        let devices: Vec<_> = (0..count).map(|_| Arc::new(Mutex::new(Device::new(traits(&mut dice))))).collect();
        let life = Life::new();
        let model = Arc::new(Mutex::new(Model::new(devices.clone(), run.traced)));
        let guard = Guard::new(Arc::clone(&life), Arc::clone(&model), dice.fork(), run.mutant);
        let records: Arc<dyn Records> = Arc::clone(&guard) as Arc<dyn Records>;
        let line = |number: usize, device: &Arc<Mutex<Device>>, dice: &mut Dice| -> Arc<dyn Output> {
            Arc::new(Line {
                number,
                device: Arc::clone(device),
                life: Arc::clone(&life),
                model: Arc::clone(&model),
                dice: Mutex::new(dice.fork()),
                mutant: run.mutant,
            })
        };
        let lines: Vec<_> = devices.iter().enumerate().map(|(n, device)| line(n, device, &mut dice)).collect();
        let outputs = Outputs::choose(move |printer| {
            let number = printer.device.strip_prefix("ipp://sim/").and_then(|number| number.parse::<usize>().ok());
            number.and_then(|number| lines.get(number)).cloned().ok_or_else(|| "no such printer".to_owned())
        });
        let mut world = Self {
            documents: Documents::in_memory(records),
            dice,
            life,
            model,
            guard,
            devices,
            printers: Vec::new(),
            outputs,
            server: None,
            up_again_ms: 0,
            mails_fail: Arc::default(),
            disk_full: false,
            outbox: Vec::new(),
            sent: Vec::new(),
            became: BTreeMap::new(),
            letters: 0,
            steps: 0,
            happened: BTreeMap::new(),
        };
        world.start();
        world.furnish().await;
        world
    }

    /// Printers and registrations.
    async fn furnish(&mut self) {
        let Some(spooler) = self.spooler() else {
            return;
        };
        for number in 0..self.devices.len() {
            let new = NewPrinter {
                name: format!("printer-{number}"),
                device: format!("ipp://sim/{number}"),
                policy: policy(&mut self.dice),
                ..NewPrinter::default()
            };
            let printer = spooler.add_printer(OwnerId::FIRST, new).await.expect("a printer");
            lock(&self.model).has_printer(printer.clone(), number);
            self.printers.push(printer.uuid);
            for sender in SENDERS {
                spooler.register(&printer, sender, Language::En, JobOptions::default()).await.expect("a registration");
            }
        }
    }

    fn spooler(&self) -> Option<Spooler> {
        self.server.as_ref().map(|server| server.spooler.clone())
    }

    fn note(&self, line: impl FnOnce() -> String) {
        lock(&self.model).note(self.life.now_ms().max(1), line);
    }

    // The server's life.

    fn start(&mut self) {
        self.life.revive();
        let records: Arc<dyn Records> = Arc::clone(&self.guard) as Arc<dyn Records>;
        let random = Randomness::seeded(self.dice.next());
        let options = SpoolerOptions::default();
        let point = self.life.crash_point();
        let spooler = Spooler::new(records, self.documents.clone(), self.life.clock(), random, options, point);
        let delivery = Arc::new(Delivery::new(self.delivery_options()).expect("settings that are right"));
        let runner = spooler.clone();
        let run = tokio::spawn(async move { runner.run(delivery).await });
        self.server = Some(Server { spooler, run });
        self.is_up();
    }

    fn delivery_options(&self) -> DeliveryOptions {
        let (fails, model, life) = (Arc::clone(&self.mails_fail), Arc::clone(&self.model), Arc::clone(&self.life));
        let hand = Hand::new(move |mail: &Mail| {
            let mut fails = lock(&fails);
            let mut model = lock(&model);
            if *fails > 0 {
                *fails -= 1;
                model.mail_failed_ms = Some(life.now_ms());
                return Err(SendError { is_temporary: true, why: "the mail server is away".into() });
            }
            model.mail_leaves(mail, life.now_ms());
            Ok(())
        });
        let report =
            ReportOptions { mail_out: Some(MailOut::Hand(hand)), ..ReportOptions::new("print.example", "/nowhere") };
        DeliveryOptions {
            outputs: self.outputs.clone(),
            timings: timings(),
            workshop: Some(Arc::new(Hands)),
            ..DeliveryOptions::new(Renderer::new("/nowhere", [""; 0]), report)
        }
    }

    /// Nothing of the server is left but what was committed.
    async fn bury(&mut self) {
        let Some(server) = self.server.take() else {
            return;
        };
        self.life.die();
        server.run.abort();
        let end = server.run.await;
        if let Err(error) = end
            && error.is_panic()
        {
            lock(&self.model).broken(format!("the server panicked: {error}"));
        }
        self.guard.crash();
        let down_ms = self.dice.pick(&[1, 50, 1_000, 20_000, 200_000]).copied().unwrap_or(1);
        self.up_again_ms = self.life.now_ms() + down_ms;
        let mut model = lock(&self.model);
        model.deaths += 1;
        model.up_since_ms = None;
        drop(model);
        self.note(|| format!("the server is dead for {down_ms} ms"));
    }

    /// The queue stopped by itself, which nothing here is a reason for.
    async fn has_stopped(&mut self) {
        let Some(server) = self.server.take() else {
            return;
        };
        let end = server.run.await;
        lock(&self.model).broken(format!("the queue stopped: {end:?}"));
        self.up_again_ms = u64::MAX;
    }

    /// Time passes; the server may die in it, and comes back.
    async fn pass(&mut self, ms: u64) {
        let until_ms = self.life.now_ms() + ms;
        loop {
            let now_ms = self.life.now_ms();
            if self.server.is_none() && self.up_again_ms <= now_ms {
                self.note(|| "the server starts".into());
                self.start();
            }
            if self.life.is_dead() && self.server.is_some() {
                self.bury().await;
                continue;
            }
            if self.server.as_ref().is_some_and(|server| server.run.is_finished()) {
                self.has_stopped().await;
                continue;
            }
            let next_ms = match self.server {
                Some(_) => until_ms,
                None => until_ms.min(self.up_again_ms),
            };
            let left = Duration::from_millis(next_ms.saturating_sub(now_ms));
            if left.is_zero() && now_ms >= until_ms {
                // Whoever is ready now has its turn.
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                if !self.life.is_dead() || self.server.is_none() {
                    return;
                }
                continue;
            }
            let (life, lives) = (Arc::clone(&self.life), self.server.is_some());
            let died = async move { if lives { life.died().await } else { std::future::pending().await } };
            tokio::select! {
                biased;
                () = died => {}
                () = tokio::time::sleep(left) => {}
            }
        }
    }

    /// Asks the server for something; `None`: it is dead, or died over it.
    async fn ask<T>(&mut self, asks: impl Future<Output = T>) -> Option<T> {
        let life = Arc::clone(&self.life);
        tokio::select! {
            biased;
            () = life.died() => None,
            answer = asks => Some(answer),
        }
    }

    /// An answer to a person; the store may be full.
    fn heard<T>(&self, what: &str, answer: Option<Result<T, SpoolerError>>) -> Option<T> {
        match answer {
            Some(Ok(value)) => Some(value),
            Some(Err(error)) => {
                self.note(|| format!("{what}: {error}"));
                let is_ordinary = matches!(error, SpoolerError::Refused(_) | SpoolerError::NotFound(_))
                    || (self.disk_full && error.is_full());
                if !is_ordinary {
                    lock(&self.model).broken(format!("{what}: {error:?}"));
                }
                None
            }
            None => None,
        }
    }

    // Mails.

    fn write(&mut self) -> Letter {
        self.letters += 1;
        let number = self.letters;
        let is_mail = self.dice.percent(70);
        let parts = if is_mail { self.dice.range(1, 3) } else { 1 };
        let mut octets = Vec::new();
        let mut content = Vec::new();
        for part in 0..parts {
            let name = number << 8 | part;
            if self.dice.percent(5) {
                octets.push(paper::broken(name));
                content.push(Content { sum: 0, pages: 0 });
                continue;
            }
            let pages = if self.dice.percent(5) { self.dice.range(10, 16) } else { self.dice.range(1, 5) } as u32;
            let size = if self.dice.percent(3) { 70_000 } else { self.dice.range(100, 3_000) };
            let document = paper::pdf(name, pages, size as usize);
            content.push(Content { sum: paper::sum_of(&document), pages });
            octets.push(document);
        }
        let mut to: Vec<usize> = (0..self.printers.len()).filter(|_| self.dice.percent(25)).collect();
        if to.is_empty() {
            to.push(self.dice.below(self.printers.len() as u64) as usize);
        }
        let options = JobOptions {
            copies: self.dice.percent(15).then(|| self.dice.range(2, 3) as u16),
            sides: self.dice.percent(20).then_some(Sides::TwoSidedLongEdge),
            color: self.dice.percent(40).then_some(ColorMode::Monochrome),
            // A3 lies in no tray.
            media: match self.dice.below(100) {
                0..20 => Some(TRAYS[1].into()),
                20..23 => Some("iso_a3_297x420mm".into()),
                _ => None,
            },
            pages: match self.dice.percent(8) {
                true => vec![PageRange { first: self.dice.range(1, 3) as u32, last: u32::MAX }],
                false => Vec::new(),
            },
            receipt: self.dice.percent(10),
            ..JobOptions::default()
        };
        Letter {
            number,
            sender: self.dice.below(SENDERS.len() as u64) as usize,
            to,
            octets: if is_mail { paper::mail(&octets) } else { octets.swap_remove(0) },
            content: Arc::new(content),
            options,
            is_mail,
            sent_ms: self.life.now_ms(),
        }
    }

    async fn deliver(&mut self, letter: Letter) {
        let Some(spooler) = self.spooler() else {
            self.outbox.push(letter);
            return;
        };
        let number = letter.number;
        self.note(|| format!("mail {number} comes"));
        let came = self.ask(hand_in(&spooler, &self.model.clone(), &letter, &self.printers.clone())).await;
        match self.heard("a mail", came) {
            Some(accepted) => {
                for (place, (job, duplicate)) in accepted.into_iter().enumerate() {
                    lock(&self.model).acknowledged(job);
                    let at = letter.to[place];
                    self.note(|| {
                        format!(
                            "mail {number} is job {} at printer {at}{}",
                            job.short(),
                            if duplicate { ", again" } else { "" }
                        )
                    });
                    if let Some(before) = self.became.insert((number, at), job).filter(|before| *before != job) {
                        lock(&self.model).broken(format!(
                            "mail {number} became two jobs, {} and {}",
                            before.short(),
                            job.short()
                        ));
                    }
                }
                self.sent.push(letter);
            }
            None => self.outbox.push(letter),
        }
    }

    // Choosing.

    fn choose(&mut self, wanted: impl Fn(&Job) -> bool) -> Option<Job> {
        let jobs: Vec<Job> = {
            let model = lock(&self.model);
            model
                .open
                .iter()
                .filter_map(|job| model.jobs.get(job))
                .map(|known| &known.row)
                .filter(|row| wanted(row))
                .cloned()
                .collect()
        };
        self.dice.pick(&jobs).cloned()
    }

    fn choose_ended(&mut self, wanted: impl Fn(&Job) -> bool) -> Option<Job> {
        let jobs: Vec<Job> = {
            let model = lock(&self.model);
            let ended = model.jobs.values().rev().map(|known| &known.row).filter(|row| row.is_over() && wanted(row));
            ended.take(20).cloned().collect()
        };
        self.dice.pick(&jobs).cloned()
    }

    // Steps.

    async fn step(&mut self, step: Step) {
        self.note(|| format!("step {}: {step:?}", self.steps));
        *self.happened.entry(step.name()).or_default() += 1;
        let now_ms = self.life.now_ms();
        match step {
            Step::Submit => {
                let letter = self.write();
                self.deliver(letter).await;
            }
            Step::Repeat => {
                let recent = |letter: &&Letter| now_ms - letter.sent_ms < 2 * 24 * 60 * MINUTE_MS;
                let letters: Vec<Letter> = self.sent.iter().rev().take(10).filter(recent).cloned().collect();
                if let Some(letter) = self.dice.pick(&letters).cloned() {
                    self.deliver(letter).await;
                }
            }
            Step::Off(p) => self.device(p, |device| device.switch(false, now_ms)),
            Step::On(p) => self.recovers(p, |device| device.switch(true, now_ms)).await,
            Step::Restart(p) => {
                self.device(p, |device| device.switch(false, now_ms));
                self.pass(300).await;
                let now_ms = self.life.now_ms();
                self.recovers(p, |device| device.switch(true, now_ms)).await;
            }
            Step::NoPaper(p, tray) => self.device(p, |device| device.trays[tray] = 0),
            Step::LittlePaper(p, tray, sheets) => self.device(p, |device| device.trays[tray] = sheets),
            Step::Paper(p, tray) => self.recovers(p, |device| device.fill(tray)).await,
            Step::NoInk(p, color) => self.device(p, |device| device.inks[color] = 0),
            Step::Ink(p) => self.recovers(p, |device| device.inks = [80; 4]).await,
            Step::JamAt(p, at) => self.device(p, |device| device.armed.jam_at = Some(at)),
            Step::Clear(p) => self.recovers(p, Device::clear).await,
            Step::CoverOpen(p) => self.device(p, |device| device.cover_open = true),
            Step::DropLineAt(p, at) => self.device(p, |device| device.armed.drop_at = Some(at)),
            Step::LoseReplies(p, n) => self.device(p, |device| device.armed.lost_replies = n),
            Step::Forget(p) => self.device(p, |device| device.armed.forgets = true),
            Step::LieCompleted(p) => self.device(p, |device| device.armed.lies = true),
            Step::NeverComplete(p) => self.device(p, |device| device.armed.never_completes = true),
            Step::Busy(p, secs) => self.device(p, |device| device.busy_until_ms = now_ms + secs * 1_000),
            Step::Accepting(p, accepting) => self.recovers(p, |device| device.accepting = accepting).await,
            Step::RefuseFormat(p) => self.device(p, |device| device.armed.refuses = 1),
            Step::RefuseData(p) => self.device(p, |device| device.armed.refuses_data = 1),
            Step::AbortClean(p) => self.device(p, |device| device.armed.aborts = true),
            Step::Nonsense(p, n) => self.device(p, |device| device.armed.nonsense = n),
            Step::CancelAtPanel(p) => {
                let canceled = self.device(p, |device| {
                    let id = device.jobs.iter().find(|(_, job)| !job.is_over()).map(|(id, _)| *id)?;
                    device.cancel(id, now_ms);
                    device.jobs.get(&id).map(|job| job.short)
                });
                if let Some(short) = canceled {
                    lock(&self.model).panel_cancels(short);
                }
            }
            Step::Report(p) => self.report(p).await,
            Step::Crash => self.life.die(),
            Step::CrashAt(point, n) => self.life.arm(Some((point, n))),
            Step::ClockJump(secs) => self.life.set_ahead(secs * 1_000),
            Step::Cancel => {
                if let Some(job) = self.choose(|_| true) {
                    lock(&self.model).asks_to_cancel(job.uuid);
                    if let Some(row) = self.job_event(&job, JobEvent::Cancel("anna".into())).await {
                        lock(&self.model).canceled(&row);
                    }
                }
            }
            Step::Hold => {
                if let Some(job) = self.choose(|job| !job.handed) {
                    self.job_event(&job, JobEvent::Hold(HoldReason::Operator)).await;
                }
            }
            Step::Release => self.release_one().await,
            Step::Decide => self.decide_one().await,
            Step::Keep(secs) => self.registration(RegistrationEvent::Keep(Some(secs * 1_000))).await,
            Step::Retry(secs) => self.registration(RegistrationEvent::Retry(Some(secs * 1_000))).await,
            Step::Reprint => {
                let job = self.choose_ended(|job| !job.content_deleted);
                let at = self.dice.pick(&self.printers).copied().filter(|_| self.dice.clone().percent(40));
                if let (Some(job), Some(spooler)) = (job, self.spooler()) {
                    let answer = self.ask(spooler.reprint(EVERYONES, job.uuid, at, None, "operator")).await;
                    if let Some(again) = self.heard("reprint", answer) {
                        lock(&self.model).acknowledged(again.uuid);
                    }
                }
            }
            Step::Elsewhere => {
                let job = self.choose(|job| job.ready && !job.handed && job.doubt.is_none());
                let at = self.dice.pick(&self.printers).copied();
                if let (Some(job), Some(at), Some(spooler)) = (job, at, self.spooler()) {
                    lock(&self.model).asks_to_cancel(job.uuid);
                    let answer =
                        self.ask(spooler.print_elsewhere(EVERYONES, job.uuid, at, Right::Operate, "operator")).await;
                    if let Some(again) = self.heard("print elsewhere", answer) {
                        lock(&self.model).acknowledged(again.uuid);
                    }
                }
            }
            Step::Pause(p) => self.printer_event(p, PrinterEvent::Pause).await,
            Step::Resume(p) => self.printer_event(p, PrinterEvent::Resume).await,
            Step::MailFails(n) => *lock(&self.mails_fail) = n,
            Step::DiskFull(full) => {
                lock(&self.model).fulls += 1;
                self.fills_disk(full);
            }
            Step::Wait => {}
        }
    }

    fn outcome(self) -> Outcome {
        let mut model = lock(&self.model);
        Outcome {
            steps: self.steps,
            jobs: model.jobs.len() as u64,
            sides: model.sides,
            deaths: self.life.deaths(),
            happened: self.happened,
            lasted_ms: self.life.now_ms(),
            broken: model.broken.first().map(|what| format!("at step {}: {what}", self.steps)),
            trace: model.trace.take().unwrap_or_default(),
        }
    }
}

/// What a door does: the document as it arrives, then the rows, then the answer.
async fn hand_in(
    spooler: &Spooler,
    model: &Mutex<Model>,
    letter: &Letter,
    printers: &[PrinterUuid],
) -> Result<Vec<(JobUuid, bool)>, SpoolerError> {
    let sender = SENDERS[letter.sender];
    let mut targets = Vec::new();
    for number in &letter.to {
        let printer = spooler.printer(EVERYONES, printers[*number]).await?;
        let registration = spooler.registration_at(printer.uuid, sender).await?;
        let mut key = Sha256::new();
        key.update(letter.number.to_be_bytes());
        key.update(printer.uuid.0);
        targets.push(Target {
            printer,
            registration,
            source: match letter.is_mail {
                true => {
                    JobSource::Mail { message_id: None, recipient: format!("printer-{number}@print.example").into() }
                }
                false => JobSource::Upload,
            },
            duplicate_key: Some(key.finalize().into()),
        });
    }
    let id = DocumentId::from_parts(spooler.now(), spooler.random());
    lock(model).offers(id, Arc::clone(&letter.content));
    let (first, rest) = letter.octets.split_at(letter.octets.len() / 2);
    let mut writer = spooler.documents().create(id)?;
    writer.write(first).await?;
    spooler.crash_point("C1").await;
    writer.write(rest).await?;
    let document = writer.finish().await?;
    let submission = Submission {
        targets,
        name: format!("mail {}", letter.number).into(),
        originator: Originator {
            address: sender.into(),
            registration: None,
            language: Language::En,
            may_be_mailed: !sender.starts_with("robot"),
        },
        options: letter.options.clone(),
        priority: 50,
        document: Some(Submitted {
            document,
            format: if letter.is_mail { "message/rfc822".into() } else { "application/pdf".into() },
            name: format!("{:016x}", letter.content[0].sum).into(),
        }),
        remarks: Vec::new(),
        holds: BTreeSet::new(),
        release_at: None,
        pin: None,
    };
    let accepted = spooler.accept(submission).await?;
    Ok(accepted.into_iter().map(|accepted| (accepted.job, accepted.duplicate)).collect())
}
