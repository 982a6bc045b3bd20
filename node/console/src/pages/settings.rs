//! How a printer behaves.

use super::add_printer::{access_choices, access_of};
use super::{Frame, done, html};
use crate::act::{self, span_between};
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::routes::Console;
use crate::show::Choice;
use crate::texts::Texts;
use crate::words::typed_span;
use askama::Template;
use std::sync::Arc;
use tympan_engine::options::parse_words;
use tympan_engine::registration::{RETENTION_MAX, RETENTION_MIN};
use tympan_engine::time::{MINUTE, SECOND};
use tympan_engine::{DoubtPolicy, Language, Printer, PrinterEvent, PrinterPolicy, StoredForm};
use tympan_http::{Body, Response, StatusCode};
use tympan_spooler::printers::check_device;

/// Longest time that a printer may be given to answer.
const TIME_OUT_MAX: u64 = 5 * MINUTE;

/// What stands in the fields.
struct Values {
    retention: String,
    retention_follows: bool,
    retry_interval: String,
    time_out: String,
    doubt_time: String,
    reprint_window: String,
    options: String,
    review_pages: String,
    info: String,
    location: String,
    device: String,
}

impl Values {
    fn of(printer: &Printer, language: Language) -> Self {
        let policy = &printer.policy;
        Self {
            retention: typed_span(policy.retention_ms, language),
            retention_follows: policy.retention_follows,
            retry_interval: typed_span(policy.retry_interval_ms, language),
            time_out: typed_span(policy.time_out_ms, language),
            doubt_time: typed_span(policy.doubt_ms, language),
            reprint_window: typed_span(policy.reprint_window_ms, language),
            options: policy.options.words(),
            review_pages: policy.review_pages.to_string(),
            info: printer.info.clone(),
            location: printer.location.clone(),
            device: printer.device.clone(),
        }
    }

    fn typed(ask: &Ask) -> Self {
        let field = |name: &str| ask.field(name).to_owned();
        Self {
            retention: field("retention"),
            retention_follows: ask.form.get("retention_follows").is_some(),
            retry_interval: field("retry_interval"),
            time_out: field("time_out"),
            doubt_time: field("doubt_time"),
            reprint_window: field("reprint_window"),
            options: field("options"),
            review_pages: field("review_pages"),
            info: field("info"),
            location: field("location"),
            device: field("device"),
        }
    }
}

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    f: Frame,
    t: &'static Texts,
    error: String,
    name: String,
    info: String,
    access: Vec<Choice>,
    stored_form: Vec<Choice>,
    doubt: Vec<Choice>,
    values: Values,
    token: String,
    report_uri: String,
}

fn doubt_of(word: &str) -> Option<DoubtPolicy> {
    match word {
        "ask" => Some(DoubtPolicy::Ask),
        "reprint" => Some(DoubtPolicy::Reprint),
        "drop" => Some(DoubtPolicy::Drop),
        _ => None,
    }
}

fn stored_form_of(word: &str) -> Option<StoredForm> {
    match word {
        "mail" => Some(StoredForm::Mail),
        "print-data" => Some(StoredForm::PrintData),
        "smallest" => Some(StoredForm::Smallest),
        _ => None,
    }
}

fn show(
    console: &Console,
    ask: &Ask,
    status: StatusCode,
    error: String,
    token: String,
) -> Result<Response<Body>, Failure> {
    let t = ask.id.texts();
    let printer = ask.id.printer()?;
    let policy = &printer.policy;
    let typed = !error.is_empty();
    let access = access_of(ask.field("access")).filter(|_| typed).unwrap_or(policy.access);
    let form = stored_form_of(ask.field("stored_form")).filter(|_| typed).unwrap_or(policy.stored_form);
    let doubt = doubt_of(ask.field("doubt")).filter(|_| typed).unwrap_or(policy.doubt);
    let page = Settings {
        f: Frame::new(console, &ask.id, &ask.parts, format!("{} – {}", t.settings, printer.info)),
        t,
        error,
        name: printer.name.clone(),
        info: printer.info.clone(),
        access: access_choices(t, access),
        stored_form: vec![
            Choice::new("mail", t.stored_mail, t.stored_mail_hint, form == StoredForm::Mail),
            Choice::new("print-data", t.stored_print_data, t.stored_print_data_hint, form == StoredForm::PrintData),
            Choice::new("smallest", t.stored_smallest, t.stored_smallest_hint, form == StoredForm::Smallest),
        ],
        doubt: vec![
            Choice::new("ask", t.doubt_ask, t.doubt_ask_hint, doubt == DoubtPolicy::Ask),
            Choice::new("reprint", t.doubt_reprint, t.doubt_reprint_hint, doubt == DoubtPolicy::Reprint),
            Choice::new("drop", t.doubt_drop, t.doubt_drop_hint, doubt == DoubtPolicy::Drop),
        ],
        values: if typed { Values::typed(ask) } else { Values::of(printer, ask.id.language) },
        report_uri: console.options.report_uri_of(&printer.name),
        token,
    };
    Ok(html(status, &page))
}

/// `GET /printers/{printer}/settings`
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    show(&console, &ask, StatusCode::OK, String::new(), String::new())
}

/// Reads the policy out of the form.
fn policy_of(ask: &Ask, before: &PrinterPolicy) -> Result<PrinterPolicy, Failure> {
    let t = ask.id.texts();
    let span = |field: &str, name: &str, min, max| span_between(t, field, ask.field(name), min, max);
    let (options, unknown, _) = parse_words(ask.field("options"));
    if !unknown.is_empty() {
        return Err(Failure::Invalid(t.fill(t.bad_options, &[&unknown.join(" ")])));
    }
    let review_pages = ask.field("review_pages").parse().ok().filter(|pages| (1..=100_000).contains(pages));
    Ok(PrinterPolicy {
        access: access_of(ask.field("access")).unwrap_or(before.access),
        doubt: doubt_of(ask.field("doubt")).unwrap_or(before.doubt),
        stored_form: stored_form_of(ask.field("stored_form")).unwrap_or(before.stored_form),
        options,
        retention_ms: span(t.kept_until, "retention", RETENTION_MIN, RETENTION_MAX)?,
        retry_interval_ms: span(t.tries_again_every, "retry_interval", SECOND, RETENTION_MAX)?,
        retention_follows: ask.form.get("retention_follows").is_some(),
        time_out_ms: span(t.time_out, "time_out", SECOND, TIME_OUT_MAX)?,
        review_pages: review_pages.ok_or_else(|| Failure::Invalid(t.fill(t.bad_number, &[t.review_pages])))?,
        reprint_window_ms: span(t.reprint_window, "reprint_window", 0, RETENTION_MAX)?,
        doubt_ms: span(t.doubt_time, "doubt_time", MINUTE, RETENTION_MAX)?,
    })
}

/// `POST /printers/{printer}/settings`
pub(crate) async fn save(console: Arc<Console>, ask: Ask) -> Answer {
    match store(&console, &ask).await {
        Ok(printer) => done(&format!("/printers/{}", printer.name), "saved"),
        Err(failure @ Failure::Invalid(_)) => {
            let error = failure.say(ask.id.language).0;
            show(&console, &ask, failure.status(), error, String::new())
        }
        Err(other) => Err(other),
    }
}

async fn store(console: &Console, ask: &Ask) -> Result<Printer, Failure> {
    let t = ask.id.texts();
    let printer = ask.id.printer()?;
    let policy = policy_of(ask, &printer.policy)?;
    let (info, location, device) = (ask.field("info"), ask.field("location"), ask.field("device"));
    for (field, text, min) in [(t.printer_info, info, 1), (t.location, location, 0)] {
        if !(min..=127).contains(&text.chars().count()) {
            return Err(Failure::Invalid(t.fill(t.bad_text, &[field])));
        }
    }
    if device != printer.device && check_device(device).is_err() {
        return Err(Failure::Invalid(t.bad_device.into()));
    }
    let mut now = printer.clone();
    if policy != printer.policy {
        now = act::move_printer(console, &ask.id, PrinterEvent::Policy(policy)).await?;
    }
    if info != printer.info || location != printer.location {
        let described = PrinterEvent::Describe { info: info.into(), location: location.into() };
        now = act::move_printer(console, &ask.id, described).await?;
    }
    if device != printer.device {
        now = act::move_printer(console, &ask.id, PrinterEvent::Device(device.into())).await?;
    }
    Ok(now)
}

/// `POST /printers/{printer}/token`: the one answer to a form that is a page, because the token is shown once.
pub(crate) async fn token(console: Arc<Console>, ask: Ask) -> Answer {
    let token = act::report_token(&console, &ask.id).await?;
    show(&console, &ask, StatusCode::OK, String::new(), token)
}

/// `POST /printers/{printer}/remove`
pub(crate) async fn remove(console: Arc<Console>, ask: Ask) -> Answer {
    let t = ask.id.texts();
    if ask.field("confirm").to_ascii_lowercase() != ask.id.printer()?.name {
        return Err(Failure::Invalid(t.type_name_wrong.into()));
    }
    act::remove_printer(&console, &ask.id).await?;
    done("/", "printer-removed")
}
