//! The IPP door: each printer of the server is an IPP printer at `/ipp/print/NAME` (RFC 8010, RFC 8011).
//!
//! A document is streamed into the store and goes through the same [`Spooler::accept`](tympan_spooler::Spooler::accept)
//! as a mail: a job-id means that it is on disk. Who prints is found out as for uploads; "requesting-user-name" is a
//! claim and no identity. A printer that reports its state comes to the same address.

mod abilities;
mod ask;
mod control;
mod create;
mod identify;
mod intake;
mod job;
mod operations;
mod operator;
mod pin;
mod printer;
mod refused;
mod scene;
mod subscribe;
mod system;
mod ticket;

pub use identify::{Identify, NoIdentify};
pub(crate) use system::SYSTEM_PATH;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, header};
use tympan_engine::Timestamp;
use tympan_http::{Body, BodyLimits, BodyReader, Incoming, Peer, Service, respond};
use tympan_ipp::{DecodeError, HeaderScan, Limits, Message, Operation, decode};

use crate::report::{self, PATH};
use crate::web::UploadDoor;

/// Octets of attributes beyond the document.
const HEADER_OCTETS_MAX: u64 = 256 << 10;
/// Octets of a refused document that are still read, so that the client sees the refusal.
const DRAIN_OCTETS_MAX: u64 = 64 << 20;

/// The IPP door. Cheap to clone.
#[derive(Clone)]
pub struct IppDoor {
    inner: Arc<Inner>,
}

struct Inner {
    /// Says who prints, and within which limits, in the same way for both doors.
    upload: UploadDoor,
    /// "printer-up-time" counts from here.
    started: Timestamp,
    /// Makes devices make themselves known.
    identify: Arc<dyn Identify>,
    /// The zone of "job-hold-until": how many seconds it is ahead of UTC at an instant.
    offset: Arc<dyn Fn(Timestamp) -> i32 + Send + Sync>,
    hub: Arc<subscribe::Hub>,
    /// Wrong PINs by source.
    pins: pin::Tries,
}

impl Inner {
    fn offset_secs(&self, at: Timestamp) -> i32 {
        (self.offset)(at)
    }
}

/// What the door needs beyond the queue.
pub struct IppOptions {
    /// Makes devices make themselves known. Default: none can.
    pub identify: Arc<dyn Identify>,
    /// How many seconds the local time is ahead of UTC at an instant, for hours like "night". Default: UTC.
    pub offset_secs: Arc<dyn Fn(Timestamp) -> i32 + Send + Sync>,
}

impl Default for IppOptions {
    fn default() -> Self {
        Self { identify: Arc::new(NoIdentify), offset_secs: Arc::new(|_| 0) }
    }
}

impl std::fmt::Debug for IppOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IppOptions")
    }
}

impl std::fmt::Debug for IppDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IppDoor").finish_non_exhaustive()
    }
}

/// A request and what has been read of its document.
struct Arrived {
    parts: Parts,
    peer: Peer,
    message: Message,
    /// First octets of the document.
    rest: Bytes,
    body: BodyReader,
    /// The printer's name in the path.
    name: String,
}

impl IppDoor {
    /// A door to the queue of an upload door; who may print and how much is the same.
    pub fn new(upload: UploadDoor, options: IppOptions) -> Self {
        let started = upload.spooler().now();
        Self {
            inner: Arc::new(Inner {
                upload,
                started,
                identify: options.identify,
                offset: options.offset_secs,
                hub: Arc::default(),
                pins: pin::Tries::default(),
            }),
        }
    }

    async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Result<Response<Body>, Response<Body>> {
        let (parts, body) = request.into_parts();
        if parts.method != Method::POST {
            let text = "This is a printer: add it by this address, or open its page on the console.\n";
            return Err(respond::text(StatusCode::METHOD_NOT_ALLOWED, text));
        }
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/ipp") {
            let text = "A printer takes application/ipp; files are uploaded to /print/NAME.\n";
            return Err(respond::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
        }
        let mut limits = BodyLimits::octets(self.inner.upload.octets_max().saturating_add(HEADER_OCTETS_MAX));
        limits.idle_time_out = Duration::from_secs(60);
        let mut body = BodyReader::new(body, limits);
        let (message, rest) = match read_header(&mut body).await {
            Ok(read) => read,
            Err(HeaderFault::Message(error)) => {
                drain(&mut body).await;
                return Err(ipp(&error.response()));
            }
            Err(HeaderFault::Line(error)) => return Err(error.to_response()),
        };
        if let Err(fault) = message.check_request() {
            drain(&mut body).await;
            return Err(ipp(&fault.response(&message)));
        }
        let path = parts.uri.path().strip_prefix(PATH).unwrap_or_default();
        let name = path.split('/').next().unwrap_or_default().to_owned();
        if message.operation_id() == Operation::UpdateOutputDeviceAttributes {
            return report::take(self.inner.upload.spooler(), &parts, &name, &message).await;
        }
        let is_system = parts.uri.path().trim_end_matches('/') == SYSTEM_PATH;
        let mut arrived = Arrived { parts, peer, message, rest, body, name };
        let done = match is_system {
            true => system::perform(&self.inner, &arrived).await,
            false => operations::perform(&self.inner, &mut arrived).await,
        };
        match done {
            Ok(message) => Ok(ipp(&message)),
            Err(scene::End::Refused(refused)) => {
                drain(&mut arrived.body).await;
                Err(ipp(&refused.response(&arrived.message)))
            }
            Err(scene::End::Http(response)) => {
                drain(&mut arrived.body).await;
                Err(response)
            }
        }
    }
}

impl Service for IppDoor {
    async fn call(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        self.answer(request, peer).await.unwrap_or_else(|refusal| refusal)
    }
}

enum HeaderFault {
    Message(DecodeError),
    Line(tympan_http::BodyError),
}

/// Reads the attributes; what was read beyond them is the beginning of the document.
async fn read_header(body: &mut BodyReader) -> Result<(Message, Bytes), HeaderFault> {
    let limits = Limits::REQUEST;
    let mut scan = HeaderScan::new(&limits);
    let mut buffer = BytesMut::new();
    loop {
        let chunk = body.chunk().await.map_err(HeaderFault::Line)?;
        let ended = chunk.is_none();
        buffer.extend_from_slice(&chunk.unwrap_or_default());
        let end = scan.scan(&buffer).map_err(HeaderFault::Message)?;
        if end.is_none() && !ended {
            continue;
        }
        // At the end of the body this tells what is missing.
        let decoded = decode(&buffer, &limits).map_err(HeaderFault::Message)?;
        let rest = buffer.split_off(decoded.header_octets).freeze();
        return Ok((decoded.message, rest));
    }
}

/// Reads what is left of a body, within bounds: a client that still writes would not see the answer.
async fn drain(body: &mut BodyReader) {
    while let Ok(Some(_)) = body.chunk().await {
        if body.octets() > DRAIN_OCTETS_MAX {
            return;
        }
    }
}

fn ipp(message: &Message) -> Response<Body> {
    respond::bytes(StatusCode::OK, "application/ipp", message.encode())
}
