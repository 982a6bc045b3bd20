//! HTTP listener and client: plain, TLS and upgrade on one port, routes with a declared policy.
//!
//! Knows nothing of printing, jobs or people. [`Server`] takes connections and hands requests to a
//! [`Service`]; [`Router`] is a service in which no route exists without a policy; [`Client`] sends
//! one request to a printer and says how much of it may have arrived. rustls is always used with
//! the ring provider given by hand, never with a process-wide default.

mod assets;
mod body;
mod chunked;
mod client;
pub mod cookie;
mod event_stream;
mod form;
mod multipart;
mod path;
mod read_body;
pub mod respond;
mod router;
pub mod security;
mod server;
mod tls;

pub use assets::{Asset, Assets};
pub use body::{Body, BodySender, Disconnected};
pub use client::{
    Answer, AnswerBody, Client, ClientError, ClientOptions, ClientRequest, Target, TargetError, Upload, Verify,
};
pub use event_stream::{Event, EventSender, event_stream};
pub use form::Form;
pub use multipart::{Multipart, Part};
pub use read_body::{BodyError, BodyLimits, BodyReader};
pub use respond::Reply;
pub use router::{Authorize, Call, Params, Route, Router};
pub use server::{Hosts, Limits, Peer, ServeOptions, Server, Service};
pub use tls::{Fingerprint, FingerprintError, TlsError, TlsMaterial, certificates_in};

pub use bytes::Bytes;
pub use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header, request::Parts,
};
pub use hyper::body::Incoming;
