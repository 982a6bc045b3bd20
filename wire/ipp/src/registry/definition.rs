//! One row of the attribute tables: where an attribute is defined and what values it takes.

use crate::attribute::Attribute;
use crate::tag::ValueTag;
use crate::value::Value;

/// The section of the registry an attribute is defined in; also says in which group it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the registry's headings")]
pub enum Section {
    DocumentDescription,
    DocumentStatus,
    DocumentTemplate,
    EventNotifications,
    JobDescription,
    JobStatus,
    JobTemplate,
    Operation,
    PrinterDescription,
    PrinterStatus,
    ResourceDescription,
    ResourceStatus,
    SubscriptionStatus,
    SubscriptionTemplate,
    SystemDescription,
    SystemStatus,
}

impl Section {
    /// Every section, in ascending order.
    pub const ALL: &'static [Self] = &[
        Self::DocumentDescription,
        Self::DocumentStatus,
        Self::DocumentTemplate,
        Self::EventNotifications,
        Self::JobDescription,
        Self::JobStatus,
        Self::JobTemplate,
        Self::Operation,
        Self::PrinterDescription,
        Self::PrinterStatus,
        Self::ResourceDescription,
        Self::ResourceStatus,
        Self::SubscriptionStatus,
        Self::SubscriptionTemplate,
        Self::SystemDescription,
        Self::SystemStatus,
    ];
}

/// An attribute or a member as it is registered.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    /// Where it is defined; `None` for members of collections.
    pub section: Option<Section>,
    /// Its name.
    pub name: &'static str,
    /// Whether several values are allowed (1setOf).
    pub set_of: bool,
    /// The syntaxes a value may have.
    pub kinds: &'static [Kind],
    /// Whether it should no longer be used.
    pub obsolete: bool,
}

/// A syntax with its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The syntax; text and name stand for their forms with language, too.
    pub tag: ValueTag,
    /// The smallest number, or the fewest octets of a string.
    pub min: i32,
    /// The largest number, or the most octets of a string.
    pub max: i32,
}

impl Definition {
    /// Whether one value has an allowed syntax and lies in its bounds. Registered keywords are not insisted on.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        self.kinds.iter().any(|kind| kind.accepts(value))
    }

    /// Whether there is a value, no more than allowed, and each is accepted.
    #[must_use]
    pub fn accepts_all(&self, attribute: &Attribute) -> bool {
        match attribute.values.as_slice() {
            [] => false,
            [_, _, ..] if !self.set_of => false,
            values => values.iter().all(|value| self.accepts(value)),
        }
    }
}

impl Kind {
    /// Whether a value has this syntax and lies in its bounds.
    #[must_use]
    pub fn accepts(self, value: &Value) -> bool {
        let tag = match value.tag() {
            ValueTag::TextWithLanguage => ValueTag::TextWithoutLanguage,
            ValueTag::NameWithLanguage => ValueTag::NameWithoutLanguage,
            tag => tag,
        };
        if tag != self.tag {
            return false;
        }
        let within = |number: i32| self.min <= number && number <= self.max;
        match value {
            Value::Integer(number) | Value::Enum(number) => within(*number),
            Value::RangeOfInteger(range) => range.lower <= range.upper && within(range.lower) && within(range.upper),
            Value::OctetString(octets) => octets.len() <= self.max as usize,
            Value::Other(_) => false,
            other => other.as_str().is_none_or(|string| string.len() <= self.max as usize),
        }
    }
}

pub(super) const MIN: i32 = i32::MIN;
pub(super) const MAX: i32 = i32::MAX;
pub(super) const ONE: bool = false;
pub(super) const SET: bool = true;

pub(super) const BOOLEAN: Kind = kind(ValueTag::Boolean, 0, 1);
pub(super) const ENUM: Kind = kind(ValueTag::Enum, 1, MAX);
pub(super) const KEYWORD: Kind = kind(ValueTag::Keyword, 0, 255);
pub(super) const URI_SCHEME: Kind = kind(ValueTag::UriScheme, 0, 63);
pub(super) const CHARSET: Kind = kind(ValueTag::Charset, 0, 63);
pub(super) const LANGUAGE: Kind = kind(ValueTag::NaturalLanguage, 0, 63);
pub(super) const MIME: Kind = kind(ValueTag::MimeMediaType, 0, 255);
pub(super) const DATE_TIME: Kind = kind(ValueTag::DateTime, 0, 0);
pub(super) const RESOLUTION: Kind = kind(ValueTag::Resolution, 0, 0);
pub(super) const COLLECTION: Kind = kind(ValueTag::BegCollection, 0, 0);
pub(super) const NO_VALUE: Kind = kind(ValueTag::NoValue, 0, 0);
pub(super) const UNKNOWN: Kind = kind(ValueTag::Unknown, 0, 0);

const fn kind(tag: ValueTag, min: i32, max: i32) -> Kind {
    Kind { tag, min, max }
}

pub(super) const fn integer(min: i32, max: i32) -> Kind {
    kind(ValueTag::Integer, min, max)
}

pub(super) const fn range(min: i32, max: i32) -> Kind {
    kind(ValueTag::RangeOfInteger, min, max)
}

pub(super) const fn text(octets: i32) -> Kind {
    kind(ValueTag::TextWithoutLanguage, 0, octets)
}

pub(super) const fn name(octets: i32) -> Kind {
    kind(ValueTag::NameWithoutLanguage, 0, octets)
}

pub(super) const fn uri(octets: i32) -> Kind {
    kind(ValueTag::Uri, 0, octets)
}

pub(super) const fn octets(octets: i32) -> Kind {
    kind(ValueTag::OctetString, 0, octets)
}

pub(super) const fn current(section: Section, name: &'static str, set_of: bool, kinds: &'static [Kind]) -> Definition {
    Definition { section: Some(section), name, set_of, kinds, obsolete: false }
}

pub(super) const fn obsolete(section: Section, name: &'static str, set_of: bool, kinds: &'static [Kind]) -> Definition {
    Definition { section: Some(section), name, set_of, kinds, obsolete: true }
}

pub(super) const fn member(name: &'static str, set_of: bool, kinds: &'static [Kind]) -> Definition {
    Definition { section: None, name, set_of, kinds, obsolete: false }
}

pub(super) const fn obsolete_member(name: &'static str, set_of: bool, kinds: &'static [Kind]) -> Definition {
    Definition { section: None, name, set_of, kinds, obsolete: true }
}
