//! The printer's attributes, made anew for each answer from what it is now.

use tympan_ipp::{Attribute, Collection, DateTime, Resolution, Value, Values};

use super::View;
use super::capabilities::{
    COMPRESSIONS, CONTENT_OPTIMIZES, COPIES_MAX, DOCUMENT_HANDLING, IDENTIFY_ACTIONS, JOB_CREATION_ATTRIBUTES, MARGIN,
    MEDIA_COL_MEMBERS, MEDIA_TYPES, OPERATIONS, ORIENTATIONS, OUTPUT_BIN, QUALITIES, RENDERING_INTENTS, SCALINGS,
    WHICH_JOBS, color_modes, raster_types, sides,
};
use super::requested::Kind;
use crate::model::{Media, MediaSize, Tray};

/// A list that is being written.
struct List {
    kind: Kind,
    all: Vec<(Kind, Attribute)>,
}

impl List {
    fn add(&mut self, name: &str, values: impl Into<Values>) {
        self.all.push((self.kind, Attribute::new(name, values)));
    }

    /// No values means `no-value`.
    fn add_or_no_value(&mut self, name: &str, values: Values) {
        let values = if values.0.is_empty() { Values::from(Value::NoValue) } else { values };
        self.add(name, values);
    }
}

/// All attributes of the printer.
pub(super) fn printer_attributes(view: &View<'_>) -> Vec<(Kind, Attribute)> {
    let mut list = List { kind: Kind::Description, all: Vec::with_capacity(160) };
    description(view, &mut list);
    state(view, &mut list);
    supplies(view, &mut list);
    list.kind = Kind::Template;
    template(view, &mut list);
    media(view, &mut list);
    list.kind = Kind::OnlyByName;
    let database = Media::all_names().filter_map(Media::from_name).map(|media| media_col(&media, "stationery", None));
    list.add("media-col-database", database.collect::<Values>());
    list.all
}

/// The attributes that a printer tells a server of itself (PWG 5100.18 section 5.10).
pub(crate) fn reported_attributes(view: &View<'_>) -> Vec<Attribute> {
    let mut list = List { kind: Kind::Description, all: Vec::new() };
    list.add("printer-is-accepting-jobs", !view.model.faults.not_accepting);
    list.add("printer-state", view.model.state());
    list.add("printer-state-reasons", Value::keywords(view.model.reasons()));
    list.add("printer-state-message", Value::text(view.model.message()));
    media_ready(view, &mut list);
    list.all.into_iter().map(|(_, attribute)| attribute).collect()
}

/// Trays and toner, as a printer tells them a server.
pub(crate) fn supply_attributes(view: &View<'_>) -> Vec<Attribute> {
    let mut list = List { kind: Kind::Description, all: Vec::new() };
    supplies(view, &mut list);
    list.all.into_iter().map(|(_, attribute)| attribute).filter(|a| a.name != "printer-supply-info-uri").collect()
}

fn description(view: &View<'_>, list: &mut List) {
    let options = view.options;
    let color = options.is_color();
    let date_time = |at| DateTime::from_unix_secs(view.unix_secs(at));
    list.add("charset-configured", Value::charset("utf-8"));
    list.add("charset-supported", Value::charset("utf-8"));
    list.add("color-supported", color);
    list.add("compression-supported", Value::keywords(COMPRESSIONS.iter().copied()));
    list.add("document-format-default", Value::mime_media_type(options.formats()[0]));
    list.add("document-format-supported", Value::mime_media_types(options.formats()));
    list.add("generated-natural-language-supported", Value::natural_language("en"));
    list.add("identify-actions-default", Value::keyword(IDENTIFY_ACTIONS[0]));
    list.add("identify-actions-supported", Value::keywords(IDENTIFY_ACTIONS.iter().copied()));
    list.add("ipp-features-supported", Value::keywords(["ipp-everywhere"]));
    list.add("ipp-versions-supported", Value::keywords(["1.1", "2.0"]));
    list.add("job-creation-attributes-supported", Value::keywords(JOB_CREATION_ATTRIBUTES.iter().copied()));
    list.add("job-ids-supported", true);
    list.add("multiple-document-jobs-supported", false);
    list.add("multiple-operation-time-out", options.multiple_operation_time_out_secs.min(240) as i32);
    list.add("multiple-operation-time-out-action", Value::keyword("abort-job"));
    list.add("natural-language-configured", Value::natural_language("en"));
    list.add("operations-supported", Value::enums(OPERATIONS.iter().map(|operation| i32::from(operation.0))));
    let per_minute = match view.model.pages_per_minute {
        0 => 600,
        pages => pages.min(10_000) as i32,
    };
    list.add("pages-per-minute", per_minute);
    if color {
        list.add("pages-per-minute-color", per_minute);
    }
    list.add("pdl-override-supported", Value::keyword("attempted"));
    list.add("preferred-attributes-supported", false);
    list.add("printer-config-change-date-time", date_time(view.model.config_changed_at));
    list.add("printer-config-change-time", view.up_time(view.model.config_changed_at));
    list.add("printer-current-time", date_time(view.now));
    let commands = if options.renderer.is_some() { "PWGRaster,URF,PDF,JPEG,PNG,TXT" } else { "PWGRaster,URF" };
    list.add("printer-device-id", Value::text(format!("MFG:Tympan;MDL:Virtual Printer;CMD:{commands};")));
    list.add("printer-firmware-name", Value::name("tympan-device"));
    list.add("printer-firmware-string-version", Value::text(env!("CARGO_PKG_VERSION")));
    list.add("printer-geo-location", Value::Unknown);
    list.add("printer-get-attributes-supported", Value::keyword("document-format"));
    list.add("printer-icons", Value::uris([48, 128, 512].map(|side| format!("{}/icon-{side}.png", view.page_url))));
    list.add("printer-info", Value::text(options.name.as_str()));
    list.add("printer-kind", Value::keywords(["document"]));
    list.add("printer-location", Value::text(options.location.as_str()));
    list.add("printer-make-and-model", Value::text("Tympan Virtual Printer"));
    list.add("printer-more-info", Value::uri(format!("{}/", view.page_url)));
    list.add("printer-name", Value::name(options.name.as_str()));
    list.add("printer-organization", Value::text(""));
    list.add("printer-organizational-unit", Value::text(""));
    list.add("printer-uri-supported", Value::uri(view.printer_uri.as_str()));
    list.add("printer-uuid", Value::uri(view.uuid));
    let resolutions: Values = options.resolutions.iter().map(|dpi| Resolution::dpi(*dpi as i32)).collect();
    list.add("pwg-raster-document-resolution-supported", resolutions);
    list.add("pwg-raster-document-sheet-back", Value::keyword(options.sheet_back.keyword()));
    list.add("pwg-raster-document-type-supported", Value::keywords(raster_types(color).iter().copied()));
    list.add("uri-authentication-supported", Value::keyword("requesting-user-name"));
    list.add("uri-security-supported", Value::keyword("none"));
    list.add("urf-supported", Value::keywords(urf_supported(view)));
    list.add("which-jobs-supported", Value::keywords(WHICH_JOBS.iter().copied()));
}

fn urf_supported(view: &View<'_>) -> Vec<String> {
    let options = view.options;
    let mut words: Vec<String> = ["V1.5", "CP255", "PQ3-4-5", "IS1-4", "MT1", "OB10", "W8"].map(str::to_owned).to_vec();
    let resolutions: Vec<String> = options.resolutions.iter().map(ToString::to_string).collect();
    words.push(format!("RS{}", resolutions.join("-")));
    if options.is_color() {
        words.extend(["SRGB24", "DEVCMYK32", "DEVRGB24"].map(str::to_owned));
    }
    if options.duplex {
        words.push("DM1".to_owned());
    }
    words
}

fn state(view: &View<'_>, list: &mut List) {
    let model = view.model;
    list.add("printer-is-accepting-jobs", !model.faults.not_accepting);
    list.add("printer-state", model.state());
    list.add("printer-state-change-date-time", DateTime::from_unix_secs(view.unix_secs(model.state_changed_at)));
    list.add("printer-state-change-time", view.up_time(model.state_changed_at));
    list.add("printer-state-message", Value::text(model.message()));
    list.add("printer-state-reasons", Value::keywords(model.reasons()));
    list.add("printer-up-time", view.up_time(view.now));
    list.add("printer-impressions-completed", i32::try_from(model.impressions).unwrap_or(i32::MAX));
    list.add("printer-media-sheets-completed", i32::try_from(model.sheets).unwrap_or(i32::MAX));
    list.add("queued-job-count", i32::try_from(model.open_jobs()).unwrap_or(i32::MAX));
}

/// Toner (RFC 3805 by way of PWG 5100.13 and the marker attributes that clients read) and trays.
fn supplies(view: &View<'_>, list: &mut List) {
    let markers = &view.model.markers;
    list.add("marker-colors", Value::names(markers.iter().map(|m| m.color.rgb())));
    list.add("marker-high-levels", Value::integers(markers.iter().map(|_| 100)));
    list.add("marker-levels", Value::integers(markers.iter().map(|m| m.percent() as i32)));
    list.add("marker-low-levels", Value::integers(markers.iter().map(|m| m.low_percent as i32)));
    list.add("marker-names", Value::names(markers.iter().map(|m| m.label())));
    list.add("marker-types", Value::keywords(markers.iter().map(|_| "toner-cartridge")));
    let supply = markers.iter().enumerate().map(|(index, marker)| {
        Value::octet_string(format!(
            "index={};class=supplyThatIsConsumed;type=toner;unit=percent;maxcapacity=100;level={};colorantname={};",
            index + 1,
            marker.percent(),
            marker.color.name()
        ))
    });
    list.add("printer-supply", supply.collect::<Values>());
    list.add("printer-supply-description", Value::texts(markers.iter().map(|m| m.label())));
    list.add("printer-supply-info-uri", Value::uri(format!("{}/", view.page_url)));
    let trays = view.model.trays.iter().map(|tray| {
        Value::octet_string(format!(
            "type=sheetFeedAutoRemovableTray;mediafeed={};mediaxfeed={};maxcapacity={};level={};status=0;name={};",
            tray.media.size.y, tray.media.size.x, tray.capacity, tray.sheets, tray.name
        ))
    });
    list.add("printer-input-tray", trays.collect::<Values>());
    list.add(
        "printer-output-tray",
        Value::octet_string(
            "type=unRemovableBin;maxcapacity=-2;remaining=-2;status=0;name=face-down;stackingorder=firstToLast;\
             pagedelivery=faceDown;"
                .as_bytes(),
        ),
    );
}

fn template(view: &View<'_>, list: &mut List) {
    let options = view.options;
    let color = options.is_color();
    let default_dpi = options.resolutions.first().copied().unwrap_or(300) as i32;
    list.add("copies-default", 1);
    list.add("copies-supported", Value::range(1, COPIES_MAX));
    list.add("finishings-default", Value::Enum(3));
    list.add("finishings-supported", Value::Enum(3));
    list.add("multiple-document-handling-default", Value::keyword(DOCUMENT_HANDLING[0]));
    list.add("multiple-document-handling-supported", Value::keywords(DOCUMENT_HANDLING.iter().copied()));
    list.add("orientation-requested-default", Value::NoValue);
    list.add("orientation-requested-supported", Value::enums(ORIENTATIONS.iter().copied()));
    list.add("output-bin-default", Value::keyword(OUTPUT_BIN));
    list.add("output-bin-supported", Value::keyword(OUTPUT_BIN));
    // No attribute can be overridden, so these name only how pages would be chosen.
    list.add("overrides-supported", Value::keywords(["document-number", "pages"]));
    list.add("page-ranges-supported", options.renderer.is_some());
    list.add("print-color-mode-default", Value::keyword(color_modes(color)[0]));
    list.add("print-color-mode-supported", Value::keywords(color_modes(color).iter().copied()));
    list.add("print-content-optimize-default", Value::keyword("auto"));
    list.add("print-content-optimize-supported", Value::keywords(CONTENT_OPTIMIZES.iter().copied()));
    list.add("print-quality-default", Value::Enum(4));
    list.add("print-quality-supported", Value::enums(QUALITIES.iter().copied()));
    list.add("print-rendering-intent-default", Value::keyword("auto"));
    list.add("print-rendering-intent-supported", Value::keywords(RENDERING_INTENTS.iter().copied()));
    list.add("print-scaling-default", Value::keyword("auto"));
    list.add("print-scaling-supported", Value::keywords(SCALINGS.iter().copied()));
    list.add("printer-resolution-default", Resolution::dpi(default_dpi));
    let resolutions: Values = options.resolutions.iter().map(|dpi| Resolution::dpi(*dpi as i32)).collect();
    list.add("printer-resolution-supported", resolutions);
    list.add("sides-default", Value::keyword("one-sided"));
    list.add("sides-supported", Value::keywords(sides(options.duplex).iter().copied()));
}

fn media(view: &View<'_>, list: &mut List) {
    let trays = &view.model.trays;
    list.add("media-default", Value::keyword(trays[0].media.name.as_str()));
    list.add("media-supported", Value::keywords(supported_names(trays)));
    list.add("media-col-default", media_col(&trays[0].media, &trays[0].media_type, Some(&trays[0].name)));
    list.add("media-col-supported", Value::keywords(MEDIA_COL_MEMBERS.iter().copied()));
    let sizes = supported_names(trays).into_iter().filter_map(|name| MediaSize::from_name(&name)).map(media_size);
    list.add("media-size-supported", sizes.collect::<Values>());
    for edge in ["bottom", "left", "right", "top"] {
        list.add(&format!("media-{edge}-margin-supported"), MARGIN);
    }
    let sources = trays.iter().map(|tray| tray.name.as_str()).chain(["auto"]);
    list.add("media-source-supported", Value::keywords(sources));
    list.add("media-type-supported", Value::keywords(MEDIA_TYPES.iter().copied()));
    media_ready(view, list);
}

/// What can be printed on without anybody going to the printer.
fn media_ready(view: &View<'_>, list: &mut List) {
    let ready: Vec<&Tray> = view.model.trays.iter().filter(|tray| !tray.is_empty()).collect();
    let mut names: Vec<&str> = Vec::new();
    for tray in &ready {
        if !names.contains(&tray.media.name.as_str()) {
            names.push(&tray.media.name);
        }
    }
    list.add_or_no_value("media-ready", Value::keywords(names));
    let cols = ready.iter().map(|tray| media_col(&tray.media, &tray.media_type, Some(&tray.name)));
    list.add_or_no_value("media-col-ready", cols.collect());
}

/// Standard sizes and whatever else is loaded.
pub(super) fn supported_names(trays: &[Tray]) -> Vec<String> {
    let mut names: Vec<String> = Media::all_names().map(str::to_owned).collect();
    for tray in trays {
        if !names.contains(&tray.media.name) {
            names.push(tray.media.name.clone());
        }
    }
    names
}

fn media_size(size: MediaSize) -> Collection {
    Collection::new().with("x-dimension", size.x as i32).with("y-dimension", size.y as i32)
}

pub(super) fn media_col(media: &Media, media_type: &str, source: Option<&str>) -> Collection {
    let mut col = Collection::new()
        .with("media-size", media_size(media.size))
        .with("media-size-name", Value::keyword(media.name.as_str()));
    for edge in ["bottom", "left", "right", "top"] {
        col = col.with(format!("media-{edge}-margin"), MARGIN);
    }
    if let Some(source) = source {
        col = col.with("media-source", Value::keyword(source));
    }
    col.with("media-type", Value::keyword(media_type))
}
