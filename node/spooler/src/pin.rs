//! A job that is let go by whoever knows its PIN (PWG 5100.11, `reliability.md` T9).

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tokio::sync::Semaphore;
use tympan_engine::{HoldReason, Job, JobEvent, JobUuid, Pin};
use tympan_store::Whose;

use crate::{Spooler, SpoolerError};

/// PINs that are looked at at once: each takes a processor and about 19 MiB for a moment.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// Why a PIN lets nothing go.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// It is another one, or was hashed in another way.
    #[error("the PIN is wrong")]
    Wrong,
    /// Too many wrong ones were tried: none lets it go any more.
    #[error("too many wrong PINs were tried for this job")]
    Dead,
    /// The job waits for no PIN.
    #[error("the job has no PIN")]
    None,
    /// The job does not move, or the store failed.
    #[error(transparent)]
    Spooler(#[from] SpoolerError),
}

impl Spooler {
    /// Hashes a PIN for a job: Argon2id with a salt of its own, as a PHC string.
    ///
    /// # Panics
    /// When the hash function itself fails, which its parameters exclude.
    pub async fn hash_pin(&self, pin: &[u8]) -> String {
        let (pin, salt) = (pin.to_vec(), self.random::<16>());
        blocking(move || {
            let made: argon2::PasswordHash =
                Argon2::default().hash_password_with_salt(&pin, &salt).expect("argon2id hashes");
            made.to_string()
        })
        .await
    }

    /// Lets a job go with its PIN; `encryption` is how the client hashed it. A wrong one is counted before the answer.
    ///
    /// # Errors
    /// [`PinError`].
    pub async fn release_with_pin(
        &self,
        whose: Whose,
        job: JobUuid,
        pin: &[u8],
        encryption: &str,
        by: &str,
    ) -> Result<Job, PinError> {
        let known = self.job(whose, job).await?;
        let Some(wanted) = known.pin.filter(|_| known.holds.contains(&HoldReason::PinRelease)) else {
            return Err(PinError::None);
        };
        if wanted.is_dead() {
            return Err(PinError::Dead);
        }
        let fits = wanted.encryption == encryption && fits(&wanted, pin).await;
        if !fits {
            // Counted whatever else happens to the job meanwhile; two at once are two.
            let counted = self.job_event(whose, job, JobEvent::WrongPin, Some(by)).await?;
            return Err(if counted.pin.is_some_and(|pin| pin.is_dead()) { PinError::Dead } else { PinError::Wrong });
        }
        // Tries that were counted while this one was looked at count.
        let now = self.job(whose, job).await?;
        if now.pin.is_some_and(|pin| pin.is_dead()) {
            return Err(PinError::Dead);
        }
        Ok(self.job_event(whose, job, JobEvent::Unhold(HoldReason::PinRelease), Some(by)).await?)
    }
}

impl Spooler {
    /// As [`Spooler::release_with_pin`], with the PIN as a person types it: it is hashed as the client did.
    ///
    /// # Errors
    /// [`PinError`].
    pub async fn release_with_typed_pin(
        &self,
        whose: Whose,
        job: JobUuid,
        pin: &str,
        by: &str,
    ) -> Result<Job, PinError> {
        let known = self.job(whose, job).await?;
        let encryption = known.pin.ok_or(PinError::None)?.encryption;
        let octets = hashed(&encryption, pin.as_bytes());
        self.release_with_pin(whose, job, &octets, &encryption, by).await
    }
}

/// A PIN as a client sends it ("job-password-encryption").
fn hashed(encryption: &str, pin: &[u8]) -> Vec<u8> {
    match encryption {
        "sha2-256" => Sha256::digest(pin).to_vec(),
        "sha2-384" => Sha384::digest(pin).to_vec(),
        "sha2-512" => Sha512::digest(pin).to_vec(),
        _ => pin.to_vec(),
    }
}

async fn fits(wanted: &Pin, pin: &[u8]) -> bool {
    let (hash, pin) = (wanted.hash.clone(), pin.to_vec());
    blocking(move || PasswordHash::new(&hash).is_ok_and(|hash| Argon2::default().verify_password(&pin, &hash).is_ok()))
        .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let permit = AT_ONCE.acquire().await.expect("the semaphore is never closed");
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    })
    .await
    .expect("hashing does not panic")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_pin_is_hashed_as_the_client_hashed_it() {
        assert_eq!(hashed("none", b"4711"), b"4711");
        let octets = ["sha2-256", "sha2-384", "sha2-512"].map(|encryption| hashed(encryption, b"4711").len());
        assert_eq!(octets, [32, 48, 64]);
    }
}
