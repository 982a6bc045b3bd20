//! Routes with policies, forms, uploads and events, over real sockets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::common::{Running, read_until, talk, within};
use tokio::{io::AsyncWriteExt as _, sync::Notify};
use tympan_http::{
    Authorize, Body, BodyError, BodyLimits, BodyReader, Call, Client, ClientOptions, ClientRequest, Event, Form,
    Method, Multipart, Parts, Peer, Reply, Response, Router, ServeOptions, StatusCode, event_stream, header, respond,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Anybody,
    Admin,
}

#[derive(Default)]
struct State {
    handled: AtomicU32,
    page_left: Notify,
}

impl Authorize<Policy> for State {
    type Identity = &'static str;

    async fn authorize(&self, policy: &Policy, parts: &Parts, _: &Peer) -> Result<&'static str, Response<Body>> {
        let admin = parts.headers.get(header::AUTHORIZATION).is_some_and(|value| value == "Bearer admin");
        match (policy, admin) {
            (_, true) => Ok("admin"),
            (Policy::Anybody, false) => Ok("anybody"),
            (Policy::Admin, false) => Err(respond::text(StatusCode::UNAUTHORIZED, "who are you?")),
        }
    }
}

type Asked = Call<&'static str>;

async fn show(state: Arc<State>, call: Asked) -> Response<Body> {
    state.handled.fetch_add(1, Ordering::SeqCst);
    respond::text(StatusCode::OK, format!("{} sees {}", call.identity, call.params.get("id")))
}

async fn form(_: Arc<State>, call: Asked) -> Result<Response<Body>, BodyError> {
    let form = Form::read(&call.parts.headers, BodyReader::new(call.body, BodyLimits::octets(100))).await?;
    Ok(respond::text(StatusCode::OK, form.get("name").unwrap_or("nobody")))
}

async fn json(_: Arc<State>, call: Asked) -> Result<impl Reply, BodyError> {
    let numbers: Vec<u32> = BodyReader::new(call.body, BodyLimits::octets(100)).json(&call.parts.headers).await?;
    Ok(respond::json(StatusCode::OK, &numbers.iter().sum::<u32>()))
}

async fn upload(_: Arc<State>, call: Asked) -> Result<Response<Body>, BodyError> {
    let body = BodyReader::new(call.body, BodyLimits::octets(10_000_000));
    let mut parts = Multipart::new(&call.parts.headers, body)?;
    let mut said = String::new();
    while let Some(part) = parts.next_part().await? {
        if part.file_name.is_none() {
            said += &format!("{}={} ", part.name, parts.text(100).await?);
            continue;
        }
        let mut octets = 0;
        while let Some(piece) = parts.chunk().await? {
            octets += piece.len();
        }
        said += &format!("{}:{octets} ", part.file_name.unwrap_or_default());
    }
    Ok(respond::text(StatusCode::OK, said))
}

async fn events(state: Arc<State>, _: Asked) -> Response<Body> {
    let (sender, response) = event_stream(4);
    tokio::spawn(async move {
        for count in 0_u64.. {
            if sender.send(&Event::new("tick", count.to_string())).await.is_err() {
                break;
            }
        }
        state.page_left.notify_one();
    });
    response
}

fn router(state: &Arc<State>) -> Router<State, Policy> {
    Router::new(Arc::clone(state))
        .route(Method::GET, "/", Policy::Anybody, show)
        .route(Method::GET, "/jobs/{id}", Policy::Admin, show)
        .route(Method::DELETE, "/jobs/{id}", Policy::Admin, show)
        .route(Method::POST, "/form", Policy::Anybody, form)
        .route(Method::POST, "/json", Policy::Anybody, json)
        .route(Method::POST, "/upload", Policy::Anybody, upload)
        .route(Method::GET, "/events", Policy::Anybody, events)
}

fn get(path: &str) -> String {
    ask("GET", path, "")
}

fn ask(method: &str, path: &str, fields: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n")
}

fn post(path: &str, media_type: &str, body: &str) -> String {
    ask("POST", path, &format!("Content-Type: {media_type}\r\nContent-Length: {}\r\n", body.len())) + body
}

#[tokio::test]
async fn no_handler_runs_before_its_policy_was_asked() {
    let state = Arc::new(State::default());
    let running = Running::start(router(&state), ServeOptions::default());
    for route in router(&state).routes() {
        let path = route.pattern.replace("{id}", "7");
        let before = state.handled.load(Ordering::SeqCst);
        let answer = if route.pattern == "/events" {
            continue;
        } else {
            talk(&running, ask(route.method.as_str(), &path, "").as_bytes()).await
        };
        assert_eq!(answer.starts_with("HTTP/1.1 401"), *route.policy == Policy::Admin, "{route:?}: {answer}");
        if *route.policy == Policy::Admin {
            assert_eq!(state.handled.load(Ordering::SeqCst), before, "{route:?}");
        }
    }
    let answer = talk(&running, ask("GET", "/jobs/a%20b%E5%8D%B0", "Authorization: Bearer admin\r\n").as_bytes()).await;
    assert!(answer.ends_with("admin sees a b印"), "{answer}");
}

#[tokio::test]
async fn all_routes_can_be_listed_with_their_policies() {
    let state = Arc::new(State::default());
    let routes: Vec<_> =
        router(&state).routes().map(|route| format!("{} {} {:?}", route.method, route.pattern, route.policy)).collect();
    assert_eq!(routes[..3], ["GET / Anybody", "GET /jobs/{id} Admin", "DELETE /jobs/{id} Admin"]);
    assert_eq!(routes.len(), 7);
}

#[test]
#[should_panic(expected = "there twice")]
fn a_route_cannot_be_there_twice() {
    let _ = router(&Arc::default()).route(Method::GET, "/", Policy::Admin, show);
}

#[tokio::test]
async fn paths_with_two_meanings_reach_no_route() {
    let state = Arc::new(State::default());
    let running = Running::start(router(&state), ServeOptions::default());
    for path in [
        "//jobs/1",
        "/jobs//1",
        "/x/../jobs/1",
        "/jobs/%2e%2e",
        "/jobs%2f1",
        "/jobs/1%2f2",
        "/jobs;x/1",
        "/jobs/1;x",
        "/jobs/%00",
        "/jobs/./1",
        "/jobs/%ff",
    ] {
        let answer = talk(&running, ask("GET", path, "Authorization: Bearer admin\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
    }
    assert_eq!(state.handled.load(Ordering::SeqCst), 0);
    // Case and a last slash make another path, not the same one.
    for path in ["/Jobs/1", "/jobs/1/", "/jobs", "/jobs/"] {
        assert!(talk(&running, get(path).as_bytes()).await.starts_with("HTTP/1.1 404"), "{path}");
    }
    assert!(talk(&running, get("http://a//jobs/1").as_bytes()).await.starts_with("HTTP/1.1 4"));
}

#[tokio::test]
async fn methods_are_answered_by_the_book() {
    let running = Running::start(router(&Arc::default()), ServeOptions::default());
    let answer = talk(&running, ask("PUT", "/jobs/1", "").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 405") && answer.contains("allow: GET, DELETE, HEAD, OPTIONS"), "{answer}");
    let answer = talk(&running, ask("OPTIONS", "/form", "").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 204") && answer.contains("allow: POST, OPTIONS"), "{answer}");
    let answer = talk(&running, ask("HEAD", "/", "").as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("content-length: 13") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
    assert!(talk(&running, ask("HEAD", "/jobs/1", "").as_bytes()).await.starts_with("HTTP/1.1 401"));
}

#[tokio::test]
async fn forms_and_json_are_read_within_their_limits() {
    let running = Running::start(router(&Arc::default()), ServeOptions::default());
    let form = |body: &str| post("/form", "application/x-www-form-urlencoded", body);
    assert!(talk(&running, form("name=Anna+B").as_bytes()).await.ends_with("Anna B"));
    let exact = format!("name={}", "x".repeat(95));
    assert!(talk(&running, form(&exact).as_bytes()).await.starts_with("HTTP/1.1 200"));
    assert!(talk(&running, form(&format!("{exact}x")).as_bytes()).await.starts_with("HTTP/1.1 413"));
    // The same without an announced length.
    let chunked =
        ask("POST", "/form", "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n");
    let answer = talk(&running, format!("{chunked}80\r\n{}\r\n0\r\n\r\n", "x".repeat(128)).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(talk(&running, post("/form", "text/plain", "name=x").as_bytes()).await.starts_with("HTTP/1.1 415"));

    assert!(
        talk(&running, post("/json", "application/json; charset=utf-8", "[1,2,3]").as_bytes()).await.ends_with("\r\n6")
    );
    assert!(talk(&running, post("/json", "application/json", "[1,").as_bytes()).await.starts_with("HTTP/1.1 400"));
    assert!(talk(&running, post("/json", "text/plain", "[1]").as_bytes()).await.starts_with("HTTP/1.1 415"));
}

#[tokio::test]
async fn a_file_is_uploaded_by_a_form() {
    let running = Running::start(router(&Arc::default()), ServeOptions::default());
    let mut body = b"--XX\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\noffice\r\n--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n".to_vec();
    body.extend_from_slice(&vec![b'\r'; 1_000_000]);
    body.extend_from_slice(b"\r\n--XX--\r\n");
    let request = ClientRequest::post(&running.target("http", "/upload"), "multipart/form-data; boundary=XX", body);
    let answer = within(Client::new(ClientOptions::default()).request(request)).await.unwrap();
    assert_eq!(answer.body.collect().await.unwrap(), "to=office a.pdf:1000000 ");

    let cut = post(
        "/upload",
        "multipart/form-data; boundary=XX",
        "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nhalf",
    );
    assert!(talk(&running, cut.as_bytes()).await.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn a_page_hears_events_as_they_happen() {
    let running = Running::start(router(&Arc::default()), ServeOptions::default());
    let mut stream = running.connect().await;
    stream.write_all(get("/events").as_bytes()).await.unwrap();
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    read_until(&mut stream, "event: tick\ndata: 41\n\n").await;
}

#[tokio::test]
async fn a_page_that_takes_no_events_is_let_go() {
    let limits = tympan_http::Limits { stall_time_out: Duration::from_millis(150), ..Default::default() };
    let state = Arc::new(State::default());
    let running = Running::start(router(&state), ServeOptions { limits, ..ServeOptions::default() });
    let mut stream = running.connect().await;
    stream.write_all(get("/events").as_bytes()).await.unwrap();
    read_until(&mut stream, "\r\n\r\n").await;
    // Nothing is read until the sockets are full and the listener has lost patience.
    within(state.page_left.notified()).await;
}

#[tokio::test]
async fn pages_of_refusal_can_be_made_by_the_user() {
    let router = router(&Arc::default()).refusals(|status, why| respond::html(status, format!("<h1>{why}</h1>")));
    let running = Running::start(router, ServeOptions::default());
    let answer = talk(&running, get("/nothing").as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 404") && answer.contains("content-security-policy") && answer.ends_with("</h1>"),
        "{answer}"
    );
}
