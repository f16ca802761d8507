//! Snapshots in the log: which bodies one stands for, and taking them out of it.
//!
//! A device that reads takes what it lacks out of the newest snapshots first, one at a time, and asks
//! for what they do not hold. Each body is checked by its own envelope, so that a forged snapshot costs
//! its reader one decryption and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::io::{Event, LoadId, Output, SnapshotFinding};
use super::options::Role;
use super::queue::Work;
use super::space::Space;
use super::{Engine, Mutant};
use crate::admission::{
    Entry, LISTED_BYTES_MAX, OpenedSnapshot, SnapshotFault, Verdict, is_listable, open_snapshot,
};
use crate::envelope::{Envelope, RawEnvelope};
use crate::id::{DocumentId, EnvelopeId, SpaceId};
use crate::statement::{Capability, Kind};
use crate::time::Timestamp;

/// What is known of a Space's snapshots.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    /// Up to where the log was looked at.
    seen: usize,
    /// Every snapshot that is stored, by document and place in the order of arrival.
    pub(super) stored: BTreeMap<DocumentId, BTreeMap<usize, EnvelopeId>>,
    /// Of each document the place of the newest that is admitted: peers find earlier bodies in it.
    pub(super) newest: BTreeMap<DocumentId, usize>,
    /// How much of each document came after that.
    tails: BTreeMap<DocumentId, usize>,
    /// Documents whose tail is long.
    pub(super) due: BTreeMap<DocumentId, Due>,
    /// Bodies were found of which the application was not told yet.
    untold: bool,
    /// Notes of bodies that were found in snapshots, on their way to the disk.
    noting: usize,
    /// Those that were opened since this engine began, and whether a key was missing then.
    opened: BTreeMap<EnvelopeId, bool>,
}

/// A document whose tail is long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    /// When it is looked at.
    pub(super) at: Timestamp,
    /// Whether this device made it longer.
    pub(super) own: bool,
}

impl Snapshots {
    /// When a document is looked at next.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.values().map(|due| due.at).min()
    }

    pub(super) fn clock_went_back(&mut self, now: Timestamp) {
        for due in self.due.values_mut() {
            due.at = now;
        }
    }

    /// An epoch key came: what could not be read for want of one is read again.
    pub(super) fn keys_came(&mut self) {
        self.opened.retain(|_id, lacked_key| !*lacked_key);
    }

    /// What was found in a snapshot is noted on disk.
    pub(super) fn noted(&mut self) {
        self.noting = self.noting.saturating_sub(1);
    }

    /// What was found in a snapshot could not be noted: it is opened once more.
    pub(super) fn not_noted(&mut self, id: EnvelopeId) {
        self.noted();
        self.opened.remove(&id);
    }
}

/// Why the store is reading a snapshot, or bodies for one.
#[derive(Debug)]
pub(super) enum Reading {
    /// To take bodies out of it.
    Open { space: SpaceId, id: EnvelopeId },
    /// To seal again what it holds.
    Reseal { space: SpaceId, by: EnvelopeId },
    /// To see what it lists already.
    List { id: EnvelopeId },
    /// For the next snapshot.
    Collect,
}

/// Whether an entry is what documents are made of.
pub(super) fn is_content(entry: &Entry) -> bool {
    is_listable(entry.header().kind)
}

impl Space {
    /// Whether the body of an envelope is here as it was sealed.
    pub(super) fn has_sealed(&self, id: EnvelopeId) -> bool {
        !self.missing.contains(id) && !self.missing.covered.contains_key(&id)
    }

    /// Whether what was sealed of an envelope is not here, and a snapshot holds it.
    pub(super) fn is_covered(&self, id: EnvelopeId) -> bool {
        self.missing.covered.contains_key(&id)
    }

    pub(super) fn counts(&self, id: EnvelopeId) -> bool {
        self.evaluation.verdict(id).counts()
    }

    pub(super) fn is_admitted(&self, id: EnvelopeId) -> bool {
        self.evaluation.verdict(id) == Verdict::Admitted
    }

    /// Takes in what arrived; `verdicts` says that earlier envelopes may count otherwise than before.
    fn follow_snapshots(&mut self, verdicts: bool) {
        let mut fresh = verdicts;
        for (at, entry) in (self.snapshots.seen..).zip(self.log.arrived_after(self.snapshots.seen))
        {
            let document = entry.header().document;
            if entry.header().kind == Kind::Snapshot {
                let stored = self.snapshots.stored.entry(document).or_default();
                stored.insert(at, entry.id());
                fresh = true;
            } else if is_content(entry) {
                *self.snapshots.tails.entry(document).or_default() += 1;
            }
        }
        self.snapshots.seen = self.log.len();
        if !fresh {
            return;
        }
        let documents: Vec<_> = self.snapshots.stored.keys().copied().collect();
        for document in documents {
            let stored = self.snapshots.stored.get(&document);
            let newest = stored.and_then(|stored| {
                let mut stored = stored.iter().rev();
                stored.find(|(_at, id)| self.is_admitted(**id))
            });
            let newest = newest.map(|(at, _id)| *at);
            if self.snapshots.newest.get(&document).copied() == newest {
                continue;
            }
            let tail = self.tail(document, newest).count();
            self.snapshots.tails.insert(document, tail);
            match newest {
                Some(at) => self.snapshots.newest.insert(document, at),
                None => self.snapshots.newest.remove(&document),
            };
        }
    }

    /// What of a document arrived after a place.
    pub(super) fn tail(
        &self,
        document: DocumentId,
        after: Option<usize>,
    ) -> impl Iterator<Item = &Entry> {
        let from = after.map_or(0, |at| at + 1);
        let arrived = self.log.arrived_after(from);
        arrived.filter(move |entry| entry.header().document == document && is_content(entry))
    }

    /// Whether peers that read snapshots find the body of an entry in one that comes after it.
    pub(super) fn is_before_snapshot(&self, entry: &Entry, at: usize) -> bool {
        is_content(entry)
            && body_len(entry) <= LISTED_BYTES_MAX
            && self
                .snapshots
                .newest
                .get(&entry.header().document)
                .is_some_and(|newest| at < *newest)
    }

    /// The newest snapshot that may hold something that is missing and was not opened yet.
    fn openable(&self) -> Option<EnvelopeId> {
        let missing = self.missing.ids().filter_map(|id| self.log.get(id));
        let documents: BTreeSet<_> = missing
            .filter(|entry| is_content(entry))
            .map(|entry| entry.header().document)
            .filter(|document| self.missing.policy.include(*document))
            .collect();
        let stored = documents
            .iter()
            .filter_map(|document| self.snapshots.stored.get(document))
            .flatten();
        let fit = |id: EnvelopeId| {
            !self.snapshots.opened.contains_key(&id) && self.has_sealed(id) && self.is_admitted(id)
        };
        stored
            .filter(|(_at, id)| fit(**id))
            .max()
            .map(|(_at, id)| *id)
    }

    /// Snapshots of which the body is missing and was not asked for before everything else yet.
    pub(super) fn snapshots_to_ask_for(&self) -> Vec<EnvelopeId> {
        let missing = self.missing.ids().filter(|id| {
            let entry = self.log.get(*id);
            entry.is_some_and(|entry| {
                entry.header().kind == Kind::Snapshot
                    && self.missing.policy.include(entry.header().document)
            })
        });
        let new = missing.filter(|id| !self.missing.asked_first.contains(id));
        new.filter(|id| self.is_admitted(*id)).collect()
    }

    /// Whether an envelope's body can be deleted or done without because a snapshot holds it.
    pub(super) fn can_be_covered(&self, by: EnvelopeId, id: EnvelopeId) -> bool {
        let (Some(snapshot), Some(entry)) = (self.log.get(by), self.log.get(id)) else {
            return false;
        };
        let (snapshot, header) = (snapshot.header(), entry.header());
        snapshot.kind == Kind::Snapshot
            && self.has_sealed(by)
            && snapshot.document == header.document
            && is_content(entry)
    }
}

/// What became different in a Space besides what arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed {
    /// Verdicts on what was here.
    pub(super) verdicts: bool,
    /// The epoch keys that are at hand.
    pub(super) keys: bool,
}

impl Changed {
    /// Nothing is known yet.
    pub(super) const ALL: Self = Self {
        verdicts: true,
        keys: true,
    };
}

impl Engine {
    /// Takes in what arrived in a Space, and opens what can be opened of what is missing.
    pub(super) fn follow_snapshots(&mut self, space: SpaceId, Changed { verdicts, keys }: Changed) {
        let (author, now) = (self.author, self.now);
        let (limit, settle) = (self.limits.snapshot_tail_max, self.limits.snapshot_settle);
        let member = self.role == Role::Member;
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let before = held.snapshots.seen;
        held.follow_snapshots(verdicts);
        if !member {
            return;
        }
        if keys {
            held.snapshots.keys_came();
        }
        let arrived = held.log.arrived_after(before);
        for entry in arrived.filter(|entry| is_content(entry)) {
            let snapshots = &mut held.snapshots;
            let document = entry.header().document;
            if snapshots
                .tails
                .get(&document)
                .is_some_and(|it| *it >= limit)
            {
                let at = now.plus(settle);
                let due = snapshots.due.entry(document);
                let due = due.or_insert(Due { at, own: false });
                due.own |= entry.header().chain.author == author;
            }
        }
        self.open_next(space);
    }

    /// Whether this device takes bodies of a Space out of snapshots: a relay cannot, nor can an agent
    /// that keeps its System sealed. Who waits to be let in finds out later.
    pub(super) fn reads_snapshots(&self, space: SpaceId) -> bool {
        let capability = self
            .spaces
            .get(&space)
            .and_then(|held| held.evaluation.capability(self.author, self.now));
        self.role == Role::Member && capability != Some(Capability::Relay)
    }

    /// Whether peers may leave out what snapshots hold: not where nobody writes any.
    pub(super) fn wants_snapshots(&self, space: SpaceId) -> bool {
        self.limits.snapshot_tail_max != usize::MAX && self.reads_snapshots(space)
    }

    /// Reads the next snapshot that may hold something that is missing, one at a time.
    pub(super) fn open_next(&mut self, space: SpaceId) {
        let busy = self
            .readings
            .values()
            .any(|it| matches!(it, Reading::Open { .. }));
        if busy || !self.reads_snapshots(space) {
            return;
        }
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        if let Some(id) = held.openable() {
            self.read(space, vec![id], Reading::Open { space, id });
        }
    }

    /// Whether something of a Space is still to be taken out of snapshots.
    pub(super) fn is_opening(&self, space: SpaceId) -> bool {
        let opens = |it: &Reading| matches!(it, Reading::Open { space: of, .. } if *of == space);
        let reads = self.reads_snapshots(space);
        let held = self.spaces.get(&space);
        self.readings.values().any(opens)
            || held.is_some_and(|held| {
                held.snapshots.noting > 0 || (reads && held.openable().is_some())
            })
    }

    pub(super) fn read(&mut self, space: SpaceId, ids: Vec<EnvelopeId>, why: Reading) {
        let request = LoadId(self.next_load);
        self.next_load += 1;
        self.readings.insert(request, why);
        self.outputs.push_back(Output::Load {
            request,
            space,
            ids,
        });
    }

    /// The store read for this. False when it read something else.
    pub(super) fn snapshots_loaded(&mut self, request: LoadId, loaded: &[RawEnvelope]) -> bool {
        let Some(why) = self.readings.remove(&request) else {
            return false;
        };
        match why {
            Reading::Open { space, id } => self.opened(space, id, loaded),
            Reading::Reseal { space, by } => self.reseal(space, by, loaded),
            Reading::List { id } => self.list_read(id, loaded),
            Reading::Collect => self.collected(loaded),
        }
        true
    }

    pub(super) fn open_loaded(
        &self,
        space: SpaceId,
        id: EnvelopeId,
        loaded: &[RawEnvelope],
    ) -> Option<Result<OpenedSnapshot, SnapshotFault>> {
        let held = self.spaces.get(&space)?;
        let envelope = loaded.first()?.clone().recall().ok()?;
        let whole = envelope.id() == id && envelope.body().is_some();
        whole.then(|| open_snapshot(&held.log, &held.evaluation, &held.keyring, &envelope))
    }

    fn opened(&mut self, space: SpaceId, id: EnvelopeId, loaded: &[RawEnvelope]) {
        let opened = self.open_loaded(space, id, loaded);
        let lacked_key = match &opened {
            Some(Ok(opened)) => opened.lacked_key(),
            Some(Err(fault)) => *fault == SnapshotFault::NoKey,
            None => false,
        };
        if let Some(held) = self.spaces.get_mut(&space) {
            held.snapshots.opened.insert(id, lacked_key);
        }
        match opened {
            Some(Ok(opened)) => {
                if !opened.is_faultless() {
                    let finding = SnapshotFinding::PassedOver(opened.passed_over.clone());
                    self.tell_of_snapshot(space, id, finding);
                }
                self.take_bodies(space, id, &opened);
            }
            Some(Err(fault @ (SnapshotFault::Form(_) | SnapshotFault::Order))) => {
                self.tell_of_snapshot(space, id, SnapshotFinding::Unusable(fault));
            }
            // Later; or a damaged row, and the log is asked instead.
            Some(Err(_)) | None => {}
        }
        self.open_next(space);
        self.tell_of_found(space);
        self.fetch(space);
        self.open_elsewhere();
    }

    /// What is missing and was found in a snapshot is noted on disk, and then as good as here.
    fn take_bodies(&mut self, space: SpaceId, by: EnvelopeId, opened: &OpenedSnapshot) {
        let believes = self.is(Mutant::BelieveSnapshots);
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let listed = opened.bodies.keys().copied();
        let missing = |id: &EnvelopeId| held.missing.contains(*id);
        let ids: Vec<_> = if believes {
            held.missing.ids().collect()
        } else {
            listed.filter(missing).collect()
        };
        if !ids.is_empty() {
            held.snapshots.noting += 1;
            self.queue.push(Work::Cover {
                write: None,
                space,
                by,
                ids,
            });
        }
    }

    fn tell_of_snapshot(&mut self, space: SpaceId, id: EnvelopeId, finding: SnapshotFinding) {
        let Some(entry) = self.spaces.get(&space).and_then(|held| held.log.get(id)) else {
            return;
        };
        let header = entry.header();
        let (document, author) = (header.document, header.chain.author);
        self.emit(Event::Snapshot {
            space,
            document,
            id,
            author,
            finding,
        });
    }

    /// The turn goes round: no Space keeps the others waiting.
    fn open_elsewhere(&mut self) {
        let waiting: Vec<_> = self
            .spaces
            .iter()
            .filter(|(_space, held)| !held.missing.is_empty())
            .map(|(space, _held)| *space)
            .collect();
        for space in waiting {
            self.open_next(space);
        }
    }

    /// Bodies that snapshots hold are noted on disk: the documents are read anew, and the rest is
    /// asked for.
    pub(super) fn covers_durable(&mut self, covers: Vec<(SpaceId, EnvelopeId, Vec<EnvelopeId>)>) {
        let mut spaces = BTreeSet::new();
        for (space, by, ids) in covers {
            let Some(held) = self.spaces.get_mut(&space) else {
                continue;
            };
            for id in ids {
                if held.missing.remove(id) {
                    spaces.insert(space);
                }
                held.missing.covered.insert(id, by);
            }
        }
        for space in spaces {
            self.say_lacking(space);
            if let Some(held) = self.spaces.get_mut(&space) {
                held.snapshots.untold = true;
            }
            self.tell_of_found(space);
            self.fetch(space);
        }
    }

    /// One reading for all snapshots: each would read the documents from their beginning.
    fn tell_of_found(&mut self, space: SpaceId) {
        if self.is_opening(space) {
            return;
        }
        if let Some(held) = self.spaces.get_mut(&space)
            && std::mem::take(&mut held.snapshots.untold)
        {
            self.emit(Event::Rebuilt { space });
        }
    }

    /// Which bodies could be deleted because this snapshot holds them: whoever needs them sealed is given
    /// them, sealed again. The snapshot is the stored one.
    ///
    /// # Errors
    /// [`SnapshotFault`]: nothing of it is used.
    pub fn droppable(
        &self,
        space: SpaceId,
        snapshot: &Envelope,
    ) -> Result<Vec<EnvelopeId>, SnapshotFault> {
        let Some(held) = self.spaces.get(&space) else {
            return Ok(Vec::new());
        };
        let opened = open_snapshot(&held.log, &held.evaluation, &held.keyring, snapshot)?;
        let ids = opened.bodies.into_keys();
        Ok(ids
            .filter(|id| held.has_sealed(*id) && held.can_be_covered(snapshot.id(), *id))
            .collect())
    }

    /// The admitted snapshots of a Space whose bodies are here, in the order in which they arrived.
    pub fn snapshots(&self, space: SpaceId) -> Vec<EnvelopeId> {
        let Some(held) = self.spaces.get(&space) else {
            return Vec::new();
        };
        let stored: BTreeMap<_, _> = held.snapshots.stored.values().flatten().collect();
        let fit = stored.into_values().copied();
        fit.filter(|id| held.is_admitted(*id) && held.has_sealed(*id))
            .collect()
    }

    /// Of each of these envelopes whose sealed body is not here, the snapshot that holds it.
    pub fn covered_by(&self, space: SpaceId, id: EnvelopeId) -> Option<EnvelopeId> {
        self.spaces.get(&space)?.missing.covered.get(&id).copied()
    }
}

pub(super) fn body_len(entry: &Entry) -> usize {
    usize::try_from(entry.header().body_len).unwrap_or(usize::MAX)
}
