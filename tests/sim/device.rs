//! A scripted printer: it has jobs, paper, ink and faults, and its own time.
//!
//! Nothing runs in it. Whoever looks at it first moves it to now; so it costs nothing while nobody looks, and what it
//! did depends on nothing but its past.

use std::collections::BTreeMap;

use tympan_engine::{ColorMode, Condition, DeviceProfile, Marker, PageRange, Reachability, ShortId, Tray};
use tympan_ipp::{JobState, PrinterState};

use super::paper::{Side, What, sides_of};

pub(super) const TRAYS: [&str; 2] = ["iso_a4_210x297mm", "iso_a5_148x210mm"];
pub(super) const COLORS: [&str; 4] = ["cyan", "magenta", "yellow", "black"];
/// Sheets in a full tray.
const FULL: u32 = 500;
/// How long a job without its document is kept ("multiple-operation-time-out"), in milliseconds.
const UNFINISHED_MS: u64 = 120_000;
/// How long a printer that does not remember much remembers, in milliseconds.
const SHORT_MEMORY_MS: u64 = 45_000;

/// What kind of printer it is.
#[derive(Clone, Debug)]
pub(super) struct Traits {
    /// It says how many sides came out.
    pub(super) counts: bool,
    /// It remembers all jobs that it had since it was switched on.
    pub(super) remembers: bool,
    /// It prints the sides that it has when the line breaks.
    pub(super) makes_do: bool,
    /// Such a job ends as "completed", not as "aborted".
    pub(super) calls_it_done: bool,
    /// It reports by itself when it is well again.
    pub(super) reports: bool,
    /// It makes a job before the document comes.
    pub(super) creates: bool,
    /// It takes PDF, not only raster.
    pub(super) takes_pdf: bool,
    /// It makes copies, turns sheets and picks pages itself.
    pub(super) able: bool,
    /// Milliseconds for a side.
    pub(super) side_ms: u64,
    /// Jobs in it go on after it was switched off and on again.
    pub(super) nonvolatile: bool,
}

/// A fault that waits for its moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Armed {
    /// A jam before this side of the next job, from 0.
    pub(super) jam_at: Option<u32>,
    /// The line breaks at this octet of the next document.
    pub(super) drop_at: Option<u64>,
    /// It does what it is told, and the answer is lost: so many times.
    pub(super) lost_replies: u32,
    /// The next job is forgotten as soon as it has printed.
    pub(super) forgets: bool,
    /// The next job "completes" without a sheet.
    pub(super) lies: bool,
    /// The next job never ends.
    pub(super) never_completes: bool,
    /// The next job is aborted before a sheet came out.
    pub(super) aborts: bool,
    /// So many jobs are refused for their format.
    pub(super) refuses: u32,
    /// So many documents are refused after they have come.
    pub(super) refuses_data: u32,
    /// So many questions are answered with nonsense.
    pub(super) nonsense: u32,
}

#[derive(Clone, Debug)]
pub(super) struct DeviceJob {
    pub(super) serial: u64,
    pub(super) short: ShortId,
    pub(super) uuid: String,
    pub(super) state: JobState,
    pub(super) copies: u16,
    pub(super) duplex: bool,
    ranges: Vec<PageRange>,
    mono: bool,
    tray: usize,
    octets: Vec<u8>,
    whole: bool,
    sides: Option<Vec<What>>,
    pub(super) done: u32,
    part_ms: u64,
    touched_ms: u64,
    ended_ms: Option<u64>,
    lied: bool,
    hangs: bool,
}

impl DeviceJob {
    pub(super) fn is_over(&self) -> bool {
        self.ended_ms.is_some()
    }

    pub(super) fn is_incoming(&self) -> bool {
        self.sides.is_none() && !self.is_over()
    }

    /// Sides it will have made when it is through.
    fn all(&self) -> u32 {
        self.sides.as_ref().map_or(0, |sides| sides.len() as u32 * u32::from(self.copies))
    }
}

/// What a job is made from.
#[derive(Clone, Debug)]
pub(super) struct NewJob {
    pub(super) short: ShortId,
    pub(super) copies: u16,
    pub(super) duplex: bool,
    pub(super) ranges: Vec<PageRange>,
    pub(super) color: Option<ColorMode>,
    pub(super) media: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) traits: Traits,
    pub(super) armed: Armed,
    pub(super) on: bool,
    /// Since when it is on.
    booted_ms: u64,
    pub(super) trays: [u32; 2],
    pub(super) inks: [u8; 4],
    pub(super) jammed: bool,
    pub(super) cover_open: bool,
    pub(super) accepting: bool,
    pub(super) busy_until_ms: u64,
    pub(super) jobs: BTreeMap<i32, DeviceJob>,
    next_id: i32,
    next_serial: u64,
    at_ms: u64,
    /// All that ever came out.
    pub(super) paper: Vec<Side>,
    /// Jobs that it said it printed, and did not.
    pub(super) lies: Vec<u64>,
}

impl Device {
    pub(super) fn new(traits: Traits) -> Self {
        Self {
            traits,
            armed: Armed::default(),
            on: true,
            booted_ms: 0,
            trays: [FULL; 2],
            inks: [80; 4],
            jammed: false,
            cover_open: false,
            accepting: true,
            busy_until_ms: 0,
            jobs: BTreeMap::new(),
            next_id: 1,
            next_serial: 1,
            at_ms: 0,
            paper: Vec::new(),
            lies: Vec::new(),
        }
    }

    /// "printer-up-time" in seconds; an hour is added, as most printers run long.
    pub(super) fn up_time_secs(&self, now_ms: u64) -> i32 {
        let before = if self.booted_ms == 0 { 86_400 } else { 0 };
        i32::try_from(before + now_ms.saturating_sub(self.booted_ms) / 1000 + 1).unwrap_or(i32::MAX)
    }

    /// Moves it to now.
    pub(super) fn advance(&mut self, now_ms: u64) {
        while self.on && self.at_ms < now_ms {
            self.expire(now_ms);
            let Some(id) = self.active() else { break };
            if self.is_stuck(id) {
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.state = JobState::ProcessingStopped;
                }
                break;
            }
            self.work(id, now_ms);
        }
        self.at_ms = now_ms;
        self.expire(now_ms);
        if self.on && !self.traits.remembers {
            let old = |job: &DeviceJob| job.ended_ms.is_some_and(|at| now_ms.saturating_sub(at) > SHORT_MEMORY_MS);
            self.jobs.retain(|_, job| !old(job));
        }
    }

    /// The job that has the rollers.
    fn active(&self) -> Option<i32> {
        self.jobs.iter().find(|(_, job)| job.sides.is_some() && !job.is_over()).map(|(id, _)| *id)
    }

    fn is_stuck(&self, id: i32) -> bool {
        let Some(job) = self.jobs.get(&id) else {
            return false;
        };
        if job.done >= job.all() && job.sides.is_some() {
            return false;
        }
        let dry = self.inks.iter().enumerate().any(|(n, level)| *level == 0 && (!job.mono || COLORS[n] == "black"));
        self.jammed || self.cover_open || dry || self.trays[job.tray] == 0
    }

    /// Goes on with a job until a side is out, the job is over, or it is now.
    fn work(&mut self, id: i32, now_ms: u64) {
        let side_ms = self.traits.side_ms;
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.state = JobState::Processing;
        if job.done == 0 && job.part_ms == 0 && !job.hangs && !job.lied {
            if std::mem::take(&mut self.armed.aborts) {
                job.state = JobState::Aborted;
                job.ended_ms = Some(self.at_ms);
                return;
            }
            if std::mem::take(&mut self.armed.lies) {
                job.lied = true;
                self.lies.push(job.serial);
            }
            job.hangs = std::mem::take(&mut self.armed.never_completes);
        }
        if job.lied {
            job.done = job.all();
        }
        if job.done >= job.all() {
            if job.hangs {
                self.at_ms = now_ms;
                return;
            }
            job.state = match job.whole || self.traits.calls_it_done {
                true => JobState::Completed,
                false => JobState::Aborted,
            };
            job.ended_ms = Some(self.at_ms);
            if job.done > 0 && std::mem::take(&mut self.armed.forgets) {
                self.jobs.remove(&id);
            }
            return;
        }
        if self.armed.jam_at.is_some_and(|at| job.done >= at) {
            self.armed.jam_at = None;
            self.jammed = true;
            return;
        }
        let left = side_ms - job.part_ms;
        if now_ms - self.at_ms < left {
            job.part_ms += now_ms - self.at_ms;
            self.at_ms = now_ms;
            return;
        }
        self.at_ms += left;
        job.part_ms = 0;
        let sides = job.sides.as_deref().unwrap_or_default();
        let what = sides[job.done as usize % sides.len()].clone();
        if !job.duplex || job.done % 2 == 0 {
            self.trays[job.tray] -= 1;
        }
        job.done += 1;
        self.paper.push(Side { short: job.short, serial: job.serial, what });
    }

    /// Jobs whose document does not come end.
    fn expire(&mut self, now_ms: u64) {
        let waited = |job: &DeviceJob| job.is_incoming() && now_ms.saturating_sub(job.touched_ms) >= UNFINISHED_MS;
        let ids: Vec<i32> = self.jobs.iter().filter(|(_, job)| waited(job)).map(|(id, _)| *id).collect();
        for id in ids {
            self.line_broke(id, now_ms);
        }
    }

    pub(super) fn create(&mut self, new: NewJob, now_ms: u64) -> i32 {
        self.advance(now_ms);
        let id = self.next_id;
        let serial = self.next_serial;
        self.next_id += 1;
        self.next_serial += 1;
        let tray = TRAYS.iter().position(|media| new.media.as_deref() == Some(media)).unwrap_or(0);
        let job = DeviceJob {
            serial,
            short: new.short,
            uuid: format!("urn:uuid:sim-{serial}"),
            state: JobState::Pending,
            copies: new.copies.max(1),
            duplex: new.duplex,
            ranges: new.ranges,
            mono: new.color == Some(ColorMode::Monochrome),
            tray,
            octets: Vec::new(),
            whole: false,
            sides: None,
            done: 0,
            part_ms: 0,
            touched_ms: now_ms,
            ended_ms: None,
            lied: false,
            hangs: false,
        };
        self.jobs.insert(id, job);
        id
    }

    /// Takes octets of a document; false: it has no such job, or took all it wanted.
    pub(super) fn take(&mut self, id: i32, octets: &[u8], now_ms: u64) -> bool {
        self.advance(now_ms);
        match self.jobs.get_mut(&id).filter(|job| job.is_incoming()) {
            Some(job) => {
                job.octets.extend_from_slice(octets);
                job.touched_ms = now_ms;
                true
            }
            None => false,
        }
    }

    /// The document is whole.
    pub(super) fn taken(&mut self, id: i32, now_ms: u64) -> bool {
        self.advance(now_ms);
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_incoming()) else {
            return false;
        };
        job.whole = true;
        job.sides = Some(sides_of(&job.octets, &job.ranges, true));
        true
    }

    /// The line broke while the document came, or it never came.
    pub(super) fn line_broke(&mut self, id: i32, now_ms: u64) {
        let makes_do = self.traits.makes_do;
        let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_incoming()) else {
            return;
        };
        let sides = sides_of(&job.octets, &job.ranges, false);
        if makes_do && !sides.is_empty() {
            job.copies = 1;
            job.sides = Some(sides);
        } else {
            job.state = JobState::Aborted;
            job.ended_ms = Some(now_ms);
        }
    }

    /// Cancels a job; false: it is over, or unknown.
    pub(super) fn cancel(&mut self, id: i32, now_ms: u64) -> bool {
        self.advance(now_ms);
        match self.jobs.get_mut(&id).filter(|job| !job.is_over()) {
            Some(job) => {
                job.state = JobState::Canceled;
                job.ended_ms = Some(now_ms);
                true
            }
            None => false,
        }
    }

    pub(super) fn switch(&mut self, on: bool, now_ms: u64) {
        self.advance(now_ms);
        if self.on == on {
            return;
        }
        self.on = on;
        let ids: Vec<i32> = self.jobs.keys().copied().collect();
        for id in ids {
            if let Some(job) = self.jobs.get_mut(&id).filter(|job| job.is_incoming()) {
                job.state = JobState::Aborted;
                job.ended_ms = Some(now_ms);
            }
        }
        if on {
            self.booted_ms = now_ms;
            self.jammed = false;
            if !self.traits.nonvolatile {
                self.jobs.clear();
                self.next_id = 1;
            }
        }
    }

    /// Somebody looks after it.
    pub(super) fn clear(&mut self) {
        self.jammed = false;
        self.cover_open = false;
    }

    /// Everything is well again.
    pub(super) fn heal(&mut self, now_ms: u64) {
        self.switch(true, now_ms);
        self.clear();
        self.armed = Armed::default();
        self.trays = [1_000_000; 2];
        self.inks = [80; 4];
        self.accepting = true;
        self.busy_until_ms = 0;
        for job in self.jobs.values_mut() {
            job.hangs = false;
        }
    }

    pub(super) fn fill(&mut self, tray: usize) {
        self.trays[tray] = FULL;
    }

    /// Whether somebody must help before anything prints.
    pub(super) fn stands(&self) -> bool {
        self.jammed || self.cover_open || self.active().is_some_and(|id| self.is_stuck(id))
    }

    pub(super) fn condition(&self) -> Condition {
        let stands = self.stands();
        let suffix = if stands { "error" } else { "warning" };
        let mut reasons = Vec::new();
        let mut say = |is: bool, what: &str| {
            if is {
                reasons.push(format!("{what}-{suffix}"));
            }
        };
        say(self.jammed, "media-jam");
        say(self.cover_open, "cover-open");
        say(self.trays.contains(&0), "media-empty");
        say(self.inks.contains(&0), "marker-supply-empty");
        let state = match (stands, self.active()) {
            (true, _) => PrinterState::Stopped,
            (false, Some(_)) => PrinterState::Processing,
            (false, None) => PrinterState::Idle,
        };
        let tray = |(n, media): (usize, &&str)| Tray {
            name: format!("tray-{}", n + 1),
            media: Some((*media).into()),
            level: Some(self.trays[n]),
            capacity: Some(FULL),
            empty: self.trays[n] == 0,
        };
        let marker = |(n, color): (usize, &&str)| Marker {
            name: (*color).into(),
            color: (*color).into(),
            kind: "toner".into(),
            level: Some(self.inks[n]),
            low: Some(5),
        };
        Condition {
            reachability: Reachability::Answering,
            state,
            reasons,
            accepting: self.accepting,
            trays: TRAYS.iter().enumerate().map(tray).collect(),
            markers: COLORS.iter().enumerate().map(marker).collect(),
            ..Condition::default()
        }
    }

    pub(super) fn profile(&self) -> DeviceProfile {
        let formats: &[&str] = match self.traits.takes_pdf {
            true => &["application/pdf", "image/pwg-raster"],
            false => &["image/pwg-raster"],
        };
        let able = self.traits.able;
        let attributes: &[&str] = match able {
            true => &["copies", "sides", "media", "print-color-mode", "page-ranges"],
            false => &["media", "print-color-mode"],
        };
        DeviceProfile {
            make_and_model: "Scripted".into(),
            media: TRAYS.map(String::from).to_vec(),
            media_default: Some(TRAYS[0].into()),
            duplex: able,
            copies_max: if able { 99 } else { 1 },
            page_ranges: able,
            job_attributes: attributes.iter().map(ToString::to_string).collect(),
            ..DeviceProfile::assumed(formats)
        }
    }
}
