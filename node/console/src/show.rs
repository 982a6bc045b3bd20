//! What pages show of a printer and a job, in the reader's words.

use crate::clock::Clock;
use crate::failure::Failure;
use crate::policy::{Identity, texts};
use crate::routes::Console;
use std::collections::HashMap;
use tympan_engine::hold::{self, Hindrance};
use tympan_engine::job::Outcome;
use tympan_engine::options::media_label;
use tympan_engine::words::{self, Facts, Why};
use tympan_engine::{
    Evidence, Job, Language, Marker, Printer, PrinterUuid, Reachability, Right, Timestamp, Tray, Trouble, assign,
};
use tympan_spooler::SpoolerError;
use tympan_store::{JobFilter, JobStates};

/// A word with a colour.
#[derive(Clone, Debug)]
pub(crate) struct Badge {
    pub(crate) word: &'static str,
    /// A class of the style sheet: `ok`, `busy`, `wait`, `bad`, `ask`, `done`, `off`.
    pub(crate) tone: &'static str,
}

/// A trouble and its remedy.
#[derive(Clone, Debug)]
pub(crate) struct TroubleShown {
    pub(crate) what: String,
    pub(crate) remedy: String,
}

/// One ink or toner.
#[derive(Clone, Debug)]
pub(crate) struct Tank {
    pub(crate) label: String,
    pub(crate) short: String,
    pub(crate) percent: String,
    pub(crate) known: bool,
    /// A class of the style sheet for the four usual colours.
    pub(crate) class: &'static str,
    /// A colour the device names itself, checked: `#RRGGBB`, or empty.
    pub(crate) fill: String,
    pub(crate) low: bool,
    /// Where the ink begins in the picture, and how high it stands.
    pub(crate) top: u8,
    pub(crate) height: u8,
}

/// One tray.
#[derive(Clone, Debug)]
pub(crate) struct TrayShown {
    pub(crate) name: String,
    pub(crate) media: String,
    pub(crate) words: String,
    pub(crate) empty: bool,
}

/// A printer as a card.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) name: String,
    pub(crate) info: String,
    /// Where it stands, and what it is.
    pub(crate) place: String,
    pub(crate) href: String,
    pub(crate) jobs_href: String,
    pub(crate) address: String,
    pub(crate) mailto: String,
    pub(crate) badge: Badge,
    pub(crate) troubles: Vec<TroubleShown>,
    pub(crate) tanks: Vec<Tank>,
    pub(crate) trays: Vec<TrayShown>,
    pub(crate) queued: String,
    pub(crate) queued_count: u64,
    pub(crate) heard: String,
    pub(crate) heard_exact: String,
}

/// A job in a list.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) short: String,
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) printer: String,
    pub(crate) sender: String,
    pub(crate) pages: String,
    pub(crate) when: String,
    pub(crate) when_exact: String,
    pub(crate) badge: Badge,
    pub(crate) line: String,
}

/// A choice in a form.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) hint: &'static str,
    pub(crate) here: bool,
}

impl Choice {
    pub(crate) fn new(value: &str, label: impl Into<String>, hint: &'static str, here: bool) -> Self {
        Self { value: value.into(), label: label.into(), hint, here }
    }
}

/// A key that sends a form.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) verb: &'static str,
    pub(crate) label: &'static str,
    pub(crate) class: &'static str,
}

/// A fact with its name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) title: String,
    pub(crate) href: String,
}

impl Fact {
    pub(crate) fn new(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: value.into(), ..Self::default() }
    }
}

fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Words that stand by themselves: `the line broke` becomes `The line broke.`
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    if text.is_empty() {
        return String::new();
    }
    format!("{}.", upper_first(text))
}

/// Every trouble of a printer in words, its pause first.
pub(crate) fn troubles(printer: &Printer, language: Language) -> Vec<TroubleShown> {
    let paused = printer.paused.then_some(Trouble::Paused);
    paused
        .into_iter()
        .chain(printer.condition.troubles())
        .map(|trouble| {
            let mut what = upper_first(&words::trouble(&trouble, language));
            what.push_str(if language == Language::En { "." } else { "。" });
            TroubleShown { what, remedy: words::remedy(&trouble, language) }
        })
        .collect()
}

pub(crate) fn printer_badge(printer: &Printer, language: Language) -> Badge {
    let t = texts(language);
    let all = printer.condition.trouble_for_all();
    let (word, tone) = if printer.paused {
        (t.state_paused, "off")
    } else if all == Some(Trouble::Off) {
        (t.state_off, "off")
    } else if all.is_some() {
        (t.state_trouble, "bad")
    } else if printer.current.is_some() {
        (t.state_printing, "busy")
    } else if !printer.condition.troubles().is_empty() {
        (t.state_attention, "ask")
    } else if printer.condition.reachability == Reachability::Unasked {
        (t.state_unasked, "wait")
    } else {
        (t.state_ready, "ok")
    };
    Badge { word, tone }
}

/// What was last heard of a device: report, answer, question in vain; the newest first.
pub(crate) fn heard(printer: &Printer, clock: &Clock) -> Vec<(Timestamp, String)> {
    let t = texts(clock.language);
    let condition = &printer.condition;
    let mut heard = Vec::new();
    let mut push = |at: Option<Timestamp>, text: &str| {
        if let Some(at) = at {
            heard.push((at, t.fill(text, &[&clock.ago(at)])));
        }
    };
    push(condition.reported_at, t.reported);
    push(condition.answered_at, t.answered);
    if condition.asked_at > condition.answered_at {
        push(condition.asked_at, t.asked_in_vain);
    }
    heard.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    heard
}

fn tank(marker: &Marker, language: Language) -> Tank {
    let t = texts(language);
    let color = marker.color.trim().to_ascii_lowercase();
    let name = marker.name.to_ascii_lowercase();
    let is = |word: &str, hex: &str| color == word || color == hex || (color.is_empty() && name.contains(word));
    let (class, label, short) = if is("cyan", "#00ffff") {
        ("cyan", t.color_cyan.to_owned(), "C")
    } else if is("magenta", "#ff00ff") {
        ("magenta", t.color_magenta.to_owned(), "M")
    } else if is("yellow", "#ffff00") {
        ("yellow", t.color_yellow.to_owned(), "Y")
    } else if marker.is_black() {
        ("black", t.color_black.to_owned(), "K")
    } else {
        let label = if marker.name.is_empty() { marker.color.clone() } else { marker.name.clone() };
        ("other", label, "")
    };
    let hex = color.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|c| c.is_ascii_hexdigit()));
    let level = marker.level.unwrap_or(0).min(100);
    // A trace stays visible as long as there is any.
    let height = if level == 0 { 0 } else { (u16::from(level) * 38 / 100).max(2) as u8 };
    Tank {
        short: if short.is_empty() { label.chars().take(4).collect() } else { short.into() },
        label,
        percent: marker.level.map_or_else(|| t.level_unknown.into(), |level| format!("{level}%")),
        known: marker.level.is_some(),
        class,
        fill: if class == "other" && hex { color } else { String::new() },
        low: marker.level.is_some_and(|level| level <= marker.low.unwrap_or(5)) && !marker.kind.starts_with("waste"),
        top: 3 + (38 - height),
        height,
    }
}

fn tray(tray: &Tray, language: Language) -> TrayShown {
    let t = texts(language);
    TrayShown {
        name: tray.name.clone(),
        media: tray.media.as_deref().map(media_label).unwrap_or("").to_owned(),
        words: match (tray.empty, tray.level) {
            (true, _) => t.tray_empty.into(),
            (false, Some(sheets)) => t.fill(t.tray_sheets, &[&sheets.to_string()]),
            (false, None) => t.tray_has.into(),
        },
        empty: tray.empty,
    }
}

/// A printer as a card, with `queued` jobs.
pub(crate) fn card(console: &Console, printer: &Printer, queued: u64, clock: &Clock) -> Card {
    let t = texts(clock.language);
    let address = console.mail_address(&printer.name);
    let heard = heard(printer, clock).into_iter().next();
    let model = printer.profile.as_ref().map(|profile| profile.make_and_model.as_str()).unwrap_or("");
    let place: Vec<&str> = [printer.location.as_str(), model].into_iter().filter(|text| !text.is_empty()).collect();
    Card {
        name: printer.name.clone(),
        info: printer.info.clone(),
        place: place.join(" · "),
        href: format!("/printers/{}", printer.name),
        jobs_href: format!("/jobs?printer={}&show=all", printer.name),
        mailto: format!("mailto:{address}"),
        address,
        badge: printer_badge(printer, clock.language),
        troubles: troubles(printer, clock.language),
        tanks: printer.condition.markers.iter().take(16).map(|marker| tank(marker, clock.language)).collect(),
        trays: printer.condition.trays.iter().take(16).map(|one| tray(one, clock.language)).collect(),
        queued: if queued == 0 { t.queued_none.into() } else { t.count(t.queued_one, t.queued_many, queued) },
        queued_count: queued,
        heard_exact: heard.as_ref().map(|(at, _)| clock.exact(*at)).unwrap_or_default(),
        heard: heard.map(|(_, text)| text).unwrap_or_default(),
    }
}

pub(crate) fn job_badge(job: &Job, hindrance: &Hindrance, language: Language) -> Badge {
    let t = texts(language);
    let (word, tone) = match hindrance {
        Hindrance::Preparing => (t.badge_preparing, "wait"),
        Hindrance::Held(_) => (t.badge_held, "ask"),
        Hindrance::InDoubt => (t.badge_doubt, "ask"),
        Hindrance::Trouble(_) if job.handed => (t.badge_stopped, "bad"),
        Hindrance::Trouble(_) | Hindrance::PutBack | Hindrance::Behind => (t.badge_waiting, "wait"),
        Hindrance::Next => (t.badge_next, "wait"),
        Hindrance::Printing => (t.badge_printing, "busy"),
        Hindrance::Over => match &job.outcome {
            Some(Outcome::Printed { evidence: Evidence::E0 | Evidence::E1 }) => (t.badge_sent, "done"),
            Some(Outcome::Printed { .. }) => (t.badge_printed, "done"),
            Some(Outcome::Canceled { .. } | Outcome::CanceledAtDevice) => (t.badge_canceled, "off"),
            Some(Outcome::Unprintable { .. } | Outcome::Expired) => (t.badge_failed, "bad"),
            Some(Outcome::DoubtClosed) | None => (t.badge_unknown, "off"),
        },
    };
    Badge { word, tone }
}

pub(crate) fn pages(count: u32, language: Language) -> String {
    let t = texts(language);
    if count == 0 { String::new() } else { t.count(t.pages_one, t.pages_many, u64::from(count)) }
}

/// What hinders a job, when it is tried again, and the words for it.
pub(crate) fn explain(job: &Job, printer: &Printer, clock: &Clock) -> (Hindrance, Option<Timestamp>, Why) {
    let hindrance = hold::hindrance(job, printer);
    let next_try_at = match &hindrance {
        Hindrance::Trouble(_) | Hindrance::PutBack if job.is_waiting() && !printer.paused => {
            // What is due already happens in a moment; a time that has passed would read like a fault.
            Some(assign::due_at(printer, job).max(clock.now))
        }
        _ => None,
    };
    let time = |at: Timestamp| clock.at(at);
    let facts = Facts { job, printer, hindrance: &hindrance, next_try_at, now: clock.now, time: &time };
    let why = words::why(&facts, clock.language);
    (hindrance, next_try_at, why)
}

/// A job in a list.
pub(crate) fn row(job: &Job, printer: &Printer, clock: &Clock) -> Row {
    let (hindrance, _, why) = explain(job, printer, clock);
    let when = job.completed_at.unwrap_or(job.created_at);
    Row {
        short: job.short().to_string(),
        href: format!("/jobs/{}", job.short()),
        name: job_name(job),
        printer: printer.info.clone(),
        sender: job.originator.address.0.clone(),
        pages: pages(job.pages(), clock.language),
        when: clock.ago(when),
        when_exact: clock.exact(when),
        badge: job_badge(job, &hindrance, clock.language),
        line: why.now,
    }
}

/// A job's name, or its number where it has none.
pub(crate) fn job_name(job: &Job) -> String {
    if job.name.trim().is_empty() { job.short().to_string() } else { job.name.0.clone() }
}

/// Printers by their key, read once each.
pub(crate) struct Printers {
    known: HashMap<PrinterUuid, Printer>,
}

impl Printers {
    pub(crate) async fn read(console: &Console, id: &Identity) -> Result<Self, Failure> {
        let rows = console.spooler().records().printers(id.whose()).await?;
        Ok(Self { known: rows.into_iter().map(|row| (row.record.uuid, row.record)).collect() })
    }

    /// A printer, also one that was removed.
    pub(crate) async fn get(
        &mut self,
        console: &Console,
        id: &Identity,
        uuid: PrinterUuid,
    ) -> Result<&Printer, SpoolerError> {
        use std::collections::hash_map::Entry;
        Ok(match self.known.entry(uuid) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(console.spooler().printer(id.whose(), uuid).await?),
        })
    }

    /// Those that were not removed, by name.
    pub(crate) fn by_name(&self) -> Vec<&Printer> {
        let mut all: Vec<&Printer> = self.known.values().filter(|printer| !printer.removed).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

/// The jobs somebody may see, newest first.
pub(crate) async fn jobs(
    console: &Console,
    id: &Identity,
    printer: Option<PrinterUuid>,
    states: JobStates,
    before: Option<tympan_engine::JobUuid>,
    limit: usize,
) -> Result<Vec<Job>, Failure> {
    let records = console.spooler().records();
    let filter = JobFilter { printer, originator: None, states, before, limit };
    let everybodys = match printer {
        Some(printer) => id.may(printer, Right::Operate),
        None => id.right() >= Some(Right::Operate),
    };
    if everybodys {
        return Ok(records.jobs(id.whose(), &filter).await?);
    }
    let Some(account) = id.account() else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for address in account.addresses.iter().map(|address| address.0.clone()).chain([account.name.clone()]) {
        let filter = JobFilter { originator: Some(address), ..filter.clone() };
        found.extend(records.jobs(id.whose(), &filter).await?);
    }
    if printer.is_none() {
        for (at, _) in account.printer_rights.iter().filter(|(_, right)| *right >= Right::Operate) {
            let filter = JobFilter { printer: Some(*at), ..filter.clone() };
            found.extend(records.jobs(id.whose(), &filter).await?);
        }
    }
    found.sort_by_key(|job| std::cmp::Reverse(job.uuid));
    found.dedup_by_key(|job| job.uuid);
    found.truncate(limit);
    Ok(found)
}
