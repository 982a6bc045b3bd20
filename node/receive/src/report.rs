//! The door by which a printer says how it is: Update-Output-Device-Attributes (PWG 5100.18 section 5.10).
//!
//! A report is told apart from an answer: it wakes everything that waits for the printer (A10). Whoever reports
//! shows the bearer token that was made for this one printer. No other operation is served here yet.

use http::{Request, Response, StatusCode, header};
use tympan_engine::{PrinterEvent, Reachability, TokenScope};
use tympan_http::respond::{self, with_header};
use tympan_http::{Body, BodyLimits, BodyReader, HeaderValue, Incoming, Method, Peer, Service};
use tympan_ipp::{GroupTag, Limits, Message, Operation, StatusCode as IppStatus, decode};
use tympan_spooler::{Spooler, SpoolerError, condition};
use tympan_store::Whose;

/// Octets of a report.
const OCTETS_MAX: u64 = 256 * 1024;
/// Where printers stand.
pub const PATH: &str = "/ipp/print/";

/// The report door. Its requests go to [`PATH`] followed by the printer's name.
#[derive(Clone)]
pub struct ReportDoor {
    spooler: Spooler,
}

impl std::fmt::Debug for ReportDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReportDoor").finish_non_exhaustive()
    }
}

impl Service for ReportDoor {
    async fn call(&self, request: Request<Incoming>, _peer: Peer) -> Response<Body> {
        self.take(request).await.unwrap_or_else(|refusal| refusal)
    }
}

impl ReportDoor {
    /// A door to a queue.
    pub const fn new(spooler: Spooler) -> Self {
        Self { spooler }
    }

    async fn take(&self, request: Request<Incoming>) -> Result<Response<Body>, Response<Body>> {
        let name = request.uri().path().strip_prefix(PATH).unwrap_or_default().to_owned();
        if request.method() != Method::POST {
            return Err(respond::text(StatusCode::METHOD_NOT_ALLOWED, "Printers report here by IPP (POST).\n"));
        }
        let token = bearer(&request).ok_or_else(unauthorized)?;
        let body = BodyReader::new(request.into_body(), BodyLimits::octets(OCTETS_MAX));
        let octets = body.collect().await.map_err(|error| error.to_response())?;
        let message = match decode(&octets, &Limits::REQUEST) {
            Ok(decoded) => decoded.message,
            Err(error) => return Err(ipp(&error.response())),
        };
        if let Err(fault) = message.check_request() {
            return Err(ipp(&fault.response(&message)));
        }
        if message.operation_id() != Operation::UpdateOutputDeviceAttributes {
            let said = "This address takes reports of printers' state only.";
            return Err(ipp(
                &Message::response(IppStatus::ServerErrorOperationNotSupported, &message).status_message(said)
            ));
        }
        let failed = |error: SpoolerError| {
            tracing::error!(error = %error, "Could not take a report");
            ipp(&Message::response(IppStatus::ServerErrorTemporaryError, &message))
        };
        let scope = self.spooler.token(&token).await.map_err(failed)?.ok_or_else(unauthorized)?;
        let whose = Whose::Owner(scope.owner);
        let TokenScope::Report { printer: uuid } = scope.scope else {
            return Err(unauthorized());
        };
        let printer = self.spooler.printer(whose, uuid).await.map_err(failed)?;
        if !printer.name.eq_ignore_ascii_case(&name) {
            return Err(unauthorized());
        }
        let mut group = match message.group(GroupTag::Printer) {
            Some(group) => group.clone(),
            None => {
                let said = "A report holds printer attributes.";
                return Err(ipp(&Message::response(IppStatus::ClientErrorBadRequest, &message).status_message(said)));
            }
        };
        // A report may hold only what changed: the rest stays as it was last known.
        if group.get("printer-state").is_none() {
            group = group.with("printer-state", printer.condition.state);
        }
        let reported = condition::read(&group)
            .map_err(|why| ipp(&Message::response(IppStatus::ClientErrorBadRequest, &message).status_message(&why)))?;
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
        self.spooler.printer_event(whose, uuid, PrinterEvent::Reported(condition), None).await.map_err(failed)?;
        tracing::info!(printer = %printer.name, "Printer reported its state");
        Ok(ipp(&Message::response(IppStatus::SuccessfulOk, &message)))
    }
}

fn bearer<B>(request: &Request<B>) -> Option<String> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
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
