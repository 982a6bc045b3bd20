//! What the printer can do wrong, and what a person can do to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{MarkerColor, Media, Model, Power, Tray};

/// Faults that are on. Paper and toner are no faults: they are [`Tray`]s and markers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// The cover is open.
    pub cover_open: bool,
    /// Paper is jammed.
    pub jammed: bool,
    /// Paper will jam at this side of the next job that gets there, counted from 1.
    pub jam_at_page: Option<u32>,
    /// Each page takes this long, in milliseconds.
    pub slow_page_millis: Option<u32>,
    /// New jobs are answered with server-error-busy.
    pub busy: bool,
    /// "printer-is-accepting-jobs" is false, and new jobs are refused.
    #[serde(default)]
    pub not_accepting: bool,
    /// The line is cut inside a document.
    pub drop_line: Option<DropLine>,
    /// A job that was printed is not known any more.
    pub forget_after_print: bool,
    /// What it says about completion.
    pub lie: Option<Lie>,
    /// How it answers IPP requests.
    pub answer: Option<AnswerFault>,
}

impl Faults {
    /// The line was cut: one time less.
    pub(crate) fn line_dropped(&mut self) {
        let Some(drop) = &mut self.drop_line else {
            return;
        };
        if let Some(times) = &mut drop.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.drop_line = None;
            }
        }
    }

    /// How an operation is to be answered wrongly, if it is; one time less.
    pub(crate) fn take_answer(&mut self, operation: &str) -> Option<AnswerKind> {
        let fault = self.answer.as_mut()?;
        if !fault.operations.is_empty() && !fault.operations.iter().any(|o| o.eq_ignore_ascii_case(operation)) {
            return None;
        }
        let kind = fault.kind;
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.answer = None;
            }
        }
        Some(kind)
    }
}

/// The line is cut when this many octets of a document have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropLine {
    /// Octets of the document that still come through.
    pub at_octet: u64,
    /// How often; without it, until it is switched off.
    #[serde(default)]
    pub times: Option<u32>,
}

/// What the printer says about the end of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lie {
    /// "completed", but no page came out.
    CompletedUnprinted,
    /// All pages came out, but it stays at "processing".
    NeverCompleted,
}

/// How requests are answered wrongly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerFault {
    /// What is wrong with the answer.
    pub kind: AnswerKind,
    /// Names of the operations it concerns (`Send-Document`); without any, all.
    #[serde(default)]
    pub operations: Vec<String>,
    /// How often; without it, until it is switched off.
    #[serde(default)]
    pub times: Option<u32>,
}

/// What is wrong with an answer. The operation itself is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerKind {
    /// Ends in its middle.
    Half,
    /// Attributes without an end.
    Endless,
    /// No IPP at all.
    Nonsense,
    /// Never comes.
    Never,
}

/// What somebody did to the printer: only what is named changes. JSON of `POST /faults`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// Switch on or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power: Option<Power>,
    /// Open or close the cover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cover_open: Option<bool>,
    /// `false` clears a jam, `true` makes one now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jammed: Option<bool>,
    /// Jam at this side, from 1; null: do not.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub jam_at_page: Option<Option<u32>>,
    /// Milliseconds for each page; null: as fast as it can.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub slow_page_millis: Option<Option<u32>>,
    /// Answer "busy".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busy: Option<bool>,
    /// Take no new jobs, and say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_accepting: Option<bool>,
    /// Cut the line; null: do not.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub drop_line: Option<Option<DropLine>>,
    /// Forget jobs once printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forget_after_print: Option<bool>,
    /// Lie; null: tell the truth.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub lie: Option<Option<Lie>>,
    /// Answer wrongly; null: well.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    pub answer: Option<Option<AnswerFault>>,
    /// By name of the tray.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub trays: BTreeMap<String, TrayChange>,
    /// By colour: what is left, in percent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub markers: BTreeMap<String, MarkerChange>,
    /// Pages a minute; 0: at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages_per_minute: Option<u32>,
    /// First of all: mend every fault, fill every tray and cartridge, switch on.
    #[serde(skip_serializing_if = "is_false")]
    pub mend: bool,
}

/// What somebody did to a tray.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrayChange {
    /// Sheets in it; more than it holds means full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheets: Option<u32>,
    /// Paper, by its name of PWG 5101.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
}

/// What somebody did to a cartridge: percent left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MarkerChange(pub u32);

/// Why a change was refused; nothing of it was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// No tray of this name.
    #[error("there is no tray {name:?}; this printer has {known}")]
    Tray {
        /// As asked.
        name: String,
        /// The names there are.
        known: String,
    },
    /// No cartridge of this colour.
    #[error("there is no toner {name:?}; this printer has {known}")]
    Marker {
        /// As asked.
        name: String,
        /// The colours there are.
        known: String,
    },
    /// A name that tells no size.
    #[error("{name:?} is no name of paper; use one like iso_a4_210x297mm")]
    Media {
        /// As asked.
        name: String,
    },
    /// Pages are counted from 1.
    #[error("pages are counted from 1")]
    Page,
    /// No operation of this name.
    #[error("{name:?} is no IPP operation; use a name like Send-Document")]
    Operation {
        /// As asked.
        name: String,
    },
}

impl Change {
    /// Switches on or off.
    pub fn power(power: Power) -> Self {
        Self { power: Some(power), ..Self::default() }
    }

    /// Sets the sheets of a tray.
    pub fn sheets(tray: &str, sheets: u32) -> Self {
        let change = TrayChange { sheets: Some(sheets), media: None };
        Self { trays: BTreeMap::from([(tray.to_owned(), change)]), ..Self::default() }
    }

    /// Sets what is left of a colour, in percent.
    pub fn toner(color: MarkerColor, percent: u32) -> Self {
        Self { markers: BTreeMap::from([(color.name().to_owned(), MarkerChange(percent))]), ..Self::default() }
    }

    /// Mends everything.
    pub fn mend() -> Self {
        Self { mend: true, ..Self::default() }
    }
}

pub(super) fn apply(model: &mut Model, change: &Change, now: u64) -> Result<(), ChangeError> {
    if change.mend {
        model.faults = Faults::default();
        model.trays.iter_mut().for_each(|t| t.sheets = t.capacity);
        model.markers.iter_mut().for_each(|m| m.set_percent(100));
        model.end_never_completing_jobs(now);
        model.set_power(Power::On, now);
    }
    let faults = &mut model.faults;
    set(&mut faults.cover_open, change.cover_open);
    set(&mut faults.jammed, change.jammed);
    set(&mut faults.jam_at_page, change.jam_at_page);
    set(&mut faults.slow_page_millis, change.slow_page_millis);
    set(&mut faults.busy, change.busy);
    set(&mut faults.not_accepting, change.not_accepting);
    set(&mut faults.drop_line, change.drop_line);
    set(&mut faults.forget_after_print, change.forget_after_print);
    set(&mut faults.lie, change.lie);
    set(&mut faults.answer, change.answer.clone());
    if faults.jam_at_page == Some(0) {
        return Err(ChangeError::Page);
    }
    for name in faults.answer.iter().flat_map(|a| &a.operations) {
        if tympan_ipp::Operation::from_name(name).is_none() {
            return Err(ChangeError::Operation { name: name.clone() });
        }
    }
    if faults.lie != Some(super::Lie::NeverCompleted) {
        model.end_never_completing_jobs(now);
    }
    for (name, tray_change) in &change.trays {
        change_tray(model, name, tray_change, now)?;
    }
    for (name, MarkerChange(percent)) in &change.markers {
        match model.markers.iter_mut().find(|m| m.color.name() == name) {
            Some(marker) => marker.set_percent(*percent),
            None => {
                let known = model.markers.iter().map(|m| m.color.name()).collect::<Vec<_>>().join(", ");
                return Err(ChangeError::Marker { name: name.clone(), known });
            }
        }
    }
    set(&mut model.pages_per_minute, change.pages_per_minute);
    if let Some(power) = change.power {
        model.set_power(power, now);
    }
    Ok(())
}

fn change_tray(model: &mut Model, name: &str, change: &TrayChange, now: u64) -> Result<(), ChangeError> {
    let known = || model.trays.iter().map(|t| t.name.as_str()).collect::<Vec<_>>().join(", ");
    let Some(at) = model.trays.iter().position(|t| t.name == name) else {
        return Err(ChangeError::Tray { name: name.to_owned(), known: known() });
    };
    let tray: &mut Tray = &mut model.trays[at];
    if let Some(media) = &change.media {
        tray.media = Media::from_name(media).ok_or_else(|| ChangeError::Media { name: media.clone() })?;
    }
    if let Some(sheets) = change.sheets {
        tray.sheets = sheets.min(tray.capacity);
    }
    model.config_changed_at = now;
    Ok(())
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// Tells a member that is null from one that is not there.
fn named<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
