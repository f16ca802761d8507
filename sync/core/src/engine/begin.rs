//! Grants that begin later: when their time comes, their holders are offered the Space and get its keys.

use super::Engine;
use super::io::Event;
use crate::id::SpaceId;
use crate::statement::Capability;

impl Engine {
    /// Sets the time at which the next grant of a Space begins.
    pub(super) fn plan_begin(&mut self, space: SpaceId) {
        let now = self.now;
        if let Some(held) = self.spaces.get_mut(&space) {
            let members = held.evaluation.members().iter();
            let later = members.map(|it| it.not_before).filter(|begin| *begin > now);
            held.next_begin = later.min();
        }
    }

    /// Lets in whose time has come. An administrator who is there hands them the keys at once; else
    /// whoever writes next does.
    pub(super) fn begin_due(&mut self) {
        let due = self.spaces.iter();
        let due = due.filter(|(_space, held)| held.next_begin.is_some_and(|it| it <= self.now));
        let due: Vec<SpaceId> = due.map(|(space, _held)| *space).collect();
        for space in due {
            let (author, now) = (self.author, self.now);
            let Some(held) = self.spaces.get_mut(&space) else {
                continue;
            };
            held.share_due = true;
            let administers =
                held.evaluation.capability(author, now) == Some(Capability::Administer);
            if administers {
                self.share_soon(space);
            }
            self.emit(Event::SpaceChanged { space });
            self.redeem_if_due(space);
            self.offer_to_newcomers(space);
            self.plan_begin(space);
        }
    }
}
