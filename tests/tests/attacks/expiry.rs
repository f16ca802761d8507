//! Work after its time, and witnesses who lie about time.

use std::time::Duration;

use aramaki_sync_core::admission::{Held, Refusal, Verdict};
use aramaki_sync_core::engine::{ConnectionId, Input, Reach};
use aramaki_sync_core::statement::{Capability, Cut, GrantFlags, Statement};
use aramaki_sync_core::{Entropy, EnvelopeId, ephemeral};

use crate::actor::{Actor, revoke};
use crate::world::{ALICE, BOB, HONEST, MALLORY, RELAY, RITA, World, minute, note};

const END: i64 = 60;
const GRACE: i64 = 15;

fn close(target: EnvelopeId, cuts: Vec<Cut>) -> Statement {
    Statement::Close { target, cuts }
}

/// After its end a member's honest date is refused; a false one waits and is shown as waiting.
#[test]
fn a18_after_the_end_an_honest_clock_is_refused_and_a_backdated_write_waits() {
    let (mut world, mut mallory) = World::with_insider(END);
    let in_time = mallory.write(&world, 5, "in time");
    world.spread(&[&in_time]);
    world.let_in_to_relay();
    world.at(END + GRACE - 2);
    // It comes just before the relay's timer closes the grant: what came late is left to a person.
    world.now = minute(END + GRACE + 1);
    let backdated = mallory.write(&world, 6, "backdated");
    let mut honest = Actor::new(mallory.twin().keys, 502);
    honest.grant = mallory.grant;
    let late = honest.write(&world, END + 1, "late");
    world.spread(&[&backdated, &late]);
    world.pass(Duration::from_hours(3));
    assert_eq!(world.agreed(in_time.id()), Verdict::Admitted);
    assert_eq!(world.agreed(backdated.id()), Verdict::Held(Held::Expired));
    let refused = Verdict::Refused(Refusal::OutsideInterval);
    assert_eq!(world.agreed(late.id()), refused);
    for at in HONEST {
        assert!(!world.shows(at, "backdated") && !world.shows(at, "late"));
    }
    // The witness closes the grant at what it had: what waited is settled.
    let mut kept = mallory.cut();
    (kept.seq, kept.id) = (1, in_time.id());
    world.say(RELAY, close(mallory.grant, vec![kept]));
    world.pass(Duration::from_secs(30));
    assert_eq!(world.agreed(backdated.id()), Verdict::Cut);
    assert_eq!(world.agreed(in_time.id()), Verdict::Admitted);
}

/// What came late is not always an attack: it is shown as waiting, and an administrator can accept it.
#[test]
fn a18_what_came_late_is_shown_and_an_administrator_can_accept_it() {
    let (mut world, mut mallory) = World::with_insider(END);
    let in_time = mallory.write(&world, 5, "in time");
    world.spread(&[&in_time]);
    world.let_in_to_relay();
    world.at(END + GRACE - 2);
    world.now = minute(END + GRACE + 1);
    let on_a_train = mallory.write(&world, 6, "written on a train");
    world.spread(&[&on_a_train]);
    world.pass(Duration::from_hours(1));
    assert_eq!(world.agreed(on_a_train.id()), Verdict::Held(Held::Expired));
    let space = world.space;
    for at in HONEST {
        let waiting = world.engine(at).waiting(space);
        let [waiting] = waiting.as_slice() else {
            panic!("{waiting:?}");
        };
        assert_eq!(
            (waiting.grant, waiting.held),
            (mallory.grant, Held::Expired)
        );
        assert_eq!((waiting.envelopes, waiting.span.0), (1, minute(6)));
    }
    assert_eq!(world.engine(ALICE).acceptance(space, in_time.id()), []);
    for statement in world.engine(ALICE).acceptance(space, mallory.grant) {
        world.say(ALICE, statement);
    }
    world.pass(Duration::from_secs(30));
    assert_eq!(world.agreed(on_a_train.id()), Verdict::Admitted);
    assert_eq!(world.agreed(in_time.id()), Verdict::Admitted);
    for at in HONEST {
        assert_eq!(world.engine(at).waiting(space), []);
    }
    assert!(world.shows(RITA, "written on a train"));
    // What comes after that is over.
    let again = mallory.write(&world, 7, "once more");
    world.spread(&[&again]);
    assert_eq!(world.agreed(again.id()), Verdict::Cut);
}

/// Nobody carries for bob, whose time is over: what he wrote in it is taken from himself, and counts within
/// the grace; later an administrator decides. He gets nothing for it.
#[test]
fn a18_work_in_time_comes_over_the_network_after_the_end() {
    const BOBS_END: i64 = 10_000;
    for (late, counts) in [(10, true), (180, false)] {
        let mut world = World::new();
        world.disconnect(RELAY, BOB);
        world.disconnect(BOB, RITA);
        world.at(BOBS_END - 30);
        let grant = world.grant_of(BOB);
        let on_a_train = world.write(BOB, "written on a train");
        world.at(BOBS_END + late);
        world.write(ALICE, "after bob's time");
        let had = world.count(BOB);
        world.connect(RELAY, BOB);
        world.pass(Duration::from_secs(30));
        let verdict = world.verdict(ALICE, on_a_train);
        assert_eq!(verdict.counts(), counts, "{verdict:?}");
        assert_eq!(world.verdict(RELAY, on_a_train), verdict);
        assert_eq!(world.count(BOB), had);
        let engine = world.engine(ALICE);
        let space = world.space;
        let waits = engine.waiting(space).iter().any(|it| it.grant == grant)
            || engine.cut_off(space).iter().any(|it| it.grant == grant);
        assert_eq!(waits, !counts, "it is shown");
        let accepted = engine.acceptance(space, grant).into_iter();
        let accepted = accepted.chain(engine.restoration(space, grant, Reach::All));
        for statement in accepted.collect::<Vec<_>>() {
            world.say(ALICE, statement);
        }
        world.pass(Duration::from_secs(30));
        assert!(world.verdict(ALICE, on_a_train).counts());
        assert!(world.shows(ALICE, "written on a train"));
    }
}

/// Somebody who is offline for long is given three days for what they wrote in time; `a08` tries to take
/// them.
#[test]
fn a18_a_long_grace_is_given_for_what_was_written_in_time() {
    let late_by = |minutes: i64, flags: GrantFlags| {
        let mut world = World::new();
        let grant = world.grant(MALLORY, Capability::Write, flags, END);
        world.write(ALICE, "welcome");
        world.pass(Duration::from_secs(30));
        let mut contractor = world.attacker();
        contractor.grant = grant;
        // Nobody may close before the grace is over, and nobody does.
        let in_time = contractor.write(&world, 5, "written on a train");
        world.let_in_to_relay();
        world.at(END + minutes);
        world.spread(&[&in_time]);
        world.agreed(in_time.id())
    };
    let days = 24 * 60;
    assert_eq!(late_by(2 * days, GrantFlags::LONG_GRACE), Verdict::Admitted);
    assert_ne!(late_by(2 * days, GrantFlags::NONE), Verdict::Admitted);
    assert_ne!(late_by(4 * days, GrantFlags::LONG_GRACE), Verdict::Admitted);
}

/// Where nothing waits, the witness closes by itself, and what comes under a false date is cut at once.
#[test]
fn a18_once_a_witness_has_closed_a_backdated_write_is_cut() {
    let (mut world, mut mallory) = World::with_insider(END);
    let in_time = mallory.write(&world, 5, "in time");
    world.spread(&[&in_time]);
    world.at(END + GRACE + 1);
    world.let_in_to_relay();
    let backdated = mallory.write(&world, 6, "backdated");
    world.spread(&[&backdated]);
    assert_eq!(world.agreed(in_time.id()), Verdict::Admitted);
    assert_eq!(world.agreed(backdated.id()), Verdict::Cut);
    for at in HONEST {
        assert!(!world.shows(at, "backdated"));
    }
}

/// A second witness, in the hands of the attacker.
fn bad_witness() -> (World, Actor) {
    World::with_member(Capability::Relay, GrantFlags::WITNESS, 5_000)
}

/// A witness cannot end anybody's access before its time.
#[test]
fn a19_a_witness_cannot_close_early() {
    let (mut world, mut mallory) = bad_witness();
    let bobs = world.grant_of(BOB);
    let early = mallory.say(&world, 2, &close(bobs, Vec::new()));
    world.spread(&[&early]);
    let refused = Verdict::Refused(Refusal::TooEarly);
    assert_eq!(world.agreed(early.id()), refused);
    world.goes_on();
}

/// A close that leaves less than another takes nothing away.
#[test]
fn a20_a_second_lower_close_erases_nothing() {
    let (mut world, mut mallory) = bad_witness();
    let guest = Guest::let_in(&mut world);
    world.at(END + GRACE + 1);
    world.say(RELAY, close(guest.actor.grant, vec![guest.actor.cut()]));
    let lower = mallory.say(
        &world,
        END + GRACE + 1,
        &close(guest.actor.grant, Vec::new()),
    );
    world.spread(&[&lower]);
    assert_eq!(world.agreed(guest.written), Verdict::Admitted);
    assert!(world.shows(RITA, "a guest's"));
}

/// A guest with an hour, who wrote in time.
struct Guest {
    actor: Actor,
    written: EnvelopeId,
}

impl Guest {
    fn let_in(world: &mut World) -> Self {
        let mut actor = Actor::new(aramaki_sync_core::key::DeviceKeys::from_seed([50; 32]), 800);
        actor.grant = world.grant_key(&actor.keys, END);
        world.write(ALICE, "welcome, guest");
        world.pass(Duration::from_secs(30));
        let written = actor.write(world, 3, "a guest's");
        world.spread(&[&written]);
        Self {
            written: written.id(),
            actor,
        }
    }
}

/// Nobody witnesses: what was seen in time stays seen.
#[test]
fn a21_without_a_witness_nothing_seen_in_time_vanishes() {
    let (mut world, mut mallory) = World::with_insider(END);
    for other in [ALICE, BOB, RITA] {
        world.disconnect(RELAY, other);
    }
    world.disconnect(MALLORY, RELAY);
    let in_time = mallory.write(&world, 5, "in time");
    world.inject(BOB, &[&in_time]);
    world.at(END + GRACE + 1);
    world.at(END + 10_000);
    for at in [BOB, RITA] {
        assert_eq!(world.verdict(at, in_time.id()), Verdict::Admitted);
        assert!(world.shows(at, "in time"));
    }
}

/// An expired administrator, backdating, cannot silence the witness that closes its grant, though the witness
/// stands below it by rank and somebody heard the revocation in time.
#[test]
fn a50_an_expired_administrators_backdated_revocation_does_not_silence_the_witness() {
    let mut world = World::new();
    let grant = world.grant(MALLORY, Capability::Administer, GrantFlags::NONE, END);
    let [mut carol, mut witness] = [(52, 802), (51, 801)].map(|(seed, instance)| {
        Actor::new(
            aramaki_sync_core::key::DeviceKeys::from_seed([seed; 32]),
            instance,
        )
    });
    carol.grant = world.administrator(&carol.keys, 5_000);
    world.write(ALICE, "welcome");
    world.pass(Duration::from_secs(30));
    let mut mallory = world.attacker();
    mallory.grant = grant;
    let below = carol.grant_to(&world, 2, &mut witness, |grant| {
        grant.capability = Capability::Relay;
        grant.flags = GrantFlags::WITNESS;
    });
    let in_time = mallory.write(&world, 5, "in time");
    world.spread(&[&below, &in_time]);
    assert_eq!(world.agreed(below.id()), Verdict::Admitted);
    let seen = mallory.cut();
    world.let_in_to_relay();
    // Bob alone hears it, within the grace: by rank Mallory may revoke the witness, so it counts for him.
    world.disconnect(RELAY, BOB);
    world.disconnect(BOB, RITA);
    world.at(END + 3);
    let silenced = mallory.say(&world, END - 1, &revoke(witness.grant, Vec::new()));
    world.inject(BOB, &[&silenced]);
    assert_eq!(world.verdict(BOB, silenced.id()), Verdict::Admitted);
    world.at(END + GRACE - 2);
    world.now = minute(END + GRACE);
    let closing = witness.say(&world, END + GRACE, &close(grant, vec![seen]));
    world.inject(RELAY, &[&closing]);
    world.pass(Duration::from_mins(1));
    world.connect(RELAY, BOB);
    world.connect(BOB, RITA);
    world.pass(Duration::from_secs(30));
    assert_eq!(world.agreed(closing.id()), Verdict::Admitted);
    assert_eq!(world.agreed(silenced.id()), Verdict::Cut);
    assert_eq!(world.agreed(in_time.id()), Verdict::Admitted);
    assert_eq!(world.capability(&mallory.keys), None);
    assert_eq!(world.capability(&witness.keys), Some(Capability::Relay));
    // What the close left out is shown to who looks.
    for at in HONEST {
        let told = world.engine(at).cut_off(world.space);
        assert!(
            told.iter().any(|it| it.grant == grant),
            "peer {at}: {told:?}"
        );
    }
}

/// A close from the future waits for its time and ends nothing before.
#[test]
fn a51_a_future_dated_close_ends_nothing_today() {
    let (mut world, mut mallory) = bad_witness();
    let guest = Guest::let_in(&mut world);
    let future = mallory.say(
        &world,
        END + GRACE + 1,
        &close(guest.actor.grant, Vec::new()),
    );
    world.spread(&[&future]);
    for at in HONEST {
        assert_eq!(world.verdict(at, guest.written), Verdict::Admitted);
        let told = world.engine(at).waiting(world.space);
        let told: Vec<_> = told.iter().map(|it| (it.author, it.held)).collect();
        assert_eq!(told, [(mallory.keys.author(), Held::Future)], "peer {at}");
    }
    assert_eq!(world.capability(&guest.actor.keys), Some(Capability::Write));
}

/// A heartbeat counts once and while it is fresh: recorded and repeated it keeps nothing green.
#[test]
fn a53_a_replayed_heartbeat_keeps_nothing_green() {
    let (mut world, mallory) = World::with_insider(5_000);
    let (epoch, key) = world.epoch(&mallory.keys);
    let slot = ephemeral::Slot {
        space: world.space,
        instance: mallory.instance,
        authority: mallory.grant,
        document: note(),
        counter: 5,
        time: world.now,
    };
    let mut entropy = Entropy::from_seed([1; 32]);
    let message =
        ephemeral::seal(&mallory.keys, &slot, b"alive", (epoch, &key), &mut entropy).unwrap();
    let bytes = postcard::to_stdvec(message.raw()).unwrap();
    let connection: ConnectionId = world.line(MALLORY, BOB).unwrap();
    let send = |world: &mut World| {
        let bytes = bytes.clone();
        world.handle(BOB, Input::Datagram { connection, bytes });
        world.settle();
    };
    send(&mut world);
    assert_eq!(world.peers[BOB].whispers, [b"alive".to_vec()]);
    assert_eq!(world.peers[RITA].whispers, [b"alive".to_vec()]);
    for _again in 0..5 {
        send(&mut world);
    }
    world.pass(Duration::from_mins(3));
    send(&mut world);
    for at in [BOB, RITA, ALICE] {
        assert_eq!(world.peers[at].whispers.len(), 1, "peer {at}");
    }
}
