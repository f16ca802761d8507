//! Taking what somebody wrote whose access has ended by time since: within its grace it counts, and later
//! it waits for a person (TRUST §5). Else it would be lost with whoever was offline at the end.
//!
//! They hand in and get nothing: they hear which of what they say they have is here, and what their own
//! frames are answered with. Whoever was revoked is no more listened to than a stranger.
//!
//! ```text
//! them  my digest is D          us   mine is not (always the same word, whatever is here)
//! them  I have these chains     us   of these I have that much
//! them  what is missing of them us   it is durable
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use super::Engine;
use super::frame::{Frame, Heads};
use super::io::{ConnectionId, Refusal};
use crate::admission::ChainSummary;
use crate::envelope::RawEnvelope;
use crate::id::{AuthorId, SpaceId};
use crate::time::Timestamp;

/// How often whoever says the same again is asked again: the quota that stopped them may be another day's.
const ASK_AGAIN: Duration = Duration::from_mins(1);
/// What nobody has in a Space: to this everybody answers with their chains.
const NO_DIGEST: [u8; 32] = [0; 32];
const DAY_MS: i64 = 86_400_000;

/// What was said last by a peer that delivers, and when it is asked again; never when all of it is here.
pub(super) type Asked = BTreeMap<SpaceId, ([u8; 32], Option<Timestamp>)>;

/// What came into a Space by those who deliver, on the day that began then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Delivered {
    day: i64,
    bytes: u64,
}

impl Engine {
    /// Whether what a peer hands in is taken, although it gets nothing: by a key that it proved.
    pub(super) fn is_delivering(&self, id: ConnectionId, space: SpaceId) -> bool {
        let (Some(connection), Some(held)) = (self.connections.get(&id), self.spaces.get(&space))
        else {
            return false;
        };
        let may = |author: &AuthorId| {
            held.granted.contains(author)
                && held.evaluation.may_deliver(&held.log, *author, self.now)
        };
        !self.listens_to(id, space) && connection.authors.iter().any(may)
    }

    /// Whether what was done by a code for somebody without a network may still be handed in, with the proof of
    /// its key.
    pub fn may_come_by(&self, space: SpaceId, code: AuthorId) -> bool {
        let held = self.spaces.get(&space);
        held.is_some_and(|held| held.evaluation.may_come_by(&held.log, code, self.now))
    }

    /// Somebody who may deliver says what it has: it is asked for its chains, unless it said the same just
    /// now. What is here is not told.
    pub(super) fn ask_to_deliver(&mut self, id: ConnectionId, space: SpaceId, digest: [u8; 32]) {
        if !self.is_delivering(id, space) {
            return;
        }
        let now = self.now;
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let asked = connection.asked.get(&space);
        let waits = |then: &Option<Timestamp>| then.is_none_or(|then| now < then);
        if asked.is_some_and(|(said, then)| *said == digest && waits(then)) {
            return;
        }
        let again = Some(now.plus(ASK_AGAIN));
        connection.asked.insert(space, (digest, again));
        self.send(id, &Frame::Digests(vec![(space, NO_DIGEST)]));
    }

    /// Says how far chains that a peer has are here, and nothing of those that it did not name, nor of what
    /// follows in those that it did: then it sends what is missing.
    pub(super) fn say_what_is_missing(&mut self, id: ConnectionId, heads: Heads) {
        let space = heads.space;
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let mut theirs = heads.chains;
        theirs.extend(connection.take_heads(space));
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let is_here = |it: &ChainSummary| it.heads.iter().all(|head| held.log.contains(*head));
        if theirs.iter().all(is_here)
            && let Some((_digest, again)) = connection.asked.get_mut(&space)
        {
            *again = None;
        }
        let here = |summary: ChainSummary| {
            if is_here(&summary) {
                return Some(summary);
            }
            let (seq, head) = held.log.head(summary.chain)?;
            let is_below = seq < summary.seq && !summary.is_forked();
            let is_linear = held.log.fork_seq(summary.chain).is_none();
            (is_below && is_linear).then_some(ChainSummary {
                chain: summary.chain,
                seq,
                heads: vec![head],
            })
        };
        let chains = theirs.into_iter().filter_map(here).collect();
        self.send_heads(id, space, chains, false);
    }

    /// Whether there is room today for what a peer delivers; what it hands in counts.
    pub(super) fn has_room_for(&mut self, space: SpaceId, envelopes: &[RawEnvelope]) -> bool {
        let day = self.now.millis().div_euclid(DAY_MS);
        let Some(held) = self.spaces.get_mut(&space) else {
            return false;
        };
        if held.delivered.day != day {
            held.delivered = Delivered { day, bytes: 0 };
        }
        let unknown = envelopes.iter().filter(|raw| !held.log.contains(raw.id()));
        let bytes: usize = unknown.map(RawEnvelope::len_bytes).sum();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let all = held.delivered.bytes.saturating_add(bytes);
        let fits = all <= self.limits.delivered_bytes_per_day_max;
        if fits {
            held.delivered.bytes = all;
        }
        fits
    }

    /// Answers a frame of which nothing is taken today.
    pub(super) fn take_later(&mut self, key: (ConnectionId, u64), envelopes: &[RawEnvelope]) {
        for raw in envelopes {
            self.refuse(key, raw.id(), Refusal::Quota);
        }
    }
}
