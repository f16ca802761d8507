//! How long a transition takes until another replica shows its alert: 1,000 agents with 20 checks
//! each, through a relay, over loopback, with real replicas. `cargo bench -p aramaki-tests --bench agents`
//!
//! A machine has no room for a thousand endpoints and stores, so ten replicas stand for a hundred
//! agents each: every agent has its own Space and journal. Systems that they look at are known to
//! whoever watches from the beginning. Beside the transitions every agent sends heartbeats.
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot run has nothing to say"
)]
#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::system::{AgentRef, Part};
use aramaki_model::{
    AdmittedChange, ChangeScope, Check, CheckBeat, CheckId, CheckState, EntryId, EnvelopeLinks,
    Heartbeat, JournalEntry, Observation, Severity, Snapshot, View, Workspace,
};
use aramaki_sync::core::engine::Admitted;
use aramaki_sync::core::key::DeviceKeys;
use aramaki_sync::core::statement::Body;
use aramaki_sync::core::{Chain, DocumentId, Instance, PrincipalId, SpaceId, Timestamp};
use aramaki_sync::replica::{
    CreateSpace, InviteRequest, Quotas, Replica, ReplicaEvent, ReplicaOptions, Role,
};
use aramaki_sync::transport::NetworkOptions;
use serde_bytes::ByteBuf;
use tokio::sync::{broadcast, watch};

/// Replicas that write, and the agents that each stands for.
const HOSTS: u8 = 10;
const AGENTS_PER_HOST: u16 = 100;
const CHECKS: u8 = 20;
/// Systems that one aggregate lists.
const PARTS: usize = 100;
/// Transitions that are measured, and how often one happens.
const TRANSITIONS: usize = 500;
const TRANSITION_EVERY: Duration = Duration::from_millis(50);
/// How often each agent is heard.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(20);
const LIMIT: Duration = Duration::from_mins(5);

fn main() {
    if !std::env::args().any(|word| word == "--bench") {
        return; // built along with the tests: nothing is measured in an unoptimised build
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(measure());
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let millis = since.expect("a clock after 1970").as_millis();
    Timestamp::from_millis(i64::try_from(millis).expect("a clock of this age"))
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
    states: Vec<CheckState>,
}

/// Ten of these write.
struct Host {
    device: Device,
    workspace: Workspace,
    agents: Vec<Agent>,
    entries: u16,
}

impl Host {
    fn chain(&self) -> Chain {
        Chain {
            author: self.device.replica.author(),
            instance: self.device.replica.instance().expect("an instance"),
        }
    }

    /// An agent observes its checks; what changed enters its journal, durably.
    async fn observe(&mut self, agent: usize, checks: std::ops::Range<u8>, severity: Severity) {
        let (at, chain) = (now(), self.chain());
        let agent = self.agents.get_mut(agent).expect("an agent");
        let mut entries = Vec::new();
        for n in checks {
            let state = agent.states.get_mut(usize::from(n)).expect("a check");
            let said = Observation::of_builtin(check(n).id, at, severity, "measured");
            let transition = state.observe(&check(n), &said).expect("a transition");
            self.entries = self.entries.wrapping_add(1);
            let [high, low] = self.entries.to_be_bytes();
            let id = EntryId::new(at, [high, low, 0, 0, 0, 0, 0, 0, 0, 0]);
            entries.push((id, JournalEntry::Transition(transition)));
        }
        let edit = self
            .workspace
            .append_journal(agent.space, &chain, at, &entries);
        let edit = edit.expect("an entry");
        let body = Body::Changes(edit.changes.into_iter().map(ByteBuf::from).collect());
        let written = self.device.replica.write(agent.space, edit.document, body);
        let _written = written.await.expect("a write");
    }
}

/// Who watches: a person's replica, that takes in what comes and derives what is shown.
struct Watcher {
    replica: Replica,
    workspace: Workspace,
    view: View,
    shown: watch::Sender<Arc<Snapshot>>,
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
    list(SpaceId::from_bytes([0xef; 32]), "hosting", &groups);
    for host in hosts {
        for agent in &host.agents {
            workspace.open_space(agent.system);
            let link = AgentRef {
                label: "host".to_owned(),
                author: Some(host.device.replica.author()),
            };
            let edit = workspace.edit_system(agent.system, &chain, at, |edit| {
                edit.title(&agent.system.short())?;
                (0..CHECKS).try_for_each(|n| edit.put_check(&check(n)))?;
                edit.put_agent(agent.space, &link)
            });
            drop(edit.expect("a System"));
        }
    }
}

/// A host with its agents, let in through the relay alone.
async fn host(n: u8, people: &Replica, relay: &Replica) -> Host {
    let device = Device::open(10 + n, None).await;
    let address = relay.relay_address().expect("an address");
    let own = people.address().expect("an address").endpoint;
    let mut host = Host {
        device,
        workspace: Workspace::new(),
        agents: Vec::new(),
        entries: 0,
    };
    for agent in 0..AGENTS_PER_HOST {
        let space = people.create_space(CreateSpace::new(PrincipalId::from_bytes([9; 16])));
        let space = space.await.expect("a Space");
        let granted = people.add_relay(space, address.clone(), Timestamp::MAX);
        granted.await.expect("a relay");
        let invited = people.invite(space, InviteRequest::for_agent()).await;
        let mut invitation = invited.expect("an invitation");
        invitation.addresses.retain(|peer| peer.endpoint != own);
        let replica = &host.device.replica;
        replica.join(&invitation).await.expect("a wish");
        let joined = tokio::time::timeout(LIMIT, replica.joined(space)).await;
        joined.expect("in time").expect("the Space");
        host.workspace.open_space(space);
        let mut system = [n; 32];
        system[1..3].copy_from_slice(&agent.to_be_bytes());
        let states = (0..CHECKS).map(|n| CheckState::new(check(n).id));
        host.agents.push(Agent {
            space,
            system: SpaceId::from_bytes(system),
            states: states.collect(),
        });
    }
    host
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
async fn begin(hosts: &mut [Host], watched: &mut watch::Receiver<Arc<Snapshot>>) {
    let began = Instant::now();
    let top = SpaceId::from_bytes([0xef; 32]);
    let mut all = 0;
    for agent in 0..usize::from(AGENTS_PER_HOST) {
        for host in &mut *hosts {
            host.observe(agent, 0..CHECKS, Severity::Ok).await;
            all += u32::from(CHECKS);
        }
        // Never more at once than a subscriber is told of.
        until(watched, |snapshot| {
            let top = snapshot.system(&top);
            top.is_some_and(|top| top.counts.ok == all)
        })
        .await;
    }
    println!("first {all} states are shown after {:?}", began.elapsed());
}

async fn measure() {
    let relay = Device::open(1, Some(Role::Relay(Quotas::default()))).await;
    let people = Device::open(2, None).await;
    let mut hosts = Vec::new();
    for n in 0..HOSTS {
        hosts.push(host(n, &people.replica, &relay.replica).await);
    }
    let mut workspace = Workspace::new();
    describe(&mut workspace, &hosts);
    let events = people.replica.subscribe();
    let (shown, mut watched) = watch::channel(Arc::default());
    let watcher = Watcher {
        replica: people.replica.clone(),
        workspace,
        view: View::default(),
        shown,
    };
    let watching = tokio::spawn(watcher.follow(events));
    begin(&mut hosts, &mut watched).await;

    let ends = Arc::new(AtomicBool::new(false));
    let beating: Vec<_> = hosts
        .iter()
        .map(|host| {
            let agents = host.agents.iter().map(|agent| agent.space).collect();
            tokio::spawn(beat(host.device.replica.clone(), agents, Arc::clone(&ends)))
        })
        .collect();
    let mut waiting = tokio::task::JoinSet::new();
    let mut every = tokio::time::interval(TRANSITION_EVERY);
    for n in 0..TRANSITIONS {
        every.tick().await;
        let count = hosts.len();
        let host = hosts.get_mut(n % count).expect("a host");
        let agent = (n / count) % usize::from(AGENTS_PER_HOST);
        let which = u8::try_from(n / count / usize::from(AGENTS_PER_HOST)).expect("few rounds");
        let system = host.agents.get(agent).expect("an agent").system;
        let mut watched = watched.clone();
        let began = Instant::now();
        host.observe(agent, which..which + 1, Severity::Critical)
            .await;
        waiting.spawn(async move {
            until(&mut watched, |snapshot| {
                let system = snapshot.system(&system);
                system.is_some_and(|it| it.alerts.iter().any(|it| it.check == check(which).id))
            })
            .await;
            began.elapsed()
        });
    }
    let mut times = waiting.join_all().await;
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len() * percent).div_ceil(100) - 1);
    println!("| | median | p99 | slowest | aim |\n|---|---|---|---|---|");
    println!(
        "| transition to alert at the other replica ({TRANSITIONS}) | {:?} | {:?} | {:?} | p99 ≤ 1 s |",
        at(50).expect("samples"),
        at(99).expect("samples"),
        at(100).expect("samples"),
    );
    ends.store(true, Ordering::Relaxed);
    for task in beating {
        task.await.expect("every heartbeat was sent");
    }
    watching.abort();
    for host in hosts {
        host.device.replica.shutdown().await;
    }
    people.replica.shutdown().await;
    relay.replica.shutdown().await;
}
