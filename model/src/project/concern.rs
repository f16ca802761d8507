//! Alerts of all Systems: whom each concerns, and their order.

use std::collections::BTreeSet;
use std::sync::Arc;

use aramaki_sync_core::SpaceId;

use super::{Changed, View};
use crate::alert::{Alert, AlertKind, Concern};
use crate::observer::Standing;
use crate::severity::Severity;
use crate::shared_list::SharedList;

/// From this share of all alerts on, one in so many, a list made anew is cheaper than its edits.
const MUCH: usize = 16;

impl View {
    /// Completes the alerts of these Systems by what the graph says; returns all in the order of a
    /// worklist.
    pub(super) fn complete_alerts(
        &mut self,
        shown: &BTreeSet<SpaceId>,
        changed: &Changed,
    ) -> SharedList<Arc<Alert>> {
        let mut all = self.snapshot.alerts.clone();
        if changed.reshaped {
            self.alerts.clear();
            all = SharedList::default();
        }
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        for space in shown {
            let complete = self.completed(*space);
            let before = self.alerts.get(space).map_or(&[][..], Vec::as_slice);
            if *before == *complete {
                continue;
            }
            gone.extend(before.iter().cloned());
            come.extend(complete.iter().cloned());
            if complete.is_empty() {
                self.alerts.remove(space);
            } else {
                self.alerts.insert(*space, complete);
            }
        }
        let is_much = (gone.len() + come.len()) * MUCH > all.len();
        let mut is_sound = !is_much;
        for alert in gone.iter().filter(|_| !is_much) {
            let order = alert.order();
            is_sound &= all.remove_sorted(|other| other.order().cmp(&order));
        }
        if is_sound {
            for alert in come {
                let order = alert.order();
                all.insert_sorted(alert, |other| other.order().cmp(&order));
            }
            return all;
        }
        let mut alerts: Vec<_> = self.alerts.values().flatten().cloned().collect();
        alerts.sort_by_cached_key(|alert| alert.order());
        alerts.into_iter().collect()
    }

    fn completed(&self, space: SpaceId) -> Vec<Arc<Alert>> {
        let Some(own) = self.own.get(&space).filter(|own| !own.alerts.is_empty()) else {
            return Vec::new();
        };
        let concerns = self.concerns(space, &BTreeSet::new());
        let is_open = own.alerts.iter().any(Alert::is_open);
        let inhibition = is_open.then(|| self.inhibition(space)).flatten();
        let complete = |alert: &Alert| {
            let mut holds = alert.holds.clone();
            holds.extend(inhibition.clone().filter(|_| alert.is_open()));
            let blind = self.blind(space, alert.kind);
            Arc::new(Alert {
                holds,
                concerns: if blind.is_empty() {
                    Arc::clone(&concerns)
                } else {
                    self.concerns(space, &blind)
                },
                blind,
                ..alert.clone()
            })
        };
        own.alerts.iter().map(complete).collect()
    }

    /// Systems that an agent of this one looks at and of which a check is Missing now that it is not heard.
    fn blind(&self, space: SpaceId, kind: AlertKind) -> BTreeSet<SpaceId> {
        let AlertKind::Silent { agent } = kind else {
            return BTreeSet::new();
        };
        let is_missing = |about: &SpaceId| {
            let checks = self.own.get(about).into_iter().flat_map(|own| &own.checks);
            let mut running = checks.filter(|view| view.check.enabled);
            running.any(|view| {
                let mut from = view.seen_from.iter();
                let looks = from.any(|it| it.system == space && it.agent == Some(agent));
                looks && view.status.raw == Severity::Missing
            })
        };
        let others = self
            .own
            .get(&space)
            .into_iter()
            .flat_map(|own| &own.for_others);
        let counting = others.filter(|it| it.standing == Standing::Counts);
        let systems: BTreeSet<SpaceId> = counting.map(|it| it.system).collect();
        systems.into_iter().filter(is_missing).collect()
    }

    /// Whom problems of a System concern that make others blind.
    fn concerns(&self, space: SpaceId, blind: &BTreeSet<SpaceId>) -> Arc<[Concern]> {
        let concerned = self.graph.concerned_with(space, blind).into_iter();
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
