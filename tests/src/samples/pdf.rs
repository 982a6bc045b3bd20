//! PDF files (ISO 32000-1), written by hand: also those that nobody should write.

use std::fmt::Write as _;

use super::{segments, size_pt};

/// A PDF under construction.
#[derive(Clone, Debug)]
pub struct PdfSample {
    pages: u32,
    size_pt: (f32, f32),
    colour: [f32; 3],
    text: Option<String>,
    filler_octets: usize,
    encrypted: bool,
}

impl PdfSample {
    /// A4 pages that show their numbers in black.
    #[must_use]
    pub fn pages(pages: u32) -> Self {
        Self { pages, size_pt: size_pt::A4, colour: [0.0; 3], text: None, filler_octets: 0, encrypted: false }
    }

    /// Another paper size, width and height in points: see [`size_pt`].
    #[must_use]
    pub fn size_pt(mut self, size: (f32, f32)) -> Self {
        self.size_pt = size;
        self
    }

    /// The colour of the numbers: red, green, blue, each 0 to 1.
    #[must_use]
    pub fn colour(mut self, colour: [f32; 3]) -> Self {
        self.colour = colour;
        self
    }

    /// A line of ASCII at the top of each page, in Helvetica, which is not embedded.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    /// Octets that belong to no page and do not compress, to make the file as large as a test wants it.
    #[must_use]
    pub fn filler(mut self, octets: usize) -> Self {
        self.filler_octets = octets;
        self
    }

    /// Asks for a password that nobody knows.
    #[must_use]
    pub fn encrypted(mut self) -> Self {
        self.encrypted = true;
        self
    }

    /// The octets of the file.
    #[must_use]
    pub fn build(&self) -> Vec<u8> {
        let mut file = Objects::default();
        let kids: Vec<String> = (0..self.pages).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
        file.object("<< /Type /Catalog /Pages 2 0 R >>");
        file.object(&format!("<< /Type /Pages /Count {} /Kids [{}] >>", self.pages, kids.join(" ")));
        file.object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>");
        let (width, height) = self.size_pt;
        for page in 0..self.pages {
            file.object(&format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] \
                 /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
                5 + 2 * page
            ));
            file.stream(self.content(page + 1).as_bytes());
        }
        if self.filler_octets > 0 {
            file.stream(&noise(self.filler_octets));
        }
        // Revision 2 of the standard security handler; the keys are those of no password.
        let encryption = self.encrypted.then(|| {
            let key = "A5".repeat(32);
            file.object(&format!("<< /Filter /Standard /V 1 /R 2 /O <{key}> /U <{key}> /P -64 >>"))
        });
        file.finish(encryption)
    }

    fn content(&self, number: u32) -> String {
        let (width, height) = self.size_pt;
        let [red, green, blue] = self.colour;
        let mut content = format!("{red} {green} {blue} rg\n");
        for bar in segments::number(number) {
            // PDF counts from the lower edge.
            let (x, y) = (bar.x * width, (1.0 - bar.y - bar.height) * height);
            let _ = writeln!(content, "{x:.2} {y:.2} {:.2} {:.2} re f", bar.width * width, bar.height * height);
        }
        if let Some(text) = &self.text {
            let text = text.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
            let _ = writeln!(content, "BT /F1 24 Tf 50 {:.2} Td ({text}) Tj ET", height * 0.88);
        }
        content
    }
}

/// A file that begins as a PDF and ends in the middle of an object.
#[must_use]
pub fn broken() -> Vec<u8> {
    let mut file = super::pdf(2);
    file.truncate(file.len() / 3);
    file
}

/// A PDF whose one page is `side_pt` wide and high; 14,400 is the most that ISO 32000-1 annex C allows.
#[must_use]
pub fn huge_page(side_pt: f32) -> Vec<u8> {
    PdfSample::pages(1).size_pt((side_pt, side_pt)).build()
}

#[derive(Default)]
struct Objects {
    octets: Vec<u8>,
    offsets: Vec<usize>,
}

impl Objects {
    fn begin(&mut self) -> usize {
        if self.octets.is_empty() {
            // The comment of octets above 127 tells transfer programs that this is no text.
            self.octets.extend_from_slice(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n");
        }
        self.offsets.push(self.octets.len());
        let number = self.offsets.len();
        self.octets.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
        number
    }

    fn object(&mut self, body: &str) -> usize {
        let number = self.begin();
        self.octets.extend_from_slice(body.as_bytes());
        self.octets.extend_from_slice(b"\nendobj\n");
        number
    }

    fn stream(&mut self, content: &[u8]) -> usize {
        let number = self.begin();
        self.octets.extend_from_slice(format!("<< /Length {} >>\nstream\n", content.len()).as_bytes());
        self.octets.extend_from_slice(content);
        self.octets.extend_from_slice(b"\nendstream\nendobj\n");
        number
    }

    fn finish(mut self, encryption: Option<usize>) -> Vec<u8> {
        let start = self.octets.len();
        let size = self.offsets.len() + 1;
        let mut end = format!("xref\n0 {size}\n0000000000 65535 f \n");
        for offset in &self.offsets {
            let _ = writeln!(end, "{offset:010} 00000 n ");
        }
        let encrypt = encryption.map_or_else(String::new, |number| format!(" /Encrypt {number} 0 R"));
        let id = "7a".repeat(16);
        let _ = write!(
            end,
            "trailer\n<< /Size {size} /Root 1 0 R /ID [<{id}> <{id}>]{encrypt} >>\nstartxref\n{start}\n%%EOF\n"
        );
        self.octets.extend_from_slice(end.as_bytes());
        self.octets
    }
}

/// Octets without pattern, the same each time (xorshift).
fn noise(octets: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = Vec::with_capacity(octets + 8);
    while noise.len() < octets {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise.truncate(octets);
    noise
}
