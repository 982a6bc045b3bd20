//! What the IANA registry "Internet Printing Protocol (IPP) Registrations" knows about attributes.
//!
//! [`attribute`] and [`member`] give syntaxes, [`keywords`] and [`enum_name`] the registered values. What is not
//! registered is not wrong: vendors add their own. The tables beside this file and `definition.rs` are written by
//! `examples/generate_registry.rs`; do not edit them by hand.

/// Adds one documented constant per keyword.
macro_rules! keyword_constants {
    ($($constant:ident = $keyword:literal,)*) => {
        $(
            #[doc = concat!("`", $keyword, "`")]
            pub const $constant: &str = $keyword;
        )*

        /// Every keyword above, sorted.
        pub const ALL: &[&str] = &[$($keyword,)*];
    };
}


#[rustfmt::skip]
mod attributes;
mod definition;
#[rustfmt::skip]
mod enums;
#[rustfmt::skip]
pub mod job_state_reason;
#[rustfmt::skip]
mod keywords;
#[rustfmt::skip]
pub(crate) mod media_sizes;
#[rustfmt::skip]
mod members;
#[rustfmt::skip]
mod operations;
#[rustfmt::skip]
pub mod printer_state_reason;
#[rustfmt::skip]
mod status_codes;

use alloc::vec::Vec;

pub use definition::{Definition, Kind, Section};

/// The definition of an attribute in one section of the registry.
#[must_use]
pub fn attribute(section: Section, name: &str) -> Option<&'static Definition> {
    let table = attributes::ATTRIBUTES;
    let at = table.binary_search_by(|row| (row.section, row.name).cmp(&(Some(section), name))).ok()?;
    table.get(at)
}

/// The definitions of an attribute in all sections.
pub fn definitions(name: &str) -> impl Iterator<Item = &'static Definition> {
    Section::ALL.iter().filter_map(move |section| attribute(*section, name))
}

/// Every attribute of one section, sorted by name.
#[must_use]
pub fn section(section: Section) -> &'static [Definition] {
    let table = attributes::ATTRIBUTES;
    let begin = table.partition_point(|row| row.section < Some(section));
    let end = table.partition_point(|row| row.section <= Some(section));
    &table[begin..end]
}

/// The definition of a collection's member; `collection` is the name of the attribute or member that holds it.
#[must_use]
pub fn member(collection: &str, name: &str) -> Option<&'static Definition> {
    let table = members::MEMBERS;
    let direct = |collection: &str| {
        let at = table.binary_search_by(|row| (row.0, row.1.name).cmp(&(collection, name))).ok()?;
        table.get(at).map(|row| &row.1)
    };
    direct(collection).or_else(|| {
        reachable(members::SAME_AS, collection).into_iter().skip(1).find_map(|source| match source {
            "Job Template" => attribute(Section::JobTemplate, name),
            source => direct(source),
        })
    })
}

/// Whether a printer's attribute belongs to the group "job-template" of "requested-attributes".
///
/// These are the "-default", "-ready" and "-supported" of a job template attribute, and "media-col-database".
#[must_use]
pub fn is_job_template(name: &str) -> bool {
    ["-default", "-ready", "-supported", "-database"]
        .iter()
        .any(|suffix| name.strip_suffix(suffix).is_some_and(|name| attribute(Section::JobTemplate, name).is_some()))
}

/// The keywords registered for an attribute or member, without obsolete ones.
#[must_use]
pub fn keywords(attribute: &str) -> Vec<&'static str> {
    let mut all = Vec::new();
    for source in reachable(keywords::SAME_AS, attribute) {
        if let Ok(at) = keywords::KEYWORDS.binary_search_by(|row| row.0.cmp(source)) {
            all.extend_from_slice(keywords::KEYWORDS[at].1);
        }
    }
    all
}

/// Whether a keyword is registered for an attribute or member.
#[must_use]
pub fn is_keyword(attribute: &str, keyword: &str) -> bool {
    keywords(attribute).contains(&keyword)
}

/// The numbers and names registered for an attribute or member of syntax enum.
#[must_use]
pub fn enums(attribute: &str) -> &'static [(i32, &'static str)] {
    for source in reachable(enums::SAME_AS, attribute) {
        if let Ok(at) = enums::ENUMS.binary_search_by(|row| row.0.cmp(source)) {
            return enums::ENUMS[at].1;
        }
    }
    &[]
}

/// The registered name of an enum's number: 4 of "finishings" is "staple".
#[must_use]
pub fn enum_name(attribute: &str, number: i32) -> Option<&'static str> {
    enums(attribute).iter().find(|row| row.0 == number).map(|row| row.1)
}

/// The number of an enum's registered name.
#[must_use]
pub fn enum_number(attribute: &str, name: &str) -> Option<i32> {
    enums(attribute).iter().find(|row| row.1 == name).map(|row| row.0)
}

/// A name and all that the table says it is the same as, nearest first, each once.
fn reachable<'a>(table: &[(&'static str, &'static str)], name: &'a str) -> Vec<&'a str> {
    let mut found = alloc::vec![name];
    let mut at = 0;
    while let Some(name) = found.get(at).copied() {
        let begin = table.partition_point(|row| row.0 < name);
        for (_, source) in table[begin..].iter().take_while(|row| row.0 == name) {
            if !found.contains(source) {
                found.push(source);
            }
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Collection, Operation, StatusCode, Value};
    use std::string::ToString;

    #[test]
    fn tables_are_sorted_so_that_look_ups_find_every_row() {
        for row in attributes::ATTRIBUTES {
            let found = attribute(row.section.unwrap(), row.name).unwrap();
            assert!(core::ptr::eq(found, row), "{}", row.name);
        }
        for (collection, row) in members::MEMBERS {
            assert!(core::ptr::eq(member(collection, row.name).unwrap(), row), "{collection} {}", row.name);
        }
        for (attribute, values) in keywords::KEYWORDS {
            assert_eq!(keywords(attribute)[..values.len()], **values, "{attribute}");
        }
        for (attribute, values) in enums::ENUMS {
            assert_eq!(enums(attribute), *values);
        }
        for table in [keywords::SAME_AS, enums::SAME_AS, members::SAME_AS] {
            assert!(table.is_sorted());
        }
        assert!(Operation::ALL.is_sorted() && StatusCode::ALL.is_sorted());
    }

    #[test]
    fn operations_and_status_codes_have_their_registered_names() {
        assert_eq!(Operation::GetPrinterAttributes.0, 0x000b);
        assert_eq!(Operation::UpdateOutputDeviceAttributes.to_string(), "Update-Output-Device-Attributes");
        assert_eq!(Operation::from_name("print-job"), Some(Operation::PrintJob));
        assert_eq!(Operation(0x4001).to_string(), "0x4001");
        assert_eq!(StatusCode(0x040b).as_str(), "client-error-attributes-or-values-not-supported");
        assert_eq!(StatusCode::ServerErrorTooManyJobs.0, 0x050b);
    }

    #[test]
    fn attributes_have_their_registered_syntax() {
        let copies = attribute(Section::JobTemplate, "copies").unwrap();
        assert!(copies.accepts(&Value::Integer(1)) && !copies.accepts(&Value::Integer(0)));
        assert!(!copies.set_of && !copies.obsolete);
        let media = attribute(Section::JobTemplate, "media").unwrap();
        assert!(media.accepts(&Value::keyword("iso_a4_210x297mm")) && media.accepts(&Value::name("Letterhead")));
        assert!(!media.accepts(&Value::text("x")));
        let geo = attribute(Section::PrinterDescription, "printer-geo-location").unwrap();
        assert!(geo.accepts(&Value::Unknown) && !geo.accepts(&Value::NoValue));
        let supported = attribute(Section::PrinterDescription, "operations-supported").unwrap();
        assert!(supported.set_of && supported.accepts(&Value::Enum(2)));
        assert!(attribute(Section::JobTemplate, "job-finishings").unwrap().obsolete);
        assert_eq!(attribute(Section::JobTemplate, "printer-state"), None);
        assert_eq!(definitions("job-state").count(), 3);
        assert!(section(Section::SystemStatus).iter().all(|row| row.section == Some(Section::SystemStatus)));
        assert_eq!(Section::ALL.iter().map(|one| section(*one).len()).sum::<usize>(), attributes::ATTRIBUTES.len());
    }

    #[test]
    fn members_are_found_through_references() {
        assert!(member("media-size", "x-dimension").is_some());
        for collection in ["media-col", "media-col-default", "media-col-database", "media-col-actual"] {
            let size = member(collection, "media-size").unwrap();
            assert!(size.accepts(&Value::Collection(Collection::new())), "{collection}");
        }
        assert!(member("job-constraints-supported", "sides").is_some());
        assert_eq!(member("media-col", "sides"), None);
    }

    #[test]
    fn keywords_and_enums_are_found_through_references() {
        assert!(is_keyword("printer-state-reasons", "media-empty"));
        assert!(is_keyword("media-default", "na_letter_8.5x11in"));
        assert!(!is_keyword("media", "na-letter"), "obsolete");
        assert_eq!(keywords("sides-supported"), ["one-sided", "two-sided-long-edge", "two-sided-short-edge"]);
        assert_eq!(enum_name("finishings-supported", 4), Some("staple"));
        assert_eq!(enum_number("print-quality", "high"), Some(5));
        assert_eq!(enum_name("output-device-job-states", 9), Some("completed"));
        assert_eq!(enums("no-such-attribute"), []);
        assert_eq!(printer_state_reason::MEDIA_EMPTY, "media-empty");
        assert!(job_state_reason::ALL.contains(&job_state_reason::JOB_HOLD_UNTIL_SPECIFIED));
    }

    #[test]
    fn a_printers_template_attributes_are_told_from_its_description() {
        for name in ["copies-default", "media-supported", "media-ready", "media-col-database"] {
            assert!(is_job_template(name), "{name}");
        }
        for name in ["printer-name", "document-format-default", "operations-supported", "copies"] {
            assert!(!is_job_template(name), "{name}");
        }
    }

    #[test]
    fn states_agree_with_the_registry() {
        for state in crate::JobState::ALL {
            assert_eq!(enum_name("job-state", state.number()), Some(state.as_str()));
        }
        for state in crate::PrinterState::ALL {
            assert_eq!(enum_name("printer-state", state.number()), Some(state.as_str()));
        }
        for state in crate::DocumentState::ALL {
            assert_eq!(enum_name("document-state", state.number()), Some(state.as_str()));
        }
    }
}
