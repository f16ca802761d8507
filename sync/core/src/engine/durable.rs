//! What follows when the store answered: all of a batch counts, or none of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::bodies::is_bodiless;
use super::draft::{Cover, Draft, New};
use super::io::{
    BatchId, ConnectionId, Event, Output, Refusal, StoreFailure, WriteError, WriteId, Written,
};
use super::queue::Work;
use super::receive::introduces;
use super::settle::redeemed_by;
use super::space::Space;
use super::{Engine, Mutant};
use crate::admission::Inserted;
use crate::id::{Chain, EnvelopeId, SpaceId};
use crate::key::DeviceKeys;

/// How long to wait after the store failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Engine {
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
        let own = self.keys.public();
        for (write, space, invitation) in joins {
            let held = self
                .spaces
                .entry(space)
                .or_insert_with(|| Space::new(space));
            let before = held.invitation.as_ref().map(DeviceKeys::author);
            held.invitation = invitation.map(|keys| *keys).or(held.invitation.take());
            let after = held.invitation.as_ref().map(DeviceKeys::author);
            if before != after {
                held.redeemed = false;
                // By one that it came by before it comes no second time: what was said of it stays so.
                let invitation = held.invitation.as_ref();
                if !invitation.is_some_and(|it| redeemed_by(held, it, &own)) {
                    self.invited_anew(space);
                }
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

    pub(super) fn report_written(&mut self, draft: &Draft) {
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
