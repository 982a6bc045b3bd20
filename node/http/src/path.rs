//! Paths that mean one thing only.
//!
//! A path that a proxy, a file system or an authorisation rule could read in another way than the
//! router is refused, not repaired: `//`, `.` and `..`, encoded separators, `;` parameters.

/// Why this path is refused, if it is.
pub(crate) fn fault(path: &str) -> Option<&'static str> {
    if !path.starts_with('/') {
        return Some("the path does not begin with a slash");
    }
    let mut octets = path.bytes();
    while let Some(octet) = octets.next() {
        match octet {
            b'%' => {
                let (Some(high), Some(low)) = (octets.next().and_then(hex), octets.next().and_then(hex)) else {
                    return Some("the path holds a broken percent sign");
                };
                match high << 4 | low {
                    b'/' | b'\\' | b'.' | b';' | b'%' => {
                        return Some("the path hides a character that separates");
                    }
                    0..0x20 | 0x7f => return Some("the path hides a control character"),
                    _ => {}
                }
            }
            b';' => return Some("the path holds parameters"),
            b'\\' => return Some("the path holds a backslash"),
            0..0x21 | 0x7f.. => return Some("the path holds a character that must be encoded"),
            _ => {}
        }
    }
    let inner = path[1..].strip_suffix('/').unwrap_or(&path[1..]);
    if path.len() > 1 && inner.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Some("the path holds an empty or a dot segment");
    }
    None
}

/// Decodes percent signs of a path that has no fault; `None` if it is not UTF-8.
pub(crate) fn decode(segment: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut octets = segment.bytes();
    while let Some(octet) = octets.next() {
        decoded.push(if octet == b'%' { hex(octets.next()?)? << 4 | hex(octets.next()?)? } else { octet });
    }
    String::from_utf8(decoded).ok()
}

pub(crate) fn hex(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_pass() {
        for path in [
            "/",
            "/jobs",
            "/jobs/",
            "/jobs/7K3M/pages.png",
            "/a%20b",
            "/%E5%8D%B0",
            "/.well-known/x",
            "/a..b",
            "/ipp/print",
        ] {
            assert_eq!(fault(path), None, "{path}");
        }
    }

    #[test]
    fn paths_with_a_second_meaning_are_refused() {
        for path in [
            "",
            "*",
            "jobs",
            "//",
            "//jobs",
            "/jobs//",
            "/jobs//1",
            "/.",
            "/..",
            "/jobs/../setup",
            "/jobs/./1",
            "/jobs/..",
            "/jobs/../",
            "/jobs%2f1",
            "/jobs%2F1",
            "/jobs%5c1",
            "/%2e%2e/setup",
            "/.%2e/setup",
            "/jobs;a=b",
            "/jobs%3b",
            "/jobs%00",
            "/jobs%0a",
            "/%252e",
            "/a\\b",
            "/a b",
            "/%",
            "/%2",
            "/%zz",
            "/\u{e9}",
        ] {
            assert!(fault(path).is_some(), "{path}");
        }
    }

    #[test]
    fn segments_are_decoded_once() {
        assert_eq!(decode("a%20b%E5%8D%B0").as_deref(), Some("a b印"));
        assert_eq!(decode("%ff"), None);
    }
}
