//! How often somebody may try: so many in a span, remembered in memory, within bounds.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use tympan_engine::time::{HOUR, MINUTE};
use tympan_engine::{Millis, Timestamp};

/// Most keys that are remembered; beyond, the oldest go.
const KEYS_MAX: usize = 20_000;
/// Longest wait that is ever asked for: fifteen minutes.
const WAIT_MAX: Millis = 15 * MINUTE;

/// A limit: at most `count` in `span`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) count: usize,
    pub(crate) span: Millis,
}

/// Sign-in, per account and source.
pub(crate) const SIGN_IN: [Rate; 2] = [Rate { count: 5, span: MINUTE }, Rate { count: 30, span: HOUR }];
/// Sign-in, per source over all accounts.
pub(crate) const SIGN_IN_SOURCE: [Rate; 2] = [Rate { count: 30, span: MINUTE }, Rate { count: 200, span: HOUR }];
/// Set-up codes, per source.
pub(crate) const SET_UP: [Rate; 2] = [Rate { count: 5, span: MINUTE }, Rate { count: 30, span: HOUR }];
/// Registrations asked for, per source.
pub(crate) const REGISTER: [Rate; 2] = [Rate { count: 10, span: MINUTE }, Rate { count: 60, span: HOUR }];
/// Registrations asked for at one printer, over all sources.
pub(crate) const REGISTER_AT: [Rate; 1] = [Rate { count: 600, span: HOUR }];
/// Keys pressed on a page by secret link, per link.
pub(crate) const LINK: [Rate; 1] = [Rate { count: 30, span: MINUTE }];
/// PINs typed, per source (`reliability` T9).
pub(crate) const PIN: [Rate; 1] = [Rate { count: 20, span: HOUR }];
/// Machines that ask to be paired, per source.
pub(crate) const PAIR_ASK: [Rate; 2] = [Rate { count: 10, span: MINUTE }, Rate { count: 60, span: HOUR }];
/// Codes of machines looked at, per person and source: short codes are not to be guessed (RFC 8628 section 5.1).
pub(crate) const PAIR: [Rate; 2] = [Rate { count: 10, span: MINUTE }, Rate { count: 40, span: HOUR }];
/// Consecutive failures at one account, from wherever, after which each further one waits twice as long.
const FAILURES_FREE: u32 = 100;

/// Where somebody comes from: an IPv4 address, or the /64 of an IPv6 one.
pub(crate) fn source(addr: IpAddr) -> String {
    match addr {
        IpAddr::V4(addr) => addr.to_string(),
        IpAddr::V6(addr) => {
            let s = addr.segments();
            format!("{:x}:{:x}:{:x}:{:x}::/64", s[0], s[1], s[2], s[3])
        }
    }
}

/// What was tried, and when.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    tries: Mutex<HashMap<String, VecDeque<Timestamp>>>,
    failures: Mutex<HashMap<String, (u32, Timestamp)>>,
}

impl Limiter {
    /// Counts a try; `Err`: one too many, and how long to wait.
    pub(crate) fn take(&self, key: &str, rates: &[Rate], now: Timestamp) -> Result<(), Millis> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= KEYS_MAX && !tries.contains_key(key) {
            forget(&mut tries, now);
        }
        let longest = rates.iter().map(|rate| rate.span).max().unwrap_or(0);
        let most = rates.iter().map(|rate| rate.count).max().unwrap_or(0);
        let mine = tries.entry(key.to_owned()).or_default();
        while mine.front().is_some_and(|at| now.since(*at) >= longest) {
            mine.pop_front();
        }
        for rate in rates {
            let within = mine.iter().rev().take_while(|at| now.since(**at) < rate.span).count();
            if within >= rate.count {
                let oldest = mine[mine.len() - rate.count];
                return Err((oldest + rate.span).since(now).clamp(1_000, WAIT_MAX));
            }
        }
        mine.push_back(now);
        while mine.len() > most {
            mine.pop_front();
        }
        Ok(())
    }

    /// Forgets the tries of a key: it was the right one after all.
    pub(crate) fn clear(&self, key: &str) {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// How long an account that failed again and again has to wait.
    pub(crate) fn wait(&self, account: &str, now: Timestamp) -> Option<Millis> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, last) = failures.get(account)?;
        let over = count.checked_sub(FAILURES_FREE)?;
        let wait = (1_000u64 << over.min(20)).min(WAIT_MAX);
        let until = *last + wait;
        (until > now).then(|| until.since(now))
    }

    /// Notes that a sign-in failed, or went well.
    pub(crate) fn note(&self, account: &str, failed: bool, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if !failed {
            failures.remove(account);
            return;
        }
        if failures.len() >= KEYS_MAX && !failures.contains_key(account) {
            failures.retain(|_, (count, last)| *count >= FAILURES_FREE && now.since(*last) < HOUR);
        }
        let entry = failures.entry(account.to_owned()).or_insert((0, now));
        entry.0 = entry.0.saturating_add(1);
        entry.1 = now;
    }
}

fn forget(tries: &mut HashMap<String, VecDeque<Timestamp>>, now: Timestamp) {
    tries.retain(|_, tries| tries.back().is_some_and(|at| now.since(*at) < HOUR));
    if tries.len() >= KEYS_MAX {
        let mut last: Vec<Timestamp> = tries.values().filter_map(|tries| tries.back().copied()).collect();
        last.sort_unstable();
        let median = last[last.len() / 2];
        tries.retain(|_, tries| tries.back().is_some_and(|at| *at > median));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_a_minute_and_thirty_an_hour() {
        let limiter = Limiter::default();
        let mut now = Timestamp(1_000_000);
        for _ in 0..5 {
            assert_eq!(limiter.take("a", &SIGN_IN, now), Ok(()));
        }
        assert_eq!(limiter.take("a", &SIGN_IN, now), Err(MINUTE));
        assert_eq!(limiter.take("b", &SIGN_IN, now), Ok(()), "another account or source is not concerned");
        for _ in 0..5 {
            now = now + MINUTE;
            for _ in 0..5 {
                assert_eq!(limiter.take("a", &SIGN_IN, now), Ok(()));
            }
        }
        now = now + MINUTE;
        assert!(limiter.take("a", &SIGN_IN, now).is_err(), "thirty in the hour");
        now = now + HOUR;
        assert_eq!(limiter.take("a", &SIGN_IN, now), Ok(()));
    }

    #[test]
    fn a_hundred_failures_make_the_wait_grow() {
        let limiter = Limiter::default();
        let now = Timestamp(1_000_000);
        for _ in 0..99 {
            limiter.note("anna", true, now);
        }
        assert_eq!(limiter.wait("anna", now), None);
        limiter.note("anna", true, now);
        assert_eq!(limiter.wait("anna", now), Some(1_000));
        limiter.note("anna", true, now);
        assert_eq!(limiter.wait("anna", now), Some(2_000));
        for _ in 0..100 {
            limiter.note("anna", true, now);
        }
        assert_eq!(limiter.wait("anna", now), Some(WAIT_MAX));
        limiter.note("anna", false, now);
        assert_eq!(limiter.wait("anna", now), None);
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let limiter = Limiter::default();
        for n in 0..(KEYS_MAX as u64 + 100) {
            let _ = limiter.take(&n.to_string(), &SIGN_IN, Timestamp(n));
        }
        assert!(limiter.tries.lock().unwrap().len() <= KEYS_MAX);
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        let at = |text: &str| source(text.parse().unwrap());
        assert_eq!(at("2001:db8:1:2::5"), at("2001:db8:1:2:ffff::1"));
        assert_ne!(at("2001:db8:1:2::5"), at("2001:db8:1:3::5"));
        assert_eq!(at("192.0.2.1"), "192.0.2.1");
    }
}
