//! The coding of lines that both formats share (PWG 5102.4 section 4.4).
//!
//! A line group is one octet "times - 1" and then codes until the line is full: 0x00..=0x7F repeat
//! the next value 1 to 128 times, 0x81..=0xFF stand before 128 to 2 literal values. These signs are
//! the reverse of TIFF's PackBits.

use alloc::vec::Vec;

/// What the code 0x80 means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code80 {
    /// An error: PWG Raster does not define it.
    Undefined,
    /// The rest of the line is empty: Apple Raster.
    FillWhite,
}

/// Appends the codes of one row, without the octet that repeats the line.
pub(crate) fn encode_row(row: &[u8], unit: usize, out: &mut Vec<u8>) {
    match unit {
        1 => encode_pixels::<1>(row, out),
        2 => encode_pixels::<2>(row, out),
        3 => encode_pixels::<3>(row, out),
        4 => encode_pixels::<4>(row, out),
        6 => encode_pixels::<6>(row, out),
        8 => encode_pixels::<8>(row, out),
        _ => encode_values(row.len() / unit, |i| &row[i * unit..(i + 1) * unit], unit, out),
    }
}

fn encode_pixels<const UNIT: usize>(row: &[u8], out: &mut Vec<u8>) {
    let (pixels, _) = row.as_chunks::<UNIT>();
    encode_values(pixels.len(), |i| &pixels[i], UNIT, out);
}

fn encode_values<'a, P>(len: usize, at: impl Fn(usize) -> &'a P, unit: usize, out: &mut Vec<u8>)
where
    P: PartialEq + AsRef<[u8]> + ?Sized + 'a,
{
    // A run of two inside literals pays only if a value is longer than the code before it.
    let run_min = if unit == 1 { 3 } else { 2 };
    let run_at = |start: usize| {
        let first = at(start);
        let mut end = start + 1;
        while end < len && end - start < 128 && at(end) == first {
            end += 1;
        }
        end - start
    };
    let mut i = 0;
    while i < len {
        let run = run_at(i);
        if run >= 2 || i + 1 == len {
            out.push((run - 1) as u8);
            out.extend_from_slice(at(i).as_ref());
            i += run;
            continue;
        }
        let start = i;
        i += 1;
        while i < len && i - start < 128 {
            let run = run_at(i);
            if run >= run_min {
                break;
            }
            i = (i + run).min(start + 128);
        }
        let count = i - start;
        if count == 1 {
            out.push(0);
        } else {
            out.push((257 - count) as u8);
        }
        for k in start..i {
            out.extend_from_slice(at(k).as_ref());
        }
    }
}

/// Why a line cannot be decoded; the reader adds where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineFault {
    RunPastLine,
    UndefinedCode,
}

/// Decodes one line from octets that come in any pieces.
#[derive(Debug, Clone)]
pub(crate) struct LineDecoder {
    row: Vec<u8>,
    filled: usize,
    /// Octets of the current literal code that have not come yet.
    literal_left: usize,
    unit: usize,
    white: u8,
    code_80: Code80,
}

impl LineDecoder {
    pub(crate) fn new(code_80: Code80) -> Self {
        Self { row: Vec::new(), filled: 0, literal_left: 0, unit: 1, white: 0, code_80 }
    }

    /// Makes ready for pages of lines of `bytes_per_line` octets.
    pub(crate) fn begin_page(&mut self, bytes_per_line: usize, unit: usize, white: u8) {
        self.row.clear();
        self.row.resize(bytes_per_line, white);
        self.row.shrink_to_fit();
        self.unit = unit;
        self.white = white;
        self.begin_line();
    }

    pub(crate) fn begin_line(&mut self) {
        self.filled = 0;
        self.literal_left = 0;
    }

    pub(crate) fn row(&self) -> &[u8] {
        &self.row
    }

    /// Eats from `input`; tells how many octets were eaten and whether the line is full.
    pub(crate) fn decode(&mut self, input: &[u8]) -> Result<(usize, bool), LineFault> {
        let mut eaten = 0;
        while self.filled < self.row.len() {
            let rest = &input[eaten..];
            let room = self.row.len() - self.filled;
            if self.literal_left > 0 {
                let take = self.literal_left.min(rest.len());
                if take == 0 {
                    break;
                }
                self.row[self.filled..self.filled + take].copy_from_slice(&rest[..take]);
                self.filled += take;
                self.literal_left -= take;
                eaten += take;
                continue;
            }
            let Some((&code, rest)) = rest.split_first() else {
                break;
            };
            match code {
                0x00..=0x7F => {
                    let length = (usize::from(code) + 1) * self.unit;
                    if length > room {
                        return Err(LineFault::RunPastLine);
                    }
                    let Some(value) = rest.get(..self.unit) else {
                        break;
                    };
                    let run = &mut self.row[self.filled..self.filled + length];
                    if let [octet] = value {
                        run.fill(*octet);
                    } else {
                        run.chunks_exact_mut(self.unit).for_each(|pixel| pixel.copy_from_slice(value));
                    }
                    self.filled += length;
                    eaten += 1 + self.unit;
                }
                0x80 => match self.code_80 {
                    Code80::Undefined => return Err(LineFault::UndefinedCode),
                    Code80::FillWhite => {
                        self.row[self.filled..].fill(self.white);
                        self.filled = self.row.len();
                        eaten += 1;
                    }
                },
                0x81..=0xFF => {
                    let length = (257 - usize::from(code)) * self.unit;
                    if length > room {
                        return Err(LineFault::RunPastLine);
                    }
                    self.literal_left = length;
                    eaten += 1;
                }
            }
        }
        Ok((eaten, self.filled == self.row.len()))
    }
}

/// Gathers the rows of a page, writes equal neighbours as one line group. Holds one row.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowsEncoder {
    row: Vec<u8>,
    bytes_per_line: usize,
    unit: usize,
    /// How often `row` stands so far, 0 to 256.
    times: u16,
    rows_left: u32,
}

impl RowsEncoder {
    pub(crate) fn begin_page(&mut self, bytes_per_line: usize, unit: usize, height: u32) {
        self.row.clear();
        self.row.reserve_exact(bytes_per_line);
        self.bytes_per_line = bytes_per_line;
        self.unit = unit;
        self.times = 0;
        self.rows_left = height;
    }

    pub(crate) fn rows_left(&self) -> u32 {
        self.rows_left
    }

    pub(crate) fn bytes_per_line(&self) -> usize {
        self.bytes_per_line
    }

    /// Takes whole rows; the caller has checked their number.
    pub(crate) fn rows(&mut self, rows: &[u8], out: &mut Vec<u8>) {
        for row in rows.chunks_exact(self.bytes_per_line) {
            self.rows_left -= 1;
            if self.times > 0 && self.times < 256 && self.row == row {
                self.times += 1;
                continue;
            }
            self.flush(out);
            self.row.clear();
            self.row.extend_from_slice(row);
            self.times = 1;
        }
    }

    pub(crate) fn flush(&mut self, out: &mut Vec<u8>) {
        if self.times > 0 {
            out.push((self.times - 1) as u8);
            encode_row(&self.row, self.unit, out);
            self.times = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn encoded(row: &[u8], unit: usize) -> Vec<u8> {
        let mut out = Vec::new();
        encode_row(row, unit, &mut out);
        out
    }

    #[test]
    fn long_runs_and_literals_are_cut_at_128() {
        assert_eq!(encoded(&[7; 300], 1), vec![0x7F, 7, 0x7F, 7, 43, 7]);
        let literals: Vec<u8> = (0..=255).collect();
        let coded = encoded(&literals, 1);
        assert_eq!((coded[0], coded[129], coded.len()), (0x81, 0x81, 258));
    }

    #[test]
    fn a_single_value_is_a_run_of_one() {
        assert_eq!(encoded(&[9], 1), vec![0, 9]);
        assert_eq!(encoded(&[1, 2, 3, 9, 9, 9], 3), vec![0xFF, 1, 2, 3, 9, 9, 9]);
    }

    proptest! {
        #[test]
        fn any_row_reads_back_in_any_pieces(
            unit in prop::sample::select(vec![1usize, 2, 3, 4, 5, 6, 8, 30]),
            values in prop::collection::vec(0u8..4, 1..400),
            piece in 1usize..50,
        ) {
            let row: Vec<u8> = values.iter().flat_map(|v| core::iter::repeat_n(*v, unit)).collect();
            let coded = encoded(&row, unit);
            prop_assert!(!coded.is_empty());
            let mut decoder = LineDecoder::new(Code80::Undefined);
            decoder.begin_page(row.len(), unit, 0xAA);
            let mut buffer = Vec::new();
            let mut full = false;
            for bytes in coded.chunks(piece) {
                buffer.extend_from_slice(bytes);
                let (eaten, done) = decoder.decode(&buffer).unwrap();
                buffer.drain(..eaten);
                full = done;
            }
            prop_assert!(full && buffer.is_empty());
            prop_assert_eq!(decoder.row(), &row[..]);
        }
    }
}
