//! How a client session behaves.

use std::fmt;
use std::time::Duration;

/// Settings shared by all sessions to a server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our name in EHLO, a domain or an address literal. Default "localhost".
    pub hostname: String,
    /// Whether TLS is started. Default [`TlsPolicy::Opportunistic`].
    pub tls: TlsPolicy,
    /// Who we log in as; then a server without AUTH is a failure. Default none.
    pub credentials: Option<Credentials>,
    /// Whether the password may go over a connection without TLS, for a server on this machine. Default false.
    pub auth_without_tls: bool,
    /// Commands sent without waiting for their replies where the server offers PIPELINING (RFC 2920). Default 50;
    /// 1 = wait for each.
    pub pipelined_max: usize,
    /// Bounds on time.
    pub time_outs: TimeOuts,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hostname: "localhost".into(),
            tls: TlsPolicy::default(),
            credentials: None,
            auth_without_tls: false,
            pipelined_max: 50,
            time_outs: TimeOuts::default(),
        }
    }
}

/// Whether STARTTLS is used on a connection that is not TLS already. RFC 3207.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsPolicy {
    /// Never.
    Off,
    /// Where the server offers it.
    #[default]
    Opportunistic,
    /// Always; a server that does not offer it is a failure.
    Required,
}

/// Who we log in as.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The account's name.
    pub identity: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// Bounds on time. RFC 5321 section 4.5.3.2; shorter ones give up on servers that work.
#[derive(Clone, Debug)]
pub struct TimeOuts {
    /// For the server's greeting. Default 5 min.
    pub banner: Duration,
    /// For the reply to EHLO, HELO, STARTTLS, AUTH, RSET. Default 5 min.
    pub command: Duration,
    /// For the TLS handshake. Default 1 min.
    pub handshake: Duration,
    /// For the reply to MAIL. Default 5 min.
    pub mail: Duration,
    /// For the reply to RCPT. Default 5 min.
    pub rcpt: Duration,
    /// For the reply to DATA. Default 2 min.
    pub data_start: Duration,
    /// For a block of the message to be taken. Default 3 min.
    pub data_block: Duration,
    /// For the reply to the final dot. Default 10 min; giving up earlier makes doubles.
    pub data_end: Duration,
    /// For the reply to QUIT. Default 10 s; nothing depends on it.
    pub quit: Duration,
}

impl Default for TimeOuts {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Self {
            banner: minutes(5),
            command: minutes(5),
            handshake: minutes(1),
            mail: minutes(5),
            rcpt: minutes(5),
            data_start: minutes(2),
            data_block: minutes(3),
            data_end: minutes(10),
            quit: Duration::from_secs(10),
        }
    }
}
