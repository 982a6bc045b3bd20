//! What a client asks for, held against what the printer can do (RFC 8011 section 5.2, PWG 5100.7, PWG 5100.13).

use tympan_engine::options::NUMBER_UP;
use tympan_engine::{
    ColorMode, DeviceProfile, JobOptions, Millis, Orientation, Override, PageRange, Quality, Scaling, Sides, Timestamp,
};
use tympan_ipp::media::{self, Size};
use tympan_ipp::{Attribute, Collection, Group, GroupTag, Message, Value};

use super::abilities::{self, Abilities};

/// Sides differ by so much at most, in 1/100 mm, and are still the same paper.
const SIZE_TOLERANCE: i32 = 50;

/// Values of "overrides" in one job.
const OVERRIDES_MAX: usize = 100;

/// "job-priority-default".
pub(super) const PRIORITY: u8 = 50;

/// Until when a job is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// Until somebody lets it go.
    Indefinite,
    /// Until then.
    Until(Timestamp),
}

/// A job's options, and what of the request they leave out.
#[derive(Debug, Default)]
pub(super) struct Ticket {
    pub(super) options: JobOptions,
    /// Whether it waits, and until when.
    pub(super) hold: Option<Hold>,
    /// What said so; read when it is known what time it is.
    holding: Option<Attribute>,
    /// "job-priority".
    pub(super) priority: Option<u8>,
    /// For the unsupported-attributes group.
    pub(super) unsupported: Vec<Attribute>,
}

impl Ticket {
    /// Finds out until when the job is held. `offset_secs`: the local time is so many seconds ahead of UTC.
    pub(super) fn set_time(&mut self, now: Timestamp, offset_secs: i32) {
        let Some(attribute) = self.holding.take() else {
            return;
        };
        match hold(&attribute, now, offset_secs) {
            Some(hold) => self.hold = hold,
            None => self.unsupported.push(attribute),
        }
    }
}

/// Reads the job template attributes of a group of a request.
pub(super) fn read(message: &Message, group: GroupTag, profile: &DeviceProfile) -> Ticket {
    let mut ticket = Ticket::default();
    let abilities = Abilities::of(profile);
    for attribute in message.groups(group).flat_map(|group| &group.attributes) {
        let taken = match attribute.name.as_str() {
            "job-hold-until" | "job-hold-until-time" => {
                ticket.holding = Some(attribute.clone());
                Some(true)
            }
            "job-priority" => {
                let priority = attribute.integer().and_then(|priority| u8::try_from(priority).ok());
                ticket.priority = priority.filter(|priority| (1..=100).contains(priority));
                Some(ticket.priority.is_some())
            }
            // Of Set-Job-Attributes; creation takes the operation attribute.
            "job-name" => Some(true),
            _ => take(&mut ticket.options, attribute, profile, &abilities),
        };
        match taken {
            Some(true) => {}
            Some(false) => ticket.unsupported.push(attribute.clone()),
            None => ticket.unsupported.push(Attribute::new(attribute.name.as_str(), Value::Unsupported)),
        }
    }
    ticket
}

/// Takes back what is to be set anew, or removed ("delete-attribute").
pub(super) fn reset(options: &mut JobOptions, group: &Group) {
    for attribute in &group.attributes {
        match attribute.name.as_str() {
            "copies" => options.copies = None,
            "media" | "media-col" => {
                options.media = None;
                options.media_source = None;
                options.media_type = None;
                options.margins = None;
            }
            "multiple-document-handling" => options.handling = None,
            "number-up" => options.number_up = None,
            "orientation-requested" => options.orientation = None,
            "print-color-mode" => options.color = None,
            "print-quality" => options.quality = None,
            "print-scaling" => options.scaling = None,
            "printer-resolution" => options.resolution = None,
            "overrides" => options.overrides = Vec::new(),
            "sides" => options.sides = None,
            _ => {}
        }
    }
}

/// Takes one attribute; `Some(false)` for a value that is not supported, `None` for an attribute that is not.
fn take(
    options: &mut JobOptions,
    attribute: &Attribute,
    profile: &DeviceProfile,
    abilities: &Abilities<'_>,
) -> Option<bool> {
    let value = attribute.value();
    if value == Some(&Value::DeleteAttribute) {
        return Some(true);
    }
    let Some(value) = value else {
        return Some(false);
    };
    let word = value.as_str().unwrap_or_default();
    Some(match attribute.name.as_str() {
        "copies" => {
            let copies = value.as_integer().and_then(|copies| u16::try_from(copies).ok());
            options.copies = copies.filter(|copies| (1..=tympan_engine::options::COPIES_MAX).contains(copies));
            options.copies.is_some()
        }
        "finishings" => attribute.enums().all(|finishing| finishing == abilities::FINISHING),
        "job-sheets" => word == abilities::JOB_SHEETS,
        "media" => {
            options.media = profile.media.iter().find(|name| *name == word).cloned();
            options.media.is_some()
        }
        "media-col" => value.as_collection().is_some_and(|col| media_col(options, col, profile, abilities)),
        "multiple-document-handling" => {
            options.handling = abilities.handlings.iter().copied().find(|handling| handling.as_str() == word);
            options.handling.is_some()
        }
        "number-up" => {
            let number = value.as_integer().and_then(|number| u16::try_from(number).ok());
            options.number_up = number.filter(|number| NUMBER_UP.contains(number));
            options.number_up.is_some()
        }
        "orientation-requested" => {
            options.orientation = value.as_enum().and_then(orientation);
            options.orientation.is_some()
        }
        "output-bin" => abilities.output_bins.contains(&word),
        "overrides" => match attribute.collections().map(overriding).collect::<Option<Vec<_>>>() {
            Some(overrides) if overrides.len() == attribute.values.len() && overrides.len() <= OVERRIDES_MAX => {
                options.overrides = overrides;
                true
            }
            _ => false,
        },
        "page-ranges" => ranges(attribute).map(|pages| options.pages = pages).is_some(),
        "print-color-mode" => {
            options.color = match word {
                "monochrome" => Some(ColorMode::Monochrome),
                "color" => Some(ColorMode::Color),
                _ => None,
            };
            abilities.color_modes.contains(&word)
        }
        "print-content-optimize" => word == abilities::CONTENT_OPTIMIZE,
        "print-rendering-intent" => word == abilities::RENDERING_INTENT,
        "print-quality" => {
            options.quality = value.as_enum().and_then(Quality::from_number);
            options.quality.is_some()
        }
        "print-scaling" => {
            options.scaling = scaling(word);
            options.scaling.is_some()
        }
        "printer-resolution" => {
            let dpi = attribute.resolution().and_then(tympan_ipp::Resolution::to_dpi);
            let dpi = dpi.filter(|(cross, feed)| cross == feed).and_then(|(dpi, _)| u32::try_from(dpi).ok());
            options.resolution = dpi.filter(|dpi| abilities.resolutions.contains(dpi));
            options.resolution.is_some()
        }
        "sides" => {
            options.sides = match word {
                "one-sided" => Some(Sides::OneSided),
                "two-sided-long-edge" => Some(Sides::TwoSidedLongEdge),
                "two-sided-short-edge" => Some(Sides::TwoSidedShortEdge),
                _ => None,
            };
            abilities.sides.contains(&word)
        }
        _ => return None,
    })
}

/// "orientation-requested".
pub(super) fn orientation(number: i32) -> Option<Orientation> {
    match number {
        3 => Some(Orientation::Portrait),
        4 => Some(Orientation::Landscape),
        5 => Some(Orientation::ReverseLandscape),
        6 => Some(Orientation::ReversePortrait),
        _ => None,
    }
}

/// "print-scaling".
fn scaling(word: &str) -> Option<Scaling> {
    match word {
        "auto" => Some(Scaling::Auto),
        "auto-fit" => Some(Scaling::AutoFit),
        "fill" => Some(Scaling::Fill),
        "fit" => Some(Scaling::Fit),
        "none" => Some(Scaling::None),
        _ => None,
    }
}

/// Reads one value of "overrides"; `None` when something in it is not possible.
fn overriding(col: &Collection) -> Option<Override> {
    let mut one = Override::default();
    for member in &col.members {
        match member.name.as_str() {
            // Both spellings are in use.
            "document-number" | "document-numbers" => one.documents = numbers(member)?,
            "pages" => one.pages = numbers(member)?,
            "orientation-requested" => one.orientation = Some(member.enum_().and_then(orientation)?),
            "print-scaling" => one.scaling = Some(scaling(member.string()?)?),
            _ => return None,
        }
    }
    Some(one)
}

/// Ranges, or single numbers.
fn numbers(attribute: &Attribute) -> Option<Vec<PageRange>> {
    if attribute.integers().next().is_some() {
        let one = |number: i32| u32::try_from(number).ok().filter(|number| *number > 0);
        return attribute
            .integers()
            .map(|number| one(number).map(|page| PageRange { first: page, last: page }))
            .collect();
    }
    ranges(attribute)
}

/// Reads "media-col"; false when something in it is not possible. What fits is taken all the same.
fn media_col(options: &mut JobOptions, col: &Collection, profile: &DeviceProfile, abilities: &Abilities<'_>) -> bool {
    let mut fits = true;
    if let Some(size) = Size::from_media_col(col) {
        options.media = medium(profile, size);
        fits &= options.media.is_some();
    }
    let mut margins = abilities.margins;
    let mut has_margins = false;
    for member in &col.members {
        let word = member.string().unwrap_or_default();
        match member.name.as_str() {
            "media-size" => fits &= options.media.is_some(),
            "media-size-name" => {
                options.media = profile.media.iter().find(|name| *name == word).cloned();
                fits &= options.media.is_some();
            }
            "media-source" => {
                options.media_source = abilities.media_sources.contains(&word).then(|| word.to_owned());
                fits &= options.media_source.is_some();
                // "auto" says nothing.
                options.media_source = options.media_source.take().filter(|source| source != "auto");
            }
            "media-type" => {
                options.media_type = abilities.media_types.contains(&word).then(|| word.to_owned());
                fits &= options.media_type.is_some();
            }
            edge => {
                match ["left", "right", "top", "bottom"].iter().position(|name| edge == format!("media-{name}-margin"))
                {
                    Some(place) => match member.integer().and_then(|margin| u32::try_from(margin).ok()) {
                        Some(margin) if margin <= 5_000 => {
                            has_margins = true;
                            margins[place] = margin;
                        }
                        _ => fits = false,
                    },
                    None => fits = false,
                }
            }
        }
    }
    if has_margins && margins != abilities.margins {
        options.margins = Some(margins);
        fits &= margins != [0; 4] || profile.borderless;
    }
    fits
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

/// Reads "job-hold-until" or "job-hold-until-time". `Some(None)`: it is not held; `None`: that is no time.
#[allow(clippy::option_option)]
pub(super) fn hold(attribute: &Attribute, now: Timestamp, offset_secs: i32) -> Option<Option<Hold>> {
    if attribute.name == "job-hold-until-time" {
        let at = attribute.date_time()?.unix_secs()?;
        let at = Timestamp(u64::try_from(at).unwrap_or(0) * 1000);
        return Some((at > now).then_some(Hold::Until(at)));
    }
    match attribute.string()? {
        "no-hold" => Some(None),
        "indefinite" => Some(Some(Hold::Indefinite)),
        word => {
            let until = hours(word)?.next(now, offset_secs);
            Some(until.map(Hold::Until))
        }
    }
}

/// Hours of the day or days of the week during which a job is printed.
struct Hours {
    /// Hours from midnight; `to` before `from` goes over midnight.
    from: u64,
    to: u64,
    weekend: bool,
}

/// The hours that a keyword of "job-hold-until" means (RFC 8011 section 5.2.2 names them; the hours are those of CUPS).
fn hours(word: &str) -> Option<Hours> {
    let (from, to) = match word {
        "day-time" => (6, 18),
        "evening" | "night" => (18, 6),
        "second-shift" => (16, 24),
        "third-shift" => (0, 8),
        "weekend" => (0, 24),
        _ => return None,
    };
    Some(Hours { from, to, weekend: word == "weekend" })
}

impl Hours {
    /// When they begin next; `None`: it is that time now.
    fn next(&self, now: Timestamp, offset_secs: i32) -> Option<Timestamp> {
        const HOUR: Millis = tympan_engine::time::HOUR;
        const DAY: Millis = tympan_engine::time::DAY;
        let offset = i64::from(offset_secs) * 1000;
        let local = u64::try_from(i64::try_from(now.0).unwrap_or(i64::MAX).saturating_add(offset)).unwrap_or(0);
        let (day, in_day) = (local / DAY, local % DAY);
        let to_utc = |local: u64| Timestamp(u64::try_from(i64::try_from(local).unwrap_or(0) - offset).unwrap_or(0));
        if self.weekend {
            // The first day of 1970 was a Thursday: Monday is 0.
            let weekday = (day + 3) % 7;
            return (weekday < 5).then(|| to_utc((day + 5 - weekday) * DAY));
        }
        let (from, to) = (self.from * HOUR, self.to * HOUR);
        let is_now = if from < to { (from..to).contains(&in_day) } else { in_day >= from || in_day < to };
        if is_now {
            return None;
        }
        let day = if in_day < from { day } else { day + 1 };
        Some(to_utc(day * DAY + from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tympan_engine::Handling;
    use tympan_ipp::{Operation, Resolution, Values};

    fn profile() -> DeviceProfile {
        DeviceProfile {
            media: vec!["iso_a4_210x297mm".into(), "iso_a5_148x210mm".into()],
            duplex: true,
            color: true,
            media_sources: vec!["tray-1".into(), "tray-2".into()],
            media_types: vec!["stationery".into(), "photographic".into()],
            resolutions: vec![300, 600],
            ..DeviceProfile::assumed(&["application/pdf"])
        }
    }

    fn read_one(name: &str, values: impl Into<Values>) -> Ticket {
        let request = Message::request(Operation::PrintJob, 1, "ipp://h/ipp/print/office").job(name, values);
        let mut ticket = read(&request, GroupTag::Job, &profile());
        ticket.set_time(Timestamp(0), 0);
        ticket
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
        assert_eq!(read_one("number-up", 4).options.number_up, Some(4));
        assert_eq!(read_one("orientation-requested", Value::Enum(4)).options.orientation, Some(Orientation::Landscape));
        assert_eq!(read_one("print-quality", Value::Enum(5)).options.quality, Some(Quality::High));
        assert_eq!(read_one("print-scaling", Value::keyword("fill")).options.scaling, Some(Scaling::Fill));
        assert_eq!(read_one("printer-resolution", Resolution::dpi(600)).options.resolution, Some(600));
        assert_eq!(read_one("job-priority", 80).priority, Some(80));
        assert_eq!(
            read_one("multiple-document-handling", Value::keyword("single-document")).options.handling,
            Some(Handling::SingleDocument)
        );
        for (name, value) in [
            ("finishings", Value::Enum(3)),
            ("job-sheets", Value::keyword("none")),
            ("output-bin", Value::keyword("face-down")),
            ("print-content-optimize", Value::keyword("auto")),
            ("print-rendering-intent", Value::keyword("auto")),
        ] {
            assert!(read_one(name, value).unsupported.is_empty(), "{name}");
        }
    }

    #[test]
    fn overrides_say_which_pages_lie_otherwise() {
        let pages = Collection::new().with("pages", Value::range(2, 3)).with("document-number", 1);
        let ticket = read_one("overrides", pages.clone().with("orientation-requested", Value::Enum(4)));
        assert!(ticket.unsupported.is_empty());
        assert_eq!(ticket.options.placing(1, 2).0, Some(Orientation::Landscape));
        assert_eq!(ticket.options.placing(1, 4).0, None);
        for wrong in
            [pages.clone().with("media", Value::keyword("x")), Collection::new().with("pages", Value::range(3, 2))]
        {
            assert_eq!(read_one("overrides", wrong).unsupported.len(), 1);
        }
    }

    #[test]
    fn a_media_col_says_size_tray_kind_and_edges() {
        let size = |x, y| Collection::new().with("media-size", Size::new(x, y).to_media_size());
        let a5 = size(14_800, 21_000);
        assert_eq!(read_one("media-col", a5.clone()).options.media.as_deref(), Some("iso_a5_148x210mm"));
        let all = a5
            .with("media-source", Value::keyword("tray-2"))
            .with("media-type", Value::keyword("photographic"))
            .with("media-top-margin", 1000);
        let ticket = read_one("media-col", all);
        assert!(ticket.unsupported.is_empty());
        let options = ticket.options;
        assert_eq!(options.media_source.as_deref(), Some("tray-2"));
        assert_eq!(options.media_type.as_deref(), Some("photographic"));
        assert_eq!(options.margins, Some([423, 423, 1000, 423]));
        for wrong in [
            size(10, 10),
            Collection::new().with("media-source", Value::keyword("tray-9")),
            Collection::new().with("media-color", Value::keyword("blue")),
            Collection::new().with("media-left-margin", -1),
        ] {
            assert_eq!(read_one("media-col", wrong).unsupported.len(), 1);
        }
        assert!(read_one("media-col", Collection::new()).unsupported.is_empty());
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
            ("print-quality", Value::Enum(6)),
            ("number-up", Value::Integer(3)),
            ("orientation-requested", Value::Enum(7)),
            ("job-priority", Value::Integer(0)),
            ("finishings", Value::Enum(4)),
            ("job-hold-until", Value::keyword("tomorrow")),
            ("multiple-document-handling", Value::keyword("separate-documents-uncollated-copies")),
            ("printer-resolution", Resolution::dpi(1200).into()),
        ] {
            assert_eq!(read_one(name, value.clone()).unsupported, [Attribute::new(name, value)]);
        }
        assert_eq!(read_one("font-size", 2).unsupported, [Attribute::new("font-size", Value::Unsupported)]);
    }

    #[test]
    fn a_job_is_held_for_ever_until_an_hour_or_not() {
        let until = |word| read_one("job-hold-until", Value::keyword(word)).hold;
        assert_eq!((until("no-hold"), until("indefinite")), (None, Some(Hold::Indefinite)));
        // Midnight of a Thursday.
        let hour = |hour: u64| Some(Hold::Until(Timestamp(hour * 3_600_000)));
        assert_eq!((until("day-time"), until("night"), until("third-shift")), (hour(6), None, None));
        assert_eq!((until("second-shift"), until("weekend")), (hour(16), hour(48)));
        let at = |secs| tympan_ipp::DateTime::from_unix_secs(secs);
        assert_eq!(read_one("job-hold-until-time", Value::DateTime(at(3600))).hold, hour(1));
        let attribute = Attribute::new("job-hold-until", Value::keyword("day-time"));
        // Four in the morning at Greenwich is one in the afternoon in Japan.
        assert_eq!(hold(&attribute, Timestamp(4 * 3_600_000), 9 * 3600), Some(None));
        let late = hold(&attribute, Timestamp(12 * 3_600_000), 9 * 3600);
        assert_eq!(late, Some(hour(21)), "six in the morning in Japan");
    }
}
