//! Raster that a client drew (PWG Raster, Apple Raster) to a PDF with a picture on each page, of the page's own size.

use tympan_raster::{ColorSpace, Event, Limits as RasterLimits, PixelType, RasterError, page, pwg, urf};

use super::text::Laid;
use super::{Stop, refuse};
use crate::pictures::{Paper, PicturesInPdf};
use crate::{Colour, Format, Limits, PageFacts, RefusalKind};

/// What both formats say of a page.
struct Head {
    pixel: PixelType,
    size: (u32, u32),
    resolution: (u32, u32),
    mirrored: (bool, bool),
}

pub(crate) fn lay_out(data: &[u8], format: Format, limits: &Limits) -> Result<Laid, Stop> {
    match format {
        Format::AppleRaster => read::<urf::Urf>(data, limits, |header| Head {
            pixel: header.pixel_type,
            size: (header.width, header.height),
            resolution: (header.resolution, header.resolution),
            mirrored: (false, false),
        }),
        _ => read::<pwg::Pwg>(data, limits, |header| Head {
            pixel: header.pixel_type,
            size: (header.width, header.height),
            resolution: header.resolution,
            mirrored: (header.transform.cross_feed < 0, header.transform.feed < 0),
        }),
    }
}

fn read<F: page::PageFormat>(data: &[u8], limits: &Limits, head: fn(&F::Header) -> Head) -> Result<Laid, Stop> {
    let most = RasterLimits { pages_max: limits.pages, ..RasterLimits::default() };
    let mut reader = page::Reader::<F>::new(most);
    let mut pdf = Vec::new();
    let mut pictures = PicturesInPdf::new(&mut pdf);
    let mut pages = Vec::new();
    let mut rows = Vec::new();
    let mut ink = None;
    for piece in data.chunks(64 << 10) {
        reader.push(piece);
        loop {
            match reader.next().map_err(broken)? {
                None => break,
                Some(Event::Page(header)) => {
                    let head = head(&header);
                    let (facts, paper) = page_of(&head, limits)?;
                    let Some((colour, counts_ink)) = colour_of(head.pixel) else {
                        return refuse(RefusalKind::UnknownType, "It is raster in colours that we cannot print.");
                    };
                    pages.push(facts);
                    ink = counts_ink.then_some(());
                    pictures.begin_page(colour, head.size, paper, &mut pdf);
                }
                Some(Event::Lines { count, row, .. }) => {
                    rows.clear();
                    for _ in 0..count {
                        rows.extend_from_slice(row);
                    }
                    if ink.is_some() {
                        rows.iter_mut().for_each(|octet| *octet = !*octet);
                    }
                    pictures.lines(&rows, &mut pdf).map_err(|_| failed())?;
                }
                Some(Event::EndPage) => pictures.end_page(&mut pdf).map_err(|_| failed())?,
            }
        }
    }
    reader.finish().map_err(broken)?;
    if pages.is_empty() {
        return refuse(RefusalKind::Empty, "It is raster without a page.");
    }
    pictures.finish(1, &mut pdf);
    Ok(Laid { pdf, pages })
}

/// The size of a page, which its pixels and their resolution give.
fn page_of(head: &Head, limits: &Limits) -> Result<(PageFacts, Paper), Stop> {
    let hundredths = |pixels: u32, dpi: u32| {
        let dpi = f64::from(dpi.max(1));
        (f64::from(pixels) / dpi * 2540.0).round() as u32
    };
    let (width, height) = (hundredths(head.size.0, head.resolution.0), hundredths(head.size.1, head.resolution.1));
    let sides = limits.page_side_min..=limits.page_side_max;
    if !sides.contains(&width) || !sides.contains(&height) {
        return refuse(RefusalKind::PageTooLarge, "A page is smaller or larger than anything that can be printed on.");
    }
    let points = |hundredths: u32| hundredths as f32 / 2540.0 * 72.0;
    let paper = Paper { points: (points(width), points(height)), mirrored: head.mirrored };
    let colour = Some(matches!(head.pixel.color_space, ColorSpace::Rgb | ColorSpace::Srgb | ColorSpace::AdobeRgb));
    Ok((PageFacts { width, height, colour }, paper))
}

/// As which pixels they are kept, and whether they count ink where we count light.
fn colour_of(pixel: PixelType) -> Option<(Colour, bool)> {
    match (pixel.color_space, pixel.bits_per_color) {
        (ColorSpace::Srgb | ColorSpace::Rgb | ColorSpace::AdobeRgb, 8) => Some((Colour::Srgb8, false)),
        (ColorSpace::Sgray, 8) => Some((Colour::Sgray8, false)),
        (ColorSpace::Black, 8) => Some((Colour::Sgray8, true)),
        (ColorSpace::Black, 1) => Some((Colour::Black1, false)),
        // One bit of light.
        (ColorSpace::Sgray, 1) => Some((Colour::Black1, true)),
        _ => None,
    }
}

fn broken(error: RasterError) -> Stop {
    crate::Refusal::new(RefusalKind::Broken, format!("It is damaged raster: {error}.")).into()
}

fn failed() -> Stop {
    crate::Refusal::new(RefusalKind::RendererFailed, "Its pages could not be packed.").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raster(pixel: PixelType, row: &[u8], width: u32) -> Vec<u8> {
        let (mut encoder, mut out) = (pwg::Encoder::new(), Vec::new());
        encoder.start(&mut out);
        for _ in 0..2 {
            let header = pwg::PageHeader::new(pixel, width, 300, 300);
            encoder.page(&header, &mut out).unwrap();
            encoder.lines(&row.repeat(300), &mut out).unwrap();
            encoder.end_page(&mut out).unwrap();
        }
        out
    }

    #[test]
    fn each_page_of_raster_is_a_page_of_its_own_size() {
        for (pixel, row) in [
            (PixelType::SRGB_8, [255, 0, 0].repeat(300)),
            (PixelType::SGRAY_8, [128].repeat(300)),
            (PixelType::BLACK_1, [0xf0].repeat(38)),
        ] {
            let laid = lay_out(&raster(pixel, &row, 300), Format::PwgRaster, &Limits::default()).unwrap();
            let sizes: Vec<_> = laid.pages.iter().map(|page| (page.width, page.height)).collect();
            assert_eq!(sizes, [(2540, 2540); 2]);
            let pdf = crate::worker::pdf::open(laid.pdf, &Limits::default()).unwrap();
            assert_eq!(pdf.pages().len(), 2);
        }
    }

    #[test]
    fn damaged_raster_is_refused_and_not_half_printed() {
        let whole = raster(PixelType::SGRAY_8, &[7; 300], 300);
        for cut in [0, 4, 1000, whole.len() - 1] {
            assert!(lay_out(&whole[..cut], Format::PwgRaster, &Limits::default()).is_err(), "{cut}");
        }
        let tiny = raster(PixelType::SGRAY_8, &[7; 3], 3);
        assert!(lay_out(&tiny, Format::PwgRaster, &Limits::default()).is_err());
    }
}
