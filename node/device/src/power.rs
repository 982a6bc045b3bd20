//! The sockets, open while the printer is on.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tracing::{info, warn};

use crate::shared::Shared;
use crate::{line, raw};

/// Listens on an address; a port that was ours a moment ago is taken again.
pub(crate) fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(128)
}

/// The printer's sockets.
pub(crate) struct Sockets {
    pub(crate) ipp: TcpListener,
    pub(crate) raw: Option<TcpListener>,
}

impl Sockets {
    pub(crate) fn open(ipp: SocketAddr, raw: Option<SocketAddr>) -> io::Result<Self> {
        Ok(Self { ipp: listen(ipp)?, raw: raw.map(listen).transpose()? })
    }
}

/// Serves while it is on, closes everything when it goes off: then connections are refused.
pub(crate) async fn run(shared: Arc<Shared>, first: Sockets) {
    let mut sockets = Some(first);
    loop {
        let open = match sockets.take() {
            Some(open) => open,
            None => reopen(&shared).await,
        };
        let power_cycle = shared.read(|model| model.power_cycle);
        shared.set_listening(true);
        info!(ipp = %shared.ipp_addr, "Virtual printer was switched on");
        tokio::select! {
            () = line::serve(Arc::clone(&shared), open.ipp) => {}
            () = raw::serve(Arc::clone(&shared), open.raw) => {}
            // Dropping the others cuts their connections.
            () = shared.wait_off(power_cycle) => {}
        }
        shared.set_listening(false);
        info!("Virtual printer was switched off");
        shared.wait_on().await;
    }
}

async fn reopen(shared: &Shared) -> Sockets {
    loop {
        match Sockets::open(shared.ipp_addr, shared.raw_addr) {
            Ok(sockets) => return sockets,
            Err(error) => {
                warn!(%error, ipp = %shared.ipp_addr, "Could not open the virtual printer's port again, will try on");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}
