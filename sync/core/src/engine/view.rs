//! Looking at the engine: what it holds, who holds it too, how full it is.

use std::collections::BTreeMap;

use super::Engine;
use super::io::{Admitted, ConnectionId, StoreEpoch};
use crate::admission::{Evaluation, Keyring, Member, SpaceLog};
use crate::envelope::Envelope;
use crate::id::{AuthorId, Chain, DocumentId, EnvelopeId, Instance, SpaceId};
use crate::statement::{Body, Capability, RelayAddress};

/// A peer that said it holds some of a Space durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its device key.
    pub peer: AuthorId,
    /// Whether it holds everything that is here.
    pub complete: bool,
    /// What it may do: a relay only relays.
    pub capability: Option<Capability>,
    /// Up to where it holds each chain.
    pub heads: BTreeMap<Chain, u64>,
}

/// One connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerView {
    /// Its number.
    pub connection: ConnectionId,
    /// The peer's device key.
    pub peer: AuthorId,
    /// The life of its store, once it said so.
    pub store_epoch: Option<StoreEpoch>,
    /// Bytes sent and not yet acknowledged.
    pub outstanding_bytes: usize,
}

/// How full the engine's queues are; each is bounded by [`Limits`](super::Limits).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// Received envelopes that wait for the disk.
    pub received_bytes: usize,
    /// Writes that wait for the disk.
    pub writes: usize,
    /// Bytes that wait for a predecessor, in the fullest Space.
    pub orphan_bytes: usize,
    /// Bytes on the way to the slowest peer.
    pub outstanding_bytes: usize,
}

impl Engine {
    /// Whose engine this is.
    pub fn author(&self) -> AuthorId {
        self.author
    }

    /// Whether a commit is on its way to the disk.
    pub fn is_writing(&self) -> bool {
        self.queue.in_flight.is_some()
    }

    /// Under which instance it writes now: another one as soon as the chain before does not go on anywhere.
    pub fn instance(&self) -> Instance {
        self.instance
    }

    /// The Spaces that are here or awaited.
    pub fn spaces(&self) -> impl Iterator<Item = SpaceId> + '_ {
        self.spaces.keys().copied()
    }

    /// The durable log of a Space.
    pub fn log(&self, space: SpaceId) -> Option<&SpaceLog> {
        self.spaces.get(&space).map(|held| &held.log)
    }

    /// What counts in a Space.
    pub fn evaluation(&self, space: SpaceId) -> Option<&Evaluation> {
        self.spaces.get(&space).map(|held| &held.evaluation)
    }

    /// The epoch keys of a Space.
    pub fn keyring(&self, space: SpaceId) -> Option<&Keyring> {
        self.spaces.get(&space).map(|held| &held.keyring)
    }

    /// Standing grants of a Space.
    pub fn members(&self, space: SpaceId) -> &[Member] {
        self.evaluation(space).map_or(&[], Evaluation::members)
    }

    /// Where a Space is stored and forwarded.
    pub fn relays(&self, space: SpaceId) -> &[RelayAddress] {
        self.evaluation(space).map_or(&[], Evaluation::relays)
    }

    /// What this device may do in a Space.
    pub fn capability(&self, space: SpaceId) -> Option<Capability> {
        self.evaluation(space)?.capability(self.author, self.now)
    }

    /// The grant that this device names when it issues another.
    pub fn best_grant(&self, space: SpaceId) -> Option<EnvelopeId> {
        self.evaluation(space)?.best_grant(self.author, self.now)
    }

    /// The public keys that this device proves to peers besides its own, with their Spaces.
    pub fn invitations(&self) -> impl Iterator<Item = (SpaceId, &crate::key::DeviceKeys)> + '_ {
        self.spaces
            .iter()
            .filter_map(|(space, held)| Some((*space, held.invitation.as_ref()?)))
    }

    /// Opens a stored body, if its key is here.
    pub fn open_body(&self, space: SpaceId, envelope: &Envelope) -> Option<Body> {
        let key = self.keyring(space)?.get(envelope.header().epoch)?;
        envelope.open(key).ok()
    }

    /// How many bodies of a document are not here; a document that lacks some is incomplete.
    pub fn missing_bodies(&self, space: SpaceId, document: DocumentId) -> usize {
        let Some(held) = self.spaces.get(&space) else {
            return 0;
        };
        let missing = held.missing.ids();
        missing
            .filter_map(|id| held.log.get(id))
            .filter(|entry| entry.header().document == document)
            .count()
    }

    /// Every entry of a document that counts, each after what it builds on; bodies are in the store.
    pub fn admitted(&self, space: SpaceId, document: DocumentId) -> Vec<Admitted> {
        let Some(held) = self.spaces.get(&space) else {
            return Vec::new();
        };
        let entries = held.evaluation.in_order().into_iter();
        entries
            .filter_map(|id| held.log.get(id))
            .filter(|entry| entry.header().document == document && !entry.is_control())
            .map(|entry| Admitted {
                id: entry.id(),
                document,
                chain: entry.header().chain,
                seq: entry.header().seq,
                time: entry.header().time,
                ancestors: entry.header().ancestors.clone(),
                body: None,
            })
            .collect()
    }

    /// Who else holds a Space durably, by what they said last (rule 7: nothing is claimed without).
    pub fn holders(&self, space: SpaceId) -> Vec<Holder> {
        let Some(held) = self.spaces.get(&space) else {
            return Vec::new();
        };
        self.holdings
            .iter()
            .filter(|((_peer, of), holding)| *of == space && !holding.held.is_empty())
            .map(|((peer, _of), holding)| Holder {
                peer: *peer,
                complete: held.log.heads().all(|(chain, seq, _id)| {
                    holding.held.get(&chain).is_some_and(|held| *held >= seq)
                }),
                capability: held.evaluation.capability(*peer, self.now),
                heads: holding.held.clone(),
            })
            .collect()
    }

    /// Connected peers with whom all of a Space was compared and found equal at least once since they
    /// connected: nothing that they had then is missing here.
    pub fn in_step(&self, space: SpaceId) -> Vec<AuthorId> {
        let connections = self.connections.values();
        connections
            .filter(|connection| {
                let feed = connection.feeds.get(&space);
                feed.is_some_and(|feed| feed.agreed.is_some())
            })
            .map(|connection| connection.peer)
            .collect()
    }

    /// Whether what an agent says in its Space arrives now: a connected peer in step with it is a
    /// relay, which hears everybody, or the agent, who may write there and no more. Not while it may
    /// arrive and be refused, because this device was started anew and may have heard it before.
    pub fn hears(&self, space: SpaceId) -> bool {
        let Some(held) = self.spaces.get(&space) else {
            return false;
        };
        if self.refuses_some(space) {
            return false;
        }
        self.in_step(space).into_iter().any(|peer| {
            let capability = held.evaluation.capability(peer, self.now);
            matches!(capability, Some(Capability::Relay | Capability::Write))
        })
    }

    /// The connections.
    pub fn peers(&self) -> impl Iterator<Item = PeerView> + '_ {
        self.connections.iter().map(|(id, connection)| PeerView {
            connection: *id,
            peer: connection.peer,
            store_epoch: connection.store_epoch,
            outstanding_bytes: connection.outstanding_bytes,
        })
    }

    /// How full the queues are.
    pub fn pressure(&self) -> Pressure {
        Pressure {
            received_bytes: self.queue.received_bytes,
            writes: self.queue.writes(),
            orphan_bytes: self
                .spaces
                .values()
                .map(super::space::Space::orphan_bytes)
                .max()
                .unwrap_or(0),
            outstanding_bytes: self
                .connections
                .values()
                .map(|connection| connection.outstanding_bytes + connection.loading_bytes)
                .max()
                .unwrap_or(0),
        }
    }
}
