//! The attributes of a printer, made anew for each answer from what it is now (RFC 8011 section 5.4).
//!
//! What it can do is what the device behind it says, and what the server adds: formats that it makes into others,
//! copies that it counts itself.

use tympan_engine::{DeviceProfile, Marker, Printer, Reachability};
use tympan_ipp::{Group, GroupTag, Operation, PrinterState, Value, Values};

use super::create;
use super::intake::Compression;
use super::job::{View, date_time};
use super::{abilities, pin, subscribe};

/// "operations-supported": each of them does its work.
pub(super) const OPERATIONS: [Operation; 39] = [
    Operation::PrintJob,
    Operation::ValidateJob,
    Operation::CreateJob,
    Operation::SendDocument,
    Operation::CancelJob,
    Operation::GetJobAttributes,
    Operation::GetJobs,
    Operation::GetPrinterAttributes,
    Operation::HoldJob,
    Operation::ReleaseJob,
    Operation::PausePrinter,
    Operation::ResumePrinter,
    Operation::SetPrinterAttributes,
    Operation::SetJobAttributes,
    Operation::GetPrinterSupportedValues,
    Operation::CreatePrinterSubscriptions,
    Operation::CreateJobSubscriptions,
    Operation::GetSubscriptionAttributes,
    Operation::GetSubscriptions,
    Operation::RenewSubscription,
    Operation::CancelSubscription,
    Operation::GetNotifications,
    Operation::EnablePrinter,
    Operation::DisablePrinter,
    Operation::PausePrinterAfterCurrentJob,
    Operation::HoldNewJobs,
    Operation::ReleaseHeldNewJobs,
    Operation::CancelCurrentJob,
    Operation::CancelDocument,
    Operation::GetDocumentAttributes,
    Operation::GetDocuments,
    Operation::CancelJobs,
    Operation::CancelMyJobs,
    Operation::ResubmitJob,
    Operation::CloseJob,
    Operation::IdentifyPrinter,
    Operation::ValidateDocument,
    Operation::UpdateOutputDeviceAttributes,
    Operation::GetUserPrinterAttributes,
];

/// "ipp-versions-supported".
pub(super) const VERSIONS: [&str; 3] = ["1.1", "2.0", "2.1"];

/// "document-format-supported": what the server makes pages of; the first lets it find out.
pub(super) const FORMATS: [&str; 7] = [
    "application/octet-stream",
    "application/pdf",
    "image/jpeg",
    "image/png",
    "image/pwg-raster",
    "image/urf",
    "text/plain",
];

/// "which-jobs-supported".
const WHICH_JOBS: [&str; 9] = [
    "completed",
    "not-completed",
    "all",
    "aborted",
    "canceled",
    "pending",
    "pending-held",
    "processing",
    "processing-stopped",
];

/// "printer-settable-attributes-supported".
pub(super) const SETTABLE: [&str; 2] = ["printer-info", "printer-location"];

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
    let mut all = Group { tag: GroupTag::Printer, attributes: Vec::with_capacity(180) };
    description(view, &profile, &mut all);
    state(view, queued, &mut all);
    supplies(view.printer, &mut all);
    abilities::template(view.printer, &profile, &mut all);
    all
}

fn description(view: &View<'_>, profile: &DeviceProfile, all: &mut Group) {
    let printer = view.printer;
    let octets_max = i32::try_from(view.octets_max >> 10).unwrap_or(i32::MAX);
    all.push("charset-configured", Value::charset("utf-8"));
    all.push("charset-supported", Value::charset("utf-8"));
    all.push("color-supported", profile.color);
    all.push("compression-supported", Value::keywords(Compression::KEYWORDS));
    all.push("document-format-default", Value::mime_media_type(FORMATS[0]));
    all.push("document-format-supported", Value::mime_media_types(FORMATS));
    all.push("generated-natural-language-supported", Value::natural_language("en"));
    all.push("identify-actions-default", Value::keyword(identify_actions(profile)[0].as_str()));
    all.push("identify-actions-supported", Value::keywords(identify_actions(profile)));
    let features = ["ipp-everywhere", "ipp-everywhere-server", "document-object", "subscription-object", "job-release"];
    all.push("ipp-features-supported", Value::keywords(features));
    all.push("ipp-versions-supported", Value::keywords(VERSIONS));
    all.push("job-creation-attributes-supported", Value::keywords(abilities::ATTRIBUTES));
    all.push("job-ids-supported", true);
    all.push("job-settable-attributes-supported", Value::keywords(create::SETTABLE));
    all.push("jpeg-k-octets-supported", Value::range(0, octets_max));
    all.push("job-k-octets-supported", Value::range(0, octets_max));
    all.push("pdf-k-octets-supported", Value::range(0, octets_max));
    all.push("multiple-document-jobs-supported", true);
    all.push("multiple-operation-time-out", i32::try_from(view.documents_time_out_ms / 1000).unwrap_or(240).max(1));
    all.push("multiple-operation-time-out-action", Value::keyword("process-job"));
    all.push("natural-language-configured", Value::natural_language("en"));
    all.push("operations-supported", Value::enums(OPERATIONS.map(|operation| i32::from(operation.0))));
    all.push("pages-per-minute", pages_per_minute(profile));
    if profile.color {
        all.push("pages-per-minute-color", pages_per_minute(profile));
    }
    all.push("pdl-override-supported", Value::keyword("attempted"));
    all.push("preferred-attributes-supported", false);
    all.push("printer-config-change-date-time", date_time(view.started));
    all.push("printer-config-change-time", view.up_time(view.started).max(1));
    all.push("printer-current-time", date_time(view.now));
    all.push("printer-device-id", Value::text(device_id(profile)));
    all.push("printer-geo-location", Value::Unknown);
    all.push("printer-get-attributes-supported", Value::keyword("document-format"));
    all.push("printer-icons", Value::uri(format!("{}/static/printer-128.png", view.base_url)));
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
    all.push("printer-organization", Value::text(""));
    all.push("printer-organizational-unit", Value::text(""));
    all.push("printer-settable-attributes-supported", Value::keywords(SETTABLE));
    all.push("printer-supply-info-uri", Value::uri(format!("{}/printers/{}", view.base_url, printer.name)));
    all.push("printer-uri-supported", Value::uri(view.printer_uri));
    all.push("printer-uuid", Value::uri(format!("urn:uuid:{}", printer.uuid)));
    all.push("uri-authentication-supported", Value::keyword("basic"));
    let security = if view.printer_uri.starts_with("ipps:") { "tls" } else { "none" };
    all.push("uri-security-supported", Value::keyword(security));
    all.push("which-jobs-supported", Value::keywords(WHICH_JOBS));
    release(all);
    events(all);
}

/// PINs (PWG 5100.11).
fn release(all: &mut Group) {
    let octets = i32::try_from(pin::OCTETS_MAX).unwrap_or(255);
    all.push("job-password-encryption-supported", Value::keywords(pin::ENCRYPTIONS.map(|(keyword, _)| keyword)));
    all.push("job-password-supported", octets);
    all.push("job-password-length-supported", Value::range(i32::try_from(pin::CHARS_MIN).unwrap_or(4), octets));
    all.push("job-password-repertoire-configured", Value::keyword("iana_utf-8_any"));
    all.push("job-password-repertoire-supported", Value::keyword("iana_utf-8_any"));
    all.push("job-release-action-default", Value::keyword(pin::RELEASE_ACTIONS[0]));
    all.push("job-release-action-supported", Value::keywords(pin::RELEASE_ACTIONS));
}

/// Subscriptions (RFC 3995, RFC 3996).
fn events(all: &mut Group) {
    all.push("ippget-event-life", subscribe::EVENT_LIFE_SECS);
    all.push("notify-events-default", Value::keywords(subscribe::EVENTS_DEFAULT));
    all.push("notify-events-supported", Value::keywords(subscribe::EVENTS));
    all.push("notify-lease-duration-default", subscribe::LEASE_SECS);
    all.push("notify-lease-duration-supported", Value::range(0, subscribe::LEASE_SECS_MAX));
    all.push("notify-max-events-supported", i32::try_from(subscribe::EVENTS_MAX).unwrap_or(10));
    all.push("notify-pull-method-supported", Value::keyword("ippget"));
}

/// "identify-actions-supported", the default first: the device's, else a line on the console.
pub(super) fn identify_actions(profile: &DeviceProfile) -> Vec<String> {
    let by_device = profile.operations.contains(&Operation::IdentifyPrinter.0) && !profile.identify_actions.is_empty();
    if by_device { profile.identify_actions.clone() } else { vec!["display".into()] }
}

/// A device that does not say is taken for a slow one.
fn pages_per_minute(profile: &DeviceProfile) -> i32 {
    i32::try_from(profile.pages_per_minute.max(1)).unwrap_or(1)
}

/// "printer-device-id" (IEEE 1284): who made it, and what can be sent.
fn device_id(profile: &DeviceProfile) -> String {
    let clean =
        |text: &str| text.chars().filter(|c| !matches!(c, ';' | ':' | ',') && !c.is_control()).collect::<String>();
    let model = match profile.make_and_model.as_str() {
        "" => "Printer".to_owned(),
        model => clean(model),
    };
    let maker = model.split(' ').next().unwrap_or("Tympan").to_owned();
    format!("MFG:{maker};MDL:{model};CMD:PDF,JPEG,PNG,PWGRaster,URF;")
}

fn state(view: &View<'_>, queued: u64, all: &mut Group) {
    let printer = view.printer;
    let (state, reasons, message) = condition(printer);
    let changed = printer.condition.answered_at.max(printer.condition.reported_at).unwrap_or(printer.created_at);
    all.push("printer-is-accepting-jobs", printer.accepts(view.now));
    all.push("printer-message-from-operator", Value::text(""));
    all.push("printer-state", state);
    all.push("printer-state-change-date-time", date_time(changed));
    all.push("printer-state-change-time", view.up_time(changed).max(1));
    all.push("printer-state-reasons", Value::keywords(reasons));
    all.push("printer-state-message", Value::text(message));
    all.push("printer-up-time", view.up_time(view.now).max(1));
    all.push("queued-job-count", i32::try_from(queued).unwrap_or(i32::MAX));
}

/// "printer-state", "printer-state-reasons" and a sentence: the device's, and what the server knows beyond.
pub(super) fn condition(printer: &Printer) -> (PrinterState, Vec<String>, String) {
    let device = &printer.condition;
    let trouble = device.trouble_for_all();
    let mut reasons: Vec<String> = Vec::new();
    if printer.paused {
        // What is coming out comes out.
        reasons.push(if printer.current.is_some() { "moving-to-paused" } else { "paused" }.into());
    }
    if printer.holds_new {
        reasons.push("hold-new-jobs".into());
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
        all.push(
            "printer-supply",
            Value::octet_string(
                b"index=1;class=other;type=other;unit=percent;maxcapacity=-2;level=-2;colorantname=unknown;".as_slice(),
            ),
        );
        all.push("printer-supply-description", Value::text("Unknown"));
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
    all.push(
        "marker-types",
        Value::keywords(markers.iter().map(|marker| match marker.kind.as_str() {
            "" => "other",
            kind => kind,
        })),
    );
    let supplies: Vec<Value> = markers.iter().enumerate().map(|(place, marker)| supply(place, marker)).collect();
    all.push("printer-supply", Values(supplies));
    all.push("printer-supply-description", Value::texts(markers.iter().map(|marker| marker.name.as_str())));
}

/// A supply in the words of "printer-supply" (PWG 5100.13 section 6.5.50, RFC 3805).
fn supply(place: usize, marker: &Marker) -> Value {
    let kind = match marker.kind.as_str() {
        "ink" | "ink-cartridge" => "inkCartridge",
        "toner-cartridge" => "tonerCartridge",
        _ => "toner",
    };
    let color = if marker.color.is_empty() { "unknown" } else { marker.color.as_str() };
    let level = marker.level.map_or(-2, i32::from);
    let index = place + 1;
    Value::octet_string(
        format!("index={index};class=supplyThatIsConsumed;type={kind};unit=percent;maxcapacity=100;level={level};colorantname={color};")
            .into_bytes(),
    )
}
