//! Telling a peer that its access to a Space is over: without it, whoever was revoked or comes with
//! a code that is used up waits for an answer that never comes.
//!
//! It is hearsay: it changes nothing here but what a person is told.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Engine;
use super::frame::{Ended, Frame};
use super::io::{ConnectionId, Event};
use super::space::Space;
use crate::admission::{CLOCK_AHEAD_MAX, Entry, Held, Member, Verdict};
use crate::id::{AuthorId, SpaceId};
use crate::statement::{Audience, Grant, Statement};

/// Why a key opens a Space no more, as a peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AccessEnd {
    /// It is an invitation's, and as many devices as it allows have used that.
    UsedUp,
    /// It was revoked, or its time is over.
    Over,
}

impl Space {
    /// Whether some of these keys came by a code that had let in as many as it may, and none of them ever by anything
    /// else. Their own keys tell it: who came in by a file has no code to prove any more.
    fn came_too_late(&self, authors: &BTreeSet<AuthorId>) -> bool {
        let is_own = |author: &AuthorId| authors.contains(author);
        let mut members = self.evaluation.members().iter();
        if members.any(|member| !member.is_invitation() && is_own(&member.author)) {
            return false;
        }
        self.grants.keys().any(|id| {
            let is_surplus = self.evaluation.verdict(*id) == Verdict::Held(Held::Redeemed);
            let statement = self.log.get(*id).and_then(Entry::statement);
            let gives = matches!(statement, Some(Statement::Grant(Grant { audience: Audience::Author(author), .. }))
                if is_own(author));
            is_surplus && gives
        })
    }
}

impl Engine {
    /// Tells a peer that proved a key which was let in once and is no more; once a connection.
    pub(super) fn tell_ended(&mut self, id: ConnectionId, space: SpaceId) {
        if self.may_hear_of(id, space) {
            return;
        }
        let now = self.now;
        let (Some(connection), Some(held)) =
            (self.connections.get_mut(&id), self.spaces.get(&space))
        else {
            return;
        };
        let known = |author| held.granted.contains(author);
        let own = |member: &&Member| connection.authors.contains(&member.author);
        let mut grants = held.evaluation.members().iter().filter(own);
        // What has yet to begin is not over, nor is what was signed by a clock that is ahead.
        let begins = grants.any(|member| now < member.not_before);
        let authors = connection.authors.iter();
        let is_early = authors
            .flat_map(|author| held.log.chains_of(*author))
            .filter_map(|chain| held.log.get(held.log.head(chain)?.1))
            .any(|last| last.header().time > now.plus(CLOCK_AHEAD_MAX));
        if begins || is_early || !connection.authors.iter().any(known) {
            return;
        }
        let mut grants = held.evaluation.members().iter().filter(own);
        let is_used_up = grants.any(|member| {
            let in_time = now <= member.redeem_until;
            member.is_invitation() && member.redemptions_left == 0 && !member.is_over && in_time
        }) || held.came_too_late(&connection.authors);
        if !connection.told_ended.insert(space) {
            return;
        }
        let why = if is_used_up {
            AccessEnd::UsedUp
        } else {
            AccessEnd::Over
        };
        self.send(id, &Frame::Ended(Ended { space, why }));
    }

    /// Tells every connected peer whose access a change of a Space's control ended.
    pub(super) fn tell_all_ended(&mut self, space: SpaceId) {
        let ids: Vec<_> = self
            .connections
            .iter()
            .filter(|(_id, connection)| connection.store_epoch.is_some())
            .map(|(id, _connection)| *id)
            .collect();
        for id in ids {
            self.tell_ended(id, space);
        }
    }

    /// Tells a peer that has just come.
    pub(super) fn tell_every_end(&mut self, id: ConnectionId) {
        let spaces: Vec<_> = self.spaces.keys().copied().collect();
        for space in spaces {
            self.tell_ended(id, space);
        }
    }

    /// A peer says that this device's access is over. Whom nobody else let in believes it until
    /// somebody does. Nothing is believed of who has no part in the Space.
    pub(super) fn ended_received(&mut self, id: ConnectionId, ended: &Ended) {
        if !self.listens_to(id, ended.space) {
            return;
        }
        let Some(held) = self.spaces.get_mut(&ended.space) else {
            return;
        };
        if held.deaf_until.is_some_and(|last| id <= last) {
            return;
        }
        held.ended_by = self.connections.get(&id).map(|it| it.peer);
        if held.ended_elsewhere != Some(ended.why) {
            held.ended_elsewhere = Some(ended.why);
            let space = ended.space;
            self.emit(Event::SpaceChanged { space });
        }
    }

    /// Another invitation is held from now on: what was said of the one before is over, also what comes
    /// of it over connections that proved its key.
    pub(super) fn invited_anew(&mut self, space: SpaceId) {
        let last = self.connections.keys().next_back().copied();
        if let Some(held) = self.spaces.get_mut(&space) {
            held.ended_elsewhere = None;
            held.deaf_until = last.or(held.deaf_until);
        }
    }

    /// Access was given anew, or whoever said that it is over is in step with this device again.
    pub(super) fn let_in_anew(&mut self, space: SpaceId) {
        if let Some(held) = self.spaces.get_mut(&space)
            && held.ended_elsewhere.take().is_some()
        {
            self.emit(Event::SpaceChanged { space });
        }
    }

    /// A peer holds all that is here and says so: it hears this device. Who it was that spoke of an end
    /// before this process began is not known.
    pub(super) fn hears_again(&mut self, id: ConnectionId, space: SpaceId) {
        let peer = self.connections.get(&id).map(|it| it.peer);
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        if held.ended_elsewhere.is_some() && (held.ended_by.is_none() || held.ended_by == peer) {
            self.let_in_anew(space);
        }
    }

    /// What a peer said of this device's access to a Space, if it said that it is over.
    pub fn ended_elsewhere(&self, space: SpaceId) -> Option<AccessEnd> {
        self.spaces.get(&space)?.ended_elsewhere
    }

    /// Whether a peer said so since this process began.
    pub fn is_told_ended(&self, space: SpaceId) -> bool {
        let held = self.spaces.get(&space);
        held.is_some_and(|held| held.ended_elsewhere.is_some() && held.ended_by.is_some())
    }

    /// Whether a peer sent something of this Space that only a newer program can read: it is not
    /// here, and what follows it in its chain neither.
    pub fn is_newer_elsewhere(&self, space: SpaceId) -> bool {
        self.newer_elsewhere.contains(&space)
    }
}
