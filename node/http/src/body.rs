//! The body of an answer or of a client's request: nothing, octets in memory, or a stream.
//!
//! One type for both directions, so that a handler and a printer's client hand over documents the
//! same way. A stream that breaks is an error to the reader, never a short body that looks whole.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::mpsc,
};

/// Octets read from a reader at a time, and so the size of one piece.
const READ_OCTETS: usize = 32 * 1024;

/// A body to send.
pub struct Body {
    kind: Kind,
    /// Kept until the body is sent or dropped; the listener counts requests in flight with it.
    held: Option<Box<dyn Send + Sync>>,
}

enum Kind {
    Empty,
    Full(Bytes),
    Channel { receiver: mpsc::Receiver<Piece>, left: Option<u64>, ended: bool },
    Reader { reader: Pin<Box<dyn AsyncRead + Send>>, buffer: Box<[u8]>, left: Option<u64>, ended: bool },
    Other(Pin<Box<dyn HttpBody<Data = Bytes, Error = io::Error> + Send>>),
}

enum Piece {
    Data(Bytes),
    Failed(io::Error),
    End,
}

impl Body {
    /// No octets.
    #[must_use]
    pub const fn empty() -> Self {
        Self { kind: Kind::Empty, held: None }
    }

    /// Octets in memory; the length is announced.
    pub fn full(octets: impl Into<Bytes>) -> Self {
        let octets = octets.into();
        if octets.is_empty() { Self::empty() } else { Kind::Full(octets).into() }
    }

    /// A body that is written piece by piece; at most `pieces` of them wait (at least 1).
    ///
    /// The body ends well only with [`BodySender::finish`]; a sender that is dropped earlier cuts
    /// the connection, so that a half body is never taken for a whole one.
    #[must_use]
    pub fn channel(pieces: usize) -> (BodySender, Self) {
        Self::make_channel(pieces, None)
    }

    /// As [`Body::channel`], with the length in octets known and announced.
    #[must_use]
    pub fn channel_of_length(pieces: usize, octets: u64) -> (BodySender, Self) {
        Self::make_channel(pieces, Some(octets))
    }

    fn make_channel(pieces: usize, left: Option<u64>) -> (BodySender, Self) {
        let (sender, receiver) = mpsc::channel(pieces.max(1));
        (BodySender { sender }, Kind::Channel { receiver, left, ended: false }.into())
    }

    /// Reads the body from a file or another reader, 32 KiB at a time.
    ///
    /// With `octets` the length is announced, exactly so many are sent, and a reader that ends
    /// early is an error. Without it the body goes in chunks until the reader ends.
    pub fn from_reader(reader: impl AsyncRead + Send + 'static, octets: Option<u64>) -> Self {
        Kind::Reader { reader: Box::pin(reader), buffer: Box::default(), left: octets, ended: octets == Some(0) }.into()
    }

    /// Wraps any other body, such as one that a library made.
    pub fn from_body(body: impl HttpBody<Data = Bytes, Error = io::Error> + Send + 'static) -> Self {
        Kind::Other(Box::pin(body)).into()
    }

    /// The length in octets where it is known before sending.
    #[must_use]
    pub fn octets(&self) -> Option<u64> {
        self.size_hint().exact()
    }

    /// Keeps `held` alive until this body is sent to its end or dropped.
    #[must_use]
    pub fn holding(mut self, held: impl Send + Sync + 'static) -> Self {
        self.held = match self.held.take() {
            None => Some(Box::new(held)),
            Some(before) => Some(Box::new((before, held))),
        };
        self
    }
}

impl From<Kind> for Body {
    fn from(kind: Kind) -> Self {
        Self { kind, held: None }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(octets: Bytes) -> Self {
        Self::full(octets)
    }
}

impl From<Vec<u8>> for Body {
    fn from(octets: Vec<u8>) -> Self {
        Self::full(octets)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::full(text)
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::full(text)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("octets", &self.octets()).finish_non_exhaustive()
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.kind {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(octets) => {
                let octets = std::mem::take(octets);
                self.kind = Kind::Empty;
                Poll::Ready(Some(Ok(Frame::data(octets))))
            }
            Kind::Channel { receiver, left, ended } => {
                if *ended {
                    return Poll::Ready(None);
                }
                let piece = ready!(receiver.poll_recv(cx)).unwrap_or_else(|| Piece::Failed(cut_off()));
                let result = match piece {
                    Piece::Data(octets) => match counted(left, octets.len()) {
                        Ok(()) => return Poll::Ready(Some(Ok(Frame::data(octets)))),
                        Err(error) => Some(Err(error)),
                    },
                    Piece::Failed(error) => Some(Err(error)),
                    Piece::End if left.is_some_and(|left| left > 0) => Some(Err(cut_off())),
                    Piece::End => None,
                };
                *ended = true;
                Poll::Ready(result)
            }
            Kind::Reader { reader, buffer, left, ended } => {
                if *ended {
                    return Poll::Ready(None);
                }
                if buffer.is_empty() {
                    *buffer = vec![0; READ_OCTETS].into_boxed_slice();
                }
                let room =
                    left.map_or(READ_OCTETS, |left| READ_OCTETS.min(usize::try_from(left).unwrap_or(READ_OCTETS)));
                let mut into = ReadBuf::new(&mut buffer[..room]);
                let read = ready!(reader.as_mut().poll_read(cx, &mut into));
                let result = match read {
                    Err(error) => Some(Err(error)),
                    Ok(()) if into.filled().is_empty() => match left {
                        Some(1..) => Some(Err(cut_off())),
                        _ => None,
                    },
                    Ok(()) => {
                        if let Some(left) = left {
                            *left -= into.filled().len() as u64;
                            *ended = *left == 0;
                        }
                        return Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(into.filled())))));
                    }
                };
                *ended = true;
                Poll::Ready(result)
            }
            Kind::Other(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Full(octets) => octets.is_empty(),
            Kind::Channel { ended, .. } | Kind::Reader { ended, .. } => *ended,
            Kind::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(octets) => SizeHint::with_exact(octets.len() as u64),
            Kind::Channel { left, .. } | Kind::Reader { left, .. } => {
                left.map_or_else(SizeHint::default, SizeHint::with_exact)
            }
            Kind::Other(body) => body.size_hint(),
        }
    }
}

fn counted(left: &mut Option<u64>, octets: usize) -> io::Result<()> {
    if let Some(left) = left {
        *left = left.checked_sub(octets as u64).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "the body is longer than its announced length")
        })?;
    }
    Ok(())
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the body ended before it was whole")
}

/// The writing end of [`Body::channel`].
#[derive(Debug)]
pub struct BodySender {
    sender: mpsc::Sender<Piece>,
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data(_) => "Data",
            Self::Failed(_) => "Failed",
            Self::End => "End",
        })
    }
}

/// The reader of the body has gone away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the receiver of this body has gone away")]
pub struct Disconnected;

impl BodySender {
    /// Hands over a piece, waiting while the reader is slow.
    pub async fn send(&mut self, octets: impl Into<Bytes>) -> Result<(), Disconnected> {
        let octets = octets.into();
        if octets.is_empty() {
            return Ok(());
        }
        self.sender.send(Piece::Data(octets)).await.map_err(|_| Disconnected)
    }

    /// Hands over a piece if there is room now; gives `Ok(false)` if there is none.
    pub fn try_send(&mut self, octets: impl Into<Bytes>) -> Result<bool, Disconnected> {
        match self.sender.try_send(Piece::Data(octets.into())) {
            Ok(()) => Ok(true),
            Err(mpsc::error::TrySendError::Full(_)) => Ok(false),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Disconnected),
        }
    }

    /// Ends the body well.
    pub async fn finish(self) -> Result<(), Disconnected> {
        self.sender.send(Piece::End).await.map_err(|_| Disconnected)
    }

    /// Ends the body with an error: the reader's connection is cut.
    pub async fn fail(self, error: io::Error) {
        // A reader that has gone needs no error any more.
        let _ = self.sender.send(Piece::Failed(error)).await;
    }

    /// Waits until the reader has gone away.
    pub async fn disconnected(&self) {
        self.sender.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_sender_that_is_dropped_early_is_an_error() {
        let (mut sender, body) = Body::channel(4);
        sender.send("half").await.unwrap();
        drop(sender);
        assert_eq!(body.collect().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn a_finished_channel_is_whole() {
        let (mut sender, body) = Body::channel(4);
        sender.send("half ").await.unwrap();
        sender.send("whole").await.unwrap();
        sender.finish().await.unwrap();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "half whole");
    }

    #[tokio::test]
    async fn a_channel_keeps_its_announced_length() {
        let (mut sender, body) = Body::channel_of_length(4, 3);
        assert_eq!(body.octets(), Some(3));
        sender.send("four").await.unwrap();
        assert_eq!(body.collect().await.unwrap_err().kind(), io::ErrorKind::InvalidData);

        let (mut sender, body) = Body::channel_of_length(4, 5);
        sender.send("four").await.unwrap();
        sender.finish().await.unwrap();
        assert_eq!(body.collect().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn a_reader_is_sent_to_its_length() {
        let text = vec![7_u8; READ_OCTETS + 5];
        let body = Body::from_reader(io::Cursor::new(text.clone()), Some(READ_OCTETS as u64 + 1));
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), READ_OCTETS + 1);
        let body = Body::from_reader(io::Cursor::new(text.clone()), None);
        assert_eq!(body.collect().await.unwrap().to_bytes(), text);
        let body = Body::from_reader(io::Cursor::new(text), Some(1 << 20));
        assert_eq!(body.collect().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
