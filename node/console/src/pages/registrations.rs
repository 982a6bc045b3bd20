//! Who may print: everybody's registrations for owners, one's own for everybody.

use super::{Frame, done, html, ok};
use crate::act::{self, span_between};
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::limiter::LINK;
use crate::policy::{Identity, Who, language_of};
use crate::routes::Console;
use crate::show::Key;
use crate::texts::Texts;
use crate::words::typed_span;
use askama::Template;
use std::sync::Arc;
use tympan_engine::registration::{RETENTION_MAX, RETENTION_MIN};
use tympan_engine::time::SECOND;
use tympan_engine::words::span;
use tympan_engine::{
    JobOptions, Language, Millis, Printer, Registration, RegistrationEvent, RegistrationState, Right, retain,
};
use tympan_http::{Body, Response, StatusCode};
use tympan_spooler::SpoolerError;

/// Most rows on a page.
const ROWS_MAX: usize = 1_000;

/// A registration in a list.
pub(crate) struct RegistrationRow {
    pub(crate) id: String,
    pub(crate) sender: String,
    pub(crate) printer: String,
    pub(crate) word: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) facts: String,
    pub(crate) keys: Vec<Key>,
}

#[derive(Template)]
#[template(path = "registrations.html")]
struct Registrations {
    f: Frame,
    t: &'static Texts,
    register_url: String,
    registrations: Vec<RegistrationRow>,
}

#[derive(Template)]
#[template(path = "registration.html")]
struct One {
    f: Frame,
    t: &'static Texts,
    error: String,
    base: String,
    title: String,
    sender: String,
    state: &'static str,
    may_change: bool,
    retention: String,
    retention_default: String,
    retention_note: &'static str,
    retry_interval: String,
    retry_default: String,
    language: &'static str,
}

fn state_word(t: &'static Texts, state: RegistrationState) -> (&'static str, &'static str) {
    match state {
        RegistrationState::Active => (t.reg_active, "ok"),
        RegistrationState::Requested => (t.reg_requested, "ask"),
        RegistrationState::Revoked => (t.reg_revoked, "off"),
    }
}

fn row(
    t: &'static Texts,
    id: &Identity,
    printer: &Printer,
    shown: &str,
    registration: &Registration,
) -> RegistrationRow {
    let (word, tone) = state_word(t, registration.state);
    let keys = match (registration.state, id.may(printer.uuid, Right::Own)) {
        (_, false) => Vec::new(),
        (RegistrationState::Requested, true) => vec![
            Key { verb: "approve", label: t.approve, class: "main" },
            Key { verb: "revoke", label: t.refuse, class: "danger" },
        ],
        (RegistrationState::Active, true) => vec![Key { verb: "revoke", label: t.revoke, class: "" }],
        (RegistrationState::Revoked, true) => vec![Key { verb: "approve", label: t.approve, class: "" }],
    };
    let retention = retain::retention(printer, Some(registration));
    let retry = retain::retry_interval(printer, Some(registration));
    RegistrationRow {
        id: registration.id.to_string(),
        sender: registration.sender.0.clone(),
        printer: shown.into(),
        word,
        tone,
        facts: t.fill(t.reg_facts, &[&span(retention, id.language), &span(retry, id.language)]),
        keys,
    }
}

/// The registrations at one printer, those that ask first.
pub(crate) async fn rows_at(
    console: &Console,
    id: &Identity,
    printer: &Printer,
    shown: &str,
) -> Result<Vec<RegistrationRow>, Failure> {
    let t = id.texts();
    let mut all = console.spooler().records().registrations_at(id.whose(), printer.uuid).await?;
    all.sort_by_key(|row| row.record.state != RegistrationState::Requested);
    Ok(all.iter().take(ROWS_MAX).map(|found| row(t, id, printer, shown, &found.record)).collect())
}

/// `GET /registrations`
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    let id = &ask.id;
    let t = id.texts();
    let records = console.spooler().records();
    let mut registrations = Vec::new();
    for found in records.printers(id.whose()).await? {
        let printer = found.record;
        if id.may(printer.uuid, Right::Own) {
            registrations.extend(rows_at(&console, id, &printer, &printer.info).await?);
            continue;
        }
        for address in id.account().into_iter().flat_map(|account| &account.addresses) {
            if let Some(own) = records.registration(id.whose(), printer.uuid, address).await? {
                registrations.push(row(t, id, &printer, &printer.info, &own.record));
            }
        }
    }
    registrations.sort_by_key(|row| row.tone != "ask");
    registrations.truncate(ROWS_MAX);
    ok(&Registrations {
        f: Frame::new(&console, id, &ask.parts, t.who_may_print),
        t,
        register_url: format!("{}/register", console.options.base_url),
        registrations,
    })
}

/// `POST /printers/{printer}/registrations`
pub(crate) async fn add(console: Arc<Console>, ask: Ask) -> Answer {
    let printer = ask.id.printer()?;
    let made = console.spooler().register(printer, ask.field("sender"), ask.id.language, JobOptions::default()).await;
    match made {
        Ok(_) => done(&format!("/printers/{}", printer.name), "registered"),
        Err(SpoolerError::Invalid(_)) => Err(Failure::Invalid(ask.id.texts().bad_address.into())),
        Err(other) => Err(other.into()),
    }
}

/// Back to the page with the list: ours only.
fn back(ask: &Ask) -> String {
    let back = ask.field("back");
    let ours = back == "/registrations"
        || back
            .strip_prefix("/printers/")
            .is_some_and(|name| name.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c)));
    if ours { back.to_owned() } else { "/registrations".into() }
}

async fn apply(console: &Console, ask: &Ask, event: RegistrationEvent) -> Result<Registration, Failure> {
    let id = ask.id.registration()?.id;
    Ok(console.spooler().registration_event(ask.id.whose(), id, event).await?)
}

/// `POST /registrations/{registration}/approve`
pub(crate) async fn approve(console: Arc<Console>, ask: Ask) -> Answer {
    act::approve(&console, &ask.id).await?;
    done(&back(&ask), "approved")
}

/// `POST /registrations/{registration}/revoke`
pub(crate) async fn revoke(console: Arc<Console>, ask: Ask) -> Answer {
    apply(&console, &ask, RegistrationEvent::Revoke).await?;
    done(&back(&ask), "revoked")
}

fn base(ask: &Ask) -> String {
    let mut segments = ask.parts.uri.path().trim_start_matches('/').split('/');
    let (kind, name) = (segments.next().unwrap_or(""), segments.next().unwrap_or(""));
    format!("/{kind}/{name}")
}

async fn show(console: &Console, ask: &Ask, status: StatusCode, error: String) -> Result<Response<Body>, Failure> {
    let id = &ask.id;
    let t = id.texts();
    let registration = id.registration()?;
    let printer = console.spooler().printer(id.whose(), registration.printer).await?;
    let typed = !error.is_empty();
    let value = |name: &str, own: Option<Millis>| match typed {
        true => ask.field(name).to_owned(),
        false => own.map(|span| typed_span(span, id.language)).unwrap_or_default(),
    };
    let title = t.fill(t.my_registration, &[&printer.info]);
    let page = One {
        f: Frame::new(console, id, &ask.parts, &title),
        t,
        error,
        base: base(ask),
        title,
        sender: registration.sender.0.clone(),
        state: state_word(t, registration.state).0,
        may_change: registration.state != RegistrationState::Revoked,
        retention: value("retention", registration.retention_ms),
        retention_default: typed_span(printer.policy.retention_ms, id.language),
        retention_note: if printer.policy.retention_follows { t.follows_note } else { t.follows_not_note },
        retry_interval: value("retry_interval", registration.retry_interval_ms),
        retry_default: typed_span(printer.policy.retry_interval_ms, id.language),
        language: registration.language.tag(),
    };
    Ok(html(status, &page))
}

/// `GET /registrations/{registration}` and `GET /r/{token}`
pub(crate) async fn one(console: Arc<Console>, ask: Ask) -> Answer {
    show(&console, &ask, StatusCode::OK, String::new()).await
}

fn limit(console: &Console, ask: &Ask) -> Result<(), Failure> {
    match ask.id.who {
        Who::Holder => console.limiter.take(&base(ask), &LINK, console.spooler().now()).map_err(Failure::TooMany),
        _ => Ok(()),
    }
}

/// Applies what changed of retention, retry interval and language (A12).
pub(crate) async fn change(
    console: &Console,
    id: &Identity,
    retention: Option<Option<Millis>>,
    retry_interval: Option<Option<Millis>>,
    language: Option<Language>,
) -> Result<Registration, Failure> {
    let mut now = id.registration()?.clone();
    let mut events = Vec::new();
    if let Some(span) = retention.filter(|span| *span != now.retention_ms) {
        events.push(RegistrationEvent::Keep(span));
    }
    if let Some(span) = retry_interval.filter(|span| *span != now.retry_interval_ms) {
        events.push(RegistrationEvent::Retry(span));
    }
    if let Some(language) = language.filter(|language| *language != now.language) {
        events.push(RegistrationEvent::Language(language));
    }
    for event in events {
        now = console.spooler().registration_event(id.whose(), now.id, event).await?;
    }
    Ok(now)
}

/// `POST /registrations/{registration}` and `POST /r/{token}`
pub(crate) async fn save(console: Arc<Console>, ask: Ask) -> Answer {
    limit(&console, &ask)?;
    let t = ask.id.texts();
    let read = |name: &str, field: &str, min| match ask.field(name) {
        "" => Ok(None),
        text => span_between(t, field, text, min, RETENTION_MAX).map(Some),
    };
    let spans = read("retention", t.kept_until, RETENTION_MIN)
        .and_then(|retention| Ok((retention, read("retry_interval", t.tries_again_every, SECOND)?)));
    match spans {
        Ok((retention, retry_interval)) => {
            let language = language_of(ask.field("language"));
            change(&console, &ask.id, Some(retention), Some(retry_interval), language).await?;
            done(&base(&ask), "saved")
        }
        Err(failure @ Failure::Invalid(_)) => {
            let error = failure.say(ask.id.language).0;
            show(&console, &ask, failure.status(), error).await
        }
        Err(other) => Err(other),
    }
}

/// `POST /registrations/{registration}/leave` and `POST /r/{token}/leave`
pub(crate) async fn leave(console: Arc<Console>, ask: Ask) -> Answer {
    limit(&console, &ask)?;
    apply(&console, &ask, RegistrationEvent::Revoke).await?;
    done(&base(&ask), "left")
}
