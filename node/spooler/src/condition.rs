//! A printer's state out of Get-Printer-Attributes: reasons, trays, inks (RFC 8011 5.4, PWG 5100.13).

use tympan_engine::{Condition, Marker, Reachability, Tray};
use tympan_ipp::media::{self, Size};
use tympan_ipp::{Attribute, Group, PrinterState, Value};

/// What is asked for.
pub const ATTRIBUTES: &[&str] = &[
    "printer-state",
    "printer-state-reasons",
    "printer-state-message",
    "printer-is-accepting-jobs",
    "printer-up-time",
    "printer-input-tray",
    "media-ready",
    "media-col-ready",
    "marker-names",
    "marker-colors",
    "marker-types",
    "marker-levels",
    "marker-low-levels",
];

/// More trays, inks or reasons than any device has.
const COUNT_MAX: usize = 100;
/// Characters kept of a text for people.
const TEXT_MAX: usize = 200;

/// Reads the condition.
///
/// # Errors
/// A sentence about what makes no sense.
pub fn read(group: &Group) -> Result<Condition, String> {
    let state = group.get("printer-state").and_then(Attribute::enum_);
    let state = state.ok_or("Its answer does not say its state.")?;
    let state = PrinterState::from_number(state)
        .ok_or_else(|| format!("It says it is in state {state}, which does not exist."))?;
    let reasons: Vec<String> = strings(group, "printer-state-reasons").filter(|reason| reason != "none").collect();
    if reasons.len() > COUNT_MAX {
        return Err("It gives more than 100 reasons for its state.".into());
    }
    let accepting = match group.get("printer-is-accepting-jobs") {
        Some(attribute) => attribute.boolean().ok_or("It does not say clearly whether it accepts jobs.")?,
        None => true,
    };
    let markers = markers(group)?;
    let trays = trays(group)?;
    let message = group.get("printer-state-message").and_then(Attribute::text).unwrap_or_default();
    Ok(Condition {
        reachability: Reachability::Answering,
        state,
        reasons,
        accepting,
        trays,
        markers,
        message: for_people(message),
        ..Condition::default()
    })
}

fn strings<'a>(group: &'a Group, name: &str) -> impl Iterator<Item = String> + 'a {
    group.get(name).into_iter().flat_map(Attribute::strings).map(for_people)
}

/// One line without control characters, of bounded length.
fn for_people(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_MAX).collect::<String>().trim().to_owned()
}

fn markers(group: &Group) -> Result<Vec<Marker>, String> {
    let names: Vec<String> = strings(group, "marker-names").collect();
    let list = |name| strings(group, name).collect::<Vec<_>>();
    let numbers = |name| group.get(name).map(|attribute| attribute.integers().collect::<Vec<_>>()).unwrap_or_default();
    let (colors, kinds) = (list("marker-colors"), list("marker-types"));
    let (levels, lows) = (numbers("marker-levels"), numbers("marker-low-levels"));
    if names.len() > COUNT_MAX || levels.len() > COUNT_MAX {
        return Err("It names more than 100 inks.".into());
    }
    if levels.iter().any(|level| *level > 100 || *level < -3) {
        return Err("It gives an ink level that is no percentage.".into());
    }
    // Negative: not available, unknown, some left (RFC 3805 prtMarkerSuppliesLevel).
    let percent = |level: Option<&i32>| level.and_then(|level| u8::try_from(*level).ok());
    Ok((0..names.len().max(levels.len()))
        .map(|n| {
            let color = colors.get(n).cloned().unwrap_or_default();
            Marker {
                name: names
                    .get(n)
                    .filter(|name| !name.is_empty())
                    .cloned()
                    .unwrap_or_else(|| format!("marker {}", n + 1)),
                color: match color.as_str() {
                    "no-value" => "none".into(),
                    _ => color,
                },
                kind: kinds.get(n).cloned().unwrap_or_default(),
                level: percent(levels.get(n)),
                low: percent(lows.get(n)),
            }
        })
        .collect())
}

fn trays(group: &Group) -> Result<Vec<Tray>, String> {
    let loaded = loaded(group);
    let told: Vec<Told> = group
        .get("printer-input-tray")
        .into_iter()
        .flat_map(|attribute| &attribute.values)
        .filter_map(|value| match value {
            Value::OctetString(octets) => Told::read(&String::from_utf8_lossy(octets)),
            _ => None,
        })
        .collect();
    if told.len() > COUNT_MAX || loaded.len() > COUNT_MAX {
        return Err("It names more than 100 trays.".into());
    }
    if told.is_empty() {
        // What is ready is loaded; a tray that ran empty is not named at all, only in the reasons.
        return Ok(loaded
            .into_iter()
            .map(|loaded| Tray {
                name: loaded.source.unwrap_or_else(|| media::called(&loaded.media)),
                media: Some(loaded.media),
                level: None,
                capacity: None,
                empty: false,
            })
            .collect());
    }
    Ok(told
        .into_iter()
        // "Automatic" stands for the other trays; it holds no paper of its own.
        .filter(|tray| !tray.name.eq_ignore_ascii_case("auto"))
        .map(|tray| Tray {
            media: tray.media(&loaded),
            empty: tray.level == Some(0),
            name: tray.name,
            level: tray.level,
            capacity: tray.capacity,
        })
        .collect())
}

/// One medium that is ready.
struct Loaded {
    media: String,
    source: Option<String>,
}

fn loaded(group: &Group) -> Vec<Loaded> {
    let mut loaded = Vec::new();
    for collection in group.get("media-col-ready").into_iter().flat_map(Attribute::collections) {
        let Some(size) = Size::from_media_col(collection) else {
            continue;
        };
        let source = collection.get("media-source").and_then(Attribute::string).map(for_people);
        loaded.push(Loaded { media: size.name(), source });
    }
    if loaded.is_empty() {
        loaded.extend(strings(group, "media-ready").map(|media| Loaded { media, source: None }));
    }
    loaded
}

/// One value of "printer-input-tray" (PWG 5100.13 section 5.6.7): `type=…;mediafeed=…;level=…;name=…;`.
struct Told {
    name: String,
    size: Option<(i64, i64)>,
    level: Option<u32>,
    capacity: Option<u32>,
}

impl Told {
    fn read(text: &str) -> Option<Self> {
        let mut tray = Self { name: String::new(), size: None, level: None, capacity: None };
        let (mut feed, mut cross_feed) = (0i64, 0i64);
        for pair in text.split(';') {
            let Some((key, value)) = pair.split_once('=') else {
                continue;
            };
            let number = value.trim().parse::<i64>().ok();
            let count = number.and_then(|number| u32::try_from(number).ok());
            match key.trim().to_ascii_lowercase().as_str() {
                "name" => tray.name = for_people(value),
                "level" => tray.level = count,
                "maxcapacity" => tray.capacity = count,
                "mediafeed" => feed = number.unwrap_or(0),
                "mediaxfeed" => cross_feed = number.unwrap_or(0),
                _ => {}
            }
        }
        if feed > 0 && cross_feed > 0 {
            tray.size = Some((cross_feed, feed));
        }
        (!tray.name.is_empty() || tray.level.is_some()).then_some(tray)
    }

    /// What lies in it: by its name among the media that are ready, else by its own measures.
    fn media(&self, loaded: &[Loaded]) -> Option<String> {
        let plain = |text: &str| text.to_ascii_lowercase().replace([' ', '_'], "-");
        let name = plain(&self.name);
        let by_name = loaded.iter().find(|loaded| loaded.source.as_deref().is_some_and(|source| plain(source) == name));
        if let Some(found) = by_name {
            return Some(found.media.clone());
        }
        let (x, y) = self.size?;
        // Devices count in 1/100 mm, micrometres or 1/10,000 inch, and few say in which.
        [(1, 1), (1, 10), (127, 500)].into_iter().find_map(|(times, by)| {
            let size = Size::new(i32::try_from(x * times / by).ok()?, i32::try_from(y * times / by).ok()?);
            let name = media::find(size).or_else(|| media::find(size.turned()))?;
            Some(name.to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tympan_engine::condition::Needs;
    use tympan_engine::{ColorMode, Trouble};
    use tympan_ipp::{Collection, GroupTag};

    fn group() -> Group {
        Group::new(GroupTag::Printer)
            .with("printer-state", PrinterState::Idle)
            .with("printer-state-reasons", Value::keyword("none"))
            .with("printer-is-accepting-jobs", true)
    }

    fn tray(text: &str) -> Value {
        Value::octet_string(text.as_bytes())
    }

    #[test]
    fn a07_an_empty_tray_is_known_by_its_level_and_medium() {
        let ready = |size: Size, source: &str| {
            Value::Collection(
                Collection::new().with("media-size", size.to_media_size()).with("media-source", Value::keyword(source)),
            )
        };
        let group = group()
            .with("media-col-ready", [ready(Size::A4, "tray-1"), ready(Size::new(14_800, 21_000), "tray-2")])
            .with(
                "printer-input-tray",
                [
                    tray("type=sheetFeedAutoNonRemovableTray;mediafeed=29700;mediaxfeed=21000;maxcapacity=250;level=0;status=0;name=tray-1;"),
                    tray("type=sheetFeedAutoNonRemovableTray;maxcapacity=100;level=42;status=0;name=Tray 2;"),
                ],
            );
        let condition = read(&group).unwrap();
        assert_eq!(condition.trays.len(), 2);
        assert!(condition.trays[0].empty);
        assert_eq!(condition.trays[1].media.as_deref(), Some("iso_a5_148x210mm"));
        assert_eq!(condition.trays[1].level, Some(42));
        let a4 = Needs { media: Some("iso_a4_210x297mm".into()), color: None };
        assert!(matches!(condition.trouble_for(&a4), Some(Trouble::NoPaper { .. })));
        let a5 = Needs { media: Some("iso_a5_148x210mm".into()), color: None };
        assert_eq!(condition.trouble_for(&a5), None);
    }

    #[test]
    fn measures_of_a_tray_are_read_in_any_of_the_usual_units() {
        for (feed, cross) in [(29_700, 21_000), (297_000, 210_000), (116_929, 82_677)] {
            let told = Told::read(&format!("mediafeed={feed};mediaxfeed={cross};level=-3;name=x")).unwrap();
            assert_eq!(told.media(&[]).as_deref(), Some("iso_a4_210x297mm"), "{feed}");
            assert_eq!(told.level, None);
        }
    }

    #[test]
    fn a07_an_empty_colour_stops_colour_but_not_black() {
        let group = group()
            .with("marker-names", Value::names(["Cyan Toner", "Black Toner"]))
            .with("marker-colors", Value::names(["#00FFFF", "#000000"]))
            .with("marker-types", Value::keywords(["toner", "toner"]))
            .with("marker-levels", Value::integers([0, -3]));
        let condition = read(&group).unwrap();
        assert_eq!(condition.markers[1].level, None);
        let black = Needs { media: None, color: Some(ColorMode::Monochrome) };
        assert_eq!(condition.trouble_for(&black), None);
        let trouble = condition.trouble_for(&Needs::default());
        assert_eq!(trouble, Some(Trouble::NoInk { color: Some("cyan".into()) }));
    }

    #[test]
    fn nonsense_is_told_in_a_sentence() {
        let broken = Group::new(GroupTag::Printer).with("printer-state", Value::Enum(77));
        assert!(read(&broken).unwrap_err().contains("77"));
        assert!(read(&Group::new(GroupTag::Printer)).is_err());
        let many = group().with("marker-levels", Value::integers((0..200).map(|_| 5)));
        assert!(read(&many).is_err());
        let level = group().with("marker-levels", Value::integers([-50_000]));
        assert!(read(&level).is_err());
        let accepting = Group::new(GroupTag::Printer)
            .with("printer-state", PrinterState::Idle)
            .with("printer-is-accepting-jobs", Value::keyword("maybe"));
        assert!(read(&accepting).is_err());
    }
}
