//! Transparency on the way out (RFC 5321 sections 2.3.8 and 4.5.2).
//!
//! Every line end becomes CRLF first, only then are dots doubled: a bare CR or LF that left us could end the mail at
//! another server. NUL is left out, because servers refuse it.

#[derive(Debug)]
pub(super) struct Stuffer {
    at_line_start: bool,
    /// A CR came; its LF may follow.
    pending_cr: bool,
}

impl Stuffer {
    pub(super) fn new() -> Self {
        Self { at_line_start: true, pending_cr: false }
    }

    /// Appends `input` to `out` while that is shorter than `out_octets_high`; returns how many octets were taken.
    pub(super) fn push(&mut self, input: &[u8], out: &mut Vec<u8>, out_octets_high: usize) -> usize {
        let mut at = 0;
        while at < input.len() && out.len() < out_octets_high {
            let octet = input[at];
            if std::mem::take(&mut self.pending_cr) {
                self.end_line(out);
                at += usize::from(octet == b'\n');
                continue;
            }
            match octet {
                b'\r' => {
                    self.pending_cr = true;
                    at += 1;
                }
                b'\n' => {
                    self.end_line(out);
                    at += 1;
                }
                0 => at += 1,
                _ => {
                    let room = out_octets_high - out.len();
                    let rest = &input[at..input.len().min(at.saturating_add(room))];
                    let run = rest.iter().position(|&octet| matches!(octet, b'\r' | b'\n' | 0)).unwrap_or(rest.len());
                    if std::mem::take(&mut self.at_line_start) && octet == b'.' {
                        out.push(b'.');
                    }
                    out.extend_from_slice(&rest[..run]);
                    at += run;
                }
            }
        }
        at
    }

    /// Ends the last line and the message.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.pending_cr || !self.at_line_start {
            self.pending_cr = false;
            self.end_line(out);
        }
        out.extend_from_slice(b".\r\n");
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\r\n");
        self.at_line_start = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuff(input: &[u8], piece: usize) -> String {
        let mut stuffer = Stuffer::new();
        let mut out = Vec::new();
        for piece in input.chunks(piece) {
            assert_eq!(stuffer.push(piece, &mut out, usize::MAX), piece.len());
        }
        stuffer.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_normalised_before_dots_are_doubled() {
        for piece in [1, 2, 3, 100] {
            assert_eq!(stuff(b"", piece), ".\r\n");
            assert_eq!(stuff(b".", piece), "..\r\n.\r\n");
            assert_eq!(stuff(b"a\n.\nb\r.\rc\r\n.\r\n", piece), "a\r\n..\r\nb\r\n..\r\nc\r\n..\r\n.\r\n");
            assert_eq!(stuff(b"a\0b\r", piece), "ab\r\n.\r\n");
            assert_eq!(stuff(b"\r\r\n\n", piece), "\r\n\r\n\r\n.\r\n");
        }
    }

    #[test]
    fn output_is_bounded() {
        let mut out = Vec::new();
        let taken = Stuffer::new().push(&[b'x'; 1000], &mut out, 100);
        assert_eq!((taken, out.len()), (100, 100));
    }
}
