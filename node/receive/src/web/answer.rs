//! Answers to uploads, as a person or as a program asked for them.

use http::request::Parts;
use http::{Response, StatusCode, header};
use serde::Serialize;
use tracing::{error, warn};
use tympan_engine::Refusal;
use tympan_http::respond::{self, with_header};
use tympan_http::{Body, BodyError, HeaderValue};
use tympan_spooler::{Accepted, SpoolerError};
use tympan_store::StoreError;

/// How somebody wants to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Text,
    Json,
    /// A browser: it is sent to the job's page.
    Page,
}

impl Asked {
    pub(super) fn of(parts: &Parts) -> Self {
        let accept = parts.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let accept = accept.collect::<Vec<_>>().join(",").to_ascii_lowercase();
        match (accept.find("application/json"), accept.find("text/html")) {
            (Some(json), page) if page.is_none_or(|page| json < page) => Self::Json,
            (_, Some(_)) => Self::Page,
            (_, None) => Self::Text,
        }
    }
}

/// A document that became a job.
#[derive(Clone, Debug)]
pub(super) struct One {
    pub(super) accepted: Accepted,
    pub(super) name: String,
}

/// What was taken.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) printer: String,
    pub(super) label: String,
    pub(super) jobs: Vec<One>,
    pub(super) remarks: Vec<String>,
}

#[derive(Serialize)]
struct JobJson<'a> {
    id: String,
    #[serde(rename = "job-uuid")]
    uuid: String,
    #[serde(rename = "job-id")]
    job_id: u32,
    printer: &'a str,
    name: &'a str,
    url: String,
    duplicate: bool,
}

#[derive(Serialize)]
struct TakenJson<'a> {
    jobs: Vec<JobJson<'a>>,
    remarks: &'a [String],
}

#[derive(Serialize)]
struct RefusedJson<'a> {
    error: &'a str,
    /// Documents of the same form that were taken before.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    accepted: &'a [String],
}

impl Taken {
    pub(super) fn answer(&self, asked: &Asked, base_url: &str) -> Response<Body> {
        let page = |one: &One| format!("/jobs/{}", one.accepted.short);
        let first = self.jobs.first().map(page).unwrap_or_default();
        let response = match asked {
            Asked::Page if self.jobs.len() == 1 => return respond::see_other(&first),
            Asked::Page => return respond::see_other("/jobs"),
            Asked::Json => {
                let jobs = self.jobs.iter().map(|one| JobJson {
                    id: one.accepted.short.to_string(),
                    uuid: one.accepted.job.to_string(),
                    job_id: one.accepted.id.0,
                    printer: &self.printer,
                    name: &one.name,
                    url: format!("{base_url}{}", page(one)),
                    duplicate: one.accepted.duplicate,
                });
                respond::json(StatusCode::CREATED, &TakenJson { jobs: jobs.collect(), remarks: &self.remarks })
            }
            Asked::Text => {
                let mut text = String::new();
                for one in &self.jobs {
                    let again = if one.accepted.duplicate { " (it had come before)" } else { "" };
                    let (short, label) = (one.accepted.short, &self.label);
                    text.push_str(&format!("{short} accepted for {label}{again}: {base_url}{}\n", page(one)));
                }
                for remark in &self.remarks {
                    text.push_str(&format!("{remark}\n"));
                }
                respond::text(StatusCode::CREATED, text)
            }
        };
        let place = HeaderValue::from_str(&first).unwrap_or(HeaderValue::from_static("/jobs"));
        with_header(response, header::LOCATION, place)
    }
}

/// Why nothing (more) was taken.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    asking: Option<&'static str>,
    accepted: Vec<String>,
    empty: bool,
}

impl Refused {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), asking: None, accepted: Vec::new(), empty: false }
    }

    /// There is nothing in it.
    pub(super) fn empty_file() -> Self {
        Self { empty: true, ..Self::new(StatusCode::BAD_REQUEST, "The document is empty; nothing was printed.") }
    }

    /// Whether it was refused because there is nothing in it.
    pub(super) const fn is_empty_file(&self) -> bool {
        self.empty
    }

    /// With the credentials that are asked for.
    pub(super) fn asking(mut self, challenge: &'static str) -> Self {
        self.asking = Some(challenge);
        self
    }

    /// After some documents of the same form were taken.
    pub(super) fn after(mut self, jobs: &[One]) -> Self {
        self.accepted = jobs.iter().map(|one| one.accepted.short.to_string()).collect();
        self
    }

    /// The store did not do what it was asked.
    pub(super) fn store(error: &SpoolerError, doing: &'static str) -> Self {
        match error {
            SpoolerError::Full | SpoolerError::Store(StoreError::Full) => {
                warn!(doing, "The disk is full");
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "The disk is full here; please try again later.")
            }
            SpoolerError::Refused(refusal @ Refusal::QueueFull) => {
                let text = format!("Nothing was stored: {refusal}.");
                Self::new(StatusCode::TOO_MANY_REQUESTS, text)
            }
            other => {
                error!(error = %other, doing, "The store failed");
                let text = "Something broke here and nothing was stored; please try again later.";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, text)
            }
        }
    }

    pub(super) fn answer(&self, asked: &Asked) -> Response<Body> {
        let response = match asked {
            Asked::Json => respond::json(self.status, &RefusedJson { error: &self.text, accepted: &self.accepted }),
            Asked::Text | Asked::Page => {
                let before = match &self.accepted[..] {
                    [] => String::new(),
                    accepted => format!("Accepted before: {}\n", accepted.join(", ")),
                };
                respond::text(self.status, format!("{}\n{before}", self.text))
            }
        };
        match self.asking {
            Some(challenge) => with_header(response, header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge)),
            None => response,
        }
    }
}

impl From<BodyError> for Refused {
    fn from(error: BodyError) -> Self {
        let text = match &error {
            BodyError::TooLarge { octets_max } => {
                format!("The document is larger than {} MiB, the most taken here.", octets_max >> 20)
            }
            BodyError::TooSlow { .. } => "The document came too slowly; please try again over a faster line.".into(),
            BodyError::Broken { .. } => "The document ended too early; nothing was stored.".into(),
            other => format!("{other}."),
        };
        Self::new(error.status(), text)
    }
}
