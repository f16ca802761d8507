//! Actions of a System as the window shows them, and a wish to run one.

use aramaki_model::action::{Outcome, TAIL_LEN_BYTES_MAX};
use aramaki_model::is_deceptive;
use aramaki_sync_core::SpaceId;

use super::actions::{AgentActions, RequestRow, Wanted};
use super::live::Live;
use super::values;
use crate::cli::CliError;
use crate::view::actions::{Again, Came, HostAction, Run, RunWish, SystemActions};

/// How much of an output is shown: its end, in lines.
const TAIL_LINES_MAX: usize = 12;
/// How many runs of each action are shown.
const RUNS_MAX: usize = 5;

impl Live {
    /// What can be run for a System, and who asked for it last.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn host_actions(&self, system: SpaceId) -> Result<SystemActions, CliError> {
        let agents = self.actions(system).await?;
        Ok(SystemActions {
            actions: agents.iter().flat_map(of_agent).collect(),
            values: values::by_check(&agents),
            proposed: values::proposed(&agents),
            ..SystemActions::new(system)
        })
    }

    /// Asks an agent to run something.
    ///
    /// # Errors
    /// When this device may not, or the same was just done and nobody confirmed it.
    pub(super) async fn run_wish(&self, wish: RunWish) -> Result<(), CliError> {
        let wanted = Wanted {
            agent: &wish.host,
            action: &wish.action,
            arguments: wish.arguments,
            reason: wish.reason.trim(),
            again: wish.again == Again::Confirmed,
        };
        self.request_action(wish.system, wanted).await.map(drop)
    }
}

fn of_agent(agent: &AgentActions) -> impl Iterator<Item = HostAction> {
    agent.actions.iter().map(|(name, described)| {
        let requests = agent.requests.iter();
        let runs = requests.filter(|row| row.request.action == *name);
        HostAction {
            host: agent.label.clone(),
            name: name.clone(),
            description: described.description.clone(),
            parameters: described.parameters.clone(),
            approvals: described.approvals,
            is_read_only: described.is_read_only,
            runs: runs.take(RUNS_MAX).map(run).collect(),
        }
    })
}

fn run(row: &RequestRow) -> Run {
    let came = match row.result.as_ref().map(|result| &result.outcome) {
        None if row.started.is_some() => Came::Runs,
        None => Came::Waits,
        Some(Outcome::Exit(0)) => Came::Done,
        Some(Outcome::Exit(code)) => Came::Failed(format!("exit {code}")),
        Some(Outcome::Signal(signal)) => Came::Failed(format!("signal {signal}")),
        Some(Outcome::TimedOut) => Came::Failed("time limit".to_owned()),
        Some(Outcome::Unknown) => Came::Failed("?".to_owned()),
        Some(Outcome::Refused(why)) => Came::Refused(why.to_string()),
    };
    let tail = row.result.as_ref().map(|result| result.tail.as_slice());
    Run {
        who: row.who.clone(),
        at: row.at,
        reason: row.request.reason.clone(),
        arguments: row.request.arguments.clone(),
        came,
        tail: shown(tail.unwrap_or_default()),
    }
}

/// The end of an output, harmless.
pub(super) fn shown(tail: &[u8]) -> String {
    let from = tail.len().saturating_sub(TAIL_LEN_BYTES_MAX);
    let text = String::from_utf8_lossy(tail.get(from..).unwrap_or_default());
    let lines: Vec<_> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES_MAX);
    let last = lines.get(from..).unwrap_or_default().join("\n");
    last.chars()
        .filter(|c| !is_deceptive(*c) || *c == '\n')
        .collect()
}
