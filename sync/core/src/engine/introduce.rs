//! Peers that were let in after this device last heard: they show the grants that let them in.
//!
//! Without this a member whose control chain is old and a relay that was granted since would each
//! wait for the other to speak. A relay is shown its own grant in a Space that it may not know yet: it
//! answers nobody else about one, so that a stranger does not learn which ones it has.
//!
//! A grant is shown to who does not know it. Of one that is here what is here decides: whoever shows
//! one that was ended comes in by it no more, however it was ended, nor by what they signed below it.

use std::collections::BTreeSet;

use super::Engine;
use super::frame::{Frame, Introduction};
use super::io::ConnectionId;
use super::space::Space;
use crate::admission::{DEPTH_MAX, Held, Member, Verdict};
use crate::envelope::RawEnvelope;
use crate::id::{AuthorId, EnvelopeId, SpaceId};
use crate::statement::{Audience, Capability, Grant, GrantFlags, Statement};
use crate::time::Timestamp;

/// Grants that a peer showed, from the root down, and until when they hold.
#[derive(Debug)]
pub(super) struct Introduced {
    grants: Vec<(EnvelopeId, Grant)>,
    end: Timestamp,
}

impl Introduced {
    /// Whether the row lets in whoever it leads to, by what is known of its grants in a Space.
    ///
    /// **Invariant:** a grant that is here stands, or waits for one above it; and the row says something
    /// that is not here. Else the roster decides alone.
    fn opens(&self, held: &Space, now: Timestamp) -> bool {
        let mut above: Option<(EnvelopeId, &Grant)> = None;
        let mut is_news = false;
        for (id, grant) in &self.grants {
            let known = is_known(held, *id);
            let fits = if known {
                standing(held, *id, grant).is_some()
            } else {
                above.is_none_or(|above| redeems(held, above, grant, now))
            };
            if !fits {
                return false;
            }
            is_news |= !known;
            above = Some((*id, grant));
        }
        is_news
    }
}

/// Whether a grant is here and all that it stands on.
fn is_known(held: &Space, id: EnvelopeId) -> bool {
    held.log.contains(id) && held.evaluation.verdict(id) != Verdict::Held(Held::GrantMissing)
}

/// A grant as it stands in the roster of a Space, which is sorted by author and grant.
fn standing<'a>(held: &'a Space, id: EnvelopeId, grant: &Grant) -> Option<&'a Member> {
    let Audience::Author(author) = grant.audience else {
        return None;
    };
    let members = held.evaluation.members();
    let at = members.binary_search_by_key(&(author, id), |member| (member.author, member.grant));
    members.get(at.ok()?)
}

/// Whether a grant that is not here may stand below one: an invitation that is here has to be worth
/// something still, and lets no device in twice, which may have been sent away in between.
fn redeems(
    held: &Space,
    (above, invitation): (EnvelopeId, &Grant),
    grant: &Grant,
    now: Timestamp,
) -> bool {
    if !invitation.flags.has(GrantFlags::INVITATION) || !is_known(held, above) {
        return true;
    }
    let lives = standing(held, above, invitation).is_some_and(|member| member.is_live(now));
    let Audience::Author(device) = grant.audience else {
        return false;
    };
    let again = held.granted.contains(&device)
        && held.log.control().any(|(_entry, statement)| {
            matches!(statement, Statement::Grant(known)
                if known.parent == Some(above) && known.audience == grant.audience)
        });
    lives && !again
}

impl Engine {
    /// Shows a silent peer why it should listen.
    pub(super) fn introduce(&mut self, id: ConnectionId, space: SpaceId) {
        self.show_grants_of(id, space, self.author);
    }

    /// Shows a peer that may relay why it may, if it is not known to hold anything of the Space.
    pub(super) fn show_relay_its_grant(&mut self, id: ConnectionId, space: SpaceId) {
        let (Some(connection), Some(held)) = (self.connections.get(&id), self.spaces.get(&space))
        else {
            return;
        };
        let peer = connection.peer;
        let live = connection.feeds.get(&space).is_some_and(|feed| feed.live);
        let holding = self.holdings.get(&(peer, space));
        let known = holding.is_some_and(|holding| !holding.held.is_empty());
        let relays = held.evaluation.capability(peer, self.now) == Some(Capability::Relay);
        if relays && !live && !known {
            self.show_grants_of(id, space, peer);
        }
    }

    fn show_grants_of(&mut self, id: ConnectionId, space: SpaceId, author: AuthorId) {
        let Some(held) = self.spaces.get(&space) else {
            return;
        };
        let mut grants = Vec::new();
        let mut next = held.evaluation.best_grant(author, self.now);
        while let Some(grant) = next {
            let Some(raw) = held.grants.get(&grant) else {
                return;
            };
            grants.push(raw.clone());
            next = match held.log.get(grant).and_then(|entry| entry.statement()) {
                Some(Statement::Grant(grant)) => grant.parent,
                _ => None,
            };
        }
        if grants.is_empty() {
            return;
        }
        grants.reverse();
        let frame = Introduction { space, grants };
        self.send(id, &Frame::Introduction(frame));
    }

    /// A peer shows grants. They let it speak on this connection; what it says is judged as ever.
    pub(super) fn introduced(&mut self, id: ConnectionId, shown: Introduction) {
        let space = shown.space;
        if shown.grants.len() > DEPTH_MAX || self.may_hear_of(id, space) {
            return;
        }
        let Some((author, introduced, issuers)) = self.audience_of(space, shown.grants) else {
            return;
        };
        if !self.spaces.contains_key(&space) {
            let mut serves = self.serves.iter();
            let serves = serves.all(|serves| !serves.is_disjoint(&issuers));
            if author == self.author && serves {
                self.begin_candidate(id, space);
            }
            return;
        }
        if let Some(connection) = self.connections.get_mut(&id)
            && connection.authors.contains(&author)
        {
            connection.introduced.insert(space, introduced);
        }
    }

    /// Whether grants that a peer showed still let it in.
    pub(super) fn is_introduced(&self, id: ConnectionId, space: SpaceId) -> bool {
        let Some(held) = self.spaces.get(&space) else {
            return false;
        };
        let shown = self
            .connections
            .get(&id)
            .and_then(|connection| connection.introduced.get(&space));
        shown.is_some_and(|shown| self.now <= shown.end && shown.opens(held, self.now))
    }

    /// To whom a row of grants from the root leads, if each stands on the one before, all hold now
    /// and nothing that is known of them here contradicts it. Also who signed them.
    fn audience_of(
        &self,
        space: SpaceId,
        grants: Vec<RawEnvelope>,
    ) -> Option<(AuthorId, Introduced, BTreeSet<AuthorId>)> {
        let mut introduced = Introduced {
            grants: Vec::new(),
            end: Timestamp::MAX,
        };
        let mut issuers = BTreeSet::new();
        let mut above: Option<(EnvelopeId, Grant)> = None;
        for raw in grants {
            let envelope = raw.verify().ok()?;
            let header = envelope.header();
            let Some(Statement::Grant(grant)) = envelope.statement() else {
                return None;
            };
            let author = header.chain.author;
            let stands = match &above {
                None => grant.parent.is_none() && author.as_bytes() == space.as_bytes(),
                Some((id, parent)) => {
                    // Form lets the Space key sign one grant below the root's.
                    let by_space_key = author.as_bytes() == space.as_bytes();
                    grant.parent == Some(*id)
                        && (parent.audience == Audience::Author(author) || by_space_key)
                        && parent.depth_left > grant.depth_left
                        && parent.capability >= grant.capability
                }
            };
            let live = grant.not_before <= self.now && self.now <= grant.end;
            if header.space != space || !stands || !live {
                return None;
            }
            introduced.grants.push((envelope.id(), grant.clone()));
            issuers.insert(author);
            introduced.end = introduced.end.min(grant.end);
            above = Some((envelope.id(), grant.clone()));
        }
        let held = self.spaces.get(&space);
        if held.is_some_and(|held| !introduced.opens(held, self.now)) {
            return None;
        }
        match above?.1.audience {
            Audience::Author(author) => Some((author, introduced, issuers)),
            Audience::ReadersOf(_) => None,
        }
    }
}
