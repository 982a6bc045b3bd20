//! The page that is printed when a printer is added: its mail address, a QR code to its page, and what its
//! paper, grays and colours look like (ISO 32000-1, standard fonts).

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder};
use jiff::tz::TimeZone;
use tympan_engine::{Printer, Timestamp};

use crate::prepare::setup_for;

/// What the page says.
#[derive(Clone, Debug, PartialEq)]
pub struct TestPage {
    /// "printer-info".
    pub info: String,
    /// The address to which mails are sent to print.
    pub address: String,
    /// Where the printer's page is; it becomes the QR code.
    pub url: Option<String>,
    /// "printer-make-and-model", if known.
    pub model: String,
    /// The medium's name for people.
    pub media: String,
    /// Paper width and height in points.
    pub size: (f32, f32),
    /// Unprintable margins in points: left, right, top, bottom.
    pub margins: [f32; 4],
    /// Whether colours are shown.
    pub color: bool,
    /// When it was made, as it is shown.
    pub made: String,
}

impl TestPage {
    /// The page for a printer.
    pub fn of(printer: &Printer, domain: &str, base_url: Option<&str>, now: Timestamp, zone: &TimeZone) -> Self {
        let (media, size, setup) = setup_for(printer, &tympan_engine::JobOptions::default());
        let points = |hundredths: u32| hundredths as f32 * 72.0 / 2540.0;
        let margins = setup.margins;
        Self {
            info: printer.info.clone(),
            address: format!("{}@{domain}", printer.name),
            url: base_url.map(|base| format!("{base}/printers/{}", printer.name)),
            model: printer.profile.as_ref().map(|profile| profile.make_and_model.clone()).unwrap_or_default(),
            media: tympan_ipp::media::called(&media),
            size: size.points(),
            margins: [points(margins.left), points(margins.right), points(margins.top), points(margins.bottom)],
            color: printer.profile.as_ref().is_none_or(|profile| profile.color),
            made: crate::report::shown(now, zone),
        }
    }

    /// The page as a PDF.
    pub fn pdf(&self) -> Vec<u8> {
        let (width, height) = self.size;
        let content = self.content();
        let objects = [
            "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
            "<</Type/Pages/Count 1/Kids[3 0 R]>>".to_owned(),
            format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width:.2} {height:.2}]/Contents 4 0 R\
                 /Resources<</Font<</F 5 0 R/B 6 0 R>>>>>>"
            ),
            format!("<</Length {}>>\nstream\n{content}\nendstream", content.len()),
            font("Helvetica"),
            font("Helvetica-Bold"),
        ];
        let mut out = b"%PDF-1.4\n".to_vec();
        let mut places = Vec::new();
        for (n, object) in objects.iter().enumerate() {
            places.push(out.len());
            out.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", n + 1).as_bytes());
        }
        let table = out.len();
        let mut tail = format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1);
        for place in &places {
            let _ = writeln!(tail, "{place:010} 00000 n ");
        }
        let _ = write!(tail, "trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n", places.len() + 1);
        out.extend_from_slice(tail.as_bytes());
        out
    }

    fn content(&self) -> String {
        let (width, height) = self.size;
        let [left, right, top, bottom] = self.margins;
        let mut page = String::new();
        // The printable area, just inside: where a line is missing, the printer needs wider margins.
        let (x, y) = (left + 1.0, bottom + 1.0);
        let _ = writeln!(
            page,
            "0.5 w {x:.2} {y:.2} {:.2} {:.2} re S",
            width - left - right - 2.0,
            height - top - bottom - 2.0
        );
        let inset = (width * 0.08).max(left.max(right) + 10.0);
        let mut line = height - (height * 0.08).max(top + 14.0);
        let mut text = |face: char, size: f32, step: f32, words: &str| {
            line -= step;
            let _ = writeln!(page, "BT /{face} {size} Tf {inset:.2} {line:.2} Td ({}) Tj ET", escaped(words));
        };
        text('B', 24.0, 24.0, &self.info);
        text('F', 12.0, 30.0, "Mail your documents to");
        text('B', 16.0, 22.0, &self.address);
        text('F', 10.0, 26.0, &format!("Paper: {}", self.media));
        if !self.model.is_empty() {
            text('F', 10.0, 14.0, &format!("Printer: {}", self.model));
        }
        text('F', 10.0, 14.0, &format!("Printed: {}", self.made));
        text('F', 10.0, 14.0, "The thin frame is the area this printer can print on.");
        if let Some(url) = &self.url {
            let side = (width * 0.25).min(130.0);
            line -= side + 18.0;
            self.qr(&mut page, url, inset, line, side);
            line -= 14.0;
            let _ = writeln!(page, "BT /F 9 Tf {inset:.2} {line:.2} Td ({}) Tj ET", escaped(url));
        }
        self.ramps(&mut page, inset, bottom + 40.0, width - 2.0 * inset);
        page
    }

    /// The code as black squares, from its lower left corner.
    fn qr(&self, page: &mut String, url: &str, x: f32, y: f32, side: f32) {
        let Ok(code) = QRBuilder::new(url).ecl(ECL::M).build() else {
            return;
        };
        let modules = code.size;
        let step = side / modules as f32;
        let _ = writeln!(page, "0 g");
        for row in 0..modules {
            let mut column = 0;
            while column < modules {
                if !code[row][column].value() {
                    column += 1;
                    continue;
                }
                let begin = column;
                while column < modules && code[row][column].value() {
                    column += 1;
                }
                let left = x + begin as f32 * step;
                let low = y + side - (row + 1) as f32 * step;
                let _ = writeln!(page, "{left:.3} {low:.3} {:.3} {step:.3} re f", (column - begin) as f32 * step);
            }
        }
    }

    /// Gray steps, and steps of each ink where there is colour.
    fn ramps(&self, page: &mut String, x: f32, y: f32, width: f32) {
        const STEPS: u32 = 11;
        let step = width / STEPS as f32;
        let inks: &[(f32, f32, f32)] = match self.color {
            true => &[
                (0.0, 0.0, 0.0),
                (0.0, 1.0, 1.0),
                (1.0, 0.0, 1.0),
                (1.0, 1.0, 0.0),
                (1.0, 0.0, 0.0),
                (0.0, 0.6, 0.0),
                (0.0, 0.0, 1.0),
            ],
            false => &[(0.0, 0.0, 0.0)],
        };
        for (n, (red, green, blue)) in inks.iter().enumerate() {
            let low = y + n as f32 * 18.0;
            for shade in 0..STEPS {
                let part = shade as f32 / (STEPS - 1) as f32;
                let mixed = |ink: f32| 1.0 - part * (1.0 - ink);
                let left = x + shade as f32 * step;
                let _ = writeln!(
                    page,
                    "{:.3} {:.3} {:.3} rg {left:.2} {low:.2} {step:.2} 14 re f",
                    mixed(*red),
                    mixed(*green),
                    mixed(*blue)
                );
            }
        }
        let _ = writeln!(page, "0 g");
    }
}

fn font(name: &str) -> String {
    format!("<</Type/Font/Subtype/Type1/BaseFont/{name}/Encoding/WinAnsiEncoding>>")
}

/// A PDF string of the characters that the standard fonts have; others become a question mark.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(120) {
        match c {
            '(' | ')' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            '\u{a0}'..='\u{ff}' => {
                let _ = write!(out, "\\{:03o}", c as u32);
            }
            _ => out.push('?'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> TestPage {
        TestPage {
            info: "Büro (2nd) 事務室".into(),
            address: "office@print.example".into(),
            url: Some("https://print.example/printers/office".into()),
            model: "Virtual".into(),
            media: "A4".into(),
            size: (595.28, 841.89),
            margins: [12.0; 4],
            color: true,
            made: "Fri 20 Nov 2026, 18:00".into(),
        }
    }

    #[test]
    fn the_page_is_a_pdf_whose_objects_lie_where_its_table_says() {
        let pdf = page().pdf();
        let text = String::from_utf8(pdf).unwrap();
        let table: usize = text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        for (n, line) in text[table..].lines().skip(3).take(6).enumerate() {
            let place: usize = line[..10].parse().unwrap();
            assert!(text[place..].starts_with(&format!("{} 0 obj", n + 1)));
        }
        assert!(text.contains("(B\\374ro \\(2nd\\) ???)"), "{text}");
        assert!(text.contains("office@print.example"));
    }
}
