//! Printers.

use super::{created, job_object, ok, printer_object};
use crate::act;
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::routes::Console;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tympan_engine::registration::{RETENTION_MAX, RETENTION_MIN};
use tympan_engine::time::SECOND;
use tympan_engine::{Access, JobUuid, Printer, PrinterEvent, PrinterPolicy};
use tympan_http::respond;
use tympan_spooler::NewPrinter;

async fn object(console: &Console, ask: &Ask, printer: &Printer) -> Result<Value, Failure> {
    let waiting = console.spooler().records().waiting(ask.id.whose(), printer.uuid).await?;
    Ok(printer_object(console, printer, waiting.queued, waiting.ready, &console.clock(ask.id.language)))
}

async fn shown(console: &Console, ask: &Ask) -> Answer {
    // Read again: what was done just now shows.
    let printer = console.spooler().printer(ask.id.whose(), ask.id.printer()?.uuid).await?;
    Ok(ok(&object(console, ask, &printer).await?))
}

/// `GET /printers`
pub(crate) async fn list(console: Arc<Console>, ask: Ask) -> Answer {
    let clock = console.clock(ask.id.language);
    let views = console.spooler().printer_views(ask.id.whose()).await?;
    let all: Vec<Value> = views
        .iter()
        .map(|view| printer_object(&console, &view.printer, view.waiting.queued, view.waiting.ready, &clock))
        .collect();
    Ok(ok(&all.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    name: String,
    device: String,
    #[serde(default)]
    info: Option<String>,
    #[serde(default)]
    access: Option<Access>,
    #[serde(default)]
    test_page: bool,
}

/// `POST /printers`
pub(crate) async fn add(console: Arc<Console>, ask: Ask) -> Answer {
    let Add { name, device, info, access, test_page } = ask.input()?;
    let new = NewPrinter {
        name: name.to_ascii_lowercase(),
        info: info.unwrap_or_default(),
        device,
        policy: PrinterPolicy { access: access.unwrap_or_default(), ..PrinterPolicy::default() },
        device_fingerprint: None,
    };
    let added = act::add_printer(&console, &ask.id, new, test_page).await?;
    let t = ask.id.texts();
    let mut answer = match added.answer {
        Ok(said) => said,
        Err(why) => format!("{why} {}", t.add_anyway),
    };
    if let Some(Err(why)) = &added.test {
        answer = format!("{answer} {why}");
    }
    let test: Option<String> = added.test.and_then(Result::ok).map(|job: JobUuid| job.short().to_string());
    let printer = object(&console, &ask, &added.printer).await?;
    Ok(created(&json!({ "printer": printer, "answer": answer, "test_job": test })))
}

/// `GET /printers/{printer}`
pub(crate) async fn get(console: Arc<Console>, ask: Ask) -> Answer {
    shown(&console, &ask).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    #[serde(default)]
    info: Option<String>,
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    device: Option<String>,
    #[serde(default)]
    policy: Option<Map<String, Value>>,
}

/// The policy with some of its values changed; a value that does not exist, or is out of range, is refused by name.
fn merged(before: &PrinterPolicy, changes: Map<String, Value>) -> Result<PrinterPolicy, Failure> {
    let invalid = |text: String| Failure::Invalid(text);
    let mut all = match serde_json::to_value(before) {
        Ok(Value::Object(all)) => all,
        _ => Map::new(),
    };
    for (name, value) in changes {
        if !all.contains_key(&name) {
            let allowed: Vec<&str> = all.keys().map(String::as_str).collect();
            return Err(invalid(format!("`{name}` is no part of a policy; it has {}", allowed.join(", "))));
        }
        all.insert(name, value);
    }
    let policy: PrinterPolicy =
        serde_json::from_value(Value::Object(all)).map_err(|error| invalid(format!("policy: {error}")))?;
    let spans = [
        ("retention_ms", policy.retention_ms, RETENTION_MIN, RETENTION_MAX),
        ("retry_interval_ms", policy.retry_interval_ms, SECOND, RETENTION_MAX),
        ("time_out_ms", policy.time_out_ms, 100, 300 * SECOND),
        ("reprint_window_ms", policy.reprint_window_ms, 0, RETENTION_MAX),
        ("doubt_ms", policy.doubt_ms, SECOND, RETENTION_MAX),
        ("review_pages", u64::from(policy.review_pages), 1, 100_000),
    ];
    match spans.iter().find(|(_, value, min, max)| !(min..=max).contains(&value)) {
        Some((name, _, min, max)) => Err(invalid(format!("`{name}` is between {min} and {max}"))),
        None => Ok(policy),
    }
}

/// `PATCH /printers/{printer}`
pub(crate) async fn patch(console: Arc<Console>, ask: Ask) -> Answer {
    let Patch { info, location, device, policy } = ask.input()?;
    let t = ask.id.texts();
    let printer = ask.id.printer()?;
    let policy = policy.map(|changes| merged(&printer.policy, changes)).transpose()?;
    for (field, text) in [("info", &info), ("location", &location)] {
        if text.as_ref().is_some_and(|text| text.chars().count() > 127) {
            return Err(Failure::Invalid(t.fill(t.bad_text, &[field])));
        }
    }
    if device.as_ref().is_some_and(|device| tympan_spooler::printers::check_device(device).is_err()) {
        return Err(Failure::Invalid(t.bad_device.into()));
    }
    if let Some(policy) = policy {
        act::move_printer(&console, &ask.id, PrinterEvent::Policy(policy)).await?;
    }
    if info.is_some() || location.is_some() {
        let info = info.filter(|info| !info.trim().is_empty()).unwrap_or_else(|| printer.info.clone());
        let location = location.unwrap_or_else(|| printer.location.clone());
        act::move_printer(&console, &ask.id, PrinterEvent::Describe { info, location }).await?;
    }
    if let Some(device) = device {
        act::move_printer(&console, &ask.id, PrinterEvent::Device(device)).await?;
    }
    shown(&console, &ask).await
}

/// `DELETE /printers/{printer}`
pub(crate) async fn remove(console: Arc<Console>, ask: Ask) -> Answer {
    act::remove_printer(&console, &ask.id).await?;
    Ok(respond::no_content())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    #[serde(default)]
    jobs: Option<String>,
    #[serde(default)]
    span: Option<String>,
}

/// `POST /printers/{printer}/pause`
pub(crate) async fn pause(console: Arc<Console>, ask: Ask) -> Answer {
    let Pause { jobs, span } = ask.input()?;
    let (jobs, span) = (jobs.unwrap_or_default(), span.unwrap_or_default());
    let jobs = act::while_off(ask.id.texts(), &jobs, &span)?;
    act::move_printer(&console, &ask.id, PrinterEvent::SwitchOff(jobs)).await?;
    shown(&console, &ask).await
}

/// `POST /printers/{printer}/resume`
pub(crate) async fn resume(console: Arc<Console>, ask: Ask) -> Answer {
    act::move_printer(&console, &ask.id, PrinterEvent::Resume).await?;
    shown(&console, &ask).await
}

/// `POST /printers/{printer}/try`
pub(crate) async fn try_now(console: Arc<Console>, ask: Ask) -> Answer {
    act::try_now(&console, &ask.id, ask.id.printer()?).await?;
    shown(&console, &ask).await
}

/// `POST /printers/{printer}/test`
pub(crate) async fn test(console: Arc<Console>, ask: Ask) -> Answer {
    let printer = ask.id.printer()?;
    let job = act::test_page(&console, &ask.id, printer).await?;
    let job = console.spooler().job(ask.id.whose(), job).await?;
    Ok(created(&json!({ "job": job_object(&job, printer, &console.clock(ask.id.language)) })))
}

/// `POST /printers/{printer}/token`
pub(crate) async fn token(console: Arc<Console>, ask: Ask) -> Answer {
    let token = act::report_token(&console, &ask.id).await?;
    let report_uri = console.options.report_uri_of(&ask.id.printer()?.name);
    Ok(created(&json!({ "token": token, "report_uri": report_uri })))
}
