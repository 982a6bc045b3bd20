//! Finds the documents in what was received, and counts their pages.
//!
//! A mail is taken apart by the worker; which of its parts are printed is decided here (A05). Text becomes
//! a PDF at once, so that its pages are the same wherever it is printed. A part that cannot be printed is
//! named with the reason, and the others still print.

use std::fs::File;
use std::io::Seek;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tympan_engine::{ColorMode, DocumentId, Job, JobDocument, JobEvent, JobUuid, Language, Printed, Printer};
use tympan_render::{
    Face, Format, HeadingLine, Inspect, MailFacts, Margins, Notice, Output, PageSetup, PartHeader, PartRole, Refusal,
    RefusalKind, RenderError, SplitMail, ToPdf, sniff,
};
use tympan_spooler::Spooler;
use tympan_store::{NewDocument, StoreError, Whose};

use crate::delivery::{Delivery, Stop};
use crate::prepare::{LAID_OUT, setup_for};
use crate::remark::Remark;
use crate::workshop::Failed;

/// Documents of one job (`reliability` section 6).
const DOCUMENTS_MAX: u32 = 20;
/// Attachments that are printed of one mail (`reliability` section 6).
const ATTACHMENTS_MAX: usize = 10;
/// Remarks kept of one job.
const REMARKS_MAX: usize = 50;
/// A picture whose sides are both shorter is a logo, in pixels.
const LOGO_SIDE: u32 = 200;
/// Octets that are looked at to find out what a document is.
const START_OCTETS: usize = 4096;

/// Something that may be printed: its plaintext lies in a file without a name.
struct Part {
    name: String,
    format: Format,
    charset: Option<String>,
    file: File,
    octets: u64,
    is_body: bool,
    heading: Vec<HeadingLine>,
    /// The stored document it is, where it need not be stored again.
    stored: Option<DocumentId>,
}

/// What was found so far.
#[derive(Default)]
struct Findings {
    documents: Vec<JobDocument>,
    new: Vec<NewDocument>,
    remarks: Vec<String>,
}

impl Findings {
    fn remark(&mut self, remark: Remark) {
        let sentence = remark.to_string();
        if self.remarks.len() < REMARKS_MAX && !self.remarks.contains(&sentence) {
            self.remarks.push(sentence);
        }
    }
}

enum PartError {
    Refused(Refusal),
    Temporary(String),
}

impl From<RenderError> for PartError {
    fn from(error: RenderError) -> Self {
        match error.refusal() {
            Some(refusal) => Self::Refused(refusal.clone()),
            None => Self::Temporary(error.to_string()),
        }
    }
}

impl From<Failed> for PartError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(kind) => Self::Refused(Refusal::new(kind, String::new())),
            Failed::Temporary(why) => Self::Temporary(why),
        }
    }
}

impl From<StoreError> for PartError {
    fn from(error: StoreError) -> Self {
        Self::Temporary(error.to_string())
    }
}

impl From<std::io::Error> for PartError {
    fn from(error: std::io::Error) -> Self {
        Self::Temporary(error.to_string())
    }
}

impl Delivery {
    pub(crate) async fn inspect(&self, spooler: &Spooler, job: JobUuid) -> Result<(), Stop> {
        let job = spooler.job(Whose::Everyones, job).await?;
        if job.received.is_empty() || job.incoming.is_some() || job.ready || job.is_over() {
            return Ok(());
        }
        let printer = spooler.printer(Whose::Everyones, job.printer).await?;
        let mut findings = Findings { remarks: job.remarks.clone(), ..Findings::default() };
        for received in &job.received {
            match self.find_documents(spooler, &job, received, &printer, &mut findings).await {
                Ok(()) => {}
                Err(PartError::Temporary(why)) => {
                    // The document is not to blame: it waits, at the longest as long as the job is kept.
                    self.discard(spooler, &findings.new).await;
                    return Err(Stop::Again(why));
                }
                Err(PartError::Refused(refusal)) => {
                    let name = received.name.0.clone();
                    findings.remark(Remark::NotPrinted { name, kind: refusal.kind, format: String::new() });
                }
            }
        }
        let Findings { documents, new, remarks } = findings;
        let pages: u32 = documents.iter().map(|document| document.pages).sum();
        let event = match documents.is_empty() {
            true => JobEvent::Unprintable { remarks },
            false => {
                let sides = pages.saturating_mul(u32::from(job.copies()));
                JobEvent::Inspected { documents, remarks, review: sides > printer.policy.review_pages }
            }
        };
        let is_unprintable = matches!(event, JobEvent::Unprintable { .. });
        let stored = if is_unprintable { Vec::new() } else { new.clone() };
        let told = spooler.job_event_with(Whose::Everyones, job.uuid, event, stored, None).await;
        if told.is_err() || is_unprintable {
            self.discard(spooler, &new).await;
        }
        told?;
        spooler.crash_point("C5").await;
        Ok(())
    }

    async fn discard(&self, spooler: &Spooler, documents: &[NewDocument]) {
        for document in documents {
            // What stays behind is swept a day later.
            let _ = spooler.documents().discard(document).await;
        }
    }

    async fn find_documents(
        &self,
        spooler: &Spooler,
        job: &Job,
        received: &JobDocument,
        printer: &Printer,
        findings: &mut Findings,
    ) -> Result<(), PartError> {
        if let Some(workshop) = &self.options().workshop {
            spooler.crash_point("C4").await;
            let looked = workshop.inspect(spooler, job, received).await?;
            findings.documents.extend(looked.documents);
            findings.new.extend(looked.new);
            findings.remarks.extend(looked.remarks);
            return Ok(());
        }
        let file = spooler.documents().plaintext_file(received.id).await?;
        spooler.crash_point("C4").await;
        let declared = received.format.split(';').next().unwrap_or_default().trim();
        let parts = if declared.eq_ignore_ascii_case("message/rfc822") {
            self.split(job, file, findings).await?
        } else {
            vec![self.single(received, file).await?]
        };
        let asked = &job.options;
        if let Some(profile) = &printer.profile {
            if asked.sides.is_some_and(tympan_engine::Sides::is_duplex) && !profile.duplex {
                findings.remark(Remark::OneSidedOnly);
            }
            if asked.color == Some(ColorMode::Color) && !profile.color {
                findings.remark(Remark::BlackOnly);
            }
        }
        for part in parts {
            let name = part.name.clone();
            if findings.documents.len() as u32 >= DOCUMENTS_MAX {
                findings.remark(Remark::TooManyDocuments { name, limit: DOCUMENTS_MAX });
                continue;
            }
            let format = part.format;
            let mut looked = self.look(spooler, job, printer, &part, findings).await;
            if matches!(&looked, Err(PartError::Refused(refusal)) if refusal.kind == RefusalKind::RendererFailed) {
                looked = self.look(spooler, job, printer, &part, findings).await;
            }
            match looked {
                Ok(Some((document, new))) => {
                    findings.documents.push(document);
                    findings.new.extend(new);
                }
                Ok(None) => findings.remark(Remark::NoSuchPages { name }),
                // An empty body beside attachments is nothing to speak of.
                Err(PartError::Refused(refusal)) if part.is_body && refusal.kind == RefusalKind::Empty => {}
                Err(PartError::Refused(refusal)) => {
                    findings.remark(Remark::NotPrinted { name, kind: refusal.kind, format: kind_of_file(format) });
                }
                Err(temporary) => return Err(temporary),
            }
        }
        if findings.documents.is_empty() && findings.remarks.is_empty() {
            findings.remark(Remark::NothingToPrint);
        }
        Ok(())
    }

    /// What was uploaded is one document.
    async fn single(&self, received: &JobDocument, file: File) -> Result<Part, PartError> {
        let mut file = tokio::fs::File::from_std(file);
        let mut start = vec![0; START_OCTETS];
        let mut read = 0;
        loop {
            match file.read(&mut start[read..]).await? {
                0 => break,
                more => read += more,
            }
            if read == start.len() {
                break;
            }
        }
        let mut fields = received.format.split(';').map(str::trim);
        let declared = fields.next();
        let charset = fields.find_map(|field| field.to_ascii_lowercase().strip_prefix("charset=").map(str::to_owned));
        Ok(Part {
            name: received.name.0.clone(),
            format: sniff(&start[..read], declared),
            charset: charset.map(|charset| charset.trim_matches('"').to_owned()),
            file: file.into_std().await,
            octets: received.octets,
            is_body: false,
            heading: Vec::new(),
            stored: Some(received.id),
        })
    }

    /// Takes a mail apart; gives the parts that are to be printed, in order.
    async fn split(&self, job: &Job, mail: File, findings: &mut Findings) -> Result<Vec<Part>, PartError> {
        let mut run = self.options().renderer.run(SplitMail { logo_side: LOGO_SIDE }, mail).await?;
        let mut facts = MailFacts::default();
        let mut parts: Vec<Part> = Vec::new();
        let mut refused: Vec<Remark> = Vec::new();
        let mut attachments = 0;
        let mut open: Option<(Box<PartHeader>, Option<tokio::fs::File>)> = None;
        while let Some(output) = run.next().await? {
            match output {
                Output::Mail(mail) => facts = *mail,
                Output::PartStart(header) => {
                    let takes = header.role.is_document() && parts.len() < 2 * DOCUMENTS_MAX as usize;
                    let file = match takes {
                        true => Some(tokio::fs::File::from_std(crate::temp::nameless(&self.options().temp_folder)?)),
                        false => None,
                    };
                    open = Some((header, file));
                }
                Output::Data(data) => {
                    if let Some((_, Some(file))) = &mut open {
                        file.write_all(&data).await?;
                    }
                }
                Output::PartEnd { octets } => {
                    let Some((header, file)) = open.take() else {
                        continue;
                    };
                    let is_body = header.role == PartRole::Body && header.depth == 0;
                    if !header.role.is_document() {
                        continue;
                    }
                    attachments += u32::from(!is_body);
                    let name = part_name(&header, job, is_body, attachments);
                    let Some(mut file) = file else {
                        refused.push(Remark::TooManyDocuments { name, limit: DOCUMENTS_MAX });
                        continue;
                    };
                    if octets == 0 && header.octets > 0 {
                        // Nothing of it came out: it is of a kind that cannot be printed.
                        let format = kind_of_file(header.format);
                        refused.push(Remark::NotPrinted { name, kind: RefusalKind::UnknownType, format });
                        continue;
                    }
                    file.flush().await?;
                    let is_text = matches!(header.format, Format::Text | Format::Html);
                    let heading = match (header.role, &header.mail) {
                        (PartRole::Body, Some(nested)) => heading(nested, job.originator.language),
                        (PartRole::Body, None) => heading(&facts, job.originator.language),
                        _ => Vec::new(),
                    };
                    parts.push(Part {
                        name,
                        format: header.format,
                        charset: is_text.then(|| "utf-8".into()),
                        file: file.into_std().await,
                        octets,
                        is_body,
                        heading,
                        stored: None,
                    });
                }
                Output::Notice(notice) => {
                    if let Some(remark) = remark_of(&notice, &job.name) {
                        refused.push(remark);
                    }
                }
                _ => {}
            }
        }
        if facts.is_encrypted {
            findings.remark(Remark::MailEncrypted);
        }
        let printed = job.options.printed.unwrap_or_default();
        let (with_body, with_attachments) = match printed {
            Printed::AttachmentsElseBody => (attachments == 0, true),
            Printed::Attachments => (false, true),
            Printed::Body => (true, false),
            Printed::Both => (true, true),
        };
        if printed == Printed::Attachments && attachments == 0 {
            findings.remark(Remark::NoAttachment);
        }
        if with_attachments {
            refused.into_iter().for_each(|remark| findings.remark(remark));
        }
        parts.retain(|part| if part.is_body { with_body } else { with_attachments });
        // The text of the mail comes first, whatever its place.
        parts.sort_by_key(|part| !part.is_body);
        let bodies = parts.iter().filter(|part| part.is_body).count();
        for part in parts.drain((bodies + ATTACHMENTS_MAX).min(parts.len())..) {
            findings.remark(Remark::TooManyDocuments { name: part.name, limit: ATTACHMENTS_MAX as u32 });
        }
        Ok(parts)
    }

    /// Counts the pages of a part and stores it; `None`: none of its pages is wanted.
    async fn look(
        &self,
        spooler: &Spooler,
        job: &Job,
        printer: &Printer,
        part: &Part,
        findings: &mut Findings,
    ) -> Result<Option<(JobDocument, Option<NewDocument>)>, PartError> {
        let mut setup = setup_for(printer, &job.options).2;
        if part.format.is_raster() {
            return self.lay_out_part(spooler, job, part, setup, findings).await;
        }
        if matches!(part.format, Format::Text | Format::Html) {
            use tympan_engine::Orientation;
            if let Some(Orientation::Landscape | Orientation::ReverseLandscape) = job.options.orientation {
                // The paper as it is read.
                std::mem::swap(&mut setup.width, &mut setup.height);
                let Margins { top, right, bottom, left } = setup.margins;
                setup.margins = Margins { top: right, right: bottom, bottom: left, left: top };
            }
            return self.lay_out_part(spooler, job, part, setup, findings).await;
        }
        let request = Inspect { format: Some(part.format), charset: None, setup, colour: false };
        let looked = self.options().renderer.inspect(request, rewound(&part.file)?).await?;
        for notice in &looked.notices {
            if let Some(remark) = remark_of(notice, &part.name) {
                findings.remark(remark);
            }
        }
        let pages = wanted(job, looked.facts.pages.len());
        if pages == 0 {
            return Ok(None);
        }
        let mut document = JobDocument {
            id: DocumentId([0; 16]),
            name: part.name.clone().into(),
            format: looked.facts.format.media_type().to_owned(),
            octets: part.octets,
            pages,
        };
        if let Some(stored) = part.stored {
            document.id = stored;
            return Ok(Some((document, None)));
        }
        document.id = DocumentId::from_parts(spooler.now(), spooler.random());
        let mut writer = spooler.documents().create(document.id)?;
        let mut file = tokio::fs::File::from_std(rewound(&part.file)?);
        let mut piece = vec![0; 64 * 1024];
        loop {
            match file.read(&mut piece).await? {
                0 => break,
                read => writer.write(&piece[..read]).await?,
            }
        }
        let new = writer.finish().await?;
        document.octets = new.octets;
        Ok(Some((document, Some(new))))
    }

    async fn lay_out_part(
        &self,
        spooler: &Spooler,
        job: &Job,
        part: &Part,
        setup: PageSetup,
        findings: &mut Findings,
    ) -> Result<Option<(JobDocument, Option<NewDocument>)>, PartError> {
        let request = ToPdf {
            format: Some(part.format),
            charset: part.charset.clone(),
            setup,
            heading: part.heading.clone(),
            face: if part.heading.is_empty() { Face::Fixed } else { Face::Proportional },
            title: Some(part.name.clone()),
        };
        let id = DocumentId::from_parts(spooler.now(), spooler.random());
        let mut writer = spooler.documents().create(id)?;
        let mut run = self.options().renderer.run(request, rewound(&part.file)?).await?;
        let mut pages = 0;
        while let Some(output) = run.next().await? {
            match output {
                Output::Data(data) => writer.write(&data).await?,
                Output::Document(facts) => pages = facts.pages.len(),
                Output::Notice(notice) => {
                    if let Some(remark) = remark_of(&notice, &part.name) {
                        findings.remark(remark);
                    }
                }
                _ => {}
            }
        }
        let pages = wanted(job, pages);
        if pages == 0 {
            return Ok(None);
        }
        let new = writer.finish().await?;
        let document =
            JobDocument { id, name: part.name.clone().into(), format: LAID_OUT.to_owned(), octets: new.octets, pages };
        Ok(Some((document, Some(new))))
    }
}

/// How many of a document's pages are wanted.
fn wanted(job: &Job, pages: usize) -> u32 {
    let pages = u32::try_from(pages).unwrap_or(u32::MAX);
    (1..=pages).filter(|page| job.options.wants_page(*page)).count() as u32
}

fn rewound(file: &File) -> std::io::Result<File> {
    let mut file = file.try_clone()?;
    file.rewind()?;
    Ok(file)
}

fn part_name(header: &PartHeader, job: &Job, is_body: bool, number: u32) -> String {
    if let Some(name) = header.name.as_ref().filter(|name| !name.is_empty()) {
        return name.clone();
    }
    if is_body {
        return job.name.0.clone();
    }
    let subject = header.mail.as_ref().and_then(|mail| mail.subject.clone()).filter(|subject| !subject.is_empty());
    subject.unwrap_or_else(|| format!("attachment {number}"))
}

/// What a file is, for people; nothing for what could be printed.
fn kind_of_file(format: Format) -> String {
    match format {
        Format::Pdf | Format::Jpeg | Format::Png | Format::Text | Format::Empty => String::new(),
        other => other.name().to_owned(),
    }
}

/// The lines above a mail's text.
fn heading(mail: &MailFacts, language: Language) -> Vec<HeadingLine> {
    let labels = match language {
        Language::En => ["From", "To", "Date", "Subject"],
        Language::Ja => ["差出人", "宛先", "日時", "件名"],
    };
    let people = |list: &[tympan_render::MailAddress]| {
        let one = |address: &tympan_render::MailAddress| match &address.name {
            Some(name) if !name.is_empty() => format!("{name} <{}>", address.address),
            _ => address.address.clone(),
        };
        list.iter().take(10).map(one).collect::<Vec<_>>().join(", ")
    };
    let date = mail.date.as_deref().unwrap_or_default().replace('T', " ");
    let values = [people(&mail.from), people(&mail.to), date, mail.subject.clone().unwrap_or_default()];
    let lines = labels.into_iter().zip(values).filter(|(_, value)| !value.is_empty());
    lines.map(|(label, value)| HeadingLine { label: label.into(), value }).collect()
}

fn remark_of(notice: &Notice, name: &str) -> Option<Remark> {
    let name = || name.to_owned();
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "A part".into());
    Some(match notice {
        Notice::MissingCharacters { characters, .. } => {
            Remark::MissingCharacters { name: name(), characters: characters.clone() }
        }
        Notice::FontReplaced { name: font, .. } => Remark::FontReplaced { name: name(), font: font.clone() },
        Notice::FontNotShown { page } | Notice::ImageNotShown { page } => {
            Remark::Uncertain { name: name(), page: *page }
        }
        // Most annotations are for the screen.
        Notice::AnnotationNotShown { .. } => return None,
        Notice::TextDamaged { .. } => Remark::TextDamaged { name: name() },
        Notice::PartsTooDeep { .. } | Notice::TooManyParts { .. } => Remark::PartsLeftOut,
        Notice::PartElsewhere { .. } => Remark::PartElsewhere,
        Notice::PartEncrypted { name } => Remark::PartEncrypted { name: part(name) },
        Notice::PartDamaged { name } => Remark::PartDamaged { name: part(name) },
        _ => return None,
    })
}
