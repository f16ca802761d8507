//! Whether a state changes too often to believe it (the Nagios algorithm).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::severity::Severity;

/// How many states are looked at.
pub const STATES: usize = 21;

/// At how much change a state begins and ceases to flap, in percent. Not even a state that always
/// changes reaches 100: with that limit nothing flaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlappingLimits {
    /// Below it no longer flaps.
    pub low: u8,
    /// From here on it flaps.
    pub high: u8,
}

impl Default for FlappingLimits {
    fn default() -> Self {
        Self { low: 25, high: 30 }
    }
}

/// The last states of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flapping {
    states: VecDeque<Severity>,
    active: bool,
}

impl Flapping {
    /// Takes the newest state; returns whether the check flaps now.
    pub fn observe(&mut self, state: Severity, limits: FlappingLimits) -> bool {
        self.states.push_back(state);
        while self.states.len() > STATES {
            self.states.pop_front();
        }
        let percent = self.percent();
        self.active = if self.active {
            percent >= f64::from(limits.low)
        } else {
            percent >= f64::from(limits.high)
        };
        self.active
    }

    /// Whether it flaps.
    pub const fn is_active(&self) -> bool {
        self.active
    }

    /// The states, oldest first; at most [`STATES`].
    pub fn states(&self) -> impl Iterator<Item = Severity> + '_ {
        self.states.iter().copied()
    }

    /// How much changed, newer changes weighing more; zero until all states are known.
    pub fn percent(&self) -> f64 {
        if self.states.len() < STATES {
            return 0.0;
        }
        let mut weight = 0.8;
        let mut sum = 0.0;
        for (older, newer) in self.states.iter().zip(self.states.iter().skip(1)) {
            if older != newer {
                sum += weight;
            }
            weight += 0.02;
        }
        100.0 * sum / 20.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(states: impl IntoIterator<Item = Severity>) -> Flapping {
        let mut flapping = Flapping::default();
        for state in states {
            flapping.observe(state, FlappingLimits::default());
        }
        flapping
    }

    #[test]
    fn a_state_that_always_changes_flaps_at_almost_its_full_weight() {
        let flapping = after((0..21).map(|i| [Severity::Ok, Severity::Critical][i % 2]));
        assert!((flapping.percent() - 99.0).abs() < 1e-9);
        assert!(flapping.is_active());
    }

    #[test]
    fn one_change_does_not_flap_and_quiet_ends_it() {
        let mut states = vec![Severity::Ok; 20];
        states.push(Severity::Critical);
        assert!(!after(states).is_active());
        let mut flapping = after((0..21).map(|i| [Severity::Ok, Severity::Critical][i % 2]));
        let quiet =
            (0..STATES).position(|_| !flapping.observe(Severity::Ok, FlappingLimits::default()));
        assert_eq!(quiet, Some(14));
    }

    #[test]
    fn limits_decide_and_a_hundred_percent_is_never_reached() {
        let restless = (0..21).map(|i| [Severity::Ok, Severity::Critical][i % 2]);
        let mut flapping = Flapping::default();
        for state in restless {
            assert!(!flapping.observe(state, FlappingLimits { low: 25, high: 100 }));
        }
        let mut flapping = Flapping::default();
        let mut states = vec![Severity::Ok; 19];
        states.extend([Severity::Critical, Severity::Ok]);
        let sensitive = FlappingLimits { low: 5, high: 10 };
        let last = states
            .into_iter()
            .map(|state| flapping.observe(state, sensitive));
        assert_eq!(last.last(), Some(true));
    }
}
