//! Summing up: the states of parts, and the moments of which they tell, become those of aggregates.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::SpaceId;

use super::sum::sums;
use super::{Changed, View};
use crate::rollup::{self, RolledUp};

impl View {
    /// Sums up: everything when the graph changed, else what changed and all above it.
    pub(super) fn roll(&mut self, changed: &Changed) {
        if changed.reshaped {
            return self.roll_all();
        }
        let places = self.above(&changed.states, &self.circle_of);
        self.settle(places);
        for place in self.above(&changed.unheard, &self.bound) {
            self.tell(place);
        }
    }

    fn roll_all(&mut self) {
        self.tops = self.graph.tops();
        self.circles = self.graph.circles();
        self.circle_of = places(&self.circles);
        self.bounds = self.graph.bound();
        self.bound = places(&self.bounds);
        self.raw = RolledUp::default();
        self.effective = RolledUp::default();
        self.sums = sums(&self.graph, &self.own);
        self.settle(0..self.circles.len());
        self.told = BTreeMap::new();
        if !self.unheard.is_empty() {
            (0..self.bounds.len()).for_each(|place| self.tell(place));
        }
    }

    /// The groups of these Systems and of all that contain or use them, what is reached first.
    fn above(
        &self,
        systems: &BTreeSet<SpaceId>,
        group_of: &BTreeMap<SpaceId, usize>,
    ) -> BTreeSet<usize> {
        let concerned = systems.iter().flat_map(|it| self.graph.concerned(*it));
        let groups = concerned.filter_map(|concerned| group_of.get(&concerned.system));
        groups.copied().collect()
    }

    /// Sums up the states of these groups, parts first.
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

    /// Finds the earliest moment of which a group and all that it reaches tell. All of a group
    /// reach the same.
    fn tell(&mut self, place: usize) {
        let Some(group) = self.bounds.get(place) else {
            return;
        };
        let own = group.iter().filter_map(|system| self.unheard.get(system));
        let edges = group.iter().flat_map(|system| self.graph.edges(system));
        let outside = edges.filter(|edge| !group.contains(&edge.part));
        let below = outside.filter_map(|edge| self.told.get(&edge.part));
        match own.chain(below).min().copied() {
            Some(at) => self.told.extend(group.iter().map(|system| (*system, at))),
            None => group.iter().for_each(|system| {
                self.told.remove(system);
            }),
        }
    }
}

/// In which group each System is.
fn places(groups: &[BTreeSet<SpaceId>]) -> BTreeMap<SpaceId, usize> {
    let groups = groups.iter().enumerate();
    let members = groups.flat_map(|(place, group)| group.iter().map(move |it| (*it, place)));
    members.collect()
}
