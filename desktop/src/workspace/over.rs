//! Devices whose access is over: each was let in once, and may be named still.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync::replica::{AuditEntry, AuditEvent, HowEnded, REASON_LOST, SpaceSummary};
use aramaki_sync_core::statement::Audience;
use aramaki_sync_core::{AuthorId, EnvelopeId, Timestamp};

use super::live::Live;
use super::profile::with_causes;
use crate::cli::CliError;

/// How the access of a device came to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over {
    /// Since when, by the clock of whoever ended the last of it.
    pub(crate) since: Timestamp,
    /// Whether somebody said that the device was lost.
    pub(crate) was_lost: bool,
}

/// Every key that was ever let in, and what it lost last, if it lost anything.
#[derive(Clone, Debug, Default)]
pub(super) struct Ever(BTreeMap<AuthorId, Option<Over>>);

impl Ever {
    /// The keys.
    pub(super) fn keys(&self) -> BTreeSet<AuthorId> {
        self.0.keys().copied().collect()
    }

    /// What a key lost last.
    pub(super) fn over(&self, author: AuthorId) -> Option<Over> {
        self.0.get(&author).copied().flatten()
    }

    fn add(&mut self, entries: &[AuditEntry]) {
        let mut holders: BTreeMap<EnvelopeId, AuthorId> = BTreeMap::new();
        for entry in entries {
            let AuditEvent::Granted { grant, ended, .. } = &entry.event else {
                continue;
            };
            let Audience::Author(author) = grant.audience else {
                continue;
            };
            holders.insert(entry.id, author);
            let over = self.0.entry(author).or_default();
            if let Some(ended) = ended.filter(|it| it.how != HowEnded::NotStanding) {
                let known = over.map_or(ended.at, |it| it.since.max(ended.at));
                let was_lost = over.is_some_and(|it| it.was_lost);
                *over = Some(Over {
                    since: known,
                    was_lost,
                });
            }
        }
        for entry in entries {
            let AuditEvent::Revoked { target, reason, .. } = &entry.event else {
                continue;
            };
            let whose = holders.get(target).filter(|_it| entry.verdict.counts());
            if let (Some(author), REASON_LOST) = (whose, *reason)
                && let Some(Some(over)) = self.0.get_mut(author)
            {
                over.was_lost = true;
            }
        }
    }
}

impl Live {
    /// Every key that was ever let into these Spaces: a device may have been ended before all was done.
    ///
    /// # Errors
    /// When one of them is not here.
    pub(super) async fn ever(&self, spaces: &[SpaceSummary]) -> Result<Ever, CliError> {
        let mut ever = Ever::default();
        for space in spaces {
            let told = self.replica().audit(space.id).await;
            let told = told.map_err(|error| CliError::Refused {
                what: "the change of trust",
                reason: with_causes(&error),
            })?;
            ever.add(&told);
        }
        let members = spaces.iter().flat_map(|it| &it.members);
        for member in members {
            ever.0.entry(member.author).or_default();
        }
        Ok(ever)
    }
}
