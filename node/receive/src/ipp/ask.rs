//! Questions: what jobs, documents and the printer are like (RFC 8011 sections 4.2.5, 4.2.6, 4.3.4; PWG 5100.5).

use tympan_engine::Job;
use tympan_ipp::{Attribute, Group, GroupTag, JobState, RequestedAttributes, Value};
use tympan_store::{JobFilter, JobStates};

use super::control::document_number;
use super::create::{check_format, documents};
use super::refused::Refused;
use super::scene::{Answer, Scene, claimed_name, ok};
use super::{Arrived, job, printer};

/// Jobs in one answer to Get-Jobs; a client that wants more asks with "limit" and "first-index".
const JOBS_MAX: usize = 1000;

pub(super) async fn get_job_attributes(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let asker = scene.asker(arrived).await?;
    let job = scene.find_job(arrived).await?;
    let requested = RequestedAttributes::of(&arrived.message, &["all"]);
    let group = requested.filter(job::attributes(&scene.view(), &job, asker.may(&job)));
    Ok(ok(arrived).with_group(group))
}

pub(super) async fn get_jobs(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let asker = scene.asker(arrived).await?;
    let message = &arrived.message;
    let positive = |name: &str, default: usize| match message.operation_attribute(name) {
        None => Ok(default),
        Some(asked) => match asked.integer().and_then(|number| usize::try_from(number).ok()) {
            Some(number @ 1..) => Ok(number.min(JOBS_MAX)),
            _ => Err(Refused::value(asked.clone())),
        },
    };
    let (limit, first) = (positive("limit", JOBS_MAX)?, positive("first-index", 1)?);
    let mine = message.operation_attribute("my-jobs").and_then(Attribute::boolean) == Some(true);
    let claimed = claimed_name(message);
    let requested = RequestedAttributes::of(message, &["job-id", "job-uri"]);
    let mut answer = ok(arrived);
    for job in listed(scene, arrived)
        .await?
        .iter()
        .filter(|job| !mine || asker.owns(job, claimed.as_deref()))
        .skip(first - 1)
        .take(limit)
    {
        answer = answer.with_group(requested.filter(job::attributes(&scene.view(), job, asker.may(job))));
    }
    Ok(answer)
}

/// The jobs that a request asks for, in their order.
async fn listed(scene: &Scene<'_>, arrived: &Arrived) -> Result<Vec<Job>, Refused> {
    let message = &arrived.message;
    if let Some(ids) = message.operation_attribute("job-ids") {
        if message.operation_attribute("which-jobs").is_some() {
            return Err(Refused::bad("\"job-ids\" and \"which-jobs\" exclude each other."));
        }
        let mut jobs = Vec::new();
        for id in ids.integers().take(JOBS_MAX).filter_map(|id| u32::try_from(id).ok()) {
            jobs.extend(scene.job_by_id(id).await?);
        }
        return Ok(jobs);
    }
    let which = message.operation_attribute("which-jobs");
    let word = which.map(|which| which.string().unwrap_or_default());
    let states = match word {
        None | Some("not-completed" | "pending" | "pending-held" | "processing" | "processing-stopped") => {
            JobStates::NotCompleted
        }
        Some("completed" | "aborted" | "canceled") => JobStates::Completed,
        Some("all") => JobStates::All,
        Some(_) => return Err(which.cloned().map_or_else(Refused::not_found, Refused::value)),
    };
    let filter = JobFilter { printer: Some(scene.printer.uuid), states, limit: JOBS_MAX, ..JobFilter::default() };
    let found = scene.spooler().records().jobs(scene.whose(), &filter).await;
    let mut jobs = found.map_err(|error| Refused::store(&error.into(), "list jobs"))?;
    if let Some(state) = word.filter(|word| !matches!(*word, "all" | "completed" | "not-completed")) {
        jobs.retain(|job| job.state.as_str() == state);
    }
    if states == JobStates::NotCompleted {
        // Those that are printed first come first; what has ended comes with the newest first.
        jobs.sort_by_key(|job| (job.processing_at.is_none(), std::cmp::Reverse(job.priority), job.id));
    }
    Ok(jobs)
}

pub(super) async fn get_printer_attributes(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    check_format(&arrived.message)?;
    let waiting = scene.spooler().records().waiting(scene.whose(), scene.printer.uuid).await;
    let waiting = waiting.map_err(|error| Refused::store(&error.into(), "count jobs"))?;
    let requested = RequestedAttributes::of(&arrived.message, &["all"]);
    Ok(ok(arrived).with_group(requested.filter(printer::attributes(&scene.view(), waiting.queued))))
}

pub(super) async fn get_documents(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let (_, job) = scene.own_job(arrived).await?;
    let limit = match arrived.message.operation_attribute("limit") {
        None => usize::MAX,
        Some(limit) => match limit.integer().and_then(|limit| usize::try_from(limit).ok()) {
            Some(limit @ 1..) => limit,
            _ => return Err(Refused::value(limit.clone()).into()),
        },
    };
    let requested = RequestedAttributes::of(&arrived.message, &["document-number"]);
    let mut answer = ok(arrived);
    for place in 0..documents(&job).len().min(limit) {
        answer = answer.with_group(requested.filter(document(scene, &job, place)));
    }
    Ok(answer)
}

pub(super) async fn get_document_attributes(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let (_, job) = scene.own_job(arrived).await?;
    let place = document_number(arrived, &job)?;
    let requested = RequestedAttributes::of(&arrived.message, &["all"]);
    Ok(ok(arrived).with_group(requested.filter(document(scene, &job, place))))
}

/// The attributes of a document (PWG 5100.5 section 6).
fn document(scene: &Scene<'_>, job: &Job, place: usize) -> Group {
    let view = scene.view();
    let one = &documents(job)[place];
    let number = i32::try_from(place + 1).unwrap_or(i32::MAX);
    let time = |at: Option<tympan_engine::Timestamp>| at.map_or(Value::NoValue, |at| Value::Integer(view.up_time(at)));
    let date = |at: Option<tympan_engine::Timestamp>| at.map_or(Value::NoValue, job::date_time);
    let pages =
        if one.pages > 0 { Value::Integer(i32::try_from(one.pages).unwrap_or(i32::MAX)) } else { Value::NoValue };
    let mut all = Group { tag: GroupTag::Document, attributes: Vec::with_capacity(24) };
    all.push("attributes-charset", Value::charset("utf-8"));
    all.push("attributes-natural-language", Value::natural_language("en"));
    all.push("document-number", number);
    all.push("document-name", Value::name(one.name.as_str()));
    all.push("document-format", Value::mime_media_type(one.format.as_str()));
    all.push("document-state", Value::Enum(document_state(job)));
    all.push("document-state-reasons", job::reasons(job));
    all.push("document-job-id", i32::try_from(job.id.0).unwrap_or(i32::MAX));
    all.push("document-job-uri", Value::uri(view.job_uri(job)));
    all.push("document-printer-uri", Value::uri(view.printer_uri));
    all.push("document-uuid", Value::uri(format!("urn:uuid:{}", one.id)));
    all.push("impressions", pages);
    all.push("impressions-completed", i32::try_from(job.impressions_completed).unwrap_or(i32::MAX));
    all.push("k-octets", i32::try_from(one.octets.div_ceil(1024)).unwrap_or(i32::MAX));
    all.push("last-document", job.incoming.is_none() && place + 1 == documents(job).len());
    all.push("printer-up-time", view.up_time(view.now));
    all.push("time-at-creation", view.up_time(job.created_at));
    all.push("time-at-processing", time(job.processing_at));
    all.push("time-at-completed", time(job.completed_at));
    all.push("date-time-at-creation", job::date_time(job.created_at));
    all.push("date-time-at-processing", date(job.processing_at));
    all.push("date-time-at-completed", date(job.completed_at));
    all
}

/// "document-state" (PWG 5100.5 section 6.1.11): the job's; a document that is held is pending.
fn document_state(job: &Job) -> i32 {
    match job.state {
        JobState::Pending | JobState::PendingHeld => 3,
        JobState::Processing => 5,
        JobState::ProcessingStopped => 6,
        JobState::Canceled => 7,
        JobState::Aborted => 8,
        JobState::Completed => 9,
    }
}
