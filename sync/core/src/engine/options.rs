//! With what an engine is opened: keys, role, limits, and what its store held.

use std::collections::BTreeSet;
use std::time::Duration;

use super::ended::AccessEnd;
use super::io::{SecretSeed, StoreEpoch, Stored, StoredCounter, StoredCursor};
use crate::id::{AuthorId, EnvelopeId, Instance, SpaceId};
use crate::key::DeviceKeys;

/// What an engine does for its Spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Holds the Spaces that it made or joined.
    Member,
    /// Also takes Spaces that a live grant gives it, within quotas.
    Relay(Quotas),
}

/// What a relay takes from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "limits say that they are limits")]
pub struct Quotas {
    /// Bytes that one Space may fill.
    pub space_bytes_max: u64,
    /// Bytes that one Space may add in a day.
    pub space_bytes_per_day_max: u64,
    /// How many Spaces it stores.
    pub spaces_max: usize,
    /// Bytes that all Spaces together may fill.
    pub total_bytes_max: u64,
    /// Chains (databases) of one author in a Space.
    pub chains_per_author_max: usize,
    /// Grants that one author may give in a Space: each costs every member for as long as the Space lives.
    pub grants_per_author_max: usize,
    /// Envelopes that one author may send in a second, over all Spaces.
    pub envelopes_per_second_max: u32,
    /// Envelopes that one author may send at once after a while of silence.
    pub envelopes_burst_max: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            space_bytes_max: 4 << 30,
            space_bytes_per_day_max: 512 << 20,
            spaces_max: 10_000,
            total_bytes_max: 64 << 30,
            chains_per_author_max: 64,
            grants_per_author_max: 20_000,
            envelopes_per_second_max: 200,
            envelopes_burst_max: 20_000,
        }
    }
}

/// Half of a segment, which closes at 2,000 entries (DESIGN §2): whoever opens a document for the first
/// time reads at most so many bodies one by one, and each body is written once more at most.
pub const SNAPSHOT_TAIL_ENVELOPES_MAX: usize = 1_000;

/// Bounds on everything that a peer or a caller could make grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub connections_max: usize,
    /// Bytes sent on one connection and not yet acknowledged as durable.
    pub window_bytes: usize,
    /// Bytes of received envelopes that wait for the disk.
    pub received_bytes_max: usize,
    /// Writes that wait for the disk.
    pub writes_max: usize,
    /// Bytes of one batch, about.
    pub batch_bytes: usize,
    /// Envelopes of one chain whose predecessor is missing.
    pub orphans_per_chain_max: usize,
    /// Bytes of all such envelopes of one Space.
    pub orphan_bytes_max: usize,
    /// Bytes that all whose time is over may bring into one Space a day, on devices too, which have no
    /// quotas else.
    pub delivered_bytes_per_day_max: u64,
    /// Spaces that are offered and not granted yet.
    pub candidates_max: usize,
    /// Bytes of each of them: control, and the headers of content.
    pub candidate_bytes_max: usize,
    /// Frames that cannot be read before a connection is ended.
    pub faults_max: u32,
    /// How often digests are compared.
    pub digest_interval: Duration,
    /// When an unanswered frame counts as lost.
    pub acknowledge_timeout: Duration,
    /// How often a witness states what it holds, at most.
    pub receipt_interval: Duration,
    /// Envelopes of a document that come after its newest snapshot before somebody writes the next.
    pub snapshot_tail_max: usize,
    /// How long such a document is left alone, so that everybody knows the same tail when one of them
    /// writes the snapshot.
    pub snapshot_settle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            window_bytes: 1 << 20,
            received_bytes_max: 16 << 20,
            writes_max: 4_096,
            batch_bytes: 4 << 20,
            orphans_per_chain_max: 64,
            orphan_bytes_max: 4 << 20,
            delivered_bytes_per_day_max: 64 << 20,
            candidates_max: 16,
            candidate_bytes_max: 16 << 20,
            faults_max: 8,
            digest_interval: Duration::from_secs(5),
            acknowledge_timeout: Duration::from_secs(10),
            receipt_interval: Duration::from_mins(1),
            snapshot_tail_max: SNAPSHOT_TAIL_ENVELOPES_MAX,
            snapshot_settle: Duration::from_secs(10),
        }
    }
}

/// Who this engine is.
#[derive(Debug)]
#[non_exhaustive]
pub struct EngineOptions {
    /// Its keys.
    pub keys: DeviceKeys,
    /// The instance in the store: random per database, a restored one took a new one.
    pub instance: Instance,
    /// The life of the store: random per database, a restored one took a new one.
    pub store_epoch: StoreEpoch,
    /// 32 bytes from the operating system, never used twice.
    pub seed: [u8; 32],
    /// What it does.
    pub role: Role,
    /// Its bounds.
    pub limits: Limits,
    /// Whose grants a relay takes up Spaces for: one of these keys signed one on the way to its own. None:
    /// anybody's.
    pub serves: Option<BTreeSet<AuthorId>>,
    /// The rule to switch off.
    #[cfg(feature = "mutants")]
    pub mutant: Option<super::Mutant>,
}

impl EngineOptions {
    /// A member with default limits.
    pub fn new(
        keys: DeviceKeys,
        instance: Instance,
        store_epoch: StoreEpoch,
        seed: [u8; 32],
    ) -> Self {
        Self {
            keys,
            instance,
            store_epoch,
            seed,
            role: Role::Member,
            limits: Limits::default(),
            serves: None,
            #[cfg(feature = "mutants")]
            mutant: None,
        }
    }
}

/// What a store held.
#[derive(Debug, Default)]
pub struct Restored {
    /// Of each Space in the order in which they were put; Spaces in any order.
    pub envelopes: Vec<Stored>,
    /// The last cursor of each peer and Space.
    pub cursors: Vec<StoredCursor>,
    /// Content whose body is not in the store.
    pub bodiless: Vec<(SpaceId, EnvelopeId)>,
    /// Content whose sealed body is not in the store, and the stored snapshot that holds the plain one.
    pub covered: Vec<(SpaceId, EnvelopeId, EnvelopeId)>,
    /// The last reservation of each Space and chain.
    pub counters: Vec<StoredCounter>,
    /// The Spaces that were joined.
    pub follows: Vec<(SpaceId, Option<SecretSeed>)>,
    /// Where a peer said that this device's access is over.
    pub ended: Vec<(SpaceId, AccessEnd)>,
}
