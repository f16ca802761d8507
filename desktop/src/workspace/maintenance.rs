//! Work in maintenance windows: asked for in a System's document, confirmed by signed requests.

use std::collections::BTreeMap;

use aramaki_model::action::{ActionRequest, ActionWish, Approval};
use aramaki_model::maintenance::request::{
    Confirmed, MaintenanceRequest, RequestState, Standing, Wants, Window, Withdrawn,
};
use aramaki_model::{ItemId, Maintenance};
use aramaki_sync_core::{EnvelopeId, SpaceId};

use super::actions::{AgentActions, RequestRow, Wanted};
use super::fresh;
use super::live::Live;
use super::names::Names;
use crate::cli::{CliError, local};

/// Requests of one System that are kept; the oldest that are over go when a new one is made.
const REQUESTS_KEPT_MAX: usize = 64;

/// Work that was asked for, and how it stands.
#[derive(Clone, Debug)]
pub(crate) struct WorkRow {
    /// Its id.
    pub(crate) item: ItemId,
    /// Of which System.
    pub(crate) system: SpaceId,
    /// What was asked.
    pub(crate) request: MaintenanceRequest,
    /// What the System calls the agent; its short id if it has none any more.
    pub(crate) host: String,
    /// Who asked.
    pub(crate) who: String,
    /// Whether and why it was taken back.
    pub(crate) withdrawn: Option<Withdrawn>,
    /// How it stands.
    pub(crate) standing: Standing,
    /// The signed requests for it, newest first.
    pub(crate) runs: Vec<RequestRow>,
}

impl WorkRow {
    /// The signed request that counts.
    pub(crate) fn confirmed(&self) -> Option<&RequestRow> {
        let id = self.standing.confirmed?;
        self.runs.iter().find(|run| run.id == id)
    }
}

/// What came of asking or confirming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The request's id.
    pub(crate) item: ItemId,
    /// The window that is meant, if there is one.
    pub(crate) window: Option<Window>,
    /// The signed request, and the time it is for; none while the window is too far away.
    pub(crate) signed: Option<(EnvelopeId, Window)>,
}

pub(super) fn refused(reason: impl Into<String>) -> CliError {
    CliError::Refused {
        what: "the maintenance",
        reason: reason.into(),
    }
}

/// A signed request as the rules see it.
fn confirmed(row: &RequestRow) -> Confirmed<'_> {
    Confirmed {
        id: row.id,
        at: row.at,
        window: Window {
            begin: row.request.not_before,
            end: row.request.end,
        },
        attempts: row.starts,
        again_at: row.waits_for_attempt(),
        outcome: row.result.as_ref().map(|result| &result.outcome),
    }
}

/// What one System's document says of work.
struct Kept {
    requests: BTreeMap<ItemId, MaintenanceRequest>,
    withdrawn: BTreeMap<ItemId, Withdrawn>,
    windows: Vec<Maintenance>,
    /// Who asked.
    who: BTreeMap<ItemId, String>,
}

impl Live {
    /// Work that was asked for in these Systems, or in all: what is open first, then the newest.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn work(&self, systems: Option<&[SpaceId]>) -> Result<Vec<WorkRow>, CliError> {
        let systems = systems.map_or_else(|| self.systems(), <[_]>::to_vec);
        let names = self.names(&self.spaces().await);
        let mut rows = Vec::new();
        for system in systems {
            let kept = self.kept(system, &names);
            if kept.requests.is_empty() {
                continue;
            }
            let agents = self.actions(system).await?;
            rows.extend(of_system(system, kept, &agents));
        }
        rows.sort_by_key(|row| (row.standing.state.is_over(), std::cmp::Reverse(row.item)));
        Ok(rows)
    }

    fn kept(&self, system: SpaceId, names: &Names) -> Kept {
        let model = self.model();
        let said = model.system(&system);
        let who = |item: &ItemId| {
            let actor = said?.written_by.get(item)?;
            Some((*item, names.of(model.author_of(&system, actor)?)))
        };
        Kept {
            requests: said.map(|it| it.requests.clone()).unwrap_or_default(),
            withdrawn: said.map(|it| it.withdrawn.clone()).unwrap_or_default(),
            windows: said.map_or_else(Vec::new, |it| it.maintenance.values().cloned().collect()),
            who: said
                .into_iter()
                .flat_map(|it| it.requests.keys().filter_map(who))
                .collect(),
        }
    }

    async fn work_of(&self, item: ItemId) -> Result<WorkRow, CliError> {
        let rows = self.work(None).await?;
        let row = rows.into_iter().find(|row| row.item == item);
        row.ok_or_else(|| CliError::Setting {
            what: "id",
            value: item.to_string(),
            reason: "no System here has it: `aramaki maintenance requests` shows ids".to_owned(),
        })
    }

    /// Asks for work in a stated window, or in the next one of its System. It is confirmed at once when
    /// that is near enough: whoever asks now means it.
    ///
    /// # Errors
    /// When the host does not let the action be run so, this device may not ask or write, the time is
    /// over, or a redundancy group would be broken.
    pub(crate) async fn ask_work(
        &self,
        system: SpaceId,
        wanted: Wanted<'_>,
        stated: Option<Window>,
    ) -> Result<Asked, CliError> {
        let agent = self.agent_named(system, wanted.agent)?;
        let known = self.agent_actions(system, agent).await?;
        allowed(&known, wanted.action)?;
        let now = fresh::now();
        if stated.is_some_and(|stated| stated.end <= now || stated.end <= stated.begin) {
            return Err(refused("that time is over, or ends before it begins"));
        }
        self.may_wish(agent).await?;
        let request = MaintenanceRequest {
            agent,
            action: wanted.action.to_owned(),
            arguments: wanted.arguments,
            reason: wanted.reason.to_owned(),
            at: now,
            stated,
        };
        let kept = self.kept(system, &Names::default());
        let windows: Vec<_> = kept.windows.iter().collect();
        let window = request.standing(None, &[], &windows, now).window;
        if let Some(window) = window {
            self.refuse_broken(system, window).await?;
        }
        if let Some(signable) = window.and_then(|window| window.signable(now)) {
            self.groups_known((system, agent), signable).await?;
        }
        let item = ItemId::new(now, fresh::random()?);
        let old = self.forgotten(system).await?;
        self.edit(system, |model, chain, now| {
            model.edit_system(system, chain, now, |edit| {
                old.iter().try_for_each(|old| edit.remove_request(*old))?;
                edit.put_request(item, &request)
            })
        })
        .await?;
        let when = window.map_or_else(
            || "in its next maintenance window".to_owned(),
            |window| format!("from {} to {}", local(window.begin), local(window.end)),
        );
        let told = format!(
            "maintenance asked for {when}: {}: {}",
            request.action, request.reason
        );
        self.say(system, &told).await?;
        let mut asked = Asked {
            item,
            window,
            signed: None,
        };
        if let Some(signable) = window.and_then(|window| window.signable(now)) {
            let id = self
                .sign_work(system, item, &request, &known, signable)
                .await?;
            asked.signed = Some((id, signable));
        }
        Ok(asked)
    }

    /// Confirms work for its window: a signed request that its host runs then.
    ///
    /// # Errors
    /// When it waits for something else, this device may not ask for the action, or a redundancy group
    /// would be broken.
    pub(crate) async fn confirm_work(&self, item: ItemId) -> Result<Asked, CliError> {
        let row = self.work_of(item).await?;
        let now = fresh::now();
        let window = match (row.standing.wants, row.standing.window) {
            (Wants::Confirmation, Some(window)) => window,
            (Wants::Window, _) => {
                return Err(refused(
                    "no maintenance window of its System is planned: `aramaki maintenance add` plans one",
                ));
            }
            (_, Some(window))
                if row.standing.confirmed.is_none() && !row.standing.state.is_over() =>
            {
                return Err(refused(format!(
                    "its window opens {}; a signature is good for a day: confirm it within 24 hours before that",
                    local(window.begin)
                )));
            }
            _ => {
                let state = row.standing.state.word();
                return Err(refused(format!(
                    "there is nothing to confirm, it is {state}"
                )));
            }
        };
        let known = self.agent_actions(row.system, row.request.agent).await?;
        allowed(&known, &row.request.action)?;
        self.may_wish(row.request.agent).await?;
        self.refuse_broken(row.system, window).await?;
        let signable = window.signable(now);
        let signable = signable.ok_or_else(|| refused("its window is over"))?;
        self.groups_known((row.system, row.request.agent), signable)
            .await?;
        let id = self
            .sign_work(row.system, item, &row.request, &known, signable)
            .await?;
        let told = format!(
            "maintenance confirmed from {} to {}: {}",
            local(signable.begin),
            local(signable.end),
            row.request.action
        );
        self.say(row.system, &told).await?;
        Ok(Asked {
            item,
            window: Some(window),
            signed: Some((id, signable)),
        })
    }

    /// Takes work back. What its host has begun is not stopped.
    ///
    /// # Errors
    /// When it runs or is over, or this device may not write there.
    pub(crate) async fn withdraw_work(
        &self,
        item: ItemId,
        reason: &str,
    ) -> Result<WorkRow, CliError> {
        let row = self.work_of(item).await?;
        let state = row.standing.state;
        if state == RequestState::Running || state.is_over() {
            return Err(refused(format!(
                "it cannot be withdrawn, it is {}",
                state.word()
            )));
        }
        let withdrawn = Withdrawn {
            at: fresh::now(),
            reason: reason.to_owned(),
        };
        let system = row.system;
        self.edit(system, |model, chain, now| {
            model.edit_system(system, chain, now, |edit| {
                edit.put_withdrawn(item, &withdrawn)
            })
        })
        .await?;
        if let Some(signed) = row.confirmed().filter(|signed| signed.result.is_none()) {
            let objection = Approval {
                request: signed.id,
                agrees: false,
                end: signed.request.end,
            };
            let wish = ActionWish::Approval(objection);
            self.wish(row.request.agent, &wish).await?;
        }
        let told = format!("maintenance withdrawn: {}: {reason}", row.request.action);
        self.say(system, &told).await?;
        self.tell_groups(&self.together(system)).await?;
        self.work_of(item).await
    }

    async fn sign_work(
        &self,
        system: SpaceId,
        item: ItemId,
        request: &MaintenanceRequest,
        known: &AgentActions,
        window: Window,
    ) -> Result<EnvelopeId, CliError> {
        let definition = allowed(known, &request.action)?;
        let request = ActionRequest {
            // An earlier run of the same, in an earlier window or a moment ago, is meant to be repeated.
            again: known
                .requests
                .iter()
                .find(|it| {
                    it.request.action == request.action
                        && it.request.arguments == request.arguments
                        && it.ran()
                })
                .map(|it| it.id),
            agent: request.agent,
            action: request.action.clone(),
            definition,
            arguments: request.arguments.clone(),
            not_before: window.begin,
            end: window.end,
            reason: request.reason.clone(),
            alert: None,
        };
        let agent = request.agent;
        // In the same chain before the request: the host knows of the group when it knows of the work.
        self.tell_groups(&[system].into()).await?;
        let groups = self.groups_known((system, agent), window).await?;
        let wish = ActionWish::Maintenance {
            request,
            item,
            groups,
        };
        let id = self.wish(agent, &wish).await?;
        let mut others = self.together(system);
        others.remove(&system);
        self.tell_groups(&others).await?;
        Ok(id)
    }

    async fn agent_actions(
        &self,
        system: SpaceId,
        agent: SpaceId,
    ) -> Result<AgentActions, CliError> {
        let known = self.actions(system).await?;
        let known = known.into_iter().find(|it| it.agent == agent);
        known.ok_or_else(|| refused("its agent does not observe this System any more"))
    }

    /// Requests that are over and older than those which are kept.
    async fn forgotten(&self, system: SpaceId) -> Result<Vec<ItemId>, CliError> {
        let rows = self.work(Some(&[system])).await?;
        let open = rows.iter().filter(|row| !row.standing.state.is_over());
        if open.count() >= REQUESTS_KEPT_MAX {
            return Err(refused(format!(
                "{REQUESTS_KEPT_MAX} requests of this System are open: withdraw some"
            )));
        }
        let over = rows.iter().skip(REQUESTS_KEPT_MAX.saturating_sub(1));
        let over = over.filter(|row| row.standing.state.is_over());
        Ok(over.map(|row| row.item).collect())
    }
}

/// The digest of an action that a host lets be run in maintenance windows.
fn allowed(known: &AgentActions, action: &str) -> Result<[u8; 32], CliError> {
    let described = known.actions.get(action);
    let described = described.ok_or_else(|| super::actions::not_offered(known))?;
    if known.maintenance.contains_key(action) {
        return Ok(described.definition);
    }
    let names: Vec<_> = known.maintenance.keys().map(String::as_str).collect();
    let others = if names.is_empty() {
        "none of its actions has that".to_owned()
    } else {
        format!("it lets be run so: {}", names.join(", "))
    };
    Err(refused(format!(
        "the host does not let {action} be run in maintenance windows: its file there needs `maintenance = true`; {others}"
    )))
}

fn of_system(system: SpaceId, kept: Kept, agents: &[AgentActions]) -> Vec<WorkRow> {
    let windows: Vec<_> = kept.windows.iter().collect();
    let now = fresh::now();
    let rows = kept.requests.into_iter().map(|(item, request)| {
        let agent = agents.iter().find(|it| it.agent == request.agent);
        let runs = agent.into_iter().flat_map(|it| &it.requests).filter(|it| {
            let is_same =
                it.request.action == request.action && it.request.arguments == request.arguments;
            it.maintenance == Some(item) && is_same
        });
        let runs: Vec<_> = runs.cloned().collect();
        let signed: Vec<_> = runs.iter().map(confirmed).collect();
        let withdrawn = kept.withdrawn.get(&item).cloned();
        let standing = request.standing(withdrawn.as_ref(), &signed, &windows, now);
        WorkRow {
            item,
            system,
            host: agent.map_or_else(|| request.agent.short(), |it| it.label.clone()),
            who: kept.who.get(&item).cloned().unwrap_or_default(),
            withdrawn,
            standing,
            request,
            runs,
        }
    });
    rows.collect()
}
