//! Maintenance windows: times in which problems are expected.

use std::time::Duration;

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cron::{Cron, CronError, CronPlan};

pub mod redundancy;
pub mod request;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// So many windows after the first are looked at for one that opens before the last has closed.
const OVERLAPS_LOOKED_MAX: usize = 32;

/// A time in which problems are expected, once or again and again.
///
/// Written by people, read leniently: an end before the beginning is no window. Days of `every_days`
/// are those of UTC, so such a window does not move with daylight saving time; one by `cron` follows
/// the clock of its place and lasts as long as the first, whatever clocks do meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Maintenance {
    /// What is done then.
    pub reason: String,
    /// When the first window begins.
    pub from: Timestamp,
    /// When the first window ends.
    pub until: Timestamp,
    /// After how many days it comes again; none: once.
    pub every_days: Option<u16>,
    /// When it comes again by the clock of a place, from the first on. An older program sees the first
    /// alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<Cron>,
}

/// Why there are no windows like that.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WindowError {
    /// The expression, its zone, or that it never comes.
    #[error(transparent)]
    Cron(#[from] CronError),
    /// It is longer than the time from one to the next.
    #[error(
        "the window of {begin} is still open when the next one opens at {next}: make it shorter"
    )]
    Overlaps {
        /// When it opens.
        begin: Timestamp,
        /// When the next one does.
        next: Timestamp,
    },
}

impl Maintenance {
    /// Windows of this length by the clock of a place, the first at `from` or later.
    ///
    /// # Errors
    /// When there is no such time, or one window opens before the last has closed.
    pub fn by_cron(
        reason: String,
        from: Timestamp,
        length: Duration,
        cron: Cron,
    ) -> Result<Self, WindowError> {
        let plan = cron.plan()?;
        let before = Timestamp::from_millis(from.millis().saturating_sub(1));
        let first = plan.next_after(before).ok_or(CronError::Never)?;
        let mut begin = first;
        for _window in 0..OVERLAPS_LOOKED_MAX {
            let Some(next) = plan.next_after(begin) else {
                break;
            };
            if next < begin.plus(length) {
                return Err(WindowError::Overlaps { begin, next });
            }
            begin = next;
        }
        Ok(Self {
            reason,
            from: first,
            until: first.plus(length),
            every_days: None,
            cron: Some(cron),
        })
    }

    /// Whether a window is open.
    pub fn covers(&self, now: Timestamp) -> bool {
        let (begin, length) = self.window(now);
        let into = now.millis().saturating_sub(begin);
        (0..length).contains(&into)
    }

    /// When the window that is open closes; none when none is.
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        let (begin, length) = self.window(now);
        self.covers(now)
            .then(|| Timestamp::from_millis(begin.saturating_add(length)))
    }

    /// When that changes next; none when it never does.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let (begin, length) = self.window(now);
        if length <= 0 {
            return None;
        }
        let end = begin.saturating_add(length);
        let period = self.period_ms();
        let changes = [
            Some(begin),
            Some(end),
            period.map(|p| begin.saturating_add(p)),
        ];
        let next = changes
            .into_iter()
            .flatten()
            .filter(|at| *at > now.millis());
        next.min().map(Timestamp::from_millis)
    }

    /// The window that is open, or else the next one: when it opens and when it closes.
    pub fn next_window(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let (begin, length) = self.window(now);
        let is_over = begin.saturating_add(length) <= now.millis();
        let begin = match self.period_ms() {
            _ if length <= 0 => return None,
            Some(period) if is_over => begin.saturating_add(period),
            None if is_over => return None,
            _ => begin,
        };
        let end = begin.saturating_add(length);
        Some((Timestamp::from_millis(begin), Timestamp::from_millis(end)))
    }

    /// When the last window that is over ended; none if there was none, or one is open.
    pub fn ended(&self, now: Timestamp) -> Option<Timestamp> {
        if let Some(plan) = self.plan() {
            let length = self.length_ms();
            if length <= 0 || self.covers(now) {
                return None;
            }
            let latest = now.millis().saturating_sub(length);
            let begin = plan.last_until(Timestamp::from_millis(latest))?;
            let end = begin.millis().saturating_add(length);
            return (begin >= self.from).then(|| Timestamp::from_millis(end));
        }
        let (begin, length) = self.window(now);
        let end = begin.saturating_add(length);
        (length > 0 && end <= now.millis()).then(|| Timestamp::from_millis(end))
    }

    fn length_ms(&self) -> i64 {
        self.until.millis().saturating_sub(self.from.millis())
    }

    /// What cannot be read as times of a clock comes once.
    fn plan(&self) -> Option<CronPlan> {
        self.cron.as_ref()?.plan().ok()
    }

    fn period_ms(&self) -> Option<i64> {
        if self.cron.is_some() {
            return None;
        }
        let days = self.every_days.filter(|days| *days > 0)?;
        Some(i64::from(days) * DAY_MS)
    }

    /// The window that began last, or the first one if none began yet, and how long it lasts. By the
    /// clock of a place it is the one that is open, or else the next.
    fn window(&self, now: Timestamp) -> (i64, i64) {
        let first = self.from.millis();
        let length = self.length_ms();
        if let Some(plan) = self.plan() {
            let before = now.millis().saturating_sub(length.max(0));
            let before = before.max(first.saturating_sub(1));
            let begin = plan.next_after(Timestamp::from_millis(before));
            return begin.map_or((first, 0), |begin| (begin.millis(), length));
        }
        let Some(period) = self.period_ms().filter(|_| now >= self.from) else {
            return (first, length);
        };
        let since = now.millis().saturating_sub(first);
        let begin = now.millis() - since.rem_euclid(period);
        (begin, length.min(period))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(hours * 3_600_000)
    }

    fn weekly() -> Maintenance {
        Maintenance {
            from: at(100),
            until: at(104),
            every_days: Some(7),
            ..Maintenance::default()
        }
    }

    #[test]
    fn a_window_comes_again_after_its_days() {
        let week = 7 * 24;
        for (hours, covered) in [(99, false), (100, true), (103, true), (104, false)] {
            assert_eq!(weekly().covers(at(hours)), covered, "{hours}");
            let again = weekly().covers(at(hours + 5 * week));
            assert_eq!(again, covered, "{hours} later");
        }
        assert_eq!(weekly().open_until(at(101 + week)), Some(at(104 + week)));
        assert_eq!(weekly().open_until(at(104)), None);
        assert_eq!(weekly().next_change(at(0)), Some(at(100)));
        assert_eq!(weekly().next_change(at(100)), Some(at(104)));
        assert_eq!(weekly().next_change(at(104)), Some(at(100 + week)));
    }

    fn time(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn by_cron(expression: &str, from: &str, hours: u64) -> Result<Maintenance, WindowError> {
        let cron = Cron {
            expression: expression.to_owned(),
            zone: "Europe/Vienna".to_owned(),
        };
        let length = Duration::from_hours(hours);
        Maintenance::by_cron("kernel".to_owned(), time(from), length, cron)
    }

    #[test]
    fn a_window_by_the_clock_of_a_place_follows_it_through_the_year() {
        let window = by_cron("0 3 * * sun", "2026-03-23T00:00:00Z", 2).unwrap();
        // 2026-03-29 is the night in which Vienna goes from 02:00 to 03:00, which is 01:00 UTC.
        assert_eq!(window.from, time("2026-03-29T01:00:00Z"));
        for (at, open) in [
            ("2026-03-22T02:30:00Z", false),
            ("2026-03-29T00:59:59Z", false),
            ("2026-03-29T01:00:00Z", true),
            ("2026-03-29T02:59:59Z", true),
            ("2026-03-29T03:00:00Z", false),
            ("2026-10-25T01:59:59Z", false),
            ("2026-10-25T02:00:00Z", true),
            ("2026-11-01T03:59:59Z", true),
            ("2026-11-02T02:30:00Z", false),
        ] {
            assert_eq!(window.covers(time(at)), open, "{at}");
        }
        let between = time("2026-10-20T00:00:00Z");
        let next = (time("2026-10-25T02:00:00Z"), time("2026-10-25T04:00:00Z"));
        assert_eq!(window.next_window(between), Some(next));
        assert_eq!(window.next_window(time("2026-10-25T03:00:00Z")), Some(next));
        assert_eq!(window.next_change(between), Some(next.0));
        assert_eq!(window.next_change(next.0), Some(next.1));
        assert_eq!(window.open_until(next.0), Some(next.1));
        assert_eq!(window.ended(between), Some(time("2026-10-18T03:00:00Z")));
        assert_eq!(window.ended(next.0), None);
        assert_eq!(window.ended(time("2026-03-28T00:00:00Z")), None);
    }

    #[test]
    fn a_skipped_window_opens_at_the_end_of_the_gap_and_a_doubled_one_once() {
        let spring = by_cron("30 2 * * *", "2026-03-28T12:00:00Z", 1).unwrap();
        let gap = (time("2026-03-29T01:00:00Z"), time("2026-03-29T02:00:00Z"));
        assert_eq!((spring.from, spring.until), gap);
        let autumn = by_cron("30 2 * * *", "2026-10-24T12:00:00Z", 1).unwrap();
        assert!(autumn.covers(time("2026-10-25T00:45:00Z")));
        assert!(!autumn.covers(time("2026-10-25T01:45:00Z")));
        let later = time("2026-10-25T12:00:00Z");
        assert_eq!(autumn.ended(later), Some(time("2026-10-25T01:30:00Z")));
    }

    #[test]
    fn windows_that_overlap_or_never_come_are_refused() {
        let from = "2026-01-01T00:00:00Z";
        let overlaps = by_cron("0 * * * *", from, 2).unwrap_err();
        assert!(
            matches!(overlaps, WindowError::Overlaps { .. }),
            "{overlaps}"
        );
        assert!(by_cron("0 * * * *", from, 1).is_ok());
        let never = by_cron("0 0 31 2 *", from, 1).unwrap_err();
        assert_eq!(never, WindowError::Cron(CronError::Never));
    }

    #[test]
    fn windows_of_older_programs_still_read_and_they_read_ours_as_their_first() {
        let old = r#"{"reason":"x","from":360000000,"until":374400000,"every_days":7}"#;
        let read: Maintenance = serde_json::from_str(old).unwrap();
        let weekly = Maintenance {
            reason: "x".to_owned(),
            ..weekly()
        };
        assert_eq!(read, weekly);
        assert_eq!(serde_json::to_string(&weekly).unwrap(), old);
        // What no program of today reads comes once, as an older one would have it.
        let mut odd = by_cron("0 3 * * *", "2026-01-01T00:00:00Z", 1).unwrap();
        odd.cron = Some(Cron {
            expression: "@sometimes".to_owned(),
            zone: "UTC".to_owned(),
        });
        assert!(odd.covers(odd.from) && odd.next_window(odd.until).is_none());
    }

    #[test]
    fn a_window_that_comes_once_is_over_then_and_nonsense_covers_nothing() {
        let once = Maintenance {
            every_days: None,
            ..weekly()
        };
        assert!(once.covers(at(101)) && !once.covers(at(101 + 7 * 24)));
        assert_eq!(once.next_change(at(104)), None);
        let backwards = Maintenance {
            until: at(90),
            ..weekly()
        };
        let extreme = Maintenance {
            from: Timestamp::from_millis(i64::MIN),
            until: Timestamp::from_millis(i64::MAX),
            every_days: Some(u16::MAX),
            ..Maintenance::default()
        };
        for hours in [0, 95, 101, 300] {
            assert!(!backwards.covers(at(hours)));
            assert_eq!(backwards.next_change(at(hours)), None);
            assert!(extreme.covers(at(hours)));
        }
    }

    #[test]
    fn a_window_by_the_clock_that_has_no_length_never_was() {
        let window = by_cron("0 3 * * *", "2026-01-01T00:00:00Z", 1).unwrap();
        let later = time("2026-02-01T12:00:00Z");
        assert!(window.ended(later).is_some());
        for until in [window.from, window.from.minus(Duration::from_mins(5))] {
            let nothing = Maintenance {
                until,
                ..window.clone()
            };
            assert_eq!(nothing.ended(later), None);
            assert!(!nothing.covers(window.from));
        }
    }
}
