//! What a replica costs: durable writes, throughput, catch-up, propagation and opening, over
//! loopback. `cargo bench -p aramaki-sync -- [WORD]` runs what has the word in its name and prints
//! a table with medians, 99th percentiles and aims.
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot run has nothing to say"
)]
#![expect(clippy::print_stdout, reason = "the table is the result")]
#![expect(clippy::print_stderr, reason = "what is beside the table")]

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aramaki_sync::core::engine::SNAPSHOT_TAIL_ENVELOPES_MAX;
use aramaki_sync::core::key::DeviceKeys;
use aramaki_sync::core::statement::{Body, Capability};
use aramaki_sync::core::{DocumentId, EnvelopeId, PrincipalId, SpaceId, Timestamp};
use aramaki_sync::replica::{
    CreateSpace, GrantRequest, InviteRequest, Keep, Limits, Quotas, REASON_LOST, Replica,
    ReplicaEvent, ReplicaOptions, Role,
};
use aramaki_sync::transport::NetworkOptions;
use tokio::runtime::Runtime;
use tokio::sync::broadcast::Receiver;

const BODY_LEN_BYTES: usize = 200;
const WRITES_AT_ONCE: usize = 500;
const LATENCY_SAMPLES: usize = 500;
const THROUGHPUT: usize = 5_000;
const THROUGHPUT_SAMPLES: usize = 5;
const CATCH_UP: usize = 10_000;
const CATCH_UP_SAMPLES: usize = 3;
const SPACES: usize = 1_000;
const ENTRIES_PER_SPACE: usize = 5;
const OPENINGS: usize = 20;
const GUESTS: u8 = 20;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--bench") {
        return; // built along with the tests: nothing is measured in an unoptimised build
    }
    let chosen = |name: &str| {
        let mut wanted = words
            .iter()
            .filter(|word| !word.starts_with('-'))
            .peekable();
        wanted.peek().is_none() || wanted.any(|word| name.contains(word.as_str()))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    println!("| | median | p99 | slowest | rate at the median | processor time | aim |");
    println!("|---|---|---|---|---|---|---|");
    for (name, aim, measure) in BENCHES {
        if chosen(name) {
            measure(&runtime).print(name, aim);
        }
    }
}

type Bench = (&'static str, &'static str, fn(&Runtime) -> Samples);

const BENCHES: &[Bench] = &[
    ("durable write, one client", "p99 ≤ 20 ms", durable_write),
    (
        "2,000 durable writes, 500 clients",
        "",
        durable_writes_at_once,
    ),
    (
        "5,000 envelopes through two replicas",
        "≥ 5,000/s",
        through_two_replicas,
    ),
    ("catch-up of 10,000 envelopes", "", catch_up),
    (
        "first sync of a document of 10,000 envelopes, from the log",
        "",
        |runtime| first_sync(runtime, usize::MAX),
    ),
    (
        "first sync of a document of 10,000 envelopes, with snapshots",
        "",
        |runtime| first_sync(runtime, SNAPSHOT_TAIL_ENVELOPES_MAX),
    ),
    ("propagation, direct", "p50 ≤ 10 ms", propagation_direct),
    (
        "propagation, through a relay",
        "p50 ≤ 10 ms",
        propagation_relayed,
    ),
    ("opening 1,000 Spaces", "≤ 500 ms", opening),
    (
        "invitation to first content, through a relay",
        "≤ 500 ms",
        first_content,
    ),
    (
        "revocation in effect on two connected peers",
        "≤ 1 s",
        revocation,
    ),
];

/// How long each of some repetitions took, and how many items each had.
struct Samples {
    times: Vec<Duration>,
    items: usize,
    /// What the process used in all of them together, where the system says so.
    processor: Option<Duration>,
}

/// What the clock of `/proc` counts in, on every Linux.
const PROCESSOR_TICK: Duration = Duration::from_millis(10);

/// Processor time of all threads of this process, in user mode and in the kernel.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in brackets; times are the 14th and 15th.
    let (_name, rest) = stat.rsplit_once(')')?;
    let ticks = |field: usize| rest.split_whitespace().nth(field - 3)?.parse::<u32>().ok();
    Some(PROCESSOR_TICK * (ticks(14)? + ticks(15)?))
}

impl Samples {
    const fn new(items: usize) -> Self {
        Self {
            times: Vec::new(),
            items,
            processor: Some(Duration::ZERO),
        }
    }

    /// Runs something once, measured.
    async fn measure(&mut self, once: impl AsyncFnOnce()) {
        let (began, before) = (Instant::now(), processor_time());
        once().await;
        self.times.push(began.elapsed());
        let used = processor_time().zip(before);
        let used = used.and_then(|(now, then)| now.checked_sub(then));
        self.processor = self.processor.zip(used).map(|(sum, more)| sum + more);
    }

    fn print(mut self, name: &str, aim: &str) {
        self.times.sort_unstable();
        let at =
            |part: usize| self.times[(self.times.len() * part / 100).min(self.times.len() - 1)];
        let median = at(50);
        let millis = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        // Of a handful of repetitions the 99th percentile would only be the slowest again.
        let p99 = if self.times.len() >= 100 {
            millis(at(99))
        } else {
            "–".to_owned()
        };
        let items = u32::try_from(self.items).map_or(f64::NAN, f64::from);
        let rate = format!("{:.0}/s", items / median.as_secs_f64());
        let processor = self.processor.map_or("–".to_owned(), |used| {
            let repetitions = u32::try_from(self.times.len()).map_or(f64::NAN, f64::from);
            format!(
                "{:.4} ms each",
                used.as_secs_f64() * 1e3 / items / repetitions
            )
        });
        let (median, slowest) = (millis(median), millis(at(100)));
        println!("| {name} | {median} | {p99} | {slowest} | {rate} | {processor} | {aim} |");
    }
}

/// Repeats something, each time measured.
async fn repeat(times: usize, items: usize, mut once: impl AsyncFnMut()) -> Samples {
    let mut samples = Samples::new(items);
    for _time in 0..times {
        samples.measure(&mut once).await;
    }
    samples
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

    fn options(&self) -> ReplicaOptions {
        let keys = DeviceKeys::from_seed([self.seed; 32]);
        let options = ReplicaOptions::new(self.folder.path().join("data"), keys);
        options.network(NetworkOptions::loopback())
    }

    async fn open(&self) -> Replica {
        Replica::open(self.options()).await.expect("a replica")
    }
}

fn document() -> DocumentId {
    DocumentId::named("system")
}

/// As real changes are: half of it is hashes and new text, half is much the same in all of them.
fn body() -> Body {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut change = vec![7; BODY_LEN_BYTES];
    for (word, place) in (0_u64..).zip(change[..BODY_LEN_BYTES / 2].chunks_exact_mut(8)) {
        let mut hasher = DefaultHasher::new();
        (number, word).hash(&mut hasher);
        place.copy_from_slice(&hasher.finish().to_be_bytes());
    }
    Body::Changes(vec![change.into()])
}

async fn new_space(replica: &Replica) -> SpaceId {
    let request = CreateSpace::new(PrincipalId::from_bytes([9; 16]));
    replica.create_space(request).await.expect("a Space")
}

async fn write(replica: &Replica, space: SpaceId) -> EnvelopeId {
    let written = replica.write(space, document(), body()).await;
    written.expect("a write").id
}

async fn write_many(replica: &Replica, space: SpaceId, count: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for _write in 0..count {
        let replica = replica.clone();
        tasks.spawn(async move { write(&replica, space).await });
        if tasks.len() >= WRITES_AT_ONCE {
            tasks.join_next().await.expect("a task").expect("no panic");
        }
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
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
fn durable_write(runtime: &Runtime) -> Samples {
    runtime.block_on(async {
        let device = Device::new(1);
        let replica = device.open().await;
        let space = new_space(&replica).await;
        let samples = repeat(LATENCY_SAMPLES, 1, async || {
            write(&replica, space).await;
        })
        .await;
        replica.shutdown().await;
        samples
    })
}

/// Many clients at once: group commit.
fn durable_writes_at_once(runtime: &Runtime) -> Samples {
    runtime.block_on(async {
        let device = Device::new(1);
        let replica = device.open().await;
        let space = new_space(&replica).await;
        let samples = repeat(THROUGHPUT_SAMPLES, 2_000, async || {
            write_many(&replica, space, 2_000).await;
        })
        .await;
        replica.shutdown().await;
        samples
    })
}

/// Two replicas with a direct connection and one Space.
async fn pair(one: &Device, other: &Device) -> (Replica, Replica, SpaceId) {
    let (a, b) = (one.open().await, other.open().await);
    let space = new_space(&a).await;
    write(&a, space).await;
    join(&a, &b, space).await;
    until_equal(&a, &b, space).await;
    (a, b, space)
}

/// Written at one replica and durable at the other, many in flight.
fn through_two_replicas(runtime: &Runtime) -> Samples {
    runtime.block_on(async {
        let (one, other) = (Device::new(1), Device::new(2));
        let (a, b, space) = pair(&one, &other).await;
        let samples = repeat(THROUGHPUT_SAMPLES, THROUGHPUT, async || {
            write_many(&a, space, THROUGHPUT).await;
            until_equal(&a, &b, space).await;
        })
        .await;
        a.shutdown().await;
        b.shutdown().await;
        samples
    })
}

/// A fresh replica joins and takes everything.
fn catch_up(runtime: &Runtime) -> Samples {
    runtime.block_on(async {
        let one = Device::new(1);
        let a = one.open().await;
        let space = new_space(&a).await;
        write_many(&a, space, CATCH_UP).await;
        let mut samples = Samples::new(CATCH_UP);
        for seed in (2..).take(CATCH_UP_SAMPLES) {
            let device = Device::new(seed);
            let b = device.open().await;
            let once = async || {
                join(&a, &b, space).await;
                until_equal(&a, &b, space).await;
            };
            samples.measure(once).await;
            b.shutdown().await;
        }
        a.shutdown().await;
        samples
    })
}

/// A fresh replica joins, takes everything and reads it: out of seals, or out of snapshots.
fn first_sync(runtime: &Runtime, tail: usize) -> Samples {
    runtime.block_on(async {
        let one = Device::new(1);
        let limits = Limits {
            snapshot_tail_max: tail,
            snapshot_settle: Duration::from_millis(50),
            ..Limits::default()
        };
        let a = Replica::open(one.options().limits(limits))
            .await
            .expect("a replica");
        let space = new_space(&a).await;
        write_many(&a, space, CATCH_UP).await;
        until_quiet(&a, space).await;
        let mut samples = Samples::new(CATCH_UP);
        for seed in (2..).take(CATCH_UP_SAMPLES) {
            let device = Device::new(seed);
            let b = device.open().await;
            let once = async || {
                join(&a, &b, space).await;
                until_equal(&a, &b, space).await;
                while b.missing_bodies(space, document()).await.expect("a count") > 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                let entries = b.bodies(space, document()).await.expect("the document");
                let read = entries
                    .iter()
                    .filter(|entry| matches!(entry.body, Some(Body::Changes(_))));
                assert_eq!(read.count(), CATCH_UP);
            };
            samples.measure(once).await;
            let report = b.verify().await.expect("a report");
            assert_eq!(report.bodies_in_snapshots > 0, tail < CATCH_UP);
            let before = b.len_bytes().expect("a length") >> 10;
            b.compact(space).await.expect("a compaction");
            b.shrink().await.expect("a shrunk file");
            eprintln!(
                "{} bodies in snapshots, {before} KiB on disk, {} KiB after compaction",
                report.bodies_in_snapshots,
                b.len_bytes().expect("a length") >> 10
            );
            b.shutdown().await;
        }
        a.shutdown().await;
        samples
    })
}

/// Until nothing was written for a second.
async fn until_quiet(replica: &Replica, space: SpaceId) {
    let mut before = 0;
    loop {
        let now = replica.space(space).await.expect("the Space").envelopes;
        if now == before {
            return;
        }
        before = now;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn until_told(events: &mut Receiver<ReplicaEvent>, id: EnvelopeId) {
    loop {
        if let ReplicaEvent::Admitted { entries, .. } = events.recv().await.expect("events")
            && entries.iter().any(|entry| entry.id == id)
        {
            return;
        }
    }
}

/// From the call at one replica to the event at the other.
async fn propagation(a: &Replica, b: &Replica, space: SpaceId) -> Samples {
    let mut events = b.subscribe();
    repeat(LATENCY_SAMPLES, 1, async || {
        let id = write(a, space).await;
        until_told(&mut events, id).await;
    })
    .await
}

/// From the text of an invitation to a body that can be read, on a device that is new: opened, connected
/// to the relay, joined. The inviting device is offline by then.
fn first_content(runtime: &Runtime) -> Samples {
    runtime.block_on(async {
        let (one, of_relay) = (Device::new(1), Device::new(200));
        let options = of_relay.options().role(Role::Relay(Quotas::default()));
        let relay = Replica::open(options).await.expect("a relay");
        let a = one.open().await;
        let space = new_space(&a).await;
        let at = relay.relay_address().expect("an address");
        a.add_relay(space, at, Timestamp::MAX)
            .await
            .expect("the relay is let in");
        write_many(&a, space, 100).await;
        let request = InviteRequest {
            redemptions: 100,
            ..InviteRequest::new(Capability::Read)
        };
        let invitation = a.invite(space, request).await.expect("an invitation");
        let text = invitation.to_text().expect("its text");
        until_equal(&a, &relay, space).await;
        a.shutdown().await;
        let mut samples = Samples::new(1);
        for seed in (2..).take(usize::from(GUESTS)) {
            let device = Device::new(seed);
            let mut guest = None;
            samples
                .measure(async || {
                    let b = device.open().await;
                    let mut events = b.subscribe();
                    let invitation = text.parse().expect("an invitation");
                    b.join(&invitation).await.expect("a wish");
                    until_readable(&mut events).await;
                    guest = Some(b);
                })
                .await;
            if let Some(guest) = guest {
                guest.shutdown().await;
            }
        }
        relay.shutdown().await;
        samples
    })
}

async fn until_readable(events: &mut Receiver<ReplicaEvent>) {
    loop {
        if let ReplicaEvent::Admitted { entries, .. } = events.recv().await.expect("events")
            && entries.iter().any(|entry| entry.body.is_some())
        {
            return;
        }
    }
}

/// From the call that ends a grant until a peer and a relay hold it ended.
fn revocation(runtime: &Runtime) -> Samples {
    runtime.block_on(async {
        let (one, other) = (Device::new(1), Device::new(2));
        let (a, b, space) = pair(&one, &other).await;
        let of_relay = Device::new(200);
        let options = of_relay.options().role(Role::Relay(Quotas::default()));
        let relay = Replica::open(options).await.expect("a relay");
        let at = relay.relay_address().expect("an address");
        a.add_relay(space, at, Timestamp::MAX)
            .await
            .expect("the relay is let in");
        until_equal(&a, &relay, space).await;
        let mut samples = Samples::new(1);
        for seed in (3..).take(usize::from(GUESTS)) {
            let keys = DeviceKeys::from_seed([seed; 32]);
            let request = GrantRequest::to_device(
                keys.author(),
                keys.box_public(),
                Capability::Write,
                Timestamp::MAX,
            );
            let grant = a.grant(space, request).await.expect("a grant").id;
            until_equal(&a, &b, space).await;
            until_equal(&a, &relay, space).await;
            samples
                .measure(async || {
                    a.revoke(space, grant, Keep::WhatIsHere, REASON_LOST)
                        .await
                        .expect("a revocation");
                    a.rotate(space).await.expect("a rotation");
                    for peer in [&b, &relay] {
                        until_ended(peer, space, grant).await;
                    }
                })
                .await;
        }
        for replica in [a, b, relay] {
            replica.shutdown().await;
        }
        samples
    })
}

async fn until_ended(replica: &Replica, space: SpaceId, grant: EnvelopeId) {
    loop {
        let members = replica.space(space).await.expect("the Space").members;
        if !members.iter().any(|member| member.grant == grant) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn propagation_direct(runtime: &Runtime) -> Samples {
    runtime.block_on(async {
        let (one, other) = (Device::new(1), Device::new(2));
        let (a, b, space) = pair(&one, &other).await;
        let samples = propagation(&a, &b, space).await;
        a.shutdown().await;
        b.shutdown().await;
        samples
    })
}

/// Both know the relay replica alone: it stores and forwards what it cannot read.
fn propagation_relayed(runtime: &Runtime) -> Samples {
    runtime.block_on(async {
        let (one, other, third) = (Device::new(1), Device::new(2), Device::new(3));
        let options = third.options().role(Role::Relay(Quotas::default()));
        let relay = Replica::open(options).await.expect("a relay");
        let (a, b) = (one.open().await, other.open().await);
        let space = new_space(&a).await;
        let address = relay.relay_address().expect("an address");
        let end = Timestamp::MAX;
        a.add_relay(space, address, end).await.expect("a grant");
        write(&a, space).await;
        let request = InviteRequest::new(Capability::Write);
        let mut invitation = a.invite(space, request).await.expect("an invitation");
        let own = a.address().expect("an address").endpoint;
        invitation.addresses.retain(|peer| peer.endpoint != own);
        b.join(&invitation).await.expect("a wish");
        b.joined(space).await.expect("the Space");
        until_equal(&a, &b, space).await;
        let samples = propagation(&a, &b, space).await;
        let met = a.peers();
        let device = b.author();
        assert!(met.iter().all(|peer| peer.device != Some(device)));
        for replica in [a, b, relay] {
            replica.shutdown().await;
        }
        samples
    })
}

/// A workspace of 1,000 Systems, each a Space of its own.
fn opening(runtime: &Runtime) -> Samples {
    runtime.block_on(async {
        let device = Device::new(1);
        let replica = device.open().await;
        for _space in 0..SPACES {
            let space = new_space(&replica).await;
            write_many(&replica, space, ENTRIES_PER_SPACE).await;
        }
        replica.shutdown().await;
        let mut samples = Samples::new(SPACES);
        for _opening in 0..OPENINGS {
            let mut opened = None;
            let once = async || {
                let replica = device.open().await;
                let spaces = replica.spaces().await.expect("Spaces").len();
                opened = Some((replica, spaces));
            };
            samples.measure(once).await;
            let (replica, spaces) = opened.expect("it ran");
            assert_eq!(spaces, SPACES);
            replica.shutdown().await;
        }
        samples
    })
}
