//! What the door reads out of a mail's header (RFC 5322), and what makes a mail automatic (RFC 3834 section 2).
//!
//! Only what decides about the mail is read here. Its parts are looked at later, behind the queue.

use mail_parser::parsers::MessageStream;
use mail_parser::{Address, HeaderValue};
use tympan_engine::Language;

/// Longest subject that is read, in characters.
const SUBJECT_CHARS_MAX: usize = 500;
/// Longest "Message-ID" that is kept, in octets.
const MESSAGE_ID_OCTETS_MAX: usize = 500;

/// The header of a mail, as far as it decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// The one address of the one From field, in canonical form; `None` if there are more or fewer of either.
    pub(crate) from: Option<String>,
    /// "Subject", decoded.
    pub(crate) subject: String,
    /// "Message-ID", with its angle brackets.
    pub(crate) message_id: Option<String>,
    /// How many `Received` fields there are.
    pub(crate) received: usize,
    /// Why it is an automatic mail, if it is one.
    pub(crate) automatic: Option<Automatic>,
    /// The language that answers are written in.
    pub(crate) language: Language,
}

/// Why a mail was not written by a person who waits for its print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Automatic {
    /// "Auto-Submitted" says so (RFC 3834).
    Submitted,
    /// It went over a mailing list (RFC 2369, RFC 2919).
    List,
    /// "Precedence: bulk", "junk" or "list".
    Bulk,
    /// A report about another mail (RFC 6522).
    Report,
    /// It answers a notice of ours.
    ReplyToNotice,
}

/// The fields of a header, in order: name and raw value with its line ends.
pub(crate) fn fields(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() || rest.starts_with(b"\r\n") || rest.starts_with(b"\n") {
                return None;
            }
            let mut end = 0;
            // A field goes on as long as the next line begins with white space.
            loop {
                match rest[end..].iter().position(|octet| *octet == b'\n') {
                    None => end = rest.len(),
                    Some(at) => end += at + 1,
                }
                if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                    break;
                }
            }
            let (field, after) = rest.split_at(end);
            rest = after;
            if let Some(colon) = field.iter().position(|octet| *octet == b':') {
                return Some((field[..colon].trim_ascii(), &field[colon + 1..]));
            }
        }
    })
}

impl Header {
    /// Reads a header. `ours` tells whether a Message-ID's domain is ours: a mail that answers one is no document.
    pub(crate) fn read(raw: &[u8], ours: impl Fn(&str) -> bool) -> Self {
        let mut header = Self::default();
        let mut froms = Vec::new();
        let mut language = None;
        let mut japanese = false;
        for (name, value) in fields(raw) {
            let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
            if is("From") {
                japanese |= looks_japanese(value);
                froms.push(one_address(value));
            } else if is("Subject") && header.subject.is_empty() {
                japanese |= looks_japanese(value);
                header.subject = text(value, SUBJECT_CHARS_MAX);
                japanese |= header.subject.chars().any(is_kana);
            } else if is("Message-ID") && header.message_id.is_none() {
                header.message_id = message_ids(value).next();
            } else if is("Received") {
                header.received += 1;
            } else if is("Content-Type") {
                japanese |= looks_japanese(value);
                if lower(value).starts_with("multipart/report") {
                    header.automatic.get_or_insert(Automatic::Report);
                }
            } else if is("Auto-Submitted") {
                let value = lower(value);
                let word = value.split([';', ' ', '\t', '(', '\r', '\n']).next().unwrap_or_default();
                if word != "no" {
                    header.automatic.get_or_insert(Automatic::Submitted);
                }
            } else if is("Precedence") {
                if matches!(lower(value).as_str(), "bulk" | "junk" | "list") {
                    header.automatic.get_or_insert(Automatic::Bulk);
                }
            } else if name.len() > 5 && name[..5].eq_ignore_ascii_case(b"List-") {
                header.automatic.get_or_insert(Automatic::List);
            } else if is("In-Reply-To") || is("References") {
                let answers =
                    |id: String| id.trim_end_matches('>').rsplit_once('@').is_some_and(|(_, domain)| ours(domain));
                if message_ids(value).any(answers) {
                    header.automatic = Some(Automatic::ReplyToNotice);
                }
            } else if (is("Content-Language") || is("Accept-Language")) && language.is_none() {
                language = Some(Language::choose(&lower(value)));
            }
        }
        if let [Some(from)] = &mut froms[..] {
            header.from = Some(std::mem::take(from));
        }
        header.language = language.unwrap_or(if japanese { Language::Ja } else { Language::En });
        header
    }
}

/// The one address that a field holds, in canonical form.
fn one_address(value: &[u8]) -> Option<String> {
    let value = [value.trim_ascii(), b"\n"].concat();
    let HeaderValue::Address(Address::List(list)) = MessageStream::new(&value).parse_address() else {
        return None;
    };
    let [one] = &list[..] else { return None };
    let address = one.address.as_deref()?;
    // What is no plain address here could be read as another one elsewhere.
    let address = tympan_smtp::Address::parse(address).ok()?;
    tympan_spooler::registrations::canonical_address(&address.canonical()).ok()
}

/// A field's value as text: unfolded, encoded words decoded (RFC 2047), without control characters.
fn text(value: &[u8], chars_max: usize) -> String {
    let value = [value.trim_ascii(), b"\n"].concat();
    let decoded = match MessageStream::new(&value).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => String::new(),
    };
    let cleaned = decoded.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut out = String::new();
    for c in cleaned.take(chars_max) {
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out.trim().to_owned()
}

fn lower(value: &[u8]) -> String {
    String::from_utf8_lossy(value.trim_ascii()).to_lowercase()
}

/// Everything in angle brackets, with them.
fn message_ids(value: &[u8]) -> impl Iterator<Item = String> {
    value.split(|octet| *octet == b'<').skip(1).filter_map(|rest| {
        let end = rest.iter().position(|octet| *octet == b'>')?;
        let id = std::str::from_utf8(&rest[..end]).ok()?;
        let good = !id.is_empty() && id.len() <= MESSAGE_ID_OCTETS_MAX && id.bytes().all(|c| c.is_ascii_graphic());
        good.then(|| format!("<{id}>"))
    })
}

/// Whether a raw field names a Japanese character set or holds its escape sequences.
fn looks_japanese(value: &[u8]) -> bool {
    let value = lower(value);
    ["iso-2022-jp", "shift_jis", "euc-jp", "windows-31j", "\u{1b}$b"].iter().any(|sign| value.contains(sign))
        || value.chars().any(is_kana)
}

fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9d}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_octets_are_read_as_a_header(
            octets in prop::collection::vec(any::<u8>(), 0..300),
            value in "[ -~\\r\\n\\t=?<>@,;:\"()\\[\\]あé]{0,120}",
        ) {
            Header::read(&octets, |_| true);
            for name in ["From", "Subject", "References", "DKIM-Signature", "Content-Type"] {
                let field = format!("{name}: {value}\r\n\r\n");
                Header::read(field.as_bytes(), |_| true);
                crate::mail::body_hash::BodyHashes::needed_by(field.as_bytes());
            }
            crate::mail::body_hash::BodyHashes::needed_by(&octets);
        }
    }

    fn read(text: &str) -> Header {
        Header::read(text.replace('\n', "\r\n").as_bytes(), |domain| domain == "print.example")
    }

    #[test]
    fn a_header_is_read_as_people_send_it() {
        let header = read(
            "Received: by a\n for b\nReceived: by c\nFrom: \"Anna, B.\" <Anna@Sender.Example>\n\
             Subject: =?utf-8?B?SW52b2ljZSDigqw=?=\n [duplex]\nMessage-ID: <1@x>\n\n",
        );
        assert_eq!(header.from.as_deref(), Some("anna@sender.example"));
        assert_eq!(header.subject, "Invoice € [duplex]");
        assert_eq!(header.message_id.as_deref(), Some("<1@x>"));
        assert_eq!((header.received, header.automatic, header.language), (2, None, Language::En));
    }

    #[test]
    fn a04_only_one_from_with_one_address_counts() {
        for good in [
            "anna@a.example",
            "Anna <anna@a.example>",
            "\"evil@b.example\" <anna@a.example>",
            "=?utf-8?q?evil=40b.example?= <anna@a.example>",
            "Anna\n <anna@a.example>",
        ] {
            assert_eq!(read(&format!("From: {good}\n\n")).from.as_deref(), Some("anna@a.example"), "{good}");
        }
        for bad in [
            "From: anna@a.example\nFrom: anna@a.example\n",
            "From: anna@a.example\nfrom : evil@b.example\n",
            "From: anna@a.example, evil@b.example\n",
            "From: a:anna@a.example;\n",
            "From: Anna\n",
            "From: \n",
            "From: <anna>\n",
            "From: anna@a.example@b.example\n",
            "Sender: anna@a.example\n",
            "",
        ] {
            assert_eq!(read(&format!("{bad}\n")).from, None, "{bad}");
        }
    }

    #[test]
    fn automatic_mails_are_known() {
        for (field, automatic) in [
            ("Auto-Submitted: no", None),
            ("Auto-Submitted: No (a person)", None),
            ("Auto-Submitted: auto-replied; x=y", Some(Automatic::Submitted)),
            ("auto-submitted: auto-generated", Some(Automatic::Submitted)),
            ("List-Id: <a.b>", Some(Automatic::List)),
            ("Precedence: bulk", Some(Automatic::Bulk)),
            ("Precedence: first-class", None),
            ("Content-Type: multipart/report; report-type=delivery-status", Some(Automatic::Report)),
            ("Content-Type: multipart/mixed; boundary=x", None),
            ("In-Reply-To: <1.2@print.example>", Some(Automatic::ReplyToNotice)),
            ("References: <a@b>\n <1.2@PRINT.example>", None),
            ("References: <a@b>\n <1.2@print.example>", Some(Automatic::ReplyToNotice)),
            ("In-Reply-To: <1@other.example>", None),
        ] {
            assert_eq!(read(&format!("{field}\n\n")).automatic, automatic, "{field}");
        }
    }

    #[test]
    fn answers_are_japanese_to_those_who_write_so() {
        for (field, language) in [
            ("Subject: =?ISO-2022-JP?B?GyRCQEE1YT1xGyhC?=", Language::Ja),
            ("Subject: =?utf-8?B?44GE44GE?=", Language::Ja),
            ("Subject: Invoice", Language::En),
            ("Content-Type: text/plain; charset=iso-2022-jp", Language::Ja),
            ("Content-Language: en\nSubject: =?utf-8?B?44GE44GE?=", Language::En),
            ("Accept-Language: ja, en", Language::Ja),
        ] {
            assert_eq!(read(&format!("{field}\n\n")).language, language, "{field}");
        }
    }

    #[test]
    fn a_subject_brings_no_line_of_its_own() {
        let subject = read("Subject: a\n\tb  =?utf-8?Q?x=0D=0ABcc:_v=40e?=\n\n").subject;
        assert!(!subject.contains(['\r', '\n']), "{subject:?}");
        assert_eq!(read("Subject: =?iso-2022-jp?B?GyRCQEE1YT1xGyhC?=\n\n").subject, "請求書");
        assert!(read(&format!("Subject: {}\n\n", "x".repeat(2000))).subject.len() <= SUBJECT_CHARS_MAX);
    }
}
