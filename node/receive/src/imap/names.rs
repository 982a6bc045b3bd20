//! Names of folders on the wire: modified UTF-7 (RFC 3501 section 5.1.3).

use base64::Engine as _;
use base64::alphabet::Alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// The alphabet of mailbox names: `,` in place of `/`.
const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// A folder's name as it is sent.
pub(super) fn encode(name: &str) -> String {
    let Ok(alphabet) = Alphabet::new(ALPHABET) else { unreachable!("64 different characters") };
    let base64 = GeneralPurpose::new(&alphabet, NO_PAD);
    let mut out = String::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let plain = |c: char| (' '..='~').contains(&c);
        let end = rest.find(|c| plain(c) != plain(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if plain(first) {
            out.push_str(&run.replace('&', "&-"));
        } else {
            let units: Vec<u8> = run.encode_utf16().flat_map(u16::to_be_bytes).collect();
            out.push('&');
            base64.encode_string(units, &mut out);
            out.push('-');
        }
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_in_the_standard() {
        for (name, encoded) in [
            ("Printed", "Printed"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("R&D", "R&-D"),
            ("Gedruckt für mich", "Gedruckt f&APw-r mich"),
            ("😀", "&2D3eAA-"),
        ] {
            assert_eq!(encode(name), encoded);
        }
    }
}
