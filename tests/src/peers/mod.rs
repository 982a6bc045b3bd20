//! Programs that we did not write, to stand on the other side of a test.
//!
//! A test that needs one begins with `if !peers::need("swaks") { return; }`.

pub mod chromium;
pub mod cups;
pub mod dovecot;
pub mod ippeveprinter;
pub mod ipptool;
pub mod namespace;
pub mod poppler;
pub mod postfix;
pub mod smtp_source;
pub mod smtplib;
pub mod swaks;

pub use chromium::Chromium;
pub use cups::Cups;
pub use dovecot::Dovecot;
pub use ippeveprinter::IppEvePrinter;
pub use ipptool::{IpptoolReport, IpptoolSuite};
pub use namespace::Namespace;
pub use postfix::Postfix;
pub use smtp_source::{SmtpSink, SmtpSource};
pub use smtplib::Smtplib;
pub use swaks::Swaks;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// Where programs stand that are not in everybody's search path.
const EXTRA_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Whether a program is here; if not, the calling test must return, and is counted as skipped.
///
/// `"root"` asks for the rights to make network namespaces and run servers that drop privileges.
///
/// # Panics
/// With `CI=true`, when it is missing: nothing may be skipped there.
#[must_use]
#[track_caller]
pub fn need(name: &str) -> bool {
    let missing = match name {
        "root" if rustix::process::geteuid().is_root() => return true,
        "root" => "it must run as root".to_owned(),
        _ if find(name).is_some() => return true,
        _ => format!("{name} is not installed (cargo xtask peers --install)"),
    };
    let ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    assert!(!ci, "{missing}, and CI=true: nothing may be skipped");
    // libtest runs each test on a thread of its name.
    let line = format!("{}: {missing}\n", std::thread::current().name().unwrap_or("a test"));
    if let Some(file) = std::env::var_os("TYMPAN_SKIPS") {
        let file = OpenOptions::new().append(true).create(true).open(file);
        // One write, so that lines of two processes do not mix.
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
    // Not `eprint!`: libtest would keep that to itself, and a skipped test would look like one that passed.
    let _ = std::io::stderr().write_all(format!("SKIPPED {line}").as_bytes());
    false
}

/// The path of a program.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(EXTRA_FOLDERS.iter().map(Into::into))
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// A command for a program that [`need`] said is here.
///
/// # Panics
/// When it is not.
#[must_use]
#[track_caller]
pub fn command(program: &str) -> std::process::Command {
    std::process::Command::new(find(program).unwrap_or_else(|| panic!("{program} is not installed")))
}

/// Numbers of a user and his group, for peers that drop root's rights.
#[track_caller]
fn account(name: &str) -> (u32, u32) {
    let accounts = std::fs::read_to_string("/etc/passwd").expect("the list of accounts");
    let fields: Option<Vec<&str>> =
        accounts.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields.first() == Some(&name));
    let fields = fields.unwrap_or_else(|| panic!("there is no account `{name}`"));
    let id = |at: usize| fields.get(at).and_then(|id| id.parse().ok()).expect("a number in the list of accounts");
    (id(2), id(3))
}
