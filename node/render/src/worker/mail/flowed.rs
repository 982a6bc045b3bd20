//! `format=flowed` (RFC 3676): lines that a program broke become paragraphs again.

/// Joins flowed lines; with `delsp` the space at their end was only a mark.
pub(super) fn unflow(text: &str, delsp: bool) -> String {
    let mut unflowed = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|octet| *octet == b'>').count();
        let content = &line[depth..];
        let content = content.strip_prefix(' ').unwrap_or(content);
        let is_separator = content == "-- ";
        // A paragraph ends where the depth of quoting changes (section 4.5).
        if open != Some(depth) || is_separator {
            if open.is_some() {
                unflowed.push('\n');
            }
            if depth > 0 {
                unflowed.extend(std::iter::repeat_n('>', depth));
                unflowed.push(' ');
            }
        }
        let flows = content.ends_with(' ') && !is_separator;
        unflowed.push_str(if flows && delsp { &content[..content.len() - 1] } else { content });
        if flows {
            open = Some(depth);
        } else {
            open = None;
            unflowed.push('\n');
        }
    }
    unflowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_lines_become_paragraphs() {
        assert_eq!(unflow("This is \nfl \nowed.\n\nNext\n", false), "This is fl owed.\n\nNext\n");
        assert_eq!(unflow("日本 \n語\n", true), "日本語\n");
    }

    #[test]
    fn quotes_and_separators_stay_apart() {
        assert_eq!(unflow(">> deep \n> less \nmine\n", false), ">> deep \n> less \nmine\n");
        assert_eq!(unflow("> a \n> b\n", false), "> a b\n");
        assert_eq!(unflow("end \n-- \nAnna\n", false), "end \n-- \nAnna\n");
        assert_eq!(unflow(" From here\n", false), "From here\n");
    }
}
