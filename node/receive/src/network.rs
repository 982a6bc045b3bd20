//! Networks by address and prefix length: `192.168.1.0/24`, `2001:db8::/32` (RFC 4632, RFC 4291 section 2.3).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A network. An IPv4 address mapped into IPv6 counts as the IPv4 address.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// A text is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Not an address at all.
    #[error("`{0}` is no network; write it like 192.168.1.0/24, 2001:db8::/32 or a single address")]
    Form(String),
    /// More bits than an address of this kind has.
    #[error("`{0}` has a prefix that is too long: at most /32 for IPv4 and /128 for IPv6")]
    Prefix(String),
    /// Bits are set beyond the prefix.
    #[error("`{given}` names a host within a network; write {meant} for the whole network")]
    HostBits {
        /// What was written.
        given: String,
        /// The network it lies in.
        meant: String,
    },
}

impl Network {
    /// This machine itself, by IPv4 (127.0.0.0/8).
    pub const LOOPBACK_V4: Self = Self { first: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), bits: 8 };
    /// This machine itself, by IPv6 (::1).
    pub const LOOPBACK_V6: Self = Self { first: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 };

    /// Whether an address lies in the network.
    pub fn contains(&self, addr: IpAddr) -> bool {
        match (self.first, addr.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(addr)) => first == masked_v4(addr, self.bits),
            (IpAddr::V6(first), IpAddr::V6(addr)) => first == masked_v6(addr, self.bits),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// Whether an address lies in one of several networks.
    pub fn any_contains(networks: &[Self], addr: IpAddr) -> bool {
        networks.iter().any(|network| network.contains(addr))
    }
}

fn masked_v4(addr: Ipv4Addr, bits: u8) -> Ipv4Addr {
    let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
    Ipv4Addr::from_bits(addr.to_bits() & mask)
}

fn masked_v6(addr: Ipv6Addr, bits: u8) -> Ipv6Addr {
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    Ipv6Addr::from_bits(addr.to_bits() & mask)
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let form = || NetworkError::Form(text.to_owned());
        let (addr, bits) = match text.split_once('/') {
            None => (text, None),
            Some((addr, bits)) if (1..=3).contains(&bits.len()) && bits.bytes().all(|c| c.is_ascii_digit()) => {
                (addr, Some(bits.parse::<u32>().map_err(|_| form())?))
            }
            Some(_) => return Err(form()),
        };
        let addr: IpAddr = addr.parse().map_err(|_| form())?;
        let most: u32 = if addr.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(NetworkError::Prefix(text.to_owned()));
        }
        let (addr, bits) = match (addr, addr.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(mapped)) if bits >= 96 => (IpAddr::V4(mapped), bits - 96),
            (addr, _) => (addr, bits),
        };
        let bits = bits as u8;
        let first = match addr {
            IpAddr::V4(addr) => IpAddr::V4(masked_v4(addr, bits)),
            IpAddr::V6(addr) => IpAddr::V6(masked_v6(addr, bits)),
        };
        let network = Self { first, bits };
        if first != addr {
            return Err(NetworkError::HostBits { given: text.to_owned(), meant: network.to_string() });
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The source that an address counts for: itself, or its /64 for IPv6.
pub(crate) fn source_of(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V6(addr) => IpAddr::V6(masked_v6(addr, 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    fn addr(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_the_addresses_that_share_its_prefix() {
        for (text, inside, outside) in [
            ("192.168.1.0/24", "192.168.1.255", "192.168.2.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::2"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "2001:db8::1", "192.0.2.1"),
            ("192.0.2.0/24", "::ffff:192.0.2.9", "::ffff:192.0.3.9"),
            ("::ffff:192.0.2.0/120", "192.0.2.9", "192.0.3.9"),
        ] {
            let network = network(text);
            assert!(network.contains(addr(inside)), "{text} {inside}");
            assert!(!network.contains(addr(outside)), "{text} {outside}");
            assert_eq!(network.to_string().parse(), Ok(network));
        }
    }

    #[test]
    fn what_is_no_network_is_refused_with_what_is_meant() {
        for text in
            ["", "/24", "192.168.1", "192.168.1.0/", "192.168.1.0/+8", "a/8", "192.168.1.0/24/1", "1.2.3.4/0008"]
        {
            assert!(matches!(text.parse::<Network>(), Err(NetworkError::Form(_))), "{text}");
        }
        for text in ["192.168.1.0/33", "::/129"] {
            assert!(matches!(text.parse::<Network>(), Err(NetworkError::Prefix(_))), "{text}");
        }
        let meant = |text: &str| match text.parse::<Network>() {
            Err(NetworkError::HostBits { meant, .. }) => meant,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(meant("192.168.1.7/24"), "192.168.1.0/24");
        assert_eq!(meant("2001:db8::1/64"), "2001:db8::/64");
    }

    #[test]
    fn loopback_is_both_of_them() {
        for text in ["127.0.0.1", "127.8.9.1", "::1"] {
            assert!(Network::any_contains(&[Network::LOOPBACK_V4, Network::LOOPBACK_V6], addr(text)), "{text}");
        }
        assert!(!Network::any_contains(&[], addr("::1")));
    }

    #[test]
    fn an_ipv6_source_is_its_network() {
        assert_eq!(source_of(addr("2001:db8::1")), source_of(addr("2001:db8::ffff:1")));
        assert_ne!(source_of(addr("2001:db8::1")), source_of(addr("2001:db8:0:1::1")));
        assert_eq!(source_of(addr("::ffff:192.0.2.1")), addr("192.0.2.1"));
    }
}
