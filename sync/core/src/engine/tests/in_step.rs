//! Who knows, and when, that it holds all that a peer holds.

use super::stage::Stage;

#[test]
fn who_follows_what_was_offered_before_knows_at_once_when_it_has_everything() {
    let mut stage = Stage::new(2, 0);
    stage.connect(0, 1);
    stage.play();
    let space = stage.found();
    stage.change(0, space, b"before");
    // The Space is offered as soon as the grant is there, and followed after that.
    stage.let_in(space, 1);
    for (peer, other) in [(0, 1), (1, 0)] {
        let in_step = stage.peers[peer].engine.in_step(space);
        assert_eq!(in_step, [stage.author(other)], "no time passed");
    }
    // Both stay so, and a change costs no more than itself.
    for peer in &mut stage.peers {
        peer.sent.clear();
    }
    stage.change(0, space, b"after");
    let sent = stage.peers.iter().map(|peer| peer.sent.len());
    assert_eq!(sent.sum::<usize>(), 2, "an envelope and its answer");
    assert_eq!(stage.peers[1].engine.in_step(space), [stage.author(0)]);
}
