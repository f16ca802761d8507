//! What the next shift has to know, and what went on in a period of time: what drafts are made of.

mod outages;

use std::sync::Arc;

use aramaki_sync_core::{SpaceId, Timestamp};

use crate::alert::Alert;
use crate::id::ItemId;
use crate::maintenance::Maintenance;
use crate::silence::Silence;
use crate::snapshot::{Snapshot, SystemView, TimelineEvent, TimelineItem};
use crate::timeline_kind::TimelineKind;

pub use outages::{Outage, OutageEnd};

/// How many entries a draft names of each sort: a note has to be read.
pub const HANDOVER_ENTRIES_MAX: usize = 200;

/// With this begins what stands on a timeline when somebody changed what is observed.
pub const CHECKS_CHANGED: &str = "checks: ";

/// Whether an entry tells that what is observed was changed.
fn is_change(item: &TimelineItem) -> bool {
    let TimelineEvent::Message(message) = &item.event else {
        return false;
    };
    message.text.starts_with(CHECKS_CHANGED)
}

/// A period of time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

impl Period {
    fn has(self, at: Timestamp) -> bool {
        (self.from..=self.until).contains(&at)
    }
}

/// What a shift leaves behind.
#[derive(Clone, Debug, Default)]
pub struct Handover<'a> {
    /// What is still wrong, the worst and oldest first.
    pub open: Vec<&'a Alert>,
    /// What was wrong and is over, the newest first.
    pub over: Vec<&'a Alert>,
    /// What people were told of, or spoke of, and no alert shows: that something was not heard, the newest first.
    pub outages: Vec<Outage<'a>>,
    /// What was changed, the newest first: deployments, runs, agents, access.
    pub changed: Vec<&'a TimelineItem>,
    /// Words of people, the newest first.
    pub said: Vec<&'a TimelineItem>,
    /// What is silenced, and until when.
    pub silenced: Vec<(&'a SystemView, &'a (ItemId, Silence))>,
    /// Maintenance that goes on, or comes before as much time again has passed.
    pub maintenance: Vec<(&'a SystemView, &'a (ItemId, Maintenance))>,
}

impl<'a> Handover<'a> {
    /// What these Systems (all, if none is named) leave at the end of a period.
    pub fn of(snapshot: &'a Snapshot, systems: Option<&[SpaceId]>, period: Period) -> Self {
        let is_meant = |space: &SpaceId| systems.is_none_or(|systems| systems.contains(space));
        let alerts = snapshot.alerts.iter().map(Arc::as_ref);
        let (open, over): (Vec<_>, Vec<_>) = alerts
            .filter(|alert| is_meant(&alert.system))
            .partition(|alert| alert.is_open());
        let mut over: Vec<_> = over
            .into_iter()
            .filter(|alert| alert.resolved.is_some_and(|at| period.has(at)))
            .collect();
        over.sort_by_key(|alert| std::cmp::Reverse(alert.resolved));
        let of_kind = |kinds: &[TimelineKind], is_meant: fn(&TimelineItem) -> bool| {
            let items = entries(snapshot, systems, period, kinds);
            let items = items.filter(|item| is_meant(item));
            items.take(HANDOVER_ENTRIES_MAX).collect()
        };
        let views = snapshot.systems.iter().map(Arc::as_ref);
        let views: Vec<&SystemView> = views.filter(|it| is_meant(&it.space)).collect();
        let silences = views.iter().flat_map(|view| {
            let silences = view.silences.iter();
            silences.map(move |silence| (*view, silence))
        });
        let windows = views.iter().flat_map(|view| {
            let windows = view.maintenance.iter();
            windows.map(move |window| (*view, window))
        });
        let soon = period.until.plus(period.until.since(period.from));
        let now = period.until;
        Self {
            open: open.into_iter().take(HANDOVER_ENTRIES_MAX).collect(),
            over: over.into_iter().take(HANDOVER_ENTRIES_MAX).collect(),
            outages: {
                let outages = outages::outages(snapshot, systems, period);
                outages.into_iter().take(HANDOVER_ENTRIES_MAX).collect()
            },
            changed: of_kind(
                &[
                    TimelineKind::Deployment,
                    TimelineKind::Action,
                    TimelineKind::Agent,
                    TimelineKind::Access,
                    TimelineKind::Words,
                ],
                |item| TimelineKind::of(&item.event) != TimelineKind::Words || is_change(item),
            ),
            said: of_kind(&[TimelineKind::Words], |item| !is_change(item)),
            silenced: silences
                .filter(|(_view, (_item, silence))| silence.until > now)
                .take(HANDOVER_ENTRIES_MAX)
                .collect(),
            maintenance: windows
                .filter(|(_view, (_item, window))| {
                    let next = window.next_change(now);
                    window.covers(now) || next.is_some_and(|next| next <= soon)
                })
                .take(HANDOVER_ENTRIES_MAX)
                .collect(),
        }
    }
}

/// What stands on the timelines of these Systems (all, if none is named) within a period, of these kinds (all,
/// if none is named), the newest first.
pub fn entries<'a>(
    snapshot: &'a Snapshot,
    systems: Option<&[SpaceId]>,
    period: Period,
    kinds: &[TimelineKind],
) -> impl Iterator<Item = &'a TimelineItem> {
    let items: Vec<&'a Arc<TimelineItem>> = match systems {
        Some(systems) => snapshot.timeline_of(systems),
        None => snapshot.timeline.iter().collect(),
    };
    let items = items.into_iter().map(Arc::as_ref);
    items.filter(move |item| {
        let kind = TimelineKind::of(&item.event);
        period.has(item.at) && (kinds.is_empty() || kinds.contains(&kind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Message;
    use crate::id::EntryId;

    #[test]
    fn that_checks_were_turned_on_was_changed_and_not_said() {
        let at = Timestamp::from_millis(5);
        let item = |n: u8, text: &str| {
            Arc::new(TimelineItem {
                at,
                system: SpaceId::ZERO,
                id: EntryId::new(at, [n; 10]),
                author: None,
                who: String::new(),
                event: TimelineEvent::Message(Message {
                    at,
                    text: text.to_owned(),
                }),
            })
        };
        let turned_on = format!("{CHECKS_CHANGED}web turned on");
        let snapshot = Snapshot {
            timeline: [item(1, &turned_on), item(2, "all calm")]
                .into_iter()
                .collect(),
            ..Snapshot::default()
        };
        let period = Period {
            from: Timestamp::ZERO,
            until: at,
        };
        let shift = Handover::of(&snapshot, None, period);
        let text = |items: &[&TimelineItem]| match items {
            [item] => match &item.event {
                TimelineEvent::Message(message) => message.text.clone(),
                _ => String::new(),
            },
            _ => String::new(),
        };
        assert_eq!(text(&shift.changed), turned_on);
        assert_eq!(text(&shift.said), "all calm");
    }
}
