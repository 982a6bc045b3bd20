//! What a server says it can do, in its answer to EHLO (RFC 5321 section 4.1.1.1).

use crate::Reply;

/// What the server offers. After HELO nothing but its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerInfo {
    /// The name it gives itself.
    pub name: String,
    /// It answered EHLO, not HELO.
    pub extended: bool,
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 1870.
    pub size: bool,
    /// Largest message in octets, if it says so.
    pub size_max: Option<u64>,
    /// RFC 6152.
    pub eight_bit_mime: bool,
    /// RFC 3207.
    pub starttls: bool,
    /// AUTH PLAIN.
    pub auth_plain: bool,
    /// AUTH LOGIN.
    pub auth_login: bool,
    /// RFC 2034.
    pub enhanced_status_codes: bool,
}

impl ServerInfo {
    pub(super) fn from_helo(reply: &Reply) -> Self {
        Self { name: server_name(reply), ..Self::default() }
    }

    pub(super) fn from_ehlo(reply: &Reply) -> Self {
        let mut info = Self { extended: true, ..Self::from_helo(reply) };
        for line in &reply.lines()[1..] {
            let line = line.to_ascii_uppercase();
            // Old servers write "AUTH=PLAIN LOGIN".
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next() {
                Some("PIPELINING") => info.pipelining = true,
                Some("8BITMIME") => info.eight_bit_mime = true,
                Some("STARTTLS") => info.starttls = true,
                Some("ENHANCEDSTATUSCODES") => info.enhanced_status_codes = true,
                Some("SIZE") => {
                    info.size = true;
                    // 0 means that there is no fixed limit: RFC 1870 section 4.
                    info.size_max = words.next().and_then(|size| size.parse().ok()).filter(|&size| size > 0);
                }
                Some("AUTH") => {
                    for mechanism in words {
                        info.auth_plain |= mechanism == "PLAIN";
                        info.auth_login |= mechanism == "LOGIN";
                    }
                }
                Some(_) | None => {}
            }
        }
        info
    }
}

fn server_name(reply: &Reply) -> String {
    let first = reply.lines().first().map(String::as_str).unwrap_or_default();
    first.split(' ').next().unwrap_or_default().to_owned()
}
