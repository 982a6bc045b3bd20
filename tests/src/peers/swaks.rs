//! swaks, the SMTP client for people who want to see each step.

use std::net::SocketAddr;
use std::path::Path;

use super::command;
use crate::process::Process;
use crate::scratch::Scratch;

/// One mail sent by swaks. Needs `swaks`.
#[derive(Clone, Debug)]
pub struct Swaks {
    arguments: Vec<String>,
    mail: Option<Vec<u8>>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct SwaksResult {
    /// Its exit code: 0 when the server took the mail for at least one recipient.
    pub exit_code: i32,
    /// The conversation as swaks shows it.
    pub output: String,
    /// The server's replies in order, `"250 2.1.5 ok"`; of a reply of several lines each line.
    pub replies: Vec<String>,
}

impl SwaksResult {
    /// Whether the server said so anywhere: `says("550 5.7.1")`.
    #[must_use]
    pub fn says(&self, start: &str) -> bool {
        self.replies.iter().any(|reply| reply.starts_with(start))
    }
}

impl Swaks {
    /// A mail for a server; the sender is `from`, for `<>` give an empty word.
    #[must_use]
    pub fn new(server: SocketAddr, from: &str, to: &str) -> Self {
        let from = if from.is_empty() { "<>" } else { from };
        let server = server.to_string();
        let arguments =
            ["--server", &server, "--from", from, "--to", to, "--helo", "client.example", "--timeout", "60"];
        Self { arguments: arguments.map(str::to_owned).to_vec(), mail: None }
    }

    /// The mail as it stands, headers and all.
    #[must_use]
    pub fn mail(mut self, octets: impl Into<Vec<u8>>) -> Self {
        self.mail = Some(octets.into());
        self
    }

    /// Demands STARTTLS, whatever the certificate.
    #[must_use]
    pub fn starttls(self) -> Self {
        self.argument("--tls")
    }

    /// Proves who it is: `("PLAIN", user, password)` or `"LOGIN"`.
    #[must_use]
    pub fn auth(self, mechanism: &str, user: &str, password: &str) -> Self {
        self.argument("--auth")
            .argument(mechanism)
            .argument("--auth-user")
            .argument(user)
            .argument("--auth-password")
            .argument(password)
    }

    /// Any other of its arguments: `argument("--pipeline")`.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<Path>) -> Self {
        self.arguments.push(argument.as_ref().display().to_string());
        self
    }

    /// Sends it.
    ///
    /// # Panics
    /// When swaks cannot be run or hangs.
    #[track_caller]
    pub fn send(&self) -> SwaksResult {
        let scratch = Scratch::new("swaks");
        let mut swaks = command("swaks");
        // Its own configuration must not reach into a test.
        swaks.env("HOME", scratch.path()).env_remove("SWAKS_OPT_server").args(&self.arguments);
        if let Some(mail) = &self.mail {
            // `@` reads a file; swaks turns a lone LF into CRLF itself.
            let text: Vec<u8> = mail.iter().copied().filter(|octet| *octet != b'\r').collect();
            let file = scratch.write("mail.eml", text);
            swaks.arg("--data").arg(format!("@{}", file.display()));
        }
        let finished = Process::run("swaks", &mut swaks);
        let replies = finished
            .output
            .lines()
            .filter_map(|line| {
                line.strip_prefix("<-  ").or_else(|| line.strip_prefix("<** ")).or_else(|| line.strip_prefix("<~  "))
            })
            .map(str::to_owned)
            .collect();
        SwaksResult { exit_code: finished.status.code().unwrap_or(-1), output: finished.output, replies }
    }
}
