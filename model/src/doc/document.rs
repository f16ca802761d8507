//! One document: what was admitted, what waits, and edits.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::{Chain, EnvelopeId, Timestamp, contain};
use automerge::transaction::{CommitOptions, Transaction};
use automerge::{
    ActorId, Automerge, Change, ChangeHash, LoadOptions, PatchLog, ReadDoc as _, TextEncoding,
};

use crate::ancestry::Ancestry;
use crate::doc::gate::{Known, News, Passed, Refusal, gate, look};
use crate::doc::genesis::{DocumentKind, Genesis};
use crate::doc::past::Past;
use crate::id::EntryId;
use crate::note;
use crate::workspace::ChangeScope;

/// How many changes of a document wait for others at most.
pub const WAITING_CHANGES_MAX: usize = 1_000;
/// How many bytes of changes of a document wait for others at most.
pub const WAITING_LEN_BYTES_MAX: usize = 4 << 20;
/// How many changes are applied in one go; more are applied in several.
const ADMIT_CHANGES_MAX: usize = 4_096;

/// A change whose envelope was admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CarriedChange {
    /// The chain that carried it.
    pub(crate) chain: Chain,
    /// The envelope that carried it.
    pub(crate) envelope: EnvelopeId,
    /// The bytes of one plain Automerge change.
    pub(crate) bytes: Vec<u8>,
    /// What its author may change.
    pub(crate) scope: ChangeScope,
}

/// How a change came into the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    /// Every replica makes it for itself.
    Genesis,
    /// An edit of our own that did not come back in an envelope yet.
    Ours,
    /// In this envelope.
    Envelope(EnvelopeId),
}

/// What is known about changes, applied or about to be.
#[derive(Clone, Debug, Default)]
struct Graph {
    changes: BTreeMap<[u8; 32], (u64, Carrier)>,
    last: BTreeMap<[u8; 16], (u64, [u8; 32])>,
}

impl Graph {
    fn add(&mut self, actor: [u8; 16], change: &Change, carrier: Carrier) {
        let known = (change.max_op(), carrier);
        self.changes.insert(change.hash().0, known);
        self.last.insert(actor, (change.seq(), change.hash().0));
    }

    /// An edit of our own came back in an envelope; says whether that was news.
    fn carried(&mut self, hash: &[u8; 32], envelope: EnvelopeId) -> bool {
        match self.changes.get_mut(hash) {
            Some((_, carrier @ Carrier::Ours)) => {
                *carrier = Carrier::Envelope(envelope);
                true
            }
            _ => false,
        }
    }
}

/// What is known of a document to a change in this envelope; none: to an edit of our own.
struct Seen<'a> {
    graph: &'a Graph,
    envelope: Option<(EnvelopeId, &'a Ancestry)>,
}

impl Known for Seen<'_> {
    fn max_op(&self, hash: &[u8; 32]) -> Option<u64> {
        self.graph.changes.get(hash).map(|(max_op, _)| *max_op)
    }

    fn last(&self, actor: &[u8; 16]) -> Option<(u64, [u8; 32])> {
        self.graph.last.get(actor).copied()
    }

    fn covers(&self, hash: &[u8; 32]) -> Option<bool> {
        let Some((envelope, ancestry)) = self.envelope else {
            // The replica names everything that it holds as an ancestor of what it writes.
            return Some(true);
        };
        match self.graph.changes.get(hash)? {
            (_, Carrier::Genesis) => Some(true),
            (_, Carrier::Ours) => None,
            (_, Carrier::Envelope(carrier)) if *carrier == envelope => Some(true),
            (_, Carrier::Envelope(carrier)) => ancestry.builds_on(envelope, *carrier),
        }
    }
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Whether the document is another one now.
    pub(crate) changed: bool,
    /// What was left out, by envelope.
    pub(crate) refused: Vec<(EnvelopeId, Refusal)>,
    /// How many edits of our own came back in an envelope.
    came_back: usize,
}

/// One document.
///
/// **Invariant:** Automerge never saw a change that did not pass the gate, and for documents other
/// than logs also a trial on a copy.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    kind: DocumentKind,
    automerge: Automerge,
    graph: Graph,
    waiting: Vec<CarriedChange>,
    /// Entries of a log that its reader has not taken yet.
    fresh: Vec<(EntryId, [u8; 16], Vec<u8>)>,
    /// What became of items of a System.
    past: Past,
}

impl Document {
    /// A document without any change but the first; none if the kind has no first state.
    pub(crate) fn new(kind: DocumentKind, genesis: &Genesis) -> Option<Self> {
        let automerge = genesis.state(kind)?.clone();
        let mut graph = Graph::default();
        for change in automerge.get_changes_meta(&[]) {
            let known = (change.max_op, Carrier::Genesis);
            graph.changes.insert(change.hash.0, known);
        }
        Some(Self {
            kind,
            automerge,
            graph,
            waiting: Vec::new(),
            fresh: Vec::new(),
            past: Past::default(),
        })
    }

    /// What it holds.
    pub(crate) const fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// The Automerge document, for reading.
    pub(crate) const fn automerge(&self) -> &Automerge {
        &self.automerge
    }

    /// The hashes of the newest changes.
    pub(crate) fn heads(&self) -> Vec<[u8; 32]> {
        let mut heads: Vec<_> = self
            .automerge
            .get_heads()
            .iter()
            .map(|hash| hash.0)
            .collect();
        heads.sort_unstable();
        heads
    }

    /// The entries that a journal or timeline got since this was last asked, and the actor of
    /// each. Entries are immutable, so a reader that keeps them has them all.
    pub(crate) fn take_entries(&mut self) -> Vec<(EntryId, [u8; 16], Vec<u8>)> {
        std::mem::take(&mut self.fresh)
    }

    /// What became of items of a System, also of those that are gone.
    pub(crate) const fn past(&self) -> &Past {
        &self.past
    }

    fn keep(&mut self, actor: [u8; 16], news: News) {
        match news {
            News::Entries(entries) => {
                let fresh = entries.into_iter().map(|(id, bytes)| (id, actor, bytes));
                self.fresh.extend(fresh);
            }
            News::Operations(change) if self.kind == DocumentKind::System => {
                self.past.take(actor, &change);
            }
            News::Operations(_) => {}
        }
    }

    /// How many changes wait for others.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether a change waits that one of these envelopes carried.
    pub(crate) fn waits_for(&self, envelopes: &BTreeSet<EnvelopeId>) -> bool {
        self.waiting
            .iter()
            .any(|waiting| envelopes.contains(&waiting.envelope))
    }

    /// The kind of document that a change supposes, if it builds on a first change directly.
    pub(crate) fn kind_supposed(bytes: &[u8], genesis: &Genesis) -> Option<DocumentKind> {
        let scanned = look(bytes).ok()?;
        scanned
            .dependencies
            .into_iter()
            .find_map(|hash| genesis.kind_of(&ChangeHash(hash)))
    }

    /// Takes changes in. Those that are here already are passed over; those whose dependencies
    /// are missing wait; the others pass the gate or are left out and named.
    ///
    /// `ancestry` tells what their envelopes build on; an envelope that it does not know waits.
    pub(crate) fn admit(&mut self, changes: &[CarriedChange], ancestry: &Ancestry) -> Outcome {
        let mut outcome = Outcome::default();
        for batch in changes.chunks(ADMIT_CHANGES_MAX) {
            self.settle(batch.to_vec(), ancestry, &mut outcome);
        }
        outcome
    }

    /// Tries again what waits, after it became known what more envelopes build on.
    pub(crate) fn retry(&mut self, ancestry: &Ancestry) -> Outcome {
        let mut outcome = Outcome::default();
        let waiting = std::mem::take(&mut self.waiting);
        self.settle(waiting, ancestry, &mut outcome);
        outcome
    }

    /// Passes over changes until none of those that wait can be applied.
    fn settle(
        &mut self,
        mut pending: Vec<CarriedChange>,
        ancestry: &Ancestry,
        outcome: &mut Outcome,
    ) {
        while !pending.is_empty() {
            let came_back = outcome.came_back;
            let applied = self.pass(pending, ancestry, outcome);
            outcome.changed |= applied;
            if !applied && outcome.came_back == came_back {
                return;
            }
            pending = std::mem::take(&mut self.waiting);
        }
    }

    /// One pass over changes; returns whether any was applied.
    fn pass(
        &mut self,
        pending: Vec<CarriedChange>,
        ancestry: &Ancestry,
        outcome: &mut Outcome,
    ) -> bool {
        let mut graph = self.graph.clone();
        let (mut passed, mut fresh) = (Vec::new(), Vec::new());
        for admitted in pending {
            if admitted.scope == ChangeScope::Timelines && self.kind != DocumentKind::Timeline {
                outcome.refused.push((admitted.envelope, Refusal::Comment));
                continue;
            }
            let actor = admitted.chain.actor_bytes();
            let seen = Seen {
                graph: &graph,
                envelope: Some((admitted.envelope, ancestry)),
            };
            match gate(&admitted.bytes, &actor, self.kind.is_log(), &seen) {
                Ok(Passed::Waits) => self.wait(admitted, outcome),
                Ok(Passed::Change(change, news)) => {
                    graph.add(actor, &change, Carrier::Envelope(admitted.envelope));
                    passed.push((admitted, *change));
                    fresh.push((actor, news));
                }
                Err(refusal) => {
                    // A number that was used: often our own edit, which comes back admitted.
                    let again = matches!(refusal, Refusal::Seq { .. })
                        .then(|| Self::held(&admitted.bytes, &graph))
                        .flatten();
                    let Some(hash) = again else {
                        outcome.refused.push((admitted.envelope, refusal));
                        continue;
                    };
                    if graph.carried(&hash, admitted.envelope) {
                        self.graph.carried(&hash, admitted.envelope);
                        outcome.came_back += 1;
                    }
                }
            }
        }
        if passed.is_empty() {
            return false;
        }
        let changes: Vec<_> = passed.iter().map(|(_, change)| change.clone()).collect();
        if let Ok(automerge) = self.applied(changes) {
            self.automerge = automerge;
            self.graph = graph;
            for (actor, news) in fresh {
                self.keep(actor, news);
            }
            return true;
        }
        self.pass_singly(passed, ancestry, outcome)
    }

    /// Applies changes one by one, after they failed together: finds the one that is to blame.
    fn pass_singly(
        &mut self,
        passed: Vec<(CarriedChange, Change)>,
        ancestry: &Ancestry,
        outcome: &mut Outcome,
    ) -> bool {
        let mut any = false;
        for (admitted, _) in passed {
            let actor = admitted.chain.actor_bytes();
            let seen = Seen {
                graph: &self.graph,
                envelope: Some((admitted.envelope, ancestry)),
            };
            // What it depends on may just have been left out.
            let passed = gate(&admitted.bytes, &actor, self.kind.is_log(), &seen);
            let (change, news) = match passed {
                Ok(Passed::Change(change, news)) => (change, news),
                Ok(Passed::Waits) => {
                    self.wait(admitted, outcome);
                    continue;
                }
                Err(refusal) => {
                    outcome.refused.push((admitted.envelope, refusal));
                    continue;
                }
            };
            match self.applied(vec![(*change).clone()]) {
                Ok(automerge) => {
                    self.automerge = automerge;
                    let carrier = Carrier::Envelope(admitted.envelope);
                    self.graph.add(actor, &change, carrier);
                    self.keep(actor, news);
                    any = true;
                }
                Err(refusal) => outcome.refused.push((admitted.envelope, refusal)),
            }
        }
        any
    }

    /// Keeps a change until its dependencies come, if there is room.
    fn wait(&mut self, admitted: CarriedChange, outcome: &mut Outcome) {
        let length: usize = self.waiting.iter().map(|change| change.bytes.len()).sum();
        if self
            .waiting
            .iter()
            .any(|waiting| waiting.bytes == admitted.bytes)
        {
            return;
        }
        if self.waiting.len() >= WAITING_CHANGES_MAX
            || length + admitted.bytes.len() > WAITING_LEN_BYTES_MAX
        {
            outcome.refused.push((admitted.envelope, Refusal::NoRoom));
        } else {
            self.waiting.push(admitted);
        }
    }

    /// The hash of exactly this change if it was applied before: an edit of our own that comes
    /// back.
    fn held(bytes: &[u8], graph: &Graph) -> Option<[u8; 32]> {
        let change = contain::run(|| Change::from_bytes(bytes.to_vec()));
        let change = change.ok()?.ok()?;
        let hash = change.hash().0;
        (graph.changes.contains_key(&hash) && change.raw_bytes() == bytes).then_some(hash)
    }

    /// The document with these changes; for all but logs only if that survives a trial.
    fn applied(&self, changes: Vec<Change>) -> Result<Automerge, Refusal> {
        let kind = self.kind;
        let mut copy = self.automerge.clone();
        let trial = contain::run(move || {
            copy.apply_changes(changes)
                .map_err(|_reason| Refusal::Trial("apply"))?;
            if !kind.is_log() {
                survives(&copy, kind)?;
            }
            Ok(copy)
        });
        trial.unwrap_or(Err(Refusal::Trial("panic")))
    }

    /// Whether a change is part of it.
    pub(crate) fn knows(&self, hash: &[u8; 32]) -> bool {
        self.graph.changes.contains_key(hash)
    }

    /// Edits a copy under this actor, and takes it over if the change passes our own gate.
    /// Returns the bytes of the change; none if nothing changed.
    ///
    /// With a `base` the edit is made as of that version and the own changes after it, as if the
    /// others had come later; an empty one is the beginning.
    pub(crate) fn edit<E: From<EditFailure>>(
        &mut self,
        chain: &Chain,
        now: Timestamp,
        base: Option<&[[u8; 32]]>,
        edit: impl FnOnce(&mut Transaction<'_>) -> Result<(), E>,
    ) -> Result<Option<Vec<u8>>, E> {
        let actor = chain.actor_bytes();
        let heads = base.map(|base| self.version(base, &actor)).transpose()?;
        let mut copy = self.automerge.clone();
        copy.set_actor(ActorId::from(actor));
        let time = now.millis().max(0) / 1_000;
        let mut transaction = match &heads {
            None => copy.transaction(),
            Some(heads) => copy
                .transaction_at(PatchLog::inactive(), heads)
                .map_err(|_other_log| EditFailure(Refusal::Dependencies))?,
        };
        edit(&mut transaction)?;
        let (hash, _log) = transaction.commit_with(CommitOptions::default().with_time(time));
        let Some(change) = hash.and_then(|hash| copy.get_change_by_hash(&hash)) else {
            return Ok(None);
        };
        let bytes = change.raw_bytes().to_vec();
        let seen = Seen {
            graph: &self.graph,
            envelope: None,
        };
        match gate(&bytes, &actor, self.kind.is_log(), &seen) {
            Ok(Passed::Change(_, news)) => self.keep(actor, news),
            Ok(Passed::Waits) => return Err(EditFailure(Refusal::Dependencies).into()),
            Err(refusal) => return Err(EditFailure(refusal).into()),
        }
        self.graph.add(actor, &change, Carrier::Ours);
        self.automerge = copy;
        Ok(Some(bytes))
    }
}

impl Document {
    /// What a change depends on that is made at a version: that, and the actor's last change.
    fn version(&self, base: &[[u8; 32]], actor: &[u8; 16]) -> Result<Vec<ChangeHash>, EditFailure> {
        let mut heads: BTreeSet<_> = base.iter().copied().collect();
        if heads.iter().any(|hash| !self.knows(hash)) {
            return Err(EditFailure(Refusal::Dependencies));
        }
        heads.extend(self.graph.last.get(actor).map(|(_, last)| *last));
        if heads.is_empty() {
            let genesis = self.graph.changes.iter();
            let genesis = genesis.filter(|(_, (_, carrier))| *carrier == Carrier::Genesis);
            heads.extend(genesis.map(|(hash, _)| *hash));
        }
        Ok(heads.into_iter().map(ChangeHash).collect())
    }
}

/// An edit whose change others would refuse.
#[derive(Debug)]
pub(crate) struct EditFailure(pub(crate) Refusal);

/// Whether a document can be saved and loaded again, and reads the same then.
fn survives(automerge: &Automerge, kind: DocumentKind) -> Result<(), Refusal> {
    let saved = automerge.save_nocompress();
    let options = LoadOptions::new().text_encoding(TextEncoding::UnicodeCodePoint);
    let loaded =
        Automerge::load_with_options(&saved, options).map_err(|_reason| Refusal::Trial("load"))?;
    if loaded.get_heads() != automerge.get_heads() {
        return Err(Refusal::Trial("heads"));
    }
    // A long text takes ten times longer as a list of values.
    let is_same = match kind {
        DocumentKind::Note => note::read(&loaded) == note::read(automerge),
        _ => loaded.hydrate(None) == automerge.hydrate(None),
    };
    if is_same {
        Ok(())
    } else {
        Err(Refusal::Trial("content"))
    }
}
