//! A socket that may begin to speak TLS.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The line to a peer.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// A handshake failed.
    Lost,
}

impl Stream {
    /// Reads some octets; 0 at the end. Safe to drop and call again.
    pub(super) async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(into).await,
            Self::Tls(stream) => stream.read(into).await,
            Self::Lost => Ok(0),
        }
    }

    pub(super) async fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(octets).await,
            Self::Tls(stream) => {
                stream.write_all(octets).await?;
                stream.flush().await
            }
            Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Says that nothing more comes from us.
    pub(super) async fn close_sending(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.shutdown().await,
            Self::Tls(stream) => stream.shutdown().await,
            Self::Lost => Ok(()),
        }
    }

    /// Does the handshake, in which the peer begins.
    pub(super) async fn start_tls(&mut self, acceptor: &TlsAcceptor) -> io::Result<()> {
        match std::mem::replace(self, Self::Lost) {
            Self::Plain(stream) => {
                *self = Self::Tls(Box::new(acceptor.accept(stream).await?));
                Ok(())
            }
            other => {
                *self = other;
                Err(io::ErrorKind::InvalidInput.into())
            }
        }
    }
}
