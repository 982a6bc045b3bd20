//! The operations, one function each.

use std::sync::Arc;

use tympan_ipp::{Attribute, Group, GroupTag, JobState, Message, Operation, StatusCode, Value};

use super::attributes::printer_attributes;
use super::capabilities::{IDENTIFY_ACTIONS, WHICH_JOBS};
use super::intake::{Compression, Intake, IntakeEnd, IntakeError};
use super::job_attributes::job_attributes;
use super::requested::Requested;
use super::ticket::{self, ReadTicket};
use super::{Arrived, View, drain};
use crate::line::LineCut;
use crate::model::{Job, JobFault, Model};
use crate::shared::Shared;
use crate::state::DeviceEvent;

/// Why an operation is refused.
struct Refused {
    status: StatusCode,
    why: String,
    unsupported: Vec<Attribute>,
}

impl Refused {
    fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self { status, why: why.into(), unsupported: Vec::new() }
    }

    fn value(attribute: Attribute) -> Self {
        let why = format!("\"{}\" has a value that this printer does not support.", attribute.name);
        let status = StatusCode::ClientErrorAttributesOrValuesNotSupported;
        Self { status, why, unsupported: vec![attribute] }
    }

    fn response(self, request: &Message) -> Message {
        with_unsupported(Message::response(self.status, request).status_message(self.why), self.unsupported)
    }
}

impl From<JobFault> for Refused {
    fn from(fault: JobFault) -> Self {
        match fault {
            JobFault::NotFound => Self::new(StatusCode::ClientErrorNotFound, "This printer knows no such job."),
            JobFault::NotPossible => {
                Self::new(StatusCode::ClientErrorNotPossible, "The job's state does not allow this.")
            }
            JobFault::SingleDocument => Self::new(
                StatusCode::ServerErrorMultipleDocumentJobsNotSupported,
                "This printer takes one document for each job.",
            ),
            JobFault::TooManyJobs => Self::new(StatusCode::ServerErrorTooManyJobs, "Too many jobs are waiting."),
        }
    }
}

impl From<IntakeError> for Refused {
    fn from(error: IntakeError) -> Self {
        let status = match error {
            IntakeError::TooLarge { .. } => StatusCode::ClientErrorRequestEntityTooLarge,
            IntakeError::Compression => StatusCode::ClientErrorCompressionError,
            IntakeError::Disk(_) => StatusCode::ServerErrorTemporaryError,
        };
        Self::new(status, format!("Not printed: {error}."))
    }
}

/// Ends an operation without its ordinary answer.
enum End {
    Refused(Refused),
    Cut,
}

impl<T: Into<Refused>> From<T> for End {
    fn from(refused: T) -> Self {
        Self::Refused(refused.into())
    }
}

type Answer = Result<Message, End>;

/// Does what a request asks and gives the answer.
pub(super) async fn perform(shared: &Arc<Shared>, mut arrived: Arrived) -> Result<Message, LineCut> {
    if let Err(fault) = arrived.message.check_request() {
        drain(&mut arrived.body).await;
        return Ok(fault.response(&arrived.message));
    }
    let answer = match arrived.message.operation_id() {
        Operation::PrintJob => print_job(shared, &mut arrived).await,
        Operation::ValidateJob => validate_job(shared, &arrived),
        Operation::CreateJob => create_job(shared, &arrived),
        Operation::SendDocument => send_document(shared, &mut arrived).await,
        Operation::CancelJob => cancel_job(shared, &arrived),
        Operation::CancelMyJobs => cancel_my_jobs(shared, &arrived),
        Operation::CloseJob => close_job(shared, &arrived),
        Operation::GetJobAttributes => get_job_attributes(shared, &arrived),
        Operation::GetJobs => get_jobs(shared, &arrived),
        Operation::GetPrinterAttributes => get_printer_attributes(shared, &arrived),
        Operation::IdentifyPrinter => identify_printer(shared, &arrived),
        other => {
            Err(Refused::new(StatusCode::ServerErrorOperationNotSupported, format!("{other} is not supported.")).into())
        }
    };
    match answer {
        Ok(message) => Ok(message),
        Err(End::Cut) => Err(LineCut),
        Err(End::Refused(refused)) => {
            drain(&mut arrived.body).await;
            Ok(refused.response(&arrived.message))
        }
    }
}

// ---------------------------------------------------------------------- jobs come

async fn print_job(shared: &Arc<Shared>, arrived: &mut Arrived) -> Answer {
    let (read, compression) = check_new_job(shared, arrived)?;
    let ReadTicket { mut ticket, unsupported } = read;
    ticket.printer_uri = printer_uri(arrived);
    let id = shared.change(|model, now| {
        let id = model.create_job(ticket, now)?;
        model.begin_document(id).map(|()| id)
    })?;
    receive_document(shared, arrived, id, compression).await?;
    shared.change(|model, now| model.close_job(id, now))?;
    job_answer(shared, arrived, id, unsupported)
}

fn validate_job(shared: &Arc<Shared>, arrived: &Arrived) -> Answer {
    let (read, _) = check_new_job(shared, arrived)?;
    Ok(created(&arrived.message, read.unsupported))
}

fn create_job(shared: &Arc<Shared>, arrived: &Arrived) -> Answer {
    let (read, _) = check_new_job(shared, arrived)?;
    let ReadTicket { mut ticket, unsupported } = read;
    ticket.printer_uri = printer_uri(arrived);
    let id = shared.change(|model, now| model.create_job(ticket, now))?;
    job_answer(shared, arrived, id, unsupported)
}

async fn send_document(shared: &Arc<Shared>, arrived: &mut Arrived) -> Answer {
    let id = job_id(arrived)?;
    let last = arrived.message.operation_attribute("last-document").and_then(Attribute::boolean);
    let last = last.ok_or_else(|| Refused::new(StatusCode::ClientErrorBadRequest, "\"last-document\" is missing."))?;
    if !shared.read(|model| model.jobs.contains_key(&id)) {
        return Err(JobFault::NotFound.into());
    }
    let compression = check_document(shared, arrived)?;
    // An empty last document only closes the job.
    let empty = arrived.rest.is_empty() && arrived.body.announced_octets() == Some(arrived.body.octets());
    if !(empty && last) {
        shared.change(|model, _| model.begin_document(id))?;
        receive_document(shared, arrived, id, compression).await?;
    }
    if last {
        shared.change(|model, now| model.close_job(id, now))?;
    }
    job_answer(shared, arrived, id, Vec::new())
}

fn close_job(shared: &Arc<Shared>, arrived: &Arrived) -> Answer {
    let id = job_id(arrived)?;
    shared.change(|model, now| model.close_job(id, now))?;
    Ok(ok(arrived))
}

/// Checks what Print-Job, Validate-Job and Create-Job have in common.
fn check_new_job(shared: &Shared, arrived: &Arrived) -> Result<(ReadTicket, Option<Compression>), End> {
    refuse_when_busy(shared)?;
    let compression = check_document(shared, arrived)?;
    let read = shared.read(|model| ticket::read(&arrived.message, &shared.options, &model.trays));
    let fidelity = arrived.message.operation_attribute("ipp-attribute-fidelity").and_then(Attribute::boolean);
    if fidelity == Some(true) && !read.unsupported.is_empty() {
        let status = StatusCode::ClientErrorAttributesOrValuesNotSupported;
        let why = "The job asks for something that this printer cannot do.".to_owned();
        return Err(Refused { status, why, unsupported: read.unsupported }.into());
    }
    Ok((read, compression))
}

fn refuse_when_busy(shared: &Shared) -> Result<(), Refused> {
    if shared.read(|model| model.faults.not_accepting) {
        let why = "The printer takes no new jobs at the moment.";
        return Err(Refused::new(StatusCode::ServerErrorNotAcceptingJobs, why));
    }
    if shared.read(|model| model.faults.busy) {
        return Err(Refused::new(StatusCode::ServerErrorBusy, "The printer is busy; try again later."));
    }
    Ok(())
}

fn check_document(shared: &Shared, arrived: &Arrived) -> Result<Option<Compression>, Refused> {
    let message = &arrived.message;
    if let Some(format) = message.operation_attribute("document-format") {
        let wanted = format.string().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        if !shared.options.formats().contains(&wanted.as_str()) {
            return Err(Refused {
                status: StatusCode::ClientErrorDocumentFormatNotSupported,
                why: format!("This printer takes {}.", shared.options.formats()[1..].join(", ")),
                unsupported: vec![format.clone()],
            });
        }
    }
    match message.operation_attribute("compression").map(|a| (a, a.string().unwrap_or(""))) {
        None | Some((_, "none")) => Ok(None),
        Some((_, "gzip")) => Ok(Some(Compression::Gzip)),
        Some((_, "deflate")) => Ok(Some(Compression::Deflate)),
        Some((attribute, _)) => Err(Refused {
            status: StatusCode::ClientErrorCompressionNotSupported,
            why: "This printer takes gzip and deflate.".to_owned(),
            unsupported: vec![attribute.clone()],
        }),
    }
}

/// Reads the document into its job. What came of a document whose line was cut is printed as far as
/// whole pages go, then the job is aborted, as a printer does that prints while it reads.
async fn receive_document(
    shared: &Arc<Shared>,
    arrived: &mut Arrived,
    id: i32,
    compression: Option<Compression>,
) -> Result<(), End> {
    let text = |name: &str| arrived.message.operation_attribute(name).and_then(Attribute::string).map(str::to_owned);
    let (format, name) = (text("document-format"), text("document-name"));
    // The handler is dropped when the client goes away; then this ends the job.
    let mut open =
        OpenDocument { shared: Arc::clone(shared), id, intake: None, format: format.clone(), name: name.clone() };
    let fail = |error: IntakeError| {
        shared.change(|model, now| {
            model.forget_document(id);
            let _ = model.abort_job(id, now);
        });
        End::from(error)
    };
    let intake = open.intake.insert(Intake::begin(shared, compression).map_err(fail)?);
    let mut chunk = std::mem::take(&mut arrived.rest);
    loop {
        match intake.write(shared, &chunk) {
            Ok(IntakeEnd::Cut) => return Err(End::Cut),
            Ok(IntakeEnd::More | IntakeEnd::Whole) => {}
            Err(error) => {
                open.intake = None;
                return Err(fail(error));
            }
        }
        match arrived.body.chunk().await {
            Ok(Some(next)) => chunk = next,
            Ok(None) => break,
            Err(tympan_http::BodyError::TooLarge { octets_max }) => {
                open.intake = None;
                return Err(fail(IntakeError::TooLarge { octets_max }));
            }
            // The sender went away; `open` keeps what came.
            Err(_) => return Err(End::Cut),
        }
    }
    let Some(intake) = open.intake.take() else {
        return Err(End::Cut);
    };
    let document = intake.into_document(format, name, false).map_err(fail)?;
    shared.change(|model, _| model.end_document(id, document))?;
    Ok(())
}

/// A document that is being received; dropped before its end, it becomes a cut one.
struct OpenDocument {
    shared: Arc<Shared>,
    id: i32,
    intake: Option<Intake>,
    format: Option<String>,
    name: Option<String>,
}

impl Drop for OpenDocument {
    fn drop(&mut self) {
        let Some(intake) = self.intake.take() else {
            return;
        };
        let received = intake.received();
        let document = intake.into_document(self.format.take(), self.name.take(), true);
        tracing::info!(job_id = self.id, received, "The line was cut inside a document");
        self.shared.change(|model, now| {
            // The job may be gone with the power.
            match document {
                Ok(document) => {
                    let _ = model.end_document(self.id, document);
                    let _ = model.close_job(self.id, now);
                }
                Err(_) => {
                    model.forget_document(self.id);
                    let _ = model.abort_job(self.id, now);
                }
            }
        });
    }
}

fn job_answer(shared: &Shared, arrived: &Arrived, id: i32, unsupported: Vec<Attribute>) -> Answer {
    shared.read(|model| {
        let job = model.jobs.get(&id).ok_or(JobFault::NotFound)?;
        let view = View::new(shared, model, &arrived.authority);
        let requested = Requested::of_names(&[
            "job-id",
            "job-uri",
            "job-state",
            "job-state-reasons",
            "job-state-message",
            "number-of-intervening-jobs",
        ]);
        let group = Group { tag: GroupTag::Job, attributes: requested.filter(job_attributes(&view, job)) };
        Ok(created(&arrived.message, unsupported).with_group(group))
    })
}

/// The head of an answer to a job that was taken, with what of it was ignored.
fn created(request: &Message, unsupported: Vec<Attribute>) -> Message {
    if unsupported.is_empty() {
        return Message::response(StatusCode::SuccessfulOk, request);
    }
    let head = Message::response(StatusCode::SuccessfulOkIgnoredOrSubstitutedAttributes, request);
    with_unsupported(head, unsupported)
}

fn with_unsupported(message: Message, unsupported: Vec<Attribute>) -> Message {
    if unsupported.is_empty() {
        return message;
    }
    message.with_group(Group { tag: GroupTag::Unsupported, attributes: unsupported })
}

// ---------------------------------------------------------------------- jobs go

fn cancel_job(shared: &Arc<Shared>, arrived: &Arrived) -> Answer {
    let id = job_id(arrived)?;
    shared.change(|model, now| model.cancel_job(id, now))?;
    Ok(ok(arrived))
}

/// All or nothing (PWG 5100.7 section 5.2).
fn cancel_my_jobs(shared: &Arc<Shared>, arrived: &Arrived) -> Answer {
    let user = user(&arrived.message);
    let asked: Option<Vec<i32>> = arrived.message.operation_attribute("job-ids").map(|a| a.integers().collect());
    shared.change(|model, now| {
        let may = |model: &Model, id: i32| {
            model.jobs.get(&id).is_some_and(|j| j.ticket.user == user && !j.state.is_terminal() && !j.cancel_requested)
        };
        let ids = match asked {
            Some(ids) => {
                let wrong: Vec<i32> = ids.iter().copied().filter(|id| !may(model, *id)).collect();
                if !wrong.is_empty() {
                    let why = "Some of these jobs cannot be canceled, so none was.".to_owned();
                    let unsupported = vec![Attribute::new("job-ids", Value::integers(wrong))];
                    return Err(Refused { status: StatusCode::ClientErrorNotPossible, why, unsupported }.into());
                }
                ids
            }
            None => model.jobs.keys().copied().filter(|id| may(model, *id)).collect(),
        };
        for id in ids {
            model.cancel_job(id, now)?;
        }
        Ok(ok(arrived))
    })
}

// ---------------------------------------------------------------------- questions

fn get_job_attributes(shared: &Arc<Shared>, arrived: &Arrived) -> Answer {
    let id = job_id(arrived)?;
    shared.read(|model| {
        let job = model.jobs.get(&id).ok_or(JobFault::NotFound)?;
        let view = View::new(shared, model, &arrived.authority);
        let requested = Requested::of(&arrived.message, &["all"]);
        let attributes = requested.filter(job_attributes(&view, job));
        Ok(ok(arrived).with_group(Group { tag: GroupTag::Job, attributes }))
    })
}

fn get_jobs(shared: &Arc<Shared>, arrived: &Arrived) -> Answer {
    let message = &arrived.message;
    let which = match message.operation_attribute("which-jobs") {
        None => "not-completed",
        Some(attribute) => match attribute.string().filter(|word| WHICH_JOBS.contains(word)) {
            Some(word) => word,
            None => return Err(Refused::value(attribute.clone()).into()),
        },
    };
    let integer = |name: &str| message.operation_attribute(name).and_then(Attribute::integer);
    let limit = match integer("limit") {
        Some(limit) if limit < 1 => {
            let attribute = Attribute::new("limit", limit);
            return Err(Refused::value(attribute).into());
        }
        Some(limit) => limit as usize,
        None => usize::MAX,
    };
    let first = integer("first-index").map_or(0, |n| n.max(1) as usize - 1);
    let mine = message.operation_attribute("my-jobs").and_then(Attribute::boolean) == Some(true);
    let user = user(message);
    let ids: Option<Vec<i32>> = message.operation_attribute("job-ids").map(|a| a.integers().collect());
    shared.read(|model| {
        let view = View::new(shared, model, &arrived.authority);
        let requested = Requested::of(message, &["job-id", "job-uri"]);
        let mut jobs: Vec<&Job> = model
            .jobs
            .values()
            .filter(|job| which == "all" || job.state.is_terminal() == (which == "completed"))
            .filter(|job| !mine || job.ticket.user == user)
            .filter(|job| ids.as_ref().is_none_or(|ids| ids.contains(&job.id)))
            .collect();
        if which == "completed" {
            jobs.sort_by_key(|job| std::cmp::Reverse((job.completed_at, job.id)));
        } else {
            // Jobs in work before those that wait.
            jobs.sort_by_key(|job| (job.state == JobState::Pending, job.id));
        }
        let mut answer = ok(arrived);
        for job in jobs.into_iter().skip(first).take(limit) {
            let attributes = requested.filter(job_attributes(&view, job));
            answer = answer.with_group(Group { tag: GroupTag::Job, attributes });
        }
        Ok(answer)
    })
}

fn get_printer_attributes(shared: &Arc<Shared>, arrived: &Arrived) -> Answer {
    if let Some(format) = arrived.message.operation_attribute("document-format") {
        let wanted = format.string().unwrap_or("").to_ascii_lowercase();
        if !shared.options.formats().contains(&wanted.as_str()) {
            let status = StatusCode::ClientErrorDocumentFormatNotSupported;
            let why = "This printer does not take that format.".to_owned();
            return Err(Refused { status, why, unsupported: vec![format.clone()] }.into());
        }
    }
    shared.read(|model| {
        let view = View::new(shared, model, &arrived.authority);
        let requested = Requested::of(&arrived.message, &["all"]);
        let attributes = requested.filter(printer_attributes(&view));
        Ok(ok(arrived).with_group(Group { tag: GroupTag::Printer, attributes }))
    })
}

fn identify_printer(shared: &Arc<Shared>, arrived: &Arrived) -> Answer {
    if let Some(actions) = arrived.message.operation_attribute("identify-actions")
        && !actions.strings().all(|action| IDENTIFY_ACTIONS.contains(&action))
    {
        return Err(Refused::value(actions.clone()).into());
    }
    let message = arrived.message.operation_attribute("message").and_then(Attribute::string).map(str::to_owned);
    tracing::info!(message = message.as_deref().unwrap_or(""), "Somebody looks for this printer");
    let shown =
        message.clone().filter(|m| !m.is_empty()).unwrap_or_else(|| format!("This is {}.", shared.options.name));
    shared.change(|model, now| model.show(shown, now));
    shared.tell(DeviceEvent::Identify { message });
    Ok(ok(arrived))
}

// ---------------------------------------------------------------------- helpers

fn ok(arrived: &Arrived) -> Message {
    Message::response(StatusCode::SuccessfulOk, &arrived.message)
}

fn user(message: &Message) -> String {
    let named = message.operation_attribute("requesting-user-name").and_then(Attribute::string);
    named.filter(|n| !n.is_empty()).unwrap_or("anonymous").to_owned()
}

fn printer_uri(arrived: &Arrived) -> String {
    arrived.message.operation_attribute("printer-uri").and_then(Attribute::string).unwrap_or("").to_owned()
}

/// The job that a request is about, by "job-uri" or by "printer-uri" and "job-id".
fn job_id(arrived: &Arrived) -> Result<i32, Refused> {
    let message = &arrived.message;
    if let Some(uri) = message.operation_attribute("job-uri").and_then(Attribute::string) {
        let number = uri.rsplit('/').next().and_then(|number| number.parse().ok());
        return number.ok_or_else(|| Refused::new(StatusCode::ClientErrorNotFound, "The job-uri names no job."));
    }
    let id = message.operation_attribute("job-id").and_then(Attribute::integer);
    id.filter(|id| *id > 0).ok_or_else(|| Refused::new(StatusCode::ClientErrorBadRequest, "\"job-id\" is missing."))
}
