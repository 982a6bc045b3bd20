//! How many connections there are, in all and per source, and which was idle longest.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::network::source_of;

/// Counts connections of all listeners; a [`Place`] is held as long as one lives.
#[derive(Debug)]
pub(crate) struct Places {
    total_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    per_source: HashMap<IpAddr, usize>,
    lines: Vec<Weak<Line>>,
}

/// What others may know of a connection.
#[derive(Debug)]
pub(crate) struct Line {
    idle_since: Mutex<Option<Instant>>,
    /// The connection has to give up its place.
    pub(crate) shed: Notify,
}

impl Line {
    /// The peer has to act, and has not begun a mail.
    pub(crate) fn idle(&self, idle: bool) {
        let mut since = self.idle_since.lock().unwrap_or_else(PoisonError::into_inner);
        *since = idle.then(|| since.unwrap_or_else(Instant::now));
    }

    fn idle_since(&self) -> Option<Instant> {
        *self.idle_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    source: IpAddr,
    pub(crate) line: Arc<Line>,
}

impl Places {
    pub(crate) fn new(total_max: usize) -> Arc<Self> {
        Arc::new(Self { total_max, taken: Mutex::default() })
    }

    /// Takes a place for a connection from `addr`, if its source has fewer than `per_source_max`.
    pub(crate) fn take(self: &Arc<Self>, addr: IpAddr, per_source_max: usize) -> Option<Place> {
        let source = source_of(addr);
        let mut taken = self.lock();
        if taken.total >= self.total_max {
            return None;
        }
        let here = taken.per_source.entry(source).or_default();
        if *here >= per_source_max {
            return None;
        }
        *here += 1;
        taken.total += 1;
        let line = Arc::new(Line { idle_since: Mutex::new(None), shed: Notify::new() });
        // Swept only when the list would grow, so that adding stays cheap.
        if taken.lines.len() == taken.lines.capacity() {
            taken.lines.retain(|line| line.strong_count() > 0);
        }
        taken.lines.push(Arc::downgrade(&line));
        if taken.total > self.total_max / 5 * 4 {
            let idle = taken.lines.iter().filter_map(Weak::upgrade);
            let oldest = idle.filter_map(|line| Some((line.idle_since()?, line))).min_by_key(|(since, _)| *since);
            if let Some((_, line)) = oldest {
                line.shed.notify_one();
            }
        }
        drop(taken);
        Some(Place { places: Arc::clone(self), source, line })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.total -= 1;
        if let Some(here) = taken.per_source.get_mut(&self.source) {
            *here -= 1;
            if *here == 0 {
                taken.per_source.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_per_source_and_in_all() {
        let places = Places::new(3);
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let first = places.take(one, 2).unwrap();
        let _second = places.take("::ffff:192.0.2.1".parse().unwrap(), 2).unwrap();
        assert!(places.take(one, 2).is_none());
        drop(first);
        let _third = places.take(one, 2).unwrap();
        let _fourth = places.take("192.0.2.2".parse().unwrap(), 2).unwrap();
        assert!(places.take("192.0.2.3".parse().unwrap(), 2).is_none());
    }

    #[tokio::test]
    async fn the_one_that_was_idle_longest_goes_when_places_get_scarce() {
        let places = Places::new(5);
        let addr = |n: u8| IpAddr::from([192, 0, 2, n]);
        let taken: Vec<Place> = (0..4).map(|n| places.take(addr(n), 1).unwrap()).collect();
        taken[2].line.idle(true);
        taken[1].line.idle(true);
        taken[1].line.idle(true);
        let _fifth = places.take(addr(9), 1).unwrap();
        taken[2].line.shed.notified().await;
        taken[2].line.idle(false);
        assert_eq!(taken[2].line.idle_since(), None);
    }
}
