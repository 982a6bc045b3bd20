//! The header of a mail.

use mail_parser::{Address, HeaderName, HeaderValue, Message, MimeHeaders};

use super::super::charset;
use super::media_type;
use super::name::one_line;
use crate::{MailAddress, MailFacts};

/// Addresses of one field that are kept.
const ADDRESSES_MAX: usize = 100;
/// Characters of a value that are kept.
const VALUE_MAX: usize = 1000;

/// What the header says.
pub(super) fn facts(message: &Message<'_>) -> MailFacts {
    let mut facts = MailFacts::default();
    let Some(root) = message.part(0) else {
        return facts;
    };
    let (kind, subtype) = media_type(root);
    facts.is_report = kind == "multipart" && subtype == "report";
    facts.is_encrypted = (kind == "multipart" && subtype == "encrypted")
        || (kind == "application" && matches!(subtype.as_str(), "pkcs7-mime" | "x-pkcs7-mime" | "pgp-encrypted"));
    facts.content_type = format!("{kind}/{subtype}");
    debug_assert!(root.content_type().is_none() || !facts.content_type.is_empty());
    for header in message.headers() {
        let value = &header.value;
        match &header.name {
            HeaderName::From => {
                facts.from_fields += 1;
                add_addresses(&mut facts.from, value);
            }
            HeaderName::Sender => add_addresses(&mut facts.sender, value),
            HeaderName::ReplyTo => add_addresses(&mut facts.reply_to, value),
            HeaderName::To => add_addresses(&mut facts.to, value),
            HeaderName::Cc => add_addresses(&mut facts.cc, value),
            HeaderName::Subject => facts.subject = facts.subject.take().or_else(|| text(value)),
            HeaderName::MessageId => {
                facts.message_id = facts.message_id.take().or_else(|| ids(value).into_iter().next())
            }
            HeaderName::InReplyTo => facts.in_reply_to.extend(ids(value)),
            HeaderName::References => facts.references.extend(ids(value)),
            HeaderName::Date => {
                if let HeaderValue::DateTime(date) = value
                    && date.is_valid()
                {
                    facts.date = Some(date.to_rfc3339());
                    facts.date_unix_secs = Some(date.to_timestamp());
                }
            }
            HeaderName::ReturnPath => {
                let raw = message
                    .raw_message
                    .get(header.offset_start as usize..header.offset_end as usize)
                    .unwrap_or_default();
                let path = String::from_utf8_lossy(raw);
                let path = path.trim().trim_start_matches('<').trim_end_matches('>');
                facts.return_path = facts.return_path.take().or_else(|| Some(one_line(path, VALUE_MAX)));
            }
            HeaderName::Received => facts.received_fields += 1,
            name => {
                let name = name.as_str().to_ascii_lowercase();
                match name.as_str() {
                    "auto-submitted" => facts.auto_submitted = keyword(value),
                    "precedence" => facts.precedence = keyword(value),
                    "x-auto-response-suppress" | "x-loop" => facts.suppresses_replies = true,
                    _ if name.starts_with("list-") => facts.from_list = true,
                    _ => {}
                }
            }
        }
    }
    facts.in_reply_to.truncate(ADDRESSES_MAX);
    facts.references.truncate(ADDRESSES_MAX);
    facts
}

fn add_addresses(to: &mut Vec<MailAddress>, value: &HeaderValue<'_>) {
    let HeaderValue::Address(addresses) = value else {
        return;
    };
    let room = ADDRESSES_MAX.saturating_sub(to.len());
    let found = Address::iter(addresses).filter_map(|mailbox| {
        let address = one_line(mailbox.address()?, VALUE_MAX);
        let name = mailbox.name().map(decoded).filter(|name| !name.is_empty());
        (!address.is_empty()).then_some(MailAddress { name, address })
    });
    to.extend(found.take(room));
}

fn text(value: &HeaderValue<'_>) -> Option<String> {
    value.as_text().map(decoded).filter(|text| !text.is_empty())
}

/// Some programs put ISO-2022-JP into headers as it is.
fn decoded(text: &str) -> String {
    if text.contains('\u{1B}') {
        return one_line(&charset::decode(text.as_bytes(), None).text, VALUE_MAX);
    }
    one_line(text, VALUE_MAX)
}

/// A value's first word in lower case, without parameters.
fn keyword(value: &HeaderValue<'_>) -> Option<String> {
    let word = value.as_text()?.trim().split([';', ' ', '(']).next()?;
    Some(one_line(word, 64).to_ascii_lowercase())
}

fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    let clean = |id: &str| one_line(id, VALUE_MAX);
    match value {
        HeaderValue::Text(id) => vec![clean(id)],
        HeaderValue::TextList(ids) => ids.iter().take(ADDRESSES_MAX).map(|id| clean(id)).collect(),
        _ => Vec::new(),
    }
}
