//! What the two halves of one HTTP/1 connection tell each other: the [`Guard`](super::guard::Guard)
//! below hyper sees octets, the service above sees requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::upgrade::OnUpgrade;
use tokio::{sync::Notify, time::Instant};

use super::head::Refusal;

/// Shared state of one connection.
#[derive(Debug)]
pub(crate) struct Line {
    state: Mutex<State>,
    /// Asks an idle connection to close, to make room.
    pub(crate) shed: Notify,
}

#[derive(Debug)]
struct State {
    /// Requests that the service has seen.
    started: u64,
    in_flight: u32,
    idle_since: Instant,
    /// Whether the connection goes on after the request that was seen last.
    goes_on: bool,
    /// The head that is refused, counted from 1, and why.
    refused: Option<(u64, Refusal)>,
    /// The request, counted from 1, of whose body octets are still to come.
    open_body: Option<u64>,
    upgrade: Option<Upgrade>,
}

/// A request that asked for TLS (RFC 2817): answered with 101, to be answered again inside TLS.
#[derive(Debug)]
pub(crate) struct Upgrade {
    pub(crate) on_upgrade: OnUpgrade,
    /// The request's head, without the wish to upgrade.
    pub(crate) head: Vec<u8>,
}

impl Line {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                started: 0,
                in_flight: 0,
                idle_since: Instant::now(),
                goes_on: false,
                refused: None,
                open_body: None,
                upgrade: None,
            }),
            shed: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request in; it is in flight until the token is dropped. Gives the refusal, if this
    /// request only stands for a head that was refused.
    pub(crate) fn start(self: &Arc<Self>) -> (InFlight, Option<Refusal>) {
        let mut state = self.lock();
        state.started += 1;
        state.in_flight += 1;
        state.goes_on = false;
        let refusal = state.refused.filter(|(number, _)| *number == state.started).map(|(_, refusal)| refusal);
        (InFlight { number: state.started, line: Arc::clone(self) }, refusal)
    }

    /// Since when no request is in flight; `None` while one is.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let state = self.lock();
        (state.in_flight == 0).then_some(state.idle_since)
    }

    /// The connection goes on after the present request: neither side has said that it ends.
    pub(crate) fn goes_on(&self) {
        self.lock().goes_on = true;
    }

    /// Whether the service has seen and answered all of so many requests, and the connection goes on.
    pub(crate) fn has_answered(&self, requests: u64) -> bool {
        let state = self.lock();
        state.in_flight == 0 && state.started == requests && state.goes_on
    }

    pub(crate) fn refuse(&self, number: u64, refusal: Refusal) {
        self.lock().refused = Some((number, refusal));
    }

    pub(crate) fn set_open_body(&self, number: Option<u64>) {
        self.lock().open_body = number;
    }

    pub(crate) fn put_upgrade(&self, upgrade: Upgrade) {
        self.lock().upgrade = Some(upgrade);
    }

    pub(crate) fn take_upgrade(&self) -> Option<Upgrade> {
        self.lock().upgrade.take()
    }
}

/// Held while a request is in flight, its answer included.
#[derive(Debug)]
pub(crate) struct InFlight {
    /// Which request of its connection, counted from 1.
    number: u64,
    line: Arc<Line>,
}

impl InFlight {
    /// Whether octets of this request's body are still to come.
    pub(crate) fn is_body_open(&self) -> bool {
        self.line.lock().open_body == Some(self.number)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        state.in_flight -= 1;
        state.idle_since = Instant::now();
    }
}
