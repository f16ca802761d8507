//! A small Space with people, an agent and a relay, to tell stories in.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_bytes::ByteBuf;

use crate::admission::{Evaluation, Inserted, NotInserted, Outsiders, SpaceLog, Verdict, evaluate};
use crate::entropy::Entropy;
use crate::envelope::{self, Envelope, Founding, Position};
use crate::id::{Chain, DocumentId, EnvelopeId, Instance, PrincipalId, SpaceId};
use crate::key::{DeviceKeys, EpochKey, SpaceKey};
use crate::statement::{Audience, Body, Capability, Cut, Grant, GrantFlags, Statement};
use crate::time::Timestamp;

/// A minute of the story.
pub(super) fn minute(minute: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000_000 + minute * 60_000)
}

/// How much later than others a replica hears something.
const LATER_MINUTES_MAX: u64 = 90;

/// The end of most grants, in minutes.
pub(super) const END: i64 = 1_000;

pub(super) struct Actor {
    pub(super) keys: DeviceKeys,
    pub(super) instance: Instance,
    pub(super) seq: u64,
    pub(super) previous: EnvelopeId,
    pub(super) grant: EnvelopeId,
}

impl Actor {
    pub(super) fn new(seed: u8) -> Self {
        Self {
            keys: DeviceKeys::from_seed([seed; 32]),
            instance: Instance(u64::from(seed)),
            seq: 0,
            previous: EnvelopeId::ZERO,
            grant: EnvelopeId::ZERO,
        }
    }

    pub(super) fn chain(&self) -> Chain {
        Chain {
            author: self.keys.author(),
            instance: self.instance,
        }
    }

    /// A cut at what the actor last said.
    pub(super) fn cut(&self) -> Cut {
        Cut {
            chain: self.chain(),
            seq: self.seq,
            id: self.previous,
        }
    }

    pub(super) fn position(&self, space: SpaceId, at: i64) -> Position {
        Position {
            space,
            instance: self.instance,
            seq: self.seq + 1,
            previous: self.previous,
            authority: self.grant,
            ancestors: Vec::new(),
            time: minute(at),
        }
    }

    pub(super) fn said(&mut self, envelope: &Envelope) {
        self.seq = envelope.header().seq;
        self.previous = envelope.id();
    }

    pub(super) fn twin(&self) -> Self {
        Self {
            keys: DeviceKeys::from_seed(*self.keys.expose_seed()),
            ..*self
        }
    }
}

pub(super) struct Stage {
    pub(super) space: SpaceId,
    pub(super) log: SpaceLog,
    pub(super) all: Vec<(Envelope, Timestamp)>,
    pub(super) entropy: Entropy,
    pub(super) epoch: EpochKey,
    /// What is known of other Spaces.
    pub(super) outsiders: Outsiders,
}

/// The Space at minute 0 and its people: the anchor administers (depth 1), alice administers under
/// it, carol under alice; bob writes, rita reads, the relay witnesses.
pub(super) struct Cast {
    pub(super) anchor: Actor,
    pub(super) alice: Actor,
    pub(super) carol: Actor,
    pub(super) bob: Actor,
    pub(super) rita: Actor,
    pub(super) relay: Actor,
}

pub(super) fn grant_to(audience: &Actor, capability: Capability) -> Grant {
    Grant {
        audience: Audience::Author(audience.keys.author()),
        box_key: audience.keys.box_public(),
        principal: PrincipalId::from_bytes([audience.keys.expose_seed()[0]; 16]),
        capability,
        flags: GrantFlags::NONE,
        not_before: minute(0),
        end: minute(END),
        depth_left: 0,
        redemptions: 0,
        redeem_until: Timestamp::ZERO,
        parent: None,
    }
}

pub(super) fn stage() -> (Stage, Cast) {
    let mut entropy = Entropy::from_seed([7; 32]);
    let root = SpaceKey::generate(&mut entropy);
    let mut stage = Stage {
        space: root.space(),
        log: SpaceLog::new(root.space()),
        all: Vec::new(),
        epoch: EpochKey::generate(&mut entropy),
        entropy,
        outsiders: Outsiders::none(),
    };
    let mut cast = Cast {
        anchor: Actor::new(1),
        alice: Actor::new(2),
        carol: Actor::new(3),
        bob: Actor::new(4),
        rita: Actor::new(5),
        relay: Actor::new(6),
    };
    let genesis = Grant {
        end: minute(100 * END),
        depth_left: 7,
        ..grant_to(&cast.anchor, Capability::Administer)
    };
    let Founding { root, .. } = envelope::found(root, genesis, None, minute(0)).unwrap();
    cast.anchor.grant = root.id();
    stage.deliver(&root, minute(0));
    let Cast {
        anchor,
        alice,
        carol,
        bob,
        rita,
        relay,
    } = &mut cast;
    stage.grant(anchor, alice, 0, |grant| {
        grant.capability = Capability::Administer;
        grant.end = minute(10 * END);
        grant.depth_left = 6;
    });
    stage.grant(alice, carol, 0, |grant| {
        grant.capability = Capability::Administer;
        grant.depth_left = 5;
    });
    stage.grant(alice, bob, 0, |_grant| {});
    stage.grant(alice, rita, 0, |grant| {
        grant.capability = Capability::Read;
        grant.end = minute(10 * END);
    });
    stage.grant(alice, relay, 0, |grant| {
        grant.capability = Capability::Relay;
        grant.flags = GrantFlags::WITNESS;
        grant.end = minute(10 * END);
    });
    (stage, cast)
}

impl Stage {
    pub(super) fn deliver(&mut self, envelope: &Envelope, received: Timestamp) {
        let inserted = self.log.insert(envelope, received);
        assert!(
            matches!(inserted, Ok(Inserted::New | Inserted::Fork)),
            "{inserted:?}"
        );
        self.all.push((envelope.clone(), received));
    }

    /// Says it now, and everyone hears it now.
    pub(super) fn say(&mut self, actor: &mut Actor, at: i64, statement: &Statement) -> EnvelopeId {
        self.say_late(actor, at, at, statement)
    }

    pub(super) fn say_late(
        &mut self,
        actor: &mut Actor,
        at: i64,
        heard: i64,
        statement: &Statement,
    ) -> EnvelopeId {
        let position = actor.position(self.space, at);
        let envelope = envelope::control(&actor.keys, position, statement).unwrap();
        actor.said(&envelope);
        self.deliver(&envelope, minute(heard));
        envelope.id()
    }

    /// A grant under the issuer's own, to write by default; the audience acts under it from now on.
    pub(super) fn grant(
        &mut self,
        issuer: &mut Actor,
        audience: &mut Actor,
        at: i64,
        change: impl FnOnce(&mut Grant),
    ) -> EnvelopeId {
        let mut grant = grant_to(audience, Capability::Write);
        grant.parent = Some(issuer.grant);
        change(&mut grant);
        let id = self.say(issuer, at, &Statement::Grant(grant));
        audience.grant = id;
        id
    }

    pub(super) fn write(&mut self, actor: &mut Actor, at: i64) -> EnvelopeId {
        self.write_on(actor, at, at, &[])
    }

    pub(super) fn write_on(
        &mut self,
        actor: &mut Actor,
        at: i64,
        heard: i64,
        ancestors: &[EnvelopeId],
    ) -> EnvelopeId {
        let envelope = self.changes(actor, at, ancestors);
        actor.said(&envelope);
        self.deliver(&envelope, minute(heard));
        envelope.id()
    }

    /// An envelope of content that nobody has heard yet.
    pub(super) fn changes(&mut self, actor: &Actor, at: i64, ancestors: &[EnvelopeId]) -> Envelope {
        let mut position = actor.position(self.space, at);
        position.ancestors = ancestors.to_vec();
        self.sealed(actor, position, &Body::Changes(vec![ByteBuf::from(*b"x")]))
    }

    pub(super) fn sealed(&mut self, actor: &Actor, position: Position, body: &Body) -> Envelope {
        envelope::sealed(
            &actor.keys,
            position,
            DocumentId::named("system"),
            body,
            (EnvelopeId::from_bytes([99; 32]), &self.epoch),
        )
        .unwrap()
    }

    /// The verdicts at a minute, which must not depend on the order of arrival.
    pub(super) fn evaluate(&self, now: i64) -> Evaluation {
        let evaluation = evaluate(&self.log, &self.outsiders, minute(now));
        let expected = self.verdicts(&evaluation);
        for seed in 0..4 {
            let mut order = self.all.clone();
            shuffle(&mut order, seed);
            assert_eq!(self.arrive(order, now), expected, "order {seed}");
        }
        evaluation
    }

    pub(super) fn verdict(&self, id: EnvelopeId, now: i64) -> Verdict {
        self.evaluate(now).verdict(id)
    }

    fn verdicts(&self, evaluation: &Evaluation) -> BTreeMap<EnvelopeId, Verdict> {
        self.all
            .iter()
            .map(|(envelope, _received)| (envelope.id(), evaluation.verdict(envelope.id())))
            .collect()
    }

    /// Another replica that has the same, and heard each at a time of its own; none: when all did.
    pub(super) fn as_heard(&self, seed: Option<u64>) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.unwrap_or_default().to_le_bytes());
        let mut entropy = Entropy::from_seed(bytes);
        let mut heard = Self {
            space: self.space,
            log: SpaceLog::new(self.space),
            all: Vec::new(),
            epoch: EpochKey::generate(&mut entropy),
            entropy,
            outsiders: self.outsiders.clone(),
        };
        for (envelope, received) in &self.all {
            let later = heard.entropy.next_u64() % LATER_MINUTES_MAX;
            let later = seed.map_or(0, |_seed| later) * 60_000;
            let received = received.plus(Duration::from_millis(later));
            heard.deliver(envelope, received);
        }
        heard
    }

    /// Another replica that hears everything in this order and follows along.
    pub(super) fn arrive(
        &self,
        mut waiting: Vec<(Envelope, Timestamp)>,
        now: i64,
    ) -> BTreeMap<EnvelopeId, Verdict> {
        let mut log = SpaceLog::new(self.space);
        let mut evaluation = Evaluation::default();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(
                |(envelope, received)| match log.insert(envelope, *received) {
                    Err(NotInserted::Gap { .. } | NotInserted::ForkLimit) => true,
                    inserted => {
                        assert!(inserted.is_ok(), "{inserted:?}");
                        evaluation.refresh(&log, &self.outsiders, minute(now));
                        false
                    }
                },
            );
            assert!(waiting.len() < before, "nothing goes in any more");
        }
        assert_eq!(log.digest(), self.log.digest());
        let fresh = evaluate(&self.log, &self.outsiders, minute(now));
        assert_eq!(evaluation.members(), fresh.members());
        assert_eq!(evaluation.epochs(), fresh.epochs());
        for epoch in fresh.epochs() {
            let rejected = fresh.is_epoch_rejected(epoch.id);
            assert_eq!(evaluation.is_epoch_rejected(epoch.id), rejected);
        }
        for (chain, ..) in log.heads() {
            assert_eq!(evaluation.frontier(chain), fresh.frontier(chain));
        }
        self.verdicts(&evaluation)
    }
}

pub(super) fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut seed_bytes = [0; 32];
    seed_bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut entropy = Entropy::from_seed(seed_bytes);
    for at in (1..items.len()).rev() {
        let with = usize::try_from(entropy.next_u64() % (at as u64 + 1)).unwrap();
        items.swap(at, with);
    }
}
