//! What changes, told as it happens: a hint to look again, never the thing itself.

use super::jobs::named;
use crate::ask::{Answer, Ask};
use crate::policy::Identity;
use crate::routes::Console;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tympan_engine::Right;
use tympan_http::{Event, EventSender, event_stream};
use tympan_spooler::Changed;

/// How long one stream lasts; the page connects again, and shows its credential again.
const LASTS: Duration = Duration::from_secs(600);
/// Events that may wait for a slow page.
const WAITING_MAX: usize = 64;

/// `GET /events`
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    let (sender, response) = event_stream(WAITING_MAX);
    let mut changes = console.spooler().watch();
    let id = ask.id;
    tokio::spawn(async move {
        let end = tokio::time::sleep(LASTS);
        tokio::pin!(end);
        loop {
            let change = tokio::select! {
                () = &mut end => return,
                () = sender.disconnected() => return,
                change = changes.recv() => change,
            };
            let told = match change {
                Ok(changed) if changed.owner == id.owner => tell(&console, &id, &sender, changed).await,
                Ok(_) => true,
                // Too many at once: look at everything.
                Err(RecvError::Lagged(_)) => send(&sender, Value::Null, Value::Null),
                Err(RecvError::Closed) => return,
            };
            if !told {
                return;
            }
        }
    });
    Ok(response)
}

/// `GET /api/v1/events`
pub(crate) async fn api(console: Arc<Console>, ask: Ask) -> Answer {
    page(console, ask).await
}

async fn tell(console: &Console, id: &Identity, sender: &EventSender, changed: Changed) -> bool {
    let printer = match changed.printer {
        Some(uuid) => match console.spooler().printer(id.whose(), uuid).await {
            Ok(printer) => json!(printer.name),
            Err(_) => Value::Null,
        },
        None => Value::Null,
    };
    let job = match changed.job {
        Some(uuid) => match console.spooler().job(id.whose(), uuid).await {
            Ok(job) if id.may(job.printer, Right::Operate) || id.is_own(&job) => named(&job),
            _ => Value::Null,
        },
        None => Value::Null,
    };
    send(sender, printer, job)
}

fn send(sender: &EventSender, printer: Value, job: Value) -> bool {
    let data = json!({ "printer": printer, "job": job }).to_string();
    // A page that is too slow misses a hint and looks again with the next one.
    sender.try_send(&Event::new("change", data)).is_ok()
}
