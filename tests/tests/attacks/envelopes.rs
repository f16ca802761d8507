//! Envelopes that were altered, forged, moved or repeated.

use std::time::Duration;

use aramaki_sync_core::SpaceId;
use aramaki_sync_core::admission::Verdict;
use aramaki_sync_core::engine::Refusal;
use aramaki_sync_core::envelope::{Envelope, RawEnvelope};
use serde_bytes::ByteBuf;

use crate::actor::revoke;
use crate::world::{ALICE, BOB, MALLORY, RELAY, RITA, World, minute, note};

/// Bob's newest envelope, as a peer could have recorded it.
fn recorded(world: &mut World) -> Envelope {
    let id = world.write(BOB, "pay nobody");
    let mut store = world.peers[BOB].store.iter();
    store
        .find(|it| it.envelope.id() == id)
        .unwrap()
        .envelope
        .clone()
}

/// The attacker carries bob's envelope to alice and alters it: she refuses it by name, and gets the
/// true one later.
fn altered(change: impl FnOnce(&mut RawEnvelope)) {
    let mut world = World::new();
    world.attacker();
    world.let_in_to_relay();
    world.connect(MALLORY, ALICE);
    world.disconnect(RELAY, BOB);
    world.disconnect(RELAY, RITA);
    world.disconnect(MALLORY, BOB);
    let honest = recorded(&mut world);
    let mut raw = honest.raw().clone();
    change(&mut raw);
    world.inject_raw(ALICE, vec![raw]);
    let refused = &world.peers[ALICE].refused;
    let form = |(_id, reason): &(_, Refusal)| *reason == Refusal::Form;
    assert!(refused.iter().any(form), "{refused:?}");
    assert!(!world.shows(ALICE, "pay nobody"));
    world.connect(RELAY, BOB);
    world.connect(RELAY, RITA);
    world.pass(Duration::from_secs(30));
    assert!(world.shows(ALICE, "pay nobody"));
    assert_eq!(world.agreed(honest.id()), Verdict::Admitted);
}

/// A peer that alters a body on its way is refused by name; the person sees the true text later.
#[test]
fn a01_a_tampered_body_is_refused_and_the_true_one_arrives() {
    altered(|raw| {
        let body = raw.body.as_mut().unwrap();
        let last = body.len() - 1;
        body[last] ^= 1;
    });
}

/// Nothing signed by somebody else passes as bob's.
#[test]
fn a02_a_forged_signature_is_refused() {
    altered(|raw| raw.signature[0] ^= 1);
}

/// A second encoding of a header is no second envelope, however well it is signed.
#[test]
fn a03_a_second_encoding_is_refused() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let said = mallory.write(&world, 1, "twice");
    let mut raw = said.raw().clone();
    // The chain's instance, padded by a zero group: it stands after version, Space and author.
    let instance = 1 + 32 + 32 + 1;
    raw.header[instance] |= 0x80;
    raw.header.insert(instance + 1, 0);
    let id = blake3::derive_key("aramaki envelope id v1", &raw.header);
    raw.signature = ByteBuf::from(mallory.keys.sign(b"aramaki-env-v1\0", &id));
    let (count, shown) = (world.count(BOB), world.shown(BOB));
    world.inject_raw(BOB, vec![raw]);
    assert_eq!(world.peers[BOB].refused.last().unwrap().1, Refusal::Form);
    assert_eq!((world.count(BOB), world.shown(BOB)), (count, shown));
    world.spread(&[&said]);
    assert_eq!(world.agreed(said.id()), Verdict::Admitted);
}

/// An envelope counts in the Space and document for which it was signed, and nowhere else.
#[test]
fn a04_an_envelope_moved_to_another_document_or_space_is_refused() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let (epoch, key) = world.epoch(&mallory.keys);
    let mut position = mallory.position(&world, minute(1));
    position.space = SpaceId::from_bytes([8; 32]);
    let elsewhere = mallory.seal(position, "meant for others", (epoch, &key));
    world.inject(BOB, &[&elsewhere]);
    assert_eq!(world.peers[BOB].refused.last().unwrap().1, Refusal::Form);
    world.nobody_has(elsewhere.id());
    // The document's name is signed, and the body opens under it alone.
    let document = note();
    altered(|raw| {
        let name = document.as_bytes();
        let at = raw.header.windows(name.len()).position(|it| it == name);
        raw.header[at.unwrap()] ^= 1;
    });
}

/// What was heard once is not heard twice: nothing is stored or shown again.
#[test]
fn a05_a_replay_changes_nothing() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let said = mallory.write(&world, 1, "once");
    world.spread(&[&said]);
    assert_eq!(world.agreed(said.id()), Verdict::Admitted);
    let (shown, count) = (world.shown(RITA), world.count(BOB));
    for _again in 0..20 {
        world.inject(BOB, &[&said, &said]);
        assert_eq!(world.count(BOB), count);
    }
    world.pass(Duration::from_secs(30));
    assert_eq!(world.shown(RITA), shown);
}

/// A control statement travels whole: of a revocation without its body nothing is stored, and the
/// chain above it waits.
#[test]
fn a48_a_revocations_header_without_its_body_does_not_pass() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let own = mallory.grant;
    let revocation = mallory.say(&world, 1, &revoke(own, Vec::new()));
    let above = mallory.write(&world, 2, "after it");
    let mut headless = revocation.raw().clone();
    headless.body = None;
    world.inject_raw(BOB, vec![headless.clone(), above.raw().clone()]);
    let refused = world.peers[BOB].refused.iter();
    let mut refused = refused.filter(|(id, _why)| *id == revocation.id());
    assert_eq!(refused.next().map(|it| it.1), Some(Refusal::Form), "told");
    world.pass(Duration::from_secs(30));
    assert!(world.capability(&mallory.keys).is_some(), "nothing ended");
    world.nobody_has(revocation.id());
    world.nobody_has(above.id());
    headless.body = Some(ByteBuf::from(*b"something else"));
    world.inject_raw(BOB, vec![headless]);
    world.nobody_has(revocation.id());
    // Whole it counts: the insider left.
    world.spread(&[&revocation]);
    let log = world.engine(ALICE).log(world.space).unwrap();
    assert!(log.contains(revocation.id()));
    assert_eq!(world.capability(&mallory.keys), None);
}
