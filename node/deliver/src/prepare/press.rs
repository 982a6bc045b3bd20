//! Where drawn sides go: PWG Raster, or pictures in a PDF; written into a stored document as they come.

use tympan_raster::pwg::{self, PageHeader};
use tympan_raster::sheet_back::Transform;
use tympan_raster::{Limits, RasterError};
use tympan_render::{Paper, PicturesInPdf};
use tympan_store::{DocumentWriter, NewDocument, StoreError};

use super::plan::{Drawing, Form};

/// The buffer is written out when it holds so many octets.
const BUFFER: usize = 64 * 1024;
/// Rows of a blank side that are made at a time.
const BLANK_ROWS: u32 = 256;

/// Why a side was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PressError {
    #[error("the drawn pages are no valid raster: {0}")]
    Raster(#[from] RasterError),
    #[error("the drawn pages could not be packed")]
    Pack(#[from] std::io::Error),
    #[error("the print data could not be stored")]
    Store(#[from] StoreError),
}

enum Sink {
    Raster { encoder: pwg::Encoder, check: Box<pwg::Reader>, checked: u32 },
    Pdf(Box<PicturesInPdf>),
}

/// Takes sides in order.
pub(crate) struct Press {
    sink: Sink,
    drawing: Drawing,
    /// Width and height of a side, in pixels.
    pixels: (u32, u32),
    sides_in_all: u32,
    copies: u16,
    sides: u32,
    buffer: Vec<u8>,
    writer: DocumentWriter,
}

impl Press {
    /// Begins; `sides_in_all` over all copies.
    pub(crate) fn new(form: Form, drawing: &Drawing, sides_in_all: u32, copies: u16, writer: DocumentWriter) -> Self {
        let mut buffer = Vec::new();
        let sink = match form {
            Form::PicturesInPdf => Sink::Pdf(Box::new(PicturesInPdf::new(&mut buffer))),
            Form::Untouched | Form::LaidOut | Form::Raster => {
                let mut encoder = pwg::Encoder::new();
                encoder.start(&mut buffer);
                Sink::Raster { encoder, check: Box::new(pwg::Reader::new(Limits::default())), checked: 0 }
            }
        };
        let pixels = drawing.size.dots(drawing.dpi, drawing.dpi);
        Self { sink, drawing: drawing.clone(), pixels, sides_in_all, copies, sides: 0, buffer, writer }
    }

    /// Width and height of a side, in pixels.
    pub(crate) const fn pixels(&self) -> (u32, u32) {
        self.pixels
    }

    /// Whether the next side is a back.
    fn is_back(&self) -> bool {
        self.drawing.is_duplex() && self.sides % 2 == 1
    }

    fn header(&self) -> PageHeader {
        let (width, height) = self.pixels;
        let mut header =
            PageHeader::new(self.drawing.pixel_type(), width, height, self.drawing.dpi).with_sides(self.drawing.sides);
        let (x, y) = self.drawing.size.points();
        header.page_size = (x.round() as u32, y.round() as u32);
        header.page_size_name.clone_from(&self.drawing.media);
        header.total_page_count = self.sides_in_all;
        header.transform = if self.is_back() { self.drawing.back } else { Transform::NONE };
        header
    }

    /// Begins a side.
    pub(crate) fn begin(&mut self) -> Result<(), PressError> {
        let header = self.header();
        self.begin_as(&header)
    }

    /// Begins a side that was drawn before.
    pub(crate) fn begin_as(&mut self, header: &PageHeader) -> Result<(), PressError> {
        match &mut self.sink {
            Sink::Raster { encoder, .. } => encoder.page(header, &mut self.buffer)?,
            Sink::Pdf(pdf) => {
                let paper = Paper::of(self.drawing.size.points());
                pdf.begin_page(self.drawing.colour, (header.width, header.height), paper, &mut self.buffer);
            }
        }
        self.sides += 1;
        Ok(())
    }

    /// Takes whole rows.
    pub(crate) async fn lines(&mut self, rows: &[u8]) -> Result<(), PressError> {
        match &mut self.sink {
            Sink::Raster { encoder, .. } => encoder.lines(rows, &mut self.buffer)?,
            Sink::Pdf(pdf) => pdf.lines(rows, &mut self.buffer)?,
        }
        if self.buffer.len() >= BUFFER { self.write_out().await } else { Ok(()) }
    }

    /// Ends the side.
    pub(crate) async fn end(&mut self) -> Result<(), PressError> {
        match &mut self.sink {
            Sink::Raster { encoder, .. } => encoder.end_page(&mut self.buffer)?,
            Sink::Pdf(pdf) => pdf.end_page(&mut self.buffer)?,
        }
        self.write_out().await
    }

    /// A side with nothing on it.
    pub(crate) async fn blank(&mut self) -> Result<(), PressError> {
        if let Sink::Pdf(pdf) = &mut self.sink {
            pdf.blank_page(Paper::of(self.drawing.size.points()));
            self.sides += 1;
            return Ok(());
        }
        self.begin()?;
        let (width, height) = self.pixels;
        let pixel_type = self.drawing.pixel_type();
        let white = pixel_type.color_space.white_octet();
        let row = pixel_type.bytes_per_line(width) as usize;
        let rows = vec![white; row * BLANK_ROWS.min(height) as usize];
        let mut left = height;
        while left > 0 {
            let now = left.min(BLANK_ROWS);
            self.lines(&rows[..row * now as usize]).await?;
            left -= now;
        }
        self.end().await
    }

    async fn write_out(&mut self) -> Result<(), PressError> {
        match &mut self.sink {
            Sink::Raster { check, checked, .. } => {
                // A printer sees nothing that a reader of ours would not take.
                check.push(&self.buffer);
                while let Some(event) = check.next()? {
                    if matches!(event, pwg::Event::EndPage) {
                        *checked += 1;
                    }
                }
            }
            Sink::Pdf(pdf) => pdf.taken(self.buffer.len()),
        }
        self.writer.write(&self.buffer).await?;
        self.buffer.clear();
        Ok(())
    }

    /// Ends the data. Not committed yet.
    pub(crate) async fn finish(mut self) -> Result<NewDocument, PressError> {
        self.write_out().await?;
        match self.sink {
            Sink::Raster { check, checked, .. } => {
                check.finish()?;
                if checked != self.sides {
                    return Err(RasterError::Truncated { page: checked, line: 0 }.into());
                }
            }
            Sink::Pdf(pdf) => {
                pdf.finish(self.copies, &mut self.buffer);
                self.writer.write(&self.buffer).await?;
            }
        }
        Ok(self.writer.finish().await?)
    }
}
