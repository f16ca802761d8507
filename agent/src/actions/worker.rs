//! From the agent's Space to programs and back: takes requests, decides them, runs them once, tells.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use aramaki_model::action::{
    ActionGrant, ActionRecord, ActionResult, ActionWish, Approval, Attempt, Outcome, RefusedFor,
};
use aramaki_model::maintenance::redundancy::GroupsHeld;
use aramaki_sync::replica::{Replica, ReplicaError, ReplicaEvent, SpaceSummary};
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::engine::Admitted;
use aramaki_sync_core::statement::{Body, Capability};
use aramaki_sync_core::{AuthorId, DocumentId, EnvelopeId, SpaceId, Timestamp};
use serde_bytes::ByteBuf;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::attempts::Attempts;
use super::catalogue::Actions;
use super::decide::{Asked, Decision, Person, View, decide};
use super::definition::Definition;
use super::execute::{self, Ran};
use super::journal::{Journal, JournalError, Row};
use super::tell::{Tap, Teller};
use crate::service::now;

/// How often is looked while a request waits: whether somebody is in touch is no event.
const WAIT_PAUSE: Duration = Duration::from_secs(1);
/// How long is waited at most for a window that is not open: clocks are set, and machines sleep.
const LATER_PAUSE_MAX: Duration = Duration::from_secs(30);
/// How often is tried to tell what could not be told.
const RETRY_PAUSE: Duration = Duration::from_secs(30);
/// Requests that are looked at; more of them are a flood, and wait.
const OPEN_MAX: usize = 1_000;

/// The agent's hands.
pub(crate) struct Worker {
    pub(crate) replica: Replica,
    /// The agent's own Space.
    pub(crate) space: SpaceId,
    pub(crate) agent: AuthorId,
    /// Where the journal is.
    pub(crate) data: PathBuf,
    /// Where the host says what is allowed, and to whom that must belong.
    pub(crate) folder: PathBuf,
    pub(crate) owner: u32,
}

/// What a run left, for which request.
type Done = (EnvelopeId, Timestamp, Ran);

/// Everything that the Space says about actions.
#[derive(Default)]
struct Said {
    grants: Vec<ActionGrant>,
    requests: Vec<Asked>,
    approvals: Vec<(AuthorId, Approval)>,
    /// Requests that this agent began, or has done with, in any life.
    begun: BTreeSet<EnvelopeId>,
    settled: BTreeSet<EnvelopeId>,
}

/// When to look again.
enum Next {
    Event,
    After(Duration),
}

impl Said {
    /// Requests that are to be decided; of a flood the first.
    fn open(&self, journal: &Journal) -> Vec<&Asked> {
        let open = self.requests.iter().filter(|asked| {
            let row = journal.rows.get(&asked.id);
            let is_open = row.is_none_or(|row| row.again_at().is_some());
            is_open && !self.settled.contains(&asked.id)
        });
        open.take(OPEN_MAX).collect()
    }
}

/// When to look again: soon as somebody is waited for, when it is later, or as something was not told.
fn next(soon: Option<Duration>, later: Option<Timestamp>, all_told: bool) -> Next {
    let later = later.map(|at| at.since(now()).clamp(WAIT_PAUSE / 10, LATER_PAUSE_MAX));
    match soon.into_iter().chain(later).min() {
        Some(pause) => Next::After(pause),
        None if all_told => Next::Event,
        None => Next::After(RETRY_PAUSE),
    }
}

impl Worker {
    /// Works until `stop`. Without a journal nothing is run: that is reported, and the agent observes on.
    pub(crate) async fn work(self, stop: &CancellationToken) {
        if let Err(error) = self.try_work(stop).await {
            tracing::error!(error = %crate::net::chain(&error), "actions are off until the agent is started again");
        }
    }

    async fn try_work(&self, stop: &CancellationToken) -> Result<(), WorkError> {
        let instance = self.replica.chain().instance;
        let mut journal = Journal::read(&self.data, instance, now())?;
        for (request, row) in &mut journal.rows {
            if row.is_open() {
                tracing::warn!(%request, "the agent ended while this action ran: how it ended is not known");
                row.result = Some(encoded(*request, row.at, now(), Outcome::Unknown, None)?);
            }
        }
        // Before anything else: the records begin on disk, whatever happens next.
        journal.write(&self.data)?;
        let mut events = self.replica.subscribe();
        let mut runs: JoinSet<Done> = JoinSet::new();
        let mut contact = None;
        loop {
            let next = match self.look(&mut journal, &mut runs, &mut contact).await {
                Ok(next) => next,
                Err(WorkError::Replica(ReplicaError::Closed)) => return Ok(()),
                // A full disk gets room again, and who was not let in yet may be later.
                Err(error) => {
                    tracing::warn!(error = %crate::net::chain(&error), "actions wait");
                    Next::After(RETRY_PAUSE)
                }
            };
            let pause = async {
                match next {
                    Next::Event => std::future::pending().await,
                    Next::After(pause) => tokio::time::sleep(pause).await,
                }
            };
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = stop.cancelled() => {
                        // Dropping the runs kills their process groups; they are unknown then.
                        runs.shutdown().await;
                        return Ok(());
                    }
                    Some(done) = runs.join_next() => {
                        match done.map(|done| self.done(&mut journal, done)) {
                            Ok(Ok(())) => {}
                            // The result is in memory, and goes to disk with the next that does.
                            Ok(Err(error)) => {
                                tracing::error!(error = %crate::net::chain(&error), "a result is not on disk yet");
                            }
                            Err(error) => tracing::error!(%error, "a run was lost"),
                        }
                        break;
                    }
                    event = events.recv() => match event {
                        Ok(event) if self.concerns(&event) => break,
                        Ok(_other) => {}
                        Err(RecvError::Lagged(_missed)) => break,
                        Err(RecvError::Closed) => return Ok(()),
                    },
                    () = &mut pause => break,
                }
            }
        }
    }

    fn concerns(&self, event: &ReplicaEvent) -> bool {
        match event {
            ReplicaEvent::Admitted { space, entries } => {
                *space == self.space && entries.iter().any(|it| it.document == document())
            }
            ReplicaEvent::Space { space } | ReplicaEvent::Rebuilt { space } => *space == self.space,
            _ => false,
        }
    }

    /// Who may read the Systems to which this agent reports; none where one of them is not here, because
    /// nobody let the agent keep it.
    async fn readers(
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

    /// Decides what there is to decide, begins what is to be run, and tells what is new.
    async fn look(
        &self,
        journal: &mut Journal,
        runs: &mut JoinSet<Done>,
        contact: &mut Option<Timestamp>,
    ) -> Result<Next, WorkError> {
        let clock = journal.tick(now());
        let summary = match self.replica.space(self.space).await {
            // Nobody has let this agent in yet.
            Err(ReplicaError::UnknownSpace(_)) => return Ok(Next::Event),
            summary => summary?,
        };
        // The host's files have the last word, as they are now.
        let actions = Actions::read(&self.folder, self.owner);
        self.tell_catalogue(journal, &actions).await?;
        let said = self.said().await?;
        let readers = self.readers(&summary).await?;
        let people = people(&summary.members, readers.as_ref());
        let (in_step, instance) = self.replica.in_step(self.space).await?;
        if journal.begin_life(instance, now()) {
            journal.write(&self.data)?;
        }
        if Self::is_in_touch(&summary.members, &in_step) {
            *contact = Some(now());
        }
        let groups = self.groups().await?;
        let mut soon = None;
        let mut later: Option<Timestamp> = None;
        for asked in said.open(journal) {
            let id = asked.id;
            if said.begun.contains(&id) && !journal.rows.contains_key(&id) {
                // Another life of this store began it.
                let result = encoded(id, asked.at, now(), Outcome::Unknown, None)?;
                self.settle(journal, asked, result)?;
                continue;
            }
            let view = View {
                now: now(),
                clock,
                agent: self.space,
                actions: &actions,
                journal,
                people: &people,
                grants: &said.grants,
                approvals: &said.approvals,
                contact: *contact,
                groups: groups.as_ref(),
            };
            match decide(asked, &view) {
                Decision::Wait(_until) => soon = Some(WAIT_PAUSE),
                Decision::Later(at) => later = Some(later.map_or(at, |known| known.min(at))),
                Decision::Refuse(refused) => {
                    tracing::info!(request = %id, by = %asked.by.short(), action = asked.request.action, %refused, "an action was refused");
                    let outcome = Outcome::Refused(refused);
                    let result = encoded(id, now(), now(), outcome, None)?;
                    self.settle(journal, asked, result)?;
                }
                Decision::Run {
                    definition,
                    argv,
                    same,
                } => {
                    if let Some(at) = self.begin(journal, asked, &definition, same).await? {
                        tracing::info!(request = %id, by = %asked.by.short(), action = definition.name, "an action begins");
                        self.spawn(runs, (id, at), (definition, argv));
                    }
                }
            }
        }
        let all_told = self.tell(journal).await?;
        Ok(next(soon, later, all_told))
    }

    /// What administrators told of redundancy groups; the highest generation counts. None when the last
    /// of it cannot be read: then nobody knows what must stay in service.
    async fn groups(&self) -> Result<Option<GroupsHeld>, WorkError> {
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

    /// Runs a program, and tells what it says beside it: nothing that hears slowly slows the program.
    fn spawn(
        &self,
        runs: &mut JoinSet<Done>,
        (request, at): (EnvelopeId, Timestamp),
        (definition, argv): (Box<Definition>, Vec<String>),
    ) {
        let tap = Tap::default();
        let place = (self.replica.clone(), self.space);
        let teller = Teller::new(request, tap.clone(), place, runs.len());
        runs.spawn(async move {
            let _telling = teller.start();
            let ran = execute::run_heard(&definition, &argv, tap).await;
            (request, at, ran)
        });
    }

    /// Notes that a request is run, and tells so; none when it is not run after all, because nobody could
    /// be told.
    async fn begin(
        &self,
        journal: &mut Journal,
        asked: &Asked,
        definition: &Definition,
        same: [u8; 32],
    ) -> Result<Option<Timestamp>, WorkError> {
        let (id, at) = (asked.id, now());
        let before = journal.rows.get(&id).cloned();
        let attempts = before.as_ref().and_then(|row| row.attempts);
        let attempts = match (attempts, asked.maintenance.and(definition.maintenance)) {
            (Some(attempts), _) => Some(attempts.next()),
            (None, rule) => rule.map(|rule| Attempts::first(rule, asked.request.end)),
        };
        let row = Row {
            at,
            action: asked.request.action.clone(),
            same,
            result: None,
            ran: true,
            told: false,
            attempts,
            untold: before
                .as_ref()
                .map(|row| row.untold.clone())
                .unwrap_or_default(),
        };
        // On disk before anything happens: from here on this attempt is never begun again.
        journal.rows.insert(id, row);
        if let Err(error) = journal.write(&self.data) {
            // Nothing was begun: it is looked at again.
            match before {
                Some(before) => drop(journal.rows.insert(id, before)),
                None => drop(journal.rows.remove(&id)),
            }
            return Err(error.into());
        }
        let started = ActionRecord::Started { request: id, at };
        let Err(error) = self.write(&started).await else {
            return Ok(Some(at));
        };
        tracing::warn!(%error, request = %id, "an action is not run: nobody could be told");
        let outcome = Outcome::Refused(RefusedFor::NotStarted(error.to_string()));
        if let Some(row) = journal.rows.get_mut(&id) {
            row.ran = false;
            row.result = Some(encoded(id, at, now(), outcome, None)?);
        }
        journal.write(&self.data)?;
        Ok(None)
    }

    /// Notes what became of a request that was not run here.
    fn settle(
        &self,
        journal: &mut Journal,
        asked: &Asked,
        result: Vec<u8>,
    ) -> Result<(), WorkError> {
        let row = journal.rows.entry(asked.id).or_insert_with(|| Row {
            at: now(),
            action: asked.request.action.clone(),
            same: [0; 32],
            result: None,
            ran: false,
            told: false,
            attempts: None,
            untold: Vec::new(),
        });
        row.result = Some(result);
        row.told = false;
        if let Some(attempts) = &mut row.attempts {
            attempts.again_at = None;
        }
        Ok(journal.write(&self.data)?)
    }

    fn done(&self, journal: &mut Journal, (id, began, ran): Done) -> Result<(), WorkError> {
        tracing::info!(request = %id, outcome = ?ran.outcome, "an action ended");
        let row = journal.rows.get_mut(&id);
        let attempts = row.and_then(|row| Some((row.attempts.as_mut()?, &mut row.untold)));
        if let Some((attempts, untold)) = attempts
            && let Some(again_at) = attempts.after(&ran.outcome, now())
        {
            attempts.again_at = Some(again_at);
            let attempt = Attempt {
                request: id,
                number: attempts.begun,
                began,
                ended: now(),
                again_at,
                tail: ran.output.tail.into(),
            };
            untold.push(ActionRecord::Attempt(attempt).encode()?);
            return Ok(journal.write(&self.data)?);
        }
        let result = encoded(id, began, now(), ran.outcome.clone(), Some(ran))?;
        if let Some(row) = journal.rows.get_mut(&id) {
            row.result = Some(result);
        }
        Ok(journal.write(&self.data)?)
    }

    /// Writes results that are not in the Space yet; whether none is left.
    async fn tell(&self, journal: &mut Journal) -> Result<bool, WorkError> {
        let mut all = self.tell_attempts(journal).await?;
        let mut told = Vec::new();
        for (request, row) in &journal.rows {
            let Some(result) = row.result.as_ref().filter(|_result| !row.told) else {
                continue;
            };
            let body = Body::ActionRecord(ByteBuf::from(result.clone()));
            match self.replica.write(self.space, document(), body).await {
                Ok(_written) => told.push(*request),
                Err(ReplicaError::Closed) => return Ok(true),
                Err(error) => {
                    tracing::warn!(%error, %request, "an action's result is not told yet");
                    all = false;
                }
            }
        }
        if !told.is_empty() {
            for request in told {
                if let Some(row) = journal.rows.get_mut(&request) {
                    row.told = true;
                }
            }
            journal.write(&self.data)?;
        }
        Ok(all)
    }

    /// Writes what is to be said of attempts, oldest first; whether none is left.
    async fn tell_attempts(&self, journal: &mut Journal) -> Result<bool, WorkError> {
        let (mut all, mut any) = (true, false);
        for (request, row) in &mut journal.rows {
            while let Some(first) = row.untold.first() {
                let body = Body::ActionRecord(ByteBuf::from(first.clone()));
                match self.replica.write(self.space, document(), body).await {
                    Ok(_written) => {
                        any = true;
                        row.untold.remove(0);
                    }
                    Err(ReplicaError::Closed) => return Ok(true),
                    Err(error) => {
                        tracing::warn!(%error, %request, "an attempt is not told yet");
                        all = false;
                        break;
                    }
                }
            }
        }
        if any {
            journal.write(&self.data)?;
        }
        Ok(all)
    }

    /// Tells people what this host allows, when that has changed.
    async fn tell_catalogue(
        &self,
        journal: &mut Journal,
        actions: &Actions,
    ) -> Result<(), WorkError> {
        let catalogue = actions.described(Timestamp::ZERO);
        let digest = ActionRecord::Catalogue(catalogue).encode()?;
        let digest = *blake3::hash(&digest).as_bytes();
        let is_nothing_new = journal.told_catalogue.is_none() && actions.definitions.is_empty();
        if journal.told_catalogue == Some(digest) || is_nothing_new {
            return Ok(());
        }
        for refused in &actions.refused {
            tracing::warn!(error = %crate::net::chain(refused), "an action is not allowed");
        }
        let record = ActionRecord::Catalogue(actions.described(now()));
        match self.write(&record).await {
            Ok(()) => {
                journal.told_catalogue = Some(digest);
                Ok(journal.write(&self.data)?)
            }
            // Nobody let this agent in yet: it is told later.
            Err(error) => {
                tracing::debug!(%error, "what this host allows is not told yet");
                Ok(())
            }
        }
    }

    async fn write(&self, record: &ActionRecord) -> Result<(), WorkError> {
        let body = Body::ActionRecord(ByteBuf::from(record.encode()?));
        self.replica.write(self.space, document(), body).await?;
        Ok(())
    }

    /// What the Space says about actions; what cannot be read is left out and reported.
    async fn said(&self) -> Result<Said, WorkError> {
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

    /// Whether somebody is in touch who would have told of a revocation, and of what this agent did before
    /// its store was brought back from a copy.
    fn is_in_touch(members: &[Member], in_step: &[AuthorId]) -> bool {
        let now = now();
        members.iter().any(|member| {
            in_step.contains(&member.author) && member.is_live(now) && would_tell(member)
        })
    }
}

/// Why actions are off.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the replica does not answer")]
    Replica(#[from] ReplicaError),
    #[error("a statement cannot be encoded")]
    Encode(#[from] aramaki_model::versioned::EncodeError),
}

fn groups_document() -> DocumentId {
    aramaki_model::name::agent_groups()
}

fn document() -> DocumentId {
    aramaki_model::name::actions()
}

fn would_tell(member: &Member) -> bool {
    member.capability == Capability::Relay || member.is_witness()
}

/// Whoever may ask or approve at all, by their grants here. One who was let in by a person is no guest.
fn people(members: &[Member], readers: Option<&BTreeSet<AuthorId>>) -> BTreeMap<AuthorId, Person> {
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

fn encoded(
    request: EnvelopeId,
    began: Timestamp,
    ended: Timestamp,
    outcome: Outcome,
    ran: Option<Ran>,
) -> Result<Vec<u8>, WorkError> {
    let output = ran.map(|ran| ran.output).unwrap_or_default();
    let result = ActionResult {
        request,
        outcome,
        began,
        ended,
        len_bytes: output.len_bytes,
        hash: output.hash(),
        tail: output.tail.into(),
    };
    Ok(ActionRecord::Result(Box::new(result)).encode()?)
}
