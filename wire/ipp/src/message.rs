//! A whole message in memory: version, code, request-id and ordered groups (RFC 8010 section 3.1).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::attribute::{Attribute, Values};
use crate::operation::Operation;
use crate::status_code::StatusCode;
use crate::tag::GroupTag;
use crate::value::Value;

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Changes when messages can no longer be read by older programs.
    pub major: u8,
    /// Grows with additions.
    pub minor: u8,
}

impl Version {
    /// 1.0
    pub const V1_0: Self = Self { major: 1, minor: 0 };
    /// 1.1 (RFC 8011)
    pub const V1_1: Self = Self { major: 1, minor: 1 };
    /// 2.0 (PWG 5100.12)
    pub const V2_0: Self = Self { major: 2, minor: 0 };
    /// 2.1 (PWG 5100.12)
    pub const V2_1: Self = Self { major: 2, minor: 1 };
    /// 2.2 (PWG 5100.12)
    pub const V2_2: Self = Self { major: 2, minor: 2 };

    /// Whether messages of this version can be read: majors 1 and 2, any minor (RFC 8011 section 4.1.8).
    #[must_use]
    pub const fn is_supported(self) -> bool {
        matches!(self.major, 1 | 2)
    }

    /// The version to answer with: the same, or the nearest that we know.
    #[must_use]
    pub const fn nearest(self) -> Self {
        match (self.major, self.minor) {
            (0, _) => Self::V1_1,
            (1, 0) => Self::V1_0,
            (1, _) => Self::V1_1,
            (2, 0) => Self::V2_0,
            (2, 1) => Self::V2_1,
            _ => Self::V2_2,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)
    }
}

/// Attributes under one group tag, in the order of the wire.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Group {
    /// What the attributes describe.
    pub tag: GroupTag,
    /// The attributes; a group may be empty.
    pub attributes: Vec<Attribute>,
}

impl Group {
    /// An empty group.
    #[must_use]
    pub const fn new(tag: GroupTag) -> Self {
        Self { tag, attributes: Vec::new() }
    }

    /// Adds an attribute at the end.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, values: impl Into<Values>) -> Self {
        self.push(name, values);
        self
    }

    /// Adds an attribute at the end.
    pub fn push(&mut self, name: impl Into<String>, values: impl Into<Values>) {
        self.attributes.push(Attribute::new(name, values));
    }

    /// The first attribute of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// A request or a response without its document data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    /// The version that the sender speaks.
    pub version: Version,
    /// The operation-id of a request, the status-code of a response.
    pub code: u16,
    /// Chosen by the client, 1 or above; the response repeats it.
    pub request_id: u32,
    /// The groups in the order of the wire.
    pub groups: Vec<Group>,
}

impl Message {
    /// A request to a printer, IPP/2.0, in UTF-8 and English.
    pub fn request(operation: Operation, request_id: u32, printer_uri: impl Into<String>) -> Self {
        Self::request_to(operation, request_id, "printer-uri", printer_uri)
    }

    /// A request to another target: `target` is "printer-uri", "job-uri" or "system-uri".
    pub fn request_to(operation: Operation, request_id: u32, target: &str, uri: impl Into<String>) -> Self {
        Self::begin(Version::V2_0, operation.0, request_id, "en").operation(target, Value::uri(uri))
    }

    /// The response to a request, in its version if we know it, else the nearest.
    #[must_use]
    pub fn response(status: StatusCode, request: &Self) -> Self {
        Self::response_to(status, request.version, request.request_id)
    }

    /// The response to a request of which only the first eight octets are known.
    #[must_use]
    pub fn response_to(status: StatusCode, version: Version, request_id: u32) -> Self {
        Self::begin(version.nearest(), status.0, request_id, "en")
    }

    fn begin(version: Version, code: u16, request_id: u32, language: &str) -> Self {
        let operation = Group::new(GroupTag::Operation)
            .with("attributes-charset", Value::charset("utf-8"))
            .with("attributes-natural-language", Value::natural_language(language));
        Self { version, code, request_id, groups: alloc::vec![operation] }
    }

    /// Speaks another version.
    #[must_use]
    pub const fn in_version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// States another "attributes-natural-language".
    #[must_use]
    pub fn in_language(mut self, language: impl Into<String>) -> Self {
        let language = Value::natural_language(language);
        if let Some(attribute) = self.get_mut(GroupTag::Operation, "attributes-natural-language") {
            attribute.values = alloc::vec![language];
            self
        } else {
            self.operation("attributes-natural-language", language)
        }
    }

    /// Adds an attribute to the last group of this tag, which is begun if there is none.
    #[must_use]
    pub fn with(mut self, group: GroupTag, name: impl Into<String>, values: impl Into<Values>) -> Self {
        self.push(group, name, values);
        self
    }

    /// Adds an operation attribute.
    #[must_use]
    pub fn operation(self, name: impl Into<String>, values: impl Into<Values>) -> Self {
        self.with(GroupTag::Operation, name, values)
    }

    /// Adds a job attribute to the last job group.
    #[must_use]
    pub fn job(self, name: impl Into<String>, values: impl Into<Values>) -> Self {
        self.with(GroupTag::Job, name, values)
    }

    /// Adds a printer attribute to the last printer group.
    #[must_use]
    pub fn printer(self, name: impl Into<String>, values: impl Into<Values>) -> Self {
        self.with(GroupTag::Printer, name, values)
    }

    /// Adds a text(255) "status-message" to the operation attributes of a response.
    #[must_use]
    pub fn status_message(self, message: impl Into<String>) -> Self {
        self.operation("status-message", Value::Text(crate::value::cut(message.into(), 255)))
    }

    /// Adds a group at the end: each job of a list has its own.
    #[must_use]
    pub fn with_group(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    /// Adds an attribute to the last group of this tag, which is begun if there is none.
    ///
    /// It is begun at the end; only the unsupported attributes come right after the operation attributes
    /// (RFC 8011 section 4.1.7).
    pub fn push(&mut self, group: GroupTag, name: impl Into<String>, values: impl Into<Values>) {
        let found = self.groups.iter().rposition(|candidate| candidate.tag == group);
        let at = found.unwrap_or_else(|| self.begin_group(group));
        self.groups[at].push(name, values);
    }

    fn begin_group(&mut self, tag: GroupTag) -> usize {
        let first = self.groups.first().map(|group| group.tag);
        let at = match (tag, first) {
            (GroupTag::Unsupported, Some(GroupTag::Operation)) => 1,
            (GroupTag::Unsupported, _) => 0,
            _ => self.groups.len(),
        };
        self.groups.insert(at, Group::new(tag));
        at
    }

    /// The code as the operation of a request.
    #[must_use]
    pub const fn operation_id(&self) -> Operation {
        Operation(self.code)
    }

    /// The code as the status of a response.
    #[must_use]
    pub const fn status_code(&self) -> StatusCode {
        StatusCode(self.code)
    }

    /// The first group of this tag.
    #[must_use]
    pub fn group(&self, tag: GroupTag) -> Option<&Group> {
        self.groups.iter().find(|group| group.tag == tag)
    }

    /// Every group of this tag.
    pub fn groups(&self, tag: GroupTag) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(move |group| group.tag == tag)
    }

    /// An attribute of the first group of this tag.
    #[must_use]
    pub fn get(&self, group: GroupTag, name: &str) -> Option<&Attribute> {
        self.group(group)?.get(name)
    }

    fn get_mut(&mut self, group: GroupTag, name: &str) -> Option<&mut Attribute> {
        let group = self.groups.iter_mut().find(|candidate| candidate.tag == group)?;
        group.attributes.iter_mut().find(|attribute| attribute.name == name)
    }

    /// An attribute of the operation group.
    #[must_use]
    pub fn operation_attribute(&self, name: &str) -> Option<&Attribute> {
        self.get(GroupTag::Operation, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_begins_with_charset_language_and_target() {
        let request = Message::request(Operation::PrintJob, 7, "ipp://h/ipp/print").in_language("ja");
        let names: Vec<_> = request.groups[0].attributes.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names, ["attributes-charset", "attributes-natural-language", "printer-uri"]);
        assert_eq!(request.operation_attribute("attributes-natural-language").unwrap().string(), Some("ja"));
    }

    #[test]
    fn a_response_repeats_request_id_and_version_or_the_nearest() {
        let mut request = Message::request(Operation::PrintJob, 7, "ipp://h/ipp/print");
        assert_eq!(Message::response(StatusCode::SuccessfulOk, &request).version, Version::V2_0);
        for (asked, answered) in
            [((0, 0), (1, 1)), ((1, 9), (1, 1)), ((2, 9), (2, 2)), ((3, 0), (2, 2)), ((1, 0), (1, 0))]
        {
            request.version = Version { major: asked.0, minor: asked.1 };
            let answer = Message::response(StatusCode::ClientErrorNotFound, &request);
            assert_eq!((answer.version.major, answer.version.minor), answered);
            assert_eq!((answer.request_id, answer.code), (7, 0x0406));
        }
    }

    #[test]
    fn each_job_of_a_list_keeps_its_own_group() {
        let answer = Message::response_to(StatusCode::SuccessfulOk, Version::V2_0, 1)
            .with_group(Group::new(GroupTag::Job).with("job-id", 1))
            .with_group(Group::new(GroupTag::Job).with("job-id", 2))
            .job("job-state", Value::Enum(5));
        let ids: Vec<_> = answer.groups(GroupTag::Job).map(|group| group.get("job-id").unwrap().integer()).collect();
        assert_eq!(ids, [Some(1), Some(2)]);
        assert!(answer.groups[1].get("job-state").is_none());
        assert_eq!(answer.groups[2].get("job-state").unwrap().enum_(), Some(5));
    }

    #[test]
    fn unsupported_attributes_stand_before_the_object() {
        let answer = Message::response_to(StatusCode::SuccessfulOk, Version::V2_0, 1).job("job-id", 1).with(
            GroupTag::Unsupported,
            "sides",
            Value::Unsupported,
        );
        let tags: Vec<_> = answer.groups.iter().map(|group| group.tag).collect();
        assert_eq!(tags, [GroupTag::Operation, GroupTag::Unsupported, GroupTag::Job]);
    }
}
