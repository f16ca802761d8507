//! Derives a [`Snapshot`] from all documents and a clock: same facts, same snapshot.

mod system;
mod timeline;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use aramaki_sync_core::{SpaceId, Timestamp};

use self::timeline::{journal_entries, newest_first, timeline_entries};
use crate::entry::{Acknowledgement, TimelineEntry};
use crate::finding::{Finding, Reason};
use crate::graph::Graph;
use crate::id::CheckId;
use crate::journal::{CheckRecord, Journal};
use crate::name;
use crate::rollup::{RolledUp, roll_up};
use crate::severity::Severity;
use crate::snapshot::{CategoryView, CheckView, Journals, Rank, Snapshot};
use crate::status::{AgentLife, CheckFacts, agent_life, alert_id, check_status};
use crate::system::System;
use crate::workspace::{Content, Workspace};

impl Workspace {
    /// Everything that can be seen here at this moment.
    ///
    /// Walks all documents' read values once: meant for a thread that is not the window's, when
    /// [`Workspace::version`] or the minute changed.
    pub fn view(&self, now: Timestamp) -> Snapshot {
        Projection::new(self, now).snapshot()
    }
}

/// What is derived on the way to a snapshot.
struct Projection<'a> {
    workspace: &'a Workspace,
    now: Timestamp,
    systems: BTreeMap<SpaceId, &'a System>,
    graph: Graph,
    journals: Journals,
    checks: BTreeMap<SpaceId, Vec<CheckView>>,
    own_raw: BTreeMap<SpaceId, Severity>,
    raw: RolledUp,
    effective: RolledUp,
}

impl<'a> Projection<'a> {
    fn new(workspace: &'a Workspace, now: Timestamp) -> Self {
        let mut systems = BTreeMap::new();
        let mut graph = Graph::default();
        let mut journals = Journals::new();
        for (space, open) in &workspace.spaces {
            let Some(system) = open.system() else {
                continue;
            };
            systems.insert(*space, system);
            graph.add(*space, system.aggregation, system.edges());
            for (agent, link) in &system.agents {
                let Some(open) = workspace.spaces.get(agent) else {
                    continue;
                };
                journals
                    .entry((*agent, link.author))
                    .or_insert_with(|| Journal::read(journal_entries(open, link.author)));
            }
        }
        let mut projection = Self {
            workspace,
            now,
            systems,
            graph,
            journals,
            checks: BTreeMap::new(),
            own_raw: BTreeMap::new(),
            raw: RolledUp::default(),
            effective: RolledUp::default(),
        };
        projection.derive();
        projection
    }

    fn derive(&mut self) {
        let mut own_effective = BTreeMap::new();
        for (space, system) in &self.systems {
            let checks = self.check_views(*space, system);
            let worst = |of: fn(&CheckView) -> Severity| {
                checks
                    .iter()
                    .filter(|view| view.check.enabled)
                    .map(of)
                    .max()
            };
            if let Some(severity) = worst(|view| view.status.raw) {
                self.own_raw.insert(*space, severity);
            }
            if let Some(severity) = worst(|view| view.status.effective) {
                own_effective.insert(*space, severity);
            }
            self.checks.insert(*space, checks);
        }
        self.raw = roll_up(&self.graph, &self.own_raw);
        self.effective = roll_up(&self.graph, &own_effective);
    }

    /// The record of a check from whichever agent told of it last.
    fn record(
        &self,
        system: &System,
        check: &CheckId,
    ) -> (Option<&CheckRecord>, AgentLife, Option<SpaceId>) {
        let told = system.agents.iter().filter_map(|(agent, link)| {
            let journal = self.journals.get(&(*agent, link.author))?;
            let beats = &self.workspace.spaces.get(agent)?.beats;
            let life = agent_life(journal, beats, self.now);
            Some((journal.checks.get(check), life, Some(*agent)))
        });
        told.reduce(|best, next| {
            let last = |record: Option<&CheckRecord>| record.map(|record| record.last_at);
            if last(next.0) > last(best.0) {
                next
            } else {
                best
            }
        })
        .unwrap_or((None, AgentLife::Unseen, None))
    }

    fn check_views(&self, space: SpaceId, system: &System) -> Vec<CheckView> {
        let acknowledgements = self.acknowledgements(&space);
        let view = |check: &crate::Check| {
            let (record, life, agent) = self.record(system, &check.id);
            let open = agent.and_then(|agent| self.workspace.spaces.get(&agent));
            let beat = open.and_then(|open| open.beats.checks.get(&check.id));
            let facts = CheckFacts {
                check,
                record,
                beat,
                life,
            };
            let silences = system.silences.values();
            let status = check_status(&facts, silences, acknowledgements.iter().copied(), self.now);
            CheckView {
                check: check.clone(),
                status,
                alert: record.and_then(|record| alert_id(&space, &check.id, record)),
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
            }
        };
        let mut views: Vec<_> = system.checks.values().map(view).collect();
        views.sort_by(|a, b| {
            let worst = b.status.raw.cmp(&a.status.raw);
            worst.then_with(|| (&a.check.name, a.check.id).cmp(&(&b.check.name, b.check.id)))
        });
        views
    }

    fn acknowledgements(&self, space: &SpaceId) -> Vec<&'a Acknowledgement> {
        let open = self.workspace.spaces.get(space);
        let entries = open.into_iter().flat_map(timeline_entries);
        let acknowledged = entries.filter_map(|written| match &written.entry {
            TimelineEntry::Acknowledgement(acknowledgement) => Some(acknowledgement),
            _ => None,
        });
        acknowledged.collect()
    }

    fn snapshot(self) -> Snapshot {
        let mut systems: Vec<_> = self
            .systems
            .iter()
            .filter_map(|(space, system)| {
                Some(self.system_view(*space, system, self.workspace.spaces.get(space)?))
            })
            .collect();
        systems.sort_by(|a, b| (&a.title, a.space).cmp(&(&b.title, b.space)));
        let mut anchors: Vec<_> = systems
            .iter()
            .filter(|view| view.rank == Rank::Anchor)
            .collect();
        // Stable: equal states stay in the order of titles.
        anchors.sort_by_key(|view| Reverse(view.status.effective));
        let counts = anchors.iter().map(|view| view.status.effective).collect();
        let mut categories: BTreeMap<String, Vec<SpaceId>> = BTreeMap::new();
        for anchor in anchors {
            categories
                .entry(anchor.category.clone())
                .or_default()
                .push(anchor.space);
        }
        let category = |(name, anchors)| CategoryView { name, anchors };
        let mut timeline: Vec<_> = systems
            .iter()
            .flat_map(|view| view.timeline.iter().cloned())
            .collect();
        newest_first(&mut timeline);
        Snapshot {
            now: self.now,
            version: self.workspace.version,
            counts,
            categories: categories.into_iter().map(category).collect(),
            timeline,
            findings: self.findings(),
            systems,
            graph: self.graph,
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (space, open) in &self.workspace.spaces {
            findings.extend(open.findings.iter().cloned());
            for (document, place) in &open.documents {
                let waiting = place.document.waiting();
                let mut add = |reason| {
                    let (space, document) = (*space, *document);
                    findings.push(Finding {
                        space,
                        document,
                        envelope: None,
                        reason,
                    });
                };
                if waiting > 0 {
                    add(Reason::Waiting(waiting));
                }
                if let Content::System(system) = &place.content {
                    for what in &system.unreadable {
                        add(Reason::Unreadable(what.clone()));
                    }
                }
            }
        }
        for (agent, author) in self.journals.keys() {
            let Some(open) = self.workspace.spaces.get(agent) else {
                continue;
            };
            let all = journal_entries(open, None).count();
            let foreign = all - journal_entries(open, *author).count();
            if foreign > 0 {
                let document = name::system();
                let reason = Reason::Foreign(foreign);
                findings.push(Finding {
                    space: *agent,
                    document,
                    envelope: None,
                    reason,
                });
            }
        }
        findings
    }
}
