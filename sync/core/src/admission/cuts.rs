//! What Revokes and Closes leave of each chain (TRUST §4.3).
//!
//! Closes first, each witness's own taken together, so that an expired administrator cannot silence
//! the witness who closes its grant; then Revokes from the root downwards, so that there are no
//! cycles and no duels.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::Link;
use super::log::SpaceLog;
use crate::guard::{Guard, holds};
use crate::id::{AuthorId, Chain, EnvelopeId};
use crate::statement::Cut;

/// A Revoke or Close that its author may make, leaving aside other cuts.
#[derive(Clone, Debug)]
pub(super) struct Claim<'a> {
    /// Where the statement is.
    pub(super) at: Link,
    /// The grants under which it was made, the root's first.
    pub(super) path: &'a [EnvelopeId],
    /// Grants of the path after whose end and grace it was first received.
    pub(super) late: Vec<EnvelopeId>,
    /// Which grant it ends.
    pub(super) target: EnvelopeId,
    /// What it leaves.
    pub(super) cuts: &'a [Cut],
}

impl Claim<'_> {
    fn author(&self) -> AuthorId {
        self.at.chain.author
    }
}

/// Last accepted positions; a chain that is not named is cut at 0.
type Limits = BTreeMap<Chain, (u64, EnvelopeId)>;

/// The cuts that stand, by grant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cuts {
    closes: BTreeMap<EnvelopeId, Limits>,
    revokes: BTreeMap<EnvelopeId, Limits>,
    /// Which statements made them: of the closes their ids, of each revocation what it leaves itself.
    closed_by: BTreeMap<EnvelopeId, Vec<EnvelopeId>>,
    revoked_by: BTreeMap<EnvelopeId, Vec<(EnvelopeId, Limits)>>,
}

impl Cuts {
    /// The cuts that stand when all claims are weighed.
    pub(super) fn effective(log: &SpaceLog, closes: &[Claim<'_>], revokes: &[Claim<'_>]) -> Self {
        let mut revokes: Vec<_> = revokes.iter().collect();
        revokes.sort_by_key(|claim| (claim.path.len(), claim.at.id));
        let mut by_witness: BTreeMap<AuthorId, Vec<&Claim<'_>>> = BTreeMap::new();
        // A close that itself came late, under a grant that had ended, closes nothing (A51).
        let in_time = |close: &&Claim<'_>| close.late.is_empty() || !holds(Guard::CloseInTime);
        for close in closes.iter().filter(in_time) {
            by_witness.entry(close.author()).or_default().push(close);
        }
        let mut standing = Self::default();
        for own in by_witness.values() {
            let first = own
                .iter()
                .copied()
                .filter(|_close| holds(Guard::ClosesFirst));
            let alone = Self::with_closes(first).and_revokes(log, &revokes);
            let against = Self {
                revokes: alone.revokes,
                ..Self::default()
            };
            for close in own {
                if against.leaves_all(log, close.path, close.at) {
                    standing.add_close(close);
                }
            }
        }
        standing.and_revokes(log, &revokes)
    }

    /// What one revocation alone leaves.
    pub(super) fn of_one(claim: &Claim<'_>) -> Self {
        let mut cuts = Self::default();
        cuts.add_revoke(claim);
        cuts
    }

    fn with_closes<'a>(closes: impl Iterator<Item = &'a Claim<'a>>) -> Self {
        let mut cuts = Self::default();
        for close in closes {
            cuts.add_close(close);
        }
        cuts
    }

    fn and_revokes(mut self, log: &SpaceLog, revokes: &[&Claim<'_>]) -> Self {
        for revoke in revokes {
            let late = holds(Guard::RevokeInTime)
                && revoke
                    .late
                    .iter()
                    .any(|grant| !self.ends_on(revoke.path, *grant));
            let left = self.leaves_all(log, revoke.path, revoke.at);
            if !late && (left || !holds(Guard::CutCutsNothing)) {
                self.add_revoke(revoke);
            }
        }
        self
    }

    /// Of several closes the larger leaves more and counts (A20).
    fn add_close(&mut self, claim: &Claim<'_>) {
        let by = self.closed_by.entry(claim.target).or_default();
        by.push(claim.at.id);
        let limits = self.closes.entry(claim.target).or_default();
        for (chain, limit) in named(claim.cuts) {
            let kept = limits.entry(chain).or_insert(limit);
            if is_lower(*kept, limit) == holds(Guard::LargestClose) {
                *kept = limit;
            }
        }
    }

    /// Of several revocations the smaller counts; what one of them does not name is cut at 0.
    pub(super) fn add_revoke(&mut self, claim: &Claim<'_>) {
        let new = named(claim.cuts);
        let by = self.revoked_by.entry(claim.target).or_default();
        by.push((claim.at.id, new.clone()));
        match self.revokes.get_mut(&claim.target) {
            None => {
                self.revokes.insert(claim.target, new);
            }
            Some(limits) => limits.retain(|chain, kept| match new.get(chain) {
                Some(limit) => {
                    if is_lower(*limit, *kept) == holds(Guard::SmallestRevoke) {
                        *kept = *limit;
                    }
                    true
                }
                None => !holds(Guard::SmallestRevoke),
            }),
        }
    }

    /// Whether there is a close at all.
    pub(super) fn closes_any(&self) -> bool {
        !self.closes.is_empty()
    }

    /// The revocations without the closes.
    pub(super) fn revokes_alone(&self) -> Self {
        Self {
            revokes: self.revokes.clone(),
            revoked_by: self.revoked_by.clone(),
            ..Self::default()
        }
    }

    /// Whether someone ended this grant.
    pub(super) fn ends(&self, grant: EnvelopeId) -> bool {
        self.closes.contains_key(&grant) || self.revokes.contains_key(&grant)
    }

    /// Whether someone ended a grant of a path or one above it: that names what is left of all below.
    pub(super) fn ends_on(&self, path: &[EnvelopeId], grant: EnvelopeId) -> bool {
        let upto = path.iter().position(|it| *it == grant);
        let above = path.iter().take(upto.map_or(0, |at| at + 1));
        above.copied().any(|it| self.ends(it))
    }

    /// The revocations of a grant.
    pub(super) fn revocations(&self, grant: EnvelopeId) -> impl Iterator<Item = EnvelopeId> {
        let by = self.revoked_by.get(&grant).into_iter().flatten();
        by.map(|(by, _limits)| *by)
    }

    /// The revocations and closes of a grant.
    pub(super) fn statements(&self, grant: EnvelopeId) -> impl Iterator<Item = EnvelopeId> {
        let closes = self.closed_by.get(&grant).into_iter().flatten().copied();
        closes.chain(self.revocations(grant))
    }

    /// Whether an envelope under these grants is at or below all cuts.
    pub(super) fn leaves(&self, log: &SpaceLog, path: &[EnvelopeId], at: Link) -> bool {
        !holds(Guard::Cut)
            || path.iter().all(|grant| {
                let limits = [self.closes.get(grant), self.revokes.get(grant)];
                let mut limits = limits.into_iter().flatten();
                limits.all(|limits| leave(limits, log, at))
            })
    }

    /// The statements that cut an envelope under these grants, itself or a grant above it.
    pub(super) fn cutting(
        &self,
        log: &SpaceLog,
        path: &[EnvelopeId],
        at: Link,
    ) -> BTreeSet<EnvelopeId> {
        let mut cutting = BTreeSet::new();
        for (depth, grant) in path.iter().enumerate() {
            // What this grant's end does to the envelope, and to the grants between.
            let between = path.iter().skip(depth + 1);
            let between = between.filter_map(|below| Some(log.get(*below)?.link()));
            let places: Vec<_> = between.chain([at]).collect();
            let cuts = |limits: &Limits| places.iter().any(|place| !leave(limits, log, *place));
            if self.closes.get(grant).is_some_and(cuts) {
                cutting.extend(self.closed_by.get(grant).into_iter().flatten());
            }
            let revokes = self.revoked_by.get(grant).into_iter().flatten();
            let revokes = revokes.filter(|(_by, limits)| cuts(limits));
            cutting.extend(revokes.map(|(by, _limits)| *by));
        }
        cutting
    }

    /// Whether nothing was ended at all.
    pub(super) fn is_empty(&self) -> bool {
        self.closes.is_empty() && self.revokes.is_empty()
    }

    /// Whether an envelope and every grant above it are left.
    pub(super) fn leaves_all(&self, log: &SpaceLog, path: &[EnvelopeId], at: Link) -> bool {
        self.leaves(log, path, at)
            && path.iter().enumerate().all(|(above, grant)| {
                log.get(*grant)
                    .is_some_and(|entry| self.leaves(log, &path[..above], entry.link()))
            })
    }
}

/// Whether an envelope is at or below what is left of its chain.
fn leave(limits: &Limits, log: &SpaceLog, at: Link) -> bool {
    let limit = limits.get(&at.chain);
    limit.is_some_and(|(seq, id)| is_at_or_below(log, at, *seq, *id))
}

/// One limit a chain; of several in one statement the smallest.
fn named(cuts: &[Cut]) -> Limits {
    let mut limits = Limits::new();
    for cut in cuts {
        let limit = (cut.seq, cut.id);
        let kept = limits.entry(cut.chain).or_insert(limit);
        if is_lower(limit, *kept) == holds(Guard::SmallestRevoke) {
            *kept = limit;
        }
    }
    limits
}

/// Smaller position first; at one position the lower id decides, for closes and revocations alike.
fn is_lower(a: (u64, EnvelopeId), b: (u64, EnvelopeId)) -> bool {
    a.0 < b.0 || (a.0 == b.0 && a.1 < b.1)
}

/// Whether an envelope is the one at a cut, or that one was reached from it. Of a cut whose envelope
/// is not stored the position decides, so that content that comes later changes nothing below it.
fn is_at_or_below(log: &SpaceLog, at: Link, seq: u64, id: EnvelopeId) -> bool {
    let named = Link {
        chain: at.chain,
        seq,
        id,
    };
    if log.holds(named) {
        log.below(id, at.seq) == Some(at.id)
    } else {
        at.seq < seq
    }
}
