//! Who came and left, from the control statements of a System's Space to its timeline.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::{Membership, MembershipChange};
use aramaki_sync::replica::{AuditEntry, AuditEvent};
use aramaki_sync_core::statement::{Audience, Capability, Grant, GrantFlags};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId};

use super::emergency::shown_reason;
use super::live::Live;

impl Live {
    /// Puts who came and left on a System's timeline.
    pub(super) async fn follow_members(&self, space: SpaceId) {
        if !self.is_system(space) {
            return;
        }
        match self.replica().audit(space).await {
            Ok(entries) => self.model().set_membership(space, changes(space, &entries)),
            Err(error) => tracing::debug!(%error, %space, "who came and left cannot be read"),
        }
    }
}

/// What is worth a line: people and agents who were let in, and whose access ended. A Space's own
/// beginning, codes that nobody used yet, and relays, which read nothing, are left to the audit.
fn changes(space: SpaceId, entries: &[AuditEntry]) -> Vec<MembershipChange> {
    let mut holders: BTreeMap<EnvelopeId, AuthorId> = BTreeMap::new();
    let mut sealed: BTreeSet<EnvelopeId> = BTreeSet::new();
    let mut codes: BTreeSet<EnvelopeId> = BTreeSet::new();
    let mut changes = Vec::new();
    for entry in entries {
        let AuditEvent::Granted { grant, ended, .. } = &entry.event else {
            continue;
        };
        if grant.flags.has(GrantFlags::BREAK_GLASS) {
            sealed.insert(entry.id);
        }
        if grant.flags.has(GrantFlags::INVITATION) {
            codes.insert(entry.id);
        }
        let begins = entry.by.as_bytes() == space.as_bytes();
        let (Some(who), false) = (reader(grant), begins) else {
            continue;
        };
        if entry.verdict.counts() || ended.is_some() {
            holders.insert(entry.id, who);
        }
    }
    let mut forked = BTreeSet::new();
    for entry in entries {
        let change = |who: AuthorId, what| MembershipChange {
            at: entry.at,
            statement: entry.id,
            by: Some(entry.by),
            who,
            what,
        };
        match &entry.event {
            AuditEvent::Granted { grant, .. } => {
                let given = Membership::Given {
                    may: grant.capability,
                    end: grant.end,
                    by_code: grant.parent.is_some_and(|parent| codes.contains(&parent)),
                };
                let who = holders.get(&entry.id);
                changes.extend(who.map(|who| change(*who, given)));
            }
            AuditEvent::Opened { grant, reason } => {
                let opened = Membership::Opened {
                    reason: shown_reason(reason),
                };
                let counts = sealed.contains(grant) && entry.verdict.counts();
                changes.extend(counts.then(|| change(entry.by, opened)));
            }
            AuditEvent::Expired => {
                let who = holders.get(&entry.id);
                changes.extend(who.map(|who| MembershipChange {
                    by: None,
                    ..change(*who, Membership::Expired)
                }));
            }
            AuditEvent::Revoked { target, ended, .. } => {
                let ended = ended.iter().filter_map(|grant| holders.get(grant));
                let what = || Membership::Ended {
                    target: *target,
                    reason: String::new(),
                };
                changes.extend(ended.map(|who| change(*who, what())));
            }
            // Of several proofs of one chain the first is told.
            AuditEvent::Forked { chain, .. } if forked.insert(*chain) => {
                changes.push(change(chain.author, Membership::TwoHistories));
            }
            _ => {}
        }
    }
    changes
}

fn reader(grant: &Grant) -> Option<AuthorId> {
    let reads = grant.capability >= Capability::Read;
    match grant.audience {
        Audience::Author(who) if reads && !grant.flags.has(GrantFlags::INVITATION) => {
            // A key that lies in an envelope is nobody yet.
            (!grant.flags.has(GrantFlags::BREAK_GLASS)).then_some(who)
        }
        _ => None,
    }
}
