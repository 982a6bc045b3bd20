//! Status codes (IANA registry "Status Codes", RFC 8011 appendix B).

/// How a request ended. Numbers without a name are carried unchanged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(pub u16);

impl StatusCode {
    /// Whether the request was performed, perhaps with substitutions (0x0000 to 0x00ff).
    #[must_use]
    pub const fn is_successful(self) -> bool {
        self.0 < 0x0100
    }

    /// Whether the fault lies in the request (0x0400 to 0x04ff).
    #[must_use]
    pub const fn is_client_error(self) -> bool {
        self.0 >= 0x0400 && self.0 < 0x0500
    }

    /// Whether the fault lies in the server or printer (0x0500 to 0x05ff).
    #[must_use]
    pub const fn is_server_error(self) -> bool {
        self.0 >= 0x0500 && self.0 < 0x0600
    }

    /// Whether the same request may succeed later without any change to it.
    #[must_use]
    pub const fn is_temporary(self) -> bool {
        // timeout, internal-error, service-unavailable, device-error, temporary-error,
        // not-accepting-jobs, busy, printer-is-deactivated, too-many-jobs
        matches!(self.0, 0x0405 | 0x0500 | 0x0502 | 0x0504..=0x0507 | 0x050a | 0x050b)
    }
}
