//! Ephemeral messages: heard once, also after a restart, without a write for each (A53).

use std::time::Duration;

use super::stage::{Mood, Stage};
use crate::engine::*;

const BEAT: Duration = Duration::from_secs(20);

/// Two members, and the message that the second heard last.
fn beaten(beats: u8) -> (Stage, SpaceId, Vec<u8>) {
    let (mut stage, space) = Stage::gathered(2, 0);
    for beat in 0..beats {
        stage.wait(BEAT);
        stage.whisper(0, space, &[beat]);
    }
    let (_connection, last) = stage.peers[0].datagrams.last().unwrap().clone();
    (stage, space, last)
}

fn replay(stage: &mut Stage, bytes: &[u8]) {
    let (_connection, ConnectionId(at)) = stage.connect(0, 1);
    stage.play();
    let input = Input::Datagram {
        connection: ConnectionId(at),
        bytes: bytes.to_vec(),
    };
    stage.tell(1, input);
}

#[test]
fn a53_a_replay_is_not_heard_before_or_after_a_restart() {
    let (mut stage, _space, last) = beaten(3);
    assert_eq!(stage.peers[1].heard(), [[0], [1], [2]]);
    replay(&mut stage, &last);
    assert_eq!(stage.peers[1].heard().len(), 3, "heard twice");
    stage.restart(1);
    replay(&mut stage, &last);
    assert_eq!(stage.peers[1].heard().len(), 3, "heard after a restart");
}

/// An agent and a notifier that meet at a relay only.
fn over_a_relay() -> (Stage, SpaceId) {
    let mut stage = Stage::new(2, 1);
    let space = stage.found();
    for peer in [1, 2] {
        stage.let_in(space, peer);
    }
    stage.connect(0, 2);
    stage.connect(1, 2);
    stage.play();
    (stage, space)
}

/// How often a peer said that it came in step, or that it hears again.
fn in_step(stage: &Stage, peer: usize) -> usize {
    let events = stage.peers[peer].events.iter();
    events
        .filter(|event| matches!(event, Event::InStep { .. }))
        .count()
}

#[test]
fn a_restarted_peer_says_that_it_hears_no_sooner_than_it_does() {
    let (mut stage, space) = over_a_relay();
    for beat in 0..3 {
        stage.wait(BEAT);
        stage.whisper(0, space, &[beat]);
    }
    assert!(stage.peers[1].engine.hears(space));
    stage.restart(1);
    stage.connect(1, 2);
    stage.play();
    let mut told = in_step(&stage, 1);
    for beat in 10..20 {
        let heard = stage.peers[1].heard().len() > 3;
        assert_eq!(
            stage.peers[1].engine.hears(space),
            heard,
            "what it does not hear would be silence: beat {beat}"
        );
        if heard {
            assert!((11..=12).contains(&beat), "two heartbeats at most: {beat}");
            assert_eq!(in_step(&stage, 1), told + 1, "and the shell is told");
            return;
        }
        told = in_step(&stage, 1);
        stage.wait(BEAT);
        stage.whisper(0, space, &[beat]);
    }
    panic!("never heard again");
}

/// Who ends in order knows exactly what it heard: it hears what is new at once, and no replay.
#[test]
fn a53_after_an_orderly_end_what_is_new_is_heard_at_once_and_a_replay_never() {
    let (mut stage, space, last) = beaten(3);
    let heard = stage.peers[1].heard().len();
    stage.tell(1, Input::Finish);
    stage.play();
    assert!(!stage.peers[1].engine.is_writing());
    // What comes while it ends is not heard: it is not counted either.
    stage.wait(BEAT);
    stage.whisper(0, space, b"too late");
    assert_eq!(stage.peers[1].heard().len(), heard);
    stage.restart(1);
    replay(&mut stage, &last);
    let all = stage.peers[1].heard();
    // The others say again what it missed.
    assert_eq!(
        all[heard..],
        [b"too late".to_vec()],
        "heard after a restart"
    );
    assert!(!stage.peers[1].engine.refuses_some(space), "nothing new is");
    stage.whisper(0, space, b"new");
    let all = stage.peers[1].heard();
    assert_eq!(all.last().unwrap(), b"new");
    // The next life ends without order: what was reserved since is refused.
    stage.restart(1);
    assert!(stage.peers[1].engine.refuses_some(space));
}

#[test]
fn a_restarted_peer_learns_in_time_that_somebody_is_silent() {
    let (mut stage, space) = over_a_relay();
    stage.wait(BEAT);
    stage.whisper(0, space, b"the last");
    stage.restart(1);
    stage.connect(1, 2);
    stage.play();
    let told = in_step(&stage, 1);
    for _ in 0..7 {
        assert!(!stage.peers[1].engine.hears(space));
        stage.wait(BEAT);
    }
    stage.wait(BEAT);
    assert!(stage.peers[1].engine.hears(space), "silence for ever");
    assert_eq!(in_step(&stage, 1), told + 1);
    // Who was away for long knows at once.
    stage.wait(Duration::from_mins(10));
    stage.restart(1);
    stage.connect(1, 2);
    stage.play();
    assert!(stage.peers[1].engine.hears(space));
}

#[test]
fn a_restarted_relay_passes_on_at_once_what_it_may_have_passed_on_before() {
    let (mut stage, space) = over_a_relay();
    stage.wait(BEAT);
    stage.whisper(0, space, b"before");
    assert_eq!(stage.peers[1].heard(), [b"before"]);
    let (_connection, replayed) = stage.peers[0].datagrams.last().unwrap().clone();
    stage.restart(2);
    stage.connect(0, 2);
    stage.connect(1, 2);
    stage.play();
    stage.wait(Duration::from_secs(5));
    stage.whisper(0, space, b"after");
    assert_eq!(
        stage.peers[1].heard(),
        [b"before".to_vec(), b"after".to_vec()],
        "a relay that begins anew looks like dead agents"
    );
    // What was said already is no news there, and goes no further a second time.
    let (_at_sender, at_relay) = stage.connect(0, 2);
    stage.play();
    for _ in 0..2 {
        let input = Input::Datagram {
            connection: at_relay,
            bytes: replayed.clone(),
        };
        stage.tell(2, input);
    }
    assert_eq!(stage.peers[1].heard().len(), 2);
}

#[test]
fn who_comes_later_hears_at_once_what_was_said_last() {
    // An agent, a relay, and a person who comes when the agent has just spoken.
    let (mut stage, space) = Stage::gathered(2, 1);
    stage.restart(1);
    stage.wait(Duration::from_secs(90));
    stage.whisper(0, space, b"old");
    stage.wait(BEAT);
    stage.whisper(0, space, b"a");
    stage.whisper(0, space, b"b");
    assert_eq!(stage.peers[1].heard().len(), 0, "it is not there");
    stage.wait(Duration::from_secs(10));
    stage.connect(1, 2);
    stage.play();
    assert_eq!(stage.peers[1].heard(), [b"a", b"b"], "the last round alone");
    // Who was there hears nothing twice.
    stage.connect(0, 1);
    stage.play();
    assert_eq!(stage.peers[1].heard().len(), 2);
}

/// A run that tells of itself every moment took the agent's heartbeat from who came then.
#[test]
fn who_comes_later_hears_the_last_heartbeat_however_much_is_said_about_something_else() {
    let (mut stage, space) = Stage::gathered(2, 1);
    stage.restart(1);
    stage.wait(Duration::from_secs(90));
    stage.whisper(0, space, b"beat");
    stage.wait(Duration::from_secs(10));
    for n in 0..20_u8 {
        stage.whisper_about(0, (space, "output"), &[n]);
    }
    // Somebody who makes up documents is not kept without limit.
    for n in 0..20 {
        stage.whisper_about(0, (space, &format!("made up {n}")), b"x");
    }
    stage.connect(1, 2);
    stage.play();
    let heard = stage.peers[1].heard();
    assert_eq!(heard[0], b"beat");
    assert_eq!(heard[1..9], [12, 13, 14, 15, 16, 17, 18, 19].map(|n| [n]));
    assert_eq!(heard.len(), 11, "two more documents, and no other");
}

#[test]
fn nobody_is_told_what_is_too_old_to_be_believed() {
    let (mut stage, space) = Stage::gathered(2, 1);
    stage.restart(1);
    stage.wait(Duration::from_secs(90));
    stage.whisper(0, space, b"old");
    stage.wait(Duration::from_secs(121));
    let before = stage.peers[1].datagrams.len();
    stage.connect(1, 2);
    stage.play();
    assert_eq!(stage.peers[1].datagrams.len(), before);
}

#[test]
fn a_heartbeat_costs_no_write_of_its_own() {
    let (mut stage, space, _last) = beaten(1);
    let before = stage.peers[1].disk.commits;
    for beat in 0..30 {
        stage.wait(BEAT);
        stage.whisper(0, space, &[beat]);
    }
    assert_eq!(stage.peers[1].heard().len(), 31);
    let commits = stage.peers[1].disk.commits - before;
    assert!(
        (1..=16).contains(&commits),
        "{commits} writes for ten minutes"
    );
}

#[test]
fn a_message_waits_for_its_reservation_and_a_full_disk_drops_it() {
    let (mut stage, space) = Stage::gathered(2, 0);
    stage.peers[1].mood = Mood::Stuck;
    stage.whisper(0, space, b"waits");
    assert_eq!(
        stage.peers[1].heard().len(),
        0,
        "heard before it was reserved"
    );
    stage.unstick(1);
    assert_eq!(stage.peers[1].heard(), [b"waits"]);
    stage.wait(Duration::from_secs(90));
    stage.peers[1].mood = Mood::Full;
    stage.whisper(0, space, b"dropped");
    stage.peers[1].mood = Mood::Works;
    stage.wait(BEAT);
    stage.whisper(0, space, b"heard");
    assert_eq!(
        stage.peers[1].heard(),
        [b"waits".to_vec(), b"heard".to_vec()]
    );
}

#[test]
fn a_sender_whose_clock_went_back_is_heard_after_its_restart() {
    let (mut stage, space, _last) = beaten(3);
    stage.restart(0);
    stage.now = Timestamp::from_millis(stage.now.millis() - 30_000);
    stage.connect(0, 1);
    stage.play();
    stage.whisper(0, space, b"back");
    assert_eq!(stage.peers[1].heard().last().unwrap(), b"back");
}
