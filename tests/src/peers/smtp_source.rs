//! Postfix's smtp-source and smtp-sink: load, and a place for it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::command;
use crate::ports::free_port;
use crate::process::{Finished, Process};
use crate::scratch::{Scratch, set_mode};

/// A load of mails from smtp-source. Needs `smtp-source` (Postfix).
#[derive(Clone, Debug)]
pub struct SmtpSource {
    /// Where it sends.
    pub server: SocketAddr,
    /// MAIL FROM and `From:`.
    pub from: String,
    /// RCPT TO and `To:`.
    pub to: String,
    /// How many mails in all.
    pub mails: u32,
    /// How many sessions at the same time.
    pub sessions: u32,
    /// Octets of each mail's body.
    pub octets: u32,
    /// A whole mail that is sent each time instead.
    pub file: Option<PathBuf>,
    /// Whether each session sends all its mails over one connection.
    pub keeps: bool,
}

impl SmtpSource {
    /// One mail of 1,000 octets.
    #[must_use]
    pub fn new(server: SocketAddr, from: &str, to: &str) -> Self {
        Self {
            server,
            from: from.to_owned(),
            to: to.to_owned(),
            mails: 1,
            sessions: 1,
            octets: 1000,
            file: None,
            keeps: false,
        }
    }

    /// Sends all and waits for the end, at most `limit`. It exits with 0 only when every mail was taken.
    ///
    /// # Panics
    /// When it cannot be run or does not end.
    #[track_caller]
    pub fn run(&self, limit: Duration) -> Finished {
        let mut source = command("smtp-source");
        source.args(["-s", &self.sessions.to_string(), "-m", &self.mails.to_string()]).args([
            "-f",
            &self.from,
            "-t",
            &self.to,
            "-M",
            "source.example",
        ]);
        if self.keeps {
            source.arg("-d");
        }
        match &self.file {
            Some(file) => source.arg("-F").arg(file),
            None => source.args(["-l", &self.octets.to_string()]),
        };
        source.arg(format!("inet:{}", self.server));
        Process::start("smtp-source", &mut source).finish(limit)
    }
}

/// A running smtp-sink that keeps each mail as a file. Needs `smtp-sink` (Postfix).
#[derive(Debug)]
pub struct SmtpSink {
    address: SocketAddr,
    scratch: Scratch,
    _process: Process,
}

impl SmtpSink {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let scratch = Scratch::shared("smtp-sink");
        let mails = scratch.folder("mails");
        let mut sink = command("smtp-sink");
        if rustix::process::geteuid().is_root() {
            // It refuses to stay root.
            set_mode(&mails, 0o777);
            sink.args(["-u", "nobody"]);
        }
        // One file a mail; it adds a number of its own.
        sink.arg("-d").arg(mails.join("mail.")).arg(address.to_string()).arg("100");
        let mut process = Process::start("smtp-sink", &mut sink);
        process.wait_until_ready("its port", || std::net::TcpStream::connect(address).is_ok());
        Self { address, scratch, _process: process }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The files of the mails that came: envelope as `X-` headers, then the mail.
    ///
    /// # Panics
    /// When its folder cannot be read.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.scratch.join("mails"))
            .expect("the folder of the sink")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.metadata().is_ok_and(|file| file.len() > 0))
            .collect();
        files.sort();
        files
    }
}
