//! Why a document is not printed.

use serde::{Deserialize, Serialize};

/// The reason in one word, for callers that choose or translate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RefusalKind {
    /// It can only be opened with a password, or with a method that we do not know.
    Encrypted,
    /// It is damaged or is not what it says it is.
    Broken,
    /// There is nothing in it: no octets, or no page.
    Empty,
    /// It has more pages than the limit.
    TooManyPages,
    /// The pages asked for are not in it.
    NoSuchPage,
    /// A page is smaller or larger than the limits, or its raster would be.
    PageTooLarge,
    /// A picture has more pixels than the limit.
    ImageTooLarge,
    /// We cannot print this type.
    UnknownType,
    /// The input or what it unpacks to is larger than the limit.
    TooLarge,
    /// It needs more memory than the limit.
    TooMuchMemory,
    /// It needs more CPU or wall time than the limit.
    TooMuchTime,
    /// The renderer failed on it.
    RendererFailed,
}

/// A document was refused: the kind, and a sentence in English that a sender can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// The reason in one word.
    pub kind: RefusalKind,
    /// What is wrong and what helps, one or two sentences, without the document's name.
    pub text: String,
}

impl Refusal {
    /// Puts a reason and its sentence together.
    pub fn new(kind: RefusalKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}
