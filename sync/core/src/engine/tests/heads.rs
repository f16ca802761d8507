//! Summaries of more chains than one frame holds.

use std::sync::Arc;
use std::time::Duration;

use serde_bytes::ByteBuf;

use super::stage::{NOW, Stage};
use crate::engine::frame::Frame;
use crate::engine::*;
use crate::envelope::{self, Position};
use crate::id::{DocumentId, EnvelopeId};
use crate::statement::Body;

const CHAINS: u64 = 20_000;

#[test]
fn twenty_thousand_chains_are_compared_and_only_what_is_missing_is_sent() {
    let (mut stage, space) = Stage::gathered(2, 0);
    let engine = &stage.peers[0].engine;
    let (epoch, key) = engine.keyring(space).unwrap().iter().next().unwrap();
    let authority = engine.best_grant(space).unwrap();
    let body = Body::Changes(vec![ByteBuf::from(*b"one")]);
    let mut made = Vec::new();
    for chain in 0..CHAINS {
        let position = Position {
            space,
            instance: Instance(1_000 + chain),
            seq: 1,
            previous: EnvelopeId::ZERO,
            authority,
            ancestors: vec![epoch],
            time: NOW,
        };
        let document = DocumentId::named("system");
        let sealed = (epoch, key);
        let keys = &engine.keys;
        let envelope = envelope::sealed(keys, position, document, &body, sealed);
        made.push(envelope.unwrap());
    }
    for (at, envelope) in made.into_iter().enumerate() {
        let put = |envelope| StoreOperation::Put {
            space,
            envelope: Arc::new(envelope),
            received: NOW,
        };
        if at % 2 == 0 {
            stage.peers[1].disk.apply(vec![put(envelope.clone())]);
        }
        stage.peers[0].disk.apply(vec![put(envelope)]);
    }
    stage.restart(0);
    stage.restart(1);
    for peer in &mut stage.peers {
        peer.sent.clear();
    }
    // A snapshot of so many would be written, too: that is another story.
    stage.peers[0].engine.limits.snapshot_tail_max = usize::MAX;
    stage.connect(0, 1);
    stage.wait(Duration::from_secs(30));
    assert!(stage.agree(space));
    let mut parts = 0;
    let mut sent = 0;
    for peer in &stage.peers {
        assert!(
            peer.sent
                .iter()
                .all(|(_id, it)| it.len() <= FRAME_BYTES_MAX)
        );
        for frame in peer.frames() {
            match frame {
                Frame::HeadsPart(_) => parts += 1,
                Frame::Envelopes(it) => sent += it.envelopes.len(),
                _ => {}
            }
        }
    }
    assert!(parts >= 4, "{parts} parts");
    assert_eq!(u64::try_from(sent), Ok(CHAINS / 2), "sent what was there");
}
