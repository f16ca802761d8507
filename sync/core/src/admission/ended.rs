//! Whose access ended by time alone: what was written while it lasted is still taken from them (TRUST §5).

use std::time::Duration;

use super::evaluation::Evaluation;
use super::grant_chain::{grace_of, grant_in};
use super::log::SpaceLog;
use super::verdict::Verdict;
use crate::id::AuthorId;
use crate::statement::{Audience, Capability, GrantFlags};
use crate::time::Timestamp;

/// For how long after a grant's end and grace its author may still hand in what waits for a person then. Longer
/// than people are away; not for ever, because whoever left a team long ago has nothing to say to it.
pub const DELIVERY_SPAN: Duration = Duration::from_hours(30 * 24);

impl Evaluation {
    /// Whether an author whose grant ended by time may hand in what it wrote; what that counts for is judged
    /// as ever. Nobody whose newest grant was revoked, itself or one above it, and nobody who could write
    /// nothing: they have nothing that is missed.
    ///
    /// Of an invitation's key only while the use of its code, and what its guest wrote, may come later than its
    /// access lasts. Costs one pass over the grants.
    pub fn may_deliver(&self, log: &SpaceLog, author: AuthorId, now: Timestamp) -> bool {
        let control = self.control();
        let mut members = self.members().iter();
        let lets_in = members.any(|it| it.author == author && it.redemptions_left > 0);
        if lets_in && self.may_come_by(log, author, now) {
            return true;
        }
        let own = control.grants().iter().filter_map(|(id, found)| {
            let (entry, grant) = (log.get(id)?, grant_in(log, id)?);
            let is_own = grant.audience == Audience::Author(author)
                && !grant.flags.has(GrantFlags::INVITATION)
                && matches!(control.standing(id), Verdict::Admitted | Verdict::Cut);
            let path = &found.ok().filter(|_rooted| is_own)?.path;
            Some((entry, grant, path))
        });
        let Some((entry, grant, path)) = own.max_by_key(|(it, _, _)| (it.header.time, it.id))
        else {
            return false;
        };
        let is_revoked = |above| control.cuts().revocations(above).next().is_some();
        let until = grant.end.plus(grace_of(log, path)).plus(DELIVERY_SPAN);
        control.standing(entry.id) == Verdict::Admitted
            && !path.iter().any(|above| is_revoked(*above))
            && grant.capability >= Capability::Comment
            && grant.not_before <= now
            && now <= until
    }

    /// Whether an author is the key of a code for somebody without a network, who may have used it in time: that
    /// they did may come as late as what they wrote.
    pub fn may_come_by(&self, log: &SpaceLog, author: AuthorId, now: Timestamp) -> bool {
        let mut members = self.members().iter();
        let code = members.find(|it| it.author == author && it.is_invitation());
        code.is_some_and(|code| {
            let grant = grant_in(log, code.grant);
            grant.is_some_and(|grant| {
                let until = self.control().redeemable_until(log, (code.grant, grant));
                grant.redeem_until >= grant.end
                    && code.capability >= Capability::Comment
                    && code.not_before <= now
                    && now <= until.plus(DELIVERY_SPAN)
            })
        })
    }
}
