//! Somebody who signs by hand: the right keys, and whatever header they like.

use aramaki_sync_core::envelope::{self, Envelope, Position};
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::statement::{Audience, Body, Capability, Cut, Grant, GrantFlags, Statement};
use aramaki_sync_core::{Chain, DocumentId, EnvelopeId, Instance, Timestamp};

use crate::world::{World, changes, minute, note};

pub(crate) struct Actor {
    pub(crate) keys: DeviceKeys,
    pub(crate) instance: Instance,
    pub(crate) seq: u64,
    pub(crate) previous: EnvelopeId,
    pub(crate) grant: EnvelopeId,
}

impl Actor {
    pub(crate) fn new(keys: DeviceKeys, instance: u64) -> Self {
        Self {
            keys,
            instance: Instance(instance),
            seq: 0,
            previous: EnvelopeId::ZERO,
            grant: EnvelopeId::ZERO,
        }
    }

    /// The same author at the same place: what it says next forks its chain.
    pub(crate) fn twin(&self) -> Self {
        Self {
            keys: DeviceKeys::from_seed(*self.keys.expose_seed()),
            ..*self
        }
    }

    pub(crate) fn chain(&self) -> Chain {
        Chain {
            author: self.keys.author(),
            instance: self.instance,
        }
    }

    pub(crate) fn cut(&self) -> Cut {
        Cut {
            chain: self.chain(),
            seq: self.seq,
            id: self.previous,
        }
    }

    pub(crate) fn position(&self, world: &World, time: Timestamp) -> Position {
        Position {
            space: world.space,
            instance: self.instance,
            seq: self.seq + 1,
            previous: self.previous,
            authority: self.grant,
            ancestors: Vec::new(),
            time,
        }
    }

    fn said(&mut self, envelope: Envelope) -> Envelope {
        self.seq = envelope.header().seq;
        self.previous = envelope.id();
        envelope
    }

    /// A sealed note, dated as they like.
    pub(crate) fn write(&mut self, world: &World, at: i64, text: &str) -> Envelope {
        let epoch = world.epoch(&self.keys);
        let position = self.position(world, minute(at));
        self.seal(position, text, (epoch.0, &epoch.1))
    }

    pub(crate) fn seal(
        &mut self,
        position: Position,
        text: &str,
        epoch: (EnvelopeId, &aramaki_sync_core::key::EpochKey),
    ) -> Envelope {
        self.seal_body(position, &changes(text), epoch)
    }

    /// Any body in the note.
    pub(crate) fn seal_body(
        &mut self,
        position: Position,
        body: &Body,
        epoch: (EnvelopeId, &aramaki_sync_core::key::EpochKey),
    ) -> Envelope {
        self.seal_in(note(), position, body, epoch)
    }

    /// Any body in any document.
    pub(crate) fn seal_in(
        &mut self,
        document: DocumentId,
        position: Position,
        body: &Body,
        epoch: (EnvelopeId, &aramaki_sync_core::key::EpochKey),
    ) -> Envelope {
        let envelope = envelope::sealed(&self.keys, position, document, body, epoch);
        self.said(envelope.unwrap())
    }

    /// A control statement, dated as they like.
    pub(crate) fn say(&mut self, world: &World, at: i64, statement: &Statement) -> Envelope {
        let position = self.position(world, minute(at));
        let envelope = envelope::control(&self.keys, position, statement);
        self.said(envelope.unwrap())
    }

    /// A grant under their own, to somebody of theirs.
    pub(crate) fn grant_to(
        &mut self,
        world: &World,
        at: i64,
        to: &mut Self,
        change: impl FnOnce(&mut Grant),
    ) -> Envelope {
        let mut grant = Grant {
            audience: Audience::Author(to.keys.author()),
            box_key: to.keys.box_public(),
            principal: world.principal_of(&self.keys),
            capability: Capability::Write,
            flags: GrantFlags::NONE,
            not_before: minute(0),
            end: minute(5_000),
            depth_left: 0,
            redemptions: 0,
            redeem_until: Timestamp::ZERO,
            parent: Some(self.grant),
        };
        change(&mut grant);
        let envelope = self.say(world, at, &Statement::Grant(grant));
        to.grant = envelope.id();
        envelope
    }
}

/// A revocation.
pub(crate) fn revoke(target: EnvelopeId, cuts: Vec<Cut>) -> Statement {
    Statement::Revoke {
        target,
        cuts,
        reason: 1,
    }
}
