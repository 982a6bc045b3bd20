//! What a printer can do: the device behind it, and what the server adds.

use tympan_engine::options::{COPIES_MAX, NUMBER_UP};
use tympan_engine::{DeviceProfile, Handling, Printer, Quality};
use tympan_ipp::media::{self, Size};
use tympan_ipp::{Collection, Group, Resolution, Value, Values};

use super::ticket::PRIORITY;

/// "finishings": none.
pub(super) const FINISHING: i32 = 3;
/// "job-sheets".
pub(super) const JOB_SHEETS: &str = "none";
/// "print-content-optimize".
pub(super) const CONTENT_OPTIMIZE: &str = "auto";
/// "print-rendering-intent".
pub(super) const RENDERING_INTENT: &str = "auto";
/// "orientation-requested".
const ORIENTATIONS: [i32; 4] = [3, 4, 5, 6];
/// "print-scaling".
const SCALINGS: [&str; 5] = ["auto", "auto-fit", "fill", "fit", "none"];
/// "job-hold-until".
const HOLD_UNTIL: [&str; 8] =
    ["no-hold", "indefinite", "day-time", "evening", "night", "second-shift", "third-shift", "weekend"];
/// "pwg-raster-document-type-supported": what comes is drawn anew for the device.
const RASTER_TYPES: [&str; 3] = ["black_1", "sgray_8", "srgb_8"];
/// Resolutions of raster that comes in, in dots per inch.
const RASTER_DPI: [i32; 3] = [150, 300, 600];

/// "overrides-supported".
const OVERRIDES: [&str; 5] = ["document-number", "document-numbers", "orientation-requested", "pages", "print-scaling"];

/// What may stand in a job ("job-creation-attributes-supported").
pub(super) const ATTRIBUTES: [&str; 30] = [
    "copies",
    "document-format",
    "document-name",
    "finishings",
    "ipp-attribute-fidelity",
    "job-hold-until",
    "job-hold-until-time",
    "job-name",
    "job-password",
    "job-password-encryption",
    "job-priority",
    "job-release-action",
    "job-sheets",
    "media",
    "media-col",
    "multiple-document-handling",
    "number-up",
    "orientation-requested",
    "output-bin",
    "overrides",
    "page-ranges",
    "print-color-mode",
    "print-content-optimize",
    "print-quality",
    "print-rendering-intent",
    "print-scaling",
    "printer-resolution",
    "sides",
    "compression",
    "requesting-user-name",
];

/// The values that a printer takes; the defaults come first.
pub(super) struct Abilities<'a> {
    pub(super) color_modes: &'static [&'static str],
    pub(super) sides: &'static [&'static str],
    pub(super) handlings: Vec<Handling>,
    pub(super) output_bins: Vec<&'a str>,
    pub(super) media_sources: Vec<&'a str>,
    pub(super) media_types: Vec<&'a str>,
    pub(super) resolutions: Vec<u32>,
    /// Left, right, top, bottom, in 1/100 mm.
    pub(super) margins: [u32; 4],
}

impl<'a> Abilities<'a> {
    pub(super) fn of(profile: &'a DeviceProfile) -> Self {
        let or = |mut named: Vec<&'a str>, default: &'static str| {
            if named.is_empty() {
                named.push(default);
            }
            named
        };
        let names = |names: &'a [String]| names.iter().map(String::as_str).collect::<Vec<_>>();
        let tells = |name: &str| profile.job_attributes.iter().any(|known| known == name);
        let uncollated = Handling::SeparateDocumentsUncollatedCopies;
        // Copies one after the other are made here; sheet by sheet only the device can.
        let by_device = tells("copies")
            && tells("multiple-document-handling")
            && profile.handlings.iter().any(|handling| handling == uncollated.as_str());
        let mut resolutions = profile.resolutions.clone();
        if resolutions.is_empty() {
            resolutions.push(300);
        }
        let mut sources = names(&profile.media_sources);
        if !sources.contains(&"auto") {
            sources.insert(0, "auto");
        }
        Self {
            color_modes: if profile.color { &["auto", "color", "monochrome"] } else { &["auto", "monochrome"] },
            sides: match profile.duplex {
                true => &["one-sided", "two-sided-long-edge", "two-sided-short-edge"],
                false => &["one-sided"],
            },
            handlings: Handling::ALL.into_iter().filter(|handling| by_device || *handling != uncollated).collect(),
            output_bins: or(names(&profile.output_bins).into_iter().take(1).collect(), "face-down"),
            media_sources: sources,
            media_types: or(names(&profile.media_types), "stationery"),
            resolutions,
            margins: profile.margins,
        }
    }
}

/// The job template attributes of a printer.
pub(super) fn template(printer: &Printer, profile: &DeviceProfile, all: &mut Group) {
    let abilities = Abilities::of(profile);
    let handlings = abilities.handlings.iter().map(|handling| handling.as_str());
    all.push("copies-default", 1);
    all.push("copies-supported", Value::range(1, i32::from(COPIES_MAX)));
    all.push("finishings-default", Value::Enum(FINISHING));
    all.push("finishings-supported", Value::Enum(FINISHING));
    all.push("job-hold-until-default", Value::keyword(HOLD_UNTIL[0]));
    all.push("job-hold-until-supported", Value::keywords(HOLD_UNTIL));
    all.push("job-hold-until-time-supported", Value::range(0, i32::MAX));
    all.push("job-priority-default", i32::from(PRIORITY));
    all.push("job-priority-supported", 100);
    all.push("job-sheets-default", Value::keyword(JOB_SHEETS));
    all.push("job-sheets-supported", Value::keyword(JOB_SHEETS));
    all.push("multiple-document-handling-default", Value::keyword(Handling::ALL[0].as_str()));
    all.push("multiple-document-handling-supported", Value::keywords(handlings));
    all.push("number-up-default", 1);
    all.push("number-up-supported", Value::integers(NUMBER_UP.map(i32::from)));
    all.push("orientation-requested-default", Value::NoValue);
    all.push("orientation-requested-supported", Value::enums(ORIENTATIONS));
    all.push("output-bin-default", Value::keyword(abilities.output_bins[0]));
    all.push("output-bin-supported", Value::keywords(abilities.output_bins.iter().copied()));
    all.push("overrides-supported", Value::keywords(OVERRIDES));
    all.push("page-ranges-supported", true);
    all.push("print-color-mode-default", Value::keyword(abilities.color_modes[0]));
    all.push("print-color-mode-supported", Value::keywords(abilities.color_modes.iter().copied()));
    all.push("print-content-optimize-default", Value::keyword(CONTENT_OPTIMIZE));
    all.push("print-content-optimize-supported", Value::keyword(CONTENT_OPTIMIZE));
    all.push("print-quality-default", Value::Enum(Quality::Normal.number()));
    let qualities = [Quality::Draft, Quality::Normal, Quality::High];
    all.push("print-quality-supported", Value::enums(qualities.map(Quality::number)));
    all.push("print-rendering-intent-default", Value::keyword(RENDERING_INTENT));
    all.push("print-rendering-intent-supported", Value::keyword(RENDERING_INTENT));
    all.push("print-scaling-default", Value::keyword(SCALINGS[0]));
    all.push("print-scaling-supported", Value::keywords(SCALINGS));
    let resolution = |dpi: u32| Value::Resolution(Resolution::dpi(i32::try_from(dpi).unwrap_or(i32::MAX)));
    let default = abilities.resolutions.iter().copied().find(|dpi| *dpi >= 300).unwrap_or(abilities.resolutions[0]);
    all.push("printer-resolution-default", resolution(default));
    all.push(
        "printer-resolution-supported",
        Values(abilities.resolutions.iter().map(|dpi| resolution(*dpi)).collect()),
    );
    all.push("sides-default", Value::keyword("one-sided"));
    all.push("sides-supported", Value::keywords(abilities.sides.iter().copied()));
    raster(profile, all);
    paper(printer, profile, &abilities, all);
}

/// Raster that clients draw themselves (PWG 5102.4).
fn raster(profile: &DeviceProfile, all: &mut Group) {
    let dpi = RASTER_DPI.map(|dpi| Value::Resolution(Resolution::dpi(dpi)));
    all.push("pwg-raster-document-resolution-supported", Values(dpi.to_vec()));
    // What comes is turned here as its device wants it.
    all.push("pwg-raster-document-sheet-back", Value::keyword("normal"));
    let types: Vec<&str> = RASTER_TYPES.into_iter().filter(|kind| profile.color || *kind != "srgb_8").collect();
    all.push("pwg-raster-document-type-supported", Value::keywords(types));
    let mut urf = vec!["V1.4", "CP1", "W8", "RS300-600", "PQ3-4-5", "MT1-2-3"];
    if profile.color {
        urf.push("SRGB24");
    }
    if profile.duplex {
        urf.push("DM1");
    }
    all.push("urf-supported", Value::keywords(urf));
}

fn paper(printer: &Printer, profile: &DeviceProfile, abilities: &Abilities<'_>, all: &mut Group) {
    let default = default_media(printer, profile);
    let margin = |edge: usize| {
        let mut margins = vec![i32::try_from(abilities.margins[edge]).unwrap_or(0)];
        if profile.borderless && margins[0] != 0 {
            margins.insert(0, 0);
        }
        Value::integers(margins)
    };
    all.push("media-default", Value::keyword(default.as_str()));
    all.push("media-supported", Value::keywords(profile.media.iter().map(String::as_str)));
    let members = [
        "media-bottom-margin",
        "media-left-margin",
        "media-right-margin",
        "media-size",
        "media-size-name",
        "media-source",
        "media-top-margin",
        "media-type",
    ];
    all.push("media-col-supported", Value::keywords(members));
    for (place, edge) in ["left", "right", "top", "bottom"].into_iter().enumerate() {
        all.push(format!("media-{edge}-margin-supported"), margin(place));
    }
    all.push("media-source-supported", Value::keywords(abilities.media_sources.iter().copied()));
    all.push("media-type-supported", Value::keywords(abilities.media_types.iter().copied()));
    if media::size_of(&default).is_some() {
        all.push("media-col-default", media_col(&default, abilities, None, None));
    }
    let sizes: Values = profile.media.iter().filter_map(|name| media::size_of(name)).map(Size::to_media_size).collect();
    if !sizes.0.is_empty() {
        all.push("media-size-supported", sizes);
    }
    let database: Values = profile
        .media
        .iter()
        .filter(|name| media::size_of(name).is_some())
        .map(|name| media_col(name, abilities, None, None))
        .collect();
    all.push("media-col-database", if database.0.is_empty() { Value::NoValue.into() } else { database });
    ready(printer, &default, abilities, all);
}

/// What is loaded, as far as the device says; of one that says nothing, its default paper is taken to be.
fn ready(printer: &Printer, default: &str, abilities: &Abilities<'_>, all: &mut Group) {
    let trays = &printer.condition.trays;
    let mut names: Vec<&str> = Vec::new();
    let mut cols: Vec<Collection> = Vec::new();
    for tray in trays.iter().filter(|tray| !tray.empty) {
        let Some(name) = tray.media.as_deref().filter(|name| media::size_of(name).is_some()) else {
            continue;
        };
        if !names.contains(&name) {
            names.push(name);
        }
        let source = abilities.media_sources.iter().find(|source| **source == tray.name).copied();
        cols.push(media_col(name, abilities, source, None));
    }
    if trays.is_empty() && media::size_of(default).is_some() {
        names.push(default);
        cols.push(media_col(default, abilities, None, None));
    }
    let none = names.is_empty();
    all.push("media-ready", if none { Value::NoValue.into() } else { Value::keywords(names) });
    let cols: Values = cols.into_iter().collect();
    all.push("media-col-ready", if cols.0.is_empty() { Value::NoValue.into() } else { cols });
}

/// The paper that a job comes out on which says nothing about it.
fn default_media(printer: &Printer, profile: &DeviceProfile) -> String {
    let policy = printer.policy.options.media.as_ref();
    policy.or(profile.media_default.as_ref()).or(profile.media.first()).cloned().unwrap_or_default()
}

fn media_col(name: &str, abilities: &Abilities<'_>, source: Option<&str>, kind: Option<&str>) -> Collection {
    let mut col = Collection::new();
    if let Some(size) = media::size_of(name) {
        col = col.with("media-size", size.to_media_size()).with("media-size-name", Value::keyword(name));
    }
    for (edge, margin) in ["left", "right", "top", "bottom"].into_iter().zip(abilities.margins) {
        col = col.with(format!("media-{edge}-margin"), i32::try_from(margin).unwrap_or(0));
    }
    if let Some(source) = source {
        col = col.with("media-source", Value::keyword(source));
    }
    col.with("media-type", Value::keyword(kind.unwrap_or(abilities.media_types[0])))
}
