//! Stands between the socket and hyper: gathers each HTTP/1 head whole, inspects it, follows the
//! body to its end, and keeps the clock.
//!
//! A head that is refused is replaced by a harmless request that the service answers with the
//! refusal, so that it comes after the answers to earlier requests on the same connection. An idle
//! connection holds no buffer here.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf as _, BytesMut};
use http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use super::{
    Limits,
    head::{self, Framing, Refusal},
    line::Line,
};
use crate::chunked::{Step, Walker};

/// Octets read at a time while a head is gathered.
const GATHER_OCTETS: usize = 4 * 1024;
/// Stands for a head that was refused.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";

pub(crate) struct Guard<S> {
    inner: S,
    line: Arc<Line>,
    limits: Arc<Limits>,
    place: Place,
    /// Octets read from the socket and not handed on.
    gathered: BytesMut,
    /// How many of them may be handed on.
    ready: usize,
    /// Heads handed on.
    heads: u64,
    opened_at: Instant,
    /// When the first octet of the present head came.
    head_since: Option<Instant>,
    read_timer: Timer,
    write_timer: Timer,
    linger_timer: Timer,
    peer_ended: bool,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Head,
    Sized(u64),
    Chunked(Walker),
    /// HTTP/2: octets pass uninspected.
    Open,
    /// Nothing more is read.
    Ended,
    /// As `Ended`, and the client may still be sending.
    Refused,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guard<S> {
    pub(crate) fn http1(inner: S, line: Arc<Line>, limits: Arc<Limits>) -> Self {
        Self::new(inner, line, limits, Place::Head)
    }

    /// For HTTP/2: only stalled writes are watched.
    pub(crate) fn http2(inner: S, line: Arc<Line>, limits: Arc<Limits>) -> Self {
        Self::new(inner, line, limits, Place::Open)
    }

    fn new(inner: S, line: Arc<Line>, limits: Arc<Limits>, place: Place) -> Self {
        Self {
            inner,
            line,
            limits,
            place,
            gathered: BytesMut::new(),
            ready: 0,
            heads: 0,
            opened_at: Instant::now(),
            head_since: None,
            read_timer: Timer::default(),
            write_timer: Timer::default(),
            linger_timer: Timer::default(),
            peer_ended: false,
        }
    }

    /// Puts octets before those of the socket.
    pub(crate) fn preload(mut self, octets: &[u8]) -> Self {
        self.gathered.extend_from_slice(octets);
        self
    }

    /// Waits for the next head, whole; also ready when nothing more comes.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.place {
            Place::Head if self.ready == 0 => self.poll_head(cx),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Whether nothing more comes, and nothing is left to be handed on.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.place, Place::Ended) && self.ready == 0
    }

    /// Whether every request that came is answered, the answer is taken, and nothing of another has come.
    pub(crate) fn is_between(&self) -> bool {
        matches!(self.place, Place::Head)
            && self.ready == 0
            && self.gathered.is_empty()
            && self.write_timer.is_stopped()
            && self.line.has_answered(self.heads)
    }

    /// The stream, and what was read from it and not used.
    pub(crate) fn into_parts(self) -> (S, BytesMut) {
        (self.inner, self.gathered)
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scanned = 0;
        loop {
            // RFC 9112 section 2.2: an empty line before a request is ignored.
            while scanned == 0 && self.gathered.starts_with(b"\r\n") {
                self.gathered.advance(2);
            }
            let end = head::end_of_head(&self.gathered, scanned);
            let octets = end.unwrap_or(self.gathered.len());
            if octets > self.limits.header_octets_max {
                self.refuse(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the request's head is too large");
                return Poll::Ready(Ok(()));
            }
            if let Some(end) = end {
                match head::inspect(&self.gathered[..end], &self.limits) {
                    Ok(framing) => self.pass(end, framing),
                    Err(Refusal { status, why }) => self.refuse(status, why),
                }
                return Poll::Ready(Ok(()));
            }
            scanned = self.gathered.len().saturating_sub(3);
            if !self.gathered.is_empty() && self.head_since.is_none() {
                self.head_since = Some(Instant::now());
            }
            let mut octets = [0; GATHER_OCTETS];
            let mut into = ReadBuf::new(&mut octets);
            match Pin::new(&mut self.inner).poll_read(cx, &mut into) {
                Poll::Pending => {
                    ready!(self.poll_waited_too_long(cx));
                    if self.gathered.is_empty() {
                        self.place = Place::Ended;
                    } else {
                        self.refuse(StatusCode::REQUEST_TIMEOUT, "the request's head did not come in time");
                    }
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(result) => result?,
            }
            if into.filled().is_empty() {
                self.peer_ended = true;
                self.place = Place::Ended;
                self.gathered = BytesMut::new();
                return Poll::Ready(Ok(()));
            }
            self.gathered.extend_from_slice(into.filled());
        }
    }

    /// Ready when the wait for a head has lasted too long.
    fn poll_waited_too_long(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let now = Instant::now();
            let deadline = match (self.head_since, self.heads, self.line.idle_since()) {
                (Some(since), ..) => since + self.limits.header_time_out,
                (None, 0, _) => self.opened_at + self.limits.header_time_out,
                (None, _, Some(idle_since)) => idle_since + self.limits.idle_time_out,
                (None, _, None) => now + self.limits.idle_time_out,
            };
            if deadline <= now {
                return Poll::Ready(());
            }
            ready!(self.read_timer.poll_at(cx, deadline));
        }
    }

    fn pass(&mut self, end: usize, framing: Framing) {
        self.heads += 1;
        self.head_since = None;
        self.read_timer.stop();
        self.ready = end;
        self.place = match framing {
            Framing::Sized(0) => Place::Head,
            Framing::Sized(octets) => Place::Sized(octets),
            Framing::Chunked => Place::Chunked(Walker::new()),
        };
        if !matches!(self.place, Place::Head) {
            self.line.set_open_body(Some(self.heads));
        }
    }

    fn refuse(&mut self, status: StatusCode, why: &'static str) {
        self.line.refuse(self.heads + 1, Refusal { status, why });
        self.place = Place::Refused;
        self.read_timer.stop();
        self.gathered = BytesMut::from(STAND_IN);
        self.ready = STAND_IN.len();
    }

    fn body_ended(&mut self) {
        self.place = Place::Head;
        self.line.set_open_body(None);
    }

    /// How many of `octets`, which follow on the wire, belong to the present body.
    fn walk(&mut self, octets: &[u8]) -> io::Result<usize> {
        match &mut self.place {
            Place::Sized(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(octets.len());
                *left -= here as u64;
                if *left == 0 {
                    self.body_ended();
                }
                Ok(here)
            }
            Place::Chunked(walker) => {
                let mut at = 0;
                while at < octets.len() {
                    match walker.step(&octets[at..]) {
                        Step::Framing(n) | Step::Data(n) => at += n,
                        Step::End(n) => {
                            self.body_ended();
                            return Ok(at + n);
                        }
                        Step::Fault(why) => {
                            self.place = Place::Refused;
                            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                        }
                    }
                }
                Ok(at)
            }
            _ => Ok(octets.len()),
        }
    }

    /// Reads octets of a body (or of anything, when open) straight into hyper's buffer.
    fn poll_body(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.gathered.is_empty() {
            let gathered = std::mem::take(&mut self.gathered);
            let walked = self.walk(&gathered);
            self.gathered = gathered;
            self.ready = walked?;
            return Poll::Ready(Ok(()));
        }
        let room = out.remaining();
        let mut into = ReadBuf::new(out.initialize_unfilled_to(room));
        match Pin::new(&mut self.inner).poll_read(cx, &mut into) {
            Poll::Pending => {
                if matches!(self.place, Place::Open) {
                    return Poll::Pending;
                }
                ready!(self.read_timer.poll_after(cx, self.limits.stall_time_out));
                self.place = Place::Refused;
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the request's body did not come in time",
                )));
            }
            Poll::Ready(result) => result?,
        }
        self.read_timer.stop();
        let read = into.filled().len();
        if read == 0 {
            self.peer_ended = true;
            self.place = Place::Ended;
            return Poll::Ready(Ok(()));
        }
        let ours = self.walk(&out.initialize_unfilled_to(room)[..read])?;
        let rest = &out.initialize_unfilled_to(room)[ours..read];
        self.gathered.extend_from_slice(rest);
        out.advance(ours);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if out.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            if this.ready > 0 {
                let octets = this.ready.min(out.remaining());
                out.put_slice(&this.gathered.split_to(octets));
                this.ready -= octets;
                if this.gathered.is_empty() {
                    this.gathered = BytesMut::new();
                }
                return Poll::Ready(Ok(()));
            }
            match this.place {
                Place::Head => ready!(this.poll_head(cx))?,
                Place::Sized(_) | Place::Chunked(_) | Place::Open => {
                    let before = out.filled().len();
                    ready!(this.poll_body(cx, out))?;
                    if out.filled().len() > before {
                        return Poll::Ready(Ok(()));
                    }
                }
                Place::Ended => return Poll::Ready(Ok(())),
                // Not the end of the stream: hyper would take the client for gone and drop the
                // answer. It closes by itself once the refusal is written.
                Place::Refused => return Poll::Pending,
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guard<S> {
    /// Lets a write pass, or fails when there was no room for it for too long.
    fn watch<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.write_timer.stop();
            return result;
        }
        ready!(self.write_timer.poll_after(cx, self.limits.stall_time_out));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client did not take the answer in time")))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write(cx, octets);
        this.watch(cx, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_write_vectored(cx, slices);
        this.watch(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_flush(cx);
        this.watch(cx, result)
    }

    /// Ends our direction, then reads and drops what a refused client is still sending: closing
    /// with unread octets would reset the connection and take our answer with it.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.inner).poll_shutdown(cx);
        ready!(this.watch(cx, result))?;
        if this.peer_ended || matches!(this.place, Place::Head | Place::Open | Place::Ended) {
            return Poll::Ready(Ok(()));
        }
        let mut octets = [0; GATHER_OCTETS];
        loop {
            let mut into = ReadBuf::new(&mut octets);
            match Pin::new(&mut this.inner).poll_read(cx, &mut into) {
                Poll::Ready(Ok(())) if !into.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    ready!(this.linger_timer.poll_after(cx, this.limits.linger));
                    return Poll::Ready(Ok(()));
                }
            }
            // Octets that never stop coming must not hold us longer than silence.
            if this.linger_timer.poll_after(cx, this.limits.linger).is_ready() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

/// A timer that costs nothing until it runs.
#[derive(Debug, Default)]
struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    fn poll_at(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }

    /// Runs from the first call on.
    fn poll_after(&mut self, cx: &mut Context<'_>, time: Duration) -> Poll<()> {
        self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(time))).as_mut().poll(cx)
    }

    fn stop(&mut self) {
        self.sleep = None;
    }

    const fn is_stopped(&self) -> bool {
        self.sleep.is_none()
    }
}
