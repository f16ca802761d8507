//! What peers say of bodies: who reads snapshots, and who lacks some and so holds less than its heads say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::frame::{Frame, Snapshots};
use super::io::ConnectionId;
use super::options::Role;
use super::{Engine, Mutant};
use crate::id::{Chain, SpaceId};

/// Chains that are named; who lacks bodies of more says so of all.
const CHAINS_MAX: usize = 64;

/// From where on a device holds headers without bodies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Lacking {
    /// Of these chains, from these positions on.
    Chains(BTreeMap<Chain, u64>),
    /// Of too many chains to name.
    Many,
}

impl Default for Lacking {
    fn default() -> Self {
        Self::NOTHING
    }
}

impl Lacking {
    pub(super) const NOTHING: Self = Self::Chains(BTreeMap::new());

    /// From the first position that is missing of each chain.
    pub(super) fn of(first: impl Iterator<Item = (Chain, u64)>) -> Self {
        let mut lacking = Self::NOTHING;
        for (chain, seq) in first {
            lacking.add(chain, seq);
        }
        lacking
    }

    /// One more body that is missing.
    pub(super) fn add(&mut self, chain: Chain, seq: u64) {
        if let Self::Chains(chains) = self {
            let first = chains.entry(chain).or_insert(seq);
            *first = seq.min(*first);
            if chains.len() > CHAINS_MAX {
                *self = Self::Many;
            }
        }
    }

    /// What a peer says, kept no longer than what is said here: beyond that it counts as too many.
    fn bounded(self) -> Self {
        match self {
            Self::Chains(chains) if chains.len() > CHAINS_MAX => Self::Many,
            said => said,
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::NOTHING
    }

    /// Up to where of a chain nothing is missing, of what the heads say.
    pub(super) fn whole_up_to(&self, chain: Chain, head: u64) -> u64 {
        match self {
            Self::Chains(chains) => chains
                .get(&chain)
                .map_or(head, |first| head.min(first.saturating_sub(1))),
            Self::Many => 0,
        }
    }
}

impl Engine {
    fn lacking(&self, space: SpaceId) -> Lacking {
        let held = self.spaces.get(&space);
        let held = held.filter(|_held| !self.is(Mutant::LackInSilence));
        held.map(|held| held.missing.lacking()).unwrap_or_default()
    }

    /// Tells everyone who hears of a Space what is missing here, when that changed: they take nobody for
    /// a holder of what it lacks.
    pub(super) fn say_lacking(&mut self, space: SpaceId) {
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            let greeted = self.connections.get(&id);
            if greeted.is_some_and(|it| it.store_epoch.is_some()) && self.may_hear_of(id, space) {
                self.say_lacking_to(id, space);
            }
        }
    }

    /// Tells one peer, before it is answered: what it takes for held is held.
    pub(super) fn say_lacking_to(&mut self, id: ConnectionId, space: SpaceId) {
        let lacking = self.lacking(space);
        let feed = self
            .connections
            .get(&id)
            .and_then(|it| it.feeds.get(&space));
        let known = feed.map_or(lacking.is_nothing(), |feed| feed.bare.said == lacking);
        if !known {
            self.say_snapshots(id, space);
        }
    }

    /// Says how this device reads a Space, and what bodies it lacks.
    pub(super) fn say_snapshots(&mut self, id: ConnectionId, space: SpaceId) {
        let lacking = self.lacking(space);
        self.feed_mut(id, space, |feed| feed.bare.said.clone_from(&lacking));
        let frame = Snapshots {
            space,
            wanted: self.wants_snapshots(space),
            lacking,
        };
        self.send(id, &Frame::Snapshots(frame));
    }

    /// Before a comparison: what the peer would not take for granted after our greeting.
    pub(super) fn say_snapshots_if_due(&mut self, id: ConnectionId, space: SpaceId) {
        let bare = self
            .connections
            .get(&id)
            .and_then(|it| it.feeds.get(&space))
            .is_some_and(|feed| feed.bare.sends);
        let held = self.spaces.get(&space);
        let lacking = held.is_some_and(|held| !held.missing.lacking().is_nothing());
        let keeps_sealed = self.role == Role::Member && !self.reads_snapshots(space);
        if bare || lacking || keeps_sealed {
            self.say_snapshots(id, space);
        }
    }

    pub(super) fn snapshots_received(&mut self, id: ConnectionId, frame: Snapshots) {
        // Also of who is not listened to yet: it says it once, and what counts may come by other ways.
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
        let mut agreed = false;
        self.feed_mut(id, space, |feed| {
            feed.by_snapshot = Some(frame.wanted);
            feed.bare.lacking = frame.lacking.bounded();
            agreed = feed.agreed == Some(digest);
        });
        if let Some(peer) = self.connections.get(&id).map(|it| it.peer)
            && agreed
        {
            self.peer_holds(id, space, peer, heads);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{AuthorId, Instance};

    fn chain(number: u64) -> Chain {
        Chain {
            author: AuthorId::ZERO,
            instance: Instance(number),
        }
    }

    #[test]
    fn what_is_missing_caps_its_own_chain_and_too_many_cap_all() {
        let missing = [(chain(1), 7), (chain(1), 4), (chain(2), 1)];
        let mut lacking = Lacking::of(missing.into_iter());
        let whole: Vec<_> = (1..4).map(|it| lacking.whole_up_to(chain(it), 5)).collect();
        assert_eq!(whole, [3, 0, 5]);
        assert_eq!(lacking.whole_up_to(chain(1), 2), 2);
        for number in 0..=u64::try_from(CHAINS_MAX).unwrap() {
            lacking.add(chain(number), 9);
        }
        assert_eq!(lacking, Lacking::Many);
        assert_eq!(lacking.whole_up_to(chain(1_000), 5), 0);
        let long = (0..1_000).map(|number| (chain(number), 1)).collect();
        assert_eq!(Lacking::Chains(long).bounded(), Lacking::Many);
        assert!(Lacking::default().is_nothing() && !lacking.is_nothing());
    }
}
