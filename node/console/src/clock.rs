//! Instants as people read them: in the zone of the place, relative and absolute.

use jiff::Zoned;
use jiff::tz::TimeZone;
use tympan_engine::time::{DAY, MINUTE};
use tympan_engine::{Language, Timestamp, words};

/// Says instants in one zone and one language, as seen at `now`.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    pub(crate) zone: TimeZone,
    pub(crate) now: Timestamp,
    pub(crate) language: Language,
}

impl Clock {
    fn zoned(&self, at: Timestamp) -> Zoned {
        let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
        // The latest instant there is stands for "never" and is beyond what a calendar knows.
        let instant = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
        instant.to_zoned(self.zone.clone())
    }

    /// `14:05` today, `Fri 18:00` within a week, else with the date.
    pub(crate) fn at(&self, at: Timestamp) -> String {
        let (there, here) = (self.zoned(at), self.zoned(self.now));
        let near = at.since(self.now).max(self.now.since(at)) < 6 * DAY;
        let weekday = there.weekday().to_monday_zero_offset().unsigned_abs() as usize % 7;
        let time = there.strftime("%H:%M");
        match self.language {
            _ if there.date() == here.date() => time.to_string(),
            Language::En if near => format!("{} {time}", ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][weekday]),
            Language::En if there.year() == here.year() => there.strftime("%-d %b, %H:%M").to_string(),
            Language::En => there.strftime("%-d %b %Y, %H:%M").to_string(),
            Language::Ja => {
                let day = ["月", "火", "水", "木", "金", "土", "日"][weekday];
                let year = if there.year() == here.year() { String::new() } else { format!("{}年", there.year()) };
                format!("{year}{}月{}日({day}) {time}", there.month(), there.day())
            }
        }
    }

    /// All of it, to the second, for a title.
    pub(crate) fn exact(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    /// `just now`, `2 minutes ago`, or for more than a day the instant itself.
    pub(crate) fn ago(&self, at: Timestamp) -> String {
        let span = self.now.since(at);
        match self.language {
            _ if span >= DAY => self.at(at),
            Language::En if span < MINUTE / 6 => "just now".into(),
            Language::Ja if span < MINUTE / 6 => "たった今".into(),
            Language::En => format!("{} ago", words::span(span, Language::En)),
            Language::Ja => format!("{}前", words::span(span, Language::Ja)),
        }
    }

    /// RFC 3339 with the zone's offset.
    pub(crate) fn rfc3339(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(language: Language) -> Clock {
        // 2025-11-20 (a Thursday) 18:00 in Tokyo.
        Clock { zone: TimeZone::get("Asia/Tokyo").unwrap(), now: Timestamp(1_763_629_200_000), language }
    }

    #[test]
    fn instants_are_said_in_the_zone_of_the_place() {
        let en = clock(Language::En);
        let ja = clock(Language::Ja);
        assert_eq!(en.at(en.now + 5 * MINUTE), "18:05");
        assert_eq!(en.at(en.now + DAY), "Fri 18:00");
        assert_eq!(en.at(en.now + 20 * DAY), "10 Dec, 18:00");
        assert_eq!(en.at(en.now + 60 * DAY), "19 Jan 2026, 18:00");
        assert_eq!(ja.at(ja.now + DAY), "11月21日(金) 18:00");
        assert_eq!(ja.at(ja.now + 60 * DAY), "2026年1月19日(月) 18:00");
        assert_eq!(en.ago(en.now - 2 * MINUTE), "2 minutes ago");
        assert_eq!(ja.ago(ja.now - 2 * MINUTE), "2分前");
        assert_eq!(en.ago(en.now), "just now");
        assert_eq!(en.rfc3339(en.now), "2025-11-20T18:00:00.000+09:00");
        assert!(!en.at(Timestamp::MAX).is_empty());
    }
}
