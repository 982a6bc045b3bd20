//! What a client asks for, held against what the printer can do (RFC 8011 section 5.2).

use tympan_ipp::{Attribute, Collection, GroupTag, Message, Value};
use tympan_raster::sheet_back::Sides;

use super::attributes::supported_names;
use super::capabilities::{
    CONTENT_OPTIMIZES, COPIES_MAX, DOCUMENT_HANDLING, MEDIA_TYPES, ORIENTATIONS, OUTPUT_BIN, QUALITIES,
    RENDERING_INTENTS, SCALINGS, color_modes, sides,
};
use crate::model::{Media, MediaSize, Ticket, Tray};
use crate::options::DeviceOptions;

/// A ticket, and what of the request it leaves out.
pub(super) struct ReadTicket {
    pub(super) ticket: Ticket,
    /// For the unsupported-attributes group.
    pub(super) unsupported: Vec<Attribute>,
}

/// Reads the Job Template attributes of a request; they stand in the job group.
pub(super) fn read(message: &Message, options: &DeviceOptions, trays: &[Tray]) -> ReadTicket {
    let mut read = ReadTicket { ticket: Ticket::default(), unsupported: Vec::new() };
    let operation = |name: &str| message.operation_attribute(name).and_then(Attribute::value).and_then(Value::as_text);
    if let Some(user) = operation("requesting-user-name").filter(|u| !u.is_empty()) {
        read.ticket.user = user.to_owned();
    }
    if let Some(name) = operation("job-name").or_else(|| operation("document-name")).filter(|n| !n.is_empty()) {
        read.ticket.job_name = name.to_owned();
    }
    for attribute in message.groups(GroupTag::Job).flat_map(|group| &group.attributes) {
        match take(&mut read.ticket, attribute, options, trays) {
            Taken::Yes => read.ticket.template.push(attribute.clone()),
            Taken::BadValue => read.unsupported.push(attribute.clone()),
            Taken::Unknown => read.unsupported.push(Attribute::new(attribute.name.as_str(), Value::Unsupported)),
        }
    }
    read
}

enum Taken {
    Yes,
    BadValue,
    Unknown,
}

fn known(fits: bool) -> Taken {
    if fits { Taken::Yes } else { Taken::BadValue }
}

fn take(ticket: &mut Ticket, attribute: &Attribute, options: &DeviceOptions, trays: &[Tray]) -> Taken {
    let Some(value) = attribute.value() else {
        return Taken::BadValue;
    };
    let one_of = |words: &[&str]| value.as_str().is_some_and(|word| words.contains(&word));
    match attribute.name.as_str() {
        "copies" => match value.as_integer() {
            Some(copies) if (1..=COPIES_MAX).contains(&copies) => {
                ticket.copies = copies as u32;
                Taken::Yes
            }
            _ => Taken::BadValue,
        },
        "finishings" => known(attribute.enums().all(|finishing| finishing == 3)),
        "media" => match value.as_str().filter(|name| supported_names(trays).iter().any(|n| n == name)) {
            Some(name) => {
                ticket.media = Media::from_name(name);
                known(ticket.media.is_some())
            }
            None => Taken::BadValue,
        },
        "media-col" => known(value.as_collection().is_some_and(|col| take_media_col(ticket, col, trays))),
        "multiple-document-handling" => known(one_of(DOCUMENT_HANDLING)),
        "orientation-requested" => {
            ticket.orientation = value.as_enum().filter(|n| ORIENTATIONS.contains(n));
            known(ticket.orientation.is_some())
        }
        "output-bin" => known(one_of(&[OUTPUT_BIN])),
        "page-ranges" => match page_ranges(attribute) {
            Some(ranges) if options.renderer.is_some() => {
                ticket.page_ranges = ranges;
                Taken::Yes
            }
            _ => Taken::BadValue,
        },
        "print-color-mode" => {
            ticket.monochrome = value.as_str() == Some("monochrome");
            known(one_of(color_modes(options.is_color())))
        }
        "print-content-optimize" => known(one_of(CONTENT_OPTIMIZES)),
        "print-quality" => {
            ticket.quality = value.as_enum().filter(|n| QUALITIES.contains(n));
            known(ticket.quality.is_some())
        }
        "print-rendering-intent" => known(one_of(RENDERING_INTENTS)),
        "print-scaling" => {
            ticket.scaling = value.as_str().filter(|word| SCALINGS.contains(word)).map(str::to_owned);
            known(ticket.scaling.is_some())
        }
        "printer-resolution" => {
            let dpi = attribute.resolution().and_then(|r| r.to_dpi()).filter(|(x, y)| x == y).map(|(x, _)| x as u32);
            ticket.resolution = dpi.filter(|dpi| options.resolutions.contains(dpi));
            known(ticket.resolution.is_some())
        }
        "sides" => {
            if !one_of(sides(options.duplex)) {
                return Taken::BadValue;
            }
            ticket.sides = value.as_str().and_then(Sides::from_keyword).unwrap_or_default();
            Taken::Yes
        }
        _ => Taken::Unknown,
    }
}

fn take_media_col(ticket: &mut Ticket, col: &Collection, trays: &[Tray]) -> bool {
    if let Some(source) = col.get("media-source").and_then(Attribute::value).and_then(Value::as_str) {
        if source != "auto" && !trays.iter().any(|tray| tray.name == source) {
            return false;
        }
        ticket.media_source = Some(source.to_owned());
    }
    if let Some(kind) = col.get("media-type").and_then(Attribute::value).and_then(Value::as_str)
        && !MEDIA_TYPES.contains(&kind)
    {
        return false;
    }
    let named = col.get("media-size-name").and_then(Attribute::value).and_then(Value::as_str);
    let sized = col.get("media-size").and_then(Attribute::collection).and_then(|size| {
        let side = |name| size.get(name).and_then(Attribute::integer).and_then(|n| u32::try_from(n).ok());
        Some(MediaSize { x: side("x-dimension")?, y: side("y-dimension")? })
    });
    let wanted = match (sized, named) {
        (Some(size), _) => size,
        (None, Some(name)) => match MediaSize::from_name(name) {
            Some(size) => size,
            None => return false,
        },
        (None, None) => return true,
    };
    let media =
        supported_names(trays).into_iter().find_map(|name| Media::from_name(&name).filter(|m| m.size.fits(wanted)));
    ticket.media = media;
    ticket.media.is_some()
}

/// Ranges from 1, ascending and apart, as RFC 8011 section 5.2.7 asks.
fn page_ranges(attribute: &Attribute) -> Option<Vec<(u32, u32)>> {
    let mut ranges = Vec::new();
    let mut last = 0;
    for range in attribute.ranges() {
        if range.lower <= last || range.upper < range.lower {
            return None;
        }
        last = range.upper;
        ranges.push((range.lower as u32, range.upper as u32));
    }
    (ranges.len() == attribute.values.len()).then_some(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tympan_ipp::{Operation, Values};

    fn read_one(name: &str, values: impl Into<Values>) -> ReadTicket {
        let message = Message::request(Operation::PrintJob, 1, "ipp://h/ipp/print").job(name, values);
        let mut options = DeviceOptions::new("x");
        options.renderer = Some(tympan_render::Renderer::new("worker", ["worker"]));
        let trays = options.trays.clone();
        read(&message, &options, &trays)
    }

    #[test]
    fn what_is_supported_is_taken() {
        assert_eq!(read_one("copies", 3).ticket.copies, 3);
        assert_eq!(read_one("media", Value::keyword("iso_a5_148x210mm")).ticket.media, Some(Media::a5()));
        assert_eq!(read_one("sides", Value::keyword("two-sided-short-edge")).ticket.sides, Sides::TwoSidedShortEdge);
        assert!(read_one("print-color-mode", Value::keyword("monochrome")).ticket.monochrome);
        let ranges = read_one("page-ranges", [Value::range(1, 2), Value::range(5, 5)]).ticket;
        assert_eq!(ranges.page_ranges, [(1, 2), (5, 5)]);
        assert!(ranges.wants_page(5) && !ranges.wants_page(3));
        let col = Collection::new()
            .with("media-size", Collection::new().with("x-dimension", 21_000).with("y-dimension", 29_700))
            .with("media-source", Value::keyword("tray-1"));
        let ticket = read_one("media-col", col).ticket;
        assert_eq!((ticket.media, ticket.media_source.as_deref()), (Some(Media::a4()), Some("tray-1")));
    }

    #[test]
    fn what_is_not_supported_is_told() {
        for (name, value) in [
            ("copies", Value::Integer(0)),
            ("copies", Value::keyword("2")),
            ("media", Value::keyword("iso_a0_841x1189mm")),
            ("sides", Value::keyword("three-sided")),
            ("page-ranges", Value::range(3, 1)),
            ("page-ranges", Value::range(0, 1)),
            ("printer-resolution", Value::Resolution(tympan_ipp::Resolution::dpi(1200))),
            ("finishings", Value::Enum(4)),
        ] {
            let read = read_one(name, value.clone());
            assert_eq!(read.unsupported, [Attribute::new(name, value)]);
            assert!(read.ticket.template.is_empty());
        }
        assert_eq!(read_one("number-up", 2).unsupported, [Attribute::new("number-up", Value::Unsupported)]);
    }
}
