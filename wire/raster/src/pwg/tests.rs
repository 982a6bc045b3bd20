use super::*;
use crate::limits::Limits;
use crate::sheet_back::{SheetBack, Sides, Transform};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|d| u8::from_str_radix(core::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
}

/// A whole file of one page from a header and already coded lines.
fn file(header: &PageHeader, coded: &[u8]) -> Vec<u8> {
    let mut out = SYNC_WORD.to_vec();
    header.encode(&mut out).unwrap();
    out.extend_from_slice(coded);
    out
}

/// Reads a file in pieces to pages of all their rows.
fn read(octets: &[u8], piece: usize) -> Result<Vec<(PageHeader, Vec<u8>)>, RasterError> {
    let mut reader = Reader::new(Limits::default());
    let mut pages: Vec<(PageHeader, Vec<u8>)> = Vec::new();
    let mut ended = 0;
    for part in octets.chunks(piece) {
        reader.push(part);
        while let Some(event) = reader.next()? {
            match event {
                Event::Page(header) => pages.push((header, Vec::new())),
                Event::Lines { first, count, row } => {
                    let (header, rows) = pages.last_mut().unwrap();
                    assert_eq!(rows.len() as u64, u64::from(first) * header.bytes_per_line());
                    for _ in 0..count {
                        rows.extend_from_slice(row);
                    }
                }
                Event::EndPage => ended += 1,
            }
        }
    }
    reader.finish()?;
    assert_eq!(ended, pages.len());
    Ok(pages)
}

fn encode(header: &PageHeader, rows: &[u8], rows_per_band: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new();
    encoder.start(&mut out);
    encoder.page(header, &mut out).unwrap();
    for band in rows.chunks(rows_per_band * header.bytes_per_line() as usize) {
        encoder.lines(band, &mut out).unwrap();
    }
    encoder.end_page(&mut out).unwrap();
    out
}

// PWG 5102.4 section 4.4.1, first example: 23 by 8 pixels of one bit.
const EXAMPLE_1: &str = "00 FE 8F78F7  00 FE 767767  03 02 77  00 FE 8E38E3  00 02 FF";
const EXAMPLE_1_ROWS: &str = "8F78F7 767767 777777 777777 777777 777777 8E38E3 FFFFFF";

#[test]
fn the_first_worked_example_reads_and_writes() {
    let sgray_1 = PixelType { color_space: ColorSpace::Sgray, bits_per_color: 1 };
    let header = PageHeader::new(sgray_1, 23, 8, 300);
    let octets = file(&header, &hex(EXAMPLE_1));
    for piece in [1, 7, 10_000] {
        let pages = read(&octets, piece).unwrap();
        assert_eq!(pages, [(header.clone(), hex(EXAMPLE_1_ROWS))]);
    }
    for rows_per_band in [1, 3, 8] {
        assert_eq!(encode(&header, &hex(EXAMPLE_1_ROWS), rows_per_band), octets, "bands of {rows_per_band} rows");
    }
}

// The second example: 4 by 3 pixels of sRGB.
#[test]
fn the_second_worked_example_reads_and_writes() {
    let header = PageHeader::new(PixelType::SRGB_8, 4, 3, 300);
    let coded = hex("01  01 FFFFFF  FF FF0000 0000FF  00  03 000000");
    let rows = hex("FFFFFF FFFFFF FF0000 0000FF  FFFFFF FFFFFF FF0000 0000FF  000000 000000 000000 000000");
    let octets = file(&header, &coded);
    assert_eq!(coded.len(), 17);
    assert_eq!(read(&octets, 5).unwrap(), [(header.clone(), rows.clone())]);
    assert_eq!(encode(&header, &rows, 2), octets);
}

#[test]
fn every_header_field_stands_at_its_offset() {
    let mut header = PageHeader::new(PixelType::CMYK_8, 0x1122, 0x3344, 600).with_sides(Sides::TwoSidedShortEdge);
    header.media_color = "blue".into();
    header.media_type = "stationery".into();
    header.print_content_optimize = "text".into();
    header.cut_media = When::AfterSet;
    header.resolution = (0x0258, 0x012C);
    header.insert_sheet = true;
    header.jog = When::AfterPage;
    header.leading_edge = 1;
    header.media_position = 21;
    header.media_weight_metric = 80;
    header.num_copies = 2;
    header.orientation = 3;
    header.page_size = (595, 842);
    header.total_page_count = 9;
    header.transform = Transform::of_back(SheetBack::Flipped, Sides::TwoSidedLongEdge);
    header.image_box = [1, 2, 3, 4];
    header.alternate_primary = 0x0012_3456;
    header.print_quality = 5;
    header.vendor_identifier = 0x03F0;
    header.vendor_data = vec![0xAB, 0xCD];
    header.rendering_intent = "perceptual".into();
    header.page_size_name = "iso_a4_210x297mm".into();
    let mut h = Vec::new();
    header.encode(&mut h).unwrap();
    assert_eq!(h.len(), 1796);
    for (offset, want) in [
        (0, "50 77 67 52 61 73 74 65 72 00"),
        (64, "62 6C 75 65 00"),
        (128, "73 74 61 74 69 6F 6E 65 72 79 00"),
        (192, "74 65 78 74 00"),
        (268, "00000003"),
        (272, "00000001"),
        (276, "00000258 0000012C"),
        (300, "00000001 00000004 00000001"),
        (324, "00000015 00000050"),
        (340, "00000002 00000003"),
        (352, "00000253 0000034A"),
        (368, "00000001 00001122 00003344 00000000"),
        (384, "00000008 00000020 00004488 00000000 00000006"),
        (420, "00000004"),
        (452, "00000009 00000001 FFFFFFFF 00000001 00000002 00000003 00000004 00123456 00000005"),
        (508, "000003F0 00000002 ABCD00"),
        (1668, "70 65 72 63 65 70 74 75 61 6C 00"),
        (1732, "69 73 6F 5F 61 34 5F"),
    ] {
        let want = hex(want);
        assert_eq!(&h[offset..offset + want.len()], &want[..], "offset {offset}");
    }
    assert_eq!(PageHeader::decode(&h, 1).unwrap(), header);
}

#[test]
fn other_sync_words_are_refused() {
    for word in ["RaSt", "RaS3", "2SaR", "UNIR", "%PDF"] {
        assert_eq!(read(word.as_bytes(), 4), Err(RasterError::WrongMagic { format: "PWG Raster" }), "{word}");
    }
}

#[test]
fn a_run_past_the_line_and_a_repeat_past_the_page_are_refused() {
    let header = PageHeader::new(PixelType::SGRAY_8, 4, 2, 300);
    for (coded, want) in [
        ("00 04 FF", RasterError::RunPastLine { page: 1, line: 0 }),
        ("00 03 FF 00 FC", RasterError::RunPastLine { page: 1, line: 1 }),
        ("02 03 FF", RasterError::RepeatPastPage { page: 1, line: 0 }),
        ("00 03 FF 01", RasterError::RepeatPastPage { page: 1, line: 1 }),
        ("00 80 FF", RasterError::UndefinedCode { page: 1, line: 0 }),
        ("00 03 FF", RasterError::Truncated { page: 1, line: 1 }),
        ("00 03 FF 00 02", RasterError::Truncated { page: 1, line: 1 }),
        ("01 03 FF 00", RasterError::Truncated { page: 2, line: 0 }),
    ] {
        assert_eq!(read(&file(&header, &hex(coded)), 3), Err(want), "{coded}");
    }
}

#[test]
fn impossible_headers_are_refused() {
    let good = file(&PageHeader::new(PixelType::SRGB_8, 4, 1, 300), &hex("00 03 000000"));
    assert!(read(&good, 64).is_ok());
    for (offset, value, what) in [
        (372, 0, "Width 0"),
        (376, 0, "Height 0"),
        (372, 5, "Width without BytesPerLine"),
        (384, 16, "bits"),
        (388, 32, "BitsPerPixel"),
        (392, 13, "BytesPerLine"),
        (396, 1, "ColorOrder"),
        (400, 2, "ColorSpace"),
        (420, 4, "NumColors"),
        (512, 1089, "VendorLength"),
        (268, 5, "CutMedia"),
        (456, 2, "CrossFeedTransform"),
        (276, 0, "HWResolution"),
    ] {
        let mut bad = good.clone();
        bad[4 + offset..4 + offset + 4].copy_from_slice(&u32::to_be_bytes(value));
        assert!(read(&bad, 64).is_err(), "{what}");
    }
}

#[test]
fn limits_are_checked_before_a_line_is_kept() {
    let page = |width, height| {
        let mut octets = file(&PageHeader::new(PixelType::SRGB_8, width, height, 300), &[]);
        octets.push(0);
        octets
    };
    let outcome = |limits: Limits, octets: &[u8]| {
        let mut reader = Reader::new(limits);
        reader.push(octets);
        loop {
            match reader.next() {
                Ok(None) => return None,
                Ok(Some(_)) => {}
                Err(RasterError::Limit { what, .. }) => return Some(String::from(what)),
                Err(other) => panic!("{other}"),
            }
        }
    };
    let limits = Limits::default();
    assert_eq!(outcome(limits, &page(65_537, 1)).as_deref(), Some("width"));
    assert_eq!(outcome(limits, &page(1, 262_145)).as_deref(), Some("height"));
    assert_eq!(
        outcome(Limits { bytes_per_line_max: 299, ..limits }, &page(100, 1)).as_deref(),
        Some("octets per line")
    );
    assert_eq!(
        outcome(Limits { octets_max: 2_999, ..limits }, &page(100, 10)).as_deref(),
        Some("size of all pages in octets")
    );
    assert_eq!(outcome(Limits { pages_max: 0, ..limits }, &page(1, 1)).as_deref(), Some("number of pages"));
    assert_eq!(outcome(limits, &page(100, 10)), None);
}

#[test]
fn an_encoder_refuses_rows_that_do_not_fit() {
    let header = PageHeader::new(PixelType::SGRAY_8, 4, 2, 300);
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    assert!(encoder.lines(&[1], &mut out).is_err(), "no page yet");
    encoder.page(&header, &mut out).unwrap();
    assert!(encoder.lines(&[0; 3], &mut out).is_err(), "not a whole row");
    assert!(encoder.lines(&[0; 12], &mut out).is_err(), "more rows than the page has");
    encoder.lines(&[0; 4], &mut out).unwrap();
    assert_eq!(encoder.end_page(&mut out), Err(RasterError::RowsMissing { missing: 1 }));
    encoder.lines(&[0; 4], &mut out).unwrap();
    encoder.end_page(&mut out).unwrap();
    assert_eq!(&out[HEADER_OCTETS..], [1, 3, 0]);
}

#[test]
fn a_tall_empty_page_costs_a_line_group_for_each_256_rows() {
    let header = PageHeader::new(PixelType::BLACK_1, 2480, 600, 300);
    let octets = encode(&header, &vec![0; 310 * 600], 64);
    assert_eq!(octets.len(), 4 + HEADER_OCTETS + 3 * 7);
    assert_eq!(read(&octets, 1000).unwrap()[0].1, vec![0; 310 * 600]);
}

fn pixel_types() -> impl Strategy<Value = PixelType> {
    let known = (0u32..64).flat_map(|space| [1, 8, 16].map(|bits| (space, bits)));
    let types: Vec<PixelType> = known
        .filter_map(|(space, bits)| {
            let colors = ColorSpace::from_number(space)?.num_colors();
            PixelType::from_fields(space, bits, colors)
        })
        .collect();
    prop::sample::select(types)
}

proptest! {
    #[test]
    fn any_pages_read_back(
        pixel_type in pixel_types(),
        width in 1u32..70,
        height in 1u32..40,
        seed in prop::collection::vec(0u8..3, 1..200),
        rows_per_band in 1usize..9,
        piece in 1usize..3000,
    ) {
        let header = PageHeader::new(pixel_type, width, height, 300);
        let size = header.bytes_per_line() as usize * height as usize;
        let rows: Vec<u8> = seed.iter().copied().cycle().take(size).collect();
        let octets = encode(&header, &rows, rows_per_band);
        prop_assert_eq!(read(&octets, piece).unwrap(), vec![(header, rows)]);
    }

    #[test]
    fn any_octets_end_without_a_panic(
        lines in prop::collection::vec(any::<u8>(), 0..300),
        patch in prop::collection::vec((0usize..HEADER_OCTETS, any::<u8>()), 0..4),
        piece in 1usize..400,
    ) {
        let mut octets = file(&PageHeader::new(PixelType::SRGB_8, 5, 9, 300), &lines);
        for (offset, value) in patch {
            octets[4 + offset] = value;
        }
        let _ = read(&octets, piece);
        let _ = read(&lines, piece);
    }
}
