//! Settings of the upload door.

use crate::Network;

/// Settings of the upload door.
#[derive(Clone, Debug)]
pub struct UploadOptions {
    /// Octets of one document. Default 200 MiB; beyond it 413.
    pub octets_max: u64,
    /// Networks from which one may print without signing in; with `?from=anna@example.org` the job is that sender's,
    /// who must be registered. Default none.
    pub networks: Vec<Network>,
    /// Where the console is seen from outside, without a slash at its end. Default "http://localhost".
    pub base_url: String,
    /// Whether a password is taken without TLS from another machine. Default no: anybody on the way could read it.
    pub passwords_without_tls: bool,
}

impl Default for UploadOptions {
    fn default() -> Self {
        Self {
            octets_max: 200 * 1024 * 1024,
            networks: Vec::new(),
            base_url: "http://localhost".into(),
            passwords_without_tls: false,
        }
    }
}
