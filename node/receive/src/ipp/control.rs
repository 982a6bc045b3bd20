//! Jobs are cancelled, held, let go (RFC 8011 section 4.3; PWG 5100.7 section 4).

use tympan_engine::{HoldReason, Job, JobEvent};
use tympan_ipp::{Attribute, GroupTag, StatusCode, Value};
use tympan_store::{JobFilter, JobStates};

use super::Arrived;
use super::create::{hold_or_let_go, lift, move_job};
use super::pin;
use super::printer;
use super::refused::Refused;
use super::scene::{Answer, Scene, claimed_name, ok};
use super::ticket::{self, Hold};
use tympan_spooler::PinError;

/// Jobs that one request cancels.
const CANCELED_MAX: usize = 1000;

pub(super) async fn cancel_job(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let (asker, job) = scene.own_job(arrived).await?;
    move_job(scene, &asker, &job, JobEvent::Cancel(asker.name().into())).await?;
    Ok(ok(arrived))
}

/// Cancel-Current-Job (RFC 3998 section 4.2): the job that has the device, if it is the one's own or he operates it.
pub(super) async fn cancel_current_job(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let asker = scene.asker(arrived).await?;
    let named = arrived.message.operation_attribute("job-id").and_then(Attribute::integer);
    let Some((uuid, _)) = scene.printer.current else {
        return Err(Refused::new(StatusCode::ClientErrorNotPossible, "No job is being printed.").into());
    };
    let job = scene.spooler().job(scene.whose(), uuid).await;
    let job = job.map_err(|error| Refused::store(&error, "look up a job"))?;
    if named.is_some_and(|id| u32::try_from(id) != Ok(job.id.0)) {
        return Err(Refused::new(StatusCode::ClientErrorNotPossible, "Another job is being printed by now.").into());
    }
    if !asker.may(&job) {
        return Err(Refused::new(StatusCode::ClientErrorNotAuthorized, "This is somebody else's job.").into());
    }
    move_job(scene, &asker, &job, JobEvent::Cancel(asker.name().into())).await?;
    Ok(ok(arrived))
}

/// Cancel-Jobs and Cancel-My-Jobs: all that are named, or all; if one cannot be, none is.
pub(super) async fn cancel_jobs(scene: &Scene<'_>, arrived: &Arrived, mine: bool) -> Answer {
    let asker = if mine { scene.asker(arrived).await? } else { scene.operator(arrived).await? };
    let claimed = claimed_name(&arrived.message);
    let is_mine = |job: &Job| !mine || asker.owns(job, claimed.as_deref());
    let jobs = match arrived.message.operation_attribute("job-ids") {
        None => {
            let filter = JobFilter {
                printer: Some(scene.printer.uuid),
                states: JobStates::NotCompleted,
                limit: CANCELED_MAX,
                ..JobFilter::default()
            };
            let found = scene.spooler().records().jobs(scene.whose(), &filter).await;
            let mut jobs = found.map_err(|error| Refused::store(&error.into(), "list jobs"))?;
            jobs.retain(is_mine);
            jobs
        }
        Some(ids) => {
            let (mut jobs, mut wrong) = (Vec::new(), Vec::new());
            for id in ids.integers().take(CANCELED_MAX) {
                let job = match u32::try_from(id) {
                    Ok(id) => scene.job_by_id(id).await?,
                    Err(_) => None,
                };
                match job.filter(|job| !job.is_over() && job.canceling.is_none() && is_mine(job)) {
                    Some(job) => jobs.push(job),
                    None => wrong.push(id),
                }
            }
            if !wrong.is_empty() || jobs.is_empty() {
                let text = "Some of these jobs cannot be cancelled; none was.";
                let unsupported = vec![Attribute::new("job-ids", Value::integers(wrong))];
                let refused = Refused::new(StatusCode::ClientErrorNotPossible, text);
                return Err(refused.with_unsupported(unsupported).into());
            }
            jobs
        }
    };
    for job in &jobs {
        match move_job(scene, &asker, job, JobEvent::Cancel(asker.name().into())).await {
            // It ended meanwhile: that is what was wanted.
            Err(refused) if refused.status != StatusCode::ClientErrorNotPossible => return Err(refused.into()),
            _ => {}
        }
    }
    Ok(ok(arrived))
}

pub(super) async fn hold_job(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let (asker, job) = scene.own_job(arrived).await?;
    let message = &arrived.message;
    let until = message.operation_attribute("job-hold-until");
    let time = message.operation_attribute("job-hold-until-time");
    let hold = match (until, time) {
        (None, None) => Some(Hold::Indefinite),
        (Some(attribute), None) | (None, Some(attribute)) => {
            let hold = ticket::hold(attribute, scene.now, scene.door.offset_secs(scene.now));
            hold.ok_or_else(|| Refused::value(attribute.clone()))?
        }
        (Some(_), Some(_)) => {
            return Err(Refused::bad("\"job-hold-until\" and \"job-hold-until-time\" exclude each other.").into());
        }
    };
    if hold.is_none() {
        // To hold it until now is to let it go (RFC 8011 section 4.3.5).
        return release_job(scene, arrived).await;
    }
    hold_or_let_go(scene, &asker, &job, hold).await?;
    Ok(ok(arrived))
}

pub(super) async fn release_job(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let message = &arrived.message;
    let is_safe = arrived.peer.tls || arrived.peer.addr.ip().is_loopback();
    if let Some(asked) = pin::asked(message, is_safe)? {
        return release_with_pin(scene, arrived, &asked).await;
    }
    let (asker, job) = scene.own_job(arrived).await?;
    if job.holds.is_empty() {
        // Nothing holds it: nothing is to be done, unless it has ended (RFC 8011 section 4.3.6).
        if job.is_over() {
            return Err(Refused::new(StatusCode::ClientErrorNotPossible, "The job has ended.").into());
        }
        return Ok(ok(arrived));
    }
    lift(scene, &asker, &job, asker.right_at(&scene.printer), true).await?;
    Ok(ok(arrived))
}

/// Whoever knows the PIN lets the job go, whoever it is.
async fn release_with_pin(scene: &Scene<'_>, arrived: &Arrived, asked: &pin::Asked) -> Answer {
    let asker = scene.asker(arrived).await?;
    let job = scene.find_job(arrived).await?;
    let source = arrived.peer.addr.ip();
    if !scene.door.pins.has_room(source) {
        let text = "Too many wrong PINs from you; please try again in an hour.";
        return Err(Refused::new(StatusCode::ServerErrorTemporaryError, text).into());
    }
    let by = asker.name();
    let released =
        scene.spooler().release_with_pin(scene.whose(), job.uuid, &asked.octets, &asked.encryption, &by).await;
    match released {
        Ok(_) => Ok(ok(arrived)),
        Err(PinError::Wrong) => {
            scene.door.pins.take(source);
            Err(Refused::new(StatusCode::ClientErrorNotAuthorized, "The PIN is wrong.").into())
        }
        Err(PinError::Dead) => {
            let text = "Ten wrong PINs were tried: this job is not let go by PIN any more. Please print it again.";
            Err(Refused::new(StatusCode::ClientErrorNotAuthorized, text).into())
        }
        Err(PinError::None) => Err(Refused::new(StatusCode::ClientErrorNotPossible, "The job has no PIN.").into()),
        Err(PinError::Spooler(error)) => Err(Refused::store(&error, "release a job").into()),
    }
}

/// Release-Held-New-Jobs (RFC 3998 section 4.6): new jobs are held no more, and those that were are let go.
pub(super) async fn release_held_new_jobs(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let asker = scene.operator(arrived).await?;
    super::operator::hold_new(scene, &asker, false).await?;
    let filter = JobFilter {
        printer: Some(scene.printer.uuid),
        states: JobStates::NotCompleted,
        limit: 10_000,
        ..JobFilter::default()
    };
    let found = scene.spooler().records().jobs(scene.whose(), &filter).await;
    let jobs = found.map_err(|error| Refused::store(&error.into(), "list jobs"))?;
    for job in jobs.iter().filter(|job| job.holds.contains(&HoldReason::OnCreate)) {
        move_job(scene, &asker, job, JobEvent::Unhold(HoldReason::OnCreate)).await?;
    }
    Ok(ok(arrived))
}

/// Which of the job's documents a request names, from 0.
pub(super) fn document_number(arrived: &Arrived, job: &Job) -> Result<usize, Refused> {
    let number = arrived.message.operation_attribute("document-number").and_then(Attribute::integer);
    let number = number.ok_or_else(|| Refused::bad("\"document-number\" is missing."))?;
    let count = super::create::documents(job).len();
    usize::try_from(number)
        .ok()
        .and_then(|number| number.checked_sub(1))
        .filter(|place| *place < count)
        .ok_or_else(|| Refused::new(StatusCode::ClientErrorNotFound, "The job has no such document."))
}

pub(super) async fn cancel_document(scene: &Scene<'_>, arrived: &Arrived) -> Answer {
    let (asker, job) = scene.own_job(arrived).await?;
    let place = document_number(arrived, &job)?;
    move_job(scene, &asker, &job, JobEvent::DocumentCanceled(place)).await?;
    Ok(ok(arrived))
}

/// Whether an operator's name for an attribute of the printer may be set.
pub(super) fn settable_printer_group(arrived: &Arrived) -> Result<&tympan_ipp::Group, Refused> {
    let group = arrived.message.group(GroupTag::Printer).filter(|group| !group.attributes.is_empty());
    let group = group.ok_or_else(|| Refused::bad("There is nothing to set."))?;
    let wrong: Vec<Attribute> = group
        .attributes
        .iter()
        .filter(|attribute| !printer::SETTABLE.contains(&attribute.name.as_str()))
        .map(|attribute| Attribute::new(attribute.name.as_str(), Value::NotSettable))
        .collect();
    if wrong.is_empty() {
        return Ok(group);
    }
    let text = format!("Of a printer can be set: {}.", printer::SETTABLE.join(", "));
    Err(Refused::new(StatusCode::ClientErrorAttributesNotSettable, text).with_unsupported(wrong))
}
