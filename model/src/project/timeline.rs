//! Timelines: entries of people and adapters, and what agents saw, merged.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use aramaki_sync_core::{AuthorId, SpaceId, Timestamp};

use super::Seen;
use crate::entry::{JournalEntry, TimelineEntry};
use crate::id::{CheckId, EntryId};
use crate::journal::Written;
use crate::membership::{Membership, MembershipChange};
use crate::observer::observed_check;
use crate::snapshot::{TIMELINE_ITEMS_MAX, TimelineEvent, TimelineItem};
use crate::system::System;
use crate::transition::Hardness;
use crate::workspace::{Content, OpenSpace};

/// Something that may be shown; made into an item only when it is among the newest.
enum Source<'a> {
    People(&'a Written<TimelineEntry>),
    Member(&'a MembershipChange),
    Agent(Rc<Names<'a>>, &'a Written<JournalEntry>),
}

/// The checks of which an agent tells here: by its own ids, the ids and names that they have here.
type Names<'a> = BTreeMap<CheckId, (CheckId, &'a str)>;

/// Whose agent tells.
#[derive(Clone, Copy, PartialEq)]
enum Whose {
    /// The System's own.
    Own,
    /// That of a System that looks at this one: only what it sees of it is told here.
    Others,
}

/// When, which entry, and whose.
type Key = (Timestamp, EntryId, Option<AuthorId>);

impl Seen<'_> {
    /// The newest that happened to a System, newest first.
    pub(super) fn timeline(
        &self,
        space: SpaceId,
        system: &System,
        open: &OpenSpace,
    ) -> Vec<Arc<TimelineItem>> {
        let mut found: Vec<(Key, Source<'_>)> = Vec::new();
        found.extend(timeline_entries(open).map(|written| {
            let at = written.entry.at().unwrap_or_else(|| written.id.at());
            let key = (at, written.id, open.author(&written.actor));
            (key, Source::People(written))
        }));
        found.extend(open.membership.iter().map(|change| {
            let key = (change.at, change.id(), change.by);
            (key, Source::Member(change))
        }));
        let all = self.all_checks(system);
        let named = all
            .iter()
            .map(|(id, check)| (*id, (*id, check.name.as_str())));
        // What counts elsewhere is told there.
        let own = named.filter(|(id, _)| {
            let about = all.get(id).and_then(|check| check.is_about_other(&space));
            let there = about.and_then(|about| self.system_of(&about));
            there.is_none_or(|there| !there.observers.contains_key(&space))
        });
        self.told_by_agents(system, &Rc::new(own.collect()), Whose::Own, &mut found);
        for (_, looks) in self.observers(space, system) {
            let about = self.checks_about(space, looks);
            if about.is_empty() {
                continue;
            }
            let named = about.iter().map(|(id, check)| {
                let name = check.name.as_str();
                (*id, (observed_check(&space, name), name))
            });
            self.told_by_agents(looks, &Rc::new(named.collect()), Whose::Others, &mut found);
        }
        newest_first(&mut found, |(key, _)| *key);
        let items = found.into_iter().filter_map(|((at, id, author), source)| {
            Some(Arc::new(TimelineItem {
                at,
                system: space,
                id,
                author,
                event: match source {
                    Source::People(written) => event(&written.entry),
                    Source::Member(change) => membership(system, open, change),
                    Source::Agent(names, written) => journal_event(&names, &written.entry)?,
                },
            }))
        });
        items.collect()
    }

    /// Adds what the agents of a System tell.
    fn told_by_agents<'a>(
        &self,
        system: &System,
        names: &Rc<Names<'a>>,
        whose: Whose,
        found: &mut Vec<(Key, Source<'a>)>,
    ) where
        Self: 'a,
    {
        for (agent, link) in &system.agents {
            let Some(open) = self.workspace.spaces.get(agent) else {
                continue;
            };
            let entries = journal_entries(open, link.author);
            let entries = entries.filter(|it| is_told(names, whose, &it.entry));
            found.extend(entries.map(|written| {
                let at = written.entry.at().unwrap_or_else(|| written.id.at());
                let key = (at, written.id, open.author(&written.actor));
                (key, Source::Agent(Rc::clone(names), written))
            }));
        }
    }
}

fn event(entry: &TimelineEntry) -> TimelineEvent {
    match entry {
        TimelineEntry::Message(message) => TimelineEvent::Message(message.clone()),
        TimelineEntry::Deployment(deployment) => TimelineEvent::Deployment(deployment.clone()),
        TimelineEntry::Acknowledgement(known) => TimelineEvent::Acknowledgement(known.clone()),
        TimelineEntry::Claim(claim) => TimelineEvent::Claim(claim.clone()),
        TimelineEntry::Withdrawal(back) => TimelineEvent::Withdrawal(back.clone()),
        TimelineEntry::Notification(receipt) => TimelineEvent::Notification(receipt.clone()),
        TimelineEntry::Unknown(unknown) => TimelineEvent::Unknown(unknown.clone()),
    }
}

fn membership(system: &System, open: &OpenSpace, change: &MembershipChange) -> TimelineEvent {
    let called = open.called(system, &change.who);
    let mut what = change.what.clone();
    if let Membership::Ended { target, reason } = &mut what
        && let Some(said) = system.revoked.get(target)
    {
        reason.clone_from(said);
    }
    TimelineEvent::Membership {
        name: called.unwrap_or_else(|| change.who.short()),
        what,
    }
}

/// Whether an entry of a journal is for people, and about this System.
fn is_told(names: &Names<'_>, whose: Whose, entry: &JournalEntry) -> bool {
    match entry {
        JournalEntry::Transition(transition) => {
            transition.hardness == Hardness::Hard && names.contains_key(&transition.check)
        }
        JournalEntry::Started(_)
        | JournalEntry::Stopped { .. }
        | JournalEntry::DesiredRun(_)
        | JournalEntry::Unknown(_) => whose == Whose::Own,
        JournalEntry::ConfigApplied { .. }
        | JournalEntry::States(_)
        | JournalEntry::Declared { .. }
        | JournalEntry::Proposed { .. }
        | JournalEntry::Services { .. }
        | JournalEntry::Days { .. } => false,
    }
}

/// What people see of an entry that [`is_told`].
fn journal_event(names: &Names<'_>, entry: &JournalEntry) -> Option<TimelineEvent> {
    match entry {
        JournalEntry::Transition(transition) => {
            let (check, name) = *names.get(&transition.check)?;
            Some(TimelineEvent::Transition {
                check,
                name: name.to_owned(),
                from: transition.from,
                to: transition.to,
                summary: transition.summary.clone(),
                attempt: (transition.attempt, transition.attempts),
            })
        }
        JournalEntry::Started(started) => Some(TimelineEvent::AgentStarted {
            host: started.host.clone(),
            version: started.version.clone(),
        }),
        JournalEntry::Stopped { .. } => Some(TimelineEvent::AgentStopped),
        JournalEntry::DesiredRun(run) => Some(TimelineEvent::DesiredRun(run.clone())),
        JournalEntry::Unknown(unknown) => Some(TimelineEvent::Unknown(unknown.clone())),
        JournalEntry::ConfigApplied { .. }
        | JournalEntry::States(_)
        | JournalEntry::Declared { .. }
        | JournalEntry::Proposed { .. }
        | JournalEntry::Services { .. }
        | JournalEntry::Days { .. } => None,
    }
}

pub(super) fn timeline_entries(open: &OpenSpace) -> impl Iterator<Item = &Written<TimelineEntry>> {
    let entries = open
        .documents
        .values()
        .filter_map(|place| match &place.content {
            Content::Timeline(entries) => Some(entries),
            _ => None,
        });
    entries.flatten()
}

/// Entries of an agent's journals; only those that the agent itself wrote, if it is known.
pub(super) fn journal_entries(
    open: &OpenSpace,
    author: Option<AuthorId>,
) -> impl Iterator<Item = &Written<JournalEntry>> {
    let entries = open
        .documents
        .values()
        .filter_map(|place| match &place.content {
            Content::Journal(entries) => Some(entries),
            _ => None,
        });
    entries
        .flatten()
        .filter(move |written| author.is_none() || open.author(&written.actor) == author)
}

/// Keeps the newest, newest first.
pub(super) fn newest_first<T, K: Ord>(items: &mut Vec<T>, key: impl Fn(&T) -> K) {
    if items.len() > 2 * TIMELINE_ITEMS_MAX {
        // All that is older needs no order.
        items.select_nth_unstable_by_key(TIMELINE_ITEMS_MAX, |item| Reverse(key(item)));
        items.truncate(TIMELINE_ITEMS_MAX);
    }
    items.sort_by_key(|item| Reverse(key(item)));
    items.truncate(TIMELINE_ITEMS_MAX);
}
