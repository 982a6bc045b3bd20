//! A CUPS scheduler of a test's own, as it runs on desktops: queues, spool and logs in a scratch folder.

use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use super::{account, command, need};
use crate::ports::free_port;
use crate::process::Process;
use crate::scratch::Scratch;
use crate::wait::wait_until;

/// The account under which Debian's package runs filters and backends.
const OWNER: &str = "lp";

/// A running cupsd that everybody on this machine may administer. Needs `cupsd`, `lpadmin` and `root`.
#[derive(Debug)]
pub struct Cups {
    address: SocketAddr,
    _process: Process,
    scratch: Scratch,
}

impl Cups {
    /// Whether it can run here; if not, the calling test must return.
    #[must_use]
    #[track_caller]
    pub fn need() -> bool {
        need("cupsd") && need("lpadmin") && need("root")
    }

    /// Starts one without any queue.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// As [`Cups::start`], with lines of `cupsd.conf` that overrule ours: `"LogLevel none"`.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start_with(settings: &str) -> Self {
        let scratch = Scratch::shared("cups");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let config = scratch.write(
            "cupsd.conf",
            format!(
                "Listen {address}\nLogLevel debug\nDefaultAuthType None\nBrowsing No\n\
                 {settings}\n<Location />\n  Order allow,deny\n  Allow all\n</Location>\n\
                 <Policy default>\n  <Limit All>\n    Order deny,allow\n  </Limit>\n</Policy>\n"
            ),
        );
        let (uid, gid) = account(OWNER);
        let folder = |name: &str| {
            let folder = scratch.join(name);
            std::fs::create_dir_all(&folder).expect("a folder of cupsd");
            chown(&folder, Some(uid), Some(gid)).expect("root gives folders away");
            folder.display().to_string()
        };
        let files = scratch.write(
            "cups-files.conf",
            format!(
                "FileDevice Yes\nServerRoot {}\nRequestRoot {}\nCacheDir {}\nStateDir {}\nAccessLog {logs}/access\nErrorLog {logs}/error\n\
                 PageLog {logs}/page\nUser {OWNER}\nGroup {OWNER}\nSystemGroup root\n",
                folder("root"),
                folder("spool"),
                folder("cache"),
                folder("state"),
                logs = folder("logs"),
            ),
        );
        let mut cupsd = command("cupsd");
        let process = Process::start("cupsd", cupsd.arg("-f").arg("-c").arg(config).arg("-s").arg(files));
        wait_until("cupsd to listen", || std::net::TcpStream::connect(address).is_ok());
        Self { address, _process: process, scratch }
    }

    /// Adds a printer as a desktop does, without a driver: `lpadmin -m everywhere`.
    ///
    /// # Panics
    /// When it is not accepted.
    #[track_caller]
    pub fn add(&self, queue: &str, uri: &str) {
        Process::run("lpadmin", self.client("lpadmin").args(["-p", queue, "-E", "-v", uri, "-m", "everywhere"]))
            .expect_success();
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds a queue that takes every document as it is and prints none.
    ///
    /// # Panics
    /// When it is not accepted.
    #[track_caller]
    pub fn add_raw(&self, queue: &str) {
        let words = ["-p", queue, "-E", "-v", "file:///dev/null", "-m", "raw"];
        Process::run("lpadmin", self.client("lpadmin").args(words)).expect_success();
        Process::run("cupsdisable", self.client("cupsdisable").arg(queue)).expect_success();
    }

    /// Cancels and forgets all jobs of a queue.
    #[track_caller]
    pub fn forget_jobs(&self, queue: &str) {
        Process::run("cancel", self.client("cancel").args(["-a", "-x", queue])).expect_success();
    }

    /// Prints a file with `lp`; `options` such as `sides=two-sided-long-edge`.
    ///
    /// # Panics
    /// When it is not taken.
    #[track_caller]
    pub fn print(&self, queue: &str, options: &[&str], file: &Path) -> String {
        let mut lp = self.client("lp");
        lp.args(["-d", queue]);
        options.iter().for_each(|option| {
            lp.args(["-o", option]);
        });
        Process::run("lp", lp.arg(file)).expect_success()
    }

    /// Runs one of its commands: `lp`, `lpstat`, `cancel`.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn run(&self, program: &str, words: &[&str]) -> String {
        Process::run(program, self.client(program).args(words)).expect_success()
    }

    /// What cupsd wrote down.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.join("logs/error")).unwrap_or_default()
    }

    fn client(&self, program: &str) -> Command {
        let mut client = command(program);
        client.env("CUPS_SERVER", self.address.to_string());
        client
    }
}
