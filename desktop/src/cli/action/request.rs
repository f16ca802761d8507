//! `aramaki action request`: the last runs, a question on a terminal, the request, what came of it.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};

use clap::Args;
use serde_json::{Value, json};

use super::follow::Along;
use super::operation::Operation;
use super::words::{request_json, request_text, silent_agent_words};
use crate::cli::listen::find_alert;
use crate::cli::report::{Lines, printable};
use crate::cli::{CliError, Report, parts};
use crate::workspace::{Live, Wanted};
use aramaki_sync_core::{SpaceId, Timestamp};

/// Of so many runs of the same action whoever wants one more is told.
const RUNS_SHOWN: usize = 5;

/// Ask a host to run an action, once.
///
/// On a terminal the last runs are shown first, and it is asked for only when you say so. If somebody
/// else asked for the same at the same time it is run once, and both see what came of it. Exit code 1: the host
/// did not run it, it did not succeed, it lacks a value, or the same was just run; or its agent is silent, and how it
/// ended is not known when the time to answer is over. Whoever waits for less sees how it stands, with exit code 0:
/// a request is kept until its time is over, and that its host took it is known only when it begins.
#[derive(Clone, Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option that is typed or not"
)]
pub(crate) struct Request {
    #[command(flatten)]
    operation: Operation,
    /// Why: everybody who reads the System sees it.
    #[arg(long, required_unless_present = "dry_run")]
    reason: Option<String>,
    /// Run it although the same was run a moment ago.
    #[arg(long, conflicts_with = "dry_run")]
    again: bool,
    /// Ask for nothing: only say who had this action run lately, and what came of it.
    #[arg(long)]
    dry_run: bool,
    /// The alert for which it is done: its id, or a unique prefix of at least 4 digits; with 8 or more nobody is
    /// listened to first where something is missing. Its page says so, and the timeline.
    #[arg(long, value_name = "ID", conflicts_with = "dry_run")]
    alert: Option<String>,
    /// Do not ask on a terminal whether it is meant.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    #[command(flatten)]
    along: Along,
}

impl Request {
    /// The same as a look at the last runs, where somebody sits who can be asked.
    pub(crate) fn first_look(&self) -> Option<Self> {
        let is_asked = !self.yes && !self.dry_run;
        let somebody = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        (is_asked && somebody).then(|| Self {
            dry_run: true,
            again: false,
            alert: None,
            ..self.clone()
        })
    }

    /// As it would be typed, for the running app.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let words = ["aramaki", "action", "request", "--dry-run", "--"];
        let mut arguments: Vec<_> = words.map(str::to_owned).into();
        arguments.extend(
            [
                &self.operation.system,
                &self.operation.agent,
                &self.operation.action,
            ]
            .map(Clone::clone),
        );
        let values = self.operation.values.iter();
        arguments.extend(values.map(|(name, value)| format!("{name}={value}")));
        arguments
    }

    /// It was asked whether it is meant, and it is.
    pub(crate) const fn take_answer(&mut self) {
        self.yes = true;
    }

    /// Shows the last runs, and asks whether it is meant; the answer.
    pub(crate) fn confirm(&self, looked: &Report) -> Result<String, CliError> {
        let declined = || CliError::NotConfirmed {
            reason: "it was not asked for".to_owned(),
            hint: "answer y, or add --yes",
        };
        let mut out = std::io::stderr().lock();
        let question = format!(
            "Ask {} for {}? [y/N] ",
            self.operation.agent, self.operation.action
        );
        let asked = write!(out, "{}{}", printable(&looked.text), printable(&question));
        let asked = asked.and_then(|()| out.flush());
        asked.map_err(|_nobody_reads| declined())?;
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        let answer = answer.trim().to_ascii_lowercase();
        if read.is_ok() && matches!(answer.as_str(), "y" | "yes") {
            Ok(answer)
        } else {
            Err(declined())
        }
    }

    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.operation.system)?;
        let arguments = self.operation.arguments()?;
        if self.dry_run {
            return self.lately(live, system, &arguments).await;
        }
        let mut text = Lines::default();
        // Who was asked saw them before.
        if !self.yes {
            self.lately_text(live, system, &mut text).await?;
        }
        let alert = match self.alert.as_deref() {
            Some(alert) => Some(find_alert(live, alert).await?),
            None => None,
        };
        let wanted = Wanted {
            alert: alert.map(|alert| alert.id),
            agent: &self.operation.agent,
            action: &self.operation.action,
            arguments,
            reason: self.reason.as_deref().unwrap_or_default(),
            again: self.again,
        };
        if let Some((_since, words)) = self.silence(live, system)? {
            parts::say_waits(format!("{words}\n")).await;
        }
        let request = live.request_action(system, wanted).await?;
        super::told(live, (system, request), &self.along, text).await
    }

    /// Since when the agent is not heard of, if it is known to be silent, and how that is said.
    fn silence(
        &self,
        live: &Live,
        system: SpaceId,
    ) -> Result<Option<(Timestamp, String)>, CliError> {
        let agent = live.agent_named(system, &self.operation.agent)?;
        let since = live.unheard_since(system, agent);
        Ok(since.map(|since| (since, silent_agent_words(&self.operation.agent, since))))
    }

    /// The last runs of it, for somebody who thinks of one more.
    async fn lately(
        &self,
        live: &Live,
        system: SpaceId,
        arguments: &BTreeMap<String, String>,
    ) -> Result<Report, CliError> {
        // Without any value it is only asked who had it run.
        if !arguments.is_empty() {
            live.check_values(
                system,
                (&self.operation.agent, &self.operation.action),
                arguments,
            )
            .await?;
        }
        let mut text = Lines::default();
        let runs = self.lately_text(live, system, &mut text).await?;
        let silence = self.silence(live, system)?;
        let since = silence.map(|(since, words)| {
            text.add(words);
            since.to_string()
        });
        Ok(Report::new(
            text.into_text(),
            &json!({
                "action": self.operation.action,
                "asked": false,
                "agent_unheard_since": since,
                "runs": runs,
            }),
        ))
    }

    async fn lately_text(
        &self,
        live: &Live,
        system: SpaceId,
        text: &mut Lines,
    ) -> Result<Vec<Value>, CliError> {
        let runs = live
            .last_runs(
                system,
                &self.operation.agent,
                &self.operation.action,
                RUNS_SHOWN,
            )
            .await?;
        if runs.is_empty() {
            text.add("Nobody has asked for it so far.");
        } else {
            text.add("Last runs:");
        }
        for row in &runs {
            request_text(text, row, "  ");
        }
        Ok(runs.iter().map(request_json).collect())
    }
}
