//! `aramaki action`.

mod follow;
pub(super) mod operation;
mod request;
pub(super) mod words;

use std::time::Duration;

use aramaki_model::action::ActionPower;
use aramaki_sync_core::{EnvelopeId, SpaceId};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::report::Lines;
use super::{CliError, Report, local, parse_span, parts};
use crate::view::actions::Say;
use crate::workspace::{Allowance, Live};
use words::{
    agent_json, agent_text, duplicate_of, fault_of, request_head, request_json, request_text,
};

use follow::{Along, Outcome, Show, follow};

pub(crate) use request::Request;
pub(crate) use words::timeline_row;

/// Ask a host for one of the actions that its own files allow, and see what came of it.
///
/// Nothing is run that the host's administrator has not put into /etc/aramaki/actions.d there; whoever asks
/// needs a grant for just that action, and others approve unless the host says otherwise.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    List(List),
    Allow(Allow),
    Show(Show),
    Request(Request),
    Approve(Approve),
    Deny(Deny),
    #[command(hide = true)]
    Outcome(Outcome),
}

/// Say what the hosts of a System allow, what was asked lately, and what came of it.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Which System.
    system: String,
}

/// Let a device ask for actions of a host, or approve those of others.
///
/// A later `allow` for the same replaces it: give it for a minute to take it back.
#[derive(Debug, Args)]
pub(crate) struct Allow {
    /// Which System.
    system: String,
    /// The agent of the host, as the System calls it.
    agent: String,
    /// The device's key, or a unique prefix of at least 6 digits, as `aramaki trust list` shows it.
    device: String,
    /// The action's exact name; several times for several.
    #[arg(long = "action", value_name = "NAME", required = true)]
    actions: Vec<String>,
    /// What the device may do.
    #[arg(long = "can", value_enum, default_value_t = Power::Request)]
    can: Power,
    /// For how long: 30m, 8h, 3d.
    #[arg(long = "for", value_name = "SPAN", default_value = "24h", value_parser = parse_span)]
    span: Duration,
}

/// What a device may do about an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Power {
    /// Ask for it.
    Request,
    /// Approve what others ask for.
    Approve,
    /// Both; nobody approves what they asked for themselves.
    Both,
}

/// Agree to what somebody else asked for.
#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// Which System.
    system: String,
    /// The request, as `aramaki action list` shows it, or a unique prefix of at least 6 digits.
    request: String,
    #[command(flatten)]
    along: Along,
}

/// Object to what somebody asked for; one objection stops it. Who asked withdraws it so.
#[derive(Debug, Args)]
pub(crate) struct Deny {
    /// Which System.
    system: String,
    /// The request, as `aramaki action list` shows it, or a unique prefix of at least 6 digits.
    request: String,
}

impl Action {
    /// Whether it changes nothing.
    pub(crate) const fn looks(&self) -> bool {
        matches!(self, Self::Show(_) | Self::List(_) | Self::Outcome(_))
    }

    /// Does what was asked.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::List(verb) => verb.run(live).await,
            Self::Allow(verb) => verb.run(live).await,
            Self::Show(verb) => verb.run(live).await,
            Self::Request(verb) => verb.run(live).await,
            Self::Outcome(verb) => verb.run(live).await,
            Self::Approve(verb) => {
                let system = live.find(&verb.system)?;
                let row = live.answer_action(system, &verb.request, Say::Agree);
                let request = (system, row.await?.id);
                told(live, request, &verb.along, Lines::default()).await
            }
            Self::Deny(verb) => {
                let system = live.find(&verb.system)?;
                let row = live.answer_action(system, &verb.request, Say::Refuse);
                let row = row.await?;
                let mut text = Lines::default();
                request_text(&mut text, &row, "");
                text.add("It is not run: you objected.");
                Ok(Report::new(text.into_text(), &request_json(&row)))
            }
        }
    }
}

impl List {
    async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.system)?;
        let agents = live.actions(system).await?;
        let mut text = Lines::default();
        if agents.is_empty() {
            text.add("No agent observes this System: `aramaki agent invite` makes one.");
        }
        for agent in &agents {
            agent_text(&mut text, agent);
        }
        let agents: Vec<_> = agents.iter().map(agent_json).collect();
        Ok(Report::new(
            text.into_text(),
            &json!({"system": system.to_string(), "agents": agents}),
        ))
    }
}

impl Allow {
    async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.system)?;
        let powers: &[ActionPower] = match self.can {
            Power::Request => &[ActionPower::Request],
            Power::Approve => &[ActionPower::Approve],
            Power::Both => &[ActionPower::Request, ActionPower::Approve],
        };
        let allowance = Allowance {
            agent: &self.agent,
            device: &self.device,
            actions: &self.actions,
            powers,
            span: self.span,
        };
        let (who, end) = live.allow_action(system, &allowance).await?;
        let word = match self.can {
            Power::Request => "ask for",
            Power::Approve => "approve",
            Power::Both => "ask for and approve",
        };
        let actions = self.actions.join(", ");
        Ok(Report::new(
            format!(
                "{who} may {word} {actions} on {} until {}.",
                self.agent,
                local(end)
            ),
            &json!({"who": who, "actions": self.actions, "end": end.to_string()}),
        ))
    }
}

/// What comes of a request in a while, below what is said before. The request stands: from here on it is only looked
/// at, so whoever stays may have the workspace.
async fn told(
    live: &Live,
    request: (SpaceId, EnvelopeId),
    along: &Along,
    text: Lines,
) -> Result<Report, CliError> {
    parts::say_rest(Outcome::arguments(request, along)).await;
    came_of(live, request, along, text).await
}

async fn came_of(
    live: &Live,
    (system, request): (SpaceId, EnvelopeId),
    along: &Along,
    mut text: Lines,
) -> Result<Report, CliError> {
    let wait = along.span();
    let row = if along.follow {
        follow(live, (system, request), wait).await?
    } else {
        live.wait_for_action(system, request, wait).await?
    };
    let Some(row) = row else {
        return Err(CliError::Bug("a request vanished".to_owned()));
    };
    if along.follow {
        request_head(&mut text, &row, "");
    } else {
        request_text(&mut text, &row, "");
    }
    let mut object = request_json(&row);
    // Somebody else was first: what came of theirs is what whoever asked wants to know.
    if let Some(first) = duplicate_of(&row)
        && let Some(first) = live.wait_for_action(system, first, wait).await?
    {
        text.add(format_args!("It was run once, for {}:", first.who));
        request_text(&mut text, &first, "  ");
        if let Value::Object(fields) = &mut object {
            fields.insert("run_for".to_owned(), request_json(&first));
        }
        let report = Report::new(text.into_text(), &object);
        return Ok(report.but(&CliError::Duplicate {
            action: first.request.action.clone(),
            first: first.id,
            who: first.who.clone(),
            at: first.at,
            reason: first.request.reason.clone(),
        }));
    }
    let report = Report::new(text.into_text(), &object);
    Ok(match fault_of(&row) {
        Some(fault) => report.but(&fault),
        None => report,
    })
}
