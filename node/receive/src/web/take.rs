//! Takes a document: who may, what it is, then octet by octet to the disk, then the job.

use http::request::Parts;
use http::{StatusCode, header};
use sha2::{Digest as _, Sha256};
use tracing::info;
use tympan_engine::admit::{self, Denied};
use tympan_engine::{Access, DocumentId, JobSource, Language, Originator, Printer, Registration};
use tympan_http::{BodyError, BodyLimits, BodyReader, Bytes, Form, Incoming, Multipart};
use tympan_spooler::registrations::canonical_address;
use tympan_spooler::{SpoolerError, Submission, Submitted, Target};
use tympan_store::{NewDocument, Whose};

use super::Inner;
use super::answer::{One, Refused, Taken};
use super::format::{START_OCTETS, sniff};
use super::who::Uploader;
use super::words::{self, Wanted, clean_name};

/// Files in one form; each becomes a job.
const FILES_MAX: usize = 20;
/// Octets of one field of a form that is no file.
const FIELD_OCTETS_MAX: usize = 4 * 1024;

/// Whose job it will be.
pub(crate) struct Originating {
    pub(crate) address: String,
    pub(crate) registration: Option<Registration>,
    pub(crate) language: Language,
    pub(crate) may_be_mailed: bool,
}

/// Whose job it will be, where nothing but the credentials says who it is.
pub(super) async fn originating(
    door: &Inner,
    uploader: &Uploader,
    printer: &Printer,
    language: Language,
) -> Result<Originating, Refused> {
    let taken = Taken { printer: String::new(), label: String::new(), jobs: Vec::new(), remarks: Vec::new() };
    let taking = Taking { door, uploader, printer, language, key: None, before: Vec::new(), taken };
    taking.originating(&Wanted::default()).await
}

pub(super) async fn take(
    door: &Inner,
    uploader: Uploader,
    printer: &str,
    file_name: Option<&str>,
    parts: &Parts,
    body: Incoming,
) -> Result<Taken, Refused> {
    let whose = match &uploader {
        Uploader::Account(account) => Whose::Owner(account.owner),
        Uploader::Owner(owner) => Whose::Owner(*owner),
        Uploader::Network(_) => Whose::Everyones,
    };
    let printer = match door.spooler.printer_named(whose, printer).await {
        Ok(printer) => printer,
        Err(SpoolerError::NotFound(_)) => {
            let text = format!("There is no printer `{printer}` here; please check its name.");
            return Err(Refused::new(StatusCode::NOT_FOUND, text));
        }
        Err(error) => return Err(Refused::store(&error, "look up a printer")),
    };
    let body = BodyReader::new(body, BodyLimits::octets(door.options.octets_max));
    let announced = body.announced_octets().unwrap_or(0);
    if announced > door.options.octets_max {
        return Err(BodyError::TooLarge { octets_max: door.options.octets_max }.into());
    }
    door.spooler.documents().room_for(announced).map_err(|error| Refused::store(&error.into(), "ask for room"))?;

    let query = Form::from_query(parts.uri.query());
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("multipart/"));
    let mut taking = Taking {
        door,
        uploader: &uploader,
        printer: &printer,
        language: language_of(&uploader, parts),
        key: parts.headers.get("idempotency-key").map(|key| key.as_bytes().to_vec()),
        before: Vec::new(),
        taken: Taken {
            printer: printer.name.clone(),
            label: printer.info.clone(),
            jobs: Vec::new(),
            remarks: Vec::new(),
        },
    };
    if is_form {
        taking.form(Multipart::new(&parts.headers, body)?, &query).await?;
    } else {
        let wanted = words::read(query.iter());
        let name = wanted.name.clone().or_else(|| disposition_name(parts)).or_else(|| file_name.map(str::to_owned));
        let originating = taking.originating(&wanted).await?;
        taking.one(Source::Body(body), name, content_type, &wanted, &originating).await?;
    }
    Ok(taking.taken)
}

/// Where the octets of one document come from.
enum Source<'a> {
    Body(BodyReader),
    Part(&'a mut Multipart),
}

impl Source<'_> {
    async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        match self {
            Self::Body(body) => body.chunk().await,
            Self::Part(form) => form.chunk().await,
        }
    }
}

struct Taking<'a> {
    door: &'a Inner,
    uploader: &'a Uploader,
    printer: &'a Printer,
    language: Language,
    key: Option<Vec<u8>>,
    /// SHA-256 of the documents that came before in the same form.
    before: Vec<[u8; 32]>,
    taken: Taken,
}

impl Taking<'_> {
    /// Takes the files of a form. The fields before a file say how it is printed.
    async fn form(&mut self, mut form: Multipart, query: &Form) -> Result<(), Refused> {
        let mut fields: Vec<(String, String)> =
            query.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut late = Vec::new();
        loop {
            let part = match form.next_part().await {
                Ok(Some(part)) => part,
                Ok(None) => break,
                Err(error) => return Err(Refused::from(error).after(&self.taken.jobs)),
            };
            let Some(file_name) = part.file_name else {
                let text =
                    form.text(FIELD_OCTETS_MAX).await.map_err(|error| Refused::from(error).after(&self.taken.jobs))?;
                if self.taken.jobs.is_empty() {
                    fields.push((part.name, text));
                } else {
                    late.push(part.name);
                }
                continue;
            };
            if self.taken.jobs.len() == FILES_MAX {
                let text = format!("At most {FILES_MAX} files are taken at once; please send the rest again.");
                return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, text).after(&self.taken.jobs));
            }
            let wanted = words::read(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let before = self.taken.jobs.clone();
            let originating = self.originating(&wanted).await.map_err(|refused| refused.after(&before))?;
            // A field for files in which nothing was chosen comes as an empty file without a name.
            let chosen = clean_name(&file_name);
            let nothing_chosen = chosen.is_none();
            let name = chosen.or_else(|| wanted.name.clone());
            let one = self.one(Source::Part(&mut form), name, part.media_type.as_deref(), &wanted, &originating).await;
            match one {
                Ok(()) => {}
                Err(refused) if nothing_chosen && refused.is_empty_file() => {}
                Err(refused) => return Err(refused.after(&before)),
            }
        }
        if self.taken.jobs.is_empty() {
            return Err(Refused::new(StatusCode::BAD_REQUEST, "No file was chosen; nothing was printed."));
        }
        if !late.is_empty() {
            let list = late.join(", ");
            self.taken.remarks.push(format!("These fields came after the file and changed nothing: {list}"));
        }
        Ok(())
    }

    /// Whose job it will be, if they may print here.
    async fn originating(&self, wanted: &Wanted) -> Result<Originating, Refused> {
        let spooler = &self.door.spooler;
        let printer = self.printer;
        let registration_at = async |address: &str| {
            let found = spooler.registration_at(printer.uuid, address).await;
            found.map_err(|error| Refused::store(&error, "look up a registration"))
        };
        if let Uploader::Account(account) = self.uploader {
            let mut registration = None;
            for address in &account.addresses {
                let found = registration_at(&address.0).await?;
                if admit::may_print(printer, found.as_ref(), spooler.now()).is_ok() {
                    registration = found;
                    break;
                }
            }
            self.accepting()?;
            let first = account.addresses.first();
            let address = registration.as_ref().map(|registration| &registration.sender).or(first);
            return Ok(Originating {
                address: address.map_or_else(|| account.name.clone(), |address| address.0.clone()),
                may_be_mailed: address.is_some(),
                registration,
                language: account.language,
            });
        }
        let Some(from) = &wanted.from else {
            self.accepting()?;
            if matches!(self.uploader, Uploader::Network(_)) && printer.policy.access == Access::Invite {
                let text =
                    format!("{} prints for people who were invited only: say who you are, with ?from=.", printer.info);
                return Err(Refused::new(StatusCode::FORBIDDEN, text));
            }
            let address = match self.uploader {
                Uploader::Network(addr) => addr.to_string(),
                Uploader::Account(_) | Uploader::Owner(_) => "admin".into(),
            };
            return Ok(Originating { address, registration: None, language: self.language, may_be_mailed: false });
        };
        let address =
            canonical_address(from).map_err(|error| Refused::new(StatusCode::BAD_REQUEST, format!("{error}.")))?;
        let registration = registration_at(&address).await?;
        match admit::may_print(printer, registration.as_ref(), spooler.now()) {
            Ok(()) => {
                let language = registration.as_ref().map_or(self.language, |registration| registration.language);
                Ok(Originating { address, registration, language, may_be_mailed: true })
            }
            Err(Denied::NotAccepting) => Err(self.not_accepting()),
            Err(Denied::NotRegistered | Denied::NotApproved) => {
                let (label, base_url, name) = (&printer.info, &self.door.options.base_url, &printer.name);
                let text = format!(
                    "{label} takes nothing from {address}, who is not registered there. Register at {base_url}/register/{name}"
                );
                Err(Refused::new(StatusCode::FORBIDDEN, text))
            }
        }
    }

    fn accepting(&self) -> Result<(), Refused> {
        if self.printer.accepts(self.door.spooler.now()) { Ok(()) } else { Err(self.not_accepting()) }
    }

    fn not_accepting(&self) -> Refused {
        let text = format!("{} takes no jobs at present; please choose another printer.", self.printer.info);
        Refused::new(StatusCode::CONFLICT, text)
    }

    /// Takes one document.
    async fn one(
        &mut self,
        mut source: Source<'_>,
        name: Option<String>,
        declared: Option<&str>,
        wanted: &Wanted,
        originating: &Originating,
    ) -> Result<(), Refused> {
        let (format, document) = self.store(&mut source, declared).await?;
        let sha256 = document.sha256;
        let name = name.as_deref().and_then(clean_name).unwrap_or_else(|| default_name(format).to_owned());
        let mut remarks = Vec::new();
        if !wanted.unknown.is_empty() {
            let list = wanted.unknown.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
            remarks.push(format!("These words are not known and changed nothing: {list}."));
        }
        let submission = Submission {
            targets: vec![Target {
                printer: self.printer.clone(),
                registration: originating.registration.clone(),
                source: JobSource::Upload,
                duplicate_key: self.key.as_ref().map(|key| self.duplicate_key(key, &originating.address, &document)),
            }],
            name: name.clone().into(),
            originator: Originator {
                address: originating.address.clone().into(),
                registration: None,
                language: originating.language,
                may_be_mailed: originating.may_be_mailed,
            },
            options: wanted.options.clone(),
            priority: 50,
            document: Some(Submitted { document: document.clone(), format: format.into(), name: name.clone().into() }),
            remarks: remarks.clone(),
            holds: std::collections::BTreeSet::new(),
            release_at: None,
            pin: None,
        };
        let accepted = match self.door.spooler.accept(submission).await {
            Ok(accepted) => accepted,
            Err(error) => {
                // What is left of it goes at the next sweep.
                let _ = self.door.spooler.documents().discard(&document).await;
                return Err(Refused::store(&error, "store a document"));
            }
        };
        for accepted in accepted {
            let (short, octets, duplicate) = (accepted.short, document.octets, accepted.duplicate);
            info!(job = %short, door = "web", printer = %self.printer.name, octets, duplicate, "Received job");
            self.before.push(sha256);
            self.taken.jobs.push(One { accepted, name: name.clone() });
        }
        for remark in remarks {
            if !self.taken.remarks.contains(&remark) {
                self.taken.remarks.push(remark);
            }
        }
        Ok(())
    }

    /// Streams a document to the disk.
    async fn store(
        &self,
        source: &mut Source<'_>,
        declared: Option<&str>,
    ) -> Result<(&'static str, NewDocument), Refused> {
        let mut start = Vec::new();
        let mut ended = false;
        while start.len() < START_OCTETS && !ended {
            match source.chunk().await? {
                Some(octets) => start.extend_from_slice(&octets),
                None => ended = true,
            }
        }
        if start.is_empty() {
            return Err(Refused::empty_file());
        }
        let format = sniff(&start, declared).map_err(|what| {
            let text =
                format!("This is {what}. PDF, JPEG, PNG and plain text are printed here; please send one of these.");
            Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text)
        })?;
        let failed = |error: tympan_store::StoreError| Refused::store(&error.into(), "store a document");
        let spooler = &self.door.spooler;
        let id = DocumentId::from_parts(spooler.now(), spooler.random());
        let mut writer = spooler.documents().create_incoming(id).map_err(failed)?;
        writer.write(&start).await.map_err(failed)?;
        drop(start);
        while !ended {
            match source.chunk().await? {
                Some(octets) => writer.write(&octets).await.map_err(failed)?,
                None => ended = true,
            }
        }
        Ok((format, writer.finish().await.map_err(failed)?))
    }

    /// The same document with the same "Idempotency-Key" from the same sender is the same job; of two alike in one form
    /// the second is the second again.
    fn duplicate_key(&self, key: &[u8], address: &str, document: &NewDocument) -> [u8; 32] {
        let mut digest = Sha256::new();
        let alike = self.before.iter().filter(|before| **before == document.sha256).count() as u64;
        let alike = alike.to_be_bytes();
        for part in [&b"upload"[..], &self.printer.uuid.0, address.as_bytes(), key, &alike, &document.sha256] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }
}

fn language_of(uploader: &Uploader, parts: &Parts) -> Language {
    if let Uploader::Account(account) = uploader {
        return account.language;
    }
    let accept = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::choose(accept.unwrap_or_default())
}

/// The name that "Content-Disposition" gives, if it is written plainly.
fn disposition_name(parts: &Parts) -> Option<String> {
    let value = parts.headers.get(header::CONTENT_DISPOSITION)?.to_str().ok()?;
    let (_, rest) = value.split_once("filename=")?;
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split(';').next(),
    };
    clean_name(name?)
}

fn default_name(format: &str) -> &'static str {
    match format {
        "application/pdf" => "document.pdf",
        "image/jpeg" => "picture.jpg",
        "image/png" => "picture.png",
        "message/rfc822" => "mail.eml",
        _ => "text.txt",
    }
}
