//! What keeps a foreign page from acting as a person who is logged in here: checks of the origin,
//! tokens in forms, and the header fields of pages.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};
use ring::hmac;

use crate::Peer;

/// Content-Security-Policy of a page: nothing but our own files, and never in a frame.
pub const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; \
frame-ancestors 'none'; require-trusted-types-for 'script'";

/// Puts in the header fields of a page: policy, no sniffing, no frames, not stored, no referrer to
/// others. A Content-Security-Policy or Cache-Control that is there stays.
pub fn secure_page(headers: &mut HeaderMap) {
    for (name, value) in [(header::CONTENT_SECURITY_POLICY, PAGE_POLICY), (header::CACHE_CONTROL, "no-store")] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not "no-referrer": browsers then send `Origin: null` with our own forms.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Why a request is not believed to come from our own pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Another site sent it.
    #[error("this request was sent by another site")]
    Foreign,
    /// The browser, or whatever it is, does not say who sent it.
    #[error("this request does not say which page sent it")]
    Unknown,
}

/// Whether a request comes from our own pages. Methods that change nothing always pass.
///
/// `Sec-Fetch-Site` decides where the browser sends it; else `Origin` must name the host and port
/// that Host names, and `https` inside TLS. For requests that a cookie proves; a request with a token
/// in Authorization needs no such check, because browsers do not add one by themselves.
pub fn check_origin(parts: &Parts, peer: &Peer) -> Result<(), OriginError> {
    if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE) {
        return Ok(());
    }
    if let Some(site) = parts.headers.get("sec-fetch-site") {
        return match site.as_bytes() {
            b"same-origin" | b"none" => Ok(()),
            _ => Err(OriginError::Foreign),
        };
    }
    let origin = parts.headers.get(header::ORIGIN).ok_or(OriginError::Unknown)?;
    let host = parts
        .uri
        .authority()
        .map(|authority| authority.as_str().as_bytes())
        .or_else(|| parts.headers.get(header::HOST).map(HeaderValue::as_bytes))
        .ok_or(OriginError::Unknown)?;
    let origin = match (origin.as_bytes().strip_prefix(b"https://"), origin.as_bytes().strip_prefix(b"http://")) {
        (Some(rest), _) => rest,
        (None, Some(rest)) if !peer.tls => rest,
        _ => return Err(OriginError::Foreign),
    };
    if origin.eq_ignore_ascii_case(host) { Ok(()) } else { Err(OriginError::Foreign) }
}

/// Makes and checks the tokens that forms carry.
#[derive(Clone)]
pub struct FormTokens {
    key: hmac::Key,
}

impl std::fmt::Debug for FormTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormTokens(***)")
    }
}

impl FormTokens {
    /// Uses a key of 32 random octets.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// The token for a session: 43 characters that may stand in a form or a header.
    #[must_use]
    pub fn token(&self, session: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, session))
    }

    /// Whether a token belongs to this session; takes the same time for every wrong one.
    #[must_use]
    pub fn verify(&self, session: &[u8], token: &str) -> bool {
        URL_SAFE_NO_PAD.decode(token).is_ok_and(|tag| hmac::verify(&self.key, session, &tag).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn check(tls: bool, method: Method, fields: &[(&str, &str)]) -> Result<(), OriginError> {
        let mut request = Request::builder().method(method).uri("/jobs").header(header::HOST, "print.example:631");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let addr = ([127, 0, 0, 1], 1).into();
        check_origin(&request.body(()).unwrap().into_parts().0, &Peer { addr, local: addr, tls })
    }

    #[test]
    fn our_own_pages_pass() {
        assert_eq!(check(true, Method::POST, &[("sec-fetch-site", "same-origin")]), Ok(()));
        assert_eq!(check(true, Method::POST, &[("origin", "https://print.example:631")]), Ok(()));
        assert_eq!(check(false, Method::DELETE, &[("origin", "http://Print.Example:631")]), Ok(()));
        assert_eq!(check(false, Method::GET, &[("origin", "https://evil.example")]), Ok(()));
    }

    #[test]
    fn foreign_pages_do_not() {
        for fields in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://print.example:631")],
            &[("origin", "https://evil.example")],
            &[("origin", "https://print.example")],
            &[("origin", "https://print.example:631.evil.example")],
            &[("origin", "http://print.example:631")],
            &[("origin", "null")],
        ] {
            assert_eq!(check(true, Method::POST, fields), Err(OriginError::Foreign), "{fields:?}");
        }
        assert_eq!(check(true, Method::POST, &[]), Err(OriginError::Unknown));
    }

    #[test]
    fn tokens_belong_to_one_session_and_one_key() {
        let tokens = FormTokens::new(&[1; 32]);
        let token = tokens.token(b"anna");
        assert!(tokens.verify(b"anna", &token));
        assert!(!tokens.verify(b"ben", &token));
        assert!(!FormTokens::new(&[2; 32]).verify(b"anna", &token));
        for wrong in ["", "x", &token[1..], &format!("{token}A"), &token.to_uppercase()] {
            assert!(!tokens.verify(b"anna", wrong), "{wrong}");
        }
    }

    #[test]
    fn a_page_is_never_framed_sniffed_or_stored() {
        let mut headers = HeaderMap::new();
        secure_page(&mut headers);
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'")
                && policy.contains("default-src 'none'")
                && !policy.contains("unsafe")
        );
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    }
}
