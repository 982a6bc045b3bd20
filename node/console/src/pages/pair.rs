//! Pairing a machine with the place (E01): what it asks over OAuth 2.0 (RFC 8628, 8414), and the page where its owner
//! compares or types the code.

use super::{Frame, done, html, ok};
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::limiter::{self, PAIR, PAIR_ASK};
use crate::pairings::TooMany;
use crate::routes::Console;
use crate::texts::Texts;
use askama::Template;
use serde_json::json;
use std::sync::Arc;
use tympan_engine::TokenScope;
use tympan_engine::pairing::{LASTS, Machine, Pairing, Polled, UserCode};
use tympan_http::{Body, HeaderValue, Response, StatusCode, header, respond};

/// The grant that machines use.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What a machine may do with its token: bring printers here.
const SCOPE: &str = "agent";
/// Characters of a machine's name, and printers that it may name.
const NAME_CHARS_MAX: usize = 64;
const PRINTERS_MAX: usize = 20;

fn answer(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let response = respond::json(status, value);
    respond::with_header(response, header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// An error of OAuth 2.0 (RFC 6749 section 5.2).
fn refused(error: &str, description: &str) -> Response<Body> {
    answer(StatusCode::BAD_REQUEST, &json!({ "error": error, "error_description": description }))
}

/// What a machine says of itself, fit to be shown.
fn clean(text: &str) -> String {
    let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(NAME_CHARS_MAX).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `GET /.well-known/oauth-authorization-server`
pub(crate) async fn metadata(console: Arc<Console>, _: Ask) -> Answer {
    let base = &console.options.base_url;
    Ok(answer(
        StatusCode::OK,
        &json!({
            "issuer": base,
            "device_authorization_endpoint": format!("{base}/oauth/device_authorization"),
            "token_endpoint": format!("{base}/oauth/token"),
            "grant_types_supported": [GRANT],
            "response_types_supported": [],
            "scopes_supported": [SCOPE],
            "token_endpoint_auth_methods_supported": ["none"],
        }),
    ))
}

/// `POST /oauth/device_authorization`
pub(crate) async fn authorize(console: Arc<Console>, ask: Ask) -> Answer {
    let now = console.spooler().now();
    let from = limiter::source(ask.peer.addr.ip());
    console.limiter.take(&format!("pairing {from}"), &PAIR_ASK, now).map_err(Failure::TooMany)?;
    if ask.field("client_id").is_empty() {
        return Ok(refused("invalid_request", "`client_id` is missing"));
    }
    if !matches!(ask.field("scope"), "" | SCOPE) {
        return Ok(refused("invalid_scope", "the scope here is `agent`"));
    }
    let name = match clean(ask.field("name")) {
        name if name.is_empty() => clean(ask.field("client_id")),
        name => name,
    };
    let printers = ask.form.all("printer").map(clean).filter(|name| !name.is_empty()).take(PRINTERS_MAX).collect();
    let asked =
        console.pairings.ask(console.spooler(), Machine { name, printers }, from, console.options.pair_interval_ms);
    let Ok((pairing, secret)): Result<_, TooMany> = asked else {
        return Err(Failure::TooMany(LASTS));
    };
    let place = format!("{}/pair", console.options.base_url);
    let code = pairing.code.to_string();
    Ok(answer(
        StatusCode::OK,
        &json!({
            "device_code": secret,
            "user_code": code,
            "verification_uri": place,
            "verification_uri_complete": format!("{place}?code={code}"),
            "expires_in": LASTS / 1000,
            "interval": console.options.pair_interval_ms.div_ceil(1000),
        }),
    ))
}

/// `POST /oauth/token`
pub(crate) async fn token(console: Arc<Console>, ask: Ask) -> Answer {
    if ask.field("grant_type") != GRANT {
        return Ok(refused("unsupported_grant_type", "the grant here is that of devices (RFC 8628)"));
    }
    let spooler = console.spooler();
    let Some((polled, machine)) = console.pairings.poll(ask.field("device_code"), spooler.now()) else {
        return Ok(refused("expired_token", "this code is not known, or its time is over: ask for a new one"));
    };
    match polled {
        Polled::Pending => Ok(refused("authorization_pending", "the owner has not decided yet")),
        Polled::TooEarly => Ok(refused("slow_down", "wait five seconds longer between two questions")),
        Polled::Denied => Ok(refused("access_denied", "the owner said no")),
        Polled::Over => Ok(refused("expired_token", "the time of this code is over: ask for a new one")),
        Polled::Granted(account) => {
            let scope = TokenScope::Agent { name: machine.name.clone(), account };
            let token = spooler.new_token(console.options.owner, scope, None).await?;
            tracing::info!(machine = %machine.name, "Paired a machine");
            Ok(answer(StatusCode::OK, &json!({ "access_token": token, "token_type": "Bearer", "scope": SCOPE })))
        }
    }
}

#[derive(Template)]
#[template(path = "pair.html")]
struct Pair {
    f: Frame,
    t: &'static Texts,
    error: &'static str,
    code: String,
    machine: Option<Machine>,
    from: String,
}

fn show(
    console: &Console,
    ask: &Ask,
    status: StatusCode,
    error: &'static str,
    found: Option<&Pairing>,
) -> Response<Body> {
    let t = ask.id.texts();
    let page = Pair {
        f: Frame::new(console, &ask.id, &ask.parts, t.pair_title),
        t,
        error,
        code: found.map_or_else(|| ask.field("code").to_owned(), |pairing| pairing.code.to_string()),
        machine: found.map(|pairing| pairing.machine.clone()),
        from: found.map(|pairing| pairing.from.clone()).unwrap_or_default(),
    };
    html(status, &page)
}

/// Finds who waits under the code of a form. Codes are short: tries are counted.
fn find(console: &Console, ask: &Ask) -> Result<Result<Pairing, Response<Body>>, Failure> {
    let now = console.spooler().now();
    let source = limiter::source(ask.peer.addr.ip());
    let who = ask.id.name();
    console.limiter.take(&format!("pair {who} {source}"), &PAIR, now).map_err(Failure::TooMany)?;
    let found = UserCode::parse(ask.field("code")).and_then(|code| console.pairings.waiting(code, now));
    Ok(found.ok_or_else(|| show(console, ask, StatusCode::UNPROCESSABLE_ENTITY, ask.id.texts().pair_unknown, None)))
}

/// `GET /pair`: the code is typed, or it came with the address and is compared. Nothing is decided here.
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    if ask.field("code").is_empty() {
        let t = ask.id.texts();
        return ok(&Pair {
            f: Frame::new(&console, &ask.id, &ask.parts, t.pair_title),
            t,
            error: "",
            code: String::new(),
            machine: None,
            from: String::new(),
        });
    }
    Ok(match find(&console, &ask)? {
        Ok(pairing) => show(&console, &ask, StatusCode::OK, "", Some(&pairing)),
        Err(response) => response,
    })
}

/// `POST /pair`
pub(crate) async fn decide(console: Arc<Console>, ask: Ask) -> Answer {
    let pairing = match find(&console, &ask)? {
        Ok(pairing) => pairing,
        Err(response) => return Ok(response),
    };
    let account = ask.id.account().ok_or(Failure::Unauthorized)?.id;
    let yes = match ask.field("decision") {
        "yes" => Some(account),
        "no" => None,
        // A code was typed: who it is comes first.
        _ => return Ok(show(&console, &ask, StatusCode::OK, "", Some(&pairing))),
    };
    let decided = console.pairings.decide(pairing.code, yes, console.spooler().now());
    decided.map_err(|refusal| Failure::Spooler(refusal.into()))?;
    done("/account", if yes.is_some() { "paired" } else { "not-paired" })
}
