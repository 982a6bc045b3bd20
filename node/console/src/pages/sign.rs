//! Set-up, sign-in, sign-out.

use super::{Frame, done, html};
use crate::account::{self, SESSION_MS, canonical_name};
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::limiter::{self, SET_UP, SIGN_IN, SIGN_IN_SOURCE};
use crate::policy::SESSION_COOKIE;
use crate::routes::Console;
use crate::texts::Texts;
use askama::Template;
use std::sync::Arc;
use tympan_engine::{Account, Right};
use tympan_http::{Body, Response, StatusCode, cookie, header, respond};
use tympan_spooler::SpoolerError;
use tympan_store::Whose;

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage<'a> {
    f: Frame,
    t: &'static Texts,
    error: String,
    code: &'a str,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    f: Frame,
    t: &'static Texts,
    error: String,
    name: &'a str,
    next: &'a str,
}

fn set_up_form(console: &Console, ask: &Ask, status: StatusCode, error: String) -> Response<Body> {
    let t = ask.id.texts();
    let f = Frame::new(console, &ask.id, &ask.parts, t.set_up_title);
    html(status, &SetUpPage { f, t, error, code: ask.field("code"), name: ask.field("name") })
}

fn sign_in_form(console: &Console, ask: &Ask, status: StatusCode, error: String) -> Response<Body> {
    let t = ask.id.texts();
    let f = Frame::new(console, &ask.id, &ask.parts, t.sign_in);
    html(status, &SignInPage { f, t, error, name: ask.field("name"), next: ask.field("next") })
}

/// `GET /setup`
pub(crate) async fn set_up_page(console: Arc<Console>, ask: Ask) -> Answer {
    Ok(set_up_form(&console, &ask, StatusCode::OK, String::new()))
}

/// `POST /setup`
pub(crate) async fn set_up(console: Arc<Console>, ask: Ask) -> Answer {
    let t = ask.id.texts();
    let spooler = console.spooler();
    let key = format!("set-up {}", limiter::source(ask.peer.addr.ip()));
    console.limiter.take(&key, &SET_UP, spooler.now()).map_err(Failure::TooMany)?;
    let again = |error: &str| Ok(set_up_form(&console, &ask, StatusCode::UNPROCESSABLE_ENTITY, error.into()));
    let password = ask.form.get("password").unwrap_or("");
    if !console.set_up.fits(ask.field("code")) {
        return again(t.wrong_code);
    }
    if canonical_name(ask.field("name")).is_none() {
        return again(t.bad_account_name);
    }
    if !crate::Passwords::fits(password) {
        return again(t.bad_password);
    }
    if ask.form.get("again") != Some(password) {
        return again(t.not_the_same);
    }
    let _turn = console.set_up.turn.lock().await;
    if console.set_up.is_done() {
        return Err(Failure::NotFound);
    }
    let owner = console.options.owner;
    let made = account::new_account(
        spooler,
        &console.passwords,
        owner,
        ask.field("name"),
        password,
        Right::Own,
        ask.id.language,
    )
    .await;
    let account = match made {
        Ok(account) => account,
        Err(SpoolerError::Exists(_)) => return again(t.account_exists),
        Err(other) => return Err(other.into()),
    };
    console.set_up.finish();
    tracing::info!("Made the first account");
    let mut response = done("/", "set-up")?;
    open(&console, &ask, &account, &mut response).await?;
    Ok(response)
}

/// Opens a session and gives the browser its cookie.
pub(crate) async fn open(
    console: &Console,
    ask: &Ask,
    account: &Account,
    response: &mut Response<Body>,
) -> Result<(), Failure> {
    let (token, _) = console.spooler().open_session(account, SESSION_MS).await?;
    let secs = u32::try_from(SESSION_MS / 1_000).unwrap_or(u32::MAX);
    let set = cookie::set(SESSION_COOKIE, &token, ask.peer.tls, cookie::SameSite::Lax, Some(secs));
    response.headers_mut().extend(set.map(|value| (header::SET_COOKIE, value)));
    Ok(())
}

/// `GET /sign-in`
pub(crate) async fn sign_in_page(console: Arc<Console>, ask: Ask) -> Answer {
    if !console.set_up.is_done() {
        return Ok(respond::see_other("/setup"));
    }
    if ask.id.account().is_some() {
        return Ok(respond::see_other(local(ask.field("next"))));
    }
    Ok(sign_in_form(&console, &ask, StatusCode::OK, String::new()))
}

/// A place on this server, or the home page.
fn local(next: &str) -> &str {
    let fits = next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|c| c.is_ascii_alphanumeric() || b"/-_.?=&%".contains(&c));
    if fits { next } else { "/" }
}

/// `POST /sign-in`
pub(crate) async fn sign_in(console: Arc<Console>, ask: Ask) -> Answer {
    let t = ask.id.texts();
    let spooler = console.spooler();
    let name = ask.field("name").to_lowercase();
    let now = spooler.now();
    let source = limiter::source(ask.peer.addr.ip());
    let key = format!("sign-in {source} {}", name.chars().take(64).collect::<String>());
    if let Some(wait) = console.limiter.wait(&name, now) {
        return Err(Failure::TooMany(wait));
    }
    console.limiter.take(&key, &SIGN_IN, now).map_err(Failure::TooMany)?;
    console.limiter.take(&format!("sign-in {source}"), &SIGN_IN_SOURCE, now).map_err(Failure::TooMany)?;
    let found = match canonical_name(&name) {
        Some(name) => spooler.records().account_by_name(Whose::Owner(console.options.owner), &name).await?,
        None => None,
    };
    let account = found.map(|row| row.record);
    let hash = account.as_ref().and_then(|account| account.password_hash.as_ref()).map(|hash| hash.0.clone());
    let _place = console.passwords.place().ok_or(Failure::TooMany(5_000))?;
    let fits = console.passwords.verify(ask.form.get("password").unwrap_or(""), hash).await;
    match account {
        Some(account) if fits => {
            console.limiter.note(&name, false, now);
            console.limiter.clear(&key);
            let mut response = respond::see_other(local(ask.field("next")));
            open(&console, &ask, &account, &mut response).await?;
            Ok(response)
        }
        known => {
            if known.is_some() {
                console.limiter.note(&name, true, now);
            }
            tracing::info!(source, "Refused a sign-in");
            Ok(sign_in_form(&console, &ask, StatusCode::UNPROCESSABLE_ENTITY, t.wrong_sign_in.into()))
        }
    }
}

/// `POST /sign-out`
pub(crate) async fn sign_out(console: Arc<Console>, ask: Ask) -> Answer {
    if let Some(token) = &ask.id.session {
        console.spooler().close_session(token).await?;
    }
    let mut response = respond::see_other("/sign-in");
    let removed = cookie::remove(SESSION_COOKIE, ask.peer.tls);
    response.headers_mut().extend(removed.map(|value| (header::SET_COOKIE, value)));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn a_sign_in_leads_to_places_of_this_server_only() {
        assert_eq!(local("/jobs/7K3M?lang=ja"), "/jobs/7K3M?lang=ja");
        for foreign in
            ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\r\nb"]
        {
            assert_eq!(local(foreign), "/", "{foreign}");
        }
    }
}
