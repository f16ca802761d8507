//! What the agents of observers told of each check: sought once for all Systems that an update renews.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::SpaceId;

use super::Link;
use super::timeline::journal_entries;
use crate::entry::JournalEntry;
use crate::id::CheckId;
use crate::journal::Written;
use crate::system::System;
use crate::transition::Hardness;
use crate::workspace::{OpenSpace, Workspace};

/// Changes that count, by check, as they stand in one journal.
type ByCheck<'a> = BTreeMap<CheckId, Vec<&'a Written<JournalEntry>>>;

/// What is told of checks in journals of observers.
///
/// One agent may look at hundreds of Systems, and each of them is renewed when it says something: that each
/// passes over the whole journal would be quadratic.
#[derive(Default)]
pub(super) struct Told<'a>(BTreeMap<Link, ByCheck<'a>>);

impl<'a> Told<'a> {
    /// What all agents told that look at any of these Systems from others.
    pub(super) fn of(workspace: &'a Workspace, systems: &BTreeSet<SpaceId>) -> Self {
        let system = |space: &SpaceId| -> Option<&'a System> {
            let open = workspace.spaces.get(space)?;
            open.system()
        };
        let looked_at = systems.iter().filter_map(system);
        let observers: BTreeSet<&SpaceId> = looked_at.flat_map(|it| it.observers.keys()).collect();
        let mut told = Self::default();
        for looks in observers.into_iter().filter_map(system) {
            for (agent, link) in &looks.agents {
                let Some(open) = workspace.spaces.get(agent) else {
                    continue;
                };
                let of = (*agent, link.author);
                told.0.entry(of).or_insert_with(|| by_check(open, &of));
            }
        }
        told
    }

    /// The changes of a check that count, as an agent told them.
    pub(super) fn changes(&self, link: &Link, check: &CheckId) -> &[&'a Written<JournalEntry>] {
        let of = self.0.get(link).and_then(|journal| journal.get(check));
        of.map_or(&[], Vec::as_slice)
    }
}

fn by_check<'a>(open: &'a OpenSpace, link: &Link) -> ByCheck<'a> {
    let mut by_check = ByCheck::new();
    for written in journal_entries(open, link.1) {
        if let JournalEntry::Transition(transition) = &written.entry
            && transition.hardness == Hardness::Hard
        {
            by_check.entry(transition.check).or_default().push(written);
        }
    }
    by_check
}
