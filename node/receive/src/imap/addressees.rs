//! Whom a mail in a mailbox is for: nobody tells but its header.

use mail_parser::parsers::MessageStream;
use mail_parser::{Address, HeaderValue};
use tracing::warn;
use tympan_engine::Printer;
use tympan_smtp::{Recipient, Reply};
use tympan_spooler::SpoolerError;
use tympan_store::Whose;

use super::options::ImapOptions;
use crate::mail::header::fields;
use crate::smtp::door::Shared;
use crate::smtp::recipient::{self, Addressee, Command, Goal};
use crate::smtp::texts;

/// Fields that name recipients: what servers write on delivery first, then what the sender wrote.
const FIELDS: [&str; 6] = ["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc"];
/// Addresses that are looked at.
const ADDRESSES_MAX: usize = 100;

/// Whom a mail is for: printers and commands that its header names, else what the mailbox stands for.
///
/// # Errors
/// The refusal; a temporary one if the store did not say.
pub(super) async fn addressees(shared: &Shared, options: &ImapOptions, header: &[u8]) -> Result<Vec<Addressee>, Reply> {
    let mut found = Vec::new();
    let mut unknown = None;
    for address in named(header) {
        let addressee = match sub_address(&address, options.own_address()) {
            // The mailbox's own address alone says nothing yet.
            Some(None) => None,
            Some(Some(detail)) => {
                let addressee = detailed(shared, options, &address, detail).await?;
                if addressee.is_none() {
                    unknown.get_or_insert_with(|| address.clone());
                }
                addressee
            }
            None => match tympan_smtp::Address::parse(&address) {
                Ok(address) => match recipient::find(shared, &Recipient::Address(address)).await {
                    Ok(found) => Some(found),
                    Err(reply) if reply.is_temporary() => return Err(reply),
                    // Not of our domains, or nobody there.
                    Err(_) => None,
                },
                Err(_) => None,
            },
        };
        // The same printer twice is one job; a command does not go with others, the first counts.
        let _ = addressee.map(|addressee| recipient::add(&mut found, addressee));
    }
    if found.is_empty() {
        // What was meant for one printer does not come out at another.
        if let Some(unknown) = unknown {
            return Err(texts::unknown_recipient(&unknown, &shared.options.base_url));
        }
        found.push(own(shared, options).await?);
    }
    Ok(found)
}

/// The printer of a name, if there is one.
async fn printer_named(shared: &Shared, name: &str) -> Result<Option<Box<Printer>>, Reply> {
    match shared.spooler.printer_named(Whose::Everyones, name).await {
        Ok(printer) => Ok(Some(Box::new(printer))),
        Err(SpoolerError::NotFound(_)) => Ok(None),
        Err(error) => Err(crate::smtp::failed(&error, "look up a printer")),
    }
}

/// What the mailbox's own address stands for.
async fn own(shared: &Shared, options: &ImapOptions) -> Result<Addressee, Reply> {
    let written = written(shared, options);
    let goal = match &options.printer {
        Some(name) => match printer_named(shared, name).await? {
            Some(printer) => Goal::Printer(printer),
            None => {
                warn!(printer = %name, "There is no such printer; the sender's registrations choose one");
                Goal::Constant
            }
        },
        None => Goal::Constant,
    };
    Ok(Addressee { written, goal })
}

/// What stands behind the plus of the mailbox's address: a command or a printer.
async fn detailed(
    shared: &Shared,
    options: &ImapOptions,
    address: &str,
    detail: &str,
) -> Result<Option<Addressee>, Reply> {
    let command = match detail {
        "register" => Some(Command::Register),
        "keep" => Some(Command::Keep),
        "cancel" => Some(Command::Cancel),
        _ => None,
    };
    let goal = match command {
        Some(command) => {
            let printer = match own(shared, options).await?.goal {
                Goal::Printer(printer) => Some(printer),
                _ => None,
            };
            Goal::Command(command, printer)
        }
        None => match printer_named(shared, detail).await? {
            Some(printer) => Goal::Printer(printer),
            None => return Ok(None),
        },
    };
    Ok(Some(Addressee { written: address.to_owned(), goal }))
}

fn written(shared: &Shared, options: &ImapOptions) -> String {
    match options.own_address() {
        Some(address) => address.to_owned(),
        None => {
            let domain = shared.options.domains.first().map_or("localhost", String::as_str);
            format!("{}@{domain}", options.printer.as_deref().unwrap_or("print"))
        }
    }
}

/// `Some(detail)` if an address is the mailbox's own, perhaps with a plus (RFC 5233).
fn sub_address<'a>(address: &'a str, own: Option<&str>) -> Option<Option<&'a str>> {
    let (own_local, own_domain) = own?.rsplit_once('@')?;
    let (local, domain) = address.rsplit_once('@')?;
    let (name, detail) = local.split_once('+').map_or((local, None), |(name, detail)| (name, Some(detail)));
    (domain.eq_ignore_ascii_case(own_domain) && name.eq_ignore_ascii_case(own_local)).then_some(detail)
}

/// The addresses that a header names, lower case, each once.
fn named(header: &[u8]) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for field in FIELDS {
        for (name, value) in fields(header) {
            if !name.eq_ignore_ascii_case(field.as_bytes()) {
                continue;
            }
            let value = [value.trim_ascii(), b"\n"].concat();
            let HeaderValue::Address(address) = MessageStream::new(&value).parse_address() else { continue };
            let addresses: Vec<_> = match &address {
                Address::List(list) => list.iter().collect(),
                Address::Group(groups) => groups.iter().flat_map(|group| &group.addresses).collect(),
            };
            for address in addresses.into_iter().filter_map(|one| one.address.as_deref()) {
                let address = address.to_lowercase();
                if named.len() < ADDRESSES_MAX && !named.contains(&address) {
                    named.push(address);
                }
            }
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a01_the_header_says_whom_a_mail_is_for() {
        let header = "To: \"Office, 1\" <Office@Print.Example>, x@y.example\r\nCc: Team: a@b.example, \r\n \
                      c@d.example;\r\nDelivered-To: print+lobby@mail.example\r\nBcc: z@z.example\r\n\r\n";
        assert_eq!(
            named(header.as_bytes()),
            ["print+lobby@mail.example", "office@print.example", "x@y.example", "a@b.example", "c@d.example"]
        );
    }

    #[test]
    fn a_plus_in_the_mailboxs_address_names_a_printer_or_a_command() {
        let own = Some("print@mail.example");
        assert_eq!(sub_address("print+lobby@mail.example", own), Some(Some("lobby")));
        assert_eq!(sub_address("Print@Mail.Example", own), Some(None));
        assert_eq!(sub_address("printer@mail.example", own), None);
        assert_eq!(sub_address("print+lobby@other.example", own), None);
        assert_eq!(sub_address("print@mail.example", None), None);
    }
}
