//! `aramaki action`.

use std::collections::BTreeMap;
use std::time::Duration;

use aramaki_model::action::{ActionPower, Outcome, ParameterKind, RefusedFor};
use aramaki_model::maintenance::request::{EXIT_POSTPONE, EXIT_RETRY};
use aramaki_sync_core::{EnvelopeId, SpaceId};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::report::{Lines, count};
use super::{CliError, Report, local, parse_span};
use crate::workspace::{AgentActions, Allowance, Live, RequestRow, TimelineRow, Wanted};

/// Ask a host for one of the actions that its own files allow, and see what came of it.
///
/// Nothing is run that the host's administrator has not put into /etc/aramaki/actions.d there; whoever asks
/// needs a grant for just that action, and others approve unless the host says otherwise.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    List(List),
    Allow(Allow),
    Request(Request),
    Approve(Approve),
    Deny(Deny),
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

/// Of so many runs of the same action whoever wants one more is told.
const RUNS_SHOWN: usize = 5;

/// Ask a host to run an action, once.
///
/// If somebody else asked for the same at the same time it is run once, and both see what came of it.
#[derive(Debug, Args)]
pub(crate) struct Request {
    /// Which System.
    system: String,
    /// The agent of the host, as the System calls it.
    agent: String,
    /// The action's exact name.
    action: String,
    /// Values: NAME=VALUE.
    #[arg(value_parser = parse_value)]
    values: Vec<(String, String)>,
    /// Why: everybody who reads the System sees it.
    #[arg(long, required_unless_present = "dry_run")]
    reason: Option<String>,
    /// Run it although the same was run a moment ago.
    #[arg(long, conflicts_with = "dry_run")]
    again: bool,
    /// Ask for nothing: only say who had this action run lately, and what came of it.
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for what comes of it; it goes on without waiting too.
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = parse_span)]
    wait: Duration,
}

/// Agree to what somebody else asked for.
#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// Which System.
    system: String,
    /// The request, as `aramaki action list` shows it, or a unique prefix of at least 6 digits.
    request: String,
    /// How long to wait for what comes of it.
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = parse_span)]
    wait: Duration,
}

/// Object to what somebody asked for; one objection stops it. Who asked withdraws it so.
#[derive(Debug, Args)]
pub(crate) struct Deny {
    /// Which System.
    system: String,
    /// The request, as `aramaki action list` shows it, or a unique prefix of at least 6 digits.
    request: String,
}

pub(super) fn parse_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is no value: NAME=VALUE is expected"))?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Action {
    /// Does what was asked.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::List(verb) => verb.run(live).await,
            Self::Allow(verb) => verb.run(live).await,
            Self::Request(verb) => verb.run(live).await,
            Self::Approve(verb) => {
                let system = live.find(&verb.system)?;
                let row = live.answer_action(system, &verb.request, true).await?;
                told(live, system, row.id, verb.wait).await
            }
            Self::Deny(verb) => {
                let system = live.find(&verb.system)?;
                let row = live.answer_action(system, &verb.request, false).await?;
                told(live, system, row.id, Duration::ZERO).await
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

impl Request {
    async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.system)?;
        if self.dry_run {
            return self.lately(live, system).await;
        }
        let mut arguments = BTreeMap::new();
        for (name, value) in &self.values {
            if arguments.insert(name.clone(), value.clone()).is_some() {
                return Err(CliError::Usage(format!("{name} is given twice")));
            }
        }
        let wanted = Wanted {
            agent: &self.agent,
            action: &self.action,
            arguments,
            reason: self.reason.as_deref().unwrap_or_default(),
            again: self.again,
        };
        let request = live.request_action(system, wanted).await?;
        told(live, system, request, self.wait).await
    }

    /// The last runs of it, for somebody who thinks of one more.
    async fn lately(&self, live: &Live, system: SpaceId) -> Result<Report, CliError> {
        let runs = live
            .last_runs(system, &self.agent, &self.action, RUNS_SHOWN)
            .await?;
        let mut text = Lines::default();
        if runs.is_empty() {
            text.add("Nobody has asked for it so far.");
        }
        for row in &runs {
            request_text(&mut text, row, "");
        }
        let runs: Vec<_> = runs.iter().map(request_json).collect();
        Ok(Report::new(
            text.into_text(),
            &json!({"action": self.action, "asked": false, "runs": runs}),
        ))
    }
}

/// What comes of a request in a while.
async fn told(
    live: &Live,
    system: SpaceId,
    request: EnvelopeId,
    wait: Duration,
) -> Result<Report, CliError> {
    let row = live.wait_for_action(system, request, wait).await?;
    let Some(row) = row else {
        return Err(CliError::Bug("a request vanished".to_owned()));
    };
    let mut text = Lines::default();
    request_text(&mut text, &row, "");
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
    }
    Ok(Report::new(text.into_text(), &object))
}

/// The request because of which this one was not run.
fn duplicate_of(row: &RequestRow) -> Option<EnvelopeId> {
    match row.result.as_ref()?.outcome {
        Outcome::Refused(RefusedFor::DuplicateOf(first)) => Some(first),
        _ => None,
    }
}

fn agent_text(text: &mut Lines, agent: &AgentActions) {
    text.add(format_args!("{}:", agent.label));
    if agent.actions.is_empty() {
        text.add("  its host has told of no actions");
    }
    for (name, action) in &agent.actions {
        let takes: Vec<_> = action
            .parameters
            .iter()
            .map(|it| format!("{}={}", it.name, kind_words(&it.kind)))
            .collect();
        let approvals = match action.approvals {
            0 => String::new(),
            1 => "; needs 1 approval".to_owned(),
            more => format!("; needs {more} approvals"),
        };
        text.add(format_args!(
            "  {name} {}  {}{approvals}",
            takes.join(" "),
            action.description
        ));
    }
    for row in &agent.requests {
        request_text(text, row, "  ");
    }
}

fn kind_words(kind: &ParameterKind) -> String {
    match kind {
        ParameterKind::Choice(choice) => choice.join("|"),
        ParameterKind::Integer { min, max } => format!("{min}..{max}"),
        ParameterKind::Text { pattern, .. } => format!("/{pattern}/"),
    }
}

pub(super) fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Exit(0) => "done".to_owned(),
        Outcome::Exit(code) => format!("failed with code {code}"),
        Outcome::Signal(signal) => format!("ended by signal {signal}"),
        Outcome::TimedOut => "took too long and was killed".to_owned(),
        Outcome::Refused(why) => format!("not run: {why}"),
        Outcome::Unknown => {
            "begun, and the agent ended before it knew how; it is not run again".to_owned()
        }
    }
}

/// What came of it; in a maintenance window two codes have a meaning of their own.
fn came_words(row: &RequestRow, outcome: &Outcome) -> String {
    match (row.maintenance, outcome) {
        (Some(_), Outcome::Exit(EXIT_POSTPONE)) => "postponed to the next window".to_owned(),
        (Some(_), Outcome::Exit(EXIT_RETRY)) => {
            "not done, and not tried again in this window".to_owned()
        }
        (_, outcome) => outcome_words(outcome),
    }
}

fn state_words(row: &RequestRow) -> String {
    match (&row.result, row.started) {
        (Some(result), _) => format!(
            "{} {}",
            came_words(row, &result.outcome),
            local(result.ended)
        ),
        (None, Some(_)) if row.waits_for_attempt().is_some() => format!(
            "tried {}, again {}",
            count(usize::try_from(row.starts).unwrap_or(usize::MAX), "time"),
            local(row.waits_for_attempt().unwrap_or_default())
        ),
        (None, Some(at)) => format!("runs since {}", local(at)),
        (None, None) if row.maintenance.is_some() => format!(
            "in the maintenance window from {} to {}",
            local(row.request.not_before),
            local(row.request.end)
        ),
        (None, None) => format!("waits until {}", local(row.request.end)),
    }
}

/// A request as an entry of its System's timeline: at the time at which it was run, if it was.
pub(crate) fn timeline_row(live: &Live, system: SpaceId, row: &RequestRow) -> TimelineRow {
    let values = row.request.arguments.iter();
    let values: Vec<_> = values
        .map(|(name, value)| format!(" {name}={value}"))
        .collect();
    let came = match (&row.result, row.started) {
        (Some(result), _) => came_words(row, &result.outcome),
        (None, Some(_)) if row.waits_for_attempt().is_some() => "is tried again".to_owned(),
        (None, Some(_)) => "runs".to_owned(),
        (None, None) => format!("asked for, waits until {}", local(row.request.end)),
    };
    TimelineRow {
        at: row.started.unwrap_or(row.at),
        system,
        title: live.title(system).unwrap_or_else(|| system.short()),
        kind: "action",
        severity: None,
        text: format!(
            "{}{}: {came}; {}",
            row.request.action,
            values.concat(),
            row.request.reason
        ),
        who: row.who.clone(),
    }
}

fn request_text(text: &mut Lines, row: &RequestRow, indent: &str) {
    let values: Vec<_> = row
        .request
        .arguments
        .iter()
        .map(|(name, value)| format!(" {name}={value}"))
        .collect();
    text.add(format_args!(
        "{indent}{}  {}{}  {}  {}: {}",
        row.id.to_string().get(..12).unwrap_or_default(),
        row.request.action,
        values.concat(),
        local(row.at),
        row.who,
        row.request.reason
    ));
    for (who, agrees) in &row.said {
        let word = if *agrees { "agrees" } else { "objects" };
        text.add(format_args!("{indent}  {who} {word}"));
    }
    text.add(format_args!("{indent}  {}", state_words(row)));
    let tail = row.result.as_ref().map(|it| it.tail.as_slice());
    for line in String::from_utf8_lossy(tail.unwrap_or_default()).lines() {
        text.add(format_args!("{indent}  | {line}"));
    }
}

fn agent_json(agent: &AgentActions) -> Value {
    let actions = agent.actions.iter().map(|(name, action)| {
        json!({
            "name": name,
            "description": action.description,
            "definition": data_encoding::HEXLOWER.encode(&action.definition),
            "parameters": action.parameters.iter().map(|it| json!({
                "name": it.name,
                "takes": kind_words(&it.kind),
                "default": it.default,
            })).collect::<Vec<_>>(),
            "approvals": action.approvals,
            "read_only": action.is_read_only,
        })
    });
    json!({
        "agent": agent.agent.to_string(),
        "label": agent.label,
        "actions": actions.collect::<Vec<_>>(),
        "requests": agent.requests.iter().map(request_json).collect::<Vec<_>>(),
    })
}

pub(super) fn request_json(row: &RequestRow) -> Value {
    let result = row.result.as_ref().map(|it| {
        json!({
            "outcome": outcome_word(&it.outcome),
            "text": outcome_words(&it.outcome),
            "exit": match it.outcome { Outcome::Exit(code) => Some(code), _ => None },
            "began": it.began.to_string(),
            "ended": it.ended.to_string(),
            "output": String::from_utf8_lossy(&it.tail),
            "output_bytes": it.len_bytes,
        })
    });
    json!({
        "request": row.id.to_string(),
        "action": row.request.action,
        "arguments": row.request.arguments,
        "by": row.who,
        "at": row.at.to_string(),
        "not_before": row.request.not_before.to_string(),
        "end": row.request.end.to_string(),
        "maintenance": row.maintenance.map(|item| item.to_string()),
        "starts": row.starts,
        "reason": row.request.reason,
        "said": row.said.iter().map(|(who, agrees)| json!({"who": who, "agrees": agrees})).collect::<Vec<_>>(),
        "started": row.started.map(|at| at.to_string()),
        "result": result,
    })
}

const fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Exit(_) => "exit",
        Outcome::Signal(_) => "signal",
        Outcome::TimedOut => "timeout",
        Outcome::Refused(_) => "refused",
        Outcome::Unknown => "unknown",
    }
}
