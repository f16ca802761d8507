//! How the states of parts become the state of their aggregate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aramaki_sync_core::SpaceId;
use serde::{Deserialize, Serialize};

use crate::graph::{Edge, Graph};
use crate::severity::Severity;

/// How an aggregate sums up its parts.
///
/// **Invariant:** if no part gets worse and some get better, the sum does not get worse, and the
/// other way round; all but [`Operator::Xor`], which is about exactly one. Severities are ordered
/// by concern. What is missing is never taken for OK.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// As bad as the worst part.
    #[default]
    Worst,
    /// As good as the best part: one of them suffices.
    Best,
    /// As bad as the worst of the n best parts: n of them suffice.
    AtLeast(u32),
    /// The same with a percentage of the parts by their weight, rounded up.
    Percent(u8),
    /// Exactly one is to be OK, as of an active and a standby: with none as good as the best part,
    /// with several critical, and Missing while one that is missing may be a second one.
    Xor,
    /// As bad as the worst part, but never worse than a warning.
    Degraded,
}

impl fmt::Display for Operator {
    /// In the words in which people write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worst => f.write_str("worst"),
            Self::Best => f.write_str("best"),
            Self::AtLeast(n) => write!(f, "at least {n}"),
            Self::Percent(percent) => write!(f, "percent {percent}"),
            Self::Xor => f.write_str("xor"),
            Self::Degraded => f.write_str("degraded"),
        }
    }
}

impl Operator {
    /// Sums up states of equal weight; none if there are none.
    pub fn combine(self, states: &[Severity]) -> Option<Severity> {
        let weighed: Vec<_> = states.iter().map(|state| (*state, 1)).collect();
        self.combine_weighed(&weighed)
    }

    /// Sums up states, each with its weight, at least 1; none if there are none. Weights count for
    /// [`Operator::Percent`]: so much of the whole must be as good. The others count parts.
    pub fn combine_weighed(self, states: &[(Severity, u32)]) -> Option<Severity> {
        let mut sorted = states.to_vec();
        sorted.sort_unstable();
        let weight = |weight: u32| match self {
            Self::Percent(_) => u64::from(weight.max(1)),
            _ => 1,
        };
        let whole: u64 = sorted.iter().map(|(_, part)| weight(*part)).sum();
        let needed = match self {
            Self::Worst => whole,
            Self::Best => 1,
            Self::Degraded => return Some(sorted.last()?.0.min(Severity::Warning)),
            Self::Xor => return exactly_one(&sorted),
            Self::AtLeast(n) => u64::from(n.max(1)),
            Self::Percent(percent) => (whole * u64::from(percent.min(100))).div_ceil(100).max(1),
        };
        let (worst, _) = sorted.last().copied()?;
        let mut reached = 0;
        for (state, part) in &sorted {
            reached += weight(*part);
            if reached >= needed {
                return Some(*state);
            }
        }
        // What is needed and not there at all is missing.
        Some(worst.max(Severity::Missing))
    }
}

/// Sums up sorted states of which exactly one is to be OK.
fn exactly_one(sorted: &[(Severity, u32)]) -> Option<Severity> {
    let (best, _) = sorted.first()?;
    let count = |severity| {
        sorted
            .iter()
            .filter(|(state, _)| *state == severity)
            .count()
    };
    Some(match (count(Severity::Ok), count(Severity::Missing)) {
        (2.., _) => Severity::Critical,
        (1, 1..) => Severity::Missing,
        _ => *best,
    })
}

/// How an aggregate takes the states of one part: "a warning there is critical here".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Override {
    /// What Missing there is here.
    pub missing: Option<Severity>,
    /// What Warning there is here.
    pub warning: Option<Severity>,
    /// What Unknown there is here.
    pub unknown: Option<Severity>,
    /// What Critical there is here.
    pub critical: Option<Severity>,
}

impl Override {
    /// Takes every problem there as at most this bad.
    #[must_use]
    pub const fn at_most(severity: Severity) -> Self {
        Self {
            critical: Some(severity),
            ..Self::NONE
        }
    }

    /// Takes states as they are.
    pub const NONE: Self = Self {
        missing: None,
        warning: None,
        unknown: None,
        critical: None,
    };

    /// The state here of a state there.
    ///
    /// **Invariant:** a worse state there is never a better one here. A state without a rule of
    /// its own stays as it is, between the rules for better and for worse states.
    pub fn apply(self, there: Severity) -> Severity {
        let rules = [
            None,
            self.missing,
            self.warning,
            self.unknown,
            self.critical,
        ];
        let (mut floor, mut here) = (Severity::Ok, Severity::Ok);
        for (severity, rule) in Severity::ALL.into_iter().zip(rules) {
            let place = usize::from(severity.concern());
            let ceiling = rules
                .iter()
                .skip(place + 1)
                .flatten()
                .copied()
                .min()
                .unwrap_or(Severity::Critical);
            here = rule.unwrap_or(severity.min(ceiling)).max(floor);
            floor = here;
            if severity == there {
                break;
            }
        }
        here
    }
}

/// The states of all Systems here after rolling up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RolledUp(BTreeMap<SpaceId, Severity>);

impl RolledUp {
    /// The state of a System; none if nothing in it or below it is observed. A System that is not
    /// readable here is Missing: counted, never guessed.
    pub fn of(&self, graph: &Graph, system: &SpaceId) -> Option<Severity> {
        match self.0.get(system) {
            Some(severity) => Some(*severity),
            None if graph.is_known(system) => None,
            None => Some(Severity::Missing),
        }
    }

    /// What an edge brings to its aggregate.
    pub fn through(&self, graph: &Graph, edge: &Edge) -> Option<Severity> {
        self.of(graph, &edge.part)
            .map(|severity| edge.overrides.apply(severity))
    }

    /// The way from a System to what makes it as bad as it is: itself first. Visits once, so it
    /// ends on any graph.
    pub fn worst_path(
        &self,
        graph: &Graph,
        own: &BTreeMap<SpaceId, Severity>,
        from: SpaceId,
    ) -> Vec<SpaceId> {
        let mut path = vec![from];
        loop {
            let Some(here) = path.last() else {
                return path;
            };
            let worst = graph
                .rolled_edges(here)
                .filter(|edge| !path.contains(&edge.part))
                .filter_map(|edge| Some((self.through(graph, edge)?, edge.part)))
                .reduce(|worst, next| if next.0 > worst.0 { next } else { worst });
            let own = own.get(here).copied().unwrap_or(Severity::Ok);
            match worst {
                Some((severity, part)) if severity > own => path.push(part),
                _ => return path,
            }
        }
    }
}

/// Rolls states up over a graph of any shape.
///
/// `own` holds each System's own state, without its parts; a System that is not in it is not
/// observed itself and does not count, but is not OK either: without any observed part it has no
/// state. Systems that contain each other are first summed up without the edges among themselves
/// and then raised until nothing changes: a circle never makes itself look good, and bad news in
/// it reaches all of it.
pub fn roll_up(graph: &Graph, own: &BTreeMap<SpaceId, Severity>) -> RolledUp {
    let mut rolled = RolledUp::default();
    let quiet = BTreeSet::new();
    for circle in graph.circles() {
        rolled.settle(
            graph,
            &Own {
                states: own,
                quiet: &quiet,
            },
            &circle,
        );
    }
    rolled
}

/// What Systems are without their parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own<'a> {
    /// The state of each by its own checks.
    pub(crate) states: &'a BTreeMap<SpaceId, Severity>,
    /// Systems that take the problems of their parts as handled.
    pub(crate) quiet: &'a BTreeSet<SpaceId>,
}

impl RolledUp {
    /// Sums up Systems that contain each other, when everything below them is summed up.
    pub(crate) fn settle(&mut self, graph: &Graph, own: &Own<'_>, circle: &BTreeSet<SpaceId>) {
        for system in circle {
            self.0.remove(system);
        }
        for system in circle {
            let outside = |edge: &&Edge| !circle.contains(&edge.part);
            if let Some(severity) = sum(graph, own, self, *system, outside) {
                self.0.insert(*system, severity);
            }
        }
        if circle.len() < 2 {
            return;
        }
        loop {
            let raised: Vec<_> = circle
                .iter()
                .filter_map(|system| {
                    let now = self.0.get(system).copied();
                    let next = sum(graph, own, self, *system, |_| true);
                    (next > now).then_some((*system, next?))
                })
                .collect();
            if raised.is_empty() {
                return;
            }
            self.0.extend(raised);
        }
    }
}

fn sum(
    graph: &Graph,
    own: &Own<'_>,
    rolled: &RolledUp,
    system: SpaceId,
    counts: impl Fn(&&Edge) -> bool,
) -> Option<Severity> {
    let is_quiet = own.quiet.contains(&system);
    let state = |edge: &Edge| {
        let state = rolled.through(graph, edge)?;
        Some((if is_quiet { Severity::Ok } else { state }, edge.weight))
    };
    let states: Vec<_> = graph
        .rolled_edges(&system)
        .filter(|edge| edge.part != system)
        .filter(counts)
        .filter_map(state)
        .collect();
    graph
        .operator(&system)
        .combine_weighed(&states)
        .max(own.states.get(&system).copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Severity::{Critical, Missing, Ok, Unknown, Warning};

    #[test]
    fn operators_sum_up() {
        let states = [Ok, Warning, Critical, Ok];
        let sums = [
            (Operator::Worst, Critical),
            (Operator::Best, Ok),
            (Operator::AtLeast(2), Ok),
            (Operator::AtLeast(3), Warning),
            (Operator::AtLeast(0), Ok),
            (Operator::AtLeast(9), Critical),
            (Operator::Percent(50), Ok),
            (Operator::Percent(51), Warning),
            (Operator::Percent(100), Critical),
        ];
        for (operator, sum) in sums {
            assert_eq!(operator.combine(&states), Some(sum), "{operator:?}");
            assert_eq!(operator.combine(&[]), None);
        }
    }

    #[test]
    fn exactly_one_is_to_be_ok() {
        let table: [(&[Severity], Option<Severity>); 9] = [
            (&[], None),
            (&[Ok], Some(Ok)),
            (&[Ok, Critical, Warning], Some(Ok)),
            (&[Ok, Ok, Critical], Some(Critical)),
            (&[Ok, Ok, Missing], Some(Critical)),
            (&[Ok, Missing], Some(Missing)),
            (&[Critical, Missing], Some(Missing)),
            (&[Critical, Warning], Some(Warning)),
            (&[Critical, Critical], Some(Critical)),
        ];
        for (states, sum) in table {
            assert_eq!(Operator::Xor.combine(states), sum, "{states:?}");
        }
    }

    #[test]
    fn degraded_is_never_worse_than_a_warning_and_hides_nothing() {
        let table = [
            ([Ok, Ok], Ok),
            ([Ok, Missing], Missing),
            ([Missing, Warning], Warning),
            ([Ok, Unknown], Warning),
            ([Critical, Critical], Warning),
        ];
        for (states, sum) in table {
            assert_eq!(Operator::Degraded.combine(&states), Some(sum), "{states:?}");
        }
        assert_eq!(Operator::Degraded.combine(&[]), None);
    }

    #[test]
    fn operators_are_stored_under_the_names_that_they_had() {
        let names = [
            (Operator::Worst, "\"worst\""),
            (Operator::Best, "\"best\""),
            (Operator::AtLeast(2), "{\"at_least\":2}"),
            (Operator::Percent(50), "{\"percent\":50}"),
            (Operator::Xor, "\"xor\""),
            (Operator::Degraded, "\"degraded\""),
        ];
        for (operator, name) in names {
            assert_eq!(serde_json::to_string(&operator).unwrap(), name);
        }
    }

    #[test]
    fn weights_count_for_percentages_only() {
        let states = [(Ok, 60), (Critical, 30), (Warning, 10)];
        let sums = [
            (Operator::Percent(60), Ok),
            (Operator::Percent(61), Warning),
            (Operator::Percent(71), Critical),
            (Operator::AtLeast(2), Warning),
            (Operator::Worst, Critical),
            (Operator::Best, Ok),
        ];
        for (operator, sum) in sums {
            assert_eq!(operator.combine_weighed(&states), Some(sum), "{operator:?}");
        }
        let unweighed = [(Ok, 0), (Critical, 0)];
        assert_eq!(Operator::Percent(50).combine_weighed(&unweighed), Some(Ok));
        let heavy = [(Ok, u32::MAX), (Critical, u32::MAX)];
        assert_eq!(
            Operator::Percent(51).combine_weighed(&heavy),
            Some(Critical)
        );
    }

    #[test]
    fn what_is_missing_never_looks_ok_and_never_hides_a_problem() {
        assert_eq!(Operator::Worst.combine(&[Ok, Missing]), Some(Missing));
        assert_eq!(Operator::Worst.combine(&[Missing, Warning]), Some(Warning));
        assert_eq!(Operator::AtLeast(2).combine(&[Ok]), Some(Missing));
        assert_eq!(Operator::Best.combine(&[Missing, Ok]), Some(Ok));
    }

    #[test]
    fn overrides_say_what_a_state_there_is_here() {
        let worse = Override {
            warning: Some(Critical),
            ..Override::NONE
        };
        assert_eq!(
            [Ok, Warning, Unknown].map(|s| worse.apply(s)),
            [Ok, Critical, Critical]
        );
        let capped = Override::at_most(Warning);
        let all = Severity::ALL.map(|severity| capped.apply(severity));
        assert_eq!(all, [Ok, Missing, Warning, Warning, Warning]);
        assert_eq!(
            Severity::ALL.map(|s| Override::NONE.apply(s)),
            Severity::ALL
        );
    }

    #[test]
    fn an_override_never_turns_worse_into_better() {
        let choices: Vec<_> = std::iter::once(None)
            .chain(Severity::ALL.map(Some))
            .collect();
        for missing in &choices {
            for warning in &choices {
                for unknown in &choices {
                    for critical in &choices {
                        let rules = Override {
                            missing: *missing,
                            warning: *warning,
                            unknown: *unknown,
                            critical: *critical,
                        };
                        let here = Severity::ALL.map(|severity| rules.apply(severity));
                        assert!(here.is_sorted(), "{rules:?}: {here:?}");
                    }
                }
            }
        }
    }
}
