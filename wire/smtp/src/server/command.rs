//! Command lines (RFC 5321 section 4.1.1 and the extensions we offer).
//!
//! `smtp-proto` reads verbs and parameters. Paths are read by [`crate::Address`], because the library drops
//! the quotes and cannot tell `<>` from `<postmaster>`; BDAT is read here, because its number is framing and
//! must not overflow.

use std::borrow::Cow;

use smtp_proto::request::parser::Rfc5321Parser;
use smtp_proto::{
    AUTH_LOGIN, AUTH_PLAIN, Error, MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MAIL_SMTPUTF8, MailFrom as MailParameters,
    RcptTo as RcptParameters, Request,
};

use super::event::{BodyKind, MailFrom, Mechanism};
use crate::address::{take_forward_path, take_reverse_path};
use crate::{AddressError, Recipient};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Ehlo { domain: String },
    Helo { domain: String },
    Mail(MailFrom),
    Rcpt(Recipient),
    Data,
    Bdat { octets: u64, last: bool },
    Rset,
    Noop,
    Help,
    Vrfy,
    Expn,
    StartTls,
    Auth { mechanism: Mechanism, initial: Option<String> },
    Quit,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum CommandError {
    Unknown,
    NotImplemented,
    OtherProtocol,
    NotUtf8,
    Syntax(&'static str),
    TakesNoArgument(&'static str),
    ReversePath(AddressError),
    ForwardPath(AddressError),
    UnknownParameter(String),
    BadParameter(&'static str),
    UnknownMechanism,
    /// What follows cannot be told from commands.
    Bdat,
}

const MAIL_SYNTAX: &str = "MAIL FROM:<address> [SIZE=octets] [BODY=8BITMIME]";
const RCPT_SYNTAX: &str = "RCPT TO:<address>";

/// Reads one line, given without its line end.
pub(super) fn parse(line: &[u8]) -> Result<Command, CommandError> {
    let verb_end = line.iter().position(|&b| b == b' ' || b == b'\t').unwrap_or(line.len());
    let (verb, argument) = line.split_at(verb_end);
    let verb = verb.to_ascii_uppercase();
    if verb == b"BDAT" {
        return bdat(argument);
    }
    if is_other_protocol(&verb, argument) {
        return Err(CommandError::OtherProtocol);
    }
    let Ok(argument) = std::str::from_utf8(argument) else {
        return Err(CommandError::NotUtf8);
    };
    let argument = argument.trim_matches([' ', '\t']);
    match verb.as_slice() {
        b"MAIL" => mail(argument),
        b"RCPT" => rcpt(argument),
        b"DATA" => alone("DATA", argument, Command::Data),
        b"RSET" => alone("RSET", argument, Command::Rset),
        b"QUIT" => alone("QUIT", argument, Command::Quit),
        b"STARTTLS" => alone("STARTTLS", argument, Command::StartTls),
        _ => other(&verb, argument),
    }
}

/// A browser or a script that was led to our port (cross-protocol request forgery).
fn is_other_protocol(verb: &[u8], argument: &[u8]) -> bool {
    let is_method =
        [&b"GET"[..], b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"CONNECT", b"PATCH"].contains(&verb);
    (is_method && !argument.is_empty()) || verb == b"HOST:" || verb == b"USER-AGENT:"
}

fn alone(verb: &'static str, argument: &str, command: Command) -> Result<Command, CommandError> {
    if argument.is_empty() { Ok(command) } else { Err(CommandError::TakesNoArgument(verb)) }
}

fn bdat(argument: &[u8]) -> Result<Command, CommandError> {
    let argument = std::str::from_utf8(argument).map_err(|_| CommandError::Bdat)?;
    let mut words = argument.split([' ', '\t']).filter(|word| !word.is_empty());
    let octets = words.next().ok_or(CommandError::Bdat)?;
    // `u64::from_str` takes a sign; a chunk size has none.
    if !octets.bytes().all(|b| b.is_ascii_digit()) {
        return Err(CommandError::Bdat);
    }
    let octets = octets.parse().map_err(|_| CommandError::Bdat)?;
    let last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("LAST") => true,
        Some(_) => return Err(CommandError::Bdat),
    };
    if words.next().is_some() { Err(CommandError::Bdat) } else { Ok(Command::Bdat { octets, last }) }
}

fn mail(argument: &str) -> Result<Command, CommandError> {
    let path = after_keyword(argument, "FROM:").ok_or(CommandError::Syntax(MAIL_SYNTAX))?;
    let (reverse_path, rest) = take_reverse_path(path).map_err(CommandError::ReversePath)?;
    let rest = parameters(rest, MAIL_SYNTAX)?;
    // The library lets such a number wrap.
    if rest.to_ascii_uppercase().split(' ').any(|word| word.strip_prefix("SIZE=").is_some_and(|size| size.len() > 18)) {
        return Err(CommandError::BadParameter("SIZE"));
    }
    let line = format!("{rest}\r\n");
    let given = Rfc5321Parser::new(&mut line.as_bytes().iter())
        .mail_from_parameters(Cow::Borrowed(""))
        .map_err(|error| parameter_error(error, MAIL_SYNTAX))?;
    let offered = MAIL_BODY_7BIT | MAIL_BODY_8BITMIME | MAIL_SMTPUTF8;
    let plain = MailParameters {
        flags: given.flags & offered,
        size: given.size,
        auth: given.auth.clone(),
        ..MailParameters::default()
    };
    if given != plain {
        return Err(CommandError::UnknownParameter(rest.to_owned()));
    }
    let size = (given.size > 0).then_some(given.size as u64);
    let body = if given.flags & MAIL_BODY_8BITMIME != 0 { BodyKind::EightBitMime } else { BodyKind::SevenBit };
    let smtputf8 = given.flags & MAIL_SMTPUTF8 != 0;
    Ok(Command::Mail(MailFrom { reverse_path, size, body, smtputf8 }))
}

fn rcpt(argument: &str) -> Result<Command, CommandError> {
    let path = after_keyword(argument, "TO:").ok_or(CommandError::Syntax(RCPT_SYNTAX))?;
    let (recipient, rest) = take_forward_path(path).map_err(CommandError::ForwardPath)?;
    let rest = parameters(rest, RCPT_SYNTAX)?;
    let line = format!("{rest}\r\n");
    let given = Rfc5321Parser::new(&mut line.as_bytes().iter())
        .rcpt_to_parameters(Cow::Borrowed(""))
        .map_err(|error| parameter_error(error, RCPT_SYNTAX))?;
    // Not one of its parameters is among the extensions we offer.
    if given != RcptParameters::default() {
        return Err(CommandError::UnknownParameter(rest.to_owned()));
    }
    Ok(Command::Rcpt(recipient))
}

/// What follows `FROM:` or `TO:`. A space after the colon is wrong but common.
fn after_keyword<'a>(argument: &'a str, keyword: &str) -> Option<&'a str> {
    let head = argument.get(..keyword.len())?;
    head.eq_ignore_ascii_case(keyword).then(|| argument[keyword.len()..].trim_start_matches(' '))
}

fn parameters<'a>(rest: &'a str, syntax: &'static str) -> Result<&'a str, CommandError> {
    if rest.is_empty() || rest.starts_with(' ') {
        Ok(rest.trim_matches(' '))
    } else {
        Err(CommandError::Syntax(syntax))
    }
}

fn parameter_error(error: Error, syntax: &'static str) -> CommandError {
    match error {
        Error::UnsupportedParameter { param } => CommandError::UnknownParameter(param),
        Error::InvalidParameter { param } => CommandError::BadParameter(param),
        Error::NeedsMoreData { .. }
        | Error::UnknownCommand
        | Error::InvalidSenderAddress
        | Error::InvalidRecipientAddress
        | Error::SyntaxError { .. }
        | Error::ResponseTooLong
        | Error::InvalidResponse { .. } => CommandError::Syntax(syntax),
    }
}

fn other(verb: &[u8], argument: &str) -> Result<Command, CommandError> {
    let mut line = verb.to_vec();
    if !argument.is_empty() {
        line.push(b' ');
        line.extend_from_slice(argument.as_bytes());
    }
    line.extend_from_slice(b"\r\n");
    match Request::parse(&mut line.iter()) {
        Ok(Request::Ehlo { host }) => Ok(Command::Ehlo { domain: greeting_domain(&host, "EHLO your.host.name")? }),
        Ok(Request::Helo { host }) => Ok(Command::Helo { domain: greeting_domain(&host, "HELO your.host.name")? }),
        Ok(Request::Noop { .. }) => Ok(Command::Noop),
        Ok(Request::Help { .. }) => Ok(Command::Help),
        Ok(Request::Vrfy { .. }) => Ok(Command::Vrfy),
        Ok(Request::Expn { .. }) => Ok(Command::Expn),
        Ok(Request::Auth { mechanism, initial_response }) => {
            let mechanism = match mechanism {
                AUTH_PLAIN => Mechanism::Plain,
                AUTH_LOGIN => Mechanism::Login,
                _ => return Err(CommandError::UnknownMechanism),
            };
            let initial = (!initial_response.is_empty()).then(|| initial_response.into_owned());
            Ok(Command::Auth { mechanism, initial })
        }
        // The library knows the registered mechanisms only; another name is a mechanism that we lack.
        Err(Error::SyntaxError { .. }) if verb == b"AUTH" && !argument.is_empty() => {
            Err(CommandError::UnknownMechanism)
        }
        Err(Error::SyntaxError { syntax }) => Err(CommandError::Syntax(syntax)),
        Ok(Request::Lhlo { .. } | Request::Etrn { .. } | Request::Atrn { .. } | Request::Burl { .. }) => {
            Err(CommandError::NotImplemented)
        }
        Ok(_) | Err(_) => Err(if is_known(verb) { CommandError::NotImplemented } else { CommandError::Unknown }),
    }
}

/// Verbs of other times that a server may know and lack (RFC 5321 section 4.2.4).
fn is_known(verb: &[u8]) -> bool {
    [&b"SEND"[..], b"SOML", b"SAML", b"TURN", b"ETRN", b"ATRN", b"BURL", b"LHLO", b"XCLIENT", b"XFORWARD"]
        .contains(&verb)
}

/// Old devices greet with an underscore or with their bare name; nothing is decided by this text.
fn greeting_domain(host: &str, syntax: &'static str) -> Result<String, CommandError> {
    let fits = (1..=255).contains(&host.len()) && host.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(host.to_owned()) } else { Err(CommandError::Syntax(syntax)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, ReversePath};
    use proptest::prelude::*;

    fn mail_from(line: &str) -> MailFrom {
        match parse(line.as_bytes()) {
            Ok(Command::Mail(mail)) => mail,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn mail_and_its_parameters() {
        let mail = mail_from("mail from: <Anna@X.example>  size=1000 body=8bitmime SMTPUTF8 AUTH=<>");
        assert_eq!(mail.reverse_path, ReversePath::Address(Address::parse("Anna@x.example").unwrap()));
        assert_eq!((mail.size, mail.body, mail.smtputf8), (Some(1000), BodyKind::EightBitMime, true));
        assert_eq!(mail_from("MAIL FROM:<>").reverse_path, ReversePath::Null);
        for (line, error) in [
            ("MAIL", CommandError::Syntax(MAIL_SYNTAX)),
            ("MAIL TO:<a@b>", CommandError::Syntax(MAIL_SYNTAX)),
            ("MAIL FROM:<a@b>SIZE=1", CommandError::Syntax(MAIL_SYNTAX)),
            ("MAIL FROM:a@b", CommandError::ReversePath(AddressError::NoBrackets)),
            ("MAIL FROM:<a@b> SIZE=x", CommandError::BadParameter("SIZE")),
            ("MAIL FROM:<a@b> SIZE=184467440737095516151", CommandError::BadParameter("SIZE")),
            ("MAIL FROM:<a@b> BODY=9BIT", CommandError::BadParameter("BODY")),
            ("MAIL FROM:<a@b> RET=FULL", CommandError::UnknownParameter("RET=FULL".into())),
            ("MAIL FROM:<a@b> BODY=BINARYMIME", CommandError::UnknownParameter("BODY=BINARYMIME".into())),
            ("MAIL FROM:<a@b> FOO=1", CommandError::UnknownParameter("FOO=1".into())),
        ] {
            assert_eq!(parse(line.as_bytes()), Err(error), "{line}");
        }
    }

    #[test]
    fn rcpt_takes_no_parameters() {
        assert_eq!(parse(b"RCPT TO:<Postmaster>"), Ok(Command::Rcpt(Recipient::Postmaster)));
        assert_eq!(parse(b"RCPT TO:<>"), Err(CommandError::ForwardPath(AddressError::Empty)));
        let notify = parse(b"RCPT TO:<a@b> NOTIFY=SUCCESS");
        assert_eq!(notify, Err(CommandError::UnknownParameter("NOTIFY=SUCCESS".into())));
    }

    #[test]
    fn chunk_sizes_are_exact_or_refused() {
        assert_eq!(parse(b"BDAT 10"), Ok(Command::Bdat { octets: 10, last: false }));
        assert_eq!(parse(b"bdat  0  last"), Ok(Command::Bdat { octets: 0, last: true }));
        for line in
            ["BDAT", "BDAT x", "BDAT -1", "BDAT +1", "BDAT 1 FIRST", "BDAT 1 LAST x", "BDAT 184467440737095516161"]
        {
            assert_eq!(parse(line.as_bytes()), Err(CommandError::Bdat), "{line}");
        }
    }

    #[test]
    fn other_verbs() {
        assert_eq!(parse(b"ehlo [192.0.2.1]"), Ok(Command::Ehlo { domain: "[192.0.2.1]".into() }));
        assert_eq!(parse(b"HELO my_mfp"), Ok(Command::Helo { domain: "my_mfp".into() }));
        assert!(matches!(parse(b"EHLO"), Err(CommandError::Syntax(_))));
        assert_eq!(parse(b"NOOP"), Ok(Command::Noop));
        assert_eq!(parse(b"noop anything at all"), Ok(Command::Noop));
        assert_eq!(parse(b"HELP MAIL"), Ok(Command::Help));
        assert_eq!(parse(b"VRFY anna"), Ok(Command::Vrfy));
        assert_eq!(parse(b"EXPN all"), Ok(Command::Expn));
        assert_eq!(parse(b"DATA now"), Err(CommandError::TakesNoArgument("DATA")));
        assert_eq!(parse(b"DATA  "), Ok(Command::Data));
        assert_eq!(parse(b"TURN"), Err(CommandError::NotImplemented));
        assert_eq!(parse(b"ETRN x"), Err(CommandError::NotImplemented));
        assert_eq!(parse(b"FOO"), Err(CommandError::Unknown));
        assert_eq!(parse(b""), Err(CommandError::Unknown));
        assert_eq!(parse(b"DATAX"), Err(CommandError::Unknown));
        assert_eq!(parse(b"POST / HTTP/1.1"), Err(CommandError::OtherProtocol));
        assert_eq!(parse(b"RCPT TO:<\xff@b>"), Err(CommandError::NotUtf8));
    }

    #[test]
    fn auth_mechanisms() {
        let plain = Command::Auth { mechanism: Mechanism::Plain, initial: Some("AGEAYg==".into()) };
        assert_eq!(parse(b"AUTH plain AGEAYg=="), Ok(plain));
        assert_eq!(parse(b"AUTH LOGIN"), Ok(Command::Auth { mechanism: Mechanism::Login, initial: None }));
        assert_eq!(parse(b"AUTH CRAM-MD5"), Err(CommandError::UnknownMechanism));
        assert_eq!(parse(b"AUTH X-OWN"), Err(CommandError::UnknownMechanism));
        assert!(matches!(parse(b"AUTH"), Err(CommandError::Syntax(_))));
    }

    proptest! {
        #[test]
        fn no_line_makes_the_reader_panic(line in proptest::collection::vec(any::<u8>(), 0..100), verb in "(EHLO|MAIL FROM:|RCPT TO:|BDAT|AUTH|HELP|NOOP|VRFY) ?") {
            let _ = parse(&line);
            let _ = parse(&[verb.as_bytes(), &line].concat());
        }
    }
}
