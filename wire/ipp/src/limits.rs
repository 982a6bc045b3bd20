//! How much of a message is accepted before it is refused. The standards set no such limits.

/// Bounds of one message. Each is the largest count that is still accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets from the version up to and including the end-of-attributes tag. Default 256 KiB.
    pub octets: usize,
    /// Attribute groups. Default 1,000.
    pub groups: usize,
    /// Attributes in all groups, without the members of collections. Default 1,000.
    pub attributes: usize,
    /// Values in all attributes and members, a collection counting as one. Default 20,000.
    pub values: usize,
    /// Collections inside each other. Default 8; values above [`Limits::DEPTH_MAX`] count as that.
    pub depth: usize,
    /// Octets of an attribute's or member's name. Default 255 (RFC 8011 section 5.1.4, keyword).
    pub name_octets: usize,
    /// Octets of a single value. Default 32,767, the largest that the encoding can carry.
    pub value_octets: usize,
}

impl Limits {
    /// Depth that no setting can exceed: what is built from a message is dropped and compared by recursion.
    pub const DEPTH_MAX: usize = 32;

    /// Bounds of a request that a server reads from anybody.
    pub const REQUEST: Self = Self {
        octets: 256 * 1024,
        groups: 1_000,
        attributes: 1_000,
        values: 20_000,
        depth: 8,
        name_octets: 255,
        value_octets: 32_767,
    };

    /// Bounds of a response that a client asked for: lists of jobs and media are longer than requests.
    pub const RESPONSE: Self = Self {
        octets: 4 * 1024 * 1024,
        groups: 20_000,
        attributes: 100_000,
        values: 300_000,
        depth: 8,
        name_octets: 255,
        value_octets: 32_767,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::REQUEST
    }
}
