//! Who came into a Space and who left it: told by the shell, which reads it off the control statements.

use std::collections::BTreeMap;

use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};

use crate::id::EntryId;
use crate::system::System;
use crate::workspace::{OpenSpace, Workspace};

/// How many changes of one Space are kept: the newest.
pub const MEMBERSHIP_MAX: usize = 500;

/// Somebody came or left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipChange {
    /// When, by the clock of whoever signed it; of what time did by itself, the end.
    pub at: Timestamp,
    /// The statement.
    pub statement: EnvelopeId,
    /// Whose key signed it; none: time did it.
    pub by: Option<AuthorId>,
    /// Whose key it is about.
    pub who: AuthorId,
    /// What became of it.
    pub what: Membership,
}

/// What became of somebody's access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// They were let in, or given more.
    Given {
        /// What they may do.
        may: Capability,
        /// Until when.
        end: Timestamp,
        /// Whether they came by a code, whose key signed it: who gave them the code named that.
        by_code: bool,
    },
    /// They came by an emergency key.
    Opened {
        /// Why, in their words.
        reason: String,
    },
    /// Their access was ended.
    Ended {
        /// The grant that was named: theirs, or one above it.
        target: EnvelopeId,
        /// Why, as the System says of that grant; empty when nobody said.
        reason: String,
        /// Whether their device was lost.
        lost: bool,
    },
    /// Its time was over.
    Expired,
    /// Their key signed two histories: it was restored from a copy, or is in two hands.
    TwoHistories,
}

impl MembershipChange {
    /// Tells entries of a timeline apart and orders those of one millisecond.
    pub(crate) fn id(&self) -> EntryId {
        let mut random = [0; 10];
        let statement = self.statement.as_bytes();
        let mixed = statement.iter().zip(self.who.as_bytes());
        for (place, (a, b)) in random.iter_mut().zip(mixed) {
            *place = a ^ b;
        }
        EntryId::new(self.at, random)
    }
}

impl OpenSpace {
    /// What a device is called in a System: as whoever may write there says, or as the code by which it came
    /// was named.
    pub(crate) fn called(&self, system: &System, who: &AuthorId) -> Option<String> {
        let by_code = || {
            let mut came = self.membership.iter().rev().filter(|it| it.who == *who);
            came.find_map(|it| system.people.get(&code_of(it)?))
        };
        system.people.get(who).or_else(by_code).cloned()
    }

    /// What everybody is called in a System, as [`Self::called`] says it of one.
    pub(crate) fn all_called(&self, system: &System) -> BTreeMap<AuthorId, String> {
        let came = self.membership.iter().filter_map(|it| {
            let name = system.people.get(&code_of(it)?)?;
            Some((it.who, name.clone()))
        });
        let mut called: BTreeMap<_, _> = came.collect();
        called.extend(system.people.iter().map(|(who, name)| (*who, name.clone())));
        called
    }
}

/// The key of the code by which somebody came.
fn code_of(change: &MembershipChange) -> Option<AuthorId> {
    let by_code = matches!(change.what, Membership::Given { by_code: true, .. });
    change.by.filter(|_code| by_code)
}

impl Workspace {
    /// Takes over who came and left in a Space, all of it, in order of time; the newest
    /// [`MEMBERSHIP_MAX`] are kept.
    pub fn set_membership(&mut self, space: SpaceId, mut changes: Vec<MembershipChange>) {
        let over = changes.len().saturating_sub(MEMBERSHIP_MAX);
        changes.drain(..over);
        let is_known = self
            .spaces
            .get(&space)
            .is_none_or(|open| open.membership == changes);
        if !is_known {
            self.touched(space).membership = changes;
        }
    }
}
