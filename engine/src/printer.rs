//! A printer: what a user chooses, and what is known of the output device behind it.
//!
//! The condition is what the device said last (an answer) or told by itself (a report, A10); the two are
//! kept apart. Whether a job can be printed now is [`Condition::trouble_for`]; a printer in trouble never
//! holds a job, it only stops delivery.

use crate::options::media_label;
use crate::time::{HOUR, SECOND};
use crate::{
    AttemptNumber, ColorMode, Effect, JobOptions, JobUuid, Millis, OutageId, OwnerId, PrinterUuid, Refusal, Timestamp,
};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tympan_ipp::PrinterState;

/// Who may register at a printer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Everybody: a registration is in force at once.
    Open,
    /// Everybody may ask; the owner approves. The default.
    #[default]
    Approve,
    /// Only the owner makes registrations.
    Invite,
}

/// What happens when it is not known whether a job printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoubtPolicy {
    /// A person is asked. The default.
    #[default]
    Ask,
    /// Printed again, with a mark on the paper.
    Reprint,
    /// Dropped, and said so.
    Drop,
}

/// In which form a waiting job is stored (A09).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoredForm {
    /// As it was received. The default.
    #[default]
    Mail,
    /// As the data the printer takes.
    PrintData,
    /// Whichever is smaller, compressed.
    Smallest,
}

/// How a printer behaves towards its jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PrinterPolicy {
    /// Who may register.
    pub access: Access,
    /// What happens in doubt.
    pub doubt: DoubtPolicy,
    /// The stored form of a waiting job.
    pub stored_form: StoredForm,
    /// How jobs are printed where they do not say.
    pub options: JobOptions,
    /// How long a waiting job is kept, in milliseconds. Default three days.
    pub retention_ms: Millis,
    /// How often a waiting job is tried again, in milliseconds. Default five minutes.
    pub retry_interval_ms: Millis,
    /// Whether a changed retention reaches jobs that already wait. Default yes.
    pub retention_follows: bool,
    /// How long the device may take to answer before it counts as off, in milliseconds. Default 5 s.
    pub time_out_ms: Millis,
    /// Jobs of more pages wait for a click in the receipt. Default 50.
    pub review_pages: u32,
    /// How long the data of a printed job is kept for a reprint, in milliseconds. Default 0: deleted at once.
    pub reprint_window_ms: Millis,
    /// How long a doubt waits for a decision before it is closed, in milliseconds. Default 24 h.
    pub doubt_ms: Millis,
}

impl Default for PrinterPolicy {
    fn default() -> Self {
        Self {
            access: Access::default(),
            doubt: DoubtPolicy::default(),
            stored_form: StoredForm::default(),
            options: JobOptions::default(),
            retention_ms: crate::registration::RETENTION_DEFAULT,
            retry_interval_ms: crate::registration::RETRY_INTERVAL_DEFAULT,
            retention_follows: true,
            time_out_ms: 5 * SECOND,
            review_pages: 50,
            reprint_window_ms: 0,
            doubt_ms: 24 * HOUR,
        }
    }
}

/// Something that stops a job from being printed now (A07).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "trouble", rename_all = "kebab-case")]
pub enum Trouble {
    /// No answer within the printer's time-out: it counts as switched off.
    Off,
    /// It answered something that is no answer.
    Faulty {
        /// What was wrong with it, in words.
        what: String,
    },
    /// No paper.
    NoPaper {
        /// The tray, where it is known.
        tray: Option<String>,
        /// The medium that is needed (PWG name), where it is known.
        media: Option<String>,
    },
    /// No ink or toner.
    NoInk {
        /// The colour or the marker's name, where it is known.
        color: Option<String>,
    },
    /// A paper jam.
    Jam,
    /// A cover or door is open.
    CoverOpen,
    /// Its memory is full.
    MemoryFull,
    /// It does not accept jobs.
    NotAccepting,
    /// Stopped for another reason ("printer-state-reasons" keyword).
    Stopped {
        /// The keyword, or empty.
        reason: String,
    },
    /// Paused on our side by its operator.
    Paused,
}

impl Trouble {
    /// A short keyword for keys, pages and JSON.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Faulty { .. } => "faulty",
            Self::NoPaper { .. } => "no-paper",
            Self::NoInk { .. } => "no-ink",
            Self::Jam => "jam",
            Self::CoverOpen => "cover-open",
            Self::MemoryFull => "memory-full",
            Self::NotAccepting => "not-accepting",
            Self::Stopped { .. } => "stopped",
            Self::Paused => "paused",
        }
    }
}

/// One input tray.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tray {
    /// Its name, for people.
    pub name: String,
    /// PWG 5101.1 name of what lies in it.
    pub media: Option<String>,
    /// Sheets left, where the device says so.
    pub level: Option<u32>,
    /// Sheets it holds.
    pub capacity: Option<u32>,
    /// Whether the device says it is empty.
    pub empty: bool,
}

/// One ink or toner ("marker-*", PWG 5100.13; RFC 3805 prtMarkerSupplies).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// "marker-names".
    pub name: String,
    /// Colour keyword or "#RRGGBB" ("marker-colors").
    pub color: String,
    /// "marker-types": toner, ink, waste-toner…
    pub kind: String,
    /// "marker-levels": percent left, `None` where unknown.
    pub level: Option<u8>,
    /// "marker-low-levels".
    pub low: Option<u8>,
}

impl Marker {
    /// Whether it is used up (and is a supply, not a waste bin).
    pub fn is_empty(&self) -> bool {
        self.level == Some(0) && !self.kind.starts_with("waste")
    }

    /// Whether it marks in black.
    pub fn is_black(&self) -> bool {
        let color = self.color.to_ascii_lowercase();
        color == "black" || color == "#000000" || self.name.to_ascii_lowercase().contains("black")
    }
}

/// Whether the device answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reachability", rename_all = "kebab-case")]
pub enum Reachability {
    /// It has not been asked yet.
    #[default]
    Unasked,
    /// It answered.
    Answering,
    /// It did not answer in time.
    Silent,
    /// What it answered is no answer.
    Faulty {
        /// What was wrong, in words.
        what: String,
    },
    /// It can only be reached or not (raw port 9100): it took the connection.
    Reachable,
}

/// What a device says of itself, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Condition {
    /// Whether it answers.
    pub reachability: Reachability,
    /// "printer-state".
    #[serde(with = "state_number")]
    pub state: PrinterState,
    /// "printer-state-reasons" without "none", as sent (with suffixes).
    pub reasons: Vec<String>,
    /// "printer-is-accepting-jobs".
    pub accepting: bool,
    /// Its trays.
    pub trays: Vec<Tray>,
    /// Its inks and toners.
    pub markers: Vec<Marker>,
    /// "printer-state-message".
    pub message: String,
    /// When it was last asked.
    pub asked_at: Option<Timestamp>,
    /// When it last answered.
    pub answered_at: Option<Timestamp>,
    /// When it last reported by itself (A10).
    pub reported_at: Option<Timestamp>,
}

impl Default for Condition {
    fn default() -> Self {
        Self {
            reachability: Reachability::Unasked,
            state: PrinterState::Idle,
            reasons: Vec::new(),
            accepting: true,
            trays: Vec::new(),
            markers: Vec::new(),
            message: String::new(),
            asked_at: None,
            answered_at: None,
            reported_at: None,
        }
    }
}

mod state_number {
    use serde::{Deserialize, Deserializer, Serializer};
    use tympan_ipp::PrinterState;

    pub(super) fn serialize<S: Serializer>(state: &PrinterState, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_i32(state.number())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<PrinterState, D::Error> {
        PrinterState::from_number(i32::deserialize(d)?).ok_or_else(|| serde::de::Error::custom("no such printer-state"))
    }
}

/// What one job needs of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The medium (PWG name) it asks for; `None`: whatever is loaded.
    pub media: Option<String>,
    /// Colour or black.
    pub color: Option<ColorMode>,
}

impl Needs {
    /// What a job with these options needs.
    pub fn of(options: &JobOptions) -> Self {
        Self { media: options.media.clone(), color: options.color }
    }
}

/// Splits "printer-state-reasons" into the condition and whether it is no more than a warning or report.
fn severity(reason: &str) -> (&str, bool) {
    for suffix in ["-warning", "-report"] {
        if let Some(plain) = reason.strip_suffix(suffix) {
            return (plain, true);
        }
    }
    (reason.strip_suffix("-error").unwrap_or(reason), false)
}

impl Condition {
    /// Every trouble the device is in, whatever the job: for pages and notices.
    pub fn troubles(&self) -> Vec<Trouble> {
        match &self.reachability {
            Reachability::Unasked | Reachability::Reachable => return Vec::new(),
            Reachability::Silent => return vec![Trouble::Off],
            Reachability::Faulty { what } => return vec![Trouble::Faulty { what: what.clone() }],
            Reachability::Answering => {}
        }
        let mut troubles = Vec::new();
        let mut push = |trouble: Trouble| {
            if !troubles.contains(&trouble) {
                troubles.push(trouble);
            }
        };
        for tray in self.trays.iter().filter(|tray| tray.empty) {
            push(Trouble::NoPaper { tray: Some(tray.name.clone()), media: tray.media.clone() });
        }
        for marker in self.markers.iter().filter(|marker| marker.is_empty()) {
            push(Trouble::NoInk { color: Some(marker_label(marker)) });
        }
        let has_tray = self.trays.iter().any(|tray| tray.empty);
        let has_marker = self.markers.iter().any(Marker::is_empty);
        let stopped = self.state == PrinterState::Stopped;
        for reason in &self.reasons {
            let (reason, mild) = severity(reason);
            if mild && !stopped {
                continue;
            }
            match reason {
                "media-empty" | "media-needed" | "input-tray-missing" if !has_tray => {
                    push(Trouble::NoPaper { tray: None, media: None });
                }
                "marker-supply-empty" | "toner-empty" | "developer-empty" | "opc-life-over" if !has_marker => {
                    push(Trouble::NoInk { color: None });
                }
                "media-jam" => push(Trouble::Jam),
                "cover-open" | "door-open" | "interlock-open" => push(Trouble::CoverOpen),
                "spool-area-full" => push(Trouble::MemoryFull),
                "media-empty" | "media-needed" | "marker-supply-empty" | "toner-empty" | "none" => {}
                other if stopped && !mild => push(Trouble::Stopped { reason: other.to_string() }),
                _ => {}
            }
        }
        if stopped && troubles.is_empty() {
            troubles.push(Trouble::Stopped { reason: String::new() });
        }
        if !self.accepting && troubles.is_empty() {
            troubles.push(Trouble::NotAccepting);
        }
        troubles
    }

    /// The trouble that stops a job with these needs, if any: per tray and per colour.
    ///
    /// An empty tray stops only jobs that need its medium while another tray can serve them; an empty
    /// colour does not stop a job that wants black only. A stopped printer stops all.
    pub fn trouble_for(&self, needs: &Needs) -> Option<Trouble> {
        if let Some(trouble) = self.trouble_for_all() {
            return Some(trouble);
        }
        let troubles = self.troubles();
        let mono = needs.color == Some(ColorMode::Monochrome);
        let dry = self.markers.iter().find(|marker| marker.is_empty() && (!mono || marker.is_black()));
        if let Some(marker) = dry {
            return Some(Trouble::NoInk { color: Some(marker_label(marker)) });
        }
        if self.markers.iter().all(|marker| !marker.is_empty()) {
            if let Some(trouble) = troubles.iter().find(|trouble| matches!(trouble, Trouble::NoInk { .. })) {
                return Some(trouble.clone());
            }
        }
        self.paper_trouble(needs, &troubles)
    }

    /// Whether a trouble that stopped a job is still there.
    pub fn has(&self, trouble: &Trouble) -> bool {
        match trouble {
            // No tray may be empty, and yet none has the medium.
            Trouble::NoPaper { media: Some(media), .. } if !self.trays.is_empty() => {
                let needs = Needs { media: Some(media.clone()), color: None };
                self.paper_trouble(&needs, &[]).is_some()
            }
            trouble => self.troubles().iter().any(|other| other.word() == trouble.word()),
        }
    }

    /// The trouble that stops every job whatever it needs, if any.
    pub fn trouble_for_all(&self) -> Option<Trouble> {
        let stopped = self.state == PrinterState::Stopped;
        self.troubles().into_iter().find(|trouble| match trouble {
            Trouble::NoInk { .. } | Trouble::NoPaper { .. } => stopped,
            _ => true,
        })
    }

    fn paper_trouble(&self, needs: &Needs, troubles: &[Trouble]) -> Option<Trouble> {
        if self.trays.is_empty() {
            return troubles.iter().find(|trouble| matches!(trouble, Trouble::NoPaper { .. })).cloned();
        }
        let fits = |tray: &&Tray| match (&needs.media, &tray.media) {
            (Some(wanted), Some(loaded)) => wanted == loaded,
            _ => true,
        };
        if self.trays.iter().filter(fits).any(|tray| !tray.empty) {
            return None;
        }
        let empty = self.trays.iter().find(fits);
        Some(Trouble::NoPaper {
            tray: empty.map(|tray| tray.name.clone()),
            media: needs.media.clone().or_else(|| empty.and_then(|tray| tray.media.clone())),
        })
    }
}

fn marker_label(marker: &Marker) -> String {
    let color = marker.color.to_ascii_lowercase();
    match color.as_str() {
        "#00ffff" => "cyan".into(),
        "#ff00ff" => "magenta".into(),
        "#ffff00" => "yellow".into(),
        "#000000" => "black".into(),
        "" | "none" => marker.name.clone(),
        other if other.starts_with('#') => marker.name.clone(),
        _ => color,
    }
}

/// What the device can do, as it said when it was added or asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceProfile {
    /// Grows each time the profile changes; renditions are keyed by it.
    pub version: u32,
    /// "printer-make-and-model".
    pub make_and_model: String,
    /// "printer-uuid" of the device.
    pub device_uuid: String,
    /// "document-format-supported".
    pub formats: Vec<String>,
    /// "media-supported".
    pub media: Vec<String>,
    /// "media-default".
    pub media_default: Option<String>,
    /// "pwg-raster-document-resolution-supported", dots per inch, ascending.
    pub resolutions: Vec<u32>,
    /// "pwg-raster-document-type-supported".
    pub raster_types: Vec<String>,
    /// "pwg-raster-document-sheet-back".
    pub sheet_back: String,
    /// Unprintable margins in 1/100 mm: left, right, top, bottom.
    pub margins: [u32; 4],
    /// "color-supported".
    pub color: bool,
    /// "sides-supported" has a two-sided value.
    pub duplex: bool,
    /// Upper bound of "copies-supported".
    pub copies_max: u16,
    /// "multiple-document-jobs-supported".
    pub multiple_documents: bool,
    /// "page-ranges-supported".
    pub page_ranges: bool,
    /// "job-creation-attributes-supported": what may be sent with a job.
    pub job_attributes: Vec<String>,
    /// "operations-supported".
    pub operations: Vec<u16>,
}

impl DeviceProfile {
    /// Whether a format is taken as it is.
    pub fn takes(&self, format: &str) -> bool {
        self.formats.iter().any(|taken| taken.eq_ignore_ascii_case(format))
    }

    /// What a raw port or a folder is taken to be, for want of an answer.
    pub fn assumed(formats: &[&str]) -> Self {
        Self {
            version: 1,
            formats: formats.iter().map(ToString::to_string).collect(),
            media: vec!["iso_a4_210x297mm".into()],
            media_default: Some("iso_a4_210x297mm".into()),
            resolutions: vec![300],
            raster_types: vec!["sgray_8".into(), "srgb_8".into()],
            sheet_back: "normal".into(),
            margins: [423; 4],
            color: true,
            duplex: false,
            copies_max: 1,
            ..Self::default()
        }
    }
}

/// A span during which the printer could not print for somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// The key.
    pub id: OutageId,
    /// When it began.
    pub since: Timestamp,
    /// What it is about, as last seen.
    pub trouble: Trouble,
}

/// A printer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printer {
    /// Whose it is.
    pub owner: OwnerId,
    /// The key ("printer-uuid").
    pub uuid: PrinterUuid,
    /// "printer-name": the local part of its mail address, in canonical form.
    pub name: String,
    /// "printer-info": what people read.
    pub info: String,
    /// "printer-location".
    #[serde(default)]
    pub location: String,
    /// Where the output device is: `ipp://`, `ipps://`, `socket://`, `folder:`.
    pub device: String,
    /// SHA-256 of the device's certificate, where it is pinned (`ipps`).
    #[serde(default)]
    pub device_fingerprint: Option<[u8; 32]>,
    /// How it behaves.
    pub policy: PrinterPolicy,
    /// What it can do; `None` until it was asked.
    pub profile: Option<DeviceProfile>,
    /// What it says of itself.
    pub condition: Condition,
    /// Its operator stopped it on our side.
    pub paused: bool,
    /// "printer-is-accepting-jobs", as its operator set it.
    pub accepting: bool,
    /// The attempt that has the device now: at most one.
    pub current: Option<(JobUuid, AttemptNumber)>,
    /// The outage under way.
    pub outage: Option<Outage>,
    /// When the last outage ended.
    pub outage_ended_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Whether it was removed; its history stays.
    #[serde(default)]
    pub removed: bool,
}

/// What may happen to a printer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrinterEvent {
    /// It was asked, and this came of it.
    Answered(Condition),
    /// It said so by itself (A10).
    Reported(Condition),
    /// It was asked and did not answer in time.
    Silent,
    /// It answered nonsense.
    Faulty(String),
    /// It told what it can do.
    Learned(DeviceProfile),
    /// A job could not be printed for this trouble. `outage` names a new outage, should one begin.
    Blocked {
        /// The trouble.
        trouble: Trouble,
        /// Random name of an outage that begins now.
        outage: OutageId,
    },
    /// A job was handed over: the printer prints.
    Handed,
    /// An attempt was assigned to it.
    Assigned(JobUuid, AttemptNumber),
    /// The attempt that had the device is over, or lets the device go.
    Freed(JobUuid, AttemptNumber),
    /// Its operator stopped it.
    Pause,
    /// Its operator let it go on.
    Resume,
    /// Its operator changed whether it accepts jobs.
    Accept(bool),
    /// Its owner changed how it behaves.
    Policy(PrinterPolicy),
    /// Its owner changed what people read.
    Describe {
        /// New "printer-info".
        info: String,
        /// New "printer-location".
        location: String,
    },
    /// Its owner gave it another device.
    Device(String),
    /// Its owner removed it.
    Remove,
}

impl Printer {
    /// A new printer that has not been asked yet.
    pub fn new(owner: OwnerId, uuid: PrinterUuid, name: &str, device: &str, now: Timestamp) -> Self {
        Self {
            owner,
            uuid,
            name: name.to_ascii_lowercase(),
            info: name.to_string(),
            location: String::new(),
            device: device.to_string(),
            device_fingerprint: None,
            policy: PrinterPolicy::default(),
            profile: None,
            condition: Condition::default(),
            paused: false,
            accepting: true,
            current: None,
            outage: None,
            outage_ended_at: None,
            created_at: now,
            removed: false,
        }
    }

    /// The medium a job is printed on: its own, else the printer's default.
    pub fn media_for(&self, options: &JobOptions) -> Option<String> {
        options
            .media
            .clone()
            .or_else(|| self.policy.options.media.clone())
            .or_else(|| self.profile.as_ref().and_then(|profile| profile.media_default.clone()))
    }

    /// The trouble that stops a job with these options now.
    pub fn trouble_for(&self, options: &JobOptions) -> Option<Trouble> {
        if self.paused {
            return Some(Trouble::Paused);
        }
        self.condition.trouble_for(&self.needs(options))
    }

    /// What a job with these options needs of the device.
    pub fn needs(&self, options: &JobOptions) -> Needs {
        let color = match self.profile.as_ref().is_some_and(|profile| !profile.color) {
            true => Some(ColorMode::Monochrome),
            false => options.color.or(self.policy.options.color),
        };
        Needs { media: self.media_for(options), color }
    }

    /// Moves the printer. There are no states to leave here but [`Printer::removed`]; every event is
    /// taken in, and what it means for jobs comes back as effects.
    ///
    /// # Errors
    /// [`Refusal::Stale`] when an attempt frees a device that another one has;
    /// [`Refusal::NotPossible`] when the device is taken already, or the printer was removed.
    pub fn apply(&mut self, event: PrinterEvent, now: Timestamp) -> Result<Vec<Effect>, Refusal> {
        use PrinterEvent as E;
        let wake = vec![Effect::Wake { printer: self.uuid }];
        if self.removed && !matches!(event, E::Freed(..)) {
            return Err(Refusal::NotPossible);
        }
        match event {
            E::Answered(condition) => {
                self.take(condition, now);
                self.condition.asked_at = Some(now);
                self.condition.answered_at = Some(now);
                Ok(self.settle(now))
            }
            E::Reported(condition) => {
                self.take(condition, now);
                self.condition.reported_at = Some(now);
                self.settle(now);
                Ok(wake)
            }
            E::Silent => {
                self.condition.reachability = Reachability::Silent;
                self.condition.asked_at = Some(now);
                Ok(Vec::new())
            }
            E::Faulty(what) => {
                self.condition.reachability = Reachability::Faulty { what };
                self.condition.asked_at = Some(now);
                Ok(Vec::new())
            }
            E::Learned(mut profile) => {
                let before = self.profile.as_ref().map_or(0, |profile| profile.version);
                profile.version = before;
                if self.profile.as_ref() != Some(&profile) {
                    profile.version = before + 1;
                    self.profile = Some(profile);
                }
                Ok(Vec::new())
            }
            E::Blocked { trouble, outage } => {
                if let Some(outage) = &mut self.outage {
                    outage.trouble = trouble;
                    return Ok(Vec::new());
                }
                self.outage = Some(Outage { id: outage, since: now, trouble });
                Ok(wake)
            }
            E::Handed => {
                // A job in black says nothing about the colour that others wait for.
                if !self.outage_stands() {
                    self.end_outage(now);
                }
                Ok(Vec::new())
            }
            E::Assigned(job, attempt) => match self.current {
                None => {
                    self.current = Some((job, attempt));
                    Ok(Vec::new())
                }
                Some(_) => Err(Refusal::NotPossible),
            },
            E::Freed(job, attempt) => match self.current {
                Some(current) if current == (job, attempt) => {
                    self.current = None;
                    Ok(wake)
                }
                Some(_) | None => Err(Refusal::Stale),
            },
            E::Pause => {
                self.paused = true;
                Ok(Vec::new())
            }
            E::Resume => {
                self.paused = false;
                Ok(wake)
            }
            E::Accept(accepting) => {
                self.accepting = accepting;
                Ok(Vec::new())
            }
            E::Policy(policy) => {
                self.policy = policy;
                Ok(wake)
            }
            E::Describe { info, location } => {
                self.info = info;
                self.location = location;
                Ok(Vec::new())
            }
            E::Device(device) => {
                self.device = device;
                self.profile = None;
                self.condition = Condition::default();
                Ok(wake)
            }
            E::Remove => {
                self.removed = true;
                self.accepting = false;
                Ok(Vec::new())
            }
        }
    }

    fn take(&mut self, condition: Condition, _now: Timestamp) {
        let old = &self.condition;
        let (asked_at, answered_at, reported_at) = (old.asked_at, old.answered_at, old.reported_at);
        self.condition = Condition { asked_at, answered_at, reported_at, ..condition };
    }

    /// Ends the outage when nothing is wrong any more.
    fn settle(&mut self, now: Timestamp) -> Vec<Effect> {
        if self.outage.is_some() && self.condition.troubles().is_empty() && !self.outage_stands() {
            self.end_outage(now);
            return vec![Effect::Wake { printer: self.uuid }];
        }
        Vec::new()
    }

    /// Whether the trouble of the outage is still there.
    fn outage_stands(&self) -> bool {
        self.outage.as_ref().is_some_and(|outage| self.condition.has(&outage.trouble))
    }

    fn end_outage(&mut self, now: Timestamp) {
        if self.outage.take().is_some() {
            self.outage_ended_at = Some(now);
        }
    }
}

/// What people call the medium of a trouble: `A4`.
pub fn trouble_media(trouble: &Trouble) -> Option<&str> {
    match trouble {
        Trouble::NoPaper { media: Some(media), .. } => Some(media_label(media)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tray(name: &str, media: &str, empty: bool) -> Tray {
        Tray { name: name.into(), media: Some(media.into()), level: None, capacity: None, empty }
    }

    fn marker(color: &str, level: u8) -> Marker {
        Marker { name: color.into(), color: color.into(), kind: "toner".into(), level: Some(level), low: None }
    }

    fn answering() -> Condition {
        Condition { reachability: Reachability::Answering, ..Condition::default() }
    }

    const A4: &str = "iso_a4_210x297mm";
    const A5: &str = "iso_a5_148x210mm";

    #[test]
    fn a07_an_empty_tray_stops_only_jobs_that_need_its_paper() {
        let condition = Condition { trays: vec![tray("tray-1", A4, true), tray("tray-2", A5, false)], ..answering() };
        let needs = |media: &str| Needs { media: Some(media.into()), color: None };
        assert_eq!(
            condition.trouble_for(&needs(A4)),
            Some(Trouble::NoPaper { tray: Some("tray-1".into()), media: Some(A4.into()) })
        );
        assert_eq!(condition.trouble_for(&needs(A5)), None);
        assert_eq!(condition.troubles().len(), 1);
        assert!(matches!(condition.trouble_for(&needs("iso_a3_297x420mm")), Some(Trouble::NoPaper { tray: None, .. })));
    }

    #[test]
    fn a07_an_empty_colour_does_not_stop_a_job_in_black() {
        let condition = Condition {
            markers: vec![marker("cyan", 0), marker("black", 80)],
            reasons: vec!["marker-supply-empty-warning".into()],
            ..answering()
        };
        let mono = Needs { color: Some(ColorMode::Monochrome), media: None };
        assert_eq!(condition.trouble_for(&mono), None);
        assert_eq!(condition.trouble_for(&Needs::default()), Some(Trouble::NoInk { color: Some("cyan".into()) }));
    }

    #[test]
    fn a07_reasons_map_to_troubles() {
        for (reason, word) in [
            ("media-jam-error", "jam"),
            ("cover-open", "cover-open"),
            ("door-open-error", "cover-open"),
            ("media-empty-error", "no-paper"),
            ("toner-empty-error", "no-ink"),
            ("spool-area-full", "memory-full"),
            ("fuser-over-temp-error", "stopped"),
        ] {
            let condition =
                Condition { state: PrinterState::Stopped, reasons: vec![reason.into()], ..answering() };
            let words: Vec<_> = condition.troubles().iter().map(Trouble::word).collect();
            assert_eq!(words, [word], "{reason}");
            assert!(condition.trouble_for(&Needs::default()).is_some(), "{reason}");
        }
        let low = Condition { reasons: vec!["toner-low-warning".into(), "none".into()], ..answering() };
        assert_eq!(low.trouble_for(&Needs::default()), None);
        let silent = Condition { reachability: Reachability::Silent, ..Condition::default() };
        assert_eq!(silent.trouble_for(&Needs::default()), Some(Trouble::Off));
    }

    #[test]
    fn a10_a_report_wakes_and_is_told_apart_from_an_answer() {
        let mut printer =
            Printer::new(OwnerId::FIRST, PrinterUuid([1; 16]), "office", "ipp://127.0.0.1/", Timestamp(0));
        printer.apply(PrinterEvent::Silent, Timestamp(10)).unwrap();
        let blocked = PrinterEvent::Blocked { trouble: Trouble::Off, outage: OutageId([7; 16]) };
        printer.apply(blocked, Timestamp(10)).unwrap();
        assert!(printer.outage.is_some());
        let effects = printer.apply(PrinterEvent::Reported(answering()), Timestamp(20)).unwrap();
        assert_eq!(effects, [Effect::Wake { printer: printer.uuid }]);
        assert_eq!(printer.condition.reported_at, Some(Timestamp(20)));
        assert_eq!(printer.condition.answered_at, None);
        assert_eq!(printer.condition.asked_at, Some(Timestamp(10)));
        assert_eq!((printer.outage.clone(), printer.outage_ended_at), (None, Some(Timestamp(20))));
    }

    #[test]
    fn an_outage_lasts_as_long_as_its_trouble_whatever_else_is_printed() {
        let mut printer = Printer::new(OwnerId::FIRST, PrinterUuid([1; 16]), "office", "x", Timestamp(0));
        let blocked = |trouble| PrinterEvent::Blocked { trouble, outage: OutageId([7; 16]) };
        let no_cyan = Condition { markers: vec![marker("cyan", 0), marker("black", 80)], ..answering() };
        printer.apply(PrinterEvent::Answered(no_cyan), Timestamp(10)).unwrap();
        let trouble = printer.trouble_for(&JobOptions::default()).unwrap();
        let effects = printer.apply(blocked(trouble), Timestamp(10)).unwrap();
        assert_eq!(effects, [Effect::Wake { printer: printer.uuid }], "whoever waits is to be told");
        printer.apply(PrinterEvent::Handed, Timestamp(20)).unwrap();
        assert!(printer.outage.is_some(), "a job in black was printed, and cyan is still missing");
        printer.apply(PrinterEvent::Answered(answering()), Timestamp(30)).unwrap();
        assert_eq!(printer.outage_ended_at, Some(Timestamp(30)));

        let a4 = Condition { trays: vec![tray("tray-1", A4, false)], ..answering() };
        printer.apply(PrinterEvent::Answered(a4.clone()), Timestamp(40)).unwrap();
        let a5 = JobOptions { media: Some(A5.into()), ..JobOptions::default() };
        let trouble = printer.trouble_for(&a5).unwrap();
        printer.apply(blocked(trouble), Timestamp(40)).unwrap();
        printer.apply(PrinterEvent::Answered(a4), Timestamp(50)).unwrap();
        assert!(printer.outage.is_some(), "it is asked again, and has no A5 as before");

        let tray_2 = Condition { trays: vec![tray("tray-1", A4, false), tray("tray-2", A5, true)], ..answering() };
        printer.apply(blocked(Trouble::Off), Timestamp(60)).unwrap();
        printer.apply(PrinterEvent::Answered(tray_2), Timestamp(70)).unwrap();
        printer.apply(PrinterEvent::Handed, Timestamp(70)).unwrap();
        assert!(printer.outage.is_none(), "it is on again; a tray that is always empty is no outage");
    }

    #[test]
    fn only_one_attempt_has_the_device() {
        let mut printer = Printer::new(OwnerId::FIRST, PrinterUuid([1; 16]), "office", "x", Timestamp(0));
        let (one, two) = (JobUuid([1; 16]), JobUuid([2; 16]));
        printer.apply(PrinterEvent::Assigned(one, AttemptNumber(1)), Timestamp(1)).unwrap();
        assert!(printer.apply(PrinterEvent::Assigned(two, AttemptNumber(1)), Timestamp(1)).is_err());
        assert_eq!(printer.apply(PrinterEvent::Freed(two, AttemptNumber(1)), Timestamp(1)), Err(Refusal::Stale));
        printer.apply(PrinterEvent::Freed(one, AttemptNumber(1)), Timestamp(1)).unwrap();
        printer.apply(PrinterEvent::Assigned(two, AttemptNumber(1)), Timestamp(1)).unwrap();
    }

    #[test]
    fn a_profile_grows_its_version_only_when_it_changes() {
        let mut printer = Printer::new(OwnerId::FIRST, PrinterUuid([1; 16]), "office", "x", Timestamp(0));
        let profile = DeviceProfile::assumed(&["application/pdf"]);
        printer.apply(PrinterEvent::Learned(profile.clone()), Timestamp(1)).unwrap();
        printer.apply(PrinterEvent::Learned(profile.clone()), Timestamp(2)).unwrap();
        assert_eq!(printer.profile.as_ref().unwrap().version, 1);
        printer.apply(PrinterEvent::Learned(DeviceProfile { color: false, ..profile }), Timestamp(3)).unwrap();
        assert_eq!(printer.profile.as_ref().unwrap().version, 2);
    }
}
