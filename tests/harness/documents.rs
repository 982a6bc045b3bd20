//! The documents that tests send are what they claim to be, in the eyes of programs that we did not write.

use image::ImageFormat;
use tympan_tests::peers::poppler;
use tympan_tests::samples::pwg::{PwgSample, PwgType};
use tympan_tests::samples::{self, PdfSample, number_on, pdf, picture, size_pt};
use tympan_tests::{Process, Scratch, peers};

#[test]
fn each_page_of_a_pdf_shows_its_number() {
    if !peers::need("pdftoppm") {
        return;
    }
    let pages = poppler::pages(&samples::pdf(12), 40);
    let numbers: Vec<_> = pages.iter().map(number_on).collect();
    assert_eq!(numbers, (1..=12).map(Some).collect::<Vec<_>>());
}

#[test]
fn a_number_is_read_wherever_it_was_moved_to() {
    for number in (0..=9).chain([10, 11, 17, 88, 107, 111, 250]) {
        let drawn =
            image::imageops::resize(&picture::draw(number, 400, 600), 300, 180, image::imageops::FilterType::Triangle);
        let mut page = image::RgbImage::from_pixel(600, 800, image::Rgb([255; 3]));
        assert_eq!(number_on(&page.clone().into()), None);
        image::imageops::replace(&mut page, &drawn, 250, 30);
        assert_eq!(number_on(&page.into()), Some(number));
    }
}

#[test]
fn a_pdf_has_the_paper_size_text_and_weight_it_was_given() {
    if !peers::need("pdftotext") {
        return;
    }
    let file = PdfSample::pages(1).size_pt(size_pt::A5).text("Invoice (7)").filler(1 << 20).build();
    assert!(file.len() > 1 << 20);
    let scratch = Scratch::new("pdf");
    let path = scratch.write("file.pdf", &file);
    let text = Process::run("pdftotext", peers::command("pdftotext").arg(&path).arg("-")).expect_success();
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
    assert!(finished.output.contains("Incorrect password"), "{}", finished.output);
    let broken = scratch.write("broken.pdf", pdf::broken());
    assert!(!Process::run("pdfinfo", peers::command("pdfinfo").arg(broken)).status.success());
}

#[test]
fn pictures_show_their_number() {
    for (file, format) in [
        (samples::jpeg(7, 400, 600), ImageFormat::Jpeg),
        (picture::jpeg_gray(7, 400, 600), ImageFormat::Jpeg),
        (samples::png(7, 400, 600), ImageFormat::Png),
    ] {
        let picture = image::load_from_memory_with_format(&file, format).unwrap();
        assert_eq!((picture.width(), picture.height()), (400, 600));
        assert_eq!(number_on(&picture), Some(7));
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
