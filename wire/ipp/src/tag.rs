//! The tags in front of groups and values (RFC 8010 section 3.5).

use crate::codes::codes;

/// Begins a group of attributes; below 0x10 on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupTag(pub u8);

codes! { GroupTag: u8;
    Operation = 0x01 "operation-attributes-tag",
    Job = 0x02 "job-attributes-tag",
    EndOfAttributes = 0x03 "end-of-attributes-tag",
    Printer = 0x04 "printer-attributes-tag",
    Unsupported = 0x05 "unsupported-attributes-tag",
    Subscription = 0x06 "subscription-attributes-tag",
    EventNotification = 0x07 "event-notification-attributes-tag",
    Resource = 0x08 "resource-attributes-tag",
    Document = 0x09 "document-attributes-tag",
    System = 0x0a "system-attributes-tag",
}

/// Says which syntax a value has; 0x10 or above on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueTag(pub u8);

codes! { ValueTag: u8;
    Unsupported = 0x10 "unsupported",
    Unknown = 0x12 "unknown",
    NoValue = 0x13 "no-value",
    NotSettable = 0x15 "not-settable",
    DeleteAttribute = 0x16 "delete-attribute",
    AdminDefine = 0x17 "admin-define",
    Integer = 0x21 "integer",
    Boolean = 0x22 "boolean",
    Enum = 0x23 "enum",
    OctetString = 0x30 "octetString",
    DateTime = 0x31 "dateTime",
    Resolution = 0x32 "resolution",
    RangeOfInteger = 0x33 "rangeOfInteger",
    BegCollection = 0x34 "collection",
    TextWithLanguage = 0x35 "textWithLanguage",
    NameWithLanguage = 0x36 "nameWithLanguage",
    EndCollection = 0x37 "endCollection",
    TextWithoutLanguage = 0x41 "textWithoutLanguage",
    NameWithoutLanguage = 0x42 "nameWithoutLanguage",
    Keyword = 0x44 "keyword",
    Uri = 0x45 "uri",
    UriScheme = 0x46 "uriScheme",
    Charset = 0x47 "charset",
    NaturalLanguage = 0x48 "naturalLanguage",
    MimeMediaType = 0x49 "mimeMediaType",
    MemberAttrName = 0x4a "memberAttrName",
    Extension = 0x7f "extension",
}

impl ValueTag {
    /// Whether the tag stands for "no ordinary value" (0x10 to 0x1f).
    #[must_use]
    pub const fn is_out_of_band(self) -> bool {
        self.0 >= 0x10 && self.0 <= 0x1f
    }

    /// Whether the tag builds collections and carries no value of its own.
    #[must_use]
    pub const fn is_structural(self) -> bool {
        matches!(self.0, 0x34 | 0x37 | 0x4a)
    }

    /// The one length that a value of this syntax may have, in octets.
    #[must_use]
    pub const fn fixed_octets(self) -> Option<usize> {
        match self.0 {
            0x21 | 0x23 => Some(4),
            0x22 => Some(1),
            0x31 => Some(11),
            0x32 => Some(9),
            0x33 => Some(8),
            0x10 | 0x12 | 0x13 | 0x15 | 0x16 | 0x17 => Some(0),
            _ => None,
        }
    }

    /// The most octets that a string of this syntax may have (RFC 8011 section 5.1).
    ///
    /// For the forms with a language this bounds the string inside; the language has 63.
    #[must_use]
    pub const fn string_octets_max(self) -> Option<usize> {
        match self.0 {
            0x30 | 0x35 | 0x41 | 0x45 => Some(1023),
            0x36 | 0x42 | 0x44 | 0x49 => Some(255),
            0x46..=0x48 => Some(63),
            _ => None,
        }
    }
}
