//! Times on the wall clock of a place: a cron expression in an IANA time zone.

use chrono::{DateTime, TimeZone as _};
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use aramaki_sync_core::Timestamp;

/// Bytes of an expression or of the name of a zone.
pub const CRON_LEN_BYTES_MAX: usize = 128;
/// Times are looked for up to here: later ones overflow calendars.
const LAST_MS: i64 = 16_725_225_600_000; // 2500-01-01
/// Clocks are not changed by more.
const CHANGE_MS: i64 = 2 * 3_600_000;
/// Times of one expression within two changes of a clock, at one a minute.
const TIMES_IN_CHANGE_MAX: usize = 4 * 60 + 1;
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// When a check runs that follows the clock of a place.
///
/// A local time that a change of clocks skips runs once, at the end of the gap; one that comes twice
/// runs the first time only. An expression with a wildcard in minute or hour goes on through both
/// hours, as time does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cron {
    /// Minute, hour, day of the month, month, day of the week.
    pub expression: String,
    /// The zone, as in `Europe/Berlin`.
    #[serde(default = "utc")]
    pub zone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// Why there is no such time.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CronError {
    /// The expression is none.
    #[error("five fields are expected, as in \"30 3 * * 1-5\": {0}")]
    Expression(String),
    /// Nobody knows the zone.
    #[error("the name of a time zone is expected, as in Europe/Berlin")]
    Zone,
    /// It names a day that never comes.
    #[error("no time is like that")]
    Never,
}

/// A [`Cron`] that can be asked.
#[derive(Clone, Debug)]
pub struct CronPlan {
    cron: croner::Cron,
    zone: chrono_tz::Tz,
}

impl Cron {
    /// Reads the expression and finds the zone.
    ///
    /// # Errors
    /// When either is none, or no time is ever like that.
    pub fn plan(&self) -> Result<CronPlan, CronError> {
        let expression = self.expression.trim();
        if expression.len() > CRON_LEN_BYTES_MAX {
            let message = format!("more than {CRON_LEN_BYTES_MAX} bytes");
            return Err(CronError::Expression(message));
        }
        if self.zone.len() > CRON_LEN_BYTES_MAX {
            return Err(CronError::Zone);
        }
        let zone = self.zone.parse().map_err(|_unknown| CronError::Zone)?;
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser
            .parse(expression)
            .map_err(|error| CronError::Expression(error.to_string()))?;
        let plan = CronPlan { cron, zone };
        match plan.next_after(Timestamp::ZERO) {
            Some(_) => Ok(plan),
            None => Err(CronError::Never),
        }
    }

    /// About the longest time from one run to the next, and an hour: by which field is the last that
    /// is not open. Costs no calendar.
    pub(crate) fn gap_ms(&self) -> u64 {
        let fields: Vec<&str> = self.expression.split_whitespace().collect();
        let is_open = |field: usize| {
            fields
                .get(field)
                .is_none_or(|field| *field == "*" || *field == "?")
        };
        let days = match () {
            () if !is_open(3) => 366,
            () if !is_open(2) => 63,
            () if !is_open(4) => 7,
            () if !is_open(1) => 1,
            () => 0,
        };
        // A day may have 25 hours.
        days * DAY_MS + 2 * HOUR_MS
    }
}

impl CronPlan {
    /// The first such time after `at`; none if there is none before the year 2500.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        let at = at.millis().clamp(0, LAST_MS);
        let at = DateTime::from_timestamp_millis(at)?;
        let local = self.zone.from_utc_datetime(&at.naive_utc());
        let next = self.cron.find_next_occurrence(&local, false).ok()?;
        let next = next.timestamp_millis();
        (next <= LAST_MS).then(|| Timestamp::from_millis(next))
    }

    /// The last such time that is not after `at`; none if there is none after 1970.
    pub fn last_until(&self, at: Timestamp) -> Option<Timestamp> {
        let at = Timestamp::from_millis(at.millis().clamp(0, LAST_MS));
        let utc = DateTime::from_timestamp_millis(at.millis())?;
        let local = self.zone.from_utc_datetime(&utc.naive_utc());
        let near = self.cron.find_previous_occurrence(&local, true).ok()?;
        // Backwards, a time that comes twice is found at its second: go forward again from before.
        let before = near.timestamp_millis().saturating_sub(CHANGE_MS);
        let before = Timestamp::from_millis(before.saturating_sub(1));
        let next = |after: &Timestamp| self.next_after(*after).filter(|next| *next <= at);
        let times = std::iter::successors(next(&before), next);
        times.take(TIMES_IN_CHANGE_MAX).last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn cron(expression: &str, zone: &str) -> Cron {
        Cron {
            expression: expression.to_owned(),
            zone: zone.to_owned(),
        }
    }

    fn times(expression: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let plan = cron(expression, zone).plan().unwrap();
        let next = |at: &Timestamp| plan.next_after(*at);
        std::iter::successors(next(&at(from)), next)
            .take(count)
            .map(|at| at.to_string().replace(".000Z", "Z"))
            .collect()
    }

    #[test]
    fn a_time_of_day_follows_the_clock_of_its_place() {
        let berlin = |from| times("30 3 * * 1-5", "Europe/Berlin", from, 2);
        assert_eq!(
            berlin("2026-01-02T12:00:00Z"),
            ["2026-01-05T02:30:00Z", "2026-01-06T02:30:00Z"]
        );
        assert_eq!(
            berlin("2026-07-03T12:00:00Z"),
            ["2026-07-06T01:30:00Z", "2026-07-07T01:30:00Z"]
        );
        let half = times("*/30 * * * *", "UTC", "2026-01-01T00:00:00Z", 2);
        assert_eq!(half, ["2026-01-01T00:30:00Z", "2026-01-01T01:00:00Z"]);
    }

    #[test]
    fn a_skipped_time_runs_once_at_the_end_of_the_gap() {
        // On 2026-03-29 Berlin goes from 02:00 to 03:00, which is 01:00 UTC.
        assert_eq!(
            times("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3),
            [
                "2026-03-28T01:30:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-30T00:30:00Z"
            ]
        );
    }

    #[test]
    fn a_doubled_time_runs_the_first_time_only() {
        // On 2026-10-25 Berlin has 02:30 at 00:30 UTC and again at 01:30 UTC.
        assert_eq!(
            times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
    }

    #[test]
    fn the_last_time_is_the_one_after_which_the_next_is_later() {
        for expression in ["30 2 * * *", "*/7 * * * *", "0 0 29 2 *", "15 2 * * 0"] {
            let plan = cron(expression, "Europe/Berlin").plan().unwrap();
            let mut last = plan.next_after(at("2026-01-01T00:00:00Z")).unwrap();
            for _time in 0..500 {
                let Some(next) = plan.next_after(last) else {
                    break;
                };
                let just_before = Timestamp::from_millis(next.millis() - 1);
                assert_eq!(plan.last_until(just_before), Some(last), "{expression}");
                assert_eq!(plan.last_until(last), Some(last), "{expression}");
                last = next;
            }
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let fault = |expression: &str, zone: &str| cron(expression, zone).plan().unwrap_err();
        for wrong in ["", "* * * *", "* * * * * *", "61 * * * *", "x", "0 0 * * 9"] {
            assert!(
                matches!(fault(wrong, "UTC"), CronError::Expression(_)),
                "{wrong}"
            );
        }
        assert!(matches!(
            fault(&"1,".repeat(100), "UTC"),
            CronError::Expression(_)
        ));
        assert_eq!(fault("0 0 * * *", "Europe/Atlantis"), CronError::Zone);
        assert_eq!(fault("0 0 31 2 *", "UTC"), CronError::Never);
    }

    #[test]
    fn any_moment_can_be_asked_for() {
        let plan = cron("0 0 29 2 *", "Australia/Lord_Howe").plan().unwrap();
        for at in [i64::MIN, -1, 0, LAST_MS, i64::MAX] {
            let next = plan.next_after(Timestamp::from_millis(at));
            assert!(next.is_none_or(|next| next.millis() > at));
        }
    }

    #[test]
    fn the_gap_covers_the_times_that_there_are() {
        for expression in [
            "*/5 * * * *",
            "7 * * * *",
            "0 3 * * *",
            "0 */6 * * *",
            "0 3 * * 1",
            "0 3 1 * *",
            "0 3 31 * *",
            "0 3 1 1 *",
        ] {
            let cron = cron(expression, "Europe/Berlin");
            let plan = cron.plan().unwrap();
            let mut last = plan.next_after(at("2025-01-01T00:00:00Z")).unwrap();
            for _run in 0..800 {
                // Once a year is beyond all times before so many runs.
                let Some(next) = plan.next_after(last) else {
                    break;
                };
                let gap = u64::try_from(next.since(last).as_millis()).unwrap();
                assert!(gap < cron.gap_ms(), "{expression}: {last} to {next}");
                last = next;
            }
        }
    }
}
