//! Snapshots that say what nobody wrote.

use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_sync_core::admission::Verdict;
use aramaki_sync_core::engine::{Bodies, Input};
use aramaki_sync_core::statement::Body;
use aramaki_sync_core::{EnvelopeId, codec};
use serde_bytes::ByteBuf;

use crate::world::{ALICE, BOB, RELAY, RITA, World, changes, minute, note};

fn plain(body: &Body) -> ByteBuf {
    ByteBuf::from(codec::encode(body).unwrap())
}

fn list(mut bodies: Vec<(EnvelopeId, ByteBuf)>) -> Body {
    bodies.sort_unstable();
    Body::Snapshot(bodies)
}

fn keep(world: &mut World, at: usize, bodies: Bodies) {
    let space = world.space;
    world.handle(at, Input::KeepBodies { space, bodies });
    world.settle();
}

/// What a peer shows, whatever came first there.
fn texts(world: &World, at: usize) -> BTreeSet<String> {
    world.shown(at).into_iter().collect()
}

/// Rita has only headers of the note, then opens it: what she lacks may come out of snapshots.
fn rita_opens_the_note_later(mut world: World, tell: impl FnOnce(&mut World)) -> World {
    keep(&mut world, RITA, Bodies::Documents(BTreeSet::new()));
    for text in ["pay alice", "and nobody else"] {
        world.write(BOB, text);
    }
    world.pass(Duration::from_secs(15));
    tell(&mut world);
    world.pass(Duration::from_secs(15));
    assert!(world.shown(RITA).len() < world.shown(ALICE).len());
    keep(&mut world, RITA, Bodies::All);
    world.pass(Duration::from_mins(1));
    world
}

/// An insider lists false words under bob's name. Who reads the snapshot shows what bob wrote and is told
/// whose snapshot it is and what is wrong; who has everything never reads it.
#[test]
fn a49_a_forged_snapshot_under_anothers_actor_changes_nothing_and_is_told() {
    let (world, mut mallory) = World::with_insider(5_000);
    let mut forged = None;
    let world = rita_opens_the_note_later(world, |world| {
        let admitted = world.engine(BOB).admitted(world.space, note());
        let bobs = world.peers[BOB].keys.author();
        let bobs = admitted.iter().filter(|it| it.chain.author == bobs);
        let lie = plain(&changes("pay mallory"));
        let lies: Vec<_> = bobs.map(|it| (it.id, lie.clone())).collect();
        assert_eq!(lies.len(), 2);
        let (epoch, key) = world.epoch(&mallory.keys);
        let position = mallory.position(world, minute(1));
        let said = mallory.seal_body(position, &list(lies), (epoch, &key));
        world.spread(&[&said]);
        assert_eq!(world.agreed(said.id()), Verdict::Admitted);
        forged = Some(said.id());
    });
    for at in [ALICE, BOB, RITA] {
        assert!(!world.shows(at, "pay mallory"), "peer {at} believes it");
        assert!(world.shows(at, "pay alice") && world.shows(at, "and nobody else"));
    }
    assert_eq!(texts(&world, RITA), texts(&world, ALICE));
    let [(author, id, text)] = world.peers[RITA].snapshots.as_slice() else {
        panic!("rita was not told once: {:?}", world.peers[RITA].snapshots);
    };
    assert_eq!((*author, Some(*id)), (mallory.keys.author(), forged));
    assert!(text.contains("2 not what their authors signed"), "{text}");
    for at in [ALICE, BOB, RELAY] {
        assert!(world.peers[at].snapshots.is_empty(), "peer {at} read it");
    }
}

/// What an insider writes under its own key counts as its own, in a snapshot as out of it; what it lists
/// of envelopes that were never sent, of control and of other documents is nothing.
#[test]
fn a49_a_snapshot_brings_in_nothing_that_was_not_sent_for_itself() {
    let (world, mut mallory) = World::with_insider(5_000);
    let world = rita_opens_the_note_later(world, |world| {
        let (epoch, key) = world.epoch(&mallory.keys);
        let position = mallory.position(world, minute(1));
        let mut twin = mallory.twin();
        let never_sent = twin.seal_body(position.clone(), &changes("never sent"), (epoch, &key));
        let grant = mallory.grant;
        let bodies = vec![
            (never_sent.id(), plain(&changes("never sent"))),
            (grant, plain(&changes("a grant, it says"))),
            (EnvelopeId::from_bytes([9; 32]), ByteBuf::from(*b"noise")),
        ];
        let said = mallory.seal_body(position, &list(bodies), (epoch, &key));
        world.spread(&[&said]);
        assert_eq!(world.agreed(said.id()), Verdict::Admitted);
    });
    assert_eq!(texts(&world, RITA), texts(&world, ALICE));
    assert!(!world.shows(RITA, "never sent"));
    let told = &world.peers[RITA].snapshots;
    assert!(
        told[0]
            .2
            .contains("2 of an envelope that is not in this Space"),
        "{told:?}"
    );
}

/// A reader's snapshot is refused like anything else that it writes: nobody reads it.
#[test]
fn a49_who_may_not_write_gives_no_snapshot() {
    let (world, mut mallory) = World::with_insider(5_000);
    mallory.grant = world.grant_of(RITA);
    let world = rita_opens_the_note_later(world, |world| {
        let admitted = world.engine(BOB).admitted(world.space, note());
        let lie = plain(&changes("pay mallory"));
        let lies = admitted.iter().map(|it| (it.id, lie.clone())).collect();
        let (epoch, key) = world.epoch(&mallory.keys);
        let position = mallory.position(world, minute(1));
        let said = mallory.seal_body(position, &list(lies), (epoch, &key));
        world.spread(&[&said]);
        assert!(!world.verdict(BOB, said.id()).counts());
    });
    assert_eq!(texts(&world, RITA), texts(&world, ALICE));
    assert!(world.peers[RITA].snapshots.is_empty());
}
