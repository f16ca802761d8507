//! Systems and their parts: walks in both directions, over graphs of any shape.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use aramaki_sync_core::SpaceId;
use serde::{Deserialize, Serialize};

use crate::rollup::{Operator, Override};

/// What an edge says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It belongs to the aggregate and counts for its state.
    #[default]
    Part,
    /// The aggregate needs it; it is told of its problems, its state stays apart.
    Uses,
}

/// One part of an aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The part.
    pub part: SpaceId,
    /// What the aggregate calls it, for those who cannot read it.
    pub label: String,
    /// What the edge says.
    pub relation: Relation,
    /// How the aggregate takes its states.
    pub overrides: Override,
    /// How much it counts in a percentage; at least 1.
    pub weight: u32,
}

/// A System that a problem elsewhere concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concerned {
    /// The System.
    pub system: SpaceId,
    /// The shortest way down to the problem: this System first, the one with the problem last.
    pub path: Vec<SpaceId>,
}

/// All Systems that are known here and the edges between them.
///
/// **Invariant:** every walk visits a System once, so it ends, whatever people linked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    edges: BTreeMap<SpaceId, Vec<Edge>>,
    operators: BTreeMap<SpaceId, Operator>,
    aggregates: BTreeMap<SpaceId, BTreeSet<SpaceId>>,
}

impl Graph {
    /// Adds a System that can be read here, with its parts.
    pub fn add(&mut self, system: SpaceId, operator: Operator, edges: Vec<Edge>) {
        self.remove(&system);
        for edge in &edges {
            self.aggregates.entry(edge.part).or_default().insert(system);
        }
        self.operators.insert(system, operator);
        self.edges.insert(system, edges);
    }

    /// Takes a System away; those who list it keep their edges.
    pub fn remove(&mut self, system: &SpaceId) {
        self.operators.remove(system);
        for edge in self.edges.remove(system).unwrap_or_default() {
            if let Some(aggregates) = self.aggregates.get_mut(&edge.part) {
                aggregates.remove(system);
                if aggregates.is_empty() {
                    self.aggregates.remove(&edge.part);
                }
            }
        }
    }

    /// Whether a System can be read here.
    pub fn is_known(&self, system: &SpaceId) -> bool {
        self.edges.contains_key(system)
    }

    /// Every System that can be read here.
    pub fn systems(&self) -> impl Iterator<Item = SpaceId> + '_ {
        self.edges.keys().copied()
    }

    /// What a System lists: parts and what it uses.
    pub fn edges(&self, system: &SpaceId) -> impl Iterator<Item = &Edge> {
        self.edges.get(system).into_iter().flatten()
    }

    /// The edges that count for a System's state.
    pub fn rolled_edges(&self, system: &SpaceId) -> impl Iterator<Item = &Edge> {
        self.edges(system)
            .filter(|edge| edge.relation == Relation::Part)
    }

    /// How a System sums up its parts.
    pub fn operator(&self, system: &SpaceId) -> Operator {
        self.operators.get(system).copied().unwrap_or_default()
    }

    /// Who lists a System.
    pub fn aggregates(&self, system: &SpaceId) -> impl Iterator<Item = SpaceId> + '_ {
        self.aggregates.get(system).into_iter().flatten().copied()
    }

    /// Where a reader begins: Systems that nothing known here lists, apart from themselves.
    ///
    /// Of Systems that list each other in a circle which nothing else lists, those are at the top
    /// that belong to none of the others; when all belong to each other, all are. So every System
    /// is at the top or below one that is.
    pub fn tops(&self) -> BTreeSet<SpaceId> {
        let unlisted = self.sources(|_| true);
        let no_part = self.sources(|edge| edge.relation == Relation::Part);
        &unlisted & &no_part
    }

    /// Members of the groups that no edge enters, of those edges that count here.
    fn sources(&self, counts: impl Fn(&Edge) -> bool + Copy) -> BTreeSet<SpaceId> {
        let groups = self.groups(counts);
        let members = groups.iter().enumerate();
        let group_of: BTreeMap<SpaceId, usize> = members
            .flat_map(|(place, group)| group.iter().map(move |system| (*system, place)))
            .collect();
        let mut entered = BTreeSet::new();
        for system in self.edges.keys() {
            for edge in self.edges(system).filter(|edge| counts(edge)) {
                if let Some(place) = group_of.get(&edge.part)
                    && group_of.get(system) != Some(place)
                {
                    entered.insert(*place);
                }
            }
        }
        let groups = groups.into_iter().enumerate();
        let sources = groups.filter(|(place, _)| !entered.contains(place));
        sources.flat_map(|(_, group)| group).collect()
    }

    /// Everything below a System, each once, nearest first; not the System itself.
    pub fn below(&self, system: SpaceId) -> Vec<SpaceId> {
        self.reached(system, |_| true)
    }

    /// Its parts and theirs, each once, nearest first; not the System itself, nor what only is used.
    pub fn parts_below(&self, system: SpaceId) -> Vec<SpaceId> {
        self.reached(system, |edge| edge.relation == Relation::Part)
    }

    fn reached(&self, system: SpaceId, follows: impl Fn(&Edge) -> bool) -> Vec<SpaceId> {
        let mut seen = BTreeSet::from([system]);
        let mut queue = VecDeque::from([system]);
        let mut found = Vec::new();
        while let Some(here) = queue.pop_front() {
            for edge in self.edges(&here).filter(|edge| follows(edge)) {
                if seen.insert(edge.part) {
                    found.push(edge.part);
                    queue.push_back(edge.part);
                }
            }
        }
        found
    }

    /// The same of a problem that also makes others blind, with all above those: each System once, by its
    /// first way.
    pub fn concerned_with<'a>(
        &self,
        system: SpaceId,
        blind: impl IntoIterator<Item = &'a SpaceId>,
    ) -> Vec<Concerned> {
        let mut found = self.concerned(system);
        let mut seen: BTreeSet<SpaceId> = found.iter().map(|it| it.system).collect();
        for other in blind {
            let others = self.concerned(*other).into_iter();
            let new = others.filter(|it| seen.insert(it.system));
            found.extend(new.map(|mut concerned| {
                concerned.path.push(system);
                concerned
            }));
        }
        found
    }

    /// Whom a problem of a System concerns: the System itself and every one that reaches it, each
    /// once and with the shortest way, nearest first.
    pub fn concerned(&self, system: SpaceId) -> Vec<Concerned> {
        let mut next_down = BTreeMap::from([(system, None)]);
        let mut queue = VecDeque::from([system]);
        let mut found = Vec::new();
        while let Some(here) = queue.pop_front() {
            let mut path = vec![here];
            let mut at = here;
            while let Some(Some(down)) = next_down.get(&at) {
                path.push(*down);
                at = *down;
            }
            found.push(Concerned { system: here, path });
            for aggregate in self.aggregates(&here) {
                if let std::collections::btree_map::Entry::Vacant(place) =
                    next_down.entry(aggregate)
                {
                    place.insert(Some(here));
                    queue.push_back(aggregate);
                }
            }
        }
        found
    }

    /// Groups of Systems that contain each other through counting edges, parts before aggregates.
    /// A System outside any circle is a group of its own.
    pub fn circles(&self) -> Vec<BTreeSet<SpaceId>> {
        self.groups(|edge| edge.relation == Relation::Part)
    }

    /// Groups of Systems that reach each other through any edges.
    pub fn bound(&self) -> Vec<BTreeSet<SpaceId>> {
        self.groups(|_| true)
    }

    /// Groups of Systems that reach each other through the edges that count here, what is reached
    /// before what reaches it. (Tarjan's algorithm without recursion: the depth of the graph is
    /// input.)
    fn groups(&self, counts: impl Fn(&Edge) -> bool + Copy) -> Vec<BTreeSet<SpaceId>> {
        let systems: Vec<SpaceId> = self.edges.keys().copied().collect();
        let places = |edges: &Vec<Edge>| {
            let edges = edges.iter().filter(|edge| counts(edge));
            let known = edges.filter_map(|edge| systems.binary_search(&edge.part).ok());
            known.collect()
        };
        let mut search = Search {
            parts: self.edges.values().map(places).collect(),
            order: vec![None; systems.len()],
            is_open: vec![false; systems.len()],
            ..Search::default()
        };
        (0..systems.len()).for_each(|root| search.from(root));
        let groups = search.found.into_iter();
        let named = |group: Vec<usize>| {
            let members = group.into_iter().filter_map(|place| systems.get(place));
            members.copied().collect()
        };
        groups.map(named).collect()
    }
}

/// The state of the search for circles, over places instead of ids: a walk over ten thousand
/// Systems spends most of its time in comparing ids otherwise.
#[derive(Default)]
struct Search {
    parts: Vec<Vec<usize>>,
    /// When each was met, and the first of those that it reaches and that are open.
    order: Vec<Option<(usize, usize)>>,
    met: usize,
    open: Vec<usize>,
    is_open: Vec<bool>,
    found: Vec<Vec<usize>>,
}

impl Search {
    fn from(&mut self, root: usize) {
        if self.met_at(root).is_some() {
            return;
        }
        self.enter(root);
        // Each with how many of its parts were looked at.
        let mut walk = vec![(root, 0_usize)];
        while let Some((here, looked)) = walk.last_mut() {
            let here = *here;
            let parts = self.parts.get(here);
            if let Some(part) = parts.and_then(|parts| parts.get(*looked)).copied() {
                *looked += 1;
                match self.met_at(part) {
                    None => {
                        self.enter(part);
                        walk.push((part, 0));
                    }
                    Some((index, _)) if self.is_open.get(part) == Some(&true) => {
                        self.lower(here, index);
                    }
                    Some(_) => {}
                }
                continue;
            }
            walk.pop();
            let Some((index, low)) = self.met_at(here) else {
                continue;
            };
            if let Some((above, _)) = walk.last() {
                self.lower(*above, low);
            }
            if index == low {
                let from = self.open.iter().rposition(|open| *open == here);
                let group = self.open.split_off(from.unwrap_or(self.open.len()));
                for member in &group {
                    if let Some(is_open) = self.is_open.get_mut(*member) {
                        *is_open = false;
                    }
                }
                self.found.push(group);
            }
        }
    }

    fn met_at(&self, system: usize) -> Option<(usize, usize)> {
        self.order.get(system).copied().flatten()
    }

    fn enter(&mut self, system: usize) {
        if let Some(place) = self.order.get_mut(system) {
            *place = Some((self.met, self.met));
        }
        if let Some(is_open) = self.is_open.get_mut(system) {
            *is_open = true;
        }
        self.met += 1;
        self.open.push(system);
    }

    fn lower(&mut self, system: usize, low: usize) {
        if let Some(Some(place)) = self.order.get_mut(system) {
            place.1 = place.1.min(low);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(n: u8) -> SpaceId {
        SpaceId::from_bytes([n; 32])
    }

    fn graph(lists: &[(u8, &[u8])]) -> Graph {
        let mut graph = Graph::default();
        for (system, parts) in lists {
            let edge = |part: &u8| Edge {
                part: space(*part),
                label: part.to_string(),
                relation: Relation::Part,
                overrides: Override::NONE,
                weight: 1,
            };
            let edges = parts.iter().map(edge).collect();
            graph.add(space(*system), Operator::Worst, edges);
        }
        graph
    }

    #[test]
    fn a_problem_concerns_each_system_that_reaches_it_once_with_the_shortest_way() {
        let graph = graph(&[
            (1, &[2, 3]),
            (2, &[4]),
            (3, &[4, 1]),
            (4, &[]),
            (5, &[1]),
            (6, &[]),
        ]);
        let concerned = graph.concerned(space(4));
        let brief: Vec<_> = concerned.iter().map(|c| (c.system, c.path.len())).collect();
        assert_eq!(
            brief,
            [
                (space(4), 1),
                (space(2), 2),
                (space(3), 2),
                (space(1), 3),
                (space(5), 4)
            ]
        );
        assert_eq!(concerned[3].path, [space(1), space(2), space(4)]);
    }

    #[test]
    fn circles_are_found_parts_first() {
        let graph = graph(&[(1, &[2]), (2, &[3]), (3, &[1, 4]), (4, &[9]), (5, &[5])]);
        let circles = graph.circles();
        assert_eq!(circles[0], BTreeSet::from([space(4)]));
        assert_eq!(circles[1], BTreeSet::from([space(1), space(2), space(3)]));
        assert_eq!(circles[2], BTreeSet::from([space(5)]));
    }

    #[test]
    fn tops_are_what_no_other_system_lists() {
        let graph = graph(&[(1, &[2]), (2, &[7]), (5, &[5])]);
        assert_eq!(graph.tops(), BTreeSet::from([space(1), space(5)]));
        assert_eq!(graph.below(space(1)), [space(2), space(7)]);
    }

    #[test]
    fn a_circle_that_nothing_lists_is_at_the_top() {
        let circle = graph(&[(1, &[2]), (2, &[3]), (3, &[1, 4]), (4, &[])]);
        assert_eq!(circle.tops(), [space(1), space(2), space(3)].into());
        let listed = graph(&[(1, &[2]), (2, &[1]), (3, &[2])]);
        assert_eq!(listed.tops(), [space(3)].into());
    }

    #[test]
    fn of_a_circle_the_one_that_is_merely_used_by_its_parts_is_at_the_top() {
        let mut graph = graph(&[(1, &[2]), (2, &[1])]);
        let mut uses: Vec<Edge> = graph.edges(&space(1)).cloned().collect();
        for edge in &mut uses {
            edge.relation = Relation::Uses;
        }
        graph.add(space(1), Operator::Worst, uses.clone());
        assert_eq!(graph.tops(), [space(2)].into());
        for edge in &mut uses {
            edge.part = space(1);
        }
        graph.add(space(2), Operator::Worst, uses);
        assert_eq!(graph.tops(), [space(1), space(2)].into());
    }

    proptest::proptest! {
        #[test]
        fn every_system_is_at_the_top_or_below_one_that_is(
            links in proptest::collection::vec((0_u8..8, 0_u8..8, proptest::bool::ANY), 0..24),
        ) {
            let mut lists: BTreeMap<u8, Vec<Edge>> = (0..8).map(|n| (n, Vec::new())).collect();
            for (aggregate, part, uses) in links {
                lists.entry(aggregate).or_default().push(Edge {
                    part: space(part),
                    label: String::new(),
                    relation: if uses { Relation::Uses } else { Relation::Part },
                    overrides: Override::NONE,
                    weight: 1,
                });
            }
            let mut graph = Graph::default();
            for (system, edges) in lists {
                graph.add(space(system), Operator::Worst, edges);
            }
            let tops = graph.tops();
            let below = tops.iter().flat_map(|top| graph.below(*top));
            let found: BTreeSet<SpaceId> = below.chain(tops.iter().copied()).collect();
            proptest::prop_assert_eq!(found.len(), 8);
            for top in &tops {
                // Nothing stands above a top that is not below it too.
                let below = graph.below(*top);
                for above in graph.concerned(*top) {
                    proptest::prop_assert!(above.system == *top || below.contains(&above.system));
                }
            }
        }
    }

    #[test]
    fn a_very_deep_graph_does_not_exhaust_the_stack() {
        let mut graph = Graph::default();
        let space = |n: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            SpaceId::from_bytes(bytes)
        };
        for n in 0..20_000 {
            let edge = Edge {
                part: space(n + 1),
                label: String::new(),
                relation: Relation::Part,
                overrides: Override::NONE,
                weight: 1,
            };
            graph.add(space(n), Operator::Worst, vec![edge]);
        }
        assert_eq!(graph.circles().len(), 20_000);
        assert_eq!(graph.below(space(0)).len(), 20_000);
    }
}
