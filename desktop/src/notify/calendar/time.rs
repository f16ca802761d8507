//! Times and spans as calendars write them.

use std::str::FromStr as _;

use aramaki_model::notify::Zone;
use aramaki_sync_core::Timestamp;
use chrono::{Days, NaiveDate, NaiveDateTime, TimeDelta};

use super::event::CalendarError;
use super::text::Property;

/// The longest time of one event.
pub(super) const EVENT_DAYS_MAX: i64 = 400;

/// A time on a wall, or a whole day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// What the clock on the wall shows.
    pub(super) local: NaiveDateTime,
    /// Which wall.
    pub(super) zone: Zone,
    /// Whether it is a date without a time.
    pub(super) is_day: bool,
}

impl Moment {
    /// Reads one in UTC, in its own zone, or in that of the schedule.
    pub(super) fn read(
        property: &Property,
        text: &str,
        name: &str,
        zone: Zone,
    ) -> Result<Self, CalendarError> {
        Self::parse(property, text.trim(), zone).ok_or_else(|| {
            CalendarError::at(
                property.line,
                format!(
                    "{name} `{text}` is no time: UTC, a zone of the IANA list or a date is expected"
                ),
            )
        })
    }

    fn parse(property: &Property, text: &str, zone: Zone) -> Option<Self> {
        let is_day = match property.kind.as_deref() {
            Some("DATE") => true,
            None | Some("DATE-TIME") => !text.contains('T'),
            Some(_) => return None,
        };
        // What is said to be a time is one.
        if is_day && property.kind.as_deref() == Some("DATE-TIME") {
            return None;
        }
        if is_day {
            let date = NaiveDate::parse_from_str(text, "%Y%m%d").ok()?;
            return Some(Self {
                local: date.and_hms_opt(0, 0, 0)?,
                zone,
                is_day,
            });
        }
        let (text, zone) = match (text.strip_suffix('Z'), &property.zone) {
            (Some(utc), _) => (utc, Zone::default()),
            (None, Some(name)) => (text, Zone::from_str(name).ok()?),
            (None, None) => (text, zone),
        };
        let local = NaiveDateTime::parse_from_str(text, super::STAMP).ok()?;
        Some(Self {
            local,
            zone,
            is_day,
        })
    }

    /// When that is.
    pub(super) fn instant(&self) -> Option<Timestamp> {
        self.zone.instant(self.local)
    }
}

/// How long something lasts: days by the wall, and seconds that really pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Length {
    wall: TimeDelta,
    exact: TimeDelta,
}

impl Length {
    /// Between two times. On one wall it is what that shows: who hands over at nine does so in every week,
    /// whatever happens to the clock in between.
    pub(super) fn between(from: &Moment, until: &Moment) -> Option<Self> {
        if from.zone == until.zone {
            return Some(Self {
                wall: until.local.signed_duration_since(from.local),
                exact: TimeDelta::zero(),
            });
        }
        let (from, until) = (from.instant()?, until.instant()?);
        let millis = until.millis().checked_sub(from.millis())?;
        Some(Self {
            wall: TimeDelta::zero(),
            exact: TimeDelta::try_milliseconds(millis)?,
        })
    }

    /// A whole day.
    pub(super) fn day() -> Self {
        Self {
            wall: TimeDelta::days(1),
            exact: TimeDelta::zero(),
        }
    }

    /// Reads `P1W`, `P1DT12H`, `PT30M`.
    pub(super) fn read(property: &Property) -> Result<Self, CalendarError> {
        Self::parse(&property.value).ok_or_else(|| {
            CalendarError::at(
                property.line,
                format!(
                    "DURATION `{}` is no span: P1W, P1D, PT8H or PT90M is expected",
                    property.value
                ),
            )
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('+').unwrap_or(text);
        let (days, clock) = match text.strip_prefix('P')?.split_once('T') {
            Some((days, clock)) if !clock.is_empty() => (days, clock),
            Some(_) => return None,
            None => (text.strip_prefix('P')?, ""),
        };
        let read = |mut text: &str, units: &[(char, i64)]| -> Option<i64> {
            let mut sum = 0_i64;
            let mut units = units.iter();
            while !text.is_empty() {
                let end = text.find(|c: char| !c.is_ascii_digit())?;
                let (number, rest) = text.split_at_checked(end)?;
                let unit = rest.chars().next()?;
                // Each once, in this order.
                let (_, seconds) = units.find(|(name, _)| *name == unit)?;
                let number: i64 = number.parse().ok()?;
                sum = sum.checked_add(number.checked_mul(*seconds)?)?;
                text = rest.get(1..)?;
            }
            Some(sum)
        };
        let wall = read(days, &[('W', 7 * 86_400), ('D', 86_400)])?;
        let exact = read(clock, &[('H', 3_600), ('M', 60), ('S', 1)])?;
        Some(Self {
            wall: TimeDelta::try_seconds(wall)?,
            exact: TimeDelta::try_seconds(exact)?,
        })
    }

    /// When something that begins then ends.
    pub(super) fn end_of(&self, begins: &Moment) -> Option<Timestamp> {
        let local = begins.local.checked_add_signed(self.wall)?;
        let at = Moment { local, ..*begins }.instant()?;
        let millis = at.millis().checked_add(self.exact.num_milliseconds())?;
        Some(Timestamp::from_millis(millis))
    }

    /// Whether that can be meant.
    pub(super) fn is_possible(&self) -> bool {
        let sum = self.wall.checked_add(&self.exact);
        let longest = TimeDelta::days(EVENT_DAYS_MAX);
        sum.is_some_and(|sum| sum > TimeDelta::zero() && sum <= longest)
    }
}

/// So many days later.
pub(super) fn days_after(at: NaiveDateTime, days: u64) -> Option<NaiveDateTime> {
    at.checked_add_days(Days::new(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_calendars_write_them() {
        let parse =
            |text| Length::parse(text).map(|it| (it.wall.num_hours(), it.exact.num_minutes()));
        for (text, expected) in [
            ("P1W", Some((168, 0))),
            ("P1D", Some((24, 0))),
            ("PT8H", Some((0, 480))),
            ("P1DT12H30M", Some((24, 750))),
            ("+PT90M", Some((0, 90))),
            ("P2W1D", Some((360, 0))),
            ("PT", None),
            ("P1DT", None),
            ("-P1D", None),
            ("P1H", None),
            ("PT1D", None),
            ("PT1M1H", None),
            ("8H", None),
            ("P99999999999999999D", None),
            ("P9223372036854775D", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert!(!Length::default().is_possible());
    }
}
