//! May it come in? The decision at the final dot of a mail, and for every other door.
//!
//! Unproven, or registered at no recipient: refused for all. Proven and registered at some: jobs for
//! those, one notice about the rest. Unknown recipients were refused before, at RCPT (A04).

use crate::{Printer, Refusal, Registration, RegistrationState, Timestamp};
use alloc::vec::Vec;

/// What is proven about a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// DMARC passed, aligned with the one From address.
    Dmarc,
    /// The session signed in, and the account may send as this address.
    Authenticated,
    /// The connection comes from an allow-listed network.
    Network,
    /// Nothing.
    None,
    /// It could not be looked up now; the sender's server may try again.
    Unknown,
}

/// One recipient of a mail, with what is known at the final dot.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// The printer.
    pub printer: &'a Printer,
    /// The sender's registration there.
    pub registration: Option<&'a Registration>,
}

/// Why one recipient gets no job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The sender is not registered there.
    NotRegistered,
    /// Asked for, and not yet approved.
    NotApproved,
    /// The printer takes no jobs.
    NotAccepting,
}

/// What becomes of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Refused for all: nobody knows who sent it.
    Unproven,
    /// Refused for now: the proof could not be looked up.
    TryLater,
    /// Refused for all: registered at none; each with its reason.
    NoneAllowed(Vec<Denied>),
    /// Taken for some or all, by their place in the list.
    Allowed {
        /// Who gets a job.
        jobs: Vec<usize>,
        /// Who does not, and why.
        denied: Vec<(usize, Denied)>,
    },
}

/// Decides on a mail.
pub fn admit(proof: Proof, recipients: &[Recipient<'_>], now: Timestamp) -> Admission {
    match proof {
        Proof::None => return Admission::Unproven,
        Proof::Unknown => return Admission::TryLater,
        Proof::Dmarc | Proof::Authenticated | Proof::Network => {}
    }
    let mut jobs = Vec::new();
    let mut denied = Vec::new();
    for (place, recipient) in recipients.iter().enumerate() {
        match may_print(recipient.printer, recipient.registration, now) {
            Ok(()) => jobs.push(place),
            Err(why) => denied.push((place, why)),
        }
    }
    if jobs.is_empty() {
        return Admission::NoneAllowed(denied.into_iter().map(|(_, why)| why).collect());
    }
    Admission::Allowed { jobs, denied }
}

/// Whether one registration lets its sender print at a printer now.
///
/// # Errors
/// Why not.
pub fn may_print(printer: &Printer, registration: Option<&Registration>, now: Timestamp) -> Result<(), Denied> {
    if !printer.accepts(now) {
        return Err(Denied::NotAccepting);
    }
    match registration.map(|registration| registration.state) {
        Some(RegistrationState::Active) => Ok(()),
        Some(RegistrationState::Requested) => Err(Denied::NotApproved),
        Some(RegistrationState::Revoked) | None => Err(Denied::NotRegistered),
    }
}

/// How many jobs of one sender may wait, by default (`reliability.md` section 6: queue).
pub const JOBS_PER_SENDER_MAX: u64 = 500;

/// Whether so many more jobs of a sender may come in while others of his wait. `most` 0: there is no limit.
///
/// # Errors
/// [`Refusal::QueueFull`].
pub const fn has_room(waiting: u64, more: u64, most: u64) -> Result<(), Refusal> {
    if most > 0 && waiting.saturating_add(more) > most { Err(Refusal::QueueFull) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{JobOptions, Language, OwnerId, PrinterUuid, RegistrationId, Timestamp};
    use alloc::vec;

    fn registration(state: RegistrationState) -> Registration {
        Registration {
            owner: OwnerId::FIRST,
            id: RegistrationId([1; 16]),
            printer: PrinterUuid([2; 16]),
            sender: "anna@example.org".into(),
            state,
            retention_ms: None,
            retry_interval_ms: None,
            language: Language::En,
            options: JobOptions::default(),
            proven: false,
            created_at: Timestamp(0),
            changed_at: Timestamp(0),
        }
    }

    #[test]
    fn a04_unproven_or_unregistered_senders_print_nothing() {
        let printer = Printer::new(OwnerId::FIRST, PrinterUuid([2; 16]), "office", "x", Timestamp(0));
        let active = registration(RegistrationState::Active);
        let asked = registration(RegistrationState::Requested);
        let revoked = registration(RegistrationState::Revoked);
        let at = |registration| Recipient { printer: &printer, registration };
        assert_eq!(admit(Proof::None, &[at(Some(&active))], Timestamp(0)), Admission::Unproven);
        assert_eq!(admit(Proof::Unknown, &[at(Some(&active))], Timestamp(0)), Admission::TryLater);
        for proof in [Proof::Dmarc, Proof::Authenticated, Proof::Network] {
            assert_eq!(admit(proof, &[at(None)], Timestamp(0)), Admission::NoneAllowed(vec![Denied::NotRegistered]));
            assert_eq!(
                admit(proof, &[at(Some(&asked))], Timestamp(0)),
                Admission::NoneAllowed(vec![Denied::NotApproved])
            );
            assert_eq!(
                admit(proof, &[at(Some(&revoked))], Timestamp(0)),
                Admission::NoneAllowed(vec![Denied::NotRegistered])
            );
            assert_eq!(
                admit(proof, &[at(None), at(Some(&active))], Timestamp(0)),
                Admission::Allowed { jobs: vec![1], denied: vec![(0, Denied::NotRegistered)] }
            );
        }
    }

    #[test]
    fn a_senders_queue_has_an_end_unless_it_has_none() {
        for (waiting, more, most, room) in
            [(0, 1, 1, true), (1, 1, 1, false), (499, 1, 500, true), (499, 2, 500, false), (u64::MAX, 9, 0, true)]
        {
            assert_eq!(has_room(waiting, more, most).is_ok(), room, "{waiting} {more} {most}");
        }
    }
}
