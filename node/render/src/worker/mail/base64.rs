//! Base64 that was cut or disturbed on its way: what can be read of it.

/// Decodes what is there, past signs that are not of the alphabet (RFC 2045 section 6.8), to the first line that looks like a boundary.
pub(super) fn decode_leniently(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for line in text.split(|octet| *octet == b'\n') {
        if line.starts_with(b"--") {
            break;
        }
        for value in line.iter().filter_map(|sign| digit(*sign)) {
            bits = bits << 6 | u32::from(value);
            count += 6;
            if count >= 8 {
                count -= 8;
                octets.push((bits >> count) as u8);
            }
        }
    }
    octets
}

fn digit(sign: u8) -> Option<u8> {
    Some(match sign {
        b'A'..=b'Z' => sign - b'A',
        b'a'..=b'z' => sign - b'a' + 26,
        b'0'..=b'9' => sign - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disturbed_base64_gives_what_it_has() {
        assert_eq!(decode_leniently(b"SGVs\r\nbG8="), b"Hello");
        assert_eq!(decode_leniently(b"SG!Vs bG8\r\n--boundary\r\nAAAA"), b"Hello");
        assert_eq!(decode_leniently(b"SGVsbG"), b"Hell");
        assert_eq!(decode_leniently(b""), b"");
    }
}
