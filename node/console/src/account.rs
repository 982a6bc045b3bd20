//! Accounts: made, and given new passwords, which closes every session they have.

use crate::failure::Failure;
use crate::policy::SESSION_COOKIE;
use crate::{Passwords, texts};
use tympan_engine::{Account, AccountId, Language, Millis, OwnerId, Right, Timestamp, TokenScope};
use tympan_http::{Parts, Peer, cookie};
use tympan_spooler::{SignIn, Spooler, SpoolerError};
use tympan_store::{Record, Whose};

/// How long a sign-in lasts, in milliseconds: fourteen days. The opening of a session is told from its end by it.
pub(crate) const SESSION_MS: Millis = 14 * tympan_engine::time::DAY;

/// The setting that says since when sessions of an account count.
fn since_key(account: AccountId) -> String {
    format!("sessions-since/{account}")
}

/// The name typed at sign-in in its one form: trimmed, lower case; `None` for what cannot be one.
pub(crate) fn canonical_name(name: &str) -> Option<String> {
    let name = name.trim().to_lowercase();
    let good = !name.is_empty()
        && name.chars().count() <= 64
        && !name.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '\''));
    good.then_some(name)
}

/// Makes an account.
///
/// # Errors
/// [`SpoolerError::Invalid`] for a name or password that cannot be one, [`SpoolerError::Exists`] for a name that is taken.
pub async fn new_account(
    spooler: &Spooler,
    passwords: &Passwords,
    owner: OwnerId,
    name: &str,
    password: &str,
    right: Right,
    language: Language,
) -> Result<Account, SpoolerError> {
    let name = canonical_name(name).ok_or_else(|| SpoolerError::Invalid(texts::EN.bad_account_name.into()))?;
    if !Passwords::fits(password) {
        return Err(SpoolerError::Invalid(texts::EN.bad_password.into()));
    }
    let now = spooler.now();
    let account = Account {
        owner,
        id: AccountId::from_parts(now, spooler.random()),
        name,
        addresses: Vec::new(),
        password_hash: Some(passwords.hash(password, spooler.random()).await.into()),
        right,
        printer_rights: Vec::new(),
        language,
        created_at: now,
    };
    spooler.save_account(account.clone(), 0).await?;
    Ok(account)
}

/// Gives an account a new password and closes its sessions; returns its name. An empty name means the first account
/// that owns the place.
///
/// # Errors
/// [`SpoolerError::NotFound`] when there is no such account, [`SpoolerError::Invalid`] for a password that is too short.
pub async fn reset_password(
    spooler: &Spooler,
    passwords: &Passwords,
    owner: OwnerId,
    name: &str,
    password: &str,
) -> Result<String, SpoolerError> {
    if !Passwords::fits(password) {
        return Err(SpoolerError::Invalid(texts::EN.bad_password.into()));
    }
    let hash = passwords.hash(password, spooler.random()).await;
    loop {
        let accounts = spooler.records().accounts(Whose::Owner(owner)).await?;
        let name = name.trim().to_lowercase();
        let wanted = |account: &Account| {
            if name.is_empty() { account.right == Right::Own } else { account.name == name }
        };
        let found = accounts.into_iter().filter(|row| wanted(&row.record)).min_by_key(|row| row.record.created_at);
        let Some(row) = found else {
            return Err(SpoolerError::NotFound("account"));
        };
        let account = Account { password_hash: Some(hash.clone().into()), ..row.record };
        match spooler.save_account(account.clone(), row.version).await {
            Ok(()) => {
                close_sessions(spooler, &account).await?;
                return Ok(account.name);
            }
            Err(SpoolerError::Store(error)) if error.is_conflict() => tokio::task::yield_now().await,
            Err(other) => return Err(other),
        }
    }
}

/// Changes an account; on a conflict again.
pub(crate) async fn change(
    spooler: &Spooler,
    owner: OwnerId,
    id: AccountId,
    change: impl Fn(&mut Account),
) -> Result<Account, Failure> {
    loop {
        let key = tympan_store::Key::Account(id);
        let row = spooler.records().read(Whose::Owner(owner), &[key]).await?.pop().flatten();
        let Some((Record::Account(mut account), version)) = row.map(|row| (row.record, row.version)) else {
            return Err(Failure::NotFound);
        };
        change(&mut account);
        match spooler.save_account(account.clone(), version).await {
            Ok(()) => return Ok(account),
            Err(SpoolerError::Store(error)) if error.is_conflict() => tokio::task::yield_now().await,
            Err(other) => return Err(other.into()),
        }
    }
}

/// Ends the passwords of an account's programs; how many there were.
pub(crate) async fn end_tokens(spooler: &Spooler, owner: OwnerId, name: &str) -> Result<usize, SpoolerError> {
    let whose = Whose::Owner(owner);
    let Some(account) = spooler.records().account_by_name(whose, name).await? else { return Ok(0) };
    let scope = TokenScope::Account { account: account.record.id };
    let mut tokens = spooler.records().tokens(whose).await?;
    tokens.retain(|token| token.scope == scope);
    for token in &tokens {
        spooler.revoke_token(token.token_hash).await?;
    }
    Ok(tokens.len())
}

/// Closes every session that an account has now.
pub(crate) async fn close_sessions(spooler: &Spooler, account: &Account) -> Result<(), SpoolerError> {
    // Sessions opened in this very millisecond are closed too, those opened from the next on are not.
    let since = serde_json::json!(spooler.now().0 + 1);
    spooler.set_setting(account.owner, &since_key(account.id), Some(since)).await
}

/// Who is signed in by the cookie of a request, for doors beside the console. They check the origin themselves.
pub async fn signed_in(spooler: &Spooler, parts: &Parts, peer: &Peer) -> Option<Account> {
    let token = cookie::get(&parts.headers, SESSION_COOKIE, peer.tls)?;
    let found = spooler.session(token).await.ok().flatten()?;
    match is_closed(spooler, &found).await {
        Ok(false) => Some(found.account),
        _ => None,
    }
}

/// Whether a session was closed by a new password.
pub(crate) async fn is_closed(spooler: &Spooler, found: &SignIn) -> Result<bool, SpoolerError> {
    let setting = spooler.setting(found.session.owner, &since_key(found.account.id)).await?;
    let Some(since) = setting.as_ref().and_then(serde_json::Value::as_u64) else {
        return Ok(false);
    };
    let opened_at = found.session.expires_at - SESSION_MS;
    Ok(opened_at < Timestamp(since))
}
