//! What peers say of bodies: who reads snapshots, and who lacks some and so holds less than its heads say.

use super::frame::{Frame, Snapshots};
use super::io::ConnectionId;
use super::options::Role;
use super::{Engine, Mutant};
use crate::id::SpaceId;

impl Engine {
    /// Tells everyone who hears of a Space whether bodies are missing here, when that changed: they
    /// take nobody for a holder who lacks some.
    pub(super) fn say_lacking(&mut self, space: SpaceId) {
        let silent = self.is(Mutant::LackInSilence);
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let lacking = held.missing.is_lacking() && !silent;
        if std::mem::replace(&mut held.missing.said_lacking, lacking) == lacking {
            return;
        }
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            let greeted = self.connections.get(&id);
            if greeted.is_some_and(|it| it.store_epoch.is_some()) && self.may_hear_of(id, space) {
                self.say_snapshots(id, space);
            }
        }
    }

    /// Says how this device reads a Space, and whether it lacks bodies.
    pub(super) fn say_snapshots(&mut self, id: ConnectionId, space: SpaceId) {
        let wanted = self.wants_snapshots(space);
        let lacking = self
            .spaces
            .get(&space)
            .is_some_and(|held| held.missing.is_lacking());
        let lacking = lacking && !self.is(Mutant::LackInSilence);
        let frame = Snapshots {
            space,
            wanted,
            lacking,
        };
        self.send(id, &Frame::Snapshots(frame));
    }

    /// Before a comparison: what the peer would not take for granted after our greeting.
    pub(super) fn say_snapshots_if_due(&mut self, id: ConnectionId, space: SpaceId) {
        if self.role != Role::Member {
            return;
        }
        let bare = self
            .connections
            .get(&id)
            .and_then(|it| it.feeds.get(&space))
            .is_some_and(|feed| feed.bare.sends);
        let held = self.spaces.get(&space);
        let lacking = held.is_some_and(|held| held.missing.is_lacking());
        if bare || lacking || !self.reads_snapshots(space) {
            self.say_snapshots(id, space);
        }
    }

    pub(super) fn snapshots_received(&mut self, id: ConnectionId, frame: &Snapshots) {
        if !self.listens_to(id, frame.space) {
            return;
        }
        let space = frame.space;
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let digest = held.log.digest();
        let heads: Vec<_> = held
            .log
            .heads()
            .map(|(chain, seq, _id)| (chain, seq))
            .collect();
        let mut whole_now = false;
        self.feed_mut(id, space, |feed| {
            feed.by_snapshot = Some(frame.wanted);
            let lacked = std::mem::replace(&mut feed.bare.lacking, frame.lacking);
            whole_now = lacked && !frame.lacking && feed.agreed == Some(digest);
        });
        if let Some(peer) = self.connections.get(&id).map(|it| it.peer)
            && whole_now
        {
            self.peer_holds(id, space, peer, heads);
        }
    }
}
