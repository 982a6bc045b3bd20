//! The attributes of a job (RFC 8011 section 5.3).

use tympan_ipp::{Attribute, DateTime, Value, Values};

use super::View;
use super::requested::Kind;
use crate::model::Job;

/// All attributes of a job.
pub(super) fn job_attributes(view: &View<'_>, job: &Job) -> Vec<(Kind, Attribute)> {
    let mut all = Vec::with_capacity(48);
    let mut add = |name: &str, values: Values| all.push((Kind::Description, Attribute::new(name, values)));
    let time = |at: Option<u64>| at.map_or(Value::NoValue, |at| Value::Integer(view.up_time(at)));
    let date_time =
        |at: Option<u64>| at.map_or(Value::NoValue, |at| Value::DateTime(DateTime::from_unix_secs(view.unix_secs(at))));
    let reasons = job.reasons(view.model.is_stopped());
    add("attributes-charset", Value::charset("utf-8").into());
    add("attributes-natural-language", Value::natural_language("en").into());
    add("job-id", job.id.into());
    add("job-uri", Value::uri(job_uri(view, job)).into());
    add("job-printer-uri", Value::uri(view.printer_uri.as_str()).into());
    add("job-printer-up-time", view.up_time(view.now).into());
    add("job-more-info", Value::uri(format!("{}/", view.page_url)).into());
    add("job-name", Value::name(job.ticket.job_name.as_str()).into());
    add("job-originating-user-name", Value::name(job.ticket.user.as_str()).into());
    add("job-state", Value::from(job.state).into());
    add("job-state-reasons", Value::keywords(reasons.iter().copied()));
    add("job-state-message", Value::text(state_message(view, job)).into());
    add("number-of-documents", i32::from(job.document.is_some() || job.octets > 0).into());
    add("time-at-creation", view.up_time(job.created_at).into());
    add("time-at-processing", time(job.processing_at).into());
    add("time-at-completed", time(job.completed_at).into());
    add("date-time-at-creation", date_time(Some(job.created_at)).into());
    add("date-time-at-processing", date_time(job.processing_at).into());
    add("date-time-at-completed", date_time(job.completed_at).into());
    let k_octets = i32::try_from(job.document_octets().div_ceil(1024)).unwrap_or(i32::MAX);
    add("job-k-octets", k_octets.into());
    add("job-k-octets-processed", if job.processing_at.is_some() { k_octets } else { 0 }.into());
    let impressions = job.impressions.map_or(Value::NoValue, |n| Value::Integer(n as i32));
    add("job-impressions", impressions.into());
    add("job-impressions-completed", (job.impressions_completed as i32).into());
    add("job-media-sheets-completed", (job.sheets_completed as i32).into());
    let before = view.model.jobs.values().filter(|other| other.id < job.id && !other.state.is_terminal()).count();
    let intervening = if job.state.is_terminal() { 0 } else { i32::try_from(before).unwrap_or(i32::MAX) };
    add("number-of-intervening-jobs", intervening.into());
    if let Some(document) = &job.document {
        let format = document.format.as_deref().unwrap_or("application/octet-stream");
        add("document-format-supplied", Value::mime_media_type(format).into());
        if let Some(name) = &document.name {
            add("document-name-supplied", Value::name(name.as_str()).into());
        }
    }
    all.extend(job.ticket.template.iter().map(|attribute| (Kind::Template, attribute.clone())));
    all
}

/// "job-uri"
pub(super) fn job_uri(view: &View<'_>, job: &Job) -> String {
    format!("{}/{}", view.printer_uri, job.id)
}

fn state_message(view: &View<'_>, job: &Job) -> String {
    use tympan_ipp::JobState::{Aborted, Canceled, Completed, Pending, PendingHeld, Processing, ProcessingStopped};
    match job.state {
        Pending | PendingHeld => "Waiting.".to_owned(),
        Processing => match job.impressions {
            Some(all) => format!("Printing page {} of {all}.", (job.impressions_completed + 1).min(all.max(1))),
            None => "Printing.".to_owned(),
        },
        ProcessingStopped => view.model.message(),
        Canceled => "Canceled.".to_owned(),
        Aborted => "The printer gave up.".to_owned(),
        Completed => "Printed.".to_owned(),
    }
}
