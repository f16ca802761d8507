//! `aramaki relay`.

use clap::{Args, Subcommand};
use serde_json::json;

use super::report::count;
use super::{CliError, Report};
use crate::workspace::{Live, relay_address};

/// Let relays store and forward Systems, which they cannot read.
#[derive(Debug, Subcommand)]
pub(crate) enum Relay {
    Add(Add),
}

/// Add a relay to one System and its agents, or to all that you administer.
///
/// `aramaki-relay id` prints its key and address. A System that is made later is kept by the relays
/// that keep all others.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The relay's author key.
    author: String,
    /// Its endpoint key and where it answers: KEY@IP:PORT or KEY@URL, several with commas.
    address: String,
    /// Only for this System and its agents.
    #[arg(long, value_name = "SYSTEM")]
    system: Option<String>,
}

impl Relay {
    /// Does what was asked.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let Self::Add(add) = self;
        let relay = relay_address(&add.author, &add.address)?;
        let mut spaces = live.administered().await;
        if let Some(system) = &add.system {
            let system = live.find(system)?;
            let agents = live.agents_of(system);
            spaces.retain(|space| *space == system || agents.contains(space));
        }
        for space in &spaces {
            live.add_relay(*space, relay.clone()).await?;
        }
        Ok(Report::new(
            format!(
                "Added the relay {} to {}.",
                relay.author.short(),
                count(spaces.len(), "Space")
            ),
            &json!({
                "relay": relay.author.to_string(),
                "spaces": spaces.iter().map(ToString::to_string).collect::<Vec<_>>(),
            }),
        ))
    }
}
