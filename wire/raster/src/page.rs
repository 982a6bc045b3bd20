//! The reader that both formats share: a push parser over file header, page headers and lines.

use alloc::vec::Vec;

use crate::error::RasterError;
use crate::limits::Limits;
pub use crate::line::Code80;
use crate::line::{LineDecoder, LineFault};

/// What a reader found.
#[derive(Debug, PartialEq)]
pub enum Event<'a, Header> {
    /// A page begins.
    Page(Header),
    /// `count` equal lines, the first of them number `first` (from 0); `row` is one of them.
    Lines {
        /// Number of the first line, from 0 at the top of the bitmap as it was sent.
        first: u32,
        /// How many lines look like this, 1 to 256.
        count: u32,
        /// The pixels of one such line.
        row: &'a [u8],
    },
    /// The page has all its lines.
    EndPage,
}

/// The measures of a page that the reader needs.
#[derive(Debug, Clone, Copy)]
pub struct Geometry {
    /// Pixels in a line.
    pub width: u32,
    /// Lines.
    pub height: u32,
    /// Octets in a line.
    pub bytes_per_line: u64,
    /// Octets that are coded as one value.
    pub unit: usize,
    /// Octet of an empty pixel.
    pub white: u8,
}

/// One of the two formats. Implemented here only.
pub trait PageFormat: sealed::Sealed {
    /// Its page header.
    type Header: Clone;
    /// Octets before the first page.
    const FILE_HEADER_OCTETS: usize;
    /// Octets of a page header.
    const PAGE_HEADER_OCTETS: usize;
    /// What 0x80 means in a line.
    const CODE_80: Code80;
    /// Checks the file header; gives the number of pages if it is told there.
    fn file_header(octets: &[u8]) -> Result<Option<u32>, RasterError>;
    /// Reads a page header; `page` counts from 1.
    fn page_header(octets: &[u8], page: u32) -> Result<Self::Header, RasterError>;
    /// The measures of a page.
    fn geometry(header: &Self::Header) -> Geometry;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    FileHeader,
    PageHeader,
    Repeat,
    Codes {
        times: u32,
    },
    /// A page's last line was given; its end is told next.
    PageDone,
    Failed,
}

/// Reads a raster that is pushed in pieces.
///
/// After each [`push`](Self::push) call [`next`](Self::next) until it gives `None`; at the end of
/// the input call [`finish`](Self::finish). An error is final: it comes again at every later call.
#[derive(Debug, Clone)]
pub struct Reader<F: PageFormat> {
    limits: Limits,
    input: Vec<u8>,
    eaten: usize,
    at: At,
    page: u32,
    pages_announced: Option<u32>,
    line: u32,
    height: u32,
    octets: u64,
    decoder: LineDecoder,
    error: Option<RasterError>,
    format: core::marker::PhantomData<F>,
}

impl<F: PageFormat> Default for Reader<F> {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl<F: PageFormat> Reader<F> {
    /// A reader at the first octet of a file.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            input: Vec::new(),
            eaten: 0,
            at: At::FileHeader,
            page: 0,
            pages_announced: None,
            line: 0,
            height: 0,
            octets: 0,
            decoder: LineDecoder::new(F::CODE_80),
            error: None,
            format: core::marker::PhantomData,
        }
    }

    /// Takes the next octets. The reader keeps what [`next`](Self::next) has not used yet, so push
    /// pieces of a bounded size and read all events between.
    pub fn push(&mut self, octets: &[u8]) {
        if self.at == At::Failed {
            return;
        }
        self.input.drain(..self.eaten);
        self.eaten = 0;
        self.input.extend_from_slice(octets);
    }

    /// The next event, or `None` when more octets are needed.
    #[allow(clippy::should_implement_trait, reason = "the event borrows from the reader")]
    pub fn next(&mut self) -> Result<Option<Event<'_, F::Header>>, RasterError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        match self.step() {
            Ok(Step::More) => Ok(None),
            Ok(Step::Page(header)) => Ok(Some(Event::Page(header))),
            Ok(Step::EndPage) => Ok(Some(Event::EndPage)),
            Ok(Step::Lines { first, count }) => Ok(Some(Event::Lines { first, count, row: self.decoder.row() })),
            Err(error) => {
                self.at = At::Failed;
                self.input = Vec::new();
                self.eaten = 0;
                self.error = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Tells whether the input may end here: after whole pages (or, as the format allows, none).
    pub fn finish(&self) -> Result<(), RasterError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        match self.at {
            At::PageHeader if self.eaten == self.input.len() => match self.pages_announced {
                Some(pages) if pages > self.page => Err(RasterError::Truncated { page: self.page + 1, line: 0 }),
                _ => Ok(()),
            },
            At::FileHeader => Err(RasterError::Truncated { page: 0, line: 0 }),
            At::PageHeader => Err(RasterError::Truncated { page: self.page + 1, line: 0 }),
            At::PageDone => Ok(()),
            At::Repeat | At::Codes { .. } | At::Failed => {
                Err(RasterError::Truncated { page: self.page, line: self.line })
            }
        }
    }

    /// Pages begun so far.
    pub fn pages(&self) -> u32 {
        self.page
    }

    fn step(&mut self) -> Result<Step<F::Header>, RasterError> {
        loop {
            match self.at {
                At::FileHeader => {
                    let Some(octets) = self.peek(F::FILE_HEADER_OCTETS) else {
                        return Ok(Step::More);
                    };
                    self.pages_announced = F::file_header(octets)?;
                    self.eaten += F::FILE_HEADER_OCTETS;
                    self.at = At::PageHeader;
                }
                At::PageHeader => {
                    let page = self.page + 1;
                    let Some(octets) = self.peek(F::PAGE_HEADER_OCTETS) else {
                        return Ok(Step::More);
                    };
                    if page > self.limits.pages_max {
                        return Err(limit(page, "number of pages", page.into(), self.limits.pages_max.into()));
                    }
                    let header = F::page_header(octets, page)?;
                    let geometry = F::geometry(&header);
                    self.check(&geometry, page)?;
                    self.eaten += F::PAGE_HEADER_OCTETS;
                    self.page = page;
                    self.line = 0;
                    self.height = geometry.height;
                    self.decoder.begin_page(geometry.bytes_per_line as usize, geometry.unit, geometry.white);
                    self.at = At::Repeat;
                    return Ok(Step::Page(header));
                }
                At::Repeat => {
                    let Some(&[repeat]) = self.peek(1).and_then(|o| o.first_chunk::<1>()) else {
                        return Ok(Step::More);
                    };
                    self.eaten += 1;
                    let times = u32::from(repeat) + 1;
                    if times > self.height - self.line {
                        return Err(RasterError::RepeatPastPage { page: self.page, line: self.line });
                    }
                    self.decoder.begin_line();
                    self.at = At::Codes { times };
                }
                At::Codes { times } => {
                    let (eaten, full) =
                        self.decoder.decode(&self.input[self.eaten..]).map_err(|fault| match fault {
                            LineFault::RunPastLine => RasterError::RunPastLine { page: self.page, line: self.line },
                            LineFault::UndefinedCode => RasterError::UndefinedCode { page: self.page, line: self.line },
                        })?;
                    self.eaten += eaten;
                    if !full {
                        return Ok(Step::More);
                    }
                    let first = self.line;
                    self.line += times;
                    self.at = if self.line == self.height { At::PageDone } else { At::Repeat };
                    return Ok(Step::Lines { first, count: times });
                }
                At::PageDone => {
                    self.at = At::PageHeader;
                    return Ok(Step::EndPage);
                }
                At::Failed => {
                    return Err(RasterError::Truncated { page: self.page, line: self.line });
                }
            }
        }
    }

    fn peek(&self, octets: usize) -> Option<&[u8]> {
        self.input[self.eaten..].get(..octets)
    }

    fn check(&mut self, geometry: &Geometry, page: u32) -> Result<(), RasterError> {
        let limits = &self.limits;
        for (what, value, limit_value) in [
            ("width", u64::from(geometry.width), u64::from(limits.width_max)),
            ("height", u64::from(geometry.height), u64::from(limits.height_max)),
            ("octets per line", geometry.bytes_per_line, u64::from(limits.bytes_per_line_max)),
        ] {
            if value == 0 {
                return Err(RasterError::Field { page, field: what, value });
            }
            if value > limit_value {
                return Err(limit(page, what, value, limit_value));
            }
        }
        let page_octets = geometry.bytes_per_line * u64::from(geometry.height);
        self.octets = self.octets.saturating_add(page_octets);
        if self.octets > limits.octets_max {
            return Err(limit(page, "size of all pages in octets", self.octets, limits.octets_max));
        }
        Ok(())
    }
}

enum Step<Header> {
    More,
    Page(Header),
    Lines { first: u32, count: u32 },
    EndPage,
}

fn limit(page: u32, what: &'static str, value: u64, limit: u64) -> RasterError {
    RasterError::Limit { page, what, value, limit }
}
