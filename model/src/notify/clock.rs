//! Clocks on walls: IANA zones, times of day, days of the week.

use std::fmt;
use std::str::FromStr;

use aramaki_sync_core::Timestamp;
use chrono::{
    DateTime, Datelike as _, LocalResult, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;
/// The longest time that a clock on a wall was ever put forward by, and some.
const GAP_MINUTES_MAX: i64 = 26 * 60;

/// A time zone by its IANA name, `Europe/Berlin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

/// Text that names no time zone.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("not a time zone: a name of the IANA list is expected, such as Europe/Berlin")]
pub struct ZoneError;

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, ZoneError> {
        text.parse().map(Self).map_err(|_unknown| ZoneError)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl Zone {
    /// The date and time on the wall; none outside what a calendar can say.
    pub fn local(self, at: Timestamp) -> Option<NaiveDateTime> {
        let at = DateTime::<Utc>::from_timestamp_millis(at.millis())?;
        Some(at.with_timezone(&self.0).naive_local())
    }

    /// The moment of a date and time on the wall. One that was passed over is the end of the gap;
    /// one that comes twice is the first.
    pub fn instant(self, local: NaiveDateTime) -> Option<Timestamp> {
        for minutes in 0..=GAP_MINUTES_MAX {
            let later = local.checked_add_signed(TimeDelta::minutes(minutes))?;
            match self.0.from_local_datetime(&later) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => {
                    return Some(Timestamp::from_millis(at.timestamp_millis()));
                }
                LocalResult::None => {}
            }
        }
        None
    }

    /// The moment of a time of day on a date; 24:00 is the beginning of the next day.
    pub(crate) fn at(self, date: NaiveDate, time: TimeOfDay) -> Option<Timestamp> {
        let midnight = date.and_hms_opt(0, 0, 0)?;
        self.instant(midnight.checked_add_signed(TimeDelta::minutes(i64::from(time.0)))?)
    }

    /// The date on the wall.
    pub(crate) fn date(self, at: Timestamp) -> Option<NaiveDate> {
        self.local(at).map(|local| local.date())
    }
}

/// A time of day in minutes, `09:00`; at most `24:00`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// The end of a day.
    pub const END: Self = Self(DAY_MINUTES);
}

/// Text that is no time of day.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("not a time of day: 00:00 to 24:00 is expected")]
pub struct TimeOfDayError;

impl FromStr for TimeOfDay {
    type Err = TimeOfDayError;

    fn from_str(text: &str) -> Result<Self, TimeOfDayError> {
        let (hour, minute) = text.split_once(':').ok_or(TimeOfDayError)?;
        let number = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse::<u16>().ok()).flatten()
        };
        let (hour, minute) = number(hour).zip(number(minute)).ok_or(TimeOfDayError)?;
        let minutes = hour * 60 + minute;
        if minute < 60 && minutes <= DAY_MINUTES {
            Ok(Self(minutes))
        } else {
            Err(TimeOfDayError)
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A date, `2026-01-05`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub NaiveDate);

/// Text that is no date.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("not a date: year, month and day are expected, such as 2026-01-05")]
pub struct DateError;

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        text.parse().map(Self).map_err(|_unknown| DateError)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {
        $(
            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    text.parse().map_err(de::Error::custom)
                }
            }
        )*
    };
}

as_text!(Zone, TimeOfDay, Date);

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "days have names")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    /// Of a date.
    pub(crate) fn of(date: NaiveDate) -> Self {
        match date.weekday() {
            chrono::Weekday::Mon => Self::Mon,
            chrono::Weekday::Tue => Self::Tue,
            chrono::Weekday::Wed => Self::Wed,
            chrono::Weekday::Thu => Self::Thu,
            chrono::Weekday::Fri => Self::Fri,
            chrono::Weekday::Sat => Self::Sat,
            chrono::Weekday::Sun => Self::Sun,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Timestamp {
        let at = DateTime::parse_from_rfc3339(text).unwrap();
        Timestamp::from_millis(at.timestamp_millis())
    }

    #[test]
    fn a_time_that_was_passed_over_is_the_end_of_the_gap_and_a_doubled_one_the_first() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let at = |date: &str, time: &str| {
            let date: NaiveDate = date.parse().unwrap();
            berlin.at(date, time.parse().unwrap()).unwrap()
        };
        assert_eq!(at("2026-01-05", "09:00"), utc("2026-01-05T08:00:00Z"));
        assert_eq!(at("2026-03-29", "02:30"), utc("2026-03-29T01:00:00Z"));
        assert_eq!(at("2026-10-25", "02:30"), utc("2026-10-25T00:30:00Z"));
        assert_eq!(at("2026-10-25", "24:00"), utc("2026-10-25T23:00:00Z"));
    }

    #[test]
    fn times_and_zones_are_taken_as_they_are_written_or_not_at_all() {
        assert_eq!("24:00".parse(), Ok(TimeOfDay::END));
        for wrong in ["", "9:00", "24:01", "12:60", "+9:00", "0900"] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
        assert!("Europe/Atlantis".parse::<Zone>().is_err());
    }
}
