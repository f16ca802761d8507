//! Opening Systems in an emergency: with the sealed key in a folder that is thrown away, for a device that
//! goes on with keys of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_sync::replica::Opening;
use aramaki_sync_core::key::PublicKeys;
use aramaki_sync_core::statement::{Capability, GrantFlags};
use aramaki_sync_core::{SpaceId, Timestamp};

use super::emergency::EmergencyRow;
use super::fresh;
use super::profile::with_causes;
use super::recover::Recovering;
use crate::cli::{CliError, select};

/// A System that an emergency key opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedSystem {
    /// Which.
    pub(crate) space: SpaceId,
    /// What people call it.
    pub(crate) title: String,
    /// What the key lets do.
    pub(crate) capability: Capability,
    /// Until when it can be opened at all.
    pub(crate) end: Timestamp,
}

impl Recovering {
    /// The Systems that this key opens: all, or those that are named.
    ///
    /// # Errors
    /// When none is sealed to it, or one that is named is not among them.
    pub(crate) async fn sealed_systems(
        &self,
        wanted: &[String],
    ) -> Result<Vec<SealedSystem>, CliError> {
        let own = self.live().profile().device;
        let now = fresh::now();
        let mut systems = Vec::new();
        for space in self.live().spaces().await {
            let mut members = space.members.iter();
            let sealed = members.find(|it| {
                let is_emergency = it.flags.has(GrantFlags::BREAK_GLASS);
                it.author == own && is_emergency && it.is_live(now)
            });
            if let Some(sealed) = sealed {
                let title = self.live().title(space.id);
                systems.push(SealedSystem {
                    space: space.id,
                    title: title.unwrap_or_else(|| space.id.short()),
                    capability: sealed.capability,
                    end: sealed.end,
                });
            }
        }
        systems.sort_by(|a, b| (&a.title, a.space).cmp(&(&b.title, b.space)));
        if systems.is_empty() {
            return Err(CliError::Refused {
                what: "the emergency",
                reason:
                    "nobody who answered has a System that this key opens; its grant may have been \
                         ended"
                        .to_owned(),
            });
        }
        if wanted.is_empty() {
            return Ok(systems);
        }
        let mut named = BTreeSet::new();
        for wanted in wanted {
            let known = systems.iter().map(|it| (it.space, it.title.as_str()));
            named.insert(select(wanted, known)?);
        }
        systems.retain(|it| named.contains(&it.space));
        Ok(systems)
    }

    /// Emergencies in these Systems that others opened before.
    pub(crate) async fn others(&self) -> Vec<EmergencyRow> {
        self.live().emergencies_now().await
    }

    /// Says why, lets a device in, and waits until somebody else holds that: this folder goes. Returns
    /// until when.
    ///
    /// # Errors
    /// When the store refuses, or nobody takes it in time. Then doing all again is safe.
    pub(crate) async fn open(
        &self,
        systems: &[SealedSystem],
        device: PublicKeys,
        (reason, span): (&str, Duration),
    ) -> Result<Timestamp, CliError> {
        let mut until = fresh::now().plus(span);
        for system in systems {
            let opening = Opening {
                space: system.space,
                device,
                reason: reason.to_owned(),
                span,
            };
            let opened = self.live().replica().open_emergency(opening).await;
            let end = opened.map_err(|error| CliError::Refused {
                what: "the emergency",
                reason: with_causes(&error),
            })?;
            until = until.min(end);
        }
        let spaces = systems.iter().map(|it| it.space).collect();
        self.hand_over(&spaces).await?;
        Ok(until)
    }
}
