//! Chunked transfer coding (RFC 9112 section 7.1), as a walker over octets.
//!
//! It keeps no data: it says which of the octets are framing and which are data. The listener uses
//! it to find where a request ends, the client to read an answer. Strict: no bare LF, no white space
//! before the size, bounded extensions and trailers, because a looser reading than the neighbour's
//! is what request smuggling lives on.

/// Octets of chunk extensions allowed in one size line.
const EXTENSION_OCTETS_MAX: usize = 256;
/// Octets of all trailer lines together.
const TRAILER_OCTETS_MAX: usize = 8 * 1024;

/// What the next octets of a chunked body are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// So many octets of framing.
    Framing(usize),
    /// So many octets of data.
    Data(usize),
    /// So many octets of framing, and with the last of them the body ends.
    End(usize),
    /// These octets break the coding.
    Fault(&'static str),
}

/// Where in a chunked body we are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walker {
    place: Place,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Size { size: u64, digits: u8 },
    Extension { size: u64, octets: usize },
    SizeLf { size: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
    Trailer { octets: usize, line: usize },
    TrailerLf { octets: usize, line: usize },
    Ended,
}

impl Walker {
    pub(crate) const fn new() -> Self {
        Self { place: Place::Size { size: 0, digits: 0 } }
    }

    /// Takes as much of `input` as is of one kind. `input` is not empty.
    pub(crate) fn step(&mut self, input: &[u8]) -> Step {
        if let Place::Data { left } = self.place {
            let octets = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
            let left = left - octets as u64;
            self.place = if left == 0 { Place::DataCr } else { Place::Data { left } };
            return Step::Data(octets);
        }
        for (index, octet) in input.iter().enumerate() {
            self.place = match next(self.place, *octet) {
                Ok(Place::Ended) => {
                    self.place = Place::Ended;
                    return Step::End(index + 1);
                }
                Ok(place @ Place::Data { .. }) => {
                    self.place = place;
                    return Step::Framing(index + 1);
                }
                Ok(place) => place,
                Err(fault) => return Step::Fault(fault),
            };
        }
        Step::Framing(input.len())
    }
}

fn next(place: Place, octet: u8) -> Result<Place, &'static str> {
    match place {
        Place::Size { size, digits } => match (octet, char::from(octet).to_digit(16)) {
            (_, Some(_)) if digits == 16 => Err("a chunk size is too long"),
            (_, Some(digit)) => Ok(Place::Size { size: size << 4 | u64::from(digit), digits: digits + 1 }),
            _ if digits == 0 => Err("a chunk has no size"),
            (b'\r', _) => Ok(Place::SizeLf { size }),
            (b';' | b' ' | b'\t', _) => Ok(Place::Extension { size, octets: 1 }),
            _ => Err("a chunk size is not a hexadecimal number"),
        },
        Place::Extension { size, octets } => match octet {
            b'\r' => Ok(Place::SizeLf { size }),
            b'\n' | 0 => Err("a chunk extension holds a bare line feed or a zero octet"),
            _ if octets >= EXTENSION_OCTETS_MAX => Err("a chunk extension is too long"),
            _ => Ok(Place::Extension { size, octets: octets + 1 }),
        },
        Place::SizeLf { size } => match (octet, size) {
            (b'\n', 0) => Ok(Place::Trailer { octets: 0, line: 0 }),
            (b'\n', left) => Ok(Place::Data { left }),
            _ => Err("a chunk size line does not end in CR LF"),
        },
        Place::DataCr if octet == b'\r' => Ok(Place::DataLf),
        Place::DataLf if octet == b'\n' => Ok(Place::Size { size: 0, digits: 0 }),
        Place::DataCr | Place::DataLf => Err("a chunk is longer than its size"),
        Place::Trailer { octets, line } => match octet {
            b'\r' => Ok(Place::TrailerLf { octets, line }),
            b'\n' | 0 => Err("a trailer holds a bare line feed or a zero octet"),
            _ if octets >= TRAILER_OCTETS_MAX => Err("the trailers are too long"),
            _ => Ok(Place::Trailer { octets: octets + 1, line: line + 1 }),
        },
        Place::TrailerLf { octets, line } => match (octet, line) {
            (b'\n', 0) => Ok(Place::Ended),
            (b'\n', _) => Ok(Place::Trailer { octets, line: 0 }),
            _ => Err("a trailer does not end in CR LF"),
        },
        Place::Data { .. } | Place::Ended => Err("octets after the end of the body"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(input: &[u8], cut: usize) -> Result<(Vec<u8>, usize), &'static str> {
        let mut walker = Walker::new();
        let mut data = Vec::new();
        let mut at = 0;
        while at < input.len() {
            let end = input.len().min(at + cut);
            match walker.step(&input[at..end]) {
                Step::Framing(n) => at += n,
                Step::Data(n) => {
                    data.extend_from_slice(&input[at..at + n]);
                    at += n;
                }
                Step::End(n) => return Ok((data, at + n)),
                Step::Fault(why) => return Err(why),
            }
        }
        Err("more")
    }

    #[test]
    fn reads_a_chunked_body_and_leaves_what_follows() {
        let input = b"4\r\nWiki\r\n6;a=b\r\npedia \r\n0\r\nX: y\r\n\r\nGET";
        for cut in 1..input.len() {
            assert_eq!(decode(input, cut).unwrap(), (b"Wikipedia ".to_vec(), input.len() - 3));
        }
    }

    #[test]
    fn refuses_loose_framing() {
        for bad in [
            &b"4\nWiki\r\n0\r\n\r\n"[..],
            b" 4\r\nWiki\r\n0\r\n\r\n",
            b"0x4\r\nWiki\r\n0\r\n\r\n",
            b"-1\r\n",
            b"\r\n",
            b"4\r\nWikiX\r\n",
            b"4\r\nWiki\n0\r\n\r\n",
            b"00000000000000001\r\n",
            b"0\r\nX: y\n\r\n",
        ] {
            let fault = decode(bad, 64).unwrap_err();
            assert_ne!(fault, "more", "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn extensions_are_bounded() {
        let with = |octets: usize| [b"1;".to_vec(), vec![b'x'; octets - 1], b"\r\na\r\n0\r\n\r\n".to_vec()].concat();
        assert!(decode(&with(EXTENSION_OCTETS_MAX), 64).is_ok());
        assert!(decode(&with(EXTENSION_OCTETS_MAX + 1), 64).is_err());
    }

    proptest! {
        #[test]
        fn any_octets_end_in_a_verdict(input in prop::collection::vec(any::<u8>(), 0..200), cut in 1_usize..20) {
            let _ = decode(&input, cut);
        }

        #[test]
        fn what_is_encoded_comes_back(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..10), cut in 1_usize..20) {
            let mut input = Vec::new();
            for piece in &pieces {
                input.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                input.extend_from_slice(piece);
                input.extend_from_slice(b"\r\n");
            }
            input.extend_from_slice(b"0\r\n\r\n");
            prop_assert_eq!(decode(&input, cut).unwrap(), (pieces.concat(), input.len()));
        }
    }
}
