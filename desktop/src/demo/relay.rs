//! The demo's relay: the real one, in a process of its own.

use aramaki_relay::{Config, RelayInfo, RelayOptions};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::children::{Parent, tell};
use super::message::{RelayCard, RelayEvent, RelayOrder};
use crate::cli::{CliError, Report};

/// Run the demo's relay.
#[derive(Debug, Args)]
pub(crate) struct DemoRelay {
    /// UDP, for peers.
    #[arg(long = "peer-port")]
    peer: u16,
    /// TCP, for peers that cannot reach each other.
    #[arg(long = "transport-port")]
    transport: u16,
    /// TCP, for health and metrics.
    #[arg(long = "status-port")]
    status: u16,
    /// Bytes that a Space may add in a day, for whoever looks what a quota does.
    #[arg(long = "space-bytes-per-day")]
    space_bytes_per_day: Option<u64>,
}

impl DemoRelay {
    /// Runs until the demo closes its input.
    pub(crate) async fn run(self, data: PathBuf) -> Result<Report, CliError> {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut config = Config::default();
        config.peer.bind = loopback(self.peer);
        config.transport.bind = loopback(self.transport);
        config.status.bind = loopback(self.status);
        if let Some(bytes) = self.space_bytes_per_day {
            config.quotas.space_bytes_per_day = bytes;
        }
        let options = RelayOptions {
            data,
            key: None,
            config,
        };
        let stop = CancellationToken::new();
        let mut parent = Parent::<RelayOrder>::listen()?;
        let stopper = stop.clone();
        tokio::spawn(async move {
            while parent.orders.recv().await.is_some() {}
            stopper.cancel();
        });
        let (sender, ready) = oneshot::channel();
        tokio::spawn(async move {
            if let Ok(info) = ready.await
                && let Err(error) = tell(&RelayEvent::Ready { relay: card(&info) })
            {
                tracing::warn!(error = error.message(), "the demo does not listen");
            }
        });
        if let Err(error) = Box::pin(aramaki_relay::run(options, stop, sender)).await {
            let reason = crate::workspace::with_causes(&error);
            tell(&RelayEvent::Failed {
                reason: reason.clone(),
            })?;
            return Err(CliError::Demo { reason });
        }
        Ok(Report::default())
    }
}

fn card(info: &RelayInfo) -> RelayCard {
    let addresses = info
        .addresses
        .iter()
        .chain(&info.transport)
        .cloned()
        .collect::<Vec<_>>();
    RelayCard {
        author: info.author.to_string(),
        address: format!("{}@{}", info.endpoint, addresses.join(",")),
    }
}
