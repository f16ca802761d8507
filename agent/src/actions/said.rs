//! What the agent's Space says about actions: who asks for what, who agrees, and who they are.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::action::{ActionGrant, ActionRecord, ActionWish, Approval};
use aramaki_model::maintenance::redundancy::GroupsHeld;
use aramaki_sync::replica::{ReplicaError, SpaceSummary};
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::engine::Admitted;
use aramaki_sync_core::statement::{Body, Capability};
use aramaki_sync_core::{AuthorId, DocumentId, EnvelopeId};

use super::decide::{Asked, Person};
use super::journal::Journal;
use super::worker::{WorkError, Worker, document};
use crate::service::now;

/// Requests that are looked at; more of them are a flood, and wait.
const OPEN_MAX: usize = 1_000;

/// Everything that the Space says about actions.
#[derive(Default)]
pub(super) struct Said {
    pub(super) grants: Vec<ActionGrant>,
    pub(super) requests: Vec<Asked>,
    pub(super) approvals: Vec<(AuthorId, Approval)>,
    /// Requests that this agent began, or has done with, in any life.
    pub(super) begun: BTreeSet<EnvelopeId>,
    pub(super) settled: BTreeSet<EnvelopeId>,
}

impl Said {
    /// Requests that are to be decided; of a flood the first.
    pub(super) fn open(&self, journal: &Journal) -> Vec<&Asked> {
        let open = self.requests.iter().filter(|asked| {
            let row = journal.rows.get(&asked.id);
            let is_open = row.is_none_or(|row| row.again_at().is_some());
            is_open && !self.settled.contains(&asked.id)
        });
        open.take(OPEN_MAX).collect()
    }
}

impl Worker {
    /// What the Space says about actions; what cannot be read is left out and reported.
    pub(super) async fn said(&self) -> Result<Said, WorkError> {
        let mut said = Said::default();
        for entry in self.replica.bodies(self.space, document()).await? {
            let id = entry.id;
            if let Err(error) = self.take(&mut said, entry) {
                tracing::debug!(%error, envelope = %id.short(), "a statement about actions cannot be read");
            }
        }
        Ok(said)
    }

    fn take(
        &self,
        said: &mut Said,
        entry: Admitted,
    ) -> Result<(), aramaki_model::versioned::DecodeError> {
        let by = entry.chain.author;
        match entry.body {
            Some(Body::ActionGrant(bytes)) => said.grants.push(ActionGrant::decode(&bytes)?),
            Some(Body::ActionRequest(bytes)) => match ActionWish::decode(&bytes)? {
                ActionWish::Request(request) => said.requests.push(Asked {
                    id: entry.id,
                    request,
                    by,
                    at: entry.time,
                    maintenance: None,
                    groups: 0,
                }),
                ActionWish::Maintenance {
                    request,
                    item,
                    groups,
                } => said.requests.push(Asked {
                    id: entry.id,
                    request,
                    by,
                    at: entry.time,
                    maintenance: Some(item),
                    groups,
                }),
                ActionWish::Approval(approval) => said.approvals.push((by, approval)),
                _ => {}
            },
            Some(Body::ActionRecord(bytes)) if by == self.agent => {
                match ActionRecord::decode(&bytes)? {
                    ActionRecord::Started { request, .. } => drop(said.begun.insert(request)),
                    ActionRecord::Result(result) => drop(said.settled.insert(result.request)),
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Who may read the Systems to which this agent reports; none where one of them is not here, because
    /// nobody let the agent keep it.
    pub(super) async fn readers(
        &self,
        summary: &SpaceSummary,
    ) -> Result<Option<BTreeSet<AuthorId>>, WorkError> {
        let now = now();
        let systems: Vec<_> = summary
            .audiences
            .iter()
            .filter(|it| it.is_live(now))
            .collect();
        if systems.is_empty() {
            return Ok(None);
        }
        let mut readers = BTreeSet::new();
        for system in systems {
            let system = match self.replica.space(system.space).await {
                Err(ReplicaError::UnknownSpace(_)) => return Ok(None),
                system => system?,
            };
            let people = system.members.iter();
            let reading = people.filter(|it| it.reads(now) && !it.is_invitation());
            readers.extend(reading.map(|it| it.author));
        }
        Ok(Some(readers))
    }

    /// What administrators told of redundancy groups; the highest generation counts. None when the last
    /// of it cannot be read: then nobody knows what must stay in service.
    pub(super) async fn groups(&self) -> Result<Option<GroupsHeld>, WorkError> {
        let bodies = self.replica.bodies(self.space, groups_document()).await?;
        let told: Vec<_> = bodies
            .into_iter()
            .filter_map(|entry| match entry.body {
                Some(Body::AgentConfig(bytes)) => Some(GroupsHeld::decode(&bytes)),
                _ => None,
            })
            .collect();
        if let Some(Err(error)) = told.last() {
            tracing::warn!(%error, "what must stay in service cannot be read");
            return Ok(None);
        }
        let newest = told.into_iter().flatten().max_by_key(|it| it.generation);
        Ok(Some(newest.unwrap_or_default()))
    }
}

fn groups_document() -> DocumentId {
    aramaki_model::name::agent_groups()
}

/// Whoever may ask or approve at all, by their grants here. One who was let in by a person is no guest.
pub(super) fn people(
    members: &[Member],
    readers: Option<&BTreeSet<AuthorId>>,
) -> BTreeMap<AuthorId, Person> {
    let now = now();
    let mut people: BTreeMap<AuthorId, Person> = BTreeMap::new();
    for member in members {
        let may = member.capability >= Capability::Comment && !member.is_invitation();
        if !may || !member.is_live(now) {
            continue;
        }
        let person = Person {
            principal: member.principal,
            is_guest: member.guest_of.is_some(),
            is_in_system: readers.is_none_or(|readers| readers.contains(&member.author)),
        };
        people
            .entry(member.author)
            .and_modify(|known| {
                if known.is_guest {
                    *known = person;
                }
            })
            .or_insert(person);
    }
    people
}
