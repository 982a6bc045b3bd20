//! The final dot: who sent it, who gets a job, and only then 250. It is on disk by then (RFC 5321 section 6.1).

use sha2::{Digest as _, Sha256};
use tracing::{Instrument as _, debug, info, info_span};
use tympan_engine::admit::{self, Admission, Denied, Proof};
use tympan_engine::options::parse_subject;
use tympan_engine::{JobSource, Originator, PrinterUuid};
use tympan_smtp::Reply;
use tympan_spooler::{Accepted, Submission, Submitted};
use tympan_store::NewDocument;

use super::door::Shared;
use super::judge::{Judged, Purpose, Target, without_printer};
use super::letters::{self, Place};
use super::recipient::{Addressee, Goal};
use super::{commands, texts};
use crate::mail::incoming::Received;
use crate::proof::{Candidate, Claim};

/// A mail that is whole, with all that decides about it.
pub(crate) struct Whole<'a> {
    pub(crate) judged: Judged,
    pub(crate) received: Received,
    pub(crate) addressees: &'a [Addressee],
    /// By which door it came, for the log.
    pub(crate) door: &'static str,
    /// Who brought it, if that says something about its sender.
    pub(crate) peer: Option<std::net::IpAddr>,
    /// By what it is known again if it has no Message-ID.
    pub(crate) repeat: Option<String>,
    /// What the peer said at EHLO.
    pub(crate) helo: &'a str,
    /// The reverse-path; empty if it is null.
    pub(crate) reverse_path: String,
}

/// Decides about a whole mail and stores it.
pub(crate) async fn decide(shared: &Shared, whole: Whole<'_>) -> Reply {
    let span = info_span!("mail", door = whole.door, peer = whole.peer.map(tracing::field::display));
    decide_in_span(shared, whole).instrument(span).await
}

async fn decide_in_span(shared: &Shared, mut whole: Whole<'_>) -> Reply {
    let proof = prove(shared, &mut whole).await;
    let Whole { judged: Judged { header, sender, purpose }, mut received, addressees, repeat, .. } = whole;
    let targets = match purpose {
        Purpose::Print(targets) => targets,
        Purpose::Command(command, printer, registration) => {
            return match proof {
                Proof::Unknown => texts::dns_silent(domain_of(&sender)),
                Proof::None => texts::unproven(Some(&sender.address), &printer, &shared.options.base_url),
                Proof::Dmarc | Proof::Authenticated | Proof::Network => {
                    let written = addressees.first().map_or("", |addressee| addressee.written.as_str());
                    let place = Place::of(&printer, written, &shared.options);
                    commands::run(shared, command, &place, registration.map(|boxed| *boxed), &sender, &header).await
                }
            };
        }
    };
    let recipients: Vec<_> = targets.iter().map(Target::recipient).collect();
    let (jobs, denied) = match admit::admit(proof, &recipients, shared.spooler.now()) {
        Admission::Unproven => {
            debug!("Refused a mail whose sender is not proven");
            return texts::unproven(Some(&sender.address), &targets[0].printer, &shared.options.base_url);
        }
        Admission::TryLater => return texts::dns_silent(domain_of(&sender)),
        Admission::NoneAllowed(denied) => {
            let refused: Vec<_> = targets.iter().map(|target| &target.printer).zip(denied).collect();
            return texts::not_registered(&sender.address, &refused, &shared.options.base_url);
        }
        Admission::Allowed { jobs, denied } => (jobs, denied),
    };
    let document = match received.seal().await {
        Ok(Some(document)) => document,
        Ok(None) => return texts::trouble(),
        Err(error) => return super::failed(&error.into(), "store a mail"),
    };
    let submission = submission(
        &Facts {
            addressees,
            targets: &targets,
            jobs: &jobs,
            sender: &sender,
            header: &header,
            repeat: repeat.as_deref(),
        },
        &received,
        document.clone(),
    );
    let accepted = match shared.spooler.accept(submission).await {
        Ok(accepted) => accepted,
        Err(error) => {
            if let Err(error) = shared.spooler.documents().discard(&document).await {
                debug!(%error, "Could not remove a mail that was not accepted");
            }
            return super::failed(&error, "store a mail");
        }
    };
    for job in &accepted {
        info!(job = %job.short, printer = %job.printer, octets = document.octets, duplicate = job.duplicate, "Received job");
    }
    if !denied.is_empty() {
        tell_denied(shared, &targets, &denied, &sender, &header).await;
    }
    taken(&targets, &accepted, &denied)
}

/// What proves the sender; what needs no look-up is known already.
async fn prove(shared: &Shared, whole: &mut Whole<'_>) -> Proof {
    match (whole.judged.sender.proof, &shared.dmarc) {
        (Proof::None, Some(dmarc)) => {
            let claim = Claim {
                from: &whole.judged.sender.address,
                header: &whole.received.header,
                body_hashes: std::mem::take(&mut whole.received.hashes),
                path: whole.peer.map(|peer| (peer, whole.helo, whole.reverse_path.as_str())),
            };
            // Boxed: an idle connection is not to carry the room that look-ups need.
            Box::pin(dmarc.prove(claim)).await
        }
        (proof, _) => proof,
    }
}

struct Facts<'a> {
    addressees: &'a [Addressee],
    targets: &'a [Target],
    jobs: &'a [usize],
    sender: &'a Candidate,
    header: &'a crate::mail::header::Header,
    repeat: Option<&'a str>,
}

fn submission(facts: &Facts<'_>, received: &Received, document: NewDocument) -> Submission {
    let Facts { addressees, targets, jobs, sender, header, repeat } = facts;
    let constant = addressees.iter().find(|addressee| matches!(addressee.goal, Goal::Constant));
    let chosen = constant.and_then(|constant| targets.iter().find(|target| target.written == constant.written));
    let subject = match chosen {
        Some(chosen) => parse_subject(&without_printer(&header.subject, &chosen.printer.name)),
        None => parse_subject(&header.subject),
    };
    let taken: Vec<&Target> = jobs.iter().map(|place| &targets[*place]).collect();
    let language = taken
        .iter()
        .find_map(|target| target.registration.as_ref())
        .map_or(header.language, |registration| registration.language);
    let remarks = match &subject.unknown[..] {
        [] => Vec::new(),
        unknown => vec![letters::unknown_words(unknown, language)],
    };
    let name = if subject.name.is_empty() { sender.address.clone() } else { subject.name };
    let message_id = header.message_id.as_ref();
    let targets = taken.into_iter().map(|target| tympan_spooler::Target {
        printer: target.printer.clone(),
        registration: target.registration.clone(),
        source: JobSource::Mail {
            message_id: message_id.map(|id| id.clone().into()),
            recipient: target.written.clone().into(),
        },
        duplicate_key: message_id
            .map(String::as_str)
            .or(*repeat)
            .map(|id| duplicate_key(target.printer.uuid, &sender.address, id, &received.body)),
    });
    Submission {
        targets: targets.collect(),
        name: name.clone().into(),
        originator: Originator {
            address: sender.address.clone().into(),
            registration: None,
            language,
            may_be_mailed: may_be_mailed(&sender.address),
        },
        options: subject.options,
        priority: 50,
        document: Some(Submitted { document, format: "message/rfc822".into(), name: name.into() }),
        remarks,
        holds: std::collections::BTreeSet::new(),
        release_at: None,
        pin: None,
    }
}

/// What recognises a mail that its sender repeats after a lost 250: the same printer, sender, Message-ID and body.
/// The header is left out: each server on the way adds to it.
fn duplicate_key(printer: PrinterUuid, sender: &str, message_id: &str, body: &[u8; 32]) -> [u8; 32] {
    let mut key = Sha256::new();
    for part in [&printer.0[..], sender.as_bytes(), message_id.as_bytes(), body] {
        key.update((part.len() as u64).to_be_bytes());
        key.update(part);
    }
    key.finalize().into()
}

/// Whether somebody reads mail at an address (RFC 3834 section 2, reliability of replies).
pub(crate) fn may_be_mailed(address: &str) -> bool {
    let local_part = address.split('@').next().unwrap_or_default();
    let robots = ["mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply"];
    !(robots.contains(&local_part) || local_part.starts_with("owner-") || local_part.ends_with("-request"))
}

async fn tell_denied(
    shared: &Shared,
    targets: &[Target],
    denied: &[(usize, Denied)],
    sender: &Candidate,
    header: &crate::mail::header::Header,
) {
    let refused: Vec<_> = denied
        .iter()
        .map(|(at, why)| (Place::of(&targets[*at].printer, &targets[*at].written, &shared.options), *why))
        .collect();
    let letter = letters::some_refused(&refused, header.language);
    let owner = targets[denied[0].0].printer.owner;
    super::answer(shared, owner, sender, &letter, header.message_id.as_deref()).await;
}

/// 250 with the numbers under which people find their jobs.
fn taken(targets: &[Target], accepted: &[Accepted], denied: &[(usize, Denied)]) -> Reply {
    let mut lines = Vec::new();
    for job in accepted {
        let printer = targets.iter().find(|target| target.printer.uuid == job.printer);
        let label = printer.map_or("the printer", |target| texts::label(&target.printer));
        let again = if job.duplicate { " (it had come before; nothing is printed twice)" } else { "" };
        lines.push(format!("{} accepted for {label}{again}", job.short));
    }
    for (at, why) in denied {
        let label = texts::label(&targets[*at].printer);
        let why = match why {
            Denied::NotRegistered => "you are not registered there",
            Denied::NotApproved => "its owner has not approved you yet",
            Denied::NotAccepting => "it takes no jobs at present",
        };
        lines.push(format!("Not accepted for {label}: {why}"));
    }
    let mut lines = lines.into_iter();
    let first = Reply::new(250, (2, 0, 0), lines.next().unwrap_or_default());
    lines.fold(first, |reply, line| reply.line(line))
}

fn domain_of(sender: &Candidate) -> &str {
    sender.address.rsplit_once('@').map_or("the sender", |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_is_the_same_mail_at_the_same_printer_and_nothing_less() {
        let key = |printer: u8, sender: &str, id: &str, body: u8| {
            duplicate_key(PrinterUuid([printer; 16]), sender, id, &[body; 32])
        };
        let one = key(1, "anna@a.example", "<1@a>", 1);
        assert_eq!(one, key(1, "anna@a.example", "<1@a>", 1));
        for other in [
            key(2, "anna@a.example", "<1@a>", 1),
            key(1, "bob@a.example", "<1@a>", 1),
            key(1, "anna@a.example", "<2@a>", 1),
            key(1, "anna@a.example", "<1@a>", 2),
            key(1, "anna@a.example<", "1@a>", 1),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn robots_are_not_written_to() {
        assert!(may_be_mailed("anna@a.example"));
        for robot in ["mailer-daemon@a", "noreply@a", "owner-list@a", "list-request@a", "postmaster@a"] {
            assert!(!may_be_mailed(robot), "{robot}");
        }
    }
}
