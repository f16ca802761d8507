//! What Systems add up to: checks in each state and the days of history strips.

use std::collections::BTreeMap;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::own::Own;
use crate::severity::{Severity, SeverityCounts};
use crate::snapshot::{CheckView, HISTORY_DAYS};

const SEVERITIES: usize = Severity::ALL.len();

/// Sums over a System and everything below it, each System once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    checks: [u32; SEVERITIES],
    /// For each day of the history strip how many Systems had which state as their worst.
    days: Vec<[u32; SEVERITIES]>,
    /// How many Systems below cannot be read here.
    pub(super) unreadable: u32,
}

impl Sum {
    pub(super) fn of(checks: &[CheckView], now: Timestamp) -> Self {
        let mut sum = Self::default();
        for view in checks.iter().filter(|view| view.check.enabled) {
            count(&mut sum.checks, view.worst());
        }
        for severity in history(checks, now) {
            let mut day = [0; SEVERITIES];
            count(&mut day, severity);
            sum.days.push(day);
        }
        sum
    }

    /// Adds what one System brings.
    pub(super) fn add(&mut self, share: &Self) {
        self.days.resize(HISTORY_DAYS, [0; SEVERITIES]);
        let days = self.days.iter_mut().zip(&share.days);
        for (here, there) in days.chain([(&mut self.checks, &share.checks)]) {
            for (here, there) in here.iter_mut().zip(there) {
                *here = here.saturating_add(*there);
            }
        }
    }

    /// Takes away what one System brought.
    pub(super) fn take(&mut self, share: &Self) {
        let days = self.days.iter_mut().zip(&share.days);
        for (here, there) in days.chain([(&mut self.checks, &share.checks)]) {
            for (here, there) in here.iter_mut().zip(there) {
                *here = here.saturating_sub(*there);
            }
        }
    }

    pub(super) fn counts(&self) -> SeverityCounts {
        let [ok, missing, warning, unknown, critical] = self.checks;
        SeverityCounts {
            ok,
            warning,
            unknown,
            critical,
            missing,
        }
    }

    /// The worst state of each day.
    pub(super) fn history(&self) -> Vec<Severity> {
        let worst = |day: &[u32; SEVERITIES]| {
            let counted = Severity::ALL.iter().zip(day).rev();
            let mut there = counted.filter(|(_, count)| **count > 0);
            there
                .next()
                .map_or(Severity::Missing, |(severity, _)| *severity)
        };
        self.days.iter().map(worst).collect()
    }
}

fn count(counts: &mut [u32; SEVERITIES], severity: Severity) {
    if let Some(count) = counts.get_mut(usize::from(severity.concern())) {
        *count += 1;
    }
}

/// Sums of every System, from what each brings.
pub(super) fn sums(
    graph: &crate::graph::Graph,
    own: &BTreeMap<SpaceId, Own>,
) -> BTreeMap<SpaceId, Sum> {
    let mut sums = BTreeMap::new();
    for (space, here) in own {
        let mut sum = here.share.clone();
        for part in graph.below(*space) {
            match own.get(&part) {
                Some(there) => sum.add(&there.share),
                None => sum.unreadable = sum.unreadable.saturating_add(1),
            }
        }
        sums.insert(*space, sum);
    }
    sums
}

/// The worst state on each of the last days; Missing when nothing is known of one of the checks that were there.
fn history(checks: &[CheckView], now: Timestamp) -> Vec<Severity> {
    let mut worst: Vec<Option<Severity>> = vec![None; HISTORY_DAYS];
    for view in checks.iter().filter(|view| view.check.enabled) {
        let strip = view.days.strip(HISTORY_DAYS, view.status.present(), now);
        for (worst, day) in worst.iter_mut().rev().zip(strip.iter().rev()) {
            if day.is_begun {
                *worst = (*worst).max(Some(day.drawn()));
            }
        }
    }
    let known = worst.into_iter();
    known.map(|it| it.unwrap_or(Severity::Missing)).collect()
}
