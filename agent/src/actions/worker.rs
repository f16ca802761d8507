//! From the agent's Space to programs and back: takes requests, decides them, runs them once, tells.

use std::path::PathBuf;
use std::time::Duration;

use aramaki_model::action::{ActionRecord, ActionResult, Attempt, Outcome, RefusedFor};
use aramaki_sync::replica::{Replica, ReplicaError, ReplicaEvent};
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, DocumentId, EnvelopeId, SpaceId, Timestamp};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::attempts::Attempts;
use super::catalogue::Actions;
use super::decide::{Asked, Decision, View, decide};
use super::definition::Definition;
use super::execute::{self, Ran};
use super::journal::{Journal, JournalError, Row};
use super::said::people;
use super::tell::{Tap, Teller};
use crate::service::now;

/// How often is looked while a request waits: whether somebody is in touch is no event.
const WAIT_PAUSE: Duration = Duration::from_secs(1);
/// How long is waited at most for a window that is not open: clocks are set, and machines sleep.
const LATER_PAUSE_MAX: Duration = Duration::from_secs(30);
/// How often is tried to tell what could not be told.
const RETRY_PAUSE: Duration = Duration::from_secs(30);

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

/// When to look again.
enum Next {
    Event,
    After(Duration),
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
pub(super) enum WorkError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the replica does not answer")]
    Replica(#[from] ReplicaError),
    #[error("a statement cannot be encoded")]
    Encode(#[from] aramaki_model::versioned::EncodeError),
}

pub(super) fn document() -> DocumentId {
    aramaki_model::name::actions()
}

fn would_tell(member: &Member) -> bool {
    member.capability == Capability::Relay || member.is_witness()
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
