//! Why octets are not a message, with what is needed to answer all the same.

use core::fmt;

use crate::message::{Message, Version};
use crate::status_code::StatusCode;

/// Octets that are not a message that we accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Where, in octets from the beginning.
    pub offset: usize,
    /// The version, if that much was there.
    pub version: Option<Version>,
    /// The operation-id or status-code, if that much was there.
    pub code: Option<u16>,
    /// The request-id to repeat; 0 if the message ended before it.
    pub request_id: u32,
}

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeErrorKind {
    /// It ends before the end-of-attributes tag.
    Truncated,
    /// Its major version is neither 1 nor 2.
    VersionNotSupported,
    /// A length is negative: the lengths are signed (RFC 8010 section 3.2).
    NegativeLength,
    /// A value stands before the first group tag.
    OutsideGroup,
    /// A value without a name follows a group tag, so it belongs to nothing.
    NameMissing,
    /// A name is not UTF-8.
    NameNotText,
    /// A name is longer than [`crate::Limits::name_octets`].
    NameTooLong,
    /// A value is longer than [`crate::Limits::value_octets`].
    ValueTooLong,
    /// A collection is not built as RFC 8010 section 3.1.6 says.
    BrokenCollection,
    /// More than [`crate::Limits::depth`] collections inside each other.
    TooDeep,
    /// More than [`crate::Limits::octets`].
    TooManyOctets,
    /// More than [`crate::Limits::groups`].
    TooManyGroups,
    /// More than [`crate::Limits::attributes`].
    TooManyAttributes,
    /// More than [`crate::Limits::values`].
    TooManyValues,
}

impl DecodeError {
    /// The status to answer with.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self.kind {
            DecodeErrorKind::Truncated
            | DecodeErrorKind::NegativeLength
            | DecodeErrorKind::OutsideGroup
            | DecodeErrorKind::NameMissing
            | DecodeErrorKind::NameNotText
            | DecodeErrorKind::BrokenCollection
            | DecodeErrorKind::TooDeep => StatusCode::ClientErrorBadRequest,
            DecodeErrorKind::VersionNotSupported => StatusCode::ServerErrorVersionNotSupported,
            DecodeErrorKind::NameTooLong | DecodeErrorKind::ValueTooLong => StatusCode::ClientErrorRequestValueTooLong,
            DecodeErrorKind::TooManyOctets
            | DecodeErrorKind::TooManyGroups
            | DecodeErrorKind::TooManyAttributes
            | DecodeErrorKind::TooManyValues => StatusCode::ClientErrorRequestEntityTooLarge,
        }
    }

    /// The answer to a request that could not be read.
    #[must_use]
    pub fn response(&self) -> Message {
        Message::response_to(self.status(), self.version.unwrap_or(Version::V1_1), self.request_id)
            .status_message(alloc::format!("{self}"))
    }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Truncated => "message ends before its end-of-attributes tag",
            Self::VersionNotSupported => "version is not supported, use 2.0 or 1.1",
            Self::NegativeLength => "length is negative",
            Self::OutsideGroup => "value before the first group",
            Self::NameMissing => "value without an attribute name",
            Self::NameNotText => "attribute name is not UTF-8",
            Self::NameTooLong => "attribute name is too long",
            Self::ValueTooLong => "value is too long",
            Self::BrokenCollection => "collection is broken",
            Self::TooDeep => "collections are nested too deeply",
            Self::TooManyOctets => "message has too many octets",
            Self::TooManyGroups => "message has too many groups",
            Self::TooManyAttributes => "message has too many attributes",
            Self::TooManyValues => "message has too many values",
        })
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (octet {})", self.kind, self.offset)
    }
}

impl core::error::Error for DecodeError {}
