//! The printer as one client sees it: the model, the time, and the host name that the client used.

use crate::model::Model;
use crate::options::DeviceOptions;
use crate::shared::Shared;

/// What attributes are made from.
pub(crate) struct View<'a> {
    pub(crate) model: &'a Model,
    pub(crate) options: &'a DeviceOptions,
    pub(crate) uuid: &'a str,
    /// `ipp://host:port/ipp/print`
    pub(crate) printer_uri: String,
    /// `http://host:port`
    pub(crate) page_url: String,
    pub(crate) now: u64,
    shared: &'a Shared,
}

impl<'a> View<'a> {
    /// Makes the view; `authority` is the host and port of the request.
    pub(crate) fn new(shared: &'a Shared, model: &'a Model, authority: &str) -> Self {
        let host = host_name(authority);
        Self {
            model,
            options: &shared.options,
            uuid: &shared.uuid,
            printer_uri: format!("ipp://{host}:{}/ipp/print", shared.ipp_addr.port()),
            page_url: format!("http://{host}:{}", shared.page_addr.port()),
            now: shared.now(),
            shared,
        }
    }

    /// "printer-up-time" at a moment: seconds since it was switched on, from 1.
    pub(crate) fn up_time(&self, at: u64) -> i32 {
        let secs = at.saturating_sub(self.model.powered_on_at) / 1_000 + 1;
        i32::try_from(secs).unwrap_or(i32::MAX)
    }

    /// Seconds since 1970 at a moment.
    pub(crate) fn unix_secs(&self, at: u64) -> i64 {
        self.shared.unix_secs(at) as i64
    }
}

/// The host of an authority, without its port; an IPv6 address keeps its brackets.
pub(super) fn host_name(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !host.is_empty() => {
            if host.contains(':') && !host.starts_with('[') { authority } else { host }
        }
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn the_host_is_what_stands_before_the_port() {
        for (authority, host) in
            [("h:631", "h"), ("h", "h"), ("[::1]:631", "[::1]"), ("[::1]", "[::1]"), ("192.0.2.1:9", "192.0.2.1")]
        {
            assert_eq!(host_name(authority), host);
        }
    }
}
