//! One person of the demo: a replica like any other, which also measures what arrives.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aramaki_model::EntryId;
use aramaki_sync_core::{SpaceId, Timestamp};
use clap::Args;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::attend;
use super::build;
use super::children::{Parent, tell};
use super::message::{Figures, PersonEvent, PersonOrder};
use crate::cli::{CliError, Config, Network, Report, block_on};
use crate::workspace::{self, Arrival, Live};

/// How long a Space may take to arrive.
const JOIN_TIME: Duration = Duration::from_mins(1);
/// Measured arrivals that are kept.
const ARRIVALS_MAX: usize = 100_000;

/// Run one person of the demo.
#[derive(Debug, Args)]
pub(crate) struct DemoPerson {
    /// What others see.
    #[arg(long)]
    name: String,
    /// Open the app.
    #[arg(long)]
    window: bool,
}

impl DemoPerson {
    /// Runs until the demo closes its input or the window is closed.
    pub(crate) fn run(&self, config: &Config) -> Result<Report, CliError> {
        let mut config = config.clone();
        config.network = Network {
            bind: Some(std::net::SocketAddr::from(([127, 0, 0, 1], 0))),
            ..Network::default()
        };
        workspace::create(&config.data, &self.name, None, None)?;
        if self.window {
            let shown = workspace::open_demo_window(&config, serve_window);
            match &shown {
                Err(CliError::NoWindow { reason }) => tell(&PersonEvent::NoWindow {
                    reason: reason.clone(),
                })?,
                _ => tell(&PersonEvent::Closed)?,
            }
            return shown;
        }
        block_on(async {
            let live = Live::open(&config).await?;
            workspace::serve_verbs(&config, &live, CancellationToken::new());
            serve(&live).await?;
            live.close().await;
            Ok(Report::default())
        })?
    }
}

/// Serves the demo beside a window; tells it when the window is closed.
async fn serve_window(live: Live) -> Result<(), CliError> {
    serve(&live).await
}

/// Takes orders until the demo is gone.
async fn serve(live: &Live) -> Result<(), CliError> {
    let mut parent = Parent::<PersonOrder>::listen()?;
    let measured = Arc::new(Mutex::new(Measured::default()));
    tokio::spawn(measure(live.clone(), Arc::clone(&measured)));
    tell(&PersonEvent::Ready)?;
    let mut wanted = live.watch_wanted();
    loop {
        tokio::select! {
            order = parent.orders.recv() => {
                let Some(order) = order else { return Ok(()) };
                match take(live, order, &measured).await {
                    Ok(Some(event)) => tell(&event)?,
                    Ok(None) => {}
                    Err(error) => tell(&PersonEvent::Failed { reason: error.message() })?,
                }
            }
            Ok(()) = wanted.changed() => {
                let running = *wanted.borrow_and_update();
                if let Some(running) = running {
                    tell(&PersonEvent::RelayWanted { running })?;
                }
            }
        }
    }
}

async fn take(
    live: &Live,
    order: PersonOrder,
    measured: &Mutex<Measured>,
) -> Result<Option<PersonEvent>, CliError> {
    Ok(Some(match order {
        PersonOrder::Build {
            relay,
            export,
            relay_status,
            marker,
        } => {
            let begun = Instant::now();
            let made =
                build::build(live, &relay, &export, &relay_status, marker.as_deref()).await?;
            let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            PersonEvent::Built {
                invitations: made.invitations,
                agents: made.agents,
                took_ms,
            }
        }
        PersonOrder::Join { invitations } => PersonEvent::Joined {
            spaces: join(live, &invitations).await?,
        },
        PersonOrder::Write { text } => {
            let systems = live.systems();
            let Some(space) = systems.first() else {
                return Err(CliError::Demo {
                    reason: "there is no System yet".to_owned(),
                });
            };
            live.add_note(*space, "Written while the demo ran", &text)
                .await?;
            live.say(*space, "Wrote a note while the demo ran.").await?;
            PersonEvent::Wrote
        }
        PersonOrder::Attend => {
            tokio::spawn(attend::attend(live.clone()));
            return Ok(None);
        }
        PersonOrder::Relay { running } => {
            live.demo_relay(running);
            return Ok(None);
        }
        PersonOrder::Report => PersonEvent::Figures(figures(live, measured).await?),
        PersonOrder::Draw { file } => PersonEvent::Drawn {
            bytes: draw(live, file).await?,
        },
    }))
}

async fn join(live: &Live, invitations: &[String]) -> Result<usize, CliError> {
    let mut joining = Vec::new();
    for invitation in invitations {
        joining.push(live.join(invitation).await?);
    }
    let late = || CliError::NobodyAnswered {
        seconds: JOIN_TIME.as_secs(),
    };
    let mut count = 0;
    for space in joining {
        let joined = live.wait_for_system(space, JOIN_TIME).await?;
        let joined = joined.ok_or_else(late)?;
        if joined.agents_readable < joined.agents {
            return Err(late());
        }
        count += 1 + joined.agents;
    }
    Ok(count)
}

/// Draws the overview as it is now.
async fn draw(live: &Live, file: PathBuf) -> Result<usize, CliError> {
    let png = workspace::overview_png(live).await?;
    let bytes = png.len();
    std::fs::write(&file, png).map_err(|source| CliError::File {
        action: "write",
        path: file,
        source,
    })?;
    Ok(bytes)
}

/// What arrived, and when.
#[derive(Debug, Default)]
struct Measured {
    seen: BTreeSet<(SpaceId, EntryId)>,
    arrivals: Vec<(i64, i64)>,
    envelopes: Vec<(i64, i64)>,
}

impl Measured {
    /// Takes a batch that brought transitions which were not here before.
    fn take(&mut self, arrival: &Arrival, transitions: Vec<(SpaceId, EntryId, Timestamp)>) {
        let arrived = arrival.at.millis();
        let before = self.seen.len();
        for (space, id, made) in transitions {
            if self.arrivals.len() < ARRIVALS_MAX && self.seen.insert((space, id)) {
                self.arrivals.push((made.millis(), arrived));
            }
        }
        if self.seen.len() > before {
            self.envelopes.extend(
                arrival
                    .sealed
                    .iter()
                    .map(|sealed| (sealed.millis(), arrived)),
            );
        }
    }
}

/// Looks at every batch that arrives in an agent's Space.
async fn measure(live: Live, measured: Arc<Mutex<Measured>>) {
    let mut arrivals = live.arrivals();
    loop {
        match arrivals.recv().await {
            Ok(arrival) if live.is_system(arrival.space) => {}
            Ok(arrival) => {
                let transitions = workspace::transitions(&live.snapshot()).collect();
                lock(&measured).take(&arrival, transitions);
            }
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "arrivals were not measured");
            }
            Err(RecvError::Closed) => return,
        }
    }
}

fn lock(measured: &Mutex<Measured>) -> std::sync::MutexGuard<'_, Measured> {
    measured.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn figures(live: &Live, measured: &Mutex<Measured>) -> Result<Figures, CliError> {
    let held = live.held().await?;
    let measured = lock(measured);
    Ok(Figures {
        digest: held.digest,
        spaces: held.spaces,
        envelopes: held.envelopes,
        envelopes_received: held.envelopes_received,
        bytes_received: held.bytes_received,
        arrivals: measured.arrivals.clone(),
        envelope_arrivals: measured.envelopes.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transition_counts_once_from_when_it_was_made() {
        let at = Timestamp::from_millis;
        let space = SpaceId::from_bytes([1; 32]);
        let entry = EntryId::new(at(100), [0; 10]);
        let arrival = Arrival {
            space,
            at: at(130),
            sealed: vec![at(120)],
        };
        let mut measured = Measured::default();
        measured.take(&arrival, vec![(space, entry, at(100))]);
        measured.take(
            &Arrival {
                at: at(900),
                ..arrival
            },
            vec![(space, entry, at(100))],
        );
        assert_eq!(measured.arrivals, [(100, 130)]);
        assert_eq!(measured.envelopes, [(120, 130)]);
    }
}
