//! What witnesses say they hold: decides forks, first arrival and the order of redemptions.

use std::collections::BTreeMap;

use super::entry::{Entry, Link};
use super::log::SpaceLog;
use crate::guard::{Guard, holds};
use crate::id::{AuthorId, Chain, EnvelopeId};
use crate::statement::Cut;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug)]
struct Seen {
    seq: u64,
    id: EnvelopeId,
    at: Timestamp,
    /// The earliest time of this and all records above it.
    earliest: Timestamp,
    witness: AuthorId,
}

impl Seen {
    fn is_here(&self, log: &SpaceLog, chain: Chain) -> bool {
        log.holds(Link {
            chain,
            seq: self.seq,
            id: self.id,
        })
    }

    /// The envelope at a lower position of the branch that the witness saw, if that is stored.
    fn below(&self, log: &SpaceLog, chain: Chain, seq: u64) -> Option<EnvelopeId> {
        let link = Link {
            chain,
            seq: self.seq,
            id: self.id,
        };
        log.holds(link).then(|| log.below(self.id, seq)).flatten()
    }
}

/// The receipts that stand, by chain.
#[derive(Clone, Debug, Default)]
pub(super) struct Receipts(BTreeMap<Chain, Vec<Seen>>);

impl Receipts {
    pub(super) fn add(&mut self, witness: AuthorId, cuts: &[Cut], at: Timestamp) {
        for cut in cuts {
            self.0.entry(cut.chain).or_default().push(Seen {
                seq: cut.seq,
                id: cut.id,
                at,
                earliest: at,
                witness,
            });
        }
    }

    /// Call once, after the last [`Receipts::add`].
    pub(super) fn finish(&mut self) {
        for chain in self.0.values_mut() {
            chain.sort_unstable_by_key(|seen| (seen.seq, seen.id, seen.at, seen.witness));
            let mut earliest = Timestamp::MAX;
            for seen in chain.iter_mut().rev() {
                earliest = earliest.min(seen.at);
                seen.earliest = earliest;
            }
        }
    }

    /// Adds to what is finished already, and leaves it so.
    pub(super) fn add_finished(&mut self, witness: AuthorId, cuts: &[Cut], at: Timestamp) {
        for cut in cuts {
            let chain = self.0.entry(cut.chain).or_default();
            let order = (cut.seq, cut.id, at, witness);
            let place =
                chain.partition_point(|seen| (seen.seq, seen.id, seen.at, seen.witness) < order);
            let above = chain.get(place).map_or(Timestamp::MAX, |it| it.earliest);
            let earliest = at.min(above);
            let seen = Seen {
                seq: cut.seq,
                id: cut.id,
                at,
                earliest,
                witness,
            };
            chain.insert(place, seen);
            // The earliest times rise with the position, so the first that is no later ends it.
            for below in chain[..place].iter_mut().rev() {
                if below.earliest <= earliest {
                    break;
                }
                below.earliest = earliest;
            }
        }
    }

    fn from(&self, chain: Chain, seq: u64) -> &[Seen] {
        let Some(all) = self.0.get(&chain) else {
            return &[];
        };
        let first = all.partition_point(|seen| seen.seq < seq);
        &all[first..]
    }

    /// When a witness first said that it holds this envelope.
    pub(super) fn first_seen(&self, log: &SpaceLog, entry: &Entry) -> Option<Timestamp> {
        let (chain, seq) = (entry.header.chain, entry.header.seq);
        let from = self.from(chain, seq);
        if log.forked_at(chain).is_none_or(|lowest| seq < lowest) {
            return from.first().map(|seen| seen.earliest);
        }
        from.iter()
            .filter(|seen| seen.below(log, chain, seq) == Some(entry.id))
            .map(|seen| seen.at)
            .min()
    }

    /// Whether an envelope stands although its author signed two histories: it is below the fork,
    /// or every witness that saw this position saw this branch (A22, A23).
    pub(super) fn settles_fork(&self, log: &SpaceLog, entry: &Entry) -> bool {
        let (chain, seq) = (entry.header.chain, entry.header.seq);
        if log.forked_at(chain).is_none_or(|lowest| seq < lowest) || !holds(Guard::Fork) {
            return true;
        }
        let seen = self.from(chain, seq);
        if log.is_branch_hidden(chain) && seen.iter().any(|it| !it.is_here(log, chain)) {
            // What a witness saw that is not here may be on the branch that is kept from this replica.
            return false;
        }
        let mut branches = seen
            .iter()
            .filter_map(|seen| seen.below(log, chain, seq))
            .peekable();
        branches.peek().is_some() && branches.all(|id| id == entry.id)
    }

    /// Per witness the highest position of a chain that it holds, and when it said so.
    pub(super) fn of(&self, chain: Chain) -> Vec<(AuthorId, u64, Timestamp)> {
        let mut highest: BTreeMap<AuthorId, (u64, Timestamp)> = BTreeMap::new();
        for seen in self.from(chain, 0) {
            let kept = highest.entry(seen.witness).or_insert((seen.seq, seen.at));
            *kept = (*kept).max((seen.seq, seen.at));
        }
        highest
            .into_iter()
            .map(|(witness, (seq, at))| (witness, seq, at))
            .collect()
    }
}
