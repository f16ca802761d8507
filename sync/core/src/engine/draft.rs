//! A batch while it is formed, and what it holds until it is durable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::io::{ConnectionId, WriteId};
use super::queue::Work;
use super::space::len_of;
use crate::envelope::Envelope;
use crate::id::{AuthorId, Chain, EnvelopeId, SpaceId};
use crate::key::{DeviceKeys, EpochKey};
use crate::time::Timestamp;

/// One envelope of a batch and who waits for it.
#[derive(Debug)]
pub(super) struct Item {
    /// Shared with the store, which gets it at the same time.
    pub(super) envelope: Arc<Envelope>,
    pub(super) from: Option<(ConnectionId, u64)>,
    pub(super) write: Option<WriteId>,
    pub(super) received: Timestamp,
}

/// What a batch added, while it is in memory.
pub(super) type New = BTreeMap<EnvelopeId, Arc<Envelope>>;

/// A batch while it is formed: what it adds counts for what follows in it.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) items: Vec<Item>,
    pub(super) heads: BTreeMap<(SpaceId, Chain), (u64, EnvelopeId)>,
    pub(super) epochs: BTreeMap<SpaceId, (EnvelopeId, EpochKey)>,
    /// Peers that sent what is in the batch already: they too are answered when it is durable.
    pub(super) also_from: Vec<((ConnectionId, u64), EnvelopeId)>,
    pub(super) ids: BTreeSet<EnvelopeId>,
    pub(super) control: BTreeSet<SpaceId>,
    pub(super) joins: Vec<(WriteId, SpaceId, Option<Box<DeviceKeys>>)>,
    pub(super) forgotten: BTreeMap<SpaceId, WriteId>,
    pub(super) created: BTreeMap<WriteId, EnvelopeId>,
    pub(super) instance: bool,
    pub(super) cursors: BTreeSet<(AuthorId, SpaceId)>,
    pub(super) counters: BTreeMap<(SpaceId, Chain), u64>,
    pub(super) bodies: BTreeMap<(SpaceId, EnvelopeId), Vec<u8>>,
    pub(super) covers: Vec<Cover>,
    pub(super) bytes: usize,
    /// What it adds to each Space.
    pub(super) added: BTreeMap<SpaceId, u64>,
    /// Bytes of all Spaces before it, once a relay asked for them.
    pub(super) stored: Option<u64>,
}

/// Bodies that are held in a snapshot, and who waits until that is durable.
#[derive(Debug)]
pub(super) struct Cover {
    pub(super) write: Option<WriteId>,
    pub(super) space: SpaceId,
    pub(super) by: EnvelopeId,
    pub(super) ids: Vec<EnvelopeId>,
}

impl Draft {
    pub(super) fn add(&mut self, item: Item) {
        let header = item.envelope.header();
        let place = (header.space, header.chain);
        self.heads.insert(place, (header.seq, item.envelope.id()));
        self.ids.insert(item.envelope.id());
        if item.envelope.statement().is_some() {
            self.control.insert(header.space);
        }
        *self.added.entry(header.space).or_default() += len_of(&item.envelope);
        self.bytes += item.envelope.raw().len_bytes();
        self.items.push(item);
    }

    pub(super) fn created(&mut self, write: WriteId, genesis: EnvelopeId) {
        self.created.insert(write, genesis);
    }

    /// Whether work stands on something in this batch that does not count before it is durable.
    pub(super) fn is_in_the_way_of(&self, work: &Work) -> bool {
        match work {
            Work::Write { space, .. } | Work::Snapshot { space, .. } => {
                self.control.contains(space) && !self.epochs.contains_key(space)
            }
            Work::Control { space, .. } => self.control.contains(space),
            Work::Redeem { space } => {
                let mut joins = self.joins.iter();
                joins.any(|(_write, joined, _invitation)| joined == space)
            }
            Work::Join { space, .. } => self.forgotten.contains_key(space),
            Work::Forget { space, .. } => {
                let mut joins = self.joins.iter();
                joins.any(|(_write, joined, _invitation)| joined == space)
            }
            _ => false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
            && self.joins.is_empty()
            && self.forgotten.is_empty()
            && !self.instance
            && self.cursors.is_empty()
            && self.counters.is_empty()
            && self.bodies.is_empty()
            && self.covers.is_empty()
    }
}
