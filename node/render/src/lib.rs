//! Documents to pages: inspect, split a mail, lay out text and pictures as PDF, rasterise PDF.
//!
//! Nothing that came from outside is decoded in the server's own process. A [`Renderer`] starts the
//! program again as a worker for each request, gives it the document as a read-only descriptor and
//! reads frames back; the worker ([`worker::run_worker`]) locks itself in before it reads the first
//! byte, and dies alone when it runs out of memory, time or sense. What a caller sees is a stream of
//! [`Output`] in a checked order, or a [`Refusal`] whose kind can be translated.
//!
//! *Invariant:* this crate opens no network connection and writes no file.

mod format;
mod frame;
mod handover;
mod limits;
mod order;
mod output;
pub mod pictures;
mod refusal;
mod renderer;
mod request;
pub mod worker;

pub use format::{Format, sniff};
pub use limits::Limits;
pub use output::{
    Disposition, DocumentFacts, MailAddress, MailFacts, Notice, Output, PageFacts, PageHeader, PartHeader, PartRole,
};
pub use pictures::{Paper, PicturesInPdf};
pub use refusal::{Refusal, RefusalKind};
pub use renderer::{Document, Prepared, RenderError, Renderer, Run};
pub use request::{
    BackSide, Colour, Face, Fonts, HeadingLine, Inspect, Margins, Orientation, PageSetup, Preview, Raster, Request,
    Scaling, Several, SplitMail, ToPdf,
};
