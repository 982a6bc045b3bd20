use tympan_render::{Colour, Face, Fonts, HeadingLine, Margins, Notice, PageSetup, RefusalKind, ToPdf};

use crate::samples::*;

const LETTER: &str = "こんにちは。\n\n先日お送りした請求書（第２０２６－１１号）を、もう一度印刷してください。長い行は行末で折り返され、行頭に句読点は来ません。\n\n\
    Dear Anna,\n\nplease print the invoice no. 2026-11 again: total €1,234.50 (ΑΒΓ, Жизнь, naïve, Grüße).\n\n\thttps://print.example/very/long/path/without/any/space/that/must/be/broken/somewhere/because/it/does/not/fit/on/the/line\n\nמה שלומך؟ Привет!\n";

fn heading() -> Vec<HeadingLine> {
    [
        ("From", "Anna Schmidt <anna@example.net>"),
        ("To", "office@print.example"),
        ("Date", "2026-11-21 10:15"),
        ("Subject", "請求書をもう一度印刷してください"),
    ]
    .map(|(label, value)| HeadingLine { label: label.into(), value: value.into() })
    .to_vec()
}

#[tokio::test]
async fn japanese_and_european_text_has_ink() {
    let request = ToPdf { heading: heading(), title: Some("Letter".into()), ..to_pdf() };
    let (pdf, prepared) = text_pdf(&renderer(), LETTER.as_bytes(), request).await;
    assert_eq!(prepared.document.notices, []);
    assert_eq!(prepared.document.facts.pages.len(), 1);
    assert_eq!(prepared.octets, pdf.len() as u64);
    let mut request = raster(Colour::Sgray8, 150);
    request.scaling = tympan_render::Scaling::None;
    let outputs = all(&renderer(), request, &pdf).await.unwrap();
    let papers = papers(&outputs);
    papers[0].save("letter.png");
    assert!(papers[0].ink(0.0..1.0, 0.0..1.0) > 10_000);
    // Within 14 mm of the edges there is none.
    assert_eq!(papers[0].ink(0.0..0.066, 0.0..1.0), 0);
    assert_eq!(papers[0].ink(0.935..1.0, 0.0..1.0), 0);
}

#[tokio::test]
async fn what_no_face_can_show_is_reported_and_its_code_point_printed() {
    let empty = tempfile::tempdir().unwrap();
    let renderer = renderer().with_fonts(Fonts { embedded_japanese: false, folder: Some(empty.path().into()) });
    let (pdf, prepared) = text_pdf(&renderer, "漢字かな漢".as_bytes(), to_pdf()).await;
    assert_eq!(prepared.document.notices, [Notice::MissingCharacters { characters: "漢字かな".into(), different: 4 }]);
    let papers = papers(&all(&renderer, raster(Colour::Sgray8, 100), &pdf).await.unwrap());
    papers[0].save("missing.png");
    assert!(papers[0].ink(0.0..1.0, 0.0..1.0) > 300, "it is not blank");
}

#[tokio::test]
async fn a_font_folder_shows_what_the_program_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let face = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/fonts/VL-Gothic-Regular.ttf");
    std::fs::copy(face, folder.path().join("gothic.ttf")).unwrap();
    let renderer = renderer().with_fonts(Fonts { embedded_japanese: false, folder: Some(folder.path().into()) });
    let (_, prepared) = text_pdf(&renderer, "漢字かな漢".as_bytes(), to_pdf()).await;
    assert_eq!(prepared.document.notices, []);
}

#[tokio::test]
async fn long_text_runs_over_pages_and_columns_keep() {
    let lines: String = (1..=300).map(|n| format!("{n:5}  | {:>8} | 列 {}\n", n * n, "漢字".repeat(n % 5))).collect();
    let (pdf, prepared) = text_pdf(&renderer(), lines.as_bytes(), ToPdf { face: Face::Fixed, ..to_pdf() }).await;
    let pages = prepared.document.facts.pages.len();
    assert!((4..=6).contains(&pages), "{pages} pages");
    let seen = renderer().inspect(inspect(), file(lines.as_bytes())).await.unwrap();
    assert_eq!((seen.facts.pages.len(), seen.facts.has_colour()), (pages, Some(false)));
    let papers = papers(&all(&renderer(), raster(Colour::Black1, 150), &pdf).await.unwrap());
    papers[1].save("columns.png");
}

#[tokio::test]
async fn form_feeds_begin_pages_and_odd_input_does_no_harm() {
    let seen = renderer().inspect(inspect(), file(b"one\x0ctwo\x0cthree\r\n\r\n\r\n")).await.unwrap();
    assert_eq!(seen.facts.pages.len(), 3);
    let long_line = "x".repeat(100_000);
    let seen = renderer().inspect(inspect(), file(long_line.as_bytes())).await.unwrap();
    assert!(seen.facts.pages.len() > 10);
    let (octets, _, _) = encoding_rs::SHIFT_JIS.encode("これは古い文字コードのテキストです。");
    let (_, prepared) = text_pdf(&renderer(), &octets, to_pdf()).await;
    assert_eq!(prepared.document.notices, []);
    let damaged = ToPdf { charset: Some("utf-8".into()), ..to_pdf() };
    let (_, prepared) = text_pdf(&renderer(), b"caf\xE9", damaged).await;
    assert_eq!(prepared.document.notices, [Notice::TextDamaged { charset: "UTF-8".into() }]);
}

#[tokio::test]
async fn empty_and_endless_text_is_refused_and_small_paper_is_not() {
    let error = renderer().inspect(inspect(), file(b" \r\n\t\n")).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().kind, RefusalKind::Empty);
    let error = renderer().inspect(inspect(), file("line\n".repeat(60_000).as_bytes())).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().kind, RefusalKind::TooManyPages);
    let label = PageSetup { width: 6_200, height: 2_900, margins: Margins::all(300) };
    let (_, prepared) =
        text_pdf(&renderer(), b"A label with three or four short lines of text", ToPdf { setup: label, ..to_pdf() })
            .await;
    assert!(prepared.document.facts.pages.len() <= 2);
}
