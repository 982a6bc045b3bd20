//! How an upload is to be printed: fields of its query or its form, read as the words of a mail's subject.

use tympan_engine::JobOptions;
use tympan_engine::options::parse_words;

/// What the fields of an upload say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) options: JobOptions,
    /// Whose job it is, where a listed network or a program says so.
    pub(super) from: Option<String>,
    /// "document-name".
    pub(super) name: Option<String>,
    /// Fields and words that are not known.
    pub(super) unknown: Vec<String>,
}

/// Reads fields: `copies=2&sides=two-sided-long-edge&color=monochrome&media=A4&pages=1-3&receipt`, or free words in
/// `options`. Empty fields say nothing.
pub(super) fn read<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Wanted {
    let mut wanted = Wanted::default();
    let mut words: Vec<String> = Vec::new();
    for (name, value) in fields {
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "from" if !value.is_empty() => wanted.from = Some(value.to_owned()),
            "name" | "job-name" | "document-name" if !value.is_empty() => wanted.name = Some(value.to_owned()),
            "copies" | "pages" | "page-ranges" if !value.is_empty() => {
                let word = if name.eq_ignore_ascii_case("copies") { "copies" } else { "pages" };
                words.push(format!("{word} {value}"));
            }
            "sides" if !value.is_empty() => words.push(match value {
                "two-sided-long-edge" => "duplex-long".into(),
                "two-sided-short-edge" => "duplex-short".into(),
                other => other.into(),
            }),
            "color" | "colour" | "print-color-mode" if !value.is_empty() => {
                if value != "auto" {
                    words.push(value.into());
                }
            }
            "media" | "print" | "options" | "words" if !value.is_empty() => words.push(value.into()),
            "receipt" if matches!(value, "" | "1" | "yes" | "true" | "on") => words.push("receipt".into()),
            "receipt" => {}
            "from" | "name" | "job-name" | "document-name" | "copies" | "pages" | "page-ranges" | "sides" | "color"
            | "colour" | "print-color-mode" | "media" | "print" | "options" | "words" => {}
            // What the page adds for itself.
            hidden if hidden.starts_with("csrf") || hidden.starts_with('_') || hidden == "token" => {}
            _ if value.is_empty() => words.push(name.to_owned()),
            _ => wanted.unknown.push(name.to_owned()),
        }
    }
    let (options, unknown, _) = parse_words(&words.join(" "));
    wanted.options = options;
    wanted.unknown.extend(unknown);
    wanted
}

/// Decodes percent signs; `None` if it is not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((octet, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (octet, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(decoded)) => {
                octets.push(decoded);
                rest = &after[2..];
            }
            _ => {
                octets.push(*octet);
                rest = after;
            }
        }
    }
    String::from_utf8(octets).ok()
}

/// A file's name as it can be shown: without folders and control characters, not too long.
pub(crate) fn clean_name(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(query: &str) -> Wanted {
        let form = tympan_http::Form::from_query(Some(query));
        read(form.iter())
    }

    #[test]
    fn a05_a_query_says_what_a_subject_says() {
        let one = wanted("copies=2&sides=two-sided-long-edge&color=monochrome&media=A5&pages=1-3&receipt");
        assert_eq!(one.options.words(), "2 copies duplex mono A5 pages 1-3");
        assert!(one.options.receipt && one.unknown.is_empty(), "{one:?}");
        assert_eq!(one.options, wanted("options=2+copies+duplex+mono+A5+pages+1-3+receipt").options);
        assert_eq!(one.options, wanted("duplex&mono&A5&receipt=yes&copies=2&page-ranges=1-3").options);
    }

    #[test]
    fn what_is_not_known_is_reported_and_what_is_empty_says_nothing() {
        assert_eq!(
            wanted("copies=0&shiny&stapler=left&media=&csrf-token=x").unknown,
            ["stapler", "copies", "0", "shiny"]
        );
        assert_eq!(wanted("color=auto&copies=&options=&from=").options, JobOptions::default());
        assert_eq!(wanted("from=anna%40a.example&name=x.pdf").from.as_deref(), Some("anna@a.example"));
    }

    #[test]
    fn names_are_shown_without_folders() {
        assert_eq!(clean_name("C:\\docs\\a b.pdf").as_deref(), Some("a b.pdf"));
        assert_eq!(clean_name("../../etc/passwd").as_deref(), Some("passwd"));
        assert_eq!(clean_name("a\r\nb").as_deref(), Some("ab"));
        assert_eq!(clean_name("/"), None);
        assert_eq!(decode("a%20b%E5%8D%B0%zz").as_deref(), Some("a b印%zz"));
        assert_eq!(decode("%ff"), None);
    }
}
