//! `aramaki demo`: a relay, agents and two people on one machine, for real.

mod agent;
mod attend;
mod build;
mod children;
mod message;
mod observed;
mod organisation;
mod person;
mod relay;
mod report;
mod stage;
mod statistics;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::cli::{CliError, Config, Report, block_on, parse_span};
use crate::workspace::{Answer, Call, ask};

pub(crate) use agent::DemoAgent;
pub(crate) use person::DemoPerson;
pub(crate) use relay::DemoRelay;

/// Show everything on this machine: a relay, agents that observe it, two people's replicas.
///
/// Everything lives in a folder of its own and is gone afterwards. With a display the app opens
/// as the first person; press Stop relay, write a note, press Start relay.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Demo {
    /// Open no window: run for a while, then say what was measured.
    #[arg(long)]
    headless: bool,
    /// For how long, without a window.
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = parse_span)]
    duration: Duration,
    /// Plant this text in a note, to look for it in the relay's files.
    #[arg(long, value_name = "TEXT")]
    marker: Option<String>,
    /// Keep the folder and say where it is.
    #[arg(long)]
    keep: bool,
    /// Draw the overview to this PNG file; needs no display.
    #[arg(long, value_name = "FILE")]
    screenshot: Option<PathBuf>,
    #[command(subcommand)]
    control: Option<Control>,
}

/// Orders to the demo that runs.
#[derive(Clone, Copy, Debug, Subcommand)]
enum Control {
    /// Stop or start the relay of the demo that runs.
    Relay {
        /// What to do.
        order: RelaySwitch,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RelaySwitch {
    /// Stop it: people and agents work on alone.
    Stop,
    /// Start it again.
    Start,
}

impl RelaySwitch {
    const fn word(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
        }
    }
}

/// Runs the demo, or gives an order to the one that runs.
///
/// # Errors
/// When a process cannot be started, or ends too early.
pub(crate) fn run(demo: &Demo, config: &Config) -> Result<Report, CliError> {
    match demo.control {
        Some(Control::Relay { order }) => block_on(control(order, config))?,
        None => block_on(stage::run(demo, config))?,
    }
}

async fn control(order: RelaySwitch, config: &Config) -> Result<Report, CliError> {
    let socket = &config.demo_socket;
    let call = Call {
        arguments: vec!["relay".to_owned(), order.word().to_owned()],
        folder: PathBuf::new(),
        input: None,
    };
    match ask(socket, &call).await {
        Ok(Some(Answer::Done(report))) => Ok(report),
        Ok(Some(Answer::Failed(line))) => Err(line.into()),
        Ok(None) => Err(CliError::NoDemo),
        Err(source) => Err(CliError::File {
            action: "ask the demo at",
            path: socket.clone(),
            source,
        }),
    }
}

/// What the demo answers to an order.
fn switched(order: RelaySwitch) -> Report {
    let text = match order {
        RelaySwitch::Stop => "The relay is stopped.",
        RelaySwitch::Start => "The relay runs.",
    };
    Report::new(text, &json!({"relay_running": order == RelaySwitch::Start}))
}
