//! What counts for nothing is told, with the reason, and is bounded (TRUST §1.5).

use std::time::Duration;

use aramaki_sync_core::EnvelopeId;
use aramaki_sync_core::admission::{Held, Refusal, Verdict};
use aramaki_sync_core::engine::{MISSING_AFTER, NAMED_MAX};
use aramaki_sync_core::envelope::Envelope;
use aramaki_sync_core::statement::{Capability, GrantFlags};

use crate::actor::revoke;
use crate::world::{ALICE, HONEST, World, minute};

/// A reader writes: nothing of it is shown as content, and everybody can look up who did so, how often, under
/// which grant and why it does not count. However much it is, few are named.
#[test]
fn what_somebody_wrote_who_may_not_is_told_in_one_line() {
    let (mut world, mut mallory) = World::with_member(Capability::Read, GrantFlags::NONE, 5_000);
    assert_eq!(world.engine(ALICE).not_counting(world.space), []);
    let written: Vec<_> = (0..20)
        .map(|n| mallory.write(&world, n, "let me write"))
        .collect();
    world.spread(&written.iter().collect::<Vec<_>>());
    for at in HONEST {
        let told = world.engine(at).not_counting(world.space);
        let [told] = told.as_slice() else {
            panic!("peer {at}: {told:?}");
        };
        let whose = (told.author, told.grant);
        assert_eq!(whose, (mallory.keys.author(), mallory.grant));
        assert_eq!(told.verdict, Verdict::Refused(Refusal::Capability));
        assert_eq!((told.envelopes, told.span), (20, (minute(0), minute(19))));
        let newest = written.iter().rev().take(NAMED_MAX).map(Envelope::id);
        assert_eq!(told.newest, newest.collect::<Vec<_>>());
    }
    world.told_of(written[19].id());
    world.goes_on();
}

/// What a revocation cut is told to everybody for good, with whose it was: not only to who revoked, once.
#[test]
fn what_a_revocation_cut_is_told_with_whose_it_was() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let before = mallory.write(&world, 1, "while I might");
    world.spread(&[&before]);
    world.say(ALICE, revoke(mallory.grant, Vec::new()));
    world.pass(Duration::from_secs(30));
    assert_eq!(world.agreed(before.id()), Verdict::Cut);
    world.told_of(before.id());
    for at in HONEST {
        let told = world.engine(at).not_counting(world.space);
        let [cut] = told.as_slice() else {
            panic!("peer {at}: {told:?}");
        };
        let alice = world.peers[ALICE].keys.author();
        assert_eq!(Vec::from_iter(cut.cut_by.clone()), [alice]);
        assert_eq!(cut.span, (minute(1), minute(1)));
    }
}

/// What waits for something that never comes is told after a while: at first it may be on its way. A grant that
/// nobody has is whatever its author invents, so all of these are one line.
#[test]
fn what_waits_for_what_never_comes_is_told_after_a_while() {
    let (mut world, mallory) = World::with_insider(5_000);
    let (epoch, key) = world.epoch(&mallory.keys);
    let invented = |n: u8| EnvelopeId::from_bytes([n; 32]);
    let mut waits = Vec::new();
    for n in 1..=3_u8 {
        let mut under_nothing = mallory.twin();
        under_nothing.instance = aramaki_sync_core::Instance(700 + u64::from(n));
        under_nothing.grant = invented(n);
        let position = under_nothing.position(&world, minute(1));
        waits.push(under_nothing.seal(position, "under a grant of nobody", (epoch, &key)));
    }
    let mut on_nothing = mallory.twin();
    let mut position = on_nothing.position(&world, minute(1));
    position.ancestors = vec![invented(9)];
    waits.push(on_nothing.seal(position, "on nothing", (epoch, &key)));
    world.spread(&waits.iter().collect::<Vec<_>>());
    for at in HONEST {
        assert_eq!(world.engine(at).waiting(world.space), [], "peer {at}");
    }
    world.pass(MISSING_AFTER);
    for at in HONEST {
        let told = world.engine(at).waiting(world.space);
        let told: Vec<_> = told.iter().map(|it| (it.held, it.envelopes)).collect();
        let missing = [(Held::GrantMissing, 3), (Held::AncestorMissing, 1)];
        assert_eq!(told.len(), missing.len(), "peer {at}: {told:?}");
        assert!(missing.iter().all(|it| told.contains(it)), "{told:?}");
    }
}
