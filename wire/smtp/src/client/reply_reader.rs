//! Reads replies (RFC 5321 section 4.2.1) from octets that come in any pieces.

use crate::reply::clean;
use crate::{Enhanced, Reply};

/// Longest reply line taken, in octets. RFC 5321 section 4.5.3.1.5 says 512; some servers write more.
const LINE_OCTETS_MAX: usize = 2048;
/// Most lines in a reply.
const LINES_MAX: usize = 128;

#[derive(Debug, Default)]
pub(super) struct ReplyReader {
    line: Vec<u8>,
    code: Option<u16>,
    enhanced: Option<Enhanced>,
    lines: Vec<String>,
}

impl ReplyReader {
    /// Takes octets up to the end of one reply: how many, and the reply if it is whole.
    pub(super) fn read(&mut self, input: &[u8]) -> Result<(usize, Option<Reply>), &'static str> {
        let mut consumed = 0;
        while let Some(rest) = input.get(consumed..).filter(|rest| !rest.is_empty()) {
            let end = rest.iter().position(|&octet| octet == b'\n');
            let taken = end.map_or(rest.len(), |at| at + 1);
            if self.line.len() + taken > LINE_OCTETS_MAX {
                return Err("a reply line is too long");
            }
            self.line.extend_from_slice(&rest[..taken]);
            consumed += taken;
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                if let Some(reply) = self.read_line(&line)? {
                    return Ok((consumed, Some(reply)));
                }
            }
        }
        Ok((consumed, None))
    }

    fn read_line(&mut self, line: &[u8]) -> Result<Option<Reply>, &'static str> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\r', '\n']);
        let code = text.get(..3).filter(|code| code.bytes().all(|b| b.is_ascii_digit()));
        let code: u16 = code.and_then(|code| code.parse().ok()).ok_or("a reply line without a code")?;
        if !(200..600).contains(&code) || self.code.is_some_and(|first| first != code) {
            return Err("a reply with a wrong code");
        }
        self.code = Some(code);
        let last = match text.as_bytes().get(3) {
            None | Some(b' ') => true,
            Some(b'-') => false,
            Some(_) => return Err("a reply line without a code"),
        };
        let text = text.get(4..).unwrap_or_default();
        let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
        let enhanced = Enhanced::parse(first).filter(|enhanced| u16::from(enhanced.class) == code / 100);
        if self.lines.len() >= LINES_MAX {
            return Err("a reply has too many lines");
        }
        self.lines.push(clean(if enhanced.is_some() { rest } else { text }));
        self.enhanced = self.enhanced.or(enhanced);
        if !last {
            return Ok(None);
        }
        self.code = None;
        Ok(Some(Reply::received(code, self.enhanced.take(), std::mem::take(&mut self.lines))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(input: &[u8], piece: usize) -> Result<Vec<Reply>, &'static str> {
        let mut reader = ReplyReader::default();
        let mut replies = Vec::new();
        for piece in input.chunks(piece) {
            let mut at = 0;
            while at < piece.len() {
                let (taken, reply) = reader.read(&piece[at..])?;
                at += taken;
                replies.extend(reply);
            }
        }
        Ok(replies)
    }

    #[test]
    fn replies_of_one_and_many_lines() {
        let input = b"250-5.1.1 odd\r\n250-2.1.0 fine\r\n250\r\n550 5.7.1 no\x1b[2J\xff\r\n354 go\n";
        for piece in [1, 3, 1000] {
            let replies = read_all(input, piece).unwrap();
            assert_eq!(replies[0].lines(), ["5.1.1 odd", "fine", ""]);
            assert_eq!(replies[0].enhanced(), Some(Enhanced::new(2, 1, 0)));
            assert_eq!(replies[1].to_string(), "550 5.7.1 no [2J?");
            assert_eq!(replies[2].code(), 354);
            assert_eq!(replies.len(), 3);
        }
    }

    #[test]
    fn nonsense_is_an_error_and_never_too_much_to_hold() {
        for bad in ["hello\r\n", "25\r\n", "250x\r\n", "250-a\r\n550 b\r\n", "999 x\r\n", "150 x\r\n", "\r\n"] {
            assert!(read_all(bad.as_bytes(), 1000).is_err(), "{bad}");
        }
        assert!(read_all(&[b'2'; 3000], 100).is_err());
        assert!(read_all("250-x\r\n".repeat(200).as_bytes(), 100).is_err());
    }

    proptest! {
        #[test]
        fn what_we_say_is_what_we_read(code in 200u16..600, text in "[!-~]{1,20}( [!-~]{1,200}){0,5}", more in "[!-~]{0,30}") {
            let reply = Reply::new(code, (5, 7, 1), text).line(more);
            let mut wire = Vec::new();
            reply.encode(&mut wire);
            let read = read_all(&wire, 7).unwrap();
            prop_assert_eq!(read.len(), 1);
            prop_assert_eq!(read[0].code(), code);
            if reply.enhanced().is_some() {
                prop_assert_eq!(&read[0], &reply);
            }
        }

        #[test]
        fn no_octets_make_it_panic(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_all(&input, 9);
        }
    }
}
