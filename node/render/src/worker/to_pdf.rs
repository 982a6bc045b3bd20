//! Text and pictures to PDF; a PDF stays as it is.

use super::fonts::Faces;
use super::out::Out;
use super::text::{Laid, Look};
use super::{Stop, charset, pdf, picture, printable_format, raster_in, text};
use crate::{
    Disposition, DocumentFacts, Face, Format, HeadingLine, Limits, Notice, Output, PageFacts, PageSetup, PartHeader,
    PartRole, Refusal, RefusalKind, ToPdf,
};

pub(crate) fn to_pdf(
    request: &ToPdf,
    limits: &Limits,
    data: Vec<u8>,
    mut faces: Faces,
    out: &mut Out,
) -> Result<(), Stop> {
    let format = printable_format(&data, request.format)?;
    let source = Source { format, charset: request.charset.as_deref(), setup: &request.setup };
    let laid = match format {
        Format::Pdf => {
            let pages = page_facts(&pdf::open(data.clone(), limits)?, limits)?;
            Laid { pdf: data, pages }
        }
        _ => lay_out(data, &source, &request.heading, request.face, request.title.as_deref(), limits, &mut faces, out)?,
    };
    let header = PartHeader {
        number: 1,
        depth: 0,
        role: PartRole::Attachment,
        name: None,
        declared_type: Format::Pdf.media_type().into(),
        format: Format::Pdf,
        disposition: Disposition::Unset,
        octets: laid.pdf.len() as u64,
        mail: None,
    };
    out.output(Output::PartStart(Box::new(header)))?;
    out.part_data(laid.pdf.into())?;
    out.output(Output::Document(DocumentFacts { format: Format::Pdf, pages: laid.pages }))
}

/// A document that is not a PDF, and the paper for it.
pub(crate) struct Source<'a> {
    pub(crate) format: Format,
    pub(crate) charset: Option<&'a str>,
    pub(crate) setup: &'a PageSetup,
}

#[expect(clippy::too_many_arguments, reason = "one caller names them all; a struct would only repeat ToPdf")]
pub(crate) fn lay_out(
    data: Vec<u8>,
    source: &Source<'_>,
    heading: &[HeadingLine],
    face: Face,
    title: Option<&str>,
    limits: &Limits,
    faces: &mut Faces,
    out: &mut Out,
) -> Result<Laid, Stop> {
    if source.format.is_raster() {
        return raster_in::lay_out(&data, source.format, limits);
    }
    check_paper(source.setup, limits)?;
    if source.format != Format::Text {
        return picture::lay_out(data, source.format, source.setup, title, limits);
    }
    let decoded = charset::decode(&data, source.charset);
    drop(data);
    if decoded.damaged {
        out.notice(Notice::TextDamaged { charset: decoded.charset.to_owned() })?;
    }
    text::lay_out(&decoded.text, &Look { setup: source.setup, heading, face, title }, limits, faces, out)
}

/// The document as PDF octets, whatever it was; true when we laid it out ourselves, inside the margins.
pub(crate) fn as_pdf(
    data: Vec<u8>,
    source: &Source<'_>,
    limits: &Limits,
    faces: &mut Faces,
    out: &mut Out,
) -> Result<(Vec<u8>, bool), Stop> {
    if source.format == Format::Pdf {
        return Ok((data, false));
    }
    let laid = lay_out(data, source, &[], Face::Fixed, None, limits, faces, out)?;
    Ok((laid.pdf, true))
}

/// Sizes of all pages, checked.
pub(crate) fn page_facts(pdf: &hayro::hayro_syntax::Pdf, limits: &Limits) -> Result<Vec<PageFacts>, Stop> {
    let pages = pdf.pages().iter().zip(1..);
    pages
        .map(|(page, number)| {
            let (width, height) = pdf::checked_size(page, number, limits)?;
            Ok(PageFacts { width, height, colour: None })
        })
        .collect()
}

fn check_paper(setup: &PageSetup, limits: &Limits) -> Result<(), Stop> {
    let sides = limits.page_side_min..=limits.page_side_max;
    if sides.contains(&setup.width) && sides.contains(&setup.height) {
        return Ok(());
    }
    Err(Refusal::new(RefusalKind::PageTooLarge, "The paper is smaller or larger than anything that can be printed on.")
        .into())
}
