//! JPEG and PNG files.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use super::segments;

/// What the numbers are drawn in: neither black nor one of the inks alone.
const INK: Rgb<u8> = Rgb([20, 60, 140]);

/// A picture that shows a number on white.
#[must_use]
pub fn draw(number: u32, width_px: u32, height_px: u32) -> RgbImage {
    let mut picture = RgbImage::from_pixel(width_px, height_px, Rgb([255; 3]));
    for bar in segments::number(number) {
        let x = scale(bar.x, width_px)..scale(bar.x + bar.width, width_px);
        for y in scale(bar.y, height_px)..scale(bar.y + bar.height, height_px) {
            for x in x.clone() {
                picture.put_pixel(x, y, INK);
            }
        }
    }
    picture
}

/// A JPEG in colour.
#[must_use]
pub fn jpeg(number: u32, width_px: u32, height_px: u32) -> Vec<u8> {
    encode(&DynamicImage::ImageRgb8(draw(number, width_px, height_px)), ImageFormat::Jpeg)
}

/// A JPEG in shades of grey: one component.
#[must_use]
pub fn jpeg_gray(number: u32, width_px: u32, height_px: u32) -> Vec<u8> {
    let picture = DynamicImage::ImageRgb8(draw(number, width_px, height_px)).to_luma8();
    encode(&DynamicImage::ImageLuma8(picture), ImageFormat::Jpeg)
}

/// A PNG in colour.
#[must_use]
pub fn png(number: u32, width_px: u32, height_px: u32) -> Vec<u8> {
    encode(&DynamicImage::ImageRgb8(draw(number, width_px, height_px)), ImageFormat::Png)
}

/// A small PNG that needs `side_px`² × 4 octets of memory for whoever believes it: one bit a pixel, all black.
///
/// # Panics
/// Never: it is written into memory.
#[must_use]
pub fn png_bomb(side_px: u32) -> Vec<u8> {
    let row = vec![0; side_px.div_ceil(8) as usize + 1];
    let mut data = ZlibEncoder::new(Vec::new(), Compression::best());
    for _ in 0..side_px {
        data.write_all(&row).expect("memory can be written");
    }
    let data = data.finish().expect("memory can be written");
    let mut header = Vec::new();
    header.extend_from_slice(&side_px.to_be_bytes());
    header.extend_from_slice(&side_px.to_be_bytes());
    // one bit, grey, deflate, filter set 0, not interlaced
    header.extend_from_slice(&[1, 0, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, content) in [(b"IHDR", &header[..]), (b"IDAT", &data[..]), (b"IEND", &[])] {
        let chunk = [&name[..], content].concat();
        file.extend_from_slice(&u32::try_from(content.len()).expect("less than 4 GiB").to_be_bytes());
        file.extend_from_slice(&chunk);
        file.extend_from_slice(&crc32fast::hash(&chunk).to_be_bytes());
    }
    file
}

fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).expect("a picture can be encoded into memory");
    file.into_inner()
}

pub(super) fn scale(part: f32, whole: u32) -> u32 {
    (part * whole as f32).round() as u32
}
