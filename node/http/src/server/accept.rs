//! The listening socket, and the way down.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tracing::{debug, warn};

use super::{
    ServeOptions, Service,
    caps::Caps,
    connection::{self, Context},
    line::Line,
    linger::TurnAway,
};

/// Connections the kernel may hold for us before we take them.
const BACKLOG: i32 = 1024;

/// A bound listener.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
}

/// How far the listener has come on its way down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Serving,
    /// Requests in flight end, nothing new begins.
    Draining,
}

impl Server {
    /// Binds an address; port 0 takes any free one. `[::]` takes IPv4 too where the system allows it.
    ///
    /// To be called within a tokio runtime.
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(addr),
            socket2::Type::STREAM,
            Some(socket2::Protocol::TCP),
        )?;
        // A restarted server must get its port back while old connections fade.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from_std(socket.into())?;
        let local_addr = listener.local_addr()?;
        Ok(Self { listener, local_addr })
    }

    /// The address and port that were bound.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` is ready, then lets requests in flight end within
    /// [`ServeOptions::grace`] and cuts the rest.
    pub async fn serve<S: Service>(self, service: S, options: ServeOptions, shutdown: impl Future<Output = ()> + Send) {
        let ServeOptions { tls, limits, hosts, grace } = options;
        let caps = Caps::new(limits.connections_max, limits.connections_per_source_max);
        let context = Arc::new(Context::new(service, tls, limits, hosts));
        let (stage, stage_of) = watch::channel(Stage::Serving);
        let turn_away = TurnAway::default();
        let lines = Lines::default();
        let mut tasks = tokio::task::JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(_) = tasks.join_next() => {}
                accepted = self.listener.accept() => {
                    let Some((stream, addr)) = self.accepted(accepted).await else { continue };
                    if caps.is_crowded() {
                        lines.shed_oldest();
                    }
                    let Some(place) = caps.take(addr.ip()) else {
                        debug!(%addr, "Turned a connection away");
                        turn_away.turn_away(stream);
                        continue;
                    };
                    let line = Line::new();
                    lines.add(&line);
                    let serve = connection::serve(stream, addr, Arc::clone(&context), line, stage_of.clone());
                    tasks.spawn(async move {
                        serve.await;
                        drop(place);
                    });
                }
            }
        }
        drop(self.listener);
        // Nobody listens any more if there is no connection.
        let _ = stage.send(Stage::Draining);
        let drained = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, drained).await.is_err() {
            debug!(connections = tasks.len(), "Cut connections at shutdown");
            tasks.shutdown().await;
        }
    }

    /// Serves HTTP/1 over one stream that no listener took, to its end. For tests, fuzzing and pipes.
    pub async fn serve_stream<S: Service>(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        service: S,
        options: ServeOptions,
    ) {
        let context = Arc::new(Context::new(service, None, options.limits, options.hosts));
        let (_stage, stage_of) = watch::channel(Stage::Serving);
        connection::serve_stream(stream, context, stage_of).await;
    }

    async fn accepted(&self, accepted: io::Result<(TcpStream, SocketAddr)>) -> Option<(TcpStream, SocketAddr)> {
        match accepted {
            Ok((stream, addr)) => {
                // Answers are small: waiting to fill a packet only makes them late.
                if let Err(error) = stream.set_nodelay(true) {
                    debug!(%addr, %error, "Lost a connection at once");
                    return None;
                }
                Some((stream, SocketAddr::new(addr.ip().to_canonical(), addr.port())))
            }
            Err(error) if is_about_one_connection(&error) => None,
            Err(error) => {
                // Out of file descriptors or memory: it passes when connections end.
                warn!(%error, local_addr = %self.local_addr, "Could not take a connection, will try again");
                tokio::time::sleep(Duration::from_millis(200)).await;
                None
            }
        }
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

/// All connections, to find the one that was idle longest when places get scarce.
#[derive(Debug, Default)]
struct Lines {
    lines: Mutex<Vec<Weak<Line>>>,
}

impl Lines {
    fn add(&self, line: &Arc<Line>) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // Swept only when the list would grow, so that adding stays cheap.
        if lines.len() == lines.capacity() {
            lines.retain(|line| line.strong_count() > 0);
        }
        lines.push(Arc::downgrade(line));
    }

    fn shed_oldest(&self) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = lines
            .iter()
            .filter_map(Weak::upgrade)
            .filter_map(|line| line.idle_since().map(|since| (since, line)))
            .min_by_key(|(since, _)| *since);
        if let Some((_, line)) = oldest {
            line.shed.notify_one();
        }
    }
}
