//! Pages for people, one file a page.

pub(crate) mod account;
pub(crate) mod add_printer;
pub(crate) mod home;
pub(crate) mod job;
pub(crate) mod jobs;
pub(crate) mod notices;
pub(crate) mod pair;
pub(crate) mod printer;
pub(crate) mod register;
pub(crate) mod registrations;
pub(crate) mod settings;
pub(crate) mod sign;
pub(crate) mod upload;

use crate::ask::{Answer, Ask};
use crate::policy::{Identity, Policy, Who, texts};
use crate::routes::Console;
use crate::texts::Texts;
use askama::Template;
use std::sync::Arc;
use tympan_engine::{Language, Right};
use tympan_http::{Authorize, Body, Call, Form, HeaderValue, Method, Parts, Response, StatusCode, header, respond};

/// One entry of the menu.
pub(crate) struct Entry {
    href: &'static str,
    label: &'static str,
    icon: &'static str,
    here: bool,
}

/// The menu of somebody who signed in.
pub(crate) struct Nav {
    entries: Vec<Entry>,
}

/// What stands around each page.
pub(crate) struct Frame {
    lang: &'static str,
    title: String,
    nav: Option<Nav>,
    csrf: String,
    css: String,
    js: String,
    icon: String,
    /// What was just done, if the address says so.
    said: &'static str,
    /// Where the page hears of changes: an address of events, `poll`, or nowhere.
    live: &'static str,
    here_en: String,
    here_ja: String,
}

impl Frame {
    /// The frame of a page with a title.
    pub(crate) fn new(console: &Console, id: &Identity, parts: &Parts, title: impl Into<String>) -> Self {
        let path = parts.uri.path();
        let t = id.texts();
        let nav = id.account().map(|_| {
            let entry = |href, label, icon| Entry {
                href,
                label,
                icon,
                here: if href == "/" { path == "/" || path.starts_with("/printers/") } else { path.starts_with(href) },
            };
            let mut entries = vec![entry("/", t.printers, "i-printer"), entry("/jobs", t.jobs, "i-jobs")];
            entries.push(entry("/registrations", t.who_short, "i-people"));
            entries.push(entry("/notices", t.notices, "i-notices"));
            entries.push(entry("/account", t.account, "i-account"));
            Nav { entries }
        });
        Self {
            lang: id.language.tag(),
            title: title.into(),
            nav,
            csrf: id.csrf.clone(),
            css: console.assets.address("console.css"),
            js: console.assets.address("console.js"),
            icon: console.assets.address("icon.svg"),
            said: Form::from_query(parts.uri.query()).get("said").and_then(|key| said(t, key)).unwrap_or(""),
            live: "",
            here_en: here(parts, "en"),
            here_ja: here(parts, "ja"),
        }
    }

    /// The page changes by itself when something changes here.
    pub(crate) fn live(mut self, id: &Identity) -> Self {
        self.live = match id.who {
            Who::Person(_) => "/events",
            _ => "poll",
        };
        self
    }
}

/// This page in another language; after a form was sent to an address that has no page, the page above it.
fn here(parts: &Parts, lang: &str) -> String {
    let query = Form::from_query(parts.uri.query());
    let path = parts.uri.path();
    let has_page = ["/setup", "/sign-in", "/add-printer"].contains(&path)
        || path.ends_with("/settings")
        || ["/register/", "/registrations/", "/r/"]
            .iter()
            .any(|folder| path.strip_prefix(folder).is_some_and(|rest| !rest.contains('/')));
    let path = match path.rsplit_once('/') {
        Some((above, _)) if parts.method == Method::POST && !has_page => above,
        _ => path,
    };
    let mut out = format!("{}?lang={lang}", if path.is_empty() { "/" } else { path });
    for (name, value) in query.iter().filter(|(name, _)| matches!(*name, "show" | "printer" | "before")) {
        let value: String = value.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
        out += &format!("&{name}={value}");
    }
    out
}

/// What was done, by the key in the address: a text of ours, never one that somebody else wrote there.
fn said(t: &'static Texts, key: &str) -> Option<&'static str> {
    Some(match key {
        "saved" => t.saved,
        "set-up" => t.set_up_done,
        "password" => t.password_changed,
        "person-added" => t.person_added,
        "person-removed" => t.person_removed,
        "paired" => t.paired,
        "not-paired" => t.not_paired,
        "printer-added" => t.printer_added,
        "printer-added-test" => t.printer_added_test,
        "printer-removed" => t.printer_removed,
        "tried" => t.tried,
        "in-vain" => t.tried_in_vain,
        "paused" => t.paused_said,
        "resumed" => t.resumed_said,
        "canceled" => t.canceled_said,
        "canceling" => t.canceling_said,
        "held" => t.held_said,
        "released" => t.released_said,
        "again" => t.again_said,
        "elsewhere" => t.elsewhere_said,
        "decided" => t.decided_said,
        "kept" => t.kept_said,
        "approved" => t.approved_said,
        "revoked" => t.revoked_said,
        "registered" => t.registered_said,
        "left" => t.left_said,
        "test" => t.h_received_test,
        _ => return None,
    })
}

/// A page made of a template.
pub(crate) fn html(status: StatusCode, page: &impl Template) -> Response<Body> {
    match page.render() {
        Ok(page) => respond::html(status, page),
        Err(error) => {
            tracing::error!(%error, "Could not write a page");
            respond::text(StatusCode::INTERNAL_SERVER_ERROR, "something broke here; the server's log tells more\n")
        }
    }
}

/// A page made of a template.
pub(crate) fn ok(page: &impl Template) -> Answer {
    Ok(html(StatusCode::OK, page))
}

/// To a page, which says what was done.
pub(crate) fn done(place: &str, key: &str) -> Answer {
    let join = if place.contains('?') { '&' } else { '?' };
    Ok(respond::see_other(&format!("{place}{join}said={key}")))
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    f: Frame,
    t: &'static Texts,
    what: &'a str,
    hint: &'a str,
    back: &'a str,
}

/// A page that says one thing.
pub(crate) fn message(
    console: &Console,
    id: &Identity,
    parts: &Parts,
    status: StatusCode,
    what: &str,
    hint: &str,
) -> Response<Body> {
    let back = match parts.uri.path() {
        path if path.starts_with("/j/") || path.starts_with("/r/") => {
            path.match_indices('/').nth(2).map_or(path, |(at, _)| &path[..at])
        }
        path if path.starts_with("/jobs/") => path.match_indices('/').nth(2).map_or("/jobs", |(at, _)| &path[..at]),
        path if path.starts_with("/printers/") => path.match_indices('/').nth(2).map_or("/", |(at, _)| &path[..at]),
        path if path.starts_with("/registrations/") => "/registrations",
        path if path.starts_with("/register/") => "/register",
        _ => "/",
    };
    let back = if status == StatusCode::NOT_FOUND { "/" } else { back };
    let f = Frame::new(console, id, parts, what);
    html(status, &Message { f, t: id.texts(), what, hint, back })
}

/// What the router itself refuses: it knows no language, so both are said.
pub(crate) fn refusal(console: &Console, status: StatusCode) -> Response<Body> {
    let (en, ja) = (texts(Language::En), texts(Language::Ja));
    let of = |t: &'static Texts| {
        if status == StatusCode::METHOD_NOT_ALLOWED { t.bad_method } else { t.bad_path }
    };
    let f = Frame {
        lang: "en",
        title: of(en).into(),
        nav: None,
        csrf: String::new(),
        css: console.assets.address("console.css"),
        js: console.assets.address("console.js"),
        icon: console.assets.address("icon.svg"),
        said: "",
        live: "",
        here_en: "/?lang=en".into(),
        here_ja: "/?lang=ja".into(),
    };
    html(status, &Message { f, t: en, what: of(en), hint: of(ja), back: "/" })
}

/// A file of the program.
pub(crate) async fn asset(
    console: Arc<Console>,
    call: Call<<Console as Authorize<Policy>>::Identity>,
) -> Response<Body> {
    console.assets.answer(call.params.get("name"), &call.parts)
}

/// Browsers ask for it whatever a page says.
pub(crate) async fn favicon(console: Arc<Console>, _: Ask) -> Answer {
    Ok(respond::with_header(
        respond::see_other(&console.assets.address("icon.svg")),
        header::CACHE_CONTROL,
        HeaderValue::from_static("max-age=86400"),
    ))
}

/// The name of a right.
pub(crate) fn right_word(t: &'static Texts, right: Right) -> &'static str {
    match right {
        Right::Print => t.right_print,
        Right::Operate => t.right_operate,
        Right::Own => t.right_own,
    }
}
