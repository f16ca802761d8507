//! The soft and hard state of a check, as its agent keeps it.

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::check::Check;
use crate::entry::{CARRIED_SUMMARY_LEN_BYTES_MAX, CarriedState};
use crate::flapping::Flapping;
use crate::id::CheckId;
use crate::observation::Observation;
use crate::severity::Severity;
use crate::text::clean_line;
use crate::transition::{Hardness, Transition};

/// How many metrics a transition carries along.
pub const TRANSITION_METRICS_MAX: usize = 8;
/// What is said of a check when nobody looks any more.
pub(crate) const LOOKED_AT_NO_MORE: &str = "it is looked at no more";

/// The soft and hard state of a check.
///
/// **Invariant:** the hard state changes only through a transition that [`CheckState::observe`]
/// returned, so whoever holds all transitions knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckState {
    /// Of which check.
    pub check: CheckId,
    /// The state of the last result.
    pub raw: Severity,
    /// The state that counts.
    pub hard: Severity,
    /// Results in a row that differ from OK, up to the check's attempts; 0 when OK.
    pub attempt: u32,
    /// Since when the hard state holds.
    pub hard_since: Timestamp,
    /// Since when the hard state has not been OK; none when it is, or was never observed.
    pub problem_since: Option<Timestamp>,
    /// When the last result came.
    pub last_at: Timestamp,
    /// When it was last OK.
    pub last_ok: Option<Timestamp>,
    /// What the check said last, cut short.
    pub summary: String,
    /// Results in a row with the same state.
    pub occurrences: u32,
    /// The longest such row of the present problem, kept on the OK that ends it.
    pub watermark: u32,
    /// Whether it changes too often.
    pub flapping: Flapping,
}

impl CheckState {
    /// The state of a check without any result.
    pub fn new(check: CheckId) -> Self {
        Self {
            check,
            raw: Severity::Missing,
            hard: Severity::Missing,
            attempt: 0,
            hard_since: Timestamp::ZERO,
            problem_since: None,
            last_at: Timestamp::ZERO,
            last_ok: None,
            summary: String::new(),
            occurrences: 0,
            watermark: 0,
            flapping: Flapping::default(),
        }
    }

    /// Takes a result in; returns a transition if the raw or the hard state changed, or if it began or
    /// ceased to flap: then a soft one from the state to itself.
    ///
    /// The first result is hard at once. A problem becomes hard after the check's attempts;
    /// another problem in its place, and recovery from a hard problem, are hard at once.
    pub fn observe(&mut self, check: &Check, observation: &Observation) -> Option<Transition> {
        let (raw, hard) = (self.raw, self.hard);
        let now = observation.severity;
        let attempts = check.attempts.max(1);
        self.count(now);
        self.last_at = observation.at;
        self.summary = clean_line(&observation.summary, CARRIED_SUMMARY_LEN_BYTES_MAX);
        if now.is_ok() {
            self.last_ok = Some(observation.at);
        }
        let was_flapping = self.flapping.is_active();
        let flapping = self
            .flapping
            .observe(now, check.flapping.unwrap_or_default());
        // Who reads transitions learns of it also when no state changes with it.
        let turned = (flapping != was_flapping).then_some((now, Hardness::Soft));
        self.raw = now;

        let changed = if hard == Severity::Missing {
            self.attempt = u32::from(!now.is_ok());
            Some((hard, Hardness::Hard))
        } else if now.is_ok() {
            self.attempt = 0;
            if hard.is_ok() {
                (!raw.is_ok()).then_some((raw, Hardness::Soft))
            } else {
                Some((hard, Hardness::Hard))
            }
        } else if hard.is_ok() {
            self.attempt = if raw.is_ok() {
                1
            } else {
                self.attempt.saturating_add(1)
            };
            if self.attempt >= attempts {
                Some((hard, Hardness::Hard))
            } else {
                (raw != now).then_some((raw, Hardness::Soft))
            }
        } else {
            (hard != now).then_some((hard, Hardness::Hard))
        };
        let (from, hardness) = changed.or(turned)?;
        if hardness == Hardness::Hard {
            self.hard = now;
            self.hard_since = observation.at;
            self.problem_since = match self.problem_since {
                _ if now.is_ok() => None,
                None => Some(observation.at),
                since => since,
            };
        }
        let mut metrics = observation.metrics.clone();
        metrics.truncate(TRANSITION_METRICS_MAX);
        Some(Transition {
            check: self.check,
            at: observation.at,
            from,
            to: now,
            hardness,
            attempt: self.attempt.max(1),
            attempts,
            flapping,
            raw_exit: observation.raw_exit.clone(),
            summary: observation.summary.clone(),
            detail: observation.detail.clone(),
            metrics,
            evidence: observation.evidence,
        })
    }

    /// Nobody looks any more; returns a transition if there was a problem, which is none of now then.
    ///
    /// Whoever looks again later begins anew, so a problem that is still there is another one.
    pub fn end(&mut self, at: Timestamp) -> Option<Transition> {
        if self.hard <= Severity::Missing {
            return None;
        }
        let ended = std::mem::replace(self, Self::new(self.check));
        Some(Transition {
            check: ended.check,
            at,
            from: ended.hard,
            to: Severity::Missing,
            hardness: Hardness::Hard,
            attempt: 1,
            attempts: 1,
            flapping: false,
            raw_exit: None,
            summary: LOOKED_AT_NO_MORE.to_owned(),
            detail: String::new(),
            metrics: Vec::new(),
            evidence: None,
        })
    }

    /// What a new journal segment begins with, so that it can be read alone.
    pub fn carried(&self) -> CarriedState {
        CarriedState {
            check: self.check,
            at: self.last_at,
            raw: self.raw,
            hard: self.hard,
            hard_since: self.hard_since,
            problem_since: self.problem_since,
            last_ok: self.last_ok,
            summary: self.summary.clone(),
        }
    }

    /// The clock was ahead and is right now: no time is later than that.
    pub fn put_right(&mut self, now: Timestamp) {
        let past = |at: &mut Timestamp| *at = (*at).min(now);
        past(&mut self.hard_since);
        past(&mut self.last_at);
        self.problem_since.as_mut().map(past);
        self.last_ok.as_mut().map(past);
    }

    /// Whether the last result differs from the state that counts.
    pub fn is_soft(&self) -> bool {
        self.raw != self.hard
    }

    /// Milliseconds until the next run.
    pub fn next_interval_ms(&self, check: &Check) -> u64 {
        let interval = if self.is_soft() && !self.raw.is_ok() {
            check.retry_interval_ms
        } else {
            check.interval_ms
        };
        interval.max(1_000)
    }

    /// Counts occurrences and their watermark as Sensu does.
    fn count(&mut self, now: Severity) {
        let first_problem = self.raw.is_ok() && !now.is_ok();
        self.occurrences = if self.raw == now {
            self.occurrences.saturating_add(1)
        } else {
            1
        };
        if first_problem || self.occurrences > self.watermark {
            self.watermark = self.occurrences;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Builtin, CheckKind, Thresholds};
    use Severity::{Critical, Ok, Unknown, Warning};

    fn check(attempts: u32) -> Check {
        let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
        Check {
            attempts,
            ..Check::new(CheckId::from_bytes([1; 16]), "c", kind)
        }
    }

    fn run(attempts: u32, states: &[Severity]) -> (CheckState, Vec<Transition>) {
        let check = check(attempts);
        let mut state = CheckState::new(check.id);
        let mut out = Vec::new();
        for (at, severity) in (0_i64..).zip(states) {
            let at = Timestamp::from_millis(at);
            let observation = Observation::of_builtin(check.id, at, *severity, "said");
            out.extend(state.observe(&check, &observation));
        }
        (state, out)
    }

    fn brief(transitions: &[Transition]) -> Vec<(Severity, Severity, Hardness)> {
        transitions
            .iter()
            .map(|t| (t.from, t.to, t.hardness))
            .collect()
    }

    #[test]
    fn the_first_result_is_a_transition_from_missing() {
        let (state, out) = run(3, &[Critical]);
        assert_eq!(brief(&out), [(Severity::Missing, Critical, Hardness::Hard)]);
        assert_eq!((state.hard, state.attempt), (Critical, 1));
    }

    #[test]
    fn a_problem_ends_when_nobody_looks_and_whoever_looks_again_begins_anew() {
        let (mut state, _) = run(1, &[Ok]);
        assert_eq!(state.end(Timestamp::from_millis(9)), None);
        let (mut state, _) = run(1, &[Ok, Critical]);
        let ended = state.end(Timestamp::from_millis(9)).unwrap();
        assert_eq!(
            brief(&[ended]),
            [(Critical, Severity::Missing, Hardness::Hard)]
        );
        assert_eq!(state, CheckState::new(state.check));
    }

    #[test]
    fn a_problem_is_hard_after_its_attempts() {
        let (state, out) = run(3, &[Ok, Warning, Warning, Warning, Warning]);
        assert_eq!(
            brief(&out)[1..],
            [(Ok, Warning, Hardness::Soft), (Ok, Warning, Hardness::Hard)]
        );
        assert_eq!((out[1].attempt, out[2].attempt), (1, 3));
        assert_eq!(state.hard_since, Timestamp::from_millis(3));
    }

    #[test]
    fn a_problem_that_ends_in_time_never_counts() {
        let (state, out) = run(3, &[Ok, Warning, Critical, Ok]);
        assert_eq!(
            brief(&out)[1..],
            [
                (Ok, Warning, Hardness::Soft),
                (Warning, Critical, Hardness::Soft),
                (Critical, Ok, Hardness::Soft)
            ]
        );
        assert_eq!(state.hard, Ok);
        assert_eq!(state.attempt, 0);
    }

    #[test]
    fn another_problem_and_recovery_are_hard_at_once() {
        let (_, out) = run(2, &[Ok, Warning, Warning, Critical, Unknown, Ok, Ok]);
        assert_eq!(
            brief(&out)[2..],
            [
                (Ok, Warning, Hardness::Hard),
                (Warning, Critical, Hardness::Hard),
                (Critical, Unknown, Hardness::Hard),
                (Unknown, Ok, Hardness::Hard)
            ]
        );
    }

    #[test]
    fn a_soft_problem_is_retried_sooner() {
        let check = check(3);
        let (state, _) = run(3, &[Ok, Warning]);
        assert_eq!(state.next_interval_ms(&check), check.retry_interval_ms);
        let (state, _) = run(3, &[Ok, Warning, Ok]);
        assert_eq!(state.next_interval_ms(&check), check.interval_ms);
    }

    #[test]
    fn that_it_no_longer_flaps_is_told_without_a_change_of_state() {
        let mut states: Vec<_> = (0..21).map(|i| [Ok, Critical][i % 2]).collect();
        states.extend([Ok; 20]);
        let (state, out) = run(1, &states);
        assert!(!state.flapping.is_active());
        let last = out.last().unwrap();
        assert_eq!((last.from, last.to, last.flapping), (Ok, Ok, false));
        assert_eq!(last.hardness, Hardness::Soft);
        assert!(out[out.len() - 2].flapping);
        assert_eq!(state.hard_since, Timestamp::from_millis(20));
    }

    #[test]
    fn occurrences_count_as_in_sensu() {
        let states = [
            Ok, Ok, Warning, Warning, Warning, Critical, Critical, Critical, Critical, Ok, Critical,
        ];
        let counts: Vec<_> = (1..=states.len())
            .map(|n| run(1, &states[..n]).0)
            .map(|state| (state.occurrences, state.watermark))
            .collect();
        let occurrences = [1, 2, 1, 2, 3, 1, 2, 3, 4, 1, 1];
        let watermarks = [1, 2, 1, 2, 3, 3, 3, 3, 4, 4, 1];
        assert_eq!(
            counts,
            occurrences.into_iter().zip(watermarks).collect::<Vec<_>>()
        );
    }
}
