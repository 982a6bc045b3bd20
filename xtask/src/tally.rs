//! Counts what test binaries report, by the lines that libtest prints.

use std::ops::AddAssign;

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl Tally {
    /// Reads libtest's closing line (`test result: ok. 3 passed; 0 failed; 1 ignored; ..`); `None` for every other line.
    pub(crate) fn from_result_line(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let count = |word: &str| counts.split("; ").find_map(|part| part.strip_suffix(word)?.trim().parse().ok());
        Some(Self { passed: count("passed")?, failed: count("failed")?, skipped: count("ignored")? })
    }

    /// Moves tests that ended early because something was missing from passed to skipped: libtest calls them passed.
    pub(crate) fn skip(&mut self, tests: u32) {
        let tests = tests.min(self.passed);
        self.passed -= tests;
        self.skipped += tests;
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The seconds of `finished in 1.25s` at the end of libtest's closing line.
pub(crate) fn seconds_of_result_line(line: &str) -> Option<f32> {
    line.rsplit_once("finished in ")?.1.strip_suffix('s')?.parse().ok()
}

/// The name of the test in `test a::b ... FAILED`.
pub(crate) fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_closing_line_of_a_test_binary() {
        let line = "test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 7 filtered out; finished in 1.25s";
        assert_eq!(Tally::from_result_line(line), Some(Tally { passed: 3, failed: 2, skipped: 1 }));
        assert_eq!(seconds_of_result_line(line), Some(1.25));
        assert_eq!(Tally::from_result_line("running 3 tests"), None);
    }

    #[test]
    fn a_skipped_test_is_not_a_passed_one() {
        let mut tally = Tally { passed: 3, failed: 0, skipped: 1 };
        tally.skip(2);
        assert_eq!(tally.to_string(), "1 passed, 0 failed, 3 skipped");
    }

    #[test]
    fn names_the_tests_that_failed() {
        assert_eq!(failed_test("test mail::a01_prints ... FAILED"), Some("mail::a01_prints"));
        assert_eq!(failed_test("test mail::a01_prints ... ok"), None);
    }
}
