//! Replies (RFC 5321 section 4.2, enhanced codes of RFC 2034 and RFC 3463).
//!
//! A [`Reply`] cannot carry a line break or another control character: text is cleaned when it is
//! put in, so that what a document or a directory contains never becomes a reply of its own.

use std::fmt;

/// Longest reply line in octets, with the code and CRLF. RFC 5321 section 4.5.3.1.5.
pub(crate) const REPLY_LINE_OCTETS_MAX: usize = 512;
/// Longest text on one line: 512 less "550-", "5.123.123 " and CRLF.
const TEXT_OCTETS_MAX: usize = REPLY_LINE_OCTETS_MAX - 4 - 10 - 2;
/// Most lines in one reply; what is longer is cut.
const LINES_MAX: usize = 32;

/// An enhanced status code, `class.subject.detail`. RFC 3463.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Enhanced {
    /// 2 success, 4 temporary, 5 permanent.
    pub class: u8,
    /// 0 to 999.
    pub subject: u16,
    /// 0 to 999.
    pub detail: u16,
}

impl Enhanced {
    /// Makes `class.subject.detail`.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }

    /// Reads `x.y.z`; nothing else may follow.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let class = match parts.next()? {
            "2" => 2,
            "4" => 4,
            "5" => 5,
            _ => return None,
        };
        let mut number = || {
            let part = parts.next()?;
            let fits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            fits.then(|| part.parse::<u16>().ok()).flatten()
        };
        let (subject, detail) = (number()?, number()?);
        parts.next().is_none().then_some(Self { class, subject, detail })
    }
}

impl From<(u8, u16, u16)> for Enhanced {
    fn from((class, subject, detail): (u8, u16, u16)) -> Self {
        Self { class, subject, detail }
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// What a server says: a code, an enhanced code and one or more lines of text.
///
/// Text is ASCII without control characters (others become a space or `?`), in lines short enough
/// for the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reply {
    code: u16,
    enhanced: Option<Enhanced>,
    lines: Vec<String>,
}

impl Reply {
    /// Makes a reply with an enhanced code. Its class is taken from `code`, as RFC 2034 demands.
    ///
    /// A `code` outside 200 to 599 becomes 451 4.3.0: a wrong number must not confuse the peer.
    pub fn new(code: u16, enhanced: impl Into<Enhanced>, text: impl AsRef<str>) -> Self {
        let mut enhanced = enhanced.into();
        let code = if (200..600).contains(&code) { code } else { 451 };
        enhanced.class = (code / 100) as u8;
        enhanced.subject = enhanced.subject.min(999);
        enhanced.detail = enhanced.detail.min(999);
        // RFC 2034 section 4: 3xx replies carry no enhanced code.
        let enhanced = (enhanced.class != 3).then_some(enhanced);
        Self { code, enhanced, lines: Vec::new() }.line(text)
    }

    /// Makes a reply without an enhanced code: the greeting, the answer to EHLO, 3xx.
    pub fn bare(code: u16, text: impl AsRef<str>) -> Self {
        let code = if (200..600).contains(&code) { code } else { 451 };
        Self { code, enhanced: None, lines: Vec::new() }.line(text)
    }

    /// A reply as a server sent it; the lines were cleaned by the caller through [`clean`].
    pub(crate) fn received(code: u16, enhanced: Option<Enhanced>, lines: Vec<String>) -> Self {
        Self { code, enhanced, lines }
    }

    /// Adds a line; one that is too long is folded at a space.
    #[must_use]
    pub fn line(mut self, text: impl AsRef<str>) -> Self {
        let cleaned = clean(text.as_ref());
        let mut rest = cleaned.trim_end();
        while self.lines.len() < LINES_MAX {
            if rest.len() <= TEXT_OCTETS_MAX {
                self.lines.push(rest.to_owned());
                break;
            }
            let head = &rest[..TEXT_OCTETS_MAX];
            let cut = head.rfind(' ').filter(|&at| at > 0).unwrap_or(TEXT_OCTETS_MAX);
            self.lines.push(rest[..cut].to_owned());
            rest = rest[cut..].trim_start();
        }
        self
    }

    /// The three-digit code, 200 to 599.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced code, if there is one.
    pub fn enhanced(&self) -> Option<Enhanced> {
        self.enhanced
    }

    /// The lines of text, without codes; at least one.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The text on one line.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// Whether it says yes (2xx).
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// Whether it says "go on" (3xx).
    pub fn is_intermediate(&self) -> bool {
        self.code / 100 == 3
    }

    /// Whether another try later may help (4xx).
    pub fn is_temporary(&self) -> bool {
        self.code / 100 == 4
    }

    /// Whether another try of the same mail is in vain (5xx).
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// Appends the reply as it goes over the wire.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let last = self.lines.len().saturating_sub(1);
        for (at, line) in self.lines.iter().enumerate() {
            let separator = if at == last { ' ' } else { '-' };
            let head = match self.enhanced {
                Some(enhanced) => format!("{}{separator}{enhanced} ", self.code),
                None => format!("{}{separator}", self.code),
            };
            out.extend_from_slice(head.as_bytes());
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        for line in &self.lines {
            write!(f, " {line}")?;
        }
        Ok(())
    }
}

/// Makes text safe for one reply line: control characters become spaces, other scripts `?`.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_control() => ' ',
            c if c.is_ascii() => c,
            _ => '?',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wire(reply: &Reply) -> String {
        let mut out = Vec::new();
        reply.encode(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_reply_of_two_lines_repeats_its_codes() {
        let reply = Reply::new(550, (5, 7, 1), "Not registered.").line("See http://print.example/");
        assert_eq!(wire(&reply), "550-5.7.1 Not registered.\r\n550 5.7.1 See http://print.example/\r\n");
    }

    #[test]
    fn line_breaks_in_text_cannot_make_another_reply() {
        let reply = Reply::new(550, (5, 1, 1), "no\r\n250 2.0.0 ok\u{85}\0\u{1b}[2J B\u{fc}ro");
        assert_eq!(wire(&reply), "550 5.1.1 no  250 2.0.0 ok   [2J B?ro\r\n");
    }

    #[test]
    fn class_follows_the_code_and_a_wrong_code_is_temporary() {
        assert_eq!(wire(&Reply::new(450, (5, 7, 1), "later")), "450 4.7.1 later\r\n");
        assert_eq!(wire(&Reply::new(99, (2, 0, 0), "x")), "451 4.0.0 x\r\n");
    }

    #[test]
    fn enhanced_codes_are_read_strictly() {
        assert_eq!(Enhanced::parse("5.7.26"), Some(Enhanced::new(5, 7, 26)));
        for wrong in ["", "5.7", "3.1.1", "5.7.1.1", "5.x.1", "5.1234.1", "5..1"] {
            assert_eq!(Enhanced::parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_line_fits_and_is_well_formed(text in "\\PC{0,3000}", more in ".{0,40}") {
            let wire = wire(&Reply::new(550, (5, 123, 456), text).line(more));
            prop_assert!(wire.ends_with("\r\n"));
            let lines: Vec<&str> = wire.strip_suffix("\r\n").unwrap().split("\r\n").collect();
            for (at, line) in lines.iter().enumerate() {
                prop_assert!(line.len() + 2 <= REPLY_LINE_OCTETS_MAX);
                prop_assert!(line.bytes().all(|b| (32..127).contains(&b)));
                let start = if at + 1 == lines.len() { "550 5.123.456 " } else { "550-5.123.456 " };
                prop_assert!(line.starts_with(start));
            }
        }
    }
}
