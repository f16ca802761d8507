//! What somebody who has no part in a Space learns of it and changes in it: nothing.

use std::time::Duration;

use super::stage::Stage;
use crate::engine::bodies::Bodies;
use crate::engine::frame::{self, Frame};
use crate::engine::lacking::Lacking;
use crate::engine::{AccessEnd, ConnectionId, Input, StoreEpoch};
use crate::envelope::RawEnvelope;
use crate::id::{EnvelopeId, SpaceId};
use crate::statement::Statement;

const SOON: Duration = Duration::from_secs(30);
const ALICE: usize = 0;

/// All that can be said of a Space, by somebody who knows no more than its id and perhaps its digest.
fn questions(space: SpaceId, digest: [u8; 32]) -> Vec<Frame> {
    let envelopes = |number| frame::Envelopes {
        space,
        number,
        from: 0,
        to: 0,
        envelopes: Vec::new(),
    };
    vec![
        Frame::Digests(vec![(space, digest)]),
        Frame::Since(frame::Since {
            space,
            position: 0,
            digest,
        }),
        Frame::HeadsPart(frame::HeadsPart {
            space,
            chains: Vec::new(),
        }),
        Frame::Heads(frame::Heads {
            space,
            chains: Vec::new(),
            ask: true,
        }),
        Frame::Envelopes(envelopes(1)),
        Frame::Acknowledge(frame::Acknowledge {
            number: 0,
            refused: Vec::new(),
        }),
        Frame::Introduction(frame::Introduction {
            space,
            grants: Vec::new(),
        }),
        Frame::Wants(frame::Wants {
            space,
            documents: None,
        }),
        Frame::Fetch(frame::Fetch {
            space,
            ids: vec![EnvelopeId::ZERO],
        }),
        Frame::Bodies(frame::Bodies {
            space,
            bodies: Vec::new(),
        }),
        Frame::Ended(frame::Ended {
            space,
            why: AccessEnd::Over,
        }),
        Frame::Snapshots(frame::Snapshots {
            space,
            wanted: true,
            lacking: Lacking::NOTHING,
        }),
    ]
}

/// What a peer sends over a connection on which all of that is said.
fn answers(
    stage: &mut Stage,
    (peer, connection): (usize, ConnectionId),
    (space, digest): (SpaceId, [u8; 32]),
) -> Vec<Frame> {
    stage.peers[peer].sent.clear();
    for frame in questions(space, digest) {
        let frame = frame.encode();
        stage.tell(peer, Input::Received { connection, frame });
    }
    stage.wait(SOON);
    let sent = stage.peers[peer].sent.iter();
    let told = sent.filter(|(to, _bytes)| *to == connection);
    told.map(|(_to, bytes)| Frame::decode(bytes).unwrap())
        .collect()
}

fn digest(stage: &Stage, peer: usize, space: SpaceId) -> [u8; 32] {
    stage.peers[peer].engine.log(space).unwrap().digest()
}

/// The grant of a peer in the first one's eyes.
fn grant_of(stage: &Stage, space: SpaceId, peer: usize) -> EnvelopeId {
    let evaluation = stage.peers[ALICE].engine.evaluation(space).unwrap();
    evaluation
        .best_grant(stage.author(peer), stage.now)
        .unwrap()
}

fn send_away(stage: &mut Stage, space: SpaceId, peer: usize) {
    let revocation = Statement::Revoke {
        target: grant_of(stage, space, peer),
        cuts: Vec::new(),
        reason: 0,
    };
    stage.state(ALICE, space, revocation);
    stage.wait(SOON);
}

/// Member and relay: whatever is asked, and though the asker knows what exactly is there.
#[test]
fn a47_what_a_stranger_says_of_a_space_has_no_answer_and_no_effect() {
    let (mut stage, space) = Stage::gathered(2, 1);
    stage.change(ALICE, space, b"for members");
    stage.add_member();
    // Until nobody has anything to write down any more.
    stage.wait(SOON * 10);
    for peer in [1, 2] {
        let (connection, _there) = stage.connect(peer, 3);
        stage.wait(SOON);
        let before = stage.peers[peer].disk.commits;
        let events = stage.peers[peer].events.len();
        let known = digest(&stage, peer, space);
        for said in [[9; 32], known] {
            let told = answers(&mut stage, (peer, connection), (space, said));
            assert_eq!(told, [], "of peer {peer}");
        }
        let invented = (SpaceId::from_bytes([7; 32]), known);
        let told = answers(&mut stage, (peer, connection), invented);
        assert_eq!(told, [], "of peer {peer}");
        let engine = &stage.peers[peer].engine;
        assert_eq!(stage.peers[peer].disk.commits, before, "of peer {peer}");
        let said = &stage.peers[peer].events[events..];
        let of_it = said
            .iter()
            .filter(|it| format!("{it:?}").contains(&space.to_string()));
        assert_eq!(of_it.count(), 0, "{said:?}");
        assert_eq!(engine.ended_elsewhere(space), None);
        assert!(!engine.in_step(space).contains(&stage.author(3)));
        assert!(engine.is_stranger(connection));
    }
}

/// A relay that is let go speaks of that Space as of one that it never had, and takes it up again.
#[test]
fn a47_a_relay_whose_access_ended_tells_nobody_that_it_had_the_space() {
    let (mut stage, space) = Stage::gathered(1, 1);
    stage.change(ALICE, space, b"for members");
    stage.wait(SOON);
    stage.add_member();
    // By time: who is revoked is not even sent the statement that did it.
    stage.now = stage.now.plus(Duration::from_hours(25));
    stage.wait(SOON);
    assert_eq!(stage.peers[1].engine.capability(space), None);
    let (connection, _there) = stage.connect(1, 2);
    stage.wait(SOON);
    let known = digest(&stage, 1, space);
    for said in [[9; 32], known] {
        let told = answers(&mut stage, (1, connection), (space, said));
        assert_eq!(told, []);
    }
    stage.let_in(space, 1);
    stage.change(ALICE, space, b"again");
    stage.wait(SOON);
    assert_eq!(digest(&stage, 1, space), digest(&stage, ALICE, space));
}

/// A relay was shown its grant in a Space and waits for the rest: from whoever showed it.
#[test]
fn a47_nobody_else_hears_that_a_relay_waits_for_a_space_or_fills_its_place() {
    let mut stage = Stage::new(1, 1);
    let space = stage.found();
    stage.let_in(space, 1);
    stage.change(ALICE, space, b"for members");
    let held = &stage.peers[ALICE].engine.spaces[&space];
    let path = held
        .evaluation
        .path(&held.log, grant_of(&stage, space, 1))
        .unwrap();
    let grants = path.iter().map(|id| held.grants[id].clone()).collect();
    stage.add_member();
    let strangers_own = {
        let write = stage.write_id();
        let input = Input::CreateSpace {
            write,
            anchor: None,
            principal: crate::id::PrincipalId::from_bytes([3; 16]),
            end: crate::time::Timestamp::MAX,
        };
        stage.tell(2, input);
        stage.peers[2].disk.envelopes[0].envelope.raw().clone()
    };
    let (strangers, _there) = stage.connect(1, 2);
    stage.play();
    // What alice's engine would say by itself is lost.
    stage.lossy = true;
    let (connection, _there) = stage.connect(1, ALICE);
    let alices = connection;
    let hello = frame::Hello {
        protocol: frame::PROTOCOL,
        store_epoch: StoreEpoch(1),
        features: 0,
    };
    let shown = frame::Introduction { space, grants };
    for frame in [Frame::Hello(hello), Frame::Introduction(shown)] {
        let frame = frame.encode();
        stage.tell(1, Input::Received { connection, frame });
    }
    assert!(stage.peers[1].engine.candidates.contains_key(&space));
    assert!(!stage.peers[1].engine.is_stranger(alices), "it offers one");
    let mut says = |connection: ConnectionId, envelopes: Vec<RawEnvelope>| {
        stage.peers[1].sent.clear();
        let frame = frame::Envelopes {
            space,
            number: 1,
            from: 0,
            to: 0,
            envelopes,
        };
        let frame = Frame::Envelopes(frame).encode();
        stage.tell(1, Input::Received { connection, frame });
        let engine = &stage.peers[1].engine;
        let bytes = engine.candidates.get(&space).map(|it| it.bytes);
        (stage.peers[1].frames(), bytes)
    };
    assert_eq!(says(strangers, vec![strangers_own]), (Vec::new(), Some(0)));
    assert_eq!(says(strangers, Vec::new()), (Vec::new(), Some(0)));
    let (answered, _bytes) = says(alices, Vec::new());
    assert!(
        matches!(answered[..], [Frame::Acknowledge(_)]),
        "{answered:?}"
    );
}

/// Members, who is let in later, and who was let in by grants that are not here yet are somebody; whoever
/// is sent away is nobody from then on.
#[test]
fn who_has_no_part_in_anything_is_a_stranger() {
    let (mut stage, space) = Stage::gathered(2, 1);
    stage.add_member();
    let (members, _there) = stage.connect(2, 1);
    let (strangers, _there) = stage.connect(2, 3);
    stage.wait(SOON);
    let is_stranger = |stage: &Stage, id| stage.peers[2].engine.is_stranger(id);
    assert!(!is_stranger(&stage, members) && is_stranger(&stage, strangers));
    stage.let_in(space, 3);
    stage.wait(SOON);
    assert!(!is_stranger(&stage, strangers), "let in meanwhile");
    send_away(&mut stage, space, 1);
    assert!(is_stranger(&stage, members), "sent away");
    assert!(!is_stranger(&stage, ConnectionId(9_999)), "none at all");
}

/// A device that keeps bodies of some documents says so to members alone.
#[test]
fn a47_a_stranger_is_not_told_what_a_device_keeps() {
    let (mut stage, space) = Stage::gathered(2, 0);
    stage.add_member();
    let (connection, _there) = stage.connect(1, 2);
    stage.wait(SOON);
    let bodies = Bodies::Documents([crate::id::DocumentId::named("system")].into());
    stage.peers[1].sent.clear();
    stage.tell(1, Input::KeepBodies { space, bodies });
    stage.wait(SOON);
    let sent = &stage.peers[1].sent;
    assert!(
        sent.iter().all(|(to, _bytes)| *to != connection),
        "{sent:?}"
    );
}
