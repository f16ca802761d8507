//! The path to the disk: one batch at a time, all or nothing, in the order in which work came.
//!
//! Envelopes are sealed only when their batch is formed, on top of what is durable. So a batch that
//! fails leaves nothing to undo, and what gathers while one is under way is the next group commit.
use std::collections::BTreeSet;
use std::sync::Arc;

use super::draft::{Cover, Draft, Item};
use super::io::{
    BatchId, ConnectionId, Output, Refusal, SecretSeed, StoreOperation, StoredCounter,
    StoredCursor, WriteError, WriteId,
};
use super::options::{Quotas, Role};
use super::queue::{InFlight, Work};
use super::quota::{OverQuota, QuotaName};
use super::settle::redeemed_by;
use super::space::{Space, is_grant, len_of};
use super::{Engine, Mutant};
use crate::admission::{Entry, Verdict};
use crate::envelope::Envelope;
use crate::id::{AuthorId, EnvelopeId, SpaceId};
use crate::key::DeviceKeys;
use crate::statement::{Audience, GrantFlags, Statement};

/// Envelopes of one batch.
const BATCH_ENVELOPES_MAX: usize = 1_024;

/// Redemptions of an invitation beyond those it allows that a relay takes from members: by files and
/// without a network several may use one before anybody hears of it.
const SURPLUS_REDEMPTIONS_MAX: usize = 16;

impl Engine {
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
                exact: self.is_ending,
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
                made_in,
            } => {
                self.queue.writes -= 1;
                let done = if made_in.is_some_and(|made_in| made_in != self.instance) {
                    Err(WriteError::ChainLeft)
                } else {
                    self.draft_write(draft, Some(write), space, document, &body)
                };
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

    /// A new one always wins: whoever was sent away, or may do more from now on, comes by that. Else the
    /// one that let this device in stays: peers that lost its redemption know it by that. One by which this
    /// device came before is nothing new.
    fn invitation_to_keep(
        &self,
        space: SpaceId,
        new: Option<Box<DeviceKeys>>,
    ) -> Option<Box<DeviceKeys>> {
        let held = self.spaces.get(&space);
        let old = held.and_then(|it| it.invitation.as_ref());
        let old = old.map(|keys| Box::new(DeviceKeys::from_seed(*keys.expose_seed())));
        let own = self.keys.public();
        let is_known = |new: &DeviceKeys| held.is_some_and(|it| redeemed_by(it, new, &own));
        let new = new.filter(|new| old.is_none() || !is_known(new));
        new.or(old)
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
        let connection = from.map(|(connection, _number)| connection);
        let judged = self.judge_received(draft, &envelope, connection);
        let paced = judged.and_then(|()| self.take_pace(author));
        if paced == Err(Some(Refusal::Quota)) {
            self.tell_quota(draft, &envelope, judged.is_ok());
        }
        let refusal = match paced {
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
    fn judge_received(
        &self,
        draft: &mut Draft,
        envelope: &Envelope,
        from: Option<ConnectionId>,
    ) -> Result<(), Option<Refusal>> {
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
        if let Role::Relay(quotas) = self.role
            && (self.passed_quota(draft, envelope, &quotas).is_some()
                || self.is_surplus_redemption(held, draft, (envelope, from)))
        {
            return Err(Some(Refusal::Quota));
        }
        Ok(())
    }

    /// Which of a relay's quotas an envelope would pass.
    fn passed_quota(
        &self,
        draft: &mut Draft,
        envelope: &Envelope,
        quotas: &Quotas,
    ) -> Option<OverQuota> {
        let header = envelope.header();
        let held = self.spaces.get(&header.space)?;
        // What stands before it in this batch counts too: it is stored with it.
        let added = draft.added.get(&header.space).copied().unwrap_or(0);
        let bytes = added.saturating_add(len_of(envelope));
        let others = draft.added.values().copied().fold(0, u64::saturating_add) - added;
        let stored = *draft.stored.get_or_insert_with(|| {
            let spaces = self.spaces.values();
            spaces.map(|held| held.bytes).fold(0, u64::saturating_add)
        });
        let day = self.now.millis().div_euclid(86_400_000);
        let today = if held.today.0 == day { held.today.1 } else { 0 };
        let one_more = |quota, is_surplus: bool, most: usize| {
            let most = u64::try_from(most).unwrap_or(u64::MAX);
            let would_be = most.saturating_add(u64::from(is_surplus));
            OverQuota::of(quota, would_be, most)
        };
        let (chains, grants) = (quotas.chains_per_author_max, quotas.grants_per_author_max);
        let total = stored.saturating_add(others).saturating_add(bytes);
        OverQuota::of(QuotaName::TotalBytes, total, quotas.total_bytes_max)
            .or_else(|| {
                let all = held.bytes + bytes;
                OverQuota::of(QuotaName::SpaceBytes, all, quotas.space_bytes_max)
            })
            .or_else(|| {
                let most = quotas.space_bytes_per_day_max;
                OverQuota::of(QuotaName::SpaceBytesPerDay, today + bytes, most)
            })
            .or_else(|| {
                let surplus = is_surplus_chain(held, draft, envelope, chains);
                one_more(QuotaName::ChainsPerAuthor, surplus, chains)
            })
            .or_else(|| {
                let surplus = is_surplus_grant(held, draft, envelope, grants);
                one_more(QuotaName::GrantsPerAuthor, surplus, grants)
            })
    }

    /// Says to whoever runs this relay why something was not taken.
    fn tell_quota(&mut self, draft: &mut Draft, envelope: &Envelope, judged: bool) {
        let Role::Relay(quotas) = self.role else {
            return;
        };
        let most = u64::from(quotas.envelopes_per_second_max);
        let over = if judged {
            // Its author is too fast.
            OverQuota::of(QuotaName::EnvelopesPerSecond, most.saturating_add(1), most)
        } else {
            // None: one device more than an invitation lets in.
            self.passed_quota(draft, envelope, &quotas)
        };
        if let Some(over) = over {
            let header = envelope.header();
            self.tell_over_quota(header.space, header.chain.author, over);
        }
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

    /// Whether as many devices as it allows redeemed an invitation: a relay takes no further one (A36). What a
    /// member brings, who may have taken it in where no relay was and built on it, waits like everywhere
    /// else: without it nothing that builds on it would ever count.
    fn is_surplus_redemption(
        &self,
        held: &Space,
        draft: &Draft,
        (envelope, from): (&Envelope, Option<ConnectionId>),
    ) -> bool {
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
        if !above.flags.has(GrantFlags::INVITATION) {
            return false;
        }
        let brought = from.is_some_and(|from| self.is_let_in(from, held));
        // One whose device was sent away was used all the same.
        let used = held.grants.keys().filter(|id| {
            let verdict = held.evaluation.verdict(**id);
            brought || verdict.counts() || verdict == Verdict::Cut
        });
        let stored = used
            .filter_map(|id| redeemer(held.log.get(*id).and_then(Entry::statement), invitation));
        let drafted = draft.items.iter();
        let drafted = drafted.filter_map(|item| redeemer(item.envelope.statement(), invitation));
        let devices: BTreeSet<_> = stored.chain(drafted).collect();
        let further = if brought { SURPLUS_REDEMPTIONS_MAX } else { 0 };
        !devices.contains(&grant.audience)
            && devices.len() >= usize::from(above.redemptions).saturating_add(further)
    }

    /// Whether a peer has a part in a Space that counts, and not by a code alone.
    fn is_let_in(&self, connection: ConnectionId, held: &Space) -> bool {
        let authors = self.connections.get(&connection);
        let mut authors = authors.into_iter().flat_map(|it| &it.authors);
        authors.any(|author| {
            let mut grants = held.evaluation.grants_of(*author, self.now);
            grants.any(|grant| !grant.is_invitation())
        })
    }
}

/// Whether it begins a chain where its author has as many as a relay takes of one, those of this batch included.
fn is_surplus_chain(held: &Space, draft: &Draft, envelope: &Envelope, most: usize) -> bool {
    let header = envelope.header();
    if header.seq != 1 {
        return false;
    }
    let author = header.chain.author;
    let begun = draft.heads.keys().filter(|(space, chain)| {
        *space == header.space && chain.author == author && held.log.head(*chain).is_none()
    });
    held.log.chains_of(author).count() + begun.count() >= most
}

/// Whether its author gave as many grants in its Space as a relay takes of one.
fn is_surplus_grant(held: &Space, draft: &Draft, envelope: &Envelope, most: usize) -> bool {
    if !is_grant(envelope) {
        return false;
    }
    let (space, author) = (envelope.header().space, envelope.header().chain.author);
    let given = held.given.get(&author).copied().unwrap_or(0);
    // Most batches are far from it.
    if given + draft.items.len() < most {
        return false;
    }
    let by_author =
        |of: &Envelope| of.header().space == space && of.header().chain.author == author;
    let drafted = draft.items.iter().map(|item| &*item.envelope);
    given + drafted.filter(|of| by_author(of) && is_grant(of)).count() >= most
}

/// The device that an invitation's key lets in by a statement, if that is what it does.
fn redeemer(statement: Option<&Statement>, invitation: EnvelopeId) -> Option<Audience> {
    match statement? {
        Statement::Grant(grant) => (grant.parent == Some(invitation)).then_some(grant.audience),
        _ => None,
    }
}
