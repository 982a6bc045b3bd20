//! One printer: how it is, what waits there, who may print.

use super::registrations::{RegistrationRow, rows_at};
use super::{Frame, done, ok};
use crate::ask::{Answer, Ask};
use crate::clock::Clock;
use crate::routes::Console;
use crate::show::{self, Card, Fact, Key, Row};
use crate::texts::Texts;
use crate::words::{self, Line};
use crate::{act, qr};
use askama::Template;
use std::sync::Arc;
use tympan_engine::options::media_label;
use tympan_engine::{Printer, PrinterEvent, Right};
use tympan_store::JobStates;

struct Heard {
    text: String,
    exact: String,
}

#[derive(Template)]
#[template(path = "printer.html")]
struct PrinterPage {
    f: Frame,
    t: &'static Texts,
    card: Card,
    heard: Vec<Heard>,
    may_operate: bool,
    may_own: bool,
    keys: Vec<Key>,
    /// What becomes of new jobs, where it is off.
    off: String,
    /// It can be switched off.
    may_switch_off: bool,
    constant: String,
    upload: String,
    qr: String,
    register_url: String,
    rows: Vec<Row>,
    own_path: String,
    registrations: Vec<RegistrationRow>,
    facts: Vec<Fact>,
    history: Vec<Line>,
}

/// How the sender chooses the printer where one address serves all (A02).
pub(crate) fn constant_note(console: &Console, t: &Texts, name: &str) -> String {
    match console.options.constant_address {
        Some(_) => t.fill(t.constant_note, &[&format!("[{name}]")]),
        None => String::new(),
    }
}

/// `GET /printers/{printer}`
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    let id = &ask.id;
    let t = id.texts();
    let clock = console.clock(id.language);
    let printer = id.printer()?;
    let records = console.spooler().records();
    let waiting = records.waiting(id.whose(), printer.uuid).await?;
    let jobs = show::jobs(&console, id, Some(printer.uuid), JobStates::NotCompleted, None, 20).await?;
    let (may_operate, may_own) = (id.may(printer.uuid, Right::Operate), id.may(printer.uuid, Right::Own));
    let register_url = format!("{}/register/{}", console.options.base_url, printer.name);
    let history = match may_operate {
        true => records.history_of_printer(id.whose(), printer.uuid, 200).await?,
        false => Vec::new(),
    };
    let page = PrinterPage {
        f: Frame::new(&console, id, &ask.parts, &*printer.info).live(id),
        t,
        card: show::card(&console, printer, waiting.queued, &clock),
        heard: show::heard(printer, &clock)
            .into_iter()
            .map(|(at, text)| Heard { text, exact: clock.exact(at) })
            .chain(printer.outage.as_ref().map(|outage| Heard {
                text: t.fill(t.outage_since, &[&clock.at(outage.since)]),
                exact: clock.exact(outage.since),
            }))
            .collect(),
        may_operate,
        may_own,
        keys: keys(t, printer),
        off: off(t, printer, &clock),
        may_switch_off: may_operate && !printer.paused,
        constant: constant_note(&console, t, &printer.name),
        upload: console
            .options
            .upload_path
            .as_ref()
            .map_or(String::new(), |_| format!("/printers/{}/print", printer.name)),
        qr: qr::data_uri(&register_url).unwrap_or_default(),
        register_url,
        rows: jobs.iter().map(|job| Row { printer: String::new(), ..show::row(job, printer, &clock) }).collect(),
        own_path: format!("/printers/{}", printer.name),
        registrations: match may_own {
            true => rows_at(&console, id, printer, "").await?,
            false => Vec::new(),
        },
        facts: facts(t, printer, may_own),
        history: history
            .iter()
            // What happened to jobs stands with the jobs.
            .filter(|one| one.job.is_none())
            .take(30)
            .filter_map(|one| words::line(one, &clock))
            .collect(),
    };
    ok(&page)
}

fn keys(t: &'static Texts, printer: &Printer) -> Vec<Key> {
    let resume = printer.paused.then_some(Key { verb: "resume", label: t.resume, class: "main" });
    let try_now = Key { verb: "try", label: t.print_now, class: if printer.paused { "" } else { "main" } };
    [Some(try_now), resume, Some(Key { verb: "test", label: t.test_page, class: "" })].into_iter().flatten().collect()
}

/// What becomes of new jobs while a printer is off (E07, E08).
fn off(t: &Texts, printer: &Printer, clock: &Clock) -> String {
    match printer.off.map(|off| (off, off.refuses_from())) {
        None => String::new(),
        Some((off, None)) => t.fill(t.off_keeps, &[&clock.at(off.since)]),
        Some((off, Some(from))) if from <= clock.now => t.fill(t.off_refuses, &[&clock.at(off.since)]),
        Some((off, Some(from))) => t.fill(t.off_keeps_until, &[&clock.at(off.since), &clock.at(from)]),
    }
}

fn facts(t: &'static Texts, printer: &Printer, may_own: bool) -> Vec<Fact> {
    let mut facts = Vec::new();
    if may_own {
        facts.push(Fact::new(t.fact_device, printer.device.as_str()));
    }
    if let Some(profile) = &printer.profile {
        let word = |yes: bool| if yes { t.yes } else { t.no };
        if !profile.make_and_model.is_empty() {
            facts.push(Fact::new(t.fact_model, profile.make_and_model.as_str()));
        }
        facts.push(Fact::new(t.fact_color, word(profile.color)));
        facts.push(Fact::new(t.fact_duplex, word(profile.duplex)));
        let media: Vec<&str> = profile
            .media
            .iter()
            .map(|name| (name, media_label(name)))
            .filter(|(name, label)| name != label)
            .map(|(_, label)| label)
            .collect();
        if !media.is_empty() {
            facts.push(Fact::new(t.fact_media, media.join(", ")));
        }
        let formats: Vec<&str> = profile.formats.iter().filter_map(|format| act::format_word(format)).collect();
        if !formats.is_empty() {
            facts.push(Fact::new(t.fact_formats, formats.join(", ")));
        }
    }
    let access = match printer.policy.access {
        tympan_engine::Access::Open => t.access_open,
        tympan_engine::Access::Approve => t.access_approve,
        tympan_engine::Access::Invite => t.access_invite,
    };
    facts.push(Fact::new(t.who_may_print, access));
    facts
}

fn back(ask: &Ask, key: &str) -> Answer {
    done(&format!("/printers/{}", ask.id.printer()?.name), key)
}

/// `POST /printers/{printer}/pause`
pub(crate) async fn pause(console: Arc<Console>, ask: Ask) -> Answer {
    let jobs = act::while_off(ask.id.texts(), ask.field("jobs"), ask.field("span"))?;
    act::move_printer(&console, &ask.id, PrinterEvent::SwitchOff(jobs)).await?;
    back(&ask, "paused")
}

/// `POST /printers/{printer}/resume`
pub(crate) async fn resume(console: Arc<Console>, ask: Ask) -> Answer {
    act::move_printer(&console, &ask.id, PrinterEvent::Resume).await?;
    back(&ask, "resumed")
}

/// `POST /printers/{printer}/try`
pub(crate) async fn try_now(console: Arc<Console>, ask: Ask) -> Answer {
    // What is wrong stands on the page that comes next.
    let asked = act::try_now(&console, &ask.id, ask.id.printer()?).await;
    back(&ask, if asked.is_ok() { "tried" } else { "in-vain" })
}

/// `POST /printers/{printer}/test`
pub(crate) async fn test_page(console: Arc<Console>, ask: Ask) -> Answer {
    let job = act::test_page(&console, &ask.id, ask.id.printer()?).await?;
    done(&format!("/jobs/{}", job.short()), "test")
}
