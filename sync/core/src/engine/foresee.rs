//! What a statement that ends a grant would do, before it is made.

use std::collections::BTreeSet;

use super::Engine;
use crate::admission::{Entry, Held, Verdict, evaluate};
use crate::envelope::{self, ANCESTORS_MAX, Position};
use crate::id::{EnvelopeId, SpaceId};
use crate::statement::Statement;

/// What follows from a statement, on what is here now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// Whether it would count: only who administers nearer the root ends another's grant.
    pub counts: bool,
    /// Written contents that count now and would no longer.
    pub gone: usize,
    /// Written contents of those whose grants end that would go on to count: what the statement leaves, and
    /// what others built on before they knew.
    pub stays: usize,
    /// Written contents that wait, for somebody's word or their own time, and would be over: they could not count
    /// any more. What came by a code that was used up never could.
    pub discarded: usize,
}

impl Engine {
    /// What the documents of a Space would lose if this device made a statement now; `ended` are the grants
    /// that it ends. None when the Space is not here or this device holds nothing there.
    ///
    /// Cost: a copy of the log and its whole evaluation.
    pub fn foresee(
        &self,
        space: SpaceId,
        statement: &Statement,
        ended: &BTreeSet<EnvelopeId>,
    ) -> Option<Foreseen> {
        let held = self.spaces.get(&space)?;
        let chain = self.chain();
        let (seq, previous) = held
            .log
            .head(chain)
            .map_or((1, EnvelopeId::ZERO), |(seq, id)| (seq + 1, id));
        let mut ancestors = held.evaluation.frontier(chain);
        ancestors.truncate(ANCESTORS_MAX);
        let position = Position {
            space,
            instance: self.instance,
            seq,
            previous,
            authority: held.evaluation.best_grant(self.author, self.now)?,
            ancestors,
            time: self.now,
        };
        let envelope = envelope::control(&self.keys, position, statement).ok()?;
        let mut log = held.log.clone();
        log.insert(&envelope, self.now).ok()?;
        let after = evaluate(&log, &held.outsiders, self.now);
        let mut foreseen = Foreseen {
            counts: after.verdict(envelope.id()).counts(),
            ..Foreseen::default()
        };
        for entry in held.log.iter().filter(|entry| is_written(entry)) {
            let before = held.evaluation.verdict(entry.id());
            let counted = before.counts();
            let after = after.verdict(entry.id());
            if after == Verdict::Cut && is_waiting(before) {
                foreseen.discarded += 1;
            }
            match after.counts() {
                true if ended.contains(&entry.header().authority) => foreseen.stays += 1,
                false if counted => foreseen.gone += 1,
                _ => {}
            }
        }
        Some(foreseen)
    }
}

/// Whether it may come to count: a person decides, or its time comes.
fn is_waiting(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Held(Held::Expired | Held::Future | Held::RedeemedLate)
    )
}

/// Whether somebody wrote it, rather than their program by itself.
fn is_written(entry: &Entry) -> bool {
    use crate::statement::Kind::{Changes, Entries};
    matches!(entry.header().kind, Changes | Entries)
}
