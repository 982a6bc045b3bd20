//! A document on its way out, that notes how far it came while it is read.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Duration, Instant};
use tympan_engine::{AttemptEvent, AttemptNumber, JobUuid};
use tympan_spooler::Spooler;

/// Reads through; at half its length, and each time a span has passed, the octets so far are written down
/// before any more is read. What is read next is sent after that.
pub(crate) struct Watched {
    inner: Box<dyn AsyncRead + Send + Unpin>,
    spooler: Spooler,
    job: JobUuid,
    attempt: AttemptNumber,
    half: u64,
    at: u64,
    noted_half: bool,
    noted_at: Instant,
    every: Duration,
    noting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Watched {
    pub(crate) fn new(
        inner: Box<dyn AsyncRead + Send + Unpin>,
        octets: u64,
        spooler: &Spooler,
        job: JobUuid,
        attempt: AttemptNumber,
        every: Duration,
    ) -> Self {
        Self {
            inner,
            spooler: spooler.clone(),
            job,
            attempt,
            half: octets.div_ceil(2),
            at: 0,
            noted_half: false,
            noted_at: Instant::now(),
            every,
            noting: None,
        }
    }

    fn note(&mut self) {
        let is_half = self.at == self.half && !self.noted_half;
        if !is_half && self.noted_at.elapsed() < self.every {
            return;
        }
        self.noted_half |= is_half;
        self.noted_at = Instant::now();
        let (spooler, job, attempt, at) = (self.spooler.clone(), self.job, self.attempt, self.at);
        self.noting = Some(Box::pin(async move {
            // A stale attempt is noticed by whoever sends; here it is only not counted.
            let _ = spooler.attempt_event(job, attempt, AttemptEvent::Sent(at)).await;
            if is_half {
                spooler.crash_point("C13").await;
            }
        }));
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.noting.is_none() && this.at > 0 {
            this.note();
        }
        if let Some(noting) = &mut this.noting {
            ready!(noting.as_mut().poll(cx));
            this.noting = None;
        }
        let room = match this.half.checked_sub(this.at) {
            Some(left) if left > 0 => buf.remaining().min(usize::try_from(left).unwrap_or(usize::MAX)),
            _ => buf.remaining(),
        };
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        ready!(Pin::new(&mut this.inner).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        buf.advance(read);
        this.at += read as u64;
        Poll::Ready(Ok(()))
    }
}
