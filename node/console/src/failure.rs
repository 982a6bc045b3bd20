//! What did not work, as a status and a sentence.

use crate::policy::{Identity, is_api, texts};
use crate::routes::Console;
use crate::{pages, words};
use serde_json::json;
use tympan_engine::{Language, Millis};
use tympan_http::{Body, BodyError, HeaderValue, Parts, Response, StatusCode, header, respond};
use tympan_spooler::SpoolerError;

/// Why an answer is not what was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no such thing, or it is somebody else's.
    NotFound,
    /// The right is not enough.
    Forbidden,
    /// No credential, or one that is not in force.
    Unauthorized,
    /// Another site sent the form.
    Foreign,
    /// The form's token is old.
    Stale,
    /// The secret link is not in force (any more).
    LinkOver,
    /// Too many tries; how long to wait.
    TooMany(Millis),
    /// A value is not allowed, in words of the reader's language.
    Invalid(String),
    /// It cannot be done now, in words of the reader's language.
    Conflict(String),
    /// The body could not be read.
    Body(BodyError),
    /// The queue said no.
    Spooler(SpoolerError),
}

impl From<SpoolerError> for Failure {
    fn from(error: SpoolerError) -> Self {
        match error {
            SpoolerError::NotFound(_) => Self::NotFound,
            other => Self::Spooler(other),
        }
    }
}

impl From<tympan_store::StoreError> for Failure {
    fn from(error: tympan_store::StoreError) -> Self {
        SpoolerError::from(error).into()
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl Failure {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::LinkOver => StatusCode::NOT_FOUND,
            Self::Forbidden | Self::Foreign | Self::Stale => StatusCode::FORBIDDEN,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Body(error) => error.status(),
            Self::Spooler(error) => match error {
                SpoolerError::Refused(_) | SpoolerError::Exists(_) => StatusCode::CONFLICT,
                SpoolerError::NotFound(_) => StatusCode::NOT_FOUND,
                SpoolerError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
                SpoolerError::Full => StatusCode::INSUFFICIENT_STORAGE,
                SpoolerError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// What happened, and what helps (may be empty).
    pub(crate) fn say(&self, language: Language) -> (String, String) {
        let t = texts(language);
        let said = |what: &str, hint: &str| (what.to_owned(), hint.to_owned());
        match self {
            Self::NotFound => said(t.not_found, t.not_found_hint),
            Self::LinkOver => said(t.link_over, t.link_over_hint),
            Self::Forbidden => said(t.forbidden, t.forbidden_hint),
            Self::Unauthorized => said(t.unauthorized, t.unauthorized_hint),
            Self::Foreign => said(t.foreign, t.foreign_hint),
            Self::Stale => said(t.stale, t.stale_hint),
            Self::TooMany(wait) => (t.too_many.into(), t.fill(t.too_many_hint, &[&words::wait(*wait, language)])),
            Self::Invalid(text) | Self::Conflict(text) => (text.clone(), String::new()),
            Self::Body(error) => (t.bad_body.into(), error.to_string()),
            Self::Spooler(error) => match error {
                SpoolerError::Refused(refusal) => (words::refusal(*refusal, language).into(), String::new()),
                SpoolerError::NotFound(_) => said(t.not_found, t.not_found_hint),
                SpoolerError::Exists(what) => (t.fill(t.exists, &[what]), String::new()),
                SpoolerError::Invalid(text) => (text.clone(), String::new()),
                SpoolerError::Full => said(t.full, t.full_hint),
                SpoolerError::Store(_) => said(t.broken, t.broken_hint),
            },
        }
    }
}

impl Console {
    /// The answer that says so: JSON below `/api/`, else a page.
    pub(crate) fn refuse(&self, id: &Identity, parts: &Parts, failure: Failure) -> Response<Body> {
        if let Failure::Spooler(SpoolerError::Store(error)) = &failure {
            let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            tracing::error!(%error, cause, "Could not answer a page");
        }
        let status = failure.status();
        let (what, hint) = failure.say(id.language);
        let mut response = if is_api(parts) {
            let body = if hint.is_empty() { json!({ "error": what }) } else { json!({ "error": what, "hint": hint }) };
            respond::json(status, &body)
        } else {
            pages::message(self, id, parts, status, &what, &hint)
        };
        if let Failure::TooMany(wait) = failure {
            response.headers_mut().insert(header::RETRY_AFTER, (wait.div_ceil(1_000)).into());
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
