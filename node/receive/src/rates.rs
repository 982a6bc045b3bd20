//! How often something may happen, per key: a bucket that fills by itself (`reliability`: limits per source).

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Keys that are remembered at most; beyond it, those that may do everything again are forgotten.
const KEYS_MAX: usize = 20_000;

/// At most so many in a span, refilled evenly.
#[derive(Debug)]
pub(crate) struct Rates<K> {
    most: f64,
    per: Duration,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl<K: Eq + Hash> Rates<K> {
    pub(crate) fn new(most: u32, per: Duration) -> Self {
        Self { most: f64::from(most), per, buckets: Mutex::default() }
    }

    /// Takes one, if there is one left.
    pub(crate) fn take(&self, key: K, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEYS_MAX && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| self.left(bucket, now) < self.most - 0.5);
            if buckets.len() >= KEYS_MAX {
                return false;
            }
        }
        let bucket = buckets.entry(key).or_insert(Bucket { left: self.most, at: now });
        let left = self.left(bucket, now);
        *bucket = Bucket { left: if left >= 1.0 { left - 1.0 } else { left }, at: now };
        left >= 1.0
    }

    /// Whether one is left, without taking it.
    pub(crate) fn has_room(&self, key: &K, now: Instant) -> bool {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.get(key).is_none_or(|bucket| self.left(bucket, now) >= 1.0)
    }

    /// Forgets what a key took.
    pub(crate) fn forgive(&self, key: &K) {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn left(&self, bucket: &Bucket, now: Instant) -> f64 {
        let gained = now.saturating_duration_since(bucket.at).as_secs_f64() / self.per.as_secs_f64() * self.most;
        (bucket.left + gained).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_empty_after_its_number_and_fills_with_time() {
        let rates = Rates::new(2, Duration::from_secs(60));
        let now = Instant::now();
        assert!(rates.take("a", now) && rates.take("a", now));
        assert!(!rates.take("a", now) && !rates.has_room(&"a", now));
        assert!(rates.take("b", now), "another key has a bucket of its own");
        assert!(!rates.take("a", now + Duration::from_secs(29)));
        assert!(rates.take("a", now + Duration::from_secs(60)));
        rates.forgive(&"a");
        assert!(rates.take("a", now) && rates.take("a", now));
    }

    #[test]
    fn keys_are_bounded() {
        let rates = Rates::new(1, Duration::from_secs(60));
        let now = Instant::now();
        for key in 0..KEYS_MAX {
            assert!(rates.take(key, now));
        }
        assert!(!rates.take(KEYS_MAX, now));
        assert!(rates.take(KEYS_MAX, now + Duration::from_secs(61)), "the old ones were forgotten");
    }
}
