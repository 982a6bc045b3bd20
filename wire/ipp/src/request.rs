//! Whether a request may be worked on at all, before anybody looks at its operation (RFC 8011 section 4.1).

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::attribute::Attribute;
use crate::message::{Group, Message};
use crate::status_code::StatusCode;
use crate::tag::{GroupTag, ValueTag};
use crate::value::Value;

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// "printer-uri"; with "job-id" in job operations.
    Printer(&'a str),
    /// "job-uri"
    Job(&'a str),
    /// "system-uri" (PWG 5100.22)
    System(&'a str),
    /// Nothing, which only operations of vendors may leave out (CUPS-Get-Default).
    Absent,
}

/// Why a request is refused before its operation is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestFault {
    /// The status to answer with.
    pub status: StatusCode,
    /// What is wrong, for "status-message".
    pub message: String,
}

impl RequestFault {
    fn bad(message: impl Into<String>) -> Self {
        Self { status: StatusCode::ClientErrorBadRequest, message: message.into() }
    }

    /// The answer to the request.
    #[must_use]
    pub fn response(&self, request: &Message) -> Message {
        Message::response(self.status, request).status_message(self.message.clone())
    }
}

impl fmt::Display for RequestFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.status, self.message)
    }
}

impl core::error::Error for RequestFault {}

impl Message {
    /// Checks what RFC 8011 section 4.1 asks of every request, and gives its target.
    ///
    /// That is: a version we read; a request-id of 1 or above; the operation attributes as the first group and
    /// only once, beginning with charset and natural language; a charset we know; a target (its place among the
    /// operation attributes is not insisted on); no name twice in a group; values of the length of their syntax.
    ///
    /// # Errors
    /// The first fault found, with the status to answer.
    pub fn check_request(&self) -> Result<Target<'_>, RequestFault> {
        if !self.version.is_supported() {
            let message = format!("version {} is not supported, use 2.0 or 1.1", self.version);
            return Err(RequestFault { status: StatusCode::ServerErrorVersionNotSupported, message });
        }
        if self.request_id == 0 || self.request_id > i32::MAX as u32 {
            return Err(RequestFault::bad("request-id must be 1 or above"));
        }
        let operation = self.check_operation_group()?;
        for group in &self.groups {
            check_names(group)?;
            for attribute in &group.attributes {
                check_values(attribute)?;
            }
        }
        check_charset(operation)?;
        self.target(operation)
    }

    fn check_operation_group(&self) -> Result<&Group, RequestFault> {
        let Some(operation) = self.groups.first().filter(|group| group.tag == GroupTag::Operation) else {
            return Err(RequestFault::bad("the first group must be the operation attributes"));
        };
        if self.groups(GroupTag::Operation).count() > 1 {
            return Err(RequestFault::bad("operation attributes come twice"));
        }
        for (place, name, tag) in [
            ("first", "attributes-charset", ValueTag::Charset),
            ("second", "attributes-natural-language", ValueTag::NaturalLanguage),
        ] {
            let attribute = operation.attributes.get(usize::from(place == "second"));
            let Some(attribute) = attribute.filter(|attribute| attribute.name == name) else {
                return Err(RequestFault::bad(format!("the {place} operation attribute must be {name}")));
            };
            match attribute.values.as_slice() {
                [value] if value.tag() == tag && value.as_str() != Some("") => {}
                _ => {
                    return Err(RequestFault::bad(format!("{name} must have one value of syntax {tag}")));
                }
            }
        }
        Ok(operation)
    }

    fn target<'a>(&self, operation: &'a Group) -> Result<Target<'a>, RequestFault> {
        for name in ["printer-uri", "job-uri", "system-uri"] {
            let Some(attribute) = operation.get(name) else {
                continue;
            };
            return match attribute.values.as_slice() {
                [Value::Uri(uri)] if !uri.is_empty() => Ok(match name {
                    "printer-uri" => Target::Printer(uri),
                    "job-uri" => Target::Job(uri),
                    _ => Target::System(uri),
                }),
                _ => Err(RequestFault::bad(format!("{name} must have one value of syntax uri"))),
            };
        }
        if self.operation_id().is_vendor() {
            return Ok(Target::Absent);
        }
        Err(RequestFault::bad("printer-uri, job-uri or system-uri is missing"))
    }
}

fn check_charset(operation: &Group) -> Result<(), RequestFault> {
    let charset = operation.get("attributes-charset").and_then(Attribute::string).unwrap_or_default();
    // us-ascii is a part of utf-8
    if charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("us-ascii") {
        return Ok(());
    }
    let message = format!("charset {charset} is not supported, use utf-8");
    Err(RequestFault { status: StatusCode::ClientErrorCharsetNotSupported, message })
}

fn check_names(group: &Group) -> Result<(), RequestFault> {
    let mut seen = BTreeSet::new();
    for attribute in &group.attributes {
        if attribute.name.is_empty() {
            return Err(RequestFault::bad(format!("attribute without a name in {}", group.tag)));
        }
        if attribute.name.len() > 255 {
            return Err(too_long("attribute name", attribute.name.len(), 255));
        }
        if !seen.insert(attribute.name.as_str()) {
            return Err(RequestFault::bad(format!("{} comes twice in {}", attribute.name, group.tag)));
        }
    }
    Ok(())
}

fn check_values(attribute: &Attribute) -> Result<(), RequestFault> {
    let mut left: Vec<&Attribute> = alloc::vec![attribute];
    while let Some(attribute) = left.pop() {
        for value in &attribute.values {
            if let Value::Collection(collection) = value {
                left.extend(&collection.members);
            } else {
                check_value(&attribute.name, value)?;
            }
        }
    }
    Ok(())
}

fn check_value(name: &str, value: &Value) -> Result<(), RequestFault> {
    let tag = value.tag();
    let octets = match value {
        Value::Other(opaque) => {
            let octets = opaque.octets().len();
            if let Some(fixed) = tag.fixed_octets() {
                let message = format!("{name}: a value of syntax {tag} has {fixed} octets and fits them, not {octets}");
                return Err(RequestFault::bad(message));
            }
            let Some(max) = tag.string_octets_max() else {
                return Ok(());
            };
            if octets > max + 63 + 4 {
                return Err(too_long(name, octets, max));
            }
            return Err(RequestFault::bad(format!("{name}: a value of syntax {tag} is not UTF-8 or broken")));
        }
        Value::OctetString(octets) => octets.len(),
        Value::TextWithLanguage(string) | Value::NameWithLanguage(string) => {
            if string.language.len() > 63 {
                return Err(too_long(name, string.language.len(), 63));
            }
            string.text.len()
        }
        other => other.as_str().map_or(0, str::len),
    };
    match tag.string_octets_max() {
        Some(max) if octets > max => Err(too_long(name, octets, max)),
        _ => Ok(()),
    }
}

fn too_long(name: &str, octets: usize, max: usize) -> RequestFault {
    let message = format!("{name}: {octets} octets, at most {max} are allowed");
    RequestFault { status: StatusCode::ClientErrorRequestValueTooLong, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Collection, LanguageString, Opaque, Operation, Values, Version};

    fn request() -> Message {
        Message::request(Operation::PrintJob, 1, "ipp://h/ipp/print")
    }

    fn status(request: &Message) -> StatusCode {
        request.check_request().map_or_else(|fault| fault.status, |_| StatusCode::SuccessfulOk)
    }

    fn with_value(value: impl Into<Values>) -> StatusCode {
        status(&request().job("media-col", Collection::new().with("x", value)))
    }

    #[test]
    fn a_good_request_names_its_target() {
        assert_eq!(request().check_request(), Ok(Target::Printer("ipp://h/ipp/print")));
        let job = Message::request_to(Operation::CancelJob, 1, "job-uri", "ipp://h/1");
        assert_eq!(job.check_request(), Ok(Target::Job("ipp://h/1")));
        let system = Message::request_to(Operation::GetPrinters, 1, "system-uri", "ipp://h/ipp/system");
        assert_eq!(system.check_request(), Ok(Target::System("ipp://h/ipp/system")));
    }

    #[test]
    fn only_operations_of_vendors_may_lack_a_target() {
        let mut lacking = request();
        lacking.groups[0].attributes.truncate(2);
        assert_eq!(status(&lacking), StatusCode::ClientErrorBadRequest);
        lacking.code = Operation::CupsGetDefault.0;
        assert_eq!(lacking.check_request(), Ok(Target::Absent));
    }

    #[test]
    fn charset_comes_first_and_language_second() {
        for spoil in [
            |request: &mut Message| request.groups[0].attributes.swap(0, 1),
            |request: &mut Message| request.groups[0].attributes.swap(1, 2),
            |request: &mut Message| drop(request.groups[0].attributes.remove(0)),
            |request: &mut Message| request.groups[0].attributes.clear(),
            |request: &mut Message| request.groups.clear(),
            |request: &mut Message| request.groups.insert(0, Group::new(GroupTag::Job)),
            |request: &mut Message| request.groups.push(Group::new(GroupTag::Operation)),
            |request: &mut Message| request.groups[0].attributes[0].values[0] = Value::keyword("utf-8"),
            |request: &mut Message| request.groups[0].attributes[1].values[0] = Value::natural_language(""),
            |request: &mut Message| request.groups[0].attributes[2].values[0] = Value::name("ipp://h/"),
            |request: &mut Message| request.groups[0].attributes[2].values.push(Value::uri("ipp://h/")),
            |request: &mut Message| request.request_id = 0,
            |request: &mut Message| request.request_id = 0x8000_0000,
        ] {
            let mut request = request();
            spoil(&mut request);
            assert_eq!(status(&request), StatusCode::ClientErrorBadRequest, "{request}");
        }
    }

    #[test]
    fn version_and_charset_have_answers_of_their_own() {
        assert_eq!(
            status(&request().in_version(Version { major: 0, minor: 0 })),
            StatusCode::ServerErrorVersionNotSupported
        );
        let mut latin = request();
        latin.groups[0].attributes[0].values[0] = Value::charset("iso-8859-1");
        assert_eq!(status(&latin), StatusCode::ClientErrorCharsetNotSupported);
        latin.groups[0].attributes[0].values[0] = Value::charset("US-ASCII");
        assert_eq!(status(&latin), StatusCode::SuccessfulOk);
    }

    #[test]
    fn a_name_comes_once_in_a_group() {
        let once = request().job("copies", 1).printer("copies", 1);
        assert_eq!(status(&once), StatusCode::SuccessfulOk);
        assert_eq!(status(&once.job("copies", 2)), StatusCode::ClientErrorBadRequest);
    }

    #[test]
    fn strings_end_at_the_length_of_their_syntax() {
        let long = |octets: usize| "a".repeat(octets);
        for (max, build) in [
            (1023, Value::Text as fn(String) -> Value),
            (255, Value::Name),
            (255, Value::Keyword),
            (1023, Value::Uri),
            (63, Value::UriScheme),
            (63, Value::Charset),
            (63, Value::NaturalLanguage),
            (255, Value::MimeMediaType),
            (1023, |string| Value::OctetString(string.into_bytes())),
            (1023, |text| Value::TextWithLanguage(LanguageString { language: "en".into(), text })),
            (255, |text| Value::NameWithLanguage(LanguageString { language: "en".into(), text })),
            (63, |language| Value::NameWithLanguage(LanguageString { language, text: "x".into() })),
        ] {
            assert_eq!(with_value(build(long(max))), StatusCode::SuccessfulOk);
            assert_eq!(with_value(build(long(max + 1))), StatusCode::ClientErrorRequestValueTooLong);
        }
        assert_eq!(status(&request().job(long(255), 1)), StatusCode::SuccessfulOk);
        assert_eq!(status(&request().job(long(256), 1)), StatusCode::ClientErrorRequestValueTooLong);
    }

    #[test]
    fn octets_fit_their_syntax() {
        let opaque = |tag, octets: &[u8]| Value::Other(Opaque::new(tag, octets).unwrap());
        assert_eq!(with_value(opaque(ValueTag::Integer, &[0; 5])), StatusCode::ClientErrorBadRequest);
        assert_eq!(with_value(opaque(ValueTag::Boolean, &[2])), StatusCode::ClientErrorBadRequest);
        assert_eq!(with_value(opaque(ValueTag::Keyword, &[0xff])), StatusCode::ClientErrorBadRequest);
        let long = opaque(ValueTag::TextWithoutLanguage, &[0xff; 2000]);
        assert_eq!(with_value(long), StatusCode::ClientErrorRequestValueTooLong);
        // unknown syntaxes are not ours to judge
        assert_eq!(with_value(opaque(ValueTag::Extension, &[0; 2000])), StatusCode::SuccessfulOk);
    }

    #[test]
    fn the_answer_repeats_what_was_asked() {
        let mut bad = request();
        bad.request_id = 0;
        let answer = bad.check_request().unwrap_err().response(&bad);
        assert_eq!((answer.request_id, answer.status_code()), (0, StatusCode::ClientErrorBadRequest));
        assert!(answer.operation_attribute("status-message").unwrap().text().unwrap().contains("request-id"));
    }
}
