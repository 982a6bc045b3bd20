//! The JSON API, version 1: the objects, in one place.

pub(crate) mod admin;
pub(crate) mod events;
pub(crate) mod jobs;
pub(crate) mod printers;
pub(crate) mod registrations;

use crate::ask::{Answer, Ask};
use crate::clock::Clock;
use crate::routes::Console;
use crate::show;
use crate::words;
use serde_json::{Value, json};
use std::sync::Arc;
use tympan_engine::hold::Hindrance;
use tympan_engine::words::Why;
use tympan_engine::{Attempt, Job, Language, Printer, Registration, Timestamp};
use tympan_http::{Body, HeaderValue, Response, StatusCode, header, respond};

/// 200 with a value.
pub(crate) fn ok(value: &Value) -> Response<Body> {
    respond::json(StatusCode::OK, value)
}

/// The description of the API (OpenAPI 3.1). A test holds it against the routes and their answers.
const DESCRIPTION: &str = include_str!("../../openapi.json");

/// `GET /openapi.json`
pub(crate) async fn description(_: Arc<Console>, _: Ask) -> Answer {
    let response = respond::text(StatusCode::OK, DESCRIPTION);
    Ok(respond::with_header(response, header::CONTENT_TYPE, HeaderValue::from_static("application/json")))
}

/// 201 with a value.
pub(crate) fn created(value: &Value) -> Response<Body> {
    respond::json(StatusCode::CREATED, value)
}

fn when(clock: &Clock, at: Option<Timestamp>) -> Option<String> {
    at.map(|at| clock.rfc3339(at))
}

fn why_object(why: &Why) -> Value {
    json!({ "job": why.job, "now": why.now, "next": why.next, "ends": why.ends, "can": why.can })
}

/// A job.
pub(crate) fn job_object(job: &Job, printer: &Printer, clock: &Clock) -> Value {
    let (hindrance, next_try_at, why) = show::explain(job, printer, clock);
    let mut reasons = job.reasons();
    if matches!(hindrance, Hindrance::Trouble(_)) && !reasons.contains(&"printer-stopped") {
        reasons.push("printer-stopped");
    }
    let doubt = job
        .doubt
        .as_ref()
        .map(|doubt| json!({ "certain": doubt.certain, "possible": doubt.possible, "why": doubt.why }));
    json!({
        "id": job.short().to_string(),
        "uuid": job.uuid.to_string(),
        "job_id": job.id.0,
        "printer": printer.name,
        "name": job.name.0,
        "originator": job.originator.address.0,
        "state": job.state.as_str(),
        "reasons": reasons,
        "pages": job.pages(),
        "copies": job.copies(),
        "impressions_completed": job.impressions_completed,
        "created_at": clock.rfc3339(job.created_at),
        "keep_until": clock.rfc3339(job.keep_until),
        "next_try_at": when(clock, next_try_at),
        "outcome": job.outcome.as_ref().map(|outcome| tympan_engine::words::outcome(outcome, clock.language)),
        "doubt": doubt,
        "why": why_object(&why),
    })
}

/// An attempt.
pub(crate) fn attempt_object(attempt: &Attempt, clock: &Clock) -> Value {
    json!({
        "number": attempt.number.0,
        "state": attempt.state.as_str(),
        "first_page": attempt.first_page,
        "impressions": attempt.impressions,
        "impressions_completed": attempt.impressions_completed,
        "octets_sent": attempt.octets_sent,
        "sent_all": attempt.sent_all,
        "started_at": clock.rfc3339(attempt.started_at),
        "ended_at": when(clock, attempt.ended_at),
    })
}

/// A printer.
pub(crate) fn printer_object(console: &Console, printer: &Printer, queued: u64, ready: u64, clock: &Clock) -> Value {
    let condition = &printer.condition;
    let troubles: Vec<String> =
        condition.troubles().iter().map(|trouble| tympan_engine::words::trouble(trouble, clock.language)).collect();
    let trays: Vec<Value> = condition
        .trays
        .iter()
        .map(|tray| json!({ "name": tray.name, "media": tray.media, "level": tray.level, "empty": tray.empty }))
        .collect();
    let markers: Vec<Value> = condition
        .markers
        .iter()
        .map(|marker| json!({ "name": marker.name, "color": marker.color, "level": marker.level }))
        .collect();
    json!({
        "name": printer.name,
        "uuid": printer.uuid.to_string(),
        "info": printer.info,
        "location": printer.location,
        "address": console.mail_address(&printer.name),
        "device": printer.device,
        "state": condition.state.as_str(),
        "reasons": condition.reasons,
        "troubles": troubles,
        "accepting": printer.accepts(clock.now),
        "refuses_from": when(clock, printer.off.and_then(|off| off.refuses_from())),
        "paused": printer.paused,
        "access": printer.policy.access,
        "queued": queued,
        "ready": ready,
        "trays": trays,
        "markers": markers,
        "asked_at": when(clock, condition.asked_at),
        "answered_at": when(clock, condition.answered_at),
        "reported_at": when(clock, condition.reported_at),
        "outage_since": when(clock, printer.outage.as_ref().map(|outage| outage.since)),
        "make_and_model": printer.profile.as_ref().map(|profile| profile.make_and_model.as_str()),
        "policy": printer.policy,
    })
}

/// A registration at the printer with this name.
pub(crate) fn registration_object(registration: &Registration, printer: &str) -> Value {
    json!({
        "id": registration.id.to_string(),
        "printer": printer,
        "sender": registration.sender.0,
        "state": registration.state,
        "retention_ms": registration.retention_ms,
        "retry_interval_ms": registration.retry_interval_ms,
        "language": registration.language,
    })
}

/// What happened to a job.
pub(crate) fn history_of(history: &[tympan_engine::History], clock: &Clock) -> Vec<Value> {
    history
        .iter()
        .filter_map(|one| {
            let line = words::line(one, clock)?;
            Some(json!({ "at": clock.rfc3339(one.at), "text": line.text }))
        })
        .collect()
}

/// The language of a language tag in JSON.
pub(crate) fn language_of(tag: &str) -> Option<Language> {
    crate::policy::language_of(tag)
}
