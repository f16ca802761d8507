//! `aramaki follow`, hidden: takes in Systems into which this device was let by a key that works elsewhere.

use std::time::Duration;

use aramaki_sync_core::SpaceId;
use clap::Args;
use serde_json::json;
use tokio::time::Instant;

use super::{CliError, Config, Report, parse_span};
use crate::workspace::{Live, peer_address};

/// Take in Systems into which this device was let.
#[derive(Debug, Args)]
pub(crate) struct Follow {
    /// Their Spaces.
    spaces: Vec<SpaceId>,
    /// Who has them: KEY@IP:PORT or KEY@URL.
    #[arg(long = "relay", value_name = "ADDRESS")]
    relays: Vec<String>,
    /// How long to wait for all of them.
    #[arg(long, value_name = "SPAN", default_value = "20s", value_parser = parse_span)]
    wait: Duration,
}

impl Follow {
    /// As another verb of this program wants it.
    pub(crate) fn new(spaces: Vec<SpaceId>, relays: Vec<String>, wait: Duration) -> Self {
        Self {
            spaces,
            relays,
            wait,
        }
    }

    /// As it would be typed, for the running app.
    pub(crate) fn arguments(&self, config: &Config) -> Vec<String> {
        let mut arguments = vec![
            "aramaki".to_owned(),
            "--data".to_owned(),
            config.data.display().to_string(),
            "follow".to_owned(),
        ];
        arguments.extend(self.spaces.iter().map(ToString::to_string));
        for relay in &self.relays {
            arguments.extend(["--relay".to_owned(), relay.clone()]);
        }
        let wait = format!("{}s", self.wait.as_secs().max(1));
        arguments.extend(["--wait".to_owned(), wait]);
        arguments
    }

    /// Takes them in; says which did not come in time.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        for relay in &self.relays {
            live.replica().add_peer(peer_address(relay)?);
        }
        for space in &self.spaces {
            live.follow(*space).await?;
        }
        let end = Instant::now() + self.wait;
        let mut late = Vec::new();
        for space in &self.spaces {
            let left = end.saturating_duration_since(Instant::now());
            if live.let_in(*space, None, left).await.is_none() {
                late.push(space.to_string());
            }
        }
        let here = self.spaces.len() - late.len();
        Ok(Report::new(
            format!("{here} of {} are here.", self.spaces.len()),
            &json!({"late": late}),
        ))
    }
}
