//! Pairing a machine without a keyboard with its owner's account: the device grant of OAuth 2.0 (RFC 8628).
//!
//! The machine asks and shows a short code; the owner, signed in on a phone, compares or types it and says yes; the
//! machine, which asks again and again, gets its token once.

use crate::time::{MINUTE, SECOND};
use crate::{AccountId, Millis, Refusal, Timestamp};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

/// How long a code is good for, in milliseconds ("expires_in").
pub const LASTS: Millis = 10 * MINUTE;
/// How long a machine waits between two questions at first, in milliseconds ("interval").
pub const INTERVAL: Millis = 5 * SECOND;
/// What a question that comes too early adds to it (RFC 8628 section 3.5).
const SLOW_DOWN: Millis = 5 * SECOND;

/// The longest wait between two questions, in milliseconds: a hasty machine is slowed down, not shut out.
const INTERVAL_MAX: Millis = MINUTE;

/// Consonants only: no words, no digits that look like letters (RFC 8628 section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const CODE_LETTERS: usize = 8;

/// The code that people compare or type, `WDJB-MJHT`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UserCode([u8; CODE_LETTERS]);

impl UserCode {
    /// A code out of 64 random bits.
    pub fn from_random(mut random: u64) -> Self {
        let mut code = [0; CODE_LETTERS];
        for letter in &mut code {
            *letter = LETTERS[usize::try_from(random % 20).unwrap_or(0)];
            random /= 20;
        }
        Self(code)
    }

    /// Reads what somebody typed: in any case, with or without the hyphen.
    pub fn parse(text: &str) -> Option<Self> {
        let mut letters = text.bytes().filter(u8::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase());
        let mut code = [0; CODE_LETTERS];
        for place in &mut code {
            *place = letters.next().filter(|letter| LETTERS.contains(letter))?;
        }
        letters.next().is_none().then_some(Self(code))
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.0.split_at(CODE_LETTERS / 2);
        let text = |half| core::str::from_utf8(half).map_err(|_| fmt::Error);
        write!(f, "{}-{}", text(first)?, text(second)?)
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever reads a log could say yes in somebody's place.
        f.write_str("UserCode")
    }
}

/// What a machine says of itself. Nothing of it is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// What it is called.
    pub name: String,
    /// The printers that it found.
    pub printers: Vec<String>,
}

/// How far a pairing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PairingState {
    /// Nobody has decided.
    Waiting,
    /// The owner said yes.
    Approved(AccountId),
    /// The owner said no.
    Denied,
    /// The machine has its token.
    Issued,
}

/// A machine that asks to be paired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    /// The code that people see.
    pub code: UserCode,
    /// SHA-256 of the code that the machine asks with.
    pub device_code_hash: [u8; 32],
    /// What it says of itself.
    pub machine: Machine,
    /// From where it asked.
    pub from: String,
    /// When it asked.
    pub asked_at: Timestamp,
    /// How far it has come.
    pub state: PairingState,
    interval: Millis,
    polled_at: Option<Timestamp>,
}

/// What a machine that asks again is told (RFC 8628 section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// "authorization_pending"
    Pending,
    /// "slow_down"
    TooEarly,
    /// "access_denied"
    Denied,
    /// "expired_token": the time is over, or the token was given before.
    Over,
    /// Its token, on behalf of this account.
    Granted(AccountId),
}

impl Pairing {
    /// A machine asks; it is to wait so long between two questions (milliseconds, by default [`INTERVAL`]).
    pub fn new(
        code: UserCode,
        device_code_hash: [u8; 32],
        machine: Machine,
        from: String,
        interval: Millis,
        now: Timestamp,
    ) -> Self {
        Self {
            code,
            device_code_hash,
            machine,
            from,
            asked_at: now,
            state: PairingState::Waiting,
            interval,
            polled_at: None,
        }
    }

    /// When its codes are no longer good.
    pub fn ends_at(&self) -> Timestamp {
        self.asked_at + LASTS
    }

    /// Whether its time is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.ends_at()
    }

    /// The machine asks whether somebody has decided. A grant is given once.
    pub fn poll(&mut self, now: Timestamp) -> Polled {
        if self.is_over(now) {
            return Polled::Over;
        }
        let early = self.polled_at.is_some_and(|before| now < before + self.interval);
        self.polled_at = Some(now);
        match self.state {
            PairingState::Denied => Polled::Denied,
            PairingState::Issued => Polled::Over,
            PairingState::Waiting | PairingState::Approved(_) if early => {
                self.interval = (self.interval + SLOW_DOWN).min(INTERVAL_MAX);
                Polled::TooEarly
            }
            PairingState::Waiting => Polled::Pending,
            PairingState::Approved(account) => {
                self.state = PairingState::Issued;
                Polled::Granted(account)
            }
        }
    }

    /// The owner decides: yes on behalf of an account, or no.
    ///
    /// # Errors
    /// [`Refusal::Stale`] if its time is over or somebody has decided before.
    pub fn decide(&mut self, yes: Option<AccountId>, now: Timestamp) -> Result<(), Refusal> {
        if self.is_over(now) || self.state != PairingState::Waiting {
            return Err(Refusal::Stale);
        }
        self.state = yes.map_or(PairingState::Denied, PairingState::Approved);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const ANNA: AccountId = AccountId([1; 16]);

    fn pairing() -> Pairing {
        Pairing::new(UserCode::from_random(7), [1; 32], Machine::default(), "192.0.2.1".into(), INTERVAL, Timestamp(0))
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * SECOND)
    }

    #[test]
    fn e01_a_code_is_read_as_people_type_it() {
        let code = UserCode::from_random(0x0123_4567_89ab_cdef);
        let text = code.to_string();
        assert_eq!((text.len(), &text[4..5]), (9, "-"));
        assert!(text.bytes().all(|letter| letter == b'-' || LETTERS.contains(&letter)));
        for typed in [text.clone(), text.to_lowercase(), text.replace('-', ""), text.replace('-', " ")] {
            assert_eq!(UserCode::parse(&typed), Some(code), "{typed}");
        }
        for wrong in ["", "WDJB", "WDJB-MJHTX", "WDJB-MJH1", "AEIO-UAEI", "ＷＤＪＢ-ＭＪＨＴ"] {
            assert_eq!(UserCode::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn e01_a_machine_waits_for_the_owner_and_gets_its_token_once() {
        let mut asked = pairing();
        assert_eq!(asked.poll(at(0)), Polled::Pending);
        assert_eq!(asked.poll(at(5)), Polled::Pending);
        asked.decide(Some(ANNA), at(6)).unwrap();
        assert_eq!(asked.decide(None, at(7)), Err(Refusal::Stale));
        assert_eq!(asked.poll(at(10)), Polled::Granted(ANNA));
        assert_eq!(asked.poll(at(20)), Polled::Over);
    }

    #[test]
    fn who_asks_too_often_has_to_wait_longer_each_time() {
        let mut asked = pairing();
        assert_eq!(asked.poll(at(0)), Polled::Pending);
        assert_eq!(asked.poll(at(1)), Polled::TooEarly);
        // Ten seconds from now on.
        assert_eq!(asked.poll(at(7)), Polled::TooEarly);
        assert_eq!(asked.poll(at(22)), Polled::Pending);
        // An answer is not lost by asking too early for it.
        asked.decide(Some(ANNA), at(23)).unwrap();
        assert_eq!(asked.poll(at(24)), Polled::TooEarly);
        assert_eq!(asked.poll(at(60)), Polled::Granted(ANNA));
    }

    #[test]
    fn a_no_and_the_end_of_its_time_are_final() {
        let mut denied = pairing();
        denied.decide(None, at(1)).unwrap();
        assert_eq!(denied.poll(at(2)), Polled::Denied);
        let mut late = pairing();
        let end = LASTS / SECOND;
        assert_eq!(late.decide(Some(ANNA), at(end)), Err(Refusal::Stale));
        assert_eq!(late.poll(at(end)), Polled::Over);
        let mut taken = pairing();
        taken.decide(Some(ANNA), at(1)).unwrap();
        assert_eq!(taken.poll(at(end)), Polled::Over, "nobody fetched it in time");
    }
}
