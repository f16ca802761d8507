//! What is followed one arrival at a time equals what is judged from scratch, after each arrival.

use proptest::prelude::*;

use super::stage::{Actor, Cast, Stage, grant_to, minute, shuffle, stage};
use crate::admission::{Evaluation, NotInserted, Outsiders, SpaceLog, evaluate};
use crate::envelope::{self, Envelope};
use crate::id::{EnvelopeId, Instance, PrincipalId, SpaceId};
use crate::invitation::{Draft, Invitation, Invitee, Terms};
use crate::key::EpochKey;
use crate::statement::{
    Audience, Capability, Card, Cut, Epoch, EpochFault, GrantFlags, RelayAddress, Statement,
};
use crate::time::Timestamp;

/// What somebody does; the numbers choose.
#[derive(Clone, Debug)]
struct Deed {
    actor: usize,
    what: u8,
    other: usize,
    seq: u64,
    at: i64,
    delay: i64,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let times = (800..1_100_i64, 0..60_i64);
    let deed = (0..64_usize, 0..38_u8, 0..64_usize, 0..4_u64, times).prop_map(
        |(actor, what, other, seq, (at, delay))| Deed {
            actor,
            what,
            other,
            seq,
            at,
            delay,
        },
    );
    prop::collection::vec(deed, 1..28)
}

struct Story {
    stage: Stage,
    actors: Vec<Actor>,
    invitations: Vec<Invitation>,
}

impl Story {
    fn new() -> Self {
        let (stage, cast) = stage();
        let Cast {
            anchor,
            alice,
            carol,
            bob,
            rita,
            relay,
        } = cast;
        Self {
            stage,
            actors: vec![anchor, alice, carol, bob, rita, relay],
            invitations: Vec::new(),
        }
    }

    fn heard(&mut self, envelope: &Envelope, at: Timestamp) -> bool {
        let heard = self.stage.log.insert(envelope, at).is_ok();
        if heard {
            self.stage.all.push((envelope.clone(), at));
        }
        heard
    }

    fn perform(&mut self, deed: &Deed) {
        let at = minute(deed.at + deed.delay);
        let (mut actor, other) = (
            deed.actor % self.actors.len(),
            deed.other % self.actors.len(),
        );
        if deed.what >= 34 {
            // Who administers: of others few may revoke.
            actor = usize::from(deed.seq > 0);
        }
        match deed.what {
            0..=4 => {
                let head = self.stage.log.head(self.actors[other].chain());
                let ancestors: Vec<_> = head
                    .filter(|_head| other != actor)
                    .map(|(_seq, id)| id)
                    .into_iter()
                    .collect();
                let said = self.stage.changes(&self.actors[actor], deed.at, &ancestors);
                // Rarely what is said next takes the same position: a fork.
                if self.heard(&said, at) && (deed.what > 0 || deed.seq > 0) {
                    self.actors[actor].said(&said);
                }
            }
            5..=9 => self.redeem(deed, at),
            _ => {
                let statement = self.statement(deed, actor, other);
                let position = self.actors[actor].position(self.stage.space, deed.at);
                let said =
                    envelope::control(&self.actors[actor].keys, position, &statement).unwrap();
                if !self.heard(&said, at) {
                    return;
                }
                self.actors[actor].said(&said);
                if let (Statement::Grant(grant), 10..=15) = (&statement, deed.what) {
                    let mut granted = self.newcomer(deed);
                    granted.grant = said.id();
                    assert_eq!(grant.audience, Audience::Author(granted.keys.author()));
                    self.actors.push(granted);
                }
            }
        }
    }

    fn newcomer(&self, deed: &Deed) -> Actor {
        let number = 100 + self.actors.len();
        let mut actor = Actor::new(u8::try_from(number).unwrap());
        actor.instance = Instance(u64::from(deed.seq == 0) + 1);
        actor
    }

    fn redeem(&mut self, deed: &Deed, at: Timestamp) {
        if self.invitations.is_empty() || deed.what == 5 {
            return self.invite(deed, at);
        }
        let invitation = &self.invitations[deed.other % self.invitations.len()];
        let mut guest = self.newcomer(deed);
        // Some come again.
        if deed.seq == 3 {
            guest = self.actors[self.actors.len() - 1].twin();
            guest.instance = Instance(guest.instance.0 + 50);
        }
        let instance = Instance(u64::try_from(self.stage.all.len()).unwrap() + 1);
        let Ok(said) = invitation.redeem(&guest.keys, instance, minute(deed.at)) else {
            return;
        };
        guest.grant = said.id();
        if self.heard(&said, at) {
            self.actors.push(guest);
        }
    }

    fn invite(&mut self, deed: &Deed, at: Timestamp) {
        let terms = Terms {
            invitee: Invitee::Person,
            parent: self.actors[1].grant,
            principal: PrincipalId::from_bytes([88; 16]),
            capability: Capability::Write,
            not_before: minute(1),
            end: minute(1_050),
            redeem_until: minute(1_000),
            redemptions: 2,
            long_grace: false,
        };
        let draft = Draft::new(&terms, &mut self.stage.entropy);
        let position = self.actors[1].position(self.stage.space, deed.at);
        let said = envelope::control(&self.actors[1].keys, position, &draft.statement()).unwrap();
        if self.heard(&said, at) {
            self.actors[1].said(&said);
            let invitation = draft.issued(self.stage.space, said.id(), Vec::new());
            self.invitations.push(invitation);
        }
    }

    fn statement(&self, deed: &Deed, actor: usize, other: usize) -> Statement {
        let byte = u8::try_from(deed.other).unwrap();
        let target = self.actors[other].grant;
        let chain = self.actors[other].chain();
        let id = self.stage.log.at(chain, deed.seq).next();
        let cut = Cut {
            chain,
            seq: deed.seq,
            id: id.unwrap_or_default(),
        };
        let cuts = vec![cut];
        let key = EpochKey::from_bytes([byte % 4; 32]);
        let card = Card {
            endpoint: [byte; 32],
            box_key: [byte; 32],
            box_generation: u32::from(byte % 3),
        };
        match deed.what {
            10..=15 => {
                let mut grant = grant_to(&self.newcomer(deed), Capability::Write);
                grant.parent = Some(self.actors[actor].grant);
                grant.depth_left = u8::try_from(deed.seq).unwrap();
                if deed.what == 15 {
                    grant.flags = GrantFlags::WITNESS;
                }
                Statement::Grant(grant)
            }
            16 => {
                let mut grant = grant_to(&self.actors[other], Capability::Read);
                grant.parent = Some(self.actors[actor].grant);
                grant.audience = Audience::ReadersOf(SpaceId::from_bytes([byte; 32]));
                Statement::Grant(grant)
            }
            17 => Statement::Revoke {
                target,
                cuts,
                reason: 0,
            },
            18 => Statement::Close { target, cuts },
            19..=22 => Statement::Receipt {
                cuts,
                at: minute(deed.at),
            },
            23 | 24 => Statement::Card(card),
            25 => Statement::AgentCard {
                card,
                space: SpaceId::from_bytes([byte; 32]),
            },
            26 => Statement::Relays(vec![RelayAddress {
                author: chain.author,
                endpoint: [byte; 32],
                addresses: Vec::new(),
            }]),
            27..=29 => Statement::Epoch(Epoch {
                number: deed.seq,
                commit: key.commit(),
                public: if byte < 16 { [9; 32] } else { key.public() },
                wraps: Vec::new(),
                previous: None,
            }),
            32.. => self.revoke_alone(deed, target),
            30 => self.reject(EpochFault::Omits { grant: target }),
            _ => self.reject(EpochFault::FalsePublic(key.opening())),
        }
    }

    /// Ends access, or an invitation, and leaves all that is known, or all but one chain.
    fn revoke_alone(&self, deed: &Deed, target: EnvelopeId) -> Statement {
        let invitation = self.invitations.get(deed.other % 8);
        let heads = self.stage.log.heads();
        let cuts = heads.map(|(chain, seq, id)| Cut { chain, seq, id });
        let left_out = if deed.what == 33 {
            deed.actor
        } else {
            usize::MAX
        };
        let cuts = cuts.enumerate().filter(|(at, _cut)| *at != left_out);
        Statement::Revoke {
            target: invitation.map_or(target, |it| it.grant),
            cuts: cuts.map(|(_at, cut)| cut).collect(),
            reason: 0,
        }
    }

    fn reject(&self, fault: EpochFault) -> Statement {
        let epochs = self.stage.log.control();
        let mut epochs = epochs.filter(|(_entry, it)| matches!(it, Statement::Epoch(_)));
        let epoch = epochs.next().map(|(entry, _epoch)| entry.id());
        Statement::EpochReject {
            epoch: epoch.unwrap_or_default(),
            fault,
        }
    }
}

fn agree(log: &SpaceLog, followed: &Evaluation, now: Timestamp) -> Result<(), TestCaseError> {
    let fresh = evaluate(log, &Outsiders::none(), now);
    for entry in log.iter() {
        let id = entry.id();
        prop_assert_eq!(followed.verdict(id), fresh.verdict(id), "{:?}", entry);
        let chain = entry.header().chain;
        let ended_by = |it: &Evaluation| it.ended_by(id).collect::<Vec<_>>();
        prop_assert_eq!(ended_by(followed), ended_by(&fresh));
        prop_assert_eq!(followed.cut_by(log, id), fresh.cut_by(log, id));
        prop_assert_eq!(followed.receipts(chain), fresh.receipts(chain));
        prop_assert_eq!(followed.frontier(chain), fresh.frontier(chain));
    }
    prop_assert_eq!(followed.members(), fresh.members());
    prop_assert_eq!(followed.audiences(), fresh.audiences());
    prop_assert_eq!(followed.relays(), fresh.relays());
    prop_assert_eq!(followed.cards(), fresh.cards());
    prop_assert_eq!(followed.agent_spaces(), fresh.agent_spaces());
    prop_assert_eq!(followed.epochs(), fresh.epochs());
    for epoch in fresh.epochs() {
        let rejected = fresh.is_epoch_rejected(epoch.id);
        prop_assert_eq!(followed.is_epoch_rejected(epoch.id), rejected);
    }
    prop_assert_eq!(followed.outside(), fresh.outside());
    prop_assert_eq!(followed.next_change(), fresh.next_change());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_arrival_leaves_what_a_whole_evaluation_finds(
        deeds in deeds(), seed: u64, at_once in 1..4_usize, shuffled: bool,
    ) {
        let mut story = Story::new();
        for deed in &deeds {
            story.perform(deed);
        }
        let mut waiting = story.stage.all.clone();
        if shuffled {
            shuffle(&mut waiting, seed);
        }
        let mut log = SpaceLog::new(story.stage.space);
        let mut followed = Evaluation::default();
        let mut now = 700;
        while !waiting.is_empty() {
            let mut left = Vec::new();
            for (envelope, received) in waiting {
                match log.insert(&envelope, received) {
                    Err(NotInserted::Gap { .. } | NotInserted::ForkLimit) => left.push((envelope, received)),
                    inserted => {
                        prop_assert!(inserted.is_ok(), "{:?}", inserted);
                        now += 5;
                        if log.len().is_multiple_of(at_once) {
                            followed.refresh(&log, &Outsiders::none(), minute(now));
                            agree(&log, &followed, minute(now))?;
                        }
                    }
                }
            }
            waiting = left;
            followed.refresh(&log, &Outsiders::none(), minute(now));
            agree(&log, &followed, minute(now))?;
        }
    }
}
