//! What the agent tells in its Space of actions: what this host allows, and what became of requests.

use aramaki_model::action::ActionRecord;
use aramaki_sync::replica::ReplicaError;
use aramaki_sync_core::Timestamp;
use aramaki_sync_core::statement::Body;
use serde_bytes::ByteBuf;

use super::catalogue::Actions;
use super::journal::Journal;
use super::worker::{WorkError, Worker, document};
use crate::service::now;

impl Worker {
    /// Writes results that are not in the Space yet; whether none is left.
    pub(super) async fn tell(&self, journal: &mut Journal) -> Result<bool, WorkError> {
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
    pub(super) async fn tell_attempts(&self, journal: &mut Journal) -> Result<bool, WorkError> {
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
    pub(super) async fn tell_catalogue(
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

    pub(super) async fn write(&self, record: &ActionRecord) -> Result<(), WorkError> {
        let body = Body::ActionRecord(ByteBuf::from(record.encode()?));
        self.replica.write(self.space, document(), body).await?;
        Ok(())
    }
}
