//! Taking in: Spaces that changed and moments that passed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aramaki_sync_core::admission::CLOCK_AHEAD_MAX;
use aramaki_sync_core::{SpaceId, Timestamp};

use super::timeline::journal_entries;
use super::told::Told;
use super::{Changed, Link, Seen, View};
use crate::finding::{Finding, Reason};
use crate::graph::{Edge, Relation};
use crate::journal::Journal;
use crate::name;
use crate::rollup::Override;
use crate::system::System;
use crate::workspace::{Content, OpenSpace, Workspace};

impl View {
    /// Takes in Spaces that changed and moments that passed.
    pub(super) fn take(&mut self, workspace: &Workspace, now: Timestamp) -> Changed {
        let mut changed = Changed::default();
        let touched: BTreeSet<SpaceId> = workspace.changed_since(self.version).collect();
        self.version = workspace.version;
        let mut stale = BTreeSet::new();
        for space in &touched {
            stale.insert(*space);
            let links: Vec<_> = self.readers_of(*space).map(|(link, _)| *link).collect();
            for link in links {
                self.forget(&link, &mut changed);
                stale.extend(self.readers.get(&link).into_iter().flatten());
            }
            stale.extend(self.looked_from.get(space).into_iter().flatten());
        }
        while let Some((at, space)) = self.deadlines.first().copied() {
            if at > now {
                break;
            }
            self.deadlines.pop_first();
            stale.insert(space);
        }
        let told = Told::of(workspace, &stale);
        for space in stale {
            self.renew((workspace, &told), now, space, &mut changed);
        }
        if changed.reselect && !self.selectors.is_empty() {
            self.reselect(workspace, &mut changed);
        }
        for space in touched {
            let findings = findings_of(workspace, space);
            let findings = Some(findings).filter(|findings| !findings.is_empty());
            changed.findings |= place(&mut self.findings, space, findings);
        }
        changed
    }

    /// Remembers which journals and which other Systems say how one is. What machines add to the checks of
    /// their System stands in journals, so those are read first.
    fn look_aside(
        &mut self,
        workspace: &Workspace,
        now: Timestamp,
        space: SpaceId,
        changed: &mut Changed,
    ) {
        let system = workspace.spaces.get(&space).and_then(OpenSpace::system);
        let around = |view: &Self| {
            let seen = Seen {
                view,
                workspace,
                told: &Told::default(),
                now,
            };
            let around = system.map(|system| seen.looked_at_by(space, system));
            around.unwrap_or_default()
        };
        let (links, _) = around(self);
        self.relink(workspace, now, space, &links, changed);
        let (_, beside) = around(self);
        for before in self.beside.remove(&space).into_iter().flatten() {
            if let Some(from) = self.looked_from.get_mut(&before) {
                from.remove(&space);
                if from.is_empty() {
                    self.looked_from.remove(&before);
                }
            }
        }
        for other in &beside {
            self.looked_from.entry(*other).or_default().insert(space);
        }
        if !beside.is_empty() {
            self.beside.insert(space, beside);
        }
    }

    fn readers_of(&self, agent: SpaceId) -> impl Iterator<Item = (&Link, &BTreeSet<SpaceId>)> {
        let links = self.readers.range((agent, None)..);
        links.take_while(move |((space, _), _)| *space == agent)
    }

    /// Derives a System's own part anew.
    fn renew(
        &mut self,
        (workspace, told): (&Workspace, &Told<'_>),
        now: Timestamp,
        space: SpaceId,
        changed: &mut Changed,
    ) {
        let system = workspace.spaces.get(&space).and_then(OpenSpace::system);
        self.look_aside(workspace, now, space, changed);
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
        self.renew_own((workspace, told), now, (space, system), changed);
    }

    /// Derives what a System says of itself, and takes in what of it changed.
    fn renew_own(
        &mut self,
        (workspace, told): (&Workspace, &Told<'_>),
        now: Timestamp,
        (space, system): (SpaceId, &System),
        changed: &mut Changed,
    ) {
        let mut silences = system.silences.values();
        let is_quiet = silences.any(|silence| silence.covers_parts(now));
        let was_quiet = self.quiet.remove(&space);
        self.quiet.extend(is_quiet.then_some(space));
        if is_quiet != was_quiet {
            changed.quieted.insert(space);
            changed.states.insert(space);
        }
        let seen = Seen {
            view: self,
            workspace,
            told,
            now,
        };
        let own = seen.own(space, system);
        self.deadlines.extend(own.until.map(|at| (at, space)));
        if place(&mut self.unheard, space, own.as_of) {
            changed.unheard.insert(space);
        }
        let is_raw_new = place(&mut self.own_raw, space, own.raw());
        if place(&mut self.own_effective, space, own.effective()) || is_raw_new {
            changed.states.insert(space);
        }
        let before = self.own.remove(&space);
        let share_before = before.as_ref().map(|own| &own.share);
        if !changed.reshaped && share_before != Some(&own.share) {
            for concerned in self.graph.concerned(space) {
                let sum = self.sums.entry(concerned.system).or_default();
                if let Some(before) = share_before {
                    sum.take(before);
                }
                sum.add(&own.share);
            }
        }
        if is_quiet != was_quiet || before.as_ref().is_none_or(|it| it.shows_above(&own)) {
            changed.above.insert(space);
        }
        if before.is_none_or(|before| before.title != own.title) {
            changed.titles.insert(space);
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
    fn relink(
        &mut self,
        workspace: &Workspace,
        now: Timestamp,
        space: SpaceId,
        links: &BTreeSet<Link>,
        changed: &mut Changed,
    ) {
        let before = self.links.remove(&space).unwrap_or_default();
        for link in before.difference(links) {
            if let Some(readers) = self.readers.get_mut(link) {
                readers.remove(&space);
                if readers.is_empty() {
                    self.readers.remove(link);
                    self.forget(link, changed);
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
            let is_due = self.early.get(link).is_some_and(|at| *at <= now);
            if self.journals.contains_key(link) && !is_due {
                continue;
            }
            self.read_journal(open, link, now);
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
                changed.findings = true;
            }
        }
    }

    /// Reads a journal without what is ahead of the clock: an entry of the future, on which somebody built
    /// before that was known, says nothing of now, and would stand behind all that is told meanwhile.
    fn read_journal(&mut self, open: &OpenSpace, link: &Link, now: Timestamp) {
        let ahead = now.plus(CLOCK_AHEAD_MAX);
        let is_early = |at: &Timestamp| *at > ahead;
        let times = journal_entries(open, link.1).filter_map(|written| written.entry.at());
        let first = times.filter(is_early).min();
        let told = journal_entries(open, link.1);
        let told = told.filter(|written| !written.entry.at().as_ref().is_some_and(is_early));
        self.journals.insert(*link, Journal::read(told));
        match first {
            Some(at) => self.early.insert(*link, at.minus(CLOCK_AHEAD_MAX)),
            None => self.early.remove(link),
        };
    }

    fn forget(&mut self, link: &Link, changed: &mut Changed) {
        self.journals.remove(link);
        self.early.remove(link);
        changed.findings |= self.foreign.remove(link).is_some();
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

/// Puts what is there now; says whether that is new.
fn place<T: PartialEq>(map: &mut BTreeMap<SpaceId, T>, space: SpaceId, value: Option<T>) -> bool {
    let is_new = map.get(&space) != value.as_ref();
    match value {
        Some(value) if is_new => drop(map.insert(space, value)),
        None if is_new => drop(map.remove(&space)),
        _ => {}
    }
    is_new
}
