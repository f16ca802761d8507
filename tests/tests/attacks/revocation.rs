//! Revocations, those who ignore them and those who abuse them.

use std::time::Duration;

use aramaki_sync_core::Chain;
use aramaki_sync_core::admission::{Refusal, Verdict};
use aramaki_sync_core::envelope::RawEnvelope;
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::statement::{Capability, GrantFlags};

use crate::actor::{Actor, revoke};
use crate::world::{ALICE, BOB, HONEST, MALLORY, RELAY, RITA, World, kit, minute};

/// The grants that lead to one, from the root down, as they travel.
fn row(world: &World, grant: aramaki_sync_core::EnvelopeId) -> Vec<RawEnvelope> {
    let log = world.engine(ALICE).log(world.space).unwrap();
    let path = world.evaluation(ALICE).path(log, grant).unwrap();
    path.iter()
        .map(|id| world.peers[ALICE].stored(*id).unwrap().raw().clone())
        .collect()
}

/// What a revoked member backdates is cut on every replica, whoever passes it on; nobody sees it.
#[test]
fn a12_a_backdated_write_after_revocation_is_cut() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let before = mallory.write(&world, 1, "while I might");
    world.spread(&[&before]);
    world.say(ALICE, revoke(mallory.grant, vec![mallory.cut()]));
    world.pass(Duration::from_secs(30));
    let backdated = mallory.write(&world, 1, "backdated");
    world.let_in_to_relay();
    world.spread(&[&backdated]);
    for at in HONEST {
        assert!(!world.shows(at, "backdated"), "peer {at}");
    }
    assert!(world.shows(RITA, "while I might"));
    assert_eq!(world.agreed(before.id()), Verdict::Admitted);
    assert_eq!(world.agreed(backdated.id()), Verdict::Cut);
    world.told_of(backdated.id());
}

/// A replica that had taken and shown it before it heard of the revocation takes it back.
#[test]
fn a13_a_replica_that_accepted_it_first_converges() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let kept = mallory.cut();
    world.disconnect(RELAY, BOB);
    world.disconnect(BOB, RITA);
    world.say(ALICE, revoke(mallory.grant, vec![kept]));
    world.pass(Duration::from_secs(30));
    let late = mallory.write(&world, 1, "only bob sees this");
    world.inject(BOB, &[&late]);
    assert!(world.shows(BOB, "only bob sees this"));
    assert_eq!(world.verdict(BOB, late.id()), Verdict::Admitted);
    world.connect(RELAY, BOB);
    world.pass(Duration::from_secs(30));
    assert_eq!(world.agreed(late.id()), Verdict::Cut);
    assert!(!world.shows(BOB, "only bob sees this"));
    world.write(BOB, "it is gone");
    world.pass(Duration::from_secs(30));
    assert_eq!(world.agreed(late.id()), Verdict::Cut);
}

/// Honest work that was built on it in good faith stays, and with it what it stands on.
#[test]
fn a14_honest_work_on_top_survives_vouched() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let kept = mallory.cut();
    world.disconnect(RELAY, BOB);
    world.disconnect(BOB, RITA);
    let late = mallory.write(&world, 1, "half a plan");
    world.inject(BOB, &[&late]);
    let answer = world.write(BOB, "the other half");
    world.say(ALICE, revoke(mallory.grant, vec![kept]));
    world.connect(RELAY, BOB);
    world.pass(Duration::from_secs(30));
    assert_eq!(world.agreed(answer), Verdict::Admitted);
    assert_eq!(world.agreed(late.id()), Verdict::Vouched);
    for at in HONEST {
        assert_eq!(world.engine(at).not_counting(world.space), []);
        let vouched = world.engine(at).vouched(world.space);
        let named: Vec<_> = vouched.iter().flat_map(|it| &it.newest).collect();
        assert_eq!(named, [&late.id()], "peer {at} tells that it was cut");
    }
    for at in [ALICE, BOB, RITA] {
        assert!(world.shows(at, "half a plan") && world.shows(at, "the other half"));
    }
}

/// Mallory administers, one grant below alice.
fn administrator() -> (World, Actor) {
    World::with_member(Capability::Administer, GrantFlags::NONE, 5_000)
}

/// Whom an administrator did not let in it does not put out: not its equal, not those above.
#[test]
fn a15_lower_and_equal_administrators_cannot_revoke() {
    let (mut world, mut mallory) = administrator();
    let targets = [
        world.grant_of(ALICE),
        kit_grant(&world),
        world.grant_of(BOB),
    ];
    let coup: Vec<_> = targets
        .iter()
        .map(|target| mallory.say(&world, 1, &revoke(*target, Vec::new())))
        .collect();
    world.spread(&coup.iter().collect::<Vec<_>>());
    for statement in &coup {
        let refused = Verdict::Refused(Refusal::Capability);
        assert_eq!(world.agreed(statement.id()), refused);
    }
    let alice = DeviceKeys::from_seed(*world.peers[ALICE].keys.expose_seed());
    assert_eq!(world.capability(&alice), Some(Capability::Administer));
    world.goes_on();
}

fn kit_grant(world: &World) -> aramaki_sync_core::EnvelopeId {
    let kit = kit();
    world.grant_named(&kit.keys)
}

/// A revoked administrator lets nobody in afterwards, whatever date it writes on the grant.
#[test]
fn a16_a_backdated_grant_of_a_revoked_administrator_is_cut() {
    let (mut world, mut mallory) = administrator();
    world.say(ALICE, revoke(mallory.grant, vec![mallory.cut()]));
    let mut friend = Actor::new(DeviceKeys::from_seed([40; 32]), 600);
    let grant = mallory.grant_to(&world, 1, &mut friend, |_grant| {});
    let epoch = world.epoch(&world.peers[RITA].keys);
    let position = friend.position(&world, minute(1));
    let written = friend.seal(position, "a friend's", (epoch.0, &epoch.1));
    world.let_in_to_relay();
    world.spread(&[&grant, &written]);
    assert_eq!(world.agreed(grant.id()), Verdict::Cut);
    assert_eq!(world.agreed(written.id()), Verdict::Cut);
    world.told_of(written.id());
    for at in HONEST {
        assert!(!world.shows(at, "a friend's"), "peer {at}");
    }
    assert_eq!(world.capability(&friend.keys), None);
}

/// A revoked administrator takes nobody along.
#[test]
fn a17_a_revocation_by_a_revoked_administrator_does_not_count() {
    let (mut world, mut mallory) = administrator();
    let mut guest = Actor::new(DeviceKeys::from_seed([41; 32]), 601);
    let let_in = mallory.grant_to(&world, 1, &mut guest, |_grant| {});
    world.spread(&[&let_in]);
    let stays = mallory.cut();
    world.say(ALICE, revoke(mallory.grant, vec![stays, guest.cut()]));
    let revenge = mallory.say(&world, 1, &revoke(guest.grant, Vec::new()));
    world.let_in_to_relay();
    world.spread(&[&revenge]);
    assert_eq!(world.agreed(revenge.id()), Verdict::Cut);
    assert_eq!(world.agreed(let_in.id()), Verdict::Admitted);
    // It stands nowhere among what ended something, and its target is none of what ended.
    for at in HONEST {
        let mut ended = world.evaluation(at).ended_by(guest.grant);
        assert_eq!(ended.next(), None, "peer {at}");
    }
}

/// The thief of the founder's device and the kit revoke each other: the kit stands nearer the root,
/// so everyone agrees that the device is out; it is no matter who was first.
#[test]
fn a15_the_kit_revokes_the_founders_stolen_device_and_not_the_other_way_round() {
    for thief_first in [true, false] {
        let mut world = World::new();
        let mut kit = kit();
        kit.grant = kit_grant(&world);
        let (stolen, above) = (world.grant_of(ALICE), kit.grant);
        let bobs = world.grant_of(BOB);
        let mut thief = Actor::new(
            DeviceKeys::from_seed(*world.peers[ALICE].keys.expose_seed()),
            990,
        );
        thief.grant = stolen;
        let keep = world.heads();
        let against_kit = thief.say(&world, 1, &revoke(above, Vec::new()));
        let against_thief = kit.say(&world, 1, &revoke(stolen, keep));
        world.let_in_to_relay();
        if thief_first {
            world.spread(&[&against_kit]);
            world.spread(&[&against_thief]);
        } else {
            world.spread(&[&against_thief]);
            world.spread(&[&against_kit]);
        }
        let evaluation = world.engine(BOB).evaluation(world.space).unwrap();
        let now = world.now;
        assert_eq!(
            evaluation.capability(kit.keys.author(), now),
            Some(Capability::Administer)
        );
        assert_eq!(evaluation.capability(thief.keys.author(), now), None);
        assert!(!evaluation.verdict(against_kit.id()).counts());
        assert_eq!(evaluation.verdict(bobs), Verdict::Admitted, "kept");
    }
}

/// A device that did not hear of its revocation shows the grants that let it in, as one does whose peer may
/// be behind: whoever knows better tells it nothing for that, not even what was written before.
#[test]
fn a12_a_revoked_device_that_shows_its_old_grants_is_told_nothing() {
    for peer in [RELAY, RITA] {
        let mut world = World::new();
        world.disconnect(RELAY, BOB);
        world.disconnect(BOB, RITA);
        let target = world.grant_of(BOB);
        let (kept, had) = (world.heads(), world.count(BOB));
        world.write(ALICE, "not for bob any more");
        world.say(ALICE, revoke(target, kept));
        world.write(ALICE, "behind closed doors");
        world.pass(Duration::from_secs(30));
        assert!(world.shows(RITA, "behind closed doors"));
        world.connect(peer, BOB);
        world.pass(Duration::from_mins(3));
        assert_eq!(world.count(BOB), had, "of peer {peer}");
        assert!(world.engine(BOB).ended_elsewhere(world.space).is_some());
    }
}

/// The same by a changed program, which shows grants that it signed since, too.
#[test]
fn a12_what_a_revoked_device_shows_opens_nothing() {
    for peer in [RELAY, BOB] {
        let (mut world, mut mallory) = World::with_insider(5_000);
        let old = row(&world, mallory.grant);
        world.say(ALICE, revoke(mallory.grant, vec![mallory.cut()]));
        world.pass(Duration::from_secs(30));
        world.disconnect(MALLORY, peer);
        world.connect(MALLORY, peer);
        world.peers[MALLORY].inbox.clear();
        let mut again = mallory.twin();
        let fresh = mallory.grant_to(&world, 1, &mut again, |_grant| {});
        let mut longer = old.clone();
        longer.push(fresh.raw().clone());
        let space = world.space;
        for shown in [old, longer] {
            world.send_frame(MALLORY, peer, 6, &(space, shown));
            world.send_frame(MALLORY, peer, 1, &vec![(space, [0_u8; 32])]);
            world.send_frame(MALLORY, peer, 2, &(space, 0_u64, [0_u8; 32]));
            let chains: Vec<(Chain, u64, Vec<[u8; 32]>)> = Vec::new();
            world.send_frame(MALLORY, peer, 3, &(space, chains, true));
            world.write(ALICE, "behind closed doors");
            world.pass(Duration::from_mins(1));
        }
        let inbox = &world.peers[MALLORY].inbox;
        let kinds: Vec<u8> = inbox.iter().map(|frame| frame[0]).collect();
        assert!(
            kinds.iter().all(|kind| [0, 11].contains(kind)),
            "peer {peer} said {kinds:?}"
        );
    }
}
