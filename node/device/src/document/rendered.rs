//! PDF, JPEG, PNG and text, made into pixels by the render worker.

use bytes::Bytes;
use tokio::sync::mpsc::{self, Sender};
use tokio::task::JoinHandle;
use tympan_raster::PixelType;
use tympan_render::{
    Colour, Format, Margins, Orientation, Output, PageHeader, PageSetup, Raster, RefusalKind, RenderError, Scaling,
};

use super::{DecodeFault, Decoded, Settings, reopen};
use crate::ipp::capabilities::MARGIN;
use crate::model::{Document, Ticket};
use crate::page_image::{PageImage, PageWriter};

type Out = Sender<Result<Decoded, DecodeFault>>;

pub(super) async fn pages(
    document: Document,
    format: Format,
    ticket: &Ticket,
    settings: &Settings,
    out: &Out,
) -> Result<(), DecodeFault> {
    let Some(renderer) = &settings.renderer else {
        return Err(DecodeFault::Format(format!("this printer takes no {}", format.name())));
    };
    let ranges = match ticket.page_ranges.as_slice() {
        [] => vec![(1, None)],
        ranges => ranges.iter().map(|(first, last)| (*first, Some(*last))).collect(),
    };
    let single = ranges.len() == 1;
    let mut printed = 0;
    for (first_page, last_page) in ranges {
        let request = raster_request(format, &document, ticket, settings, first_page, last_page);
        let mut run = renderer.run(request, reopen(&document)?).await.map_err(fault)?;
        let mut writing: Option<Writing> = None;
        loop {
            let output = match run.next().await {
                Ok(Some(output)) => output,
                Ok(None) => break,
                // A range behind the last page prints nothing.
                Err(RenderError::Refused(refusal)) if refusal.kind == RefusalKind::NoSuchPage => {
                    break;
                }
                Err(error) => return Err(fault(error)),
            };
            match output {
                Output::Pages { first, last, .. } => {
                    let total = (last + 1).saturating_sub(first);
                    if single && out.send(Ok(Decoded::Total(total))).await.is_err() {
                        return Ok(());
                    }
                }
                Output::PageStart(header) => writing = Some(Writing::begin(header, settings)),
                Output::Band { data, rows, .. } => {
                    if let Some(writing) = &writing {
                        writing.band(data, rows).await;
                    }
                }
                Output::PageEnd { .. } => {
                    if let Some(done) = writing.take() {
                        let page = done.finish().await?;
                        printed += 1;
                        if out.send(Ok(Decoded::Page(page))).await.is_err() {
                            return Ok(());
                        }
                    }
                }
                _ => {}
            }
        }
    }
    if printed == 0 {
        return Err(DecodeFault::Format("it has none of the pages asked for".to_owned()));
    }
    Ok(())
}

fn raster_request(
    format: Format,
    document: &Document,
    ticket: &Ticket,
    settings: &Settings,
    first_page: u32,
    last_page: Option<u32>,
) -> Raster {
    let media = ticket.media.as_ref().unwrap_or(&settings.media);
    let resolution = ticket.resolution.unwrap_or(settings.resolution);
    let charset = document.format.as_deref().and_then(|f| {
        let (_, parameter) = f.split_once("charset=")?;
        Some(parameter.split(';').next()?.trim_matches([' ', '"']).to_owned())
    });
    Raster {
        format: Some(format),
        charset,
        first_page,
        last_page,
        setup: PageSetup { width: media.size.x, height: media.size.y, margins: Margins::all(MARGIN as u32) },
        resolution: (resolution, resolution),
        size: None,
        colour: if settings.color && !ticket.monochrome { Colour::Srgb8 } else { Colour::Sgray8 },
        scaling: match ticket.scaling.as_deref() {
            Some("fill") => Scaling::Fill,
            Some("fit") => Scaling::Fit,
            Some("none") => Scaling::None,
            _ => Scaling::Auto,
        },
        orientation: match ticket.orientation {
            Some(3) => Some(Orientation::Portrait),
            Some(4) => Some(Orientation::Landscape),
            Some(5) => Some(Orientation::ReverseLandscape),
            Some(6) => Some(Orientation::ReversePortrait),
            _ => None,
        },
        several: None,
        back: None,
    }
}

fn fault(error: RenderError) -> DecodeFault {
    match error {
        RenderError::Refused(refusal) => DecodeFault::Format(refusal.text),
        other => DecodeFault::Failed(other.to_string()),
    }
}

/// A page that is being compressed on a thread of its own.
struct Writing {
    rows: Sender<(Bytes, u32)>,
    task: JoinHandle<Result<PageImage, DecodeFault>>,
}

impl Writing {
    fn begin(header: PageHeader, settings: &Settings) -> Self {
        let (rows, mut bands) = mpsc::channel::<(Bytes, u32)>(4);
        let part = settings.part(header.page);
        let task = tokio::task::spawn_blocking(move || {
            let pixel = match header.colour {
                Colour::Black1 => PixelType::BLACK_1,
                Colour::Sgray8 => PixelType::SGRAY_8,
                Colour::Srgb8 => PixelType::SRGB_8,
            };
            let size = (header.width, header.height);
            let mut writer = PageWriter::begin(&part, header.page, pixel, size, header.resolution)?
                .ok_or_else(|| DecodeFault::Failed("unknown pixels".to_owned()))?;
            while let Some((band, count)) = bands.blocking_recv() {
                for row in band.chunks_exact(header.bytes_per_line as usize).take(count as usize) {
                    writer.row(row, 1)?;
                }
            }
            Ok(writer.finish()?)
        });
        Self { rows, task }
    }

    async fn band(&self, data: Bytes, rows: u32) {
        // A writer that failed says so at the end.
        let _ = self.rows.send((data, rows)).await;
    }

    async fn finish(self) -> Result<PageImage, DecodeFault> {
        drop(self.rows);
        self.task.await.unwrap_or_else(|error| Err(DecodeFault::Failed(error.to_string())))
    }
}
