//! Where time and randomness come from: the machine, or a test that says so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::Instant;
use tympan_engine::{Millis, Timestamp};

/// The clock.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's.
    System,
    /// Starts at an instant and goes with the runtime's clock, which a test may pause.
    Runtime {
        /// What the clock showed then.
        start: Timestamp,
        /// When that was.
        at: Instant,
    },
    /// As [`Clock::Runtime`], and a test sets it forward.
    Ahead {
        /// What the clock showed at the start.
        start: Timestamp,
        /// When that was.
        at: Instant,
        /// How far it was set forward since, in milliseconds.
        by_ms: Arc<AtomicU64>,
    },
}

impl Clock {
    /// The time now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(since.as_millis() as u64)
            }
            Self::Runtime { start, at } => *start + at.elapsed().as_millis() as Millis,
            Self::Ahead { start, at, by_ms } => {
                *start + at.elapsed().as_millis() as Millis + by_ms.load(Ordering::SeqCst)
            }
        }
    }
}

/// Random octets.
#[derive(Clone)]
pub enum Randomness {
    /// From the operating system.
    System,
    /// From a seed, always the same.
    Seeded(Arc<Mutex<u64>>),
}

impl Randomness {
    /// Octets from a seed.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(seed)))
    }

    /// Draws octets.
    ///
    /// # Panics
    /// When the operating system has no randomness.
    pub fn octets<const N: usize>(&self) -> [u8; N] {
        let mut out = [0u8; N];
        match self {
            Self::System => getrandom::fill(&mut out).expect("the operating system gives random octets"),
            Self::Seeded(state) => {
                let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                for chunk in out.chunks_mut(8) {
                    chunk.copy_from_slice(&split_mix(&mut state).to_le_bytes()[..chunk.len()]);
                }
            }
        }
        out
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): for simulated worlds, never for secrets.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
