//! What the integration tests share: replicas that exchange changes like the replica would.

use std::cell::RefCell;
use std::collections::BTreeMap;

use aramaki_model::{AdmittedChange, ChangeScope, Edit, EnvelopeLinks, Finding, Workspace};
use aramaki_sync_core::{Chain, DocumentId, EnvelopeId, SpaceId};

#[path = "names.rs"]
mod names;

pub(crate) use names::{at, chain, space};

/// An envelope as it reaches a Workspace.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) space: SpaceId,
    pub(crate) document: DocumentId,
    pub(crate) admitted: AdmittedChange,
    pub(crate) links: EnvelopeLinks,
}

thread_local! {
    /// Which envelope carried a change: what an honest replica knows of all it holds.
    static CARRIED: RefCell<BTreeMap<[u8; 32], EnvelopeId>> = RefCell::default();
}

/// The envelopes that carried what these changes depend on, and from now on the one that carries
/// them.
fn ancestors(id: EnvelopeId, changes: &[Vec<u8>]) -> Vec<EnvelopeId> {
    // Hostile bytes make Automerge panic.
    let read = |bytes: &Vec<u8>| {
        let change = std::panic::catch_unwind(|| automerge::Change::from_bytes(bytes.clone()));
        change.ok()?.ok()
    };
    let changes: Vec<_> = changes.iter().filter_map(read).collect();
    CARRIED.with_borrow_mut(|carried| {
        for change in &changes {
            carried.insert(change.hash().0, id);
        }
        let dependencies = changes.iter().flat_map(automerge::Change::deps);
        let mut ancestors: Vec<_> = dependencies
            .filter_map(|hash| carried.get(&hash.0).copied())
            .filter(|carrier| *carrier != id)
            .collect();
        ancestors.sort_unstable();
        ancestors.dedup();
        ancestors
    })
}

/// Puts an edit into an envelope that names what it builds on; its id follows from its content.
pub(crate) fn send(space: SpaceId, chain: &Chain, edit: Edit) -> Sent {
    let mut hasher = blake3::Hasher::new();
    hasher.update(space.as_bytes());
    hasher.update(edit.document.as_bytes());
    for change in &edit.changes {
        hasher.update(change);
    }
    let id = EnvelopeId::from_bytes(*hasher.finalize().as_bytes());
    let links = EnvelopeLinks {
        id,
        previous: EnvelopeId::ZERO,
        ancestors: ancestors(id, &edit.changes),
    };
    let admitted = AdmittedChange {
        chain: *chain,
        id,
        changes: edit.changes,
        scope: ChangeScope::default(),
    };
    Sent {
        space,
        document: edit.document,
        admitted,
        links,
    }
}

/// Takes an envelope in.
pub(crate) fn receive(workspace: &mut Workspace, sent: &Sent) -> Vec<Finding> {
    let mut findings = workspace.link(sent.space, std::slice::from_ref(&sent.links));
    findings.extend(workspace.admit(
        sent.space,
        sent.document,
        std::slice::from_ref(&sent.admitted),
    ));
    findings
}
