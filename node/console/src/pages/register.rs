//! People register by themselves (A16). Nobody is mailed, and what is said does not tell who was registered before.

use super::printer::constant_note;
use super::{Frame, html, ok};
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::limiter::{self, REGISTER, REGISTER_AT};
use crate::routes::Console;
use crate::show::Choice;
use crate::texts::Texts;
use askama::Template;
use std::sync::Arc;
use tympan_engine::{Access, Printer};
use tympan_http::{Body, Response, StatusCode};
use tympan_spooler::registrations::canonical_address;
use tympan_store::Whose;

struct Done {
    title: String,
    lines: Vec<String>,
    address: String,
    mailto: String,
    constant: String,
}

#[derive(Template)]
#[template(path = "register.html")]
struct Register {
    f: Frame,
    t: &'static Texts,
    error: String,
    done: Option<Done>,
    printers: Vec<Choice>,
    printer: String,
    title: String,
    lead: String,
    invite: bool,
    sender: String,
    by_mail: String,
}

/// The public pages are about the printers of the place, whoever else signed in.
async fn printer_of(console: &Console, ask: &Ask) -> Result<Printer, Failure> {
    let whose = Whose::Owner(console.options.owner);
    Ok(console.spooler().printer_named(whose, ask.params.get("printer")).await?)
}

/// `GET /register`
pub(crate) async fn choose(console: Arc<Console>, ask: Ask) -> Answer {
    let t = ask.id.texts();
    let found = console.spooler().records().printers(Whose::Owner(console.options.owner)).await?;
    let printers = found
        .iter()
        .map(|row| &row.record)
        .filter(|printer| printer.policy.access != Access::Invite)
        .map(|printer| Choice::new(&printer.name, &*printer.info, "", false))
        .collect();
    ok(&Register {
        f: Frame::new(&console, &ask.id, &ask.parts, t.register_title),
        t,
        error: String::new(),
        done: None,
        printers,
        printer: String::new(),
        title: String::new(),
        lead: String::new(),
        invite: false,
        sender: String::new(),
        by_mail: String::new(),
    })
}

fn form(
    console: &Console,
    ask: &Ask,
    printer: &Printer,
    status: StatusCode,
    error: &str,
    done: Option<Done>,
) -> Response<Body> {
    let t = ask.id.texts();
    let title = t.fill(t.register_at, &[&printer.info]);
    let address = console.mail_address(&printer.name);
    let lead = match printer.policy.access {
        Access::Open => t.fill(t.register_lead_open, &[&address]),
        Access::Approve => t.fill(t.register_lead_approve, &[&address]),
        Access::Invite => t.register_lead_invite.to_owned(),
    };
    let page = Register {
        f: Frame::new(console, &ask.id, &ask.parts, &title),
        t,
        error: error.into(),
        done,
        printers: Vec::new(),
        printer: printer.name.clone(),
        title,
        lead,
        invite: printer.policy.access == Access::Invite,
        sender: ask.field("sender").into(),
        by_mail: console.options.address_of(&format!("{}+register", printer.name)),
    };
    html(status, &page)
}

/// `GET /register/{printer}`
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    let printer = printer_of(&console, &ask).await?;
    Ok(form(&console, &ask, &printer, StatusCode::OK, "", None))
}

/// `POST /register/{printer}`
pub(crate) async fn register(console: Arc<Console>, ask: Ask) -> Answer {
    let t = ask.id.texts();
    let now = console.spooler().now();
    let source = format!("register {}", limiter::source(ask.peer.addr.ip()));
    console.limiter.take(&source, &REGISTER, now).map_err(Failure::TooMany)?;
    let printer = printer_of(&console, &ask).await?;
    console.limiter.take(&format!("register at {}", printer.uuid), &REGISTER_AT, now).map_err(Failure::TooMany)?;
    if printer.policy.access == Access::Invite {
        return Ok(form(&console, &ask, &printer, StatusCode::FORBIDDEN, "", None));
    }
    let Ok(sender) = canonical_address(ask.field("sender")) else {
        return Ok(form(&console, &ask, &printer, StatusCode::UNPROCESSABLE_ENTITY, t.bad_address, None));
    };
    console.spooler().request_registration(&printer, &sender, ask.id.language, false).await?;
    let (title, lead) = match printer.policy.access {
        Access::Open => (t.registered_open, t.registered_open_lead),
        Access::Approve | Access::Invite => (t.registered_approve, t.registered_approve_lead),
    };
    let address = console.mail_address(&printer.name);
    let done = Done {
        title: t.fill(title, &[&sender]),
        lines: vec![lead.into()],
        mailto: format!("mailto:{address}"),
        address,
        constant: constant_note(&console, t, &printer.name),
    };
    Ok(form(&console, &ask, &printer, StatusCode::OK, "", Some(done)))
}
