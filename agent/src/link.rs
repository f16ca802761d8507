//! From the agent to its Space: journal entries as sealed envelopes, heartbeats, its configuration.

use aramaki_model::{
    AdmittedChange, AgentConfig, ChangeScope, EditError, EntryId, EnvelopeLinks, Finding,
    JournalEntry, Workspace, name,
};
use aramaki_sync::replica::{Lineage, Replica, ReplicaError, ReplicaEvent};
use aramaki_sync_core::engine::{Admitted, WriteError, Written};
use aramaki_sync_core::statement::Body;
use aramaki_sync_core::{AuthorId, Chain, DocumentId, SpaceId, Timestamp};
use serde_bytes::ByteBuf;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::{JoinError, JoinHandle};

use crate::service::{Outlet, Standing};
use crate::state::Pending;

const DAY_MS: i64 = 86_400_000;

/// Why something did not reach the Space.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum LinkError {
    /// The journal did not take it.
    #[error("the journal cannot be edited")]
    Edit(#[from] EditError),
    /// The replica did not take it.
    #[error("the replica did not take it")]
    Replica(#[from] ReplicaError),
    /// The invitation was not answered yet, or this agent's access has ended.
    #[error("nobody let this agent in yet, or its access ended; what it observes is kept here")]
    NotLetIn,
    /// The write ended without an answer.
    #[error("a write of the journal was lost")]
    Lost(#[from] JoinError),
}

/// An agent's own Space.
pub(crate) struct Link {
    replica: Replica,
    space: SpaceId,
    events: broadcast::Receiver<ReplicaEvent>,
    workspace: Workspace,
    /// The day whose journal is in the workspace; none: it must be read before the next entry.
    day: Option<i64>,
    /// A write that was begun. Who waited for it may have given up, the write has not: before it
    /// ended nothing is known about the journal on disk.
    writing: Option<JoinHandle<Result<Written, ReplicaError>>>,
    /// Whether entries of another chain of this agent were let in.
    late: bool,
}

impl Link {
    pub(crate) fn new(replica: Replica, space: SpaceId) -> Self {
        let events = replica.subscribe();
        Self {
            replica,
            space,
            events,
            workspace: Workspace::new(),
            day: None,
            writing: None,
            late: false,
        }
    }

    /// Waits for a write that was begun.
    async fn settle(&mut self) -> Result<(), LinkError> {
        if let Some(writing) = &mut self.writing {
            let ended = writing.await;
            self.writing = None;
            let written = ended?.map_err(|error| match error {
                ReplicaError::Write(WriteError::NotAllowed | WriteError::NoKey) => {
                    LinkError::NotLetIn
                }
                error => LinkError::Replica(error),
            })?;
            tracing::debug!(seq = written.seq, "the journal grew");
        }
        Ok(())
    }

    /// Writes changes of a document, and returns when they are durable.
    async fn write(
        &mut self,
        chain: Chain,
        document: DocumentId,
        changes: Vec<Vec<u8>>,
    ) -> Result<(), LinkError> {
        if changes.is_empty() {
            return Ok(());
        }
        let body = Body::Changes(changes.into_iter().map(ByteBuf::from).collect());
        let (replica, space) = (self.replica.clone(), self.space);
        let write = async move { replica.write_in(chain, space, document, body).await };
        self.writing = Some(tokio::spawn(write));
        self.settle().await
    }

    /// Reads the journal of the day, and the sums of its month, as the replica holds it: an edit must build on all of it.
    async fn prepare(&mut self, now: Timestamp) -> Result<(), LinkError> {
        let day = now.millis().div_euclid(DAY_MS);
        if self.day == Some(day) {
            return Ok(());
        }
        let mut workspace = Workspace::new();
        workspace.open_space(self.space);
        for named in [name::journal, name::days] {
            let mut segment = 0;
            loop {
                let document = named(now, segment);
                let bodies = self.replica.bodies(self.space, document).await?;
                if bodies.is_empty() {
                    break;
                }
                let own = own_changes(bodies, self.replica.chain().author);
                let lineage = self
                    .replica
                    .lineage(self.space, workspace.linked(&self.space));
                let links: Vec<_> = lineage.await?.into_iter().map(links).collect();
                report(&workspace.link(self.space, &links));
                report(&workspace.admit(self.space, document, &own));
                segment += 1;
            }
        }
        self.workspace = workspace;
        self.day = Some(day);
        Ok(())
    }
}

impl Link {
    /// Whether these are of a chain of this agent in which it does not write any more.
    fn are_late(&self, entries: &[Admitted]) -> bool {
        let own = self.replica.chain();
        let mut chains = entries.iter().map(|entry| entry.chain);
        chains.any(|chain| chain.author == own.author && chain != own)
    }
}

impl Outlet for Link {
    type Error = LinkError;

    fn standing(&mut self) -> Standing {
        Standing {
            chain: self.replica.chain().instance.0,
            late: std::mem::take(&mut self.late),
        }
    }

    async fn append(
        &mut self,
        entries: &[Pending],
        carried: &[JournalEntry],
        now: Timestamp,
    ) -> Result<(), LinkError> {
        self.settle().await?;
        self.prepare(now).await?;
        // From here until the write has succeeded the workspace is ahead of the disk: whatever goes
        // wrong, it is read anew.
        let day = self.day.take();
        let chain = self.replica.chain();
        let entries = entries
            .iter()
            .map(|pending| (pending.id, JournalEntry::decode(&pending.entry)));
        let (sums, entries): (Vec<_>, Vec<_>) =
            entries.partition(|(_, entry)| matches!(entry, JournalEntry::Days { .. }));
        if !entries.is_empty() {
            let edit = self
                .workspace
                .append_journal(self.space, &chain, now, &entries)?;
            let mut changes = edit.changes;
            if edit.is_new_document && !carried.is_empty() {
                let states = (0_u8..).zip(carried.iter().cloned());
                let states: Vec<_> = states.map(|(n, entry)| (state_id(now, n), entry)).collect();
                let edit = self
                    .workspace
                    .append_journal(self.space, &chain, now, &states)?;
                changes.extend(edit.changes);
            }
            self.write(chain, edit.document, changes).await?;
        }
        if !sums.is_empty() {
            let edit = self.workspace.append_days(self.space, &chain, now, &sums)?;
            self.write(chain, edit.document, edit.changes).await?;
        }
        self.day = day;
        Ok(())
    }

    async fn send(&mut self, bytes: Vec<u8>) -> Result<(), LinkError> {
        Ok(self
            .replica
            .send_ephemeral(self.space, heartbeats(), bytes)
            .await?)
    }

    async fn configuration(&mut self) -> Result<Option<AgentConfig>, LinkError> {
        let bodies = self.replica.bodies(self.space, configurations()).await?;
        let configs = bodies.into_iter().filter_map(|admitted| match admitted.body {
            Some(Body::AgentConfig(bytes)) => match AgentConfig::decode(&bytes) {
                Ok(config) => Some(config),
                Err(error) => {
                    tracing::warn!(%error, envelope = %admitted.id.short(), "a configuration cannot be read");
                    None
                }
            },
            _ => None,
        });
        let newest = configs.max_by_key(|config| config.generation);
        if let Some(config) = &newest {
            // Sealed to its readers: who they are now is said there.
            self.replica.follow(config.system).await?;
        }
        Ok(newest)
    }

    async fn changed(&mut self) {
        loop {
            match self.events.recv().await {
                Ok(ReplicaEvent::Admitted { space, entries })
                    if space == self.space && self.are_late(&entries) =>
                {
                    self.late = true;
                    self.day = None;
                    return;
                }
                Ok(ReplicaEvent::Admitted { space, entries })
                    if space == self.space
                        && entries
                            .iter()
                            .any(|entry| entry.document == configurations()) =>
                {
                    return;
                }
                Ok(ReplicaEvent::Space { space }) if space == self.space => return,
                Ok(ReplicaEvent::Rebuilt { space }) if space == self.space => {
                    self.day = None;
                    return;
                }
                Ok(_) => {}
                // Whatever was missed: reading the configuration anew finds it.
                Err(RecvError::Lagged(_missed)) => return,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

fn configurations() -> DocumentId {
    DocumentId::named("agent-config")
}

fn heartbeats() -> DocumentId {
    DocumentId::named("heartbeat")
}

fn links(entry: Lineage) -> EnvelopeLinks {
    EnvelopeLinks {
        id: entry.id,
        previous: entry.previous,
        ancestors: entry.ancestors,
    }
}

fn report(findings: &[Finding]) {
    for finding in findings {
        tracing::warn!(?finding, "an entry of the journal was left out");
    }
}

/// What an agent itself wrote, for the workspace. Its Space is written by it alone: what somebody else wrote
/// there says nothing to readers, and a decoder that was not made for hostile bytes never sees it.
fn own_changes(admitted: Vec<Admitted>, own: AuthorId) -> Vec<AdmittedChange> {
    let changes = admitted
        .into_iter()
        .filter(|admitted| admitted.chain.author == own)
        .filter_map(|admitted| match admitted.body {
            Some(Body::Changes(changes)) => Some(AdmittedChange {
                chain: admitted.chain,
                id: admitted.id,
                changes: changes.into_iter().map(ByteBuf::into_vec).collect(),
                scope: ChangeScope::Documents,
            }),
            _ => None,
        });
    changes.collect()
}

/// Ids of carried states: they stand before anything that happens later.
fn state_id(now: Timestamp, number: u8) -> EntryId {
    let mut random = [0xff; 10];
    random[9] = number;
    EntryId::new(now, random)
}

#[cfg(test)]
mod tests {
    use aramaki_sync_core::{EnvelopeId, Instance};

    use super::*;

    fn admitted(author: u8, number: u8) -> Admitted {
        Admitted {
            id: EnvelopeId::from_bytes([number; 32]),
            document: name::journal(Timestamp::ZERO, 0),
            chain: Chain {
                author: AuthorId::from_bytes([author; 32]),
                instance: Instance(number.into()),
            },
            seq: 1,
            time: Timestamp::ZERO,
            ancestors: Vec::new(),
            body: Some(Body::Changes(vec![ByteBuf::from([number])])),
        }
    }

    /// Somebody who administers an agent's Space can write in its journal by the rules, bytes that break a
    /// decoder too. The agent reads what it wrote itself, under every instance of its own.
    #[test]
    fn an_agent_decodes_no_change_of_anybody_else() {
        let bodies = vec![admitted(1, 1), admitted(9, 2), admitted(1, 3)];
        let own = own_changes(bodies, AuthorId::from_bytes([1; 32]));
        let kept: Vec<_> = own.into_iter().flat_map(|it| it.changes).collect();
        assert_eq!(kept, [[1], [3]]);
    }
}
