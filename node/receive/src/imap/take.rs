//! Takes one mail of a mailbox: piece by piece into the documents, judged as at the mail door.

use tracing::{info, warn};
use tympan_engine::admit::Proof;
use tympan_engine::{DocumentId, Language, OwnerId};
use tympan_smtp::{Reply, ReversePath};

use super::ImapError;
use super::addressees::addressees;
use super::mailbox::Mailbox;
use super::options::ImapOptions;
use super::seen::Fate;
use crate::mail::header::{Header, fields};
use crate::mail::incoming::{Incoming, Received};
use crate::proof::{Candidate, Claim, vouched};
use crate::smtp::door::Shared;
use crate::smtp::final_dot::{self, Whole};
use crate::smtp::judge::{self, Judged, Origin, Purpose};
use crate::smtp::letters;
use crate::smtp::recipient::Addressee;
use crate::smtp::texts;

/// Octets that are asked for at once: what of a mail is in memory.
const PIECE_OCTETS: u32 = 256 * 1024;

/// What the server gave no mail for.
const NOT_GIVEN: &str = "it gave nothing of the mail";

/// What became of a mail.
pub(super) enum Taken {
    /// It is dealt with.
    Over(Fate),
    /// Not now: something here or in DNS does not answer.
    Later,
}

/// What is known of a mail once its header has come.
struct Begun {
    addressees: Vec<Addressee>,
    judged: Result<Judged, Reply>,
}

/// Takes a mail.
///
/// # Errors
/// The connection's; the mail is then taken again from its beginning.
pub(super) async fn take(
    shared: &Shared,
    options: &ImapOptions,
    mailbox: &mut Mailbox,
    uid: u32,
) -> Result<Taken, ImapError> {
    let mut mail = Incoming::new();
    let mut begun: Option<Begun> = None;
    let mut at = 0_u64;
    loop {
        let Some(piece) = mailbox.piece(uid, at, PIECE_OCTETS).await? else {
            return Err(ImapError::Refused(NOT_GIVEN.into()));
        };
        at += piece.len() as u64;
        let last = piece.len() < PIECE_OCTETS as usize;
        if at > shared.options.limits.message_octets_max {
            let most = shared.options.limits.message_octets_max >> 20;
            let reply = Reply::new(552, (5, 3, 4), format!("The mail is larger than {most} MiB."));
            // The rest of it is not read, so that only the provider's word can prove its sender.
            tell_if_proven(shared, options, &mut mail.finish(), false, &reply).await;
            return Ok(refused(uid, &reply));
        }
        match feed(shared, options, &mut mail, &mut begun, &piece).await {
            Ok(()) => {}
            Err(reply) if reply.is_temporary() => return Ok(later(uid, &reply)),
            Err(reply) => return Ok(refused(uid, &reply)),
        }
        if let Some(Begun { judged: Err(reply), .. }) = &begun
            && reply.is_temporary()
        {
            return Ok(later(uid, reply));
        }
        if last {
            break;
        }
    }
    let Begun { addressees, judged } = match begun {
        Some(begun) => begun,
        // A mail may be all header.
        None => begin(shared, options, &mut mail).await,
    };
    let reverse_path = String::new();
    let mut received = mail.finish();
    let validity = mailbox.validity;
    let reply = match judged {
        Ok(mut judged) => {
            let sender = judged.sender.clone();
            judged.sender.proof = prove(shared, options, &sender, &mut received).await;
            if judged.sender.proof == Proof::Unknown {
                return Ok(later(uid, &texts::dns_silent(&sender.address)));
            }
            let (header, proven) = (judged.header.clone(), judged.sender.clone());
            let owner = owner(&judged);
            let raw = received.header.clone();
            let repeat = Some(format!("imap:{validity}:{uid}"));
            let whole = Whole {
                judged,
                received,
                addressees: &addressees,
                door: "imap",
                peer: None,
                repeat,
                helo: "",
                reverse_path,
            };
            let reply = final_dot::decide(shared, whole).await;
            if reply.is_permanent() && proven.proof == Proof::Dmarc {
                tell(shared, owner, &proven, &header, &raw, &reply).await;
            }
            reply
        }
        Err(reply) if reply.is_temporary() => return Ok(later(uid, &reply)),
        Err(reply) => {
            tell_if_proven(shared, options, &mut received, true, &reply).await;
            reply
        }
    };
    Ok(match reply {
        reply if reply.is_positive() => Taken::Over(Fate::Taken),
        reply if reply.is_temporary() => later(uid, &reply),
        reply => refused(uid, &reply),
    })
}

fn refused(uid: u32, reply: &Reply) -> Taken {
    info!(door = "imap", uid, reason = %reply.text(), "Refused a mail");
    Taken::Over(Fate::Refused)
}

fn later(uid: u32, reply: &Reply) -> Taken {
    warn!(door = "imap", uid, reason = %reply.text(), "Could not take a mail now, will try again");
    Taken::Later
}

/// Takes a part of a mail.
///
/// # Errors
/// The refusal.
async fn feed(
    shared: &Shared,
    options: &ImapOptions,
    mail: &mut Incoming,
    begun: &mut Option<Begun>,
    mut octets: &[u8],
) -> Result<(), Reply> {
    if !mail.header_ended() {
        let (octets_max, lines_max) = (shared.options.header_octets_max, shared.options.header_lines_max);
        let taken = mail
            .take_header(octets, octets_max, lines_max)
            .map_err(|_| texts::header_too_large(octets_max, lines_max))?;
        octets = &octets[taken..];
        if !mail.header_ended() {
            return Ok(());
        }
        *begun = Some(begin(shared, options, mail).await);
    }
    if !octets.is_empty() {
        mail.write_body(octets).await.map_err(|error| crate::smtp::failed(&error.into(), "store a mail"))?;
    }
    Ok(())
}

/// Decides on a mail by its header, and what of it is kept. A refused mail is read on: its signatures may say to whom
/// the refusal can be told.
async fn begin(shared: &Shared, options: &ImapOptions, mail: &mut Incoming) -> Begun {
    if shared.dmarc.is_some() {
        mail.hash_for_signatures();
    }
    let addressees = match addressees(shared, options, mail.header()).await {
        Ok(addressees) => addressees,
        Err(reply) => return Begun { addressees: Vec::new(), judged: Err(reply) },
    };
    let origin = Origin { peer: None, account: None, reverse_path: &ReversePath::Null };
    let mut judged = judge::judge(shared, origin, &addressees, mail.header()).await;
    if matches!(&judged, Ok(Judged { purpose: Purpose::Print(_), .. })) {
        let id = DocumentId::from_parts(shared.spooler.now(), shared.spooler.random());
        if let Err(error) = mail.keep(shared.spooler.documents(), id).await {
            judged = Err(crate::smtp::failed(&error.into(), "store a mail"));
        }
    }
    Begun { addressees, judged }
}

/// What proves the sender: the provider's word where it is named, else DKIM.
async fn prove(shared: &Shared, options: &ImapOptions, sender: &Candidate, received: &mut Received) -> Proof {
    if sender.proof != Proof::None {
        return sender.proof;
    }
    let named = options.authserv_id.as_deref();
    if named.is_some_and(|authserv_id| vouched(&received.header, authserv_id, &sender.address)) {
        return Proof::Dmarc;
    }
    match &shared.dmarc {
        None => Proof::None,
        Some(dmarc) => {
            let body_hashes = std::mem::take(&mut received.hashes);
            let claim = Claim { from: &sender.address, header: &received.header, body_hashes, path: None };
            Box::pin(dmarc.prove(claim)).await
        }
    }
}

fn owner(judged: &Judged) -> OwnerId {
    match &judged.purpose {
        Purpose::Print(targets) => targets.first().map_or(OwnerId::FIRST, |target| target.printer.owner),
        Purpose::Command(_, printer, _) => printer.owner,
    }
}

/// Tells the sender of a mail that was refused by its header, if it is proven who that is. `whole`: all of it was read,
/// so that its signatures can be verified.
async fn tell_if_proven(shared: &Shared, options: &ImapOptions, received: &mut Received, whole: bool, reply: &Reply) {
    let header = judge::read_header(shared, &received.header);
    let Some(from) = header.from.clone() else { return };
    let mut sender = Candidate { address: from, proof: Proof::None };
    if whole {
        sender.proof = prove(shared, options, &sender, received).await;
    } else if let Some(named) = options.authserv_id.as_deref()
        && vouched(&received.header, named, &sender.address)
    {
        sender.proof = Proof::Dmarc;
    }
    if sender.proof == Proof::Dmarc {
        let raw = received.header.clone();
        tell(shared, options.owner, &sender, &header, &raw, reply).await;
    }
}

/// Writes to a proven sender what a dialogue would have said. Never to a robot (RFC 3834 section 2).
async fn tell(shared: &Shared, owner: OwnerId, sender: &Candidate, header: &Header, raw: &[u8], reply: &Reply) {
    let null = |(name, value): (&[u8], &[u8])| name.eq_ignore_ascii_case(b"Return-Path") && value.trim_ascii() == b"<>";
    if header.automatic.is_some() || fields(raw).any(null) {
        return;
    }
    let language: Language = header.language;
    let letter = letters::refused(&header.subject, &reply.lines().join(" "), language);
    crate::smtp::answer(shared, owner, sender, &letter, header.message_id.as_deref()).await;
}
