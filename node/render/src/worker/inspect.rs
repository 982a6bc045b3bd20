//! What a document is like, and whether it can be printed at all.

use super::colour::ColourFinder;
use super::fonts::Faces;
use super::out::Out;
use super::to_pdf::{Source, lay_out, page_facts};
use super::{Stop, pdf, printable_format};
use crate::{DocumentFacts, Face, Format, Inspect, Limits, Output};

pub(crate) fn inspect(
    request: &Inspect,
    limits: &Limits,
    data: Vec<u8>,
    mut faces: Faces,
    out: &mut Out,
) -> Result<(), Stop> {
    let format = printable_format(&data, request.format)?;
    let pages = if format == Format::Pdf {
        let pdf = pdf::open(data, limits)?;
        let mut pages = page_facts(&pdf, limits)?;
        if request.colour {
            let complaints = pdf::Complaints::default();
            let mut finder = ColourFinder::new(pdf::settings(faces, &complaints));
            for ((page, facts), number) in pdf.pages().iter().zip(&mut pages).zip(1..) {
                complaints.begin_page(number);
                facts.colour = Some(finder.has_colour(page));
                complaints.tell(out)?;
            }
        }
        pages
    } else {
        let source = Source { format, charset: request.charset.as_deref(), setup: &request.setup };
        lay_out(data, &source, &[], Face::Fixed, None, limits, &mut faces, out)?.pages
    };
    out.output(Output::Document(DocumentFacts { format, pages }))
}
