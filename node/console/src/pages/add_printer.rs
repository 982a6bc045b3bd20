//! A printer is added: it is asked first, and what it said is shown.

use super::{Frame, done, html, ok};
use crate::act;
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::routes::Console;
use crate::show::{self, Card, Choice};
use crate::texts::Texts;
use askama::Template;
use std::sync::Arc;
use tympan_engine::{Access, PrinterPolicy};
use tympan_http::{Body, Response, StatusCode};
use tympan_spooler::NewPrinter;
use tympan_spooler::printers::check_device;

struct FoundShown {
    tone: &'static str,
    title: String,
    lines: Vec<String>,
    card: Card,
}

#[derive(Template)]
#[template(path = "add_printer.html")]
struct AddPrinter<'a> {
    f: Frame,
    t: &'static Texts,
    error: String,
    found: Option<FoundShown>,
    device: String,
    name: String,
    info: String,
    domain: &'a str,
    access: Vec<Choice>,
    test_page: bool,
}

/// The three ways of who may register.
pub(crate) fn access_choices(t: &'static Texts, access: Access) -> Vec<Choice> {
    vec![
        Choice::new("open", t.access_open, t.access_open_hint, access == Access::Open),
        Choice::new("approve", t.access_approve, t.access_approve_hint, access == Access::Approve),
        Choice::new("invite", t.access_invite, t.access_invite_hint, access == Access::Invite),
    ]
}

/// Reads who may register.
pub(crate) fn access_of(word: &str) -> Option<Access> {
    match word {
        "open" => Some(Access::Open),
        "approve" => Some(Access::Approve),
        "invite" => Some(Access::Invite),
        _ => None,
    }
}

/// What was typed as a device's address, completed: a bare host is an IPP Everywhere printer.
fn device_of(typed: &str) -> String {
    let typed = typed.trim();
    if typed.is_empty() || typed.contains("://") || typed.starts_with("folder:") {
        return typed.to_owned();
    }
    if typed.contains('/') { format!("ipp://{typed}") } else { format!("ipp://{typed}/ipp/print") }
}

/// A name for a printer from what it calls itself.
fn name_from(model: &str) -> String {
    let first = model.split_whitespace().next().unwrap_or("");
    let name: String = first.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    if name.is_empty() { "office".into() } else { name }
}

fn form(console: &Console, ask: &Ask, status: StatusCode, error: String, found: Option<FoundShown>) -> Response<Body> {
    let t = ask.id.texts();
    let page = AddPrinter {
        f: Frame::new(console, &ask.id, &ask.parts, t.add_printer),
        t,
        error,
        device: device_of(ask.field("device")),
        name: ask.field("name").into(),
        info: ask.field("info").into(),
        domain: &console.options.domain,
        access: access_choices(t, access_of(ask.field("access")).unwrap_or_default()),
        test_page: ask.parts.uri.path() == "/add-printer" || ask.form.get("test_page").is_some(),
        found,
    };
    html(status, &page)
}

/// `GET /add-printer`
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    Ok(form(&console, &ask, StatusCode::OK, String::new(), None))
}

async fn look(console: &Console, ask: &Ask, device: &str) -> (FoundShown, String) {
    let t = ask.id.texts();
    let clock = console.clock(ask.id.language);
    match console.options.hands.ask_device(device, ask.id.language).await {
        Ok(found) => {
            let mut lines = act::describe(&found, ask.id.language);
            let title = lines.remove(0);
            let model = found.profile.map(|profile| profile.make_and_model).unwrap_or_default();
            let printer = act::looked_at("", device, found.condition, clock.now);
            let troubles = show::troubles(&printer, ask.id.language);
            lines.extend(troubles.into_iter().map(|trouble| format!("{} {}", trouble.what, trouble.remedy)));
            (FoundShown { tone: "ok", title, lines, card: show::card(console, &printer, 0, &clock) }, model)
        }
        Err(why) => {
            let printer = act::looked_at("", device, tympan_engine::Condition::default(), clock.now);
            let lines = vec![why, t.add_anyway.into()];
            let card = show::card(console, &printer, 0, &clock);
            (FoundShown { tone: "bad", title: t.not_found_printer.into(), lines, card }, String::new())
        }
    }
}

/// `POST /add-printer`: asks the device; nothing is stored.
pub(crate) async fn ask(console: Arc<Console>, ask: Ask) -> Answer {
    let t = ask.id.texts();
    let device = device_of(ask.field("device"));
    if check_device(&device).is_err() {
        return Ok(form(&console, &ask, StatusCode::UNPROCESSABLE_ENTITY, t.bad_device.into(), None));
    }
    let (found, model) = look(&console, &ask, &device).await;
    let page = AddPrinter {
        f: Frame::new(&console, &ask.id, &ask.parts, t.add_printer),
        t,
        error: String::new(),
        name: name_from(&model),
        info: model,
        device,
        domain: &console.options.domain,
        access: access_choices(t, Access::default()),
        test_page: found.tone == "ok",
        found: Some(found),
    };
    ok(&page)
}

/// `POST /add-printer/save`
pub(crate) async fn save(console: Arc<Console>, ask: Ask) -> Answer {
    let device = device_of(ask.field("device"));
    let new = NewPrinter {
        name: ask.field("name").to_ascii_lowercase(),
        info: ask.field("info").chars().take(127).collect(),
        device: device.clone(),
        policy: PrinterPolicy {
            access: access_of(ask.field("access")).unwrap_or_default(),
            ..PrinterPolicy::default()
        },
        device_fingerprint: None,
    };
    match act::add_printer(&console, &ask.id, new, ask.form.get("test_page").is_some()).await {
        Ok(added) => {
            let key = if matches!(added.test, Some(Ok(_))) { "printer-added-test" } else { "printer-added" };
            done(&format!("/printers/{}", added.printer.name), key)
        }
        Err(failure @ (Failure::Invalid(_) | Failure::Conflict(_))) => {
            let (found, _) = look(&console, &ask, &device).await;
            let error = failure.say(ask.id.language).0;
            Ok(form(&console, &ask, failure.status(), error, Some(found)))
        }
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_host_is_an_ipp_printer() {
        assert_eq!(device_of(" 192.168.1.20 "), "ipp://192.168.1.20/ipp/print");
        assert_eq!(device_of("printer.local/ipp/print"), "ipp://printer.local/ipp/print");
        assert_eq!(device_of("socket://h:9100"), "socket://h:9100");
        assert_eq!(device_of("folder:/tmp"), "folder:/tmp");
        assert_eq!(name_from("HP LaserJet"), "hp");
        assert_eq!(name_from("プリンター"), "office");
    }
}
