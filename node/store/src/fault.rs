//! A sync that fails when a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A sync that fails when a test says so. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SyncFault {
    armed: Arc<AtomicU32>,
}

impl SyncFault {
    /// The n-th sync from now fails; 1 is the next one.
    pub fn arm(&self, n: u32) {
        self.armed.store(n, Ordering::SeqCst);
    }

    pub(crate) fn strikes(&self) -> bool {
        let down = |left: u32| left.checked_sub(1);
        self.armed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, down) == Ok(1)
    }
}
