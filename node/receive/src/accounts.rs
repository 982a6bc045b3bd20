//! Whose password is it? Argon2 off the event loop, few at a time, and few failures.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tympan_engine::Account;
use tympan_spooler::{Spooler, SpoolerError};
use tympan_store::Whose;

use crate::network::source_of;
use crate::rates::Rates;

/// Longest password that is looked at, in octets.
const PASSWORD_OCTETS_MAX: usize = 1024;
/// Passwords that are checked at once: each takes a processor and about 19 MiB.
const CHECKS_MAX: usize = 2;

/// Checks names and passwords for all doors.
pub(crate) struct Accounts {
    spooler: Spooler,
    checks: Semaphore,
    /// Failures per account and source, in a minute and in an hour.
    short: Rates<(String, IpAddr)>,
    long: Rates<(String, IpAddr)>,
    /// Failures per source, whatever the account.
    source: Rates<IpAddr>,
}

/// Why nobody signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    /// No such account, or another password.
    #[error("user name or password is wrong")]
    Wrong,
    /// Too many failures before; the password was not looked at.
    #[error("too many failed log-ins; please wait a minute")]
    TooOften,
    /// The store failed.
    #[error("could not look up the account")]
    Store(#[source] SpoolerError),
}

impl Accounts {
    pub(crate) fn new(spooler: Spooler) -> Self {
        Self {
            spooler,
            checks: Semaphore::new(CHECKS_MAX),
            short: Rates::new(5, Duration::from_secs(60)),
            long: Rates::new(30, Duration::from_secs(3600)),
            source: Rates::new(60, Duration::from_secs(3600)),
        }
    }

    /// The account that this name and password belong to.
    pub(crate) async fn check(&self, name: &str, password: &str, from: IpAddr) -> Result<Account, SignInError> {
        let name = name.trim().to_lowercase();
        let source = source_of(from);
        let key = (name.clone(), source);
        let now = Instant::now();
        if !(self.short.has_room(&key, now) && self.long.has_room(&key, now) && self.source.has_room(&source, now)) {
            return Err(SignInError::TooOften);
        }
        // A program's own password is a token: quick to look up, and of no use to somebody else.
        if let Some(account) = self.by_token(&name, password).await.map_err(SignInError::Store)? {
            return Ok(account);
        }
        let found = self.spooler.records().account_by_name(Whose::Everyones, &name).await;
        let account = found.map_err(|error| SignInError::Store(error.into()))?.map(|row| row.record);
        let hash = account.as_ref().and_then(|account| account.password_hash.as_ref()).map(|hash| hash.0.clone());
        let known = hash.is_some();
        // One at a time waits here, not in memory: a flood of log-ins is slow, not large.
        let matches = match self.checks.acquire().await {
            Ok(_permit) => matches(password.to_owned(), hash).await,
            Err(_) => false,
        };
        match account {
            Some(account) if matches && known => {
                self.short.forgive(&key);
                Ok(account)
            }
            _ => {
                self.short.take(key.clone(), now);
                self.long.take(key, now);
                self.source.take(source, now);
                Err(SignInError::Wrong)
            }
        }
    }
}

impl Accounts {
    async fn by_token(&self, name: &str, password: &str) -> Result<Option<Account>, SpoolerError> {
        if password.len() > PASSWORD_OCTETS_MAX {
            return Ok(None);
        }
        let Some(token) = self.spooler.token(password).await? else { return Ok(None) };
        let account = self.spooler.account_of_token(&token).await?;
        Ok(account.filter(|account| account.name.to_lowercase() == name))
    }
}

/// Whether a password belongs to a PHC string; takes as long if there is none, so that names cannot be guessed.
async fn matches(password: String, hash: Option<String>) -> bool {
    static NOBODYS: OnceLock<String> = OnceLock::new();
    let check = move || {
        let hash = hash.unwrap_or_else(|| {
            let make = || {
                let made = Argon2::default().hash_password_with_salt(b"nobody", b"nobody's salt 16");
                made.map(|hash: argon2::PasswordHash| hash.to_string()).unwrap_or_default()
            };
            NOBODYS.get_or_init(make).clone()
        });
        password.len() <= PASSWORD_OCTETS_MAX
            && Argon2::default().verify_password(password.as_bytes(), hash.as_str()).is_ok()
    };
    tokio::task::spawn_blocking(check).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_matches_and_nobodys_never_does() {
        let hash: argon2::PasswordHash =
            Argon2::default().hash_password_with_salt(b"correct horse", b"0123456789abcdef").unwrap();
        assert!(matches("correct horse".into(), Some(hash.to_string())).await);
        assert!(!matches("wrong horse".into(), Some(hash.to_string())).await);
        assert!(!matches(String::new(), Some(String::new())).await);
        assert!(!matches("x".repeat(PASSWORD_OCTETS_MAX + 1), Some(hash.to_string())).await);
    }
}
