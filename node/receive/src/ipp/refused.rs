//! Why a request is not done, with what its sender can do about it.

use tracing::{error, warn};
use tympan_engine::Refusal;
use tympan_http::BodyError;
use tympan_ipp::{Attribute, GroupTag, Message, StatusCode};
use tympan_spooler::SpoolerError;
use tympan_store::StoreError;

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    text: String,
    unsupported: Vec<Attribute>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), unsupported: Vec::new() }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::ClientErrorBadRequest, text)
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::ClientErrorNotFound, "There is no such job here.")
    }

    /// A value that is not supported.
    pub(super) fn value(attribute: Attribute) -> Self {
        let text = format!("\"{}\" has a value that is not supported here.", attribute.name);
        Self::new(StatusCode::ClientErrorAttributesOrValuesNotSupported, text).with_unsupported(vec![attribute])
    }

    /// With the attributes that are to blame.
    pub(super) fn with_unsupported(mut self, unsupported: Vec<Attribute>) -> Self {
        self.unsupported = unsupported;
        self
    }

    /// The store did not do what it was asked.
    pub(super) fn store(error: &SpoolerError, doing: &'static str) -> Self {
        match error {
            SpoolerError::Full | SpoolerError::Store(StoreError::Full) => {
                warn!(doing, "The disk is full");
                Self::new(StatusCode::ServerErrorTemporaryError, "The disk is full here; please try again later.")
            }
            SpoolerError::Refused(refusal @ Refusal::QueueFull) => {
                Self::new(StatusCode::ServerErrorBusy, format!("Not printed: {refusal}."))
            }
            SpoolerError::Refused(refusal) => {
                Self::new(StatusCode::ClientErrorNotPossible, format!("Not done: {refusal}."))
            }
            SpoolerError::NotFound(_) => Self::not_found(),
            other => {
                error!(error = %other, doing, "The store failed");
                let text = "Something broke here and nothing was stored; please try again later.";
                Self::new(StatusCode::ServerErrorInternalError, text)
            }
        }
    }

    /// The answer.
    pub(super) fn response(self, request: &Message) -> Message {
        let mut response = Message::response(self.status, request).status_message(self.text);
        for attribute in self.unsupported {
            response.push(GroupTag::Unsupported, attribute.name, attribute.values);
        }
        response
    }
}

impl From<BodyError> for Refused {
    fn from(error: BodyError) -> Self {
        let status = match error {
            BodyError::TooLarge { .. } => StatusCode::ClientErrorRequestEntityTooLarge,
            _ => StatusCode::ClientErrorTimeout,
        };
        Self::new(status, format!("Not printed: {error}."))
    }
}
