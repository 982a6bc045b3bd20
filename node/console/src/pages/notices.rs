//! What senders were told.

use super::{Frame, ok};
use crate::ask::{Answer, Ask};
use crate::routes::Console;
use crate::texts::Texts;
use askama::Template;
use std::sync::Arc;
use tympan_engine::{Notice, Right};

/// Notices on the page.
const NOTICES_MAX: usize = 100;

struct NoticeShown {
    id: String,
    subject: String,
    to: String,
    at: String,
    exact: String,
    waits: bool,
    text: String,
    job_href: String,
}

#[derive(Template)]
#[template(path = "notices.html")]
struct Notices {
    f: Frame,
    t: &'static Texts,
    lead: &'static str,
    notices: Vec<NoticeShown>,
}

/// `GET /notices`
pub(crate) async fn page(console: Arc<Console>, ask: Ask) -> Answer {
    let id = &ask.id;
    let t = id.texts();
    let clock = console.clock(id.language);
    let records = console.spooler().records();
    let mut notices: Vec<Notice> = Vec::new();
    if id.right() >= Some(Right::Operate) {
        notices = records.notices(id.whose(), None, NOTICES_MAX).await?;
    } else if let Some(account) = id.account() {
        for address in &account.addresses {
            notices.extend(records.notices(id.whose(), Some(address), NOTICES_MAX).await?);
        }
        notices.sort_by_key(|notice| std::cmp::Reverse(notice.created_at));
        notices.truncate(NOTICES_MAX);
    }
    let shown = notices
        .into_iter()
        .enumerate()
        .map(|(n, notice)| {
            let at = notice.told_at.unwrap_or(notice.created_at);
            NoticeShown {
                // Stable while the list grows at its head, so that an open notice stays open.
                id: format!("notice-{}-{n}", notice.created_at.0),
                subject: if notice.subject.is_empty() { notice.kind.word().into() } else { notice.subject },
                to: notice.recipient.0,
                at: clock.at(at),
                exact: clock.exact(at),
                waits: notice.told_at.is_none(),
                text: notice.text,
                job_href: notice.job.map(|job| format!("/jobs/{}", job.short())).unwrap_or_default(),
            }
        })
        .collect();
    let lead = if console.options.mail_leaves { t.notices_lead_mail } else { t.notices_lead_here };
    ok(&Notices { f: Frame::new(&console, id, &ask.parts, t.notices).live(id), t, lead, notices: shown })
}
