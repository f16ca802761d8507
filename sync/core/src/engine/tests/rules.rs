//! The eight rules of the engine (DESIGN §5), one test each.

use std::time::Duration;

use serde_bytes::ByteBuf;

use super::stage::{Mood, NOW, Peer, Stage};
use crate::engine::frame::{Acknowledge, Envelopes, Frame};
use crate::engine::*;
use crate::envelope::{self, ANCESTORS_MAX, Position, RawEnvelope};
use crate::id::{DocumentId, EnvelopeId};
use crate::statement::{Body, Capability, Statement};

/// Long enough for a few comparisons of digests.
const SOON: Duration = Duration::from_secs(30);

/// What a peer answered to frames of envelopes.
pub(super) fn answers(peer: &Peer) -> Vec<Acknowledge> {
    let answers = peer.frames().into_iter().filter_map(|frame| match frame {
        Frame::Acknowledge(answer) => Some(answer),
        _ => None,
    });
    answers.collect()
}

/// Hands over envelopes as if a peer had sent them.
pub(super) fn hand_over(
    stage: &mut Stage,
    (peer, connection): (usize, ConnectionId),
    (space, number): (SpaceId, u64),
    envelopes: Vec<RawEnvelope>,
) {
    let frame = Frame::Envelopes(Envelopes {
        space,
        number,
        from: 0,
        to: 0,
        envelopes,
    });
    let frame = frame.encode();
    stage.tell(peer, Input::Received { connection, frame });
}

/// What a peer stored last, oldest first.
pub(super) fn last_of(stage: &Stage, peer: usize, count: usize) -> Vec<RawEnvelope> {
    let stored = &stage.peers[peer].disk.envelopes;
    let last = stored[stored.len() - count..].iter();
    last.map(|it| it.envelope.raw().clone()).collect()
}

#[test]
fn rule_1_only_what_is_durable_is_acknowledged_and_announced_in_causal_order() {
    // The relay hears of the Space from the second member alone.
    let mut stage = Stage::new(2, 1);
    let space = stage.found();
    stage.let_in(space, 1);
    stage.let_in(space, 2);
    stage.connect(0, 1);
    stage.connect(1, 2);
    stage.wait(SOON);
    assert!(stage.agree(space));
    let (at_relay, told) = (stage.len(2, space), answers(&stage.peers[1]).len());
    let reported = stage.peers[1].written.len();
    stage.peers[1].mood = Mood::Stuck;
    stage.change(1, space, b"its own");
    assert_eq!(stage.peers[1].written.len(), reported, "reported too early");
    assert_eq!(stage.len(2, space), at_relay, "announced too early");
    stage.unstick(1);
    assert!(stage.peers[1].written.last().unwrap().is_ok());
    assert_eq!(stage.len(2, space), at_relay + 1);
    stage.peers[1].mood = Mood::Stuck;
    stage.change(0, space, b"from elsewhere");
    let early = answers(&stage.peers[1]).len();
    assert_eq!(early, told, "acknowledged too early");
    assert_eq!(stage.len(2, space), at_relay + 1, "forwarded too early");
    stage.unstick(1);
    assert!(answers(&stage.peers[1]).len() > told);
    assert_eq!(stage.len(2, space), at_relay + 2);
    for turn in 0..10 {
        stage.change(turn % 2, space, b"in turn");
    }
    stage.wait(SOON);
    assert!(stage.agree(space));
    let mut known = BTreeSet::new();
    let relay = &stage.peers[2];
    for entry in relay.engine.log(space).unwrap().arrived_after(0) {
        let before = entry.links().iter().filter(|link| !link.is_zero());
        for link in before {
            assert!(known.contains(link), "{} came before", link.short());
        }
        known.insert(entry.id());
    }
}

#[test]
fn rule_2_a_full_disk_stops_acknowledging_says_so_loses_nothing_and_recovers() {
    let (mut stage, space) = Stage::gathered(2, 0);
    let before = stage.len(1, space);
    stage.peers[1].mood = Mood::Full;
    stage.change(0, space, b"from elsewhere");
    stage.change(1, space, b"its own");
    let full = StoreFailure::Full;
    assert!(
        stage.peers[1]
            .events
            .contains(&Event::StoreFailed { failure: full })
    );
    let answer = answers(&stage.peers[1]).pop().unwrap();
    let reasons: Vec<_> = answer.refused.iter().map(|(_id, why)| *why).collect();
    assert_eq!(reasons, [Refusal::Store], "acknowledged by a full disk");
    assert_eq!(stage.len(1, space), before, "counted by a full disk");
    stage.wait(SOON);
    assert_eq!(
        stage.peers[1].written.last(),
        Some(&Err(WriteError::Store(full)))
    );
    stage.peers[1].mood = Mood::Works;
    stage.wait(SOON);
    assert!(stage.agree(space), "what was refused never came again");
    stage.change(1, space, b"once more");
    assert!(stage.peers[1].written.last().unwrap().is_ok());
}

#[test]
fn rule_3_a_dead_connection_changes_nothing_and_a_lost_announcement_is_repaired() {
    let (mut stage, space) = Stage::gathered(2, 0);
    let old: Vec<_> = stage.peers[1].engine.peers().collect();
    stage.connect(0, 1);
    stage.play();
    let connection = old[0].connection;
    stage.tell(1, Input::Disconnected { connection });
    assert_eq!(
        stage.peers[1].engine.peers().count(),
        1,
        "the new one ended"
    );
    let heard = stage.peers[1].sent.len();
    let frame = Frame::Digests(vec![(space, [0; 32])]).encode();
    stage.tell(1, Input::Received { connection, frame });
    assert_eq!(stage.peers[1].sent.len(), heard, "the dead were answered");
    stage.change(0, space, b"over the new one");
    assert!(stage.agree(space));
    stage.lossy = true;
    stage.change(0, space, b"lost");
    assert!(!stage.agree(space));
    stage.lossy = false;
    stage.wait(SOON);
    assert!(stage.agree(space), "a lost announcement stayed lost");
}

/// A reader's envelope of content: it has form, and no right.
fn unauthorised(stage: &Stage, reader: usize, space: SpaceId) -> envelope::Envelope {
    let engine = &stage.peers[reader].engine;
    let (epoch, key) = engine.keyring(space).unwrap().iter().next().unwrap();
    let mut ancestors = engine.evaluation(space).unwrap().frontier(engine.chain());
    ancestors.truncate(ANCESTORS_MAX);
    let position = Position {
        space,
        instance: Instance(77),
        seq: 1,
        previous: EnvelopeId::ZERO,
        authority: engine.best_grant(space).unwrap(),
        ancestors,
        time: stage.now,
    };
    let body = Body::Changes(vec![ByteBuf::from(*b"mine")]);
    let document = DocumentId::named("system");
    envelope::sealed(&engine.keys, position, document, &body, (epoch, key)).unwrap()
}

#[test]
fn rule_4_form_alone_is_refused_and_counted_and_what_has_no_right_is_kept_and_not_shown() {
    let mut stage = Stage::new(3, 0);
    let space = stage.found();
    stage.let_in(space, 1);
    stage.let_in_as(space, 2, Capability::Read);
    stage.connect(0, 1);
    let (_reader, connection) = stage.connect(2, 0);
    stage.wait(SOON);
    let forged = unauthorised(&stage, 2, space);
    let mut broken = forged.raw().clone();
    broken.signature[0] ^= 1;
    let named = broken.id();
    let before = stage.len(0, space);
    hand_over(&mut stage, (0, connection), (space, 900), vec![broken]);
    let answer = answers(&stage.peers[0]).pop().unwrap();
    assert_eq!(answer.refused, [(named, Refusal::Form)]);
    assert_eq!(stage.len(0, space), before, "stored without form");
    let faults = &stage.peers[0].engine.connections[&connection].faults;
    assert_eq!(*faults, 1, "not counted against the peer");
    assert!(stage.peers[0].events.iter().any(|event| matches!(
        event,
        Event::Refused { peer, reason: Refusal::Form, .. } if *peer == stage.author(2)
    )));
    let raw = forged.raw().clone();
    hand_over(&mut stage, (0, connection), (space, 901), vec![raw]);
    stage.wait(SOON);
    for peer in 0..2 {
        let engine = &stage.peers[peer].engine;
        assert!(
            engine.log(space).unwrap().contains(forged.id()),
            "forgotten"
        );
        let verdict = engine.evaluation(space).unwrap().verdict(forged.id());
        assert!(!verdict.counts(), "{verdict:?}");
        let shown = stage.peers[peer].events.iter().any(|event| {
            matches!(event, Event::Admitted { entries, .. }
                if entries.iter().any(|it| it.id == forged.id()))
        });
        assert!(!shown, "shown by {peer}");
    }
}

#[test]
fn rule_5_nothing_grows_with_a_slow_peer_and_it_gets_everything_later() {
    let (mut stage, space) = Stage::gathered(2, 0);
    let window = stage.peers[0].engine.limits.window_bytes;
    stage.peers[1].mood = Mood::Stuck;
    for _ in 0..200 {
        stage.change(0, space, &[7; 16 << 10]);
        let pressure = stage.peers[0].engine.pressure();
        let most = window + (20 << 10);
        assert!(pressure.outstanding_bytes <= most, "{pressure:?}");
    }
    let sent = stage.peers[0].sent.iter();
    let bytes: usize = sent.map(|(_connection, frame)| frame.len()).sum();
    assert!(
        bytes < 2 * window,
        "{bytes} bytes to a peer that takes none"
    );
    let received = stage.peers[1].engine.pressure().received_bytes;
    assert!(received <= stage.peers[1].engine.limits.received_bytes_max);
    stage.unstick(1);
    stage.wait(SOON);
    assert!(stage.agree(space));
}

#[test]
fn rule_6_what_misses_its_predecessor_waits_in_a_bounded_accounted_pool() {
    let (mut stage, space) = Stage::gathered(2, 0);
    let connection = stage.peers[1].engine.peers().next().unwrap().connection;
    let before = stage.len(1, space);
    stage.lossy = true;
    for _ in 0..100 {
        stage.change(0, space, b"one after the other");
    }
    let mut chain = last_of(&stage, 0, 100);
    let first = chain.remove(0);
    hand_over(&mut stage, (1, connection), (space, 900), chain.clone());
    let engine = &stage.peers[1].engine;
    let per_chain = engine.limits.orphans_per_chain_max;
    let held: usize = chain[..per_chain].iter().map(RawEnvelope::len_bytes).sum();
    assert_eq!(engine.pressure().orphan_bytes, held);
    assert_eq!(stage.len(1, space), before, "taken without its predecessor");
    let refused = answers(&stage.peers[1]).pop().unwrap().refused;
    assert_eq!(refused.len(), 99);
    assert!(refused.iter().all(|(_id, why)| *why == Refusal::Gap));
    hand_over(&mut stage, (1, connection), (space, 901), vec![first]);
    assert_eq!(stage.len(1, space), before + 1 + per_chain);
    assert_eq!(stage.peers[1].engine.pressure().orphan_bytes, 0);
    stage.lossy = false;
    stage.wait(SOON);
    assert!(stage.agree(space));
}

#[test]
fn rule_7_nobody_is_said_to_hold_what_it_did_not_acknowledge() {
    let (mut stage, space) = Stage::gathered(2, 0);
    let complete = |stage: &Stage| {
        let holders = stage.peers[0].engine.holders(space);
        let peer = stage.author(1);
        holders.iter().any(|it| it.peer == peer && it.complete)
    };
    stage.wait(SOON);
    assert!(complete(&stage));
    stage.peers[1].mood = Mood::Stuck;
    stage.change(0, space, b"sent and not stored");
    assert!(!complete(&stage), "synced before a receipt");
    stage.unstick(1);
    assert!(complete(&stage));
    // The peer's disk is lost: what it said of an earlier one is worth nothing.
    stage.replace_disk(1);
    stage.connect(0, 1);
    stage.play();
    assert!(!complete(&stage), "synced with a disk that is gone");
}

#[test]
fn rule_8_a_seed_replays_exactly() {
    let play = |lives: usize| {
        let (mut stage, space) = Stage::gathered(2, 1);
        for _ in 0..lives {
            stage.restart(1);
            stage.connect(0, 1);
        }
        for turn in 0..6 {
            stage.change(turn % 2, space, b"turn");
            stage.whisper(0, space, b"here");
            stage.wait(Duration::from_secs(3));
        }
        stage.wait(SOON);
        assert!(stage.agree(space) && stage.now > NOW);
        let all = stage.peers.into_iter();
        all.map(|it| (it.sent, it.datagrams, it.events, it.written))
            .collect::<Vec<_>>()
    };
    let first = play(0);
    assert!(first.iter().all(|(sent, ..)| sent.len() > 10));
    assert_eq!(first, play(0), "the same seeds, other bytes");
    assert_ne!(first, play(1), "other seeds, the same bytes");
}

#[test]
fn whoever_is_revoked_is_told_now_or_when_it_comes_next() {
    for comes_later in [false, true] {
        let (mut stage, space) = Stage::gathered(2, 0);
        if comes_later {
            stage.wait(Duration::from_secs(1));
            stage.restart(1);
        }
        let second = stage.author(1);
        let now = stage.now;
        let engine = &stage.peers[0].engine;
        let members = engine.members(space).iter();
        let target = members
            .filter(|member| member.author == second && member.is_live(now))
            .map(|member| member.grant)
            .next()
            .unwrap();
        assert_eq!(stage.peers[1].engine.ended_elsewhere(space), None);
        let revoke = Statement::Revoke {
            target,
            cuts: Vec::new(),
            reason: 0,
        };
        stage.state(0, space, revoke);
        if comes_later {
            stage.connect(0, 1);
        }
        stage.wait(Duration::from_secs(1));
        let said = stage.peers[1].engine.ended_elsewhere(space);
        assert_eq!(said, Some(AccessEnd::Over), "comes later: {comes_later}");
        // The first one's own access is as it was.
        assert_eq!(stage.peers[0].engine.ended_elsewhere(space), None);
    }
}

#[test]
fn a_space_that_was_offered_before_it_was_wanted_comes_at_once() {
    let mut stage = Stage::new(2, 0);
    let space = stage.found();
    stage.connect(0, 1);
    // The offer comes with the grant, and only then is the Space followed.
    stage.let_in(space, 1);
    stage.play();
    assert!(stage.agree(space), "not before the next comparison");
}
