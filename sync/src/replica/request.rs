//! What a replica can be asked to grant, and to whom.

use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_sync_core::invitation::Invitee;
use aramaki_sync_core::key::PublicKeys;
use aramaki_sync_core::statement::{Audience, Capability, GrantFlags};
use aramaki_sync_core::{AuthorId, EnvelopeId, PrincipalId, SpaceId, Timestamp};

use crate::driver;

/// How long a device's first grant in a Space lasts if nothing else is said.
pub const GRANT_SPAN: Duration = Duration::from_hours(5 * 365 * 24);
/// How long an invitation can be redeemed, and how long its guests stay, if nothing else is said.
pub const INVITATION_SPAN: Duration = Duration::from_hours(24);
/// How long an agent that was invited may write if nothing else is said.
pub const AGENT_SPAN: Duration = Duration::from_hours(365 * 24);
/// How far grants reach back, for peers whose clock is late.
pub const BACKDATE: Duration = Duration::from_mins(5);

/// A new Space.
#[derive(Debug)]
pub struct CreateSpace {
    /// Who holds the Space in the last resort, kept offline: the recovery kit, which stands above
    /// this device and can revoke it. Without one this device is the highest, and whoever steals it
    /// ends the Space.
    pub anchor: Option<PublicKeys>,
    /// Who is behind this device.
    pub principal: PrincipalId,
    /// When this device's grant ends, if there is an anchor above it to give it another.
    pub end: Timestamp,
}

impl CreateSpace {
    /// Without an anchor, for five years.
    pub fn new(principal: PrincipalId) -> Self {
        Self {
            anchor: None,
            principal,
            end: driver::now().plus(GRANT_SPAN),
        }
    }
}

/// Trust given to a device, agent, relay, or to the readers of another Space.
#[derive(Clone, Debug)]
pub struct GrantRequest {
    /// To whom.
    pub audience: Audience,
    /// The audience's box key; zero for the readers of a Space and for relays.
    pub box_key: [u8; 32],
    /// Who is behind it; none means that it acts for the issuer.
    pub principal: Option<PrincipalId>,
    /// What it may do.
    pub capability: Capability,
    /// Marks.
    pub flags: GrantFlags,
    /// From when; none: now.
    pub begin: Option<Timestamp>,
    /// Until when.
    pub end: Timestamp,
    /// How many grants may follow below.
    pub depth_left: u8,
    /// Below which of this device's grants; none: the best that it has.
    pub under: Option<EnvelopeId>,
}

impl GrantRequest {
    /// For a device or agent that reads.
    pub fn to_device(
        author: AuthorId,
        box_key: [u8; 32],
        capability: Capability,
        end: Timestamp,
    ) -> Self {
        Self {
            audience: Audience::Author(author),
            box_key,
            principal: None,
            capability,
            flags: GrantFlags::NONE,
            begin: None,
            end,
            depth_left: 0,
            under: None,
        }
    }

    /// For an agent in its System: it stores and forwards, to know to whom it has to seal, and can
    /// neither read nor witness.
    pub fn to_keeper(author: AuthorId, end: Timestamp) -> Self {
        Self::to_device(author, [0; 32], Capability::Relay, end)
    }

    /// For the key of an emergency envelope: it reads, and once it said why it writes for a day and
    /// may let a device in for as long.
    pub fn to_emergency(keys: PublicKeys, principal: PrincipalId, end: Timestamp) -> Self {
        Self {
            principal: Some(principal),
            flags: GrantFlags::BREAK_GLASS,
            depth_left: 1,
            ..Self::to_device(keys.author, keys.box_key, Capability::Write, end)
        }
    }

    /// For a relay: it stores, forwards and witnesses, and cannot read.
    pub fn to_relay(author: AuthorId, end: Timestamp) -> Self {
        Self {
            flags: GrantFlags::WITNESS,
            ..Self::to_device(author, [0; 32], Capability::Relay, end)
        }
    }

    /// For whoever may read in another Space.
    pub fn to_readers_of(space: SpaceId, end: Timestamp) -> Self {
        Self {
            audience: Audience::ReadersOf(space),
            ..Self::to_device(AuthorId::ZERO, [0; 32], Capability::Read, end)
        }
    }
}

/// What of a revoked grant's work stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// What counts on this device now: for somebody who leaves, or a device that was lost. What waits for
    /// somebody's word is not accepted by it.
    WhatIsHere,
    /// Nothing: the grant counts as if it had never been given.
    Nothing,
}

impl Keep {
    pub(super) const fn keeps(self) -> bool {
        matches!(self, Self::WhatIsHere)
    }
}

/// What somebody who holds the recovery kit wants.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// In which Space.
    pub space: SpaceId,
    /// The new device.
    pub device: PublicKeys,
    /// Until when it may administer.
    pub end: Timestamp,
    /// The devices that are lost.
    pub lost: BTreeSet<AuthorId>,
    /// What of it stays.
    pub keep: Staying,
}

/// What stays of all that lost devices had given: everything else through them ends with them.
///
/// Grants are chosen, not people: a thief may have let in more, and may have given more to whoever was
/// there before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Staying {
    /// Grants of devices, which are given anew.
    pub grants: BTreeSet<EnvelopeId>,
    /// Spaces whose readers go on to read.
    pub readers_of: BTreeSet<SpaceId>,
}

/// Trust handed over as text.
#[derive(Clone, Debug)]
pub struct InviteRequest {
    /// Whom the invitation is for.
    pub invitee: Invitee,
    /// Read, comment or write, never administer.
    pub capability: Capability,
    /// From when on it can be redeemed; none: at once.
    pub begin: Option<Timestamp>,
    /// Until when guests stay.
    pub end: Timestamp,
    /// Until when it can be redeemed, at most until `end`.
    pub redeem_until: Timestamp,
    /// How many devices may redeem it.
    pub redemptions: u16,
    /// Whether what guests wrote in time counts if it arrives within three days after their end, not
    /// only within a quarter of an hour.
    pub long_grace: bool,
}

impl InviteRequest {
    /// For one device, for a day.
    pub fn new(capability: Capability) -> Self {
        Self::lasting(capability, INVITATION_SPAN)
    }

    /// For one device, for so long; the code can be used for a day, or as long if that is less.
    pub fn lasting(capability: Capability, span: Duration) -> Self {
        let now = driver::now();
        Self {
            invitee: Invitee::Person,
            capability,
            begin: None,
            end: now.plus(span),
            redeem_until: now.plus(span.min(INVITATION_SPAN)),
            redemptions: 1,
            long_grace: false,
        }
    }

    /// The same from another time on: it lasts as long, and its code can be used as long, from then on.
    #[must_use]
    pub fn beginning(self, begin: Timestamp) -> Self {
        let now = driver::now();
        let later = |at: Timestamp| begin.plus(at.since(now));
        Self {
            begin: Some(begin),
            end: later(self.end),
            redeem_until: later(self.redeem_until),
            ..self
        }
    }

    /// For an agent, which writes for a year; the code can be used for a day.
    pub fn for_agent() -> Self {
        Self {
            invitee: Invitee::Agent,
            ..Self::lasting(Capability::Write, AGENT_SPAN)
        }
    }
}

/// Why an invitation lets nobody in any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// As many devices as it allows have used it.
    Used,
    /// It was revoked, or the grant that it stands on, or its time has come.
    Revoked,
}
