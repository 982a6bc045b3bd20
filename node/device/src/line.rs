//! The line to the IPP port: HTTP/1.1 that can be cut in the middle.
//!
//! Its own listener on hyper and not the shared one, because a printer that is to fail must be able
//! to drop a connection without an answer, and all of them at once.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::debug;

use crate::ipp;
use crate::shared::Shared;

/// Connections at a time; more wait in the kernel.
const CONNECTIONS_MAX: usize = 200;

/// The line is cut here: no answer goes out.
#[derive(Debug, thiserror::Error)]
#[error("the line was cut")]
pub(crate) struct LineCut;

pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                debug!(%error, "Could not take a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Small answers must not wait for a full packet.
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(|request| {
                let shared = Arc::clone(&shared);
                async move { ipp::answer(&shared, request).await }
            });
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(60))
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(error) = served {
                debug!(%error, "A connection ended early");
            }
            drop(permit);
            Ok::<_, Infallible>(())
        });
    }
}
