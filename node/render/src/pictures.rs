//! Drawn pages as pictures in a PDF, written as they come (ISO 32000-1). Holds one band and the places of objects.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::Colour;

/// Writes the PDF to the end of a buffer that the caller empties when it likes.
#[derive(Debug)]
pub struct PicturesInPdf {
    /// Octets written before what is in the buffer now.
    written: u64,
    /// Where each object begins, from object 1.
    places: Vec<u64>,
    sides: Vec<Side>,
    open: Option<Open>,
}

/// One side.
#[derive(Debug)]
struct Side {
    /// The object of its picture; `None`: a blank side.
    picture: Option<usize>,
    paper: Paper,
}

/// The paper of a side, and how its picture lies on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paper {
    /// Width and height in points.
    pub points: (f32, f32),
    /// Whether the picture is mirrored left to right, and top to bottom.
    pub mirrored: (bool, bool),
}

impl Paper {
    /// A sheet of this size in points; the picture lies on it as it is.
    pub const fn of(points: (f32, f32)) -> Self {
        Self { points, mirrored: (false, false) }
    }
}

#[derive(Debug)]
struct Open {
    deflate: ZlibEncoder<Vec<u8>>,
    octets: u64,
    length: usize,
}

/// Objects before the first picture: the catalogue and the pages.
const FIRST: usize = 2;

impl PicturesInPdf {
    /// Begins the file.
    pub fn new(out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"%PDF-1.5\n%\xE2\xE3\xCF\xD3\n");
        Self { written: 0, places: vec![0; FIRST], sides: Vec::new(), open: None }
    }

    /// What was in the buffer was taken out of it.
    pub fn taken(&mut self, octets: usize) {
        self.written += octets as u64;
    }

    fn begin_object(&mut self, out: &mut Vec<u8>) -> usize {
        self.places.push(self.written + out.len() as u64);
        let number = self.places.len();
        let _ = writeln!(out, "{number} 0 obj");
        number
    }

    /// Begins a side with a picture of this many pixels.
    pub fn begin_page(&mut self, colour: Colour, (width, height): (u32, u32), paper: Paper, out: &mut Vec<u8>) {
        let number = self.begin_object(out);
        self.sides.push(Side { picture: Some(number), paper });
        let (space, bits, decode) = match colour {
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

    /// Adds rows of the picture, from top to bottom.
    ///
    /// # Errors
    /// None in memory.
    pub fn lines(&mut self, rows: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        open.deflate.write_all(rows)?;
        let made = open.deflate.get_mut();
        open.octets += made.len() as u64;
        out.append(made);
        Ok(())
    }

    /// Ends the side.
    ///
    /// # Errors
    /// None in memory.
    pub fn end_page(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
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

    /// Adds a side on which nothing stands.
    pub fn blank_page(&mut self, paper: Paper) {
        self.sides.push(Side { picture: None, paper });
    }

    /// Writes what stands at the end; each side appears once for each copy.
    pub fn finish(mut self, copies: u16, out: &mut Vec<u8>) {
        let mut kids = String::new();
        let sides = std::mem::take(&mut self.sides);
        let mut contents: Vec<(Paper, usize)> = Vec::new();
        for side in &sides {
            if contents.iter().any(|(paper, _)| *paper == side.paper) {
                continue;
            }
            let number = self.begin_object(out);
            let content = content(side.paper);
            let _ = write!(out, "<</Length {}>>\nstream\n{content}\nendstream\nendobj\n", content.len());
            contents.push((side.paper, number));
        }
        for side in (0..copies.max(1)).flat_map(|_| &sides) {
            let number = self.begin_object(out);
            kids += &format!("{number} 0 R ");
            let (width, height) = side.paper.points;
            let content_number =
                contents.iter().find(|(paper, _)| *paper == side.paper).map_or(0, |(_, number)| *number);
            let _ = write!(out, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width:.3} {height:.3}]");
            match side.picture {
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

/// Draws the picture over the whole side.
fn content(paper: Paper) -> String {
    let (width, height) = paper.points;
    let (x, left) = if paper.mirrored.0 { (-width, width) } else { (width, 0.0) };
    let (y, bottom) = if paper.mirrored.1 { (-height, height) } else { (height, 0.0) };
    format!("q {x:.3} 0 0 {y:.3} {left:.3} {bottom:.3} cm /I Do Q")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_lies_where_the_table_says() {
        let mut out = Vec::new();
        let paper = Paper::of((595.276, 841.89));
        let mut pdf = PicturesInPdf::new(&mut out);
        let mut whole = Vec::new();
        for shade in [0u8, 255] {
            pdf.begin_page(Colour::Sgray8, (8, 4), paper, &mut out);
            pdf.lines(&[shade; 16], &mut out).unwrap();
            whole.append(&mut out);
            pdf.taken(whole.len() - pdf.written as usize);
            pdf.lines(&[shade; 16], &mut out).unwrap();
            pdf.end_page(&mut out).unwrap();
        }
        pdf.blank_page(paper);
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
