//! Sending: a position of the arrival order a peer and Space, moved on as the peer acknowledges.
//!
//! There is no queue a peer: a slow one only falls behind.

use std::collections::BTreeMap;

use super::connection::Sent;
use super::draft::New;
use super::frame::{ENVELOPES_MAX, Envelopes, Frame};
use super::io::{ConnectionId, LoadId, Output};
use super::{Engine, Mutant};
use crate::envelope::RawEnvelope;
use crate::id::{EnvelopeId, SpaceId};

/// Bytes of one frame, about; one envelope may be longer.
pub(super) const FRAME_BYTES_TARGET: usize = 192 << 10;
/// What a header and a signature take at most besides the body, about.
const HEADER_BYTES: usize = 512;
/// Below this much room nothing is sent.
const ROOM_BYTES_MIN: usize = 4 << 10;

/// Envelopes that the store is reading for a peer.
#[derive(Debug)]
pub(super) struct Loading {
    pub(super) connection: ConnectionId,
    pub(super) space: SpaceId,
    part: Part,
    bytes: usize,
}

/// A part of the arrival order.
#[derive(Clone, Copy, Debug)]
struct Part {
    from: usize,
    to: usize,
    /// Whether nothing of it is left out that the peer lacks.
    whole: bool,
}

struct Slice {
    ids: Vec<EnvelopeId>,
    part: Part,
    bytes: usize,
}

impl Engine {
    /// Sends a peer what it lacks of a Space, as far as its window goes. `new` are envelopes that
    /// are still in memory.
    pub(super) fn pump(&mut self, id: ConnectionId, space: SpaceId, new: &New) {
        while let Some(slice) = self.next_slice(id, space) {
            if slice.ids.is_empty() {
                self.feed_mut(id, space, |feed| feed.position = slice.part.to);
                return;
            }
            let at_hand: Option<Vec<_>> = slice
                .ids
                .iter()
                .map(|id| new.get(id).map(|envelope| envelope.raw().clone()))
                .collect();
            if let Some(envelopes) = at_hand {
                self.send_envelopes(id, space, slice.part, envelopes);
            } else {
                self.load(id, space, slice);
                return;
            }
        }
    }

    fn next_slice(&self, id: ConnectionId, space: SpaceId) -> Option<Slice> {
        let connection = self.connections.get(&id)?;
        let feed = connection.feeds.get(&space)?;
        let held = self.spaces.get(&space)?;
        if !feed.live || feed.loading {
            return None;
        }
        let busy = connection.outstanding_bytes + connection.loading_bytes;
        let room = if self.is(Mutant::UnboundedQueue) {
            usize::MAX
        } else {
            self.limits.window_bytes.saturating_sub(busy)
        };
        if room < ROOM_BYTES_MIN {
            return None;
        }
        let room = room.min(FRAME_BYTES_TARGET);
        let mut slice = Slice {
            ids: Vec::new(),
            part: Part {
                from: feed.position,
                to: feed.position,
                whole: true,
            },
            bytes: 0,
        };
        for entry in held.log.arrived_after(feed.position) {
            let header = entry.header();
            let peer_has = feed.known.get(&header.chain).copied().unwrap_or(0);
            if header.seq > peer_has {
                if feed.refused.contains(&header.chain) {
                    slice.part.whole = false;
                    slice.part.to += 1;
                    continue;
                }
                // Without a body that is not here: the peer asks whoever has it.
                let wanted = connection.wants_body(feed, held, entry, slice.part.to)
                    && held.has_sealed(entry.id());
                let body = usize::try_from(header.body_len).unwrap_or(usize::MAX);
                let body = if wanted { body } else { 0 };
                let bytes = body.saturating_add(HEADER_BYTES);
                if !slice.ids.is_empty()
                    && (slice.bytes + bytes > room || slice.ids.len() >= ENVELOPES_MAX)
                {
                    break;
                }
                slice.ids.push(entry.id());
                slice.bytes += bytes;
            }
            slice.part.to += 1;
        }
        Some(slice)
    }

    fn load(&mut self, id: ConnectionId, space: SpaceId, slice: Slice) {
        let request = LoadId(self.next_load);
        self.next_load += 1;
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.loading_bytes += slice.bytes;
        }
        self.feed_mut(id, space, |feed| feed.loading = true);
        let loading = Loading {
            connection: id,
            space,
            part: slice.part,
            bytes: slice.bytes,
        };
        self.loads.insert(request, loading);
        self.outputs.push_back(Output::Load {
            request,
            space,
            ids: slice.ids,
        });
    }

    pub(super) fn loaded(&mut self, request: LoadId, envelopes: Vec<RawEnvelope>) {
        if self.bodies_loaded(request, &envelopes)
            || self.proof_loaded(request, &envelopes)
            || self.snapshots_loaded(request, &envelopes)
        {
            return;
        }
        let Some(loading) = self.loads.remove(&request) else {
            return;
        };
        let (id, space) = (loading.connection, loading.space);
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.loading_bytes = connection.loading_bytes.saturating_sub(loading.bytes);
        let mut moved = true;
        self.feed_mut(id, space, |feed| {
            feed.loading = false;
            moved = feed.position != loading.part.from;
        });
        // The peer told us anew what it has while the store was reading; or the store had none.
        if !moved && !envelopes.is_empty() && self.may_hear_of(id, space) {
            self.send_envelopes(id, space, loading.part, envelopes);
        } else if !moved {
            return;
        }
        self.pump(id, space, &New::new());
    }

    fn send_envelopes(
        &mut self,
        id: ConnectionId,
        space: SpaceId,
        Part { from, to, whole }: Part,
        mut envelopes: Vec<RawEnvelope>,
    ) {
        let silent = self.is(Mutant::LackInSilence);
        let (Some(connection), Some(held)) =
            (self.connections.get_mut(&id), self.spaces.get(&space))
        else {
            return;
        };
        let number = connection.next_number;
        connection.next_number += 1;
        connection.feeds.entry(space).or_default();
        let Some(feed) = connection.feeds.get(&space) else {
            return;
        };
        let mut links = Vec::new();
        let mut wanted = BTreeMap::new();
        let arrived = held.log.arrived_after(from).take(to.saturating_sub(from));
        for (at, entry) in (from..).zip(arrived) {
            wanted.insert(entry.id(), connection.wants_body(feed, held, entry, at));
        }
        let mut lacking = Vec::new();
        for raw in &mut envelopes {
            let id = raw.id();
            let Some(entry) = held.log.get(id) else {
                continue;
            };
            let header = entry.header();
            links.push((header.chain, header.seq, id));
            if !wanted.get(&id).copied().unwrap_or(true) {
                raw.body = None;
            }
            if raw.body.is_none() && feed.wants.include(header.document) {
                lacking.push((header.chain, header.seq));
            }
        }
        let feed = connection.feeds.entry(space).or_default();
        feed.position = to;
        // Until the peer says that it has them.
        for (chain, seq) in lacking.into_iter().filter(|_any| !silent) {
            feed.bare.lacking.add(chain, seq);
        }
        // Positions cover what is not sent: with something left out they would cover too much.
        let (from, to) = if whole { (from, to) } else { (0, 0) };
        let bytes = envelopes.iter().map(RawEnvelope::len_bytes).sum();
        connection.outstanding_bytes += bytes;
        let sent = Sent {
            space,
            bytes,
            at: self.now,
            links,
        };
        connection.outstanding.insert(number, sent);
        let frame = Envelopes {
            space,
            number,
            from: from.try_into().unwrap_or(u64::MAX),
            to: to.try_into().unwrap_or(u64::MAX),
            envelopes,
        };
        self.send(id, &Frame::Envelopes(frame));
    }

    /// Frames that were never answered count as lost; the next comparison of digests, after an
    /// introduction, says what is missing.
    pub(super) fn expire_sent(&mut self) {
        let timeout = self.limits.acknowledge_timeout;
        for connection in self.connections.values_mut() {
            let lost: Vec<_> = connection
                .outstanding
                .iter()
                .filter(|(_number, sent)| sent.at.plus(timeout) <= self.now)
                .map(|(number, _sent)| *number)
                .collect();
            for number in lost {
                let Some(sent) = connection.outstanding.remove(&number) else {
                    continue;
                };
                connection.outstanding_bytes =
                    connection.outstanding_bytes.saturating_sub(sent.bytes);
                if let Some(feed) = connection.feeds.get_mut(&sent.space) {
                    feed.agreed = None;
                    // Perhaps it listens to nobody of whom it knows no grant: it is shown one.
                    feed.live = false;
                }
            }
        }
    }

    /// Sends what was just stored to whoever follows the Space.
    pub(super) fn announce(&mut self, space: SpaceId, new: &New) {
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            if self.may_hear_of(id, space) {
                self.pump(id, space, new);
            }
        }
    }
}
