//! Remote actions: what hosts allow, who may ask, and what was asked and came of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aramaki_model::action::{
    ActionGrant, ActionPower, ActionRequest, ActionResult, ActionWish, Approval, ArgumentFault,
    Attempt, Described, HeardOutput, MaintenanceRule, Outcome, REQUEST_SPAN_MAX,
};
use aramaki_model::proposal::Proposals;
use aramaki_model::series::SeriesAnswer;
use aramaki_model::{AlertId, ItemId, name};
use aramaki_sync::replica::{GrantRequest, ReplicaError, SpaceSummary};
use aramaki_sync_core::engine::WriteError;
use aramaki_sync_core::statement::{Body, Capability, GrantFlags};
use aramaki_sync_core::{EnvelopeId, SpaceId, Timestamp};
use serde_bytes::ByteBuf;
use tokio::time::Instant;

use super::answers::why_not;
use super::fresh;
use super::live::Live;
use super::lost::match_keys;
use super::names::Names;
use super::profile::with_causes;
use super::recall::{Told, attempt_after};
use super::runs::{Known, heard_until};
use crate::cli::{CliError, select};
use crate::view::actions::{Came, MayAnswer, Say, newest};

/// How long the same counts as the same: an agent's file may say another span, and decides.
const RECENT: Duration = Duration::from_mins(10);
const LOOK_PAUSE: Duration = Duration::from_millis(200);
/// Shorter prefixes of a request's id are refused.
const PREFIX_LEN_CHARS_MIN: usize = 6;

/// What one agent of a System can be asked for.
#[derive(Clone, Debug)]
pub(crate) struct AgentActions {
    /// Its own Space.
    pub(crate) agent: SpaceId,
    /// What the System calls it.
    pub(crate) label: String,
    /// What its host allows.
    pub(crate) actions: BTreeMap<String, Described>,
    /// Those of them that it lets be run in maintenance windows.
    pub(crate) maintenance: BTreeMap<String, MaintenanceRule>,
    /// Since when it is not heard of, if it is known to be silent.
    pub(crate) unheard: Option<Timestamp>,
    /// What was asked, newest first.
    pub(crate) requests: Vec<RequestRow>,
    /// What its host measured, by check.
    pub(crate) values: Arc<BTreeMap<String, Told<SeriesAnswer>>>,
    /// What its host proposes to look at.
    pub(crate) proposed: Option<Told<Proposals>>,
}

/// A request and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct RequestRow {
    /// The envelope that carries it.
    pub(crate) id: EnvelopeId,
    /// The request as it was signed.
    pub(crate) request: ActionRequest,
    /// Who asked.
    pub(crate) who: String,
    /// When, by the asker's clock.
    pub(crate) at: Timestamp,
    /// Who agreed, and who objected.
    pub(crate) said: Vec<(String, bool)>,
    /// How many more people have to agree before it is run.
    pub(crate) lacks: u32,
    /// What this device may say to it.
    pub(crate) may: MayAnswer,
    /// When the agent began.
    pub(crate) started: Option<Timestamp>,
    /// What is heard of it while it runs.
    pub(crate) heard: HeardOutput,
    /// How often it began.
    pub(crate) starts: u32,
    /// The work in a maintenance window that it confirms.
    pub(crate) maintenance: Option<ItemId>,
    /// The last attempt after which it is tried again.
    pub(crate) attempt: Option<Attempt>,
    /// What came of it.
    pub(crate) result: Option<Arc<ActionResult>>,
    /// Since when its agent is not heard of, if it is known to be silent.
    pub(crate) unheard: Option<Timestamp>,
    /// When this was read: how it stands depends on it.
    pub(crate) read_at: Timestamp,
}

impl RequestRow {
    /// What came of it by the time at which it was read.
    pub(crate) fn came(&self) -> Came {
        let known = Known {
            started: self.started,
            again_at: self.waits_for_attempt(),
            maintenance: self.maintenance,
            outcome: self.result.as_ref().map(|it| it.outcome.clone()),
            expires_at: self.request.expires_at(),
        };
        known.came(self.read_at, self.unheard)
    }

    /// Up to when the agent was heard of which an answer is waited for, if it is silent.
    pub(crate) fn heard_until(&self) -> Option<Timestamp> {
        let unheard = self.unheard.filter(|_| self.result.is_none());
        heard_until(self.started, unheard)
    }

    /// Whether nothing is waited for: it ended, or nobody answered in its time.
    pub(crate) fn is_over(&self) -> bool {
        !matches!(self.came(), Came::Waits | Came::Runs)
    }

    /// When it is tried again, if it waits for that.
    pub(crate) fn waits_for_attempt(&self) -> Option<Timestamp> {
        attempt_after(self.attempt.as_ref(), self.starts)
    }

    /// Whether it was run, or is: somebody may just have done it.
    pub(super) fn ran(&self) -> bool {
        match &self.result {
            None => self.started.is_some(),
            Some(result) => !matches!(result.outcome, Outcome::Refused(_)),
        }
    }
}

/// What somebody wants to be run.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    /// On the host of which agent.
    pub(crate) agent: &'a str,
    /// The action's name.
    pub(crate) action: &'a str,
    /// Values by parameter.
    pub(crate) arguments: BTreeMap<String, String>,
    /// Why.
    pub(crate) reason: &'a str,
    /// Although the same was run a moment ago.
    pub(crate) again: bool,
    /// For which alert.
    pub(crate) alert: Option<AlertId>,
}

/// To whom an administrator gives what.
#[derive(Clone, Debug)]
pub(crate) struct Allowance<'a> {
    /// Of which agent.
    pub(crate) agent: &'a str,
    /// To whose device.
    pub(crate) device: &'a str,
    /// Which actions.
    pub(crate) actions: &'a [String],
    /// To ask, to approve, or both.
    pub(crate) powers: &'a [ActionPower],
    /// For how long.
    pub(crate) span: Duration,
}

fn refused(reason: String) -> CliError {
    CliError::Refused {
        what: "the action",
        reason,
    }
}

/// What a host does not let be run.
pub(super) fn not_offered(agent: &AgentActions) -> CliError {
    let names: Vec<_> = agent.actions.keys().map(String::as_str).collect();
    refused(match names.as_slice() {
        [] => "its host has told of no actions".to_owned(),
        names => format!("its host allows: {}", names.join(", ")),
    })
}

/// What the host would not take.
pub(super) fn not_taken(action: &str, fault: &ArgumentFault) -> CliError {
    CliError::Argument {
        action: action.to_owned(),
        reason: fault.to_string(),
    }
}

fn not_done(error: &ReplicaError) -> CliError {
    match error {
        ReplicaError::NotAllowed(_) | ReplicaError::Write(WriteError::NotAllowed) => refused(
            "this device may not ask this agent for anything: an administrator gives that with `aramaki \
             action allow`"
                .to_owned(),
        ),
        error => refused(with_causes(error)),
    }
}

impl Live {
    /// What the agents of a System can be asked for, and were.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn actions(&self, system: SpaceId) -> Result<Vec<AgentActions>, CliError> {
        let spaces = self.spaces().await;
        let names = self.names(&spaces);
        self.actions_by(system, &names, &spaces).await
    }

    /// What was asked of the agents of a System and of everything below it, or of all; with its System.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn action_requests(
        &self,
        systems: Option<&[SpaceId]>,
    ) -> Result<Vec<(SpaceId, RequestRow)>, CliError> {
        let systems: Vec<_> = match systems {
            Some(systems) => systems.to_vec(),
            None => self.snapshot().systems.iter().map(|it| it.space).collect(),
        };
        let spaces = self.spaces().await;
        let names = self.names(&spaces);
        let mut rows = Vec::new();
        for system in systems {
            let agents = self.actions_by(system, &names, &spaces).await?;
            let requests = agents.into_iter().flat_map(|it| it.requests);
            rows.extend(requests.map(|row| (system, row)));
        }
        Ok(rows)
    }

    async fn actions_by(
        &self,
        system: SpaceId,
        names: &Names,
        spaces: &[SpaceSummary],
    ) -> Result<Vec<AgentActions>, CliError> {
        let mut agents = Vec::new();
        for (agent, label) in self.agents_named(system) {
            let recalled = self.recall_actions(agent).await;
            let recalled = recalled.map_err(|error| not_done(&error))?;
            let unheard = self.unheard_since(system, agent);
            agents.push(recalled.named((agent, label), unheard, names, (self, spaces)));
        }
        Ok(agents)
    }

    /// Since when an agent of a System is not heard of, if it is known to be silent.
    pub(crate) fn unheard_since(&self, system: SpaceId, agent: SpaceId) -> Option<Timestamp> {
        let snapshot = self.snapshot();
        let mut agents = snapshot.system(&system)?.agents.iter();
        agents.find(|it| it.space == agent)?.unheard_since()
    }

    /// The agents of a System by what it calls them.
    pub(super) fn agents_named(&self, system: SpaceId) -> Vec<(SpaceId, String)> {
        let model = self.model();
        let agents = model.system(&system).map(|system| &system.agents);
        let agents = agents.into_iter().flatten();
        agents
            .map(|(agent, link)| (*agent, link.label.clone()))
            .collect()
    }

    pub(crate) fn agent_named(&self, system: SpaceId, wanted: &str) -> Result<SpaceId, CliError> {
        let agents = self.agents_named(system);
        let candidates = agents.iter().map(|(agent, label)| (*agent, label.as_str()));
        select(wanted, candidates).map_err(|_no_system| {
            let alike = agents.iter().filter(|(_agent, label)| label == wanted);
            let alike: Vec<_> = alike.map(|(agent, _label)| agent.short()).collect();
            if alike.len() > 1 {
                return refused(format!(
                    "several agents of this System are called {wanted:?}; name one by its id: {}",
                    alike.join(", ")
                ));
            }
            let names: Vec<_> = agents
                .iter()
                .map(|(_agent, label)| label.as_str())
                .collect();
            refused(format!(
                "no agent of this System is called {wanted:?}; there are: {}",
                names.join(", ")
            ))
        })
    }

    /// Lets a device ask an agent for actions, or approve them.
    ///
    /// # Errors
    /// When this device does not administer the agent's Space, or the device is nobody's in the System.
    pub(crate) async fn allow_action(
        &self,
        system: SpaceId,
        allowance: &Allowance<'_>,
    ) -> Result<(String, Timestamp), CliError> {
        let agent = self.agent_named(system, allowance.agent)?;
        let spaces = self.spaces().await;
        let names = self.names(&spaces);
        let find = |wanted| spaces.iter().find(|it| it.id == wanted);
        let (Some(of_system), Some(of_agent)) = (find(system), find(agent)) else {
            return Err(refused(
                "the agent's Space is not on this device".to_owned(),
            ));
        };
        if of_agent.capability != Some(Capability::Administer) {
            let reason = "this device does not administer the agent's Space";
            return Err(refused(reason.to_owned()));
        }
        let wanted = [allowance.device.to_owned()];
        let found = match_keys(std::slice::from_ref(of_system), "device", &wanted)?;
        let now = fresh::now();
        let member = of_system
            .members
            .iter()
            .find(|it| found.contains(&it.author) && it.is_live(now) && !it.is_invitation());
        let Some(member) = member else {
            return Err(refused(
                "that device has no access to this System".to_owned(),
            ));
        };
        let end = now.plus(allowance.span);
        let has_place = of_agent.members.iter().any(|it| {
            it.author == member.author
                && it.capability >= Capability::Comment
                && it.is_live(now)
                && it.end >= end
        });
        if !has_place {
            let request = GrantRequest {
                principal: Some(member.principal),
                flags: GrantFlags::NONE,
                ..GrantRequest::to_device(member.author, member.box_key, Capability::Comment, end)
            };
            let granted = self.replica().grant(agent, request).await;
            granted.map_err(|error| not_done(&error))?;
        }
        for power in allowance.powers {
            let grant = ActionGrant {
                grantee: member.author,
                agent,
                actions: allowance.actions.to_vec(),
                power: *power,
                end,
            };
            let bytes = grant.encode().map_err(|error| refused(error.to_string()))?;
            self.say_about_actions(agent, Body::ActionGrant(ByteBuf::from(bytes)))
                .await?;
        }
        Ok((names.of(member.author), end))
    }

    /// The newest requests for one action of an agent, at most so many.
    ///
    /// # Errors
    /// When the System has no such agent, its host allows no such action, or the store cannot be read.
    pub(crate) async fn last_runs(
        &self,
        system: SpaceId,
        agent: &str,
        action: &str,
        limit: usize,
    ) -> Result<Vec<RequestRow>, CliError> {
        let agent = self.agent_named(system, agent)?;
        let known = self.actions(system).await?;
        let known = known.into_iter().find(|it| it.agent == agent);
        let known = known.ok_or_else(|| refused("the agent is gone".to_owned()))?;
        if !known.actions.contains_key(action) {
            return Err(not_offered(&known));
        }
        let mut runs = known.requests;
        runs.retain(|row| row.request.action == action);
        Ok(newest(runs, limit, |row| row.came().began()))
    }

    /// Checks values against what a host says that its action takes.
    ///
    /// # Errors
    /// When there is no such action, or it does not take them.
    pub(crate) async fn check_values(
        &self,
        system: SpaceId,
        (agent, action): (&str, &str),
        values: &BTreeMap<String, String>,
    ) -> Result<(), CliError> {
        let agent = self.agent_named(system, agent)?;
        let known = self.actions(system).await?;
        let known = known.into_iter().find(|it| it.agent == agent);
        let known = known.ok_or_else(|| refused("the agent is gone".to_owned()))?;
        let Some(described) = known.actions.get(action) else {
            return Err(not_offered(&known));
        };
        let checked = described.check(values);
        checked.map_err(|fault| not_taken(action, &fault))
    }

    /// Asks an agent for an action.
    ///
    /// # Errors
    /// When the host allows no such action, the same was just run, or this device may not ask.
    pub(crate) async fn request_action(
        &self,
        system: SpaceId,
        wanted: Wanted<'_>,
    ) -> Result<EnvelopeId, CliError> {
        let agent = self.agent_named(system, wanted.agent)?;
        let known = self.actions(system).await?;
        let known = known.into_iter().find(|it| it.agent == agent);
        let known = known.ok_or_else(|| refused("the agent is gone".to_owned()))?;
        let Some(action) = known.actions.get(wanted.action) else {
            return Err(not_offered(&known));
        };
        let checked = action.check(&wanted.arguments);
        checked.map_err(|fault| not_taken(wanted.action, &fault))?;
        let now = fresh::now();
        let before = known.requests.iter().find(|it| {
            let same =
                it.request.action == wanted.action && it.request.arguments == wanted.arguments;
            same && it.ran() && (it.result.is_none() || now.since(it.at) < RECENT)
        });
        if let (Some(before), false) = (before, wanted.again) {
            return Err(CliError::Duplicate {
                action: wanted.action.to_owned(),
                first: before.id,
                who: before.who.clone(),
                at: before.at,
                reason: before.request.reason.clone(),
            });
        }
        let request = ActionRequest {
            again: before.map(|before| before.id),
            agent,
            action: wanted.action.to_owned(),
            definition: action.definition,
            arguments: wanted.arguments,
            not_before: now,
            end: now.plus(REQUEST_SPAN_MAX),
            reason: wanted.reason.to_owned(),
            alert: wanted.alert,
        };
        self.wish(agent, &ActionWish::Request(request)).await
    }

    /// The one request of a System with an id, or a prefix of it, with the name of its host.
    ///
    /// # Errors
    /// When there is none, or several.
    pub(crate) async fn find_request(
        &self,
        system: SpaceId,
        wanted: &str,
    ) -> Result<(String, RequestRow), CliError> {
        let prefix = wanted.trim().to_ascii_lowercase();
        let agents = self.actions(system).await?.into_iter();
        let requests = agents.flat_map(|agent| {
            let label = agent.label;
            let rows = agent.requests.into_iter();
            rows.map(move |row| (label.clone(), row))
        });
        let mut found = requests.filter(|(_host, it)| {
            prefix.len() >= PREFIX_LEN_CHARS_MIN && it.id.to_string().starts_with(&prefix)
        });
        match (found.next(), found.next()) {
            (Some(found), None) => Ok(found),
            _ => Err(CliError::NoSuchRequest {
                wanted: wanted.to_owned(),
            }),
        }
    }

    /// Agrees or objects to a request.
    ///
    /// # Errors
    /// When there is no such open request, or this device may not.
    pub(crate) async fn answer_action(
        &self,
        system: SpaceId,
        wanted: &str,
        say: Say,
    ) -> Result<RequestRow, CliError> {
        let (_host, row) = self.find_request(system, wanted).await?;
        if !row.is_open(fresh::now()) {
            let over = match (&row.result, row.started) {
                (None, None) => "its time is over",
                (None, Some(_)) => "it runs already",
                (Some(_), _) => "it is done already",
            };
            return Err(refused(over.to_owned()));
        }
        if let Some(why) = why_not(row.may, say) {
            return Err(refused(why.to_owned()));
        }
        let approval = Approval {
            request: row.id,
            agrees: say == Say::Agree,
            end: row.request.end,
        };
        self.wish(row.request.agent, &ActionWish::Approval(approval))
            .await?;
        Ok(row)
    }

    /// Waits for what comes of a request; as it stands when the time is over.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn wait_for_action(
        &self,
        system: SpaceId,
        request: EnvelopeId,
        limit: Duration,
    ) -> Result<Option<RequestRow>, CliError> {
        let end = Instant::now() + limit;
        loop {
            let row = self.look_at_action(system, request).await?;
            let is_done = row.as_ref().is_some_and(RequestRow::is_over);
            if is_done || Instant::now() >= end {
                return Ok(row);
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    /// How a request stands now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn look_at_action(
        &self,
        system: SpaceId,
        request: EnvelopeId,
    ) -> Result<Option<RequestRow>, CliError> {
        let agents = self.actions(system).await?;
        let mut requests = agents.into_iter().flat_map(|it| it.requests);
        Ok(requests.find(|it| it.id == request))
    }

    /// Whether this device may write to an agent at all.
    ///
    /// # Errors
    /// When it may not.
    pub(super) async fn may_wish(&self, agent: SpaceId) -> Result<(), CliError> {
        let may = self.replica().space(agent).await;
        let may = may.map_err(|error| not_done(&error))?.capability;
        if may < Some(Capability::Comment) {
            return Err(not_done(&ReplicaError::NotAllowed(agent)));
        }
        Ok(())
    }

    pub(super) async fn wish(
        &self,
        agent: SpaceId,
        wish: &ActionWish,
    ) -> Result<EnvelopeId, CliError> {
        let bytes = wish.encode().map_err(|error| refused(error.to_string()))?;
        self.may_wish(agent).await?;
        self.say_about_actions(agent, Body::ActionRequest(ByteBuf::from(bytes)))
            .await
    }

    async fn say_about_actions(&self, agent: SpaceId, body: Body) -> Result<EnvelopeId, CliError> {
        let written = self.replica().write(agent, name::actions(), body).await;
        self.forget_actions(agent);
        Ok(written.map_err(|error| not_done(&error))?.id)
    }
}
