use tympan_render::{BackSide, Colour, Orientation, Output, PageSetup, Preview, RefusalKind, Scaling};

use crate::samples::*;

/// A filled square at the bottom left of the page, in PDF coordinates.
const SQUARE: &str = "0 0 0 rg 50 50 100 100 re f";
const RED_SQUARE: &str = "1 0 0 rg 50 50 100 100 re f";

#[tokio::test]
async fn a_page_comes_out_where_it_belongs() {
    let pdf = drawn_pdf(&[A4], SQUARE, "");
    let mut request = raster(Colour::Sgray8, 100);
    request.scaling = Scaling::None;
    let outputs = all(&renderer(), request, &pdf).await.unwrap();
    assert_eq!(outputs[0], Output::Pages { total: 1, first: 1, last: 1 });
    let papers = papers(&outputs);
    assert_eq!((papers[0].header.width, papers[0].header.height), (827, 1169));
    let side = 100.0 / 72.0 * 100.0;
    let ink = papers[0].ink(0.0..1.0, 0.0..1.0) as f64;
    assert!((ink - side * side).abs() < side * 4.0, "{ink} dark pixels");
    assert_eq!(papers[0].ink(0.0..1.0, 0.0..0.8), 0);
    assert_eq!(papers[0].ink(0.3..1.0, 0.0..1.0), 0);
}

#[tokio::test]
async fn only_the_pages_asked_for_come_in_order_and_backs_are_turned() {
    let pdf = drawn_pdf(&[A4; 5], SQUARE, "");
    let mut request = raster(Colour::Sgray8, 50);
    (request.first_page, request.last_page) = (2, Some(9));
    request.back = Some(BackSide { cross_feed_flipped: true, feed_flipped: true });
    let outputs = all(&renderer(), request, &pdf).await.unwrap();
    assert_eq!(outputs[0], Output::Pages { total: 5, first: 2, last: 5 });
    let papers = papers(&outputs);
    let pages: Vec<_> = papers.iter().map(|paper| (paper.header.page, paper.header.back)).collect();
    assert_eq!(pages, [(2, false), (3, true), (4, false), (5, true)]);
    assert!(papers[0].ink(0.0..0.5, 0.5..1.0) > 0 && papers[0].ink(0.5..1.0, 0.0..0.5) == 0);
    assert!(papers[1].ink(0.0..0.5, 0.5..1.0) == 0 && papers[1].ink(0.5..1.0, 0.0..0.5) > 0);
}

#[tokio::test]
async fn a_page_that_is_not_there_is_refused() {
    let mut request = raster(Colour::Sgray8, 50);
    request.first_page = 2;
    let error = all(&renderer(), request, &drawn_pdf(&[A4], SQUARE, "")).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().kind, RefusalKind::NoSuchPage);
}

#[tokio::test]
async fn a_landscape_page_is_turned_on_portrait_paper() {
    let pdf = drawn_pdf(&[(A4.1, A4.0)], SQUARE, "");
    let turned = papers(&all(&renderer(), raster(Colour::Sgray8, 50), &pdf).await.unwrap());
    // Anticlockwise: the page's bottom left corner comes to the bottom right.
    assert!(turned[0].ink(0.5..1.0, 0.5..1.0) > 0);
    assert_eq!(turned[0].ink(0.0..0.5, 0.0..1.0), 0);
    let mut request = raster(Colour::Sgray8, 50);
    request.orientation = Some(Orientation::Portrait);
    let upright = papers(&all(&renderer(), request, &pdf).await.unwrap());
    assert!(upright[0].ink(0.0..0.5, 0.5..1.0) > 0);
}

#[tokio::test]
async fn bands_make_one_page_without_seams() {
    // A diagonal over the whole page crosses every seam; 600 dpi has seven bands.
    let pdf = drawn_pdf(&[A4], "0 0 0 RG 20 w 0 0 m 595.276 841.89 l S", "");
    let mut request = raster(Colour::Sgray8, 600);
    request.scaling = Scaling::None;
    let papers = papers(&all(&renderer(), request, &pdf).await.unwrap());
    let paper = &papers[0];
    assert_eq!((paper.header.width, paper.header.height), (4961, 7016));
    let stride = paper.header.bytes_per_line as usize;
    let dark: Vec<usize> = paper.rows.chunks(stride).map(|row| row.iter().filter(|p| **p < 128).count()).collect();
    let usual = dark[3500];
    for (row, count) in dark.iter().enumerate().skip(400).take(6000) {
        assert!(count.abs_diff(usual) <= 2, "row {row} has {count} dark pixels, usually {usual}");
    }
}

#[tokio::test]
async fn colours_are_told_and_turned_into_gray_or_dots() {
    let pdf = drawn_pdf(&[A4, A4], RED_SQUARE, "");
    let seen = renderer().inspect(inspect(), file(&pdf)).await.unwrap();
    assert_eq!(seen.facts.pages.len(), 2);
    assert_eq!((seen.facts.pages[0].width, seen.facts.pages[0].height), (21_000, 29_700));
    assert_eq!(seen.facts.has_colour(), Some(true));
    let black = renderer().inspect(inspect(), file(&drawn_pdf(&[A4], SQUARE, ""))).await.unwrap();
    assert_eq!(black.facts.has_colour(), Some(false));

    let mut request = raster(Colour::Srgb8, 50);
    request.scaling = Scaling::None;
    let colour = papers(&all(&renderer(), request.clone(), &pdf).await.unwrap());
    assert_eq!(colour[0].pixel(0.15, 0.88), [255, 0, 0]);
    request.colour = Colour::Black1;
    let dots = papers(&all(&renderer(), request, &pdf).await.unwrap());
    let dark: u32 = dots[0].rows.iter().map(|octet| octet.count_ones()).sum();
    let square = (100.0f64 / 72.0 * 50.0).powi(2);
    assert!((f64::from(dark) / square - 0.7).abs() < 0.05, "{dark} dots of {square}");
}

#[tokio::test]
async fn an_unembedded_japanese_font_does_not_print_blank() {
    let font = "/Font << /F1 << /Type /Font /Subtype /Type0 /BaseFont /Ryumin-Light /Encoding /UniJIS-UTF16-H /DescendantFonts [ \
                << /Type /Font /Subtype /CIDFontType0 /BaseFont /Ryumin-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) \
                /Supplement 2 >> /FontDescriptor << /Type /FontDescriptor /FontName /Ryumin-Light /Flags 6 /FontBBox [0 0 1000 1000] \
                /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >> >> ] >> >>";
    // 日本語
    let pdf = drawn_pdf(&[A4], "BT /F1 72 Tf 100 400 Td <65E5672C8A9E> Tj ET", font);
    let outputs = all(&renderer(), raster(Colour::Sgray8, 72), &pdf).await.unwrap();
    let papers = papers(&outputs);
    papers[0].save("unembedded-japanese.png");
    assert!(papers[0].ink(0.0..1.0, 0.0..1.0) > 500, "{} dark pixels", papers[0].ink(0.0..1.0, 0.0..1.0));
    assert!(outputs.iter().any(
        |o| matches!(o, Output::Notice(tympan_render::Notice::FontReplaced { name, page: 1 }) if name == "Ryumin-Light")
    ));
}

#[tokio::test]
async fn a_preview_is_a_png_of_the_side_asked_for() {
    let request = Preview { format: None, charset: None, setup: PageSetup::A4, page: 2, side: 300 };
    let png = renderer().preview(request, file(&drawn_pdf(&[A4, (400.0, 200.0)], RED_SQUARE, ""))).await.unwrap();
    let picture = image::load_from_memory(&png).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (300, 150));
    assert_eq!(picture.get_pixel(75, 75).0, [255, 0, 0]);
    assert_eq!(picture.get_pixel(200, 20).0, [255, 255, 255]);
}
