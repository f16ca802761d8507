//! Deleting sealed bodies that a snapshot on this disk holds.

use aramaki_sync_core::SpaceId;
use aramaki_sync_core::engine::Input;

use super::{Replica, ReplicaError, blocking};

/// What [`Replica::compact`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Snapshots that were opened and checked.
    pub snapshots: u64,
    /// Sealed bodies that were deleted.
    pub bodies: u64,
}

impl Replica {
    /// Deletes sealed bodies of a Space that an admitted snapshot on this disk holds in plain form and
    /// that a relay is known to hold sealed, so that whoever comes later is given them by somebody.
    ///
    /// Each snapshot is read from the disk, opened, and each body in it checked against its own
    /// envelope; its bodies are deleted in one transaction that fails if the snapshot's is not there.
    /// What is read, rebuilt, verified and backed up afterwards is the same as before.
    ///
    /// # Errors
    /// When the Space is not here or the store fails; what was deleted before that is held all the same.
    pub async fn compact(&self, space: SpaceId) -> Result<Compacted, ReplicaError> {
        let snapshots = self
            .inspect(move |engine| engine.log(space).map(|_log| engine.snapshots(space)))
            .await?
            .ok_or(ReplicaError::UnknownSpace(space))?;
        let mut done = Compacted::default();
        for by in snapshots {
            let store = self.store()?;
            let rows = blocking(move || store.envelopes(&[by])).await??;
            let Some(Ok(snapshot)) = rows.into_iter().next().map(crate::store::StoredRow::recall)
            else {
                tracing::error!(snapshot = %by.short(), "a stored snapshot is damaged");
                continue;
            };
            let droppable = self
                .inspect(move |engine| engine.droppable(space, &snapshot))
                .await?;
            let ids = match droppable {
                Ok(ids) => ids,
                Err(cause) => {
                    tracing::warn!(snapshot = %by.short(), %cause, "nothing is deleted for it");
                    continue;
                }
            };
            done.snapshots += 1;
            if ids.is_empty() {
                continue;
            }
            done.bodies += u64::try_from(ids.len()).unwrap_or(u64::MAX);
            self.ask(move |write| Input::Cover {
                write,
                space,
                by,
                ids,
            })
            .await?;
        }
        Ok(done)
    }

    /// Gives room that deleted bodies left in the store back to the disk; says how many bytes.
    ///
    /// # Errors
    /// When the store fails; nothing is lost.
    pub async fn shrink(&self) -> Result<u64, ReplicaError> {
        let store = self.store()?;
        let freed = blocking(move || {
            let before = store.len_bytes()?;
            store.shrink()?;
            Ok(before.saturating_sub(store.len_bytes()?))
        })
        .await?;
        freed.map_err(ReplicaError::Store)
    }
}
