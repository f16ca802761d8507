//! Derives a [`Snapshot`] from all documents and a clock: same facts, same snapshot.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::{AuthorId, DocumentId, SpaceId, Timestamp};

use crate::doc::DocumentKind;
use crate::entry::{Acknowledgement, JournalEntry, TimelineEntry};
use crate::finding::{Finding, Reason};
use crate::graph::Graph;
use crate::id::CheckId;
use crate::journal::{CheckRecord, Journal, Written};
use crate::rollup::{RolledUp, roll_up};
use crate::severity::{Severity, SeverityCounts};
use crate::snapshot::{
    Access, AgentView, CategoryView, Cause, CheckView, HISTORY_DAYS, Journals, NoteView, Observed,
    PartView, Rank, Snapshot, StatusView, SystemView, TIMELINE_ITEMS_MAX, TimelineEvent,
    TimelineItem,
};
use crate::status::{AgentLife, CheckFacts, agent_life, alert_id, check_status};
use crate::system::{NoteKind, System};
use crate::text::clean_line;
use crate::transition::Hardness;
use crate::workspace::{Content, OpenSpace, Workspace};
use crate::{name, system};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

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

    fn title(&self, space: &SpaceId) -> String {
        match self.systems.get(space) {
            Some(system) if !system.title.is_empty() => system.title.clone(),
            _ => space.short(),
        }
    }

    fn system_view(&self, space: SpaceId, system: &System, open: &OpenSpace) -> SystemView {
        let below = self.graph.below(space);
        let checks = self.checks.get(&space).cloned().unwrap_or_default();
        let all = std::iter::once(&space).chain(&below);
        let counts: SeverityCounts = all
            .filter_map(|system| self.checks.get(system))
            .flatten()
            .filter(|view| view.check.enabled)
            .map(|view| view.status.raw)
            .collect();
        let unreadable = below
            .iter()
            .filter(|part| !self.graph.is_known(part))
            .count();
        let is_anchor = system.pinned || self.graph.is_top(&space);
        let aggregates = self
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
            counts,
            unreadable_parts: u32::try_from(unreadable).unwrap_or(u32::MAX),
            aggregation: system.aggregation,
            parts: self.part_views(space),
            aggregates,
            rules,
            contacts: items(&system.contacts),
            dashboards: items(&system.dashboards),
            notes: note_views(open, system),
            history: history(&checks, self.now),
            checks,
            agents: self.agent_views(system),
            silences: items(&system.silences),
            timeline: self.timeline(space, system, open),
            conflicts: system.conflicts.clone(),
        }
    }

    fn status_view(&self, space: SpaceId) -> StatusView {
        let raw = self.raw.of(&self.graph, &space);
        let effective = self.effective.of(&self.graph, &space);
        let path = self.raw.worst_path(&self.graph, &self.own_raw, space);
        let end = path.last().copied().unwrap_or(space);
        let checks = self.checks.get(&end).into_iter().flatten();
        // Checks are sorted: the first that is not OK is the worst.
        let cause = checks
            .filter(|view| view.check.enabled)
            .find(|view| !view.status.raw.is_ok());
        let is_ok = raw == Some(Severity::Ok);
        let oldest_ok = || {
            let own = self.checks.get(&space).into_iter().flatten();
            own.filter_map(|view| view.status.since).max()
        };
        StatusView {
            own: self.own_raw.get(&space).copied(),
            raw: raw.unwrap_or(Severity::Missing),
            effective: effective.unwrap_or(Severity::Missing),
            observed: if raw.is_some() {
                Observed::Yes
            } else {
                Observed::No
            },
            since: if is_ok {
                oldest_ok()
            } else {
                cause.and_then(|view| view.status.since)
            },
            worst_path: self.named(&path),
            cause: cause.filter(|_| !is_ok).map(|view| Cause {
                check: view.check.name.clone(),
                severity: view.status.raw,
                summary: view.summary.clone(),
            }),
        }
    }

    /// Titles along a way; what cannot be read has the label of the one before.
    fn named(&self, path: &[SpaceId]) -> Vec<(SpaceId, String)> {
        let mut named = Vec::new();
        let mut before: Option<SpaceId> = None;
        for space in path {
            let label = before.and_then(|before| {
                let mut edges = self.graph.edges(&before);
                edges
                    .find(|edge| edge.part == *space)
                    .map(|edge| edge.label.clone())
            });
            let label = label.filter(|label| !label.is_empty() && !self.graph.is_known(space));
            named.push((*space, label.unwrap_or_else(|| self.title(space))));
            before = Some(*space);
        }
        named
    }

    fn part_views(&self, space: SpaceId) -> Vec<PartView> {
        let view = |edge: &crate::graph::Edge| {
            let is_known = self.graph.is_known(&edge.part);
            let hidden = if edge.label.is_empty() {
                edge.part.short()
            } else {
                edge.label.clone()
            };
            PartView {
                space: edge.part,
                label: if is_known {
                    self.title(&edge.part)
                } else {
                    hidden
                },
                relation: edge.relation,
                access: if is_known {
                    Access::Readable
                } else {
                    Access::NotShared
                },
                raw: self.raw.through(&self.graph, edge),
                effective: self.effective.through(&self.graph, edge),
                overrides: edge.overrides,
            }
        };
        let mut parts: Vec<_> = self.graph.edges(&space).map(view).collect();
        parts.sort_by(|a, b| {
            let worst = b.effective.cmp(&a.effective);
            worst.then_with(|| (&a.label, a.space).cmp(&(&b.label, b.space)))
        });
        parts
    }

    fn agent_views(&self, system: &System) -> Vec<AgentView> {
        let view = |(agent, link): (&SpaceId, &system::AgentRef)| {
            let open = self.workspace.spaces.get(agent);
            let journal = self.journals.get(&(*agent, link.author));
            let started = journal.and_then(|journal| journal.started.as_ref());
            let host = started.map(|started| started.host.clone());
            let label = Some(link.label.clone()).filter(|label| !label.is_empty());
            let life = open
                .zip(journal)
                .map(|(open, journal)| agent_life(journal, &open.beats, self.now));
            AgentView {
                space: *agent,
                label: label.or(host).unwrap_or_else(|| agent.short()),
                access: if open.is_some() {
                    Access::Readable
                } else {
                    Access::NotShared
                },
                life: life.unwrap_or(AgentLife::Unseen),
                seen: open
                    .and_then(|open| open.beats.at)
                    .max(journal.and_then(|journal| journal.last_at)),
                generation: open
                    .and_then(|open| open.beats.generation)
                    .or_else(|| journal.and_then(|journal| journal.generation)),
                version: started.map(|started| started.version.clone()),
            }
        };
        system.agents.iter().map(view).collect()
    }

    fn timeline(&self, space: SpaceId, system: &System, open: &OpenSpace) -> Vec<TimelineItem> {
        let people = timeline_entries(open).map(|written| TimelineItem {
            at: written.entry.at().unwrap_or_else(|| written.id.at()),
            system: space,
            id: written.id,
            author: open.author(&written.actor),
            event: match &written.entry {
                TimelineEntry::Message(message) => TimelineEvent::Message(message.clone()),
                TimelineEntry::Deployment(deployment) => {
                    TimelineEvent::Deployment(deployment.clone())
                }
                TimelineEntry::Acknowledgement(acknowledgement) => {
                    TimelineEvent::Acknowledgement(acknowledgement.clone())
                }
                TimelineEntry::Claim(claim) => TimelineEvent::Claim(claim.clone()),
                TimelineEntry::Unknown(unknown) => TimelineEvent::Unknown(unknown.clone()),
            },
        });
        let mut items: Vec<_> = people.collect();
        for (agent, link) in &system.agents {
            let Some(open) = self.workspace.spaces.get(agent) else {
                continue;
            };
            items.extend(journal_entries(open, link.author).filter_map(|written| {
                Some(TimelineItem {
                    at: written.entry.at().unwrap_or_else(|| written.id.at()),
                    system: space,
                    id: written.id,
                    author: open.author(&written.actor),
                    event: journal_event(system, &written.entry)?,
                })
            }));
        }
        newest_first(&mut items);
        items
    }
}

/// What people see of a journal's entry in the timeline of a System; none for what is not for
/// them, or about another System.
fn journal_event(system: &System, entry: &JournalEntry) -> Option<TimelineEvent> {
    match entry {
        JournalEntry::Transition(transition) => {
            let check = system.checks.get(&transition.check)?;
            (transition.hardness == Hardness::Hard).then(|| TimelineEvent::Transition {
                check: check.id,
                name: check.name.clone(),
                from: transition.from,
                to: transition.to,
                summary: transition.summary.clone(),
            })
        }
        JournalEntry::Started(started) => Some(TimelineEvent::AgentStarted {
            host: started.host.clone(),
            version: started.version.clone(),
        }),
        JournalEntry::Stopped { .. } => Some(TimelineEvent::AgentStopped),
        JournalEntry::Unknown(unknown) => Some(TimelineEvent::Unknown(unknown.clone())),
        JournalEntry::ConfigApplied { .. } | JournalEntry::States(_) => None,
    }
}

fn timeline_entries(open: &OpenSpace) -> impl Iterator<Item = &Written<TimelineEntry>> {
    let entries = open
        .documents
        .values()
        .filter_map(|place| match &place.content {
            Content::Timeline(entries) => Some(entries),
            _ => None,
        });
    entries.flatten()
}

/// Entries of an agent's journals; only those that the agent itself wrote, if it is known.
fn journal_entries(
    open: &OpenSpace,
    author: Option<AuthorId>,
) -> impl Iterator<Item = &Written<JournalEntry>> {
    let entries = open
        .documents
        .values()
        .filter_map(|place| match &place.content {
            Content::Journal(entries) => Some(entries),
            _ => None,
        });
    entries
        .flatten()
        .filter(move |written| author.is_none() || open.author(&written.actor) == author)
}

fn newest_first(items: &mut Vec<TimelineItem>) {
    items.sort_by_key(|item| Reverse(item.order()));
    items.truncate(TIMELINE_ITEMS_MAX);
}

fn items<K: Copy, V: Clone>(map: &BTreeMap<K, V>) -> Vec<(K, V)> {
    map.iter()
        .map(|(key, value)| (*key, value.clone()))
        .collect()
}

fn note_views(open: &OpenSpace, system: &System) -> Vec<NoteView> {
    let mut listed = BTreeSet::new();
    let mut views = Vec::new();
    let text_of =
        |document: &DocumentId| match open.documents.get(document).map(|place| &place.content) {
            Some(Content::Note(text)) => text.clone(),
            _ => String::new(),
        };
    let title_of = |title: &str, text: &str| {
        let first = text
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        let title = if title.trim().is_empty() {
            first.trim_start_matches(['#', ' '])
        } else {
            title
        };
        clean_line(title, system::NAME_LEN_BYTES_MAX)
    };
    for (note, entry) in &system.notes {
        let document = name::note(*note);
        listed.insert(document);
        let text = text_of(&document);
        let title = title_of(&entry.title, &text);
        views.push(NoteView {
            note: Some(*note),
            document,
            title,
            kind: entry.kind,
            text,
        });
    }
    for (document, place) in &open.documents {
        if place.document.kind() == DocumentKind::Note && !listed.contains(document) {
            let text = text_of(document);
            let title = title_of("", &text);
            let (document, kind) = (*document, NoteKind::Note);
            views.push(NoteView {
                note: None,
                document,
                title,
                kind,
                text,
            });
        }
    }
    views.sort_by(|a, b| (&a.title, a.document).cmp(&(&b.title, b.document)));
    views
}

/// The worst state on each of the last days.
fn history(checks: &[CheckView], now: Timestamp) -> Vec<Severity> {
    let today = now.millis().div_euclid(DAY_MS);
    let days = i64::try_from(HISTORY_DAYS).unwrap_or(0);
    let mut strip = Vec::with_capacity(HISTORY_DAYS);
    for day in (today - days + 1)..=today {
        let (begin, end) = (day * DAY_MS, (day + 1) * DAY_MS);
        let states = checks.iter().flat_map(|view| {
            let before = view
                .history
                .iter()
                .rev()
                .find(|(at, _)| at.millis() < begin);
            let during = view
                .history
                .iter()
                .filter(move |(at, _)| (begin..end).contains(&at.millis()));
            before
                .into_iter()
                .chain(during)
                .map(|(_, severity)| *severity)
        });
        strip.push(states.max().unwrap_or(Severity::Missing));
    }
    strip
}
