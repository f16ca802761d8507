//! Somebody whose clock is ahead: nobody else counts what they say before its time, and they are told.

use std::time::Duration;

use super::stage::Stage;
use crate::engine::Input;
use crate::entropy::Entropy;
use crate::id::{PrincipalId, SpaceId};
use crate::invitation::{Draft, Invitee, Terms};
use crate::statement::{Audience, Capability, Statement};
use crate::time::Timestamp;

const ADMINISTRATOR: usize = 0;
const GUEST: usize = 1;
const RELAY: usize = 2;
const AHEAD: Duration = Duration::from_hours(1);

/// A guest whose clock is ahead joins at a relay by a code that works as long as its access.
fn joined(ahead: Duration) -> (Stage, SpaceId) {
    joined_by_code_of(Duration::from_hours(8), ahead)
}

/// The same by a code of such a life.
fn joined_by_code_of(life: Duration, ahead: Duration) -> (Stage, SpaceId) {
    let mut stage = Stage::new(2, 1);
    let space = stage.found();
    stage.let_in(space, RELAY);
    stage.change(ADMINISTRATOR, space, b"before");
    stage.connect(ADMINISTRATOR, RELAY);
    let end = stage.now.plus(Duration::from_hours(8));
    let terms = Terms {
        invitee: Invitee::Person,
        parent: stage.peers[ADMINISTRATOR].engine.best_grant(space).unwrap(),
        principal: PrincipalId::from_bytes([1; 16]),
        capability: Capability::Write,
        not_before: Timestamp::ZERO,
        end,
        redeem_until: stage.now.plus(life),
        redemptions: 1,
        long_grace: false,
    };
    let draft = Draft::new(&terms, &mut Entropy::from_seed([5; 32]));
    stage.state(ADMINISTRATOR, space, draft.statement());
    let written = stage.peers[ADMINISTRATOR].written.last().unwrap();
    let invitation = draft.issued(space, written.clone().unwrap().id, Vec::new());
    stage.wait(Duration::from_secs(5));
    stage.peers[GUEST].ahead = ahead;
    let write = stage.write_id();
    let input = Input::Join {
        write,
        space,
        invitation: Some(Box::new(invitation.keys())),
    };
    stage.tell(GUEST, input);
    stage.connect_with(RELAY, GUEST, &[invitation.keys().author()]);
    stage.wait(Duration::from_secs(10));
    (stage, space)
}

fn may(stage: &Stage, peer: usize, space: SpaceId) -> Option<Capability> {
    let evaluation = stage.peers[peer].engine.evaluation(space)?;
    evaluation.capability(stage.author(GUEST), stage.now.plus(stage.peers[peer].ahead))
}

#[test]
fn who_joins_with_a_clock_that_is_ahead_learns_it_by_the_first_receipt_until_their_time_comes() {
    let (mut stage, space) = joined(AHEAD);
    let said = |stage: &Stage| stage.peers[GUEST].engine.clock_ahead(space);
    assert_eq!(may(&stage, GUEST, space), Some(Capability::Write));
    assert_eq!(may(&stage, ADMINISTRATOR, space), None, "nobody counts it");
    assert_eq!(said(&stage), None, "nobody has said anything yet");
    stage.wait(Duration::from_mins(2));
    let ahead = said(&stage).expect("a receipt");
    let off = AHEAD.abs_diff(ahead.by);
    assert!(off < Duration::from_mins(1), "{ahead:?}");
    assert_eq!(may(&stage, ADMINISTRATOR, space), None);
    stage.wait(AHEAD);
    assert_eq!(may(&stage, ADMINISTRATOR, space), Some(Capability::Write));
    assert_eq!(said(&stage), None);
}

/// Of several who use one code the first that a witness saw counts. A minute in which nobody has said so is a
/// minute in which somebody else's clock decides.
#[test]
fn that_a_code_was_used_is_witnessed_at_once() {
    let (stage, space) = joined(Duration::ZERO);
    let log = stage.peers[GUEST].engine.log(space).unwrap();
    let guest = Audience::Author(stage.author(GUEST));
    let chain = log.control().find_map(|(entry, it)| match it {
        Statement::Grant(grant) if grant.audience == guest => Some(entry.header().chain),
        _ => None,
    });
    let names = |it: &Statement| match it {
        Statement::Receipt { cuts, .. } => cuts.iter().any(|cut| Some(cut.chain) == chain),
        _ => false,
    };
    assert!(log.control().any(|(_entry, it)| names(it)));
}

#[test]
fn who_joins_with_a_clock_that_is_right_or_a_little_ahead_hears_nothing() {
    for ahead in [Duration::ZERO, Duration::from_mins(4)] {
        let (mut stage, space) = joined(ahead);
        stage.wait(Duration::from_mins(2));
        assert_eq!(may(&stage, ADMINISTRATOR, space), Some(Capability::Write));
        assert_eq!(stage.peers[GUEST].engine.clock_ahead(space), None);
    }
}

/// Their access lies ahead; nobody may tell them that it is over.
#[test]
fn who_joins_with_a_clock_that_is_ahead_is_not_told_that_it_is_over() {
    let (mut stage, space) = joined_by_code_of(Duration::from_hours(2), AHEAD);
    let told = |stage: &Stage| stage.peers[GUEST].engine.ended_elsewhere(space);
    assert_eq!(told(&stage), None);
    stage.wait(Duration::from_mins(2));
    assert_eq!(told(&stage), None);
    assert!(stage.peers[GUEST].engine.clock_ahead(space).is_some());
    stage.wait(AHEAD);
    assert_eq!(may(&stage, ADMINISTRATOR, space), Some(Capability::Write));
    assert_eq!(told(&stage), None);
}
