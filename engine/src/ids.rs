//! Names of records. Random bytes are values passed in; nothing here draws them.

use alloc::string::{String, ToString};
use core::fmt;
use serde::{Deserialize, Serialize};

/// Whose a record is: a person or an organisation with accounts. Comes from the credential, never
/// from the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OwnerId(pub u64);

impl OwnerId {
    /// The one owner of a small place.
    pub const FIRST: Self = Self(1);
}

macro_rules! uuid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// Makes a version 7 UUID (RFC 9562 section 5.7) from the time and ten random octets.
            pub const fn from_parts(now: $crate::Timestamp, random: [u8; 10]) -> Self {
                Self(uuid_v7(now.0, random))
            }

            /// Reads the usual text form, with or without hyphens and `urn:uuid:`.
            pub fn parse(text: &str) -> Option<Self> {
                parse_uuid(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a UUID"))
            }
        }
    };
}

uuid!(
    /// "job-uuid": the key of a job.
    JobUuid
);
uuid!(
    /// "printer-uuid": the key of a printer.
    PrinterUuid
);
uuid!(
    /// The key of a document; a document is named by its id, never by its content.
    DocumentId
);
uuid!(
    /// The key of a registration.
    RegistrationId
);
uuid!(
    /// The key of an account.
    AccountId
);
uuid!(
    /// One outage of one printer, from the first abnormal answer to the next normal one.
    OutageId
);

/// "job-id": counts up per printer, never reused (RFC 8011 section 5.3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub u32);

/// The number of an attempt within its job, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptNumber(pub u32);

/// Grows with each assignment of a job; whoever shows an old one is late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub u64);

/// What people see and type for a job: eight Crockford characters, `7K3M22QD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortId(pub [u8; 8]);

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl ShortId {
    /// Reads eight characters as people write them: any case, `O` for 0, `I` and `L` for 1, with or
    /// without a hyphen in the middle.
    pub fn parse(text: &str) -> Option<Self> {
        let mut out = [0u8; 8];
        let mut n = 0;
        for c in text.bytes().filter(|c| *c != b'-') {
            let c = match c.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                c => c,
            };
            if n == 8 || !CROCKFORD.contains(&c) {
                return None;
            }
            out[n] = c;
            n += 1;
        }
        (n == 8).then_some(Self(out))
    }
}

impl fmt::Display for ShortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|c| fmt::Write::write_char(f, char::from(*c)))
    }
}

impl JobUuid {
    /// The short form: the last 40 bits, which are random.
    pub fn short(&self) -> ShortId {
        let mut bits = self.0[11..].iter().fold(0u64, |bits, b| bits << 8 | u64::from(*b));
        let mut out = [0u8; 8];
        for place in out.iter_mut().rev() {
            *place = CROCKFORD[(bits & 31) as usize];
            bits >>= 5;
        }
        ShortId(out)
    }
}

impl Serialize for ShortId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

const fn uuid_v7(millis: u64, random: [u8; 10]) -> [u8; 16] {
    let t = millis.to_be_bytes();
    let r = random;
    [
        t[2],
        t[3],
        t[4],
        t[5],
        t[6],
        t[7],
        0x70 | (r[0] & 0x0f),
        r[1],
        0x80 | (r[2] & 0x3f),
        r[3],
        r[4],
        r[5],
        r[6],
        r[7],
        r[8],
        r[9],
    ]
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let mut out = [0u8; 16];
    let mut n = 0;
    for c in text.bytes().filter(|c| *c != b'-') {
        let digit = (c as char).to_digit(16)? as u8;
        let place = out.get_mut(n / 2)?;
        *place = *place << 4 | digit;
        n += 1;
    }
    (n == 32).then_some(out)
}

fn write_uuid(octets: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (n, octet) in octets.iter().enumerate() {
        if matches!(n, 4 | 6 | 8 | 10) {
            f.write_str("-")?;
        }
        write!(f, "{octet:02x}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn a_short_id_is_read_as_people_write_it() {
        let job = JobUuid::from_parts(Timestamp(1_700_000_000_000), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0xff]);
        let short = job.short();
        assert_eq!(ShortId::parse(&short.to_string()), Some(short));
        assert_eq!(ShortId::parse("7k3m-22qd"), Some(ShortId(*b"7K3M22QD")));
        assert_eq!(ShortId::parse("ooooilil"), Some(ShortId(*b"00001111")));
        assert_eq!(ShortId::parse("7K3M22Q"), None);
        assert_eq!(ShortId::parse("7K3M22QDX"), None);
        assert_eq!(ShortId::parse("7K3M22Q!"), None);
    }

    #[test]
    fn a_uuid_survives_its_text_form() {
        let job = JobUuid::from_parts(Timestamp(1_700_000_000_000), [255; 10]);
        let text = job.to_string();
        assert_eq!(text.len(), 36);
        assert_eq!(&text[14..15], "7");
        assert_eq!(JobUuid::parse(&text), Some(job));
        assert_eq!(JobUuid::parse(&alloc::format!("urn:uuid:{text}")), Some(job));
        assert_eq!(JobUuid::parse("12"), None);
    }
}
