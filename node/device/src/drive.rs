//! The paper path: takes jobs in order, waits for paper, toner and people, and puts pages out.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, info, warn};
use tympan_raster::sheet_back::Sides;

use crate::document::{self, DecodeFault, Decoded, Settings};
use crate::model::{Document, Gate, Outcome, PageNeed, Ticket};
use crate::page_image::{self, PageImage};
use crate::pdf::{self, PdfPage};
use crate::shared::Shared;
use crate::state::{DeviceEvent, PrintedPage, Side};

/// Prints jobs for ever, one after another.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut watch = shared.watch();
    loop {
        watch.mark_unchanged();
        let next = shared.change_if_seen(|model, now| model.start_next_job(now));
        match next {
            Some(id) => print(&shared, id).await,
            None => {
                if watch.changed().await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Ends jobs whose document never comes, and messages that were shown long enough.
pub(crate) async fn expire(shared: Arc<Shared>) {
    let millis_max = u64::from(shared.options.multiple_operation_time_out_secs) * 1_000;
    let mut every = tokio::time::interval(Duration::from_secs(1));
    loop {
        every.tick().await;
        shared.change_if_seen(|model, now| {
            model.expire_open_jobs(millis_max, now);
            model.expire_message(now);
        });
    }
}

/// One job on its way through the machine.
struct Printing<'a> {
    shared: &'a Shared,
    id: i32,
    ticket: Arc<Ticket>,
    power_cycle: u64,
    impression: u32,
    sheet: u32,
    printed: Vec<PdfPage>,
}

/// What became of a side.
#[derive(PartialEq, Eq)]
enum SideOutcome {
    Printed,
    /// Canceled, or the printer was switched off.
    Ended,
}

async fn print(shared: &Shared, id: i32) {
    let found = shared.read(|model| {
        let job = model.jobs.get(&id)?;
        Some((Arc::new(job.ticket.clone()), job.document.clone()?, model.pretends_to_print(), model.power_cycle))
    });
    let Some((ticket, document, pretend, power_cycle)) = found else {
        shared.change(|model, now| model.finish_job(id, Outcome::Failed, now));
        return;
    };
    let settings = Settings {
        folder: shared.options.folder.clone(),
        job_id: id,
        renderer: shared.options.renderer.clone(),
        media: shared.read(|model| model.trays[0].media.clone()),
        resolution: shared.options.resolutions.first().copied().unwrap_or(300),
        color: shared.options.is_color(),
    };
    let mut printing = Printing { shared, id, ticket, power_cycle, impression: 0, sheet: 0, printed: Vec::new() };
    let outcome =
        if pretend { printing.pretend(document, settings).await } else { printing.print(document, settings).await };
    printing.write_pdf().await;
    let state = shared.change(|model, now| {
        // After a power cycle the number may belong to nobody; then there is nothing to end.
        if model.power_cycle == power_cycle {
            model.finish_job(id, outcome, now);
        }
        model.jobs.get(&id).map(|job| job.state.as_str().to_owned())
    });
    info!(job_id = id, state = state.as_deref().unwrap_or("forgotten"), "Virtual printer ended a job");
    shared.tell(DeviceEvent::JobEnded { job_id: id, state });
}

impl Printing<'_> {
    async fn print(&mut self, document: Document, settings: Settings) -> Outcome {
        let cut = document.cut;
        let copies = self.ticket.copies.max(1);
        let mut pages = document::decode(document, Arc::clone(&self.ticket), settings);
        let mut kept: Vec<PageImage> = Vec::new();
        let mut in_copy = 0;
        while let Some(decoded) = pages.recv().await {
            let mut page = match decoded {
                Ok(Decoded::Total(total)) => {
                    self.expect(total.saturating_mul(copies));
                    continue;
                }
                Ok(Decoded::Page(page)) => page,
                Err(fault) => return self.outcome_of(&fault, cut),
            };
            in_copy += 1;
            if page.flipped != (false, false) {
                page = match tokio::task::spawn_blocking(move || page_image::unflip_file(&mut page).map(|()| page))
                    .await
                {
                    Ok(Ok(page)) => page,
                    _ => return Outcome::Failed,
                };
            }
            match self.side(&page, 1, in_copy).await {
                Ok(SideOutcome::Printed) => {}
                Ok(SideOutcome::Ended) => return Outcome::Failed,
                Err(error) => return self.disk_failed(&error),
            }
            if copies > 1 {
                kept.push(page);
            }
        }
        if cut {
            return Outcome::Interrupted;
        }
        if copies > 1 {
            self.expect((kept.len() as u32).saturating_mul(copies));
        }
        for copy in 2..=copies {
            for (index, page) in kept.iter().enumerate() {
                match self.side(page, copy, index as u32 + 1).await {
                    Ok(SideOutcome::Printed) => {}
                    Ok(SideOutcome::Ended) => return Outcome::Failed,
                    Err(error) => return self.disk_failed(&error),
                }
            }
        }
        self.expect(self.impression);
        Outcome::Printed
    }

    /// Reads the document and counts, but puts nothing out.
    async fn pretend(&mut self, document: Document, settings: Settings) -> Outcome {
        let copies = self.ticket.copies.max(1);
        let two_sided = self.ticket.sides != Sides::OneSided;
        let mut pages = document::decode(document, Arc::clone(&self.ticket), settings);
        let mut count = 0;
        while let Some(decoded) = pages.recv().await {
            match decoded {
                Ok(Decoded::Total(_)) => {}
                Ok(Decoded::Page(_)) => count += copies,
                Err(fault) => return self.outcome_of(&fault, false),
            }
        }
        self.expect(count);
        self.shared.change(|model, _| {
            if let Some(job) = model.jobs.get_mut(&self.id) {
                job.impressions_completed = count;
                job.sheets_completed = if two_sided { count.div_ceil(2) } else { count };
            }
        });
        Outcome::Printed
    }

    /// Waits until a side may be printed, and prints it.
    async fn side(&mut self, page: &PageImage, copy: u32, in_copy: u32) -> io::Result<SideOutcome> {
        let two_sided = self.ticket.sides != Sides::OneSided && self.shared.options.duplex;
        let is_back = two_sided && in_copy.is_multiple_of(2);
        // What the client asked for wins over what the pixels measure.
        let size = self.ticket.media.as_ref().map_or(page.size, |media| media.size);
        let need = PageNeed { size, is_back, coverage: page.coverage };
        let impression = self.impression + 1;
        let tray = loop {
            let mut watch = self.shared.watch();
            match self.shared.change_if_seen(|model, _| model.begin_page(self.id, impression, need)) {
                Gate::Print { tray, millis } => {
                    let off = self.shared.wait_off(self.power_cycle);
                    tokio::select! {
                        () = off => return Ok(SideOutcome::Ended),
                        () = tokio::time::sleep(Duration::from_millis(millis)) => break tray,
                    }
                }
                Gate::Stopped => {
                    if watch.changed().await.is_err() {
                        return Ok(SideOutcome::Ended);
                    }
                }
                Gate::Canceled | Gate::Gone => return Ok(SideOutcome::Ended),
            }
        };
        let file = format!("job-{:04}-p{impression:03}.png", self.id);
        let path = self.shared.options.folder.join(&file);
        if tokio::fs::hard_link(page.file.path(), &path).await.is_err() {
            // Not every file system has links.
            tokio::fs::copy(page.file.path(), &path).await?;
        }
        self.impression = impression;
        self.sheet += u32::from(!is_back);
        let now = self.shared.now();
        let printed = PrintedPage {
            file,
            job_id: self.id,
            job_name: self.ticket.job_name.clone(),
            impression,
            copy,
            document_page: page.page,
            sheet: self.sheet,
            side: if is_back { Side::Back } else { Side::Front },
            tray: self.shared.read(|model| model.trays.get(tray).map(|t| t.name.clone())).unwrap_or_default(),
            media_label: page.size.label(),
            width: page.width,
            height: page.height,
            resolution: page.resolution.0,
            coverage: page.coverage,
            printed_at_unix_secs: self.shared.unix_secs(now),
        };
        self.printed.push(PdfPage { png: path, picture: page.page, resolution: page.resolution });
        debug!(job_id = self.id, impression, "Printed a side");
        let id = self.id;
        self.shared.printed(printed, page.thumbnail.clone(), |model| {
            model.page_printed(id, tray, need);
        });
        Ok(SideOutcome::Printed)
    }

    fn expect(&self, impressions: u32) {
        self.shared.change_if_seen(|model, _| {
            if let Some(job) = model.jobs.get_mut(&self.id) {
                job.impressions = Some(impressions);
            }
        });
    }

    fn outcome_of(&self, fault: &DecodeFault, cut: bool) -> Outcome {
        warn!(job_id = self.id, error = %fault, "Virtual printer could not print a document");
        match fault {
            _ if cut => Outcome::Interrupted,
            DecodeFault::Cut(_) | DecodeFault::Format(_) => Outcome::DocumentFormatError,
            DecodeFault::Failed(_) => Outcome::Failed,
        }
    }

    fn disk_failed(&self, error: &io::Error) -> Outcome {
        warn!(job_id = self.id, %error, folder = %self.shared.options.folder.display(), "Could not write a page");
        Outcome::Failed
    }

    /// Writes the PDF of what was printed.
    async fn write_pdf(&mut self) {
        let printed = std::mem::take(&mut self.printed);
        if self.shared.options.job_pdf && !printed.is_empty() {
            let to = self.shared.options.folder.join(format!("job-{:04}.pdf", self.id));
            let written = tokio::task::spawn_blocking(move || pdf::write(&to, &printed)).await;
            if let Ok(Err(error)) = written {
                warn!(job_id = self.id, %error, "Could not write a job's PDF");
            }
        }
    }
}
