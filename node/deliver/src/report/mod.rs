//! Tells people what became of their jobs, once and in their language.
//!
//! A notice is a row; its key keeps it from being told twice. It leaves by mail where mail leaves, else it
//! is a file in a folder; in both cases it stands in the console.
//!
//! *Invariant:* nothing is mailed to an address that may not be mailed, and nothing that goes out can be
//! answered by a machine (null reverse-path, Auto-Submitted; RFC 3834).

mod compose;
mod folder;
mod mx;
mod smarthost;
mod smtp;
mod tls;
mod words_en;
mod words_ja;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use tracing::{info, warn};
use tympan_engine::{
    HoldReason, Job, JobSource, JobUuid, Language, Millis, Notice, NoticeKind, Printer, Timestamp, TokenScope, Trouble,
};
use tympan_ipp::JobState;
use tympan_spooler::tell::waiting_key;
use tympan_spooler::{Spooler, SpoolerError};
use tympan_store::Whose;

use crate::delivery::Stop;
pub use compose::{Letter, Mail};
pub use mx::mail_servers;
pub use smarthost::{Smarthost, SmtpTls};
pub use smtp::SendError;

/// How long a mail is tried: 4 to 5 days (RFC 5321 section 4.5.4.1), in milliseconds.
const GIVE_UP_MS: Millis = 5 * tympan_engine::time::DAY;
/// The longest pause between two tries of an effect, in milliseconds.
const PAUSE_MAX_MS: Millis = 3_600_000;
/// Jobs listed in one notice.
const JOBS_MAX: usize = 20;

/// How mail leaves.
#[derive(Clone, Debug)]
pub enum MailOut {
    /// All of it to one server.
    Smarthost(Smarthost),
    /// To each domain's own servers (MX).
    Direct {
        /// Name servers to ask; empty: the system's.
        dns: Vec<SocketAddr>,
        /// The port of mail servers. Default 25.
        port: u16,
    },
    /// Into the hands of this program: for worlds that are scripted.
    Hand(Hand),
}

/// Takes mails that leave.
#[derive(Clone)]
pub struct Hand(Arc<HandFn>);

type HandFn = dyn Fn(&Mail) -> Result<(), SendError> + Send + Sync;

impl Hand {
    /// Gives each mail to `take`.
    pub fn new(take: impl Fn(&Mail) -> Result<(), SendError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }
}

impl std::fmt::Debug for Hand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hand")
    }
}

/// Settings of what is told.
#[derive(Clone, Debug)]
pub struct ReportOptions {
    /// Mail domain of the printers' addresses.
    pub domain: String,
    /// Our name in EHLO.
    pub hostname: String,
    /// Where people reach the console, without a slash at the end; `None`: letters have no links.
    pub base_url: Option<String>,
    /// How mail leaves; `None`: notices become files.
    pub mail_out: Option<MailOut>,
    /// Where notices become files while no mail leaves.
    pub folder: PathBuf,
    /// The zone in which times are shown.
    pub time_zone: TimeZone,
}

impl ReportOptions {
    /// Notices as files in `folder`, times in the system's zone, no links.
    pub fn new(domain: &str, folder: impl Into<PathBuf>) -> Self {
        Self {
            domain: domain.to_owned(),
            hostname: domain.to_owned(),
            base_url: None,
            mail_out: None,
            folder: folder.into(),
            time_zone: TimeZone::system(),
        }
    }
}

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The resolver could not be set up.
    #[error("could not set up name look-ups for outgoing mail: {0}")]
    Resolver(String),
    /// An address is not one.
    #[error("`{0}` cannot be a mail domain")]
    Domain(String),
}

/// Tells.
pub(crate) struct Reporter {
    options: ReportOptions,
    way: Way,
    /// When the folder of notices was last swept.
    swept: Mutex<Option<Instant>>,
}

/// How often the folder of notices is swept at most.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

enum Way {
    Folder,
    Smarthost(Smarthost),
    Direct(Box<mx::Direct>),
    Hand(Hand),
}

impl Way {
    const fn word(&self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Smarthost(_) | Self::Direct(_) | Self::Hand(_) => "mail",
        }
    }
}

/// What a letter is about.
pub(crate) struct Facts<'a> {
    pub(crate) printer: &'a Printer,
    pub(crate) job: &'a Job,
    /// The jobs of this sender that wait, for [`NoticeKind::Waiting`].
    pub(crate) waiting: &'a [Job],
    pub(crate) now: Timestamp,
    pub(crate) domain: &'a str,
    /// The job's page for its sender.
    pub(crate) link: Option<String>,
    /// The page of what the sender has set at the printer.
    pub(crate) settings: Option<String>,
    pub(crate) zone: &'a TimeZone,
}

impl Facts<'_> {
    /// What hinders the first of the jobs that wait, else what the printer's outage is about.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        let mut waiting = self.waiting.iter();
        let theirs = waiting.find_map(|job| self.printer.trouble_for(&job.options));
        theirs.or_else(|| self.printer.outage.as_ref().map(|outage| outage.trouble.clone()))
    }
}

impl Reporter {
    pub(crate) fn new(options: ReportOptions) -> Result<Self, ReportError> {
        if options.domain.is_empty() || options.domain.contains(['@', ' ', '\r', '\n', '<', '>']) {
            return Err(ReportError::Domain(options.domain));
        }
        let way = match &options.mail_out {
            None => Way::Folder,
            Some(MailOut::Smarthost(smarthost)) => Way::Smarthost(smarthost.clone()),
            Some(MailOut::Hand(hand)) => Way::Hand(hand.clone()),
            Some(MailOut::Direct { dns, port }) => {
                Way::Direct(Box::new(mx::Direct::new(dns, *port, &options.hostname)?))
            }
        };
        Ok(Self { options, way, swept: Mutex::default() })
    }

    /// [`tympan_engine::Effect::Notify`].
    pub(crate) async fn notify(
        &self,
        spooler: &Spooler,
        job: JobUuid,
        kind: &NoticeKind,
        tries: u32,
    ) -> Result<(), Stop> {
        let job = spooler.job(Whose::Everyones, job).await?;
        let printer = spooler.printer(Whose::Everyones, job.printer).await?;
        let originator = &job.originator;
        let key = match kind {
            NoticeKind::Waiting { outage } => waiting_key(*outage, &originator.address),
            NoticeKind::InDoubt => format!("{}:{}:{}", kind.word(), job.uuid, job.attempts),
            _ => format!("{}:{}:1", kind.word(), job.uuid),
        };
        let known = spooler.notice(&key).await?;
        if known.as_ref().is_some_and(|notice| notice.told_at.is_some()) {
            return Ok(());
        }
        let waiting = match kind {
            NoticeKind::Waiting { .. } => self.still_waiting(spooler, &printer, &job).await?,
            _ => Vec::new(),
        };
        if !is_current(kind, &job, &printer, &waiting) {
            if let Some(notice) = known {
                spooler.withdraw_notice(&notice).await?;
            }
            return Ok(());
        }
        let link = self.link(spooler, &job, kind, &waiting).await?;
        let settings = self.settings(spooler, &job, kind).await?;
        let facts = Facts {
            printer: &printer,
            job: &job,
            waiting: &waiting,
            now: spooler.now(),
            domain: &self.options.domain,
            link,
            settings,
            zone: &self.options.time_zone,
        };
        let letter = match originator.language {
            Language::En => words_en::letter(kind, &facts),
            Language::Ja => words_ja::letter(kind, &facts),
        };
        let how = if originator.may_be_mailed {
            let mail = Mail {
                to: originator.address.0.clone(),
                from: format!("{}@{}", printer.name, self.options.domain),
                from_name: printer.info.clone(),
                letter: letter.clone(),
                in_reply_to: match &job.source {
                    JobSource::Mail { message_id: Some(id), .. } => Some(id.0.clone()),
                    _ => None,
                },
                answers: false,
                id: compose::id_of(&key),
                at: spooler.now(),
                language: originator.language,
            };
            self.send(spooler, &mail, tries).await?
        } else {
            "console"
        };
        let notice = Notice {
            owner: job.owner,
            key,
            recipient: originator.address.clone(),
            language: originator.language,
            printer: printer.uuid,
            job: Some(job.uuid),
            kind: kind.clone(),
            created_at: known.map_or(facts.now, |notice| notice.created_at),
            told_at: None,
            subject: letter.subject,
            text: letter.text,
        };
        spooler.told(notice, how).await?;
        info!(job = %job.short(), printer = %printer.name, about = kind.word(), how, "Told a sender");
        Ok(())
    }

    /// [`tympan_engine::Effect::Mail`].
    pub(crate) async fn mail(
        &self,
        spooler: &Spooler,
        to: &str,
        subject: &str,
        text: &str,
        in_reply_to: Option<&str>,
        tries: u32,
    ) -> Result<(), Stop> {
        let mail = Mail {
            to: to.to_owned(),
            from: format!("postmaster@{}", self.options.domain),
            from_name: "Tympan".into(),
            letter: Letter { subject: subject.to_owned(), text: text.to_owned() },
            in_reply_to: in_reply_to.map(str::to_owned),
            answers: in_reply_to.is_some(),
            id: compose::id_of(&format!("{to}\n{subject}\n{text}\n{}", in_reply_to.unwrap_or_default())),
            at: spooler.now(),
            language: if text.contains(is_kana) { Language::Ja } else { Language::En },
        };
        self.send(spooler, &mail, tries).await?;
        Ok(())
    }

    /// Sends a mail; what is refused for good, or for too long, is given up with a warning. Says how it was told.
    async fn send(&self, spooler: &Spooler, mail: &Mail, tries: u32) -> Result<&'static str, Stop> {
        let octets = mail.octets(&self.options.domain).map_err(Stop::Again)?;
        let sent = match &self.way {
            Way::Folder => {
                if self.is_to_sweep() {
                    folder::sweep(&self.options.folder).await;
                }
                folder::write(&self.options.folder, mail, &octets).await
            }
            Way::Smarthost(smarthost) => smarthost.send(&self.options.hostname, &mail.to, &octets).await,
            Way::Direct(direct) => direct.send(&mail.to, &octets).await,
            Way::Hand(hand) => (hand.0)(mail),
        };
        match sent {
            Ok(()) => Ok(self.way.word()),
            Err(error) if error.is_temporary && tried_ms(tries, spooler.options().effect_retry_ms) < GIVE_UP_MS => {
                Err(Stop::Again(format!("a notice could not be sent: {}", error.why)))
            }
            Err(error) => {
                warn!(why = error.why, tries, "Gave up a notice; it stands in the console only");
                Ok("console")
            }
        }
    }

    fn is_to_sweep(&self) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let due = swept.is_none_or(|at| at.elapsed() >= SWEEP_EVERY);
        if due {
            *swept = Some(Instant::now());
        }
        due
    }

    /// The sender's jobs that wait at the printer, oldest first.
    async fn still_waiting(&self, spooler: &Spooler, printer: &Printer, job: &Job) -> Result<Vec<Job>, Stop> {
        let jobs = spooler.waiting_of(printer, &job.originator.address, 200).await?;
        let hindered = |job: &Job| printer.trouble_for(&job.options).is_some();
        let waits = |job: &Job| match job.state {
            JobState::ProcessingStopped => job.doubt.is_none(),
            // Its printer is just being asked once more.
            JobState::Processing => !job.handed && hindered(job),
            _ => job.is_waiting() && hindered(job),
        };
        Ok(jobs.into_iter().filter(waits).take(JOBS_MAX).collect())
    }

    /// A secret link to the job's page, made anew for each letter that needs one; it lasts as long as the job.
    async fn link(
        &self,
        spooler: &Spooler,
        job: &Job,
        kind: &NoticeKind,
        waiting: &[Job],
    ) -> Result<Option<String>, Stop> {
        let Some(base_url) = &self.options.base_url else {
            return Ok(None);
        };
        let job = match kind {
            NoticeKind::Waiting { .. } => waiting.first().unwrap_or(job),
            NoticeKind::InDoubt | NoticeKind::Review => job,
            NoticeKind::Printed | NoticeKind::Aborted | NoticeKind::Expired | NoticeKind::Remarks => return Ok(None),
        };
        let until = job.keep_until.max(spooler.now()) + 7 * tympan_engine::time::DAY;
        let scope = TokenScope::Job { job: job.uuid };
        Ok(Some(spooler.new_link(base_url, job.owner, scope, Some(until)).await?))
    }

    /// A secret link to what the sender has set at the printer, for letters about how long jobs wait.
    async fn settings(&self, spooler: &Spooler, job: &Job, kind: &NoticeKind) -> Result<Option<String>, Stop> {
        let (Some(base_url), Some(id)) = (&self.options.base_url, job.originator.registration) else {
            return Ok(None);
        };
        match kind {
            NoticeKind::Waiting { .. } | NoticeKind::Expired => {}
            NoticeKind::Printed
            | NoticeKind::Aborted
            | NoticeKind::InDoubt
            | NoticeKind::Review
            | NoticeKind::Remarks => return Ok(None),
        }
        match spooler.registration(Whose::Owner(job.owner), id).await {
            Ok(registration) => Ok(Some(spooler.settings_link(base_url, &registration).await?)),
            Err(SpoolerError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Hiragana and katakana: no language but Japanese writes them.
fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}')
}

/// An instant as English letters show it.
pub(crate) fn shown(at: Timestamp, zone: &TimeZone) -> String {
    words_en::time(at, zone)
}

/// Whether there is still something to tell.
fn is_current(kind: &NoticeKind, job: &Job, printer: &Printer, waiting: &[Job]) -> bool {
    match kind {
        NoticeKind::Waiting { outage } => {
            printer.outage.as_ref().is_some_and(|now| now.id == *outage) && !waiting.is_empty()
        }
        NoticeKind::InDoubt => job.doubt.is_some(),
        NoticeKind::Review => job.holds.contains(&HoldReason::Review),
        NoticeKind::Remarks => !job.remarks.is_empty(),
        NoticeKind::Printed | NoticeKind::Aborted | NoticeKind::Expired => true,
    }
}

/// For how long an effect was tried that was claimed so often.
fn tried_ms(tries: u32, first: Millis) -> Millis {
    (0..tries).map(|n| first.saturating_mul(1 << n.min(16)).min(PAUSE_MAX_MS)).fold(0, Millis::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_tried_for_about_five_days() {
        let tries = (0..).find(|tries| tried_ms(*tries, 5_000) >= GIVE_UP_MS).unwrap();
        assert!((120..140).contains(&tries), "{tries}");
    }
}
