//! The upload door: `curl -T file http://host/print/office`, and the form of the console.
//!
//! A document is streamed into the store as it comes and goes through the same
//! [`Spooler::accept`](tympan_spooler::Spooler::accept) as a mail: 201 means that it is on disk. The query, or the
//! fields of a form, say how it is printed, in the words of a mail's subject.

mod answer;
mod format;
mod options;
mod take;
mod who;
mod words;

pub use options::UploadOptions;
pub use who::{Identities, Uploader};

pub(crate) use answer::Refused;
pub(crate) use format::{START_OCTETS, sniff};
pub(crate) use take::Originating;
pub(crate) use words::clean_name;

use std::sync::Arc;

use http::request::Parts;
use http::{Method, Request, Response, StatusCode, header};
use tympan_engine::{Language, Printer};
use tympan_http::{Body, HeaderValue, Incoming, Peer, Service};
use tympan_spooler::Spooler;

use crate::accounts::Accounts;
use answer::Asked;

/// Where documents are uploaded, followed by the printer's name, and a file's name if one likes.
pub const UPLOAD_PATH: &str = "/print/";

/// The upload door. Cheap to clone.
#[derive(Clone)]
pub struct UploadDoor {
    inner: Arc<Inner>,
}

struct Inner {
    spooler: Spooler,
    options: UploadOptions,
    accounts: Accounts,
    identities: Option<Identities>,
}

impl std::fmt::Debug for UploadDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UploadDoor").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

impl UploadDoor {
    /// A door to a queue. `identities` says who is signed in on the console; without it, no browser session counts.
    pub fn new(spooler: Spooler, options: UploadOptions, identities: impl Into<Option<Identities>>) -> Self {
        let accounts = Accounts::new(spooler.clone());
        Self { inner: Arc::new(Inner { spooler, options, accounts, identities: identities.into() }) }
    }

    /// The queue.
    pub(crate) fn spooler(&self) -> &Spooler {
        &self.inner.spooler
    }

    /// Where people reach the console, without a slash at the end.
    pub(crate) fn base_url(&self) -> &str {
        &self.inner.options.base_url
    }

    /// Octets of a document.
    pub(crate) fn octets_max(&self) -> u64 {
        self.inner.options.octets_max
    }

    /// Whose job it will be, if they may print there.
    pub(crate) async fn originating(
        &self,
        uploader: &Uploader,
        printer: &Printer,
        language: Language,
    ) -> Result<Originating, Refused> {
        take::originating(&self.inner, uploader, printer, language).await
    }

    /// Who sends a request: a bearer token, a password, a browser session, or a listed network, in this order.
    ///
    /// # Errors
    /// The answer: 401, 403 or 429.
    pub async fn identify(&self, parts: &Parts, peer: &Peer) -> Result<Uploader, Response<Body>> {
        who::identify(&self.inner, parts, peer).await.map_err(|refused| refused.answer(&Asked::of(parts)))
    }

    /// Takes a document, or the documents of a form, for a printer. `file_name` is a name that the path gave.
    pub async fn take(
        &self,
        uploader: Uploader,
        printer: &str,
        file_name: Option<&str>,
        parts: &Parts,
        body: Incoming,
    ) -> Response<Body> {
        let asked = Asked::of(parts);
        match take::take(&self.inner, uploader, printer, file_name, parts, body).await {
            Ok(taken) => taken.answer(&asked, &self.inner.options.base_url),
            Err(refused) => refused.answer(&asked),
        }
    }
}

impl Service for UploadDoor {
    async fn call(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let asked = Asked::of(&parts);
        if !matches!(parts.method, Method::PUT | Method::POST) {
            let refused = Refused::new(StatusCode::METHOD_NOT_ALLOWED, "Documents come here by PUT or POST.");
            let mut response = refused.answer(&asked);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("PUT, POST"));
            return response;
        }
        let rest = parts.uri.path().strip_prefix(UPLOAD_PATH).unwrap_or_default().trim_end_matches('/');
        let (printer, file_name) = rest.split_once('/').map_or((rest, None), |(printer, name)| (printer, Some(name)));
        let (Some(printer), Some(file_name)) =
            (words::decode(printer), file_name.map_or(Some(None), |name| words::decode(name).map(Some)))
        else {
            return Refused::new(StatusCode::BAD_REQUEST, "The address is not UTF-8.").answer(&asked);
        };
        match self.identify(&parts, &peer).await {
            Ok(uploader) => self.take(uploader, &printer, file_name.as_deref(), &parts, body).await,
            Err(response) => response,
        }
    }
}
