//! Derives a [`Snapshot`] from all documents and a clock: same facts, same snapshot.
//!
//! A [`View`] remembers what it derived: one changed System costs itself and those that contain
//! it, not a walk over everything.

mod alerts;
mod care;
mod concern;
mod inhibit;
mod own;
mod system;
mod timeline;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aramaki_sync_core::{AuthorId, SpaceId, Timestamp};

use self::own::{Own, Sum, sums};
use self::timeline::{journal_entries, newest_first};
use crate::alert::Alert;
use crate::finding::{Finding, Reason};
use crate::graph::{Edge, Graph, Relation};
use crate::journal::Journal;
use crate::name;
use crate::rollup::{self, Override, RolledUp};
use crate::selector::Selector;
use crate::severity::Severity;
use crate::snapshot::{CategoryView, Rank, Snapshot, SystemView, TIMELINE_ITEMS_MAX, TimelineItem};
use crate::system::System;
use crate::workspace::{Content, OpenSpace, Workspace};

/// A System's link to an agent: its Space, and whose entries there count.
type Link = (SpaceId, Option<AuthorId>);

/// What was derived from a Workspace so far.
///
/// **Invariant:** [`View::update`] gives the same snapshot as a new View would: what is remembered
/// only saves work. A property test holds it to that.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The Workspace's version that was taken in.
    version: u64,
    graph: Arc<Graph>,
    /// Groups of Systems that contain each other, parts first, and in which each System is.
    circles: Vec<BTreeSet<SpaceId>>,
    circle_of: BTreeMap<SpaceId, usize>,
    /// In which group of Systems that contain or use each other each System is.
    bound: BTreeMap<SpaceId, usize>,
    /// Systems at which a reader begins.
    tops: BTreeSet<SpaceId>,
    /// Which Systems read which journal, and the other way round.
    readers: BTreeMap<Link, BTreeSet<SpaceId>>,
    links: BTreeMap<SpaceId, BTreeSet<Link>>,
    journals: BTreeMap<Link, Journal>,
    own: BTreeMap<SpaceId, Own>,
    /// Systems by the moment at which time alone changes them.
    deadlines: BTreeSet<(Timestamp, SpaceId)>,
    own_raw: BTreeMap<SpaceId, Severity>,
    own_effective: BTreeMap<SpaceId, Severity>,
    /// Systems that tell of an earlier moment, because nobody listens to an agent of theirs.
    unheard: BTreeMap<SpaceId, Timestamp>,
    /// Systems that silence what their parts bring.
    quiet: BTreeSet<SpaceId>,
    /// Systems whose parts follow from a selector, and what selectors ask of every System.
    selectors: BTreeMap<SpaceId, Selector>,
    traits: BTreeMap<SpaceId, Traits>,
    raw: RolledUp,
    effective: RolledUp,
    sums: BTreeMap<SpaceId, Sum>,
    findings: BTreeMap<SpaceId, Vec<Finding>>,
    /// Alerts of Systems that have any, complete.
    alerts: BTreeMap<SpaceId, Vec<Arc<Alert>>>,
    /// Entries that an agent did not write, by journal.
    foreign: BTreeMap<Link, Finding>,
    snapshot: Arc<Snapshot>,
}

/// What selectors ask for: category and labels.
type Traits = (String, BTreeMap<String, String>);

/// What an update looks at.
struct Seen<'a> {
    view: &'a View,
    workspace: &'a Workspace,
    now: Timestamp,
}

/// What an update changed.
#[derive(Default)]
struct Changed {
    /// Systems that say something else of themselves.
    own: BTreeSet<SpaceId>,
    /// Whether Systems or edges came or went.
    reshaped: bool,
    /// Whether selectors may select others now.
    reselect: bool,
    /// Systems that began or ended to silence what their parts bring.
    quieted: BTreeSet<SpaceId>,
}

impl Workspace {
    /// Everything that can be seen here at this moment, derived anew. Keep a [`View`] where this
    /// is asked again and again.
    pub fn view(&self, now: Timestamp) -> Snapshot {
        Arc::unwrap_or_clone(View::default().update(self, now))
    }
}

impl View {
    /// Everything that can be seen at this moment. Costs what changed since the last call, so give
    /// it always the same Workspace; meant for a thread that is not the window's.
    pub fn update(&mut self, workspace: &Workspace, now: Timestamp) -> Arc<Snapshot> {
        if now < self.snapshot.now {
            // The clock went back: what is over may not be over yet.
            *self = Self::default();
        }
        let changed = self.take(workspace, now);
        self.roll(&changed);
        self.draw(workspace, now, &changed);
        Arc::clone(&self.snapshot)
    }

    /// Takes in Spaces that changed and moments that passed.
    fn take(&mut self, workspace: &Workspace, now: Timestamp) -> Changed {
        let mut changed = Changed::default();
        let touched: BTreeSet<SpaceId> = workspace.changed_since(self.version).collect();
        self.version = workspace.version;
        let mut stale = BTreeSet::new();
        for space in &touched {
            stale.insert(*space);
            let links: Vec<_> = self.readers_of(*space).map(|(link, _)| *link).collect();
            for link in links {
                self.forget(&link);
                stale.extend(self.readers.get(&link).into_iter().flatten());
            }
        }
        while let Some((at, space)) = self.deadlines.first().copied() {
            if at > now {
                break;
            }
            self.deadlines.pop_first();
            stale.insert(space);
        }
        for space in stale {
            self.renew(workspace, now, space, &mut changed);
        }
        if changed.reselect && !self.selectors.is_empty() {
            self.reselect(workspace, &mut changed);
        }
        for space in touched {
            let findings = findings_of(workspace, space);
            if findings.is_empty() {
                self.findings.remove(&space);
            } else {
                self.findings.insert(space, findings);
            }
        }
        changed
    }

    fn readers_of(&self, agent: SpaceId) -> impl Iterator<Item = (&Link, &BTreeSet<SpaceId>)> {
        let links = self.readers.range((agent, None)..);
        links.take_while(move |((space, _), _)| *space == agent)
    }

    /// Derives a System's own part anew.
    fn renew(
        &mut self,
        workspace: &Workspace,
        now: Timestamp,
        space: SpaceId,
        changed: &mut Changed,
    ) {
        let system = workspace.spaces.get(&space).and_then(OpenSpace::system);
        let links: BTreeSet<Link> = system
            .into_iter()
            .flat_map(|system| &system.agents)
            .map(|(agent, link)| (*agent, link.author))
            .collect();
        self.relink(workspace, space, &links);
        if let Some(at) = self.own.get(&space).and_then(|own| own.until) {
            self.deadlines.remove(&(at, space));
        }
        let Some(system) = system else {
            if self.own.remove(&space).is_some() {
                Arc::make_mut(&mut self.graph).remove(&space);
                self.own_raw.remove(&space);
                self.own_effective.remove(&space);
                self.quiet.remove(&space);
                self.unheard.remove(&space);
                self.selectors.remove(&space);
                self.traits.remove(&space);
                changed.reshaped = true;
                changed.reselect = true;
            }
            return;
        };
        let traits = (system.category.clone(), system.labels.clone());
        if self.traits.get(&space) != Some(&traits) {
            self.traits.insert(space, traits);
            changed.reselect = true;
        }
        if self.selectors.get(&space) != system.selector.as_ref() {
            self.selectors.remove(&space);
            let selector = system.selector.clone();
            self.selectors
                .extend(selector.map(|selector| (space, selector)));
            changed.reselect = true;
        }
        changed.reshaped |= self.connect(space, system);
        let mut silences = system.silences.values();
        let is_quiet = silences.any(|silence| silence.covers_parts(now));
        let was_quiet = self.quiet.remove(&space);
        self.quiet.extend(is_quiet.then_some(space));
        if is_quiet != was_quiet {
            changed.quieted.insert(space);
        }
        let seen = Seen {
            view: self,
            workspace,
            now,
        };
        let own = seen.own(space, system);
        self.deadlines.extend(own.until.map(|at| (at, space)));
        place(&mut self.unheard, space, own.as_of);
        place(&mut self.own_raw, space, own.worst(|view| view.status.raw));
        place(
            &mut self.own_effective,
            space,
            own.worst(|view| view.status.effective),
        );
        if !changed.reshaped {
            let before = self.own.get(&space).map(|own| own.share.clone());
            for concerned in self.graph.concerned(space) {
                let sum = self.sums.entry(concerned.system).or_default();
                if let Some(before) = &before {
                    sum.take(before);
                }
                sum.add(&own.share);
            }
        }
        self.own.insert(space, own);
        changed.own.insert(space);
    }

    /// Puts a System with its parts into the graph: those that it lists and those that its selector
    /// selects now. Says whether that changed anything.
    fn connect(&mut self, space: SpaceId, system: &System) -> bool {
        let mut edges = system.edges();
        if let Some(selector) = &system.selector {
            let selected = self.traits.iter().filter(|(other, (category, labels))| {
                **other != space
                    && !system.parts.contains_key(other)
                    && selector.selects(category, labels)
            });
            edges.extend(selected.map(|(part, _)| Edge {
                part: *part,
                label: String::new(),
                relation: Relation::Part,
                overrides: Override::NONE,
                weight: 1,
            }));
        }
        let is_same = self.graph.is_known(&space)
            && self.graph.operator(&space) == system.aggregation
            && self.graph.edges(&space).eq(&edges);
        if !is_same {
            Arc::make_mut(&mut self.graph).add(space, system.aggregation, edges);
        }
        !is_same
    }

    /// Finds the parts of all Systems with selectors anew.
    fn reselect(&mut self, workspace: &Workspace, changed: &mut Changed) {
        let selecting: Vec<_> = self.selectors.keys().copied().collect();
        for space in selecting {
            let open = workspace.spaces.get(&space);
            if let Some(system) = open.and_then(OpenSpace::system) {
                changed.reshaped |= self.connect(space, system);
            }
        }
    }

    /// Remembers which journals a System reads, and reads those that are not read yet.
    fn relink(&mut self, workspace: &Workspace, space: SpaceId, links: &BTreeSet<Link>) {
        let before = self.links.remove(&space).unwrap_or_default();
        for link in before.difference(links) {
            if let Some(readers) = self.readers.get_mut(link) {
                readers.remove(&space);
                if readers.is_empty() {
                    self.readers.remove(link);
                    self.forget(link);
                }
            }
        }
        if !links.is_empty() {
            self.links.insert(space, links.clone());
        }
        for link in links {
            self.readers.entry(*link).or_default().insert(space);
            let Some(open) = workspace.spaces.get(&link.0) else {
                continue;
            };
            if self.journals.contains_key(link) {
                continue;
            }
            let journal = Journal::read(journal_entries(open, link.1));
            self.journals.insert(*link, journal);
            let all = journal_entries(open, None).count();
            let foreign = all - journal_entries(open, link.1).count();
            if foreign > 0 {
                let finding = Finding {
                    space: link.0,
                    document: name::system(),
                    envelope: None,
                    reason: Reason::Foreign(foreign),
                };
                self.foreign.insert(*link, finding);
            }
        }
    }

    fn forget(&mut self, link: &Link) {
        self.journals.remove(link);
        self.foreign.remove(link);
    }

    /// Sums states up: everything when the graph changed, else what changed and all above it.
    fn roll(&mut self, changed: &Changed) {
        if changed.reshaped {
            self.tops = self.graph.tops();
            self.circles = self.graph.circles();
            self.circle_of = BTreeMap::new();
            let bound = self.graph.bound().into_iter().enumerate();
            let bound = bound.flat_map(|(n, group)| group.into_iter().map(move |it| (it, n)));
            self.bound = bound.collect();
            for (place, circle) in self.circles.iter().enumerate() {
                let members = circle.iter().map(|system| (*system, place));
                self.circle_of.extend(members);
            }
            self.raw = RolledUp::default();
            self.effective = RolledUp::default();
            self.sums = sums(&self.graph, &self.own);
            return self.settle(0..self.circles.len());
        }
        let mut places: BTreeSet<usize> = BTreeSet::new();
        for space in &changed.own {
            for concerned in self.graph.concerned(*space) {
                places.extend(self.circle_of.get(&concerned.system));
            }
        }
        self.settle(places);
    }

    /// Sums up these groups, parts first.
    fn settle(&mut self, places: impl IntoIterator<Item = usize>) {
        let nobody = BTreeSet::new();
        let raw = rollup::Own {
            states: &self.own_raw,
            quiet: &nobody,
        };
        let effective = rollup::Own {
            states: &self.own_effective,
            quiet: &self.quiet,
        };
        for circle in places
            .into_iter()
            .filter_map(|place| self.circles.get(place))
        {
            self.raw.settle(&self.graph, &raw, circle);
            self.effective.settle(&self.graph, &effective, circle);
        }
    }

    /// The Systems that show a change: all when the graph changed.
    fn shown(&self, changed: &Changed) -> BTreeSet<SpaceId> {
        let mut shown = BTreeSet::new();
        if changed.reshaped {
            shown.extend(self.own.keys().copied());
        } else {
            for space in &changed.own {
                shown.extend(self.graph.concerned(*space).iter().map(|c| c.system));
                // Parts show the titles of who lists them.
                shown.extend(self.graph.edges(space).map(|edge| edge.part));
            }
            for space in &changed.quieted {
                shown.extend(self.graph.below(*space));
            }
        }
        shown
    }

    /// Draws the snapshot: all Systems when the graph changed, else those that show a change.
    fn draw(&mut self, workspace: &Workspace, now: Timestamp, changed: &Changed) {
        let shown = self.shown(changed);
        let alerts = self.complete_alerts(&shown, changed);
        let seen = Seen {
            view: self,
            workspace,
            now,
        };
        let fresh: BTreeMap<SpaceId, Arc<SystemView>> = shown
            .into_iter()
            .filter_map(|space| {
                let open = workspace.spaces.get(&space)?;
                let (system, own) = (open.system()?, self.own.get(&space)?);
                let view = seen.system_view(space, system, open, own);
                Some((space, Arc::new(view)))
            })
            .collect();
        let old = &self.snapshot;
        let mut overview_changed = changed.reshaped;
        let mut systems = if changed.reshaped {
            fresh.values().cloned().collect()
        } else {
            old.systems.clone()
        };
        let mut renamed = changed.reshaped;
        if !changed.reshaped {
            for view in &mut systems {
                if let Some(fresh) = fresh.get(&view.space) {
                    renamed |= view.title != fresh.title;
                    overview_changed |= place_in_overview(view) != place_in_overview(fresh);
                    *view = Arc::clone(fresh);
                }
            }
        }
        if renamed {
            systems.sort_by(|a, b| (&a.title, a.space).cmp(&(&b.title, b.space)));
        }
        let places = if renamed {
            let places = systems.iter().enumerate();
            Arc::new(places.map(|(place, view)| (view.space, place)).collect())
        } else {
            Arc::clone(&old.places)
        };
        let timeline = if changed.reshaped {
            merged(systems.iter().map(Arc::as_ref))
        } else {
            self.timeline(&systems, changed)
        };
        let (categories, counts) = if overview_changed {
            overview(&systems)
        } else {
            (old.categories.clone(), old.counts)
        };
        self.snapshot = Arc::new(Snapshot {
            now,
            version: workspace.version,
            systems,
            categories,
            counts,
            timeline,
            findings: self.all_findings(),
            alerts,
            graph: Arc::clone(&self.graph),
            places,
        });
    }

    /// All timelines merged after some changed: entries only come, so the newest of what was and
    /// of what changed are the newest of all; unless some went.
    fn timeline(&self, systems: &[Arc<SystemView>], changed: &Changed) -> Vec<TimelineItem> {
        let old = &self.snapshot.timeline;
        let is_kept = |item: &TimelineItem| {
            let own = self.own.get(&item.system);
            own.is_some_and(|own| own.timeline.iter().any(|now| now.order() == item.order()))
        };
        let touched = |item: &&TimelineItem| changed.own.contains(&item.system);
        if !old.iter().filter(touched).all(is_kept) {
            return merged(systems.iter().map(Arc::as_ref));
        }
        let mut items: Vec<_> = old.iter().filter(|item| !touched(item)).cloned().collect();
        for own in changed.own.iter().filter_map(|space| self.own.get(space)) {
            items.extend(own.timeline.iter().cloned());
        }
        newest_first(&mut items);
        items
    }

    fn all_findings(&self) -> Vec<Finding> {
        let own = self.findings.values().flatten();
        own.chain(self.foreign.values()).cloned().collect()
    }
}

fn findings_of(workspace: &Workspace, space: SpaceId) -> Vec<Finding> {
    let Some(open) = workspace.spaces.get(&space) else {
        return Vec::new();
    };
    let mut findings: Vec<_> = open.findings.iter().cloned().collect();
    for (document, place) in &open.documents {
        let waiting = place.document.waiting();
        let mut add = |reason| {
            findings.push(Finding {
                space,
                document: *document,
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
    findings
}

fn place<T>(map: &mut BTreeMap<SpaceId, T>, space: SpaceId, value: Option<T>) {
    match value {
        Some(value) => drop(map.insert(space, value)),
        None => drop(map.remove(&space)),
    }
}

/// What of a System the overview's order and counts depend on.
fn place_in_overview(view: &SystemView) -> (Rank, &str, Severity, &str) {
    (
        view.rank,
        &view.category,
        view.status.effective,
        &view.title,
    )
}

/// Categories with their anchors, and how many anchors are in each state.
fn overview(systems: &[Arc<SystemView>]) -> (Vec<CategoryView>, crate::SeverityCounts) {
    let mut anchors: Vec<_> = systems
        .iter()
        .filter(|view| view.rank == Rank::Anchor)
        .collect();
    // Stable: equal states stay in the order of titles.
    anchors.sort_by_key(|view| Reverse(view.status.effective));
    let counts = anchors.iter().map(|view| view.status.effective).collect();
    let mut categories: BTreeMap<&str, Vec<SpaceId>> = BTreeMap::new();
    for anchor in anchors {
        let places = categories.entry(&anchor.category).or_default();
        places.push(anchor.space);
    }
    let category = |(name, anchors): (&str, _)| CategoryView {
        name: name.to_owned(),
        anchors,
    };
    (categories.into_iter().map(category).collect(), counts)
}

/// The newest entries of all timelines.
fn merged<'a>(systems: impl Iterator<Item = &'a SystemView>) -> Vec<TimelineItem> {
    let mut items: Vec<_> = systems.flat_map(|view| &view.timeline).collect();
    items.sort_by_cached_key(|item| Reverse(item.order()));
    items.truncate(TIMELINE_ITEMS_MAX);
    items.into_iter().cloned().collect()
}
