//! Epoch keys: who opens which.

use std::collections::BTreeMap;

use serde_bytes::ByteBuf;

use super::stage::{Actor, Cast, END, Stage, minute, stage};
use crate::admission::{
    EpochInForce, Keyring, OutsideSpace, Outsiders, Refusal, RotationReason, Verdict, evaluate,
};
use crate::entropy::Entropy;
use crate::envelope;
use crate::id::{DocumentId, EnvelopeId, SpaceId};
use crate::key::EpochKey;
use crate::statement::{Audience, Body, Capability, Epoch, EpochFault, Statement, WrapTo};

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
pub(super) fn every_reader_opens_the_epoch_in_force_and_the_ones_before() {
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
pub(super) fn a24_a_revoked_or_expired_reader_cannot_open_the_next_epoch() {
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
pub(super) fn a25_a_wrapped_key_that_is_not_the_committed_one_is_not_taken() {
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
pub(super) fn a54_an_epoch_with_a_false_public_half_is_not_written_in() {
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

/// An epoch with a chosen public half for some of the cast, said by bob.
fn say_epoch(
    stage: &mut Stage,
    bob: &mut Actor,
    at: i64,
    (key, public): (&EpochKey, [u8; 32]),
    readers: &[&Actor],
) -> EnvelopeId {
    let mut entropy = Entropy::from_seed([83; 32]);
    let wrap = |reader: &&Actor, entropy: &mut Entropy| {
        let to = WrapTo::Device(reader.keys.author());
        key.wrap(&stage.space, 2, to, &reader.keys.box_public(), entropy)
            .unwrap()
    };
    let wraps = readers.iter().map(|it| wrap(it, &mut entropy)).collect();
    let epoch = Statement::Epoch(Epoch {
        number: 2,
        commit: key.commit(),
        public,
        wraps,
        previous: None,
    });
    stage.say(bob, at, &epoch)
}

#[test]
pub(super) fn a54_a_reader_proves_to_everyone_that_a_public_half_is_false() {
    let (mut stage, mut cast) = stage();
    let mut ring = Keyring::default();
    let good = rotate(&mut stage, &mut cast.alice, &mut ring, 1);
    let key = EpochKey::from_bytes([70; 32]);
    let false_half = EpochKey::from_bytes([71; 32]).public();
    let readers = [&cast.alice, &cast.rita, &cast.carol];
    let bad = say_epoch(&mut stage, &mut cast.bob, 2, (&key, false_half), &readers);
    let rita = learned(&stage, &cast.rita);
    let rejection = rita
        .rejection(&stage.log, &stage.evaluate(3), cast.rita.keys.author())
        .unwrap();
    let said = stage.say(&mut cast.rita, 4, &rejection);
    let evaluation = stage.evaluate(5);
    assert_eq!(evaluation.verdict(said), Verdict::Admitted);
    assert!(evaluation.is_epoch_rejected(bad));
    let stranger = Keyring::default();
    assert_eq!(
        stranger.rotation_due(&stage.log, &evaluation, &Outsiders::none(), minute(5)),
        Some(RotationReason::Rejected),
        "even who cannot open it knows"
    );
    assert_eq!(rita.in_force(&stage.log, &evaluation).unwrap().0, good);
    assert!(
        rita.rejection(&stage.log, &evaluation, cast.rita.keys.author())
            .is_none(),
        "it is said once"
    );
    let mut ring = learned(&stage, &cast.alice);
    let next = rotate(&mut stage, &mut cast.alice, &mut ring, 6);
    let evaluation = stage.evaluate(7);
    let (in_force, _key) = ring.in_force(&stage.log, &evaluation).unwrap();
    assert_eq!(in_force, next);
    assert_eq!(
        evaluation.epochs()[0].number,
        3,
        "numbers are not used again"
    );
    assert_eq!(evaluation.outside().epoch.unwrap().id, next);
}

#[test]
pub(super) fn a54_a_reader_whom_an_epoch_omits_shows_it_to_everyone() {
    let (mut stage, mut cast) = stage();
    let mut ring = Keyring::default();
    rotate(&mut stage, &mut cast.alice, &mut ring, 1);
    let key = EpochKey::from_bytes([72; 32]);
    let readers = [&cast.alice, &cast.carol];
    let partial = say_epoch(&mut stage, &mut cast.bob, 2, (&key, key.public()), &readers);
    let rita = learned(&stage, &cast.rita);
    let author = cast.rita.keys.author();
    let rejection = rita
        .rejection(&stage.log, &stage.evaluate(3), author)
        .unwrap();
    stage.say(&mut cast.rita, 3, &rejection);
    assert!(stage.evaluate(4).is_epoch_rejected(partial));
    let mut ring = learned(&stage, &cast.alice);
    let next = rotate(&mut stage, &mut cast.alice, &mut ring, 4);
    assert!(learned(&stage, &cast.rita).get(next).is_some());
    // Once she may not read any more there is nothing to complain about.
    let revoke = Statement::Revoke {
        target: cast.rita.grant,
        cuts: vec![cast.rita.cut()],
        reason: 0,
    };
    stage.say(&mut cast.alice, 5, &revoke);
    assert!(!stage.evaluate(6).is_epoch_rejected(partial));
}

#[test]
pub(super) fn a54_a_fit_epoch_cannot_be_rejected() {
    let (mut stage, mut cast) = stage();
    let mut ring = Keyring::default();
    let fit = rotate(&mut stage, &mut cast.alice, &mut ring, 1);
    let mut late = Actor::new(84);
    stage.grant(&mut cast.alice, &mut late, 2, |grant| {
        grant.capability = Capability::Read;
    });
    let mut keyless = Actor::new(85);
    stage.grant(&mut cast.alice, &mut keyless, 0, |grant| {
        grant.capability = Capability::Read;
        grant.box_key = [0; 32];
    });
    let key = ring.get(fit).unwrap().clone();
    let invented = EpochKey::from_bytes([73; 32]);
    let omits = |grant| EpochFault::Omits { grant };
    let faults = [
        EpochFault::FalsePublic(key.opening()),
        EpochFault::FalsePublic(invented.opening()),
        omits(cast.rita.grant),
        omits(late.grant),
        omits(keyless.grant),
        omits(cast.relay.grant),
        omits(fit),
    ];
    for fault in faults {
        let epoch = fit;
        stage.say(&mut cast.rita, 3, &Statement::EpochReject { epoch, fault });
    }
    let evaluation = stage.evaluate(4);
    assert!(!evaluation.is_epoch_rejected(fit));
    let ring = learned(&stage, &cast.bob);
    assert_eq!(ring.in_force(&stage.log, &evaluation).unwrap().0, fit);
    let none = ring.rejection(&stage.log, &evaluation, cast.bob.keys.author());
    assert!(none.is_none());
}

#[test]
pub(super) fn who_may_not_read_rejects_no_epoch() {
    let (mut stage, mut cast) = stage();
    let key = EpochKey::from_bytes([74; 32]);
    let false_half = EpochKey::from_bytes([75; 32]).public();
    let bad = say_epoch(&mut stage, &mut cast.bob, 2, (&key, false_half), &[]);
    let rejection = Statement::EpochReject {
        epoch: bad,
        fault: EpochFault::FalsePublic(key.opening()),
    };
    let said = stage.say(&mut cast.relay, 3, &rejection);
    let evaluation = stage.evaluate(4);
    assert_eq!(
        evaluation.verdict(said),
        Verdict::Refused(Refusal::Capability)
    );
    assert!(!evaluation.is_epoch_rejected(bad));
}

#[test]
pub(super) fn a_late_device_gets_its_key_by_a_share() {
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

/// An epoch goes with the writer who made it. What others wrote under it stands, and who comes later
/// reads that too.
#[test]
fn a14_work_under_an_epoch_that_was_cut_is_read_by_who_comes_later() {
    let (mut stage, mut cast) = stage();
    let mut ring = Keyring::default();
    rotate(&mut stage, &mut cast.alice, &mut ring, 1);
    let cut = rotate(&mut stage, &mut cast.bob, &mut ring, 2);
    let key = ring.get(cut).unwrap().clone();
    let position = cast.carol.position(stage.space, 3);
    let body = Body::Changes(vec![ByteBuf::from(*b"honest")]);
    let document = DocumentId::named("system");
    let written = envelope::sealed(&cast.carol.keys, position, document, &body, (cut, &key));
    let written = written.unwrap();
    cast.carol.said(&written);
    stage.deliver(&written, minute(3));
    let revoke = Statement::Revoke {
        target: cast.bob.grant,
        cuts: Vec::new(),
        reason: 1,
    };
    stage.say(&mut cast.alice, 4, &revoke);
    rotate(&mut stage, &mut cast.alice, &mut ring, 5);
    let mut late = Actor::new(84);
    stage.grant(&mut cast.alice, &mut late, 6, |_grant| {});
    let evaluation = stage.evaluate(7);
    assert_eq!(evaluation.verdict(cut), Verdict::Cut);
    assert_eq!(evaluation.verdict(written.id()), Verdict::Admitted);
    for shared in ring.share(&stage.log, &evaluation, minute(7), &mut stage.entropy) {
        stage.say(&mut cast.alice, 7, &shared);
    }
    let late = learned(&stage, &late);
    let key = late.get(cut).expect("its key");
    assert_eq!(written.open(key).unwrap(), body);
    let evaluation = stage.evaluate(8);
    let again = ring.share(&stage.log, &evaluation, minute(8), &mut stage.entropy);
    assert!(again.is_empty(), "everyone has it");
}

#[test]
pub(super) fn readers_of_a_system_open_the_agents_space_through_its_epoch() {
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
    let system_space = SpaceId::from_bytes([84; 32]);
    let before = outsiders.0[&system_space].epoch.unwrap();
    let mut newer = OutsideSpace {
        epoch: Some(moved),
        epochs: [before.id, moved.id].into(),
        ..OutsideSpace::default()
    };
    let mut due = |newer: &OutsideSpace| {
        outsiders.0.insert(system_space, newer.clone());
        let evaluation = evaluate(&own.log, &outsiders, minute(3));
        ring.rotation_due(&own.log, &evaluation, &outsiders, minute(3))
    };
    assert_eq!(due(&newer), Some(RotationReason::AudienceMoved));
    // Sealed already to an epoch that is not known here: the one that is may be the older one.
    newer.epochs = [moved.id].into();
    assert_eq!(due(&newer), None);
}

#[test]
pub(super) fn who_cannot_seal_to_an_audience_does_not_lock_it_out() {
    let (mut stage, mut cast) = stage();
    let mut audience = Actor::new(85);
    stage_audience(&mut stage, &mut cast, &mut audience);
    let outside = OutsideSpace {
        epoch: Some(EpochInForce {
            id: EnvelopeId::from_bytes([1; 32]),
            number: 1,
            public: cast.bob.keys.box_public(),
        }),
        ..OutsideSpace::default()
    };
    let known = Outsiders(BTreeMap::from([(SpaceId::from_bytes([84; 32]), outside)]));
    let mut ring = Keyring::default();
    rotate_with(&mut stage, &mut cast.alice, &mut ring, 2, &known);
    let revoke = Statement::Revoke {
        target: cast.rita.grant,
        cuts: Vec::new(),
        reason: 1,
    };
    stage.say(&mut cast.alice, 3, &revoke);
    let evaluation = evaluate(&stage.log, &known, minute(4));
    let due = |outsiders| ring.rotation_due(&stage.log, &evaluation, outsiders, minute(4));
    assert_eq!(due(&known), Some(RotationReason::ReaderLeft));
    assert_eq!(due(&Outsiders::none()), None);
}

fn stage_audience(stage: &mut Stage, cast: &mut Cast, audience: &mut Actor) {
    let granted = stage.grant(&mut cast.alice, audience, 1, |grant| {
        grant.audience = Audience::ReadersOf(SpaceId::from_bytes([84; 32]));
        grant.capability = Capability::Read;
    });
    assert_eq!(stage.verdict(granted, 1), Verdict::Admitted);
}
