//! A listener on loopback and raw sockets to talk to it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of this")]

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};
use tympan_http::{
    Body, BodyLimits, BodyReader, Incoming, Peer, Request, Response, ServeOptions, Server, Service, StatusCode, Target,
};

/// No test waits longer for an event.
pub const CEILING: Duration = Duration::from_secs(60);

pub struct Running {
    pub addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    pub fn start(service: impl Service, options: ServeOptions) -> Self {
        let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let addr = server.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(server.serve(service, options, async {
            let _ = stopped.await;
        }));
        Self { addr, stop: Some(stop), task }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    pub fn target(&self, scheme: &str, path: &str) -> Target {
        Target::parse(&format!("{scheme}://{}{path}", self.addr)).unwrap()
    }

    pub fn begin_stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    pub async fn stopped(self) {
        within(self.task).await.unwrap();
    }
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(CEILING, future).await.expect("it did not happen in time")
}

/// Sends octets and reads until the other side closes.
pub async fn talk(running: &Running, octets: &[u8]) -> String {
    let mut stream = running.connect().await;
    stream.write_all(octets).await.unwrap();
    rest(&mut stream).await
}

/// All that comes until the end; a reset counts as the end.
pub async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    let _ = within(stream.read_to_end(&mut all)).await;
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until `end` has come.
pub async fn read_until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut all = Vec::new();
    while !all.ends_with(end.as_bytes()) {
        let mut octet = [0];
        let read = within(stream.read(&mut octet)).await.unwrap();
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&all));
        all.push(octet[0]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Says what it was sent: `METHOD path octets tls`.
pub async fn echo(request: Request<Incoming>, peer: Peer) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if parts.uri.path() == "/deny" {
        let mut response = Response::new(Body::from("no"));
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        return response;
    }
    match BodyReader::new(body, BodyLimits::octets(8 << 20)).collect().await {
        Ok(octets) => {
            Response::new(Body::from(format!("{} {} {} {}", parts.method, parts.uri, octets.len(), peer.tls)))
        }
        Err(error) => error.to_response(),
    }
}
