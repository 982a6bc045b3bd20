use std::time::{Duration, Instant};

use image::ImageFormat;
use tympan_render::{Colour, Limits, RefusalKind, RenderError};

use crate::samples::*;

async fn refusal(content: &[u8]) -> RefusalKind {
    refusal_within(content, Limits::default()).await
}

async fn refusal_within(content: &[u8], limits: Limits) -> RefusalKind {
    let error = renderer().with_limits(limits).inspect(inspect(), file(content)).await.unwrap_err();
    let RenderError::Refused(refusal) = error else { panic!("not a refusal: {error:?}") };
    assert!(refusal.text.ends_with('.') && refusal.text.is_ascii(), "{}", refusal.text);
    refusal.kind
}

#[tokio::test]
async fn an_encrypted_pdf_is_refused_as_such() {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>".to_owned(),
    ];
    let key = "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF";
    let trailer =
        format!("/ID [<00112233> <00112233>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{key}> /U <{key}> >>");
    assert_eq!(refusal(&raw_pdf(&objects, &trailer)).await, RefusalKind::Encrypted);
}

#[tokio::test]
async fn broken_empty_and_unknown_files_are_refused_as_such() {
    assert_eq!(refusal(b"%PDF-1.7\nand then nothing of the kind\n%%EOF").await, RefusalKind::Broken);
    assert_eq!(refusal(b"").await, RefusalKind::Empty);
    let no_page = ["<< /Type /Catalog /Pages 2 0 R >>".to_owned(), "<< /Type /Pages /Kids [] /Count 0 >>".to_owned()];
    assert!(matches!(refusal(&raw_pdf(&no_page, "")).await, RefusalKind::Empty | RefusalKind::Broken));
    assert_eq!(refusal(b"\x7fELF\x02\x01\x01\0\0\0").await, RefusalKind::UnknownType);
    assert_eq!(refusal(b"PK\x03\x04................").await, RefusalKind::UnknownType);
    assert_eq!(refusal(b"%!PS-Adobe-3.0\nshowpage").await, RefusalKind::UnknownType);
}

#[tokio::test]
async fn pages_at_the_limit_pass_and_one_more_does_not() {
    let limits = Limits { pages: 10, ..Limits::default() };
    let ten =
        renderer().with_limits(limits.clone()).inspect(inspect(), file(&drawn_pdf(&[A4; 10], "", ""))).await.unwrap();
    assert_eq!(ten.facts.pages.len(), 10);
    assert_eq!(refusal_within(&drawn_pdf(&[A4; 11], "", ""), limits).await, RefusalKind::TooManyPages);
    assert_eq!(refusal(&drawn_pdf(&[A4; 10_000], "", "")).await, RefusalKind::TooManyPages);
}

#[tokio::test]
async fn huge_and_tiny_pages_are_refused() {
    // 1500 mm are 4251.97 points; 0.5 mm are 1.417.
    let limit = renderer().inspect(inspect(), file(&drawn_pdf(&[(4251.96, 1.42)], "", ""))).await.unwrap();
    assert_eq!((limit.facts.pages[0].width, limit.facts.pages[0].height), (150_000, 50));
    assert_eq!(refusal(&drawn_pdf(&[(4252.2, 100.0)], "", "")).await, RefusalKind::PageTooLarge);
    assert_eq!(refusal(&drawn_pdf(&[A4, (1e9, 1e9)], "", "")).await, RefusalKind::PageTooLarge);
    assert_eq!(refusal(&drawn_pdf(&[(100.0, 1.1)], "", "")).await, RefusalKind::PageTooLarge);
    let error = all(&renderer(), raster(Colour::Srgb8, 2400), &drawn_pdf(&[A4], "", "")).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().kind, RefusalKind::PageTooLarge, "A4 at 2400 dpi has too many pixels");
}

/// A PNG whose header declares another size than its data has.
fn png_declaring(width: u32, height: u32) -> Vec<u8> {
    let mut png = picture(8, 8, ImageFormat::Png);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = !png[12..29].iter().fold(!0u32, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    png
}

#[tokio::test]
async fn an_image_bomb_is_refused_by_its_header() {
    assert_eq!(refusal(&png_declaring(65_535, 65_535)).await, RefusalKind::ImageTooLarge);
    assert_eq!(refusal(&png_declaring(30_001, 10)).await, RefusalKind::ImageTooLarge);
    assert_eq!(refusal(&png_declaring(10_001, 10_000)).await, RefusalKind::ImageTooLarge);
    assert_eq!(refusal(&png_declaring(9, 9)).await, RefusalKind::Broken);
}

/// Forms that call the next one ten times each, eight deep: a hundred million drawings.
fn laughs() -> Vec<u8> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /N 5 0 R >> >> >>".to_owned(),
        stream("", "/N Do"),
    ];
    for level in 0..8 {
        let resources = format!(
            "/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject << /N {} 0 R >> >>",
            6 + level
        );
        objects.push(stream(&resources, &"/N Do ".repeat(10)));
    }
    objects.push(stream("/Type /XObject /Subtype /Form /BBox [0 0 595 842]", "0 0 m 100 100 l 200 50 l f"));
    raw_pdf(&objects, "")
}

#[tokio::test]
async fn endless_drawing_ends_at_the_limit_of_computing_time() {
    let limits = Limits { cpu_secs: 1, cpu_secs_per_page: 0, secs_max: 1, wall_secs: 50, ..Limits::default() };
    assert_eq!(refusal_within(&laughs(), limits).await, RefusalKind::TooMuchTime);
}

#[tokio::test]
async fn endless_drawing_ends_at_the_limit_of_waiting_time() {
    let limits = Limits { wall_secs: 1, wall_secs_per_page: 0, ..Limits::default() };
    let began = Instant::now();
    assert_eq!(refusal_within(&laughs(), limits).await, RefusalKind::TooMuchTime);
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_memory_bomb_kills_its_worker_only() {
    // 20,000 x 20,000 pixels of gray: 400 MB from two octets for each 128.
    let mut content = Vec::new();
    for _ in 0..20_000 * 20_000 / 128 {
        content.extend([129u8, 0]);
    }
    content.push(128);
    let mut pdf = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
        3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>\nendobj\n\
        4 0 obj\n<< /Length 28 >>\nstream\nq 595 0 0 842 0 0 cm /I Do Q\nendstream\nendobj\n5 0 obj\n"
        .to_vec();
    pdf.extend(
        format!(
            "<< /Type /XObject /Subtype /Image /Width 20000 /Height 20000 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /RunLengthDecode /Length {} >>\nstream\n",
            content.len()
        )
        .into_bytes(),
    );
    pdf.extend(content);
    pdf.extend(b"\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n");
    let limits = Limits { memory_octets: 200 << 20, ..Limits::default() };
    assert_eq!(refusal_within(&pdf, limits).await, RefusalKind::TooMuchMemory);
}

#[tokio::test]
async fn input_larger_than_the_limit_is_refused() {
    let limits = Limits { input_octets: 1000, ..Limits::default() };
    let fits = renderer().with_limits(limits.clone()).inspect(inspect(), file(&[b'a'; 1000])).await;
    assert!(fits.is_ok());
    assert_eq!(refusal_within(&[b'a'; 1001], limits).await, RefusalKind::TooLarge);
}
