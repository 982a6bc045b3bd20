//! Opening a PDF, and what the renderer is told about faces.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use hayro::hayro_interpret::font::{FontData, FontQuery};
use hayro::hayro_interpret::hayro_cmap::CidFamily;
use hayro::hayro_interpret::{InterpreterSettings, InterpreterWarning};
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use super::fonts::Faces;
use super::out::Out;
use super::{Stop, refuse, sandbox};
use crate::{Limits, Notice, RefusalKind};

const POINTS_PER_INCH: f64 = 72.0;
const HUNDREDTHS_PER_INCH: f64 = 2540.0;

/// How far from its end a whole PDF says where its table stands, in octets.
const TRAILER_WITHIN: usize = 16 * 1024;

/// Whether a file has the end of a PDF. Without one it was cut: the renderer would mend it and print what is left,
/// and nobody would know that pages are missing.
fn has_end(data: &[u8]) -> bool {
    let tail = &data[data.len().saturating_sub(TRAILER_WITHIN)..];
    let ends = |mark: &[u8]| tail.windows(mark.len()).any(|window| window == mark);
    ends(b"startxref") || ends(b"%%EOF")
}

/// Reads the structure of a PDF and checks the number of its pages.
pub(crate) fn open(data: Vec<u8>, limits: &Limits) -> Result<Pdf, Stop> {
    if !has_end(&data) {
        return refuse(RefusalKind::Broken, "It is a PDF that was cut off before its end. Send it again.");
    }
    let pdf = match Pdf::new(data) {
        Ok(pdf) => pdf,
        Err(LoadPdfError::Decryption(DecryptionError::PasswordProtected)) => {
            return refuse(RefusalKind::Encrypted, "It can only be opened with a password. Send it without one.");
        }
        Err(LoadPdfError::Decryption(DecryptionError::UnsupportedAlgorithm)) => {
            return refuse(
                RefusalKind::Encrypted,
                "It is encrypted in a way that we cannot read. Send it without encryption.",
            );
        }
        Err(LoadPdfError::Decryption(_) | LoadPdfError::Invalid) => {
            return refuse(RefusalKind::Broken, "It is a damaged PDF. Print it to a new PDF and send that.");
        }
    };
    let pages = pdf.pages().len();
    if pages == 0 {
        return refuse(RefusalKind::Empty, "It is a PDF without pages.");
    }
    if pages > limits.pages as usize {
        return refuse(
            RefusalKind::TooManyPages,
            format!("It has {pages} pages; at most {} can be printed from one document.", limits.pages),
        );
    }
    sandbox::allow_pages(limits, pages as u32);
    Ok(pdf)
}

/// A page's size as it is read, in points, with its user unit (PDF 1.6).
pub(crate) fn size_points(page: &Page<'_>) -> (f64, f64) {
    let (width, height) = page.render_dimensions();
    (f64::from(width), f64::from(height))
}

/// A page's size as it is read, in hundredths of a millimetre; refuses what no paper can hold.
pub(crate) fn checked_size(page: &Page<'_>, number: u32, limits: &Limits) -> Result<(u32, u32), Stop> {
    let unit = page.raw().get::<f32>(b"UserUnit").filter(|unit| unit.is_finite() && *unit > 0.0).unwrap_or(1.0);
    let (width, height) = size_points(page);
    let hundredths = |points: f64| (points * f64::from(unit) * HUNDREDTHS_PER_INCH / POINTS_PER_INCH).round();
    let (width, height) = (hundredths(width), hundredths(height));
    let (min, max) = (f64::from(limits.page_side_min), f64::from(limits.page_side_max));
    // Rounding to whole hundredths makes sizes at the limit pass.
    if [width, height].iter().any(|side| !(min..=max).contains(side)) {
        return refuse(
            RefusalKind::PageTooLarge,
            format!(
                "Page {number} measures {:.1} x {:.1} mm; a side may be {:.1} to {:.0} mm long.",
                width / 100.0,
                height / 100.0,
                min / 100.0,
                max / 100.0
            ),
        );
    }
    Ok((width as u32, height as u32))
}

/// What the renderer complained about, gathered page by page.
#[derive(Clone, Default)]
pub(crate) struct Complaints(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    page: u32,
    font: bool,
    image: bool,
    annotation: bool,
    replaced: BTreeSet<String>,
    new_replaced: Vec<String>,
}

impl Complaints {
    fn with<T>(&self, f: impl FnOnce(&mut Heard) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// From here on complaints are about this page.
    pub(crate) fn begin_page(&self, page: u32) {
        self.with(|heard| {
            heard.page = page;
            (heard.font, heard.image, heard.annotation) = (false, false, false);
        });
    }

    /// Sends on what was heard about the page.
    pub(crate) fn tell(&self, out: &mut Out) -> Result<(), Stop> {
        let (page, font, image, annotation, replaced) = self.with(|heard| {
            (heard.page, heard.font, heard.image, heard.annotation, std::mem::take(&mut heard.new_replaced))
        });
        for name in replaced {
            out.notice(Notice::FontReplaced { name, page })?;
        }
        if font {
            out.notice(Notice::FontNotShown { page })?;
        }
        if image {
            out.notice(Notice::ImageNotShown { page })?;
        }
        if annotation {
            out.notice(Notice::AnnotationNotShown { page })?;
        }
        Ok(())
    }

    fn hear(&self, warning: InterpreterWarning) {
        self.with(|heard| match warning {
            InterpreterWarning::UnsupportedFont => heard.font = true,
            InterpreterWarning::ImageDecodeFailure => heard.image = true,
            InterpreterWarning::UnresolvedAnnotationAppearance => heard.annotation = true,
            _ => {}
        });
    }

    fn replaced(&self, name: String) {
        self.with(|heard| {
            if heard.replaced.len() < 50 && heard.replaced.insert(name.clone()) {
                heard.new_replaced.push(name);
            }
        });
    }
}

/// Settings for the interpreter: faces that a PDF names without bringing them are looked for among ours.
pub(crate) fn settings(faces: Faces, complaints: &Complaints) -> InterpreterSettings {
    let heard = complaints.clone();
    let faces = Arc::new(Mutex::new(faces));
    let replaced = complaints.clone();
    InterpreterSettings {
        font_resolver: Arc::new(move |query| match query {
            FontQuery::Standard(standard) => Some(standard.get_font_data()),
            FontQuery::Fallback(fallback) => {
                let name = fallback.post_script_name.clone().or_else(|| fallback.font_name.clone());
                if let Some(name) = name {
                    let plain: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
                    replaced.replaced(plain);
                }
                // One character that a face for the collection must have.
                let probe = match fallback.character_collection.as_ref().map(|collection| &collection.family) {
                    Some(CidFamily::AdobeJapan1) => Some('\u{3042}'),
                    Some(CidFamily::AdobeKorea1) => Some('\u{D55C}'),
                    Some(CidFamily::AdobeGB1) => Some('\u{4EEC}'),
                    Some(CidFamily::AdobeCNS1) => Some('\u{5011}'),
                    _ => None,
                };
                let found: Option<(FontData, u32)> = probe.and_then(|probe| {
                    let mut faces = faces.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    // Han of another country is better than nothing.
                    faces.data_with(probe).or_else(|| faces.data_with('\u{4E00}'))
                });
                found.or_else(|| Some(fallback.pick_standard_font().get_font_data()))
            }
        }),
        warning_sink: Arc::new(move |warning| heard.hear(warning)),
        ..InterpreterSettings::default()
    }
}
