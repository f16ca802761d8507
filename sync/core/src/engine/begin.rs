//! Grants that begin later: when their time comes, their holders are offered the Space and get its keys.

use super::Engine;
use super::io::Event;
use super::space::Space;
use crate::id::SpaceId;
use crate::statement::Capability;
use crate::time::Timestamp;

impl Engine {
    /// Sets the time at which the next grant of a Space begins: at once, if one has begun while no
    /// administrator was there to hand over the keys, and this is one.
    pub(super) fn plan_begin(&mut self, space: SpaceId) {
        let (author, now) = (self.author, self.now);
        if let Some(held) = self.spaces.get_mut(&space) {
            let may = held.evaluation.capability(author, now);
            held.next_begin = if may == Some(Capability::Administer) && has_begun(held, now) {
                Some(now)
            } else {
                next_begin(held, now)
            };
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
            // Not looked for again before something changes: what is handed over is on its way.
            held.next_begin = next_begin(held, now);
            let administers =
                held.evaluation.capability(author, now) == Some(Capability::Administer);
            if administers {
                self.share_soon(space);
            }
            self.emit(Event::SpaceChanged { space });
            self.redeem_if_due(space);
            self.offer_to_newcomers(space);
        }
    }
}

fn next_begin(held: &Space, now: Timestamp) -> Option<Timestamp> {
    let members = held.evaluation.members().iter();
    let later = members.map(|it| it.not_before).filter(|begin| *begin > now);
    later.min()
}

/// Whether somebody whose grant was to begin later reads now and has no key yet.
fn has_begun(held: &Space, now: Timestamp) -> bool {
    let given_before = |grant| {
        let entry = held.log.get(grant);
        entry.map(|entry| entry.header().time)
    };
    let members = held.evaluation.members().iter();
    let mut begun = members.filter(|it| {
        it.reads(now) && given_before(it.grant).is_some_and(|given| given < it.not_before)
    });
    begun.any(|it| held.keyring.lacks(&held.log, &held.evaluation, it.author))
}
