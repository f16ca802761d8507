//! What a System's own documents and its agents' journals say at a moment, and until when.

use std::collections::BTreeMap;
use std::time::Duration;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::Seen;
use super::alerts::{Looked, Silent};
use super::care::Care;
use super::system::history;
use crate::alert::Alert;
use crate::hearing::Hearing;
use crate::heartbeat::{CheckBeat, HEARTBEAT_STALE_MS};
use crate::journal::{CheckRecord, Journal};
use crate::severity::{Severity, SeverityCounts};
use crate::snapshot::{CheckView, HISTORY_DAYS, TimelineItem};
use crate::status::{AgentLife, CheckFacts, CheckStatus, agent_life, agreed, check_status};
use crate::system::{AgentRef, System};
use crate::workspace::OpenSpace;

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;
const SEVERITIES: usize = Severity::ALL.len();

/// A System by itself, without its parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    pub(super) title: String,
    pub(super) checks: Vec<CheckView>,
    pub(super) alerts: Vec<Alert>,
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
pub(super) struct Next {
    now: Timestamp,
    at: Option<Timestamp>,
}

impl Next {
    pub(super) fn consider(&mut self, at: Timestamp) {
        if at > self.now {
            self.at = Some(self.at.map_or(at, |next| next.min(at)));
        }
    }

    /// After this long without another sign something counts as old.
    pub(super) fn old(&mut self, last: Option<Timestamp>, after_ms: u64) {
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
        let title = if system.title.is_empty() {
            space.short()
        } else {
            system.title.clone()
        };
        let care = Care::new(system, open, self.now);
        let (checks, alerts) = self.checks(space, system, (&title, &care), &mut next);
        care.deadlines().for_each(|at| next.consider(at));
        Own {
            title,
            share: Sum::of(&checks, self.now),
            checks,
            alerts,
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
            let (open, journal) = self.agent(agent, link)?;
            let as_of = self.as_of(open, journal).unwrap_or(self.now);
            let beats = &open.beats;
            Some(Vantage {
                agent: Some(*agent),
                as_of: Some(as_of),
                life: agent_life(journal, beats, as_of),
                journal: Some(journal),
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

    fn agent(&self, agent: &SpaceId, link: &AgentRef) -> Option<(&OpenSpace, &Journal)> {
        let journal = self.view.journals.get(&(*agent, link.author))?;
        Some((self.workspace.spaces.get(agent)?, journal))
    }

    /// When what agents said gets old.
    fn ages(&self, system: &System, next: &mut Next) {
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
            let told = journal.and_then(|journal| journal.last_at);
            let stopped = journal.and_then(|journal| journal.stopped_at);
            for sign in [told, stopped, beats.and_then(|beats| beats.at)] {
                next.old(sign, HEARTBEAT_STALE_MS);
            }
        }
    }

    /// The agents that are not heard, if there is something at which they look.
    fn silent(&self, space: SpaceId, system: &System) -> Vec<Silent> {
        let silent = |(agent, link): (&SpaceId, &AgentRef)| {
            let (open, journal) = self.agent(agent, link)?;
            let as_of = self.as_of(open, journal)?;
            let life = agent_life(journal, &open.beats, as_of);
            let place = (space, *agent);
            Silent::of(place, &link.label, journal, &open.beats, (life, as_of))
        };
        system.agents.iter().filter_map(silent).collect()
    }

    /// Its checks, worst first, and its alerts.
    fn checks(
        &self,
        space: SpaceId,
        system: &System,
        (title, care): (&str, &Care<'_>),
        next: &mut Next,
    ) -> (Vec<CheckView>, Vec<Alert>) {
        self.ages(system, next);
        let silent = self.silent(space, system);
        // What the System sets comes first; what its machines add is named by their journals.
        let mut checks: BTreeMap<_, _> = system.checks.iter().collect();
        for (agent, link) in &system.agents {
            let journal = self.view.journals.get(&(*agent, link.author));
            for (id, check) in journal.iter().flat_map(|journal| &journal.declared) {
                checks.entry(id).or_insert(check);
            }
        }
        let (mut views, mut alerts) = (Vec::new(), Vec::new());
        let mut is_looked_at = false;
        for check in checks.into_values() {
            let judged = self.judged(system, check, next);
            let seen: Vec<_> = judged.iter().map(|(status, _)| status.raw).collect();
            let raw = agreed(&seen, check.quorum.unwrap_or(1)).unwrap_or_default();
            let looked = Looked {
                space,
                title,
                check,
                raw,
                judged: &judged,
                told: seen.iter().position(|state| *state == raw).unwrap_or(0),
                silent: &silent,
                now: self.now,
            };
            is_looked_at |= check.enabled;
            let mut found = looked.alerts(care, next);
            alerts.append(&mut found.alerts);
            let told = looked.told;
            views.push(check_view(check, judged, told, &found));
        }
        if is_looked_at {
            alerts.extend(silent.iter().map(|silent| silent.alert(space, title, care)));
        }
        views.sort_by(|a, b| {
            let worst = b.status.raw.cmp(&a.status.raw);
            worst.then_with(|| (&a.check.name, a.check.id).cmp(&(&b.check.name, b.check.id)))
        });
        alerts.sort_by_cached_key(Alert::order);
        (views, alerts)
    }

    /// How each vantage sees a check.
    fn judged<'a>(
        &'a self,
        system: &System,
        check: &crate::Check,
        next: &mut Next,
    ) -> Vec<(CheckStatus, Vantage<'a>)> {
        let judge = |vantage: Vantage<'a>| {
            let facts = CheckFacts {
                as_of: vantage.as_of.unwrap_or(self.now),
                check,
                record: vantage.record,
                beat: vantage.beat,
                life: vantage.life,
            };
            (check_status(&facts, self.now), vantage)
        };
        let vantages = self.vantages(system, check).into_iter();
        let judged: Vec<_> = vantages.map(judge).collect();
        for (_, vantage) in &judged {
            next.old(vantage.record.map(|record| record.last_at), check.ttl_ms());
            next.old(vantage.beat.map(|beat| beat.at), check.ttl_ms());
        }
        judged
    }
}

/// What one agent says of a check.
#[derive(Clone, Copy, Default)]
pub(super) struct Vantage<'a> {
    pub(super) agent: Option<SpaceId>,
    pub(super) as_of: Option<Timestamp>,
    pub(super) life: AgentLife,
    journal: Option<&'a Journal>,
    pub(super) record: Option<&'a CheckRecord>,
    pub(super) beat: Option<&'a CheckBeat>,
}

impl Vantage<'_> {
    /// Since when a first result is awaited, or the last sign before one.
    pub(super) fn begun(&self) -> Option<Timestamp> {
        let journal = self.journal?;
        let started = journal.started.as_ref().map(|started| started.at);
        let beat = self.beat.map(|beat| beat.at);
        started.max(journal.configured_at).max(beat)
    }
}

/// A check as several vantages see it together, told in the words of one that sees what is agreed.
fn check_view(
    check: &crate::Check,
    mut judged: Vec<(CheckStatus, Vantage<'_>)>,
    told: usize,
    found: &super::alerts::Found,
) -> CheckView {
    let vantages = match check.quorum {
        None => Vec::new(),
        Some(_) => judged
            .iter()
            .filter_map(|(status, vantage)| Some((vantage.agent?, status.raw)))
            .collect(),
    };
    let (mut status, vantage) = judged.swap_remove(told);
    status.handled = found.handled;
    if status.handled.is_some() {
        status.effective = Severity::Ok;
    }
    let record = vantage.record;
    CheckView {
        check: check.clone(),
        alert: found.open.filter(|_| !status.raw.is_ok()),
        status,
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
