//! Keys withheld, false or kept too long.

use std::time::Duration;

use aramaki_sync_core::EnvelopeId;
use aramaki_sync_core::admission::Verdict;
use aramaki_sync_core::key::{DeviceKeys, EpochKey};
use aramaki_sync_core::statement::{Epoch, Statement, WrapTo};
use aramaki_sync_core::{Entropy, envelope::Envelope};

use crate::actor::{Actor, revoke};
use crate::world::{ALICE, BOB, RITA, World};

/// A reader who was revoked opens nothing that is sealed after, from whomever it gets it.
#[test]
fn a24_a_revoked_reader_cannot_open_the_next_epoch() {
    let mut world = World::new();
    let rita = DeviceKeys::from_seed(*world.peers[RITA].keys.expose_seed());
    let (old, _key) = world.epoch(&rita);
    let target = world.grant_of(RITA);
    world.say(ALICE, revoke(target, Vec::new()));
    world.pass(Duration::from_secs(15));
    let secret = world.write(BOB, "not for rita");
    world.pass(Duration::from_secs(30));
    let sealed = |world: &World| {
        let mut store = world.peers[BOB].store.iter();
        let found = store.find(|it| it.envelope.id() == secret);
        found.unwrap().envelope.clone()
    };
    let envelope = sealed(&world);
    assert_ne!(envelope.header().epoch, old, "the next writer sealed anew");
    // She gets it all the same, and every control statement with it.
    let mut ring = aramaki_sync_core::admission::Keyring::default();
    let log = world.engine(BOB).log(world.space).unwrap();
    ring.learn(log, &rita, &std::collections::BTreeMap::new());
    assert!(ring.get(old).is_some() && ring.get(envelope.header().epoch).is_none());
    for (_epoch, key) in ring.iter() {
        assert!(envelope.open(key).is_err());
    }
    assert!(world.shows(ALICE, "not for rita") && !world.shows(RITA, "not for rita"));
}

/// An epoch by the attacker, sealed to whom it likes.
fn issue(
    world: &World,
    mallory: &mut Actor,
    (committed, public): (&EpochKey, [u8; 32]),
    wrapped: &EpochKey,
    readers: &[&DeviceKeys],
) -> Envelope {
    let number = 40;
    let mut entropy = Entropy::from_seed([44; 32]);
    let wrap = |reader: &&DeviceKeys| {
        let to = WrapTo::Device(reader.author());
        wrapped
            .wrap(&world.space, number, to, &reader.box_public(), &mut entropy)
            .unwrap()
    };
    let epoch = Epoch {
        number,
        commit: committed.commit(),
        public,
        wraps: readers.iter().map(wrap).collect(),
        previous: None,
    };
    mallory.say(world, 1, &Statement::Epoch(epoch))
}

fn everyone() -> [DeviceKeys; 4] {
    [1, 2, 3, 5].map(|seed| DeviceKeys::from_seed([seed; 32]))
}

/// The epoch in which an honest peer's newest note is sealed.
fn sealed_under(world: &World, at: usize, id: EnvelopeId) -> EnvelopeId {
    let log = world.engine(at).log(world.space).unwrap();
    log.get(id).unwrap().header().epoch
}

/// Honest peers write under another epoch, which everyone opens, and the attacker's is rejected for
/// all to see.
fn passed_over(world: &mut World, bad: EnvelopeId, rejected: bool) {
    let written = world.write(BOB, "in a sound epoch");
    world.pass(Duration::from_secs(30));
    assert_ne!(sealed_under(world, ALICE, written), bad);
    for at in [ALICE, BOB, RITA] {
        assert!(world.shows(at, "in a sound epoch"), "peer {at}");
        let evaluation = world.engine(at).evaluation(world.space).unwrap();
        assert_eq!(evaluation.is_epoch_rejected(bad), rejected, "peer {at}");
        assert!(evaluation.epochs()[0].number > 40);
    }
}

/// A key that is not the committed one is not taken.
#[test]
fn a25_a_wrong_wrapped_key_is_passed_over() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let (committed, other) = (EpochKey::from_bytes([1; 32]), EpochKey::from_bytes([2; 32]));
    let readers = everyone();
    let readers: Vec<&DeviceKeys> = readers.iter().collect();
    let public = committed.public();
    let bad = issue(&world, &mut mallory, (&committed, public), &other, &readers);
    world.spread(&[&bad]);
    assert!(
        world
            .engine(BOB)
            .keyring(world.space)
            .unwrap()
            .get(bad.id())
            .is_none()
    );
    passed_over(&mut world, bad.id(), false);
}

/// A false public half would make agents seal to the attacker alone: a reader proves it, everyone
/// passes over it.
#[test]
fn a54_an_epoch_with_a_false_public_half_is_rejected_by_its_readers() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let key = EpochKey::from_bytes([3; 32]);
    let own = EpochKey::from_bytes([4; 32]).public();
    let readers = everyone();
    let readers: Vec<&DeviceKeys> = readers.iter().collect();
    let bad = issue(&world, &mut mallory, (&key, own), &key, &readers);
    world.spread(&[&bad]);
    assert_eq!(world.agreed(bad.id()), Verdict::Admitted);
    passed_over(&mut world, bad.id(), true);
    // Nothing that was written under it by somebody careless is opened by what the proof shows.
    let statements = world.engine(BOB).log(world.space).unwrap().control();
    let shown: Vec<_> = statements
        .filter_map(|(_entry, statement)| match statement {
            Statement::EpochReject { fault, .. } => Some(fault.clone()),
            _ => None,
        })
        .collect();
    assert!(!shown.is_empty());
    let bytes = postcard::to_stdvec(&shown).unwrap();
    let secret = key.expose();
    assert!(!bytes.windows(secret.len()).any(|window| window == secret));
}

/// An epoch that omits a reader is rejected by that reader, who misses nothing.
#[test]
fn a54_an_epoch_that_omits_a_reader_is_rejected_by_that_reader() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let key = EpochKey::from_bytes([5; 32]);
    let [alice, bob, _rita, own] = everyone();
    let bad = issue(
        &world,
        &mut mallory,
        (&key, key.public()),
        &key,
        &[&alice, &bob, &own],
    );
    world.spread(&[&bad]);
    passed_over(&mut world, bad.id(), true);
}
