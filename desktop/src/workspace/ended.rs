//! Whose access to a System has ended, before its time or with it, for the trust pages.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync::replica::{AuditEntry, AuditEvent, HowEnded, REASON_LOST};
use aramaki_sync_core::admission::Verdict;
use aramaki_sync_core::statement::{Audience, GrantFlags};
use aramaki_sync_core::{EnvelopeId, SpaceId};

use super::live::Live;
use super::who::Who;
use crate::view::Ended;

/// A page shows the newest; `aramaki trust audit` says all.
const ENDED_SHOWN_MAX: usize = 20;

/// Grants whose time came and whose holders left with them: who holds something still, or lost it otherwise, has
/// not left then. An invitation's key is nobody.
fn left_by_time(entries: &[AuditEntry]) -> BTreeSet<EnvelopeId> {
    let granted = entries.iter().filter_map(|entry| match &entry.event {
        AuditEvent::Granted { grant, ended, .. } => Some((entry, grant, ended)),
        _ => None,
    });
    let mut stayed: BTreeSet<Audience> = BTreeSet::new();
    let mut left = Vec::new();
    for (entry, grant, ended) in granted {
        let by_time = ended.is_some_and(|it| it.how == HowEnded::Time);
        if !by_time && entry.verdict == Verdict::Admitted {
            stayed.insert(grant.audience);
        } else if by_time && !grant.flags.has(GrantFlags::INVITATION) {
            left.push((entry.id, grant.audience));
        }
    }
    left.retain(|(_grant, audience)| !stayed.contains(audience));
    left.into_iter().map(|(grant, _audience)| grant).collect()
}

impl Live {
    /// Whose access has ended in a System, newest first; nobody's, when that cannot be said. What time ended
    /// is left out of an invitation's key, and where the same key was given access anew.
    pub(super) async fn ended(&self, space: SpaceId, who: &Who) -> Vec<Ended> {
        let entries = match self.replica().audit(space).await {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(%error, space = %space.short(), "whose access was ended is not known");
                return Vec::new();
            }
        };
        let reasons = self.reasons(space, &entries);
        let grants: BTreeMap<EnvelopeId, Audience> = entries
            .iter()
            .filter_map(|entry| match &entry.event {
                AuditEvent::Granted { grant, .. } => Some((entry.id, grant.audience)),
                _ => None,
            })
            .collect();
        let name = |grant: &EnvelopeId| match grants.get(grant) {
            Some(Audience::Author(author)) => who.name(author),
            Some(Audience::ReadersOf(other)) => {
                self.space_title(*other).unwrap_or_else(|| other.short())
            }
            None => grant.short(),
        };
        let by_time = left_by_time(&entries);
        let mut shown: Vec<Ended> = entries
            .iter()
            .filter(|entry| matches!(entry.verdict, Verdict::Admitted | Verdict::Vouched))
            .filter_map(|entry| match &entry.event {
                AuditEvent::Revoked {
                    target,
                    reason,
                    ended,
                } if !ended.is_empty() => {
                    let others = ended.iter().filter(|it| *it != target).count();
                    Some(Ended {
                        name: name(target),
                        by: Some(who.name(&entry.by)),
                        at: entry.at,
                        was_lost: *reason == REASON_LOST,
                        reason: reasons.ended(*target).cloned().unwrap_or_default(),
                        others: u64::try_from(others).unwrap_or(u64::MAX),
                    })
                }
                AuditEvent::Expired if by_time.contains(&entry.id) => Some(Ended {
                    name: name(&entry.id),
                    by: None,
                    at: entry.at,
                    was_lost: false,
                    reason: String::new(),
                    others: 0,
                }),
                _ => None,
            })
            .collect();
        shown.sort_by(|a, b| (b.at, &a.name).cmp(&(a.at, &b.name)));
        shown.truncate(ENDED_SHOWN_MAX);
        shown
    }
}
