//! What a worker can be asked to do.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Format, Limits};

/// One piece of work for one worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Take a mail apart: [`Output::Mail`](crate::Output::Mail), then its parts.
    SplitMail(SplitMail),
    /// Look whether and how a document can be printed: [`Output::Document`](crate::Output::Document).
    Inspect(Inspect),
    /// Lay out text or a picture as PDF: one part, then [`Output::Document`](crate::Output::Document).
    ToPdf(ToPdf),
    /// Make pixels of pages: [`Output::Pages`](crate::Output::Pages), then each page in bands.
    Raster(Raster),
    /// Make a small PNG picture of one page: one part.
    Preview(Preview),
}

/// What the worker reads on its standard input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) request: Request,
    pub(crate) limits: Limits,
    pub(crate) fonts: Fonts,
}

/// Takes a mail apart (RFC 5322, RFC 2045-2049).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitMail {
    /// A picture whose sides are both below this many pixels is a logo, no document. Default 200; 0 keeps all.
    pub logo_side: u32,
}

impl Default for SplitMail {
    fn default() -> Self {
        Self { logo_side: 200 }
    }
}

/// Looks at a document without making anything of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspect {
    /// What it is, as [`sniff`](crate::sniff) found or a client declared; the content is looked at again.
    pub format: Option<Format>,
    /// The character set that was declared for a text, if any.
    pub charset: Option<String>,
    /// The paper on which text would be laid out, to count its pages.
    pub setup: PageSetup,
    /// Whether to find out for each page if it has colour; this interprets every page.
    pub colour: bool,
}

/// Lays out text or a picture as PDF. A PDF comes out as it went in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToPdf {
    /// As in [`Inspect::format`].
    pub format: Option<Format>,
    /// As in [`Inspect::charset`].
    pub charset: Option<String>,
    /// Paper and its unprintable edges.
    pub setup: PageSetup,
    /// Lines above the text on its first page, for a mail: from, to, date, subject.
    pub heading: Vec<HeadingLine>,
    /// The face for text.
    pub face: Face,
    /// The title that the PDF carries.
    pub title: Option<String>,
}

/// Makes pixels of pages, as a printer takes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Raster {
    /// As in [`Inspect::format`].
    pub format: Option<Format>,
    /// As in [`Inspect::charset`].
    pub charset: Option<String>,
    /// First page, from 1.
    pub first_page: u32,
    /// Last page; without it all that follow. A number beyond the end means the end.
    pub last_page: Option<u32>,
    /// The paper.
    pub setup: PageSetup,
    /// Dots per inch, across and along the feed.
    pub resolution: (u32, u32),
    /// Width and height of the raster in pixels; without it, the paper's at that resolution.
    pub size: Option<(u32, u32)>,
    /// Pixels wanted.
    pub colour: Colour,
    /// How a page is fitted to the paper.
    pub scaling: Scaling,
    /// How a page lies on the paper; without it, it is turned when that fits better.
    pub orientation: Option<Orientation>,
    /// Several pages on one side. Sides are counted then, in place of pages.
    #[serde(default)]
    pub several: Option<Several>,
    /// For printing on both sides: how each second page must be turned. Without it all pages are fronts.
    pub back: Option<BackSide>,
}

/// Several pages on one side ("number-up"), in the order in which they are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Several {
    /// Pages on one side, 2 to 16.
    pub number_up: u32,
    /// The pages, from 1, in order; [`Raster::first_page`] and [`Raster::last_page`] mean nothing beside them.
    pub pages: Vec<u32>,
}

/// Makes a small PNG picture of one page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// As in [`Inspect::format`].
    pub format: Option<Format>,
    /// As in [`Inspect::charset`].
    pub charset: Option<String>,
    /// The paper on which text or a picture is laid out first.
    pub setup: PageSetup,
    /// The page, from 1.
    pub page: u32,
    /// Longest side of the picture, in pixels, 16 to 4096.
    pub side: u32,
}

/// Paper: its size and the edges on which nothing can be printed, in hundredths of a millimetre as in "media-col".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageSetup {
    /// "x-dimension".
    pub width: u32,
    /// "y-dimension".
    pub height: u32,
    /// The unprintable edges.
    pub margins: Margins,
}

impl PageSetup {
    /// ISO A4 with edges of 4.23 mm, which most printers need.
    pub const A4: Self = Self { width: 21_000, height: 29_700, margins: Margins::all(423) };
}

impl Default for PageSetup {
    fn default() -> Self {
        Self::A4
    }
}

/// Four edges, in hundredths of a millimetre ("media-top-margin" and so on).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Margins {
    /// Top.
    pub top: u32,
    /// Right.
    pub right: u32,
    /// Bottom.
    pub bottom: u32,
    /// Left.
    pub left: u32,
}

impl Margins {
    /// The same on all four edges.
    pub const fn all(edge: u32) -> Self {
        Self { top: edge, right: edge, bottom: edge, left: edge }
    }
}

/// One line above a text: "From" and its value. The caller translates the label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadingLine {
    /// The label, without colon.
    pub label: String,
    /// The value; what is too long is wrapped.
    pub value: String,
}

/// How text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Face {
    /// As in a letter: for the body of a mail.
    #[default]
    Proportional,
    /// All characters equally wide: for files whose columns matter.
    Fixed,
}

/// Which pixels come out ("pwg-raster-document-type-supported").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// One octet a pixel, 0 black to 255 white.
    Sgray8,
    /// Three octets a pixel: red, green, blue.
    Srgb8,
    /// One bit a pixel, 1 is black, the first pixel in the highest bit; halftones by error diffusion.
    Black1,
}

impl Colour {
    /// Bits of one pixel.
    pub fn bits_per_pixel(self) -> u32 {
        match self {
            Self::Black1 => 1,
            Self::Sgray8 => 8,
            Self::Srgb8 => 24,
        }
    }

    /// Octets of one row.
    pub fn bytes_per_line(self, width: u32) -> u32 {
        (width * self.bits_per_pixel()).div_ceil(8)
    }
}

/// "print-scaling" (PWG 5100.16 section 5.2.22 gives the words).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Made smaller when it does not fit into the printable area, else as it is, in the middle.
    #[default]
    Auto,
    /// Made as large as the printable area allows, larger or smaller.
    Fit,
    /// Fills the paper, edges included; what is over is cut.
    Fill,
    /// As it is, in the middle of the paper; what is over is cut.
    None,
    /// As it is where it has the size of the paper, else as [`Scaling::Auto`].
    SameSize,
}

/// "orientation-requested" (RFC 8011 section 5.2.10): how the page is turned on the paper, anticlockwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// Not turned.
    Portrait,
    /// By 90 degrees.
    Landscape,
    /// By 180 degrees.
    ReversePortrait,
    /// By 270 degrees.
    ReverseLandscape,
}

/// What a printer wants done to back sides: CrossFeedTransform and FeedTransform (PWG 5102.4 section 4.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackSide {
    /// Mirrored left to right (CrossFeedTransform -1).
    pub cross_feed_flipped: bool,
    /// Mirrored top to bottom (FeedTransform -1).
    pub feed_flipped: bool,
}

/// Which faces a worker may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fonts {
    /// Whether the Japanese face that is part of the program is used. Default true.
    pub embedded_japanese: bool,
    /// A folder with more faces (TrueType, OpenType, collections), used for what the embedded ones cannot show.
    pub folder: Option<PathBuf>,
}

impl Default for Fonts {
    fn default() -> Self {
        Self { embedded_japanese: true, folder: None }
    }
}

impl From<SplitMail> for Request {
    fn from(request: SplitMail) -> Self {
        Self::SplitMail(request)
    }
}

impl From<Inspect> for Request {
    fn from(request: Inspect) -> Self {
        Self::Inspect(request)
    }
}

impl From<ToPdf> for Request {
    fn from(request: ToPdf) -> Self {
        Self::ToPdf(request)
    }
}

impl From<Raster> for Request {
    fn from(request: Raster) -> Self {
        Self::Raster(request)
    }
}

impl From<Preview> for Request {
    fn from(request: Preview) -> Self {
        Self::Preview(request)
    }
}
