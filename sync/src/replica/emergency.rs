//! Opening a Space by an emergency grant: the reason first, then a device for a while.

use std::time::Duration;

use aramaki_sync_core::admission::BREAK_GLASS_SPAN;
use aramaki_sync_core::key::PublicKeys;
use aramaki_sync_core::statement::{Audience, Capability, GrantFlags, Statement};
use aramaki_sync_core::{EnvelopeId, PrincipalId, SpaceId, Timestamp};

use super::{GrantRequest, Keep, REASON_NONE, Replica, ReplicaError};
use crate::driver;

/// What somebody who holds an emergency envelope wants.
#[derive(Clone, Debug)]
pub struct Opening {
    /// In which Space.
    pub space: SpaceId,
    /// Which device is to be let in.
    pub device: PublicKeys,
    /// Why, in words that everyone in the Space sees, its relays too.
    pub reason: String,
    /// For how long; at most [`BREAK_GLASS_SPAN`].
    pub span: Duration,
}

impl Replica {
    /// Says why an emergency grant is used and lets a device do what it gives. Returns until when.
    ///
    /// For a replica that was opened with the envelope's keys, in a new folder that is thrown away
    /// afterwards, and follows the Space.
    ///
    /// # Errors
    /// When this replica holds no emergency grant there, or the store fails.
    pub async fn open_emergency(&self, opening: Opening) -> Result<Timestamp, ReplicaError> {
        let own = self.own_grant(opening.space).await?;
        if !own.flags.has(GrantFlags::BREAK_GLASS) {
            return Err(ReplicaError::NotAllowed(opening.space));
        }
        // Before the reason is dated: a day after it everything ends.
        let end = driver::now().plus(opening.span.min(BREAK_GLASS_SPAN));
        let reason = Statement::BreakGlass {
            reason: opening.reason,
        };
        self.write_control(opening.space, reason).await?;
        let end = end.min(own.end);
        let device = opening.device;
        let request = GrantRequest {
            begin: Some(own.not_before.max(driver::now().minus(super::BACKDATE))),
            ..GrantRequest::to_device(device.author, device.box_key, own.capability, end)
        };
        self.grant(opening.space, request).await?;
        Ok(end)
    }

    /// Gives up what this device has by emergency grants in a Space. Returns how many grants ended.
    ///
    /// # Errors
    /// When the Space is not here, or the store fails.
    pub async fn close_emergency(&self, space: SpaceId) -> Result<usize, ReplicaError> {
        let (author, now) = (self.author(), driver::now());
        let found = self.space(space).await?;
        let sealed: Vec<EnvelopeId> = found
            .members
            .iter()
            .filter(|it| it.flags.has(GrantFlags::BREAK_GLASS))
            .map(|it| it.grant)
            .collect();
        let own = found.members.iter().filter(|it| {
            let by_emergency = it
                .through
                .last()
                .is_some_and(|above| sealed.contains(above));
            by_emergency && it.author == author && it.is_live(now)
        });
        let own: Vec<EnvelopeId> = own.map(|it| it.grant).collect();
        for grant in &own {
            self.revoke(space, *grant, Keep::WhatIsHere, REASON_NONE)
                .await?;
        }
        Ok(own.len())
    }

    /// Seals a Space for emergencies: lets the key of an envelope in, until this device's own grant
    /// ends. False when that key ever had a grant there: one that was ended is not given again.
    ///
    /// # Errors
    /// When this device does not administer the Space, or the store fails.
    pub async fn seal_emergency(
        &self,
        space: SpaceId,
        keys: PublicKeys,
        principal: PrincipalId,
    ) -> Result<bool, ReplicaError> {
        let own = self.own_grant(space).await?;
        if own.capability != Capability::Administer || own.depth_left < 2 {
            return Err(ReplicaError::NotAllowed(space));
        }
        let audience = Audience::Author(keys.author);
        let is_known = self
            .inspect(move |engine| {
                let log = engine.log(space)?;
                Some(log.control().any(|(_entry, statement)| {
                    matches!(statement, Statement::Grant(grant) if grant.audience == audience)
                }))
            })
            .await?
            .ok_or(ReplicaError::UnknownSpace(space))?;
        if is_known {
            return Ok(false);
        }
        self.grant(space, GrantRequest::to_emergency(keys, principal, own.end))
            .await?;
        Ok(true)
    }
}
