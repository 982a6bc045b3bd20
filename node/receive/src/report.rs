//! The door by which a printer says how it is: Update-Output-Device-Attributes (PWG 5100.18 section 5.10).
//!
//! A report is told apart from an answer: it wakes everything that waits for the printer (A10). Whoever reports
//! shows the bearer token that was made for this one printer. The request comes through the IPP door.

use http::request::Parts;
use http::{Response, StatusCode, header};
use tympan_engine::{PrinterEvent, Reachability, TokenScope};
use tympan_http::respond::{self, with_header};
use tympan_http::{Body, HeaderValue};
use tympan_ipp::{GroupTag, Message, StatusCode as IppStatus};
use tympan_spooler::{Spooler, SpoolerError, condition};
use tympan_store::Whose;

/// Where printers stand.
pub const PATH: &str = "/ipp/print/";

/// Takes a report for the printer of a name.
pub(crate) async fn take(
    spooler: &Spooler,
    parts: &Parts,
    name: &str,
    message: &Message,
) -> Result<Response<Body>, Response<Body>> {
    let token = bearer(parts).ok_or_else(unauthorized)?;
    let failed = |error: SpoolerError| {
        tracing::error!(error = %error, "Could not take a report");
        ipp(&Message::response(IppStatus::ServerErrorTemporaryError, message))
    };
    let scope = spooler.token(&token).await.map_err(failed)?.ok_or_else(unauthorized)?;
    let whose = Whose::Owner(scope.owner);
    let printer = match scope.scope {
        TokenScope::Report { printer } => spooler.printer(whose, printer).await.map_err(failed)?,
        // A machine that was paired reports of any printer of its owner.
        TokenScope::Agent { .. } => match spooler.printer_named(whose, name).await {
            Ok(printer) => printer,
            Err(SpoolerError::NotFound(_)) => return Err(unauthorized()),
            Err(error) => return Err(failed(error)),
        },
        TokenScope::Admin | TokenScope::Account { .. } | TokenScope::Registration { .. } | TokenScope::Job { .. } => {
            return Err(unauthorized());
        }
    };
    if !printer.name.eq_ignore_ascii_case(name) {
        return Err(unauthorized());
    }
    let mut group = match message.group(GroupTag::Printer) {
        Some(group) => group.clone(),
        None => {
            let said = "A report holds printer attributes.";
            return Err(ipp(&Message::response(IppStatus::ClientErrorBadRequest, message).status_message(said)));
        }
    };
    // A report may hold only what changed: the rest stays as it was last known.
    if group.get("printer-state").is_none() {
        group = group.with("printer-state", printer.condition.state);
    }
    let reported = condition::read(&group)
        .map_err(|why| ipp(&Message::response(IppStatus::ClientErrorBadRequest, message).status_message(&why)))?;
    let named = |name: &str| group.get(name).is_some();
    let before = printer.condition.clone();
    let condition = tympan_engine::Condition {
        reachability: Reachability::Answering,
        reasons: if named("printer-state-reasons") { reported.reasons } else { before.reasons },
        accepting: if named("printer-is-accepting-jobs") { reported.accepting } else { before.accepting },
        trays: if ["printer-input-tray", "media-ready", "media-col-ready"].into_iter().any(named) {
            reported.trays
        } else {
            // Who only says "idle" has what it needs: an old "empty" would keep its jobs waiting.
            before.trays.into_iter().map(|tray| tympan_engine::Tray { empty: false, level: None, ..tray }).collect()
        },
        markers: if named("marker-levels") {
            reported.markers
        } else {
            before
                .markers
                .into_iter()
                .map(|marker| tympan_engine::Marker { level: marker.level.filter(|level| *level > 0), ..marker })
                .collect()
        },
        ..reported
    };
    spooler.printer_event(whose, printer.uuid, PrinterEvent::Reported(condition), None).await.map_err(failed)?;
    tracing::info!(printer = %printer.name, "Printer reported its state");
    Ok(ipp(&Message::response(IppStatus::SuccessfulOk, message)))
}

fn bearer(parts: &Parts) -> Option<String> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

fn unauthorized() -> Response<Body> {
    let text = "Show the token that was made for this printer: Authorization: Bearer …\n";
    let response = respond::text(StatusCode::UNAUTHORIZED, text);
    with_header(response, header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"printer\""))
}

fn ipp(message: &Message) -> Response<Body> {
    respond::bytes(StatusCode::OK, "application/ipp", message.encode())
}
