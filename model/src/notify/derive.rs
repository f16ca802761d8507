//! From what is shown to what a notifier looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_sync_core::{AuthorId, SpaceId, Timestamp};

use super::facts::{Acknowledged, AlertFact, Muted, PolicyFact, Recurrence};
use super::record::{Mark, Record, Whose};
use crate::alert::{Alert, AlertId, AlertKind, AlertState, Hold};
use crate::entry::TimelineEntry;
use crate::severity::Severity;
use crate::snapshot::{Snapshot, SystemView};
use crate::workspace::{Content, Workspace};

/// What was told so long ago and is shown no more is of no concern: open problems are told again.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(30 * 24);

impl Workspace {
    /// What was told of which alert, from all timelines; `own` is who asks.
    pub fn told(&self, own: AuthorId) -> Record {
        let mut record = Record::default();
        for (space, open) in &self.spaces {
            for place in open.documents.values() {
                let Content::Timeline(entries) = &place.content else {
                    continue;
                };
                for written in entries {
                    let TimelineEntry::Notification(receipt) = &written.entry else {
                        continue;
                    };
                    let is_own = open.author(&written.actor) == Some(own);
                    let whose = if is_own { Whose::Own } else { Whose::Other };
                    record.take(*space, receipt, whose);
                }
            }
        }
        record
    }
}

/// The policies of all Systems that can be read here.
pub fn policies(snapshot: &Snapshot) -> BTreeMap<SpaceId, PolicyFact<'_>> {
    let systems = snapshot.systems.iter();
    let with_policy = systems.filter_map(|system| {
        let fact = PolicyFact {
            policy: system.policy.as_deref()?,
            overrides: &system.on_call,
        };
        Some((system.space, fact))
    });
    with_policy.collect()
}

/// Open alerts, and those that are over and of which somebody was told.
pub fn alerts(snapshot: &Snapshot, record: &Record) -> Vec<AlertFact> {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for alert in &snapshot.alerts {
        let counts = alert.is_open() || !record.of(&alert.id).is_empty();
        if counts && known.insert(alert.id) {
            found.push(fact(snapshot, alert));
        }
    }
    for (alert, marks) in record.alerts() {
        if !known.contains(alert)
            && let Some(newest) = marks.iter().max_by_key(|mark| (mark.at, mark.id))
            && snapshot.now.since(newest.at) < FORGOTTEN_AFTER
            && let Some(system) = snapshot.system(&newest.system)
        {
            found.extend(over(system, *alert, newest));
        }
    }
    found
}

fn fact(snapshot: &Snapshot, alert: &Alert) -> AlertFact {
    let quiet = alert.concerns.iter().filter(|concern| concern.is_quiet);
    let since = worst_since(alert);
    let system = snapshot.system(&alert.system);
    let ended = system.and_then(|system| ended(system, alert, snapshot.now));
    AlertFact {
        alert: alert.id,
        system: alert.system,
        check: alert.check,
        name: alert.name.clone(),
        summary: alert.summary.clone(),
        severity: alert.severity,
        worst: alert.worst,
        opened: alert.opened,
        since: ended.map_or(since, |ended| ended.max(since)),
        resolved: alert.resolved,
        acknowledged: acknowledged(alert),
        muted: muted(alert),
        quiet: quiet.map(|concern| concern.system).collect(),
        recurrence: match alert.kind {
            AlertKind::Problem => Recurrence::Never,
            AlertKind::Missing | AlertKind::Silent { .. } => Recurrence::Possible,
        },
    }
}

/// When it was as bad as it ever was for the first time.
fn worst_since(alert: &Alert) -> Timestamp {
    let states = alert.transitions.iter();
    let worst = states.filter(|(at, severity)| *at >= alert.opened && *severity == alert.worst);
    worst.map(|(at, _)| *at).min().unwrap_or(alert.opened)
}

fn muted(alert: &Alert) -> Option<Muted> {
    let hold = |hold: &Hold| match hold {
        Hold::Silence { .. } => Muted::Silenced,
        Hold::Maintenance { .. } => Muted::Maintenance,
        Hold::Inhibited { .. } => Muted::Inhibited,
    };
    let flapping = alert.is_flapping.then_some(Muted::Flapping);
    alert.holds.iter().map(hold).min().or(flapping)
}

/// The newest acknowledgement that holds.
fn acknowledged(alert: &Alert) -> Option<Acknowledged> {
    if alert.state != AlertState::Acknowledged {
        return None;
    }
    let holding = alert.acknowledgements.iter().filter(|it| it.holds);
    let newest = holding.max_by_key(|it| (it.at, it.entry))?;
    Some(Acknowledged {
        at: newest.at,
        by: newest.name.clone(),
        text: newest.text.clone(),
    })
}

/// When the last of what may have muted it was over. Something that muted another check of the System
/// costs this one no more than a later first step.
fn ended(system: &SystemView, alert: &Alert, now: Timestamp) -> Option<Timestamp> {
    let silences = system.silences.iter().filter_map(|(_, silence)| {
        let applies = silence.check.is_none_or(|check| check == alert.check);
        let is_over = silence.from < silence.until && silence.until <= now;
        (applies && is_over && silence.until >= alert.opened).then_some(silence.until)
    });
    let windows = system.maintenance.iter();
    let windows = windows.filter_map(|(_, window)| window.ended(now));
    let acknowledgements = alert.acknowledgements.iter().filter_map(|it| it.until);
    silences
        .chain(windows)
        .chain(acknowledgements.filter(|until| *until <= now))
        .max()
}

/// An alert of which somebody was told and that is shown no more; none while that is not known.
fn over(system: &SystemView, alert: AlertId, mark: &Mark) -> Option<AlertFact> {
    let view = system
        .checks
        .iter()
        .find(|view| view.check.id == mark.check);
    let view = view.filter(|view| view.check.enabled);
    let (at, recurrence) = match view {
        // Nobody looks any more, or an agent is heard again.
        None => (mark.at, Recurrence::Possible),
        // Long ago, or another problem by now.
        Some(view) if view.status.last == Some(Severity::Ok) || view.alert.is_some() => {
            let ok = view
                .history
                .iter()
                .rev()
                .find(|(_, severity)| severity.is_ok());
            (
                ok.map_or(mark.at, |(at, _)| mark.at.max(*at)),
                Recurrence::Possible,
            )
        }
        Some(_) => return None,
    };
    Some(AlertFact {
        alert,
        system: system.space,
        check: mark.check,
        name: view.map(|view| view.check.name.clone()).unwrap_or_default(),
        summary: view.map(|view| view.summary.clone()).unwrap_or_default(),
        severity: Severity::Ok,
        worst: Severity::Ok,
        opened: mark.at,
        since: mark.at,
        resolved: Some(at),
        acknowledged: None,
        muted: None,
        quiet: BTreeSet::new(),
        recurrence,
    })
}
