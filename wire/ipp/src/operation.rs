//! Operation ids (IANA registry "operations-supported", RFC 8011 section 5.4.15).

/// What a request asks for. Numbers without a name are carried unchanged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operation(pub u16);

#[allow(non_upper_case_globals)]
impl Operation {
    /// `CUPS-Get-Default`, 0x4001: asked by CUPS clients before anything else. Not registered.
    pub const CupsGetDefault: Self = Self(0x4001);
    /// `CUPS-Get-Printers`, 0x4002: asked by CUPS clients to list queues. Not registered.
    pub const CupsGetPrinters: Self = Self(0x4002);

    /// Whether the number belongs to vendors (0x4000 to 0x7fff).
    #[must_use]
    pub const fn is_vendor(self) -> bool {
        self.0 >= 0x4000 && self.0 <= 0x7fff
    }
}
