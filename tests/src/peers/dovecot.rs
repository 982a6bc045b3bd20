//! A Dovecot of a test's own: one mailbox in a scratch folder, nothing of the machine's touched.

use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{account, command, need};
use crate::ports::free_port;
use crate::process::Process;
use crate::scratch::{Scratch, set_mode};
use crate::wait::wait_until;

/// Whose mailbox it is, and the password.
const USER: &str = "print@mail.example";
const PASSWORD: &str = "secret-of-the-test";
/// The account to which the files of the mailbox belong.
const OWNER: &str = "mail";

/// A running Dovecot. Needs `dovecot` and `root`.
#[derive(Debug)]
pub struct Dovecot {
    plain: SocketAddr,
    tls: SocketAddr,
    scratch: Scratch,
    process: Process,
    delivered: AtomicU32,
}

impl Dovecot {
    /// Whether it can run here; if not, the calling test must return.
    #[must_use]
    #[track_caller]
    pub fn need() -> bool {
        need("dovecot") && need("root") && need("openssl")
    }

    /// Starts one with an empty mailbox.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// As [`Dovecot::start`], with more lines for its configuration: `"imap_capability = IMAP4rev1"`.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start_with(settings: &str) -> Self {
        let [plain, tls] = [(); 2].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let scratch = Scratch::shared("dovecot");
        let owner = account(OWNER);
        let home = scratch.folder("home");
        for folder in ["home", "home/Maildir", "home/Maildir/new", "home/Maildir/cur", "home/Maildir/tmp"] {
            chown(scratch.folder(folder), Some(owner.0), Some(owner.1)).expect("root may give a folder away");
        }
        let mut make = command("openssl");
        make.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(scratch.join("key.pem"))
            .arg("-out")
            .arg(scratch.join("cert.pem"));
        Process::run("openssl req", &mut make).expect_success();
        let root = scratch.path().display();
        set_mode(&scratch.write("users", format!("{USER}:{{PLAIN}}{PASSWORD}\n")), 0o644);
        let conf = scratch.write(
            "dovecot.conf",
            format!(
                "base_dir = {root}/run\nstate_dir = {root}/state\nlog_path = {root}/dovecot.log\nprotocols = imap\nlisten = 127.0.0.1\n\
                 ssl = yes\nssl_cert = <{root}/cert.pem\nssl_key = <{root}/key.pem\nssl_dh =\ndisable_plaintext_auth = no\n\
                 mail_location = maildir:{}/Maildir\nmail_uid = {}\nmail_gid = {}\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n\
                 passdb {{\n  driver = passwd-file\n  args = {root}/users\n}}\n\
                 userdb {{\n  driver = static\n  args = uid={} gid={} home={}\n}}\n\
                 namespace inbox {{\n  inbox = yes\n}}\n\
                 service imap-login {{\n  inet_listener imap {{\n    port = {}\n  }}\n  inet_listener imaps {{\n    port = {}\n    ssl = yes\n  }}\n}}\n\
                 {settings}\n",
                home.display(), owner.0, owner.1, owner.0, owner.1, home.display(), plain.port(), tls.port(),
            ),
        );
        let mut process = Process::start("dovecot", command("dovecot").arg("-F").arg("-c").arg(&conf));
        process.wait_until_ready("its port", || std::net::TcpStream::connect(plain).is_ok());
        Self { plain, tls, scratch, process, delivered: AtomicU32::new(0) }
    }

    /// Where it is spoken to without TLS, or with STARTTLS.
    #[must_use]
    pub fn plain(&self) -> SocketAddr {
        self.plain
    }

    /// Where TLS begins at once.
    #[must_use]
    pub fn tls(&self) -> SocketAddr {
        self.tls
    }

    /// Its certificate, for the name `localhost`.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.scratch.join("cert.pem")
    }

    /// Whose mailbox it is.
    #[must_use]
    pub fn user(&self) -> &'static str {
        USER
    }

    /// A file with the password.
    #[must_use]
    pub fn password_file(&self) -> PathBuf {
        self.scratch.write("password", PASSWORD)
    }

    /// Puts a mail into the inbox as a mail server does.
    ///
    /// # Panics
    /// When that is impossible.
    pub fn deliver(&self, mail: &[u8]) {
        let owner = account(OWNER);
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        let written = self.scratch.write(format!("home/Maildir/tmp/{number}"), mail);
        chown(&written, Some(owner.0), Some(owner.1)).expect("root may give a file away");
        set_mode(&written, 0o600);
        let to = self.scratch.join(format!("home/Maildir/new/{}.{number}.test", 1_700_000_000 + number));
        std::fs::rename(written, to).expect("the inbox takes a mail");
    }

    /// The mails in a folder; `INBOX` is the inbox.
    #[must_use]
    pub fn mails(&self, folder: &str) -> Vec<Vec<u8>> {
        let maildir = self.scratch.join("home/Maildir");
        let maildir = if folder == "INBOX" { maildir } else { maildir.join(format!(".{folder}")) };
        let read = |folder: &Path| -> Vec<Vec<u8>> {
            let found = std::fs::read_dir(folder).map(|found| found.flatten().collect::<Vec<_>>()).unwrap_or_default();
            found.iter().filter_map(|entry| std::fs::read(entry.path()).ok()).collect()
        };
        [read(&maildir.join("new")), read(&maildir.join("cur"))].concat()
    }

    /// Waits until there are so many mails in a folder.
    ///
    /// # Panics
    /// When there never are.
    #[track_caller]
    pub fn wait_for_mails(&self, folder: &str, count: usize) {
        wait_until(&format!("{count} mails in {folder}; Dovecot says {}", self.log()), || {
            self.mails(folder).len() == count
        });
    }

    /// What it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.join("dovecot.log")).unwrap_or_default()
    }

    /// Ends it in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}
