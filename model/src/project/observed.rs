//! Checks about a System that the agents of others look at, and those of a System about others.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::SpaceId;

use super::alerts::Found;
use super::own::Next;
use super::together::Past;
use super::vantage::{Looking, Vantage, check_view};
use super::{Link, Seen};
use crate::check::Check;
use crate::id::CheckId;
use crate::observer::{
    OBSERVED_CHECKS_MAX, ObserverView, OtherCheck, SeenFrom, Standing, observed_check,
};
use crate::severity::Severity;
use crate::status::{CheckStatus, agreed};
use crate::system::System;
use crate::workspace::OpenSpace;

/// A check about a System, with all who look.
pub(super) struct Observed<'a> {
    /// As people see it there.
    pub(super) check: Check,
    /// As each observer has it.
    pub(super) lookings: Vec<Looking<'a>>,
}

impl<'a> Seen<'a> {
    pub(super) fn system_of(&self, space: &SpaceId) -> Option<&'a System> {
        self.workspace.spaces.get(space).and_then(OpenSpace::system)
    }

    /// What a System is called by itself.
    fn called(space: &SpaceId, system: &System) -> String {
        match system.title.as_str() {
            "" => space.short(),
            title => title.to_owned(),
        }
    }

    /// All checks of a System with the id of each: its own first, then what its machines add.
    pub(super) fn all_checks(&self, system: &'a System) -> BTreeMap<CheckId, &'a Check> {
        let mut checks: BTreeMap<_, _> = system.checks.iter().map(|(id, it)| (*id, it)).collect();
        for (agent, link) in &system.agents {
            let journal = self.view.journals.get(&(*agent, link.author));
            for (id, check) in journal.iter().flat_map(|journal| &journal.declared) {
                checks.entry(*id).or_insert(check);
            }
        }
        checks
    }

    /// One of them.
    fn check_of(&self, system: &'a System, id: &CheckId) -> Option<&'a Check> {
        let declared = system.agents.iter().find_map(|(agent, link)| {
            let journal = self.view.journals.get(&(*agent, link.author))?;
            journal.declared.get(id)
        });
        system.checks.get(id).or(declared)
    }

    /// Whom a System lets look and who can be read here.
    pub(super) fn observers(
        &self,
        space: SpaceId,
        system: &'a System,
    ) -> impl Iterator<Item = (SpaceId, &'a System)> {
        let let_look = system.observers.keys().filter(move |it| **it != space);
        let readable = let_look.filter_map(|it| Some((*it, self.system_of(it)?)));
        readable.collect::<Vec<_>>().into_iter()
    }

    /// The checks of an observer that are about a System.
    pub(super) fn checks_about(
        &self,
        space: SpaceId,
        observer: &'a System,
    ) -> BTreeMap<CheckId, &'a Check> {
        // Not out of all its checks: one observer may look at hundreds, each of which asks this.
        let is_about = |check: &Check| check.about_system == Some(space);
        let own = observer.checks.iter().filter(|(_, it)| is_about(it));
        let mut checks: BTreeMap<_, _> = own.map(|(id, it)| (*id, it)).collect();
        for (agent, link) in &observer.agents {
            let journal = self.view.journals.get(&(*agent, link.author));
            let declared = journal.into_iter().flat_map(|it| &it.declared);
            for (id, check) in declared.filter(|(_, it)| is_about(it)) {
                // Whoever names an id first has it, also where that check is about something else.
                if self.check_of(observer, id).is_some_and(is_about) {
                    checks.entry(*id).or_insert(check);
                }
            }
        }
        checks
    }

    /// What the agents of others look at about a System, by name. Checks of several observers that
    /// have the same name are one check with more vantages.
    pub(super) fn observed(&self, space: SpaceId, system: &'a System) -> Vec<Observed<'a>> {
        let mut by_name: BTreeMap<&str, Vec<Looking<'a>>> = BTreeMap::new();
        for (observer, looks) in self.observers(space, system) {
            for check in self.checks_about(space, looks).into_values() {
                let is_full = by_name.len() >= OBSERVED_CHECKS_MAX;
                if is_full && !by_name.contains_key(check.name.as_str()) {
                    continue;
                }
                by_name.entry(&check.name).or_default().push(Looking {
                    system: looks,
                    check,
                    observer: Some(observer),
                });
            }
        }
        let together = |(name, mut lookings): (&str, Vec<Looking<'a>>)| {
            // What one observer turned off, others may still look at.
            if lookings.iter().any(|looking| looking.check.enabled) {
                lookings.retain(|looking| looking.check.enabled);
            }
            let first = lookings.first()?.check;
            // The fewest who must agree: who forgot to ask for more mutes nobody else's alarm.
            let quorum = lookings.iter().filter_map(|it| it.check.quorum).min();
            Some(Observed {
                check: Check {
                    id: observed_check(&space, name),
                    quorum,
                    about_system: None,
                    about: None,
                    ..first.clone()
                },
                lookings,
            })
        };
        by_name.into_iter().filter_map(together).collect()
    }

    /// The checks of a System that are about others. They count there, and not here.
    pub(super) fn for_others(
        &self,
        space: SpaceId,
        (system, checks): (&'a System, &BTreeMap<CheckId, &'a Check>),
        next: &mut Next,
    ) -> Vec<OtherCheck> {
        let others = checks.values();
        let others = others.filter_map(|check| Some((*check, check.is_about_other(&space)?)));
        let mut views: Vec<_> = others
            .map(|(check, about)| {
                let looking = Looking {
                    system,
                    check,
                    observer: None,
                };
                let judged = self.judged(&[looking], next);
                let (_, told) = agreement(check, &judged);
                let other = self.system_of(&about);
                let past = Past::of(check, (&judged, told), &[]);
                let found = (&Found::default(), Vec::new(), &[][..]);
                OtherCheck {
                    view: check_view(check, judged, told, found, past),
                    system: about,
                    title: match (other, &check.about) {
                        (Some(other), _) => Self::called(&about, other),
                        (None, Some(label)) => label.clone(),
                        (None, None) => about.short(),
                    },
                    standing: match other {
                        Some(other) if other.observers.contains_key(&space) => Standing::Counts,
                        Some(_) => Standing::NotLet,
                        None => Standing::NotShared,
                    },
                }
            })
            .collect();
        views.sort_by(|a, b| {
            let worst = b.view.status.raw.cmp(&a.view.status.raw);
            let name = |it: &OtherCheck| (it.view.check.name.clone(), it.view.check.id);
            worst.then_with(|| name(a).cmp(&name(b)))
        });
        views
    }

    /// Who is let look at a System, as far as it can be seen here.
    pub(super) fn observer_views(&self, space: SpaceId, system: &'a System) -> Vec<ObserverView> {
        let let_look = system.observers.iter().filter(|(it, _)| **it != space);
        let mut views: Vec<_> = let_look
            .map(|(it, observer)| match self.system_of(it) {
                Some(looks) => ObserverView {
                    space: *it,
                    label: Self::called(it, looks),
                    checks: Some(self.checks_about(space, looks).len()),
                },
                None => ObserverView {
                    space: *it,
                    label: match observer.label.as_str() {
                        "" => it.short(),
                        label => label.to_owned(),
                    },
                    checks: None,
                },
            })
            .collect();
        views.sort_by(|a, b| (&a.label, a.space).cmp(&(&b.label, b.space)));
        views
    }

    /// From where each vantage of a check looks.
    pub(super) fn seen_from(&self, judged: &[(CheckStatus, Vantage<'_>)]) -> Vec<SeenFrom> {
        let seen = judged.iter().filter_map(|(status, vantage)| {
            let system = vantage.observer?;
            let looks = self.system_of(&system)?;
            Some(SeenFrom {
                system,
                title: Self::called(&system, looks),
                agent: vantage.agent,
                label: vantage.machine().unwrap_or_default(),
                check: vantage.check.map(|check| check.id).unwrap_or_default(),
                severity: status.raw,
            })
        });
        seen.collect()
    }

    /// The journals that say how a System is, and the Systems whose documents do.
    pub(super) fn looked_at_by(
        &self,
        space: SpaceId,
        system: &'a System,
    ) -> (BTreeSet<Link>, BTreeSet<SpaceId>) {
        let link = |(agent, link): (&SpaceId, &crate::system::AgentRef)| (*agent, link.author);
        let mut links: BTreeSet<Link> = system.agents.iter().map(link).collect();
        // What removed agents wrote stays readable.
        let removed = system.removed_agents();
        links.extend(removed.map(|(agent, link, _)| (agent, link.author)));
        let mut beside: BTreeSet<SpaceId> = system.observers.keys().copied().collect();
        // What its own machines add; at what else an observer looks is nothing to this System.
        let declared = links.iter().filter_map(|link| self.view.journals.get(link));
        let declared = declared.flat_map(|journal| journal.declared.values());
        let checks = system.checks.values().chain(declared);
        beside.extend(checks.filter_map(|check| check.about_system));
        beside.remove(&space);
        for (_, looks) in self.observers(space, system) {
            links.extend(looks.agents.iter().map(link));
        }
        (links, beside)
    }
}

/// What vantages agree on, and which of them tells it.
pub(super) fn agreement(check: &Check, judged: &[(CheckStatus, Vantage<'_>)]) -> (Severity, usize) {
    let seen: Vec<_> = judged.iter().map(|(status, _)| status.raw).collect();
    let raw = agreed(&seen, check.quorum.unwrap_or(1)).unwrap_or_default();
    let told = seen.iter().position(|state| *state == raw).unwrap_or(0);
    (raw, told)
}
