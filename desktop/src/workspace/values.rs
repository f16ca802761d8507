//! Asks hosts what a check measured, and puts their answers together.

use std::collections::BTreeMap;

use aramaki_model::Check;
use aramaki_sync_core::SpaceId;

use super::SystemChange;
use super::actions::{AgentActions, Wanted};
use super::deeds::Undo;
use super::live::Live;
use super::recall::Told;
use crate::cli::CliError;
use crate::view::asked::{
    Asked, CHECK_PARAMETER, DISCOVER_ACTION, Proposed, SERIES_ACTION, Values,
};

/// Hosts of one System that are asked at once.
const HOSTS_ASKED_MAX: usize = 8;

/// What was told, as the window shows it.
fn asked<T>(agent: &AgentActions, told: &Told<T>) -> Asked<T> {
    Asked {
        agent: agent.agent,
        host: agent.label.clone(),
        at: told.at,
        came: told.came.clone(),
        last: told.last.clone(),
    }
}

/// What checks measured, by their names, host by host.
pub(super) fn by_check(agents: &[AgentActions]) -> BTreeMap<String, Vec<Values>> {
    let mut values: BTreeMap<String, Vec<Values>> = BTreeMap::new();
    for agent in agents {
        for (check, told) in agent.values.iter() {
            let hosts = values.entry(check.clone()).or_default();
            hosts.push(asked(agent, told));
        }
    }
    values
}

/// What could be looked at, host by host.
pub(super) fn proposed(agents: &[AgentActions]) -> Vec<Proposed> {
    let told = agents.iter();
    let told = told.filter_map(|agent| Some(asked(agent, agent.proposed.as_ref()?)));
    told.collect()
}

impl Live {
    /// Asks every host of a System that lets be asked what could be looked at.
    ///
    /// # Errors
    /// When none does, or this device may ask none of them.
    pub(super) async fn ask_proposals(&self, system: SpaceId) -> Result<(), CliError> {
        let action = (DISCOVER_ACTION, BTreeMap::new());
        self.ask_hosts(system, action, "what could be checked")
            .await
    }

    /// Looks at what was proposed.
    ///
    /// # Errors
    /// When this device may not, agents have no room for it, or it cannot be stored.
    pub(super) async fn accept_proposals(
        &self,
        system: SpaceId,
        checks: Vec<Check>,
    ) -> Result<Vec<Undo>, CliError> {
        let ids = checks.iter().map(|check| check.id).collect();
        self.edit_system(system, vec![SystemChange::Checks(checks)])
            .await?;
        Ok(vec![Undo::Checks(system, ids)])
    }

    /// Has what was proposed not proposed again.
    ///
    /// # Errors
    /// When this device may not, or it cannot be stored.
    pub(super) async fn ignore_proposals(
        &self,
        system: SpaceId,
        checks: Vec<Check>,
    ) -> Result<Vec<Undo>, CliError> {
        let ids = checks.iter().map(|check| check.id).collect();
        let named = checks.into_iter().map(|check| (check.id, check.name));
        self.edit_system(system, vec![SystemChange::Ignore(named.collect())])
            .await?;
        Ok(vec![Undo::Ignored(system, ids)])
    }

    /// Asks every host of a System that lets be asked what a check measured.
    ///
    /// # Errors
    /// When none does, or this device may ask none of them.
    pub(super) async fn ask_values(&self, system: SpaceId, check: &str) -> Result<(), CliError> {
        let arguments = BTreeMap::from([(CHECK_PARAMETER.to_owned(), check.to_owned())]);
        let reason = format!("what {check} measured");
        self.ask_hosts(system, (SERIES_ACTION, arguments), &reason)
            .await
    }

    async fn ask_hosts(
        &self,
        system: SpaceId,
        (action, arguments): (&str, BTreeMap<String, String>),
        reason: &str,
    ) -> Result<(), CliError> {
        let agents = self.actions(system).await?.into_iter();
        let mut asked = Err(CliError::Refused {
            what: "the question",
            reason: format!("no host of this System allows the action `{action}`"),
        });
        let tell = agents.filter(|agent| {
            let described = agent.actions.get(action);
            described.is_some_and(|it| it.is_read_only && it.approvals == 0)
        });
        for agent in tell.take(HOSTS_ASKED_MAX) {
            let id = agent.agent.to_string();
            let wanted = Wanted {
                agent: &id,
                action,
                arguments: arguments.clone(),
                reason,
                // Looking twice does no harm.
                again: true,
                alert: None,
            };
            let sent = self.request_action(system, wanted).await.map(drop);
            // One that may be asked is enough.
            asked = if asked.is_ok() { asked } else { sent };
        }
        asked
    }
}
