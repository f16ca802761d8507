//! Requests that wait for people: which there are, and whether this device may answer, by the host's own rule.

use std::collections::BTreeSet;

use aramaki_model::action::{ActionGrant, ActionPower};
use aramaki_sync::replica::SpaceSummary;
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};

use super::actions::{AgentActions, RequestRow};
use super::fresh;
use super::live::Live;
use super::names::Names;
use super::runs;
use crate::cli::CliError;
use crate::view::actions::{MayAnswer, Say, Waiting, WhyNot};

/// Agents whose Spaces are read for one picture; the others are read for the next.
const READS_A_PICTURE_MAX: usize = 200;
/// Requests that are shown as waiting, of all Systems together.
const WAITING_MAX: usize = 200;

/// Who looks at requests, and what is known of people in an agent's Space.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<'a> {
    /// This device.
    pub(super) me: AuthorId,
    /// Who holds a grant in the agent's Space.
    pub(super) members: &'a [Member],
    /// Which powers over actions were given, in order.
    pub(super) grants: &'a [ActionGrant],
    pub(super) agent: SpaceId,
    pub(super) now: Timestamp,
}

impl<'a> Standing<'a> {
    /// The grant of a key that lets it speak about requests; one that came from a person before one that came
    /// through an invitation.
    fn member(&self, who: AuthorId) -> Option<&'a Member> {
        let may = |it: &&Member| {
            it.author == who
                && it.capability >= Capability::Comment
                && !it.is_invitation()
                && it.is_live(self.now)
        };
        let members = self.members.iter().filter(may);
        members.min_by_key(|it| it.guest_of.is_some())
    }

    /// What this device may say to somebody's request for an action.
    pub(super) fn may_answer(&self, (by, action): (AuthorId, &str), agreed: bool) -> MayAnswer {
        if by == self.me {
            return MayAnswer::Withdraw;
        }
        let Some(member) = self.member(self.me) else {
            return MayAnswer::Nothing(WhyNot::NotGranted);
        };
        let power = (self.me, ActionPower::Approve);
        let of_it = (self.agent, action);
        if ActionGrant::in_force(self.grants, power, of_it, self.now).is_none() {
            return MayAnswer::Nothing(WhyNot::NotGranted);
        }
        if member.guest_of.is_some() {
            return MayAnswer::Nothing(WhyNot::Guest);
        }
        let asker = self.member(by).map(|it| it.principal);
        if asker == Some(member.principal) {
            return MayAnswer::Refuse(WhyNot::SamePerson);
        }
        if agreed {
            return MayAnswer::Refuse(WhyNot::Agreed);
        }
        MayAnswer::Both
    }
}

/// Why this device cannot say that, in words for a terminal; none: it can.
pub(super) fn why_not(may: MayAnswer, say: Say) -> Option<&'static str> {
    let why = match (say, may) {
        (_, MayAnswer::Both)
        | (Say::Refuse, MayAnswer::Refuse(_) | MayAnswer::Withdraw)
        // Saying the same again does no harm.
        | (Say::Agree, MayAnswer::Refuse(WhyNot::Agreed)) => return None,
        (Say::Agree, MayAnswer::Withdraw) => WhyNot::Own,
        (_, MayAnswer::Refuse(why) | MayAnswer::Nothing(why)) => why,
    };
    Some(match why {
        WhyNot::Own => "whoever asked cannot agree to it; `aramaki action deny` withdraws it",
        WhyNot::SamePerson => {
            "it was asked for from another device of yours: somebody else has to agree"
        }
        WhyNot::Agreed => "this device agreed already",
        WhyNot::Guest => "a guest of an invitation cannot answer",
        WhyNot::NotGranted => {
            "this device was not given the right to approve this action: an administrator gives that \
             with `aramaki action allow --can approve`"
        }
    })
}

impl RequestRow {
    /// Whether nothing came of it and something can.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        self.result.is_none() && self.started.is_none() && now <= self.request.end
    }
}

impl Live {
    /// Requests that wait in any System, the one that ends first at the beginning.
    pub(super) async fn waiting(&self, spaces: &[SpaceSummary], names: &Names) -> Vec<Waiting> {
        let (snapshot, now) = (self.snapshot(), fresh::now());
        let (mut seen, mut reads) = (BTreeSet::new(), 0_usize);
        let mut waiting = Vec::new();
        let mut agents = Vec::new();
        for system in &snapshot.systems {
            agents.extend(system.agents.iter().map(|agent| (system.space, agent)));
        }
        for (system, agent) in agents {
            if !seen.insert(agent.space) || self.is_known_idle(agent.space, now) {
                continue;
            }
            if !self.remembers_actions(agent.space) {
                reads += 1;
                if reads > READS_A_PICTURE_MAX {
                    // The next picture goes on from here.
                    self.tell_changed();
                    break;
                }
            }
            let Ok(recalled) = self.recall_actions(agent.space).await else {
                continue;
            };
            if !recalled.is_waited_for(now) {
                self.know_idle(agent.space);
                continue;
            }
            let who = (agent.space, agent.label.clone());
            let actions = recalled.named(who, agent.unheard_since(), names, (self, spaces));
            waiting.extend(of_agent(system, &actions, now));
        }
        waiting.sort_by_key(|it: &Waiting| (it.end, it.id));
        waiting.truncate(WAITING_MAX);
        waiting
    }

    /// Says what this device thinks of a request, if that would count.
    ///
    /// # Errors
    /// When there is no such open request, or this device may not.
    pub(super) async fn answer_wish(
        &self,
        system: SpaceId,
        (request, say): (EnvelopeId, Say),
    ) -> Result<(), CliError> {
        let answered = self.answer_action(system, &request.to_string(), say).await;
        answered.map(drop)
    }
}

fn of_agent(
    system: SpaceId,
    agent: &AgentActions,
    now: Timestamp,
) -> impl Iterator<Item = Waiting> {
    let open = agent.requests.iter().filter(move |row| row.is_open(now));
    open.map(move |row| {
        let described = agent.actions.get(&row.request.action);
        let same = |it: &&RequestRow| it.request.action == row.request.action && it.id != row.id;
        let before = agent.requests.iter().filter(same);
        Waiting {
            id: row.id,
            system,
            agent: agent.agent,
            host: agent.label.clone(),
            action: row.request.action.clone(),
            description: described.map_or_else(String::new, |it| it.description.clone()),
            who: row.who.clone(),
            at: row.at,
            end: row.request.end,
            reason: row.request.reason.clone(),
            arguments: row.request.arguments.clone(),
            said: row.said.clone(),
            needed: described.map(|it| it.approvals),
            may: row.may,
            last: runs::last_runs(before, runs::RUNS_MAX)
                .into_iter()
                .map(runs::run)
                .collect(),
        }
    })
}

#[cfg(test)]
mod tests;
