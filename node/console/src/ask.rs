//! From a route to its handler: forms are read, and their tokens checked, before a handler sees them.

use crate::failure::Failure;
use crate::policy::{Identity, LANGUAGE_COOKIE, Policy, VISIT_COOKIE, language_of, same};
use crate::routes::Console;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::sync::Arc;
use tympan_http::{Body, BodyLimits, BodyReader, Call, Form, Method, Parts, Peer, Response, Router, cookie, header};

/// Octets of a form or of JSON.
const BODY_OCTETS_MAX: u64 = 64 * 1024;

/// What a handler gets.
pub(crate) struct Ask {
    pub(crate) id: Identity,
    pub(crate) parts: Parts,
    pub(crate) peer: Peer,
    /// The form that was sent, its token checked; with GET, the query.
    pub(crate) form: Form,
    /// What was sent to the API; `null` if nothing was.
    pub(crate) json: serde_json::Value,
    /// The parts of the path that the pattern names.
    pub(crate) params: tympan_http::Params,
}

impl Ask {
    /// A field of the form, trimmed; empty if there is none.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.form.get(name).unwrap_or("").trim()
    }

    /// What was sent to the API, as a value of a known shape.
    pub(crate) fn input<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let json = match &self.json {
            serde_json::Value::Null => serde_json::json!({}),
            other => other.clone(),
        };
        serde_json::from_value(json).map_err(|error| Failure::Invalid(error.to_string()))
    }
}

/// What a handler gives.
pub(crate) type Answer = Result<Response<Body>, Failure>;

/// Ways to add a route whose handler gets an [`Ask`].
pub(crate) trait Routes: Sized {
    /// A page (GET); changes nothing.
    fn page<H, F>(self, pattern: &str, policy: Policy, handler: H) -> Self
    where
        H: Fn(Arc<Console>, Ask) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = Answer> + Send + 'static;

    /// A key on a page (POST of a form, with its token).
    fn key<H, F>(self, pattern: &str, policy: Policy, handler: H) -> Self
    where
        H: Fn(Arc<Console>, Ask) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = Answer> + Send + 'static;

    /// What a program posts as a form, without a token.
    fn machine<H, F>(self, pattern: &str, handler: H) -> Self
    where
        H: Fn(Arc<Console>, Ask) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = Answer> + Send + 'static;

    /// A method of the JSON API, below `/api/v1`.
    fn api<H, F>(self, method: Method, pattern: &str, policy: Policy, handler: H) -> Self
    where
        H: Fn(Arc<Console>, Ask) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = Answer> + Send + 'static;
}

impl Routes for Router<Console, Policy> {
    fn page<H, F>(self, pattern: &str, policy: Policy, handler: H) -> Self
    where
        H: Fn(Arc<Console>, Ask) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        self.route(Method::GET, pattern, policy, move |console, call| run(console, call, Kind::None, handler.clone()))
    }

    fn key<H, F>(self, pattern: &str, policy: Policy, handler: H) -> Self
    where
        H: Fn(Arc<Console>, Ask) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        self.route(Method::POST, pattern, policy, move |console, call| run(console, call, Kind::Form, handler.clone()))
    }

    fn machine<H, F>(self, pattern: &str, handler: H) -> Self
    where
        H: Fn(Arc<Console>, Ask) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        self.route(Method::POST, pattern, Policy::Machine, move |console, call| {
            run(console, call, Kind::Plain, handler.clone())
        })
    }

    fn api<H, F>(self, method: Method, pattern: &str, policy: Policy, handler: H) -> Self
    where
        H: Fn(Arc<Console>, Ask) -> F + Send + Sync + Clone + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let kind = if method == Method::GET { Kind::None } else { Kind::Json };
        let pattern = format!("/api/v1{pattern}");
        self.route(method, &pattern, policy, move |console, call| run(console, call, kind, handler.clone()))
    }
}

#[derive(Clone, Copy)]
enum Kind {
    None,
    Form,
    /// A form without the token that binds it to a page.
    Plain,
    Json,
}

async fn run<H, F>(console: Arc<Console>, call: Call<Identity>, kind: Kind, handler: H) -> Response<Body>
where
    H: Fn(Arc<Console>, Ask) -> F,
    F: Future<Output = Answer>,
{
    let Call { parts, body, peer, params, identity: id } = call;
    // A refusal needs these after the handler has taken the rest.
    let (shown, shown_parts) = (id.clone(), parts.clone());
    let reader = BodyReader::new(body, BodyLimits::octets(BODY_OCTETS_MAX));
    let answer = async {
        let (form, json) = match kind {
            Kind::None => (Form::from_query(parts.uri.query()), serde_json::Value::Null),
            Kind::Plain => (Form::read(&parts.headers, reader).await?, serde_json::Value::Null),
            Kind::Form => {
                let form = Form::read(&parts.headers, reader).await?;
                if !same(form.get("csrf").unwrap_or(""), &id.csrf) {
                    return Err(Failure::Stale);
                }
                (form, serde_json::Value::Null)
            }
            Kind::Json if parts.headers.contains_key(header::CONTENT_TYPE) => {
                (Form::default(), reader.json(&parts.headers).await?)
            }
            Kind::Json => match reader.collect().await? {
                octets if octets.is_empty() => (Form::default(), serde_json::Value::Null),
                _ => {
                    return Err(tympan_http::BodyError::WrongType { wanted: "application/json" }.into());
                }
            },
        };
        handler(Arc::clone(&console), Ask { id, parts, peer, form, json, params }).await
    }
    .await;
    let mut response = match answer {
        Ok(response) => response,
        Err(failure) => console.refuse(&shown, &shown_parts, failure),
    };
    let tls = peer.tls;
    let chosen = Form::from_query(shown_parts.uri.query()).get("lang").and_then(language_of);
    let mut keep = |name: &str, value: &str, secs: u32| {
        if let Some(value) = cookie::set(name, value, tls, cookie::SameSite::Lax, Some(secs)) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    };
    if let (Some(language), false) = (chosen, crate::policy::is_api(&shown_parts)) {
        keep(LANGUAGE_COOKIE, language.tag(), 365 * 86_400);
    }
    if let (Some(visit), Kind::None, false) = (&shown.new_visit, kind, crate::policy::is_api(&shown_parts)) {
        keep(VISIT_COOKIE, visit, 86_400);
    }
    response
}
