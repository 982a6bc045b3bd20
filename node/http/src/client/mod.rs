//! One request to a printer or another server over HTTP/1.1, on a connection of its own.
//!
//! Written by hand and not on a general client, because a spooler must know things that those hide:
//! how many octets of the body may have arrived when something breaks, and what a printer said
//! when it refused a document half-way through it.

mod answer;
mod error;
mod exchange;
mod request;
mod target;
mod verify;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::Instant,
};
use tokio_rustls::TlsConnector;

pub use answer::{Answer, AnswerBody, Upload};
pub use error::ClientError;
pub use request::ClientRequest;
pub use target::{Target, TargetError};
pub use verify::Verify;

use crate::Fingerprint;

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Time to find the name's addresses, connect and shake hands. Default 5 s.
    pub connect_time_out: Duration,
    /// Time from the last octet of the request to the first of the answer. Default 30 s.
    pub answer_time_out: Duration,
    /// How long the printer may take no octet of the request, or pause within the answer. Default
    /// 300 s, because printers stop reading while they print.
    pub stall_time_out: Duration,
    /// Time for all of it, the reading of the answer included. Default none.
    pub whole_time_out: Option<Duration>,
    /// Octets of the answer's body. Default 1 MiB.
    pub answer_octets_max: u64,
    /// Whose certificate is believed. Default [`Verify::WebPki`].
    pub verify: Verify,
    /// The User-Agent. Default "tympan".
    pub user_agent: String,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            connect_time_out: Duration::from_secs(5),
            answer_time_out: Duration::from_secs(30),
            stall_time_out: Duration::from_secs(300),
            whole_time_out: None,
            answer_octets_max: 1024 * 1024,
            verify: Verify::WebPki,
            user_agent: "tympan".into(),
        }
    }
}

/// Sends requests. Cheap to clone; keeps no connections.
#[derive(Debug, Clone)]
pub struct Client {
    options: Arc<ClientOptions>,
    tls: Arc<rustls::ClientConfig>,
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that is ready for a request.
struct Connected {
    stream: Box<dyn Stream>,
    remote: SocketAddr,
    certificate: Option<Fingerprint>,
}

impl Client {
    /// Makes a client.
    #[must_use]
    pub fn new(options: ClientOptions) -> Self {
        let tls = verify::config(&options.verify);
        Self { options: Arc::new(options), tls }
    }

    /// How this client behaves.
    #[must_use]
    pub fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// Sends one request and gives the head of its answer; the body is read from [`Answer::body`].
    ///
    /// Dropping the future, or the answer, closes the connection.
    pub async fn request(&self, request: ClientRequest) -> Result<Answer, ClientError> {
        let deadline = self.options.whole_time_out.map(|time| Instant::now() + time);
        let connected = self.connect(request.target(), deadline).await?;
        // Keeps to the deadline itself, because only it knows how much was sent by then.
        exchange::run(connected, request, &self.options, deadline).await
    }

    async fn connect(&self, target: &Target, deadline: Option<Instant>) -> Result<Connected, ClientError> {
        let began = Instant::now();
        let until = began + self.options.connect_time_out;
        let until = deadline.map_or(until, |deadline| deadline.min(until));
        match tokio::time::timeout_at(until, self.connect_now(target)).await {
            Ok(result) => result,
            Err(_) => Err(ClientError::ConnectTimeOut { after: until - began }),
        }
    }

    async fn connect_now(&self, target: &Target) -> Result<Connected, ClientError> {
        let host = target.host();
        let addrs: Vec<SocketAddr> = tokio::net::lookup_host((host, target.port()))
            .await
            .map_err(|cause| ClientError::Resolve { host: host.into(), cause: Some(cause) })?
            .collect();
        let (stream, remote) = self.connect_any(host, &addrs).await?;
        // Small requests must not wait for a full packet.
        stream.set_nodelay(true).map_err(|cause| ClientError::Connect { addr: remote, cause })?;
        if !target.is_tls() {
            return Ok(Connected { stream: Box::new(stream), remote, certificate: None });
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| ClientError::Resolve { host: host.into(), cause: None })?;
        let stream = TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await
            .map_err(|cause| ClientError::Tls { addr: remote, cause })?;
        let certificate = stream
            .get_ref()
            .1
            .peer_certificates()
            .and_then(<[_]>::first)
            .map(|certificate| Fingerprint::of_certificate(certificate));
        if let (Verify::Pinned(expected), Some(found)) = (&self.options.verify, certificate)
            && *expected != found
        {
            return Err(ClientError::OtherCertificate { expected: *expected, found });
        }
        Ok(Connected { stream: Box::new(stream), remote, certificate })
    }

    /// Tries the addresses one after another; each but the last has its share of the time.
    async fn connect_any(&self, host: &str, addrs: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), ClientError> {
        let mut last = ClientError::Resolve { host: host.into(), cause: None };
        for (index, addr) in addrs.iter().enumerate() {
            let share = if index + 1 == addrs.len() {
                self.options.connect_time_out
            } else {
                self.options.connect_time_out / 3
            };
            last = match tokio::time::timeout(share, TcpStream::connect(addr)).await {
                Ok(Ok(stream)) => return Ok((stream, *addr)),
                Ok(Err(cause)) if cause.kind() == std::io::ErrorKind::ConnectionRefused => {
                    ClientError::Refused { addr: *addr }
                }
                Ok(Err(cause)) => ClientError::Connect { addr: *addr, cause },
                Err(_) => ClientError::ConnectTimeOut { after: share },
            };
        }
        Err(last)
    }
}
