//! One listener: HTTP/1.1, HTTP/2 (by ALPN), TLS from the first octet and TLS by Upgrade (RFC 2817)
//! on one port.
//!
//! The first octet decides: 0x16 is a TLS ClientHello, anything else is HTTP. Every HTTP/1 head
//! passes the [`guard`], which refuses what two parsers could read in two ways, before hyper sees it.

mod accept;
mod caps;
mod connection;
mod guard;
mod head;
mod hosts;
mod line;
mod linger;
mod shared;

use std::{future::Future, net::SocketAddr, time::Duration};

use http::{Request, Response};
use hyper::body::Incoming;

pub use accept::Server;
pub use hosts::Hosts;

use crate::{Body, TlsMaterial};

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The client's address and port; an IPv4 address is never shown as mapped into IPv6.
    pub addr: SocketAddr,
    /// Our address and port that it reached.
    pub local: SocketAddr,
    /// Whether the request came inside TLS.
    pub tls: bool,
}

/// Answers requests. Implemented for every fitting function and for [`Router`](crate::Router).
pub trait Service: Send + Sync + 'static {
    /// Answers one request.
    fn call(&self, request: Request<Incoming>, peer: Peer) -> impl Future<Output = Response<Body>> + Send;
}

impl<F, Fut> Service for F
where
    F: Fn(Request<Incoming>, Peer) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Response<Body>> + Send,
{
    fn call(&self, request: Request<Incoming>, peer: Peer) -> impl Future<Output = Response<Body>> + Send {
        self(request, peer)
    }
}

/// Bounds of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; one more gets 503. Default 10,000.
    pub connections_max: usize,
    /// Connections at a time from one IPv4 address or IPv6 /64; one more gets 503. Default 50.
    pub connections_per_source_max: usize,
    /// Time for the first octet, the TLS handshake, and one request head. Default 10 s.
    pub header_time_out: Duration,
    /// Octets of a request head, request line included. Default 32 KiB.
    pub header_octets_max: usize,
    /// Header fields of a request. Default 100.
    pub headers_max: usize,
    /// How long a connection may stand idle between requests. Default 60 s.
    pub idle_time_out: Duration,
    /// How long the next octets of a request's body, or room for the next octets of an answer, may
    /// take. Default 60 s.
    pub stall_time_out: Duration,
    /// How long octets of a refused request are still read and dropped, so that the client sees the
    /// refusal instead of a reset. Default 5 s.
    pub linger: Duration,
    /// HTTP/2 streams at a time per connection. Default 100.
    pub streams_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            connections_per_source_max: 50,
            header_time_out: Duration::from_secs(10),
            header_octets_max: 32 * 1024,
            headers_max: 100,
            idle_time_out: Duration::from_secs(60),
            stall_time_out: Duration::from_secs(60),
            linger: Duration::from_secs(5),
            streams_max: 100,
        }
    }
}

/// How a listener serves.
#[derive(Debug, Clone, Default)]
pub struct ServeOptions {
    /// Certificate and key; without them TLS is refused.
    pub tls: Option<TlsMaterial>,
    /// Bounds.
    pub limits: Limits,
    /// Host names that requests may name. Default: any.
    pub hosts: Hosts,
    /// How long requests in flight may go on after the shutdown. Default 0: cut at once.
    pub grace: Duration,
}
