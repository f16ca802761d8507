//! Timelines: entries of people and adapters, and what agents saw, merged.

use std::cmp::Reverse;

use aramaki_sync_core::{AuthorId, SpaceId};

use super::Seen;
use crate::entry::{JournalEntry, TimelineEntry};
use crate::journal::{Journal, Written};
use crate::snapshot::{TIMELINE_ITEMS_MAX, TimelineEvent, TimelineItem};
use crate::system::System;
use crate::transition::Hardness;
use crate::workspace::{Content, OpenSpace};

impl Seen<'_> {
    pub(super) fn timeline(
        &self,
        space: SpaceId,
        system: &System,
        open: &OpenSpace,
    ) -> Vec<TimelineItem> {
        let people = timeline_entries(open).map(|written| TimelineItem {
            at: written.entry.at().unwrap_or_else(|| written.id.at()),
            system: space,
            id: written.id,
            author: open.author(&written.actor),
            event: match &written.entry {
                TimelineEntry::Message(message) => TimelineEvent::Message(message.clone()),
                TimelineEntry::Deployment(deployment) => {
                    TimelineEvent::Deployment(deployment.clone())
                }
                TimelineEntry::Acknowledgement(acknowledgement) => {
                    TimelineEvent::Acknowledgement(acknowledgement.clone())
                }
                TimelineEntry::Claim(claim) => TimelineEvent::Claim(claim.clone()),
                TimelineEntry::Withdrawal(back) => TimelineEvent::Withdrawal(back.clone()),
                TimelineEntry::Notification(receipt) => {
                    TimelineEvent::Notification(receipt.clone())
                }
                TimelineEntry::Unknown(unknown) => TimelineEvent::Unknown(unknown.clone()),
            },
        });
        let mut items: Vec<_> = people.collect();
        items.extend(open.membership.iter().map(|change| {
            TimelineItem {
                at: change.at,
                system: space,
                id: change.id(),
                author: change.by,
                event: TimelineEvent::Membership {
                    name: system
                        .people
                        .get(&change.who)
                        .cloned()
                        .unwrap_or_else(|| change.who.short()),
                    what: change.what.clone(),
                },
            }
        }));
        for (agent, link) in &system.agents {
            let Some(open) = self.workspace.spaces.get(agent) else {
                continue;
            };
            let journal = self.view.journals.get(&(*agent, link.author));
            items.extend(journal_entries(open, link.author).filter_map(|written| {
                Some(TimelineItem {
                    at: written.entry.at().unwrap_or_else(|| written.id.at()),
                    system: space,
                    id: written.id,
                    author: open.author(&written.actor),
                    event: journal_event(system, journal, &written.entry)?,
                })
            }));
        }
        newest_first(&mut items);
        items
    }
}

/// What people see of a journal's entry in the timeline of a System; none for what is not for
/// them, or about another System.
fn journal_event(
    system: &System,
    journal: Option<&Journal>,
    entry: &JournalEntry,
) -> Option<TimelineEvent> {
    match entry {
        JournalEntry::Transition(transition) => {
            let id = &transition.check;
            let declared = || journal.and_then(|journal| journal.declared.get(id));
            let check = system.checks.get(id).or_else(declared)?;
            (transition.hardness == Hardness::Hard).then(|| TimelineEvent::Transition {
                check: check.id,
                name: check.name.clone(),
                from: transition.from,
                to: transition.to,
                summary: transition.summary.clone(),
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
        | JournalEntry::Services { .. } => None,
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

pub(super) fn newest_first(items: &mut Vec<TimelineItem>) {
    items.sort_by_key(|item| Reverse(item.order()));
    items.truncate(TIMELINE_ITEMS_MAX);
}
