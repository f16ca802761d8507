//! Problems without an alert that could be shown: that something was not heard leaves none behind when it is
//! over, and is known only to who listened. What stands on timelines is what people were told and said of it.

use std::borrow::Cow;
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
    /// Nobody looks any more since then: it was turned off, taken away or let out.
    Gone(Timestamp),
    /// Nothing here says that it is over.
    Unknown,
}

/// A problem of which people were told, or spoke, and that is no alert here.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage<'a> {
    /// Of which System.
    pub system: &'a SystemView,
    /// What the check, or the agent, is or was called; none where nobody knows any more.
    pub name: Option<String>,
    /// Whether it is an agent.
    pub is_agent: bool,
    /// How bad it was, as it was told.
    pub severity: Severity,
    /// Since when, as people were told; where no receipt says so, when they were first told or spoke.
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
            OutageEnd::Told(at) | OutageEnd::Heard(at) | OutageEnd::Gone(at) => Some(at),
            OutageEnd::Unknown => None,
        }
    }
}

/// What the entries of a timeline say of one alert, from its beginning to its end.
struct Story<'a> {
    check: CheckId,
    /// When people were first told of it, or first spoke, and when last.
    first: Timestamp,
    last: Timestamp,
    outage: Outage<'a>,
}

impl Story<'_> {
    /// A receipt says since when.
    fn opened(&mut self, opened: Option<Timestamp>) {
        if let Some(opened) = opened {
            self.outage.from = opened.min(self.outage.from);
        }
    }

    /// When nobody looked any more, if that was before a moment.
    fn gone(&self, before: Timestamp) -> Option<Timestamp> {
        let gone = self.outage.system.ended.get(&self.check).copied();
        gone.filter(|at| (self.outage.from..=before).contains(at))
    }

    fn is_in(&self, period: Period) -> bool {
        let outage = &self.outage;
        let end = outage.ends_at();
        period.has(outage.from) || period.has(self.first) || end.is_some_and(|at| period.has(at))
    }
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
    let mut found = told.found(period);
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
                    let Some(story) = self.story(about, severity, at) else {
                        continue;
                    };
                    story.opened(it.opened);
                    if receipt.stage.may_have_arrived() {
                        name(&mut story.outage.told, &receipt.receiver);
                    }
                }
                Some(State::Resolved) => {
                    if let Some(mut story) = self.open.remove(&it.alert()) {
                        story.opened(it.opened);
                        let gone = story.gone(at);
                        story.outage.end = gone.map_or(OutageEnd::Told(at), OutageEnd::Gone);
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
            first: at,
            last: at,
            outage: Outage {
                system: view,
                name: view.called(&check).map(Cow::into_owned),
                is_agent: is_agent(view, &check),
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

    /// Those of a period that no alert shows.
    fn found(self, period: Period) -> Vec<Outage<'a>> {
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
            let sign = sign_of(story.outage.system, &story.check);
            let heard = sign.filter(|at| *at > story.last).map(OutageEnd::Heard);
            let gone = story.gone(Timestamp::MAX).map(OutageEnd::Gone);
            story.outage.end = gone.or(heard).unwrap_or(OutageEnd::Unknown);
            (alert, story)
        });
        let stories = over.chain(open).map(|(_, story)| story);
        let stories = stories.filter(|story| story.is_in(period));
        stories.map(|story| story.outage).collect()
    }
}

/// Adds a name that is not there yet.
fn name(names: &mut Vec<String>, name: &str) {
    if !name.is_empty() && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// Whether an agent stands where a check does, also one that was removed.
fn is_agent(system: &SystemView, check: &CheckId) -> bool {
    let mut agents = system.agents.iter();
    agents.any(|agent| agent_check(&agent.space) == *check)
        || system
            .former_checks
            .iter()
            .any(|former| former.id == *check && former.is_agent)
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
