//! The control statements of a log, evaluated together: what every other verdict rests on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::cuts::{Claim, Cuts};
use super::entry::Entry;
use super::grant_chain::{Grants, Rooted, emergency_over, grace_of, grant_in};
use super::log::SpaceLog;
use super::receipts::Receipts;
use super::verdict::{Held, Verdict};
use crate::guard::{Guard, holds};
use crate::id::{AuthorId, EnvelopeId};
use crate::statement::{Cut, GrantFlags, Statement};
use crate::time::Timestamp;

/// How far an author's clock may be ahead of this one.
pub const CLOCK_AHEAD_MAX: Duration = Duration::from_mins(5);

/// Which claims and receipts are weighed.
#[derive(Clone, Copy)]
enum Weigh<'a> {
    /// Nothing of forked positions, whenever it arrived: to find out whose receipts stand.
    First,
    /// With the receipts that stand.
    Final(&'a Receipts),
}

/// The evaluated control statements.
#[derive(Clone, Debug, Default)]
pub(super) struct Control {
    grants: Grants,
    cuts: Cuts,
    receipts: Receipts,
    /// What is cut when no receipt is weighed: whose receipts stand follows from it.
    first_cuts: Cuts,
    late_claims: bool,
    pub(super) standing: BTreeMap<EnvelopeId, Verdict>,
    /// The keys of invitations by which somebody came in who was sent away.
    pub(super) sent_away: BTreeSet<AuthorId>,
    /// The grants under which somebody revoked, closed or witnessed.
    pub(super) testified: BTreeSet<EnvelopeId>,
}

impl Control {
    pub(super) fn evaluate(log: &SpaceLog, now: Timestamp) -> Self {
        let grants = Grants::of(log);
        let (first_cuts, _late) = weigh(log, &grants, Weigh::First, now);
        let receipts = standing_receipts(log, &grants, &first_cuts, now);
        let (cuts, late_claims) = weigh(log, &grants, Weigh::Final(&receipts), now);
        let mut control = Self {
            grants,
            cuts,
            receipts,
            first_cuts,
            late_claims,
            standing: BTreeMap::new(),
            sent_away: BTreeSet::new(),
            testified: log
                .control()
                .filter(|(_entry, statement)| is_testimony(statement))
                .map(|(entry, _statement)| entry.header.authority)
                .collect(),
        };
        control.stand_grants(log, now);
        control
    }

    pub(super) fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(super) fn cuts(&self) -> &Cuts {
        &self.cuts
    }

    pub(super) fn first_cuts(&self) -> &Cuts {
        &self.first_cuts
    }

    /// Adds a revocation that counts by itself and changes nothing that others say.
    pub(super) fn add_claim(&mut self, claim: &Claim<'_>) {
        self.first_cuts.add_revoke(claim);
        self.cuts.add_revoke(claim);
    }

    pub(super) fn receipts(&self) -> &Receipts {
        &self.receipts
    }

    /// Whether a revocation or close came late, so that a receipt may bring it into time.
    pub(super) fn has_late_claims(&self) -> bool {
        self.late_claims
    }

    /// Finds a new grant's way to the root. Returns its depth; of one that has no way, the most.
    pub(super) fn root_grant(&mut self, log: &SpaceLog, id: EnvelopeId) -> usize {
        self.grants.add(log, id);
        self.grants.get(log, id).map_or(usize::MAX, Rooted::depth)
    }

    /// Finds out what a new grant counts for, after those above it.
    pub(super) fn stand_grant(&mut self, log: &SpaceLog, id: EnvelopeId, now: Timestamp) {
        let verdict = match self.grants.get(log, id) {
            Err(problem) => problem.into(),
            Ok(_rooted) => self.judge_grant(log, id, now),
        };
        self.standing.insert(id, verdict);
    }

    /// Adds a receipt, if it stands.
    pub(super) fn add_receipt(&mut self, log: &SpaceLog, entry: &Entry, now: Timestamp) {
        if let Some((seen, at)) = standing_receipt(log, &self.grants, &self.first_cuts, entry, now)
        {
            self.receipts
                .add_finished(entry.header.chain.author, seen, at);
        }
    }

    /// Whether content that was judged by `before` has the same verdicts here, forks and held
    /// content apart: the same cuts, and no grant that stands otherwise.
    pub(super) fn judges_content_like(&self, before: &Self) -> bool {
        self.cuts == before.cuts
            && before
                .standing
                .iter()
                .all(|(grant, verdict)| self.standing.get(grant) == Some(verdict))
    }

    /// What a grant's own envelope counts for.
    pub(super) fn standing(&self, grant: EnvelopeId) -> Verdict {
        let unknown = Verdict::Held(Held::GrantMissing);
        self.standing.get(&grant).copied().unwrap_or(unknown)
    }

    /// What an envelope counts for by itself, before what it builds on is looked at.
    pub(super) fn judge(&self, log: &SpaceLog, entry: &Entry, now: Timestamp) -> Verdict {
        if let Some(Statement::Grant(_)) = &entry.statement {
            return self.standing(entry.id);
        }
        match self.grants.permit(log, entry) {
            Err(problem) => problem.into(),
            Ok(rooted) => self.judge_under(log, entry, rooted, now),
        }
    }

    /// The revocations and closes that cut an envelope; none if it is cut for a fork, or not at all.
    pub(super) fn cutting(&self, log: &SpaceLog, entry: &Entry) -> BTreeSet<EnvelopeId> {
        match self.grants.permit(log, entry) {
            Ok(Some(rooted)) if !self.cuts.is_empty() => {
                self.cuts.cutting(log, &rooted.path, entry.link())
            }
            _ => BTreeSet::new(),
        }
    }

    fn judge_under(
        &self,
        log: &SpaceLog,
        entry: &Entry,
        rooted: Option<&Rooted>,
        now: Timestamp,
    ) -> Verdict {
        let path = rooted.map_or(&[][..], |rooted| &rooted.path);
        if let Some(authority) = path.last() {
            let standing = self.standing(*authority);
            if holds(Guard::AuthorityStands) && standing != Verdict::Admitted {
                return standing;
            }
        }
        if !self.receipts.settles_fork(log, entry) || !self.cuts.leaves(log, path, entry.link()) {
            return Verdict::Cut;
        }
        if is_future(entry, now) {
            return Verdict::Held(Held::Future);
        }
        let late = late_grants(log, entry, path, Some(&self.receipts));
        if late.iter().any(|grant| !self.cuts.ends_on(path, *grant)) {
            return Verdict::Held(Held::Expired);
        }
        Verdict::Admitted
    }

    /// The grants above an envelope that closes, and nothing else, keep from counting.
    pub(super) fn left_out<'a>(
        &'a self,
        log: &SpaceLog,
        entry: &Entry,
    ) -> Option<&'a [EnvelopeId]> {
        let path = &self.grants.permit(log, entry).ok()??.path;
        let is_here = |(it, _path): (&Entry, &[EnvelopeId])| self.receipts.settles_fork(log, it);
        let stands = basis(log, entry, path).all(is_here)
            && self
                .cuts
                .revokes_alone()
                .leaves_all(log, path, entry.link());
        let is_cut = !self.cuts.leaves_all(log, path, entry.link());
        (stands && is_cut).then_some(path)
    }

    /// Whether an envelope arrived here before the end and grace of every grant above it, by this store's
    /// own clock.
    pub(super) fn came_in_time(&self, log: &SpaceLog, entry: &Entry) -> bool {
        let Ok(rooted) = self.grants.permit(log, entry) else {
            return false;
        };
        let path = rooted.map_or(&[][..], |rooted| &rooted.path);
        late_grants(log, entry, path, None).is_empty()
    }

    /// From the root downwards, so that each grant finds its parent's standing.
    fn stand_grants(&mut self, log: &SpaceLog, now: Timestamp) {
        let mut by_depth = Vec::new();
        for (id, found) in self.grants.iter() {
            match found {
                Ok(rooted) => by_depth.push((rooted.depth(), id)),
                Err(problem) => {
                    self.standing.insert(id, problem.into());
                }
            }
        }
        by_depth.sort_unstable();
        let mut at = 0;
        while at < by_depth.len() {
            let level = by_depth[at].0;
            let end = by_depth.partition_point(|(depth, _id)| *depth <= level);
            for (_depth, id) in &by_depth[at..end] {
                let verdict = self.judge_grant(log, *id, now);
                self.standing.insert(*id, verdict);
            }
            self.hold_redemptions(log, &by_depth[at..end]);
            at = end;
        }
    }

    fn judge_grant(&self, log: &SpaceLog, id: EnvelopeId, now: Timestamp) -> Verdict {
        let Some(entry) = log.get(id) else {
            return Verdict::Held(Held::GrantMissing);
        };
        let verdict = match self.grants.permit(log, entry) {
            Err(problem) => problem.into(),
            Ok(rooted) => self.judge_under(log, entry, rooted, now),
        };
        let in_time = !holds(Guard::RedeemedInTime) || !self.redeems_late(log, entry);
        if verdict == Verdict::Admitted && !in_time {
            return Verdict::Held(Held::RedeemedLate);
        }
        verdict
    }
}

/// Whether an envelope's time is too far ahead to count yet.
pub(super) fn is_future(entry: &Entry, now: Timestamp) -> bool {
    holds(Guard::Future) && entry.header.time > now.plus(CLOCK_AHEAD_MAX)
}

/// The grants of a path after whose end and grace an envelope was first received. What is said under an
/// emergency grant itself comes in time until the emergency is over, whatever its author's clock says:
/// else a reason and what follows it could be dated back to a night that nobody remembers.
fn late_grants(
    log: &SpaceLog,
    entry: &Entry,
    path: &[EnvelopeId],
    receipts: Option<&Receipts>,
) -> Vec<EnvelopeId> {
    let ended = |received: Timestamp| {
        let places = (1..=path.len()).filter_map(|upto| path.get(..upto));
        places.filter_map(move |path| {
            let id = path.last()?;
            let grant = grant_in(log, *id)?;
            let is_emergency = *id == entry.header.authority
                && grant.flags.has(GrantFlags::BREAK_GLASS)
                && holds(Guard::ReasonInTime);
            let end = if is_emergency {
                grant.end.min(emergency_over(log, entry))
            } else {
                grant.end
            };
            (received > end.plus(grace_of(log, path))).then_some(*id)
        })
    };
    if ended(entry.received).next().is_none() || !holds(Guard::ArrivedInTime) {
        return Vec::new();
    }
    ended(first_received(log, entry, receipts)).collect()
}

/// When an envelope arrived here, or when a witness says that it had it, if that is earlier.
pub(super) fn first_received(
    log: &SpaceLog,
    entry: &Entry,
    receipts: Option<&Receipts>,
) -> Timestamp {
    let seen = receipts.and_then(|receipts| receipts.first_seen(log, entry));
    seen.map_or(entry.received, |seen| seen.min(entry.received))
}

/// An envelope and the grants above it, each with the grants above that.
fn basis<'a>(
    log: &'a SpaceLog,
    entry: &'a Entry,
    path: &'a [EnvelopeId],
) -> impl Iterator<Item = (&'a Entry, &'a [EnvelopeId])> {
    let above = path.iter().enumerate();
    above
        .filter_map(move |(depth, id)| Some((log.get(*id)?, &path[..depth])))
        .chain([(entry, path)])
}

/// Whether neither an envelope nor a grant above it is on an open fork or ahead of this clock.
fn stands_on(
    log: &SpaceLog,
    entry: &Entry,
    path: &[EnvelopeId],
    receipts: &Receipts,
    now: Timestamp,
) -> bool {
    basis(log, entry, path).all(|(it, _path)| receipts.settles_fork(log, it) && !is_future(it, now))
}

/// Whether what others count for may rest on a statement.
fn is_testimony(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Revoke { .. } | Statement::Close { .. } | Statement::Receipt { .. }
    )
}

/// Whether a statement that its grants permit counts whatever receipts may still come: it came in time
/// and is neither on a fork nor ahead of this clock.
pub(super) fn is_sure(
    log: &SpaceLog,
    entry: &Entry,
    path: &[EnvelopeId],
    receipts: &Receipts,
    now: Timestamp,
) -> bool {
    stands_on(log, entry, path, receipts, now)
        && basis(log, entry, path).all(|(it, path)| late_grants(log, it, path, None).is_empty())
}

/// A revocation that came in time, as it is weighed.
pub(super) fn claim_of<'a>(
    entry: &Entry,
    path: &'a [EnvelopeId],
    (target, cuts): (EnvelopeId, &'a [Cut]),
) -> Claim<'a> {
    Claim {
        at: entry.link(),
        path,
        late: Vec::new(),
        target,
        cuts,
    }
}

/// The cuts that stand, and whether a claim came late.
fn weigh(log: &SpaceLog, grants: &Grants, how: Weigh<'_>, now: Timestamp) -> (Cuts, bool) {
    let (mut closes, mut revokes) = (Vec::new(), Vec::new());
    let nobody = Receipts::default();
    for (entry, statement) in log.control() {
        let (is_close, target, cuts) = match statement {
            Statement::Revoke { target, cuts, .. } => (false, *target, cuts),
            Statement::Close { target, cuts } => (true, *target, cuts),
            _ => continue,
        };
        let Ok(Some(rooted)) = grants.permit(log, entry) else {
            continue;
        };
        let receipts = match how {
            Weigh::First => &nobody,
            Weigh::Final(receipts) => receipts,
        };
        if !stands_on(log, entry, &rooted.path, receipts, now) {
            continue;
        }
        let late = match how {
            Weigh::First => Vec::new(),
            Weigh::Final(receipts) => basis(log, entry, &rooted.path)
                .flat_map(|(it, path)| late_grants(log, it, path, Some(receipts)))
                .collect(),
        };
        let claim = Claim {
            at: entry.link(),
            path: &rooted.path,
            late,
            target,
            cuts,
        };
        if is_close {
            closes.push(claim);
        } else {
            revokes.push(claim);
        }
    }
    let mut claims = closes.iter().chain(&revokes);
    let late = claims.any(|claim| !claim.late.is_empty());
    (Cuts::effective(log, &closes, &revokes), late)
}

fn standing_receipts(log: &SpaceLog, grants: &Grants, cuts: &Cuts, now: Timestamp) -> Receipts {
    let mut receipts = Receipts::default();
    for (entry, _statement) in log.control() {
        if let Some((seen, at)) = standing_receipt(log, grants, cuts, entry, now) {
            receipts.add(entry.header.chain.author, seen, at);
        }
    }
    receipts.finish();
    receipts
}

/// What a receipt says, if it stands. A witness that signed two histories is believed below the fork
/// only: so receipts never decide over each other.
fn standing_receipt<'a>(
    log: &SpaceLog,
    grants: &Grants,
    cuts: &Cuts,
    entry: &'a Entry,
    now: Timestamp,
) -> Option<(&'a [Cut], Timestamp)> {
    let Some(Statement::Receipt { cuts: seen, at }) = &entry.statement else {
        return None;
    };
    let rooted = grants.permit(log, entry).ok()??;
    let nobody = Receipts::default();
    let stands = stands_on(log, entry, &rooted.path, &nobody, now)
        && cuts.leaves_all(log, &rooted.path, entry.link());
    stands.then_some((seen.as_slice(), *at))
}
