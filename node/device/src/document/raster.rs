//! PWG Raster and Apple Raster, read in this process as they are streamed.

use std::os::unix::fs::FileExt;

use tokio::sync::mpsc::Sender;
use tympan_raster::{Event, Limits, RasterError, page, pwg, urf};

use super::{DecodeFault, Decoded, Settings};
use crate::model::Document;
use crate::page_image::{PageImage, PageWriter};

/// Octets read from the file at a time.
const PIECE_OCTETS: usize = 64 << 10;

/// What both formats say of a page.
struct Head {
    pixel: tympan_raster::PixelType,
    width: u32,
    height: u32,
    resolution: (u32, u32),
    total: u32,
    flipped: (bool, bool),
}

type Out = Sender<Result<Decoded, DecodeFault>>;

pub(super) async fn pwg(document: Document, settings: Settings, out: Out) -> Result<(), DecodeFault> {
    run::<pwg::Pwg>(document, settings, out, |header| Head {
        pixel: header.pixel_type,
        width: header.width,
        height: header.height,
        resolution: header.resolution,
        total: header.total_page_count,
        flipped: (header.transform.cross_feed < 0, header.transform.feed < 0),
    })
    .await
}

pub(super) async fn urf(document: Document, settings: Settings, out: Out) -> Result<(), DecodeFault> {
    run::<urf::Urf>(document, settings, out, |header| Head {
        pixel: header.pixel_type,
        width: header.width,
        height: header.height,
        resolution: (header.resolution, header.resolution),
        total: 0,
        flipped: (false, false),
    })
    .await
}

async fn run<F>(
    document: Document,
    settings: Settings,
    out: Out,
    head: fn(&F::Header) -> Head,
) -> Result<(), DecodeFault>
where
    F: page::PageFormat + Send + 'static,
    F::Header: Send,
{
    let read = tokio::task::spawn_blocking(move || read::<F>(&document, &settings, &out, head)).await;
    read.unwrap_or_else(|error| Err(DecodeFault::Failed(error.to_string())))
}

fn read<F: page::PageFormat>(
    document: &Document,
    settings: &Settings,
    out: &Out,
    head: fn(&F::Header) -> Head,
) -> Result<(), DecodeFault> {
    let mut reader = page::Reader::<F>::new(Limits { pages_max: 10_000, ..Limits::default() });
    let mut piece = vec![0; PIECE_OCTETS];
    let mut writer: Option<PageWriter> = None;
    let mut at = 0;
    loop {
        let got = document.file.read_at(&mut piece, at)?;
        if got == 0 {
            break;
        }
        at += got as u64;
        reader.push(&piece[..got]);
        loop {
            let page = reader.pages();
            match reader.next().map_err(|error| DecodeFault::Format(error.to_string()))? {
                None => break,
                Some(Event::Page(header)) => {
                    let head = head(&header);
                    if page == 0 && head.total > 0 && out.blocking_send(Ok(Decoded::Total(head.total))).is_err() {
                        return Ok(());
                    }
                    let size = (head.width, head.height);
                    let begun =
                        PageWriter::begin(&settings.part(page + 1), page + 1, head.pixel, size, head.resolution)?;
                    let begun = begun.ok_or_else(|| DecodeFault::Format("its colours are unknown".to_owned()))?;
                    writer = Some(begun.flipped(head.flipped.0, head.flipped.1));
                }
                Some(Event::Lines { count, row, .. }) => {
                    if let Some(writer) = &mut writer {
                        writer.row(row, count)?;
                    }
                }
                Some(Event::EndPage) => {
                    if let Some(done) = writer.take() {
                        let page: PageImage = done.finish()?;
                        if out.blocking_send(Ok(Decoded::Page(page))).is_err() {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }
    match reader.finish() {
        Ok(()) => Ok(()),
        Err(error @ RasterError::Truncated { .. }) => Err(DecodeFault::Cut(error.to_string())),
        Err(error) => Err(DecodeFault::Format(error.to_string())),
    }
}
