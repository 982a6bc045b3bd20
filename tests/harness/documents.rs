//! The documents that tests send are what they claim to be, in the eyes of programs that we did not write.

use image::ImageFormat;
use tympan_tests::samples::pwg::{PwgSample, PwgType};
use tympan_tests::samples::{self, PdfSample, pdf, picture, segments, size_pt};
use tympan_tests::{Process, Scratch, peers};

/// The number that a page shows, told by where it is dark; the page must be nothing but the number.
fn read_number(page: &image::GrayImage) -> Option<u32> {
    let (width, height) = page.dimensions();
    let dark = |x: f32, y: f32| {
        page.get_pixel((x * width as f32) as u32, (y * height as f32) as u32)
            .0[0]
            < 160
    };
    (0..100).find(|number| {
        let bars = segments::number(*number);
        let inside = bars
            .iter()
            .all(|bar| dark(bar.x + bar.width / 2.0, bar.y + bar.height / 2.0));
        let others = segments::number(if *number < 10 { 8 } else { 88 });
        let outside = others
            .iter()
            .filter(|bar| !bars.contains(bar))
            .all(|bar| !dark(bar.x + bar.width / 2.0, bar.y + bar.height / 2.0));
        inside && outside
    })
}

fn pages_as_pictures(pdf: &[u8]) -> Vec<image::GrayImage> {
    let scratch = Scratch::new("pages");
    let file = scratch.write("file.pdf", pdf);
    let mut pdftoppm = peers::command("pdftoppm");
    pdftoppm
        .args(["-r", "40", "-png"])
        .arg(file)
        .arg(scratch.join("page"));
    Process::run("pdftoppm", &mut pdftoppm).expect_success();
    let mut pictures: Vec<_> = std::fs::read_dir(scratch.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        .collect();
    pictures.sort();
    pictures
        .iter()
        .map(|path| image::open(path).unwrap().to_luma8())
        .collect()
}

#[test]
fn each_page_of_a_pdf_shows_its_number() {
    if !peers::need("pdftoppm") {
        return;
    }
    let pages = pages_as_pictures(&samples::pdf(12));
    let numbers: Vec<_> = pages.iter().map(read_number).collect();
    assert_eq!(numbers, (1..=12).map(Some).collect::<Vec<_>>());
}

#[test]
fn a_pdf_has_the_paper_size_text_and_weight_it_was_given() {
    if !peers::need("pdftotext") {
        return;
    }
    let file = PdfSample::pages(1)
        .size_pt(size_pt::A5)
        .text("Invoice (7)")
        .filler(1 << 20)
        .build();
    assert!(file.len() > 1 << 20);
    let scratch = Scratch::new("pdf");
    let path = scratch.write("file.pdf", &file);
    let text =
        Process::run("pdftotext", peers::command("pdftotext").arg(&path).arg("-")).expect_success();
    assert!(text.contains("Invoice (7)"), "{text}");
    let info = Process::run("pdfinfo", peers::command("pdfinfo").arg(&path)).expect_success();
    assert!(info.contains("419.528 x 595.276 pts"), "{info}");
}

#[test]
fn an_encrypted_pdf_asks_for_a_password_and_a_broken_one_cannot_be_read() {
    if !peers::need("pdfinfo") {
        return;
    }
    let scratch = Scratch::new("pdf");
    let locked = scratch.write("locked.pdf", PdfSample::pages(1).encrypted().build());
    let finished = Process::run("pdfinfo", peers::command("pdfinfo").arg(locked));
    assert!(
        finished.output.contains("Incorrect password"),
        "{}",
        finished.output
    );
    let broken = scratch.write("broken.pdf", pdf::broken());
    assert!(
        !Process::run("pdfinfo", peers::command("pdfinfo").arg(broken))
            .status
            .success()
    );
}

#[test]
fn pictures_show_their_number() {
    for (file, format) in [
        (samples::jpeg(7, 400, 600), ImageFormat::Jpeg),
        (picture::jpeg_gray(7, 400, 600), ImageFormat::Jpeg),
        (samples::png(7, 400, 600), ImageFormat::Png),
    ] {
        let picture = image::load_from_memory_with_format(&file, format)
            .unwrap()
            .to_luma8();
        assert_eq!(picture.dimensions(), (400, 600));
        assert_eq!(read_number(&picture), Some(7));
    }
}

#[test]
fn a_bomb_is_small_and_claims_to_be_large() {
    let bomb = picture::png_bomb(20_000);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let reader = image::ImageReader::with_format(std::io::Cursor::new(&bomb), ImageFormat::Png);
    assert_eq!(reader.into_dimensions().unwrap(), (20_000, 20_000));
}

#[test]
fn a_raster_page_has_as_many_lines_and_pixels_as_its_header_says() {
    for pwg_type in PwgType::ALL {
        let sample = PwgSample::a4(pwg_type, 150).pages(2);
        let file = sample.build();
        let integer = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
        assert_eq!(&file[..4], b"RaS2");
        assert_eq!((integer(4 + 372), integer(4 + 376)), (1240, 1754));
        let mut at = 4;
        for _ in 0..2 {
            let octets_per_line = integer(at + 392) as usize;
            let value = (integer(at + 388) as usize).div_ceil(8);
            let height = integer(at + 376) as usize;
            at += 1796;
            let mut lines = 0;
            while lines < height {
                lines += usize::from(file[at]) + 1;
                at += 1;
                let mut octets = 0;
                while octets < octets_per_line {
                    octets += (usize::from(file[at]) + 1) * value;
                    at += 1 + value;
                }
                assert_eq!(octets, octets_per_line, "{pwg_type:?}");
            }
            assert_eq!(lines, height, "{pwg_type:?}");
        }
        assert_eq!(at, file.len(), "{pwg_type:?}");
    }
}
