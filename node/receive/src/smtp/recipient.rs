//! RCPT: whom may one write to? Printers, their commands, and the constant address (A02).

use tympan_engine::Printer;
use tympan_smtp::{Recipient, Reply};
use tympan_spooler::SpoolerError;
use tympan_store::Whose;

use super::door::Shared;
use super::texts;

/// What a mail to a command address asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// `office+register@`: let me print.
    Register,
    /// `office+keep@`: keep my waiting jobs so long.
    Keep,
    /// `office+cancel@`: cancel my job.
    Cancel,
}

/// Where a mail goes.
#[derive(Clone, Debug)]
pub(crate) enum Goal {
    /// To a printer.
    Printer(Box<Printer>),
    /// To the printer that the sender's registrations choose.
    Constant,
    /// Nowhere: it is a command, about a printer or (at the constant address) about the one that the sender's
    /// registrations choose.
    Command(Command, Option<Box<Printer>>),
}

/// One accepted recipient.
#[derive(Clone, Debug)]
pub(crate) struct Addressee {
    /// The address as it was written.
    pub(crate) written: String,
    /// What it stands for.
    pub(crate) goal: Goal,
}

/// Finds out whom an address stands for.
///
/// # Errors
/// The refusal.
pub(crate) async fn find(shared: &Shared, recipient: &Recipient) -> Result<Addressee, Reply> {
    let options = &shared.options;
    let postmaster = || texts::no_postmaster(options.postmaster.as_deref(), &options.base_url);
    let Some(address) = recipient.address() else {
        return Err(postmaster());
    };
    if !options.domains.iter().any(|domain| domain.eq_ignore_ascii_case(address.domain())) {
        return Err(texts::relaying(address.domain()));
    }
    let written = address.to_string();
    let local_part = address.local_part().to_lowercase();
    if local_part == "postmaster" {
        return Err(postmaster());
    }
    // Other servers may read a route in these (RFC 5321 appendix C); there is no route from here.
    if local_part.contains(['%', '!', '@', ':', '/', '\\']) {
        return Err(texts::relaying(&written));
    }
    let unknown = || texts::unknown_recipient(&written, &options.base_url);
    let (name, command) = match local_part.split_once('+') {
        None => (local_part.as_str(), None),
        Some((name, "register")) => (name, Some(Command::Register)),
        Some((name, "keep")) => (name, Some(Command::Keep)),
        Some((name, "cancel")) => (name, Some(Command::Cancel)),
        Some(_) => return Err(unknown()),
    };
    let goal = if options.constant_address.as_deref().is_some_and(|constant| constant.eq_ignore_ascii_case(name)) {
        command.map_or(Goal::Constant, |command| Goal::Command(command, None))
    } else {
        let printer = match shared.spooler.printer_named(Whose::Everyones, name).await {
            Ok(printer) => Box::new(printer),
            Err(SpoolerError::NotFound(_)) => return Err(unknown()),
            Err(error) => return Err(super::failed(&error, "look up a printer")),
        };
        match command {
            None => Goal::Printer(printer),
            Some(command) => Goal::Command(command, Some(printer)),
        }
    };
    Ok(Addressee { written, goal })
}

/// Adds a recipient to those of a mail. The same printer twice is one job.
///
/// # Errors
/// The refusal: a command goes alone.
pub(crate) fn add(addressees: &mut Vec<Addressee>, new: Addressee) -> Result<(), Reply> {
    let is_command = |addressee: &Addressee| matches!(addressee.goal, Goal::Command(..));
    if !addressees.is_empty() && (is_command(&new) || addressees.iter().any(is_command)) {
        return Err(texts::command_alone());
    }
    let same = |old: &Addressee| match (&old.goal, &new.goal) {
        (Goal::Printer(old), Goal::Printer(new)) => old.uuid == new.uuid,
        (Goal::Constant, Goal::Constant) => true,
        _ => false,
    };
    if !addressees.iter().any(same) {
        addressees.push(new);
    }
    Ok(())
}
