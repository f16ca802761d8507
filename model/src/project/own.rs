//! What a System's own documents and its agents' journals say at a moment, and until when.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::Seen;
use super::alerts::{Looked, Silent};
use super::care::Care;
use super::sum::Sum;
use super::vantage::check_view;
use crate::alert::Alert;
use crate::hearing::Hearing;
use crate::heartbeat::HEARTBEAT_STALE_MS;
use crate::presence::Presence;
use crate::severity::Severity;
use crate::snapshot::{CheckView, TimelineItem};
use crate::status::{agent_life, agreed};
use crate::system::{AgentRef, System};

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// A System by itself, without its parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    pub(super) title: String,
    pub(super) checks: Vec<CheckView>,
    pub(super) alerts: Vec<Alert>,
    pub(super) timeline: Vec<Arc<TimelineItem>>,
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

    /// Whether whoever contains or uses it shows something else after this became `now`: its
    /// name, its sums, the check that may be their cause, or the alert that may suppress theirs.
    pub(super) fn shows_above(&self, now: &Self) -> bool {
        let check = |view: &CheckView| {
            let status = (view.status.raw, view.status.effective, view.status.since);
            (view.check.enabled, status)
        };
        let words = |a: &CheckView, b: &CheckView| {
            a.check.name == b.check.name && a.summary == b.summary && check(a) == check(b)
        };
        let alert = |alert: &Alert| (alert.id, alert.is_open(), alert.severity);
        let is_same = self.title == now.title
            && self.share == now.share
            && self.as_of == now.as_of
            && self.checks.len() == now.checks.len()
            && self
                .checks
                .iter()
                .zip(&now.checks)
                .all(|(a, b)| words(a, b))
            && self
                .alerts
                .iter()
                .map(alert)
                .eq(now.alerts.iter().map(alert));
        !is_same
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

    /// When what agents said gets old.
    fn ages(&self, system: &System, next: &mut Next) {
        for (agent, link) in &system.agents {
            let journal = self.view.journals.get(&(*agent, link.author));
            let open = self.workspace.spaces.get(agent);
            let beats = open.map(|open| &open.beats);
            let hearing = open.map(|open| open.hearing);
            for at in hearing.into_iter().flat_map(Hearing::settles_at).flatten() {
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
            if system.presence_of(agent) == Presence::MayBeOffline {
                return None;
            }
            let (open, journal) = self.agent(agent, link)?;
            let as_of = self.as_of(open, journal)?;
            let life = agent_life(journal, &open.beats, as_of);
            let place = (space, *agent);
            Silent::of(
                place,
                &link.label,
                journal,
                &open.beats,
                (life, as_of, open.hearing.sure_from(self.now)),
            )
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
}
