//! One value of an attribute, by its syntax (RFC 8011 section 5.1, RFC 8010 section 3.9).
//!
//! A variant with a syntax always holds octets that fit it. What does not fit (a five-octet integer, text
//! that is not UTF-8) and what has an unknown tag is carried as [`Value::Other`], so nothing is lost.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::attribute::{Collection, Values};
use crate::datetime::DateTime;
use crate::tag::ValueTag;

/// One value. Names of variants are the syntaxes of RFC 8011.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// Out-of-band: the attribute or value is not supported.
    Unsupported,
    /// Out-of-band: supported, but the value is not known.
    Unknown,
    /// Out-of-band: supported, but nothing is configured.
    NoValue,
    /// Out-of-band: the attribute cannot be set (RFC 3380).
    NotSettable,
    /// Out-of-band: the attribute is to be removed (RFC 3380).
    DeleteAttribute,
    /// Out-of-band: an administrator is to set it (RFC 3380).
    AdminDefine,
    /// integer
    Integer(i32),
    /// boolean
    Boolean(bool),
    /// enum
    Enum(i32),
    /// octetString, at most 1,023 octets
    OctetString(Vec<u8>),
    /// dateTime
    DateTime(DateTime),
    /// resolution
    Resolution(Resolution),
    /// rangeOfInteger
    RangeOfInteger(RangeOfInteger),
    /// collection
    Collection(Collection),
    /// textWithLanguage
    TextWithLanguage(LanguageString),
    /// nameWithLanguage
    NameWithLanguage(LanguageString),
    /// textWithoutLanguage, at most 1,023 octets
    Text(String),
    /// nameWithoutLanguage, at most 255 octets
    Name(String),
    /// keyword, at most 255 octets
    Keyword(String),
    /// uri, at most 1,023 octets
    Uri(String),
    /// uriScheme, at most 63 octets
    UriScheme(String),
    /// charset, at most 63 octets
    Charset(String),
    /// naturalLanguage, at most 63 octets
    NaturalLanguage(String),
    /// mimeMediaType, at most 255 octets
    MimeMediaType(String),
    /// An unknown tag, an extension (0x7f), or octets that do not fit their tag.
    Other(Opaque),
}

/// A value that is carried but not understood.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Opaque {
    tag: ValueTag,
    octets: Vec<u8>,
}

impl Opaque {
    /// A value of any tag from 0x10 on, except the three tags that build collections.
    #[must_use]
    pub fn new(tag: ValueTag, octets: impl Into<Vec<u8>>) -> Option<Self> {
        if tag.0 < 0x10 || tag.is_structural() {
            return None;
        }
        Some(Self { tag, octets: octets.into() })
    }

    /// The tag on the wire.
    #[must_use]
    pub const fn tag(&self) -> ValueTag {
        self.tag
    }

    /// The octets as received.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

/// Text or a name in a stated natural language.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LanguageString {
    /// RFC 5646 tag in lower case, at most 63 octets.
    pub language: String,
    /// The text or name.
    pub text: String,
}

/// resolution (RFC 8011 section 5.1.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resolution {
    /// Across the feed direction, in `units`.
    pub cross_feed: i32,
    /// In the feed direction, in `units`.
    pub feed: i32,
    /// Dots per inch or per centimetre.
    pub units: ResolutionUnits,
}

impl Resolution {
    /// The same resolution in both directions, in dots per inch.
    #[must_use]
    pub const fn dpi(dots_per_inch: i32) -> Self {
        Self { cross_feed: dots_per_inch, feed: dots_per_inch, units: ResolutionUnits::DotsPerInch }
    }

    /// Both directions in dots per inch, rounded; `None` for unknown units.
    #[must_use]
    pub const fn to_dpi(self) -> Option<(i32, i32)> {
        match self.units {
            ResolutionUnits::DotsPerInch => Some((self.cross_feed, self.feed)),
            ResolutionUnits::DotsPerCentimeter => Some((per_inch(self.cross_feed), per_inch(self.feed))),
            ResolutionUnits::Other(_) => None,
        }
    }
}

const fn per_inch(per_centimeter: i32) -> i32 {
    let rounded = (per_centimeter as i64 * 254 + 50) / 100;
    if rounded > i32::MAX as i64 {
        i32::MAX
    } else if rounded < i32::MIN as i64 {
        i32::MIN
    } else {
        rounded as i32
    }
}

/// The unit of a [`Resolution`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResolutionUnits {
    /// 3
    DotsPerInch,
    /// 4
    DotsPerCentimeter,
    /// Any other number.
    Other(u8),
}

impl From<u8> for ResolutionUnits {
    fn from(number: u8) -> Self {
        match number {
            3 => Self::DotsPerInch,
            4 => Self::DotsPerCentimeter,
            other => Self::Other(other),
        }
    }
}

impl From<ResolutionUnits> for u8 {
    fn from(units: ResolutionUnits) -> Self {
        match units {
            ResolutionUnits::DotsPerInch => 3,
            ResolutionUnits::DotsPerCentimeter => 4,
            ResolutionUnits::Other(other) => other,
        }
    }
}

/// rangeOfInteger: both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RangeOfInteger {
    /// The lowest number in the range.
    pub lower: i32,
    /// The highest number in the range.
    pub upper: i32,
}

impl RangeOfInteger {
    /// From `lower` to `upper`, both included.
    #[must_use]
    pub const fn new(lower: i32, upper: i32) -> Self {
        Self { lower, upper }
    }

    /// Whether `number` lies in the range.
    #[must_use]
    pub const fn contains(self, number: i32) -> bool {
        self.lower <= number && number <= self.upper
    }
}

impl Value {
    /// textWithoutLanguage; what exceeds 1,023 octets is cut at a character.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(cut(text.into(), 1023))
    }

    /// nameWithoutLanguage; what exceeds 255 octets is cut at a character.
    #[must_use]
    pub fn name(name: impl Into<String>) -> Self {
        Self::Name(cut(name.into(), 255))
    }

    /// keyword
    #[must_use]
    pub fn keyword(keyword: impl Into<String>) -> Self {
        Self::Keyword(keyword.into())
    }

    /// uri
    #[must_use]
    pub fn uri(uri: impl Into<String>) -> Self {
        Self::Uri(uri.into())
    }

    /// charset
    #[must_use]
    pub fn charset(charset: impl Into<String>) -> Self {
        Self::Charset(charset.into())
    }

    /// naturalLanguage
    #[must_use]
    pub fn natural_language(language: impl Into<String>) -> Self {
        Self::NaturalLanguage(language.into())
    }

    /// mimeMediaType
    #[must_use]
    pub fn mime_media_type(media_type: impl Into<String>) -> Self {
        Self::MimeMediaType(media_type.into())
    }

    /// octetString
    #[must_use]
    pub fn octet_string(octets: impl Into<Vec<u8>>) -> Self {
        Self::OctetString(octets.into())
    }

    /// rangeOfInteger, both ends included.
    #[must_use]
    pub const fn range(lower: i32, upper: i32) -> Self {
        Self::RangeOfInteger(RangeOfInteger { lower, upper })
    }

    /// 1setOf keyword
    pub fn keywords<S: Into<String>>(keywords: impl IntoIterator<Item = S>) -> Values {
        keywords.into_iter().map(Self::keyword).collect()
    }

    /// 1setOf uri
    pub fn uris<S: Into<String>>(uris: impl IntoIterator<Item = S>) -> Values {
        uris.into_iter().map(Self::uri).collect()
    }

    /// 1setOf mimeMediaType
    pub fn mime_media_types<S: Into<String>>(types: impl IntoIterator<Item = S>) -> Values {
        types.into_iter().map(Self::mime_media_type).collect()
    }

    /// 1setOf text
    pub fn texts<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Values {
        texts.into_iter().map(Self::text).collect()
    }

    /// 1setOf name
    pub fn names<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Values {
        names.into_iter().map(Self::name).collect()
    }

    /// 1setOf integer
    pub fn integers(integers: impl IntoIterator<Item = i32>) -> Values {
        integers.into_iter().map(Self::Integer).collect()
    }

    /// 1setOf enum
    pub fn enums<N: Into<i32>>(numbers: impl IntoIterator<Item = N>) -> Values {
        numbers.into_iter().map(|number| Self::Enum(number.into())).collect()
    }

    /// The tag that the value has on the wire.
    #[must_use]
    pub const fn tag(&self) -> ValueTag {
        match self {
            Self::Unsupported => ValueTag::Unsupported,
            Self::Unknown => ValueTag::Unknown,
            Self::NoValue => ValueTag::NoValue,
            Self::NotSettable => ValueTag::NotSettable,
            Self::DeleteAttribute => ValueTag::DeleteAttribute,
            Self::AdminDefine => ValueTag::AdminDefine,
            Self::Integer(_) => ValueTag::Integer,
            Self::Boolean(_) => ValueTag::Boolean,
            Self::Enum(_) => ValueTag::Enum,
            Self::OctetString(_) => ValueTag::OctetString,
            Self::DateTime(_) => ValueTag::DateTime,
            Self::Resolution(_) => ValueTag::Resolution,
            Self::RangeOfInteger(_) => ValueTag::RangeOfInteger,
            Self::Collection(_) => ValueTag::BegCollection,
            Self::TextWithLanguage(_) => ValueTag::TextWithLanguage,
            Self::NameWithLanguage(_) => ValueTag::NameWithLanguage,
            Self::Text(_) => ValueTag::TextWithoutLanguage,
            Self::Name(_) => ValueTag::NameWithoutLanguage,
            Self::Keyword(_) => ValueTag::Keyword,
            Self::Uri(_) => ValueTag::Uri,
            Self::UriScheme(_) => ValueTag::UriScheme,
            Self::Charset(_) => ValueTag::Charset,
            Self::NaturalLanguage(_) => ValueTag::NaturalLanguage,
            Self::MimeMediaType(_) => ValueTag::MimeMediaType,
            Self::Other(opaque) => opaque.tag,
        }
    }

    /// Whether the value stands for "no ordinary value".
    #[must_use]
    pub const fn is_out_of_band(&self) -> bool {
        self.tag().is_out_of_band()
    }

    /// The number of an integer.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i32> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    /// The number of an enum.
    #[must_use]
    pub const fn as_enum(&self) -> Option<i32> {
        if let Self::Enum(number) = self { Some(*number) } else { None }
    }

    /// The truth of a boolean.
    #[must_use]
    pub const fn as_boolean(&self) -> Option<bool> {
        if let Self::Boolean(truth) = self { Some(*truth) } else { None }
    }

    /// The string of any string syntax: text, name, keyword, uri and the others.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(string)
            | Self::Name(string)
            | Self::Keyword(string)
            | Self::Uri(string)
            | Self::UriScheme(string)
            | Self::Charset(string)
            | Self::NaturalLanguage(string)
            | Self::MimeMediaType(string) => Some(string),
            Self::TextWithLanguage(string) | Self::NameWithLanguage(string) => Some(&string.text),
            _ => None,
        }
    }

    /// The string of text or a name, with or without language.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(string) | Self::Name(string) => Some(string),
            Self::TextWithLanguage(string) | Self::NameWithLanguage(string) => Some(&string.text),
            _ => None,
        }
    }

    /// The string of a keyword.
    #[must_use]
    pub fn as_keyword(&self) -> Option<&str> {
        if let Self::Keyword(string) = self { Some(string) } else { None }
    }

    /// The string of a uri.
    #[must_use]
    pub fn as_uri(&self) -> Option<&str> {
        if let Self::Uri(string) = self { Some(string) } else { None }
    }

    /// The members of a collection.
    #[must_use]
    pub const fn as_collection(&self) -> Option<&Collection> {
        if let Self::Collection(collection) = self { Some(collection) } else { None }
    }

    /// The range of a rangeOfInteger, or an integer as a range of one.
    #[must_use]
    pub const fn as_range(&self) -> Option<RangeOfInteger> {
        match self {
            Self::RangeOfInteger(range) => Some(*range),
            Self::Integer(number) => Some(RangeOfInteger { lower: *number, upper: *number }),
            _ => None,
        }
    }

    /// Reads a value that is no part of a collection's structure.
    pub(crate) fn from_wire(tag: ValueTag, octets: &[u8]) -> Self {
        Self::fitting(tag, octets).unwrap_or_else(|| Self::Other(Opaque { tag, octets: octets.to_owned() }))
    }

    fn fitting(tag: ValueTag, octets: &[u8]) -> Option<Self> {
        if tag.fixed_octets().is_some_and(|fixed| fixed != octets.len()) {
            return None;
        }
        Some(match tag {
            ValueTag::Unsupported => Self::Unsupported,
            ValueTag::Unknown => Self::Unknown,
            ValueTag::NoValue => Self::NoValue,
            ValueTag::NotSettable => Self::NotSettable,
            ValueTag::DeleteAttribute => Self::DeleteAttribute,
            ValueTag::AdminDefine => Self::AdminDefine,
            ValueTag::Integer => Self::Integer(integer_at(octets, 0)?),
            ValueTag::Enum => Self::Enum(integer_at(octets, 0)?),
            ValueTag::Boolean => match octets {
                [0] => Self::Boolean(false),
                [1] => Self::Boolean(true),
                _ => return None,
            },
            ValueTag::OctetString => Self::OctetString(octets.to_owned()),
            ValueTag::DateTime => Self::DateTime(DateTime::from_octets(octets.try_into().ok()?)?),
            ValueTag::Resolution => Self::Resolution(Resolution {
                cross_feed: integer_at(octets, 0)?,
                feed: integer_at(octets, 4)?,
                units: ResolutionUnits::from(*octets.get(8)?),
            }),
            ValueTag::RangeOfInteger => {
                Self::RangeOfInteger(RangeOfInteger { lower: integer_at(octets, 0)?, upper: integer_at(octets, 4)? })
            }
            ValueTag::TextWithLanguage => Self::TextWithLanguage(language_string(octets)?),
            ValueTag::NameWithLanguage => Self::NameWithLanguage(language_string(octets)?),
            ValueTag::TextWithoutLanguage => Self::Text(string(octets)?),
            ValueTag::NameWithoutLanguage => Self::Name(string(octets)?),
            ValueTag::Keyword => Self::Keyword(string(octets)?),
            ValueTag::Uri => Self::Uri(string(octets)?),
            ValueTag::UriScheme => Self::UriScheme(string(octets)?),
            ValueTag::Charset => Self::Charset(string(octets)?),
            ValueTag::NaturalLanguage => Self::NaturalLanguage(string(octets)?),
            ValueTag::MimeMediaType => Self::MimeMediaType(string(octets)?),
            _ => return None,
        })
    }
}

fn integer_at(octets: &[u8], at: usize) -> Option<i32> {
    let four: [u8; 4] = octets.get(at..at + 4)?.try_into().ok()?;
    Some(i32::from_be_bytes(four))
}

fn string(octets: &[u8]) -> Option<String> {
    core::str::from_utf8(octets).ok().map(ToOwned::to_owned)
}

fn language_string(octets: &[u8]) -> Option<LanguageString> {
    let (language, rest) = length_and_string(octets)?;
    let (text, rest) = length_and_string(rest)?;
    rest.is_empty().then_some(LanguageString { language, text })
}

fn length_and_string(octets: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = octets.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    Some((string(rest.get(..length)?)?, &rest[length..]))
}

/// Shortens a string to at most `octets_max`, at a character.
pub(crate) fn cut(mut string: String, octets_max: usize) -> String {
    string.truncate(string.floor_char_boundary(octets_max));
    string
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Integer(number)
    }
}

impl From<Collection> for Value {
    fn from(collection: Collection) -> Self {
        Self::Collection(collection)
    }
}

impl From<RangeOfInteger> for Value {
    fn from(range: RangeOfInteger) -> Self {
        Self::RangeOfInteger(range)
    }
}

impl From<Resolution> for Value {
    fn from(resolution: Resolution) -> Self {
        Self::Resolution(resolution)
    }
}

impl From<DateTime> for Value {
    fn from(date_time: DateTime) -> Self {
        Self::DateTime(date_time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;
    use std::vec;

    #[test]
    fn keeps_octets_that_do_not_fit_their_syntax() {
        let five = Value::from_wire(ValueTag::Integer, &[0, 0, 0, 0, 1]);
        assert_eq!(five, Value::Other(Opaque { tag: ValueTag::Integer, octets: vec![0, 0, 0, 0, 1] }));
        assert_eq!(Value::from_wire(ValueTag::Boolean, &[2]).tag(), ValueTag::Boolean);
        assert!(matches!(Value::from_wire(ValueTag::Boolean, &[2]), Value::Other(_)));
        assert!(matches!(Value::from_wire(ValueTag::TextWithoutLanguage, &[0xff]), Value::Other(_)));
        assert!(matches!(Value::from_wire(ValueTag::NoValue, &[1]), Value::Other(_)));
    }

    #[test]
    fn reads_a_language_string_only_when_its_lengths_add_up() {
        let good = [0, 2, b'e', b'n', 0, 2, b'h', b'i'];
        let Value::TextWithLanguage(read) = Value::from_wire(ValueTag::TextWithLanguage, &good) else {
            panic!("not read as textWithLanguage")
        };
        assert_eq!((read.language.as_str(), read.text.as_str()), ("en", "hi"));
        for bad in [&good[..7], &[0, 2, b'e', b'n', 0, 1, b'h', b'i'], &[0xff, 0xff], &[]] {
            assert!(matches!(Value::from_wire(ValueTag::TextWithLanguage, bad), Value::Other(_)), "{bad:?}");
        }
    }

    #[test]
    fn an_opaque_value_cannot_break_the_structure() {
        for tag in [0x00, 0x03, 0x0f, 0x34, 0x37, 0x4a] {
            assert_eq!(Opaque::new(ValueTag(tag), []), None);
        }
        assert!(Opaque::new(ValueTag(0x7f), [0, 0, 0, 1]).is_some());
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let Value::Name(name) = Value::name("ä".repeat(128)) else { panic!() };
        assert_eq!(name.len(), 254);
        assert_eq!(Value::name("a".repeat(255)).as_str().map(str::len), Some(255));
        assert_eq!(Value::text("x".to_string()).as_text(), Some("x"));
    }

    #[test]
    fn resolution_is_known_in_dots_per_inch() {
        assert_eq!(Resolution::dpi(600).to_dpi(), Some((600, 600)));
        let metric = Resolution { cross_feed: 118, feed: 236, units: ResolutionUnits::DotsPerCentimeter };
        assert_eq!(metric.to_dpi(), Some((300, 599)));
    }
}
