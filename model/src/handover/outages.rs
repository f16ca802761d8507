//! Problems without an alert that could be shown: that something was not heard leaves none behind when it is
//! over, and is known only to who listened. What stands on timelines is what people were told and said of it.

use std::collections::BTreeMap;

use aramaki_sync_core::{SpaceId, Timestamp};

use super::Period;
use crate::alert::{AlertId, AlertKind, agent_check};
use crate::id::CheckId;
use crate::notify::{Receipt, State};
use crate::severity::Severity;
use crate::snapshot::{Snapshot, SystemView, TimelineEvent, TimelineItem};

/// How an outage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutageEnd {
    /// People were told then that it is over.
    Told(Timestamp),
    /// Nobody was told so; this is a later sign of what was not heard.
    Heard(Timestamp),
    /// Nothing here says that it is over.
    Unknown,
}

/// A problem of which people were told, or spoke, and that is no alert here.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage<'a> {
    /// Of which System.
    pub system: &'a SystemView,
    /// What the check, or the agent, is called; empty where nobody knows any more.
    pub name: String,
    /// How bad it was, as it was told.
    pub severity: Severity,
    /// When people were first told of it, or first spoke.
    pub from: Timestamp,
    /// How it ended.
    pub end: OutageEnd,
    /// Who was told, as the policy calls them, in order.
    pub told: Vec<String>,
    /// Who knew of it, in order.
    pub known: Vec<String>,
}

impl Outage<'_> {
    /// Whether it is over as far as is known here.
    pub fn is_over(&self) -> bool {
        self.end != OutageEnd::Unknown
    }

    fn ends_at(&self) -> Option<Timestamp> {
        match self.end {
            OutageEnd::Told(at) | OutageEnd::Heard(at) => Some(at),
            OutageEnd::Unknown => None,
        }
    }
}

/// What the entries of a timeline say of one alert, from its beginning to its end.
struct Story<'a> {
    check: CheckId,
    system: SpaceId,
    last: Timestamp,
    outage: Outage<'a>,
}

/// Outages of these Systems (all, if none is named) that began or ended within a period, the newest first.
pub(super) fn outages<'a>(
    snapshot: &'a Snapshot,
    systems: Option<&[SpaceId]>,
    period: Period,
) -> Vec<Outage<'a>> {
    let mut told = Told {
        snapshot,
        systems,
        open: BTreeMap::new(),
        over: Vec::new(),
    };
    // A policy that tells of a part stands on the timeline of what the part belongs to.
    let mut items: Vec<&TimelineItem> = snapshot.timeline.iter().map(AsRef::as_ref).collect();
    items.retain(|item| item.at <= period.until);
    items.sort_by_key(|item| item.at);
    for item in items {
        told.take(item);
    }
    let mut found = told.found();
    found.retain(|outage| {
        period.has(outage.from) || outage.ends_at().is_some_and(|at| period.has(at))
    });
    found.sort_by_key(|outage| std::cmp::Reverse(outage.from));
    found
}

struct Told<'a, 's> {
    snapshot: &'a Snapshot,
    systems: Option<&'s [SpaceId]>,
    open: BTreeMap<AlertId, Story<'a>>,
    over: Vec<(AlertId, Story<'a>)>,
}

impl<'a> Told<'a, '_> {
    fn take(&mut self, item: &TimelineItem) {
        match &item.event {
            TimelineEvent::Notification(receipt) => self.receipt(item.at, receipt),
            TimelineEvent::Acknowledgement(said) => {
                let (Some(alert), Some(check)) = (said.alert, said.check) else {
                    return;
                };
                let about = (alert, item.system, check);
                if let Some(story) = self.story(about, Severity::Missing, item.at) {
                    name(&mut story.outage.known, &item.who);
                }
            }
            _ => {}
        }
    }

    fn receipt(&mut self, at: Timestamp, receipt: &Receipt) {
        for it in &receipt.items {
            match State::from_code(it.state) {
                Some(State::Problem(severity)) => {
                    let about = (it.alert(), it.system, it.check);
                    if let Some(story) = self.story(about, severity, at)
                        && receipt.stage.may_have_arrived()
                    {
                        name(&mut story.outage.told, &receipt.receiver);
                    }
                }
                Some(State::Resolved) => {
                    if let Some(mut story) = self.open.remove(&it.alert()) {
                        story.outage.end = OutageEnd::Told(at);
                        self.over.push((it.alert(), story));
                    }
                }
                Some(State::Acknowledged) | None => {}
            }
        }
    }

    /// The outage that goes on at a moment, which may begin by that.
    fn story(
        &mut self,
        (alert, system, check): (AlertId, SpaceId, CheckId),
        severity: Severity,
        at: Timestamp,
    ) -> Option<&mut Story<'a>> {
        if self
            .systems
            .is_some_and(|systems| !systems.contains(&system))
        {
            return None;
        }
        let view = self.snapshot.system(&system)?;
        let story = self.open.entry(alert).or_insert_with(|| Story {
            check,
            system,
            last: at,
            outage: Outage {
                system: view,
                name: called(view, &check),
                severity,
                from: at,
                end: OutageEnd::Unknown,
                told: Vec::new(),
                known: Vec::new(),
            },
        });
        story.last = at;
        Some(story)
    }

    /// Those that no alert shows.
    fn found(self) -> Vec<Outage<'a>> {
        let snapshot = self.snapshot;
        let is_shown = |alert: &AlertId, is_over: bool| {
            let shown = snapshot.alert(alert);
            // What is not heard has one id again and again.
            shown.is_some_and(|shown| !is_over || shown.kind == AlertKind::Problem)
        };
        let over = self.over.into_iter();
        let over = over.filter(|(alert, _)| !is_shown(alert, true));
        let open = self.open.into_iter();
        let open = open.filter(|(alert, _)| !is_shown(alert, false));
        let open = open.map(|(alert, mut story)| {
            let sign = snapshot.system(&story.system);
            let sign = sign.and_then(|view| sign_of(view, &story.check));
            if let Some(at) = sign.filter(|at| *at > story.last) {
                story.outage.end = OutageEnd::Heard(at);
            }
            (alert, story)
        });
        over.chain(open).map(|(_, story)| story.outage).collect()
    }
}

/// Adds a name that is not there yet.
fn name(names: &mut Vec<String>, name: &str) {
    if !name.is_empty() && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// What a check, or what stands where one does, is called or was.
fn called(system: &SystemView, check: &CheckId) -> String {
    let mut agents = system.agents.iter();
    if let Some(agent) = agents.find(|agent| agent_check(&agent.space) == *check) {
        return agent.label.clone();
    }
    let mut checks = system.checks.iter();
    if let Some(view) = checks.find(|view| view.check.id == *check) {
        return view.called().into_owned();
    }
    let mut former = system.former_checks.iter();
    let former = former.find(|former| former.id == *check);
    former
        .map(|it| it.called().into_owned())
        .unwrap_or_default()
}

/// The last sign of it.
fn sign_of(system: &SystemView, check: &CheckId) -> Option<Timestamp> {
    let mut agents = system.agents.iter();
    if let Some(agent) = agents.find(|agent| agent_check(&agent.space) == *check) {
        return agent.heard;
    }
    let mut checks = system.checks.iter();
    let view = checks.find(|view| view.check.id == *check)?;
    view.status.seen
}
