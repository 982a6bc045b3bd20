//! Pixels as the renderer makes them (premultiplied RGBA on white) to pixels as a printer takes them.

use crate::Colour;

/// Turns rows into octets; keeps what error diffusion carries from row to row of one page.
pub(crate) struct Tone {
    colour: Colour,
    width: usize,
    /// Error for the row that comes, in sixteenths, with one pixel on each side.
    carried: Vec<i32>,
    next: Vec<i32>,
}

impl Tone {
    pub(crate) fn new(colour: Colour, width: u32) -> Self {
        let width = width as usize;
        let errors = if colour == Colour::Black1 { width + 2 } else { 0 };
        Self { colour, width, carried: vec![0; errors], next: vec![0; errors] }
    }

    /// Forgets what was carried over: a new page.
    pub(crate) fn begin_page(&mut self) {
        self.carried.fill(0);
    }

    /// Appends whole rows of RGBA to `out`.
    pub(crate) fn rows(&mut self, rgba: &[u8], out: &mut Vec<u8>) {
        for row in rgba.chunks_exact(self.width * 4) {
            let start = out.len();
            match self.colour {
                Colour::Srgb8 => {
                    out.resize(start + self.width * 3, 0);
                    for (to, pixel) in out[start..].chunks_exact_mut(3).zip(row.chunks_exact(4)) {
                        to.copy_from_slice(&pixel[..3]);
                    }
                }
                Colour::Sgray8 => {
                    out.resize(start + self.width, 0);
                    for (to, pixel) in out[start..].iter_mut().zip(row.chunks_exact(4)) {
                        *to = luma(pixel);
                    }
                }
                Colour::Black1 => self.diffuse(row, out),
            }
        }
    }

    /// Floyd and Steinberg's error diffusion.
    fn diffuse(&mut self, row: &[u8], out: &mut Vec<u8>) {
        self.next.fill(0);
        let mut right = 0;
        let start = out.len();
        out.resize(start + self.width.div_ceil(8), 0);
        for (x, pixel) in row.chunks_exact(4).enumerate() {
            let wanted = i32::from(luma(pixel)) * 16 + self.carried[x + 1] + right;
            // White and black are exact, so that text and empty paper get no stray dots.
            let black = wanted < 128 * 16;
            let error = if black { wanted } else { wanted - 255 * 16 };
            if black {
                out[start + x / 8] |= 0x80 >> (x % 8);
            }
            right = error * 7 / 16;
            self.next[x] += error * 3 / 16;
            self.next[x + 1] += error * 5 / 16;
            self.next[x + 2] += error / 16;
        }
        std::mem::swap(&mut self.carried, &mut self.next);
    }
}

/// Rec. 601 luma of an opaque pixel.
fn luma(pixel: &[u8]) -> u8 {
    let [r, g, b] = [u32::from(pixel[0]), u32::from(pixel[1]), u32::from(pixel[2])];
    ((r * 77 + g * 151 + b * 28 + 128) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rgba(gray: u8, pixels: usize) -> Vec<u8> {
        [gray, gray, gray, 255].repeat(pixels)
    }

    #[test]
    fn gray_and_colour_come_out_as_they_are() {
        let mut out = Vec::new();
        Tone::new(Colour::Sgray8, 3).rows(&[255, 255, 255, 255, 0, 0, 0, 255, 255, 0, 0, 255], &mut out);
        assert_eq!(out, [255, 0, 77]);
        out.clear();
        Tone::new(Colour::Srgb8, 1).rows(&[1, 2, 3, 255], &mut out);
        assert_eq!(out, [1, 2, 3]);
    }

    #[test]
    fn black_and_white_get_no_stray_dots() {
        let mut out = Vec::new();
        let mut tone = Tone::new(Colour::Black1, 20);
        tone.rows(&rgba(255, 20), &mut out);
        tone.rows(&rgba(0, 20), &mut out);
        tone.rows(&rgba(255, 20), &mut out);
        assert_eq!(out, [0, 0, 0, 0xFF, 0xFF, 0xF0, 0, 0, 0]);
    }

    #[test]
    fn halftones_keep_their_darkness_over_a_page() {
        for gray in [32u8, 100, 128, 200] {
            let mut out = Vec::new();
            let mut tone = Tone::new(Colour::Black1, 200);
            for _ in 0..200 {
                tone.rows(&rgba(gray, 200), &mut out);
            }
            let dots: u32 = out.iter().map(|octet| octet.count_ones()).sum();
            let wanted = 40_000.0 * (255.0 - f64::from(gray)) / 255.0;
            assert!((f64::from(dots) - wanted).abs() < 600.0, "{dots} dots for gray {gray}, wanted {wanted}");
        }
    }

    #[test]
    fn bands_make_the_same_as_one_piece() {
        let page: Vec<u8> = (0..64 * 40).flat_map(|i| [(i * 7 % 256) as u8, (i % 251) as u8, 90, 255]).collect();
        let (mut whole, mut bands) = (Vec::new(), Vec::new());
        Tone::new(Colour::Black1, 64).rows(&page, &mut whole);
        let mut tone = Tone::new(Colour::Black1, 64);
        for band in page.chunks(64 * 4 * 7) {
            tone.rows(band, &mut bands);
        }
        assert_eq!(whole, bands);
    }
}
