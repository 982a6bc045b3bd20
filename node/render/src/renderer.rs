//! The parent's side: starts a worker for each request, watches it and reads its frames.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::frame::{FRAME_OCTETS_MAX, Frame};
use crate::handover;
use crate::order::{FrameOrder, Passed};
use crate::request::Order;
use crate::{DocumentFacts, Fonts, Inspect, Limits, Notice, Output, Preview, Refusal, RefusalKind, Request, ToPdf};

/// How long a worker may take to lock itself in.
const READY_SECS_MAX: u64 = 30;
/// How much of a worker's last words is kept.
const STDERR_OCTETS_MAX: usize = 2048;
/// How much the pipe between worker and parent holds; a band then crosses in few steps.
const PIPE_OCTETS: usize = 1 << 20;

/// Why a request gave no or not all output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The document is refused; another try will say the same.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No worker could be started.
    #[error("could not start the render worker {program}")]
    Start {
        /// The program that was tried.
        program: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The worker could not be spoken with.
    #[error("could not talk to the render worker")]
    Talk(#[source] io::Error),
    /// The worker said something that it may not say; it was killed.
    #[error("the render worker broke its protocol: {what}")]
    Protocol {
        /// What was wrong.
        what: String,
    },
    /// The result could not be written where the caller wanted it.
    #[error("could not write what the render worker made")]
    Write(#[source] io::Error),
}

impl RenderError {
    /// The refusal, if the document is to blame.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Start { .. } | Self::Talk(_) | Self::Protocol { .. } | Self::Write(_) => None,
        }
    }

    /// Whether another try of the same may help.
    pub fn is_temporary(&self) -> bool {
        self.refusal().is_none()
    }
}

/// Starts workers, at most a few at a time. Cheap to clone; clones share the count.
#[derive(Clone, Debug)]
pub struct Renderer {
    /// The program to run as a worker.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// What each worker may use.
    pub limits: Limits,
    /// Which faces workers may use.
    pub fonts: Fonts,
    permits: Arc<Semaphore>,
}

impl Renderer {
    /// A renderer that runs `program` with `args`, two workers at a time, with default limits and fonts.
    pub fn new(program: impl Into<PathBuf>, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            limits: Limits::default(),
            fonts: Fonts::default(),
            permits: Arc::new(Semaphore::new(2)),
        }
    }

    /// A renderer that runs this very program again as `<program> worker`.
    ///
    /// # Errors
    /// When the system does not tell where the program lies.
    pub fn of_this_program() -> io::Result<Self> {
        // The link stays right when the file is replaced by an upgrade while we run.
        let link = PathBuf::from("/proc/self/exe");
        let program = if link.exists() { link } else { std::env::current_exe()? };
        Ok(Self::new(program, ["worker"]))
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// With other faces.
    #[must_use]
    pub fn with_fonts(mut self, fonts: Fonts) -> Self {
        self.fonts = fonts;
        self
    }

    /// With so many workers at a time, at least one.
    #[must_use]
    pub fn with_workers(mut self, workers: usize) -> Self {
        self.permits = Arc::new(Semaphore::new(workers.max(1)));
        self
    }

    /// Starts a worker on `input`, which is read from its beginning; waits while too many are running.
    ///
    /// Dropping the [`Run`] kills the worker.
    ///
    /// # Errors
    /// [`RenderError::Start`] or [`RenderError::Talk`]; what the document is refused for comes from [`Run::next`].
    pub async fn run(&self, request: impl Into<Request>, input: File) -> Result<Run, RenderError> {
        let request = request.into();
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        let order = FrameOrder::new(&request, &self.limits);
        let pages_asked = match &request {
            Request::Raster(raster) => {
                raster.last_page.map(|last| u64::from(last.saturating_sub(raster.first_page)) + 1)
            }
            Request::SplitMail(_) | Request::Inspect(_) | Request::ToPdf(_) | Request::Preview(_) => None,
        };
        let mut line = serde_json::to_vec(&Order { request, limits: self.limits.clone(), fonts: self.fonts.clone() })
            .map_err(|cause| RenderError::Talk(cause.into()))?;
        line.push(b'\n');

        let start_failed = |cause| RenderError::Start { program: self.program.clone(), cause };
        let (reader, writer) = io::pipe().map_err(start_failed)?;
        // A smaller pipe is only slower: the system may refuse more.
        let _ = rustix::pipe::fcntl_setpipe_size(&writer, PIPE_OCTETS);
        let frames = pipe::Receiver::from_owned_fd(OwnedFd::from(reader)).map_err(start_failed)?;
        let (ours, theirs) = StdUnixStream::pair().map_err(start_failed)?;
        let mut order_line =
            ours.set_nonblocking(true).and_then(|()| UnixStream::from_std(ours)).map_err(start_failed)?;
        let mut child = self.spawn(theirs.into(), writer.into()).map_err(start_failed)?;

        let stderr = child.stderr.take().map(|stderr| tokio::spawn(last_words(stderr)));
        let failed = handover::send(&mut order_line, &line, &input).await.err();
        if let Some(cause) = failed.filter(|cause| cause.kind() != io::ErrorKind::BrokenPipe) {
            return Err(RenderError::Talk(cause));
        }
        let wall = Duration::from_secs(self.limits.wall_secs_for(pages_asked.unwrap_or(0)));
        Ok(Run {
            child,
            _lifeline: order_line,
            stderr,
            frames,
            buffer: BytesMut::new(),
            order,
            limits: self.limits.clone(),
            waited: Duration::ZERO,
            wall,
            ended: false,
            files_locked: None,
            _permit: permit,
        })
    }

    fn spawn(&self, order: OwnedFd, frames: OwnedFd) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.args)
            .arg0("tympan-worker")
            // Nothing of the server's environment is a document's business.
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(order))
            .stdout(Stdio::from(frames))
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }

    /// Looks whether and how a document can be printed.
    ///
    /// # Errors
    /// As [`Run::next`].
    pub async fn inspect(&self, request: Inspect, input: File) -> Result<Document, RenderError> {
        let mut run = self.run(request, input).await?;
        let mut found = None;
        let mut notices = Vec::new();
        while let Some(output) = run.next().await? {
            match output {
                Output::Document(facts) => found = Some(facts),
                Output::Notice(notice) => notices.push(notice),
                _ => {}
            }
        }
        let facts = found.ok_or_else(|| RenderError::Protocol { what: "no document came".into() })?;
        Ok(Document { facts, notices })
    }

    /// Lays out text or a picture as PDF and writes that to `to`, which is flushed.
    ///
    /// # Errors
    /// As [`Run::next`], or [`RenderError::Write`].
    pub async fn to_pdf(
        &self,
        request: ToPdf,
        input: File,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Prepared, RenderError> {
        let mut run = self.run(request, input).await?;
        let mut found = None;
        let mut notices = Vec::new();
        let mut octets = 0;
        while let Some(output) = run.next().await? {
            match output {
                Output::Data(data) => {
                    octets += data.len() as u64;
                    to.write_all(&data).await.map_err(RenderError::Write)?;
                }
                Output::Document(facts) => found = Some(facts),
                Output::Notice(notice) => notices.push(notice),
                _ => {}
            }
        }
        to.flush().await.map_err(RenderError::Write)?;
        let facts = found.ok_or_else(|| RenderError::Protocol { what: "no document came".into() })?;
        Ok(Prepared { document: Document { facts, notices }, octets })
    }

    /// A small PNG picture of one page.
    ///
    /// # Errors
    /// As [`Run::next`].
    pub async fn preview(&self, request: Preview, input: File) -> Result<Bytes, RenderError> {
        let mut run = self.run(request, input).await?;
        let mut picture = BytesMut::new();
        while let Some(output) = run.next().await? {
            if let Output::Data(data) = output {
                picture.extend_from_slice(&data);
            }
        }
        Ok(picture.freeze())
    }
}

/// What [`Renderer::inspect`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What the document is like.
    pub facts: DocumentFacts,
    /// What its sender should know.
    pub notices: Vec<Notice>,
}

/// What [`Renderer::to_pdf`] wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// What the PDF is like.
    pub document: Document,
    /// How many octets it has.
    pub octets: u64,
}

/// A worker at work. Dropping it kills the worker.
#[derive(Debug)]
pub struct Run {
    child: Child,
    // When this end closes, because the run is dropped or the server dies, the worker ends itself.
    _lifeline: UnixStream,
    stderr: Option<JoinHandle<String>>,
    frames: pipe::Receiver,
    buffer: BytesMut,
    order: FrameOrder,
    limits: Limits,
    waited: Duration,
    wall: Duration,
    ended: bool,
    files_locked: Option<bool>,
    _permit: OwnedSemaphorePermit,
}

impl Run {
    /// The next piece of output, or `None` when all has come and the worker says that all is well.
    ///
    /// Not cancel-safe: drop the run when you stop waiting.
    ///
    /// # Errors
    /// [`RenderError::Refused`] when the document is to blame, with what the worker ran out of if it died; else a
    /// temporary error. After an error the worker is dead.
    pub async fn next(&mut self) -> Result<Option<Output>, RenderError> {
        if self.ended {
            return Ok(None);
        }
        let step = self.step().await;
        if !matches!(step, Ok(Some(_))) {
            self.ended = true;
            // Already dead is fine, and a zombie is reaped by the runtime.
            let _ = self.child.start_kill();
        }
        step
    }

    /// The worker's process id, while it runs.
    pub fn worker_pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether the kernel keeps the worker from all files (Landlock, Linux 5.13); `None` until the first output.
    pub fn files_locked(&self) -> Option<bool> {
        self.files_locked
    }

    async fn step(&mut self) -> Result<Option<Output>, RenderError> {
        loop {
            let began = Instant::now();
            let mut left = self.wall.saturating_sub(self.waited);
            if !self.order.is_ready() {
                left = left.min(Duration::from_secs(READY_SECS_MAX));
            }
            let read = tokio::time::timeout(left, read_frame(&mut self.frames, &mut self.buffer)).await;
            self.waited += began.elapsed();
            let frame = match read {
                Err(_) if !self.order.is_ready() => {
                    return Err(RenderError::Protocol { what: "it did not get ready in time".into() });
                }
                Err(_) => {
                    let secs = self.wall.as_secs();
                    return Err(refused(
                        RefusalKind::TooMuchTime,
                        format!("It takes longer than {secs} seconds to prepare."),
                    ));
                }
                Ok(Err(ReadError::Io(cause))) => return Err(RenderError::Talk(cause)),
                Ok(Err(ReadError::Frame(cause))) => {
                    return Err(RenderError::Protocol { what: cause });
                }
                Ok(Ok(None)) => return Err(self.died().await),
                Ok(Ok(Some(frame))) => frame,
            };
            match self.order.pass(frame).map_err(|wrong| RenderError::Protocol { what: wrong.what.into() })? {
                Passed::Ready { files_locked } => self.files_locked = Some(files_locked),
                Passed::End(Ok(())) => return Ok(None),
                Passed::End(Err(refusal)) => return Err(refusal.into()),
                Passed::Output(output) => {
                    if let Output::Pages { first, last, .. } = output {
                        self.wall = Duration::from_secs(self.limits.wall_secs_for(u64::from(last - first) + 1));
                    }
                    return Ok(Some(output));
                }
            }
        }
    }

    /// The pipe closed without a verdict: finds out what the worker died of.
    async fn died(&mut self) -> RenderError {
        let status = match tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await {
            Ok(Ok(status)) => status,
            Ok(Err(cause)) => return RenderError::Talk(cause),
            Err(_) => {
                return RenderError::Protocol { what: "it closed its output and went on".into() };
            }
        };
        let words = match self.stderr.take() {
            Some(task) => {
                tokio::time::timeout(Duration::from_secs(1), task).await.ok().and_then(Result::ok).unwrap_or_default()
            }
            None => String::new(),
        };
        tracing::debug!(status = %status, words = %words, "Render worker died");
        cause_of_death(status, &words, self.order.is_ready(), &self.limits)
    }
}

fn cause_of_death(status: ExitStatus, words: &str, was_ready: bool, limits: &Limits) -> RenderError {
    const SIGXCPU: i32 = 24;
    const SIGKILL: i32 = 9;
    if !was_ready {
        return RenderError::Protocol {
            what: format!("it ended before it was ready ({status}) {words}").trim_end().to_owned(),
        };
    }
    let memory = limits.memory_octets >> 20;
    match status.signal() {
        Some(SIGXCPU) => refused(RefusalKind::TooMuchTime, "It takes too much computing time to prepare."),
        _ if words.contains("memory allocation of") => {
            refused(RefusalKind::TooMuchMemory, format!("It needs more than {memory} MiB of memory to prepare."))
        }
        // Ours is the only hand that kills a worker, and it does not ask for the cause; so it was the kernel's: out of memory, or the hard CPU limit.
        Some(SIGKILL) => refused(RefusalKind::TooMuchMemory, "It needs more memory or computing time than there is."),
        _ => refused(
            RefusalKind::RendererFailed,
            "It makes the renderer fail; it may be damaged. Print it to a new PDF and send that.",
        ),
    }
}

fn refused(kind: RefusalKind, text: impl Into<String>) -> RenderError {
    RenderError::Refused(Refusal::new(kind, text))
}

enum ReadError {
    Io(io::Error),
    Frame(String),
}

/// One frame, or `None` at the end of the stream. Half a frame at the end counts as the end: the worker died writing it.
async fn read_frame(from: &mut (impl AsyncRead + Unpin), buffer: &mut BytesMut) -> Result<Option<Frame>, ReadError> {
    loop {
        if let Some(head) = buffer.first_chunk::<4>() {
            let octets = u32::from_le_bytes(*head) as usize;
            if octets > FRAME_OCTETS_MAX {
                return Err(ReadError::Frame(format!("a frame of {octets} octets is longer than allowed")));
            }
            if buffer.len() >= 4 + octets {
                let mut frame = buffer.split_to(4 + octets).freeze();
                let body = frame.split_off(4);
                return Frame::decode(body).map(Some).map_err(|cause| ReadError::Frame(cause.to_string()));
            }
            buffer.reserve(4 + octets - buffer.len());
        } else {
            buffer.reserve(64 << 10);
        }
        match from.read_buf(buffer).await {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(cause) => return Err(ReadError::Io(cause)),
        }
    }
}

async fn last_words(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let mut chunk = [0; 1024];
    // Reads on to the end so that a worker that talks a lot is not stuck, but keeps little.
    while let Ok(octets @ 1..) = stderr.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..octets]);
        if kept.len() > 2 * STDERR_OCTETS_MAX {
            kept.drain(..kept.len() - STDERR_OCTETS_MAX);
        }
    }
    String::from_utf8_lossy(&kept).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_worker_died_of_is_told_in_kinds() {
        let kind = |raw: i32, words: &str| {
            let error = cause_of_death(ExitStatus::from_raw(raw), words, true, &Limits::default());
            error.refusal().map(|refusal| refusal.kind)
        };
        assert_eq!(kind(24, ""), Some(RefusalKind::TooMuchTime));
        assert_eq!(kind(6, "memory allocation of 4294967296 bytes failed"), Some(RefusalKind::TooMuchMemory));
        assert_eq!(kind(9, ""), Some(RefusalKind::TooMuchMemory));
        assert_eq!(kind(11, ""), Some(RefusalKind::RendererFailed));
        assert_eq!(kind(0, ""), Some(RefusalKind::RendererFailed));
        let early = cause_of_death(ExitStatus::from_raw(256), "no such command", false, &Limits::default());
        assert!(early.is_temporary());
    }

    #[tokio::test]
    async fn half_a_frame_at_the_end_is_the_end() {
        let mut buffer = BytesMut::new();
        let mut from = &[9, 0, 0, 0, b'd', 1, 2][..];
        assert!(matches!(read_frame(&mut from, &mut buffer).await, Ok(None)));
        let mut endless = &[0xFF, 0xFF, 0xFF, 0xFF, b'd'][..];
        assert!(matches!(read_frame(&mut endless, &mut BytesMut::new()).await, Err(ReadError::Frame(_))));
    }
}
