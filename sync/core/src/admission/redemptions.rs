//! Who came in by an invitation: as many devices as it lets in, in time, and nobody who was sent away
//! (TRUST §6, A24, A26, A36).

use std::collections::{BTreeMap, BTreeSet};

use super::control::{Control, first_received};
use super::entry::Entry;
use super::grant_chain::{GRACE, grace_of, grant_in};
use super::log::SpaceLog;
use super::verdict::{Held, Verdict};
use crate::guard::{Guard, holds};
use crate::id::EnvelopeId;
use crate::statement::{Audience, Grant, GrantFlags, Statement};
use crate::time::Timestamp;

/// A grant that an invitation's key gave to a device.
struct Redemption<'a> {
    id: EnvelopeId,
    device: Audience,
    entry: &'a Entry,
    /// When a witness saw it first.
    seen: Option<Timestamp>,
}

impl Redemption<'_> {
    /// The order in which they count: what no witness saw comes last, by its author's clock.
    fn order(&self) -> (Timestamp, Timestamp, EnvelopeId) {
        let seen = self.seen.unwrap_or(Timestamp::MAX);
        (seen, self.entry.header.time, self.id)
    }

    /// When it was, as far as anybody knows.
    fn time(&self) -> Timestamp {
        self.seen.unwrap_or(self.entry.header.time)
    }
}

impl Control {
    /// Whether a guest's grant was first seen after its invitation could be redeemed: its author's
    /// clock may say anything (A26). Who ended the invitation, or a grant above it, said which came in time.
    pub(super) fn redeems_late(&self, log: &SpaceLog, entry: &Entry) -> bool {
        let invitation = match &entry.statement {
            Some(Statement::Grant(grant)) => invitation_of(log, grant),
            _ => None,
        };
        invitation.is_some_and(|(id, invitation)| {
            let received = first_received(log, entry, Some(self.receipts()));
            let named = holds(Guard::EndNamesWhoCame) && self.is_ended(log, id);
            received > self.redeemable_until(log, (id, invitation)) && !named
        })
    }

    /// Until when the use of a code may come in that was used in time. A code that works as long as its access
    /// is for somebody without a network: its use travels with what they wrote, and has as long. One that
    /// ends before its access would let in whoever finds it, for all of that.
    pub(super) fn redeemable_until(
        &self,
        log: &SpaceLog,
        (id, invitation): (EnvelopeId, &Grant),
    ) -> Timestamp {
        let rooted = self.grants().get(log, id).ok();
        let travels = invitation.redeem_until >= invitation.end && holds(Guard::UseTravels);
        let grace = match rooted {
            Some(rooted) if travels => grace_of(log, &rooted.path),
            _ => GRACE,
        };
        invitation.redeem_until.plus(grace)
    }

    /// Whether somebody ended a grant or one above it.
    fn is_ended(&self, log: &SpaceLog, grant: EnvelopeId) -> bool {
        let rooted = self.grants().get(log, grant);
        rooted.is_ok_and(|rooted| self.cuts().ends_on(&rooted.path, grant))
    }

    /// Whether a grant under an invitation uses it. One that was revoked later does too: who was
    /// sent away does not come back with another device by the same code.
    pub(super) fn took_redemption(&self, id: EnvelopeId) -> bool {
        matches!(self.standing(id), Verdict::Admitted | Verdict::Cut)
    }

    /// Whether a redemption is one of more than its invitation allows, or somebody's who came in by it
    /// was ended: what arrives may then change what others count for.
    pub(super) fn is_contended(&self, log: &SpaceLog, entry: &Entry, redemption: &Grant) -> bool {
        let Some((_id, invitation)) = invitation_of(log, redemption) else {
            return false;
        };
        let devices: BTreeSet<Audience> = self
            .grants()
            .iter()
            .filter(|(id, _found)| self.took_redemption(*id))
            .filter_map(|(id, _found)| grant_in(log, id))
            .filter(|grant| grant.parent == redemption.parent)
            .map(|grant| grant.audience)
            .collect();
        devices.len() > usize::from(invitation.redemptions)
            || self.sent_away.contains(&entry.header.chain.author)
    }

    /// Holds back, of grants at one depth, those under an invitation that it does not give.
    ///
    /// The first devices count, in the order in which witnesses saw them. One that redeems again,
    /// because it lost its disk, is no further one; one that was sent away stays away.
    pub(super) fn hold_redemptions(&mut self, log: &SpaceLog, level: &[(usize, EnvelopeId)]) {
        let mut by_invitation: BTreeMap<EnvelopeId, Vec<_>> = BTreeMap::new();
        for (_depth, id) in level {
            if !self.took_redemption(*id) {
                continue;
            }
            let (Some(entry), Some(grant)) = (log.get(*id), grant_in(log, *id)) else {
                continue;
            };
            if let Some((invitation, _terms)) = invitation_of(log, grant) {
                let redemption = Redemption {
                    id: *id,
                    device: grant.audience,
                    entry,
                    seen: self.receipts().first_seen(log, entry),
                };
                by_invitation
                    .entry(invitation)
                    .or_default()
                    .push(redemption);
            }
        }
        for (invitation, mut redemptions) in by_invitation {
            redemptions.sort_unstable_by_key(Redemption::order);
            let allowed = grant_in(log, invitation).map_or(0, |grant| grant.redemptions);
            let mut held = surplus(&redemptions, allowed);
            held.extend(self.come_back(log, &redemptions));
            for id in held {
                if self.standing(id) == Verdict::Admitted {
                    self.standing.insert(id, Verdict::Held(Held::Redeemed));
                }
            }
            for redemption in &redemptions {
                if self.is_revoked(redemption) {
                    self.sent_away.insert(redemption.entry.header.chain.author);
                }
            }
        }
    }

    fn is_revoked(&self, redemption: &Redemption<'_>) -> bool {
        self.cuts().revocations(redemption.id).next().is_some()
    }

    /// The redemptions of devices after the revocation of an earlier one of theirs. Others who came by the
    /// code stay, whoever says when: whose word would end them is not to be trusted. Without a witness only
    /// their own clock says when it was.
    fn come_back(&self, log: &SpaceLog, redemptions: &[Redemption<'_>]) -> Vec<EnvelopeId> {
        if !holds(Guard::SentAway) {
            return Vec::new();
        }
        let mut ended: BTreeMap<Audience, Timestamp> = BTreeMap::new();
        for redemption in redemptions {
            let revocations = self.cuts().revocations(redemption.id);
            let times = revocations.filter_map(|by| Some(log.get(by)?.header.time));
            if let Some(first) = times.min() {
                let known = ended.entry(redemption.device).or_insert(first);
                *known = first.min(*known);
            }
        }
        let after = |it: &&Redemption<'_>| {
            let end = ended.get(&it.device);
            end.is_some_and(|end| it.time() > *end) && !self.is_revoked(it)
        };
        redemptions.iter().filter(after).map(|it| it.id).collect()
    }
}

/// The redemptions by more devices than are allowed.
fn surplus(redemptions: &[Redemption<'_>], allowed: u16) -> Vec<EnvelopeId> {
    let mut devices = Vec::new();
    let mut surplus = Vec::new();
    for redemption in redemptions {
        if devices.contains(&redemption.device) {
            continue;
        }
        if devices.len() < usize::from(allowed) || !holds(Guard::Redemptions) {
            devices.push(redemption.device);
        } else {
            surplus.push(redemption.id);
        }
    }
    surplus
}

/// The invitation that a grant is under, if it is under one.
pub(super) fn invitation_of<'a>(
    log: &'a SpaceLog,
    grant: &Grant,
) -> Option<(EnvelopeId, &'a Grant)> {
    let id = grant.parent?;
    let invitation = grant_in(log, id)?;
    let invites = invitation.flags.has(GrantFlags::INVITATION);
    invites.then_some((id, invitation))
}
