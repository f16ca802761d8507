//! Maintenance windows: times in which problems are expected.

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// A time in which problems are expected, once or again and again.
///
/// Written by people, read leniently: an end before the beginning is no window. Days are those of
/// UTC, so a window does not move with daylight saving time.
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
}

impl Maintenance {
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

    /// When the last window that is over ended; none if there was none, or one is open.
    pub fn ended(&self, now: Timestamp) -> Option<Timestamp> {
        let (begin, length) = self.window(now);
        let end = begin.saturating_add(length);
        (length > 0 && end <= now.millis()).then(|| Timestamp::from_millis(end))
    }

    fn period_ms(&self) -> Option<i64> {
        let days = self.every_days.filter(|days| *days > 0)?;
        Some(i64::from(days) * DAY_MS)
    }

    /// The window that began last, or the first one if none began yet, and how long it lasts.
    fn window(&self, now: Timestamp) -> (i64, i64) {
        let first = self.from.millis();
        let length = self.until.millis().saturating_sub(first);
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
}
