//! Where what one sees is, how old it is, and who else has it.

use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{SpaceId, Timestamp};

/// Where what one sees is, and how old it is.
#[derive(Clone, Debug, Default)]
pub struct SyncState {
    /// Changes made here that no other peer is known to hold.
    pub pending: u64,
    /// When news last arrived from elsewhere.
    pub newest: Option<Timestamp>,
    /// Everyone known.
    pub peers: Vec<Peer>,
    /// Systems that come as soon as somebody who has them can be reached, oldest first.
    pub awaited: Vec<Awaited>,
    /// Who takes no more of what, because a quota is reached.
    pub over_quota: Vec<OverQuota>,
}

/// A peer takes no more of a System for now: a quota of it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverQuota {
    /// What the peer is called here.
    pub peer: String,
    /// What the System is called here.
    pub system: String,
}

/// A System whose invitation was accepted while nobody who has it could be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// Its Space.
    pub space: SpaceId,
    /// From when on the invitation can be used; none: since it was made.
    pub begin: Option<Timestamp>,
    /// Until when.
    pub until: Timestamp,
    /// Whether a peer said that it lets nobody in any more.
    pub is_spent: bool,
}

impl SyncState {
    /// How many peers are connected.
    pub fn connected(&self) -> usize {
        self.peers.iter().filter(|peer| peer.path.is_some()).count()
    }

    /// Whether a relay is known, and whether one is connected.
    pub fn relay(&self) -> RelayReach {
        let relays = || {
            let peers = self.peers.iter();
            peers.filter(|peer| peer.kind == PeerKind::Relay)
        };
        if relays().next().is_none() {
            RelayReach::None
        } else if relays().any(|relay| relay.path.is_some()) {
            RelayReach::Connected
        } else {
            RelayReach::Away
        }
    }
}

/// Whether changes reach somebody who is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayReach {
    /// No relay is known.
    None,
    /// A relay is connected.
    Connected,
    /// Relays are known and none is connected.
    Away,
}

/// Another device, agent or relay.
#[derive(Clone, Debug)]
pub struct Peer {
    /// What it is called here.
    pub name: String,
    /// What it is.
    pub kind: PeerKind,
    /// The path in words, when connected: `direct, 0.4 ms`.
    pub path: Option<String>,
    /// When it was last seen.
    pub seen: Option<Timestamp>,
    /// The most that it may do in any Space here, and until when.
    pub may: Option<(Capability, Timestamp)>,
    /// In how many Spaces that are here it takes part.
    pub spaces: usize,
    /// An agent's own Space.
    pub agent: Option<SpaceId>,
}

/// What a peer is, in the order of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerKind {
    /// This one.
    Here,
    /// A relay.
    Relay,
    /// A person's device.
    Device,
    /// An agent.
    Agent,
    /// The key on paper that can restore a workspace.
    RecoveryKit,
    /// The key inside an invitation.
    Invitation,
    /// The key inside an emergency envelope.
    Emergency,
}
