//! Work that came after its grant had ended (TRUST §5): shown, and accepted by a person who decides.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use crate::admission::{Held, Member, SpaceLog};
use crate::id::{AuthorId, Chain, EnvelopeId, SpaceId};
use crate::statement::{Cut, Statement};
use crate::time::Timestamp;

/// Envelopes of one grant that wait for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Under which grant they were written.
    pub grant: EnvelopeId,
    /// By whom.
    pub author: AuthorId,
    /// For what they wait.
    pub held: Held,
    /// How many they are.
    pub envelopes: u64,
    /// The first and the last, by their author's clock.
    pub span: (Timestamp, Timestamp),
}

impl Engine {
    /// What waits in a Space and is neither shown as content nor lost. What only waits for something
    /// that is on its way is left out.
    pub fn waiting(&self, space: SpaceId) -> Vec<Waiting> {
        let Some(held) = self.spaces.get(&space) else {
            return Vec::new();
        };
        let mut waiting: BTreeMap<(EnvelopeId, AuthorId, Held), Waiting> = BTreeMap::new();
        for (id, reason) in held.evaluation.held(&held.log) {
            let Some(entry) = held.log.get(id) else {
                continue;
            };
            if matches!(
                reason,
                Held::Unknown | Held::GrantMissing | Held::AncestorMissing
            ) {
                continue;
            }
            let header = entry.header();
            let (grant, author) = (header.authority, header.chain.author);
            waiting
                .entry((grant, author, reason))
                .and_modify(|it| {
                    it.envelopes += 1;
                    it.span = (it.span.0.min(header.time), it.span.1.max(header.time));
                })
                .or_insert(Waiting {
                    grant,
                    author,
                    held: reason,
                    envelopes: 1,
                    span: (header.time, header.time),
                });
        }
        waiting.into_values().collect()
    }

    /// The statements by which an administrator accepts all that came late under a grant, as far as it
    /// is here: closes at the last of it, of the grant and of those above that have ended too. None
    /// when nothing of it waits for that.
    pub fn acceptance(&self, space: SpaceId, grant: EnvelopeId) -> Vec<Statement> {
        let waits = |it: &Waiting| it.grant == grant && it.held == Held::Expired;
        let Some(held) = self.spaces.get(&space) else {
            return Vec::new();
        };
        let members = held.evaluation.members();
        let Some(member) = members.iter().find(|it| it.grant == grant) else {
            return Vec::new();
        };
        if !self.waiting(space).iter().any(waits) {
            return Vec::new();
        }
        let ended = |it: &&Member| it.end.plus(it.grace) < self.now;
        let path = member.through.iter().chain([&grant]);
        path.filter_map(|above| members.iter().find(|it| it.grant == *above))
            .filter(ended)
            .map(|above| {
                let target = above.grant;
                let below = members.iter().filter(|it| it.through.contains(&target));
                let below = below.map(|it| it.grant).chain([target]).collect();
                let cuts = last_of(&held.log, &below);
                Statement::Close { target, cuts }
            })
            .collect()
    }
}

/// The last envelope of every chain that used one of these grants.
fn last_of(log: &SpaceLog, grants: &BTreeSet<EnvelopeId>) -> Vec<Cut> {
    let mut last: BTreeMap<Chain, (u64, EnvelopeId)> = BTreeMap::new();
    for entry in log.iter() {
        let header = entry.header();
        if grants.contains(&header.authority) {
            let here = (header.seq, entry.id());
            let reached = last.entry(header.chain).or_insert(here);
            *reached = (*reached).max(here);
        }
    }
    last.into_iter()
        .map(|(chain, (seq, id))| Cut { chain, seq, id })
        .collect()
}
