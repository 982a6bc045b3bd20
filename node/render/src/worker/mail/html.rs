//! HTML to the text that it says. No layout, no styles: what a reader would read aloud.

use mail_parser::decoders::html::add_html_token;

/// Addresses of links longer than this are not printed: they are made for machines.
const LINK_MAX: usize = 80;

/// The text of a page or a piece of one. Never fails: what is no tag is text.
pub(super) fn to_text(html: &str) -> String {
    let mut writer = Writer::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        writer.text(&rest[..at]);
        rest = &rest[at..];
        let Some((tag, after)) = Tag::read(rest) else {
            writer.text("<");
            rest = &rest[1..];
            continue;
        };
        rest = writer.tag(&tag, after);
    }
    writer.text(rest);
    writer.finish()
}

/// Whether the HTML shows what this reference names (`cid:..` or a location), in any attribute or style.
pub(super) fn shows(html: &str, reference: &str) -> bool {
    let reference = reference.to_ascii_lowercase();
    let html = html.to_ascii_lowercase();
    // In addresses some characters of a Content-ID are escaped (RFC 2392).
    html.contains(&reference) || html.contains(&escaped(&reference)) || html.contains(&reference.replace('&', "&amp;"))
}

fn escaped(reference: &str) -> String {
    let mut out = String::with_capacity(reference.len());
    for octet in reference.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b':' | b'.' | b'-' | b'_' | b'@' | b'~' => {
                out.push(char::from(octet))
            }
            _ => out.push_str(&format!("%{octet:02x}")),
        }
    }
    out
}

struct Tag<'h> {
    name: String,
    closes: bool,
    attributes: &'h str,
}

impl<'h> Tag<'h> {
    /// A tag or comment at the beginning of `html`, and what comes behind it.
    fn read(html: &'h str) -> Option<(Self, &'h str)> {
        let nothing = |after| Some((Tag { name: String::new(), closes: false, attributes: "" }, after));
        if let Some(comment) = html.strip_prefix("<!--") {
            return nothing(comment.find("-->").map_or("", |end| &comment[end + 3..]));
        }
        if html.starts_with("<!") || html.starts_with("<?") {
            return nothing(html.find('>').map_or("", |end| &html[end + 1..]));
        }
        let inner = &html[1..];
        let closes = inner.starts_with('/');
        let inner = inner.strip_prefix('/').unwrap_or(inner);
        if !inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let name_end =
            inner.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '-'))).unwrap_or(inner.len());
        // A ">" in a quoted value does not end the tag.
        let mut quote = None;
        let end = inner[name_end..].char_indices().find(|&(_, c)| match quote {
            Some(open) => {
                if c == open {
                    quote = None;
                }
                false
            }
            None => {
                if matches!(c, '"' | '\'') {
                    quote = Some(c);
                }
                c == '>'
            }
        });
        // With a quote left open, the first ">" it is.
        let end = end.map(|(at, _)| at).or_else(|| inner[name_end..].find('>'))?;
        let attributes = &inner[name_end..name_end + end];
        let tag = Tag { name: inner[..name_end].to_ascii_lowercase(), closes, attributes };
        Some((tag, &inner[name_end + end + 1..]))
    }

    fn attribute(&self, wanted: &str) -> Option<String> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if rest.is_empty() {
                return None;
            }
            let name_end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '/')).unwrap_or(rest.len());
            let name = &rest[..name_end];
            rest = rest[name_end..].trim_start();
            let mut value = "";
            if let Some(after) = rest.strip_prefix('=') {
                let after = after.trim_start();
                let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
                let (found, behind) = match quote {
                    Some(quote) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
                    None => after.split_at(after.find(char::is_whitespace).unwrap_or(after.len())),
                };
                (value, rest) = (found, behind);
            } else if name.is_empty() {
                // A stray sign; go past it.
                let mut signs = rest.chars();
                signs.next();
                rest = signs.as_str();
            }
            if name.eq_ignore_ascii_case(wanted) {
                return Some(unescape(value));
            }
        }
    }

    fn is_hidden(&self) -> bool {
        let style = self.attribute("style").unwrap_or_default().to_ascii_lowercase().replace(char::is_whitespace, "");
        style.contains("display:none") || style.contains("visibility:hidden") || self.attribute("hidden").is_some()
    }
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Line ends to write before the next text.
    newlines: usize,
    space: bool,
    quotes: usize,
    /// How deeply quoted the line before is.
    quotes_before: usize,
    lists: Vec<Option<u32>>,
    preformatted: usize,
    /// The address of the link we are in and where its text begins.
    link: Option<(String, usize)>,
    /// What the next text of a list item begins with.
    bullet: Option<String>,
    cells: usize,
}

impl Writer {
    fn text(&mut self, html: &str) {
        if html.is_empty() {
            return;
        }
        let text = unescape(html);
        if self.preformatted > 0 {
            for (at, line) in text.replace("\r\n", "\n").split('\n').enumerate() {
                if at > 0 {
                    self.newlines = (self.newlines + 1).min(2);
                }
                if !line.is_empty() {
                    self.begin();
                    self.out.push_str(line);
                }
            }
            return;
        }
        // A no-break space is a space that does not fold away.
        for piece in text.split_inclusive(is_folding_space) {
            let word = piece.trim_end_matches(is_folding_space);
            if !word.is_empty() {
                self.begin();
                self.out.push_str(&word.replace('\u{A0}', " "));
            }
            if word.len() < piece.len() {
                self.space = true;
            }
        }
    }

    /// Line ends, quote marks, bullet and space that are due before text.
    fn begin(&mut self) {
        if self.out.is_empty() || self.newlines > 0 {
            if !self.out.is_empty() {
                for line in 1..=self.newlines {
                    self.out.push('\n');
                    if line < self.newlines {
                        self.out.extend(std::iter::repeat_n('>', self.quotes.min(self.quotes_before)));
                    }
                }
            }
            self.quotes_before = self.quotes;
            if self.quotes > 0 {
                self.out.extend(std::iter::repeat_n('>', self.quotes));
                self.out.push(' ');
            }
            if !self.lists.is_empty() {
                let bullet = self.bullet.is_some();
                self.out.extend(std::iter::repeat_n("  ", self.lists.len() - usize::from(bullet)));
            }
            (self.newlines, self.space) = (0, false);
        } else if self.space {
            self.out.push(' ');
            self.space = false;
        }
        if let Some(bullet) = self.bullet.take() {
            self.out.push_str(&bullet);
        }
    }

    fn line(&mut self) {
        self.newlines = self.newlines.max(1);
    }

    fn blank_line(&mut self) {
        self.newlines = self.newlines.max(2);
    }

    /// Does what a tag means; returns where to go on.
    fn tag<'h>(&mut self, tag: &Tag<'_>, after: &'h str) -> &'h str {
        let name = tag.name.as_str();
        if !tag.closes {
            let skipped = matches!(
                name,
                "head" | "style" | "script" | "template" | "title" | "object" | "svg" | "math" | "select" | "textarea"
            );
            let is_void = matches!(
                name,
                "br" | "hr" | "img" | "input" | "meta" | "link" | "area" | "base" | "col" | "embed" | "source" | "wbr"
            );
            if skipped || (!is_void && !name.is_empty() && tag.is_hidden()) {
                return behind_element(name, after);
            }
        }
        match name {
            "br" => self.newlines = (self.newlines + 1).min(2),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dl" | "figure" | "fieldset" => self.blank_line(),
            "table" => self.blank_line(),
            "div" | "section" | "article" | "header" | "footer" | "main" | "nav" | "aside" | "address" | "form"
            | "center" | "dt" | "dd" | "figcaption" | "caption" | "body" | "html" | "tbody" | "thead" | "tfoot" => {
                self.line()
            }
            "pre" => {
                self.blank_line();
                self.preformatted =
                    if tag.closes { self.preformatted.saturating_sub(1) } else { self.preformatted + 1 };
            }
            "tr" => {
                self.line();
                self.cells = 0;
            }
            "td" | "th" if !tag.closes => {
                // Cells of one row stay apart.
                if self.cells > 0 && self.newlines == 0 && !self.out.is_empty() {
                    self.out.push_str("   ");
                    self.space = false;
                }
                self.cells += 1;
            }
            "hr" => {
                self.line();
                self.begin();
                self.out.push_str("----------");
                self.line();
            }
            "blockquote" => {
                self.blank_line();
                self.quotes = if tag.closes { self.quotes.saturating_sub(1) } else { (self.quotes + 1).min(8) };
            }
            "ul" | "ol" => {
                if tag.closes {
                    self.lists.pop();
                } else if self.lists.len() < 16 {
                    let first = tag.attribute("start").and_then(|start| start.parse().ok()).unwrap_or(1);
                    self.lists.push((name == "ol").then_some(first));
                }
                if self.lists.is_empty() { self.blank_line() } else { self.line() }
            }
            "li" => {
                self.line();
                self.bullet = None;
                if !tag.closes {
                    self.bullet = Some(match self.lists.last_mut() {
                        Some(Some(number)) => {
                            *number = number.saturating_add(1);
                            format!("{}. ", *number - 1)
                        }
                        _ => "• ".to_owned(),
                    });
                }
            }
            "a" => self.anchor(tag),
            "img" => {
                let alt = tag.attribute("alt").unwrap_or_default();
                if !alt.trim().is_empty() && !tag.is_hidden() {
                    self.begin();
                    self.out.push_str(&format!("[{}]", alt.split_whitespace().collect::<Vec<_>>().join(" ")));
                }
            }
            _ => {}
        }
        after
    }

    fn anchor(&mut self, tag: &Tag<'_>) {
        if let Some((address, began)) = self.link.take() {
            let shown = self.out.get(began..).unwrap_or_default();
            let bare =
                address.trim_start_matches("mailto:").trim_start_matches("https://").trim_start_matches("http://");
            if !shown.trim().is_empty() && !shown.contains(bare.trim_end_matches('/')) {
                self.out.push_str(&format!(" <{address}>"));
            }
        }
        if !tag.closes {
            let address = tag.attribute("href").unwrap_or_default().trim().to_owned();
            let is_told = address.len() <= LINK_MAX && !address.contains(char::is_whitespace);
            if is_told && ["http://", "https://", "mailto:"].iter().any(|scheme| address.starts_with(scheme)) {
                self.link = Some((address, self.out.len()));
            }
        }
    }

    fn finish(self) -> String {
        let lines: Vec<&str> = self.out.lines().map(str::trim_end).collect();
        lines.join("\n").trim_matches('\n').to_owned()
    }
}

/// Where an element that is not shown ends, nested ones of its name counted.
fn behind_element<'h>(name: &str, html: &'h str) -> &'h str {
    let raw = matches!(name, "script" | "style" | "title" | "textarea");
    let mut depth = 1;
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        match Tag::read(rest) {
            Some((tag, after)) if tag.name == name => {
                if tag.closes {
                    depth -= 1;
                } else if !raw {
                    depth += 1;
                }
                rest = after;
                if depth == 0 {
                    return rest;
                }
            }
            // In scripts and styles nothing else is a tag.
            Some((_, after)) if !raw => rest = after,
            _ => rest = &rest[1..],
        }
        // A head that is never closed ends where the body begins.
        if name == "head" && rest.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("<body")) {
            return rest;
        }
    }
    ""
}

fn is_folding_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{C}')
}

/// Character references to characters; what is none stays as it is.
fn unescape(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest[1..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '#')).map(|end| end + 1);
        match end {
            Some(end) if end > 1 && end < 40 && rest[end..].starts_with(';') => {
                add_html_token(&mut text, &rest.as_bytes()[..=end], false);
                rest = &rest[end + 1..];
            }
            _ => {
                text.push('&');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    // Soft hyphens and zero-width filler of newsletters say nothing.
    text.retain(|c| !matches!(c, '\u{AD}' | '\u{200B}' | '\u{200C}' | '\u{FEFF}' | '\u{34F}'));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paragraphs_lists_and_tables_read_like_text() {
        let html = "<html><head><title>x</title><style>p > b { color: red }</style></head><body>\
            <h1>Invoice&nbsp;7</h1><p>Dear <b>Anna</b>,<br>please pay &euro;5 &amp; more.</p>\
            <ul><li>one</li><li>two<ol><li>deep</li></ol></li></ul>\
            <table><tr><td>Paper</td><td>3</td></tr><tr><td>Ink</td><td>1</td></tr></table>\
            <!-- hidden --><script>if (a < b) alert('</p>')</script>\
            <div style='display : none'>preheader <div>nested</div> text</div><p>Bye</p></body></html>";
        let expected =
            "Invoice 7\n\nDear Anna,\nplease pay €5 & more.\n\n• one\n• two\n  1. deep\n\nPaper   3\nInk   1\n\nBye";
        assert_eq!(to_text(html), expected);
    }

    #[test]
    fn quotes_links_and_pictures_are_told() {
        assert_eq!(to_text("a<blockquote>b<p>c</blockquote>d"), "a\n\n> b\n>\n> c\n\nd");
        assert_eq!(to_text("<a href='https://print.example/x'>here</a>"), "here <https://print.example/x>");
        assert_eq!(to_text("<a href='https://print.example/'>print.example</a>"), "print.example");
        assert_eq!(to_text("<img src='cid:1' alt='our  shop'>text"), "[our shop]text");
        assert_eq!(to_text("<pre>a  b\n  c</pre>d"), "a  b\n  c\n\nd");
    }

    #[test]
    fn odd_html_is_still_text() {
        assert_eq!(to_text("1 < 2 &unknown; AT&T <"), "1 < 2 &unknown; AT&T <");
        assert_eq!(to_text("<p title='a > b'>x"), "x");
        assert_eq!(to_text("<head><meta charset=x><body>y"), "y");
        assert_eq!(to_text("日本語<br/>です"), "日本語\nです");
        assert_eq!(to_text("<p>  many \n spaces </p>\n\n\n<p>z</p>"), "many spaces\n\nz");
    }

    #[test]
    fn references_are_found_however_they_are_written() {
        assert!(
            shows("<img src=\"CID:Logo%40host\">", "cid:logo@host")
                || shows("<img src=\"cid:logo@host\">", "cid:logo@host")
        );
        assert!(shows("<td background='cid:a%20b'>", "cid:a b"));
        assert!(!shows("<img src='cid:other'>", "cid:logo"));
    }

    proptest! {
        #[test]
        fn no_html_makes_it_panic(html in "[<>/a-c&;#'\"= \\n\u{e4}!-]{0,60}") {
            let text = to_text(&html);
            prop_assert!(text.len() <= html.len() * 4 + 40);
        }
    }
}
