//! Octets of a text to characters.

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8, WINDOWS_1252};

/// A decoded text.
pub(crate) struct Decoded {
    pub(crate) text: String,
    /// The name of the character set that was used.
    pub(crate) charset: &'static str,
    /// Whether some octets were no characters.
    pub(crate) damaged: bool,
}

/// Decodes by byte order mark, else as declared, else by what fits.
pub(crate) fn decode(data: &[u8], declared: Option<&str>) -> Decoded {
    let encoding = Encoding::for_bom(data).map(|(encoding, _)| encoding).or_else(|| by_declaration(data, declared));
    let encoding = encoding.unwrap_or_else(|| by_looks(data));
    let (text, used, damaged) = encoding.decode(data);
    Decoded { text: text.into_owned(), charset: used.name(), damaged }
}

fn by_declaration(data: &[u8], declared: Option<&str>) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(declared?.trim().as_bytes())?;
    // Mails say us-ascii or latin-1 by habit; the octets know better.
    if encoding == WINDOWS_1252 && (looks_iso_2022_jp(data) || (!data.is_ascii() && std::str::from_utf8(data).is_ok()))
    {
        return None;
    }
    Some(encoding)
}

fn by_looks(data: &[u8]) -> &'static Encoding {
    if looks_iso_2022_jp(data) {
        return ISO_2022_JP;
    }
    if std::str::from_utf8(data).is_ok() {
        return UTF_8;
    }
    // Both Japanese encodings take many octet pairs; the one whose text is mostly kana is meant.
    let japanese = [EUC_JP, SHIFT_JIS].into_iter().filter_map(|encoding| {
        let text = encoding.decode_without_bom_handling_and_without_replacement(data)?;
        let foreign = text.chars().filter(|c| !c.is_ascii()).count();
        let kana = text.chars().filter(|c| matches!(*c as u32, 0x3001..=0x30FF)).count();
        (kana * 5 > foreign && kana > 0).then_some((kana, encoding))
    });
    japanese.max_by_key(|(kana, _)| *kana).map_or(WINDOWS_1252, |(_, encoding)| encoding)
}

fn looks_iso_2022_jp(data: &[u8]) -> bool {
    data.is_ascii() && data.windows(3).any(|w| matches!(w, [0x1B, b'$', b'B' | b'@'] | [0x1B, b'(', b'J' | b'I']))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JAPANESE: &str = "こんにちは、世界。ファイルです。";

    #[test]
    fn japanese_is_recognised_without_declaration() {
        for encoding in [UTF_8, ISO_2022_JP, EUC_JP, SHIFT_JIS] {
            let (octets, _, _) = encoding.encode(JAPANESE);
            let decoded = decode(&octets, None);
            assert_eq!((decoded.text.as_str(), decoded.damaged), (JAPANESE, false), "{}", encoding.name());
        }
    }

    #[test]
    fn the_declaration_counts_unless_it_is_plainly_wrong() {
        assert_eq!(decode(&[0xE4, 0xF6], Some("iso-8859-1")).text, "äö");
        assert_eq!(decode("äö".as_bytes(), Some("us-ascii")).text, "äö");
        assert_eq!(decode(&[0xC4, 0xD2], Some("koi8-r")).text, "др");
        assert_eq!(decode(&[0xFF, 0xFE, b'h', 0, b'i', 0], Some("utf-8")).text, "hi");
        assert_eq!(decode(&[0xE4, 0xF6, b' ', b'x'], Some("no-such-set")).text, "äö x");
    }

    #[test]
    fn damage_is_reported() {
        assert!(decode(&[b'a', 0xFF, b'b'], Some("utf-8")).damaged);
    }
}
