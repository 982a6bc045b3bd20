//! The list of jobs.

use super::{Frame, ok};
use crate::ask::{Answer, Ask};
use crate::routes::Console;
use crate::show::{self, Choice, Printers, Row};
use crate::texts::Texts;
use askama::Template;
use std::sync::Arc;
use tympan_engine::JobUuid;
use tympan_store::JobStates;

/// Jobs on one page.
const PAGE: usize = 50;

struct Tab {
    href: String,
    label: &'static str,
    here: bool,
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct Jobs {
    f: Frame,
    t: &'static Texts,
    tabs: Vec<Tab>,
    show: &'static str,
    printers: Vec<Choice>,
    rows: Vec<Row>,
    older: String,
}

/// `GET /jobs`
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    let id = &ask.id;
    let t = id.texts();
    let clock = console.clock(id.language);
    let mut printers = Printers::read(&console, id).await?;
    let (show, states) = match ask.field("show") {
        "doubt" => ("doubt", JobStates::InDoubt),
        "ended" => ("ended", JobStates::Completed),
        "all" => ("all", JobStates::All),
        _ => ("waiting", JobStates::NotCompleted),
    };
    let wanted = ask.field("printer");
    let chosen = printers.by_name().into_iter().find(|printer| printer.name == wanted).map(|printer| printer.uuid);
    let name = if chosen.is_some() { wanted } else { "" };
    let before = JobUuid::parse(ask.field("before"));
    let jobs = show::jobs(&console, id, chosen, states, before, PAGE).await?;
    let older = match jobs.last() {
        Some(last) if jobs.len() == PAGE => {
            format!("/jobs?show={show}&printer={name}&before={}", last.uuid)
        }
        _ => String::new(),
    };
    let mut rows = Vec::with_capacity(jobs.len());
    for job in &jobs {
        rows.push(show::row(job, printers.get(&console, id, job.printer).await?, &clock));
    }
    let tab =
        |key: &'static str, label| Tab { href: format!("/jobs?show={key}&printer={name}"), label, here: key == show };
    let page = Jobs {
        f: Frame::new(&console, id, &ask.parts, t.jobs).live(id),
        t,
        tabs: vec![
            tab("waiting", t.tab_waiting),
            tab("doubt", t.tab_doubt),
            tab("ended", t.tab_ended),
            tab("all", t.tab_all),
        ],
        show,
        printers: printers
            .by_name()
            .into_iter()
            .map(|printer| Choice::new(&printer.name, &*printer.info, "", chosen == Some(printer.uuid)))
            .collect(),
        rows,
        older,
    };
    ok(&page)
}
