//! Reads of an HTTP/1 request head only what decides where the request ends, and refuses what two
//! parsers could read in two ways (RFC 9112 sections 2.2, 3.2, 5.2, 6.3 and 11.2).

use http::StatusCode;

use super::Limits;

/// How the body after a head is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many octets; 0 is no body.
    Sized(u64),
    /// Chunked transfer coding.
    Chunked,
}

/// Why a request is refused before any handler sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) why: &'static str,
}

const fn bad(why: &'static str) -> Refusal {
    Refusal { status: StatusCode::BAD_REQUEST, why }
}

/// Octets of a request target.
const TARGET_OCTETS_MAX: usize = 8 * 1024;

/// Where the head that starts `octets` ends (after its empty line); looks from `from` on.
pub(crate) fn end_of_head(octets: &[u8], from: usize) -> Option<usize> {
    let from = from.min(octets.len());
    octets[from..].windows(4).position(|four| four == b"\r\n\r\n").map(|at| from + at + 4)
}

/// Reads a whole head, its empty line included.
pub(crate) fn inspect(head: &[u8], limits: &Limits) -> Result<Framing, Refusal> {
    check_line_ends(head)?;
    let head = head.strip_suffix(b"\r\n\r\n").ok_or_else(|| bad("the head does not end"))?;
    let mut lines = head.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let version_11 = request_line(lines.next().unwrap_or_default())?;

    let mut length: Option<u64> = None;
    let mut chunked = false;
    let mut hosts = 0;
    for (index, line) in lines.enumerate() {
        if index >= limits.headers_max {
            return Err(Refusal {
                status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                why: "there are too many header fields",
            });
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err(bad("a header field is folded over two lines"));
        }
        let colon = line.iter().position(|octet| *octet == b':').ok_or_else(|| bad("a header line has no colon"))?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.is_empty() || !name.iter().copied().all(is_token) {
            return Err(bad("a header field's name holds a character that is not allowed"));
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            if length.is_some() {
                return Err(bad("there is more than one Content-Length"));
            }
            length = Some(decimal(value).ok_or_else(|| bad("Content-Length is not a number"))?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if chunked {
                return Err(bad("there is more than one Transfer-Encoding"));
            }
            if !version_11 {
                return Err(bad("HTTP/1.0 has no Transfer-Encoding"));
            }
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal {
                    status: StatusCode::NOT_IMPLEMENTED,
                    why: "the only Transfer-Encoding understood is chunked",
                });
            }
            chunked = true;
        } else if name.eq_ignore_ascii_case(b"host") {
            hosts += 1;
        } else if name.eq_ignore_ascii_case(b"expect") && !value.eq_ignore_ascii_case(b"100-continue") {
            return Err(Refusal {
                status: StatusCode::EXPECTATION_FAILED,
                why: "the only Expect understood is 100-continue",
            });
        }
    }
    if hosts > 1 || (version_11 && hosts == 0) {
        return Err(bad("there must be exactly one Host"));
    }
    match (length, chunked) {
        (Some(_), true) => Err(bad("there are both Content-Length and Transfer-Encoding")),
        (None, true) => Ok(Framing::Chunked),
        (length, false) => Ok(Framing::Sized(length.unwrap_or(0))),
    }
}

/// Whether CR and LF come only together, and no zero octet comes at all.
fn check_line_ends(head: &[u8]) -> Result<(), Refusal> {
    let mut before = 0;
    for octet in head {
        match (before, *octet) {
            (b'\r', b'\n') => {}
            (b'\r', _) => return Err(bad("a line holds a bare carriage return")),
            (_, b'\n') => return Err(bad("a line ends in a bare line feed")),
            (_, 0) => return Err(bad("the head holds a zero octet")),
            _ => {}
        }
        before = *octet;
    }
    Ok(())
}

/// Whether the request line says HTTP/1.1 (else HTTP/1.0).
fn request_line(line: &[u8]) -> Result<bool, Refusal> {
    let mut words = line.split(|octet| *octet == b' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(bad("the request line is not method, target and version"));
    };
    if method.is_empty() || !method.iter().copied().all(is_token) {
        return Err(bad("the method holds a character that is not allowed"));
    }
    if method == b"CONNECT" {
        return Err(Refusal { status: StatusCode::NOT_IMPLEMENTED, why: "this server is no proxy" });
    }
    if target.len() > TARGET_OCTETS_MAX {
        return Err(Refusal { status: StatusCode::URI_TOO_LONG, why: "the address is too long" });
    }
    if target.is_empty() || !target.iter().all(u8::is_ascii_graphic) {
        return Err(bad("the address holds a character that is not allowed"));
    }
    match version {
        b"HTTP/1.1" => Ok(true),
        b"HTTP/1.0" => Ok(false),
        _ if version.starts_with(b"HTTP/") => Err(Refusal {
            status: StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            why: "this port speaks HTTP/1.1, and HTTP/2 inside TLS",
        }),
        _ => Err(bad("the request line has no HTTP version")),
    }
}

/// Digits only: no sign, no list, no white space.
fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// RFC 9110 section 5.6.2, "tchar".
const fn is_token(octet: u8) -> bool {
    matches!(
        octet,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
    ) || octet.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn status(head: &str) -> Result<Framing, u16> {
        inspect(head.as_bytes(), &Limits::default()).map_err(|refusal| refusal.status.as_u16())
    }

    fn with(fields: &str) -> Result<Framing, u16> {
        status(&format!("POST /ipp/print HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n"))
    }

    #[test]
    fn reads_how_the_body_is_framed() {
        assert_eq!(status("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Ok(Framing::Sized(0)));
        assert_eq!(status("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), Ok(Framing::Sized(0)));
        assert_eq!(status("GET / HTTP/1.0\r\n\r\n"), Ok(Framing::Sized(0)));
        assert_eq!(with("Content-Length: 12"), Ok(Framing::Sized(12)));
        assert_eq!(with("content-length:12 "), Ok(Framing::Sized(12)));
        assert_eq!(with("Transfer-Encoding: Chunked"), Ok(Framing::Chunked));
    }

    #[test]
    fn refuses_every_head_that_could_be_read_twice() {
        for fields in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 3",
            "Content-Length: 3\r\nContent-Length: 3",
            "Content-Length: 3\r\nContent-Length: 4",
            "Content-Length: 3, 3",
            "Content-Length: +3",
            "Content-Length: 0x3",
            "Content-Length: ",
            "Content-Length: 99999999999999999999",
            "Content-Length : 3",
            "Transfer-Encoding : chunked",
            "Transfer-Encoding\t: chunked",
            " Transfer-Encoding: chunked",
            "X: y\r\n Transfer-Encoding: chunked",
            "X: y\r\n\tfolded",
            "X: y\nTransfer-Encoding: chunked",
            "X: y\rTransfer-Encoding: chunked",
            "X: \0y",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Host: b",
            "no colon",
            ": no name",
            "X\u{e9}: y",
        ] {
            assert_eq!(with(fields), Err(400), "{fields:?}");
        }
        for fields in [
            "Transfer-Encoding: identity",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: \x0bchunked",
            "Transfer-Encoding: \"chunked\"",
            "Transfer-Encoding: ",
        ] {
            assert_eq!(with(fields), Err(501), "{fields:?}");
        }
        assert_eq!(with("Expect: dessert"), Err(417));
    }

    #[test]
    fn refuses_broken_request_lines() {
        for (head, wanted) in [
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET / \r\nHost: a\r\n\r\n", 400),
            ("GET /\r\nHost: a\r\n\r\n", 400),
            ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("PRI * HTTP/2.0\r\n\r\n", 505),
            ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ] {
            assert_eq!(status(head), Err(wanted), "{head:?}");
        }
        let long = "x".repeat(TARGET_OCTETS_MAX);
        assert_eq!(status(&format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n")), Err(414));
    }

    #[test]
    fn header_fields_are_counted() {
        let fields = |count: usize| "X: y\r\n".repeat(count - 1).trim_end().to_owned();
        assert!(with(&fields(100)).is_ok());
        assert_eq!(with(&fields(101)), Err(431));
    }

    proptest! {
        #[test]
        fn any_octets_get_a_verdict(head in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = inspect(&head, &Limits::default());
        }
    }
}
