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
    /// Whether it has all that happened to all Systems in a time: what came after it was read is not in it.
    pub fn covers(&self, from: Timestamp, until: Timestamp) -> bool {
        let is_read = self.reach.from <= from && until <= self.snapshot.now;
        self.system.is_none() && is_read && !self.is_full()
    }

    /// Whether there may be entries before its first.
    pub fn is_full(&self) -> bool {
        self.snapshot.timeline.len() >= self.reach.items_max
    }
}

#[cfg(test)]
mod tests {
    use aramaki_model::Workspace;

    use super::*;

    #[test]
    fn what_was_read_before_something_happened_does_not_have_it() {
        let at = Timestamp::from_millis;
        let earlier = Earlier {
            system: None,
            reach: TimelineReach::since(at(100)),
            snapshot: Arc::new(Workspace::new().view(at(500))),
        };
        assert!(earlier.covers(at(100), at(500)));
        assert!(!earlier.covers(at(99), at(500)));
        assert!(!earlier.covers(at(100), at(501)));
        let of_one = Earlier {
            system: Some(SpaceId::ZERO),
            ..earlier
        };
        assert!(!of_one.covers(at(100), at(500)));
    }
}
