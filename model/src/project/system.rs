//! One System as people see it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::Seen;
use super::gone::machine;
use super::notes::note_views;
use super::own::Own;
use crate::alert::agent_check;
use crate::graph::Edge;
use crate::id::CheckId;
use crate::journal::Journal;
use crate::severity::Severity;
use crate::snapshot::{
    Access, AgentView, Cause, FormerCheck, Observed, PartView, Rank, StatusView, SystemView,
};
use crate::status::{AgentLife, agent_life};
use crate::system::{AgentRef, System};
use crate::workspace::OpenSpace;

impl Seen<'_> {
    fn title(&self, space: &SpaceId) -> String {
        let own = self.view.own.get(space);
        own.map_or_else(|| space.short(), |own| own.title.clone())
    }

    pub(super) fn system_view(
        &self,
        (space, system): (SpaceId, &System),
        open: &OpenSpace,
        own: &Own,
        parts: Vec<PartView>,
    ) -> SystemView {
        let sum = self.view.sums.get(&space).cloned().unwrap_or_default();
        let is_anchor = system.pinned || self.view.tops.contains(&space);
        let aggregates = self
            .view
            .graph
            .aggregates(&space)
            .filter(|aggregate| *aggregate != space);
        let mut aggregates: Vec<_> = aggregates
            .map(|aggregate| (aggregate, self.title(&aggregate)))
            .collect();
        aggregates.sort_by(|a, b| (&a.1, a.0).cmp(&(&b.1, b.0)));
        let mut rules: Vec<_> = items(&system.rules);
        rules.sort_by_key(|(id, rule)| (rule.touch, *id));
        SystemView {
            space,
            title: self.title(&space),
            category: system.category.clone(),
            purpose: system.purpose.clone(),
            rank: if is_anchor { Rank::Anchor } else { Rank::Below },
            status: self.status_view(space),
            counts: sum.counts(),
            unreadable_parts: sum.unreadable,
            aggregation: system.aggregation,
            parts,
            aggregates,
            rules,
            contacts: items(&system.contacts),
            dashboards: items(&system.dashboards),
            notes: note_views(open, system),
            history: sum.history(),
            checks: own.checks.clone(),
            former_checks: self.former_checks(system),
            for_others: own.for_others.clone(),
            observers: own.observers.clone(),
            alerts: self.view.alerts.get(&space).cloned().unwrap_or_default(),
            agents: self.agent_views(space, system),
            silences: items(&system.silences),
            maintenance: items(&system.maintenance),
            policy: system.policy.clone(),
            on_call: system.on_call.clone(),
            policy_unread: system.policy_unread.clone(),
            people: open.all_called(system),
            reasons: system.reasons.clone(),
            revoked: system.revoked.clone(),
            labels: system.labels.clone(),
            desired: Arc::clone(&system.desired),
            ignored: Arc::clone(&system.ignored),
            selector: system.selector.clone(),
            ended: self.ended(system),
            timeline: own.timeline.clone(),
            conflicts: system.conflicts.clone(),
        }
    }

    fn status_view(&self, space: SpaceId) -> StatusView {
        let raw = self.view.raw.of(&self.view.graph, &space);
        let effective = self.view.effective.of(&self.view.graph, &space);
        let path = self
            .view
            .raw
            .worst_path(&self.view.graph, &self.view.own_raw, space);
        let end = path.last().copied().unwrap_or(space);
        let mut named = self.named(&path);
        if raw == Some(Severity::Missing) && self.is_hidden_alone(&end) {
            let hidden = self.view.own.get(&end).into_iter();
            let hidden = hidden.flat_map(|own| &own.observers);
            let hidden = hidden.filter(|it| it.checks.is_none());
            named.extend(hidden.take(1).map(|it| (it.space, it.label.clone())));
        }
        let is_ok = raw == Some(Severity::Ok);
        let cause = self.view.own.get(&end).filter(|_| !is_ok).and_then(cause);
        let (cause, since) = cause.unzip();
        let ok_since = || {
            let own = self.view.own.get(&space)?.checks.as_slice();
            // When a part recovered, or a check in trouble was turned off, is not known here.
            let is_plain = self.view.graph.rolled_edges(&space).next().is_none();
            let mut off = own.iter().filter(|view| !view.check.enabled);
            let is_whole = off.all(|view| view.status.raw.is_ok());
            let running = own.iter().filter(|view| view.check.enabled);
            let last = running.filter_map(|view| view.status.since).max();
            last.filter(|_| is_plain && is_whole)
        };
        StatusView {
            own: self.view.own_raw.get(&space).copied(),
            raw: raw.unwrap_or(Severity::Missing),
            effective: effective.unwrap_or(Severity::Missing),
            observed: if raw.is_some() {
                Observed::Yes
            } else {
                Observed::No
            },
            since: if is_ok { ok_since() } else { since.flatten() },
            as_of: self.view.told.get(&space).copied(),
            worst_path: named,
            cause,
        }
    }

    /// Whether nothing of a System that can be read here is in trouble.
    fn is_hidden_alone(&self, space: &SpaceId) -> bool {
        self.view.own.get(space).and_then(cause).is_none()
    }

    /// Titles along a way; what cannot be read has the label of the one before.
    fn named(&self, path: &[SpaceId]) -> Vec<(SpaceId, String)> {
        let mut named = Vec::new();
        let mut before: Option<SpaceId> = None;
        for space in path {
            let label = before.and_then(|before| {
                let mut edges = self.view.graph.edges(&before);
                edges
                    .find(|edge| edge.part == *space)
                    .map(|edge| edge.label.clone())
            });
            let label = label.filter(|label| !label.is_empty() && !self.view.graph.is_known(space));
            named.push((*space, label.unwrap_or_else(|| self.title(space))));
            before = Some(*space);
        }
        named
    }

    /// A System's parts and what it uses, worst first.
    pub(super) fn part_views(&self, space: SpaceId) -> Vec<PartView> {
        let edges = self.view.graph.edges(&space);
        let mut parts: Vec<_> = edges.map(|edge| self.part_view(edge)).collect();
        worst_first(&mut parts);
        parts
    }

    /// The same after some Systems changed and no edge did.
    pub(super) fn parts_after(
        &self,
        space: &SpaceId,
        before: &[PartView],
        changed: &BTreeSet<SpaceId>,
    ) -> Vec<PartView> {
        let kept = before.iter().filter(|part| !changed.contains(&part.space));
        let mut parts: Vec<_> = kept.cloned().collect();
        if parts.len() == before.len() {
            return parts;
        }
        let edges = self.view.graph.edges(space);
        let fresh = edges.filter(|edge| changed.contains(&edge.part));
        parts.extend(fresh.map(|edge| self.part_view(edge)));
        worst_first(&mut parts);
        parts
    }

    fn part_view(&self, edge: &Edge) -> PartView {
        let is_known = self.view.graph.is_known(&edge.part);
        let hidden = || match edge.label.as_str() {
            "" => edge.part.short(),
            label => label.to_owned(),
        };
        PartView {
            space: edge.part,
            label: if is_known {
                self.title(&edge.part)
            } else {
                hidden()
            },
            relation: edge.relation,
            access: if is_known {
                Access::Readable
            } else {
                Access::NotShared
            },
            raw: self.view.raw.through(&self.view.graph, edge),
            effective: self.view.effective.through(&self.view.graph, edge),
            overrides: edge.overrides,
        }
    }

    /// The moment at which what an agent said last is judged.
    pub(super) fn as_of(&self, open: &OpenSpace, journal: &Journal) -> Option<Timestamp> {
        let sign = open.beats.at.max(journal.last_at);
        open.hearing
            .as_of((sign, open.beats.at.is_some()), self.now)
    }

    fn agent_views(&self, space: SpaceId, system: &System) -> Vec<AgentView> {
        let view = |(agent, link): (&SpaceId, &AgentRef)| {
            let open = self.workspace.spaces.get(agent);
            let journal = self.view.journals.get(&(*agent, link.author));
            let started = journal.and_then(|journal| journal.started.as_ref());
            let host = started.map(|started| started.host.clone());
            let label = Some(link.label.clone()).filter(|label| !label.is_empty());
            let as_of = open
                .zip(journal)
                .and_then(|(open, journal)| self.as_of(open, journal));
            let life = open
                .zip(journal)
                .map(|(open, journal)| agent_life(journal, &open.beats, as_of.unwrap_or(self.now)));
            AgentView {
                space: *agent,
                label: label.or(host).unwrap_or_else(|| agent.short()),
                access: if open.is_some() {
                    Access::Readable
                } else {
                    Access::NotShared
                },
                life: life.unwrap_or(AgentLife::Unseen),
                presence: system.presence_of(agent),
                as_of: as_of.filter(|at| *at < self.now),
                seen: open
                    .and_then(|open| open.beats.last())
                    .max(journal.and_then(|journal| journal.last_at)),
                generation: open
                    .and_then(|open| open.beats.generation)
                    .or_else(|| journal.and_then(|journal| journal.generation)),
                version: started.map(|started| started.version.clone()),
                heard: open
                    .and_then(|open| open.beats.last())
                    .max(journal.and_then(|journal| journal.last_at.filter(|at| *at <= self.now))),
                services: journal
                    .map(|journal| journal.services.values().cloned().collect())
                    .unwrap_or_default(),
                desired: journal
                    .map(|journal| journal.desired.values().cloned().collect())
                    .unwrap_or_default(),
                failing: journal.map_or(0, |journal| failing(space, system, journal)),
                back: open.and_then(|open| open.beats.gaps.last_back()),
                former: journal
                    .map(|journal| journal.former.values().map(|it| &it.check))
                    .map(|checks| checks.map(|it| (it.id, it.name.clone())).collect())
                    .unwrap_or_default(),
            }
        };
        system.agents.iter().map(view).collect()
    }
}

impl Seen<'_> {
    /// What nobody looks at any more: checks of the System, and removed agents with those that only they had.
    fn former_checks(&self, system: &System) -> Vec<FormerCheck> {
        let removed = system.lives.checks.iter();
        let removed = removed.map(|(id, check, removed)| FormerCheck {
            id: *id,
            name: check.name.clone(),
            machine: None,
            is_agent: false,
            removed: *removed,
        });
        let mut former: Vec<_> = removed.collect();
        for (agent, link, taken) in system.removed_agents() {
            let label = machine(&agent, link);
            former.push(FormerCheck {
                id: agent_check(&agent),
                name: label.clone(),
                machine: None,
                is_agent: true,
                removed: taken.at,
            });
            let journal = self.view.journals.get(&(agent, link.author));
            let own = journal.into_iter().flat_map(Journal::had);
            former.extend(own.map(|(id, check)| FormerCheck {
                id: *id,
                name: check.name.clone(),
                machine: Some(label.clone()),
                is_agent: false,
                removed: taken.at,
            }));
        }
        former
    }
}

/// What makes a System by itself as bad as it is, and since when that is so.
fn cause(own: &Own) -> Option<(Cause, Option<Timestamp>)> {
    let mut running = own.checks.iter().filter(|view| view.check.enabled);
    // Checks are sorted: the first that is not OK is the worst, and never better than an agent that is missed.
    let check = running.find(|view| !view.worst().is_ok()).map(|view| {
        let cause = Cause {
            check: view.called().into_owned(),
            severity: view.worst(),
            summary: view.summary.clone(),
            is_agent: false,
            heard: view.stands.and(view.status.seen),
        };
        (cause, view.worst_since())
    });
    check.or_else(|| {
        let alert = own.missed_agents().next()?;
        let cause = Cause {
            check: alert.name.clone(),
            severity: alert.severity,
            summary: String::new(),
            is_agent: true,
            heard: None,
        };
        Some((cause, alert.seen.or(Some(alert.opened))))
    })
}

fn worst_first(parts: &mut [PartView]) {
    parts.sort_by(|a, b| {
        let worst = b.effective.cmp(&a.effective);
        worst.then_with(|| (&a.label, a.space).cmp(&(&b.label, b.space)))
    });
}

fn items<K: Copy, V: Clone>(map: &BTreeMap<K, V>) -> Vec<(K, V)> {
    map.iter()
        .map(|(key, value)| (*key, value.clone()))
        .collect()
}

/// How many checks that are looked at an agent last told not to be OK.
fn failing(space: SpaceId, system: &System, journal: &Journal) -> u32 {
    let is_looked_at = |id: &CheckId| {
        let check = system.checks.get(id).or_else(|| journal.declared.get(id));
        check.is_some_and(|check| check.enabled && check.is_about_other(&space).is_none())
    };
    let checks = journal.checks.iter();
    let failing = checks.filter(|(id, it)| it.hard > Severity::Missing && is_looked_at(id));
    u32::try_from(failing.count()).unwrap_or(u32::MAX)
}
