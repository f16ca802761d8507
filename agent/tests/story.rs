//! An agent from invitation to overview: real store, real network on loopback, real checks.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use aramaki_agent::{AgentError, AgentOptions, Config};
use aramaki_model::desired::DesiredState;
use aramaki_model::system::AgentRef;
use aramaki_model::{
    AdmittedChange, AgentConfig, Builtin, Check, CheckId, CheckKind, EnvelopeLinks, Heartbeat,
    Severity, Thresholds, Workspace, name,
};
use aramaki_sync::keys;
use aramaki_sync::replica::{CreateSpace, InviteRequest, Replica, ReplicaEvent, ReplicaOptions};
use aramaki_sync::transport::NetworkOptions;
use aramaki_sync_core::engine::Admitted;
use aramaki_sync_core::statement::Body;
use aramaki_sync_core::{DocumentId, PrincipalId, SpaceId, Timestamp};
use tokio_util::sync::CancellationToken;

const LIMIT: Duration = Duration::from_mins(1);
const UPTIME: CheckId = CheckId::from_bytes([1; 16]);
const FILE: CheckId = CheckId::from_bytes([2; 16]);

fn now() -> Timestamp {
    Timestamp::from_millis(chrono::Utc::now().timestamp_millis())
}

fn checks(file: &Path) -> Vec<Check> {
    let uptime = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    let age = Thresholds::default();
    let file = CheckKind::Builtin(Builtin::FileAge {
        path: file.display().to_string(),
        age,
    });
    [(UPTIME, "uptime", uptime), (FILE, "file", file)]
        .map(|(id, name, kind)| Check {
            interval_ms: 1_000,
            ..Check::new(id, name, kind)
        })
        .to_vec()
}

/// The people's side: a replica with the System's Space and the agent's.
struct People {
    replica: Replica,
    system: SpaceId,
    agent: SpaceId,
}

impl People {
    async fn start(folder: &Path, checks: Vec<Check>) -> Self {
        let keys = keys::read_or_create(&folder.join("device.key"), None).unwrap();
        let options =
            ReplicaOptions::new(folder.join("replica"), keys).network(NetworkOptions::loopback());
        let replica = Replica::open(options).await.unwrap();
        let principal = PrincipalId::from_bytes([7; 16]);
        let system = replica
            .create_space(CreateSpace::new(principal))
            .await
            .unwrap();
        let agent = replica
            .create_space(CreateSpace::new(principal))
            .await
            .unwrap();
        let people = Self {
            replica,
            system,
            agent,
        };
        people.configure(1, checks).await;
        people
    }

    async fn configure(&self, generation: u64, checks: Vec<Check>) {
        let config = AgentConfig {
            generation,
            system: self.system,
            checks,
            desired: DesiredState::default(),
        };
        let body = Body::AgentConfig(config.encode().unwrap().into());
        self.replica
            .write(self.agent, DocumentId::named("agent-config"), body)
            .await
            .unwrap();
    }

    async fn invitation(&self) -> String {
        let invitation = self
            .replica
            .invite(self.agent, InviteRequest::for_agent())
            .await
            .unwrap();
        invitation.to_text().unwrap().to_string()
    }

    /// What is on this disk, as the overview reads it.
    async fn workspace(&self, checks: &[Check]) -> Workspace {
        let mut workspace = Workspace::new();
        workspace.open_space(self.system);
        let chain = self.replica.chain();
        let edit = workspace.edit_system(self.system, &chain, now(), |edit| {
            edit.title("here")?;
            for check in checks {
                edit.put_check(check)?;
            }
            edit.put_agent(
                self.agent,
                &AgentRef {
                    label: "here".to_owned(),
                    author: None,
                },
            )
        });
        drop(edit.unwrap());
        // Also yesterday's: the test may run at midnight.
        let yesterday = now().minus(Duration::from_hours(24));
        let documents = [yesterday, now()].map(|at| [name::journal(at, 0), name::days(at, 0)]);
        let documents: BTreeSet<DocumentId> = documents.into_iter().flatten().collect();
        for document in documents {
            let bodies = self.replica.bodies(self.agent, document).await.unwrap();
            let changes: Vec<_> = bodies.into_iter().filter_map(change).collect();
            let known = workspace.linked(&self.agent);
            let lineage = self.replica.lineage(self.agent, known).await.unwrap();
            let links: Vec<_> = lineage
                .into_iter()
                .map(|entry| EnvelopeLinks {
                    id: entry.id,
                    previous: entry.previous,
                    ancestors: entry.ancestors,
                })
                .collect();
            assert_eq!(workspace.link(self.agent, &links), []);
            if !changes.is_empty() {
                assert_eq!(workspace.admit(self.agent, document, &changes), []);
            }
        }
        workspace
    }

    /// Of how many days each check was summed up.
    async fn summed(&self, checks: &[Check]) -> Vec<usize> {
        let view = self.workspace(checks).await.view(now());
        let system = view.system(&self.system).unwrap();
        let days = system.checks.iter().map(|view| {
            let days = view.days.iter();
            days.filter(|day| day.is_counted && day.known() > 0).count()
        });
        days.collect()
    }

    /// What the overview says of the checks.
    async fn states(&self, checks: &[Check]) -> Vec<(CheckId, Severity)> {
        let view = self.workspace(checks).await.view(now());
        let system = view.system(&self.system).unwrap();
        let mut states: Vec<_> = system
            .checks
            .iter()
            .map(|view| (view.check.id, view.status.raw))
            .collect();
        states.sort();
        states
    }

    async fn until_states(&self, checks: &[Check], expected: &[(CheckId, Severity)]) {
        let limit = Instant::now() + LIMIT;
        loop {
            let states = self.states(checks).await;
            if states == expected {
                return;
            }
            assert!(
                Instant::now() < limit,
                "still {states:?}, expected {expected:?}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn change(admitted: Admitted) -> Option<AdmittedChange> {
    match admitted.body {
        Some(Body::Changes(changes)) => Some(AdmittedChange {
            chain: admitted.chain,
            id: admitted.id,
            changes: changes
                .into_iter()
                .map(serde_bytes::ByteBuf::into_vec)
                .collect(),
            scope: aramaki_model::ChangeScope::default(),
        }),
        _ => None,
    }
}

fn options(folder: &Path, invitation: Option<String>) -> AgentOptions {
    let text = "[network]\nlisten = [\"127.0.0.1:0\"]\n";
    let mut options = AgentOptions::new(
        folder.to_owned(),
        Config::parse(text, Path::new("test")).unwrap(),
    );
    options.invitation = invitation;
    options
}

/// What the agent has of the day is of the day before: nothing else makes it midnight.
fn age_days(folder: &Path) {
    let path = folder.join("agent-state.json");
    let mut state: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let earlier = |value: &mut serde_json::Value, by: i64| {
        *value = serde_json::Value::from(value.as_i64().unwrap() - by);
    };
    let days = &mut state["days"];
    earlier(&mut days["alive"], 86_400_000);
    let begun = days["begun"].as_array_mut().unwrap();
    assert_eq!(begun.len(), 2);
    for check in begun {
        earlier(&mut check["day"]["day"], 1);
        earlier(&mut check["last"], 86_400_000);
        earlier(&mut check["until"], 86_400_000);
    }
    std::fs::write(&path, state.to_string()).unwrap();
}

/// The day before is summed up, in a document of its month; not in the first minute of a day.
async fn until_summed(people: &People, checks: &[Check]) {
    let limit = Instant::now() + 2 * LIMIT;
    while people.summed(checks).await != [1, 1] {
        assert!(Instant::now() < limit, "no sum came");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_sees_reaches_people_also_what_it_saw_while_nobody_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("people"), folder.path().join("agent"));
    std::fs::create_dir(&here).unwrap();
    let file = folder.path().join("watched");
    std::fs::write(&file, "x").unwrap();
    let checks = checks(&file);
    let people = People::start(&here, checks.clone()).await;
    let mut events = people.replica.subscribe();

    let stop = CancellationToken::new();
    let agent = tokio::spawn(aramaki_agent::run(
        options(&there, Some(people.invitation().await)),
        stop.clone(),
    ));
    people
        .until_states(&checks, &[(UPTIME, Severity::Ok), (FILE, Severity::Ok)])
        .await;

    // A change of this machine becomes a change of the overview.
    std::fs::remove_file(&file).unwrap();
    people
        .until_states(
            &checks,
            &[(UPTIME, Severity::Ok), (FILE, Severity::Critical)],
        )
        .await;

    let beat = tokio::time::timeout(LIMIT, async {
        loop {
            if let Ok(ReplicaEvent::Ephemeral { space, bytes, .. }) = events.recv().await
                && space == people.agent
            {
                return Heartbeat::decode(&bytes).unwrap();
            }
        }
    });
    assert_eq!(beat.await.unwrap().generation, 1);

    // Nobody is there: it goes on, and what it saw arrives later.
    people.replica.shutdown().await;
    let (system, space) = (people.system, people.agent);
    drop(people);
    std::fs::write(&file, "x").unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    stop.cancel();
    agent.await.unwrap().unwrap();
    age_days(&there);

    let keys = keys::read_or_create(&here.join("device.key"), None).unwrap();
    let network = NetworkOptions::loopback();
    let replica = Replica::open(ReplicaOptions::new(here.join("replica"), keys).network(network))
        .await
        .unwrap();
    let people = People {
        replica,
        system,
        agent: space,
    };
    let stop = CancellationToken::new();
    let mut again = options(&there, None);
    // Its key may lie elsewhere, and none is made in its stead.
    let elsewhere = folder.path().join("agent.key");
    again.key = Some(elsewhere.clone());
    let absent = aramaki_agent::run(again.clone(), stop.clone()).await;
    assert!(matches!(absent, Err(AgentError::Key(_))), "{absent:?}");
    std::fs::rename(there.join("agent.key"), &elsewhere).unwrap();
    again.bootstrap.extend(people.replica.address());
    let agent = tokio::spawn(aramaki_agent::run(again, stop.clone()));
    people
        .until_states(&checks, &[(UPTIME, Severity::Ok), (FILE, Severity::Ok)])
        .await;
    until_summed(&people, &checks).await;
    stop.cancel();
    agent.await.unwrap().unwrap();
    assert!(people.replica.verify().await.unwrap().is_sound());
    people.replica.shutdown().await;
}
