//! The path to the disk: one batch at a time, all or nothing, in the order in which work came.
//!
//! Envelopes are sealed only when their batch is formed, on top of what is durable. So a batch that
//! fails leaves nothing to undo, and what gathers while one is under way is the next group commit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::bodies::is_bodiless;
use super::io::{
    BatchId, ConnectionId, Event, Input, Output, Refusal, SecretSeed, StoreFailure, StoreOperation,
    StoredCounter, StoredCursor, WriteError, WriteId, Written,
};
use super::options::Role;
use super::receive::introduces;
use super::space::{Space, len_of};
use super::{Engine, Mutant};
use crate::admission::{Entry, Inserted, Verdict};
use crate::envelope::Envelope;
use crate::id::{AuthorId, Chain, DocumentId, EnvelopeId, PrincipalId, SpaceId};
use crate::key::{DeviceKeys, EpochKey, PublicKeys};
use crate::statement::{Body, GrantFlags, Statement};
use crate::time::Timestamp;

/// How long to wait after the store failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Envelopes of one batch.
const BATCH_ENVELOPES_MAX: usize = 1_024;

/// Something to be stored.
#[derive(Debug)]
pub(super) enum Work {
    Received {
        from: Option<(ConnectionId, u64)>,
        envelope: Arc<Envelope>,
    },
    Write {
        write: WriteId,
        space: SpaceId,
        document: DocumentId,
        body: Body,
    },
    Control {
        write: Option<WriteId>,
        space: SpaceId,
        statement: Statement,
    },
    Create {
        write: WriteId,
        anchor: Option<PublicKeys>,
        principal: PrincipalId,
        end: Timestamp,
    },
    Join {
        write: WriteId,
        space: SpaceId,
        invitation: Option<Box<DeviceKeys>>,
    },
    Redeem {
        space: SpaceId,
    },
    Body {
        from: Option<(ConnectionId, u64)>,
        space: SpaceId,
        envelope: EnvelopeId,
        body: Vec<u8>,
    },
    Forget {
        write: WriteId,
        space: SpaceId,
    },
    /// A snapshot of this device's own accord.
    Snapshot {
        space: SpaceId,
        document: DocumentId,
        body: Body,
    },
    /// Bodies that a snapshot holds: what was sealed of them goes, if it is here.
    Cover {
        write: Option<WriteId>,
        space: SpaceId,
        by: EnvelopeId,
        ids: Vec<EnvelopeId>,
    },
}

/// What waits for the disk, and what is under way to it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    works: VecDeque<Work>,
    pub(super) received_bytes: usize,
    writes: usize,
    in_flight: Option<InFlight>,
    next_batch: u64,
    pub(super) retry_at: Option<Timestamp>,
    pub(super) instance_dirty: bool,
    pub(super) cursors_dirty: BTreeSet<(AuthorId, SpaceId)>,
    /// Ephemeral counters that must be reserved before a message that waits is heard.
    pub(super) counters_due: BTreeMap<(SpaceId, Chain), u64>,
}

#[derive(Debug)]
struct InFlight {
    batch: BatchId,
    draft: Draft,
}

/// One envelope of a batch and who waits for it.
#[derive(Debug)]
pub(super) struct Item {
    /// Shared with the store, which gets it at the same time.
    pub(super) envelope: Arc<Envelope>,
    pub(super) from: Option<(ConnectionId, u64)>,
    pub(super) write: Option<WriteId>,
    pub(super) received: Timestamp,
}

/// What a batch added, while it is in memory.
pub(super) type New = BTreeMap<EnvelopeId, Arc<Envelope>>;

/// A batch while it is formed: what it adds counts for what follows in it.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) items: Vec<Item>,
    pub(super) heads: BTreeMap<(SpaceId, Chain), (u64, EnvelopeId)>,
    pub(super) epochs: BTreeMap<SpaceId, (EnvelopeId, EpochKey)>,
    /// Peers that sent what is in the batch already: they too are answered when it is durable.
    also_from: Vec<((ConnectionId, u64), EnvelopeId)>,
    ids: BTreeSet<EnvelopeId>,
    control: BTreeSet<SpaceId>,
    joins: Vec<(WriteId, SpaceId, Option<Box<DeviceKeys>>)>,
    forgotten: BTreeMap<SpaceId, WriteId>,
    created: BTreeMap<WriteId, EnvelopeId>,
    instance: bool,
    cursors: BTreeSet<(AuthorId, SpaceId)>,
    counters: BTreeMap<(SpaceId, Chain), u64>,
    bodies: BTreeMap<(SpaceId, EnvelopeId), Vec<u8>>,
    covers: Vec<Cover>,
    bytes: usize,
}

/// Bodies that are held in a snapshot, and who waits until that is durable.
#[derive(Debug)]
struct Cover {
    write: Option<WriteId>,
    space: SpaceId,
    by: EnvelopeId,
    ids: Vec<EnvelopeId>,
}

impl Draft {
    pub(super) fn add(&mut self, item: Item) {
        let header = item.envelope.header();
        let place = (header.space, header.chain);
        self.heads.insert(place, (header.seq, item.envelope.id()));
        self.ids.insert(item.envelope.id());
        if item.envelope.statement().is_some() {
            self.control.insert(header.space);
        }
        self.bytes += item.envelope.raw().len_bytes();
        self.items.push(item);
    }

    pub(super) fn created(&mut self, write: WriteId, genesis: EnvelopeId) {
        self.created.insert(write, genesis);
    }

    /// Whether work stands on something in this batch that does not count before it is durable.
    fn is_in_the_way_of(&self, work: &Work) -> bool {
        match work {
            Work::Write { space, .. } | Work::Snapshot { space, .. } => {
                self.control.contains(space) && !self.epochs.contains_key(space)
            }
            Work::Control { space, .. } => self.control.contains(space),
            Work::Redeem { space } => {
                let mut joins = self.joins.iter();
                joins.any(|(_write, joined, _invitation)| joined == space)
            }
            Work::Join { space, .. } => self.forgotten.contains_key(space),
            Work::Forget { space, .. } => {
                let mut joins = self.joins.iter();
                joins.any(|(_write, joined, _invitation)| joined == space)
            }
            _ => false,
        }
    }

    fn is_empty(&self) -> bool {
        self.items.is_empty()
            && self.joins.is_empty()
            && self.forgotten.is_empty()
            && !self.instance
            && self.cursors.is_empty()
            && self.counters.is_empty()
            && self.bodies.is_empty()
            && self.covers.is_empty()
    }
}

impl Queue {
    pub(super) fn push(&mut self, work: Work) {
        if let Work::Received { envelope, .. } = &work {
            self.received_bytes += envelope.raw().len_bytes();
        }
        if let Work::Body { body, .. } = &work {
            self.received_bytes += body.len();
        }
        self.works.push_back(work);
    }

    pub(super) fn push_received(&mut self, from: (ConnectionId, u64), envelope: Envelope) {
        self.push(Work::Received {
            from: Some(from),
            envelope: Arc::new(envelope),
        });
    }

    pub(super) fn is_own_in_flight(&self, id: EnvelopeId) -> bool {
        self.in_flight
            .as_ref()
            .is_some_and(|it| it.draft.ids.contains(&id))
    }

    pub(super) fn writes(&self) -> usize {
        self.writes
    }
}

impl Engine {
    pub(super) fn enqueue(&mut self, input: Input) {
        let Some((write, work)) = work_of(input) else {
            return;
        };
        if self.queue.writes >= self.limits.writes_max {
            self.fail(write, WriteError::Busy);
            return;
        }
        self.queue.writes += 1;
        self.queue.push(work);
    }

    pub(super) fn fail(&mut self, write: WriteId, error: WriteError) {
        self.outputs.push_back(Output::Written {
            write,
            result: Err(error),
        });
    }

    /// Starts the next batch when none is under way.
    pub(super) fn form_batch(&mut self) {
        if self.queue.in_flight.is_some() || self.queue.retry_at.is_some() {
            return;
        }
        let mut draft = Draft::default();
        let mut deferred = Vec::new();
        while draft.items.len() < BATCH_ENVELOPES_MAX && draft.bytes < self.limits.batch_bytes {
            let Some(work) = self.queue.works.pop_front() else {
                break;
            };
            if let Some(later) = self.take_work(&mut draft, work) {
                deferred.push(later);
            }
        }
        for work in deferred.into_iter().rev() {
            self.queue.works.push_front(work);
        }
        draft.instance = std::mem::take(&mut self.queue.instance_dirty);
        if !draft.items.is_empty() || self.queue.cursors_dirty.len() > 64 {
            draft.cursors = std::mem::take(&mut self.queue.cursors_dirty);
        }
        draft.counters = self.take_reservations();
        if draft.is_empty() {
            return;
        }
        let batch = BatchId(self.queue.next_batch);
        self.queue.next_batch += 1;
        let operations = self.operations(&draft);
        if self.is(Mutant::AcknowledgeBeforeDurable) {
            self.report_written(&draft);
        }
        self.queue.in_flight = Some(InFlight { batch, draft });
        self.outputs.push_back(Output::Commit { batch, operations });
    }

    fn operations(&self, draft: &Draft) -> Vec<StoreOperation> {
        let instance = draft
            .instance
            .then_some(StoreOperation::SetInstance(self.instance));
        let joins = draft
            .joins
            .iter()
            .map(|(_write, space, invitation)| StoreOperation::Follow {
                space: *space,
                invitation: invitation
                    .as_ref()
                    .map(|keys| SecretSeed(zeroize::Zeroizing::new(*keys.expose_seed()))),
            });
        let unfollows = draft.forgotten.keys();
        let unfollows = unfollows.map(|space| StoreOperation::Unfollow { space: *space });
        let puts = draft.items.iter().map(|item| StoreOperation::Put {
            space: item.envelope.header().space,
            envelope: Arc::clone(&item.envelope),
            received: item.received,
        });
        let cursors = draft.cursors.iter().filter_map(|(peer, space)| {
            let holding = self.holdings.get(&(*peer, *space))?;
            Some(StoreOperation::PutCursor(StoredCursor {
                peer: *peer,
                space: *space,
                cursor: holding.to_cursor(),
            }))
        });
        let bodies = draft.bodies.iter().map(|((space, id), body)| {
            let (space, id, body) = (*space, *id, body.clone());
            StoreOperation::PutBody { space, id, body }
        });
        let covers = draft.covers.iter().map(|cover| StoreOperation::Cover {
            space: cover.space,
            by: cover.by,
            ids: cover.ids.clone(),
        });
        let counters = draft.counters.iter().map(|((space, chain), reserved)| {
            StoreOperation::PutCounter(StoredCounter {
                space: *space,
                chain: *chain,
                reserved: *reserved,
            })
        });
        instance
            .into_iter()
            .chain(joins)
            .chain(unfollows)
            .chain(puts)
            .chain(bodies)
            .chain(covers)
            .chain(cursors)
            .chain(counters)
            .collect()
    }

    /// Adds one piece of work to a batch; gives back what has to wait for this batch.
    fn take_work(&mut self, draft: &mut Draft, work: Work) -> Option<Work> {
        if draft.is_in_the_way_of(&work) {
            return Some(work);
        }
        match work {
            Work::Received { from, envelope } => self.take_received(draft, from, envelope),
            Work::Body {
                from,
                space,
                envelope,
                body,
            } => {
                self.queue.received_bytes -= body.len();
                draft.bytes += body.len();
                draft.also_from.extend(from.map(|from| (from, envelope)));
                draft.bodies.insert((space, envelope), body);
                None
            }
            Work::Cover {
                write,
                space,
                by,
                ids,
            } => {
                self.take_cover(draft, write, space, (by, ids));
                None
            }
            own => self.take_own(draft, own),
        }
    }

    /// What this device says itself.
    fn take_own(&mut self, draft: &mut Draft, work: Work) -> Option<Work> {
        match work {
            Work::Received { .. } | Work::Body { .. } | Work::Cover { .. } => None,
            Work::Write {
                write,
                space,
                document,
                body,
            } => {
                self.queue.writes -= 1;
                let done = self.draft_write(draft, Some(write), space, document, &body);
                self.fail_if(write, done)
            }
            Work::Snapshot {
                space,
                document,
                body,
            } => {
                // What cannot be written now is due again with this device's next write.
                let _done = self.draft_write(draft, None, space, document, &body);
                None
            }
            Work::Control {
                write,
                space,
                statement,
            } => {
                let done = self.draft_control(draft, write, space, &statement);
                let write = write?;
                self.queue.writes -= 1;
                self.fail_if(write, done)
            }
            Work::Create {
                write,
                anchor,
                principal,
                end,
            } => {
                self.queue.writes -= 1;
                let done = self.draft_space(draft, write, anchor, principal, end);
                self.fail_if(write, done)
            }
            Work::Join {
                write,
                space,
                invitation,
            } => {
                self.queue.writes -= 1;
                let invitation = self.invitation_to_keep(space, invitation);
                draft.joins.push((write, space, invitation));
                None
            }
            Work::Redeem { space } => {
                self.draft_redemption(draft, space);
                None
            }
            Work::Forget { write, space } => {
                self.queue.writes -= 1;
                if self.is_forgettable(space) && !draft.forgotten.contains_key(&space) {
                    draft.forgotten.insert(space, write);
                    return None;
                }
                self.fail_if(write, Err(WriteError::NotAllowed))
            }
        }
    }

    /// Bodies that a snapshot holds; those that are not what they were when it was opened are left out.
    fn take_cover(
        &mut self,
        draft: &mut Draft,
        write: Option<WriteId>,
        space: SpaceId,
        (by, mut ids): (EnvelopeId, Vec<EnvelopeId>),
    ) {
        if write.is_some() {
            self.queue.writes -= 1;
        }
        let everything = self.is(Mutant::BelieveSnapshots);
        if let Some(held) = self.spaces.get(&space) {
            ids.retain(|id| everything || held.can_be_covered(by, *id));
        }
        draft.bytes += ids.len() * size_of::<EnvelopeId>();
        draft.covers.push(Cover {
            write,
            space,
            by,
            ids,
        });
    }

    /// An invitation that let this device in stays: peers that lost its redemption know it by that.
    fn invitation_to_keep(
        &self,
        space: SpaceId,
        new: Option<Box<DeviceKeys>>,
    ) -> Option<Box<DeviceKeys>> {
        let held = self
            .spaces
            .get(&space)
            .and_then(|it| it.invitation.as_ref());
        let old = held.map(|keys| Box::new(DeviceKeys::from_seed(*keys.expose_seed())));
        let redeemed = self.spaces.get(&space).is_some_and(|it| it.redeemed);
        if self.is_waiting_for(space) && !redeemed {
            new.or(old)
        } else {
            old.or(new)
        }
    }

    fn fail_if(&mut self, write: WriteId, done: Result<(), WriteError>) -> Option<Work> {
        if let Err(error) = done {
            self.fail(write, error);
        }
        None
    }

    fn take_received(
        &mut self,
        draft: &mut Draft,
        from: Option<(ConnectionId, u64)>,
        envelope: Arc<Envelope>,
    ) -> Option<Work> {
        let header = envelope.header();
        let (space, author, id) = (header.space, header.chain.author, envelope.id());
        let bytes = envelope.raw().len_bytes();
        if draft.ids.contains(&id) {
            self.queue.received_bytes -= bytes;
            draft.also_from.extend(from.map(|from| (from, id)));
            return None;
        }
        let judged = self
            .judge_received(draft, &envelope)
            .and_then(|()| self.take_pace(author));
        let refusal = match judged {
            Ok(()) => {
                self.queue.received_bytes -= bytes;
                draft.add(Item {
                    envelope,
                    from,
                    write: None,
                    received: self.now,
                });
                return None;
            }
            // A grant for it may be in this very batch.
            Err(Some(Refusal::NoGrant)) if draft.control.contains(&space) => {
                return Some(Work::Received { from, envelope });
            }
            Err(refusal) => refusal,
        };
        self.queue.received_bytes -= bytes;
        if refusal == Some(Refusal::Gap)
            && self.is_author_known(space, author)
            && let Some(held) = self.spaces.get_mut(&space)
        {
            held.keep_orphan(envelope, &self.limits);
        }
        if let Some(from) = from {
            self.answered(from, id, refusal);
        }
        None
    }

    /// Whether an envelope goes to the disk now; an error without a refusal: it is there.
    fn judge_received(&self, draft: &Draft, envelope: &Envelope) -> Result<(), Option<Refusal>> {
        let header = envelope.header();
        let held = self
            .spaces
            .get(&header.space)
            .ok_or(Some(Refusal::NoGrant))?;
        let id = envelope.id();
        if held.log.contains(id) {
            return Err(None);
        }
        if !self.is_author_known(header.space, header.chain.author) {
            return Err(Some(Refusal::NoGrant));
        }
        let follows = header.previous.is_zero()
            || held.log.contains(header.previous)
            || draft.ids.contains(&header.previous);
        if !follows && !self.is(Mutant::AcceptGap) {
            return Err(Some(Refusal::Gap));
        }
        if let Role::Relay(quotas) = self.role {
            let bytes = len_of(envelope);
            let day = self.now.millis().div_euclid(86_400_000);
            let today = if held.today.0 == day { held.today.1 } else { 0 };
            let chains = held.log.chains_of(header.chain.author).count();
            if held.bytes + bytes > quotas.space_bytes_max
                || today + bytes > quotas.space_bytes_per_day_max
                || (header.seq == 1 && chains >= quotas.chains_per_author_max)
                || is_surplus_redemption(held, draft, envelope)
            {
                return Err(Some(Refusal::Quota));
            }
        }
        Ok(())
    }

    /// Whether an author is not too fast for a relay.
    fn take_pace(&mut self, author: AuthorId) -> Result<(), Option<Refusal>> {
        match self.role {
            Role::Relay(quotas) if !self.rates.take(author, self.now, &quotas) => {
                Err(Some(Refusal::Quota))
            }
            _ => Ok(()),
        }
    }

    /// The store answered.
    pub(super) fn committed(&mut self, batch: BatchId, result: Result<(), StoreFailure>) {
        let Some(in_flight) = self.queue.in_flight.take_if(|it| it.batch == batch) else {
            return;
        };
        match result {
            Ok(()) => self.durable(in_flight.draft),
            Err(failure) => self.not_durable(in_flight.draft, failure),
        }
    }

    fn not_durable(&mut self, draft: Draft, failure: StoreFailure) {
        self.queue.retry_at = Some(self.now.plus(RETRY_AFTER));
        self.queue.instance_dirty |= draft.instance;
        self.queue.cursors_dirty.extend(draft.cursors);
        // What is not stored is not heard; the next message asks again.
        self.unheard.clear();
        self.emit(Event::StoreFailed { failure });
        for item in draft.items {
            if let Some(from) = item.from {
                self.answered(from, item.envelope.id(), Some(Refusal::Store));
            }
            if let Some(write) = item.write {
                self.fail(write, WriteError::Store(failure));
            } else if item.from.is_none() {
                self.intend_again(item.envelope.header().space);
            }
        }
        for (from, id) in draft.also_from {
            self.answered(from, id, Some(Refusal::Store));
        }
        let joins = draft
            .joins
            .into_iter()
            .map(|(write, _space, _invitation)| write);
        for write in joins.chain(draft.forgotten.into_values()) {
            self.fail(write, WriteError::Store(failure));
        }
        for (space, id) in draft.bodies.into_keys() {
            if let Some(held) = self.spaces.get_mut(&space) {
                held.reseals.not_durable(id);
            }
        }
        for cover in draft.covers {
            if let Some(write) = cover.write {
                self.fail(write, WriteError::Store(failure));
            } else if let Some(held) = self.spaces.get_mut(&cover.space) {
                held.snapshots.not_noted(cover.by);
            }
        }
    }

    /// What the engine writes of itself is due again when the store failed it.
    fn intend_again(&mut self, space: SpaceId) {
        let later = self.now.plus(self.limits.receipt_interval);
        if let Some(held) = self.spaces.get_mut(&space) {
            held.share_due = true;
            held.redeemed = false;
            held.next_receipt = held.next_receipt.or(Some(later));
        }
        self.redeem_if_due(space);
    }

    fn durable(&mut self, draft: Draft) {
        let mut touched = BTreeSet::new();
        let mut new = New::new();
        for item in &draft.items {
            let (space, id) = (item.envelope.header().space, item.envelope.id());
            let held = self
                .spaces
                .entry(space)
                .or_insert_with(|| Space::new(space));
            let inserted = held.remember(&item.envelope, item.received);
            if matches!(inserted, Ok(Inserted::New | Inserted::Fork)) {
                new.insert(id, Arc::clone(&item.envelope));
                if is_bodiless(&item.envelope) {
                    let header = item.envelope.header();
                    held.missing.insert(id, (header.chain, header.seq));
                    held.missing.since = self.now;
                }
                held.share_due |= introduces(&item.envelope);
            }
            touched.insert(space);
        }
        for (space, (epoch, key)) in &draft.epochs {
            if let Some(held) = self.spaces.get_mut(space) {
                held.keyring.insert(*epoch, key.clone());
            }
        }
        if !self.is(Mutant::AcknowledgeBeforeDurable) {
            self.report_written(&draft);
        }
        self.joins_durable(draft.joins, &mut touched);
        for (space, write) in draft.forgotten {
            self.forgotten(space, write);
        }
        // Before anything is acknowledged: heads say less from now on.
        for space in &touched {
            self.say_lacking(*space);
        }
        for item in &draft.items {
            if let Some(from) = item.from {
                let header = item.envelope.header();
                self.sender_has(from.0, header.space, header.chain, header.seq);
                self.answered(from, item.envelope.id(), None);
            }
        }
        for (from, id) in draft.also_from {
            self.answered(from, id, None);
        }
        self.settle(&touched, &new);
        self.reserved(&draft.counters);
        self.bodies_durable(&draft.bodies);
        self.cover_written(draft.covers);
        self.retry_orphans(&touched);
    }

    fn joins_durable(
        &mut self,
        joins: Vec<(WriteId, SpaceId, Option<Box<DeviceKeys>>)>,
        touched: &mut BTreeSet<SpaceId>,
    ) {
        for (write, space, invitation) in joins {
            let held = self
                .spaces
                .entry(space)
                .or_insert_with(|| Space::new(space));
            let before = held.invitation.as_ref().map(DeviceKeys::author);
            held.invitation = invitation.map(|keys| *keys).or(held.invitation.take());
            let after = held.invitation.as_ref().map(DeviceKeys::author);
            if before != after {
                self.invited_anew(space);
            }
            self.learn(space);
            self.redeem_if_due(space);
            touched.insert(space);
            self.ask_for(space);
            let written = Written {
                space,
                chain: self.chain(),
                seq: 0,
                id: EnvelopeId::ZERO,
            };
            self.outputs.push_back(Output::Written {
                write,
                result: Ok(written),
            });
        }
    }

    fn cover_written(&mut self, covers: Vec<Cover>) {
        let chain = self.chain();
        for cover in &covers {
            if cover.write.is_none()
                && let Some(held) = self.spaces.get_mut(&cover.space)
            {
                held.snapshots.noted();
            }
            if let Some(write) = cover.write {
                let (space, id) = (cover.space, cover.by);
                let written = Written {
                    space,
                    chain,
                    seq: 0,
                    id,
                };
                self.outputs.push_back(Output::Written {
                    write,
                    result: Ok(written),
                });
            }
        }
        let covers = covers.into_iter();
        self.covers_durable(covers.map(|it| (it.space, it.by, it.ids)).collect());
    }

    /// Who sent an envelope need not get it back.
    fn sender_has(&mut self, id: ConnectionId, space: SpaceId, chain: Chain, seq: u64) {
        self.feed_mut(id, space, |feed| {
            let known = feed.known.entry(chain).or_default();
            *known = (*known).max(seq);
        });
    }

    fn retry_orphans(&mut self, touched: &BTreeSet<SpaceId>) {
        for space in touched {
            let Some(held) = self.spaces.get_mut(space) else {
                continue;
            };
            for envelope in held.take_ready_orphans() {
                self.queue.push(Work::Received {
                    from: None,
                    envelope,
                });
            }
        }
    }

    fn report_written(&mut self, draft: &Draft) {
        for item in &draft.items {
            let Some(write) = item.write else {
                continue;
            };
            let header = item.envelope.header();
            let written = Written {
                space: header.space,
                chain: header.chain,
                seq: header.seq,
                id: *draft.created.get(&write).unwrap_or(&item.envelope.id()),
            };
            self.outputs.push_back(Output::Written {
                write,
                result: Ok(written),
            });
        }
    }
}

/// What a shell asks to be stored, as work; none of what is handled elsewhere.
fn work_of(input: Input) -> Option<(WriteId, Work)> {
    Some(match input {
        Input::Write {
            write,
            space,
            document,
            body,
        } => (
            write,
            Work::Write {
                write,
                space,
                document,
                body,
            },
        ),
        Input::WriteControl {
            write,
            space,
            statement,
        } => (
            write,
            Work::Control {
                write: Some(write),
                space,
                statement,
            },
        ),
        Input::CreateSpace {
            write,
            anchor,
            principal,
            end,
        } => (
            write,
            Work::Create {
                write,
                anchor,
                principal,
                end,
            },
        ),
        Input::Join {
            write,
            space,
            invitation,
        } => (
            write,
            Work::Join {
                write,
                space,
                invitation,
            },
        ),
        Input::Forget { write, space } => (write, Work::Forget { write, space }),
        Input::Cover {
            write,
            space,
            by,
            ids,
        } => (
            write,
            Work::Cover {
                write: Some(write),
                space,
                by,
                ids,
            },
        ),
        _elsewhere => return None,
    })
}

/// Whether as many devices as it allows redeemed an invitation: a relay takes no further one (A36).
fn is_surplus_redemption(held: &Space, draft: &Draft, envelope: &Envelope) -> bool {
    let Some(Statement::Grant(grant)) = envelope.statement() else {
        return false;
    };
    let Some(invitation) = grant.parent else {
        return false;
    };
    let above = held.log.get(invitation).and_then(Entry::statement);
    let Some(Statement::Grant(above)) = above else {
        return false;
    };
    let redeemer = |statement: Option<&Statement>| match statement? {
        Statement::Grant(grant) => (grant.parent == Some(invitation)).then_some(grant.audience),
        _ => None,
    };
    // One whose device was sent away was used all the same.
    let used = held.grants.keys().filter(|id| {
        let verdict = held.evaluation.verdict(**id);
        verdict.counts() || verdict == Verdict::Cut
    });
    let stored = used.filter_map(|id| redeemer(held.log.get(*id).and_then(Entry::statement)));
    let drafted = draft
        .items
        .iter()
        .filter_map(|item| redeemer(item.envelope.statement()));
    let mut others = Vec::new();
    for device in stored.chain(drafted) {
        if device == grant.audience {
            return false;
        }
        if !others.contains(&device) {
            others.push(device);
        }
    }
    above.flags.has(GrantFlags::INVITATION) && others.len() >= usize::from(above.redemptions)
}
