//! Turns a connection away for which there is no place.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Connections that are turned away with words at the same time; more are just closed.
const TURNED_AWAY_MAX: usize = 64;

const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\n\
Content-Type: text/plain; charset=utf-8\r\nContent-Length: 54\r\n\r\n\
There are too many connections. Try again in a minute.";

/// Says 503 without waiting for a request; a client that wanted TLS sees a failed handshake.
#[derive(Debug, Clone, Default)]
pub(crate) struct TurnAway {
    busy: Arc<()>,
}

impl TurnAway {
    pub(crate) fn turn_away(&self, mut stream: TcpStream) {
        let busy: Weak<()> = Arc::downgrade(&self.busy);
        if busy.weak_count() > TURNED_AWAY_MAX {
            return;
        }
        tokio::spawn(async move {
            let _busy = busy;
            let words = async {
                stream.write_all(ANSWER).await?;
                stream.shutdown().await?;
                // Unread octets would turn the close into a reset that takes the answer with it.
                let mut dropped = [0; 512];
                while stream.read(&mut dropped).await? > 0 {}
                std::io::Result::Ok(())
            };
            // Whether the client heard it is its own affair.
            let _ = tokio::time::timeout(Duration::from_secs(1), words).await;
        });
    }
}
