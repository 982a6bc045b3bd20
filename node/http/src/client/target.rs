//! Where a request goes: `http`, `https`, `ipp` and `ipps` URIs (RFC 8010 section 5, RFC 7472).

use std::{fmt, str::FromStr};

use http::uri::{Authority, Uri};

/// Default port of `ipp` and `ipps` alike (RFC 8010 section 5, RFC 7472 section 3).
const IPP_PORT: u16 = 631;

/// A parsed URI: host, port, path, with or without TLS.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Target {
    tls: bool,
    /// Without brackets.
    host: String,
    port: u16,
    port_is_default: bool,
    path_and_query: String,
    scheme: &'static str,
}

/// A text is no URI that a request can go to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is not a URI with a host.
    #[error("`{0}` is not an address such as ipp://192.0.2.20/ipp/print")]
    NotAUri(String),
    /// The scheme is another one.
    #[error("`{0}` is not reached by HTTP; use ipp, ipps, http or https")]
    OtherScheme(String),
    /// It holds a name or password, which would end in logs.
    #[error("the address must not hold a user name or password")]
    UserInfo,
}

impl Target {
    /// Reads an `ipp`, `ipps`, `http` or `https` URI.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let not_a_uri = || TargetError::NotAUri(text.chars().take(200).collect());
        let uri: Uri = text.trim().parse().map_err(|_| not_a_uri())?;
        let (scheme, tls, default_port) = match uri.scheme_str().ok_or_else(not_a_uri)? {
            "ipp" => ("ipp", false, IPP_PORT),
            "ipps" => ("ipps", true, IPP_PORT),
            "http" => ("http", false, 80),
            "https" => ("https", true, 443),
            other => return Err(TargetError::OtherScheme(other.into())),
        };
        let authority = uri.authority().ok_or_else(not_a_uri)?;
        if authority.as_str().contains('@') {
            return Err(TargetError::UserInfo);
        }
        let host = bare_host(authority);
        // `Authority::port` says nothing of a port that does not fit.
        let port = match authority.as_str()[authority.host().len()..].strip_prefix(':') {
            Some(port) => port.parse().map_err(|_| not_a_uri())?,
            None => default_port,
        };
        // The http scheme's own default is the only port a Host field may leave out.
        let port_is_default = port == if tls { 443 } else { 80 };
        if host.is_empty() || port == 0 {
            return Err(not_a_uri());
        }
        let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let path_and_query =
            if path_and_query.starts_with('/') { path_and_query } else { format!("/{path_and_query}") };
        Ok(Self { tls, host, port, port_is_default, path_and_query, scheme })
    }

    /// Whether TLS begins with the first octet.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    /// Name or address, an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, a default put in.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Path and query, as sent in the request line.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The same place with another path.
    #[must_use]
    pub fn with_path(&self, path_and_query: &str) -> Self {
        let slash = if path_and_query.starts_with('/') { "" } else { "/" };
        Self { path_and_query: format!("{slash}{path_and_query}"), ..self.clone() }
    }

    /// The Host field: `:631` stays in it, because its default is HTTP's (RFC 8010 section 4.1.2).
    pub(crate) fn host_field(&self) -> String {
        if self.port_is_default { self.bracketed() } else { format!("{}:{}", self.bracketed(), self.port) }
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

fn bare_host(authority: &Authority) -> String {
    let host = authority.host();
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).to_owned()
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        Self::parse(text)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.bracketed())?;
        let default = match self.scheme {
            "http" => 80,
            "https" => 443,
            _ => IPP_PORT,
        };
        if self.port != default {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.path_and_query)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipp_goes_to_port_631_and_says_so() {
        let target = Target::parse("ipp://192.0.2.20/ipp/print").unwrap();
        assert_eq!((target.is_tls(), target.host(), target.port()), (false, "192.0.2.20", 631));
        assert_eq!(target.host_field(), "192.0.2.20:631");
        assert_eq!(target.path_and_query(), "/ipp/print");
        assert_eq!(target.to_string(), "ipp://192.0.2.20/ipp/print");
        let target = Target::parse("ipps://Printer.local").unwrap();
        assert_eq!((target.is_tls(), target.port(), target.path_and_query()), (true, 631, "/"));
    }

    #[test]
    fn http_has_its_own_ports() {
        assert_eq!(Target::parse("http://a/x?y=z").unwrap().host_field(), "a");
        assert_eq!(Target::parse("http://a/x?y=z").unwrap().path_and_query(), "/x?y=z");
        assert_eq!(Target::parse("https://a:8443/").unwrap().host_field(), "a:8443");
        assert_eq!(Target::parse("https://a:443/").unwrap().host_field(), "a");
        assert_eq!(Target::parse("ipps://a:443/").unwrap().to_string(), "ipps://a:443/");
    }

    #[test]
    fn ipv6_addresses_keep_their_brackets_where_they_belong() {
        let target = Target::parse("ipp://[2001:db8::1]:8631/ipp").unwrap();
        assert_eq!(target.host(), "2001:db8::1");
        assert_eq!(target.host_field(), "[2001:db8::1]:8631");
        assert_eq!(target.to_string(), "ipp://[2001:db8::1]:8631/ipp");
    }

    #[test]
    fn other_texts_are_refused() {
        assert!(matches!(Target::parse("socket://a:9100"), Err(TargetError::OtherScheme(_))));
        assert!(matches!(Target::parse("192.0.2.20"), Err(TargetError::NotAUri(_))));
        assert!(matches!(Target::parse("ipp://"), Err(TargetError::NotAUri(_))));
        assert!(matches!(Target::parse("ipp://a:0/"), Err(TargetError::NotAUri(_))));
        assert!(matches!(Target::parse("ipp://a:99999/"), Err(TargetError::NotAUri(_))));
        assert!(matches!(Target::parse("ipp://user:secret@a/"), Err(TargetError::UserInfo)));
    }
}
