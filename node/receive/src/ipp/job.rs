//! The attributes of a job (RFC 8011 section 5.3).

use tympan_engine::{ColorMode, HoldReason, Job, JobSource, Printer, Scaling, Timestamp};
use tympan_ipp::{DateTime, Group, GroupTag, JobState, RangeOfInteger, Resolution, Value, Values};

use super::create::documents;

/// From where a client looks at jobs.
pub(super) struct View<'a> {
    pub(super) printer: &'a Printer,
    /// `ipp://host/ipp/print/NAME`
    pub(super) printer_uri: &'a str,
    /// Where people see their jobs, without a slash at the end.
    pub(super) base_url: &'a str,
    pub(super) started: Timestamp,
    pub(super) now: Timestamp,
    /// Octets of a document.
    pub(super) octets_max: u64,
    /// How long a document is waited for, in milliseconds.
    pub(super) documents_time_out_ms: tympan_engine::Millis,
}

impl View<'_> {
    /// Seconds since the server was started, from 1; of what was before, zero or less (RFC 8011 section 5.3.14).
    pub(super) fn up_time(&self, at: Timestamp) -> i32 {
        Self::secs_since(self.started, at)
    }

    /// Seconds from one instant to another, from 1.
    pub(super) fn secs_since(started: Timestamp, at: Timestamp) -> i32 {
        let (at, started) = (i64::try_from(at.0).unwrap_or(i64::MAX), i64::try_from(started.0).unwrap_or(0));
        i32::try_from((at - started).div_euclid(1000) + 1).unwrap_or(i32::MAX)
    }

    /// "job-uri".
    pub(super) fn job_uri(&self, job: &Job) -> String {
        format!("{}/{}", self.printer_uri, job.id.0)
    }
}

/// All attributes of a job; of somebody else's, those that say nothing about its sender and content.
pub(super) fn attributes(view: &View<'_>, job: &Job, is_own: bool) -> Group {
    let mut all = Group { tag: GroupTag::Job, attributes: Vec::with_capacity(40) };
    let time = |at: Option<Timestamp>| at.map_or(Value::NoValue, |at| Value::Integer(view.up_time(at)));
    let date = |at: Option<Timestamp>| at.map_or(Value::NoValue, date_time);
    all.push("attributes-charset", Value::charset("utf-8"));
    all.push("attributes-natural-language", Value::natural_language("en"));
    all.push("job-id", i32::try_from(job.id.0).unwrap_or(i32::MAX));
    all.push("job-uri", Value::uri(view.job_uri(job)));
    all.push("job-uuid", Value::uri(format!("urn:uuid:{}", job.uuid)));
    all.push("job-printer-uri", Value::uri(view.printer_uri));
    all.push("job-printer-up-time", view.up_time(view.now));
    all.push("job-state", job.state);
    all.push("job-state-reasons", reasons(job));
    all.push("time-at-creation", view.up_time(job.created_at));
    all.push("time-at-processing", time(job.processing_at));
    all.push("time-at-completed", time(job.completed_at));
    all.push("date-time-at-creation", date_time(job.created_at));
    all.push("date-time-at-processing", date(job.processing_at));
    all.push("date-time-at-completed", date(job.completed_at));
    all.push("job-impressions-completed", i32::try_from(job.impressions_completed).unwrap_or(i32::MAX));
    all.push("job-priority", i32::from(job.priority));
    if !is_own {
        return all;
    }
    all.push("job-name", Value::name(job.name.as_str()));
    // Who prints from a listed network is told apart by address; clients look for the name that they gave.
    let address = job.originator.address.as_str();
    let user = address.rsplit_once(" (").map_or(address, |(claimed, _)| claimed);
    all.push("job-originating-user-name", Value::name(user));
    all.push("job-more-info", Value::uri(format!("{}/jobs/{}", view.base_url, job.short())));
    all.push("job-state-message", Value::text(message(view, job)));
    let documents = documents(job);
    all.push("number-of-documents", i32::try_from(documents.len()).unwrap_or(i32::MAX));
    let octets: u64 = documents.iter().map(|document| document.octets).sum();
    all.push("job-k-octets", i32::try_from(octets.div_ceil(1024)).unwrap_or(i32::MAX));
    all.push(
        "job-impressions",
        match job.ready {
            true => Value::Integer(i32::try_from(job.pages().saturating_mul(job.copies().into())).unwrap_or(i32::MAX)),
            false => Value::NoValue,
        },
    );
    if let JobSource::Reprint { of } = &job.source {
        all.push("parent-job-uuid", Value::uri(format!("urn:uuid:{of}")));
    }
    template(&mut all, job);
    all
}

/// What was asked for, as it will be printed.
fn template(all: &mut Group, job: &Job) {
    let asked = &job.options;
    if let Some(copies) = asked.copies {
        all.push("copies", i32::from(copies));
    }
    let until = match job.release_at {
        Some(at) => {
            all.push("job-hold-until-time", date_time(at));
            None
        }
        None if job.holds.contains(&HoldReason::Sender) || job.holds.contains(&HoldReason::Operator) => {
            Some("indefinite")
        }
        None => Some("no-hold"),
    };
    if let Some(until) = until {
        all.push("job-hold-until", Value::keyword(until));
    }
    if let Some(media) = &asked.media {
        all.push("media", Value::keyword(media.as_str()));
    }
    if let Some(number) = asked.number_up {
        all.push("number-up", i32::from(number));
    }
    if let Some(quality) = asked.quality {
        all.push("print-quality", Value::Enum(quality.number()));
    }
    if let Some(dpi) = asked.resolution {
        all.push("printer-resolution", Resolution::dpi(i32::try_from(dpi).unwrap_or(i32::MAX)));
    }
    if let Some(handling) = asked.handling {
        all.push("multiple-document-handling", Value::keyword(handling.as_str()));
    }
    if let Some(orientation) = asked.orientation {
        let number = (3..=6).find(|number| super::ticket::orientation(*number) == Some(orientation));
        all.push("orientation-requested", Value::Enum(number.unwrap_or(3)));
    }
    if let Some(scaling) = asked.scaling {
        let keyword = match scaling {
            Scaling::Auto => "auto",
            Scaling::AutoFit => "auto-fit",
            Scaling::Fill => "fill",
            Scaling::Fit => "fit",
            Scaling::None => "none",
        };
        all.push("print-scaling", Value::keyword(keyword));
    }
    if let Some(sides) = asked.sides {
        all.push("sides", Value::keyword(sides.as_str()));
    }
    if let Some(color) = asked.color {
        all.push(
            "print-color-mode",
            Value::keyword(match color {
                ColorMode::Auto => "auto",
                ColorMode::Color => "color",
                ColorMode::Monochrome => "monochrome",
            }),
        );
    }
    if !asked.pages.is_empty() {
        let page = |page: u32| i32::try_from(page).unwrap_or(i32::MAX);
        let ranges =
            asked.pages.iter().map(|range| RangeOfInteger { lower: page(range.first), upper: page(range.last) });
        all.push("page-ranges", ranges.map(Value::RangeOfInteger).collect::<Values>());
    }
}

pub(super) fn reasons(job: &Job) -> Values {
    let reasons = job.reasons();
    if reasons.is_empty() { Value::keyword("none").into() } else { Value::keywords(reasons) }
}

fn message(view: &View<'_>, job: &Job) -> String {
    match job.state {
        JobState::Completed => "Printed.".into(),
        JobState::Canceled => "Cancelled.".into(),
        JobState::Aborted => job.remarks.first().cloned().unwrap_or_else(|| "Not printed.".into()),
        JobState::Pending | JobState::PendingHeld | JobState::Processing | JobState::ProcessingStopped => {
            match view.printer.trouble_for(&job.options) {
                Some(trouble) => {
                    let what = tympan_engine::words::trouble(&trouble, tympan_engine::Language::En);
                    format!("Waits: {} has trouble: {what}.", view.printer.info)
                }
                None => "Waits or prints.".into(),
            }
        }
    }
}

pub(super) fn date_time(at: Timestamp) -> Value {
    Value::DateTime(DateTime::from_unix_secs(i64::try_from(at.0 / 1000).unwrap_or(i64::MAX)))
}
