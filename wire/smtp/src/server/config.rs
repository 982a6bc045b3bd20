//! What a server session offers and where it stops. Every bound of a session stands here.

use std::time::Duration;

/// Settings shared by all sessions of a listener.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our name in the greeting and in the answer to EHLO. Default "localhost".
    pub hostname: String,
    /// Whether STARTTLS is offered (RFC 3207). Default true.
    pub starttls: bool,
    /// Whether mail is taken only over TLS. Default false.
    pub tls_required: bool,
    /// Whether AUTH PLAIN and LOGIN are offered (RFC 4954); never before TLS. Default true.
    pub auth: bool,
    /// Whether mail is taken only after AUTH, as on a submission port (RFC 6409). Default false.
    pub auth_required: bool,
    /// Whether addresses in other scripts are taken (RFC 6531). Default true.
    pub smtputf8: bool,
    /// Whether BDAT is offered (RFC 3030). Default true.
    pub chunking: bool,
    /// What HELP says after the list of commands, one line each. Default empty.
    pub help: Vec<String>,
    /// Bounds on size and number.
    pub limits: Limits,
    /// Bounds on time.
    pub time_outs: TimeOuts,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hostname: "localhost".into(),
            starttls: true,
            tls_required: false,
            auth: true,
            auth_required: false,
            smtputf8: true,
            chunking: true,
            help: Vec::new(),
            limits: Limits::default(),
            time_outs: TimeOuts::default(),
        }
    }
}

/// Bounds on size and number.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest message, in octets. Default 25 MiB; announced by SIZE (RFC 1870). Beyond it 552 5.3.4; twice as
    /// much is read and thrown away before the connection is closed.
    pub message_octets_max: u64,
    /// Longest command line before EHLO, in octets with CRLF. Default 512 (RFC 5321 section 4.5.3.1.4).
    pub command_octets_max: usize,
    /// Longest command line after EHLO, in octets with CRLF. Default 2048: room for the extensions.
    pub command_extended_octets_max: usize,
    /// Longest line of a message, in octets without CRLF. Default 8192. RFC 5321 section 4.5.3.1.6 allows 998;
    /// senders that write longer ones exist.
    pub body_line_octets_max: usize,
    /// Recipients accepted for one message. Default 50; more get 452 4.5.3.
    pub recipients_max: usize,
    /// Refused commands and recipients before the session is closed with 421 4.7.0. Default 10.
    pub errors_max: u32,
    /// Refused AUTH attempts before the session is closed with 421 4.7.0. Default 3.
    pub auth_failures_max: u32,
    /// Commands in one session; the next is answered 421 4.7.0. Default 200. RCPT and BDAT with octets do not
    /// count: recipients and octets have bounds of their own.
    pub commands_max: u32,
    /// Messages in one session; the next MAIL is answered 421 4.7.0. Default 50.
    pub messages_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_octets_max: 25 * 1024 * 1024,
            command_octets_max: 512,
            command_extended_octets_max: 2048,
            body_line_octets_max: 8192,
            recipients_max: 50,
            errors_max: 10,
            auth_failures_max: 3,
            commands_max: 200,
            messages_max: 50,
        }
    }
}

/// Bounds on time. None runs while the caller owes an answer or has paused the session.
#[derive(Clone, Debug)]
pub struct TimeOuts {
    /// From the start of the session to EHLO or HELO. Default 30 s.
    pub greeting: Duration,
    /// For the next whole command line, and for the TLS handshake. Default 60 s.
    pub command: Duration,
    /// For the next octets of a message. Default 60 s.
    pub body_block: Duration,
    /// For a whole message. Default 10 min.
    pub body_whole: Duration,
    /// For a whole session. Default 15 min.
    pub session: Duration,
    /// Slowest message, in octets a second on average, once `body_rate_grace` has passed. Default 500; 0 = no bound.
    pub body_rate_min: u64,
    /// How long a message may be slower than that at first. Default 10 s.
    pub body_rate_grace: Duration,
}

impl Default for TimeOuts {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(30),
            command: Duration::from_secs(60),
            body_block: Duration::from_secs(60),
            body_whole: Duration::from_secs(10 * 60),
            session: Duration::from_secs(15 * 60),
            body_rate_min: 500,
            body_rate_grace: Duration::from_secs(10),
        }
    }
}

/// What the caller knows of the peer before the first octet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peer {
    /// The connection is already TLS (port 465, RFC 8314). Default false.
    pub tls: bool,
    /// The peer is in a network whose old devices send lines that end in LF alone. Such lines are taken, and
    /// written as CRLF in the message; the end of the message stays CRLF.CRLF and nothing else. Default false.
    pub bare_lf_tolerated: bool,
}
