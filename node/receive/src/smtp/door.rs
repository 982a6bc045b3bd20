//! The listeners, what all connections share, and the way down.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};
use tympan_http::TlsMaterial;
use tympan_smtp::server::Config;
use tympan_spooler::Spooler;

use super::options::{Role, SmtpOptions};
use super::places::Places;
use super::{connection, texts};
use crate::Network;
use crate::accounts::Accounts;
use crate::network::source_of;
use crate::proof::Dmarc;
use crate::rates::Rates;

/// Connections the kernel may hold for us before we take them.
const BACKLOG: u32 = 1024;
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Why the door does not open.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// An address could not be bound.
    #[error("could not listen for mail on {addr}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Submission needs TLS.
    #[error("the listener {addr} takes passwords and so needs a certificate")]
    NoCertificate {
        /// The listener.
        addr: SocketAddr,
    },
    /// No name server can be asked.
    #[error("could not set up name look-ups")]
    Dns(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The mail door, bound.
pub struct SmtpDoor {
    shared: Arc<Shared>,
    listeners: Vec<(TcpListener, SocketAddr, Role)>,
}

impl std::fmt::Debug for SmtpDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpDoor").field("listeners", &self.local_addrs()).finish_non_exhaustive()
    }
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) spooler: Spooler,
    pub(crate) options: SmtpOptions,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) accounts: Accounts,
    pub(crate) dmarc: Option<Dmarc>,
    /// New connections in a minute, by source.
    arrivals: Rates<std::net::IpAddr>,
    /// Mails that the door writes itself.
    pub(super) answers: Rates<()>,
    pub(super) answers_to: Rates<String>,
    places: Arc<Places>,
    mail: Arc<Config>,
    submission: Arc<Config>,
}

/// How far the door has come on its way down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    /// Mails in flight end, nothing new begins.
    Draining,
}

impl Shared {
    /// How sessions of a listener behave.
    pub(super) fn config(&self, role: Role) -> Arc<Config> {
        Arc::clone(match role {
            Role::Mail => &self.mail,
            Role::Submission | Role::Submissions => &self.submission,
        })
    }

    /// Whether a peer is in a network whose senders are believed.
    pub(super) fn is_listed(&self, addr: std::net::IpAddr) -> bool {
        Network::any_contains(&self.options.networks, addr)
    }
}

impl SmtpDoor {
    /// Binds all listeners. To be called within a tokio runtime.
    ///
    /// # Errors
    /// An address is taken, submission is asked for without a certificate, or the name servers cannot be set up.
    pub fn bind(spooler: Spooler, tls: Option<&TlsMaterial>, options: SmtpOptions) -> Result<Self, DoorError> {
        let mut listeners = Vec::new();
        for listen in &options.listeners {
            if tls.is_none() && listen.role != Role::Mail {
                return Err(DoorError::NoCertificate { addr: listen.addr });
            }
            let bound = bind(listen.addr).map_err(|cause| DoorError::Bind { addr: listen.addr, cause })?;
            listeners.push((bound.0, bound.1, listen.role));
        }
        let authenticator = options.dns.authenticator().map_err(|error| DoorError::Dns(error.into()))?;
        let dmarc = authenticator
            .map(|authenticator| Dmarc::new(authenticator, options.hostname.clone(), options.dns_time_out));
        let config = |auth_required| Config {
            hostname: options.hostname.clone(),
            starttls: tls.is_some(),
            tls_required: false,
            auth: tls.is_some(),
            auth_required,
            smtputf8: true,
            chunking: true,
            help: vec![format!("Printers and jobs: {}/", options.base_url)],
            limits: options.limits.clone(),
            time_outs: options.time_outs.clone(),
        };
        let shared = Shared {
            accounts: Accounts::new(spooler.clone()),
            dmarc,
            arrivals: Rates::new(options.connections_per_minute_max, MINUTE),
            answers: Rates::new(options.answers_per_hour_max, HOUR),
            answers_to: Rates::new(options.answers_per_address_max, HOUR),
            places: Places::new(options.connections_max),
            mail: Arc::new(config(false)),
            submission: Arc::new(config(true)),
            tls: tls.map(|tls| TlsAcceptor::from(tls.server_config())),
            spooler,
            options,
        };
        Ok(Self { shared: Arc::new(shared), listeners })
    }

    /// What judges a mail, for the other ways by which mails come.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// The addresses and ports that were bound, in the order of the options.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|(_, addr, _)| *addr).collect()
    }

    /// Serves until `shutdown` is ready, then lets mails in flight end within [`SmtpOptions::grace`] and cuts the
    /// rest.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send) {
        let (stage, stage_of) = watch::channel(Stage::Open);
        let mut accepting = JoinSet::new();
        for (listener, _, role) in self.listeners {
            accepting.spawn(accept(Arc::clone(&self.shared), listener, role, stage_of.clone()));
        }
        drop(stage_of);
        shutdown.await;
        // Nobody listens any more if there is no connection.
        let _ = stage.send(Stage::Draining);
        let drained = async { while accepting.join_next().await.is_some() {} };
        if tokio::time::timeout(self.shared.options.grace, drained).await.is_err() {
            debug!("Cut connections at shutdown");
            accepting.shutdown().await;
        }
    }
}

/// Waits until nothing new is to begin.
pub(super) async fn draining(stage: &mut watch::Receiver<Stage>) {
    // An error says that the door is gone.
    drop(stage.wait_for(|stage| *stage == Stage::Draining).await);
}

fn bind(addr: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restarted server must get its port back while old connections fade.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    let listener = socket.listen(BACKLOG)?;
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

/// Takes connections of one listener until the door closes; ends when all of them have.
async fn accept(shared: Arc<Shared>, listener: TcpListener, role: Role, mut stage: watch::Receiver<Stage>) {
    let mut connections = JoinSet::new();
    let stage_of = stage.clone();
    loop {
        tokio::select! {
            biased;
            () = draining(&mut stage) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, addr)) => {
                    let addr = SocketAddr::new(addr.ip().to_canonical(), addr.port());
                    if let Some(task) = admitted(&shared, stream, addr, role, stage_of.clone()) {
                        connections.spawn(task);
                    }
                }
                Err(error) if is_about_one_connection(&error) => {}
                Err(error) => {
                    // Out of file descriptors or memory: it passes when connections end.
                    warn!(%error, "Could not take a mail connection, will try again");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// The task of a new connection, if there is a place for it.
fn admitted(
    shared: &Arc<Shared>,
    stream: TcpStream,
    addr: SocketAddr,
    role: Role,
    stage: watch::Receiver<Stage>,
) -> Option<impl Future<Output = ()> + Send + use<>> {
    let options = &shared.options;
    let listed = shared.is_listed(addr.ip());
    let counted = !listed && !addr.ip().is_loopback();
    let most = if listed { options.connections_per_listed_max } else { options.connections_per_source_max };
    let in_time = !counted || shared.arrivals.take(source_of(addr.ip()), Instant::now());
    let place = if in_time { shared.places.take(addr.ip(), most) } else { None };
    let Some(place) = place else {
        debug!(%addr, "Turned a mail connection away");
        let mut refusal = Vec::new();
        texts::too_many_connections(&options.hostname).encode(&mut refusal);
        // What does not fit into an empty socket's buffer is not waited for.
        let _ = stream.try_write(&refusal);
        return None;
    };
    // Answers are small: waiting to fill a packet only makes them late.
    if stream.set_nodelay(true).is_err() {
        return None;
    }
    Some(connection::serve(Arc::clone(shared), stream, addr, role, place, stage))
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
