//! A device's own chain that does not go on: it is left before anything is made for it.

use std::time::Duration;

use serde_bytes::ByteBuf;

use super::stage::Stage;
use crate::admission::{Held, Verdict};
use crate::engine::{Event, Input, WriteError};
use crate::id::{DocumentId, Instance, SpaceId};
use crate::statement::{Body, Capability};

const AHEAD: Duration = Duration::from_hours(1);

fn write_in(stage: &mut Stage, peer: usize, space: SpaceId, made_in: Instance) {
    let write = stage.write_id();
    let body = match stage.peers[peer].engine.capability(space) {
        Some(Capability::Comment) => Body::Entries(vec![ByteBuf::from(b"said")]),
        _ => Body::Changes(vec![ByteBuf::from(b"said")]),
    };
    let input = Input::Write {
        write,
        space,
        document: DocumentId::named("system"),
        body,
        made_in: Some(made_in),
    };
    stage.tell(peer, input);
    stage.wait(Duration::from_secs(1));
}

/// What was written with a clock that was ahead waits for its time, and a document without it counts its
/// changes otherwise. Whoever asks for the chain after the clock was put right gets a new one, also who may
/// do nothing but comment: not a single change is made for the old one.
#[test]
fn a_chain_with_work_of_the_future_is_left_before_anything_is_made() {
    for may in [Capability::Write, Capability::Comment] {
        let mut stage = Stage::new(2, 0);
        let space = stage.found();
        stage.connect(0, 1);
        stage.let_in_as(space, 1, may);
        stage.wait(Duration::from_secs(30));
        stage.now = stage.now.plus(AHEAD);
        let ahead = stage.peers[1].engine.instance();
        write_in(&mut stage, 1, space, ahead);
        assert!(stage.peers[1].written.last().unwrap().is_ok());
        stage.now = stage.now.minus(AHEAD);
        stage.restart(1);
        let instance = stage.peers[1].engine.instance();
        assert_ne!(instance, ahead, "{may:?}");
        write_in(&mut stage, 1, space, instance);
        assert!(stage.peers[1].written.last().unwrap().is_ok(), "{may:?}");
        assert_eq!(stage.peers[1].engine.instance(), instance);
        let evaluation = stage.peers[1].engine.evaluation(space).unwrap();
        let log = stage.peers[1].engine.log(space).unwrap();
        let own = log
            .iter()
            .filter(|it| it.header().chain.instance == instance);
        assert_eq!(
            own.filter(|it| evaluation.verdict(it.id()).counts())
                .count(),
            1
        );
        // What somebody made before they heard of that is refused, not lost.
        write_in(&mut stage, 1, space, ahead);
        let refused = stage.peers[1].written.last().unwrap();
        assert_eq!(refused.as_ref().unwrap_err(), &WriteError::ChainLeft);
        stage.restart(1);
        assert_eq!(
            stage.peers[1].engine.instance(),
            instance,
            "it is remembered"
        );
    }
}

/// The clock is put right while the program runs: it judges as after a restart, and goes on in a new chain that
/// does not build on what others hold back.
#[test]
fn a_clock_that_is_put_right_is_noticed_at_once() {
    let mut stage = Stage::new(2, 0);
    let space = stage.found();
    stage.connect(0, 1);
    stage.let_in_as(space, 1, Capability::Write);
    stage.wait(Duration::from_secs(30));
    let right = stage.now;
    let ahead = stage.peers[1].engine.instance();
    stage.now = right.plus(AHEAD);
    write_in(&mut stage, 1, space, ahead);
    let early = stage.peers[1].written.last().unwrap().clone().unwrap().id;
    stage.now = right.plus(Duration::from_secs(2));
    stage.tell(0, Input::Timeout);
    stage.tell(1, Input::Timeout);
    let instance = stage.peers[1].engine.instance();
    assert_ne!(instance, ahead);
    let rebuilt = Event::Rebuilt { space };
    assert!(
        stage.peers[1].events.contains(&rebuilt),
        "the shell reads anew"
    );
    write_in(&mut stage, 1, space, instance);
    let late = stage.peers[1].written.last().unwrap().clone().unwrap().id;
    for peer in [0, 1] {
        let evaluation = stage.peers[peer].engine.evaluation(space).unwrap();
        let held = Verdict::Held(Held::Future);
        assert_eq!(
            evaluation.verdict(early),
            held,
            "nobody builds on it: {peer}"
        );
        assert!(evaluation.verdict(late).counts());
    }
}
