//! An owned message to octets. Nesting is kept on a list, not on the stack.

use alloc::vec::Vec;
use core::slice;

use crate::attribute::Attribute;
use crate::message::Message;
use crate::tag::{GroupTag, ValueTag};
use crate::value::{LanguageString, Value};

const LENGTH_MAX: usize = 32_767;

impl Message {
    /// The octets of the message, up to and including the end-of-attributes tag.
    ///
    /// Attributes without a name or without values are left out: they have no encoding. Names and values
    /// above 32,767 octets, which cannot be encoded either, are cut.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        self.encode_into(&mut out);
        out
    }

    /// Appends the octets of the message to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend([self.version.major, self.version.minor]);
        out.extend(self.code.to_be_bytes());
        out.extend(self.request_id.to_be_bytes());
        for group in &self.groups {
            out.push(group.tag.0);
            for attribute in &group.attributes {
                write_attribute(out, attribute);
            }
        }
        out.push(GroupTag::EndOfAttributes.0);
    }
}

/// A collection that is being written: the values left of one member, then the members left.
struct Open<'a> {
    values: slice::Iter<'a, Value>,
    members: slice::Iter<'a, Attribute>,
}

fn write_attribute(out: &mut Vec<u8>, attribute: &Attribute) {
    if attribute.name.is_empty() {
        return;
    }
    let mut name = attribute.name.as_str();
    let mut open: Vec<Open<'_>> = Vec::new();
    for value in &attribute.values {
        open.extend(write_value(out, name, value));
        name = "";
        while let Some(innermost) = open.last_mut() {
            if let Some(value) = innermost.values.next() {
                open.extend(write_value(out, "", value));
            } else if let Some(member) = innermost.members.next() {
                if !member.name.is_empty() && !member.values.is_empty() {
                    write_element(out, ValueTag::MemberAttrName, "", &[member.name.as_bytes()]);
                    innermost.values = member.values.iter();
                }
            } else {
                write_element(out, ValueTag::EndCollection, "", &[]);
                open.pop();
            }
        }
    }
}

/// Writes a value; of a collection only its beginning, and gives what is left of it.
fn write_value<'a>(out: &mut Vec<u8>, name: &str, value: &'a Value) -> Option<Open<'a>> {
    let tag = value.tag();
    match value {
        Value::Unsupported
        | Value::Unknown
        | Value::NoValue
        | Value::NotSettable
        | Value::DeleteAttribute
        | Value::AdminDefine => write_element(out, tag, name, &[]),
        Value::Integer(number) | Value::Enum(number) => write_element(out, tag, name, &[&number.to_be_bytes()]),
        Value::Boolean(truth) => write_element(out, tag, name, &[&[u8::from(*truth)]]),
        Value::OctetString(octets) => write_element(out, tag, name, &[octets]),
        Value::DateTime(date_time) => write_element(out, tag, name, &[&date_time.to_octets()]),
        Value::Resolution(resolution) => write_element(
            out,
            tag,
            name,
            &[&resolution.cross_feed.to_be_bytes(), &resolution.feed.to_be_bytes(), &[resolution.units.into()]],
        ),
        Value::RangeOfInteger(range) => {
            write_element(out, tag, name, &[&range.lower.to_be_bytes(), &range.upper.to_be_bytes()]);
        }
        Value::Collection(collection) => {
            write_element(out, tag, name, &[]);
            return Some(Open { values: [].iter(), members: collection.members.iter() });
        }
        Value::TextWithLanguage(string) | Value::NameWithLanguage(string) => {
            let LanguageString { language, text } = string;
            let language = shortened(language, LENGTH_MAX - 4);
            let text = shortened(text, LENGTH_MAX - 4 - language.len());
            write_element(out, tag, name, &[&length(language), language, &length(text), text]);
        }
        Value::Text(string)
        | Value::Name(string)
        | Value::Keyword(string)
        | Value::Uri(string)
        | Value::UriScheme(string)
        | Value::Charset(string)
        | Value::NaturalLanguage(string)
        | Value::MimeMediaType(string) => write_element(out, tag, name, &[shortened(string, LENGTH_MAX)]),
        Value::Other(opaque) => write_element(out, tag, name, &[opaque.octets()]),
    }
    None
}

fn write_element(out: &mut Vec<u8>, tag: ValueTag, name: &str, parts: &[&[u8]]) {
    let name = shortened(name, LENGTH_MAX);
    out.push(tag.0);
    out.extend(length(name));
    out.extend(name);
    let octets = parts.iter().map(|part| part.len()).sum::<usize>().min(LENGTH_MAX);
    out.extend((octets as u16).to_be_bytes());
    let begin = out.len();
    for part in parts {
        out.extend(*part);
    }
    out.truncate(begin + octets);
}

fn shortened(string: &str, octets_max: usize) -> &[u8] {
    &string.as_bytes()[..string.floor_char_boundary(octets_max)]
}

const fn length(octets: &[u8]) -> [u8; 2] {
    (octets.len() as u16).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Collection, Limits, Opaque, Operation, Values, decode};
    use alloc::string::String;

    #[test]
    fn what_cannot_be_encoded_is_left_out_or_cut() {
        let message = Message::request(Operation::PrintJob, 1, "ipp://h/")
            .job("empty", Values::default())
            .job("", 1)
            .job("media-col", Collection::new().with("none", Values::default()).with("x", 1))
            .job("long", Value::Text("ä".repeat(20_000)))
            .job("odd", Value::Other(Opaque::new(ValueTag(0x5b), [1, 2]).unwrap()));
        let decoded = decode(&message.encode(), &Limits::default()).unwrap().message;
        let job = decoded.group(GroupTag::Job).unwrap();
        let names: Vec<_> = job.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        assert_eq!(names, ["media-col", "long", "odd"]);
        assert_eq!(job.get("media-col").unwrap().collection().unwrap().members.len(), 1);
        assert_eq!(job.get("long").unwrap().text().map(str::len), Some(32_766));
    }

    #[test]
    fn a_long_language_is_carried() {
        let string = LanguageString { language: "e".repeat(400), text: String::from("x") };
        let message =
            Message::request(Operation::PrintJob, 1, "ipp://h/").job("job-name", Value::NameWithLanguage(string));
        assert_eq!(decode(&message.encode(), &Limits::default()).unwrap().message, message);
    }
}
