//! What only the command line does.

use super::created;
use super::ok;
use crate::account;
use crate::act::span_between;
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::routes::Console;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tympan_engine::time::{DAY, SECOND};
use tympan_engine::{Millis, Token, TokenScope};
use tympan_spooler::SpoolerError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    #[serde(default)]
    account: String,
    password: String,
}

/// `POST /admin/reset-password`
pub(crate) async fn reset_password(console: Arc<Console>, ask: Ask) -> Answer {
    let Reset { account, password } = ask.input()?;
    let reset = account::reset_password(console.spooler(), &console.passwords, ask.id.owner, &account, &password).await;
    match reset {
        Ok(account) => {
            console.limiter.note(&account, false, console.spooler().now());
            // Whoever has a stolen computer has the passwords of its programs too.
            let ended = account::end_tokens(console.spooler(), ask.id.owner, &account).await?;
            Ok(ok(&json!({ "account": account, "tokens_ended": ended })))
        }
        Err(SpoolerError::Invalid(_)) => Err(Failure::Invalid(ask.id.texts().bad_password.into())),
        Err(other) => Err(other.into()),
    }
}

/// Longest life of a token that has an end.
const TOKEN_LIFE_MAX: Millis = 3_650 * DAY;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// For how long it is good; for ever if it does not say.
    #[serde(default)]
    good_for: Option<String>,
    /// The account whose rights it has; without one it may do everything.
    #[serde(default)]
    account: Option<String>,
}

/// `POST /admin/token`
pub(crate) async fn token(console: Arc<Console>, ask: Ask) -> Answer {
    let NewToken { good_for, account } = ask.input()?;
    let spooler = console.spooler();
    let until = match good_for {
        Some(span) => Some(spooler.now() + span_between(ask.id.texts(), "good_for", &span, SECOND, TOKEN_LIFE_MAX)?),
        None => None,
    };
    let scope = match account.as_deref() {
        None => TokenScope::Admin,
        Some(name) => {
            let found = spooler.records().account_by_name(ask.id.whose(), &name.trim().to_lowercase()).await;
            let found = found.map_err(SpoolerError::from)?;
            let unknown = || {
                Failure::Invalid(format!(
                    "there is no account `{name}`; `tympan admin` works on accounts that the console lists"
                ))
            };
            TokenScope::Account { account: found.ok_or_else(unknown)?.record.id }
        }
    };
    let token = spooler.new_token(ask.id.owner, scope, until).await?;
    let expires = until.map(|at| console.clock(ask.id.language).rfc3339(at));
    Ok(created(&json!({ "token": token, "expires_at": expires })))
}

/// `GET /admin/tokens`: what each is good for, never the token itself. Links in letters are not listed.
pub(crate) async fn tokens(console: Arc<Console>, ask: Ask) -> Answer {
    let clock = console.clock(ask.id.language);
    let printers = console.spooler().records().printers(ask.id.whose()).await?;
    let accounts = console.spooler().records().accounts(ask.id.whose()).await.map_err(SpoolerError::from)?;
    let listed = by_hand(&console, &ask).await?;
    let rows: Vec<Value> = listed
        .iter()
        .map(|token| {
            let (mut of, mut machine) = (None, None);
            let (scope, printer) = match &token.scope {
                TokenScope::Report { printer } => {
                    let named = printers.iter().find(|row| row.record.uuid == *printer);
                    ("report", named.map(|row| row.record.name.clone()))
                }
                TokenScope::Account { account } => {
                    of = accounts.iter().find(|row| row.record.id == *account).map(|row| row.record.name.clone());
                    ("account", None)
                }
                TokenScope::Agent { name, account } => {
                    machine = Some(name.clone());
                    of = accounts.iter().find(|row| row.record.id == *account).map(|row| row.record.name.clone());
                    ("agent", None)
                }
                TokenScope::Admin | TokenScope::Registration { .. } | TokenScope::Job { .. } => ("admin", None),
            };
            json!({
                "id": token.id(),
                "scope": scope,
                "printer": printer,
                "account": of,
                "machine": machine,
                "created_at": clock.rfc3339(token.created_at),
                "expires_at": token.expires_at.map(|at| clock.rfc3339(at)),
            })
        })
        .collect();
    Ok(ok(&Value::Array(rows)))
}

/// `POST /admin/tokens/{id}/revoke`
pub(crate) async fn revoke(console: Arc<Console>, ask: Ask) -> Answer {
    let id = ask.params.get("id").to_ascii_lowercase();
    let found = by_hand(&console, &ask).await?.into_iter().find(|token| token.id() == id);
    let token = found.ok_or(Failure::NotFound)?;
    console.spooler().revoke_token(token.token_hash).await?;
    Ok(ok(&json!({ "id": id })))
}

async fn by_hand(console: &Console, ask: &Ask) -> Result<Vec<Token>, Failure> {
    let mut tokens = console.spooler().records().tokens(ask.id.whose()).await?;
    tokens.retain(Token::is_made_by_hand);
    tokens.sort_by_key(|token| token.created_at);
    Ok(tokens)
}
