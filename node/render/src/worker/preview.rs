//! One page as a small PNG picture.

use hayro::kurbo::Affine;

use super::fonts::Faces;
use super::out::Out;
use super::raster::Painter;
use super::to_pdf::{Source, as_pdf};
use super::{Stop, pdf, picture, printable_format, refuse};
use crate::{Disposition, Format, Limits, Output, PartHeader, PartRole, Preview, RefusalKind};

pub(crate) fn preview(
    request: &Preview,
    limits: &Limits,
    data: Vec<u8>,
    mut faces: Faces,
    out: &mut Out,
) -> Result<(), Stop> {
    let format = printable_format(&data, request.format)?;
    let source = Source { format, charset: request.charset.as_deref(), setup: &request.setup };
    let (data, _) = as_pdf(data, &source, limits, &mut faces, out)?;
    let pdf = pdf::open(data, limits)?;
    let total = pdf.pages().len();
    let Some(page) = (request.page as usize).checked_sub(1).and_then(|at| pdf.pages().get(at)) else {
        return refuse(RefusalKind::NoSuchPage, format!("It has {total} pages; page {} was asked for.", request.page));
    };
    pdf::checked_size(page, request.page, limits)?;

    let (page_width, page_height) = pdf::size_points(page);
    let scale = f64::from(request.side.clamp(16, 4096)) / page_width.max(page_height);
    let width = (page_width * scale).round().max(1.0) as u32;
    let height = (page_height * scale).round().max(1.0) as u32;
    let complaints = pdf::Complaints::default();
    let mut painter = Painter::new(pdf::settings(faces, &complaints));
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    painter.page(page, Affine::scale(scale), width, height, |_, rgba| {
        rgb.extend(rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]));
        Ok(())
    })?;
    let png = picture::png(rgb, width, height)?;
    let header = PartHeader {
        number: 1,
        depth: 0,
        role: PartRole::Attachment,
        name: None,
        declared_type: Format::Png.media_type().into(),
        format: Format::Png,
        disposition: Disposition::Unset,
        octets: png.len() as u64,
        mail: None,
    };
    out.output(Output::PartStart(Box::new(header)))?;
    out.part_data(png)
}
