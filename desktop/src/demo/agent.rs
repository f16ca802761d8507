//! The demo's agents: real ones, several in one process, all observing this machine.

use std::path::PathBuf;

use aramaki_agent::AgentOptions;
use aramaki_agent::config::Config;
use clap::Args;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::children::{Parent, tell};
use super::message::{AgentEvent, AgentOrder, AgentSeat};
use crate::cli::{CliError, Report};
use crate::workspace::with_causes;

/// Run the demo's agents.
#[derive(Debug, Args)]
pub(crate) struct DemoAgent {}

impl DemoAgent {
    /// Runs until the demo closes its input.
    pub(crate) async fn run(self, data: PathBuf) -> Result<Report, CliError> {
        let mut parent = Parent::<AgentOrder>::listen()?;
        let stop = CancellationToken::new();
        let mut agents = JoinSet::new();
        loop {
            tokio::select! {
                order = parent.orders.recv() => match order {
                    Some(AgentOrder::Start { seats }) => {
                        let count = seats.len();
                        for seat in seats {
                            agents.spawn(aramaki_agent::run(options(&data, seat), stop.clone()));
                        }
                        tell(&AgentEvent::Started { agents: count })?;
                    }
                    None => break,
                },
                Some(ended) = agents.join_next() => {
                    let reason = match ended {
                        Ok(Ok(())) => "an agent stopped by itself".to_owned(),
                        Ok(Err(error)) => with_causes(&error),
                        Err(error) => error.to_string(),
                    };
                    tell(&AgentEvent::Failed { reason })?;
                }
            }
        }
        stop.cancel();
        while let Some(ended) = agents.join_next().await {
            if let Ok(Err(error)) = ended {
                tracing::warn!(
                    error = with_causes(&error),
                    "an agent did not stop in good order"
                );
            }
        }
        Ok(Report::default())
    }
}

fn options(data: &std::path::Path, seat: AgentSeat) -> AgentOptions {
    let mut config = Config::default();
    config.network.listen = vec![std::net::SocketAddr::from(([127, 0, 0, 1], 0))];
    let mut options = AgentOptions::new(data.join(&seat.system), config);
    options.invitation = Some(seat.invitation);
    options
}
