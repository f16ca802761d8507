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

/// Other settings of what a relay takes.
fn quotas(change: impl FnOnce(&mut Quotas)) -> impl FnOnce(&mut EngineOptions) {
    let mut quotas = Quotas::default();
    change(&mut quotas);
    move |options| options.role = Role::Relay(quotas)
}

/// The relay starts anew, and the attacker comes back to it too.
fn reopen(world: &mut World, change: impl FnOnce(&mut Quotas)) {
    world.disconnect(MALLORY, RELAY);
    world.reopen_relay(quotas(change));
    world.connect(MALLORY, RELAY);
}

/// A relay that is full takes nothing more, says *later* to who sends it, and takes it once there is room.
#[test]
fn a36_a_full_relay_says_later() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    reopen(&mut world, |quotas| quotas.total_bytes_max = 1);
    let written = world.write(ALICE, "no room for it");
    let sent = mallory.write(&world, 1, "nor for that");
    world.inject(RELAY, &[&sent]);
    world.pass(Duration::from_mins(1));
    let has = |world: &World, id| world.engine(RELAY).log(world.space).unwrap().contains(id);
    assert!(!has(&world, written));
    assert_eq!(world.answers(MALLORY, &sent.id()), [Refusal::Quota]);
    reopen(&mut world, |quotas| quotas.total_bytes_max = 1 << 30);
    world.inject(RELAY, &[&sent]);
    world.pass(Duration::from_mins(1));
    assert!(has(&world, written) && has(&world, sent.id()));
}

/// The same for one Space: others are taken as before.
#[test]
fn a36_a_space_that_is_full_says_later_and_no_other_pays_for_it() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    reopen(&mut world, |quotas| quotas.space_bytes_max = 16 << 10);
    let long = mallory.write(&world, 1, &"x".repeat(20 << 10));
    world.inject(RELAY, &[&long]);
    assert_eq!(world.answers(MALLORY, &long.id()), [Refusal::Quota]);
    let other = world.found_another();
    world.pass(Duration::from_mins(2));
    assert!(world.engine(RELAY).log(other).is_some());
    reopen(&mut world, |_quotas| {});
    world.inject(RELAY, &[&long]);
    assert!(
        world
            .engine(RELAY)
            .log(world.space)
            .unwrap()
            .contains(long.id())
    );
}

/// A relay with no place for one more Space goes on with those that it has.
#[test]
fn a36_a_relay_takes_no_more_spaces_than_it_may() {
    for (most, taken) in [(1, false), (2, true)] {
        let mut world = World::new();
        world.reopen_relay(quotas(|quotas| quotas.spaces_max = most));
        let another = world.found_another();
        world.pass(Duration::from_mins(2));
        assert_eq!(world.engine(RELAY).log(another).is_some(), taken);
        let written = world.write(ALICE, "as before");
        world.pass(Duration::from_secs(30));
        assert!(
            world
                .engine(RELAY)
                .log(world.space)
                .unwrap()
                .contains(written)
        );
    }
}

/// One author begins only so many chains at a relay; those that there are go on.
#[test]
fn a36_an_author_with_too_many_chains_is_told_later() {
    let (mut world, mallory) = World::with_insider(5_000);
    reopen(&mut world, |quotas| quotas.chains_per_author_max = 2);
    let mut chains = [510, 511, 512].map(|instance| {
        let mut chain = mallory.twin();
        chain.instance = aramaki_sync_core::Instance(instance);
        chain
    });
    let begun = chains.each_mut().map(|it| it.write(&world, 1, "begun"));
    world.inject(RELAY, &begun.iter().collect::<Vec<_>>());
    world.pass(Duration::from_secs(10));
    let answers = begun.each_ref().map(|it| world.answers(MALLORY, &it.id()));
    assert_eq!(answers, [vec![], vec![], vec![Refusal::Quota]]);
    let on = chains[0].write(&world, 2, "it goes on");
    world.inject(RELAY, &[&on]);
    assert!(
        world
            .engine(RELAY)
            .log(world.space)
            .unwrap()
            .contains(on.id())
    );
}

/// One author gives only so many grants at a relay, in one envelope after another or all at once; what else
/// they write is taken, and so are others' grants.
#[test]
fn a36_an_author_who_gives_too_many_grants_is_told_later() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    reopen(&mut world, |quotas| quotas.grants_per_author_max = 3);
    let mut given = Vec::new();
    for seed in 200..205 {
        let mut friend = Actor::new(DeviceKeys::from_seed([seed; 32]), 900);
        given.push(mallory.grant_to(&world, 1, &mut friend, |_grant| {}));
    }
    let mut other = mallory.twin();
    (other.instance, other.seq) = (aramaki_sync_core::Instance(600), 0);
    other.previous = aramaki_sync_core::EnvelopeId::ZERO;
    let written = other.write(&world, 1, "something else");
    world.inject(RELAY, &[&given[0]]);
    world.inject(RELAY, &given.iter().collect::<Vec<_>>());
    world.inject(RELAY, &[&written]);
    let log = world.engine(RELAY).log(world.space).unwrap();
    let taken: Vec<_> = given.iter().map(|it| log.contains(it.id())).collect();
    assert_eq!(taken, [true, true, true, false, false]);
    assert!(log.contains(written.id()));
    let answers = world.answers(MALLORY, &given[3].id());
    assert_eq!(answers.first(), Some(&Refusal::Quota));
    // Alice gave more than three before; what she gives now waits at her, and she is told so too.
    let bobs = world.grant_of(BOB);
    let revoked = world.say(ALICE, revoke(bobs, Vec::new()));
    world.pass(Duration::from_secs(30));
    let log = world.engine(RELAY).log(world.space).unwrap();
    assert!(
        log.contains(revoked),
        "who gives no more can still end what they gave"
    );
}
