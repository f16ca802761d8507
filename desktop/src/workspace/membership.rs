//! Who came and left, from the control statements of a System's Space to its timeline.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::{Membership, MembershipChange};
use aramaki_sync::replica::{AuditEntry, AuditEvent, HowEnded, REASON_LOST};
use aramaki_sync_core::statement::{Audience, Capability, Grant, GrantFlags};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};

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
    let Held {
        holders,
        sealed,
        codes,
    } = held(entries);
    let mut changes = Vec::new();
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
                let begins = entry.by.as_bytes() == space.as_bytes();
                let held = holders.get(&entry.id).filter(|_held| !begins);
                changes.extend(held.map(|held| change(held.who, given)));
            }
            AuditEvent::Opened { grant, reason } => {
                let opened = Membership::Opened {
                    reason: shown_reason(reason),
                };
                let counts = sealed.contains(grant) && entry.verdict.counts();
                changes.extend(counts.then(|| change(entry.by, opened)));
            }
            AuditEvent::Expired => {
                let held = holders.get(&entry.id);
                let held = held.filter(|it| !it.goes_on(&holders, entry.at));
                changes.extend(held.map(|held| MembershipChange {
                    by: None,
                    ..change(held.who, Membership::Expired)
                }));
            }
            AuditEvent::Revoked {
                target,
                reason,
                ended,
            } => {
                let whose = holders.get(target).map(|it| it.who);
                let ended = ended.iter().filter_map(|grant| holders.get(grant));
                let ended = ended.filter(|it| !it.goes_on(&holders, entry.at));
                let what = |held: &Holding| match held.keeps(&holders, entry.at) {
                    // What they were given beyond that ended.
                    Some(less) => Membership::Given {
                        may: less.may,
                        end: less.time.1,
                        by_code: false,
                    },
                    None => Membership::Ended {
                        target: *target,
                        reason: String::new(),
                        lost: *reason == REASON_LOST && whose == Some(held.who),
                    },
                };
                changes.extend(ended.map(|held| change(held.who, what(held))));
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

/// Who held what by which grant, and which grants are nobody's.
struct Held {
    holders: BTreeMap<EnvelopeId, Holding>,
    sealed: BTreeSet<EnvelopeId>,
    codes: BTreeSet<EnvelopeId>,
}

fn held(entries: &[AuditEntry]) -> Held {
    let mut holders: BTreeMap<EnvelopeId, Holding> = BTreeMap::new();
    let mut sealed: BTreeSet<EnvelopeId> = BTreeSet::new();
    let mut codes: BTreeSet<EnvelopeId> = BTreeSet::new();
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
        let Some(who) = reader(grant) else {
            continue;
        };
        // What never counted gave nobody anything, whoever wrote it; nor does a second grant to oneself.
        let stood = match ended.map(|it| it.how) {
            None => entry.verdict.counts(),
            Some(how) => how != HowEnded::NotStanding,
        };
        if who != entry.by && stood {
            let end = ended.map_or(grant.end, |ending| ending.at.min(grant.end));
            holders.insert(
                entry.id,
                Holding {
                    who,
                    may: grant.capability,
                    time: (entry.at, end),
                },
            );
        }
    }
    Held {
        holders,
        sealed,
        codes,
    }
}

/// What somebody held by one grant, from when it was given until it ended.
struct Holding {
    who: AuthorId,
    may: Capability,
    time: (Timestamp, Timestamp),
}

impl Holding {
    /// Whether its holder may do as much after a moment by another grant: a renewal, or what was given anew
    /// to whoever stays when a device above them was lost.
    fn goes_on(&self, holders: &BTreeMap<EnvelopeId, Self>, at: Timestamp) -> bool {
        self.keeps(holders, at).is_some_and(|it| it.may >= self.may)
    }

    /// The most that its holder may after a moment by other grants.
    fn keeps<'a>(
        &self,
        holders: &'a BTreeMap<EnvelopeId, Self>,
        at: Timestamp,
    ) -> Option<&'a Self> {
        let others = holders.values().filter(|other| {
            let (given, end) = other.time;
            other.who == self.who && given <= at && end > at
        });
        others.max_by_key(|it| (it.may, it.time.1))
    }
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
