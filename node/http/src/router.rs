//! Routes, each with the policy that says who may use it.
//!
//! A route cannot be added without a policy, and no handler runs before its policy was asked: there
//! is no default to forget. All routes can be listed, so that a test can try every one of them in
//! every role.

use std::{future::Future, pin::Pin, sync::Arc};

use http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use hyper::body::Incoming;

use crate::{Body, Peer, Reply, Service, path, respond};

/// Decides who may use a route. Implemented by the state that handlers share.
pub trait Authorize<P>: Send + Sync + 'static {
    /// Who the caller was found to be.
    type Identity: Send + 'static;

    /// Says who calls, or answers in the handler's place: 401, 403, 404, or the way to the log-in.
    fn authorize(
        &self,
        policy: &P,
        parts: &Parts,
        peer: &Peer,
    ) -> impl Future<Output = Result<Self::Identity, Response<Body>>> + Send;
}

/// One request at its handler.
#[derive(Debug)]
pub struct Call<I> {
    /// Method, address and header fields.
    pub parts: Parts,
    /// The body, not read yet.
    pub body: Incoming,
    /// Who is at the other end.
    pub peer: Peer,
    /// The parts of the path that the pattern names.
    pub params: Params,
    /// Who the policy found the caller to be.
    pub identity: I,
}

/// Named parts of a path, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// The part with this name; empty if the pattern has no such name.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// A route as it stands in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<'a, P> {
    /// The method.
    pub method: &'a Method,
    /// The pattern of its path.
    pub pattern: &'a str,
    /// Who may use it.
    pub policy: &'a P,
}

type Answering = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;
type Handler<S, I> = Box<dyn Fn(Arc<S>, Call<I>) -> Answering + Send + Sync>;
type Refusals = Box<dyn Fn(StatusCode, &'static str) -> Response<Body> + Send + Sync>;

struct Entry<S: Authorize<P>, P> {
    method: Method,
    policy: P,
    handler: Handler<S, S::Identity>,
}

struct Resource<S: Authorize<P>, P> {
    pattern: String,
    entries: Vec<Entry<S, P>>,
}

/// A table of routes over a shared state `S` with policies `P`.
pub struct Router<S: Authorize<P>, P> {
    state: Arc<S>,
    /// From a pattern to its place in `resources`.
    patterns: matchit::Router<usize>,
    resources: Vec<Resource<S, P>>,
    refusals: Refusals,
}

impl<S: Authorize<P>, P: std::fmt::Debug + Send + Sync + 'static> std::fmt::Debug for Router<S, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.routes()).finish()
    }
}

impl<S: Authorize<P>, P: Send + Sync + 'static> Router<S, P> {
    /// A table without routes.
    pub fn new(state: Arc<S>) -> Self {
        Self {
            state,
            patterns: matchit::Router::new(),
            resources: Vec::new(),
            refusals: Box::new(|status, why| respond::text(status, format!("{why}\n"))),
        }
    }

    /// Adds a route: a method, a pattern such as `/jobs/{id}` or `/assets/{*path}`, who may use it,
    /// and what it does. GET answers HEAD too.
    ///
    /// # Panics
    ///
    /// If the pattern is not valid, collides with another, or has this method already: the table is
    /// built at the start, from the program's own text.
    #[must_use]
    pub fn route<H, Fut, R>(mut self, method: Method, pattern: &str, policy: P, handler: H) -> Self
    where
        H: Fn(Arc<S>, Call<S::Identity>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Reply,
    {
        let handler: Handler<S, S::Identity> = Box::new(move |state, call| {
            let answering = handler(state, call);
            Box::pin(async move { answering.await.reply() })
        });
        let place = match self.resources.iter().position(|resource| resource.pattern == pattern) {
            Some(place) => place,
            None => {
                let place = self.resources.len();
                if let Err(error) = self.patterns.insert(pattern, place) {
                    panic!("route {pattern}: {error}");
                }
                self.resources.push(Resource { pattern: pattern.to_owned(), entries: Vec::new() });
                place
            }
        };
        let entries = &mut self.resources[place].entries;
        assert!(entries.iter().all(|entry| entry.method != method), "route {method} {pattern} is there twice");
        entries.push(Entry { method, policy, handler });
        self
    }

    /// How answers of the router itself look: 400 for a path with two meanings, 404, 405.
    #[must_use]
    pub fn refusals(
        mut self,
        page: impl Fn(StatusCode, &'static str) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        self.refusals = Box::new(page);
        self
    }

    /// All routes, in the order they were added.
    pub fn routes(&self) -> impl Iterator<Item = Route<'_, P>> {
        self.resources.iter().flat_map(|resource| {
            resource.entries.iter().map(|entry| Route {
                method: &entry.method,
                pattern: &resource.pattern,
                policy: &entry.policy,
            })
        })
    }

    /// The state that handlers share.
    pub fn state(&self) -> &Arc<S> {
        &self.state
    }

    async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let (parts, body) = request.into_parts();
        if let Some(why) = path::fault(parts.uri.path()) {
            return (self.refusals)(StatusCode::BAD_REQUEST, why);
        }
        let Ok(found) = self.patterns.at(parts.uri.path()) else {
            return (self.refusals)(StatusCode::NOT_FOUND, "there is no such page");
        };
        let mut params = Params::default();
        for (name, value) in found.params.iter() {
            let Some(value) = path::decode(value) else {
                return (self.refusals)(StatusCode::BAD_REQUEST, "the path is not UTF-8");
            };
            params.0.push((name.to_owned(), value));
        }
        let resource = &self.resources[*found.value];
        let head = parts.method == Method::HEAD;
        let entry = resource
            .entries
            .iter()
            .find(|entry| entry.method == parts.method)
            .or_else(|| resource.entries.iter().find(|entry| head && entry.method == Method::GET));
        let Some(entry) = entry else {
            let mut response = if parts.method == Method::OPTIONS {
                respond::no_content()
            } else {
                (self.refusals)(StatusCode::METHOD_NOT_ALLOWED, "this page does not take that method")
            };
            response.headers_mut().insert(header::ALLOW, allow(&resource.entries));
            return response;
        };
        let identity = match self.state.authorize(&entry.policy, &parts, &peer).await {
            Ok(identity) => identity,
            Err(response) => return response,
        };
        let call = Call { parts, body, peer, params, identity };
        let response = (entry.handler)(Arc::clone(&self.state), call).await;
        if head { without_body(response) } else { response }
    }
}

impl<S: Authorize<P>, P: Send + Sync + 'static> Service for Router<S, P> {
    fn call(&self, request: Request<Incoming>, peer: Peer) -> impl Future<Output = Response<Body>> + Send {
        self.answer(request, peer)
    }
}

impl<S: Authorize<P>, P: Send + Sync + 'static> Service for Arc<Router<S, P>> {
    fn call(&self, request: Request<Incoming>, peer: Peer) -> impl Future<Output = Response<Body>> + Send {
        self.answer(request, peer)
    }
}

fn allow<S: Authorize<P>, P>(entries: &[Entry<S, P>]) -> HeaderValue {
    let mut methods: Vec<&str> = entries.iter().map(|entry| entry.method.as_str()).collect();
    if methods.contains(&"GET") && !methods.contains(&"HEAD") {
        methods.push("HEAD");
    }
    methods.push("OPTIONS");
    HeaderValue::from_str(&methods.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}

fn without_body(mut response: Response<Body>) -> Response<Body> {
    if let Some(octets) = response.body().octets()
        && !response.headers().contains_key(header::CONTENT_LENGTH)
    {
        response.headers_mut().insert(header::CONTENT_LENGTH, octets.into());
    }
    response.map(|_| Body::empty())
}
