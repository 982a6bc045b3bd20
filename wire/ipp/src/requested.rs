//! "requested-attributes": which attributes an answer holds (RFC 8011 sections 4.2.5.1, 4.2.6.1 and 4.3.4.1).

use alloc::vec::Vec;

use crate::message::{Group, Message};
use crate::registry::{self, Section};
use crate::tag::GroupTag;

/// The names and groups of names that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedAttributes<'a> {
    names: Vec<&'a str>,
}

impl<'a> RequestedAttributes<'a> {
    /// What a request asks for, or the default of its operation: `["all"]`, but in Get-Jobs `["job-uri", "job-id"]`.
    #[must_use]
    pub fn of(request: &'a Message, default: &[&'a str]) -> Self {
        let names = request
            .operation_attribute("requested-attributes")
            .map_or_else(|| default.to_vec(), |attribute| attribute.strings().collect());
        Self { names }
    }

    /// Whether an attribute of an object was asked for, by its name or in a group of names.
    ///
    /// `object` is the group in which the attribute travels. "media-col-database" must be asked for by its name
    /// (PWG 5100.7): no group of names holds it.
    #[must_use]
    pub fn wants(&self, object: GroupTag, name: &str) -> bool {
        self.names.iter().any(|asked| {
            if *asked == name {
                return true;
            }
            if name == "media-col-database" {
                return false;
            }
            match *asked {
                "all" => true,
                "printer-description" => object == GroupTag::Printer && !registry::is_job_template(name),
                "job-template" if object == GroupTag::Printer => registry::is_job_template(name),
                "job-template" => object == GroupTag::Job && in_section(Section::JobTemplate, name),
                "job-description" => object == GroupTag::Job && !in_section(Section::JobTemplate, name),
                "document-template" => object == GroupTag::Document && in_section(Section::DocumentTemplate, name),
                "document-description" => object == GroupTag::Document && !in_section(Section::DocumentTemplate, name),
                "subscription-template" => {
                    object == GroupTag::Subscription && in_section(Section::SubscriptionTemplate, name)
                }
                "subscription-description" => {
                    object == GroupTag::Subscription && !in_section(Section::SubscriptionTemplate, name)
                }
                "system-description" => object == GroupTag::System && in_section(Section::SystemDescription, name),
                "system-status" => object == GroupTag::System && in_section(Section::SystemStatus, name),
                _ => false,
            }
        })
    }

    /// The group with only the attributes that were asked for.
    #[must_use]
    pub fn filter(&self, mut group: Group) -> Group {
        group.attributes.retain(|attribute| self.wants(group.tag, &attribute.name));
        group
    }
}

fn in_section(section: Section, name: &str) -> bool {
    registry::attribute(section, name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Operation, Value};

    fn asked(names: &[&str]) -> Vec<std::string::String> {
        let mut request = Message::request(Operation::GetPrinterAttributes, 1, "ipp://h/");
        if !names.is_empty() {
            request = request.operation("requested-attributes", Value::keywords(names.iter().copied()));
        }
        let printer = Group::new(GroupTag::Printer)
            .with("printer-name", Value::name("p"))
            .with("media-default", Value::keyword("iso_a4_210x297mm"))
            .with("media-col-database", Value::NoValue)
            .with("vendor-thing", 1);
        let filtered = RequestedAttributes::of(&request, &["all"]).filter(printer);
        filtered.attributes.into_iter().map(|attribute| attribute.name).collect()
    }

    #[test]
    fn groups_of_names_hold_all_but_the_media_database() {
        assert_eq!(asked(&[]), ["printer-name", "media-default", "vendor-thing"]);
        assert_eq!(asked(&["all"]), asked(&[]));
        assert_eq!(asked(&["job-template"]), ["media-default"]);
        assert_eq!(asked(&["printer-description"]), ["printer-name", "vendor-thing"]);
        assert_eq!(asked(&["all", "media-col-database"]).len(), 4);
        assert_eq!(asked(&["media-col-database", "printer-name"]), ["printer-name", "media-col-database"]);
        assert_eq!(asked(&["none"]).len() + asked(&["no-such-name"]).len(), 0);
    }

    #[test]
    fn jobs_are_listed_by_id_and_uri_unless_asked() {
        let request = Message::request(Operation::GetJobs, 1, "ipp://h/");
        let wanted = RequestedAttributes::of(&request, &["job-uri", "job-id"]);
        assert!(wanted.wants(GroupTag::Job, "job-id") && !wanted.wants(GroupTag::Job, "job-state"));
        let request = request.operation("requested-attributes", Value::keywords(["job-template"]));
        let wanted = RequestedAttributes::of(&request, &["all"]);
        assert!(wanted.wants(GroupTag::Job, "copies") && !wanted.wants(GroupTag::Job, "job-state"));
    }
}
