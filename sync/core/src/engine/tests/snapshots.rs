//! Snapshots between engines: who writes one, who reads it, what nobody is told falsely.

use std::time::Duration;

use serde_bytes::ByteBuf;

use super::stage::{Mood, Stage};
use crate::admission::{Entry, PassedOver, list_in};
use crate::codec;
use crate::engine::frame::Frame;
use crate::engine::*;
use crate::id::{DocumentId, EnvelopeId};
use crate::statement::{Body, Capability, Kind, Statement};

const SOON: Duration = Duration::from_secs(30);
const SNAPSHOT_SETTLE: Duration = Duration::from_secs(10);
const TAIL: usize = 40;

fn document() -> DocumentId {
    DocumentId::named("system")
}

fn body(number: usize) -> Body {
    Body::Changes(vec![ByteBuf::from(format!("change {number}"))])
}

/// Members and relays in one Space, who write snapshots early.
fn gathered(members: u8, relays: u8) -> (Stage, SpaceId) {
    let (mut stage, space) = Stage::gathered(members, relays);
    for peer in &mut stage.peers {
        peer.engine.limits.snapshot_tail_max = TAIL;
    }
    (stage, space)
}

fn write(stage: &mut Stage, peer: usize, space: SpaceId, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let Body::Changes(changes) = body(number) else {
            unreachable!()
        };
        // No two at one moment: their order by time is that in which they were written.
        stage.now = stage.now.plus(Duration::from_millis(1));
        stage.change(peer, space, &changes[0]);
    }
}

fn of_kind(stage: &Stage, peer: usize, space: SpaceId, kind: Kind) -> Vec<EnvelopeId> {
    let log = stage.peers[peer].engine.log(space).unwrap();
    let found = log.iter().filter(|entry| entry.header().kind == kind);
    found.map(Entry::id).collect()
}

fn snapshots(stage: &Stage, peer: usize, space: SpaceId) -> usize {
    of_kind(stage, peer, space, Kind::Snapshot).len()
}

/// Every change that counts at a peer, as it is read there.
fn read(stage: &Stage, peer: usize, space: SpaceId) -> Vec<Body> {
    let it = &stage.peers[peer];
    let entries = it.engine.admitted(space, document()).into_iter();
    let read = entries.filter_map(|entry| it.disk.read(&it.engine, space, entry.id));
    read.filter(|body| body.kind() == Kind::Changes).collect()
}

fn all(count: usize) -> Vec<Body> {
    (0..count).map(body).collect()
}

/// A further member, who meets one peer for the first time.
fn newcomer(stage: &mut Stage, space: SpaceId, meets: usize) -> usize {
    stage.add_member();
    let new = stage.peers.len() - 1;
    stage.peers[new].engine.limits.snapshot_tail_max = TAIL;
    stage.let_in(space, new);
    stage.wait(SOON);
    stage.connect(meets, new);
    stage.wait(SOON);
    new
}

/// How many bodies a peer asked for one by one.
fn asked_for(stage: &Stage, peer: usize) -> usize {
    let frames = stage.peers[peer].frames().into_iter();
    let asked = frames.map(|frame| match frame {
        Frame::Fetch(fetch) => fetch.ids.len(),
        _ => 0,
    });
    asked.sum()
}

fn holds_all(stage: &Stage, at: usize, space: SpaceId, peer: usize) -> bool {
    let author = stage.author(peer);
    let holders = stage.peers[at].engine.holders(space);
    holders.iter().any(|it| it.peer == author && it.complete)
}

/// A body by hand, under whatever kind it is.
fn write_body(stage: &mut Stage, peer: usize, space: SpaceId, body: Body) {
    let input = Input::Write {
        write: WriteId(1_000_000),
        space,
        document: document(),
        body,
        made_in: None,
    };
    stage.tell(peer, input);
}

#[test]
fn a_long_tail_becomes_one_snapshot_by_whoever_made_it_too_long() {
    let (mut stage, space) = gathered(3, 0);
    write(&mut stage, 0, space, 0..TAIL - 1);
    write(&mut stage, 1, space, TAIL - 1..TAIL + 2);
    write(&mut stage, 2, space, TAIL + 2..TAIL + 4);
    assert_eq!(
        snapshots(&stage, 0, space),
        0,
        "before everybody could know"
    );
    stage.wait(SNAPSHOT_SETTLE + SOON);
    let written = of_kind(&stage, 0, space, Kind::Snapshot);
    let log = stage.peers[0].engine.log(space).unwrap();
    let authors: Vec<_> = written
        .iter()
        .map(|id| log.get(*id).unwrap().header().chain.author)
        .collect();
    assert_eq!(authors, [stage.author(1)]);
    // Nothing more comes of the same tail, and the next tail brings the next.
    write(&mut stage, 1, space, 100..100 + TAIL / 2);
    stage.wait(SNAPSHOT_SETTLE + SOON);
    assert_eq!(snapshots(&stage, 0, space), 1);
    write(&mut stage, 1, space, 200..200 + TAIL / 2);
    stage.wait(SNAPSHOT_SETTLE + SOON);
    assert_eq!(snapshots(&stage, 0, space), 2);
}

#[test]
fn whoever_made_it_too_long_and_went_is_stood_in_for_a_while_later() {
    let (mut stage, space) = gathered(2, 0);
    write(&mut stage, 1, space, 0..TAIL);
    stage.peers[1].engine.limits.snapshot_tail_max = usize::MAX;
    stage.wait(SNAPSHOT_SETTLE + SOON);
    write(&mut stage, 0, space, TAIL..TAIL + TAIL / 4 - 1);
    stage.wait(SNAPSHOT_SETTLE + SOON);
    assert_eq!(snapshots(&stage, 0, space), 0);
    write(&mut stage, 0, space, 90..91);
    stage.wait(SNAPSHOT_SETTLE + SOON);
    assert_eq!(snapshots(&stage, 0, space), 1);
}

#[test]
fn relays_and_readers_write_none_and_each_body_is_listed_once() {
    let (mut stage, space) = gathered(1, 1);
    stage.peers[1].engine.limits.snapshot_tail_max = 1;
    for turn in 0..4 {
        write(&mut stage, 0, space, turn * TAIL..(turn + 1) * TAIL);
        stage.wait(SNAPSHOT_SETTLE + SOON);
    }
    let engine = &stage.peers[0].engine;
    let mut listed = Vec::new();
    for id in engine.snapshots(space) {
        let stored = &stage.peers[0].disk.envelopes[stage.peers[0].disk.ids[&id]];
        let body = engine.open_body(space, &stored.envelope).unwrap();
        let list = list_in(body).unwrap();
        listed.extend(list.into_iter().map(|(id, _plain)| id));
    }
    let count = listed.len();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!((listed.len(), count), (4 * TAIL, 4 * TAIL));
    assert_eq!(snapshots(&stage, 1, space), 4);
}

#[test]
fn a_newcomer_takes_headers_snapshots_and_the_tail_and_asks_for_nothing() {
    let (mut stage, space) = gathered(1, 1);
    write(&mut stage, 0, space, 0..TAIL);
    stage.wait(SNAPSHOT_SETTLE + SOON);
    write(&mut stage, 0, space, TAIL..TAIL + 5);
    stage.wait(SOON);
    let new = newcomer(&mut stage, space, 1);
    assert!(stage.agree(space));
    assert_eq!(read(&stage, new, space), all(TAIL + 5));
    assert_eq!(asked_for(&stage, new), 0);
    assert_eq!(
        stage.peers[new].disk.covered.len(),
        TAIL,
        "sealed all the same"
    );
    let engine = &stage.peers[new].engine;
    assert_eq!(engine.missing_bodies(space, document()), 0);
    assert!(stage.peers[new].events.contains(&Event::Rebuilt { space }));
    assert!(holds_all(&stage, 1, space, new), "whole and never said so");
    // It is so after a restart, and further members get it from there.
    stage.restart(new);
    assert_eq!(read(&stage, new, space), all(TAIL + 5));
    stage.connect(1, new);
    let next = newcomer(&mut stage, space, new);
    assert_eq!(read(&stage, next, space), all(TAIL + 5));
    assert_eq!(stage.peers[next].disk.bodiless(), []);
}

#[test]
fn nobody_is_taken_for_a_holder_before_the_bodies_are_on_its_disk() {
    let (mut stage, space) = gathered(1, 0);
    write(&mut stage, 0, space, 0..TAIL);
    stage.wait(SNAPSHOT_SETTLE + SOON);
    stage.add_member();
    stage.peers[1].engine.limits.snapshot_tail_max = TAIL;
    stage.let_in(space, 1);
    stage.connect(0, 1);
    // The newcomer's disk takes one batch after another.
    stage.peers[1].mood = Mood::Stuck;
    let (mut bare, mut turns) = (false, 0);
    while !bare || !stage.peers[1].disk.bodiless().is_empty() {
        stage.wait(Duration::from_secs(1));
        stage.commit_one(1);
        let lacks = !stage.peers[1].disk.bodiless().is_empty();
        bare |= lacks;
        let whole = holds_all(&stage, 0, space, 1);
        assert!(!(lacks && whole), "synced without the bodies");
        turns += 1;
        assert!(turns < 60, "nothing comes");
    }
    stage.unstick(1);
    stage.wait(SOON);
    assert!(stage.peers[1].disk.bodiless().is_empty());
    assert!(holds_all(&stage, 0, space, 1));
}

#[test]
fn a49_a_forged_snapshot_changes_nothing_and_is_told_and_the_log_is_asked() {
    let (mut stage, space) = gathered(2, 0);
    write(&mut stage, 0, space, 0..10);
    let ids = of_kind(&stage, 0, space, Kind::Changes);
    let forged = codec::encode(&body(666)).unwrap();
    let mut list: Vec<_> = ids[..9]
        .iter()
        .map(|id| (*id, ByteBuf::from(forged.clone())))
        .collect();
    list.sort_unstable();
    write_body(&mut stage, 1, space, Body::Snapshot(list));
    stage.wait(SOON);
    let new = newcomer(&mut stage, space, 0);
    assert_eq!(read(&stage, new, space), all(10));
    assert_eq!(asked_for(&stage, new), 10);
    let told = stage.peers[new]
        .events
        .iter()
        .find_map(|event| match event {
            Event::Snapshot {
                author, finding, ..
            } => Some((*author, finding.clone())),
            _ => None,
        });
    let counts = BTreeMap::from([(PassedOver::Hash, 9)]);
    let finding = SnapshotFinding::PassedOver(counts);
    assert_eq!(told, Some((stage.author(1), finding.clone())));
    let text = finding.to_string();
    assert!(text.ends_with("9 not what their authors signed"), "{text}");
    // Nor does it keep the next honest one from holding all.
    let engine = &mut stage.peers[0].engine;
    engine.limits.snapshot_tail_max = 5;
    write(&mut stage, 0, space, 10..16);
    stage.wait(SNAPSHOT_SETTLE + SOON);
    let last = newcomer(&mut stage, space, 0);
    assert_eq!(read(&stage, last, space), all(16));
    assert_eq!(asked_for(&stage, last), 0);
}

#[test]
fn a_snapshot_that_nobody_gives_holds_nothing_up() {
    let (mut stage, space) = gathered(2, 0);
    write(&mut stage, 0, space, 0..TAIL);
    stage.wait(SNAPSHOT_SETTLE + SOON);
    // A member that keeps no bodies, and then wants them: what it asks for first is not given.
    stage.add_member();
    stage.let_in(space, 2);
    let bodies = Bodies::Documents(BTreeSet::new());
    stage.tell(2, Input::KeepBodies { space, bodies });
    stage.connect(0, 2);
    stage.wait(SOON);
    let snapshot = of_kind(&stage, 0, space, Kind::Snapshot)[0];
    let held = stage.peers[0].engine.spaces.get_mut(&space).unwrap();
    let header = held.log.get(snapshot).unwrap().header();
    let at = (header.chain, header.seq);
    held.missing.insert(snapshot, at);
    stage.tell(
        2,
        Input::KeepBodies {
            space,
            bodies: Bodies::All,
        },
    );
    stage.wait(SOON);
    assert_eq!(read(&stage, 2, space), all(TAIL));
    assert!(asked_for(&stage, 2) > TAIL);
}

#[test]
fn bodies_are_deleted_only_for_what_a_snapshot_holds() {
    let (mut stage, space) = gathered(2, 1);
    write(&mut stage, 0, space, 0..TAIL);
    stage.wait(SNAPSHOT_SETTLE + SOON);
    write(&mut stage, 0, space, TAIL..TAIL + 5);
    let droppable = |stage: &Stage| {
        let engine = &stage.peers[0].engine;
        let by = engine.snapshots(space)[0];
        let disk = &stage.peers[0].disk;
        let snapshot = &disk.envelopes[disk.ids[&by]].envelope;
        (by, engine.droppable(space, snapshot).unwrap())
    };
    let (by, ids) = droppable(&stage);
    assert_eq!(ids.len(), TAIL);
    let write = WriteId(77);
    let mut with_more = ids.clone();
    let later = of_kind(&stage, 0, space, Kind::Control);
    with_more.extend(&later);
    let cover = Input::Cover {
        write,
        space,
        by,
        ids: with_more,
    };
    stage.tell(0, cover);
    assert!(stage.peers[0].written.last().unwrap().is_ok());
    assert_eq!(
        stage.peers[0].disk.covered.len(),
        TAIL,
        "control was deleted"
    );
    assert_eq!(droppable(&stage).1, [], "nothing is left to delete");
    assert_eq!(read(&stage, 0, space), all(TAIL + 5));
    stage.restart(0);
    assert_eq!(read(&stage, 0, space), all(TAIL + 5));
    for other in [1, 2] {
        stage.connect(0, other);
    }
    // A device that comes later gets everything from here, a relay what was sealed from the relay.
    let new = newcomer(&mut stage, space, 0);
    assert_eq!(read(&stage, new, space), all(TAIL + 5));
    assert!(stage.agree(space));
}

#[test]
fn a_relay_that_lost_its_disk_is_given_sealed_bodies_that_only_snapshots_hold() {
    let (mut stage, space) = gathered(1, 1);
    write(&mut stage, 0, space, 0..TAIL);
    stage.wait(SNAPSHOT_SETTLE + SOON);
    let new = newcomer(&mut stage, space, 1);
    assert_eq!(stage.peers[new].disk.covered.len(), TAIL);
    // The writer is gone, and the relay's disk is another.
    for peer in [0, 1] {
        stage.replace_disk(peer);
    }
    stage.connect(1, new);
    stage.wait(SOON + SOON);
    let relay = &stage.peers[1];
    assert_eq!(stage.len(1, space), stage.len(new, space));
    assert_eq!(relay.disk.bodiless(), []);
    let opens = |id| {
        let envelope = &relay.disk.envelopes[relay.disk.ids[&id]].envelope;
        stage.peers[new].engine.open_body(space, envelope)
    };
    let sealed = of_kind(&stage, 1, space, Kind::Changes);
    let sealed: BTreeSet<_> = sealed
        .into_iter()
        .filter_map(opens)
        .map(|it| format!("{it:?}"))
        .collect();
    assert_eq!(
        sealed,
        all(TAIL).iter().map(|it| format!("{it:?}")).collect()
    );
    assert!(
        holds_all(&stage, new, space, 1),
        "the relay is a holder again"
    );
    assert!(stage.peers[new].disk.covered.is_empty());
    assert_eq!(read(&stage, new, space), all(TAIL));
}

#[test]
fn a_body_that_nobody_has_any_more_keeps_nobody_from_the_rest() {
    let (mut stage, space) = gathered(1, 1);
    write(&mut stage, 0, space, 0..TAIL);
    stage.wait(SNAPSHOT_SETTLE + SOON);
    // A member that keeps headers alone is the only one left who has this Space.
    stage.add_member();
    stage.let_in(space, 2);
    let bodies = Bodies::Documents(BTreeSet::new());
    stage.tell(2, Input::KeepBodies { space, bodies });
    stage.connect(0, 2);
    stage.wait(SOON);
    for peer in [0, 1] {
        stage.replace_disk(peer);
    }
    stage.connect(1, 2);
    stage.wait(SOON + SOON);
    assert_eq!(stage.len(1, space), stage.len(2, space));
    assert_eq!(stage.peers[1].engine.in_step(space), [stage.author(2)]);
    assert!(
        !holds_all(&stage, 2, space, 1),
        "it lacks bodies, and says so"
    );
    let headers = stage.len(1, space);
    stage.change_in(2, space, DocumentId::named("note/1"), b"and on");
    stage.wait(SOON);
    assert_eq!(stage.len(1, space), headers + 1);
}

#[test]
fn what_a_revoked_writers_snapshot_held_is_read_after_a_rebuild() {
    let (mut stage, space) = gathered(2, 1);
    write(&mut stage, 0, space, 0..5);
    stage.peers[1].engine.limits.snapshot_tail_max = 5;
    write(&mut stage, 1, space, 5..7);
    stage.wait(SNAPSHOT_SETTLE + SOON);
    let new = newcomer(&mut stage, space, 2);
    assert!(!stage.peers[new].disk.covered.is_empty());
    let author = stage.author(1);
    let members = stage.peers[0].engine.members(space).iter();
    let mut targets = members.filter(|it| it.author == author).map(|it| it.grant);
    let target = targets.next_back().unwrap();
    let revoke = Statement::Revoke {
        target,
        cuts: Vec::new(),
        reason: 0,
    };
    stage.state(0, space, revoke);
    stage.wait(SOON);
    assert_eq!(stage.peers[new].engine.snapshots(space), []);
    assert_eq!(read(&stage, new, space), read(&stage, 0, space));
    let kept = read(&stage, new, space);
    assert!((0..5).all(|number| kept.contains(&body(number))));
}

#[test]
fn an_agent_that_keeps_a_system_sealed_is_given_sealed_bodies() {
    let (mut stage, space) = gathered(1, 0);
    write(&mut stage, 0, space, 0..TAIL);
    stage.wait(SNAPSHOT_SETTLE + SOON);
    stage.add_member();
    stage.let_in_as(space, 1, Capability::Relay);
    stage.connect(0, 1);
    stage.wait(SOON + SOON);
    assert!(stage.agree(space));
    assert_eq!(stage.peers[1].disk.bodiless(), []);
    assert_eq!(stage.peers[1].disk.covered.len(), 0);
    assert!(holds_all(&stage, 0, space, 1));
}
