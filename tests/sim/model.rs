//! What must be true of the line, whatever happens: the reference that every step is measured by.
//!
//! It sees every commit as it happens and every side of paper as it comes out, and it knows what people did and what
//! they were told. It asks the server nothing.

#[path = "audit.rs"]
mod audit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use tympan_engine::hold::{Hindrance, hindrance};
use tympan_engine::{
    Attempt, AttemptNumber, AttemptState, DeviceRef, DocumentId, DoubtPolicy, Evidence, Job, JobSource, JobUuid,
    Outcome, Printer, PrinterUuid, ShortId, Timestamp, Trouble, words,
};
use tympan_ipp::JobState;
use tympan_store::{Change, Key, MemoryStore, Record, Records as _, Whose};

use super::device::Device;
use super::paper::{Sum, What};

/// How long the server may take for what it does by itself, in milliseconds.
const SOON_MS: u64 = 120_000;
/// What was decided on rows that are a little older, in milliseconds.
const BLINK_MS: u64 = 100;

/// A document of a mail.
#[derive(Clone, Debug)]
pub(super) struct Content {
    pub(super) sum: Sum,
    pub(super) pages: u32,
}

/// What a printer made of a job, one for each job at the device.
#[derive(Clone, Debug, Default)]
struct Made {
    at_ms: u64,
    marked: bool,
    pages: Vec<(Sum, u32)>,
    attempt: Option<AttemptNumber>,
}

/// A job, as its rows say and as the world knows.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) row: Job,
    content: Arc<Vec<Content>>,
    acknowledged: bool,
    /// Since when it could print, were its printer well.
    idle_since_ms: Option<u64>,
    /// Since when it stands still in its printer.
    stopped_since_ms: Option<u64>,
    was_handed: bool,
    /// What its sender was told hinders it, since when its printer was in its troubles then, and how often the
    /// server had died.
    told: Option<(Trouble, u64, u64)>,
    doubts_ms: Vec<u64>,
    /// A person said what is to be printed again.
    decided: bool,
    cancel_asked: bool,
    /// Cancelled before any printer heard of it, and acknowledged.
    must_not_print: bool,
    panel_canceled: bool,
    /// It is made from a job that a printer had.
    repeats: bool,
    /// A printer said for good that it does not take it.
    refused: bool,
    documents: BTreeSet<DocumentId>,
    made: BTreeMap<(usize, u64), Made>,
}

impl Known {
    /// Every page of one copy, in order.
    fn expected(&self) -> Vec<(Sum, u32)> {
        let wanted = |content: &Content| {
            let sum = content.sum;
            (1..=content.pages)
                .filter(|page| self.row.options.wants_page(*page))
                .map(move |page| (sum, page))
                .collect::<Vec<_>>()
        };
        self.content.iter().flat_map(wanted).collect()
    }

    /// Since when it waits for its printer, if it does.
    fn hinders_ms(&self) -> Option<u64> {
        self.idle_since_ms.or(self.stopped_since_ms)
    }

    fn printed(&self, page: (Sum, u32)) -> usize {
        self.made.values().map(|made| made.pages.iter().filter(|one| **one == page).count()).sum()
    }
}

struct Seen {
    row: Printer,
    device: usize,
    changed_ms: u64,
    /// How many outages have ended.
    recoveries: u64,
    outage_since_ms: Option<u64>,
    /// When its troubles became others, or its operator let it go on.
    troubled_ms: u64,
}

pub(super) struct Model {
    devices: Vec<Arc<Mutex<Device>>>,
    /// How much of each device's paper was read.
    read: Vec<usize>,
    offers: BTreeMap<DocumentId, Arc<Vec<Content>>>,
    pub(super) jobs: BTreeMap<JobUuid, Known>,
    by_short: BTreeMap<ShortId, JobUuid>,
    /// Jobs that have not ended.
    pub(super) open: BTreeSet<JobUuid>,
    printers: BTreeMap<PrinterUuid, Seen>,
    attempts: BTreeMap<(JobUuid, AttemptNumber), Attempt>,
    open_attempts: BTreeSet<(PrinterUuid, JobUuid, AttemptNumber)>,
    documents: BTreeSet<DocumentId>,
    /// Mails by their id: how often the server had died when each was sent.
    told: BTreeMap<String, u64>,
    told_waiting: BTreeMap<(PrinterUuid, String, u64), u64>,
    /// Since when jobs should have ended.
    overdue_ms: BTreeMap<JobUuid, u64>,
    audited_deaths: u64,
    /// How often the server died.
    pub(super) deaths: u64,
    /// How often the disk became full, or free again: what was told could not be written down, and is told again.
    pub(super) fulls: u64,
    pub(super) up_since_ms: Option<u64>,
    /// When a mail could last not be sent.
    pub(super) mail_failed_ms: Option<u64>,
    pub(super) wall: Timestamp,
    pub(super) sides: u64,
    /// Promises that were broken.
    pub(super) broken: Vec<String>,
    /// What happened, where somebody wants to read it.
    pub(super) trace: Option<Vec<String>>,
}

impl Model {
    pub(super) fn new(devices: Vec<Arc<Mutex<Device>>>, traced: bool) -> Self {
        Self {
            read: vec![0; devices.len()],
            devices,
            offers: BTreeMap::new(),
            jobs: BTreeMap::new(),
            by_short: BTreeMap::new(),
            open: BTreeSet::new(),
            printers: BTreeMap::new(),
            attempts: BTreeMap::new(),
            open_attempts: BTreeSet::new(),
            documents: BTreeSet::new(),
            told: BTreeMap::new(),
            told_waiting: BTreeMap::new(),
            overdue_ms: BTreeMap::new(),
            audited_deaths: 0,
            deaths: 0,
            fulls: 0,
            up_since_ms: None,
            mail_failed_ms: None,
            wall: Timestamp(0),
            sides: 0,
            broken: Vec::new(),
            trace: traced.then(Vec::new),
        }
    }

    pub(super) fn broken(&mut self, what: String) {
        self.note(0, || format!("BROKEN: {what}"));
        self.broken.push(what);
    }

    pub(super) fn note(&mut self, now_ms: u64, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let line = line();
            trace.push(match now_ms {
                0 => format!("{:>13}  {line}", ""),
                ms => format!("{:>9}.{:03}  {line}", ms / 1000, ms % 1000),
            });
        }
    }

    pub(super) fn has_printer(&mut self, row: Printer, device: usize) {
        let seen = Seen { row, device, changed_ms: 0, recoveries: 0, outage_since_ms: None, troubled_ms: 0 };
        self.printers.insert(seen.row.uuid, seen);
    }

    // What people did.

    /// A mail is about to be sent.
    pub(super) fn offers(&mut self, document: DocumentId, content: Arc<Vec<Content>>) {
        self.offers.insert(document, content);
    }

    pub(super) fn acknowledged(&mut self, job: JobUuid) {
        match self.jobs.get_mut(&job) {
            Some(known) => known.acknowledged = true,
            None => self.broken(format!("job {} was acknowledged and is not written down", job.short())),
        }
    }

    pub(super) fn asks_to_cancel(&mut self, job: JobUuid) {
        if let Some(known) = self.jobs.get_mut(&job) {
            known.cancel_asked = true;
        }
    }

    /// A cancel was acknowledged; `job` is what the server says of it.
    pub(super) fn canceled(&mut self, job: &Job) {
        self.read_paper();
        let Some(known) = self.jobs.get_mut(&job.uuid) else {
            return;
        };
        if job.is_over() && !known.was_handed {
            known.must_not_print = true;
        }
    }

    pub(super) fn decided(&mut self, job: JobUuid) {
        if let Some(known) = self.jobs.get_mut(&job) {
            known.decided = true;
        }
    }

    pub(super) fn panel_cancels(&mut self, short: ShortId) {
        if let Some(known) = self.by_short.get(&short).and_then(|job| self.jobs.get_mut(job)) {
            known.panel_canceled = true;
        }
    }

    // What printers heard.

    pub(super) fn refused(&mut self, short: ShortId) {
        if let Some(known) = self.by_short.get(&short).and_then(|job| self.jobs.get_mut(job)) {
            known.refused = true;
        }
    }

    fn attempt_of(&self, short: ShortId) -> Option<&Attempt> {
        let known = self.jobs.get(self.by_short.get(&short)?)?;
        self.attempts.get(&(known.row.uuid, known.row.attempt?))
    }

    /// A printer made a job.
    pub(super) fn device_job_made(&mut self, device: usize, serial: u64, short: ShortId, now_ms: u64) {
        let attempt = self.attempt_of(short).map(|attempt| (attempt.state, attempt.number, attempt.printer));
        self.note(now_ms, || format!("printer {device} made job #{serial} for {short}"));
        match attempt {
            Some((AttemptState::Handed | AttemptState::Printing | AttemptState::Stopped, number, printer)) => {
                if self.printers.get(&printer).is_none_or(|seen| seen.device != device) {
                    self.broken(format!("job {short} went to a printer that is not its own"));
                }
                let job = self.by_short.get(&short).copied();
                if let Some(known) = job.and_then(|job| self.jobs.get_mut(&job)) {
                    let made = Made { at_ms: now_ms, attempt: Some(number), ..Made::default() };
                    known.made.insert((device, serial), made);
                }
            }
            other => self.broken(format!("a printer heard of job {short} while its attempt was {other:?}")),
        }
    }

    /// The first octet of a document is about to go out.
    pub(super) fn document_begins(&mut self, serial: u64, short: ShortId, named: Option<&DeviceRef>) {
        let safe = self.attempt_of(short).is_some_and(|attempt| match named {
            Some(named) => attempt.device.as_ref().is_some_and(|device| device.job_id == named.job_id),
            None => attempt.octets_sent > 0,
        });
        if !safe {
            self.broken(format!("job {short} (#{serial}) was sent before it was written down that it would be"));
        }
    }

    // What came out.

    /// Reads the paper that came out since.
    pub(super) fn read_paper(&mut self) {
        for number in 0..self.devices.len() {
            let device = Arc::clone(&self.devices[number]);
            let device = device.lock().unwrap_or_else(PoisonError::into_inner);
            let from = self.read[number];
            self.read[number] = device.paper.len();
            for side in &device.paper[from..] {
                self.sides += 1;
                let job = self.by_short.get(&side.short).copied();
                let Some(known) = job.and_then(|job| self.jobs.get_mut(&job)) else {
                    self.broken.push(format!("a sheet of a job {} that nobody sent", side.short));
                    continue;
                };
                if let Some(what) = known.comes_out(number, side.serial, &side.what) {
                    self.broken.push(format!("job {}: {what}", side.short));
                }
            }
        }
    }

    /// A device lied about a job of ours.
    fn lied(&self, known: &Known) -> bool {
        known.made.keys().any(|(device, serial)| {
            let device = self.devices[*device].lock().unwrap_or_else(PoisonError::into_inner);
            device.lies.contains(serial)
        })
    }

    // What was written down.

    /// A change is about to be committed.
    pub(super) fn commits(&mut self, change: &Change, now_ms: u64) {
        for (record, version) in &change.put {
            if let (Record::Attempt(attempt), 0) = (record, version) {
                self.is_in_order(attempt, now_ms);
            }
        }
    }

    /// Whoever was accepted first goes first, among equals that can print.
    fn is_in_order(&mut self, attempt: &Attempt, now_ms: u64) {
        let Some(next) = self.jobs.get(&attempt.job) else {
            return;
        };
        let Some(seen) = self.printers.get(&attempt.printer) else {
            return;
        };
        let long = |since: u64| now_ms.saturating_sub(since) >= BLINK_MS;
        if !long(seen.changed_ms) {
            return;
        }
        let may_be_tried = |row: &Job| {
            let until = row.put_back_until(seen.row.condition.reported_at);
            until.is_none_or(|until| self.wall.since(until) >= BLINK_MS)
        };
        let earlier = self.open.iter().filter_map(|job| self.jobs.get(job)).find(|known| {
            let row = &known.row;
            row.printer == attempt.printer
                && row.priority == next.row.priority
                && row.id < next.row.id
                && row.is_waiting()
                && may_be_tried(row)
                && known.idle_since_ms.is_some_and(long)
                && (seen.row.condition.trouble_for_all().is_some() || seen.row.trouble_for(&row.options).is_none())
        });
        if let Some(earlier) = earlier {
            let (earlier, next) = (earlier.row.short(), next.row.short());
            self.broken(format!("job {next} went before job {earlier}, which came first and could print"));
        }
    }

    /// A change was committed.
    pub(super) fn committed(&mut self, change: &Change, now_ms: u64) {
        for document in &change.documents {
            self.documents.insert(document.id);
        }
        for key in &change.delete {
            if matches!(key, Key::Job(_)) {
                self.broken(format!("{key:?} was deleted"));
            }
        }
        for (record, _) in &change.put {
            match record {
                Record::Attempt(attempt) => self.attempt_moved(attempt, now_ms),
                Record::Printer(printer) => self.printer_moved(printer, now_ms),
                _ => {}
            }
        }
        for (record, _) in &change.put {
            if let Record::Job(job) = record {
                self.job_moved(job, now_ms);
            }
        }
        for (record, version) in &change.put {
            if let (Record::Job(Job { source: JobSource::Reprint { of }, .. }), 0) = (record, version)
                && self.open.contains(of)
            {
                self.broken(format!("job {} is printed twice: a copy was made, and it waits", of.short()));
            }
        }
    }

    fn attempt_moved(&mut self, attempt: &Attempt, now_ms: u64) {
        let key = (attempt.job, attempt.number);
        let before = self.attempts.insert(key, attempt.clone()).map(|before| before.state);
        if before != Some(attempt.state) {
            let (job, number, state) = (attempt.job.short(), attempt.number.0, attempt.state.as_str());
            let (out, of) = (attempt.impressions_completed, attempt.impressions);
            self.note(now_ms, || match out {
                Some(out) => format!("attempt {job}/{number} is {state}, {out} of {of} pages"),
                None => format!("attempt {job}/{number} is {state}"),
            });
        }
        let place = (attempt.printer, attempt.job, attempt.number);
        if attempt.state.is_over() {
            self.open_attempts.remove(&place);
        } else {
            self.open_attempts.insert(place);
            let others =
                self.open_attempts.iter().filter(|other| other.0 == attempt.printer && **other != place).count();
            if others > 0 {
                self.broken(format!("a printer has another attempt beside {}", attempt.job.short()));
            }
        }
        if let Some(known) = self.jobs.get_mut(&attempt.job) {
            known.was_handed |= attempt.state != AttemptState::Assigned && !attempt.state.is_over();
            if attempt.state == AttemptState::InDoubt && before != Some(AttemptState::InDoubt) {
                known.doubts_ms.push(now_ms);
            }
        }
    }

    fn printer_moved(&mut self, printer: &Printer, now_ms: u64) {
        let Some(seen) = self.printers.get_mut(&printer.uuid) else {
            return;
        };
        let (before, after) =
            (seen.row.outage.as_ref().map(|outage| outage.id), printer.outage.as_ref().map(|outage| outage.id));
        if before != after {
            seen.recoveries += u64::from(before.is_some() && after.is_none());
            seen.outage_since_ms = after.map(|_| now_ms);
        }
        if seen.row.paused != printer.paused || seen.row.condition.troubles() != printer.condition.troubles() {
            seen.troubled_ms = now_ms;
        }
        seen.changed_ms = now_ms;
        seen.row = printer.clone();
        for job in &self.open {
            let Some(known) = self.jobs.get_mut(job).filter(|known| known.row.printer == printer.uuid) else {
                continue;
            };
            let trouble = printer.trouble_for(&known.row.options);
            known.told = known.told.take().filter(|(told, ..)| trouble.as_ref() == Some(told));
        }
        if before != after {
            let (name, trouble) = (printer.name.clone(), printer.outage.as_ref().map(|outage| outage.trouble.word()));
            self.note(now_ms, || format!("{name}: outage {}", trouble.unwrap_or("over")));
        }
    }

    fn job_moved(&mut self, job: &Job, now_ms: u64) {
        let before = self.jobs.get(&job.uuid).map(|known| known.row.clone());
        if before.is_none() {
            self.job_begins(job);
        }
        let state_before = before.as_ref().map(|before| before.state);
        if state_before != Some(job.state) {
            let (short, state) = (job.short(), job.state.as_str());
            let outcome = job.outcome.as_ref().map_or(String::new(), |outcome| format!(" {outcome:?}"));
            self.note(now_ms, || format!("job {short} is {state}{outcome}"));
        }
        let doubt_before = before.as_ref().and_then(|before| before.doubt.clone());
        let Some(known) = self.jobs.get_mut(&job.uuid) else {
            return;
        };
        known.row = job.clone();
        known.documents.extend(job.stored());
        let is_idle = !job.is_over() && job.ready && job.holds.is_empty() && !job.handed && job.doubt.is_none();
        known.idle_since_ms = is_idle.then(|| known.idle_since_ms.unwrap_or(now_ms));
        let stands = job.state == JobState::ProcessingStopped && job.doubt.is_none();
        known.stopped_since_ms = stands.then(|| known.stopped_since_ms.unwrap_or(now_ms));
        if before.as_ref().is_some_and(Job::is_over) && !job.is_over() {
            self.broken(format!("job {} had ended and goes on", job.short()));
        }
        if job.doubt.is_some() && job.doubt != doubt_before {
            self.is_doubt_right(job.uuid);
        }
        if job.is_over() {
            self.open.remove(&job.uuid);
            if before.is_none_or(|before| !before.is_over()) {
                self.ended(job.uuid);
            }
        } else {
            self.open.insert(job.uuid);
        }
    }

    fn job_begins(&mut self, job: &Job) {
        let received = job.received.first().and_then(|received| self.offers.get(&received.id)).cloned();
        let content = match (&job.source, received) {
            (JobSource::Reprint { of }, _) => self.jobs.get(of).map(|known| Arc::clone(&known.content)),
            (_, received) => received,
        };
        let Some(content) = content else {
            self.broken(format!("job {} comes from nowhere", job.short()));
            return;
        };
        let of = match &job.source {
            JobSource::Reprint { of } => self.jobs.get(of),
            _ => None,
        };
        let known = Known {
            repeats: of.is_some_and(|of| of.was_handed),
            row: job.clone(),
            content,
            acknowledged: false,
            idle_since_ms: None,
            stopped_since_ms: None,
            was_handed: false,
            told: None,
            doubts_ms: Vec::new(),
            decided: false,
            cancel_asked: false,
            must_not_print: false,
            panel_canceled: false,
            refused: false,
            documents: BTreeSet::new(),
            made: BTreeMap::new(),
        };
        self.jobs.insert(job.uuid, known);
        if self.by_short.insert(job.short(), job.uuid).is_some() {
            self.broken(format!("two jobs are called {}", job.short()));
        }
    }

    /// A doubt says which pages are there for certain, and which may be.
    fn is_doubt_right(&mut self, job: JobUuid) {
        self.read_paper();
        let Some(known) = self.jobs.get(&job) else {
            return;
        };
        let Some(doubt) = &known.row.doubt else {
            return;
        };
        if self.lied(known) {
            return;
        }
        let expected = known.expected();
        let missing = expected.iter().take(doubt.certain as usize).position(|page| known.printed(*page) == 0);
        let of_attempt = known.made.values().filter(|made| made.attempt == Some(doubt.attempt));
        let last = of_attempt
            .flat_map(|made| &made.pages)
            .filter_map(|page| expected.iter().position(|one| one == page))
            .max();
        let (certain, possible) = (doubt.certain, doubt.possible);
        if let (Some(missing), false) = (missing, known.decided) {
            self.broken(format!(
                "job {}: page {} is called certain (1 to {certain}) and never came out",
                job.short(),
                missing + 1
            ));
        } else if last.is_some_and(|last| last as u32 + 1 > possible) {
            self.broken(format!(
                "job {}: page {} came out, and at most {possible} is called possible",
                job.short(),
                last.unwrap_or(0) + 1
            ));
        }
    }

    /// Nothing ends without a reason that somebody gave.
    fn ended(&mut self, job: JobUuid) {
        self.read_paper();
        let Some(known) = self.jobs.get(&job) else {
            return;
        };
        let row = &known.row;
        let policy = self.printers.get(&row.printer).map(|seen| seen.row.policy.doubt);
        let short = job.short();
        let fault = match &row.outcome {
            None => Some("it has no outcome".into()),
            Some(Outcome::Printed { evidence: Evidence::E5 }) if known.decided => None,
            Some(Outcome::Printed { evidence: Evidence::E0 | Evidence::E1 | Evidence::E5 }) => {
                Some("printed by no evidence".into())
            }
            Some(Outcome::Printed { .. }) => {
                let copies = usize::from(row.copies());
                let missing = known.expected().into_iter().find(|page| known.printed(*page) < copies);
                missing
                    .filter(|_| !known.decided && !self.lied(known))
                    .map(|(_, page)| format!("it is called printed, and page {page} is missing"))
            }
            Some(Outcome::Canceled { .. }) => {
                (!known.cancel_asked && !known.decided).then(|| "nobody cancelled it".into())
            }
            Some(Outcome::CanceledAtDevice) => {
                (!known.panel_canceled).then(|| "nobody cancelled it at the printer".into())
            }
            Some(Outcome::Unprintable { why }) => {
                let excused = known.content.iter().all(|content| content.pages == 0)
                    || known.expected().is_empty()
                    || known.refused
                    || row.failures >= tympan_engine::job::FAILURES_MAX;
                (!excused).then(|| format!("it was given up as unprintable: {why}"))
            }
            Some(Outcome::Expired) => (self.wall < row.keep_until).then(|| "it expired too early".into()),
            Some(Outcome::DoubtClosed) => {
                let excused = policy == Some(DoubtPolicy::Drop) || self.wall >= row.keep_until;
                (!excused || known.doubts_ms.is_empty()).then(|| "its doubt was closed too early".into())
            }
        };
        if let Some(fault) = fault {
            self.broken(format!("job {short}: {fault}"));
        }
    }

    // What people were told.

    /// A mail leaves.
    pub(super) fn mail_leaves(&mut self, mail: &tympan_deliver::report::Mail, now_ms: u64) {
        let (to, subject, deaths) = (mail.to.clone(), mail.letter.subject.clone(), self.deaths + self.fulls);
        self.note(now_ms, || format!("mail to {to}: {subject}"));
        if let Some(before) = self.told.insert(mail.id.clone(), deaths).filter(|before| *before == deaths) {
            self.broken(format!("{to} was told twice: {subject} ({before})"));
        }
        if !subject.contains("cannot print now") {
            return;
        }
        let name = mail.from.split('@').next().unwrap_or_default();
        let Some(seen) = self.printers.values().find(|seen| seen.row.name == name) else {
            return;
        };
        let key = (seen.row.uuid, to.clone(), seen.recoveries);
        let twice = self.told_waiting.insert(key, deaths) == Some(deaths);
        let theirs = |known: &&mut Known| known.row.printer == seen.row.uuid && known.row.originator.address.0 == to;
        let mut again = None;
        for known in self.jobs.values_mut().filter(theirs).filter(|known| !known.row.is_over()) {
            let trouble = seen.row.trouble_for(&known.row.options).filter(|_| known.hinders_ms().is_some());
            let now = trouble.map(|trouble| (trouble, seen.troubled_ms, deaths));
            again = again.or(now.clone().filter(|now| known.told.as_ref() == Some(now)).map(|_| known.row.short()));
            known.told = now;
        }
        if twice {
            self.broken(format!("{to} was told twice of one outage of {name}"));
        } else if let Some(short) = again {
            self.broken(format!("{to} was told twice that {name} cannot print job {short}, and nothing had changed"));
        }
    }

    // After each step.
}

impl Known {
    /// One more side of this job; says what is wrong with it.
    fn comes_out(&mut self, device: usize, serial: u64, what: &What) -> Option<String> {
        let expected = self.expected();
        let copies = usize::from(self.row.copies());
        let short = self.row.short();
        if self.must_not_print {
            return Some("it was cancelled before any printer had it, and prints".into());
        }
        let Some(made) = self.made.get_mut(&(device, serial)) else {
            return Some("the printer prints what it was not told".into());
        };
        let page = match what {
            What::Mark(text) => {
                made.marked = true;
                return (!text.contains("REPRINT of ")).then(|| format!("its mark says `{text}`"));
            }
            What::Blank => return None,
            What::Page { sum, page } => (*sum, *page),
        };
        let Some(place) = expected.iter().position(|one| *one == page) else {
            return Some(format!("page {} of a document that was not accepted for it came out", page.1));
        };
        if self.repeats && !made.marked {
            return Some("it is a reprint, and no sheet says so".into());
        }
        if copies == 1
            && made
                .pages
                .last()
                .and_then(|last| expected.iter().position(|one| one == last))
                .is_some_and(|last| last >= place)
        {
            return Some(format!("page {} came out of order, or twice", place + 1));
        }
        if made.pages.iter().filter(|one| **one == page).count() >= copies {
            return Some(format!("page {} came out more than {copies} times", place + 1));
        }
        made.pages.push(page);
        // Two jobs at printers that share a page: the later one must have been asked for, and say so.
        let with_page: Vec<&Made> = self.made.values().filter(|made| made.pages.contains(&page)).collect();
        let first = with_page.iter().map(|made| made.at_ms).min().unwrap_or(0);
        for again in with_page.iter().filter(|made| made.at_ms > first) {
            if !self.doubts_ms.iter().any(|doubt| *doubt <= again.at_ms) {
                return Some(format!("page {} of {short} was printed twice, and nobody was in doubt", place + 1));
            }
            if !again.marked {
                return Some(format!("page {} of {short} was printed again without a mark", place + 1));
            }
        }
        None
    }
}
