//! Reading a request's body: with a limit on its octets, a time-out per piece and a least rate.

use std::{io, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::Instant;

use crate::Body;

/// Bounds on one request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// Octets of the whole body.
    pub octets_max: u64,
    /// How long the next piece may take. Default 30 s.
    pub idle_time_out: Duration,
    /// Octets per second that the body must reach once [`BodyLimits::grace`] is over. Default 1 KiB.
    ///
    /// Only the time spent waiting for the sender counts, so that a slow reader of ours (a full
    /// disk, a printer) is not held against it.
    pub octets_per_second_min: u64,
    /// How long a body may be slower than the least rate. Default 10 s.
    pub grace: Duration,
}

impl BodyLimits {
    /// Default times, and at most `octets_max` octets.
    #[must_use]
    pub const fn octets(octets_max: u64) -> Self {
        Self {
            octets_max,
            idle_time_out: Duration::from_secs(30),
            octets_per_second_min: 1024,
            grace: Duration::from_secs(10),
        }
    }
}

/// Why a request's body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is, or is announced as, longer than the limit.
    #[error("the body is larger than {octets_max} octets")]
    TooLarge {
        /// The limit.
        octets_max: u64,
    },
    /// Nothing came for too long, or too little.
    #[error("the body came too slowly: {octets} octets so far")]
    TooSlow {
        /// Octets that did come.
        octets: u64,
    },
    /// The sender went away in the middle, or broke the framing.
    #[error("the body ended too early, after {octets} octets")]
    Broken {
        /// Octets that did come.
        octets: u64,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The content is not of the form that is wanted here.
    #[error("the body is not valid {form}: {why}")]
    Malformed {
        /// What it should be: "JSON", "form data".
        form: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The Content-Type is another one.
    #[error("the body must be {wanted}")]
    WrongType {
        /// The media type wanted.
        wanted: &'static str,
    },
}

impl BodyError {
    /// The HTTP status that says so.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Broken { .. } | Self::Malformed { .. } => StatusCode::BAD_REQUEST,
            Self::WrongType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    /// An answer in plain text with [`BodyError::status`].
    #[must_use]
    pub fn to_response(&self) -> Response<Body> {
        let mut response = Response::new(Body::full(format!("{self}\n")));
        *response.status_mut() = self.status();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }
}

/// Reads a body piece by piece within its limits.
///
/// `100 Continue` goes to the client with the first [`BodyReader::chunk`] (RFC 9110 section
/// 10.1.1): answer before it to refuse a document before any of it is sent.
#[derive(Debug)]
pub struct BodyReader {
    body: Incoming,
    limits: BodyLimits,
    octets: u64,
    waited: Duration,
}

impl BodyReader {
    /// Starts reading; a Content-Length above the limit is refused by the first `chunk`.
    #[must_use]
    pub const fn new(body: Incoming, limits: BodyLimits) -> Self {
        Self { body, limits, octets: 0, waited: Duration::ZERO }
    }

    /// Octets read so far.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// The announced length, if there is one.
    #[must_use]
    pub fn announced_octets(&self) -> Option<u64> {
        self.body.size_hint().exact().map(|left| left + self.octets)
    }

    /// The next piece; `None` at the end. Safe to drop and call again.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        let octets_max = self.limits.octets_max;
        if self.octets.saturating_add(self.body.size_hint().lower()) > octets_max {
            return Err(BodyError::TooLarge { octets_max });
        }
        loop {
            let began = Instant::now();
            let next = tokio::time::timeout(self.limits.idle_time_out, self.body.frame()).await;
            self.waited += began.elapsed();
            let frame = match next {
                Err(_) => {
                    return Err(BodyError::TooSlow { octets: self.octets });
                }
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => {
                    let cause = io::Error::other(error);
                    return Err(BodyError::Broken { octets: self.octets, cause });
                }
                Ok(Some(Ok(frame))) => frame,
            };
            // Trailers carry nothing for us.
            let Ok(octets) = frame.into_data() else {
                continue;
            };
            self.octets += octets.len() as u64;
            if self.octets > octets_max {
                return Err(BodyError::TooLarge { octets_max });
            }
            if let Some(over) = self.waited.checked_sub(self.limits.grace) {
                let least = self.limits.octets_per_second_min as f64 * over.as_secs_f64();
                if (self.octets as f64) < least {
                    return Err(BodyError::TooSlow { octets: self.octets });
                }
            }
            if !octets.is_empty() {
                return Ok(Some(octets));
            }
        }
    }

    /// The whole body in memory.
    pub async fn collect(mut self) -> Result<Bytes, BodyError> {
        let Some(first) = self.chunk().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.chunk().await? else {
            return Ok(first);
        };
        let mut all = BytesMut::with_capacity(first.len() + second.len());
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(more) = self.chunk().await? {
            all.extend_from_slice(&more);
        }
        Ok(all.freeze())
    }

    /// Reads the body to its end and drops it; gives its length in octets.
    pub async fn discard(mut self) -> Result<u64, BodyError> {
        while self.chunk().await?.is_some() {}
        Ok(self.octets)
    }

    /// The whole body as JSON (Content-Type `application/json`, so that no foreign form can send it).
    pub async fn json<T: serde::de::DeserializeOwned>(self, headers: &HeaderMap) -> Result<T, BodyError> {
        if !has_media_type(headers, "application/json") {
            return Err(BodyError::WrongType { wanted: "application/json" });
        }
        let octets = self.collect().await?;
        serde_json::from_slice(&octets).map_err(|error| BodyError::Malformed { form: "JSON", why: error.to_string() })
    }
}

/// Whether Content-Type is `wanted`, parameters apart.
pub(crate) fn has_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(wanted))
}
