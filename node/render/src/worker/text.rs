//! Text to PDF: lines broken and placed by `parley`, written by `krilla`.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use krilla::Document;
use krilla::color::luma;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use parley::style::{FontFamily, FontFamilyName, LineHeight, OverflowWrap, StyleProperty};
use parley::{Alignment, AlignmentOptions, FontContext, LayoutContext};

use super::fonts::{Faces, Families, is_east_asian};
use super::out::Out;
use super::{Stop, refuse};
use crate::{Face, HeadingLine, Limits, Notice, PageFacts, PageSetup, RefusalKind};

/// Least distance of text from the paper's edge, in points: 15 mm.
const EDGE: f32 = 42.5;
const TAB_COLUMNS: usize = 8;
/// A line of the text that is longer is laid out in pieces.
const PIECE_OCTETS: usize = 4096;
/// Missing characters that a notice lists.
const MISSING_LISTED: usize = 100;

/// What text becomes.
pub(crate) struct Laid {
    pub(crate) pdf: Vec<u8>,
    pub(crate) pages: Vec<PageFacts>,
}

/// How the text shall look.
pub(crate) struct Look<'a> {
    pub(crate) setup: &'a PageSetup,
    pub(crate) heading: &'a [HeadingLine],
    pub(crate) face: Face,
    pub(crate) title: Option<&'a str>,
}

/// Lays out a text; says by a notice which characters no face has, and prints their code points instead.
pub(crate) fn lay_out(
    text: &str,
    look: &Look<'_>,
    limits: &Limits,
    faces: &mut Faces,
    out: &mut Out,
) -> Result<Laid, Stop> {
    let text = text.trim_end();
    if text.trim().is_empty() && look.heading.is_empty() {
        return refuse(RefusalKind::Empty, "There is no text in it.");
    }
    let mut characters = BTreeSet::new();
    let heading = look.heading.iter().flat_map(|line| line.label.chars().chain(line.value.chars()));
    characters
        .extend(heading.chain(text.chars()).filter(|c| !c.is_whitespace() && !c.is_control() && !is_invisible(*c)));
    let characters: Vec<char> = characters.into_iter().collect();
    let families = Families::for_characters(faces, &characters);
    if !families.missing.is_empty() {
        let missing: BTreeSet<char> = families.missing.iter().copied().collect();
        let mut seen = BTreeSet::new();
        let listed = text.chars().filter(|c| missing.contains(c) && seen.insert(*c)).take(MISSING_LISTED).collect();
        out.notice(Notice::MissingCharacters { characters: listed, different: missing.len() as u32 })?;
    }
    let mut setter = Setter::new(look, families, limits);
    setter.heading(look.heading)?;
    for line in text.split('\n') {
        setter.line(line.strip_suffix('\r').unwrap_or(line))?;
    }
    setter.finish()
}

/// Characters that have no picture by nature: joiners, direction marks, variation selectors.
fn is_invisible(character: char) -> bool {
    matches!(character as u32, 0xAD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x180B..=0x180F | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFE00..=0xFE0F | 0xFEFF | 0xE0000..=0xE0FFF)
}

struct Setter {
    document: Document,
    page_settings: PageSettings,
    page_facts: PageFacts,
    pages_max: u32,
    pages: u32,
    fonts: FontContext,
    layouts: LayoutContext<()>,
    krilla_fonts: HashMap<(u64, u32), Option<Font>>,
    body: Type,
    small: Type,
    missing: BTreeSet<char>,
    area: Area,
    y: f32,
    current: Vec<Mark>,
}

struct Type {
    families: Vec<String>,
    size: f32,
    line_height: f32,
}

#[derive(Clone, Copy)]
struct Area {
    left: f32,
    top: f32,
    width: f32,
    bottom: f32,
    page_width: f32,
    page_height: f32,
}

/// Something on the page that is being filled.
enum Mark {
    Glyphs { at: Point, glyphs: Vec<KrillaGlyph>, font: Font, size: f32, text: Rc<str>, gray: u8 },
    Rule { y: f32 },
}

impl Setter {
    fn new(look: &Look<'_>, families: Families, limits: &Limits) -> Self {
        let points = |hundredths: u32| hundredths as f32 / 2540.0 * 72.0;
        let (page_width, page_height) = (points(look.setup.width).max(1.0), points(look.setup.height).max(1.0));
        // On small paper 15 mm would leave nothing.
        let least = EDGE.min(page_width.min(page_height) * 0.07);
        let margins = &look.setup.margins;
        let [top, right, bottom, left] =
            [margins.top, margins.right, margins.bottom, margins.left].map(|edge| points(edge).max(least));
        let area = Area {
            left,
            top,
            width: (page_width - left - right).max(20.0),
            bottom: (page_height - bottom).max(top + 20.0),
            page_width,
            page_height,
        };
        let (families_body, size, line) = match look.face {
            Face::Proportional => (families.proportional.clone(), 10.5, 1.45),
            Face::Fixed => (families.fixed, 9.0, 1.3),
        };
        let settings = PageSettings::from_wh(page_width, page_height).unwrap_or_default();
        let mut document = Document::new();
        let metadata = Metadata::new().creator("Tympan".into());
        document.set_metadata(match look.title {
            Some(title) => metadata.title(title.to_owned()),
            None => metadata,
        });
        Self {
            document,
            page_settings: settings,
            page_facts: PageFacts { width: look.setup.width, height: look.setup.height, colour: Some(false) },
            pages_max: limits.pages,
            pages: 0,
            fonts: FontContext { collection: families.collection, ..FontContext::default() },
            layouts: LayoutContext::new(),
            krilla_fonts: HashMap::new(),
            body: Type { families: families_body, size, line_height: line },
            small: Type { families: families.proportional, size: 9.0, line_height: 1.4 },
            missing: families.missing.into_iter().collect(),
            area,
            y: area.top,
            current: Vec::new(),
        }
    }

    /// The lines above the text: labels in one column, values in the next, a rule below.
    fn heading(&mut self, lines: &[HeadingLine]) -> Result<(), Stop> {
        if lines.is_empty() {
            return Ok(());
        }
        let label_width = (self.area.width * 0.16).max(30.0).min(self.area.width / 3.0);
        for line in lines {
            let before = (self.pages, self.y);
            self.paragraph(&self.visible(&line.label), true, 110, 0.0, label_width - 4.0)?;
            let after_label = self.y;
            if self.pages == before.0 {
                self.y = before.1;
            }
            self.paragraph(&self.visible(&line.value), true, 0, label_width, self.area.width - label_width)?;
            if self.pages == before.0 {
                self.y = self.y.max(after_label);
            }
        }
        self.y += 4.0;
        self.current.push(Mark::Rule { y: self.y });
        self.y += 10.0;
        Ok(())
    }

    /// One line of the text; form feeds begin new pages.
    fn line(&mut self, line: &str) -> Result<(), Stop> {
        for (at, piece) in line.split('\u{C}').enumerate() {
            if at > 0 {
                self.end_page()?;
                if piece.is_empty() {
                    continue;
                }
            }
            let shown = self.visible(&expand_tabs(piece));
            let mut rest = shown.as_str();
            loop {
                let (head, tail) = split_piece(rest);
                self.paragraph(head, false, 0, 0.0, self.area.width)?;
                if tail.is_empty() {
                    break;
                }
                rest = tail;
            }
        }
        Ok(())
    }

    /// Without control characters, and with code points in place of what cannot be shown.
    fn visible(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        for character in text.chars() {
            if self.missing.contains(&character) {
                shown.push_str(&format!("[U+{:04X}]", character as u32));
            } else if !character.is_control() {
                shown.push(character);
            }
        }
        shown
    }

    fn paragraph(&mut self, text: &str, small: bool, gray: u8, indent: f32, width: f32) -> Result<(), Stop> {
        let kind = if small { &self.small } else { &self.body };
        let (size, height) = (kind.size, kind.size * kind.line_height);
        if text.trim().is_empty() {
            // An empty line at the top of a page would be lost paper.
            if self.y > self.area.top {
                self.y += height;
            }
            return Ok(());
        }
        let families: Vec<_> =
            kind.families.iter().map(|name| FontFamilyName::Named(Cow::Borrowed(name.as_str()))).collect();
        let mut builder = self.layouts.ranged_builder(&mut self.fonts, text, 1.0, false);
        builder.push_default(StyleProperty::FontFamily(FontFamily::List(Cow::Owned(families))));
        builder.push_default(StyleProperty::FontSize(size));
        builder.push_default(StyleProperty::LineHeight(LineHeight::Absolute(height)));
        builder.push_default(StyleProperty::OverflowWrap(OverflowWrap::Anywhere));
        let mut layout = builder.build(text);
        layout.break_all_lines(Some(width));
        layout.align(Alignment::Start, AlignmentOptions::default());

        let text: Rc<str> = text.into();
        for line in layout.lines() {
            if self.y + height > self.area.bottom && !self.current.is_empty() {
                self.end_page()?;
            }
            let metrics = line.metrics();
            let baseline = self.y + (metrics.baseline - metrics.block_min_coord);
            let mut x = self.area.left + indent + metrics.offset;
            for run in line.runs() {
                let font = run.font().clone();
                let index = font.index;
                let (data, id) = font.data.into_raw_parts();
                let font = self.krilla_fonts.entry((id, index)).or_insert_with(|| Font::new(data.into(), index));
                let Some(font) = font.clone() else { continue };
                let start = x;
                let run_size = run.font_size();
                let mut glyphs: Vec<KrillaGlyph> = Vec::new();
                for cluster in run.visual_clusters() {
                    if cluster.is_ligature_continuation() {
                        if let Some(glyph) = glyphs.last_mut() {
                            let range = cluster.text_range();
                            glyph.text_range.start = glyph.text_range.start.min(range.start);
                            glyph.text_range.end = glyph.text_range.end.max(range.end);
                        }
                        continue;
                    }
                    for glyph in cluster.glyphs() {
                        glyphs.push(KrillaGlyph::new(
                            GlyphId::new(glyph.id),
                            glyph.advance / run_size,
                            glyph.x / run_size,
                            -glyph.y / run_size,
                            0.0,
                            cluster.text_range(),
                            None,
                        ));
                        x += glyph.advance;
                    }
                }
                let at = Point::from_xy(start, baseline);
                self.current.push(Mark::Glyphs { at, glyphs, font, size: run_size, text: Rc::clone(&text), gray });
            }
            self.y += height;
        }
        Ok(())
    }

    /// Writes the page that was filled, and begins the next.
    fn end_page(&mut self) -> Result<(), Stop> {
        self.pages += 1;
        if self.pages > self.pages_max {
            return refuse(
                RefusalKind::TooManyPages,
                format!("It has more than {} pages; that is the most for one document.", self.pages_max),
            );
        }
        if self.pages > 1 {
            self.page_number()?;
        }
        let mut page = self.document.start_page_with(self.page_settings.clone());
        let mut surface = page.surface();
        for mark in self.current.drain(..) {
            match mark {
                Mark::Glyphs { at, glyphs, font, size, text, gray } => {
                    surface.set_fill(Some(fill(gray)));
                    surface.draw_glyphs(at, &glyphs, font, &text, size, false);
                }
                Mark::Rule { y } => {
                    surface.set_fill(Some(fill(110)));
                    let mut path = PathBuilder::new();
                    if let Some(rect) = Rect::from_xywh(self.area.left, y, self.area.width, 0.6) {
                        path.push_rect(rect);
                    }
                    if let Some(path) = path.finish() {
                        surface.draw_path(&path);
                    }
                }
            }
        }
        surface.finish();
        page.finish();
        self.y = self.area.top;
        Ok(())
    }

    /// The number below the text of every page but the first.
    fn page_number(&mut self) -> Result<(), Stop> {
        let below = self.area.page_height - self.area.bottom;
        let height = self.small.size * self.small.line_height;
        if below < height * 2.0 {
            return Ok(());
        }
        let (y, bottom) = (self.y, self.area.bottom);
        self.y = bottom + (below - height) / 3.0;
        self.area.bottom = self.area.page_height;
        let number = self.pages.to_string();
        let centre = self.area.width / 2.0 - 8.0;
        let done = self.paragraph(&number, true, 110, centre, 60.0);
        (self.y, self.area.bottom) = (y, bottom);
        done
    }

    fn finish(mut self) -> Result<Laid, Stop> {
        if !self.current.is_empty() || self.pages == 0 {
            self.end_page()?;
        }
        debug_assert!(self.area.page_width > 0.0);
        let facts = vec![self.page_facts; self.pages as usize];
        match self.document.finish() {
            Ok(pdf) => Ok(Laid { pdf, pages: facts }),
            Err(_) => refuse(RefusalKind::RendererFailed, "Its text could not be laid out."),
        }
    }
}

fn fill(gray: u8) -> Fill {
    Fill { paint: luma::Color::new(gray).into(), opacity: NormalizedF32::ONE, rule: Default::default() }
}

fn expand_tabs(line: &str) -> Cow<'_, str> {
    if !line.contains('\t') {
        return Cow::Borrowed(line);
    }
    let mut expanded = String::with_capacity(line.len() + 32);
    let mut column = 0;
    for character in line.chars() {
        if character == '\t' {
            let spaces = TAB_COLUMNS - column % TAB_COLUMNS;
            expanded.extend(std::iter::repeat_n(' ', spaces));
            column += spaces;
        } else {
            expanded.push(character);
            column += if is_east_asian(character) { 2 } else { 1 };
        }
    }
    Cow::Owned(expanded)
}

/// Cuts a very long line where it may be cut: behind a space, else between characters.
fn split_piece(line: &str) -> (&str, &str) {
    if line.len() <= PIECE_OCTETS {
        return (line, "");
    }
    let mut at = PIECE_OCTETS;
    while !line.is_char_boundary(at) {
        at -= 1;
    }
    let at = line[..at].rfind(' ').map_or(at, |space| space + 1);
    line.split_at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_lead_to_columns_of_eight() {
        assert_eq!(expand_tabs("a\tb"), "a       b");
        assert_eq!(expand_tabs("漢字\tb"), "漢字    b");
        assert_eq!(expand_tabs("12345678\tb"), "12345678        b");
    }

    #[test]
    fn long_lines_are_cut_behind_spaces_or_between_characters() {
        let line = "漢".repeat(PIECE_OCTETS);
        let (head, tail) = split_piece(&line);
        assert!(head.len() <= PIECE_OCTETS && head.len() + tail.len() == line.len());
        let words = "word ".repeat(PIECE_OCTETS);
        assert!(split_piece(&words).0.ends_with(' '));
    }
}
