//! Files that a browser sends, `multipart/form-data` (RFC 7578, RFC 2046 section 5.1), piece by piece.
//!
//! No part is held in memory: its octets go on as they come.

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, header};

use crate::{BodyError, BodyReader};

/// Octets of one part's header fields.
const PART_HEAD_OCTETS_MAX: usize = 8 * 1024;
/// Octets before the first delimiter.
const PREAMBLE_OCTETS_MAX: usize = 8 * 1024;
/// Characters of a boundary (RFC 2046 section 5.1.1).
const BOUNDARY_OCTETS_MAX: usize = 70;
/// Parts of one body.
const PARTS_MAX: usize = 200;

/// What is known of a part before its octets come. All of it is the sender's word only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The form's field.
    pub name: String,
    /// The file's name, without folders; `None` for a plain field.
    pub file_name: Option<String>,
    /// The media type, if one is given.
    pub media_type: Option<String>,
}

/// Reads the parts of a body one after another.
#[derive(Debug)]
pub struct Multipart {
    body: BodyReader,
    splitter: Splitter,
}

impl Multipart {
    /// Starts reading; the boundary comes from Content-Type.
    pub fn new(headers: &HeaderMap, body: BodyReader) -> Result<Self, BodyError> {
        let boundary = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(boundary)
            .ok_or(BodyError::WrongType { wanted: "multipart/form-data with a boundary" })?;
        Ok(Self { body, splitter: Splitter::new(&boundary) })
    }

    /// The next part; what is left of the one before is skipped. `None` at the end.
    pub async fn next_part(&mut self) -> Result<Option<Part>, BodyError> {
        loop {
            match self.splitter.next()? {
                Event::NeedMore => self.fill().await?,
                Event::Part(part) => return Ok(Some(part)),
                Event::Data(_) | Event::PartEnd => {}
                Event::End => return Ok(None),
            }
        }
    }

    /// The next octets of the present part; `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        if !self.splitter.is_in_part() {
            return Ok(None);
        }
        loop {
            match self.splitter.next()? {
                Event::NeedMore => self.fill().await?,
                Event::Data(octets) => return Ok(Some(octets)),
                Event::PartEnd | Event::End => return Ok(None),
                Event::Part(_) => return Err(malformed("a part begins within a part")),
            }
        }
    }

    /// The present part as text of at most so many octets.
    pub async fn text(&mut self, octets_max: usize) -> Result<String, BodyError> {
        let mut text = Vec::new();
        while let Some(octets) = self.chunk().await? {
            if text.len() + octets.len() > octets_max {
                return Err(BodyError::TooLarge { octets_max: octets_max as u64 });
            }
            text.extend_from_slice(&octets);
        }
        String::from_utf8(text).map_err(|_| malformed("a field is not UTF-8"))
    }

    async fn fill(&mut self) -> Result<(), BodyError> {
        match self.body.chunk().await? {
            Some(octets) => self.splitter.push(&octets),
            None => return Err(malformed("it ends before its last delimiter")),
        }
        Ok(())
    }
}

fn malformed(why: &str) -> BodyError {
    BodyError::Malformed { form: "form data with files", why: why.into() }
}

#[derive(Debug, PartialEq, Eq)]
enum Event {
    NeedMore,
    Part(Part),
    Data(Bytes),
    PartEnd,
    End,
}

/// Finds delimiters in octets that come in any pieces.
#[derive(Debug)]
struct Splitter {
    /// CR LF, two hyphens, boundary.
    delimiter: memchr::memmem::Finder<'static>,
    buffer: BytesMut,
    place: Place,
    parts: usize,
    skipped: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Preamble,
    /// After a delimiter: the end, or a part's head.
    AfterDelimiter,
    Head,
    Data,
    Ended,
}

impl Splitter {
    fn new(boundary: &str) -> Self {
        let delimiter = format!("\r\n--{boundary}");
        Self {
            delimiter: memchr::memmem::Finder::new(delimiter.as_bytes()).into_owned(),
            // The first delimiter may be the body's first line.
            buffer: BytesMut::from(&b"\r\n"[..]),
            place: Place::Preamble,
            parts: 0,
            skipped: 0,
        }
    }

    fn push(&mut self, octets: &[u8]) {
        self.buffer.extend_from_slice(octets);
    }

    fn is_in_part(&self) -> bool {
        self.place == Place::Data
    }

    fn next(&mut self) -> Result<Event, BodyError> {
        loop {
            match self.place {
                Place::Preamble => {
                    let (octets, found) = self.before_delimiter();
                    self.skipped += octets;
                    if self.skipped > PREAMBLE_OCTETS_MAX {
                        return Err(malformed("its first delimiter is missing"));
                    }
                    self.buffer.advance(octets);
                    if !found {
                        return Ok(Event::NeedMore);
                    }
                    self.take_delimiter();
                }
                Place::AfterDelimiter => {
                    if self.buffer.starts_with(b"--") {
                        // What follows is an epilogue, which means nothing.
                        self.place = Place::Ended;
                        self.buffer = BytesMut::new();
                        continue;
                    }
                    let blanks = self.buffer.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
                    if blanks > BOUNDARY_OCTETS_MAX {
                        return Err(malformed("a delimiter is followed by too many blanks"));
                    }
                    match &self.buffer[blanks..] {
                        // The line's end stays in the buffer: a part without any header field then
                        // has a head that ends as every other does.
                        [b'\r', b'\n', ..] => {
                            self.buffer.advance(blanks);
                            self.place = Place::Head;
                        }
                        [] | [b'\r' | b'-'] => return Ok(Event::NeedMore),
                        _ => return Err(malformed("a delimiter does not end its line")),
                    }
                }
                Place::Head => {
                    let end = memchr::memmem::find(&self.buffer, b"\r\n\r\n");
                    if end.unwrap_or(self.buffer.len()) > PART_HEAD_OCTETS_MAX {
                        return Err(malformed("a part's header fields are too long"));
                    }
                    let Some(end) = end else {
                        return Ok(Event::NeedMore);
                    };
                    self.parts += 1;
                    if self.parts > PARTS_MAX {
                        return Err(malformed("it has too many parts"));
                    }
                    let part = part_of(&self.buffer[..end])?;
                    self.buffer.advance(end + 4);
                    self.place = Place::Data;
                    return Ok(Event::Part(part));
                }
                Place::Data => {
                    return Ok(match self.before_delimiter() {
                        (0, false) => Event::NeedMore,
                        (0, true) => {
                            self.take_delimiter();
                            Event::PartEnd
                        }
                        (octets, _) => Event::Data(self.buffer.split_to(octets).freeze()),
                    });
                }
                Place::Ended => return Ok(Event::End),
            }
        }
    }

    /// How many octets surely come before the next delimiter, and whether it is there.
    fn before_delimiter(&self) -> (usize, bool) {
        match self.delimiter.find(&self.buffer) {
            Some(at) => (at, true),
            // The last octets may be the beginning of one.
            None => (self.buffer.len().saturating_sub(self.delimiter.needle().len() - 1), false),
        }
    }

    fn take_delimiter(&mut self) {
        self.buffer.advance(self.delimiter.needle().len());
        self.place = Place::AfterDelimiter;
    }
}

/// The boundary that a Content-Type names.
fn boundary(content_type: &str) -> Option<String> {
    let (media_type, parameters) = content_type.split_once(';')?;
    if !media_type.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary")?;
    let fits = |octet: u8| octet.is_ascii_graphic() || octet == b' ';
    (!boundary.is_empty() && boundary.len() <= BOUNDARY_OCTETS_MAX && boundary.bytes().all(fits)).then_some(boundary)
}

/// Reads the header fields of a part.
fn part_of(head: &[u8]) -> Result<Part, BodyError> {
    let head = std::str::from_utf8(head).map_err(|_| malformed("a part's header fields are not UTF-8"))?;
    let mut part = Part::default();
    let mut named = false;
    for line in head.split("\r\n").filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("a part's header line has no colon"))?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-disposition") {
            let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
            if !kind.trim().eq_ignore_ascii_case("form-data") {
                return Err(malformed("a part is no form field"));
            }
            if let Some(name) = parameter(parameters, "name") {
                part.name = unescape(&name);
                named = true;
            }
            part.file_name = parameter(parameters, "filename").map(|name| bare_file_name(&unescape(&name)));
        } else if name.eq_ignore_ascii_case("content-type") {
            part.media_type = Some(value.to_owned());
        }
    }
    if named { Ok(part) } else { Err(malformed("a part has no name")) }
}

/// A parameter's value, out of quotes.
fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let mut rest = parameters;
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_matches(|c: char| c == ';' || c.is_ascii_whitespace());
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            None => {
                let (value, next) = after.split_once(';').unwrap_or((after, ""));
                (value.trim().to_owned(), next)
            }
            Some(quoted) => {
                let end = end_of_quoted(quoted)?;
                (quoted[..end].replace("\\\"", "\""), &quoted[end + 1..])
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = next;
    }
}

/// Where a quoted text ends; a backslash before a quote keeps it in.
fn end_of_quoted(quoted: &str) -> Option<usize> {
    let mut escaped = false;
    quoted.bytes().position(|octet| {
        let end = octet == b'"' && !escaped;
        escaped = octet == b'\\' && !escaped;
        end
    })
}

/// Undoes what browsers do to quotes and line ends in names (WHATWG HTML, multipart/form-data).
fn unescape(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// The last part of a path, whatever system it comes from, without control characters.
fn bare_file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).take(255).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &str = "--b0\r\nContent-Disposition: form-data; name=\"printer\"\r\n\r\noffice\r\n--b0 \t\r\n\
content-disposition: form-data; filename=\"C:\\dir\\a;b=\\\"c%22.pdf\"; name=file\r\nContent-Type: application/pdf\r\n\r\n\
%PDF\r\n--b\r\n\r\n--b0\r\nContent-Disposition: form-data; name=empty\r\n\r\n\r\n--b0--\r\nepilogue";

    fn parts(body: &[u8], cut: usize) -> Result<Vec<(Part, Vec<u8>)>, BodyError> {
        let mut splitter = Splitter::new("b0");
        let mut pieces = body.chunks(cut);
        let mut parts: Vec<(Part, Vec<u8>)> = Vec::new();
        loop {
            match splitter.next()? {
                Event::NeedMore => splitter.push(pieces.next().ok_or_else(|| malformed("end"))?),
                Event::Part(part) => parts.push((part, Vec::new())),
                Event::Data(octets) => parts.last_mut().unwrap().1.extend_from_slice(&octets),
                Event::PartEnd => {}
                Event::End => return Ok(parts),
            }
        }
    }

    #[test]
    fn reads_parts_however_they_are_cut() {
        for cut in 1..BODY.len() {
            let parts = parts(BODY.as_bytes(), cut).unwrap();
            let names: Vec<_> = parts
                .iter()
                .map(|(part, octets)| (part.name.as_str(), part.file_name.as_deref(), octets.as_slice()))
                .collect();
            assert_eq!(
                names,
                [
                    ("printer", None, &b"office"[..]),
                    ("file", Some("a;b=\"c\".pdf"), b"%PDF\r\n--b\r\n"),
                    ("empty", None, b"")
                ]
            );
            assert_eq!(parts[1].0.media_type.as_deref(), Some("application/pdf"));
        }
    }

    #[test]
    fn file_names_have_no_folders() {
        assert_eq!(bare_file_name("../../etc/passwd"), "passwd");
        assert_eq!(bare_file_name("C:\\fakepath\\bill.pdf"), "bill.pdf");
        assert_eq!(bare_file_name("a\r\nb\0.pdf"), "ab.pdf");
    }

    #[test]
    fn broken_bodies_are_refused() {
        for body in [
            "",
            "--b0\r\n",
            "--b0--x",
            "--b0x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b0--",
            "--b0\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b1--",
            "--b0\r\n\r\nno name\r\n--b0--",
            "--b0\r\nno colon\r\n\r\n1\r\n--b0--",
            "--b0\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--b0--",
            "--b0\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--b0--",
        ] {
            let ended_well = body == "--b0--x";
            assert_eq!(parts(body.as_bytes(), 7).is_ok(), ended_well, "{body:?}");
        }
        let long = format!("--b0\r\nX: {}", "x".repeat(PART_HEAD_OCTETS_MAX));
        assert!(parts(long.as_bytes(), 1000).is_err());
        let many =
            format!("{}--b0--", "--b0\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n".repeat(PARTS_MAX + 1));
        assert!(parts(many.as_bytes(), 1000).is_err());
        assert!(parts(&vec![b'x'; PREAMBLE_OCTETS_MAX * 2], 1000).is_err());
    }

    #[test]
    fn the_boundary_comes_from_the_content_type() {
        assert_eq!(boundary("multipart/form-data; boundary=b0").as_deref(), Some("b0"));
        assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b\"").as_deref(), Some("a b"));
        assert_eq!(boundary("multipart/mixed; boundary=b0"), None);
        assert_eq!(boundary("multipart/form-data"), None);
        assert_eq!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))), None);
    }

    proptest! {
        #[test]
        fn any_octets_get_a_verdict(octets in "(--b0|\r\n|x|:|Content-Disposition: form-data; name=a|-| |\r)*", cut in 1_usize..30) {
            let _ = parts(octets.as_bytes(), cut);
        }

        #[test]
        fn octets_of_a_file_come_through(octets in prop::collection::vec(any::<u8>(), 0..300), cut in 1_usize..50) {
            prop_assume!(memchr::memmem::find(&octets, b"\r\n--b0").is_none());
            let mut body = b"--b0\r\nContent-Disposition: form-data; name=a\r\n\r\n".to_vec();
            body.extend_from_slice(&octets);
            body.extend_from_slice(b"\r\n--b0--");
            prop_assert_eq!(&parts(&body, cut).unwrap()[0].1, &octets);
        }
    }
}
