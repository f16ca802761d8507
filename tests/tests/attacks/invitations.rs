//! Codes that were used twice, late, or after they were taken back.

use std::time::Duration;

use aramaki_sync_core::PrincipalId;
use aramaki_sync_core::admission::{Held, Refusal, Verdict};
use aramaki_sync_core::engine::Refusal as EngineRefusal;
use aramaki_sync_core::envelope::Envelope;
use aramaki_sync_core::invitation::{Draft, Invitation, Invitee, Terms};
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{Entropy, Instance};

use crate::actor::{Actor, revoke};
use crate::world::{ALICE, BOB, HONEST, MALLORY, RELAY, RITA, World, minute};

pub(crate) fn invite(
    world: &mut World,
    redemptions: u16,
    redeem_until: i64,
    end: i64,
) -> Invitation {
    let terms = Terms {
        invitee: Invitee::Person,
        parent: world.grant_of(ALICE),
        principal: PrincipalId::from_bytes([1; 16]),
        capability: Capability::Write,
        not_before: minute(-5),
        end: minute(end),
        redeem_until: minute(redeem_until),
        redemptions,
        long_grace: false,
    };
    let draft = Draft::new(&terms, &mut Entropy::from_seed([55; 32]));
    let grant = world.say(ALICE, draft.statement());
    world.write(ALICE, "come in");
    world.pass(Duration::from_secs(30));
    draft.issued(world.space, grant, Vec::new())
}

fn redeem(invitation: &Invitation, seed: u8, at: i64) -> (Actor, Envelope) {
    let mut guest = Actor::new(DeviceKeys::from_seed([seed; 32]), u64::from(seed));
    let instance = Instance(u64::from(seed));
    let envelope = invitation
        .redeem(&guest.keys, instance, minute(at))
        .unwrap();
    guest.grant = envelope.id();
    (guest, envelope)
}

fn guest_writes(world: &World, invitation: &Invitation, guest: &mut Actor, at: i64) -> Envelope {
    let (epoch, key) = world.epoch(&invitation.keys());
    let position = guest.position(world, minute(at));
    guest.seal(position, "a guest's", (epoch, &key))
}

/// A guest redeems with nobody online and is in as soon as somebody hears of it; taking the code
/// back from the beginning voids it all, on every replica.
#[test]
fn a26_redeemed_offline_it_counts_and_voided_from_zero_it_does_not() {
    let mut world = World::new();
    let invitation = invite(&mut world, 1, 60, 1_000);
    world.attacker();
    world.let_in_to_relay();
    let (mut guest, redeemed) = redeem(&invitation, 70, 1);
    let written = guest_writes(&world, &invitation, &mut guest, 2);
    world.spread(&[&redeemed, &written]);
    assert_eq!(world.agreed(written.id()), Verdict::Admitted);
    assert!(world.shows(RITA, "a guest's"));
    world.say(ALICE, revoke(invitation.grant, Vec::new()));
    world.pass(Duration::from_secs(30));
    assert_eq!(world.agreed(written.id()), Verdict::Cut);
    assert_eq!(world.capability(&guest.keys), None);
    // Nor does it come back with what others write, who had read it.
    for at in [ALICE, BOB] {
        world.write(at, "tidied up");
        world.pass(Duration::from_secs(30));
    }
    assert_eq!(world.agreed(written.id()), Verdict::Cut);
    for at in HONEST {
        assert!(!world.shows(at, "a guest's"));
    }
}

/// Nobody stays longer than the invitation says, and nobody gets in with an old code.
#[test]
fn a26_it_outlives_neither_its_end_nor_its_code() {
    let mut world = World::new();
    let invitation = invite(&mut world, 3, 60, 1_000);
    world.attacker();
    world.let_in_to_relay();
    let (mut guest, redeemed) = redeem(&invitation, 70, 1);
    let mut longer = invitation.clone();
    longer.end = minute(1_001);
    let (_greedy, overstays) = redeem(&longer, 71, 1);
    world.spread(&[&redeemed, &overstays]);
    let refused = Verdict::Refused(Refusal::Escalation);
    assert_eq!(world.agreed(overstays.id()), refused);
    world.at(900);
    let (mut finder, found) = redeem(&invitation, 72, 1);
    let forged = guest_writes(&world, &invitation, &mut finder, 2);
    world.spread(&[&found, &forged]);
    assert_eq!(world.agreed(found.id()), Verdict::Held(Held::RedeemedLate));
    assert_eq!(world.capability(&finder.keys), None);
    assert!(!world.shows(BOB, "a guest's"));
    let stays = guest_writes(&world, &invitation, &mut guest, 901);
    world.spread(&[&stays]);
    assert_eq!(world.agreed(stays.id()), Verdict::Admitted);
    world.at(1_001);
    assert_eq!(world.capability(&guest.keys), None);
}

/// Who knows of an invitation and not its secret gets nowhere: a code is worth what its 32 random
/// bytes are, and who signs with others is somebody whom nobody let in.
#[test]
fn a26_a_guessed_code_lets_nobody_in() {
    let mut world = World::new();
    let invitation = invite(&mut world, 1, 60, 1_000);
    world.attacker();
    world.let_in_to_relay();
    for bit in (0..256_usize).step_by(32) {
        let mut guess = invitation.clone();
        guess.seed[bit / 8] ^= 1 << (bit % 8);
        let (guest, redeemed) = redeem(&guess, 90 + u8::try_from(bit / 32).unwrap(), 1);
        world.inject(RELAY, &[&redeemed]);
        assert_eq!(
            world.answers(MALLORY, &redeemed.id()),
            [EngineRefusal::NoGrant],
            "bit {bit}"
        );
        world.inject(BOB, &[&redeemed]);
        world.pass(Duration::from_secs(15));
        assert_eq!(world.capability(&guest.keys), None);
        world.nobody_has(redeemed.id());
    }
    let (guest, redeemed) = redeem(&invitation, 70, 1);
    world.spread(&[&redeemed]);
    assert_eq!(world.capability(&guest.keys), Some(Capability::Write));
}

/// One redemption is one: the first that a witness saw counts, whatever dates the second bears. Everybody
/// who gets the second from a member holds it, the relay too: what members built on it before they
/// knew may need it. Of many it takes a few.
#[test]
fn a36_a_second_redemption_is_held() {
    let mut world = World::new();
    let invitation = invite(&mut world, 1, 60, 1_000);
    world.attacker();
    world.let_in_to_relay();
    let (first, redeemed) = redeem(&invitation, 70, 1);
    world.spread(&[&redeemed]);
    world.pass(Duration::from_secs(90));
    let (mut second, again) = redeem(&invitation, 71, 0);
    let written = guest_writes(&world, &invitation, &mut second, 2);
    world.spread(&[&again, &written]);
    let held = |at: &usize| {
        let log = world.engine(*at).log(world.space).unwrap();
        log.contains(again.id())
    };
    assert!(held(&RELAY), "a member brought it");
    for at in HONEST.into_iter().filter(held) {
        let verdict = world.verdict(at, again.id());
        assert_eq!(verdict, Verdict::Held(Held::Redeemed), "peer {at}");
    }
    let many: Vec<_> = (100..140)
        .map(|seed| redeem(&invitation, seed, 0).1)
        .collect();
    world.spread(&many.iter().collect::<Vec<_>>());
    let log = world.engine(RELAY).log(world.space).unwrap();
    let taken = many.iter().filter(|it| log.contains(it.id())).count();
    assert_eq!(taken, 15, "of 16 beyond the number one was there");
    for at in HONEST {
        assert_eq!(world.verdict(at, redeemed.id()), Verdict::Admitted);
    }
    assert_eq!(world.capability(&first.keys), Some(Capability::Write));
    assert_eq!(world.capability(&second.keys), None);
    for at in HONEST {
        assert!(!world.shows(at, "a guest's"), "peer {at}");
    }
}
