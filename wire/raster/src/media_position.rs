//! `MediaPosition` (PWG 5102.4 table 5) and the keywords of "media-source" it stands for.

/// The keywords, by number; the trays and rolls after them are counted.
const NAMES: [&str; 20] = [
    "auto",
    "main",
    "alternate",
    "large-capacity",
    "manual",
    "envelope",
    "disc",
    "photo",
    "hagaki",
    "main-roll",
    "alternate-roll",
    "top",
    "middle",
    "bottom",
    "side",
    "left",
    "right",
    "center",
    "rear",
    "by-pass-tray",
];
const TRAYS: [&str; 20] = [
    "tray-1", "tray-2", "tray-3", "tray-4", "tray-5", "tray-6", "tray-7", "tray-8", "tray-9", "tray-10", "tray-11",
    "tray-12", "tray-13", "tray-14", "tray-15", "tray-16", "tray-17", "tray-18", "tray-19", "tray-20",
];
const ROLLS: [&str; 10] =
    ["roll-1", "roll-2", "roll-3", "roll-4", "roll-5", "roll-6", "roll-7", "roll-8", "roll-9", "roll-10"];

/// The keyword of "media-source" for a number of the header.
pub fn keyword(number: u32) -> Option<&'static str> {
    let index = number as usize;
    match number {
        0..=19 => NAMES.get(index).copied(),
        20..=39 => TRAYS.get(index - 20).copied(),
        40..=49 => ROLLS.get(index - 40).copied(),
        _ => None,
    }
}

/// The number of the header for a keyword of "media-source".
pub fn number(keyword: &str) -> Option<u32> {
    let find = |names: &[&str], base: u32| names.iter().position(|n| *n == keyword).map(|i| base + i as u32);
    find(&NAMES, 0).or_else(|| find(&TRAYS, 20)).or_else(|| find(&ROLLS, 40))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_reads_back() {
        for n in 0..50 {
            assert_eq!(number(keyword(n).unwrap()), Some(n));
        }
        assert_eq!(keyword(50), None);
        assert_eq!((number("tray-20"), number("roll-10"), number("by-pass-tray")), (Some(39), Some(49), Some(19)));
    }
}
