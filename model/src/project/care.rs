//! What people said about a System's problems: who knows, who works on them, what is to be quiet.

use std::collections::BTreeSet;

use aramaki_sync_core::{AuthorId, Timestamp};

use super::timeline::timeline_entries;
use crate::alert::{Acknowledged, Claimed, Hold};
use crate::entry::{Acknowledgement, Claim, TimelineEntry};
use crate::id::{EntryId, ItemId};
use crate::maintenance::Maintenance;
use crate::severity::Severity;
use crate::silence::{self, Matter, Silence};
use crate::status::{Expected, Handled, Handling, handled};
use crate::system::{NAME_LEN_BYTES_MAX, System};
use crate::text::clean_line;
use crate::workspace::OpenSpace;

/// How many acknowledgements, and how many claims, of one alert are shown: the newest.
const SAID_MAX: usize = 32;

/// Something that somebody said in the timeline.
struct Said<'a, T> {
    entry: EntryId,
    who: Option<AuthorId>,
    what: &'a T,
}

/// What people said about a System's problems.
pub(super) struct Care<'a> {
    system: &'a System,
    open: &'a OpenSpace,
    now: Timestamp,
    known: Vec<Said<'a, Acknowledgement>>,
    claims: Vec<Said<'a, Claim>>,
    silences: Vec<&'a Silence>,
    acknowledgements: Vec<&'a Acknowledgement>,
    window: Option<(ItemId, &'a Maintenance, Timestamp)>,
}

impl<'a> Care<'a> {
    pub(super) fn new(system: &'a System, open: &'a OpenSpace, now: Timestamp) -> Self {
        let mut known = Vec::new();
        let mut claims = Vec::new();
        let mut withdrawn = BTreeSet::new();
        for written in timeline_entries(open) {
            let (entry, who) = (written.id, open.author(&written.actor));
            match &written.entry {
                TimelineEntry::Acknowledgement(what) => known.push(Said { entry, who, what }),
                TimelineEntry::Claim(what) => claims.push(Said { entry, who, what }),
                TimelineEntry::Withdrawal(back) => drop(withdrawn.insert(back.entry)),
                _ => {}
            }
        }
        known.retain(|said| !withdrawn.contains(&said.entry));
        claims.retain(|said| !withdrawn.contains(&said.entry));
        known.sort_by_key(|said| (said.what.at, said.entry));
        claims.sort_by_key(|said| (said.what.at, said.entry));
        let mut windows = system.maintenance.iter();
        let window = windows.find_map(|(id, window)| Some((*id, window, window.open_until(now)?)));
        Self {
            system,
            open,
            now,
            acknowledgements: known.iter().map(|said| said.what).collect(),
            known,
            claims,
            silences: system.silences.values().collect(),
            window,
        }
    }

    /// The moments at which time alone changes what holds.
    pub(super) fn deadlines(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let known = self.known.iter().filter_map(|said| said.what.until);
        let claimed = self.claims.iter().map(|said| said.what.until);
        let silences = self.silences.iter();
        let quiet = silences.flat_map(|silence| [silence.from, silence.until]);
        let windows = self.system.maintenance.values();
        let windows = windows.filter_map(|window| window.next_change(self.now));
        known.chain(claimed).chain(quiet).chain(windows)
    }

    /// Why a state does not ask for attention, if it does not.
    pub(super) fn handled(&self, raw: Severity, matters: &[Matter<'_>]) -> Option<Handled> {
        let said = Handling {
            silences: &self.silences,
            acknowledgements: &self.acknowledgements,
            maintenance: self.window.map(|_| Expected),
        };
        handled(raw, matters, &said, self.now)
    }

    /// Who knows of it, oldest first.
    pub(super) fn acknowledged(&self, matter: &Matter<'_>) -> Vec<Acknowledged> {
        let is_about = |said: &Acknowledgement| matter.is_known_by(said);
        self.newest(&self.known, is_about, |said, name| Acknowledged {
            entry: said.entry,
            at: said.what.at,
            who: said.who,
            name,
            text: said.what.text.clone(),
            until: said.what.until,
            holds: matter.resolved.is_none() && silence::holds(said.what, self.now),
        })
    }

    /// Who works on it, oldest first.
    pub(super) fn claimed(&self, matter: &Matter<'_>) -> Vec<Claimed> {
        let is_about = |said: &Claim| matter.is_claimed_by(said);
        self.newest(&self.claims, is_about, |said, name| Claimed {
            entry: said.entry,
            at: said.what.at,
            who: said.who,
            name,
            text: said.what.text.clone(),
            until: said.what.until,
            holds: matter.resolved.is_none() && self.now < said.what.until,
        })
    }

    /// The newest of what was said about something, oldest first, each with its writer's name.
    fn newest<T, S>(
        &self,
        said: &[Said<'_, T>],
        is_about: impl Fn(&T) -> bool,
        show: impl Fn(&Said<'_, T>, String) -> S,
    ) -> Vec<S> {
        let about = said.iter().rev().filter(|said| is_about(said.what));
        let newest: Vec<_> = about.take(SAID_MAX).collect();
        let oldest_first = newest.into_iter().rev();
        let shown = oldest_first.map(|said| show(said, self.name(said.who)));
        shown.collect()
    }

    /// What keeps an open problem quiet now.
    pub(super) fn holds(&self, matter: &Matter<'_>) -> Vec<Hold> {
        if matter.resolved.is_some() {
            return Vec::new();
        }
        let silences = self.system.silences.iter();
        let silences = silences.filter(|(_, silence)| matter.is_covered_by(silence, self.now));
        let mut holds: Vec<_> = silences
            .map(|(item, silence)| Hold::Silence {
                item: *item,
                reason: clean_line(&silence.reason, NAME_LEN_BYTES_MAX),
                until: silence.until,
                until_resolved: silence.until_resolved,
                name: self.writer(item),
            })
            .collect();
        holds.extend(self.window.map(|(item, window, until)| Hold::Maintenance {
            item,
            reason: clean_line(&window.reason, NAME_LEN_BYTES_MAX),
            until,
            name: self.writer(&item),
        }));
        holds
    }

    fn writer(&self, item: &ItemId) -> String {
        let actor = self.system.written_by.get(item);
        self.name(actor.and_then(|actor| self.open.author(actor)))
    }

    fn name(&self, who: Option<AuthorId>) -> String {
        let Some(who) = who else {
            return String::new();
        };
        let called = self.open.called(self.system, &who);
        called.unwrap_or_else(|| who.short())
    }
}
