//! Keys for readers who came after them.
//!
//! Whoever lets somebody in hands over the keys at once, and whoever writes does before. Neither may come soon: a
//! key may be made by somebody who had not heard of a reader, or be learned after its holder let one in. So
//! whoever reads gives what a reader lacks a while later: administrators first, then who writes, then the others,
//! each at a time of its own, so that one statement is made where one suffices.

use std::time::Duration;

use super::Engine;
use crate::id::SpaceId;
use crate::statement::Capability;
use crate::time::Timestamp;

/// An administrator waits at least for so long, and at most for twice as long.
const ADMINISTRATOR_WAITS_MS: u64 = 1_000;
/// The same of who writes, and of who reads.
const WRITER_WAITS_MS: u64 = 15_000;
const READER_WAITS_MS: u64 = 60_000;

impl Engine {
    /// Sets the time at which readers of a Space are looked for that lack a key, if any may have come.
    pub(super) fn plan_hand_over(&mut self, space: SpaceId) {
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        if !held.share_due || held.next_hand_over.is_some() {
            return;
        }
        let wait_ms = match held.evaluation.capability(self.author, self.now) {
            Some(Capability::Administer) => ADMINISTRATOR_WAITS_MS,
            Some(may) if may >= Capability::Write => WRITER_WAITS_MS,
            Some(may) if may >= Capability::Read => READER_WAITS_MS,
            _ => return,
        };
        let wait = Duration::from_millis(wait_ms + self.entropy.next_u64() % wait_ms);
        if let Some(held) = self.spaces.get_mut(&space) {
            held.next_hand_over = Some(self.now.plus(wait));
        }
    }

    /// Gives readers the keys that they lack where that is due.
    pub(super) fn hand_over_due(&mut self) {
        let due = self.spaces.iter();
        let due = due.filter(|(_, held)| held.next_hand_over.is_some_and(|it| it <= self.now));
        let due: Vec<SpaceId> = due.map(|(space, _)| *space).collect();
        for space in due {
            if let Some(held) = self.spaces.get_mut(&space) {
                held.next_hand_over = None;
            }
            self.share_soon(space);
        }
    }

    /// Whether somebody reads a Space who lacks a key that is here.
    pub fn keys_are_lacking(&self, space: SpaceId) -> bool {
        self.spaces.get(&space).is_some_and(|held| {
            let (log, evaluation) = (&held.log, &held.evaluation);
            held.keyring.is_lacking(log, evaluation, self.now)
        })
    }

    pub(super) fn next_hand_over(&self) -> Option<Timestamp> {
        let spaces = self.spaces.values();
        spaces.filter_map(|it| it.next_hand_over).min()
    }
}
