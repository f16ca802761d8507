//! A disk that can be torn, full, slow and set back to an older image.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use aramaki_sync_core::admission::wanted_bodies;
use aramaki_sync_core::engine::{
    BatchId, Engine, Restored, SecretSeed, StoreEpoch, StoreOperation, Stored, StoredCounter,
    StoredCursor,
};
use aramaki_sync_core::envelope::{Envelope, RawEnvelope};
use aramaki_sync_core::statement::Body;
use aramaki_sync_core::{AuthorId, Chain, EnvelopeId, Instance, SpaceId};

/// What is durable.
#[derive(Clone, Default)]
pub(crate) struct Image {
    pub(crate) store_epoch: StoreEpoch,
    pub(crate) instance: Instance,
    pub(crate) envelopes: Vec<Stored>,
    pub(crate) ids: BTreeMap<EnvelopeId, usize>,
    pub(crate) positions: BTreeMap<(SpaceId, Chain), BTreeSet<u64>>,
    pub(crate) covered: BTreeMap<EnvelopeId, EnvelopeId>,
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
            StoreOperation::PutBody { id, body, .. } => {
                if let Some(at) = self.ids.get(&id) {
                    // The engine checked it against the header.
                    let _attached = self.envelopes[*at].envelope.attach_body(body);
                    self.covered.remove(&id);
                }
            }
            StoreOperation::Cover { by, ids, .. } => {
                for id in ids {
                    self.drop_body(id);
                    self.covered.insert(id, by);
                }
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

    fn drop_body(&mut self, id: EnvelopeId) {
        if let Some(at) = self.ids.get(&id) {
            let mut raw = self.envelopes[*at].envelope.raw().clone();
            raw.body = None;
            if let Ok(bare) = raw.recall() {
                self.envelopes[*at].envelope = bare;
            }
        }
    }

    fn lacks(&self, envelope: &Envelope) -> bool {
        envelope.body().is_none() && !self.covered.contains_key(&envelope.id())
    }

    /// Whether the headers of a chain are here without a hole up to a position.
    pub(crate) fn follows(&self, space: SpaceId, chain: Chain, seq: u64) -> bool {
        self.positions
            .get(&(space, chain))
            .is_some_and(|positions| u64::try_from(positions.range(1..=seq).count()) == Ok(seq))
    }

    /// Whether they are, with all bodies in some form.
    pub(crate) fn holds(&self, space: SpaceId, chain: Chain, seq: u64) -> bool {
        let mut stored = self.envelopes.iter().map(|stored| &stored.envelope);
        let lacking = stored.any(|envelope| {
            let header = envelope.header();
            header.chain == chain && header.seq <= seq && self.lacks(envelope)
        });
        !lacking && self.follows(space, chain, seq)
    }

    /// What somebody wrote, as it is read here.
    pub(crate) fn read(&self, engine: &Engine, space: SpaceId, id: EnvelopeId) -> Option<Body> {
        let envelope = self.stored(id)?;
        if envelope.body().is_some() {
            return engine.open_body(space, envelope);
        }
        let snapshot = self.stored(engine.covered_by(space, id)?)?;
        let keyring = engine.keyring(space)?;
        let key = keyring.get(envelope.header().epoch)?;
        let wanted = |listed| (listed == id).then_some((envelope.header(), key));
        let outer = keyring.get(snapshot.header().epoch)?;
        wanted_bodies(snapshot, outer, wanted).ok()?.remove(&id)
    }

    /// Content that is here by its header alone.
    pub(crate) fn without_content(&self) -> impl Iterator<Item = EnvelopeId> {
        let stored = self.envelopes.iter().map(|stored| &stored.envelope);
        let bare = stored.filter(|envelope| self.lacks(envelope));
        bare.map(Envelope::id)
    }

    pub(crate) fn has_content(&self, id: EnvelopeId) -> bool {
        self.stored(id)
            .is_some_and(|envelope| !self.lacks(envelope))
    }

    pub(crate) fn stored(&self, id: EnvelopeId) -> Option<&Envelope> {
        Some(&self.envelopes[*self.ids.get(&id)?].envelope)
    }

    pub(crate) fn load(&self, ids: &[EnvelopeId]) -> Vec<RawEnvelope> {
        ids.iter()
            .filter_map(|id| self.ids.get(id))
            .map(|at| self.envelopes[*at].envelope.raw().clone())
            .collect()
    }

    fn bare(
        &self,
        which: impl Fn(&Envelope) -> bool,
    ) -> impl Iterator<Item = (SpaceId, EnvelopeId)> {
        let stored = self.envelopes.iter().map(|stored| &stored.envelope);
        stored
            .filter(|envelope| envelope.body().is_none())
            .filter(move |envelope| which(envelope))
            .map(|envelope| (envelope.header().space, envelope.id()))
    }

    pub(crate) fn restored(&self) -> Restored {
        Restored {
            envelopes: self.envelopes.clone(),
            bodiless: self.bare(|envelope| self.lacks(envelope)).collect(),
            covered: self
                .bare(|envelope| !self.lacks(envelope))
                .filter_map(|(space, id)| Some((space, id, *self.covered.get(&id)?)))
                .collect(),
            cursors: self.cursors.values().cloned().collect(),
            counters: self.counters.values().copied().collect(),
            follows: self
                .follows
                .iter()
                .map(|(space, seed)| (*space, seed.clone()))
                .collect(),
            ended: Vec::new(),
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
