//! Attributes and collections: a name with its values, in the order of the wire.

use alloc::string::String;
use alloc::vec::Vec;

use crate::datetime::DateTime;
use crate::value::{RangeOfInteger, Resolution, Value};

/// A name with one or more values: an attribute of a group, or a member of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// A keyword, at most 255 octets.
    pub name: String,
    /// In the order of the wire. An attribute without values is not encoded.
    pub values: Vec<Value>,
}

/// The value of syntax collection: members in the order of the wire (RFC 8010 section 3.1.6).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Collection {
    /// The members; a member may have several values.
    pub members: Vec<Attribute>,
}

/// One or more values on their way into an attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(pub Vec<Value>);

impl Attribute {
    /// An attribute with one value or, from a list, several.
    pub fn new(name: impl Into<String>, values: impl Into<Values>) -> Self {
        Self { name: name.into(), values: values.into().0 }
    }

    /// The first value.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        self.values.first()
    }

    /// Whether it says "no ordinary value": unknown, no-value, unsupported and the like.
    #[must_use]
    pub fn is_out_of_band(&self) -> bool {
        self.value().is_some_and(Value::is_out_of_band)
    }

    /// The first value, if it is an integer.
    #[must_use]
    pub fn integer(&self) -> Option<i32> {
        self.value()?.as_integer()
    }

    /// The first value, if it is an enum.
    #[must_use]
    pub fn enum_(&self) -> Option<i32> {
        self.value()?.as_enum()
    }

    /// The first value, if it is a boolean.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        self.value()?.as_boolean()
    }

    /// The first value, if it is a keyword.
    #[must_use]
    pub fn keyword(&self) -> Option<&str> {
        self.value()?.as_keyword()
    }

    /// The first value, if it is text or a name, with or without language.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.value()?.as_text()
    }

    /// The first value, if it is a uri.
    #[must_use]
    pub fn uri(&self) -> Option<&str> {
        self.value()?.as_uri()
    }

    /// The first value, if it is of any string syntax.
    #[must_use]
    pub fn string(&self) -> Option<&str> {
        self.value()?.as_str()
    }

    /// The first value, if it is an octetString.
    #[must_use]
    pub fn octet_string(&self) -> Option<&[u8]> {
        if let Value::OctetString(octets) = self.value()? { Some(octets) } else { None }
    }

    /// The first value, if it is a dateTime.
    #[must_use]
    pub fn date_time(&self) -> Option<DateTime> {
        if let Value::DateTime(date_time) = self.value()? { Some(*date_time) } else { None }
    }

    /// The first value, if it is a resolution.
    #[must_use]
    pub fn resolution(&self) -> Option<Resolution> {
        if let Value::Resolution(resolution) = self.value()? { Some(*resolution) } else { None }
    }

    /// The first value, if it is a rangeOfInteger or an integer.
    #[must_use]
    pub fn range(&self) -> Option<RangeOfInteger> {
        self.value()?.as_range()
    }

    /// The first value, if it is a collection.
    #[must_use]
    pub fn collection(&self) -> Option<&Collection> {
        self.value()?.as_collection()
    }

    /// Every value of a string syntax.
    pub fn strings(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(Value::as_str)
    }

    /// Every value that is an integer.
    pub fn integers(&self) -> impl Iterator<Item = i32> {
        self.values.iter().filter_map(Value::as_integer)
    }

    /// Every value that is an enum.
    pub fn enums(&self) -> impl Iterator<Item = i32> {
        self.values.iter().filter_map(Value::as_enum)
    }

    /// Every value that is a rangeOfInteger or an integer.
    pub fn ranges(&self) -> impl Iterator<Item = RangeOfInteger> {
        self.values.iter().filter_map(Value::as_range)
    }

    /// Every value that is a resolution.
    pub fn resolutions(&self) -> impl Iterator<Item = Resolution> {
        self.values.iter().filter_map(|value| if let Value::Resolution(one) = value { Some(*one) } else { None })
    }

    /// Every value that is a collection.
    pub fn collections(&self) -> impl Iterator<Item = &Collection> {
        self.values.iter().filter_map(Value::as_collection)
    }

    /// Whether a value of a string syntax equals `string`.
    #[must_use]
    pub fn has_string(&self, string: &str) -> bool {
        self.strings().any(|value| value == string)
    }
}

impl Collection {
    /// A collection without members.
    #[must_use]
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// Adds a member at the end.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, values: impl Into<Values>) -> Self {
        self.members.push(Attribute::new(name, values));
        self
    }

    /// The first member of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.members.iter().find(|member| member.name == name)
    }
}

impl FromIterator<Attribute> for Collection {
    fn from_iter<I: IntoIterator<Item = Attribute>>(members: I) -> Self {
        Self { members: members.into_iter().collect() }
    }
}

impl<T: Into<Value>> From<T> for Values {
    fn from(value: T) -> Self {
        Self(alloc::vec![value.into()])
    }
}

impl From<Vec<Value>> for Values {
    fn from(values: Vec<Value>) -> Self {
        Self(values)
    }
}

impl<const N: usize> From<[Value; N]> for Values {
    fn from(values: [Value; N]) -> Self {
        Self(values.into())
    }
}

impl<T: Into<Value>> FromIterator<T> for Values {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().map(Into::into).collect())
    }
}
