//! Which names a request may name in Host, so that a foreign page cannot reach us by a name of its
//! own that points to our address (DNS rebinding).

use std::net::IpAddr;

use http::{StatusCode, Version, header, request};

/// Names that Host (or HTTP/2's `:authority`) may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Hosts {
    /// Any name.
    #[default]
    Any,
    /// These names in any letter case, and IP addresses, and `localhost`.
    ///
    /// An address written as such is harmless: only names can be rebound.
    Listed(Vec<String>),
}

impl Hosts {
    /// Checks the name a request names; the error is the status to answer with and the reason.
    pub(crate) fn check(&self, parts: &request::Parts) -> Result<(), (StatusCode, &'static str)> {
        let mut fields = parts.headers.get_all(header::HOST).iter();
        let field = fields.next().map(|value| value.to_str()).transpose();
        let Ok(field) = field else {
            return Err((StatusCode::BAD_REQUEST, "Host is not a name"));
        };
        if fields.next().is_some() {
            return Err((StatusCode::BAD_REQUEST, "there is more than one Host"));
        }
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        let named = match (field, authority) {
            (Some(field), Some(authority)) if !field.eq_ignore_ascii_case(authority) => {
                return Err((StatusCode::BAD_REQUEST, "Host and the request's address differ"));
            }
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) if parts.version == Version::HTTP_10 => return Ok(()),
            (None, None) => return Err((StatusCode::BAD_REQUEST, "there is no Host")),
        };
        let Ok(authority) = named.parse::<http::uri::Authority>() else {
            return Err((StatusCode::BAD_REQUEST, "Host is not a name"));
        };
        if named.contains('@') {
            return Err((StatusCode::BAD_REQUEST, "Host is not a name"));
        }
        if self.allows(authority.host()) {
            Ok(())
        } else {
            Err((StatusCode::MISDIRECTED_REQUEST, "this server does not answer to that name"))
        }
    }

    /// Whether a host (no port) may be named.
    #[must_use]
    pub fn allows(&self, host: &str) -> bool {
        let Self::Listed(names) = self else {
            return true;
        };
        let bare = host.strip_suffix('.').unwrap_or(host);
        let literal = bare.strip_prefix('[').and_then(|bare| bare.strip_suffix(']')).unwrap_or(bare);
        literal.parse::<IpAddr>().is_ok()
            || bare.eq_ignore_ascii_case("localhost")
            || names.iter().any(|name| name.eq_ignore_ascii_case(bare))
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn check(hosts: &Hosts, uri: &str, host: &[&str]) -> Result<(), StatusCode> {
        let mut request = Request::builder().uri(uri);
        for host in host {
            request = request.header(header::HOST, *host);
        }
        hosts.check(&request.body(()).unwrap().into_parts().0).map_err(|(status, _)| status)
    }

    #[test]
    fn only_listed_names_and_addresses_are_answered() {
        let hosts = Hosts::Listed(vec!["print.example".into()]);
        for good in ["print.example", "Print.Example:631", "print.example.", "127.0.0.1:631", "[::1]:631", "localhost"]
        {
            assert_eq!(check(&hosts, "/", &[good]), Ok(()), "{good}");
        }
        assert_eq!(check(&hosts, "/", &["evil.example"]), Err(StatusCode::MISDIRECTED_REQUEST));
        assert_eq!(check(&hosts, "/", &["print.example.evil.example"]), Err(StatusCode::MISDIRECTED_REQUEST));
        assert_eq!(check(&hosts, "http://evil.example/", &[]), Err(StatusCode::MISDIRECTED_REQUEST));
        assert_eq!(check(&hosts, "http://evil.example/", &["print.example"]), Err(StatusCode::BAD_REQUEST));
        assert_eq!(check(&hosts, "/", &["a b"]), Err(StatusCode::BAD_REQUEST));
        assert_eq!(check(&hosts, "/", &["user@print.example"]), Err(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn any_name_still_must_be_one_name() {
        assert_eq!(check(&Hosts::Any, "/", &["anything.example"]), Ok(()));
        assert_eq!(check(&Hosts::Any, "/", &[]), Err(StatusCode::BAD_REQUEST));
        assert_eq!(check(&Hosts::Any, "/", &["a", "b"]), Err(StatusCode::BAD_REQUEST));
    }
}
