//! The printer's own page: how it is, what it printed, and buttons that make it fail.
//!
//! | | |
//! |---|---|
//! | `GET /` | the page; `?lang=en`, `?lang=ja` or Accept-Language |
//! | `GET /state` | [`DeviceState`] as JSON; `?after=REVISION&wait=SECONDS` waits for a later one |
//! | `POST /faults` | a [`Change`] as JSON; gives the new state. Or a form whose field `change` holds that JSON |
//! | `GET /pages/FILE` | a page or a job's PDF out of the folder |
//! | `GET /thumbnails/FILE` | a small picture of one of the latest pages |

mod icon;
mod show;
mod words;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use tympan_http::security::{OriginError, check_origin};
use tympan_http::{
    Body, BodyLimits, BodyReader, Form, HeaderMap, HeaderValue, Incoming, Method, Peer, Request, Response,
    ServeOptions, Server, StatusCode, header, respond,
};

use crate::model::Change;
use crate::printer;
use crate::shared::Shared;
use crate::state::DeviceState;
use show::Page;
use words::Words;

/// Octets of a change.
const CHANGE_OCTETS_MAX: u64 = 64 << 10;
/// Longest wait for a new state, in seconds.
const WAIT_SECS_MAX: u64 = 30;

const STYLE: &str = include_str!("../../assets/printer.css");
const SCRIPT: &str = include_str!("../../assets/printer.js");

/// Serves the page as long as the printer exists, also while it is off.
pub(crate) async fn serve(shared: Arc<Shared>, server: Server) {
    let service = move |request: Request<Incoming>, peer: Peer| {
        let shared = Arc::clone(&shared);
        async move { answer(&shared, request, peer).await }
    };
    server.serve(service, ServeOptions::default(), std::future::pending()).await;
}

async fn answer(shared: &Shared, request: Request<Incoming>, peer: Peer) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let query = Form::from_query(parts.uri.query());
    match (&parts.method, path.as_str()) {
        (&Method::GET, "/") => page(shared, &parts.headers, &query),
        (&Method::GET, "/printer.css") => respond::bytes(StatusCode::OK, "text/css; charset=utf-8", STYLE),
        (&Method::GET, "/printer.js") => respond::bytes(StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT),
        (&Method::GET, "/state") => state(shared, &query).await,
        (&Method::POST, "/faults") => match check_origin(&parts, &peer) {
            // No browser leaves out who sends a form; programs do.
            Ok(()) | Err(OriginError::Unknown) => change(shared, &parts.headers, &query, body).await,
            Err(error @ OriginError::Foreign) => respond::text(StatusCode::FORBIDDEN, format!("{error}\n")),
        },
        (&Method::GET, path) => file(shared, path).await,
        _ => respond::text(StatusCode::METHOD_NOT_ALLOWED, "This page takes GET, and POST at /faults.\n"),
    }
}

fn page(shared: &Shared, headers: &HeaderMap, query: &Form) -> Response<Body> {
    let words = Words::choose(query.get("lang"), headers);
    let state = Arc::clone(&shared.watch().borrow());
    match Page::new(&state, words).render() {
        Ok(html) => {
            let mut response = respond::html(StatusCode::OK, html);
            response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-language"));
            response
        }
        Err(error) => {
            tracing::error!(%error, "Could not write the virtual printer's page");
            respond::text(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be written.\n")
        }
    }
}

async fn state(shared: &Shared, query: &Form) -> Response<Body> {
    let mut watch = shared.watch();
    let number = |name: &str| query.get(name).and_then(|n| n.parse::<u64>().ok());
    if let Some(after) = number("after") {
        let secs = number("wait").unwrap_or(0).min(WAIT_SECS_MAX);
        let later = watch.wait_for(|state| state.revision > after);
        // No later one in time: the same is told again.
        let _ = tokio::time::timeout(Duration::from_secs(secs), later).await;
    }
    let state: Arc<DeviceState> = Arc::clone(&watch.borrow());
    respond::json(StatusCode::OK, &*state)
}

async fn change(shared: &Shared, headers: &HeaderMap, query: &Form, body: Incoming) -> Response<Body> {
    let body = BodyReader::new(body, BodyLimits::octets(CHANGE_OCTETS_MAX));
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.starts_with("application/x-www-form-urlencoded"));
    let change: Change = if is_form {
        let form = match Form::read(headers, body).await {
            Ok(form) => form,
            Err(error) => return error.to_response(),
        };
        match show::change_of_form(&form) {
            Ok(change) => change,
            Err(error) => return respond::text(StatusCode::BAD_REQUEST, format!("{error}\n")),
        }
    } else {
        match body.json(headers).await {
            Ok(change) => change,
            Err(error) => return error.to_response(),
        }
    };
    if let Err(error) = printer::apply(shared, &change).await {
        return respond::text(StatusCode::BAD_REQUEST, format!("{error}\n"));
    }
    if is_form {
        return respond::see_other(match query.get("lang") {
            Some("ja") => "/?lang=ja",
            Some("en") => "/?lang=en",
            _ => "/",
        });
    }
    let state: Arc<DeviceState> = Arc::clone(&shared.watch().borrow());
    respond::json(StatusCode::OK, &*state)
}

async fn file(shared: &Shared, path: &str) -> Response<Body> {
    let not_found = || respond::text(StatusCode::NOT_FOUND, "There is no such page.\n");
    if let Some(side) = path.strip_prefix("/icon-").and_then(|rest| rest.strip_suffix(".png")) {
        return match side.parse().ok().and_then(icon::png) {
            Some(png) => respond::bytes(StatusCode::OK, "image/png", png),
            None => not_found(),
        };
    }
    if let Some(name) = path.strip_prefix("/thumbnails/") {
        return match shared.thumbnail(name) {
            Some(png) => respond::bytes(StatusCode::OK, "image/png", png),
            None => not_found(),
        };
    }
    let Some(name) = path.strip_prefix("/pages/").filter(|name| is_page_name(name)) else {
        return not_found();
    };
    let media_type = if name.ends_with(".pdf") { "application/pdf" } else { "image/png" };
    let Ok(file) = tokio::fs::File::open(shared.options.folder.join(name)).await else {
        return not_found();
    };
    let Ok(octets) = file.metadata().await.map(|m| m.len()) else {
        return not_found();
    };
    let mut response = respond::bytes(StatusCode::OK, media_type, "");
    *response.body_mut() = Body::from_reader(file, Some(octets));
    response
}

/// Whether a name is one that the printer gives to its files, so that no other file can be fetched.
fn is_page_name(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("job-") else {
        return false;
    };
    let Some(rest) = rest.strip_suffix(".png").or_else(|| rest.strip_suffix(".pdf")) else {
        return false;
    };
    rest.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'p')
}

#[cfg(test)]
mod tests {
    use super::is_page_name;

    #[test]
    fn only_pages_can_be_fetched() {
        assert!(is_page_name("job-0007-p002.png") && is_page_name("job-0007.pdf"));
        for bad in ["", "job-1/../x.png", "../job-1.png", "job-1.png.part", ".job-1-p1.part", "job-%2e.png", "x.png"] {
            assert!(!is_page_name(bad), "{bad}");
        }
    }
}
