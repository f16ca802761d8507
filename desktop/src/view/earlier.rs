//! Timelines further back than a snapshot holds them, for whoever asks.

use std::sync::Arc;

use aramaki_model::{Snapshot, TimelineReach};
use aramaki_sync_core::{SpaceId, Timestamp};

/// What was read when somebody looked further back.
#[derive(Clone, Debug, PartialEq)]
pub struct Earlier {
    /// Of which System and its parts; of all without one.
    pub system: Option<SpaceId>,
    /// How far.
    pub reach: TimelineReach,
    /// As it was then; its timeline is of those Systems alone.
    pub snapshot: Arc<Snapshot>,
}

impl Earlier {
    /// Whether it has all that happened to all Systems since then.
    pub fn covers(&self, from: Timestamp) -> bool {
        self.system.is_none() && self.reach.from <= from
    }

    /// Whether there may be entries before its first.
    pub fn is_full(&self) -> bool {
        self.snapshot.timeline.len() >= self.reach.items_max
    }
}
