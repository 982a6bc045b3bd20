//! Passwords: argon2id, few at a time, the same work for an account that does not exist.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use std::sync::{Arc, OnceLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The least characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// The most octets of a password: hashing more would be work for nothing.
const PASSWORD_OCTETS_MAX: usize = 1024;
/// How many passwords are checked at once; each takes 19 MiB and a core for a moment.
const AT_ONCE: usize = 2;
/// How many sign-ins may wait for their turn.
const WAITING_MAX: usize = 64;

/// Makes and checks hashes of passwords. Cheap to clone; clones share the bound on work at once.
#[derive(Clone, Debug)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)), places: Arc::new(Semaphore::new(WAITING_MAX)) }
    }
}

impl Passwords {
    /// Whether a password may be chosen: at least ten characters, at most 1,024 octets.
    pub fn fits(password: &str) -> bool {
        password.chars().count() >= PASSWORD_CHARS_MIN && password.len() <= PASSWORD_OCTETS_MAX
    }

    /// A place among those who wait; `None`: too many wait already.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Hashes a password with a salt of 16 random octets: a PHC string.
    ///
    /// # Panics
    /// When the hash function itself fails, which its parameters exclude.
    pub async fn hash(&self, password: &str, salt: [u8; 16]) -> String {
        let password = password.to_owned();
        self.blocking(move || {
            Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).expect("argon2id hashes").to_string()
        })
        .await
    }

    /// Whether a password is the one that was hashed. `None` for the hash takes as long and says no.
    ///
    /// # Panics
    /// When the hash function itself fails, which its parameters exclude.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> bool {
        if password.len() > PASSWORD_OCTETS_MAX {
            return false;
        }
        let password = password.to_owned();
        self.blocking(move || {
            let exists = hash.is_some();
            let hash = hash.unwrap_or_else(|| nobodys().to_owned());
            let Ok(hash) = PasswordHash::new(&hash) else {
                return false;
            };
            Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && exists
        })
        .await
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        })
        .await
        .expect("hashing does not panic")
    }
}

/// The hash that stands in for an account that does not exist.
fn nobodys() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        Argon2::default().hash_password_with_salt(b"nobody", &[0; 16]).expect("argon2id hashes").to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits_its_hash() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse", [7; 16]).await;
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(passwords.verify("correct horse", Some(hash.clone())).await);
        assert!(!passwords.verify("correct horsf", Some(hash)).await);
        assert!(!passwords.verify("nobody", None).await, "the stand-in is no way in");
        assert!(!passwords.verify("x", Some("no hash".into())).await);
    }

    #[test]
    fn a_password_has_ten_characters_not_octets() {
        assert!(Passwords::fits("1234567890"));
        assert!(!Passwords::fits("123456789"));
        assert!(!Passwords::fits("パスワード"), "five characters of fifteen octets");
        assert!(!Passwords::fits(&"a".repeat(1025)));
    }
}
