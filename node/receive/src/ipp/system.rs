//! The System service at `/ipp/system`: which printers there are (PWG 5100.22).

use tympan_engine::Printer;
use tympan_ipp::{Group, GroupTag, Message, Operation, PrinterState, RequestedAttributes, StatusCode, Value};
use tympan_store::Whose;

use super::job::{View, date_time};
use super::printer::{condition, identify_actions, profile};
use super::refused::Refused;
use super::scene::{Answer, End, base_uri, printer_uri};
use super::{Arrived, Inner};
use crate::web::Uploader;

/// Where it is.
pub(crate) const SYSTEM_PATH: &str = "/ipp/system";

/// "operations-supported" of the system.
const OPERATIONS: [Operation; 2] = [Operation::GetPrinters, Operation::GetSystemAttributes];

/// Printers in one answer.
const PRINTERS_MAX: usize = 1000;

pub(super) async fn perform(door: &Inner, arrived: &Arrived) -> Answer {
    match arrived.message.operation_id() {
        Operation::GetPrinters => get_printers(door, arrived).await,
        Operation::GetSystemAttributes => get_system_attributes(door, arrived).await,
        other => {
            let text = format!("{other} is not supported by the system; ask a printer.");
            Err(Refused::new(StatusCode::ServerErrorOperationNotSupported, text).into())
        }
    }
}

/// The printers that whoever asks may use, by name.
async fn printers(door: &Inner, arrived: &Arrived) -> Result<Vec<Printer>, End> {
    let uploader = door.upload.identify(&arrived.parts, &arrived.peer).await.map_err(End::Http)?;
    let whose = match &uploader {
        Uploader::Account(account) => Whose::Owner(account.owner),
        Uploader::Owner(owner) => Whose::Owner(*owner),
        Uploader::Network(_) => Whose::Everyones,
    };
    let found = door.upload.spooler().records().printers(whose).await;
    let found = found.map_err(|error| Refused::store(&error.into(), "list printers"))?;
    let mut printers: Vec<Printer> =
        found.into_iter().map(|row| row.record).filter(|printer| !printer.removed).collect();
    printers.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(printers)
}

fn state_of(printers: &[Printer]) -> (PrinterState, Vec<String>) {
    let states: Vec<(PrinterState, Vec<String>, String)> = printers.iter().map(condition).collect();
    let state = if states.iter().any(|(state, ..)| *state == PrinterState::Processing) {
        PrinterState::Processing
    } else if !states.is_empty() && states.iter().all(|(state, ..)| *state == PrinterState::Stopped) {
        PrinterState::Stopped
    } else {
        PrinterState::Idle
    };
    let mut reasons: Vec<String> = states.into_iter().flat_map(|(_, reasons, _)| reasons).collect();
    reasons.sort_unstable();
    reasons.dedup();
    if reasons.len() > 1 {
        reasons.retain(|reason| reason != "none");
    }
    if reasons.is_empty() {
        reasons.push("none".into());
    }
    (state, reasons)
}

async fn get_printers(door: &Inner, arrived: &Arrived) -> Answer {
    let printers = printers(door, arrived).await?;
    let message = &arrived.message;
    let positive = |name: &str, default: usize| match message.operation_attribute(name) {
        None => Ok(default),
        Some(asked) => match asked.integer().and_then(|number| usize::try_from(number).ok()) {
            Some(number @ 1..) => Ok(number),
            _ => Err(Refused::value(asked.clone())),
        },
    };
    let (limit, first) = (positive("limit", PRINTERS_MAX)?, positive("first-index", 1)?);
    let wanted_ids: Option<Vec<i32>> = message.operation_attribute("printer-ids").map(|ids| ids.integers().collect());
    let which = message.operation_attribute("which-printers");
    let now = door.upload.spooler().now();
    let kept = |printer: &Printer| -> Result<bool, Refused> {
        Ok(match which.map(|which| which.string().unwrap_or_default()) {
            None | Some("all") => true,
            Some("accepting") => printer.accepts(now),
            Some("not-accepting") => !printer.accepts(now),
            Some("idle") => condition(printer).0 == PrinterState::Idle,
            Some("processing") => condition(printer).0 == PrinterState::Processing,
            Some("stopped") => condition(printer).0 == PrinterState::Stopped,
            Some("shutdown" | "testing") => false,
            Some(_) => return Err(which.cloned().map_or_else(Refused::not_found, Refused::value)),
        })
    };
    let requested = RequestedAttributes::of(message, &["all"]);
    let mut answer = Message::response(StatusCode::SuccessfulOk, message);
    let mut kept_printers = Vec::new();
    for (place, printer) in printers.iter().enumerate() {
        let id = number(place);
        if wanted_ids.as_ref().is_none_or(|ids| ids.contains(&id)) && kept(printer)? {
            kept_printers.push((id, printer));
        }
    }
    for (id, printer) in kept_printers.into_iter().skip(first - 1).take(limit.min(PRINTERS_MAX)) {
        answer = answer.with_group(requested.filter(summary(door, arrived, id, printer)));
    }
    Ok(answer)
}

/// "printer-id": the printer's place by name, from 1.
fn number(place: usize) -> i32 {
    i32::try_from(place + 1).unwrap_or(i32::MAX)
}

fn summary(door: &Inner, arrived: &Arrived, id: i32, printer: &Printer) -> Group {
    let (state, reasons, message) = condition(printer);
    let uri = printer_uri(door, arrived, &printer.name);
    let profile = profile(printer);
    let now = door.upload.spooler().now();
    let mut all = Group::new(GroupTag::Printer);
    all.push("printer-id", id);
    all.push("printer-name", Value::name(printer.name.as_str()));
    all.push("printer-info", Value::text(printer.info.as_str()));
    all.push("printer-location", Value::text(printer.location.as_str()));
    all.push("printer-geo-location", Value::Unknown);
    all.push("printer-service-type", Value::keyword("print"));
    all.push("printer-uuid", Value::uri(format!("urn:uuid:{}", printer.uuid)));
    all.push("printer-is-accepting-jobs", printer.accepts(now));
    all.push("printer-state", state);
    all.push("printer-state-reasons", Value::keywords(reasons));
    all.push("printer-state-message", Value::text(message));
    all.push("printer-xri-supported", xri(&uri));
    all.push("printer-more-info", Value::uri(format!("{}/printers/{}", door.upload.base_url(), printer.name)));
    all.push("printer-make-and-model", Value::text(profile.make_and_model.as_str()));
    all.push("identify-actions-supported", Value::keywords(identify_actions(&profile)));
    all.push("printer-current-time", date_time(now));
    all
}

fn xri(uri: &str) -> tympan_ipp::Collection {
    let security = if uri.starts_with("ipps:") { "tls" } else { "none" };
    tympan_ipp::Collection::new()
        .with("xri-uri", Value::uri(uri))
        .with("xri-authentication", Value::keyword("basic"))
        .with("xri-security", Value::keyword(security))
}

async fn get_system_attributes(door: &Inner, arrived: &Arrived) -> Answer {
    let printers = printers(door, arrived).await?;
    let requested = RequestedAttributes::of(&arrived.message, &["all"]);
    let spooler = door.upload.spooler();
    let now = spooler.now();
    let uri = format!("{}{SYSTEM_PATH}", base_uri(door, arrived));
    let up_time = View::secs_since(door.started, now);
    let (state, reasons) = state_of(&printers);
    let mut all = Group::new(GroupTag::System);
    all.push("charset-configured", Value::charset("utf-8"));
    all.push("charset-supported", Value::charset("utf-8"));
    all.push("generated-natural-language-supported", Value::natural_language("en"));
    all.push("natural-language-configured", Value::natural_language("en"));
    all.push("ipp-features-supported", Value::keywords(["system-object"]));
    all.push("ipp-versions-supported", Value::keywords(super::printer::VERSIONS));
    all.push("operations-supported", Value::enums(OPERATIONS.map(|operation| i32::from(operation.0))));
    all.push("system-name", Value::name("Tympan"));
    all.push("system-info", Value::text("Tympan: internet printing"));
    all.push("system-location", Value::text(""));
    all.push("system-geo-location", Value::Unknown);
    all.push("system-make-and-model", Value::text(concat!("Tympan ", env!("CARGO_PKG_VERSION"))));
    all.push("system-state", state);
    all.push("system-state-reasons", Value::keywords(reasons));
    all.push("system-state-message", Value::text(""));
    all.push("system-up-time", up_time);
    all.push("system-current-time", date_time(now));
    all.push("system-xri-supported", xri(&uri));
    all.push(
        "xri-uri-scheme-supported",
        tympan_ipp::Values(["ipp", "ipps"].map(|scheme| Value::UriScheme(scheme.into())).to_vec()),
    );
    all.push("xri-authentication-supported", Value::keyword("basic"));
    all.push("xri-security-supported", Value::keywords(["none", "tls"]));
    all.push("printer-creation-attributes-supported", Value::NoValue);
    let configured: Vec<Value> = printers
        .iter()
        .enumerate()
        .map(|(place, printer)| {
            let (state, reasons, _) = condition(printer);
            Value::Collection(
                tympan_ipp::Collection::new()
                    .with("printer-id", number(place))
                    .with("printer-name", Value::name(printer.name.as_str()))
                    .with("printer-info", Value::text(printer.info.as_str()))
                    .with("printer-is-accepting-jobs", printer.accepts(now))
                    .with("printer-service-type", Value::keyword("print"))
                    .with("printer-state", state)
                    .with("printer-state-reasons", Value::keywords(reasons))
                    .with("printer-xri-supported", xri(&printer_uri(door, arrived, &printer.name))),
            )
        })
        .collect();
    all.push(
        "system-configured-printers",
        if configured.is_empty() { Value::NoValue.into() } else { tympan_ipp::Values(configured) },
    );
    all.push("system-default-printer-id", if printers.is_empty() { Value::NoValue } else { Value::Integer(1) });
    Ok(Message::response(StatusCode::SuccessfulOk, &arrived.message).with_group(requested.filter(all)))
}
