//! The form for files. They go to the door for uploads, which is not the console's.

use super::{Frame, ok};
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::routes::Console;
use crate::texts::Texts;
use askama::Template;
use std::sync::Arc;

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
}

/// `GET /printers/{printer}/print`
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    let t = ask.id.texts();
    let printer = ask.id.printer()?;
    let path = console.options.upload_path.as_ref().ok_or(Failure::NotFound)?;
    let action = path.replace("{printer}", &printer.name);
    ok(&Upload {
        f: Frame::new(&console, &ask.id, &ask.parts, t.upload),
        t,
        name: printer.name.clone(),
        info: printer.info.clone(),
        url: format!("{}{action}", console.options.base_url),
        who: ask.id.name(),
        action,
    })
}
