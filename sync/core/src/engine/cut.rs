//! Writing snapshots: of a document whose tail is long, by one of its writers, a piece at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::queue::Work;
use super::snapshots::{Reading, body_len, is_content};
use super::space::Space;
use crate::admission::{LISTED_BYTES_MAX, SNAPSHOT_BYTES_TARGET, listed_as, snapshot_of};
use crate::envelope::RawEnvelope;
use crate::id::{AuthorId, DocumentId, EnvelopeId, SpaceId};
use crate::statement::Capability;
use crate::time::Timestamp;

/// Snapshots that one turn of a document writes; what is left is for the next.
const PIECES_MAX: usize = 16;
/// How many of a document's snapshots are opened to see what is listed already.
const LISTS_READ_MAX: usize = 64;
/// What an id and two lengths take in a list, at most.
const LISTED_OVERHEAD_BYTES: usize = 32 + 6;

/// One document whose snapshot this device is writing; at most one at a time.
#[derive(Debug)]
pub(super) struct Cutting {
    space: SpaceId,
    document: DocumentId,
    /// Earlier snapshots that are still to be looked at, the newest last.
    lists: Vec<EnvelopeId>,
    listed: BTreeSet<EnvelopeId>,
    /// What is to be listed; found once the lists are read.
    todo: Option<Vec<EnvelopeId>>,
    pieces: usize,
}

impl Engine {
    /// Writes the snapshots that are due, one document at a time.
    pub(super) fn cut_snapshots(&mut self) {
        let now = self.now;
        let due = |held: &Space| {
            let mut due = held.snapshots.due.iter();
            due.find(|(_document, due)| due.at <= now)
                .map(|(document, due)| (*document, due.own))
        };
        while self.cutting.is_none() {
            let mut spaces = self.spaces.iter();
            let next = spaces.find_map(|(space, held)| Some((*space, due(held)?)));
            let Some((space, (document, own))) = next else {
                return;
            };
            if let Some(held) = self.spaces.get_mut(&space) {
                held.snapshots.due.remove(&document);
            }
            if self.is_mine_to_cut(space, document, own) {
                self.begin_cut(space, document);
            }
        }
    }

    /// Of a tail that is too long, in an order that all replicas share, whoever wrote the first that
    /// is too much writes the snapshot. If it is a quarter longer and that was not done, whoever writes
    /// then does.
    fn is_mine_to_cut(&self, space: SpaceId, document: DocumentId, own: bool) -> bool {
        let limit = self.limits.snapshot_tail_max;
        let Some(held) = self.spaces.get(&space) else {
            return false;
        };
        let may = held.evaluation.capability(self.author, self.now) >= Some(Capability::Write);
        // A disk that was set back is noticed by what others hold: nothing is written of this device's own
        // accord before that could be.
        let heard = !self.in_step(space).is_empty() || self.holders(space).is_empty();
        let newest = held.snapshots.newest.get(&document).copied();
        let tail = held.tail(document, newest);
        let mut tail: Vec<(Timestamp, EnvelopeId, AuthorId)> = tail
            .filter(|entry| held.counts(entry.id()))
            .map(|entry| {
                let header = entry.header();
                (header.time, entry.id(), header.chain.author)
            })
            .collect();
        tail.sort_unstable();
        let crossed = limit.checked_sub(1).and_then(|last| tail.get(last));
        let mine = crossed.is_some_and(|(_time, _id, author)| *author == self.author);
        let overdue = tail.len() >= limit.saturating_add(limit / 4).max(1);
        may && heard && (mine || (own && overdue))
    }

    fn begin_cut(&mut self, space: SpaceId, document: DocumentId) {
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let stored = held.snapshots.stored.get(&document).into_iter().flatten();
        let mut lists: Vec<_> = stored
            .map(|(_at, id)| *id)
            .filter(|id| held.is_admitted(*id) && held.has_sealed(*id))
            .collect();
        let old = lists.len().saturating_sub(LISTS_READ_MAX);
        lists.drain(..old);
        self.cutting = Some(Cutting {
            space,
            document,
            lists,
            listed: BTreeSet::new(),
            todo: None,
            pieces: 0,
        });
        self.go_on_cutting();
    }

    /// Reads the next earlier snapshot, or the bodies of the next piece.
    fn go_on_cutting(&mut self) {
        let Some(cutting) = &mut self.cutting else {
            return;
        };
        let space = cutting.space;
        if let Some(id) = cutting.lists.pop() {
            self.read(space, vec![id], Reading::List { id });
            return;
        }
        let Some(held) = self.spaces.get(&space) else {
            self.cutting = None;
            return;
        };
        let document = cutting.document;
        let listed = &cutting.listed;
        let todo = cutting.todo.get_or_insert_with(|| {
            let ids = held.evaluation.in_order().into_iter();
            let fit = ids.filter(|id| !listed.contains(id) && held.has_sealed(*id));
            let mut fit: Vec<_> = fit
                .filter(|id| {
                    held.log.get(*id).is_some_and(|entry| {
                        entry.header().document == document
                            && is_content(entry)
                            && body_len(entry) <= LISTED_BYTES_MAX
                    })
                })
                .collect();
            // Taken from the end, the oldest first.
            fit.reverse();
            fit
        });
        let (mut ids, mut bytes) = (Vec::new(), 0);
        while let Some(entry) = todo.last().and_then(|id| held.log.get(*id)) {
            bytes += body_len(entry) + LISTED_OVERHEAD_BYTES;
            if bytes > SNAPSHOT_BYTES_TARGET {
                break;
            }
            ids.push(entry.id());
            todo.pop();
        }
        if ids.is_empty() || cutting.pieces >= PIECES_MAX {
            self.cutting = None;
            return;
        }
        self.read(space, ids, Reading::Collect);
    }

    pub(super) fn list_read(&mut self, id: EnvelopeId, loaded: &[RawEnvelope]) {
        let Some(space) = self.cutting.as_ref().map(|it| it.space) else {
            return;
        };
        // One that does not open lists nothing: what it should have held is listed anew.
        if let Some(Ok(opened)) = self.open_loaded(space, id, loaded)
            && let Some(cutting) = &mut self.cutting
        {
            cutting.listed.extend(opened.bodies.into_keys());
        }
        self.go_on_cutting();
    }

    pub(super) fn collected(&mut self, loaded: &[RawEnvelope]) {
        let Some((space, document)) = self.cutting.as_ref().map(|it| (it.space, it.document))
        else {
            return;
        };
        let keyring = self.spaces.get(&space).map(|held| &held.keyring);
        let bodies = loaded.iter().filter_map(|raw| {
            let envelope = raw.clone().recall().ok()?;
            let key = keyring?.get(envelope.header().epoch)?;
            listed_as(&envelope, key).map(|body| (envelope.id(), body))
        });
        let bodies: BTreeMap<_, _> = bodies.collect();
        if !bodies.is_empty() {
            if let Some(cutting) = &mut self.cutting {
                cutting.pieces += 1;
            }
            let body = snapshot_of(bodies);
            self.queue.push(Work::Snapshot {
                space,
                document,
                body,
            });
        }
        self.go_on_cutting();
    }
}
