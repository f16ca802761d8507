//! What peers say: digests, heads, envelopes, acknowledgements.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::carry::FILE;
use super::draft::New;
use super::frame::{Acknowledge, Envelopes, Frame, HEADS_CHAINS_MAX, Heads, HeadsPart, Since};
use super::io::{CloseReason, ConnectionId, Event, Refusal, TakeId};
use super::options::Role;
use super::queue::Work;
use super::space::{Candidate, Space, granted_by};
use super::{Engine, Mutant};
use crate::admission::{ChainSummary, Inserted};
use crate::envelope::Envelope;
use crate::id::{AuthorId, Chain, EnvelopeId, Instance, SpaceId};
use crate::statement::Kind;

/// How many Spaces that are not here are remembered of a connection.
const OFFERED_MAX: usize = 4_096;
/// Spaces that one peer may offer to a relay at once; the next when one of them is taken or expired.
const CANDIDATES_OF_PEER_MAX: usize = 8;

/// A frame of envelopes of which not all have an answer yet.
#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) space: SpaceId,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) remaining: usize,
    pub(super) refused: Vec<(EnvelopeId, Refusal)>,
}

impl Engine {
    pub(super) fn received(&mut self, id: ConnectionId, bytes: &[u8]) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let greeted = connection.store_epoch.is_some();
        let Ok(frame) = Frame::decode(bytes) else {
            self.fault(id);
            return;
        };
        match frame {
            Frame::Hello(hello) => self.hello_received(id, &hello),
            Frame::Digests(digests) if greeted => self.digests_received(id, digests),
            Frame::Since(since) if greeted => self.since_received(id, &since),
            Frame::Heads(heads) if greeted => self.heads_received(id, heads),
            Frame::Envelopes(envelopes) if greeted => self.envelopes_received(id, envelopes),
            Frame::Acknowledge(answer) if greeted => self.acknowledged(id, &answer),
            Frame::Wants(wants) if greeted => self.wants_received(id, wants),
            Frame::Fetch(fetch) if greeted => self.fetch_received(id, fetch),
            Frame::Bodies(bodies) if greeted => self.bodies_received(id, bodies),
            Frame::HeadsPart(part) if greeted => self.heads_part_received(id, part),
            Frame::Introduction(shown) if greeted => self.introduced(id, shown),
            Frame::Ended(ended) if greeted => self.ended_received(id, &ended),
            Frame::Snapshots(said) if greeted => self.snapshots_received(id, said),
            // A newer peer's kinds; what came before the first frame comes again.
            _ => {}
        }
    }

    /// Counts what has no form against the peer.
    pub(super) fn fault(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.faults += 1;
        if connection.faults > self.limits.faults_max {
            self.close(id, CloseReason::Malformed);
        }
    }

    /// Whether this connection may speak of a Space here.
    pub(super) fn listens_to(&self, id: ConnectionId, space: SpaceId) -> bool {
        self.spaces.contains_key(&space)
            && (self.may_hear_of(id, space) || self.is_waiting_for(space))
    }

    fn digests_received(&mut self, id: ConnectionId, digests: Vec<(SpaceId, [u8; 32])>) {
        for (space, digest) in digests {
            if !self.spaces.contains_key(&space) {
                self.consider(id, space);
            } else if self.listens_to(id, space) {
                self.compare(id, space, digest);
            } else {
                self.ask_to_deliver(id, space, digest);
            }
        }
    }

    fn compare(&mut self, id: ConnectionId, space: SpaceId, digest: [u8; 32]) {
        if self.spaces.get(&space).map(|it| it.log.digest()) == Some(digest) {
            self.agreed(id, space);
        } else {
            self.say_heads(id, space, true);
        }
    }

    /// A Space that is not here: a device tells its person. A relay says nothing, as of one that it has,
    /// until it is shown a grant of its own.
    fn consider(&mut self, id: ConnectionId, space: SpaceId) {
        if self.role != Role::Member {
            return;
        }
        if let Some(connection) = self.connections.get_mut(&id)
            && connection.offered.len() < OFFERED_MAX
        {
            connection.offered.insert(space);
        }
        self.emit(Event::Offered { space });
    }

    /// A relay was shown its grant in a Space that it does not have: it asks for the control chain.
    pub(super) fn begin_candidate(&mut self, id: ConnectionId, space: SpaceId) {
        let (Role::Relay(quotas), Some(connection)) = (self.role, self.connections.get(&id)) else {
            return;
        };
        let peer = connection.peer;
        if !self.candidates.contains_key(&space) {
            let of_peer = self.candidates.values().filter(|it| it.from == peer);
            let room = self.candidates.len() < self.limits.candidates_max
                && of_peer.count() < CANDIDATES_OF_PEER_MAX
                && self.spaces.len() < quotas.spaces_max;
            if !room {
                return;
            }
            let candidate = Candidate::new(space, peer, self.now);
            self.candidates.insert(space, candidate);
        }
        if let Some(candidate) = self.candidates.get_mut(&space) {
            candidate.shown_by.insert(id);
        }
        self.say_heads(id, space, false);
    }

    /// A Space is held from now on: who offered it before is asked for it.
    pub(super) fn ask_for(&mut self, space: SpaceId) {
        let offering: Vec<_> = self
            .connections
            .iter_mut()
            .filter_map(|(id, connection)| connection.offered.remove(&space).then_some(*id))
            .collect();
        for id in offering {
            self.say_heads(id, space, true);
        }
    }

    fn since_received(&mut self, id: ConnectionId, since: &Since) {
        let Some(held) = self.spaces.get(&since.space) else {
            self.consider(id, since.space);
            return;
        };
        let is_same = held.log.digest() == since.digest;
        if !self.listens_to(id, since.space) {
            // Before anything is compared: an answer to one digest alone would tell what is here.
            self.ask_to_deliver(id, since.space, since.digest);
            return;
        }
        if is_same {
            self.agreed(id, since.space);
            return;
        }
        if !self.may_hear_of(id, since.space) {
            return;
        }
        let peer = self.connections.get(&id).map(|it| it.peer);
        let known = peer
            .and_then(|peer| self.holdings.get(&(peer, since.space)))
            .map(|holding| holding.held.clone())
            .unwrap_or_default();
        let position = usize::try_from(since.position).unwrap_or(usize::MAX);
        self.feed_mut(id, since.space, |feed| {
            feed.live = true;
            feed.said = None;
            feed.position = position;
            feed.known = known;
        });
        self.tell_last_words(id, since.space);
        self.pump(id, since.space, &New::new());
    }

    /// Chains of a Space that has more than one frame holds: they wait for the last frame.
    fn heads_part_received(&mut self, id: ConnectionId, part: HeadsPart) {
        if !self.listens_to(id, part.space) && !self.is_delivering(id, part.space) {
            return;
        }
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let mut chains = connection.take_heads(part.space);
        // Beyond the bound the rest is taken for unknown: that costs bytes and nothing else.
        if chains.len() + part.chains.len() <= HEADS_CHAINS_MAX {
            chains.extend(part.chains);
        }
        connection.heads = Some((part.space, chains));
    }

    fn heads_received(&mut self, id: ConnectionId, mut heads: Heads) {
        if !self.listens_to(id, heads.space) {
            if self.is_delivering(id, heads.space) {
                self.say_what_is_missing(id, heads);
            }
            return;
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            let before = connection.take_heads(heads.space);
            heads.chains.extend(before);
        }
        self.notice_rollback(heads.space, &heads.chains);
        let Some(held) = self.spaces.get(&heads.space) else {
            return;
        };
        let (known, holds) = compare_chains(held, &heads.chains);
        let lacking = heads
            .chains
            .iter()
            .any(|chain| chain.heads.iter().any(|head| !held.log.contains(*head)));
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let peer = connection.peer;
        let mut known = known;
        let under_way = connection
            .outstanding
            .values()
            .filter(|sent| sent.space == heads.space)
            .flat_map(|sent| &sent.links);
        for (chain, seq, _id) in under_way {
            let at = known.entry(*chain).or_default();
            *at = (*at).max(*seq);
        }
        let feed = connection.feeds.entry(heads.space).or_default();
        let was_live = std::mem::replace(&mut feed.live, true);
        // It asks, so what was said before is no answer to what it says when it has everything.
        feed.said = None;
        feed.position = 0;
        feed.known = known;
        self.peer_holds(id, heads.space, peer, holds);
        if self.may_hear_of(id, heads.space) {
            if !was_live {
                self.tell_last_words(id, heads.space);
            }
            self.pump(id, heads.space, &New::new());
        }
        if lacking && heads.ask {
            self.say_heads(id, heads.space, false);
        }
    }

    /// Our own chain is longer elsewhere than on this disk: the disk was rolled back.
    fn notice_rollback(&mut self, space: SpaceId, chains: &[ChainSummary]) {
        let mine = self.chain();
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let longer = chains.iter().any(|summary| {
            summary.chain == mine && summary.heads.iter().any(|head| !held.log.contains(*head))
        });
        if longer {
            self.begin_instance();
        }
    }

    pub(super) fn begin_instance(&mut self) {
        if self.is(Mutant::ReuseInstanceAfterRestore) {
            return;
        }
        self.instance = Instance(self.entropy.next_u64());
        self.queue.instance_dirty = true;
        let instance = self.instance;
        self.emit(Event::NewInstance { instance });
    }

    fn envelopes_received(&mut self, id: ConnectionId, frame: Envelopes) {
        let space = frame.space;
        let candidate = self.candidates.get(&space);
        let candidate = candidate.is_some_and(|it| it.shown_by.contains(&id));
        let delivers = !candidate && !self.listens_to(id, space);
        if delivers && !self.is_delivering(id, space) {
            return;
        }
        let key = (id, frame.number);
        if self.receiving.contains_key(&key) {
            // The same frame again: its answer is on the way and must wait for every envelope.
            return;
        }
        if frame.envelopes.iter().any(|raw| raw.body.is_none()) {
            self.feed_mut(id, space, |feed| feed.bare.sends = true);
        }
        let receiving = Receiving {
            space,
            from: frame.from,
            to: frame.to,
            // One more than there are, so that the frame is not answered while it is read.
            remaining: frame.envelopes.len() + 1,
            refused: Vec::new(),
        };
        self.receiving.insert(key, receiving);
        if delivers && !self.has_room_for(space, &frame.envelopes) {
            self.take_later(key, &frame.envelopes);
            self.answered(key, EnvelopeId::ZERO, None);
            return;
        }
        self.check(key, space, frame.envelopes);
    }

    /// Queues a verified envelope for the disk.
    pub(super) fn envelope_received(&mut self, key: (ConnectionId, u64), envelope: Envelope) {
        let id = envelope.id();
        let header = envelope.header();
        let space = header.space;
        let known = self
            .spaces
            .get(&space)
            .is_some_and(|it| it.log.contains(id));
        if known {
            self.answered(key, id, None);
            return;
        }
        if header.chain == self.chain() && !self.queue.is_own_in_flight(id) {
            self.begin_instance();
        }
        self.queue.push_received(key, envelope);
    }

    /// The peer sent what this device does not take: it is named, and so is the reason.
    pub(super) fn refuse(&mut self, key: (ConnectionId, u64), id: EnvelopeId, reason: Refusal) {
        let space = self.receiving.get(&key).map(|it| it.space);
        let peer = self.connections.get(&key.0).map(|it| it.peer);
        if let (Some(space), Some(peer)) = (space, peer) {
            self.emit(Event::Refused {
                space,
                id,
                peer,
                reason,
            });
        }
        self.answered(key, id, Some(reason));
    }

    pub(super) fn keep_for_candidate(&mut self, envelope: &Envelope) {
        let now = self.now;
        let Some(candidate) = self.candidates.get_mut(&envelope.header().space) else {
            return;
        };
        // The grant may stand above content in its chain: content counts by its header alone.
        let control = envelope.header().kind == Kind::Control;
        let raw = envelope.raw();
        let bytes = if control {
            raw.len_bytes()
        } else {
            raw.header.len()
        };
        if candidate.bytes + bytes > self.limits.candidate_bytes_max {
            return;
        }
        if candidate.space.remember(envelope, now) == Ok(Inserted::New) {
            candidate.bytes += bytes;
            if control {
                candidate.envelopes.push(envelope.clone());
            }
        }
    }

    /// Takes a Space whose control chain holds a live grant for this relay.
    pub(super) fn promote(&mut self, space: SpaceId) {
        let (author, now) = (self.author, self.now);
        let Some(candidate) = self.candidates.get_mut(&space) else {
            return;
        };
        let (log, outsiders) = (&candidate.space.log, &candidate.space.outsiders);
        candidate.space.evaluation.refresh(log, outsiders, now);
        if candidate.space.evaluation.capability(author, now).is_none() {
            return;
        }
        let Some(candidate) = self.candidates.remove(&space) else {
            return;
        };
        self.spaces.insert(space, Space::new(space));
        for envelope in candidate.envelopes {
            self.queue.push(Work::Received {
                from: None,
                envelope: Arc::new(envelope),
            });
        }
    }

    /// One envelope of a frame has its answer; the last one answers the frame.
    pub(super) fn answered(
        &mut self,
        key: (ConnectionId, u64),
        id: EnvelopeId,
        refusal: Option<Refusal>,
    ) {
        let Some(receiving) = self.receiving.get_mut(&key) else {
            return;
        };
        receiving.remaining = receiving.remaining.saturating_sub(1);
        receiving
            .refused
            .extend(refusal.map(|refusal| (id, refusal)));
        if receiving.remaining > 0 {
            return;
        }
        let Some(done) = self.receiving.remove(&key) else {
            return;
        };
        if key.0 == FILE {
            self.taken(TakeId(key.1), done);
            return;
        }
        self.advance_cursor(key.0, &done);
        if self.listens_to(key.0, done.space) {
            self.say_lacking_to(key.0, done.space);
        }
        let answer = Acknowledge {
            number: key.1,
            refused: done.refused,
        };
        self.send(key.0, &Frame::Acknowledge(answer));
    }

    /// A cursor moves only over what is durable or finally refused.
    fn advance_cursor(&mut self, id: ConnectionId, done: &Receiving) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let Some(store_epoch) = connection.store_epoch else {
            return;
        };
        if done.refused.iter().any(|(_id, why)| !why.is_final()) {
            return;
        }
        let key = (connection.peer, done.space);
        let holding = self.holdings.entry(key).or_default();
        if holding.store_epoch != store_epoch {
            holding.store_epoch = store_epoch;
            holding.pulled = 0;
        }
        if done.from <= holding.pulled && done.to > holding.pulled {
            holding.pulled = done.to;
            self.queue.cursors_dirty.insert(key);
        }
    }

    fn acknowledged(&mut self, id: ConnectionId, answer: &Acknowledge) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let Some(sent) = connection.outstanding.remove(&answer.number) else {
            return;
        };
        connection.outstanding_bytes = connection.outstanding_bytes.saturating_sub(sent.bytes);
        let peer = connection.peer;
        let mut holds: BTreeMap<Chain, u64> = BTreeMap::new();
        let mut broken = std::collections::BTreeSet::new();
        for (chain, seq, envelope) in &sent.links {
            let refused = answer.refused.iter().find(|(id, _why)| id == envelope);
            if let Some((_id, why)) = refused {
                broken.insert(*chain);
                if why.stops_the_chain() {
                    let feed = connection.feeds.entry(sent.space).or_default();
                    feed.refused.insert(*chain);
                }
            } else if !broken.contains(chain) {
                holds.insert(*chain, *seq);
            }
        }
        for (envelope, reason) in &answer.refused {
            if sent.links.iter().any(|(_chain, _seq, id)| id == envelope) {
                self.emit(Event::Refused {
                    space: sent.space,
                    id: *envelope,
                    peer,
                    reason: *reason,
                });
            }
        }
        self.peer_holds(id, sent.space, peer, holds.into_iter().collect());
        if answer
            .refused
            .iter()
            .any(|(_id, why)| *why == Refusal::Quota)
        {
            // The peer takes it later: the next comparison of digests begins anew.
            self.feed_mut(id, sent.space, |feed| feed.live = false);
            self.put_off(sent.space, peer);
        }
        let feeds: Vec<_> = self.live_feeds(id);
        for space in feeds {
            self.pump(id, space, &New::new());
        }
        self.say_end(id, sent.space);
    }

    fn live_feeds(&self, id: ConnectionId) -> Vec<SpaceId> {
        let Some(connection) = self.connections.get(&id) else {
            return Vec::new();
        };
        connection
            .feeds
            .iter()
            .filter(|(_space, feed)| feed.live)
            .map(|(space, _feed)| *space)
            .collect()
    }

    /// Whether an author may fill this disk: some grant names it, or it reads here through another
    /// Space. What its envelopes count for is another question.
    pub(super) fn is_author_known(&self, space: SpaceId, author: AuthorId) -> bool {
        self.spaces.get(&space).is_some_and(|held| {
            held.granted.contains(&author) || held.evaluation.capability(author, self.now).is_some()
        })
    }
}

/// What a peer has of each chain, and what of it is certainly the same as here.
fn compare_chains(
    held: &Space,
    theirs: &[ChainSummary],
) -> (BTreeMap<Chain, u64>, Vec<(Chain, u64)>) {
    let mut known = BTreeMap::new();
    let mut holds = Vec::new();
    for summary in theirs {
        let mut mine: Vec<_> = held
            .log
            .branch_heads(summary.chain)
            .map(|(_seq, id)| id)
            .collect();
        mine.sort_unstable();
        let top = held.log.head(summary.chain).map_or(0, |(seq, _id)| seq);
        if mine == summary.heads {
            known.insert(summary.chain, top);
            holds.push((summary.chain, top));
            continue;
        }
        let fork = held.log.fork_seq(summary.chain);
        match summary.heads.as_slice() {
            [head] if fork.is_none() && held.log.contains(*head) => {
                known.insert(summary.chain, summary.seq);
                holds.push((summary.chain, summary.seq));
            }
            [_longer] if fork.is_none() && summary.seq > top => {
                known.insert(summary.chain, top);
            }
            _forked => {
                let lowest = fork.map_or(summary.seq, |fork| fork.min(summary.seq));
                let same = summary.heads.len() > 1 || fork.is_some();
                known.insert(
                    summary.chain,
                    if same { lowest.saturating_sub(1) } else { 0 },
                );
            }
        }
    }
    (known, holds)
}

/// Whether a received envelope makes its author known.
pub(super) fn introduces(envelope: &Envelope) -> bool {
    granted_by(envelope).is_some()
}
