//! A letter becomes a mail (RFC 5322, RFC 3834).

use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;
use sha2::{Digest, Sha256};
use tympan_engine::{Language, Timestamp};

/// What people read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The subject.
    pub subject: String,
    /// The text, lines separated by LF.
    pub text: String,
}

/// A letter with everything a mail needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The one recipient's address.
    pub to: String,
    /// The address it comes from.
    pub from: String,
    /// The name it comes from.
    pub from_name: String,
    /// What it says.
    pub letter: Letter,
    /// "Message-ID" of the mail that it is about, with or without angle brackets.
    pub in_reply_to: Option<String>,
    /// Whether it answers that mail (RFC 3834), or we speak by ourselves.
    pub answers: bool,
    /// The left part of its Message-ID: the same for the same notice, so that a repetition is recognised.
    pub id: String,
    /// "Date".
    pub at: Timestamp,
    /// "Content-Language".
    pub language: Language,
}

/// The left part of a Message-ID for something that is told once.
pub(crate) fn id_of(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    let hex: String = digest[..12].iter().map(|octet| format!("{octet:02x}")).collect();
    format!("notice.{hex}")
}

/// One line, without what would end it.
fn line(text: &str, chars_max: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(chars_max).collect::<String>().trim().to_owned()
}

impl Mail {
    /// The mail, lines ended by CRLF.
    ///
    /// # Errors
    /// A sentence, if it cannot be built.
    pub fn octets(&self, domain: &str) -> Result<Vec<u8>, String> {
        let subject = line(&self.letter.subject, 200);
        let name = line(&self.from_name, 100);
        let message_id = format!("{}@{domain}", self.id);
        let seconds = i64::try_from(self.at.0 / 1000).unwrap_or(0);
        let auto_submitted = if self.answers { "auto-replied" } else { "auto-generated" };
        let mut mail = MessageBuilder::new()
            .from((name.as_str(), self.from.as_str()))
            .to(self.to.as_str())
            .subject(subject)
            .date(seconds)
            .message_id(message_id)
            .header("Auto-Submitted", Raw::new(auto_submitted))
            // Microsoft's word for the same.
            .header("X-Auto-Response-Suppress", Raw::new("All"))
            .header("Content-Language", Raw::new(self.language.tag()));
        let about = self.in_reply_to.as_deref().map(|id| id.trim().trim_matches(['<', '>']));
        if let Some(about) = about.filter(|id| is_message_id(id)) {
            mail = mail.in_reply_to(about).references(about);
        }
        let text = self.letter.text.replace("\r\n", "\n").replace('\n', "\r\n");
        mail.text_body(text).write_to_vec().map_err(|error| format!("the mail could not be built: {error}"))
    }
}

fn is_message_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 500 && id.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> Mail {
        Mail {
            to: "anna@example.org".into(),
            from: "office@print.example".into(),
            from_name: "事務室".into(),
            letter: Letter { subject: "印刷できません\r\nBcc: x@y".into(), text: "行\nline\n".into() },
            in_reply_to: Some("<1@example.org>".into()),
            answers: false,
            id: id_of("printed:1:1"),
            at: Timestamp(1_700_000_000_000),
            language: Language::Ja,
        }
    }

    #[test]
    fn a_notice_says_that_no_person_wrote_it() {
        let octets = mail().octets("print.example").unwrap();
        let text = String::from_utf8(octets).unwrap();
        let header = text.split("\r\n\r\n").next().unwrap();
        for field in [
            "Auto-Submitted: auto-generated",
            "In-Reply-To: <1@example.org>",
            "References: <1@example.org>",
            "@print.example>",
            "Date: Tue, 14 Nov 2023 22:13:20 +0000",
            "Subject: =?utf-8?",
            "charset=\"utf-8\"",
        ] {
            assert!(header.contains(field), "{field} in {header}");
        }
        assert!(!header.contains("\r\nBcc"), "{header}");
        assert!(text.bytes().all(|octet| octet.is_ascii()), "it may pass servers without 8BITMIME");
    }

    #[test]
    fn the_same_notice_has_the_same_message_id() {
        assert_eq!(id_of("a"), id_of("a"));
        assert_ne!(id_of("a"), id_of("b"));
    }

    #[test]
    fn a_strange_message_id_is_left_out() {
        let mail = Mail { in_reply_to: Some("a\r\nBcc: x".into()), ..mail() };
        let text = String::from_utf8(mail.octets("print.example").unwrap()).unwrap();
        assert!(!text.contains("In-Reply-To") && !text.contains("Bcc"));
    }
}
