//! Which Systems' silences may not have arrived yet.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_model::Snapshot;
use aramaki_model::notify::{Contact, Settling};
use aramaki_sync_core::{SpaceId, Timestamp};

use crate::workspace::Live;

/// The settle gates of all Systems that a policy reaches.
#[derive(Debug)]
pub(super) struct Gates {
    wait_ms: u64,
    of: BTreeMap<SpaceId, Settling>,
    alone: BTreeSet<SpaceId>,
}

impl Gates {
    pub(super) fn new(wait: Duration) -> Self {
        Self {
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            of: BTreeMap::new(),
            alone: BTreeSet::new(),
        }
    }

    /// Looks who is in step, and says which Systems are to be waited for and until when.
    pub(super) async fn look(
        &mut self,
        live: &Live,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> BTreeMap<SpaceId, Timestamp> {
        let connected = live
            .replica()
            .peers()
            .iter()
            .any(aramaki_sync::replica::PeerStatus::is_connected);
        let spaces = reached(snapshot);
        self.of.retain(|space, _| spaces.contains(space));
        let mut closed = BTreeMap::new();
        for space in spaces {
            let in_step = match live.replica().in_step(space).await {
                Ok((peers, _)) => !peers.is_empty(),
                // The workspace is being closed.
                Err(_) => false,
            };
            let wait_ms = self.wait_ms;
            let gate = self
                .of
                .entry(space)
                .or_insert_with(|| Settling::new(now, wait_ms));
            let contact = match (in_step, connected) {
                (true, _) => Contact::InStep,
                (false, true) => Contact::Connected,
                (false, false) => Contact::Alone,
            };
            gate.look(now, contact);
            if !gate.is_open(now) {
                closed.insert(space, gate.opens_at());
            }
            if !gate.is_alone(now) {
                self.alone.remove(&space);
            } else if self.alone.insert(space) {
                tracing::warn!(space = %space.short(), "nobody to be in step with: this notifier tells people alone");
            }
        }
        closed
    }
}

/// Systems with a policy, and everything below them.
fn reached(snapshot: &Snapshot) -> BTreeSet<SpaceId> {
    let mut reached = BTreeSet::new();
    for system in snapshot
        .systems
        .iter()
        .filter(|system| system.policy.is_some())
    {
        if reached.insert(system.space) {
            let below = snapshot.graph.below(system.space).into_iter();
            reached.extend(below.filter(|space| snapshot.graph.is_known(space)));
        }
    }
    reached
}
