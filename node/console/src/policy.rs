//! Who may use a route, and who asks.
//!
//! The policy of a route also says which part of its path names a printer, a job or a registration; that record is
//! read here, under the owner of the credential, so that a handler never sees somebody else's.

use crate::failure::Failure;
use crate::routes::Console;
use crate::texts::{EN, JA, Texts};
use subtle::ConstantTimeEq as _;
use tympan_engine::{
    Account, Job, Language, OwnerId, Printer, PrinterUuid, Registration, RegistrationId, Right, TokenScope,
};
use tympan_http::{Authorize, Body, Form, Method, Parts, Peer, Response, cookie, header, respond, security};
use tympan_spooler::SpoolerError;
use tympan_store::{Key, Record, Whose};

/// The name of the cookie that holds a session's token.
pub const SESSION_COOKIE: &str = "tympan";
/// The name of the cookie that remembers the language.
pub(crate) const LANGUAGE_COOKIE: &str = "tympan-lang";
/// The name of the cookie that binds the forms of somebody who has not signed in.
pub(crate) const VISIT_COOKIE: &str = "tympan-visit";

/// Where somebody needs a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At every printer of the owner.
    Owner,
    /// At one printer at least; the handler shows only those.
    Anywhere,
    /// At the printer that this segment of the path names (0 is the first).
    Printer(usize),
    /// At the printer of the job that this segment names; one's own jobs need [`Right::Print`] only.
    Job(usize),
    /// At the printer of the registration that this segment names; one's own need [`Right::Print`] only.
    Registration(usize),
}

/// What a secret link is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// One job.
    Job,
    /// One registration.
    Registration,
}

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Everybody.
    Public,
    /// Every program: no cookie counts, so that no other site can use a browser for it.
    Machine,
    /// Everybody until there is an account; afterwards the route does not exist.
    SetUp,
    /// Whoever signed in and has at least this right there: pages.
    SignedIn(Right, Place),
    /// As [`Policy::SignedIn`], or a program with a token for administration: the JSON API.
    Api(Right, Place),
    /// Only a program with a token for administration.
    Token,
    /// Whoever knows the secret link, which is the second segment of the path.
    Link(LinkKind),
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    /// Somebody.
    Nobody,
    /// A person who signed in.
    Person(Box<Account>),
    /// A program with a token for administration.
    Program,
    /// Whoever holds a secret link.
    Holder,
}

/// Who asks, and what the path names.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Whose rows are seen.
    pub(crate) owner: OwnerId,
    pub(crate) who: Who,
    pub(crate) language: Language,
    /// The session's token, for sign-out.
    pub(crate) session: Option<String>,
    /// What forms repeat.
    pub(crate) csrf: String,
    /// A cookie for the visit that has to be set.
    pub(crate) new_visit: Option<String>,
    pub(crate) printer: Option<Printer>,
    pub(crate) job: Option<Job>,
    pub(crate) registration: Option<Registration>,
}

impl Identity {
    /// Whose rows are seen.
    pub(crate) fn whose(&self) -> Whose {
        Whose::Owner(self.owner)
    }

    /// The texts of pages.
    pub(crate) fn texts(&self) -> &'static Texts {
        texts(self.language)
    }

    /// The right at a printer, if any.
    pub(crate) fn right_at(&self, printer: PrinterUuid) -> Option<Right> {
        match &self.who {
            Who::Person(account) => Some(account.right_at(printer)),
            Who::Program => Some(Right::Own),
            Who::Nobody | Who::Holder => None,
        }
    }

    /// Whether the right at a printer is enough.
    pub(crate) fn may(&self, printer: PrinterUuid, right: Right) -> bool {
        self.right_at(printer) >= Some(right)
    }

    /// The right at every printer of the owner, if any.
    pub(crate) fn right(&self) -> Option<Right> {
        match &self.who {
            Who::Person(account) => Some(account.right),
            Who::Program => Some(Right::Own),
            Who::Nobody | Who::Holder => None,
        }
    }

    /// The greatest right at any printer.
    pub(crate) fn right_anywhere(&self) -> Option<Right> {
        match &self.who {
            Who::Person(account) => account.printer_rights.iter().map(|(_, right)| *right).chain([account.right]).max(),
            Who::Program => Some(Right::Own),
            Who::Nobody | Who::Holder => None,
        }
    }

    /// The account, where a person signed in.
    pub(crate) fn account(&self) -> Option<&Account> {
        match &self.who {
            Who::Person(account) => Some(account),
            _ => None,
        }
    }

    /// Whether a job is this person's own.
    pub(crate) fn is_own(&self, job: &Job) -> bool {
        self.account().is_some_and(|account| {
            *job.originator.address == account.name || account.addresses.contains(&job.originator.address)
        })
    }

    /// Whether an address is this person's.
    pub(crate) fn is_sender(&self, address: &str) -> bool {
        self.account().is_some_and(|account| account.addresses.iter().any(|own| own.0 == address))
    }

    /// Whether this job may be seen and controlled.
    pub(crate) fn sees(&self, job: &Job) -> bool {
        self.may(job.printer, Right::Operate) || self.is_own(job)
    }

    /// The name under which changes are noted.
    pub(crate) fn name(&self) -> String {
        match (&self.who, &self.job) {
            (Who::Person(account), _) => account.name.clone(),
            (Who::Program, _) => "command line".into(),
            (Who::Holder, Some(job)) => job.originator.address.0.clone(),
            (Who::Holder | Who::Nobody, _) => "somebody".into(),
        }
    }

    /// The printer that the path names.
    pub(crate) fn printer(&self) -> Result<&Printer, Failure> {
        self.printer.as_ref().ok_or(Failure::NotFound)
    }

    /// The job that the path names.
    pub(crate) fn job(&self) -> Result<&Job, Failure> {
        self.job.as_ref().ok_or(Failure::NotFound)
    }

    /// The registration that the path names.
    pub(crate) fn registration(&self) -> Result<&Registration, Failure> {
        self.registration.as_ref().ok_or(Failure::NotFound)
    }
}

/// The texts of a language.
pub(crate) fn texts(language: Language) -> &'static Texts {
    match language {
        Language::En => &EN,
        Language::Ja => &JA,
    }
}

/// Reads a language as it stands in an address or a form.
pub(crate) fn language_of(tag: &str) -> Option<Language> {
    match tag {
        "en" => Some(Language::En),
        "ja" => Some(Language::Ja),
        _ => None,
    }
}

/// Whether an answer is to be JSON.
pub(crate) fn is_api(parts: &Parts) -> bool {
    // What only programs ask is answered in JSON too.
    ["/api/", "/oauth/", "/.well-known/"].iter().any(|start| parts.uri.path().starts_with(start))
}

fn is_unsafe(parts: &Parts) -> bool {
    !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn segment(parts: &Parts, place: usize) -> &str {
    parts.uri.path().trim_start_matches('/').split('/').nth(place).unwrap_or("")
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

pub(crate) fn same(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

impl Authorize<Policy> for Console {
    type Identity = Identity;

    async fn authorize(&self, policy: &Policy, parts: &Parts, peer: &Peer) -> Result<Identity, Response<Body>> {
        let mut id = self.somebody(parts, peer);
        match self.decide(policy, parts, peer, &mut id).await {
            Ok(()) => Ok(id),
            Err(Refused::Failure(failure)) => Err(self.refuse(&id, parts, failure)),
            Err(Refused::SignIn) => Err(sign_in_first(parts)),
        }
    }
}

enum Refused {
    Failure(Failure),
    SignIn,
}

impl<T: Into<Failure>> From<T> for Refused {
    fn from(failure: T) -> Self {
        Self::Failure(failure.into())
    }
}

fn sign_in_first(parts: &Parts) -> Response<Body> {
    if is_unsafe(parts) {
        return respond::see_other("/sign-in");
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let next: String = path.bytes().fold(String::new(), |mut out, octet| {
        if octet.is_ascii_alphanumeric() || b"/-_.".contains(&octet) {
            out.push(char::from(octet));
        } else {
            out += &format!("%{octet:02X}");
        }
        out
    });
    respond::see_other(if next == "/" { "/sign-in".to_owned() } else { format!("/sign-in?next={next}") }.as_str())
}

impl Console {
    /// Somebody who has shown no credential yet, with the language of their choice.
    fn somebody(&self, parts: &Parts, peer: &Peer) -> Identity {
        let query = Form::from_query(parts.uri.query());
        let language = query
            .get("lang")
            .or_else(|| cookie::get(&parts.headers, LANGUAGE_COOKIE, peer.tls))
            .and_then(language_of)
            .or_else(|| parts.headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok().map(Language::choose))
            .unwrap_or(self.options.default_language);
        let visit = cookie::get(&parts.headers, VISIT_COOKIE, peer.tls).filter(|visit| visit.len() == 64);
        let (visit, new_visit) = match visit {
            Some(visit) => (visit.to_owned(), None),
            None => {
                let visit = self.spooler().new_secret();
                (visit.clone(), Some(visit))
            }
        };
        Identity {
            owner: self.options.owner,
            who: Who::Nobody,
            language,
            session: None,
            csrf: self.forms.token(visit.as_bytes()),
            new_visit,
            printer: None,
            job: None,
            registration: None,
        }
    }

    async fn decide(&self, policy: &Policy, parts: &Parts, peer: &Peer, id: &mut Identity) -> Result<(), Refused> {
        match policy {
            Policy::Machine => {}
            Policy::SetUp if self.set_up.is_done() => return Err(Failure::NotFound.into()),
            Policy::Public | Policy::SetUp => {
                self.sign_in_by_cookie(parts, peer, id).await?;
                same_site(parts, peer)?;
            }
            Policy::SignedIn(right, place) => {
                if !self.sign_in_by_cookie(parts, peer, id).await? {
                    return Err(Refused::SignIn);
                }
                same_site(parts, peer)?;
                self.find(parts, *right, *place, id).await?;
            }
            Policy::Api(right, place) => {
                if !self.sign_in_by_token(parts, id).await? {
                    if !self.sign_in_by_cookie(parts, peer, id).await? {
                        return Err(Failure::Unauthorized.into());
                    }
                    same_site(parts, peer)?;
                    let sent = parts.headers.get("x-csrf").and_then(|value| value.to_str().ok());
                    if is_unsafe(parts) && !sent.is_some_and(|sent| same(sent, &id.csrf)) {
                        return Err(Failure::Stale.into());
                    }
                }
                self.find(parts, *right, *place, id).await?;
            }
            Policy::Token => {
                // A token for an account is a person's, and no more than that.
                if !self.sign_in_by_token(parts, id).await? || !matches!(id.who, Who::Program) {
                    return Err(Failure::Unauthorized.into());
                }
            }
            Policy::Link(kind) => {
                same_site(parts, peer)?;
                self.follow_link(*kind, segment(parts, 1), id).await?;
            }
        }
        Ok(())
    }

    /// Reads the record that the path names, and checks the right there.
    async fn find(&self, parts: &Parts, right: Right, place: Place, id: &mut Identity) -> Result<(), Failure> {
        let spooler = self.spooler();
        let enough = match place {
            Place::Owner => id.right() >= Some(right),
            Place::Anywhere => id.right_anywhere() >= Some(right),
            Place::Printer(at) => {
                let printer = spooler.printer_named(id.whose(), segment(parts, at)).await?;
                let enough = id.may(printer.uuid, right);
                id.printer = Some(printer);
                enough
            }
            Place::Job(at) => {
                let job = spooler.find_job(id.whose(), segment(parts, at)).await?;
                if !id.sees(&job) {
                    // Not "forbidden": that would tell that there is such a job.
                    return Err(Failure::NotFound);
                }
                let enough = right == Right::Print || id.may(job.printer, right);
                id.job = Some(job);
                enough
            }
            Place::Registration(at) => {
                let registration = self.registration(id.whose(), segment(parts, at)).await?;
                let owns = id.may(registration.printer, Right::Own);
                if !owns && !id.is_sender(&registration.sender) {
                    return Err(Failure::NotFound);
                }
                id.registration = Some(registration);
                owns || right == Right::Print
            }
        };
        if enough { Ok(()) } else { Err(Failure::Forbidden) }
    }

    async fn registration(&self, whose: Whose, text: &str) -> Result<Registration, Failure> {
        let key = RegistrationId::parse(text).ok_or(Failure::NotFound)?;
        let rows = self.spooler().records().read(whose, &[Key::Registration(key)]).await.map_err(SpoolerError::from)?;
        match rows.into_iter().flatten().next().map(|row| row.record) {
            Some(Record::Registration(registration)) => Ok(registration),
            _ => Err(Failure::NotFound),
        }
    }

    async fn sign_in_by_cookie(&self, parts: &Parts, peer: &Peer, id: &mut Identity) -> Result<bool, Failure> {
        let Some(token) = cookie::get(&parts.headers, SESSION_COOKIE, peer.tls) else {
            return Ok(false);
        };
        let Some(found) = self.spooler().session(token).await? else {
            return Ok(false);
        };
        if crate::account::is_closed(self.spooler(), &found).await? {
            return Ok(false);
        }
        let chosen = Form::from_query(parts.uri.query()).get("lang").is_some()
            || cookie::get(&parts.headers, LANGUAGE_COOKIE, peer.tls).is_some();
        if !chosen {
            id.language = found.account.language;
        }
        id.owner = found.session.owner;
        id.csrf = found.session.csrf;
        id.session = Some(token.to_owned());
        id.new_visit = None;
        id.who = Who::Person(Box::new(found.account));
        Ok(true)
    }

    async fn sign_in_by_token(&self, parts: &Parts, id: &mut Identity) -> Result<bool, Failure> {
        let Some(token) = bearer(parts) else {
            return Ok(false);
        };
        match self.spooler().token(token).await? {
            Some(token) if token.scope == TokenScope::Admin => {
                id.owner = token.owner;
                id.who = Who::Program;
                Ok(true)
            }
            Some(token) => {
                let account = self.spooler().account_of_token(&token).await?.ok_or(Failure::Unauthorized)?;
                id.owner = token.owner;
                id.who = Who::Person(Box::new(account));
                Ok(true)
            }
            None => Err(Failure::Unauthorized),
        }
    }

    async fn follow_link(&self, kind: LinkKind, secret: &str, id: &mut Identity) -> Result<(), Failure> {
        let token = self.spooler().token(secret).await?.ok_or(Failure::LinkOver)?;
        let whose = Whose::Owner(token.owner);
        match (kind, token.scope) {
            (LinkKind::Job, TokenScope::Job { job }) => {
                let job = self.spooler().job(whose, job).await.map_err(|_| Failure::LinkOver)?;
                id.language = self.chosen_or(id, job.originator.language);
                id.job = Some(job);
            }
            (LinkKind::Registration, TokenScope::Registration { registration }) => {
                let registration =
                    self.registration(whose, &registration.to_string()).await.map_err(|_| Failure::LinkOver)?;
                id.language = self.chosen_or(id, registration.language);
                id.registration = Some(registration);
            }
            _ => return Err(Failure::LinkOver),
        }
        id.owner = token.owner;
        id.who = Who::Holder;
        // Whoever knows the link knows all that the form's token has to prove.
        id.csrf = self.forms.token(format!("link {secret}").as_bytes());
        id.new_visit = None;
        Ok(())
    }

    /// The language of a link's record, unless the browser says which one it wants.
    fn chosen_or(&self, id: &Identity, language: Language) -> Language {
        if id.language == self.options.default_language { language } else { id.language }
    }
}

fn same_site(parts: &Parts, peer: &Peer) -> Result<(), Failure> {
    security::check_origin(parts, peer).map_err(|_| Failure::Foreign)
}
