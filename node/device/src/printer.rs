//! A running virtual printer.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use crate::model::{Change, ChangeError, Model, Power};
use crate::options::{DeviceOptions, ReportOptions};
use crate::power::{self, Sockets};
use crate::shared::{Shared, authority};
use crate::state::{DeviceEvent, DeviceState};
use crate::{drive, page, report};

/// How long one waits for something to happen in a test or at start, at most.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Why a virtual printer did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken, or is not ours.
    #[error("could not listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The folder for pages cannot be made or read.
    #[error("could not use the folder {folder} for pages")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A printer without paper trays prints nothing.
    #[error("a printer needs at least one tray and one cartridge")]
    NoTray,
    /// The system gave no random octets for the printer's UUID.
    #[error("could not make a UUID for the printer")]
    Random(#[source] getrandom::Error),
}

/// What was waited for did not happen.
#[derive(Debug, thiserror::Error)]
#[error("the printer did not get there within {} s; it is {}", WAIT_MAX.as_secs(), .last.message)]
pub struct WaitError {
    /// The printer as it is.
    pub last: Arc<DeviceState>,
}

/// A running virtual printer. Dropping it ends it.
pub struct VirtualPrinter {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

impl std::fmt::Debug for VirtualPrinter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VirtualPrinter").field("ipp_uri", &self.ipp_uri()).finish_non_exhaustive()
    }
}

impl VirtualPrinter {
    /// Switches a printer on. When this returns, its sockets are open.
    ///
    /// # Errors
    /// When an address or the folder cannot be used.
    pub async fn start(options: DeviceOptions) -> Result<Self, StartError> {
        if options.trays.is_empty() || options.markers.is_empty() {
            return Err(StartError::NoTray);
        }
        let folder = options.folder.clone();
        let first_job_id = prepare_folder(&folder).map_err(|cause| StartError::Folder { folder, cause })?;
        let listen_failed = |addr| move |cause| StartError::Listen { addr, cause };
        let ipp = power::listen(options.ipp_addr).map_err(listen_failed(options.ipp_addr))?;
        let raw = match options.raw_addr {
            Some(addr) => Some(power::listen(addr).map_err(listen_failed(addr))?),
            None => None,
        };
        let page = tympan_http::Server::bind(options.page_addr).map_err(listen_failed(options.page_addr))?;
        let local = |listener: &tokio::net::TcpListener, addr| listener.local_addr().map_err(listen_failed(addr));
        let ipp_addr = local(&ipp, options.ipp_addr)?;
        let raw_addr = match (&raw, options.raw_addr) {
            (Some(raw), Some(addr)) => Some(local(raw, addr)?),
            _ => None,
        };
        let uuid = match &options.uuid {
            Some(uuid) => uuid.clone(),
            None => new_uuid().map_err(StartError::Random)?,
        };
        let model = Model::new(options.trays.clone(), options.markers.clone(), options.pages_per_minute, first_job_id);
        let addrs = (ipp_addr, raw_addr, page.local_addr());
        let shared = Arc::new(Shared::new(options, uuid, model, addrs));
        let mut tasks = JoinSet::new();
        tasks.spawn(power::run(Arc::clone(&shared), Sockets { ipp, raw }));
        tasks.spawn(drive::run(Arc::clone(&shared)));
        tasks.spawn(drive::expire(Arc::clone(&shared)));
        tasks.spawn(page::serve(Arc::clone(&shared), page));
        tasks.spawn(report::run(Arc::clone(&shared)));
        Ok(Self { shared, tasks })
    }

    /// `ipp://host:port/ipp/print`
    pub fn ipp_uri(&self) -> String {
        format!("ipp://{}/ipp/print", authority(self.shared.ipp_addr))
    }

    /// Where the IPP port is.
    pub fn ipp_address(&self) -> SocketAddr {
        self.shared.ipp_addr
    }

    /// Where the raw port is, if there is one.
    pub fn raw_address(&self) -> Option<SocketAddr> {
        self.shared.raw_addr
    }

    /// The page with the buttons, `http://host:port/`.
    pub fn page_url(&self) -> String {
        format!("http://{}/", authority(self.shared.page_addr))
    }

    /// Where pages are written.
    pub fn folder(&self) -> &Path {
        &self.shared.options.folder
    }

    /// "printer-uuid"
    pub fn uuid(&self) -> &str {
        &self.shared.uuid
    }

    /// The printer now.
    pub fn state(&self) -> Arc<DeviceState> {
        Arc::clone(&self.shared.watch().borrow())
    }

    /// The printer as it changes.
    pub fn watch(&self) -> watch::Receiver<Arc<DeviceState>> {
        self.shared.watch()
    }

    /// Each page side as it comes out, and the ends of jobs.
    pub fn events(&self) -> broadcast::Receiver<DeviceEvent> {
        self.shared.events()
    }

    /// Does something to the printer; after switching it on or off, waits until its sockets follow.
    ///
    /// # Errors
    /// When the change names something that is not there; then nothing is changed.
    pub async fn apply(&self, change: Change) -> Result<(), ChangeError> {
        apply(&self.shared, &change).await
    }

    /// Tells the printer a server to report to from now on, or none.
    pub fn set_report(&self, report: Option<ReportOptions>) {
        self.shared.report().send_replace(report);
    }

    /// Waits until the printer is as `wanted`, at most 60 seconds.
    ///
    /// # Errors
    /// The printer as it was when the time was up.
    pub async fn wait_for(&self, mut wanted: impl FnMut(&DeviceState) -> bool) -> Result<Arc<DeviceState>, WaitError> {
        let mut watch = self.shared.watch();
        let found = tokio::time::timeout(WAIT_MAX, watch.wait_for(|state| wanted(state))).await;
        match found {
            Ok(Ok(state)) => Ok(Arc::clone(&state)),
            _ => Err(WaitError { last: self.state() }),
        }
    }

    /// Ends it and waits until its sockets are closed.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
    }
}

/// As [`VirtualPrinter::apply`].
pub(crate) async fn apply(shared: &Shared, change: &Change) -> Result<(), ChangeError> {
    shared.change(|model, now| model.apply(change, now))?;
    if change.power.is_some() || change.mend {
        let mut watch = shared.watch();
        let settled = watch.wait_for(|state| state.listening == (state.power == Power::On));
        // A port that somebody else took meanwhile is shown as "listening": false.
        let _ = tokio::time::timeout(Duration::from_secs(5), settled).await;
    }
    Ok(())
}

/// Makes the folder, clears what an earlier run left half done, and finds the next free job number.
fn prepare_folder(folder: &Path) -> io::Result<i32> {
    std::fs::create_dir_all(folder)?;
    let mut last = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with(".job-") && name.ends_with(".part") {
            std::fs::remove_file(entry.path())?;
        }
        let number = name.strip_prefix("job-").and_then(|rest| rest.split(['-', '.']).next());
        last = last.max(number.and_then(|n| n.parse::<i32>().ok()).unwrap_or(0));
    }
    Ok(last.saturating_add(1))
}

fn new_uuid() -> Result<String, getrandom::Error> {
    let mut octets = [0u8; 16];
    getrandom::fill(&mut octets)?;
    octets[6] = (octets[6] & 0x0F) | 0x40;
    octets[8] = (octets[8] & 0x3F) | 0x80;
    let hex: String = octets.iter().map(|o| format!("{o:02x}")).collect();
    Ok(format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}
