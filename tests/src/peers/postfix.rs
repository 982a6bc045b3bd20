//! A Postfix of a test's own: configuration, queue and data in a scratch folder, nothing of the machine's touched.

use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process_group};

use super::{account, command, need};
use crate::ports::free_port;
use crate::process::Process;
use crate::scratch::{Scratch, set_mode};
use crate::wait::wait_until;

/// The account under which Debian's package runs its servers.
const MAIL_OWNER: &str = "postfix";

/// The services that a relay needs, as in the `master.cf` of the distribution, none of them in a chroot.
const SERVICES: &str = "\
pickup    unix       n - n 60    1 pickup
cleanup   unix       n - n -     0 cleanup
qmgr      unix       n - n 300   1 qmgr
tlsmgr    unix       - - n 1000? 1 tlsmgr
rewrite   unix       - - n -     - trivial-rewrite
bounce    unix       - - n -     0 bounce
defer     unix       - - n -     0 bounce
trace     unix       - - n -     0 bounce
verify    unix       - - n -     1 verify
flush     unix       n - n 1000? 0 flush
proxymap  unix       - - n -     - proxymap
proxywrite unix      - - n -     1 proxymap
smtp      unix       - - n -     - smtp
relay     unix       - - n -     - smtp
showq     unix       n - n -     - showq
error     unix       - - n -     - error
retry     unix       - - n -     - error
discard   unix       - - n -     - discard
anvil     unix       - - n -     1 anvil
scache    unix       - - n -     1 scache
postlog   unix-dgram n - n -     1 postlogd
";

/// A running Postfix that takes mail from this machine and passes all of it on. Needs `postfix` and `root`.
#[derive(Debug)]
pub struct Postfix {
    address: SocketAddr,
    scratch: Scratch,
    process: Process,
}

impl Postfix {
    /// Whether it can run here; if not, the calling test must return.
    #[must_use]
    #[track_caller]
    pub fn need() -> bool {
        need("postfix") && need("root")
    }

    /// Starts one that passes every mail on to `next`, by SMTP, whatever its domain.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn relay_to(next: SocketAddr) -> Self {
        Self::relay_with(next, "")
    }

    /// As [`Postfix::relay_to`], with lines of `main.cf` that overrule ours: `"smtp_tls_security_level = encrypt"`.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn relay_with(next: SocketAddr, settings: &str) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let scratch = Scratch::shared("postfix");
        let (queue, data) = (scratch.folder("queue"), scratch.folder("data"));
        // Who Postfix is must own its data folder; the folder tells us who that is without a look into /etc/passwd.
        let owner = account(MAIL_OWNER);
        chown(&data, Some(owner.0), Some(owner.1)).expect("root may give a folder away");
        set_mode(&data, 0o700);
        let root = scratch.path().display();
        scratch.write(
            "conf/main.cf",
            format!(
                "compatibility_level = 3.6\n\
                 queue_directory = {}\ndata_directory = {}\n\
                 maillog_file = {root}/mail.log\nmaillog_file_prefixes = {root}\n\
                 myhostname = relay.example\nmydomain = example\nmyorigin = relay.example\nmydestination =\n\
                 mynetworks = 127.0.0.0/8\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
                 relayhost = [{}]:{}\nsmtp_dns_support_level = disabled\n\
                 smtpd_relay_restrictions = permit_mynetworks, reject\nsmtpd_recipient_restrictions =\n\
                 alias_maps =\nalias_database =\nlocal_recipient_maps =\nmessage_size_limit = 104857600\n\
                 minimal_backoff_time = 1s\nmaximal_backoff_time = 5s\nqueue_run_delay = 1s\n\
                 notify_classes =\n{settings}\n",
                queue.display(),
                data.display(),
                next.ip(),
                next.port(),
            ),
        );
        scratch.write("conf/master.cf", format!("{address} inet n - n - - smtpd\n{SERVICES}"));
        let conf = scratch.join("conf");
        // Makes the folders of the queue; warnings about what else lies there are no matter.
        Process::run("postfix check", command("postfix").arg("-c").arg(&conf).arg("check")).expect_success();
        let mut process = Process::start("postfix", command("postfix").arg("-c").arg(&conf).arg("start-fg"));
        process.wait_until_ready("its port", || std::net::TcpStream::connect(address).is_ok());
        Self { address, scratch, process }
    }

    /// Where it takes mail.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.join("mail.log")).unwrap_or_default()
    }

    /// The folder of its queue, in which `deferred/` holds what waits.
    #[must_use]
    pub fn queue(&self) -> PathBuf {
        self.scratch.join("queue")
    }

    /// The process id of its master, for a look at the processor time that it and its servers use.
    #[must_use]
    pub fn master_pid(&self) -> Option<i32> {
        std::fs::read_to_string(self.queue().join("pid/master.pid")).ok()?.trim().parse().ok()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // Its master is the leader of a session of its own: killing our child alone would leave it.
        let master = self.master_pid().and_then(Pid::from_raw);
        let _ = command("postfix")
            .arg("-c")
            .arg(self.scratch.join("conf"))
            .arg("stop")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status();
        if let Some(master) = master {
            let _ = kill_process_group(master, Signal::KILL);
        }
        if std::thread::panicking() {
            eprintln!("-- Postfix logged:\n{}\n--", self.log());
        } else {
            wait_until("the end of Postfix", || !self.process.is_running());
        }
    }
}
