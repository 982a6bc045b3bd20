//! What only the command line does.

use super::created;
use super::ok;
use crate::account;
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::routes::Console;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tympan_engine::TokenScope;
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
            Ok(ok(&json!({ "account": account })))
        }
        Err(SpoolerError::Invalid(_)) => Err(Failure::Invalid(ask.id.texts().bad_password.into())),
        Err(other) => Err(other.into()),
    }
}

/// `POST /admin/token`
pub(crate) async fn token(console: Arc<Console>, ask: Ask) -> Answer {
    let token = console.spooler().new_token(ask.id.owner, TokenScope::Admin, None).await?;
    Ok(created(&json!({ "token": token })))
}
