//! What kind of document comes up, by its first octets: what cannot be printed is refused before it is stored.
//!
//! Only a first look; the worker that makes pages looks again.

/// How many octets are looked at.
pub(crate) const START_OCTETS: usize = 1024;

/// The MIME type of a document that can be printed, or what it is instead, for the refusal.
pub(crate) fn sniff(start: &[u8], declared: Option<&str>) -> Result<&'static str, &'static str> {
    let start = &start[..start.len().min(START_OCTETS)];
    // Readers of PDF take up to 1024 octets of rubbish before its first line.
    if find(start, b"%PDF-") {
        return Ok("application/pdf");
    }
    let lower = start.trim_ascii_start().to_ascii_lowercase();
    let declared = declared.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match start {
        [0xff, 0xd8, 0xff, ..] => Ok("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok("image/png"),
        [b'%', b'!', ..] | [0x04, b'%', b'!', ..] => Err("a PostScript program"),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => Err("an office document or ZIP archive"),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Err("an office document"),
        [b'G', b'I', b'F', b'8', ..] => Err("a GIF picture"),
        [b'I', b'I', 0x2a, 0, ..] | [b'M', b'M', 0, 0x2a, ..] => Err("a TIFF picture"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Err("a WebP picture"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Err("a HEIC picture or a film"),
        [b'R', b'a', b'S', b'2', ..] => Ok("image/pwg-raster"),
        [b'U', b'N', b'I', b'R', b'A', b'S', b'T', ..] => Ok("image/urf"),
        _ if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") => Err("an HTML page"),
        _ if !is_text(start) => Err("a file of an unknown type"),
        _ if declared == "message/rfc822" => Ok("message/rfc822"),
        _ if std::str::from_utf8(start).map_or_else(|error| error.error_len().is_none(), |_| true) => Ok("text/plain"),
        // In another character set: only if the sender says that it is text.
        _ if declared.starts_with("text/") => Ok("text/plain"),
        _ => Err("a file of an unknown type"),
    }
}

fn is_text(start: &[u8]) -> bool {
    !start.iter().any(|octet| matches!(octet, 0..=8 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f))
}

fn find(start: &[u8], wanted: &[u8]) -> bool {
    start.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_printed_is_known_by_its_first_octets() {
        for (start, declared, format) in [
            (&b"%PDF-1.7\n"[..], None, Ok("application/pdf")),
            (b"\xef\xbb\xbf\r\n%PDF-1.4", Some("text/plain"), Ok("application/pdf")),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", None, Ok("image/jpeg")),
            (b"\x89PNG\r\n\x1a\n", None, Ok("image/png")),
            (b"hello\r\n\tworld\x0c", None, Ok("text/plain")),
            ("日本語".as_bytes(), None, Ok("text/plain")),
            (&"日本語".as_bytes()[..4], None, Ok("text/plain")),
            (b"\x1b$B@A5a=q\x1b(B", None, Ok("text/plain")),
            (b"caf\xe9 au lait", None, Err("a file of an unknown type")),
            (b"caf\xe9 au lait", Some("text/plain; charset=latin1"), Ok("text/plain")),
            (b"From: a\r\n\r\nb", Some("message/rfc822"), Ok("message/rfc822")),
            (b"%!PS-Adobe-3.0", None, Err("a PostScript program")),
            (b"PK\x03\x04rest", None, Err("an office document or ZIP archive")),
            (b"<!DOCTYPE HTML><p>", None, Err("an HTML page")),
            (b"\0\0\0\x18ftypheic", None, Err("a HEIC picture or a film")),
            (b"RaS2PwgRaster\0", None, Ok("image/pwg-raster")),
            (b"UNIRAST\0\0\0\0\x01", Some("application/octet-stream"), Ok("image/urf")),
            (b"MZ\x90\0\x03", None, Err("a file of an unknown type")),
        ] {
            assert_eq!(sniff(start, declared), format, "{:?}", String::from_utf8_lossy(start));
        }
    }
}
