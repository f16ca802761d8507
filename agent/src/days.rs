//! Sums up each day of every check: how long it was in which state, how often that changed, what was measured.
//!
//! A result stands for the time since the one before, at most for its check's time to live; of the rest nothing is
//! known. Pure: time is an argument.

use std::collections::BTreeMap;

use aramaki_model::day::{Day, begin_of, day_of};
use aramaki_model::{Check, CheckId, Metric, Severity};
use aramaki_sync_core::{AuthorId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::schedule::Splay;

/// Days of checks that wait for being written; above it the oldest are given up.
const CLOSED_MAX: usize = 20_000;
/// Agents do not all write at midnight.
const AFTER_MIDNIGHT_MS: i64 = 60_000;

/// A day of a check that is not over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Begun {
    check: CheckId,
    day: Day,
    /// Milliseconds in each state, of which the day has the seconds.
    millis: BTreeMap<Severity, u64>,
    /// The state that counts, since the last result.
    state: Severity,
    /// When that result came, and for how long it stands.
    last: Timestamp,
    ttl_ms: u64,
    /// Up to when time is counted.
    until: Timestamp,
}

/// What of them outlives the program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedDays {
    begun: Vec<Begun>,
    closed: Vec<(CheckId, Day)>,
    /// When the program was last known to run.
    alive: Option<Timestamp>,
}

/// The days of all checks.
#[derive(Debug, Default)]
pub(crate) struct Days {
    begun: BTreeMap<CheckId, Begun>,
    closed: Vec<(CheckId, Day)>,
    after_midnight_ms: i64,
}

impl Days {
    /// Goes on where the program ended: what was not looked at meanwhile is not known.
    pub(crate) fn new(agent: AuthorId, saved: SavedDays, now: Timestamp) -> Self {
        let after_midnight_ms = Splay::of(agent, "days").within(AFTER_MIDNIGHT_MS);
        let mut days = Self {
            begun: BTreeMap::new(),
            closed: saved.closed,
            after_midnight_ms,
        };
        let alive = saved.alive.unwrap_or(Timestamp::ZERO).min(now);
        for mut begun in saved.begun {
            begun.count(alive);
            begun.until = now;
            begun.ttl_ms = 0;
            if begun.day.day < day_of(now) {
                days.closed.extend(begun.over());
            } else {
                days.begun.insert(begun.check, begun);
            }
        }
        days
    }

    /// What must outlive the program.
    pub(crate) fn saved(&self, now: Timestamp) -> SavedDays {
        SavedDays {
            begun: self.begun.values().cloned().collect(),
            closed: self.closed.clone(),
            alive: Some(now),
        }
    }

    /// A result came: `hard` is the state that counts from it on, `changed` whether that is another one.
    pub(crate) fn observed(
        &mut self,
        check: &Check,
        (hard, changed): (Severity, bool),
        metrics: &[Metric],
        now: Timestamp,
    ) {
        self.turn(check.id, now);
        let begun = self.begun.entry(check.id);
        let begun = begun.or_insert_with(|| Begun::new(check.id, hard, now));
        begun.count(now);
        begun.until = begun.until.max(now);
        begun.state = hard;
        begun.last = now;
        begun.ttl_ms = check.ttl_ms();
        begun.day.worst = begun.day.worst.max(hard);
        begun.day.changes = begun.day.changes.saturating_add(u32::from(changed));
        begun.day.measured(metrics);
    }

    /// Ends the day of a check, if it is over.
    fn turn(&mut self, check: CheckId, now: Timestamp) {
        let Some(begun) = self.begun.get_mut(&check) else {
            return;
        };
        if begun.day.day >= day_of(now) {
            return;
        }
        while begun.day.day < day_of(now) {
            let midnight = begin_of(begun.day.day.saturating_add(1));
            begun.count(midnight);
            let next = Begun {
                day: Day::new(begun.day.day.saturating_add(1), begun.state),
                millis: BTreeMap::new(),
                until: midnight,
                ..begun.clone()
            };
            let over = std::mem::replace(begun, next);
            self.closed.extend(over.over());
            if begun.stands_until() <= midnight {
                // Nothing is known of what follows.
                self.begun.remove(&check);
                return;
            }
        }
    }

    /// The days that are over and not yet written, once it is time for that.
    pub(crate) fn take_over(&mut self, now: Timestamp) -> Vec<(CheckId, Day)> {
        let since = now.millis() - begin_of(day_of(now)).millis();
        if since < self.after_midnight_ms {
            return Vec::new();
        }
        let all: Vec<_> = self.begun.keys().copied().collect();
        for check in all {
            self.turn(check, now);
        }
        let surplus = self.closed.len().saturating_sub(CLOSED_MAX);
        self.closed.drain(..surplus);
        std::mem::take(&mut self.closed)
    }
}

impl Begun {
    fn new(check: CheckId, state: Severity, now: Timestamp) -> Self {
        Self {
            check,
            day: Day::new(day_of(now), state),
            millis: BTreeMap::new(),
            state,
            last: now,
            ttl_ms: 0,
            until: now,
        }
    }

    /// Up to when its last result stands.
    fn stands_until(&self) -> Timestamp {
        self.last
            .plus(std::time::Duration::from_millis(self.ttl_ms))
    }

    /// Counts the time up to a moment of the same day, as far as the last result stands for it.
    fn count(&mut self, to: Timestamp) {
        let to = to
            .min(self.stands_until())
            .min(begin_of(self.day.day.saturating_add(1)));
        let millis = u64::try_from(to.since(self.until).as_millis()).unwrap_or(0);
        if millis > 0 {
            let sum = self.millis.entry(self.state).or_default();
            *sum = sum.saturating_add(millis);
            self.until = to;
        }
    }

    /// What the day was like; none if nothing is known of it.
    fn over(mut self) -> Option<(CheckId, Day)> {
        for (state, millis) in &self.millis {
            let seconds = u32::try_from(millis / 1_000).unwrap_or(u32::MAX);
            self.day.lasted(*state, seconds);
        }
        let is_known = self.day.known() > 0 || self.day.changes > 0 || !self.millis.is_empty();
        (is_known && self.day.worst != Severity::Missing).then_some((self.check, self.day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Severity::{Critical, Ok};
    use aramaki_model::{Builtin, CheckKind, Thresholds, Unit};

    const MINUTE: i64 = 60_000;

    fn check(ttl_ms: u64) -> Check {
        let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
        Check {
            ttl_ms: Some(ttl_ms),
            ..Check::new(CheckId::from_bytes([1; 16]), "c", kind)
        }
    }

    fn at(day: i32, minute: i64) -> Timestamp {
        Timestamp::from_millis(begin_of(day).millis() + minute * MINUTE)
    }

    fn fresh() -> Days {
        Days::new(AuthorId::ZERO, SavedDays::default(), at(0, 0))
    }

    fn once(days: &mut Days, (day, minute): (i32, i64), state: Severity, changed: bool) {
        let value = [Metric::new("m", f64::from(day) + 0.5, Unit::None)];
        days.observed(&check(180_000), (state, changed), &value, at(day, minute));
    }

    fn taken(days: &mut Days, now: Timestamp) -> Vec<Day> {
        days.take_over(now)
            .into_iter()
            .map(|(_, day)| day)
            .collect()
    }

    #[test]
    fn a_day_is_summed_up_once_it_is_over() {
        let mut days = fresh();
        for minute in 0..24 * 60 {
            let is_bad = (600..630).contains(&minute);
            let state = if is_bad { Critical } else { Ok };
            once(
                &mut days,
                (7, minute),
                state,
                minute == 0 || minute == 600 || minute == 630,
            );
            assert_eq!(taken(&mut days, at(7, minute)), []);
        }
        let over = taken(&mut days, at(8, 1));
        assert_eq!(over.len(), 1);
        assert_eq!(
            (over[0].day, over[0].worst, over[0].changes),
            (7, Critical, 3)
        );
        assert_eq!(over[0].seconds, [86_400 - 1_800, 0, 0, 1_800]);
        let metric = &over[0].metrics[0];
        assert_eq!((metric.min, metric.max, metric.last), (7.5, 7.5, 7.5));
        assert_eq!(taken(&mut days, at(8, 2)), [], "once");
        // It goes on with the state it had, though no result came that day yet.
        once(&mut days, (8, 2), Ok, false);
        let next = taken(&mut days, at(9, 1));
        assert_eq!(next[0].seconds[0], 2 * 60 + 180);
    }

    #[test]
    fn what_nobody_looked_at_is_not_known() {
        let mut days = fresh();
        for minute in 0..60 {
            once(&mut days, (7, minute), Ok, false);
        }
        // Away for three days, then for a moment.
        let saved = days.saved(at(7, 60));
        let mut days = Days::new(AuthorId::ZERO, saved.clone(), at(10, 30));
        once(&mut days, (10, 30), Critical, true);
        let over = taken(&mut days, at(10, 31));
        assert_eq!(over.len(), 1);
        assert_eq!((over[0].day, over[0].seconds), (7, [3_600, 0, 0, 0]));
        let over = taken(&mut days, at(11, 31));
        assert_eq!((over[0].day, over[0].worst), (10, Critical));
        assert_eq!(over[0].seconds, [0, 0, 0, 180]);
        // The same day again: the time away is not counted.
        let mut days = Days::new(AuthorId::ZERO, saved, at(7, 300));
        once(&mut days, (7, 300), Ok, false);
        let over = taken(&mut days, at(8, 300));
        assert_eq!(over[0].seconds, [3_600 + 180, 0, 0, 0]);
        assert_eq!(taken(&mut days, at(9, 300)), [], "nothing is known of it");
    }

    #[test]
    fn a_result_that_stands_for_days_speaks_for_each_while_the_agent_runs() {
        let mut days = fresh();
        let weekly = check(8 * 24 * 3_600_000);
        days.observed(&weekly, (Ok, true), &[], at(7, 0));
        for day in 8..12 {
            let over = taken(&mut days, at(day, 1));
            assert_eq!(over[0].seconds, [86_400, 0, 0, 0], "{day}");
        }
        let mut days = Days::new(AuthorId::ZERO, days.saved(at(11, 60)), at(20, 0));
        let over = taken(&mut days, at(20, 2));
        assert_eq!((over.len(), over[0].day, over[0].known()), (1, 11, 3_600));
    }

    #[test]
    fn a_clock_that_goes_back_counts_nothing_twice() {
        let mut days = fresh();
        for minute in [0, 1, 2, 1, 2, 3] {
            once(&mut days, (7, minute), Ok, false);
        }
        let over = taken(&mut days, at(8, 1));
        assert_eq!(over[0].seconds, [3 * 60 + 180, 0, 0, 0]);
    }
}
