//! Whose access to a System was ended before its time, for the trust page.

use std::collections::BTreeMap;

use aramaki_sync::replica::{AuditEvent, REASON_LOST};
use aramaki_sync_core::admission::Verdict;
use aramaki_sync_core::statement::Audience;
use aramaki_sync_core::{EnvelopeId, SpaceId};

use super::live::Live;
use super::who::Who;
use crate::view::Ended;

/// A page shows the newest; `aramaki trust audit` says all.
const ENDED_SHOWN_MAX: usize = 20;

impl Live {
    /// Whose access was ended in a System, newest first; nobody's, when that cannot be said.
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
                        by: who.name(&entry.by),
                        at: entry.at,
                        was_lost: *reason == REASON_LOST,
                        reason: reasons.ended(*target).cloned().unwrap_or_default(),
                        others: u64::try_from(others).unwrap_or(u64::MAX),
                    })
                }
                _ => None,
            })
            .collect();
        shown.sort_by(|a, b| (b.at, &a.name).cmp(&(a.at, &b.name)));
        shown.truncate(ENDED_SHOWN_MAX);
        shown
    }
}
