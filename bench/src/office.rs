//! Our server with a hundred printers, all of them off.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tympan_tests::{MailDomain, Process, Scratch, ZoneServer, free_port, program};

/// Who sends; registered at every printer, and known by the network.
pub(crate) const SENDER: &str = "anna@sender.example";
/// One of the printers.
pub(crate) const RECIPIENT: &str = "printer-042@print.example";

const PRINTERS: u32 = 100;

/// Octets of a mail's body.
pub(crate) const OCTETS: u32 = 10 * 1024;

/// The server that is measured: `TYMPAN_PROGRAM`, else the release build, else the one beside this program.
pub(crate) fn program() -> PathBuf {
    let here = std::env::current_exe().unwrap_or_default();
    let release = here.ancestors().nth(2).map(|target| target.join("release/tympan"));
    match release {
        Some(path) if path.is_file() && std::env::var_os("TYMPAN_PROGRAM").is_none() => path,
        _ => program::tympan(),
    }
}

/// A server that runs.
pub(crate) struct Office {
    pub(crate) smtp: SocketAddr,
    /// A signed mail to send, where signatures prove the sender.
    pub(crate) signed: Option<PathBuf>,
    scratch: Scratch,
    process: Process,
    _zone: Option<ZoneServer>,
}

/// By what a sender is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It comes from a network that is trusted.
    Network,
    /// Its mail is signed with DKIM (RSA, 2048 bits, as most are), and its domain has a DMARC policy.
    Signature,
}

impl Office {
    /// A server whose senders are known by `proof`; a signed mail to send has a body of about so many octets.
    pub(crate) fn open(proof: Proof, octets: u32) -> Self {
        let scratch = Scratch::new("bench");
        let zone = (proof == Proof::Signature).then(ZoneServer::start);
        let signed = zone.as_ref().map(|zone| {
            let domain = MailDomain::publish_rsa(zone, "sender.example");
            // Without a Message-ID: the same mail again is another job.
            let head = format!(
                "From: <{SENDER}>\r\nTo: <{RECIPIENT}>\r\nSubject: Bench\r\nDate: Wed, 25 Nov 2026 09:00:00 +0000\r\n\r\n"
            );
            let line = "The quick brown fox jumps over the lazy dog, and then once more.\r\n";
            let body = line.repeat(octets as usize / line.len());
            let signed = domain.sign((head + &body).as_bytes());
            // smtp-source reads lines that end in LF, and sends CRLF.
            scratch.write("signed.eml", String::from_utf8_lossy(&signed).replace("\r\n", "\n"))
        });
        let trust = match &zone {
            Some(zone) => format!("[dns]\nservers = [\"{}\"]\n", zone.address()),
            None => "[trust]\nnetworks = [\"127.0.0.0/8\"]\n[dns]\nenabled = false\n".to_owned(),
        };
        let [smtp, http, off] = [(); 3].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let mut text = format!(
            "data = \"data\"\ndomain = \"print.example\"\n\
             [smtp]\nlisten = [\"{smtp}\"]\nmessages-per-connection-max = 1000000\nconnections-per-address-max = 10000\nsize-max = 104857600\n\
             [http]\nlisten = [\"{http}\"]\n{trust}[queue]\nreserve = 0\njobs-per-sender = 0\n"
        );
        for number in 0..PRINTERS {
            text += &format!(
                "[[printer]]\nname = \"printer-{number:03}\"\ndevice = \"ipp://{off}/ipp/print\"\n\
                 [[registration]]\nprinter = \"printer-{number:03}\"\nsender = \"{SENDER}\"\n"
            );
        }
        let config = scratch.write("tympan.toml", text);
        let mut command = Command::new(program());
        command.args(["serve", "--config"]).arg(config).env("TYMPAN_LOG", "warn");
        let process = Process::start("tympan serve", &mut command);
        process.wait_for_line("the server is ready", |line| (line == "ready").then_some(()));
        Self { smtp, signed, scratch, process, _zone: zone }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// How many jobs wait, as the server says.
    pub(crate) fn waiting(&self) -> u64 {
        let mut command = Command::new(program());
        command.args(["printers", "--json", "--data"]).arg(self.scratch.join("data"));
        let said = Process::run("tympan printers", &mut command).expect_success();
        let printers: Value = serde_json::from_str(&said).expect("JSON");
        let queued = |printer: &Value| printer["queued"].as_u64().unwrap_or(0);
        printers.as_array().into_iter().flatten().map(queued).sum()
    }
}
