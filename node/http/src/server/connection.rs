//! One connection: which protocol it speaks, its requests, its change to TLS.

use std::{
    convert::Infallible,
    future::{Future as _, poll_fn},
    io,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use bytes::{Buf as _, BytesMut};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::{
    body::{Body as _, Incoming},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, error};

use super::{
    Hosts, Limits, Peer, Service,
    accept::Stage,
    guard::Guard,
    line::{Line, Upgrade},
    shared::Shared,
};
use crate::{Body, TlsMaterial};

/// First octet of a TLS record that holds a handshake (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;
/// Octets that hyper may hold of one HTTP/1 connection.
const BUFFER_OCTETS_MAX: usize = 64 * 1024;
/// How long HTTP/2 waits in silence before it asks whether the client is still there.
const PING_INTERVAL: Duration = Duration::from_secs(55);

/// What all connections of a listener share.
pub(crate) struct Context<S> {
    service: S,
    tls: Option<TlsAcceptor>,
    limits: Arc<Limits>,
    hosts: Hosts,
    http1: hyper::server::conn::http1::Builder,
    http2: hyper::server::conn::http2::Builder<TokioExecutor>,
}

impl<S: Service> Context<S> {
    pub(crate) fn new(service: S, tls: Option<TlsMaterial>, limits: Limits, hosts: Hosts) -> Self {
        let buffer = BUFFER_OCTETS_MAX.max(limits.header_octets_max);
        let mut http1 = hyper::server::conn::http1::Builder::new();
        // The guard keeps the clock and the bounds of heads; hyper's own come behind it.
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_headers(limits.headers_max)
            .max_buf_size(buffer)
            // A client that closes its half is taken for gone: waiting handlers are dropped.
            .half_close(false);
        let mut http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(Duration::from_secs(20))
            .max_concurrent_streams(limits.streams_max)
            .max_header_list_size(u32::try_from(limits.header_octets_max).unwrap_or(u32::MAX))
            .max_pending_accept_reset_streams(20)
            .max_local_error_reset_streams(200)
            .initial_stream_window_size(256 * 1024)
            .initial_connection_window_size(1024 * 1024)
            .max_send_buf_size(64 * 1024);
        Self {
            service,
            tls: tls.map(|tls| TlsAcceptor::from(tls.http_server_config())),
            limits: Arc::new(limits),
            hosts,
            http1,
            http2,
        }
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve<S: Service>(
    stream: TcpStream,
    addr: SocketAddr,
    context: Arc<Context<S>>,
    line: Arc<Line>,
    mut stage: watch::Receiver<Stage>,
) {
    let Ok(local) = stream.local_addr() else {
        return;
    };
    let local = SocketAddr::new(local.ip().to_canonical(), local.port());
    let peer = Peer { addr, local, tls: false };
    let mut first = [0];
    let peeked = tokio::select! {
        peeked = tokio::time::timeout(context.limits.header_time_out, stream.peek(&mut first)) => peeked,
        () = draining(&mut stage) => return,
        () = line.shed.notified() => return,
    };
    match peeked {
        Ok(Ok(1)) => {}
        // Gone again, or silent.
        _ => return,
    }
    if first[0] == TLS_HANDSHAKE {
        // In a box of its own, so that plain connections do not carry its size.
        Box::pin(serve_tls(stream, BytesMut::new(), peer, context, line, stage, Vec::new())).await;
        return;
    }
    let guard = Guard::http1(stream, Arc::clone(&line), Arc::clone(&context.limits));
    let Some(upgrade) = serve_http1(guard, peer, &context, &line, &mut stage).await else {
        return;
    };
    let Ok(upgraded) = upgrade.on_upgrade.await else {
        return;
    };
    let Ok(parts) = upgraded.downcast::<TokioIo<Shared<TcpStream>>>() else {
        error!("Lost a connection that was to change to TLS");
        return;
    };
    let Some(guard) = parts.io.into_inner().into_inner() else {
        error!("Lost a connection that was to change to TLS");
        return;
    };
    let (stream, unread) = guard.into_parts();
    let mut early = BytesMut::from(&parts.read_buf[..]);
    early.extend_from_slice(&unread);
    let line = Line::new();
    Box::pin(serve_tls(stream, early, peer, context, line, stage, upgrade.head)).await;
}

/// Serves HTTP/1 over any stream to its end, as if it came from this machine.
pub(crate) async fn serve_stream<S: Service, T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: T,
    context: Arc<Context<S>>,
    mut stage: watch::Receiver<Stage>,
) {
    let here = SocketAddr::from(([127, 0, 0, 1], 0));
    let peer = Peer { addr: here, local: here, tls: false };
    let line = Line::new();
    let guard = Guard::http1(stream, Arc::clone(&line), Arc::clone(&context.limits));
    serve_http1(guard, peer, &context, &line, &mut stage).await;
}

async fn draining(stage: &mut watch::Receiver<Stage>) {
    // An error means that the listener is gone, which is the same to us.
    let _ = stage.wait_for(|stage| *stage == Stage::Draining).await;
}

/// Shakes hands, then speaks what ALPN says. `head` is a request that asked for the change to TLS
/// and is answered first (RFC 2817 section 3.3).
async fn serve_tls<S: Service>(
    stream: TcpStream,
    early: BytesMut,
    peer: Peer,
    context: Arc<Context<S>>,
    line: Arc<Line>,
    mut stage: watch::Receiver<Stage>,
    head: Vec<u8>,
) {
    let Some(acceptor) = &context.tls else {
        debug!(addr = %peer.addr, "Refused TLS: there is no certificate");
        return;
    };
    let peer = Peer { tls: true, ..peer };
    let accept = acceptor.accept(Early { early, stream });
    let stream = match tokio::time::timeout(context.limits.header_time_out, accept).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            debug!(addr = %peer.addr, %error, "Could not agree on TLS");
            return;
        }
        Err(_) => {
            debug!(addr = %peer.addr, "TLS handshake timed out");
            return;
        }
    };
    if head.is_empty() && stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        let guard = Guard::http2(stream, Arc::clone(&line), Arc::clone(&context.limits));
        serve_http2(guard, peer, &context, &line, &mut stage).await;
    } else {
        let guard = Guard::http1(stream, Arc::clone(&line), Arc::clone(&context.limits)).preload(&head);
        serve_http1(guard, peer, &context, &line, &mut stage).await;
    }
}

/// Serves HTTP/1; gives a change to TLS to be made, if a request asked for it.
async fn serve_http1<S: Service, T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    guard: Guard<T>,
    peer: Peer,
    context: &Arc<Context<S>>,
    line: &Arc<Line>,
    stage: &mut watch::Receiver<Stage>,
) -> Option<Upgrade> {
    let service = {
        let (context, line) = (Arc::clone(context), Arc::clone(line));
        service_fn(move |request| {
            let (context, line) = (Arc::clone(&context), Arc::clone(&line));
            async move { Ok::<_, Infallible>(answer(request, peer, &context, &line).await) }
        })
    };
    let shared = Shared::new(guard);
    let mut closing = false;
    while !closing {
        // Between two requests there is nothing here but the guard: an idle connection is small.
        tokio::select! {
            result = poll_fn(|cx| shared.lock().poll_next(cx)) => {
                if result.is_err() || shared.lock().is_over() {
                    break;
                }
            }
            () = draining(stage) => break,
            () = line.shed.notified() => break,
        }
        let connection = context.http1.serve_connection(TokioIo::new(shared.clone()), service.clone());
        let mut connection = Box::pin(connection.with_upgrades());
        let mut was_between = false;
        let result = loop {
            let served = poll_fn(|cx| match connection.as_mut().poll(cx) {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                Poll::Pending if !shared.lock().is_between() => {
                    was_between = false;
                    Poll::Pending
                }
                // All that was asked is answered, and the answer is taken. Hyper may have given way in the middle:
                // twice it does not.
                Poll::Pending if was_between => Poll::Ready(None),
                Poll::Pending => {
                    was_between = true;
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            });
            tokio::select! {
                served = served => break served,
                () = draining(stage), if !closing => {}
                () = line.shed.notified(), if !closing => {}
            }
            closing = true;
            connection.as_mut().graceful_shutdown();
        };
        match result {
            None => {}
            Some(Ok(())) => return line.take_upgrade(),
            Some(Err(error)) => {
                debug!(addr = %peer.addr, %error, "Connection ended");
                return line.take_upgrade();
            }
        }
    }
    // Hyper, which would do this, is not there.
    let _ = poll_fn(|cx| Pin::new(&mut *shared.lock()).poll_shutdown(cx)).await;
    None
}

async fn serve_http2<S: Service, T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    guard: Guard<T>,
    peer: Peer,
    context: &Arc<Context<S>>,
    line: &Arc<Line>,
    stage: &mut watch::Receiver<Stage>,
) {
    let service = {
        let (context, line) = (Arc::clone(context), Arc::clone(line));
        service_fn(move |request| {
            let (context, line) = (Arc::clone(&context), Arc::clone(&line));
            async move { Ok::<_, Infallible>(answer(request, peer, &context, &line).await) }
        })
    };
    let connection = context.http2.serve_connection(TokioIo::new(guard), service);
    let mut connection = pin!(connection);
    let mut closing = false;
    let result = loop {
        tokio::select! {
            result = connection.as_mut() => break result,
            () = draining(stage), if !closing => {}
            () = line.shed.notified(), if !closing => {}
            () = idle_too_long(line, context.limits.idle_time_out), if !closing => {}
        }
        closing = true;
        connection.as_mut().graceful_shutdown();
    };
    if let Err(error) = result {
        debug!(addr = %peer.addr, %error, "Connection ended");
    }
}

async fn idle_too_long(line: &Line, time_out: Duration) {
    loop {
        match line.idle_since() {
            Some(since) if since.elapsed() >= time_out => return,
            Some(since) => tokio::time::sleep_until(since + time_out).await,
            None => tokio::time::sleep(time_out).await,
        }
    }
}

/// Answers one request: what concerns the listener first, then the service.
async fn answer<S: Service>(
    mut request: Request<Incoming>,
    peer: Peer,
    context: &Context<S>,
    line: &Arc<Line>,
) -> Response<Body> {
    let (in_flight, refusal) = line.start();
    if let Some(refusal) = refusal {
        debug!(addr = %peer.addr, status = refusal.status.as_u16(), why = refusal.why, "Refused a request");
        return closing(say(refusal.status, refusal.why)).map(|body| body.holding(in_flight));
    }
    let http1 = request.version() <= Version::HTTP_11;
    if http1 && !peer.tls && context.tls.is_some() && request.body().is_end_stream() && wants_tls(request.headers()) {
        let head = head_without_upgrade(&request);
        line.put_upgrade(Upgrade { on_upgrade: hyper::upgrade::on(&mut request), head });
        let mut response = Response::new(Body::empty().holding(in_flight));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("TLS/1.2, HTTP/1.1"));
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        return response;
    }
    let (parts, body) = request.into_parts();
    let mut ends = parts.version != Version::HTTP_11 || says_close(&parts.headers);
    let checked = if parts.headers.len() > context.limits.headers_max {
        // HTTP/2 bounds octets only; for HTTP/1 the guard has counted.
        Err((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "there are too many header fields"))
    } else {
        context.hosts.check(&parts)
    };
    if let Err((status, why)) = checked {
        debug!(addr = %peer.addr, status = status.as_u16(), why, "Refused a request");
        let response = say(status, why);
        let response = if http1 { closing(response) } else { response };
        return response.map(|body| body.holding(in_flight));
    }
    if parts.method == Method::OPTIONS && parts.uri.path() == "*" {
        // About the server as a whole (RFC 9110 section 9.3.7); libcups asks it to start TLS.
        return Response::new(Body::empty().holding(in_flight));
    }
    let path = parts.uri.path().to_owned();
    let called = AssertUnwindSafe(context.service.call(Request::from_parts(parts, body), peer)).catch_unwind();
    let mut response = called.await.unwrap_or_else(|_| {
        error!(path, "A handler panicked");
        say(StatusCode::INTERNAL_SERVER_ERROR, "something broke here; the server's log tells more")
    });
    if http1 && in_flight.is_body_open() {
        // The rest of the request's body is not wanted: no next request can follow it.
        response = closing(response);
    }
    ends |= says_close(response.headers());
    if !ends {
        line.goes_on();
    }
    response.map(|body| body.holding(in_flight))
}

/// Whether a side says that this was the last request of the connection (RFC 9112 section 9.6).
fn says_close(headers: &HeaderMap) -> bool {
    let words = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    words.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case("close"))
}

fn say(status: StatusCode, why: &str) -> Response<Body> {
    let mut response = Response::new(Body::full(format!("{why}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn closing(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Whether a request asks to change to TLS (RFC 2817 section 3.1).
fn wants_tls(headers: &HeaderMap) -> bool {
    let has = |name, wanted: fn(&str) -> bool| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|word| wanted(word.trim()))
    };
    has(header::CONNECTION, |word| word.eq_ignore_ascii_case("upgrade"))
        && has(header::UPGRADE, |word| word.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("TLS/")))
}

/// The head of a request without a body, to be read again inside TLS.
fn head_without_upgrade(request: &Request<Incoming>) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri()).into_bytes();
    for (name, value) in request.headers() {
        if [header::CONNECTION, header::UPGRADE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(name) {
            continue;
        }
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// A stream of which some octets were read before.
struct Early {
    early: BytesMut,
    stream: TcpStream,
}

impl AsyncRead for Early {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, out);
        }
        let octets = self.early.len().min(out.remaining());
        out.put_slice(&self.early[..octets]);
        self.early.advance(octets);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Early {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
