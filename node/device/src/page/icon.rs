//! "printer-icons": a printer, drawn in a few rectangles.

/// A square PNG of 48, 128 or 512 pixels.
pub(super) fn png(side: u32) -> Option<Vec<u8>> {
    if ![48, 128, 512].contains(&side) {
        return None;
    }
    // Left, top, right, bottom in 48ths, and the colour.
    const PARTS: [([u32; 4], [u8; 4]); 5] = [
        ([12, 6, 36, 20], [0xFF, 0xFF, 0xFF, 0xFF]),
        ([4, 18, 44, 36], [0x33, 0x41, 0x55, 0xFF]),
        ([10, 28, 38, 44], [0xFF, 0xFF, 0xFF, 0xFF]),
        ([14, 33, 34, 35], [0x94, 0xA3, 0xB8, 0xFF]),
        ([36, 22, 40, 25], [0x22, 0xC5, 0x5E, 0xFF]),
    ];
    let mut pixels = vec![0u8; (side * side * 4) as usize];
    for (index, pixel) in pixels.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let (x, y) = (index as u32 % side * 48 / side, index as u32 / side * 48 / side);
        for ([left, top, right, bottom], color) in PARTS {
            if (left..right).contains(&x) && (top..bottom).contains(&y) {
                *pixel = color;
            }
        }
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&pixels).ok()?;
    writer.finish().ok()?;
    Some(out)
}
