//! The model behind a lock, and whoever waits for its changes.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::{broadcast, watch};

use crate::model::{Model, Power};
use crate::options::{DeviceOptions, ReportOptions};
use crate::state::{DeviceEvent, DeviceState, JobInfo, MarkerInfo, PrintedPage, TrayInfo};

/// Jobs and pages that a snapshot shows.
const SHOWN_MAX: usize = 50;

/// Everything the tasks of one printer share.
pub(crate) struct Shared {
    pub(crate) options: DeviceOptions,
    pub(crate) uuid: String,
    pub(crate) ipp_addr: SocketAddr,
    pub(crate) raw_addr: Option<SocketAddr>,
    pub(crate) page_addr: SocketAddr,
    inside: Mutex<Inside>,
    state: watch::Sender<Arc<DeviceState>>,
    events: broadcast::Sender<DeviceEvent>,
    report: watch::Sender<Option<ReportOptions>>,
    started: Instant,
    started_at: SystemTime,
}

struct Inside {
    model: Model,
    pages: VecDeque<(PrintedPage, Bytes)>,
    listening: bool,
    revision: u64,
    reports_sent: u64,
    report_error: Option<String>,
}

impl Shared {
    pub(crate) fn new(
        options: DeviceOptions,
        uuid: String,
        model: Model,
        addrs: (SocketAddr, Option<SocketAddr>, SocketAddr),
    ) -> Self {
        let inside = Inside {
            model,
            pages: VecDeque::new(),
            listening: false,
            revision: 1,
            reports_sent: 0,
            report_error: None,
        };
        let (ipp_addr, raw_addr, page_addr) = addrs;
        let first = snapshot(&inside, &options, ipp_addr, raw_addr);
        let report = watch::Sender::new(options.report.clone());
        Self {
            options,
            uuid,
            ipp_addr,
            raw_addr,
            page_addr,
            inside: Mutex::new(inside),
            state: watch::Sender::new(Arc::new(first)),
            events: broadcast::Sender::new(1024),
            report,
            started: Instant::now(),
            started_at: SystemTime::now(),
        }
    }

    /// Milliseconds since the start.
    pub(crate) fn now(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// Seconds since 1970 at a moment of [`Shared::now`].
    pub(crate) fn unix_secs(&self, at: u64) -> u64 {
        let moment = self.started_at + Duration::from_millis(at);
        moment.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Arc<DeviceState>> {
        self.state.subscribe()
    }

    pub(crate) fn events(&self) -> broadcast::Receiver<DeviceEvent> {
        self.events.subscribe()
    }

    /// Whom to report to, as it changes.
    pub(crate) fn report(&self) -> &watch::Sender<Option<ReportOptions>> {
        &self.report
    }

    pub(crate) fn tell(&self, event: DeviceEvent) {
        // Nobody listening is fine.
        let _ = self.events.send(event);
    }

    /// Looks at the model.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&Model) -> R) -> R {
        look(&self.lock().model)
    }

    /// Changes the model and wakes who waits for changes.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Model, u64) -> R) -> R {
        self.change_inside(true, |inside, now| change(&mut inside.model, now))
    }

    /// As [`Shared::change`], but wakes only if something that is shown has changed.
    pub(crate) fn change_if_seen<R>(&self, change: impl FnOnce(&mut Model, u64) -> R) -> R {
        self.change_inside(false, |inside, now| change(&mut inside.model, now))
    }

    /// A side of paper came out: its model, its picture and its news, in one step.
    pub(crate) fn printed<R>(&self, page: PrintedPage, thumbnail: Bytes, change: impl FnOnce(&mut Model) -> R) -> R {
        let event = DeviceEvent::Page(Box::new(page.clone()));
        let result = self.change_inside(true, |inside, _| {
            inside.pages.push_front((page, thumbnail));
            inside.pages.truncate(SHOWN_MAX);
            change(&mut inside.model)
        });
        self.tell(event);
        result
    }

    pub(crate) fn set_listening(&self, listening: bool) {
        self.change_inside(true, |inside, _| inside.listening = listening);
    }

    pub(crate) fn report_outcome(&self, outcome: Result<(), String>) {
        self.change_inside(false, |inside, _| {
            inside.reports_sent += u64::from(outcome.is_ok());
            inside.report_error = outcome.err();
        });
    }

    /// The small picture of a page among the latest.
    pub(crate) fn thumbnail(&self, file: &str) -> Option<Bytes> {
        self.lock().pages.iter().find(|(page, _)| page.file == file).map(|(_, thumbnail)| thumbnail.clone())
    }

    /// Waits until it is on.
    pub(crate) async fn wait_on(&self) {
        // The sender lives as long as self.
        let _ = self.watch().wait_for(|state| state.power == Power::On).await;
    }

    /// Waits until it is off, or was off since its power cycle number `power_cycle` began.
    pub(crate) async fn wait_off(&self, power_cycle: u64) {
        let off = |state: &Arc<DeviceState>| state.power == Power::Off || state.power_cycle != power_cycle;
        // The sender lives as long as self.
        let _ = self.watch().wait_for(off).await;
    }

    fn change_inside<R>(&self, always: bool, change: impl FnOnce(&mut Inside, u64) -> R) -> R {
        let now = self.now();
        let mut inside = self.lock();
        let before = (inside.model.state(), inside.model.reasons());
        let result = change(&mut inside, now);
        if before != (inside.model.state(), inside.model.reasons()) {
            inside.model.state_changed_at = now;
        }
        let mut next = snapshot(&inside, &self.options, self.ipp_addr, self.raw_addr);
        // Under the lock, so that snapshots are seen in the order of the changes.
        if always || next != **self.state.borrow() {
            inside.revision += 1;
            next.revision = inside.revision;
            self.state.send_replace(Arc::new(next));
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An address as the host and port of a URI that reaches it from this machine.
pub(crate) fn authority(addr: SocketAddr) -> String {
    let ip = addr.ip();
    if ip.is_unspecified() { format!("localhost:{}", addr.port()) } else { addr.to_string() }
}

fn snapshot(inside: &Inside, options: &DeviceOptions, ipp: SocketAddr, raw: Option<SocketAddr>) -> DeviceState {
    let model = &inside.model;
    let stopped = model.is_stopped();
    let jobs = model.jobs.values().rev().take(SHOWN_MAX).map(|job| JobInfo {
        id: job.id,
        name: job.ticket.job_name.clone(),
        user: job.ticket.user.clone(),
        state: job.state.as_str().to_owned(),
        reasons: job.reasons(stopped).into_iter().map(str::to_owned).collect(),
        impressions: job.impressions,
        impressions_completed: job.impressions_completed,
        sheets_completed: job.sheets_completed,
        octets: job.document_octets(),
    });
    let trays = model.trays.iter().map(|tray| TrayInfo {
        name: tray.name.clone(),
        label: tray.label(),
        media: tray.media.name.clone(),
        media_label: tray.media.size.label(),
        sheets: tray.sheets,
        capacity: tray.capacity,
    });
    let markers = model.markers.iter().map(|marker| MarkerInfo {
        color: marker.color.name().to_owned(),
        rgb: marker.color.rgb().to_owned(),
        percent: marker.percent(),
    });
    DeviceState {
        revision: inside.revision,
        name: options.name.clone(),
        ipp_uri: format!("ipp://{}/ipp/print", authority(ipp)),
        raw_address: raw.map(authority),
        power: model.power,
        listening: inside.listening,
        state: model.state().as_str().to_owned(),
        reasons: model.reasons(),
        message: model.message(),
        identify: model.identify.as_ref().map(|(message, _)| message.clone()),
        accepting_jobs: !model.faults.not_accepting,
        power_cycle: model.power_cycle,
        trays: trays.collect(),
        markers: markers.collect(),
        pages_per_minute: model.pages_per_minute,
        faults: model.faults.clone(),
        printing: model.printing,
        queued_jobs: model.open_jobs(),
        jobs: jobs.collect(),
        pages: inside.pages.iter().map(|(page, _)| page.clone()).collect(),
        impressions: model.impressions,
        sheets: model.sheets,
        reports_sent: inside.reports_sent,
        report_error: inside.report_error.clone(),
    }
}
