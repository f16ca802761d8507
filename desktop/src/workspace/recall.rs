//! What agents' Spaces say of actions: read from the store again only when one of them changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aramaki_model::action::{
    ActionGrant, ActionRecord, ActionRequest, ActionResult, ActionWish, Approval, Attempt,
    Catalogue, HeardOutput, Outcome,
};
use aramaki_model::name;
use aramaki_model::proposal::Proposals;
use aramaki_model::series::SeriesAnswer;
use aramaki_model::{AlertId, ItemId};
use aramaki_sync::replica::{ReplicaError, SpaceSummary};
use aramaki_sync_core::engine::Admitted;
use aramaki_sync_core::statement::Body;
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};

use super::actions::{AgentActions, RequestRow};
use super::answers::Standing;
use super::fresh;
use super::live::Live;
use super::names::Names;
use super::runs::Known;
use crate::view::asked::{Answer, CHECK_PARAMETER, DISCOVER_ACTION, SERIES_ACTION};

/// Requests of an agent that are shown: the newest.
const REQUESTS_SHOWN_MAX: usize = 50;
/// Requests of an agent for maintenance windows that are known: the newest.
const MAINTENANCE_SHOWN_MAX: usize = 200;
/// Agents of which is remembered what was read; of more, some are read each time.
const AGENTS_REMEMBERED_MAX: usize = 256;
/// Runs of an agent that stand in all timelines: the newest.
const BRIEFS_MAX: usize = 20;
/// Agents of which is remembered that nothing waits there.
const AGENTS_IDLE_MAX: usize = 65_536;

/// What was read of some agents.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Counts what made something old.
    clock: u64,
    agents: BTreeMap<SpaceId, Arc<Recalled>>,
    /// Agents of whom nobody wants anything.
    idle: BTreeSet<SpaceId>,
    /// The last runs of each agent that had any.
    ran: BTreeMap<SpaceId, Arc<Vec<Brief>>>,
}

/// One run in short, for all timelines.
#[derive(Clone, Debug)]
pub(super) struct Brief {
    pub(super) id: EnvelopeId,
    pub(super) by: AuthorId,
    pub(super) at: Timestamp,
    pub(super) action: String,
    pub(super) reason: String,
    pub(super) alert: Option<AlertId>,
    pub(super) known: Known,
}

/// What an agent's Space says of actions; people by their keys.
#[derive(Debug, Default)]
pub(super) struct Recalled {
    catalogue: Catalogue,
    /// Who may ask and approve, in the order in which it was given.
    grants: Vec<ActionGrant>,
    requests: Vec<Request>,
    values: Arc<BTreeMap<String, Told<SeriesAnswer>>>,
    proposed: Option<Told<Proposals>>,
}

/// A request, and what came of it.
#[derive(Debug)]
struct Request {
    id: EnvelopeId,
    by: AuthorId,
    at: Timestamp,
    wish: ActionRequest,
    said: Vec<(AuthorId, bool)>,
    /// When its agent began, and who that is.
    started: Option<(Timestamp, AuthorId)>,
    /// How often it was begun.
    starts: u32,
    /// The work that it confirms.
    maintenance: Option<ItemId>,
    /// The last attempt after which it is tried again.
    attempt: Option<Attempt>,
    result: Option<Arc<ActionResult>>,
}

/// What a host told who asked it last.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told<T> {
    /// When it was asked last.
    pub(crate) at: Timestamp,
    /// What came of that.
    pub(crate) came: Answer,
    /// Its newest answer, and when that was asked for.
    pub(crate) last: Option<(Timestamp, Arc<T>)>,
}

impl Live {
    /// What an agent's Space says of actions; nothing where it is not here.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn recall_actions(
        &self,
        agent: SpaceId,
    ) -> Result<Arc<Recalled>, ReplicaError> {
        let clock = {
            let memory = self.memory();
            if let Some(recalled) = memory.agents.get(&agent) {
                return Ok(Arc::clone(recalled));
            }
            memory.clock
        };
        let entries = match self.replica().bodies(agent, name::actions()).await {
            Ok(entries) => entries,
            // It is listed and not here: not shared, or not arrived.
            Err(ReplicaError::UnknownSpace(_)) => return Ok(Arc::default()),
            Err(error) => return Err(error),
        };
        let recalled = Arc::new(Recalled::of(entries));
        let briefs = recalled.briefs();
        let mut memory = self.memory();
        if briefs.is_empty() {
            memory.ran.remove(&agent);
        } else if memory.ran.len() < AGENTS_IDLE_MAX {
            memory.ran.insert(agent, Arc::new(briefs));
        }
        // What changed while it was read is read again by the next who asks.
        if memory.clock == clock {
            if memory.agents.len() >= AGENTS_REMEMBERED_MAX {
                memory.agents.pop_first();
            }
            memory.agents.insert(agent, Arc::clone(&recalled));
        }
        Ok(recalled)
    }

    /// Something happened in a Space: what was read of its actions is old.
    pub(super) fn forget_actions(&self, space: SpaceId) {
        let mut memory = self.memory();
        memory.clock += 1;
        memory.agents.remove(&space);
        memory.idle.remove(&space);
    }

    /// Whether it is known, without reading anything, that nothing waits at an agent.
    pub(super) fn is_known_idle(&self, agent: SpaceId, now: Timestamp) -> bool {
        let memory = self.memory();
        let recalled = memory.agents.get(&agent);
        memory.idle.contains(&agent) || recalled.is_some_and(|it| !it.is_waited_for(now))
    }

    /// Nothing waits at an agent: so it is until something happens in its Space.
    pub(super) fn know_idle(&self, agent: SpaceId) {
        let mut memory = self.memory();
        if memory.idle.len() < AGENTS_IDLE_MAX {
            memory.idle.insert(agent);
        }
    }

    /// The last runs of an agent, as far as they were read.
    pub(super) fn last_ran(&self, agent: SpaceId) -> Option<Arc<Vec<Brief>>> {
        self.memory().ran.get(&agent).map(Arc::clone)
    }

    /// Whether what an agent's Space says is in memory.
    pub(super) fn remembers_actions(&self, agent: SpaceId) -> bool {
        self.memory().agents.contains_key(&agent)
    }

    /// Anything may have happened.
    pub(super) fn forget_all_actions(&self) {
        let mut memory = self.memory();
        memory.clock += 1;
        memory.agents.clear();
        memory.idle.clear();
    }
}

impl Request {
    /// One of which nothing came yet.
    const fn new(
        (id, at): (EnvelopeId, Timestamp),
        by: AuthorId,
        wish: ActionRequest,
        maintenance: Option<ItemId>,
    ) -> Self {
        Self {
            id,
            by,
            at,
            wish,
            said: Vec::new(),
            started: None,
            starts: 0,
            maintenance,
            attempt: None,
            result: None,
        }
    }

    /// When it is tried again, if it waits for that.
    fn waits_for_attempt(&self) -> Option<Timestamp> {
        attempt_after(self.attempt.as_ref(), self.starts)
    }
}

/// When a request that was begun so often is tried again, if it waits for that.
pub(super) fn attempt_after(last: Option<&Attempt>, starts: u32) -> Option<Timestamp> {
    last.filter(|it| it.number >= starts).map(|it| it.again_at)
}

/// The newest requests first, as many as are shown of each sort.
fn newest(mut requests: Vec<Request>) -> Vec<Request> {
    requests.sort_by_key(|it| std::cmp::Reverse((it.at, it.id)));
    let (mut others, mut maintenance) = (0, 0);
    requests.retain(|it| {
        let (count, max) = match it.maintenance {
            Some(_) => (&mut maintenance, MAINTENANCE_SHOWN_MAX),
            None => (&mut others, REQUESTS_SHOWN_MAX),
        };
        *count += 1;
        *count <= max
    });
    requests
}

impl Recalled {
    /// Puts together what is said. What cannot be read is left out.
    fn of(entries: Vec<Admitted>) -> Self {
        let mut catalogue = Catalogue::default();
        let mut grants = Vec::new();
        let mut requests: BTreeMap<EnvelopeId, Request> = BTreeMap::new();
        let mut said: Vec<(AuthorId, Approval)> = Vec::new();
        let mut started: BTreeMap<EnvelopeId, (Timestamp, AuthorId, u32)> = BTreeMap::new();
        let mut attempts: BTreeMap<EnvelopeId, Attempt> = BTreeMap::new();
        let mut results: BTreeMap<EnvelopeId, Arc<ActionResult>> = BTreeMap::new();
        for entry in entries {
            let by = entry.chain.author;
            let asked =
                |wish, maintenance| Request::new((entry.id, entry.time), by, wish, maintenance);
            match entry.body {
                Some(Body::ActionRequest(bytes)) => match ActionWish::decode(&bytes) {
                    Ok(ActionWish::Request(request)) => {
                        requests.insert(entry.id, asked(request, None));
                    }
                    Ok(ActionWish::Maintenance { request, item, .. }) => {
                        requests.insert(entry.id, asked(request, Some(item)));
                    }
                    Ok(ActionWish::Approval(approval)) => said.push((by, approval)),
                    _ => {}
                },
                Some(Body::ActionGrant(bytes)) => grants.extend(ActionGrant::decode(&bytes)),
                Some(Body::ActionRecord(bytes)) => match ActionRecord::decode(&bytes) {
                    Ok(ActionRecord::Catalogue(newer)) if newer.at >= catalogue.at => {
                        catalogue = newer;
                    }
                    Ok(ActionRecord::Started { request, at }) => {
                        let starts = started.remove(&request).map_or(0, |(_, _, starts)| starts);
                        started.insert(request, (at, by, u32::saturating_add(starts, 1)));
                    }
                    Ok(ActionRecord::Attempt(attempt)) => {
                        attempts.insert(attempt.request, attempt);
                    }
                    Ok(ActionRecord::Result(result)) => {
                        results
                            .entry(result.request)
                            .or_insert_with(|| Arc::from(result));
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        for (id, row) in &mut requests {
            let begun = started.remove(id);
            row.started = begun.map(|(at, by, _)| (at, by));
            row.starts = begun.map_or(0, |(_, _, starts)| starts);
            row.attempt = attempts.remove(id);
            row.result = results.remove(id);
            let answers = said.iter().filter(|(_by, it)| it.request == *id);
            row.said = answers.map(|(by, it)| (*by, it.agrees)).collect();
        }
        let requests = newest(requests.into_values().collect());
        let values = told(&requests, SERIES_ACTION, SeriesAnswer::parse);
        let mut proposed = told(&requests, DISCOVER_ACTION, Proposals::parse);
        Self {
            proposed: proposed.remove(""),
            catalogue,
            grants,
            requests,
            values: Arc::new(values),
        }
    }

    /// The newest in short. What hosts were asked for at places of their own is nobody's news.
    fn briefs(&self) -> Vec<Brief> {
        let told = |it: &&Request| {
            let action = it.wish.action.as_str();
            action != SERIES_ACTION && action != DISCOVER_ACTION
        };
        let requests = self.requests.iter().filter(told);
        let brief = |it: &Request| Brief {
            id: it.id,
            by: it.by,
            at: it.started.map_or(it.at, |(at, _by)| at),
            action: it.wish.action.clone(),
            reason: it.wish.reason.clone(),
            alert: it.wish.alert,
            known: Known {
                started: it.started.map(|(at, _by)| at),
                again_at: it.waits_for_attempt(),
                maintenance: it.maintenance,
                outcome: it.result.as_ref().map(|it| it.outcome.clone()),
                expires_at: it.wish.expires_at(),
            },
        };
        requests.take(BRIEFS_MAX).map(brief).collect()
    }

    /// Whether a request can still be begun.
    pub(super) fn is_waited_for(&self, now: Timestamp) -> bool {
        let mut requests = self.requests.iter();
        requests.any(|it| it.result.is_none() && it.started.is_none() && now <= it.wish.end)
    }

    /// The same with what people are called here, and what this device may say to each request; with the time since
    /// when the agent is not heard of, if it is known to be silent.
    pub(super) fn named(
        &self,
        (agent, label): (SpaceId, String),
        unheard: Option<Timestamp>,
        names: &Names,
        (live, spaces): (&Live, &[SpaceSummary]),
    ) -> AgentActions {
        let summary = spaces.iter().find(|it| it.id == agent);
        let standing = Standing {
            me: live.profile().device,
            members: summary.map_or(&[], |it| it.members.as_slice()),
            grants: &self.grants,
            agent,
            now: fresh::now(),
        };
        let row = |it: &Request| {
            let agreed = it.said.contains(&(standing.me, true));
            let described = self.catalogue.actions.get(&it.wish.action);
            let agree = it.said.iter().filter(|(_by, agrees)| *agrees).count();
            let agree = u32::try_from(agree).unwrap_or(u32::MAX);
            RequestRow {
                id: it.id,
                request: it.wish.clone(),
                who: names.of(it.by),
                at: it.at,
                said: it
                    .said
                    .iter()
                    .map(|(by, agrees)| (names.of(*by), *agrees))
                    .collect(),
                lacks: described.map_or(0, |it| it.approvals.saturating_sub(agree)),
                may: standing.may_answer((it.by, &it.wish.action), agreed),
                started: it.started.map(|(at, _by)| at),
                starts: it.starts,
                maintenance: it.maintenance,
                attempt: it.attempt.clone(),
                heard: match (it.started, &it.result) {
                    (Some((_at, by)), None) => live.heard_output((agent, by), it.id),
                    _ => HeardOutput::default(),
                },
                result: it.result.clone(),
                unheard,
                read_at: standing.now,
            }
        };
        AgentActions {
            agent,
            label,
            unheard,
            actions: self.catalogue.actions.clone(),
            maintenance: self.catalogue.maintenance.clone(),
            requests: self.requests.iter().map(row).collect(),
            values: Arc::clone(&self.values),
            proposed: self.proposed.clone(),
        }
    }
}

/// What the host told who asked by an action, by the check that was asked for.
fn told<T, E>(
    requests: &[Request],
    action: &str,
    parse: impl Fn(&[u8]) -> Result<T, E>,
) -> BTreeMap<String, Told<T>> {
    let mut told: BTreeMap<String, Told<T>> = BTreeMap::new();
    // The newest stand first.
    for request in requests.iter().filter(|it| it.wish.action == action) {
        let check = request.wish.arguments.get(CHECK_PARAMETER);
        let check = check.cloned().unwrap_or_default();
        let known = told.get(&check);
        if known.is_some_and(|known| known.last.is_some()) {
            continue;
        }
        let (came, answer) = answer_of(request, &parse);
        let answer = answer.map(|answer| (request.at, Arc::new(answer)));
        if let Some(known) = told.get_mut(&check) {
            known.last = answer;
            continue;
        }
        let first = Told {
            at: request.at,
            came,
            last: answer,
        };
        told.insert(check, first);
    }
    told
}

fn answer_of<T, E>(
    request: &Request,
    parse: impl Fn(&[u8]) -> Result<T, E>,
) -> (Answer, Option<T>) {
    let Some(result) = &request.result else {
        return (Answer::Waits, None);
    };
    let words = || {
        let tail = super::runs::shown(&result.tail);
        tail.lines().last().unwrap_or_default().to_owned()
    };
    match &result.outcome {
        Outcome::Exit(0) => match parse(&result.tail) {
            Ok(answer) => (Answer::Came, Some(answer)),
            Err(_) => (Answer::Unreadable, None),
        },
        Outcome::Refused(why) => (Answer::Refused(why.to_string()), None),
        Outcome::Exit(_) | Outcome::Signal(_) | Outcome::TimedOut | Outcome::Unknown => {
            (Answer::Failed(words()), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(n: u8, check: &str, result: Option<(Outcome, &str)>) -> Request {
        let id = EnvelopeId::from_bytes([n; 32]);
        Request {
            id,
            by: AuthorId::from_bytes([1; 32]),
            at: Timestamp::from_millis(i64::from(n) * 1_000),
            wish: ActionRequest {
                again: None,
                agent: SpaceId::ZERO,
                action: SERIES_ACTION.to_owned(),
                definition: [0; 32],
                arguments: BTreeMap::from([(CHECK_PARAMETER.to_owned(), check.to_owned())]),
                not_before: Timestamp::ZERO,
                end: Timestamp::MAX,
                reason: String::new(),
                alert: None,
            },
            said: Vec::new(),
            started: None,
            starts: 0,
            maintenance: None,
            attempt: None,
            result: result.map(|(outcome, tail)| {
                Arc::new(ActionResult {
                    request: id,
                    outcome,
                    began: Timestamp::ZERO,
                    ended: Timestamp::ZERO,
                    tail: tail.as_bytes().to_vec(),
                    len_bytes: 0,
                    hash: [0; 32],
                })
            }),
        }
    }

    #[test]
    fn the_newest_question_counts_and_an_older_answer_stays_beside_it() {
        let good = r#"{"name":"load","series":[]}"#;
        let requests = [
            request(9, "load", None),
            request(
                8,
                "disk",
                Some((Outcome::Exit(1), "one\nthere is no check disk\n")),
            ),
            request(7, "load", Some((Outcome::Exit(0), "no answer"))),
            request(6, "load", Some((Outcome::Exit(0), good))),
            request(5, "load", Some((Outcome::Exit(0), "never looked at"))),
        ];
        let told = told(&requests, SERIES_ACTION, SeriesAnswer::parse);
        let load = &told["load"];
        assert_eq!(
            (load.at, &load.came),
            (Timestamp::from_millis(9_000), &Answer::Waits)
        );
        let (at, answer) = load.last.as_ref().unwrap();
        assert_eq!(
            (*at, answer.name.as_str()),
            (Timestamp::from_millis(6_000), "load")
        );
        let disk = &told["disk"];
        assert_eq!(
            disk.came,
            Answer::Failed("there is no check disk".to_owned())
        );
        assert_eq!(disk.last, None);
    }
}
