//! Why a System is as bad as it is: the ways to what was observed, or is not known.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use aramaki_sync_core::{SpaceId, Timestamp};

use crate::alert::{Alert, AlertId, AlertKind, Hold};
use crate::graph::Relation;
use crate::id::CheckId;
use crate::rollup::Operator;
use crate::severity::Severity;
use crate::snapshot::{Access, Observed, PartView, Snapshot, SystemView};

/// How many causes of one System are named.
pub const ROOT_CAUSES_MAX: usize = 100;

/// What is at the end of a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// A check that is not OK, or an agent that is not heard.
    Check {
        /// Which one.
        check: CheckId,
        /// What it is called.
        name: String,
        /// What it said last.
        summary: String,
        /// Its alert, or that of an agent that is not heard.
        alert: Option<AlertId>,
    },
    /// A System that cannot be read here.
    NotShared,
    /// No part is so bad by itself: the way in which the aggregate sums them up makes it so. More
    /// are needed than there are, or more than one is there where one is to be.
    Sum(Operator),
}

/// One reason for the state of a System.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootCause {
    /// The way to it: the System that was asked about first, each with its title or label.
    pub path: Vec<(SpaceId, String)>,
    /// How bad it is there.
    pub severity: Severity,
    /// Since when, as far as known.
    pub since: Option<Timestamp>,
    /// What was observed there.
    pub leaf: Leaf,
}

impl RootCause {
    /// The way in one line: `checkout → db02 → osd.17`.
    pub fn way(&self) -> String {
        let names: Vec<_> = self.path.iter().map(|(_, name)| name.as_str()).collect();
        names.join(" → ")
    }

    /// The way and its end in one line: `checkout → db02: replication: lag 41 s`.
    pub fn words(&self) -> String {
        let way = self.way();
        match &self.leaf {
            Leaf::Check { name, summary, .. } if summary.is_empty() => format!("{way}: {name}"),
            Leaf::Check { name, summary, .. } => format!("{way}: {name}: {summary}"),
            Leaf::NotShared => format!("{way}: not shared"),
            Leaf::Sum(operator) => format!("{way}: by its rule, {operator}"),
        }
    }
}

/// Why a System is as bad as it is, by raw states: the ways to all that makes it so, the worst
/// first, then the oldest. Nothing when it is OK, not observed, or cannot be read here.
///
/// A way follows the parts that are at least as bad as what they make of their aggregate. Where a
/// check fails because something that its System uses is broken (its alert is inhibited), the way
/// goes on to that. Every System is visited once, so it ends on any graph.
pub fn root_causes(snapshot: &Snapshot, system: SpaceId) -> Vec<RootCause> {
    let mut walk = Walk {
        snapshot,
        seen: BTreeSet::from([system]),
        found: Vec::new(),
    };
    if let Some(view) = snapshot.system(&system) {
        let is_observed = view.status.observed == Observed::Yes;
        if is_observed && !view.status.raw.is_ok() {
            walk.from(view);
        }
    }
    let mut found = walk.found;
    found.sort_by_key(|cause| {
        let oldest = cause.since.is_none();
        (
            Reverse(cause.severity),
            oldest,
            cause.since,
            cause.path.len(),
        )
    });
    found.truncate(ROOT_CAUSES_MAX);
    found
}

/// Why an alert came about: the way to what it follows, or what was observed there. What else is wrong in its
/// System is no cause of it.
pub fn cause_of(snapshot: &Snapshot, alert: &Alert) -> RootCause {
    let walk = Walk {
        snapshot,
        seen: BTreeSet::new(),
        found: Vec::new(),
    };
    let path = vec![(alert.system, alert.title.clone())];
    walk.beyond(alert, &path)
        .unwrap_or_else(|| leaf(alert, path))
}

/// An alert at the end of a way.
fn leaf(alert: &Alert, path: Vec<(SpaceId, String)>) -> RootCause {
    RootCause {
        path,
        severity: alert.severity,
        since: Some(alert.since),
        leaf: Leaf::Check {
            check: alert.check,
            name: alert.called().into_owned(),
            summary: alert.summary.clone(),
            alert: Some(alert.id),
        },
    }
}

struct Walk<'a> {
    snapshot: &'a Snapshot,
    seen: BTreeSet<SpaceId>,
    found: Vec<RootCause>,
}

impl<'a> Walk<'a> {
    /// Walks down without recursion: the depth of the graph is input.
    fn from(&mut self, top: &'a SystemView) {
        let path = vec![(top.space, top.title.clone())];
        let mut open = vec![(top, path)];
        while let Some((view, path)) = open.pop() {
            // Sorting comes later, so a few more than are named.
            if self.found.len() > 4 * ROOT_CAUSES_MAX {
                return;
            }
            let before = self.found.len() + open.len();
            self.checks(view, &path);
            self.agents(view, &path);
            self.hidden(view, &path);
            let parts = view.parts.iter().rev();
            let guilty = parts.filter(|part| {
                part.relation == Relation::Part && part.raw >= Some(view.status.raw)
            });
            let mut is_known_already = false;
            for part in guilty {
                if !self.seen.insert(part.space) {
                    is_known_already = true;
                    continue;
                }
                let way: Vec<_> = path.iter().cloned().chain([named(part)]).collect();
                match self.snapshot.system(&part.space) {
                    Some(below) if part.access == Access::Readable => open.push((below, way)),
                    _ => self.found.push(RootCause {
                        path: way,
                        severity: Severity::Missing,
                        since: None,
                        leaf: Leaf::NotShared,
                    }),
                }
            }
            if self.found.len() + open.len() == before && !is_known_already {
                self.found.push(RootCause {
                    path,
                    severity: view.status.raw,
                    since: view.status.since,
                    leaf: Leaf::Sum(view.aggregation),
                });
            }
        }
    }

    /// The System's own checks that are as bad as it is.
    fn checks(&mut self, view: &SystemView, path: &[(SpaceId, String)]) {
        let enabled = view.checks.iter().filter(|check| check.check.enabled);
        let guilty = enabled.filter(|check| check.worst() >= view.status.raw);
        for check in guilty.filter(|check| !check.worst().is_ok()) {
            let alert = check.alert.or_else(|| {
                let mut missing = view.alerts.iter().filter(|alert| alert.is_open());
                let missing = missing.find(|alert| alert.severity == check.worst());
                missing.map(|alert| alert.id)
            });
            let here = RootCause {
                path: path.to_vec(),
                severity: check.worst(),
                since: check.worst_since(),
                leaf: Leaf::Check {
                    check: check.check.id,
                    name: check.called().into_owned(),
                    summary: check.summary.clone(),
                    alert,
                },
            };
            let alert = view.alerts.iter().find(|own| Some(own.id) == alert);
            let beyond = alert.and_then(|alert| self.beyond(alert, path));
            self.found.push(beyond.unwrap_or(here));
        }
    }

    /// Its agents that are not heard, where nothing worse is known and no check that they look at says so already.
    fn agents(&mut self, view: &SystemView, path: &[(SpaceId, String)]) {
        let missed = view.alerts.iter().filter(|alert| alert.is_open());
        let missed = missed.filter(|it| matches!(it.kind, AlertKind::Silent { .. }));
        for alert in missed.filter(|it| it.severity >= view.status.raw) {
            let mut named = self.found.iter();
            let is_named = named.any(|cause| match &cause.leaf {
                Leaf::Check { alert: of, .. } => *of == Some(alert.id),
                Leaf::NotShared | Leaf::Sum(_) => false,
            });
            if !is_named {
                self.found.push(leaf(alert, path.to_vec()));
            }
        }
    }

    /// Whose agents look at the System and cannot be read here, where nothing worse is known.
    fn hidden(&mut self, view: &SystemView, path: &[(SpaceId, String)]) {
        let hidden = view.observers.iter().filter(|it| it.checks.is_none());
        let guilty = hidden.filter(|_| view.status.raw == Severity::Missing);
        self.found.extend(guilty.map(|it| {
            let there = [(it.space, it.label.clone())];
            RootCause {
                path: path.iter().cloned().chain(there).collect(),
                severity: Severity::Missing,
                since: None,
                leaf: Leaf::NotShared,
            }
        }));
    }

    /// The way on to what makes an alert come about.
    fn beyond(&self, alert: &Alert, path: &[(SpaceId, String)]) -> Option<RootCause> {
        let (further, by) = alert.holds.iter().find_map(|hold| match hold {
            Hold::Inhibited { path, by } => Some((path, by)),
            Hold::Silence { .. } | Hold::Maintenance { .. } => None,
        })?;
        let end = self.snapshot.system(further.last()?)?;
        let cause = end.alerts.iter().find(|alert| alert.id == *by)?;
        let further = further.iter().skip(1).map(|space| {
            let title = self.snapshot.system(space).map(|view| view.title.clone());
            (*space, title.unwrap_or_else(|| space.short()))
        });
        Some(RootCause {
            path: path.iter().cloned().chain(further).collect(),
            severity: cause.severity,
            since: Some(cause.since),
            leaf: Leaf::Check {
                check: cause.check,
                name: cause.name.clone(),
                summary: cause.summary.clone(),
                alert: Some(cause.id),
            },
        })
    }
}

fn named(part: &PartView) -> (SpaceId, String) {
    (part.space, part.label.clone())
}
