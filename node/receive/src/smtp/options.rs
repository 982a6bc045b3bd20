//! Settings of the mail door. Every bound of it stands here.

use std::net::SocketAddr;
use std::time::Duration;

use tympan_smtp::server::{Limits, TimeOuts};

use crate::Network;
use crate::proof::Dns;

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Mail from other servers and from devices, as on port 25. STARTTLS and AUTH are offered, neither is needed.
    Mail,
    /// Submission as on port 587 (RFC 6409): STARTTLS and AUTH are needed.
    Submission,
    /// Submission as on port 465 (RFC 8314): TLS from the first octet, AUTH is needed.
    Submissions,
}

/// One listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Address and port; port 0 takes any free one.
    pub addr: SocketAddr,
    /// What it is for.
    pub role: Role,
}

/// Settings of the mail door.
#[derive(Clone, Debug)]
pub struct SmtpOptions {
    /// Our name in the greeting and for SPF. Default "localhost".
    pub hostname: String,
    /// The print domains, lower case: mail to any other domain is refused (550 5.7.1). Default none.
    pub domains: Vec<String>,
    /// Where to listen. Default nowhere.
    pub listeners: Vec<Listen>,
    /// Networks whose senders are believed: the reverse-path of their mail counts as proven, and so does its From
    /// address. List only networks in which nobody sends in another's name. Default none.
    pub networks: Vec<Network>,
    /// Networks with old devices that end lines in a bare LF; everybody else is refused (550 5.5.2). Default none.
    pub bare_lf_networks: Vec<Network>,
    /// Where the console is seen from outside, without a slash at its end, for the links in refusals and notices.
    /// Default "http://localhost".
    pub base_url: String,
    /// One address for all printers (its local part): the sender's registrations choose the printer. With one
    /// registration it is that printer; with several it is the one that the subject names in brackets (`[lobby
    /// duplex] Invoice`), else the one registered first. Default none.
    pub constant_address: Option<String>,
    /// Whom to write to instead of `postmaster` here, where no mailbox is kept; shown in the refusal. Default none.
    pub postmaster: Option<String>,
    /// Where SPF, DKIM and DMARC are looked up. Default [`Dns::Off`]: only networks and AUTH prove a sender.
    pub dns: Dns,
    /// How long all look-ups for one mail may take; then 451 4.4.3. Default 20 s.
    pub dns_time_out: Duration,
    /// Octets of a mail's header. Default 128 KiB; beyond it 552 5.3.4.
    pub header_octets_max: usize,
    /// Lines of a mail's header. Default 1,000; beyond it 552 5.3.4.
    pub header_lines_max: usize,
    /// `Received:` fields of a mail; with more it is in a loop, 554 5.4.6. Default 100 (RFC 5321 section 6.3).
    pub received_max: usize,
    /// Connections at a time over all listeners. Default 10,000; the next gets 421 4.7.0. At four fifths the one
    /// that was idle longest has to go.
    pub connections_max: usize,
    /// Connections at a time from one IPv4 address or IPv6 /64. Default 20.
    pub connections_per_source_max: usize,
    /// The same for addresses in [`SmtpOptions::networks`]. Default 50.
    pub connections_per_listed_max: usize,
    /// New connections in a minute from one source. Default 30; [`SmtpOptions::networks`] and this machine itself
    /// are not counted.
    pub connections_per_minute_max: u32,
    /// How long the greeting is held back to catch peers that do not wait for it. Default 200 ms; not for
    /// [`SmtpOptions::networks`].
    pub greeting_delay: Duration,
    /// Mails that the door itself may write in an hour, to all, in answer to commands and about refused
    /// recipients. Default 200.
    pub answers_per_hour_max: u32,
    /// The same to one address. Default 20.
    pub answers_per_address_max: u32,
    /// How long mails in flight may take to end at shutdown. Default 10 s.
    pub grace: Duration,
    /// Bounds on size and number of a session (25 MiB a mail, 50 recipients, …).
    pub limits: Limits,
    /// Bounds on time of a session.
    pub time_outs: TimeOuts,
}

impl Default for SmtpOptions {
    fn default() -> Self {
        Self {
            hostname: "localhost".into(),
            domains: Vec::new(),
            listeners: Vec::new(),
            networks: Vec::new(),
            bare_lf_networks: Vec::new(),
            base_url: "http://localhost".into(),
            constant_address: None,
            postmaster: None,
            dns: Dns::Off,
            dns_time_out: Duration::from_secs(20),
            header_octets_max: 128 * 1024,
            header_lines_max: 1_000,
            received_max: 100,
            connections_max: 10_000,
            connections_per_source_max: 20,
            connections_per_listed_max: 50,
            connections_per_minute_max: 30,
            greeting_delay: Duration::from_millis(200),
            answers_per_hour_max: 200,
            answers_per_address_max: 20,
            grace: Duration::from_secs(10),
            limits: Limits::default(),
            time_outs: TimeOuts::default(),
        }
    }
}
