//! Why somebody has access, and why it ended: words in the System's document, because control statements
//! are read by relays too.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::{EditError, SystemEdit};
use aramaki_sync::replica::{AuditEntry, AuditEvent, SpaceSummary};
use aramaki_sync_core::statement::{Capability, Grant, GrantFlags};
use aramaki_sync_core::{EnvelopeId, SpaceId};

use super::live::Live;
use super::trust::{Invited, ShareRequest};

/// Why an agent may keep a System.
pub(super) const OF_AGENT: &str = "agent of this System";
/// Why a relay may.
const OF_RELAY: &str = "keeps this System";

/// Why access ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// Nobody said.
    #[default]
    None,
    /// The device was lost or stolen: everyone who forwards may know.
    Lost,
    /// In words, for those who read the System.
    Words(String),
}

impl EndReason {
    /// What somebody typed, or nothing.
    pub(super) fn in_words(words: &str) -> Self {
        match words.trim() {
            "" => Self::None,
            words => Self::Words(words.to_owned()),
        }
    }
}

/// What is said of a Space's grants, those that ended too.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    given: BTreeMap<EnvelopeId, String>,
    ended: BTreeMap<EnvelopeId, String>,
    invitations: BTreeSet<EnvelopeId>,
}

impl Reasons {
    /// Why a grant was given. A guest has the reason of their invitation.
    pub(super) fn given(&self, id: EnvelopeId, grant: &Grant) -> Option<&String> {
        let invitation = || {
            let parent = grant.parent.filter(|it| self.invitations.contains(it));
            self.given.get(&parent?)
        };
        self.given.get(&id).or_else(invitation)
    }

    /// Why it was ended.
    pub(super) fn ended(&self, id: EnvelopeId) -> Option<&String> {
        self.ended.get(&id)
    }
}

impl Live {
    /// Why the grants of an audit were given and ended.
    pub(super) fn reasons(&self, space: SpaceId, entries: &[AuditEntry]) -> Reasons {
        let model = self.model();
        let Some(system) = model.system(&space) else {
            return Reasons::default();
        };
        let invitations = entries.iter().filter_map(|entry| match &entry.event {
            AuditEvent::Granted { grant, .. } => {
                grant.flags.has(GrantFlags::INVITATION).then_some(entry.id)
            }
            _ => None,
        });
        Reasons {
            given: system.reasons.clone(),
            ended: system.revoked.clone(),
            invitations: invitations.collect(),
        }
    }

    /// Why the standing grants of a Space were given, as far as somebody said.
    pub(super) fn standing_reasons(&self, space: &SpaceSummary) -> BTreeMap<EnvelopeId, String> {
        let model = self.model();
        let Some(system) = model.system(&space.id) else {
            return BTreeMap::new();
        };
        let reasons = space.members.iter().filter_map(|member| {
            let invitation = || system.reasons.get(&member.guest_of?);
            let reason = system.reasons.get(&member.grant).or_else(invitation)?;
            Some((member.grant, reason.clone()))
        });
        reasons.collect()
    }

    /// Says whom an invitation is for and why. The code is made: that this cannot be written is no
    /// reason to lose it.
    pub(super) async fn say_of(&self, invited: &Invited, request: &ShareRequest) {
        let (name, reason) = (&request.name, &request.reason);
        if name.is_empty() && reason.is_empty() {
            return;
        }
        self.say_why(invited.space, |edit| {
            if !name.is_empty() {
                edit.put_person(invited.author, name)?;
            }
            if !reason.is_empty() {
                edit.put_reason(invited.grant, reason)?;
            }
            Ok(())
        })
        .await;
    }

    /// Says why grants were given that stand already.
    pub(super) async fn give_reason(&self, space: SpaceId, grants: &[EnvelopeId], reason: &str) {
        if grants.is_empty() || reason.is_empty() {
            return;
        }
        self.say_why(space, |edit| {
            let mut grants = grants.iter();
            grants.try_for_each(|grant| edit.put_reason(*grant, reason))
        })
        .await;
    }

    /// Says why grants were ended, where a System can be written.
    pub(super) async fn give_end_reason(
        &self,
        space: SpaceId,
        grants: &[EnvelopeId],
        reason: &str,
    ) {
        if grants.is_empty() || reason.is_empty() || !self.is_system(space) {
            return;
        }
        self.say_why(space, |edit| {
            let mut grants = grants.iter();
            grants.try_for_each(|grant| edit.put_revoked(*grant, reason))
        })
        .await;
    }

    /// Says of a System's relays what they are for, where nobody said anything.
    pub(super) async fn explain_relays(&self, space: SpaceId) {
        let Ok(summary) = self.replica().space(space).await else {
            return;
        };
        if summary.capability < Some(Capability::Write) || !self.is_system(space) {
            return;
        }
        let said = self.standing_reasons(&summary);
        let is_relay = |author| summary.relays.iter().any(|it| it.author == author);
        let members = summary.members.iter();
        let unexplained: Vec<_> = members
            .filter(|it| it.capability == Capability::Relay && is_relay(it.author))
            .map(|it| it.grant)
            .filter(|grant| !said.contains_key(grant))
            .collect();
        self.give_reason(space, &unexplained, OF_RELAY).await;
    }

    async fn say_why(
        &self,
        space: SpaceId,
        say: impl FnOnce(&mut SystemEdit<'_, '_>) -> Result<(), EditError>,
    ) {
        let said = self.edit(space, |model, chain, now| {
            model.edit_system(space, chain, now, say)
        });
        if let Err(error) = said.await {
            let error = error.message();
            tracing::warn!(error, "what was said of a grant was not written");
        }
    }
}
