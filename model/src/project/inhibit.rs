//! Dependencies: which alerts follow from something that the System uses and that is broken itself.
//!
//! Three rules. It suppresses only the telling: states, sums and worklists are the same with and
//! without it. It suppresses only the beginning: who was told of a problem is told of its end. It
//! goes from one System to the next only through the real state of what lies between: what is OK,
//! or not known, passes nothing on. And because each step leads to another alert and never back,
//! somebody is always told of the one at the end.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::SpaceId;

use super::View;
use crate::alert::{AlertId, AlertKind, Hold};
use crate::graph::{Edge, Relation};
use crate::severity::Severity;

/// How many Systems are looked at for one that is broken.
const STEPS_MAX: usize = 10_000;

impl View {
    /// What suppresses the alerts of a System, if something does.
    pub(super) fn inhibition(&self, space: SpaceId) -> Option<Hold> {
        let mut path = vec![space];
        let mut last = None;
        let mut seen = BTreeSet::from([space]);
        let mut here = space;
        // On until nothing that is used is broken: that is what people are told of.
        while let Some((way, by)) = self.broken_use(here, &mut seen) {
            here = way.last().copied()?;
            path.extend(way);
            last = Some(by);
        }
        last.map(|by| Hold::Inhibited { path, by })
    }

    /// The worst alert in something that a System uses and that is critical as it is taken here,
    /// with the way to it. What contains or uses this System itself is left out: of a circle
    /// nobody would be told.
    fn broken_use(
        &self,
        space: SpaceId,
        seen: &mut BTreeSet<SpaceId>,
    ) -> Option<(Vec<SpaceId>, AlertId)> {
        let uses = self.graph.edges(&space);
        let uses = uses.filter(|edge| edge.relation == Relation::Uses);
        let broken = uses.filter(|edge| {
            !seen.contains(&edge.part)
                && self.graph.is_known(&edge.part)
                && !self.is_in_circle(space, edge.part)
                && self.raw.through(&self.graph, edge) == Some(Severity::Critical)
        });
        let broken: Vec<&Edge> = broken.collect();
        broken.into_iter().find_map(|edge| {
            let (way, by) = self.alert_below(edge.part, seen)?;
            seen.extend(way.iter().copied());
            Some((way, by))
        })
    }

    /// The nearest System at or below one with an open problem that makes it as bad as it is.
    fn alert_below(
        &self,
        top: SpaceId,
        seen: &BTreeSet<SpaceId>,
    ) -> Option<(Vec<SpaceId>, AlertId)> {
        let mut came_from = BTreeMap::from([(top, None)]);
        let mut queue = std::collections::VecDeque::from([top]);
        while let Some(here) = queue.pop_front() {
            if came_from.len() > STEPS_MAX {
                return None;
            }
            let state = self.raw.of(&self.graph, &here)?;
            if let Some(by) = self.open_problem(here, state) {
                let mut way = vec![here];
                let mut at = here;
                while let Some(Some(above)) = came_from.get(&at) {
                    way.push(*above);
                    at = *above;
                }
                way.reverse();
                return Some((way, by));
            }
            let parts = self.graph.rolled_edges(&here);
            let guilty = parts.filter(|edge| {
                self.graph.is_known(&edge.part)
                    && !seen.contains(&edge.part)
                    && self.raw.through(&self.graph, edge) >= Some(state)
            });
            for edge in guilty {
                if let std::collections::btree_map::Entry::Vacant(place) =
                    came_from.entry(edge.part)
                {
                    place.insert(Some(here));
                    queue.push_back(edge.part);
                }
            }
        }
        None
    }

    /// The first open alert of a System's own problems that are as bad as this.
    fn open_problem(&self, space: SpaceId, state: Severity) -> Option<AlertId> {
        let own = self.own.get(&space)?;
        let mut open = own.alerts.iter().filter(|alert| alert.is_open());
        let found = open.find(|alert| alert.kind == AlertKind::Problem && alert.severity >= state);
        found.map(|alert| alert.id)
    }

    /// Whether two Systems contain or use each other, however far around.
    fn is_in_circle(&self, one: SpaceId, other: SpaceId) -> bool {
        let group = self.bound.get(&one);
        group.is_some() && group == self.bound.get(&other)
    }
}
