//! One request to a printer and its answer, within bounds.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tympan_engine::Printer;
use tympan_http::{
    Body, Client, ClientError, ClientOptions, ClientRequest, Fingerprint, StatusCode as HttpStatus, Target, Verify,
};
use tympan_ipp::{DecodeErrorKind, Limits, Message, Operation, StatusCode, Version, decode};

use crate::output::{Document, OutputTimes};

/// Octets of an answer. A list of jobs gets as much.
const ANSWER_OCTETS_MAX: u64 = 256 * 1024;
/// Bounds of an answer.
const LIMITS: Limits =
    Limits { octets: ANSWER_OCTETS_MAX as usize, groups: 1_000, attributes: 1_000, ..Limits::REQUEST };
/// A list of jobs has an attribute or three for each.
const LIST_LIMITS: Limits = Limits { attributes: 10_000, ..LIMITS };

/// Why there is no answer. `octets`: of the document, given to the network.
#[derive(Debug)]
pub(super) enum CallError {
    /// Nothing came, or nobody was there.
    NoAnswer { octets: u64, why: String },
    /// Something came that is no answer.
    Nonsense { octets: u64, why: String },
}

impl CallError {
    pub(super) fn into_parts(self) -> (u64, String) {
        match self {
            Self::NoAnswer { octets, why } | Self::Nonsense { octets, why } => (octets, why),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) message: Message,
    pub(super) fingerprint: Option<[u8; 32]>,
    /// Octets of the document that were sent before the answer came.
    pub(super) octets: u64,
}

/// Sends requests.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) times: OutputTimes,
    next_id: AtomicU32,
    /// Printers that do not speak 2.0, by device URI.
    versions: Mutex<HashMap<String, Version>>,
}

struct Within {
    connect: Duration,
    answer: Duration,
    stall: Duration,
    whole: Option<Duration>,
}

impl Caller {
    pub(super) fn new(times: OutputTimes) -> Self {
        Self { times, next_id: AtomicU32::new(1), versions: Mutex::default() }
    }

    /// A new request in the version that the printer speaks.
    pub(super) fn request(&self, printer: &Printer, operation: Operation) -> Message {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed) & 0x7fff_ffff;
        let request = Message::request(operation, id.max(1), printer_uri(printer));
        match self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(&printer.device) {
            Some(version) => request.in_version(*version),
            None => request,
        }
    }

    /// Get-Printer-Attributes, all of it within the printer's time-out.
    pub(super) async fn ask(&self, printer: &Printer, with: impl Fn(Message) -> Message) -> Result<Heard, CallError> {
        let time_out = Duration::from_millis(printer.policy.time_out_ms);
        let within = Within { connect: time_out, answer: time_out, stall: time_out, whole: Some(time_out) };
        let request = || with(self.request(printer, Operation::GetPrinterAttributes));
        let heard = self.exchange(printer, request(), None, &within, &LIMITS).await?;
        let older = heard.message.version;
        if heard.message.status_code() != StatusCode::ServerErrorVersionNotSupported || older >= Version::V2_0 {
            return Ok(heard);
        }
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).insert(printer.device.clone(), older);
        self.exchange(printer, request(), None, &within, &LIMITS).await
    }

    /// A request without a document.
    pub(super) async fn call(&self, printer: &Printer, request: Message) -> Result<Heard, CallError> {
        let within = self.within(printer, Some(self.times.answer + Duration::from_secs(5)));
        self.exchange(printer, request, None, &within, &LIST_LIMITS).await
    }

    /// A request with a document behind it.
    pub(super) async fn send(
        &self,
        printer: &Printer,
        request: Message,
        document: Document,
    ) -> Result<Heard, CallError> {
        let within = self.within(printer, None);
        self.exchange(printer, request, Some(document), &within, &LIMITS).await
    }

    fn within(&self, printer: &Printer, whole: Option<Duration>) -> Within {
        let connect = Duration::from_millis(printer.policy.time_out_ms);
        Within { connect, answer: self.times.answer, stall: self.times.stall, whole }
    }

    async fn exchange(
        &self,
        printer: &Printer,
        request: Message,
        document: Option<Document>,
        within: &Within,
        limits: &Limits,
    ) -> Result<Heard, CallError> {
        let nonsense = |why: String| CallError::Nonsense { octets: 0, why };
        let target = Target::parse(&printer.device).map_err(|error| nonsense(format!("{error}.")))?;
        let verify = match printer.device_fingerprint {
            Some(fingerprint) => Verify::Pinned(Fingerprint(fingerprint)),
            None => Verify::AcceptAny,
        };
        let client = Client::new(ClientOptions {
            connect_time_out: within.connect,
            answer_time_out: within.answer,
            stall_time_out: within.stall,
            whole_time_out: within.whole,
            answer_octets_max: ANSWER_OCTETS_MAX,
            verify,
            ..ClientOptions::default()
        });
        let header = request.encode();
        let header_octets = header.len() as u64;
        let body = match document {
            None => Body::full(header),
            Some(document) => {
                let octets = header_octets + document.octets;
                Body::from_reader(Cursor::new(header).chain(document.reader), Some(octets))
            }
        };
        let of_document = |sent: u64| sent.saturating_sub(header_octets);
        let sent = client.request(ClientRequest::post(&target, "application/ipp", body)).await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => return Err(failed(&error, of_document(error.body_octets_sent()), false)),
        };
        let octets = of_document(answer.body_octets_sent);
        if answer.status != HttpStatus::OK {
            return Err(CallError::Nonsense { octets, why: http_refusal(answer.status) });
        }
        let fingerprint = answer.certificate.map(|fingerprint| fingerprint.0);
        let body = match answer.body.collect().await {
            Ok(body) => body,
            Err(error) => return Err(failed(&error, octets, true)),
        };
        let message = match decode(&body, limits) {
            Ok(decoded) => decoded.message,
            Err(error) => {
                return Err(CallError::Nonsense { octets, why: not_ipp(&error.kind) });
            }
        };
        if message.request_id != request.request_id && message.request_id != 0 {
            return Err(CallError::Nonsense { octets, why: "It answered another question than was asked.".into() });
        }
        if let Some(name) = named_twice(&message) {
            return Err(CallError::Nonsense { octets, why: format!("Its answer says `{name}` twice.") });
        }
        Ok(Heard { message, fingerprint, octets })
    }
}

/// "printer-uri": the device's own, without what is ours.
fn printer_uri(printer: &Printer) -> String {
    printer.device.split(['?', '#']).next().unwrap_or_default().to_owned()
}

fn failed(error: &ClientError, octets: u64, began: bool) -> CallError {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    let why = || {
        let mut why = error.to_string();
        if let Some(cause) = std::error::Error::source(error) {
            why = format!("{why}: {cause}");
        }
        why
    };
    match error {
        ClientError::OtherCertificate { .. } => CallError::Nonsense {
            octets,
            why: "Its certificate is not the one that was seen when it was added; it may be another device.".into(),
        },
        ClientError::Tls { .. } => CallError::Nonsense { octets, why: format!("{}.", why()) },
        ClientError::AnswerTooLarge { .. } => {
            CallError::Nonsense { octets, why: "Its answer does not end (more than 256 KiB).".into() }
        }
        ClientError::Protocol { what, .. } => {
            CallError::Nonsense { octets, why: format!("Its answer is no HTTP: {what}.") }
        }
        // A device that is switched off resets its connections; an orderly end in the middle is its own doing.
        ClientError::Closed { cause: Some(cause), .. }
            if !began && matches!(cause.kind(), ConnectionReset | BrokenPipe | ConnectionAborted) =>
        {
            CallError::NoAnswer { octets, why: why() }
        }
        ClientError::Closed { .. } => {
            CallError::Nonsense { octets, why: "It broke off in the middle of its answer.".into() }
        }
        ClientError::NoAnswer { .. } if began => {
            CallError::Nonsense { octets, why: "It stopped in the middle of its answer.".into() }
        }
        _ => CallError::NoAnswer { octets, why: why() },
    }
}

fn http_refusal(status: HttpStatus) -> String {
    match status.as_u16() {
        401 | 403 => "It asks for a password, which is not supported yet.".into(),
        404 => "It has no printer under this address; check the path of its URI.".into(),
        426 => "It wants an encrypted connection; use ipps:// in its address.".into(),
        code => format!("It answered with HTTP status {code}."),
    }
}

fn not_ipp(kind: &DecodeErrorKind) -> String {
    match kind {
        DecodeErrorKind::Truncated => "Its answer ends too early.".into(),
        DecodeErrorKind::TooManyOctets
        | DecodeErrorKind::TooManyGroups
        | DecodeErrorKind::TooManyAttributes
        | DecodeErrorKind::TooManyValues
        | DecodeErrorKind::TooDeep => "Its answer says too much (more than 1,000 attributes or 256 KiB).".into(),
        other => format!("Its answer is no IPP ({other:?})."),
    }
}

/// A name that one group has twice (RFC 8011 section 4.1.3 forbids it).
fn named_twice(message: &Message) -> Option<&str> {
    message.groups.iter().find_map(|group| {
        let mut names: Vec<&str> = group.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tympan_ipp::GroupTag;

    #[test]
    fn an_attribute_said_twice_is_found() {
        let once = Message::response_to(StatusCode::SuccessfulOk, Version::V2_0, 1)
            .with(GroupTag::Printer, "printer-state", 3)
            .with(GroupTag::Printer, "printer-name", 1);
        assert_eq!(named_twice(&once), None);
        assert_eq!(named_twice(&once.with(GroupTag::Printer, "printer-state", 5)), Some("printer-state"));
    }
}
