//! Deleting what snapshots hold.

use aramaki_sync_core::SpaceId;

use super::live::Live;
use super::profile::store_error;
use crate::cli::CliError;

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Compaction {
    /// Spaces that were looked at.
    pub(crate) spaces: usize,
    /// Snapshots that were opened and checked.
    pub(crate) snapshots: u64,
    /// Sealed bodies that were deleted.
    pub(crate) bodies: u64,
    /// By how many bytes the store became shorter.
    pub(crate) bytes: u64,
}

impl Live {
    /// Deletes sealed bodies that verified snapshots hold, of a System and its agents or of everything. A
    /// store with damage is left as it is: what is there may be the last of it.
    ///
    /// # Errors
    /// When the store is damaged or fails.
    pub(crate) async fn compact(&self, system: Option<SpaceId>) -> Result<Compaction, CliError> {
        self.flush().await;
        let verified = self.verify().await?;
        if !verified.faults.is_empty() {
            return Err(CliError::Verify {
                count: verified.faults.len(),
                faults: verified.faults,
            });
        }
        let failed = |error| store_error(&self.shared.data, &error);
        let spaces = match system {
            Some(system) => [vec![system], self.agents_of(system)].concat(),
            None => self.spaces().await.iter().map(|it| it.id).collect(),
        };
        let mut done = Compaction::default();
        for space in spaces {
            let compacted = match self.replica().compact(space).await {
                // An agent that was never heard of here.
                Err(aramaki_sync::replica::ReplicaError::UnknownSpace(_)) => continue,
                compacted => compacted.map_err(failed)?,
            };
            done.spaces += 1;
            done.snapshots += compacted.snapshots;
            done.bodies += compacted.bodies;
        }
        if done.bodies > 0 {
            done.bytes = self.replica().shrink().await.map_err(failed)?;
        }
        Ok(done)
    }
}
