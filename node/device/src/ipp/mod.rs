//! IPP at `/ipp/print` (RFC 8010, RFC 8011, PWG 5100.12, PWG 5100.14), answered well or, when told
//! so, badly.

mod attributes;
pub(crate) mod capabilities;
pub(crate) mod intake;
mod job_attributes;
mod lie;
mod operations;
mod requested;
mod ticket;
mod view;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tympan_http::{Body, BodyLimits, BodyReader};
use tympan_ipp::{DecodeError, HeaderScan, Limits, Message};

pub(crate) use attributes::{reported_attributes, supply_attributes};
pub(crate) use view::View;

use crate::line::LineCut;
use crate::shared::{Shared, authority};

/// Octets of a refused document that are still read, so that the client sees the refusal.
const DRAIN_OCTETS_MAX: u64 = 64 << 20;

/// A request and what has been read of its document.
pub(crate) struct Arrived {
    pub(crate) message: Message,
    /// First octets of the document.
    pub(crate) rest: Bytes,
    pub(crate) body: BodyReader,
    /// Host and port that the client used, for the URIs it is told.
    pub(crate) authority: String,
}

/// Answers one HTTP request.
pub(crate) async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, LineCut> {
    let (head, body) = request.into_parts();
    if head.method == Method::GET {
        return Ok(to_page(shared, &head.headers));
    }
    if head.method != Method::POST {
        return Ok(plain(StatusCode::METHOD_NOT_ALLOWED, "IPP is sent by POST.\n"));
    }
    let path = head.uri.path();
    if path != "/ipp/print" && !path.starts_with("/ipp/print/") {
        return Ok(plain(StatusCode::NOT_FOUND, "The printer is at /ipp/print.\n"));
    }
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    if !content_type.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/ipp") {
        return Ok(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The printer takes application/ipp.\n"));
    }
    let authority = head
        .headers
        .get(header::HOST)
        .and_then(|v| v.to_str().ok())
        .filter(|host| !host.is_empty() && host.len() < 256)
        .map_or_else(|| authority(shared.ipp_addr), str::to_owned);
    let mut limits = BodyLimits::octets(shared.options.document_octets_max.saturating_add(1 << 20));
    limits.idle_time_out = Duration::from_secs(60);
    let mut body = BodyReader::new(body, limits);
    let (message, rest) = match read_header(&mut body).await {
        Ok(read) => read,
        Err(HeaderFault::Message(error)) => {
            drain(&mut body).await;
            return Ok(ipp(error.response().encode()));
        }
        Err(HeaderFault::Line) => return Err(LineCut),
    };
    let operation = message.operation_id().as_str();
    let arrived = Arrived { message, rest, body, authority };
    let reply = operations::perform(shared, arrived).await?;
    let lie = shared.change_if_seen(|model, _| model.faults.take_answer(operation));
    Ok(match lie {
        None => ipp(reply.encode()),
        Some(kind) => lie::respond(kind, &reply).await,
    })
}

enum HeaderFault {
    Message(DecodeError),
    Line,
}

/// Reads the attributes; what was read beyond them is the beginning of the document.
async fn read_header(body: &mut BodyReader) -> Result<(Message, Bytes), HeaderFault> {
    let limits = Limits::REQUEST;
    let mut scan = HeaderScan::new(&limits);
    let mut buffer = BytesMut::new();
    loop {
        let chunk = body.chunk().await.map_err(|_| HeaderFault::Line)?;
        let ended = chunk.is_none();
        buffer.extend_from_slice(&chunk.unwrap_or_default());
        let end = scan.scan(&buffer).map_err(HeaderFault::Message)?;
        if end.is_none() && !ended {
            continue;
        }
        // At the end of the body this tells what is missing.
        let decoded = tympan_ipp::decode(&buffer, &limits).map_err(HeaderFault::Message)?;
        let rest = buffer.split_off(decoded.header_octets).freeze();
        return Ok((decoded.message, rest));
    }
}

/// Reads what is left of a body, within bounds: a client that still writes would not see the answer.
pub(crate) async fn drain(body: &mut BodyReader) {
    while let Ok(Some(_)) = body.chunk().await {
        if body.octets() > DRAIN_OCTETS_MAX {
            return;
        }
    }
}

fn ipp(octets: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::full(octets));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/ipp"));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::full(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// A browser that finds the IPP port is shown the way.
fn to_page(shared: &Shared, headers: &http::HeaderMap) -> Response<Body> {
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or("localhost");
    let name = view::host_name(host);
    let url = format!("http://{name}:{}/", shared.page_addr.port());
    let mut response = plain(StatusCode::FOUND, "The printer's page is elsewhere.\n");
    if let Ok(url) = HeaderValue::from_str(&url) {
        response.headers_mut().insert(header::LOCATION, url);
    }
    response
}
