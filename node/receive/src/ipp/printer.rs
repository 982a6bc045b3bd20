//! The attributes of a printer, made anew for each answer from what it is now (RFC 8011 section 5.4).
//!
//! What it can do is what the device behind it says, and what the server adds: formats that it makes into others,
//! copies that it counts itself.

use tympan_engine::options::COPIES_MAX;
use tympan_engine::{DeviceProfile, Printer, Reachability};
use tympan_ipp::media::{self, Size};
use tympan_ipp::{Collection, Group, GroupTag, Operation, PrinterState, Value, Values};

use super::intake::Compression;
use super::job::{View, date_time};
use super::ticket;

/// "operations-supported": each of them does its work.
pub(super) const OPERATIONS: [Operation; 8] = [
    Operation::PrintJob,
    Operation::ValidateJob,
    Operation::CancelJob,
    Operation::GetJobAttributes,
    Operation::GetJobs,
    Operation::GetPrinterAttributes,
    Operation::HoldJob,
    Operation::ReleaseJob,
];

/// "document-format-supported": what the server makes pages of; the first lets it find out.
pub(super) const FORMATS: [&str; 5] =
    ["application/octet-stream", "application/pdf", "image/jpeg", "image/png", "text/plain"];

/// "which-jobs-supported".
pub(super) const WHICH_JOBS: [&str; 3] = ["completed", "not-completed", "all"];

/// What a printer can do, as long as nobody could ask it too.
pub(super) fn profile(printer: &Printer) -> DeviceProfile {
    let profile = printer.profile.clone().unwrap_or_else(|| DeviceProfile::assumed(&[]));
    if profile.media.is_empty() {
        DeviceProfile { media: DeviceProfile::assumed(&[]).media, ..profile }
    } else {
        profile
    }
}

/// All attributes of a printer; so many jobs have not ended.
pub(super) fn attributes(view: &View<'_>, queued: u64) -> Group {
    let profile = profile(view.printer);
    let mut all = Group { tag: GroupTag::Printer, attributes: Vec::with_capacity(120) };
    description(view, &profile, &mut all);
    state(view, queued, &mut all);
    supplies(view.printer, &mut all);
    template(&profile, &mut all);
    paper(view.printer, &profile, &mut all);
    all
}

fn description(view: &View<'_>, profile: &DeviceProfile, all: &mut Group) {
    let printer = view.printer;
    all.push("charset-configured", Value::charset("utf-8"));
    all.push("charset-supported", Value::charset("utf-8"));
    all.push("color-supported", profile.color);
    all.push("compression-supported", Value::keywords(Compression::KEYWORDS));
    all.push("document-format-default", Value::mime_media_type(FORMATS[0]));
    all.push("document-format-supported", Value::mime_media_types(FORMATS));
    all.push("generated-natural-language-supported", Value::natural_language("en"));
    all.push("ipp-versions-supported", Value::keywords(["1.1", "2.0"]));
    all.push("job-creation-attributes-supported", Value::keywords(ticket::ATTRIBUTES));
    all.push("multiple-document-jobs-supported", false);
    all.push("natural-language-configured", Value::natural_language("en"));
    all.push("operations-supported", Value::enums(OPERATIONS.map(|operation| i32::from(operation.0))));
    all.push("pdl-override-supported", Value::keyword("attempted"));
    all.push("printer-current-time", date_time(view.now));
    all.push("printer-geo-location", Value::Unknown);
    all.push("printer-info", Value::text(printer.info.as_str()));
    all.push("printer-location", Value::text(printer.location.as_str()));
    all.push(
        "printer-make-and-model",
        Value::text(match profile.make_and_model.as_str() {
            "" => "Printer".to_owned(),
            model => model.to_owned(),
        }),
    );
    all.push("printer-more-info", Value::uri(format!("{}/printers/{}", view.base_url, printer.name)));
    all.push("printer-name", Value::name(printer.name.as_str()));
    all.push("printer-uri-supported", Value::uri(view.printer_uri));
    all.push("printer-uuid", Value::uri(format!("urn:uuid:{}", printer.uuid)));
    all.push("uri-authentication-supported", Value::keyword("basic"));
    let security = if view.printer_uri.starts_with("ipps:") { "tls" } else { "none" };
    all.push("uri-security-supported", Value::keyword(security));
    all.push("which-jobs-supported", Value::keywords(WHICH_JOBS));
}

fn state(view: &View<'_>, queued: u64, all: &mut Group) {
    let printer = view.printer;
    let (state, reasons, message) = condition(printer);
    all.push("printer-is-accepting-jobs", printer.accepting && !printer.removed);
    all.push("printer-state", state);
    all.push("printer-state-reasons", Value::keywords(reasons));
    all.push("printer-state-message", Value::text(message));
    all.push("printer-up-time", view.up_time(view.now).max(1));
    all.push("queued-job-count", i32::try_from(queued).unwrap_or(i32::MAX));
}

/// "printer-state", "printer-state-reasons" and a sentence: the device's, and what the server knows beyond.
fn condition(printer: &Printer) -> (PrinterState, Vec<String>, String) {
    let device = &printer.condition;
    let trouble = device.trouble_for_all();
    let mut reasons: Vec<String> = Vec::new();
    if printer.paused {
        reasons.push("paused".into());
    }
    match &device.reachability {
        Reachability::Silent => reasons.push("timed-out-error".into()),
        Reachability::Faulty { .. } => reasons.push("other-error".into()),
        Reachability::Answering | Reachability::Unasked | Reachability::Reachable => {
            reasons.extend(device.reasons.iter().filter(|reason| *reason != "none").cloned());
        }
    }
    let state = match (printer.paused || trouble.is_some(), printer.current.is_some()) {
        (true, _) => PrinterState::Stopped,
        (false, true) => PrinterState::Processing,
        (false, false) => PrinterState::Idle,
    };
    let message = match &trouble {
        Some(trouble) => tympan_engine::words::trouble(trouble, tympan_engine::Language::En),
        None if printer.paused => "paused by its operator".into(),
        None => String::new(),
    };
    if reasons.is_empty() {
        reasons.push("none".into());
    }
    (state, reasons, message)
}

/// Ink and toner, as the device told them last.
fn supplies(printer: &Printer, all: &mut Group) {
    let markers = &printer.condition.markers;
    if markers.is_empty() {
        return;
    }
    let level = |level: Option<u8>| level.map_or(-2, i32::from);
    all.push("marker-names", Value::names(markers.iter().map(|marker| marker.name.as_str())));
    all.push(
        "marker-colors",
        Value::names(markers.iter().map(|marker| match marker.color.as_str() {
            "" => "none",
            color => color,
        })),
    );
    all.push("marker-levels", Value::integers(markers.iter().map(|marker| level(marker.level))));
}

fn template(profile: &DeviceProfile, all: &mut Group) {
    all.push("copies-default", 1);
    all.push("copies-supported", Value::range(1, i32::from(COPIES_MAX)));
    all.push("finishings-default", Value::Enum(ticket::FINISHING));
    all.push("finishings-supported", Value::Enum(ticket::FINISHING));
    all.push("job-hold-until-default", Value::keyword(ticket::HOLD_UNTIL[0]));
    all.push("job-hold-until-supported", Value::keywords(ticket::HOLD_UNTIL));
    all.push("multiple-document-handling-default", Value::keyword(ticket::DOCUMENT_HANDLING));
    all.push("multiple-document-handling-supported", Value::keyword(ticket::DOCUMENT_HANDLING));
    all.push("page-ranges-supported", true);
    all.push("print-color-mode-default", Value::keyword(ticket::color_modes(profile)[0]));
    all.push("print-color-mode-supported", Value::keywords(ticket::color_modes(profile).iter().copied()));
    all.push("print-quality-default", Value::Enum(ticket::QUALITY));
    all.push("print-quality-supported", Value::Enum(ticket::QUALITY));
    all.push("sides-default", Value::keyword("one-sided"));
    all.push("sides-supported", Value::keywords(ticket::sides(profile).iter().copied()));
}

fn paper(printer: &Printer, profile: &DeviceProfile, all: &mut Group) {
    let default = profile.media_default.as_ref().or(profile.media.first()).cloned().unwrap_or_default();
    all.push("media-default", Value::keyword(default.as_str()));
    all.push("media-supported", Value::keywords(profile.media.iter().map(String::as_str)));
    all.push("media-col-supported", Value::keywords(["media-size"]));
    if let Some(size) = media::size_of(&default) {
        all.push("media-col-default", media_col(size));
    }
    let sizes: Values = profile.media.iter().filter_map(|name| media::size_of(name)).map(Size::to_media_size).collect();
    if !sizes.0.is_empty() {
        all.push("media-size-supported", sizes);
    }
    if printer.condition.trays.is_empty() {
        // Nobody knows what is loaded.
        return;
    }
    let mut ready: Vec<&str> = Vec::new();
    for name in printer.condition.trays.iter().filter(|tray| !tray.empty).filter_map(|tray| tray.media.as_deref()) {
        if !ready.contains(&name) {
            ready.push(name);
        }
    }
    let sizes: Values = ready.iter().filter_map(|name| media::size_of(name)).map(media_col).collect();
    let or_no_value = |values: Values| if values.0.is_empty() { Value::NoValue.into() } else { values };
    all.push("media-ready", or_no_value(Value::keywords(ready)));
    all.push("media-col-ready", or_no_value(sizes));
}

fn media_col(size: Size) -> Collection {
    Collection::new().with("media-size", size.to_media_size())
}
