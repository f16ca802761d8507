//! When a check runs: an interval and a place in it that follows from the agent and the check alone.
//!
//! A thousand agents with the same checks do not ask at the same instant, and one agent asks at the
//! same places of the clock before and after a restart, so that a restart adds no run.

use std::time::Duration;

use aramaki_model::cron::CronPlan;
use aramaki_sync_core::{AuthorId, Timestamp};

/// A check that never ran, or whose run was missed while the agent was away, runs within this time.
const FIRST_RUN_WITHIN: Duration = Duration::from_secs(5);
/// Runs by the clock are spread over this time, unless the host says otherwise; no expression names a shorter
/// one.
pub(crate) const TIME_SPLAY_MS: u64 = 60_000;
/// Nothing runs more often, whatever a configuration says.
pub const INTERVAL_MIN: Duration = Duration::from_secs(1);

/// The place of one check in its interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Splay(u64);

impl Splay {
    /// Follows from whose check it is and which.
    pub fn of(agent: AuthorId, check: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("aramaki agent splay v1");
        hasher.update(agent.as_bytes());
        hasher.update(check.as_bytes());
        let mut first = [0_u8; 8];
        hasher.finalize_xof().fill(&mut first);
        Self(u64::from_le_bytes(first))
    }

    pub(crate) fn within(self, interval_ms: i64) -> i64 {
        let interval = u64::try_from(interval_ms).unwrap_or(1).max(1);
        i64::try_from(self.0 % interval).unwrap_or(0)
    }
}

/// The next time a check is due.
///
/// With no last run, or one that lies further back than an interval, it is due within seconds. A last
/// run in the future (the clock went back) counts as none. The answer is never before `now`.
#[must_use]
pub fn next_run(
    splay: Splay,
    interval: Duration,
    last: Option<Timestamp>,
    now: Timestamp,
) -> Timestamp {
    let interval_ms = millis(interval.max(INTERVAL_MIN));
    let now_ms = now.millis();
    let overdue = last.is_none_or(|last| {
        let since = now_ms.saturating_sub(last.millis());
        since >= interval_ms || since < 0
    });
    let due_ms = if overdue {
        now_ms.saturating_add(splay.within(interval_ms.min(millis(FIRST_RUN_WITHIN))))
    } else {
        let last_ms = last.map_or(now_ms, Timestamp::millis);
        aligned_after(splay.within(interval_ms), interval_ms, last_ms).max(now_ms)
    };
    Timestamp::from_millis(due_ms)
}

/// The next time a check is due that runs by the clock of a place.
///
/// A time that passed while the agent was away is not made up for: the check is for its time. One that
/// never ran waits for its first time too. Agents with the same check are spread over so much time, at most a
/// minute; none: each runs at its time to the second.
#[must_use]
pub fn next_time(
    splay: Splay,
    spread: Duration,
    times: &CronPlan,
    last: Option<Timestamp>,
    now: Timestamp,
) -> Timestamp {
    let spread = spread.min(Duration::from_millis(TIME_SPLAY_MS));
    let place = splay.within(millis(spread));
    let own = |at: Timestamp| Timestamp::from_millis(at.millis().saturating_sub(place));
    // A run in the future (the clock went back) counts as none.
    let from = match last.filter(|last| *last <= now) {
        Some(last) => own(last).max(own(now).minus(Duration::from_millis(1))),
        None => own(now),
    };
    times.next_after(from).map_or(Timestamp::MAX, |at| {
        Timestamp::from_millis(at.millis().saturating_add(place)).max(now)
    })
}

/// The first time after `last_ms` that lies at `place` in an interval.
fn aligned_after(place: i64, interval_ms: i64, last_ms: i64) -> i64 {
    let into = last_ms.saturating_sub(place).rem_euclid(interval_ms);
    last_ms.saturating_add(interval_ms.saturating_sub(into))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn splay(name: &str) -> Splay {
        Splay::of(AuthorId::from_bytes([7; 32]), name)
    }

    #[test]
    fn a_check_runs_once_an_interval_at_its_place() {
        let splay = splay("load");
        let first = next_run(splay, MINUTE, Some(at(1_000_000)), at(1_000_000)).millis();
        assert!(first > 1_000_000 && first <= 1_060_000);
        let second = next_run(splay, MINUTE, Some(at(first)), at(first)).millis();
        assert_eq!(second - first, 60_000);
        // A run that started late does not move the place.
        let third = next_run(splay, MINUTE, Some(at(second + 700)), at(second + 900)).millis();
        assert_eq!(third - second, 60_000);
    }

    #[test]
    fn a_restart_adds_no_run() {
        let splay = splay("disk");
        let ran = at(1_000_000);
        let planned = next_run(splay, MINUTE, Some(ran), ran);
        for restart_ms in (1_000_000..planned.millis()).step_by(997) {
            assert_eq!(next_run(splay, MINUTE, Some(ran), at(restart_ms)), planned);
        }
    }

    #[test]
    fn new_and_missed_checks_run_within_seconds() {
        let now = at(5_000_000);
        for last in [None, Some(at(0)), Some(at(9_000_000))] {
            let due = next_run(splay("swap"), Duration::from_hours(1), last, now).millis();
            assert!((5_000_000..5_005_000).contains(&due), "{due}");
        }
    }

    #[test]
    fn different_checks_and_agents_have_different_places() {
        let places: std::collections::BTreeSet<u64> = (0_u8..50)
            .flat_map(|agent| {
                ["load", "disk"]
                    .map(|check| Splay::of(AuthorId::from_bytes([agent; 32]), check).0 % 60_000)
            })
            .collect();
        assert!(places.len() > 90, "{}", places.len());
    }

    #[test]
    fn a_run_by_the_clock_has_its_place_in_the_minute_and_comes_once() {
        let cron = aramaki_model::Cron {
            expression: "*/10 * * * *".to_owned(),
            zone: "UTC".to_owned(),
        };
        let (times, splay) = (cron.plan().unwrap(), splay("backup"));
        let place = splay.within(60_000);
        let first = next_time(splay, MINUTE, &times, None, at(1)).millis();
        assert!(first == place || first == 600_000 + place);
        // Whenever it is asked, also while it runs and after it ended, the next one is the next one.
        for since in [0, 1, 999, 30_000, 599_999] {
            let next =
                next_time(splay, MINUTE, &times, Some(at(first)), at(first + since)).millis();
            assert_eq!(next, first + 600_000, "{since}");
        }
        // One that was missed is not made up for.
        let next = next_time(
            splay,
            MINUTE,
            &times,
            Some(at(first)),
            at(first + 1_500_000),
        )
        .millis();
        assert_eq!(next, first + 1_800_000);
    }

    #[test]
    fn a_host_that_wants_no_spread_runs_at_the_second_of_its_time_and_once() {
        let cron = aramaki_model::Cron {
            expression: "*/10 * * * *".to_owned(),
            zone: "UTC".to_owned(),
        };
        let (times, splay) = (cron.plan().unwrap(), splay("backup"));
        let next = |last: Option<Timestamp>, now: i64| {
            next_time(splay, Duration::ZERO, &times, last, at(now)).millis()
        };
        assert_eq!(next(None, 1), 600_000);
        for since in [0, 1, 999, 30_000, 599_999] {
            assert_eq!(
                next(Some(at(600_000)), 600_000 + since),
                1_200_000,
                "{since}"
            );
        }
        // No more than a minute, whoever asks for it.
        let far = next_time(splay, Duration::MAX, &times, None, at(1)).millis();
        assert_eq!(far, next_time(splay, MINUTE, &times, None, at(1)).millis());
    }

    #[test]
    fn absurd_intervals_and_clocks_do_not_overflow() {
        for now in [i64::MIN, 0, i64::MAX] {
            for last in [None, Some(at(i64::MIN)), Some(at(i64::MAX))] {
                for interval in [Duration::ZERO, Duration::MAX] {
                    assert!(next_run(splay("x"), interval, last, at(now)).millis() >= now);
                }
            }
        }
    }
}
