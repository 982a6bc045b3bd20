//! The peers that tests talk to, where Debian has them, and how they are installed without starting any of them.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::steps::{answers, succeeds};

/// How one sees that a package is there, on any distribution.
enum Probe {
    /// A program in the search path or in one of [`EXTRA_FOLDERS`].
    Program(&'static str),
    PerlModule(&'static str),
    File(&'static str),
}

struct Package {
    name: &'static str,
    probe: Probe,
    /// What a test needs it for.
    why: &'static str,
}

/// Where programs stand that are not in everybody's search path.
const EXTRA_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Everything the tests want beyond Rust and a C compiler.
const PACKAGES: &[Package] = &[
    Package {
        name: "swaks",
        probe: Probe::Program("swaks"),
        why: "an SMTP client that we did not write: AUTH, STARTTLS, every step shown",
    },
    Package { name: "libnet-ssleay-perl", probe: Probe::PerlModule("Net::SSLeay"), why: "TLS for swaks" },
    Package {
        name: "postfix",
        probe: Probe::Program("postfix"),
        why: "a mail server that relays to us; its smtp-source and smtp-sink load and catch mail",
    },
    Package {
        name: "dovecot-imapd",
        probe: Probe::Program("dovecot"),
        why: "a mailbox server: its mails are taken over IMAP; each test runs one of its own",
    },
    Package {
        name: "cups-ipp-utils",
        probe: Probe::Program("ippeveprinter"),
        why: "ippeveprinter, a printer that we did not write, and ipptool with its conformance suites",
    },
    Package {
        name: "cups-daemon",
        probe: Probe::Program("cupsd"),
        why: "the spooler of Linux desktops, which prints through us; each test runs one of its own",
    },
    Package { name: "cups-client", probe: Probe::Program("lpadmin"), why: "lpadmin and lp, to print through CUPS" },
    Package {
        name: "cups-filters",
        probe: Probe::File("/usr/lib/cups/filter/pdftopdf"),
        why: "without it CUPS prints nothing on a driverless printer",
    },
    Package {
        name: "avahi-daemon",
        probe: Probe::Program("avahi-daemon"),
        why: "ippeveprinter does not start without DNS-SD; it gets one of its own",
    },
    Package {
        name: "dbus",
        probe: Probe::Program("dbus-daemon"),
        why: "avahi-daemon does not start without a bus; it gets one of its own",
    },
    Package {
        name: "iproute2",
        probe: Probe::Program("ip"),
        why: "network namespaces in which such peers run apart from this machine",
    },
    Package { name: "python3", probe: Probe::Program("python3"), why: "smtplib, the SMTP client of many scripts" },
    Package { name: "openssl", probe: Probe::Program("openssl"), why: "makes the RSA keys of a test's mail domain" },
    Package {
        name: "curl",
        probe: Probe::Program("curl"),
        why: "an HTTP client that we did not write: upload, console",
    },
    Package {
        name: "chromium",
        probe: Probe::Program("chromium"),
        why: "a browser: files dropped on the console, every page on phone and desk",
    },
    Package {
        name: "poppler-utils",
        probe: Probe::Program("pdftoppm"),
        why: "a PDF reader that we did not write, to look at the PDF that we make",
    },
    Package { name: "wrk", probe: Probe::Program("wrk"), why: "load for `cargo xtask bench ipp`" },
    Package {
        name: "valgrind",
        probe: Probe::Program("valgrind"),
        why: "counts instructions for `cargo xtask bench ipp`",
    },
    Package { name: "strace", probe: Probe::Program("strace"), why: "shows that fsync comes before 250" },
];

/// What became of the peers.
pub(crate) enum Peers {
    AllThere,
    /// Tests that need one of these skip themselves.
    Missing(Vec<&'static str>),
}

/// Looks which peers are missing and, if wanted and possible, installs them with apt.
///
/// # Errors
/// When apt failed or did not bring what it should.
pub(crate) fn provide(install: bool) -> Result<Peers, String> {
    let missing: Vec<&Package> = PACKAGES.iter().filter(|package| !package.is_there()).collect();
    if missing.is_empty() {
        println!("All {} peers are installed.", PACKAGES.len());
        return Ok(Peers::AllThere);
    }
    println!("The tests run against programs that we did not write. Missing here:");
    for package in &missing {
        println!("  {:<20} {}", package.name, package.why);
    }
    let names: Vec<&'static str> = missing.iter().map(|package| package.name).collect();
    let line = format!("apt-get install --no-install-recommends {}", names.join(" "));
    if !install {
        println!("To have them (Debian, Ubuntu), without starting any of them:\n  sudo {line}");
        println!("or, as root: cargo xtask peers --install\nUntil then the tests that need them skip themselves.");
        return Ok(Peers::Missing(names));
    }
    if !Path::new("/etc/debian_version").exists() || !answers("apt-get", &["--version"]) {
        println!(
            "This is no Debian: install them by other means. Until then the tests that need them skip themselves."
        );
        return Ok(Peers::Missing(names));
    }
    if !is_root() {
        println!("Only root can install them:\n  sudo {line}");
        return Ok(Peers::Missing(names));
    }
    println!("Installing them now, without starting any of them.");
    install_with_apt(&names)?;
    let still: Vec<&str> = missing.iter().filter(|package| !package.is_there()).map(|package| package.name).collect();
    if still.is_empty() {
        Ok(Peers::AllThere)
    } else {
        Err(format!("installed, but cannot be found: {}", still.join(", ")))
    }
}

impl Package {
    fn is_there(&self) -> bool {
        match self.probe {
            Probe::Program(program) => find(program),
            Probe::File(path) => Path::new(path).exists(),
            Probe::PerlModule(module) => answers("perl", &[&format!("-M{module}"), "-e", "1"]),
        }
    }
}

fn find(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(EXTRA_FOLDERS.iter().map(Into::into))
        .any(|folder| folder.join(program).is_file())
}

fn is_root() -> bool {
    // The owner of this process's own folder in /proc: no call into libc needed.
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|folder| folder.uid() == 0)
}

fn install_with_apt(names: &[&str]) -> Result<(), String> {
    let _no_services = NoServices::begin()?;
    // Else Postfix asks which kind of mail server this is to be, and looks for a host name.
    preseed("postfix postfix/main_mailer_type select No configuration\n")?;
    if !succeeds(Command::new("apt-get").args(["update", "--quiet"])) {
        println!("apt-get update did not succeed; trying with the lists that are here.");
    }
    let mut install = Command::new("apt-get");
    install
        .args(["install", "--yes", "--quiet", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0"])
        .args(names)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    if succeeds(&mut install) { Ok(()) } else { Err(format!("apt-get could not install {}", names.join(" "))) }
}

fn preseed(answer: &str) -> Result<(), String> {
    let failed = |cause: std::io::Error| format!("could not answer Debian's questions beforehand: {cause}");
    let mut child = Command::new("debconf-set-selections").stdin(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(answer.as_bytes()).map_err(failed)?;
    }
    child.wait().map_err(failed)?;
    Ok(())
}

/// While it lives, Debian's packages start no service (exit 101 of `policy-rc.d`: "action forbidden by policy").
struct NoServices {
    ours: bool,
}

impl NoServices {
    const POLICY: &'static str = "/usr/sbin/policy-rc.d";

    fn begin() -> Result<Self, String> {
        match fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(Self::POLICY) {
            Ok(mut file) => file
                .write_all(b"#!/bin/sh\nexit 101\n")
                .map(|()| Self { ours: true })
                .map_err(|cause| format!("could not write {}: {cause}", Self::POLICY)),
            // The machine has a policy already (containers do): it stays as it is.
            Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => Ok(Self { ours: false }),
            Err(cause) => Err(format!("could not write {}: {cause}", Self::POLICY)),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(Self::POLICY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_package_stands_once_and_says_why() {
        for (at, package) in PACKAGES.iter().enumerate() {
            assert!(!package.why.is_empty(), "{}", package.name);
            assert!(PACKAGES[..at].iter().all(|other| other.name != package.name), "{} twice", package.name);
        }
    }

    #[test]
    fn finds_what_is_there_and_not_what_is_not() {
        assert!(find("sh"));
        assert!(!find("no-such-program-anywhere"));
    }
}
