//! The printers, and what needs a person.

use super::{Frame, ok};
use crate::ask::{Answer, Ask};
use crate::routes::Console;
use crate::show::{self, Card, Printers, Row};
use crate::texts::Texts;
use askama::Template;
use std::sync::Arc;
use tympan_engine::{RegistrationState, Right};
use tympan_store::JobStates;

/// Jobs on the home page.
const JOBS_MAX: usize = 12;

struct Alert {
    href: &'static str,
    text: String,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    f: Frame,
    t: &'static Texts,
    may_add: bool,
    alerts: Vec<Alert>,
    cards: Vec<Card>,
    rows: Vec<Row>,
}

/// `GET /`
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    let id = &ask.id;
    let t = id.texts();
    let clock = console.clock(id.language);
    let mut cards = Vec::new();
    let mut asking = 0u64;
    for view in console.spooler().printer_views(id.whose()).await? {
        if id.may(view.printer.uuid, Right::Own) {
            let at = console.spooler().records().registrations_at(id.whose(), view.printer.uuid).await?;
            asking += at.iter().filter(|row| row.record.state == RegistrationState::Requested).count() as u64;
        }
        cards.push(show::card(&console, &view.printer, view.waiting.queued, &clock));
    }
    let doubts = show::jobs(&console, id, None, JobStates::InDoubt, None, 100).await?.len() as u64;
    let mut alerts = Vec::new();
    if doubts > 0 {
        alerts.push(Alert { href: "/jobs?show=doubt", text: t.count(t.doubt_one, t.doubt_many, doubts) });
    }
    if asking > 0 {
        alerts.push(Alert { href: "/registrations", text: t.count(t.asked_one, t.asked_many, asking) });
    }
    let mut printers = Printers::read(&console, id).await?;
    let mut rows = Vec::new();
    for job in show::jobs(&console, id, None, JobStates::NotCompleted, None, JOBS_MAX).await? {
        rows.push(show::row(&job, printers.get(&console, id, job.printer).await?, &clock));
    }
    let f = Frame::new(&console, id, &ask.parts, t.printers).live(id);
    ok(&Home { f, t, may_add: id.right() >= Some(Right::Own), alerts, cards, rows })
}
