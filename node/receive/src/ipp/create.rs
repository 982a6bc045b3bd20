//! Jobs come: whole, or piece by piece (RFC 8011 sections 4.2.1, 4.2.3, 4.2.4, 4.3.1; PWG 5100.7 section 4.3).

use std::time::Duration;

use http::header;
use tracing::info;
use tympan_engine::{
    DocumentId, HoldReason, Job, JobDocument, JobEvent, JobSource, Language, Originator, Pin, Private, Right,
};
use tympan_ipp::{Attribute, GroupTag, Message, StatusCode};
use tympan_spooler::{SpoolerError, Submission, Submitted, Target};

use super::Arrived;
use super::intake::{self, Compression};
use super::job;
use super::pin::{self, Asked};
use super::printer::{self, FORMATS};
use super::refused::Refused;
use super::scene::{Answer, Asker, End, Scene, claimed_name, of_network, ok, ok_without};
use super::ticket::{self, Hold, Ticket};
use crate::web::{Originating, Uploader, clean_name};

/// A new job as far as it is known before its document.
struct NewJob {
    ticket: Ticket,
    compression: Compression,
    originating: Originating,
    pin: Option<Asked>,
}

pub(super) async fn print_job(scene: &Scene<'_>, arrived: &mut Arrived) -> Answer {
    check_format(&arrived.message)?;
    let new = check_new_job(scene, arrived).await?;
    let submitted = take_document(scene, arrived, new.compression, job_name(&arrived.message)).await?;
    let octets = submitted.document.octets;
    let (unsupported, job) = accept(scene, arrived, new, Some(submitted)).await?;
    info!(job = %job.short(), door = "ipp", printer = %scene.printer.name, octets, "Received job");
    Ok(told(scene, &arrived.message, unsupported, &job))
}

pub(super) async fn validate_job(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    check_format(&arrived.message)?;
    let new = check_new_job(scene, arrived).await?;
    Ok(ok_without(&arrived.message, new.ticket.unsupported))
}

pub(super) async fn create_job(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let new = check_new_job(scene, arrived).await?;
    let (unsupported, job) = accept(scene, arrived, new, None).await?;
    info!(job = %job.short(), door = "ipp", printer = %scene.printer.name, "Opened job");
    Ok(told(scene, &arrived.message, unsupported, &job))
}

pub(super) async fn send_document(scene: &Scene<'_>, arrived: &mut Arrived) -> Answer {
    let last = arrived.message.operation_attribute("last-document").and_then(Attribute::boolean);
    let last = last.ok_or_else(|| Refused::bad("\"last-document\" is missing."))?;
    let (asker, job) = scene.own_job(arrived).await?;
    if job.incoming.is_none() {
        let text = "All documents of this job have come; please start another job.";
        return Err(Refused::new(StatusCode::ClientErrorNotPossible, text).into());
    }
    check_format(&arrived.message)?;
    let compression = check_compression(&arrived.message)?;
    let is_empty = arrived.rest.is_empty() && {
        arrived.rest = arrived.body.chunk().await.map_err(Refused::from)?.unwrap_or_default();
        arrived.rest.is_empty()
    };
    if is_empty && !last {
        return Err(Refused::bad("There is no document, and it is not said that no more comes.").into());
    }
    if !is_empty {
        let named = arrived.message.operation_attribute("document-name").and_then(Attribute::string);
        let name = named.and_then(clean_name).unwrap_or_else(|| job.name.0.clone());
        // A job whose document is under way does not wait for it too long.
        let submitted = tokio::select! {
            submitted = take_document(scene, arrived, compression, name) => submitted?,
            error = keep_open(scene, &job) => return Err(error.into()),
        };
        let event = JobEvent::Received(submitted.as_job_document());
        let document = tympan_store::NewDocument { refs: 1, ..submitted.document.clone() };
        let documents = vec![document];
        let stored = scene.spooler().job_event_with(scene.whose(), job.uuid, event, documents, None).await;
        if let Err(error) = stored {
            let _ = scene.spooler().documents().discard(&submitted.document).await;
            return Err(Refused::store(&error, "store a document").into());
        }
        info!(job = %job.short(), door = "ipp", octets = submitted.document.octets, "Received document");
    }
    if last {
        move_job(scene, &asker, &job, JobEvent::Closed).await?;
    }
    let job = reread(scene, &job).await?;
    Ok(told(scene, &arrived.message, Vec::new(), &job))
}

pub(super) async fn close_job(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let (asker, job) = scene.own_job(arrived).await?;
    move_job(scene, &asker, &job, JobEvent::Closed).await?;
    Ok(ok(arrived))
}

pub(super) async fn validate_document(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    scene.asker(arrived).await?;
    check_format(&arrived.message)?;
    check_compression(&arrived.message)?;
    let ticket = ticket::read(&arrived.message, GroupTag::Document, &printer::profile(&scene.printer));
    Ok(ok_without(&arrived.message, ticket.unsupported))
}

/// Resubmit-Job (PWG 5100.7 section 4.4): prints a job again, as it was or in another way.
pub(super) async fn resubmit_job(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let (asker, job) = scene.own_job(arrived).await?;
    let ticket = checked_ticket(scene, &arrived.message)?;
    let options = ticket.options.or(&job.options);
    let again = scene.spooler().reprint(scene.whose(), job.uuid, None, Some(options), &asker.name()).await;
    let again = again.map_err(|error| Refused::store(&error, "print a job again"))?;
    Ok(told(scene, &arrived.message, ticket.unsupported, &again))
}

/// Moves a job by an event, in the name of whoever asks.
pub(super) async fn move_job(scene: &Scene<'_>, asker: &Asker, job: &Job, event: JobEvent) -> Result<(), Refused> {
    let moved = scene.spooler().job_event(scene.whose(), job.uuid, event, Some(&asker.name())).await;
    moved.map(drop).map_err(|error| Refused::store(&error, "move a job"))
}

pub(super) async fn reread(scene: &Scene<'_>, job: &Job) -> Result<Job, Refused> {
    scene.spooler().job(scene.whose(), job.uuid).await.map_err(|error| Refused::store(&error, "look up a job"))
}

/// Starts the time anew in which a document has to come, until it has; returns only when that fails.
async fn keep_open(scene: &Scene<'_>, job: &Job) -> Refused {
    let span = job.incoming.map_or(60_000, |incoming| incoming.time_out_ms);
    loop {
        let moved = scene.spooler().job_event(scene.whose(), job.uuid, JobEvent::Expecting, None).await;
        if let Err(error) = moved {
            return Refused::store(&error, "wait for a document");
        }
        tokio::time::sleep(Duration::from_millis((span / 3).max(1))).await;
    }
}

/// Streams the document of a request into the store.
async fn take_document(
    scene: &Scene<'_>,
    arrived: &mut Arrived,
    compression: Compression,
    name: String,
) -> Result<Submitted, End> {
    let spooler = scene.spooler();
    let id = DocumentId::from_parts(spooler.now(), spooler.random());
    let failed = |error: SpoolerError| Refused::store(&error, "store a document");
    spooler.documents().room_for(arrived.body.announced_octets().unwrap_or(0)).map_err(|error| failed(error.into()))?;
    let writer = spooler.documents().create_incoming(id).map_err(|error| failed(error.into()))?;
    let declared = arrived.message.operation_attribute("document-format").and_then(Attribute::string);
    let declared = declared.map(str::to_owned);
    let rest = std::mem::take(&mut arrived.rest);
    let octets_max = scene.door.upload.octets_max();
    let stored = intake::store(writer, rest, &mut arrived.body, compression, declared.as_deref(), octets_max).await;
    let (format, document) = stored?;
    Ok(Submitted { document, format: format.into(), name: name.into() })
}

async fn accept(
    scene: &Scene<'_>,
    arrived: &Arrived,
    new: NewJob,
    submitted: Option<Submitted>,
) -> Result<(Vec<Attribute>, Job), End> {
    let NewJob { ticket, originating, pin, .. } = new;
    let spooler = scene.spooler();
    let (mut holds, mut release_at) = (std::collections::BTreeSet::new(), None);
    match ticket.hold {
        Some(Hold::Indefinite) => {
            holds.insert(HoldReason::Sender);
        }
        Some(Hold::Until(at)) => {
            holds.insert(HoldReason::Time);
            release_at = Some(at);
        }
        None => {}
    }
    let pin = match pin {
        Some(asked) => {
            holds.insert(HoldReason::PinRelease);
            let hash = spooler.hash_pin(&asked.octets).await;
            Some(Pin { hash, encryption: asked.encryption, wrong: 0 })
        }
        None => None,
    };
    let document = submitted.as_ref().map(|submitted| submitted.document.clone());
    let submission = Submission {
        targets: vec![Target {
            printer: scene.printer.clone(),
            registration: originating.registration,
            source: JobSource::Ipp,
            duplicate_key: None,
        }],
        name: job_name(&arrived.message).into(),
        originator: Originator {
            address: originating.address.into(),
            registration: None,
            language: originating.language,
            may_be_mailed: originating.may_be_mailed,
        },
        options: ticket.options,
        priority: ticket.priority.unwrap_or(ticket::PRIORITY),
        document: submitted,
        remarks: Vec::new(),
        holds,
        release_at,
        pin,
    };
    let accepted = match spooler.accept(submission).await {
        Ok(accepted) => accepted,
        Err(error) => {
            if let Some(document) = &document {
                // What is left of it goes at the next sweep.
                let _ = spooler.documents().discard(document).await;
            }
            return Err(Refused::store(&error, "store a job").into());
        }
    };
    let Some(accepted) = accepted.first() else {
        return Err(Refused::new(StatusCode::ServerErrorInternalError, "Nothing was stored.").into());
    };
    let job = spooler.job(scene.whose(), accepted.job).await;
    Ok((ticket.unsupported, job.map_err(|error| Refused::store(&error, "look up a job"))?))
}

/// The answer that tells of a job.
fn told(scene: &Scene<'_>, request: &Message, unsupported: Vec<Attribute>, job: &Job) -> Message {
    let all = job::attributes(&scene.view(), job, true);
    let wanted = ["job-id", "job-uri", "job-uuid", "job-state", "job-state-reasons", "job-state-message"];
    let mut answer = ok_without(request, unsupported);
    for attribute in all.attributes.into_iter().filter(|attribute| wanted.contains(&attribute.name.as_str())) {
        answer.push(GroupTag::Job, attribute.name, attribute.values);
    }
    answer
}

/// The ticket of a request; with fidelity, everything in it has to be possible.
fn checked_ticket(scene: &Scene<'_>, message: &Message) -> Result<Ticket, Refused> {
    let mut ticket = ticket::read(message, GroupTag::Job, &printer::profile(&scene.printer));
    ticket.set_time(scene.now, scene.door.offset_secs(scene.now));
    let fidelity = message.operation_attribute("ipp-attribute-fidelity").and_then(Attribute::boolean) == Some(true);
    if fidelity && !ticket.unsupported.is_empty() {
        let text = "The job asks for something that this printer cannot do.";
        let refused = Refused::new(StatusCode::ClientErrorAttributesOrValuesNotSupported, text);
        return Err(refused.with_unsupported(ticket.unsupported));
    }
    Ok(ticket)
}

/// What Print-Job, Validate-Job and Create-Job have in common.
async fn check_new_job(scene: &Scene<'_>, arrived: &Arrived) -> Result<NewJob, End> {
    let asker = scene.asker(arrived).await?;
    let message = &arrived.message;
    let compression = check_compression(message)?;
    let pin = pin::asked(message, arrived.peer.tls || arrived.peer.addr.ip().is_loopback())?;
    let ticket = checked_ticket(scene, message)?;
    let language = Language::choose(
        arrived.parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default(),
    );
    let originating = scene.door.upload.originating(&asker.0, &scene.printer, language).await;
    let mut originating = originating.map_err(|refused| {
        let status = match refused.status.as_u16() {
            409 => StatusCode::ServerErrorNotAcceptingJobs,
            403 => StatusCode::ClientErrorNotAuthorized,
            _ => StatusCode::ServerErrorInternalError,
        };
        Refused::new(status, refused.text)
    })?;
    if let (Uploader::Network(addr), Some(claimed)) = (&asker.0, claimed_name(message)) {
        originating.address = of_network(&claimed, *addr);
    }
    Ok(NewJob { ticket, compression, originating, pin })
}

fn check_compression(message: &Message) -> Result<Compression, Refused> {
    match message.operation_attribute("compression") {
        None => Ok(Compression::None),
        Some(asked) => Compression::from_keyword(asked.string().unwrap_or_default()).ok_or_else(|| {
            let text = "Documents are taken as they are, or with gzip or deflate.";
            Refused::new(StatusCode::ClientErrorCompressionNotSupported, text).with_unsupported(vec![asked.clone()])
        }),
    }
}

pub(super) fn check_format(message: &Message) -> Result<(), Refused> {
    let Some(asked) = message.operation_attribute("document-format") else {
        return Ok(());
    };
    let format = asked.string().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if FORMATS.contains(&format.as_str()) {
        return Ok(());
    }
    let text = format!("This printer takes {}.", FORMATS[1..].join(", "));
    let refused = Refused::new(StatusCode::ClientErrorDocumentFormatNotSupported, text);
    Err(refused.with_unsupported(vec![asked.clone()]))
}

fn job_name(message: &Message) -> String {
    let named = |name: &str| message.operation_attribute(name).and_then(Attribute::string).and_then(clean_name);
    named("job-name").or_else(|| named("document-name")).unwrap_or_else(|| "document".into())
}

// ---------------------------------------------------------------------- changes of a job that waits

/// What may be changed of a job ("job-settable-attributes-supported").
pub(super) const SETTABLE: [&str; 15] = [
    "copies",
    "job-hold-until",
    "job-hold-until-time",
    "job-name",
    "job-priority",
    "media",
    "media-col",
    "multiple-document-handling",
    "number-up",
    "orientation-requested",
    "print-color-mode",
    "print-quality",
    "print-scaling",
    "printer-resolution",
    "sides",
];

/// Set-Job-Attributes (RFC 3380 section 4.2): all of it, or nothing.
pub(super) async fn set_job_attributes(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let (asker, job) = scene.own_job(arrived).await?;
    let message = &arrived.message;
    let Some(group) = message.group(GroupTag::Job).filter(|group| !group.attributes.is_empty()) else {
        return Err(Refused::bad("There is nothing to set.").into());
    };
    let mut wrong = Vec::new();
    for attribute in &group.attributes {
        if !SETTABLE.contains(&attribute.name.as_str()) {
            wrong.push(Attribute::new(attribute.name.as_str(), tympan_ipp::Value::NotSettable));
        }
    }
    if !wrong.is_empty() {
        let text = "This cannot be changed of a job that has come.";
        return Err(Refused::new(StatusCode::ClientErrorAttributesNotSettable, text).with_unsupported(wrong).into());
    }
    let mut ticket = ticket::read(message, GroupTag::Job, &printer::profile(&scene.printer));
    ticket.set_time(scene.now, scene.door.offset_secs(scene.now));
    if !ticket.unsupported.is_empty() {
        let text = "The printer cannot do this; nothing was changed.";
        let refused = Refused::new(StatusCode::ClientErrorAttributesOrValuesNotSupported, text);
        return Err(refused.with_unsupported(ticket.unsupported).into());
    }
    let named = group.get("job-name").and_then(Attribute::string).and_then(clean_name);
    let mut base = job.options.clone();
    ticket::reset(&mut base, group);
    let options = ticket.options.or(&base);
    let name = named.map_or_else(|| job.name.clone(), Private);
    let priority = ticket.priority.unwrap_or(job.priority);
    if options != job.options || name != job.name || priority != job.priority {
        move_job(scene, &asker, &job, JobEvent::Changed { options, name, priority }).await?;
    }
    if group.get("job-hold-until").is_some() || group.get("job-hold-until-time").is_some() {
        hold_or_let_go(scene, &asker, &job, ticket.hold).await?;
    }
    Ok(ok(arrived))
}

/// Holds a job as it is said, or lets it go where nothing is said.
pub(super) async fn hold_or_let_go(
    scene: &Scene<'_>,
    asker: &Asker,
    job: &Job,
    hold: Option<Hold>,
) -> Result<(), Refused> {
    let right = asker.right_at(&scene.printer);
    match hold {
        Some(Hold::Indefinite) => move_job(scene, asker, job, JobEvent::Hold(HoldReason::by_hand(right))).await,
        Some(Hold::Until(at)) => {
            // It waits for its hour and no longer for a word.
            lift(scene, asker, job, right, false).await?;
            move_job(scene, asker, job, JobEvent::HoldUntil(at)).await
        }
        None => lift(scene, asker, job, right, false).await,
    }
}

/// Lifts the holds that whoever asks may lift; with `all`, refuses when one stays.
pub(super) async fn lift(scene: &Scene<'_>, asker: &Asker, job: &Job, right: Right, all: bool) -> Result<(), Refused> {
    if all && !job.holds.iter().all(|hold| hold.is_lifted_by(right)) {
        let text = match job.holds.iter().find(|hold| !hold.is_lifted_by(right)) {
            Some(HoldReason::PinRelease) => "It is let go with its PIN.",
            Some(HoldReason::DocumentIncoming) => "Its documents are still coming.",
            _ => "An operator of the printer holds it, or it waits for something else than a word.",
        };
        return Err(Refused::new(StatusCode::ClientErrorNotAuthorized, text));
    }
    for hold in job.holds.iter().filter(|hold| hold.is_lifted_by(right)) {
        move_job(scene, asker, job, JobEvent::Unhold(*hold)).await?;
    }
    Ok(())
}

/// What a document is called in answers; one that has not been looked at yet too.
pub(super) fn documents(job: &Job) -> &[JobDocument] {
    if job.ready || job.received.is_empty() { &job.documents } else { &job.received }
}
