//! One Space in the engine: its durable log, what follows from it, and what waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::bodies::Missing;
use super::counters::Counters;
use super::deliver::Delivered;
use super::ended::AccessEnd;
use super::io::ConnectionId;
use super::last_words::LastWords;
use super::options::Limits;
use super::quota::QuotaWords;
use super::reseal::Reseals;
use super::snapshots::Snapshots;
use crate::admission::{Evaluation, Inserted, Keyring, NotInserted, Outsiders, SpaceLog};
use crate::envelope::{Envelope, RawEnvelope};
use crate::id::{AuthorId, Chain, EnvelopeId, SpaceId};
use crate::key::DeviceKeys;
use crate::statement::{Audience, Statement};
use crate::time::Timestamp;

/// A Space that this device holds or waits for.
#[derive(Debug)]
pub(super) struct Space {
    pub(super) log: SpaceLog,
    pub(super) evaluation: Evaluation,
    pub(super) keyring: Keyring,
    pub(super) outsiders: Outsiders,
    pub(super) invitation: Option<DeviceKeys>,
    /// Whom any grant names, standing or not: only they can fill the disk.
    pub(super) granted: BTreeSet<AuthorId>,
    /// The grants as they travel, to show to peers that do not know them yet.
    pub(super) grants: BTreeMap<EnvelopeId, RawEnvelope>,
    /// How many grants each author gave, whatever they count for.
    pub(super) given: BTreeMap<AuthorId, usize>,
    /// Bytes stored, and those of the day that began then.
    pub(super) bytes: u64,
    pub(super) today: (i64, u64),
    /// What came today of those whose time is over.
    pub(super) delivered: Delivered,
    pub(super) quota_words: QuotaWords,
    /// Members changed since keys were last shared.
    pub(super) share_due: bool,
    pub(super) redeemed: bool,
    /// A peer said that this device's access is over.
    pub(super) ended_elsewhere: Option<AccessEnd>,
    /// Who said so in this life of the process.
    pub(super) ended_by: Option<AuthorId>,
    /// Up to this connection peers spoke of an invitation that was replaced.
    pub(super) deaf_until: Option<ConnectionId>,
    /// The epoch that this device last said to be unfit.
    pub(super) rejected: Option<EnvelopeId>,
    /// When the next receipt may be stated, if this device is a witness.
    pub(super) next_receipt: Option<Timestamp>,
    /// When the next grant that ended is to be closed, if this device is a witness.
    pub(super) next_close: Option<Timestamp>,
    /// When a fork that nobody proved until then is proved by this device.
    pub(super) next_proof: Option<Timestamp>,
    /// When readers get the keys that they lack.
    pub(super) next_hand_over: Option<Timestamp>,
    /// When the next grant begins.
    pub(super) next_begin: Option<Timestamp>,
    /// Before that nothing is closed: others may know more.
    pub(super) closes_from: Option<Timestamp>,
    /// Ended grants that were looked at.
    pub(super) closed: BTreeSet<EnvelopeId>,
    /// The ephemeral counters of each chain.
    pub(super) counters: Counters,
    /// What was said last, for who connects now.
    pub(super) last_words: LastWords,
    /// Bodies that are not here, and those that are wanted.
    pub(super) missing: Missing,
    /// Bodies that are wanted as they were sealed, and only a snapshot holds here.
    pub(super) reseals: Reseals,
    /// What is known of its snapshots.
    pub(super) snapshots: Snapshots,
    orphans: BTreeMap<(Chain, u64, EnvelopeId), Arc<Envelope>>,
    orphan_bytes: usize,
}

impl Space {
    pub(super) fn new(space: SpaceId) -> Self {
        Self {
            log: SpaceLog::new(space),
            evaluation: Evaluation::default(),
            keyring: Keyring::default(),
            outsiders: Outsiders::none(),
            invitation: None,
            granted: BTreeSet::from([AuthorId::from_bytes(*space.as_bytes())]),
            grants: BTreeMap::new(),
            given: BTreeMap::new(),
            bytes: 0,
            today: (0, 0),
            delivered: Delivered::default(),
            quota_words: QuotaWords::default(),
            share_due: true,
            redeemed: false,
            ended_elsewhere: None,
            ended_by: None,
            deaf_until: None,
            rejected: None,
            next_receipt: None,
            next_close: None,
            next_proof: None,
            next_hand_over: None,
            next_begin: None,
            closes_from: None,
            closed: BTreeSet::new(),
            counters: Counters::default(),
            last_words: LastWords::default(),
            missing: Missing::default(),
            reseals: Reseals::default(),
            snapshots: Snapshots::default(),
            orphans: BTreeMap::new(),
            orphan_bytes: 0,
        }
    }

    /// Takes a durable envelope.
    pub(super) fn remember(
        &mut self,
        envelope: &Envelope,
        received: Timestamp,
    ) -> Result<Inserted, NotInserted> {
        let inserted = self.log.insert(envelope, received)?;
        if inserted != Inserted::Duplicate {
            self.bytes += len_of(envelope);
            let day = received.millis().div_euclid(86_400_000);
            if self.today.0 != day {
                self.today = (day, 0);
            }
            self.today.1 += len_of(envelope);
            if is_grant(envelope) {
                *self
                    .given
                    .entry(envelope.header().chain.author)
                    .or_default() += 1;
            }
            if let Some(author) = granted_by(envelope) {
                self.granted.insert(author);
                self.grants.insert(envelope.id(), envelope.raw().clone());
            }
        }
        Ok(inserted)
    }

    /// Keeps an envelope whose predecessor is missing. False when there is no room.
    pub(super) fn keep_orphan(&mut self, envelope: Arc<Envelope>, limits: &Limits) -> bool {
        let header = envelope.header();
        let key = (header.chain, header.seq, envelope.id());
        if self.orphans.contains_key(&key) {
            return true;
        }
        let bytes = envelope.raw().len_bytes();
        let first = (header.chain, 0, EnvelopeId::ZERO);
        let last = (
            header.chain,
            u64::MAX,
            EnvelopeId::from_bytes([u8::MAX; 32]),
        );
        if self.orphans.range(first..=last).count() >= limits.orphans_per_chain_max
            || self.orphan_bytes + bytes > limits.orphan_bytes_max
        {
            return false;
        }
        self.orphan_bytes += bytes;
        self.orphans.insert(key, envelope);
        true
    }

    /// Takes out those whose predecessor is here now, and those that came another way.
    pub(super) fn take_ready_orphans(&mut self) -> Vec<Arc<Envelope>> {
        let ready: Vec<_> = self
            .orphans
            .iter()
            .filter(|(_key, envelope)| {
                let previous = envelope.header().previous;
                previous.is_zero() || self.log.contains(previous)
            })
            .map(|(key, _envelope)| *key)
            .collect();
        let mut taken = Vec::new();
        for key in ready {
            if let Some(envelope) = self.orphans.remove(&key) {
                self.orphan_bytes -= envelope.raw().len_bytes();
                taken.push(envelope);
            }
        }
        taken
    }

    /// How many bytes wait for a predecessor.
    pub(super) fn orphan_bytes(&self) -> usize {
        self.orphan_bytes
    }
}

/// A Space that a peer offers to a relay: kept in memory until a grant for the relay is seen.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) space: Space,
    pub(super) envelopes: Vec<Envelope>,
    pub(super) bytes: usize,
    pub(super) since: Timestamp,
    /// Who offered it first.
    pub(super) from: AuthorId,
    /// Connections over which the relay was shown its grant: nobody else brings anything, or hears that
    /// this Space is waited for.
    pub(super) shown_by: BTreeSet<ConnectionId>,
}

impl Candidate {
    pub(super) fn new(space: SpaceId, from: AuthorId, now: Timestamp) -> Self {
        Self {
            space: Space::new(space),
            envelopes: Vec::new(),
            bytes: 0,
            since: now,
            from,
            shown_by: BTreeSet::new(),
        }
    }
}

/// Whether it gives somebody something.
pub(super) fn is_grant(envelope: &Envelope) -> bool {
    matches!(envelope.statement(), Some(Statement::Grant(_)))
}

/// Whom a grant statement names.
pub(super) fn granted_by(envelope: &Envelope) -> Option<AuthorId> {
    match envelope.statement()? {
        Statement::Grant(grant) => match grant.audience {
            Audience::Author(author) => Some(author),
            Audience::ReadersOf(_) => None,
        },
        _ => None,
    }
}

pub(super) fn len_of(envelope: &Envelope) -> u64 {
    let bytes = envelope.raw().len_bytes().try_into().unwrap_or(u64::MAX);
    // A body that is still to come counts already.
    let to_come = envelope
        .body()
        .map_or(envelope.header().body_len, |_here| 0);
    bytes.saturating_add(u64::from(to_come))
}
