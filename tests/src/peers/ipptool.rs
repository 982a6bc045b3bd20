//! ipptool (CUPS) and its conformance suites.
//!
//! Debian ships the suites without the documents they print: those are made here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command;
use crate::process::Process;
use crate::samples::pwg::{PwgSample, PwgType};
use crate::samples::{self, PdfSample, picture, postscript, size_pt};
use crate::scratch::Scratch;

/// Where the package puts its suites.
const SUITES: &str = "/usr/share/cups/ipptool";

/// The resolutions for which `ipp-everywhere.test` names sample documents, in dots per inch.
const RESOLUTIONS_DPI: [u32; 6] = [150, 180, 300, 360, 600, 720];

/// A folder with the suites of the package and the documents they print. Needs `ipptool`.
#[derive(Debug)]
pub struct IpptoolSuite {
    scratch: Scratch,
}

/// What a suite found.
#[derive(Clone, Debug)]
pub struct IpptoolReport {
    /// Names of the tests that passed.
    pub passed: Vec<String>,
    /// Those that failed, each with what was received and expected.
    pub failed: Vec<IpptoolFailure>,
    /// Those that do not apply to the printer.
    pub skipped: Vec<String>,
    /// Whether ipptool came to its end by itself.
    pub complete: bool,
    /// All it said.
    pub output: String,
}

/// A test of a suite that failed.
#[derive(Clone, Debug)]
pub struct IpptoolFailure {
    /// Its name.
    pub name: String,
    /// Status, what was expected and what came, one a line.
    pub details: Vec<String>,
}

impl std::fmt::Display for IpptoolReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (passed, failed, skipped) = (self.passed.len(), self.failed.len(), self.skipped.len());
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")?;
        if !self.complete {
            write!(f, ", not complete")?;
        }
        for failure in &self.failed {
            write!(f, "\n{}", failure.name)?;
            for detail in &failure.details {
                write!(f, "\n    {detail}")?;
            }
        }
        Ok(())
    }
}

impl IpptoolSuite {
    /// Copies the suites and makes the documents.
    ///
    /// # Panics
    /// When the suites are not where Debian puts them.
    #[must_use]
    #[track_caller]
    pub fn prepare() -> Self {
        let scratch = Scratch::new("ipptool");
        let suites = std::fs::read_dir(SUITES).unwrap_or_else(|cause| panic!("no suites in {SUITES}: {cause}"));
        for file in suites.flatten() {
            std::fs::copy(file.path(), scratch.join(file.file_name())).expect("a copy of a suite");
        }
        for (name, size) in [("a4", size_pt::A4), ("letter", size_pt::LETTER)] {
            for (kind, pages) in [("document", 2), ("onepage", 1)] {
                scratch.write(format!("{kind}-{name}.pdf"), PdfSample::pages(pages).size_pt(size).build());
                scratch.write(format!("{kind}-{name}.ps"), postscript::postscript(pages, size));
            }
        }
        // 4 by 6 inches at 150 dpi
        scratch.write("color.jpg", samples::jpeg(4, 600, 900));
        scratch.write("gray.jpg", picture::jpeg_gray(5, 600, 900));
        for dpi in RESOLUTIONS_DPI {
            for pwg_type in PwgType::ALL {
                write_raster(&scratch, dpi, pwg_type);
            }
        }
        Self { scratch }
    }

    /// The folder, with `document-a4.pdf`, `document-letter.pdf`, `color.jpg` and the rest.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Runs a suite (`"ipp-everywhere.test"`) in IPP 2.0, going on after failures, for at most `limit`: some suites
    /// wait without end for a job that never completes. `document` is what its own jobs print: `"document-a4.pdf"`.
    ///
    /// # Panics
    /// When ipptool cannot be run.
    #[track_caller]
    pub fn run(&self, uri: &str, suite: &str, document: &str, limit: Duration) -> IpptoolReport {
        self.run_version(uri, suite, document, "2.0", limit)
    }

    /// As [`IpptoolSuite::run`], in another version of IPP: `"1.1"`.
    ///
    /// # Panics
    /// When ipptool cannot be run.
    #[track_caller]
    pub fn run_version(&self, uri: &str, suite: &str, document: &str, version: &str, limit: Duration) -> IpptoolReport {
        let mut ipptool = command("ipptool");
        ipptool.current_dir(self.folder()).args(["-V", version, "-tI", "-f", document, uri, suite]);
        let mut process = Process::start("ipptool", &mut ipptool);
        let deadline = std::time::Instant::now() + limit;
        while process.is_running() && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let complete = !process.is_running();
        process.kill();
        let output = process.finish(crate::CEILING).output;
        // It also ends early, on a file that it cannot read.
        let stopped = output.lines().any(|line| line.starts_with("ipptool: "));
        report(output, complete && !stopped)
    }
}

/// Runs one file of requests, shipped (`"get-printer-attributes.test"`) or written by the test, and returns all that
/// ipptool shows, attributes included. Needs `ipptool`.
///
/// # Panics
/// When it fails.
#[track_caller]
pub fn ask(uri: &str, test_file: &Path) -> String {
    let file = if test_file.is_absolute() { test_file.to_owned() } else { PathBuf::from(SUITES).join(test_file) };
    Process::run("ipptool", command("ipptool").arg("-tv").arg(uri).arg(file)).expect_success()
}

/// Prints a document with Print-Job and returns what ipptool shows. Needs `ipptool`.
///
/// # Panics
/// When the printer does not take it.
#[track_caller]
pub fn print(uri: &str, document: &Path) -> String {
    let file = PathBuf::from(SUITES).join("print-job.test");
    Process::run("ipptool", command("ipptool").arg("-tv").arg("-f").arg(document).arg(uri).arg(file)).expect_success()
}

fn write_raster(scratch: &Scratch, dpi: u32, pwg_type: PwgType) {
    let keyword = pwg_type.keyword().replace('_', "-");
    let folder = format!("pwg-raster-samples-{dpi}dpi/{keyword}");
    let samples = [
        ("color.jpg-4x6", PwgSample::photo(pwg_type, dpi)),
        ("gray.jpg-4x6", PwgSample::photo(pwg_type, dpi)),
        ("document-a4", PwgSample::a4(pwg_type, dpi).pages(2)),
        ("onepage-a4", PwgSample::a4(pwg_type, dpi)),
        ("document-letter", PwgSample::letter(pwg_type, dpi).pages(2)),
        ("onepage-letter", PwgSample::letter(pwg_type, dpi)),
    ];
    for (name, sample) in samples {
        scratch.write(format!("{folder}/{name}-{keyword}-{dpi}dpi.pwg"), sample.build());
    }
}

fn report(output: String, complete: bool) -> IpptoolReport {
    let mut report =
        IpptoolReport { passed: Vec::new(), failed: Vec::new(), skipped: Vec::new(), complete, output: String::new() };
    let mut failing = false;
    for line in output.lines() {
        let outcome = line.strip_suffix(']').and_then(|line| line.rsplit_once('['));
        match outcome.map(|(name, outcome)| (name.trim().to_owned(), outcome)) {
            Some((name, "PASS")) => {
                failing = false;
                report.passed.push(name);
            }
            Some((name, "SKIP")) => {
                failing = false;
                report.skipped.push(name);
            }
            Some((name, "FAIL")) => {
                failing = true;
                report.failed.push(IpptoolFailure { name, details: Vec::new() });
            }
            _ if failing && line.starts_with("        ") => {
                if let Some(failure) = report.failed.last_mut() {
                    failure.details.push(line.trim().to_owned());
                }
            }
            _ => failing = false,
        }
    }
    report.output = output;
    report
}
