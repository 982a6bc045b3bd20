//! Machines that ask to be paired, until their time is over (RFC 8628). In memory: a machine asks anew after a restart.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tympan_engine::pairing::{Machine, Pairing, PairingState, Polled, UserCode};
use tympan_engine::{AccountId, Millis, Refusal, Timestamp};
use tympan_spooler::Spooler;

/// Machines that may ask at a time, and of them from one source.
const MOST: usize = 1_000;
const MOST_FROM_ONE: usize = 20;

/// Why no machine more may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// Machines that ask.
#[derive(Debug, Default)]
pub(crate) struct Pairings {
    asked: Mutex<Vec<Pairing>>,
}

impl Pairings {
    fn lock(&self, now: Timestamp) -> MutexGuard<'_, Vec<Pairing>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has its token, or is over, is kept until its end, so that it hears why.
        asked.retain(|pairing| !pairing.is_over(now));
        asked
    }

    /// A machine asks; its secret comes back beside what is known of it.
    pub(crate) fn ask(
        &self,
        spooler: &Spooler,
        machine: Machine,
        from: String,
        interval: Millis,
    ) -> Result<(Pairing, String), TooMany> {
        let now = spooler.now();
        let mut asked = self.lock(now);
        let from_one = asked.iter().filter(|pairing| pairing.from == from).count();
        if asked.len() >= MOST || from_one >= MOST_FROM_ONE {
            return Err(TooMany);
        }
        let code = loop {
            let code = UserCode::from_random(u64::from_be_bytes(spooler.random()));
            if asked.iter().all(|pairing| pairing.code != code) {
                break code;
            }
        };
        let secret = spooler.new_secret();
        let pairing = Pairing::new(code, tympan_spooler::access::token_hash(&secret), machine, from, interval, now);
        asked.push(pairing.clone());
        Ok((pairing, secret))
    }

    /// The machine with this secret asks what was decided; `None`: it is not known.
    pub(crate) fn poll(&self, secret: &str, now: Timestamp) -> Option<(Polled, Machine)> {
        let hash = tympan_spooler::access::token_hash(secret);
        let mut asked = self.lock(now);
        // What is compared is a hash: how long it takes tells nothing of the secret.
        let pairing = asked.iter_mut().find(|pairing| pairing.device_code_hash == hash)?;
        Some((pairing.poll(now), pairing.machine.clone()))
    }

    /// The machine that waits under a code.
    pub(crate) fn waiting(&self, code: UserCode, now: Timestamp) -> Option<Pairing> {
        let asked = self.lock(now);
        asked.iter().find(|pairing| pairing.code == code && pairing.state == PairingState::Waiting).cloned()
    }

    /// Decides about the machine under a code.
    pub(crate) fn decide(&self, code: UserCode, yes: Option<AccountId>, now: Timestamp) -> Result<Machine, Refusal> {
        let mut asked = self.lock(now);
        let pairing = asked.iter_mut().find(|pairing| pairing.code == code).ok_or(Refusal::Stale)?;
        pairing.decide(yes, now)?;
        Ok(pairing.machine.clone())
    }
}
