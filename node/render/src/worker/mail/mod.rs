//! A mail to the parts that can be printed, and why the others are not.
//!
//! The structure is walked here and not taken from the parser's lists of bodies and attachments, which are made for
//! showing mail, not for printing it: a PDF in the branch of an alternative that nobody shows must not be lost.

mod base64;
mod body;
mod facts;
mod flowed;
mod html;
mod name;

use std::borrow::Cow;

use bytes::Bytes;
use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::out::Out;
use super::{Stop, charset, refuse};
use crate::{
    Disposition, Format, Limits, MailFacts, Notice, Output, PartHeader, PartRole, RefusalKind, SplitMail, sniff,
};
use body::Body;

/// Takes a mail apart.
pub(crate) fn split(request: &SplitMail, limits: &Limits, data: &[u8], out: &mut Out) -> Result<(), Stop> {
    if data.is_empty() {
        return refuse(RefusalKind::Empty, "The mail is empty.");
    }
    let Some(message) = MessageParser::default().parse(data) else {
        return refuse(RefusalKind::Broken, "The mail has no header.");
    };
    let facts = facts::facts(&message);
    out.output(Output::Mail(Box::new(facts)))?;
    let mut walk = Walk { request, limits, out, number: 0, parts: 0, octets: 0, told_depth: false, told_parts: false };
    let walked = walk.message(&message, 0, 0, None);
    // A mail nested very deeply would overflow the stack when it is dropped; the process ends anyway.
    std::mem::forget(message);
    walked
}

struct Walk<'a> {
    request: &'a SplitMail,
    limits: &'a Limits,
    out: &'a mut Out,
    number: u32,
    parts: u32,
    octets: u64,
    told_depth: bool,
    told_parts: bool,
}

/// What one message in hand is made of, gathered before it is sent on: the body goes first.
#[derive(Default)]
struct Gathered<'m> {
    body: Body,
    /// HTML of the message, to see which pictures it shows.
    html: String,
    others: Vec<Found<'m>>,
}

/// A part that is not text of the message itself.
struct Found<'m> {
    part: &'m MessagePart<'m>,
    /// The octets before decoding, for texts whose character set must be looked at again.
    raw: &'m [u8],
    role: Option<PartRole>,
    related: bool,
}

/// Where in the structure a part is met.
#[derive(Clone, Copy)]
struct Place {
    /// Nested multiparts and messages so far.
    level: u32,
    /// Whether text here may belong to the body: not in a branch of an alternative that was not chosen.
    text_counts: bool,
    related: bool,
}

impl<'a> Walk<'a> {
    fn message(
        &mut self,
        message: &Message<'_>,
        level: u32,
        depth: u32,
        nested: Option<&MessagePart<'_>>,
    ) -> Result<(), Stop> {
        let mut gathered = Gathered::default();
        let place = Place { level, text_counts: true, related: false };
        self.part(message, 0, place, &mut gathered)?;
        let facts = nested.map(|_| Box::new(facts::facts(message)));
        let name = nested
            .and_then(|part| name::of_part(part))
            .or_else(|| facts.as_ref().and_then(|facts| facts.subject.clone()));
        self.send_body(std::mem::take(&mut gathered.body), depth, name, facts)?;
        for found in &gathered.others {
            match &found.part.body {
                PartType::Message(inner) => self.message(inner, level + 1, depth + 1, Some(found.part))?,
                _ => self.send_part(found, &gathered.html, depth)?,
            }
        }
        Ok(())
    }

    fn part<'m>(
        &mut self,
        message: &'m Message<'m>,
        id: u32,
        place: Place,
        gathered: &mut Gathered<'m>,
    ) -> Result<(), Stop> {
        let Some(part) = message.part(id) else {
            return Ok(());
        };
        if !self.counted()? {
            return Ok(());
        }
        let (kind, subtype) = media_type(part);
        if place.level > self.limits.mail_depth {
            if !std::mem::replace(&mut self.told_depth, true) {
                self.out.notice(Notice::PartsTooDeep { depth: self.limits.mail_depth })?;
            }
            return Ok(());
        }
        let inner = Place { level: place.level + 1, ..place };
        match &part.body {
            PartType::Multipart(children) => self.multipart(message, part, &subtype, children, inner, gathered),
            PartType::Message(_) => {
                gathered.others.push(Found { part, raw: &[], role: None, related: place.related });
                Ok(())
            }
            _ => self.leaf(message, part, &kind, &subtype, place, gathered),
        }
    }

    fn multipart<'m>(
        &mut self,
        message: &'m Message<'m>,
        part: &'m MessagePart<'m>,
        subtype: &str,
        children: &'m [u32],
        place: Place,
        gathered: &mut Gathered<'m>,
    ) -> Result<(), Stop> {
        match subtype {
            "alternative" => {
                let chosen = choose(message, children);
                for (at, &child) in children.iter().enumerate() {
                    let text_counts = place.text_counts && at == chosen;
                    self.part(message, child, Place { text_counts, ..place }, gathered)?;
                }
                Ok(())
            }
            "related" => {
                let start = part.content_type().and_then(|ct| ct.attribute("start")).map(without_brackets);
                let is_start = |child: &u32| {
                    start.is_some()
                        && message.part(*child).and_then(MimeHeaders::content_id).map(without_brackets) == start
                };
                let root = children.iter().position(is_start).unwrap_or(0);
                for (at, &child) in children.iter().enumerate() {
                    self.part(message, child, Place { related: place.related || at != root, ..place }, gathered)?;
                }
                Ok(())
            }
            "encrypted" => self.out.notice(Notice::PartEncrypted { name: name::of_part(part) }),
            _ => {
                for &child in children {
                    self.part(message, child, place, gathered)?;
                }
                Ok(())
            }
        }
    }

    fn leaf<'m>(
        &mut self,
        message: &'m Message<'m>,
        part: &'m MessagePart<'m>,
        kind: &str,
        subtype: &str,
        place: Place,
        gathered: &mut Gathered<'m>,
    ) -> Result<(), Stop> {
        let raw = message.raw_message.get(part.offset_body as usize..part.offset_end as usize).unwrap_or_default();
        let role = match (kind, subtype) {
            ("message", "partial" | "external-body") => {
                return self.out.notice(Notice::PartElsewhere { declared_type: format!("{kind}/{subtype}") });
            }
            ("application", "pkcs7-mime" | "x-pkcs7-mime" | "pgp-encrypted") => {
                return self.out.notice(Notice::PartEncrypted { name: name::of_part(part) });
            }
            ("application", "pkcs7-signature" | "x-pkcs7-signature" | "pgp-signature" | "pgp-keys") => {
                Some(PartRole::Signature)
            }
            (
                "message",
                "delivery-status" | "disposition-notification" | "global-delivery-status" | "feedback-report",
            )
            | ("text", "calendar" | "x-vcalendar" | "vcard" | "x-vcard" | "directory" | "rfc822-headers")
            | ("application", "ics") => Some(PartRole::ForPrograms),
            ("text", "html" | "plain" | "enriched") if is_text_of_message(part, kind, subtype) => {
                if place.text_counts && !place.related {
                    let text = text_of(part, raw, self.out)?;
                    if subtype == "html" {
                        gathered.body.add_html(&text);
                        gathered.html.push_str(&text);
                    } else {
                        let flowed = part
                            .content_type()
                            .filter(|ct| ct.attribute("format").is_some_and(|f| f.eq_ignore_ascii_case("flowed")));
                        match flowed {
                            Some(ct) => {
                                let delsp =
                                    ct.attribute("delsp").is_some_and(|value| value.eq_ignore_ascii_case("yes"));
                                gathered.body.add_text(&flowed::unflow(&text, delsp));
                            }
                            None => gathered.body.add_text(&text),
                        }
                    }
                } else if subtype == "html" {
                    // Not printed, but what it shows belongs to it.
                    gathered.html.push_str(part.text_contents().unwrap_or_default());
                }
                return Ok(());
            }
            _ => None,
        };
        gathered.others.push(Found { part, raw, role, related: place.related });
        Ok(())
    }

    fn counted(&mut self) -> Result<bool, Stop> {
        self.parts += 1;
        let counts = self.parts <= self.limits.mail_parts;
        if !counts && !std::mem::replace(&mut self.told_parts, true) {
            self.out.notice(Notice::TooManyParts { parts: self.limits.mail_parts })?;
        }
        Ok(counts)
    }

    fn send_body(
        &mut self,
        body: Body,
        depth: u32,
        name: Option<String>,
        mail: Option<Box<MailFacts>>,
    ) -> Result<(), Stop> {
        let text = body.finish();
        // A nested mail is announced even without text: its header is worth a page.
        if text.is_empty() && mail.is_none() {
            return Ok(());
        }
        let header = PartHeader {
            number: self.next_number(),
            depth,
            role: PartRole::Body,
            name: if depth == 0 { None } else { name },
            declared_type: Format::Text.media_type().into(),
            format: Format::Text,
            disposition: Disposition::Inline,
            octets: text.len() as u64,
            mail,
        };
        self.send(header, text.into_bytes().into())
    }

    fn send_part(&mut self, found: &Found<'_>, html: &str, depth: u32) -> Result<(), Stop> {
        let part = found.part;
        let (kind, subtype) = media_type(part);
        let declared_type = format!("{kind}/{subtype}");
        let name = name::of_part(part);
        let contents = octets_of(part, found.raw);
        let format = sniff(&contents, Some(&declared_type));
        let role = found.role.unwrap_or_else(|| self.role(found, &kind, name.as_deref(), (&contents, format), html));
        let disposition = match part.content_disposition() {
            Some(disposition) if disposition.is_attachment() => Disposition::Attachment,
            Some(disposition) if disposition.is_inline() => Disposition::Inline,
            _ => Disposition::Unset,
        };
        let wanted = role.is_document() && format.is_printable();
        let data: Bytes = match format {
            _ if !wanted => Bytes::new(),
            Format::Text => text_of(part, found.raw, self.out)?.into_bytes().into(),
            _ => contents.clone().into_owned().into(),
        };
        if part.is_encoding_problem && wanted {
            self.out.notice(Notice::PartDamaged { name: name.clone() })?;
        }
        let octets = if wanted { data.len() } else { contents.len() } as u64;
        let header = PartHeader {
            number: self.next_number(),
            depth,
            role,
            name,
            declared_type,
            format,
            disposition,
            octets,
            mail: None,
        };
        self.send(header, data)
    }

    fn role(
        &self,
        found: &Found<'_>,
        kind: &str,
        name: Option<&str>,
        (contents, format): (&[u8], Format),
        html: &str,
    ) -> PartRole {
        let extension =
            name.and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension.to_ascii_lowercase());
        if matches!(extension.as_deref(), Some("p7s" | "asc" | "sig")) && !format.is_image() && format != Format::Pdf {
            return PartRole::Signature;
        }
        if matches!(extension.as_deref(), Some("ics" | "vcf")) && format == Format::Text {
            return PartRole::ForPrograms;
        }
        if format.is_image() || kind == "image" {
            let is_shown = |reference: &str| html::shows(html, reference);
            let referenced = found
                .part
                .content_id()
                .map(without_brackets)
                .is_some_and(|id| !id.is_empty() && is_shown(&format!("cid:{id}")))
                || found.part.content_location().is_some_and(|location| !location.is_empty() && is_shown(location));
            let attached = found.part.content_disposition().is_some_and(mail_parser::ContentType::is_attachment);
            if referenced || (found.related && !html.is_empty() && !attached) {
                return PartRole::ShownByBody;
            }
            let small = picture_size(contents, format).is_some_and(|(w, h)| w.max(h) < self.request.logo_side);
            if small {
                return PartRole::Logo;
            }
        }
        PartRole::Attachment
    }

    fn next_number(&mut self) -> u32 {
        self.number += 1;
        self.number
    }

    fn send(&mut self, header: PartHeader, data: Bytes) -> Result<(), Stop> {
        self.octets += data.len() as u64;
        if self.octets > self.limits.output_octets {
            let text = format!("The mail unpacks to more than {} MiB.", self.limits.output_octets >> 20);
            return refuse(RefusalKind::TooLarge, text);
        }
        self.out.output(Output::PartStart(Box::new(header)))?;
        self.out.part_data(data)
    }
}

/// Which branch of an alternative is the text to print: plain text, unless there is none worth the name.
fn choose(message: &Message<'_>, children: &[u32]) -> usize {
    let text_octets = |child: &u32| {
        let part = message.part(*child)?;
        let (kind, subtype) = media_type(part);
        let text = part.text_contents().filter(|_| kind == "text" && subtype == "plain")?;
        Some(text.trim().len()).filter(|octets| *octets > 0)
    };
    children.iter().position(|child| text_octets(child).is_some()).unwrap_or_else(|| {
        let has_html = |child: &u32| {
            matches!(media_type_of(message, *child).as_str(), "text/html" | "multipart/related" | "multipart/mixed")
        };
        children.iter().rposition(has_html).unwrap_or(children.len().saturating_sub(1))
    })
}

fn media_type_of(message: &Message<'_>, id: u32) -> String {
    message
        .part(id)
        .map(|part| {
            let (kind, subtype) = media_type(part);
            format!("{kind}/{subtype}")
        })
        .unwrap_or_default()
}

/// Type and subtype in lower case; text/plain without declaration (RFC 2045 section 5.2).
fn media_type(part: &MessagePart<'_>) -> (String, String) {
    let Some(declared) = part.content_type() else {
        let kind = if part.is_message() { ("message", "rfc822") } else { ("text", "plain") };
        return (kind.0.into(), kind.1.into());
    };
    let clean =
        |word: &str| word.chars().filter(|c| c.is_ascii_graphic()).take(64).collect::<String>().to_ascii_lowercase();
    (clean(declared.ctype()), declared.subtype().map(clean).unwrap_or_default())
}

/// Whether a text is the message's own and not a file: neither attached nor named.
fn is_text_of_message(part: &MessagePart<'_>, kind: &str, subtype: &str) -> bool {
    let attached = part.content_disposition().is_some_and(mail_parser::ContentType::is_attachment);
    // Apple Mail names nothing inline; some programs give the HTML body a name.
    let named = part.attachment_name().is_some_and(|name| !name.is_empty()) && !(kind == "text" && subtype == "html");
    !attached && !named && (part.is_text() || part.is_text_html())
}

/// The octets of a part after decoding, also where the parser gave up on the encoding.
fn octets_of<'p>(part: &'p MessagePart<'p>, raw: &[u8]) -> Cow<'p, [u8]> {
    let is_base64 =
        part.content_transfer_encoding().is_some_and(|encoding| encoding.trim().eq_ignore_ascii_case("base64"));
    if part.is_encoding_problem && is_base64 { base64::decode_leniently(raw).into() } else { part.contents().into() }
}

/// A text part decoded anew by our own rules for character sets; tells of damage.
fn text_of(part: &MessagePart<'_>, raw: &[u8], out: &mut Out) -> Result<String, Stop> {
    use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};
    let declared = part.content_type().and_then(|ct| ct.attribute("charset"));
    let octets = match part.encoding {
        Encoding::None if part.is_encoding_problem => None,
        Encoding::None => Some(raw.to_vec()),
        Encoding::Base64 => base64_decode(raw),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
    };
    let octets = octets.map_or_else(|| octets_of(part, raw), Cow::Owned);
    let decoded = charset::decode(&octets, declared);
    if decoded.damaged {
        out.notice(Notice::TextDamaged { charset: decoded.charset.to_owned() })?;
    }
    Ok(decoded.text)
}

fn without_brackets(id: &str) -> &str {
    id.trim().trim_start_matches('<').trim_end_matches('>')
}

/// Width and height that a picture declares.
fn picture_size(data: &[u8], format: Format) -> Option<(u32, u32)> {
    let known = match format {
        Format::Gif => {
            let side = |at: usize| Some(u32::from(u16::from_le_bytes([*data.get(at)?, *data.get(at + 1)?])));
            return Some((side(6)?, side(8)?));
        }
        Format::Png => image::ImageFormat::Png,
        Format::Jpeg => image::ImageFormat::Jpeg,
        _ => return None,
    };
    image::ImageReader::with_format(std::io::Cursor::new(data), known).into_dimensions().ok()
}
