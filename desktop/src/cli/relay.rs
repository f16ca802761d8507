//! `aramaki relay`.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use super::report::{Lines, count};
use super::{CliError, Report};
use crate::workspace::{Live, relay_address};

/// How long a relay may take to answer before it is said that it does not.
const ANSWER_TIME: Duration = Duration::from_secs(3);

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
        if spaces.is_empty() {
            let of = add.system.as_deref().unwrap_or("any System");
            return Err(CliError::Refused {
                what: "the relay",
                reason: format!(
                    "this device does not administer {of}, and only who administers a System says where it is \
                     kept: make one first, or ask for that power"
                ),
            });
        }
        for space in &spaces {
            live.add_relay(*space, relay.clone()).await?;
        }
        let answers = live.relay_answers(&relay, ANSWER_TIME).await;
        let mut text = Lines::default();
        text.add(format_args!(
            "Added the relay {} to {}.",
            relay.author.short(),
            count(spaces.len(), "Space")
        ));
        match answers {
            Some(author) if author == relay.author => {}
            Some(other) => text.add(format_args!(
                "Warning: at {} answers {}, another one: compare AUTHOR with `aramaki-relay id`.",
                add.address,
                other.short()
            )),
            None => text.add(format_args!(
                "Nobody answers at {} yet: what is written waits on this disk until the relay does.",
                add.address
            )),
        }
        Ok(Report::new(
            text.into_text(),
            &json!({
                "relay": relay.author.to_string(),
                "reached": answers == Some(relay.author),
                "spaces": spaces.iter().map(ToString::to_string).collect::<Vec<_>>(),
            }),
        ))
    }
}
