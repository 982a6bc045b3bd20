//! Documents to pages: what kind it is, who reads it, and pages that come out one by one.
//!
//! A page that was read waits for the paper before the next one is read, so a long job costs the
//! disk of two pages, and a printer that is off or jammed reads nothing ahead.

mod raster;
mod rendered;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tympan_render::{Format, Renderer};

use crate::model::{Document, Media, Ticket};
use crate::page_image::PageImage;

/// Something that came out of a document.
#[derive(Debug)]
pub(crate) enum Decoded {
    /// How many pages will be printed, when that is known before they are.
    Total(u32),
    /// The next page.
    Page(PageImage),
}

/// Why no more pages come.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeFault {
    /// The document is to blame.
    #[error("the document cannot be printed: {0}")]
    Format(String),
    /// It ends too early.
    #[error("the document ends too early: {0}")]
    Cut(String),
    /// The printer is to blame.
    #[error("the printer could not make pages of it: {0}")]
    Failed(String),
}

impl From<io::Error> for DecodeFault {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What a reader of documents needs to know of the printer.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) folder: PathBuf,
    pub(crate) job_id: i32,
    pub(crate) renderer: Option<Renderer>,
    /// Paper when the job names none.
    pub(crate) media: Media,
    pub(crate) resolution: u32,
    pub(crate) color: bool,
}

impl Settings {
    /// The hidden name of a page that is not printed yet.
    fn part(&self, page: u32) -> PathBuf {
        self.folder.join(format!(".job-{:04}-p{page:03}.part", self.job_id))
    }
}

/// Pages on their way, at most one waiting.
pub(crate) type Pages = mpsc::Receiver<Result<Decoded, DecodeFault>>;

/// Begins to read a document. Dropping the result ends the reading.
pub(crate) fn decode(document: Document, ticket: Arc<Ticket>, settings: Settings) -> Pages {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let fault = match kind(&document) {
            Ok(Format::PwgRaster) => raster::pwg(document, settings, sender.clone()).await,
            Ok(Format::AppleRaster) => raster::urf(document, settings, sender.clone()).await,
            Ok(_) if document.cut => Err(DecodeFault::Cut("its end is missing".to_owned())),
            Ok(format) if format.is_printable() => rendered::pages(document, format, &ticket, &settings, &sender).await,
            Ok(Format::Empty) => Err(DecodeFault::Format("it is empty".to_owned())),
            Ok(format) => Err(DecodeFault::Format(format!("this printer takes no {}", format.name()))),
            Err(error) => Err(error.into()),
        };
        if let Err(fault) = fault {
            // Nobody waits any more when the job was canceled.
            let _ = sender.send(Err(fault)).await;
        }
    });
    receiver
}

/// What a document is: by its content, with a word from its declared type.
fn kind(document: &Document) -> io::Result<Format> {
    let mut start = vec![0; 4096];
    let mut got = 0;
    while got < start.len() {
        match document.file.read_at(&mut start[got..], got as u64)? {
            0 => break,
            n => got += n,
        }
    }
    let declared = document.format.as_deref().filter(|f| *f != "application/octet-stream");
    Ok(tympan_render::sniff(&start[..got], declared))
}

/// A second, read-only handle on a document, at its beginning.
fn reopen(document: &Document) -> io::Result<File> {
    use std::os::fd::AsRawFd;
    File::open(format!("/proc/self/fd/{}", document.file.as_raw_fd())).or_else(|_| {
        use std::io::Seek;
        let mut file = document.file.try_clone()?;
        file.rewind()?;
        Ok(file)
    })
}
