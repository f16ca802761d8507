//! Authors with two histories, relays with two faces, disks with an old one.

use std::time::Duration;

use aramaki_sync_core::admission::{Fork, Verdict};
use aramaki_sync_core::engine::Restored;
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::statement::Statement;

use crate::actor::Actor;
use crate::world::{ALICE, BOB, HONEST, MALLORY, RELAY, RITA, World, open};

/// Two histories, no witness: neither counts, whichever came first where; both are kept as proof.
#[test]
fn a22_an_unwitnessed_fork_is_refused_on_both_branches_in_any_order() {
    for swapped in [false, true] {
        let (mut world, mut mallory) = World::with_insider(5_000);
        world.disconnect(BOB, RITA);
        for other in [ALICE, BOB, RITA] {
            world.disconnect(RELAY, other);
        }
        world.disconnect(MALLORY, RELAY);
        world.connect(MALLORY, RITA);
        let mut twin = mallory.twin();
        let mut left = mallory.write(&world, 1, "to bob");
        let mut right = twin.write(&world, 1, "to rita");
        if swapped {
            std::mem::swap(&mut left, &mut right);
        }
        world.inject(BOB, &[&left]);
        world.inject(RITA, &[&right]);
        assert_eq!(world.verdict(BOB, left.id()), Verdict::Admitted);
        assert_eq!(world.verdict(RITA, right.id()), Verdict::Admitted);
        world.connect(BOB, RITA);
        world.pass(Duration::from_secs(30));
        for at in [BOB, RITA] {
            for branch in [&left, &right] {
                assert_eq!(world.verdict(at, branch.id()), Verdict::Cut, "peer {at}");
            }
            assert!(!world.shows(at, "to bob") && !world.shows(at, "to rita"));
            let log = world.engine(at).log(world.space).unwrap();
            assert_eq!(log.fork_seq(mallory.chain()), Some(1), "the proof is kept");
        }
    }
}

/// A history that a witness confirmed stands; the second one, made up later, does not.
#[test]
fn a23_a_witnessed_history_survives_a_fork() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let mut twin = mallory.twin();
    let true_one = mallory.write(&world, 1, "as it was");
    world.spread(&[&true_one]);
    world.pass(Duration::from_secs(90));
    let other = twin.write(&world, 1, "as it never was");
    world.spread(&[&other]);
    assert_eq!(world.agreed(true_one.id()), Verdict::Admitted);
    assert_eq!(world.agreed(other.id()), Verdict::Cut);
    for at in [ALICE, BOB, RITA] {
        assert!(world.shows(at, "as it was") && !world.shows(at, "as it never was"));
    }
}

/// No third branch fills anybody's disk.
#[test]
fn a22_many_branches_are_bounded() {
    let (mut world, mallory) = World::with_insider(5_000);
    for number in 0..50 {
        let mut twin = mallory.twin();
        let branch = twin.write(&world, 1, &format!("branch {number}"));
        world.inject(BOB, &[&branch]);
    }
    world.pass(Duration::from_secs(30));
    for at in HONEST {
        let log = world.engine(at).log(world.space).unwrap();
        assert!(log.branch_heads(mallory.chain()).count() <= 8, "peer {at}");
    }
    world.goes_on();
}

/// Two victims hold one branch each and are reached by nobody but an attacker, who keeps the other
/// branch from each; somebody who holds both has proved it, and the proof is enough for both.
#[test]
fn a45_a_proof_shows_a_fork_to_victims_from_whom_a_branch_is_kept() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    for (one, other) in [(BOB, RITA), (RELAY, ALICE), (RELAY, BOB), (RELAY, RITA)] {
        world.disconnect(one, other);
    }
    for (one, other) in [(ALICE, BOB), (ALICE, RITA)] {
        world.disconnect(one, other);
    }
    world.disconnect(MALLORY, RELAY);
    world.connect(MALLORY, RITA);
    world.connect(MALLORY, ALICE);
    let mut twin = mallory.twin();
    let left = mallory.write(&world, 1, "to bob");
    let right = twin.write(&world, 1, "to rita");
    world.inject(BOB, &[&left]);
    world.inject(RITA, &[&right]);
    world.inject(ALICE, &[&left, &right]);
    // Whoever holds both waits a few seconds for somebody else to prove it; a witness states what it
    // holds after a minute, and this story ends before.
    world.pass(Duration::from_secs(12));
    assert_eq!(world.verdict(BOB, left.id()), Verdict::Admitted);
    assert_eq!(world.verdict(RITA, right.id()), Verdict::Admitted);
    assert!(world.shows(BOB, "to bob") && world.shows(RITA, "to rita"));

    let proofs = |world: &World, at: usize| -> Vec<_> {
        let stored = world.peers[at].store.iter().map(|it| it.envelope.clone());
        let proofs =
            stored.filter(|it| matches!(it.statement(), Some(Statement::ForkProof { .. })));
        proofs.collect()
    };
    let proved = proofs(&world, ALICE);
    assert_eq!(proved.len(), 1, "published once");
    for victim in [BOB, RITA] {
        world.inject(victim, &[&proved[0]]);
        world.pass(Duration::from_secs(8));
        let log = world.engine(victim).log(world.space).unwrap();
        assert_eq!(
            log.branch_heads(mallory.chain()).count(),
            1,
            "one branch is kept away"
        );
        let forks = world.engine(victim).forks(world.space);
        assert_eq!(
            (forks.len(), forks[0].seq, forks[0].both_here),
            (1, 1, false)
        );
    }
    assert_eq!(world.verdict(BOB, left.id()), Verdict::Cut);
    assert_eq!(world.verdict(RITA, right.id()), Verdict::Cut);
    assert!(!world.shows(BOB, "to bob") && !world.shows(RITA, "to rita"));

    world.connect(BOB, RITA);
    world.connect(ALICE, BOB);
    world.pass(Duration::from_secs(20));
    for at in [ALICE, BOB, RITA] {
        assert_eq!(world.digest(at), world.digest(ALICE));
        assert_eq!(proofs(&world, at).len(), 1, "nobody proves it again");
        for branch in [&left, &right] {
            assert_eq!(world.verdict(at, branch.id()), Verdict::Cut, "peer {at}");
        }
    }
}

/// A relay that carries for two people passes each a part of what the others write, and tells both that this
/// is all. Neither is taken for a holder of what it was not given, so that it shows as not arrived; and when
/// the two meet both have everything.
#[test]
fn a45_a_relay_that_forks_views_is_seen_when_the_victims_meet() {
    let mut world = World::new();
    world.let_in_to_relay();
    world.connect(MALLORY, RITA);
    for line in [[BOB, RITA], [RELAY, BOB], [RELAY, RITA]] {
        world.disconnect(line[0], line[1]);
    }
    let of_bob = world.write(BOB, "kept from alice");
    let of_alice = world.write(ALICE, "kept from bob");
    let passed_on = world.peers[BOB].stored(of_bob).unwrap().clone();
    world.inject(RITA, &[&passed_on]);
    let space = world.space;
    for victim in [BOB, RITA] {
        let digest = world.digest(victim);
        world.send_frame(MALLORY, victim, 1, &vec![(space, digest)]);
    }
    world.pass(Duration::from_secs(30));
    assert!(world.shows(RITA, "kept from alice") && !world.shows(RITA, "kept from bob"));
    assert!(world.shows(BOB, "kept from alice") && !world.shows(BOB, "kept from bob"));
    let holds = |world: &World, at: usize, whose: usize, id| {
        let log = world.engine(at).log(space).unwrap();
        let header = log.get(id).unwrap().header();
        let holders = world.engine(at).holders(space);
        let peer = world.peers[whose].keys.author();
        let holder = holders.iter().find(|it| it.peer == peer);
        holder.is_some_and(|it| {
            let mut heads = it.heads.iter();
            heads.any(|(chain, seq)| *chain == header.chain && *seq >= header.seq)
        })
    };
    assert!(
        !holds(&world, BOB, RITA, of_bob),
        "the relay's word for rita"
    );
    assert!(!holds(&world, ALICE, BOB, of_alice) && !holds(&world, ALICE, RITA, of_alice));
    world.connect(BOB, RITA);
    world.connect(BOB, ALICE);
    world.pass(Duration::from_secs(30));
    for at in [ALICE, BOB, RITA] {
        for id in [of_bob, of_alice] {
            assert_eq!(world.verdict(at, id), Verdict::Admitted);
        }
        assert_eq!(world.digest(at), world.digest(ALICE));
    }
    assert!(holds(&world, ALICE, BOB, of_alice), "it arrived");
}

/// A disk that was set back does not fork its author's chain: it learns of its own past from a peer
/// and goes on under another instance.
#[test]
fn a42_a_rolled_back_database_takes_a_new_instance() {
    let mut world = World::new();
    let kept = world.peers[BOB].store.len();
    let lost = world.write(BOB, "lost with the disk");
    world.pass(Duration::from_secs(30));
    for other in [RELAY, RITA] {
        world.disconnect(BOB, other);
    }
    world.peers[BOB].store.truncate(kept);
    let restored = Restored {
        envelopes: world.peers[BOB].store.clone(),
        ..Restored::default()
    };
    let before = world.engine(BOB).instance();
    world.peers[BOB].engine = Some(open(2, restored));
    assert!(!world.shows(BOB, "lost with the disk"));
    world.connect(RELAY, BOB);
    world.connect(RITA, BOB);
    world.pass(Duration::from_secs(30));
    assert_ne!(world.engine(BOB).instance(), before);
    assert!(world.peers[BOB].instances > 0, "the person is told");
    let after = world.write(BOB, "after the restore");
    world.pass(Duration::from_secs(30));
    assert_eq!(world.agreed(lost), Verdict::Admitted);
    assert_eq!(world.agreed(after), Verdict::Admitted);
    let log = world.engine(ALICE).log(world.space).unwrap();
    assert_eq!(log.forked_chains().count(), 0);
    for at in [ALICE, BOB, RITA] {
        assert!(world.shows(at, "lost with the disk") && world.shows(at, "after the restore"));
    }
}

/// A copy of a device's store writes on somewhere else, and all that the device learns of it is the
/// proof: it goes on in a chain of its own, so what it says from then on counts.
#[test]
fn a42_a_proof_against_ones_own_chain_begins_a_new_instance() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let mine = world.write(BOB, "mine");
    let log = world.engine(BOB).log(world.space).unwrap();
    let header = log.get(mine).unwrap().header().clone();
    let mut copy = Actor::new(DeviceKeys::from_seed([2; 32]), header.chain.instance.0);
    copy.seq = header.seq - 1;
    copy.previous = header.previous;
    copy.grant = header.authority;
    let other = copy.write(&world, 1, "from a copy");
    let stored = world.peers[BOB].store.iter();
    let mut own = stored.filter(|it| it.envelope.id() == mine);
    let proof = Fork::statement(own.next().unwrap().envelope.raw(), other.raw()).unwrap();
    let proof = mallory.say(&world, 1, &proof);
    let before = world.engine(BOB).instance();
    world.inject(BOB, &[&proof]);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.verdict(BOB, mine), Verdict::Cut);
    assert_ne!(world.engine(BOB).instance(), before);
    assert!(world.peers[BOB].instances > 0, "the person is told");
    let after = world.write(BOB, "after the proof");
    assert_eq!(world.verdict(BOB, after), Verdict::Admitted);
    assert!(world.shows(BOB, "after the proof"));
}
