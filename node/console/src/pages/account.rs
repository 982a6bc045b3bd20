//! One's own account, and for owners everybody's.

use super::{Frame, done, html, right_word};
use crate::account::{self, canonical_name};
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::limiter::{self, SIGN_IN};
use crate::policy::{LANGUAGE_COOKIE, language_of};
use crate::routes::Console;
use crate::show::Choice;
use crate::texts::Texts;
use askama::Template;
use std::sync::Arc;
use std::time::Duration;
use tympan_engine::{Account, Private, Right};
use tympan_http::{Body, Response, StatusCode, cookie, header};
use tympan_spooler::SpoolerError;
use tympan_spooler::registrations::canonical_address;
use tympan_store::{Change, Key};

struct Person {
    name: String,
    addresses: String,
    right: &'static str,
    may_remove: bool,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    f: Frame,
    t: &'static Texts,
    error: String,
    name: String,
    right: &'static str,
    addresses: String,
    may_own: bool,
    people: Vec<Person>,
    rights: Vec<Choice>,
    person_open: bool,
    new_name: String,
    new_addresses: String,
}

fn addresses(account: &Account) -> String {
    account.addresses.iter().map(|address| address.0.as_str()).collect::<Vec<_>>().join(", ")
}

async fn show(
    console: &Console,
    ask: &Ask,
    status: StatusCode,
    error: String,
    person_open: bool,
) -> Result<Response<Body>, Failure> {
    let t = ask.id.texts();
    let account = ask.id.account().ok_or(Failure::Unauthorized)?;
    let may_own = account.right == Right::Own;
    let people = match may_own {
        true => console.spooler().records().accounts(ask.id.whose()).await?,
        false => Vec::new(),
    };
    let chosen = if person_open { ask.field("right") } else { "" };
    let choice = |value, right, hint| {
        Choice::new(value, right_word(t, right), hint, chosen == value || (chosen.is_empty() && right == Right::Print))
    };
    let page = AccountPage {
        f: Frame::new(console, &ask.id, &ask.parts, t.account),
        t,
        error,
        name: account.name.clone(),
        right: right_word(t, account.right),
        addresses: addresses(account),
        may_own,
        people: people
            .into_iter()
            .map(|row| Person {
                may_remove: row.record.id != account.id,
                addresses: addresses(&row.record),
                right: right_word(t, row.record.right),
                name: row.record.name,
            })
            .collect(),
        rights: vec![
            choice("print", Right::Print, t.right_print_hint),
            choice("operate", Right::Operate, t.right_operate_hint),
            choice("own", Right::Own, t.right_own_hint),
        ],
        person_open,
        new_name: if person_open { ask.field("name").into() } else { String::new() },
        new_addresses: if person_open { ask.field("addresses").into() } else { String::new() },
    };
    Ok(html(status, &page))
}

/// `GET /account`
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    show(&console, &ask, StatusCode::OK, String::new(), false).await
}

/// `POST /account/password`
pub(crate) async fn password(console: Arc<Console>, ask: Ask) -> Answer {
    let t = ask.id.texts();
    let spooler = console.spooler();
    let account = ask.id.account().ok_or(Failure::Unauthorized)?;
    let key = format!("password {} {}", limiter::source(ask.peer.addr.ip()), account.id);
    console.limiter.take(&key, &SIGN_IN, spooler.now()).map_err(Failure::TooMany)?;
    let hash = account.password_hash.as_ref().map(|hash| hash.0.clone());
    let new = ask.form.get("new").unwrap_or("");
    let error = if !console.passwords.verify(ask.form.get("old").unwrap_or(""), hash).await {
        t.wrong_sign_in
    } else if !crate::Passwords::fits(new) {
        t.bad_password
    } else if ask.form.get("again") != Some(new) {
        t.not_the_same
    } else {
        ""
    };
    if !error.is_empty() {
        return show(&console, &ask, StatusCode::UNPROCESSABLE_ENTITY, error.into(), false).await;
    }
    account::reset_password(spooler, &console.passwords, ask.id.owner, &account.name, new).await?;
    account::end_tokens(spooler, ask.id.owner, &account.name).await?;
    // The new session must be younger than the instant until which all others were closed.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let mut response = done("/account", "password")?;
    super::sign::open(&console, &ask, account, &mut response).await?;
    Ok(response)
}

/// `POST /account/language`
pub(crate) async fn language(console: Arc<Console>, ask: Ask) -> Answer {
    let language = language_of(ask.field("language")).ok_or(Failure::NotFound)?;
    let account = ask.id.account().ok_or(Failure::Unauthorized)?;
    account::change(console.spooler(), ask.id.owner, account.id, |account| account.language = language).await?;
    let mut response = done("/account", "saved")?;
    let kept = cookie::set(LANGUAGE_COOKIE, language.tag(), ask.peer.tls, cookie::SameSite::Lax, Some(365 * 86_400));
    response.headers_mut().extend(kept.map(|value| (header::SET_COOKIE, value)));
    Ok(response)
}

/// `POST /people`
pub(crate) async fn add_person(console: Arc<Console>, ask: Ask) -> Answer {
    let t = ask.id.texts();
    let spooler = console.spooler();
    let right = match ask.field("right") {
        "own" => Right::Own,
        "operate" => Right::Operate,
        _ => Right::Print,
    };
    let password = ask.form.get("password").unwrap_or("");
    let addresses: Result<Vec<Private<String>>, SpoolerError> = ask
        .field("addresses")
        .split([',', ' ', ';'])
        .filter(|address| !address.is_empty())
        .map(|address| canonical_address(address).map(Private))
        .collect();
    let error = match (&addresses, canonical_name(ask.field("name"))) {
        (_, None) => t.bad_account_name,
        (Err(_), _) => t.bad_address,
        _ if !crate::Passwords::fits(password) => t.bad_password,
        _ => "",
    };
    if !error.is_empty() {
        return show(&console, &ask, StatusCode::UNPROCESSABLE_ENTITY, error.into(), true).await;
    }
    let (owner, language) = (ask.id.owner, ask.id.language);
    let made =
        account::new_account(spooler, &console.passwords, owner, ask.field("name"), password, right, language).await;
    let made = match made {
        Ok(account) => account,
        Err(SpoolerError::Exists(_)) => {
            return show(&console, &ask, StatusCode::CONFLICT, t.account_exists.into(), true).await;
        }
        Err(other) => return Err(other.into()),
    };
    let addresses = addresses?;
    if !addresses.is_empty() {
        account::change(spooler, owner, made.id, |account| account.addresses.clone_from(&addresses)).await?;
    }
    done("/account", "person-added")
}

/// `POST /people/remove`
pub(crate) async fn remove_person(console: Arc<Console>, ask: Ask) -> Answer {
    let spooler = console.spooler();
    let found = spooler.records().account_by_name(ask.id.whose(), ask.field("name")).await?;
    let account = found.ok_or(Failure::NotFound)?.record;
    if ask.id.account().is_none_or(|own| own.id == account.id) {
        return Err(Failure::Forbidden);
    }
    // A session without its account signs nobody in.
    let change = Change { delete: vec![Key::Account(account.id)], ..Change::default() };
    spooler.records().commit(change).await?;
    done("/account", "person-removed")
}
