//! Timelines: entries of people and adapters, and what agents saw, merged.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use aramaki_sync_core::{AuthorId, SpaceId, Timestamp};

use super::Seen;
use super::back::TimelineReach;
use super::gone::{looked_until, machine};
use super::notes::{NoteEdited, last_edits};
use super::quiet::Quieted;
use crate::entry::{JournalEntry, TimelineEntry};
use crate::id::{CheckId, EntryId};
use crate::journal::{Journal, Written};
use crate::membership::{Membership, MembershipChange};
use crate::observer::observed_check;
use crate::quiet::Quiet;
use crate::snapshot::{TimelineEvent, TimelineItem};
use crate::system::{AgentRef, NAME_LEN_BYTES_MAX, System};
use crate::text::clean_line;
use crate::transition::Hardness;
use crate::workspace::{Content, OpenSpace};

/// Something that may be shown; made into an item only when it is among the newest.
enum Source<'a> {
    People(&'a Written<TimelineEntry>),
    Member(&'a MembershipChange),
    Agent(Rc<Names<'a>>, Rc<str>, &'a Written<JournalEntry>),
    Quiet(Quiet),
    Removed(SpaceId, &'a AgentRef),
    Note(NoteEdited),
}

/// The checks of which an agent tells here: by its own ids, the ids and names that they have here.
type Names<'a> = BTreeMap<CheckId, (CheckId, &'a str)>;

/// When, which entry, and whose.
type Key = (Timestamp, EntryId, Option<AuthorId>);

impl Seen<'_> {
    /// The newest that happened to a System, newest first.
    pub(super) fn timeline(
        &self,
        space: SpaceId,
        quieted: &Quieted<'_>,
        reach: TimelineReach,
    ) -> Vec<Arc<TimelineItem>> {
        let (system, open) = (quieted.system, quieted.open);
        let mut found: Vec<(Key, Source<'_>)> = Vec::new();
        found.extend(of_people(system, open));
        found.extend(derived(quieted));
        let own = Rc::new(self.names(space, system));
        for (agent, link, taken) in system.removed_agents() {
            // Checks of its machine's own file are named by its journal alone.
            let journal = self.view.journals.get(&(agent, link.author));
            let had = journal.into_iter().flat_map(Journal::had);
            let mut names: Names<'_> = had
                .map(|(id, check)| (*id, (*id, check.name.as_str())))
                .collect();
            names.extend(own.iter().map(|(id, name)| (*id, *name)));
            let told = (&agent, link, looked_until(taken.at));
            self.told_by_agent(told, &Rc::new(names), &mut found);
        }
        for (agent, link) in &system.agents {
            self.told_by_agent((agent, link, Timestamp::MAX), &own, &mut found);
        }
        for (_, looks) in self.observers(space, system) {
            let about = self.checks_about(space, looks);
            if about.is_empty() {
                continue;
            }
            let named = about.iter().map(|(id, check)| {
                let name = check.name.as_str();
                (*id, (observed_check(&space, name), name))
            });
            let names: Rc<Names<'_>> = Rc::new(named.collect());
            for (agent, link) in &looks.agents {
                self.told_of_others((agent, link), &names, &mut found);
            }
        }
        found.retain(|((at, ..), _)| *at >= reach.from);
        newest_first(&mut found, reach.items_max, |(key, _)| *key);
        let called = |who: &AuthorId| open.called(system, who).unwrap_or_else(|| who.short());
        let items = found.into_iter().filter_map(|((at, id, author), source)| {
            let who = match &source {
                Source::Agent(_, machine, _) => machine.to_string(),
                _ => author.as_ref().map(called).unwrap_or_default(),
            };
            Some(Arc::new(TimelineItem {
                at,
                system: space,
                id,
                author,
                who,
                event: match source {
                    Source::People(written) => event(&written.entry),
                    Source::Member(change) => membership(system, open, change),
                    Source::Agent(names, _, written) => journal_event(&names, &written.entry)?,
                    Source::Quiet(quiet) => TimelineEvent::Quiet(quiet),
                    Source::Note(edited) => TimelineEvent::NoteEdited {
                        title: edited.title,
                    },
                    Source::Removed(agent, link) => TimelineEvent::AgentRemoved {
                        name: machine(&agent, link),
                    },
                },
            }))
        });
        items.collect()
    }

    /// What the checks of a System are called, and were called that were removed.
    fn names<'s>(&'s self, space: SpaceId, system: &'s System) -> Names<'s> {
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
        let mut own: Names<'s> = own.collect();
        // What nobody looks at any more was called something when it happened.
        let links = system.agents.iter().map(|(agent, it)| (*agent, it.author));
        let journals = links.filter_map(|link| self.view.journals.get(&link));
        for (id, former) in journals.flat_map(|it| &it.former) {
            let check = &former.check;
            if check.is_about_other(&space).is_none() {
                own.entry(*id).or_insert((*id, check.name.as_str()));
            }
        }
        for (id, check, _) in &system.lives.checks {
            if check.is_about_other(&space).is_none() {
                own.entry(*id).or_insert((*id, check.name.as_str()));
            }
        }
        own
    }

    /// Adds what an agent of a System that looks at this one told of these checks, and nothing else of it.
    fn told_of_others<'a>(
        &self,
        (agent, link): (&SpaceId, &AgentRef),
        names: &Rc<Names<'a>>,
        found: &mut Vec<(Key, Source<'a>)>,
    ) where
        Self: 'a,
    {
        let Some(open) = self.workspace.spaces.get(agent) else {
            return;
        };
        let machine = self.machine_of(agent, link);
        for check in names.keys() {
            let changes = self.told.changes(&(*agent, link.author), check).iter();
            found.extend(changes.map(|written| {
                let at = written.entry.at().unwrap_or_else(|| written.id.at());
                let key = (at, written.id, open.author(&written.actor));
                let source = Source::Agent(Rc::clone(names), Rc::clone(&machine), written);
                (key, source)
            }));
        }
    }

    /// Adds what an agent told before a moment.
    fn told_by_agent<'a>(
        &self,
        (agent, link, until): (&SpaceId, &AgentRef, Timestamp),
        names: &Rc<Names<'a>>,
        found: &mut Vec<(Key, Source<'a>)>,
    ) where
        Self: 'a,
    {
        let Some(open) = self.workspace.spaces.get(agent) else {
            return;
        };
        let machine = self.machine_of(agent, link);
        let entries = journal_entries(open, link.author);
        let entries = entries.filter(|it| is_told(names, &it.entry));
        let entries = entries.filter_map(|written| {
            let at = written.entry.at().unwrap_or_else(|| written.id.at());
            let key = (at, written.id, open.author(&written.actor));
            let source = || Source::Agent(Rc::clone(names), Rc::clone(&machine), written);
            (at < until).then(|| (key, source()))
        });
        found.extend(entries);
    }

    /// What an agent's machine is called: by people, or by itself.
    fn machine_of(&self, agent: &SpaceId, link: &AgentRef) -> Rc<str> {
        let journal = self.view.journals.get(&(*agent, link.author));
        let started = journal.and_then(|journal| journal.started.as_ref());
        match started.filter(|_| link.label.is_empty()) {
            Some(started) => clean_line(&started.host, NAME_LEN_BYTES_MAX).into(),
            None => machine(agent, link).into(),
        }
    }
}

/// What follows from what became of the System's items.
fn derived<'a>(of: &Quieted<'a>) -> impl Iterator<Item = (Key, Source<'a>)> {
    let quiet = of.lines().into_iter();
    let quiet = quiet.map(|line| ((line.at, line.id, line.by), Source::Quiet(line.quiet)));
    let (system, open) = (of.system, of.open);
    let removed = system.removed_agents().map(|(agent, link, taken)| {
        let id = EntryId::new(taken.at, removal(&agent));
        let key = (taken.at, id, open.author(&taken.actor));
        (key, Source::Removed(agent, link))
    });
    quiet.chain(removed)
}

/// The rest of an id for the removal of an agent, the same on every replica.
fn removal(agent: &SpaceId) -> [u8; 10] {
    let mut hasher = blake3::Hasher::new_derive_key("aramaki line of a removed agent v1");
    hasher.update(agent.as_bytes());
    let mut random = [0; 10];
    for (place, byte) in random.iter_mut().zip(hasher.finalize().as_bytes()) {
        *place = *byte;
    }
    random
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
    if let Membership::Ended { target, reason, .. } = &mut what
        && let Some(said) = system.revoked.get(target)
    {
        reason.clone_from(said);
    }
    TimelineEvent::Membership {
        name: called.unwrap_or_else(|| change.who.short()),
        what,
    }
}

/// Whether an entry of a System's own agent is for people.
fn is_told(names: &Names<'_>, entry: &JournalEntry) -> bool {
    match entry {
        JournalEntry::Transition(transition) => {
            transition.hardness == Hardness::Hard && names.contains_key(&transition.check)
        }
        JournalEntry::Started(_)
        | JournalEntry::Stopped { .. }
        | JournalEntry::DesiredRun(_)
        | JournalEntry::Unknown(_) => true,
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

/// What people wrote, and whose access began or ended.
fn of_people<'a>(
    system: &'a System,
    open: &'a OpenSpace,
) -> impl Iterator<Item = (Key, Source<'a>)> + 'a {
    let entries = timeline_entries(open).map(|written| {
        let at = written.entry.at().unwrap_or_else(|| written.id.at());
        let key = (at, written.id, open.author(&written.actor));
        (key, Source::People(written))
    });
    let members = open.membership.iter().map(|change| {
        let key = (change.at, change.id(), change.by);
        (key, Source::Member(change))
    });
    let notes = last_edits(open, system).map(|edited| {
        let key = (edited.at, edited.id, Some(edited.author));
        (key, Source::Note(edited))
    });
    entries.chain(members).chain(notes)
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
pub(super) fn newest_first<T, K: Ord>(items: &mut Vec<T>, most: usize, key: impl Fn(&T) -> K) {
    if items.len() / 2 > most {
        // All that is older needs no order.
        items.select_nth_unstable_by_key(most, |item| Reverse(key(item)));
        items.truncate(most);
    }
    items.sort_by_key(|item| Reverse(key(item)));
    items.truncate(most);
}
