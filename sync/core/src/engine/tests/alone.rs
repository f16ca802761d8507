//! One engine alone: what a stranger hears, what a full disk costs, what is bounded.

use crate::engine::*;
use crate::id::PrincipalId;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn engine(seed: u8) -> Engine {
    let keys = DeviceKeys::from_seed([seed; 32]);
    let options = EngineOptions::new(keys, Instance(1), StoreEpoch(1), [seed + 100; 32]);
    Engine::open(options, NOW, Restored::default())
}

fn outputs(engine: &mut Engine) -> Vec<Output> {
    std::iter::from_fn(|| engine.poll_output()).collect()
}

fn answer(engine: &mut Engine, result: Result<(), StoreFailure>) -> Vec<Output> {
    let mut all = Vec::new();
    loop {
        let some = outputs(engine);
        let batch = some.iter().find_map(|output| match output {
            Output::Commit { batch, .. } => Some(*batch),
            _ => None,
        });
        all.extend(some);
        let Some(batch) = batch else {
            return all;
        };
        engine.handle(NOW, Input::Committed { batch, result });
    }
}

fn create(engine: &mut Engine, write: u64) {
    let input = Input::CreateSpace {
        write: WriteId(write),
        anchor: None,
        principal: PrincipalId::from_bytes([1; 16]),
        end: Timestamp::MAX,
    };
    engine.handle(NOW, input);
}

fn written(outputs: &[Output]) -> Vec<Result<Written, WriteError>> {
    let results = outputs.iter().filter_map(|output| match output {
        Output::Written { result, .. } => Some(result.clone()),
        _ => None,
    });
    results.collect()
}

fn connect(engine: &mut Engine, number: u64, peer: &DeviceKeys) {
    let input = Input::Connected {
        connection: ConnectionId(number),
        peer: peer.author(),
        authors: BTreeSet::new(),
    };
    engine.handle(NOW, input);
}

fn frames(outputs: &[Output]) -> Vec<frame::Frame> {
    let frames = outputs.iter().filter_map(|output| match output {
        Output::Send { frame, .. } => frame::Frame::decode(frame).ok(),
        _ => None,
    });
    frames.collect()
}

#[test]
fn a47_a_stranger_hears_a_greeting_and_nothing_else() {
    let mut engine = engine(1);
    create(&mut engine, 1);
    let space = written(&answer(&mut engine, Ok(())))[0]
        .clone()
        .unwrap()
        .space;
    let stranger = DeviceKeys::from_seed([9; 32]);
    connect(&mut engine, 1, &stranger);
    let connection = ConnectionId(1);
    let says = |engine: &mut Engine, frame: &frame::Frame| {
        let frame = frame.encode();
        engine.handle(NOW, Input::Received { connection, frame });
    };
    let hello = frame::Hello {
        protocol: frame::PROTOCOL,
        store_epoch: StoreEpoch(5),
        features: 0,
    };
    says(&mut engine, &frame::Frame::Hello(hello));
    says(&mut engine, &frame::Frame::Digests(vec![(space, [0; 32])]));
    let heads = frame::Heads {
        space,
        chains: Vec::new(),
        ask: true,
    };
    says(&mut engine, &frame::Frame::Heads(heads));
    let later = NOW.plus(engine.limits.digest_interval * 3);
    engine.handle(later, Input::Timeout);
    let heard = frames(&outputs(&mut engine));
    assert!(
        heard
            .iter()
            .all(|frame| matches!(frame, frame::Frame::Hello(_))),
        "{heard:?}"
    );
}

#[test]
fn a_full_disk_acknowledges_nothing_and_recovers() {
    let mut engine = engine(1);
    create(&mut engine, 1);
    let failed = written(&answer(&mut engine, Err(StoreFailure::Full)));
    assert_eq!(failed, [Err(WriteError::Store(StoreFailure::Full))]);
    assert_eq!(engine.spaces().count(), 0, "nothing of it is left");
    create(&mut engine, 2);
    assert!(
        written(&answer(&mut engine, Ok(()))).is_empty(),
        "it waits before it tries again"
    );
    let retry = engine.next_deadline().unwrap();
    engine.handle(retry, Input::Timeout);
    assert!(written(&answer(&mut engine, Ok(())))[0].is_ok());
}

#[test]
fn writes_beyond_the_queue_are_refused_at_once() {
    let mut engine = engine(1);
    engine.limits.writes_max = 2;
    for write in 0..5 {
        create(&mut engine, write);
    }
    let refused = written(&outputs(&mut engine));
    assert_eq!(refused, [Err(WriteError::Busy), Err(WriteError::Busy)]);
}

#[test]
fn noise_ends_a_connection() {
    let mut engine = engine(1);
    connect(&mut engine, 1, &DeviceKeys::from_seed([9; 32]));
    for _ in 0..=engine.limits.faults_max {
        let connection = ConnectionId(1);
        let frame = vec![4, 0xff];
        engine.handle(NOW, Input::Received { connection, frame });
    }
    let closed = outputs(&mut engine).into_iter().any(|output| {
        matches!(
            output,
            Output::Close {
                reason: CloseReason::Malformed,
                ..
            }
        )
    });
    assert!(closed && engine.peers().count() == 0);
}
