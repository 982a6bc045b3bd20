//! What kind of document some octets are.
//!
//! The content decides where it can; the declared type only decides between kinds that look alike (text, mail, HTML).

use serde::{Deserialize, Serialize};

/// A kind of document, as far as printing cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// `application/pdf`.
    Pdf,
    /// `image/jpeg`.
    Jpeg,
    /// `image/png`.
    Png,
    /// `text/plain` in any character set.
    Text,
    /// `text/html`.
    Html,
    /// `application/postscript`.
    PostScript,
    /// `image/pwg-raster` (PWG 5102.4).
    PwgRaster,
    /// `image/urf`, Apple Raster.
    AppleRaster,
    /// `image/tiff`.
    Tiff,
    /// `image/gif`.
    Gif,
    /// `image/webp`.
    Webp,
    /// `image/heic` and its relatives.
    Heic,
    /// Word, Excel, PowerPoint, OpenDocument, RTF.
    Office,
    /// Any other ZIP.
    Zip,
    /// `message/rfc822`.
    Mail,
    /// `application/ms-tnef`, the `winmail.dat` of Outlook.
    Tnef,
    /// No octets.
    Empty,
    /// None of the above.
    Unknown,
}

impl Format {
    /// The formats that can be printed, in words for a notice.
    pub const PRINTABLE: &'static str = "PDF, JPEG, PNG and plain text";

    /// Whether a page can be made of it.
    pub fn is_printable(self) -> bool {
        matches!(self, Self::Pdf | Self::Jpeg | Self::Png | Self::Text) || self.is_raster()
    }

    /// Whether it is pages that a client drew for a printer.
    pub fn is_raster(self) -> bool {
        matches!(self, Self::PwgRaster | Self::AppleRaster)
    }

    /// Whether it is a picture, printable or not.
    pub fn is_image(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Tiff | Self::Gif | Self::Webp | Self::Heic)
    }

    /// Its MIME media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Text => "text/plain",
            Self::Html => "text/html",
            Self::PostScript => "application/postscript",
            Self::PwgRaster => "image/pwg-raster",
            Self::AppleRaster => "image/urf",
            Self::Tiff => "image/tiff",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
            Self::Zip => "application/zip",
            Self::Mail => "message/rfc822",
            Self::Tnef => "application/ms-tnef",
            Self::Office | Self::Empty | Self::Unknown => "application/octet-stream",
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pdf => "PDF",
            Self::Jpeg => "JPEG picture",
            Self::Png => "PNG picture",
            Self::Text => "plain text",
            Self::Html => "HTML page",
            Self::PostScript => "PostScript program",
            Self::PwgRaster => "PWG Raster",
            Self::AppleRaster => "Apple Raster",
            Self::Tiff => "TIFF picture",
            Self::Gif => "GIF picture",
            Self::Webp => "WebP picture",
            Self::Heic => "HEIC picture",
            Self::Office => "office document",
            Self::Zip => "ZIP archive",
            Self::Mail => "mail",
            Self::Tnef => "winmail.dat of Outlook",
            Self::Empty => "empty file",
            Self::Unknown => "file of an unknown type",
        }
    }
}

/// How many octets of the beginning [`sniff`] looks at, at most.
pub(crate) const SNIFF_OCTETS: usize = 4096;

/// Finds out what kind of document begins with `start`; `declared` is the media type that came with it.
pub fn sniff(start: &[u8], declared: Option<&str>) -> Format {
    if start.is_empty() {
        return Format::Empty;
    }
    let start = &start[..start.len().min(SNIFF_OCTETS)];
    let declared = declared.map(|d| d.split(';').next().unwrap_or("").trim().to_ascii_lowercase()).unwrap_or_default();
    if let Some(format) = by_magic(start) {
        return format;
    }
    if looks_binary(start) || is_never_text(&declared) {
        return Format::Unknown;
    }
    let head = trim_start(start);
    match declared.as_str() {
        "message/rfc822" => Format::Mail,
        "text/html" | "application/xhtml+xml" => Format::Html,
        "text/plain" => Format::Text,
        _ if starts_with_ignoring_case(head, b"<!doctype html") || starts_with_ignoring_case(head, b"<html") => {
            Format::Html
        }
        _ => Format::Text,
    }
}

fn by_magic(start: &[u8]) -> Option<Format> {
    // PDF readers accept up to 1024 octets of rubbish before the header (PDF 1.7, implementation note 13).
    if find(&start[..start.len().min(1024)], b"%PDF-").is_some() {
        return Some(Format::Pdf);
    }
    let format = match start {
        [0xFF, 0xD8, 0xFF, ..] => Format::Jpeg,
        [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Format::Png,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Format::Gif,
        [b'I', b'I', 0x2A, 0x00, ..] | [b'M', b'M', 0x00, 0x2A, ..] => Format::Tiff,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Format::Webp,
        [b'R', b'a', b'S', b'2', ..] => Format::PwgRaster,
        [b'U', b'N', b'I', b'R', b'A', b'S', b'T', 0, ..] => Format::AppleRaster,
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..]
            if [b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif"].iter().any(|b| brand.starts_with(*b)) =>
        {
            Format::Heic
        }
        [0x78, 0x9F, 0x3E, 0x22, ..] => Format::Tnef,
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => Format::Office,
        [b'P', b'K', 3 | 5 | 7, 4 | 6 | 8, ..] => zip_kind(start),
        [b'{', b'\\', b'r', b't', b'f', ..] => Format::Office,
        [b'%', b'!', ..] | [0x04, b'%', b'!', ..] | [0xC5, 0xD0, 0xD3, 0xC6, ..] => Format::PostScript,
        _ => return None,
    };
    Some(format)
}

fn zip_kind(start: &[u8]) -> Format {
    // The first local header names its entry at offset 30; its length stands at 26.
    let name_octets = match start.get(26..28) {
        Some(&[low, high]) => usize::from(u16::from_le_bytes([low, high])),
        _ => return Format::Zip,
    };
    let name = start.get(30..30 + name_octets).unwrap_or_default();
    let is_office = name == b"[Content_Types].xml"
        || [&b"_rels/"[..], b"word/", b"xl/", b"ppt/"].iter().any(|folder| name.starts_with(folder))
        || (name == b"mimetype" && find(start, b"application/vnd.oasis.opendocument").is_some());
    if is_office { Format::Office } else { Format::Zip }
}

/// Types whose files are never text: what says so and reads like text is a mistake, and nobody wants it on paper.
fn is_never_text(declared: &str) -> bool {
    ["image/", "audio/", "video/", "font/"]
        .iter()
        .any(|kind| declared.starts_with(kind))
        || matches!(
            declared,
            "application/pdf" | "application/zip" | "application/msword" | "application/ms-tnef"
        )
        // Windows declares lists of values as Excel's.
        || (declared.starts_with("application/vnd.") && declared != "application/vnd.ms-excel")
}

fn looks_binary(start: &[u8]) -> bool {
    if start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) {
        return false;
    }
    // ESC begins the shifts of ISO-2022-JP; the rest is what editors and line printers use.
    let odd = start.iter().filter(|&&b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0C | 0x08 | 0x1B)).count();
    start.contains(&0) || odd * 50 > start.len()
}

fn trim_start(start: &[u8]) -> &[u8] {
    let start = start.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(start);
    start.trim_ascii_start()
}

fn starts_with_ignoring_case(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len()).is_some_and(|t| t.eq_ignore_ascii_case(prefix))
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|w| w == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_outweighs_the_declared_type() {
        assert_eq!(sniff(b"%PDF-1.7\n", Some("application/octet-stream")), Format::Pdf);
        assert_eq!(sniff(b"junk\r\n%PDF-1.4", Some("text/plain")), Format::Pdf);
        assert_eq!(sniff(&[0xFF, 0xD8, 0xFF, 0xE0], Some("image/png")), Format::Jpeg);
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n", None), Format::Png);
        assert_eq!(sniff(b"MZ\x90\0\x03\0", Some("application/pdf")), Format::Unknown);
    }

    #[test]
    fn text_is_told_from_binary_and_html() {
        assert_eq!(sniff(b"Hello\n", None), Format::Text);
        assert_eq!(sniff("日本語".as_bytes(), Some("application/octet-stream")), Format::Text);
        assert_eq!(sniff(b"\x1b$B$3$s\x1b(B", Some("text/plain; charset=iso-2022-jp")), Format::Text);
        assert_eq!(sniff(b" <!DOCTYPE HTML><p>", None), Format::Html);
        assert_eq!(sniff(b"<html>", Some("text/plain")), Format::Text);
        assert_eq!(sniff(&[0, 1, 2, 3], Some("text/plain")), Format::Unknown);
        assert_eq!(sniff(&[0xFF, 0xFE, b'a', 0], None), Format::Text);
        assert_eq!(sniff(b"", Some("application/pdf")), Format::Empty);
    }

    #[test]
    fn archives_and_mail_wrappers_are_named() {
        let mut docx = b"PK\x03\x04".to_vec();
        docx.resize(26, 0);
        docx.extend([19, 0, 0, 0]);
        docx.extend(b"[Content_Types].xml");
        assert_eq!(sniff(&docx, None), Format::Office);
        assert_eq!(sniff(b"PK\x03\x04rest", None), Format::Zip);
        assert_eq!(sniff(&[0x78, 0x9F, 0x3E, 0x22, 1, 2], Some("application/ms-tnef")), Format::Tnef);
        assert_eq!(sniff(b"From: a@b\r\n\r\nhi", Some("message/rfc822")), Format::Mail);
    }
}
