//! Sends a request and reads at the same time, so that a refusal is heard while a document is still
//! going out.

use std::{collections::VecDeque, fmt::Write as _, io, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::Instant,
};

use super::{Answer, AnswerBody, ClientError, ClientOptions, ClientRequest, Connected, Upload, answer::Extent};
use crate::{Body, chunked::Walker};

/// Octets of an answer's head.
const HEAD_OCTETS_MAX: usize = 32 * 1024;
/// Header fields of an answer.
const HEADERS_MAX: usize = 100;
/// Interim answers (1xx) before the final one.
const INTERIM_MAX: usize = 10;
/// Octets of an answer kept while the request is still being sent.
const EARLY_OCTETS_MAX: usize = 256 * 1024;
/// How long a refusal is waited for when the printer no longer takes the document.
const REFUSAL_WAIT: Duration = Duration::from_secs(5);

pub(super) async fn run(
    connected: Connected,
    request: ClientRequest,
    options: &ClientOptions,
    deadline: Option<Instant>,
) -> Result<Answer, ClientError> {
    let Connected { stream, remote, certificate } = connected;
    let method = request.method.clone();
    let head = head_of(&request, options);
    let ClientRequest { body, expect_continue, mut progress, .. } = request;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut sending = Sending::new(head, body, expect_continue.is_some());
    let mut receiving = Receiving::new(&method);
    let mut continue_by = expect_continue.map(|wait| Instant::now() + wait);
    let mut answer_by = Instant::now() + options.stall_time_out;
    let mut after = options.stall_time_out;
    let mut broken: Option<io::Error> = None;
    let mut ended = false;
    loop {
        let stop = match &receiving.last {
            Some(last) => !last.status.is_success() || sending.is_done() || broken.is_some(),
            None => false,
        };
        if stop {
            break;
        }
        let until = [Some(answer_by), deadline, continue_by].into_iter().flatten().min().unwrap_or(answer_by);
        tokio::select! {
            biased;
            read = reader.read_buf(&mut receiving.octets), if !ended && receiving.octets.len() < EARLY_OCTETS_MAX => match read {
                Ok(0) if receiving.last.is_some() => ended = true,
                Ok(0) => return Err(ClientError::Closed { body_octets_sent: sending.body_octets, cause: broken }),
                Ok(_) => {
                    if receiving.parse().map_err(|what| ClientError::Protocol { what, body_octets_sent: sending.body_octets })? {
                        continue_by = None;
                        sending.go_on();
                    }
                }
                Err(_) if receiving.last.is_some() => ended = true,
                Err(cause) => {
                    return Err(ClientError::Closed { body_octets_sent: sending.body_octets, cause: Some(broken.unwrap_or(cause)) });
                }
            },
            sent = sending.step(&mut writer), if broken.is_none() && !sending.is_waiting() => match sent {
                Ok(body_octets) => {
                    after = if sending.is_done() { options.answer_time_out } else { options.stall_time_out };
                    answer_by = Instant::now() + after;
                    if let (Some(progress), true) = (&mut progress, body_octets > 0) {
                        progress(sending.body_octets);
                    }
                }
                Err(SendError::Body(cause)) => {
                    return Err(ClientError::RequestBody { body_octets_sent: sending.body_octets, cause });
                }
                Err(SendError::Write(cause)) => {
                    // It closed its ears; perhaps it said why.
                    broken = Some(cause);
                    after = REFUSAL_WAIT.min(options.answer_time_out);
                    answer_by = Instant::now() + after;
                }
            },
            () = tokio::time::sleep_until(until) => {
                let now = Instant::now();
                if deadline.is_some_and(|deadline| deadline <= now) {
                    let after = options.whole_time_out.unwrap_or(after);
                    return Err(ClientError::NoAnswer { after, body_octets_sent: sending.body_octets });
                }
                if continue_by.is_some_and(|by| by <= now) {
                    continue_by = None;
                    sending.go_on();
                    answer_by = now + options.stall_time_out;
                } else if let Some(cause) = broken {
                    return Err(ClientError::Closed { body_octets_sent: sending.body_octets, cause: Some(cause) });
                } else if receiving.last.is_some() {
                    // It answered well and then stopped listening.
                    break;
                } else {
                    return Err(ClientError::NoAnswer { after, body_octets_sent: sending.body_octets });
                }
            }
        }
    }
    let Some(Last { status, headers, extent }) = receiving.last else {
        return Err(ClientError::Closed { body_octets_sent: sending.body_octets, cause: broken });
    };
    Ok(Answer {
        status,
        headers,
        upload: if sending.is_done() { Upload::Whole } else { Upload::CutShort },
        body_octets_sent: sending.body_octets,
        remote,
        certificate,
        body: AnswerBody {
            stream: reader.unsplit(writer),
            unread: receiving.octets,
            extent,
            octets: 0,
            octets_max: options.answer_octets_max,
            body_octets_sent: sending.body_octets,
            stall_time_out: options.stall_time_out.min(options.answer_time_out.max(Duration::from_secs(1))),
            deadline,
            ended,
        },
    })
}

/// The request's head as it goes out.
fn head_of(request: &ClientRequest, options: &ClientOptions) -> Bytes {
    const OWN: [HeaderName; 5] =
        [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::EXPECT];
    let mut head = String::with_capacity(512);
    // Writing to a String cannot fail.
    let _ = write!(
        head,
        "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
        request.method,
        request.target.path_and_query(),
        request.target.host_field()
    );
    match request.body.octets() {
        Some(0) if matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::DELETE) => {}
        Some(octets) => {
            let _ = write!(head, "Content-Length: {octets}\r\n");
        }
        None => head.push_str("Transfer-Encoding: chunked\r\n"),
    }
    if request.expect_continue.is_some() {
        head.push_str("Expect: 100-continue\r\n");
    }
    let mut head = BytesMut::from(head.as_bytes());
    let mut field = |name: &HeaderName, value: &[u8]| {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    };
    if !request.headers.contains_key(header::USER_AGENT) {
        field(
            &header::USER_AGENT,
            HeaderValue::from_str(&options.user_agent).as_ref().map_or(b"tympan", HeaderValue::as_bytes),
        );
    }
    for (name, value) in &request.headers {
        if !OWN.contains(name) {
            field(name, value.as_bytes());
        }
    }
    head.extend_from_slice(b"\r\n");
    head.freeze()
}

enum SendError {
    Body(io::Error),
    Write(io::Error),
}

/// The request on its way out.
struct Sending {
    pieces: VecDeque<(Bytes, bool)>,
    body: Body,
    /// Octets still owed to the announced length; `None` when chunked.
    left: Option<u64>,
    waits: bool,
    unflushed: bool,
    body_ended: bool,
    done: bool,
    /// Octets of the body that the network took.
    body_octets: u64,
}

impl Sending {
    fn new(head: Bytes, body: Body, waits: bool) -> Self {
        let left = body.octets();
        Self {
            pieces: VecDeque::from([(head, false)]),
            waits: waits && left != Some(0),
            body_ended: left == Some(0),
            body,
            left,
            unflushed: false,
            done: false,
            body_octets: 0,
        }
    }

    const fn is_done(&self) -> bool {
        self.done
    }

    /// Whether the head is out and the body waits for `100 Continue`.
    fn is_waiting(&self) -> bool {
        self.done || (self.waits && self.pieces.is_empty() && !self.unflushed)
    }

    const fn go_on(&mut self) {
        self.waits = false;
    }

    /// Does one thing: writes a piece, flushes, or fetches the next piece. Gives the octets of the
    /// body that were written. Safe to drop and call again.
    async fn step(&mut self, writer: &mut (impl AsyncWrite + Unpin)) -> Result<u64, SendError> {
        if let Some((piece, is_body)) = self.pieces.front_mut() {
            let octets = writer.write_buf(piece).await.map_err(SendError::Write)?;
            if octets == 0 {
                return Err(SendError::Write(io::ErrorKind::WriteZero.into()));
            }
            let written = if *is_body { octets as u64 } else { 0 };
            if !piece.has_remaining() {
                self.pieces.pop_front();
            }
            self.unflushed = true;
            self.body_octets += written;
            return Ok(written);
        }
        if self.unflushed {
            writer.flush().await.map_err(SendError::Write)?;
            self.unflushed = false;
            self.done = self.body_ended;
            return Ok(0);
        }
        if self.body_ended {
            self.done = true;
            return Ok(0);
        }
        match self.body.frame().await {
            None => self.end_body()?,
            Some(Err(cause)) => return Err(SendError::Body(cause)),
            Some(Ok(frame)) => {
                if let Ok(octets) = frame.into_data()
                    && !octets.is_empty()
                {
                    self.queue(octets)?;
                }
            }
        }
        Ok(0)
    }

    fn end_body(&mut self) -> Result<(), SendError> {
        self.body_ended = true;
        match self.left {
            Some(0) => self.done = true,
            Some(_) => {
                return Err(SendError::Body(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the body is shorter than its announced length",
                )));
            }
            None => self.pieces.push_back((Bytes::from_static(b"0\r\n\r\n"), false)),
        }
        Ok(())
    }

    fn queue(&mut self, octets: Bytes) -> Result<(), SendError> {
        match &mut self.left {
            Some(left) => {
                *left = left.checked_sub(octets.len() as u64).ok_or_else(|| {
                    SendError::Body(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "the body is longer than its announced length",
                    ))
                })?;
                self.body_ended = *left == 0;
                self.pieces.push_back((octets, true));
            }
            None => {
                self.pieces.push_back((Bytes::from(format!("{:x}\r\n", octets.len())), false));
                self.pieces.push_back((octets, true));
                self.pieces.push_back((Bytes::from_static(b"\r\n"), false));
            }
        }
        Ok(())
    }
}

/// The final head of an answer.
struct Last {
    status: StatusCode,
    headers: HeaderMap,
    extent: Extent,
}

/// The answer on its way in.
struct Receiving {
    octets: BytesMut,
    is_head_request: bool,
    interim: usize,
    last: Option<Last>,
}

impl Receiving {
    fn new(method: &Method) -> Self {
        Self { octets: BytesMut::new(), is_head_request: *method == Method::HEAD, interim: 0, last: None }
    }

    /// Reads heads from what has come; true when the server said to go on with the body.
    fn parse(&mut self) -> Result<bool, String> {
        let mut go_on = false;
        while self.last.is_none() {
            let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
            let mut head = httparse::Response::new(&mut fields);
            let octets = match head.parse(&self.octets) {
                Ok(httparse::Status::Complete(octets)) if octets <= HEAD_OCTETS_MAX => octets,
                Ok(httparse::Status::Partial) if self.octets.len() <= HEAD_OCTETS_MAX => break,
                Ok(_) => return Err("its head is too large".into()),
                Err(error) => return Err(format!("its head cannot be read ({error})")),
            };
            let status = head.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or("its status is not valid")?;
            if status == StatusCode::SWITCHING_PROTOCOLS {
                return Err("it changes the protocol without being asked".into());
            }
            if status.is_informational() {
                self.interim += 1;
                if self.interim > INTERIM_MAX {
                    return Err("it never comes to an end of interim answers".into());
                }
                go_on |= status == StatusCode::CONTINUE;
            } else {
                let headers = headers_of(head.headers)?;
                let extent = self.extent_of(status, &headers)?;
                self.last = Some(Last { status, headers, extent });
            }
            self.octets.advance(octets);
        }
        Ok(go_on)
    }

    /// RFC 9112 section 6.3.
    fn extent_of(&self, status: StatusCode, headers: &HeaderMap) -> Result<Extent, String> {
        if self.is_head_request || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Ok(Extent::Ended);
        }
        if let Some(coding) = headers.get(header::TRANSFER_ENCODING) {
            // Content-Length beside it is ignored: the connection serves no other answer.
            return if coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
                Ok(Extent::Chunked(Walker::new()))
            } else {
                Err("its transfer coding is not known".into())
            };
        }
        let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
        let Some(first) = lengths.next() else {
            return Ok(Extent::UntilClose);
        };
        if lengths.any(|other| other != first) {
            return Err("it has two different lengths".into());
        }
        first
            .to_str()
            .ok()
            .filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .map(Extent::Sized)
            .ok_or_else(|| "its length is not a number".into())
    }
}

fn headers_of(fields: &[httparse::Header<'_>]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| "a header field's name is not valid")?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| "a header field's value is not valid")?;
        headers.append(name, value);
    }
    Ok(headers)
}
