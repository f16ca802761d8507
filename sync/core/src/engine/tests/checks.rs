//! Frames whose signatures are checked outside the engine.

use super::rules::{answers, hand_over, last_of};
use super::stage::Stage;
use crate::engine::*;
use crate::envelope::RawEnvelope;

/// Enough for a frame that the engine does not check itself.
const FRAME_ENVELOPES: usize = 6;

/// Two members of a Space; the second has not heard of as many envelopes as two frames hold, its
/// checks are answered by the test, and nothing reaches it but what the test hands over.
fn apart() -> (Stage, SpaceId, ConnectionId, Vec<RawEnvelope>) {
    let (mut stage, space) = Stage::gathered(2, 0);
    stage.change(0, space, b"both have it");
    stage.lossy = true;
    for text in 0..2 * FRAME_ENVELOPES {
        stage.change(0, space, &text.to_be_bytes());
    }
    let envelopes = last_of(&stage, 0, 2 * FRAME_ENVELOPES);
    let connection = stage.peers[1].engine.peers().next().unwrap().connection;
    stage.peers[1].checks_late = true;
    stage.peers[1].sent.clear();
    (stage, space, connection, envelopes)
}

fn len(envelopes: &[RawEnvelope]) -> usize {
    envelopes.iter().map(RawEnvelope::len_bytes).sum()
}

#[test]
fn frames_take_effect_in_the_order_in_which_they_came_whichever_is_checked_first() {
    let (mut stage, space, connection, envelopes) = apart();
    let before = stage.peers[1].disk.envelopes.len();
    let (first, second) = envelopes.split_at(FRAME_ENVELOPES);
    hand_over(&mut stage, (1, connection), (space, 7), first.to_vec());
    hand_over(&mut stage, (1, connection), (space, 8), second.to_vec());
    let pressure = stage.peers[1].engine.pressure();
    assert_eq!(pressure.received_bytes, len(&envelopes), "they are counted");
    let later = stage.peers[1].checked.pop().unwrap();
    stage.tell(1, later);
    assert_eq!(stage.peers[1].disk.envelopes.len(), before);
    assert!(answers(&stage.peers[1]).is_empty());
    let earlier = stage.peers[1].checked.pop().unwrap();
    stage.tell(1, earlier);
    assert_eq!(last_of(&stage, 1, envelopes.len()), envelopes);
    let answers = answers(&stage.peers[1]);
    let numbers: Vec<_> = answers.iter().map(|answer| answer.number).collect();
    assert_eq!(numbers, [7, 8]);
    assert!(answers.iter().all(|answer| answer.refused.is_empty()));
    assert_eq!(stage.peers[1].engine.pressure().received_bytes, 0);
}

#[test]
fn a_signature_that_does_not_verify_is_refused_after_the_check() {
    let (mut stage, space, connection, mut envelopes) = apart();
    envelopes.truncate(FRAME_ENVELOPES);
    let forged = envelopes.last_mut().unwrap();
    forged.signature[0] ^= 1;
    let forged = forged.id();
    hand_over(&mut stage, (1, connection), (space, 7), envelopes);
    let checked = stage.peers[1].checked.pop().unwrap();
    stage.tell(1, checked);
    let answers = answers(&stage.peers[1]);
    assert_eq!(answers[0].refused, [(forged, Refusal::Form)]);
    let mut stored = stage.peers[1].disk.envelopes.iter();
    assert!(stored.all(|it| it.envelope.id() != forged));
}

#[test]
fn what_is_here_is_not_checked_again() {
    let (mut stage, space, connection, envelopes) = apart();
    stage.peers[1].checks_late = false;
    hand_over(&mut stage, (1, connection), (space, 7), envelopes.clone());
    assert_eq!(last_of(&stage, 1, envelopes.len()), envelopes);
    stage.peers[1].checks_late = true;
    hand_over(&mut stage, (1, connection), (space, 8), envelopes);
    assert!(stage.peers[1].checked.is_empty());
    let last = answers(&stage.peers[1]).pop().unwrap();
    assert_eq!((last.number, last.refused), (8, Vec::new()));
}

#[test]
fn a_check_that_fails_or_whose_connection_ended_holds_nothing_up() {
    let (mut stage, space, connection, envelopes) = apart();
    let (first, second) = envelopes.split_at(FRAME_ENVELOPES);
    hand_over(&mut stage, (1, connection), (space, 7), first.to_vec());
    let Some(Input::Verified { request, .. }) = stage.peers[1].checked.pop() else {
        panic!("no check was asked for");
    };
    let envelopes = Vec::new();
    stage.tell(1, Input::Verified { request, envelopes });
    assert!(answers(&stage.peers[1]).is_empty(), "it counts as lost");
    assert_eq!(stage.peers[1].engine.pressure().received_bytes, 0);
    hand_over(&mut stage, (1, connection), (space, 8), first.to_vec());
    hand_over(&mut stage, (1, connection), (space, 9), second.to_vec());
    stage.tell(1, Input::Disconnected { connection });
    for checked in std::mem::take(&mut stage.peers[1].checked) {
        stage.tell(1, checked);
    }
    assert_eq!(last_of(&stage, 1, second.len()), second, "they have form");
    assert!(answers(&stage.peers[1]).is_empty());
    assert_eq!(stage.peers[1].engine.pressure().received_bytes, 0);
}
