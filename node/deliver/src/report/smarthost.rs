//! All mail to one server.

use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tympan_smtp::Envelope;
use tympan_smtp::client::{Config, Credentials, Outcome, TlsPolicy};

use super::smtp::{self, SendError, Server};
use super::tls;

/// TLS towards a smarthost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmtpTls {
    /// Never.
    Off,
    /// STARTTLS where it is offered. The default.
    #[default]
    IfOffered,
    /// STARTTLS or nothing.
    Required,
    /// From the first octet (port 465, RFC 8314).
    Implicit,
}

/// A server that takes all our mail.
#[derive(Clone, Debug)]
pub struct Smarthost {
    /// Its name or address.
    pub host: String,
    /// Its port. Usually 587, 465 or 25.
    pub port: u16,
    /// TLS.
    pub tls: SmtpTls,
    /// Whether its certificate must be of a public authority for its name.
    pub verify: bool,
    /// Who we sign in as.
    pub credentials: Option<Credentials>,
}

impl Smarthost {
    /// Sends a notice.
    pub(super) async fn send(&self, hostname: &str, to: &str, octets: &[u8]) -> Result<(), SendError> {
        let connector = tls::connector(self.verify).map_err(|error| SendError::temporary(error.to_string()))?;
        smtp::send(&self.server(&connector), Arc::new(self.config(hostname)), to, octets).await
    }

    /// Hands a mail of any sender over, for the command line; `progress` hears how many octets were taken.
    ///
    /// # Errors
    /// When the session ended before the mail was answered.
    pub async fn hand_over(
        &self,
        hostname: &str,
        envelope: Envelope,
        octets: &[u8],
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Outcome, SendError> {
        let connector = tls::connector(self.verify).map_err(|error| SendError::temporary(error.to_string()))?;
        smtp::hand_over(&self.server(&connector), Arc::new(self.config(hostname)), envelope, octets, progress).await
    }

    fn server<'a>(&'a self, tls: &'a TlsConnector) -> Server<'a> {
        Server { host: &self.host, port: self.port, implicit_tls: self.tls == SmtpTls::Implicit, tls }
    }

    fn config(&self, hostname: &str) -> Config {
        let policy = match self.tls {
            SmtpTls::Off | SmtpTls::Implicit => TlsPolicy::Off,
            SmtpTls::IfOffered => TlsPolicy::Opportunistic,
            SmtpTls::Required => TlsPolicy::Required,
        };
        Config {
            hostname: hostname.to_owned(),
            tls: policy,
            credentials: self.credentials.clone(),
            // A server on this machine needs no TLS; `Off` says so on purpose.
            auth_without_tls: self.tls == SmtpTls::Off,
            ..Config::default()
        }
    }
}
