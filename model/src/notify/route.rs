//! Routing: from a problem up to every System that it concerns, and there to whom its policy names.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::{SpaceId, Timestamp};

use super::facts::{AlertFact, Facts, PolicyFact};
use super::policy::{GroupBy, Grouping, Origin, Policy, Route, Step};
use super::receipt::Target;
use super::rotation;
use crate::graph::Concerned;

/// Aggregates above one System that are asked; nearer ones first.
const CONCERNED_MAX: usize = 1_000;

/// A route that fits, with the people that its steps name now.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    /// Whose policy it is of.
    pub(super) policy: SpaceId,
    /// From there down to the problem.
    pub(super) path: Vec<SpaceId>,
    pub(super) grouping: Grouping,
    pub(super) steps: Vec<ChainStep<'a>>,
}

/// One step of it.
#[derive(Debug)]
pub(super) struct ChainStep<'a> {
    pub(super) step: &'a Step,
    /// Receivers' names and where they are told.
    pub(super) targets: Vec<(&'a str, Target)>,
}

impl ChainStep<'_> {
    /// Whether it can tell anybody now.
    pub(super) fn is_able(&self, now: Timestamp) -> bool {
        let hours = self.step.hours.as_ref();
        !self.targets.is_empty() && hours.is_none_or(|hours| hours.covers(now))
    }
}

impl Chain<'_> {
    /// The System that stands for the group of this problem.
    pub(super) fn group(&self) -> SpaceId {
        let nearest = self.path.iter().rev().nth(1).or(self.path.last());
        match self.grouping.by {
            GroupBy::System => nearest.copied().unwrap_or(self.policy),
            GroupBy::Policy => self.policy,
        }
    }

    /// Milliseconds from the problem's beginning to a step.
    pub(super) fn offset(&self, step: usize) -> u64 {
        self.waits(0, step)
    }

    /// Milliseconds that the steps from `first` to `last` wait together.
    pub(super) fn waits(&self, first: usize, last: usize) -> u64 {
        let steps = self.steps.get(first..=last).unwrap_or_default();
        steps.iter().map(|step| step.step.wait.millis()).sum()
    }
}

/// All routes that fit an alert: the nearest System's first.
pub(super) fn chains<'a>(
    facts: &Facts<'a>,
    alert: &AlertFact,
    concerned: &[Concerned],
) -> Vec<Chain<'a>> {
    let mut found = Vec::new();
    for concerned in concerned.iter().take(CONCERNED_MAX) {
        let Some(fact) = facts.policies.get(&concerned.system) else {
            continue;
        };
        for route in &fact.policy.route {
            if !fits(route, alert, concerned.path.len() == 1) {
                continue;
            }
            found.push(Chain {
                policy: concerned.system,
                path: concerned.path.clone(),
                grouping: fact.policy.group,
                steps: steps(*fact, route, facts.now),
            });
            if !route.go_on {
                break;
            }
        }
    }
    found
}

/// Which chain tells a target that several chains name: the one that does so first; of those the
/// nearest. So who subscribed to several Systems hears once.
pub(super) fn chosen(chains: &[Chain<'_>]) -> BTreeMap<Target, usize> {
    let mut chosen: BTreeMap<Target, (u64, usize)> = BTreeMap::new();
    for (place, chain) in chains.iter().enumerate() {
        for (number, step) in chain.steps.iter().enumerate() {
            let offset = chain.offset(number);
            for (_, target) in &step.targets {
                let best = chosen.entry(target.clone()).or_insert((offset, place));
                *best = (offset, place).min(*best);
            }
        }
    }
    let places = chosen.into_iter();
    places.map(|(target, (_, place))| (target, place)).collect()
}

fn fits(route: &Route, alert: &AlertFact, is_own: bool) -> bool {
    let from = match route.from {
        Origin::All => true,
        Origin::Own => is_own,
        Origin::Parts => !is_own,
    };
    let checks = route.checks.is_empty() || matches(&route.checks, &alert.name);
    from && checks && alert.worst >= route.at_least
}

fn steps<'a>(fact: PolicyFact<'a>, route: &'a Route, now: Timestamp) -> Vec<ChainStep<'a>> {
    let step = |step: &'a Step| {
        let mut seen = BTreeSet::new();
        let targets = step.notify.iter().filter_map(|name| {
            let target = target(fact, name, now)?;
            seen.insert(target.clone())
                .then_some((name.as_str(), target))
        });
        ChainStep {
            targets: targets.collect(),
            step,
        }
    };
    route.then.iter().map(step).collect()
}

/// Where somebody is told now; none when nobody is on call, or the policy names nobody.
pub(super) fn target(fact: PolicyFact<'_>, name: &str, now: Timestamp) -> Option<Target> {
    let policy: &Policy = fact.policy;
    let mut receiver = policy.receiver.get(name)?;
    if !receiver.on_call.is_empty() {
        let schedule = policy.schedule.get(&receiver.on_call)?;
        let duty = rotation::duty(&receiver.on_call, schedule, fact.overrides, now)?;
        receiver = policy.receiver.get(&duty.who)?;
    }
    // A schedule whose people are a schedule leads nowhere; `examine` refuses it.
    (!receiver.via.is_empty()).then(|| Target {
        via: receiver.via.clone(),
        to: receiver.to.clone(),
    })
}

/// Whether a name fits a pattern in which `*` stands for anything. Takes time in proportion to both.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    for piece in pieces {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name) in [
            ("disk*", "disk /var"),
            ("*", ""),
            ("*/var", "disk /var"),
            ("d*k*r", "disk /var"),
            ("a*a", "aa"),
            ("load", "load"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("disk", "disk /"),
            ("a*a", "a"),
            ("a*b*c", "acb"),
            ("", "x"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
