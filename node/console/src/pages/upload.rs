//! The form for files. They go to the door for uploads, which is not the console's.

use super::{Frame, ok};
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::routes::Console;
use crate::texts::Texts;
use askama::Template;
use std::sync::Arc;
use tympan_http::security::PAGE_POLICY;
use tympan_http::{HeaderValue, header};

#[derive(Template)]
#[template(path = "upload.html")]
struct Upload {
    f: Frame,
    t: &'static Texts,
    name: String,
    info: String,
    action: String,
    url: String,
    who: String,
    script: String,
    papers: &'static [&'static str],
}

/// Papers that can be chosen; the printer has one of them, or what it has is put in by hand.
const PAPERS: [&str; 6] = ["A4", "A5", "A3", "Letter", "Legal", "B5"];
/// The page shows chosen files before they are sent: from the browser's own memory, and nowhere else.
const LOOKS: [(&str, &str); 2] =
    [("img-src 'self' data:", "img-src 'self' data: blob:"), ("object-src", "frame-src blob:; object-src")];

/// `GET /printers/{printer}/print`
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    let t = ask.id.texts();
    let printer = ask.id.printer()?;
    let path = console.options.upload_path.as_ref().ok_or(Failure::NotFound)?;
    let action = path.replace("{printer}", &printer.name);
    let mut page = ok(&Upload {
        f: Frame::new(&console, &ask.id, &ask.parts, t.upload),
        t,
        name: printer.name.clone(),
        info: printer.info.clone(),
        url: format!("{}{action}", console.options.base_url),
        who: ask.id.name(),
        script: console.assets.address("upload.js"),
        papers: &PAPERS,
        action,
    })?;
    let policy = LOOKS.iter().fold(PAGE_POLICY.to_owned(), |policy, (from, to)| policy.replace(from, to));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(page)
}
