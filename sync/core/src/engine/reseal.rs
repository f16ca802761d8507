//! Sealing again what only snapshots hold here, for who keeps sealed bodies alone: a relay whose disk was
//! lost, an agent that keeps its System.
//!
//! Bounded by the requests of peers: one a connection, of as many bodies as a request may name.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::frame::Fetch;
use super::io::ConnectionId;
use super::queue::Work;
use super::snapshots::Reading;
use super::space::Space;
use crate::admission::sealed_again;
use crate::envelope::RawEnvelope;
use crate::id::{EnvelopeId, SpaceId};

/// Bodies that are wanted as they were sealed.
#[derive(Debug, Default)]
pub(super) struct Reseals {
    wanted: BTreeSet<EnvelopeId>,
    /// Made, and on their way to the disk.
    made: BTreeSet<EnvelopeId>,
    /// Who asked for what, the last request of each.
    asked: BTreeMap<ConnectionId, Vec<EnvelopeId>>,
}

impl Reseals {
    fn are_done(&self) -> bool {
        self.wanted.is_empty() && self.made.is_empty()
    }

    /// What was made could not be stored: it is made anew when it is wanted again.
    pub(super) fn not_durable(&mut self, id: EnvelopeId) {
        self.made.remove(&id);
    }
}

impl Space {
    /// What is sealed on the disk again no longer needs its snapshot. Whether it did.
    fn uncover(&mut self, id: EnvelopeId) -> bool {
        self.reseals.made.remove(&id);
        self.missing.covered.remove(&id).is_some()
    }
}

impl Engine {
    /// A peer asks for these as they were sealed, and only snapshots hold them: it is answered when they
    /// are on the disk.
    pub(super) fn want_sealed(&mut self, space: SpaceId, peer: ConnectionId, ids: Vec<EnvelopeId>) {
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        for id in &ids {
            if held.is_covered(*id) && !held.reseals.made.contains(id) {
                held.reseals.wanted.insert(*id);
            }
        }
        held.reseals.asked.insert(peer, ids);
        self.reseal_next();
    }

    /// Reads the next snapshot that holds something wanted, one at a time.
    fn reseal_next(&mut self) {
        let busy = |it: &Reading| matches!(it, Reading::Reseal { .. });
        if self.readings.values().any(busy) {
            return;
        }
        let next = self.spaces.iter().find_map(|(space, held)| {
            let mut wanted = held.reseals.wanted.iter();
            let by = wanted.find_map(|id| held.missing.covered.get(id))?;
            Some((*space, *by))
        });
        if let Some((space, by)) = next {
            self.read(space, vec![by], Reading::Reseal { space, by });
        }
    }

    /// The store read the snapshot: what is wanted of it is sealed again and goes to the disk.
    pub(super) fn reseal(&mut self, space: SpaceId, by: EnvelopeId, loaded: &[RawEnvelope]) {
        if let Some(held) = self.spaces.get_mut(&space) {
            let covered = &held.missing.covered;
            let of_it: BTreeSet<_> = held
                .reseals
                .wanted
                .extract_if(.., |id| covered.get(id).is_none_or(|it| *it == by))
                .collect();
            let made = loaded.first().and_then(|raw| {
                let snapshot = raw.clone().recall().ok()?;
                let key = held.keyring.get(snapshot.header().epoch)?;
                let wanted = |id| {
                    let header = held
                        .log
                        .get(id)
                        .filter(|_entry| of_it.contains(&id))?
                        .header();
                    Some((header, held.keyring.get(header.epoch)?))
                };
                sealed_again(&snapshot, key, wanted).ok()
            });
            // What cannot be made stays as it is, and whoever wants it asks others.
            for (envelope, body) in made.unwrap_or_default() {
                held.reseals.made.insert(envelope);
                self.queue.push(Work::Body {
                    from: None,
                    space,
                    envelope,
                    body,
                });
            }
        }
        self.reseal_next();
    }

    /// Bodies are on the disk as they were sealed: who waited for them gets them.
    pub(super) fn uncovered<'a>(
        &mut self,
        space: SpaceId,
        ids: impl Iterator<Item = &'a EnvelopeId>,
    ) {
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let uncovered = ids.filter(|id| held.uncover(**id)).count();
        if uncovered == 0 || !held.reseals.are_done() {
            return;
        }
        for (peer, ids) in std::mem::take(&mut held.reseals.asked) {
            self.fetch_received(peer, Fetch { space, ids });
        }
    }
}
