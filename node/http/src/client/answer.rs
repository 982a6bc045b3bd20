//! An answer: its head, and its body piece by piece within bounds.

use std::{io, net::SocketAddr, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use tokio::{io::AsyncReadExt as _, time::Instant};

use super::{ClientError, Stream};
use crate::{
    Fingerprint,
    chunked::{Step, Walker},
};

/// Octets read at a time.
const READ_OCTETS: usize = 16 * 1024;

/// What became of the request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload {
    /// All of it was given to the network before the answer was.
    Whole,
    /// The answer came first and sending was stopped.
    CutShort,
}

/// The head of an answer and its body to be read.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: AnswerBody,
    /// Whether all of the request's body was sent. A success with [`Upload::CutShort`] is one that
    /// the printer gave before it stopped listening: the document did not arrive whole.
    pub upload: Upload,
    /// Octets of the request's body given to the network.
    pub body_octets_sent: u64,
    /// The address that answered.
    pub remote: SocketAddr,
    /// Fingerprint of its certificate, if TLS was used: what to pin from now on.
    pub certificate: Option<Fingerprint>,
}

/// The body of an answer.
pub struct AnswerBody {
    pub(super) stream: Box<dyn Stream>,
    pub(super) unread: BytesMut,
    pub(super) extent: Extent,
    pub(super) octets: u64,
    pub(super) octets_max: u64,
    pub(super) body_octets_sent: u64,
    pub(super) stall_time_out: Duration,
    pub(super) deadline: Option<Instant>,
    /// The connection ended in this direction while the request was still being sent.
    pub(super) ended: bool,
}

impl std::fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerBody").field("octets", &self.octets).field("extent", &self.extent).finish_non_exhaustive()
    }
}

/// How far an answer's body goes (RFC 9112 section 6.3).
#[derive(Debug, Clone, Copy)]
pub(super) enum Extent {
    Sized(u64),
    Chunked(Walker),
    UntilClose,
    Ended,
}

impl AnswerBody {
    /// The next piece; `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            if let Some(octets) = self.take_unread()? {
                self.octets += octets.len() as u64;
                if self.octets > self.octets_max {
                    return Err(self.too_large());
                }
                return Ok(Some(octets));
            }
            match self.extent {
                Extent::Sized(0) | Extent::Ended => return Ok(None),
                Extent::Sized(left) if self.octets.saturating_add(left) > self.octets_max => {
                    return Err(self.too_large());
                }
                _ => {}
            }
            if !self.fill().await? {
                if matches!(self.extent, Extent::UntilClose) {
                    self.extent = Extent::Ended;
                    return Ok(None);
                }
                return Err(ClientError::Closed { body_octets_sent: self.body_octets_sent, cause: None });
            }
        }
    }

    /// The whole body in memory.
    pub async fn collect(mut self) -> Result<Bytes, ClientError> {
        let Some(first) = self.chunk().await? else {
            return Ok(Bytes::new());
        };
        let mut all = BytesMut::from(first);
        while let Some(more) = self.chunk().await? {
            all.extend_from_slice(&more);
        }
        Ok(all.freeze())
    }

    /// The next octets of the body among those already read.
    fn take_unread(&mut self) -> Result<Option<Bytes>, ClientError> {
        while !self.unread.is_empty() {
            match &mut self.extent {
                Extent::Ended | Extent::Sized(0) => return Ok(None),
                Extent::UntilClose => return Ok(Some(self.unread.split().freeze())),
                Extent::Sized(left) => {
                    let octets = usize::try_from(*left).unwrap_or(usize::MAX).min(self.unread.len());
                    *left -= octets as u64;
                    return Ok(Some(self.unread.split_to(octets).freeze()));
                }
                Extent::Chunked(walker) => match walker.step(&self.unread) {
                    Step::Framing(octets) => self.unread.advance(octets),
                    Step::Data(octets) => return Ok(Some(self.unread.split_to(octets).freeze())),
                    Step::End(octets) => {
                        self.unread.advance(octets);
                        self.extent = Extent::Ended;
                    }
                    Step::Fault(what) => {
                        return Err(ClientError::Protocol {
                            what: what.into(),
                            body_octets_sent: self.body_octets_sent,
                        });
                    }
                },
            }
        }
        Ok(None)
    }

    /// Reads more; false at the connection's end.
    async fn fill(&mut self) -> Result<bool, ClientError> {
        if self.ended {
            return Ok(false);
        }
        let body_octets_sent = self.body_octets_sent;
        let stalled = Instant::now() + self.stall_time_out;
        let until = self.deadline.map_or(stalled, |deadline| deadline.min(stalled));
        self.unread.reserve(READ_OCTETS);
        match tokio::time::timeout_at(until, self.stream.read_buf(&mut self.unread)).await {
            Ok(Ok(octets)) => Ok(octets > 0),
            // Many printers leave without TLS's goodbye; the body's own extent says whether it is whole.
            Ok(Err(cause))
                if cause.kind() == io::ErrorKind::UnexpectedEof && !matches!(self.extent, Extent::UntilClose) =>
            {
                Ok(false)
            }
            Ok(Err(cause)) => Err(ClientError::Closed { body_octets_sent, cause: Some(cause) }),
            Err(_) => Err(ClientError::NoAnswer { after: self.stall_time_out, body_octets_sent }),
        }
    }

    const fn too_large(&self) -> ClientError {
        ClientError::AnswerTooLarge { limit: self.octets_max, body_octets_sent: self.body_octets_sent }
    }
}
