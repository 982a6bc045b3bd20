//! Walks over a message without copying it: the one place that knows lengths, limits and structure.
//!
//! It stops between two elements whenever the buffer ends and goes on when more has come, so a slow sender
//! costs no second look at octets already seen.

use crate::error::{DecodeError, DecodeErrorKind as Kind};
use crate::limits::Limits;
use crate::message::Version;
use crate::tag::{GroupTag, ValueTag};

/// Octets of version, code and request-id.
pub(crate) const HEAD_OCTETS: usize = 8;

const LENGTH_MAX: usize = 32_767;

/// One element of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    /// A group begins.
    Group(GroupTag),
    /// A value, or a part of a collection.
    Value(RawValue<'a>),
    /// The end-of-attributes tag; what follows is document data.
    End,
}

/// A value as it stands on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawValue<'a> {
    /// Collections around it.
    pub(crate) depth: usize,
    /// Empty for a further value of the same attribute and inside collections.
    pub(crate) name: &'a str,
    /// Also begCollection, memberAttrName and endCollection.
    pub(crate) tag: ValueTag,
    /// The octets; for memberAttrName the member's name, checked to be UTF-8.
    pub(crate) octets: &'a [u8],
}

/// Version, code and request-id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) version: Version,
    pub(crate) code: u16,
    pub(crate) request_id: u32,
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    BeforeGroups,
    GroupBegun,
    AfterValue,
    CollectionBegun,
    MemberNamed,
    AfterMemberValue,
    Ended,
}

#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    limits: Limits,
    head: Option<Head>,
    at: usize,
    place: Place,
    depth: usize,
    groups: usize,
    attributes: usize,
    values: usize,
}

impl Scanner {
    pub(crate) fn new(limits: &Limits) -> Self {
        let limits = Limits { depth: limits.depth.min(Limits::DEPTH_MAX), ..*limits };
        let counts = (0, 0, 0);
        Self {
            limits,
            head: None,
            at: 0,
            place: Place::Start,
            depth: 0,
            groups: counts.0,
            attributes: counts.1,
            values: counts.2,
        }
    }

    /// Octets walked over so far.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) const fn head(&self) -> Option<Head> {
        self.head
    }

    /// The error of this kind, at this place, with what the buffer says about who asks.
    pub(crate) fn error(&self, buffer: &[u8], kind: Kind) -> DecodeError {
        let version = buffer.first_chunk::<2>().map(|two| Version { major: two[0], minor: two[1] });
        let code = buffer.get(2..4).map(|two| u16::from_be_bytes([two[0], two[1]]));
        let request_id = buffer.get(4..8).map_or(0, |four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]));
        DecodeError { kind, offset: self.at, version, code, request_id }
    }

    /// The next element, or `None` when the buffer must grow first.
    ///
    /// `buffer` always begins with the message's first octet.
    pub(crate) fn next<'a>(&mut self, buffer: &'a [u8]) -> Result<Option<Element<'a>>, DecodeError> {
        self.step(buffer).map_err(|kind| self.error(buffer, kind))
    }

    fn step<'a>(&mut self, buffer: &'a [u8]) -> Result<Option<Element<'a>>, Kind> {
        if self.place == Place::Start {
            let Some(head) = buffer.first_chunk::<HEAD_OCTETS>() else {
                return Ok(None);
            };
            self.read_head(*head)?;
        }
        if self.place == Place::Ended {
            return Ok(Some(Element::End));
        }
        let rest = &buffer[self.at..];
        let Some(&tag) = rest.first() else {
            return self.fits(1).map(|()| None);
        };
        self.fits(1)?;
        if tag < 0x10 {
            return self.read_delimiter(GroupTag(tag)).map(Some);
        }
        let Some(name_length) = length_at(rest, 1)? else {
            return self.fits(5).map(|()| None);
        };
        if name_length > self.limits.name_octets {
            return Err(Kind::NameTooLong);
        }
        let Some(value_length) = length_at(rest, 3 + name_length)? else {
            return self.fits(5 + name_length).map(|()| None);
        };
        if value_length > self.limits.value_octets {
            return Err(Kind::ValueTooLong);
        }
        let length = 5 + name_length + value_length;
        self.fits(length)?;
        let Some(octets) = rest.get(5 + name_length..length) else {
            return Ok(None);
        };
        let name = core::str::from_utf8(&rest[3..3 + name_length]).map_err(|_| Kind::NameNotText)?;
        let value = self.read_value(name, ValueTag(tag), octets)?;
        self.at += length;
        Ok(Some(Element::Value(value)))
    }

    fn read_head(&mut self, head: [u8; HEAD_OCTETS]) -> Result<(), Kind> {
        let [major, minor, code @ .., _, _, _, _] = head;
        let version = Version { major, minor };
        if !version.is_supported() {
            return Err(Kind::VersionNotSupported);
        }
        let request_id = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        self.fits(HEAD_OCTETS)?;
        self.head = Some(Head { version, code: u16::from_be_bytes(code), request_id });
        self.at = HEAD_OCTETS;
        self.place = Place::BeforeGroups;
        Ok(())
    }

    fn read_delimiter<'a>(&mut self, tag: GroupTag) -> Result<Element<'a>, Kind> {
        if self.depth > 0 {
            return Err(Kind::BrokenCollection);
        }
        self.at += 1;
        if tag == GroupTag::EndOfAttributes {
            self.place = Place::Ended;
            return Ok(Element::End);
        }
        self.groups = counted(self.groups, self.limits.groups, Kind::TooManyGroups)?;
        self.place = Place::GroupBegun;
        Ok(Element::Group(tag))
    }

    fn read_value<'a>(&mut self, name: &'a str, tag: ValueTag, octets: &'a [u8]) -> Result<RawValue<'a>, Kind> {
        let raw = RawValue { depth: self.depth, name, tag, octets };
        if self.depth > 0 {
            if !name.is_empty() {
                return Err(Kind::BrokenCollection);
            }
            return self.read_in_collection(raw);
        }
        match self.place {
            Place::BeforeGroups => return Err(Kind::OutsideGroup),
            Place::GroupBegun if name.is_empty() => return Err(Kind::NameMissing),
            _ => {}
        }
        if tag == ValueTag::EndCollection || tag == ValueTag::MemberAttrName {
            return Err(Kind::BrokenCollection);
        }
        if !name.is_empty() {
            self.attributes = counted(self.attributes, self.limits.attributes, Kind::TooManyAttributes)?;
        }
        self.place = Place::AfterValue;
        self.count_value(raw)?;
        Ok(raw)
    }

    fn read_in_collection<'a>(&mut self, mut raw: RawValue<'a>) -> Result<RawValue<'a>, Kind> {
        match (self.place, raw.tag) {
            (Place::CollectionBegun | Place::AfterMemberValue, ValueTag::MemberAttrName) => {
                if raw.octets.is_empty() {
                    return Err(Kind::BrokenCollection);
                }
                if raw.octets.len() > self.limits.name_octets {
                    return Err(Kind::NameTooLong);
                }
                if core::str::from_utf8(raw.octets).is_err() {
                    return Err(Kind::NameNotText);
                }
                self.place = Place::MemberNamed;
            }
            (Place::CollectionBegun | Place::AfterMemberValue, ValueTag::EndCollection) => {
                if !raw.octets.is_empty() {
                    return Err(Kind::BrokenCollection);
                }
                self.depth -= 1;
                raw.depth = self.depth;
                self.place = if self.depth > 0 { Place::AfterMemberValue } else { Place::AfterValue };
            }
            (_, ValueTag::MemberAttrName | ValueTag::EndCollection) | (Place::CollectionBegun, _) => {
                return Err(Kind::BrokenCollection);
            }
            _ => {
                self.place = Place::AfterMemberValue;
                self.count_value(raw)?;
            }
        }
        Ok(raw)
    }

    fn count_value(&mut self, raw: RawValue<'_>) -> Result<(), Kind> {
        self.values = counted(self.values, self.limits.values, Kind::TooManyValues)?;
        if raw.tag == ValueTag::BegCollection {
            if !raw.octets.is_empty() {
                return Err(Kind::BrokenCollection);
            }
            self.depth = counted(self.depth, self.limits.depth, Kind::TooDeep)?;
            self.place = Place::CollectionBegun;
        }
        Ok(())
    }

    const fn fits(&self, more: usize) -> Result<(), Kind> {
        if self.at + more > self.limits.octets { Err(Kind::TooManyOctets) } else { Ok(()) }
    }
}

const fn counted(count: usize, max: usize, kind: Kind) -> Result<usize, Kind> {
    if count >= max { Err(kind) } else { Ok(count + 1) }
}

fn length_at(rest: &[u8], at: usize) -> Result<Option<usize>, Kind> {
    let Some(two) = rest.get(at..at + 2) else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([two[0], two[1]]));
    if length > LENGTH_MAX { Err(Kind::NegativeLength) } else { Ok(Some(length)) }
}

/// Looks for the end of the attributes in a buffer that grows at its end.
#[derive(Debug, Clone)]
pub struct HeaderScan {
    scanner: Scanner,
}

impl HeaderScan {
    /// Begins a message.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { scanner: Scanner::new(limits) }
    }

    /// Octets up to and including the end-of-attributes tag; `None` while it has not come.
    ///
    /// `buffer` holds the message from its first octet. Only what was added since the last call is looked at.
    ///
    /// # Errors
    /// As soon as it is certain that the message cannot be accepted.
    pub fn scan(&mut self, buffer: &[u8]) -> Result<Option<usize>, DecodeError> {
        loop {
            match self.scanner.next(buffer)? {
                None => return Ok(None),
                Some(Element::End) => return Ok(Some(self.scanner.at())),
                Some(Element::Group(_) | Element::Value(_)) => {}
            }
        }
    }
}

/// Octets up to and including the end-of-attributes tag in a growing buffer; `None` when more is needed.
///
/// [`HeaderScan`] does the same without looking twice at what it has seen.
///
/// # Errors
/// As soon as it is certain that the message cannot be accepted.
pub fn header_end(buffer: &[u8], limits: &Limits) -> Result<Option<usize>, DecodeError> {
    HeaderScan::new(limits).scan(buffer)
}
