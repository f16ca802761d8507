//! Timelines that reach further back than a snapshot does.

use std::sync::Arc;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::quiet::Quieted;
use super::timeline::newest_first;
use super::told::Told;
use super::{Seen, View};
use crate::snapshot::{Snapshot, TIMELINE_ITEMS_MAX, TimelineItem};
use crate::workspace::{OpenSpace, Workspace};

/// How many entries somebody may look at in one go.
pub const REACH_ITEMS_MAX: usize = 100_000;

/// How far back timelines are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelineReach {
    /// From when on.
    pub from: Timestamp,
    /// How many entries, of each System and of all together; the newest.
    pub items_max: usize,
}

impl TimelineReach {
    /// What every snapshot has.
    pub(super) const NEWEST: Self = Self {
        from: Timestamp::from_millis(i64::MIN),
        items_max: TIMELINE_ITEMS_MAX,
    };

    /// So many, however old.
    pub fn newest(items_max: usize) -> Self {
        Self {
            from: Timestamp::from_millis(i64::MIN),
            items_max: items_max.min(REACH_ITEMS_MAX),
        }
    }

    /// All since then, as many as fit.
    pub const fn since(from: Timestamp) -> Self {
        Self {
            from,
            items_max: REACH_ITEMS_MAX,
        }
    }
}

impl View {
    /// The snapshot that [`View::update`] of this Workspace gave last, in which the timelines of these Systems (of
    /// all, if none is named) reach that far back. The merged timeline is theirs alone.
    ///
    /// It reads their journals as a whole, so it is for whoever asks, not for each change.
    pub fn reaching_back(
        &self,
        workspace: &Workspace,
        systems: Option<&[SpaceId]>,
        reach: TimelineReach,
    ) -> Snapshot {
        let mut snapshot = Snapshot::clone(&self.snapshot);
        let wanted = self.own.keys().copied();
        let wanted = wanted.filter(|space| systems.is_none_or(|chosen| chosen.contains(space)));
        let wanted = wanted.collect();
        let told = Told::of(workspace, &wanted);
        let seen = Seen {
            view: self,
            workspace,
            told: &told,
            now: snapshot.now,
        };
        let mut merged: Vec<Arc<TimelineItem>> = Vec::new();
        for space in wanted {
            let Some(timeline) = seen.reaching_back(space, reach) else {
                continue;
            };
            merged.extend(timeline.iter().cloned());
            if merged.len() > reach.items_max.saturating_mul(2) {
                newest_first(&mut merged, reach.items_max, |item| item.order());
            }
            let place = snapshot.places.get(&space).copied();
            let known = place.and_then(|place| Some((place, snapshot.systems.get(place)?)));
            if let Some((place, known)) = known {
                let mut view = known.as_ref().clone();
                view.timeline = timeline;
                snapshot.systems.replace(place, Arc::new(view));
            }
        }
        newest_first(&mut merged, reach.items_max, |item| item.order());
        snapshot.timeline = merged;
        snapshot
    }
}

impl Seen<'_> {
    fn reaching_back(
        &self,
        space: SpaceId,
        reach: TimelineReach,
    ) -> Option<Vec<Arc<TimelineItem>>> {
        let open = self.workspace.spaces.get(&space)?;
        let (system, own) = (OpenSpace::system(open)?, self.view.own.get(&space)?);
        let quieted = Quieted {
            system,
            open,
            checks: &own.checks,
            alerts: &own.alerts,
            now: self.now,
        };
        Some(self.timeline(space, &quieted, reach))
    }
}
