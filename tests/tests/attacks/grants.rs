//! Power that nobody gave.

use std::time::Duration;

use aramaki_model::{ActionGrant, ActionPower, name};
use aramaki_sync_core::EnvelopeId;
use aramaki_sync_core::admission::{Refusal, Verdict};
use aramaki_sync_core::envelope::Envelope;
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::statement::{Body, Capability, Grant, GrantFlags, RelayAddress, Statement};

use serde_bytes::ByteBuf;

use crate::actor::Actor;
use crate::world::{ALICE, BOB, HONEST, MALLORY, RELAY, RITA, World, minute};

fn refused(refusal: Refusal) -> Verdict {
    Verdict::Refused(refusal)
}

fn accomplice() -> Actor {
    Actor::new(DeviceKeys::from_seed([40; 32]), 600)
}

/// A member who signs a root grant of its own is refused everywhere and rules nothing.
#[test]
fn a06_a_self_made_root_grant_is_refused() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let own = mallory.grant;
    let mut crowned = accomplice();
    let root = mallory.grant_to(&world, 1, &mut crowned, |grant| {
        grant.capability = Capability::Administer;
        grant.parent = None;
    });
    let mut reign = accomplice();
    reign.grant = root.id();
    let edict = reign.say(&world, 2, &Statement::Relays(Vec::new()));
    world.spread(&[&root, &edict]);
    for said in [&root, &edict] {
        assert_eq!(world.agreed(said.id()), refused(Refusal::FalseRoot));
        world.told_of(said.id());
    }
    assert_eq!(world.capability(&reign.keys), None);
    assert_eq!(mallory.grant, own);
}

/// Naming alice's grant as one's own gives nothing.
#[test]
fn a07_a_grant_under_somebody_elses_is_refused() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    mallory.grant = world.grant_of(ALICE);
    let mut friend = accomplice();
    let grant = mallory.grant_to(&world, 1, &mut friend, |grant| {
        grant.capability = Capability::Administer;
    });
    world.spread(&[&grant]);
    assert_eq!(world.agreed(grant.id()), refused(Refusal::SomeoneElses));
    world.told_of(grant.id());
    assert_eq!(world.capability(&friend.keys), None);
    let alice = DeviceKeys::from_seed(*world.peers[ALICE].keys.expose_seed());
    assert_eq!(world.capability(&alice), Some(Capability::Administer));
}

/// A grant never gives more than the one above it: capability, end, depth, principal or marks.
#[test]
fn a08_capability_end_depth_principal_and_marks_do_not_grow() {
    let changes: [fn(&mut Grant); 6] = [
        |grant| grant.capability = Capability::Administer,
        |grant| grant.end = minute(5_001),
        |grant| grant.depth_left = 2,
        |grant| grant.flags = GrantFlags::WITNESS,
        |grant| grant.flags = GrantFlags::LONG_GRACE,
        |grant| grant.principal = aramaki_sync_core::PrincipalId::from_bytes([1; 16]),
    ];
    for change in changes {
        let (mut world, mut mallory) = World::with_insider(5_000);
        let mut friend = accomplice();
        let grant = mallory.grant_to(&world, 1, &mut friend, change);
        world.spread(&[&grant]);
        assert_eq!(world.agreed(grant.id()), refused(Refusal::Escalation));
        world.told_of(grant.id());
        assert_eq!(world.capability(&friend.keys), None);
    }
}

/// An outsider who stole a reader's key and a grant's id is not heard, and if somebody passes it on
/// it is refused.
#[test]
fn a09_an_outsider_with_a_stolen_grant_id_and_read_key_writes_nothing() {
    let mut world = World::new();
    let mut mallory = world.attacker();
    mallory.grant = world.grant_of(BOB);
    let (epoch, key) = world.epoch(&world.peers[RITA].keys);
    let position = mallory.position(&world, minute(1));
    let forged = mallory.seal(position, "as bob", (epoch, &key));
    world.spread(&[&forged]);
    world.nobody_has(forged.id());
    // A member passes it on for the outsider.
    world.let_in_to_relay();
    world.spread(&[&forged]);
    for at in HONEST {
        assert!(!world.shows(at, "as bob"));
    }
}

/// Reading and relaying are no writing.
#[test]
fn a10_readers_and_relays_do_not_write() {
    for capability in [Capability::Read, Capability::Relay] {
        let mut world = World::new();
        world.grant(MALLORY, capability, GrantFlags::NONE, 5_000);
        world.write(ALICE, "welcome");
        let mut mallory = world.attacker();
        mallory.grant = world.grant_named(&mallory.keys);
        let (epoch, key) = world.epoch(&world.peers[RITA].keys);
        let position = mallory.position(&world, minute(1));
        let forged = mallory.seal(position, "let me write", (epoch, &key));
        let address = Statement::Relays(vec![RelayAddress {
            author: mallory.keys.author(),
            endpoint: [9; 32],
            addresses: Vec::new(),
        }]);
        let detour = mallory.say(&world, 2, &address);
        world.spread(&[&forged, &detour]);
        for said in [&forged, &detour] {
            assert_eq!(world.agreed(said.id()), refused(Refusal::Capability));
            world.told_of(said.id());
        }
        assert!(!world.shows(ALICE, "let me write"));
        assert!(world.engine(BOB).relays(world.space).is_empty());
        world.goes_on();
    }
}

/// Who may ask for actions hands that on to nobody and gives themselves no more, whatever they may besides
/// and however far their grant may be handed on: a statement of that kind is an administrator's, and what it
/// says is of one device. Every peer refuses it, no agent reads it, and nobody vouches for it.
#[test]
fn a08_power_over_actions_is_neither_handed_on_nor_widened() {
    for capability in [Capability::Comment, Capability::Write] {
        let mut world = World::new();
        world.grant(MALLORY, capability, GrantFlags::NONE, 5_000);
        world.write(ALICE, "welcome");
        let mut mallory = world.attacker();
        mallory.grant = world.grant_named(&mallory.keys);
        let allowed = world.write_body(ALICE, name::actions(), power(&world, &mallory));
        let allowed = allowed.unwrap().id;
        // Her other device is let in as herself, and is another device.
        let mut phone = accomplice();
        let let_in = mallory.grant_to(&world, 1, &mut phone, |grant| grant.capability = capability);
        let forged: Vec<_> = [&mallory.twin(), &phone]
            .map(|of| power(&world, of))
            .iter()
            .map(|body| by_hand(&world, &mut mallory, body))
            .collect();
        let of_phone = power(&world, &phone);
        let by_phone = by_hand(&world, &mut phone, &of_phone);
        world.spread(&[&let_in, &forged[0], &forged[1], &by_phone]);
        world.goes_on();
        world.pass(Duration::from_secs(30));
        assert_eq!(world.agreed(let_in.id()), Verdict::Admitted);
        for statement in forged.iter().chain([&by_phone]) {
            assert_eq!(world.agreed(statement.id()), refused(Refusal::Capability));
        }
        for at in HONEST {
            let read = world.engine(at).admitted(world.space, name::actions());
            let read: Vec<_> = read.iter().map(|entry| entry.id).collect();
            assert_eq!(read, [allowed], "peer {at} heeds what she gave");
        }
    }
}

/// Power over all of an agent's actions, for somebody.
fn power(world: &World, of: &Actor) -> Body {
    let grant = ActionGrant {
        grantee: of.keys.author(),
        agent: world.space,
        actions: vec!["flush".to_owned(), "reboot".to_owned()],
        power: ActionPower::Request,
        end: minute(1_000_000),
    };
    Body::ActionGrant(ByteBuf::from(grant.encode().unwrap()))
}

fn by_hand(world: &World, by: &mut Actor, body: &Body) -> Envelope {
    let (epoch, key) = world.epoch(&world.peers[RITA].keys);
    let position = by.position(world, minute(2));
    by.seal_in(name::actions(), position, body, (epoch, &key))
}

/// An emergency grant does nothing before its reason, and nothing a day after it.
#[test]
fn a43_break_glass_without_its_reason_does_not_count() {
    let mut world = World::new();
    world.grant(MALLORY, Capability::Write, GrantFlags::BREAK_GLASS, 100_000);
    world.write(ALICE, "in an emergency");
    let mut silent = world.attacker();
    silent.grant = world.grant_named(&silent.keys);
    let mut reasoned = Actor::new(DeviceKeys::from_seed(*silent.keys.expose_seed()), 501);
    reasoned.grant = silent.grant;
    let written = silent.write(&world, 1, "no reason");
    let because = Statement::BreakGlass {
        reason: "everyone else is on a plane".to_owned(),
    };
    let reason = reasoned.say(&world, 1, &because);
    let used = reasoned.write(&world, 2, "for a reason");
    let late = reasoned.write(&world, 1 + 24 * 60 + 1, "a day later");
    world.spread(&[&written, &reason, &used]);
    assert_eq!(world.agreed(written.id()), refused(Refusal::NoReason));
    world.told_of(written.id());
    assert_eq!(world.agreed(used.id()), Verdict::Admitted);
    assert!(world.shows(RITA, "for a reason") && !world.shows(RITA, "no reason"));
    world.at(24 * 60 + 2);
    world.spread(&[&late]);
    assert_eq!(world.agreed(late.id()), refused(Refusal::NoReason));
}

/// Two guests of one invitation are one principal, whom nobody takes for two people: see also
/// `a52` among the rules of admission.
#[test]
fn a52_a_second_principal_invented_under_an_invitation_is_refused() {
    let mut world = World::new();
    let invitation = crate::invitations::invite(&mut world, 2, 1_000, 1_000);
    let mut code = Actor::new(invitation.keys(), 700);
    code.grant = invitation.grant;
    world.let_in_to_relay();
    let (mut one, mut other) = (accomplice(), accomplice());
    other.keys = DeviceKeys::from_seed([41; 32]);
    let first = code.grant_to(&world, 1, &mut one, |grant| {
        grant.principal = aramaki_sync_core::PrincipalId::ZERO;
        grant.end = minute(1_000);
    });
    let invented = code.grant_to(&world, 1, &mut other, |grant| {
        grant.principal = aramaki_sync_core::PrincipalId::from_bytes([6; 16]);
        grant.end = minute(1_000);
    });
    world.spread(&[&first, &invented]);
    assert_eq!(world.agreed(first.id()), Verdict::Admitted);
    assert_eq!(world.agreed(invented.id()), refused(Refusal::Escalation));
    world.told_of(invented.id());
    assert_eq!(world.capability(&other.keys), None);
    let evaluation = world.engine(RELAY).evaluation(world.space).unwrap();
    let principals: std::collections::BTreeSet<_> = evaluation
        .members()
        .iter()
        .filter(|member| member.guest_of.is_some())
        .map(|member| member.principal)
        .collect();
    assert_eq!(principals.len(), 1);
    assert_ne!(first.id(), EnvelopeId::ZERO);
}
