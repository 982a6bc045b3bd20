//! How a console is set up.

use crate::Hands;
use std::sync::Arc;
use tympan_engine::{Language, Millis, OwnerId};
use tympan_spooler::{Spooler, SpoolerError};

/// Settings of the console.
#[derive(Clone)]
pub struct ConsoleOptions {
    /// The queue.
    pub spooler: Spooler,
    /// What the console has done by others.
    pub hands: Arc<dyn Hands>,
    /// Whose printers the public pages (set-up, registration) are about. Default [`OwnerId::FIRST`].
    pub owner: OwnerId,
    /// Where people reach the console, without a slash at the end: `https://print.example`.
    pub base_url: String,
    /// Mail domain of the printers' addresses.
    pub domain: String,
    /// One mail address for all printers (its local part, or all of it), its sender chooses (A02); `None`: each printer has its own.
    pub constant_address: Option<String>,
    /// IANA name of the zone in which times are shown; `None`: the machine's.
    pub time_zone: Option<String>,
    /// Language where nobody chose one and the browser does not say.
    pub default_language: Language,
    /// Whether notices leave by mail; if not, the page of notices says that they stand there only.
    pub mail_leaves: bool,
    /// Address for reports of a printer's state, `{printer}` standing for its name; `None`: below `base_url` as
    /// `ipp(s)://…/ipp/print/{printer}`.
    pub report_uri: Option<String>,
    /// Where files are uploaded (`/print/{printer}`, the braces standing for its name); `None`: nowhere.
    pub upload_path: Option<String>,
    /// Whether the set-up page may be used at all. Default yes; a test or a demo with accounts of its own says no.
    pub set_up: bool,
    /// How long a machine that asks to be paired waits between two questions, in milliseconds. Default 5 s.
    pub pair_interval_ms: Millis,
}

impl ConsoleOptions {
    /// Defaults for a console at an address.
    pub fn new(spooler: Spooler, hands: Arc<dyn Hands>, base_url: &str, domain: &str) -> Self {
        Self {
            spooler,
            hands,
            owner: OwnerId::FIRST,
            base_url: base_url.trim_end_matches('/').to_owned(),
            domain: domain.to_owned(),
            constant_address: None,
            time_zone: None,
            default_language: Language::En,
            mail_leaves: false,
            report_uri: None,
            upload_path: None,
            set_up: true,
            pair_interval_ms: tympan_engine::pairing::INTERVAL,
        }
    }

    /// The mail address that prints at a printer.
    pub(crate) fn address_of(&self, printer: &str) -> String {
        format!("{printer}@{}", self.domain)
    }

    /// Where a printer's state is reported to.
    pub(crate) fn report_uri_of(&self, printer: &str) -> String {
        let base = match (&self.report_uri, self.base_url.strip_prefix("https://")) {
            (Some(uri), _) => return uri.replace("{printer}", printer),
            (None, Some(rest)) => with_port(rest, "ipps", 443),
            (None, None) => with_port(self.base_url.strip_prefix("http://").unwrap_or(&self.base_url), "ipp", 80),
        };
        format!("{base}/ipp/print/{printer}")
    }
}

/// An `ipp` address is port 631 where none is said, the console's is not.
fn with_port(rest: &str, scheme: &str, port: u16) -> String {
    let (authority, path) = rest.split_once('/').map_or((rest, String::new()), |(a, p)| (a, format!("/{p}")));
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit()));
    if has_port { format!("{scheme}://{authority}{path}") } else { format!("{scheme}://{authority}:{port}{path}") }
}

/// Why a console could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The zone has no such name.
    #[error("`{0}` is no time zone; use an IANA name such as `Asia/Tokyo` or `Europe/Berlin`")]
    TimeZone(String),
    /// The store failed.
    #[error("could not read the accounts")]
    Accounts(#[source] SpoolerError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_goes_to_the_port_of_the_console() {
        assert_eq!(with_port("print.example", "ipps", 443), "ipps://print.example:443");
        assert_eq!(with_port("localhost:8631", "ipp", 80), "ipp://localhost:8631");
        assert_eq!(with_port("[::1]:8631/a", "ipp", 80), "ipp://[::1]:8631/a");
    }
}
