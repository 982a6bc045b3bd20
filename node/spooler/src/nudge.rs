//! Hints from commits to the tasks that wait for work. Losing one costs a delay, never a job.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;
use tympan_engine::PrinterUuid;

/// Hints, gathered until somebody takes them.
#[derive(Default)]
pub(crate) struct Nudge {
    printers: Mutex<BTreeSet<PrinterUuid>>,
    schedule: Notify,
    effects: [Notify; crate::workers::CLASSES],
}

impl Nudge {
    /// A printer may have work, or its timer changed.
    pub(crate) fn printer(&self, printer: PrinterUuid) {
        let new = self.printers.lock().unwrap_or_else(PoisonError::into_inner).insert(printer);
        if new {
            self.schedule.notify_one();
        }
    }

    /// A timer of the scheduler may have moved.
    pub(crate) fn timers(&self) {
        self.schedule.notify_one();
    }

    /// There are effects of a class.
    pub(crate) fn effects(&self, class: usize) {
        self.effects[class].notify_one();
    }

    /// Waits for hints to the scheduler.
    pub(crate) async fn scheduled(&self) {
        self.schedule.notified().await;
    }

    /// Waits for effects of a class.
    pub(crate) async fn effects_came(&self, class: usize) {
        self.effects[class].notified().await;
    }

    /// Takes one printer that was hinted at.
    pub(crate) fn take(&self) -> Option<PrinterUuid> {
        self.printers.lock().unwrap_or_else(PoisonError::into_inner).pop_first()
    }
}
