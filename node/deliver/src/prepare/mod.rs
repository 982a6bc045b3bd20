//! Makes of a job's documents what its device takes.
//!
//! One document that the device takes as it is goes untouched. Everything else is drawn page by page by
//! the render worker into one stream, checked again by our own reader, and stored with the job, so that
//! the next attempt finds it. Memory holds one band.

mod layout;
mod plan;
mod press;

use std::fs::File;
use std::io::{Seek, Write};

use tokio::io::AsyncRead;
use tympan_engine::job::Rendition;
use tympan_engine::{DocumentId, Job, JobEvent, Printer, StoredForm};
use tympan_raster::pwg;
use tympan_render::{Format, Orientation, Output, Raster, RefusalKind, RenderError, Scaling, Several, ToPdf};
use tympan_spooler::Spooler;
use tympan_store::{NewDocument, StoreError, Whose};

use crate::delivery::{Delivery, Stop};
use crate::output::Ticket;
use crate::remark::Remark;
use crate::workshop::Failed;
pub use layout::{Layout, Side};
pub use plan::{Drawing, Extras, Form, PDF, PWG, Plan, plan, setup_for};
use press::{Press, PressError};

/// Why there is nothing to send.
#[derive(Debug)]
pub(crate) enum PrepareError {
    /// It cannot be printed there; a sentence.
    Refused(String),
    /// Another try may help.
    Temporary(String),
    /// The job is not ours any more, or the store failed.
    Stop(Stop),
}

impl From<Stop> for PrepareError {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<StoreError> for PrepareError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoDocument(_) => Self::Stop(Stop::Stale),
            StoreError::Damaged { .. } => Self::Refused(Remark::StoredDataDamaged.to_string()),
            other => Self::Temporary(other.to_string()),
        }
    }
}

impl From<PressError> for PrepareError {
    fn from(error: PressError) -> Self {
        match error {
            PressError::Store(error) => error.into(),
            other => Self::Temporary(other.to_string()),
        }
    }
}

/// Data that is ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) plan: Plan,
    document: DocumentId,
    octets: u64,
}

impl Prepared {
    pub(crate) fn ticket(&self, job: &Job, up_time_secs: Option<i32>) -> Ticket {
        Ticket {
            short: job.short(),
            name: job.name.0.clone(),
            format: self.plan.format.clone(),
            octets: self.octets,
            copies: self.plan.copies_by_device,
            sides: self.plan.sides,
            color: self.plan.color,
            media: self.plan.media.clone(),
            extras: self.plan.extras.clone(),
            page_ranges: self.plan.page_ranges.clone(),
            up_time_secs,
        }
    }

    pub(crate) async fn open(&self, spooler: &Spooler) -> Result<Box<dyn AsyncRead + Send + Unpin>, String> {
        match spooler.documents().open_document(self.document).await {
            Ok(reader) => Ok(Box::new(reader)),
            Err(error) => Err(format!("the print data could not be read: {error}")),
        }
    }
}

/// What was drawn, not committed yet.
struct Drawn {
    document: NewDocument,
    plan: Plan,
}

impl Drawn {
    fn rendition(&self, job: &Job, printer: &Printer) -> Rendition {
        Rendition {
            id: self.document.id,
            format: self.plan.format.clone(),
            octets: self.document.octets,
            pages: self.plan.layout.sides.len() as u32 * u32::from(self.plan.copies_in_data),
            profile: printer.profile.as_ref().map_or(0, |profile| profile.version),
            first_page: job.first_page,
        }
    }
}

impl Delivery {
    /// Finds or makes the data for a job at a printer.
    pub(crate) async fn prepare(
        &self,
        spooler: &Spooler,
        job: &Job,
        printer: &Printer,
    ) -> Result<Prepared, PrepareError> {
        let plan = plan(job, printer).map_err(PrepareError::Refused)?;
        let dropped = source_is_raster(spooler, job).await?;
        if let Some(rendition) = usable(job, printer, &plan, dropped) {
            return Ok(Prepared { plan, document: rendition.id, octets: rendition.octets });
        }
        if let (Form::Untouched, Some(one), false) = (plan.form, job.documents.first(), dropped) {
            return Ok(Prepared { document: one.id, octets: one.octets, plan });
        }
        let drawn = match dropped {
            true => self.draw_again(spooler, job, printer, plan).await?,
            false => self.draw_or_coarser(spooler, job, printer, plan).await?,
        };
        let rendition = drawn.rendition(job, printer);
        let prepared = Prepared { document: rendition.id, octets: rendition.octets, plan: drawn.plan };
        let event = JobEvent::Stored { rendition, drop_source: false };
        let new = drawn.document.clone();
        match spooler.job_event_with(Whose::Everyones, job.uuid, event, vec![drawn.document], None).await {
            Ok(_) => Ok(prepared),
            Err(error) => {
                let _ = spooler.documents().discard(&new).await;
                Err(Stop::from(error).into())
            }
        }
    }

    /// What stands on which side of an attempt that an earlier life of this server began.
    pub(crate) async fn layout_again(&self, spooler: &Spooler, job: &Job, printer: &Printer) -> Layout {
        let Ok(plan) = plan(job, printer) else {
            return Layout::of(job, false);
        };
        match source_is_raster(spooler, job).await {
            Ok(true) => plan.of_cut_raster(job).layout,
            // What cannot be read now does not keep the printer from being asked.
            Ok(false) | Err(_) => plan.layout,
        }
    }

    /// While the printer is away: stores the data that it takes, where its policy asks for that (A09).
    pub(crate) async fn store(&self, spooler: &Spooler, job: tympan_engine::JobUuid) -> Result<(), Stop> {
        let job = spooler.job(Whose::Everyones, job).await?;
        let printer = spooler.printer(Whose::Everyones, job.printer).await?;
        let form = printer.policy.stored_form;
        if form == StoredForm::Mail || !job.is_waiting() || job.rendition.is_some() || printer.profile.is_none() {
            return Ok(());
        }
        let Ok(plan) = plan(&job, &printer) else {
            return Ok(());
        };
        if plan.form == Form::Untouched {
            // What is stored is what the printer takes.
            return Ok(());
        }
        let drawn = match self.draw_or_coarser(spooler, &job, &printer, plan).await {
            Ok(drawn) => drawn,
            // Whoever brings it to the printer finds the same and tells.
            Err(PrepareError::Refused(_)) => return Ok(()),
            Err(PrepareError::Temporary(why)) => return Err(Stop::Again(why)),
            Err(PrepareError::Stop(stop)) => return Err(stop),
        };
        let sizes = async {
            let mut source = 0;
            for document in &job.documents {
                source += packed_octets(spooler.documents().open_document(document.id).await?).await?;
            }
            let made = packed_octets(spooler.documents().open_new(&drawn.document).await?).await?;
            Ok::<_, StoreError>((source, made))
        };
        let (source, made) = sizes.await.map_err(|error| Stop::Again(error.to_string()))?;
        // Only raster can be cut and marked without what it was made from.
        let drop_source = drawn.plan.form == Form::Raster && (form == StoredForm::PrintData || made < source);
        let new = drawn.document.clone();
        let event = JobEvent::Stored { rendition: drawn.rendition(&job, &printer), drop_source };
        // A job that was taken up meanwhile reads what it found.
        let still_waits = spooler.job(Whose::Everyones, job.uuid).await?.is_waiting();
        let keeps = still_waits && (drop_source || form == StoredForm::PrintData);
        let stored = match keeps {
            true => {
                spooler.job_event_with(Whose::Everyones, job.uuid, event, vec![drawn.document], None).await.map(|_| ())
            }
            false => Ok(()),
        };
        if !keeps || stored.is_err() {
            let _ = spooler.documents().discard(&new).await;
        }
        tracing::debug!(job = %job.short(), source, made, drop_source, "Stored print data");
        Ok(stored?)
    }

    /// Draws; what is too much at this resolution is tried once at the next coarser one.
    async fn draw_or_coarser(
        &self,
        spooler: &Spooler,
        job: &Job,
        printer: &Printer,
        mut plan: Plan,
    ) -> Result<Drawn, PrepareError> {
        let mut tries = 0;
        loop {
            let failed = match self.draw(spooler, job, &plan).await {
                Ok(document) => return Ok(Drawn { document, plan }),
                Err(DrawError::Prepare(error)) => return Err(error),
                Err(DrawError::Refused { name, kind }) => (name, kind),
            };
            tries += 1;
            let (name, kind) = failed;
            let offered = printer.profile.as_ref().map(|profile| profile.resolutions.as_slice()).unwrap_or_default();
            let too_much =
                matches!(kind, RefusalKind::TooMuchMemory | RefusalKind::TooMuchTime | RefusalKind::PageTooLarge);
            match plan::coarser(offered, plan.drawing.dpi).filter(|_| too_much) {
                Some(dpi) if tries < 2 => plan.drawing.dpi = dpi,
                None if kind == RefusalKind::RendererFailed && tries < 2 => {}
                _ => {
                    return Err(PrepareError::Refused(
                        Remark::NotPrinted { name, kind, format: String::new() }.to_string(),
                    ));
                }
            }
        }
    }

    async fn draw(&self, spooler: &Spooler, job: &Job, plan: &Plan) -> Result<NewDocument, DrawError> {
        let id = DocumentId::from_parts(spooler.now(), spooler.random());
        if let Some(workshop) = &self.options().workshop {
            return workshop.draw(spooler, job, plan, id).await.map_err(DrawError::of_workshop);
        }
        if plan.form == Form::LaidOut {
            return self.lay_out(spooler, job, plan, id).await;
        }
        // Copies of raster are made by writing one copy several times.
        let copies = if plan.form == Form::Raster { plan.copies_in_data } else { 1 };
        let sides_in_all = plan.layout.sides.len() as u32 * u32::from(plan.copies_in_data);
        let first = if copies > 1 { DocumentId::from_parts(spooler.now(), spooler.random()) } else { id };
        let writer = spooler.documents().create(first)?;
        let mut press = Press::new(plan.form, &plan.drawing, sides_in_all, plan.copies_in_data, writer);
        let mut open: Option<(usize, File)> = None;
        let mut at = 0;
        while let Some(side) = plan.layout.sides.get(at) {
            match *side {
                Side::Blank => {
                    press.blank().await?;
                    at += 1;
                }
                Side::Mark => {
                    self.draw_mark(job, plan, &mut press).await?;
                    at += 1;
                }
                Side::Page { .. } => {
                    let Some((document, first, last)) = plan.layout.run(at) else {
                        break;
                    };
                    // Pages that lie otherwise are drawn by themselves.
                    let placing = |page| job.options.placing(document as u32 + 1, page);
                    let last =
                        (first..=last).take_while(|page| placing(*page) == placing(first)).last().unwrap_or(first);
                    let facts = &job.documents[document];
                    let file = match &mut open {
                        Some((same, file)) if *same == document => file,
                        other => &mut other.insert((document, spooler.documents().plaintext_file(facts.id).await?)).1,
                    };
                    if plan.layout.is_several() {
                        let sides = plan.layout.sides_of(at, document);
                        self.draw_several(job, plan, (at, sides, document), file, &mut press).await?;
                        at += sides;
                        continue;
                    }
                    // The worker counts fronts and backs from its first page.
                    let back = plan.drawing.back_side();
                    let turned = back.is_some() && at % 2 == 1 && first > 1;
                    let from = if turned { first - 1 } else { first };
                    file.rewind().map_err(|error| PrepareError::Temporary(error.to_string()))?;
                    let input = file.try_clone().map_err(|error| PrepareError::Temporary(error.to_string()))?;
                    let mut request = raster_request(plan, None, from, Some(last));
                    let (orientation, scaling) = placing(first);
                    request.orientation = plan::turned(orientation).map(orientation_of);
                    request.scaling = scaling_of(scaling);
                    if facts.format == LAID_OUT && request.scaling == Scaling::Auto {
                        request.scaling = Scaling::SameSize;
                    }
                    let name = facts.name.0.clone();
                    self.draw_pages(request, input, u32::from(turned), &name, &mut press).await?;
                    at += (last - first + 1) as usize;
                }
            }
        }
        Ok(copied(spooler, press.finish().await?, id, copies).await?)
    }

    /// Draws `sides` sides with pages of one document, several on a side, from the side `at` on.
    async fn draw_several(
        &self,
        job: &Job,
        plan: &Plan,
        (at, sides, document): (usize, usize, usize),
        file: &mut File,
        press: &mut Press,
    ) -> Result<(), DrawError> {
        let facts = &job.documents[document];
        let number_up = u32::from(job.options.number_up.unwrap_or(1));
        let Some(Side::Page { page: first, .. }) = plan.layout.sides.get(at).copied() else {
            return Ok(());
        };
        let all: Vec<u32> = layout::wanted_pages(job, facts.pages).skip_while(|page| *page < first).collect();
        // The worker counts fronts and backs from its first side: one side is drawn alone where it begins on a back.
        let turned = plan.drawing.back_side().is_some() && at % 2 == 1;
        let mut pages = all.clone();
        if turned {
            let padding = vec![all.first().copied().unwrap_or(1); number_up as usize];
            pages = [padding, all].concat();
        }
        file.rewind().map_err(|error| PrepareError::Temporary(error.to_string()))?;
        let input = file.try_clone().map_err(|error| PrepareError::Temporary(error.to_string()))?;
        let mut request = raster_request(plan, None, 1, None);
        pages.truncate((sides + usize::from(turned)) * number_up as usize);
        request.several = Some(Several { number_up, pages });
        self.draw_pages(request, input, u32::from(turned), &facts.name.0.clone(), press).await
    }

    async fn lay_out(
        &self,
        spooler: &Spooler,
        job: &Job,
        plan: &Plan,
        id: DocumentId,
    ) -> Result<NewDocument, DrawError> {
        let Some(one) = job.documents.first() else {
            return Err(PrepareError::Stop(Stop::Stale).into());
        };
        let input = spooler.documents().plaintext_file(one.id).await?;
        let request = ToPdf {
            format: None,
            charset: None,
            setup: plan.drawing.setup,
            heading: Vec::new(),
            face: tympan_render::Face::Fixed,
            title: None,
        };
        let mut run = self.options().renderer.run(request, input).await.map_err(|error| refused(error, &one.name))?;
        let mut writer = spooler.documents().create(id)?;
        while let Some(output) = run.next().await.map_err(|error| refused(error, &one.name))? {
            if let Output::Data(data) = output {
                writer.write(&data).await?;
            }
        }
        Ok(writer.finish().await?)
    }

    async fn draw_mark(&self, job: &Job, plan: &Plan, press: &mut Press) -> Result<(), DrawError> {
        let mark = job.mark.as_deref().unwrap_or_default();
        let text = format!("\n\n\n    {mark}\n\n    {}\n    Tympan job {}\n", *job.name, job.short());
        let mut file = crate::temp::nameless(&self.options().temp_folder)
            .map_err(|error| PrepareError::Temporary(error.to_string()))?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.rewind())
            .map_err(|error| PrepareError::Temporary(error.to_string()))?;
        let mut request = raster_request(plan, Some(Format::Text), 1, Some(1));
        request.charset = Some("utf-8".into());
        self.draw_pages(request, file, 0, "mark", press).await
    }

    /// Runs a worker over pages and puts all but the first `skip` of them into the press.
    async fn draw_pages(
        &self,
        request: Raster,
        input: File,
        skip: u32,
        name: &str,
        press: &mut Press,
    ) -> Result<(), DrawError> {
        let mut run = self.options().renderer.run(request, input).await.map_err(|error| refused(error, name))?;
        let mut skip = skip;
        while let Some(output) = run.next().await.map_err(|error| refused(error, name))? {
            match output {
                Output::PageStart(header) => {
                    if (header.width, header.height) != press.pixels() {
                        return Err(PrepareError::Temporary("the renderer made a page of another size".into()).into());
                    }
                    if skip == 0 {
                        press.begin()?;
                    }
                }
                Output::Band { data, .. } if skip == 0 => press.lines(&data).await?,
                Output::PageEnd { .. } if skip == 0 => press.end().await?,
                Output::PageEnd { .. } => skip -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// The job's documents are gone, only its raster is left: cuts and marks that.
    async fn draw_again(
        &self,
        spooler: &Spooler,
        job: &Job,
        printer: &Printer,
        plan: Plan,
    ) -> Result<Drawn, PrepareError> {
        if !printer.profile.as_ref().is_some_and(|profile| profile.takes(PWG)) {
            return Err(PrepareError::Refused(Remark::MadeForAnother.to_string()));
        }
        let Some(source) = job.documents.first().map(|document| document.id) else {
            return Err(PrepareError::Stop(Stop::Stale));
        };
        let plan = plan.of_cut_raster(job);
        let whole = Layout::whole(job, plan.drawing.is_duplex());
        let start = whole.begins(job.first_page);
        let copies = plan.copies_in_data;
        let id = DocumentId::from_parts(spooler.now(), spooler.random());
        if let Some(workshop) = &self.options().workshop {
            let document = workshop.draw(spooler, job, &plan, id).await;
            let document = document.map_err(|failed| DrawError::of_workshop(failed).into_prepare())?;
            return Ok(Drawn { document, plan });
        }
        let first = if copies > 1 { DocumentId::from_parts(spooler.now(), spooler.random()) } else { id };
        let writer = spooler.documents().create(first)?;
        let sides_in_all = plan.layout.sides.len() as u32 * u32::from(copies);
        let mut press = Press::new(Form::Raster, &plan.drawing, sides_in_all, copies, writer);
        let drawn = |side: &&Side| !matches!(side, Side::Page { .. });
        for side in plan.layout.sides.iter().take_while(drawn) {
            match side {
                Side::Mark => self.draw_mark(job, &plan, &mut press).await.map_err(DrawError::into_prepare)?,
                Side::Blank | Side::Page { .. } => press.blank().await?,
            }
        }
        let mut reader = spooler.documents().open_document(source).await?;
        let mut pages = pwg::Reader::new(tympan_raster::Limits::default());
        let mut number = 0;
        'document: while let Some(bytes) = reader.next().await? {
            pages.push(&bytes);
            loop {
                let event = pages.next().map_err(PressError::from)?;
                let wanted = number >= start;
                match event {
                    None => break,
                    // What follows is another copy.
                    Some(pwg::Event::Page(_)) if number >= whole.sides.len() => break 'document,
                    Some(pwg::Event::Page(header)) if wanted => press.begin_as(&header)?,
                    Some(pwg::Event::Lines { count, row, .. }) if wanted => {
                        let rows = row.repeat(count as usize);
                        press.lines(&rows).await?;
                    }
                    Some(pwg::Event::EndPage) => {
                        if wanted {
                            press.end().await?;
                        }
                        number += 1;
                    }
                    Some(pwg::Event::Page(_) | pwg::Event::Lines { .. }) => {}
                }
            }
        }
        if matches!(plan.layout.sides.last(), Some(Side::Blank)) {
            press.blank().await?;
        }
        let one = press.finish().await?;
        Ok(Drawn { document: copied(spooler, one, id, copies).await?, plan })
    }
}

/// Why drawing ended early.
enum DrawError {
    /// The document is to blame.
    Refused {
        name: String,
        kind: RefusalKind,
    },
    Prepare(PrepareError),
}

impl DrawError {
    fn of_workshop(failed: Failed) -> Self {
        match failed {
            Failed::Refused(kind) => Self::Refused { name: String::new(), kind },
            Failed::Temporary(why) => Self::Prepare(PrepareError::Temporary(why)),
        }
    }

    fn into_prepare(self) -> PrepareError {
        match self {
            Self::Refused { name, kind } => {
                PrepareError::Refused(Remark::NotPrinted { name, kind, format: String::new() }.to_string())
            }
            Self::Prepare(error) => error,
        }
    }
}

impl<T: Into<PrepareError>> From<T> for DrawError {
    fn from(error: T) -> Self {
        Self::Prepare(error.into())
    }
}

fn refused(error: RenderError, name: &str) -> DrawError {
    match error.refusal() {
        Some(refusal) => DrawError::Refused { name: name.to_owned(), kind: refusal.kind },
        None => DrawError::Prepare(PrepareError::Temporary(error.to_string())),
    }
}

/// The stored print data, if it is still right.
fn usable<'a>(job: &'a Job, printer: &Printer, plan: &Plan, dropped: bool) -> Option<&'a Rendition> {
    let version = printer.profile.as_ref().map_or(0, |profile| profile.version);
    let sides = plan.layout.sides.len() as u32 * u32::from(plan.copies_in_data);
    job.rendition.as_ref().filter(|rendition| {
        let fits = rendition.format == plan.format || (dropped && rendition.format == PWG);
        // A mark names what may exist already, which changes from doubt to doubt.
        job.mark.is_none()
            && rendition.first_page == job.first_page
            && fits
            && (dropped || (rendition.profile == version && (rendition.pages == sides || plan.form == Form::LaidOut)))
    })
}

/// Whether the job's documents were given up for their raster.
async fn source_is_raster(spooler: &Spooler, job: &Job) -> Result<bool, StoreError> {
    let Some(first) = job.documents.first() else {
        return Ok(false);
    };
    let mut start = [0; 4];
    let mut reader = spooler.documents().open_document(first.id).await?;
    let read = reader.read_at(0, &mut start).await?;
    Ok(start[..read] == pwg::SYNC_WORD)
}

fn scaling_of(asked: Option<tympan_engine::Scaling>) -> Scaling {
    match asked {
        None | Some(tympan_engine::Scaling::Auto | tympan_engine::Scaling::AutoFit) => Scaling::Auto,
        Some(tympan_engine::Scaling::Fill) => Scaling::Fill,
        Some(tympan_engine::Scaling::Fit) => Scaling::Fit,
        Some(tympan_engine::Scaling::None) => Scaling::None,
    }
}

fn orientation_of(asked: tympan_engine::Orientation) -> Orientation {
    match asked {
        tympan_engine::Orientation::Portrait => Orientation::Portrait,
        tympan_engine::Orientation::Landscape => Orientation::Landscape,
        tympan_engine::Orientation::ReverseLandscape => Orientation::ReverseLandscape,
        tympan_engine::Orientation::ReversePortrait => Orientation::ReversePortrait,
    }
}

/// A document that was laid out for the paper, edges and all, by us or by the client that drew it: where the paper is
/// still the same, it is printed as it is.
pub(crate) const LAID_OUT: &str = "application/pdf; laid-out=yes";

fn raster_request(plan: &Plan, format: Option<Format>, first_page: u32, last_page: Option<u32>) -> Raster {
    let drawing = &plan.drawing;
    Raster {
        format,
        charset: None,
        first_page,
        last_page,
        setup: drawing.setup,
        resolution: (drawing.dpi, drawing.dpi),
        size: Some(drawing.size.dots(drawing.dpi, drawing.dpi)),
        colour: drawing.colour,
        scaling: scaling_of(drawing.scaling),
        orientation: drawing.orientation.map(orientation_of),
        several: None,
        back: drawing.back_side(),
    }
}

/// One copy of raster, made into as many as are wanted; one is it already.
async fn copied(spooler: &Spooler, one: NewDocument, id: DocumentId, copies: u16) -> Result<NewDocument, StoreError> {
    if copies == 1 {
        return Ok(one);
    }
    let copied = copy_raster(spooler, &one, id, copies).await;
    let _ = spooler.documents().discard(&one).await;
    copied
}

/// PWG Raster may be put one after the other, but for the word it begins with.
async fn copy_raster(
    spooler: &Spooler,
    one: &NewDocument,
    id: DocumentId,
    copies: u16,
) -> Result<NewDocument, StoreError> {
    let mut writer = spooler.documents().create(id)?;
    writer.write(&pwg::SYNC_WORD).await?;
    for _ in 0..copies {
        let mut reader = spooler.documents().open_new(one).await?;
        reader.seek(pwg::SYNC_WORD.len() as u64);
        while let Some(bytes) = reader.next().await? {
            writer.write(&bytes).await?;
        }
    }
    writer.finish().await
}

/// How many octets a document takes compressed.
async fn packed_octets(mut reader: tympan_store::DocumentReader) -> Result<u64, StoreError> {
    struct Count(u64);
    impl Write for Count {
        fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
            self.0 += octets.len() as u64;
            Ok(octets.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut deflate = flate2::write::DeflateEncoder::new(Count(0), flate2::Compression::fast());
    while let Some(bytes) = reader.next().await? {
        // Counting cannot fail.
        let _ = deflate.write_all(&bytes);
    }
    Ok(deflate.finish().map_or(u64::MAX, |count| count.0))
}
