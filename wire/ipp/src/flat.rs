//! A borrowed, flat view of a message: one entry per element of the wire, nothing copied.
//!
//! For those who look at a few attributes of a large message, or pass it on.

use alloc::vec::Vec;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::limits::Limits;
use crate::message::Version;
use crate::scan::{Element, Head, Scanner};
use crate::tag::{GroupTag, ValueTag};
use crate::value::Value;

/// A message whose values still lie in the buffer it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flat<'a> {
    /// The version that the sender speaks.
    pub version: Version,
    /// The operation-id of a request, the status-code of a response.
    pub code: u16,
    /// Chosen by the client; the response repeats it.
    pub request_id: u32,
    /// Octets up to and including the end-of-attributes tag.
    pub header_octets: usize,
    /// The elements in the order of the wire, without group tags.
    pub entries: Vec<Entry<'a>>,
    /// The tags of the groups in the order of the wire; a group may be empty.
    pub groups: Vec<GroupTag>,
}

/// One element: a value, or the beginning, a member name or the end of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The attribute's name; empty for its further values and for everything inside of a collection.
    pub name: &'a str,
    /// The octets of the value; for `memberAttrName` the member's name.
    pub octets: &'a [u8],
    /// The group, counted from 0 in the order of the wire.
    pub group: u32,
    /// Collections around the element.
    pub depth: u8,
    /// What the element is.
    pub tag: ValueTag,
}

impl<'a> Flat<'a> {
    /// Reads a message from the beginning of `octets`, with the same checks as [`crate::decode`].
    ///
    /// # Errors
    /// If it is not a message, not a whole one, or exceeds a limit.
    pub fn decode(octets: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let mut scanner = Scanner::new(limits);
        let mut entries = Vec::new();
        let mut groups = Vec::new();
        loop {
            match scanner.next(octets)? {
                None => return Err(scanner.error(octets, DecodeErrorKind::Truncated)),
                Some(Element::End) => break,
                Some(Element::Group(tag)) => groups.push(tag),
                Some(Element::Value(raw)) => entries.push(Entry {
                    name: raw.name,
                    octets: raw.octets,
                    group: groups.len().saturating_sub(1) as u32,
                    depth: raw.depth as u8,
                    tag: raw.tag,
                }),
            }
        }
        let Some(Head { version, code, request_id }) = scanner.head() else {
            return Err(scanner.error(octets, DecodeErrorKind::Truncated));
        };
        Ok(Self { version, code, request_id, header_octets: scanner.at(), entries, groups })
    }

    /// The entries of the first attribute of this name in a group of this tag: its values and all inside them.
    #[must_use]
    pub fn get(&self, group: GroupTag, name: &str) -> Option<&[Entry<'a>]> {
        let begin = self.entries.iter().position(|entry| {
            entry.name == name && self.groups.get(entry.group as usize) == Some(&group) && !name.is_empty()
        })?;
        let rest = &self.entries[begin..];
        let of_group = rest[0].group;
        let further = rest[1..].iter().take_while(|entry| entry.name.is_empty() && entry.group == of_group);
        let length = 1 + further.count();
        Some(&rest[..length])
    }

    /// The first value of an attribute, read; `None` for a collection.
    #[must_use]
    pub fn value(&self, group: GroupTag, name: &str) -> Option<Value> {
        self.get(group, name)?.first()?.value()
    }
}

impl Entry<'_> {
    /// The value; `None` where the element is part of a collection's structure.
    #[must_use]
    pub fn value(&self) -> Option<Value> {
        (!self.tag.is_structural()).then(|| Value::from_wire(self.tag, self.octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Collection, Message, Operation};

    #[test]
    fn finds_an_attribute_with_all_its_entries() {
        let size = Collection::new().with("x-dimension", 21_000).with("y-dimension", 29_700);
        let message = Message::request(Operation::PrintJob, 3, "ipp://h/")
            .job("copies", 2)
            .job("media-col", Collection::new().with("media-size", size))
            .job("sides", Value::keyword("one-sided"))
            .operation("copies", 9);
        let octets = message.encode();
        let flat = Flat::decode(&octets, &Limits::default()).unwrap();
        assert_eq!((flat.code, flat.request_id, flat.header_octets), (2, 3, octets.len()));
        assert_eq!(flat.value(GroupTag::Job, "copies"), Some(Value::Integer(2)));
        let media_col = flat.get(GroupTag::Job, "media-col").unwrap();
        assert_eq!(media_col.len(), 9);
        assert_eq!(media_col[3].octets, b"x-dimension");
        assert_eq!((media_col[0].depth, media_col[3].depth, media_col[8].depth), (0, 2, 0));
        assert_eq!(flat.value(GroupTag::Job, "media-col"), None);
        assert_eq!(flat.get(GroupTag::Printer, "copies"), None);
    }
}
