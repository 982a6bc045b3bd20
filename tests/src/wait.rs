//! Waiting for something to come true, with a ceiling and without a guess at how long it takes.

use std::time::{Duration, Instant};

/// How long a test waits for anything: long enough for a slow machine under load, short enough to be noticed.
pub const CEILING: Duration = Duration::from_secs(60);

/// How often a condition is looked at that cannot wake us.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until `look` finds something and returns it.
///
/// # Panics
/// When it did not within [`CEILING`]; the message names `what`.
#[track_caller]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < CEILING, "waited {} s in vain for {what}", CEILING.as_secs());
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Waits until `condition` holds.
///
/// # Panics
/// When it did not within [`CEILING`]; the message names `what`.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}
