//! Wire bytes written for people: hex with spaces, and "text" for the octets of a string.

/// Reads `0200 000b "copies"`; a bar may separate parts.
pub(crate) fn hex(written: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for (nth, part) in written.split('"').enumerate() {
        if nth % 2 == 1 {
            octets.extend(part.bytes());
            continue;
        }
        let digits: Vec<u32> = part
            .chars()
            .filter(|character| !character.is_whitespace() && *character != '|')
            .map(|digit| digit.to_digit(16).unwrap_or_else(|| panic!("{digit:?} is no hex digit")))
            .collect();
        assert_eq!(digits.len() % 2, 0, "half an octet in {part:?}");
        octets.extend(digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8));
    }
    octets
}
