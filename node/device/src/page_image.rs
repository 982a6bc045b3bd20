//! Rows of pixels to a PNG file, with a small picture and what the page costs in toner.
//!
//! Holds a row, a few sums and the small picture; the page itself goes to the file as it comes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tympan_raster::{ColorSpace, PixelType};

use crate::model::{Coverage, MediaSize};

/// Widest small picture, in pixels.
const THUMBNAIL_WIDTH: usize = 220;

/// A file under a hidden name that goes when nobody needs it any more.
#[derive(Debug)]
pub(crate) struct PartFile(PathBuf);

impl PartFile {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        // What cannot be removed now is removed at the next start.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A page that was decoded and waits to be printed.
#[derive(Debug)]
pub(crate) struct PageImage {
    /// Page of the document, from 1.
    pub(crate) page: u32,
    /// PNG.
    pub(crate) file: PartFile,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) resolution: (u32, u32),
    pub(crate) size: MediaSize,
    pub(crate) coverage: Coverage,
    /// PNG.
    pub(crate) thumbnail: Bytes,
    /// How the sender turned it, to be undone: mirrored along the line, along the feed.
    pub(crate) flipped: (bool, bool),
}

/// How a row looks when it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    /// One bit; whether 1 is ink.
    Bit {
        ink: bool,
    },
    Gray {
        ink: bool,
    },
    Rgb,
    Cmyk,
}

/// Writes one page.
pub(crate) struct PageWriter {
    png: png::StreamWriter<'static, BufWriter<File>>,
    page: u32,
    file: PartFile,
    input: Input,
    wide: bool,
    width: u32,
    height: u32,
    resolution: (u32, u32),
    rows_left: u32,
    narrow: Vec<u8>,
    row: Vec<u8>,
    sums: Sums,
    flipped: (bool, bool),
}

impl PageWriter {
    /// Begins a page. `None`: these pixels cannot be shown.
    pub(crate) fn begin(
        file: &Path,
        page: u32,
        pixel: PixelType,
        (width, height): (u32, u32),
        resolution: (u32, u32),
    ) -> io::Result<Option<Self>> {
        let input = match (pixel.color_space, pixel.bits_per_color) {
            (ColorSpace::Black | ColorSpace::Sgray, 1) => Input::Bit { ink: pixel.color_space.counts_ink() },
            (ColorSpace::Black | ColorSpace::Sgray, _) => Input::Gray { ink: pixel.color_space.counts_ink() },
            (ColorSpace::Rgb | ColorSpace::Srgb | ColorSpace::AdobeRgb, _) => Input::Rgb,
            (ColorSpace::Cmyk, _) => Input::Cmyk,
            (ColorSpace::Device(_), _) => return Ok(None),
        };
        let out = BufWriter::with_capacity(256 << 10, File::create(file)?);
        let part = PartFile(file.to_owned());
        let mut encoder = png::Encoder::new(out, width, height);
        let (color, depth) = match input {
            Input::Bit { .. } => (png::ColorType::Grayscale, png::BitDepth::One),
            Input::Gray { .. } => (png::ColorType::Grayscale, png::BitDepth::Eight),
            Input::Rgb | Input::Cmyk => (png::ColorType::Rgb, png::BitDepth::Eight),
        };
        encoder.set_color(color);
        encoder.set_depth(depth);
        encoder.set_compression(png::Compression::Fast);
        let per_meter = |dpi: u32| (f64::from(dpi) / 0.0254).round() as u32;
        encoder.set_pixel_dims(Some(png::PixelDimensions {
            xppu: per_meter(resolution.0),
            yppu: per_meter(resolution.1),
            unit: png::Unit::Meter,
        }));
        let png = encoder.write_header().map_err(io::Error::from)?.into_stream_writer().map_err(io::Error::from)?;
        Ok(Some(Self {
            png,
            page,
            file: part,
            input,
            wide: pixel.bits_per_color == 16,
            width,
            height,
            resolution,
            rows_left: height,
            narrow: Vec::new(),
            row: Vec::new(),
            sums: Sums::new(width, height),
            flipped: (false, false),
        }))
    }

    /// Remembers how the sender turned the page.
    pub(crate) fn flipped(mut self, cross_feed: bool, feed: bool) -> Self {
        self.flipped = (cross_feed, feed);
        self
    }

    /// Takes a row that stands `count` times.
    pub(crate) fn row(&mut self, row: &[u8], count: u32) -> io::Result<()> {
        let count = count.min(self.rows_left);
        self.rows_left -= count;
        let narrow;
        let row = if self.wide {
            self.narrow.clear();
            self.narrow.extend(row.chunks_exact(2).map(|sample| sample[0]));
            narrow = std::mem::take(&mut self.narrow);
            &narrow[..]
        } else {
            narrow = Vec::new();
            row
        };
        self.row.clear();
        match self.input {
            Input::Bit { ink: true } => self.row.extend(row.iter().map(|octet| !octet)),
            Input::Gray { ink: true } => self.row.extend(row.iter().map(|octet| 255 - octet)),
            Input::Bit { ink: false } | Input::Gray { ink: false } | Input::Rgb => self.row.extend_from_slice(row),
            Input::Cmyk => self.row.extend(
                row.as_chunks::<4>()
                    .0
                    .iter()
                    .flat_map(|&[c, m, y, k]| [c, m, y].map(|ink| 255 - ink.saturating_add(k))),
            ),
        }
        match self.input {
            Input::Bit { .. } => self.sums.bits(&self.row, count),
            Input::Gray { .. } => self.sums.gray(&self.row, count),
            Input::Rgb | Input::Cmyk => self.sums.rgb(&self.row, count),
        }
        if self.wide {
            self.narrow = narrow;
        }
        for _ in 0..count {
            self.png.write_all(&self.row)?;
        }
        Ok(())
    }

    /// Ends the page.
    pub(crate) fn finish(self) -> io::Result<PageImage> {
        self.png.finish().map_err(io::Error::from)?;
        let (coverage, thumbnail) = self.sums.finish(self.flipped)?;
        Ok(PageImage {
            page: self.page,
            file: self.file,
            width: self.width,
            height: self.height,
            resolution: self.resolution,
            size: MediaSize::of_dots(self.width, self.height, self.resolution),
            coverage,
            thumbnail: thumbnail.into(),
            flipped: self.flipped,
        })
    }
}

/// Sums over the page: how much of each colour, and the small picture.
struct Sums {
    width: usize,
    height: usize,
    /// Pixels of the page for one of the small picture, in each direction.
    step: usize,
    /// Of the row at hand, for each small pixel.
    of_row: Vec<[u32; 3]>,
    /// Of the rows so far that make one small row.
    of_rows: Vec<[u32; 3]>,
    rows: usize,
    small: Vec<u8>,
    /// Cyan, magenta, yellow, black in units of 1/255 pixel.
    ink: [u64; 4],
}

impl Sums {
    fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        let step = width.div_ceil(THUMBNAIL_WIDTH).max(height.div_ceil(4 * THUMBNAIL_WIDTH)).max(1);
        let columns = width.div_ceil(step);
        Self {
            width,
            height,
            step,
            of_row: vec![[0; 3]; columns],
            of_rows: vec![[0; 3]; columns],
            rows: 0,
            small: Vec::with_capacity(columns * height.div_ceil(step) * 3),
            ink: [0; 4],
        }
    }

    fn bits(&mut self, row: &[u8], count: u32) {
        let mut white_pixels = 0;
        for (column, sum) in self.of_row.iter_mut().enumerate() {
            let first = column * self.step;
            let last = (first + self.step).min(self.width);
            let white = (first..last).filter(|x| row[x / 8] & (0x80 >> (x % 8)) != 0).count();
            white_pixels += white;
            *sum = [white as u32 * 255; 3];
        }
        self.ink[3] += (self.width - white_pixels) as u64 * 255 * u64::from(count);
        self.add_rows(count);
    }

    fn gray(&mut self, row: &[u8], count: u32) {
        let mut light = 0;
        for (pixels, sum) in row.chunks(self.step).zip(&mut self.of_row) {
            let of_pixels: u32 = pixels.iter().map(|v| u32::from(*v)).sum();
            light += u64::from(of_pixels);
            *sum = [of_pixels; 3];
        }
        self.ink[3] += (self.width as u64 * 255 - light) * u64::from(count);
        self.add_rows(count);
    }

    fn rgb(&mut self, row: &[u8], count: u32) {
        let mut ink = [0u64; 4];
        for (pixels, sum) in row.chunks(self.step * 3).zip(&mut self.of_row) {
            let (mut light, mut of_ink) = ([0u32; 3], [0u32; 4]);
            for &[r, g, b] in pixels.as_chunks::<3>().0 {
                let most = r.max(g).max(b);
                light = [light[0] + u32::from(r), light[1] + u32::from(g), light[2] + u32::from(b)];
                of_ink[0] += u32::from(most - r);
                of_ink[1] += u32::from(most - g);
                of_ink[2] += u32::from(most - b);
                of_ink[3] += u32::from(255 - most);
            }
            *sum = light;
            ink.iter_mut().zip(of_ink).for_each(|(all, part)| *all += u64::from(part));
        }
        self.ink.iter_mut().zip(ink).for_each(|(all, part)| *all += part * u64::from(count));
        self.add_rows(count);
    }

    fn add_rows(&mut self, count: u32) {
        for _ in 0..count {
            for (all, part) in self.of_rows.iter_mut().zip(&self.of_row) {
                all.iter_mut().zip(part).for_each(|(a, p)| *a += p);
            }
            self.rows += 1;
            if self.rows == self.step {
                self.end_small_row();
            }
        }
    }

    fn end_small_row(&mut self) {
        for (column, sum) in self.of_rows.iter_mut().enumerate() {
            let wide = (self.width - column * self.step).min(self.step);
            let pixels = (wide * self.rows).max(1) as u32;
            self.small.extend(sum.map(|s| (s / pixels).min(255) as u8));
            *sum = [0; 3];
        }
        self.rows = 0;
    }

    fn finish(mut self, flipped: (bool, bool)) -> io::Result<(Coverage, Vec<u8>)> {
        if self.rows > 0 {
            self.end_small_row();
        }
        let columns = self.of_rows.len();
        let rows = self.small.len() / (columns * 3).max(1);
        flip(&mut self.small, columns * 3, 3, flipped);
        let mut thumbnail = Vec::new();
        let mut encoder = png::Encoder::new(&mut thumbnail, columns as u32, rows as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(io::Error::from)?;
        writer.write_image_data(&self.small).map_err(io::Error::from)?;
        writer.finish().map_err(io::Error::from)?;
        let whole = (self.width * self.height).max(1) as u64 * 255;
        let [cyan, magenta, yellow, black] = self.ink.map(|ink| (ink.saturating_mul(1_000_000) / whole) as u32);
        Ok((Coverage { cyan, magenta, yellow, black }, thumbnail))
    }
}

/// Mirrors whole rows of `row_octets`, made of values of `unit` octets.
pub(crate) fn flip(image: &mut [u8], row_octets: usize, unit: usize, (cross_feed, feed): (bool, bool)) {
    if cross_feed {
        for row in image.chunks_exact_mut(row_octets) {
            let count = row.len() / unit;
            for i in 0..count / 2 {
                for octet in 0..unit {
                    row.swap(i * unit + octet, (count - 1 - i) * unit + octet);
                }
            }
        }
    }
    if feed {
        let rows = image.len() / row_octets;
        for i in 0..rows / 2 {
            let (above, below) = image.split_at_mut((rows - 1 - i) * row_octets);
            above[i * row_octets..(i + 1) * row_octets].swap_with_slice(&mut below[..row_octets]);
        }
    }
}

/// Rewrites a PNG so that it is as a person sees it, after a sender mirrored it for the back of a sheet.
pub(crate) fn unflip_file(page: &mut PageImage) -> io::Result<()> {
    if page.flipped == (false, false) {
        return Ok(());
    }
    let mut decoder = png::Decoder::new(io::BufReader::new(File::open(page.file.path())?));
    // One-bit rows become octets, so that they can be mirrored.
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(io::Error::other)?;
    let octets = reader.output_buffer_size().ok_or_else(|| io::Error::other("the page is too large"))?;
    let mut image = vec![0; octets];
    let info = reader.next_frame(&mut image).map_err(io::Error::other)?;
    let unit = info.color_type.samples();
    flip(&mut image, info.line_size, unit, page.flipped);
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(page.file.path())?), info.width, info.height);
    encoder.set_color(info.color_type);
    encoder.set_depth(info.bit_depth);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(io::Error::from)?;
    writer.write_image_data(&image).map_err(io::Error::from)?;
    writer.finish().map_err(io::Error::from)?;
    page.flipped = (false, false);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(pixel: PixelType, size: (u32, u32), rows: &[(&[u8], u32)]) -> (PageImage, Vec<u8>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.png");
        let mut writer = PageWriter::begin(&file, 1, pixel, size, (300, 300)).unwrap().unwrap();
        for (row, count) in rows {
            writer.row(row, *count).unwrap();
        }
        let page = writer.finish().unwrap();
        let octets = pixels(page.file.path());
        (page, octets, folder)
    }

    fn pixels(file: &Path) -> Vec<u8> {
        let mut decoder = png::Decoder::new(io::BufReader::new(File::open(file).unwrap()));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut image = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut image).unwrap();
        image.truncate(info.buffer_size());
        image
    }

    #[test]
    fn ink_and_light_come_out_the_same() {
        let black_1 = write(PixelType::BLACK_1, (9, 2), &[(&[0b1000_0000, 0x7F], 2)]);
        assert_eq!(black_1.1[..9], [0, 255, 255, 255, 255, 255, 255, 255, 255]);
        let sgray = write(PixelType::SGRAY_8, (2, 1), &[(&[0, 200], 1)]);
        let black = write(PixelType::BLACK_8, (2, 1), &[(&[255, 55], 1)]);
        assert_eq!(sgray.1, black.1);
        assert_eq!(sgray.0.coverage, black.0.coverage);
        let cmyk = write(PixelType::CMYK_8, (3, 1), &[(&[255, 0, 0, 0, 0, 0, 0, 0, 10, 20, 30, 255], 1)]);
        assert_eq!(cmyk.1, [0, 255, 255, 255, 255, 255, 0, 0, 0]);
        let wide = PixelType { color_space: ColorSpace::Srgb, bits_per_color: 16 };
        assert_eq!(write(wide, (1, 1), &[(&[1, 99, 2, 99, 3, 99], 1)]).1, [1, 2, 3]);
    }

    #[test]
    fn coverage_is_counted_for_each_colour() {
        let (page, ..) =
            write(PixelType::SRGB_8, (2, 4), &[(&[0, 255, 255, 255, 255, 255], 2), (&[0, 0, 0, 255, 255, 255], 2)]);
        assert_eq!(page.coverage, Coverage { cyan: 250_000, magenta: 0, yellow: 0, black: 250_000 });
        let (page, ..) = write(PixelType::BLACK_1, (10, 4), &[(&[0xFF, 0xFF], 1), (&[0, 0], 3)]);
        assert_eq!(page.coverage.black, 250_000, "unused bits at the end of a line do not count");
    }

    #[test]
    fn a_turned_back_side_is_turned_back() {
        let rows: &[(&[u8], u32)] = &[(&[1, 2, 3], 1), (&[4, 5, 6], 1)];
        let (mut page, _, _folder) = write(PixelType::SGRAY_8, (3, 2), rows);
        page.flipped = (true, true);
        unflip_file(&mut page).unwrap();
        assert_eq!(pixels(page.file.path()), [6, 5, 4, 3, 2, 1]);
        page.flipped = (false, true);
        unflip_file(&mut page).unwrap();
        assert_eq!(pixels(page.file.path()), [3, 2, 1, 6, 5, 4]);
    }

    #[test]
    fn the_small_picture_has_the_middle_of_its_pixels() {
        let row: Vec<u8> = [0u8, 100].repeat(500);
        let (page, ..) = write(PixelType::SGRAY_8, (1000, 1400), &[(&row, 1400)]);
        let mut reader = png::Decoder::new(io::Cursor::new(page.thumbnail)).read_info().unwrap();
        let mut image = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut image).unwrap();
        assert_eq!((info.width, info.height), (200, 280));
        assert!(image.iter().all(|v| (40..=60).contains(v)));
    }
}
