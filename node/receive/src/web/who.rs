//! Who uploads: a program with a token, a person with a password or a browser session, or a listed network.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{StatusCode, header};
use tympan_engine::{Account, OwnerId, TokenScope};
use tympan_http::Peer;
use tympan_http::security::{OriginError, check_origin};

use super::Inner;
use super::answer::Refused;
use crate::Network;
use crate::accounts::SignInError;

/// Says who is signed in on the console, by the cookie of a request.
pub type Identities = Arc<
    dyn for<'a> Fn(&'a Parts, &'a Peer) -> Pin<Box<dyn Future<Output = Option<Account>> + Send + 'a>> + Send + Sync,
>;

/// Who uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uploader {
    /// Somebody with an account.
    Account(Box<Account>),
    /// A program with a token for administration of an owner's printers.
    Owner(OwnerId),
    /// Somebody in a listed network.
    Network(IpAddr),
}

pub(super) async fn identify(door: &Inner, parts: &Parts, peer: &Peer) -> Result<Uploader, Refused> {
    let foreign = check_origin(parts, peer);
    let credentials = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some((scheme, rest)) = credentials.and_then(|value| value.split_once(' ')) {
        if scheme.eq_ignore_ascii_case("bearer") {
            return by_token(door, rest.trim()).await;
        }
        if scheme.eq_ignore_ascii_case("basic") {
            not_foreign(foreign)?;
            return by_password(door, rest.trim(), peer).await;
        }
        return Err(unauthorized(door, peer));
    }
    if let Some(identities) = &door.identities
        && let Some(account) = identities(parts, peer).await
    {
        // The browser sends the cookie by itself: only our own pages may use it.
        return match foreign {
            Ok(()) => Ok(Uploader::Account(Box::new(account))),
            Err(error) => Err(Refused::new(StatusCode::FORBIDDEN, format!("Nothing was printed: {error}."))),
        };
    }
    if Network::any_contains(&door.options.networks, peer.addr.ip()) {
        not_foreign(foreign)?;
        return Ok(Uploader::Network(peer.addr.ip()));
    }
    Err(unauthorized(door, peer))
}

/// What a browser does by itself (an address, a remembered password) is no proof if another site made it do so.
fn not_foreign(origin: Result<(), OriginError>) -> Result<(), Refused> {
    match origin {
        Err(error @ OriginError::Foreign) => {
            Err(Refused::new(StatusCode::FORBIDDEN, format!("Nothing was printed: {error}.")))
        }
        Ok(()) | Err(OriginError::Unknown) => Ok(()),
    }
}

async fn by_token(door: &Inner, token: &str) -> Result<Uploader, Refused> {
    let found = door.spooler.token(token).await.map_err(|error| Refused::store(&error, "look up a token"))?;
    match found {
        Some(token) => match token.scope {
            TokenScope::Admin => Ok(Uploader::Owner(token.owner)),
            TokenScope::Account { .. } => match door.spooler.account_of_token(&token).await {
                Ok(Some(account)) => Ok(Uploader::Account(Box::new(account))),
                Ok(None) => Err(unknown_token()),
                Err(error) => Err(Refused::store(&error, "look up an account")),
            },
            TokenScope::Report { .. }
            | TokenScope::Agent { .. }
            | TokenScope::Registration { .. }
            | TokenScope::Job { .. } => {
                Err(Refused::new(StatusCode::FORBIDDEN, "This token is for something else than printing."))
            }
        },
        None => Err(unknown_token()),
    }
}

fn unknown_token() -> Refused {
    Refused::new(StatusCode::UNAUTHORIZED, "This token is not known here, or its time is over.")
        .asking("Bearer realm=\"Tympan\", error=\"invalid_token\"")
}

async fn by_password(door: &Inner, encoded: &str, peer: &Peer) -> Result<Uploader, Refused> {
    if !takes_passwords(door, peer) {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "A password goes through https only; please use the https address.",
        ));
    }
    let text = STANDARD.decode(encoded).ok().and_then(|octets| String::from_utf8(octets).ok());
    let Some((name, password)) = text.as_deref().and_then(|text| text.split_once(':')) else {
        return Err(unauthorized(door, peer));
    };
    match door.accounts.check(name, password, peer.addr.ip()).await {
        Ok(account) => Ok(Uploader::Account(Box::new(account))),
        Err(SignInError::Wrong) => Err(unauthorized(door, peer)),
        Err(SignInError::TooOften) => Err(Refused::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many failed log-ins from you; please try again in a few minutes.",
        )),
        Err(SignInError::Store(error)) => Err(Refused::store(&error, "look up an account")),
    }
}

fn takes_passwords(door: &Inner, peer: &Peer) -> bool {
    peer.tls || peer.addr.ip().is_loopback() || door.options.passwords_without_tls
}

fn unauthorized(door: &Inner, peer: &Peer) -> Refused {
    let text = "Who are you? Print with your user name and password (curl -u name), with a token (Authorization: \
                Bearer), or from a network that the printer's owner has listed.";
    let refused = Refused::new(StatusCode::UNAUTHORIZED, text);
    if takes_passwords(door, peer) {
        refused.asking("Basic realm=\"Tympan\", charset=\"UTF-8\"")
    } else {
        refused.asking("Bearer realm=\"Tympan\"")
    }
}
