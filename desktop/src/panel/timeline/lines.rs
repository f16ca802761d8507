//! What stands on the page: entries and runs, of all Systems or of one and its parts.

use std::sync::Arc;

use aramaki_model::snapshot::{TIMELINE_ITEMS_MAX, TimelineItem};
use aramaki_model::{EntryId, Snapshot, TimelineKind};
use aramaki_sync_core::SpaceId;

use super::{EARLIER_ITEMS_MAX, ran_words, words};
use crate::view::Frame;
use crate::view::actions::Ran;
use crate::view::earlier::Earlier;
use crate::widget::Look;

/// Where a line comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Item(usize),
    Ran(usize),
}

/// One line of the page.
#[derive(Clone, Copy)]
pub(super) enum Line<'a> {
    Item(&'a TimelineItem),
    Ran(&'a Ran),
}

impl Line<'_> {
    pub(super) const fn system(&self) -> SpaceId {
        match self {
            Self::Item(item) => item.system,
            Self::Ran(ran) => ran.system,
        }
    }

    pub(super) fn kind(&self) -> TimelineKind {
        match self {
            Self::Item(item) => TimelineKind::of(&item.event),
            Self::Ran(_) => TimelineKind::Action,
        }
    }

    pub(super) fn has_words(&self, look: Look<'_>, snapshot: &Snapshot, wanted: &str) -> bool {
        let has = |text: &str| text.to_lowercase().contains(wanted);
        has(title_of(snapshot, &self.system()))
            || match self {
                Self::Item(item) => has(&item.who) || has(&words(look, snapshot, item)),
                Self::Ran(ran) => has(&ran_words(look, ran)),
            }
    }
}

/// What was written and what was run, each newest first.
pub(super) struct Lines<'a> {
    pub(super) snapshot: &'a Snapshot,
    items: Vec<&'a Arc<TimelineItem>>,
    ran: Vec<&'a Ran>,
    /// Whether there may be older ones.
    pub(super) has_more: bool,
}

impl<'a> Lines<'a> {
    /// All lines of a System and its parts, or of all Systems; also those that were read further back.
    pub(super) fn of(
        (frame, snapshot): (&'a Frame, &'a Snapshot),
        system: Option<SpaceId>,
    ) -> Self {
        let chosen = system.map(|system| {
            let mut chosen = snapshot.graph.below(system);
            chosen.push(system);
            chosen
        });
        let mut items = match &chosen {
            Some(chosen) => snapshot.timeline_of(chosen),
            None => snapshot.timeline.iter().collect(),
        };
        let read = frame.earlier.as_deref();
        let read = read.filter(|earlier| earlier.system == system);
        // What was read for an old alert is more than anybody scrolls through.
        let read = read.filter(|earlier| earlier.reach.items_max <= EARLIER_ITEMS_MAX);
        // Of each System so many are here; who has more, of that one older entries may be missing.
        let has_more = match read {
            Some(read) => read.is_full(),
            None => match &chosen {
                Some(chosen) => chosen.iter().any(|space| {
                    let view = snapshot.system(space);
                    view.is_some_and(|view| view.timeline.len() >= TIMELINE_ITEMS_MAX)
                }),
                None => items.len() >= TIMELINE_ITEMS_MAX,
            },
        };
        add_older(&mut items, read);
        let is_chosen = |ran: &&Ran| {
            let mut chosen = chosen.iter();
            chosen.all(|chosen| chosen.contains(&ran.system))
        };
        Self {
            snapshot,
            items,
            ran: frame.ran.iter().filter(is_chosen).collect(),
            has_more,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len() + self.ran.len()
    }

    pub(super) fn at(&self, place: Place) -> Option<Line<'a>> {
        match place {
            Place::Item(at) => self.items.get(at).map(|item| Line::Item(item)),
            Place::Ran(at) => self.ran.get(at).map(|ran| Line::Ran(ran)),
        }
    }

    /// The entry at a place.
    pub(super) fn entry(&self, place: Place) -> Option<EntryId> {
        match self.at(place)? {
            Line::Item(item) => Some(item.id),
            Line::Ran(_) => None,
        }
    }

    /// All places, in order of time.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        let (mut items, mut runs) = (0, 0);
        std::iter::from_fn(move || {
            let item = self.items.get(items).map(|item| item.at);
            match (item, self.ran.get(runs).map(|run| run.at)) {
                (None, None) => None,
                (Some(item), run) if run.is_none_or(|run| item >= run) => {
                    items += 1;
                    Some(Place::Item(items - 1))
                }
                _ => {
                    runs += 1;
                    Some(Place::Ran(runs - 1))
                }
            }
        })
    }
}

/// Adds what was read that is missing, between what is here of one System and of another as well.
fn add_older<'a>(items: &mut Vec<&'a Arc<TimelineItem>>, read: Option<&'a Earlier>) {
    let Some(read) = read else {
        return;
    };
    items.extend(&read.snapshot.timeline);
    items.sort_by_key(|item| std::cmp::Reverse(item.order()));
    items.dedup_by_key(|item| item.order());
}

pub(super) fn title_of<'a>(snapshot: &'a Snapshot, system: &SpaceId) -> &'a str {
    let system = snapshot.system(system);
    system.map_or("", |system| system.title.as_str())
}
