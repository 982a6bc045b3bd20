//! Mails as people's programs write them.

use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

/// A mail under construction; [`TestMail::build`] gives the octets, with CRLF, ready to be sent after DATA.
#[derive(Clone, Debug)]
pub struct TestMail {
    from: String,
    to: Vec<String>,
    subject: Option<String>,
    headers: Vec<(String, String)>,
    bodies: Vec<MimePart<'static>>,
    related: Vec<MimePart<'static>>,
    attachments: Vec<MimePart<'static>>,
}

impl TestMail {
    /// A mail from one address to another, without subject and body.
    #[must_use]
    pub fn new(from: &str, to: &str) -> Self {
        Self {
            from: from.to_owned(),
            to: vec![to.to_owned()],
            subject: None,
            headers: Vec::new(),
            bodies: Vec::new(),
            related: Vec::new(),
            attachments: Vec::new(),
        }
    }

    /// One recipient more.
    #[must_use]
    pub fn to(mut self, address: &str) -> Self {
        self.to.push(address.to_owned());
        self
    }

    /// The subject; other letters than ASCII are sent as encoded words in UTF-8.
    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        self.subject = Some(subject.to_owned());
        self
    }

    /// A header, as it stands: `("Auto-Submitted", "auto-replied")`.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A plain text in UTF-8.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.bodies.push(MimePart::new("text/plain", text.to_owned()));
        self
    }

    /// A plain text in ISO-2022-JP (RFC 1468), sent in 7 bits as Japanese programs do.
    #[must_use]
    pub fn text_iso_2022_jp(mut self, text: &str) -> Self {
        let crlf = text.replace('\n', "\r\n");
        let (octets, _, _) = encoding_rs::ISO_2022_JP.encode(&crlf);
        self.bodies.push(
            MimePart::new(
                ContentType::new("text/plain").attribute("charset", "ISO-2022-JP"),
                BodyPart::Binary(octets.into_owned().into()),
            )
            .transfer_encoding("7bit"),
        );
        self
    }

    /// A body in HTML; together with a text the two are alternatives.
    #[must_use]
    pub fn html(mut self, html: &str) -> Self {
        self.bodies.push(MimePart::new("text/html", html.to_owned()));
        self
    }

    /// A picture that the HTML body shows by `cid:`.
    #[must_use]
    pub fn inline_picture(mut self, content_id: &str, mime_type: &str, octets: Vec<u8>) -> Self {
        self.related.push(binary(mime_type, octets).inline().cid(content_id.to_owned()));
        self
    }

    /// An attachment.
    #[must_use]
    pub fn attach(mut self, file_name: &str, mime_type: &str, octets: Vec<u8>) -> Self {
        self.attachments.push(binary(mime_type, octets).attachment(file_name.to_owned()));
        self
    }

    /// The octets of the mail.
    ///
    /// # Panics
    /// Never: a mail is written into memory.
    #[must_use]
    pub fn build(self) -> Vec<u8> {
        let mut builder =
            MessageBuilder::new().from(self.from.as_str()).to(self.to.iter().map(String::as_str).collect::<Vec<_>>());
        // The library's own would hold the name of this machine.
        builder = builder.message_id(format!("{}@test.example", unique()));
        if let Some(subject) = &self.subject {
            builder = builder.subject(subject.as_str());
        }
        for (name, value) in &self.headers {
            builder = builder.header(name.clone(), Raw::new(value.clone()));
        }
        let body = wrap("multipart/alternative", self.bodies);
        let body = wrap("multipart/related", body.into_iter().chain(self.related).collect());
        let body = wrap("multipart/mixed", body.into_iter().chain(self.attachments).collect());
        let body = body.unwrap_or_else(|| MimePart::new("text/plain", String::new()));
        builder.body(body).write_to_vec().expect("memory can be written")
    }
}

fn binary(mime_type: &str, octets: Vec<u8>) -> MimePart<'static> {
    MimePart::new(ContentType::new(mime_type.to_owned()), BodyPart::Binary(octets.into()))
}

/// Several parts as one; one part as it is; no part as none.
fn wrap(multipart: &'static str, mut parts: Vec<MimePart<'static>>) -> Option<MimePart<'static>> {
    if parts.len() > 1 { Some(MimePart::new(multipart, BodyPart::Multipart(parts))) } else { parts.pop() }
}

/// A word that no other mail of this run has.
fn unique() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{}.{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
