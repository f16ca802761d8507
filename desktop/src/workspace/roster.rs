//! Who may do what in a Space, until when and through whom; ending it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_sync::replica::{Foreseen, GrantRequest, Keep, REASON_LOST, REASON_NONE, SpaceSummary};
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::statement::{Capability, GrantFlags};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};

use super::at_agents::{AtAgent, readers};
use super::emergency::is_sealed;
use super::fresh;
use super::late::Newcomer;
use super::live::Live;
use super::names::Names;
use super::profile::with_causes;
use super::reason::EndReason;
use crate::cli::{CliError, local};
use crate::view::{CodeEnd, ends_soon};

/// Shorter prefixes of a grant's id are refused.
const PREFIX_LEN_CHARS_MIN: usize = 6;

/// A standing grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantRow {
    /// The grant.
    pub(crate) id: EnvelopeId,
    /// Whose key.
    pub(crate) author: AuthorId,
    /// What that key is called.
    pub(crate) who: String,
    /// What it may do.
    pub(crate) capability: Capability,
    /// From when.
    pub(crate) begin: Timestamp,
    /// Until when.
    pub(crate) end: Timestamp,
    /// Why it is an invitation that lets nobody else in.
    pub(crate) code_end: Option<CodeEnd>,
    /// Of an invitation: how many more devices it lets in, and until when its code works.
    pub(crate) left: Option<(u16, Timestamp)>,
    /// Whether it is sealed for an emergency.
    pub(crate) sealed: bool,
    /// When such a one was last opened; none: never.
    pub(crate) opened: Option<Timestamp>,
    /// When its key was last connected here, as far as is known.
    pub(crate) seen: Option<Timestamp>,
    /// How many grants may follow below it: whether its holder may give it on.
    pub(crate) depth_left: u8,
    /// Who gave it; none: the Space's own key.
    pub(crate) through: Option<String>,
    /// Why, if somebody said: the word of whoever may write in the System.
    pub(crate) reason: Option<String>,
}

impl GrantRow {
    /// Whether somebody loses access soon: time to give it anew.
    pub(crate) fn is_soon(&self, now: Timestamp) -> bool {
        let machine = self.left.is_some() || self.sealed;
        !machine && ends_soon(now, (self.begin, self.end))
    }
}

/// What a device that holds a grant already is given besides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gift<'a> {
    /// What it may do.
    pub(crate) capability: Capability,
    /// From when, if that is later than now.
    pub(crate) begin: Option<Timestamp>,
    /// Until when.
    pub(crate) end: Timestamp,
    /// How many grants may follow below it; none: as many as an administrator needs, and for others none.
    pub(crate) depth_left: Option<u8>,
    /// What for.
    pub(crate) reason: &'a str,
}

/// What ending a grant does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cutting {
    /// The grants that end: the one named first, then those below it.
    pub(crate) grants: Vec<GrantRow>,
    /// What that does to what their holders wrote.
    pub(crate) written: Foreseen,
    /// The invitation by which the first came, if others came by it and it let in more: from then on it
    /// lets in nobody, because they keep its code.
    pub(crate) code: Option<GrantRow>,
    /// Other grants of their holders that stay: they go on to do what those allow.
    pub(crate) kept: Vec<GrantRow>,
    /// What their holders have at the System's agents, which ends too.
    pub(crate) at_agents: Vec<AtAgent>,
}

fn refused(error: &dyn std::error::Error) -> CliError {
    CliError::Refused {
        what: "the change of trust",
        reason: with_causes(error),
    }
}

/// Whether nobody can use a grant any more; an invitation is over with its code.
pub(super) fn is_over(member: &Member, now: Timestamp) -> bool {
    let end = if member.is_invitation() {
        member.redeem_until
    } else {
        member.end
    };
    end < now
}

/// Why an invitation lets nobody else in; none while it may, and of what is none.
pub(super) fn code_end(member: &Member) -> Option<CodeEnd> {
    let is_over = member.is_invitation() && member.redemptions_left == 0;
    is_over.then_some(if member.is_over {
        CodeEnd::GuestSentAway
    } else {
        CodeEnd::Used
    })
}

fn row(
    member: &Member,
    summary: &SpaceSummary,
    (names, reasons): (&Names, &BTreeMap<EnvelopeId, String>),
    (seen, opened): (
        &BTreeMap<AuthorId, Timestamp>,
        &BTreeMap<EnvelopeId, Timestamp>,
    ),
) -> GrantRow {
    let giver = member.through.last();
    let giver = giver.and_then(|grant| summary.members.iter().find(|it| it.grant == *grant));
    GrantRow {
        id: member.grant,
        author: member.author,
        who: names.of(member.author),
        capability: member.capability,
        begin: summary.begin_of(member),
        end: member.end,
        code_end: code_end(member),
        left: member
            .is_invitation()
            .then_some((member.redemptions_left, member.redeem_until)),
        sealed: is_sealed(member),
        opened: opened.get(&member.grant).copied(),
        seen: seen.get(&member.author).copied(),
        depth_left: member.depth_left,
        through: giver.map(|giver| names.of(giver.author)),
        reason: reasons.get(&member.grant).cloned(),
    }
}

/// When each sealed emergency grant was last opened.
fn opened(summary: &SpaceSummary) -> BTreeMap<EnvelopeId, Timestamp> {
    let uses = summary.emergency_uses.iter();
    uses.map(|it| (it.grant, it.since)).collect()
}

/// The invitation through which only this guest came. It ends with the guest's grant: its key, which
/// the guest has, would go on to read. One through which others came stays; it can be named itself.
fn invitation_of<'a>(guest: &Member, members: &'a [Member]) -> Option<&'a Member> {
    let invitation = guest.guest_of?;
    let of_others = |it: &Member| it.guest_of == Some(invitation) && it.author != guest.author;
    if members.iter().any(of_others) {
        return None;
    }
    members.iter().find(|it| it.grant == invitation)
}

/// A grant by a prefix of its id, or by the key or name of whoever holds it.
fn grant_named<'a>(
    members: &'a [Member],
    names: &Names,
    wanted: &str,
) -> Result<&'a Member, CliError> {
    let wanted = wanted.trim().to_ascii_lowercase();
    let is_prefix = |of: &str| wanted.len() >= PREFIX_LEN_CHARS_MIN && of.starts_with(&wanted);
    let named = |member: &&Member| is_prefix(&member.grant.to_string());
    let mut found: Vec<_> = members.iter().filter(named).collect();
    if found.is_empty() {
        let holders = super::names::called(names, members.iter(), &wanted, fresh::now());
        found.extend(members.iter().filter(|it| {
            let is_meant = holders.contains(&it.author) || is_prefix(&it.author.to_string());
            is_meant && !it.is_invitation() && !is_over(it, fresh::now())
        }));
    }
    match found.as_slice() {
        [target] => Ok(target),
        [] => Err(CliError::NoSuchGrant { wanted }),
        several => Err(ambiguous(&wanted, several)),
    }
}

/// A device to which trust was to be given holds none yet. A name is the word of whoever may write in
/// the System: trust is given to keys.
fn no_member(names: &Names, summary: &SpaceSummary, wanted: &str) -> CliError {
    let called = super::names::called(names, summary.members.iter(), wanted, fresh::now());
    let keys: Vec<_> = called.iter().map(ToString::to_string).collect();
    let reason = if keys.is_empty() {
        format!(
            "no device with the key {wanted} holds a grant, as far as is known here: if it came just now, \
             `aramaki peers` brings the news; else let it in by `aramaki share`"
        )
    } else {
        format!(
            "{wanted} is what the System calls {}: name the key, anybody who may write could have chosen the name",
            keys.join(" and ")
        )
    };
    CliError::Refused {
        what: "giving trust",
        reason,
    }
}

/// Several grants are meant by what was typed.
fn ambiguous(wanted: &str, grants: &[&Member]) -> CliError {
    let ids = grants.iter().map(|it| {
        let id: String = it.grant.to_string().chars().take(12).collect();
        format!("{id} of {}", it.author.short())
    });
    let ids: Vec<_> = ids.collect();
    CliError::Refused {
        what: "the revocation",
        reason: format!(
            "{wanted} may mean {}: name one by its digits",
            ids.join(", ")
        ),
    }
}

/// Whether a device may end a grant: it administers nearer the Space's own key, or holds it.
fn may_end(own: AuthorId, target: &Member, members: &[Member], now: Timestamp) -> bool {
    let mut administering = members.iter().filter(|it| {
        it.author == own && it.capability == Capability::Administer && it.is_live(now)
    });
    target.author == own || administering.any(|it| it.through.len() < target.through.len())
}

impl Live {
    /// The last sign of each key: that it was connected here, that something came which it wrote, or of an
    /// agent its heartbeat, also through a relay.
    pub(super) fn seen(&self, spaces: &[SpaceSummary]) -> BTreeMap<AuthorId, Timestamp> {
        let now = fresh::now();
        let mut seen: BTreeMap<AuthorId, Timestamp> = BTreeMap::new();
        let mut add = |author: AuthorId, at: Timestamp| {
            let last = seen.entry(author).or_insert(at);
            *last = (*last).max(at);
        };
        for peer in self.replica().peers() {
            if let (Some(device), Some(ago)) = (peer.device, peer.last_seen) {
                add(device, now.minus(ago));
            }
        }
        let snapshot = self.snapshot();
        for space in spaces {
            for (author, at) in &space.signs {
                add(*author, *at);
            }
            let mut agents = snapshot.systems.iter().flat_map(|it| &it.agents);
            let agent = agents.find(|it| it.space == space.id);
            let Some(heard) = agent.and_then(|agent| agent.heard) else {
                continue;
            };
            let writes = |it: &&Member| it.guest_of.is_some() && it.capability == Capability::Write;
            for member in space.members.iter().filter(writes) {
                add(member.author, heard);
            }
        }
        // A code's key is nobody: it signs that it was used.
        for member in spaces.iter().flat_map(|space| &space.members) {
            if member.is_invitation() {
                seen.remove(&member.author);
            }
        }
        seen
    }

    async fn summary(&self, space: SpaceId) -> Result<(SpaceSummary, Names), CliError> {
        let (summary, names, _seen) = self.summary_seen(space).await?;
        Ok((summary, names))
    }

    async fn summary_seen(
        &self,
        space: SpaceId,
    ) -> Result<(SpaceSummary, Names, BTreeMap<AuthorId, Timestamp>), CliError> {
        let spaces = self.spaces().await;
        let seen = self.seen(&spaces);
        let names = self.names_in(Some(space), &spaces);
        let missing = || CliError::NoSuchSystem {
            wanted: space.to_string(),
            similar: Vec::new(),
        };
        let summary = spaces.into_iter().find(|it| it.id == space);
        Ok((summary.ok_or_else(missing)?, names, seen))
    }

    /// Refuses to give what this device cannot: its statement would count nowhere.
    ///
    /// # Errors
    /// When no grant of this device lets it give that, or not for so long.
    pub(super) async fn check_may_give(
        &self,
        space: SpaceId,
        capability: Capability,
        end: Timestamp,
    ) -> Result<(), CliError> {
        let (summary, _names) = self.summary(space).await?;
        let own = self.profile().device;
        let longest = summary
            .members
            .iter()
            .filter(|it| it.author == own && it.depth_left > 0 && it.capability >= capability)
            .map(|member| member.end)
            .max();
        let reason = match longest {
            Some(longest) if end <= longest => return Ok(()),
            Some(longest) => format!(
                "this device's own grant ends {}: give it for less with --for",
                local(longest)
            ),
            None => "no grant of this device allows to give that to others".to_owned(),
        };
        Err(CliError::Refused {
            what: "giving trust",
            reason,
        })
    }

    /// The grants of a Space that hold, those that end first first. What is over is left to the audit.
    ///
    /// # Errors
    /// When the Space is not here.
    pub(crate) async fn grants(&self, space: SpaceId) -> Result<Vec<GrantRow>, CliError> {
        let (summary, names, seen) = self.summary_seen(space).await?;
        let (now, reasons) = (fresh::now(), self.standing_reasons(&summary));
        let opened = opened(&summary);
        let members = summary.members.iter();
        let mut rows: Vec<_> = members
            .filter(|member| !is_over(member, now))
            .map(|member| row(member, &summary, (&names, &reasons), (&seen, &opened)))
            .collect();
        rows.sort_by_key(|row| (row.end, row.id));
        Ok(rows)
    }

    /// What ending a grant would do.
    ///
    /// # Errors
    /// When no grant, or several, have that id.
    pub(crate) async fn cutting(
        &self,
        space: SpaceId,
        wanted: &str,
        keep: Keep,
    ) -> Result<Cutting, CliError> {
        let (summary, names) = self.summary(space).await?;
        let members = &summary.members;
        let target = grant_named(members, &names, wanted)?;
        let own = self.profile().device;
        // Who gives up their own access may not end the invitation by which they came.
        let target = match invitation_of(target, members) {
            Some(invitation) if target.author != own => invitation,
            _ => target,
        };
        if target.author == own && target.capability == Capability::Administer {
            return Err(CliError::Refused {
                what: "the revocation",
                reason: "this device would lock itself out: another administrator's device or the \
                         recovery kit ends its grant"
                    .to_owned(),
            });
        }
        if !may_end(own, target, members, fresh::now()) {
            return Err(self.may_not_end(&summary, target, &names));
        }
        let below = |member: &&Member| member.through.contains(&target.grant);
        let ends: Vec<_> = std::iter::once(target)
            .chain(members.iter().filter(below))
            .collect();
        let reasons = self.standing_reasons(&summary);
        let opened = opened(&summary);
        let written = self.replica().foresee(space, target.grant, keep).await;
        let written = written.map_err(|error| refused(&error))?;
        let shown = |member: &Member| {
            let about = (&names, &reasons);
            row(member, &summary, about, (&BTreeMap::new(), &opened))
        };
        let code = members.iter().find(|it| {
            let lets_in = it.redemptions_left > 0 && it.redeem_until > fresh::now();
            target.guest_of == Some(it.grant) && lets_in
        });
        let cut: BTreeSet<_> = ends.iter().map(|it| it.grant).collect();
        let now = fresh::now();
        let stays = |author: AuthorId| {
            let mut grants = members.iter().filter(|it| !cut.contains(&it.grant));
            grants.any(|it| it.author == author && it.reads(now))
        };
        let holders = ends.iter().filter(|it| !it.is_invitation());
        let holders: BTreeSet<_> = holders.map(|it| it.author).collect();
        let kept = members.iter().filter(|it| {
            holders.contains(&it.author) && !cut.contains(&it.grant) && !is_over(it, now)
        });
        let gone: BTreeSet<_> = holders.iter().copied().filter(|it| !stays(*it)).collect();
        Ok(Cutting {
            grants: ends.iter().copied().map(shown).collect(),
            written,
            code: code.map(shown),
            kept: kept.map(shown).collect(),
            at_agents: self.held_at_agents(space, &gone).await?,
        })
    }

    /// Why this device does not end an access: it administers and stands no nearer, or does not administer.
    fn may_not_end(&self, summary: &SpaceSummary, target: &Member, names: &Names) -> CliError {
        let who = names.of(target.author);
        // Nobody ends the kit itself.
        if summary.capability == Some(Capability::Administer) && !target.through.is_empty() {
            return CliError::StandsAsNear {
                who,
                key: target.author.short(),
                places: vec![self.space_name(summary.id)],
            };
        }
        CliError::Refused {
            what: "the revocation",
            reason: format!(
                "only an administrator who stands nearer the System's own key ends the access of {who}, or its \
                 holder: this device is neither"
            ),
        }
    }

    /// Ends a grant and those below it, and seals anew what is written from now on: in the Space, and
    /// in its agents' that this device administers.
    ///
    /// # Errors
    /// When this device may not, or the store refuses.
    pub(crate) async fn revoke(
        &self,
        space: SpaceId,
        grant: EnvelopeId,
        keep: Keep,
        why: &EndReason,
    ) -> Result<(), CliError> {
        let reason = match why {
            EndReason::Lost => REASON_LOST,
            EndReason::None | EndReason::Words(_) => REASON_NONE,
        };
        let (summary, _names) = self.summary(space).await?;
        let before = readers(&summary);
        let is_relay = |it: &&Member| it.grant == grant && it.capability == Capability::Relay;
        let relay = summary.members.iter().find(is_relay).map(|it| it.author);
        let own = self.profile().device;
        let is_own = summary
            .members
            .iter()
            .any(|it| it.grant == grant && it.author == own);
        if let (true, EndReason::Words(words)) = (is_own, why) {
            if summary.capability < Some(Capability::Write) {
                return Err(CliError::Refused {
                    what: "the revocation",
                    reason: "this device may not write there, so nobody would read why: leave the reason away"
                        .to_owned(),
                });
            }
            // Afterwards nothing that this device writes counts.
            self.give_end_reason(space, &[grant], words).await;
        }
        self.replica()
            .revoke(space, grant, keep, reason)
            .await
            .map_err(|error| refused(&error))?;
        let (summary, names) = self.summary(space).await?;
        if let Some(stands) = summary.members.iter().find(|it| it.grant == grant) {
            return Err(CliError::Refused {
                what: "the revocation",
                reason: format!(
                    "it is written, and ended nothing: the access of {} stands",
                    names.of(stands.author)
                ),
            });
        }
        if let Some(relay) = relay
            && summary.capability == Some(Capability::Administer)
        {
            let forgotten = self.replica().forget_relay(space, relay).await;
            forgotten.map_err(|error| refused(&error))?;
        }
        let gone: BTreeSet<_> = before.difference(&readers(&summary)).copied().collect();
        if !is_own {
            self.end_at_agents(space, &gone, reason).await?;
        }
        // Who gave up their own access seals nothing anew.
        if summary.capability >= Some(Capability::Write) {
            self.rotate(space).await?;
        }
        // Sealed to those who stay.
        if let (false, EndReason::Words(words)) = (is_own, why) {
            self.give_end_reason(space, &[grant], words).await;
        }
        Ok(())
    }

    /// Seals to the readers of now what is written from now on.
    ///
    /// # Errors
    /// As [`Live::revoke`].
    pub(crate) async fn rotate(&self, space: SpaceId) -> Result<(), CliError> {
        let administered = self.administered().await;
        let agents = self.agents_of(space).into_iter();
        let agents: Vec<_> = agents
            .filter(|agent| administered.contains(agent))
            .collect();
        for agent in &agents {
            self.let_agent_keep(*agent).await;
        }
        for space in std::iter::once(space).chain(agents) {
            self.replica()
                .rotate(space)
                .await
                .map_err(|error| refused(&error))?;
        }
        Ok(())
    }

    /// How many grants may follow below one that this device gives.
    async fn depth_below(&self, space: SpaceId) -> Result<u8, CliError> {
        let (summary, _names) = self.summary(space).await?;
        let own = self.profile().device;
        let own = summary.members.iter().filter(|it| it.author == own);
        Ok(own
            .map(|it| it.depth_left)
            .max()
            .unwrap_or(0)
            .saturating_sub(1))
    }

    /// Refuses a code where this device's access cannot be given on twice: whoever comes by a code stands one below it.
    pub(super) async fn check_may_invite(&self, space: SpaceId) -> Result<(), CliError> {
        if self.depth_below(space).await? > 0 {
            return Ok(());
        }
        Err(CliError::Refused {
            what: "the invitation",
            reason: "this device's access can be given on once, and who comes by a code stands two below: \
                     `aramaki trust grant KEY` gives it to one key, or ask for access with --depth 2"
                .to_owned(),
        })
    }

    /// Whether this device administers a Space.
    pub(super) async fn administers_in(&self, space: SpaceId) -> bool {
        let summary = self.replica().space(space).await;
        summary.is_ok_and(|it| it.capability == Some(Capability::Administer))
    }

    /// Refuses to let something be given on more often than what this device holds allows.
    async fn check_depth(&self, space: SpaceId, wanted: Option<u8>) -> Result<(), CliError> {
        let most = self.depth_below(space).await?;
        if wanted.is_none_or(|wanted| wanted <= most) {
            return Ok(());
        }
        Err(CliError::Refused {
            what: "giving trust",
            reason: format!(
                "what this device gives can be given on {most} times at most: choose --depth {most} or less"
            ),
        })
    }

    /// Gives a device that holds a grant already another one.
    ///
    /// # Errors
    /// When the device is no member and did not come by a code too late, or this device may not, or not let it be
    /// given on so often.
    pub(crate) async fn grant_anew(
        &self,
        space: SpaceId,
        wanted: &str,
        gift: Gift<'_>,
    ) -> Result<String, CliError> {
        let (capability, end) = (gift.capability, gift.end);
        let (summary, names) = self.summary(space).await?;
        let wanted = wanted.trim().to_ascii_lowercase();
        let member = summary.members.iter().find(|member| {
            let long_enough = wanted.len() >= PREFIX_LEN_CHARS_MIN;
            let key = member.author.to_string();
            long_enough && !member.is_invitation() && key.starts_with(&wanted)
        });
        let newcomer = match member {
            Some(member) => Newcomer {
                device: member.author,
                box_key: member.box_key,
                principal: member.principal,
            },
            // Who came by a code too late, as far as is known here, is let in by whoever knows better.
            None => self
                .newcomer(space, &wanted)
                .await?
                .ok_or_else(|| no_member(&names, &summary, &wanted))?,
        };
        let Newcomer {
            device,
            box_key,
            principal,
        } = newcomer;
        let of_device = |it: &&Member| it.author == device;
        let most = summary.members.iter().filter(of_device);
        let most = most.map(|it| it.capability).max();
        if most == Some(Capability::Relay) && capability > Capability::Relay {
            return Err(CliError::Refused {
                what: "giving trust",
                reason: format!(
                    "{} is a relay's key, and a relay keeps what it cannot read: let a person's device in \
                     by `aramaki share`",
                    names.of(device)
                ),
            });
        }
        self.check_may_give(space, capability, end).await?;
        self.check_depth(space, gift.depth_left).await?;
        // Who somebody else is only an administrator says; others let in whoever acts for them.
        let administers = summary.capability == Some(Capability::Administer);
        let request = GrantRequest {
            principal: administers.then_some(principal),
            begin: gift.begin,
            depth_left: gift.depth_left.unwrap_or_default(),
            ..GrantRequest::to_device(device, box_key, capability, end)
        };
        let (system, mut spaces) = (space, vec![space]);
        if capability == Capability::Administer {
            let agents = self.agents_of(space);
            let administered = self.administered().await;
            spaces.extend(agents.into_iter().filter(|it| administered.contains(it)));
        }
        for space in spaces {
            let mut request = request.clone();
            if capability == Capability::Administer {
                request.flags = GrantFlags::WITNESS;
                let most = self.depth_below(space).await?;
                request.depth_left = gift.depth_left.map_or(most, |wanted| wanted.min(most));
            }
            let given = self.replica().grant(space, request).await;
            let given = given.map_err(|error| refused(&error))?;
            if space == system {
                self.give_reason(space, &[given.id], gift.reason).await;
            }
        }
        Ok(names.of(device))
    }

    /// Gives somebody anew what they have by a grant, to the same device: for as long as it was given for,
    /// or for another span from now on. Returns who it is, what they may do, and until when.
    ///
    /// # Errors
    /// When no grant has that id, it is no device's, or this device may not give it.
    pub(crate) async fn renew(
        &self,
        space: SpaceId,
        wanted: &str,
        span: Option<Duration>,
        reason: Option<&str>,
    ) -> Result<(String, Capability, Timestamp), CliError> {
        let (summary, names) = self.summary(space).await?;
        let wanted = wanted.trim().to_ascii_lowercase();
        let named = |member: &&Member| {
            let id = member.grant.to_string();
            wanted.len() >= PREFIX_LEN_CHARS_MIN && id.starts_with(&wanted)
        };
        let mut found = summary.members.iter().filter(named);
        let (Some(member), None) = (found.next(), found.next()) else {
            return Err(CliError::NoSuchGrant { wanted });
        };
        if member.is_invitation() || is_sealed(member) {
            return Err(CliError::Refused {
                what: "giving trust",
                reason: "only what a device holds is given anew; make another invitation, or \
                         another emergency key"
                    .to_owned(),
            });
        }
        let span = span.unwrap_or_else(|| member.end.since(summary.begin_of(member)));
        let end = fresh::now().plus(span);
        let capability = member.capability;
        let end = self.longest(&summary, capability, end)?;
        let depth_left = self.depth_below(space).await?.min(member.depth_left);
        let request = GrantRequest {
            principal: Some(member.principal),
            flags: member.flags,
            depth_left,
            ..GrantRequest::to_device(member.author, member.box_key, capability, end)
        };
        let given = self.replica().grant(space, request).await;
        let given = given.map_err(|error| refused(&error))?;
        // What it was given for goes on, unless somebody says otherwise.
        let reasons = self.standing_reasons(&summary);
        let reason = reason.or_else(|| reasons.get(&member.grant).map(String::as_str));
        self.give_reason(space, &[given.id], reason.unwrap_or_default())
            .await;
        Ok((names.of(member.author), capability, end))
    }

    /// The time until which this device can give something, at most until `end`.
    fn longest(
        &self,
        summary: &SpaceSummary,
        capability: Capability,
        end: Timestamp,
    ) -> Result<Timestamp, CliError> {
        let (own, now) = (self.profile().device, fresh::now());
        let gives = summary.members.iter().filter(|it| {
            let may = it.depth_left > 0 && it.capability == Capability::Administer;
            it.author == own && may && it.is_live(now) && it.capability >= capability
        });
        let longest = gives.map(|it| it.end).max();
        longest.map(|it| it.min(end)).ok_or(CliError::Refused {
            what: "giving trust",
            reason: "this device does not administer the System".to_owned(),
        })
    }
}
