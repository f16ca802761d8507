//! What a System's own documents and its agents' journals say at a moment, and until when.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::Seen;
use super::alerts::Looked;
use super::back::TimelineReach;
use super::care::Care;
use super::gone::{Gone, machine};
use super::observed::agreement;
use super::quiet::Quieted;
use super::silent::Silent;
use super::sum::Sum;
use super::together::Past;
use super::vantage::{Looking, check_view};
use crate::alert::{Alert, AlertKind, RESOLVED_DAYS};
use crate::beats::Beats;
use crate::check::Check;
use crate::hearing::Hearing;
use crate::heartbeat::HEARTBEAT_STALE_MS;
use crate::id::CheckId;
use crate::journal::Journal;
use crate::observer::{ObserverView, OtherCheck};
use crate::presence::Presence;
use crate::severity::Severity;
use crate::snapshot::{CheckView, TimelineItem};
use crate::status::agent_life;
use crate::system::{AgentRef, System};

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// A System by itself, without its parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    pub(super) title: String,
    pub(super) checks: Vec<CheckView>,
    pub(super) for_others: Vec<OtherCheck>,
    pub(super) observers: Vec<ObserverView>,
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
    /// How bad it is by itself; none when nothing of it is observed.
    pub(super) fn raw(&self) -> Option<Severity> {
        self.worst(CheckView::worst, |agent| agent.severity)
    }

    /// The same after what people said.
    pub(super) fn effective(&self) -> Option<Severity> {
        self.worst(CheckView::worst_effective, |agent| agent.effective)
    }

    /// The worst state of the checks that run, and of its agents that are missed: those are there for actions and
    /// services too. What is seen by whom cannot be read here is not known.
    fn worst(
        &self,
        of_check: fn(&CheckView) -> Severity,
        of_agent: fn(&Alert) -> Severity,
    ) -> Option<Severity> {
        let running = self.checks.iter().filter(|view| view.check.enabled);
        let hidden = self.observers.iter().filter(|it| it.checks.is_none());
        running
            .map(of_check)
            .chain(self.missed_agents().map(of_agent))
            .chain(hidden.map(|_| Severity::Missing))
            .max()
    }

    /// That its agents are not heard, though they are expected to be.
    pub(super) fn missed_agents(&self) -> impl Iterator<Item = &Alert> {
        let open = self.alerts.iter().filter(|alert| alert.is_open());
        open.filter(|alert| matches!(alert.kind, AlertKind::Silent { .. }))
    }

    /// Whether whoever contains or uses it shows something else after this became `now`: its
    /// name, its sums, the check that may be their cause, or the alert that may suppress theirs.
    pub(super) fn shows_above(&self, now: &Self) -> bool {
        let check = |view: &CheckView| {
            let status = (view.status.raw, view.status.effective, view.status.since);
            (view.check.enabled, status, view.stands)
        };
        let words = |a: &CheckView, b: &CheckView| {
            a.check.name == b.check.name
                && a.machine == b.machine
                && a.summary == b.summary
                && check(a) == check(b)
        };
        let alert = |alert: &Alert| (alert.id, alert.is_open(), alert.severity);
        let is_same = self.title == now.title
            && self.share == now.share
            && self.as_of == now.as_of
            && self.observers == now.observers
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
        let found = self.checks(space, system, (&title, &care), &mut next);
        let Checks {
            views: checks,
            for_others,
            alerts,
            as_of,
        } = found;
        care.deadlines().for_each(|at| next.consider(at));
        let quieted = Quieted {
            system,
            open,
            checks: &checks,
            alerts: &alerts,
            now: self.now,
        };
        let deadlines = quieted.deadlines().into_iter();
        deadlines.for_each(|at| next.consider(at));
        Own {
            title,
            share: Sum::of(&checks, self.now),
            timeline: self.timeline(space, &quieted, TimelineReach::NEWEST),
            checks,
            for_others,
            observers: self.observer_views(space, system),
            alerts,
            as_of,
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
            if let Some(at) = self.view.early.get(&(*agent, link.author)) {
                next.consider(*at);
            }
            let open = self.workspace.spaces.get(agent);
            let beats = open.map(|open| &open.beats);
            let hearing = open.map(|open| &open.hearing);
            for at in hearing.into_iter().flat_map(Hearing::settles_at).flatten() {
                next.consider(at);
            }
            // A moment later it tells of an earlier one.
            next.old(hearing.and_then(Hearing::until), 0);
            let told = journal.and_then(|journal| journal.last_at);
            let stopped = journal.and_then(|journal| journal.stopped_at);
            for sign in [told, stopped, beats.and_then(Beats::last)] {
                next.old(sign, HEARTBEAT_STALE_MS);
            }
        }
    }

    /// The agents that are not heard, though they were before and are expected to be.
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

    /// Its checks and those that it looks at for others, worst first, and its alerts.
    fn checks(
        &self,
        space: SpaceId,
        system: &System,
        (title, care): (&str, &Care<'_>),
        next: &mut Next,
    ) -> Checks {
        self.ages(system, next);
        let silent = self.silent(space, system);
        let all = self.all_checks(system);
        let mut found = Checks {
            for_others: self.for_others(space, (system, &all), next),
            as_of: self.heard(system),
            ..Checks::default()
        };
        let place = Place {
            space,
            title,
            care,
            silent: &silent,
            beside: &[],
        };
        let is_own = |check: &&&Check| check.is_about_other(&space).is_none();
        for check in all.values().filter(is_own) {
            let looking = Looking {
                system,
                check,
                observer: None,
            };
            self.look(check, &[looking], place, &mut found, next);
        }
        for (id, check, removed) in &system.lives.checks {
            // Its machine's own file may have it under the same id.
            if !all.contains_key(id) && check.is_about_other(&space).is_none() {
                let gone = self.told_until(system, (id, *removed));
                self.over(check, &gone, place, &mut found, next);
            }
        }
        self.of_gone_machines(system, &all, place, &mut found, next);
        self.of_machines_before(system, &all, place, &mut found, next);
        self.observed_checks(space, system, (title, care), &mut found, next);
        // Whatever it looks at: actions and services of its machine are not there either.
        let alerts = silent.iter().map(|silent| silent.alert(space, title, care));
        found.alerts.extend(alerts);
        let unnamed = found
            .views
            .iter_mut()
            .filter(|it| it.check.runbook.is_none());
        for view in unnamed {
            view.check.runbook = runbook_of(system, &view.check.name);
        }
        found.views.sort_by(|a, b| {
            let worst = b.worst().cmp(&a.worst());
            worst.then_with(|| (&a.check.name, a.check.id).cmp(&(&b.check.name, b.check.id)))
        });
        found.alerts.sort_by_cached_key(Alert::order);
        found
    }

    /// Adds the checks about it at which the agents of others look.
    fn observed_checks(
        &self,
        space: SpaceId,
        system: &System,
        (title, care): (&str, &Care<'_>),
        found: &mut Checks,
        next: &mut Next,
    ) {
        let observed = self.observed(space, system);
        let looks = observed.iter().flat_map(|it| &it.lookings);
        let observers: BTreeMap<SpaceId, &System> = looks
            .filter_map(|looking| Some((looking.observer?, looking.system)))
            .collect();
        let (mut silent, mut beside) = (Vec::new(), Vec::new());
        for (observer, looks) in &observers {
            self.ages(looks, next);
            found.as_of = found.as_of.into_iter().chain(self.heard(looks)).min();
            let unheard = self.silent(*observer, looks);
            if let (false, Some(open)) = (unheard.is_empty(), self.workspace.spaces.get(observer)) {
                let care = Care::new(looks, open, self.now);
                care.deadlines().for_each(|at| next.consider(at));
                beside.push(care);
            }
            silent.extend(unheard);
        }
        let place = Place {
            space,
            title,
            care,
            silent: &silent,
            beside: &beside,
        };
        for it in &observed {
            self.look(&it.check, &it.lookings, place, found, next);
        }
    }

    /// Adds the problems of what machines alone had whose agents were removed: they were over then. Each names its
    /// machine, however many are left.
    fn of_gone_machines(
        &self,
        system: &System,
        all: &BTreeMap<CheckId, &Check>,
        place: Place<'_>,
        checks: &mut Checks,
        next: &mut Next,
    ) {
        for (agent, link, _) in system.removed_agents() {
            let journal = self.view.journals.get(&(agent, link.author));
            let own = journal.into_iter().flat_map(Journal::had);
            for (id, check) in own.filter(|it| is_former(system, all, place.space, *it)) {
                let before = checks.alerts.len();
                self.over(check, &self.gone(system, id), place, checks, next);
                let found = checks.alerts.iter_mut().skip(before);
                found.for_each(|alert| alert.machine = Some(machine(&agent, link)));
            }
        }
    }

    /// Adds the problems of what machines had in their own files, or were sent, and look at no more: they were over
    /// then.
    fn of_machines_before(
        &self,
        system: &System,
        all: &BTreeMap<CheckId, &Check>,
        place: Place<'_>,
        checks: &mut Checks,
        next: &mut Next,
    ) {
        let known = Duration::from_hours(24 * u64::from(RESOLVED_DAYS));
        for (agent, link) in &system.agents {
            let journal = self.view.journals.get(&(*agent, link.author));
            let former = journal.into_iter().flat_map(|it| &it.former);
            let former = former.filter(|(_, it)| self.now < it.since.plus(known));
            for (id, before) in former {
                if !is_former(system, all, place.space, (id, &before.check)) {
                    continue;
                }
                let first = checks.alerts.len();
                let gone = self.before(agent, link, (id, before.since));
                self.over(&before.check, gone.as_slice(), place, checks, next);
                let found = checks.alerts.iter_mut().skip(first);
                let beside = system.agents.len() > 1;
                found.for_each(|alert| alert.machine = beside.then(|| machine(agent, link)));
            }
        }
    }

    /// Adds the problems of a check that was removed: they were over then.
    fn over(
        &self,
        check: &Check,
        gone: &[Gone<'_>],
        place: Place<'_>,
        checks: &mut Checks,
        next: &mut Next,
    ) {
        if gone.is_empty() {
            return;
        }
        let looked = Looked {
            space: place.space,
            title: place.title,
            check,
            raw: Severity::Ok,
            judged: &[],
            told: 0,
            silent: &[],
            seen_from: &[],
            beside: &[],
            gone,
            past: &Past::only(gone),
            now: self.now,
        };
        checks
            .alerts
            .append(&mut looked.alerts(place.care, next).alerts);
    }

    /// Adds a check with what all who look see of it.
    fn look(
        &self,
        check: &Check,
        lookings: &[Looking<'_>],
        place: Place<'_>,
        checks: &mut Checks,
        next: &mut Next,
    ) {
        let judged = self.judged(lookings, next);
        let (raw, told) = agreement(check, &judged);
        let seen_from = self.seen_from(&judged);
        let of = |looking: &Looking<'_>| self.gone(looking.system, &looking.check.id);
        let gone: Vec<_> = lookings.iter().flat_map(of).collect();
        let past = Past::of(check, (&judged, told), &gone);
        let looked = Looked {
            space: place.space,
            title: place.title,
            check,
            raw,
            judged: &judged,
            told,
            silent: place.silent,
            seen_from: &seen_from,
            beside: place.beside,
            gone: &gone,
            past: &past,
            now: self.now,
        };
        let mut found = looked.alerts(place.care, next);
        checks.alerts.append(&mut found.alerts);
        let found = (&found, seen_from, gone.as_slice());
        checks
            .views
            .push(check_view(check, judged, told, found, past));
    }
}

/// The checks of a System and what follows from them.
#[derive(Default)]
struct Checks {
    views: Vec<CheckView>,
    for_others: Vec<OtherCheck>,
    alerts: Vec<Alert>,
    /// Up to when all agents that look would have been heard, if one is not heard now.
    as_of: Option<Timestamp>,
}

/// Where checks count.
#[derive(Clone, Copy)]
struct Place<'a> {
    space: SpaceId,
    title: &'a str,
    care: &'a Care<'a>,
    /// Agents that look and are not heard.
    silent: &'a [Silent],
    /// What the people of observers said, whose agents are not heard.
    beside: &'a [Care<'a>],
}

/// Whether nobody looks any more at what a machine alone had, and it is no check that was removed from its System.
fn is_former(
    system: &System,
    all: &BTreeMap<CheckId, &Check>,
    space: SpaceId,
    (id, check): (&CheckId, &Check),
) -> bool {
    let mut removed = system.lives.checks.iter();
    let is_here = all.contains_key(id) || removed.any(|(known, _, _)| known == id);
    !is_here && check.is_about_other(&space).is_none()
}

/// What the family of alerts of this name has as its runbook: such alerts become checks of that name.
fn runbook_of(system: &System, name: &str) -> Option<String> {
    let family = system.families.get(name)?;
    (!family.runbook.is_empty()).then(|| family.runbook.clone())
}
