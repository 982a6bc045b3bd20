//! A registration joins one sender and one printer, never twice the same pair (A03).

use crate::time::{DAY, MINUTE, SECOND};
use crate::{JobOptions, Millis, OwnerId, PrinterUuid, Private, Refusal, RegistrationId, Timestamp};
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// The language notices are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Language {
    /// The BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }

    /// Chooses by an "Accept-Language" header or a language tag.
    pub fn choose(accept: &str) -> Self {
        let first = accept.split(',').map(str::trim).find(|tag| {
            let tag = tag.get(..2).unwrap_or_default();
            tag.eq_ignore_ascii_case("ja") || tag.eq_ignore_ascii_case("en")
        });
        match first {
            Some(tag) if tag[..2].eq_ignore_ascii_case("ja") => Self::Ja,
            _ => Self::En,
        }
    }
}

/// Default retention of a waiting job: three days.
pub const RETENTION_DEFAULT: Millis = 3 * DAY;
/// Longest retention that may be asked for: thirty days.
pub const RETENTION_MAX: Millis = 30 * DAY;
/// Shortest retention: one second.
pub const RETENTION_MIN: Millis = SECOND;
/// Default retry interval: five minutes.
pub const RETRY_INTERVAL_DEFAULT: Millis = 5 * MINUTE;

/// Whether the registration lets its sender print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistrationState {
    /// Asked for; the printer's owner has to approve.
    Requested,
    /// In force.
    Active,
    /// The owner said no, or took it back.
    Revoked,
}

/// One sender at one printer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Whose printer it is.
    pub owner: OwnerId,
    /// The key.
    pub id: RegistrationId,
    /// The printer.
    pub printer: PrinterUuid,
    /// The sender's address in canonical form (lower case).
    pub sender: Private<String>,
    /// Whether it is in force.
    pub state: RegistrationState,
    /// How long a waiting job is kept; `None`: the printer's default.
    pub retention_ms: Option<Millis>,
    /// How often a waiting job is tried again; `None`: the printer's default.
    pub retry_interval_ms: Option<Millis>,
    /// The language of notices.
    pub language: Language,
    /// This sender's defaults, before the printer's.
    #[serde(default)]
    pub options: JobOptions,
    /// Whether the sender asked for it by a mail that was proven: only then is there anybody to write to.
    #[serde(default)]
    pub proven: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// What may happen to a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegistrationEvent {
    /// The sender asked again.
    Request,
    /// The printer's owner approved, or the printer is open.
    Approve,
    /// The printer's owner said no, or the sender left.
    Revoke,
    /// Retention was changed, in milliseconds; `None`: back to the printer's default.
    Keep(Option<Millis>),
    /// The retry interval was changed, in milliseconds.
    Retry(Option<Millis>),
    /// Defaults were changed.
    Options(JobOptions),
    /// The language was changed.
    Language(Language),
}

impl Registration {
    /// Moves the registration.
    ///
    /// # Errors
    /// [`Refusal::NotPossible`] where the state does not allow the event or a value is out of range.
    pub fn apply(&mut self, event: RegistrationEvent, now: Timestamp) -> Result<(), Refusal> {
        use RegistrationEvent as E;
        use RegistrationState as S;
        match (self.state, event) {
            (S::Requested | S::Revoked, E::Request) => self.state = S::Requested,
            (S::Active, E::Request) => return Ok(()),
            (S::Requested | S::Revoked | S::Active, E::Approve) => self.state = S::Active,
            (S::Requested | S::Active | S::Revoked, E::Revoke) => self.state = S::Revoked,
            (S::Requested | S::Active, E::Keep(span)) => {
                if span.is_some_and(|span| !(RETENTION_MIN..=RETENTION_MAX).contains(&span)) {
                    return Err(Refusal::NotPossible);
                }
                self.retention_ms = span;
            }
            (S::Requested | S::Active, E::Retry(span)) => {
                if span.is_some_and(|span| !(SECOND..=RETENTION_MAX).contains(&span)) {
                    return Err(Refusal::NotPossible);
                }
                self.retry_interval_ms = span;
            }
            (S::Requested | S::Active, E::Options(options)) => self.options = options,
            (S::Requested | S::Active, E::Language(language)) => self.language = language,
            (S::Revoked, E::Keep(_) | E::Retry(_) | E::Options(_) | E::Language(_)) => {
                return Err(Refusal::NotPossible);
            }
        }
        self.changed_at = now;
        Ok(())
    }
}

/// Reads a span as people write it: `3 days`, `90 s`, `2h`, `45 minutes`, `3日`, `12時間`.
///
/// Returns `None` for anything else, including a bare number: the unit must be said.
pub fn parse_span(text: &str) -> Option<Millis> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..end].parse().ok()?;
    let unit = match text[end..].trim().to_ascii_lowercase().as_str() {
        "s" | "sec" | "second" | "seconds" | "秒" => SECOND,
        "m" | "min" | "minute" | "minutes" | "分" => MINUTE,
        "h" | "hour" | "hours" | "時間" => crate::time::HOUR,
        "d" | "day" | "days" | "日" | "日間" => DAY,
        "w" | "week" | "weeks" | "週間" => 7 * DAY,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a12_spans_are_read_as_people_write_them() {
        assert_eq!(parse_span("3 days"), Some(3 * DAY));
        assert_eq!(parse_span(" 90s"), Some(90 * SECOND));
        assert_eq!(parse_span("3日"), Some(3 * DAY));
        assert_eq!(parse_span("12時間"), Some(12 * crate::time::HOUR));
        assert_eq!(parse_span("3"), None);
        assert_eq!(parse_span("three days"), None);
        assert_eq!(parse_span("99999999999999999999 days"), None);
    }

    #[test]
    fn a_language_is_chosen_by_what_is_accepted_first() {
        assert_eq!(Language::choose("ja,en;q=0.5"), Language::Ja);
        assert_eq!(Language::choose("fr, en, ja"), Language::En);
        assert_eq!(Language::choose("é"), Language::En);
        assert_eq!(Language::choose(""), Language::En);
    }

    fn registration(state: RegistrationState) -> Registration {
        Registration {
            owner: OwnerId::FIRST,
            id: RegistrationId([1; 16]),
            printer: PrinterUuid([2; 16]),
            sender: "anna@example.org".into(),
            state,
            retention_ms: None,
            retry_interval_ms: None,
            language: Language::En,
            options: JobOptions::default(),
            proven: false,
            created_at: Timestamp(0),
            changed_at: Timestamp(0),
        }
    }

    #[test]
    fn a03_every_state_and_event_is_decided() {
        use RegistrationEvent as E;
        use RegistrationState as S;
        let table = [
            (S::Requested, E::Request, Some(S::Requested)),
            (S::Requested, E::Approve, Some(S::Active)),
            (S::Requested, E::Revoke, Some(S::Revoked)),
            (S::Active, E::Request, Some(S::Active)),
            (S::Active, E::Approve, Some(S::Active)),
            (S::Active, E::Revoke, Some(S::Revoked)),
            (S::Revoked, E::Request, Some(S::Requested)),
            (S::Revoked, E::Approve, Some(S::Active)),
            (S::Revoked, E::Keep(Some(DAY)), None),
            (S::Active, E::Keep(Some(RETENTION_MAX)), Some(S::Active)),
            (S::Active, E::Keep(Some(RETENTION_MAX + 1)), None),
            (S::Active, E::Keep(Some(RETENTION_MIN - 1)), None),
            (S::Active, E::Retry(Some(DAY)), Some(S::Active)),
        ];
        for (state, event, expected) in table {
            let mut registration = registration(state);
            let result = registration.apply(event.clone(), Timestamp(5));
            assert_eq!(result.is_ok().then_some(registration.state), expected, "{state:?} {event:?}");
        }
    }
}
