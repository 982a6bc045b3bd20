use image::ImageFormat;
use tympan_render::{Colour, RefusalKind};

use crate::samples::*;

#[tokio::test]
async fn jpeg_and_png_fill_the_paper_and_turn_with_it() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        let picture = picture(1600, 800, format);
        let seen = renderer().inspect(inspect(), file(&picture)).await.unwrap();
        assert_eq!((seen.facts.pages.len(), seen.facts.has_colour()), (1, Some(true)));
        let mut pdf = Vec::new();
        let prepared = renderer().to_pdf(to_pdf(), file(&picture), &mut pdf).await.unwrap();
        let page = prepared.document.facts.pages[0];
        assert_eq!((page.width, page.height), (29_700, 21_000), "a wide picture lies on wide paper");
        if format == ImageFormat::Jpeg {
            assert!(pdf.windows(picture.len()).any(|w| w == picture), "a JPEG is embedded as it is");
        }
        let outputs = all(&renderer(), raster(Colour::Srgb8, 60), &picture).await.unwrap();
        let papers = papers(&outputs);
        papers[0].save(&format!("picture-{format:?}.png"));
        // Turned anticlockwise, the red quarter comes to the bottom left.
        let [r, g, b] = papers[0].pixel(0.3, 0.8) else { panic!() };
        assert!(*r > 180 && *g < 30 && *b < 30, "{r} {g} {b}");
        assert!(papers[0].pixel(0.3, 0.2).iter().all(|c| *c > 245));
    }
}

#[tokio::test]
async fn a_small_picture_is_not_blown_up() {
    let outputs = all(&renderer(), raster(Colour::Srgb8, 72), &picture(100, 140, ImageFormat::Png)).await.unwrap();
    let papers = papers(&outputs);
    let red = papers[0].rows.chunks(3).filter(|p| p[0] > 150 && p[1] < 100).count();
    assert!((3300..3700).contains(&red), "a quarter of 100 x 140 pixels at 72 dpi, not {red}");
}

/// A JPEG with an Exif block that says how the camera was held.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let exif = [
        b"Exif\0\0MM\0*\0\0\0\x08".as_slice(),
        &[0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length[..], &exif, &jpeg[2..]].concat()
}

#[tokio::test]
async fn a_photograph_stands_as_its_camera_was_held() {
    // The red quarter of the stored picture, top left, is shown at these corners of an upright page.
    for (orientation, x, y) in [
        (1, 0.3, 0.3),
        (3, 0.7, 0.7),
        (6, 0.7, 0.3),
        (8, 0.3, 0.7),
        (2, 0.7, 0.3),
        (4, 0.3, 0.7),
        (5, 0.3, 0.3),
        (7, 0.7, 0.7),
    ] {
        let sides = if orientation >= 5 { (1400, 1000) } else { (1000, 1400) };
        let jpeg = with_orientation(&picture(sides.0, sides.1, ImageFormat::Jpeg), orientation);
        let papers = papers(&all(&renderer(), raster(Colour::Srgb8, 40), &jpeg).await.unwrap());
        let red = |x, y| papers[0].pixel(x, y)[1] < 60;
        assert!(red(x, y), "orientation {orientation}");
        assert!(!red(1.0 - x, 1.0 - y), "orientation {orientation}");
    }
}

#[tokio::test]
async fn a_damaged_picture_is_refused() {
    let whole = picture(400, 400, ImageFormat::Png);
    let error = renderer().inspect(inspect(), file(&whole[..whole.len() / 2])).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().kind, RefusalKind::Broken);
}
