//! One job, for whoever signed in or holds the link from a notice.

use super::{Frame, done, ok};
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::limiter::{LINK, PIN, source};
use crate::policy::Who;
use crate::routes::Console;
use crate::show::{self, Badge, Choice, Fact, Key};
use crate::texts::Texts;
use crate::words::{self, Line};
use crate::{act, clock::Clock};
use askama::Template;
use std::sync::Arc;
use tympan_engine::hold::Hindrance;
use tympan_engine::words::{Action, Why};
use tympan_engine::{History, HistoryKind, Job, Language, Trouble};
use tympan_spooler::{JobView, PinError};

struct DoubtShown {
    lead: String,
    /// What happened, where the reader's language has words for it.
    why: String,
    pages: u32,
    from: u32,
}

struct DocumentShown {
    name: String,
    facts: String,
}

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    f: Frame,
    t: &'static Texts,
    by_link: bool,
    /// Where the keys send their forms: `/jobs/…` or `/j/…`.
    base: String,
    short: String,
    name: String,
    badge: Badge,
    why: Why,
    remedy: String,
    doubt: Option<DoubtShown>,
    /// Whether it is let go by its PIN.
    pin: bool,
    keys: Vec<Key>,
    elsewhere: Vec<Choice>,
    elsewhere_label: &'static str,
    remarks: Vec<String>,
    facts: Vec<Fact>,
    may_keep: bool,
    documents: Vec<DocumentShown>,
    history: Vec<Line>,
}

fn base(ask: &Ask) -> String {
    let mut segments = ask.parts.uri.path().trim_start_matches('/').split('/');
    let (kind, name) = (segments.next().unwrap_or(""), segments.next().unwrap_or(""));
    format!("/{kind}/{name}")
}

/// `GET /jobs/{job}` and `GET /j/{token}`
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    let id = &ask.id;
    let t = id.texts();
    let clock = console.clock(id.language);
    let view = console.spooler().job_view(id.whose(), id.job()?.uuid).await?;
    let by_link = matches!(id.who, Who::Holder);
    let (hindrance, next_try_at, why) = show::explain(&view.job, &view.printer, &clock);
    let mut actions = tympan_engine::words::actions(&view.job, &hindrance);
    actions.retain(|action| *action != Action::Release || act::may_release(id, &view.job));
    let has_data = !view.job.content_deleted && !view.job.documents.is_empty();
    let movable = has_data
        && !view.job.handed
        && (actions.contains(&Action::PrintElsewhere)
            || actions.contains(&Action::Reprint)
            || actions.contains(&Action::Hold)
            || actions.contains(&Action::Release));
    let elsewhere = match movable {
        true => act::elsewhere(&console, id, &view.job).await?,
        false => Vec::new(),
    };
    let name = show::job_name(&view.job);
    let page = JobPage {
        f: Frame::new(&console, id, &ask.parts, &name).live(id),
        t,
        by_link,
        base: base(&ask),
        short: view.job.short().to_string(),
        badge: show::job_badge(&view.job, &hindrance, id.language),
        remedy: match &hindrance {
            Hindrance::Trouble(trouble) => tympan_engine::words::remedy(trouble, id.language),
            _ => String::new(),
        },
        doubt: view.job.doubt.as_ref().filter(|_| matches!(hindrance, Hindrance::InDoubt)).map(|doubt| DoubtShown {
            lead: match (doubt.certain, doubt.possible) {
                (certain, possible) if certain == possible => t.fill(t.doubt_lead_certain, &[&certain.to_string()]),
                (0, 1) => t.doubt_lead_one.to_owned(),
                (0, possible) => t.fill(t.doubt_lead_none, &[&possible.to_string()]),
                (certain, possible) if certain + 1 == possible => {
                    t.fill(t.doubt_lead_partly_one, &[&certain.to_string(), &possible.to_string()])
                }
                (certain, possible) => t.fill(
                    t.doubt_lead_partly,
                    &[&certain.to_string(), &(certain + 1).to_string(), &possible.to_string()],
                ),
            },
            why: match id.language {
                Language::En => show::sentence(&doubt.why),
                Language::Ja => String::new(),
            },
            pages: view.job.pages().max(1),
            from: (doubt.certain + 1).min(view.job.pages().max(1)),
        }),
        pin: view.job.pin.as_ref().is_some_and(|pin| !pin.is_dead()) && !view.job.is_over(),
        keys: keys(t, &actions, &hindrance),
        elsewhere: elsewhere.iter().map(|printer| Choice::new(&printer.name, &*printer.info, "", false)).collect(),
        elsewhere_label: t.print_elsewhere,
        remarks: view.job.remarks.clone(),
        facts: facts(t, &view, next_try_at.map(|at| clock.at(at)), by_link, &clock),
        may_keep: !view.job.is_over(),
        documents: documents(&view.job, &clock),
        history: time_line(&view.history, &clock),
        name,
        why,
    };
    ok(&page)
}

fn keys(t: &'static Texts, actions: &[Action], hindrance: &Hindrance) -> Vec<Key> {
    let mut keys = Vec::new();
    for action in actions {
        let (verb, label, class) = match action {
            // A pause is not mended by asking the printer.
            Action::PrintNow if matches!(hindrance, Hindrance::Trouble(Trouble::Paused)) => {
                continue;
            }
            Action::PrintNow => ("try", t.print_now, "main"),
            Action::Release => ("release", t.release, "main"),
            Action::Hold => ("hold", t.hold, ""),
            Action::Reprint => ("reprint", t.print_again, "main"),
            Action::Cancel => ("cancel", t.cancel, "danger"),
            Action::Decide | Action::PrintElsewhere => continue,
        };
        keys.push(Key { verb, label, class });
    }
    keys
}

fn facts(t: &'static Texts, view: &JobView, next_try: Option<String>, by_link: bool, clock: &Clock) -> Vec<Fact> {
    let job = &view.job;
    let mut facts = Vec::new();
    facts.push(Fact {
        href: if by_link || view.printer.removed { String::new() } else { format!("/printers/{}", view.printer.name) },
        ..Fact::new(t.fact_printer, &*view.printer.info)
    });
    facts.push(Fact::new(t.fact_sender, job.originator.address.0.as_str()));
    facts.push(Fact { title: clock.exact(job.created_at), ..Fact::new(t.fact_came, clock.at(job.created_at)) });
    if !job.is_over() {
        facts.push(Fact { title: clock.exact(job.keep_until), ..Fact::new(t.fact_kept, clock.at(job.keep_until)) });
    }
    if let Some(at) = next_try {
        facts.push(Fact::new(t.fact_next_try, at));
        facts.push(Fact::new(t.fact_retry, tympan_engine::words::span(job.retry_interval_ms, clock.language)));
    }
    if job.pages() > 0 {
        facts.push(Fact::new(t.fact_pages, job.pages().to_string()));
    }
    if job.copies() > 1 {
        facts.push(Fact::new(t.fact_copies, job.copies().to_string()));
    }
    if job.impressions_completed > 0 {
        facts.push(Fact::new(t.fact_done, job.impressions_completed.to_string()));
    }
    let options = job.options.words();
    if !options.is_empty() {
        facts.push(Fact::new(t.fact_options, options));
    }
    if job.attempts > 0 {
        facts.push(Fact::new(t.fact_tries, job.attempts.to_string()));
    }
    facts.push(Fact::new(t.fact_id, job.id.0.to_string()));
    facts
}

fn documents(job: &Job, clock: &Clock) -> Vec<DocumentShown> {
    job.documents
        .iter()
        .map(|document| {
            let format = act::format_word(&document.format).unwrap_or(&document.format).to_owned();
            let facts = [format, show::pages(document.pages, clock.language), octets(document.octets)];
            let facts: Vec<String> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
            DocumentShown {
                name: if document.name.trim().is_empty() { "–".into() } else { document.name.0.clone() },
                facts: facts.join(" · "),
            }
        })
        .collect()
}

/// What happened, oldest first; of pages that came out one after the other only the last is said.
fn time_line(history: &[History], clock: &Clock) -> Vec<Line> {
    let is_progress = |one: &History| matches!(one.kind, HistoryKind::Progress { .. });
    let overtaken = |n: usize| is_progress(&history[n]) && history.get(n + 1).is_some_and(is_progress);
    (0..history.len()).filter(|n| !overtaken(*n)).filter_map(|n| words::line(&history[n], clock)).collect()
}

/// A size as people read it.
fn octets(octets: u64) -> String {
    match octets {
        0 => String::new(),
        1..1_000 => format!("{octets} B"),
        1_000..1_000_000 => format!("{} kB", octets.div_ceil(1_000)),
        more => format!("{}.{} MB", more / 1_000_000, more % 1_000_000 / 100_000),
    }
}

/// `POST /jobs/{job}/{verb}` and `POST /j/{token}/{verb}`
pub(crate) async fn act(console: Arc<Console>, ask: Ask) -> Answer {
    let id = &ask.id;
    let t = id.texts();
    let base = base(&ask);
    let by_link = matches!(id.who, Who::Holder);
    if by_link {
        console.limiter.take(&base, &LINK, console.spooler().now()).map_err(Failure::TooMany)?;
    }
    let to = |job: &Job, key: &str| {
        // Whoever holds a link sees its one job; the new one is told of by its own notices.
        if by_link { done(&base, key) } else { done(&format!("/jobs/{}", job.short()), key) }
    };
    match ask.params.get("verb") {
        "cancel" => {
            let job = act::cancel(&console, id).await?;
            done(&base, if job.is_over() { "canceled" } else { "canceling" })
        }
        "hold" => act::hold(&console, id).await.and_then(|_| done(&base, "held")),
        "release" => act::release(&console, id).await.and_then(|_| done(&base, "released")),
        "pin" => {
            let from = format!("pin {}", source(ask.peer.addr.ip()));
            console.limiter.take(&from, &PIN, console.spooler().now()).map_err(Failure::TooMany)?;
            let (job, pin) = (id.job()?.uuid, ask.field("pin"));
            match console.spooler().release_with_typed_pin(id.whose(), job, pin, &id.name()).await {
                Ok(_) => done(&base, "released"),
                Err(PinError::Wrong) => Err(Failure::Conflict(t.pin_wrong.into())),
                Err(PinError::Dead) => Err(Failure::Conflict(t.pin_dead.into())),
                Err(PinError::None) => Err(Failure::Conflict(t.pin_none.into())),
                Err(PinError::Spooler(error)) => Err(error.into()),
            }
        }
        "try" => {
            let job = id.job()?;
            if job.is_over() {
                return Err(Failure::Conflict(t.r_job_ended.into()));
            }
            let printer = console.spooler().printer(id.whose(), job.printer).await?;
            if job.put_back.is_some() && job.is_waiting() {
                act::try_job(&console, id).await?;
            }
            // What is wrong stands on the page that comes next.
            let asked = act::try_now(&console, id, &printer).await;
            done(&base, if asked.is_ok() { "tried" } else { "in-vain" })
        }
        "reprint" => act::reprint(&console, id, None).await.and_then(|job| to(&job, "again")),
        "elsewhere" => {
            let at = act::elsewhere_at(&console, id, ask.field("at")).await?;
            act::reprint(&console, id, Some(&at)).await.and_then(|job| to(&job, "elsewhere"))
        }
        "decide" => {
            let decision = act::decision(ask.field("decision"), act::page_of(&ask));
            let decision = decision.ok_or_else(|| Failure::Invalid(t.r_no_page.into()))?;
            act::decide(&console, id, decision).await.and_then(|_| done(&base, "decided"))
        }
        "keep" => act::keep(&console, id, ask.field("span")).await.and_then(|_| done(&base, "kept")),
        _ => Err(Failure::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_in_the_unit_that_fits() {
        assert_eq!(octets(999), "999 B");
        assert_eq!(octets(1_001), "2 kB");
        assert_eq!(octets(2_345_678), "2.3 MB");
    }
}
