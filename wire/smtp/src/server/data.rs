//! Where a message ends, and its transparency (RFC 5321 sections 2.3.8, 4.1.1.4 and 4.5.2).
//!
//! Only CR LF . CR LF ends a message. What other servers may take for an end (a dot between bare LFs
//! or CRs, see VU#302671) is refused, or, for listed networks, becomes text inside the message. The decoder hands
//! out parts of its input and copies nothing.

/// A step of the decoder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step<'i> {
    /// Octets of the input that are done with.
    pub(super) consumed: usize,
    /// Octets of the message; from the input, or a line end that it lacked.
    pub(super) body: &'i [u8],
    pub(super) outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    More,
    End,
    /// A bare CR, a bare LF or NUL.
    BareLineBreak,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the start of a line; `strict` if CRLF ended the one before.
    LineStart {
        strict: bool,
    },
    Text,
    /// After a CR that was handed out.
    Cr,
    /// After a dot at the start of a line, held back.
    Dot {
        strict: bool,
    },
    /// After a dot and CR at the start of a line, both held back.
    DotCr {
        strict: bool,
    },
}

#[derive(Debug)]
pub(super) struct Decoder {
    place: Place,
    bare_lf_tolerated: bool,
}

impl Decoder {
    /// The CRLF of the command DATA counts as the end of the line before.
    pub(super) fn new(bare_lf_tolerated: bool) -> Self {
        Self { place: Place::LineStart { strict: true }, bare_lf_tolerated }
    }

    /// Reads as much of `input` as belongs together in the message.
    pub(super) fn step<'i>(&mut self, input: &'i [u8]) -> Step<'i> {
        let mut start = 0;
        let mut at = 0;
        while at < input.len() {
            let octet = input[at];
            match (self.place, octet) {
                (_, 0) => return bare_line_break(input, start, at),
                (Place::Cr, b'\n') => {
                    self.place = Place::LineStart { strict: true };
                    at += 1;
                }
                (Place::Cr, _) => return bare_line_break(input, start, at),
                (Place::LineStart { strict }, b'.') => {
                    self.place = Place::Dot { strict };
                    // What stands before the dot goes out first; the dot is held back.
                    return Step { consumed: at + 1, body: &input[start..at], outcome: Outcome::More };
                }
                (Place::Dot { strict }, b'\r') => {
                    self.place = Place::DotCr { strict };
                    at += 1;
                    start = at;
                }
                (Place::Dot { .. }, b'\n') => return self.bare_lf(input, start, at, b".\r\n"),
                (Place::Dot { .. }, _) => {
                    self.place = Place::Text;
                    start = at;
                }
                (Place::DotCr { strict: true }, b'\n') => {
                    return Step { consumed: at + 1, body: &[], outcome: Outcome::End };
                }
                (Place::DotCr { strict: false }, b'\n') => {
                    self.place = Place::LineStart { strict: true };
                    return Step { consumed: at + 1, body: b".\r\n", outcome: Outcome::More };
                }
                (Place::DotCr { .. }, _) => return bare_line_break(input, start, at),
                (Place::LineStart { .. } | Place::Text, b'\r') => {
                    self.place = Place::Cr;
                    at += 1;
                }
                (Place::LineStart { .. } | Place::Text, b'\n') => {
                    return self.bare_lf(input, start, at, b"\r\n");
                }
                (Place::LineStart { .. } | Place::Text, _) => {
                    self.place = Place::Text;
                    at += text_run(&input[at..]);
                }
            }
        }
        let body = if matches!(self.place, Place::DotCr { .. }) { &[] } else { &input[start..at] };
        Step { consumed: at, body, outcome: Outcome::More }
    }

    fn bare_lf<'i>(&mut self, input: &'i [u8], start: usize, at: usize, instead: &'static [u8]) -> Step<'i> {
        if !self.bare_lf_tolerated {
            return bare_line_break(input, start, at);
        }
        if start < at {
            // The text before it goes out first; the LF comes up again in the next step.
            return Step { consumed: at, body: &input[start..at], outcome: Outcome::More };
        }
        self.place = Place::LineStart { strict: false };
        Step { consumed: at + 1, body: instead, outcome: Outcome::More }
    }
}

fn bare_line_break(input: &[u8], start: usize, at: usize) -> Step<'_> {
    Step { consumed: at, body: &input[start..at], outcome: Outcome::BareLineBreak }
}

/// Octets up to the next CR, LF or NUL.
fn text_run(input: &[u8]) -> usize {
    input.iter().position(|&octet| matches!(octet, b'\r' | b'\n' | 0)).unwrap_or(input.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The whole message, the outcome and what was left over.
    fn decode(input: &[u8], tolerant: bool, piece: usize) -> (Vec<u8>, Outcome, Vec<u8>) {
        let mut decoder = Decoder::new(tolerant);
        let mut body = Vec::new();
        let mut at = 0;
        while at < input.len() {
            let end = input.len().min(at + piece);
            let step = decoder.step(&input[at..end]);
            assert!(step.consumed > 0 || step.outcome != Outcome::More, "stands still at {at}");
            body.extend_from_slice(step.body);
            at += step.consumed;
            if step.outcome != Outcome::More {
                return (body, step.outcome, input[at..].to_vec());
            }
        }
        (body, Outcome::More, Vec::new())
    }

    #[test]
    fn dots_are_unstuffed_and_only_the_strict_end_ends() {
        for piece in [1, 2, 3, 100] {
            let (body, outcome, rest) = decode(b"a\r\n..b\r\n.c\r\n...\r\n\r\n.\r\nQUIT\r\n", false, piece);
            assert_eq!(body, b"a\r\n.b\r\nc\r\n..\r\n\r\n", "{piece}");
            assert_eq!(outcome, Outcome::End);
            assert_eq!(rest, b"QUIT\r\n");
            assert_eq!(decode(b".\r\n", false, piece), (Vec::new(), Outcome::End, Vec::new()));
        }
    }

    #[test]
    fn bare_line_breaks_and_nul_are_refused() {
        for bad in [
            &b"a\nb"[..],
            b"a\rb",
            b"\nb",
            b"\r\r\n",
            b"a\r\n.\n",
            b"a\r\n.\rb",
            b"a\r\n.\r\r\n",
            b"a\0b",
            b"a\r\0",
            b"a\r\n.\0",
            b"a\n.\r\n",
        ] {
            for piece in [1, 2, 100] {
                assert_eq!(decode(bad, false, piece).1, Outcome::BareLineBreak, "{bad:?}");
            }
        }
    }

    #[test]
    fn bare_lf_is_normalised_after_framing() {
        for piece in [1, 2, 3, 100] {
            let (body, outcome, rest) = decode(b"a\n.\nb\n.\r\nc\r\n.\nd\n..e\r\n.\r\nQ", true, piece);
            assert_eq!(body, b"a\r\n.\r\nb\r\n.\r\nc\r\n.\r\nd\r\n.e\r\n", "{piece}");
            assert_eq!(outcome, Outcome::End);
            assert_eq!(rest, b"Q");
            assert_eq!(decode(b"a\rb\r\n", true, piece).1, Outcome::BareLineBreak);
        }
    }

    #[test]
    fn a_block_without_dots_is_one_piece() {
        let block = b"line one\r\nline two\r\n\r\nline\r\n";
        let step = Decoder::new(false).step(block);
        assert_eq!(step, Step { consumed: block.len(), body: block, outcome: Outcome::More });
    }

    proptest! {
        #[test]
        fn pieces_do_not_change_the_result(
            input in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'a'), Just(0)], 0..60),
            tolerant: bool,
        ) {
            let whole = decode(&input, tolerant, usize::MAX / 2);
            for piece in 1..5 {
                prop_assert_eq!(&decode(&input, tolerant, piece), &whole);
            }
        }
    }
}
