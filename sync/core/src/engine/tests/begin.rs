//! Grants that begin later: before their time they open nothing, then everything.

use std::time::Duration;

use super::stage::Stage;
use crate::entropy::Entropy;
use crate::id::{PrincipalId, SpaceId};
use crate::invitation::{Draft, Invitee, Terms};
use crate::statement::{Capability, Statement};

const LATER: Duration = Duration::from_mins(3);

/// A Space with something in it, and a reader from later on.
fn reader_from_later() -> (Stage, SpaceId) {
    let mut stage = Stage::new(2, 0);
    let space = stage.found();
    let begin = stage.now.plus(LATER);
    stage.let_in_from(space, 1, (Capability::Read, begin));
    stage.change(0, space, b"before");
    stage.connect(0, 1);
    stage.wait(Duration::from_secs(20));
    (stage, space)
}

fn reads(stage: &Stage, space: SpaceId) -> bool {
    let engine = &stage.peers[1].engine;
    let parts = (
        engine.log(space),
        engine.evaluation(space),
        engine.keyring(space),
    );
    match parts {
        (Some(log), Some(evaluation), Some(keyring)) => {
            engine.capability(space) == Some(Capability::Read)
                && keyring.in_force(log, evaluation).is_some()
        }
        _ => false,
    }
}

#[test]
fn who_comes_later_gets_the_space_and_its_keys_when_their_time_has_come() {
    let (mut stage, space) = reader_from_later();
    assert!(!reads(&stage, space));
    stage.wait(LATER);
    assert!(reads(&stage, space));
}

#[test]
fn an_administrator_who_was_away_then_hands_over_the_keys_afterwards() {
    let (mut stage, space) = reader_from_later();
    stage.restart(0);
    // Nobody plays the time in which it is away.
    stage.now = stage.now.plus(LATER);
    stage.restart(0);
    stage.connect(0, 1);
    stage.wait(Duration::from_secs(20));
    assert!(reads(&stage, space));
    // A receipt of what came before it went may follow.
    let said = |stage: &Stage| {
        let log = stage.peers[0].engine.log(space).unwrap();
        let others = log.control();
        others
            .filter(|(_entry, said)| !matches!(said, Statement::Receipt { .. }))
            .count()
    };
    let before = said(&stage);
    stage.wait(Duration::from_mins(2));
    assert_eq!(said(&stage), before, "handed over once");
}

/// An invitation whose code begins later; who has it has taken it already.
fn guest_from_later() -> (Stage, SpaceId) {
    let mut stage = Stage::new(2, 0);
    let space = stage.found();
    stage.change(0, space, b"before");
    let begin = stage.now.plus(LATER);
    let end = begin.plus(Duration::from_hours(8));
    let terms = Terms {
        invitee: Invitee::Person,
        parent: stage.peers[0].engine.best_grant(space).unwrap(),
        principal: PrincipalId::from_bytes([1; 16]),
        capability: Capability::Read,
        not_before: begin,
        end,
        redeem_until: end,
        redemptions: 1,
        long_grace: false,
    };
    let draft = Draft::new(&terms, &mut Entropy::from_seed([5; 32]));
    stage.state(0, space, draft.statement());
    let grant = stage.peers[0].written.last().unwrap().clone().unwrap().id;
    let invitation = draft.issued(space, grant, Vec::new());
    stage.join(1, &invitation);
    stage.connect_with(0, 1, &[invitation.keys().author()]);
    (stage, space)
}

#[test]
fn a_code_that_begins_later_lets_in_by_itself_when_its_time_has_come() {
    let (mut stage, space) = guest_from_later();
    stage.wait(Duration::from_mins(1));
    assert!(!reads(&stage, space));
    assert_eq!(stage.len(1, space), 0, "nothing comes before");
    stage.wait(LATER);
    assert!(reads(&stage, space));
}
