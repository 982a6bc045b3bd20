//! Named crash points: where a test may make the process die, to see that nothing is lost.
//!
//! C1 part of a mail read · C2 document sealed, no row · C3 row committed, not acknowledged · C4 in the
//! render worker · C5 ready, nobody told · C11 handed over, before Create-Job · C12 Create-Job answered, not
//! written down · C13 in the middle of Send-Document · C14 all sent, outcome unknown · C16 printed, data not
//! yet deleted · C17 a mailbox's mail taken, not written down · C18 written down, not moved. (C6-C10 and C15 belong
//! to the link.)

use std::sync::Arc;

/// Decides at each point whether the world ends there.
#[derive(Clone, Default)]
pub struct CrashPoint(Option<Arc<dyn Fn(&'static str) -> bool + Send + Sync>>);

impl std::fmt::Debug for CrashPoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CrashPoint")
    }
}

impl CrashPoint {
    /// No point ever crashes.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Asks `decide` at each point; where it says yes, nothing goes on (a simulated world drops the node).
    pub fn when(decide: impl Fn(&'static str) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(decide)))
    }

    /// Kills the process at the `n`th pass of the point named in `spec`, written `C13` or `C13:4`.
    pub fn abort_at(spec: &str) -> Self {
        let (name, count) = spec.split_once(':').unwrap_or((spec, "1"));
        let name = name.to_owned();
        let left = std::sync::atomic::AtomicU64::new(count.parse().unwrap_or(1));
        Self::when(move |point| {
            if point == name && left.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) == 1 {
                std::process::abort();
            }
            false
        })
    }

    /// Passes a point.
    pub async fn pass(&self, name: &'static str) {
        if self.0.as_ref().is_some_and(|decide| decide(name)) {
            std::future::pending::<()>().await;
        }
    }
}
