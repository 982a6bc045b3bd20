//! "requested-attributes": which of the attributes a client wants (RFC 8011 section 4.2.5.1).

use std::collections::HashSet;

use tympan_ipp::{Attribute, GroupTag, Message};

/// Which named group of attributes one belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `printer-description` or `job-description`
    Description,
    /// `job-template`
    Template,
    /// Given only by its own name: `media-col-database`.
    OnlyByName,
}

/// What was asked for.
pub(crate) struct Requested {
    description: bool,
    template: bool,
    names: HashSet<String>,
}

impl Requested {
    /// Reads the operation attribute; without it, `default` names what is given.
    pub(crate) fn of(message: &Message, default: &[&str]) -> Self {
        match message.get(GroupTag::Operation, "requested-attributes") {
            Some(attribute) => Self::new(attribute.strings().map(str::to_owned).collect()),
            None => Self::of_names(default),
        }
    }

    /// These names.
    pub(crate) fn of_names(names: &[&str]) -> Self {
        Self::new(names.iter().map(|n| (*n).to_owned()).collect())
    }

    fn new(names: HashSet<String>) -> Self {
        let all = names.contains("all");
        Self {
            description: all || names.contains("printer-description") || names.contains("job-description"),
            template: all || names.contains("job-template"),
            names,
        }
    }

    /// Whether an attribute is wanted.
    pub(crate) fn wants(&self, kind: Kind, name: &str) -> bool {
        let by_group = match kind {
            Kind::Description => self.description,
            Kind::Template => self.template,
            Kind::OnlyByName => false,
        };
        by_group || self.names.contains(name)
    }

    /// The attributes that are wanted.
    pub(crate) fn filter(&self, all: Vec<(Kind, Attribute)>) -> Vec<Attribute> {
        all.into_iter().filter(|(kind, attribute)| self.wants(*kind, &attribute.name)).map(|(_, a)| a).collect()
    }
}
