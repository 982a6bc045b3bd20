//! Answers in a few words: text, a page, JSON, a way elsewhere.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::{Body, BodyError, security};

/// What a handler may give: an answer, or either side of a `Result`, so that `?` works.
pub trait Reply: Send {
    /// The answer.
    fn reply(self) -> Response<Body>;
}

impl Reply for Response<Body> {
    fn reply(self) -> Response<Body> {
        self
    }
}

impl Reply for BodyError {
    fn reply(self) -> Response<Body> {
        self.to_response()
    }
}

impl<A: Reply, B: Reply> Reply for Result<A, B> {
    fn reply(self) -> Response<Body> {
        match self {
            Ok(answer) => answer.reply(),
            Err(answer) => answer.reply(),
        }
    }
}

/// An answer of any media type.
#[must_use]
pub fn bytes(status: StatusCode, media_type: &'static str, octets: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::full(octets));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Plain text in UTF-8.
#[must_use]
pub fn text(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    bytes(status, "text/plain; charset=utf-8", text.into())
}

/// A page, with the header fields of [`security::secure_page`].
#[must_use]
pub fn html(status: StatusCode, page: impl Into<String>) -> Response<Body> {
    let mut response = bytes(status, "text/html; charset=utf-8", page.into());
    security::secure_page(response.headers_mut());
    response
}

/// JSON, not to be stored. A value that cannot be written as JSON becomes 500.
#[must_use]
pub fn json(status: StatusCode, value: &impl serde::Serialize) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(octets) => with_header(
            bytes(status, "application/json", octets),
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ),
        Err(error) => {
            tracing::error!(%error, "Could not write an answer as JSON");
            text(StatusCode::INTERNAL_SERVER_ERROR, "something broke here; the server's log tells more\n")
        }
    }
}

/// Sends the browser to a page with GET (303). A place that cannot stand in a header becomes `/`.
#[must_use]
pub fn see_other(place: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, place);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 204.
#[must_use]
pub fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The answer with one more header field, in place of one of the same name.
#[must_use]
pub fn with_header(mut response: Response<Body>, name: HeaderName, value: HeaderValue) -> Response<Body> {
    response.headers_mut().insert(name, value);
    response
}
