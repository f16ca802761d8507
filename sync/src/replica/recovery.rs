//! Ending trust: revoking grants, sealing anew, and recovering a Space with the kit.

use std::collections::BTreeSet;

use aramaki_sync_core::admission::{AudienceSpace, Member};
use aramaki_sync_core::engine::{CutOff, Doubtful, Foreseen, Reach, Waiting, Written};
use aramaki_sync_core::statement::{Audience, Body, Capability, Cut, GrantFlags, Statement};
use aramaki_sync_core::{AuthorId, DocumentId, EnvelopeId, SpaceId, Timestamp};

use super::{GrantRequest, Keep, Recovery, Replica, ReplicaError, Staying};

/// How many grants may follow below a recovered device's: as below a founder's.
const RECOVERED_DEPTH_LEFT: u8 = 6;
/// Reason code of a revocation: the device was lost or stolen.
pub const REASON_LOST: u8 = 1;
/// Reason code of a revocation: none is given.
pub const REASON_NONE: u8 = 0;

/// What the end of some devices' trust would leave, as this replica stands now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaving {
    /// The last envelope that would be accepted of each chain which used a grant that ends.
    pub accepted: Vec<LastAccepted>,
    /// Grants to the readers of other Spaces that would end and have not ended by themselves.
    pub audiences: Vec<AudienceSpace>,
}

/// The last envelope of a chain that a cut accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastAccepted {
    /// Where.
    pub cut: Cut,
    /// When its author says that it was written; a thief's clock says what the thief likes.
    pub time: Timestamp,
}

impl Replica {
    /// What [`Replica::recover`] would accept and end if these devices were lost.
    ///
    /// # Errors
    /// When the Space is not here.
    pub async fn leaving(
        &self,
        space: SpaceId,
        lost: Vec<AuthorId>,
    ) -> Result<Leaving, ReplicaError> {
        let now = crate::driver::now();
        self.inspect(move |engine| {
            let (log, evaluation) = (engine.log(space)?, engine.evaluation(space)?);
            let members = evaluation.members();
            let mut leaving = Leaving::default();
            let mut ended = BTreeSet::new();
            for member in members.iter().filter(|it| lost.contains(&it.author)) {
                ended.extend(engine.grants_below(space, member.grant));
            }
            leaving.accepted = engine
                .counting(space, &ended)
                .into_iter()
                .filter_map(|cut| {
                    let time = log.get(cut.id)?.header().time;
                    Some(LastAccepted { cut, time })
                })
                .collect();
            leaving.audiences = evaluation.audiences().to_vec();
            leaving
                .audiences
                .retain(|it| ended.contains(&it.grant) && it.is_live(now));
            Some(leaving)
        })
        .await?
        .ok_or(ReplicaError::UnknownSpace(space))
    }

    /// Ends a grant and every grant below it. What nobody but its holders may decide is what stays:
    /// each replica cuts the same.
    ///
    /// Only an administrator nearer the root than the target, or the target itself, is heeded: all
    /// others' revocations are refused everywhere. Seal anew with [`Replica::rotate`].
    ///
    /// # Errors
    /// When this device holds no grant there, or the store fails.
    pub async fn revoke(
        &self,
        space: SpaceId,
        target: EnvelopeId,
        keep: Keep,
        reason: u8,
    ) -> Result<Written, ReplicaError> {
        let statement = self
            .inspect(move |engine| engine.revocation(space, (target, keep.keeps()), reason))
            .await?
            .ok_or(ReplicaError::UnknownSpace(space))?;
        self.write_control(space, statement).await
    }

    /// What [`Replica::revoke`] would do to what was written, if it were called now.
    ///
    /// # Errors
    /// When the Space is not here or this device holds nothing there.
    pub async fn foresee(
        &self,
        space: SpaceId,
        target: EnvelopeId,
        keep: Keep,
    ) -> Result<Foreseen, ReplicaError> {
        self.inspect(move |engine| {
            let ends = (target, keep.keeps());
            let statement = engine.revocation(space, ends, REASON_NONE)?;
            let ended = engine.grants_below(space, target);
            engine.foresee(space, &statement, &ended)
        })
        .await?
        .ok_or(ReplicaError::UnknownSpace(space))
    }

    /// Ends every grant of a device.
    ///
    /// # Errors
    /// As [`Replica::revoke`].
    pub async fn revoke_device(
        &self,
        space: SpaceId,
        device: AuthorId,
        keep: Keep,
        reason: u8,
    ) -> Result<(), ReplicaError> {
        let members = self.space(space).await?.members;
        for member in members.iter().filter(|it| it.author == device) {
            self.revoke(space, member.grant, keep, reason).await?;
        }
        Ok(())
    }

    /// What waits in a Space: work that came after its grant had ended, or under an invitation that was
    /// used up. It is shown to people, who decide.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn waiting(&self, space: SpaceId) -> Result<Vec<Waiting>, ReplicaError> {
        self.inspect(move |engine| engine.waiting(space)).await
    }

    /// Accepts what came late under a grant, as far as it is here; what comes later is over. False when
    /// nothing of it waits.
    ///
    /// # Errors
    /// When this device does not administer the Space, or the store fails.
    pub async fn accept_late(
        &self,
        space: SpaceId,
        grant: EnvelopeId,
    ) -> Result<bool, ReplicaError> {
        let own = self.own_grant(space).await?;
        if own.capability != Capability::Administer {
            return Err(ReplicaError::NotAllowed(space));
        }
        let statements = self
            .inspect(move |engine| engine.acceptance(space, grant))
            .await?;
        self.close_all(space, statements).await
    }

    /// Says so by closes. Who came before that gets the keys of what counts only now.
    async fn close_all(
        &self,
        space: SpaceId,
        closes: Vec<Statement>,
    ) -> Result<bool, ReplicaError> {
        let is_some = !closes.is_empty();
        for close in closes {
            self.write_control(space, close).await?;
        }
        if is_some {
            self.rotate(space).await?;
        }
        Ok(is_some)
    }

    /// What closes left out in a Space, and nothing else keeps from counting: a close that knew less than
    /// others did, or lied.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn cut_off(&self, space: SpaceId) -> Result<Vec<CutOff>, ReplicaError> {
        self.inspect(move |engine| engine.cut_off(space)).await
    }

    /// What arrived in a Space and counts for nothing, with the reason: refused, or cut by a revocation or fork.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn not_counting(&self, space: SpaceId) -> Result<Vec<Doubtful>, ReplicaError> {
        self.inspect(move |engine| engine.not_counting(space)).await
    }

    /// What is cut or came late in a Space, and counts because honest work stands on it.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn vouched(&self, space: SpaceId) -> Result<Vec<Doubtful>, ReplicaError> {
        self.inspect(move |engine| engine.vouched(space)).await
    }

    /// Gives back what closes left out under a grant, by larger ones. False when there is nothing to give
    /// back.
    ///
    /// # Errors
    /// When this device does not administer the Space, or the store fails.
    pub async fn give_back(
        &self,
        space: SpaceId,
        grant: EnvelopeId,
        reach: Reach,
    ) -> Result<bool, ReplicaError> {
        let own = self.own_grant(space).await?;
        if own.capability != Capability::Administer {
            return Err(ReplicaError::NotAllowed(space));
        }
        let statements = self
            .inspect(move |engine| engine.restoration(space, grant, reach))
            .await?;
        self.close_all(space, statements).await
    }

    /// Seals to the readers of now what is written from now on, if a reader left or the key in use
    /// is unfit. Writing does the same by itself.
    ///
    /// # Errors
    /// As [`Replica::write`].
    pub async fn rotate(&self, space: SpaceId) -> Result<Written, ReplicaError> {
        self.write(space, DocumentId::named("rotation"), Body::Merge)
            .await
    }

    /// Gives readers the keys that they lack and that are here: for who does not stay connected until that
    /// happens by itself. Nothing where this device may not write. Says whether somebody lacked one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hand_over(&self, space: SpaceId) -> Result<bool, ReplicaError> {
        let is_due = self.inspect(move |engine| {
            engine.capability(space) >= Some(Capability::Comment) && engine.keys_are_lacking(space)
        });
        let is_due = is_due.await?;
        if is_due {
            self.rotate(space).await?;
        }
        Ok(is_due)
    }

    /// Whether this device reads a Space and what is written there now is sealed by a key that has not come.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn awaits_key(&self, space: SpaceId) -> Result<bool, ReplicaError> {
        self.inspect(move |engine| {
            let reads = engine.capability(space) >= Some(Capability::Read);
            let all = (
                engine.log(space),
                engine.evaluation(space),
                engine.keyring(space),
            );
            let (Some(log), Some(evaluation), Some(keyring)) = all else {
                return false;
            };
            reads && keyring.in_force(log, evaluation).is_none()
        })
        .await
    }

    /// Lets a new device in, gives anew what the lost ones had given to those who stay, and ends the
    /// lost ones.
    ///
    /// For a replica that was opened with the recovery kit's keys, in a new folder that is thrown
    /// away afterwards, and follows the Space: the kit stands nearer the root than any device. A
    /// Space whose kit is lost too, or that has none, cannot be recovered. Returns when all is
    /// durable here; wait until a relay or member has it before the folder goes.
    ///
    /// # Errors
    /// When this replica does not administer the Space, or the store fails.
    pub async fn recover(&self, request: Recovery) -> Result<(), ReplicaError> {
        let space = request.space;
        let found = self.space(space).await?;
        let own = found.members.iter().find(|it| it.author == self.author());
        let Some(own) = own.filter(|it| it.capability == Capability::Administer) else {
            return Err(ReplicaError::NotAllowed(space));
        };
        let device = request.device;
        let to_device = |end| {
            GrantRequest::to_device(device.author, device.box_key, Capability::Administer, end)
        };
        let mut to_device = GrantRequest {
            flags: GrantFlags::WITNESS,
            depth_left: RECOVERED_DEPTH_LEFT,
            ..to_device(request.end)
        };
        cap(&mut to_device, own);
        self.grant(space, to_device).await?;
        // Who stays stands one deeper than the device, below a second grant of the kit's own: else that
        // device could end nobody's access without the kit.
        let mut below = GrantRequest {
            flags: own.flags,
            depth_left: own.depth_left,
            ..GrantRequest::to_device(
                self.author(),
                self.box_public(),
                Capability::Administer,
                own.end,
            )
        };
        cap(&mut below, own);
        let below = self.grant(space, below).await?.id;
        self.end_devices_under(space, &request.lost, &request.keep, Some(below))
            .await
    }

    /// Ends every grant of lost devices and all below them, gives anew what of that is to stay, and seals anew
    /// what is written from now on. What is here of theirs stays, and so does what others have without them.
    ///
    /// # Errors
    /// When this device does not administer the Space, or the store fails.
    pub async fn end_devices(
        &self,
        space: SpaceId,
        lost: &BTreeSet<AuthorId>,
        keep: &Staying,
    ) -> Result<(), ReplicaError> {
        self.end_devices_under(space, lost, keep, None).await
    }

    async fn end_devices_under(
        &self,
        space: SpaceId,
        lost: &BTreeSet<AuthorId>,
        keep: &Staying,
        under: Option<EnvelopeId>,
    ) -> Result<(), ReplicaError> {
        let own = self.grant_of(space, under).await?;
        if own.capability != Capability::Administer {
            return Err(ReplicaError::NotAllowed(space));
        }
        let members = self.space(space).await?.members;
        let mut grants = regrants(&members, lost, keep, crate::driver::now());
        grants.extend(self.audiences_kept(space, keep).await?);
        for mut grant in grants {
            cap(&mut grant, &own);
            grant.under = under;
            self.grant(space, grant).await?;
        }
        // What is below a lost device ends with it.
        for device in lost {
            self.revoke_device(space, *device, Keep::WhatIsHere, REASON_LOST)
                .await?;
        }
        self.rotate(space).await?;
        Ok(())
    }

    async fn audiences_kept(
        &self,
        space: SpaceId,
        keep: &Staying,
    ) -> Result<Vec<GrantRequest>, ReplicaError> {
        let audiences = self
            .inspect(move |engine| {
                let evaluation = engine.evaluation(space);
                evaluation.map_or_else(Vec::new, |it| it.audiences().to_vec())
            })
            .await?;
        Ok(audiences
            .into_iter()
            .filter(|it| keep.readers_of.contains(&it.space))
            .map(|it| GrantRequest::to_readers_of(it.space, it.end))
            .collect())
    }
}

/// No grant lasts longer or leads deeper than the one under which it is given.
fn cap(grant: &mut GrantRequest, own: &Member) {
    grant.end = grant.end.min(own.end);
    grant.depth_left = grant.depth_left.min(own.depth_left.saturating_sub(1));
}

/// What lost devices had given and is to stay, once more.
fn regrants(
    members: &[Member],
    lost: &BTreeSet<AuthorId>,
    keep: &Staying,
    now: Timestamp,
) -> Vec<GrantRequest> {
    let ended: BTreeSet<EnvelopeId> = members
        .iter()
        .filter(|it| lost.contains(&it.author))
        .map(|it| it.grant)
        .collect();
    members
        .iter()
        .filter(|it| it.through.iter().any(|above| ended.contains(above)))
        .filter(|it| keep.grants.contains(&it.grant) && !it.is_invitation())
        .filter(|it| !lost.contains(&it.author))
        .map(|it| GrantRequest {
            audience: Audience::Author(it.author),
            box_key: it.box_key,
            principal: Some(it.principal),
            capability: it.capability,
            flags: it.flags,
            // Whoever comes later goes on to come later.
            begin: (it.not_before > now).then_some(it.not_before),
            end: it.end,
            depth_left: it.depth_left,
            under: None,
        })
        .collect()
}
