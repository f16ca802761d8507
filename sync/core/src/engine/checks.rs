//! Signatures of received envelopes, checked outside where there are processors for it.
//!
//! Frames take effect in the order in which they came, whichever is checked first: a chain's
//! later envelopes must not overtake its earlier ones.

use std::collections::{BTreeMap, btree_map::Entry};

use super::Engine;
use super::io::{ConnectionId, Output, Refusal, VerifyId};
use crate::envelope::{Envelope, FormError, RawEnvelope};
use crate::id::{EnvelopeId, SpaceId};

/// So few are checked at once: handing them over and back would take longer.
const CHECKED_HERE_MAX: usize = 4;

type Verified = Vec<Result<Envelope, FormError>>;
/// With the ids that they were sent under: a refusal names one even where nothing could be read.
type Named = Vec<(EnvelopeId, Result<Envelope, FormError>)>;

/// One frame of envelopes on its way through the checks.
#[derive(Debug)]
struct Check {
    key: (ConnectionId, u64),
    space: SpaceId,
    ids: Vec<EnvelopeId>,
    bytes: usize,
    verified: Option<Verified>,
}

/// Frames that are being checked, oldest first. Their bytes count as received ones.
#[derive(Debug, Default)]
pub(super) struct Checks {
    under_way: BTreeMap<VerifyId, Check>,
    next: u64,
}

impl Engine {
    /// Has the envelopes of a frame checked and taken, if there is room for them; those that are
    /// here need no check.
    pub(super) fn check(
        &mut self,
        key: (ConnectionId, u64),
        space: SpaceId,
        envelopes: Vec<RawEnvelope>,
    ) {
        let room = self.queue.received_bytes < self.limits.received_bytes_max
            && self.receiving.len() <= self.limits.writes_max;
        let (mut ids, mut unknown) = (Vec::new(), Vec::new());
        for raw in envelopes {
            let id = raw.id();
            let held = self.spaces.get(&space);
            let known = held.is_some_and(|held| held.log.contains(id));
            if known || !room {
                let refusal = (!known).then_some(Refusal::Quota);
                self.answered(key, id, refusal);
            } else {
                ids.push(id);
                unknown.push(raw);
            }
        }
        let alone = self.checks.under_way.is_empty();
        if unknown.is_empty() || (alone && unknown.len() <= CHECKED_HERE_MAX) {
            let verified = unknown.into_iter().map(RawEnvelope::verify);
            self.take_verified(key, space, ids.into_iter().zip(verified).collect());
            return;
        }
        let request = VerifyId(self.checks.next);
        self.checks.next += 1;
        let bytes = unknown.iter().map(RawEnvelope::len_bytes).sum();
        self.queue.received_bytes += bytes;
        let check = Check {
            key,
            space,
            ids,
            bytes,
            verified: None,
        };
        self.checks.under_way.insert(request, check);
        self.outputs.push_back(Output::Verify {
            request,
            envelopes: unknown,
        });
    }

    /// The shell answered, perhaps for a frame before which another one is still being checked.
    pub(super) fn verified(&mut self, request: VerifyId, verified: Verified) {
        if let Entry::Occupied(mut check) = self.checks.under_way.entry(request) {
            check.get_mut().verified = Some(verified);
        }
        while let Some(first) = self.checks.under_way.first_entry() {
            if first.get().verified.is_none() {
                return;
            }
            let check = first.remove();
            self.queue.received_bytes -= check.bytes;
            let verified = check.verified.unwrap_or_default();
            if verified.len() == check.ids.len() {
                let verified = check.ids.into_iter().zip(verified).collect();
                self.take_verified(check.key, check.space, verified);
            } else {
                // The shell could not check it: without an answer the peer takes it for lost.
                self.receiving.remove(&check.key);
            }
        }
    }

    fn take_verified(&mut self, key: (ConnectionId, u64), space: SpaceId, verified: Named) {
        let mut sent = BTreeMap::new();
        for (id, verified) in verified {
            match verified {
                Ok(envelope) if envelope.header().space == space => {
                    if self.candidates.contains_key(&space) {
                        self.keep_for_candidate(&envelope);
                        self.answered(key, envelope.id(), Some(Refusal::NoGrant));
                    } else {
                        let header = envelope.header();
                        let seq = sent.entry(header.chain).or_insert(header.seq);
                        *seq = header.seq.max(*seq);
                        self.envelope_received(key, envelope);
                    }
                }
                // Not hostile: written by a newer program, and taken once this one is newer too.
                Err(FormError::Version(_)) => {
                    if self.spaces.contains_key(&space) {
                        self.newer_elsewhere.insert(space);
                    }
                    self.refuse(key, id, Refusal::Version);
                }
                Ok(_) | Err(_) => {
                    self.refuse(key, id, Refusal::Form);
                    self.fault(key.0);
                }
            }
        }
        // What a peer sends it holds durably: nobody has to ask for that.
        if let Some(peer) = self.connections.get(&key.0).map(|it| it.peer) {
            self.peer_holds(key.0, space, peer, sent.into_iter().collect());
        }
        self.answered(key, EnvelopeId::ZERO, None);
        if self.candidates.contains_key(&space) {
            self.promote(space);
        }
    }
}
