//! What the door says. Each refusal says what happened, to what, and what helps; ASCII only.

use std::time::Duration;

use tympan_engine::Printer;
use tympan_engine::admit::Denied;
use tympan_smtp::Reply;

use crate::mail::header::Automatic;

/// What people call a printer, where it can be written in ASCII.
pub(super) fn label(printer: &Printer) -> &str {
    if printer.info.is_ascii() && !printer.info.trim().is_empty() { &printer.info } else { &printer.name }
}

pub(super) fn too_many_connections(hostname: &str) -> Reply {
    Reply::new(421, (4, 7, 0), format!("{hostname} has too many connections from you; please try again in a minute."))
}

pub(super) fn shed(hostname: &str) -> Reply {
    Reply::new(421, (4, 3, 2), format!("{hostname} is busy and closes idle connections; please connect again."))
}

pub(super) fn welcome(name: &str) -> Reply {
    Reply::new(235, (2, 7, 0), format!("You are logged in as {name}."))
}

pub(super) fn wrong_password() -> Reply {
    Reply::new(535, (5, 7, 8), "User name or password is wrong; the ones of the console are needed.")
}

pub(super) fn not_on_behalf() -> Reply {
    Reply::new(535, (5, 7, 8), "Logging in on behalf of somebody else is not possible here.")
}

pub(super) fn too_many_passwords() -> Reply {
    Reply::new(454, (4, 7, 0), "Too many failed log-ins from you; please try again in a few minutes.")
}

pub(super) fn sender_ok() -> Reply {
    Reply::new(250, (2, 1, 0), "Go on with the recipients.")
}

pub(super) fn recipient_ok(recipient: &str) -> Reply {
    Reply::new(250, (2, 1, 5), format!("{recipient} is known here."))
}

pub(super) fn relaying(domain: &str) -> Reply {
    Reply::new(550, (5, 7, 1), format!("Mail to {domain} is not passed on from here; only printers get mail."))
}

pub(crate) fn unknown_recipient(recipient: &str, base_url: &str) -> Reply {
    Reply::new(550, (5, 1, 1), format!("There is no printer {recipient}; please check the address, or see {base_url}/"))
}

pub(super) fn no_postmaster(contact: Option<&str>, base_url: &str) -> Reply {
    let text = match contact {
        Some(contact) => format!("No mailbox is kept here; please write to {contact}"),
        None => {
            format!("No mailbox is kept here, only printers; its owner is found at {base_url}/")
        }
    };
    Reply::new(550, (5, 1, 1), text)
}

pub(super) fn command_alone() -> Reply {
    Reply::new(452, (4, 5, 3), "A command goes in a mail of its own; please send the rest in another.")
}

pub(super) fn null_sender() -> Reply {
    Reply::new(550, (5, 7, 1), "Reports and automatic replies (null sender) are not printed.")
}

pub(super) fn automatic(why: Automatic, recipient: &str) -> Reply {
    let text = match why {
        Automatic::Submitted => {
            "Automatic mail (Auto-Submitted) is not printed; please send the document yourself.".into()
        }
        Automatic::List => "Mail of a mailing list is not printed; please forward it yourself.".into(),
        Automatic::Bulk => "Bulk mail (Precedence) is not printed; please forward it yourself.".into(),
        Automatic::Report => "Reports about other mails are not printed.".into(),
        Automatic::ReplyToNotice => {
            let (local_part, domain) = recipient.split_once('@').unwrap_or((recipient, ""));
            let local_part = local_part.split('+').next().unwrap_or(local_part);
            format!(
                "An answer to a notice of ours is not printed. To cancel a job, write its number in the subject of a \
                 new mail to {local_part}+cancel@{domain}; to print, send a new mail."
            )
        }
    };
    Reply::new(550, (5, 7, 1), text)
}

pub(super) fn looping(received: usize) -> Reply {
    Reply::new(554, (5, 4, 6), format!("This mail has passed {received} servers; it goes in a circle."))
}

pub(crate) fn header_too_large(octets_max: usize, lines_max: usize) -> Reply {
    let text = format!("The mail's header has more than {octets_max} octets or {lines_max} lines.");
    Reply::new(552, (5, 3, 4), text)
}

pub(super) fn disk_full() -> Reply {
    Reply::new(452, (4, 3, 1), "The disk is full here; please send again later.")
}

pub(super) fn queue_full() -> Reply {
    Reply::new(452, (4, 2, 2), "As many of your jobs wait here as may. Cancel some (write its number in the subject of")
        .line("a mail to PRINTER+cancel at this domain), or send again when they have printed.")
}

pub(crate) fn trouble() -> Reply {
    Reply::new(451, (4, 3, 0), "Something broke here and nothing was stored; please send again later.")
}

pub(crate) fn dns_silent(domain: &str) -> Reply {
    let text =
        format!("The name servers of {domain} did not answer, so that nobody knows who sent this; please try again.");
    Reply::new(451, (4, 4, 3), text)
}

/// Where one registers at a printer.
pub(super) fn register_page(base_url: &str, printer: &str) -> String {
    format!("{base_url}/register/{printer}")
}

/// Refused for all: nothing proves who sent it.
pub(super) fn unproven(from: Option<&str>, printer: &Printer, base_url: &str) -> Reply {
    let first = match from {
        Some(from) => {
            format!("Nothing proves that this mail is from {from} (no DMARC pass, no log-in).")
        }
        None => "This mail has not exactly one From address, so that nobody knows who sent it.".into(),
    };
    Reply::new(550, (5, 7, 1), first)
        .line(format!("{} takes mail only from registered senders. Register at", label(printer)))
        .line(register_page(base_url, &printer.name))
        .line("and send through your own mail server, so that it signs your mail.")
}

/// Refused for all: registered nowhere.
pub(super) fn not_registered(from: &str, refused: &[(&Printer, Denied)], base_url: &str) -> Reply {
    let mut reply: Option<Reply> = None;
    let mut say = |text: String| {
        reply = Some(match reply.take() {
            None => Reply::new(550, (5, 7, 1), text),
            Some(reply) => reply.line(text),
        });
    };
    for (printer, why) in refused {
        let label = label(printer);
        match why {
            Denied::NotRegistered => {
                say(format!("{label} does not take mail from {from}, who is not registered there. Register at"));
                say(register_page(base_url, &printer.name));
            }
            Denied::NotApproved => {
                say(format!("{label} does not take mail from {from} yet: its owner has to approve. See"));
                say(register_page(base_url, &printer.name));
            }
            Denied::NotAccepting => say(format!("{label} takes no jobs at present; please choose another printer.")),
        }
    }
    reply.unwrap_or_else(trouble)
}

/// Refused: the constant address stands for no printer of this sender.
pub(super) fn registered_nowhere(from: Option<&str>, base_url: &str) -> Reply {
    let who = from.unwrap_or("this sender");
    Reply::new(550, (5, 7, 1), format!("No printer takes mail from {who}, who is not registered anywhere. Register at"))
        .line(format!("{base_url}/register"))
}

/// How long octets of a peer are still read after our last reply, so that closing does not destroy it.
pub(super) const LINGER: Duration = Duration::from_secs(3);
