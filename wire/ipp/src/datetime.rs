//! dateTime values: eleven octets of RFC 2579 "DateAndTime" (RFC 8011 section 5.1.15).

/// A point in civil time with its offset from UTC.
///
/// The fields are carried as received and may be out of range; [`DateTime::unix_secs`] then gives `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// 0 to 65,535
    pub year: u16,
    /// 1 to 12
    pub month: u8,
    /// 1 to 31
    pub day: u8,
    /// 0 to 23
    pub hour: u8,
    /// 0 to 59
    pub minutes: u8,
    /// 0 to 60, for the leap second
    pub seconds: u8,
    /// Tenths of a second, 0 to 9
    pub deci_seconds: u8,
    /// Whether local time is behind UTC.
    pub behind_utc: bool,
    /// 0 to 14
    pub utc_hours: u8,
    /// 0 to 59
    pub utc_minutes: u8,
}

impl DateTime {
    /// The time in UTC that lies `secs` after 1970-01-01T00:00:00Z; outside of the years 0 to 65,535 the nearest end.
    #[must_use]
    pub fn from_unix_secs(secs: i64) -> Self {
        const FIRST: i64 = -62_167_219_200;
        const LAST: i64 = 2_005_949_145_599;
        let secs = secs.clamp(FIRST, LAST);
        let (year, month, day) = civil(secs.div_euclid(86_400));
        let of_day = secs.rem_euclid(86_400);
        Self {
            year: year as u16,
            month,
            day,
            hour: (of_day / 3_600) as u8,
            minutes: (of_day / 60 % 60) as u8,
            seconds: (of_day % 60) as u8,
            deci_seconds: 0,
            behind_utc: false,
            utc_hours: 0,
            utc_minutes: 0,
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z, without the tenths; `None` when a field is out of range.
    #[must_use]
    pub fn unix_secs(&self) -> Option<i64> {
        if !self.is_valid() {
            return None;
        }
        let local = days(i64::from(self.year), self.month, self.day) * 86_400
            + i64::from(self.hour) * 3_600
            + i64::from(self.minutes) * 60
            + i64::from(self.seconds);
        let offset = i64::from(self.utc_hours) * 3_600 + i64::from(self.utc_minutes) * 60;
        Some(if self.behind_utc { local + offset } else { local - offset })
    }

    /// Whether every field is in its range; February 30 is not looked at.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        matches!(self.month, 1..=12)
            && matches!(self.day, 1..=31)
            && self.hour < 24
            && self.minutes < 60
            && self.seconds <= 60
            && self.deci_seconds < 10
            && self.utc_hours <= 14
            && self.utc_minutes < 60
    }

    pub(crate) fn from_octets(octets: &[u8; 11]) -> Option<Self> {
        let behind_utc = match octets[8] {
            b'+' => false,
            b'-' => true,
            _ => return None,
        };
        Some(Self {
            year: u16::from_be_bytes([octets[0], octets[1]]),
            month: octets[2],
            day: octets[3],
            hour: octets[4],
            minutes: octets[5],
            seconds: octets[6],
            deci_seconds: octets[7],
            behind_utc,
            utc_hours: octets[9],
            utc_minutes: octets[10],
        })
    }

    pub(crate) const fn to_octets(self) -> [u8; 11] {
        let [century, year] = self.year.to_be_bytes();
        [
            century,
            year,
            self.month,
            self.day,
            self.hour,
            self.minutes,
            self.seconds,
            self.deci_seconds,
            if self.behind_utc { b'-' } else { b'+' },
            self.utc_hours,
            self.utc_minutes,
        ]
    }
}

impl core::fmt::Display for DateTime {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            out,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{}",
            self.year, self.month, self.day, self.hour, self.minutes, self.seconds, self.deci_seconds
        )?;
        if self.utc_hours == 0 && self.utc_minutes == 0 {
            return out.write_str("Z");
        }
        let sign = if self.behind_utc { '-' } else { '+' };
        write!(out, "{sign}{:02}:{:02}", self.utc_hours, self.utc_minutes)
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, counting years from March.
fn days(year: i64, month: u8, day: u8) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u8;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u8;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn counts_seconds_from_1970_in_utc() {
        for (secs, text) in [
            (0, "1970-01-01T00:00:00.0Z"),
            (951_782_399, "2000-02-28T23:59:59.0Z"),
            (951_782_400, "2000-02-29T00:00:00.0Z"),
            (1_795_262_400, "2026-11-21T12:00:00.0Z"),
            (-1, "1969-12-31T23:59:59.0Z"),
        ] {
            let date_time = DateTime::from_unix_secs(secs);
            assert_eq!(date_time.to_string(), text);
            assert_eq!(date_time.unix_secs(), Some(secs));
        }
        assert_eq!(DateTime::from_unix_secs(i64::MAX).year, 65_535);
        assert_eq!(DateTime::from_unix_secs(i64::MIN).to_string(), "0000-01-01T00:00:00.0Z");
    }

    #[test]
    fn the_offset_moves_the_instant() {
        let berlin = DateTime { utc_hours: 1, ..DateTime::from_unix_secs(3_600) };
        assert_eq!(berlin.unix_secs(), Some(0));
        let behind = DateTime { behind_utc: true, utc_minutes: 30, ..DateTime::from_unix_secs(0) };
        assert_eq!(behind.unix_secs(), Some(1_800));
        assert_eq!(behind.to_string(), "1970-01-01T00:00:00.0-00:30");
    }

    #[test]
    fn a_field_out_of_range_is_carried_but_is_no_instant() {
        let octets = [0, 0, 13, 0, 0, 0, 0, 0, b'+', 0, 0];
        let odd = DateTime::from_octets(&octets).unwrap();
        assert_eq!(odd.unix_secs(), None);
        assert_eq!(odd.to_octets(), octets);
    }
}
