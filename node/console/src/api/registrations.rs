//! Registrations.

use super::{created, language_of, ok, registration_object};
use crate::act::{self, span_between};
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::pages::registrations::change;
use crate::routes::Console;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::sync::Arc;
use tympan_engine::registration::{RETENTION_MAX, RETENTION_MIN};
use tympan_engine::time::SECOND;
use tympan_engine::{JobOptions, Millis, Registration, RegistrationEvent, Right};
use tympan_spooler::SpoolerError;

async fn shown(console: &Console, ask: &Ask, registration: &Registration) -> Result<Value, Failure> {
    let printer = console.spooler().printer(ask.id.whose(), registration.printer).await?;
    Ok(registration_object(registration, &printer.name))
}

/// `GET /registrations`
pub(crate) async fn list(console: Arc<Console>, ask: Ask) -> Answer {
    let id = &ask.id;
    let records = console.spooler().records();
    let wanted = match ask.field("printer") {
        "" => None,
        name => Some(console.spooler().printer_named(id.whose(), name).await?.uuid),
    };
    let mut all = Vec::new();
    for row in records.printers(id.whose()).await? {
        let printer = row.record;
        if wanted.is_some_and(|wanted| wanted != printer.uuid) {
            continue;
        }
        let owns = id.may(printer.uuid, Right::Own);
        for found in records.registrations_at(id.whose(), printer.uuid).await? {
            if owns || id.is_sender(&found.record.sender) {
                all.push(registration_object(&found.record, &printer.name));
            }
        }
    }
    Ok(ok(&all.into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    printer: String,
    sender: String,
}

/// `POST /registrations`
pub(crate) async fn add(console: Arc<Console>, ask: Ask) -> Answer {
    let Add { printer, sender } = ask.input()?;
    let id = &ask.id;
    let printer = console.spooler().printer_named(id.whose(), &printer).await?;
    if !id.may(printer.uuid, Right::Own) {
        return Err(Failure::Forbidden);
    }
    let made = console.spooler().register(&printer, &sender, id.language, JobOptions::default()).await;
    let made = made.map_err(|error| match error {
        SpoolerError::Invalid(_) => Failure::Invalid(id.texts().bad_address.into()),
        other => other.into(),
    })?;
    Ok(created(&registration_object(&made, &printer.name)))
}

async fn apply(console: &Console, ask: &Ask, event: RegistrationEvent) -> Answer {
    let id = ask.id.registration()?.id;
    let now = console.spooler().registration_event(ask.id.whose(), id, event).await?;
    Ok(ok(&shown(console, ask, &now).await?))
}

/// `POST /registrations/{registration}/approve`
pub(crate) async fn approve(console: Arc<Console>, ask: Ask) -> Answer {
    let now = act::approve(&console, &ask.id).await?;
    Ok(ok(&shown(&console, &ask, &now).await?))
}

/// `POST /registrations/{registration}/revoke`
pub(crate) async fn revoke(console: Arc<Console>, ask: Ask) -> Answer {
    apply(&console, &ask, RegistrationEvent::Revoke).await
}

/// `null` is a value here (back to the printer's default), and absence means "as it is".
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    #[serde(default, deserialize_with = "given")]
    retention: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    retry_interval: Option<Value>,
    #[serde(default)]
    language: Option<String>,
}

/// `PATCH /registrations/{registration}`
pub(crate) async fn patch(console: Arc<Console>, ask: Ask) -> Answer {
    let Patch { retention, retry_interval, language } = ask.input()?;
    let t = ask.id.texts();
    let read = |field: &str, value: Option<Value>, min: Millis| match value {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(Value::String(text)) => span_between(t, field, &text, min, RETENTION_MAX).map(|span| Some(Some(span))),
        Some(_) => Err(Failure::Invalid(t.fill(t.bad_span, &[field]))),
    };
    let retention = read("retention", retention, RETENTION_MIN)?;
    let retry_interval = read("retry_interval", retry_interval, SECOND)?;
    let language = match language.as_deref() {
        None => None,
        Some(tag) => Some(language_of(tag).ok_or_else(|| Failure::Invalid("`language` is `en` or `ja`".into()))?),
    };
    let now = change(&console, &ask.id, retention, retry_interval, language).await?;
    Ok(ok(&shown(&console, &ask, &now).await?))
}
