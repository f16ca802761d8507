//! A peer that was let in and says anything.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use aramaki_sync_core::codec;
use aramaki_sync_core::engine::{
    ConnectionId, Engine, EngineOptions, Input, Output, Restored, StoreEpoch, Stored,
};
use aramaki_sync_core::envelope::{Envelope, RawEnvelope};
use aramaki_sync_core::{Instance, SpaceId};

use super::Decoder;
use super::wire::{Founded, NOW, keys};

/// Frames one after another, each behind its length in two bytes; an odd length is a datagram.
pub(super) const FRAMES: Decoder = Decoder {
    name: "frames",
    run: frames,
    seeds: || {
        let held = held();
        let hello = frame(0, &(1_u16, StoreEpoch(77), 0_u64));
        let note = held.note.raw().clone();
        let said = frame(4, &(held.space, 9_u64, 0_u64, 0_u64, vec![note]));
        let mut seeds = vec![[hello.clone(), said].concat()];
        // What an honest engine answers is what it would say in the other's place.
        let mut engine = open();
        let answers = tell(&mut engine, &[(false, unframed(&hello))]);
        seeds.push(answers.iter().flat_map(|it| framed(it)).collect());
        seeds
    },
};

/// More than any input of this length can make an engine ask for.
const OUTPUTS_MAX: usize = 10_000;

struct Held {
    space: SpaceId,
    stored: Vec<Envelope>,
    note: Envelope,
}

fn held() -> &'static Held {
    static HELD: OnceLock<Held> = OnceLock::new();
    HELD.get_or_init(|| {
        let founded = Founded::new();
        let note = founded.note(1);
        Held {
            space: founded.space,
            stored: vec![founded.root, founded.grant],
            note,
        }
    })
}

/// The founder's engine; the guest, with key 3, is who attacks.
fn open() -> Engine {
    let options = EngineOptions::new(keys(1), Instance(1), StoreEpoch(1), [6; 32]);
    let stored = held().stored.iter().map(|envelope| Stored {
        envelope: envelope.clone(),
        received: NOW,
    });
    let restored = Restored {
        envelopes: stored.collect(),
        follows: vec![(held().space, None)],
        ..Restored::default()
    };
    Engine::open(options, NOW, restored)
}

fn framed(frame: &[u8]) -> Vec<u8> {
    let length = u16::try_from(frame.len() * 2).unwrap_or_default();
    [&length.to_be_bytes()[..], frame].concat()
}

fn frame<T: serde::Serialize>(kind: u8, body: &T) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(codec::encode(body).unwrap_or_default());
    framed(&bytes)
}

fn unframed(bytes: &[u8]) -> Vec<u8> {
    bytes.get(2..).unwrap_or_default().to_vec()
}

/// Says these messages on one connection; gives what the engine sent back.
fn tell(engine: &mut Engine, messages: &[(bool, Vec<u8>)]) -> Vec<Vec<u8>> {
    let connection = ConnectionId(1);
    let peer = keys(3).author();
    let authors = BTreeSet::from([peer]);
    engine.handle(
        NOW,
        Input::Connected {
            connection,
            peer,
            authors,
        },
    );
    let mut sent = Vec::new();
    for (is_datagram, bytes) in messages {
        let bytes = bytes.clone();
        let input = if *is_datagram {
            Input::Datagram { connection, bytes }
        } else {
            Input::Received {
                connection,
                frame: bytes,
            }
        };
        engine.handle(NOW, input);
        settle(engine, &mut sent);
    }
    sent
}

/// Does what the engine asks for until it comes to rest.
fn settle(engine: &mut Engine, sent: &mut Vec<Vec<u8>>) {
    for _output in 0..OUTPUTS_MAX {
        let Some(output) = engine.poll_output() else {
            return;
        };
        let answer = match output {
            Output::Send { frame, .. } => {
                sent.push(frame);
                continue;
            }
            Output::Commit { batch, .. } => Input::Committed {
                batch,
                result: Ok(()),
            },
            Output::Load { request, .. } => Input::Loaded {
                request,
                envelopes: Vec::new(),
            },
            Output::Verify { request, envelopes } => {
                let envelopes = envelopes.into_iter().map(RawEnvelope::verify).collect();
                Input::Verified { request, envelopes }
            }
            _ => continue,
        };
        engine.handle(NOW, answer);
    }
    panic!("the engine does not come to rest");
}

fn frames(bytes: &[u8]) {
    let mut rest = bytes;
    let mut messages = Vec::new();
    while let Some((head, tail)) = rest.split_first_chunk::<2>() {
        let head = usize::from(u16::from_be_bytes(*head));
        let (message, tail) = tail.split_at((head / 2).min(tail.len()));
        messages.push((head % 2 == 1, message.to_vec()));
        rest = tail;
    }
    let mut engine = open();
    tell(&mut engine, &messages);
    // What was here is here, and the Space takes what an honest guest writes.
    let log = engine.log(held().space);
    assert!(log.is_some_and(|log| held().stored.iter().all(|it| log.contains(it.id()))));
    let hello = unframed(&frame(0, &(1_u16, StoreEpoch(78), 0_u64)));
    engine.handle(
        NOW,
        Input::Disconnected {
            connection: ConnectionId(1),
        },
    );
    assert!(
        !tell(&mut engine, &[(false, hello)]).is_empty(),
        "it no longer answers"
    );
}
