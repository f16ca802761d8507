//! The statement that ends a grant: what counts now stays, and what waits for somebody's word is not
//! accepted by it (TRUST §5).

use std::collections::BTreeSet;

use super::Engine;
use super::space::Space;
use crate::id::{Chain, EnvelopeId, SpaceId};
use crate::statement::{Cut, Statement};

impl Engine {
    /// The revocation of a grant and every grant below it. With `keeps` all stays that its holders wrote and
    /// that counts on this device; without, nothing. None when the Space is not here.
    pub fn revocation(
        &self,
        space: SpaceId,
        (target, keeps): (EnvelopeId, bool),
        reason: u8,
    ) -> Option<Statement> {
        let held = self.spaces.get(&space)?;
        let cuts = if keeps {
            cuts_of(held, &below(held, target))
        } else {
            Vec::new()
        };
        Some(Statement::Revoke {
            target,
            cuts,
            reason,
        })
    }

    /// A grant and all below it.
    pub fn grants_below(&self, space: SpaceId, target: EnvelopeId) -> BTreeSet<EnvelopeId> {
        let held = self.spaces.get(&space);
        held.map_or_else(BTreeSet::new, |held| below(held, target))
    }

    /// The last that counts of every chain that used one of these grants.
    pub fn counting(&self, space: SpaceId, grants: &BTreeSet<EnvelopeId>) -> Vec<Cut> {
        let held = self.spaces.get(&space);
        held.map_or_else(Vec::new, |held| cuts_of(held, grants))
    }
}

fn below(held: &Space, target: EnvelopeId) -> BTreeSet<EnvelopeId> {
    let mut below = BTreeSet::from([target]);
    loop {
        let found: Vec<EnvelopeId> = held
            .log
            .control()
            .filter_map(|(entry, statement)| match statement {
                Statement::Grant(grant) => Some((entry.id(), grant.parent?)),
                _ => None,
            })
            .filter(|(id, parent)| below.contains(parent) && !below.contains(id))
            .map(|(id, _parent)| id)
            .collect();
        if found.is_empty() {
            return below;
        }
        below.extend(found);
    }
}

/// What waits is not named: a cut above it would accept it.
fn cuts_of(held: &Space, grants: &BTreeSet<EnvelopeId>) -> Vec<Cut> {
    let (log, evaluation) = (&held.log, &held.evaluation);
    let used: BTreeSet<Chain> = log
        .iter()
        .filter(|entry| grants.contains(&entry.header().authority))
        .map(|entry| entry.header().chain)
        .collect();
    let last = |chain: &Chain| {
        let branches = log.branch_heads(*chain).filter_map(|(head, id)| {
            let places = (1..=head).rev();
            let mut below = places.filter_map(|seq| Some((seq, log.below(id, seq)?)));
            below.find(|(_seq, id)| evaluation.verdict(*id).counts())
        });
        branches.max()
    };
    used.iter()
        .filter_map(|chain| {
            let (seq, id) = last(chain)?;
            let chain = *chain;
            Some(Cut { chain, seq, id })
        })
        .collect()
}
