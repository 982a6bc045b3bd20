//! Messages as text, one attribute a line, in the way of ipptool. For tests and traces; nothing reads it back.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Display, Formatter, Write};

use crate::attribute::{Attribute, Collection};
use crate::message::{Group, Message};
use crate::tag::ValueTag;
use crate::value::{LanguageString, Resolution, ResolutionUnits, Value};

impl Display for Message {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "IPP/{} {:#06x} {}", self.version, self.code, self.request_id)?;
        self.groups.iter().try_for_each(|group| group.fmt(out))
    }
}

impl Message {
    /// The text with the name of the operation in its first line.
    #[must_use]
    pub fn request_text(&self) -> String {
        self.text(&self.operation_id())
    }

    /// The text with the name of the status in its first line.
    #[must_use]
    pub fn response_text(&self) -> String {
        self.text(&self.status_code())
    }

    fn text(&self, code: &dyn Display) -> String {
        let mut out = String::new();
        // writing to a String cannot fail
        let _ = writeln!(out, "IPP/{} {code} {}", self.version, self.request_id);
        for group in &self.groups {
            let _ = write!(out, "{group}");
        }
        out
    }
}

impl Display for Group {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.tag)?;
        self.attributes.iter().try_for_each(|attribute| writeln!(out, "    {attribute}"))
    }
}

impl Display for Attribute {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let mut tags: Vec<ValueTag> = self.values.iter().map(Value::tag).collect();
        tags.dedup();
        write!(out, "{} (", Escaped(&self.name))?;
        if self.values.len() > 1 {
            out.write_str("1setOf ")?;
        }
        write_separated(out, "|", &tags)?;
        out.write_str(") = ")?;
        write_separated(out, ",", &self.values)
    }
}

impl Display for Collection {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_char('{')?;
        for (nth, member) in self.members.iter().enumerate() {
            if nth > 0 {
                out.write_char(' ')?;
            }
            write!(out, "{}=", Escaped(&member.name))?;
            write_separated(out, ",", &member.values)?;
        }
        out.write_char('}')
    }
}

impl Display for Value {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported
            | Self::Unknown
            | Self::NoValue
            | Self::NotSettable
            | Self::DeleteAttribute
            | Self::AdminDefine => self.tag().fmt(out),
            Self::Integer(number) | Self::Enum(number) => number.fmt(out),
            Self::Boolean(truth) => truth.fmt(out),
            Self::OctetString(octets) => write_octets(out, octets),
            Self::DateTime(date_time) => date_time.fmt(out),
            Self::Resolution(resolution) => resolution.fmt(out),
            Self::RangeOfInteger(range) => write!(out, "{}-{}", range.lower, range.upper),
            Self::Collection(collection) => collection.fmt(out),
            Self::TextWithLanguage(LanguageString { language, text })
            | Self::NameWithLanguage(LanguageString { language, text }) => {
                write!(out, "{}[{}]", Escaped(text), Escaped(language))
            }
            Self::Text(string)
            | Self::Name(string)
            | Self::Keyword(string)
            | Self::Uri(string)
            | Self::UriScheme(string)
            | Self::Charset(string)
            | Self::NaturalLanguage(string)
            | Self::MimeMediaType(string) => Escaped(string).fmt(out),
            Self::Other(opaque) => write_octets(out, opaque.octets()),
        }
    }
}

impl Display for Resolution {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        if self.cross_feed == self.feed {
            write!(out, "{}", self.feed)?;
        } else {
            write!(out, "{}x{}", self.cross_feed, self.feed)?;
        }
        match self.units {
            ResolutionUnits::DotsPerInch => out.write_str("dpi"),
            ResolutionUnits::DotsPerCentimeter => out.write_str("dpcm"),
            ResolutionUnits::Other(other) => write!(out, "(unit {other})"),
        }
    }
}

/// A string with control characters and backslashes escaped, so that it stays on its line.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| {
            if character.is_control() || character == '\\' {
                write!(out, "{}", character.escape_default())
            } else {
                out.write_char(character)
            }
        })
    }
}

fn write_octets(out: &mut Formatter<'_>, octets: &[u8]) -> fmt::Result {
    out.write_char('<')?;
    octets.iter().try_for_each(|octet| write!(out, "{octet:02x}"))?;
    out.write_char('>')
}

fn write_separated<T: Display>(out: &mut Formatter<'_>, separator: &str, items: &[T]) -> fmt::Result {
    for (nth, item) in items.iter().enumerate() {
        if nth > 0 {
            out.write_str(separator)?;
        }
        item.fmt(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GroupTag, Opaque, Operation, StatusCode, Version};

    #[test]
    fn shows_one_attribute_a_line() {
        let size = Collection::new().with("x-dimension", 21_000).with("y-dimension", 29_700);
        let message = Message::request(Operation::PrintJob, 3, "ipp://h/")
            .operation("job-name", Value::name("a\nb\\ä"))
            .job("media-col", Collection::new().with("media-size", size).with("a", Value::integers([1, 2])))
            .job("printer-resolution", Resolution::dpi(600))
            .job("page-ranges", [Value::range(1, 2), Value::range(4, 4)])
            .job("job-hold-until", [Value::keyword("no-hold"), Value::name("Lunch")])
            .job("odd", Value::Other(Opaque::new(ValueTag(0x5b), [1, 255]).unwrap()));
        assert_eq!(
            message.request_text(),
            "IPP/2.0 Print-Job 3\n\
             operation-attributes-tag\n\
             \x20   attributes-charset (charset) = utf-8\n\
             \x20   attributes-natural-language (naturalLanguage) = en\n\
             \x20   printer-uri (uri) = ipp://h/\n\
             \x20   job-name (nameWithoutLanguage) = a\\nb\\\\ä\n\
             job-attributes-tag\n\
             \x20   media-col (collection) = {media-size={x-dimension=21000 y-dimension=29700} a=1,2}\n\
             \x20   printer-resolution (resolution) = 600dpi\n\
             \x20   page-ranges (1setOf rangeOfInteger) = 1-2,4-4\n\
             \x20   job-hold-until (1setOf keyword|nameWithoutLanguage) = no-hold,Lunch\n\
             \x20   odd (0x5b) = <01ff>\n"
        );
    }

    #[test]
    fn shows_the_status_of_a_response() {
        let answer = Message::response_to(StatusCode::ClientErrorNotFound, Version::V1_1, 1);
        assert!(answer.response_text().starts_with("IPP/1.1 client-error-not-found 1\n"));
        let vendor = Message { groups: alloc::vec![Group::new(GroupTag(0x0b))], code: 0x04aa, ..answer };
        assert_eq!(vendor.response_text(), "IPP/1.1 0x04aa 1\n0x0b\n");
    }
}
