//! Work that came after its grant had ended, or that a close left out (TRUST §5): shown, and accepted by a
//! person who decides.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Engine;
use super::not_counting::own_grant;
use crate::admission::{Held, LeftOut, SpaceLog};
use crate::id::{AuthorId, Chain, EnvelopeId, SpaceId};
use crate::statement::{Cut, GrantFlags, Statement};
use crate::time::Timestamp;

/// What is missing is on its way for so long after what needs it arrived; then it is said that it is missing.
pub const MISSING_AFTER: Duration = Duration::from_mins(10);

/// Envelopes of one grant that wait for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Under which grant they were written; what some of them name, if that is no grant of their author's here.
    pub grant: EnvelopeId,
    /// By whom.
    pub author: AuthorId,
    /// For what they wait.
    pub held: Held,
    /// How many they are.
    pub envelopes: u64,
    /// The first and the last, by their author's clock.
    pub span: (Timestamp, Timestamp),
}

/// Envelopes of one grant that closes left out, and nothing else keeps from counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutOff {
    /// Under which grant they were written.
    pub grant: EnvelopeId,
    /// By whom.
    pub author: AuthorId,
    /// How many they are.
    pub envelopes: u64,
    /// How many of them came to this device before the access had ended, by its own clock: whoever closed
    /// without them knew less, or lied.
    pub in_time: u64,
    /// The first and the last, by their author's clock.
    pub span: (Timestamp, Timestamp),
    /// Who closed so.
    pub closers: BTreeSet<AuthorId>,
}

/// How much of what closes left out is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// What came to this device before the access had ended.
    InTime,
    /// All that is here.
    All,
}

impl Engine {
    /// What closes left out in a Space.
    pub fn cut_off(&self, space: SpaceId) -> Vec<CutOff> {
        let Some(held) = self.spaces.get(&space) else {
            return Vec::new();
        };
        let mut cut_off: BTreeMap<(EnvelopeId, AuthorId), CutOff> = BTreeMap::new();
        for LeftOut { id, path, in_time } in held.evaluation.left_out(&held.log) {
            let Some(entry) = held.log.get(id) else {
                continue;
            };
            let header = entry.header();
            let (grant, author) = (header.authority, header.chain.author);
            let work = cut_off.entry((grant, author)).or_insert_with(|| CutOff {
                grant,
                author,
                envelopes: 0,
                in_time: 0,
                span: (header.time, header.time),
                closers: held.evaluation.closers(&held.log, &path),
            });
            work.envelopes += 1;
            work.in_time += u64::from(in_time);
            work.span = (work.span.0.min(header.time), work.span.1.max(header.time));
        }
        cut_off.into_values().collect()
    }

    /// The statements by which an administrator gives back what closes left out under a grant: larger
    /// closes, of the grant and of those above it that have ended too. None when there is nothing to give
    /// back.
    pub fn restoration(&self, space: SpaceId, grant: EnvelopeId, reach: Reach) -> Vec<Statement> {
        let Some(held) = self.spaces.get(&space) else {
            return Vec::new();
        };
        let left_out: BTreeMap<EnvelopeId, LeftOut> = held
            .evaluation
            .left_out(&held.log)
            .into_iter()
            .map(|it| (it.id, it))
            .collect();
        let reaches = |it: &&LeftOut| reach == Reach::All || it.in_time;
        let under = |it: &&LeftOut| it.path.last() == Some(&grant);
        let mut wanted: Vec<&LeftOut> = left_out.values().filter(under).filter(reaches).collect();
        let Some(path) = wanted.first().map(|it| it.path.clone()) else {
            return Vec::new();
        };
        // The grants above may have been left out with the one who gave them.
        wanted.extend(path.iter().filter_map(|above| left_out.get(above)));
        let counting = held.log.iter().filter_map(|entry| {
            let path = held.evaluation.path(&held.log, entry.header().authority)?;
            let counts = held.evaluation.verdict(entry.id()).counts();
            counts.then(|| (entry, path.to_vec()))
        });
        let given = wanted.iter();
        let given = given.filter_map(|it| Some((held.log.get(it.id)?, it.path.clone())));
        let mut last: BTreeMap<EnvelopeId, BTreeMap<Chain, (u64, EnvelopeId)>> = BTreeMap::new();
        for (entry, below) in counting.chain(given) {
            for target in path.iter().filter(|target| below.contains(target)) {
                let here = (entry.header().seq, entry.id());
                let chains = last.entry(*target).or_default();
                let reached = chains.entry(entry.header().chain).or_insert(here);
                *reached = (*reached).max(here);
            }
        }
        let ended = |target: &&EnvelopeId| {
            let end = held.evaluation.ends_with_grace(&held.log, **target);
            end.is_some_and(|end| end < self.now)
        };
        path.iter()
            .filter(ended)
            .filter_map(|target| {
                let cuts = last.remove(target)?;
                let cuts = cuts
                    .into_iter()
                    .map(|(chain, (seq, id))| Cut { chain, seq, id });
                let (target, cuts) = (*target, cuts.collect());
                Some(Statement::Close { target, cuts })
            })
            .collect()
    }

    /// What waits in a Space and is neither shown as content nor lost. What waits for something that may
    /// be on its way ([`MISSING_AFTER`]) is left out.
    pub fn waiting(&self, space: SpaceId) -> Vec<Waiting> {
        let Some(held) = self.spaces.get(&space) else {
            return Vec::new();
        };
        // A grant that is not its author's is one of as many as they like to name.
        let mut waiting: BTreeMap<(Option<EnvelopeId>, AuthorId, Held), Waiting> = BTreeMap::new();
        for (id, reason) in held.evaluation.held(&held.log) {
            let Some(entry) = held.log.get(id) else {
                continue;
            };
            let is_missing = matches!(
                reason,
                Held::Unknown | Held::GrantMissing | Held::AncestorMissing
            );
            if is_missing && self.now < entry.received().plus(MISSING_AFTER) {
                continue;
            }
            let header = entry.header();
            let (grant, author) = (header.authority, header.chain.author);
            waiting
                .entry((own_grant(&held.log, header), author, reason))
                .and_modify(|it| {
                    it.envelopes += 1;
                    it.span = (it.span.0.min(header.time), it.span.1.max(header.time));
                })
                .or_insert(Waiting {
                    grant,
                    author,
                    held: reason,
                    envelopes: 1,
                    span: (header.time, header.time),
                });
        }
        waiting.into_values().collect()
    }

    /// The statements by which an administrator accepts all that came late under a grant, or by a code that
    /// was used too late as far as anybody knows, as far as it is here: closes at the last of it, of the
    /// grant and of those above that have ended too. None when nothing of it waits for that, or the access
    /// of the code lasts: what has not ended is not closed.
    pub fn acceptance(&self, space: SpaceId, grant: EnvelopeId) -> Vec<Statement> {
        let Some(held) = self.spaces.get(&space) else {
            return Vec::new();
        };
        let waiting = self.waiting(space);
        let mut reasons = waiting.iter().filter(|it| it.grant == grant);
        let came_late = |it: &Waiting| matches!(it.held, Held::Expired | Held::RedeemedLate);
        let Some(waits) = reasons.find(|it| came_late(it)) else {
            return Vec::new();
        };
        let path = held.evaluation.path(&held.log, grant).unwrap_or_default();
        let ended = |above: &&EnvelopeId| {
            let end = held.evaluation.ends_with_grace(&held.log, **above);
            end.is_some_and(|end| end < self.now)
        };
        let closed: Vec<EnvelopeId> = path.iter().filter(ended).copied().collect();
        let is_code = |above: &EnvelopeId| {
            let grant = held.log.get(*above).and_then(|entry| entry.statement());
            matches!(grant, Some(Statement::Grant(grant)) if grant.flags.has(GrantFlags::INVITATION))
        };
        if waits.held == Held::RedeemedLate && !closed.iter().any(is_code) {
            return Vec::new();
        }
        let close = |target: EnvelopeId| Statement::Close {
            target,
            cuts: last_of(&held.log, &self.grants_below(space, target)),
        };
        closed.into_iter().map(close).collect()
    }
}

/// The last envelope of every chain that used one of these grants.
fn last_of(log: &SpaceLog, grants: &BTreeSet<EnvelopeId>) -> Vec<Cut> {
    let mut last: BTreeMap<Chain, (u64, EnvelopeId)> = BTreeMap::new();
    for entry in log.iter() {
        let header = entry.header();
        if grants.contains(&header.authority) {
            let here = (header.seq, entry.id());
            let reached = last.entry(header.chain).or_insert(here);
            *reached = (*reached).max(here);
        }
    }
    last.into_iter()
        .map(|(chain, (seq, id))| Cut { chain, seq, id })
        .collect()
}
