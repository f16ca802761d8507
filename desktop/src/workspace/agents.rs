//! Agents of Systems as people manage them, and checks that nobody looks at any more.

use std::sync::Arc;

use aramaki_model::observer::observed_check;
use aramaki_model::snapshot::AgentView;
use aramaki_model::{Alert, Check, CheckId, CheckKind, Snapshot, SystemView};
use aramaki_sync::replica::Keep;
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, SpaceId};

use super::change::SystemChange;
use super::fresh;
use super::live::Live;
use super::reason::EndReason;
use super::roster::is_over;
use crate::cli::CliError;

/// Grants of one agent that are ended in one Space; no agent has so many.
const GRANTS_MAX: usize = 32;

/// An agent with the System at which it looks.
#[derive(Clone, Debug)]
pub(crate) struct AgentOf {
    pub(crate) system: SpaceId,
    pub(crate) title: String,
    pub(crate) agent: AgentView,
}

/// What removing an agent would do.
#[derive(Clone, Debug)]
pub(crate) struct AgentLeaving {
    pub(crate) agent: SpaceId,
    pub(crate) name: String,
    /// The Systems at which it looks.
    pub(crate) systems: Vec<(SpaceId, String)>,
    /// Whether it ever joined.
    pub(crate) has_joined: bool,
    /// Checks that nobody else looks at then.
    pub(crate) unseen: Vec<String>,
    /// Whether this device may end its access.
    pub(crate) may_end: bool,
}

/// What removing a check would do.
#[derive(Clone, Debug)]
pub(crate) struct CheckLeaving {
    pub(crate) check: CheckId,
    pub(crate) name: String,
    /// Alerts that are closed by it, with what they say.
    pub(crate) alerts: Vec<(String, String)>,
    /// Reasons of silences that are of this check alone, and mute nothing then.
    pub(crate) silences: Vec<String>,
}

impl Live {
    /// Every agent here, by System.
    pub(crate) fn agents_with_systems(&self, wanted: Option<SpaceId>) -> Vec<AgentOf> {
        let snapshot = self.snapshot();
        let systems = snapshot.systems.iter();
        let systems = systems.filter(|system| wanted.is_none_or(|it| it == system.space));
        let of = |system: &SystemView| {
            let agents = system.agents.iter().map(|agent| AgentOf {
                system: system.space,
                title: system.title.clone(),
                agent: agent.clone(),
            });
            agents.collect::<Vec<_>>()
        };
        systems.flat_map(|system| of(system)).collect()
    }

    /// What removing an agent would do.
    ///
    /// # Errors
    /// When the store refuses.
    pub(crate) async fn agent_leaving(
        &self,
        system: SpaceId,
        agent: SpaceId,
    ) -> Result<AgentLeaving, CliError> {
        let snapshot = self.snapshot();
        let systems = self.systems_of(agent).into_iter().map(|space| {
            let title = self.title(space).unwrap_or_else(|| space.short());
            (space, title)
        });
        let view = snapshot.system(&system);
        let mut agents = view.into_iter().flat_map(|view| &view.agents);
        let name = agents
            .find(|it| it.space == agent)
            .map_or_else(|| agent.short(), |it| it.label.clone());
        let is_last = view.is_some_and(|view| view.agents.len() == 1);
        let own = view.into_iter().flat_map(|view| &view.checks);
        let own = own.filter(|check| check.seen_from.is_empty());
        let others = view.into_iter().flat_map(|view| &view.for_others);
        let checks = own.chain(others.map(|other| &other.view));
        let unseen = checks.filter(|view| is_last && view.check.enabled);
        Ok(AgentLeaving {
            agent,
            name,
            systems: systems.collect(),
            has_joined: !self.writers(agent).await?.is_empty(),
            unseen: unseen.map(|view| view.check.name.clone()).collect(),
            may_end: self.administered().await.contains(&agent),
        })
    }

    /// Who writes into an agent's Space as the agent.
    async fn writers(&self, agent: SpaceId) -> Result<Vec<AuthorId>, CliError> {
        let members = self.members_of(agent).await?;
        let writers = members
            .iter()
            .filter(|it| it.capability == Capability::Write && !it.is_invitation());
        Ok(writers.map(|it| it.author).collect())
    }

    async fn members_of(&self, space: SpaceId) -> Result<Vec<Member>, CliError> {
        let here = self.replica().space(space).await;
        let refused = |error: &_| CliError::Refused {
            what: "the removal",
            reason: super::profile::with_causes(error),
        };
        Ok(here.map_err(|error| refused(&error))?.members)
    }

    /// Ends an agent's access everywhere, and takes it out of the Systems at which it looks.
    ///
    /// # Errors
    /// When this device may not, or the store refuses: what was ended until then is.
    pub(crate) async fn remove_agent(
        &self,
        leaving: &AgentLeaving,
        why: &EndReason,
    ) -> Result<(), CliError> {
        if !leaving.may_end {
            return Err(CliError::Refused {
                what: "the removal",
                reason: format!(
                    "this device does not administer the Space of {}: who invited the agent removes it",
                    leaving.name
                ),
            });
        }
        let writers = self.writers(leaving.agent).await?;
        let writes = |it: &Member| it.capability == Capability::Write;
        self.end_all(leaving.agent, why, writes).await?;
        let administered = self.administered().await;
        for (system, _title) in &leaving.systems {
            if administered.contains(system) {
                // What it was let keep there, so that it learns who may read.
                let keeps = |it: &Member| {
                    it.capability == Capability::Relay && writers.contains(&it.author)
                };
                self.end_all(*system, why, keeps).await?;
            }
            self.edit_system(*system, vec![SystemChange::RemoveAgent(leaving.agent)])
                .await?;
            // That it was removed, and by whom, the timeline tells by that.
            if let EndReason::Words(words) = why {
                let told = format!("why agent {} was removed: {words}", leaving.name);
                self.say(*system, &told).await?;
            }
        }
        Ok(())
    }

    /// Ends every grant of this sort, one after the other: ending one may end others.
    async fn end_all(
        &self,
        space: SpaceId,
        why: &EndReason,
        is_meant: impl Fn(&Member) -> bool,
    ) -> Result<(), CliError> {
        for _ in 0..GRANTS_MAX {
            let members = self.members_of(space).await?;
            let now = fresh::now();
            let meant = members
                .iter()
                .filter(|it| is_meant(it) && !is_over(it, now));
            // The invitation first: what was redeemed from it ends with it.
            let Some(next) = meant.max_by_key(|it| (it.is_invitation(), it.grant)) else {
                return Ok(());
            };
            self.revoke(space, next.grant, Keep::WhatIsHere, why)
                .await?;
        }
        Ok(())
    }

    /// What removing a check of a System would do.
    ///
    /// # Errors
    /// When the System has no such check, several of that name, or its machine adds it.
    pub(crate) fn check_leaving(
        &self,
        system: SpaceId,
        wanted: &str,
    ) -> Result<CheckLeaving, CliError> {
        let own: Vec<Check> = {
            let model = self.model();
            let checks = model.system(&system).map(|it| it.checks.values().cloned());
            checks.into_iter().flatten().collect()
        };
        let is_meant = |check: &&Check| check.name == wanted || check.id.to_string() == wanted;
        let found: Vec<_> = own.iter().filter(is_meant).collect();
        let snapshot = self.snapshot();
        match found.as_slice() {
            [check] => Ok(leaving(&snapshot, system, check)),
            [] => Err(CliError::Refused {
                what: "the removal",
                reason: no_such_check(&snapshot, system, wanted, &own),
            }),
            several => {
                let ids: Vec<_> = several.iter().map(|it| it.id.to_string()).collect();
                Err(CliError::Refused {
                    what: "the removal",
                    reason: format!(
                        "several checks are called {wanted:?}; name one by its id: {}",
                        ids.join(", ")
                    ),
                })
            }
        }
    }
}

fn no_such_check(snapshot: &Snapshot, system: SpaceId, wanted: &str, own: &[Check]) -> String {
    let views = snapshot.system(&system).map(|view| view.checks.as_slice());
    let mut views = views.unwrap_or_default().iter();
    let found = views.find(|view| view.check.name == wanted);
    if let Some(from) = found.and_then(|view| view.seen_from.first()) {
        let from = &from.title;
        return format!(
            "{wanted:?} is a check of {from}, whose agents look at this System: it is removed there"
        );
    }
    if found.is_some_and(|view| view.check.kind == CheckKind::External {}) {
        return format!(
            "{wanted:?} is a check that a machine adds by itself: `aramaki-agent forget {wanted:?}` there lets it out, \
             unless it stands in the file of that machine's agent"
        );
    }
    if found.is_some() {
        return format!(
            "{wanted:?} is a check that a machine adds by itself: it is removed in the file of that machine's agent"
        );
    }
    let names: Vec<_> = own.iter().map(|it| it.name.as_str()).collect();
    if names.is_empty() {
        return "the System has no checks".to_owned();
    }
    format!(
        "the System has no check {wanted:?}; it has: {}",
        names.join(", ")
    )
}

fn leaving(snapshot: &Snapshot, system: SpaceId, check: &Check) -> CheckLeaving {
    // One about another System has its alert there, under that System's id of it.
    let about = check.is_about_other(&system);
    let (place, id) = match about {
        Some(about) => (about, observed_check(&about, &check.name)),
        None => (system, check.id),
    };
    let view = snapshot.system(&place);
    let is_seen_by_others = |alert: &&Arc<Alert>| {
        let mut from = alert.seen_from.iter();
        from.any(|it| it.system != system || it.check != check.id)
    };
    let alerts = view.into_iter().flat_map(|view| &view.alerts);
    let alerts = alerts.filter(|alert| alert.check == id && alert.is_open());
    let alerts = alerts.filter(|alert| !is_seen_by_others(alert));
    let silences = view.into_iter().flat_map(|view| &view.silences);
    let silences = silences
        .filter(|(_, it)| it.check == Some(id) && it.family.is_none() && snapshot.now < it.until);
    CheckLeaving {
        check: check.id,
        name: check.name.clone(),
        alerts: alerts
            .map(|alert| {
                (
                    alert.id.short(),
                    format!("{}: {}", alert.severity, alert.summary),
                )
            })
            .collect(),
        silences: silences.map(|(_, it)| it.reason.clone()).collect(),
    }
}
