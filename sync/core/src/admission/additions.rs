//! Control that can only add, taken in without evaluating the rest anew.
//!
//! Most statements change nothing that was said before: what they name is there, and no verdict waits
//! for them. Whatever may take away or wait (a close, a revocation that leaves not all, a fork, a grant
//! that others name already) is left to the whole evaluation, so this is a shortcut and never a second set of rules.

use std::collections::BTreeSet;

use super::control::Control;
use super::entry::Entry;
use super::log::SpaceLog;
use super::verdict::{Held, Verdict};
use crate::id::{Chain, EnvelopeId};
use crate::statement::Statement;
use crate::time::Timestamp;

/// What earlier verdicts still wait for.
///
/// **Invariant:** a statement that is not named here changes no verdict by merely being added.
#[derive(Clone, Debug, Default)]
pub(super) struct Awaited {
    /// What entries without their grant name as one.
    grants: BTreeSet<EnvelopeId>,
    /// Chains of what came too late, unless a witness saw it earlier.
    tardy: BTreeSet<Chain>,
}

impl Awaited {
    /// Whether something in a chain waits for a witness who saw it earlier.
    pub(super) fn is_tardy(&self, chain: Chain) -> bool {
        self.tardy.contains(&chain)
    }

    /// Remembers what a verdict waits for.
    pub(super) fn note(&mut self, entry: &Entry, own: Verdict) {
        match own {
            Verdict::Held(Held::GrantMissing) => {
                self.grants.insert(entry.header.authority);
                self.grants
                    .extend(entry.statement.as_ref().and_then(named_grant));
            }
            Verdict::Held(Held::Expired | Held::Redeemed | Held::RedeemedLate) => {
                self.tardy.insert(entry.header.chain);
            }
            _ => {}
        }
    }
}

fn named_grant(statement: &Statement) -> Option<EnvelopeId> {
    match statement {
        Statement::Grant(grant) => grant.parent,
        Statement::Revoke { target, .. } | Statement::Close { target, .. } => Some(*target),
        _ => None,
    }
}

impl Control {
    /// Takes in control statements. False when they may change what was judged before; control is
    /// then evaluated as a whole. Only for logs without forks, where each branch is the only one.
    pub(super) fn add(
        &mut self,
        log: &SpaceLog,
        arrived: &[&Entry],
        awaited: &mut Awaited,
        now: Timestamp,
    ) -> bool {
        // What arrives at once may come in any order: all grants first, from the root downwards.
        if arrived.iter().any(|it| awaited.grants.contains(&it.id)) {
            return false;
        }
        let mut grants = Vec::new();
        for entry in arrived {
            if let Some(Statement::Grant(grant)) = &entry.statement {
                grants.push((self.root_grant(log, entry.id), *entry, grant));
            }
        }
        grants.sort_by_key(|(depth, _entry, _grant)| *depth);
        for (_depth, entry, grant) in grants {
            self.stand_grant(log, entry.id, now);
            awaited.note(entry, self.standing(entry.id));
            if self.standing(entry.id) == Verdict::Admitted && self.is_contended(log, entry, grant)
            {
                return false;
            }
        }
        arrived
            .iter()
            .all(|entry| self.add_other(log, entry, awaited, now))
    }

    fn add_other(
        &mut self,
        log: &SpaceLog,
        entry: &Entry,
        awaited: &mut Awaited,
        now: Timestamp,
    ) -> bool {
        match &entry.statement {
            None | Some(Statement::Close { .. }) => return false,
            Some(Statement::Revoke { target, cuts, .. }) => {
                if !self.add_revocation(log, entry, (*target, cuts), (awaited, now)) {
                    return false;
                }
                self.testified.insert(entry.header.authority);
            }
            Some(Statement::Receipt { cuts, .. }) => {
                // Its earlier times may bring in what came late, or who redeemed first.
                let matters = cuts.iter().any(|cut| {
                    awaited.tardy.contains(&cut.chain) || self.sent_away.contains(&cut.chain.author)
                });
                if matters || self.has_late_claims() {
                    return false;
                }
                self.testified.insert(entry.header.authority);
                self.add_receipt(log, entry, now);
            }
            Some(_) => {}
        }
        true
    }
}
