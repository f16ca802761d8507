//! What a replica costs: durable writes, throughput, catch-up and propagation over loopback.
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot run has nothing to say"
)]

use std::sync::Arc;
use std::time::Duration;

use aramaki_sync::core::key::DeviceKeys;
use aramaki_sync::core::statement::{Body, Capability};
use aramaki_sync::core::{DocumentId, PrincipalId, SpaceId};
use aramaki_sync::replica::{CreateSpace, InviteRequest, Replica, ReplicaEvent, ReplicaOptions};
use aramaki_sync::transport::NetworkOptions;
use divan::Bencher;
use divan::counter::ItemsCount;
use tokio::runtime::Runtime;

const BODY_LEN_BYTES: usize = 200;
const WRITES_AT_ONCE: usize = 500;
const CATCH_UP: usize = 10_000;

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

struct Device {
    folder: tempfile::TempDir,
    seed: u8,
}

impl Device {
    fn new(seed: u8) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, seed }
    }

    async fn open(&self) -> Replica {
        let keys = DeviceKeys::from_seed([self.seed; 32]);
        let options = ReplicaOptions::new(self.folder.path().join("data"), keys);
        let options = options.network(NetworkOptions::loopback());
        Replica::open(options).await.expect("a replica")
    }
}

fn document() -> DocumentId {
    DocumentId::named("system")
}

fn body() -> Body {
    Body::Changes(vec![vec![7; BODY_LEN_BYTES].into()])
}

async fn new_space(replica: &Replica) -> SpaceId {
    let request = CreateSpace::new(PrincipalId::from_bytes([9; 16]));
    replica.create_space(request).await.expect("a Space")
}

async fn write_many(replica: &Replica, space: SpaceId, count: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for _write in 0..count {
        let replica = replica.clone();
        tasks.spawn(async move { replica.write(space, document(), body()).await });
        if tasks.len() >= WRITES_AT_ONCE {
            let done = tasks.join_next().await.expect("a task");
            done.expect("no panic").expect("a write");
        }
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic").expect("a write");
    }
}

async fn join(from: &Replica, to: &Replica, space: SpaceId) {
    let request = InviteRequest::new(Capability::Write);
    let invitation = from.invite(space, request).await.expect("an invitation");
    to.join(&invitation).await.expect("a wish");
    to.joined(space).await.expect("the Space");
}

async fn until_equal(a: &Replica, b: &Replica, space: SpaceId) {
    loop {
        let here = a.space(space).await.expect("the Space").digest;
        if b.space(space).await.is_ok_and(|there| there.digest == here) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// One client: asks, and waits until the write is on disk.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn durable_local_write(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let device = Device::new(1);
    let replica = runtime.block_on(device.open());
    let space = runtime.block_on(new_space(&replica));
    bencher.bench_local(|| {
        runtime
            .block_on(replica.write(space, document(), body()))
            .expect("a write")
    });
    runtime.block_on(replica.shutdown());
}

/// Many clients at once: group commit.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn durable_local_writes_at_once(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let device = Device::new(1);
    let replica = runtime.block_on(device.open());
    let space = runtime.block_on(new_space(&replica));
    bencher
        .counter(ItemsCount::new(2_000_usize))
        .bench_local(|| runtime.block_on(write_many(&replica, space, 2_000)));
    runtime.block_on(replica.shutdown());
}

/// Written at one replica and durable at the other, many in flight.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn envelopes_through_two_replicas(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let (one, other) = (Device::new(1), Device::new(2));
    let (a, b, space) = runtime.block_on(async {
        let (a, b) = (one.open().await, other.open().await);
        let space = new_space(&a).await;
        a.write(space, document(), body()).await.expect("a write");
        join(&a, &b, space).await;
        (a, b, space)
    });
    bencher
        .counter(ItemsCount::new(5_000_usize))
        .bench_local(|| {
            runtime.block_on(async {
                write_many(&a, space, 5_000).await;
                until_equal(&a, &b, space).await;
            });
        });
    runtime.block_on(async {
        a.shutdown().await;
        b.shutdown().await;
    });
}

/// A fresh replica joins and takes everything.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn catch_up_of_10_000(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let one = Device::new(1);
    let (a, space) = runtime.block_on(async {
        let a = one.open().await;
        let space = new_space(&a).await;
        write_many(&a, space, CATCH_UP).await;
        (a, space)
    });
    bencher
        .counter(ItemsCount::new(CATCH_UP))
        .with_inputs(|| {
            let device = Arc::new(Device::new(2));
            let replica = runtime.block_on(device.open());
            (device, replica)
        })
        .bench_local_values(|(device, b)| {
            runtime.block_on(async {
                join(&a, &b, space).await;
                until_equal(&a, &b, space).await;
                b.shutdown().await;
            });
            device
        });
    runtime.block_on(a.shutdown());
}

/// From the call at one replica to the event at the other, connected directly.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn propagation_direct(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let (one, other) = (Device::new(1), Device::new(2));
    let (a, b, space) = runtime.block_on(async {
        let (a, b) = (one.open().await, other.open().await);
        let space = new_space(&a).await;
        a.write(space, document(), body()).await.expect("a write");
        join(&a, &b, space).await;
        until_equal(&a, &b, space).await;
        (a, b, space)
    });
    let mut events = b.subscribe();
    bencher.bench_local(|| {
        runtime.block_on(async {
            let id = a
                .write(space, document(), body())
                .await
                .expect("a write")
                .id;
            loop {
                if let ReplicaEvent::Admitted { entries, .. } = events.recv().await.expect("events")
                    && entries.iter().any(|entry| entry.id == id)
                {
                    return;
                }
            }
        });
    });
    runtime.block_on(async {
        a.shutdown().await;
        b.shutdown().await;
    });
}
