//! The stored set of one Space: every chain, its branches, its digest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::by_id::ById;
use super::entry::{Entry, Link};
use super::fork::Fork;
use crate::codec;
use crate::envelope::Envelope;
use crate::guard::{Guard, holds};
use crate::id::{AuthorId, Chain, EnvelopeId, Instance, SpaceId};
use crate::statement::{Cut, Statement};
use crate::time::Timestamp;

/// How many branches of a forked chain are kept without a cut or receipt that names them.
const BRANCHES_UNNAMED_MAX: usize = 2;
/// How many are kept at all, whatever statements name.
pub const BRANCHES_MAX: usize = 8;

const DIGEST_CONTEXT: &str = "aramaki space digest v1";

/// What an insertion did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is the next of its chain.
    New,
    /// It was here already; nothing changed.
    Duplicate,
    /// It is new and stands beside another at its position: the author signed two histories.
    Fork,
}

/// Why an envelope is not in the log. Only [`NotInserted::Form`] and [`NotInserted::WrongSpace`]
/// are final: the others may succeed later.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotInserted {
    /// The envelope before it is not here.
    #[error("the envelope before it is missing: this chain is held up to {head_seq}")]
    Gap {
        /// Up to where this log certainly holds the envelope's own branch; ask for what follows.
        head_seq: u64,
    },
    /// It belongs elsewhere.
    #[error("it belongs to another Space")]
    WrongSpace,
    /// The chain has as many branches as are kept; one more comes in when a cut or receipt names it.
    #[error("its chain has too many branches")]
    ForkLimit,
    /// It contradicts what is stored, whatever arrives later.
    #[error("{0}")]
    Form(&'static str),
}

/// One line of a Space's summary.
///
/// A linear chain shows its head; a forked one its lowest forked position and all branch heads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChainSummary {
    /// Which chain.
    pub chain: Chain,
    /// The head's position; in a forked chain the lowest position with two envelopes.
    pub seq: u64,
    /// The head; in a forked chain the heads of all branches, sorted.
    pub heads: Vec<EnvelopeId>,
}

impl ChainSummary {
    /// Whether the author signed two histories.
    pub fn is_forked(&self) -> bool {
        self.heads.len() > 1
    }
}

#[derive(Clone, Debug, Default)]
struct Branches {
    tips: BTreeSet<(u64, EnvelopeId)>,
    fork_seq: Option<u64>,
}

/// The stored set of one Space. Sealed bodies are not in it.
///
/// **Invariant:** an entry is here only together with the whole of its chain below it.
#[derive(Clone, Debug)]
pub struct SpaceLog {
    space: SpaceId,
    entries: ById<Entry>,
    places: BTreeSet<(Chain, u64, EnvelopeId)>,
    chains: BTreeMap<Chain, Branches>,
    arrival: Vec<EnvelopeId>,
    control: BTreeSet<EnvelopeId>,
    named_ancestors: BTreeSet<EnvelopeId>,
    named_in_cuts: BTreeMap<Chain, BTreeSet<EnvelopeId>>,
    /// Proven forks: of each chain the lowest position, and all that is proven to stand there. All, so
    /// that it is the same in any order of arrival.
    proven: BTreeMap<Chain, (u64, BTreeSet<EnvelopeId>)>,
    /// The lowest position in a chain that names a grant as its authority.
    first_uses: BTreeMap<(Chain, EnvelopeId), u64>,
    control_revision: u64,
    digest: OnceLock<[u8; 32]>,
}

impl SpaceLog {
    /// An empty log.
    pub fn new(space: SpaceId) -> Self {
        Self {
            space,
            entries: ById::default(),
            places: BTreeSet::new(),
            chains: BTreeMap::new(),
            arrival: Vec::new(),
            control: BTreeSet::new(),
            named_ancestors: BTreeSet::new(),
            named_in_cuts: BTreeMap::new(),
            proven: BTreeMap::new(),
            first_uses: BTreeMap::new(),
            control_revision: 0,
            digest: OnceLock::new(),
        }
    }

    /// Which Space.
    pub fn space(&self) -> SpaceId {
        self.space
    }

    /// How many envelopes.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds an envelope whose form is verified. The order of chains among each other is free.
    ///
    /// # Errors
    /// [`NotInserted`]; the log is then unchanged.
    pub fn insert(
        &mut self,
        envelope: &Envelope,
        received: Timestamp,
    ) -> Result<Inserted, NotInserted> {
        if self.entries.contains_key(&envelope.id()) {
            return Ok(Inserted::Duplicate);
        }
        let entry = Entry::new(envelope, received);
        self.check_place(&entry)?;
        let header = &entry.header;
        let (chain, seq) = (header.chain, header.seq);
        let known = self.chains.get(&chain);
        let follows_head = known.is_some_and(|it| it.tips.contains(&(seq - 1, header.previous)));
        let fork = known.is_some() && !follows_head;
        let full = self.branch_count(chain) >= self.branch_limit(chain);
        if holds(Guard::BranchLimit) && fork && full {
            return Err(NotInserted::ForkLimit);
        }
        let branches = self.chains.entry(chain).or_default();
        branches.tips.remove(&(seq - 1, header.previous));
        branches.tips.insert((seq, entry.id));
        if fork {
            branches.fork_seq = Some(branches.fork_seq.map_or(seq, |lowest| lowest.min(seq)));
        }
        let forked = branches.fork_seq.is_some() || self.proven.contains_key(&chain);
        if forked || entry.is_control() {
            self.control_revision += 1;
        }
        self.remember(entry);
        Ok(if fork { Inserted::Fork } else { Inserted::New })
    }

    fn remember(&mut self, entry: Entry) {
        self.digest = OnceLock::new();
        self.named_ancestors.extend(&entry.header.ancestors);
        for cut in entry.statement.as_ref().map_or(&[][..], cuts_of) {
            let named = self.named_in_cuts.entry(cut.chain).or_default();
            named.insert(cut.id);
        }
        if entry.is_control() {
            self.control.insert(entry.id);
            self.take_proof(&entry);
        }
        let header = &entry.header;
        let use_of = (header.chain, header.authority);
        let first = self.first_uses.entry(use_of).or_insert(header.seq);
        *first = header.seq.min(*first);
        self.places
            .insert((entry.header.chain, entry.header.seq, entry.id));
        self.arrival.push(entry.id);
        self.entries.insert(entry.id, entry);
    }

    /// Remembers what a statement proves, if it is news.
    fn take_proof(&mut self, entry: &Entry) {
        let Some(statement) = &entry.statement else {
            return;
        };
        let Some((chain, seq)) = Fork::place(statement) else {
            return;
        };
        let lowest = self.proven.get(&chain).map(|(lowest, _ids)| *lowest);
        if lowest.is_some_and(|lowest| seq > lowest) {
            return;
        }
        if let Some(fork) = Fork::proven(self.space, statement) {
            let place = self.proven.entry(fork.chain).or_default();
            if lowest != Some(fork.seq) {
                *place = (fork.seq, BTreeSet::new());
            }
            place.1.extend(fork.ids);
        }
    }

    fn check_place(&self, entry: &Entry) -> Result<(), NotInserted> {
        let header = &entry.header;
        if holds(Guard::RightSpace) && header.space != self.space {
            return Err(NotInserted::WrongSpace);
        }
        if header.seq == 1 {
            return Ok(());
        }
        let Some(previous) = self.entries.get(&header.previous) else {
            let head_seq = self.head(header.chain).map_or(0, |(seq, _id)| seq);
            return Err(NotInserted::Gap {
                head_seq: if header.seq > head_seq + 1 && self.fork_seq(header.chain).is_none() {
                    head_seq
                } else {
                    0
                },
            });
        };
        let follows =
            previous.header.chain == header.chain && previous.header.seq + 1 == header.seq;
        if holds(Guard::PreviousInChain) && !follows {
            return Err(NotInserted::Form("the envelope before it is elsewhere"));
        }
        Ok(())
    }

    fn branch_count(&self, chain: Chain) -> usize {
        self.chains
            .get(&chain)
            .map_or(0, |branches| branches.tips.len())
    }

    /// Names may come before what they name, so each name not stored yet leaves room for a branch.
    fn branch_limit(&self, chain: Chain) -> usize {
        let named = self.named_in_cuts.get(&chain).map_or(0, BTreeSet::len);
        BRANCHES_UNNAMED_MAX.saturating_add(named).min(BRANCHES_MAX)
    }

    /// An entry.
    pub fn get(&self, id: EnvelopeId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// Whether it is stored.
    pub fn contains(&self, id: EnvelopeId) -> bool {
        self.entries.contains_key(&id)
    }

    /// The highest position of a chain and the envelope there; of several the lowest id.
    pub fn head(&self, chain: Chain) -> Option<(u64, EnvelopeId)> {
        let tips = &self.chains.get(&chain)?.tips;
        let (highest, _id) = tips.last()?;
        tips.range((*highest, EnvelopeId::ZERO)..).next().copied()
    }

    /// The head of every chain, sorted by chain.
    pub fn heads(&self) -> impl Iterator<Item = (Chain, u64, EnvelopeId)> + '_ {
        self.chains
            .keys()
            .filter_map(|chain| self.head(*chain).map(|(seq, id)| (*chain, seq, id)))
    }

    /// The heads of all branches of a chain.
    pub fn branch_heads(&self, chain: Chain) -> impl Iterator<Item = (u64, EnvelopeId)> + '_ {
        self.chains
            .get(&chain)
            .into_iter()
            .flat_map(|branches| branches.tips.iter().copied())
    }

    /// The chains of an author, one an instance.
    pub fn chains_of(&self, author: AuthorId) -> impl Iterator<Item = Chain> + '_ {
        let from = Chain {
            author,
            instance: Instance(0),
        };
        let to = Chain {
            author,
            instance: Instance(u64::MAX),
        };
        self.chains
            .range(from..=to)
            .map(|(chain, _branches)| *chain)
    }

    /// The lowest position with two envelopes here, if the author signed two histories.
    pub fn fork_seq(&self, chain: Chain) -> Option<u64> {
        self.chains.get(&chain)?.fork_seq
    }

    /// The lowest position that an author signed twice, whether both branches are here or a proof says
    /// so.
    pub fn forked_at(&self, chain: Chain) -> Option<u64> {
        let proven = self.proven.get(&chain).map(|(seq, _ids)| *seq);
        let proven = proven.filter(|_seq| holds(Guard::ForkByProof));
        let here = self.fork_seq(chain);
        here.into_iter().chain(proven).min()
    }

    /// Whether a fork is proven of which one branch or none is here.
    pub fn is_branch_hidden(&self, chain: Chain) -> bool {
        let proven = self.proven.get(&chain);
        proven.is_some_and(|(_seq, ids)| !ids.iter().all(|id| self.contains(*id)))
    }

    /// The chains whose authors signed two histories.
    pub fn forked_chains(&self) -> impl Iterator<Item = (Chain, u64)> + '_ {
        self.chains
            .keys()
            .filter_map(|chain| Some((*chain, self.forked_at(*chain)?)))
    }

    /// Chains of which two branches are here, at a position that no proof names yet.
    pub fn unproven_forks(&self) -> impl Iterator<Item = (Chain, u64)> + '_ {
        self.chains.iter().filter_map(|(chain, branches)| {
            let seq = branches.fork_seq?;
            let proven = self
                .proven
                .get(chain)
                .is_some_and(|(lowest, _ids)| *lowest <= seq);
            (!proven).then_some((*chain, seq))
        })
    }

    /// What another store must have to hold the same set, sorted by chain.
    pub fn summary(&self) -> Vec<ChainSummary> {
        self.chains
            .iter()
            .map(|(chain, branches)| {
                let mut heads: Vec<_> = branches.tips.iter().map(|(_seq, id)| *id).collect();
                heads.sort_unstable();
                let highest = branches.tips.last().map_or(0, |(seq, _id)| *seq);
                ChainSummary {
                    chain: *chain,
                    seq: branches.fork_seq.unwrap_or(highest),
                    heads,
                }
            })
            .collect()
    }

    /// Equal digests mean equal sets. Kept until the next insertion.
    pub fn digest(&self) -> [u8; 32] {
        *self.digest.get_or_init(|| {
            let summary = codec::encode(&self.summary()).unwrap_or_default();
            blake3::derive_key(DIGEST_CONTEXT, &summary)
        })
    }

    /// The entries of a chain above a position, all branches, by (position, id).
    pub fn after(&self, chain: Chain, seq: u64) -> impl Iterator<Item = &Entry> + '_ {
        let from = (chain, seq.saturating_add(1), EnvelopeId::ZERO);
        let to = (chain, u64::MAX, EnvelopeId::from_bytes([u8::MAX; 32]));
        let range = (seq < u64::MAX).then(|| self.places.range(from..=to));
        range
            .into_iter()
            .flatten()
            .filter_map(|(_chain, _seq, id)| self.entries.get(id))
    }

    /// The entries at a position: more than one in a fork.
    pub fn at(&self, chain: Chain, seq: u64) -> impl Iterator<Item = EnvelopeId> + '_ {
        let from = (chain, seq, EnvelopeId::ZERO);
        let to = (chain, seq, EnvelopeId::from_bytes([u8::MAX; 32]));
        self.places.range(from..=to).map(|(_chain, _seq, id)| *id)
    }

    /// Whether this very envelope is stored at this place.
    pub fn holds(&self, link: Link) -> bool {
        self.entries
            .get(&link.id)
            .is_some_and(|entry| entry.link() == link)
    }

    /// The entry at a lower position of the branch that ends in `id`.
    pub fn below(&self, id: EnvelopeId, seq: u64) -> Option<EnvelopeId> {
        let mut at = self.entries.get(&id)?;
        let chain = at.header.chain;
        let fork_seq = self.fork_seq(chain);
        while at.header.seq > seq {
            // Below the lowest fork there is one entry a position: no need to walk.
            if fork_seq.is_none_or(|lowest| seq < lowest) {
                return self.at(chain, seq).next();
            }
            at = self.entries.get(&at.header.previous)?;
        }
        (at.header.seq == seq).then_some(at.id)
    }

    /// What was first said in a stored entry's chain, on its branch, under the same grant. Cost: two
    /// look-ups, on a forked chain what lies above the first.
    pub(super) fn first_under_its_grant(&self, entry: &Entry) -> Option<&Entry> {
        let (chain, authority) = (entry.header.chain, entry.header.authority);
        let lowest = *self.first_uses.get(&(chain, authority))?;
        (lowest..=entry.header.seq).find_map(|seq| {
            let first = self.entries.get(&self.below(entry.id, seq)?)?;
            (first.header.authority == authority).then_some(first)
        })
    }

    /// The stored heads of other chains that no stored envelope builds on, sorted.
    ///
    /// A writer names only what it accepts: see [`Evaluation::frontier`](super::Evaluation::frontier).
    pub fn frontier(&self, except: Chain) -> Vec<EnvelopeId> {
        let mut frontier: Vec<_> = self
            .chains
            .iter()
            .filter(|(chain, _branches)| **chain != except)
            .flat_map(|(_chain, branches)| branches.tips.iter().map(|(_seq, id)| *id))
            .filter(|id| !self.named_ancestors.contains(id))
            .collect();
        frontier.sort_unstable();
        frontier
    }

    /// Whether `of` builds on `ancestor`, directly or through others. Cost: what lies between.
    pub fn is_ancestor(&self, ancestor: EnvelopeId, of: EnvelopeId) -> bool {
        let Some(target) = self.entries.get(&ancestor) else {
            return false;
        };
        let mut seen = BTreeSet::new();
        let mut open: Vec<EnvelopeId> = self
            .entries
            .get(&of)
            .map_or_else(Vec::new, |entry| entry.links.clone());
        while let Some(id) = open.pop() {
            if id == ancestor {
                return true;
            }
            let Some(entry) = self.entries.get(&id) else {
                continue;
            };
            if !seen.insert(id) {
                continue;
            }
            // In the target's own chain everything at or below another entry of its position is
            // no way to it; above it there is exactly one way down.
            if entry.header.chain == target.header.chain {
                if self.below(id, target.header.seq) == Some(ancestor) {
                    return true;
                }
                if entry.header.seq <= target.header.seq
                    && self.fork_seq(entry.header.chain).is_none()
                {
                    continue;
                }
            }
            open.extend(&entry.links);
        }
        false
    }

    /// All entries in the order in which they arrived.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> + '_ {
        self.arrival.iter().filter_map(|id| self.entries.get(id))
    }

    /// The entries that arrived after the first `count`.
    pub fn arrived_after(&self, count: usize) -> impl Iterator<Item = &Entry> + '_ {
        self.arrival
            .iter()
            .skip(count)
            .filter_map(|id| self.entries.get(id))
    }

    /// The control statements, sorted by id.
    pub fn control(&self) -> impl Iterator<Item = (&Entry, &Statement)> + '_ {
        self.control.iter().filter_map(|id| {
            let entry = self.entries.get(id)?;
            Some((entry, entry.statement.as_ref()?))
        })
    }

    /// Counts what can change the verdicts of entries stored before: control and forks.
    pub(super) fn control_revision(&self) -> u64 {
        self.control_revision
    }
}

fn cuts_of(statement: &Statement) -> &[Cut] {
    match statement {
        Statement::Revoke { cuts, .. }
        | Statement::Close { cuts, .. }
        | Statement::Receipt { cuts, .. } => cuts,
        _ => &[],
    }
}
