//! Frames of a real session, bent: no decoder panics, none takes more memory than its bytes excuse.

use std::time::Duration;

use super::stage::Stage;
use crate::engine::frame::Frame;
use crate::engine::*;
use crate::id::DocumentId;

/// Bent copies of each frame.
const COPIES: u64 = 200;

/// One real frame of each kind and datagrams, from a session with everything in it.
fn corpus() -> (Stage, Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut stage, space) = Stage::gathered(2, 1);
    let bodies = Bodies::Documents(BTreeSet::new());
    stage.tell(1, Input::KeepBodies { space, bodies });
    for turn in 0..8 {
        stage.change(turn % 2, space, &[9; 300]);
    }
    stage.whisper(0, space, b"here");
    let opened = BTreeSet::from([DocumentId::named("system")]);
    let bodies = Bodies::Documents(opened);
    stage.tell(1, Input::KeepBodies { space, bodies });
    stage.peers[0].engine.introduce(ConnectionId(1), space);
    stage.lossy = true;
    stage.change(0, space, b"lost");
    stage.lossy = false;
    stage.wait(Duration::from_mins(1));
    stage.restart(1);
    stage.connect(0, 1);
    stage.wait(Duration::from_secs(10));
    let mut frames: Vec<_> = stage
        .peers
        .iter()
        .flat_map(|peer| peer.sent.iter().map(|(_id, frame)| frame.clone()))
        .collect();
    // A summary of one frame is a part of a larger one in all but its kind.
    let heads = frames.iter().find(|frame| frame[0] == 3).unwrap();
    let mut part = heads[..heads.len() - 1].to_vec();
    part[0] = 10;
    frames.push(part);
    frames.sort();
    frames.dedup_by_key(|frame| (frame[0], frame.len() / 16));
    let datagrams = stage.peers[0].datagrams.iter();
    let datagrams = datagrams.map(|(_id, bytes)| bytes.clone()).collect();
    (stage, frames, datagrams)
}

fn bent(bytes: &[u8], entropy: &mut Entropy) -> Vec<u8> {
    let mut bent = bytes.to_vec();
    let at = |entropy: &mut Entropy, length: usize| {
        let length = u64::try_from(length).unwrap_or(1).max(1);
        usize::try_from(entropy.next_u64() % length).unwrap_or(0)
    };
    for _change in 0..=entropy.next_u64() % 4 {
        let place = at(entropy, bent.len());
        match entropy.next_u64() % 5 {
            0 => bent.truncate(place),
            1 => bent.insert(place, 0xff),
            2 if !bent.is_empty() => bent[place] ^= 1 << (entropy.next_u64() % 8),
            3 if !bent.is_empty() => bent[place] = entropy.next_u64().to_le_bytes()[0],
            _ => {
                let tail = bent[place..].to_vec();
                bent.extend(tail);
            }
        }
    }
    bent
}

#[test]
fn a44_every_frame_kind_reads_back_and_bent_ones_are_refused_or_mean_one_thing() {
    let (mut stage, frames, datagrams) = corpus();
    let kinds: BTreeSet<_> = frames.iter().map(|frame| frame[0]).collect();
    let all = (0..=10).chain([12]).collect();
    assert_eq!(kinds, all, "a kind is not in the corpus");
    assert!(!datagrams.is_empty());
    let mut entropy = Entropy::from_seed([8; 32]);
    let mut refused = 0;
    for original in &frames {
        let read = Frame::decode(original).unwrap();
        assert_eq!(&read.encode(), original, "another encoding");
        for _copy in 0..COPIES {
            let bytes = bent(original, &mut entropy);
            let Ok(read) = Frame::decode(&bytes) else {
                refused += 1;
                continue;
            };
            // What means something is written in one way, and that is no longer than what was read.
            let again = read.encode();
            assert!(
                again.len() <= bytes.len().max(1),
                "grew from {}",
                bytes.len()
            );
            assert_eq!(Frame::decode(&again), Ok(read));
        }
    }
    assert!(refused > frames.len(), "nothing was bent");
    // And the engine behind the decoders stands: it goes on with whom it knows.
    let space = stage.peers[0].engine.spaces().next().unwrap();
    for original in frames.iter().chain(&datagrams) {
        for _copy in 0..COPIES / 4 {
            let bytes = bent(original, &mut entropy);
            stage.shout(0, 1, &bytes);
        }
    }
    stage.wait(Duration::from_secs(30));
    stage.connect(0, 1);
    stage.wait(Duration::from_secs(30));
    assert!(stage.agree(space));
    let pressure = stage.peers[1].engine.pressure();
    assert!(pressure.orphan_bytes <= stage.peers[1].engine.limits.orphan_bytes_max);
}
