//! What a System's own documents and its agents' journals say at a moment, and until when.

use std::collections::BTreeMap;
use std::time::Duration;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::Seen;
use super::system::history;
use super::timeline::timeline_entries;
use crate::entry::{Acknowledgement, TimelineEntry};
use crate::hearing::Hearing;
use crate::heartbeat::{CheckBeat, HEARTBEAT_STALE_MS};
use crate::journal::CheckRecord;
use crate::severity::{Severity, SeverityCounts};
use crate::snapshot::{CheckView, HISTORY_DAYS, TimelineItem};
use crate::status::{
    AgentLife, CheckFacts, CheckStatus, agent_life, agreed, alert_id, check_status,
};
use crate::system::{AgentRef, System};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
const SEVERITIES: usize = Severity::ALL.len();

/// A System by itself, without its parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    pub(super) title: String,
    pub(super) checks: Vec<CheckView>,
    pub(super) timeline: Vec<TimelineItem>,
    /// What it adds to the sums of all that contain it.
    pub(super) share: Sum,
    /// The moment of which its checks tell, if it is not now.
    pub(super) as_of: Option<Timestamp>,
    /// The first moment at which time alone changes any of this.
    pub(super) until: Option<Timestamp>,
}

impl Own {
    /// The worst state of the checks that run.
    pub(super) fn worst(&self, of: fn(&CheckView) -> Severity) -> Option<Severity> {
        let running = self.checks.iter().filter(|view| view.check.enabled);
        running.map(of).max()
    }
}

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
    fn of(checks: &[CheckView], now: Timestamp) -> Self {
        let mut sum = Self::default();
        for view in checks.iter().filter(|view| view.check.enabled) {
            count(&mut sum.checks, view.status.raw);
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

/// The next moment out of several.
struct Next {
    now: Timestamp,
    at: Option<Timestamp>,
}

impl Next {
    fn consider(&mut self, at: Timestamp) {
        if at > self.now {
            self.at = Some(self.at.map_or(at, |next| next.min(at)));
        }
    }

    /// After this long without another sign something counts as old.
    fn old(&mut self, last: Option<Timestamp>, after_ms: u64) {
        if let Some(last) = last {
            // Times to come count as now, and so move with the clock.
            let last = last.min(self.now);
            let is_to_come = last == self.now;
            let after_ms = if is_to_come { 0 } else { after_ms };
            self.consider(last.plus(Duration::from_millis(after_ms.saturating_add(1))));
        }
    }
}

impl Seen<'_> {
    /// What a System says of itself now.
    pub(super) fn own(&self, space: SpaceId, system: &System) -> Own {
        let Some(open) = self.workspace.spaces.get(&space) else {
            return Own::default();
        };
        let mut next = Next {
            now: self.now,
            at: None,
        };
        let tomorrow = self.now.millis().div_euclid(DAY_MS).saturating_add(1);
        next.consider(Timestamp::from_millis(tomorrow.saturating_mul(DAY_MS)));
        let checks = self.check_views(space, system, &mut next);
        Own {
            title: if system.title.is_empty() {
                space.short()
            } else {
                system.title.clone()
            },
            share: Sum::of(&checks, self.now),
            checks,
            timeline: self.timeline(space, system, open),
            as_of: self.heard(system),
            until: next.at,
        }
    }

    /// Up to when all agents that look would have been heard, if one of them is not heard now.
    fn heard(&self, system: &System) -> Option<Timestamp> {
        let agents = system.agents.iter();
        let as_of = agents.filter_map(|(agent, link)| {
            let open = self.workspace.spaces.get(agent)?;
            self.as_of(open, self.view.journals.get(&(*agent, link.author))?)
        });
        as_of.filter(|at| *at < self.now).min()
    }

    /// What every agent that looks says of a check; one without agents has one empty vantage.
    fn vantages(&self, system: &System, check: &crate::Check) -> Vec<Vantage<'_>> {
        let vantage = |(agent, link): (&SpaceId, &AgentRef)| {
            let journal = self.view.journals.get(&(*agent, link.author))?;
            let open = self.workspace.spaces.get(agent)?;
            let as_of = self.as_of(open, journal).unwrap_or(self.now);
            let beats = &open.beats;
            Some(Vantage {
                agent: Some(*agent),
                as_of: Some(as_of),
                life: agent_life(journal, beats, as_of),
                record: journal.checks.get(&check.id),
                beat: beats.checks.get(&check.id),
            })
        };
        let mut vantages: Vec<_> = system.agents.iter().filter_map(vantage).collect();
        if check.quorum.is_none() {
            // Whoever told last; the first one when several did at once.
            let told = |vantage: &Vantage<'_>| vantage.record.map(|record| record.last_at);
            let last = vantages.into_iter().reduce(|best, next| {
                if told(&next) > told(&best) {
                    next
                } else {
                    best
                }
            });
            vantages = last.into_iter().collect();
        }
        if vantages.is_empty() {
            vantages.push(Vantage::default());
        }
        vantages
    }

    fn check_views(&self, space: SpaceId, system: &System, next: &mut Next) -> Vec<CheckView> {
        let acknowledgements = self.acknowledgements(&space);
        for until in acknowledgements.iter().filter_map(|entry| entry.until) {
            next.consider(until);
        }
        for silence in system.silences.values() {
            next.consider(silence.from);
            next.consider(silence.until);
        }
        for window in system.maintenance.values() {
            next.at = next
                .at
                .into_iter()
                .chain(window.next_change(self.now))
                .min();
        }
        let mut windows = system.maintenance.values();
        let maintenance = windows.find(|window| window.covers(self.now));
        for (agent, link) in &system.agents {
            let journal = self.view.journals.get(&(*agent, link.author));
            let open = self.workspace.spaces.get(agent);
            let beats = open.map(|open| &open.beats);
            let hearing = open.map(|open| open.hearing);
            if let Some(at) = hearing.and_then(Hearing::settles_at) {
                next.consider(at);
            }
            // A moment later it tells of an earlier one.
            next.old(hearing.and_then(Hearing::until), 0);
            next.old(
                journal.and_then(|journal| journal.last_at),
                HEARTBEAT_STALE_MS,
            );
            next.old(beats.and_then(|beats| beats.at), HEARTBEAT_STALE_MS);
        }
        let mut view = |check: &crate::Check| {
            let judge = |vantage: &Vantage<'_>| {
                let facts = CheckFacts {
                    as_of: vantage.as_of.unwrap_or(self.now),
                    check,
                    record: vantage.record,
                    beat: vantage.beat,
                    life: vantage.life,
                    maintenance,
                };
                let silences = system.silences.values();
                check_status(&facts, silences, acknowledgements.iter().copied(), self.now)
            };
            let judged: Vec<_> = self
                .vantages(system, check)
                .into_iter()
                .map(|vantage| (judge(&vantage), vantage))
                .collect();
            for (_, vantage) in &judged {
                next.old(vantage.record.map(|record| record.last_at), check.ttl_ms());
                next.old(vantage.beat.map(|beat| beat.at), check.ttl_ms());
            }
            check_view(space, check, judged)
        };
        // What the System sets comes first; what its machines add is named by their journals.
        let mut checks: BTreeMap<_, _> = system.checks.iter().collect();
        for (agent, link) in &system.agents {
            let journal = self.view.journals.get(&(*agent, link.author));
            for (id, check) in journal.iter().flat_map(|journal| &journal.declared) {
                checks.entry(id).or_insert(check);
            }
        }
        let mut views: Vec<_> = checks.into_values().map(&mut view).collect();
        views.sort_by(|a, b| {
            let worst = b.status.raw.cmp(&a.status.raw);
            worst.then_with(|| (&a.check.name, a.check.id).cmp(&(&b.check.name, b.check.id)))
        });
        views
    }

    fn acknowledgements(&self, space: &SpaceId) -> Vec<&Acknowledgement> {
        let open = self.workspace.spaces.get(space);
        let entries = open.into_iter().flat_map(timeline_entries);
        let acknowledged = entries.filter_map(|written| match &written.entry {
            TimelineEntry::Acknowledgement(acknowledgement) => Some(acknowledgement),
            _ => None,
        });
        acknowledged.collect()
    }
}

/// What one agent says of a check.
#[derive(Default)]
struct Vantage<'a> {
    agent: Option<SpaceId>,
    as_of: Option<Timestamp>,
    life: AgentLife,
    record: Option<&'a CheckRecord>,
    beat: Option<&'a CheckBeat>,
}

/// A check as several vantages see it together; it is told in the words of one that sees what is
/// agreed.
fn check_view(
    space: SpaceId,
    check: &crate::Check,
    mut judged: Vec<(CheckStatus, Vantage<'_>)>,
) -> CheckView {
    let seen: Vec<_> = judged.iter().map(|(status, _)| status.raw).collect();
    let quorum = check.quorum.unwrap_or(1);
    let raw = agreed(&seen, quorum).unwrap_or_default();
    let vantages = match check.quorum {
        None => Vec::new(),
        Some(_) => judged
            .iter()
            .filter_map(|(status, vantage)| Some((vantage.agent?, status.raw)))
            .collect(),
    };
    // The alert began with the transition that made enough of them agree.
    let began = |vantage: &Vantage<'_>| {
        let record = vantage.record?;
        Some((record.problem_since?, record.opened_by?))
    };
    let mut problems: Vec<_> = judged
        .iter()
        .filter_map(|(_, vantage)| Some((began(vantage)?, vantage.record?)))
        .collect();
    problems.sort_by_key(|(began, _)| *began);
    let completed = usize::try_from(quorum).unwrap_or(usize::MAX).max(1) - 1;
    let opened = problems.get(completed).filter(|_| !raw.is_ok());
    let alert = opened.and_then(|(_, record)| alert_id(&space, &check.id, record));
    let told = judged.iter().position(|(status, _)| status.raw == raw);
    let (status, vantage) = judged.swap_remove(told.unwrap_or(0));
    let record = vantage.record;
    CheckView {
        check: check.clone(),
        status,
        alert,
        summary: record
            .map(|record| record.summary.clone())
            .unwrap_or_default(),
        detail: record
            .map(|record| record.detail.clone())
            .unwrap_or_default(),
        flapping: record.is_some_and(|record| record.flapping),
        last_ok: record.and_then(|record| record.last_ok),
        history: record
            .map(|record| record.history.clone())
            .unwrap_or_default(),
        vantages,
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
