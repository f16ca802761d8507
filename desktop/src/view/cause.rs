//! Why a System is as bad as it is, found once for each snapshot and not in every frame.

use aramaki_model::Snapshot;
use aramaki_model::root_cause::{RootCause, root_causes};
use aramaki_sync_core::{SpaceId, Timestamp};

/// The root causes of the System that was asked about last.
#[derive(Clone, Debug, Default)]
pub struct Causes {
    of: Option<(SpaceId, u64, Timestamp)>,
    found: Vec<RootCause>,
}

impl Causes {
    /// The ways to all that makes a System as bad as it is, the worst first.
    pub fn of(&mut self, snapshot: &Snapshot, system: SpaceId) -> &[RootCause] {
        let asked = Some((system, snapshot.version, snapshot.now));
        if self.of != asked {
            self.found = root_causes(snapshot, system);
            self.of = asked;
        }
        &self.found
    }
}
