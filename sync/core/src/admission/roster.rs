//! Who is in a Space: members, audiences, and what of other Spaces matters here.

use std::collections::{BTreeMap, BTreeSet};

use super::control::Control;
use super::entry::Entry;
use super::epoch_fault::is_proven;
use super::evaluation::Evaluation;
use super::grant_chain::{Rooted, grant_in};
use super::log::SpaceLog;
use super::verdict::Verdict;
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
    /// Until when an invitation's own key can be used; zero for other grants.
    pub redeem_until: Timestamp,
    /// How many grants may follow below.
    pub depth_left: u8,
    /// The grants from which it descends, nearest the root first, without its own.
    pub through: Vec<EnvelopeId>,
    /// The grant itself.
    pub grant: EnvelopeId,
}

impl Member {
    /// Whether its author can use the grant at a time.
    pub fn is_live(&self, now: Timestamp) -> bool {
        let end = if self.is_invitation() {
            self.redeem_until
        } else {
            self.end
        };
        self.not_before <= now && now <= end
    }

    /// Whether epochs are sealed to its author at a time.
    pub fn reads(&self, now: Timestamp) -> bool {
        self.is_live(now) && self.capability >= Capability::Read
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
    members: Vec<Member>,
    audiences: Vec<AudienceSpace>,
    relays: Vec<RelayAddress>,
    cards: BTreeMap<AuthorId, Card>,
    agent_spaces: BTreeMap<AuthorId, SpaceId>,
    epochs: Vec<EpochInForce>,
    rejected_epochs: BTreeSet<EnvelopeId>,
}

impl Roster {
    pub(super) fn of(log: &SpaceLog, evaluation: &Evaluation, control: &Control) -> Self {
        let mut roster = Self::default();
        let mut newest_cards = BTreeMap::new();
        let mut newest_relays = None;
        let mut rejections = Vec::new();
        for (entry, statement) in log.control() {
            if evaluation.verdict(entry.id) != Verdict::Admitted {
                continue;
            }
            let author = entry.header.chain.author;
            match statement {
                Statement::Card(card) => {
                    roster.add_card(&mut newest_cards, entry, card);
                }
                Statement::AgentCard { card, space } => {
                    let newest = roster.add_card(&mut newest_cards, entry, card);
                    if newest {
                        roster.agent_spaces.insert(author, *space);
                    }
                }
                Statement::Relays(relays) => {
                    let order = Some((entry.header.time, entry.id));
                    if newest_relays < order {
                        newest_relays = order;
                        roster.relays.clone_from(relays);
                    }
                }
                Statement::Epoch(epoch) => roster.epochs.push(in_force(entry, epoch)),
                Statement::EpochReject { epoch, fault } => rejections.push((*epoch, fault)),
                _ => {}
            }
        }
        roster
            .epochs
            .sort_unstable_by(|a, b| b.number.cmp(&a.number).then(a.id.cmp(&b.id)));
        roster.add_grants(log, control);
        roster.rejected_epochs = rejections
            .into_iter()
            .filter(|(epoch, fault)| is_proven(log, &roster.members, *epoch, fault))
            .map(|(epoch, _fault)| epoch)
            .collect();
        roster
    }

    /// Whether this is its author's newest card so far.
    fn add_card(
        &mut self,
        newest: &mut BTreeMap<AuthorId, (u32, Timestamp, EnvelopeId)>,
        entry: &Entry,
        card: &Card,
    ) -> bool {
        let author = entry.header.chain.author;
        let order = (card.box_generation, entry.header.time, entry.id);
        if newest.get(&author).is_some_and(|known| *known > order) {
            return false;
        }
        newest.insert(author, order);
        self.cards.insert(author, card.clone());
        true
    }

    fn add_grants(&mut self, log: &SpaceLog, control: &Control) {
        for (id, found) in control.grants().iter() {
            let (Ok(rooted), Some(grant)) = (found, grant_in(log, id)) else {
                continue;
            };
            let ended = rooted.path.iter().any(|above| control.cuts().ends(*above));
            if ended || control.standing(id) != Verdict::Admitted {
                continue;
            }
            match grant.audience {
                Audience::Author(author) => {
                    let member = self.member(author, id, grant, rooted);
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
        self.members
            .sort_unstable_by_key(|member| (member.author, member.grant));
    }

    fn member(&self, author: AuthorId, id: EnvelopeId, grant: &Grant, rooted: &Rooted) -> Member {
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
            redeem_until: grant.redeem_until,
            depth_left: grant.depth_left,
            through: rooted.path[..above].to_vec(),
            grant: id,
        }
    }
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

    /// The grant to name as authority: the strongest, then the longest, then the lowest id.
    pub fn best_grant(&self, author: AuthorId, now: Timestamp) -> Option<EnvelopeId> {
        self.grants_of(author, now)
            .filter(|member| !member.is_invitation())
            .max_by_key(|member| {
                (
                    member.capability,
                    member.end,
                    std::cmp::Reverse(member.grant),
                )
            })
            .map(|member| member.grant)
    }

    /// Whether an author's receipts and closes count now.
    pub fn is_witness(&self, author: AuthorId, now: Timestamp) -> bool {
        self.grants_of(author, now).any(|member| {
            member.capability == Capability::Administer || member.flags.has(GrantFlags::WITNESS)
        })
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
