//! What arrived, is stored and forwarded, and counts for nothing: it is shown with the reason, never dropped in
//! silence (TRUST §1).

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::space::Space;
use crate::admission::{SpaceLog, Verdict};
use crate::envelope::Header;
use crate::id::{AuthorId, EnvelopeId, SpaceId};
use crate::statement::{Audience, Statement};
use crate::time::Timestamp;

/// How many envelopes of a group are named.
pub const NAMED_MAX: usize = 8;

/// Envelopes of one author that count for nothing, or only because others' work stands on them, for one reason. Their
/// number is not bounded but by the log; groups are: by authors, their grants and the reasons that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubtful {
    /// Under which grant they were written; what the newest of them names, if that is no grant of their author's here.
    pub grant: EnvelopeId,
    /// By whom.
    pub author: AuthorId,
    /// Why: [`Verdict::Refused`], [`Verdict::Cut`] or [`Verdict::Vouched`].
    pub verdict: Verdict,
    /// Who ended the access of the newest of them; nobody when a fork cut it, and of what is refused.
    pub cut_by: BTreeSet<AuthorId>,
    /// How many they are.
    pub envelopes: u64,
    /// The newest, by their author's clock; at most [`NAMED_MAX`].
    pub newest: Vec<EnvelopeId>,
    /// The first and the last, by their author's clock.
    pub span: (Timestamp, Timestamp),
}

/// The grant that a header names, if it is its author's own; else anybody may name as many as they like.
pub(super) fn own_grant(log: &SpaceLog, header: &Header) -> Option<EnvelopeId> {
    let named = log.get(header.authority).and_then(|it| it.statement());
    let own = Audience::Author(header.chain.author);
    let is_own = matches!(named, Some(Statement::Grant(grant)) if grant.audience == own);
    is_own.then_some(header.authority)
}

impl Engine {
    /// What is refused in a Space, and what revocations and forks cut of its content. What closes alone left out is
    /// [`Engine::cut_off`].
    pub fn not_counting(&self, space: SpaceId) -> Vec<Doubtful> {
        let Some(held) = self.spaces.get(&space) else {
            return Vec::new();
        };
        let left_out = held.evaluation.left_out(&held.log).into_iter();
        let left_out: BTreeSet<_> = left_out.map(|it| it.id).collect();
        let mut judged = held.evaluation.not_counting(&held.log);
        judged.retain(|(id, _verdict)| !left_out.contains(id));
        groups(held, judged)
    }

    /// What is cut or came late in a Space, and counts because honest work stands on it.
    pub fn vouched(&self, space: SpaceId) -> Vec<Doubtful> {
        let held = self.spaces.get(&space);
        held.map_or_else(Vec::new, |held| groups(held, held.evaluation.vouched()))
    }
}

/// One line for each author, grant of theirs, and reason.
fn groups(held: &Space, judged: Vec<(EnvelopeId, Verdict)>) -> Vec<Doubtful> {
    let mut groups: BTreeMap<_, Vec<(Timestamp, EnvelopeId)>> = BTreeMap::new();
    for (id, verdict) in judged {
        let Some(entry) = held.log.get(id) else {
            continue;
        };
        let header = entry.header();
        let key = (header.chain.author, own_grant(&held.log, header), verdict);
        groups.entry(key).or_default().push((header.time, id));
    }
    let groups = groups.into_iter();
    let groups = groups.filter_map(|((author, _own, verdict), mut found)| {
        found.sort_unstable_by(|a, b| b.cmp(a));
        let ((last, newest), (first, _oldest)) = (*found.first()?, *found.last()?);
        let cut_by = match verdict {
            Verdict::Refused(_) => BTreeSet::new(),
            _ => held.evaluation.cut_by(&held.log, newest),
        };
        Some(Doubtful {
            grant: held.log.get(newest)?.header().authority,
            author,
            verdict,
            cut_by,
            envelopes: u64::try_from(found.len()).unwrap_or(u64::MAX),
            newest: found.iter().take(NAMED_MAX).map(|it| it.1).collect(),
            span: (first, last),
        })
    });
    groups.collect()
}
