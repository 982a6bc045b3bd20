//! What comes out of a worker.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Colour, Format};

/// One piece of a worker's output. The order is checked before a caller sees it:
///
/// - split mail: `Mail`, then for each part `PartStart`, `Data`.., `PartEnd`;
/// - inspect: `Document`;
/// - to PDF: `PartStart`, `Data`.., `PartEnd`, `Document`;
/// - raster: `Pages`, then for each page `PageStart`, `Band`.., `PageEnd`, each row exactly once;
/// - preview: `PartStart`, `Data`.., `PartEnd`;
///
/// and a `Notice` anywhere outside a part or a page.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// The header of the mail.
    Mail(Box<MailFacts>),
    /// What the document is like.
    Document(DocumentFacts),
    /// Which pages follow, counted from 1, and how many the document has.
    Pages {
        /// Pages of the whole document.
        total: u32,
        /// First that follows.
        first: u32,
        /// Last that follows.
        last: u32,
    },
    /// A page begins.
    PageStart(PageHeader),
    /// Some rows of the page, whole ones, from top to bottom.
    Band {
        /// Number of the first row, from 0.
        first_row: u32,
        /// How many rows.
        rows: u32,
        /// `rows * bytes_per_line` octets.
        data: Bytes,
    },
    /// The page is complete.
    PageEnd {
        /// Its number in the document.
        page: u32,
    },
    /// A part of a mail, a PDF or a picture begins.
    PartStart(Box<PartHeader>),
    /// Octets of that part.
    Data(Bytes),
    /// The part is complete.
    PartEnd {
        /// How many octets came in [`Output::Data`].
        octets: u64,
    },
    /// Something that the sender should know, although it prints.
    Notice(Notice),
}

/// What a document is like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentFacts {
    /// What it is.
    pub format: Format,
    /// Its pages, in order.
    pub pages: Vec<PageFacts>,
}

impl DocumentFacts {
    /// Whether any page has colour; `None` where nobody looked.
    pub fn has_colour(&self) -> Option<bool> {
        self.pages.iter().map(|page| page.colour).try_fold(false, |any, colour| Some(any | colour?))
    }
}

/// What one page is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageFacts {
    /// Width as it is read, in hundredths of a millimetre.
    pub width: u32,
    /// Height as it is read, in hundredths of a millimetre.
    pub height: u32,
    /// Whether something on it is not black, white or gray; `None` where nobody looked.
    pub colour: Option<bool>,
}

/// The pixels of one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageHeader {
    /// Its number in the document, from 1.
    pub page: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Octets of one row.
    pub bytes_per_line: u32,
    /// What a pixel is.
    pub colour: Colour,
    /// Dots per inch across and along the feed.
    pub resolution: (u32, u32),
    /// Whether it lies on the back of a sheet.
    pub back: bool,
}

/// A part that comes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartHeader {
    /// Its place in the mail in order of printing, from 1.
    pub number: u32,
    /// How many mails it is nested in; 0 for the parts of the mail itself.
    pub depth: u32,
    /// What it is good for; only documents that can be printed come with data.
    pub role: PartRole,
    /// Its name, decoded, without path, control or direction characters, at most 120 characters.
    pub name: Option<String>,
    /// The media type that was declared, in lower case, without parameters.
    pub declared_type: String,
    /// What the content is. Text comes out as UTF-8.
    pub format: Format,
    /// How the sender wants it shown (RFC 2183).
    pub disposition: Disposition,
    /// Octets after decoding.
    pub octets: u64,
    /// For the body of a nested mail, that mail's header.
    pub mail: Option<Box<MailFacts>>,
}

/// What a part of a mail is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PartRole {
    /// The text of the mail, or of a nested mail.
    Body,
    /// A document.
    Attachment,
    /// A picture that the HTML body shows.
    ShownByBody,
    /// An S/MIME or PGP signature or key, or a file of their kind.
    Signature,
    /// A picture too small to be a document.
    Logo,
    /// An invitation or a delivery report's machine-readable half: data for programs.
    ForPrograms,
}

impl PartRole {
    /// Whether the sender may want it on paper.
    pub fn is_document(self) -> bool {
        matches!(self, Self::Body | Self::Attachment)
    }
}

/// "Content-Disposition" (RFC 2183).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// None was given.
    #[default]
    Unset,
    /// Shown with the text.
    Inline,
    /// A file of its own.
    Attachment,
}

/// The header of a mail as far as printing and answering need it. All texts are decoded, one line, without control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailFacts {
    /// Every address of every "From" field, in order; more than one field or address is for the caller to judge.
    pub from: Vec<MailAddress>,
    /// How many "From" fields there are.
    pub from_fields: u32,
    /// "Sender".
    pub sender: Vec<MailAddress>,
    /// "Reply-To".
    pub reply_to: Vec<MailAddress>,
    /// "To".
    pub to: Vec<MailAddress>,
    /// "Cc".
    pub cc: Vec<MailAddress>,
    /// "Subject".
    pub subject: Option<String>,
    /// "Message-ID" without angle brackets.
    pub message_id: Option<String>,
    /// "In-Reply-To" without angle brackets.
    pub in_reply_to: Vec<String>,
    /// "References" without angle brackets.
    pub references: Vec<String>,
    /// "Date" as RFC 3339.
    pub date: Option<String>,
    /// "Date" in seconds since 1970.
    pub date_unix_secs: Option<i64>,
    /// "Auto-Submitted" (RFC 3834) in lower case.
    pub auto_submitted: Option<String>,
    /// "Precedence" in lower case.
    pub precedence: Option<String>,
    /// Whether there is any "List-*" field (RFC 2369, RFC 2919).
    pub from_list: bool,
    /// "Return-Path" without angle brackets; empty for the null path.
    pub return_path: Option<String>,
    /// The media type of the whole, in lower case.
    pub content_type: String,
    /// Whether it is a `multipart/report` (RFC 6522).
    pub is_report: bool,
    /// Number of "Received" fields.
    pub received_fields: u32,
    /// Whether an application set "X-Auto-Response-Suppress" or "X-Loop".
    pub suppresses_replies: bool,
    /// Whether the whole is encrypted (S/MIME, PGP): nothing of it can be printed.
    pub is_encrypted: bool,
}

impl MailFacts {
    /// Whether a program wrote it, so that it must neither be printed nor answered (RFC 3834 section 2).
    pub fn is_automatic(&self) -> bool {
        self.auto_submitted.as_deref().is_some_and(|value| value != "no")
            || self.precedence.as_deref().is_some_and(|value| matches!(value, "bulk" | "junk" | "list"))
            || self.from_list
            || self.is_report
            || self.return_path.as_deref() == Some("")
    }
}

/// A mailbox (RFC 5322 section 3.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailAddress {
    /// The display name, decoded.
    pub name: Option<String>,
    /// The address as it was written.
    pub address: String,
}

/// Something that the sender should know, although it prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
#[non_exhaustive]
pub enum Notice {
    /// No face has these characters; their code points are printed instead.
    MissingCharacters {
        /// The first hundred of them, each once, in order of appearance.
        characters: String,
        /// How many different ones there are.
        different: u32,
    },
    /// A face that the document does not bring was replaced.
    FontReplaced {
        /// Its name.
        name: String,
        /// First page that uses it.
        page: u32,
    },
    /// Text on this page may be missing: its face is damaged or of an unknown kind.
    FontNotShown {
        /// The page, from 1.
        page: u32,
    },
    /// A picture on this page is damaged and left out.
    ImageNotShown {
        /// The page, from 1.
        page: u32,
    },
    /// An annotation on this page is left out.
    AnnotationNotShown {
        /// The page, from 1.
        page: u32,
    },
    /// Some octets are no characters in the declared character set; replacement characters are printed.
    TextDamaged {
        /// The character set that was used.
        charset: String,
    },
    /// Parts nested deeper than the limit are left out.
    PartsTooDeep {
        /// The limit.
        depth: u32,
    },
    /// More parts than the limit; the rest is left out.
    TooManyParts {
        /// The limit.
        parts: u32,
    },
    /// A part refers to something that is elsewhere (`message/partial`, `message/external-body`) and cannot be printed.
    PartElsewhere {
        /// Its declared media type.
        declared_type: String,
    },
    /// A part is encrypted and cannot be read.
    PartEncrypted {
        /// Its name, if it has one.
        name: Option<String>,
    },
    /// An encoding of a part is damaged; what could be read is used.
    PartDamaged {
        /// Its name, if it has one.
        name: Option<String>,
    },
}
