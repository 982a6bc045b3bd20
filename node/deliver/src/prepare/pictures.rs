//! Drawn pages as pictures in a PDF, written as they come (ISO 32000-1).
//!
//! For a device that takes PDF only and a job that is not one PDF as it is: several documents, some pages,
//! a reprint with its mark. Holds one band and the places of objects.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use tympan_render::Colour;

/// Writes the PDF to the end of a buffer that the caller empties when it likes.
pub(crate) struct PicturesInPdf {
    /// Octets written before what is in the buffer now.
    written: u64,
    /// Where each object begins, from object 1.
    places: Vec<u64>,
    /// The picture of each side, by object; `None`: a blank side.
    sides: Vec<Option<usize>>,
    open: Option<Open>,
    colour: Colour,
    /// Width and height in points.
    points: (f32, f32),
}

struct Open {
    deflate: ZlibEncoder<Vec<u8>>,
    octets: u64,
    length: usize,
}

/// Objects before the first picture: the catalogue and the pages.
const FIRST: usize = 2;

impl PicturesInPdf {
    pub(crate) fn new(colour: Colour, points: (f32, f32), out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"%PDF-1.5\n%\xE2\xE3\xCF\xD3\n");
        Self { written: 0, places: vec![0; FIRST], sides: Vec::new(), open: None, colour, points }
    }

    /// What was in the buffer was taken out of it.
    pub(crate) fn taken(&mut self, octets: usize) {
        self.written += octets as u64;
    }

    fn begin_object(&mut self, out: &mut Vec<u8>) -> usize {
        self.places.push(self.written + out.len() as u64);
        let number = self.places.len();
        let _ = writeln!(out, "{number} 0 obj");
        number
    }

    pub(crate) fn begin_page(&mut self, width: u32, height: u32, out: &mut Vec<u8>) {
        let number = self.begin_object(out);
        self.sides.push(Some(number));
        let (space, bits, decode) = match self.colour {
            Colour::Srgb8 => ("DeviceRGB", 8, ""),
            Colour::Sgray8 => ("DeviceGray", 8, ""),
            Colour::Black1 => ("DeviceGray", 1, "/Decode [1 0]"),
        };
        let length = number + 1;
        let _ = write!(
            out,
            "<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/{space}/BitsPerComponent {bits}{decode}\
             /Filter/FlateDecode/Length {length} 0 R>>\nstream\n"
        );
        self.open = Some(Open { deflate: ZlibEncoder::new(Vec::new(), Compression::fast()), octets: 0, length });
    }

    pub(crate) fn lines(&mut self, rows: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        open.deflate.write_all(rows)?;
        let made = open.deflate.get_mut();
        open.octets += made.len() as u64;
        out.append(made);
        Ok(())
    }

    pub(crate) fn end_page(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let rest = open.deflate.finish()?;
        let octets = open.octets + rest.len() as u64;
        out.extend_from_slice(&rest);
        out.extend_from_slice(b"\nendstream\nendobj\n");
        let number = self.begin_object(out);
        debug_assert_eq!(number, open.length);
        let _ = write!(out, "{octets}\nendobj\n");
        Ok(())
    }

    pub(crate) fn blank_page(&mut self) {
        self.sides.push(None);
    }

    /// Writes what stands at the end; each side appears once for each copy.
    pub(crate) fn finish(mut self, copies: u16, out: &mut Vec<u8>) {
        let (width, height) = self.points;
        let content = format!("q {width:.3} 0 0 {height:.3} 0 0 cm /I Do Q");
        let content_number = self.begin_object(out);
        let _ = write!(out, "<</Length {}>>\nstream\n{content}\nendstream\nendobj\n", content.len());
        let mut kids = String::new();
        let sides = std::mem::take(&mut self.sides);
        for side in (0..copies.max(1)).flat_map(|_| &sides) {
            let number = self.begin_object(out);
            kids += &format!("{number} 0 R ");
            let _ = write!(out, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width:.3} {height:.3}]");
            match side {
                Some(picture) => {
                    let _ = write!(out, "/Resources<</XObject<</I {picture} 0 R>>>>/Contents {content_number} 0 R");
                }
                None => out.extend_from_slice(b"/Resources<<>>"),
            }
            out.extend_from_slice(b">>\nendobj\n");
        }
        let count = sides.len() * usize::from(copies.max(1));
        self.places[0] = self.written + out.len() as u64;
        let _ = write!(out, "1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n");
        self.places[1] = self.written + out.len() as u64;
        let _ = write!(out, "2 0 obj\n<</Type/Pages/Count {count}/Kids[{}]>>\nendobj\n", kids.trim_end());
        let table = self.written + out.len() as u64;
        let _ = write!(out, "xref\n0 {}\n0000000000 65535 f \n", self.places.len() + 1);
        for place in &self.places {
            let _ = writeln!(out, "{place:010} 00000 n ");
        }
        let size = self.places.len() + 1;
        let _ = write!(out, "trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_lies_where_the_table_says() {
        let mut out = Vec::new();
        let mut pdf = PicturesInPdf::new(Colour::Sgray8, (595.276, 841.89), &mut out);
        let mut whole = Vec::new();
        for shade in [0u8, 255] {
            pdf.begin_page(8, 4, &mut out);
            pdf.lines(&[shade; 16], &mut out).unwrap();
            whole.append(&mut out);
            pdf.taken(whole.len() - pdf.written as usize);
            pdf.lines(&[shade; 16], &mut out).unwrap();
            pdf.end_page(&mut out).unwrap();
        }
        pdf.blank_page();
        pdf.finish(2, &mut out);
        whole.append(&mut out);
        let text = String::from_utf8_lossy(&whole);
        assert!(text.contains("/Count 6/"), "{text}");
        let table = whole.windows(5).rposition(|window| window == b"xref\n").unwrap();
        // "startxref" ends the same way: the table is the one before it.
        let table = whole[..table - 5].windows(5).rposition(|window| window == b"xref\n").map_or(table, |at| at);
        let lines: Vec<&[u8]> = whole[table..].split(|octet| *octet == b'\n').collect();
        let mut checked = 0;
        for (number, line) in lines[3..].iter().enumerate().take_while(|(_, line)| line.ends_with(b" n ")) {
            let place: usize = std::str::from_utf8(&line[..10]).unwrap().parse().unwrap();
            let begins = format!("{} 0 obj", number + 1);
            assert!(whole[place..].starts_with(begins.as_bytes()), "object {}", number + 1);
            checked += 1;
        }
        assert_eq!(checked, 2 + 4 + 1 + 6);
    }
}
