//! The demo's course: start the processes, let them work, switch the relay, measure, clean up.

use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::children::Running;
use super::message::{
    AgentEvent, AgentOrder, Figures, PersonEvent, PersonOrder, RelayCard, RelayEvent,
};
use super::observed::restore_test;
use super::report::{Outcome, same};
use super::{Demo, RelaySwitch, switched};
use crate::cli::{CliError, Config, Report, interrupted};
use crate::workspace::{Answer, Server};

/// How long a process may take to start.
const START_TIME: Duration = Duration::from_secs(30);
/// How long making and joining the organisation may take.
const BUILD_TIME: Duration = Duration::from_mins(2);
/// How long the replicas get to agree after everything stopped changing.
const AGREE_TIME: Duration = Duration::from_secs(30);
/// How long removing the folder is tried.
const REMOVE_TIME: Duration = Duration::from_secs(5);
/// The nightly export is late in one half of this period.
const EXPORT_PERIOD: Duration = Duration::from_secs(12);

type Switch = (RelaySwitch, Option<oneshot::Sender<Result<(), CliError>>>);

/// Everything that runs.
struct Stage {
    folder: PathBuf,
    ports: Ports,
    relay: Option<Running<RelayEvent>>,
    first: Running<PersonEvent>,
    second: Running<PersonEvent>,
    agents: Running<AgentEvent>,
    agents_count: usize,
}

/// How the demo's play ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The time is over, or somebody interrupts: what happened is measured.
    Measured,
    /// The window was closed: there is nothing to tell.
    Closed,
}

/// Free ports, chosen once so that the relay comes back where it was.
#[derive(Clone, Copy, Debug)]
struct Ports {
    peer: u16,
    transport: u16,
    status: u16,
}

impl Ports {
    fn find() -> std::io::Result<Self> {
        // All are held until all are found, so that they differ.
        let udp = UdpSocket::bind("127.0.0.1:0")?;
        let (tcp, other) = (
            TcpListener::bind("127.0.0.1:0")?,
            TcpListener::bind("127.0.0.1:0")?,
        );
        Ok(Self {
            peer: udp.local_addr()?.port(),
            transport: tcp.local_addr()?.port(),
            status: other.local_addr()?.port(),
        })
    }
}

/// Runs the demo to its end, whatever ends it, and removes what it made.
///
/// # Errors
/// When a process cannot be started or ends too early.
pub(super) async fn run(demo: &Demo, config: &Config) -> Result<Report, CliError> {
    let failed = |action, path: &Path, source| CliError::File {
        action,
        path: path.to_owned(),
        source,
    };
    let mut folder = tempfile::Builder::new()
        .prefix("aramaki-demo-")
        .tempdir()
        .map_err(|source| failed("make", Path::new("a temporary folder"), source))?;
    folder.disable_cleanup(demo.keep);
    let wanted = !demo.headless && demo.screenshot.is_none();
    let window = wanted && has_display();
    if wanted && !window {
        say("there is no display: what happens is measured instead, as with --headless");
    }
    let report = course(demo, config, folder.path(), window).await;
    // The processes ended with `course`; only then can their folder go.
    if demo.keep {
        // Also when there is no report: a signal, a closed window, an error.
        say(&format!("kept in {}", folder.path().display()));
    } else {
        let path = folder.path().to_owned();
        folder.disable_cleanup(true);
        remove(&path)
            .await
            .map_err(|source| failed("remove", &path, source))?;
    }
    report
}

/// Removes the folder; a process that was killed a moment ago may still write in it.
async fn remove(folder: &Path) -> std::io::Result<()> {
    let limit = Instant::now() + REMOVE_TIME;
    loop {
        match tokio::fs::remove_dir_all(folder).await {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(_busy) if Instant::now() < limit => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            removed => return removed,
        }
    }
}

async fn course(
    demo: &Demo,
    config: &Config,
    folder: &Path,
    window: bool,
) -> Result<Report, CliError> {
    let mut stage = tokio::select! {
        stage = Stage::start(demo, folder, config, window) => stage?,
        () = interrupted() => return Ok(Report::default()),
    };
    let played = stage.play(demo, config, window).await;
    let outcome = match played {
        Ok(End::Measured) => tokio::select! {
            outcome = stage.measure(demo) => outcome.map(Some),
            () = interrupted() => Ok(None),
        },
        Ok(End::Closed) => Ok(None),
        Err(error) => Err(error),
    };
    stage.stop().await;
    let kept = demo.keep.then(|| folder.display().to_string());
    match outcome? {
        Some(outcome) => {
            let outcome = Outcome { kept, ..outcome };
            if outcome.converged() {
                Ok(outcome.report())
            } else {
                Err(CliError::Demo {
                    reason: format!("the replicas do not agree: {}", outcome.report().json),
                })
            }
        }
        None => Ok(Report::default()),
    }
}

impl Stage {
    #[expect(
        clippy::too_many_lines,
        reason = "one order of events, read from top to bottom"
    )]
    async fn start(
        demo: &Demo,
        folder: &Path,
        config: &Config,
        window: bool,
    ) -> Result<Self, CliError> {
        let ports = Ports::find().map_err(|error| CliError::Demo {
            reason: error.to_string(),
        })?;
        say("starting a relay, two people and agents on this machine …");
        let person = |name: &str, window: bool| {
            let data = folder.join(name);
            let mut arguments = vec!["--data".to_owned(), data.display().to_string()];
            arguments.extend(["--log".to_owned(), config.log.clone()]);
            arguments.extend(["--name".to_owned(), name.replace('-', " ")]);
            arguments.extend(window.then(|| "--window".to_owned()));
            Running::start("demo-person", arguments)
        };
        let mut first: Running<PersonEvent> = person("duty-operator", window)?;
        let mut second: Running<PersonEvent> = person("developer-on-call", false)?;
        let (relay, card) = start_relay(folder, ports, config).await?;
        let data = folder.join("agents").display().to_string();
        let log = config.log.clone();
        let mut agents: Running<AgentEvent> = Running::start(
            "demo-agent",
            vec!["--data".to_owned(), data, "--log".to_owned(), log],
        )?;
        for person in [&mut first, &mut second] {
            expect(person, START_TIME, |event| {
                matches!(event, PersonEvent::Ready).then_some(())
            })
            .await?;
        }
        let order = PersonOrder::Build {
            relay: card,
            export: folder.join("nightly-export"),
            relay_status: format!("127.0.0.1:{}", ports.status),
            marker: demo.marker.clone(),
        };
        first.order(&order).await?;
        let (invitations, seats, took_ms) = expect(&mut first, BUILD_TIME, |event| match event {
            PersonEvent::Built {
                invitations,
                agents,
                took_ms,
            } => Some((invitations, agents, took_ms)),
            _ => None,
        })
        .await?;
        say(&format!(
            "made {} Systems in {took_ms} ms; the second person joins …",
            invitations.len()
        ));
        second.order(&PersonOrder::Join { invitations }).await?;
        let spaces = expect(&mut second, BUILD_TIME, |event| match event {
            PersonEvent::Joined { spaces } => Some(spaces),
            _ => None,
        })
        .await?;
        let restored = restore_test(&folder.join("nightly-export"));
        std::fs::write(&restored, b"restored\n").map_err(|source| CliError::File {
            action: "write",
            path: restored,
            source,
        })?;
        second.order(&PersonOrder::Attend).await?;
        let agents_count = seats.len();
        agents.order(&AgentOrder::Start { seats }).await?;
        match agents.event(BUILD_TIME).await? {
            AgentEvent::Started { agents } => {
                say(&format!(
                    "{spaces} Spaces joined, {agents} agents observe this machine"
                ));
            }
            AgentEvent::Failed { reason } => return Err(CliError::Demo { reason }),
        }
        say(&format!(
            "`aramaki --data {}/duty-operator status` asks the first person's replica; \
             `aramaki demo relay stop` pulls the cable",
            folder.display()
        ));
        // From here on the window shows the switch.
        first.order(&PersonOrder::Relay { running: true }).await?;
        let folder = folder.to_owned();
        Ok(Self {
            folder,
            ports,
            relay: Some(relay),
            first,
            second,
            agents,
            agents_count,
        })
    }

    /// Lets it run until the time is over, the window is closed or somebody interrupts.
    async fn play(&mut self, demo: &Demo, config: &Config, window: bool) -> Result<End, CliError> {
        let cancel = CancellationToken::new();
        let _ended = cancel.clone().drop_guard();
        tokio::spawn(export(self.folder.join("nightly-export"), cancel.clone()));
        let (sender, mut switches) = mpsc::channel::<Switch>(8);
        serve(config, cancel.clone(), sender);
        self.first
            .order(&PersonOrder::Relay { running: true })
            .await?;
        let end = Instant::now() + demo.duration;
        let half = Instant::now() + demo.duration / 2;
        let mut written = false;
        let interrupted = interrupted();
        tokio::pin!(interrupted);
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(end), if !window => return Ok(End::Measured),
                () = &mut interrupted => {
                    return Ok(if window { End::Closed } else { End::Measured });
                }
                () = tokio::time::sleep_until(half), if !window && !written => {
                    written = true;
                    let text = "Written while the demo ran.\n".to_owned();
                    self.first.order(&PersonOrder::Write { text }).await?;
                }
                Some((order, answer)) = switches.recv() => {
                    let switched = self.switch(order, config).await;
                    if let Some(answer) = answer {
                        drop(answer.send(switched));
                    } else {
                        switched?;
                    }
                }
                event = self.first.events.recv() => match event {
                    Some(PersonEvent::RelayWanted { running }) => {
                        let order = if running { RelaySwitch::Start } else { RelaySwitch::Stop };
                        self.switch(order, config).await?;
                    }
                    Some(PersonEvent::Closed) => return Ok(End::Closed),
                    Some(PersonEvent::Failed { reason }) => return Err(CliError::Demo { reason }),
                    Some(_) => {}
                    None => return ended("the first person"),
                },
                event = self.second.events.recv() => match event {
                    Some(PersonEvent::Failed { reason }) => return Err(CliError::Demo { reason }),
                    Some(_) => {}
                    None => return ended("the second person"),
                },
                event = self.agents.events.recv() => match event {
                    Some(AgentEvent::Failed { reason }) => return Err(CliError::Demo { reason }),
                    Some(AgentEvent::Started { .. }) => {}
                    None => return ended("the agents' process"),
                },
            }
        }
    }

    async fn switch(&mut self, order: RelaySwitch, config: &Config) -> Result<(), CliError> {
        let running = order == RelaySwitch::Start;
        match (running, self.relay.take()) {
            (false, Some(relay)) => relay.stop().await,
            (true, None) => {
                self.relay = Some(start_relay(&self.folder, self.ports, config).await?.0);
            }
            (_, unchanged) => self.relay = unchanged,
        }
        self.first.order(&PersonOrder::Relay { running }).await
    }

    /// Waits until the people's replicas hold the same, and asks what they measured.
    async fn measure(&mut self, demo: &Demo) -> Result<Outcome, CliError> {
        // The picture first: it shows agents at work.
        if let Some(file) = &demo.screenshot {
            let file = std::path::absolute(file).unwrap_or_else(|_unknown| file.clone());
            self.first
                .order(&PersonOrder::Draw { file: file.clone() })
                .await?;
            let bytes = expect(&mut self.first, START_TIME, |event| match event {
                PersonEvent::Drawn { bytes } => Some(bytes),
                _ => None,
            })
            .await?;
            say(&format!("drew {} ({bytes} bytes)", file.display()));
        }
        // Nothing new is observed from here on, so that there is something to agree on.
        self.agents.hang_up();
        let limit = Instant::now() + AGREE_TIME;
        let (first, second) = loop {
            let first = figures(&mut self.first).await?;
            let second = figures(&mut self.second).await?;
            if same(&first, &second) || Instant::now() > limit {
                break (first, second);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        // Two people, the agents, and the relay.
        let replicas = 2 + self.agents_count + usize::from(self.relay.is_some());
        Ok(Outcome {
            replicas,
            first,
            second,
            kept: None,
        })
    }

    async fn stop(self) {
        let relay = async {
            if let Some(relay) = self.relay {
                relay.stop().await;
            }
        };
        tokio::join!(
            self.agents.stop(),
            self.second.stop(),
            self.first.stop(),
            relay
        );
    }
}

fn ended(what: &str) -> Result<End, CliError> {
    Err(CliError::Demo {
        reason: format!("{what} ended too early"),
    })
}

async fn figures(person: &mut Running<PersonEvent>) -> Result<Figures, CliError> {
    person.order(&PersonOrder::Report).await?;
    expect(person, START_TIME, |event| match event {
        PersonEvent::Figures(figures) => Some(figures),
        _ => None,
    })
    .await
}

/// Waits for one event and passes over others.
async fn expect<T>(
    person: &mut Running<PersonEvent>,
    limit: Duration,
    wanted: impl Fn(PersonEvent) -> Option<T>,
) -> Result<T, CliError> {
    let end = Instant::now() + limit;
    loop {
        match person
            .event(end.saturating_duration_since(Instant::now()))
            .await?
        {
            PersonEvent::Failed { reason } => return Err(CliError::Demo { reason }),
            PersonEvent::NoWindow { reason } => return Err(CliError::NoWindow { reason }),
            PersonEvent::Closed => {
                return Err(CliError::Demo {
                    reason: "the window was closed".to_owned(),
                });
            }
            event => {
                if let Some(found) = wanted(event) {
                    return Ok(found);
                }
            }
        }
    }
}

async fn start_relay(
    folder: &Path,
    ports: Ports,
    config: &Config,
) -> Result<(Running<RelayEvent>, RelayCard), CliError> {
    let arguments = [
        ("--data", folder.join("relay").display().to_string()),
        ("--log", config.log.clone()),
        ("--peer-port", ports.peer.to_string()),
        ("--transport-port", ports.transport.to_string()),
        ("--status-port", ports.status.to_string()),
    ];
    let arguments = arguments
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value]);
    let mut relay = Running::start("demo-relay", arguments.collect())?;
    match relay.event(START_TIME).await? {
        RelayEvent::Ready { relay: card } => Ok((relay, card)),
        RelayEvent::Failed { reason } => Err(CliError::Demo { reason }),
    }
}

/// Takes `aramaki demo relay stop|start` from other processes; a second demo does without.
fn serve(config: &Config, cancel: CancellationToken, switches: mpsc::Sender<Switch>) {
    let server = match Server::bind(&config.demo_socket) {
        Ok(server) => server,
        Err(error) => {
            tracing::warn!(%error, "`aramaki demo relay` will not reach this demo");
            return;
        }
    };
    tokio::spawn(server.run(cancel, move |call| {
        let switches = switches.clone();
        async move {
            let order = match call.arguments.get(1).map(String::as_str) {
                Some("stop") => RelaySwitch::Stop,
                _ => RelaySwitch::Start,
            };
            let (sender, answer) = oneshot::channel();
            let gone = || CliError::NoDemo.line();
            if switches.send((order, Some(sender))).await.is_err() {
                return Some(Answer::Failed(gone()));
            }
            Some(match answer.await {
                Ok(Ok(())) => Answer::Done(switched(order)),
                Ok(Err(error)) => Answer::Failed(error.line()),
                Err(_ended) => Answer::Failed(gone()),
            })
        }
    }));
}

/// Writes the nightly export in time for half of each period, and not for the other half.
async fn export(file: PathBuf, cancel: CancellationToken) {
    const WRITES: u32 = 6;
    let pause = EXPORT_PERIOD / (2 * WRITES);
    loop {
        for write in 0..2 * WRITES {
            if write < WRITES
                && let Err(error) = tokio::fs::write(&file, b"exported\n").await
            {
                tracing::warn!(%error, "the demo's export was not written");
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(target_os = "linux")) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// Progress for people; standard output is for the result alone.
fn say(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "demo: {text}"));
}
