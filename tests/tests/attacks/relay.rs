//! Strangers, floods and what they learn.

use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_sync_core::engine::{EngineOptions, Quotas, Refusal, Role};
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::{Chain, SpaceId};

use crate::actor::{Actor, revoke};
use crate::world::{ALICE, BOB, HONEST, MALLORY, RELAY, World, minute};

/// What nobody was granted to write takes no room on a relay.
#[test]
fn a36_a_relay_refuses_an_author_whom_nobody_let_in() {
    let mut world = World::new();
    let stolen = world.epoch(&world.peers[BOB].keys);
    world.attacker();
    world.let_in_to_relay();
    let mut nobody = Actor::new(DeviceKeys::from_seed([80; 32]), 1);
    nobody.grant = world.grant_of(BOB);
    let position = nobody.position(&world, minute(1));
    let written = nobody.seal(position, "spam", (stolen.0, &stolen.1));
    world.inject(RELAY, &[&written]);
    let answers = world.answers(MALLORY, &written.id());
    assert_eq!(answers, [Refusal::NoGrant]);
    world.nobody_has(written.id());
}

/// Ten thousand envelopes without the one before them cost a bounded amount of memory, and the one
/// before them still brings in what belongs to it.
#[test]
fn a35_ten_thousand_orphans_are_bounded() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let first = mallory.write(&world, 1, "first");
    let second = mallory.write(&world, 1, "second");
    world.inject(BOB, &[&second]);
    for _hundred in 0..100 {
        let orphans: Vec<_> = (0..100).map(|_| mallory.write(&world, 1, "x")).collect();
        world.inject(BOB, &orphans.iter().collect::<Vec<_>>());
    }
    let pressure = world.engine(BOB).pressure();
    assert!(pressure.orphan_bytes < 64 << 10, "{pressure:?}");
    world.inject(BOB, &[&first]);
    assert!(world.shows(BOB, "first") && world.shows(BOB, "second"));
    world.goes_on();
}

/// Noise ends the attacker's connection and nobody else's.
#[test]
fn a46_a_flood_of_noise_ends_its_own_connection_alone() {
    let (mut world, mallory) = World::with_insider(5_000);
    let lines = world.engine(BOB).peers().count();
    for number in 0..100_u8 {
        world.send_bytes(MALLORY, BOB, vec![4, 0xff, number]);
    }
    assert_eq!(world.line(MALLORY, BOB), None);
    assert_eq!(world.engine(BOB).peers().count(), lines - 1);
    assert!(world.capability(&mallory.keys).is_some());
    world.goes_on();
}

/// A peer that reads nothing and answers nothing costs a window, not memory without end.
#[test]
fn a46_a_peer_that_never_answers_costs_a_window() {
    let (mut world, _mallory) = World::with_insider(5_000);
    let long = "x".repeat(100 << 10);
    for _entry in 0..40 {
        world.write(ALICE, &long);
    }
    world.pass(Duration::from_secs(30));
    for at in HONEST {
        let pressure = world.engine(at).pressure();
        assert!(
            pressure.outstanding_bytes <= 3 << 20,
            "peer {at}: {pressure:?}"
        );
    }
    world.goes_on();
}

/// What a stranger hears who asks a peer for a Space in every way that there is.
fn told_to_a_stranger(world: &mut World, peer: usize, space: SpaceId) -> Vec<Vec<u8>> {
    world.peers[MALLORY].inbox.clear();
    let digests = vec![(space, [0_u8; 32])];
    world.send_frame(MALLORY, peer, 1, &digests);
    world.send_frame(MALLORY, peer, 2, &(space, 0_u64, [0_u8; 32]));
    let chains: Vec<(Chain, u64, Vec<[u8; 32]>)> = Vec::new();
    world.send_frame(MALLORY, peer, 3, &(space, chains, true));
    world.write(ALICE, "behind closed doors");
    world.pass(Duration::from_mins(1));
    std::mem::take(&mut world.peers[MALLORY].inbox)
}

/// Whoever is nobody hears a greeting, whatever it asks, and cannot tell a Space that exists from one
/// that does not: neither from a member nor from a relay.
#[test]
fn a47_a_stranger_learns_nothing() {
    for peer in [BOB, RELAY] {
        let mut world = World::new();
        world.attacker();
        let real = world.space;
        let invented = SpaceId::from_bytes([1; 32]);
        let of_real = told_to_a_stranger(&mut world, peer, real);
        let nothing = told_to_a_stranger(&mut world, peer, invented);
        assert_eq!(of_real, nothing, "of peer {peer}");
        assert!(of_real.iter().all(|frame| frame[0] == 0), "{of_real:?}");
    }
}

/// Who was sent away waits to be let in again and listens to everybody; it tells nobody who writes there.
#[test]
fn a47_a_former_member_tells_a_stranger_nothing_of_what_it_has() {
    let mut world = World::new();
    world.attacker();
    let own = world.grant_of(BOB);
    world.say(BOB, revoke(own, Vec::new()));
    world.pass(Duration::from_secs(15));
    assert_eq!(world.engine(BOB).capability(world.space), None);
    let space = world.space;
    let heard = told_to_a_stranger(&mut world, BOB, space);
    let alice = world.peers[ALICE].keys.author();
    let names = |frame: &Vec<u8>| {
        let mut windows = frame.windows(32);
        windows.any(|bytes| bytes == alice.as_bytes())
    };
    assert!(!heard.iter().any(names), "it names who writes there");
}

/// A relay has a few places for Spaces that it does not have yet, and nobody takes them all.
#[test]
fn a36_a_stranger_who_offers_many_spaces_keeps_no_other_out() {
    let mut world = World::new();
    world.attacker();
    for number in 0..=u8::MAX {
        let invented = SpaceId::from_bytes([number; 32]);
        world.send_frame(MALLORY, RELAY, 1, &vec![(invented, [0_u8; 32])]);
    }
    let made: Vec<_> = (0..20).map(|_one| world.found_another()).collect();
    world.pass(Duration::from_mins(2));
    for space in made {
        assert!(world.engine(RELAY).log(space).is_some(), "never taken");
    }
}

/// A relay that serves some devices takes up no other's Space, whoever they say let them in.
#[test]
fn a36_a_relay_that_serves_some_takes_up_nothing_for_others() {
    for (serves_alice, taken) in [(true, true), (false, false)] {
        let mut world = World::new();
        let served = if serves_alice { ALICE } else { BOB };
        let served = world.peers[served].keys.author();
        world.reopen_relay(|options| options.serves = Some(BTreeSet::from([served])));
        let space = world.found_another();
        world.pass(Duration::from_mins(2));
        assert_eq!(world.engine(RELAY).log(space).is_some(), taken);
        assert!(
            world.engine(RELAY).log(world.space).is_some(),
            "what it has stays"
        );
    }
}

/// A relay that is full takes nothing more, tells who sends it, and takes it once there is room.
#[test]
fn a36_a_full_relay_says_later() {
    let mut world = World::new();
    let quota = |bytes| {
        let quotas = Quotas {
            total_bytes_max: bytes,
            ..Quotas::default()
        };
        move |options: &mut EngineOptions| options.role = Role::Relay(quotas)
    };
    world.reopen_relay(quota(1));
    let written = world.write(ALICE, "no room for it");
    world.pass(Duration::from_mins(1));
    assert!(
        !world
            .engine(RELAY)
            .log(world.space)
            .unwrap()
            .contains(written)
    );
    world.reopen_relay(quota(1 << 30));
    world.pass(Duration::from_mins(1));
    assert!(
        world
            .engine(RELAY)
            .log(world.space)
            .unwrap()
            .contains(written)
    );
}
