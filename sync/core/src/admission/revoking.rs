//! A revocation that ends access and leaves all that was said under it, taken in without evaluating the
//! rest anew: most are like that, because whoever revokes names what they hold.
//!
//! A shortcut and never a second set of rules: whatever might judge anything otherwise than before is left
//! to the whole evaluation. What is safe to add: the revocation came in time, nothing cuts it, it is
//! the first of its target, nobody under the target ever revoked, closed or witnessed, and every chain
//! of those whom it ends is left up to its head.

use super::additions::Awaited;
use super::control::{Control, claim_of, is_sure};
use super::cuts::Cuts;
use super::entry::Entry;
use super::grant_chain::grant_in;
use super::log::SpaceLog;
use super::redemptions::invitation_of;
use super::verdict::Verdict;
use crate::id::{AuthorId, Chain, EnvelopeId};
use crate::statement::{Audience, Cut};
use crate::time::Timestamp;

impl Control {
    /// Takes in a revocation. False when it may change what was judged before.
    pub(super) fn add_revocation(
        &mut self,
        log: &SpaceLog,
        entry: &Entry,
        (target, cuts): (EnvelopeId, &[Cut]),
        (awaited, now): (&Awaited, Timestamp),
    ) -> bool {
        let path = match self.grants().permit(log, entry) {
            // It ends nothing, whatever comes: what may still let it is awaited by name.
            Err(_problem) => return true,
            Ok(None) => return false,
            Ok(Some(rooted)) => rooted.path.clone(),
        };
        let counts = is_sure(log, entry, &path, self.receipts(), now)
            && [self.first_cuts(), self.cuts()]
                .iter()
                .all(|them| !them.ends(target) && them.leaves_all(log, &path, entry.link()));
        let is_plain = !path.contains(&target)
            && self.standing(target) == Verdict::Admitted
            && !self.has_spoken_below(log, target)
            && self.is_only_use(log, target);
        if !counts || !is_plain {
            return false;
        }
        let claim = claim_of(entry, &path, (target, cuts));
        if !self.leaves_everything(log, target, &Cuts::of_one(&claim), awaited) {
            return false;
        }
        if let Some(invitation) = used_by(log, target) {
            self.sent_away.insert(invitation);
        }
        self.add_claim(&claim);
        true
    }

    /// Whether somebody below a grant revoked, closed or witnessed: what others count for may rest on that.
    /// The Space's own key speaks under a grant that is not its own.
    fn has_spoken_below(&self, log: &SpaceLog, target: EnvelopeId) -> bool {
        let space = AuthorId::from_bytes(*log.space().as_bytes());
        let own = log.chains_of(space).flat_map(|chain| log.after(chain, 0));
        let own = own.map(|entry| entry.header.authority);
        self.testified
            .iter()
            .copied()
            .chain(own)
            .any(|authority| self.is_below(log, authority, target))
    }

    fn is_below(&self, log: &SpaceLog, grant: EnvelopeId, above: EnvelopeId) -> bool {
        let rooted = self.grants().get(log, grant);
        rooted.is_ok_and(|rooted| rooted.path.contains(&above))
    }

    /// Whether everything that was said under a grant and those below it is at or below what is left.
    fn leaves_everything(
        &self,
        log: &SpaceLog,
        target: EnvelopeId,
        left: &Cuts,
        awaited: &Awaited,
    ) -> bool {
        let under = self
            .grants()
            .iter()
            .filter(|(_id, found)| found.is_ok_and(|rooted| rooted.path.contains(&target)));
        let authors = under.filter_map(|(id, _found)| match grant_in(log, id)?.audience {
            Audience::Author(author) => Some(author),
            Audience::ReadersOf(_) => None,
        });
        let is_left = |chain: Chain| {
            let head = log.head(chain).and_then(|(_seq, id)| log.get(id));
            !awaited.is_tardy(chain)
                && head.is_none_or(|head| left.leaves(log, &[target], head.link()))
        };
        authors
            .flat_map(|author| log.chains_of(author))
            .all(is_left)
    }

    /// Whether no other use of the same invitation depends on what becomes of this one.
    fn is_only_use(&self, log: &SpaceLog, target: EnvelopeId) -> bool {
        let Some(own) = grant_in(log, target).filter(|_it| used_by(log, target).is_some()) else {
            return true;
        };
        let mut others = self.grants().iter().filter(|(id, _found)| *id != target);
        !others.any(|(id, _found)| {
            grant_in(log, id)
                .is_some_and(|it| it.parent == own.parent && it.audience == own.audience)
        })
    }
}

/// The key of the invitation by which a grant came about.
fn used_by(log: &SpaceLog, grant: EnvelopeId) -> Option<AuthorId> {
    invitation_of(log, grant_in(log, grant)?)?;
    Some(log.get(grant)?.header.chain.author)
}
