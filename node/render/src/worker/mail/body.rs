//! The text of a mail, put together from its pieces.

use super::html;

/// Text of one message; several inline texts follow each other.
#[derive(Default)]
pub(super) struct Body {
    text: String,
}

impl Body {
    pub(super) fn add_text(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        self.add(text.trim_end().trim_start_matches('\n'));
    }

    pub(super) fn add_html(&mut self, html: &str) {
        self.add(&html::to_text(html));
    }

    fn add(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        self.text.push_str(text);
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}
