//! Pages to pixels, in bands of about a thousand rows.
//!
//! A band is rendered by interpreting the page with everything outside it left out. That costs a little more time than
//! one whole page, but the memory of one band instead of one page; where pictures dominate, the bands are higher,
//! because each band decodes them again.

use bytes::Bytes;
use hayro::hayro_interpret::{InterpreterSettings, TransformExt};
use hayro::hayro_syntax::object::{Dict, Name, Object};
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::Affine;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit};
use hayro::{RenderCache, RenderSettings, render_into};

use super::fonts::Faces;
use super::out::Out;
use super::place::{Cells, Sheet, flip, place, raster_size};
use super::to_pdf::{Source, as_pdf};
use super::tone::Tone;
use super::{Stop, pdf, printable_format, refuse};
use crate::frame::PAYLOAD_OCTETS;
use crate::{Limits, Output, PageHeader, Raster, RefusalKind, Scaling};

/// Rows of a band, unless pictures dominate.
const BAND_ROWS: u32 = 1024;
/// Octets of RGBA that a band may take where pictures dominate: A4 at 300 dpi in one.
const BAND_OCTETS_MAX: u32 = 40 << 20;
/// After so many pages the renderer's caches begin anew.
const CACHE_PAGES: u32 = 8;
/// The renderer counts pixels of a side in 16 bits.
const SIDE_MAX: u32 = 60_000;

pub(crate) fn raster(
    request: &Raster,
    limits: &Limits,
    data: Vec<u8>,
    mut faces: Faces,
    out: &mut Out,
) -> Result<(), Stop> {
    let (width, height) = request.size.unwrap_or_else(|| raster_size(&request.setup, request.resolution));
    check_size(width, height, request, limits)?;
    let format = printable_format(&data, request.format)?;
    let source = Source { format, charset: request.charset.as_deref(), setup: &request.setup };
    let (data, ours) = as_pdf(data, &source, limits, &mut faces, out)?;
    let scaling = if ours { Scaling::None } else { request.scaling };

    let pdf = pdf::open(data, limits)?;
    let sides = sides_of(request, pdf.pages().len() as u32)?;
    let (total, first, last) = (sides.total, sides.first, sides.first + sides.pages.len() as u32 - 1);
    for number in sides.pages.iter().flatten() {
        pdf::checked_size(&pdf.pages()[*number as usize - 1], *number, limits)?;
    }
    out.output(Output::Pages { total, first, last })?;

    let sheet = Sheet {
        width: f64::from(width),
        height: f64::from(height),
        resolution: (f64::from(request.resolution.0), f64::from(request.resolution.1)),
        margins: request.setup.margins,
    };
    let complaints = pdf::Complaints::default();
    let mut painter = Painter::new(pdf::settings(faces, &complaints));
    let mut tone = Tone::new(request.colour, width);
    let mut rows = Vec::new();
    for (number, on_side) in (first..=last).zip(&sides.pages) {
        let back = request.back.filter(|_| (number - first) % 2 == 1);
        let placed = on_side.iter().enumerate().map(|(place_on_side, page)| {
            let page = &pdf.pages()[*page as usize - 1];
            let placed = match &request.several {
                None => place(pdf::size_points(page), &sheet, scaling, request.orientation),
                Some(several) => {
                    let first_size = pdf::size_points(&pdf.pages()[on_side[0] as usize - 1]);
                    let cells = Cells::of(several.number_up, first_size, &sheet, request.orientation);
                    cells.place(pdf::size_points(page), place_on_side as u32)
                }
            };
            (page, back.map_or(placed, |back| flip(back, &sheet) * placed))
        });
        let placed: Vec<(&Page<'_>, Affine)> = placed.collect();
        let header = PageHeader {
            page: number,
            width,
            height,
            bytes_per_line: request.colour.bytes_per_line(width),
            colour: request.colour,
            resolution: request.resolution,
            back: (number - first) % 2 == 1 && request.back.is_some(),
        };
        complaints.begin_page(number);
        out.output(Output::PageStart(header))?;
        tone.begin_page();
        painter.side(&placed, width, height, |first_row, rgba| {
            rows.clear();
            tone.rows(rgba, &mut rows);
            send_rows(&rows, first_row, header.bytes_per_line, out)
        })?;
        out.output(Output::PageEnd { page: number })?;
        complaints.tell(out)?;
    }
    Ok(())
}

/// Which pages stand on each side.
struct OnSides {
    /// Sides, or pages, of the whole.
    total: u32,
    /// Number of the first side.
    first: u32,
    pages: Vec<Vec<u32>>,
}

fn sides_of(request: &Raster, total: u32) -> Result<OnSides, Stop> {
    let missing =
        |page: u32| refuse(RefusalKind::NoSuchPage, format!("It has {total} pages; page {page} was asked for."));
    if let Some(several) = &request.several {
        if let Some(page) = several.pages.iter().find(|page| **page == 0 || **page > total) {
            return missing(*page);
        }
        if several.pages.is_empty() {
            return missing(0);
        }
        let pages: Vec<Vec<u32>> =
            several.pages.chunks(several.number_up.clamp(1, 16) as usize).map(<[u32]>::to_vec).collect();
        return Ok(OnSides { total: pages.len() as u32, first: 1, pages });
    }
    let first = request.first_page;
    let last = request.last_page.unwrap_or(total).min(total);
    if first == 0 || first > last {
        return missing(first);
    }
    Ok(OnSides { total, first, pages: (first..=last).map(|page| vec![page]).collect() })
}

fn check_size(width: u32, height: u32, request: &Raster, limits: &Limits) -> Result<(), Stop> {
    let pixels = u64::from(width) * u64::from(height);
    let resolution_is_sound = [request.resolution.0, request.resolution.1].iter().all(|dpi| (10..=4800).contains(dpi));
    if width == 0
        || height == 0
        || !resolution_is_sound
        || width.max(height) > SIDE_MAX
        || pixels > limits.raster_pixels
    {
        return refuse(
            RefusalKind::PageTooLarge,
            format!(
                "The paper at {} x {} dpi is {width} x {height} pixels; at most {} million can be made.",
                request.resolution.0,
                request.resolution.1,
                limits.raster_pixels / 1_000_000
            ),
        );
    }
    Ok(())
}

fn send_rows(rows: &[u8], first_row: u32, bytes_per_line: u32, out: &mut Out) -> Result<(), Stop> {
    let bytes_per_line = bytes_per_line as usize;
    let rows_per_frame = (PAYLOAD_OCTETS / bytes_per_line).max(1);
    let mut next = first_row;
    for chunk in rows.chunks(rows_per_frame * bytes_per_line) {
        let count = (chunk.len() / bytes_per_line) as u32;
        out.output(Output::Band { first_row: next, rows: count, data: Bytes::copy_from_slice(chunk) })?;
        next += count;
    }
    Ok(())
}

/// Paints pages of one document into one reused buffer.
pub(crate) struct Painter<'a> {
    settings: InterpreterSettings,
    cache: RenderCache<'a>,
    pages_in_cache: u32,
    context: RenderContext,
    pixmap: Pixmap,
    resources: Resources,
}

impl<'a> Painter<'a> {
    pub(crate) fn new(settings: InterpreterSettings) -> Self {
        Self {
            settings,
            cache: RenderCache::new(),
            pages_in_cache: 0,
            context: RenderContext::new(0, 0),
            pixmap: Pixmap::new(0, 0),
            resources: Resources::default(),
        }
    }

    /// Calls `take` with the number of the first row and RGBA octets of each band.
    pub(crate) fn page(
        &mut self,
        page: &'a Page<'a>,
        placed: Affine,
        width: u32,
        height: u32,
        take: impl FnMut(u32, &[u8]) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.side(&[(page, placed)], width, height, take)
    }

    /// As [`Painter::page`], with several pages on one side.
    pub(crate) fn side(
        &mut self,
        pages: &[(&'a Page<'a>, Affine)],
        width: u32,
        height: u32,
        mut take: impl FnMut(u32, &[u8]) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.pages_in_cache += 1;
        if self.pages_in_cache > CACHE_PAGES {
            self.cache = RenderCache::new();
            self.resources = Resources::default();
            self.pages_in_cache = 1;
        }
        let band_rows = if pages.iter().any(|(page, _)| has_pictures(page)) {
            (BAND_OCTETS_MAX / (width * 4)).max(BAND_ROWS)
        } else {
            BAND_ROWS
        };
        let mut first_row = 0;
        while first_row < height {
            let rows = band_rows.min(height - first_row);
            self.context.reset_and_resize(width as u16, rows as u16);
            self.pixmap.resize(width as u16, rows as u16);
            let band = Affine::translate((0.0, -f64::from(first_row)));
            for (page, placed) in pages {
                let transform = band * *placed * page.initial_transform(true).to_kurbo();
                render_into(
                    page,
                    &self.cache,
                    &self.settings,
                    &RenderSettings::default(),
                    &mut self.context,
                    transform,
                );
            }
            self.context.flush();
            let raster = RasterizerSettings { target_init: TargetInit::Clear(WHITE), ..RasterizerSettings::default() };
            self.context.render_with(&mut self.pixmap, &mut self.resources, raster);
            take(first_row, self.pixmap.data_as_u8_slice())?;
            first_row += rows;
        }
        Ok(())
    }
}

/// Whether the page draws raster images itself.
fn has_pictures(page: &Page<'_>) -> bool {
    let objects: &Dict<'_> = &page.resources().x_objects;
    objects.keys().take(64).any(|name: Name<'_>| {
        objects.get::<Object<'_>>(name).and_then(Object::into_stream).is_some_and(|stream| {
            stream.dict().get::<Name<'_>>(b"Subtype").is_some_and(|subtype| &*subtype == b"Image")
        })
    })
}
