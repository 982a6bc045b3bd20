//! Commands by mail: `office+register@`, `office+keep@`, `office+cancel@`. They never print.

use tracing::info;
use tympan_engine::registration::parse_span;
use tympan_engine::{JobEvent, Language, Refusal, Registration, RegistrationEvent, RegistrationState, ShortId};
use tympan_smtp::Reply;
use tympan_spooler::{Registered, SpoolerError};
use tympan_store::Whose;

use super::door::Shared;
use super::letters::{self, Letter, Place};
use super::recipient::Command;
use super::texts;
use crate::mail::header::Header;
use crate::proof::Candidate;

/// Jobs that one mail may cancel.
const CANCELED_MAX: usize = 20;

/// Carries out a command of a proven sender.
pub(super) async fn run(
    shared: &Shared,
    command: Command,
    place: &Place<'_>,
    registration: Option<Registration>,
    sender: &Candidate,
    header: &Header,
) -> Reply {
    let done = match command {
        Command::Register => register(shared, place, sender, header).await,
        Command::Keep => keep(shared, place, registration, sender, header).await,
        Command::Cancel => cancel(shared, place, registration, sender, header).await,
    };
    match done {
        Err(reply) => reply,
        Ok((letter, said)) => {
            super::answer(shared, place.printer.owner, sender, &letter, header.message_id.as_deref()).await;
            Reply::new(250, (2, 0, 0), said)
        }
    }
}

type Done = Result<(Letter, String), Reply>;

async fn register(shared: &Shared, place: &Place<'_>, sender: &Candidate, header: &Header) -> Done {
    let printer = place.printer;
    let label = texts::label(printer);
    let asked = shared.spooler.request_registration(printer, &sender.address, header.language, true).await;
    match asked {
        Ok(Registered::Active(registration)) => {
            info!(printer = %printer.name, "Registered a sender by mail");
            let kept = tympan_engine::retain::retention(printer, Some(&registration));
            let settings = shared.spooler.settings_link(place.base_url, &registration).await;
            let settings = settings.map_err(|error| super::failed(&error, "make a link"))?;
            let letter = letters::registered(place, kept, &settings, registration.language);
            Ok((letter, format!("You can print at {label} now; a mail tells you how.")))
        }
        Ok(Registered::Requested(registration)) => {
            info!(printer = %printer.name, "A sender asked by mail to be registered");
            let letter = letters::requested(place, registration.language);
            Ok((letter, format!("{label}'s owner is asked; until then your mail is refused there.")))
        }
        Ok(Registered::InviteOnly) => {
            Err(Reply::new(550, (5, 7, 1), format!("{label} is printed at by invitation only; please ask its owner.")))
        }
        Err(error) => Err(super::failed(&error, "register a sender")),
    }
}

async fn keep(
    shared: &Shared,
    place: &Place<'_>,
    registration: Option<Registration>,
    sender: &Candidate,
    header: &Header,
) -> Done {
    let (printer, base_url) = (place.printer, &shared.options.base_url);
    let Some(registration) = registration.filter(|registration| registration.state != RegistrationState::Revoked)
    else {
        let refused = [(printer, tympan_engine::admit::Denied::NotRegistered)];
        return Err(texts::not_registered(&sender.address, &refused, base_url));
    };
    let wanted = read_span(&header.subject);
    let unclear = || {
        Reply::new(550, (5, 6, 0), "How long? Write it in the subject, with its unit: 3 days, 12 hours, 90 minutes,")
            .line("or \"default\" for what the printer's owner has set. At least one second, at most 30 days.")
    };
    let Some(wanted) = wanted else {
        return Err(unclear());
    };
    let whose = Whose::Owner(registration.owner);
    let changed = shared.spooler.registration_event(whose, registration.id, RegistrationEvent::Keep(wanted)).await;
    let changed = match changed {
        Ok(changed) => changed,
        Err(SpoolerError::Refused(Refusal::NotPossible)) => return Err(unclear()),
        Err(error) => return Err(super::failed(&error, "change how long jobs are kept")),
    };
    let kept = tympan_engine::retain::retention(printer, Some(&changed));
    let letter = letters::kept(place, kept, printer.policy.retention_follows, changed.language);
    let said = tympan_engine::words::span(kept, Language::En);
    Ok((letter, format!("Your waiting jobs at {} are kept for {said} now.", texts::label(printer))))
}

/// The span that a subject asks for; `Some(None)` for the printer's default, `None` if it says nothing of the kind.
fn read_span(subject: &str) -> Option<Option<u64>> {
    let ascii = |c: char| match c {
        '\u{ff10}'..='\u{ff19}' => char::from(b'0' + (c as u32 - 0xff10) as u8),
        '\u{3000}' => ' ',
        c => c,
    };
    let subject: String = subject.chars().map(ascii).collect();
    let subject = subject.trim().trim_matches(['[', ']', '"', '\'', '.', '。']).trim();
    if matches!(subject.to_lowercase().as_str(), "default" | "標準" | "既定") {
        return Some(None);
    }
    parse_span(subject).map(Some)
}

async fn cancel(
    shared: &Shared,
    place: &Place<'_>,
    registration: Option<Registration>,
    sender: &Candidate,
    header: &Header,
) -> Done {
    let mut canceled: Vec<(ShortId, bool)> = Vec::new();
    let mut ended = None;
    let words = header.subject.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter_map(ShortId::parse);
    for short in words.take(CANCELED_MAX) {
        let found = shared.spooler.records().jobs_by_short_id(Whose::Everyones, short).await;
        let found = found.map_err(|error| super::failed(&error.into(), "look up a job"))?;
        // Nobody learns of a job that is somebody else's.
        let own = found.into_iter().map(|row| row.record).find(|job| job.originator.address.0 == sender.address);
        let Some(job) = own else { continue };
        let by = sender.address.clone();
        let event = JobEvent::Cancel(by.clone().into());
        match shared.spooler.job_event(Whose::Owner(job.owner), job.uuid, event, Some(&by)).await {
            Ok(job) => canceled.push((short, job.is_over())),
            Err(SpoolerError::Refused(Refusal::AlreadyCanceling)) => canceled.push((short, false)),
            Err(SpoolerError::Refused(_)) => ended = Some(short),
            Err(error) => return Err(super::failed(&error, "cancel a job")),
        }
    }
    if canceled.is_empty() {
        let text = match ended {
            Some(short) => format!("Job {short} has ended already; nothing of it waits any more."),
            None => "You have no such job. Write its number, such as 7K3M22QD, in the subject of a new mail.".into(),
        };
        return Err(Reply::new(550, (5, 6, 0), text));
    }
    info!(jobs = canceled.len(), printer = %place.printer.name, "Cancelled jobs by mail");
    let language = registration.map_or(header.language, |registration| registration.language);
    let numbers: Vec<String> = canceled.iter().map(|(short, _)| short.to_string()).collect();
    Ok((letters::canceled(&canceled, language), format!("Cancelled: {}", numbers.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a12_a_span_is_read_out_of_a_subject() {
        const DAY: u64 = 86_400_000;
        assert_eq!(read_span("3 days"), Some(Some(3 * DAY)));
        assert_eq!(read_span(" [3 days] "), Some(Some(3 * DAY)));
        assert_eq!(read_span("３日"), Some(Some(3 * DAY)));
        assert_eq!(read_span("12　時間"), Some(Some(DAY / 2)));
        assert_eq!(read_span("Default"), Some(None));
        assert_eq!(read_span("Re: your notice"), None);
        assert_eq!(read_span("3"), None);
    }
}
