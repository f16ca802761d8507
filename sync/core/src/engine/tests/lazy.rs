//! Headers without bodies: whole chains, the same verdicts, nothing claimed that is not there.

use std::time::Duration;

use serde_bytes::ByteBuf;

use super::stage::{Mood, Stage};
use crate::admission::{Entry, Verdict};
use crate::engine::frame::Frame;
use crate::engine::*;
use crate::id::{DocumentId, EnvelopeId};
use crate::statement::Kind;

const SOON: Duration = Duration::from_secs(30);
const OPENED: &str = "system";
const CLOSED: &str = "note/1";

fn opened(stage: &mut Stage, peer: usize, space: SpaceId, documents: &[&str]) {
    let documents = documents.iter().map(|name| DocumentId::named(name));
    let bodies = Bodies::Documents(documents.collect());
    stage.tell(peer, Input::KeepBodies { space, bodies });
}

/// The founder, a member that opened one of two documents, and ten changes in each.
fn halved() -> (Stage, SpaceId) {
    let (mut stage, space) = Stage::gathered(2, 0);
    opened(&mut stage, 1, space, &[OPENED]);
    for turn in 0..10 {
        for document in [OPENED, CLOSED] {
            stage.change_in(0, space, DocumentId::named(document), &[turn; 1_000]);
        }
    }
    stage.wait(SOON);
    (stage, space)
}

fn missing(stage: &Stage, peer: usize, space: SpaceId) -> [usize; 2] {
    let engine = &stage.peers[peer].engine;
    [OPENED, CLOSED].map(|name| engine.missing_bodies(space, DocumentId::named(name)))
}

fn verdicts(stage: &Stage, peer: usize, space: SpaceId) -> Vec<(EnvelopeId, Verdict)> {
    let engine = &stage.peers[peer].engine;
    let evaluation = engine.evaluation(space).unwrap();
    let ids = engine.log(space).unwrap().iter().map(Entry::id);
    ids.map(|id| (id, evaluation.verdict(id))).collect()
}

#[test]
fn chains_and_verdicts_are_whole_without_the_bodies_of_documents_that_nobody_opened() {
    let (stage, space) = halved();
    assert!(stage.agree(space));
    assert_eq!(missing(&stage, 1, space), [0, 10]);
    assert_eq!(verdicts(&stage, 0, space), verdicts(&stage, 1, space));
    let control = stage.peers[1].disk.envelopes.iter().map(|it| &it.envelope);
    let control: Vec<_> = control
        .filter(|it| it.header().kind == Kind::Control)
        .collect();
    assert!(!control.is_empty() && control.iter().all(|it| it.body().is_some()));
}

#[test]
fn an_opened_document_is_fetched_verified_and_durable_before_it_is_complete() {
    let (mut stage, space) = halved();
    stage.peers[1].mood = Mood::Stuck;
    opened(&mut stage, 1, space, &[OPENED, CLOSED]);
    assert_eq!(
        missing(&stage, 1, space),
        [0, 10],
        "complete before the disk"
    );
    stage.peers[1].events.clear();
    stage.unstick(1);
    assert_eq!(missing(&stage, 1, space), [0, 0]);
    assert!(stage.peers[1].events.contains(&Event::Rebuilt { space }));
    assert_eq!(stage.peers[1].disk.bodiless(), []);
    let engine = &stage.peers[1].engine;
    for stored in &stage.peers[1].disk.envelopes {
        let sealed = stored.envelope.header().kind != Kind::Control;
        assert!(!sealed || engine.open_body(space, &stored.envelope).is_some());
    }
}

#[test]
fn what_is_missing_is_known_after_a_restart_and_fetched_when_all_is_wanted() {
    let (mut stage, space) = halved();
    stage.restart(1);
    assert_eq!(missing(&stage, 1, space), [0, 10]);
    stage.connect(0, 1);
    stage.wait(SOON);
    assert_eq!(missing(&stage, 1, space), [0, 0]);
}

#[test]
fn a_body_that_its_header_does_not_name_is_refused_and_counted() {
    let (mut stage, space) = halved();
    stage.lossy = true;
    opened(&mut stage, 1, space, &[OPENED, CLOSED]);
    stage.lossy = false;
    let (connection, ids) = stage.peers[1]
        .sent
        .iter()
        .find_map(|(connection, bytes)| match Frame::decode(bytes) {
            Ok(Frame::Fetch(fetch)) => Some((*connection, fetch.ids)),
            _ => None,
        })
        .unwrap();
    let bodies = vec![(ids[0], ByteBuf::from([0; 100]))];
    let frame = Frame::Bodies(frame::Bodies { space, bodies }).encode();
    stage.tell(1, Input::Received { connection, frame });
    assert_eq!(missing(&stage, 1, space), [0, 10]);
    assert_eq!(stage.peers[1].engine.connections[&connection].faults, 1);
    stage.wait(SOON);
    assert_eq!(missing(&stage, 1, space), [0, 0], "never asked again");
}

#[test]
fn a_peer_without_the_bodies_counts_for_no_holder_and_keeps_nobody_from_the_rest() {
    let (mut stage, space) = halved();
    let peer = stage.author(1);
    let whole = |stage: &Stage| {
        let holders = stage.peers[0].engine.holders(space);
        holders.iter().any(|it| it.peer == peer && it.complete)
    };
    assert!(!whole(&stage), "synced without the bodies");
    // A third member meets only the one that lacks bodies, then the one that has them.
    stage.add_member();
    stage.let_in(space, 2);
    stage.play();
    stage.connect(1, 2);
    stage.wait(SOON);
    assert_eq!(missing(&stage, 2, space), [0, 10], "got what nobody has");
    assert_eq!(stage.len(2, space), stage.len(1, space));
    let third = stage.author(2);
    let holders = stage.peers[1].engine.holders(space);
    assert!(
        !holders.iter().any(|it| it.peer == third && it.complete),
        "headers were taken for the whole"
    );
    stage.connect(0, 2);
    stage.wait(SOON);
    assert!(stage.agree(space));
    assert_eq!(missing(&stage, 2, space), [0, 0]);
    let bodies = Bodies::All;
    stage.tell(1, Input::KeepBodies { space, bodies });
    stage.change(0, space, b"one more");
    stage.wait(SOON);
    assert!(whole(&stage), "whole again and never said so");
}

#[test]
fn a_relay_takes_headers_alone_for_less_than_a_whole_and_asks_for_their_bodies() {
    let (mut stage, space) = Stage::gathered(1, 1);
    opened(&mut stage, 1, space, &[]);
    stage.change(0, space, b"kept");
    assert_eq!(stage.peers[1].disk.bodiless(), []);
    stage.lossy = true;
    stage.change(0, space, b"sent without its body");
    stage.lossy = false;
    let connection = stage.peers[1].engine.peers().next().unwrap().connection;
    let stored = stage.peers[0].disk.envelopes.last().unwrap();
    let (id, mut raw) = (stored.envelope.id(), stored.envelope.raw().clone());
    raw.body = None;
    let frame = Frame::Envelopes(frame::Envelopes {
        space,
        number: 900,
        from: 0,
        to: 0,
        envelopes: vec![raw],
    });
    let frame = frame.encode();
    stage.tell(1, Input::Received { connection, frame });
    let lacks = |stage: &Stage| stage.peers[1].disk.bodiless() == [(space, id)];
    let told = stage.peers[1]
        .frames()
        .into_iter()
        .any(|frame| matches!(frame, Frame::Snapshots(said) if !said.lacking.is_nothing()));
    assert!(!lacks(&stage) || told, "took a header and said nothing");
    stage.wait(SOON);
    assert!(stage.agree(space), "later never came");
    assert_eq!(stage.peers[1].disk.bodiless(), [], "never asked for it");
}
