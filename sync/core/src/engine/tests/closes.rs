//! Grants that ended by time are closed by a witness, once, and with all that came in time.

use std::time::Duration;

use super::stage::Stage;
use crate::admission::{GRACE, Verdict};
use crate::id::{EnvelopeId, SpaceId};
use crate::statement::{Cut, Statement};

/// Grants of the stage last so long.
const DAY: Duration = Duration::from_hours(24);

/// The closes that a peer holds: of which grant, and where its chains end.
fn closes(stage: &Stage, peer: usize, space: SpaceId) -> Vec<(EnvelopeId, Vec<Cut>)> {
    let log = stage.peers[peer].engine.log(space).unwrap();
    let closes = log
        .control()
        .filter_map(|(_entry, statement)| match statement {
            Statement::Close { target, cuts } => Some((*target, cuts.clone())),
            _ => None,
        });
    closes.collect()
}

fn head(stage: &Stage, peer: usize, space: SpaceId) -> (u64, EnvelopeId) {
    let engine = &stage.peers[peer].engine;
    let chain = crate::id::Chain {
        author: engine.author(),
        instance: engine.instance(),
    };
    engine.log(space).unwrap().head(chain).unwrap()
}

/// Passes time without playing every second of it.
fn pass(stage: &mut Stage, span: Duration) {
    stage.now = stage.now.plus(span);
    stage.wait(Duration::from_secs(30));
}

#[test]
fn what_ended_is_closed_once_with_all_that_came_in_time() {
    let (mut stage, space) = Stage::gathered(2, 0);
    stage.change(1, space, b"in time");
    stage.wait(Duration::from_secs(10));
    let written = head(&stage, 1, space);
    pass(&mut stage, DAY + Duration::from_mins(13));
    assert_eq!(closes(&stage, 0, space), []);
    // The first device is the only witness: it has the first turn.
    for _ in 0..3 {
        pass(&mut stage, Duration::from_mins(5));
    }
    let made = closes(&stage, 0, space);
    assert_eq!(made.len(), 1, "{made:?}");
    let cut = made[0]
        .1
        .iter()
        .find(|cut| cut.chain.author == stage.author(1));
    assert_eq!(cut.map(|cut| (cut.seq, cut.id)), Some(written));
    let engine = &stage.peers[0].engine;
    let verdict = engine.evaluation(space).unwrap().verdict(written.1);
    assert_eq!(verdict, Verdict::Admitted);
    pass(&mut stage, DAY);
    stage.restart(0);
    stage.connect(0, 1);
    pass(&mut stage, Duration::from_hours(1));
    assert_eq!(closes(&stage, 0, space).len(), 1, "never again");
}

#[test]
fn who_is_out_of_touch_closes_nothing_because_others_may_know_more() {
    let (mut stage, space) = Stage::gathered(3, 0);
    stage.change(1, space, b"all have seen it");
    stage.wait(Duration::from_secs(10));
    pass(&mut stage, Duration::from_hours(23));
    stage.let_in(space, 2);
    stage.wait(Duration::from_secs(10));
    stage.restart(0);
    stage.connect(1, 2);
    stage.change(1, space, b"the first has never seen it");
    stage.wait(Duration::from_secs(10));
    let written = head(&stage, 1, space);
    pass(&mut stage, GRACE + Duration::from_hours(3));
    assert_eq!(closes(&stage, 0, space), []);
    stage.connect(0, 2);
    stage.wait(Duration::from_mins(2));
    // For the third it came in time; for the first it is late, and a person decides.
    let verdict = |peer: usize| {
        let engine = &stage.peers[peer].engine;
        engine.evaluation(space).unwrap().verdict(written.1)
    };
    assert_eq!(verdict(2), Verdict::Admitted);
    assert!(matches!(verdict(0), Verdict::Held(_)), "{:?}", verdict(0));
    assert_eq!(closes(&stage, 0, space), []);
}

#[test]
fn who_was_let_in_anew_works_on_after_the_first_grant_was_closed() {
    let (mut stage, space) = Stage::gathered(2, 0);
    stage.change(1, space, b"under the first grant");
    pass(&mut stage, Duration::from_hours(12));
    stage.let_in(space, 1);
    stage.change(1, space, b"under the second");
    pass(&mut stage, Duration::from_hours(13));
    stage.wait(Duration::from_mins(2));
    assert_eq!(closes(&stage, 0, space).len(), 1);
    stage.change(1, space, b"after the first was closed");
    stage.wait(Duration::from_mins(1));
    let written = head(&stage, 1, space);
    for peer in 0..2 {
        let engine = &stage.peers[peer].engine;
        let verdict = engine.evaluation(space).unwrap().verdict(written.1);
        assert_eq!(verdict, Verdict::Admitted, "peer {peer}");
    }
}
