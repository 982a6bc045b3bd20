//! How a job is to be printed, and the words in a mail's subject that say so.
//!
//! `[attachments duplex 2 copies mono A5 pages 1-3]` anywhere in the subject; the rest is the job's
//! name. Words that are not known are reported back, never ignored.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Which parts of a mail are printed (A05).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Printed {
    /// The attachments if there are any, else the body: the default, it spares paper.
    #[default]
    AttachmentsElseBody,
    /// The attachments only.
    Attachments,
    /// The body only.
    Body,
    /// The body, then the attachments.
    Both,
}

/// "sides" (RFC 8011 section 5.2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sides {
    /// One side of each sheet.
    OneSided,
    /// Both sides, turned like a book.
    TwoSidedLongEdge,
    /// Both sides, turned like a calendar.
    TwoSidedShortEdge,
}

impl Sides {
    /// The keyword.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneSided => "one-sided",
            Self::TwoSidedLongEdge => "two-sided-long-edge",
            Self::TwoSidedShortEdge => "two-sided-short-edge",
        }
    }

    /// Whether both sides of a sheet are used.
    pub const fn is_duplex(self) -> bool {
        !matches!(self, Self::OneSided)
    }
}

/// "print-color-mode" (PWG 5100.13 section 6.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColorMode {
    /// As the printer can.
    Auto,
    /// In colour.
    Color,
    /// In black only.
    Monochrome,
}

/// "orientation-requested" (RFC 8011 section 5.2.10): how pages lie on the paper, anticlockwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// Not turned.
    Portrait,
    /// By 90 degrees.
    Landscape,
    /// By 270 degrees.
    ReverseLandscape,
    /// By 180 degrees.
    ReversePortrait,
}

/// "print-scaling" (PWG 5100.13 section 6.2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Made smaller where it does not fit.
    Auto,
    /// As `auto`, and made larger to fill borderless paper; we do as `auto`.
    AutoFit,
    /// Fills the paper; what is over is cut.
    Fill,
    /// As large as the printable area allows.
    Fit,
    /// As it is.
    None,
}

/// "print-quality" (RFC 8011 section 5.2.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quality {
    /// Fast, and sparing of ink.
    Draft,
    /// As usual.
    Normal,
    /// As fine as the printer can.
    High,
}

impl Quality {
    /// The enum value: 3, 4 or 5.
    pub const fn number(self) -> i32 {
        match self {
            Self::Draft => 3,
            Self::Normal => 4,
            Self::High => 5,
        }
    }

    /// The quality of an enum value.
    pub const fn from_number(number: i32) -> Option<Self> {
        match number {
            3 => Some(Self::Draft),
            4 => Some(Self::Normal),
            5 => Some(Self::High),
            _ => None,
        }
    }
}

/// "multiple-document-handling" (RFC 8011 section 5.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handling {
    /// One document follows the other, on the same sheet if there is room.
    SingleDocument,
    /// Each document begins a sheet; copies come one after the other.
    SeparateDocumentsCollatedCopies,
    /// Each document begins a sheet; all copies of a sheet come before the next.
    SeparateDocumentsUncollatedCopies,
    /// As collated copies of separate documents: each document begins a sheet.
    SingleDocumentNewSheet,
}

impl Handling {
    /// All of them, the usual one first.
    pub const ALL: [Self; 4] = [
        Self::SeparateDocumentsCollatedCopies,
        Self::SeparateDocumentsUncollatedCopies,
        Self::SingleDocument,
        Self::SingleDocumentNewSheet,
    ];

    /// The keyword.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SingleDocument => "single-document",
            Self::SeparateDocumentsCollatedCopies => "separate-documents-collated-copies",
            Self::SeparateDocumentsUncollatedCopies => "separate-documents-uncollated-copies",
            Self::SingleDocumentNewSheet => "single-document-new-sheet",
        }
    }
}

/// "number-up" that is offered: pages on one side (RFC 8011 section 5.2.9).
pub const NUMBER_UP: [u16; 6] = [1, 2, 4, 6, 9, 16];

/// Pages `first..=last`, from 1 ("page-ranges", RFC 8011 section 5.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRange {
    /// First page, from 1.
    pub first: u32,
    /// Last page; `u32::MAX` for "to the end".
    pub last: u32,
}

impl PageRange {
    /// Whether a page lies in the range.
    pub const fn contains(&self, page: u32) -> bool {
        self.first <= page && page <= self.last
    }
}

/// Some pages are printed in another way than the rest ("overrides", PWG 5100.6 section 4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Override {
    /// Of which documents, from 1; empty: of all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<PageRange>,
    /// Which pages, as the document counts; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<PageRange>,
    /// How they lie on the paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orientation: Option<Orientation>,
    /// How they are fitted to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
}

impl Override {
    /// Whether it is about a page of a document, both from 1.
    pub fn is_about(&self, document: u32, page: u32) -> bool {
        let within =
            |ranges: &[PageRange], number| ranges.is_empty() || ranges.iter().any(|range| range.contains(number));
        within(&self.documents, document) && within(&self.pages, page)
    }
}

/// How a job is to be printed. What is `None` is the printer's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobOptions {
    /// Which parts of a mail are printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printed: Option<Printed>,
    /// How many copies, 1 to 99.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<u16>,
    /// One or both sides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sides: Option<Sides>,
    /// Colour or black.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<ColorMode>,
    /// PWG 5101.1 media name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// "media-source": the tray, as the printer names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_source: Option<String>,
    /// "media-type": the kind of paper, as the printer names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The edges to keep free, in 1/100 mm: left, right, top, bottom; all 0 asks for borderless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margins: Option<[u32; 4]>,
    /// How pages lie on the paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orientation: Option<Orientation>,
    /// How a page is fitted to the paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
    /// How fine it is printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// "printer-resolution", in dots per inch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<u32>,
    /// How many pages come on one side: one of [`NUMBER_UP`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_up: Option<u16>,
    /// How several documents and copies come out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handling: Option<Handling>,
    /// Which pages; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<PageRange>,
    /// Pages that are printed in another way; of several that are about a page, the last counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// The sender wants to be told when it is printed even if it did not wait.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    pub receipt: bool,
}

/// The most copies a mail may ask for (`reliability.md` section 6).
pub const COPIES_MAX: u16 = 99;

impl JobOptions {
    /// These options where they say something, else those of `default`.
    pub fn or(self, default: &Self) -> Self {
        Self {
            printed: self.printed.or(default.printed),
            copies: self.copies.or(default.copies),
            sides: self.sides.or(default.sides),
            color: self.color.or(default.color),
            media: self.media.or_else(|| default.media.clone()),
            media_source: self.media_source.or_else(|| default.media_source.clone()),
            media_type: self.media_type.or_else(|| default.media_type.clone()),
            margins: self.margins.or(default.margins),
            orientation: self.orientation.or(default.orientation),
            scaling: self.scaling.or(default.scaling),
            quality: self.quality.or(default.quality),
            resolution: self.resolution.or(default.resolution),
            number_up: self.number_up.or(default.number_up),
            handling: self.handling.or(default.handling),
            pages: if self.pages.is_empty() { default.pages.clone() } else { self.pages },
            overrides: if self.overrides.is_empty() { default.overrides.clone() } else { self.overrides },
            receipt: self.receipt || default.receipt,
        }
    }

    /// Whether a page (from 1) of the document is to be printed.
    pub fn wants_page(&self, page: u32) -> bool {
        self.pages.is_empty() || self.pages.iter().any(|range| range.contains(page))
    }

    /// How a page of a document, both from 1, lies on the paper and is fitted to it.
    pub fn placing(&self, document: u32, page: u32) -> (Option<Orientation>, Option<Scaling>) {
        let about = self.overrides.iter().filter(|one| one.is_about(document, page));
        about.fold((self.orientation, self.scaling), |(orientation, scaling), one| {
            (one.orientation.or(orientation), one.scaling.or(scaling))
        })
    }

    /// The options as the words a subject would hold, for people to check.
    pub fn words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        match self.printed {
            Some(Printed::Attachments) => words.push("attachments".into()),
            Some(Printed::Body) => words.push("body".into()),
            Some(Printed::Both) => words.push("both".into()),
            Some(Printed::AttachmentsElseBody) | None => {}
        }
        if let Some(copies) = self.copies {
            words.push(alloc::format!("{copies} copies"));
        }
        match self.sides {
            Some(Sides::OneSided) => words.push("simplex".into()),
            Some(Sides::TwoSidedLongEdge) => words.push("duplex".into()),
            Some(Sides::TwoSidedShortEdge) => words.push("duplex-short".into()),
            None => {}
        }
        match self.color {
            Some(ColorMode::Color) => words.push("color".into()),
            Some(ColorMode::Monochrome) => words.push("mono".into()),
            Some(ColorMode::Auto) | None => {}
        }
        if let Some(media) = &self.media {
            words.push(media_label(media).to_string());
        }
        if let Some(source) = &self.media_source {
            words.push(alloc::format!("tray={source}"));
        }
        if let Some(kind) = &self.media_type {
            words.push(alloc::format!("paper={kind}"));
        }
        if self.margins == Some([0; 4]) {
            words.push("borderless".into());
        }
        if let Some(number) = self.number_up {
            words.push(alloc::format!("{number}-up"));
        }
        let fixed = FIXED_WORDS.iter().filter(|(_, says)| says.is_in(self));
        words.extend(fixed.map(|(word, _)| word.to_string()));
        if let Some(dpi) = self.resolution {
            words.push(alloc::format!("{dpi}dpi"));
        }
        for range in &self.pages {
            words.push(match (range.first, range.last) {
                (first, u32::MAX) => alloc::format!("pages {first}-"),
                (first, last) if first == last => alloc::format!("page {first}"),
                (first, last) => alloc::format!("pages {first}-{last}"),
            });
        }
        words.join(" ")
    }
}

/// What one word says.
#[derive(Clone, Copy)]
enum Says {
    Orientation(Orientation),
    Scaling(Scaling),
    Quality(Quality),
    Handling(Handling),
}

impl Says {
    fn is_in(self, options: &JobOptions) -> bool {
        match self {
            Self::Orientation(orientation) => options.orientation == Some(orientation),
            Self::Scaling(scaling) => options.scaling == Some(scaling),
            Self::Quality(quality) => options.quality == Some(quality),
            Self::Handling(handling) => options.handling == Some(handling),
        }
    }

    fn put(self, options: &mut JobOptions) -> bool {
        match self {
            Self::Orientation(orientation) => set(&mut options.orientation, orientation),
            Self::Scaling(scaling) => set(&mut options.scaling, scaling),
            Self::Quality(quality) => set(&mut options.quality, quality),
            Self::Handling(handling) => set(&mut options.handling, handling),
        }
    }
}

/// Words that are the same both ways.
const FIXED_WORDS: &[(&str, Says)] = &[
    ("portrait", Says::Orientation(Orientation::Portrait)),
    ("landscape", Says::Orientation(Orientation::Landscape)),
    ("reverse-landscape", Says::Orientation(Orientation::ReverseLandscape)),
    ("reverse-portrait", Says::Orientation(Orientation::ReversePortrait)),
    ("scale-auto", Says::Scaling(Scaling::Auto)),
    ("scale-auto-fit", Says::Scaling(Scaling::AutoFit)),
    ("scale-to-fill", Says::Scaling(Scaling::Fill)),
    ("scale-to-fit", Says::Scaling(Scaling::Fit)),
    ("actual-size", Says::Scaling(Scaling::None)),
    ("draft-quality", Says::Quality(Quality::Draft)),
    ("normal-quality", Says::Quality(Quality::Normal)),
    ("high-quality", Says::Quality(Quality::High)),
    ("collated", Says::Handling(Handling::SeparateDocumentsCollatedCopies)),
    ("uncollated", Says::Handling(Handling::SeparateDocumentsUncollatedCopies)),
    ("one-document", Says::Handling(Handling::SingleDocument)),
    ("new-sheets", Says::Handling(Handling::SingleDocumentNewSheet)),
];

/// Reads a word that holds a value: `4-up`, `600dpi`, `tray=tray-2`; whether it is one.
fn take_value_word(options: &mut JobOptions, word: &str) -> bool {
    if let Some((_, says)) = FIXED_WORDS.iter().find(|(fixed, _)| *fixed == word) {
        return says.put(options);
    }
    if word == "borderless" {
        return set(&mut options.margins, [0; 4]);
    }
    if let Some(number) = word.strip_suffix("-up").or_else(|| word.strip_suffix("up")) {
        let number = number.parse().ok().filter(|number| NUMBER_UP.contains(number));
        return number.is_some_and(|number| set(&mut options.number_up, number));
    }
    if let Some(dpi) = word.strip_suffix("dpi") {
        let dpi = dpi.parse().ok().filter(|dpi| (72..=4800).contains(dpi));
        return dpi.is_some_and(|dpi| set(&mut options.resolution, dpi));
    }
    match word.split_once('=') {
        Some(("tray", name)) if !name.is_empty() => set(&mut options.media_source, name.to_string()),
        Some(("paper", name)) if !name.is_empty() => set(&mut options.media_type, name.to_string()),
        _ => false,
    }
}

const MEDIA_WORDS: &[(&str, &str)] = &[
    ("a3", "iso_a3_297x420mm"),
    ("a4", "iso_a4_210x297mm"),
    ("a5", "iso_a5_148x210mm"),
    ("a6", "iso_a6_105x148mm"),
    ("b4", "jis_b4_257x364mm"),
    ("b5", "jis_b5_182x257mm"),
    ("letter", "na_letter_8.5x11in"),
    ("legal", "na_legal_8.5x14in"),
    ("tabloid", "na_ledger_11x17in"),
    ("hagaki", "jpn_hagaki_100x148mm"),
];

/// What people call a medium: `A4` for `iso_a4_210x297mm`; the name itself where there is no word.
pub fn media_label(name: &str) -> &str {
    const LABELS: &[(&str, &str)] = &[
        ("iso_a3_297x420mm", "A3"),
        ("iso_a4_210x297mm", "A4"),
        ("iso_a5_148x210mm", "A5"),
        ("iso_a6_105x148mm", "A6"),
        ("jis_b4_257x364mm", "B4"),
        ("jis_b5_182x257mm", "B5"),
        ("na_letter_8.5x11in", "Letter"),
        ("na_legal_8.5x14in", "Legal"),
        ("na_ledger_11x17in", "Tabloid"),
        ("jpn_hagaki_100x148mm", "Hagaki"),
    ];
    LABELS.iter().find(|(keyword, _)| *keyword == name).map_or(name, |(_, label)| label)
}

/// The PWG 5101.1 name for a word people use, or for a name that is one already.
pub fn media_from_word(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    MEDIA_WORDS.iter().find(|(short, name)| *short == word || *name == word).map(|(_, name)| *name)
}

/// What a subject said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The subject without its option words: the job's name.
    pub name: String,
    /// The options that were understood.
    pub options: JobOptions,
    /// Words that were not understood, to be reported back.
    pub unknown: Vec<String>,
}

/// Reads the option words in brackets in a subject: those of the first pair in which a word is known.
///
/// Brackets in which no single word is known (`[list-name]`, `[EXTERNAL]`) are taken as part of the name. If a word
/// in them is nearly one of ours (`[duplx]`), they stay in the name and their words are reported back.
pub fn parse_subject(subject: &str) -> Subject {
    let mut missed = Vec::new();
    let mut from = 0;
    while let Some((start, end)) = next_brackets(subject, from) {
        let inside = &subject[start + 1..end];
        let (options, unknown, known) = parse_words(inside);
        if known > 0 || unknown.iter().any(|word| OPTION_WORDS.contains(&word.to_ascii_lowercase().as_str())) {
            let around = [subject[..start].trim(), subject[end + 1..].trim()];
            let name = around.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
            return Subject { name, options, unknown };
        }
        if missed.is_empty() && unknown.iter().any(|word| is_nearly_an_option(word)) {
            missed = unknown;
        }
        from = end + 1;
    }
    Subject { name: subject.trim().to_string(), unknown: missed, ..Subject::default() }
}

/// Where the next pair of brackets stands, from an octet on.
fn next_brackets(subject: &str, from: usize) -> Option<(usize, usize)> {
    let start = from + subject[from..].find('[')?;
    let end = start + subject[start..].find(']')?;
    Some((start, end))
}

/// Words that mean an option even where what goes with them is missing or wrong.
const OPTION_WORDS: &[&str] = &["copies", "copy", "pages"];

/// Words whose misspelling is noticed; shorter ones are too near to words of other meaning.
const LONG_WORDS: &[&str] = &[
    "attachments",
    "attachment",
    "everything",
    "duplex",
    "duplex-long",
    "duplex-short",
    "two-sided",
    "double-sided",
    "simplex",
    "one-sided",
    "single-sided",
    "monochrome",
    "colour",
    "receipt",
    "copies",
    "tabloid",
];

/// Whether a word is one typing mistake, in long words two, away from one that is known.
fn is_nearly_an_option(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    LONG_WORDS.iter().any(|known| mistakes(&word, known) <= if known.len() < 9 { 1 } else { 2 })
}

/// How many letters are to be added, left out, replaced or swapped with the next to come from one word to another.
fn mistakes(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().take(32).collect(), to.chars().collect());
    // Row `i` says what it takes for the first `i` letters of `from`; only the last two rows are looked at.
    let mut rows: Vec<Vec<usize>> = Vec::with_capacity(from.len() + 1);
    rows.push((0..=to.len()).collect());
    for i in 1..=from.len() {
        let mut row = Vec::with_capacity(to.len() + 1);
        row.push(i);
        for j in 1..=to.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

/// Reads option words as they stand in a subject or in a setting; returns the options, the unknown
/// words and how many words were known.
pub fn parse_words(text: &str) -> (JobOptions, Vec<String>, usize) {
    let mut options = JobOptions::default();
    let mut unknown = Vec::new();
    let mut known = 0;
    let mut words = text.split([' ', ',', ';', '\t']).filter(|w| !w.is_empty()).peekable();
    while let Some(word) = words.next() {
        let lower = word.to_ascii_lowercase();
        let understood = match lower.as_str() {
            "attachments" | "attachment" => set(&mut options.printed, Printed::Attachments),
            "body" | "text" => set(&mut options.printed, Printed::Body),
            "both" | "everything" => set(&mut options.printed, Printed::Both),
            "duplex" | "two-sided" | "double-sided" | "duplex-long" => set(&mut options.sides, Sides::TwoSidedLongEdge),
            "duplex-short" => set(&mut options.sides, Sides::TwoSidedShortEdge),
            "simplex" | "one-sided" | "single-sided" => set(&mut options.sides, Sides::OneSided),
            "mono" | "monochrome" | "black" | "bw" | "grey" | "gray" => set(&mut options.color, ColorMode::Monochrome),
            "color" | "colour" => set(&mut options.color, ColorMode::Color),
            "receipt" => {
                options.receipt = true;
                true
            }
            "pages" | "page" => match words.peek().and_then(|next| parse_ranges(next)) {
                Some(ranges) => {
                    words.next();
                    options.pages.extend(ranges);
                    loop {
                        let mut ahead = words.clone();
                        let more = ahead.next().and_then(parse_ranges);
                        // "pages 2-3 2 copies": the second number counts copies.
                        let counts_copies = ahead.next().is_some_and(|next| {
                            next.eq_ignore_ascii_case("copies") || next.eq_ignore_ascii_case("copy")
                        });
                        let Some(more) = more.filter(|_| !counts_copies) else {
                            break;
                        };
                        words.next();
                        options.pages.extend(more);
                    }
                    options.pages = in_order(&options.pages);
                    true
                }
                None => false,
            },
            "copies" | "copy" => match words.peek().and_then(|next| copies(next)) {
                Some(n) => {
                    words.next();
                    set(&mut options.copies, n)
                }
                None => false,
            },
            other => {
                if take_value_word(&mut options, other) {
                    true
                } else if let Some(media) = media_from_word(other) {
                    set(&mut options.media, media.to_string())
                } else if let Some(n) = copies(other) {
                    // "2 copies", "2x"
                    match words.peek() {
                        Some(next) if next.eq_ignore_ascii_case("copies") || next.eq_ignore_ascii_case("copy") => {
                            words.next();
                            set(&mut options.copies, n)
                        }
                        _ if other.ends_with('x') => set(&mut options.copies, n),
                        _ => false,
                    }
                } else {
                    false
                }
            }
        };
        if understood {
            known += 1;
        } else {
            unknown.push(word.to_string());
        }
    }
    (options, unknown, known)
}

fn set<T>(slot: &mut Option<T>, value: T) -> bool {
    *slot = Some(value);
    true
}

fn copies(word: &str) -> Option<u16> {
    let digits = word.strip_suffix('x').unwrap_or(word);
    digits.parse().ok().filter(|n| (1..=COPIES_MAX).contains(n))
}

fn parse_ranges(word: &str) -> Option<Vec<PageRange>> {
    word.split('+').map(parse_range).collect()
}

/// Ranges in ascending order without overlap, as "page-ranges" has to be (RFC 8011 section 5.2.7).
fn in_order(ranges: &[PageRange]) -> Vec<PageRange> {
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|range| range.first);
    let mut merged: Vec<PageRange> = Vec::new();
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.first <= last.last.saturating_add(1) => last.last = last.last.max(range.last),
            _ => merged.push(range),
        }
    }
    merged
}

fn parse_range(word: &str) -> Option<PageRange> {
    let range = match word.split_once('-') {
        None => {
            let page = word.parse().ok()?;
            PageRange { first: page, last: page }
        }
        Some((first, "")) => PageRange { first: first.parse().ok()?, last: u32::MAX },
        Some((first, last)) => PageRange { first: first.parse().ok()?, last: last.parse().ok()? },
    };
    (range.first >= 1 && range.first <= range.last).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a05_words_in_the_subject_choose_what_is_printed_and_how() {
        let subject = parse_subject("Invoice 12 [attachments duplex 2 copies mono A5 pages 1-3]");
        assert_eq!(subject.name, "Invoice 12");
        assert_eq!(subject.unknown, Vec::<String>::new());
        assert_eq!(
            subject.options,
            JobOptions {
                printed: Some(Printed::Attachments),
                copies: Some(2),
                sides: Some(Sides::TwoSidedLongEdge),
                color: Some(ColorMode::Monochrome),
                media: Some("iso_a5_148x210mm".into()),
                pages: vec![PageRange { first: 1, last: 3 }],
                ..JobOptions::default()
            }
        );
        assert_eq!(subject.options.words(), "attachments 2 copies duplex mono A5 pages 1-3");
    }

    #[test]
    fn unknown_words_are_reported_and_other_brackets_are_names() {
        let subject = parse_subject("[duplex shiny] hello");
        assert_eq!(subject.unknown, vec!["shiny".to_string()]);
        assert_eq!(subject.name, "hello");
        assert_eq!(parse_subject("[EXTERNAL] hello").name, "[EXTERNAL] hello");
        assert_eq!(parse_subject("no end [duplex").name, "no end [duplex");
        assert_eq!(parse_subject("[duplex copies 0]").unknown, vec!["copies".to_string(), "0".to_string()]);
        assert_eq!(parse_subject("[3x page 2 5-]").options.pages.len(), 2);
        assert_eq!(parse_subject("[duplex pages 3-1]").unknown.len(), 2);
        let both = parse_subject("[pages 2-3 2 copies]").options;
        assert_eq!((both.pages.len(), both.copies), (1, Some(2)));
        let ranges = parse_subject("[pages 5-6 1-2 2-3]").options.pages;
        assert_eq!(ranges, [PageRange { first: 1, last: 3 }, PageRange { first: 5, last: 6 }]);
    }

    #[test]
    fn a_misspelt_option_is_reported_and_words_of_others_are_left_alone() {
        for (subject, name, unknown) in [
            ("[duplx] Invoice", "[duplx] Invoice", &["duplx"][..]),
            ("[dulpex] Invoice", "[dulpex] Invoice", &["dulpex"]),
            ("[attachements] x", "[attachements] x", &["attachements"]),
            ("[0 copies] x", "x", &["0", "copies"]),
            ("[pages three] x", "x", &["pages", "three"]),
            ("[JIRA-12] x", "[JIRA-12] x", &[]),
            ("[EXTERNAL] [list-name] x", "[EXTERNAL] [list-name] x", &[]),
            ("[Test] the next page]", "[Test] the next page]", &[]),
            ("[] x", "[] x", &[]),
        ] {
            let read = parse_subject(subject);
            assert_eq!(
                (read.name.as_str(), &read.unknown[..]),
                (name, &unknown.iter().map(ToString::to_string).collect::<Vec<_>>()[..])
            );
            assert_eq!(read.options, JobOptions::default(), "{subject}");
        }
    }

    #[test]
    fn options_may_stand_behind_the_name_of_a_list() {
        let read = parse_subject("Re: [club] minutes [duplex]");
        assert_eq!((read.name.as_str(), read.options.sides), ("Re: [club] minutes", Some(Sides::TwoSidedLongEdge)));
    }

    #[test]
    fn an_override_is_about_its_pages_only_and_the_last_one_counts() {
        let range = |first, last| vec![PageRange { first, last }];
        let options = JobOptions {
            scaling: Some(Scaling::Fit),
            overrides: vec![
                Override { pages: range(2, 3), orientation: Some(Orientation::Landscape), ..Override::default() },
                Override {
                    documents: range(2, 2),
                    pages: range(3, 9),
                    orientation: Some(Orientation::ReversePortrait),
                    scaling: Some(Scaling::None),
                },
            ],
            ..JobOptions::default()
        };
        let fit = Some(Scaling::Fit);
        assert_eq!(options.placing(1, 1), (None, fit));
        assert_eq!(options.placing(1, 3), (Some(Orientation::Landscape), fit));
        assert_eq!(options.placing(2, 3), (Some(Orientation::ReversePortrait), Some(Scaling::None)));
        assert_eq!(options.placing(2, 2), (Some(Orientation::Landscape), fit));
    }

    #[test]
    fn mistakes_are_counted() {
        for (from, to, count) in
            [("duplex", "duplex", 0), ("duplx", "duplex", 1), ("dulpex", "duplex", 1), ("", "ab", 2), ("日本", "ab", 2)]
        {
            assert_eq!(mistakes(from, to), count, "{from} {to}");
        }
    }

    #[test]
    fn words_survive_a_round_trip() {
        for text in [
            "body duplex-short",
            "both 99 copies color Letter page 2 pages 5-",
            "simplex",
            "A4 tray=tray-2 paper=photographic borderless 4-up landscape scale-to-fit high-quality uncollated 600dpi",
        ] {
            let (options, unknown, _) = parse_words(text);
            assert!(unknown.is_empty(), "{unknown:?}");
            assert_eq!(parse_words(&options.words()).0, options);
        }
    }
}
