//! After something became durable: verdicts, keys, events, announcements.

use std::collections::BTreeSet;

use super::draft::New;
use super::io::{Admitted, Event};
use super::queue::Work;
use super::snapshots::Changed;
use super::space::Space;
use super::{Engine, Mutant};
use crate::admission::{Outsiders, Refreshed};
use crate::envelope::Envelope;
use crate::id::SpaceId;
use crate::key::{DeviceKeys, PublicKeys};
use crate::statement::{Audience, Capability, Kind, Statement};

impl Engine {
    /// Draws the consequences in every Space that was touched, and in those that look at them.
    pub(super) fn settle(&mut self, touched: &BTreeSet<SpaceId>, new: &New) {
        for space in touched {
            let (refreshed, learned) = self.refresh(*space);
            let control = refreshed.control;
            self.tell(*space, &refreshed, learned, new);
            self.see_who_lacks_keys(*space, &refreshed);
            let verdicts = control || !refreshed.withdrawn.is_empty() || {
                let held = self.spaces.get(space);
                refreshed.admitted.iter().any(|id| {
                    let entry = held.and_then(|held| held.log.get(*id));
                    entry.is_some_and(|entry| entry.header().kind == Kind::Snapshot)
                })
            };
            let keys = learned;
            self.follow_snapshots(*space, Changed { verdicts, keys });
            if control {
                self.control_changed(*space, new);
            }
            self.plan_receipt(*space, new);
            self.plan_proof(*space);
            self.plan_hand_over(*space);
            self.announce(*space, new);
        }
    }

    /// Somebody may lack a key: a reader or an epoch counts only now, or what counts is sealed under an epoch
    /// that does not, and is read by who has its key already.
    fn see_who_lacks_keys(&mut self, space: SpaceId, refreshed: &Refreshed) {
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let epochs = held.evaluation.epochs();
        let lacks = refreshed.admitted.iter().any(|id| {
            held.log
                .get(*id)
                .is_some_and(|entry| match entry.statement() {
                    Some(Statement::Grant(_) | Statement::Epoch(_)) => true,
                    Some(_) => false,
                    None => epochs.iter().all(|it| it.id != entry.header().epoch),
                })
        });
        held.share_due |= lacks || !refreshed.withdrawn.is_empty();
    }

    fn control_changed(&mut self, space: SpaceId, new: &New) {
        self.emit(Event::SpaceChanged { space });
        self.redeem_if_due(space);
        let mine = self.author;
        let invitation = self
            .spaces
            .get(&space)
            .and_then(|held| Some(held.invitation.as_ref()?.author()));
        let let_in = new.values().any(|envelope| {
            let author = envelope.header().chain.author;
            envelope.header().space == space
                && super::space::granted_by(envelope).is_some()
                && (author == mine || Some(author) == invitation)
        });
        if let_in {
            self.share_soon(space);
        }
        let anew = new.values().any(|envelope| {
            envelope.header().space == space && super::space::granted_by(envelope) == Some(mine)
        });
        if anew {
            self.let_in_anew(space);
        }
        self.reject_if_unfit(space);
        self.offer_to_newcomers(space);
        self.tell_all_ended(space);
        self.plan_close(space);
        self.plan_begin(space);
        let looking: Vec<_> = self
            .spaces
            .iter()
            .filter(|(other, held)| {
                **other != space
                    && held
                        .evaluation
                        .audiences()
                        .iter()
                        .any(|audience| audience.space == space)
            })
            .map(|(other, _held)| *other)
            .collect();
        for other in looking {
            self.look_outside(other);
            self.offer_to_newcomers(other);
        }
    }

    /// Says that the newest epoch is unfit if this device can prove it and reads here.
    fn reject_if_unfit(&mut self, space: SpaceId) {
        let (author, now) = (self.author, self.now);
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let reads = held.evaluation.capability(author, now) >= Some(Capability::Read);
        let unfit = held.keyring.rejection(&held.log, &held.evaluation, author);
        let Some(statement) = unfit.filter(|_statement| reads) else {
            return;
        };
        let newest = held.evaluation.epochs().first().map(|epoch| epoch.id);
        if held.rejected == newest {
            return;
        }
        held.rejected = newest;
        self.queue.push(Work::Control {
            write: None,
            space,
            statement,
        });
    }

    /// Lets this device in by the invitation that it holds, once: also when it is a member by another
    /// grant, which may be one that ended elsewhere.
    pub(super) fn redeem_if_due(&mut self, space: SpaceId) {
        let own = self.keys.public();
        if let Some(held) = self.spaces.get_mut(&space)
            && let Some(invitation) = &held.invitation
            && !held.redeemed
        {
            held.redeemed = redeemed_by(held, invitation, &own);
            if !held.redeemed {
                self.queue.push(Work::Redeem { space });
            }
        }
    }

    /// Judges a Space anew after another one changed, at which its grants look.
    pub(super) fn look_outside(&mut self, space: SpaceId) {
        let outsiders = self.outsiders(space);
        if let Some(held) = self.spaces.get_mut(&space) {
            held.outsiders = outsiders;
        }
        let (refreshed, learned) = self.refresh(space);
        let learned = learned | self.learn(space);
        self.tell(space, &refreshed, learned, &New::new());
    }

    fn outsiders(&self, space: SpaceId) -> Outsiders {
        let Some(held) = self.spaces.get(&space) else {
            return Outsiders::none();
        };
        let known = held.evaluation.audiences().iter().filter_map(|audience| {
            let other = self.spaces.get(&audience.space)?;
            Some((audience.space, other.evaluation.outside()))
        });
        Outsiders(known.collect())
    }

    /// Follows a log that grew. Also says whether keys were learned.
    pub(super) fn refresh(&mut self, space: SpaceId) -> (Refreshed, bool) {
        let now = self.now;
        let Some(held) = self.spaces.get_mut(&space) else {
            return (Refreshed::default(), false);
        };
        let mut refreshed = held.evaluation.refresh(&held.log, &held.outsiders, now);
        let mut learned = false;
        if refreshed.control {
            let outsiders = self.outsiders(space);
            if let Some(held) = self.spaces.get_mut(&space)
                && held.outsiders != outsiders
            {
                held.outsiders = outsiders;
                let again = held.evaluation.refresh(&held.log, &held.outsiders, now);
                refreshed.admitted.extend(again.admitted);
                refreshed.withdrawn.extend(again.withdrawn);
            }
            learned = self.learn(space);
        }
        self.leave_chain_if_over(space);
        if let Some(then) = self
            .spaces
            .get(&space)
            .and_then(|held| held.evaluation.next_change())
        {
            let soonest = self
                .next_evaluation
                .map_or(then, |soonest| soonest.min(then));
            self.next_evaluation = Some(soonest);
        }
        (refreshed, learned)
    }

    /// Opens the epoch keys that this device can.
    pub(super) fn learn(&mut self, space: SpaceId) -> bool {
        let Some(held) = self.spaces.get_mut(&space) else {
            return false;
        };
        let mut keyring = std::mem::take(&mut held.keyring);
        let audiences: BTreeSet<_> = held
            .evaluation
            .audiences()
            .iter()
            .map(|audience| audience.space)
            .collect();
        let mut learned = false;
        if let Some(held) = self.spaces.get(&space) {
            let others = audiences
                .iter()
                .filter_map(|other| Some((*other, &self.spaces.get(other)?.keyring)))
                .collect();
            learned |= !keyring.learn(&held.log, &self.keys, &others).is_empty();
            if let Some(invitation) = &held.invitation {
                learned |= !keyring.learn(&held.log, invitation, &others).is_empty();
            }
        }
        if let Some(held) = self.spaces.get_mut(&space) {
            held.keyring = keyring;
            held.share_due |= learned;
        }
        learned
    }

    /// Tells the application what counts now. What is not in memory is read anew by it.
    fn tell(&mut self, space: SpaceId, refreshed: &Refreshed, learned: bool, new: &New) {
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let mut rebuilt = !refreshed.withdrawn.is_empty();
        let mut entries = Vec::new();
        let everything = self.is(Mutant::SkipAuthorCheck);
        let counts: Vec<_> = if everything {
            new.keys().copied().collect()
        } else {
            refreshed.admitted.clone()
        };
        for id in counts {
            let Some(entry) = held.log.get(id) else {
                continue;
            };
            if entry.header().kind == Kind::Control {
                continue;
            }
            match new.get(&id) {
                Some(envelope) => entries.push(self.admitted_entry(space, envelope)),
                None => rebuilt = true,
            }
        }
        let sealed_here = held.log.iter().any(|entry| !entry.is_control());
        if rebuilt || (learned && sealed_here) {
            self.emit(Event::Rebuilt { space });
        }
        if !entries.is_empty() {
            self.emit(Event::Admitted { space, entries });
        }
    }

    fn admitted_entry(&self, space: SpaceId, envelope: &Envelope) -> Admitted {
        let header = envelope.header();
        Admitted {
            id: envelope.id(),
            document: header.document,
            chain: header.chain,
            seq: header.seq,
            time: header.time,
            ancestors: header.ancestors.clone(),
            body: self.open_body(space, envelope),
        }
    }
}

/// Whether a device let itself in by an invitation, whatever became of that.
pub(super) fn redeemed_by(held: &Space, invitation: &DeviceKeys, own: &PublicKeys) -> bool {
    let by = invitation.author();
    held.log.control().any(|(entry, statement)| {
        let signed = entry.header().chain.author == by;
        signed
            && matches!(statement, Statement::Grant(grant)
                if grant.audience == Audience::Author(own.author) && grant.box_key == own.box_key)
    })
}
