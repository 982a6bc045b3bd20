//! Who asks which printer, and what all operations have in common.

use std::net::IpAddr;

use http::{Response, header};
use tympan_engine::{Job, JobId, Printer, Right, Timestamp};
use tympan_http::Body;
use tympan_ipp::{Attribute, GroupTag, Message, StatusCode};
use tympan_spooler::Spooler;
use tympan_store::Whose;

use super::job::View;
use super::refused::Refused;
use super::{Arrived, Inner};
use crate::web::Uploader;

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

pub(super) type Answer = Result<Message, End>;

/// The printer that is asked, as the client reaches it.
pub(super) struct Scene<'a> {
    pub(super) door: &'a Inner,
    pub(super) printer: Printer,
    pub(super) printer_uri: String,
    pub(super) now: Timestamp,
}

impl Scene<'_> {
    pub(super) fn view(&self) -> View<'_> {
        View {
            printer: &self.printer,
            printer_uri: &self.printer_uri,
            base_url: self.door.upload.base_url(),
            started: self.door.started,
            now: self.now,
            octets_max: self.door.upload.octets_max(),
            documents_time_out_ms: self.spooler().options().documents_time_out_ms,
        }
    }

    pub(super) fn whose(&self) -> Whose {
        Whose::Owner(self.printer.owner)
    }

    pub(super) fn spooler(&self) -> &Spooler {
        self.door.upload.spooler()
    }

    /// Who asks, by the credentials of the request.
    pub(super) async fn asker(&self, arrived: &Arrived) -> Result<Asker, End> {
        let uploader = self.door.upload.identify(&arrived.parts, &arrived.peer).await.map_err(End::Http)?;
        let is_theirs = match &uploader {
            Uploader::Account(account) => account.owner == self.printer.owner,
            Uploader::Owner(owner) => *owner == self.printer.owner,
            Uploader::Network(_) => true,
        };
        if is_theirs { Ok(Asker(uploader)) } else { Err(Refused::not_found().into()) }
    }

    /// Who asks, if they may operate the printer.
    pub(super) async fn operator(&self, arrived: &Arrived) -> Result<Asker, End> {
        let asker = self.asker(arrived).await?;
        if asker.right_at(&self.printer) >= Right::Operate {
            return Ok(asker);
        }
        let text = "Only an operator of the printer may do this; please sign in as one.";
        Err(Refused::new(StatusCode::ClientErrorNotAuthorized, text).into())
    }

    /// The job that a request is about, if whoever asks may move it.
    pub(super) async fn own_job(&self, arrived: &Arrived) -> Result<(Asker, Job), End> {
        let asker = self.asker(arrived).await?;
        let job = self.find_job(arrived).await?;
        if asker.may(&job) {
            return Ok((asker, job));
        }
        Err(Refused::new(StatusCode::ClientErrorNotAuthorized, "This is somebody else's job.").into())
    }

    /// The job that a request is about, by "job-uri" or by "printer-uri" and "job-id".
    pub(super) async fn find_job(&self, arrived: &Arrived) -> Result<Job, Refused> {
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
        self.job_by_id(id).await?.ok_or_else(Refused::not_found)
    }

    pub(super) async fn job_by_id(&self, id: u32) -> Result<Option<Job>, Refused> {
        let found = self.spooler().records().job_by_id(self.whose(), self.printer.uuid, JobId(id)).await;
        let found = found.map_err(|error| Refused::store(&error.into(), "look up a job"))?;
        Ok(found.map(|row| row.record))
    }
}

/// Somebody whose credentials were accepted.
pub(super) struct Asker(pub(super) Uploader);

impl Asker {
    /// Whether a job is this one's own, or he may see and move everybody's.
    pub(super) fn may(&self, job: &Job) -> bool {
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
    pub(super) fn owns(&self, job: &Job, claimed: Option<&str>) -> bool {
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
    pub(super) fn right_at(&self, printer: &Printer) -> Right {
        match &self.0 {
            Uploader::Owner(_) => Right::Own,
            Uploader::Account(account) => account.right_at(printer.uuid),
            Uploader::Network(_) => Right::Print,
        }
    }

    /// Under which name what he does stands in the history.
    pub(super) fn name(&self) -> String {
        match &self.0 {
            Uploader::Owner(_) => "admin".into(),
            Uploader::Account(account) => account.name.clone(),
            Uploader::Network(addr) => addr.to_string(),
        }
    }
}

/// What somebody calls himself, "requesting-user-name": shown, and never believed.
pub(super) fn claimed_name(message: &Message) -> Option<String> {
    let claimed = message.operation_attribute("requesting-user-name").and_then(Attribute::string)?;
    let claimed: String = claimed.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
    Some(claimed.trim().to_owned()).filter(|claimed| !claimed.is_empty())
}

/// Whose job it is when somebody in a listed network prints: `anna (192.0.2.7)`.
pub(super) fn of_network(claimed: &str, addr: IpAddr) -> String {
    format!("{claimed}{}", at(addr))
}

fn at(addr: IpAddr) -> String {
    format!(" ({addr})")
}

pub(super) fn ok(arrived: &Arrived) -> Message {
    Message::response(StatusCode::SuccessfulOk, &arrived.message)
}

/// The answer to a request of which something is left out: it stands in the unsupported group.
pub(super) fn ok_without(request: &Message, unsupported: Vec<Attribute>) -> Message {
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

/// The printer's address, with the host and the scheme that the client used.
pub(super) fn printer_uri(door: &Inner, arrived: &Arrived, name: &str) -> String {
    format!("{}{}{name}", base_uri(door, arrived), crate::report::PATH)
}

/// `ipp://host:port` as the client used it.
pub(super) fn base_uri(door: &Inner, arrived: &Arrived) -> String {
    let host = arrived.parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let authority = arrived.parts.uri.authority().map(http::uri::Authority::as_str);
    let base = door.upload.base_url();
    let own = base.split_once("://").map_or(base, |(_, host)| host);
    let scheme = if arrived.peer.tls { "ipps" } else { "ipp" };
    format!("{scheme}://{}", host.or(authority).unwrap_or(own))
}
