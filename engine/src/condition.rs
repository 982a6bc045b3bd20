//! What an output device says of itself, and what that means for a job (A07).
//!
//! What it said last (an answer) or told by itself (a report, A10). Whether a job can be printed now is
//! [`Condition::trouble_for`]; a device in trouble never holds a job, it only stops delivery.

use crate::options::media_label;
use crate::{ColorMode, JobOptions, Timestamp};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use tympan_ipp::PrinterState;

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
        // An empty tray or colour stops some jobs; a printer that takes none stops all.
        let partly = |trouble: &Trouble| matches!(trouble, Trouble::NoInk { .. } | Trouble::NoPaper { .. });
        if !self.accepting && !stopped && troubles.iter().all(partly) {
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
        if self.markers.iter().all(|marker| !marker.is_empty())
            && let Some(trouble) = troubles.iter().find(|trouble| matches!(trouble, Trouble::NoInk { .. }))
        {
            return Some(trouble.clone());
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
/// What people call the medium of a trouble: `A4`.
pub fn trouble_media(trouble: &Trouble) -> Option<&str> {
    match trouble {
        Trouble::NoPaper { media: Some(media), .. } => Some(media_label(media)),
        _ => None,
    }
}
