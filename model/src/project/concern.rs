//! Alerts of all Systems: whom each concerns, and their order.

use std::collections::BTreeSet;
use std::sync::Arc;

use aramaki_sync_core::SpaceId;

use super::{Changed, View};
use crate::alert::{Alert, Concern};

impl View {
    /// Completes the alerts of these Systems by what the graph says; returns all in the order of a
    /// worklist.
    pub(super) fn complete_alerts(
        &mut self,
        shown: &BTreeSet<SpaceId>,
        changed: &Changed,
    ) -> Arc<Vec<Arc<Alert>>> {
        let mut is_changed = changed.reshaped;
        if changed.reshaped {
            self.alerts.clear();
        }
        for space in shown {
            let complete = self.completed(*space);
            is_changed |= !complete.is_empty() || self.alerts.contains_key(space);
            if complete.is_empty() {
                self.alerts.remove(space);
            } else {
                self.alerts.insert(*space, complete);
            }
        }
        if !is_changed {
            return Arc::clone(&self.snapshot.alerts);
        }
        let kept = self.snapshot.alerts.iter();
        let kept = kept.filter(|alert| !changed.reshaped && !shown.contains(&alert.system));
        let fresh = shown.iter().filter_map(|space| self.alerts.get(space));
        let mut all: Vec<_> = kept.chain(fresh.flatten()).cloned().collect();
        // Runs that are sorted already are merged: no key is computed beforehand.
        all.sort_by_key(|alert| alert.order());
        Arc::new(all)
    }

    fn completed(&self, space: SpaceId) -> Vec<Arc<Alert>> {
        let Some(own) = self.own.get(&space).filter(|own| !own.alerts.is_empty()) else {
            return Vec::new();
        };
        let concerns = self.concerns(space);
        let is_open = own.alerts.iter().any(Alert::is_open);
        let inhibition = is_open.then(|| self.inhibition(space)).flatten();
        let complete = |alert: &Alert| {
            let mut holds = alert.holds.clone();
            holds.extend(inhibition.clone().filter(|_| alert.is_open()));
            Arc::new(Alert {
                holds,
                concerns: Arc::clone(&concerns),
                ..alert.clone()
            })
        };
        own.alerts.iter().map(complete).collect()
    }

    /// Whom problems of a System concern.
    fn concerns(&self, space: SpaceId) -> Arc<[Concern]> {
        let concerned = self.graph.concerned(space).into_iter();
        let concern = concerned.map(|concerned| {
            let above = concerned.path.iter().filter(|system| **system != space);
            Concern {
                is_quiet: above.into_iter().any(|system| self.quiet.contains(system)),
                system: concerned.system,
                path: concerned.path,
            }
        });
        concern.collect()
    }
}
