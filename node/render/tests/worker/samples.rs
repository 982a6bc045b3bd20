//! Documents made at test time, and a renderer over the worker of this build.

use std::fs::File;
use std::io::{Cursor, Seek, Write};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use tympan_render::{
    Colour, Inspect, Output, PageHeader, PageSetup, Raster, RenderError, Renderer, Request, Scaling, ToPdf,
};

pub(crate) fn renderer() -> Renderer {
    Renderer::new(env!("CARGO_BIN_EXE_tympan-render-worker"), [""; 0])
}

/// An unlinked file with this content, as the document store gives it.
pub(crate) fn file(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    file
}

pub(crate) fn inspect() -> Inspect {
    Inspect { format: None, charset: None, setup: PageSetup::A4, colour: true }
}

pub(crate) fn to_pdf() -> ToPdf {
    ToPdf { format: None, charset: None, setup: PageSetup::A4, heading: vec![], face: Default::default(), title: None }
}

pub(crate) fn raster(colour: Colour, dpi: u32) -> Raster {
    Raster {
        format: None,
        charset: None,
        first_page: 1,
        last_page: None,
        setup: PageSetup::A4,
        resolution: (dpi, dpi),
        size: None,
        colour,
        scaling: Scaling::Auto,
        orientation: None,
        several: None,
        back: None,
    }
}

/// All output of a run.
pub(crate) async fn all(
    renderer: &Renderer,
    request: impl Into<Request>,
    content: &[u8],
) -> Result<Vec<Output>, RenderError> {
    let mut run = renderer.run(request, file(content)).await?;
    let mut outputs = Vec::new();
    while let Some(output) = run.next().await? {
        outputs.push(output);
    }
    Ok(outputs)
}

/// A rasterised page, whole.
pub(crate) struct Paper {
    pub(crate) header: PageHeader,
    pub(crate) rows: Vec<u8>,
}

impl Paper {
    /// How many pixels of gray or RGB are darker than half, in a part of the page given in 0..1.
    pub(crate) fn ink(&self, x: std::ops::Range<f64>, y: std::ops::Range<f64>) -> usize {
        let (w, h) = (f64::from(self.header.width), f64::from(self.header.height));
        let channels = (self.header.colour.bits_per_pixel() / 8) as usize;
        let mut ink = 0;
        for row in (y.start * h) as usize..(y.end * h) as usize {
            for column in (x.start * w) as usize..(x.end * w) as usize {
                let at = row * self.header.bytes_per_line as usize + column * channels;
                let pixel = &self.rows[at..at + channels];
                ink += usize::from(pixel.iter().map(|c| u32::from(*c)).sum::<u32>() < 128 * channels as u32);
            }
        }
        ink
    }

    pub(crate) fn pixel(&self, x: f64, y: f64) -> &[u8] {
        let channels = (self.header.colour.bits_per_pixel() / 8) as usize;
        let (column, row) = ((x * f64::from(self.header.width)) as usize, (y * f64::from(self.header.height)) as usize);
        let at = row * self.header.bytes_per_line as usize + column * channels;
        &self.rows[at..at + channels]
    }

    /// Leaves a picture where a person can look at it.
    pub(crate) fn save(&self, name: &str) {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let (w, h) = (self.header.width, self.header.height);
        let saved = match self.header.colour {
            Colour::Sgray8 => image::GrayImage::from_raw(w, h, self.rows.clone()).unwrap().save(path),
            Colour::Srgb8 => RgbImage::from_raw(w, h, self.rows.clone()).unwrap().save(path),
            Colour::Black1 => {
                let bit = |x: u32, y: u32| {
                    self.rows[(y * self.header.bytes_per_line + x / 8) as usize] & (0x80 >> (x % 8)) != 0
                };
                image::GrayImage::from_fn(w, h, |x, y| image::Luma([if bit(x, y) { 0 } else { 255 }])).save(path)
            }
        };
        saved.unwrap();
    }
}

pub(crate) fn papers(outputs: &[Output]) -> Vec<Paper> {
    let mut papers: Vec<Paper> = Vec::new();
    for output in outputs {
        match output {
            Output::PageStart(header) => papers.push(Paper { header: *header, rows: Vec::new() }),
            Output::Band { data, .. } => papers.last_mut().unwrap().rows.extend_from_slice(data),
            _ => {}
        }
    }
    papers
}

/// Makes a PDF of a text and returns it with its notices.
pub(crate) async fn text_pdf(renderer: &Renderer, text: &[u8], request: ToPdf) -> (Vec<u8>, tympan_render::Prepared) {
    let mut pdf = Vec::new();
    let prepared = renderer.to_pdf(request, file(text), &mut pdf).await.unwrap();
    (pdf, prepared)
}

/// A PDF from the bodies of its objects 1, 2, ...; object 1 is the catalogue.
pub(crate) fn raw_pdf(objects: &[String], trailer: &str) -> Vec<u8> {
    let mut pdf = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(objects) {
        offsets.push(pdf.len());
        pdf.extend(format!("{number} 0 obj\n{object}\nendobj\n").into_bytes());
    }
    let xref = pdf.len();
    pdf.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).into_bytes());
    for offset in offsets {
        pdf.extend(format!("{offset:010} 00000 n \n").into_bytes());
    }
    pdf.extend(
        format!("trailer\n<< /Size {} /Root 1 0 R {trailer} >>\nstartxref\n{xref}\n%%EOF\n", objects.len() + 1)
            .into_bytes(),
    );
    pdf
}

pub(crate) fn stream(dictionary: &str, content: &str) -> String {
    format!("<< {dictionary} /Length {} >>\nstream\n{content}\nendstream", content.len())
}

/// Pages of the given sizes in points, each with the same content.
pub(crate) fn drawn_pdf(sizes: &[(f64, f64)], content: &str, resources: &str) -> Vec<u8> {
    let kids: Vec<String> = (0..sizes.len()).map(|i| format!("{} 0 R", 4 + i)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), sizes.len()),
        stream("", content),
    ];
    for (w, h) in sizes {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {w} {h}] /Contents 3 0 R /Resources << {resources} >> >>"
        ));
    }
    raw_pdf(&objects, "")
}

pub(crate) const A4: (f64, f64) = (595.276, 841.89);

/// A picture that is red in its top left quarter and white else.
pub(crate) fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        if x < width / 2 && y < height / 2 { Rgb([200, 0, 0]) } else { Rgb([255, 255, 255]) }
    });
    let mut out = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut out, format).unwrap();
    out.into_inner()
}
