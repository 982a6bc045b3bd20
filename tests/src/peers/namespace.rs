//! A network namespace with a message bus and DNS-SD of its own, for peers that will not run without them.
//!
//! ippeveprinter and its like register with the machine's avahi-daemon, which tests must neither need nor disturb. In
//! a namespace of their own they have a private one, and are reached from the test through a pair of interfaces with
//! addresses that are set aside for tests (RFC 2544, 198.18.0.0/15).

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{command, need};
use crate::process::Process;
use crate::scratch::Scratch;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Subnets of four addresses in 198.18.0.0/15.
const SUBNETS: u32 = 32_768;

/// How many namespaces one test process may have without meeting those of its neighbour.
const PER_PROCESS: u32 = 8;

/// A namespace; dropping it ends every process in it and takes it away.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    interface: String,
    address: Ipv4Addr,
    scratch: Scratch,
    // In the order in which they are to end.
    avahi: Option<Process>,
    bus: Option<Process>,
}

impl Namespace {
    /// Whether one can be made here, with DNS-SD in it; if not, the calling test must return.
    #[must_use]
    #[track_caller]
    pub fn need() -> bool {
        ["root", "ip", "dbus-daemon", "avahi-daemon"].into_iter().all(need)
    }

    /// Makes one, with a bus and DNS-SD running in it.
    ///
    /// # Panics
    /// When that is impossible.
    #[must_use]
    #[track_caller]
    pub fn with_dns_sd() -> Self {
        let mut namespace = Self::new();
        namespace.start_dns_sd();
        namespace
    }

    /// Makes an empty one.
    ///
    /// # Panics
    /// When that is impossible.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        remove_those_of_ended_processes();
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let name = format!("tympan-{process}-{number}");
        let (ours, theirs) = (format!("ty{process}h{number}"), format!("ty{process}p{number}"));
        let subnet = (process % (SUBNETS / PER_PROCESS)) * PER_PROCESS + number % PER_PROCESS;
        let base = u32::from(Ipv4Addr::new(198, 18, 0, 0)) + subnet * 4;
        let (host, address) = (Ipv4Addr::from(base + 1), Ipv4Addr::from(base + 2));
        let namespace = Self {
            name: name.clone(),
            interface: ours.clone(),
            address,
            scratch: Scratch::shared("namespace"),
            avahi: None,
            bus: None,
        };
        ip(&format!("netns add {name}"));
        ip(&format!("link add {ours} type veth peer name {theirs} netns {name}"));
        ip(&format!("address add {host}/30 dev {ours}"));
        ip(&format!("link set {ours} up"));
        ip(&format!("-n {name} address add {address}/30 dev {theirs}"));
        ip(&format!("-n {name} link set {theirs} up"));
        ip(&format!("-n {name} link set lo up"));
        ip(&format!("-n {name} route add default via {host}"));
        namespace
    }

    fn start_dns_sd(&mut self) {
        let socket = self.bus_socket();
        let bus_conf = self.scratch.write(
            "bus.conf",
            format!(
                "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
                 \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n<busconfig>\n\
                 <type>custom</type><listen>{socket}</listen><auth>EXTERNAL</auth>\n\
                 <policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>\
                 <allow send_destination=\"*\"/><allow receive_sender=\"*\"/></policy>\n</busconfig>\n"
            ),
        );
        let mut bus = self.command("dbus-daemon");
        bus.arg(format!("--config-file={}", bus_conf.display())).args(["--nofork", "--nopidfile", "--print-address=1"]);
        let bus = Process::start("dbus-daemon", &mut bus);
        bus.wait_for_line("its address", |line| line.starts_with("unix:").then_some(()));
        self.bus = Some(bus);
        let avahi_conf = self.scratch.write(
            "avahi.conf",
            format!(
                "[server]\nhost-name={}\nuse-ipv4=yes\nuse-ipv6=no\nallow-interfaces=lo,{}\nenable-dbus=yes\n\
                 [wide-area]\nenable-wide-area=no\n[publish]\npublish-hinfo=no\npublish-workstation=no\n",
                self.name,
                self.interface.replace('h', "p"),
            ),
        );
        let mut avahi = self.command("avahi-daemon");
        avahi.args(["--no-drop-root", "--no-chroot", "--no-rlimits", "--no-proc-title", "-f"]).arg(avahi_conf);
        let avahi = Process::start("avahi-daemon", &mut avahi);
        avahi.wait_for_line("its start", |line| line.contains("Server startup complete").then_some(()));
        self.avahi = Some(avahi);
    }

    /// The address of what listens in it, as the test sees it.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// A folder of its own, for the files of what runs in it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// A command that runs a program in it, with the private bus as the machine's bus and its home in our folder.
    ///
    /// `/run` is empty there: what a daemon writes to it (its process id) meets no other daemon's.
    ///
    /// # Panics
    /// When the program is not installed.
    #[must_use]
    #[track_caller]
    pub fn command(&self, program: &str) -> Command {
        let program = super::find(program).unwrap_or_else(|| panic!("{program} is not installed"));
        let mut inside = command("ip");
        inside
            .args(["netns", "exec", &self.name, "sh", "-c", "mount -t tmpfs tmpfs /run && exec \"$@\"", "sh"])
            .arg(program)
            .env("DBUS_SYSTEM_BUS_ADDRESS", self.bus_socket())
            .env("HOME", self.scratch.path());
        inside
    }

    /// Takes its network away or gives it back: what is connected neither gets through nor is told so.
    ///
    /// # Panics
    /// When that is impossible.
    pub fn set_reachable(&self, reachable: bool) {
        ip(&format!("link set {} {}", self.interface, if reachable { "up" } else { "down" }));
    }

    fn bus_socket(&self) -> String {
        format!("unix:path={}", self.scratch.join("bus").display())
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.avahi = None;
        self.bus = None;
        remove(&self.name);
        let _ = quiet(&format!("link delete {}", self.interface));
    }
}

/// Runs `ip`, which must succeed.
#[track_caller]
fn ip(arguments: &str) {
    Process::run("ip", command("ip").args(arguments.split(' '))).expect_success();
}

fn quiet(arguments: &str) -> Option<String> {
    let output = command("ip").args(arguments.split(' ')).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn remove(name: &str) {
    for id in quiet(&format!("netns pids {name}")).unwrap_or_default().split_whitespace() {
        if let Some(id) = id.parse().ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
        }
    }
    let _ = quiet(&format!("netns delete {name}"));
}

/// Takes away what test processes left that were killed.
fn remove_those_of_ended_processes() {
    for line in quiet("netns list").unwrap_or_default().lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        let process = name.strip_prefix("tympan-").and_then(|rest| rest.split_once('-')).map(|(process, _)| process);
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            remove(name);
        }
    }
}
