//! Invitations that were accepted while nobody could be reached: kept, listed, and given up.

use aramaki_sync::replica::{ReplicaError, Spent};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{SpaceId, Timestamp};

use super::fresh;
use super::live::Live;
use super::profile::with_causes;
use crate::cli::{CliError, select};

/// A System that comes as soon as somebody who has it can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Awaiting {
    /// Which Space.
    pub(crate) space: SpaceId,
    /// Since when.
    pub(crate) since: Timestamp,
    /// What its invitation allows.
    pub(crate) capability: Capability,
    /// From when on that can be used; none: since it was made.
    pub(crate) begin: Option<Timestamp>,
    /// Until when that can be used.
    pub(crate) redeem_until: Timestamp,
    /// Why it lets nobody in any more, if that is known.
    pub(crate) spent: Option<Spent>,
}

impl Awaiting {
    /// Whether the invitation can still be used.
    pub(crate) fn is_live(&self) -> bool {
        fresh::now() < self.redeem_until
    }

    /// When the invitation begins, if that is yet to come.
    pub(crate) fn begins(&self) -> Option<Timestamp> {
        self.begin.filter(|begin| *begin > fresh::now())
    }
}

impl Live {
    /// What is waited for, oldest first.
    pub(crate) async fn awaiting(&self) -> Vec<Awaiting> {
        let awaited = self.replica().awaited().await;
        let awaited = awaited.unwrap_or_else(|error| {
            // Whoever looks on while the program ends loses nothing.
            if !matches!(error, ReplicaError::Closed) {
                tracing::error!(%error, "the replica does not answer");
            }
            Vec::new()
        });
        let awaited = awaited.into_iter().map(|(space, it, spent)| Awaiting {
            space,
            since: it.since,
            capability: it.capability,
            begin: it.begin,
            redeem_until: it.redeem_until,
            spent,
        });
        awaited.collect()
    }

    /// Waits no more for a System.
    ///
    /// # Errors
    /// When it is not awaited.
    pub(crate) async fn cancel(&self, wanted: &str) -> Result<Awaiting, CliError> {
        let awaited = self.awaiting().await;
        let space = select(wanted, awaited.iter().map(|it| (it.space, "")))?;
        let found = awaited.into_iter().find(|it| it.space == space);
        let found = found.ok_or_else(|| CliError::NoSuchSystem {
            wanted: wanted.to_owned(),
            similar: Vec::new(),
        })?;
        let forgotten = self.replica().forget(space).await;
        forgotten.map_err(|error| CliError::Refused {
            what: "giving up the invitation",
            reason: with_causes(&error),
        })?;
        self.tell_changed();
        Ok(found)
    }
}
