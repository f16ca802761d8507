//! A disk that can be torn, full, slow and set back to an older image.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use aramaki_sync_core::engine::{
    BatchId, Restored, SecretSeed, StoreEpoch, StoreOperation, Stored, StoredCounter, StoredCursor,
};
use aramaki_sync_core::envelope::RawEnvelope;
use aramaki_sync_core::{AuthorId, Chain, EnvelopeId, Instance, SpaceId};

/// What is durable.
#[derive(Clone, Default)]
pub(crate) struct Image {
    pub(crate) store_epoch: StoreEpoch,
    pub(crate) instance: Instance,
    pub(crate) envelopes: Vec<Stored>,
    pub(crate) ids: BTreeMap<EnvelopeId, usize>,
    pub(crate) positions: BTreeMap<(SpaceId, Chain), BTreeSet<u64>>,
    cursors: BTreeMap<(AuthorId, SpaceId), StoredCursor>,
    counters: BTreeMap<(SpaceId, Chain), StoredCounter>,
    follows: BTreeMap<SpaceId, Option<SecretSeed>>,
}

impl Image {
    pub(crate) fn new(store_epoch: u64, instance: u64) -> Self {
        Self {
            store_epoch: StoreEpoch(store_epoch),
            instance: Instance(instance),
            ..Self::default()
        }
    }

    fn apply(&mut self, operation: StoreOperation) {
        match operation {
            StoreOperation::Put {
                space,
                envelope,
                received,
            } => {
                let id = envelope.id();
                if self.ids.contains_key(&id) {
                    return;
                }
                let header = envelope.header();
                let positions = self.positions.entry((space, header.chain)).or_default();
                positions.insert(header.seq);
                self.ids.insert(id, self.envelopes.len());
                let envelope = Arc::unwrap_or_clone(envelope);
                self.envelopes.push(Stored { envelope, received });
            }
            StoreOperation::PutCursor(cursor) => {
                self.cursors.insert((cursor.peer, cursor.space), cursor);
            }
            StoreOperation::PutCounter(counter) => {
                self.counters
                    .insert((counter.space, counter.chain), counter);
            }
            StoreOperation::SetInstance(instance) => self.instance = instance,
            StoreOperation::Follow { space, invitation } => {
                self.follows.insert(space, invitation);
            }
            _ => {}
        }
    }

    /// Whether a chain is here without a hole up to a position.
    pub(crate) fn holds(&self, space: SpaceId, chain: Chain, seq: u64) -> bool {
        self.positions
            .get(&(space, chain))
            .is_some_and(|positions| u64::try_from(positions.range(1..=seq).count()) == Ok(seq))
    }

    pub(crate) fn load(&self, ids: &[EnvelopeId]) -> Vec<RawEnvelope> {
        ids.iter()
            .filter_map(|id| self.ids.get(id))
            .map(|at| self.envelopes[*at].envelope.raw().clone())
            .collect()
    }

    pub(crate) fn restored(&self) -> Restored {
        Restored {
            envelopes: self.envelopes.clone(),
            bodiless: Vec::new(),
            covered: Vec::new(),
            cursors: self.cursors.values().cloned().collect(),
            counters: self.counters.values().copied().collect(),
            follows: self
                .follows
                .iter()
                .map(|(space, seed)| (*space, seed.clone()))
                .collect(),
        }
    }
}

/// A disk: what is durable, what was written and not synced, and a backup.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) image: Image,
    pending: VecDeque<(BatchId, Vec<StoreOperation>)>,
    pub(crate) backup: Option<Image>,
}

impl Disk {
    pub(crate) fn write(&mut self, batch: BatchId, operations: Vec<StoreOperation>) {
        self.pending.push_back((batch, operations));
    }

    /// The oldest write reaches the platter, or fails.
    pub(crate) fn sync(&mut self, batch: BatchId, succeeds: bool) -> bool {
        let Some(at) = self
            .pending
            .iter()
            .position(|(pending, _)| *pending == batch)
        else {
            return false;
        };
        if let Some((_batch, operations)) = self.pending.remove(at)
            && succeeds
        {
            for operation in operations {
                self.image.apply(operation);
            }
        }
        true
    }

    /// The power goes: a write that nobody was told about is there, or not.
    pub(crate) fn crash(&mut self, survives: bool) {
        if let Some((batch, _)) = self.pending.front()
            && survives
        {
            self.sync(*batch, true);
        }
        self.pending.clear();
    }
}
