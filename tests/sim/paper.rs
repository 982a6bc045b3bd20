//! What comes out of a scripted printer, and the documents of the simulated world that lead to it.
//!
//! A document is its own description: a PDF says how many pages it has, a raster has a line for each side. So a
//! printer can tell what stands on a sheet, and the model can compare it with what was accepted.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use tympan_engine::{PageRange, ShortId};

/// The first eight octets of a document's SHA-256.
pub(super) type Sum = u64;

pub(super) fn sum_of(octets: &[u8]) -> Sum {
    let digest: [u8; 32] = Sha256::digest(octets).into();
    digest[..8].iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet))
}

/// What stands on one side of a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Page { sum: Sum, page: u32 },
    Mark(String),
    Blank,
}

/// One side that came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Side {
    /// Begins the name that the device's job had.
    pub(super) short: ShortId,
    /// Which of all jobs that this device ever had.
    pub(super) serial: u64,
    pub(super) what: What,
}

/// A PDF of so many pages, at least `octets` long.
pub(super) fn pdf(name: u64, pages: u32, octets: usize) -> Vec<u8> {
    let mut text = format!("%PDF-sim {name:016x} pages={pages}\n").into_bytes();
    let line = [b'.'; 64];
    while text.len() < octets {
        text.extend_from_slice(&line[..line.len().min(octets - text.len())]);
    }
    text
}

/// A document that nothing can be made of.
pub(super) fn broken(name: u64) -> Vec<u8> {
    format!("%BROKEN {name:016x}\n").into_bytes()
}

/// How many pages a PDF has; `None`: it is none.
pub(super) fn pages_of(octets: &[u8]) -> Option<u32> {
    let line = octets.split(|octet| *octet == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    line.strip_prefix("%PDF-sim ")?.split_once("pages=")?.1.parse().ok()
}

/// Several documents in one mail.
pub(super) fn mail(documents: &[Vec<u8>]) -> Vec<u8> {
    let mut mail = Vec::new();
    for document in documents {
        mail.extend_from_slice(format!("PART {}\n", document.len()).as_bytes());
        mail.extend_from_slice(document);
    }
    mail
}

/// The documents in a mail.
pub(super) fn parts_of(mut mail: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Vec::new();
    while !mail.is_empty() {
        let end = mail.iter().position(|octet| *octet == b'\n')?;
        let octets: usize = std::str::from_utf8(&mail[..end]).ok()?.strip_prefix("PART ")?.parse().ok()?;
        parts.push(mail.get(end + 1..end + 1 + octets)?);
        mail = &mail[end + 1 + octets..];
    }
    Some(parts)
}

/// Begins with PWG Raster's word, so that it is taken for raster; then a line for each side.
pub(super) fn raster(sides: &[What]) -> Vec<u8> {
    let mut text = String::from("RaS2\n");
    for side in sides {
        let _ = match side {
            What::Page { sum, page } => writeln!(text, "P {sum:016x} {page}"),
            What::Mark(mark) => writeln!(text, "M {mark}"),
            What::Blank => writeln!(text, "B"),
        };
        // A side is some hundred octets, so that a line can break within it.
        text.push_str(&"#".repeat(160));
        text.push('\n');
    }
    text.into_bytes()
}

fn side_of_line(line: &str) -> Option<What> {
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    match kind {
        "P" => {
            let (sum, page) = rest.split_once(' ')?;
            Some(What::Page { sum: u64::from_str_radix(sum, 16).ok()?, page: page.parse().ok()? })
        }
        "M" => Some(What::Mark(rest.into())),
        "B" => Some(What::Blank),
        _ => None,
    }
}

/// The sides in the beginning of a raster: those that have come as a whole.
pub(super) fn sides_of_raster(octets: &[u8]) -> Vec<What> {
    let text = String::from_utf8_lossy(octets);
    let mut sides = Vec::new();
    let mut open = None;
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        match side_of_line(line) {
            Some(side) => open = Some(side),
            None => sides.extend(open.take().filter(|_| line.starts_with('#') && line.len() == 160)),
        }
    }
    sides
}

/// One copy of what a printer makes of a document; `whole`: all of it has come.
pub(super) fn sides_of(octets: &[u8], ranges: &[PageRange], whole: bool) -> Vec<What> {
    if octets.starts_with(b"RaS2") {
        return sides_of_raster(octets);
    }
    match pages_of(octets).filter(|_| whole) {
        Some(pages) => {
            let sum = sum_of(octets);
            let wanted = |page: &u32| ranges.is_empty() || ranges.iter().any(|range| range.contains(*page));
            (1..=pages).filter(wanted).map(|page| What::Page { sum, page }).collect()
        }
        // The end of a PDF says where its pages are.
        None => Vec::new(),
    }
}
