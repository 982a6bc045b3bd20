//! "printer-state-reasons" values: a keyword and how bad it is (RFC 8011 section 5.4.12).

use alloc::string::{String, ToString};
use core::fmt;

use crate::state::PrinterState;
use crate::value::Value;

/// How bad a reason is; the suffix of its keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// `-report`: nobody needs to do anything.
    Report,
    /// `-warning`: somebody will have to do something.
    Warning,
    /// `-error`: the printer stopped for it.
    Error,
}

impl Severity {
    /// "report", "warning" or "error".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// One reason for a printer's state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrinterStateReason {
    /// The keyword without its suffix, such as "media-empty".
    pub keyword: String,
    /// The suffix, if there was one.
    pub severity: Option<Severity>,
}

impl PrinterStateReason {
    /// A reason with a suffix.
    pub fn new(keyword: impl Into<String>, severity: Severity) -> Self {
        Self { keyword: keyword.into(), severity: Some(severity) }
    }

    /// Reads a keyword with or without suffix.
    #[must_use]
    pub fn parse(keyword: &str) -> Self {
        let (keyword, severity) = Self::split(keyword);
        Self { keyword: keyword.to_string(), severity }
    }

    /// A keyword without its suffix, and the suffix.
    ///
    /// The end of a registered keyword is no suffix: `stapler-unrecoverable-storage-error` says nothing of its severity.
    #[must_use]
    pub fn split(keyword: &str) -> (&str, Option<Severity>) {
        const NO_SUFFIX: [&str; 3] = ["-unrecoverable-storage-error", "-feed-error", "-access-error"];
        // the one keyword of that end that is registered without it
        const EXCEPT: &str = "subunit-unrecoverable-storage-error";
        if keyword != EXCEPT && NO_SUFFIX.iter().any(|end| keyword.ends_with(end)) {
            return (keyword, None);
        }
        for severity in [Severity::Report, Severity::Warning, Severity::Error] {
            if let Some(rest) = keyword.strip_suffix(severity.as_str()).and_then(|rest| rest.strip_suffix('-'))
                && !rest.is_empty()
            {
                return (rest, Some(severity));
            }
        }
        (keyword, None)
    }

    /// Whether it says that there is no reason.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.keyword == "none"
    }

    /// How bad it is in this state: without suffix an error if the printer stopped, else a warning.
    #[must_use]
    pub fn severity_in(&self, state: PrinterState) -> Severity {
        self.severity.unwrap_or(match state {
            PrinterState::Stopped => Severity::Error,
            PrinterState::Idle | PrinterState::Processing => Severity::Warning,
        })
    }
}

impl fmt::Display for PrinterStateReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.severity {
            Some(severity) => write!(out, "{}-{severity}", self.keyword),
            None => out.write_str(&self.keyword),
        }
    }
}

impl From<PrinterStateReason> for Value {
    fn from(reason: PrinterStateReason) -> Self {
        Self::Keyword(reason.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    #[test]
    fn a_suffix_says_how_bad_it_is() {
        let reason = PrinterStateReason::parse("media-empty-error");
        assert_eq!(reason, PrinterStateReason::new("media-empty", Severity::Error));
        assert_eq!(reason.to_string(), "media-empty-error");
        assert_eq!(PrinterStateReason::split("toner-low"), ("toner-low", None));
        assert_eq!(PrinterStateReason::split("-error"), ("-error", None));
        assert!(PrinterStateReason::parse("none").is_none());
    }

    #[test]
    fn without_suffix_the_state_decides() {
        let jam = PrinterStateReason::parse("media-jam");
        assert_eq!(jam.severity_in(PrinterState::Stopped), Severity::Error);
        assert_eq!(jam.severity_in(PrinterState::Idle), Severity::Warning);
        let report = PrinterStateReason::parse("media-jam-report");
        assert_eq!(report.severity_in(PrinterState::Stopped), Severity::Report);
    }

    #[test]
    fn no_registered_keyword_is_taken_for_a_suffix() {
        for keyword in registry::keywords("printer-state-reasons") {
            assert_eq!(PrinterStateReason::split(keyword), (keyword, None));
            for severity in [Severity::Report, Severity::Warning, Severity::Error] {
                let reason = PrinterStateReason::new(keyword, severity);
                assert_eq!(PrinterStateReason::parse(&reason.to_string()), reason);
            }
        }
    }
}
