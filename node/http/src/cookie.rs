//! Cookies that only this server reads: bound to the host, not to be read by scripts.

use http::{HeaderMap, HeaderValue, header};

/// When a cookie goes along with a request that another site began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SameSite {
    /// With links, not with forms: a link in a mail opens the page logged in.
    #[default]
    Lax,
    /// Never.
    Strict,
}

/// The cookie's name on the wire: `__Host-` before it inside TLS, where browsers then keep it to this
/// host and to TLS.
#[must_use]
pub fn wire_name(name: &str, tls: bool) -> String {
    if tls { format!("__Host-{name}") } else { name.to_owned() }
}

/// The value of a cookie as it was set by [`set`]; the first, if there are several.
#[must_use]
pub fn get<'a>(headers: &'a HeaderMap, name: &str, tls: bool) -> Option<&'a str> {
    let name = wire_name(name, tls);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The Set-Cookie field; for so many seconds, or as long as the browser runs.
///
/// `None` if name or value hold a character that may not stand in a cookie.
#[must_use]
pub fn set(name: &str, value: &str, tls: bool, same_site: SameSite, max_age_secs: Option<u32>) -> Option<HeaderValue> {
    let fits = |text: &str| text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.~+/=!".contains(&octet));
    if name.is_empty() || name.contains('=') || !fits(name) || !fits(value) {
        return None;
    }
    let name = wire_name(name, tls);
    let secure = if tls { "; Secure" } else { "" };
    let same_site = match same_site {
        SameSite::Lax => "Lax",
        SameSite::Strict => "Strict",
    };
    let age = max_age_secs.map(|secs| format!("; Max-Age={secs}")).unwrap_or_default();
    HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite={same_site}{secure}{age}")).ok()
}

/// The Set-Cookie field that removes a cookie.
#[must_use]
pub fn remove(name: &str, tls: bool) -> Option<HeaderValue> {
    set(name, "", tls, SameSite::Lax, Some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_bound_to_host_and_tls() {
        assert_eq!(
            set("session", "aB-9", true, SameSite::Lax, Some(3600)).unwrap(),
            "__Host-session=aB-9; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=3600"
        );
        assert_eq!(
            set("session", "x", false, SameSite::Strict, None).unwrap(),
            "session=x; Path=/; HttpOnly; SameSite=Strict"
        );
        assert_eq!(set("session", "x; Domain=evil.example", true, SameSite::Lax, None), None);
        assert_eq!(set("a=b", "x", true, SameSite::Lax, None), None);
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "other=1; __Host-session=two".parse().unwrap());
        headers.append(header::COOKIE, "session=three".parse().unwrap());
        assert_eq!(get(&headers, "session", true), Some("two"));
        assert_eq!(get(&headers, "session", false), Some("three"));
        assert_eq!(get(&headers, "sess", false), None);
    }
}
