//! Services for a program that stays: from the running app or notifier, or from the workspace itself.

use aramaki_model::service::{TargetGroup, Targets, targets};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::list::find;
use super::views;
use crate::cli::{CliError, Config};
use crate::workspace::{Answer, Call, Live, ask, serve_verbs};

/// Where targets come from.
pub(super) struct Source {
    config: Config,
    system: Option<String>,
    /// The workspace, if nobody else has it.
    own: Option<(Live, CancellationToken)>,
}

impl Source {
    pub(super) fn new(config: &Config, system: Option<String>) -> Self {
        Self {
            config: config.clone(),
            system,
            own: None,
        }
    }

    /// What is believed now.
    ///
    /// # Errors
    /// When the System is not known, or the workspace does not open.
    pub(super) async fn targets(&mut self) -> Result<Targets, CliError> {
        if let Some((live, _)) = &self.own {
            return Ok(targets(&views(live, find(live, self.system.as_deref())?)));
        }
        if let Some(targets) = self.asked().await? {
            return Ok(targets);
        }
        let live = Live::open_soon(&self.config).await?;
        let stop = CancellationToken::new();
        serve_verbs(&self.config, &live, stop.clone());
        self.own = Some((live.clone(), stop));
        Ok(targets(&views(&live, find(&live, self.system.as_deref())?)))
    }

    /// What the process says that has the workspace; none when there is none.
    async fn asked(&self) -> Result<Option<Targets>, CliError> {
        let mut arguments = ["aramaki", "service", "export", "--json"]
            .map(str::to_owned)
            .to_vec();
        arguments.extend(self.system.iter().cloned());
        let call = Call {
            arguments,
            folder: std::path::PathBuf::new(),
            input: None,
        };
        let answered = ask(&self.config.socket, &call).await;
        match answered.map_err(|source| CliError::File {
            action: "ask the app at",
            path: self.config.socket.clone(),
            source,
        })? {
            Some(Answer::Done(report)) => read(&report.json).map(Some),
            Some(Answer::Failed(line)) => Err(line.into()),
            None => Ok(None),
        }
    }

    pub(super) async fn close(self) {
        if let Some((live, stop)) = self.own {
            stop.cancel();
            live.close().await;
        }
    }
}

fn read(json: &Value) -> Result<Targets, CliError> {
    let groups: Vec<TargetGroup> =
        serde_json::from_value(json.get("targets").cloned().unwrap_or_default())
            .map_err(|error| CliError::Bug(error.to_string()))?;
    let number = |name: &str| {
        let number = json.get(name).and_then(Value::as_u64);
        usize::try_from(number.unwrap_or(0)).unwrap_or(usize::MAX)
    };
    Ok(Targets {
        groups,
        stale: number("stale"),
        conflicts: number("conflicts"),
    })
}
