//! What is too large, too deep or too new for the peer that gets it.

use std::time::Duration;

use aramaki_sync_core::EnvelopeId;
use aramaki_sync_core::admission::{Held, Verdict};
use aramaki_sync_core::engine::Refusal;
use aramaki_sync_core::envelope::{
    self, ANCESTORS_MAX, ENVELOPE_BYTES_MAX, HEADER_BYTES_MAX, RawEnvelope,
};
use serde_bytes::ByteBuf;

use crate::world::{BOB, MALLORY, World, changes, minute, note};

/// More than as many faults as end a connection.
const MANY: usize = 40;

/// What a newer program wrote is no attack: it is refused by its name for later, counts as held by
/// nobody, costs nobody the connection, and the person is told to update.
#[test]
fn what_a_newer_version_wrote_waits_for_a_newer_program() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let envelopes: Vec<RawEnvelope> = (0..MANY)
        .map(|_one| {
            let mut raw = mallory.write(&world, 1, "from tomorrow").raw().clone();
            raw.header[0] = envelope::VERSION + 1;
            raw
        })
        .collect();
    let ids: Vec<_> = envelopes.iter().map(RawEnvelope::id).collect();
    assert!(!world.engine(BOB).is_newer_elsewhere(world.space));
    world.inject_raw(BOB, envelopes);
    for id in &ids {
        assert_eq!(world.answers(MALLORY, id), [Refusal::Version]);
    }
    assert!(world.line(MALLORY, BOB).is_some(), "the connection goes on");
    assert!(world.engine(BOB).is_newer_elsewhere(world.space));
    world.nobody_has(ids[0]);
}

/// A peer that cannot read what it is sent does not hold it, whatever else it acknowledges, and it is
/// not sent the rest of that chain while it stays as it is.
#[test]
fn what_a_peer_refuses_it_is_not_said_to_hold() {
    let (mut world, mallory) = World::with_insider(5_000);
    let sent = |world: &mut World| {
        let inbox = std::mem::take(&mut world.peers[MALLORY].inbox);
        let frames = inbox.into_iter().filter(|frame| frame[0] == 4);
        frames
            .map(|frame| {
                let (_space, number, _from, _to, envelopes) = postcard::from_bytes::<(
                    aramaki_sync_core::SpaceId,
                    u64,
                    u64,
                    u64,
                    Vec<RawEnvelope>,
                )>(&frame[1..])
                .unwrap();
                (number, envelopes)
            })
            .collect::<Vec<_>>()
    };
    // The attacker says that it holds nothing, so everything is sent to it.
    let chains: Vec<(aramaki_sync_core::Chain, u64, Vec<[u8; 32]>)> = Vec::new();
    world.send_frame(MALLORY, BOB, 3, &(world.space, chains, false));
    for (number, _envelopes) in sent(&mut world) {
        let none: Vec<(EnvelopeId, Refusal)> = Vec::new();
        world.send_frame(MALLORY, BOB, 5, &(number, none));
    }
    let id = world.write(BOB, "too new for some");
    let frames = sent(&mut world);
    let holds = |world: &World| {
        let holders = world.engine(BOB).holders(world.space);
        let found = holders.iter().find(|it| it.peer == mallory.keys.author());
        found.and_then(|it| {
            let bob =
                |chain: &&aramaki_sync_core::Chain| chain.author == world.peers[BOB].keys.author();
            it.heads
                .keys()
                .find(bob)
                .and_then(|bob| it.heads.get(bob))
                .copied()
        })
    };
    let before = holds(&world);
    for (number, envelopes) in frames {
        let refused: Vec<_> = envelopes
            .iter()
            .map(|raw| (raw.id(), Refusal::Version))
            .collect();
        assert!(refused.iter().any(|(refused, _why)| *refused == id));
        world.send_frame(MALLORY, BOB, 5, &(number, refused));
    }
    assert_eq!(holds(&world), before, "what was refused is not held");
    world.write(BOB, "nor the next");
    world.pass(Duration::from_secs(15));
    assert_eq!(sent(&mut world), [], "the chain stops there for this peer");
    world.goes_on();
}

/// Nothing beyond the limits is looked at further: it is refused by name.
#[test]
fn a44_oversized_envelopes_are_refused_by_name() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let honest = mallory.write(&world, 1, "small").raw().clone();
    let too_long = |body: usize, header: usize| {
        let mut raw = honest.clone();
        raw.body = Some(ByteBuf::from(vec![0; body]));
        let length = raw.header.len() + header;
        raw.header.resize(length, 0);
        raw
    };
    let large = [
        too_long(ENVELOPE_BYTES_MAX, 0),
        too_long(0, HEADER_BYTES_MAX),
    ];
    for raw in large {
        let id = raw.id();
        world.inject_raw(BOB, vec![raw]);
        assert!(world.answers(MALLORY, &id).contains(&Refusal::Form));
        world.nobody_has(id);
    }
}

/// A writer who names more ancestors than a header may cannot even sign that as an envelope; one who
/// names as many as it may, all invented, writes what waits and holds nobody else up.
#[test]
fn a35_invented_ancestors_hold_up_their_author_alone() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let invented = |count: usize| {
        let id = |at: usize| EnvelopeId::from_bytes([u8::try_from(at).unwrap() + 1; 32]);
        (0..count).map(id).collect::<Vec<_>>()
    };
    let (epoch, key) = world.epoch(&mallory.keys);
    let mut position = mallory.position(&world, minute(1));
    position.ancestors = invented(ANCESTORS_MAX + 1);
    let too_many = envelope::sealed(
        &mallory.keys,
        position.clone(),
        note(),
        &changes("bomb"),
        (epoch, &key),
    );
    assert!(too_many.is_err());
    position.ancestors = invented(ANCESTORS_MAX);
    let waits = mallory.seal(position, "bomb", (epoch, &key));
    world.spread(&[&waits]);
    assert!(!world.shows(BOB, "bomb"));
    assert_eq!(
        world.agreed(waits.id()),
        Verdict::Held(Held::AncestorMissing)
    );
    world.goes_on();
}
