//! Mail addresses and the envelope (RFC 5321 sections 4.1.2 and 4.5.3.1).
//!
//! An [`Address`] is what stands between `<` and `>` after a source route was dropped. It is read
//! strictly: what cannot be written down again in the same way is refused. It says nothing about
//! whether we know the address or relay for it.

use std::fmt;
use std::str::FromStr;

/// RFC 5321 section 4.5.3.1.1.
const LOCAL_OCTETS_MAX: usize = 64;
/// RFC 5321 section 4.5.3.1.2.
const DOMAIN_OCTETS_MAX: usize = 255;
/// RFC 5321 section 4.5.3.1.3, with the angle brackets.
const PATH_OCTETS_MAX: usize = 256;
/// RFC 1035 section 2.3.4.
const LABEL_OCTETS_MAX: usize = 63;

/// Why a text is no address that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `<` where one must stand.
    #[error("the address must stand in angle brackets, as in <office@print.example>")]
    NoBrackets,
    /// Nothing between the brackets where an address is needed.
    #[error("the address is empty")]
    Empty,
    /// Longer than RFC 5321 section 4.5.3.1 allows.
    #[error("the address is too long (64 octets before the @, 255 after it, 254 in all)")]
    TooLong,
    /// The part before the `@` is malformed or missing.
    #[error("the part before the @ is malformed")]
    LocalPart,
    /// The domain is malformed or missing.
    #[error("the domain after the @ is malformed or missing")]
    Domain,
    /// A well-formed address at an address literal, as in `<user@[192.0.2.1]>`.
    #[error("addresses at a number in brackets are not taken, only at a domain name")]
    Literal,
    /// A malformed source route, as in `<@a,b:user@c>`.
    #[error("the source route is malformed")]
    SourceRoute,
}

/// A mail address, local part and domain.
///
/// Two addresses are equal if they are written with the same meaning: quotes that are not needed do
/// not count, the case of the domain's letters does not count. See [`Address::canonical`] for the
/// form to look up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    local_part: String,
    domain: String,
}

impl Address {
    /// Reads `local@domain`, the local part bare or quoted.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let (address, rest) = Self::take(text)?;
        if rest.is_empty() { Ok(address) } else { Err(AddressError::Domain) }
    }

    /// The local part without quotes and backslashes.
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// The domain in lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether the whole address is ASCII, so that it needs no SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        self.local_part.is_ascii() && self.domain.is_ascii()
    }

    /// The one form under which an address is stored and looked up: lower case throughout.
    ///
    /// RFC 5321 section 2.4 leaves the case of a local part to its host; no host in use tells two
    /// people apart by it, and people type it as they like.
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        write_local_part(&mut text, &self.local_part.to_lowercase());
        text.push('@');
        text.push_str(&self.domain);
        text
    }

    /// Takes an address from the front of `text`; what follows it is returned.
    fn take(text: &str) -> Result<(Self, &str), AddressError> {
        let (local_part, rest) = take_local_part(text)?;
        let ends = rest.is_empty() || rest.starts_with('>');
        let missing = if ends { AddressError::Domain } else { AddressError::LocalPart };
        let rest = rest.strip_prefix('@').ok_or(missing)?;
        let (domain, rest) = take_domain(rest)?;
        if local_part.len() > LOCAL_OCTETS_MAX || domain.len() > DOMAIN_OCTETS_MAX {
            return Err(AddressError::TooLong);
        }
        Ok((Self { local_part, domain }, rest))
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_local_part(&mut text, &self.local_part);
        write!(f, "{text}@{}", self.domain)
    }
}

/// The sender of the envelope: an address, or none for mail that must not be answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReversePath {
    /// `<>`: a report or an automatic reply. RFC 5321 section 4.5.5.
    Null,
    /// The address that reports go to.
    Address(Address),
}

impl ReversePath {
    /// The address, if it is not the null path.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Null => None,
            Self::Address(address) => Some(address),
        }
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// One recipient of the envelope.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// `<postmaster>` without a domain, in any case. RFC 5321 section 4.5.1.
    Postmaster,
    /// A mailbox.
    Address(Address),
}

impl Recipient {
    /// The address, if it is not the bare postmaster.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Postmaster => None,
            Self::Address(address) => Some(address),
        }
    }
}

impl From<Address> for Recipient {
    fn from(address: Address) -> Self {
        Self::Address(address)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postmaster => f.write_str("postmaster"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// Who sent a mail and who gets it. RFC 5321 section 2.3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Where reports go.
    pub reverse_path: ReversePath,
    /// In the order in which they were given.
    pub recipients: Vec<Recipient>,
}

/// Takes `<reverse-path>` from the front of `text`.
pub(crate) fn take_reverse_path(text: &str) -> Result<(ReversePath, &str), AddressError> {
    if let Some(rest) = text.strip_prefix("<>") {
        return Ok((ReversePath::Null, rest));
    }
    let (address, rest) = take_path(text)?;
    Ok((ReversePath::Address(address), rest))
}

/// Takes `<forward-path>` from the front of `text`.
pub(crate) fn take_forward_path(text: &str) -> Result<(Recipient, &str), AddressError> {
    const POSTMASTER: &str = "<postmaster>";
    if let Some(head) = text.get(..POSTMASTER.len())
        && head.eq_ignore_ascii_case(POSTMASTER)
    {
        return Ok((Recipient::Postmaster, &text[POSTMASTER.len()..]));
    }
    let (address, rest) = take_path(text)?;
    Ok((Recipient::Address(address), rest))
}

fn take_path(text: &str) -> Result<(Address, &str), AddressError> {
    let mut inner = text.strip_prefix('<').ok_or(AddressError::NoBrackets)?;
    if inner.starts_with('>') {
        return Err(AddressError::Empty);
    }
    if inner.starts_with('@') {
        inner = skip_source_route(inner)?;
    }
    let (address, rest) = Address::take(inner)?;
    let rest = rest.strip_prefix('>').ok_or(AddressError::Domain)?;
    if text.len() - rest.len() > PATH_OCTETS_MAX {
        return Err(AddressError::TooLong);
    }
    Ok((address, rest))
}

/// Drops `@a,@b:`: RFC 5321 section 4.1.1.3 and appendix C say to accept and ignore it.
fn skip_source_route(mut text: &str) -> Result<&str, AddressError> {
    loop {
        text = text.strip_prefix('@').ok_or(AddressError::SourceRoute)?;
        let rest = match take_domain(text) {
            Ok((_, rest)) => rest,
            Err(AddressError::Literal) => skip_literal(text).ok_or(AddressError::SourceRoute)?,
            Err(_) => return Err(AddressError::SourceRoute),
        };
        match rest.as_bytes().first() {
            Some(b',') => text = &rest[1..],
            Some(b':') => return Ok(&rest[1..]),
            _ => return Err(AddressError::SourceRoute),
        }
    }
}

fn take_local_part(text: &str) -> Result<(String, &str), AddressError> {
    if let Some(quoted) = text.strip_prefix('"') {
        return take_quoted(quoted);
    }
    let end = text.find(|c| !is_atext(c) && c != '.').unwrap_or(text.len());
    let (local, rest) = text.split_at(end);
    if is_dot_string(local) { Ok((local.to_owned(), rest)) } else { Err(AddressError::LocalPart) }
}

/// RFC 5321 section 4.1.2, `Quoted-string`; the opening quote is gone.
fn take_quoted(text: &str) -> Result<(String, &str), AddressError> {
    let mut local = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if local.is_empty() => return Err(AddressError::LocalPart),
            '"' => return Ok((local, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, c @ ' '..='~')) => local.push(c),
                _ => return Err(AddressError::LocalPart),
            },
            c if c.is_control() => return Err(AddressError::LocalPart),
            c => local.push(c),
        }
        if local.len() > LOCAL_OCTETS_MAX {
            return Err(AddressError::TooLong);
        }
    }
    Err(AddressError::LocalPart)
}

fn take_domain(text: &str) -> Result<(String, &str), AddressError> {
    if text.starts_with('[') {
        return match skip_literal(text) {
            Some(_) => Err(AddressError::Literal),
            None => Err(AddressError::Domain),
        };
    }
    // The underscore is no letter of a host name, but names with one are in use.
    let is_domain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') || is_utf8(c);
    let end = text.find(|c| !is_domain(c)).unwrap_or(text.len());
    let (domain, rest) = text.split_at(end);
    if domain.len() > DOMAIN_OCTETS_MAX {
        return Err(AddressError::TooLong);
    }
    let well_formed =
        |label: &str| (1..=LABEL_OCTETS_MAX).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
    if domain.split('.').all(well_formed) { Ok((domain.to_lowercase(), rest)) } else { Err(AddressError::Domain) }
}

fn skip_literal(text: &str) -> Option<&str> {
    let end = text.find(']')?;
    let inner = text.get(1..end)?;
    let fits = !inner.is_empty() && inner.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '[' | '\\' | '<' | '>'));
    fits.then(|| &text[end + 1..])
}

fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_utf8(c)
}

/// RFC 6531 section 3.3 lets any other character in; control characters help nobody.
fn is_utf8(c: char) -> bool {
    !c.is_ascii() && !c.is_control()
}

fn is_dot_string(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn write_local_part(out: &mut String, local: &str) {
    if is_dot_string(local) {
        out.push_str(local);
        return;
    }
    out.push('"');
    for c in local.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn plain_quoted_and_canonical_forms() {
        let plain = address("Anna.B+print@Print.EXAMPLE");
        assert_eq!((plain.local_part(), plain.domain()), ("Anna.B+print", "print.example"));
        assert_eq!(plain.to_string(), "Anna.B+print@print.example");
        assert_eq!(plain.canonical(), "anna.b+print@print.example");
        assert_eq!(address("\"anna\"@x.example"), address("anna@x.example"));
        let odd = address(r#""a b\"c\\d@e"@x.example"#);
        assert_eq!(odd.local_part(), r#"a b"c\d@e"#);
        assert_eq!(odd.to_string(), r#""a b\"c\\d@e"@x.example"#);
    }

    #[test]
    fn malformed_addresses_say_why() {
        use AddressError::*;
        for (text, error) in [
            ("", Empty),
            ("anna", Domain),
            ("anna@", Domain),
            ("@x.example", LocalPart),
            (".anna@x", LocalPart),
            ("anna.@x", LocalPart),
            ("an..na@x", LocalPart),
            ("an na@x", LocalPart),
            ("\"\"@x", LocalPart),
            ("\"anna@x", LocalPart),
            ("\"a\tb\"@x", LocalPart),
            ("anna@x..y", Domain),
            ("anna@-x", Domain),
            ("anna@x-", Domain),
            ("anna@x.", Domain),
            ("anna@x y", Domain),
            ("anna@x@y", Domain),
            ("anna@[192.0.2.1]", Literal),
            ("anna@[IPv6:2001:db8::1]", Literal),
            ("anna@[", Domain),
            ("anna@[]", Domain),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn lengths_are_kept_at_the_limit_and_not_beyond() {
        let local = "a".repeat(64);
        assert!(Address::parse(&format!("{local}@x.example")).is_ok());
        assert_eq!(Address::parse(&format!("{local}a@x.example")), Err(AddressError::TooLong));
        let label = "b".repeat(63);
        assert!(Address::parse(&format!("a@{label}.example")).is_ok());
        assert_eq!(Address::parse(&format!("a@{label}b.example")), Err(AddressError::Domain));
        let path = |domain: usize| {
            let domain = format!("{}.{}.{}", "c".repeat(63), "d".repeat(63), "e".repeat(domain - 128));
            take_forward_path(&format!("<{local}@{domain}>")).map(|_| ())
        };
        assert_eq!(path(256 - 64 - 3), Ok(()));
        assert_eq!(path(256 - 64 - 2), Err(AddressError::TooLong));
    }

    #[test]
    fn paths_drop_source_routes() {
        let (recipient, rest) = take_forward_path("<@a.example,@[192.0.2.1]:u@c.example> X=1").unwrap();
        assert_eq!((recipient.to_string().as_str(), rest), ("u@c.example", " X=1"));
        assert_eq!(take_forward_path("<@a.example,b:u@c>"), Err(AddressError::SourceRoute));
        assert_eq!(take_forward_path("<@a.example>"), Err(AddressError::SourceRoute));
        assert_eq!(take_forward_path("u@c"), Err(AddressError::NoBrackets));
        assert_eq!(take_forward_path("<>"), Err(AddressError::Empty));
        assert_eq!(take_forward_path("<PostMaster>"), Ok((Recipient::Postmaster, "")));
        assert_eq!(take_reverse_path("<> SIZE=1"), Ok((ReversePath::Null, " SIZE=1")));
        assert_eq!(take_reverse_path("<postmaster>"), Err(AddressError::Domain));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(text in "[ -~\u{e9}\u{5370}]{1,40}@[a-zA-Z0-9.\u{e9}-]{1,20}") {
            if let Ok(once) = Address::parse(&text) {
                prop_assert_eq!(Address::parse(&once.to_string()), Ok(once.clone()));
                let canonical = Address::parse(&once.canonical()).unwrap();
                prop_assert_eq!(canonical.canonical(), once.canonical());
            }
        }

        #[test]
        fn any_local_part_survives_quoting(local in "[ -~]{1,64}") {
            let quoted = format!("\"{}\"@x.example", local.replace('\\', "\\\\").replace('"', "\\\""));
            let once = Address::parse(&quoted).unwrap();
            prop_assert_eq!(once.local_part(), local.as_str());
            prop_assert_eq!(Address::parse(&once.to_string()), Ok(once));
        }

        #[test]
        fn no_text_makes_a_path_panic(text in "\\PC{0,80}") {
            let _ = take_forward_path(&text);
            let _ = take_reverse_path(&format!("<{text}"));
        }
    }
}
