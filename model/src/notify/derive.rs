//! From what is shown to what a notifier looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_sync_core::{AuthorId, SpaceId, Timestamp};

use super::facts::{Acknowledged, AlertFact, Muted, PolicyFact, Recurrence};
use super::receipt::State;
use super::record::{Mark, Record, Whose};
use crate::alert::{Alert, AlertId, AlertKind, AlertState, Hold, agent_check};
use crate::check_state::LOOKED_AT_NO_MORE;
use crate::entry::TimelineEntry;
use crate::severity::Severity;
use crate::snapshot::{CheckView, Snapshot, SystemView};
use crate::workspace::{Content, Workspace};

/// What was told so long ago and is shown no more is of no concern: open problems are told again.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(30 * 24);
/// What people are told of an agent.
const AGENT_SILENT: &str = "the agent is not heard any more";
const AGENT_HEARD: &str = "the agent is heard again";
/// What people are told of a check without a fresh result; what it said last follows.
const CHECK_SILENT: &str = "no fresh result; the last one was";
const CHECK_WITHOUT_RESULT: &str = "no result";
/// Times of removals are whole seconds.
const REMOVALS_TO: Duration = Duration::from_secs(1);
/// What it is called, because its name went with it.
const REMOVED_NAME: &str = "a check or agent that was removed";

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
        let is_told = !record.of(&alert.id).is_empty();
        let counts = alert.is_open() && alert.sure_from.is_some() || is_told;
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
            found.extend(over(system, *alert, newest, marks, snapshot.now));
        }
    }
    found
}

fn fact(snapshot: &Snapshot, alert: &Alert) -> AlertFact {
    let quiet = alert.concerns.iter().filter(|concern| concern.is_quiet);
    let since = worst_since(alert);
    let system = snapshot.system(&alert.system);
    let ended = system.and_then(|system| ended(system, alert, snapshot.now));
    let since = ended.map_or(since, |ended| ended.max(since));
    AlertFact {
        alert: alert.id,
        system: alert.system,
        check: alert.check,
        name: alert.name.clone(),
        machine: alert.machine.clone(),
        summary: summary(alert),
        severity: alert.severity,
        worst: alert.worst,
        opened: alert.opened,
        since: alert.sure_from.map_or(since, |sure| sure.max(since)),
        resolved: alert.resolved,
        acknowledged: acknowledged(alert),
        muted: muted(alert),
        quiet: quiet.map(|concern| concern.system).collect(),
        blind: alert.blind.clone(),
        recurrence: match alert.kind {
            AlertKind::Problem => Recurrence::Never,
            AlertKind::Missing | AlertKind::Silent { .. } => Recurrence::Possible,
        },
        heard: match alert.kind {
            AlertKind::Problem => None,
            AlertKind::Missing | AlertKind::Silent { .. } => alert.seen,
        },
    }
}

/// What people are told of it in a line.
fn summary(alert: &Alert) -> String {
    match alert.kind {
        // It ended because whoever saw it was removed.
        AlertKind::Problem if alert.was_left() => LOOKED_AT_NO_MORE.to_owned(),
        AlertKind::Problem => alert.summary.clone(),
        AlertKind::Silent { .. } => AGENT_SILENT.to_owned(),
        AlertKind::Missing if alert.summary.is_empty() => CHECK_WITHOUT_RESULT.to_owned(),
        AlertKind::Missing => format!("{CHECK_SILENT}: {}", alert.summary),
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
fn over(
    system: &SystemView,
    alert: AlertId,
    newest: &Mark,
    marks: &[Mark],
    now: Timestamp,
) -> Option<AlertFact> {
    let mut agents = system.agents.iter();
    let agent = agents.find(|it| agent_check(&it.space) == newest.check);
    let view = system
        .checks
        .iter()
        .find(|view| view.check.id == newest.check && view.check.enabled);
    let known = system.name_of(&newest.check);
    let first = began(marks).unwrap_or(newest);
    let began = first.at.min(now);
    let opened = first.opened.filter(|opened| *opened <= now);
    // That one receiver was told of the end says nothing to the others.
    let told = marks.iter();
    let told = told.filter(|mark| mark.state != Some(State::Resolved));
    let told = told.max_by_key(|mark| (mark.at, mark.id));
    let told = told.unwrap_or(newest).at;
    let (at, name, summary) = match (agent, view) {
        // An agent is heard again, or it is not known yet, because nobody listens.
        (Some(agent), _) => {
            // Heartbeats come soon; what is remembered of before a restart may be of between two outages.
            let heard = agent.heard.filter(|at| *at > told.min(now))?;
            let back = agent.back.filter(|at| *at > began);
            (back.unwrap_or(heard), agent.label.as_str(), AGENT_HEARD)
        }
        // Nobody looks any more.
        (None, None) => {
            let ended = system.ended.get(&newest.check).copied();
            let ended = ended.filter(|at| at.plus(REMOVALS_TO) > began);
            (
                ended.unwrap_or(told),
                known.map_or(REMOVED_NAME, |(_, name)| name),
                LOOKED_AT_NO_MORE,
            )
        }
        (None, Some(view)) => (
            recovered(view, (opened, began, told), marks)?,
            view.check.name.as_str(),
            view.summary.as_str(),
        ),
    };
    Some(AlertFact {
        alert,
        system: system.space,
        check: newest.check,
        name: name.to_owned(),
        machine: match (agent, view) {
            (Some(_), _) => None,
            (None, Some(view)) => view.machine.clone(),
            (None, None) => known.and_then(|(machine, _)| machine.map(str::to_owned)),
        },
        summary: summary.to_owned(),
        severity: Severity::Ok,
        worst: Severity::Ok,
        // Of an older notifier it is known when somebody was told.
        opened: opened.unwrap_or(began).min(at),
        since: began,
        resolved: Some(at),
        acknowledged: None,
        muted: None,
        quiet: BTreeSet::new(),
        blind: BTreeSet::new(),
        recurrence: Recurrence::Possible,
        heard: None,
    })
}

/// The first telling of the problem that was told last: those of before stand under the same id.
fn began(marks: &[Mark]) -> Option<&Mark> {
    let problems = marks.iter();
    let problems = problems.filter(|mark| matches!(mark.state, Some(State::Problem(_))));
    let newest = problems.clone().map(|mark| mark.at).max()?;
    let ends = marks.iter();
    let ends = ends.filter(|mark| mark.state == Some(State::Resolved) && mark.at < newest);
    let ended = ends.map(|mark| mark.at).max();
    problems
        .filter(|mark| Some(mark.at) > ended)
        .min_by_key(|mark| (mark.at, mark.id))
}

/// When a problem of a check was over of which somebody was told; none while it may be there.
fn recovered(
    view: &CheckView,
    (opened, began, told): (Option<Timestamp>, Timestamp, Timestamp),
    marks: &[Mark],
) -> Option<Timestamp> {
    let missing = Some(State::Problem(Severity::Missing));
    if marks.iter().any(|mark| mark.state == missing) {
        // Silence is over when something is heard, not when nobody listens. What was known when it was told was
        // older than the time to live: a newer result was not known then, though it may be of before.
        let known = began.minus(Duration::from_millis(view.check.ttl_ms()));
        let seen = view.status.seen.filter(|at| *at > known)?;
        // No sign ended it: the check has longer now, and is not missed any more.
        let is_given_longer = opened.is_some_and(|opened| seen < opened);
        return Some(if is_given_longer { told } else { seen });
    }
    // Long ago, or another problem by now.
    if view.status.last != Some(Severity::Ok) && view.alert.is_none() {
        return None;
    }
    let mut states = view.history.iter().rev();
    let ok = states.find(|(_, severity)| severity.is_ok());
    Some(ok.map_or(told, |(at, _)| told.max(*at)))
}
