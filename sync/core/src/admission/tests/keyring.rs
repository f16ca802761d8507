//! Epoch keys: who opens which.

use std::collections::BTreeMap;

use super::stage::{Actor, Cast, END, Stage, minute, stage};
use crate::admission::{
    EpochInForce, Keyring, OutsideSpace, Outsiders, RotationReason, Verdict, evaluate,
};
use crate::entropy::Entropy;
use crate::id::{EnvelopeId, SpaceId};
use crate::key::EpochKey;
use crate::statement::{Audience, Capability, Epoch, Statement, WrapTo};

fn rotate(stage: &mut Stage, by: &mut Actor, ring: &mut Keyring, at: i64) -> EnvelopeId {
    rotate_with(stage, by, ring, at, &Outsiders::none())
}

fn rotate_with(
    stage: &mut Stage,
    by: &mut Actor,
    ring: &mut Keyring,
    at: i64,
    outsiders: &Outsiders,
) -> EnvelopeId {
    let evaluation = evaluate(&stage.log, outsiders, minute(at));
    let rotation = ring
        .rotation(
            &evaluation,
            stage.space,
            outsiders,
            minute(at),
            &mut stage.entropy,
        )
        .unwrap();
    let id = stage.say(by, at, &rotation.statement);
    ring.insert(id, rotation.key);
    id
}

fn learned(stage: &Stage, actor: &Actor) -> Keyring {
    let mut ring = Keyring::default();
    ring.learn(&stage.log, &actor.keys, &BTreeMap::new());
    ring
}

fn due(stage: &Stage, ring: &Keyring, at: i64) -> Option<RotationReason> {
    let none = Outsiders::none();
    ring.rotation_due(&stage.log, &stage.evaluate(at), &none, minute(at))
}

#[test]
fn every_reader_opens_the_epoch_in_force_and_the_ones_before() {
    let (mut stage, mut cast) = stage();
    let mut ring = Keyring::default();
    assert_eq!(due(&stage, &ring, 1), Some(RotationReason::First));
    let first = rotate(&mut stage, &mut cast.alice, &mut ring, 1);
    assert_eq!(due(&stage, &ring, 1), None);
    let mut late = Actor::new(80);
    stage.grant(&mut cast.alice, &mut late, 2, |_grant| {});
    let second = rotate(&mut stage, &mut cast.alice, &mut ring, 3);
    let evaluation = stage.evaluate(4);
    for actor in [&cast.bob, &cast.rita, &cast.carol, &late] {
        let ring = learned(&stage, actor);
        assert!(ring.get(first).is_some(), "history by the previous link");
        assert_eq!(ring.in_force(&stage.log, &evaluation).unwrap().0, second);
    }
    let relay = learned(&stage, &cast.relay);
    assert_eq!(relay.iter().count(), 0, "a relay is blind");
}

#[test]
fn a24_a_revoked_or_expired_reader_cannot_open_the_next_epoch() {
    let (mut stage, mut cast) = stage();
    let mut ring = Keyring::default();
    rotate(&mut stage, &mut cast.alice, &mut ring, 1);
    let revoke = Statement::Revoke {
        target: cast.rita.grant,
        cuts: Vec::new(),
        reason: 1,
    };
    stage.say(&mut cast.alice, 2, &revoke);
    assert_eq!(due(&stage, &ring, 3), Some(RotationReason::ReaderLeft));
    let second = rotate(&mut stage, &mut cast.alice, &mut ring, 3);
    assert!(learned(&stage, &cast.rita).get(second).is_none());
    assert!(learned(&stage, &cast.bob).get(second).is_some());
    assert_eq!(
        due(&stage, &ring, END + 1),
        Some(RotationReason::ReaderLeft)
    );
}

#[test]
fn a25_a_wrapped_key_that_is_not_the_committed_one_is_not_taken() {
    let (mut stage, mut cast) = stage();
    let mut entropy = Entropy::from_seed([81; 32]);
    let (key, other) = (
        EpochKey::generate(&mut entropy),
        EpochKey::generate(&mut entropy),
    );
    let carol = (
        WrapTo::Device(cast.carol.keys.author()),
        cast.carol.keys.box_public(),
    );
    let epoch = Statement::Epoch(Epoch {
        number: 1,
        commit: key.commit(),
        public: key.public(),
        wraps: vec![
            other
                .wrap(&stage.space, 1, carol.0, &carol.1, &mut entropy)
                .unwrap(),
        ],
        previous: None,
    });
    let id = stage.say(&mut cast.bob, 1, &epoch);
    let ring = learned(&stage, &cast.carol);
    assert!(ring.get(id).is_none());
    assert_eq!(due(&stage, &ring, 2), Some(RotationReason::Unreadable));
}

#[test]
fn a54_an_epoch_with_a_false_public_half_is_not_written_in() {
    let (mut stage, mut cast) = stage();
    let mut ring = Keyring::default();
    let good = rotate(&mut stage, &mut cast.alice, &mut ring, 1);
    let mut entropy = Entropy::from_seed([82; 32]);
    let key = EpochKey::generate(&mut entropy);
    let to = (
        WrapTo::Device(cast.alice.keys.author()),
        cast.alice.keys.box_public(),
    );
    let epoch = Statement::Epoch(Epoch {
        number: 2,
        commit: key.commit(),
        public: EpochKey::generate(&mut entropy).public(),
        wraps: vec![
            key.wrap(&stage.space, 2, to.0, &to.1, &mut entropy)
                .unwrap(),
        ],
        previous: None,
    });
    stage.say(&mut cast.bob, 2, &epoch);
    let ring = learned(&stage, &cast.alice);
    let evaluation = stage.evaluate(3);
    assert_eq!(ring.in_force(&stage.log, &evaluation).unwrap().0, good);
    assert_eq!(due(&stage, &ring, 3), Some(RotationReason::FalsePublic));
    let confirmed = evaluation.outside().epoch.unwrap();
    assert_eq!(
        confirmed.id, good,
        "an agent seals to what an administrator confirmed"
    );
}

#[test]
fn a_late_device_gets_its_key_by_a_share() {
    let (mut stage, mut cast) = stage();
    let mut ring = Keyring::default();
    let first = rotate(&mut stage, &mut cast.alice, &mut ring, 1);
    let mut late = Actor::new(83);
    stage.grant(&mut cast.alice, &mut late, 2, |_grant| {});
    assert!(learned(&stage, &late).get(first).is_none());
    let evaluation = stage.evaluate(3);
    let shares = ring.share(&stage.log, &evaluation, minute(3), &mut stage.entropy);
    assert_eq!(shares.len(), 1);
    stage.say(&mut cast.alice, 3, &shares[0]);
    assert!(learned(&stage, &late).get(first).is_some());
    let evaluation = stage.evaluate(4);
    let again = ring.share(&stage.log, &evaluation, minute(4), &mut stage.entropy);
    assert!(again.is_empty(), "everyone has it");
}

#[test]
fn readers_of_a_system_open_the_agents_space_through_its_epoch() {
    let (mut system, mut people): (Stage, Cast) = stage();
    let mut system_ring = Keyring::default();
    rotate(&mut system, &mut people.alice, &mut system_ring, 1);
    let system_view = system.evaluate(2).outside();
    let mut outsiders = Outsiders::none();
    outsiders
        .0
        .insert(SpaceId::from_bytes([84; 32]), system_view);

    let (mut own, mut cast) = stage();
    let mut audience = Actor::new(85);
    stage_audience(&mut own, &mut cast, &mut audience);
    let mut ring = Keyring::default();
    let epoch = rotate_with(&mut own, &mut cast.alice, &mut ring, 2, &outsiders);
    let rita_in_system = learned(&system, &people.rita);
    let mut opened = Keyring::default();
    let others = BTreeMap::from([(SpaceId::from_bytes([84; 32]), &rita_in_system)]);
    let stranger = Actor::new(86);
    assert_eq!(opened.learn(&own.log, &stranger.keys, &others), [epoch]);

    let moved = EpochInForce {
        id: EnvelopeId::from_bytes([1; 32]),
        number: 9,
        public: cast.bob.keys.box_public(),
    };
    let newer = OutsideSpace {
        epoch: Some(moved),
        ..OutsideSpace::default()
    };
    outsiders.0.insert(SpaceId::from_bytes([84; 32]), newer);
    let evaluation = evaluate(&own.log, &outsiders, minute(3));
    assert_eq!(
        ring.rotation_due(&own.log, &evaluation, &outsiders, minute(3)),
        Some(RotationReason::AudienceMoved)
    );
}

fn stage_audience(stage: &mut Stage, cast: &mut Cast, audience: &mut Actor) {
    let granted = stage.grant(&mut cast.alice, audience, 1, |grant| {
        grant.audience = Audience::ReadersOf(SpaceId::from_bytes([84; 32]));
        grant.capability = Capability::Read;
    });
    assert_eq!(stage.verdict(granted, 1), Verdict::Admitted);
}
