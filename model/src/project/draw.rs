//! Drawing the snapshot: all of it when the graph changed, else what shows a change.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::timeline::newest_first;
use super::told::Told;
use super::{Changed, Seen, View};
use crate::SeverityCounts;
use crate::finding::Finding;
use crate::severity::Severity;
use crate::shared_list::SharedList;
use crate::snapshot::{CategoryView, Rank, Snapshot, SystemView, TIMELINE_ITEMS_MAX, TimelineItem};
use crate::workspace::{OpenSpace, Workspace};

/// All Systems by title, and where each stands.
type Places = (SharedList<Arc<SystemView>>, Arc<BTreeMap<SpaceId, usize>>);

/// What the overview says: categories, and how many are in each state.
type Overview = (Vec<CategoryView>, SeverityCounts);

impl View {
    /// The Systems that show a change: all when the graph changed.
    fn shown(&self, changed: &Changed) -> BTreeSet<SpaceId> {
        if changed.reshaped {
            return self.own.keys().copied().collect();
        }
        let mut shown = changed.own.clone();
        for space in &changed.above {
            shown.extend(self.graph.concerned(*space).iter().map(|c| c.system));
        }
        for space in &changed.titles {
            // Parts show the titles of who lists them.
            shown.extend(self.graph.edges(space).map(|edge| edge.part));
        }
        for space in &changed.quieted {
            shown.extend(self.graph.below(*space));
        }
        // Whom the alert of a silent agent concerns depends on those at which it looks.
        let beside = shown.iter().filter_map(|space| self.looked_from.get(space));
        let beside: Vec<SpaceId> = beside.flatten().copied().collect();
        shown.extend(beside);
        shown
    }

    /// Draws the snapshot.
    pub(super) fn draw(&mut self, workspace: &Workspace, now: Timestamp, changed: &Changed) {
        let shown = self.shown(changed);
        let alerts = self.complete_alerts(&shown, changed);
        let fresh = self.fresh(workspace, now, changed, &shown);
        let is_overview_new = changed.reshaped || fresh.values().any(|it| self.is_placed_anew(it));
        if changed.reshaped {
            self.anchors.clear();
        }
        for view in fresh.values() {
            match view.rank {
                Rank::Anchor => self.anchors.insert(view.space),
                Rank::Below => self.anchors.remove(&view.space),
            };
        }
        let timeline = self.timeline(changed);
        let (systems, places) = self.placed(changed, fresh);
        let (categories, counts) = if is_overview_new {
            overview(&self.anchors, &systems, &places)
        } else {
            (self.snapshot.categories.clone(), self.snapshot.counts)
        };
        let findings = if changed.findings {
            self.all_findings()
        } else {
            self.snapshot.findings.clone()
        };
        self.snapshot = Arc::new(Snapshot {
            now,
            version: workspace.version,
            systems,
            categories,
            counts,
            timeline,
            findings,
            alerts,
            graph: Arc::clone(&self.graph),
            places,
        });
    }

    /// What these Systems show now.
    fn fresh(
        &self,
        workspace: &Workspace,
        now: Timestamp,
        changed: &Changed,
        shown: &BTreeSet<SpaceId>,
    ) -> BTreeMap<SpaceId, Arc<SystemView>> {
        let seen = Seen {
            view: self,
            workspace,
            told: &Told::default(),
            now,
        };
        let fresh = shown.iter().filter_map(|space| {
            let open = workspace.spaces.get(space)?;
            let (system, own) = (OpenSpace::system(open)?, self.own.get(space)?);
            let before = self.snapshot.system(space).filter(|_| !changed.reshaped);
            let parts = match before {
                Some(before) => seen.parts_after(space, &before.parts, shown),
                None => seen.part_views(*space),
            };
            let view = seen.system_view((*space, system), open, own, parts);
            Some((*space, Arc::new(view)))
        });
        fresh.collect()
    }

    /// Whether a System stands elsewhere in the overview than before.
    fn is_placed_anew(&self, view: &SystemView) -> bool {
        let before = self.snapshot.system(&view.space);
        before.is_none_or(|before| place_in_overview(before) != place_in_overview(view))
    }

    /// All Systems by title, after these changed.
    fn placed(&self, changed: &Changed, fresh: BTreeMap<SpaceId, Arc<SystemView>>) -> Places {
        let old = &self.snapshot;
        if !changed.reshaped && changed.titles.is_empty() {
            let mut systems = old.systems.clone();
            for (space, view) in fresh {
                if let Some(place) = old.places.get(&space) {
                    systems.replace(*place, view);
                }
            }
            return (systems, Arc::clone(&old.places));
        }
        let kept = old.systems.iter();
        let kept = kept.filter(|view| !changed.reshaped && !fresh.contains_key(&view.space));
        let mut systems: Vec<_> = kept.chain(fresh.values()).cloned().collect();
        systems.sort_by(|a, b| (&a.title, a.space).cmp(&(&b.title, b.space)));
        let places = systems.iter().enumerate();
        let places = places.map(|(place, view)| (view.space, place)).collect();
        (systems.into_iter().collect(), Arc::new(places))
    }

    /// All timelines merged after some changed: entries only come, so the newest of what was and
    /// of what changed are the newest of all; unless some went.
    fn timeline(&self, changed: &Changed) -> Vec<Arc<TimelineItem>> {
        let old = &self.snapshot.timeline;
        let is_kept = |item: &Arc<TimelineItem>| {
            let own = self.own.get(&item.system);
            own.is_some_and(|own| {
                let place = |now: &Arc<TimelineItem>| item.order().cmp(&now.order());
                own.timeline.binary_search_by(place).is_ok()
            })
        };
        let touched = |item: &&Arc<TimelineItem>| changed.own.contains(&item.system);
        let is_anew = changed.reshaped || !old.iter().filter(touched).all(is_kept);
        let mut items: Vec<_> = if is_anew {
            let all = self.own.values().flat_map(|own| &own.timeline);
            all.cloned().collect()
        } else {
            let kept = old.iter().filter(|item| !touched(item));
            let own = changed.own.iter().filter_map(|space| self.own.get(space));
            kept.chain(own.flat_map(|own| &own.timeline))
                .cloned()
                .collect()
        };
        newest_first(&mut items, TIMELINE_ITEMS_MAX, |item| item.order());
        items
    }

    fn all_findings(&self) -> SharedList<Finding> {
        let own = self.findings.values().flatten();
        own.chain(self.foreign.values()).cloned().collect()
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
fn overview(
    anchors: &BTreeSet<SpaceId>,
    systems: &SharedList<Arc<SystemView>>,
    places: &BTreeMap<SpaceId, usize>,
) -> Overview {
    let places = anchors.iter().filter_map(|anchor| places.get(anchor));
    let placed = places.filter_map(|place| Some((place, systems.get(*place)?)));
    let mut anchors: Vec<_> = placed.collect();
    // Equal states stay in the order of titles.
    anchors.sort_by_key(|(place, view)| (Reverse(view.status.effective), *place));
    let states = anchors.iter().map(|(_, view)| view.status.effective);
    let counts = states.collect();
    let mut categories: BTreeMap<&str, Vec<SpaceId>> = BTreeMap::new();
    for (_, anchor) in anchors {
        let places = categories.entry(&anchor.category).or_default();
        places.push(anchor.space);
    }
    let category = |(name, anchors): (&str, _)| CategoryView {
        name: name.to_owned(),
        anchors,
    };
    (categories.into_iter().map(category).collect(), counts)
}
