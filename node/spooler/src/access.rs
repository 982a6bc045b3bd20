//! Accounts, sessions and tokens: whose credential it is says whose rows are seen.

use crate::{Spooler, SpoolerError};
use sha2::{Digest, Sha256};
use tympan_engine::{Account, Millis, OwnerId, Registration, Session, Timestamp, Token, TokenScope};
use tympan_store::{Change, Key, Record, Whose};

/// A browser that signed in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The session's row.
    pub session: Session,
    /// Who it is.
    pub account: Account,
}

/// SHA-256 of a token: what is stored in its place.
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Octets as lower-case hexadecimal digits.
pub fn hex(octets: &[u8]) -> String {
    use std::fmt::Write;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut out, octet| {
        let _ = write!(out, "{octet:02x}");
        out
    })
}

impl Spooler {
    /// A new secret: 256 random bits as hexadecimal digits.
    pub fn new_secret(&self) -> String {
        hex(&self.random::<32>())
    }

    /// Stores an account (its `id` new, or one that was read before at `version`).
    ///
    /// # Errors
    /// [`SpoolerError::Exists`] when the name is taken.
    pub async fn save_account(&self, account: Account, version: u64) -> Result<(), SpoolerError> {
        let change = Change { put: vec![(account.into(), version)], ..Change::default() };
        self.inner.records.commit(change).await?;
        Ok(())
    }

    /// Opens a session for an account; returns the token for the cookie, which is stored nowhere.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn open_session(&self, account: &Account, lasts_ms: Millis) -> Result<(String, Session), SpoolerError> {
        let token = self.new_secret();
        let session = Session {
            owner: account.owner,
            token_hash: token_hash(&token),
            account: account.id,
            csrf: hex(&self.random::<16>()),
            expires_at: self.now() + lasts_ms,
        };
        let change = Change { put: vec![(session.clone().into(), 0)], ..Change::default() };
        self.inner.records.commit(change).await?;
        Ok((token, session))
    }

    /// Who a session's token belongs to, if it is in force.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn session(&self, token: &str) -> Result<Option<SignIn>, SpoolerError> {
        let rows = self.inner.records.read(Whose::Everyones, &[Key::Session(token_hash(token))]).await?;
        let Some(Record::Session(session)) = rows.into_iter().flatten().next().map(|row| row.record) else {
            return Ok(None);
        };
        if session.expires_at <= self.now() {
            return Ok(None);
        }
        let rows = self.inner.records.read(Whose::Owner(session.owner), &[Key::Account(session.account)]).await?;
        match rows.into_iter().flatten().next().map(|row| row.record) {
            Some(Record::Account(account)) => Ok(Some(SignIn { session, account })),
            _ => Ok(None),
        }
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn close_session(&self, token: &str) -> Result<(), SpoolerError> {
        let change = Change { delete: vec![Key::Session(token_hash(token))], ..Change::default() };
        self.inner.records.commit(change).await?;
        Ok(())
    }

    /// Makes a bearer token; returns it, it is stored nowhere.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn new_token(
        &self,
        owner: OwnerId,
        scope: TokenScope,
        expires_at: Option<Timestamp>,
    ) -> Result<String, SpoolerError> {
        let token = self.new_secret();
        self.save_token(owner, &token, scope, expires_at).await?;
        Ok(token)
    }

    /// Makes a secret link to a page about one job or one registration.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn new_link(
        &self,
        base_url: &str,
        owner: OwnerId,
        scope: TokenScope,
        expires_at: Option<Timestamp>,
    ) -> Result<String, SpoolerError> {
        let token = self.new_token(owner, scope.clone(), expires_at).await?;
        Ok(format!("{base_url}{}", scope.path(&token)))
    }

    /// Makes a secret link to a sender's own settings at a printer. It lasts 30 days; each letter brings a new one.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn settings_link(&self, base_url: &str, registration: &Registration) -> Result<String, SpoolerError> {
        let scope = TokenScope::Registration { registration: registration.id };
        let until = self.now() + 30 * tympan_engine::time::DAY;
        self.new_link(base_url, registration.owner, scope, Some(until)).await
    }

    /// Stores a token that was made elsewhere (the data folder's own admin token); the same token again is fine.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn save_token(
        &self,
        owner: OwnerId,
        token: &str,
        scope: TokenScope,
        expires_at: Option<Timestamp>,
    ) -> Result<(), SpoolerError> {
        let row = Token { owner, token_hash: token_hash(token), scope, created_at: self.now(), expires_at };
        let key = Key::Token(row.token_hash);
        let found = self.inner.records.read(Whose::Owner(owner), &[key]).await?.pop().flatten();
        let version = found.map_or(0, |row| row.version);
        let change = Change { put: vec![(row.into(), version)], ..Change::default() };
        self.inner.records.commit(change).await?;
        Ok(())
    }

    /// What a bearer token is good for, if it is in force.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn token(&self, token: &str) -> Result<Option<Token>, SpoolerError> {
        let rows = self.inner.records.read(Whose::Everyones, &[Key::Token(token_hash(token))]).await?;
        Ok(match rows.into_iter().flatten().next().map(|row| row.record) {
            Some(Record::Token(token)) if token.expires_at.is_none_or(|end| end > self.now()) => Some(token),
            _ => None,
        })
    }

    /// The account whose password for programs a token is, if the token is in force and one of these.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn account_of_token(&self, token: &Token) -> Result<Option<Account>, SpoolerError> {
        let TokenScope::Account { account } = token.scope else { return Ok(None) };
        let rows = self.inner.records.read(Whose::Owner(token.owner), &[Key::Account(account)]).await?;
        Ok(match rows.into_iter().flatten().next().map(|row| row.record) {
            Some(Record::Account(account)) => Some(account),
            _ => None,
        })
    }

    /// Revokes a bearer token by its hash.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn revoke_token(&self, hash: [u8; 32]) -> Result<(), SpoolerError> {
        let change = Change { delete: vec![Key::Token(hash)], ..Change::default() };
        self.inner.records.commit(change).await?;
        Ok(())
    }

    /// Reads a setting.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn setting(&self, owner: OwnerId, name: &str) -> Result<Option<serde_json::Value>, SpoolerError> {
        let rows = self.inner.records.read(Whose::Owner(owner), &[Key::Setting(owner, name.into())]).await?;
        Ok(match rows.into_iter().flatten().next().map(|row| row.record) {
            Some(Record::Setting { value, .. }) => Some(value),
            _ => None,
        })
    }

    /// Writes a setting; `None` deletes it. The last writer wins.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn set_setting(
        &self,
        owner: OwnerId,
        name: &str,
        value: Option<serde_json::Value>,
    ) -> Result<(), SpoolerError> {
        let key = Key::Setting(owner, name.into());
        self.change(Whose::Owner(owner), std::slice::from_ref(&key), |rows, gathered| {
            let version = rows[0].as_ref().map_or(0, |row| row.version);
            match &value {
                Some(value) => gathered
                    .change
                    .put
                    .push((Record::Setting { owner, name: name.into(), value: value.clone() }, version)),
                None => gathered.change.delete.push(key.clone()),
            }
            Ok(())
        })
        .await
    }
}
