//! IPP/2.x messages: bytes to values and back (RFC 8010, RFC 8011, PWG 5100 series).
//!
//! What this crate is: a lossless, ordered codec with limits, the vocabulary of the IANA registry, and
//! media names (PWG 5101.1). What it is not: it opens no socket, reads no clock and decides nothing about
//! printers or jobs.
//!
//! ```
//! use tympan_ipp::{decode, GroupTag, Limits, Message, Operation, StatusCode, Value};
//!
//! let request = Message::request(Operation::GetPrinterAttributes, 1, "ipp://host/ipp/print")
//!     .operation("requested-attributes", Value::keywords(["printer-state", "media-ready"]));
//! let octets = request.encode();
//! let decoded = decode(&octets, &Limits::default()).unwrap();
//! assert_eq!(decoded.message, request);
//!
//! let answer = Message::response(StatusCode::SuccessfulOk, &request)
//!     .with(GroupTag::Printer, "printer-state", Value::Enum(3));
//! assert_eq!(answer.get(GroupTag::Printer, "printer-state").and_then(|a| a.enum_()), Some(3));
//! ```

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod attribute;
mod codes;
mod datetime;
mod decode;
mod encode;
mod error;
mod flat;
mod limits;
pub mod media;
mod message;
mod operation;
mod reason;
pub mod registry;
mod request;
mod requested;
mod scan;
mod state;
mod status_code;
mod tag;
mod text;
mod value;

pub use attribute::{Attribute, Collection, Values};
pub use datetime::DateTime;
pub use decode::{Decoded, decode};
pub use error::{DecodeError, DecodeErrorKind};
pub use flat::{Entry, Flat};
pub use limits::Limits;
pub use message::{Group, Message, Version};
pub use operation::Operation;
pub use reason::{PrinterStateReason, Severity};
pub use request::{RequestFault, Target};
pub use requested::RequestedAttributes;
pub use scan::{HeaderScan, header_end};
pub use state::{DocumentState, JobState, PrinterState};
pub use status_code::StatusCode;
pub use tag::{GroupTag, ValueTag};
pub use value::{LanguageString, Opaque, RangeOfInteger, Resolution, ResolutionUnits, Value};
