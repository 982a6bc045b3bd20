//! Octets to an owned message. Nesting is kept on a list, not on the stack.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::attribute::{Attribute, Collection};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::limits::Limits;
use crate::message::{Group, Message};
use crate::scan::{Element, Head, RawValue, Scanner};
use crate::tag::ValueTag;
use crate::value::Value;

/// A message and where it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The message.
    pub message: Message,
    /// Octets up to and including the end-of-attributes tag; document data begins here.
    pub header_octets: usize,
}

/// Reads a message from the beginning of `octets`; what follows its end-of-attributes tag is not looked at.
///
/// # Errors
/// If it is not a message, not a whole one, or exceeds a limit.
pub fn decode(octets: &[u8], limits: &Limits) -> Result<Decoded, DecodeError> {
    let mut scanner = Scanner::new(limits);
    let mut building = Building { groups: Vec::new(), open: Vec::new() };
    loop {
        match scanner.next(octets)? {
            None => return Err(scanner.error(octets, DecodeErrorKind::Truncated)),
            Some(Element::Group(tag)) => building.groups.push(Group::new(tag)),
            Some(Element::Value(raw)) => building.add(raw),
            Some(Element::End) => break,
        }
    }
    let Some(Head { version, code, request_id }) = scanner.head() else {
        return Err(scanner.error(octets, DecodeErrorKind::Truncated));
    };
    let message = Message { version, code, request_id, groups: building.groups };
    Ok(Decoded { message, header_octets: scanner.at() })
}

/// The groups so far and the collections that are not closed yet, outermost first.
struct Building {
    groups: Vec<Group>,
    open: Vec<Vec<Attribute>>,
}

impl Building {
    /// Adds what the scanner found; it has checked the structure, so nothing is dropped here.
    fn add(&mut self, raw: RawValue<'_>) {
        if !raw.name.is_empty() {
            self.begin_attribute(raw.name.to_owned());
        }
        match raw.tag {
            ValueTag::BegCollection => self.open.push(Vec::new()),
            ValueTag::MemberAttrName => self.begin_attribute(String::from_utf8_lossy(raw.octets).into_owned()),
            ValueTag::EndCollection => {
                let members = self.open.pop().unwrap_or_default();
                self.add_value(Value::Collection(Collection { members }));
            }
            tag => self.add_value(Value::from_wire(tag, raw.octets)),
        }
    }

    fn begin_attribute(&mut self, name: String) {
        if let Some(list) = self.list() {
            list.push(Attribute { name, values: Vec::with_capacity(1) });
        }
    }

    fn add_value(&mut self, value: Value) {
        if let Some(attribute) = self.list().and_then(|list| list.last_mut()) {
            attribute.values.push(value);
        }
    }

    fn list(&mut self) -> Option<&mut Vec<Attribute>> {
        match self.open.last_mut() {
            Some(members) => Some(members),
            None => self.groups.last_mut().map(|group| &mut group.attributes),
        }
    }
}
