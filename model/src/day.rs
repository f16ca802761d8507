//! What is known of each day of a check: how bad it was, for how long, and of which days nothing is.
//!
//! Days are those of UTC. A state is carried over into the next day only by whoever looked at the check on that
//! day: its agent, which sums each day up in its journal. A day of which nobody told anything is unknown.

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::perfdata::{LABEL_LEN_BYTES_MAX, Metric};
use crate::severity::Severity;
use crate::text::clean_line;
use crate::unit::Unit;

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;
/// Seconds of a day.
pub const DAY_SECONDS: u32 = 86_400;
/// How many metrics of a check a day sums up.
pub const DAY_METRICS_MAX: usize = 3;
/// How many days of a check are remembered: the strip, and some for clocks that are wrong.
pub const DAYS_MAX: usize = 100;
/// How many days before it was written a sum may be of.
const DAYS_BACK_MAX: i32 = 400;

/// Days since the beginning of Unix time, in UTC.
pub fn day_of(at: Timestamp) -> i32 {
    i32::try_from(at.millis().div_euclid(DAY_MS)).unwrap_or(i32::MAX)
}

/// When a day began.
pub fn begin_of(day: i32) -> Timestamp {
    Timestamp::from_millis(i64::from(day).saturating_mul(DAY_MS))
}

/// Whole seconds from one moment to a later one, at most a day.
fn seconds_between(from: Timestamp, to: Timestamp) -> u32 {
    u32::try_from(to.since(from).as_secs()).map_or(DAY_SECONDS, |it| it.min(DAY_SECONDS))
}

/// One day of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "a day of a check is of one day")]
pub struct Day {
    /// Days since the beginning of Unix time, in UTC.
    pub day: i32,
    /// The worst state that counted on it.
    pub worst: Severity,
    /// How often the state that counts changed.
    pub changes: u32,
    /// For how many seconds it was OK, warning, unknown and critical; of the rest nothing is known.
    pub seconds: [u32; 4],
    /// What was measured on it, the first [`DAY_METRICS_MAX`].
    pub metrics: Vec<MetricDay>,
    /// Whether its agent summed it up; otherwise it follows from changes, and the seconds are those between
    /// them alone.
    #[serde(skip)]
    pub is_counted: bool,
}

/// What one metric was on a day; numbers are finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricDay {
    /// What was measured.
    pub label: String,
    /// The base unit.
    pub unit: Unit,
    /// The least value.
    pub min: f32,
    /// The greatest value.
    pub max: f32,
    /// The last value.
    pub last: f32,
}

/// Where the seconds of a state stand; none of one in which nobody looked.
const fn place(state: Severity) -> Option<usize> {
    match state {
        Severity::Ok => Some(0),
        Severity::Warning => Some(1),
        Severity::Unknown => Some(2),
        Severity::Critical => Some(3),
        Severity::Missing => None,
    }
}

impl Day {
    /// A day on which a check was seen in this state.
    pub const fn new(day: i32, state: Severity) -> Self {
        Self {
            day,
            worst: state,
            changes: 0,
            seconds: [0; 4],
            metrics: Vec::new(),
            is_counted: false,
        }
    }

    /// It was in this state for so long more.
    pub fn lasted(&mut self, state: Severity, seconds: u32) {
        if let Some(sum) = place(state).and_then(|place| self.seconds.get_mut(place)) {
            *sum = sum.saturating_add(seconds).min(DAY_SECONDS);
        }
    }

    /// For how many seconds it was in a state.
    pub fn lasting(&self, state: Severity) -> u32 {
        let seconds = place(state).and_then(|place| self.seconds.get(place));
        seconds.copied().unwrap_or(0)
    }

    /// For how many seconds anything is known.
    pub fn known(&self) -> u32 {
        let sum = self.seconds.iter().fold(0_u32, |a, b| a.saturating_add(*b));
        sum.min(DAY_SECONDS)
    }

    /// Takes in what was measured.
    pub fn measured(&mut self, metrics: &[Metric]) {
        for metric in metrics {
            #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough")]
            let Some(value) = metric.value.map(|it| it as f32).filter(|it| it.is_finite()) else {
                continue;
            };
            let known = self.metrics.iter_mut();
            let mut known = known.filter(|it| it.label == metric.label && it.unit == metric.unit);
            if let Some(known) = known.next() {
                known.min = known.min.min(value);
                known.max = known.max.max(value);
                known.last = value;
            } else if self.metrics.len() < DAY_METRICS_MAX {
                self.metrics.push(MetricDay {
                    label: clean_line(&metric.label, LABEL_LEN_BYTES_MAX),
                    unit: metric.unit.clone(),
                    min: value,
                    max: value,
                    last: value,
                });
            }
        }
    }

    /// The same within the limits of a day, as its writer at `at` may have meant it; none of a day to come or
    /// too long ago.
    pub(crate) fn sane(mut self, at: Timestamp) -> Option<Self> {
        let written = day_of(at);
        if self.day > written || self.day < written.saturating_sub(DAYS_BACK_MAX) {
            return None;
        }
        let mut room = DAY_SECONDS;
        for seconds in self.seconds.iter_mut().rev() {
            *seconds = (*seconds).min(room);
            room -= *seconds;
        }
        if self.worst == Severity::Missing {
            return None;
        }
        self.metrics.truncate(DAY_METRICS_MAX);
        let is_finite = |it: &MetricDay| it.min.is_finite() && it.max.is_finite();
        self.metrics
            .retain(|it| is_finite(it) && it.last.is_finite());
        for metric in &mut self.metrics {
            metric.label = clean_line(&metric.label, LABEL_LEN_BYTES_MAX);
        }
        self.is_counted = true;
        Some(self)
    }

    /// Both, of which a sum counts more, and of two sums what is more in either.
    fn join(&mut self, other: Self) {
        self.worst = self.worst.max(other.worst);
        if !other.is_counted {
            return;
        }
        if !self.is_counted {
            *self = Self {
                worst: self.worst,
                ..other
            };
            return;
        }
        self.changes = self.changes.max(other.changes);
        for (here, there) in self.seconds.iter_mut().zip(other.seconds) {
            *here = (*here).max(there);
        }
        if other.metrics.len() > self.metrics.len() {
            self.metrics = other.metrics;
        }
    }
}

/// A day of a strip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StripDay {
    /// Days since the beginning of Unix time, in UTC.
    pub day: i32,
    /// The worst state; none when nothing is known of it.
    pub worst: Option<Severity>,
    /// Whether the check was known on it or before.
    pub is_begun: bool,
    /// How often the state that counts changed.
    pub changes: u32,
    /// For how many seconds it was OK, warning, unknown and critical.
    pub seconds: [u32; 4],
    /// Whether its agent summed it up, so that of the other seconds nothing is known.
    pub is_counted: bool,
}

impl StripDay {
    /// For how many seconds anything is known.
    pub fn known(&self) -> u32 {
        let sum = self.seconds.iter().fold(0_u32, |a, b| a.saturating_add(*b));
        sum.min(DAY_SECONDS)
    }

    /// For how many seconds it was in a state.
    pub fn lasting(&self, state: Severity) -> u32 {
        let seconds = place(state).and_then(|place| self.seconds.get(place));
        seconds.copied().unwrap_or(0)
    }

    /// What is drawn: Missing where nothing is known.
    pub fn drawn(&self) -> Severity {
        self.worst.unwrap_or(Severity::Missing)
    }
}

/// The state that counts, and the last sign of it: what is known of today.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// The state that was told last.
    pub state: Option<Severity>,
    /// Since when it holds.
    pub since: Option<Timestamp>,
    /// When the check was last looked at, as far as is known here.
    pub seen: Option<Timestamp>,
}

/// What is known of the last days of a check, oldest first.
///
/// **Invariant:** a day is there only if something was told of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Days {
    days: Vec<Day>,
}

impl Days {
    /// The days of which something is known, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Day> + '_ {
        self.days.iter()
    }

    /// What is known of a day.
    pub fn on(&self, day: i32) -> Option<&Day> {
        let place = self.days.binary_search_by_key(&day, |it| it.day).ok()?;
        self.days.get(place)
    }

    /// Adds what is known of a day; the oldest are forgotten.
    fn put(&mut self, day: Day) {
        match self.days.binary_search_by_key(&day.day, |it| it.day) {
            Ok(place) => {
                if let Some(known) = self.days.get_mut(place) {
                    known.join(day);
                }
            }
            Err(0) if self.days.len() >= DAYS_MAX => {}
            Err(place) => {
                self.days.insert(place, day);
                if self.days.len() > DAYS_MAX {
                    self.days.remove(0);
                }
            }
        }
    }

    /// Adds what somebody else knows of days.
    pub(crate) fn add(&mut self, other: &Self) {
        other.days.iter().for_each(|day| self.put(day.clone()));
    }

    /// The agent summed this day up.
    pub(crate) fn count(&mut self, day: Day) {
        self.put(day);
    }

    /// The check was seen in this state.
    pub(crate) fn sign(&mut self, at: Timestamp, state: Severity) {
        if state != Severity::Missing {
            self.put(Day::new(day_of(at), state));
        }
    }

    /// The state that counts became another one. That before is carried into this day only from one that is
    /// known.
    pub(crate) fn turn(
        &mut self,
        at: Timestamp,
        (before, since): (Severity, Timestamp),
        now: Severity,
    ) {
        let day = day_of(at);
        let carried = self.carried_from(day, since);
        self.sign(at, now);
        let Ok(place) = self.days.binary_search_by_key(&day, |it| it.day) else {
            return;
        };
        let Some(known) = self.days.get_mut(place).filter(|it| !it.is_counted) else {
            return;
        };
        known.changes = known.changes.saturating_add(1);
        if let Some(from) = carried.filter(|_| before != Severity::Missing) {
            known.worst = known.worst.max(before);
            known.lasted(before, seconds_between(from, at));
        }
    }

    /// From when on a day a state is known that holds since a moment; none if it is not.
    fn carried_from(&self, day: i32, since: Timestamp) -> Option<Timestamp> {
        if day_of(since) >= day {
            return Some(since);
        }
        let is_known = self.on(day).is_some() || self.on(day.saturating_sub(1)).is_some();
        is_known.then(|| begin_of(day))
    }

    /// The last `count` days, today last.
    pub fn strip(&self, count: usize, present: Present, now: Timestamp) -> Vec<StripDay> {
        let today = day_of(now);
        let first = self.days.first().map(|day| day.day);
        let begun = first.or_else(|| present.seen.map(day_of));
        let count = i32::try_from(count).unwrap_or(0).min(today);
        let day = |day: i32| {
            let known = self.on(day);
            let mut shown = StripDay {
                day,
                worst: known.map(|it| it.worst),
                is_begun: begun.is_some_and(|begun| begun <= day),
                changes: known.map_or(0, |it| it.changes),
                seconds: known.map_or([0; 4], |it| it.seconds),
                is_counted: known.is_some_and(|it| it.is_counted),
            };
            // What was heard of it on the day itself is not written down yet.
            let seen = present.seen.map(|at| at.min(now));
            let seen =
                seen.filter(|at| day_of(*at) == day && known.is_none_or(|it| !it.is_counted));
            if let (Some(seen), Some(state)) = (seen, present.state) {
                shown.worst = shown.worst.max(Some(state));
                let since = present.since.unwrap_or(seen);
                if let (Some(from), Some(sum)) = (
                    self.carried_from(day, since),
                    place(state).and_then(|place| shown.seconds.get_mut(place)),
                ) {
                    *sum = sum
                        .saturating_add(seconds_between(from, seen))
                        .min(DAY_SECONDS);
                }
            }
            shown
        };
        (today.saturating_sub(count) + 1..=today).map(day).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Severity::{Critical, Ok, Warning};

    const HOUR: i64 = 3_600_000;

    fn at(day: i32, hour: i64) -> Timestamp {
        Timestamp::from_millis(begin_of(day).millis() + hour * HOUR)
    }

    fn counted(day: i32, seconds: [u32; 4]) -> Day {
        let worst = [Ok, Warning, Severity::Unknown, Critical];
        let worst = worst.iter().zip(seconds).filter(|(_, it)| *it > 0);
        Day {
            seconds,
            ..Day::new(day, worst.map(|(state, _)| *state).max().unwrap())
        }
        .sane(at(day + 1, 0))
        .unwrap()
    }

    #[test]
    fn a_state_is_carried_only_into_days_of_which_something_is_known() {
        let mut days = Days::default();
        days.turn(at(10, 6), (Severity::Missing, at(10, 6)), Ok);
        days.count(counted(11, [DAY_SECONDS, 0, 0, 0]));
        days.turn(at(12, 3), (Ok, at(10, 6)), Critical);
        // Nobody looked on the 13th and the 14th.
        days.turn(at(15, 4), (Critical, at(12, 3)), Ok);
        let strip = days.strip(7, Present::default(), at(16, 1));
        let worst: Vec<_> = strip.iter().map(|day| day.worst).collect();
        let some = Some;
        assert_eq!(
            worst,
            [
                some(Ok),
                some(Ok),
                some(Critical),
                None,
                None,
                some(Ok),
                None
            ]
        );
        assert_eq!(strip[2].seconds, [3 * 3_600, 0, 0, 0], "until it broke");
        assert_eq!(strip[5].seconds, [0; 4]);
        let begun: Vec<_> = days.strip(9, Present::default(), at(16, 1));
        assert_eq!(begun.iter().filter(|day| !day.is_begun).count(), 2);
    }

    #[test]
    fn what_is_heard_today_counts_and_its_time_too() {
        let mut days = Days::default();
        days.count(counted(19, [DAY_SECONDS, 0, 0, 0]));
        days.turn(at(20, 6), (Ok, at(3, 0)), Critical);
        let present = Present {
            state: Some(Critical),
            since: Some(at(20, 6)),
            seen: Some(at(20, 8)),
        };
        let strip = days.strip(2, present, at(20, 9));
        assert_eq!((strip[1].worst, strip[1].changes), (Some(Critical), 1));
        assert_eq!(strip[1].seconds, [6 * 3_600, 0, 0, 2 * 3_600]);
        // Not heard since yesterday: of today nothing is known.
        let present = Present {
            seen: Some(at(20, 8)),
            ..present
        };
        assert_eq!(days.strip(1, present, at(21, 9))[0].worst, None);
    }

    #[test]
    fn a_sum_counts_more_than_changes_and_nonsense_is_cut() {
        let mut days = Days::default();
        days.turn(at(20, 6), (Ok, at(20, 0)), Critical);
        days.count(counted(20, [80_000, 6_000, 0, 0]));
        let day = days.on(20).unwrap();
        assert_eq!((day.worst, day.seconds[1]), (Critical, 6_000));
        assert_eq!(day.known(), 86_000);
        let mad = Day {
            seconds: [u32::MAX; 4],
            metrics: vec![
                MetricDay {
                    label: "l".repeat(500),
                    unit: Unit::None,
                    min: f32::NAN,
                    max: 1.0,
                    last: 1.0,
                };
                9
            ],
            ..Day::new(20, Warning)
        };
        let cut = mad.clone().sane(at(20, 5)).unwrap();
        assert_eq!((cut.known(), cut.metrics.len()), (DAY_SECONDS, 0));
        assert_eq!(mad.clone().sane(at(19, 5)), None, "a day to come");
        assert_eq!(mad.sane(at(900, 5)), None);
    }

    #[test]
    fn days_are_bounded_and_the_oldest_go() {
        let mut days = Days::default();
        for day in (1..=300).rev().chain(1..=300) {
            days.sign(at(day, 1), Ok);
        }
        assert_eq!(days.iter().count(), DAYS_MAX);
        assert_eq!(days.iter().map(|day| day.day).max(), Some(300));
        assert!(days.iter().is_sorted_by_key(|day| day.day));
    }

    #[test]
    fn ninety_days_with_a_week_of_silence_and_five_thousand_changes() {
        let mut days = Days::default();
        // A state every 26 minutes but in one week, and one sum a day.
        let mut state = Ok;
        let mut since = at(100, 0);
        let mut changes = 0;
        for minute in (0..90 * 24 * 60).step_by(26) {
            let day = 100 + minute / (24 * 60);
            if (130..137).contains(&day) {
                continue;
            }
            let now = Timestamp::from_millis(at(100, 0).millis() + i64::from(minute) * 60_000);
            let next = if state == Ok { Warning } else { Ok };
            days.turn(now, (state, since), next);
            (state, since) = (next, now);
            changes += 1;
        }
        assert!(changes > 4_500);
        let strip = days.strip(90, Present::default(), at(189, 23));
        let unknown = strip.iter().filter(|day| day.worst.is_none());
        assert_eq!(
            unknown.map(|day| day.day).collect::<Vec<_>>(),
            [130, 131, 132, 133, 134, 135, 136]
        );
        for day in strip.iter().filter(|day| day.worst.is_some()) {
            assert_eq!(day.worst, Some(Warning));
            assert!((54..=56).contains(&day.changes), "{day:?}");
            assert!(day.lasting(Warning) > 11 * 3_600, "{day:?}");
        }
    }
}
