//! A picture to a PDF of one page.

use std::io::Cursor;

use bytes::Bytes;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use krilla::Document;
use krilla::geom::{Size, Transform};
use krilla::image::Image;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;

use super::text::Laid;
use super::{Stop, refuse};
use crate::{Format, Limits, PageFacts, PageSetup, RefusalKind};

/// A pixel is never made larger than this, in points: 72 pixels an inch.
const PIXEL_POINTS_MAX: f32 = 1.0;
/// A colour whose channels differ by no more is gray that a camera or scanner saw.
const GRAY_SPREAD: u8 = 24;

/// What a look at a picture tells.
pub(crate) struct Seen {
    pub(crate) width: u32,
    pub(crate) height: u32,
    orientation: Orientation,
    pub(crate) colour: bool,
}

/// Checks the declared size, then decodes it once to see whether it is whole and has colour.
pub(crate) fn look(data: &[u8], format: Format, limits: &Limits) -> Result<Seen, Stop> {
    let broken = |_| Stop::from(crate::Refusal::new(RefusalKind::Broken, "It is a damaged picture."));
    let image_format = if format == Format::Png { ImageFormat::Png } else { ImageFormat::Jpeg };
    let mut reader = ImageReader::with_format(Cursor::new(data), image_format);
    reader.no_limits();
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return refuse(RefusalKind::Empty, "It is a picture without pixels.");
    }
    if u64::from(width) * u64::from(height) > limits.image_pixels || width.max(height) > limits.image_side {
        return refuse(
            RefusalKind::ImageTooLarge,
            format!(
                "It is a picture of {width} x {height} pixels; at most {} million pixels and {} a side can be printed.",
                limits.image_pixels / 1_000_000,
                limits.image_side
            ),
        );
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    Ok(Seen { width, height, orientation, colour: has_colour(&picture) })
}

fn has_colour(picture: &DynamicImage) -> bool {
    let spread = |pixel: &[u8]| {
        pixel[..3].iter().max().zip(pixel[..3].iter().min()).is_some_and(|(max, min)| max - min > GRAY_SPREAD)
    };
    match picture {
        DynamicImage::ImageLuma8(_)
        | DynamicImage::ImageLumaA8(_)
        | DynamicImage::ImageLuma16(_)
        | DynamicImage::ImageLumaA16(_) => false,
        DynamicImage::ImageRgb8(rgb) => rgb.as_raw().chunks_exact(3).any(spread),
        DynamicImage::ImageRgba8(rgba) => rgba.as_raw().chunks_exact(4).any(|pixel| pixel[3] > 0 && spread(pixel)),
        other => other.to_rgb8().as_raw().chunks_exact(3).any(spread),
    }
}

/// One page with the picture as large as the paper's printable area and its pixels allow. A JPEG is embedded as it is.
pub(crate) fn lay_out(
    data: Vec<u8>,
    format: Format,
    setup: &PageSetup,
    title: Option<&str>,
    limits: &Limits,
) -> Result<Laid, Stop> {
    let seen = look(&data, format, limits)?;
    let (width, height) = (seen.width as f32, seen.height as f32);
    let turned = matches!(
        seen.orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    let shown = if turned { (height, width) } else { (width, height) };

    let setup = turn_for(setup, shown);
    let points = |hundredths: u32| hundredths as f32 / 2540.0 * 72.0;
    let page = (points(setup.width).max(1.0), points(setup.height).max(1.0));
    let margins = &setup.margins;
    let area = (
        (page.0 - points(margins.left) - points(margins.right)).max(1.0),
        (page.1 - points(margins.top) - points(margins.bottom)).max(1.0),
    );
    let scale = (area.0 / shown.0).min(area.1 / shown.1).min(PIXEL_POINTS_MAX);
    let (w, h) = (width * scale, height * scale);
    let x = points(margins.left) + (area.0 - shown.0 * scale) / 2.0;
    let y = points(margins.top) + (area.1 - shown.1 * scale) / 2.0;

    let data: std::sync::Arc<Vec<u8>> = data.into();
    let image = match format {
        Format::Png => Image::from_png(data.into(), true),
        _ => Image::from_jpeg(data.into(), true),
    };
    let Ok(image) = image else {
        return refuse(RefusalKind::Broken, "It is a damaged picture.");
    };
    let (Some(size), Some(page_settings)) = (Size::from_wh(w, h), PageSettings::from_wh(page.0, page.1)) else {
        return refuse(RefusalKind::Broken, "It is a picture of impossible size.");
    };
    let mut document = Document::new();
    let metadata = Metadata::new().creator("Tympan".into());
    document.set_metadata(match title {
        Some(title) => metadata.title(title.to_owned()),
        None => metadata,
    });
    let mut on_page = document.start_page_with(page_settings);
    let mut surface = on_page.surface();
    surface.push_transform(&Transform::from_translate(x, y));
    surface.push_transform(&upright(seen.orientation, w, h));
    surface.draw_image(image, size);
    surface.pop();
    surface.pop();
    surface.finish();
    on_page.finish();
    match document.finish() {
        Ok(pdf) => Ok(Laid {
            pdf,
            pages: vec![PageFacts { width: setup.width, height: setup.height, colour: Some(seen.colour) }],
        }),
        Err(_) => refuse(RefusalKind::Broken, "It is a damaged picture."),
    }
}

/// The paper turned when the picture lies the other way. The edges turn with it, as a printer turns the page back.
fn turn_for(setup: &PageSetup, shown: (f32, f32)) -> PageSetup {
    let picture_is_wide = shown.0 > shown.1 * 1.01;
    let picture_is_high = shown.1 > shown.0 * 1.01;
    if (picture_is_wide && setup.height > setup.width) || (picture_is_high && setup.width > setup.height) {
        let m = setup.margins;
        let margins = crate::Margins { top: m.left, right: m.top, bottom: m.right, left: m.bottom };
        PageSetup { width: setup.height, height: setup.width, margins }
    } else {
        *setup
    }
}

/// Makes a picture of drawn size `w` x `h` stand as its camera was held (Exif, "Orientation").
fn upright(orientation: Orientation, w: f32, h: f32) -> Transform {
    match orientation {
        Orientation::NoTransforms => Transform::identity(),
        Orientation::FlipHorizontal => Transform::from_row(-1.0, 0.0, 0.0, 1.0, w, 0.0),
        Orientation::Rotate180 => Transform::from_row(-1.0, 0.0, 0.0, -1.0, w, h),
        Orientation::FlipVertical => Transform::from_row(1.0, 0.0, 0.0, -1.0, 0.0, h),
        Orientation::Rotate90FlipH => Transform::from_row(0.0, 1.0, 1.0, 0.0, 0.0, 0.0),
        Orientation::Rotate90 => Transform::from_row(0.0, 1.0, -1.0, 0.0, h, 0.0),
        Orientation::Rotate270FlipH => Transform::from_row(0.0, -1.0, -1.0, 0.0, h, w),
        Orientation::Rotate270 => Transform::from_row(0.0, -1.0, 1.0, 0.0, 0.0, w),
    }
}

/// A picture of RGB pixels as PNG.
pub(crate) fn png(rgb: Vec<u8>, width: u32, height: u32) -> Result<Bytes, Stop> {
    let failed = || Stop::from(crate::Refusal::new(RefusalKind::RendererFailed, "No preview of it could be made."));
    let picture = image::RgbImage::from_raw(width, height, rgb).ok_or_else(failed)?;
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|_| failed())?;
    Ok(png.into_inner().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Margins;

    #[test]
    fn wide_pictures_turn_upright_paper_and_its_edges() {
        let margins = Margins { top: 1, right: 2, bottom: 3, left: 4 };
        let setup = PageSetup { width: 21_000, height: 29_700, margins };
        assert_eq!(turn_for(&setup, (100.0, 200.0)), setup);
        let turned = turn_for(&setup, (200.0, 100.0));
        assert_eq!((turned.width, turned.height), (29_700, 21_000));
        assert_eq!(turned.margins, Margins { top: 4, right: 1, bottom: 2, left: 3 });
    }
}
