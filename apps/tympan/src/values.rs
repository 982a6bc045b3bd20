//! Values of the configuration file. Each is checked while the file is read, so that an error has its line.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::ops::Deref;
use tympan_engine::registration::parse_span;
use tympan_engine::time::{DAY, MINUTE, SECOND};
use tympan_engine::{JobOptions, Language, Millis, words};

/// A span of time as people write it: `3 days`, `90 s`, `200 ms`; within bounds, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span<const MIN: Millis, const MAX: Millis>(pub(crate) Millis);

/// How long a device, a name server or the queue may take for one thing.
pub(crate) type Short = Span<1, { 10 * MINUTE }>;
/// How long waiting jobs are kept.
pub(crate) type Retention = Span<SECOND, { 30 * DAY }>;
/// How often something is tried again.
pub(crate) type Interval = Span<SECOND, DAY>;
/// How long something is kept for a person; none at all is allowed.
pub(crate) type Window = Span<0, { 30 * DAY }>;

impl<'de, const MIN: Millis, const MAX: Millis> Deserialize<'de> for Span<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let Some(span) = read_span(&text) else {
            return Err(D::Error::custom(format!(
                "`{text}` is no span of time; write it like \"3 days\", \"12 hours\", \"90 s\" or \"200 ms\""
            )));
        };
        if (MIN..=MAX).contains(&span) {
            return Ok(Self(span));
        }
        Err(D::Error::custom(format!("`{text}` is not allowed; from {} to {} is", written(MIN), written(MAX))))
    }
}

fn written(span: Millis) -> String {
    if span.is_multiple_of(SECOND) { words::span(span, Language::En) } else { format!("{span} ms") }
}

fn read_span(text: &str) -> Option<Millis> {
    match text.trim().strip_suffix("ms") {
        Some(number) => number.trim().parse().ok(),
        None => parse_span(text),
    }
}

/// A whole number within bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole<const MIN: u64, const MAX: u64>(pub(crate) u64);

/// Octets of what comes in at once: 64 KiB to 4 GiB.
pub(crate) type Octets = Whole<{ 64 << 10 }, { 4 << 30 }>;
/// A count that is at least one.
pub(crate) type Count<const MAX: u64> = Whole<1, MAX>;

impl<const MIN: u64, const MAX: u64> Whole<MIN, MAX> {
    /// As an index or a size.
    pub(crate) fn size(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// As a number of 32 bits.
    pub(crate) fn small(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = toml::Value::deserialize(deserializer)?;
        let number = written.as_integer().and_then(|number| u64::try_from(number).ok());
        match number.filter(|number| (MIN..=MAX).contains(number)) {
            Some(number) => Ok(Self(number)),
            None => Err(D::Error::custom(format!("{written} is not allowed; a whole number from {MIN} to {MAX} is"))),
        }
    }
}

/// Option words as in a mail's subject: `duplex mono 2 copies`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words(pub(crate) JobOptions);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (options, unknown, _) = tympan_engine::options::parse_words(&text);
        if unknown.is_empty() {
            return Ok(Self(options));
        }
        Err(D::Error::custom(format!(
            "`{}` is no option; allowed are: attachments, body, both, duplex, duplex-short, simplex, mono, color, receipt, `2 copies`, `pages 1-3`, and paper such as A4, A5, Letter",
            unknown.join(" ")
        )))
    }
}

/// A network, `192.0.2.0/24`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Network(pub(crate) tympan_receive::Network);

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|error| {
            D::Error::custom(format!("`{text}` is no network ({error}); write it like 192.0.2.0/24 or 2001:db8::/32"))
        })
    }
}

/// A table whose values have to go together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checked<T>(T);

/// What [`Checked`] checks.
pub(crate) trait Check {
    /// Says what does not go together.
    fn check(&self) -> Result<(), String>;
}

impl<'de, T: Deserialize<'de> + Check> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = T::deserialize(deserializer)?;
        value.check().map_err(D::Error::custom)?;
        Ok(Self(value))
    }
}

impl<T> Deref for Checked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A text that was checked.
macro_rules! text {
    ($(#[$docs:meta])* $name:ident, $check:expr) => {
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let check: fn(&str) -> Result<(), String> = $check;
                check(&text).map_err(D::Error::custom)?;
                Ok(Self(text))
            }
        }

        impl Deref for $name {
            type Target = String;

            fn deref(&self) -> &String {
                &self.0
            }
        }
    };
}

text!(
    /// A printer's name, the local part of its mail address.
    PrinterName,
    |text| tympan_spooler::printers::check_name(text).map(drop).map_err(|error| error.to_string())
);
text!(
    /// Where a device is.
    Device,
    |text| tympan_spooler::printers::check_device(text).map_err(|error| error.to_string())
);
text!(
    /// A mail address.
    Address,
    |text| tympan_spooler::registrations::canonical_address(text).map(drop).map_err(|error| error.to_string())
);
text!(
    /// The part after the @ of mail addresses.
    Domain,
    |text| match text.is_empty() || text.contains(['@', ' ', '/', ':']) {
        false => Ok(()),
        true => Err(format!("`{text}` is no domain; it is the part after the @ of the printers' addresses, such as print.example")),
    }
);
text!(
    /// What people type to reach the console.
    Url,
    |text| match text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")) {
        Some(host) if !host.is_empty() && !host.contains(' ') => Ok(()),
        _ => Err(format!("`{text}` is no address of a page; it starts with http:// or https://")),
    }
);
text!(
    /// A time zone of the IANA data base.
    Zone,
    |text| match jiff::tz::TimeZone::get(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("`{text}` is no time zone; use a name such as Asia/Tokyo or Europe/Berlin")),
    }
);
text!(
    /// A token with which a device reports.
    Secret,
    |text| match text.len() {
        16..=256 => Ok(()),
        _ => Err("a token has 16 to 256 characters".into()),
    }
);
text!(
    /// The local part of a mail address.
    LocalPart,
    |text| match !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        true => Ok(()),
        false => Err(format!("`{text}` cannot stand before the @; letters, digits, `-`, `_` and `.` can")),
    }
);
