//! Who is in a Space: members, audiences, and what of other Spaces matters here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::control::Control;
use super::entry::Entry;
use super::epoch_fault::is_proven;
use super::evaluation::Evaluation;
use super::grant_chain::{Rooted, grace_of, grant_in};
use super::log::SpaceLog;
use super::redemptions::invitation_of;
use super::verdict::Verdict;
use crate::guard::{Guard, holds};
use crate::id::{AuthorId, EnvelopeId, PrincipalId, SpaceId};
use crate::statement::{
    Audience, Capability, Card, Epoch, Grant, GrantFlags, RelayAddress, Statement,
};
use crate::time::Timestamp;

/// One standing grant to a device, agent, relay or invitation. An author may have several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Whose key.
    pub author: AuthorId,
    /// To which epoch keys are wrapped: of its newest card, else of the grant.
    pub box_key: [u8; 32],
    /// Who is behind it. Below an invitation it is derived from that grant: a guest.
    pub principal: PrincipalId,
    /// The invitation through which it came; a guest approves nothing.
    pub guest_of: Option<EnvelopeId>,
    /// What it may do.
    pub capability: Capability,
    /// Marks on the grant.
    pub flags: GrantFlags,
    /// From when.
    pub not_before: Timestamp,
    /// Until when; for an invitation until when its guests stay.
    pub end: Timestamp,
    /// How long after the end what was written in time may arrive.
    pub grace: Duration,
    /// Until when an invitation's own key can be used; zero for other grants.
    pub redeem_until: Timestamp,
    /// How many more devices may redeem an invitation; zero for other grants.
    pub redemptions_left: u16,
    /// Of an invitation: somebody who came by it was sent away, so that it lets in nobody else.
    pub is_over: bool,
    /// How many grants may follow below.
    pub depth_left: u8,
    /// The grants from which it descends, nearest the root first, without its own.
    pub through: Vec<EnvelopeId>,
    /// The grant itself.
    pub grant: EnvelopeId,
}

impl Member {
    /// Whether its author can use the grant at a time. An invitation's key is worth nothing once it
    /// has let in as many as it may: a code that was seen on its way opens what follows no more.
    pub fn is_live(&self, now: Timestamp) -> bool {
        let end = if self.is_invitation() {
            self.redeem_until
        } else {
            self.end
        };
        let is_used_up = self.is_invitation() && self.redemptions_left == 0;
        self.not_before <= now && now <= end && !(is_used_up && holds(Guard::UsedUp))
    }

    /// Whether epochs are sealed to its author at a time.
    pub fn reads(&self, now: Timestamp) -> bool {
        self.is_live(now) && self.capability >= Capability::Read
    }

    /// Whether its author's receipts and closes count.
    pub fn is_witness(&self) -> bool {
        self.capability == Capability::Administer || self.flags.has(GrantFlags::WITNESS)
    }

    /// Whether this is an invitation's key, not someone's device.
    pub fn is_invitation(&self) -> bool {
        self.flags.has(GrantFlags::INVITATION)
    }
}

/// A standing grant to whoever may read in another Space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudienceSpace {
    /// The other Space.
    pub space: SpaceId,
    /// What its readers may do here: at most read.
    pub capability: Capability,
    /// From when.
    pub not_before: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// The grant.
    pub grant: EnvelopeId,
}

impl AudienceSpace {
    /// Whether the grant holds at a time.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.not_before <= now && now <= self.end
    }
}

/// An epoch statement that counts: what another Space needs to seal to its readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochInForce {
    /// The statement.
    pub id: EnvelopeId,
    /// Its number.
    pub number: u64,
    /// The public half of its epoch box.
    pub public: [u8; 32],
}

/// What one Space must know of another that is its audience: plain facts of its control chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutsideSpace {
    /// Who may read there, and until when.
    pub readers: BTreeMap<AuthorId, Timestamp>,
    /// The epoch to which keys are wrapped.
    pub epoch: Option<EpochInForce>,
    /// All its epochs that are known here.
    pub epochs: BTreeSet<EnvelopeId>,
}

/// The other Spaces whose readers are granted something here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outsiders(pub BTreeMap<SpaceId, OutsideSpace>);

impl Outsiders {
    /// None known: grants to other Spaces' readers let nobody in.
    pub fn none() -> Self {
        Self::default()
    }

    pub(super) fn reads(&self, space: SpaceId, author: AuthorId, now: Timestamp) -> bool {
        self.0
            .get(&space)
            .and_then(|outside| outside.readers.get(&author))
            .is_some_and(|end| now <= *end)
    }

    /// The other Spaces known here.
    pub fn spaces(&self) -> BTreeSet<SpaceId> {
        self.0.keys().copied().collect()
    }
}

/// Who is in a Space, read off the control statements that count.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    pub(super) members: Vec<Member>,
    audiences: Vec<AudienceSpace>,
    relays: Vec<RelayAddress>,
    cards: BTreeMap<AuthorId, Card>,
    agent_spaces: BTreeMap<AuthorId, SpaceId>,
    epochs: Vec<EpochInForce>,
    rejected_epochs: BTreeSet<EnvelopeId>,
    /// Which devices redeemed an invitation.
    guests: BTreeMap<EnvelopeId, BTreeSet<AuthorId>>,
    /// By what the newest of each are known, and who rejects an epoch: to add to them.
    newest_cards: BTreeMap<AuthorId, (u32, Timestamp, EnvelopeId)>,
    newest_relays: Option<(Timestamp, EnvelopeId)>,
    rejections: Vec<EnvelopeId>,
    /// Reasons that count, of emergencies that may be over.
    pub(super) reasons: BTreeSet<EnvelopeId>,
}

impl Roster {
    pub(super) fn of(log: &SpaceLog, evaluation: &Evaluation, control: &Control) -> Self {
        let mut roster = Self::default();
        for (entry, statement) in log.control() {
            if evaluation.verdict(entry.id) == Verdict::Admitted {
                roster.add_statement(entry, statement);
            }
        }
        roster
            .epochs
            .sort_unstable_by(|a, b| b.number.cmp(&a.number).then(a.id.cmp(&b.id)));
        for (id, _found) in control.grants().iter() {
            roster.add_grant(log, control, id);
        }
        roster
            .members
            .sort_unstable_by_key(|member| (member.author, member.grant));
        roster.count_redemptions(log, control);
        roster.weigh_rejections(log);
        roster
    }

    /// Adds statements that count and change nothing that was there. False when the roster must be
    /// read off anew: which of an author's cards counts is decided over all of them.
    pub(super) fn add_all(&mut self, log: &SpaceLog, control: &Control, added: &[&Entry]) -> bool {
        for entry in added {
            let author = entry.header.chain.author;
            match &entry.statement {
                Some(Statement::Card(_) | Statement::AgentCard { .. })
                    if self.cards.contains_key(&author) =>
                {
                    return false;
                }
                Some(Statement::Grant(_)) => self.add_grant(log, control, entry.id),
                Some(Statement::Revoke { target, .. }) => self.remove(log, control, *target),
                Some(statement) => self.add_statement(entry, statement),
                None => {}
            }
        }
        let counts_uses = |entry: &&Entry| match &entry.statement {
            Some(Statement::Grant(grant)) => redeemed_by(log, grant).is_some(),
            // Nobody else comes by the code of somebody who was sent away.
            Some(Statement::Revoke { .. }) => true,
            _ => false,
        };
        if added.iter().any(counts_uses) {
            self.count_redemptions(log, control);
        }
        let receipts_only = added
            .iter()
            .all(|entry| matches!(entry.statement, Some(Statement::Receipt { .. })));
        if !receipts_only {
            self.epochs
                .sort_unstable_by(|a, b| b.number.cmp(&a.number).then(a.id.cmp(&b.id)));
            self.members
                .sort_by_key(|member| (member.author, member.grant));
            self.audiences.sort_by_key(|audience| audience.grant);
            for entry in added {
                self.renew_box_keys(entry);
            }
            self.weigh_rejections(log);
        }
        true
    }

    /// Anything but a grant, which has its place in the chain of grants.
    fn add_statement(&mut self, entry: &Entry, statement: &Statement) {
        let author = entry.header.chain.author;
        match statement {
            Statement::Card(card) => {
                self.add_card(entry, card);
            }
            Statement::AgentCard { card, space } => {
                let newest = self.add_card(entry, card);
                if newest {
                    self.agent_spaces.insert(author, *space);
                }
            }
            Statement::Relays(relays) => {
                let order = Some((entry.header.time, entry.id));
                if self.newest_relays < order {
                    self.newest_relays = order;
                    self.relays.clone_from(relays);
                }
            }
            Statement::Epoch(epoch) => self.epochs.push(in_force(entry, epoch)),
            Statement::EpochReject { .. } => self.rejections.push(entry.id),
            Statement::BreakGlass { .. } => drop(self.reasons.insert(entry.id)),
            _ => {}
        }
    }

    /// Takes out a grant that somebody ended, and all below it.
    fn remove(&mut self, log: &SpaceLog, control: &Control, target: EnvelopeId) {
        self.members
            .retain(|member| member.grant != target && !member.through.contains(&target));
        self.audiences.retain(|audience| {
            let rooted = control.grants().get(log, audience.grant);
            !rooted.is_ok_and(|rooted| rooted.path.contains(&target))
        });
    }

    /// Of the members who are there when a card comes.
    fn renew_box_keys(&mut self, entry: &Entry) {
        let Some(Statement::Card(card) | Statement::AgentCard { card, .. }) = &entry.statement
        else {
            return;
        };
        let author = entry.header.chain.author;
        let from = self
            .members
            .partition_point(|member| member.author < author);
        let own = self.members[from..].iter_mut();
        for member in own.take_while(|member| member.author == author) {
            member.box_key = card.box_key;
        }
    }

    fn weigh_rejections(&mut self, log: &SpaceLog) {
        let rejections = self.rejections.iter().filter_map(|id| log.get(*id));
        self.rejected_epochs = rejections
            .filter_map(|entry| match &entry.statement {
                Some(Statement::EpochReject { epoch, fault }) => Some((*epoch, fault)),
                _ => None,
            })
            .filter(|(epoch, fault)| is_proven(log, &self.members, *epoch, fault))
            .map(|(epoch, _fault)| epoch)
            .collect();
    }

    /// Whether this is its author's newest card so far.
    fn add_card(&mut self, entry: &Entry, card: &Card) -> bool {
        let author = entry.header.chain.author;
        let order = (card.box_generation, entry.header.time, entry.id);
        if self
            .newest_cards
            .get(&author)
            .is_some_and(|known| *known > order)
        {
            return false;
        }
        self.newest_cards.insert(author, order);
        self.cards.insert(author, card.clone());
        true
    }

    /// How often each invitation may still be redeemed: not at all once somebody who came by it was
    /// sent away.
    fn count_redemptions(&mut self, log: &SpaceLog, control: &Control) {
        for member in self.members.iter_mut().filter(|it| it.is_invitation()) {
            member.is_over = control.sent_away.contains(&member.author) && holds(Guard::SentAway);
            let allowed = grant_in(log, member.grant).filter(|_grant| !member.is_over);
            let allowed = allowed.map_or(0, |grant| grant.redemptions);
            let guests = self.guests.get(&member.grant).map_or(0, BTreeSet::len);
            let guests = u16::try_from(guests).unwrap_or(u16::MAX);
            member.redemptions_left = allowed.saturating_sub(guests);
        }
    }

    /// At the end: the caller sorts.
    fn add_grant(&mut self, log: &SpaceLog, control: &Control, id: EnvelopeId) {
        let (Ok(rooted), Some(grant)) = (control.grants().get(log, id), grant_in(log, id)) else {
            return;
        };
        if let (Some(invitation), Audience::Author(guest)) =
            (redeemed_by(log, grant), grant.audience)
            && control.took_redemption(id)
        {
            self.guests.entry(invitation).or_default().insert(guest);
        }
        let ended = rooted.path.iter().any(|above| control.cuts().ends(*above));
        if ended || control.standing(id) != Verdict::Admitted {
            return;
        }
        match grant.audience {
            Audience::Author(author) => {
                let grace = grace_of(log, &rooted.path);
                let member = self.member(author, id, grant, (rooted, grace));
                self.members.push(member);
            }
            Audience::ReadersOf(space) => self.audiences.push(AudienceSpace {
                space,
                capability: grant.capability,
                not_before: grant.not_before,
                end: grant.end,
                grant: id,
            }),
        }
    }

    fn member(
        &self,
        author: AuthorId,
        id: EnvelopeId,
        grant: &Grant,
        (rooted, grace): (&Rooted, Duration),
    ) -> Member {
        let above = rooted.path.len().saturating_sub(1);
        Member {
            author,
            box_key: self
                .cards
                .get(&author)
                .map_or(grant.box_key, |card| card.box_key),
            principal: rooted.principal,
            guest_of: rooted.guest_of,
            capability: grant.capability,
            flags: grant.flags,
            not_before: grant.not_before,
            end: grant.end,
            grace,
            redeem_until: grant.redeem_until,
            redemptions_left: grant.redemptions,
            is_over: false,
            depth_left: grant.depth_left,
            through: rooted.path[..above].to_vec(),
            grant: id,
        }
    }
}

/// The invitation under which a grant stands.
fn redeemed_by(log: &SpaceLog, grant: &Grant) -> Option<EnvelopeId> {
    invitation_of(log, grant).map(|(id, _invitation)| id)
}

fn in_force(entry: &Entry, epoch: &Epoch) -> EpochInForce {
    EpochInForce {
        id: entry.id,
        number: epoch.number,
        public: epoch.public,
    }
}

impl Evaluation {
    /// Standing grants to authors, sorted by (author, grant); of those that ended by time too.
    pub fn members(&self) -> &[Member] {
        &self.roster.members
    }

    /// An author's live grants.
    pub fn grants_of(&self, author: AuthorId, now: Timestamp) -> impl Iterator<Item = &Member> {
        let members = &self.roster.members;
        let from = members.partition_point(|member| member.author < author);
        members[from..]
            .iter()
            .take_while(move |member| member.author == author)
            .filter(move |member| member.is_live(now))
    }

    /// Standing grants to other Spaces' readers.
    pub fn audiences(&self) -> &[AudienceSpace] {
        &self.roster.audiences
    }

    /// The most that an author may do here now. An invitation's key may read, whatever it gives.
    pub fn capability(&self, author: AuthorId, now: Timestamp) -> Option<Capability> {
        let granted = self.grants_of(author, now).map(|member| {
            if member.is_invitation() {
                member.capability.min(Capability::Read)
            } else {
                member.capability
            }
        });
        let outside = self
            .roster
            .audiences
            .iter()
            .filter(|audience| audience.is_live(now))
            .filter(|audience| self.outsiders.reads(audience.space, author, now))
            .map(|audience| audience.capability);
        granted.chain(outside).max()
    }

    /// The grant to name as authority: the strongest, one that somebody gave to the device itself before one
    /// by a code, of which others may not know that it came in time, then the longest, then the lowest id.
    pub fn best_grant(&self, author: AuthorId, now: Timestamp) -> Option<EnvelopeId> {
        self.grants_of(author, now)
            .filter(|member| !member.is_invitation())
            .max_by_key(|member| {
                (
                    member.capability,
                    member.guest_of.is_none(),
                    member.end,
                    std::cmp::Reverse((member.through.len(), member.grant)),
                )
            })
            .map(|member| member.grant)
    }

    /// Whether an author's receipts and closes count now.
    pub fn is_witness(&self, author: AuthorId, now: Timestamp) -> bool {
        self.grants_of(author, now).any(Member::is_witness)
    }

    /// Where this Space is stored and forwarded, as last stated by an administrator.
    pub fn relays(&self) -> &[RelayAddress] {
        &self.roster.relays
    }

    /// Each author's newest card.
    pub fn cards(&self) -> &BTreeMap<AuthorId, Card> {
        &self.roster.cards
    }

    /// Agents' own Spaces, by agent.
    pub fn agent_spaces(&self) -> &BTreeMap<AuthorId, SpaceId> {
        &self.roster.agent_spaces
    }

    /// The epochs that count, highest number first, then lowest id.
    pub fn epochs(&self) -> &[EpochInForce] {
        &self.roster.epochs
    }

    /// Whether somebody who reads here proved that an epoch is unfit (A54): its number counts, but
    /// nobody writes under it.
    pub fn is_epoch_rejected(&self, epoch: EnvelopeId) -> bool {
        self.roster.rejected_epochs.contains(&epoch)
    }

    /// What other Spaces that have this one as audience need of it: who reads, and the last epoch
    /// that an administrator issued or wrote under.
    pub fn outside(&self) -> OutsideSpace {
        let mut readers: BTreeMap<AuthorId, Timestamp> = BTreeMap::new();
        let reading = self
            .roster
            .members
            .iter()
            .filter(|member| member.capability >= Capability::Read && !member.is_invitation());
        for member in reading {
            let end = readers.entry(member.author).or_insert(member.end);
            *end = (*end).max(member.end);
        }
        OutsideSpace {
            readers,
            epochs: self.roster.epochs.iter().map(|epoch| epoch.id).collect(),
            epoch: self
                .roster
                .epochs
                .iter()
                .find(|epoch| {
                    self.confirmed_epochs.contains(&epoch.id) && !self.is_epoch_rejected(epoch.id)
                })
                .copied(),
        }
    }
}
