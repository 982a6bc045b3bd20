//! A job at the printer: made, sent, asked after, found again, cancelled.

use tympan_engine::{DeviceRef, Handling, Orientation, Printer, Scaling, ShortId};
use tympan_ipp::{
    Attribute, Collection, Group, GroupTag, JobState, Message, Operation, RangeOfInteger, StatusCode, Value,
};

use super::call::Caller;
use super::can;
use crate::output::{Canceling, Created, Document, Found, JobStatus, Sent, Status, Ticket};

/// "requesting-user-name": whose the jobs are at the printer. The sender's name is not its business.
const USER: &str = "tympan";

const STATUS_ATTRIBUTES: [&str; 7] = [
    "job-id",
    "job-name",
    "job-uuid",
    "job-state",
    "job-state-reasons",
    "job-impressions-completed",
    "job-media-sheets-completed",
];

/// Create-Job. A printer that lacks it gets the document with Print-Job.
pub(super) async fn create(caller: &Caller, printer: &Printer, ticket: &Ticket) -> Created {
    if !can(printer, Operation::CreateJob) {
        return Created::NotNeeded;
    }
    let request = with_ticket(caller.request(printer, Operation::CreateJob), printer, ticket);
    match caller.call(printer, request).await {
        Ok(heard) => {
            let status = heard.message.status_code();
            if status.is_successful() {
                return match device_ref(&heard.message, ticket) {
                    Some(device) => Created::Job(device),
                    None => Created::Unclear("it made a job and did not say which".into()),
                };
            }
            if status == StatusCode::ServerErrorOperationNotSupported {
                return Created::NotNeeded;
            }
            Created::Refused { for_now: is_for_now(status), why: refusal(&heard.message) }
        }
        Err(error) => Created::Unclear(error.into_parts().1),
    }
}

/// Send-Document, or Print-Job where no job was made before.
pub(super) async fn send(
    caller: &Caller,
    printer: &Printer,
    device: Option<&DeviceRef>,
    ticket: &Ticket,
    document: Document,
) -> Sent {
    let octets_all = document.octets;
    let request = match device {
        Some(device) => caller
            .request(printer, Operation::SendDocument)
            .operation("job-id", device.job_id)
            .operation("requesting-user-name", Value::name(USER))
            .operation("document-name", Value::name(&ticket.name))
            .operation("document-format", Value::mime_media_type(&ticket.format))
            .operation("last-document", true),
        None => {
            let request = with_ticket(caller.request(printer, Operation::PrintJob), printer, ticket);
            insert_format(request, ticket)
        }
    };
    let heard = match caller.send(printer, request, document).await {
        Ok(heard) => heard,
        Err(error) => {
            let (octets, why) = error.into_parts();
            return Sent::Broken { octets, why };
        }
    };
    let status = heard.message.status_code();
    if !status.is_successful() {
        return Sent::Refused { for_now: is_for_now(status), why: refusal(&heard.message), octets: heard.octets };
    }
    if heard.octets < octets_all {
        return Sent::Broken { octets: heard.octets, why: "it answered before it had the whole document".into() };
    }
    match device {
        Some(_) => Sent::Accepted(None),
        None => Sent::Accepted(device_ref(&heard.message, ticket)),
    }
}

/// Get-Job-Attributes.
pub(super) async fn status(caller: &Caller, printer: &Printer, device: &DeviceRef, short: ShortId) -> Status {
    let request = caller
        .request(printer, Operation::GetJobAttributes)
        .operation("job-id", device.job_id)
        .operation("requesting-user-name", Value::name(USER))
        .operation("requested-attributes", Value::keywords(STATUS_ATTRIBUTES));
    let message = match caller.call(printer, request).await {
        Ok(heard) => heard.message,
        Err(error) => return Status::Silent(error.into_parts().1),
    };
    match message.status_code() {
        StatusCode::ClientErrorNotFound | StatusCode::ClientErrorGone => return Status::Unknown,
        status if !status.is_successful() => return Status::Silent(refusal(&message)),
        _ => {}
    }
    let Some(job) = message.group(GroupTag::Job) else {
        return Status::Silent("its answer says nothing about the job".into());
    };
    if !is_ours(job, device, short) {
        return Status::Unknown;
    }
    match job_status(job) {
        Some(status) => Status::Job(status),
        None => Status::Silent("its answer does not say the job's state".into()),
    }
}

/// Printers use job-ids again after a restart: the uuid or the short id must agree, where the printer tells them.
fn is_ours(job: &Group, device: &DeviceRef, short: ShortId) -> bool {
    if let Some(uuid) = job.get("job-uuid").and_then(Attribute::uri).filter(|uuid| !uuid.is_empty())
        && !device.job_uuid.is_empty()
    {
        return uuid.eq_ignore_ascii_case(&device.job_uuid);
    }
    match job.get("job-name").and_then(Attribute::text) {
        Some(name) => name.starts_with(&short.to_string()),
        None => true,
    }
}

fn job_status(job: &Group) -> Option<JobStatus> {
    let state = JobState::from_number(job.get("job-state")?.enum_()?)?;
    let reasons = job.get("job-state-reasons").into_iter().flat_map(Attribute::strings);
    let count = |name: &str| job.get(name).and_then(Attribute::integer).and_then(|count| u32::try_from(count).ok());
    Some(JobStatus {
        state,
        reasons: reasons.filter(|reason| *reason != "none").take(50).map(str::to_owned).collect(),
        impressions: count("job-impressions-completed"),
        sheets: count("job-media-sheets-completed"),
    })
}

/// Get-Jobs, unfinished and finished ones, for a job whose name begins with the short id.
pub(super) async fn find(caller: &Caller, printer: &Printer, short: ShortId) -> Found {
    let mut up_time = None;
    for which in ["not-completed", "completed"] {
        let request = caller
            .request(printer, Operation::GetJobs)
            .operation("requesting-user-name", Value::name(USER))
            .operation("which-jobs", Value::keyword(which))
            .operation("my-jobs", false)
            .operation("limit", 200)
            .operation(
                "requested-attributes",
                Value::keywords(["job-id", "job-uri", "job-uuid", "job-name", "job-printer-up-time"]),
            );
        let message = match caller.call(printer, request).await {
            Ok(heard) => heard.message,
            Err(error) => return Found::Silent(error.into_parts().1),
        };
        if !message.status_code().is_successful() {
            continue;
        }
        for job in message.groups(GroupTag::Job) {
            let integer = |name: &str| job.get(name).and_then(Attribute::integer);
            up_time = up_time.max(integer("job-printer-up-time"));
            let name = job.get("job-name").and_then(Attribute::text).unwrap_or_default();
            if name.starts_with(&short.to_string())
                && let Some(device) = device_of(job, up_time.unwrap_or(0))
            {
                return Found::Job(device);
            }
        }
    }
    // No list proves that a printer never had a job: it may have printed it, and forgotten just that (ADR 5).
    Found::CannotTell
}

/// Cancel-Job.
pub(super) async fn cancel(caller: &Caller, printer: &Printer, device: &DeviceRef) -> Canceling {
    let request = caller
        .request(printer, Operation::CancelJob)
        .operation("job-id", device.job_id)
        .operation("requesting-user-name", Value::name(USER));
    match caller.call(printer, request).await {
        Ok(heard) if heard.message.status_code().is_successful() => Canceling::Accepted,
        Ok(heard) if heard.message.status_code().is_temporary() => Canceling::Silent(refusal(&heard.message)),
        Ok(heard) => Canceling::NotPossible(refusal(&heard.message)),
        Err(error) => Canceling::Silent(error.into_parts().1),
    }
}

/// Identify-Printer (PWG 5100.13 section 3.1), where the printer says that it can.
pub(super) async fn identify(
    caller: &Caller,
    printer: &Printer,
    actions: &[String],
    message: &str,
) -> Result<(), String> {
    let knows =
        printer.profile.as_ref().is_some_and(|profile| profile.operations.contains(&Operation::IdentifyPrinter.0));
    if !knows {
        return Ok(());
    }
    let mut request =
        caller.request(printer, Operation::IdentifyPrinter).operation("requesting-user-name", Value::name(USER));
    if !actions.is_empty() {
        request = request.operation("identify-actions", Value::keywords(actions.iter().map(String::as_str)));
    }
    if !message.is_empty() {
        request = request.operation("message", Value::text(message));
    }
    match caller.call(printer, request).await {
        Ok(heard) if heard.message.status_code().is_successful() => Ok(()),
        Ok(heard) => Err(refusal(&heard.message)),
        Err(error) => Err(error.into_parts().1),
    }
}

fn device_ref(message: &Message, ticket: &Ticket) -> Option<DeviceRef> {
    device_of(message.group(GroupTag::Job)?, ticket.up_time_secs.unwrap_or(0))
}

fn device_of(job: &Group, printer_up_time: i32) -> Option<DeviceRef> {
    let string = |name: &str| job.get(name).and_then(Attribute::string).unwrap_or_default().to_owned();
    let job_id = job.get("job-id").and_then(Attribute::integer).filter(|id| *id > 0)?;
    Some(DeviceRef { job_id, job_uri: string("job-uri"), job_uuid: string("job-uuid"), printer_up_time })
}

/// Adds what the printer is told about the job; only what it said it understands.
fn with_ticket(request: Message, printer: &Printer, ticket: &Ticket) -> Message {
    let mut request = request
        .operation("requesting-user-name", Value::name(USER))
        .operation("job-name", Value::name(ticket.job_name()))
        .operation("ipp-attribute-fidelity", false);
    let profile = printer.profile.as_ref();
    let takes = |name: &str| profile.is_none_or(|profile| profile.job_attributes.iter().any(|known| known == name));
    if let Some(copies) = ticket.copies.filter(|copies| *copies > 1 && takes("copies")) {
        request = request.job("copies", i32::from(copies));
        if takes("multiple-document-handling") {
            let handling = ticket.extras.handling.unwrap_or(Handling::SeparateDocumentsCollatedCopies);
            request = request.job("multiple-document-handling", Value::keyword(handling.as_str()));
        }
    }
    if let Some(sides) = ticket.sides.filter(|_| takes("sides")) {
        request = request.job("sides", Value::keyword(sides.as_str()));
    }
    if let Some(color) = ticket.color.filter(|_| takes("print-color-mode")) {
        let keyword = match color {
            tympan_engine::ColorMode::Auto => "auto",
            tympan_engine::ColorMode::Color => "color",
            tympan_engine::ColorMode::Monochrome => "monochrome",
        };
        request = request.job("print-color-mode", Value::keyword(keyword));
    }
    match media_col(ticket).filter(|_| takes("media-col")) {
        Some(collection) => request = request.job("media-col", collection),
        None => {
            if let Some(media) = ticket.media.as_ref().filter(|_| takes("media")) {
                request = request.job("media", Value::keyword(media));
            }
        }
    }
    request = with_extras(request, ticket, takes);
    if !ticket.page_ranges.is_empty() && takes("page-ranges") {
        let ranges = ticket.page_ranges.iter().map(|range| {
            let bound = |page: u32| i32::try_from(page).unwrap_or(i32::MAX);
            Value::RangeOfInteger(RangeOfInteger::new(bound(range.first), bound(range.last)))
        });
        request = request.job("page-ranges", ranges.collect::<Vec<_>>());
    }
    request
}

/// The paper with its tray, kind and edges; `None` where its size says enough.
fn media_col(ticket: &Ticket) -> Option<Collection> {
    let extras = &ticket.extras;
    if extras.media_source.is_none() && extras.media_type.is_none() && extras.margins.is_none() {
        return None;
    }
    let mut collection = Collection::new();
    if let Some(size) = ticket.media.as_deref().and_then(tympan_ipp::media::size_of) {
        collection = collection.with("media-size", size.to_media_size());
    }
    if let Some(source) = &extras.media_source {
        collection = collection.with("media-source", Value::keyword(source));
    }
    if let Some(kind) = &extras.media_type {
        collection = collection.with("media-type", Value::keyword(kind));
    }
    for (edge, margin) in ["left", "right", "top", "bottom"].into_iter().zip(extras.margins.into_iter().flatten()) {
        let margin = i32::try_from(margin).unwrap_or(i32::MAX);
        collection = collection.with(format!("media-{edge}-margin"), margin);
    }
    Some(collection)
}

fn with_extras(mut request: Message, ticket: &Ticket, takes: impl Fn(&str) -> bool) -> Message {
    let extras = &ticket.extras;
    if let Some(quality) = extras.quality.filter(|_| takes("print-quality")) {
        request = request.job("print-quality", Value::Enum(quality.number()));
    }
    if let Some(orientation) = extras.orientation.filter(|_| takes("orientation-requested")) {
        let number = match orientation {
            Orientation::Portrait => 3,
            Orientation::Landscape => 4,
            Orientation::ReverseLandscape => 5,
            Orientation::ReversePortrait => 6,
        };
        request = request.job("orientation-requested", Value::Enum(number));
    }
    if let Some(scaling) = extras.scaling.filter(|_| takes("print-scaling")) {
        let keyword = match scaling {
            Scaling::Auto => "auto",
            Scaling::AutoFit => "auto-fit",
            Scaling::Fill => "fill",
            Scaling::Fit => "fit",
            Scaling::None => "none",
        };
        request = request.job("print-scaling", Value::keyword(keyword));
    }
    if let Some(dpi) = extras.resolution.filter(|_| takes("printer-resolution")) {
        let dpi = i32::try_from(dpi).unwrap_or(i32::MAX);
        request = request.job("printer-resolution", tympan_ipp::Resolution::dpi(dpi));
    }
    request
}

fn insert_format(request: Message, ticket: &Ticket) -> Message {
    request
        .operation("document-name", Value::name(&ticket.name))
        .operation("document-format", Value::mime_media_type(&ticket.format))
}

/// Whether the same may be accepted later: the printer is busy, or its owner has to let us in.
fn is_for_now(status: StatusCode) -> bool {
    status.is_temporary()
        || matches!(
            status,
            StatusCode::ClientErrorNotAuthenticated
                | StatusCode::ClientErrorNotAuthorized
                | StatusCode::ClientErrorForbidden
                | StatusCode::ClientErrorNotFound
        )
}

/// What the printer said, in words.
fn refusal(message: &Message) -> String {
    let status = message.status_code();
    let text = message.operation_attribute("status-message").and_then(Attribute::text).unwrap_or_default();
    let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    match text.trim() {
        "" => status.to_string(),
        text => format!("{status} ({text})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tympan_engine::{OwnerId, PrinterUuid, Sides, Timestamp};

    fn ticket() -> Ticket {
        Ticket {
            short: ShortId(*b"7K3M22QD"),
            name: "invoice.pdf".into(),
            format: "application/pdf".into(),
            octets: 9,
            copies: Some(3),
            sides: Some(Sides::TwoSidedLongEdge),
            color: None,
            media: Some("iso_a4_210x297mm".into()),
            extras: Default::default(),
            page_ranges: Vec::new(),
            up_time_secs: Some(77),
        }
    }

    #[test]
    fn a_printer_is_told_only_what_it_understands() {
        let mut printer = Printer::new(OwnerId::FIRST, PrinterUuid([1; 16]), "p", "ipp://h/", Timestamp(0));
        let mut profile = tympan_engine::DeviceProfile::assumed(&["application/pdf"]);
        profile.job_attributes = vec!["sides".into()];
        printer.profile = Some(profile);
        let request = Message::request(Operation::CreateJob, 1, "ipp://h/");
        let request = with_ticket(request, &printer, &ticket());
        let names: Vec<_> = request.group(GroupTag::Job).unwrap().attributes.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names, ["sides"]);
        let name = request.operation_attribute("job-name").unwrap();
        assert_eq!(name.text(), Some("7K3M22QD invoice.pdf"));
    }

    #[test]
    fn a_number_used_again_for_another_job_is_not_ours() {
        let device = DeviceRef { job_id: 5, job_uuid: "urn:uuid:1".into(), ..DeviceRef::default() };
        let job = |name: &str, uuid: &str| {
            Group::new(GroupTag::Job).with("job-name", Value::name(name)).with("job-uuid", Value::uri(uuid))
        };
        let short = ShortId(*b"7K3M22QD");
        assert!(is_ours(&job("renamed", "urn:uuid:1"), &device, short));
        assert!(!is_ours(&job("7K3M22QD x", "urn:uuid:2"), &device, short));
        let unnamed = DeviceRef { job_uuid: String::new(), ..device };
        assert!(is_ours(&job("7K3M22QD x", "urn:uuid:2"), &unnamed, short));
        assert!(!is_ours(&job("other", "urn:uuid:2"), &unnamed, short));
    }
}
