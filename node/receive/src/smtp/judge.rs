//! What is decided when the header has come: before the body is stored, and before anything is looked up in DNS.
//!
//! From a sender without a registration nothing of the body is kept: the rest is read and thrown away, then refused.

use std::net::IpAddr;

use tympan_engine::admit::{self, Admission};
use tympan_engine::{Account, Printer, Registration, RegistrationState};
use tympan_smtp::{Reply, ReversePath};
use tympan_spooler::SpoolerError;
use tympan_store::Whose;

use super::door::Shared;
use super::recipient::{Addressee, Command, Goal};
use super::texts;
use crate::mail::header::Header;
use crate::proof::{self, Candidate};

/// What is known of a mail once its header has come.
pub(crate) struct Judged {
    pub(crate) header: Header,
    /// Who sent it, if that can be proven.
    pub(crate) sender: Candidate,
    pub(crate) purpose: Purpose,
}

/// What a mail is for.
pub(crate) enum Purpose {
    /// It is to be printed.
    Print(Vec<Target>),
    /// It is a command about a printer.
    Command(Command, Box<Printer>, Option<Box<Registration>>),
}

/// One printer that a mail goes to.
pub(crate) struct Target {
    pub(crate) written: String,
    pub(crate) printer: Printer,
    pub(crate) registration: Option<Registration>,
}

/// How a mail came.
pub(crate) struct Origin<'a> {
    /// `None`: by a mailbox, which tells nothing of the peer that can be believed.
    pub(crate) peer: Option<IpAddr>,
    pub(crate) account: Option<&'a Account>,
    pub(crate) reverse_path: &'a ReversePath,
}

/// Decides on a mail by its header.
///
/// # Errors
/// The refusal.
pub(crate) async fn judge(
    shared: &Shared,
    origin: Origin<'_>,
    addressees: &[Addressee],
    raw_header: &[u8],
) -> Result<Judged, Reply> {
    let options = &shared.options;
    let header = read_header(shared, raw_header);
    if header.received > options.received_max {
        return Err(texts::looping(header.received));
    }
    if let Some(automatic) = header.automatic {
        let first = addressees.first().map_or("", |addressee| &addressee.written);
        return Err(texts::automatic(automatic, first));
    }
    let from = header.from.as_deref();
    let candidates = proof::candidates(origin.account, &options.networks, origin.peer, origin.reverse_path, from);
    if let [Addressee { goal: Goal::Command(command, printer), .. }] = addressees {
        return judge_command(shared, header, candidates, *command, printer.as_deref()).await;
    }
    let mut refusal = None;
    for sender in candidates {
        let targets = targets(shared, addressees, &sender.address, &header.subject).await?;
        let recipients: Vec<_> = targets.iter().map(Target::recipient).collect();
        // As if it were proven: what is refused even then needs no proof and no storage.
        match admit::admit(admit::Proof::Dmarc, &recipients, shared.spooler.now()) {
            Admission::Allowed { .. } => {
                return Ok(Judged { header, sender, purpose: Purpose::Print(targets) });
            }
            Admission::NoneAllowed(denied) => {
                refusal.get_or_insert_with(|| {
                    let refused: Vec<_> = targets.iter().map(|target| &target.printer).zip(denied).collect();
                    match refused[..] {
                        [] => texts::registered_nowhere(Some(&sender.address), &options.base_url),
                        _ => texts::not_registered(&sender.address, &refused, &options.base_url),
                    }
                });
            }
            Admission::Unproven | Admission::TryLater => {}
        }
    }
    Err(refusal.unwrap_or_else(|| match addressees.iter().find_map(Addressee::printer) {
        Some(printer) => texts::unproven(header.from.as_deref(), printer, &options.base_url),
        None => texts::registered_nowhere(None, &options.base_url),
    }))
}

/// Reads a header; what answers a notice of ours is known by our domains.
pub(crate) fn read_header(shared: &Shared, raw: &[u8]) -> Header {
    let options = &shared.options;
    Header::read(raw, |domain| {
        options.hostname.eq_ignore_ascii_case(domain)
            || options.domains.iter().any(|ours| ours.eq_ignore_ascii_case(domain))
    })
}

async fn judge_command(
    shared: &Shared,
    header: Header,
    candidates: Vec<Candidate>,
    command: Command,
    printer: Option<&Printer>,
) -> Result<Judged, Reply> {
    let base_url = &shared.options.base_url;
    // A command may come from anybody who is proven: the best proof says who it is.
    let Some(sender) = candidates.into_iter().next() else {
        return Err(match printer {
            Some(printer) => texts::unproven(header.from.as_deref(), printer, base_url),
            None => texts::registered_nowhere(None, base_url),
        });
    };
    let registrations = registrations_of(shared, &sender.address).await?;
    let printer = match printer {
        Some(printer) => printer.clone(),
        // At the constant address the subject names the printer, or the registrations do.
        None => match named(shared, &header.subject).await? {
            Some(printer) => printer,
            None => match chosen(shared, &registrations, &header.subject).await? {
                Some((printer, _)) => printer,
                None => return Err(texts::registered_nowhere(Some(&sender.address), base_url)),
            },
        },
    };
    let registration = registrations.into_iter().find(|registration| registration.printer == printer.uuid);
    Ok(Judged { header, sender, purpose: Purpose::Command(command, Box::new(printer), registration.map(Box::new)) })
}

impl Addressee {
    fn printer(&self) -> Option<&Printer> {
        match &self.goal {
            Goal::Printer(printer) | Goal::Command(_, Some(printer)) => Some(printer),
            Goal::Constant | Goal::Command(_, None) => None,
        }
    }
}

impl Target {
    /// As the engine sees it.
    pub(crate) fn recipient(&self) -> admit::Recipient<'_> {
        admit::Recipient { printer: &self.printer, registration: self.registration.as_ref() }
    }
}

async fn registrations_of(shared: &Shared, address: &str) -> Result<Vec<Registration>, Reply> {
    let rows = shared.spooler.records().registrations_of(Whose::Everyones, address).await;
    match rows {
        Ok(rows) => Ok(rows.into_iter().map(|row| row.record).collect()),
        Err(error) => Err(super::failed(&SpoolerError::from(error), "look up registrations")),
    }
}

async fn targets(shared: &Shared, addressees: &[Addressee], sender: &str, subject: &str) -> Result<Vec<Target>, Reply> {
    let mut targets: Vec<Target> = Vec::with_capacity(addressees.len());
    for Addressee { written, goal } in addressees {
        let (printer, registration) = match goal {
            Goal::Printer(printer) => {
                // Only this one: somebody may print at hundreds.
                let registration = shared.spooler.registration_at(printer.uuid, sender).await;
                let registration = registration.map_err(|error| super::failed(&error, "look up a registration"))?;
                ((**printer).clone(), registration)
            }
            Goal::Constant => {
                let registrations = registrations_of(shared, sender).await?;
                match chosen(shared, &registrations, subject).await? {
                    Some((printer, registration)) => (printer, Some(registration)),
                    None => continue,
                }
            }
            Goal::Command(..) => continue,
        };
        if !targets.iter().any(|target| target.printer.uuid == printer.uuid) {
            targets.push(Target { written: written.clone(), printer, registration });
        }
    }
    Ok(targets)
}

/// The printer that the constant address stands for: the one that the subject names among the sender's, else the one
/// registered first.
async fn chosen(
    shared: &Shared,
    registrations: &[Registration],
    subject: &str,
) -> Result<Option<(Printer, Registration)>, Reply> {
    let mut active: Vec<&Registration> =
        registrations.iter().filter(|registration| registration.state == RegistrationState::Active).collect();
    active.sort_by_key(|registration| (registration.created_at, registration.id));
    let words = bracketed(subject).map(|(_, inside, _)| inside.to_lowercase()).unwrap_or_default();
    let mut first = None;
    for registration in active {
        let printer = match shared.spooler.printer(Whose::Owner(registration.owner), registration.printer).await {
            Ok(printer) if printer.removed => continue,
            Ok(printer) => printer,
            Err(SpoolerError::NotFound(_)) => continue,
            Err(error) => return Err(super::failed(&error, "look up a printer")),
        };
        if words.split(is_separator).any(|word| word == printer.name) {
            return Ok(Some((printer, registration.clone())));
        }
        first.get_or_insert_with(|| (printer, registration.clone()));
    }
    Ok(first)
}

/// The printer that a command's subject names, in brackets or as a word of its own.
async fn named(shared: &Shared, subject: &str) -> Result<Option<Printer>, Reply> {
    let subject = subject.to_lowercase();
    let words = subject.split(|c: char| is_separator(c) || matches!(c, '[' | ']')).filter(|word| !word.is_empty());
    for word in words.take(20) {
        match shared.spooler.printer_named(Whose::Everyones, word).await {
            Ok(printer) => return Ok(Some(printer)),
            Err(SpoolerError::NotFound(_)) => {}
            Err(error) => return Err(super::failed(&error, "look up a printer")),
        }
    }
    Ok(None)
}

/// A subject without the word that names a printer, so that only the words that say how to print are left.
pub(crate) fn without_printer(subject: &str, printer: &str) -> String {
    let Some((before, inside, after)) = bracketed(subject) else {
        return subject.to_owned();
    };
    let left: Vec<&str> =
        inside.split(is_separator).filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case(printer)).collect();
    if left.len() == inside.split(is_separator).filter(|word| !word.is_empty()).count() {
        return subject.to_owned();
    }
    let words = left.join(" ");
    if words.is_empty() {
        return format!("{} {}", before.trim(), after.trim()).trim().to_owned();
    }
    format!("{before}[{words}]{after}")
}

fn bracketed(subject: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = subject.split_once('[')?;
    let (inside, after) = rest.split_once(']')?;
    Some((before, inside, after))
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | ',' | ';' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a02_the_word_that_names_a_printer_is_no_option() {
        assert_eq!(without_printer("[lobby duplex] Invoice", "lobby"), "[duplex] Invoice");
        assert_eq!(without_printer("Invoice [Lobby]", "lobby"), "Invoice");
        assert_eq!(without_printer("[duplex] Invoice", "lobby"), "[duplex] Invoice");
        assert_eq!(without_printer("lobby Invoice", "lobby"), "lobby Invoice");
        assert_eq!(without_printer("[lobby, shiny] x", "lobby"), "[shiny] x");
    }
}
