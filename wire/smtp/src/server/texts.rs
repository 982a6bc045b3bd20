//! What the session says by itself. Each refusal says what happened and what helps.

use super::clock::TimeoutReason;
use super::command::CommandError;
use super::config::Config;
use crate::{AddressError, Reply};

pub(super) fn banner(config: &Config) -> Reply {
    Reply::bare(220, format!("{} ESMTP", config.hostname))
}

pub(super) fn service_closing(config: &Config) -> Reply {
    Reply::new(221, (2, 0, 0), format!("{} closes the connection. Goodbye.", config.hostname))
}

pub(super) fn shutting_down() -> Reply {
    Reply::new(421, (4, 3, 2), "This server is being restarted; please send again in a few minutes.")
}

pub(super) fn help(config: &Config) -> Reply {
    let first = "Commands: EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP HELP QUIT";
    let reply = config.help.iter().fold(Reply::new(214, (2, 0, 0), first), |reply, line| reply.line(line));
    reply.line("To print, send a mail to a printer's address.")
}

pub(super) fn time_out(reason: TimeoutReason) -> Reply {
    let text = match reason {
        TimeoutReason::Greeting => "No EHLO came in time; connect again when you are ready to send.",
        TimeoutReason::Command => "No command came in time; connect again when you are ready to send.",
        TimeoutReason::Handshake => "The TLS handshake took too long; please connect again.",
        TimeoutReason::BodyBlock => "The message stopped in the middle; please send it again as a whole.",
        TimeoutReason::BodyWhole => "The message took too long; please send a smaller one or use a faster line.",
        TimeoutReason::BodyRate => "The message comes too slowly; please send it again over a faster line.",
        TimeoutReason::Session => "This connection has been open too long; please connect again for the next mail.",
    };
    Reply::new(421, (4, 4, 2), text)
}

pub(super) fn early_talker() -> Reply {
    Reply::new(554, (5, 5, 0), "You spoke before it was your turn; wait for each reply that must be waited for.")
}

/// After the greeting the commands that must be waited for are EHLO, DATA, AUTH and STARTTLS (RFC 2920 section 3.1).
pub(super) fn early_after(command: &str) -> Reply {
    Reply::new(503, (5, 5, 0), format!("You went on before the reply to {command}; send again and wait for it."))
}

pub(super) fn bare_line_break() -> Reply {
    Reply::new(
        550,
        (5, 5, 2),
        "A line ended in a bare LF or CR, or held NUL. Lines must end in CR LF (RFC 5321, 2.3.8);",
    )
    .line("please correct the sending program or ask this server's owner to list your network.")
}

pub(super) fn command_too_long(octets_max: usize) -> Reply {
    Reply::new(500, (5, 5, 2), format!("The command line is longer than {octets_max} octets; please shorten it."))
}

pub(super) fn endless_line() -> Reply {
    Reply::new(500, (5, 5, 2), "A command line did not end; this port takes mail by SMTP only.")
}

pub(super) fn body_line_too_long(octets_max: usize) -> Reply {
    let text = format!(
        "A line of the message is longer than {octets_max} octets; please send it as base64 or quoted-printable."
    );
    Reply::new(552, (5, 6, 0), text)
}

pub(super) fn too_big(octets_max: u64) -> Reply {
    let text =
        format!("The message is larger than {octets_max} octets, the most taken here; please send less at a time.");
    Reply::new(552, (5, 3, 4), text)
}

pub(super) fn too_many_recipients(most: usize) -> Reply {
    Reply::new(452, (4, 5, 3), format!("At most {most} recipients in one mail; send this one to the rest in another."))
}

pub(super) fn too_many_errors() -> Reply {
    Reply::new(421, (4, 7, 0), "Too many refused commands on this connection; please correct them and connect again.")
}

pub(super) fn too_many_auth_failures() -> Reply {
    Reply::new(421, (4, 7, 0), "Too many failed log-ins; please check user name and password, then connect again.")
}

pub(super) fn too_many_commands() -> Reply {
    Reply::new(421, (4, 7, 0), "Too many commands on this connection; please connect again for the next mail.")
}

pub(super) fn too_many_messages() -> Reply {
    Reply::new(421, (4, 7, 0), "Enough mails on this connection; please connect again for the next one.")
}

pub(super) fn greet_first() -> Reply {
    Reply::new(503, (5, 5, 1), "Please say EHLO first.")
}

pub(super) fn sequence(what: &str) -> Reply {
    Reply::new(503, (5, 5, 1), what)
}

pub(super) fn tls_first() -> Reply {
    Reply::new(530, (5, 7, 0), "Must issue STARTTLS first; this server takes mail over TLS only.")
}

pub(super) fn auth_first() -> Reply {
    Reply::new(530, (5, 7, 0), "Please log in with AUTH first.")
}

pub(super) fn auth_needs_tls() -> Reply {
    Reply::new(
        538,
        (5, 7, 11),
        "Log-in needs encryption; please say STARTTLS first, so that nobody reads the password.",
    )
}

pub(super) fn auth_cancelled() -> Reply {
    Reply::new(501, (5, 7, 0), "The log-in was cancelled.")
}

pub(super) fn auth_malformed() -> Reply {
    Reply::new(501, (5, 5, 2), "The log-in could not be read: it must be base64, with a user name and a password.")
}

pub(super) fn needs_smtputf8() -> Reply {
    Reply::new(553, (5, 6, 7), "The address is not ASCII; give MAIL the parameter SMTPUTF8 or use an ASCII address.")
}

/// The caller answered with a code that does not fit the question.
pub(super) fn wrong_answer() -> Reply {
    Reply::new(451, (4, 3, 0), "This server made a mistake; please send again later.")
}

pub(super) fn command_error(error: &CommandError) -> Reply {
    match error {
        CommandError::Unknown => Reply::new(500, (5, 5, 1), "This command is not known; say HELP for those that are."),
        CommandError::NotImplemented => {
            Reply::new(502, (5, 5, 1), "This command is not offered here; say HELP for those that are.")
        }
        CommandError::OtherProtocol => Reply::new(554, (5, 5, 0), "This port takes mail by SMTP only, not HTTP."),
        CommandError::NotUtf8 => Reply::new(500, (5, 5, 2), "The command line is neither ASCII nor UTF-8."),
        CommandError::Syntax(syntax) => {
            Reply::new(501, (5, 5, 4), format!("This cannot be read; the form is: {syntax}"))
        }
        CommandError::TakesNoArgument(verb) => Reply::new(501, (5, 5, 4), format!("{verb} stands alone on its line.")),
        CommandError::ReversePath(AddressError::Literal) => Reply::new(
            550,
            (5, 1, 8),
            "A sender at a number in brackets cannot be answered; please use an address with a domain name.",
        ),
        CommandError::ReversePath(why) => Reply::new(501, (5, 1, 7), format!("Sender: {why}.")),
        CommandError::ForwardPath(AddressError::Literal) => Reply::new(
            550,
            (5, 1, 2),
            "Printers are not addressed by a number in brackets; please use the address with the domain name.",
        ),
        CommandError::ForwardPath(why) => Reply::new(501, (5, 1, 3), format!("Recipient: {why}.")),
        CommandError::UnknownParameter(parameter) => Reply::new(
            555,
            (5, 5, 4),
            format!("The parameter {parameter} is not offered here; please send without it."),
        ),
        CommandError::BadParameter(parameter) => {
            Reply::new(501, (5, 5, 4), format!("The value of {parameter} cannot be read."))
        }
        CommandError::UnknownMechanism => {
            Reply::new(504, (5, 5, 4), "Only AUTH PLAIN and AUTH LOGIN are offered here.")
        }
        CommandError::Bdat => Reply::new(
            501,
            (5, 5, 4),
            "The form is: BDAT octets [LAST]. Without the number the message cannot be told from commands.",
        ),
    }
}
