//! Connections, digests over them, and what is known of the stores behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::bodies::Bodies;
use super::frame::{
    DIGESTS_MAX, Frame, HEADS_BYTES, Heads, HeadsPart, Hello, PROTOCOL, READS_SNAPSHOTS, Since,
};
use super::io::{CloseReason, ConnectionId, Cursor, Event, Output, StoreEpoch};
use super::lacking::Lacking;
use super::options::Role;
use super::space::Space;
use super::{Engine, Mutant};
use crate::admission::{ChainSummary, Entry};
use crate::id::{AuthorId, Chain, EnvelopeId, SpaceId};
use crate::time::Timestamp;

/// What a line of a summary takes besides its heads, at most.
const SUMMARY_BYTES: usize = 56;
/// After how many comparisons a Space that agreed is compared again.
const TICKS_BETWEEN_REPEATS: u64 = 6;

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) peer: AuthorId,
    pub(super) authors: BTreeSet<AuthorId>,
    /// Spaces that the peer has and that were not here when it said so.
    pub(super) offered: BTreeSet<SpaceId>,
    /// Spaces of which the peer was told that its access is over.
    pub(super) told_ended: BTreeSet<SpaceId>,
    /// What the peer said that it has of Spaces in which its time is over.
    pub(super) asked: super::deliver::Asked,
    /// Spaces of which the peer showed grants that are not in the log here yet.
    pub(super) introduced: BTreeMap<SpaceId, super::introduce::Introduced>,
    /// Known after the peer's first frame.
    pub(super) store_epoch: Option<StoreEpoch>,
    pub(super) feeds: BTreeMap<SpaceId, Feed>,
    pub(super) outstanding: BTreeMap<u64, Sent>,
    pub(super) outstanding_bytes: usize,
    /// Bytes that the store is loading for this connection.
    pub(super) loading_bytes: usize,
    pub(super) next_number: u64,
    pub(super) faults: u32,
    pub(super) next_digest: Timestamp,
    pub(super) ticks: u64,
    /// Chains of a Space of which more are to come.
    pub(super) heads: Option<(SpaceId, Vec<ChainSummary>)>,
    pub(super) timeout: Duration,
    /// Whether the peer takes bodies out of snapshots, where it says nothing else.
    pub(super) reads_snapshots: bool,
}

/// How far a peer was told about a Space. Bounded whatever the peer does: a position and one
/// number a chain.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// The peer said something about the Space, so it wants it.
    pub(super) live: bool,
    /// The next position of our arrival order to look at.
    pub(super) position: usize,
    /// Up to where the peer has a chain.
    pub(super) known: BTreeMap<Chain, u64>,
    pub(super) loading: bool,
    /// Of which documents the peer wants bodies.
    pub(super) wants: Bodies,
    /// Whether the peer wants bodies that a snapshot after them holds left out, if it said so.
    pub(super) by_snapshot: Option<bool>,
    /// What the peer has no bodies of.
    pub(super) bare: Bare,
    /// Chains of which the peer cannot take more while this connection lasts.
    pub(super) refused: BTreeSet<Chain>,
    /// The digest that we said last and that the peer did not ask about since, and the one at which
    /// both sides agreed.
    pub(super) said: Option<[u8; 32]>,
    pub(super) agreed: Option<[u8; 32]>,
}

/// What is known of bodies that a peer does not have.
#[derive(Clone, Debug, Default)]
pub(super) struct Bare {
    /// Bodies are missing there: its heads say nothing of them.
    pub(super) lacking: Lacking,
    /// What it was told that is missing here.
    pub(super) said: Lacking,
    /// It sent headers without bodies.
    pub(super) sends: bool,
}

/// A frame of envelopes that the peer has not acknowledged.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) space: SpaceId,
    pub(super) bytes: usize,
    pub(super) at: Timestamp,
    pub(super) links: Vec<(Chain, u64, EnvelopeId)>,
}

/// What is known of a peer's store in one Space.
#[derive(Debug, Default)]
pub(super) struct Holding {
    pub(super) store_epoch: StoreEpoch,
    pub(super) pulled: u64,
    pub(super) held: BTreeMap<Chain, u64>,
}

impl From<Cursor> for Holding {
    fn from(cursor: Cursor) -> Self {
        Self {
            store_epoch: cursor.store_epoch,
            pulled: cursor.pulled,
            held: cursor.held.into_iter().collect(),
        }
    }
}

impl Holding {
    pub(super) fn to_cursor(&self) -> Cursor {
        Cursor {
            store_epoch: self.store_epoch,
            pulled: self.pulled,
            held: self
                .held
                .iter()
                .map(|(chain, seq)| (*chain, *seq))
                .collect(),
        }
    }
}

impl Connection {
    /// Whether a body goes to the peer with its header, which is at this place in the order of arrival.
    pub(super) fn wants_body(&self, feed: &Feed, held: &Space, entry: &Entry, at: usize) -> bool {
        let by_snapshot = feed.by_snapshot.unwrap_or(self.reads_snapshots);
        let in_snapshot = held.is_before_snapshot(entry, at) || held.is_covered(entry.id());
        entry.is_control()
            || (feed.wants.include(entry.header().document) && !(by_snapshot && in_snapshot))
    }

    /// The chains of a Space that came so far; those of another are dropped.
    pub(super) fn take_heads(&mut self, space: SpaceId) -> Vec<ChainSummary> {
        match self.heads.take() {
            Some((of, chains)) if of == space => chains,
            _ => Vec::new(),
        }
    }

    pub(super) fn next_deadline(&self) -> Timestamp {
        let expiry = self
            .outstanding
            .values()
            .map(|sent| sent.at.plus(self.timeout))
            .min();
        expiry.map_or(self.next_digest, |expiry| expiry.min(self.next_digest))
    }
}

impl Engine {
    pub(super) fn connected(
        &mut self,
        id: ConnectionId,
        peer: AuthorId,
        mut authors: BTreeSet<AuthorId>,
    ) {
        if self.connections.len() >= self.limits.connections_max {
            self.outputs.push_back(Output::Close {
                connection: id,
                reason: CloseReason::TooMany,
            });
            return;
        }
        authors.insert(peer);
        let connection = Connection {
            peer,
            authors,
            offered: BTreeSet::new(),
            told_ended: BTreeSet::new(),
            asked: BTreeMap::new(),
            introduced: BTreeMap::new(),
            store_epoch: None,
            feeds: BTreeMap::new(),
            outstanding: BTreeMap::new(),
            outstanding_bytes: 0,
            loading_bytes: 0,
            next_number: 0,
            faults: 0,
            next_digest: self.now.plus(self.limits.digest_interval),
            ticks: 0,
            heads: None,
            timeout: self.limits.acknowledge_timeout,
            reads_snapshots: false,
        };
        self.connections.insert(id, connection);
        self.send(id, &self.hello());
    }

    fn hello(&self) -> Frame {
        Frame::Hello(Hello {
            protocol: PROTOCOL,
            store_epoch: self.store_epoch,
            features: match self.role {
                Role::Member if self.limits.snapshot_tail_max != usize::MAX => READS_SNAPSHOTS,
                Role::Member | Role::Relay(_) => 0,
            },
        })
    }

    pub(super) fn disconnected(&mut self, id: ConnectionId) {
        let Some(gone) = self.connections.remove(&id) else {
            return;
        };
        if self.is(Mutant::ConnectionKeyedByPeer) {
            self.connections
                .retain(|_id, connection| connection.peer != gone.peer);
        }
        self.receiving
            .retain(|(connection, _number), _| *connection != id);
        self.loads.retain(|_load, loading| loading.connection != id);
        self.fetches.retain(|_load, fetching| !fetching.is_for(id));
    }

    pub(super) fn close(&mut self, connection: ConnectionId, reason: CloseReason) {
        self.disconnected(connection);
        self.outputs.push_back(Output::Close { connection, reason });
    }

    pub(super) fn send(&mut self, connection: ConnectionId, frame: &Frame) {
        self.outputs.push_back(Output::Send {
            connection,
            frame: frame.encode(),
        });
    }

    pub(super) fn hello_received(&mut self, id: ConnectionId, hello: &Hello) {
        if hello.protocol != PROTOCOL {
            self.close(id, CloseReason::Protocol);
            return;
        }
        let keep_all = self.is(Mutant::CursorWithoutStoreEpoch);
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let first = connection.store_epoch.is_none();
        connection.store_epoch = Some(hello.store_epoch);
        connection.reads_snapshots = hello.features & READS_SNAPSHOTS != 0;
        let peer = connection.peer;
        if !self.end_other_lives(id, peer, hello.store_epoch) {
            return;
        }
        let range = (peer, SpaceId::ZERO)..=(peer, SpaceId::from_bytes([u8::MAX; 32]));
        let mut forgotten = Vec::new();
        for ((_peer, space), holding) in self.holdings.range_mut(range) {
            if holding.store_epoch != hello.store_epoch {
                if !keep_all {
                    holding.pulled = 0;
                    holding.held.clear();
                    forgotten.push(*space);
                }
                holding.store_epoch = hello.store_epoch;
                self.queue.cursors_dirty.insert((peer, *space));
            }
        }
        for space in forgotten {
            self.emit(Event::ReceiptsChanged { space });
        }
        if first {
            if hello.store_epoch == StoreEpoch::default() {
                // Zero is no life of a store; nothing may be remembered about it.
                return;
            }
            self.greet_spaces(id);
            self.tell_every_end(id);
        }
    }

    /// What still comes over a connection from an earlier life of the peer's store is about things
    /// that it lost: such connections end. False when `id` itself is the earlier one.
    fn end_other_lives(&mut self, id: ConnectionId, peer: AuthorId, now: StoreEpoch) -> bool {
        let others: Vec<_> = self
            .connections
            .iter()
            .filter(|(_other, it)| it.peer == peer)
            .filter(|(_other, it)| it.store_epoch.is_some_and(|then| then != now))
            .map(|(other, _it)| *other)
            .collect();
        if others.iter().any(|other| *other > id) {
            self.close(id, CloseReason::Replaced);
            return false;
        }
        for other in others {
            self.close(other, CloseReason::Replaced);
        }
        true
    }

    /// After the first frame: ask for what arrived since, or compare.
    fn greet_spaces(&mut self, id: ConnectionId) {
        let spaces: Vec<_> = self.spaces.keys().copied().collect();
        let mut digests = Vec::new();
        for space in spaces {
            if !self.may_hear_of(id, space) {
                continue;
            }
            let Some((peer, digest)) = self.peer_and_digest(id, space) else {
                continue;
            };
            let pulled = self.holdings.get(&(peer, space)).map_or(0, |it| it.pulled);
            if pulled == 0 {
                digests.push((space, digest));
                continue;
            }
            self.say_wants(id, space, false);
            self.feed_mut(id, space, |feed| feed.said = Some(digest));
            let since = Since {
                space,
                position: pulled,
                digest,
            };
            self.send(id, &Frame::Since(since));
        }
        self.say_digests(id, &digests);
    }

    fn peer_and_digest(&self, id: ConnectionId, space: SpaceId) -> Option<(AuthorId, [u8; 32])> {
        let peer = self.connections.get(&id)?.peer;
        Some((peer, self.spaces.get(&space)?.log.digest()))
    }

    pub(super) fn say_digests(&mut self, id: ConnectionId, digests: &[(SpaceId, [u8; 32])]) {
        for (space, digest) in digests {
            self.show_relay_its_grant(id, *space);
            self.say_wants(id, *space, false);
            let digest = *digest;
            self.feed_mut(id, *space, |feed| feed.said = Some(digest));
        }
        for some in digests.chunks(DIGESTS_MAX) {
            self.send(id, &Frame::Digests(some.to_vec()));
        }
    }

    /// Every few seconds: what differs, or was not compared since it changed, is compared.
    pub(super) fn compare_digests(&mut self) {
        let due: Vec<_> = self
            .connections
            .iter()
            .filter(|(_id, connection)| connection.next_digest <= self.now)
            .map(|(id, _connection)| *id)
            .collect();
        for id in due {
            let interval = self.limits.digest_interval;
            let quarter = u64::try_from(interval.as_millis() / 4).unwrap_or(1_000);
            let jitter = self.entropy.next_u64() % quarter.max(1);
            let Some(connection) = self.connections.get_mut(&id) else {
                continue;
            };
            connection.next_digest = self.now.plus(interval + Duration::from_millis(jitter));
            connection.ticks += 1;
            let all = connection.ticks % TICKS_BETWEEN_REPEATS == 0;
            if connection.store_epoch.is_none() {
                self.send(id, &self.hello());
                continue;
            }
            if self.is(Mutant::ForgetReannouncement) {
                continue;
            }
            self.offer_digests(id, all);
        }
        self.fetch_again();
        let expiry = self.limits.digest_interval * 12;
        self.candidates
            .retain(|_space, candidate| self.now.since(candidate.since) < expiry);
    }

    fn offer_digests(&mut self, id: ConnectionId, all: bool) {
        let spaces: Vec<_> = self.spaces.keys().copied().collect();
        let mut digests = Vec::new();
        for space in spaces {
            let Some((_peer, digest)) = self.peer_and_digest(id, space) else {
                continue;
            };
            let agreed = self
                .connections
                .get(&id)
                .and_then(|connection| connection.feeds.get(&space))
                .is_some_and(|feed| feed.agreed == Some(digest));
            if (all || !agreed) && self.may_hear_of(id, space) {
                let silent = self
                    .connections
                    .get(&id)
                    .and_then(|connection| connection.feeds.get(&space))
                    .is_some_and(|feed| feed.said.is_some() && !feed.live);
                if silent {
                    self.introduce(id, space);
                }
                digests.push((space, digest));
            }
        }
        self.say_digests(id, &digests);
    }

    /// Tells peers that were let in by a change of a Space's control that it is here.
    pub(super) fn offer_to_newcomers(&mut self, space: SpaceId) {
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            let Some(connection) = self.connections.get(&id) else {
                continue;
            };
            let Some((_peer, digest)) = self.peer_and_digest(id, space) else {
                continue;
            };
            // What was said before this change may be why the peer asked for nothing yet.
            let greeted = connection
                .feeds
                .get(&space)
                .is_some_and(|feed| feed.live || feed.said == Some(digest));
            if !greeted && connection.store_epoch.is_some() && self.may_hear_of(id, space) {
                self.say_digests(id, &[(space, digest)]);
            }
        }
    }

    /// Whether the peer has at least relay in the Space, by any key that it proved.
    pub(super) fn may_hear_of(&self, id: ConnectionId, space: SpaceId) -> bool {
        let (Some(connection), Some(held)) = (self.connections.get(&id), self.spaces.get(&space))
        else {
            return false;
        };
        let mut authors = connection.authors.iter();
        authors.any(|author| held.evaluation.capability(*author, self.now).is_some())
            || self.is_introduced(id, space)
    }

    /// Whether this device waits for the Space: then whoever speaks of it is listened to. A relay whose
    /// access has ended does not, so that it says of that Space what it says of every other: who lets it
    /// in again is in the roster, or shows what let them in.
    pub(super) fn is_waiting_for(&self, space: SpaceId) -> bool {
        let is_member = self.role == Role::Member;
        self.spaces.get(&space).is_some_and(|held| {
            let is_out = held.evaluation.capability(self.author, self.now).is_none();
            is_out && (is_member || !held.granted.contains(&self.author))
        })
    }

    /// Whether a connection is of nobody: by what it proved and showed so far it has no part in any Space
    /// that is here, hands in nothing, and offers none.
    pub fn is_stranger(&self, id: ConnectionId) -> bool {
        let Some(connection) = self.connections.get(&id) else {
            return false;
        };
        let has_part =
            |space: &SpaceId| self.listens_to(id, *space) || self.is_delivering(id, *space);
        // What it speaks of first: of most connections that is enough.
        let mut spoken_of = connection.feeds.keys().chain(connection.asked.keys());
        let mut candidates = self.candidates.values();
        let is_somebody = spoken_of.any(has_part)
            || candidates.any(|it| it.shown_by.contains(&id))
            || self
                .spaces
                .keys()
                .any(|space| self.may_hear_of(id, *space) || self.is_delivering(id, *space));
        !is_somebody
    }

    pub(super) fn feed_mut(
        &mut self,
        id: ConnectionId,
        space: SpaceId,
        change: impl FnOnce(&mut Feed),
    ) {
        if let Some(connection) = self.connections.get_mut(&id) {
            change(connection.feeds.entry(space).or_default());
        }
    }

    /// The peer said that it holds all that we hold.
    pub(super) fn agreed(&mut self, id: ConnectionId, space: SpaceId) {
        let Some((peer, digest)) = self.peer_and_digest(id, space) else {
            return;
        };
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let position = held.log.len();
        let heads: Vec<_> = held
            .log
            .heads()
            .map(|(chain, seq, _id)| (chain, seq))
            .collect();
        let (mut said, mut was_live, mut was_in_step) = (None, false, false);
        self.feed_mut(id, space, |feed| {
            said = feed.said;
            was_live = feed.live;
            was_in_step = feed.agreed.is_some();
            feed.live = true;
            feed.position = position;
            feed.known.clear();
            feed.agreed = Some(digest);
        });
        self.peer_holds(id, space, peer, heads);
        self.hears_again(id, space);
        self.takes_again(id, space);
        if !was_in_step {
            self.emit(Event::InStep { space });
        }
        if !was_live {
            self.tell_last_words(id, space);
        }
        if said != Some(digest) && self.may_hear_of(id, space) {
            self.say_digests(id, &[(space, digest)]);
        }
        self.fetch(space);
    }

    /// A peer that caught up is told so at once: it knows then that it is in step, and asks for bodies
    /// that no snapshot holds. Later changes need no such word.
    pub(super) fn say_end(&mut self, id: ConnectionId, space: SpaceId) {
        let (Some(connection), Some(held)) = (self.connections.get(&id), self.spaces.get(&space))
        else {
            return;
        };
        let under_way = connection.outstanding.values().any(|it| it.space == space);
        let digest = held.log.digest();
        let at_end = connection.feeds.get(&space).is_some_and(|feed| {
            (!feed.bare.lacking.is_nothing() || feed.agreed.is_none())
                && feed.live
                && !feed.loading
                && feed.position >= held.log.len()
                && feed.said != Some(digest)
        });
        let forgets = self.is(Mutant::ForgetReannouncement);
        if at_end && !under_way && !forgets && self.may_hear_of(id, space) {
            self.say_digests(id, &[(space, digest)]);
        }
    }

    /// The peer said that it holds these durably.
    pub(super) fn peer_holds(
        &mut self,
        id: ConnectionId,
        space: SpaceId,
        peer: AuthorId,
        heads: Vec<(Chain, u64)>,
    ) {
        let Some(store_epoch) = self.connections.get(&id).and_then(|it| it.store_epoch) else {
            return;
        };
        let feed = self
            .connections
            .get(&id)
            .and_then(|it| it.feeds.get(&space));
        if feed.is_some_and(|feed| feed.wants != Bodies::All) {
            // Its heads say nothing of bodies, so nothing is claimed for it.
            return;
        }
        let lacking = feed
            .map(|feed| feed.bare.lacking.clone())
            .unwrap_or_default();
        let heads = heads.into_iter().filter_map(|(chain, head)| {
            let whole = lacking.whole_up_to(chain, head);
            (whole > 0).then_some((chain, whole))
        });
        let holding = self.holdings.entry((peer, space)).or_default();
        holding.store_epoch = store_epoch;
        let mut grew = false;
        for (chain, seq) in heads {
            let held = holding.held.entry(chain).or_default();
            grew |= *held < seq;
            *held = seq.max(*held);
        }
        if grew {
            self.queue.cursors_dirty.insert((peer, space));
            self.emit(Event::ReceiptsChanged { space });
        }
    }

    /// Says what is here of a Space; nothing to who may not hear of it, although this device waits for
    /// it and listens to everybody.
    pub(super) fn say_heads(&mut self, id: ConnectionId, space: SpaceId, ask: bool) {
        let may_hear = self.may_hear_of(id, space);
        let held = self.spaces.get(&space);
        let held = held.filter(|held| may_hear || held.log.is_empty());
        let chains = held.map(|held| held.log.summary());
        if chains.is_some() {
            self.say_wants(id, space, false);
        }
        self.send_heads(id, space, chains.unwrap_or_default(), ask);
    }

    /// Sends chains in as many frames as they need.
    pub(super) fn send_heads(
        &mut self,
        id: ConnectionId,
        space: SpaceId,
        chains: Vec<ChainSummary>,
        ask: bool,
    ) {
        let mut part = Vec::new();
        let mut bytes = 0;
        for chain in chains {
            let more = SUMMARY_BYTES + chain.heads.len() * size_of::<EnvelopeId>();
            if bytes + more > HEADS_BYTES {
                let chains = std::mem::take(&mut part);
                self.send(id, &Frame::HeadsPart(HeadsPart { space, chains }));
                bytes = 0;
            }
            bytes += more;
            part.push(chain);
        }
        let chains = part;
        let heads = Heads { space, chains, ask };
        self.send(id, &Frame::Heads(heads));
    }
}
