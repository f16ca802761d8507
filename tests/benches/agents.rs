//! How long a transition takes until another replica shows its alert: 1,000 agents with 20 checks
//! each, through a relay, over loopback, with real replicas. `cargo bench -p aramaki-tests --bench agents`
//!
//! A machine has no room for a thousand endpoints and stores, so ten replicas stand for a hundred
//! agents each: every agent has its own Space and journal. Systems that they look at are known to
//! whoever watches from the beginning. Beside the transitions that are measured every agent looks
//! again at all its checks, other checks change now and then, and every agent sends heartbeats.
//! Joining a thousand Spaces is a few thousand writes that wait for the disk: it takes one to some
//! minutes, tells how far it is, and the whole ends after [`TIME_MAX`] at the latest.
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot run has nothing to say"
)]
#![expect(clippy::print_stdout, reason = "the table is the result")]
#![expect(clippy::print_stderr, reason = "how far it is")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::system::{AgentRef, Part};
use aramaki_model::{
    AdmittedChange, ChangeScope, Check, CheckBeat, CheckId, CheckState, EntryId, EnvelopeLinks,
    Heartbeat, JournalEntry, Observation, Severity, Snapshot, View, Workspace,
};
use aramaki_sync::core::engine::Admitted;
use aramaki_sync::core::key::DeviceKeys;
use aramaki_sync::core::statement::Body;
use aramaki_sync::core::{Chain, DocumentId, Instance, PrincipalId, SpaceId};
use aramaki_sync::replica::{
    CreateSpace, InviteRequest, Quotas, Replica, ReplicaEvent, ReplicaOptions, Role,
};
use aramaki_sync::transport::NetworkOptions;
use aramaki_tests::measure::{is_wanted, load_average, now, processor_time, resident_bytes};
use serde_bytes::ByteBuf;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;

/// Replicas that write, and the agents that each stands for.
const HOSTS: u8 = 10;
const AGENTS_PER_HOST: u16 = 100;
const CHECKS: u8 = 20;
/// Systems that one aggregate lists.
const PARTS: usize = 100;
/// Transitions that are measured, and how often one happens.
const TRANSITIONS: usize = 1_000;
const TRANSITION_EVERY: Duration = Duration::from_millis(50);
/// How often each agent looks at all its checks: 2,000 results a second are the aim of one core.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Of so many looks one finds that the last check is different.
const LOOKS_PER_CHANGE: usize = 20;
/// How often each agent is heard.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(20);
/// The aggregate over all.
const TOP: SpaceId = SpaceId::from_bytes([0xef; 32]);
/// How long anything may take that is waited for.
const LIMIT: Duration = Duration::from_mins(2);
/// How long all of it may take.
const TIME_MAX: Duration = Duration::from_mins(9);

fn main() {
    if !is_wanted() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let done = runtime.block_on(async { tokio::time::timeout(TIME_MAX, measure()).await });
    done.expect("the last line above says how far it came in time");
}

/// A replica in a folder of its own.
struct Device {
    _folder: tempfile::TempDir,
    replica: Replica,
}

impl Device {
    async fn open(seed: u8, role: Option<Role>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = DeviceKeys::from_seed([seed; 32]);
        let options = ReplicaOptions::new(folder.path().join("data"), keys);
        let mut options = options.network(NetworkOptions::loopback());
        if let Some(role) = role {
            options = options.role(role);
        }
        let replica = Replica::open(options).await.expect("a replica");
        Self {
            _folder: folder,
            replica,
        }
    }
}

fn check(n: u8) -> Check {
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    Check::new(CheckId::from_bytes([n + 1; 16]), format!("check {n}"), kind)
}

/// One agent: its Space, the System that it looks at, and the states of its checks.
struct Agent {
    space: SpaceId,
    system: SpaceId,
    states: Vec<(CheckState, Severity)>,
}

/// What all replicas together did.
#[derive(Default)]
struct Counts {
    results: AtomicU64,
    written: AtomicU64,
    admitted: AtomicU64,
    beats: AtomicU64,
}

/// A check of an agent is found in another state from now on.
struct Change {
    agent: usize,
    checks: std::ops::Range<u8>,
    to: Severity,
}

/// Ten of these write.
struct Host {
    device: Device,
    workspace: Workspace,
    agents: Vec<Agent>,
    checks: Vec<Check>,
    entries: u16,
    counts: Arc<Counts>,
}

impl Host {
    fn chain(&self) -> Chain {
        self.device.replica.chain()
    }

    fn change(&mut self, change: Change) -> usize {
        let agent = self.agents.get_mut(change.agent).expect("an agent");
        for n in change.checks {
            agent.states.get_mut(usize::from(n)).expect("a check").1 = change.to;
        }
        change.agent
    }

    /// An agent looks at all its checks; what changed enters its journal, durably.
    async fn look(&mut self, agent: usize) {
        let (at, chain) = (now(), self.chain());
        let agent = self.agents.get_mut(agent).expect("an agent");
        let mut entries = Vec::new();
        for (check, (state, severity)) in self.checks.iter().zip(&mut agent.states) {
            let said = Observation::of_builtin(check.id, at, *severity, "measured");
            self.counts.results.fetch_add(1, Ordering::Relaxed);
            let Some(transition) = state.observe(check, &said) else {
                continue;
            };
            self.entries = self.entries.wrapping_add(1);
            let [high, low] = self.entries.to_be_bytes();
            let id = EntryId::new(at, [high, low, 0, 0, 0, 0, 0, 0, 0, 0]);
            entries.push((id, JournalEntry::Transition(transition)));
        }
        if entries.is_empty() {
            return;
        }
        let edit = self
            .workspace
            .append_journal(agent.space, &chain, at, &entries);
        let edit = edit.expect("an entry");
        let body = Body::Changes(edit.changes.into_iter().map(ByteBuf::from).collect());
        let written = self.device.replica.write(agent.space, edit.document, body);
        let _written = written.await.expect("a write");
        self.counts.written.fetch_add(1, Ordering::Relaxed);
    }

    /// Looks at once where something changed and, once `works`, at everything in turn.
    async fn work(mut self, mut changes: mpsc::Receiver<Change>, works: Arc<AtomicBool>) -> Device {
        let mut every = tokio::time::interval(LOOK_EVERY / u32::from(AGENTS_PER_HOST));
        let mut looks = 0;
        loop {
            tokio::select! {
                biased;
                change = changes.recv() => {
                    let Some(change) = change else {
                        return self.device;
                    };
                    let agent = self.change(change);
                    self.look(agent).await;
                }
                _ = every.tick() => {
                    if !works.load(Ordering::Relaxed) {
                        continue;
                    }
                    looks += 1;
                    let agent = looks % self.agents.len();
                    if looks.is_multiple_of(LOOKS_PER_CHANGE) {
                        let round = looks / self.agents.len();
                        let to = if round.is_multiple_of(2) { Severity::Warning } else { Severity::Ok };
                        self.change(Change { agent, checks: CHECKS - 1..CHECKS, to });
                    }
                    self.look(agent).await;
                }
            }
        }
    }
}

/// Who watches: a person's replica, that takes in what comes and derives what is shown.
struct Watcher {
    replica: Replica,
    workspace: Workspace,
    view: View,
    shown: watch::Sender<Arc<Snapshot>>,
    counts: Arc<Counts>,
}

impl Watcher {
    async fn follow(mut self, mut events: broadcast::Receiver<ReplicaEvent>) {
        loop {
            match events.recv().await {
                Ok(event) => self.take(event).await,
                Err(broadcast::error::RecvError::Closed) => return,
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    panic!("{missed} events came too quickly: this is no measurement")
                }
            }
            // All that is here already is shown together.
            while let Ok(event) = events.try_recv() {
                self.take(event).await;
            }
            self.shown
                .send_replace(self.view.update(&self.workspace, now()));
        }
    }

    async fn take(&mut self, event: ReplicaEvent) {
        match event {
            ReplicaEvent::Admitted { space, entries } => {
                let count = u64::try_from(entries.len()).expect("a few");
                self.counts.admitted.fetch_add(count, Ordering::Relaxed);
                let known = self.workspace.linked(&space);
                let lineage = self.replica.lineage(space, known).await;
                let links = lineage.expect("a lineage").into_iter();
                let links: Vec<_> = links
                    .map(|entry| EnvelopeLinks {
                        id: entry.id,
                        previous: entry.previous,
                        ancestors: entry.ancestors,
                    })
                    .collect();
                assert_eq!(self.workspace.link(space, &links), []);
                let mut documents: BTreeMap<DocumentId, Vec<AdmittedChange>> = BTreeMap::new();
                for entry in entries {
                    let document = entry.document;
                    documents.entry(document).or_default().extend(change(entry));
                }
                for (document, changes) in documents {
                    assert_eq!(self.workspace.admit(space, document, &changes), []);
                }
            }
            ReplicaEvent::Ephemeral { space, bytes, .. } => {
                self.counts.beats.fetch_add(1, Ordering::Relaxed);
                let beat = Heartbeat::decode(&bytes).expect("a heartbeat");
                self.workspace.heartbeat(space, &beat, now());
            }
            _ => {}
        }
    }
}

fn change(entry: Admitted) -> Option<AdmittedChange> {
    let Body::Changes(changes) = entry.body? else {
        return None;
    };
    Some(AdmittedChange {
        chain: entry.chain,
        id: entry.id,
        changes: changes.into_iter().map(ByteBuf::into_vec).collect(),
        scope: ChangeScope::Documents,
    })
}

/// A person makes 1,000 Systems in ten aggregates under one, and an agent's Space for each.
fn describe(workspace: &mut Workspace, hosts: &[Host]) {
    let at = now();
    let author = DeviceKeys::from_seed([250; 32]).author();
    let chain = Chain {
        author,
        instance: Instance(1),
    };
    let mut list = |of: SpaceId, title: &str, parts: &[SpaceId]| {
        workspace.open_space(of);
        let edit = workspace.edit_system(of, &chain, at, |edit| {
            edit.title(title)?;
            parts
                .iter()
                .try_for_each(|part| edit.put_part(*part, &Part::default()))
        });
        drop(edit.expect("a System"));
    };
    let systems: Vec<_> = hosts.iter().flat_map(|host| &host.agents).collect();
    let systems: Vec<SpaceId> = systems.iter().map(|agent| agent.system).collect();
    let mut groups = Vec::new();
    for (n, parts) in (0_u8..).zip(systems.chunks(PARTS)) {
        let mut id = [0xee; 32];
        id[0] = n;
        groups.push(SpaceId::from_bytes(id));
        list(SpaceId::from_bytes(id), &format!("group {n}"), parts);
    }
    list(TOP, "hosting", &groups);
    for host in hosts {
        for agent in &host.agents {
            workspace.open_space(agent.system);
            let link = AgentRef {
                label: "host".to_owned(),
                author: Some(host.device.replica.author()),
            };
            let edit = workspace.edit_system(agent.system, &chain, at, |edit| {
                edit.title(&agent.system.short())?;
                host.checks
                    .iter()
                    .try_for_each(|check| edit.put_check(check))?;
                edit.put_agent(agent.space, &link)
            });
            drop(edit.expect("a System"));
        }
    }
}

/// A host with its agents, let in through the relay alone.
async fn host(n: u8, people: Replica, relay: Replica, joined: Arc<AtomicU64>) -> Host {
    let device = Device::open(10 + n, None).await;
    let address = relay.relay_address().expect("an address");
    let own = people.address().expect("an address").endpoint;
    let mut host = Host {
        device,
        workspace: Workspace::new(),
        agents: Vec::new(),
        checks: (0..CHECKS).map(check).collect(),
        entries: 0,
        counts: Arc::default(),
    };
    for agent in 0..AGENTS_PER_HOST {
        let space = people.create_space(CreateSpace::new(PrincipalId::from_bytes([9; 16])));
        let space = space.await.expect("a Space");
        let granted = people.add_relay(space, address.clone(), aramaki_sync::core::Timestamp::MAX);
        granted.await.expect("a relay");
        let invited = people.invite(space, InviteRequest::for_agent()).await;
        let mut invitation = invited.expect("an invitation");
        invitation.addresses.retain(|peer| peer.endpoint != own);
        let replica = &host.device.replica;
        replica.join(&invitation).await.expect("a wish");
        let in_time = tokio::time::timeout(LIMIT, replica.joined(space)).await;
        in_time.expect("in time").expect("the Space");
        joined.fetch_add(1, Ordering::Relaxed);
        host.workspace.open_space(space);
        let mut system = [n; 32];
        system[1..3].copy_from_slice(&agent.to_be_bytes());
        let states = host.checks.iter();
        let states = states.map(|check| (CheckState::new(check.id), Severity::Ok));
        host.agents.push(Agent {
            space,
            system: SpaceId::from_bytes(system),
            states: states.collect(),
        });
    }
    host
}

/// All hosts, joined at the same time; tells how far it is.
async fn join(people: &Replica, relay: &Replica) -> Vec<Host> {
    let (began, joined) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let mut joining = JoinSet::new();
    for n in 0..HOSTS {
        let joined = Arc::clone(&joined);
        joining.spawn(host(n, people.clone(), relay.clone(), joined));
    }
    let mut every = tokio::time::interval(Duration::from_secs(5));
    let mut hosts = Vec::new();
    while hosts.len() < usize::from(HOSTS) {
        tokio::select! {
            host = joining.join_next() => hosts.push(host.expect("a host").expect("it joined")),
            _ = every.tick() => {
                let (count, took) = (joined.load(Ordering::Relaxed), began.elapsed().as_secs());
                eprintln!("{count} agents have joined after {took} s");
            }
        }
    }
    let count = joined.load(Ordering::Relaxed);
    println!(
        "{count} agents have joined after {:.1} s",
        began.elapsed().as_secs_f64()
    );
    hosts
}

/// Every agent tells now and then that it is there.
async fn beat(replica: Replica, agents: Vec<SpaceId>, ends: Arc<AtomicBool>) {
    let count = u32::try_from(agents.len()).expect("a hundred");
    let mut every = tokio::time::interval(HEARTBEAT_EVERY / count);
    while !ends.load(Ordering::Relaxed) {
        for space in &agents {
            every.tick().await;
            let at = now();
            let checks = (0..CHECKS).map(|n| CheckBeat {
                check: check(n).id,
                at,
                raw: Severity::Ok,
                attempt: 0,
            });
            let checks: Vec<_> = checks.collect();
            for beat in Heartbeat::batches(at, 1, &checks) {
                let document = DocumentId::named("heartbeat");
                let bytes = beat.encode().expect("a heartbeat");
                let sent = replica.send_ephemeral(*space, document, bytes);
                sent.await.expect("a heartbeat is sent");
            }
        }
    }
}

/// Waits for something to be shown.
async fn until(shown: &mut watch::Receiver<Arc<Snapshot>>, is: impl Fn(&Snapshot) -> bool) {
    let waited = tokio::time::timeout(LIMIT, shown.wait_for(|snapshot| is(snapshot))).await;
    drop(waited.expect("in time").expect("somebody watches"));
}

/// Every check of every agent is fine, and shown so.
async fn begin(tell: &[mpsc::Sender<Change>], watched: &mut watch::Receiver<Arc<Snapshot>>) {
    let began = Instant::now();
    let mut all = 0;
    for agent in 0..usize::from(AGENTS_PER_HOST) {
        for host in tell {
            let (checks, to) = (0..CHECKS, Severity::Ok);
            let told = host.send(Change { agent, checks, to }).await;
            told.expect("a host");
            all += u32::from(CHECKS);
        }
        // Never more at once than a subscriber is told of.
        until(watched, |snapshot| {
            let top = snapshot.system(&TOP);
            top.is_some_and(|top| top.counts.ok == all)
        })
        .await;
        if agent % 20 == 0 {
            eprintln!("{all} first states are shown after {:?}", began.elapsed());
        }
    }
    println!(
        "{all} first states are shown after {:.1} s",
        began.elapsed().as_secs_f64()
    );
}

/// One transition after another, in each agent; how long each took until its alert was shown.
async fn transitions(
    tell: &[mpsc::Sender<Change>],
    systems: &[Vec<SpaceId>],
    watched: &watch::Receiver<Arc<Snapshot>>,
) -> Vec<Duration> {
    let mut waiting = JoinSet::new();
    let mut every = tokio::time::interval(TRANSITION_EVERY);
    for n in 0..TRANSITIONS {
        every.tick().await;
        let (host, agent) = (
            n % tell.len(),
            n / tell.len() % usize::from(AGENTS_PER_HOST),
        );
        let which =
            u8::try_from(n / tell.len() / usize::from(AGENTS_PER_HOST)).expect("few rounds");
        let systems = systems.get(host).expect("a host");
        let system = *systems.get(agent).expect("an agent");
        let mut watched = watched.clone();
        let began = Instant::now();
        let (checks, to) = (which..which + 1, Severity::Critical);
        let told = tell.get(host).expect("a host");
        let told = told.send(Change { agent, checks, to }).await;
        told.expect("a host");
        waiting.spawn(async move {
            let check = check(which).id;
            until(&mut watched, |snapshot| {
                let system = snapshot.system(&system);
                system.is_some_and(|it| it.alerts.iter().any(|it| it.check == check))
            })
            .await;
            began.elapsed()
        });
        if n % 200 == 0 {
            eprintln!("{n} of {TRANSITIONS} transitions were made");
        }
    }
    let mut times = waiting.join_all().await;
    times.sort_unstable();
    times
}

async fn measure() {
    let relay = Device::open(1, Some(Role::Relay(Quotas::default()))).await;
    let people = Device::open(2, None).await;
    let mut hosts = join(&people.replica, &relay.replica).await;
    let counts = Arc::new(Counts::default());
    let mut workspace = Workspace::new();
    describe(&mut workspace, &hosts);
    let events = people.replica.subscribe();
    let (shown, mut watched) = watch::channel(Arc::default());
    let watcher = Watcher {
        replica: people.replica.clone(),
        workspace,
        view: View::default(),
        shown,
        counts: Arc::clone(&counts),
    };
    let watching = tokio::spawn(watcher.follow(events));

    let (works, ends) = (Arc::new(AtomicBool::new(false)), Arc::default());
    let (mut tell, mut systems, mut tasks) = (Vec::new(), Vec::new(), Vec::new());
    let mut beating = Vec::new();
    for mut host in hosts.drain(..) {
        host.counts = Arc::clone(&counts);
        systems.push(host.agents.iter().map(|agent| agent.system).collect());
        let agents = host.agents.iter().map(|agent| agent.space).collect();
        let replica = host.device.replica.clone();
        beating.push(tokio::spawn(beat(replica, agents, Arc::clone(&ends))));
        let (changes, to_do) = mpsc::channel(16);
        tell.push(changes);
        tasks.push(tokio::spawn(host.work(to_do, Arc::clone(&works))));
    }
    begin(&tell, &mut watched).await;

    works.store(true, Ordering::Relaxed);
    let before = [
        &counts.results,
        &counts.written,
        &counts.admitted,
        &counts.beats,
    ]
    .map(|count| count.swap(0, Ordering::Relaxed));
    eprintln!("before: results, written, admitted, heartbeats: {before:?}");
    let (began, used) = (Instant::now(), processor_time());
    let times = transitions(&tell, &systems, &watched).await;
    let (took, used) = (began.elapsed(), processor_time().saturating_sub(used));
    report(&counts, &times, (took, used));

    ends.store(true, Ordering::Relaxed);
    for task in beating {
        task.await.expect("every heartbeat was sent");
    }
    watching.abort();
    drop(tell);
    for task in tasks {
        task.await.expect("a host").replica.shutdown().await;
    }
    people.replica.shutdown().await;
    relay.replica.shutdown().await;
}

fn report(counts: &Counts, times: &[Duration], (took, used): (Duration, Duration)) {
    let [results, written, admitted, beats] = [
        &counts.results,
        &counts.written,
        &counts.admitted,
        &counts.beats,
    ]
    .map(|count| count.load(Ordering::Relaxed));
    let a_second = |count: u64| {
        #[expect(clippy::cast_precision_loss, reason = "a count of results is small")]
        let count = count as f64;
        count / took.as_secs_f64()
    };
    let at = |percent: usize| times.get((times.len() * percent).div_ceil(100) - 1);
    let ms = |percent| at(percent).expect("samples").as_secs_f64() * 1_000.0;
    println!(
        "\nFor {:.1} s, load average {}:\n",
        took.as_secs_f64(),
        load_average()
    );
    println!("| | | a second | aim |\n|---|---|---|---|");
    println!("| results | {results} | {:.0} | – |", a_second(results));
    println!(
        "| envelopes that they made | {written} | {:.0} | – |",
        a_second(written)
    );
    println!(
        "| envelopes at who watches | {admitted} | {:.0} | – |",
        a_second(admitted)
    );
    println!(
        "| heartbeats at who watches | {beats} | {:.0} | – |",
        a_second(beats)
    );
    println!(
        "| transition to alert at the other replica, {} of them | median {:.0} ms, p99 {:.0} ms, slowest {:.0} ms | | p99 ≤ 1 s |",
        times.len(),
        ms(50),
        ms(99),
        ms(100),
    );
    println!(
        "| of a core, all twelve replicas and what is shown | {:.0} % | | – |",
        used.as_secs_f64() / took.as_secs_f64() * 100.0
    );
    println!(
        "| memory, the same | {} MiB | | – |",
        resident_bytes() / (1 << 20)
    );
}
