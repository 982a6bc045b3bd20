//! Names of parts, fit to be shown.

use mail_parser::{MessagePart, MimeHeaders};

/// Longest name, in characters.
const CHARACTERS_MAX: usize = 120;

/// The name a part was given (RFC 2183, RFC 2231; RFC 2047 where programs use it wrongly).
pub(super) fn of_part(part: &MessagePart<'_>) -> Option<String> {
    sane(part.attachment_name()?)
}

/// Without folders, control and direction characters, bounded; the ending stays.
pub(super) fn sane(name: &str) -> Option<String> {
    let base = name.rsplit(['/', '\\']).find(|piece| !piece.trim().is_empty())?;
    let plain: String = base.chars().filter(|c| !c.is_control() && !is_direction(*c)).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = plain.trim_matches('.').trim();
    if plain.is_empty() {
        return None;
    }
    let characters: Vec<char> = plain.chars().collect();
    if characters.len() <= CHARACTERS_MAX {
        return Some(plain.to_owned());
    }
    let ending =
        characters.iter().rposition(|c| *c == '.').filter(|at| characters.len() - at <= 10).unwrap_or(characters.len());
    let ending = &characters[ending..];
    let kept = &characters[..CHARACTERS_MAX - 1 - ending.len()];
    Some(kept.iter().chain(&['…']).chain(ending).collect())
}

/// One line of a header, without control and direction characters, bounded.
pub(super) fn one_line(text: &str, characters_max: usize) -> String {
    let plain: String = text.chars().filter(|c| (!c.is_control() || c.is_whitespace()) && !is_direction(*c)).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(characters_max).collect()
}

/// Marks that turn the direction of writing: "fdp.exe" could look like "exe.pdf".
fn is_direction(character: char) -> bool {
    matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{061C}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_folders_controls_and_tricks() {
        assert_eq!(sane("../../etc/passwd").as_deref(), Some("passwd"));
        assert_eq!(sane("C:\\Users\\anna\\請求書.pdf").as_deref(), Some("請求書.pdf"));
        assert_eq!(sane("a\u{202E}fdp.exe").as_deref(), Some("afdp.exe"));
        assert_eq!(sane("a\r\nBcc: x").as_deref(), Some("aBcc: x"));
        assert_eq!(sane("...").as_deref(), None);
        assert_eq!(sane("folder/").as_deref(), Some("folder"));
    }

    #[test]
    fn long_names_keep_their_ending() {
        let long = format!("{}.pdf", "漢".repeat(500));
        let sane = sane(&long).unwrap();
        assert_eq!(sane.chars().count(), CHARACTERS_MAX);
        assert!(sane.ends_with("….pdf"));
    }
}
