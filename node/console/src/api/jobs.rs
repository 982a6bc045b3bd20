//! Jobs.

use super::{attempt_object, created, history_of, job_object, ok, why_object};
use crate::act;
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::routes::Console;
use crate::show::{self, Printers};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tympan_engine::{Job, JobUuid};
use tympan_store::JobStates;

/// Most jobs in one answer.
const LIMIT_MAX: usize = 1_000;

async fn object(console: &Console, ask: &Ask, job: &Job) -> Result<Value, Failure> {
    let printer = console.spooler().printer(ask.id.whose(), job.printer).await?;
    Ok(job_object(job, &printer, &console.clock(ask.id.language)))
}

async fn shown(console: &Console, ask: &Ask, job: &Job) -> Answer {
    Ok(ok(&object(console, ask, job).await?))
}

/// `GET /jobs`
pub(crate) async fn list(console: Arc<Console>, ask: Ask) -> Answer {
    let id = &ask.id;
    let clock = console.clock(id.language);
    let printer = match ask.field("printer") {
        "" => None,
        name => Some(console.spooler().printer_named(id.whose(), name).await?.uuid),
    };
    let states = match ask.field("all") {
        "" | "0" => JobStates::NotCompleted,
        _ => JobStates::All,
    };
    let limit = match ask.field("limit") {
        "" => 100,
        text => text
            .parse()
            .ok()
            .filter(|n| (1..=LIMIT_MAX).contains(n))
            .ok_or_else(|| Failure::Invalid(format!("`limit` is between 1 and {LIMIT_MAX}")))?,
    };
    let before = match ask.field("before") {
        "" => None,
        text => Some(match JobUuid::parse(text) {
            Some(uuid) => uuid,
            None => console.spooler().find_job(id.whose(), text).await?.uuid,
        }),
    };
    let mut printers = Printers::read(&console, id).await?;
    let mut all = Vec::new();
    for job in show::jobs(&console, id, printer, states, before, limit).await? {
        all.push(job_object(&job, printers.get(&console, id, job.printer).await?, &clock));
    }
    Ok(ok(&all.into()))
}

/// `GET /jobs/{job}`
pub(crate) async fn get(console: Arc<Console>, ask: Ask) -> Answer {
    let clock = console.clock(ask.id.language);
    let view = console.spooler().job_view(ask.id.whose(), ask.id.job()?.uuid).await?;
    let mut job = job_object(&view.job, &view.printer, &clock);
    let documents = view.job.documents.iter().map(|document| {
        json!({
            "name": document.name.0,
            "format": document.format,
            "octets": document.octets,
            "pages": document.pages,
        })
    });
    job["documents"] = documents.collect::<Vec<_>>().into();
    job["history"] = history_of(&view.history, &clock).into();
    job["attempts"] = view.attempts.iter().map(|attempt| attempt_object(attempt, &clock)).collect::<Vec<_>>().into();
    Ok(ok(&job))
}

/// `GET /jobs/{job}/why`
pub(crate) async fn why(console: Arc<Console>, ask: Ask) -> Answer {
    let job = ask.id.job()?;
    let printer = console.spooler().printer(ask.id.whose(), job.printer).await?;
    let (_, _, why) = show::explain(job, &printer, &console.clock(ask.id.language));
    let mut object = why_object(&why);
    object["text"] = why.text().into();
    Ok(ok(&object))
}

/// `POST /jobs/{job}/cancel`
pub(crate) async fn cancel(console: Arc<Console>, ask: Ask) -> Answer {
    shown(&console, &ask, &act::cancel(&console, &ask.id).await?).await
}

/// `POST /jobs/{job}/hold`
pub(crate) async fn hold(console: Arc<Console>, ask: Ask) -> Answer {
    shown(&console, &ask, &act::hold(&console, &ask.id).await?).await
}

/// `POST /jobs/{job}/release`
pub(crate) async fn release(console: Arc<Console>, ask: Ask) -> Answer {
    shown(&console, &ask, &act::release(&console, &ask.id).await?).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reprint {
    #[serde(default)]
    at: Option<String>,
}

/// `POST /jobs/{job}/reprint`
pub(crate) async fn reprint(console: Arc<Console>, ask: Ask) -> Answer {
    let Reprint { at } = ask.input()?;
    let id = &ask.id;
    let at = match at.as_deref() {
        None | Some("") => None,
        Some(name) => {
            let printer = console.spooler().printer_named(id.whose(), name).await?;
            // The same printer again is no "elsewhere".
            Some(if printer.uuid == id.job()?.printer {
                printer
            } else {
                act::elsewhere_at(&console, id, name).await?
            })
        }
    };
    let job = act::reprint(&console, id, at.as_ref()).await?;
    Ok(created(&object(&console, &ask, &job).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decide {
    decision: String,
    #[serde(default)]
    page: Option<u32>,
}

/// `POST /jobs/{job}/decide`
pub(crate) async fn decide(console: Arc<Console>, ask: Ask) -> Answer {
    let Decide { decision, page } = ask.input()?;
    let decision = act::decision(&decision, page).ok_or_else(|| {
        Failure::Invalid("`decision` is `print-from` (with `page`), `print-all`, `fine` or `throw-away`".into())
    })?;
    shown(&console, &ask, &act::decide(&console, &ask.id, decision).await?).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keep {
    span: String,
}

/// `POST /jobs/{job}/keep`
pub(crate) async fn keep(console: Arc<Console>, ask: Ask) -> Answer {
    let Keep { span } = ask.input()?;
    shown(&console, &ask, &act::keep(&console, &ask.id, &span).await?).await
}

/// What a job is called in an event.
pub(crate) fn named(job: &Job) -> Value {
    json!(job.short().to_string())
}
