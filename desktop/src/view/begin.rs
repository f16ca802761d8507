//! From when on something is to be, as people type it.

use std::time::Duration;

use aramaki_sync_core::Timestamp;
use chrono::{DateTime, Local, NaiveDateTime, NaiveTime, Utc};

use crate::cli::parse_moment;

const DAY: Duration = Duration::from_hours(24);

/// What a typed beginning means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Nothing was typed: at once.
    AtOnce,
    /// Later.
    At(Timestamp),
    /// A time that has passed: most likely a slip.
    Passed(Timestamp),
    /// No time.
    Unreadable,
}

impl Begin {
    /// Reads the next `18:00`, `2026-12-24 18:00` of this machine's zone, a time with its zone, or a span
    /// from now on such as `3h`.
    pub fn read(text: &str, now: Timestamp) -> Self {
        Self::read_in(text, now, &Local)
    }

    /// When it is, if that is later.
    pub const fn later(self) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::AtOnce | Self::Passed(_) | Self::Unreadable => None,
        }
    }

    /// Whether something can begin so.
    pub const fn is_possible(self) -> bool {
        matches!(self, Self::AtOnce | Self::At(_))
    }

    fn read_in<Z: chrono::TimeZone>(text: &str, now: Timestamp, zone: &Z) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::AtOnce;
        }
        let read = parse_moment(text).ok().map(|moment| moment.at(now));
        let read = read.or_else(|| local_date(text, zone));
        match read.or_else(|| next_clock(text, now, zone)) {
            None => Self::Unreadable,
            Some(at) if at <= now => Self::Passed(at),
            Some(at) => Self::At(at),
        }
    }
}

fn stamp<Z: chrono::TimeZone>(at: &DateTime<Z>) -> Timestamp {
    Timestamp::from_millis(at.timestamp_millis())
}

/// A date with a time of day. One that the zone has twice is the earlier; one that it skips is none.
fn local_date<Z: chrono::TimeZone>(text: &str, zone: &Z) -> Option<Timestamp> {
    let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M"];
    let parsed = forms.iter().find_map(|form| {
        let parsed = NaiveDateTime::parse_from_str(text, form);
        parsed.ok()
    })?;
    zone.from_local_datetime(&parsed)
        .earliest()
        .as_ref()
        .map(stamp)
}

/// A time of day: the next that there is.
fn next_clock<Z: chrono::TimeZone>(text: &str, now: Timestamp, zone: &Z) -> Option<Timestamp> {
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok()?;
    let on_day_of = |at: Timestamp| {
        let at = DateTime::<Utc>::from_timestamp_millis(at.millis())?;
        let day = at.with_timezone(zone).date_naive();
        let at = zone.from_local_datetime(&day.and_time(time)).earliest()?;
        Some(stamp(&at))
    };
    let days = [now, now.plus(DAY)];
    let mut next = days.into_iter().filter_map(on_day_of);
    next.find(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    fn read(text: &str) -> String {
        let zone = FixedOffset::east_opt(3_600).unwrap();
        let now = DateTime::parse_from_rfc3339("2026-11-29T23:30:00+01:00").unwrap();
        match Begin::read_in(text, stamp(&now), &zone) {
            Begin::At(at) => at.to_string(),
            other => format!("{other:?}").chars().take(6).collect(),
        }
    }

    #[test]
    fn a_beginning_reads_as_people_type_it() {
        for (text, meant) in [
            ("", "AtOnce"),
            ("  ", "AtOnce"),
            ("3h", "2026-11-30T01:30:00.000Z"),
            ("23:45", "2026-11-29T22:45:00.000Z"),
            ("08:00", "2026-11-30T07:00:00.000Z"),
            ("2026-12-24 18:00", "2026-12-24T17:00:00.000Z"),
            (" 24.12.2026 18:00 ", "2026-12-24T17:00:00.000Z"),
            ("2026-12-24T18:00Z", "2026-12-24T18:00:00.000Z"),
            ("2026-11-29 23:30", "Passed"),
            ("2020-01-01T00:00Z", "Passed"),
            ("tomorrow", "Unread"),
            ("25:00", "Unread"),
            ("2026-02-30 10:00", "Unread"),
            ("3", "Unread"),
        ] {
            assert_eq!(read(text), meant, "{text:?}");
        }
    }
}
