//! Properties: order never matters, escalation never succeeds, altered bytes never panic.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_bytes::ByteBuf;

use super::stage::{Actor, Cast, END, Stage, minute, shuffle, stage};
use crate::admission::{
    Fork, Held, Inserted, OutsideSpace, Outsiders, SpaceLog, Verdict, evaluate,
};
use crate::envelope::{self, Envelope};
use crate::id::{EnvelopeId, Instance, PrincipalId, SpaceId};
use crate::invitation::{Draft, Invitation, Invitee, Terms};
use crate::key::EpochKey;
use crate::statement::{
    Audience, Body, Capability, Cut, Epoch, EpochFault, Grant, GrantFlags, Statement, Wrap, WrapTo,
};

/// One thing that one of nine actors does; the numbers choose.
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
    let deed = (
        0..9_usize,
        0..23_u8,
        0..9_usize,
        0..4_u64,
        1..1_100_i64,
        0..60_i64,
    )
        .prop_map(|(actor, what, other, seq, at, delay)| Deed {
            actor,
            what,
            other,
            seq,
            at,
            delay,
        });
    prop::collection::vec(deed, 1..24)
}

fn cut_of(stage: &Stage, actor: &Actor, seq: u64) -> Cut {
    let id = stage.log.at(actor.chain(), seq).next().unwrap_or_default();
    Cut {
        chain: actor.chain(),
        seq,
        id,
    }
}

/// An invitation to write, for two devices.
fn invite(stage: &mut Stage, issuer: &mut Actor) -> Invitation {
    let terms = Terms {
        invitee: Invitee::Person,
        parent: issuer.grant,
        principal: PrincipalId::from_bytes([88; 16]),
        capability: Capability::Write,
        not_before: minute(0),
        end: minute(END),
        redeem_until: minute(END / 2),
        redemptions: 2,
        long_grace: false,
    };
    let draft = Draft::new(&terms, &mut stage.entropy);
    let grant = stage.say(issuer, 0, &draft.statement());
    draft.issued(stage.space, grant, Vec::new())
}

/// One of three devices comes in, under whichever instance of the invitation's key it likes.
fn redeem(stage: &mut Stage, invitation: &Invitation, deed: &Deed) {
    let guest = guest_of(deed);
    let instance = Instance(deed.seq);
    let redeemed = invitation.redeem(&guest.keys, instance, minute(deed.at));
    let heard = minute(deed.at + deed.delay);
    if let Ok(envelope) = redeemed
        && let Ok(Inserted::New | Inserted::Fork) = stage.log.insert(&envelope, heard)
    {
        stage.all.push((envelope, heard));
    }
}

fn guest_of(deed: &Deed) -> Actor {
    Actor::new(u8::try_from(120 + deed.other % 3).unwrap())
}

/// Some grant that the guest has, or a receipt of the chain in which it stands.
fn about_a_guest(log: &SpaceLog, deed: &Deed) -> Option<Statement> {
    let device = Audience::Author(guest_of(deed).keys.author());
    let mut redeemed = log.control().filter(|(_entry, statement)| {
        matches!(statement, Statement::Grant(grant) if grant.audience == device)
    });
    let (entry, _grant) = redeemed.nth(usize::from(deed.seq > 1))?;
    let cut = Cut {
        chain: entry.header().chain,
        seq: entry.header().seq,
        id: entry.id(),
    };
    Some(if deed.what == 14 {
        Statement::Revoke {
            target: entry.id(),
            cuts: Vec::new(),
            reason: 0,
        }
    } else {
        Statement::Receipt {
            cuts: vec![cut],
            at: minute(deed.at),
        }
    })
}

fn perform(stage: &mut Stage, actors: &mut [Actor], invitation: &Invitation, deed: &Deed) {
    let target = actors[deed.other].grant;
    let cuts = vec![cut_of(stage, &actors[deed.other], deed.seq)];
    let ancestors: Vec<_> = stage
        .log
        .head(actors[deed.other].chain())
        .filter(|_head| deed.other != deed.actor)
        .map(|(_seq, id)| id)
        .into_iter()
        .collect();
    let heard = deed.at + deed.delay;
    let actor = &mut actors[deed.actor];
    let statement = match deed.what {
        0..=4 => {
            let envelope = content(stage, actor, deed, &ancestors);
            if stage.log.insert(&envelope, minute(heard)).is_ok() {
                actor.said(&envelope);
                stage.all.push((envelope, minute(heard)));
            }
            return;
        }
        5 | 6 => {
            // What the actor says next takes the same position: a fork.
            let envelope = content(stage, actor, deed, &ancestors);
            if stage.log.insert(&envelope, minute(heard)).is_ok() {
                stage.all.push((envelope, minute(heard)));
            }
            return;
        }
        7 => Statement::Revoke {
            target,
            cuts,
            reason: 0,
        },
        8 => Statement::Close { target, cuts },
        9 => Statement::Receipt {
            cuts,
            at: minute(deed.at),
        },
        10 => {
            let key = EpochKey::from_bytes([u8::try_from(deed.other).unwrap(); 32]);
            let public = if deed.seq == 0 { [9; 32] } else { key.public() };
            Statement::Epoch(Epoch {
                number: deed.seq,
                commit: key.commit(),
                public,
                wraps: Vec::new(),
                previous: None,
            })
        }
        11 => reject(&stage.log, deed, target),
        13 => return redeem(stage, invitation, deed),
        14..=22 => match rare(stage, actor, deed) {
            Some(statement) => statement,
            None => return,
        },
        _ => {
            let audience = Actor::new(u8::try_from(100 + deed.other).unwrap());
            let mut grant = super::stage::grant_to(&audience, Capability::Write);
            grant.parent = Some(actor.grant);
            Statement::Grant(grant)
        }
    };
    let position = actor.position(stage.space, deed.at);
    let envelope = envelope::control(&actor.keys, position, &statement).unwrap();
    if stage.log.insert(&envelope, minute(heard)).is_ok() {
        actor.said(&envelope);
        stage.all.push((envelope, minute(heard)));
    }
}

/// What is said seldom, if there is anything to say it of.
fn rare(stage: &Stage, actor: &Actor, deed: &Deed) -> Option<Statement> {
    match deed.what {
        14 | 15 => about_a_guest(&stage.log, deed),
        16 => Some(share(&stage.log, deed)),
        17 => proof(stage, deed),
        18 => Some(Statement::BreakGlass {
            reason: "storage is burning".to_owned(),
        }),
        _ => Some(Statement::Grant(odd_grant(actor, deed))),
    }
}

/// A body of one of the kinds that count as content.
fn content(stage: &mut Stage, actor: &Actor, deed: &Deed, ancestors: &[EnvelopeId]) -> Envelope {
    let body = match deed.seq {
        0 => Body::Changes(vec![ByteBuf::from(*b"x")]),
        1 => Body::Entries(vec![ByteBuf::from(*b"x")]),
        2 => Body::Merge,
        _ => Body::Snapshot(Vec::new()),
    };
    let mut position = actor.position(stage.space, deed.at);
    position.ancestors = ancestors.to_vec();
    stage.sealed(actor, position, &body)
}

/// Gives a key of some epoch to somebody.
fn share(log: &SpaceLog, deed: &Deed) -> Statement {
    let mut epochs = log
        .control()
        .filter(|(_entry, it)| matches!(it, Statement::Epoch(_)));
    let epoch = epochs.nth(usize::from(deed.seq > 1));
    let to = Actor::new(u8::try_from(100 + deed.other).unwrap());
    let wrap = Wrap {
        to: WrapTo::Device(to.keys.author()),
        enc: [8; 32],
        sealed: vec![8; 48],
    };
    Statement::EpochShare {
        epoch: epoch.map(|(entry, _it)| entry.id()).unwrap_or_default(),
        wraps: vec![wrap],
    }
}

/// Proves some fork, if there is one.
fn proof(stage: &Stage, deed: &Deed) -> Option<Statement> {
    let mut forked = stage.log.forked_chains();
    let (chain, seq) = forked.nth(usize::from(deed.seq > 1))?;
    let branches: Vec<_> = stage.log.at(chain, seq).take(2).collect();
    let raw = |id: &EnvelopeId| {
        let mut all = stage.all.iter();
        let found = all.find(|(envelope, _received)| envelope.id() == *id);
        found.map(|(envelope, _received)| envelope.raw())
    };
    let (one, other) = (raw(branches.first()?)?, raw(branches.get(1)?)?);
    Fork::statement(one, other)
}

/// Grants of the kinds that few people give: with days of grace, to another Space's readers, sealed for an
/// emergency.
fn odd_grant(actor: &Actor, deed: &Deed) -> Grant {
    let audience = Actor::new(u8::try_from(100 + deed.other).unwrap());
    let mut grant = super::stage::grant_to(&audience, Capability::Write);
    grant.parent = Some(actor.grant);
    grant.end = minute(END / 2);
    match deed.what {
        19 | 20 => grant.flags = GrantFlags::LONG_GRACE,
        21 => grant.flags = GrantFlags::BREAK_GLASS,
        _ => {
            grant.audience = Audience::ReadersOf(OUTSIDE);
            grant.capability = Capability::Read;
        }
    }
    grant
}

/// Another Space, in which some may read.
const OUTSIDE: SpaceId = SpaceId::from_bytes([77; 32]);

/// Whoever takes part: who administers, two who may end neither each other, who writes with days of grace, who
/// reads, a relay, a sealed key, and somebody who reads through another Space.
fn actors(stage: &mut Stage, mut cast: Cast) -> Vec<Actor> {
    // Carol's equal: neither may end the other, both may end and let in others.
    let [mut erin, mut sealed, mut outside] = [8, 9, 10].map(Actor::new);
    stage.grant(&mut cast.alice, &mut erin, 0, |grant| {
        grant.capability = Capability::Administer;
        grant.depth_left = 5;
    });
    stage.grant(&mut cast.anchor, &mut sealed, 0, |grant| {
        grant.flags = GrantFlags::BREAK_GLASS;
        grant.depth_left = 1;
    });
    stage.grant(&mut cast.alice, &mut outside, 0, |grant| {
        grant.audience = Audience::ReadersOf(OUTSIDE);
        grant.capability = Capability::Read;
    });
    stage.grant(&mut cast.alice, &mut cast.bob, 0, |grant| {
        grant.flags = GrantFlags::LONG_GRACE;
        grant.end = minute(END / 2);
    });
    let mut readers = BTreeMap::new();
    readers.insert(outside.keys.author(), minute(END));
    let known = OutsideSpace {
        readers,
        ..OutsideSpace::default()
    };
    stage.outsiders.0.insert(OUTSIDE, known);
    vec![
        cast.anchor,
        cast.alice,
        cast.carol,
        erin,
        cast.bob,
        cast.rita,
        cast.relay,
        sealed,
        outside,
    ]
}

/// Whether something waits because of when it came here.
fn waits_by_time(verdicts: &BTreeMap<EnvelopeId, Verdict>) -> bool {
    let by_time = [Held::Expired, Held::RedeemedLate, Held::Redeemed].map(Verdict::Held);
    verdicts.values().any(|it| by_time.contains(it))
}

/// What came too late and has something that counts on top of it counts by that, elsewhere by itself.
fn by_whom_apart(verdicts: BTreeMap<EnvelopeId, Verdict>) -> BTreeMap<EnvelopeId, Verdict> {
    let counted = |(id, verdict): (EnvelopeId, Verdict)| {
        let vouched = verdict == Verdict::Vouched;
        (id, if vouched { Verdict::Admitted } else { verdict })
    };
    verdicts.into_iter().map(counted).collect()
}

/// Complains of some epoch, rightly or not.
fn reject(log: &SpaceLog, deed: &Deed, grant: EnvelopeId) -> Statement {
    let key = EpochKey::from_bytes([u8::try_from(deed.other).unwrap(); 32]);
    let fault = if deed.seq == 0 {
        EpochFault::Omits { grant }
    } else {
        EpochFault::FalsePublic(key.opening())
    };
    let epoch = log
        .control()
        .find(|(_entry, statement)| match statement {
            Statement::Epoch(epoch) => deed.seq == 0 || epoch.commit == key.commit(),
            _ => false,
        })
        .map(|(entry, _statement)| entry.id());
    Statement::EpochReject {
        epoch: epoch.unwrap_or_default(),
        fault,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a38_any_order_of_arrival_gives_one_evaluation(deeds in deeds(), seed: u64) {
        let (mut stage, cast) = stage();
        let mut actors = actors(&mut stage, cast);
        let invitation = invite(&mut stage, &mut actors[1]);
        for deed in &deeds {
            perform(&mut stage, &mut actors, &invitation, deed);
        }
        let now = 1_200;
        let evaluation = evaluate(&stage.log, &stage.outsiders, minute(now));
        let mut decided: Option<BTreeMap<EnvelopeId, Verdict>> = None;
        for replica in 0..5 {
            // The first heard all as it was said, the others each when they did.
            let heard = if replica == 0 { stage.as_heard(None) } else { stage.as_heard(Some(seed ^ replica)) };
            prop_assert_eq!(heard.log.summary(), stage.log.summary());
            let mut order = heard.all.clone();
            shuffle(&mut order, seed.wrapping_add(replica));
            let verdicts = heard.arrive(order, now);
            let fresh = evaluate(&heard.log, &heard.outsiders, minute(now));
            for (id, verdict) in &verdicts {
                prop_assert_eq!(*verdict, fresh.verdict(*id));
            }
            // Arrival times tell only what waits; where nothing does, all come to the same.
            if !waits_by_time(&verdicts) {
                let verdicts = by_whom_apart(verdicts);
                let first = decided.get_or_insert_with(|| verdicts.clone());
                prop_assert_eq!(&*first, &verdicts);
            }
        }
        for id in evaluation.in_order() {
            prop_assert!(evaluation.verdict(id).counts());
        }
    }

    #[test]
    fn a08_no_grant_under_a_grant_gives_more(
        capability in 0..5_usize, flags in 0..8_u8, not_before in -5..5_i64, end in 995..1_005_i64,
        depth_left in 0..5_u8, redemptions in 0..2_u16,
        redeem_until in prop_oneof![Just(-16_667_i64), 0..1_005_i64], redirect: bool,
    ) {
        let (mut stage, mut cast) = stage();
        let mut issuer = Actor::new(90);
        stage.grant(&mut cast.alice, &mut issuer, 1, |grant| grant.depth_left = 2);
        let capability = [Capability::Relay, Capability::Read, Capability::Comment,
            Capability::Write, Capability::Administer][capability];
        let mut marks = GrantFlags::NONE;
        for (bit, mark) in [GrantFlags::WITNESS, GrantFlags::BREAK_GLASS, GrantFlags::INVITATION].into_iter().enumerate() {
            if flags & (1 << bit) != 0 {
                marks = marks.with(mark);
            }
        }
        let mut audience = Actor::new(91);
        let change = |grant: &mut Grant| {
            grant.capability = capability;
            grant.flags = marks;
            grant.not_before = minute(not_before);
            grant.end = minute(end);
            grant.depth_left = depth_left;
            grant.redemptions = redemptions;
            grant.redeem_until = minute(redeem_until);
            if !redirect {
                grant.principal = PrincipalId::from_bytes([90; 16]);
            }
        };
        let id = stage.grant(&mut issuer, &mut audience, 2, change);
        let invites = marks == GrantFlags::INVITATION;
        let inside = capability <= Capability::Write && not_before >= 0 && end <= 1_000
            && depth_left < 2 && !redirect
            && (marks == GrantFlags::NONE || invites)
            && invites == (redemptions > 0)
            && (if invites { (not_before..=end).contains(&redeem_until) } else { minute(redeem_until) == crate::time::Timestamp::ZERO })
            && (!invites || (capability >= Capability::Read && depth_left > 0));
        let verdict = evaluate(&stage.log, &Outsiders::none(), minute(3)).verdict(id);
        prop_assert_eq!(verdict == Verdict::Admitted, inside, "{:?}", verdict);
    }

    #[test]
    fn a44_altered_bytes_are_refused_and_never_panic(at: prop::sample::Index, bit in 0..8_u8, part in 0..3_usize) {
        let (stage, _cast) = stage();
        let (envelope, _received) = &stage.all[2];
        let mut raw = envelope.raw().clone();
        let bytes = match part {
            0 => &mut raw.header,
            1 => &mut raw.signature,
            _ => raw.body.as_mut().unwrap(),
        };
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // A replica that trusted its store would still not panic on it.
        let recalled = raw.clone().recall();
        prop_assert!(raw.verify().is_err());
        if let Ok(envelope) = recalled {
            let mut log = stage.log.clone();
            if log.insert(&envelope, minute(5)).is_ok() {
                evaluate(&log, &Outsiders::none(), minute(6));
            }
        }
    }
}
