//! What changed before an alert: entries of the timelines around it, in the time before it began.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_sync_core::SpaceId;

use crate::alert::Alert;
use crate::snapshot::{Snapshot, TIMELINE_ITEMS_MAX, TimelineEvent, TimelineItem};

/// How far back is looked when nobody says otherwise.
pub const CHANGED_BEFORE_SPAN: Duration = Duration::from_hours(1);
/// How many entries are named.
pub const CHANGED_BEFORE_MAX: usize = 200;
/// How many Systems around an alert are looked at.
const AROUND_MAX: usize = 1_000;

/// Where something changed, seen from the System with the alert; in the order of suspicion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Near {
    /// In the System itself.
    Here,
    /// In something that it contains or uses.
    Below,
    /// In something that contains or uses it.
    Above,
    /// In another part of one of its aggregates.
    Beside,
}

/// Something that changed before an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<'a> {
    /// Where.
    pub near: Near,
    /// What.
    pub item: &'a TimelineItem,
}

/// What changed around the System of an alert within a span before it began, the newest first:
/// deployments, words of people, maintenance, who came and left, agents, and transitions of its neighbours. Not
/// the transition that is the alert itself, nor what people did about problems.
pub fn changed_before<'a>(
    snapshot: &'a Snapshot,
    alert: &Alert,
    span: Duration,
) -> Vec<Change<'a>> {
    let begin = alert.opened.minus(span);
    let mut found = Vec::new();
    for (near, space) in around(snapshot, alert.system) {
        let Some(view) = snapshot.system(&space) else {
            continue;
        };
        // Newest first, as in the snapshot.
        let items = view.timeline.iter();
        let items = items.skip_while(|item| item.at > alert.opened);
        let items = items.take_while(|item| item.at >= begin);
        let items = items.filter(|item| is_change(item, alert));
        found.extend(items.map(|item| Change { near, item }));
    }
    found.sort_by_key(|change| (Reverse(change.item.order()), change.near));
    // An agent that two Systems share tells each of them.
    found.dedup_by_key(|change| (change.item.id, change.item.author, change.item.at));
    found.truncate(CHANGED_BEFORE_MAX);
    found
}

/// Whether the timelines of a snapshot go back so far that all of that is in them.
pub fn reaches_before(snapshot: &Snapshot, alert: &Alert, span: Duration) -> bool {
    let begin = alert.opened.minus(span);
    let near = around(snapshot, alert.system);
    let mut views = near.iter().filter_map(|(_, space)| snapshot.system(space));
    views.all(|view| {
        let is_whole = view.timeline.len() < TIMELINE_ITEMS_MAX;
        is_whole || view.timeline.last().is_some_and(|item| item.at < begin)
    })
}

fn is_change(item: &TimelineItem, alert: &Alert) -> bool {
    match &item.event {
        TimelineEvent::Transition { check, .. } => {
            // How it was itself stands beside it; one that flaps would push all else out.
            !(item.system == alert.system && *check == alert.check)
        }
        TimelineEvent::Acknowledgement(_)
        | TimelineEvent::Claim(_)
        | TimelineEvent::Withdrawal(_)
        | TimelineEvent::Notification(_) => false,
        TimelineEvent::Quiet(quiet) => quiet.is_maintenance(),
        _ => true,
    }
}

/// Systems around one, each once, the most suspicious first.
fn around(snapshot: &Snapshot, system: SpaceId) -> Vec<(Near, SpaceId)> {
    let graph = &snapshot.graph;
    let below = graph.below(system).into_iter();
    let above = graph.concerned(system).into_iter().skip(1);
    let aggregates: Vec<_> = graph.aggregates(&system).collect();
    let beside = aggregates.iter().flat_map(|it| graph.edges(it));
    let beside = beside.map(|edge| edge.part);
    let all = [(Near::Here, system)]
        .into_iter()
        .chain(below.map(|space| (Near::Below, space)))
        .chain(above.map(|concerned| (Near::Above, concerned.system)))
        .chain(beside.map(|space| (Near::Beside, space)));
    let mut seen = BTreeSet::new();
    all.filter(|(_, space)| seen.insert(*space))
        .take(AROUND_MAX)
        .collect()
}
