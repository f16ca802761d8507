//! What this device writes: sealed bodies, statements, Spaces, redemptions, receipts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::draft::{Draft, Item, New};
use super::io::{WriteError, WriteId};
use super::queue::Work;
use super::space::Space;
use crate::admission::needed;
use crate::envelope::{self, ANCESTORS_MAX, Envelope, FormError, Position};
use crate::id::{Chain, DocumentId, EnvelopeId, Instance, PrincipalId, SpaceId};
use crate::key::{EpochKey, PublicKeys, SpaceKey};
use crate::statement::{Audience, Body, Capability, Cut, Grant, GrantFlags, Kind, Statement};
use crate::time::Timestamp;

/// How many grants may follow below a Space's first.
const DEPTH_LEFT_GENESIS: u8 = 7;
/// How many receipts say at once what came at different times: what is older goes with what came next.
const RECEIPTS_AT_ONCE_MAX: usize = 4;

impl Engine {
    /// Begins a new chain where the one before does not go on, because something of it waits, is cut or
    /// was refused. As soon as that is known, not with the next write: whoever makes a change numbers it
    /// by the chain, and a document without what waits or is cut counts its changes otherwise.
    pub(super) fn leave_chain_if_over(&mut self, space: SpaceId) {
        let chain = self.chain();
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        if held.log.forked_at(chain).is_some() {
            // A person is told: their key wrote elsewhere too.
            self.begin_instance();
        } else if !held.evaluation.is_chain_usable(&held.log, chain) {
            self.instance = Instance(self.entropy.next_u64());
            self.queue.instance_dirty = true;
        }
    }

    /// Where this device's next envelope goes, on top of what the batch already has.
    fn position(
        &mut self,
        draft: &Draft,
        space: SpaceId,
        capability: Capability,
    ) -> Result<Position, WriteError> {
        let held = self.spaces.get(&space).ok_or(WriteError::UnknownSpace)?;
        if held.evaluation.capability(self.author, self.now) < Some(capability) {
            return Err(WriteError::NotAllowed);
        }
        let chain = self.chain();
        let authority = held
            .evaluation
            .best_grant(self.author, self.now)
            .ok_or(WriteError::NotAllowed)?;
        let drafted = draft.heads.get(&(space, chain)).copied();
        let (seq, previous) = drafted
            .or_else(|| held.log.head(chain))
            .map_or((1, EnvelopeId::ZERO), |(seq, id)| (seq + 1, id));
        let ancestors = if drafted.is_some() {
            // The envelope before it in this batch names them already.
            Vec::new()
        } else {
            held.evaluation.frontier(chain)
        };
        Ok(Position {
            space,
            instance: self.instance,
            seq,
            previous,
            authority,
            ancestors,
            time: self.now,
        })
    }

    fn add_own(&self, draft: &mut Draft, envelope: Envelope, write: Option<WriteId>) {
        draft.add(Item {
            envelope: Arc::new(envelope),
            from: None,
            write,
            received: self.now,
        });
    }

    pub(super) fn draft_control(
        &mut self,
        draft: &mut Draft,
        write: Option<WriteId>,
        space: SpaceId,
        statement: &Statement,
    ) -> Result<(), WriteError> {
        let mut position = self.position(draft, space, Capability::Relay)?;
        position.ancestors.truncate(ANCESTORS_MAX);
        if let Statement::Grant(Grant {
            parent: Some(parent),
            ..
        }) = statement
        {
            // One that is given below another than the best.
            position.authority = *parent;
        }
        let envelope = envelope::control(&self.keys, position, statement)?;
        self.add_own(draft, envelope, write);
        Ok(())
    }

    pub(super) fn draft_write(
        &mut self,
        draft: &mut Draft,
        write: Option<WriteId>,
        space: SpaceId,
        document: DocumentId,
        body: &Body,
    ) -> Result<(), WriteError> {
        // Refuse before anything is drafted for it: what others would refuse, too.
        let needed = needed(body.kind()).max(Capability::Comment);
        self.position(draft, space, needed)?;
        let (epoch, key) = self.epoch(draft, space)?;
        self.share_keys(draft, space)?;
        let mut position = self.position(draft, space, Capability::Comment)?;
        while position.ancestors.len() > ANCESTORS_MAX {
            let rest = position.ancestors.split_off(ANCESTORS_MAX);
            let sealed = (epoch, &key);
            let merge = self.seal(position, document, &Body::Merge, sealed)?;
            self.add_own(draft, merge, None);
            position = self.position(draft, space, Capability::Comment)?;
            position.ancestors = rest;
        }
        let envelope = self.seal(position, document, body, (epoch, &key))?;
        self.add_own(draft, envelope, write);
        Ok(())
    }

    fn seal(
        &mut self,
        position: Position,
        document: DocumentId,
        body: &Body,
        epoch: (EnvelopeId, &EpochKey),
    ) -> Result<Envelope, FormError> {
        envelope::sealed(&self.keys, position, document, body, epoch)
    }

    /// The epoch to seal under; a new one first when there is none or a reader left.
    fn epoch(
        &mut self,
        draft: &mut Draft,
        space: SpaceId,
    ) -> Result<(EnvelopeId, EpochKey), WriteError> {
        if let Some(fresh) = draft.epochs.get(&space) {
            return Ok(fresh.clone());
        }
        let held = self.spaces.get(&space).ok_or(WriteError::UnknownSpace)?;
        let (log, outsiders) = (&held.log, &held.outsiders);
        let due = held
            .keyring
            .rotation_due(log, &held.evaluation, outsiders, self.now);
        let may_rotate =
            held.evaluation.capability(self.author, self.now) >= Some(Capability::Write);
        if due.is_none() || !may_rotate {
            let (id, key) = held
                .keyring
                .in_force(log, &held.evaluation)
                .ok_or(WriteError::NoKey)?;
            return Ok((id, key.clone()));
        }
        let rotation = held
            .keyring
            .rotation(
                &held.evaluation,
                space,
                outsiders,
                self.now,
                &mut self.entropy,
            )
            .map_err(|_unwrappable| WriteError::NoKey)?;
        self.draft_control(draft, None, space, &rotation.statement)?;
        let id = draft
            .heads
            .get(&(space, self.chain()))
            .map_or(EnvelopeId::ZERO, |(_seq, id)| *id);
        draft.epochs.insert(space, (id, rotation.key.clone()));
        Ok((id, rotation.key))
    }

    /// Seals the epochs to readers that came after them.
    fn share_keys(&mut self, draft: &mut Draft, space: SpaceId) -> Result<(), WriteError> {
        if draft.epochs.contains_key(&space) {
            return Ok(());
        }
        for statement in self.shares(space) {
            self.draft_control(draft, None, space, &statement)?;
        }
        Ok(())
    }

    fn shares(&mut self, space: SpaceId) -> Vec<Statement> {
        let Some(held) = self.spaces.get_mut(&space) else {
            return Vec::new();
        };
        if !std::mem::take(&mut held.share_due) {
            return Vec::new();
        }
        held.keyring
            .share(&held.log, &held.evaluation, self.now, &mut self.entropy)
    }

    /// After this device let someone in: the keys follow at once.
    pub(super) fn share_soon(&mut self, space: SpaceId) {
        for statement in self.shares(space) {
            self.queue.push(Work::Control {
                write: None,
                space,
                statement,
            });
        }
    }

    pub(super) fn draft_space(
        &mut self,
        draft: &mut Draft,
        write: WriteId,
        anchor: Option<PublicKeys>,
        principal: PrincipalId,
        end: Timestamp,
    ) -> Result<(), WriteError> {
        let space_key = SpaceKey::generate(&mut self.entropy);
        let space = space_key.space();
        let own = self.keys.public();
        let administer = |to: PublicKeys, end, depth_left| Grant {
            audience: Audience::Author(to.author),
            box_key: to.box_key,
            principal,
            capability: Capability::Administer,
            flags: GrantFlags::WITNESS,
            not_before: Timestamp::ZERO,
            end,
            depth_left,
            redemptions: 0,
            redeem_until: Timestamp::ZERO,
            parent: None,
        };
        let root = administer(anchor.unwrap_or(own), Timestamp::MAX, DEPTH_LEFT_GENESIS);
        let device = anchor.map(|_anchor| administer(own, end, DEPTH_LEFT_GENESIS - 1));
        let founding = envelope::found(space_key, root, device, self.now)?;
        let genesis = founding.root.id();
        let authority = founding.device.as_ref().map_or(genesis, Envelope::id);
        let first: Vec<_> = founding.into_envelopes().collect();
        let mut made = Space::new(space);
        for envelope in &first {
            let _inserted = made.remember(envelope, self.now);
        }
        let (log, outsiders) = (&made.log, &made.outsiders);
        made.evaluation.refresh(log, outsiders, self.now);
        let rotation = made
            .keyring
            .rotation(
                &made.evaluation,
                space,
                outsiders,
                self.now,
                &mut self.entropy,
            )
            .map_err(|_unwrappable| WriteError::NoKey)?;
        let mut position = self.first_position(space, authority);
        position.instance = self.instance;
        position.ancestors = vec![authority];
        let epoch = envelope::control(&self.keys, position, &rotation.statement)?;
        draft.created(write, genesis);
        for envelope in first {
            self.add_own(draft, envelope, None);
        }
        draft.epochs.insert(space, (epoch.id(), rotation.key));
        self.add_own(draft, epoch, Some(write));
        Ok(())
    }

    fn first_position(&mut self, space: SpaceId, authority: EnvelopeId) -> Position {
        Position {
            space,
            instance: Instance(self.entropy.next_u64()),
            seq: 1,
            previous: EnvelopeId::ZERO,
            authority,
            ancestors: Vec::new(),
            time: self.now,
        }
    }

    /// The guest's grant to its own device, signed by the invitation.
    pub(super) fn draft_redemption(&mut self, draft: &mut Draft, space: SpaceId) {
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let Some(invitation) = held.invitation.as_ref().filter(|_it| !held.redeemed) else {
            return;
        };
        let invited = held
            .evaluation
            .members()
            .iter()
            .find(|member| member.author == invitation.author() && member.is_live(self.now));
        let Some(invited) = invited.cloned() else {
            return;
        };
        let grant = Grant {
            audience: Audience::Author(self.author),
            box_key: self.keys.box_public(),
            principal: PrincipalId::ZERO,
            capability: invited.capability,
            flags: GrantFlags::NONE,
            not_before: invited.not_before,
            end: invited.end,
            depth_left: 0,
            redemptions: 0,
            redeem_until: Timestamp::ZERO,
            parent: Some(invited.grant),
        };
        let position = self.first_position(space, invited.grant);
        let Some(held) = self.spaces.get_mut(&space) else {
            return;
        };
        let Some(invitation) = &held.invitation else {
            return;
        };
        if let Ok(envelope) = envelope::control(invitation, position, &Statement::Grant(grant)) {
            held.redeemed = true;
            self.add_own(draft, envelope, None);
        }
    }

    /// Witnesses state what they hold: changed heads, at most once an interval, never for receipts
    /// alone.
    pub(super) fn state_receipts(&mut self) {
        let due: Vec<_> = self
            .spaces
            .iter()
            .filter(|(_space, held)| held.next_receipt.is_some_and(|then| then <= self.now))
            .map(|(space, _held)| *space)
            .collect();
        for space in due {
            let Some(held) = self.spaces.get_mut(&space) else {
                continue;
            };
            held.next_receipt = None;
            if !held.evaluation.is_witness(self.author, self.now) {
                continue;
            }
            let seen = unwitnessed(held, self.author);
            for (at, cuts) in by_arrival(seen, self.limits.receipt_interval) {
                let at = at.min(self.now);
                self.queue.push(Work::Control {
                    write: None,
                    space,
                    statement: Statement::Receipt { cuts, at },
                });
            }
        }
    }

    /// The same at the start: what came just before the last end has none yet.
    pub(super) fn plan_first_receipt(&mut self, space: SpaceId) {
        let at = self.now.plus(self.limits.receipt_interval);
        let (author, now) = (self.author, self.now);
        if let Some(held) = self.spaces.get_mut(&space)
            && held.evaluation.is_witness(author, now)
            && !unwitnessed(held, author).is_empty()
        {
            held.next_receipt = Some(at);
        }
    }

    /// Sets the time of the next receipt when something came that deserves one. That a code was used is said at
    /// once: of those who use it the first that a witness saw counts, and until it says so their own clocks
    /// decide. A code lets in so many devices, so nobody has that done without end.
    pub(super) fn plan_receipt(&mut self, space: SpaceId, new: &New) {
        let (author, now) = (self.author, self.now);
        let due = if self.lets_in_another(space, new) {
            now
        } else {
            now.plus(self.limits.receipt_interval)
        };
        let deserves = new.values().any(|envelope| {
            envelope.header().space == space
                && envelope.header().chain.author != author
                && !matches!(envelope.statement(), Some(Statement::Receipt { .. }))
        });
        if let Some(held) = self.spaces.get_mut(&space)
            && deserves
            && held.evaluation.is_witness(author, now)
        {
            held.next_receipt = Some(held.next_receipt.map_or(due, |then| then.min(due)));
        }
    }

    /// Whether a device came by an invitation that had not come by it before.
    fn lets_in_another(&self, space: SpaceId, new: &New) -> bool {
        let mut grants = new
            .values()
            .filter_map(|envelope| match envelope.statement() {
                Some(Statement::Grant(grant)) => Some((envelope.id(), grant)),
                _ => None,
            });
        // Most of what comes is no grant, and members are many.
        let (Some(first), Some(held)) = (grants.next(), self.spaces.get(&space)) else {
            return false;
        };
        let members = held.evaluation.members();
        std::iter::once(first).chain(grants).any(|(id, grant)| {
            let mut came = members.iter().filter(|it| {
                let by_it = it.guest_of.is_some() && it.guest_of == grant.parent;
                by_it && Audience::Author(it.author) == grant.audience
            });
            let first = came.next();
            first.is_some_and(|it| it.grant == id) && came.next().is_none()
        })
    }
}

/// What came at about one time, in one receipt each: a witness that was stopped before it said what it had says
/// at its next start when that came.
fn by_arrival(mut seen: Vec<(Timestamp, Cut)>, interval: Duration) -> Vec<(Timestamp, Vec<Cut>)> {
    seen.sort_unstable_by_key(|(received, cut)| (*received, cut.chain));
    let mut receipts: Vec<(Timestamp, Vec<Cut>)> = Vec::new();
    let mut first = Timestamp::ZERO;
    for (received, cut) in seen {
        let is_full = receipts.len() >= RECEIPTS_AT_ONCE_MAX;
        match receipts.last_mut() {
            Some((at, cuts)) if is_full || received <= first.plus(interval) => {
                *at = received;
                cuts.push(cut);
            }
            _ => {
                first = received;
                receipts.push((received, vec![cut]));
            }
        }
    }
    receipts
}

/// Heads of others' chains that this author's last receipts do not name, without those that grew by
/// receipts alone, and when they came.
fn unwitnessed(held: &Space, author: crate::id::AuthorId) -> Vec<(Timestamp, Cut)> {
    let own: BTreeSet<Chain> = held.log.chains_of(author).collect();
    let mut witnessed = std::collections::BTreeMap::new();
    for chain in &own {
        for entry in held.log.after(*chain, 0) {
            if let Some(Statement::Receipt { cuts, .. }) = entry.statement() {
                for cut in cuts {
                    let seq: &mut u64 = witnessed.entry(cut.chain).or_default();
                    *seq = cut.seq.max(*seq);
                }
            }
        }
    }
    held.log
        .heads()
        .filter(|(chain, _seq, _id)| !own.contains(chain))
        .filter(|(chain, _seq, _id)| {
            let last = witnessed.get(chain).copied().unwrap_or(0);
            held.log.after(*chain, last).any(|entry| {
                entry.header().kind != Kind::Control
                    || !matches!(entry.statement(), Some(Statement::Receipt { .. }))
            })
        })
        .filter_map(|(chain, seq, id)| {
            let received = held.log.get(id)?.received();
            Some((received, Cut { chain, seq, id }))
        })
        .collect()
}
