//! How many connections there are, in all and per source.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts connections; a [`Place`] is held as long as one lives.
#[derive(Debug)]
pub(crate) struct Caps {
    total_max: usize,
    per_source_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    per_source: HashMap<IpAddr, usize>,
}

/// The place of one connection; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    caps: Arc<Caps>,
    source: IpAddr,
}

impl Caps {
    pub(crate) fn new(total_max: usize, per_source_max: usize) -> Arc<Self> {
        Arc::new(Self { total_max, per_source_max, taken: Mutex::default() })
    }

    /// Takes a place for a connection from `addr`, if there is one.
    pub(crate) fn take(self: &Arc<Self>, addr: IpAddr) -> Option<Place> {
        let source = source_of(addr);
        let mut taken = self.lock();
        if taken.total >= self.total_max {
            return None;
        }
        let here = taken.per_source.entry(source).or_default();
        if *here >= self.per_source_max {
            return None;
        }
        *here += 1;
        taken.total += 1;
        Some(Place { caps: Arc::clone(self), source })
    }

    /// Whether four fifths of all places are taken.
    pub(crate) fn is_crowded(&self) -> bool {
        self.lock().total > self.total_max / 5 * 4
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.caps.lock();
        taken.total -= 1;
        if let Some(here) = taken.per_source.get_mut(&self.source) {
            *here -= 1;
            if *here == 0 {
                taken.per_source.remove(&self.source);
            }
        }
    }
}

/// The source that an address counts for: itself, or its /64 for IPv6.
fn source_of(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_per_source_and_in_all() {
        let caps = Caps::new(3, 2);
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let first = caps.take(one).unwrap();
        let _second = caps.take("::ffff:192.0.2.1".parse().unwrap()).unwrap();
        assert!(caps.take(one).is_none());
        drop(first);
        let _third = caps.take(one).unwrap();
        let _fourth = caps.take("192.0.2.2".parse().unwrap()).unwrap();
        assert!(caps.take("192.0.2.3".parse().unwrap()).is_none());
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        let caps = Caps::new(10, 1);
        let _first = caps.take("2001:db8::1".parse().unwrap()).unwrap();
        assert!(caps.take("2001:db8::ffff:2".parse().unwrap()).is_none());
        assert!(caps.take("2001:db8:0:1::1".parse().unwrap()).is_some());
    }

    #[test]
    fn nothing_is_kept_of_sources_that_left() {
        let caps = Caps::new(10, 1);
        drop(caps.take("192.0.2.1".parse().unwrap()));
        assert!(caps.lock().per_source.is_empty());
        assert_eq!(caps.lock().total, 0);
    }
}
