//! The operations, one function each.

use std::net::IpAddr;

use http::{Response, header};
use tracing::info;
use tympan_engine::{
    DocumentId, HoldReason, Job, JobEvent, JobId, JobSource, Language, Originator, Printer, Right, Timestamp,
};
use tympan_http::Body;
use tympan_ipp::{Attribute, GroupTag, Message, Operation, RequestedAttributes, StatusCode};
use tympan_spooler::{SpoolerError, Submission, Target};
use tympan_store::{JobFilter, JobStates, Whose};

use super::intake::{self, Compression};
use super::job::{self, View};
use super::printer::{self, FORMATS};
use super::refused::Refused;
use super::ticket::{self, Ticket};
use super::{Arrived, Inner};
use crate::web::{Originating, Uploader, clean_name};

/// Jobs in one answer to Get-Jobs; a client that wants more asks with "limit" and "first-index".
const JOBS_MAX: usize = 1000;
/// Characters of a claimed name that are kept.
const NAME_CHARS_MAX: usize = 64;

/// Why there is no ordinary answer.
pub(super) enum End {
    Refused(Refused),
    /// Said by HTTP: who are you?
    Http(Response<Body>),
}

impl<T: Into<Refused>> From<T> for End {
    fn from(refused: T) -> Self {
        Self::Refused(refused.into())
    }
}

type Answer = Result<Message, End>;

/// Does what a request asks and gives the answer.
pub(super) async fn perform(door: &Inner, arrived: &mut Arrived) -> Answer {
    let printer = match door.upload.spooler().printer_named(Whose::Everyones, &arrived.name).await {
        Ok(printer) => printer,
        Err(SpoolerError::NotFound(_)) => {
            let text = format!("There is no printer `{}` here; please check its address.", arrived.name);
            return Err(Refused::new(StatusCode::ClientErrorNotFound, text).into());
        }
        Err(error) => return Err(Refused::store(&error, "look up a printer").into()),
    };
    let scene = Scene { door, printer, printer_uri: printer_uri(door, arrived), now: door.upload.spooler().now() };
    match arrived.message.operation_id() {
        Operation::PrintJob => print_job(&scene, arrived).await,
        Operation::ValidateJob => validate_job(&scene, arrived).await,
        Operation::CancelJob => cancel_job(&scene, arrived).await,
        Operation::HoldJob => hold_job(&scene, arrived).await,
        Operation::ReleaseJob => release_job(&scene, arrived).await,
        Operation::GetJobAttributes => get_job_attributes(&scene, arrived).await,
        Operation::GetJobs => get_jobs(&scene, arrived).await,
        Operation::GetPrinterAttributes => get_printer_attributes(&scene, arrived).await,
        other => {
            let text = format!("{other} is not supported here.");
            Err(Refused::new(StatusCode::ServerErrorOperationNotSupported, text).into())
        }
    }
}

/// The printer that is asked, as the client reaches it.
struct Scene<'a> {
    door: &'a Inner,
    printer: Printer,
    printer_uri: String,
    now: Timestamp,
}

impl Scene<'_> {
    fn view(&self) -> View<'_> {
        View {
            printer: &self.printer,
            printer_uri: &self.printer_uri,
            base_url: self.door.upload.base_url(),
            started: self.door.started,
            now: self.now,
        }
    }

    fn whose(&self) -> Whose {
        Whose::Owner(self.printer.owner)
    }

    /// Who asks, by the credentials of the request.
    async fn asker(&self, arrived: &Arrived) -> Result<Asker, End> {
        let uploader = self.door.upload.identify(&arrived.parts, &arrived.peer).await.map_err(End::Http)?;
        let is_theirs = match &uploader {
            Uploader::Account(account) => account.owner == self.printer.owner,
            Uploader::Owner(owner) => *owner == self.printer.owner,
            Uploader::Network(_) => true,
        };
        if is_theirs { Ok(Asker(uploader)) } else { Err(Refused::not_found().into()) }
    }
}

/// Somebody whose credentials were accepted.
struct Asker(Uploader);

impl Asker {
    /// Whether a job is this one's own, or he may see and move everybody's.
    fn may(&self, job: &Job) -> bool {
        let address = job.originator.address.as_str();
        match &self.0 {
            Uploader::Owner(_) => true,
            Uploader::Account(account) => {
                let own = account.name == address || account.addresses.iter().any(|own| own.as_str() == address);
                own || account.right_at(job.printer) >= Right::Operate
            }
            Uploader::Network(addr) => address == addr.to_string() || address.ends_with(&at(*addr)),
        }
    }

    /// Whether a job is this one's own. In a listed network, people are told apart by what they call themselves.
    fn owns(&self, job: &Job, claimed: Option<&str>) -> bool {
        match (&self.0, claimed) {
            (Uploader::Network(addr), Some(claimed)) => job.originator.address.as_str() == of_network(claimed, *addr),
            (Uploader::Network(_) | Uploader::Owner(_), _) => self.may(job),
            (Uploader::Account(account), _) => {
                let address = job.originator.address.as_str();
                account.name == address || account.addresses.iter().any(|own| own.as_str() == address)
            }
        }
    }

    /// His right at a printer.
    fn right_at(&self, printer: &Printer) -> Right {
        match &self.0 {
            Uploader::Owner(_) => Right::Own,
            Uploader::Account(account) => account.right_at(printer.uuid),
            Uploader::Network(_) => Right::Print,
        }
    }

    /// Under which name what he does stands in the history.
    fn name(&self) -> String {
        match &self.0 {
            Uploader::Owner(_) => "admin".into(),
            Uploader::Account(account) => account.name.clone(),
            Uploader::Network(addr) => addr.to_string(),
        }
    }
}

// ---------------------------------------------------------------------- jobs come

async fn print_job(scene: &Scene<'_>, arrived: &mut Arrived) -> Answer {
    let (ticket, compression, originating) = check_new_job(scene, arrived).await?;
    let upload = &scene.door.upload;
    let spooler = upload.spooler();
    let id = DocumentId::from_parts(spooler.now(), spooler.random());
    let failed = |error: SpoolerError| Refused::store(&error, "store a document");
    spooler.documents().room_for(arrived.body.announced_octets().unwrap_or(0)).map_err(|error| failed(error.into()))?;
    let writer = spooler.documents().create_incoming(id).map_err(|error| failed(error.into()))?;
    let declared = format_of(&arrived.message);
    let rest = std::mem::take(&mut arrived.rest);
    let stored =
        intake::store(writer, rest, &mut arrived.body, compression, declared.as_deref(), upload.octets_max()).await;
    let (format, document) = stored?;
    let name = job_name(&arrived.message);
    let submission = Submission {
        targets: vec![Target {
            printer: scene.printer.clone(),
            registration: originating.registration,
            source: JobSource::Ipp,
            duplicate_key: None,
        }],
        name: name.clone().into(),
        originator: Originator {
            address: originating.address.into(),
            registration: None,
            language: originating.language,
            may_be_mailed: originating.may_be_mailed,
        },
        options: ticket.options,
        document: document.clone(),
        format: format.into(),
        document_name: name.into(),
        remarks: Vec::new(),
        holds: ticket.held.then_some(HoldReason::Sender).into_iter().collect(),
    };
    let accepted = match spooler.accept(submission).await {
        Ok(accepted) => accepted,
        Err(error) => {
            // What is left of it goes at the next sweep.
            let _ = spooler.documents().discard(&document).await;
            return Err(Refused::store(&error, "store a document").into());
        }
    };
    let Some(accepted) = accepted.first() else {
        return Err(Refused::new(StatusCode::ServerErrorInternalError, "Nothing was stored.").into());
    };
    info!(job = %accepted.short, door = "ipp", printer = %scene.printer.name, octets = document.octets, "Received job");
    let job = spooler.job(scene.whose(), accepted.job).await.map_err(failed)?;
    let all = job::attributes(&scene.view(), &job, true);
    let wanted = ["job-id", "job-uri", "job-state", "job-state-reasons", "job-state-message"];
    let mut answer = created(&arrived.message, ticket.unsupported);
    for attribute in all.attributes.into_iter().filter(|attribute| wanted.contains(&attribute.name.as_str())) {
        answer.push(GroupTag::Job, attribute.name, attribute.values);
    }
    Ok(answer)
}

async fn validate_job(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let (ticket, _, _) = check_new_job(scene, arrived).await?;
    Ok(created(&arrived.message, ticket.unsupported))
}

/// What Print-Job and Validate-Job have in common.
async fn check_new_job(scene: &Scene<'_>, arrived: &Arrived) -> Result<(Ticket, Compression, Originating), End> {
    let asker = scene.asker(arrived).await?;
    let message = &arrived.message;
    let compression = check_document(message)?;
    let ticket = ticket::read(message, &printer::profile(&scene.printer));
    let fidelity = message.operation_attribute("ipp-attribute-fidelity").and_then(Attribute::boolean) == Some(true);
    if fidelity && !ticket.unsupported.is_empty() {
        let text = "The job asks for something that this printer cannot do.";
        let refused = Refused::new(StatusCode::ClientErrorAttributesOrValuesNotSupported, text);
        return Err(refused.with_unsupported(ticket.unsupported).into());
    }
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
    Ok((ticket, compression, originating))
}

/// What somebody calls himself, "requesting-user-name": shown, and never believed.
fn claimed_name(message: &Message) -> Option<String> {
    let claimed = message.operation_attribute("requesting-user-name").and_then(Attribute::string)?;
    let claimed: String = claimed.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
    Some(claimed.trim().to_owned()).filter(|claimed| !claimed.is_empty())
}

/// Whose job it is when somebody in a listed network prints: `anna (192.0.2.7)`.
fn of_network(claimed: &str, addr: IpAddr) -> String {
    format!("{claimed}{}", at(addr))
}

fn at(addr: IpAddr) -> String {
    format!(" ({addr})")
}

fn format_of(message: &Message) -> Option<String> {
    message.operation_attribute("document-format").and_then(Attribute::string).map(str::to_owned)
}

fn check_document(message: &Message) -> Result<Compression, Refused> {
    check_format(message)?;
    match message.operation_attribute("compression") {
        None => Ok(Compression::None),
        Some(asked) => Compression::from_keyword(asked.string().unwrap_or_default()).ok_or_else(|| {
            let text = "Documents are taken as they are, or with gzip or deflate.";
            Refused::new(StatusCode::ClientErrorCompressionNotSupported, text).with_unsupported(vec![asked.clone()])
        }),
    }
}

fn check_format(message: &Message) -> Result<(), Refused> {
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

// ---------------------------------------------------------------------- jobs go

async fn cancel_job(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let (asker, job) = own_job(scene, arrived).await?;
    move_job(scene, &asker, &job, JobEvent::Cancel(asker.name().into())).await?;
    Ok(ok(arrived))
}

async fn hold_job(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let (asker, job) = own_job(scene, arrived).await?;
    if let Some(until) = arrived.message.operation_attribute("job-hold-until") {
        match until.string().unwrap_or_default() {
            // To hold it until now is to let it go (RFC 8011 section 4.3.5).
            "no-hold" => return release_job(scene, arrived).await,
            "indefinite" => {}
            _ => return Err(Refused::value(until.clone()).into()),
        }
    }
    let reason = HoldReason::by_hand(asker.right_at(&scene.printer));
    move_job(scene, &asker, &job, JobEvent::Hold(reason)).await?;
    Ok(ok(arrived))
}

async fn release_job(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let (asker, job) = own_job(scene, arrived).await?;
    let right = asker.right_at(&scene.printer);
    if job.holds.is_empty() {
        return Err(Refused::new(StatusCode::ClientErrorNotPossible, "The job is not held.").into());
    }
    if !job.holds.iter().all(|hold| hold.is_lifted_by(right)) {
        let text = "An operator of the printer holds it, or it waits for something else than a word.";
        return Err(Refused::new(StatusCode::ClientErrorNotAuthorized, text).into());
    }
    for hold in &job.holds {
        move_job(scene, &asker, &job, JobEvent::Unhold(*hold)).await?;
    }
    Ok(ok(arrived))
}

/// The job that a request is about, if whoever asks may move it.
async fn own_job(scene: &Scene<'_>, arrived: &Arrived) -> Result<(Asker, Job), End> {
    let asker = scene.asker(arrived).await?;
    let job = find_job(scene, arrived).await?;
    if asker.may(&job) {
        return Ok((asker, job));
    }
    Err(Refused::new(StatusCode::ClientErrorNotAuthorized, "This is somebody else's job.").into())
}

async fn move_job(scene: &Scene<'_>, asker: &Asker, job: &Job, event: JobEvent) -> Result<(), Refused> {
    let moved = scene.door.upload.spooler().job_event(scene.whose(), job.uuid, event, Some(&asker.name())).await;
    moved.map(drop).map_err(|error| Refused::store(&error, "move a job"))
}

// ---------------------------------------------------------------------- questions

async fn get_job_attributes(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let asker = scene.asker(arrived).await?;
    let job = find_job(scene, arrived).await?;
    let requested = RequestedAttributes::of(&arrived.message, &["all"]);
    let group = requested.filter(job::attributes(&scene.view(), &job, asker.may(&job)));
    Ok(ok(arrived).with_group(group))
}

async fn get_jobs(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let asker = scene.asker(arrived).await?;
    let message = &arrived.message;
    let states = match message.operation_attribute("which-jobs") {
        None => JobStates::NotCompleted,
        Some(which) => match which.string().unwrap_or_default() {
            "not-completed" => JobStates::NotCompleted,
            "completed" => JobStates::Completed,
            "all" => JobStates::All,
            _ => return Err(Refused::value(which.clone()).into()),
        },
    };
    let limit = match message.operation_attribute("limit") {
        None => JOBS_MAX,
        Some(limit) => match limit.integer().and_then(|limit| usize::try_from(limit).ok()) {
            Some(number @ 1..) => number.min(JOBS_MAX),
            _ => return Err(Refused::value(limit.clone()).into()),
        },
    };
    let mine = message.operation_attribute("my-jobs").and_then(Attribute::boolean) == Some(true);
    let filter = JobFilter { printer: Some(scene.printer.uuid), states, limit: JOBS_MAX, ..JobFilter::default() };
    let found = scene.door.upload.spooler().records().jobs(scene.whose(), &filter).await;
    let mut jobs = found.map_err(|error| Refused::store(&error.into(), "list jobs"))?;
    let claimed = claimed_name(message);
    jobs.retain(|job| !mine || asker.owns(job, claimed.as_deref()));
    if states == JobStates::NotCompleted {
        // Those that are printed first come first; what has ended comes with the newest first.
        jobs.sort_by_key(|job| (job.processing_at.is_none(), std::cmp::Reverse(job.priority), job.id));
    }
    let requested = RequestedAttributes::of(message, &["job-id", "job-uri"]);
    let mut answer = ok(arrived);
    for job in jobs.iter().take(limit) {
        answer = answer.with_group(requested.filter(job::attributes(&scene.view(), job, asker.may(job))));
    }
    Ok(answer)
}

async fn get_printer_attributes(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    check_format(&arrived.message)?;
    let waiting = scene.door.upload.spooler().records().waiting(scene.whose(), scene.printer.uuid).await;
    let waiting = waiting.map_err(|error| Refused::store(&error.into(), "count jobs"))?;
    let requested = RequestedAttributes::of(&arrived.message, &["all"]);
    Ok(ok(arrived).with_group(requested.filter(printer::attributes(&scene.view(), waiting.queued))))
}

// ---------------------------------------------------------------------- helpers

fn ok(arrived: &Arrived) -> Message {
    Message::response(StatusCode::SuccessfulOk, &arrived.message)
}

/// The answer to a new job: what of it is left out stands in the unsupported group.
fn created(request: &Message, unsupported: Vec<Attribute>) -> Message {
    let status = match unsupported.is_empty() {
        true => StatusCode::SuccessfulOk,
        false => StatusCode::SuccessfulOkIgnoredOrSubstitutedAttributes,
    };
    let mut answer = Message::response(status, request);
    for attribute in unsupported {
        answer.push(GroupTag::Unsupported, attribute.name, attribute.values);
    }
    answer
}

/// The job that a request is about, by "job-uri" or by "printer-uri" and "job-id".
async fn find_job(scene: &Scene<'_>, arrived: &Arrived) -> Result<Job, Refused> {
    let message = &arrived.message;
    let id = match message.operation_attribute("job-uri").and_then(Attribute::string) {
        // A job of another printer is not found here, whatever its number.
        Some(uri) => uri
            .rsplit_once('/')
            .filter(|(printer, _)| {
                printer.rsplit('/').next().is_some_and(|name| name.eq_ignore_ascii_case(&arrived.name))
            })
            .and_then(|(_, number)| number.parse().ok())
            .ok_or_else(Refused::not_found)?,
        None => {
            let id = message.operation_attribute("job-id").and_then(Attribute::integer);
            let id = id.and_then(|id| u32::try_from(id).ok()).filter(|id| *id > 0);
            id.ok_or_else(|| Refused::bad("\"job-id\" is missing."))?
        }
    };
    let records = scene.door.upload.spooler().records();
    let found = records.job_by_id(scene.whose(), scene.printer.uuid, JobId(id)).await;
    let found = found.map_err(|error| Refused::store(&error.into(), "look up a job"))?;
    found.map(|row| row.record).ok_or_else(Refused::not_found)
}

/// The printer's address, with the host and the scheme that the client used.
fn printer_uri(door: &Inner, arrived: &Arrived) -> String {
    let host = arrived.parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let authority = arrived.parts.uri.authority().map(http::uri::Authority::as_str);
    let base = door.upload.base_url();
    let own = base.split_once("://").map_or(base, |(_, host)| host);
    let scheme = if arrived.peer.tls { "ipps" } else { "ipp" };
    format!("{scheme}://{}{}{}", host.or(authority).unwrap_or(own), crate::report::PATH, arrived.name)
}
