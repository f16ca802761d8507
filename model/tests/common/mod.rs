//! What the integration tests share: replicas that exchange changes like the replica would.

use aramaki_model::{AdmittedChange, Edit, Finding, Workspace};
use aramaki_sync_core::{AuthorId, Chain, DocumentId, EnvelopeId, Instance, SpaceId, Timestamp};

/// A Space of the tests.
pub(crate) fn space(n: u8) -> SpaceId {
    SpaceId::from_bytes([n; 32])
}

/// The chain of a writer.
pub(crate) fn chain(n: u8) -> Chain {
    Chain {
        author: AuthorId::from_bytes([n; 32]),
        instance: Instance(u64::from(n)),
    }
}

/// A time, seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_370_000_000 + seconds * 1_000)
}

/// An envelope as it reaches a Workspace.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) space: SpaceId,
    pub(crate) document: DocumentId,
    pub(crate) admitted: AdmittedChange,
}

/// Puts an edit into an envelope; its id follows from its content.
pub(crate) fn send(space: SpaceId, chain: &Chain, edit: Edit) -> Sent {
    let mut hasher = blake3::Hasher::new();
    hasher.update(space.as_bytes());
    hasher.update(edit.document.as_bytes());
    for change in &edit.changes {
        hasher.update(change);
    }
    let id = EnvelopeId::from_bytes(*hasher.finalize().as_bytes());
    let admitted = AdmittedChange {
        chain: *chain,
        id,
        changes: edit.changes,
    };
    Sent {
        space,
        document: edit.document,
        admitted,
    }
}

/// Takes an envelope in.
pub(crate) fn receive(workspace: &mut Workspace, sent: &Sent) -> Vec<Finding> {
    workspace.admit(
        sent.space,
        sent.document,
        std::slice::from_ref(&sent.admitted),
    )
}
