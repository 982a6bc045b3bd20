//! Settings of the mailbox door.

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tympan_engine::OwnerId;

/// How a connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImapTls {
    /// TLS from the first octet, as on port 993 (RFC 8314).
    #[default]
    Implicit,
    /// STARTTLS, without which nothing is sent, as on port 143.
    StartTls,
    /// Never: only towards a server on this machine or in a network that nobody listens to.
    Off,
}

impl ImapTls {
    /// The port that is meant where none is named.
    pub const fn port(self) -> u16 {
        match self {
            Self::Implicit => 993,
            Self::StartTls | Self::Off => 143,
        }
    }
}

/// Settings of the mailbox door.
#[derive(Clone)]
pub struct ImapOptions {
    /// The server's name; its certificate has to say so.
    pub host: String,
    /// Its port. Default: by [`ImapOptions::tls`].
    pub port: u16,
    /// How the connection is protected.
    pub tls: ImapTls,
    /// Certificates of an authority of one's own, instead of the public ones. Default none.
    pub authority: Vec<CertificateDer<'static>>,
    /// Whose mailbox.
    pub user: String,
    /// The password, often an "app password" of the provider.
    pub password: String,
    /// The folder that is read. Default "INBOX".
    pub folder: String,
    /// Where mails go that were taken. Default "Printed".
    pub done_folder: String,
    /// Where mails go that were refused. Default "Not printed".
    pub refused_folder: String,
    /// The mailbox's address. `print+office@` is the printer `office` there, `print+keep@` a command. Default: the
    /// user, if that is an address.
    pub address: Option<String>,
    /// The printer that mails to the mailbox's own address go to. Default: the one at which the sender is registered,
    /// as with [`SmtpOptions::constant_address`](crate::SmtpOptions::constant_address).
    pub printer: Option<String>,
    /// The provider's name in Authentication-Results (RFC 8601), whose word on DMARC is believed. Default: nobody's;
    /// then DKIM is looked up.
    pub authserv_id: Option<String>,
    /// Whether mails are taken that were there before the mailbox was first read. Default no.
    pub take_older: bool,
    /// How often is looked for mails where the server does not tell of them (IDLE), and at the least. Default 1 minute.
    pub poll: Duration,
    /// The first and the longest span before a server that is away is tried again. Default 5 s and 5 minutes.
    pub retry_first: Duration,
    /// See [`ImapOptions::retry_first`].
    pub retry_max: Duration,
    /// The longest span between two tries of a mail that cannot be taken at present. Default 1 hour.
    pub late_retry_max: Duration,
    /// After so long it is given up and goes to the refused ones. Default 5 days, as mail servers do.
    pub late_max: Duration,
    /// How long the server may take to answer. Default 1 minute.
    pub time_out: Duration,
    /// Whose settings hold what was taken.
    pub owner: OwnerId,
}

impl std::fmt::Debug for ImapOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImapOptions").field("host", &self.host).field("user", &self.user).finish_non_exhaustive()
    }
}

impl ImapOptions {
    /// The defaults for a mailbox.
    pub fn new(host: impl Into<String>, user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: ImapTls::default().port(),
            tls: ImapTls::default(),
            authority: Vec::new(),
            user: user.into(),
            password: password.into(),
            folder: "INBOX".into(),
            done_folder: "Printed".into(),
            refused_folder: "Not printed".into(),
            address: None,
            printer: None,
            authserv_id: None,
            take_older: false,
            poll: Duration::from_secs(60),
            retry_first: Duration::from_secs(5),
            retry_max: Duration::from_secs(300),
            late_retry_max: Duration::from_secs(3600),
            late_max: Duration::from_secs(5 * 86_400),
            time_out: Duration::from_secs(60),
            owner: OwnerId::FIRST,
        }
    }

    /// Where what was taken is written down.
    pub(super) fn setting(&self) -> String {
        format!("imap:{}@{}:{}/{}", self.user, self.host, self.port, self.folder)
    }

    /// The mailbox's address.
    pub(super) fn own_address(&self) -> Option<&str> {
        self.address.as_deref().or_else(|| Some(self.user.as_str()).filter(|user| user.contains('@')))
    }
}
