//! A code by which this device came before: it lets it in no second time, and whether what it gave
//! holds still others know better.

use aramaki_sync_core::admission::Verdict;
use aramaki_sync_core::engine::Engine;
use aramaki_sync_core::statement::{Audience, Statement};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};

use super::{Replica, ReplicaError};
use crate::driver;

/// What became of the access that a code gave this device before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CameBefore {
    /// A peer that is connected now holds the same as this device, by which it stands.
    Stands,
    /// It ended: by what is here, or as a peer said since this process began.
    Ended,
}

impl Replica {
    /// Whether this device was let in by that invitation, whatever became of that since.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn came_before(
        &self,
        space: SpaceId,
        invitation: EnvelopeId,
    ) -> Result<bool, ReplicaError> {
        let author = self.author();
        self.inspect(move |engine| !redemptions(engine, space, invitation, author).is_empty())
            .await
    }

    /// What became of that; none while no peer has said anything of it.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn since_then(
        &self,
        space: SpaceId,
        invitation: EnvelopeId,
    ) -> Result<Option<CameBefore>, ReplicaError> {
        let author = self.author();
        let look =
            move |engine: &Engine| since_then(engine, space, invitation, author, driver::now());
        self.inspect(look).await
    }
}

fn since_then(
    engine: &Engine,
    space: SpaceId,
    invitation: EnvelopeId,
    author: AuthorId,
    now: Timestamp,
) -> Option<CameBefore> {
    let own = redemptions(engine, space, invitation, author);
    let mut members = engine.members(space).iter();
    let stands = members.any(|it| own.contains(&it.grant) && it.is_live(now));
    if !stands || engine.is_told_ended(space) {
        return Some(CameBefore::Ended);
    }
    (!engine.in_step(space).is_empty()).then_some(CameBefore::Stands)
}

/// The grants that a device gave itself by an invitation and that counted once. One whose invitation is not
/// here yet, or that waits because others were quicker, let nobody in.
fn redemptions(
    engine: &Engine,
    space: SpaceId,
    invitation: EnvelopeId,
    author: AuthorId,
) -> Vec<EnvelopeId> {
    let (Some(log), Some(evaluation)) = (engine.log(space), engine.evaluation(space)) else {
        return Vec::new();
    };
    let own = |statement: &Statement| {
        matches!(statement, Statement::Grant(grant)
            if grant.parent == Some(invitation) && grant.audience == Audience::Author(author))
    };
    let counted = |id| matches!(evaluation.verdict(id), Verdict::Admitted | Verdict::Cut);
    let control = log.control();
    let own = control.filter(|(entry, statement)| own(statement) && counted(entry.id()));
    own.map(|(entry, _statement)| entry.id()).collect()
}
