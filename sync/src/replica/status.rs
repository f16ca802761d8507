//! What a replica says of itself: Spaces, receipts, peers, and what happens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_sync_core::admission::{AudienceSpace, ChainSummary, EmergencyUse, Member};
use aramaki_sync_core::engine::{
    AccessEnd, Admitted, Event, QuotaName, Refusal, SnapshotFinding, StoreFailure,
};
use aramaki_sync_core::statement::{Capability, RelayAddress};
use aramaki_sync_core::{AuthorId, Chain, DocumentId, EnvelopeId, Instance, SpaceId, Timestamp};

use crate::transport::{Path, PeerAddress};

/// A Space on this device.
#[derive(Clone, Debug)]
pub struct SpaceSummary {
    /// Its id.
    pub id: SpaceId,
    /// What this device may do in it now.
    pub capability: Option<Capability>,
    /// What a peer says: this device's access is over, though the statement that ended it is not here.
    pub ended_elsewhere: Option<AccessEnd>,
    /// Peers that said that they take no more of it for a quota of theirs, and since when: since this process began.
    pub over_quota_at: Vec<(AuthorId, Timestamp)>,
    /// Peers have something that only a newer program can read: what is here is not all.
    pub newer_elsewhere: bool,
    /// Who holds a grant.
    pub members: Vec<Member>,
    /// Other Spaces whose readers are granted something here.
    pub audiences: Vec<AudienceSpace>,
    /// When each of these grants was signed, by its giver's clock: they may reach back, for peers whose clock is
    /// late, but nobody had them before.
    pub granted: BTreeMap<EnvelopeId, Timestamp>,
    /// The last sign of each author in what counts here: when it was written, at the latest when it came.
    pub signs: BTreeMap<AuthorId, Timestamp>,
    /// Who is in by an emergency grant now, and why.
    pub emergencies: Vec<EmergencyUse>,
    /// What emergency grants that stand were ever used for, the newest last.
    pub emergency_uses: Vec<EmergencyUse>,
    /// Where it is stored and forwarded.
    pub relays: Vec<RelayAddress>,
    /// How far each chain goes here.
    pub heads: Vec<ChainSummary>,
    /// Equal on every replica that holds the same envelopes.
    pub digest: [u8; 32],
    /// How many envelopes are here.
    pub envelopes: u64,
    /// Where our own newest envelope is known to be.
    pub receipts: Receipts,
}

impl SpaceSummary {
    /// Since when somebody has a grant, or from when on it can be used, if that is later.
    pub fn begin_of(&self, member: &Member) -> Timestamp {
        let granted = self.granted.get(&member.grant);
        granted.map_or(member.not_before, |at| (*at).max(member.not_before))
    }
}

/// What a stored envelope builds on, as its verified header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The envelope.
    pub id: EnvelopeId,
    /// The one before it in its chain; zero at the chain's begin.
    pub previous: EnvelopeId,
    /// The heads of other chains that it names.
    pub ancestors: Vec<EnvelopeId>,
}

/// Where what this device wrote in a Space is known to be stored durably.
///
/// Only what a peer said under its proven key counts: nothing here is guessed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipts {
    /// The newest own position on this disk, leaving out what a witness states of itself.
    pub own: Option<(Chain, u64)>,
    /// How many own envelopes are on this disk only, counted in the same way.
    pub only_here: u64,
    /// Peers that hold it, and up to which position of it.
    pub peers: Vec<Receipt>,
}

/// One peer's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Who.
    pub peer: AuthorId,
    /// Whether it only stores and forwards, at an address that members know.
    pub relay: bool,
    /// Up to which position of this device's chain.
    pub seq: u64,
    /// Whether it holds everything of the Space that is here, others' envelopes too.
    pub complete: bool,
}

impl Receipts {
    fn holders(&self, relay: bool) -> impl Iterator<Item = AuthorId> + '_ {
        let own = self.own.map_or(0, |(_chain, seq)| seq);
        let complete = move |receipt: &&Receipt| receipt.relay == relay && receipt.seq >= own;
        self.peers
            .iter()
            .filter(complete)
            .map(|receipt| receipt.peer)
    }

    /// Relays that hold everything that this device wrote in the Space.
    pub fn on_relays(&self) -> Vec<AuthorId> {
        self.holders(true).collect()
    }

    /// How many other devices and agents do.
    pub fn on_devices(&self) -> usize {
        self.holders(false).count()
    }
}

/// A peer, connected or looked for.
#[derive(Clone, Debug)]
pub struct PeerStatus {
    /// Where it is looked for.
    pub address: PeerAddress,
    /// Its device key, once it proved it.
    pub device: Option<AuthorId>,
    /// All keys that it proved.
    pub authors: BTreeSet<AuthorId>,
    /// How it is reached; none while it is not connected.
    pub path: Option<Path>,
    /// Round trip on that path.
    pub rtt: Option<Duration>,
    /// How long ago it was heard on this connection.
    pub last_seen: Option<Duration>,
}

impl PeerStatus {
    /// Whether there is a connection.
    pub fn is_connected(&self) -> bool {
        self.path.is_some()
    }
}

/// What happens in a replica. A subscriber that is too slow misses events and is told so; it then
/// reads what it shows anew.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplicaEvent {
    /// New durable entries that count, own ones too, each after what it builds on.
    Admitted {
        /// Where.
        space: SpaceId,
        /// What.
        entries: Vec<Admitted>,
    },
    /// Something that counted no longer does: read the Space's documents anew.
    Rebuilt {
        /// Where.
        space: SpaceId,
    },
    /// A Space appeared, or its members, grants, relays or keys changed.
    Space {
        /// Which.
        space: SpaceId,
    },
    /// A peer has a Space that is not here, and says that a key of this device is known there:
    /// [`Replica::follow`](super::Replica::follow) fetches it.
    Offered {
        /// Which.
        space: SpaceId,
    },
    /// A connected peer came in step with a Space: all that both have was compared and is equal.
    InStep {
        /// Which.
        space: SpaceId,
    },
    /// What peers hold of a Space changed.
    Receipts {
        /// Where.
        space: SpaceId,
    },
    /// A peer connected or went.
    Peers,
    /// A signed message that is not stored.
    Ephemeral {
        /// Where.
        space: SpaceId,
        /// About which document.
        document: DocumentId,
        /// From whom.
        chain: Chain,
        /// The author's clock.
        time: Timestamp,
        /// What it says.
        bytes: Vec<u8>,
    },
    /// A question to who may write a Space, from a reader of another one whose readers may read there.
    Asked {
        /// Who is asked.
        space: SpaceId,
        /// Where the asker holds a grant.
        through: SpaceId,
        /// About which document.
        document: DocumentId,
        /// From whom.
        chain: Chain,
        /// What it says.
        bytes: Vec<u8>,
    },
    /// An envelope was refused, here or by a peer.
    Refused {
        /// Where.
        space: SpaceId,
        /// Which: the hash of the header that was sent, readable or not.
        id: EnvelopeId,
        /// The peer with whom it was exchanged.
        peer: AuthorId,
        /// Why.
        reason: Refusal,
    },
    /// A relay took something not, because a quota of it would be passed; said once an hour of each.
    OverQuota {
        /// Where.
        space: SpaceId,
        /// Whose it was.
        author: AuthorId,
        /// Which quota.
        quota: QuotaName,
        /// What it would have been with it.
        would_be: u64,
        /// What is allowed.
        most: u64,
    },
    /// A snapshot that was needed holds what it should not; what counts is read from elsewhere.
    Snapshot {
        /// Where.
        space: SpaceId,
        /// Of which document.
        document: DocumentId,
        /// The snapshot's own envelope.
        id: EnvelopeId,
        /// Whose it is.
        author: AuthorId,
        /// What is wrong with it.
        finding: SnapshotFinding,
    },
    /// This database was found rolled back and writes under a new instance.
    NewInstance {
        /// The new one.
        instance: Instance,
    },
    /// Nothing can be stored at the moment; nothing was acknowledged.
    StoreFailed {
        /// Why.
        failure: StoreFailure,
    },
}

impl ReplicaEvent {
    /// The engine's event in the words of the handle.
    pub(crate) fn from_engine(event: Event) -> Option<Self> {
        Some(match event {
            Event::Admitted { space, entries } => Self::Admitted { space, entries },
            Event::Rebuilt { space } => Self::Rebuilt { space },
            Event::SpaceChanged { space } => Self::Space { space },
            Event::Offered { space } => Self::Offered { space },
            Event::InStep { space } => Self::InStep { space },
            Event::ReceiptsChanged { space } => Self::Receipts { space },
            Event::Ephemeral {
                space,
                document,
                chain,
                time,
                bytes,
            } => Self::Ephemeral {
                space,
                document,
                chain,
                time,
                bytes,
            },
            Event::Asked {
                space,
                through,
                document,
                chain,
                bytes,
            } => Self::Asked {
                space,
                through,
                document,
                chain,
                bytes,
            },
            Event::Snapshot {
                space,
                document,
                id,
                author,
                finding,
            } => Self::Snapshot {
                space,
                document,
                id,
                author,
                finding,
            },
            Event::NewInstance { instance } => Self::NewInstance { instance },
            Event::StoreFailed { failure } => Self::StoreFailed { failure },
            other => return Self::from_refusal(&other),
        })
    }

    /// The same of what was not taken.
    fn from_refusal(event: &Event) -> Option<Self> {
        Some(match *event {
            Event::Refused {
                space,
                id,
                peer,
                reason,
            } => Self::Refused {
                space,
                id,
                peer,
                reason,
            },
            Event::OverQuota {
                space,
                author,
                quota,
                would_be,
                most,
            } => Self::OverQuota {
                space,
                author,
                quota,
                would_be,
                most,
            },
            _ => return None,
        })
    }
}
