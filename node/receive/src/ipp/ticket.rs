//! What a client asks for, held against what the printer can do (RFC 8011 section 5.2, PWG 5100.14).

use tympan_engine::{ColorMode, DeviceProfile, JobOptions, PageRange, Sides};
use tympan_ipp::media::{self, Size};
use tympan_ipp::{Attribute, GroupTag, Message, Value};

/// Sides differ by so much at most, in 1/100 mm, and are still the same paper.
const SIZE_TOLERANCE: i32 = 50;

/// A job's options, and what of the request they leave out.
#[derive(Debug, Default)]
pub(super) struct Ticket {
    pub(super) options: JobOptions,
    /// It waits until its sender lets it go ("job-hold-until" is `indefinite`).
    pub(super) held: bool,
    /// For the unsupported-attributes group.
    pub(super) unsupported: Vec<Attribute>,
}

/// What may stand in a job ("job-creation-attributes-supported").
pub(super) const ATTRIBUTES: [&str; 12] = [
    "copies",
    "finishings",
    "ipp-attribute-fidelity",
    "job-hold-until",
    "job-name",
    "media",
    "media-col",
    "multiple-document-handling",
    "page-ranges",
    "print-color-mode",
    "print-quality",
    "sides",
];

/// The only way in which copies come out.
pub(super) const DOCUMENT_HANDLING: &str = "separate-documents-collated-copies";
/// "job-hold-until-supported", the default first.
pub(super) const HOLD_UNTIL: [&str; 2] = ["no-hold", "indefinite"];
/// "print-quality": normal.
pub(super) const QUALITY: i32 = 4;
/// "finishings": none.
pub(super) const FINISHING: i32 = 3;

/// "print-color-mode-supported", the default first.
pub(super) const fn color_modes(profile: &DeviceProfile) -> &'static [&'static str] {
    if profile.color { &["auto", "color", "monochrome"] } else { &["auto", "monochrome"] }
}

/// "sides-supported", the default first.
pub(super) const fn sides(profile: &DeviceProfile) -> &'static [&'static str] {
    if profile.duplex { &["one-sided", "two-sided-long-edge", "two-sided-short-edge"] } else { &["one-sided"] }
}

/// Reads the job template attributes of a request; they stand in the job group.
pub(super) fn read(message: &Message, profile: &DeviceProfile) -> Ticket {
    let mut ticket = Ticket::default();
    for attribute in message.groups(GroupTag::Job).flat_map(|group| &group.attributes) {
        let taken = match attribute.name.as_str() {
            "job-hold-until" => {
                let word = attribute.value().and_then(Value::as_str).unwrap_or_default();
                ticket.held = word == HOLD_UNTIL[1];
                Some(HOLD_UNTIL.contains(&word))
            }
            _ => take(&mut ticket.options, attribute, profile),
        };
        match taken {
            Some(true) => {}
            Some(false) => ticket.unsupported.push(attribute.clone()),
            None => ticket.unsupported.push(Attribute::new(attribute.name.as_str(), Value::Unsupported)),
        }
    }
    ticket
}

/// Takes one attribute; `Some(false)` for a value that is not supported, `None` for an attribute that is not.
fn take(options: &mut JobOptions, attribute: &Attribute, profile: &DeviceProfile) -> Option<bool> {
    let Some(value) = attribute.value() else {
        return Some(false);
    };
    let word = value.as_str().unwrap_or_default();
    Some(match attribute.name.as_str() {
        "copies" => match value.as_integer().and_then(|copies| u16::try_from(copies).ok()) {
            Some(copies) if (1..=tympan_engine::options::COPIES_MAX).contains(&copies) => {
                options.copies = Some(copies);
                true
            }
            _ => false,
        },
        "finishings" => attribute.enums().all(|finishing| finishing == FINISHING),
        "media" => {
            options.media = profile.media.iter().find(|name| *name == word).cloned();
            options.media.is_some()
        }
        "media-col" => {
            let size = value.as_collection().and_then(Size::from_media_col);
            let name = size.and_then(|size| medium(profile, size));
            // Without a size, it says nothing about the paper.
            let nothing = value.as_collection().is_some_and(|col| col.members.is_empty());
            options.media = name.or_else(|| options.media.take());
            nothing || options.media.is_some()
        }
        "multiple-document-handling" => word == DOCUMENT_HANDLING,
        "page-ranges" => match ranges(attribute) {
            Some(pages) => {
                options.pages = pages;
                true
            }
            None => false,
        },
        "print-color-mode" => {
            options.color = match word {
                "monochrome" => Some(ColorMode::Monochrome),
                "color" => Some(ColorMode::Color),
                _ => None,
            };
            color_modes(profile).contains(&word)
        }
        "print-quality" => value.as_enum() == Some(QUALITY),
        "sides" => {
            options.sides = match word {
                "one-sided" => Some(Sides::OneSided),
                "two-sided-long-edge" => Some(Sides::TwoSidedLongEdge),
                "two-sided-short-edge" => Some(Sides::TwoSidedShortEdge),
                _ => None,
            };
            sides(profile).contains(&word)
        }
        _ => return None,
    })
}

/// The medium of this size that the printer has a name for.
fn medium(profile: &DeviceProfile, size: Size) -> Option<String> {
    let fits = |name: &&String| media::size_of(name).is_some_and(|known| known.is_near(size, SIZE_TOLERANCE));
    profile.media.iter().find(fits).cloned()
}

/// Ranges from 1, ascending and apart, as RFC 8011 section 5.2.7 asks.
fn ranges(attribute: &Attribute) -> Option<Vec<PageRange>> {
    let mut pages: Vec<PageRange> = Vec::new();
    for range in attribute.ranges() {
        let page = PageRange { first: u32::try_from(range.lower).ok()?, last: u32::try_from(range.upper).ok()? };
        if page.first <= pages.last().map_or(0, |before| before.last) || page.last < page.first {
            return None;
        }
        pages.push(page);
    }
    (!pages.is_empty() && pages.len() == attribute.values.len()).then_some(pages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tympan_ipp::{Operation, Values};

    fn read_one(name: &str, values: impl Into<Values>) -> Ticket {
        let profile = DeviceProfile {
            media: vec!["iso_a4_210x297mm".into(), "iso_a5_148x210mm".into()],
            duplex: true,
            color: true,
            ..DeviceProfile::assumed(&["application/pdf"])
        };
        read(&Message::request(Operation::PrintJob, 1, "ipp://h/ipp/print/office").job(name, values), &profile)
    }

    #[test]
    fn what_is_supported_becomes_an_option() {
        assert_eq!(read_one("copies", 3).options.copies, Some(3));
        assert_eq!(
            read_one("media", Value::keyword("iso_a5_148x210mm")).options.media.as_deref(),
            Some("iso_a5_148x210mm")
        );
        assert_eq!(
            read_one("sides", Value::keyword("two-sided-short-edge")).options.sides,
            Some(Sides::TwoSidedShortEdge)
        );
        assert_eq!(
            read_one("print-color-mode", Value::keyword("monochrome")).options.color,
            Some(ColorMode::Monochrome)
        );
        let pages = read_one("page-ranges", [Value::range(1, 2), Value::range(5, 5)]).options.pages;
        assert_eq!(pages, [PageRange { first: 1, last: 2 }, PageRange { first: 5, last: 5 }]);
        let a5 = tympan_ipp::Collection::new().with("media-size", Size::new(14_800, 21_000).to_media_size());
        assert_eq!(read_one("media-col", a5).options.media.as_deref(), Some("iso_a5_148x210mm"));
    }

    #[test]
    fn what_is_not_supported_is_told() {
        for (name, value) in [
            ("copies", Value::Integer(0)),
            ("copies", Value::Integer(100)),
            ("copies", Value::keyword("2")),
            ("media", Value::keyword("iso_a0_841x1189mm")),
            ("sides", Value::keyword("three-sided")),
            ("page-ranges", Value::range(3, 1)),
            ("page-ranges", Value::range(0, 1)),
            ("print-quality", Value::Enum(5)),
            ("finishings", Value::Enum(4)),
        ] {
            assert_eq!(read_one(name, value.clone()).unsupported, [Attribute::new(name, value)]);
        }
        let until = |word| read_one("job-hold-until", Value::keyword(word));
        assert!(until("indefinite").held && !until("no-hold").held);
        assert_eq!(until("night").unsupported.len(), 1);
        assert_eq!(read_one("number-up", 2).unsupported, [Attribute::new("number-up", Value::Unsupported)]);
    }
}
