//! A request to be sent.

use std::{fmt, time::Duration};

use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::Target;
use crate::Body;

/// One request: where, how, what, and who is told how far it came.
pub struct ClientRequest {
    pub(super) target: Target,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) expect_continue: Option<Duration>,
    pub(super) progress: Option<Box<dyn FnMut(u64) + Send>>,
}

impl fmt::Debug for ClientRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRequest")
            .field("method", &self.method)
            .field("target", &self.target)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl ClientRequest {
    /// A request without a body.
    #[must_use]
    pub fn new(method: Method, target: &Target) -> Self {
        Self {
            target: target.clone(),
            method,
            headers: HeaderMap::new(),
            body: Body::empty(),
            expect_continue: None,
            progress: None,
        }
    }

    /// A GET.
    #[must_use]
    pub fn get(target: &Target) -> Self {
        Self::new(Method::GET, target)
    }

    /// A POST of a body of this media type, such as `application/ipp`. Its length is announced if it
    /// is known, else it goes in chunks.
    #[must_use]
    pub fn post(target: &Target, media_type: &'static str, body: impl Into<Body>) -> Self {
        Self::new(Method::POST, target).header(header::CONTENT_TYPE, HeaderValue::from_static(media_type)).body(body)
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a header field. Host, Content-Length, Transfer-Encoding, Connection and Expect are the
    /// client's own and are put in whatever is set here.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Proves who we are with a bearer token (RFC 6750). A token that cannot stand in a header field
    /// is left out, and the answer will be 401.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.authorization(format!("Bearer {token}"))
    }

    /// Proves who we are with a name and password (RFC 7617). To be used over TLS.
    #[must_use]
    pub fn basic(self, name: &str, password: &str) -> Self {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
        self.authorization(format!("Basic {pair}"))
    }

    fn authorization(mut self, value: String) -> Self {
        if let Ok(mut value) = HeaderValue::from_maybe_shared(Bytes::from(value)) {
            value.set_sensitive(true);
            self.headers.insert(header::AUTHORIZATION, value);
        }
        self
    }

    /// Sends only the head at first and waits so long for `100 Continue`, or for a refusal (RFC 9110
    /// section 10.1.1); then sends the body all the same.
    #[must_use]
    pub const fn expect_continue(mut self, wait: Duration) -> Self {
        self.expect_continue = Some(wait);
        self
    }

    /// Is called with the octets of the body given to the network so far, each time some more are.
    #[must_use]
    pub fn progress(mut self, progress: impl FnMut(u64) + Send + 'static) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Where the request goes.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }
}
