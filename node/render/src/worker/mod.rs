//! The worker's side: a process that is locked in, does one request and ends.
//!
//! Standard input is a socket: it brings the request as one JSON line, with the document as a descriptor, and then
//! stays open as a lifeline: when it closes, the worker ends itself. Standard output takes frames. Before the first
//! octet of the document is read, the limits stand, no privilege can be gained and, where the kernel can, no file can
//! be opened.

mod charset;
mod colour;
mod fonts;
mod inspect;
mod mail;
mod out;
mod pdf;
mod picture;
mod place;
mod preview;
mod raster;
mod raster_in;
mod sandbox;
mod text;
mod to_pdf;
mod tone;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use crate::frame::{Frame, Ready, Verdict};
use crate::handover;
use crate::request::Order;
use crate::{Format, Limits, Refusal, RefusalKind, Request, sniff};
use fonts::Faces;
use out::Out;

/// Why a piece of work ended early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The document is to blame.
    Refused(Refusal),
    /// Nobody reads any more.
    Unheard,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

pub(crate) fn refuse<T>(kind: RefusalKind, text: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Refused(Refusal::new(kind, text)))
}

/// Runs as a render worker and ends with it: what the hidden subcommand `tympan worker` does.
///
/// It must be called before the process has opened files or started threads of its own.
pub fn run_worker() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("render worker: {cause}");
            ExitCode::FAILURE
        }
    }
}

fn work() -> io::Result<()> {
    let mut parent = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let (line, input) = handover::receive(&mut parent)?;
    let order: Order = serde_json::from_slice(&line)?;
    let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    // What a library might print is no frame; it joins our last words.
    rustix::stdio::dup2_stdout(io::stderr())?;
    let faces = Faces::open(&order.fonts);
    let mut out = Out::new(output);

    let files_locked = sandbox::lock_in(&order.limits)?;
    if out.frame(&Frame::Ready(Ready { files_locked })).is_err() {
        return Ok(());
    }

    let done = catch_unwind(AssertUnwindSafe(|| perform(&order, input, faces, &mut out)));
    let verdict = match done {
        Ok(Ok(())) => Verdict::Fine,
        Ok(Err(Stop::Refused(refusal))) => Verdict::Refused(refusal),
        Ok(Err(Stop::Unheard)) => return Ok(()),
        Err(_) => Verdict::Refused(match order.request {
            Request::SplitMail(_) => {
                Refusal::new(RefusalKind::Broken, "The mail is damaged and could not be taken apart.")
            }
            _ => Refusal::new(
                RefusalKind::RendererFailed,
                "It makes the renderer fail; it may be damaged. Print it to a new PDF and send that.",
            ),
        }),
    };
    let _ = out.frame(&Frame::Verdict(verdict));
    Ok(())
}

fn perform(order: &Order, mut input: File, faces: Faces, out: &mut Out) -> Result<(), Stop> {
    let limits = &order.limits;
    let data = read_input(&mut input, limits)?;
    match &order.request {
        Request::SplitMail(request) => mail::split(request, limits, &data, out),
        Request::Inspect(request) => inspect::inspect(request, limits, data, faces, out),
        Request::ToPdf(request) => to_pdf::to_pdf(request, limits, data, faces, out),
        Request::Raster(request) => raster::raster(request, limits, data, faces, out),
        Request::Preview(request) => preview::preview(request, limits, data, faces, out),
    }
}

/// The whole input in memory: it is this process's memory, which is bounded and ends with it.
fn read_input(input: &mut File, limits: &Limits) -> Result<Vec<u8>, Stop> {
    let expected = input.metadata().map(|metadata| metadata.len()).unwrap_or(0);
    if expected > limits.input_octets {
        return refuse(RefusalKind::TooLarge, format!("It is larger than {} MiB.", limits.input_octets >> 20));
    }
    let mut data = Vec::with_capacity(expected as usize);
    match input.take(limits.input_octets + 1).read_to_end(&mut data) {
        Ok(_) if data.len() as u64 > limits.input_octets => {
            refuse(RefusalKind::TooLarge, format!("It is larger than {} MiB.", limits.input_octets >> 20))
        }
        Ok(_) => Ok(data),
        Err(_) => refuse(RefusalKind::RendererFailed, "It could not be read from the store."),
    }
}

/// What the document really is; refuses what no page can be made of.
fn printable_format(data: &[u8], declared: Option<Format>) -> Result<Format, Stop> {
    // A caller that declares text means it, even where HTML stands in it.
    let declared_type = declared.filter(|format| matches!(format, Format::Text | Format::Html)).map(Format::media_type);
    let format = sniff(data, declared_type);
    match format {
        Format::Empty => refuse(RefusalKind::Empty, "It is empty."),
        found if found.is_printable() => Ok(found),
        Format::Unknown if declared == Some(Format::Pdf) => {
            refuse(RefusalKind::Broken, "It says that it is a PDF but is none.")
        }
        found => refuse(
            RefusalKind::UnknownType,
            format!("It is a file that we cannot print ({}). We can print {}.", found.name(), Format::PRINTABLE),
        ),
    }
}
