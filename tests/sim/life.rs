//! Whether the server lives: it dies at a named crash point or at any moment, and nothing it was doing goes on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;
use tympan_engine::Timestamp;
use tympan_spooler::{Clock, CrashPoint};

/// All crash points of a line without a link: a run that never died at one of them proves nothing about it.
pub(super) const CRASH_POINTS: [&str; 10] = ["C1", "C2", "C3", "C4", "C5", "C11", "C12", "C13", "C14", "C16"];
/// What the wall clock shows at the beginning.
const START: Timestamp = Timestamp(1_790_000_000_000);

pub(super) struct Life {
    dead: AtomicBool,
    died: Notify,
    began: Instant,
    ahead_ms: Arc<AtomicU64>,
    armed: Mutex<Option<(&'static str, u32)>>,
    deaths: Mutex<BTreeMap<&'static str, u64>>,
}

impl Life {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            dead: AtomicBool::new(false),
            died: Notify::new(),
            began: Instant::now(),
            ahead_ms: Arc::default(),
            armed: Mutex::default(),
            deaths: Mutex::default(),
        })
    }

    /// Milliseconds since the beginning, whatever clocks show.
    pub(super) fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// The server's wall clock.
    pub(super) fn clock(&self) -> Clock {
        Clock::Ahead { start: START, at: self.began, by_ms: Arc::clone(&self.ahead_ms) }
    }

    pub(super) fn set_ahead(&self, by_ms: u64) {
        self.ahead_ms.fetch_add(by_ms, Ordering::SeqCst);
    }

    /// The server's crash points.
    pub(super) fn crash_point(self: &Arc<Self>) -> CrashPoint {
        let life = Arc::clone(self);
        CrashPoint::when(move |name| life.passes(name))
    }

    fn passes(&self, name: &'static str) -> bool {
        if self.is_dead() {
            return true;
        }
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, left)) = armed.as_mut().filter(|(point, _)| *point == name) else {
            return false;
        };
        *left = left.saturating_sub(1);
        if *left > 0 {
            return false;
        }
        *armed = None;
        drop(armed);
        *self.deaths.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
        self.die();
        true
    }

    /// The server will die when it passes this point for the `n`th time.
    pub(super) fn arm(&self, point: Option<(&'static str, u32)>) {
        *self.armed.lock().unwrap_or_else(PoisonError::into_inner) = point;
    }

    pub(super) fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.died.notify_waiters();
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Ready once the server is dead.
    pub(super) async fn died(&self) {
        let died = self.died.notified();
        if !self.is_dead() {
            died.await;
        }
    }

    /// Goes on only in a living server.
    pub(super) async fn still_alive(&self) {
        if self.is_dead() {
            std::future::pending().await
        }
    }

    /// Nothing of the old server is left: a new one may start.
    pub(super) fn revive(&self) {
        self.dead.store(false, Ordering::SeqCst);
    }

    /// How often the server died at each point.
    pub(super) fn deaths(&self) -> BTreeMap<&'static str, u64> {
        self.deaths.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
