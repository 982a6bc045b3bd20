//! A printer: what a user chooses, and what is known of the output device behind it.
//!
//! A printer in trouble never holds a job, it only stops delivery; an outage lasts from the first job that
//! could not be printed to the next sign of health.

use crate::condition::{Condition, Needs, Reachability, Trouble};
use crate::policy::PrinterPolicy;
use crate::profile::DeviceProfile;
use crate::service::{Off, WhileOff};
use crate::{
    AttemptNumber, ColorMode, Effect, JobOptions, JobUuid, OutageId, OwnerId, PrinterUuid, Refusal, Timestamp,
};
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

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
    /// The service is off: nothing is printed, and perhaps nothing taken.
    #[serde(default)]
    pub off: Option<Off>,
    /// Its operator holds each new job ("hold-new-jobs", RFC 3998 section 3.3).
    #[serde(default)]
    pub holds_new: bool,
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
    Learned(Box<DeviceProfile>),
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
    /// Its operator stopped it, and says what becomes of new jobs.
    SwitchOff(WhileOff),
    /// Its operator let it go on.
    Resume,
    /// Its operator changed whether it accepts jobs.
    Accept(bool),
    /// Its operator changed whether each new job is held.
    HoldNew(bool),
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
            off: None,
            holds_new: false,
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

    /// "printer-is-accepting-jobs": whether a new job is taken.
    pub fn accepts(&self, now: Timestamp) -> bool {
        self.accepting && !self.removed && self.off.is_none_or(|off| off.accepts(now))
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
                if self.profile.as_ref() != Some(&*profile) {
                    profile.version = before + 1;
                    self.profile = Some(*profile);
                }
                Ok(Vec::new())
            }
            E::Blocked { trouble, outage } => {
                // What began the outage lasts as long as it stands: another trouble that comes and goes does not end it.
                let stands = self.outage_stands();
                if let Some(outage) = &mut self.outage {
                    if !stands {
                        outage.trouble = trouble;
                    }
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
            E::SwitchOff(jobs) => {
                self.paused = true;
                let since = self.off.map_or(now, |off| off.since);
                self.off = Some(Off { since, jobs });
                Ok(Vec::new())
            }
            E::Resume => {
                self.paused = false;
                self.off = None;
                Ok(wake)
            }
            E::Accept(accepting) => {
                self.accepting = accepting;
                Ok(Vec::new())
            }
            E::HoldNew(holds) => {
                self.holds_new = holds;
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
#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Marker, Tray};
    use tympan_ipp::PrinterState;

    fn tray(name: &str, media: &str, empty: bool) -> Tray {
        Tray { name: name.into(), media: Some(media.into()), level: None, capacity: None, empty }
    }

    fn marker(color: &str, level: u8) -> Marker {
        Marker { name: color.into(), color: color.into(), kind: "toner".into(), level: Some(level), low: None }
    }

    #[test]
    fn e02_switched_off_it_prints_nothing_and_on_again_everything_goes_on() {
        let mut printer = Printer::new(OwnerId::FIRST, PrinterUuid([1; 16]), "office", "ipp://h/", Timestamp(0));
        printer.apply(PrinterEvent::SwitchOff(WhileOff::KeepFor(1_000)), Timestamp(10)).unwrap();
        assert_eq!(printer.trouble_for(&JobOptions::default()), Some(Trouble::Paused));
        assert!(printer.accepts(Timestamp(1_009)) && !printer.accepts(Timestamp(1_010)));
        // Another choice does not begin the time anew.
        printer.apply(PrinterEvent::SwitchOff(WhileOff::KeepFor(2_000)), Timestamp(500)).unwrap();
        assert!(printer.accepts(Timestamp(2_009)) && !printer.accepts(Timestamp(2_010)));
        assert_eq!(
            printer.apply(PrinterEvent::Resume, Timestamp(3_000)).unwrap(),
            [Effect::Wake { printer: printer.uuid }]
        );
        assert!(printer.accepts(Timestamp(3_000)) && printer.off.is_none() && !printer.paused);
        // What its operator said of accepting stays.
        printer.apply(PrinterEvent::Accept(false), Timestamp(4_000)).unwrap();
        printer.apply(PrinterEvent::SwitchOff(WhileOff::Keep), Timestamp(4_000)).unwrap();
        assert!(!printer.accepts(Timestamp(4_000)));
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
    fn a07_a_printer_that_takes_no_jobs_stops_all_whatever_else_it_lacks() {
        let condition = Condition { markers: vec![marker("cyan", 0)], accepting: false, ..answering() };
        let mono = Needs { color: Some(ColorMode::Monochrome), media: None };
        assert_eq!(condition.trouble_for(&mono), Some(Trouble::NotAccepting));
        let jammed = Condition { reasons: vec!["media-jam".into()], ..condition };
        assert_eq!(jammed.trouble_for(&mono), Some(Trouble::Jam), "the cause is worth more than what follows from it");
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
            let condition = Condition { state: PrinterState::Stopped, reasons: vec![reason.into()], ..answering() };
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

        printer.apply(blocked(Trouble::Off), Timestamp(60)).unwrap();
        printer.apply(PrinterEvent::Handed, Timestamp(60)).unwrap();
        assert!(printer.outage.is_some(), "another trouble came and went, and it has no A5 as before");

        let mut printer = Printer::new(OwnerId::FIRST, PrinterUuid([1; 16]), "office", "x", Timestamp(0));
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
        printer.apply(PrinterEvent::Learned(profile.clone().into()), Timestamp(1)).unwrap();
        printer.apply(PrinterEvent::Learned(profile.clone().into()), Timestamp(2)).unwrap();
        assert_eq!(printer.profile.as_ref().unwrap().version, 1);
        printer.apply(PrinterEvent::Learned(DeviceProfile { color: false, ..profile }.into()), Timestamp(3)).unwrap();
        assert_eq!(printer.profile.as_ref().unwrap().version, 2);
    }
}
